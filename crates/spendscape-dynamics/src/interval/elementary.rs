//! Enclosures of the gate functions and of their slopes.
//!
//! All gates come from one exponential, [`exp_parts`], written without branches so that both ends of an interval share
//! one vector. Its ends are widened by [`MARGIN`]: the largest error of the composite functions measured against
//! 300-bit references is below three units of `2^-52`, so the margin of eight is measured, not proved.

use super::{Interval, Number, TINY, least, most};

/// Relative widening of one evaluated elementary function: more than twice the largest error ever measured.
const MARGIN: f64 = 8.0 * f64::EPSILON;
/// An upper bound of the maximum of `x sech^2 x`, which is 0.447743.
const PSI_MAX: f64 = 0.447_75;
/// An interval known to hold the place of that maximum (0.7717).
const PSI_ARG: (f64, f64) = (0.771_7 - 1e-4, 0.771_7 + 1e-4);
/// Beyond this, `x sech^2 x` is below the absolute widening.
const PSI_ZERO: f64 = 360.0;
/// Larger arguments give the same tiny exponential, which the absolute widening [`TINY`] turns into a bound.
const ARGUMENT_MAX: f64 = 708.0;
/// Adding and subtracting this rounds to the nearest integer and leaves that integer in the low bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// The leading 32 bits of ln 2, so that products with exponents are exact; the rest follows.
const LN2_HIGH: f64 = f64::from_bits(0x3FE6_2E42_FEE0_0000);
/// ln 2 minus [`LN2_HIGH`].
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

#[inline(always)]
fn low<T: Number>(x: T) -> T {
    x - (x.abs() * x.like(MARGIN) + x.like(TINY))
}

#[inline(always)]
fn high<T: Number>(x: T) -> T {
    x + (x.abs() * x.like(MARGIN) + x.like(TINY))
}

/// `(exp(-a), 1 - exp(-a))` for `a >= 0` (or NaN), both with full relative accuracy.
///
/// With `-a = k ln 2 + r` and `p = exp(r) - 1` by its Taylor polynomial (remainder below `2^-56` of `p` for
/// `|r| <= 0.3466`): `exp(-a) = 2^k (1 + p)` and `exp(-a) - 1 = 2^k p + (2^k - 1)`, where no digits cancel, because `k`
/// is zero or `2^k <= 1/2`.
#[inline(always)]
pub(crate) fn exp_parts<T: Number, const K: usize>(a: [T; K]) -> ([T; K], [T; K]) {
    let (mut e, mut m) = (a, a);
    for j in 0..K {
        let a = a[j];
        // Keeps a NaN.
        let x = -T::pick(a.like(ARGUMENT_MAX).below(a), a.like(ARGUMENT_MAX), a);
        let t = x * a.like(std::f64::consts::LOG2_E) + a.like(ROUNDER);
        let k = t - a.like(ROUNDER);
        let scale = t.power_of_low_bits();
        let r = (x - k * a.like(LN2_HIGH)) - k * a.like(LN2_LOW);
        let r2 = r * r;
        let r4 = r2 * r2;
        // Estrin's order: short chains of dependent operations.
        let c0 = a.like(1.0 / 2.0) + r * a.like(1.0 / 6.0);
        let c1 = a.like(1.0 / 24.0) + r * a.like(1.0 / 120.0);
        let c2 = a.like(1.0 / 720.0) + r * a.like(1.0 / 5_040.0);
        let c3 = a.like(1.0 / 40_320.0) + r * a.like(1.0 / 362_880.0);
        let c4 = a.like(1.0 / 3_628_800.0) + r * a.like(1.0 / 39_916_800.0);
        let c5 = a.like(1.0 / 479_001_600.0) + r * a.like(1.0 / 6_227_020_800.0);
        let tail = (c0 + r2 * c1) + r4 * ((c2 + r2 * c3) + r4 * (c4 + r2 * c5));
        let p = r + r2 * tail;
        e[j] = scale + scale * p;
        m[j] = (a.like(1.0) - scale) - scale * p;
    }
    (e, m)
}

/// `(sigmoid(z), sigmoid(-z))`, both with full relative accuracy, at several points.
#[inline(always)]
fn sigmoids<T: Number, const K: usize>(z: [T; K]) -> ([T; K], [T; K]) {
    let mut size = z;
    for size in &mut size {
        *size = size.abs();
    }
    let (e, _) = exp_parts(size);
    let (mut on, mut off) = (z, z);
    for j in 0..K {
        let one = z[j].like(1.0);
        let large = one / (one + e[j]);
        let small = e[j] * large;
        let positive = z[j].like(0.0).at_most(z[j]);
        (on[j], off[j]) = (T::pick(positive, large, small), T::pick(positive, small, large));
    }
    (on, off)
}

/// `(tanh(z), sech^2(z))`, both with full relative accuracy, at several points.
#[inline(always)]
pub(crate) fn tangents<T: Number, const K: usize>(z: [T; K]) -> ([T; K], [T; K]) {
    // With e = exp(-2|z|): tanh|z| = (1 - e) / (1 + e) and sech^2 z = 4 e / (1 + e)^2.
    let mut size = z;
    for size in &mut size {
        *size = size.like(2.0) * size.abs();
    }
    let (e, m) = exp_parts(size);
    let (mut value, mut slope) = (z, z);
    for j in 0..K {
        let one = z[j].like(1.0);
        let d = one / (one + e[j]);
        value[j] = (m[j] * d).copysign(z[j]);
        slope[j] = one.like(4.0) * e[j] * d * d;
    }
    (value, slope)
}

/// `(sigmoid(z), sigmoid(-z))`, both with full relative accuracy.
#[inline(always)]
pub(crate) fn exp_pair(z: f64) -> (f64, f64) {
    let ([on], [off]) = sigmoids([z]);
    (on, off)
}

/// The gates i, f, g, o of one LSTM unit, each as value and slope, from one vector of exponentials.
#[inline(always)]
pub(crate) fn gates<T: Number>(z: [T; 4]) -> [[T; 2]; 4] {
    let (zero, one) = (z[0].like(0.0), z[0].like(1.0));
    let (e, m) = exp_parts([z[0].abs(), z[1].abs(), one.like(2.0) * z[2].abs(), z[3].abs()]);
    let mut gates = [[zero; 2]; 4];
    for j in 0..4 {
        let d = one / (one + e[j]);
        gates[j] = if j == 2 {
            [(m[j] * d).copysign(z[j]), one.like(4.0) * e[j] * d * d]
        } else {
            [T::pick(zero.at_most(z[j]), d, e[j] * d), e[j] * d * d]
        };
    }
    gates
}

/// The gates `(i, 1 - f, g, o)` of one LSTM unit over pre-activations so narrow that a slope bound is sharp:
/// both logistic functions change by less than a relative `exp(rad) - 1`, the tangent by less than `rad`.
#[inline(always)]
pub(crate) fn narrow_gates<T: Number>(z: [Interval<T>; 4]) -> [Interval<T>; 4] {
    let one = z[0].lo.like(1.0);
    let [i, f, g, o] = [z[0].mid(), z[1].mid(), z[2].mid(), z[3].mid()];
    let (e, m) = exp_parts([i.abs(), f.abs(), one.like(2.0) * g.abs(), o.abs()]);
    let d = [one / (one + e[0]), one / (one + e[1]), one / (one + e[2]), one / (one + e[3])];
    let tangent = (m[2] * d[2]).copysign(g);
    let w = tangent.abs() * one.like(MARGIN) + z[2].rad() * one.like(1.0 + MARGIN) + one.like(TINY);
    [
        narrow_logistic(z[0].rad(), i, d[0], e[0] * d[0]),
        // Of the negative argument.
        narrow_logistic(z[1].rad(), f, e[1] * d[1], d[1]),
        Interval { lo: most(tangent - w, one.like(-1.0)), hi: least(tangent + w, one) },
        narrow_logistic(z[3].rad(), o, d[3], e[3] * d[3]),
    ]
}

/// A logistic function around `mid`, where it is the first value for a positive `mid` and the second for a negative one.
#[inline(always)]
fn narrow_logistic<T: Number>(radius: T, mid: T, positive: T, negative: T) -> Interval<T> {
    let (zero, one) = (mid.like(0.0), mid.like(1.0));
    let v = T::pick(zero.at_most(mid), positive, negative);
    // exp(r) - 1 <= r + r^2 for r <= 1; a wider interval makes the lower end negative, which is clipped.
    let relative = one.like(MARGIN) + radius + radius * radius;
    let w = v * relative * one.like(1.0 + MARGIN) + one.like(TINY);
    let narrow = Interval { lo: most(v - w, zero), hi: least(v + w, one) };
    Interval::pick(one.below(radius), Interval { lo: zero, hi: one }, narrow)
}

/// `tanh` of an interval, without its slope.
#[inline(always)]
pub(crate) fn tanh<T: Number>(z: Interval<T>) -> Interval<T> {
    let (t, _) = tangents([z.lo, z.hi]);
    Interval { lo: most(low(t[0]), z.lo.like(-1.0)), hi: least(high(t[1]), z.lo.like(1.0)) }
}

/// A sigmoid gate over an interval of pre-activations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SigmoidGate<T = f64> {
    /// `sigmoid(z)`.
    pub(crate) on: Interval<T>,
    /// `1 - sigmoid(z)`, computed as `sigmoid(-z)`: a subtraction would lose every digit of a saturated gate.
    pub(crate) off: Interval<T>,
    /// The slope `sigmoid(z) sigmoid(-z)`.
    pub(crate) slope: Interval<T>,
}

impl<T: Number> SigmoidGate<T> {
    #[inline(always)]
    pub(crate) fn at(z: Interval<T>) -> Self {
        let (zero, one) = (z.lo.like(0.0), z.lo.like(1.0));
        let ([on_lo, on_hi], [off_lo, off_hi]) = sigmoids([z.lo, z.hi]);
        let (a, b) = (on_lo * off_lo, on_hi * off_hi);
        let around_zero = T::both(z.lo.at_most(zero), zero.at_most(z.hi));
        let top = T::pick(around_zero, one.like(0.25), most(a, b));
        Self {
            on: Interval { lo: most(low(on_lo), zero), hi: least(high(on_hi), one) },
            off: Interval { lo: most(low(off_hi), zero), hi: least(high(off_lo), one) },
            slope: Interval { lo: most(low(least(a, b)), zero), hi: high(top) },
        }
    }
}

/// A hyperbolic tangent over an interval.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TanhGate<T = f64> {
    /// `tanh(z)`.
    pub(crate) value: Interval<T>,
    /// The slope `sech^2(z)`.
    pub(crate) slope: Interval<T>,
    /// `z sech^2(z)`, enclosed as one odd function.
    pub(crate) psi: Interval<T>,
}

#[inline(always)]
fn psi_at<T: Number>(z: T, slope: T) -> T {
    T::pick(z.like(PSI_ZERO).below(z.abs()), z.like(0.0), z * slope)
}

/// Whether an interval has a number in common with another.
#[inline(always)]
fn reaches<T: Number>(z: Interval<T>, from: f64, to: f64) -> T::Mask {
    T::both(z.lo.at_most(z.lo.like(to)), z.lo.like(from).at_most(z.hi))
}

impl<T: Number> TanhGate<T> {
    #[inline(always)]
    pub(crate) fn at(z: Interval<T>) -> Self {
        let (zero, one) = (z.lo.like(0.0), z.lo.like(1.0));
        let ([t_lo, t_hi], [s_lo, s_hi]) = tangents([z.lo, z.hi]);
        let top = T::pick(reaches(z, 0.0, 0.0), one, most(s_lo, s_hi));
        let (p_lo, p_hi) = (psi_at(z.lo, s_lo), psi_at(z.hi, s_hi));
        let psi = Interval {
            lo: T::pick(reaches(z, -PSI_ARG.1, -PSI_ARG.0), one.like(-PSI_MAX), low(least(p_lo, p_hi))),
            hi: T::pick(reaches(z, PSI_ARG.0, PSI_ARG.1), one.like(PSI_MAX), high(most(p_lo, p_hi))),
        };
        Self {
            value: Interval { lo: most(low(t_lo), one.like(-1.0)), hi: least(high(t_hi), one) },
            slope: Interval { lo: most(low(least(s_lo, s_hi)), zero), hi: least(high(top), one) },
            psi,
        }
    }
}

/// `atanh` over an interval, whose ends are first clipped to `[-1, 1]`.
#[inline(always)]
pub(crate) fn atanh<T: Number>(x: Interval<T>) -> Interval<T> {
    let one = x.lo.like(1.0);
    let infinity = one.like(f64::INFINITY);
    let lo = low(arctanh(least(x.lo, one)));
    let lo = T::pick(x.lo.at_most(one.like(-1.0)), -infinity, lo);
    let hi = high(arctanh(most(x.hi, one.like(-1.0))));
    let hi = T::pick(one.at_most(x.hi), infinity, hi);
    // The clip can leave an infinity minus its own margin, which is NaN.
    Interval {
        lo: T::pick(lo.not_a_number(), one.like(f64::MAX), lo),
        hi: T::pick(hi.not_a_number(), one.like(f64::MIN), hi),
    }
}

/// From here on `atanh(x)` takes another way, and below the other number it is x.
const ATANH_HALF: f64 = 0.5;
const ATANH_SMALL: f64 = 1.0 / 4_294_967_296.0;
/// Below this `ln(1 + x)` needs no reduction: sqrt(2) - 1.
const LOG_NEAR: f64 = f64::from_bits(0x3fda_827a_0000_0000);
/// From this power of two on, one more is lost.
const LOG_FAR: f64 = 54.0;
/// Remez coefficients of `(ln(1 + f) - f + f^2/2) / s` in even powers of `s = f / (2 + f)`.
const LOG: [f64; 7] = [
    f64::from_bits(0x3fe5_5555_5555_5593),
    f64::from_bits(0x3fd9_9999_9997_fa04),
    f64::from_bits(0x3fd2_4924_9422_9359),
    f64::from_bits(0x3fcc_71c5_1d8e_78af),
    f64::from_bits(0x3fc7_4664_96cb_03de),
    f64::from_bits(0x3fc3_9a09_d078_c69f),
    f64::from_bits(0x3fc2_f112_df3e_5244),
];

/// `atanh(x)` for `|x| <= 1`, bit for bit what `libm` gives (FreeBSD's `s_log1p.c` in it), without a branch.
#[inline(always)]
fn arctanh<T: Number>(x: T) -> T {
    let (one, two, y) = (x.like(1.0), x.like(2.0), x.abs());
    let small = y.below(x.like(ATANH_HALF));
    let q = T::pick(small, two * y * y, y) / (one - y);
    // ln(1 + a) / 2 is wanted.
    let a = T::pick(small, two * y + q, two * q);
    let near = a.below(x.like(LOG_NEAR));
    let u = one + a;
    let (k, m) = u.split_power();
    // What the rounding of 1 + a has lost.
    let c = T::pick(two.at_most(k), one - (u - a), a - (u - one)) / u;
    let c = T::pick(T::either(near, x.like(LOG_FAR).at_most(k)), x.like(0.0), c);
    let k = T::pick(near, x.like(0.0), k);
    let f = T::pick(near, a, m - one);
    let half = x.like(0.5) * f * f;
    let s = f / (two + f);
    let z = s * s;
    let w = z * z;
    let odd = w * (x.like(LOG[1]) + w * (x.like(LOG[3]) + w * x.like(LOG[5])));
    let even = z * (x.like(LOG[0]) + w * (x.like(LOG[2]) + w * (x.like(LOG[4]) + w * x.like(LOG[6]))));
    let log = s * (half + (even + odd)) + (k * x.like(LN2_LOW) + c) - half + f + k * x.like(LN2_HIGH);
    let log = T::pick(a.below(x.like(f64::INFINITY)), log, a);
    T::pick(y.below(x.like(ATANH_SMALL)), y, x.like(0.5) * log).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::{Interval, arctanh, atanh};

    #[test]
    fn every_bit_of_atanh_is_the_library_s() {
        let check = |x: f64| {
            assert_eq!(arctanh(x).to_bits(), libm::atanh(x).to_bits(), "{x:e}");
            assert_eq!(arctanh(-x).to_bits(), libm::atanh(-x).to_bits(), "-{x:e}");
        };
        // Densely, over all exponents, and around the places where the way changes.
        (0..=1_000_000).for_each(|k| check(f64::from(k) / 1_000_000.0));
        for power in 0..1_070 {
            let scale = libm::ldexp(1.0, -power);
            (0..64).for_each(|k| check(scale * (1.0 - f64::from(k) / 128.0)));
            check(1.0 - scale);
        }
        // a = sqrt(2) - 1 and u = 2^k sqrt(2), where one way gives over to the other.
        let edges = (0..60).map(|k| libm::ldexp(std::f64::consts::SQRT_2, k) - 1.0).map(|a| a / (2.0 + a));
        for edge in edges.chain([super::ATANH_HALF, super::ATANH_SMALL]).filter(|edge| *edge < 1.0) {
            (edge.to_bits() - 2_000..edge.to_bits() + 2_000)
                .map(f64::from_bits)
                .filter(|x| *x <= 1.0)
                .for_each(check);
        }
    }

    #[test]
    fn an_interval_beyond_one_has_no_finite_bound_there() {
        let wide = atanh(Interval { lo: -2.0, hi: 1.0 });
        assert_eq!((wide.lo, wide.hi), (f64::NEG_INFINITY, f64::INFINITY));
        let beyond = atanh(Interval { lo: 1.5, hi: 2.0 });
        assert_eq!((beyond.lo, beyond.hi), (f64::MAX, f64::INFINITY));
    }
}
