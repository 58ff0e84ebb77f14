//! Keras's layout: `kernel`, `recurrent_kernel` and `bias` behind the path of a layer.

use ndarray::{Array1, Array2, ArrayRef2};

use super::{
    Cell, Module, NetChoice, RecurrentLayer, Reset, bounded, plain_description, problem_of, reordered,
    reordered_vector, tensor, vector,
};
use crate::error::Error;
use crate::tensors::{Tensors, is_seed};

/// The last part of the path that tells a recurrent layer.
const RECURRENT: &str = "recurrent_kernel";
/// Where Keras's gates z, r, h stand in the order r, z, n.
const GRU: [usize; 3] = [1, 0, 2];

/// A layer of a file.
pub(super) struct Layer<'a> {
    /// Its path, without the last part of its tensors'.
    path: &'a str,
    /// The prefix of its tensors' paths, without their last part.
    prefix: &'a str,
}

/// A path without the number of outputs that TensorFlow adds.
fn plain(name: &str) -> &str {
    name.strip_suffix(":0").unwrap_or(name)
}

/// The recurrent layers of a file, in the order of their paths.
pub(super) fn modules<'a>(file: &'a Tensors<'_>) -> Vec<Layer<'a>> {
    let names = file.names().into_iter();
    let prefixes = names.filter_map(|name| {
        plain(name).strip_suffix(RECURRENT).filter(|prefix| prefix.is_empty() || prefix.ends_with('/'))
    });
    prefixes.map(|prefix| Layer { path: prefix.trim_end_matches('/'), prefix }).collect()
}

impl Layer<'_> {
    pub(super) fn name(&self) -> &str {
        self.path
    }

    pub(super) fn read(&self, file: &Tensors<'_>, choice: &NetChoice) -> Result<Module, Error> {
        let known = ["kernel", RECURRENT, "bias"].map(|part| self.tensor(file, part));
        self.understood(file, &known)?;
        let [kernel, recurrent, bias] = &known;
        let (w_x, w_h) = (file.matrix(kernel)?, file.matrix(recurrent)?);
        let (units, columns) = w_h.dim();
        if units == 0 {
            return Err(problem_of(&tensor(recurrent), "it has no rows: the layer has no units"));
        }
        let told = |what: &str| match choice.nonlinearity {
            Some(_) => (format!("{what}, as told"), false),
            None => (format!("{what}, taken for granted: the file does not tell them"), true),
        };
        let biased = file.shape(bias);
        if biased.is_none() {
            self.refuse_lost(file, columns)?;
        }
        let (cell, order, description, assumed) = match columns / units {
            4 if columns % units == 0 => {
                let (activations, assumed) = told("sigmoid gates, tanh cell and output");
                let description =
                    format!("LSTM as keras.layers.LSTM computes it: gates i, f, c, o; {activations}");
                (Cell::Lstm, vec![0, 1, 2, 3], description, assumed)
            }
            3 if columns % units == 0 => {
                let (reset, how) = self.reset(biased.as_deref(), choice.reset, bias)?;
                let (activations, assumed) = told("sigmoid gates, tanh candidate");
                let description = format!(
                    "GRU as keras.layers.GRU computes it: gates z, r, h; the reset gate {} the recurrent weights, {how}; \
                     {activations}",
                    if reset == Reset::After { "behind" } else { "before" },
                );
                let reset_assumed = biased.is_none() && choice.reset.is_none();
                (Cell::Gru(reset), GRU.to_vec(), description, assumed || reset_assumed)
            }
            1 if columns == units => {
                let (nonlinearity, description, assumed) = plain_description(choice.nonlinearity);
                (Cell::Plain(nonlinearity), vec![0], description, assumed)
            }
            _ => {
                let problem = format!(
                    "it has shape [{units}, {columns}]: M x 4M makes an LSTM, M x 3M a GRU, M x M a plain layer"
                );
                return Err(problem_of(&tensor(recurrent), problem));
            }
        };
        let expected = [w_x.nrows(), columns];
        if w_x.ncols() != columns {
            let (name, found) = (kernel.clone(), w_x.shape().to_vec());
            return Err(Error::TensorShape { name, expected: expected.to_vec(), found });
        }
        let [b_x, b_h] = self.biases(file, bias, biased.is_some(), cell, columns)?;
        let turned = |w: &ArrayRef2<f64>| reordered(&w.t(), &order);
        let layer = RecurrentLayer {
            input: turned(&w_x),
            recurrent: turned(&w_h),
            input_bias: reordered_vector(&b_x, &order),
            recurrent_bias: reordered_vector(&b_h, &order),
        };
        Ok(Module { cell, layers: vec![layer], description, assumed })
    }

    /// The name of a tensor of the layer, as the file has it.
    fn tensor(&self, file: &Tensors<'_>, part: &str) -> String {
        let name = format!("{}{part}", self.prefix);
        let numbered = format!("{name}:0");
        if file.shape(&name).is_none() && file.shape(&numbered).is_some() { numbered } else { name }
    }

    /// Refuses a tensor of the layer that is none of `known`.
    fn understood(&self, file: &Tensors<'_>, known: &[String]) -> Result<(), Error> {
        let own = |name: &&str| match name.strip_prefix(self.prefix) {
            Some(rest) => !is_seed(rest) && (!self.prefix.is_empty() || !rest.contains('/')),
            None => false,
        };
        match file.names().into_iter().find(|name| own(name) && !known.iter().any(|known| known == name)) {
            Some(name) => {
                let problem = "it belongs to the layer that is read and is not understood: only keras.layers.LSTM, GRU and \
                               SimpleRNN and their cells are read";
                Err(problem_of(&tensor(name), problem))
            }
            None => Ok(()),
        }
    }

    /// Refuses a bias that no layer of the file has, and that would fit this one, which has none: its name may have changed
    /// alone.
    fn refuse_lost(&self, file: &Tensors<'_>, columns: usize) -> Result<(), Error> {
        let names = file.names();
        let has_kernel = |prefix: &str| {
            let rests = names.iter().filter_map(|name| plain(name).strip_prefix(prefix));
            rests.into_iter().any(|rest| !rest.contains('/') && rest.ends_with("kernel"))
        };
        let is_lost = |name: &&&str| {
            let prefix =
                plain(name).strip_suffix("bias").filter(|prefix| prefix.is_empty() || prefix.ends_with('/'));
            prefix.is_some_and(|prefix| !has_kernel(prefix))
                && file.shape(name).is_some_and(|shape| shape.last() == Some(&columns))
        };
        match names.iter().find(is_lost) {
            Some(name) => {
                let problem = format!(
                    "no layer has this bias, and {} has none: are the names of one layer's tensors changed in part?",
                    self.path
                );
                Err(problem_of(&tensor(name), problem))
            }
            None => Ok(()),
        }
    }

    /// Where the reset gate acts: the shape of the bias tells it.
    fn reset(
        &self,
        bias: Option<&[usize]>,
        told: Option<Reset>,
        name: &str,
    ) -> Result<(Reset, &'static str), Error> {
        match (bias.map(<[usize]>::len), told) {
            (None, Some(reset)) => Ok((reset, "as told")),
            (None, None) => Ok((
                Reset::After,
                "taken for granted (reset_after=True): without a bias the file does not tell it",
            )),
            (Some(rank), told) => {
                let reset = if rank == 2 { Reset::After } else { Reset::Before };
                if told.is_some_and(|told| told != reset) {
                    let problem = "its shape says the contrary of what was told: [2, 3M] has the reset gate behind the recurrent \
                                   weights (reset_after=True), [3M] before them";
                    return Err(problem_of(&tensor(name), problem));
                }
                Ok((reset, "as the shape of its bias tells"))
            }
        }
    }

    /// The biases of the input's and of the recurrent product.
    fn biases(
        &self,
        file: &Tensors<'_>,
        name: &str,
        there: bool,
        cell: Cell,
        rows: usize,
    ) -> Result<[Array1<f64>; 2], Error> {
        let zeros = Array1::zeros(rows);
        Ok(match cell {
            _ if !there => [zeros.clone(), zeros],
            Cell::Gru(Reset::After) => {
                let both = Array2::from_shape_vec((2, rows), bounded(name, file.finite(name, &[2, rows])?)?);
                let both =
                    both.map_err(|_| Error::Mismatch { what: "a bias", expected: 2 * rows, found: 0 })?;
                [both.row(0).to_owned(), both.row(1).to_owned()]
            }
            _ => [vector(file, name, rows)?, zeros],
        })
    }
}
