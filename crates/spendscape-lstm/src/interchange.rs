//! Weights as safetensors bytes, in PyTorch's or Keras's layout.

use crate::error::Error;
use crate::network::{Kind, Network};
use crate::real::Real;
use ndarray::{ArrayD, ArrayRef, IxDyn};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// How another program lays out weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `lstm.weight_ih_l0` (4 units x inputs), `lstm.weight_hh_l0`, `lstm.bias_ih_l0`, `lstm.bias_hh_l0`, then
    /// `dense.0.weight` (units x inputs) and `dense.0.bias`. A network with one bias writes zeros as the second.
    PyTorch,
    /// `lstm.0.kernel` (inputs x 4 units), `lstm.0.recurrent_kernel`, `lstm.0.bias`, then `dense.0.kernel`
    /// (inputs x units) and `dense.0.bias`. A network with two biases writes their sum.
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
                    let name = if kind == Kind::Lstm { "lstm" } else { "dense" };
                    let kernel = transposed(w_ih, layer.inputs);
                    tensors.push(bytes(format!("{name}.{depth}.kernel"), vec![layer.inputs, rows], &kernel));
                    if kind == Kind::Lstm {
                        let kernel = transposed(w_hh, layer.units);
                        let name = format!("lstm.{depth}.recurrent_kernel");
                        tensors.push(bytes(name, vec![layer.units, rows], &kernel));
                    }
                    let bias: Vec<F> = self.bias_sum(layer).collect();
                    tensors.push(bytes(format!("{name}.{depth}.bias"), vec![rows], &bias));
                }
            }
        }
        write(&tensors, F::DTYPE)
    }

    /// Takes all weights from the bytes of a safetensors file of f32 or f64; nothing changes when one is refused.
    ///
    /// `names` maps the names that [`Layout`] states to those in the file, for models whose modules are called
    /// otherwise (`|name| name.to_owned()` when they are not). Tensors of the file that the network does not have are
    /// left alone.
    ///
    /// # Errors
    /// [`Error::Safetensors`] for bytes that are no such file, and [`Error::TensorName`], [`Error::TensorShape`],
    /// [`Error::TensorType`] or [`Error::TensorValue`] with the tensor's name in the file.
    pub fn load_safetensors(
        &mut self,
        bytes: &[u8],
        layout: Layout,
        names: impl Fn(&str) -> String,
    ) -> Result<(), Error> {
        let file = SafeTensors::deserialize(bytes)?;
        let read = |name: String, shape: &[usize]| read(&file, &names(&name), shape);
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
                (Layout::Keras, Kind::Lstm) => (
                    read(format!("lstm.{depth}.kernel"), &[inputs, rows])?.reversed_axes(),
                    Some(read(format!("lstm.{depth}.recurrent_kernel"), &[units, rows])?.reversed_axes()),
                    read(format!("lstm.{depth}.bias"), &[rows])?,
                    None,
                ),
                (Layout::Keras, Kind::Dense(_)) => (
                    read(format!("dense.{depth}.kernel"), &[inputs, rows])?.reversed_axes(),
                    None,
                    read(format!("dense.{depth}.bias"), &[rows])?,
                    None,
                ),
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
        *self = loaded;
        Ok(())
    }
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
    let values = numbers(file, name, shape)?;
    if let Some((index, &value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(Error::TensorValue { name: name.to_owned(), index, value });
    }
    let values = values.into_iter().map(F::from_f64).collect();
    let found = shape.to_vec();
    ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|_| Error::TensorShape {
        name: name.to_owned(),
        expected: found.clone(),
        found,
    })
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
