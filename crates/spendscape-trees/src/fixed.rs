//! Sums of gradients and Hessians as integers.
//!
//! Sums of integers do not depend on their order and a sibling's sums are exactly the parent's less the other child's, so
//! that equal splits of different features tie exactly and empty bins change nothing. A pair takes one vector addition,
//! like a pair of floating-point numbers.

/// A gradient sum, and a Hessian sum above a count of rows.
pub(crate) type Sum = [i64; 2];

/// Bits of the count of rows.
const COUNT_BITS: u32 = 24;

/// Rows that a count holds.
pub(crate) const MOST_ROWS: usize = (1 << COUNT_BITS) - 1;

/// Bits of a sum, which leave the sign and one to spare.
const SUM_BITS: u32 = 62;

/// Bits of one gradient that adding [`SHIFT`] rounds correctly.
const ROUNDED_BITS: u32 = 50;

/// 1.5 * 2^52: a number added to it is rounded to an integer, which then stands in the low bits of the sum.
pub(crate) const SHIFT: f64 = 6_755_399_441_055_744.0;

/// The rows in a sum.
pub(crate) fn count(sum: Sum) -> i64 {
    sum[1] & MOST_ROWS as i64
}

/// The Hessian in a sum, in units of 1 over [`Scale::hessian`].
pub(crate) fn hessian(sum: Sum) -> f64 {
    (sum[1] >> COUNT_BITS) as f64
}

/// The gradient in a sum, in units of 1 over [`Scale::gradient`].
pub(crate) fn gradient(sum: Sum) -> f64 {
    sum[0] as f64
}

pub(crate) fn plus(a: Sum, b: Sum) -> Sum {
    [a[0] + b[0], a[1] + b[1]]
}

pub(crate) fn minus(a: Sum, b: Sum) -> Sum {
    [a[0] - b[0], a[1] - b[1]]
}

/// Powers of two by which gradients and Hessians are multiplied before they are rounded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) gradient: f64,
    pub(crate) hessian: f64,
}

impl Scale {
    /// The finest scale at which sums over `rows` cannot overflow, for gradients and Hessians up to the given sizes: of
    /// 20,000 rows gradients keep 47 bits and Hessians 23, relative to the largest.
    pub(crate) fn new(rows: usize, largest_gradient: f64, largest_hessian: f64) -> Self {
        let row_bits = usize::BITS - rows.leading_zeros();
        let gradient_bits = (SUM_BITS - row_bits).min(ROUNDED_BITS);
        let hessian_bits = SUM_BITS - COUNT_BITS - row_bits;
        Self {
            gradient: power(gradient_bits, largest_gradient),
            hessian: power(hessian_bits, largest_hessian),
        }
    }

    /// The sum of a single row.
    pub(crate) fn sum(self, gradient: f64, hessian: f64) -> Sum {
        [round(gradient * self.gradient), (round(hessian * self.hessian) << COUNT_BITS) | 1]
    }
}

fn round(x: f64) -> i64 {
    ((x + SHIFT).to_bits() as i64).wrapping_sub(SHIFT.to_bits() as i64)
}

/// The largest power of two that takes `largest` below 2^bits, within the range of normal numbers.
fn power(bits: u32, largest: f64) -> f64 {
    const BIAS: i64 = 1023;
    let above = (largest.to_bits() >> 52) as i64 - BIAS + 1;
    let exponent = (i64::from(bits) - above).clamp(-BIAS + 1, BIAS);
    f64::from_bits(((exponent + BIAS) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_uses_its_bits_and_does_not_overflow() {
        for rows in [1, 2, 3, 1000, 20_800, MOST_ROWS] {
            for largest in [1e-250, 1e-20, 0.25, 1.0, 3.0, 1e150, 1e300] {
                let scale = Scale::new(rows, largest, largest);
                let one = scale.sum(-largest, largest);
                assert_eq!(count(one), 1);
                assert!(one[0].unsigned_abs() <= 1 << ROUNDED_BITS);
                let all = i128::from(one[1]) * rows as i128;
                assert!(
                    all < i128::from(i64::MAX) && i128::from(one[0]) * rows as i128 > i128::from(i64::MIN)
                );
                // At most two bits are given away.
                assert!(all > 1 << (SUM_BITS - 3), "{rows} {largest}");
                assert!((hessian(one) / scale.hessian - largest).abs() <= largest * 1e-4);
                assert!((gradient(one) / scale.gradient + largest).abs() <= largest * 1e-11);
            }
        }
    }

    #[test]
    fn small_whole_numbers_are_exact() {
        let scale = Scale::new(20_800, 100.0, 1.0);
        let sum = plus(scale.sum(-3.0, 1.0), scale.sum(5.5, 0.25));
        assert_eq!(gradient(sum) / scale.gradient, 2.5);
        assert_eq!(hessian(sum) / scale.hessian, 1.25);
        assert_eq!(count(minus(sum, scale.sum(1.0, 1.0))), 1);
    }
}
