//! Checks and scaling of every matrix before a backend sees it: shape, finiteness, scale.
//!
//! Neither backend can be trusted with every input (a LAPACK wrapper crashes on a 0 x 3 matrix and accepts NaN; faer
//! returns wrong numbers without an error at 1e300), so the backends are only ever given finite, non-empty matrices in
//! standard layout whose largest entry lies in [1/2, 1). The factor is a power of two: it costs no accuracy and makes
//! every result exactly equivariant under scaling by powers of two.

use ndarray::{Array2, ArrayRef1, ArrayRef2};

use crate::Error;

/// A matrix divided by `2^exponent`, so that its largest entry lies in [1/2, 1) (or all are zero).
#[derive(Debug, Clone)]
pub(crate) struct Scaled {
    /// The scaled copy, in standard layout.
    pub(crate) matrix: Array2<f64>,
    /// The binary exponent taken out.
    pub(crate) exponent: i32,
}

impl Scaled {
    /// Checks finiteness and takes the scale out.
    ///
    /// Entries smaller than the largest by more than the range of f64 become subnormal or zero here: they cannot
    /// influence a result to working precision except through a graded structure, which [`crate::balance`] restores.
    pub(crate) fn new(argument: &'static str, a: &ArrayRef2<f64>) -> Result<Self, Error> {
        let largest = largest_finite(argument, a)?;
        let exponent = exponent_of(largest);
        let mut matrix = standard(a);
        if exponent != 0 {
            matrix.mapv_inplace(|x| times_power_of_two(x, -exponent));
        }
        Ok(Self { matrix, exponent })
    }

    /// The same for a matrix that has to be square.
    pub(crate) fn square(argument: &'static str, a: &ArrayRef2<f64>) -> Result<Self, Error> {
        if a.nrows() != a.ncols() {
            return Err(Error::NotSquare { rows: a.nrows(), columns: a.ncols() });
        }
        Self::new(argument, a)
    }

    /// The same for a matrix that has to be symmetric up to rounding; the two triangles are averaged.
    pub(crate) fn symmetric(argument: &'static str, a: &ArrayRef2<f64>) -> Result<Self, Error> {
        let mut scaled = Self::square(argument, a)?;
        let n = scaled.matrix.nrows();
        let mut worst = (0, 0, 0.0_f64);
        for i in 0..n {
            for j in 0..i {
                let (lower, upper) = (scaled.matrix[[i, j]], scaled.matrix[[j, i]]);
                let difference = (lower - upper).abs();
                if difference > worst.2 {
                    worst = (i, j, difference);
                }
                let mean = 0.5 * lower + 0.5 * upper;
                scaled.matrix[[i, j]] = mean;
                scaled.matrix[[j, i]] = mean;
            }
        }
        if worst.2 > SYMMETRY_TOLERANCE {
            let difference = times_power_of_two(worst.2, scaled.exponent);
            return Err(Error::NotSymmetric { row: worst.0, column: worst.1, difference });
        }
        Ok(scaled)
    }
}

/// Largest difference between mirrored entries, relative to the largest entry, that counts as rounding.
///
/// A product such as `a.t().dot(&a)` differs between its triangles by a few units in the last place times the inner
/// dimension; anything above this is a matrix the caller did not mean to be symmetric.
const SYMMETRY_TOLERANCE: f64 = 1e-8;

/// A copy in standard layout with canonical strides.
///
/// `to_owned` and `as_standard_layout` may keep odd strides along axes of length one, which a LAPACK wrapper takes for
/// leading dimensions.
pub(crate) fn standard(a: &ArrayRef2<f64>) -> Array2<f64> {
    let mut entries = a.iter().copied();
    Array2::from_shape_simple_fn(a.dim(), || entries.next().unwrap_or(0.0))
}

/// The sign bit.
const SIGN: u64 = 1 << 63;

/// Largest absolute entry, or the first entry that is not finite as an error.
pub(crate) fn largest_finite(argument: &'static str, a: &ArrayRef2<f64>) -> Result<f64, Error> {
    // Without the sign, bit patterns of floats are ordered like their magnitudes, with infinity and NaN on top: an
    // integer maximum finds both the largest entry and whether all are finite, and the compiler vectorizes it.
    let magnitude = |x: &f64| x.to_bits() & !SIGN;
    let top = match a.as_slice_memory_order() {
        Some(entries) => entries.iter().map(magnitude).fold(0, u64::max),
        None => a.iter().map(magnitude).fold(0, u64::max),
    };
    let largest = f64::from_bits(top);
    if largest.is_finite() {
        return Ok(largest);
    }
    match a.indexed_iter().find(|(_, x)| !x.is_finite()) {
        Some(((row, column), &value)) => Err(Error::NotFinite { argument, row, column, value }),
        None => Ok(largest),
    }
}

/// The same for a vector, whose index is reported as the row.
pub(crate) fn largest_finite_vector(argument: &'static str, v: &ArrayRef1<f64>) -> Result<f64, Error> {
    match v.indexed_iter().find(|(_, x)| !x.is_finite()) {
        Some((row, &value)) => Err(Error::NotFinite { argument, row, column: 0, value }),
        None => Ok(v.iter().fold(0.0, |m, x| m.max(x.abs()))),
    }
}

/// Refuses a relative cut-off outside `[0, 1)`.
pub(crate) fn check_cutoff(rcond: f64) -> Result<f64, Error> {
    if (0.0..1.0).contains(&rcond) { Ok(rcond) } else { Err(Error::InvalidCutoff { value: rcond }) }
}

/// Turns a result that left the range of f64 into an error.
pub(crate) fn finite<'a>(
    operation: &'static str,
    values: impl IntoIterator<Item = &'a f64>,
) -> Result<(), Error> {
    if values.into_iter().all(|x| x.is_finite()) { Ok(()) } else { Err(Error::Overflow { operation }) }
}

/// The exponent `e` with `|x| = m * 2^e`, `m` in [1/2, 1); 0 for zero.
pub(crate) fn exponent_of(x: f64) -> i32 {
    /// Explicit bits of the significand.
    const SIGNIFICAND_BITS: i32 = 52;
    /// Bias of the stored exponent, less one because the significand is taken in [1/2, 1).
    const BIAS: i32 = 1022;
    let stored = ((x.to_bits() >> SIGNIFICAND_BITS) & 0x7ff) as i32;
    if x == 0.0 {
        0
    } else if stored == 0 {
        // A subnormal number becomes normal after this factor.
        exponent_of(x * 2.0_f64.powi(SIGNIFICAND_BITS)) - SIGNIFICAND_BITS
    } else {
        stored - BIAS
    }
}

/// `x * 2^k` for any `k`, with overflow to infinity and underflow to zero.
pub(crate) fn times_power_of_two(x: f64, k: i32) -> f64 {
    /// Largest step whose factor and its inverse are both normal numbers.
    const STEP: i32 = 1000;
    let mut value = x;
    let mut left = k;
    while left.abs() > STEP && value != 0.0 && value.is_finite() {
        let step = left.signum() * STEP;
        value *= power_of_two(step);
        left -= step;
    }
    if left.abs() > STEP { value } else { value * power_of_two(left) }
}

/// `2^k` for a normal result.
fn power_of_two(k: i32) -> f64 {
    f64::from_bits(((k + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_of_powers_of_two_and_their_neighbors() {
        for k in [-1074, -1073, -1022, -1021, -1, 0, 1, 52, 1023] {
            let x = times_power_of_two(1.0, k);
            assert!(x > 0.0, "2^{k}");
            assert_eq!(exponent_of(x), k + 1, "2^{k}");
            assert_eq!(times_power_of_two(x, -k), 1.0, "2^{k}");
        }
        assert_eq!(exponent_of(-0.75), 0);
        assert_eq!(exponent_of(0.0), 0);
    }

    #[test]
    fn scaling_saturates_instead_of_wrapping() {
        assert_eq!(times_power_of_two(1.0, 5000), f64::INFINITY);
        assert_eq!(times_power_of_two(-1.0, i32::MIN / 2), 0.0);
        assert_eq!(times_power_of_two(0.0, i32::MAX), 0.0);
    }
}
