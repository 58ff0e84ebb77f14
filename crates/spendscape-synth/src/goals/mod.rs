//! A stream of groups of transactions whose next goal has a known distribution (METHODS section 3.1).
//!
//! Modules in reading order: `model` (the process of a day), `days` (the calendar), `truth` (the filter), `items` (the
//! transactions), `write`.

mod days;
mod items;
mod model;
mod numbering;
#[cfg(test)]
mod tests;
mod truth;
mod write;

use jiff::civil::date;
use rand::RngExt;
use spendscape_schema::seed;

use self::{
    days::Days,
    items::Classes,
    model::{AGE, CYCLES, Hidden, History, REGION, TASTES, day_probabilities},
    numbering::BILLS,
    truth::Filter,
};
pub use self::{
    model::{AGE_BANDS, REGIONS},
    numbering::{GOAL_NAMES, GOALS},
    truth::GoalTruth,
    write::{GoalFiles, GoalSummary},
};
use crate::{
    Bank, Error, LAST_DAY,
    customer::{TRAITS, normal, trait_factor},
};

/// The goal map of the stream: which classes of the bank's own table serve which goal, as TOML.
pub const GOAL_MAP: &str = include_str!("../../data/goals.toml");
/// Most years of a stream: positions are 16-bit.
const MAX_YEARS: usize = 20;
/// Correlation of what decides the taste with the trait behind it.
const LIKENESS: f64 = 0.9;

/// The purchases of a customer on one day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GoalGroup {
    /// Day, since 1970-01-01.
    pub day: i32,
    /// Goal, from 0.
    pub goal: usize,
    /// The best possible prediction of it.
    pub truth: GoalTruth,
}

/// The groups of one customer.
#[derive(Debug, Clone, PartialEq)]
pub struct GoalStream {
    /// Place in [`AGE_BANDS`].
    pub age_band: usize,
    /// Place in [`REGIONS`].
    pub region: usize,
    /// Groups in the order of time, at most one a day; the last one is the first after the last day of the books.
    pub groups: Vec<GoalGroup>,
}

/// The process that makes the streams of a bank's customers.
#[derive(Debug)]
pub struct GoalProcess<'a> {
    bank: &'a Bank,
    days: Days,
    classes: Classes,
}

impl<'a> GoalProcess<'a> {
    /// Streams over the last `years` years of the bank's books, 1 to 20.
    ///
    /// # Errors
    /// [`Error::Parameter`] for another number of years; [`Error::NoGoalClass`] if the bank has no class for a goal.
    pub fn new(bank: &'a Bank, years: usize) -> Result<Self, Error> {
        if !(1..=MAX_YEARS).contains(&years) {
            return Err(Error::Parameter {
                name: "the number of years of the stream of goals",
                value: years as f64,
                range: "from 1 to 20",
            });
        }
        let first = date(LAST_DAY.year() + 1 - years as i16, 1, 1);
        Ok(Self { bank, days: Days::new(first, LAST_DAY), classes: Classes::new(&bank.coefficients)? })
    }

    /// The stream of a customer (from 0) with the truth: the same in a larger bank.
    #[must_use]
    pub fn stream(&self, customer: usize) -> GoalStream {
        let (hidden, age_band, region) = self.draw_type(customer);
        let mut filter = Filter::new(age_band, region);
        let mut history = History::default();
        let mut first = 0;
        let mut groups = Vec::new();
        for (at, goal) in self.draw_groups(customer, hidden) {
            let truth = filter.step(&history, &self.days, first, at, goal);
            let day = self.days.first + at as i32;
            groups.push(GoalGroup { day, goal, truth });
            history.push(day, goal);
            first = at + 1;
        }
        GoalStream { age_band, region, groups }
    }

    fn draw_type(&self, customer: usize) -> (Hidden, usize, usize) {
        let rng = &mut seed::stream(self.bank.params.seed, "goal type", customer as u64);
        let last = self.bank.params.years - 1;
        let white = whiten(&std::array::from_fn(|k| self.bank.traits()[[customer, last, k]]));
        let news = (1.0 - LIKENESS * LIKENESS).sqrt();
        let levels = white.map(|level| LIKENESS * level + news * normal(rng));
        let taste = (0..TASTES).max_by(|a, b| levels[*a].total_cmp(&levels[*b])).unwrap_or(0);
        let hidden = Hidden {
            taste,
            cycle: rng.random_range(0..CYCLES as u32) as usize,
            bill: rng.random_range(0..BILLS as u32) as usize,
        };
        (
            hidden,
            choose(&AGE[taste], rng.random()).unwrap_or(0),
            choose(&REGION[taste], rng.random()).unwrap_or(0),
        )
    }

    /// Days (from the first day) and goals of a customer's groups.
    fn draw_groups(&self, customer: usize, hidden: Hidden) -> Vec<(usize, usize)> {
        let rng = &mut seed::stream(self.bank.params.seed, "goal days", customer as u64);
        let mut history = History::default();
        let mut groups = Vec::new();
        for at in 0..self.days.busy.len() {
            let probabilities = day_probabilities(hidden, &history, &self.days, at);
            if let Some(goal) = choose(&probabilities, rng.random()) {
                groups.push((at, goal));
                history.push(self.days.first + at as i32, goal);
                if at >= self.days.stream {
                    break;
                }
            }
        }
        groups
    }
}

/// The place in which a uniform number falls among probabilities, `None` beyond their sum.
fn choose(probabilities: &[f64], mut uniform: f64) -> Option<usize> {
    probabilities.iter().position(|probability| {
        uniform -= probability;
        uniform < 0.0
    })
}

/// Traits without their correlations: independent standard normals.
fn whiten(traits: &[f64; TRAITS]) -> [f64; TRAITS] {
    let factor = trait_factor();
    let mut white = [0.0; TRAITS];
    for i in 0..TRAITS {
        let known: f64 = (0..i).map(|k| factor[i][k] * white[k]).sum();
        white[i] = (traits[i] - known) / factor[i][i];
    }
    white
}
