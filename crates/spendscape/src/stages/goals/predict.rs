//! Prediction: what comes next for every customer, when, and why.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use jiff::civil::Date;
use serde::Serialize;
use spendscape_goals::{
    Target,
    model::{Explained, Reason},
};
use spendscape_run::{File, Notes, RunFolder, Sources, Stage, WithAxes, execute, outputs};
use spendscape_schema::{
    Axes, Axis, Table, day,
    tables::{GoalPredictions, GoalReasonRow, GoalReasons},
};
use spendscape_store::TableReader;

use super::{
    as_day,
    data::GoalData,
    future::{FutureInputs, show_day},
    groups::UNMAPPED_GOAL,
    model::MODEL,
    verdict::Findings,
};
use crate::stages::count;

/// Probabilities by which the next group has come: the early, the median and the late day.
const QUANTILES: [f64; 3] = [0.1, 0.5, 0.9];

/// From what is predicted.
#[derive(Debug, Clone, Args, Serialize)]
pub struct PredictOptions {
    /// Run folder of the model, if it is not this one
    #[arg(long, value_name = "DIR")]
    #[serde(skip)]
    pub model: Option<PathBuf>,
    /// Last day that is known (YYYY-MM-DD); by default the last one that counts in the groups
    #[arg(long, value_name = "DAY")]
    #[serde(serialize_with = "as_day")]
    pub as_of: Option<Date>,
    /// Past groups of each customer that reasons are sought among
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = count(0..=10_000))]
    pub reasons: usize,
}

outputs! {
    /// What comes next for every customer, and why.
    pub struct PredictOutputs {
        /// The next group.
        pub predictions: WithAxes<GoalPredictions> = table File::GoalPredictions,
        /// Past groups by their effect on it.
        pub reasons: GoalReasons = table File::GoalReasons,
    }
}

/// Predicts the next group of every customer.
#[derive(Debug)]
pub struct Predict;

impl Stage for Predict {
    const NAME: &'static str = "goals predict";
    type Params = PredictOptions;
    type Inputs = FutureInputs;
    type Outputs = PredictOutputs;

    fn run(options: &PredictOptions, inputs: FutureInputs, _: &mut Notes) -> Result<PredictOutputs> {
        let FutureInputs { data, model } = inputs;
        let trained = model.of(&data)?;
        let from = options.as_of.map_or(data.last_day, day::number);
        if from > data.last_day {
            bail!("--as-of: the groups are known up to {} only", show_day(data.last_day));
        }
        let mut found = Found::default();
        for (block, customers) in data.block_customers().iter().enumerate() {
            let sequences = data.load(block)?;
            let covariates = data.covariates(customers.clone())?;
            let targets: Vec<Target> = (0..sequences.customers())
                .map(|n| {
                    let history = sequences.groups(n).day.partition_point(|day| *day <= from);
                    Target { customer: n as u32, position: history as u32 }
                })
                .collect();
            let model = &trained.model;
            let (next, why) =
                model.predict_with_reasons(&sequences, &covariates, &targets, Some(from), options.reasons)?;
            for (row, target) in targets.iter().enumerate() {
                let n = target.customer as usize;
                let groups = sequences.groups(n);
                let last = (target.position as usize).checked_sub(1).map(|at| groups.day[at]);
                found.rows.push(Row {
                    customer: customers.start + n,
                    history: target.position,
                    last,
                    days: last.map_or([None; 3], |last| next.days_by(row, last, QUANTILES)),
                    explained: why.explained[row],
                });
            }
            found.probabilities.extend(next.goals.iter());
            for reason in why.reasons {
                let n = targets[reason.target].customer as usize;
                let groups = sequences.groups(n);
                let at = reason.position as usize;
                found.reasons.push((customers.start + n, groups.day[at], groups.goal[at] as usize, reason));
            }
        }
        found.log();
        found.tables(&data)
    }
}

/// Predicts the next group of every customer of a run folder.
///
/// # Errors
/// If the groups or the model are missing or do not fit.
pub fn predict(run: &RunFolder, options: &PredictOptions, force: bool) -> Result<()> {
    let other = options.model.as_deref().map(RunFolder::open_to_read).transpose()?;
    let mut sources = Sources::new(run);
    if let Some(other) = &other {
        sources = sources.folder(MODEL, other);
    }
    execute::<Predict>(&sources, options, force)
}

struct Row {
    customer: usize,
    history: u32,
    last: Option<i32>,
    days: [Option<i32>; 3],
    explained: Explained,
}

#[derive(Default)]
struct Found {
    rows: Vec<Row>,
    /// Rows x G.
    probabilities: Vec<f64>,
    /// Customer, day and goal of the past group.
    reasons: Vec<(usize, i32, usize, Reason)>,
}

impl Found {
    fn log(&self) {
        let count = |is: fn(u32) -> bool| self.rows.iter().filter(|row| is(row.history)).count();
        tracing::info!(
            customers = self.rows.len(),
            without_history = count(|history| history == 0),
            with_one_group = count(|history| history == 1),
            "predicted"
        );
    }

    fn tables(mut self, data: &GoalData) -> Result<PredictOutputs> {
        let goals = &data.labels.goals;
        let customer = |at: usize| data.customers[at].clone();
        let rows = &self.rows;
        let probabilities = ndarray::Array2::from_shape_vec(
            (rows.len(), goals.len()),
            std::mem::take(&mut self.probabilities),
        )?;
        let predictions = GoalPredictions {
            customer: rows.iter().map(|row| customer(row.customer)).collect(),
            history: rows.iter().map(|row| i64::from(row.history)).collect(),
            last_day: rows.iter().map(|row| row.last).collect(),
            goal: rows.iter().map(|row| goals[row.explained.goal].clone()).collect(),
            probability: rows.iter().map(|row| row.explained.probability).collect(),
            probabilities,
            median_day: rows.iter().map(|row| row.days[1]).collect(),
            early_day: rows.iter().map(|row| row.days[0]).collect(),
            late_day: rows.iter().map(|row| row.days[2]).collect(),
            joint_effect: rows.iter().map(|row| row.explained.joint).collect(),
            sum_of_effects: rows.iter().map(|row| row.explained.sum).collect(),
        };
        let axes = Axes::new().with(Axis::Goal, goals.iter().cloned());
        let predictions = WithAxes { axes, table: predictions };
        // By customer and size of the effect.
        self.reasons.sort_by(|a, b| {
            let size = |row: &(usize, i32, usize, Reason)| row.3.effect.abs();
            a.0.cmp(&b.0).then(size(b).total_cmp(&size(a))).then(b.3.position.cmp(&a.3.position))
        });
        let mut ranks = Vec::with_capacity(self.reasons.len());
        for of_customer in self.reasons.chunk_by(|a, b| a.0 == b.0) {
            ranks.extend((1..=of_customer.len()).map(|rank| rank as u16));
        }
        let rows = self.reasons.iter().zip(ranks).map(|((owner, day, goal, reason), rank)| GoalReasonRow {
            customer: customer(*owner),
            rank,
            position: i64::from(reason.position),
            day: *day,
            goal: goals[*goal].clone(),
            effect: reason.effect,
        });
        Ok(PredictOutputs { predictions, reasons: GoalReasons::from_rows(rows)? })
    }
}

/// Share of the customers with the same most probable goal from which on predictions tell them hardly apart.
const DOMINATES: f64 = 0.5;

/// How many customers have which most probable goal, and whether one of them says it all.
///
/// # Errors
/// If the table is missing or damaged.
pub(super) fn findings(run: &RunFolder) -> Result<Findings> {
    let GoalPredictions { goal: goals, .. } = run.table(File::GoalPredictions)?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for goal in &goals {
        *counts.entry(goal).or_default() += 1;
    }
    let mut findings = Findings::default();
    for (goal, count) in &counts {
        findings.figures.insert(format!("first_goal.{goal}"), *count as f64 / goals.len().max(1) as f64);
    }
    if let Some(words) = dominant(&counts, goals.len(), catch_all(run)?.as_deref()) {
        findings.line(format_args!("{words}"));
        findings.words.insert("verdict".to_owned(), words);
    }
    Ok(findings)
}

/// The goal that the map gives to all classes it does not name.
fn catch_all(run: &RunFolder) -> Result<Option<String>> {
    let reader = TableReader::open(&run.find(File::GoalGroups), Table::GoalGroups)?;
    let goal = reader.provenance().parameters.get(UNMAPPED_GOAL);
    Ok(goal.and_then(serde_json::Value::as_str).map(str::to_owned))
}

/// What there is to say where most customers have the same most probable goal.
fn dominant(counts: &BTreeMap<&str, usize>, customers: usize, catch_all: Option<&str>) -> Option<String> {
    let (goal, count) = counts.iter().max_by_key(|(_, count)| **count)?;
    let share = *count as f64 / customers as f64;
    if share < DOMINATES {
        return None;
    }
    let advice = if catch_all == Some(*goal) {
        format!(
            "`{goal}` takes every class that the goal map does not name: name more of them under [goals], or predictions say \
             little"
        )
    } else {
        "predictions tell customers hardly apart: look at the other goals' probabilities".to_owned()
    };
    Some(format!(
        "The most probable next goal is `{goal}` for {count} of {customers} customers ({:.0} %): {advice}",
        100.0 * share
    ))
}

/// The prediction of one customer.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerPrediction {
    /// Customer id.
    pub customer: String,
    /// Groups that it is from.
    pub history: i64,
    /// Day of the last of them.
    pub last_day: Option<String>,
    /// Goals by falling probability.
    pub goals: Vec<(String, f64)>,
    /// Days by which the next group comes with probability .1, .5 and .9.
    pub days: [Option<String>; 3],
    /// Past groups by the size of their effect on the probability of the first goal: day, goal, effect.
    pub reasons: Vec<(String, String, f64)>,
    /// The effect of all of them together.
    pub joint_effect: f64,
    /// The sum of their single effects.
    pub sum_of_effects: f64,
    /// What has to be known of the predictions of all customers, if anything.
    pub remark: Option<String>,
}

/// Reads the prediction of one customer.
///
/// # Errors
/// If there is no such customer or the tables are missing or damaged.
pub fn customer(run: &RunFolder, id: &str) -> Result<CustomerPrediction> {
    let stored = run.read(File::GoalPredictions)?;
    let table: GoalPredictions = stored.table()?;
    let Some(at) = table.customer.iter().position(|name| name == id) else {
        bail!("--customer {id}: {} has no such customer", run.find(File::GoalPredictions).display());
    };
    let labels = stored.axes.labels(Axis::Goal)?;
    let mut goals: Vec<(String, f64)> =
        labels.iter().cloned().zip(table.probabilities.row(at).iter().copied()).collect();
    goals.sort_by(|a, b| b.1.total_cmp(&a.1));
    let day = |days: &[Option<i32>]| days[at].map(show_day);
    let reasons: GoalReasons = run.table(File::GoalReasons)?;
    let own = reasons.into_rows().filter(|row| row.customer == id);
    Ok(CustomerPrediction {
        customer: id.to_owned(),
        history: table.history[at],
        last_day: day(&table.last_day),
        goals,
        days: [&table.early_day, &table.median_day, &table.late_day].map(|days| day(days)),
        reasons: own.map(|row| (show_day(row.day), row.goal, row.effect)).collect(),
        joint_effect: table.joint_effect[at],
        sum_of_effects: table.sum_of_effects[at],
        remark: findings(run)?.words.remove("verdict"),
    })
}

impl CustomerPrediction {
    /// The prediction for a person.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = match &self.last_day {
            Some(day) => format!("{}: {} groups known, the last of {day}\n\n", self.customer, self.history),
            None => format!(
                "{}: no group known; this is what a first group is, whenever it comes\n\n",
                self.customer
            ),
        };
        let mut line = |words: std::fmt::Arguments<'_>| {
            // Writing to a string cannot fail.
            let _ = text.write_fmt(format_args!("{words}\n"));
        };
        line(format_args!("Next goal            probability"));
        for (goal, probability) in self.goals.iter().take(5) {
            line(format_args!("{goal:<20} {probability:>11.3}"));
        }
        let show = |day: &Option<String>| {
            day.clone().unwrap_or_else(|| "beyond the longest gap told apart".to_owned())
        };
        if self.last_day.is_some() {
            line(format_args!(
                "\nIt comes by {} with probability .1, by {} with .5, by {} with .9.",
                show(&self.days[0]),
                show(&self.days[1]),
                show(&self.days[2])
            ));
            line(format_args!("\nWithout this past group, the first goal's probability would change by"));
            for (day, goal, effect) in &self.reasons {
                line(format_args!("{day} {goal:<20} {:>+.4}", -effect));
            }
            line(format_args!(
                "All of them together: {:+.4}; one by one they add up to {:+.4}, the rest is their interaction.",
                -self.joint_effect, -self.sum_of_effects
            ));
        }
        if let Some(remark) = &self.remark {
            line(format_args!("\n{remark}."));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_that_says_it_all_is_told() {
        let counts = |other| BTreeMap::from([("other", other), ("gifts", 10)]);
        let words = dominant(&counts(90), 100, Some("other")).unwrap();
        assert!(
            words.contains("`other` for 90 of 100 customers (90 %)") && words.contains("[goals]"),
            "{words}"
        );
        assert!(dominant(&counts(90), 100, None).unwrap().contains("hardly apart"));
        assert_eq!(dominant(&BTreeMap::from([("a", 4), ("b", 3), ("c", 3)]), 10, Some("a")), None);
        assert_eq!(dominant(&BTreeMap::new(), 0, None), None);
    }
}
