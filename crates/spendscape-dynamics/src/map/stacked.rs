//! LSTM layers on top of each other: each layer reads the new hidden state of the one below.

use ndarray::{Array1, ArrayRef, Ix1};

use super::driven::numbered;
use super::lstm::unit;
use super::{Driven, LstmCell, LstmMap, Map, Scalar};
use crate::error::Error;
use crate::interval::Interval;

/// The weights of a stack of LSTM layers, bottom first.
///
/// ```
/// use ndarray::{Array1, Array2};
/// use spendscape_dynamics::map::{LstmCell, StackedLstm};
///
/// let layer = |inputs| LstmCell::new(&Array2::zeros((8, inputs)), &Array2::zeros((8, 2)), &Array1::zeros(8));
/// assert_eq!(StackedLstm::new(vec![layer(3)?, layer(2)?])?.layers().len(), 2);
/// // The upper layer must read the units of the lower one.
/// assert!(StackedLstm::new(vec![layer(3)?, layer(3)?]).is_err());
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct StackedLstm {
    pub(crate) layers: Vec<LstmCell>,
}

impl StackedLstm {
    /// Checks that each layer's input is as wide as the layer below has units.
    ///
    /// # Errors
    /// [`Error::NoLayers`] or [`Error::InputWidth`].
    pub fn new(layers: Vec<LstmCell>) -> Result<Self, Error> {
        if layers.is_empty() {
            return Err(Error::NoLayers);
        }
        for pair in layers.windows(2) {
            if pair[1].inputs() != pair[0].units() {
                return Err(Error::InputWidth { expected: pair[1].inputs(), found: pair[0].units() });
            }
        }
        Ok(Self { layers })
    }

    /// The layers, bottom first.
    #[must_use]
    pub fn layers(&self) -> &[LstmCell] {
        &self.layers
    }

    /// The map under the constant input `u`.
    ///
    /// # Errors
    /// [`Error::InputWidth`] or `BadInput::NotFinite`.
    pub fn under(&self, u: &ArrayRef<f64, Ix1>) -> Result<StackedMap<'_>, Error> {
        self.driven_by(u)
    }
}

impl Driven for StackedLstm {
    type Map<'a> = StackedMap<'a>;

    fn input_width(&self) -> usize {
        self.layers[0].inputs()
    }

    fn state_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (l, layer) in self.layers.iter().enumerate() {
            let prefix = format!("layer {} ", l + 1);
            for letter in ['h', 'c'] {
                names.extend(numbered(&prefix, letter, layer.units()));
            }
        }
        names
    }

    fn preactivations(&self, u: &ArrayRef<f64, Ix1>) -> Result<Vec<Interval>, Error> {
        self.layers[0].affine.enclose(u)
    }

    fn with_preactivations(&self, z0: Vec<Interval>) -> StackedMap<'_> {
        let mut layers = vec![LstmMap { cell: &self.layers[0], z0, input_known: true }];
        for cell in &self.layers[1..] {
            // Only the bias is constant for an upper layer; its input weights act on the state of the layer below.
            let mut z0 = Vec::new();
            cell.affine.enclose_into(|_| (0.0, 0.0), &mut z0);
            layers.push(LstmMap { cell, z0, input_known: true });
        }
        StackedMap { layers }
    }
}

/// A stack of LSTM layers under a constant input; the state is `(h_1, c_1, h_2, c_2, ..)`.
#[derive(Debug, Clone)]
pub struct StackedMap<'a> {
    pub(crate) layers: Vec<LstmMap<'a>>,
}

impl StackedMap<'_> {
    /// Pre-activations of unit `k` of `layer`, given the new hidden state `below` of the layer under it.
    fn gates<S: Scalar>(layer: &LstmMap<'_>, k: usize, h: &[S], below: Option<&[S]>) -> [S; 4] {
        let mut z = layer.gates(k, h);
        if let Some(below) = below {
            for (q, z) in z.iter_mut().enumerate() {
                for (j, &v) in below.iter().enumerate() {
                    *z = *z + S::exact(layer.cell.affine.w_x[[q * layer.units() + k, j]]) * v;
                }
            }
        }
        z
    }
}

impl Map for StackedMap<'_> {
    fn dim(&self) -> usize {
        self.layers.iter().map(Map::dim).sum()
    }

    fn step<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        let mut at = 0;
        for (l, layer) in self.layers.iter().enumerate() {
            let m = layer.units();
            let (done, rest) = out.split_at_mut(at);
            let below = (l > 0).then(|| {
                let under = self.layers[l - 1].units();
                &done[at - 2 * under..at - under]
            });
            for k in 0..m {
                let u = unit(Self::gates(layer, k, &x[at..at + m], below), x[at + m + k]);
                rest[k] = u.h;
                rest[m + k] = u.c;
            }
            at += 2 * m;
        }
    }

    fn jacobian<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        let n = self.dim();
        let zero = S::exact(0.0);
        out.fill(zero);
        let mut next = vec![zero; n];
        self.step(x, &mut next);
        let mut at = 0;
        for (l, layer) in self.layers.iter().enumerate() {
            let m = layer.units();
            let under = if l > 0 { self.layers[l - 1].units() } else { 0 };
            let below_at = at - 2 * under;
            let below = (l > 0).then(|| &next[below_at..below_at + under]);
            for k in 0..m {
                let u = unit(Self::gates(layer, k, &x[at..at + m], below), x[at + m + k]);
                // dz/dx per gate: the layer's own hidden state, and everything the layer below depends on.
                for j in 0..at + m {
                    let mut dz = [zero; 4];
                    for (q, dz) in dz.iter_mut().enumerate() {
                        let row = q * m + k;
                        if j >= at {
                            *dz = S::exact(layer.cell.affine.recurrent(row, j - at));
                        } else {
                            for b in 0..under {
                                *dz = *dz
                                    + S::exact(layer.cell.affine.w_x[[row, b]]) * out[(below_at + b) * n + j];
                            }
                        }
                    }
                    let dc = u.dc[0] * dz[0] + u.dc[1] * dz[1] + u.dc[2] * dz[2];
                    out[(at + m + k) * n + j] = dc;
                    out[(at + k) * n + j] = u.dh_do * dz[3] + u.dh_dc * dc;
                }
                out[(at + m + k) * n + at + m + k] = u.dc_dc;
                out[(at + k) * n + at + m + k] = u.dh_dc * u.dc_dc;
            }
            at += 2 * m;
        }
    }

    fn input_dim(&self) -> usize {
        self.layers[0].input_dim()
    }

    fn input_jacobian(&self, x: &[f64], out: &mut [f64]) {
        let (n, inputs) = (self.dim(), self.input_dim());
        let mut next = vec![0.0; n];
        self.step(x, &mut next);
        let first = self.layers[0].dim();
        self.layers[0].input_jacobian(&x[..first], &mut out[..first * inputs]);
        let mut at = first;
        for pair in self.layers.windows(2) {
            let (under, layer) = (pair[0].units(), &pair[1]);
            let (m, below) = (layer.units(), at - 2 * under);
            // The input reaches this layer through the new hidden state of the layer below.
            let (done, rest) = out.split_at_mut(at * inputs);
            for k in 0..m {
                let z = Self::gates(layer, k, &x[at..at + m], Some(&next[below..below + under]));
                let u = unit(z, x[at + m + k]);
                for j in 0..inputs {
                    let dz: [f64; 4] = std::array::from_fn(|q| {
                        let w = layer.cell.affine.w_x.row(q * m + k);
                        w.iter().enumerate().map(|(b, w)| w * done[(below + b) * inputs + j]).sum()
                    });
                    let dc = u.dc[0] * dz[0] + u.dc[1] * dz[1] + u.dc[2] * dz[2];
                    rest[(m + k) * inputs + j] = dc;
                    rest[k * inputs + j] = u.dh_do * dz[3] + u.dh_dc * dc;
                }
            }
            at += 2 * m;
        }
    }

    fn bounds(&self) -> Option<Vec<(f64, f64)>> {
        let mut bounds = Vec::with_capacity(self.dim());
        for (l, layer) in self.layers.iter().enumerate() {
            if l == 0 {
                bounds.extend(layer.bounds()?);
                continue;
            }
            let under = self.layers[l - 1].units();
            let radius = Array1::ones(under);
            let wide = layer.cell.under_uncertain(&Array1::zeros(under), &radius).ok()?;
            bounds.extend(wide.bounds()?);
        }
        Some(bounds)
    }
}
