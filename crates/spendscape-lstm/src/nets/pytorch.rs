//! PyTorch's layout: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, then `.._l1` and so on, or a single cell's
//! names without `_l0`, behind the name of a module.

use ndarray::Array1;

use super::{Cell, Module, NetChoice, RecurrentLayer, Reset, plain_description, problem_of, tensor, vector};
use crate::error::Error;
use crate::tensors::Tensors;

/// Names of the first layer's input weights, after the name of their module: in a layer, and in a single cell.
const FIRST: [&str; 2] = ["weight_ih_l0", "weight_ih"];
/// How the names of recurrent parameters begin, in modules of PyTorch and what is made of them by pruning (`_orig`, `_mask`),
/// weight drop (`_raw`) and weight norm (`_g`, `_v`).
const RECURRENT: [&str; 5] = ["weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh"];
/// Parts of the names of layers that normalize within a cell: they would change what it computes.
const NORMALIZING: [&str; 3] = ["norm", "ln_", "bn_"];
/// The module that parametrizations of PyTorch keep the true weights in.
const PARAMETRIZATIONS: &str = "parametrizations.";

/// A recurrent module of a file.
pub(super) struct TorchModule<'a> {
    /// The prefix of the names of its tensors.
    prefix: &'a str,
    /// How its first tensor is called.
    first: &'static str,
}

/// The recurrent modules of a file, in the order of their names.
pub(super) fn modules<'a>(file: &'a Tensors<'_>) -> Vec<TorchModule<'a>> {
    let of = |name: &'a str| {
        let first = FIRST.into_iter().find(|first| last_part(name) == *first)?;
        Some(TorchModule { prefix: &name[..name.len() - first.len()], first })
    };
    file.names().into_iter().filter_map(of).collect()
}

/// Says of a file without recurrent modules what there is instead.
pub(super) fn none_found(file: &Tensors<'_>) -> Error {
    let lost = file.names().into_iter().find(|name| is_recurrent(name) && !is_of_layer(last_part(name)));
    let problem = match lost {
        Some(name) => format!(
            "there is no tensor `{}`, but {name}: put the weights back under their plain names before saving (remove pruning, \
             weight norm or parametrizations)",
            FIRST[0]
        ),
        None => format!(
            "there is no tensor `{}` nor `recurrent_kernel`: the layout must be that of torch.nn.LSTM, GRU or RNN, or of \
             keras.layers.LSTM, GRU or SimpleRNN",
            FIRST[0]
        ),
    };
    problem_of("the file", problem)
}

impl TorchModule<'_> {
    pub(super) fn name(&self) -> &str {
        self.prefix.trim_end_matches('.')
    }

    fn tensor(&self, part: &str, layer: usize) -> String {
        match self.first {
            "weight_ih" => format!("{}{part}", self.prefix),
            _ => format!("{}{part}_l{layer}", self.prefix),
        }
    }

    pub(super) fn read(&self, file: &Tensors<'_>, choice: &NetChoice) -> Result<Module, Error> {
        let count = match self.first {
            "weight_ih" => 1,
            _ => (0..).take_while(|l| file.shape(&self.tensor("weight_ih", *l)).is_some()).count(),
        };
        let biases: Vec<[String; 2]> =
            (0..count).map(|l| ["bias_ih", "bias_hh"].map(|part| self.tensor(part, l))).collect();
        let weights = (0..count).flat_map(|l| ["weight_ih", "weight_hh"].map(|part| self.tensor(part, l)));
        let known: Vec<String> = weights.chain(biases.iter().flatten().cloned()).collect();
        understood(file, self.prefix, &known)?;
        let biased = file.any(&biases.concat());
        let mut layers: Vec<RecurrentLayer> = Vec::new();
        let mut gates = 0;
        for (l, [b_x, b_h]) in biases.iter().enumerate() {
            let (input, name) = (file.matrix(&self.tensor("weight_ih", l))?, self.tensor("weight_hh", l));
            let recurrent = file.matrix(&name)?;
            let (rows, units) = recurrent.dim();
            if units == 0 {
                return Err(problem_of(&tensor(&name), "it has no columns: the net has no units"));
            }
            let of_layer = [4, 3, 1].into_iter().find(|gates| rows == gates * units);
            if l == 0 {
                gates = of_layer.unwrap_or(0);
            }
            if of_layer.is_none_or(|of_layer| of_layer != gates) {
                let problem = format!(
                    "it has shape [{rows}, {units}]: 4M x M makes an LSTM, 3M x M a GRU, M x M a plain layer, the same in \
                     all layers"
                );
                return Err(problem_of(&tensor(&name), problem));
            }
            if input.nrows() != rows {
                let (name, found) = (self.tensor("weight_ih", l), input.shape().to_vec());
                return Err(Error::TensorShape { name, expected: vec![rows, input.ncols()], found });
            }
            let bias =
                |name: &String| if biased { vector(file, name, rows) } else { Ok(Array1::zeros(rows)) };
            layers.push(RecurrentLayer {
                input,
                recurrent,
                input_bias: bias(b_x)?,
                recurrent_bias: bias(b_h)?,
            });
        }
        let (cell, description, assumed) = match gates {
            4 => {
                let description = "LSTM as torch.nn.LSTM computes it: gates i, f, g, o; sigmoid gates, tanh cell and output";
                (Cell::Lstm, description.to_owned(), false)
            }
            3 => {
                if choice.reset == Some(Reset::Before) {
                    let problem =
                        "the reset gate of torch.nn.GRU acts behind the recurrent weights, not before them";
                    return Err(problem_of(&tensor(&self.tensor("weight_hh", 0)), problem));
                }
                let description = "GRU as torch.nn.GRU computes it: gates r, z, n; sigmoid gates, tanh candidate; the reset gate \
                                   behind the recurrent weights";
                (Cell::Gru(Reset::After), description.to_owned(), false)
            }
            _ => {
                let (nonlinearity, description, assumed) = plain_description(choice.nonlinearity);
                (Cell::Plain(nonlinearity), description, assumed)
            }
        };
        Ok(Module { cell, layers, description, assumed })
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Whether any part of a name is that of a recurrent parameter.
fn is_recurrent(name: &str) -> bool {
    name.split('.').any(|part| RECURRENT.iter().any(|known| part.starts_with(known)))
}

/// Refuses a tensor that belongs to the module and is none of `known`: one inside it, or a recurrent parameter of a module
/// around it, as wrappers keep the true weights there. Without a module's name, further modules lie inside it too, and
/// only their recurrent parameters, and layers that normalize, are its own.
fn understood(file: &Tensors<'_>, prefix: &str, known: &[String]) -> Result<(), Error> {
    let own = |name: &str| match name.strip_prefix(prefix) {
        Some(rest) => {
            !prefix.is_empty()
                || !rest.contains('.')
                || is_recurrent(rest)
                || rest.starts_with(PARAMETRIZATIONS)
                || NORMALIZING.iter().any(|part| rest.contains(part))
        }
        None => {
            let parent = &name[..name.len() - last_part(name).len()];
            is_recurrent(last_part(name)) && prefix.starts_with(parent)
                || name.split_once(PARAMETRIZATIONS).is_some_and(|(around, _)| prefix.starts_with(around))
        }
    };
    let unknown = file.names().into_iter().find(|name| own(name) && !known.iter().any(|known| known == name));
    let Some(name) = unknown else { return Ok(()) };
    let why = if name.contains("_reverse") || name.contains("weight_hr") {
        "bidirectional and projected layers are not supported"
    } else if is_of_layer(last_part(name)) {
        "it is of a layer that has no weight_ih, or that stands behind a gap between the layers"
    } else {
        "it belongs to the module that is read and is not understood; where it comes from pruning, weight drop, weight norm \
         or a parametrization, put the weights back under their plain names before saving"
    };
    Err(problem_of(&tensor(name), why))
}

/// Refuses a recurrent parameter that no module of the file can have: where half of the names got another prefix, a module
/// would be read without its biases.
pub(super) fn claimed(file: &Tensors<'_>) -> Result<(), Error> {
    let names = file.names();
    let modules: Vec<&str> = names.iter().filter_map(|name| Some(name.split_once(FIRST[1])?.0)).collect();
    let lost = names.iter().find(|name| {
        let parent = &name[..name.len() - last_part(name).len()];
        is_recurrent(last_part(name))
            && !modules.iter().any(|module| module.starts_with(parent) || parent.starts_with(module))
    });
    match lost {
        Some(name) => {
            let problem = format!(
                "its module has no `{}`: are the names of one module's tensors changed in part?",
                FIRST[0]
            );
            Err(problem_of(&tensor(name), problem))
        }
        None => Ok(()),
    }
}

/// Whether a name is that of a layer's own parameter, such as `bias_hh_l2`.
fn is_of_layer(name: &str) -> bool {
    name.rsplit_once("_l").is_some_and(|(part, layer)| {
        ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].contains(&part) && layer.parse::<usize>().is_ok()
    })
}
