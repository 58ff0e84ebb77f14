//! Demand: expected events and money per goal, class and period, and how such forecasts came out.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use clap::Args;
use spendscape_goals::{
    DemandForecast, DemandScore, Outlook, Period, Quantity, Series, forecast_demand, score_demand,
};
use spendscape_schema::{Axes, arrays};

use super::{
    data::GoalData,
    future::{Ahead, Future, show_day},
};
use crate::run_folder::{File, RunFolder, Stage};

/// Futures per customer: demand is a sum over customers, each of whom has others.
const FUTURES: usize = 8;

/// How demand is cut in time.
#[derive(Debug, Clone, Args)]
pub struct DemandOptions {
    /// Which model sees which days
    #[command(flatten)]
    pub future: Future,
    /// Length of a period; months need a last day that ends one
    #[arg(long, value_enum, default_value_t = Length::Week)]
    pub period: Length,
    /// Periods ahead
    #[arg(long, default_value_t = 4)]
    pub periods: usize,
    /// Past days that forecasts are judged on, and that widen the intervals; as many days before them as there are periods
    /// ahead widen those of the judged ones
    #[arg(long, default_value_t = 6)]
    pub past: usize,
}

/// Length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
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

/// Forecasts demand from the last day known, and scores forecasts from earlier days.
///
/// # Errors
/// If the groups or the model are missing or do not fit, if months are to follow a day inside one, or if history is too short.
pub fn demand(run: &RunFolder, options: &DemandOptions, force: bool) -> Result<()> {
    let provenance = options
        .future
        .provenance(run, "goals demand", FUTURES)?
        .parameter("period", format!("{:?}", options.period))
        .parameter("periods", options.periods)
        .parameter("past", options.past);
    let Some(mut stage) = options.future.stage(run, "goals demand", provenance, force)? else {
        return Ok(());
    };
    let ahead = options.future.open(run, FUTURES)?;
    let period = options.period.period();
    // Earlier last days, one period apart.
    let mut past = Vec::new();
    let mut from = ahead.from;
    let first = (0..ahead.sequences.customers()).filter_map(|n| ahead.sequences.groups(n).day.first()).min();
    let wanted = if options.past == 0 { 0 } else { options.past + options.periods };
    for _ in 0..wanted {
        from = previous(options.period, from);
        if first.is_none_or(|first| previous(options.period, from) < *first) {
            break;
        }
        past.push(outlook(&ahead, period, from, options.periods)?);
    }
    if let Some(earliest) = past.last() {
        ahead.warn_if_trained_on(earliest.from());
    }
    past.reverse();
    // Where history is short, half of it is left to be judged.
    let unscored = past.len().saturating_sub(options.past).max(past.len().min(options.periods) / 2);
    let now = outlook(&ahead, period, ahead.from, options.periods)?;
    let classes = ahead.data.classes()?;
    let rows = forecast_demand(&now, &past, &ahead.sequences, classes, period)?;
    tracing::info!(rows = rows.len(), from = show_day(ahead.from), "demand");
    write(&mut stage, &rows, &ahead.data)?;
    let scores = if past.is_empty() {
        tracing::warn!("history is too short to judge forecasts on");
        Vec::new()
    } else {
        score_demand(&past, unscored, &ahead.sequences, classes, (period, ahead.from))?
    };
    write_scores(&mut stage, &scores, &ahead.data)?;
    stage.finish()
}

fn outlook(ahead: &Ahead, period: Period, from: i32, count: usize) -> Result<Outlook> {
    ahead.outlook(from, &period.horizons(from, count)?)
}

/// The last day of the period before the one that ends with `day`.
fn previous(period: Length, day: i32) -> i32 {
    match period {
        Length::Week => day - 7,
        Length::Month => {
            let date = jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(i64::from(day)));
            super::day_number(date.first_of_month()) - 1
        }
    }
}

fn series(series: Series, data: &GoalData) -> (&'static str, &str) {
    match series {
        Series::Goal(goal) => ("goal", data.labels.goals[goal].as_str()),
        Series::Class(class) => ("class", data.classes[class].as_str()),
    }
}

fn quantity(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Events => "events",
        Quantity::Amount => "amount",
    }
}

fn write(stage: &mut Stage<'_>, rows: &[DemandForecast], data: &GoalData) -> Result<()> {
    if rows.is_empty() {
        bail!("nothing to forecast: no goal and no class was ever bought");
    }
    let columns = vec![
        arrays::category(rows.iter().map(|row| series(row.series, data).0)),
        arrays::category(rows.iter().map(|row| series(row.series, data).1)),
        arrays::category(rows.iter().map(|row| quantity(row.quantity))),
        arrays::index(rows.iter().map(|row| row.step as u16)),
        arrays::date(rows.iter().map(|row| row.first)),
        arrays::date(rows.iter().map(|row| row.last + 1)),
        arrays::float(rows.iter().map(|row| row.expected)),
        arrays::float(rows.iter().map(|row| row.low)),
        arrays::float(rows.iter().map(|row| row.high)),
        arrays::float(rows.iter().map(|row| row.naive)),
        arrays::flag(rows.iter().map(|row| row.seasonal)),
        arrays::float(rows.iter().map(|row| row.dispersion)),
        arrays::integer(rows.iter().map(|row| row.past as i64)),
    ];
    stage.write(File::Demand, &Axes::new(), columns)
}

fn write_scores(stage: &mut Stage<'_>, rows: &[DemandScore], data: &GoalData) -> Result<()> {
    let of = |row: &DemandScore| if row.of_classes { "class" } else { "goal" };
    for row in rows.iter().filter(|row| row.series.is_none()) {
        tracing::info!(
            of = of(row),
            quantity = quantity(row.quantity),
            relative_mae = row.relative_mae.map(|ratio| format!("{ratio:.3}")),
            coverage = format!("{:.3}", row.coverage),
            "past forecasts"
        );
    }
    let columns = vec![
        arrays::category(rows.iter().map(of)),
        arrays::optional_category(rows.iter().map(|row| row.series.map(|of| series(of, data).1))),
        arrays::category(rows.iter().map(|row| quantity(row.quantity))),
        arrays::integer(rows.iter().map(|row| row.forecasts as i64)),
        arrays::float(rows.iter().map(|row| row.seasonal)),
        arrays::float(rows.iter().map(|row| row.mae)),
        arrays::float(rows.iter().map(|row| row.naive_mae)),
        arrays::optional_float(rows.iter().map(|row| row.relative_mae)),
        arrays::optional_float(rows.iter().map(|row| row.mase)),
        arrays::float(rows.iter().map(|row| row.coverage)),
    ];
    stage.write(File::DemandScores, &Axes::new(), columns)
}

/// How past forecasts of all goals and of all classes came out.
///
/// # Errors
/// If the table is missing or damaged.
pub(super) fn read_figures(run: &RunFolder) -> Result<BTreeMap<String, f64>> {
    let rows = run.read(File::DemandScores)?.rows;
    let (of, names, quantity) = (rows.text("of")?, rows.optional_text("name")?, rows.text("quantity")?);
    let (coverage, relative) = (rows.float("coverage")?, rows.optional_float("relative_mae")?);
    let mut figures = BTreeMap::new();
    for at in (0..rows.len()).filter(|at| names[*at].is_none()) {
        let name = |what: &str| format!("{}.{}.{what}", of[at], quantity[at]);
        figures.insert(name("coverage"), coverage[at]);
        if let Some(relative) = relative[at] {
            figures.insert(name("relative_mae"), relative);
        }
    }
    Ok(figures)
}
