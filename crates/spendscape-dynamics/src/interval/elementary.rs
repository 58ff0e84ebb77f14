//! Enclosures of the gate functions and of their slopes.
//!
//! All gates come from one exponential, [`exp_parts`], written without branches so that both ends of an interval share
//! one vector. Its ends are widened by [`MARGIN`]: the largest error of the composite functions measured against
//! 300-bit references is below three units of `2^-52`, so the margin of eight is measured, not proved.

use super::{Interval, TINY, least, most};

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
/// Exponent bias of binary64.
const BIAS: u64 = 1023;

#[inline(always)]
fn low(x: f64) -> f64 {
    x - (x.abs() * MARGIN + TINY)
}

#[inline(always)]
fn high(x: f64) -> f64 {
    x + (x.abs() * MARGIN + TINY)
}

/// `(exp(-a), 1 - exp(-a))` for `a >= 0` (or NaN), both with full relative accuracy.
///
/// With `-a = k ln 2 + r` and `p = exp(r) - 1` by its Taylor polynomial (remainder below `2^-56` of `p` for
/// `|r| <= 0.3466`): `exp(-a) = 2^k (1 + p)` and `exp(-a) - 1 = 2^k p + (2^k - 1)`, where no digits cancel, because `k`
/// is zero or `2^k <= 1/2`.
#[inline(always)]
pub(crate) fn exp_parts<const K: usize>(a: [f64; K]) -> ([f64; K], [f64; K]) {
    let (mut e, mut m) = ([0.0; K], [0.0; K]);
    for j in 0..K {
        // Written so that it needs no branch; keeps a NaN.
        let x = -if a[j] > ARGUMENT_MAX { ARGUMENT_MAX } else { a[j] };
        let t = x * std::f64::consts::LOG2_E + ROUNDER;
        let k = t - ROUNDER;
        let scale = f64::from_bits(t.to_bits().wrapping_add(BIAS) << 52);
        let r = (x - k * LN2_HIGH) - k * LN2_LOW;
        let r2 = r * r;
        let r4 = r2 * r2;
        // Estrin's order: short chains of dependent operations.
        let c0 = 1.0 / 2.0 + r * (1.0 / 6.0);
        let c1 = 1.0 / 24.0 + r * (1.0 / 120.0);
        let c2 = 1.0 / 720.0 + r * (1.0 / 5_040.0);
        let c3 = 1.0 / 40_320.0 + r * (1.0 / 362_880.0);
        let c4 = 1.0 / 3_628_800.0 + r * (1.0 / 39_916_800.0);
        let c5 = 1.0 / 479_001_600.0 + r * (1.0 / 6_227_020_800.0);
        let tail = (c0 + r2 * c1) + r4 * ((c2 + r2 * c3) + r4 * (c4 + r2 * c5));
        let p = r + r2 * tail;
        e[j] = scale + scale * p;
        m[j] = (1.0 - scale) - scale * p;
    }
    (e, m)
}

/// `(sigmoid(z), sigmoid(-z))`, both with full relative accuracy, at several points.
#[inline(always)]
fn sigmoids<const K: usize>(z: [f64; K]) -> ([f64; K], [f64; K]) {
    let (e, _) = exp_parts(z.map(f64::abs));
    let (mut on, mut off) = ([0.0; K], [0.0; K]);
    for j in 0..K {
        let large = 1.0 / (1.0 + e[j]);
        let small = e[j] * large;
        (on[j], off[j]) = if z[j] >= 0.0 { (large, small) } else { (small, large) };
    }
    (on, off)
}

/// `(tanh(z), sech^2(z))`, both with full relative accuracy, at several points.
#[inline(always)]
pub(crate) fn tangents<const K: usize>(z: [f64; K]) -> ([f64; K], [f64; K]) {
    // With e = exp(-2|z|): tanh|z| = (1 - e) / (1 + e) and sech^2 z = 4 e / (1 + e)^2.
    let (e, m) = exp_parts(z.map(|z| 2.0 * z.abs()));
    let (mut value, mut slope) = ([0.0; K], [0.0; K]);
    for j in 0..K {
        let d = 1.0 / (1.0 + e[j]);
        value[j] = f64::copysign(m[j] * d, z[j]);
        slope[j] = 4.0 * e[j] * d * d;
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
pub(crate) fn gates(z: [f64; 4]) -> [[f64; 2]; 4] {
    let (e, m) = exp_parts([z[0].abs(), z[1].abs(), 2.0 * z[2].abs(), z[3].abs()]);
    let d = e.map(|e| 1.0 / (1.0 + e));
    let logistic = |j: usize| [if z[j] >= 0.0 { d[j] } else { e[j] * d[j] }, e[j] * d[j] * d[j]];
    [logistic(0), logistic(1), [f64::copysign(m[2] * d[2], z[2]), 4.0 * e[2] * d[2] * d[2]], logistic(3)]
}

/// The gates `(i, 1 - f, g, o)` of one LSTM unit over pre-activations so narrow that a slope bound is sharp:
/// both logistic functions change by less than a relative `exp(rad) - 1`, the tangent by less than `rad`.
#[inline(always)]
pub(crate) fn narrow_gates(z: [Interval; 4]) -> [Interval; 4] {
    let mid = z.map(Interval::mid);
    let (e, m) = exp_parts([mid[0].abs(), mid[1].abs(), 2.0 * mid[2].abs(), mid[3].abs()]);
    let d = e.map(|e| 1.0 / (1.0 + e));
    let relative = |j: usize| {
        let r = z[j].rad();
        // exp(r) - 1 <= r + r^2 for r <= 1; a wider interval makes the lower end negative, which is clipped.
        MARGIN + r + r * r
    };
    let logistic = |j: usize, positive: bool| {
        let v = if (mid[j] >= 0.0) == positive { d[j] } else { e[j] * d[j] };
        let w = v * relative(j) * (1.0 + MARGIN) + TINY;
        if z[j].rad() > 1.0 {
            Interval { lo: 0.0, hi: 1.0 }
        } else {
            Interval { lo: most(v - w, 0.0), hi: least(v + w, 1.0) }
        }
    };
    let g = f64::copysign(m[2] * d[2], mid[2]);
    let w = g.abs() * MARGIN + z[2].rad() * (1.0 + MARGIN) + TINY;
    [
        logistic(0, true),
        logistic(1, false),
        Interval { lo: most(g - w, -1.0), hi: least(g + w, 1.0) },
        logistic(3, true),
    ]
}

/// `tanh` of an interval, without its slope.
#[inline(always)]
pub(crate) fn tanh(z: Interval) -> Interval {
    let (t, _) = tangents([z.lo, z.hi]);
    Interval { lo: most(low(t[0]), -1.0), hi: least(high(t[1]), 1.0) }
}

/// A sigmoid gate over an interval of pre-activations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SigmoidGate {
    /// `sigmoid(z)`.
    pub(crate) on: Interval,
    /// `1 - sigmoid(z)`, computed as `sigmoid(-z)`: a subtraction would lose every digit of a saturated gate.
    pub(crate) off: Interval,
    /// The slope `sigmoid(z) sigmoid(-z)`.
    pub(crate) slope: Interval,
}

impl SigmoidGate {
    #[inline(always)]
    pub(crate) fn at(z: Interval) -> Self {
        let ([on_lo, on_hi], [off_lo, off_hi]) = sigmoids([z.lo, z.hi]);
        let (a, b) = (on_lo * off_lo, on_hi * off_hi);
        let top = if z.lo <= 0.0 && z.hi >= 0.0 { 0.25 } else { most(a, b) };
        Self {
            on: Interval { lo: most(low(on_lo), 0.0), hi: least(high(on_hi), 1.0) },
            off: Interval { lo: most(low(off_hi), 0.0), hi: least(high(off_lo), 1.0) },
            slope: Interval { lo: most(low(least(a, b)), 0.0), hi: high(top) },
        }
    }
}

/// A hyperbolic tangent over an interval.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TanhGate {
    /// `tanh(z)`.
    pub(crate) value: Interval,
    /// The slope `sech^2(z)`.
    pub(crate) slope: Interval,
    /// `z sech^2(z)`, enclosed as one odd function.
    pub(crate) psi: Interval,
}

#[inline(always)]
fn psi_at(z: f64, slope: f64) -> f64 {
    if z.abs() > PSI_ZERO { 0.0 } else { z * slope }
}

impl TanhGate {
    #[inline(always)]
    pub(crate) fn at(z: Interval) -> Self {
        let ([t_lo, t_hi], [s_lo, s_hi]) = tangents([z.lo, z.hi]);
        let top = if z.lo <= 0.0 && z.hi >= 0.0 { 1.0 } else { most(s_lo, s_hi) };
        let (p_lo, p_hi) = (psi_at(z.lo, s_lo), psi_at(z.hi, s_hi));
        let mut psi = Interval { lo: low(least(p_lo, p_hi)), hi: high(most(p_lo, p_hi)) };
        if z.lo <= PSI_ARG.1 && z.hi >= PSI_ARG.0 {
            psi.hi = PSI_MAX;
        }
        if z.lo <= -PSI_ARG.0 && z.hi >= -PSI_ARG.1 {
            psi.lo = -PSI_MAX;
        }
        Self {
            value: Interval { lo: most(low(t_lo), -1.0), hi: least(high(t_hi), 1.0) },
            slope: Interval { lo: most(low(least(s_lo, s_hi)), 0.0), hi: least(high(top), 1.0) },
            psi,
        }
    }
}

/// `atanh` over an interval, whose ends are first clipped to `[-1, 1]`.
#[inline(always)]
pub(crate) fn atanh(x: Interval) -> Interval {
    let lo = if x.lo <= -1.0 { f64::NEG_INFINITY } else { low(libm::atanh(least(x.lo, 1.0))) };
    let hi = if x.hi >= 1.0 { f64::INFINITY } else { high(libm::atanh(most(x.hi, -1.0))) };
    // The clip can leave an infinity minus its own margin, which is NaN.
    Interval { lo: if lo.is_nan() { f64::MAX } else { lo }, hi: if hi.is_nan() { f64::MIN } else { hi } }
}
