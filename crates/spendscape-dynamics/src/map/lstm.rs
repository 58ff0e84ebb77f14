//! The LSTM cell in the state `(h, c)`, gate order i, f, g, o.

use ndarray::{Array1, ArrayRef, Ix1, Ix2};

use super::{Affine, LANES, Map, Scalar, step_each};
use crate::error::Error;
use crate::fixed_points::complete::with_units;
use crate::interval::Interval;

/// Number of gates, stacked in the order i, f, g, o.
const GATES: usize = 4;

/// The weights of an LSTM layer: `z = W_x u + W_h h + b` with gates i, f, g, o; `c' = f c + i g`, `h' = o tanh(c')`.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::map::{LstmCell, Map};
///
/// // One unit, gate order i, f, g, o, without input.
/// let cell = LstmCell::new(&Array2::zeros((4, 0)), &array![[0.0], [0.0], [2.0], [0.0]], &array![0.0, 0.0, 0.0, 0.0])?;
/// let map = cell.under(&array![])?;
/// let mut next = [0.0; 2];
/// map.step(&[0.0, 1.0], &mut next);
/// // The forget gate lets half of the cell through.
/// assert_eq!(next[1], 0.5);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LstmCell {
    pub(crate) affine: Affine,
}

impl LstmCell {
    /// Checks the weights: `w_x` is `4M x C`, `w_h` `4M x M` and `b` has length `4M` (the sum of the two biases of a
    /// PyTorch layer).
    ///
    /// # Errors
    /// [`Error::NoUnits`], [`Error::Shape`] or `BadInput::NotFinite`.
    pub fn new(
        w_x: &ArrayRef<f64, Ix2>,
        w_h: &ArrayRef<f64, Ix2>,
        b: &ArrayRef<f64, Ix1>,
    ) -> Result<Self, Error> {
        Ok(Self { affine: Affine::new(GATES, w_x, w_h, b)? })
    }

    /// The number of units M; the state has dimension 2M.
    #[inline]
    #[must_use]
    pub fn units(&self) -> usize {
        self.affine.units
    }

    /// The width C of the input.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.affine.inputs()
    }

    /// The pre-activations `W_x u + b` (length `4M`) of a constant input.
    ///
    /// # Errors
    /// [`Error::InputWidth`] or `BadInput::NotFinite`.
    pub fn preactivation(&self, u: &ArrayRef<f64, Ix1>) -> Result<Array1<f64>, Error> {
        Ok(self.affine.enclose(u)?.into_iter().map(Interval::mid).collect())
    }

    /// The map under the constant input `u`; the rounding of `W_x u + b` is part of the certificates.
    ///
    /// # Errors
    /// [`Error::InputWidth`] or `BadInput::NotFinite`.
    pub fn under(&self, u: &ArrayRef<f64, Ix1>) -> Result<LstmMap<'_>, Error> {
        Ok(LstmMap { cell: self, z0: self.affine.enclose(u)?, input_known: true })
    }

    /// The map under an input known only to lie within `radius` of `u`, component by component: what is certified then
    /// holds for every such input.
    ///
    /// # Errors
    /// [`Error::InputWidth`] or `BadInput::NotFinite`.
    pub fn under_uncertain(
        &self,
        u: &ArrayRef<f64, Ix1>,
        radius: &ArrayRef<f64, Ix1>,
    ) -> Result<LstmMap<'_>, Error> {
        Ok(LstmMap { cell: self, z0: self.affine.enclose_around(u, radius)?, input_known: true })
    }

    /// The map with given pre-activations `z0 = W_x u + b` (length `4M`), taken as exact; its input Jacobian is not
    /// available.
    ///
    /// # Errors
    /// [`Error::Shape`] or `BadInput::NotFinite`.
    pub fn under_preactivation(&self, z0: &ArrayRef<f64, Ix1>) -> Result<LstmMap<'_>, Error> {
        Ok(LstmMap { cell: self, z0: self.affine.accept(z0)?, input_known: false })
    }
}

/// An LSTM layer under a constant input: a map on `(h, c)`, dimension `2M`.
#[derive(Debug, Clone)]
pub struct LstmMap<'a> {
    pub(crate) cell: &'a LstmCell,
    pub(crate) z0: Vec<Interval>,
    pub(crate) input_known: bool,
}

/// One unit's new state and the factors by which its pre-activations and its cell move it.
pub(crate) struct Unit<S> {
    pub(crate) h: S,
    pub(crate) c: S,
    /// `dc'/dz` per gate i, f, g (the output gate does not touch the cell).
    pub(crate) dc: [S; 3],
    /// `dc'/dc`, the forget gate.
    pub(crate) dc_dc: S,
    /// `dh'/dc'`.
    pub(crate) dh_dc: S,
    /// `dh'/dz_o`.
    pub(crate) dh_do: S,
}

/// The cell equations of one unit from its four pre-activations.
#[inline(always)]
pub(crate) fn unit<S: Scalar>(z: [S; 4], c: S) -> Unit<S> {
    let [[i, di], [f, df], [g, dg], [o, do_]] = S::lstm_gates(z);
    let next = f * c + i * g;
    let t = next.tanh();
    Unit {
        h: o * t,
        c: next,
        dc: [g * di, c * df, i * dg],
        dc_dc: f,
        dh_dc: o * next.tanh_slope(),
        dh_do: t * do_,
    }
}

impl LstmMap<'_> {
    /// The number of units M.
    #[must_use]
    pub fn units(&self) -> usize {
        self.cell.units()
    }

    /// The enclosed pre-activations `W_x u + b`, gates stacked in the order i, f, g, o.
    #[must_use]
    pub fn preactivation(&self) -> &[Interval] {
        &self.z0
    }

    /// The four pre-activations of unit `k` at hidden state `h`.
    #[inline(always)]
    pub(crate) fn gates<S: Scalar>(&self, k: usize, h: &[S]) -> [S; 4] {
        let m = self.cell.units();
        std::array::from_fn(|q| {
            let row = q * m + k;
            let mut z = S::within(self.z0[row]);
            for (&w, &h) in self.cell.affine.recurrent_row(row).iter().zip(h) {
                z = z + S::exact(w) * h;
            }
            z
        })
    }
}

impl LstmMap<'_> {
    /// [`Map::linearize`] with a constant number of units, which lets the loops unroll.
    #[inline(always)]
    fn linearize_sized<S: Scalar, const N: usize>(&self, x: &[S], step: &mut [S], jacobian: &mut [S]) {
        let (step_h, step_c) = step.split_at_mut(N);
        let (to_h, to_c) = jacobian.split_at_mut(2 * N * N);
        let h: [S; N] = std::array::from_fn(|j| x[j]);
        let zero = S::exact(0.0);
        for k in 0..N {
            let w: [[S; N]; 4] = std::array::from_fn(|q| {
                let row = self.cell.affine.recurrent_row(q * N + k);
                std::array::from_fn(|j| S::exact(row[j]))
            });
            let z = std::array::from_fn(|q| {
                (0..N).fold(S::within(self.z0[q * N + k]), |z, j| z + w[q][j] * h[j])
            });
            let u = unit(z, x[N + k]);
            step_h[k] = u.h;
            step_c[k] = u.c;
            let to_h = &mut to_h[2 * N * k..2 * N * (k + 1)];
            let to_c = &mut to_c[2 * N * k..2 * N * (k + 1)];
            for j in 0..N {
                let dc = u.dc[0] * w[0][j] + u.dc[1] * w[1][j] + u.dc[2] * w[2][j];
                to_c[j] = dc;
                to_h[j] = u.dh_do * w[3][j] + u.dh_dc * dc;
                to_c[N + j] = zero;
                to_h[N + j] = zero;
            }
            to_c[N + k] = u.dc_dc;
            to_h[N + k] = u.dh_dc * u.dc_dc;
        }
    }

    /// [`Map::step`] with a constant number of units.
    #[inline(always)]
    fn step_sized<S: Scalar, const N: usize>(&self, x: &[S], out: &mut [S]) {
        let (out_h, out_c) = out.split_at_mut(N);
        let h: [S; N] = std::array::from_fn(|j| x[j]);
        for k in 0..N {
            let z = std::array::from_fn(|q| {
                let row = self.cell.affine.recurrent_row(q * N + k);
                (0..N).fold(S::within(self.z0[q * N + k]), |z, j| z + S::exact(row[j]) * h[j])
            });
            let u = unit(z, x[N + k]);
            out_h[k] = u.h;
            out_c[k] = u.c;
        }
    }

    /// [`Map::linearize`] for any number of units.
    fn linearize_any<S: Scalar>(&self, x: &[S], step: &mut [S], jacobian: &mut [S]) {
        let m = self.cell.units();
        let n = 2 * m;
        jacobian.fill(S::exact(0.0));
        let (hidden, cells) = jacobian.split_at_mut(m * n);
        for (k, (to_h, to_c)) in hidden.chunks_exact_mut(n).zip(cells.chunks_exact_mut(n)).enumerate() {
            let u = unit(self.gates(k, &x[..m]), x[m + k]);
            step[k] = u.h;
            step[m + k] = u.c;
            let rows: [&[f64]; 4] = std::array::from_fn(|q| self.cell.affine.recurrent_row(q * m + k));
            for j in 0..m {
                let w = rows.map(|row| S::exact(row[j]));
                let dc = u.dc[0] * w[0] + u.dc[1] * w[1] + u.dc[2] * w[2];
                to_c[j] = dc;
                to_h[j] = u.dh_do * w[3] + u.dh_dc * dc;
            }
            to_c[m + k] = u.dc_dc;
            to_h[m + k] = u.dh_dc * u.dc_dc;
        }
    }
}

impl Map for LstmMap<'_> {
    fn dim(&self) -> usize {
        2 * self.cell.units()
    }

    fn step<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        with_units!(self.cell.units(), N => {
            self.step_sized::<S, N>(x, out);
        }, {
            let m = self.cell.units();
            for k in 0..m {
                let u = unit(self.gates(k, &x[..m]), x[m + k]);
                out[k] = u.h;
                out[m + k] = u.c;
            }
        });
    }

    fn step_side_by_side(&self, x: &[[f64; LANES]], out: &mut [[f64; LANES]]) {
        #[cfg(target_arch = "x86_64")]
        if let Some(v3) = pulp::x86::V3::try_new() {
            with_units!(self.cell.units(), N => {
                return pulp::Simd::vectorize(v3, four::Step::<N> { v3, map: self, x, out });
            }, {});
        }
        step_each(self, x, out);
    }

    fn jacobian<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        self.linearize(x, &mut vec![S::exact(0.0); x.len()], out);
    }

    fn linearize<S: Scalar>(&self, x: &[S], step: &mut [S], jacobian: &mut [S]) {
        with_units!(self.cell.units(), N => {
            self.linearize_sized::<S, N>(x, step, jacobian);
        }, {
            self.linearize_any(x, step, jacobian);
        });
    }

    fn input_dim(&self) -> usize {
        if self.input_known { self.cell.inputs() } else { 0 }
    }

    fn input_jacobian(&self, x: &[f64], out: &mut [f64]) {
        let (m, inputs) = (self.cell.units(), self.input_dim());
        let w_x = &self.cell.affine.w_x;
        for k in 0..m {
            let u = unit(self.gates(k, &x[..m]), x[m + k]);
            for j in 0..inputs {
                let dc = u.dc[0] * w_x[[k, j]] + u.dc[1] * w_x[[m + k, j]] + u.dc[2] * w_x[[2 * m + k, j]];
                out[(m + k) * inputs + j] = dc;
                out[k * inputs + j] = u.dh_do * w_x[[3 * m + k, j]] + u.dh_dc * dc;
            }
        }
    }

    /// `|h| < 1`. The cell is bounded by `i|g| / (1 - f)`, taken over all hidden states.
    fn bounds(&self) -> Option<Vec<(f64, f64)>> {
        let m = self.cell.units();
        let hidden = vec![Interval { lo: -1.0, hi: 1.0 }; m];
        let mut bounds = vec![(-1.0, 1.0); m];
        for k in 0..m {
            let [zi, zf, zg, _] = self.gates(k, &hidden);
            let c = (zi.sigmoid() * zg.tanh() / zf.sigmoid_complement()).mag();
            bounds.push((-c, c));
        }
        Some(bounds)
    }
}

#[cfg(target_arch = "x86_64")]
mod four {
    use pulp::{Simd, WithSimd, x86::V3};

    use super::{LANES, LstmMap};
    use crate::interval::{Four, Number, gates, tangents};

    /// [`super::Map::step_side_by_side`] for `N` units.
    pub(super) struct Step<'a, const N: usize> {
        pub(super) v3: V3,
        pub(super) map: &'a LstmMap<'a>,
        pub(super) x: &'a [[f64; LANES]],
        pub(super) out: &'a mut [[f64; LANES]],
    }

    impl<const N: usize> WithSimd for Step<'_, N> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Self { v3, map, x, out } = self;
            let mut h = [Four::new(v3, [0.0; LANES]); N];
            for j in 0..N {
                h[j] = Four::new(v3, x[j]);
            }
            for k in 0..N {
                let mut z = [h[0]; 4];
                for (q, z) in z.iter_mut().enumerate() {
                    let row = q * N + k;
                    *z = h[0].like(map.z0[row].mid());
                    for (w, h) in map.cell.affine.recurrent_row(row).iter().zip(h) {
                        *z = *z + h.like(*w) * h;
                    }
                }
                let [[i, _], [f, _], [g, _], [o, _]] = gates(z);
                let c = f * Four::new(v3, x[N + k]) + i * g;
                let ([t], _) = tangents([c]);
                out[N + k] = c.numbers();
                out[k] = (o * t).numbers();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2};

    use super::*;

    #[test]
    fn a_step_side_by_side_is_that_of_each() {
        for units in 1..=7 {
            let at = |row: usize, column: usize| 3.0 * ((row * 7 + column * 3) as f64).sin();
            let w_h = Array2::from_shape_fn((4 * units, units), |(row, column)| at(row, column));
            let w_x = Array2::zeros((4 * units, 0));
            let b = Array1::from_shape_fn(4 * units, |row| 5.0 * (row as f64).cos());
            let cell = LstmCell::new(&w_x, &w_h, &b).unwrap();
            let map = cell.under(&Array1::zeros(0)).unwrap();
            let x: Vec<[f64; LANES]> =
                (0..2 * units).map(|k| std::array::from_fn(|lane| at(k, 5 + lane) / 3.0)).collect();
            let (mut out, mut each) = (vec![[f64::NAN; LANES]; x.len()], vec![[f64::NAN; LANES]; x.len()]);
            map.step_side_by_side(&x, &mut out);
            step_each(&map, &x, &mut each);
            assert_eq!(out, each, "{units} units");
        }
    }
}
