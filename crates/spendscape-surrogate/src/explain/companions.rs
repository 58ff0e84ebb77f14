//! Classes that go with listed ones: what tells something that must not decide may be told by its companions too.

use ndarray::ArrayRef2;
use spendscape_stats::correlation;

use crate::{Error, check};

/// The listed class that each class goes with most closely over customers (`shares`, N x C), with the correlation, where that is
/// at least `at_least` in size; among equal ones the first listed. `None` for the listed classes themselves.
///
/// # Errors
///
/// `BadInput::OutOfRange` for a listed class that does not exist, `BadInput::NotFinite`.
///
/// ```
/// # fn main() -> Result<(), spendscape_surrogate::Error> {
/// use ndarray::array;
/// let shares = array![[0.1, 0.2, 0.7], [0.2, 0.3, 0.5], [0.3, 0.5, 0.2]];
/// let found = spendscape_surrogate::explain::companions(&shares, &[0], 0.9)?;
/// assert_eq!(found[0], None);
/// assert!(found[1].is_some_and(|(class, r)| class == 0 && r > 0.98));
/// # Ok(())
/// # }
/// ```
pub fn companions(
    shares: &ArrayRef2<f64>,
    listed: &[usize],
    at_least: f64,
) -> Result<Vec<Option<(usize, f64)>>, Error> {
    let length = shares.ncols();
    for &class in listed {
        check::index("class", class, length)?;
    }
    let mut found = vec![None; length];
    for (class, closest) in found.iter_mut().enumerate().filter(|(class, _)| !listed.contains(class)) {
        let own = shares.column(class).to_owned();
        for &other in listed {
            let r = correlation(&own, &shares.column(other).to_owned())?;
            if r.abs() >= at_least && closest.is_none_or(|(_, best): (usize, f64)| r.abs() > best.abs()) {
                *closest = Some((other, r));
            }
        }
    }
    Ok(found)
}
