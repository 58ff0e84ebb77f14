//! The figure of goals: every model and measure of the table, and nothing where there is none.

use std::{fs, path::Path};

use spendscape_report::{Error, Outcome, goal_figure};
use spendscape_schema::{
    Axes, Table, Tabular,
    tables::{GoalConfusion, GoalConfusionRow, GoalMeasureRow, GoalMeasures},
};
use spendscape_store::{Provenance, write_table};

/// Three models; one of them is off the scale of the log-loss.
fn write(folder: &Path, models: &[&str]) {
    let row = |model: &str, history: &str, measure: &str, value: f64| GoalMeasureRow {
        model: model.to_owned(),
        history: history.to_owned(),
        goal: None,
        measure: measure.to_owned(),
        groups: 100,
        value,
        low: value - 0.02,
        high: if history == "1" { f64::NAN } else { value + 0.02 },
    };
    let mut rows = Vec::new();
    for (k, model) in models.iter().enumerate() {
        let value = 0.6 - 0.1 * k as f64;
        for history in ["all", "1", "10-19", "2-4"] {
            rows.push(row(model, history, "accuracy", value));
        }
        rows.push(row(model, "all", "macro_f1", value));
        rows.push(row(model, "all", "log_loss", if k == 2 { 34.0 } else { 1.0 + k as f64 }));
    }
    let batch = GoalMeasures::from_rows(rows).unwrap().to_batch(&Axes::new()).unwrap();
    let provenance = Provenance::new("goals train").seed(3);
    write_table(&folder.join("goal_measures.parquet"), Table::GoalMeasures, &batch, provenance).unwrap();
}

/// Twenty goals, of which a matrix shows the sixteen that come most often.
fn write_confusion(folder: &Path) {
    let rows = (0..20).map(|k| GoalConfusionRow {
        goal: format!("goal {k}"),
        predicted: format!("goal {k}"),
        groups: 100 - k,
        share: 0.75,
        low: 0.7,
        high: 0.8,
    });
    let batch = GoalConfusion::from_rows(rows).unwrap().to_batch(&Axes::new()).unwrap();
    let provenance = Provenance::new("goals train").seed(3);
    write_table(&folder.join("goal_confusion.parquet"), Table::GoalConfusion, &batch, provenance).unwrap();
}

fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.filter_map(|node| node.text()).map(str::to_owned).collect()
}

#[test]
fn models_histories_and_goals_are_named_and_what_is_off_the_scale_is_said() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &["repeat_last", "markov_2", "lstm"]);
    let out = folder.path().join("figures");
    let info = goal_figure(folder.path(), &out).unwrap();
    assert!(matches!(&info.outcome, Outcome::Drawn { omitted, .. } if omitted.len() == 1), "{info:?}");
    write_confusion(folder.path());
    let info = goal_figure(folder.path(), &out).unwrap();
    assert!(matches!(&info.outcome, Outcome::Drawn { omitted, .. } if omitted.is_empty()), "{info:?}");
    let svg = fs::read_to_string(out.join("goals.svg")).unwrap();
    assert!(!svg.contains("NaN"));
    let texts = texts(&svg);
    for expected in [
        "LSTM",
        "Markov, order 2",
        "last goal again",
        "Accuracy (more is better)",
        "Log-loss in nats (less is better)",
        "34.0, off the scale",
        "10-19",
        "groups known before",
        "goal 0",
        "75",
        "Goals taken for others (% of a row; 16 of 20)",
    ] {
        assert!(texts.iter().any(|text| text == expected), "{expected}: {texts:?}");
    }
    assert!(!texts.iter().any(|text| text == "goal 19"), "{texts:?}");
    let place = |label: &str| texts.iter().position(|text| text == label).unwrap();
    assert!(place("1") < place("2-4") && place("2-4") < place("10-19"), "histories grow: {texts:?}");
    // The same tables, the same bytes.
    goal_figure(folder.path(), &folder.path().join("again")).unwrap();
    assert_eq!(svg, fs::read_to_string(folder.path().join("again/goals.svg")).unwrap());
}

#[test]
fn without_measures_there_is_no_figure_and_an_old_one_goes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("figures");
    write(folder.path(), &["lstm"]);
    goal_figure(folder.path(), &out).unwrap();
    write(folder.path(), &[]);
    let info = goal_figure(folder.path(), &out).unwrap();
    assert!(matches!(&info.outcome, Outcome::Skipped { reason } if reason.contains("goal_measures.parquet")));
    assert!(!out.join("goals.svg").exists());
    assert!(matches!(goal_figure(&folder.path().join("none"), &out), Err(Error::NoRun { .. })));
}
