//! Outcomes of the customers in the year after the last one: default and liquidity, with the best possible scores,
//! and the balances that foreshadow them (METHODS section 15.1).

use arrow::array::RecordBatch;
use rand::RngExt;
use rayon::prelude::*;
use spendscape_schema::{
    Axes, Tabular, seed,
    tables::{BalanceRow, Balances, OutcomeRow, Outcomes},
};

use crate::{
    Bank, Error,
    customer::{COVARIANCE, TRAITS, normal, trait_factor},
};

/// Weights of the traits in the discipline, in the order E N O C A, before it is scaled to variance 1.
const DISCIPLINE: [f64; TRAITS] = [-0.3, -0.4, 0.0, 0.6, 0.1];
/// Share of the buffer's variance that discipline explains.
const EXPLAINED: f64 = 0.3;
/// Correlation of the rest of the buffer from year to year.
const STEADINESS: f64 = 0.9;
/// Mean of the logarithm of the buffer in months of outflow: ln 2.
const LOG_MONTHS: f64 = std::f64::consts::LN_2;
/// Standard deviation of a month-end balance's logarithm around the year's.
const MONTHLY: f64 = 0.3;
/// Intercept and weights of buffer, discipline and life event in the log-odds of default.
const DEFAULT: [f64; 4] = [-3.2, -1.0, -0.5, 0.7];
/// Weight of neuroticism in the log-odds of belonging to group B.
const GROUP: f64 = 0.8;
/// Quintiles of the standard normal.
const QUINTILES: [f64; 4] =
    [-0.841_621_233_572_914_3, -0.253_347_103_135_799_8, 0.253_347_103_135_799_8, 0.841_621_233_572_914_3];
const MONTHS: usize = 12;

/// One customer's outcomes in the year after the last one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CustomerOutcome {
    /// Whether the customer defaults.
    pub default: bool,
    /// The probability of that, given all that is true of the customer.
    pub default_score: f64,
    /// Mean month-end balance in months of outflow.
    pub liquidity: f64,
    /// The expectation of its logarithm, given all that is true of the customer.
    pub liquidity_score: f64,
    /// Whether the liquidity is below 1.
    pub illiquid: bool,
    /// The probability of that, given all that is true of the customer.
    pub illiquid_score: f64,
    /// Quintile of the liquidity, 1 to 5.
    pub quintile: u16,
    /// Group, A or B, without effect of its own.
    pub group: &'static str,
}

/// The balance of a customer's account.
struct Account {
    /// Standardized logarithm of the buffer, per year.
    buffer: Vec<f64>,
    /// The part of the last one that discipline does not explain.
    rest: f64,
    /// Month-end balances over their mean, per year.
    months: Vec<[f64; MONTHS]>,
}

impl Bank {
    /// Outcomes of every customer in the year after the last one, from streams of their own.
    #[must_use]
    pub fn outcomes(&self) -> Vec<CustomerOutcome> {
        (0..self.customers.len()).into_par_iter().map(|number| self.outcome(number)).collect()
    }

    /// The outcomes as the table [`Outcomes`].
    ///
    /// # Errors
    /// [`Error::Schema`] if Arrow refuses the batch.
    pub fn outcome_table(&self) -> Result<RecordBatch, Error> {
        let outcomes = self.outcomes();
        let rows = self.customers.iter().zip(outcomes).map(|(customer, outcome)| OutcomeRow {
            customer: customer.clone(),
            default: outcome.default,
            default_score: outcome.default_score,
            illiquid: outcome.illiquid,
            illiquid_score: outcome.illiquid_score,
            liquidity: outcome.liquidity,
            liquidity_score: outcome.liquidity_score,
            quintile: outcome.quintile,
            group: outcome.group.to_owned(),
        });
        Ok(Outcomes::from_rows(rows)?.to_batch(&Axes::new())?)
    }

    /// Balances and inflows per customer and year as the table [`Balances`].
    ///
    /// # Errors
    /// [`Error::Schema`] if Arrow refuses the batch.
    pub fn balances(&self) -> Result<RecordBatch, Error> {
        let totals = self.panel().totals;
        let years = self.params.years;
        let rows: Vec<[i64; 3]> = (0..self.customers.len())
            .into_par_iter()
            .flat_map_iter(|number| {
                let account = self.account(number);
                let spent = |year: usize| totals[[number, year]];
                let held = |year: usize| {
                    (LOG_MONTHS + account.buffer[year]).exp() * spent(year) as f64 / MONTHS as f64
                };
                (0..years)
                    .map(|year| {
                        let balance = held(year);
                        let gained = if year == 0 { 0.0 } else { balance - held(year - 1) };
                        let lowest = account.months[year].iter().copied().fold(f64::INFINITY, f64::min);
                        let inflow = (spent(year) as f64 + gained).max(0.0);
                        [balance, balance * lowest, inflow].map(|minor| minor.round_ties_even() as i64)
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        let rows = rows.into_iter().enumerate().map(|(at, [balance_minor, lowest_minor, inflow_minor])| {
            BalanceRow {
                customer: self.customers[at / years].clone(),
                period: (at % years) as u16,
                balance_minor,
                lowest_minor,
                inflow_minor,
            }
        });
        Ok(Balances::from_rows(rows)?.to_batch(&Axes::new())?)
    }

    fn traits_of(&self, number: usize, year: usize) -> [f64; TRAITS] {
        std::array::from_fn(|k| self.traits()[[number, year, k]])
    }

    fn account(&self, number: usize) -> Account {
        let rng = &mut seed::stream(self.params.seed, "balances", number as u64);
        let (mut buffer, mut months, mut rest) = (Vec::new(), Vec::new(), 0.0);
        for year in 0..self.params.years {
            let news: f64 = normal(rng);
            rest = if year == 0 { news } else { carry_on(rest, news) };
            buffer.push(combine(discipline(&self.traits_of(number, year)), rest));
            let factors: [f64; MONTHS] = std::array::from_fn(|_| (MONTHLY * normal(rng)).exp());
            let mean = factors.iter().sum::<f64>() / MONTHS as f64;
            months.push(factors.map(|factor| factor / mean));
        }
        Account { buffer, rest, months }
    }

    fn outcome(&self, number: usize) -> CustomerOutcome {
        let last = self.params.years - 1;
        let (rho, event_probability) = (self.params.persistence, self.params.event_probability);
        let account = self.account(number);
        let z = self.traits_of(number, last);
        let tau = discipline(&z);
        let event = f64::from(u8::from(self.events()[[number, last]]));
        let [intercept, by_buffer, by_discipline, by_event] = default_weights(self.params.trait_share);
        let default_score =
            sigmoid(intercept + by_buffer * account.buffer[last] + by_discipline * tau + by_event * event);

        // What is drawn is drawn in any case and in this order, so that one outcome does not change another.
        let rng = &mut seed::stream(self.params.seed, "outcomes", number as u64);
        let factor = trait_factor();
        let fresh = |rng: &mut seed::Stream| {
            let white: [f64; TRAITS] = std::array::from_fn(|_| normal(rng));
            std::array::from_fn::<f64, TRAITS, _>(|i| (0..=i).map(|k| factor[i][k] * white[k]).sum())
        };
        let (news, chance, redrawn) = (fresh(rng), rng.random::<f64>(), fresh(rng));
        let (rest_news, defaults, belongs): (f64, f64, f64) = (normal(rng), rng.random(), rng.random());

        let spread = (1.0 - rho * rho).sqrt();
        let steady = std::array::from_fn(|k| rho * z[k] + spread * news[k]);
        let next = if chance < event_probability { redrawn } else { steady };
        let x = combine(discipline(&next), carry_on(account.rest, rest_news));

        let without = (1.0 - EXPLAINED).sqrt() * STEADINESS * account.rest;
        let with = EXPLAINED.sqrt() * rho * tau;
        let unknown = (1.0 - EXPLAINED) * (1.0 - STEADINESS * STEADINESS);
        let below = |mean: f64, variance: f64| normal_cdf((-LOG_MONTHS - mean) / variance.sqrt());
        CustomerOutcome {
            default: defaults < default_score,
            default_score,
            liquidity: (LOG_MONTHS + x).exp(),
            liquidity_score: LOG_MONTHS + (1.0 - event_probability) * with + without,
            illiquid: LOG_MONTHS + x < 0.0,
            illiquid_score: (1.0 - event_probability)
                * below(with + without, EXPLAINED * (1.0 - rho * rho) + unknown)
                + event_probability * below(without, EXPLAINED + unknown),
            quintile: 1 + QUINTILES.partition_point(|edge| *edge < x) as u16,
            group: if belongs < sigmoid(GROUP * z[1]) { "B" } else { "A" },
        }
    }
}

/// The weights of [`DEFAULT`], or those with which discipline explains `share` of what buffer and discipline add to the log-odds,
/// and the part of the buffer that it does not explain the rest; the variance of both together stays what it is.
fn default_weights(share: Option<f64>) -> [f64; 4] {
    let Some(share) = share else { return DEFAULT };
    let [intercept, by_buffer, by_discipline, by_event] = DEFAULT;
    let (with, without) =
        (by_discipline + EXPLAINED.sqrt() * by_buffer, (1.0 - EXPLAINED).sqrt() * by_buffer);
    let size = (with * with + without * without).sqrt();
    let by_buffer = -size * (1.0 - share).sqrt() / (1.0 - EXPLAINED).sqrt();
    [intercept, by_buffer, -size * share.sqrt() - EXPLAINED.sqrt() * by_buffer, by_event]
}

/// The discipline of a customer with traits `z`: a standard normal in the population.
fn discipline(z: &[f64; TRAITS]) -> f64 {
    let mut variance = 0.0;
    for (i, row) in COVARIANCE.iter().enumerate() {
        variance += row.iter().zip(DISCIPLINE).map(|(c, a)| DISCIPLINE[i] * c * a).sum::<f64>();
    }
    DISCIPLINE.iter().zip(z).map(|(weight, level)| weight * level).sum::<f64>() / variance.sqrt()
}

/// The rest of the buffer a year later.
fn carry_on(rest: f64, news: f64) -> f64 {
    STEADINESS * rest + (1.0 - STEADINESS * STEADINESS).sqrt() * news
}

/// The standardized buffer.
fn combine(discipline: f64, rest: f64) -> f64 {
    EXPLAINED.sqrt() * discipline + (1.0 - EXPLAINED).sqrt() * rest
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What discipline and the rest of the buffer weigh in the log-odds, from the weights of buffer and discipline.
    fn parts([_, by_buffer, by_discipline, _]: [f64; 4]) -> [f64; 2] {
        [by_discipline + EXPLAINED.sqrt() * by_buffer, (1.0 - EXPLAINED).sqrt() * by_buffer]
    }

    #[test]
    fn a_share_of_the_log_odds_is_what_traits_explain() {
        let [with, without] = parts(default_weights(None));
        let size = with * with + without * without;
        assert_eq!(default_weights(None), DEFAULT);
        assert!((with * with / size - 0.611).abs() < 5e-4, "{}", with * with / size);
        for share in [0.0, 0.25, 0.611, 1.0] {
            let [with, without] = parts(default_weights(Some(share)));
            assert!(
                (with * with / size - share).abs() < 1e-12
                    && (without * without / size + share - 1.0).abs() < 1e-12
            );
            assert!(
                with <= 0.0 && without <= 0.0,
                "discipline and buffer keep from default: {with} {without}"
            );
        }
        // The share that is the model's own gives the model's own weights.
        let own = default_weights(Some(with * with / size));
        assert!(own.iter().zip(DEFAULT).all(|(a, b)| (a - b).abs() < 1e-12), "{own:?}");
    }
}
