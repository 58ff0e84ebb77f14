//! The GRU cell, gate order r, z, n: the reset gate acts after the recurrent product (PyTorch's) or before it.

use ndarray::{Array1, ArrayRef, Ix1, Ix2};
use spendscape_stats::check;

use super::{Affine, Map, Scalar};
use crate::error::Error;
use crate::interval::Interval;

/// Number of gates, stacked in the order r, z, n.
const GATES: usize = 3;

/// Where the reset gate acts.
#[derive(Debug, Clone)]
pub(crate) enum Reset {
    /// `n = tanh(W_xn u + b_n + r (W_hn h + b_hn))`.
    After {
        /// `b_hn`, length `M`.
        bias: Array1<f64>,
    },
    /// `n = tanh(W_xn u + b_n + W_hn (r h))`.
    Before,
}

/// The weights of a GRU layer: `r, z` logistic, `n = tanh(W_xn u + b_n + r (W_hn h + b_hn))`, or
/// `n = tanh(W_xn u + b_n + W_hn (r h))` with the reset before the product; `h' = (1 - z) n + z h`.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{fixed_points::{Complete, SearchParams}, map::GruCell};
///
/// // One unit whose new value is tanh(h / 2): nothing but the origin stays.
/// let w_h = array![[0.0], [0.0], [1.0]];
/// let cell = GruCell::new(&Array2::zeros((3, 0)), &w_h, &array![0.0, 0.0, 0.0], &array![0.0])?;
/// let list = cell.under(&array![])?.fixed_points(&SearchParams::default());
/// assert_eq!(list.points.len(), 1);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct GruCell {
    pub(crate) affine: Affine,
    pub(crate) reset: Reset,
}

impl GruCell {
    /// A cell with the reset after the product, with checked weights: `w_x` is `3M x C`, `w_h` `3M x M`, `b` has length `3M`
    /// (both biases summed for r and z, the input bias for n) and `b_hn` length `M` (the recurrent bias of n, which the reset
    /// gate multiplies).
    ///
    /// # Errors
    /// [`Error::NoUnits`], [`Error::Shape`] or `BadInput::NotFinite`.
    pub fn new(
        w_x: &ArrayRef<f64, Ix2>,
        w_h: &ArrayRef<f64, Ix2>,
        b: &ArrayRef<f64, Ix1>,
        b_hn: &ArrayRef<f64, Ix1>,
    ) -> Result<Self, Error> {
        let affine = Affine::new(GATES, w_x, w_h, b)?;
        super::affine::check_shape("b_hn", b_hn.shape(), &[affine.units])?;
        check::finite("b_hn", b_hn)?;
        Ok(Self { affine, reset: Reset::After { bias: b_hn.to_owned() } })
    }

    /// A cell with the reset before the product, as Keras's `reset_after=False` and ONNX's `linear_before_reset = 0` have it;
    /// `b` (length `3M`) holds the sums of all biases.
    ///
    /// # Errors
    /// [`Error::NoUnits`], [`Error::Shape`] or `BadInput::NotFinite`.
    pub fn reset_before(
        w_x: &ArrayRef<f64, Ix2>,
        w_h: &ArrayRef<f64, Ix2>,
        b: &ArrayRef<f64, Ix1>,
    ) -> Result<Self, Error> {
        Ok(Self { affine: Affine::new(GATES, w_x, w_h, b)?, reset: Reset::Before })
    }

    /// The number of units M, the dimension of the state.
    #[must_use]
    pub fn units(&self) -> usize {
        self.affine.units
    }

    /// The map under the constant input `u`.
    ///
    /// # Errors
    /// [`Error::InputWidth`] or `BadInput::NotFinite`.
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

/// The quantities of one unit.
struct Unit<S> {
    /// Pre-activation of the update gate.
    zz: S,
    /// Pre-activation of the candidate.
    zn: S,
    /// The unit's reset gate.
    r: S,
    /// `dz_n / dz_r`, with the reset after the product.
    to_r: S,
}

impl GruMap<'_> {
    /// A row of the recurrent weights times `h`, plus a bias.
    fn row<S: Scalar>(&self, row: usize, bias: S, h: &[S]) -> S {
        let weights = self.cell.affine.recurrent_row(row);
        weights.iter().zip(h).fold(bias, |z, (&w, &h)| z + S::exact(w) * h)
    }

    /// Of every unit, the reset gate and its slope times the state, where the candidates of all units need them.
    fn resets<S: Scalar>(&self, h: &[S]) -> Vec<(S, S)> {
        let Reset::Before = self.cell.reset else { return Vec::new() };
        let gate = |k: usize| {
            let z = self.row(k, S::within(self.z0[k]), h);
            (z.sigmoid(), z.sigmoid_slope() * h[k])
        };
        (0..h.len()).map(gate).collect()
    }

    fn unit<S: Scalar>(&self, k: usize, h: &[S], resets: &[(S, S)]) -> Unit<S> {
        let m = h.len();
        let zz = self.row(m + k, S::within(self.z0[m + k]), h);
        let drive = S::within(self.z0[2 * m + k]);
        match &self.cell.reset {
            Reset::After { bias } => {
                let zr = self.row(k, S::within(self.z0[k]), h);
                let recurrent = self.row(2 * m + k, S::exact(bias[k]), h);
                let r = zr.sigmoid();
                Unit { zz, zn: drive + r * recurrent, r, to_r: zr.sigmoid_slope() * recurrent }
            }
            Reset::Before => {
                let weights = self.cell.affine.recurrent_row(2 * m + k);
                let fed = weights.iter().zip(resets.iter().zip(h));
                let zn = fed.fold(drive, |z, (&w, ((r, _), &h))| z + S::exact(w) * (*r * h));
                Unit { zz, zn, r: resets[k].0, to_r: S::exact(0.0) }
            }
        }
    }

    /// The gain of the candidate's pre-activation through the reset gates, where `of` gives the derivative of a gate's
    /// pre-activation by its row.
    fn through_resets<S: Scalar>(
        &self,
        k: usize,
        unit: &Unit<S>,
        resets: &[(S, S)],
        of: impl Fn(usize) -> f64,
    ) -> S {
        match &self.cell.reset {
            Reset::After { .. } => unit.to_r * S::exact(of(k)),
            Reset::Before => {
                let weights = self.cell.affine.recurrent_row(2 * resets.len() + k).iter();
                let each = weights.zip(resets).enumerate();
                each.fold(S::exact(0.0), |sum, (i, (&w, &(_, to_r)))| {
                    sum + S::exact(w) * to_r * S::exact(of(i))
                })
            }
        }
    }
}

impl Map for GruMap<'_> {
    fn dim(&self) -> usize {
        self.cell.units()
    }

    fn step<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        let resets = self.resets(x);
        for k in 0..self.dim() {
            let u = self.unit(k, x, &resets);
            out[k] = u.zz.sigmoid_complement() * u.zn.tanh() + u.zz.sigmoid() * x[k];
        }
    }

    fn jacobian<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        let m = self.dim();
        let resets = self.resets(x);
        let weight = |row: usize, j: usize| self.cell.affine.recurrent(row, j);
        for k in 0..m {
            let u = self.unit(k, x, &resets);
            let to_n = u.zz.sigmoid_complement() * u.zn.tanh_slope();
            let to_z = u.zz.sigmoid_slope() * (x[k] - u.zn.tanh());
            for j in 0..m {
                let r = resets.get(j).map_or(u.r, |(r, _)| *r);
                let dn = self.through_resets(k, &u, &resets, |i| weight(i, j))
                    + r * S::exact(weight(2 * m + k, j));
                out[k * m + j] = to_n * dn + to_z * S::exact(weight(m + k, j));
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
        let resets = self.resets(x);
        for k in 0..m {
            let u = self.unit(k, x, &resets);
            let to_n = u.zz.sigmoid_complement() * u.zn.tanh_slope();
            let to_z = u.zz.sigmoid_slope() * (x[k] - u.zn.tanh());
            for j in 0..inputs {
                let dn = self.through_resets(k, &u, &resets, |i| w_x[[i, j]]) + w_x[[2 * m + k, j]];
                out[k * inputs + j] = to_n * dn + to_z * w_x[[m + k, j]];
            }
        }
    }

    fn bounds(&self) -> Option<Vec<(f64, f64)>> {
        Some(vec![(-1.0, 1.0); self.dim()])
    }
}
