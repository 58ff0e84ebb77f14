//! The GRU's fixed points: `h' = (1 - z) n + z h = h` means `h = n`, since `z < 1`: the update gate drops out.

use super::lstm::linear;
use super::rnn::tanh_row;
use super::{Reduced, boxes::Rows};
use crate::interval::{Interval, SigmoidGate, TanhGate};

/// A GRU with `N` units under a constant input, reduced to `h_k = tanh(n_k + r_k a_k)`.
#[derive(Debug, Clone)]
pub(crate) struct GruReduced<const N: usize> {
    /// Input pre-activations of the reset gate.
    pub(crate) r0: [Interval; N],
    /// Input pre-activations of the candidate.
    pub(crate) n0: [Interval; N],
    /// Recurrent bias of the candidate.
    pub(crate) a0: [Interval; N],
    /// Recurrent weights of the reset gate.
    pub(crate) w_r: [[f64; N]; N],
    /// Recurrent weights of the candidate.
    pub(crate) w_n: [[f64; N]; N],
}

/// The candidate's pre-activation over a box, with the factors of its recurrent weights.
struct Candidate {
    z: Interval,
    /// `dz / dz_r`.
    to_r: Interval,
    /// The reset gate, `dz / da`.
    r: Interval,
}

impl<const N: usize> GruReduced<N> {
    fn candidate(&self, k: usize, x: &[Interval; N]) -> Candidate {
        let reset = SigmoidGate::at(linear(self.r0[k], &self.w_r[k], x));
        let a = linear(self.a0[k], &self.w_n[k], x);
        Candidate { z: self.n0[k] + reset.on * a, to_r: reset.slope * a, r: reset.on }
    }
}

impl<const N: usize> Reduced<N> for GruReduced<N> {
    fn contract(&self, x: &mut [Interval; N]) -> bool {
        for k in 0..N {
            let z = self.candidate(k, x).z;
            let Some(cut) = x[k].intersect(TanhGate::at(z).value) else { return false };
            x[k] = cut;
        }
        true
    }

    fn rows(&self, x: &[Interval; N], mid: &[f64; N]) -> Rows<N> {
        let thin: [Interval; N] = std::array::from_fn(|k| Interval::point(mid[k]));
        let mut rows = Rows::ZERO;
        for k in 0..N {
            let over = self.candidate(k, x);
            let at = self.candidate(k, &thin).z;
            let dz: [Interval; N] =
                std::array::from_fn(|j| over.to_r.scale(self.w_r[k][j]) + over.r.scale(self.w_n[k][j]));
            tanh_row(&mut rows, k, x, &thin, over.z, at, &dz);
        }
        rows
    }
}

/// The same with the reset gates before the product: `h_k = tanh(n_k + sum_j w_kj r_j h_j)`.
#[derive(Debug, Clone)]
pub(crate) struct ResetBefore<const N: usize> {
    /// Input pre-activations of the reset gate.
    pub(crate) r0: [Interval; N],
    /// Input pre-activations of the candidate.
    pub(crate) n0: [Interval; N],
    /// Recurrent weights of the reset gate.
    pub(crate) w_r: [[f64; N]; N],
    /// Recurrent weights of the candidate.
    pub(crate) w_n: [[f64; N]; N],
}

impl<const N: usize> ResetBefore<N> {
    fn resets(&self, x: &[Interval; N]) -> [SigmoidGate; N] {
        std::array::from_fn(|k| SigmoidGate::at(linear(self.r0[k], &self.w_r[k], x)))
    }

    /// The candidate's pre-activation over a box.
    fn candidate(&self, k: usize, x: &[Interval; N], resets: &[SigmoidGate; N]) -> Interval {
        (0..N).fold(self.n0[k], |z, j| z + (resets[j].on * x[j]).scale(self.w_n[k][j]))
    }
}

impl<const N: usize> Reduced<N> for ResetBefore<N> {
    fn contract(&self, x: &mut [Interval; N]) -> bool {
        // The gates over the box as it was hold for every smaller one.
        let resets = self.resets(x);
        for k in 0..N {
            let z = self.candidate(k, x, &resets);
            let Some(cut) = x[k].intersect(TanhGate::at(z).value) else { return false };
            x[k] = cut;
        }
        true
    }

    fn rows(&self, x: &[Interval; N], mid: &[f64; N]) -> Rows<N> {
        let thin: [Interval; N] = std::array::from_fn(|k| Interval::point(mid[k]));
        let (over, at) = (self.resets(x), self.resets(&thin));
        let mut rows = Rows::ZERO;
        for k in 0..N {
            let (z, z_thin) = (self.candidate(k, x, &over), self.candidate(k, &thin, &at));
            let dz: [Interval; N] = std::array::from_fn(|j| {
                let through = |i: usize| (over[i].slope * x[i]).scale(self.w_n[k][i]).scale(self.w_r[i][j]);
                (0..N).fold(over[j].on.scale(self.w_n[k][j]), |sum, i| sum + through(i))
            });
            tanh_row(&mut rows, k, x, &thin, z, z_thin, &dz);
        }
        rows
    }
}
