//! Nets in every format that is read, each with its right end state: those of Keras, PyTorch and ONNX's tools
//! (`spendscape-lstm/tests/it/nets`), and the forms in which people have met them in public reports.

use std::{
    fs,
    path::{Path, PathBuf},
};

use safetensors::{Dtype, tensor::TensorView};
use serde_json::Value;

use crate::program::{refuse, spendscape};

fn peers(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spendscape-lstm/tests/it/nets").join(name)
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// What `dynamics` writes and says of a net.
struct Studied {
    points: Vec<Value>,
    maps: Vec<Value>,
    log: String,
    parameters: Value,
}

fn words<'a>(folder: &'a str, model: &'a str, inputs: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let words = ["dynamics", folder, "--model", model, "--inputs", inputs, "--basin-samples", "20"];
    [&words, more].concat()
}

fn study(model: &Path, inputs: &str, more: &[&str]) -> Studied {
    let run = tempfile::tempdir().unwrap();
    let path = |name: &str| run.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("inputs.csv"), inputs).unwrap();
    let (folder, inputs) = (path("out"), path("inputs.csv"));
    let output = spendscape(&words(&folder, model.to_str().unwrap(), &inputs, &[more, &["--json"]].concat()));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{}: {log}", model.display());
    let manifest: Value = serde_json::from_slice(&output.stdout).unwrap();
    let table = |name: &str| -> Vec<Value> {
        serde_json::from_slice(&fs::read(Path::new(&folder).join(name)).unwrap()).unwrap()
    };
    Studied {
        points: table("map_points.json"),
        maps: table("maps.json"),
        log,
        parameters: manifest["stages"]["dynamics"]["provenance"]["parameters"].clone(),
    }
}

/// Whether a point of an input lies at a state.
fn reaches<'a>(studied: &'a Studied, input: &str, state: &[f64]) -> Option<&'a Value> {
    studied.points.iter().find(|point| {
        let found = numbers(&point["state"]);
        point["input"] == input
            && found.len() >= state.len()
            && found.iter().zip(state).all(|(a, b)| (a - b).abs() < 1e-6)
    })
}

#[test]
fn every_format_ends_where_its_own_program_does() {
    let golden: Value = serde_json::from_slice(&fs::read(peers("states.json")).unwrap()).unwrap();
    let inputs = numbers(&golden["input"]);
    let inputs = format!("{},{}\n", inputs[0], inputs[1]);
    for (file, name, options, cell, assumed) in [
        ("keras.safetensors", "keras lstm", "--module lstm", "gates i, f, c, o", true),
        ("keras.safetensors", "keras lstm", "--module lstm --nonlinearity tanh", "as told", false),
        ("keras.safetensors", "keras gru_after", "--module gru_after", "behind the recurrent weights", true),
        (
            "keras.safetensors",
            "keras gru_before",
            "--module gru_before",
            "before the recurrent weights",
            true,
        ),
        (
            "keras.safetensors",
            "keras gru_bare_before",
            "--module gru_bare_before --reset before --nonlinearity tanh",
            "before the recurrent weights, as told",
            false,
        ),
        ("keras.safetensors", "keras gru_bare", "--module gru_bare", "reset_after=True", true),
        ("keras.safetensors", "keras rnn", "--module rnn", "RNN with tanh", true),
        (
            "keras.safetensors",
            "keras rnn_relu",
            "--module rnn_relu --nonlinearity relu",
            "RNN with relu",
            false,
        ),
        ("keras_stack.safetensors", "keras stack", "--module lstm --module lstm_1", "LSTM", true),
        ("torch.safetensors", "torch gru", "--module gru", "r, z, n", false),
        ("torch.safetensors", "torch relu", "--module relu --nonlinearity relu", "RNN with relu", false),
        ("torch_export.onnx", "export lstm", "", "LSTM as its ONNX node says", false),
        ("torch_dynamo.onnx", "export lstm", "", "LSTM as its ONNX node says", false),
        ("nodes.onnx", "onnx lstm_constant", "--module lstm_constant", "LSTM as its ONNX node says", false),
        ("nodes.onnx", "onnx gru_before", "--module gru_before", "before the recurrent weights", false),
        ("nodes.onnx", "onnx gru_after", "--module gru_after", "behind the recurrent weights", false),
        ("nodes.onnx", "onnx rnn_relu", "--module rnn_relu", "RNN with relu, as its ONNX node says", false),
    ] {
        let studied = study(&peers(file), &inputs, &options.split_ascii_whitespace().collect::<Vec<_>>());
        assert_eq!(studied.maps[0]["outcome"], "proved complete", "{name}");
        let said = studied.maps[0]["cell"].as_str().unwrap();
        assert!(said.contains(cell), "{name}: {said}");
        assert_eq!(studied.parameters["cell"], studied.maps[0]["cell"]);
        let relu = said.contains("RNN with relu");
        assert_eq!(studied.parameters["nonlinearity"], if relu { "relu" } else { "tanh" });
        let warned = studied.log.contains("WARN") && studied.log.contains("taken for granted");
        assert_eq!(warned, assumed, "{name}: {}", studied.log);
        let end = numbers(&golden["nets"][name]["end"]);
        let point = reaches(&studied, "0", &end).unwrap_or_else(|| panic!("{name}: no point at {end:?}"));
        assert_eq!(point["verdict"], "stable", "{name}");
    }
}

/// An LSTM of three inputs and two units whose weights are multiples of 1/8, and its state under 0.5, -0.25, 1.
const INPUT: [f64; 24] = [
    -0.75, -1.375, -0.25, 0.375, 1.125, 0.125, -0.5, -0.75, 0.75, 1.625, 0.25, -1.25, -1.0, 1.625, 0.25,
    -1.75, -0.125, -1.125, -0.625, -0.5, -0.75, 0.5, -0.125, -0.625,
];
const RECURRENT: [f64; 16] = [
    0.375, 0.875, -1.625, -0.25, -1.0, -0.125, -1.25, 0.0, 0.0, -0.25, -1.0, -0.375, -1.125, -1.375, 0.25,
    -1.125,
];
const BIAS: [[f64; 8]; 2] = [
    [1.125, 0.75, -2.0, 0.25, -1.125, 0.0, 0.0, -2.0],
    [-0.25, -0.25, 1.0, -1.125, 0.75, -1.125, -0.375, -0.875],
];
const STATE: [f64; 2] = [-0.183_746, -0.027_415];
const HELD: &str = "0.5,-0.25,1\n0,0,0\n";

type Entry = (String, Vec<usize>, Vec<f64>);

fn entry(name: &str, shape: &[usize], values: &[f64]) -> Entry {
    (name.to_owned(), shape.to_vec(), values.to_vec())
}

/// The LSTM as PyTorch names it: behind a module's name, with what stands behind the names of its tensors.
fn torch(module: &str, suffix: &str) -> Vec<Entry> {
    let name = |part: &str| format!("{module}.{part}{suffix}");
    vec![
        entry(&name("weight_ih"), &[8, 3], &INPUT),
        entry(&name("weight_hh"), &[8, 2], &RECURRENT),
        entry(&name("bias_ih"), &[8], &BIAS[0]),
        entry(&name("bias_hh"), &[8], &BIAS[1]),
    ]
}

fn transposed(values: &[f64], columns: usize) -> Vec<f64> {
    let rows = values.len() / columns;
    (0..values.len()).map(|at| values[at % rows * columns + at / rows]).collect()
}

fn write(folder: &Path, name: &str, kind: Dtype, tensors: &[Entry]) -> PathBuf {
    let bytes = |values: &[f64]| -> Vec<u8> {
        let bits = |value: f64| (value as f32).to_bits();
        // Multiples of 1/8 are exact in 16 bits: the exponent is shifted and the mantissa cut.
        let half = |value: f64| match bits(value) << 1 {
            0 => 0,
            _ => {
                ((bits(value) >> 16 & 0x8000)
                    | ((bits(value) >> 23 & 255) - 112) << 10
                    | bits(value) >> 13 & 1023) as u16
            }
        };
        match kind {
            Dtype::F16 => values.iter().flat_map(|v| half(*v).to_le_bytes()).collect(),
            Dtype::BF16 => values.iter().flat_map(|v| ((bits(*v) >> 16) as u16).to_le_bytes()).collect(),
            Dtype::F64 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            _ => values.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect(),
        }
    };
    let data: Vec<(&str, &[usize], Vec<u8>)> = tensors
        .iter()
        .map(|(name, shape, values)| (name.as_str(), shape.as_slice(), bytes(values)))
        .collect();
    let views = data.iter().map(|(n, s, d)| (*n, TensorView::new(kind, s.to_vec(), d).unwrap()));
    let path = folder.join(name);
    fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    path
}

#[test]
fn one_net_in_every_form_has_one_state() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, plain) = (folder.path(), torch("lstm", "_l0"));
    let keras = vec![
        entry("lstm/lstm_cell/kernel", &[3, 8], &transposed(&INPUT, 3)),
        entry("lstm/lstm_cell/recurrent_kernel", &[2, 8], &transposed(&RECURRENT, 2)),
        entry("lstm/lstm_cell/bias", &[8], &[0, 1, 2, 3, 4, 5, 6, 7].map(|k| BIAS[0][k] + BIAS[1][k])),
    ];
    let two = [torch("encoder.rnn", "_l0"), torch("decoder.rnn", "_l0")].concat();
    let head = [torch("cell", ""), vec![entry("head.weight", &[1, 2], &[1.5, 0.625])]].concat();
    for (name, kind, tensors, more) in [
        ("f64", Dtype::F64, &plain, [].as_slice()),
        ("f32", Dtype::F32, &plain, &[]),
        ("f16", Dtype::F16, &plain, &[]),
        ("bf16", Dtype::BF16, &plain, &[]),
        ("cell", Dtype::F32, &head, &[]),
        ("two", Dtype::F32, &two, &["--module", "encoder.rnn"]),
        ("keras", Dtype::F32, &keras, &[]),
    ] {
        let studied = study(&write(folder, &format!("{name}.safetensors"), kind, tensors), HELD, more);
        assert_eq!(studied.maps[0]["outcome"], "proved complete", "{name}");
        assert!(reaches(&studied, "0", &STATE).is_some(), "{name}: {:?}", studied.points);
    }
    // Without biases: the first pre-activations are the products alone.
    let bare: Vec<Entry> = plain.iter().filter(|(name, ..)| !name.contains("bias")).cloned().collect();
    let studied = study(&write(folder, "bare.safetensors", Dtype::F32, &bare), "0,0,0\n", &[]);
    assert!(reaches(&studied, "0", &[0.0, 0.0]).is_some(), "{:?}", studied.points);
}

#[test]
fn nets_that_are_not_understood_are_refused_by_file_and_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let inputs = folder.join("inputs.csv").to_str().unwrap().to_owned();
    fs::write(&inputs, HELD).unwrap();
    let refused = |path: &Path, more: &[&str]| {
        let out = folder.join("out").to_str().unwrap().to_owned();
        let message = refuse(&words(&out, path.to_str().unwrap(), &inputs, more));
        let file = path.file_name().unwrap().to_str().unwrap();
        assert!(message.contains(file), "{message}");
        message
    };
    let plain = torch("lstm", "_l0");
    // Pruning, weight drop in the module and around it, a layer without its input weights.
    let pruned: Vec<Entry> = plain
        .iter()
        .flat_map(|(name, shape, values)| match name.as_str() {
            "lstm.bias_ih_l0" => {
                ["_orig", "_mask"].map(|end| entry(&format!("{name}{end}"), shape, values)).to_vec()
            }
            _ => vec![entry(name, shape, values)],
        })
        .collect();
    let with = |name: &str, shape: &[usize], values: &[f64]| {
        [plain.clone(), vec![entry(name, shape, values)]].concat()
    };
    for (file, tensors, word) in [
        ("pruned", pruned, "tensor lstm.bias_ih_l0_mask"),
        ("dropped", with("lstm.weight_hh_l0_raw", &[8, 2], &RECURRENT), "tensor lstm.weight_hh_l0_raw"),
        ("around", with("weight_hh_l0_raw", &[8, 2], &RECURRENT), "tensor weight_hh_l0_raw"),
        ("layer", with("lstm.weight_hh_l1", &[8, 2], &RECURRENT), "tensor lstm.weight_hh_l1"),
        ("some", plain[..3].to_vec(), "tensor lstm.bias_hh_l0 is missing"),
    ] {
        let message = refused(&write(folder, &format!("{file}.safetensors"), Dtype::F32, &tensors), &[]);
        assert!(message.contains(word), "{file}: {message}");
    }
    let two = write(
        folder,
        "two.safetensors",
        Dtype::F32,
        &[torch("encoder.rnn", "_l0"), torch("decoder.rnn", "_l0")].concat(),
    );
    let message = refused(&two, &[]);
    assert!(message.contains("\"decoder.rnn\", \"encoder.rnn\" with --module"), "{message}");
    // Files of other kinds, and one that is cut.
    for (name, content, words) in [
        ("net.weights.h5", b"\x89HDF\r\n\x1a\n".as_slice(), ["HDF5", "safetensors.numpy.save_file"]),
        ("net.keras", b"PK\x03\x04", ["ZIP", "safetensors.numpy.save_file"]),
        ("net.pt", b"PK\x03\x04", ["ZIP", "safetensors.torch.save_file"]),
    ] {
        fs::write(folder.join(name), content).unwrap();
        let message = refused(&folder.join(name), &[]);
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
    let onnx = fs::read(peers("torch_export.onnx")).unwrap();
    fs::write(folder.join("cut.onnx"), &onnx[..onnx.len() / 2]).unwrap();
    assert!(refused(&folder.join("cut.onnx"), &[]).contains("the ONNX file: it cannot be decoded"));
    let relu = refused(&peers("torch_export.onnx"), &["--nonlinearity", "relu"]);
    assert!(relu.contains("relu was asked for"), "{relu}");
}

/// A relu layer with recurrent weights I / 2 and biases 1/2, 1/4: without the option, tanh is taken for granted and said to be.
#[test]
fn what_an_rnn_computes_is_told_or_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let tensors = [
        entry("rnn.weight_ih_l0", &[2, 1], &[1.0, 0.0]),
        entry("rnn.weight_hh_l0", &[2, 2], &[0.5, 0.0, 0.0, 0.5]),
        entry("rnn.bias_ih_l0", &[2], &[0.5, 0.25]),
        entry("rnn.bias_hh_l0", &[2], &[0.0, 0.0]),
    ];
    let path = write(folder.path(), "rnn.safetensors", Dtype::F32, &tensors);
    let relu = study(&path, "0\n", &["--nonlinearity", "relu"]);
    assert!(!relu.log.contains("WARN"), "{}", relu.log);
    assert_eq!((&relu.maps[0]["outcome"], relu.points.len()), (&"proved complete".into(), 1));
    let point = reaches(&relu, "0", &[1.0, 0.5]).unwrap();
    assert_eq!((&point["verdict"], point["basin"].as_f64()), (&"stable".into(), Some(1.0)));
    for (options, warns) in [([].as_slice(), true), (&["--nonlinearity", "tanh"], false)] {
        let tanh = study(&path, "0\n", options);
        assert!(reaches(&tanh, "0", &[0.687_894, 0.436_977]).is_some(), "{:?}", tanh.points);
        assert_eq!(tanh.log.contains("WARN") && tanh.log.contains("--nonlinearity"), warns, "{}", tanh.log);
        let cell = tanh.maps[0]["cell"].as_str().unwrap();
        assert_eq!(cell.contains("taken for granted"), warns, "{cell}");
    }
    // At the input where every pre-activation is zero, zero is a fixed point on all kinks.
    let kinked: Vec<Entry> = tensors[..2].to_vec();
    let path = write(folder.path(), "kinked.safetensors", Dtype::F32, &kinked);
    let studied = study(&path, "0\n1\n-1\n", &["--nonlinearity", "relu"]);
    assert_eq!(studied.points.iter().filter(|point| point["input"] == "0").count(), 1);
    let point = reaches(&studied, "0", &[0.0, 0.0]).unwrap();
    assert_eq!(point["verdict"], "kink", "{point}");
    assert!(point["spectral_high"].is_null() && point["growth"].is_null(), "{point}");
    assert!(studied.log.contains("WARN") && studied.log.contains("kink"), "{}", studied.log);
    // A layer that grows for ever has no point, and no roll-out that ends.
    let growing = [
        entry("weight_ih_l0", &[1, 1], &[1.0]),
        entry("weight_hh_l0", &[1, 1], &[2.0]),
        entry("bias_ih_l0", &[1], &[1.0]),
        entry("bias_hh_l0", &[1], &[0.0]),
    ];
    let path = write(folder.path(), "growing.safetensors", Dtype::F32, &growing);
    let studied = study(&path, "0\n1\n", &["--nonlinearity", "relu"]);
    assert_eq!((&studied.maps[0]["outcome"], studied.points.len()), (&"proved complete".into(), 0));
    assert_eq!(studied.maps[0]["verdict"], "undecided");
}
