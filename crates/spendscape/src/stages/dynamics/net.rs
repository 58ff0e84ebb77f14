//! Recurrent nets from elsewhere: safetensors in PyTorch's layout, and the inputs they are studied under.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use ndarray::{Array1, Array2};
use safetensors::{Dtype, SafeTensors};
use spendscape_dynamics::{GruCell, LstmCell, RnnCell, StackedLstm};

/// What the first layer's input weights are called, after the name of their module.
const FIRST: &str = "weight_ih_l0";

/// A recurrent net, told by the height of its recurrent weights.
#[derive(Debug)]
pub(super) enum Net {
    Lstm(LstmCell),
    Stacked(StackedLstm),
    Gru(GruCell),
    Rnn(RnnCell),
}

/// Reads a net: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0` and, for a stack of LSTM layers, `.._l1` and so
/// on, behind the name of any one module. Recurrent weights of `4M x M` make an LSTM (gates i, f, g, o), `3M x M` a GRU
/// (r, z, n), `M x M` a tanh layer; missing biases are zero. Other tensors of the file are left alone.
///
/// # Errors
/// Names the file and the tensor.
pub(super) fn read_net(path: &Path) -> Result<Net> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the model {}", path.display()))?;
    parse_net(&bytes).with_context(|| format!("{}", path.display()))
}

fn parse_net(bytes: &[u8]) -> Result<Net> {
    let file = SafeTensors::deserialize(bytes).context("this is no safetensors file")?;
    let firsts: Vec<&str> = file.names().into_iter().filter(|name| name.ends_with(FIRST)).collect();
    let prefix = match firsts.as_slice() {
        [name] => &name[..name.len() - FIRST.len()],
        [] => bail!("there is no tensor `{FIRST}`: the layout must be that of torch.nn.LSTM, GRU or RNN"),
        several => bail!("there are several recurrent modules ({}): keep one", several.join(", ")),
    };
    let name = |part: &str, layer: usize| format!("{prefix}{part}_l{layer}");
    for unknown in ["weight_ih_l0_reverse", "weight_hr_l0"] {
        ensure!(
            !file.names().contains(&format!("{prefix}{unknown}").as_str()),
            "tensor {prefix}{unknown}: bidirectional and projected layers are not supported"
        );
    }
    let mut layers = Vec::new();
    for l in 0.. {
        if file.tensor(&name("weight_ih", l)).is_err() {
            break;
        }
        layers.push(Layer {
            w_x: matrix(&file, &name("weight_ih", l))?,
            w_h: matrix(&file, &name("weight_hh", l))?,
            b_x: bias(&file, &name("bias_ih", l))?,
            b_h: bias(&file, &name("bias_hh", l))?,
        });
    }
    let (rows, units) = layers[0].w_h.dim();
    ensure!(units > 0, "tensor {} has no columns: the net has no units", name("weight_hh", 0));
    if rows == 4 * units {
        let mut cells = Vec::new();
        for (l, layer) in layers.iter().enumerate() {
            let cell = LstmCell::new(&layer.w_x, &layer.w_h, &layer.sum(l)?);
            cells.push(cell.with_context(|| format!("layer {l} of the LSTM"))?);
        }
        let stack = StackedLstm::new(cells)?;
        return Ok(if let [cell] = stack.layers() { Net::Lstm(cell.clone()) } else { Net::Stacked(stack) });
    }
    ensure!(layers.len() == 1, "{} layers: only LSTM layers can be stacked", layers.len());
    let layer = &layers[0];
    if rows == 3 * units {
        let mut b = layer.b_x.clone().unwrap_or_else(|| Array1::zeros(rows));
        let b_h = layer.b_h.clone().unwrap_or_else(|| Array1::zeros(rows));
        ensure!(b.len() == rows && b_h.len() == rows, "the biases have other lengths than {rows}");
        for k in 0..2 * units {
            b[k] += b_h[k];
        }
        let b_hn = b_h.slice(ndarray::s![2 * units..]).to_owned();
        return Ok(Net::Gru(GruCell::new(&layer.w_x, &layer.w_h, &b, &b_hn)?));
    }
    ensure!(
        rows == units,
        "tensor {} has shape [{rows}, {units}]: 4M x M makes an LSTM, 3M x M a GRU, M x M a tanh layer",
        name("weight_hh", 0)
    );
    Ok(Net::Rnn(RnnCell::new(&layer.w_x, &layer.w_h, &layer.sum(0)?)?))
}

struct Layer {
    w_x: Array2<f64>,
    w_h: Array2<f64>,
    b_x: Option<Array1<f64>>,
    b_h: Option<Array1<f64>>,
}

impl Layer {
    /// Both biases added; those that are missing are zero.
    fn sum(&self, layer: usize) -> Result<Array1<f64>> {
        let mut sum = Array1::zeros(self.w_h.nrows());
        for bias in [&self.b_x, &self.b_h].into_iter().flatten() {
            ensure!(
                bias.len() == sum.len(),
                "a bias of layer {layer} has length {}, expected {}",
                bias.len(),
                sum.len()
            );
            sum += bias;
        }
        Ok(sum)
    }
}

/// A tensor's numbers and shape.
fn numbers(file: &SafeTensors<'_>, name: &str) -> Result<(Vec<f64>, Vec<usize>)> {
    let tensor = file.tensor(name).with_context(|| format!("tensor {name} is missing"))?;
    let values: Vec<f64> = match tensor.dtype() {
        Dtype::F32 => {
            let chunks = tensor.data().as_chunks::<4>().0.iter();
            chunks.map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect()
        }
        Dtype::F64 => {
            tensor.data().as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
        }
        other => bail!("tensor {name} has type {other:?}: save it as float32 or float64"),
    };
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        bail!("tensor {name}: entry {at} is {}: the net is damaged", values[at]);
    }
    Ok((values, tensor.shape().to_vec()))
}

fn matrix(file: &SafeTensors<'_>, name: &str) -> Result<Array2<f64>> {
    let (values, shape) = numbers(file, name)?;
    let [rows, columns] = shape[..] else { bail!("tensor {name} has shape {shape:?}, expected two sides") };
    Ok(Array2::from_shape_vec((rows, columns), values)?)
}

fn bias(file: &SafeTensors<'_>, name: &str) -> Result<Option<Array1<f64>>> {
    if file.tensor(name).is_err() {
        return Ok(None);
    }
    let (values, shape) = numbers(file, name)?;
    ensure!(shape.len() == 1, "tensor {name} has shape {shape:?}, expected one side");
    Ok(Some(values.into()))
}

/// Reads inputs of a known width, one per row: the tensor `inputs` of a `.safetensors` file, or the numbers of any other
/// file, separated by commas, one line per input.
///
/// # Errors
/// Names the file and the line or tensor.
pub(super) fn read_inputs(path: &Path, width: usize) -> Result<Array2<f64>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the inputs {}", path.display()))?;
    let inputs = if path.extension().is_some_and(|ending| ending == "safetensors") {
        SafeTensors::deserialize(&bytes)
            .context("this is no safetensors file")
            .and_then(|file| matrix(&file, "inputs"))
    } else {
        lines(&bytes)
    };
    let inputs = inputs.with_context(|| format!("{}", path.display()))?;
    ensure!(inputs.nrows() > 0, "{}: there are no inputs", path.display());
    ensure!(
        inputs.ncols() == width,
        "{}: inputs have {} values, but the net reads {width}",
        path.display(),
        inputs.ncols()
    );
    Ok(inputs)
}

fn lines(bytes: &[u8]) -> Result<Array2<f64>> {
    let text = std::str::from_utf8(bytes).context("this is neither UTF-8 text nor named *.safetensors")?;
    let (mut values, mut width, mut rows) = (Vec::new(), None, 0);
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let before = values.len();
        for (field, value) in (1..).zip(line.split(',')) {
            let value: Option<f64> = value.trim().parse().ok().filter(|value: &f64| value.is_finite());
            let value = value.with_context(|| {
                format!("line {number}, field {field}: expected a finite number (and no header line)")
            })?;
            values.push(value);
        }
        let found = values.len() - before;
        let expected = *width.get_or_insert(found);
        ensure!(found == expected, "line {number} has {found} values, the first line has {expected}");
        rows += 1;
    }
    Ok(Array2::from_shape_vec((rows, width.unwrap_or(0)), values)?)
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::TensorView;

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

    fn error(tensors: &[(&str, &[usize], f32)]) -> String {
        format!("{:#}", parse_net(&file(tensors)).unwrap_err())
    }

    #[test]
    fn the_shape_tells_the_cell() {
        let lstm = file(&[("rnn.weight_ih_l0", &[8, 3], 0.1), ("rnn.weight_hh_l0", &[8, 2], 0.1)]);
        assert!(
            matches!(parse_net(&lstm).unwrap(), Net::Lstm(cell) if cell.units() == 2 && cell.inputs() == 3)
        );
        let gru = file(&[
            ("weight_ih_l0", &[6, 3], 0.1),
            ("weight_hh_l0", &[6, 2], 0.1),
            ("bias_ih_l0", &[6], 0.1),
            ("bias_hh_l0", &[6], 0.1),
        ]);
        assert!(matches!(parse_net(&gru).unwrap(), Net::Gru(cell) if cell.units() == 2));
        let rnn = file(&[("weight_ih_l0", &[2, 3], 0.1), ("weight_hh_l0", &[2, 2], 0.1)]);
        assert!(matches!(parse_net(&rnn).unwrap(), Net::Rnn(_)));
        let stack = file(&[
            ("weight_ih_l0", &[8, 3], 0.1),
            ("weight_hh_l0", &[8, 2], 0.1),
            ("weight_ih_l1", &[4, 2], 0.1),
            ("weight_hh_l1", &[4, 1], 0.1),
        ]);
        assert!(matches!(parse_net(&stack).unwrap(), Net::Stacked(stack) if stack.layers().len() == 2));
    }

    #[test]
    fn damaged_nets_are_named() {
        assert!(parse_net(b"nothing").unwrap_err().to_string().contains("no safetensors file"));
        assert!(error(&[("w", &[1, 1], 1.0)]).contains("no tensor `weight_ih_l0`"));
        let nan = error(&[("weight_ih_l0", &[4, 1], f32::NAN), ("weight_hh_l0", &[4, 1], 0.0)]);
        assert!(nan.contains("weight_ih_l0: entry 0 is NaN"), "{nan}");
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
    fn bad_inputs_name_the_line() {
        assert_eq!(lines(b"1, 2\n\n3,4\n").unwrap().dim(), (2, 2));
        assert!(lines(b"1,2\n3,x\n").unwrap_err().to_string().contains("line 2, field 2"));
        assert!(lines(b"1,2\n3\n").unwrap_err().to_string().contains("line 2 has 1 values"));
        assert!(lines(b"1,NaN\n").unwrap_err().to_string().contains("line 1, field 2"));
    }
}
