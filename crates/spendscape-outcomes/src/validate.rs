//! Cross-validation in which everything is fitted inside the fold, and the audit that shows it.

use ndarray::{Array2, ArrayBase, Axis, concatenate};
use rayon::prelude::*;

use crate::{Error, Fold, Learner, LearnerOptions, Outcome, check, folds::check_folds};

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureSet {
    /// Its name in tables.
    pub name: String,
    /// Names of its blocks.
    pub blocks: Vec<String>,
}

impl FeatureSet {
    /// A set of blocks.
    pub fn new(name: &str, blocks: &[&str]) -> Self {
        Self { name: name.to_owned(), blocks: blocks.iter().map(|block| (*block).to_owned()).collect() }
    }

    /// Its blocks side by side, as one block of the set's name.
    ///
    /// # Errors
    /// [`Error::UnknownBlock`] if a block is not there, [`Error::ShapeMismatch`] if blocks differ in their rows.
    pub fn assemble(&self, blocks: &[Block]) -> Result<Block, Error> {
        let mut chosen = Vec::new();
        for name in &self.blocks {
            let block = blocks.iter().find(|block| block.name == *name);
            chosen.push(
                block.ok_or_else(|| Error::UnknownBlock { set: self.name.clone(), block: name.clone() })?,
            );
        }
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
}

/// What is cross-validated.
#[derive(Debug, Clone, Copy)]
pub struct Study<'a> {
    /// Sets of features.
    pub sets: &'a [FeatureSet],
    /// Learners, each on every set.
    pub learners: &'a [Learner],
    /// Options of the learners.
    pub options: LearnerOptions,
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

/// Scores of the held-out customers of one fold: for every set and learner in turn.
fn fold_scores<D: ?Sized + Sync>(
    features: &impl Features<D>,
    data: &D,
    study: Study<'_>,
    fold: &Fold,
) -> Result<Vec<Vec<f64>>, Error> {
    let blocks = features.fit(data, fold).map_err(|source| Error::Features { source })?;
    let mut scores = Vec::new();
    for set in study.sets {
        let Block { train, test, .. } = set.assemble(&blocks)?;
        check::length("held-out rows", fold.test.len(), test.nrows())?;
        for learner in study.learners {
            let model = learner.fit(&train, study.outcome, &fold.train, study.options)?;
            scores.push(model.predict(&test)?.to_vec());
        }
    }
    Ok(scores)
}

/// Cross-validates every learner on every set over the folds. Folds run in parallel; the result does not depend on how
/// many at a time. `after_fold` is called as each is done.
///
/// # Errors
/// Those of features and learners; [`Error::ShapeMismatch`] if a fold trains on whom it tests.
pub fn cross_validate<D: ?Sized + Sync>(
    features: &impl Features<D>,
    data: &D,
    study: Study<'_>,
    folds: &[Fold],
    after_fold: impl Fn() + Sync,
) -> Result<Vec<HeldOut>, Error> {
    let customers = study.outcome.values().len();
    check_folds(folds, customers)?;
    let repeats = folds.iter().map(|fold| fold.repeat + 1).max().unwrap_or(0);
    let each: Vec<Vec<Vec<f64>>> = folds
        .par_iter()
        .map(|fold| {
            let scores = fold_scores(features, data, study, fold);
            after_fold();
            scores
        })
        .collect::<Result<_, _>>()?;
    let mut held_out = Vec::new();
    for set in study.sets {
        for learner in study.learners {
            let mut scores = Array2::from_elem((repeats, customers), f64::NAN);
            for (fold, found) in folds.iter().zip(&each) {
                for (row, score) in fold.test.iter().zip(&found[held_out.len()]) {
                    scores[[fold.repeat, *row]] = *score;
                }
            }
            held_out.push(HeldOut { set: set.name.clone(), learner: *learner, scores });
        }
    }
    Ok(held_out)
}

/// Shows that a fold does not leak: held-out scores stay the same to the bit when
///
/// 1. the labels of the held-out customers are exchanged, and
/// 2. the data of every second held-out customer are altered: `alter` returns the data with other values for the given
///    rows, in whatever of the data belongs to a customer.
///
/// A scale, a network or a code that was fitted on everybody fails here, because it moves the scores of those whose data
/// stayed as they were.
///
/// # Errors
/// [`Error::Leak`] names set, learner and customer; [`Error::TooFew`] with fewer than two held-out customers; and those of
/// features and learners.
pub fn audit<D: ?Sized + Sync>(
    features: &impl Features<D>,
    data: &D,
    study: Study<'_>,
    fold: &Fold,
    alter: impl FnOnce(&[usize]) -> Box<D>,
) -> Result<(), Error> {
    check_folds(std::slice::from_ref(fold), study.outcome.values().len())?;
    if fold.test.len() < 2 {
        return Err(Error::TooFew { what: "an audit (held-out)", needed: 2, found: fold.test.len() });
    }
    let honest = fold_scores(features, data, study, fold)?;
    let compare = |found: &[Vec<f64>], positions: &[usize], changed: &'static str| {
        for (at, (before, after)) in honest.iter().zip(found).enumerate() {
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
        &fold_scores(features, data, relabelled, fold)?,
        &everybody,
        "the labels of the held-out customers",
    )?;
    let (kept, altered): (Vec<usize>, Vec<usize>) =
        everybody.iter().partition(|position| **position % 2 == 0);
    let rows: Vec<usize> = altered.iter().map(|position| fold.test[*position]).collect();
    let found = fold_scores(features, &alter(&rows), study, fold)?;
    compare(&found, &kept, "the data of other held-out customers")
}
