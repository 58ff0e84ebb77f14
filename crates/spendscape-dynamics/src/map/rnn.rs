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

/// Units whose exponentials share vectors.
const LANES: usize = 4;

impl RnnMap<'_> {
    /// The pre-activations of `K` units from unit `first` on.
    #[inline(always)]
    fn preactivations<S: Scalar, const K: usize>(&self, first: usize, h: &[S]) -> [S; K] {
        let m = h.len();
        let rows: [&[f64]; K] = std::array::from_fn(|k| &self.cell.affine.recurrent_row(first + k)[..m]);
        let mut z: [S; K] = std::array::from_fn(|k| S::within(self.z0[first + k]));
        for (j, &h) in h.iter().enumerate() {
            for (z, row) in z.iter_mut().zip(rows) {
                *z = *z + S::exact(row[j]) * h;
            }
        }
        z
    }

    /// Calls `unit` with each unit's number, state and slope.
    #[inline(always)]
    fn units<S: Scalar>(&self, h: &[S], mut unit: impl FnMut(usize, S, S)) {
        let mut first = 0;
        while first + LANES <= h.len() {
            let (value, slope) = S::tangents(self.preactivations::<S, LANES>(first, h));
            for k in 0..LANES {
                unit(first + k, value[k], slope[k]);
            }
            first += LANES;
        }
        for k in first..h.len() {
            let ([value], [slope]) = S::tangents(self.preactivations::<S, 1>(k, h));
            unit(k, value, slope);
        }
    }
}

impl Map for RnnMap<'_> {
    fn dim(&self) -> usize {
        self.cell.units()
    }

    fn step<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        self.units(x, |k, value, _| out[k] = value);
    }

    fn jacobian<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        let m = self.dim();
        self.units(x, |k, _, slope| {
            for (j, &w) in out[k * m..(k + 1) * m].iter_mut().zip(self.cell.affine.recurrent_row(k)) {
                *j = slope * S::exact(w);
            }
        });
    }

    fn linearize<S: Scalar>(&self, x: &[S], step: &mut [S], jacobian: &mut [S]) {
        let m = self.dim();
        self.units(x, |k, value, slope| {
            step[k] = value;
            for (j, &w) in jacobian[k * m..(k + 1) * m].iter_mut().zip(self.cell.affine.recurrent_row(k)) {
                *j = slope * S::exact(w);
            }
        });
    }

    fn input_dim(&self) -> usize {
        self.cell.affine.inputs()
    }

    fn input_jacobian(&self, x: &[f64], out: &mut [f64]) {
        let inputs = self.input_dim();
        self.units(x, |k, _, slope| {
            for j in 0..inputs {
                out[k * inputs + j] = slope * self.cell.affine.w_x[[k, j]];
            }
        });
    }

    fn bounds(&self) -> Option<Vec<(f64, f64)>> {
        Some(vec![(-1.0, 1.0); self.dim()])
    }
}
