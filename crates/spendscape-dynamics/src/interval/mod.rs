//! Outward-rounded interval arithmetic.
//!
//! An [`Interval`] holds every real number between its ends. Each operation widens its floating-point result by one
//! unit of relative rounding and a tiny absolute amount, so that the exact result is always inside. The arithmetic is
//! proved by that bound; the elementary functions (module `elementary`) rest on a measured margin.

mod elementary;

pub(crate) use elementary::{
    SigmoidGate, TanhGate, atanh, exp_pair, exp_parts, gates, narrow_gates, tangents, tanh,
};

use std::ops::{Add, Div, Mul, Neg, Sub};

/// Relative widening of one rounded operation: one binary64 operation errs by at most `2^-53` of its result, and the
/// widening itself is rounded, so twice that is safe.
pub(crate) const ROUND: f64 = f64::EPSILON;
/// Absolute widening of one rounded operation: covers results that underflow, where no relative bound holds.
pub(crate) const TINY: f64 = 1e-300;

/// A closed interval `[lo, hi]` of real numbers; an end may be infinite, never NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub lo: f64,
    /// The upper end.
    pub hi: f64,
}

/// The next lower bound of a rounded result; NaN (an overflowed difference) becomes minus infinity.
#[inline(always)]
pub(crate) fn down(x: f64) -> f64 {
    let y = x - (x.abs() * ROUND + TINY);
    if y >= f64::MIN { y } else { f64::NEG_INFINITY }
}

/// The next upper bound of a rounded result; NaN becomes plus infinity.
#[inline(always)]
pub(crate) fn up(x: f64) -> f64 {
    let y = x + (x.abs() * ROUND + TINY);
    if y <= f64::MAX { y } else { f64::INFINITY }
}

/// The smaller of two numbers that are not NaN; `f64::min` spends instructions on NaN that this code has excluded.
#[inline(always)]
pub(crate) fn least(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// The larger of two numbers that are not NaN.
#[inline(always)]
pub(crate) fn most(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

impl Interval {
    /// All real numbers.
    pub const ENTIRE: Self = Self { lo: f64::NEG_INFINITY, hi: f64::INFINITY };
    /// The number zero.
    pub const ZERO: Self = Self { lo: 0.0, hi: 0.0 };

    /// The interval between two ends given in either order; NaN gives all real numbers.
    #[must_use]
    pub fn new(a: f64, b: f64) -> Self {
        if a.is_nan() || b.is_nan() {
            return Self::ENTIRE;
        }
        Self { lo: least(a, b), hi: most(a, b) }
    }

    /// The interval holding exactly one number.
    #[inline(always)]
    #[must_use]
    pub fn point(x: f64) -> Self {
        Self { lo: x, hi: x }
    }

    /// All numbers within `radius` of `mid`, rounded outwards.
    #[inline(always)]
    #[must_use]
    pub fn around(mid: f64, radius: f64) -> Self {
        Self { lo: down(mid - radius), hi: up(mid + radius) }
    }

    /// A number near the middle, inside the interval when the ends are finite.
    #[inline(always)]
    #[must_use]
    pub fn mid(self) -> f64 {
        0.5 * (self.lo + self.hi)
    }

    /// An upper bound of the distance from [`Interval::mid`] to either end.
    #[inline(always)]
    #[must_use]
    pub fn rad(self) -> f64 {
        let m = self.mid();
        up(most(self.hi - m, m - self.lo))
    }

    /// The width, rounded to nearest.
    #[inline(always)]
    #[must_use]
    pub fn width(self) -> f64 {
        self.hi - self.lo
    }

    /// The largest absolute value inside.
    #[inline(always)]
    #[must_use]
    pub fn mag(self) -> f64 {
        most(self.lo.abs(), self.hi.abs())
    }

    /// Whether `x` lies inside.
    #[inline(always)]
    #[must_use]
    pub fn contains(self, x: f64) -> bool {
        self.lo <= x && x <= self.hi
    }

    /// Whether every number of `self` lies in `other`.
    #[inline(always)]
    #[must_use]
    pub fn inside(self, other: Self) -> bool {
        other.lo <= self.lo && self.hi <= other.hi
    }

    /// Whether every number of `self` lies strictly between the ends of `other`.
    #[inline(always)]
    #[must_use]
    pub fn strictly_inside(self, other: Self) -> bool {
        other.lo < self.lo && self.hi < other.hi
    }

    /// The common part, or `None` when there is none.
    #[inline(always)]
    #[must_use]
    pub fn intersect(self, other: Self) -> Option<Self> {
        let lo = most(self.lo, other.lo);
        let hi = least(self.hi, other.hi);
        (lo <= hi).then_some(Self { lo, hi })
    }

    /// The smallest interval holding both.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self { lo: least(self.lo, other.lo), hi: most(self.hi, other.hi) }
    }

    /// Whether both ends are finite.
    #[inline(always)]
    #[must_use]
    pub fn is_finite(self) -> bool {
        self.lo.is_finite() && self.hi.is_finite()
    }

    /// The product with an exactly known number.
    #[inline(always)]
    #[must_use]
    pub fn scale(self, w: f64) -> Self {
        self * Self::point(w)
    }
}

impl Add for Interval {
    type Output = Self;
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self { lo: down(self.lo + b.lo), hi: up(self.hi + b.hi) }
    }
}

impl Sub for Interval {
    type Output = Self;
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Self { lo: down(self.lo - b.hi), hi: up(self.hi - b.lo) }
    }
}

impl Neg for Interval {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self { lo: -self.hi, hi: -self.lo }
    }
}

impl Mul for Interval {
    type Output = Self;
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        let (p, q, r, s) = (self.lo * b.lo, self.lo * b.hi, self.hi * b.lo, self.hi * b.hi);
        if (p + q + r + s).is_nan() {
            // Zero times infinity, or infinities of both signs: nothing is known.
            return Self::ENTIRE;
        }
        Self { lo: down(least(least(p, q), least(r, s))), hi: up(most(most(p, q), most(r, s))) }
    }
}

impl Div for Interval {
    type Output = Self;
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        if b.lo > 0.0 || b.hi < 0.0 {
            let (p, q, r, s) = (self.lo / b.lo, self.lo / b.hi, self.hi / b.lo, self.hi / b.hi);
            if (p + q + r + s).is_nan() {
                return Self::ENTIRE;
            }
            return Self { lo: down(least(least(p, q), least(r, s))), hi: up(most(most(p, q), most(r, s))) };
        }
        if b.lo >= 0.0 && b.hi > 0.0 {
            // A divisor that reaches down to zero: one side of the quotient may still be bounded.
            if self.lo >= 0.0 {
                return Self { lo: down(self.lo / b.hi), hi: f64::INFINITY };
            }
            if self.hi <= 0.0 {
                return Self { lo: f64::NEG_INFINITY, hi: up(self.hi / b.hi) };
            }
        }
        Self::ENTIRE
    }
}

#[cfg(test)]
mod tests {
    use super::Interval;

    #[test]
    fn zero_times_infinity_is_entire_not_nan() {
        let unbounded = Interval { lo: 0.0, hi: f64::INFINITY };
        assert_eq!(Interval::ZERO * unbounded, Interval::ENTIRE);
    }

    #[test]
    fn a_divisor_touching_zero_keeps_the_bounded_side() {
        let q = Interval::new(1.0, 2.0) / Interval::new(0.0, 4.0);
        assert!(q.lo <= 0.25 && q.lo > 0.249_999 && q.hi == f64::INFINITY);
        assert_eq!(Interval::new(1.0, 2.0) / Interval::new(-1.0, 4.0), Interval::ENTIRE);
    }
}
