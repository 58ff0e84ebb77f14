//! What the stage writes and what other programs read of it.

use std::fmt::Write as _;

use anyhow::Result;
use ndarray::{Array1, Array2};
use spendscape_outcomes::{HeldOut, Outcome, Scorecard, ScorecardParams, adverse_reasons};
use spendscape_schema::{Axes, arrays};

use super::{
    labels::Labels,
    measure::{EVERYBODY, Measured},
};
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
) -> Result<()> {
    stage.note("task", outcome.task().name());
    let n = labels.customers.len();
    let means: Vec<Array1<f64>> = held_out.iter().map(HeldOut::mean).collect();
    let rows: Vec<(usize, usize)> = (0..held_out.len())
        .flat_map(|k| (0..n).map(move |row| (k, row)))
        .filter(|(k, row)| means[*k][*row].is_finite())
        .collect();
    let columns = vec![
        arrays::category(rows.iter().map(|(k, _)| held_out[*k].set.as_str())),
        arrays::category(rows.iter().map(|(k, _)| held_out[*k].learner.name())),
        arrays::text(rows.iter().map(|(_, row)| labels.customers[*row].as_str())),
        arrays::float(rows.iter().map(|(_, row)| outcome.values()[*row])),
        arrays::float(rows.iter().map(|(k, row)| means[*k][*row])),
    ];
    stage.write(File::OutcomeScores, &Axes::new(), columns)?;

    let rows = &measured.rows;
    let columns = vec![
        arrays::category(rows.iter().map(|row| row.set.as_str())),
        arrays::category(rows.iter().map(|row| row.learner)),
        arrays::category(rows.iter().map(|row| row.group.as_str())),
        arrays::category(rows.iter().map(|row| row.measure)),
        arrays::integer(rows.iter().map(|row| row.customers as i64)),
        arrays::float(rows.iter().map(|row| row.value)),
        arrays::optional_float(rows.iter().map(|row| row.low)),
        arrays::optional_float(rows.iter().map(|row| row.high)),
    ];
    stage.write(File::OutcomeMeasures, &Axes::new(), columns)?;

    let points = &measured.curves;
    let columns = vec![
        arrays::category(points.iter().map(|point| point.set.as_str())),
        arrays::category(points.iter().map(|point| point.learner)),
        arrays::category(points.iter().map(|point| point.curve)),
        arrays::float(points.iter().map(|point| point.x)),
        arrays::float(points.iter().map(|point| point.y)),
        arrays::optional_float(points.iter().map(|point| point.interval.map(|[low, _]| low))),
        arrays::optional_float(points.iter().map(|point| point.interval.map(|[_, high]| high))),
    ];
    stage.write(File::OutcomeCurves, &Axes::new(), columns)?;

    let rows = &measured.comparisons;
    let columns = vec![
        arrays::category(rows.iter().map(|row| row.set.as_str())),
        arrays::category(rows.iter().map(|row| row.learner)),
        arrays::category(rows.iter().map(|row| row.reference.as_str())),
        arrays::category(rows.iter().map(|row| row.reference_learner)),
        arrays::flag(rows.iter().map(|row| row.decides)),
        arrays::float(rows.iter().map(|row| row.found.difference)),
        arrays::float(rows.iter().map(|row| row.found.low)),
        arrays::float(rows.iter().map(|row| row.found.high)),
        arrays::float(rows.iter().map(|row| row.found.p_value)),
        arrays::float(rows.iter().map(|row| row.margin)),
        arrays::category(rows.iter().map(|row| row.verdict.name())),
    ];
    stage.write(File::OutcomeComparisons, &Axes::new(), columns)
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
            rows.push((customer, rank as u16 + 1, reason));
        }
    }
    let columns = vec![
        arrays::text(rows.iter().map(|(customer, ..)| customers[*customer].as_str())),
        arrays::float(rows.iter().map(|(customer, ..)| scores[*customer])),
        arrays::index(rows.iter().map(|(_, rank, _)| *rank)),
        arrays::category(rows.iter().map(|(.., reason)| features[reason.feature].as_str())),
        arrays::float(rows.iter().map(|(.., reason)| reason.contribution)),
    ];
    stage.write(File::OutcomeReasons, &Axes::new(), columns)
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
    let mut rows = vec![(BASE, None, None, card.base(), n, Some(overall))];
    for line in card.attributes() {
        let finite = |edge: f64| edge.is_finite().then_some(edge);
        rows.push((
            features[line.feature].as_str(),
            finite(line.low),
            finite(line.high),
            line.points,
            line.customers as i64,
            line.rate.is_finite().then_some(line.rate),
        ));
    }
    let columns = vec![
        arrays::text(rows.iter().map(|row| row.0)),
        arrays::optional_float(rows.iter().map(|row| row.1)),
        arrays::optional_float(rows.iter().map(|row| row.2)),
        arrays::integer(rows.iter().map(|row| row.3)),
        arrays::integer(rows.iter().map(|row| row.4)),
        arrays::optional_float(rows.iter().map(|row| row.5)),
    ];
    stage.write(File::Scorecard, &Axes::new(), columns)?;
    let mut text = String::from("feature,above,up_to,points,customers,rate\n");
    let number = |value: Option<f64>| value.map(|value| format!("{value}")).unwrap_or_default();
    for (feature, low, high, points, customers, rate) in rows {
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
    let rows = run.read(File::OutcomeMeasures)?.rows;
    let (sets, learners, groups) = (rows.text("set")?, rows.text("learner")?, rows.text("group")?);
    let (measures, values) = (rows.text("measure")?, rows.float("value")?);
    let (lows, highs) = (rows.optional_float("low")?, rows.optional_float("high")?);
    let customers = rows.integer("customers")?;
    for row in 0..values.len() {
        let start =
            if groups[row] == EVERYBODY { "measure".to_owned() } else { format!("group.{}", groups[row]) };
        let name = format!("{start}.{}.{}.{}", sets[row], learners[row], measures[row]);
        figures.push((name.clone(), values[row]));
        figures.extend(lows[row].map(|low| (format!("{name}.low"), low)));
        figures.extend(highs[row].map(|high| (format!("{name}.high"), high)));
        if groups[row] == EVERYBODY && row == 0 {
            figures.push(("customers".to_owned(), customers[row] as f64));
        }
    }
    let rows = run.read(File::OutcomeComparisons)?.rows;
    let (sets, references, decides) = (rows.text("set")?, rows.text("reference")?, rows.flag("decides")?);
    for column in ["difference", "low", "high", "p_value"] {
        let values = rows.float(column)?;
        for row in (0..values.len()).filter(|row| decides[*row]) {
            figures.push((format!("comparison.{}.{}.{column}", sets[row], references[row]), values[row]));
        }
    }
    Ok(figures)
}
