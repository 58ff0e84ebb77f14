//! One step of an LSTM layer as a map of its state, and its derivatives.

use crate::error::Error;
use crate::inputs::check;
use crate::network::Network;
use crate::real::Real;
use ndarray::{Array1, Array2, ArrayRef1};

/// One step of a layer of M units with C inputs, at a point.
#[derive(Debug, Clone, PartialEq)]
pub struct StepJacobian<F> {
    /// The state after the step, (h', c'): 2 M.
    pub next: Array1<F>,
    /// d(h', c') / d(h, c): 2 M x 2 M.
    pub state: Array2<F>,
    /// d(h', c') / dx: 2 M x C.
    pub input: Array2<F>,
}

impl<F: Real> Network<F> {
    /// One step of LSTM layer `layer` from hidden state `h` and cell state `c` under input `x`, with its derivatives.
    ///
    /// With z = W_x x + W_h h + b: dc'/dz is g i (1 - i), c f (1 - f) and i (1 - g^2) for the gates i, f and g,
    /// dc'/dc = f, and h' = o tanh c' adds tanh(c') o (1 - o) for the gate o.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when there is no such layer or a length differs from the layer's.
    pub fn step_jacobian(
        &self,
        layer: usize,
        x: &ArrayRef1<F>,
        h: &ArrayRef1<F>,
        c: &ArrayRef1<F>,
    ) -> Result<StepJacobian<F>, Error> {
        let (Some(w_x), Some(w_h), Some(bias)) =
            (self.weight_ih(layer), self.weight_hh(layer), self.bias(layer))
        else {
            let expected = self.params.lstm.len();
            return Err(Error::Mismatch { what: "the LSTM layer", expected, found: layer });
        };
        let units = w_h.ncols();
        check("the length of the input", w_x.ncols(), x.len())?;
        check("the length of the hidden state", units, h.len())?;
        check("the length of the cell state", units, c.len())?;
        let z = w_x.dot(x) + w_h.dot(h) + bias;
        let one = F::one();
        let sigmoid = |x: F| one / (one + (-x).exp());
        let mut next = Array1::zeros(2 * units);
        let mut state = Array2::zeros((2 * units, 2 * units));
        let mut input = Array2::zeros((2 * units, x.len()));
        for u in 0..units {
            let (i, f) = (sigmoid(z[u]), sigmoid(z[units + u]));
            let (g, o) = (z[2 * units + u].tanh(), sigmoid(z[3 * units + u]));
            let cell = f * c[u] + i * g;
            let squashed = cell.tanh();
            next[u] = o * squashed;
            next[units + u] = cell;
            let into_cell = [g * i * (one - i), c[u] * f * (one - f), i * (one - g * g)];
            let through = o * (one - squashed * squashed);
            let through_o = squashed * o * (one - o);
            let rows = |w: &ndarray::ArrayView2<'_, F>, j: usize| {
                let cell: F = into_cell
                    .iter()
                    .enumerate()
                    .fold(F::zero(), |sum, (gate, &d)| sum + d * w[[gate * units + u, j]]);
                (through * cell + through_o * w[[3 * units + u, j]], cell)
            };
            for j in 0..units {
                let (hidden, cell) = rows(&w_h, j);
                state[[u, j]] = hidden;
                state[[units + u, j]] = cell;
            }
            state[[u, units + u]] = through * f;
            state[[units + u, units + u]] = f;
            for j in 0..x.len() {
                let (hidden, cell) = rows(&w_x, j);
                input[[u, j]] = hidden;
                input[[units + u, j]] = cell;
            }
        }
        Ok(StepJacobian { next, state, input })
    }
}
