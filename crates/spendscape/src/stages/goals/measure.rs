//! The model beside simple ones, and beside the truth where it is known.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Result, bail};
use arrow::{
    array::AsArray,
    datatypes::{Date32Type, Float32Type, Int32Type, UInt16Type},
};
use ndarray::Array2;
use spendscape_goals::{
    Calendar, Covariates, Estimate, Sequences, Target,
    baselines::Baseline,
    measures::{BesideRivals, ConfusionCell, Measure, Predictions, Predictor, PredictorMeasure, Rivals},
    model::GoalModel,
};
use spendscape_run::{File, LongTable, RunFolder, outputs};
use spendscape_schema::{
    Axis, seed,
    tables::{
        GoalComparisonRow, GoalComparisons, GoalConfusion, GoalConfusionRow, GoalMeasureRow, GoalMeasures,
        GoalTruthColumns,
    },
};

use super::{data::GoalData, verdict::Findings};

/// The model's name in tables.
const MODEL: &str = Predictor::Model.name();
/// Every length of history.
const ALL: &str = "all";
/// The groups that a model is measured on, and what others may learn from.
#[derive(Clone, Copy)]
pub(super) struct HeldOut<'a> {
    pub(super) data: &'a GoalData,
    pub(super) sequences: &'a Sequences,
    pub(super) covariates: &'a Covariates,
    pub(super) train: &'a [Target],
    pub(super) test: &'a [Target],
    pub(super) calendar: &'a Calendar,
    /// The distribution of every group of a synthetic bank's stream.
    pub(super) truth: Option<&'a LongTable>,
}

outputs! {
    /// How well next goals are predicted.
    pub struct MeasureTables {
        /// By every model.
        pub measures: GoalMeasures = table File::GoalMeasures,
        /// By how much better than by other models.
        pub comparisons: GoalComparisons = table File::GoalComparisons,
        /// Goals predicted against goals that came.
        pub confusion: GoalConfusion = table File::GoalConfusion,
    }
}

/// Measures the model and everything it is compared with, with intervals of so many bootstrap samples.
pub(super) fn measure(
    model: &GoalModel,
    held_out: HeldOut<'_>,
    draws: usize,
    seed: u64,
) -> Result<MeasureTables> {
    let HeldOut { sequences, covariates, test, .. } = held_out;
    let found = model.predict(sequences, covariates, test, None)?.goals;
    let own = Predictions::of(sequences, test, found)?;
    let best = truth(&held_out)?;
    let mut rng = seed::stream(seed, "goals intervals", 0);
    let fitting = || seed::stream(seed, "goals baseline", 0);
    let HeldOut { train, calendar, .. } = held_out;
    let rivals = Rivals { sequences, train, test, calendar, best: best.as_ref() };
    let found = own.beside(&rivals, draws, fitting, &mut rng)?;
    let confusion = own.confusion_intervals(draws, &mut rng);
    log(&found);
    tables(&found, &confusion, &held_out.data.labels.goals)
}

/// The distribution of every tested group that the synthetic bank recorded, where the groups are of its stream.
fn truth(held_out: &HeldOut<'_>) -> Result<Option<Predictions>> {
    let HeldOut { data, sequences, test, truth: table, .. } = *held_out;
    let Some(table) = table else { return Ok(None) };
    if table.axes().labels(Axis::Goal)? != data.labels.goals.as_slice() {
        tracing::info!("the stream's truth is about other goals: not compared with");
        return Ok(None);
    }
    let row_of: HashMap<(u32, u32), usize> =
        test.iter().enumerate().map(|(row, target)| ((target.customer, target.position), row)).collect();
    let mut truth = Array2::from_elem((test.len(), data.labels.goals.len()), f64::NAN);
    for batch in table.batches()? {
        let batch = batch?;
        let columns = GoalTruthColumns::of(&batch);
        let (Some(customers), Some(positions), Some(days), Some(probability)) =
            (columns.customer, columns.position, columns.day, columns.probability)
        else {
            bail!("{} is not whole", table.path().display());
        };
        let customers = customers.as_dictionary::<Int32Type>();
        let names = customers.values().as_string::<i32>();
        let of_key: Vec<Option<u32>> = names
            .iter()
            .map(|name| {
                data.customers.binary_search_by(|known| known.as_str().cmp(name.unwrap_or_default())).ok()
            })
            .map(|customer| customer.map(|customer| customer as u32))
            .collect();
        let positions = positions.as_primitive::<UInt16Type>();
        let days = days.as_primitive::<Date32Type>();
        let probability = probability.as_fixed_size_list();
        for (at, key) in customers.keys().values().iter().enumerate() {
            let Some(customer) = of_key[*key as usize] else { continue };
            let position = positions.value(at);
            let Some(row) = row_of.get(&(customer, u32::from(position))) else { continue };
            if sequences.groups(customer as usize).day[position as usize] != days.value(at) {
                tracing::info!("the groups are not those of the stream's truth: not compared with it");
                return Ok(None);
            }
            let values = probability.value(at);
            let values = values.as_primitive::<Float32Type>().values();
            // Single precision, and the sum over days ended below 1e-10.
            let sum: f64 = values.iter().map(|p| f64::from(*p)).sum();
            truth.row_mut(*row).iter_mut().zip(values).for_each(|(to, p)| *to = f64::from(*p) / sum);
        }
    }
    if truth.iter().any(|p| p.is_nan()) {
        tracing::info!("the stream's truth does not have all groups: not compared with it");
        return Ok(None);
    }
    Ok(Some(Predictions::of(sequences, test, truth)?))
}

fn tables(found: &BesideRivals, confusion: &[ConfusionCell], goals: &[String]) -> Result<MeasureTables> {
    let rows = found.measures.iter().map(|row| GoalMeasureRow {
        model: row.predictor.name().to_owned(),
        history: row.history.map_or_else(|| ALL.to_owned(), |bin| bin.to_string()),
        goal: row.measure.goal().map(|goal| goals[goal].clone()),
        measure: row.measure.to_string(),
        groups: row.groups as i64,
        value: row.interval.value,
        low: row.interval.low,
        high: row.interval.high,
    });
    let measures = GoalMeasures::from_rows(rows)?;
    let rows = found.differences.iter().map(|row| GoalComparisonRow {
        reference: row.reference.name().to_owned(),
        measure: row.measure.to_string(),
        difference: row.difference.value,
        low: row.difference.low,
        high: row.difference.high,
        share_of_best: row.share_of_best,
    });
    let comparisons = GoalComparisons::from_rows(rows)?;
    let rows = confusion.iter().map(|cell| GoalConfusionRow {
        goal: goals[cell.truth].clone(),
        predicted: goals[cell.predicted].clone(),
        groups: cell.count as i64,
        share: cell.share.value,
        low: cell.share.low,
        high: cell.share.high,
    });
    Ok(MeasureTables { measures, comparisons, confusion: GoalConfusion::from_rows(rows)? })
}

fn log(found: &BesideRivals) {
    let overall = |row: &&PredictorMeasure| row.history.is_none() && row.measure.goal().is_none();
    for row in found.measures.iter().filter(overall) {
        if [Measure::Accuracy, Measure::LogLoss].contains(&row.measure) {
            let Estimate { value, low, high, .. } = row.interval;
            tracing::info!(
                model = row.predictor.name(),
                "{} {value:.4} ({low:.4} to {high:.4})",
                row.measure
            );
        }
    }
    let majority = Predictor::Baseline(Baseline::Majority);
    for row in &found.differences {
        if let Some(share) = row.share_of_best
            && row.measure == Measure::Accuracy
            && row.reference == majority
        {
            let share = format!("{share:.4}");
            tracing::info!(share, "of the best possible gain in accuracy over the majority");
        }
    }
}

/// Measures that the verdict is about, in the order in which they are told, with whether larger is better.
const JUDGED: [(Measure, bool); 3] =
    [(Measure::Accuracy, true), (Measure::LogLoss, false), (Measure::MacroF1, true)];

/// Overall measures and comparisons by name, and the verdict on the model.
///
/// # Errors
/// If a table is missing or damaged.
pub(super) fn findings(run: &RunFolder) -> Result<Findings> {
    let mut findings = Findings { figures: read_figures(run)?, ..Findings::default() };
    judge(&mut findings);
    Ok(findings)
}

/// Sets the model beside the commonest goal and beside the best of the other simple models, measure by measure.
fn judge(findings: &mut Findings) {
    findings.line(format_args!(
        "The network on groups that nothing was fitted on, beside models that need none:"
    ));
    for (measure, larger_is_better) in JUDGED {
        let value =
            |findings: &Findings, model: &str| findings.figures.get(&format!("{model}.{measure}")).copied();
        let Some(own) = value(findings, MODEL) else { continue };
        let commonest = Baseline::Majority.name();
        let others = Baseline::ALL.iter().map(|baseline| baseline.name()).filter(|name| *name != commonest);
        let sign = if larger_is_better { 1.0 } else { -1.0 };
        let best = others
            .filter_map(|name| Some((name, value(findings, name)?)))
            .max_by(|a, b| (sign * a.1).total_cmp(&(sign * b.1)));
        let mut parts = Vec::new();
        let rivals = [
            (
                "commonest_goal",
                "the commonest goal",
                value(findings, commonest).map(|value| (commonest, value)),
            ),
            ("best_simple_model", "the best simple model, ", best),
        ];
        for (key, words, rival) in rivals {
            let Some((name, theirs)) = rival else { continue };
            let named = if name == commonest { "" } else { name };
            let difference = format!("{MODEL} - {name}.{measure}");
            let Some(difference) =
                findings.interval(&difference, &format!("{difference}.low"), &format!("{difference}.high"))
            else {
                continue;
            };
            let verdict = if larger_is_better { difference } else { difference.reversed() }.verdict();
            let words = format!(
                "{} {words}{named} ({theirs:.3}; difference {})",
                verdict.in_words(),
                difference.show()
            );
            findings.words.insert(format!("{MODEL}.{measure}.beside_{key}"), words.clone());
            parts.push(words);
        }
        findings.line(format_args!("  {measure} {own:.3}: {}", parts.join("; ")));
    }
}

/// Overall measures and comparisons by name.
fn read_figures(run: &RunFolder) -> Result<BTreeMap<String, f64>> {
    let mut figures = BTreeMap::new();
    let measures: GoalMeasures = run.table(File::GoalMeasures)?;
    for row in measures.into_rows().filter(|row| row.goal.is_none()) {
        let history = if row.history == ALL { String::new() } else { format!("history {}.", row.history) };
        let name = format!("{history}{}.{}", row.model, row.measure);
        figures.insert(format!("{name}.low"), row.low);
        figures.insert(format!("{name}.high"), row.high);
        figures.insert(name, row.value);
    }
    let comparisons: GoalComparisons = run.table(File::GoalComparisons)?;
    for row in comparisons.into_rows() {
        let name = format!("{MODEL} - {}.{}", row.reference, row.measure);
        figures.insert(format!("{name}.low"), row.low);
        figures.insert(format!("{name}.high"), row.high);
        if let Some(share) = row.share_of_best {
            figures.insert(format!("{name}.share_of_best"), share);
        }
        figures.insert(name, row.difference);
    }
    if figures.is_empty() {
        bail!("{} has no measures", run.find(File::GoalMeasures).display());
    }
    Ok(figures)
}
