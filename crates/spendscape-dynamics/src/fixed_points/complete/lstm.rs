//! The LSTM's fixed points as the roots of M equations in the hidden state.
//!
//! At a fixed point `c = i g / (1 - f)`, so `h_k = o tanh(i g / (1 - f))`: the R-form. Where `1 - f` is tiny the R-form
//! is a step function; the same roots then solve `(1 - f) atanh(h_k / o) = i g`, the G-form, which is flat there. Each
//! row of each box takes the form whose Jacobian is known relatively better.

use super::{Reduced, boxes::Rows};
use crate::interval::{
    Interval, Number, ROUND, SigmoidGate, TINY, TanhGate, atanh, down, exp_parts, least, most, narrow_gates,
    tanh, up,
};
use crate::map::LstmCell;

/// The G-form needs `|h_k / o|` below this on the whole box, away from the poles of its Jacobian.
const RATIO_MAX: f64 = 0.999;
/// A gate below this is not divided by: the quotient would overflow.
const GATE_MIN: f64 = 1e-290;

/// Gates in the order i, f, g, o.
const I: usize = 0;
const F: usize = 1;
const G: usize = 2;
const O: usize = 3;

/// Recurrent weights per gate, unit and source.
pub(crate) type Recurrent<const N: usize> = [[[f64; N]; N]; 4];

/// The recurrent weights of a cell with `N` units.
pub(crate) fn recurrent<const N: usize>(cell: &LstmCell) -> Recurrent<N> {
    let at = |q: usize, k: usize, j: usize| cell.affine.recurrent(q * N + k, j);
    std::array::from_fn(|q| std::array::from_fn(|k| std::array::from_fn(|j| at(q, k, j))))
}

/// An LSTM with `N` units under a constant input, reduced to its hidden state: of one customer, or of several side by side.
#[derive(Debug, Clone)]
pub(crate) struct LstmReduced<'a, const N: usize, T = f64> {
    /// Enclosed input pre-activations per gate and unit.
    pub(crate) z0: [[Interval<T>; N]; 4],
    pub(crate) w: &'a Recurrent<N>,
}

/// The gates of one unit over a box.
struct Gates<T> {
    i: SigmoidGate<T>,
    f: SigmoidGate<T>,
    g: TanhGate<T>,
    o: SigmoidGate<T>,
    /// The cell `i g / (1 - f)`.
    c: Interval<T>,
    t: TanhGate<T>,
}

/// The gates of one unit at one point: i, 1 - f, g, o and `tanh(c)`.
struct Narrow<T> {
    i: Interval<T>,
    off: Interval<T>,
    g: Interval<T>,
    o: Interval<T>,
    t: Interval<T>,
}

/// One row in one form: four factors of the gates' recurrent weights, and the diagonal's own term.
struct Form<T> {
    factor: [Interval<T>; 4],
    diagonal: Interval<T>,
    value: Interval<T>,
}

impl<const N: usize, T: Number> LstmReduced<'_, N, T> {
    /// The pre-activation of gate `q`, unit `k` over the box, by a sum with an a-priori error bound.
    #[inline(always)]
    fn z(&self, q: usize, k: usize, x: &[Interval<T>; N]) -> Interval<T> {
        linear(self.z0[q][k], &self.w[q][k], x)
    }

    #[inline(always)]
    fn gates(&self, k: usize, x: &[Interval<T>; N]) -> Gates<T> {
        let i = SigmoidGate::at(self.z(I, k, x));
        let f = SigmoidGate::at(self.z(F, k, x));
        let g = TanhGate::at(self.z(G, k, x));
        let o = SigmoidGate::at(self.z(O, k, x));
        let c = i.on * g.value / f.off;
        Gates { i, f, g, o, c, t: TanhGate::at(c) }
    }

    /// The gates at (nearly) one point: only what the rows' values need.
    #[inline(always)]
    fn narrow(&self, k: usize, x: &[Interval<T>; N]) -> Narrow<T> {
        let z = [self.z(I, k, x), self.z(F, k, x), self.z(G, k, x), self.z(O, k, x)];
        let [i, off, g, o] = narrow_gates(z);
        Narrow { i, off, g, o, t: tanh(i * g / off) }
    }

    /// Narrows boxes without losing a root; not set where no root is left.
    #[inline(always)]
    pub(super) fn contract_all(&self, x: &mut [Interval<T>; N]) -> T::Mask {
        let least_gate = x[0].lo.like(GATE_MIN);
        let mut left = least_gate.at_most(least_gate);
        for k in 0..N {
            let i = SigmoidGate::at(self.z(I, k, x)).on;
            let s = SigmoidGate::at(self.z(F, k, x)).off;
            let zg = self.z(G, k, x);
            let g = TanhGate::at(zg).value;
            let o = SigmoidGate::at(self.z(O, k, x)).on;
            let c = i * g / s;
            let t = TanhGate::at(c).value;
            let (cut, some) = x[k].meet(o * t);
            left = T::both(left, some);
            if !T::any(left) {
                break;
            }
            x[k] = Interval::pick(left, cut, x[k]);
            let closed = T::either(o.lo.below(least_gate), i.lo.below(least_gate));
            let open = T::both(left, T::not(closed));
            if !T::any(open) {
                continue;
            }
            let (c, by_cell) = c.meet(atanh(x[k] / o));
            let (g, by_gate) = g.meet(c * s / i);
            let (zg, by_input) = zg.meet(atanh(g));
            let reached = T::both(open, T::both(by_cell, T::both(by_gate, by_input)));
            let reached = backward_linear(reached, zg, self.z0[G][k], &self.w[G][k], x);
            left = T::both(left, T::either(closed, reached));
        }
        left
    }

    /// See [`Reduced::rows`].
    #[inline(always)]
    pub(super) fn rows_of_all(&self, x: &[Interval<T>; N], mid: &[T; N]) -> Rows<N, T> {
        let zero = mid[0].like(0.0);
        // Loops: closures would not take over the instructions of vectors.
        let (mut thin, mut rad_x) = ([Interval::point(zero); N], [zero; N]);
        for k in 0..N {
            (thin[k], rad_x[k]) = (Interval::point(mid[k]), x[k].rad());
        }
        let mut rows = Rows { value: [Interval::point(zero); N], mid: [[zero; N]; N], rad: [[zero; N]; N] };
        for k in 0..N {
            let (over, at) = (self.gates(k, x), self.narrow(k, &thin));
            let r = Self::r_form(&over, &at, mid[k]);
            let (r_mid, r_rad, unsure) = self.row(k, &r, &rad_x);
            let (g, usable) = Self::g_form(&over, &at, x[k], mid[k]);
            let (g_mid, g_rad, other) = self.row(k, &g, &rad_x);
            // A comparison with NaN must not keep an R-form that knows nothing.
            let better = T::both(usable, T::either(other.below(unsure), unsure.not_a_number()));
            rows.value[k] = Interval::pick(better, g.value, r.value);
            for j in 0..N {
                rows.mid[k][j] = T::pick(better, g_mid[j], r_mid[j]);
                rows.rad[k][j] = T::pick(better, g_rad[j], r_rad[j]);
            }
        }
        rows
    }

    #[inline(always)]
    fn r_form(u: &Gates<T>, at: &Narrow<T>, x: T) -> Form<T> {
        let spread = u.o.on * u.t.psi;
        let d = u.o.on * u.t.slope * u.g.slope * u.i.on / u.f.off;
        let zero = x.like(0.0);
        let apart = T::either(zero.below(u.g.value.lo), u.g.value.hi.below(zero));
        let (common, some) = d.meet(spread * u.g.slope / u.g.value);
        let d = Interval::pick(T::both(apart, some), common, d);
        Form {
            factor: [-(spread * u.i.off), -(spread * u.f.on), -d, -(u.o.slope * u.t.value)],
            diagonal: Interval::point(x.like(1.0)),
            value: Interval::point(x) - at.o * at.t,
        }
    }

    /// The G-form, and where it can be used.
    #[inline(always)]
    fn g_form(u: &Gates<T>, at: &Narrow<T>, h: Interval<T>, x: T) -> (Form<T>, T::Mask) {
        let (zero, one) = (x.like(0.0), x.like(1.0));
        let q = h / u.o.on;
        let usable = T::both(x.like(GATE_MIN).at_most(u.o.on.lo), q.mag().below(x.like(RATIO_MAX)));
        // 1 - q^2 stays away from zero because |q| < RATIO_MAX.
        let (square, other) = (q.lo * q.lo, q.hi * q.hi);
        let around_zero = T::both(q.lo.at_most(zero), zero.at_most(q.hi));
        let low = T::pick(around_zero, zero, least(square, other));
        let bend = Interval { lo: down(one - up(most(square, other))), hi: up(one - down(low)).least(one) };
        let s = u.f.off;
        let slope = s / bend;
        let form = Form {
            factor: [
                -(u.i.slope * u.g.value),
                -(u.f.slope * atanh(q)),
                -(u.i.on * u.g.slope),
                -(slope * q * u.o.off),
            ],
            diagonal: slope / u.o.on,
            value: at.off * atanh(Interval::point(x) / at.o) - at.i * at.g,
        };
        (form, usable)
    }

    /// The Jacobian row of a form as middle and radius, and its relative uncertainty over the box.
    #[inline(always)]
    fn row(&self, k: usize, form: &Form<T>, rad_x: &[T; N]) -> ([T; N], [T; N], T) {
        let zero = form.diagonal.lo.like(0.0);
        let gamma = 8.0 * ROUND;
        let (mut mid, mut rad) = ([zero; N], [zero; N]);
        let (mut unsure, mut sure) = (zero, zero);
        let (mut m, mut r) = ([zero; 4], [zero; 4]);
        for q in 0..4 {
            (m[q], r[q]) = (form.factor[q].mid(), form.factor[q].rad());
        }
        for j in 0..N {
            let (mut s, mut size, mut spread) = (zero, zero, zero);
            for q in 0..4 {
                let w = zero.like(self.w[q][k][j]);
                s = s + m[q] * w;
                size = size + (m[q] * w).abs();
                spread = spread + r[q] * w.abs();
            }
            if j == k {
                s = s + form.diagonal.mid();
                size = size + form.diagonal.mid().abs();
                spread = spread + form.diagonal.rad();
            }
            mid[j] = s;
            rad[j] = (spread + zero.like(gamma) * size) * zero.like(1.0 + gamma) + zero.like(TINY);
            unsure = unsure + rad[j] * rad_x[j];
            sure = sure + s.abs() * rad_x[j];
        }
        (mid, rad, unsure / sure)
    }
}

impl<const N: usize> LstmReduced<'_, N> {
    /// The cell's enclosure at a hidden state, for reporting and for the state Jacobian.
    pub(crate) fn cell(&self, k: usize, x: &[Interval; N]) -> Interval {
        let gates = self.gates(k, x);
        let from_ratio = atanh(x[k] / gates.o.on);
        gates.c.intersect(from_ratio).unwrap_or(gates.c)
    }

    /// Encloses the Jacobian of `(h, c) -> (h', c')` over a box of states, row-major into `out` (length `4 N^2`).
    pub(crate) fn state_jacobian(&self, h: &[Interval; N], c: &[Interval; N], out: &mut [Interval]) {
        let n = 2 * N;
        out.fill(Interval::ZERO);
        for k in 0..N {
            let i = SigmoidGate::at(self.z(I, k, h));
            let f = SigmoidGate::at(self.z(F, k, h));
            let g = TanhGate::at(self.z(G, k, h));
            let o = SigmoidGate::at(self.z(O, k, h));
            let t = TanhGate::at(f.on * c[k] + i.on * g.value);
            let (to_i, to_f, to_g) = (g.value * i.slope, c[k] * f.slope, i.on * g.slope);
            let (to_o, dh_dc) = (t.value * o.slope, o.on * t.slope);
            for j in 0..N {
                let dc =
                    to_i.scale(self.w[I][k][j]) + to_f.scale(self.w[F][k][j]) + to_g.scale(self.w[G][k][j]);
                out[(N + k) * n + j] = dc;
                out[k * n + j] = to_o.scale(self.w[O][k][j]) + dh_dc * dc;
            }
            out[(N + k) * n + N + k] = f.on;
            out[k * n + N + k] = dh_dc * f.on;
        }
    }
}

/// One step of roll-outs in floating point, of several customers side by side: `mid` are the middles of the enclosed
/// pre-activations.
#[inline(always)]
pub(crate) fn step<T: Number, const N: usize>(
    mid: &[[T; N]; 4],
    w: &Recurrent<N>,
    h: &mut [T; N],
    c: &mut [T; N],
) {
    let (zero, one) = (h[0].like(0.0), h[0].like(1.0));
    let mut next = [zero; N];
    for k in 0..N {
        let (mut z, mut on) = ([zero; 4], [one; 4]);
        for q in 0..4 {
            z[q] = mid[q][k];
            for j in 0..N {
                z[q] = z[q] + one.like(w[q][k][j]) * h[j];
            }
        }
        let (e, m) = exp_parts([z[I].abs(), z[F].abs(), one.like(2.0) * z[G].abs(), z[O].abs()]);
        for q in 0..4 {
            on[q] = T::pick(zero.at_most(z[q]), one, e[q]);
        }
        // i g = on_i m_g / ((1 + e_i) (1 + e_g)): one division for two gates.
        let drive = on[I] * m[G].copysign(z[G]) / ((one + e[I]) * (one + e[G]));
        c[k] = on[F] / (one + e[F]) * c[k] + drive;
        let ([e_c], [m_c]) = exp_parts([one.like(2.0) * c[k].abs()]);
        next[k] = on[O] * m_c.copysign(c[k]) / ((one + e[O]) * (one + e_c));
    }
    *h = next;
}

/// `z0 + sum w_j x_j`, rounded outwards once by a bound on the whole sum's error.
#[inline(always)]
pub(crate) fn linear<T: Number, const N: usize>(
    z0: Interval<T>,
    w: &[f64; N],
    x: &[Interval<T>; N],
) -> Interval<T> {
    let (mut lo, mut hi, mut size) = (z0.lo, z0.hi, z0.mag());
    for j in 0..N {
        let w = lo.like(w[j]);
        let (a, b) = (w * x[j].lo, w * x[j].hi);
        lo = lo + least(a, b);
        hi = hi + most(a, b);
        size = size + most(a.abs(), b.abs());
    }
    let error = size * lo.like(N as f64 + 2.0) * lo.like(ROUND) + lo.like(TINY);
    Interval { lo: lo - error, hi: hi + error }
}

/// Where `on` is set, narrows each `x_j` so that `z0 + sum w_j x_j` can still reach `target`; not set where it cannot.
#[inline(always)]
pub(crate) fn backward_linear<T: Number, const N: usize>(
    mut on: T::Mask,
    target: Interval<T>,
    z0: Interval<T>,
    w: &[f64; N],
    x: &mut [Interval<T>; N],
) -> T::Mask {
    for j in 0..N {
        if w[j] == 0.0 {
            continue;
        }
        if !T::any(on) {
            break;
        }
        let mut others = *w;
        others[j] = 0.0;
        let rest = linear(z0, &others, x);
        let (cut, some) = x[j].meet((target - rest) / Interval::point(z0.lo.like(w[j])));
        on = T::both(on, some);
        x[j] = Interval::pick(on, cut, x[j]);
    }
    on
}

impl<const N: usize> Reduced<N> for LstmReduced<'_, N> {
    fn contract(&self, x: &mut [Interval; N]) -> bool {
        self.contract_all(x)
    }

    fn rows(&self, x: &[Interval; N], mid: &[f64; N]) -> Rows<N> {
        self.rows_of_all(x, mid)
    }
}
