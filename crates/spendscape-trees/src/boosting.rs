//! Gradient boosting (Friedman 2001) with Newton steps in the leaves.

use std::sync::Arc;

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use rand::{SeedableRng, seq::index};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::{
    Binned, Bins, Error, Loss, check,
    fixed::{Scale, Sum},
    grower::{Grower, Limits},
    tree::Tree,
};

/// Parameters of boosted trees.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `trees` | 100 | trees of the ensemble | at least 1 |
/// | `max_depth` | 3 | splits between root and leaf | at least 1 |
/// | `learning_rate` | 0.1 | how much of each tree is added | (0, 1] |
/// | `min_leaf_rows` | 20 | training rows in a leaf | at least 1 |
/// | `min_leaf_weight` | 1e-3 | sum of Hessians in a leaf: rows (squared), or rows times p (1 - p) (logistic) | at least 0 |
/// | `l2` | 0 | penalty on the values of leaves, added to their Hessians | at least 0 |
/// | `subsample` | 1 | share of the training rows that a tree is grown on | (0, 1] |
/// | `seed` | 0 | draws those rows | any |
///
/// ```
/// use ndarray::{Array1, Array2};
/// use spendscape_trees::{Binned, Boosting, Loss, Training};
///
/// // A step at .5.
/// let x = Array2::from_shape_fn((200, 1), |(row, _)| row as f64 / 200.0);
/// let y: Array1<f64> = x.column(0).mapv(|x| if x < 0.5 { 0.0 } else { 1.0 });
/// let codes = Binned::new(&x, 256)?;
/// let model = Boosting::params(Loss::Squared).trees(60).fit(&codes, Training::new(&y))?;
/// assert!((model.predict(&x)? - y).iter().all(|error| error.abs() < 0.05));
/// # Ok::<(), spendscape_trees::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Boosting {
    loss: Loss,
    trees: usize,
    max_depth: usize,
    learning_rate: f64,
    min_leaf_rows: usize,
    min_leaf_weight: f64,
    l2: f64,
    subsample: f64,
    seed: u64,
}

/// Training data of an ensemble, beside the codes of a panel.
#[derive(Debug, Clone, Copy)]
pub struct Training<'a> {
    y: &'a ArrayRef1<f64>,
    weights: Option<&'a ArrayRef1<f64>>,
    rows: Option<&'a [usize]>,
}

impl<'a> Training<'a> {
    /// Targets of all rows of the panel (N), each with a weight of 1.
    #[must_use]
    pub fn new(y: &'a ArrayRef1<f64>) -> Self {
        Self { y, weights: None, rows: None }
    }

    /// Weighs the rows of the panel (N).
    #[must_use]
    pub fn weights(mut self, weights: &'a ArrayRef1<f64>) -> Self {
        self.weights = Some(weights);
        self
    }

    /// Trains on these rows only: nothing of others is read, neither targets nor weights nor codes. Their order does not
    /// matter.
    #[must_use]
    pub fn rows(mut self, rows: &'a [usize]) -> Self {
        self.rows = Some(rows);
        self
    }
}

impl Boosting {
    /// 100 trees of depth 3 with a learning rate of .1.
    #[must_use]
    pub fn params(loss: Loss) -> Self {
        Self {
            loss,
            trees: 100,
            max_depth: 3,
            learning_rate: 0.1,
            min_leaf_rows: 20,
            min_leaf_weight: 1e-3,
            l2: 0.0,
            subsample: 1.0,
            seed: 0,
        }
    }

    /// Sets the number of trees.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.trees = trees;
        self
    }

    /// Sets the depth.
    #[must_use]
    pub fn max_depth(mut self, depth: usize) -> Self {
        self.max_depth = depth;
        self
    }

    /// Sets the learning rate.
    #[must_use]
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    /// Sets the smallest leaf.
    #[must_use]
    pub fn min_leaf_rows(mut self, rows: usize) -> Self {
        self.min_leaf_rows = rows;
        self
    }

    /// Sets the smallest sum of Hessians of a leaf.
    #[must_use]
    pub fn min_leaf_weight(mut self, weight: f64) -> Self {
        self.min_leaf_weight = weight;
        self
    }

    /// Sets the penalty on the values of leaves.
    #[must_use]
    pub fn l2(mut self, penalty: f64) -> Self {
        self.l2 = penalty;
        self
    }

    /// Grows each tree on a share of the training rows, drawn by a generator with this seed.
    #[must_use]
    pub fn subsample(mut self, share: f64, seed: u64) -> Self {
        self.subsample = share;
        self.seed = seed;
        self
    }

    /// Grows an ensemble. One fit runs on one thread; fits of targets and folds can run side by side on the same codes.
    ///
    /// # Errors
    /// `BadInput::InvalidParameter` for a parameter outside its range; `BadInput::ShapeMismatch`, [`Error::Row`],
    /// `BadInput::NotFinite` and [`Error::OutsideRange`] for wrong rows, targets or weights; `BadInput::TooFew` if a tree
    /// would see none; [`Error::OneClass`] if the logistic loss has one class only.
    pub fn fit(&self, x: &Binned, training: Training<'_>) -> Result<Ensemble, Error> {
        self.check()?;
        check::length("y", x.rows(), training.y.len())?;
        let rows = check::training_rows(x.rows(), training.rows)?;
        let sample = (rows.len() as f64 * self.subsample) as usize;
        check::rows("a boosted tree (training rows after subsampling)", 1, sample)?;
        match self.loss {
            Loss::Squared => check::target(training.y, &rows)?,
            Loss::Logistic => check::label(training.y, &rows)?,
        }
        // Rows that are not trained on have a weight of 0 and are in no list of rows.
        let (mut y, mut weights) = (vec![0.0; x.rows()], vec![0.0; x.rows()]);
        if let Some(given) = training.weights {
            check::length("weights", x.rows(), given.len())?;
            check::weight(given, &rows)?;
        }
        for row in rows.iter().map(|row| *row as usize) {
            y[row] = training.y[row];
            weights[row] = training.weights.map_or(1.0, |weights| weights[row]);
        }
        let state = State::new(self.loss, y, weights)?;
        let trees = if x.widest() <= NARROW {
            self.boost::<NARROW>(x, &rows, sample, state)
        } else {
            self.boost::<WIDE>(x, &rows, sample, state)
        };
        Ok(trees)
    }

    fn check(&self) -> Result<(), Error> {
        let whole =
            [("trees", self.trees), ("max_depth", self.max_depth), ("min_leaf_rows", self.min_leaf_rows)];
        for (name, value) in whole {
            check::parameter(name, 0.0, value > 0, "[1, inf)")?;
        }
        for (name, value) in [("learning_rate", self.learning_rate), ("subsample", self.subsample)] {
            check::parameter(name, value, value > 0.0 && value <= 1.0, "(0, 1]")?;
        }
        for (name, value) in [("min_leaf_weight", self.min_leaf_weight), ("l2", self.l2)] {
            check::parameter(name, value, value >= 0.0 && value.is_finite(), "[0, inf)")?;
        }
        Ok(())
    }

    fn boost<const B: usize>(&self, x: &Binned, rows: &[u32], sample: usize, mut state: State) -> Ensemble {
        let start = state.scores.first().copied().unwrap_or(0.0);
        let mut grower = Grower::<B>::new(x);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        let mut sampled = Sampled { inside: rows.to_vec(), outside: Vec::new() };
        let mut coded = Vec::with_capacity(self.trees);
        for _ in 0..self.trees {
            if sample < rows.len() {
                sampled.draw(rows, sample, &mut rng);
            }
            let scale = state.differentiate(sampled.inside.len());
            let limits = Limits {
                max_depth: self.max_depth,
                min_leaf_rows: self.min_leaf_rows,
                min_leaf_weight: self.min_leaf_weight * scale.hessian,
                penalty: self.l2 * scale.hessian,
            };
            let mut tree = grower.grow(&sampled.inside, &state.sums, limits);
            for (node, rows) in grower.leaves() {
                let step = self.learning_rate * state.newton(rows, self.l2);
                tree.nodes[node].value = step;
                rows.iter().for_each(|row| state.scores[*row as usize] += step);
            }
            for row in sampled.outside.iter().map(|row| *row as usize) {
                state.scores[row] += tree.value(|feature| x.codes(feature)[row]);
            }
            coded.push(tree);
        }
        let bins = Arc::clone(x.bins());
        let trees =
            coded.iter().map(|tree| tree.map(|feature, bin| bins.cuts(feature)[usize::from(bin)])).collect();
        Ensemble { loss: self.loss, start, trees, coded, bins }
    }
}

/// Bins of a histogram that fits the first cache with many features, and of one for any code.
const NARROW: usize = 64;
const WIDE: usize = 256;

/// Rows that a tree is grown on, and the other training rows.
struct Sampled {
    inside: Vec<u32>,
    outside: Vec<u32>,
}

impl Sampled {
    fn draw(&mut self, rows: &[u32], sample: usize, rng: &mut Xoshiro256PlusPlus) {
        let mut chosen = vec![false; rows.len()];
        index::sample(rng, rows.len(), sample).iter().for_each(|at| chosen[at] = true);
        self.inside.clear();
        self.outside.clear();
        for (row, chosen) in rows.iter().zip(chosen) {
            if chosen { self.inside.push(*row) } else { self.outside.push(*row) }
        }
    }
}

/// Scores and derivatives of all rows of a panel.
struct State {
    loss: Loss,
    y: Vec<f64>,
    weights: Vec<f64>,
    heaviest: f64,
    scores: Vec<f64>,
    gradients: Vec<f64>,
    hessians: Vec<f64>,
    sums: Vec<Sum>,
}

impl State {
    fn new(loss: Loss, y: Vec<f64>, weights: Vec<f64>) -> Result<Self, Error> {
        let heaviest = weights.iter().copied().fold(0.0, f64::max);
        let total: f64 = weights.iter().sum();
        let mean = y.iter().zip(&weights).map(|(y, weight)| y * weight).sum::<f64>() / total;
        if loss == Loss::Logistic && !(mean > 0.0 && mean < 1.0) {
            return Err(Error::OneClass { mean });
        }
        // Without any weight every leaf is 0.
        let start = if total > 0.0 { loss.start(mean) } else { 0.0 };
        let rows = y.len();
        let zeros = || vec![0.0; rows];
        let (scores, gradients, hessians) = (vec![start; rows], zeros(), zeros());
        Ok(Self { loss, y, weights, heaviest, scores, gradients, hessians, sums: vec![[0; 2]; rows] })
    }

    /// Derivatives at the scores, as numbers and as sums of single rows.
    fn differentiate(&mut self, rows: usize) -> Scale {
        self.loss.derivatives(&self.y, &self.weights, &self.scores, &mut self.gradients, &mut self.hessians);
        let (gradient, hessian) = self.loss.bounds(&self.gradients, self.heaviest);
        let scale = Scale::new(rows, gradient, hessian);
        for ((sum, gradient), hessian) in self.sums.iter_mut().zip(&self.gradients).zip(&self.hessians) {
            *sum = scale.sum(*gradient, *hessian);
        }
        scale
    }

    /// The Newton step of a leaf. It is computed from the derivatives themselves: rounded sums only choose splits.
    fn newton(&self, rows: &[u32], l2: f64) -> f64 {
        let (mut gradient, mut hessian) = (0.0, 0.0);
        for row in rows.iter().map(|row| *row as usize) {
            gradient += self.gradients[row];
            hessian += self.hessians[row];
        }
        if hessian + l2 > 0.0 { -gradient / (hessian + l2) } else { 0.0 }
    }
}

/// A fitted ensemble.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    loss: Loss,
    start: f64,
    trees: Vec<Tree<f64>>,
    coded: Vec<Tree<u8>>,
    bins: Arc<Bins>,
}

impl Ensemble {
    /// Values (squared loss) or probabilities (logistic loss) of the rows of `x` (N x F).
    ///
    /// # Errors
    /// `BadInput::ShapeMismatch` for another number of features, `BadInput::NotFinite`.
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Array1<f64>, Error> {
        check::length("columns of x", self.bins.features(), x.ncols())?;
        check::finite("x", x)?;
        let of_row = |row: ndarray::ArrayView1<'_, f64>| {
            let score =
                self.trees.iter().fold(self.start, |sum, tree| sum + tree.value(|feature| row[feature]));
            self.loss.mean(score)
        };
        Ok(x.rows().into_iter().map(of_row).collect())
    }

    /// The same for rows of a panel that is binned already, by the bins that the ensemble was grown on: all of them, or
    /// those listed, in the order of the list.
    ///
    /// # Errors
    /// [`Error::OtherBins`] if the codes were made with other cuts, [`Error::Row`] for a row that does not exist.
    pub fn predict_binned(&self, x: &Binned, rows: Option<&[usize]>) -> Result<Array1<f64>, Error> {
        if !Arc::ptr_eq(&self.bins, x.bins()) && self.bins != *x.bins() {
            return Err(Error::OtherBins);
        }
        if let Some(&row) = rows.unwrap_or(&[]).iter().find(|row| **row >= x.rows()) {
            return Err(Error::Row { row, problem: "does not exist", rows: x.rows() });
        }
        let mut scores = Array1::from_elem(rows.map_or(x.rows(), <[usize]>::len), self.start);
        for tree in &self.coded {
            for (at, score) in scores.iter_mut().enumerate() {
                let row = rows.map_or(at, |rows| rows[at]);
                *score += tree.value(|feature| x.codes(feature)[row]);
            }
        }
        scores.mapv_inplace(|score| self.loss.mean(score));
        Ok(scores)
    }
}
