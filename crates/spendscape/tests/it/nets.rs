//! Nets from elsewhere: PyTorch's weights and where its own roll-outs end (`tests/golden/nets.py`).

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::program::{files, refuse, succeed};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn every_kind_of_net_ends_where_pytorch_says() {
    let ends = json(&golden("ends.json"));
    for kind in ["lstm", "stacked", "gru", "rnn"] {
        let run = tempfile::tempdir().unwrap();
        let folder = run.path().to_str().unwrap();
        let model = golden(&format!("{kind}.safetensors"));
        let inputs = golden("inputs.csv");
        succeed(&[
            "dynamics",
            folder,
            "--model",
            model.to_str().unwrap(),
            "--inputs",
            inputs.to_str().unwrap(),
            "--basin-samples",
            "50",
        ]);
        let maps = json(&run.path().join("maps.json"));
        let points = json(&run.path().join("map_points.json"));
        for (input, end) in ends[kind].as_array().unwrap().iter().enumerate() {
            assert_eq!(maps[input]["outcome"], "proved complete", "{kind} {input}");
            assert_eq!(maps[input]["degree"], 1.0);
            let end = numbers(end);
            let reached = points.as_array().unwrap().iter().find(|point| {
                let state = numbers(&point["state"]);
                // 20,000 steps in f64 end within rounding of the point.
                point["input"] == *input.to_string()
                    && state.len() == end.len()
                    && state.iter().zip(&end).all(|(a, b)| (a - b).abs() < 1e-12 * b.abs().max(1.0))
            });
            let reached = reached.unwrap_or_else(|| panic!("{kind} {input}: {end:?} is not in the list"));
            assert_eq!(reached["verdict"], "stable");
            assert!(reached["basin"].as_f64().unwrap() > 0.0);
        }
        // Each input is followed toward the two others.
        assert_eq!(json(&run.path().join("map_jumps.json")).as_array().unwrap().len(), 6);
        let names = files(run.path());
        for table in ["maps", "map_points", "map_cycles", "map_jumps"] {
            assert!(names.contains(&format!("{table}.parquet")), "{names:?}");
        }
    }
}

#[test]
fn a_net_that_forgets_nothing_gets_a_stated_verdict() {
    // PyTorch's net with b_f = 1000 on every unit: 1 - f is below the smallest number, so that cells grow for ever.
    let mut bytes = fs::read(golden("lstm.safetensors")).unwrap();
    // The last tensor holds the twelve recurrent biases, i, f, g, o for three units each.
    let forget = bytes.len() - 9 * 8..bytes.len() - 6 * 8;
    for bias in bytes[forget].chunks_exact_mut(8) {
        bias.copy_from_slice(&1e3f64.to_le_bytes());
    }
    let run = tempfile::tempdir().unwrap();
    let model = run.path().join("saturated.safetensors");
    fs::write(&model, bytes).unwrap();
    let out = run.path().join("out");
    let inputs = golden("inputs.csv");
    let words =
        [out.to_str().unwrap(), "--model", model.to_str().unwrap(), "--inputs", inputs.to_str().unwrap()];
    succeed(&[&["dynamics"], words.as_slice(), &["--basin-samples", "10"]].concat());
    let (maps, points) = (json(&out.join("maps.json")), json(&out.join("map_points.json")));
    for map in maps.as_array().unwrap() {
        // The hidden states are proved, the cells known only to be huge: nothing is said of the stability.
        assert_eq!(
            (&map["outcome"], &map["verdict"]),
            (&"proved complete".into(), &"undecided".into()),
            "{map}"
        );
        assert_eq!((map["degree"].as_f64(), map["stable"].as_f64()), (Some(1.0), Some(0.0)), "{map}");
    }
    assert!(!points.as_array().unwrap().is_empty());
    for point in points.as_array().unwrap() {
        assert_eq!(point["verdict"], "undecided", "{point}");
        assert!(point["spectral_high"].is_null() && point["time_constant"].is_null(), "{point}");
        let state = numbers(&point["state"]);
        assert!(
            state[..3].iter().all(|h| h.abs() < 1.0) && state[3..].iter().any(|c| c.abs() > 1e100),
            "{point}"
        );
    }
}

#[test]
fn nets_and_inputs_that_do_not_fit_are_refused() {
    let run = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| -> String {
        let path = run.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let folder = run.path().join("out").to_str().unwrap().to_owned();
    let model = golden("lstm.safetensors").to_str().unwrap().to_owned();
    let narrow = write("narrow.csv", b"1,2\n");
    let message = refuse(&["dynamics", &folder, "--model", &model, "--inputs", &narrow]);
    assert!(message.contains("narrow.csv: inputs have 2 values, but the net reads 4"), "{message}");
    let text = write("text.csv", b"a,b,c,d\n");
    let message = refuse(&["dynamics", &folder, "--model", &model, "--inputs", &text]);
    assert!(message.contains("line 1, field 1"), "{message}");
    // The last eight bytes are one number: all ones are a NaN.
    let mut bytes = fs::read(&model).unwrap();
    let at = bytes.len() - 8;
    bytes[at..].fill(0xFF);
    let damaged = write("damaged.safetensors", &bytes);
    let inputs = golden("inputs.csv").to_str().unwrap().to_owned();
    let message = refuse(&["dynamics", &folder, "--model", &damaged, "--inputs", &inputs]);
    assert!(message.contains("bias_hh_l0: entry 11 is NaN"), "{message}");
    refuse(&["dynamics", &folder, "--model", &model]);
    let message = refuse(&["dynamics", &folder, "--model", "nowhere.safetensors", "--inputs", &inputs]);
    assert!(message.contains("nowhere.safetensors"), "{message}");
    assert!(!files(Path::new(&folder)).iter().any(|name| name.ends_with(".parquet")));
}
