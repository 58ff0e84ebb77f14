//! Maps `x -> F(x)` whose long-run behavior is studied.

mod affine;
mod driven;
mod gru;
mod lstm;
mod rnn;
mod scalar;
mod stacked;

pub use driven::Driven;
pub use gru::{GruCell, GruMap};
pub use lstm::{LstmCell, LstmMap};
pub use rnn::{Nonlinearity, RnnCell, RnnMap};
pub use scalar::Scalar;
pub use stacked::{StackedLstm, StackedMap};

pub(crate) use affine::{Affine, check_shape};
pub(crate) use gru::Reset;

use crate::interval::Interval;

/// States that are stepped side by side.
pub const LANES: usize = 4;

/// A discrete dynamical system `x' = F(x)` on `R^n`, under a constant input when it has one.
///
/// The formulas are written once over a [`Scalar`]: evaluated in `f64` they drive the solvers, evaluated in
/// [`Interval`]s they give the certificates. An implementation must therefore use only the operations
/// of [`Scalar`] on its state (any branch on a state's value would break the enclosure).
///
/// Slices passed in have the lengths stated; implementations may rely on that.
pub trait Map {
    /// The dimension `n` of the state.
    fn dim(&self) -> usize;

    /// One step: `x` (length `n`) to `out` (length `n`).
    fn step<S: Scalar>(&self, x: &[S], out: &mut [S]);

    /// The state Jacobian `dF_i / dx_j` at `x`, row-major into `out` (length `n * n`). Over a box where the map is not
    /// [smooth](Self::is_smooth), an enclosure of the slopes of all chords, by which the certificates hold there too.
    fn jacobian<S: Scalar>(&self, x: &[S], out: &mut [S]);

    /// The step and the state Jacobian at once, for maps whose formulas share work.
    fn linearize<S: Scalar>(&self, x: &[S], step: &mut [S], jacobian: &mut [S]) {
        self.step(x, step);
        self.jacobian(x, jacobian);
    }

    /// Whether the map is proved to have a derivative everywhere in the box `x` (length `n`). On a kink there is no Jacobian
    /// that could tell the stability.
    fn is_smooth(&self, x: &[Interval]) -> bool {
        let _ = x;
        true
    }

    /// One step of several states side by side, bit for bit what [`step`](Self::step) gives for each: component by component,
    /// from `x` (length `n`) to `out` (length `n`).
    fn step_side_by_side(&self, x: &[[f64; LANES]], out: &mut [[f64; LANES]]) {
        step_each(self, x, out);
    }

    /// The width of the input `u`; zero when the map has none or its weights are not known.
    fn input_dim(&self) -> usize {
        0
    }

    /// The input Jacobian `dF_i / du_j` at `x`, row-major into `out` (length `n * input_dim()`).
    fn input_jacobian(&self, x: &[f64], out: &mut [f64]) {
        let (_, _) = (x, out);
    }

    /// A box that holds every fixed point and cycle, when one is known; starts are spread over it.
    fn bounds(&self) -> Option<Vec<(f64, f64)>> {
        None
    }
}

/// [`Map::step_side_by_side`], one state after the other.
fn step_each<M: Map + ?Sized>(map: &M, x: &[[f64; LANES]], out: &mut [[f64; LANES]]) {
    let (mut one, mut next) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    for lane in 0..LANES {
        one.iter_mut().zip(x).for_each(|(to, from)| *to = from[lane]);
        map.step(&one, &mut next);
        out.iter_mut().zip(&next).for_each(|(to, from)| to[lane] = *from);
    }
}
