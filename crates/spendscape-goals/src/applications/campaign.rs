//! Targeted campaigns: whom to address, when, and what it is worth.

use rand::Rng;
use spendscape_stats::check;

use super::classes::known;
use super::gains::{Ranking, targeting_gains};
use crate::{Error, Outlook, Sequences};

/// Shares of the customers at which a targeting is measured.
const SHARES: [f64; 4] = [0.05, 0.1, 0.2, 0.5];

/// Whom a campaign may address.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CampaignRequest {
    /// Days in which the goal is to come; one of the outlook's horizons.
    pub horizon: u32,
    /// Most customers to address.
    pub capacity: usize,
    /// Customers whose goal comes with at least this probability are left alone: nothing is to be won from them.
    pub certain: f64,
    /// The time to address a customer is the first horizon at which the probability reaches this.
    pub threshold: f64,
}

/// A customer to address.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CampaignTarget {
    /// Customer, from 0.
    pub customer: usize,
    /// Rank by falling probability, from 1; equals by their number.
    pub rank: usize,
    /// Probability that the goal comes within the horizon.
    pub probability: f64,
    /// Expected money that it brings within the horizon, minor units.
    pub spent: f64,
    /// Shortest horizon at which the probability reaches the threshold; `None` if it does at none.
    pub reached_within: Option<u32>,
    /// Day (since 1970-01-01) on which the goal is expected; `None` if beyond the last horizon.
    pub expected_day: Option<i32>,
}

/// A plan for one goal.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// The goal.
    pub goal: usize,
    /// Customers who are not certain.
    pub eligible: usize,
    /// Whom to address, the most probable first.
    pub targets: Vec<CampaignTarget>,
    /// Expected conversions among them: customers for whom the goal comes.
    pub expected: f64,
    /// Expected conversions among as many eligible customers drawn at random.
    pub expected_random: f64,
}

impl Campaign {
    /// Expected conversions over random targeting of as many customers. The goals of the targets would partly have come
    /// anyway: it tells what aiming wins, not what addressing causes.
    #[must_use]
    pub fn expected_uplift(&self) -> f64 {
        self.expected - self.expected_random
    }
}

impl CampaignRequest {
    /// The place of the horizon.
    fn check(&self, outlook: &Outlook, goal: usize) -> Result<usize, Error> {
        check::index("goal", goal, outlook.goals())?;
        check::parameter("capacity", 0.0, self.capacity > 0, "1 and more")?;
        for (name, value) in [("certain", self.certain), ("threshold", self.threshold)] {
            check::parameter(name, value, value > 0.0 && value <= 1.0, "(0, 1]")?;
        }
        outlook.horizon(self.horizon)
    }

    fn eligible(&self, outlook: &Outlook, goal: usize, h: usize) -> Vec<usize> {
        (0..outlook.customers()).filter(|n| outlook.within()[[*n, goal, h]] < self.certain).collect()
    }
}

/// Plans a campaign for one goal.
///
/// ```
/// use ndarray::{Array2, Array3};
/// use spendscape_goals::{Outlook, applications::{CampaignRequest, plan_campaign}};
///
/// // Four customers, one goal: nothing is to be won from the first, who is certain.
/// let within = Array3::from_shape_vec((4, 1, 1), vec![0.99, 0.6, 0.1, 0.3]).unwrap();
/// let zeros = Array3::zeros((4, 1, 1));
/// let never = Array2::from_elem((4, 1), f64::NAN);
/// let outlook = Outlook::new(100, vec![7], within.clone(), within, zeros, never)?;
/// let request = CampaignRequest { horizon: 7, capacity: 2, certain: 0.95, threshold: 0.5 };
/// let plan = plan_campaign(&outlook, 0, &request)?;
/// assert_eq!(plan.targets.iter().map(|target| target.customer).collect::<Vec<_>>(), [1, 3]);
/// assert!((plan.expected - 0.9).abs() < 1e-12);
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
///
/// # Errors
/// [`Error::NoHorizon`], `BadInput::InvalidParameter`, `BadInput::OutOfRange` for a goal that does not exist.
pub fn plan_campaign(outlook: &Outlook, goal: usize, request: &CampaignRequest) -> Result<Campaign, Error> {
    let h = request.check(outlook, goal)?;
    let mut eligible = request.eligible(outlook, goal, h);
    let probability = |n: usize| outlook.within()[[n, goal, h]];
    let all: f64 = eligible.iter().map(|n| probability(*n)).sum();
    eligible.sort_unstable_by(|a, b| probability(*b).total_cmp(&probability(*a)).then(a.cmp(b)));
    let target = |(at, n): (usize, &usize)| {
        let reached =
            (0..outlook.horizons().len()).find(|h| outlook.within()[[*n, goal, *h]] >= request.threshold);
        let first = outlook.first_day()[[*n, goal]];
        CampaignTarget {
            customer: *n,
            rank: at + 1,
            probability: probability(*n),
            spent: outlook.spent()[[*n, goal, h]],
            reached_within: reached.map(|h| outlook.horizons()[h]),
            // A time within the k-th day after the last one known falls on that day.
            expected_day: (!first.is_nan())
                .then(|| outlook.from().saturating_add(first.ceil().max(1.0) as i32)),
        }
    };
    let targets: Vec<CampaignTarget> =
        eligible.iter().take(request.capacity).enumerate().map(target).collect();
    let share = targets.len() as f64 / eligible.len().max(1) as f64;
    Ok(Campaign {
        goal,
        eligible: eligible.len(),
        expected: targets.iter().map(|target| target.probability).sum(),
        expected_random: all * share,
        targets,
    })
}

/// By what customers are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Targeting {
    /// By the model's probability.
    Model,
    /// By the day of the last group with the goal, the latest first; who never had it comes last.
    Recency,
    /// By the number of past groups with the goal.
    Frequency,
}

/// How targeting by the model came out, beside two rankings that need none.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignEvaluation {
    /// The goal.
    pub goal: usize,
    /// Customers who were not certain, among whom all rankings choose.
    pub eligible: usize,
    /// Those for whom the goal came within the horizon.
    pub conversions: usize,
    /// How each did at 5, 10, 20 and 50 % of the eligible customers, and last at the capacity; the model's first.
    pub rankings: Vec<(Targeting, Ranking)>,
}

/// Measures on what really happened, [`targeting_gains`] says how, the targeting that [`plan_campaign`] chooses.
///
/// `sequences` holds the groups up to the end of the horizon; those after the outlook's last day tell who converted, those up
/// to it who was recent and frequent.
///
/// ```
/// use ndarray::{Array2, Array3};
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_goals::{
///     Event, GroupRules, Outlook, Sequences,
///     applications::{CampaignRequest, Targeting, evaluate_campaign},
/// };
///
/// // Forty customers have bought once; every second one, whom the model finds the likelier, buys again on day 105.
/// let event = |customer: u32, day: i64| {
///     Event { customer, time: day * 86_400_000, amount: -1_000, class: 0, channel: 0, place: 0 }
/// };
/// let events: Vec<Event> = (0..40)
///     .flat_map(|n| [event(n, 50), event(n, 105)].into_iter().take(2 - n as usize % 2))
///     .collect();
/// let (sequences, _) =
///     Sequences::new(&events, 40, vec!["books".to_owned()], &[Some(0)], GroupRules::default())?;
/// let within = Array3::from_shape_fn((40, 1, 1), |(n, _, _)| if n % 2 == 0 { 0.6 } else { 0.2 });
/// let never = Array2::from_elem((40, 1), f64::NAN);
/// let outlook = Outlook::new(100, vec![7], within.clone(), within, Array3::zeros((40, 1, 1)), never)?;
/// let request = CampaignRequest { horizon: 7, capacity: 4, certain: 0.95, threshold: 0.5 };
/// let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
/// let found = evaluate_campaign(&outlook, &sequences, 0, &request, 50, rng)?;
/// assert_eq!((found.eligible, found.conversions), (40, 20));
/// let [(_, model), (_, recency), _] = &found.rankings[..] else { panic!("three rankings") };
/// let last = model.gains.len() - 1;
/// assert_eq!((model.gains[last].conversions, recency.gains[last].conversions), (4.0, 2.0));
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
///
/// # Errors
/// As [`plan_campaign`] and [`targeting_gains`]: `BadInput::TooFew` if nobody converted.
pub fn evaluate_campaign<R: Rng + ?Sized>(
    outlook: &Outlook,
    sequences: &Sequences,
    goal: usize,
    request: &CampaignRequest,
    draws: usize,
    rng: &mut R,
) -> Result<CampaignEvaluation, Error> {
    outlook.check_fits(sequences)?;
    let h = request.check(outlook, goal)?;
    let eligible = request.eligible(outlook, goal, h);
    let end = i64::from(outlook.from()) + i64::from(request.horizon);
    let mut converted = Vec::with_capacity(eligible.len());
    let [mut model, mut recency, mut frequency] = [(); 3].map(|()| Vec::with_capacity(eligible.len()));
    for &n in &eligible {
        let groups = sequences.groups(n);
        let until = known(groups.day, outlook.from());
        let is_goal = |at: &usize| groups.goal[*at] as usize == goal;
        let later = (until..groups.len()).take_while(|at| i64::from(groups.day[*at]) <= end);
        converted.push({ later }.any(|at| is_goal(&at)));
        model.push(outlook.within()[[n, goal, h]]);
        let last = (0..until).rev().find(is_goal);
        recency.push(last.map_or(f64::NEG_INFINITY, |at| f64::from(groups.day[at])));
        frequency.push((0..until).filter(is_goal).count() as f64);
    }
    let conversions = converted.iter().filter(|converted| **converted).count();
    let mut shares = SHARES.to_vec();
    shares.push((request.capacity as f64 / eligible.len().max(1) as f64).min(1.0));
    let rankings = targeting_gains(&[model, recency, frequency], &converted, &shares, draws, rng)?;
    let rankings = [Targeting::Model, Targeting::Recency, Targeting::Frequency].into_iter().zip(rankings);
    Ok(CampaignEvaluation { goal, eligible: eligible.len(), conversions, rankings: rankings.collect() })
}
