//! The tanh layer's fixed points: `x_k = tanh(z_k)`, or flat where the tangent saturates, `atanh(x_k) = z_k`.

use super::lstm::{backward_linear, linear};
use super::{Reduced, boxes::Rows};
use crate::interval::{Interval, ROUND, TINY, TanhGate, atanh, down, least, most, up};

/// The flat form needs `|x_k|` below this on the whole box.
const RATIO_MAX: f64 = 0.999;

/// A tanh layer with `N` units under a constant input.
#[derive(Debug, Clone)]
pub(crate) struct RnnReduced<const N: usize> {
    pub(crate) z0: [Interval; N],
    pub(crate) w: [[f64; N]; N],
}

/// `1 / (1 - x^2)` over an interval inside `(-1, 1)`.
fn atanh_slope(x: Interval) -> Interval {
    let (a, b) = (x.lo * x.lo, x.hi * x.hi);
    let low = if x.contains(0.0) { 0.0 } else { down(least(a, b)) };
    Interval::point(1.0) / Interval { lo: down(1.0 - up(most(a, b))), hi: up(1.0 - low) }
}

/// Keeps whichever of two Jacobian rows (middle, radius) is relatively better known over the box.
fn better<const N: usize>(a: &[Interval; N], b: &[Interval; N], rad_x: &[f64; N]) -> bool {
    let score = |row: &[Interval; N]| {
        let (mut unsure, mut sure) = (0.0, 0.0);
        for (v, r) in row.iter().zip(rad_x) {
            unsure += v.rad() * r;
            sure += v.mid().abs() * r;
        }
        unsure / sure
    };
    let (a, b) = (score(a), score(b));
    b < a || a.is_nan()
}

/// Row `k` of `x_k = tanh(z)`, as it stands or flat, whichever is better known over the box `x` around `thin`: the
/// pre-activation over the box is `over` and at `thin` is `at`, and its derivatives are `dz`.
pub(crate) fn tanh_row<const N: usize>(
    rows: &mut Rows<N>,
    k: usize,
    x: &[Interval; N],
    thin: &[Interval; N],
    over: Interval,
    at: Interval,
    dz: &[Interval; N],
) {
    let own = |j: usize, slope: Interval| if j == k { slope } else { Interval::ZERO };
    let slope = TanhGate::at(over).slope;
    let steep: [Interval; N] = std::array::from_fn(|j| own(j, Interval::point(1.0)) - slope * dz[j]);
    let mut row = steep;
    rows.value[k] = thin[k] - TanhGate::at(at).value;
    if x[k].mag() < RATIO_MAX {
        let own_slope = atanh_slope(x[k]);
        let flat: [Interval; N] = std::array::from_fn(|j| own(j, own_slope) - dz[j]);
        if better(&steep, &flat, &std::array::from_fn(|j| x[j].rad())) {
            row = flat;
            rows.value[k] = atanh(thin[k]) - at;
        }
    }
    (rows.mid[k], rows.rad[k]) = split(&row);
}

/// Splits interval entries into middle and radius.
fn split<const N: usize>(row: &[Interval; N]) -> ([f64; N], [f64; N]) {
    (
        std::array::from_fn(|j| row[j].mid()),
        std::array::from_fn(|j| row[j].rad() + row[j].mid().abs() * ROUND + TINY),
    )
}

impl<const N: usize> Reduced<N> for RnnReduced<N> {
    fn contract(&self, x: &mut [Interval; N]) -> bool {
        for k in 0..N {
            let z = linear(self.z0[k], &self.w[k], x);
            let Some(cut) = x[k].intersect(TanhGate::at(z).value) else { return false };
            x[k] = cut;
            let Some(z) = z.intersect(atanh(cut)) else { return false };
            if !backward_linear(true, z, self.z0[k], &self.w[k], x) {
                return false;
            }
        }
        true
    }

    fn rows(&self, x: &[Interval; N], mid: &[f64; N]) -> Rows<N> {
        let thin: [Interval; N] = std::array::from_fn(|k| Interval::point(mid[k]));
        let mut rows = Rows::ZERO;
        for k in 0..N {
            let over = linear(self.z0[k], &self.w[k], x);
            let at = linear(self.z0[k], &self.w[k], &thin);
            tanh_row(&mut rows, k, x, &thin, over, at, &self.w[k].map(Interval::point));
        }
        rows
    }
}
