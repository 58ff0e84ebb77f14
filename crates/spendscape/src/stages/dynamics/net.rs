//! Recurrent nets from elsewhere, and the inputs they are studied under.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;
use ndarray::Array2;
use serde::Serialize;
use spendscape_dynamics::map::{Driven, GruCell, LstmCell, RnnCell, StackedLstm};
use spendscape_lstm::{Cell, Error, LARGEST_WEIGHT, NetChoice, RecurrentLayer, RecurrentNet, Tensors};
use spendscape_run::{FromFile, Notes, Outputs, RunFolder, Sources, Stage, execute, inputs, outputs};
use spendscape_schema::csv;
use spendscape_store::Digest;

use super::{
    DynamicsOptions, MapTables, StudyOptions,
    json::JsonTables,
    study::{self, Inputs},
};
use crate::text::{read_bytes, read_text};

/// A net from elsewhere.
#[derive(Debug, Clone, Args)]
pub struct NetOptions {
    /// Study this net instead: an ONNX file, or a safetensors file in PyTorch's or Keras's layout (see below)
    #[arg(long, value_name = "FILE", requires = "inputs")]
    model: Option<PathBuf>,
    /// The inputs that are held, one per row: comma-separated numbers, or the tensor `inputs` of a safetensors file
    #[arg(long, value_name = "FILE", requires = "model")]
    inputs: Option<PathBuf>,
    /// The recurrent module or node to study, where the file has several; more than once, bottom first, for a stack of LSTM
    /// layers
    #[arg(long, value_name = "NAME", requires = "model")]
    module: Vec<String>,
    /// The nonlinearity of a plain recurrent layer, and of the cells of Keras's LSTM and GRU, where the file does not tell it: a
    /// proof holds for this one only. Without it tanh is taken for granted, with a warning
    #[arg(long, value_enum, requires = "model")]
    nonlinearity: Option<Nonlinearity>,
    /// Where the reset gate of a GRU acts: behind the recurrent weights (Keras's reset_after=True) or before them. Only a GRU of
    /// Keras without biases does not tell it
    #[arg(long, value_enum, requires = "model")]
    reset: Option<Reset>,
}

/// The nonlinearity of a plain recurrent layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Nonlinearity {
    /// The hyperbolic tangent, the default of PyTorch and Keras
    Tanh,
    /// max(0, x): points on its kinks are proved, but their stability is not defined
    Relu,
}

/// Where a reset gate acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Reset {
    /// Behind the recurrent weights
    After,
    /// Before them
    Before,
}

impl NetOptions {
    /// The files of the net and its inputs, where they are given.
    #[must_use]
    pub fn files(&self) -> Option<[&Path; 2]> {
        Some([self.model.as_deref()?, self.inputs.as_deref()?])
    }

    fn choice(&self) -> NetChoice {
        NetChoice {
            modules: self.module.clone(),
            nonlinearity: self.nonlinearity.map(|nonlinearity| match nonlinearity {
                Nonlinearity::Tanh => spendscape_lstm::Nonlinearity::Tanh,
                Nonlinearity::Relu => spendscape_lstm::Nonlinearity::Relu,
            }),
            reset: self.reset.map(|reset| match reset {
                Reset::After => spendscape_lstm::Reset::After,
                Reset::Before => spendscape_lstm::Reset::Before,
            }),
        }
    }
}

/// What a net from elsewhere is studied with.
#[derive(Debug, Clone, Serialize)]
pub struct NetParams {
    /// How the dynamics are found.
    #[serde(flatten)]
    pub options: DynamicsOptions,
    /// Which module or node is studied.
    pub module: Vec<String>,
    /// The nonlinearity of the cell.
    pub nonlinearity: &'static str,
    /// What is computed, and what of that is taken for granted.
    pub cell: String,
    /// The net, which was read with the choices of the command line.
    #[serde(skip)]
    pub net: RecurrentNet,
    /// The digest of the bytes that it was read from.
    #[serde(skip)]
    pub digest: Digest,
}

inputs! {
    /// What a net from elsewhere is studied under.
    pub struct NetInputs {
        /// The file of the net.
        pub model: NetFile = file "model",
        /// The inputs that are held.
        pub held: HeldInputs = file "inputs",
    }
}

/// The file of a net, which [`NetParams`] hold as it was read.
#[derive(Debug)]
pub struct NetFile {
    /// Where it is.
    pub path: PathBuf,
    /// The digest of its bytes.
    pub digest: Digest,
}

impl FromFile for NetFile {
    fn from_file(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), digest: Digest::of_file(path)? })
    }
}

outputs! {
    /// A net's maps in depth.
    pub struct NetOutputs {
        /// The maps.
        pub maps: MapTables = all (),
        /// The same as JSON.
        pub json: JsonTables = all (),
    }
}

/// Studies a net from elsewhere.
#[derive(Debug)]
pub struct NetStudy;

impl Stage for NetStudy {
    const NAME: &'static str = "dynamics";
    type Params = NetParams;
    type Inputs = NetInputs;
    type Outputs = NetOutputs;

    fn run(params: &NetParams, inputs: NetInputs, _: &mut Notes) -> Result<NetOutputs> {
        let DynamicsOptions { horizon, study, .. } = &params.options;
        let NetInputs { model: NetFile { path, digest }, held } = inputs;
        ensure!(
            digest == params.digest,
            "{} was replaced while it was worked with: run the command again",
            path.display()
        );
        let study = Study { said: &params.cell, held: &held, horizon: *horizon, options: study };
        let maps = study.of(&params.net).with_context(|| format!("{}", path.display()))?;
        Ok(NetOutputs { maps, json: JsonTables { written: NetOutputs::files(), given: Vec::new() } })
    }
}

/// Studies a net from elsewhere under inputs from a file; `files` are the net's and the inputs'.
///
/// # Errors
/// If a file is missing or damaged, a tensor of the net is not understood, or the inputs do not fit the net.
pub fn net(
    run: &RunFolder,
    net: &NetOptions,
    files: [&Path; 2],
    options: &DynamicsOptions,
    force: bool,
) -> Result<()> {
    let [model, inputs] = files;
    let bytes = read_bytes(model)?;
    let read = parse(&bytes, &net.choice()).with_context(|| format!("{}", model.display()))?;
    if read.assumed {
        tracing::warn!("studied as {}; --nonlinearity, and --reset of a GRU, say it", read.description);
    } else {
        tracing::info!("studied as {}", read.description);
    }
    let params = NetParams {
        options: options.clone(),
        module: net.module.clone(),
        nonlinearity: nonlinearity_name(read.cell),
        cell: read.description.clone(),
        net: read,
        digest: Digest::of(&bytes),
    };
    let sources = Sources::new(run).file("model", Some(model)).file("inputs", Some(inputs));
    execute::<NetStudy>(&sources, &params, force)
}

fn parse(bytes: &[u8], choice: &NetChoice) -> Result<RecurrentNet> {
    RecurrentNet::read(bytes, choice).map_err(|error| match error {
        Error::Modules { wanted: None, .. } => anyhow!(
            "{error} with --module, or name the layers of a stack of LSTM layers, bottom first, with one --module each"
        ),
        other => other.into(),
    })
}

/// The nonlinearity of a cell and of its output.
fn nonlinearity_name(cell: Cell) -> &'static str {
    match cell {
        Cell::Plain(spendscape_lstm::Nonlinearity::Relu) => "relu",
        _ => "tanh",
    }
}

/// What is studied of a net.
struct Study<'a> {
    said: &'a str,
    held: &'a HeldInputs,
    horizon: usize,
    options: &'a StudyOptions,
}

impl Study<'_> {
    fn of(&self, net: &RecurrentNet) -> Result<MapTables> {
        let lstm = |layer: &RecurrentLayer| LstmCell::new(&layer.input, &layer.recurrent, &layer.bias());
        match (net.cell, net.layers.as_slice()) {
            (Cell::Lstm, [layer]) => self.under(&lstm(layer)?),
            (Cell::Lstm, layers) => {
                self.under(&StackedLstm::new(layers.iter().map(lstm).collect::<Result<_, _>>()?)?)
            }
            (Cell::Gru(reset), [layer]) => self.under(&match reset {
                spendscape_lstm::Reset::After => {
                    let RecurrentLayer { input, recurrent, input_bias, recurrent_bias } = layer;
                    let candidate = 2 * recurrent.ncols();
                    // Of the candidate's biases, the reset gate multiplies the recurrent one.
                    let mut bias = layer.bias();
                    bias.slice_mut(ndarray::s![candidate..])
                        .assign(&input_bias.slice(ndarray::s![candidate..]));
                    let inner = recurrent_bias.slice(ndarray::s![candidate..]).to_owned();
                    GruCell::new(input, recurrent, &bias, &inner)?
                }
                spendscape_lstm::Reset::Before => {
                    GruCell::reset_before(&layer.input, &layer.recurrent, &layer.bias())?
                }
            }),
            (Cell::Plain(nonlinearity), [layer]) => {
                let cell = RnnCell::new(&layer.input, &layer.recurrent, &layer.bias())?;
                self.under(&cell.with(match nonlinearity {
                    spendscape_lstm::Nonlinearity::Tanh => spendscape_dynamics::map::Nonlinearity::Tanh,
                    spendscape_lstm::Nonlinearity::Relu => spendscape_dynamics::map::Nonlinearity::Relu,
                }))
            }
            (_, layers) => bail!("{} layers: only LSTM layers can be stacked", layers.len()),
        }
    }

    fn under<C: Driven>(&self, cell: &C) -> Result<MapTables> {
        let held = self.held.of_width(cell.input_width())?;
        let numbers = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<String>>();
        let (labels, coordinates) = (numbers(held.nrows()), numbers(held.ncols()));
        let inputs = Inputs { cell: self.said, labels, held, coordinates: &coordinates, paths: Vec::new() };
        study::study(cell, &inputs, self.horizon, self.options)
    }
}

/// Inputs that are held, one per row.
#[derive(Debug, Clone)]
pub struct HeldInputs {
    values: Array2<f64>,
    path: PathBuf,
}

impl FromFile for HeldInputs {
    /// The tensor `inputs` of a `.safetensors` file, or the numbers of any other file, separated by commas, one line per
    /// input.
    fn from_file(path: &Path) -> Result<Self> {
        let place = || format!("{}", path.display());
        let values = if path.extension().is_some_and(|ending| ending == "safetensors") {
            let bytes = read_bytes(path)?;
            Tensors::open(&bytes).and_then(|file| file.matrix("inputs")).with_context(place)?
        } else {
            numbers(&read_text(path)?).with_context(place)?
        };
        ensure!(values.nrows() > 0, "{}: there are no inputs", path.display());
        Ok(Self { values, path: path.to_owned() })
    }
}

impl HeldInputs {
    fn of_width(&self, width: usize) -> Result<Array2<f64>> {
        ensure!(
            self.values.ncols() == width,
            "{}: inputs have {} values, but the net reads {width}",
            self.path.display(),
            self.values.ncols()
        );
        Ok(self.values.clone())
    }
}

fn numbers(text: &str) -> Result<Array2<f64>> {
    let records = csv::records(text)?;
    let width = records.first().map_or(0, |record| record.cells.len());
    let mut values = Vec::with_capacity(records.len() * width);
    for record in &records {
        for (field, cell) in (1..).zip(&record.cells) {
            let value: Option<f64> = cell.parse().ok().filter(|value: &f64| value.abs() <= LARGEST_WEIGHT);
            values.push(value.with_context(|| {
                format!(
                    "line {}, field {field}: expected a number of at most {LARGEST_WEIGHT:e} in size (and no header line)",
                    record.line
                )
            })?);
        }
    }
    Ok(Array2::from_shape_vec((records.len(), width), values)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_inputs_name_the_line() {
        assert_eq!(numbers("1, 2\n\n3,4\n").unwrap().dim(), (2, 2));
        assert!(numbers("1,2\n3,x\n").unwrap_err().to_string().contains("line 2, field 2"));
        assert!(numbers("1,2\n3\n").unwrap_err().to_string().contains("line 2: 1 values, but line 1 has 2"));
        for beyond in ["NaN", "inf", "1e308"] {
            assert!(numbers(&format!("1,{beyond}\n")).unwrap_err().to_string().contains("line 1, field 2"));
        }
    }
}
