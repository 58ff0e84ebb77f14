//! Enclosures of the gate functions and of their slopes.
//!
//! The ends are computed with the `libm` crate and widened by [`MARGIN`]. The largest error of the composite functions
//! measured against 300-bit references is below three units of `2^-52`: the margin of eight is measured, not proved.

use super::{Interval, TINY, least, most};

/// Relative widening of one evaluated elementary function: more than twice the largest error ever measured.
const MARGIN: f64 = 8.0 * f64::EPSILON;
/// An upper bound of the maximum of `x sech^2 x`, which is 0.447743.
const PSI_MAX: f64 = 0.447_75;
/// An interval known to hold the place of that maximum (0.7717).
const PSI_ARG: (f64, f64) = (0.771_7 - 1e-4, 0.771_7 + 1e-4);
/// Beyond this, `x sech^2 x` is below the absolute widening.
const PSI_ZERO: f64 = 360.0;
/// Below this `expm1` keeps the leading digits of `1 - e^a`; above it `exp` keeps those of `e^a`.
const EXPM1_BELOW: f64 = 0.5;

#[inline(always)]
fn low(x: f64) -> f64 {
    x - (x.abs() * MARGIN + TINY)
}

#[inline(always)]
fn high(x: f64) -> f64 {
    x + (x.abs() * MARGIN + TINY)
}

/// `(sigmoid(z), sigmoid(-z))`, both with full relative accuracy.
#[inline(always)]
pub(crate) fn exp_pair(z: f64) -> (f64, f64) {
    let e = libm::exp(-z.abs());
    let large = 1.0 / (1.0 + e);
    let small = e * large;
    if z >= 0.0 { (large, small) } else { (small, large) }
}

/// `(tanh(z), sech^2(z))`, both with full relative accuracy.
#[inline(always)]
pub(crate) fn tanh_pair(z: f64) -> (f64, f64) {
    let a = 2.0 * z.abs();
    // With e = exp(-a): tanh|z| = (1 - e) / (1 + e) and sech^2 z = 4 e / (1 + e)^2.
    let (e, m) = if a < EXPM1_BELOW {
        let m = -libm::expm1(-a);
        (1.0 - m, m)
    } else {
        let e = libm::exp(-a);
        (e, 1.0 - e)
    };
    let d = 1.0 / (1.0 + e);
    (f64::copysign(m * d, z), 4.0 * e * d * d)
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
        let (on_lo, off_lo) = exp_pair(z.lo);
        let (on_hi, off_hi) = exp_pair(z.hi);
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
        let (t_lo, s_lo) = tanh_pair(z.lo);
        let (t_hi, s_hi) = tanh_pair(z.hi);
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
    Interval {
        lo: if lo.is_nan() { f64::MAX } else { lo },
        hi: if hi.is_nan() { f64::MIN } else { hi },
    }
}
