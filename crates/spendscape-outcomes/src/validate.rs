//! Cross-validation in which everything is fitted inside the fold, and the audit that shows it.

use std::sync::Arc;

use ndarray::{Array2, ArrayBase, Axis, CowArray, Ix2, concatenate};
use rayon::prelude::*;
use spendscape_stats::{BadInput, Fold, Standardizer};

use crate::{
    Binned, BoostedTrees, Error, Fitted, Learner, Outcome, check,
    learner::{Inputs, varying},
};

/// Features of one kind for the customers of a fold.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Its name.
    pub name: String,
    /// Names of its features (F).
    pub columns: Vec<String>,
    /// Training customers x F, in the order of the fold.
    pub train: Array2<f64>,
    /// Held-out customers x F, in the order of the fold.
    pub test: Array2<f64>,
}

/// Makes features inside a fold. Whatever is learned (a network, means, codes) is learned from the rows `fold.train`; the
/// features of a held-out customer depend on that and on the customer's own data. [`audit`] tells whether this holds.
pub trait Features<D: ?Sized>: Sync {
    /// The blocks of features for one fold.
    ///
    /// # Errors
    /// Whatever goes wrong.
    fn fit(&self, data: &D, fold: &Fold) -> Result<Vec<Block>, Box<dyn std::error::Error + Send + Sync>>;
}

/// A set of features: blocks side by side.
///
/// ```
/// use ndarray::array;
/// use spendscape_outcomes::{Block, FeatureSet};
///
/// let block = |name: &str, train, test| {
///     Block { name: name.to_owned(), columns: vec![name.to_owned()], train, test }
/// };
/// let spending = block("spending", array![[1.0], [2.0]], array![[3.0]]);
/// let balance = block("balance", array![[4.0], [5.0]], array![[6.0]]);
/// let blocks = [spending, balance];
/// let both = FeatureSet::new("both", &["balance", "spending"]).assemble(&blocks)?;
/// assert_eq!((both.train, both.test), (array![[4.0, 1.0], [5.0, 2.0]], array![[6.0, 3.0]]));
/// assert!(FeatureSet::new("no such", &["income"]).assemble(&blocks).is_err());
/// # Ok::<(), spendscape_outcomes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureSet {
    /// Its name in tables.
    pub name: String,
    /// Names of its blocks.
    pub blocks: Vec<String>,
}

impl FeatureSet {
    /// A set of blocks.
    #[must_use]
    pub fn new(name: &str, blocks: &[&str]) -> Self {
        Self { name: name.to_owned(), blocks: blocks.iter().map(|block| (*block).to_owned()).collect() }
    }

    /// Its blocks side by side, as one block of the set's name.
    ///
    /// # Errors
    /// [`Error::UnknownBlock`] if a block is not there, [`BadInput::ShapeMismatch`] if blocks differ in their rows.
    pub fn assemble(&self, blocks: &[Block]) -> Result<Block, Error> {
        let chosen: Vec<&Block> = self.members(blocks)?.into_iter().map(|at| &blocks[at]).collect();
        let join = |part: fn(&Block) -> &Array2<f64>| {
            let views: Vec<_> = chosen.iter().map(|block| part(block).view()).collect();
            let rows = views.first().map_or(0, ArrayBase::nrows);
            for view in &views {
                check::length("rows of a block", rows, view.nrows())?;
            }
            // Rows agree, so that joining columns cannot fail.
            Ok::<_, Error>(concatenate(Axis(1), &views).unwrap_or_default())
        };
        let columns = chosen.iter().flat_map(|block| block.columns.iter().cloned()).collect();
        let (train, test) = (join(|block| &block.train)?, join(|block| &block.test)?);
        Ok(Block { name: self.name.clone(), columns, train, test })
    }

    /// The places of its blocks.
    fn members(&self, blocks: &[Block]) -> Result<Vec<usize>, Error> {
        let place = |name: &String| {
            let found = blocks.iter().position(|block| block.name == *name);
            found.ok_or_else(|| Error::UnknownBlock { set: self.name.clone(), block: name.clone() })
        };
        self.blocks.iter().map(place).collect()
    }
}

/// The setup of a cross-validation.
#[derive(Debug, Clone, Copy)]
pub struct Study<'a> {
    /// Sets of features.
    pub sets: &'a [FeatureSet],
    /// Learners, each on every set.
    pub learners: &'a [Learner],
    /// Whether the learners weigh classes the same ([`LearnerParams::balanced`](crate::LearnerParams::balanced)).
    pub balanced: bool,
    /// The outcome of every customer (N).
    pub outcome: &'a Outcome,
}

/// Held-out scores of one learner on one set.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    /// Name of the set.
    pub set: String,
    /// The learner.
    pub learner: Learner,
    /// Repeats x N; NaN where a customer was not held out.
    pub scores: Array2<f64>,
}

impl HeldOut {
    /// The mean of each customer's scores over the repeats (N); NaN if never held out.
    #[must_use]
    pub fn mean(&self) -> ndarray::Array1<f64> {
        self.scores
            .columns()
            .into_iter()
            .map(|scores| {
                let held: Vec<f64> = scores.iter().copied().filter(|score| score.is_finite()).collect();
                held.iter().sum::<f64>() / held.len() as f64
            })
            .collect()
    }
}

/// A block, standardized and binned by its training customers. Sets share blocks, so that this is done once.
struct Part {
    scale: Standardizer,
    train: Array2<f64>,
    test: Array2<f64>,
    codes: Option<Binned>,
}

impl Part {
    fn new(block: &Block, fold: &Fold, binned: bool) -> Result<Self, Error> {
        check::length("training rows", fold.train.len(), block.train.nrows())?;
        check::length("held-out rows", fold.test.len(), block.test.nrows())?;
        let scale = Standardizer::fit(&block.train)?;
        let (train, test) = (scale.transform_varying(&block.train)?, scale.transform_varying(&block.test)?);
        let codes = (binned && train.ncols() > 0).then(|| BoostedTrees::bin(&train)).transpose()?;
        Ok(Self { scale, train, test, codes })
    }
}

/// The result of one fold: models and scores of the held-out customers, for every set and learner in turn.
struct Fitting {
    blocks: Vec<Block>,
    models: Vec<Arc<Fitted>>,
    scores: Vec<Vec<f64>>,
}

/// Fits and scores one fold. A learner is a function of the training customers' features and labels: where these are the
/// same bits as in an `earlier` fitting, its model is taken.
fn fit_fold<D: ?Sized + Sync>(
    features: &impl Features<D>,
    data: &D,
    study: Study<'_>,
    fold: &Fold,
    earlier: Option<(&Fitting, &Outcome)>,
) -> Result<Fitting, Error> {
    let blocks = features.fit(data, fold).map_err(|source| Error::Features { source })?;
    // The labels that learners see; an ordinal outcome has levels, which are those of all customers.
    let labels = |outcome: &Outcome| (outcome.rows(&fold.train), outcome.levels().to_vec());
    let earlier =
        earlier.filter(|(_, outcome)| labels(outcome) == labels(study.outcome)).map(|(fitting, _)| fitting);
    let binned = study.learners.contains(&Learner::Boosted);
    let mut parts: Vec<Option<Part>> = blocks.iter().map(|_| None).collect();
    let (mut models, mut scores) = (Vec::new(), Vec::new());
    for set in study.sets {
        let members = set.members(&blocks)?;
        let known = earlier.filter(|fitting| {
            members.iter().all(|at| same_bits(&blocks[*at].train, fitting.blocks.get(*at).map(|b| &b.train)))
        });
        for at in &members {
            let bin = binned && known.is_none();
            if parts[*at].as_ref().is_none_or(|part| bin && part.codes.is_none()) {
                parts[*at] = Some(Part::new(&blocks[*at], fold, bin)?);
            }
        }
        let parts: Vec<&Part> = members.iter().filter_map(|at| parts[*at].as_ref()).collect();
        let scales: Vec<&Standardizer> = parts.iter().map(|part| &part.scale).collect();
        let scale = varying(Standardizer::join(&scales))?;
        let test = beside(&parts, |part| &part.test);
        for learner in study.learners {
            let model = match (known, learner) {
                (Some(fitting), _) => Arc::clone(&fitting.models[models.len()]),
                (None, Learner::Linear) => {
                    let z = beside(&parts, |part| &part.train);
                    let inputs = Inputs::Standardized(&z);
                    Arc::new(Fitted::fit(scale.clone(), inputs, study.outcome, &fold.train, study.balanced)?)
                }
                (None, Learner::Boosted) => {
                    let codes: Vec<&Binned> = parts.iter().filter_map(|part| part.codes.as_ref()).collect();
                    let codes = Binned::join(&codes)?;
                    let inputs = Inputs::Binned(&codes);
                    Arc::new(Fitted::fit(scale.clone(), inputs, study.outcome, &fold.train, study.balanced)?)
                }
            };
            scores.push(model.predict_scaled(&test)?.to_vec());
            models.push(model);
        }
    }
    Ok(Fitting { blocks, models, scores })
}

/// Columns of parts side by side; their rows agree.
fn beside<'a>(parts: &[&'a Part], of: fn(&Part) -> &Array2<f64>) -> CowArray<'a, f64, Ix2> {
    if let [part] = parts {
        return CowArray::from(of(part).view());
    }
    let views: Vec<_> = parts.iter().map(|part| of(part).view()).collect();
    concatenate(Axis(1), &views).unwrap_or_default().into()
}

fn same_bits(a: &Array2<f64>, b: Option<&Array2<f64>>) -> bool {
    b.is_some_and(|b| a.dim() == b.dim() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits()))
}

/// Cross-validates every learner on every set over the folds. Folds run in parallel; the result does not depend on how
/// many at a time. `first` are the scores of the first fold, if an [`audit`] has them already; `after_fold` is called as
/// each is done.
///
/// ```
/// use ndarray::{Array2, Axis};
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_outcomes::{Block, FeatureSet, Features, Learner, Outcome, Study, Task, audit, cross_validate};
/// use spendscape_stats::{Fold, stratified_folds};
///
/// /// Columns as they are: nothing is learned inside the fold.
/// struct Columns;
///
/// impl Features<Array2<f64>> for Columns {
///     fn fit(&self, x: &Array2<f64>, fold: &Fold) -> Result<Vec<Block>, Box<dyn std::error::Error + Send + Sync>> {
///         let rows = |rows: &[usize]| x.select(Axis(0), rows);
///         let (train, test) = (rows(&fold.train), rows(&fold.test));
///         Ok(vec![Block { name: "all".to_owned(), columns: vec!["x".to_owned()], train, test }])
///     }
/// }
///
/// let x = Array2::from_shape_fn((60, 1), |(n, _)| n as f64);
/// let outcome = Outcome::new(Task::Binary, &x.column(0).mapv(|x| f64::from(u8::from(x >= 30.0))))?;
/// let folds = stratified_folds(&outcome.strata(), 3, 1, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
/// let sets = [FeatureSet::new("all", &["all"])];
/// let study = Study { sets: &sets, learners: &[Learner::Linear], balanced: false, outcome: &outcome };
/// // The first fold does not leak: others' data, here with a sign, do not move a score.
/// let alter = |rows: &[usize]| {
///     let mut other = x.clone();
///     rows.iter().for_each(|row| other[[*row, 0]] *= -1.0);
///     Box::new(other)
/// };
/// let first = audit(&Columns, &x, study, &folds[0], alter)?;
/// let held_out = cross_validate(&Columns, &x, study, &folds, Some(first), || {})?;
/// let scores = held_out[0].mean();
/// assert!(scores[0] < 0.2 && scores[59] > 0.8);
/// # Ok::<(), spendscape_outcomes::Error>(())
/// ```
///
/// # Errors
/// Those of features and learners; [`BadInput::ShapeMismatch`] if a fold trains on whom it tests.
pub fn cross_validate<D: ?Sized + Sync>(
    features: &impl Features<D>,
    data: &D,
    study: Study<'_>,
    folds: &[Fold],
    first: Option<FoldScores>,
    after_fold: impl Fn() + Sync,
) -> Result<Vec<HeldOut>, Error> {
    let customers = study.outcome.values().len();
    check_folds(folds, customers)?;
    let repeats = folds.iter().map(|fold| fold.repeat + 1).max().unwrap_or(0);
    let known = usize::from(first.is_some()).min(folds.len());
    let rest: Vec<FoldScores> = folds[known..]
        .par_iter()
        .map(|fold| {
            let fitting = fit_fold(features, data, study, fold, None);
            after_fold();
            Ok::<_, Error>(FoldScores(fitting?.scores))
        })
        .collect::<Result<_, _>>()?;
    let each: Vec<FoldScores> = first.into_iter().take(known).chain(rest).collect();
    let mut held_out = Vec::new();
    for set in study.sets {
        for learner in study.learners {
            let mut scores = Array2::from_elem((repeats, customers), f64::NAN);
            for (fold, found) in folds.iter().zip(&each) {
                for (row, score) in fold.test.iter().zip(&found.0[held_out.len()]) {
                    scores[[fold.repeat, *row]] = *score;
                }
            }
            held_out.push(HeldOut { set: set.name.clone(), learner: *learner, scores });
        }
    }
    Ok(held_out)
}

/// Held-out scores of one fold, for every set and learner in turn.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldScores(Vec<Vec<f64>>);

/// Shows that a fold does not leak: held-out scores stay the same to the bit when
///
/// 1. the labels of the held-out customers are exchanged, and
/// 2. the data of every second held-out customer are altered: `alter` returns the data with other values for the given
///    rows, in whatever of the data belongs to a customer.
///
/// A scale, a network or a code that was fitted on everybody fails here, because it moves the scores of those whose data
/// stayed as they were.
///
/// Returns the scores. A learner sees the training customers' features and labels and nothing else, so that it is fitted
/// again only if these have changed by a bit.
///
/// [`cross_validate`] has an example.
///
/// # Errors
/// [`Error::Leak`] names set, learner and customer; [`BadInput::TooFew`] with fewer than two held-out customers; and those of
/// features and learners.
pub fn audit<D: ?Sized + Sync>(
    features: &impl Features<D>,
    data: &D,
    study: Study<'_>,
    fold: &Fold,
    alter: impl FnOnce(&[usize]) -> Box<D>,
) -> Result<FoldScores, Error> {
    check_folds(std::slice::from_ref(fold), study.outcome.values().len())?;
    if fold.test.len() < 2 {
        return Err(Error::Input(BadInput::TooFew {
            what: "an audit (held-out)",
            of: "customers",
            needed: 2,
            found: fold.test.len(),
        }));
    }
    let honest = fit_fold(features, data, study, fold, None)?;
    let earlier = Some((&honest, study.outcome));
    let compare = |found: &Fitting, positions: &[usize], changed: &'static str| {
        for (at, (before, after)) in honest.scores.iter().zip(&found.scores).enumerate() {
            let moved = positions.iter().find(|p| before[**p].to_bits() != after[**p].to_bits());
            if let Some(position) = moved {
                let learners = study.learners.len();
                return Err(Error::Leak {
                    set: study.sets[at / learners].name.clone(),
                    learner: study.learners[at % learners].name(),
                    row: fold.test[*position],
                    changed,
                });
            }
        }
        Ok(())
    };
    let mut values = study.outcome.values().clone();
    let levels = study.outcome.levels();
    for row in &fold.test {
        // The next level, the first after the last: another label for everybody. Continuous ones change their sign.
        values[*row] = match levels.iter().position(|level| *level == values[*row]) {
            Some(at) => levels[(at + 1) % levels.len()],
            None => -values[*row] - 1.0,
        };
    }
    let other = Outcome::new(study.outcome.task(), &values)?;
    let everybody: Vec<usize> = (0..fold.test.len()).collect();
    let relabelled = Study { outcome: &other, ..study };
    compare(
        &fit_fold(features, data, relabelled, fold, earlier)?,
        &everybody,
        "the labels of the held-out customers",
    )?;
    let (kept, altered): (Vec<usize>, Vec<usize>) =
        everybody.iter().partition(|position| **position % 2 == 0);
    let rows: Vec<usize> = altered.iter().map(|position| fold.test[*position]).collect();
    let found = fit_fold(features, &*alter(&rows), study, fold, earlier)?;
    compare(&found, &kept, "the data of other held-out customers")?;
    Ok(FoldScores(honest.scores))
}

/// Checks that folds belong to `customers` customers and never test whom they train on.
fn check_folds(folds: &[Fold], customers: usize) -> Result<(), Error> {
    for fold in folds {
        let mut role = vec![0_u8; customers];
        for row in fold.train.iter().chain(&fold.test) {
            check::index("customer of a fold", *row, customers)?;
            role[*row] += 1;
        }
        let twice = role.iter().filter(|count| **count > 1).count();
        check::length("customers who stand twice in a fold", 0, twice)?;
    }
    Ok(())
}
