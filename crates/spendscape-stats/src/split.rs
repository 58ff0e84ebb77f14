//! Rows to fit on and rows to judge on: one split, by time or as the caller made it, and the folds of cross-validation.

use ndarray::{Array2, ArrayRef2, Axis};
use rand::{Rng, RngExt, seq::SliceRandom};

use crate::{BadInput, check};

/// Row numbers of the training and of the test set, each ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to fit on.
    pub train: Vec<usize>,
    /// Rows to judge on.
    pub test: Vec<usize>,
}

impl Split {
    /// The training rows of a matrix.
    ///
    /// # Errors
    ///
    /// [`BadInput::OutOfRange`] if the matrix has too few rows.
    pub fn train_rows(&self, a: &ArrayRef2<f64>) -> Result<Array2<f64>, BadInput> {
        select(a, &self.train)
    }

    /// The test rows of a matrix.
    ///
    /// # Errors
    ///
    /// [`BadInput::OutOfRange`] if the matrix has too few rows.
    pub fn test_rows(&self, a: &ArrayRef2<f64>) -> Result<Array2<f64>, BadInput> {
        select(a, &self.test)
    }
}

fn select(a: &ArrayRef2<f64>, rows: &[usize]) -> Result<Array2<f64>, BadInput> {
    for &row in rows {
        check::index("row", row, a.nrows())?;
    }
    Ok(a.select(Axis(0), rows))
}

/// One fold of cross-validation: rows to fit on and rows to score, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// The repeat that the fold belongs to, from 0.
    pub repeat: usize,
    /// Rows that everything is fitted on.
    pub train: Vec<usize>,
    /// Rows that are scored.
    pub test: Vec<usize>,
}

/// Repeated stratified k-fold: in every repeat each row is held out once, and each stratum is spread evenly.
///
/// ```
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_stats::stratified_folds;
/// let folds = stratified_folds(&[0, 0, 1, 1], 2, 1, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
/// // One row of each stratum in every fold.
/// assert!(folds.iter().all(|fold| (fold.test[0] < 2) != (fold.test[1] < 2)));
/// # Ok::<(), spendscape_stats::BadInput>(())
/// ```
///
/// # Errors
/// [`BadInput::InvalidParameter`] for fewer than two folds or no repeat, [`BadInput::TooFew`] if a fold would be empty.
pub fn stratified_folds<R: Rng + ?Sized>(
    strata: &[usize],
    folds: usize,
    repeats: usize,
    rng: &mut R,
) -> Result<Vec<Fold>, BadInput> {
    check::parameter("the number of folds", folds as f64, folds >= 2, "[2, inf)")?;
    check::parameter("the repeats", repeats as f64, repeats >= 1, "[1, inf)")?;
    check::at_least("cross-validation", "rows", folds, strata.len())?;
    let mut all = Vec::with_capacity(folds * repeats);
    for repeat in 0..repeats {
        let mut order: Vec<usize> = (0..strata.len()).collect();
        order.shuffle(rng);
        // Stable: within a stratum the shuffled order stays, and the folds are dealt out without a break between strata.
        order.sort_by_key(|row| strata[*row]);
        let mut fold_of = vec![0; strata.len()];
        for (position, row) in order.iter().enumerate() {
            fold_of[*row] = position % folds;
        }
        for fold in 0..folds {
            let rows = |held: bool| (0..strata.len()).filter(|row| (fold_of[*row] == fold) == held).collect();
            all.push(Fold { repeat, train: rows(false), test: rows(true) });
        }
    }
    Ok(all)
}

/// Trains on the rows of the earliest days and tests on those of later ones. `share` of the rows train; those of
/// the day on the border all test, so that nothing trains on a day that is tested.
///
/// ```
/// use spendscape_stats::time_split;
///
/// let fold = time_split(&[30, 10, 20, 30], 0.5)?;
/// assert_eq!((fold.train, fold.test), (vec![1, 2], vec![0, 3]));
/// # Ok::<(), spendscape_stats::BadInput>(())
/// ```
///
/// # Errors
/// [`BadInput::InvalidParameter`] for a share that is not between 0 and 1, [`BadInput::TooFew`] if one side is empty.
pub fn time_split(days: &[i64], share: f64) -> Result<Fold, BadInput> {
    check::open_unit("the training share", share)?;
    let mut sorted = days.to_vec();
    sorted.sort_unstable();
    let border = sorted.get((days.len() as f64 * share) as usize).copied().unwrap_or(i64::MIN);
    let rows = |late: bool| (0..days.len()).filter(|row| (days[*row] >= border) == late).collect();
    let fold = Fold { repeat: 0, train: rows(false), test: rows(true) };
    check::at_least("a split by time", "rows to test on", 1, fold.test.len())?;
    check::at_least("a split by time", "rows before the first day that is tested", 1, fold.train.len())?;
    Ok(fold)
}

/// A uniform permutation of `0..n` (Fisher and Yates): the same for a generator in all versions, which `rand` does not promise
/// of its shuffles.
///
/// ```
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_stats::permutation;
///
/// let mut order = permutation(5, &mut Xoshiro256PlusPlus::seed_from_u64(1));
/// order.sort_unstable();
/// assert_eq!(order, [0, 1, 2, 3, 4]);
/// ```
pub fn permutation<R: Rng + ?Sized>(n: usize, rng: &mut R) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, rng.random_range(0..=i));
    }
    order
}
