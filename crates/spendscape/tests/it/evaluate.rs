//! What is measured of panels that are too small for some of it.

use std::path::Path;

use serde_json::Value;
use spendscape_schema::Table;
use spendscape_store::read_table;

use crate::program::{spendscape, succeed};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Measures a bank of so many customers: the figures, and what was left out with the reasons.
fn measured(customers: &str) -> (Value, Value) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    succeed(&["synth", text(&run), "--customers", customers, "--preset", "strong"]);
    succeed(&["ingest", text(&run)]);
    for stage in ["train", "states", "segment"] {
        let words: &[&str] = if stage == "train" { &["--epochs", "10"] } else { &[] };
        succeed(&[&[stage, text(&run)], words].concat());
    }
    let output = spendscape(&["evaluate", text(&run), "--json"]);
    let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{warnings}");
    let provenance = read_table(&run.join("metrics.parquet"), Table::Metrics).unwrap().provenance;
    let left_out = provenance.parameters["left_out"].clone();
    for (part, reason) in left_out.as_object().unwrap() {
        assert!(warnings.contains(part) && warnings.contains(reason.as_str().unwrap()), "{warnings}");
    }
    assert!(run.join("comparison.parquet").exists());
    (serde_json::from_slice(&output.stdout).unwrap(), left_out)
}

#[test]
fn forty_customers_are_measured_but_for_what_needs_more() {
    let (figures, left_out) = measured("40");
    assert!(left_out["tests of the coefficients"].as_str().unwrap().contains("at least 33 rows, but got 32"));
    assert!(left_out["full polynomial"].as_str().unwrap().contains("32 training customers"));
    assert_eq!(left_out.as_object().unwrap().len(), 2, "{left_out}");
    assert!(figures.get("coefficients.found").is_none());
    for name in [
        "fit.r2",
        "segments.knn.lstm.1",
        "clusters.ward.found",
        "clusters.ward.ami_dominant_null",
        "clusters.average.adjusted_rand_kmeans_null",
        "clusters.mixture.davies_bouldin_null",
        "surrogate.r2.ols",
        "inverse.error",
    ] {
        assert!(figures[name].is_number(), "{name} is missing: {figures}");
    }
}

#[test]
fn three_customers_leave_little_and_stop_nothing() {
    let (figures, left_out) = measured("3");
    assert!(
        left_out["comparison"].as_str().unwrap().contains("at least 2 test customers, but got 1"),
        "{left_out}"
    );
    assert!(figures["inverse.error"].is_number());
    assert!(figures.as_object().unwrap().values().all(Value::is_number), "{figures}");
}
