//! The numbers a map is written in: binary64, or intervals that enclose every result.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::interval::{Interval, SigmoidGate, TanhGate, exp_pair, gates, most, tangents};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f64 {}
    impl Sealed for crate::interval::Interval {}
}

/// A number type for [`Map`](crate::map::Map): a map written once over `Scalar` runs in `f64` and is certified in
/// [`Interval`]s. Sealed, because the certificates rely on the enclosure property of the implementations.
pub trait Scalar:
    sealed::Sealed
    + Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// An exactly known number.
    fn exact(x: f64) -> Self;
    /// A number known only to lie in `x`; in `f64` its middle.
    fn within(x: Interval) -> Self;
    /// The logistic function.
    #[must_use]
    fn sigmoid(self) -> Self;
    /// One minus the logistic function, without cancellation.
    #[must_use]
    fn sigmoid_complement(self) -> Self;
    /// The slope of the logistic function.
    #[must_use]
    fn sigmoid_slope(self) -> Self;
    /// The hyperbolic tangent.
    #[must_use]
    fn tanh(self) -> Self;
    /// The slope of the hyperbolic tangent.
    #[must_use]
    fn tanh_slope(self) -> Self;
    /// `max(0, x)`.
    #[must_use]
    fn relu(self) -> Self;
    /// The slope of `max(0, x)`: in `f64` zero at zero, as PyTorch has it; over an interval that holds zero, all of `[0, 1]`,
    /// which holds the slope of every chord too.
    #[must_use]
    fn relu_slope(self) -> Self;
    /// The gates i, f, g, o of an LSTM unit at its pre-activations, each as value and slope: `g` is a hyperbolic tangent,
    /// the others are logistic.
    #[must_use]
    fn lstm_gates(z: [Self; 4]) -> [[Self; 2]; 4];
    /// Hyperbolic tangents and their slopes at several points.
    #[must_use]
    fn tangents<const K: usize>(z: [Self; K]) -> ([Self; K], [Self; K]);
}

impl Scalar for f64 {
    #[inline(always)]
    fn exact(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn within(x: Interval) -> Self {
        x.mid()
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        exp_pair(self).0
    }
    #[inline(always)]
    fn sigmoid_complement(self) -> Self {
        exp_pair(self).1
    }
    #[inline(always)]
    fn sigmoid_slope(self) -> Self {
        let (on, off) = exp_pair(self);
        on * off
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        tangents([self]).0[0]
    }
    #[inline(always)]
    fn tanh_slope(self) -> Self {
        tangents([self]).1[0]
    }
    #[inline(always)]
    fn relu(self) -> Self {
        // Keeps a NaN, which ends a search.
        if self < 0.0 { 0.0 } else { self }
    }
    #[inline(always)]
    fn relu_slope(self) -> Self {
        if self > 0.0 { 1.0 } else { 0.0 }
    }
    #[inline(always)]
    fn lstm_gates(z: [Self; 4]) -> [[Self; 2]; 4] {
        gates(z)
    }
    #[inline(always)]
    fn tangents<const K: usize>(z: [Self; K]) -> ([Self; K], [Self; K]) {
        tangents(z)
    }
}

impl Scalar for Interval {
    #[inline(always)]
    fn exact(x: f64) -> Self {
        Self::point(x)
    }
    #[inline(always)]
    fn within(x: Interval) -> Self {
        x
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        SigmoidGate::at(self).on
    }
    #[inline(always)]
    fn sigmoid_complement(self) -> Self {
        SigmoidGate::at(self).off
    }
    #[inline(always)]
    fn sigmoid_slope(self) -> Self {
        SigmoidGate::at(self).slope
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        TanhGate::at(self).value
    }
    #[inline(always)]
    fn tanh_slope(self) -> Self {
        TanhGate::at(self).slope
    }
    #[inline(always)]
    fn relu(self) -> Self {
        Self { lo: most(self.lo, 0.0), hi: most(self.hi, 0.0) }
    }
    #[inline(always)]
    fn relu_slope(self) -> Self {
        let slope = |z: f64| if z > 0.0 { 1.0 } else { 0.0 };
        // At its upper end zero, the slopes on both sides count.
        Self { lo: slope(self.lo), hi: if self.hi < 0.0 { 0.0 } else { 1.0 } }
    }
    #[inline(always)]
    fn lstm_gates(z: [Self; 4]) -> [[Self; 2]; 4] {
        let [i, f, o] = [z[0], z[1], z[3]].map(SigmoidGate::at);
        let g = TanhGate::at(z[2]);
        [[i.on, i.slope], [f.on, f.slope], [g.value, g.slope], [o.on, o.slope]]
    }
    #[inline(always)]
    fn tangents<const K: usize>(z: [Self; K]) -> ([Self; K], [Self; K]) {
        let gates = z.map(TanhGate::at);
        (gates.map(|g| g.value), gates.map(|g| g.slope))
    }
}
