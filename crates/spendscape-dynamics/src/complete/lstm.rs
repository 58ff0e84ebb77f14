//! The LSTM's fixed points as the roots of M equations in the hidden state.
//!
//! At a fixed point `c = i g / (1 - f)`, so `h_k = o tanh(i g / (1 - f))`: the R-form. Where `1 - f` is tiny the R-form
//! is a step function; the same roots then solve `(1 - f) atanh(h_k / o) = i g`, the G-form, which is flat there. Each
//! row of each box takes the form whose Jacobian is known relatively better.

use super::{Reduced, boxes::Rows};
use crate::interval::{
    Interval, ROUND, SigmoidGate, TINY, TanhGate, atanh, down, exp_parts, least, most, narrow_gates, tanh, up,
};

/// The G-form needs `|h_k / o|` below this on the whole box, away from the poles of its Jacobian.
const RATIO_MAX: f64 = 0.999;
/// A gate below this is not divided by: the quotient would overflow.
const GATE_MIN: f64 = 1e-290;

/// Gates in the order i, f, g, o.
const I: usize = 0;
const F: usize = 1;
const G: usize = 2;
const O: usize = 3;

/// An LSTM with `N` units under a constant input, reduced to its hidden state.
#[derive(Debug, Clone)]
pub(crate) struct LstmReduced<const N: usize> {
    /// Enclosed input pre-activations per gate and unit.
    pub(crate) z0: [[Interval; N]; 4],
    /// Their middles, for the roll-out.
    pub(crate) mid: [[f64; N]; 4],
    /// Recurrent weights per gate, unit and source.
    pub(crate) w: [[[f64; N]; N]; 4],
}

/// The gates of one unit over a box.
struct Gates {
    i: SigmoidGate,
    f: SigmoidGate,
    g: TanhGate,
    o: SigmoidGate,
    /// The cell `i g / (1 - f)`.
    c: Interval,
    t: TanhGate,
}

/// The gates of one unit at one point: i, 1 - f, g, o and `tanh(c)`.
struct Narrow {
    i: Interval,
    off: Interval,
    g: Interval,
    o: Interval,
    t: Interval,
}

/// One row in one form: four factors of the gates' recurrent weights, and the diagonal's own term.
struct Form {
    factor: [Interval; 4],
    diagonal: Interval,
    value: Interval,
}

impl<const N: usize> LstmReduced<N> {
    /// The pre-activation of gate `q`, unit `k` over the box, by a sum with an a-priori error bound.
    #[inline(always)]
    fn z(&self, q: usize, k: usize, x: &[Interval; N]) -> Interval {
        linear(self.z0[q][k], &self.w[q][k], x)
    }

    #[inline(always)]
    fn gates(&self, k: usize, x: &[Interval; N]) -> Gates {
        let i = SigmoidGate::at(self.z(I, k, x));
        let f = SigmoidGate::at(self.z(F, k, x));
        let g = TanhGate::at(self.z(G, k, x));
        let o = SigmoidGate::at(self.z(O, k, x));
        let c = i.on * g.value / f.off;
        Gates { i, f, g, o, c, t: TanhGate::at(c) }
    }

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

    /// The gates at (nearly) one point: only what the rows' values need.
    #[inline(always)]
    fn narrow(&self, k: usize, x: &[Interval; N]) -> Narrow {
        let [i, off, g, o] = narrow_gates(std::array::from_fn(|q| self.z(q, k, x)));
        Narrow { i, off, g, o, t: tanh(i * g / off) }
    }

    /// One step of the roll-out in floating point, at the middle of the input's enclosure.
    #[inline]
    pub(crate) fn step(&self, h: &mut [f64; N], c: &mut [f64; N]) {
        let mut next = [0.0; N];
        for k in 0..N {
            let z: [f64; 4] = std::array::from_fn(|q| {
                let mut z = self.mid[q][k];
                for (w, h) in self.w[q][k].iter().zip(&*h) {
                    z += w * h;
                }
                z
            });
            let (e, m) = exp_parts([z[I].abs(), z[F].abs(), 2.0 * z[G].abs(), z[O].abs()]);
            let on = |q: usize| if z[q] >= 0.0 { 1.0 } else { e[q] };
            // i g = on_i m_g / ((1 + e_i) (1 + e_g)): one division for two gates.
            let drive = on(I) * f64::copysign(m[G], z[G]) / ((1.0 + e[I]) * (1.0 + e[G]));
            c[k] = on(F) / (1.0 + e[F]) * c[k] + drive;
            let ([e_c], [m_c]) = exp_parts([2.0 * c[k].abs()]);
            next[k] = on(O) * f64::copysign(m_c, c[k]) / ((1.0 + e[O]) * (1.0 + e_c));
        }
        *h = next;
    }

    #[inline(always)]
    fn r_form(u: &Gates, at: &Narrow, x: f64) -> Form {
        let spread = u.o.on * u.t.psi;
        let mut d = u.o.on * u.t.slope * u.g.slope * u.i.on / u.f.off;
        if u.g.value.lo > 0.0 || u.g.value.hi < 0.0 {
            d = d.intersect(spread * u.g.slope / u.g.value).unwrap_or(d);
        }
        Form {
            factor: [-(spread * u.i.off), -(spread * u.f.on), -d, -(u.o.slope * u.t.value)],
            diagonal: Interval::point(1.0),
            value: Interval::point(x) - at.o * at.t,
        }
    }

    #[inline(always)]
    fn g_form(u: &Gates, at: &Narrow, h: Interval, x: f64) -> Option<Form> {
        if u.o.on.lo < GATE_MIN {
            return None;
        }
        let q = h / u.o.on;
        if q.mag() >= RATIO_MAX {
            return None;
        }
        // 1 - q^2 stays away from zero because |q| < RATIO_MAX.
        let square = q.lo * q.lo;
        let other = q.hi * q.hi;
        let low = if q.contains(0.0) { 0.0 } else { least(square, other) };
        let bend = Interval { lo: down(1.0 - up(most(square, other))), hi: up(1.0 - down(low)).min(1.0) };
        let s = u.f.off;
        let slope = s / bend;
        Some(Form {
            factor: [
                -(u.i.slope * u.g.value),
                -(u.f.slope * atanh(q)),
                -(u.i.on * u.g.slope),
                -(slope * q * u.o.off),
            ],
            diagonal: slope / u.o.on,
            value: at.off * atanh(Interval::point(x) / at.o) - at.i * at.g,
        })
    }

    /// The Jacobian row of a form as middle and radius, and its relative uncertainty over the box.
    #[inline(always)]
    fn row(&self, k: usize, form: &Form, rad_x: &[f64; N]) -> ([f64; N], [f64; N], f64) {
        let gamma = 8.0 * ROUND;
        let (mut mid, mut rad) = ([0.0; N], [0.0; N]);
        let (mut unsure, mut sure) = (0.0, 0.0);
        let m: [f64; 4] = std::array::from_fn(|q| form.factor[q].mid());
        let r: [f64; 4] = std::array::from_fn(|q| form.factor[q].rad());
        for j in 0..N {
            let (mut s, mut size, mut spread) = (0.0, 0.0, 0.0);
            for q in 0..4 {
                let w = self.w[q][k][j];
                s += m[q] * w;
                size += (m[q] * w).abs();
                spread += r[q] * w.abs();
            }
            if j == k {
                s += form.diagonal.mid();
                size += form.diagonal.mid().abs();
                spread += form.diagonal.rad();
            }
            mid[j] = s;
            rad[j] = (spread + gamma * size) * (1.0 + gamma) + TINY;
            unsure += rad[j] * rad_x[j];
            sure += s.abs() * rad_x[j];
        }
        (mid, rad, unsure / sure)
    }
}

/// `z0 + sum w_j x_j`, rounded outwards once by a bound on the whole sum's error.
#[inline(always)]
pub(crate) fn linear<const N: usize>(z0: Interval, w: &[f64; N], x: &[Interval; N]) -> Interval {
    let (mut lo, mut hi, mut size) = (z0.lo, z0.hi, most(z0.lo.abs(), z0.hi.abs()));
    for j in 0..N {
        let (a, b) = (w[j] * x[j].lo, w[j] * x[j].hi);
        lo += least(a, b);
        hi += most(a, b);
        size += most(a.abs(), b.abs());
    }
    let error = size * (N as f64 + 2.0) * ROUND + TINY;
    Interval { lo: lo - error, hi: hi + error }
}

/// Narrows each `x_j` so that `z0 + sum w_j x_j` can still reach `target`; `false` when it cannot.
#[inline(always)]
pub(crate) fn backward_linear<const N: usize>(
    target: Interval,
    z0: Interval,
    w: &[f64; N],
    x: &mut [Interval; N],
) -> bool {
    for j in 0..N {
        if w[j] == 0.0 {
            continue;
        }
        let mut others = *w;
        others[j] = 0.0;
        let rest = linear(z0, &others, x);
        let cut = (target - rest) / Interval::point(w[j]);
        match x[j].intersect(cut) {
            Some(cut) => x[j] = cut,
            None => return false,
        }
    }
    true
}

impl<const N: usize> Reduced<N> for LstmReduced<N> {
    fn contract(&self, x: &mut [Interval; N]) -> bool {
        for k in 0..N {
            let i = SigmoidGate::at(self.z(I, k, x)).on;
            let s = SigmoidGate::at(self.z(F, k, x)).off;
            let zg = self.z(G, k, x);
            let g = TanhGate::at(zg).value;
            let o = SigmoidGate::at(self.z(O, k, x)).on;
            let c = i * g / s;
            let t = TanhGate::at(c).value;
            let Some(cut) = x[k].intersect(o * t) else { return false };
            x[k] = cut;
            if o.lo < GATE_MIN || i.lo < GATE_MIN {
                continue;
            }
            let Some(c) = c.intersect(atanh(x[k] / o)) else { return false };
            let Some(g) = g.intersect(c * s / i) else { return false };
            let Some(zg) = zg.intersect(atanh(g)) else { return false };
            if !backward_linear(zg, self.z0[G][k], &self.w[G][k], x) {
                return false;
            }
        }
        true
    }

    fn rows(&self, x: &[Interval; N], mid: &[f64; N]) -> Rows<N> {
        let thin: [Interval; N] = std::array::from_fn(|k| Interval::point(mid[k]));
        let rad_x: [f64; N] = std::array::from_fn(|k| x[k].rad());
        let mut rows = Rows::ZERO;
        for k in 0..N {
            let (over, at) = (self.gates(k, x), self.narrow(k, &thin));
            let r = Self::r_form(&over, &at, mid[k]);
            let (m, d, unsure) = self.row(k, &r, &rad_x);
            (rows.value[k], rows.mid[k], rows.rad[k]) = (r.value, m, d);
            if let Some(g) = Self::g_form(&over, &at, x[k], mid[k]) {
                let (m, d, other) = self.row(k, &g, &rad_x);
                // A comparison with NaN must not keep an R-form that knows nothing.
                if other < unsure || unsure.is_nan() {
                    (rows.value[k], rows.mid[k], rows.rad[k]) = (g.value, m, d);
                }
            }
        }
        rows
    }
}
