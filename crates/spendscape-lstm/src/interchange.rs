//! Weights as safetensors bytes, in PyTorch's or Keras's layout.

use crate::error::Error;
use crate::network::{Kind, Network};
use crate::real::Real;
use crate::tensors::{Tensors, bytes, write};
use ndarray::{ArrayD, ArrayRef, IxDyn};
use std::collections::HashSet;

/// How another program lays out weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `lstm.weight_ih_l0` (4 units x inputs), `lstm.weight_hh_l0`, `lstm.bias_ih_l0`, `lstm.bias_hh_l0`, then
    /// `dense.0.weight` (units x inputs) and `dense.0.bias`. A network with one bias writes zeros as the second.
    PyTorch,
    /// `lstm/lstm_cell/kernel` (inputs x 4 units), `lstm/lstm_cell/recurrent_kernel`, `lstm/lstm_cell/bias`, then
    /// `dense/kernel` (inputs x units) and `dense/bias`; further layers are called `lstm_1`, `dense_1` and so on. These
    /// are the paths of a Keras model's variables without the model's own name; the seeds that Keras counts among them for
    /// dropout are no weights and are passed over. A network with two biases writes their sum.
    Keras,
}

impl<F: Real> Network<F> {
    /// All weights as the bytes of a safetensors file.
    ///
    /// # Errors
    /// [`Error::Safetensors`] when the weights are too large for the format.
    pub fn to_safetensors(&self, layout: Layout) -> Result<Vec<u8>, Error> {
        let mut tensors = Vec::new();
        for layer in &self.layers {
            let (rows, depth) = (layer.rows(), layer.depth);
            let w_ih = &self.values[layer.w_ih.clone()];
            let w_hh = &self.values[layer.w_hh.clone()];
            let transposed = |w: &[F], columns: usize| {
                (0..w.len()).map(|i| w[i % rows * columns + i / rows]).collect::<Vec<F>>()
            };
            match (layout, layer.kind) {
                (Layout::PyTorch, Kind::Lstm) => {
                    let second = &self.values[layer.bias_hh.clone()];
                    let zeros = vec![F::zero(); rows];
                    let second = if second.is_empty() { &zeros } else { second };
                    tensors.push(bytes(format!("lstm.weight_ih_l{depth}"), vec![rows, layer.inputs], w_ih));
                    tensors.push(bytes(format!("lstm.weight_hh_l{depth}"), vec![rows, layer.units], w_hh));
                    let bias = &self.values[layer.bias.clone()];
                    tensors.push(bytes(format!("lstm.bias_ih_l{depth}"), vec![rows], bias));
                    tensors.push(bytes(format!("lstm.bias_hh_l{depth}"), vec![rows], second));
                }
                (Layout::PyTorch, Kind::Dense(_)) => {
                    tensors.push(bytes(format!("dense.{depth}.weight"), vec![rows, layer.inputs], w_ih));
                    let bias = &self.values[layer.bias.clone()];
                    tensors.push(bytes(format!("dense.{depth}.bias"), vec![rows], bias));
                }
                (Layout::Keras, kind) => {
                    let name = keras_layer(kind, depth);
                    let kernel = transposed(w_ih, layer.inputs);
                    tensors.push(bytes(format!("{name}/kernel"), vec![layer.inputs, rows], &kernel));
                    if kind == Kind::Lstm {
                        let kernel = transposed(w_hh, layer.units);
                        tensors.push(bytes(
                            format!("{name}/recurrent_kernel"),
                            vec![layer.units, rows],
                            &kernel,
                        ));
                    }
                    let bias: Vec<F> = self.bias_sum(layer).collect();
                    tensors.push(bytes(format!("{name}/bias"), vec![rows], &bias));
                }
            }
        }
        write(&tensors, F::DTYPE)
    }

    /// Takes all weights from the bytes of a safetensors file of floats; nothing changes when one is refused.
    ///
    /// `names` maps the names that [`Layout`] states to those in the file, for models whose modules are called
    /// otherwise (`|name| name.to_owned()` when they are not). A tensor that the network does not have is refused, as a
    /// further layer or direction would make the file's net another function: write the net's own tensors only. Nets
    /// without biases have zeros; where the LSTM layers, or the dense ones, have some, all must be there.
    ///
    /// # Errors
    /// [`Error::Safetensors`] for bytes that are no such file, and [`Error::TensorBytes`], [`Error::TensorName`],
    /// [`Error::TensorShape`], [`Error::TensorType`] or [`Error::TensorValue`] with the tensor's name in the file.
    pub fn load_safetensors(
        &mut self,
        bytes: &[u8],
        layout: Layout,
        names: impl Fn(&str) -> String,
    ) -> Result<(), Error> {
        let file = Tensors::open(bytes)?;
        let any_bias = |lstm: bool| {
            let layers = self.layers.iter().filter(|layer| (layer.kind == Kind::Lstm) == lstm);
            let biases = layers.flat_map(|layer| bias_names(layout, layer.kind, layer.depth));
            file.any(&biases.map(|name| names(&name)).collect::<Vec<_>>())
        };
        let (lstm_biases, dense_biases) = (any_bias(true), any_bias(false));
        let mut known = HashSet::new();
        let mut read = |name: String, shape: &[usize]| {
            let name = names(&name);
            let values = array(&file, &name, shape);
            known.insert(name);
            values
        };
        let mut loaded = self.clone();
        let ours = |name: &str, values: ArrayD<F>, network: &mut Self| {
            let values: &ArrayRef<F, IxDyn> = &values;
            network.set_tensor(name, values)
        };
        for layer in self.layers.clone() {
            let (rows, inputs, units, depth) = (layer.rows(), layer.inputs, layer.units, layer.depth);
            let (w_ih, w_hh) = match (layout, layer.kind) {
                (Layout::PyTorch, Kind::Lstm) => (
                    read(format!("lstm.weight_ih_l{depth}"), &[rows, inputs])?,
                    Some(read(format!("lstm.weight_hh_l{depth}"), &[rows, units])?),
                ),
                (Layout::PyTorch, Kind::Dense(_)) => {
                    (read(format!("dense.{depth}.weight"), &[rows, inputs])?, None)
                }
                (Layout::Keras, kind) => {
                    let name = keras_layer(kind, depth);
                    let kernel = read(format!("{name}/kernel"), &[inputs, rows])?.reversed_axes();
                    let recurrent = match kind {
                        Kind::Lstm => {
                            Some(read(format!("{name}/recurrent_kernel"), &[units, rows])?.reversed_axes())
                        }
                        Kind::Dense(_) => None,
                    };
                    (kernel, recurrent)
                }
            };
            let there = if layer.kind == Kind::Lstm { lstm_biases } else { dense_biases };
            let zeros = || ArrayD::zeros(IxDyn(&[rows]));
            let mut biases = Vec::new();
            for name in bias_names(layout, layer.kind, depth).into_iter().filter(|_| there) {
                biases.push(read(name, &[rows])?);
            }
            let mut biases = biases.into_iter();
            let (bias, second) = (biases.next().unwrap_or_else(zeros), biases.next().unwrap_or_else(zeros));
            if layer.kind == Kind::Lstm {
                ours(&format!("lstm.weight_ih_l{depth}"), w_ih, &mut loaded)?;
                if let Some(w_hh) = w_hh {
                    ours(&format!("lstm.weight_hh_l{depth}"), w_hh, &mut loaded)?;
                }
                if layer.bias_hh.is_empty() {
                    ours(&format!("lstm.bias_ih_l{depth}"), bias + second, &mut loaded)?;
                } else {
                    ours(&format!("lstm.bias_ih_l{depth}"), bias, &mut loaded)?;
                    ours(&format!("lstm.bias_hh_l{depth}"), second, &mut loaded)?;
                }
            } else {
                ours(&format!("dense.{depth}.weight"), w_ih, &mut loaded)?;
                ours(&format!("dense.{depth}.bias"), bias, &mut loaded)?;
            }
        }
        file.nothing_else(&known)?;
        *self = loaded;
        Ok(())
    }
}

/// Names of the biases of a layer.
fn bias_names(layout: Layout, kind: Kind, depth: usize) -> Vec<String> {
    match (layout, kind) {
        (Layout::PyTorch, Kind::Lstm) => {
            vec![format!("lstm.bias_ih_l{depth}"), format!("lstm.bias_hh_l{depth}")]
        }
        (Layout::PyTorch, Kind::Dense(_)) => vec![format!("dense.{depth}.bias")],
        (Layout::Keras, kind) => vec![format!("{}/bias", keras_layer(kind, depth))],
    }
}

/// A tensor of finite numbers with the given shape.
fn array<F: Real>(file: &Tensors<'_>, name: &str, shape: &[usize]) -> Result<ArrayD<F>, Error> {
    let found = shape.to_vec();
    ArrayD::from_shape_vec(IxDyn(shape), file.finite(name, shape)?).map_err(|_| Error::TensorShape {
        name: name.to_owned(),
        expected: found.clone(),
        found,
    })
}

/// The path of the variables of Keras's layer number `depth` of a kind.
fn keras_layer(kind: Kind, depth: usize) -> String {
    let number = if depth == 0 { String::new() } else { format!("_{depth}") };
    match kind {
        Kind::Lstm => format!("lstm{number}/lstm_cell"),
        Kind::Dense(_) => format!("dense{number}"),
    }
}
