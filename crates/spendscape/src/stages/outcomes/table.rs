//! What the stage writes and what other programs read of it.

use std::fmt::Write as _;

use anyhow::Result;
use ndarray::{Array1, Array2};
use spendscape_outcomes::{
    EVERYBODY, HeldOut, Measured, Outcome, Scorecard, ScorecardParams, adverse_reasons,
};
use spendscape_schema::{
    Axes,
    tables::{
        self, OutcomeComparisonRow, OutcomeComparisons, OutcomeCurveRow, OutcomeCurves, OutcomeMeasureRow,
        OutcomeMeasures, OutcomeReasonRow, OutcomeReasons, OutcomeScoreRow, OutcomeScores, ScorecardRow,
    },
};

use super::labels::Labels;
use crate::run_folder::{File, RunFolder, Stage};

/// Reasons given for a score.
const REASONS: usize = 4;
/// The line of a scorecard that everybody starts from.
const BASE: &str = "(base)";
/// The scorecard for people and spreadsheets.
const SCORECARD_CSV: &str = "scorecard.csv";

/// Writes scores, measures, curves and comparisons.
pub(super) fn write(
    stage: &mut Stage<'_>,
    labels: &Labels,
    outcome: &Outcome,
    held_out: &[HeldOut],
    measured: &Measured,
    margin: f64,
) -> Result<()> {
    stage.note("task", outcome.task().name());
    let n = labels.customers.len();
    let means: Vec<Array1<f64>> = held_out.iter().map(HeldOut::mean).collect();
    let mut rows = Vec::new();
    for (scores, mean) in held_out.iter().zip(&means) {
        rows.extend((0..n).filter(|customer| mean[*customer].is_finite()).map(|customer| OutcomeScoreRow {
            set: scores.set.clone(),
            learner: scores.learner.name().to_owned(),
            customer: labels.customers[customer].clone(),
            label: outcome.values()[customer],
            score: mean[customer],
        }));
    }
    stage.write_table(File::OutcomeScores, &Axes::new(), &OutcomeScores::from_rows(rows)?)?;

    let rows = measured.scores.iter().map(|row| OutcomeMeasureRow {
        set: row.set.clone(),
        learner: row.learner.to_owned(),
        group: row.group.clone(),
        measure: row.measure.to_owned(),
        customers: row.customers as i64,
        value: row.value,
        low: row.interval.map(|[low, _]| low),
        high: row.interval.map(|[_, high]| high),
    });
    stage.write_table(File::OutcomeMeasures, &Axes::new(), &OutcomeMeasures::from_rows(rows)?)?;

    let rows = measured.curves.iter().map(|point| OutcomeCurveRow {
        set: point.set.clone(),
        learner: point.learner.to_owned(),
        curve: point.curve.to_owned(),
        x: point.x,
        y: point.y,
        low: point.interval.map(|[low, _]| low),
        high: point.interval.map(|[_, high]| high),
    });
    stage.write_table(File::OutcomeCurves, &Axes::new(), &OutcomeCurves::from_rows(rows)?)?;

    let rows = measured.comparisons.iter().map(|row| OutcomeComparisonRow {
        set: row.set.clone(),
        learner: row.learner.to_owned(),
        reference: row.reference.clone(),
        reference_learner: row.reference_learner.to_owned(),
        decides: row.decides,
        difference: row.found.difference,
        low: row.found.low,
        high: row.found.high,
        p_value: row.found.p_value,
        margin,
        verdict: row.verdict.name().to_owned(),
    });
    stage.write_table(File::OutcomeComparisons, &Axes::new(), &OutcomeComparisons::from_rows(rows)?)
}

/// Writes the largest adverse contributions of every customer.
pub(super) fn write_reasons(
    stage: &mut Stage<'_>,
    customers: &[String],
    scores: &Array1<f64>,
    contributions: &Array2<f64>,
    features: &[String],
) -> Result<()> {
    let mut rows = Vec::new();
    for (customer, row) in contributions.rows().into_iter().enumerate() {
        for (rank, reason) in adverse_reasons(&row, REASONS).into_iter().enumerate() {
            rows.push(OutcomeReasonRow {
                customer: customers[customer].clone(),
                score: scores[customer],
                rank: rank as u16 + 1,
                feature: features[reason.feature].clone(),
                contribution: reason.contribution,
            });
        }
    }
    stage.write_table(File::OutcomeReasons, &Axes::new(), &OutcomeReasons::from_rows(rows)?)
}

/// Fits a scorecard and writes it as a table and as CSV.
pub(super) fn write_scorecard(
    stage: &mut Stage<'_>,
    x: &Array2<f64>,
    outcome: &Outcome,
    features: &[String],
) -> Result<()> {
    let card = Scorecard::fit(ScorecardParams::default(), x, outcome.values())?;
    let (n, overall) = (x.nrows() as i64, outcome.values().sum() / x.nrows() as f64);
    let finite = |number: f64| number.is_finite().then_some(number);
    let base = ScorecardRow {
        feature: BASE.to_owned(),
        low: None,
        high: None,
        points: card.base(),
        customers: n,
        rate: Some(overall),
    };
    let lines = card.attributes().iter().map(|line| ScorecardRow {
        feature: features[line.feature].clone(),
        low: finite(line.low),
        high: finite(line.high),
        points: line.points,
        customers: line.customers as i64,
        rate: finite(line.rate),
    });
    let rows: Vec<ScorecardRow> = std::iter::once(base).chain(lines).collect();
    stage.write_table(File::Scorecard, &Axes::new(), &tables::Scorecard::from_rows(rows.iter().cloned())?)?;
    let mut text = String::from("feature,above,up_to,points,customers,rate\n");
    let number = |value: Option<f64>| value.map(|value| format!("{value}")).unwrap_or_default();
    for ScorecardRow { feature, low, high, points, customers, rate } in rows {
        let feature = feature.replace('"', "\"\"");
        let (low, high, rate) = (number(low), number(high), number(rate));
        writeln!(text, "\"{feature}\",{low},{high},{points},{customers},{rate}")?;
    }
    stage.write_plain(SCORECARD_CSV, text.as_bytes())
}

/// The figures of the last outcome by name, for other programs: `measure.SET.LEARNER.MEASURE` with `.low` and `.high`
/// (of a group `group.GROUP.SET.LEARNER.MEASURE`), and `comparison.SET.REFERENCE.` `difference`, `low`, `high` and
/// `p_value` of the better learners.
///
/// # Errors
/// If a table is missing or damaged.
pub fn read_figures(run: &RunFolder) -> Result<Vec<(String, f64)>> {
    let mut figures = Vec::new();
    let measures: OutcomeMeasures = run.table(File::OutcomeMeasures)?;
    for (at, row) in measures.into_rows().enumerate() {
        let everybody = row.group == EVERYBODY;
        let start = if everybody { "measure".to_owned() } else { format!("group.{}", row.group) };
        let name = format!("{start}.{}.{}.{}", row.set, row.learner, row.measure);
        figures.push((name.clone(), row.value));
        figures.extend(row.low.map(|low| (format!("{name}.low"), low)));
        figures.extend(row.high.map(|high| (format!("{name}.high"), high)));
        if everybody && at == 0 {
            figures.push(("customers".to_owned(), row.customers as f64));
        }
    }
    let comparisons: OutcomeComparisons = run.table(File::OutcomeComparisons)?;
    for row in comparisons.into_rows().filter(|row| row.decides) {
        for (figure, value) in
            [("difference", row.difference), ("low", row.low), ("high", row.high), ("p_value", row.p_value)]
        {
            figures.push((format!("comparison.{}.{}.{figure}", row.set, row.reference), value));
        }
    }
    Ok(figures)
}
