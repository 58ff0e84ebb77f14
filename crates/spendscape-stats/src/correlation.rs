//! Pearson's correlation.

use ndarray::{Array1, ArrayRef1};

use crate::{BadInput, check};

/// Pearson correlation of two samples (N each), in [-1, 1]; NaN if either does not vary, where it is not defined. The unit of a
/// sample does not matter, from the smallest numbers to the largest.
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
        if v.iter().all(|x| *x == v[0]) {
            return Array1::zeros(v.len());
        }
        // In units of a power of two near the largest entry, which changes no digit: squares neither overflow nor vanish.
        let unit = libm::ilogb(v.fold(0.0_f64, |largest, x| largest.max(x.abs())));
        let scaled = v.mapv(|x| libm::scalbn(x, -unit));
        let mean = scaled.mean().unwrap_or(0.0);
        scaled - mean
    };
    let (a, b) = (centered(a), centered(b));
    let (aa, bb) = (a.dot(&a), b.dot(&b));
    let scale = (aa * bb).sqrt();
    Ok(if scale > 0.0 { (a.dot(&b) / scale).clamp(-1.0, 1.0) } else { f64::NAN })
}
