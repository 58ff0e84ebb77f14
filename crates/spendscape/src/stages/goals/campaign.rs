//! Campaigns: whom to address for a goal and when, and what such a choice gained on past days.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use clap::Args;
use spendscape_goals::{
    Campaign, CampaignEvaluation, CampaignOptions as Rules, Targeting, evaluate_campaign, plan_campaign,
};
use spendscape_schema::{Axes, arrays, seed};

use super::future::{Future, show_day};
use crate::run_folder::{File, RunFolder, Stage};

/// Futures per customer: a probability of one half is then told to .06.
const FUTURES: usize = 64;
/// Days at which it is looked whether the probability reaches the threshold.
const STEPS: [u32; 5] = [3, 7, 14, 30, 60];

/// Whom a campaign may address.
#[derive(Debug, Clone, Args)]
pub struct CampaignOptions {
    /// Which model sees which days
    #[command(flatten)]
    pub future: Future,
    /// Goals to plan campaigns for; by default each one
    #[arg(long, value_name = "GOALS", value_delimiter = ',')]
    pub goal: Vec<String>,
    /// Days in which the goal is to come
    #[arg(long, default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub horizon: u32,
    /// Most customers to address per goal; by default a tenth of all
    #[arg(long, value_name = "N")]
    pub capacity: Option<usize>,
    /// Customers whose goal comes with at least this probability are left alone
    #[arg(long, default_value_t = 0.95)]
    pub certain: f64,
    /// The time to address is the shortest span in which the goal comes with this probability
    #[arg(long, default_value_t = 0.5)]
    pub threshold: f64,
    /// Bootstrap samples of the intervals
    #[arg(long, default_value_t = 400)]
    pub draws: usize,
}

/// Plans campaigns from the last day known, and measures the same choice one horizon earlier on what came.
///
/// # Errors
/// If the groups or the model are missing or do not fit, a goal does not exist, or history is shorter than the horizon.
pub fn campaign(run: &RunFolder, options: &CampaignOptions, force: bool) -> Result<()> {
    let provenance = options
        .future
        .provenance(run, "goals campaign", FUTURES)?
        .parameter("goal", options.goal.clone())
        .parameter("horizon", options.horizon)
        .parameter("capacity", options.capacity)
        .parameter("certain", options.certain)
        .parameter("threshold", options.threshold)
        .parameter("draws", options.draws);
    let Some(mut stage) = options.future.stage(run, "goals campaign", provenance, force)? else {
        return Ok(());
    };
    let ahead = options.future.open(run, FUTURES)?;
    let names = &ahead.data.labels.goals;
    let goals: Vec<usize> = if options.goal.is_empty() {
        (0..names.len()).collect()
    } else {
        let find = |name: &String| match names.iter().position(|known| known == name) {
            Some(goal) => Ok(goal),
            None => bail!("--goal {name}: the goals are {}", names.join(", ")),
        };
        options.goal.iter().map(find).collect::<Result<_>>()?
    };
    let rules = Rules {
        horizon: options.horizon,
        capacity: options.capacity.unwrap_or((ahead.data.customers.len() / 10).max(1)),
        certain: options.certain,
        threshold: options.threshold,
    };
    let mut horizons: Vec<u32> = STEPS.into_iter().chain([options.horizon]).collect();
    horizons.sort_unstable();
    horizons.dedup();
    let outlook = ahead.outlook(ahead.from, &horizons)?;
    let plans: Vec<Campaign> =
        goals.iter().map(|goal| Ok(plan_campaign(&outlook, *goal, &rules)?)).collect::<Result<_>>()?;
    let customers = &ahead.data.customers;
    let targets: Vec<_> =
        plans.iter().flat_map(|plan| plan.targets.iter().map(|target| (plan.goal, target))).collect();
    let columns = vec![
        arrays::category(targets.iter().map(|(goal, _)| names[*goal].as_str())),
        arrays::index(targets.iter().map(|_| options.horizon as u16)),
        arrays::integer(targets.iter().map(|(_, target)| target.rank as i64)),
        arrays::text(targets.iter().map(|(_, target)| customers[target.customer].as_str())),
        arrays::float(targets.iter().map(|(_, target)| target.probability)),
        arrays::float(targets.iter().map(|(_, target)| target.spent)),
        arrays::optional_index(
            targets.iter().map(|(_, target)| target.reached_within.map(|days| days as u16)),
        ),
        arrays::optional_date(targets.iter().map(|(_, target)| target.expected_day)),
    ];
    stage.write(File::Campaigns, &Axes::new(), columns)?;

    // The same choice as if today were one horizon ago, which the last horizon's groups judge.
    let past = ahead.from - options.horizon as i32;
    ahead.warn_if_trained_on(past);
    let before = ahead.outlook(past, &horizons)?;
    let mut rng = seed::stream(options.future.seed, "goals campaign", 0);
    let mut judged = Vec::new();
    for (goal, plan) in goals.iter().zip(&plans) {
        let then = plan_campaign(&before, *goal, &rules)?;
        match evaluate_campaign(&before, &ahead.sequences, *goal, &rules, options.draws, &mut rng) {
            Ok(evaluation) => judged.push((then, evaluation)),
            Err(error @ spendscape_goals::Error::TooFew { .. }) => {
                tracing::warn!(goal = names[*goal], %error, "not evaluated");
            }
            Err(error) => return Err(error.into()),
        }
        tracing::info!(
            goal = names[*goal],
            addressed = plan.targets.len(),
            expected = format!("{:.1}", plan.expected),
            at_random = format!("{:.1}", plan.expected_random),
            "campaign"
        );
    }
    stage.note("evaluated_from", show_day(past));
    write_uplift(&mut stage, &judged, names, options.horizon)?;
    stage.finish()
}

fn write_uplift(
    stage: &mut Stage<'_>,
    judged: &[(Campaign, CampaignEvaluation)],
    names: &[String],
    horizon: u32,
) -> Result<()> {
    let mut rows = Vec::new();
    for (plan, evaluation) in judged {
        for (targeting, ranking) in &evaluation.rankings {
            for (at, gain) in ranking.gains.iter().enumerate() {
                // What was expected is known of the model's own targets: those at capacity.
                let is_plan = *targeting == Targeting::Model && at + 1 == ranking.gains.len();
                rows.push((plan, evaluation, *targeting, gain, ranking.area, is_plan));
            }
        }
    }
    let targeting = |targeting: Targeting| match targeting {
        Targeting::Model => "model",
        Targeting::Recency => "recency",
        Targeting::Frequency => "frequency",
    };
    let columns = vec![
        arrays::category(rows.iter().map(|(plan, ..)| names[plan.goal].as_str())),
        arrays::index(rows.iter().map(|_| horizon as u16)),
        arrays::category(rows.iter().map(|row| targeting(row.2))),
        arrays::float(rows.iter().map(|row| row.3.share)),
        arrays::integer(rows.iter().map(|row| row.1.eligible as i64)),
        arrays::float(rows.iter().map(|row| row.3.targeted)),
        arrays::optional_float(rows.iter().map(|row| row.5.then_some(row.0.expected))),
        arrays::optional_float(rows.iter().map(|row| row.5.then_some(row.0.expected_random))),
        arrays::float(rows.iter().map(|row| row.3.conversions)),
        arrays::float(rows.iter().map(|row| row.3.uplift.value)),
        arrays::float(rows.iter().map(|row| row.3.uplift.low)),
        arrays::float(rows.iter().map(|row| row.3.uplift.high)),
        arrays::float(rows.iter().map(|row| row.3.lift.value)),
        arrays::float(rows.iter().map(|row| row.3.lift.low)),
        arrays::float(rows.iter().map(|row| row.3.lift.high)),
        arrays::float(rows.iter().map(|row| row.3.behind_first.value)),
        arrays::float(rows.iter().map(|row| row.3.behind_first.low)),
        arrays::float(rows.iter().map(|row| row.3.behind_first.high)),
        arrays::float(rows.iter().map(|row| row.4.value)),
        arrays::float(rows.iter().map(|row| row.4.low)),
        arrays::float(rows.iter().map(|row| row.4.high)),
    ];
    stage.write(File::CampaignUplift, &Axes::new(), columns)
}

/// How the model's choice and the controls came out at capacity, by goal and targeting.
///
/// # Errors
/// If the table is missing or damaged.
pub(super) fn read_figures(run: &RunFolder) -> Result<BTreeMap<String, f64>> {
    let rows = run.read(File::CampaignUplift)?.rows;
    let (goals, targeting) = (rows.text("goal")?, rows.text("targeting")?);
    let columns =
        ["uplift", "uplift_low", "uplift_high", "behind_model", "behind_model_low", "behind_model_high"]
            .map(|name| Ok((name, rows.float(name)?)));
    let columns: Vec<(&str, Vec<f64>)> = columns.into_iter().collect::<Result<_>>()?;
    let mut figures = BTreeMap::new();
    for at in 0..rows.len() {
        // The last row of a targeting is at capacity.
        let next = (goals.get(at + 1), targeting.get(at + 1));
        if next != (Some(&goals[at]), Some(&targeting[at])) {
            let name = |what: &str| format!("{}.{}.{what}", goals[at], targeting[at]);
            figures.extend(columns.iter().map(|(what, values)| (name(what), values[at])));
        }
    }
    Ok(figures)
}
