//! Whether explanations hang on whom the surrogate was fitted to: the strongest drivers of two fits, compared.

use ndarray::ArrayRef2;

use crate::explain::SegmentExplainer;
use crate::{Error, check};

/// How far two surrogates name the same drivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DriverAgreement {
    /// Customers compared: those with spending.
    pub compared: usize,
    /// Of them, those whose strongest driver is the same.
    pub same_first: usize,
    /// Drivers among the strongest of both, over all customers.
    pub shared: usize,
}

/// Compares the `top` strongest drivers of each customer (`shares`, n x C): of the lead of the first segment over the second
/// that stand in `leads`, by two surrogates. A customer without spending has nothing to rank and is not compared.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_surrogate::{
///     explain::{SegmentExplainer, driver_agreement},
///     models::Ols,
/// };
///
/// let shares = array![[0.2, 0.5, 0.3], [0.4, 0.1, 0.5], [0.7, 0.2, 0.1], [0.1, 0.3, 0.6]];
/// let model = Ols::params().fit(&shares, &shares)?;
/// let explainer = SegmentExplainer::new(&model, &Array2::eye(3), &array![0.0, 0.0, 0.0])?;
/// // A surrogate agrees with itself about every customer.
/// let found = driver_agreement([&explainer, &explainer], &shares, &[(0, 1); 4], 2)?;
/// assert_eq!((found.compared, found.same_first, found.shared), (4, 4, 8));
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
///
/// # Errors
///
/// [`BadInput::ShapeMismatch`](spendscape_stats::BadInput::ShapeMismatch) for another number of `leads`,
/// [`BadInput::OutOfRange`](spendscape_stats::BadInput::OutOfRange) for a segment that does not exist, and those of
/// [`Score::explain`](crate::explain::Score::explain).
pub fn driver_agreement(
    surrogates: [&SegmentExplainer<'_>; 2],
    shares: &ArrayRef2<f64>,
    leads: &[(usize, usize)],
    top: usize,
) -> Result<DriverAgreement, Error> {
    check::length("leads", shares.nrows(), leads.len())?;
    let mut found = DriverAgreement::default();
    for (shares, &(segment, over)) in shares.rows().into_iter().zip(leads) {
        if shares.sum() == 0.0 {
            continue;
        }
        let ranking = |surrogate: &SegmentExplainer<'_>| -> Result<Vec<usize>, Error> {
            Ok(surrogate.lead(segment, over)?.explain(&shares)?.ranking())
        };
        let (a, b) = (ranking(surrogates[0])?, ranking(surrogates[1])?);
        found.compared += 1;
        found.same_first += usize::from(a.first() == b.first());
        found.shared += a.iter().take(top).filter(|class| b[..top.min(b.len())].contains(class)).count();
    }
    Ok(found)
}
