//! Segments over months: refits that keep ids, customers assigned to a trained run, and the comparison over seeds.

use std::{
    fs,
    path::{Path, PathBuf},
};

use arrow::array::RecordBatch;
use serde_json::Value;
use spendscape_schema::{
    Panel, Table,
    tables::{Angles, Drift, Explanations, Metrics, Profiles, Projection, Segments, Targets},
};
use spendscape_store::{Manifest, Provenance, Stored, read_table, write_table};

use crate::program::{files, refuse, spendscape, succeed};

/// Epochs that give the small network directions, not accuracy.
const EPOCHS: &str = "20";

struct Bank {
    folder: tempfile::TempDir,
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl Bank {
    /// A small bank with one trained run, `first`.
    fn new() -> Self {
        let bank = Self { folder: tempfile::tempdir().unwrap() };
        let data = bank.path("data");
        succeed(&["synth", text(&data), "--customers", "300", "--preset", "strong"]);
        succeed(&["ingest", text(&data)]);
        bank.train("first", "1");
        bank.segment("first", &["--seed", "1"]);
        bank
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, command: &str, run: &str, words: &[&str]) {
        let (run, data) = (self.path(run), self.path("data"));
        succeed(&[&[command, text(&run), "--data", text(&data)], words].concat());
    }

    fn train(&self, run: &str, seed: &str) {
        self.command("train", run, &["--epochs", EPOCHS, "--seed", seed]);
        self.command("states", run, &[]);
    }

    fn segment(&self, run: &str, words: &[&str]) {
        self.command("segment", run, words);
    }

    fn table(&self, run: &str, file: &str, table: Table) -> Stored {
        read_table(&self.path(run).join(format!("{file}.parquet")), table).unwrap()
    }

    fn segments(&self, run: &str) -> (Vec<String>, Vec<u16>) {
        let Segments { customer, segment, .. } =
            self.table(run, "segments", Table::Segments).table().unwrap();
        (customer, segment)
    }

    /// Writes a panel made from the bank's into a folder of its own, with the provenance given.
    fn panel(&self, name: &str, change: impl Fn(&Panel) -> Panel, provenance: Option<Provenance>) -> PathBuf {
        let folder = self.path(name);
        fs::create_dir_all(&folder).unwrap();
        for file in ["panel", "panel_short"] {
            let stored = self.table("data", file, Table::Panel);
            let batch: RecordBatch = change(&Panel::from_rows(&stored.rows).unwrap()).to_batch().unwrap();
            let provenance = provenance.clone().unwrap_or(stored.provenance);
            write_table(&folder.join(format!("{file}.parquet")), Table::Panel, &batch, provenance).unwrap();
        }
        fs::copy(self.path("data").join("coefficients.parquet"), folder.join("coefficients.parquet"))
            .unwrap();
        folder
    }
}

#[test]
fn segments_are_described_and_keep_their_ids_over_refits() {
    let bank = Bank::new();
    let (customers, first) = bank.segments("first");
    let profiles: Profiles = bank.table("first", "profiles", Table::Profiles).table().unwrap();
    let sizes = profiles.customers;
    assert_eq!(sizes.iter().sum::<i64>(), customers.len() as i64);
    for (id, size) in profiles.segment.iter().zip(&sizes) {
        assert_eq!(first.iter().filter(|own| *own == id).count() as i64, *size);
    }
    assert_eq!(bank.table("first", "drift", Table::Drift).rows.len(), 0);
    let periods = bank.table("first", "profile_trajectories", Table::ProfileTrajectories).rows;
    assert_eq!(periods.len(), 6 * sizes.len());

    // The same network clustered again from the same start in another folder: nothing changes but where it stands.
    bank.train("second", "1");
    let previous = bank.path("first");
    bank.segment("second", &["--seed", "1", "--previous", text(&previous)]);
    assert_eq!(bank.segments("second"), (customers.clone(), first.clone()));

    // Another network, and another start: an id stands for the same customers, or it is new.
    bank.train("third", "7");
    let previous = bank.path("second");
    bank.segment("third", &["--seed", "5", "--previous", text(&previous)]);
    let (_, third) = bank.segments("third");
    let drift = bank.table("third", "drift", Table::Drift);
    for row in drift.table::<Drift>().unwrap().into_rows() {
        let id = &row.segment;
        let in_both = first.iter().zip(&third).filter(|(a, b)| *a == id && *b == id).count() as f64;
        let in_either = first.iter().zip(&third).filter(|(a, b)| *a == id || *b == id).count() as f64;
        match row.fate.as_str() {
            "kept" => {
                assert!(in_both / in_either > 0.5 && (row.overlap - in_both / in_either).abs() < 1e-12);
            }
            "appeared" => assert!(*id >= 5 && row.overlap <= 0.5 && !first.contains(id)),
            _ => assert!(*id < 5 && !third.contains(id)),
        }
    }
    let moved = first.iter().zip(&third).filter(|(a, b)| a != b).count() as f64 / first.len() as f64;
    assert!((drift.provenance.parameters["moved"].as_f64().unwrap() - moved).abs() < 1e-12);

    // With a threshold that nothing but equality could pass, every changed segment gets an id that was never used.
    bank.segment("third", &["--seed", "5", "--previous", text(&previous), "--keep-overlap", "0.999"]);
    let (_, renamed) = bank.segments("third");
    let centers = bank.table("third", "segment_centers", Table::SegmentCenters);
    let next = centers.provenance.parameters["next_id"].as_u64().unwrap();
    assert!(renamed.iter().all(|id| u64::from(*id) < next));
    assert!(next > 5);
    let message = refuse(&[
        "segment",
        text(&bank.path("third")),
        "--data",
        text(&bank.path("data")),
        "--previous",
        text(&bank.path("third")),
    ]);
    assert!(message.contains("the run itself"), "{message}");
    let message = refuse(&[
        "segment",
        text(&bank.path("third")),
        "--data",
        text(&bank.path("data")),
        "--previous",
        text(&bank.path("data")),
    ]);
    assert!(message.contains("has no segments to go by"), "{message}");

    succeed(&["report", text(&bank.path("third")), "--data", text(&bank.path("data"))]);
    let page = fs::read_to_string(bank.path("third").join("report.html")).unwrap();
    assert!(page.contains("<article class=\"segment\"") && page.contains("Population stability index"));
}

#[test]
fn assigning_treats_customers_exactly_as_training_did() {
    let bank = Bank::new();
    let (customers, first) = bank.segments("first");
    let model = bank.path("first");

    // The panel of the training itself: the same tables, nothing has drifted.
    let (all, data) = (bank.path("all"), bank.path("data"));
    succeed(&["assign", text(&all), "--data", text(&data), "--model", text(&model)]);
    for (file, table) in
        [("segments", Table::Segments), ("states", Table::States), ("states_short", Table::States)]
    {
        let (ours, theirs) = (bank.table("all", file, table), bank.table("first", file, table));
        assert_eq!(ours.digest, theirs.digest, "{file}");
    }
    let targets = |run: &str| bank.table(run, "targets", Table::Targets).table::<Targets>().unwrap();
    let grades = |run: &str| targets(run).grade;
    assert_eq!(grades("all"), grades("first"));
    let angles = |run: &str| bank.table(run, "angles", Table::Angles).table::<Angles>().unwrap().angle;
    assert_eq!(angles("all"), angles("first"));
    let drift = bank.table("all", "drift", Table::Drift);
    assert_eq!(drift.provenance.parameters["moved"], 0.0);
    assert_eq!(drift.provenance.parameters["stability_index"], 0.0);
    assert!(!targets("all").train.contains(&true));
    succeed(&["report", text(&all), "--data", text(&data)]);

    // Grades on another scale are those of training as well.
    bank.command("train", "extremes", &["--epochs", "1", "--scaling", "min-max"]);
    bank.command("states", "extremes", &[]);
    bank.segment("extremes", &[]);
    bank.command("assign", "again", &["--model", text(&bank.path("extremes"))]);
    assert_eq!(grades("again"), grades("extremes"));
    assert_ne!(grades("again"), grades("first"));

    // A seventh of the customers, and a single one, are assigned as they were among the others.
    for (name, keep) in [("some", 7), ("one", 300)] {
        let folder =
            bank.panel(name, |panel| panel.select(&(0..panel.len()).step_by(keep).collect::<Vec<_>>()), None);
        succeed(&["assign", text(&folder), "--model", text(&model)]);
        // What only a trained run can do names that run, not a training that would replace the assignment.
        for command in ["dynamics", "evaluate", "states", "segment"] {
            let message = refuse(&[command, text(&folder)]);
            assert!(message.contains(&format!("assigned to the segments of {}", text(&model))), "{message}");
            assert!(!message.contains("spendscape train"), "{message}");
        }
        let (names, segments) = bank.segments(name);
        assert_eq!(names.len(), 300_usize.div_ceil(keep));
        for (name, segment) in names.iter().zip(segments) {
            let row = customers.iter().position(|customer| customer == name).unwrap();
            assert_eq!(segment, first[row], "{name}");
        }
        assert!(!files(&folder).iter().any(|file| file.starts_with('.')));
    }
}

/// A customer of a batch is explained by the trained run as it would be among that run's own.
#[test]
fn customers_of_a_batch_are_explained_as_the_trained_runs_own() {
    let bank = Bank::new();
    let (first, data) = (bank.path("first"), bank.path("data"));
    let list = bank.path("list.toml");
    fs::write(&list, "[protected]\npharmacy = \"health\"\n").unwrap();
    let explain = |words: &[&str]| -> Value {
        serde_json::from_str(&succeed(&[&["explain", "--json"][..], words].concat())).unwrap()
    };
    bank.command("explain", "first", &["--protected", text(&list)]);
    for (name, keep) in [("some", 7), ("one", 300)] {
        let folder =
            bank.panel(name, |panel| panel.select(&(0..panel.len()).step_by(keep).collect::<Vec<_>>()), None);
        let batch = [text(&folder), "--model", text(&first)];
        let message = refuse(&[&["explain"][..], &batch].concat());
        assert!(message.contains("spendscape assign") && message.contains("not assigned"), "{message}");
        succeed(&[&["assign"][..], &batch].concat());
        let message = refuse(&["explain", text(&folder)]);
        assert!(message.contains("--model RUN"), "{message}");
        succeed(&[&["explain"][..], &batch].concat());
        let explanations: Explanations =
            bank.table(name, "explanations", Table::Explanations).table().unwrap();
        assert_eq!(explanations.customer.len(), 300_usize.div_ceil(keep));
        let figures: Metrics = bank.table(name, "fidelity", Table::Metrics).table().unwrap();
        let figures: std::collections::HashMap<String, f64> =
            figures.name.into_iter().zip(figures.value).collect();
        assert_eq!(figures["customers.unseen"], explanations.customer.len() as f64);
        assert!(figures.contains_key("refused") && figures.contains_key("degrees.median"));
        assert!(!figures.contains_key("monitor.refused_at_most"), "limits are those of the trained run");
        assert_eq!(figures.contains_key("r2.state"), keep == 7);
        let customer = &explanations.customer[0];
        let mut ours = explain(&[&batch[..], &["--customer", customer]].concat());
        let mut theirs = explain(&[text(&first), "--data", text(&data), "--customer", customer]);
        assert!(theirs["flagged"]["listed"].as_u64().unwrap() > 0);
        for why in [&mut ours, &mut theirs] {
            why["made_from"] = Value::Null;
            why["assignment"]["training"] = Value::Null;
        }
        assert_eq!(ours, theirs);
        succeed(&["report", text(&folder)]);
        let page = fs::read_to_string(folder.join("report.html")).unwrap();
        assert!(page.contains("are explained") && !folder.join("model_card.html").exists());
    }
    let some = bank.path("some");
    let message = refuse(&["explain", text(&some), "--model", text(&first), "--customer", "nobody"]);
    assert!(message.contains("no customer \"nobody\""), "{message}");
    let message = refuse(&["explain", text(&some), "--model", text(&first), "--protected", text(&list)]);
    assert!(message.contains("--protected"), "{message}");
    // The network is another one now.
    bank.train("first", "2");
    bank.segment("first", &[]);
    let message = refuse(&["explain", text(&some), "--model", text(&first)]);
    assert!(message.contains("another network") && message.contains("spendscape assign"), "{message}");
    succeed(&["assign", text(&some), "--model", text(&first)]);
    let message = refuse(&["explain", text(&some), "--model", text(&bank.path("one"))]);
    assert!(message.contains("is no trained run"), "{message}");
    succeed(&["explain", text(&some), "--model", text(&first)]);

    // A batch of an earlier version lacks a table that is made by assigning now.
    let mut manifest = Manifest::read(&some).unwrap();
    let record = manifest.stages.get_mut("assign").unwrap();
    record.build = None;
    record.outputs.remove("mean_shares.parquet").unwrap();
    manifest.write(&some).unwrap();
    fs::remove_file(some.join("mean_shares.parquet")).unwrap();
    let message = refuse(&["explain", text(&some), "--model", text(&first)]);
    let command = format!("`spendscape assign {} --model {}` makes it", text(&some), text(&first));
    assert!(message.contains("mean_shares.parquet") && message.contains(&command), "{message}");
    succeed(&["assign", text(&some), "--model", text(&first)]);
    succeed(&["explain", text(&some), "--model", text(&first)]);
}

/// What is drawn of a batch are its own figures, along the axes of the trained run; and the coefficients are known by what they
/// hold.
#[test]
fn a_batch_has_figures_of_its_own() {
    let bank = Bank::new();
    bank.command("train", "wide", &["--epochs", "1", "--units", "4"]);
    bank.command("states", "wide", &[]);
    bank.segment("wide", &[]);
    let wide = bank.path("wide");
    let select =
        |keep: usize| move |panel: &Panel| panel.select(&(0..panel.len()).step_by(keep).collect::<Vec<_>>());
    let all = bank.panel("all", Panel::clone, None);
    let some = bank.panel("some", select(7), None);
    for folder in [&all, &some] {
        succeed(&["assign", text(folder), "--model", text(&wide)]);
    }
    let projection =
        |run: &str| bank.table(run, "projection", Table::Projection).table::<Projection>().unwrap();
    let [trained, all, few] = ["wide", "all", "some"].map(projection);
    assert!(all.axis == trained.axis && few.axis == trained.axis);
    let apart = |other: &Projection| {
        let pairs = other.variance.iter().zip(&trained.variance);
        pairs.map(|(own, trained)| (own - trained).abs()).fold(0.0, f64::max)
    };
    assert!(apart(&all) < 1e-9 && apart(&few) > 1e-6, "{:?} {:?}", trained.variance, few.variance);
    succeed(&["report", text(&some)]);
    let figure = fs::read_to_string(some.join("figures/figure1.svg")).unwrap();
    assert!(figure.contains("principal components of the trained run"), "no word of whose axes they are");

    // The same coefficients with other sayings, and none at all: nothing has to be done again.
    let finished = || Manifest::read(&some).unwrap().stages["assign"].finished.clone();
    let before = finished();
    let beside = some.join("coefficients.parquet");
    let stored = read_table(&beside, Table::Coefficients).unwrap();
    let other = stored.provenance.parameter("said", "otherwise");
    write_table(&beside, Table::Coefficients, stored.rows.batch(), other).unwrap();
    succeed(&["assign", text(&some), "--model", text(&wide)]);
    fs::remove_file(&beside).unwrap();
    fs::rename(bank.path("data"), bank.path("gone")).unwrap();
    succeed(&["assign", text(&some), "--model", text(&wide)]);
    assert_eq!(finished(), before);
    let message = refuse(&["assign", text(&some), "--model", text(&wide), "--force"]);
    assert!(message.contains("copy its coefficients.parquet beside the panel"), "{message}");
}

#[test]
fn one_unseen_customer_has_no_fit() {
    let bank = Bank::new();
    let five = bank.panel("five", |panel| panel.select(&[0, 1, 2, 3, 4]), None);
    let ten = bank.panel("ten", |panel| panel.select(&(0..10).collect::<Vec<_>>()), None);
    for (folder, told) in [(five, false), (ten, true)] {
        let output = spendscape(&["train", text(&folder), "--epochs", "1"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && said.contains("fit on unseen customers") == told, "{said}");
    }
}

#[test]
fn panels_of_other_rules_are_not_assigned() {
    let bank = Bank::new();
    let model = bank.path("first");
    let message = |folder: &Path| {
        let message = refuse(&["assign", text(folder), "--model", text(&model)]);
        assert!(!folder.join("segments.parquet").exists());
        message
    };
    let unknown = bank.panel(
        "unknown",
        |panel| {
            let mut panel = panel.clone();
            panel.classes[3] = "never heard of".to_owned();
            panel
        },
        None,
    );
    let said = message(&unknown);
    assert!(said.contains("never heard of") && said.contains("class 3"), "{said}");
    assert!(said.contains(text(&unknown.join("panel.parquet"))), "{said}");
    let shorter = bank.panel(
        "shorter",
        |panel| Panel {
            periods: panel.periods[1..].to_vec(),
            shares: panel.shares.slice(ndarray::s![.., 1.., ..]).to_owned(),
            totals: panel.totals.slice(ndarray::s![.., 1..]).to_owned(),
            observed: panel.observed.slice(ndarray::s![.., 1..]).to_owned(),
            ..panel.clone()
        },
        None,
    );
    let said = message(&shorter);
    assert!(said.contains("5 periods") && said.contains("trained on 6"), "{said}");
    let stored = bank.table("data", "panel", Table::Panel).provenance;
    let policy = serde_json::json!({ "policy": "keep-zero", "at_least": 3 });
    let other = bank.panel("policy", Panel::clone, Some(stored.clone().parameter("empty_windows", policy)));
    let said = message(&other);
    assert!(said.contains("keep-zero") && said.contains("--empty-windows"), "{said}");
    // Another month is no other rule.
    let later =
        bank.panel("later", Panel::clone, Some(stored.parameter("window", "annual x 6 until 2031-03-31")));
    succeed(&["assign", text(&later), "--model", text(&model)]);

    let said = refuse(&["assign", text(&model), "--data", text(&bank.path("data")), "--model", text(&model)]);
    assert!(said.contains("holds a trained network"), "{said}");
    let said = refuse(&["assign", text(&bank.path("later")), "--model", text(&bank.path("data")), "--force"]);
    assert!(said.contains("is no trained run with segments") && said.contains("model.parquet"), "{said}");
    let message = refuse(&["assign", text(&bank.path("nothing")), "--model", text(&model)]);
    assert!(message.contains("panel.parquet"), "{message}");
}

#[test]
fn representations_are_compared_over_seeds_in_one_table() {
    let bank = Bank::new();
    bank.train("other", "2");
    bank.segment("other", &["--seed", "2"]);
    let (out, data) = (bank.path("comparison"), bank.path("data"));
    let (first, other) = (bank.path("first"), bank.path("other"));
    let words = ["compare", text(&out), "--data", text(&data), "--no-polynomial", "--json", "--runs"];
    // `evaluate` needs what the dynamics found only where it is there.
    let json = succeed(&[&words[..], &[text(&first), text(&other)]].concat());
    let table: Value = serde_json::from_str(&json).unwrap();
    let row = |representation: &str, measure: &str, level: u64| {
        let wanted = |row: &&Value| {
            row["representation"] == representation && row["measure"] == measure && row["level"] == level
        };
        table
            .as_array()
            .unwrap()
            .iter()
            .find(wanted)
            .unwrap_or_else(|| panic!("{representation} {measure}: {json}"))
    };
    for name in [
        "lstm",
        "direction",
        "trajectory",
        "feed_forward",
        "autoencoder_linear",
        "autoencoder_tanh",
        "autoencoder_linear_scaled",
        "autoencoder_tanh_scaled",
        "raw_inputs",
        "raw_personality",
        "raw_personality_pca",
    ] {
        for level in 1..=4 {
            let row = row(name, "prefix accuracy", level);
            let figure = |name: &str| row[name].as_f64().unwrap();
            assert_eq!(row["seeds"], 2);
            assert!(figure("low") <= figure("median") && figure("median") <= figure("high"), "{row}");
            assert!(figure("chance") < 1.0);
            assert!(row["null"].is_number(), "{row}");
        }
        for measure in ["silhouette", "davies-bouldin"] {
            assert!(row(name, measure, 5)["null"].is_number());
        }
    }
    // What does not depend on the network is the same for every seed; networks of two seeds are two networks.
    let raw = row("raw_inputs", "prefix accuracy", 1);
    assert_eq!(raw["low"], raw["high"]);
    assert!(row("lstm", "window stability", 5)["chance"].is_number());
    assert!(row("lstm", "never moved", 5)["median"].is_number());
    assert_eq!(row("lstm", "seed agreement", 5)["seeds"], 1);

    let said = refuse(&[&words[..], &[text(&first), text(&first)]].concat());
    assert!(said.contains("the same seed"), "{said}");
    let printed = succeed(&[
        "compare",
        text(&out),
        "--data",
        text(&data),
        "--no-polynomial",
        "--runs",
        text(&first),
        text(&other),
    ]);
    assert!(printed.contains("| lstm | prefix accuracy | 1 | 2 |"), "{printed}");
}

#[test]
fn fewer_customers_than_segments_give_fewer_segments() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    succeed(&["synth", text(&run), "--customers", "4", "--preset", "strong"]);
    succeed(&["ingest", text(&run)]);
    succeed(&["train", text(&run), "--epochs", "2"]);
    succeed(&["states", text(&run)]);
    let output = spendscape(&["segment", text(&run), "--clusters", "5"]);
    assert!(output.status.success());
    // Three of the four are training customers, each a segment of its own.
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("fewer segments than asked for"), "{said}");
    let stored = read_table(&run.join("segments.parquet"), Table::Segments).unwrap();
    assert_eq!(stored.table::<Segments>().unwrap().segment.into_iter().max(), Some(2));
    succeed(&["report", text(&run)]);

    // A single customer cannot be trained on and tested at once.
    let run = folder.path().join("one");
    succeed(&["synth", text(&run), "--customers", "1"]);
    succeed(&["ingest", text(&run)]);
    let said = refuse(&["run", text(&run), "--epochs", "2"]);
    assert!(said.contains("the panel has 1 customer") && said.contains("`columns.customer`"), "{said}");
}
