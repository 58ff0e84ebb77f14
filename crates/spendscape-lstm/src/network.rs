//! A network: its parameters in one flat vector, by name and by layer.

mod layer;
mod params;

use crate::error::Error;
use crate::kernels::{self, Instructions, Kernels};
use crate::real::Real;
pub use layer::Activation;
pub(crate) use layer::{Kind, Layer};
use ndarray::{Array1, ArrayD, ArrayRef, ArrayView1, ArrayView2, ArrayViewD, IxDyn};
pub use params::{Bias, NetworkParams};

/// A network with its weights.
///
/// An LSTM layer of M units (Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000) takes
/// the state (h, c) and the input x to (h', c'). Each gate has M rows of z = W_x x + W_h h + b:
///
/// ```text
/// i = sigmoid(z_i)   f = sigmoid(z_f)   g = tanh(z_g)   o = sigmoid(z_o)
/// c' = f c + i g     h' = o tanh(c')
/// ```
///
/// The layer above sees h' of every step; dense layers y = W x + b, with tanh or without, see that of the last step or of every
/// step.
///
/// Tensors are named as PyTorch does: `lstm.weight_ih_l0` (4 units x inputs, gates in the order i, f, g, o),
/// `lstm.weight_hh_l0` (4 units x units), `lstm.bias_ih_l0` (4 units), with [`Bias::Double`] also `lstm.bias_hh_l0`;
/// then `dense.0.weight` (units x inputs), `dense.0.bias` (units) and so on.
#[derive(Debug, Clone)]
pub struct Network<F: Real> {
    pub(crate) params: NetworkParams,
    pub(crate) layers: Vec<Layer>,
    pub(crate) values: Vec<F>,
    pub(crate) kernels: &'static Kernels<F>,
}

impl<F: Real> PartialEq for Network<F> {
    fn eq(&self, other: &Self) -> bool {
        self.params == other.params && self.values == other.values
    }
}

impl<F: Real> Network<F> {
    /// The shape it was made from.
    #[must_use]
    pub fn params(&self) -> &NetworkParams {
        &self.params
    }

    /// Features per step.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.params.inputs
    }

    /// Numbers per output row: the width of the last layer.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.units)
    }

    /// Units of the top LSTM layer, 0 without one.
    #[must_use]
    pub fn units(&self) -> usize {
        self.params.lstm.last().copied().unwrap_or(0)
    }

    /// All parameters, in the order of [`tensors`](Self::tensors).
    #[must_use]
    pub fn parameters(&self) -> &[F] {
        &self.values
    }

    /// All parameters, to be changed in place.
    pub fn parameters_mut(&mut self) -> &mut [F] {
        &mut self.values
    }

    /// Chooses the vector instructions; all results change in their last bits only.
    ///
    /// # Errors
    /// [`Error::Instructions`] when the CPU or the float type lacks them.
    pub fn set_instructions(&mut self, instructions: Instructions) -> Result<(), Error> {
        self.kernels = kernels::of(instructions).ok_or(Error::Instructions { instructions })?;
        Ok(())
    }

    /// Name of the vector instructions in use.
    #[must_use]
    pub fn instructions(&self) -> &'static str {
        self.kernels.name
    }

    /// Name and values of every tensor, in a fixed order.
    pub fn tensors(&self) -> Vec<(String, ArrayViewD<'_, F>)> {
        let all = self.layers.iter().flat_map(Layer::tensors);
        all.filter_map(|(name, shape, range)| {
            let view = ArrayViewD::from_shape(IxDyn(&shape), &self.values[range]);
            view.ok().map(|view| (name, view))
        })
        .collect()
    }

    /// Replaces a tensor.
    ///
    /// # Errors
    /// [`Error::TensorName`] for a name that [`tensors`](Self::tensors) does not list, [`Error::TensorShape`] for a wrong
    /// shape, [`Error::TensorValue`] for NaN or an infinity.
    pub fn set_tensor(&mut self, name: &str, values: &ArrayRef<F, IxDyn>) -> Result<(), Error> {
        let found = self.layers.iter().flat_map(Layer::tensors).find(|(known, ..)| known == name);
        let Some((_, expected, range)) = found else {
            return Err(Error::TensorName { name: name.to_owned(), problem: "not part of the network" });
        };
        if values.shape() != expected {
            return Err(Error::TensorShape {
                name: name.to_owned(),
                expected,
                found: values.shape().to_vec(),
            });
        }
        if let Some((index, value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(Error::TensorValue { name: name.to_owned(), index, value: value.as_f64() });
        }
        for (to, from) in self.values[range].iter_mut().zip(values) {
            *to = *from;
        }
        Ok(())
    }

    fn lstm_layer(&self, layer: usize) -> Option<&Layer> {
        self.layers.get(layer).filter(|layer| layer.kind == Kind::Lstm)
    }

    fn dense_layer(&self, layer: usize) -> Option<&Layer> {
        self.layers.get(self.params.lstm.len() + layer)
    }

    /// W_x of an LSTM layer: 4 units x inputs, gates i, f, g, o. `None` when there is no such layer.
    #[must_use]
    pub fn weight_ih(&self, layer: usize) -> Option<ArrayView2<'_, F>> {
        let layer = self.lstm_layer(layer)?;
        ArrayView2::from_shape((layer.rows(), layer.inputs), &self.values[layer.w_ih.clone()]).ok()
    }

    /// W_h of an LSTM layer: 4 units x units.
    #[must_use]
    pub fn weight_hh(&self, layer: usize) -> Option<ArrayView2<'_, F>> {
        let layer = self.lstm_layer(layer)?;
        ArrayView2::from_shape((layer.rows(), layer.units), &self.values[layer.w_hh.clone()]).ok()
    }

    /// b of an LSTM layer: 4 units; with [`Bias::Double`] the sum of both.
    #[must_use]
    pub fn bias(&self, layer: usize) -> Option<Array1<F>> {
        self.lstm_layer(layer).map(|layer| self.bias_sum(layer).collect())
    }

    /// The bias that a layer adds.
    pub(crate) fn bias_sum(&self, layer: &Layer) -> impl Iterator<Item = F> + '_ {
        let second = &self.values[layer.bias_hh.clone()];
        let first = self.values[layer.bias.clone()].iter().enumerate();
        first.map(move |(i, &b)| second.get(i).map_or(b, |&other| b + other))
    }

    /// Weights of dense layer `layer` (units x inputs); layer 0 is W_out of a plain LSTM.
    #[must_use]
    pub fn dense_weight(&self, layer: usize) -> Option<ArrayView2<'_, F>> {
        let layer = self.dense_layer(layer)?;
        ArrayView2::from_shape((layer.rows(), layer.inputs), &self.values[layer.w_ih.clone()]).ok()
    }

    /// Biases of dense layer `layer` (units).
    #[must_use]
    pub fn dense_bias(&self, layer: usize) -> Option<ArrayView1<'_, F>> {
        let layer = self.dense_layer(layer)?;
        Some(ArrayView1::from(&self.values[layer.bias.clone()]))
    }

    /// The same network with other floats.
    ///
    /// # Errors
    /// None that a network already made can have.
    pub fn cast<G: Real>(&self) -> Result<Network<G>, Error> {
        let mut other = self.params.zeros::<G>()?;
        for (to, from) in other.values.iter_mut().zip(&self.values) {
            *to = G::from_f64(from.as_f64());
        }
        Ok(other)
    }

    /// A copy of one tensor by name.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<ArrayD<F>> {
        self.tensors().into_iter().find(|(known, _)| known == name).map(|(_, view)| view.to_owned())
    }
}
