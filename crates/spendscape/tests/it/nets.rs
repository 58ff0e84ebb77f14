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

/// The tables of single maps.
const TABLES: [&str; 9] = [
    "maps",
    "map_points",
    "map_boxes",
    "map_starts",
    "map_edges",
    "map_cycles",
    "map_sensitivities",
    "map_branches",
    "map_jumps",
];

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
        for table in TABLES {
            for ending in ["parquet", "json"] {
                assert!(names.contains(&format!("{table}.{ending}")), "{names:?}");
            }
        }
    }
}

#[test]
fn what_is_assumed_of_a_net_stands_beside_its_proof() {
    let run = tempfile::tempdir().unwrap();
    let (folder, inputs) = (run.path().to_str().unwrap(), golden("inputs.csv"));
    let words = |kind: &str| {
        let model = golden(&format!("{kind}.safetensors")).to_str().unwrap().to_owned();
        ["dynamics", folder, "--basin-samples", "5", "--inputs", inputs.to_str().unwrap(), "--model", &model]
            .map(str::to_owned)
            .to_vec()
    };
    let with = |kind: &str, more: &[&str]| {
        let mut words = words(kind);
        words.extend(more.iter().map(|word| (*word).to_owned()));
        words
    };
    for (kind, word) in [("rnn", "tanh"), ("gru", "r, z, n"), ("lstm", "i, f, g, o")] {
        let words = with(kind, &["--json"]);
        let manifest: Value =
            serde_json::from_str(&succeed(&words.iter().map(String::as_str).collect::<Vec<_>>())).unwrap();
        let parameters = &manifest["stages"]["dynamics"]["provenance"]["parameters"];
        assert_eq!(parameters["nonlinearity"], "tanh", "{manifest}");
        for map in json(&run.path().join("maps.json")).as_array().unwrap() {
            assert!(map["cell"].as_str().unwrap().contains(word), "{map}");
        }
    }
    let relu = with("lstm", &["--nonlinearity", "relu"]);
    let message = refuse(&relu.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(message.contains("lstm.safetensors") && message.contains("relu"), "{message}");
    let module = with("rnn", &["--module", "decoder"]);
    let message = refuse(&module.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(message.contains("no recurrent module \"decoder\""), "{message}");
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

/// Writes a net without biases in PyTorch's layout and its inputs, studies it, and returns the folder.
fn study(recurrent: (usize, usize), entries: &[(usize, usize, f64)], inputs: &str) -> tempfile::TempDir {
    let (rows, units) = recurrent;
    let matrix = |width: usize, entries: &[(usize, usize, f64)]| -> Vec<u8> {
        let mut values = vec![0.0f64; rows * width];
        entries.iter().for_each(|&(row, column, value)| values[row * width + column] = value);
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    };
    // The input drives the candidate of an LSTM's first unit, or the first unit of a tanh layer.
    let driven = if rows == units { 0 } else { 2 * units };
    let tensors = [
        ("weight_ih_l0", 1, matrix(1, &[(driven, 0, 1.0)])),
        ("weight_hh_l0", units, matrix(units, entries)),
    ];
    let views = tensors.iter().map(|(name, width, data)| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F64, vec![rows, *width], data);
        (*name, view.unwrap())
    });
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("net.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();
    fs::write(path("inputs.csv"), inputs).unwrap();
    let words = ["--model", &path("net.safetensors"), "--inputs", &path("inputs.csv")];
    succeed(&[&["dynamics", folder.path().to_str().unwrap()], words.as_slice()].concat());
    folder
}

fn rows(folder: &tempfile::TempDir, table: &str) -> Vec<Value> {
    json(&folder.path().join(format!("{table}.json"))).as_array().unwrap().clone()
}

#[test]
fn edges_sensitivities_and_branches_of_one_gated_unit_are_the_known_ones() {
    // One unit with i = f = o = 1/2: h = tanh(c) / 2 and c = tanh(u + 3 h). At u = 0 two stable points mirror each other
    // about the saddle at zero; toward u = -1 the upper one vanishes in a fold.
    let run = study((4, 1), &[(2, 0, 3.0)], "0\n-1\n");
    let points = rows(&run, "map_points");
    let at = |input: &str, index: u64| {
        let own = |point: &&Value| point["input"] == input && point["index"] == index;
        points.iter().find(own).unwrap_or_else(|| panic!("{input} {index}"))
    };
    let state = |input: &str, index: u64| numbers(&at(input, index)["state"]);
    assert_eq!(at("0", 1)["verdict"], "saddle");
    for index in 0..3 {
        // The other points of the map lie outside the radius.
        let others = (0..3).filter(|other| *other != index).map(|other| state("0", other)[0]);
        let nearest = others.map(|h| (h - state("0", index)[0]).abs()).fold(f64::INFINITY, f64::min);
        let alone = at("0", index)["alone"].as_f64().unwrap();
        assert!(alone > 0.0 && alone < nearest, "{index}: {alone} {nearest}");
        let constants = numbers(
            &at("0", index)["time_constants"]
                .as_array()
                .unwrap()
                .iter()
                .map(|value| if value.is_null() { f64::INFINITY.into() } else { value.clone() })
                .filter(Value::is_number)
                .collect::<Value>(),
        );
        assert!(constants.len() < 3 && constants.is_sorted_by(|a, b| a >= b));
    }
    let edges = rows(&run, "map_edges");
    assert_eq!(edges.len(), 2, "the map of u = -1 has one point");
    for edge in &edges {
        assert_eq!(
            (edge["input"].as_str(), edge["index"].as_u64()),
            (Some("0"), edge["toward"].as_u64().map(|t| 2 - t))
        );
        for (inside, outside) in numbers(&edge["inside"]).iter().zip(numbers(&edge["outside"])) {
            // The way from one stable point to the other passes the saddle itself.
            assert!((inside - outside).abs() < 1e-15 && inside.abs() < 1e-12, "{edge}");
        }
    }
    let sensitivities = rows(&run, "map_sensitivities");
    assert_eq!(sensitivities.len(), points.len());
    for row in &sensitivities {
        let (input, index) = (row["input"].as_str().unwrap(), row["index"].as_u64().unwrap());
        let [h, c] = state(input, index)[..] else { panic!("two coordinates") };
        // dc/du = sech^2(z) (1 + 3 dh/du) and dh/du = sech^2(c) / 2 dc/du, where tanh z = c and tanh c = 2 h.
        let (gate, out) = (1.0 - c * c, 0.5 * (1.0 - 4.0 * h * h));
        let dh = out * gate / (1.0 - 3.0 * out * gate);
        let change = numbers(&row["change"]);
        assert_eq!(row["coordinate"], "0");
        assert!(
            (change[0] - dh).abs() < 1e-9 * dh.abs() && (change[1] - dh / out).abs() < 1e-9 * change[1].abs()
        );
    }
    // The fold is where u = atanh(c) - 3 tanh(c) / 2 is least over c > 0: there its slope is zero.
    let slope = |c: f64| 1.0 / (1.0 - c * c) - 1.5 / c.cosh().powi(2);
    let (mut low, mut high) = (0.01, 0.99);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if slope(middle) < 0.0 { low = middle } else { high = middle }
    }
    let fold = 1.5 * low.tanh() - low.atanh();
    let branches = rows(&run, "map_branches");
    let branch: Vec<&Value> = branches.iter().filter(|row| row["input"] == "0").collect();
    // From zero the roll-out stays at zero, the saddle: it is followed, but is no attractor.
    assert!(branch.iter().all(|row| row["path"] == "1" && row["verdict"] != "stable"), "{branch:?}");
    // On the way back from u = -1 the lower point lasts to the end of the way.
    let back: Vec<&Value> = branches.iter().filter(|row| row["input"] == "1").collect();
    assert!(
        back.iter().all(|row| row["path"] == "0" && row["end"] == "path's end" && row["verdict"] == "stable")
    );
    assert!(back.is_sorted_by(|a, b| a["at"].as_f64() < b["at"].as_f64()));
    assert_eq!((back[0]["at"].as_f64(), back[back.len() - 1]["at"].as_f64()), (Some(0.0), Some(1.0)));

    // And beyond: from u = -1 toward u = 1 it vanishes in the mirrored fold.
    let run = study((4, 1), &[(2, 0, 3.0)], "-1\n1\n");
    let branches = rows(&run, "map_branches");
    let last = branches.iter().rfind(|row| row["input"] == "0").unwrap();
    assert_eq!(last["end"], "fold");
    // A branch comes so near to a fold as the enclosures allow.
    assert!((2.0 * last["at"].as_f64().unwrap() - 1.0 - fold).abs() < 1e-6, "{last} {fold}");
    let jump = rows(&run, "map_jumps").into_iter().find(|row| row["input"] == "0").unwrap();
    assert!((jump["change"].as_f64().unwrap() - 1.0 - fold).abs() < 1e-6, "{jump}");
}

#[test]
fn what_is_undecided_and_each_start_are_in_the_tables() {
    // The pitchfork: at W_hg = 2 three points are one, which no test tells from three.
    let run = study((4, 1), &[(2, 0, 2.0)], "0\n");
    let boxes = rows(&run, "map_boxes");
    assert_eq!(rows(&run, "maps")[0]["undecided"], boxes.len());
    let holds = |row: &Value| numbers(&row["low"])[0] <= 0.0 && numbers(&row["high"])[0] >= 0.0;
    assert!(boxes.iter().any(holds), "{boxes:?}");
    assert!(rows(&run, "map_starts").is_empty(), "the complete search has no starts");
    // Six pitchforks side by side leave a thousand boxes and more: the table covers the same states with fewer.
    let diagonal: Vec<_> = (0..6).map(|k| (12 + k, k, 2.0)).collect();
    let run = study((24, 6), &diagonal, "0\n");
    let boxes = rows(&run, "map_boxes");
    assert!(
        rows(&run, "maps")[0]["undecided"].as_u64().unwrap() > boxes.len() as u64 && boxes.len() <= 1_000
    );
    assert!(boxes.iter().any(holds), "{boxes:?}");

    // Strong repellers, whose powers leave the range of numbers, are no reason to stop.
    study((3, 3), &[(0, 1, 40.0), (1, 0, 45.0), (2, 2, 50.0), (0, 0, 30.0), (1, 1, 70.0)], "0\n");

    // Seven bistable units: too many for the complete search, so that the points come from starts.
    let diagonal: Vec<_> = (0..7).map(|k| (k, k, 3.0f64.ln())).collect();
    let run = study((7, 7), &diagonal, "0\n");
    assert_eq!(rows(&run, "maps")[0]["outcome"], "completeness not proved");
    let (points, starts) = (rows(&run, "map_points"), rows(&run, "map_starts"));
    for method in ["newton", "descent", "iteration"] {
        let own: Vec<u64> = starts
            .iter()
            .filter(|row| row["method"] == method)
            .map(|row| row["start"].as_u64().unwrap())
            .collect();
        assert_eq!(own, (0..256).collect::<Vec<u64>>());
    }
    assert!(!points.is_empty());
    for point in &points {
        assert!(starts.iter().any(|row| row["point"] == point["index"]), "{point}");
        // Each unit of a point is at 0 or +-1/2, and so are those of its neighbors: half a unit apart.
        assert!(numbers(&point["state"]).iter().all(|x| (2.0 * x - (2.0 * x).round()).abs() < 1e-12));
        assert!(point["alone"].as_f64().unwrap() < 0.5);
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
    let empty = write("empty.csv", b"\n");
    let message = refuse(&["dynamics", &folder, "--model", &model, "--inputs", &empty]);
    assert!(message.contains("empty.csv: there are no inputs"), "{message}");
    let missing = run.path().join("missing.csv").to_str().unwrap().to_owned();
    let message = refuse(&["dynamics", &folder, "--model", &model, "--inputs", &missing]);
    assert!(message.contains("missing.csv") && !message.contains("lstm.safetensors"), "{message}");
    // The last eight bytes are one number: all ones are a NaN.
    let mut bytes = fs::read(&model).unwrap();
    let at = bytes.len() - 8;
    bytes[at..].fill(0xFF);
    let damaged = write("damaged.safetensors", &bytes);
    let inputs = golden("inputs.csv").to_str().unwrap().to_owned();
    let message = refuse(&["dynamics", &folder, "--model", &damaged, "--inputs", &inputs]);
    assert!(message.contains("bias_hh_l0 has the value NaN at position 11"), "{message}");
    refuse(&["dynamics", &folder, "--model", &model]);
    let message = refuse(&["dynamics", &folder, "--model", "nowhere.safetensors", "--inputs", &inputs]);
    assert!(message.contains("nowhere.safetensors"), "{message}");
    assert!(!files(Path::new(&folder)).iter().any(|name| name.ends_with(".parquet")));
}
