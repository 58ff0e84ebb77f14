//! Recurrent nets from elsewhere: safetensors in PyTorch's layout, and the inputs they are studied under.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use ndarray::{Array1, Array2};
use spendscape_dynamics::{GruCell, LstmCell, RnnCell, StackedLstm};
use spendscape_lstm::Tensors;
use spendscape_schema::csv;

use super::Nonlinearity;
use crate::text::{read_bytes, read_text};

/// What the first layer's input weights are called, after the name of their module: in a layer, and in a single cell.
const FIRST: [&str; 2] = ["weight_ih_l0", "weight_ih"];
/// How the names of recurrent parameters begin, in modules of PyTorch and what is made of them by pruning (`_orig`, `_mask`),
/// weight drop (`_raw`) and weight norm (`_g`, `_v`).
const RECURRENT: [&str; 5] = ["weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh"];
/// What names of layers that normalize within a cell hold: they would change what it computes.
const NORMALIZING: [&str; 3] = ["norm", "ln_", "bn_"];
/// The module that parametrizations of PyTorch keep the true weights in.
const PARAMETRIZATIONS: &str = "parametrizations.";
/// Largest weight and input that are studied. Cells saturate at a few hundred; beyond this, products of weights, as in
/// powers of a Jacobian, leave the range in which the proofs compute.
const LARGEST: f64 = 1e9;

/// A recurrent net, told by the height of its recurrent weights.
#[derive(Debug)]
pub(super) enum Net {
    Lstm(LstmCell),
    Stacked(StackedLstm),
    Gru(GruCell),
    Rnn(RnnCell),
}

impl Net {
    /// What the file does not say and is taken for granted: a proof holds for this cell only.
    pub(super) fn assumption(&self) -> &'static str {
        match self {
            Self::Lstm(_) | Self::Stacked(_) => {
                "LSTM as torch.nn.LSTM computes it: gates i, f, g, o; sigmoid gates, tanh cell and output"
            }
            Self::Gru(_) => {
                "GRU as torch.nn.GRU computes it: gates r, z, n; the reset gate behind the recurrent weights"
            }
            Self::Rnn(_) => "RNN with tanh, as --nonlinearity says: the file does not tell it from relu",
        }
    }
}

/// Reads a net: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0` and, for a stack of LSTM layers, `.._l1` and so
/// on, or a single cell's names without `_l0`, behind the name of a module (`module`, where there are several). Recurrent
/// weights of `4M x M` make an LSTM (gates i, f, g, o), `3M x M` a GRU (r, z, n), `M x M` a tanh layer. Biases are zero where
/// the module has none. Every tensor of the module must be understood; other modules are left alone.
///
/// # Errors
/// Names the file and the tensor.
pub(super) fn read_net(path: &Path, module: Option<&str>, nonlinearity: Nonlinearity) -> Result<Net> {
    let bytes = read_bytes(path)?;
    parse_net(&bytes, module, nonlinearity).with_context(|| format!("{}", path.display()))
}

fn parse_net(bytes: &[u8], module: Option<&str>, nonlinearity: Nonlinearity) -> Result<Net> {
    ensure!(
        nonlinearity == Nonlinearity::Tanh,
        "a relu net is not studied: its map has kinks, where the Jacobian that the proofs rest on does not exist, and no \
         box holds all of its states"
    );
    let file = Tensors::open(bytes)?;
    let (prefix, first) = find_module(&file, module)?;
    let name = |part: &str, layer: usize| match first {
        "weight_ih" => format!("{prefix}{part}"),
        _ => format!("{prefix}{part}_l{layer}"),
    };
    let count = match first {
        "weight_ih" => 1,
        _ => (0..).take_while(|l| file.shape(&name("weight_ih", *l)).is_some()).count(),
    };
    let biases: Vec<[String; 2]> =
        (0..count).map(|l| ["bias_ih", "bias_hh"].map(|part| name(part, l))).collect();
    let mut known: Vec<String> =
        (0..count).flat_map(|l| ["weight_ih", "weight_hh"].map(|part| name(part, l))).collect();
    known.extend(biases.iter().flatten().cloned());
    understood(&file, prefix, &known)?;
    claimed(&file)?;
    let biased = file.any(&biases.concat());
    let mut layers = Vec::new();
    for (l, biases) in biases.iter().enumerate() {
        let (w_x, w_h) = (matrix(&file, &name("weight_ih", l))?, matrix(&file, &name("weight_hh", l))?);
        let bias = |name: &String| {
            if biased {
                bounded(&file, name, &[w_h.nrows()]).map(Array1::from)
            } else {
                Ok(Array1::zeros(w_h.nrows()))
            }
        };
        let [b_x, b_h] = [bias(&biases[0])?, bias(&biases[1])?];
        layers.push(Layer { w_x, w_h, b_x, b_h });
    }
    let (rows, units) = layers[0].w_h.dim();
    ensure!(units > 0, "tensor {} has no columns: the net has no units", name("weight_hh", 0));
    if rows == 4 * units {
        let mut cells = Vec::new();
        for (l, layer) in layers.iter().enumerate() {
            let cell = LstmCell::new(&layer.w_x, &layer.w_h, &(&layer.b_x + &layer.b_h));
            cells.push(cell.with_context(|| format!("layer {l} of the LSTM"))?);
        }
        let stack = StackedLstm::new(cells)?;
        return Ok(if let [cell] = stack.layers() { Net::Lstm(cell.clone()) } else { Net::Stacked(stack) });
    }
    ensure!(layers.len() == 1, "{} layers: only LSTM layers can be stacked", layers.len());
    let layer = &layers[0];
    if rows == 3 * units {
        let mut b = layer.b_x.clone();
        for k in 0..2 * units {
            b[k] += layer.b_h[k];
        }
        let b_hn = layer.b_h.slice(ndarray::s![2 * units..]).to_owned();
        return Ok(Net::Gru(GruCell::new(&layer.w_x, &layer.w_h, &b, &b_hn)?));
    }
    ensure!(
        rows == units,
        "tensor {} has shape [{rows}, {units}]: 4M x M makes an LSTM, 3M x M a GRU, M x M a tanh layer",
        name("weight_hh", 0)
    );
    Ok(Net::Rnn(RnnCell::new(&layer.w_x, &layer.w_h, &(&layer.b_x + &layer.b_h))?))
}

/// What stands before the names of the module that is studied, and how its first tensor is called.
fn find_module<'a>(file: &'a Tensors<'_>, module: Option<&str>) -> Result<(&'a str, &'static str)> {
    let names = file.names();
    let of = |name: &&'a str| {
        let first = FIRST.into_iter().find(|first| last_part(name) == *first)?;
        Some((&name[..name.len() - first.len()], first))
    };
    let modules: Vec<(&str, &'static str)> = names.iter().filter_map(of).collect();
    let listed = || {
        let names = modules.iter().map(|(prefix, _)| format!("{:?}", prefix.trim_end_matches('.')));
        names.collect::<Vec<_>>().join(", ")
    };
    if let Some(module) = module {
        let found = modules.iter().find(|(prefix, _)| prefix.trim_end_matches('.') == module);
        return found.copied().with_context(|| {
            format!(
                "there is no recurrent module {module:?}; the file has {}",
                if modules.is_empty() { "none".to_owned() } else { listed() }
            )
        });
    }
    match modules.as_slice() {
        [only] => Ok(*only),
        [] => match names.into_iter().find(|name| is_recurrent(name) && !is_of_layer(last_part(name))) {
            Some(name) => bail!(
                "there is no tensor `{}`, but {name}: put the weights back under their plain names before saving (remove \
                 pruning, weight norm or parametrizations)",
                FIRST[0]
            ),
            None => bail!(
                "there is no tensor `{}`: the layout must be that of torch.nn.LSTM, GRU or RNN",
                FIRST[0]
            ),
        },
        _ => bail!("there are several recurrent modules: choose one of {} with --module", listed()),
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
fn understood(file: &Tensors<'_>, prefix: &str, known: &[String]) -> Result<()> {
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
    bail!("tensor {name}: {why}")
}

/// Refuses a recurrent parameter that no module of the file can have: where half of the names got another prefix, a module
/// would be read without its biases.
fn claimed(file: &Tensors<'_>) -> Result<()> {
    let names = file.names();
    let modules: Vec<&str> = names.iter().filter_map(|name| Some(name.split_once(FIRST[1])?.0)).collect();
    let lost = names.iter().find(|name| {
        let parent = &name[..name.len() - last_part(name).len()];
        is_recurrent(last_part(name))
            && !modules.iter().any(|module| module.starts_with(parent) || parent.starts_with(module))
    });
    match lost {
        Some(name) => bail!(
            "tensor {name}: its module has no `{}`: are the names of one module's tensors changed in part?",
            FIRST[0]
        ),
        None => Ok(()),
    }
}

/// Whether a name is that of a layer's own parameter, such as `bias_hh_l2`.
fn is_of_layer(name: &str) -> bool {
    name.rsplit_once("_l").is_some_and(|(part, layer)| {
        ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].contains(&part) && layer.parse::<usize>().is_ok()
    })
}

struct Layer {
    w_x: Array2<f64>,
    w_h: Array2<f64>,
    b_x: Array1<f64>,
    b_h: Array1<f64>,
}

/// A tensor's numbers, none of them too large for what is computed with them.
fn bounded(file: &Tensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
    let values: Vec<f64> = file.finite(name, shape)?;
    if let Some(at) = values.iter().position(|value| value.abs() > LARGEST) {
        bail!("tensor {name}: entry {at} is {:e}, beyond {LARGEST:e}: is the file damaged?", values[at]);
    }
    Ok(values)
}

fn matrix(file: &Tensors<'_>, name: &str) -> Result<Array2<f64>> {
    let shape = file.shape(name).with_context(|| format!("tensor {name} is missing"))?;
    let [rows, columns] = shape[..] else { bail!("tensor {name} has shape {shape:?}, expected two sides") };
    Ok(Array2::from_shape_vec((rows, columns), bounded(file, name, &shape)?)?)
}

/// Reads inputs of a known width, one per row: the tensor `inputs` of a `.safetensors` file, or the numbers of any other
/// file, separated by commas, one line per input.
///
/// # Errors
/// Names the file and the line or tensor.
pub(super) fn read_inputs(path: &Path, width: usize) -> Result<Array2<f64>> {
    let place = || format!("{}", path.display());
    let inputs = if path.extension().is_some_and(|ending| ending == "safetensors") {
        let bytes = read_bytes(path)?;
        let file = Tensors::open(&bytes).with_context(place)?;
        matrix(&file, "inputs").with_context(place)?
    } else {
        numbers(&read_text(path)?).with_context(place)?
    };
    ensure!(inputs.nrows() > 0, "{}: there are no inputs", path.display());
    ensure!(
        inputs.ncols() == width,
        "{}: inputs have {} values, but the net reads {width}",
        path.display(),
        inputs.ncols()
    );
    Ok(inputs)
}

fn numbers(text: &str) -> Result<Array2<f64>> {
    let records = csv::records(text)?;
    let width = records.first().map_or(0, |record| record.cells.len());
    let mut values = Vec::with_capacity(records.len() * width);
    for record in &records {
        for (field, cell) in (1..).zip(&record.cells) {
            let value: Option<f64> = cell.parse().ok().filter(|value: &f64| value.abs() <= LARGEST);
            values.push(value.with_context(|| {
                format!(
                    "line {}, field {field}: expected a number of at most {LARGEST:e} in size (and no header line)",
                    record.line
                )
            })?);
        }
    }
    Ok(Array2::from_shape_vec((records.len(), width), values)?)
}

#[cfg(test)]
mod tests {
    use safetensors::{Dtype, tensor::TensorView};

    use super::*;

    fn file(tensors: &[(&str, &[usize], f32)]) -> Vec<u8> {
        let data: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
            .iter()
            .map(|(name, shape, value)| {
                let count = shape.iter().product::<usize>();
                ((*name).to_owned(), shape.to_vec(), value.to_le_bytes().repeat(count))
            })
            .collect();
        let views = data.iter().map(|(n, s, d)| (n, TensorView::new(Dtype::F32, s.clone(), d).unwrap()));
        safetensors::serialize(views, None).unwrap()
    }

    fn parse(bytes: &[u8]) -> Result<Net> {
        parse_net(bytes, None, Nonlinearity::Tanh)
    }

    fn error(tensors: &[(&str, &[usize], f32)]) -> String {
        format!("{:#}", parse(&file(tensors)).unwrap_err())
    }

    /// An LSTM of two units and three inputs, with what is added to it.
    fn lstm<'a>(prefix: &str, more: &[(&'a str, &'a [usize], f32)]) -> Vec<(String, &'a [usize], f32)> {
        let own: [(&str, &[usize]); 4] = [
            ("weight_ih_l0", &[8, 3]),
            ("weight_hh_l0", &[8, 2]),
            ("bias_ih_l0", &[8]),
            ("bias_hh_l0", &[8]),
        ];
        let own = own.into_iter().map(|(name, shape)| (format!("{prefix}{name}"), shape, 0.1));
        own.chain(more.iter().map(|(name, shape, value)| ((*name).to_owned(), *shape, *value))).collect()
    }

    fn refused(tensors: &[(String, &[usize], f32)], module: Option<&str>) -> String {
        let tensors: Vec<(&str, &[usize], f32)> =
            tensors.iter().map(|(n, s, v)| (n.as_str(), *s, *v)).collect();
        match parse_net(&file(&tensors), module, Nonlinearity::Tanh) {
            Ok(net) => panic!("{tensors:?} was read as {net:?}"),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn the_shape_tells_the_cell() {
        let lstm = file(&[("rnn.weight_ih_l0", &[8, 3], 0.1), ("rnn.weight_hh_l0", &[8, 2], 0.1)]);
        assert!(matches!(parse(&lstm).unwrap(), Net::Lstm(cell) if cell.units() == 2 && cell.inputs() == 3));
        let gru = file(&[
            ("weight_ih_l0", &[6, 3], 0.1),
            ("weight_hh_l0", &[6, 2], 0.1),
            ("bias_ih_l0", &[6], 0.1),
            ("bias_hh_l0", &[6], 0.1),
        ]);
        assert!(matches!(parse(&gru).unwrap(), Net::Gru(cell) if cell.units() == 2));
        let rnn = file(&[("weight_ih_l0", &[2, 3], 0.1), ("weight_hh_l0", &[2, 2], 0.1)]);
        assert!(matches!(parse(&rnn).unwrap(), Net::Rnn(_)));
        let stack = file(&[
            ("weight_ih_l0", &[8, 3], 0.1),
            ("weight_hh_l0", &[8, 2], 0.1),
            ("weight_ih_l1", &[4, 2], 0.1),
            ("weight_hh_l1", &[4, 1], 0.1),
        ]);
        assert!(matches!(parse(&stack).unwrap(), Net::Stacked(stack) if stack.layers().len() == 2));
    }

    #[test]
    fn damaged_nets_are_named() {
        assert!(parse(b"nothing").unwrap_err().to_string().contains("not a safetensors file"));
        assert!(error(&[("w", &[1, 1], 1.0)]).contains("no tensor `weight_ih_l0`"));
        let nan = error(&[("weight_ih_l0", &[4, 1], f32::NAN), ("weight_hh_l0", &[4, 1], 0.0)]);
        assert!(nan.contains("weight_ih_l0 has the value NaN at position 0"), "{nan}");
        let shape = error(&[("weight_ih_l0", &[5, 1], 1.0), ("weight_hh_l0", &[5, 2], 0.0)]);
        assert!(shape.contains("weight_hh_l0 has shape [5, 2]"), "{shape}");
        let empty = error(&[("weight_ih_l0", &[0, 1], 1.0), ("weight_hh_l0", &[0, 0], 0.0)]);
        assert!(empty.contains("no units"), "{empty}");
        let both = error(&[
            ("weight_ih_l0", &[4, 1], 1.0),
            ("weight_hh_l0", &[4, 1], 0.0),
            ("weight_ih_l0_reverse", &[4, 1], 1.0),
        ]);
        assert!(both.contains("not supported"), "{both}");
    }

    #[test]
    fn a_single_cell_is_read_by_its_names() {
        let cell = file(&[
            ("cell.weight_ih", &[8, 3], 0.1),
            ("cell.weight_hh", &[8, 2], 0.1),
            ("head.weight", &[1, 2], 1.0),
        ]);
        assert!(matches!(parse(&cell).unwrap(), Net::Lstm(cell) if cell.units() == 2));
    }

    #[test]
    fn every_tensor_of_the_module_must_be_understood() {
        let (matrix, vector): (&[usize], &[usize]) = (&[8, 2], &[8]);
        for (prefix, unknown, shape) in [
            ("rnn.", "rnn.bias_ih_l0_orig", vector),
            ("rnn.", "rnn.bias_ih_l0_mask", vector),
            ("rnn.", "rnn.weight_hh_l0_raw", matrix),
            ("rnn.", "rnn.weight_hh_l0_g", vector),
            ("rnn.", "rnn.parametrizations.weight_hh_l0.original0", matrix),
            ("rnn.", "rnn.anything", vector),
            ("", "parametrizations.bias_ih_l0.original", vector),
            // Weight drop keeps the true weights in the wrapper, one level up or more.
            ("rnn.module.", "rnn.weight_hh_l0_raw", matrix),
            ("rnn.module.", "weight_hh_l0_raw", matrix),
            ("rnn.module.", "rnn.parametrizations.module.weight_hh_l0.original", matrix),
            ("", "weight_hh_l0_v", matrix),
            ("", "parametrizations.weight_hh_l0.original1", matrix),
            // Layers that the first ones do not lead to.
            ("rnn.", "rnn.weight_hh_l1", matrix),
            ("rnn.", "rnn.weight_ih_l2", matrix),
            ("rnn.", "rnn.bias_hh_l1", vector),
            ("rnn.", "rnn.weight_ih_l0_reverse", matrix),
            ("rnn.", "rnn.weight_hr_l0", matrix),
            // Half of the names with another prefix, and layers within a cell.
            ("rnn.", "module.rnn.bias_hh_l0", vector),
            ("module.rnn.", "rnn.bias_ih_l0", vector),
            ("", "layernorm_i.weight", vector),
            ("", "ln_hh.weight", vector),
            ("", "weight_ci", vector),
            ("cell.", "cell.weight_cf_l0", vector),
        ] {
            let message = refused(&lstm(prefix, &[(unknown, shape, 0.1)]), None);
            assert!(message.contains(&format!("tensor {unknown}: ")), "{unknown}: {message}");
        }
        // Pruning of the first tensor, which tells the module.
        let pruned = error(&[("rnn.weight_ih_l0_orig", &[8, 3], 0.1), ("rnn.weight_hh_l0", &[8, 2], 0.1)]);
        assert!(pruned.contains("rnn.weight_ih_l0_orig"), "{pruned}");
        // Other modules, the head for one, are left alone.
        for other in ["head.weight", "decoder.0.bias", "rnn2.bias", "head.parametrizations.weight.original0"]
        {
            let tensors = lstm("rnn.", &[(other, &[2], 0.1)]);
            let tensors: Vec<(&str, &[usize], f32)> =
                tensors.iter().map(|(n, s, v)| (n.as_str(), *s, *v)).collect();
            assert!(matches!(parse(&file(&tensors)).unwrap(), Net::Lstm(_)), "{other}");
        }
    }

    #[test]
    fn biases_are_all_there_or_none() {
        for gone in ["bias_ih_l0", "bias_hh_l0"] {
            let mut tensors = lstm("", &[]);
            tensors.retain(|(name, ..)| name != gone);
            assert!(refused(&tensors, None).contains(&format!("tensor {gone} is missing")));
        }
        // A second layer without biases under a first one that has them.
        let more: [(&str, &[usize], f32); 2] =
            [("weight_ih_l1", &[4, 2], 0.1), ("weight_hh_l1", &[4, 1], 0.1)];
        assert!(refused(&lstm("", &more), None).contains("tensor bias_ih_l1 is missing"));
    }

    #[test]
    fn one_of_several_modules_is_chosen_by_name() {
        let tensors = [lstm("encoder.rnn.", &[]), lstm("decoder.rnn.", &[])].concat();
        let several = refused(&tensors, None);
        assert!(several.contains("\"decoder.rnn\", \"encoder.rnn\" with --module"), "{several}");
        let named: Vec<(&str, &[usize], f32)> =
            tensors.iter().map(|(n, s, v)| (n.as_str(), *s, *v)).collect();
        let net = parse_net(&file(&named), Some("encoder.rnn"), Nonlinearity::Tanh).unwrap();
        assert!(matches!(net, Net::Lstm(_)));
        assert!(refused(&tensors, Some("rnn")).contains("no recurrent module \"rnn\""));
    }

    #[test]
    fn relu_and_numbers_beyond_the_range_of_the_proofs_are_refused() {
        let rnn = file(&[("weight_ih_l0", &[2, 3], 0.1), ("weight_hh_l0", &[2, 2], 0.1)]);
        let relu = parse_net(&rnn, None, Nonlinearity::Relu).unwrap_err().to_string();
        assert!(relu.contains("relu"), "{relu}");
        assert!(parse(&rnn).unwrap().assumption().contains("tanh"));
        let huge = error(&[("weight_ih_l0", &[2, 3], 0.1), ("weight_hh_l0", &[2, 2], 1e38)]);
        assert!(huge.contains("tensor weight_hh_l0: entry 0 is"), "{huge}");
    }

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
