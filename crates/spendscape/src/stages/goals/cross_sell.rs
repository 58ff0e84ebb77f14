//! Cross- and up-selling: what goes with what, and what follows what.

use anyhow::{Context, Result};
use clap::Args;
use jiff::civil::Date;
use serde::Serialize;
use spendscape_goals::applications::{CrossSellRequest, Items, Rule, cross_sell as pairs};
use spendscape_run::{File, Notes, RunFolder, Stage, outputs};
use spendscape_schema::{
    day,
    tables::{CrossSelling, CrossSellingRow},
};

use super::{as_day, data::GoalData, verdict::Findings};
use crate::stages::count;

/// Every rule with its name.
const RULES: [(Rule, &str); 4] = [
    (Rule::Together, "together"),
    (Rule::Follows, "follows"),
    (Rule::FollowsNew, "follows_new"),
    (Rule::SpendsMore, "spends_more"),
];

/// How pairs are looked for.
#[derive(Debug, Clone, Args, Serialize)]
pub struct CrossSellOptions {
    /// Pairs of classes or of goals
    #[arg(long, value_enum, default_value_t = Kind::Classes)]
    pub items: Kind,
    /// Days of a period
    #[arg(long, default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub window: u32,
    /// Periods looked at, counted back from the last day
    #[arg(long, default_value_t = 12, value_parser = count(1..=1_000))]
    pub periods: usize,
    /// Last day that is known (YYYY-MM-DD); by default the last one that counts in the groups
    #[arg(long, value_name = "DAY")]
    #[serde(serialize_with = "as_day")]
    pub as_of: Option<Date>,
    /// Pairs whose adjusted p-value is at most this are called discoveries in the log; the table has all
    #[arg(long, default_value_t = 0.05)]
    pub false_discoveries: f64,
}

/// What pairs are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
pub enum Kind {
    /// Classes inside groups
    Classes,
    /// Goals of groups
    Goals,
}

outputs! {
    /// What goes with what.
    pub struct CrossSellOutputs {
        /// All pairs under all rules.
        pub pairs: CrossSelling = table File::CrossSelling,
    }
}

/// Tests all pairs under all rules.
#[derive(Debug)]
pub struct CrossSell;

impl Stage for CrossSell {
    const NAME: &'static str = "goals cross-sell";
    type Params = CrossSellOptions;
    type Inputs = GoalData;
    type Outputs = CrossSellOutputs;

    fn run(options: &CrossSellOptions, data: GoalData, _: &mut Notes) -> Result<CrossSellOutputs> {
        let sequences = data.all()?;
        let until = options.as_of.map_or(data.last_day, day::number);
        let (items, name, names) = match options.items {
            Kind::Classes => (Items::Classes, "classes", &data.labels.classes),
            Kind::Goals => (Items::Goals, "goals", &data.labels.goals),
        };
        let mut rows = Vec::new();
        for (rule, rule_name) in RULES {
            let request = CrossSellRequest { items, rule, window: options.window, periods: options.periods };
            let found = pairs(&sequences, data.classes()?, until, &request)?;
            let sure =
                found.iter().filter(|pair| pair.q_value <= options.false_discoveries && pair.lift > 1.0);
            tracing::info!(rule = rule_name, tested = found.len(), discoveries = sure.count(), "pairs");
            rows.extend(found.into_iter().map(|pair| CrossSellingRow {
                items: name.to_owned(),
                rule: rule_name.to_owned(),
                window_days: options.window as u16,
                first: names[pair.first].clone(),
                second: names[pair.second].clone(),
                customers: pair.customers as i64,
                observed: pair.observed,
                expected: pair.expected,
                support: pair.support,
                confidence: pair.confidence,
                lift: pair.lift,
                lift_low: pair.lift_low,
                lift_high: pair.lift_high,
                p_value: pair.p_value,
                q_value: pair.q_value,
            }));
        }
        Ok(CrossSellOutputs { pairs: CrossSelling::from_rows(rows)? })
    }
}

/// How many pairs were tested under each rule, how many of them are surely more than chance, and the largest
/// lower end of a lift.
///
/// # Errors
/// If the table is missing or damaged.
pub(super) fn findings(run: &RunFolder) -> Result<Findings> {
    let stored = run.read(File::CrossSelling)?;
    let level = stored.provenance.parameters.get("false_discoveries").and_then(serde_json::Value::as_f64);
    let level = level.context("the table does not say which pairs are discoveries")?;
    let rows: Vec<CrossSellingRow> = stored.table::<CrossSelling>()?.into_rows().collect();
    let mut findings = Findings::default();
    for (_, rule) in RULES {
        let tested: Vec<&CrossSellingRow> = rows.iter().filter(|row| row.rule == rule).collect();
        // A lift of which the interval holds 1 is of no use, however sure it is that there is one.
        let sure = tested.iter().filter(|row| row.q_value <= level && row.lift_low > 1.0).count();
        let lift = tested.iter().map(|row| row.lift_low).fold(f64::NAN, f64::max);
        findings.figures.insert(format!("{rule}.tested"), tested.len() as f64);
        findings.figures.insert(format!("{rule}.discoveries"), sure as f64);
        if lift.is_finite() {
            findings.figures.insert(format!("{rule}.lift_low"), lift);
        }
        findings.line(format_args!("{rule}: {sure} of {} pairs are more than chance", tested.len()));
    }
    Ok(findings)
}
