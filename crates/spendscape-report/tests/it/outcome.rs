//! The figure of an outcome: every curve of the table, and nothing where there is none.

use std::{fs, path::Path};

use spendscape_report::{Error, Outcome, outcome_figure};
use spendscape_schema::{
    Axes, Table, Tabular,
    tables::{OutcomeCurveRow, OutcomeCurves},
};
use spendscape_store::{Provenance, write_table};

/// Two sets, one of them with two learners; a kink of the ROC must survive, a point on a straight part need not.
fn curves() -> Vec<OutcomeCurveRow> {
    let mut rows = Vec::new();
    for (set, learner) in [("trajectory", "linear"), ("trajectory", "boosted"), ("bespoke", "linear")] {
        let row = |curve: &str, x: f64, y: f64| OutcomeCurveRow {
            set: set.to_owned(),
            learner: learner.to_owned(),
            curve: curve.to_owned(),
            x,
            y,
            low: None,
            high: None,
        };
        rows.extend([(0.0, 0.0), (0.1, 0.6), (0.55, 0.8), (1.0, 1.0)].map(|(x, y)| row("roc", x, y)));
        rows.extend([(0.1, 0.12), (0.4, 0.35)].map(|(x, y)| row("calibration", x, y)));
        rows.extend((1..=10).map(|k| row("lift", f64::from(k), 2.0 - 0.2 * f64::from(k))));
    }
    rows
}

fn write(folder: &Path, rows: Vec<OutcomeCurveRow>) {
    let batch = OutcomeCurves::from_rows(rows).unwrap().to_batch(&Axes::new()).unwrap();
    let provenance = Provenance::new("outcomes").seed(3).parameter("target", "default");
    write_table(&folder.join("outcome_curves.parquet"), Table::OutcomeCurves, &batch, provenance).unwrap();
}

#[test]
fn every_curve_is_drawn_and_named() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), curves());
    let out = folder.path().join("figures");
    let info = outcome_figure(folder.path(), &out).unwrap();
    assert!(matches!(&info.outcome, Outcome::Drawn { omitted, .. } if omitted.is_empty()), "{info:?}");
    let svg = fs::read_to_string(out.join("outcome.svg")).unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let texts: Vec<String> = document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .filter_map(|node| node.text())
        .map(str::to_owned)
        .collect();
    for expected in [
        "ROC",
        "Calibration",
        "Lift",
        "trajectory, linear",
        "trajectory, boosted",
        "bespoke, linear",
        "mean score",
        "true positive rate",
    ] {
        assert!(texts.iter().any(|text| text == expected), "{expected}: {texts:?}");
    }
    assert!(
        texts.iter().any(|text| text.contains("outcome: default") && text.contains("seed: 3")),
        "{texts:?}"
    );
    assert!(out.join("outcome.png").exists());
    // The same table, the same bytes.
    let again = folder.path().join("again");
    outcome_figure(folder.path(), &again).unwrap();
    assert_eq!(svg, fs::read_to_string(again.join("outcome.svg")).unwrap());
}

#[test]
fn without_curves_there_is_no_figure_and_an_old_one_goes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("figures");
    write(folder.path(), curves());
    outcome_figure(folder.path(), &out).unwrap();
    write(folder.path(), Vec::new());
    let info = outcome_figure(folder.path(), &out).unwrap();
    assert!(
        matches!(&info.outcome, Outcome::Skipped { reason } if reason.contains("outcome_curves.parquet")),
        "{info:?}"
    );
    assert!(!out.join("outcome.svg").exists());
    assert!(matches!(outcome_figure(&folder.path().join("none"), &out), Err(Error::NoRun { .. })));
    write(folder.path(), vec![OutcomeCurveRow { y: f64::NAN, ..curves().swap_remove(0) }]);
    assert!(matches!(outcome_figure(folder.path(), &out), Err(Error::NotFinite { row: 0, .. })));
}
