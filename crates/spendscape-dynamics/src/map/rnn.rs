//! The plain recurrent layer `h' = f(W_x u + W_h h + b)`, where f is tanh or relu.

use ndarray::{ArrayRef, Ix1, Ix2};
use spendscape_linalg::small::solve;

use super::{Affine, Map, Scalar};
use crate::error::Error;
use crate::interval::{Interval, up};

/// The function that a plain recurrent layer applies to its pre-activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nonlinearity {
    /// The hyperbolic tangent.
    Tanh,
    /// `max(0, x)`: piecewise linear, with kinks where a pre-activation is zero, and unbounded.
    Relu,
}

/// The weights of a plain recurrent layer.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{fixed_points::{Complete, SearchParams}, map::RnnCell};
///
/// // x' = tanh(2 x): a threshold at zero between two attractors.
/// let cell = RnnCell::new(&Array2::zeros((1, 0)), &array![[2.0]], &array![0.0])?;
/// let list = cell.under(&array![])?.fixed_points(&SearchParams::default());
/// assert_eq!(list.points.iter().filter(|point| point.time_constant().is_finite()).count(), 2);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RnnCell {
    pub(crate) affine: Affine,
    pub(crate) nonlinearity: Nonlinearity,
}

impl RnnCell {
    /// A tanh layer, with checked weights: `w_x` is `M x C`, `w_h` `M x M` and `b` has length `M`.
    ///
    /// # Errors
    /// [`Error::NoUnits`], [`Error::Shape`] or `BadInput::NotFinite`.
    pub fn new(
        w_x: &ArrayRef<f64, Ix2>,
        w_h: &ArrayRef<f64, Ix2>,
        b: &ArrayRef<f64, Ix1>,
    ) -> Result<Self, Error> {
        Ok(Self { affine: Affine::new(1, w_x, w_h, b)?, nonlinearity: Nonlinearity::Tanh })
    }

    /// The layer with another nonlinearity.
    #[must_use]
    pub fn with(self, nonlinearity: Nonlinearity) -> Self {
        Self { nonlinearity, ..self }
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
    pub fn under(&self, u: &ArrayRef<f64, Ix1>) -> Result<RnnMap<'_>, Error> {
        Ok(RnnMap { cell: self, z0: self.affine.enclose(u)? })
    }
}

/// A plain recurrent layer under a constant input: a map on `h`, dimension M.
#[derive(Debug, Clone)]
pub struct RnnMap<'a> {
    pub(crate) cell: &'a RnnCell,
    pub(crate) z0: Vec<Interval>,
}

/// Units whose exponentials share vectors.
const LANES: usize = 4;
/// The margin on the pre-activations of a relu layer, relative to the largest one, to find the box of its states: the
/// box must be mapped strictly into itself.
const BOX_MARGIN: f64 = 1e-9;

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

    /// The nonlinearity and its slope at several pre-activations.
    #[inline(always)]
    fn activate<S: Scalar, const K: usize>(&self, z: [S; K]) -> ([S; K], [S; K]) {
        match self.cell.nonlinearity {
            Nonlinearity::Tanh => S::tangents(z),
            Nonlinearity::Relu => (z.map(S::relu), z.map(S::relu_slope)),
        }
    }

    /// Calls `unit` with each unit's number, state and slope.
    #[inline(always)]
    fn units<S: Scalar>(&self, h: &[S], mut unit: impl FnMut(usize, S, S)) {
        let mut first = 0;
        while first + LANES <= h.len() {
            let (value, slope) = self.activate(self.preactivations::<S, LANES>(first, h));
            for k in 0..LANES {
                unit(first + k, value[k], slope[k]);
            }
            first += LANES;
        }
        for k in first..h.len() {
            let ([value], [slope]) = self.activate(self.preactivations::<S, 1>(k, h));
            unit(k, value, slope);
        }
    }

    /// The box `[0, r]` that holds every fixed point and cycle of a relu layer, where positive weights are proved not to let
    /// states grow for ever: states are at most `r >= W+ r + b+`, if the spectral radius of `W+` (the positive weights) is
    /// below one, which a positive vector that `W+` makes smaller everywhere proves (Collatz and Wielandt).
    fn relu_bounds(&self) -> Option<Vec<(f64, f64)>> {
        let m = self.dim();
        let drive: Vec<f64> = self.z0.iter().map(|z| z.hi.max(0.0)).collect();
        let margin = BOX_MARGIN * drive.iter().fold(1.0, |m: f64, v| m.max(*v));
        let positive = |k: usize| self.cell.affine.recurrent_row(k).iter().map(|w| w.max(0.0));
        let mut matrix: Vec<f64> = (0..m).flat_map(|k| positive(k).map(|w| -w)).collect();
        (0..m).for_each(|k| matrix[k * m + k] += 1.0);
        let mut r: Vec<f64> = drive.iter().map(|b| b + margin).collect();
        if !solve(m, &mut matrix, &mut r) || r.iter().any(|r| *r <= 0.0) {
            return None;
        }
        let inward = (0..m).all(|k| {
            let fed = positive(k).zip(&r).fold(0.0, |sum, (w, r)| up(sum + up(w * r)));
            fed < r[k] && up(fed + drive[k]) < r[k]
        });
        inward.then(|| r.into_iter().map(|r| (0.0, r)).collect())
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

    fn is_smooth(&self, x: &[Interval]) -> bool {
        self.cell.nonlinearity == Nonlinearity::Tanh
            || (0..x.len()).all(|k| {
                let [z] = self.preactivations::<Interval, 1>(k, x);
                !z.contains(0.0)
            })
    }

    fn bounds(&self) -> Option<Vec<(f64, f64)>> {
        match self.cell.nonlinearity {
            Nonlinearity::Tanh => Some(vec![(-1.0, 1.0); self.dim()]),
            Nonlinearity::Relu => self.relu_bounds(),
        }
    }
}
