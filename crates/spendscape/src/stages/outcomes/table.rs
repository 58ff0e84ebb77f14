//! What the stage writes and what other programs read of it.

use std::fmt::Write as _;

use anyhow::Result;
use ndarray::{Array1, Array2};
use spendscape_outcomes::{
    HeldOut, Outcome, Scorecard, adverse_reasons,
    held_out::{EVERYBODY, Measured},
};
use spendscape_run::{File, RunFolder};
use spendscape_schema::tables::{
    OutcomeComparisonRow, OutcomeComparisons, OutcomeCurveRow, OutcomeCurves, OutcomeMeasureRow,
    OutcomeMeasures, OutcomeReasonRow, OutcomeReasons, OutcomeScoreRow, OutcomeScores, ScorecardRow,
};

use super::labels::Labels;

/// Reasons given for a score.
const REASONS: usize = 4;
/// The line of a scorecard that everybody starts from.
const BASE: &str = "(base)";

/// The held-out scores.
pub(super) fn scores(labels: &Labels, outcome: &Outcome, held_out: &[HeldOut]) -> Result<OutcomeScores> {
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
    Ok(OutcomeScores::from_rows(rows)?)
}

/// Their measures.
pub(super) fn measures(measured: &Measured) -> Result<OutcomeMeasures> {
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
    Ok(OutcomeMeasures::from_rows(rows)?)
}

/// Their curves.
pub(super) fn curves(measured: &Measured) -> Result<OutcomeCurves> {
    let rows = measured.curves.iter().map(|point| OutcomeCurveRow {
        set: point.set.clone(),
        learner: point.learner.to_owned(),
        curve: point.curve.to_owned(),
        x: point.x,
        y: point.y,
        low: point.interval.map(|[low, _]| low),
        high: point.interval.map(|[_, high]| high),
    });
    Ok(OutcomeCurves::from_rows(rows)?)
}

/// Differences between sets of features, judged with this margin of non-inferiority.
pub(super) fn comparisons(measured: &Measured, margin: f64) -> Result<OutcomeComparisons> {
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
    Ok(OutcomeComparisons::from_rows(rows)?)
}

/// The largest adverse contributions of every customer.
pub(super) fn reasons(
    customers: &[String],
    scores: &Array1<f64>,
    contributions: &Array2<f64>,
    features: &[String],
) -> Result<OutcomeReasons> {
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
    Ok(OutcomeReasons::from_rows(rows)?)
}

/// Fits a scorecard.
pub(super) fn scorecard(
    x: &Array2<f64>,
    outcome: &Outcome,
    features: &[String],
) -> Result<Vec<ScorecardRow>> {
    let card = Scorecard::params().fit(x, outcome.values())?;
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
    Ok(std::iter::once(base).chain(lines).collect())
}

/// A scorecard for people and spreadsheets.
pub(super) fn scorecard_csv(rows: &[ScorecardRow]) -> String {
    let mut text = String::from("feature,above,up_to,points,customers,rate\n");
    let number = |value: Option<f64>| value.map(|value| format!("{value}")).unwrap_or_default();
    for ScorecardRow { feature, low, high, points, customers, rate } in rows {
        let feature = feature.replace('"', "\"\"");
        let (low, high, rate) = (number(*low), number(*high), number(*rate));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\"{feature}\",{low},{high},{points},{customers},{rate}");
    }
    text
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
