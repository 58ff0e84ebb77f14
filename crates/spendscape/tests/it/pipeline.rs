//! From a generated ledger to figures, small.

use std::path::Path;

use serde_json::Value;
use spendscape_store::Manifest;

use crate::program::{files, spendscape, succeed};

/// Enough customers that every trait has some in both splits, few enough for a test.
const CUSTOMERS: &str = "400";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Makes a bank and its panels.
fn bank(folder: &Path, threads: &str) {
    let run = text(folder);
    succeed(&["synth", run, "--customers", CUSTOMERS, "--preset", "strong", "--threads", threads]);
    succeed(&["ingest", run, "--threads", threads]);
}

/// Stages, outputs and digests, without what varies.
fn digests(folder: &Path) -> Vec<(String, Value)> {
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let stages = manifest["stages"].as_object().unwrap();
    stages.iter().map(|(name, record)| (name.clone(), record["outputs"].clone())).collect()
}

#[test]
fn one_command_leads_from_the_panel_to_figures() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (folder.path().join("bank"), folder.path().join("run"));
    bank(&data, "2");
    let words = ["run", text(&run), "--data", text(&data), "--epochs", "150"];
    succeed(&words);
    let tables = files(&run);
    for file in
        ["model", "states", "states_short", "angles", "segments", "surrogate", "end_states", "attractors"]
    {
        assert!(tables.contains(&format!("{file}.parquet")), "{tables:?}");
    }
    assert!(tables.contains(&"report.html".to_owned()));
    let figures = files(&run.join("figures"));
    for figure in ["figure1", "figure2", "figure5", "figure6"] {
        assert!(
            figures.contains(&format!("{figure}.svg")) && figures.contains(&format!("{figure}.png")),
            "{figures:?}"
        );
    }
    assert!(tables.iter().all(|name| !name.starts_with('.')), "debris: {tables:?}");

    let figures = succeed(&["evaluate", text(&run), "--data", text(&data), "--no-polynomial", "--json"]);
    let figures: Value = serde_json::from_str(&figures).unwrap();
    let figure =
        |name: &str| figures[name].as_f64().unwrap_or_else(|| panic!("{name} is missing: {figures}"));
    // The network learns, its state is nearly linear in the shares, and the inverse map is exact.
    assert!(figure("fit.r2") > 0.5);
    assert!(figure("surrogate.r2.state") > 0.9);
    assert!(figure("inverse.error") < 1e-9);
    assert!(figure("surrogate.contribution_error") < 1e-12);
    assert!(figure("segments.knn.lstm.1") > figure("segments.knn.chance.1") + 0.2);
    assert!(figure("dynamics.certified") > 0.99);

    // What is up to date is not done again, and a changed parameter is.
    let before = std::fs::metadata(run.join("states.parquet")).unwrap().modified().unwrap();
    succeed(&words);
    assert_eq!(std::fs::metadata(run.join("states.parquet")).unwrap().modified().unwrap(), before);
    // So is what another build of the program wrote, whose tables this one may not even read. Found by a run folder
    // that outlived a change of a table's columns.
    let mut manifest = Manifest::read(&run).unwrap();
    for stage in manifest.stages.values_mut() {
        stage.build = Some("1 bytes of 1767225600.000000000".to_owned());
    }
    manifest.write(&run).unwrap();
    std::fs::write(run.join("map_points.parquet"), "of another time").unwrap();
    succeed(&words);
    assert_ne!(std::fs::metadata(run.join("states.parquet")).unwrap().modified().unwrap(), before);
    let before = std::fs::metadata(run.join("states.parquet")).unwrap().modified().unwrap();
    succeed(&["run", text(&run), "--data", text(&data), "--epochs", "151"]);
    assert_ne!(std::fs::metadata(run.join("states.parquet")).unwrap().modified().unwrap(), before);
}

#[test]
fn digests_do_not_depend_on_threads() {
    let folder = tempfile::tempdir().unwrap();
    let run = |threads: &str| {
        let (data, run) =
            (folder.path().join(format!("bank{threads}")), folder.path().join(format!("run{threads}")));
        bank(&data, threads);
        succeed(&["run", text(&run), "--data", text(&data), "--epochs", "3", "--threads", threads]);
        (digests(&data), digests(&run))
    };
    assert_eq!(run("1"), run("2"));
}

#[test]
fn the_ledgers_panel_is_the_banks_own() {
    use spendscape_schema::{Panel, Table};
    use spendscape_synth::{Bank, BankParams, Preset, bank_coefficients};

    let folder = tempfile::tempdir().unwrap();
    bank(folder.path(), "2");
    let read = |name: &str| {
        let stored = spendscape_store::read_table(&folder.path().join(name), Table::Panel).unwrap();
        Panel::from_rows(&stored.rows).unwrap()
    };
    let params = BankParams::new(Preset::Strong).customers(CUSTOMERS.parse().unwrap()).seed(1);
    let bank = Bank::generate(&params, &bank_coefficients().unwrap()).unwrap();
    assert_eq!(read("panel.parquet"), bank.panel());
    assert_eq!(read("panel_short.parquet"), bank.short_panel());
}

#[test]
fn help_shows_an_example_for_every_command() {
    let overview = succeed(&["--help"]);
    for command in [
        "synth", "ingest", "train", "states", "segment", "assign", "explain", "dynamics", "evaluate",
        "compare", "report", "run",
    ] {
        assert!(overview.contains(command), "{command}");
        let help = succeed(&[command, "--help"]);
        assert!(help.contains("Example"), "{command}: {help}");
    }
    assert_eq!(spendscape(&["no-such-command"]).status.code(), Some(2));
}
