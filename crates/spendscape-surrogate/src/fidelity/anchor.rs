//! The R2 of a linear model of direction angles when there is nothing to explain but geometry.
//!
//! Let the state be an isotropic centered Gaussian in three dimensions and the features be the state itself. The angles of
//! its direction are not linear in it: the best linear R2 is 3/(2 pi) for the longitude and (pi/8)/(pi^2/4 - 2) for the
//! latitude. A surrogate of angles is judged against the mean of the two, not against 1.

use std::f64::consts::PI;

use ndarray::{Array1, Array2};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use spendscape_stats::r2;

use crate::models::Ols;
use crate::{Error, check};

/// Best linear R2 of the longitude atan2(w2, w1): .4775.
pub const ANCHOR_LONGITUDE: f64 = 3.0 / (2.0 * PI);

/// Best linear R2 of the latitude asin(w3 / |w|): .8402.
pub const ANCHOR_LATITUDE: f64 = (PI / 8.0) / (PI * PI / 4.0 - 2.0);

/// Mean of the two: .6588.
pub const ANCHOR: f64 = 0.5 * (ANCHOR_LONGITUDE + ANCHOR_LATITUDE);

/// The same by simulation: R2 of longitude and latitude, fitted and judged on `draws` Gaussian states.
///
/// ```
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_surrogate::fidelity::{ANCHOR, simulate_anchor};
///
/// let r2 = simulate_anchor(20_000, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
/// assert!((r2.mean().unwrap() - ANCHOR).abs() < 0.02);
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
///
/// # Errors
///
/// `BadInput::TooFew` below five draws.
pub fn simulate_anchor<R: Rng + ?Sized>(draws: usize, rng: &mut R) -> Result<Array1<f64>, Error> {
    /// Four parameters and a residual.
    const NEEDED: usize = 5;
    check::rows("a simulated anchor", NEEDED, draws)?;
    let state: Array2<f64> = Array2::from_shape_simple_fn((draws, 3), || rng.sample(StandardNormal));
    let angles = Array2::from_shape_fn((draws, 2), |(n, k)| {
        let (w1, w2, w3) = (state[[n, 0]], state[[n, 1]], state[[n, 2]]);
        if k == 0 { w2.atan2(w1) } else { w3.atan2(w1.hypot(w2)) }
    });
    let model = Ols::params().fit(&state, &angles)?;
    Ok(r2(&angles, &model.predict(&state)?)?)
}
