//! Campaigns: whom to address for a goal and when, and what such a choice gained on past days.

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use spendscape_goals::applications::{
    Campaign, CampaignEvaluation, CampaignRequest, Targeting, evaluate_campaign, plan_campaign,
};
use spendscape_run::{File, Notes, RunFolder, Stage, outputs};
use spendscape_schema::{
    seed,
    tables::{CampaignRow, CampaignUplift, CampaignUpliftRow, Campaigns},
};
use spendscape_stats::BadInput;

use super::{
    future::{Future, FutureInputs, FutureParams, execute_ahead, show_day},
    verdict::{Findings, Verdict},
};
use crate::stages::count;

/// Futures per customer: a probability of one half is then told to .06.
const FUTURES: usize = 64;
/// Days at which it is looked whether the probability reaches the threshold.
const STEPS: [u32; 5] = [3, 7, 14, 30, 60];

/// Whom a campaign may address.
#[derive(Debug, Clone, Args, Serialize)]
pub struct CampaignOptions {
    /// Which model sees which days
    #[command(flatten)]
    #[serde(flatten)]
    pub future: Future,
    /// Goals to plan campaigns for; by default each one
    #[arg(long, value_name = "GOALS", value_delimiter = ',')]
    pub goal: Vec<String>,
    /// Days in which the goal is to come
    #[arg(long, default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub horizon: u32,
    /// Most customers to address per goal; by default a tenth of all
    #[arg(long, value_name = "N", value_parser = count(1..=1_000_000_000))]
    pub capacity: Option<usize>,
    /// Customers whose goal comes with at least this probability are left alone
    #[arg(long, default_value_t = 0.95)]
    pub certain: f64,
    /// The time to address is the shortest span in which the goal comes with this probability
    #[arg(long, default_value_t = 0.5)]
    pub threshold: f64,
    /// Bootstrap samples of the intervals
    #[arg(long, default_value_t = 400, value_parser = count(1..=100_000))]
    pub draws: usize,
}

outputs! {
    /// Campaigns, and how such ones came out.
    pub struct CampaignOutputs {
        /// Whom to address.
        pub campaigns: Campaigns = table File::Campaigns,
        /// What that gained on past days.
        pub uplift: CampaignUplift = table File::CampaignUplift,
    }
}

/// Plans campaigns from the last day known, and measures the same choice one horizon earlier on what came.
#[derive(Debug)]
pub struct PlanCampaigns;

impl Stage for PlanCampaigns {
    const NAME: &'static str = "goals campaign";
    type Params = FutureParams<CampaignOptions>;
    type Inputs = FutureInputs;
    type Outputs = CampaignOutputs;

    fn run(params: &Self::Params, inputs: FutureInputs, notes: &mut Notes) -> Result<CampaignOutputs> {
        let options = &params.options;
        let ahead = options.future.open(inputs, params.futures)?;
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
        let request = CampaignRequest {
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
            goals.iter().map(|goal| Ok(plan_campaign(&outlook, *goal, &request)?)).collect::<Result<_>>()?;
        let customers = &ahead.data.customers;
        let targets = plans.iter().flat_map(|plan| plan.targets.iter().map(|target| (plan.goal, target)));
        let rows = targets.map(|(goal, target)| CampaignRow {
            goal: names[goal].clone(),
            horizon_days: options.horizon as u16,
            rank: target.rank as i64,
            customer: customers[target.customer].clone(),
            probability: target.probability,
            spent_minor: target.spent,
            reached_within_days: target.reached_within.map(|days| days as u16),
            expected_day: target.expected_day,
        });
        let campaigns = Campaigns::from_rows(rows)?;

        // The same choice as if today were one horizon ago, which the last horizon's groups judge.
        let past = ahead.from - options.horizon as i32;
        ahead.warn_if_trained_on(past, None);
        let before = ahead.outlook(past, &horizons)?;
        let mut rng = seed::stream(options.future.seed, "goals campaign", 0);
        let mut judged = Vec::new();
        for goal in &goals {
            let then = plan_campaign(&before, *goal, &request)?;
            match evaluate_campaign(&before, &ahead.sequences, *goal, &request, options.draws, &mut rng) {
                Ok(evaluation) => judged.push((then, evaluation)),
                Err(spendscape_goals::Error::Input(reason @ BadInput::TooFew { .. })) => {
                    tracing::warn!(goal = names[*goal], %reason, "not evaluated");
                }
                Err(error) => return Err(error.into()),
            }
        }
        let plan = |plan: &Campaign| Plan {
            goal: names[plan.goal].clone(),
            addressed: plan.targets.len(),
            expected: plan.expected,
            at_random: plan.expected_random,
        };
        let planned = Planned { from: show_day(ahead.from), plans: plans.iter().map(plan).collect() };
        notes.add(PLANNED, serde_json::to_value(planned)?);
        notes.add("evaluated_from", show_day(past));
        Ok(CampaignOutputs { uplift: uplift(&judged, names, options.horizon)?, campaigns })
    }
}

/// Plans the campaigns of a run folder.
///
/// # Errors
/// If the groups or the model are missing or do not fit, a goal does not exist, or history is shorter than the horizon.
pub fn campaign(run: &RunFolder, options: &CampaignOptions, force: bool) -> Result<()> {
    execute_ahead::<PlanCampaigns, _>(run, &options.future, options, FUTURES, force)
}

fn uplift(
    judged: &[(Campaign, CampaignEvaluation)],
    names: &[String],
    horizon: u32,
) -> Result<CampaignUplift> {
    let targeting_name = |targeting: Targeting| match targeting {
        Targeting::Model => "model",
        Targeting::Recency => "recency",
        Targeting::Frequency => "frequency",
    };
    let mut rows = Vec::new();
    for (plan, evaluation) in judged {
        for (targeting, ranking) in &evaluation.rankings {
            for (at, gain) in ranking.gains.iter().enumerate() {
                // What was expected is known of the model's own targets: those at capacity.
                let is_plan = *targeting == Targeting::Model && at + 1 == ranking.gains.len();
                rows.push(CampaignUpliftRow {
                    goal: names[plan.goal].clone(),
                    horizon_days: horizon as u16,
                    targeting: targeting_name(*targeting).to_owned(),
                    share: gain.share,
                    eligible: evaluation.eligible as i64,
                    targeted: gain.targeted,
                    expected: is_plan.then_some(plan.expected),
                    expected_random: is_plan.then_some(plan.expected_random),
                    conversions: gain.conversions,
                    uplift: gain.uplift.value,
                    uplift_low: gain.uplift.low,
                    uplift_high: gain.uplift.high,
                    lift: gain.lift.value,
                    lift_low: gain.lift.low,
                    lift_high: gain.lift.high,
                    behind_model: gain.behind_first.value,
                    behind_model_low: gain.behind_first.low,
                    behind_model_high: gain.behind_first.high,
                    area: ranking.area.value,
                    area_low: ranking.area.low,
                    area_high: ranking.area.high,
                });
            }
        }
    }
    Ok(CampaignUplift::from_rows(rows)?)
}

/// Parameter of the provenance that holds what is expected of the plans.
const PLANNED: &str = "planned";

/// What is expected of the plans, from the last day known.
#[derive(Debug, Serialize, Deserialize)]
struct Planned {
    from: String,
    plans: Vec<Plan>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    goal: String,
    addressed: usize,
    expected: f64,
    at_random: f64,
}

/// Rankings that need no model, and what they are called.
const RIVALS: [(&str, &str); 2] = [("frequency", "\"most often\""), ("recency", "\"most recently\"")];

/// How the model's choice and the controls came out at capacity, by goal and targeting; then what is expected of the plans.
///
/// # Errors
/// If the table is missing or damaged.
pub(super) fn findings(run: &RunFolder) -> Result<Findings> {
    let stored = run.read(File::CampaignUplift)?;
    let rows: Vec<CampaignUpliftRow> = stored.table::<CampaignUplift>()?.into_rows().collect();
    let mut findings = Findings::default();
    let same =
        |a: &CampaignUpliftRow, b: &CampaignUpliftRow| (&a.goal, &a.targeting) == (&b.goal, &b.targeting);
    // The last row of a targeting is at capacity.
    for row in rows.chunk_by(same).filter_map(<[_]>::last) {
        let name = |what: &str| format!("{}.{}.{what}", row.goal, row.targeting);
        findings.figures.extend([
            (name("uplift"), row.uplift),
            (name("uplift_low"), row.uplift_low),
            (name("uplift_high"), row.uplift_high),
            (name("behind_model"), row.behind_model),
            (name("behind_model_low"), row.behind_model_low),
            (name("behind_model_high"), row.behind_model_high),
            (name("addressed"), row.targeted),
            (name("conversions"), row.conversions),
            (name("lift"), row.lift),
        ]);
        findings.figures.extend(row.expected.map(|expected| (name("expected"), expected)));
    }
    let text = |name: &str| stored.provenance.parameters.get(name).cloned().unwrap_or_default();
    let planned: Planned = serde_json::from_value(text(PLANNED)).with_context(|| {
        format!("{} does not say what was planned", run.find(File::CampaignUplift).display())
    })?;
    let from = text("evaluated_from").as_str().unwrap_or_default().to_owned();
    for plan in &planned.plans {
        judge(&mut findings, plan, &from, &planned.from);
    }
    Ok(findings)
}

/// What was measured of a goal's campaign first, then what is expected of it.
fn judge(findings: &mut Findings, plan: &Plan, past: &str, now: &str) {
    let goal = &plan.goal;
    let figure = |findings: &Findings, what: &str| findings.figures.get(&format!("{goal}.{what}")).copied();
    let interval = |findings: &Findings, targeting: &str, what: &str| {
        let name = |end: &str| format!("{goal}.{targeting}.{what}{end}");
        findings.interval(&name(""), &name("_low"), &name("_high"))
    };
    let mut measured = false;
    if let Some(uplift) = interval(findings, "model", "uplift") {
        measured = uplift.verdict() == Verdict::Better;
        let (addressed, converted, expected) = (
            figure(findings, "model.addressed").unwrap_or_default(),
            figure(findings, "model.conversions").unwrap_or_default(),
            figure(findings, "model.expected").unwrap_or_default(),
        );
        findings.line(format_args!(
            "{goal}: measured on past days, from {past} on: of {addressed:.0} customers whom the model would have named {converted:.1} \
             converted ({expected:.1} expected), an uplift of {} per customer addressed over as many at random",
            uplift.show()
        ));
        let mut verdict = format!("{} chance", uplift.verdict().in_words());
        let rival = RIVALS
            .into_iter()
            .filter_map(|(name, words)| Some((name, words, figure(findings, &format!("{name}.uplift"))?)))
            .max_by(|a, b| a.2.total_cmp(&b.2));
        if let Some((name, words, _)) = rival
            && let Some(theirs) = interval(findings, name, "uplift")
            && let Some(ahead) = interval(findings, name, "behind_model")
        {
            measured = measured && ahead.verdict() == Verdict::Better;
            verdict = format!(
                "{verdict}; {} the strongest simple rule, {words} (its uplift {}; difference {})",
                ahead.verdict().in_words(),
                theirs.show(),
                ahead.show()
            );
        }
        findings.line(format_args!("  {verdict}"));
        findings.words.insert(format!("{goal}.verdict"), verdict);
    } else {
        let verdict = "NOT MEASURED: too few customers converted in the past days";
        findings.line(format_args!("{goal}: {verdict}"));
        findings.words.insert(format!("{goal}.verdict"), verdict.to_owned());
    }
    let trust = if measured { "" } else { "; what was measured does not bear that out" };
    findings.line(format_args!(
        "  expected from {now} on: {:.1} conversions of {} customers addressed, {:.1} at random, if the model is right{trust}",
        plan.expected, plan.addressed, plan.at_random
    ));
    findings.figures.insert(format!("{goal}.plan.expected"), plan.expected);
    findings.figures.insert(format!("{goal}.plan.expected_at_random"), plan.at_random);
    findings.figures.insert(format!("{goal}.plan.addressed"), plan.addressed as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Online Retail's campaign for Christmas, as the measures had it when only the expectation was printed.
    #[test]
    fn what_was_measured_stands_before_what_is_expected() {
        let figures = [
            ("model.uplift", -0.0005),
            ("model.uplift_low", -0.008),
            ("model.uplift_high", 0.009),
            ("model.addressed", 50.0),
            ("model.conversions", 0.48),
            ("model.expected", 1.23),
            ("frequency.uplift", 0.189),
            ("frequency.uplift_low", 0.1),
            ("frequency.uplift_high", 0.28),
            ("frequency.behind_model", -0.19),
            ("frequency.behind_model_low", -0.29),
            ("frequency.behind_model_high", -0.09),
            ("recency.uplift", 0.18),
        ];
        let figures = figures.map(|(name, value)| (format!("christmas.{name}"), value));
        let mut findings = Findings { figures: figures.into(), ..Findings::default() };
        let plan = Plan { goal: "christmas".to_owned(), addressed: 50, expected: 1.4, at_random: 0.1 };
        judge(&mut findings, &plan, "2011-11-09", "2011-12-09");
        let text = &findings.text;
        let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
        assert!(place("uplift of -0.001 (-0.008 to +0.009)") < place("NO BETTER than chance"));
        assert!(
            place("WORSE than the strongest simple rule, \"most often\" (its uplift +0.189")
                < place("expected from 2011-12-09")
        );
        assert!(text.contains("1.4 conversions of 50") && text.contains("does not bear that out"), "{text}");
        assert!(findings.words["christmas.verdict"].starts_with("NO BETTER than chance; WORSE than"));
        // In JSON, too, what was measured comes before what is expected.
        let json = serde_json::to_string(&findings).unwrap();
        assert!(json.find("christmas.model.uplift").unwrap() < json.find("christmas.plan.expected").unwrap());

        let mut unmeasured = Findings::default();
        judge(&mut unmeasured, &plan, "2011-11-09", "2011-12-09");
        assert!(unmeasured.text.starts_with("christmas: NOT MEASURED"), "{}", unmeasured.text);
    }
}
