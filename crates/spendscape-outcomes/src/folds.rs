//! Who trains and who tests.

use rand::{Rng, seq::SliceRandom};

use crate::{Error, check};

/// Customers to fit on and customers to score, as row numbers, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// The repeat that the fold belongs to, from 0.
    pub repeat: usize,
    /// Rows that everything is fitted on.
    pub train: Vec<usize>,
    /// Rows that are scored.
    pub test: Vec<usize>,
}

/// Repeated stratified k-fold: in every repeat each customer is held out once, and each stratum is spread evenly.
///
/// # Errors
/// [`Error::InvalidParameter`] for fewer than two folds or no repeat, [`Error::TooFew`] if a fold would be empty.
pub fn stratified_folds<R: Rng>(
    strata: &[usize],
    folds: usize,
    repeats: usize,
    rng: &mut R,
) -> Result<Vec<Fold>, Error> {
    if folds < 2 {
        let (parameter, value, range) = ("the number of folds", folds as f64, "2 or more");
        return Err(Error::InvalidParameter { parameter, value, range });
    }
    if repeats == 0 {
        return Err(Error::InvalidParameter { parameter: "the repeats", value: 0.0, range: "1 or more" });
    }
    if strata.len() < folds {
        return Err(Error::TooFew { what: "cross-validation", needed: folds, found: strata.len() });
    }
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

/// Trains on the customers of the earliest days and tests on those of later ones. `share` of the customers train; those of
/// the day on the border all test, so that nobody trains on a day that is tested.
///
/// # Errors
/// [`Error::InvalidParameter`] for a share that is not between 0 and 1, [`Error::TooFew`] if one side is empty.
pub fn time_split(days: &[i64], share: f64) -> Result<Fold, Error> {
    if !(share > 0.0 && share < 1.0) {
        return Err(Error::InvalidParameter {
            parameter: "the training share",
            value: share,
            range: "(0, 1)",
        });
    }
    let mut sorted = days.to_vec();
    sorted.sort_unstable();
    let border = sorted.get((days.len() as f64 * share) as usize).copied().unwrap_or(i64::MIN);
    let rows = |late: bool| (0..days.len()).filter(|row| (days[*row] >= border) == late).collect();
    let fold = Fold { repeat: 0, train: rows(false), test: rows(true) };
    if fold.train.is_empty() || fold.test.is_empty() {
        return Err(Error::TooFew { what: "a split by time (days that differ)", needed: 2, found: 1 });
    }
    Ok(fold)
}

/// Checks that folds belong to `customers` customers and never test whom they train on.
pub(crate) fn check_folds(folds: &[Fold], customers: usize) -> Result<(), Error> {
    for fold in folds {
        let mut role = vec![0_u8; customers];
        for row in fold.train.iter().chain(&fold.test) {
            let slot = role.get_mut(*row).ok_or(Error::ShapeMismatch {
                argument: "the customers of a fold",
                expected: customers,
                found: *row + 1,
            })?;
            *slot += 1;
        }
        let twice = role.iter().filter(|count| **count > 1).count();
        check::length("customers who stand twice in a fold", 0, twice)?;
    }
    Ok(())
}
