//! Demand: expected events and money per goal, class and period, and how such forecasts came out.

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;
use spendscape_goals::{
    Outlook,
    applications::{
        DemandForecast, DemandScore, Period, Quantity, Series, StockCosts, forecast_demand, score_demand,
    },
};
use spendscape_run::{File, Notes, RunFolder, Stage, outputs};
use spendscape_schema::{
    seed,
    tables::{Demand, DemandRow, DemandScoreRow, DemandScores},
};
use spendscape_stats::bootstrap;

use super::{
    data::GoalData,
    future::{Ahead, Future, FutureInputs, FutureParams, execute_ahead, show_day},
    verdict::{Findings, Verdict},
};
use crate::stages::count;

/// Bootstrap samples of the intervals of costs.
const DRAWS: usize = 400;
/// Futures per customer: demand is a sum over customers, each of whom has others.
const FUTURES: usize = 8;

/// How demand is cut in time.
#[derive(Debug, Clone, Args, Serialize)]
pub struct DemandOptions {
    /// Which model sees which days
    #[command(flatten)]
    #[serde(flatten)]
    pub future: Future,
    /// Length of a period; months need a last day that ends one
    #[arg(long, value_enum, default_value_t = Length::Week)]
    pub period: Length,
    /// Periods ahead
    #[arg(long, default_value_t = 4, value_parser = count(1..=1_000))]
    pub periods: usize,
    /// Past days that forecasts are judged on, and that widen the intervals; as many days before them as there are periods
    /// ahead widen those of the judged ones
    #[arg(long, default_value_t = 6, value_parser = count(0..=1_000))]
    pub past: usize,
    /// Cost of a unit of stock too few
    #[arg(long, default_value_t = 3.0, value_name = "COST")]
    pub cost_under: f64,
    /// Cost of a unit of stock too many
    #[arg(long, default_value_t = 1.0, value_name = "COST")]
    pub cost_over: f64,
}

/// Length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
pub enum Length {
    /// Seven days
    Week,
    /// A calendar month
    Month,
}

impl Length {
    fn period(self) -> Period {
        match self {
            Self::Week => Period::Week,
            Self::Month => Period::Month,
        }
    }
}

outputs! {
    /// Expected demand, and how such forecasts came out.
    pub struct DemandOutputs {
        /// Forecasts.
        pub demand: Demand = table File::Demand,
        /// Scores of past ones.
        pub scores: DemandScores = table File::DemandScores,
    }
}

/// Forecasts demand from the last day known, and scores forecasts from earlier days.
#[derive(Debug)]
pub struct ForecastDemand;

impl Stage for ForecastDemand {
    const NAME: &'static str = "goals demand";
    type Params = FutureParams<DemandOptions>;
    type Inputs = FutureInputs;
    type Outputs = DemandOutputs;

    fn run(params: &Self::Params, inputs: FutureInputs, _: &mut Notes) -> Result<DemandOutputs> {
        let options = &params.options;
        let costs = StockCosts::new(options.cost_under, options.cost_over)?;
        let ahead = options.future.open(inputs, params.futures)?;
        let period = options.period.period();
        let first =
            (0..ahead.sequences.customers()).filter_map(|n| ahead.sequences.groups(n).day.first()).min();
        let wanted = if options.past == 0 { 0 } else { options.past + options.periods };
        let past = period.past(ahead.from, first.copied(), wanted);
        let mut past: Vec<Outlook> = past
            .into_iter()
            .map(|from| outlook(&ahead, period, from, options.periods))
            .collect::<Result<_>>()?;
        if let Some(earliest) = past.last() {
            let fewer = ahead.first_unseen.and_then(|first| fewer(options, ahead.from, first));
            let fewer = fewer.map(|past| format!("`--past {past}` judges on later days only"));
            ahead.warn_if_trained_on(earliest.from(), fewer);
        }
        past.reverse();
        // Where history is short, half of it is left to be judged.
        let unscored = past.len().saturating_sub(options.past).max(past.len().min(options.periods) / 2);
        let now = outlook(&ahead, period, ahead.from, options.periods)?;
        let classes = ahead.data.classes()?;
        let rows = forecast_demand(&now, &past, &ahead.sequences, classes, period)?;
        tracing::info!(rows = rows.len(), from = show_day(ahead.from), "demand");
        let scores = if past.is_empty() {
            tracing::warn!("history is too short to judge forecasts on");
            Vec::new()
        } else {
            score_demand(&past, unscored, &ahead.sequences, classes, period, ahead.from, costs)?
        };
        Ok(DemandOutputs {
            demand: forecasts(&rows, costs, &ahead.data)?,
            scores: scored(&scores, &ahead.data)?,
        })
    }
}

/// Forecasts the demand of a run folder.
///
/// # Errors
/// If the groups or the model are missing or do not fit, if months are to follow a day inside one, or if history is too short.
pub fn demand(run: &RunFolder, options: &DemandOptions, force: bool) -> Result<()> {
    execute_ahead::<ForecastDemand, _>(run, &options.future, options, FUTURES, force)
}

/// Past days that can be judged on without going back behind the first day that the model has not seen, if there are any.
fn fewer(options: &DemandOptions, from: i32, first_unseen: i32) -> Option<usize> {
    let unseen = options.period.period().past_from(from, first_unseen);
    (unseen > options.periods).then(|| unseen - options.periods)
}

fn outlook(ahead: &Ahead, period: Period, from: i32, count: usize) -> Result<Outlook> {
    ahead.outlook(from, &period.horizons(from, count)?)
}

fn series(series: Series, data: &GoalData) -> (&'static str, &str) {
    match series {
        Series::Goal(goal) => ("goal", data.labels.goals[goal].as_str()),
        Series::Class(class) => ("class", data.labels.classes[class].as_str()),
    }
}

fn quantity(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Events => "events",
        Quantity::Amount => "amount",
    }
}

fn forecasts(rows: &[DemandForecast], costs: StockCosts, data: &GoalData) -> Result<Demand> {
    if rows.is_empty() {
        bail!("nothing to forecast: no goal and no class was ever bought");
    }
    let row = |row: &DemandForecast| {
        let (of, name) = series(row.series, data);
        DemandRow {
            of: of.to_owned(),
            name: name.to_owned(),
            quantity: quantity(row.quantity).to_owned(),
            step: row.step as u16,
            start: row.first,
            end: row.last + 1,
            expected: row.expected,
            low: row.low,
            high: row.high,
            naive: row.naive,
            seasonal: row.seasonal,
            dispersion: row.dispersion,
            past: row.past as i64,
            order: costs.order(row),
        }
    };
    Ok(Demand::from_rows(rows.iter().map(row))?)
}

fn scored(rows: &[DemandScore], data: &GoalData) -> Result<DemandScores> {
    let row = |row: &DemandScore| DemandScoreRow {
        of: if row.of_classes { "class" } else { "goal" }.to_owned(),
        name: row.series.map(|of| series(of, data).1.to_owned()),
        quantity: quantity(row.quantity).to_owned(),
        forecasts: row.forecasts as i64,
        seasonal: row.seasonal,
        mae: row.mae,
        naive_mae: row.naive_mae,
        relative_mae: row.relative_mae,
        mase: row.mase,
        coverage: row.coverage,
        stock_cost: row.stock_cost,
        naive_stock_cost: row.naive_stock_cost,
        expected_stock_cost: row.expected_stock_cost,
    };
    Ok(DemandScores::from_rows(rows.iter().map(row))?)
}

/// How past forecasts of all goals and of all classes came out, and what their errors are relative to.
///
/// # Errors
/// If the table is missing or damaged.
pub(super) fn findings(run: &RunFolder) -> Result<Findings> {
    let stored = run.read(File::DemandScores)?;
    let period = match stored.provenance.parameters.get("period").and_then(|period| period.as_str()) {
        Some("Month") => "month",
        _ => "week",
    };
    let mut findings = Findings::default();
    let rows: Vec<DemandScoreRow> = stored.table::<DemandScores>()?.into_rows().collect();
    for row in rows.iter().filter(|row| row.name.is_none()) {
        let name = |what: &str| format!("{}.{}.{what}", row.of, row.quantity);
        let score = Score { relative: row.relative_mae, seasonal: row.seasonal, coverage: row.coverage };
        let (reference, verdict) = score.in_words(period);
        findings.figures.insert(name("coverage"), row.coverage);
        findings.figures.extend(row.relative_mae.map(|relative| (name("relative_mae"), relative)));
        let each = if row.of == "class" { "classes" } else { "goals" };
        findings.line(format_args!("{each}, {}: past forecasts were {verdict}", row.quantity));
        findings.words.insert(name("verdict"), verdict);
        findings.words.insert(name("reference"), reference);
        stock(&mut findings, row, &rows);
    }
    if findings.text.is_empty() {
        findings.line(format_args!("No past forecast was judged: the history is too short"));
    }
    Ok(findings)
}

/// What a stock by the costs of too few and too many cost beside last season's quantity, of all goals or classes: the ratio with
/// its 95 % interval over them (several periods of one are not independent), and that of a stock of what is expected.
fn stock(findings: &mut Findings, all: &DemandScoreRow, rows: &[DemandScoreRow]) {
    let each: Vec<[f64; 3]> = rows
        .iter()
        .filter(|row| row.name.is_some() && (&row.of, &row.quantity) == (&all.of, &all.quantity))
        .map(|row| {
            [row.stock_cost, row.naive_stock_cost, row.expected_stock_cost]
                .map(|cost| cost * row.forecasts as f64)
        })
        .collect();
    let mut rng = seed::stream(0, "goals stock intervals", 0);
    let found = bootstrap(each.len(), DRAWS, &mut rng, |weights| {
        let sum = |at: usize| -> f64 {
            each.iter().zip(weights).map(|(costs, weight)| f64::from(*weight) * costs[at]).sum()
        };
        vec![sum(0) / sum(1), sum(2) / sum(1)]
    });
    let [ordered, expected] = found[..] else { return };
    // Where last season's quantity costs nothing, in the whole or in too many samples, there is no ratio or no interval.
    if ![ordered.value, ordered.low, ordered.high].iter().all(|ratio| ratio.is_finite()) {
        return;
    }
    let name = |what: &str| format!("{}.{}.stock_{what}", all.of, all.quantity);
    findings.figures.insert(name("cost"), ordered.value);
    findings.figures.insert(name("cost.low"), ordered.low);
    findings.figures.insert(name("cost.high"), ordered.high);
    findings.figures.insert(name("cost_of_expected"), expected.value);
    findings.line(format_args!(
        "  a stock by the costs of too few and too many costs {:.3} ({:.3} to {:.3}) times what last season's quantity does",
        ordered.value, ordered.low, ordered.high
    ));
}

/// How the forecasts of all goals, or of all classes, came out.
struct Score {
    relative: Option<f64>,
    seasonal: f64,
    coverage: f64,
}

impl Score {
    /// What errors are relative to, and how the forecasts did beside it.
    fn in_words(&self, period: &str) -> (String, String) {
        let reference = format!(
            "the naive forecast (for {:.0} % of the forecasts what the same {period} was a season ago, else what the last {period} \
             known was)",
            100.0 * self.seasonal
        );
        let held = format!("their 95 % intervals held {:.1} % of what came", 100.0 * self.coverage);
        let verdict = match self.relative {
            None => format!("not comparable with {reference}, which made no error; {held}"),
            Some(relative) => {
                let verdict = if relative < 1.0 { Verdict::Better } else { Verdict::Worse };
                let verdict = if relative == 1.0 { Verdict::NoBetter } else { verdict };
                format!(
                    "{} {reference}: their mean absolute error is {relative:.3} times its; {held}",
                    verdict.in_words()
                )
            }
        };
        (reference, verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_of_a_relative_error_is_named() {
        let words = |relative| Score { relative, seasonal: 0.25, coverage: 0.9 }.in_words("week").1;
        let worse = words(Some(3.983));
        assert!(
            worse.starts_with(
                "WORSE than the naive forecast (for 25 % of the forecasts what the same week was a season ago"
            ) && worse.contains("3.983 times its")
                && worse.contains("90.0 %"),
            "{worse}"
        );
        assert!(words(Some(0.8)).starts_with("better than the naive forecast"));
        assert!(words(None).starts_with("not comparable"));
    }

    #[test]
    fn fewer_past_days_are_offered_where_there_are_any() {
        let options = |period, periods, past| DemandOptions {
            future: Future { model: None, as_of: None, futures: None, seed: 1 },
            period,
            periods,
            past,
            cost_under: 3.0,
            cost_over: 1.0,
        };
        // Ten whole weeks were not seen, of which four are kept for the intervals.
        assert_eq!(fewer(&options(Length::Week, 4, 6), 1_000, 1_000 - 70), Some(6));
        assert_eq!(fewer(&options(Length::Week, 4, 6), 1_000, 1_000 - 68), Some(5));
        assert_eq!(fewer(&options(Length::Week, 4, 6), 1_000, 1_000 - 28), None);
    }
}
