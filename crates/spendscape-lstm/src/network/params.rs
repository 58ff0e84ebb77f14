//! The shape of a network.

use super::Network;
use super::layer::{Activation, Kind, Layer};
use crate::error::Error;
use crate::kernels::{self, Instructions};
use crate::real::Real;

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
///
/// ```
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_lstm::{Network, NetworkParams};
///
/// // Ten classes of spending, three units, five traits.
/// let params = NetworkParams::lstm(10, 3).outputs(5);
/// let network: Network<f32> = params.init(&mut Xoshiro256PlusPlus::seed_from_u64(1))?;
/// assert_eq!((network.inputs(), network.units(), network.outputs()), (10, 3, 5));
/// assert_eq!(network.parameters().len(), 4 * 3 * (10 + 3 + 1) + 5 * (3 + 1));
/// # Ok::<(), spendscape_lstm::Error>(())
/// ```
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
    #[must_use]
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
    #[must_use]
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
    #[must_use]
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

    /// Share p of the hidden states between LSTM layers that training sets to zero, from 0, below 1: dropout (Srivastava et
    /// al. 2014) of what goes up and not of what goes on in time (Zaremba, Sutskever and Vinyals 2014), inverted: the others
    /// are multiplied by 1 / (1 - p), so that nothing changes at inference. Every sample, step and unit is drawn by itself.
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

    /// Makes the network with all weights zero, to be filled with [`Network::set_tensor`].
    ///
    /// # Errors
    /// [`Error::Zero`] when a width is zero or there is no layer, [`Error::Setting`] for dropout out of range or more
    /// parameters than memory has addresses for.
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
        // In f64, which only rounds what would overflow.
        let (mut inputs, mut parameters) = (self.inputs as f64, 0.0);
        let lstm = self.lstm.iter().map(|&units| (4.0 * units as f64, units));
        let dense = self.dense.iter().map(|&(units, _)| (units as f64, units));
        for (rows, units) in lstm.chain(dense) {
            parameters += rows * (inputs + units as f64 + 2.0);
            inputs = units as f64;
        }
        if parameters > isize::MAX as f64 / (2 * size_of::<F>()) as f64 {
            let range = "small enough for the machine's addresses";
            return Err(Error::Setting { what: "the number of parameters", value: parameters, range });
        }
        let layers = self.layers();
        let len = layers.last().map_or(0, |layer| layer.end);
        let Some(kernels) = kernels::of(Instructions::Widest) else {
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
