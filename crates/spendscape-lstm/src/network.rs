//! The shape of a network, its parameters in one flat vector, and their names.

use crate::error::Error;
use crate::init;
use crate::kernels::{Instructions, Kernels};
use crate::real::Real;
use ndarray::{Array1, ArrayD, ArrayRef, ArrayView1, ArrayView2, ArrayViewD, IxDyn};
use rand::Rng;
use std::ops::Range;

/// What a dense layer applies to its weighted sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Linear,
    /// Hyperbolic tangent.
    Tanh,
}

/// How an LSTM layer holds its biases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bias {
    /// One vector per layer, as in Keras.
    #[default]
    Single,
    /// One for the inputs and one for the recurrence, as in PyTorch. The function is the same, but an optimizer moves
    /// both, which doubles the steps of their sum: choose it to follow PyTorch's training exactly.
    Double,
}

/// The shape of a network: LSTM layers, then dense layers.
///
/// | knob | default | purpose |
/// |---|---|---|
/// | [`stacked`](Self::stacked) | none | further LSTM layers, which see all hidden states of the one below |
/// | [`dense`](Self::dense) | none | dense layers on the last hidden state |
/// | [`outputs`](Self::outputs) | none | the linear output layer |
/// | [`every_step`](Self::every_step) | off | dense layers on every hidden state instead of the last |
/// | [`dropout`](Self::dropout) | 0 | share of hidden states dropped between LSTM layers in training |
/// | [`bias`](Self::bias) | single | PyTorch's pair of biases or Keras's one |
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkParams {
    pub(crate) inputs: usize,
    pub(crate) lstm: Vec<usize>,
    pub(crate) dense: Vec<(usize, Activation)>,
    pub(crate) every_step: bool,
    pub(crate) bias: Bias,
    pub(crate) dropout: f64,
}

impl NetworkParams {
    /// One LSTM layer of `units` over `inputs` features.
    pub fn lstm(inputs: usize, units: usize) -> Self {
        Self {
            inputs,
            lstm: vec![units],
            dense: Vec::new(),
            every_step: false,
            bias: Bias::Single,
            dropout: 0.0,
        }
    }

    /// A net without recurrence over `inputs` features; add dense layers.
    pub fn feed_forward(inputs: usize) -> Self {
        Self {
            inputs,
            lstm: Vec::new(),
            dense: Vec::new(),
            every_step: false,
            bias: Bias::Single,
            dropout: 0.0,
        }
    }

    /// `inputs` features through `code` units with the given activation and linearly back.
    pub fn autoencoder(inputs: usize, code: usize, activation: Activation) -> Self {
        Self::feed_forward(inputs).dense(code, activation).outputs(inputs)
    }

    /// Puts another LSTM layer of `units` on top.
    #[must_use]
    pub fn stacked(mut self, units: usize) -> Self {
        self.lstm.push(units);
        self
    }

    /// Adds a dense layer.
    #[must_use]
    pub fn dense(mut self, units: usize, activation: Activation) -> Self {
        self.dense.push((units, activation));
        self
    }

    /// Adds the linear output layer.
    #[must_use]
    pub fn outputs(self, outputs: usize) -> Self {
        self.dense(outputs, Activation::Linear)
    }

    /// Applies the dense layers to every step.
    #[must_use]
    pub fn every_step(mut self) -> Self {
        self.every_step = true;
        self
    }

    /// Share of the hidden states between LSTM layers that training sets to zero (inverted dropout: the others grow, so
    /// that nothing changes at inference). From 0, below 1.
    #[must_use]
    pub fn dropout(mut self, share: f64) -> Self {
        self.dropout = share;
        self
    }

    /// How biases are held.
    #[must_use]
    pub fn bias(mut self, bias: Bias) -> Self {
        self.bias = bias;
        self
    }

    /// Makes the network with random weights: Glorot-uniform input kernels and dense layers, orthogonal recurrent
    /// kernels, forget biases 1, other biases 0.
    ///
    /// # Errors
    /// [`Error::Zero`] when a width is zero or there is no layer, [`Error::Setting`] for dropout out of range.
    pub fn init<F: Real, R: Rng>(&self, rng: &mut R) -> Result<Network<F>, Error> {
        let mut network = self.zeros()?;
        init::fill(&mut network, rng);
        Ok(network)
    }

    /// Makes the network with all weights zero, to be filled with [`Network::set_tensor`].
    ///
    /// # Errors
    /// [`Error::Zero`] when a width is zero or there is no layer, [`Error::Setting`] for dropout out of range.
    pub fn zeros<F: Real>(&self) -> Result<Network<F>, Error> {
        let zero = |what| Err(Error::Zero { what });
        if self.inputs == 0 {
            return zero("the number of inputs");
        }
        if self.lstm.contains(&0) {
            return zero("the number of units of an LSTM layer");
        }
        if self.dense.iter().any(|&(units, _)| units == 0) {
            return zero("the width of a dense layer");
        }
        if self.lstm.is_empty() && self.dense.is_empty() {
            return zero("the number of layers");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(Error::Setting {
                what: "dropout",
                value: self.dropout,
                range: "at least 0 and below 1",
            });
        }
        let layers = self.layers();
        let len = layers.last().map_or(0, |layer| layer.end);
        let Some(kernels) = F::kernels(Instructions::Widest) else {
            return Err(Error::Instructions { instructions: Instructions::Widest });
        };
        Ok(Network { params: self.clone(), layers, values: vec![F::zero(); len], kernels })
    }

    fn layers(&self) -> Vec<Layer> {
        let mut layers = Vec::new();
        let (mut at, mut inputs) = (0, self.inputs);
        let mut take = |n: usize| {
            at += n;
            at - n..at
        };
        for (depth, &units) in self.lstm.iter().enumerate() {
            let w_ih = take(4 * units * inputs);
            let w_hh = take(4 * units * units);
            let bias = take(4 * units);
            let bias_hh = take(if self.bias == Bias::Double { 4 * units } else { 0 });
            let end = bias_hh.end;
            layers.push(Layer { kind: Kind::Lstm, depth, inputs, units, w_ih, w_hh, bias, bias_hh, end });
            inputs = units;
        }
        for (depth, &(units, activation)) in self.dense.iter().enumerate() {
            let w_ih = take(units * inputs);
            let bias = take(units);
            let end = bias.end;
            let kind = Kind::Dense(activation);
            layers.push(Layer {
                kind,
                depth,
                inputs,
                units,
                w_ih,
                w_hh: end..end,
                bias,
                bias_hh: end..end,
                end,
            });
            inputs = units;
        }
        layers
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Lstm,
    Dense(Activation),
}

/// One layer and where its parameters lie in the flat vector.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) kind: Kind,
    /// Position among the layers of its kind.
    pub(crate) depth: usize,
    pub(crate) inputs: usize,
    pub(crate) units: usize,
    pub(crate) w_ih: Range<usize>,
    pub(crate) w_hh: Range<usize>,
    pub(crate) bias: Range<usize>,
    pub(crate) bias_hh: Range<usize>,
    end: usize,
}

impl Layer {
    /// Rows of the input kernel: four gates per LSTM unit.
    pub(crate) fn rows(&self) -> usize {
        match self.kind {
            Kind::Lstm => 4 * self.units,
            Kind::Dense(_) => self.units,
        }
    }

    /// Names, shapes and places of the layer's tensors.
    fn tensors(&self) -> Vec<(String, Vec<usize>, Range<usize>)> {
        let (rows, depth) = (self.rows(), self.depth);
        match self.kind {
            Kind::Lstm => {
                let mut tensors = vec![
                    (format!("lstm.weight_ih_l{depth}"), vec![rows, self.inputs], self.w_ih.clone()),
                    (format!("lstm.weight_hh_l{depth}"), vec![rows, self.units], self.w_hh.clone()),
                    (format!("lstm.bias_ih_l{depth}"), vec![rows], self.bias.clone()),
                ];
                if !self.bias_hh.is_empty() {
                    tensors.push((format!("lstm.bias_hh_l{depth}"), vec![rows], self.bias_hh.clone()));
                }
                tensors
            }
            Kind::Dense(_) => vec![
                (format!("dense.{depth}.weight"), vec![rows, self.inputs], self.w_ih.clone()),
                (format!("dense.{depth}.bias"), vec![rows], self.bias.clone()),
            ],
        }
    }
}

/// A network with its weights.
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
    pub fn params(&self) -> &NetworkParams {
        &self.params
    }

    /// Features per step.
    pub fn inputs(&self) -> usize {
        self.params.inputs
    }

    /// Numbers per output row: the width of the last layer.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.units)
    }

    /// Units of the top LSTM layer, 0 without one.
    pub fn units(&self) -> usize {
        self.params.lstm.last().copied().unwrap_or(0)
    }

    /// All parameters, in the order of [`tensors`](Self::tensors).
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
        self.kernels = F::kernels(instructions).ok_or(Error::Instructions { instructions })?;
        Ok(())
    }

    /// Name of the vector instructions in use.
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
    pub fn weight_ih(&self, layer: usize) -> Option<ArrayView2<'_, F>> {
        let layer = self.lstm_layer(layer)?;
        ArrayView2::from_shape((layer.rows(), layer.inputs), &self.values[layer.w_ih.clone()]).ok()
    }

    /// W_h of an LSTM layer: 4 units x units.
    pub fn weight_hh(&self, layer: usize) -> Option<ArrayView2<'_, F>> {
        let layer = self.lstm_layer(layer)?;
        ArrayView2::from_shape((layer.rows(), layer.units), &self.values[layer.w_hh.clone()]).ok()
    }

    /// b of an LSTM layer: 4 units; with [`Bias::Double`] the sum of both.
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
    pub fn dense_weight(&self, layer: usize) -> Option<ArrayView2<'_, F>> {
        let layer = self.dense_layer(layer)?;
        ArrayView2::from_shape((layer.rows(), layer.inputs), &self.values[layer.w_ih.clone()]).ok()
    }

    /// Biases of dense layer `layer` (units).
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
    pub fn tensor(&self, name: &str) -> Option<ArrayD<F>> {
        self.tensors().into_iter().find(|(known, _)| known == name).map(|(_, view)| view.to_owned())
    }
}
