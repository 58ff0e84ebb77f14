//! How fidelity grows with the number of training customers.

use ndarray::{ArrayRef2, Axis};
use rand::Rng;
use spendscape_stats::{Split, mean_r2, permutation};

use crate::models::Ols;
use crate::{Error, check};

/// One point of a learning curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Training customers used.
    pub customers: usize,
    /// Mean R2 on them.
    pub train_r2: f64,
    /// Mean R2 on the test customers.
    pub test_r2: f64,
}

/// Fits least squares to growing, nested subsets of the training customers and judges each on all test customers.
///
/// ```
/// use ndarray::Array2;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_stats::Split;
/// use spendscape_surrogate::{fidelity::learning_curve, models::Ols};
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let x = Array2::from_shape_fn((60, 1), |(n, _)| n as f64);
/// let y = x.mapv(|x| 2.0 * x + (x * 5.0).sin());
/// let (train, test) = (0..60).partition(|row| row % 2 == 0);
/// let split = Split { train, test };
/// let curve = learning_curve(Ols::params(), &x, &y, &split, &[5, 30], &mut rng)?;
/// assert_eq!((curve[0].customers, curve[1].customers), (5, 30));
/// assert!(curve[1].test_r2 > 0.99);
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
///
/// # Errors
///
/// `BadInput::TooFew` if a size exceeds the training customers or is below two; else those of [`Ols::fit`] and
/// [`Split::train_rows`].
pub fn learning_curve<R: Rng + ?Sized>(
    ols: Ols,
    x: &ArrayRef2<f64>,
    y: &ArrayRef2<f64>,
    split: &Split,
    sizes: &[usize],
    rng: &mut R,
) -> Result<Vec<CurvePoint>, Error> {
    let (x_train, y_train) = (split.train_rows(x)?, split.train_rows(y)?);
    let (x_test, y_test) = (split.test_rows(x)?, split.test_rows(y)?);
    let order = permutation(x_train.nrows(), rng);
    let mut curve = Vec::with_capacity(sizes.len());
    for &customers in sizes {
        check::rows("a point of the learning curve", customers, x_train.nrows())?;
        let (x_part, y_part) =
            (x_train.select(Axis(0), &order[..customers]), y_train.select(Axis(0), &order[..customers]));
        let model = ols.fit(&x_part, &y_part)?;
        let train_r2 = mean_r2(&y_part, &model.predict(&x_part)?)?;
        curve.push(CurvePoint { customers, train_r2, test_r2: mean_r2(&y_test, &model.predict(&x_test)?)? });
    }
    Ok(curve)
}
