//! Pearson's correlation.

use ndarray::{Array1, ArrayRef1};

use crate::{BadInput, check};

/// Pearson correlation of two samples (N each), in [-1, 1]; NaN if either does not vary, where it is not defined.
///
/// # Errors
/// [`BadInput::ShapeMismatch`], [`BadInput::NotFinite`].
///
/// ```
/// use ndarray::array;
/// use spendscape_stats::correlation;
/// assert_eq!(correlation(&array![1.0, 2.0, 3.0], &array![6.0, 4.0, 2.0])?, -1.0);
/// assert!(correlation(&array![1.0, 1.0], &array![6.0, 4.0])?.is_nan());
/// # Ok::<(), spendscape_stats::BadInput>(())
/// ```
pub fn correlation(a: &ArrayRef1<f64>, b: &ArrayRef1<f64>) -> Result<f64, BadInput> {
    check::length("b", a.len(), b.len())?;
    check::finite("a", a)?;
    check::finite("b", b)?;
    let centered = |v: &ArrayRef1<f64>| -> Array1<f64> {
        // A constant sample must be zero throughout, which the rounding of its mean may prevent.
        let varies = v.iter().any(|x| *x != v[0]);
        let mean = v.mean().unwrap_or(0.0);
        v.mapv(|x| if varies { x - mean } else { 0.0 })
    };
    let (a, b) = (centered(a), centered(b));
    let (aa, bb) = (a.dot(&a), b.dot(&b));
    // One root errs less than two, unless the product leaves the range of numbers.
    let scale = if (aa * bb).is_normal() { (aa * bb).sqrt() } else { aa.sqrt() * bb.sqrt() };
    Ok(if scale > 0.0 { (a.dot(&b) / scale).clamp(-1.0, 1.0) } else { f64::NAN })
}
