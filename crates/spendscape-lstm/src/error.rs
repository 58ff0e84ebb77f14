//! The error of the crate, with the data needed to mend it.

use crate::kernels::Instructions;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A layer without units or a network without inputs or layers.
    #[error("{what} must be at least 1")]
    Zero {
        /// The quantity that is zero.
        what: &'static str,
    },
    /// Two shapes that should agree do not.
    #[error("{what} has {found} but {expected} is needed")]
    Mismatch {
        /// The quantity compared.
        what: &'static str,
        /// The size that the network or the other array asks for.
        expected: usize,
        /// The size given.
        found: usize,
    },
    /// A category beyond its variable's size.
    #[error(
        "variable {variable} has category {id} at step {step} of sample {sample}, but its {size} categories are counted from 0"
    )]
    Category {
        /// The sample.
        sample: usize,
        /// The step.
        step: usize,
        /// The categorical variable.
        variable: usize,
        /// The category found.
        id: usize,
        /// The variable's number of categories.
        size: usize,
    },
    /// A setting outside its range.
    #[error("{what} is {value} but must be {range}")]
    Setting {
        /// The name of the setting.
        what: &'static str,
        /// Its value.
        value: f64,
        /// The allowed range in words.
        range: &'static str,
    },
    /// A tensor with another shape than the network's.
    #[error("tensor {name} has shape {found:?} but the network needs {expected:?}")]
    TensorShape {
        /// Name of the tensor.
        name: String,
        /// The shape the network needs.
        expected: Vec<usize>,
        /// The shape given.
        found: Vec<usize>,
    },
    /// A tensor that the network does not have, that is missing, or that a file describes twice or in the wrong place.
    #[error("tensor {name} is {problem}")]
    TensorName {
        /// Name of the tensor.
        name: String,
        /// "missing", "not part of the network", "described twice", "given by two nodes, or stored too" or "not where the one
        /// before
        /// it ends".
        problem: &'static str,
    },
    /// A tensor with a NaN or an infinity.
    #[error("tensor {name} has the value {value} at position {index}; only finite numbers can be loaded")]
    TensorValue {
        /// Name of the tensor.
        name: String,
        /// Flat position in row-major order.
        index: usize,
        /// The value.
        value: f64,
    },
    /// The CPU or the float type does not have these instructions.
    #[error("{instructions:?} is not available here; use Instructions::Widest")]
    Instructions {
        /// The instructions asked for.
        instructions: Instructions,
    },
    /// Bytes that are not a file of tensors.
    #[error("the bytes are not a safetensors file; write it again or load another")]
    Safetensors(#[from] safetensors::SafeTensorError),
    /// A tensor that is cut off, or whose shape does not fit its bytes.
    #[error("tensor {name} needs {expected} bytes but the file has {found} for it; write the file again")]
    TensorBytes {
        /// Name of the tensor.
        name: String,
        /// Bytes that its shape and type need.
        expected: usize,
        /// Bytes in the file.
        found: usize,
    },
    /// A tensor of a type other than F16, BF16, F32 and F64.
    #[error("tensor {name} is of type {found}; only F16, BF16, F32 and F64 can be loaded")]
    TensorType {
        /// Name of the tensor.
        name: String,
        /// The type found.
        found: String,
    },
    /// Something in a file from elsewhere that is not understood.
    #[error("{place}: {problem}")]
    NetFile {
        /// The tensor or the node, or the file itself.
        place: String,
        /// The fault, and the remedy.
        problem: String,
    },
    /// A file in which a recurrent module must be chosen, or which has none of that name.
    #[error("{}", modules(wanted.as_deref(), found))]
    Modules {
        /// The name that was asked for.
        wanted: Option<String>,
        /// The names there are.
        found: Vec<String>,
    },
    /// A data set without samples cannot train a network.
    #[error("there is nothing to train on: {what}")]
    NothingToTrain {
        /// The missing part.
        what: &'static str,
    },
}

fn modules(wanted: Option<&str>, found: &[String]) -> String {
    let listed = found.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    match wanted {
        Some(wanted) => format!("there is no recurrent module {wanted:?}; the file has {listed}"),
        None => format!("there are several recurrent modules: choose one of {listed}"),
    }
}
