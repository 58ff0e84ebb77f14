//! Outward-rounded interval arithmetic.
//!
//! An [`Interval`] holds every real number between its ends. Each operation widens its floating-point result by one
//! unit of relative rounding and a tiny absolute amount, so that the exact result is always inside. The arithmetic is
//! proved by that bound; the elementary functions (module `elementary`) rest on a measured margin.

mod elementary;
mod number;

pub use number::Number;

#[cfg(target_arch = "x86_64")]
pub(crate) use number::Four;

pub(crate) use elementary::{
    SigmoidGate, TanhGate, atanh, exp_pair, exp_parts, gates, narrow_gates, tangents, tanh,
};

use std::ops::{Add, Div, Mul, Neg, Sub};

/// Relative widening of one rounded operation: one binary64 operation errs by at most `2^-53` of its result, and the
/// widening itself is rounded, so twice that is safe.
pub(crate) const ROUND: f64 = f64::EPSILON;
/// Absolute widening of one rounded operation: covers results that underflow, where no relative bound holds.
pub(crate) const TINY: f64 = 1e-300;

/// A closed interval `[lo, hi]` of real numbers; an end may be infinite, never NaN. With a vector of numbers for `T`, several
/// intervals side by side.
///
/// ```
/// use spendscape_dynamics::interval::Interval;
///
/// let third = Interval::new(1.0, 1.0) / Interval::new(3.0, 3.0);
/// // One third is no number of f64, and lies between two of them.
/// assert!(third.lo < third.hi && third.width() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval<T = f64> {
    /// The lower end.
    pub lo: T,
    /// The upper end.
    pub hi: T,
}

/// The next lower bound of a rounded result; NaN (an overflowed difference) becomes minus infinity.
#[inline(always)]
pub(crate) fn down<T: Number>(x: T) -> T {
    let y = x - (x.abs() * x.like(ROUND) + x.like(TINY));
    y.most(y.like(f64::NEG_INFINITY))
}

/// The next upper bound of a rounded result; NaN becomes plus infinity.
#[inline(always)]
pub(crate) fn up<T: Number>(x: T) -> T {
    let y = x + (x.abs() * x.like(ROUND) + x.like(TINY));
    y.least(y.like(f64::INFINITY))
}

/// The smaller of two numbers that are not NaN; `f64::min` spends instructions on NaN that this code has excluded.
#[inline(always)]
pub(crate) fn least<T: Number>(a: T, b: T) -> T {
    a.least(b)
}

/// The larger of two numbers that are not NaN.
#[inline(always)]
pub(crate) fn most<T: Number>(a: T, b: T) -> T {
    a.most(b)
}

/// Lexicographic order of boxes by their lower ends.
pub(crate) fn by_lower_ends(a: &[Interval], b: &[Interval]) -> std::cmp::Ordering {
    let sides = a.iter().zip(b).map(|(a, b)| a.lo.total_cmp(&b.lo));
    sides.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
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
}

impl<T: Number> Interval<T> {
    /// All real numbers, in every place.
    #[inline(always)]
    fn entire_like(x: T) -> Self {
        Self { lo: x.like(f64::NEG_INFINITY), hi: x.like(f64::INFINITY) }
    }

    /// The interval holding exactly one number.
    #[inline(always)]
    #[must_use]
    pub fn point(x: T) -> Self {
        Self { lo: x, hi: x }
    }

    /// All numbers within `radius` of `mid`, rounded outwards.
    #[inline(always)]
    #[must_use]
    pub fn around(mid: T, radius: T) -> Self {
        Self { lo: down(mid - radius), hi: up(mid + radius) }
    }

    /// A number near the middle, inside the interval when the ends are finite.
    #[inline(always)]
    #[must_use]
    pub fn mid(self) -> T {
        self.lo.like(0.5) * (self.lo + self.hi)
    }

    /// An upper bound of the distance from [`Interval::mid`] to either end.
    #[inline(always)]
    #[must_use]
    pub fn rad(self) -> T {
        let m = self.mid();
        up(most(self.hi - m, m - self.lo))
    }

    /// The width, rounded to nearest.
    #[inline(always)]
    #[must_use]
    pub fn width(self) -> T {
        self.hi - self.lo
    }

    /// The largest absolute value inside.
    #[inline(always)]
    #[must_use]
    pub fn mag(self) -> T {
        most(self.lo.abs(), self.hi.abs())
    }

    /// The product with an exactly known number.
    #[inline(always)]
    #[must_use]
    pub fn scale(self, w: T) -> Self {
        self * Self::point(w)
    }

    /// `yes` where the mask is set and `no` elsewhere.
    #[inline(always)]
    pub(crate) fn pick(mask: T::Mask, yes: Self, no: Self) -> Self {
        Self { lo: T::pick(mask, yes.lo, no.lo), hi: T::pick(mask, yes.hi, no.hi) }
    }

    /// The common part, and where there is one.
    #[inline(always)]
    pub(crate) fn meet(self, other: Self) -> (Self, T::Mask) {
        let common = Self { lo: most(self.lo, other.lo), hi: least(self.hi, other.hi) };
        (common, common.lo.at_most(common.hi))
    }
}

impl<T: Number> Add for Interval<T> {
    type Output = Self;
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self { lo: down(self.lo + b.lo), hi: up(self.hi + b.hi) }
    }
}

impl<T: Number> Sub for Interval<T> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Self { lo: down(self.lo - b.hi), hi: up(self.hi - b.lo) }
    }
}

impl<T: Number> Neg for Interval<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self { lo: -self.hi, hi: -self.lo }
    }
}

impl<T: Number> Mul for Interval<T> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        let (p, q, r, s) = (self.lo * b.lo, self.lo * b.hi, self.hi * b.lo, self.hi * b.hi);
        let product =
            Self { lo: down(least(least(p, q), least(r, s))), hi: up(most(most(p, q), most(r, s))) };
        // Zero times infinity, or infinities of both signs: nothing is known.
        Self::pick((p + q + r + s).not_a_number(), Self::entire_like(p), product)
    }
}

impl<T: Number> Div for Interval<T> {
    type Output = Self;
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        let zero = b.lo.like(0.0);
        let (positive, negative) = (zero.below(b.lo), b.hi.below(zero));
        let apart = T::either(positive, negative);
        // Both numerators; each is divided by the end of the divisor that makes the quotient the least or the greatest.
        let least_of = T::pick(negative, self.hi, self.lo);
        let most_of = T::pick(negative, self.lo, self.hi);
        let lo = down(least_of / T::pick(zero.at_most(least_of), b.hi, b.lo));
        let hi = up(most_of / T::pick(zero.below(most_of), b.lo, b.hi));
        // Of a divisor that reaches down to zero, one side of the quotient may still be bounded.
        let touching = T::both(zero.at_most(b.lo), zero.below(b.hi));
        let above = T::both(touching, zero.at_most(self.lo));
        let below = T::both(T::both(touching, T::not(above)), self.hi.at_most(zero));
        let entire = Self::entire_like(zero);
        let quotient = Self {
            lo: T::pick(T::either(apart, above), lo, entire.lo),
            hi: T::pick(T::either(apart, below), hi, entire.hi),
        };
        // Infinity by infinity: nothing is known.
        let unbounded = |v: Self| entire.hi.at_most(most(v.lo.abs(), v.hi.abs()));
        let unknown = T::both(apart, T::both(unbounded(self), unbounded(b)));
        Self::pick(unknown, entire, quotient)
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

    #[test]
    fn the_ends_of_a_quotient_are_the_least_and_the_greatest_of_the_ends() {
        let ends = [f64::NEG_INFINITY, -1e300, -3.0, -1e-300, 0.0, 1e-300, 0.7, 2.0, 1e300, f64::INFINITY];
        let intervals = || {
            ends.iter()
                .flat_map(|&lo| ends.iter().map(move |&hi| Interval { lo, hi }))
                .filter(|v| v.lo <= v.hi)
        };
        for (a, b) in intervals().flat_map(|a| intervals().map(move |b| (a, b))) {
            if b.lo <= 0.0 && b.hi >= 0.0 {
                continue;
            }
            let of = [a.lo / b.lo, a.lo / b.hi, a.hi / b.lo, a.hi / b.hi];
            let expected = if of.iter().sum::<f64>().is_nan() {
                Interval::ENTIRE
            } else {
                Interval {
                    lo: super::down(of.into_iter().fold(f64::INFINITY, f64::min)),
                    hi: super::up(of.into_iter().fold(f64::NEG_INFINITY, f64::max)),
                }
            };
            assert_eq!(a / b, expected, "{a:?} / {b:?}");
        }
    }
}
