//! Recurrent nets from elsewhere: the one reader of files that PyTorch, Keras and ONNX write.
//!
//! What a file does not tell is told by the caller or taken for granted, and then stands in the net's description. What it holds
//! beyond what is understood of a module is refused by name.

mod format;
mod keras;
mod onnx;
mod pytorch;
#[cfg(test)]
mod tests;

use ndarray::{Array1, Array2, ArrayRef2, Axis, concatenate};

use crate::error::Error;
use crate::tensors::Tensors;
use format::Format;

/// Largest weight that is read. Cells saturate at a few hundred; beyond this, products of weights, as in powers of a Jacobian,
/// leave the range of numbers.
pub const LARGEST_WEIGHT: f64 = 1e9;

/// The function that a plain recurrent layer applies to its pre-activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nonlinearity {
    /// The hyperbolic tangent.
    Tanh,
    /// `max(0, x)`.
    Relu,
}

/// Where the reset gate of a GRU acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reset {
    /// After the recurrent product: `n = tanh(W_xn x + b_xn + r (W_hn h + b_hn))`.
    After,
    /// Before it: `n = tanh(W_xn x + b_xn + W_hn (r h) + b_hn)`.
    Before,
}

/// The kind of cell of a recurrent layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cell {
    /// Gates i, f, g, o; `c' = f c + i g`, `h' = o tanh(c')`.
    Lstm,
    /// Gates r, z, n; `h' = (1 - z) n + z h`.
    Gru(Reset),
    /// `h' = f(W_x x + W_h h + b)`.
    Plain(Nonlinearity),
}

impl Cell {
    /// Gates of a unit.
    #[must_use]
    pub fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru(_) => 3,
            Self::Plain(_) => 1,
        }
    }
}

/// The weights of a recurrent layer of M units and C inputs, whatever the file's own order: G gates stacked in the order of
/// [`Cell`], G x M rows.
#[derive(Debug, Clone, PartialEq)]
pub struct RecurrentLayer {
    /// Input weights, GM x C.
    pub input: Array2<f64>,
    /// Recurrent weights, GM x M.
    pub recurrent: Array2<f64>,
    /// Bias of the input's product, length GM.
    pub input_bias: Array1<f64>,
    /// Bias of the recurrent product, length GM.
    pub recurrent_bias: Array1<f64>,
}

impl RecurrentLayer {
    /// Both biases, which act as their sum everywhere but in the candidate of a GRU with the reset after the product.
    #[must_use]
    pub fn bias(&self) -> Array1<f64> {
        &self.input_bias + &self.recurrent_bias
    }
}

/// The net to read of a file, and properties that the file may not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetChoice {
    /// The module to read, or, bottom first, the modules of a stack. Empty for a file with a single one, and for an ONNX file
    /// whose LSTM nodes are one stack.
    pub modules: Vec<String>,
    /// The nonlinearity of a plain layer, and of the cell of Keras's LSTM and GRU.
    pub nonlinearity: Option<Nonlinearity>,
    /// Where the reset gate of a GRU acts.
    pub reset: Option<Reset>,
}

/// A recurrent net read from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct RecurrentNet {
    /// The cell of each layer.
    pub cell: Cell,
    /// The layers, bottom first; several of an LSTM only.
    pub layers: Vec<RecurrentLayer>,
    /// The computation in words, with the assumptions about it.
    pub description: String,
    /// Whether something that could be otherwise is taken for granted, as neither the file nor the caller says it.
    pub assumed: bool,
}

/// A module of a file.
struct Module {
    cell: Cell,
    layers: Vec<RecurrentLayer>,
    description: String,
    assumed: bool,
}

impl RecurrentNet {
    /// Reads a net from the bytes of a file:
    ///
    /// - safetensors in PyTorch's layout: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, then `.._l1` and so on, or
    ///   a cell's names without `_l0`, behind the name of a module;
    /// - safetensors in Keras's layout: `kernel`, `recurrent_kernel` and `bias` behind the path of a layer
    ///   (`lstm/lstm_cell/kernel`), a module per layer;
    /// - ONNX: nodes `LSTM`, `GRU` and `RNN`, a module per node, forward, with weights stored in the file.
    ///
    /// The shape of the recurrent weights tells the cell: 4M x M is an LSTM, 3M x M a GRU, M x M a plain layer. Biases are zero
    /// where the module has none. Every tensor of the module must be understood; other modules are left alone.
    ///
    /// # Errors
    /// [`Error::Modules`] where a module must be chosen, [`Error::NetFile`] for what is not understood, by the name of the tensor
    /// or node, and the errors of [`Tensors`].
    pub fn read(bytes: &[u8], choice: &NetChoice) -> Result<Self, Error> {
        let modules = match format::of(bytes)? {
            Format::Safetensors => of_tensors(&Tensors::open(bytes)?, choice)?,
            Format::Onnx => onnx::read(bytes, choice)?,
        };
        let mut modules = modules.into_iter();
        let mut first = modules.next().ok_or(Error::Zero { what: "the number of modules" })?;
        for (layer, next) in (1..).zip(modules) {
            if next.cell != first.cell {
                let problem = "its cells differ from those of the layers below: a stack is of LSTM layers";
                let name = choice.modules.get(layer).map_or("of the stack", String::as_str);
                return Err(problem_of(&format!("module {name}"), problem));
            }
            first.layers.extend(next.layers);
            first.assumed |= next.assumed;
        }
        let Module { cell, layers, description, assumed } = first;
        stacked(cell, &layers)?;
        match (cell, choice.nonlinearity) {
            (Cell::Lstm | Cell::Gru(_), Some(Nonlinearity::Relu)) => Err(problem_of(
                "the net",
                "relu was asked for, but it is an LSTM or a GRU, of which only cells with tanh are read",
            )),
            (Cell::Lstm | Cell::Plain(_), _) if choice.reset.is_some() => {
                Err(problem_of("the net", "it is no GRU: there is no reset gate"))
            }
            _ => Ok(Self { cell, layers, description, assumed }),
        }
    }
}

/// Checks that the layers fit on one another, and that there are several of an LSTM only.
fn stacked(cell: Cell, layers: &[RecurrentLayer]) -> Result<(), Error> {
    if layers.len() > 1 && cell != Cell::Lstm {
        let problem = format!("it has {} layers: only LSTM layers can be stacked", layers.len());
        return Err(problem_of("the net", problem));
    }
    for (below, pair) in layers.windows(2).enumerate() {
        let (units, inputs) = (pair[0].recurrent.ncols(), pair[1].input.ncols());
        if units != inputs {
            let problem = format!("it reads {inputs} values, but the layer below has {units} units");
            return Err(problem_of(&format!("layer {}", below + 1), problem));
        }
    }
    Ok(())
}

/// The modules asked for of a file of tensors.
fn of_tensors(file: &Tensors<'_>, choice: &NetChoice) -> Result<Vec<Module>, Error> {
    let (torch, keras) = (pytorch::modules(file), keras::modules(file));
    let names: Vec<&str> =
        torch.iter().map(pytorch::TorchModule::name).chain(keras.iter().map(keras::Layer::name)).collect();
    if names.is_empty() {
        return Err(pytorch::none_found(file));
    }
    let read = |at: usize| match torch.get(at) {
        Some(module) => module.read(file, choice),
        None => keras[at - torch.len()].read(file, choice),
    };
    if !torch.is_empty() {
        pytorch::claimed(file)?;
    }
    chosen(&names, &choice.modules)?.into_iter().map(read).collect()
}

/// Which of the modules are asked for, by their places. A name may leave out the last parts, where that is clear.
fn chosen(names: &[&str], wanted: &[String]) -> Result<Vec<usize>, Error> {
    let listed = || names.iter().map(|name| (*name).to_owned()).collect();
    if wanted.is_empty() {
        return if names.len() == 1 {
            Ok(vec![0])
        } else {
            Err(Error::Modules { wanted: None, found: listed() })
        };
    }
    let place = |wanted: &String| {
        let of = |matches: &dyn Fn(&str) -> bool| {
            let mut places = (0..names.len()).filter(|at| matches(names[*at]));
            places.next().filter(|_| places.next().is_none())
        };
        let within =
            |name: &str| name.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.starts_with(['.', '/']));
        let place = of(&|name| name == wanted).or_else(|| of(&within));
        place.ok_or_else(|| Error::Modules { wanted: Some(wanted.clone()), found: listed() })
    };
    let places = wanted.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    match (1..places.len()).find(|at| places[..*at].contains(&places[*at])) {
        Some(at) => Err(problem_of(&format!("module {}", wanted[at]), "it is asked for twice")),
        None => Ok(places),
    }
}

/// The fault, and its place.
fn problem_of(place: &str, problem: impl Into<String>) -> Error {
    Error::NetFile { place: place.to_owned(), problem: problem.into() }
}

fn tensor(name: &str) -> String {
    format!("tensor {name}")
}

/// Refuses numbers too large to compute with.
fn bounded(name: &str, values: Vec<f64>) -> Result<Vec<f64>, Error> {
    match values.iter().position(|value| value.abs() > LARGEST_WEIGHT) {
        Some(at) => {
            let problem =
                format!("entry {at} is {:e}, beyond {LARGEST_WEIGHT:e}: is the file damaged?", values[at]);
            Err(problem_of(&tensor(name), problem))
        }
        None => Ok(values),
    }
}

impl Tensors<'_> {
    /// A matrix, rows x columns, of numbers up to [`LARGEST_WEIGHT`] in size.
    ///
    /// # Errors
    /// [`Error::TensorName`] for a missing tensor, [`Error::NetFile`] for one that is no matrix or holds larger numbers,
    /// [`Error::TensorType`] or [`Error::TensorValue`].
    pub fn matrix(&self, name: &str) -> Result<Array2<f64>, Error> {
        let shape = self
            .shape(name)
            .ok_or_else(|| Error::TensorName { name: name.to_owned(), problem: "missing" })?;
        let [rows, columns] = shape[..] else {
            return Err(problem_of(&tensor(name), format!("it has shape {shape:?}, but a matrix is needed")));
        };
        shaped((rows, columns), bounded(name, self.finite(name, &shape)?))
    }
}

fn vector(file: &Tensors<'_>, name: &str, length: usize) -> Result<Array1<f64>, Error> {
    Ok(Array1::from(bounded(name, file.finite(name, &[length])?)?))
}

fn shaped(shape: (usize, usize), values: Result<Vec<f64>, Error>) -> Result<Array2<f64>, Error> {
    let values = values?;
    let found = values.len();
    Array2::from_shape_vec(shape, values).map_err(|_| Error::Mismatch {
        what: "a matrix",
        expected: shape.0.saturating_mul(shape.1),
        found,
    })
}

/// The rows of stacked gates in another order: gate `k` of the result is the file's gate `order[k]`.
fn reordered(rows: &ArrayRef2<f64>, order: &[usize]) -> Array2<f64> {
    let units = rows.nrows() / order.len();
    let blocks: Vec<_> =
        order.iter().map(|gate| rows.slice(ndarray::s![gate * units..(gate + 1) * units, ..])).collect();
    // Blocks of one matrix have the same width.
    concatenate(Axis(0), &blocks).unwrap_or_else(|_| rows.to_owned())
}

/// The same of a vector.
fn reordered_vector(rows: &Array1<f64>, order: &[usize]) -> Array1<f64> {
    reordered(&rows.view().insert_axis(Axis(1)), order).remove_axis(Axis(1))
}

/// The description of a plain layer.
fn plain_description(nonlinearity: Option<Nonlinearity>) -> (Nonlinearity, String, bool) {
    let kept = nonlinearity.unwrap_or(Nonlinearity::Tanh);
    let (name, other) = match kept {
        Nonlinearity::Tanh => ("tanh", "relu"),
        Nonlinearity::Relu => ("relu", "tanh"),
    };
    let how = if nonlinearity.is_some() { "as told" } else { "taken for granted" };
    (kept, format!("RNN with {name}, {how}: the file does not tell it from {other}"), nonlinearity.is_none())
}
