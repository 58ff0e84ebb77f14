//! The GRU cell, gate order r, z, n (PyTorch's: the reset gate acts after the recurrent product).

use ndarray::{Array1, ArrayRef, Ix1, Ix2};

use super::{Affine, Map, Scalar};
use crate::error::Error;
use crate::interval::Interval;

/// Number of gates, stacked in the order r, z, n.
const GATES: usize = 3;

/// The weights of a GRU layer: `r, z` logistic, `n = tanh(W_xn u + b_n + r (W_hn h + b_hn))`, `h' = (1 - z) n + z h`.
#[derive(Debug, Clone)]
pub struct GruCell {
    pub(crate) affine: Affine,
    pub(crate) b_hn: Array1<f64>,
}

impl GruCell {
    /// Checks the weights: `w_x` is `3M x C`, `w_h` `3M x M`, `b` has length `3M` (both biases summed for r and z, the
    /// input bias for n) and `b_hn` length `M` (the recurrent bias of n, which the reset gate multiplies).
    ///
    /// # Errors
    /// [`Error::NoUnits`], [`Error::Shape`] or [`Error::NotFinite`].
    pub fn new(
        w_x: &ArrayRef<f64, Ix2>,
        w_h: &ArrayRef<f64, Ix2>,
        b: &ArrayRef<f64, Ix1>,
        b_hn: &ArrayRef<f64, Ix1>,
    ) -> Result<Self, Error> {
        let affine = Affine::new(GATES, w_x, w_h, b)?;
        super::affine::check_shape("b_hn", b_hn.shape(), &[affine.units])?;
        super::affine::check_finite_vector("b_hn", b_hn)?;
        Ok(Self { affine, b_hn: b_hn.to_owned() })
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
    pub fn under(&self, u: &ArrayRef<f64, Ix1>) -> Result<GruMap<'_>, Error> {
        Ok(GruMap { cell: self, z0: self.affine.enclose(u)? })
    }
}

/// A GRU layer under a constant input: a map on `h`, dimension M.
#[derive(Debug, Clone)]
pub struct GruMap<'a> {
    pub(crate) cell: &'a GruCell,
    pub(crate) z0: Vec<Interval>,
}

/// The quantities of one unit: gates, candidate and the recurrent part of the candidate.
struct Unit<S> {
    zr: S,
    zz: S,
    zn: S,
    recurrent: S,
}

impl GruMap<'_> {
    fn unit<S: Scalar>(&self, k: usize, h: &[S]) -> Unit<S> {
        let a = &self.cell.affine;
        let m = a.units;
        let mut z = [S::within(self.z0[k]), S::within(self.z0[m + k]), S::exact(self.cell.b_hn[k])];
        for (q, z) in z.iter_mut().enumerate() {
            for (j, &hj) in h.iter().enumerate() {
                *z = *z + S::exact(a.recurrent(q * m + k, j)) * hj;
            }
        }
        let [zr, zz, recurrent] = z;
        Unit { zr, zz, zn: S::within(self.z0[2 * m + k]) + zr.sigmoid() * recurrent, recurrent }
    }
}

impl Map for GruMap<'_> {
    fn dim(&self) -> usize {
        self.cell.units()
    }

    fn step<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        for k in 0..self.dim() {
            let u = self.unit(k, x);
            out[k] = u.zz.sigmoid_complement() * u.zn.tanh() + u.zz.sigmoid() * x[k];
        }
    }

    fn jacobian<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        let m = self.dim();
        for k in 0..m {
            let u = self.unit(k, x);
            let w = |q: usize, j: usize| S::exact(self.cell.affine.recurrent(q * m + k, j));
            let to_n = u.zz.sigmoid_complement() * u.zn.tanh_slope();
            let to_z = u.zz.sigmoid_slope() * (x[k] - u.zn.tanh());
            for j in 0..m {
                let dn = u.zr.sigmoid_slope() * u.recurrent * w(0, j) + u.zr.sigmoid() * w(2, j);
                out[k * m + j] = to_n * dn + to_z * w(1, j);
            }
            out[k * m + k] = out[k * m + k] + u.zz.sigmoid();
        }
    }

    fn input_dim(&self) -> usize {
        self.cell.affine.inputs()
    }

    fn input_jacobian(&self, x: &[f64], out: &mut [f64]) {
        let (m, inputs) = (self.dim(), self.input_dim());
        let w_x = &self.cell.affine.w_x;
        for k in 0..m {
            let u = self.unit(k, x);
            let to_n = u.zz.sigmoid_complement() * u.zn.tanh_slope();
            let to_z = u.zz.sigmoid_slope() * (x[k] - u.zn.tanh());
            let to_r = u.zr.sigmoid_slope() * u.recurrent;
            for j in 0..inputs {
                out[k * inputs + j] =
                    to_n * (to_r * w_x[[k, j]] + w_x[[2 * m + k, j]]) + to_z * w_x[[m + k, j]];
            }
        }
    }

    fn bounds(&self) -> Option<Vec<(f64, f64)>> {
        Some(vec![(-1.0, 1.0); self.dim()])
    }
}
