//! Weights as safetensors bytes, in PyTorch's or Keras's layout.

use crate::error::Error;
use crate::network::{Kind, Network};
use crate::real::Real;
use ndarray::{ArrayD, ArrayRef, IxDyn};
use safetensors::tensor::{TensorInfo, TensorView};
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use std::collections::{HashMap, HashSet};
use std::fmt;

/// How another program lays out weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `lstm.weight_ih_l0` (4 units x inputs), `lstm.weight_hh_l0`, `lstm.bias_ih_l0`, `lstm.bias_hh_l0`, then
    /// `dense.0.weight` (units x inputs) and `dense.0.bias`. A network with one bias writes zeros as the second.
    PyTorch,
    /// `lstm/lstm_cell/kernel` (inputs x 4 units), `lstm/lstm_cell/recurrent_kernel`, `lstm/lstm_cell/bias`, then
    /// `dense/kernel` (inputs x units) and `dense/bias`; further layers are called `lstm_1`, `dense_1` and so on. These
    /// are the paths of a Keras model's variables without the model's own name; the seeds that Keras counts among them for
    /// dropout are no weights and must not be in the file. A network with two biases writes their sum.
    Keras,
}

/// A tensor ready to be written: name, shape, little-endian bytes.
type Bytes = (String, Vec<usize>, Vec<u8>);

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

    /// Takes all weights from the bytes of a safetensors file of f32 or f64; nothing changes when one is refused.
    ///
    /// `names` maps the names that [`Layout`] states to those in the file, for models whose modules are called
    /// otherwise (`|name| name.to_owned()` when they are not). A tensor that the network does not have is refused, as a
    /// further layer or direction would make the file's net another function: write the net's own tensors only.
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
        let file = open(bytes)?;
        let mut known = HashSet::new();
        let mut read = |name: String, shape: &[usize]| {
            let name = names(&name);
            let values = read(&file, &name, shape);
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
            let (w_ih, w_hh, bias, second) = match (layout, layer.kind) {
                (Layout::PyTorch, Kind::Lstm) => (
                    read(format!("lstm.weight_ih_l{depth}"), &[rows, inputs])?,
                    Some(read(format!("lstm.weight_hh_l{depth}"), &[rows, units])?),
                    read(format!("lstm.bias_ih_l{depth}"), &[rows])?,
                    Some(read(format!("lstm.bias_hh_l{depth}"), &[rows])?),
                ),
                (Layout::PyTorch, Kind::Dense(_)) => (
                    read(format!("dense.{depth}.weight"), &[rows, inputs])?,
                    None,
                    read(format!("dense.{depth}.bias"), &[rows])?,
                    None,
                ),
                (Layout::Keras, kind) => {
                    let name = keras_layer(kind, depth);
                    let kernel = read(format!("{name}/kernel"), &[inputs, rows])?.reversed_axes();
                    let recurrent = match kind {
                        Kind::Lstm => {
                            Some(read(format!("{name}/recurrent_kernel"), &[units, rows])?.reversed_axes())
                        }
                        Kind::Dense(_) => None,
                    };
                    (kernel, recurrent, read(format!("{name}/bias"), &[rows])?, None)
                }
            };
            if layer.kind == Kind::Lstm {
                ours(&format!("lstm.weight_ih_l{depth}"), w_ih, &mut loaded)?;
                if let Some(w_hh) = w_hh {
                    ours(&format!("lstm.weight_hh_l{depth}"), w_hh, &mut loaded)?;
                }
                let second = second.unwrap_or_else(|| ArrayD::zeros(IxDyn(&[rows])));
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
        nothing_else(&file, &known)?;
        *self = loaded;
        Ok(())
    }
}

/// The path of the variables of Keras's layer number `depth` of a kind.
fn keras_layer(kind: Kind, depth: usize) -> String {
    let number = if depth == 0 { String::new() } else { format!("_{depth}") };
    match kind {
        Kind::Lstm => format!("lstm{number}/lstm_cell"),
        Kind::Dense(_) => format!("dense{number}"),
    }
}

/// The tensors of a file, or what is wrong with it, by the tensor's name where one is to blame.
pub(crate) fn open(bytes: &[u8]) -> Result<SafeTensors<'_>, Error> {
    if let Some(name) = header(bytes).and_then(|(header, _)| twice(header)) {
        return Err(Error::TensorName { name, problem: "described twice" });
    }
    SafeTensors::deserialize(bytes).map_err(|error| match error {
        SafeTensorError::InvalidOffset(name) => {
            Error::TensorName { name, problem: "not where the one before it ends" }
        }
        other => short_tensor(bytes).unwrap_or(Error::Safetensors(other)),
    })
}

/// Refuses tensors beside those known.
pub(crate) fn nothing_else(file: &SafeTensors<'_>, known: &HashSet<String>) -> Result<(), Error> {
    let mut names = file.names();
    names.sort_unstable();
    match names.into_iter().find(|&name| !known.contains(name)) {
        Some(name) => Err(Error::TensorName { name: name.to_owned(), problem: "not part of the network" }),
        None => Ok(()),
    }
}

/// The header of a file, which is JSON, and the numbers behind it.
fn header(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

/// The first key that the header has twice: of these, a map would keep one without a word.
fn twice(header: &[u8]) -> Option<String> {
    struct Keys;
    impl<'de> Visitor<'de> for Keys {
        type Value = Option<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the descriptions of tensors")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let (mut seen, mut twice) = (HashSet::new(), None);
            while let Some((key, _)) = entries.next_entry::<String, IgnoredAny>()? {
                if !seen.insert(key.clone()) {
                    twice = twice.or(Some(key));
                }
            }
            Ok(twice)
        }
    }
    serde_json::Deserializer::from_slice(header).deserialize_map(Keys).ok().flatten()
}

/// The first tensor of which the file has another number of bytes than its shape needs.
fn short_tensor(bytes: &[u8]) -> Option<Error> {
    let (header, data) = header(bytes)?;
    // What is no description of a tensor is the file's metadata.
    let entries: HashMap<String, serde_json::Value> = serde_json::from_slice(header).ok()?;
    let tensors = entries.into_iter().map(|(name, entry)| Some((name, serde_json::from_value(entry).ok()?)));
    let mut tensors: Vec<(String, TensorInfo)> = tensors.flatten().collect();
    tensors.sort_by_key(|(_, info)| info.data_offsets);
    tensors.into_iter().find_map(|(name, info)| {
        let (start, end) = info.data_offsets;
        let elements = info.shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
        let expected =
            elements.and_then(|n| n.checked_mul(info.dtype.bitsize())).map_or(usize::MAX, |n| n / 8);
        let found = end.min(data.len()).saturating_sub(start);
        (expected != found).then_some(Error::TensorBytes { name, expected, found })
    })
}

/// A tensor's name, shape and little-endian bytes.
pub(crate) fn bytes<F: Real>(name: String, shape: Vec<usize>, values: &[F]) -> Bytes {
    (name, shape, values.iter().flat_map(|x| x.little_endian()).collect())
}

/// The file of some tensors of one type.
pub(crate) fn write(tensors: &[Bytes], dtype: Dtype) -> Result<Vec<u8>, Error> {
    let views = tensors.iter().map(|(name, shape, bytes)| {
        TensorView::new(dtype, shape.clone(), bytes).map(|view| (name.clone(), view))
    });
    let views: Result<Vec<_>, _> = views.collect();
    Ok(safetensors::serialize(views?, None)?)
}

/// A tensor of finite numbers with the given shape.
fn read<F: Real>(file: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<ArrayD<F>, Error> {
    let found = shape.to_vec();
    ArrayD::from_shape_vec(IxDyn(shape), finite(file, name, shape)?).map_err(|_| Error::TensorShape {
        name: name.to_owned(),
        expected: found.clone(),
        found,
    })
}

/// The numbers of a tensor with the given shape; NaN, and what is infinite in `F`, is refused.
pub(crate) fn finite<F: Real>(file: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<F>, Error> {
    let values = numbers(file, name, shape)?.into_iter().enumerate();
    let checked = values.map(|(index, value)| {
        let near = F::from_f64(value);
        let refused = || Error::TensorValue { name: name.to_owned(), index, value };
        near.is_finite().then_some(near).ok_or_else(refused)
    });
    checked.collect()
}

/// The numbers of a tensor with the given shape, in f64.
pub(crate) fn numbers(file: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<f64>, Error> {
    let Ok(tensor) = file.tensor(name) else {
        return Err(Error::TensorName { name: name.to_owned(), problem: "missing" });
    };
    if tensor.shape() != shape {
        let (expected, found) = (shape.to_vec(), tensor.shape().to_vec());
        return Err(Error::TensorShape { name: name.to_owned(), expected, found });
    }
    match tensor.dtype() {
        Dtype::F32 => {
            let chunks = tensor.data().as_chunks::<4>().0.iter();
            Ok(chunks.map(|&b| f64::from(f32::from_le_bytes(b))).collect())
        }
        Dtype::F64 => Ok(tensor.data().as_chunks::<8>().0.iter().map(|&b| f64::from_le_bytes(b)).collect()),
        other => Err(Error::TensorType { name: name.to_owned(), found: format!("{other:?}") }),
    }
}
