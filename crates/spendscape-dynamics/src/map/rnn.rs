//! The tanh recurrent layer `h' = tanh(W_x u + W_h h + b)`.

use ndarray::{ArrayRef, Ix1, Ix2};

use super::{Affine, Map, Scalar};
use crate::error::Error;
use crate::interval::Interval;

/// The weights of a tanh recurrent layer.
#[derive(Debug, Clone)]
pub struct RnnCell {
    pub(crate) affine: Affine,
}

impl RnnCell {
    /// Checks the weights: `w_x` is `M x C`, `w_h` `M x M` and `b` has length `M`.
    ///
    /// # Errors
    /// [`Error::NoUnits`], [`Error::Shape`] or [`Error::NotFinite`].
    pub fn new(
        w_x: &ArrayRef<f64, Ix2>,
        w_h: &ArrayRef<f64, Ix2>,
        b: &ArrayRef<f64, Ix1>,
    ) -> Result<Self, Error> {
        Ok(Self { affine: Affine::new(1, w_x, w_h, b)? })
    }

    /// The number of units M, the dimension of the state.
    #[must_use]
    pub fn units(&self) -> usize {
        self.affine.units
    }

    /// The map under the constant input `u`.
    ///
    /// # Errors
    /// [`Error::InputWidth`] or [`Error::NotFinite`].
    pub fn under(&self, u: &ArrayRef<f64, Ix1>) -> Result<RnnMap<'_>, Error> {
        Ok(RnnMap { cell: self, z0: self.affine.enclose(u)? })
    }
}

/// A tanh recurrent layer under a constant input: a map on `h`, dimension M.
#[derive(Debug, Clone)]
pub struct RnnMap<'a> {
    pub(crate) cell: &'a RnnCell,
    pub(crate) z0: Vec<Interval>,
}

impl RnnMap<'_> {
    fn preactivation<S: Scalar>(&self, k: usize, h: &[S]) -> S {
        let mut z = S::within(self.z0[k]);
        for (&w, &h) in self.cell.affine.recurrent_row(k).iter().zip(h) {
            z = z + S::exact(w) * h;
        }
        z
    }
}

impl Map for RnnMap<'_> {
    fn dim(&self) -> usize {
        self.cell.units()
    }

    fn step<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        for (k, out) in out.iter_mut().enumerate() {
            *out = self.preactivation(k, x).tanh();
        }
    }

    fn jacobian<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        for (k, row) in out.chunks_exact_mut(self.dim()).enumerate() {
            let slope = self.preactivation(k, x).tanh_slope();
            for (j, &w) in row.iter_mut().zip(self.cell.affine.recurrent_row(k)) {
                *j = slope * S::exact(w);
            }
        }
    }

    fn linearize<S: Scalar>(&self, x: &[S], step: &mut [S], jacobian: &mut [S]) {
        for (k, row) in jacobian.chunks_exact_mut(self.dim()).enumerate() {
            let z = self.preactivation(k, x);
            step[k] = z.tanh();
            let slope = z.tanh_slope();
            for (j, &w) in row.iter_mut().zip(self.cell.affine.recurrent_row(k)) {
                *j = slope * S::exact(w);
            }
        }
    }

    fn input_dim(&self) -> usize {
        self.cell.affine.inputs()
    }

    fn input_jacobian(&self, x: &[f64], out: &mut [f64]) {
        let inputs = self.input_dim();
        for k in 0..self.dim() {
            let slope = self.preactivation(k, x).tanh_slope();
            for j in 0..inputs {
                out[k * inputs + j] = slope * self.cell.affine.w_x[[k, j]];
            }
        }
    }

    fn bounds(&self) -> Option<Vec<(f64, f64)>> {
        Some(vec![(-1.0, 1.0); self.dim()])
    }
}
