//! What is expected of every customer in the days to come, by simulation.

use ndarray::{Array2, Array3, ArrayViewMut3, Axis, s};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus};
use rayon::prelude::*;
use spendscape_lstm::State;

use super::{
    GoalModel,
    encode::{Last, Next, Steps},
    predict::{elapsed, rule_out, select, softmax},
    windows::{Part, Window, history_start},
};
use crate::{Covariates, Error, Outlook, Sequences, outlook::check_horizons};

/// Futures that run side by side: enough for the networks to read wide batches, few enough for their states to be some
/// megabytes.
const SIDE_BY_SIDE: usize = 8192;
/// Futures of one customer, at most: all of them are in memory at once.
const MOST_DRAWS: usize = 100_000;
/// Groups of one simulated day after which the next has to come on a later one, so that every future ends.
const MOST_ON_ONE_DAY: usize = 100;

/// How the future is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Simulation {
    /// Futures of every customer, 1 to 100,000. A probability p has the standard error sqrt(p (1 - p) / draws).
    pub draws: usize,
    /// Seed of all of them: a customer's futures depend on it and on the customer's place alone.
    pub seed: u64,
}

impl Default for Simulation {
    fn default() -> Self {
        Self { draws: 100, seed: 1 }
    }
}

/// Past groups by goal, to draw money and channel from.
struct Past {
    /// Groups of all customers, counted through, by goal.
    groups: Vec<usize>,
    /// First of each goal, and the number of groups (G + 1).
    offsets: Vec<usize>,
}

/// One future of a customer.
struct Future {
    /// Place of the customer in the chunk.
    slot: usize,
    rng: Xoshiro256PlusPlus,
    last: Last,
    /// Groups on the day of the last one.
    that_day: usize,
}

/// What a chunk of customers' futures came to: sums over draws, customers x G x H; median days until the first (customers x
/// G).
struct Sums {
    within: Array3<f64>,
    expected: Array3<f64>,
    spent: Array3<f64>,
    first_day: Array2<f64>,
}

/// What is simulated, and from what.
struct Run<'a> {
    model: &'a GoalModel,
    sequences: &'a Sequences,
    covariates: &'a Covariates,
    from: i32,
    horizons: &'a [u32],
    simulation: &'a Simulation,
    population: Past,
}

impl GoalModel {
    /// What is to be expected of every customer in the days after `from` (since 1970-01-01), up to `horizons` days ahead:
    /// means over simulated futures. Groups after `from` are not looked at.
    ///
    /// A future begins in the state that the networks have after the groups up to `from`. It takes one group after the
    /// other: the gap to the next from the network of days, without the gaps that are over by `from` in the first place; the
    /// goal on that day from the network of goals; money and channel together from one of the customer's own groups of that
    /// goal, evenly drawn, or from one of all customers' where it has none (of any goal where nobody has). Both networks
    /// read the group, and go on until a day beyond the last horizon. Of gaps longer than the longest that is told apart
    /// only the mean excess is known: it is taken to be geometric. No future has more than 100 groups on one day.
    ///
    /// Of a customer without groups up to `from` there is no day to count from: all of it is zero, and no first day known.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for other goals or customers, [`Error::InvalidParameter`] for a number of draws or a day
    /// outside its range and horizons that do not ascend, [`Error::TooFew`] without horizons.
    pub fn outlook(
        &self,
        sequences: &Sequences,
        covariates: &Covariates,
        from: i32,
        horizons: &[u32],
        simulation: &Simulation,
    ) -> Result<Outlook, Error> {
        self.check(sequences, covariates, &[])?;
        check_horizons(from, horizons)?;
        let draws = simulation.draws;
        if !(1..=MOST_DRAWS).contains(&draws) {
            let (parameter, range) = ("draws", "1 to 100000");
            return Err(Error::InvalidParameter { parameter, value: draws as f64, range });
        }
        let known = |n: usize| sequences.groups(n).day.partition_point(|day| *day <= from);
        let all = (0..sequences.customers()).flat_map(|n| {
            let first = sequences.offsets[n];
            first..first + known(n)
        });
        let population = Past::new(sequences, all);
        let run = Run { model: self, sequences, covariates, from, horizons, simulation, population };
        // Every customer who has a history, and how many groups it has.
        let customers: Vec<(usize, usize)> =
            (0..sequences.customers()).map(|n| (n, known(n))).filter(|(_, known)| *known > 0).collect();
        let at_a_time = (SIDE_BY_SIDE / draws).max(1);
        let chunks: Vec<Sums> = customers
            .par_chunks(at_a_time)
            .map(|customers| run.chunk(customers))
            .collect::<Result<_, Error>>()?;
        let shape = (sequences.customers(), self.goals(), horizons.len());
        let [mut within, mut expected, mut spent] = [(); 3].map(|()| Array3::zeros(shape));
        let mut first_day = Array2::from_elem((shape.0, shape.1), f64::NAN);
        for (customers, sums) in customers.chunks(at_a_time).zip(&chunks) {
            for (slot, (n, _)) in customers.iter().enumerate() {
                let all =
                    [(&mut within, &sums.within), (&mut expected, &sums.expected), (&mut spent, &sums.spent)];
                for (to, from) in all {
                    let mean = from.index_axis(Axis(0), slot).mapv(|sum| sum / draws as f64);
                    to.index_axis_mut(Axis(0), *n).assign(&mean);
                }
                first_day.row_mut(*n).assign(&sums.first_day.row(slot));
            }
        }
        Outlook::new(from, horizons.to_vec(), within, expected, spent, first_day)
    }
}

impl Run<'_> {
    /// The futures of some customers, given with the number of their groups.
    fn chunk(&self, customers: &[(usize, usize)]) -> Result<Sums, Error> {
        let Self { model, sequences, covariates, .. } = *self;
        let (draws, goals, horizons) = (self.simulation.draws, model.goals(), self.horizons.len());
        let last_day = self.from.saturating_add(self.horizons[horizons - 1] as i32);
        let (mut gaps, mut of_days, mut of_goals) = self.beginnings(customers)?;
        let mut futures: Vec<Future> = Vec::with_capacity(customers.len() * draws);
        for (slot, (n, known)) in customers.iter().enumerate() {
            let last = Last::of(sequences.groups(*n), known - 1);
            let future =
                |draw| Future { slot, rng: generator(self.simulation.seed, *n, draw), last, that_day: 0 };
            futures.extend((0..draws).map(future));
        }
        let own: Vec<Past> = customers
            .iter()
            .map(|(n, known)| {
                let first = sequences.offsets[*n];
                Past::new(sequences, first..first + known)
            })
            .collect();
        let shape = (customers.len(), goals, horizons);
        let [mut expected, mut spent] = [(); 2].map(|()| Array3::zeros(shape));
        // The day on which each future first has each goal.
        let mut first = Array3::from_elem((customers.len(), goals, draws), u32::MAX);
        // Rows of the networks' states that the futures go on from, and the draw that each future is.
        let mut rows: Vec<usize> = futures.iter().map(|future| future.slot).collect();
        let mut draw_of: Vec<usize> = (0..customers.len()).flat_map(|_| 0..draws).collect();
        let mut begun = false;
        while !futures.is_empty() {
            // When the next group comes.
            let mut going_on = Vec::with_capacity(futures.len());
            let mut days = Vec::with_capacity(futures.len());
            for (at, future) in futures.iter_mut().enumerate() {
                let gap = future.gap(
                    model,
                    gaps.row(rows[at]).to_vec(),
                    if begun { None } else { Some(self.from) },
                );
                let day = future.last.day.saturating_add(gap);
                if day <= last_day {
                    going_on.push(at);
                    days.push(gap);
                }
            }
            let mut keep = going_on.iter().peekable();
            let mut at = 0;
            futures.retain(|_| (keep.next_if_eq(&&at).is_some(), at += 1).0);
            let from_rows: Vec<usize> = going_on.iter().map(|at| rows[*at]).collect();
            draw_of = going_on.iter().map(|at| draw_of[*at]).collect();
            if futures.is_empty() {
                break;
            }
            // Which goal it has.
            let mut steps = Steps::default();
            for (future, gap) in futures.iter().zip(&days) {
                let customer = customers[future.slot].0;
                model.encoder.push(&mut steps, Some(future.last), (covariates, customer), Next::Gap(*gap));
            }
            let encoded = steps.finish(model.encoder.variables(true), (futures.len(), 1))?;
            let (logits, states) = model.goals.advance(&encoded.inputs()?, select(&of_goals, &from_rows))?;
            of_goals = states;
            let probabilities = model.goal_probabilities(&logits);
            // What is spent, and where.
            for (at, future) in futures.iter_mut().enumerate() {
                let goal = draw(&probabilities.row(at).to_vec(), &mut future.rng);
                let group = own[future.slot]
                    .draw(goal, &mut future.rng)
                    .or_else(|| self.population.draw(goal, &mut future.rng));
                let group = group.or_else(|| self.population.any(&mut future.rng)).unwrap_or(0);
                let day = future.last.day.saturating_add(days[at]);
                future.that_day = if days[at] == 0 { future.that_day + 1 } else { 1 };
                future.last = Last {
                    day,
                    gap: Some(days[at]),
                    goal: goal as u16,
                    channel: sequences.channel[group],
                    spent: sequences.spent[group],
                };
                let ahead = day.saturating_sub(self.from) as u32;
                let earliest = &mut first[[future.slot, goal, draw_of[at]]];
                *earliest = ahead.min(*earliest);
                let reached = self.horizons.partition_point(|days| *days < ahead);
                for h in reached..horizons {
                    expected[[future.slot, goal, h]] += 1.0;
                    spent[[future.slot, goal, h]] += future.last.spent as f64;
                }
            }
            let mut steps = Steps::default();
            for future in &futures {
                let customer = customers[future.slot].0;
                model.encoder.push(&mut steps, Some(future.last), (covariates, customer), Next::Unseen);
            }
            let encoded = steps.finish(model.encoder.variables(false), (futures.len(), 1))?;
            let (logits, states) = model.days.advance(&encoded.inputs()?, select(&of_days, &from_rows))?;
            of_days = states;
            gaps = softmax(&logits, model.shape.temperatures.0);
            rows = (0..futures.len()).collect();
            begun = true;
        }
        let (mut within, mut first_day) = (Array3::zeros(shape), Array2::zeros((shape.0, shape.1)));
        arrivals(&mut first, self.horizons, within.view_mut(), &mut first_day);
        Ok(Sums { within, expected, spent, first_day })
    }

    /// The distribution of the next gap of each customer, nothing ruled out, and the states of the networks of days, after
    /// the last group, and of goals, before it.
    #[expect(
        clippy::type_complexity,
        reason = "three parts of one answer, taken apart where it is asked for"
    )]
    fn beginnings(
        &self,
        customers: &[(usize, usize)],
    ) -> Result<(Array2<f64>, Vec<State<f32>>, Vec<State<f32>>), Error> {
        let model = self.model;
        let read = |part: Part, with: usize| {
            let windows: Vec<Window> = customers
                .iter()
                .map(|(n, known)| {
                    let first = history_start(part, *known, model.shape.window);
                    Window { customer: *n as u32, first, steps: known + with - first }
                })
                .collect();
            model.reader(part, self.sequences, self.covariates).ends(&windows)
        };
        let (logits, of_days) = read(Part::Days, 1)?;
        let (_, of_goals) = read(Part::Goals, 0)?;
        Ok((softmax(&logits, model.shape.temperatures.0), of_days, of_goals))
    }
}

impl Future {
    /// Draws the days until the next group from the distribution of their categories; up to the day `known_until` there was
    /// none.
    fn gap(&mut self, model: &GoalModel, mut gaps: Vec<f64>, known_until: Option<i32>) -> i32 {
        let elapsed = elapsed(Some(self.last), known_until);
        if let Some(elapsed) = elapsed {
            rule_out(&mut gaps, elapsed);
        } else if self.that_day >= MOST_ON_ONE_DAY {
            rule_out(&mut gaps, 0);
        }
        let sizes = &model.encoder.sizes;
        let gap = draw(&gaps, &mut self.rng);
        if gap <= sizes.longest_gap {
            return gap as i32;
        }
        let least = elapsed.unwrap_or(0).max(sizes.longest_gap as i32);
        let mean = sizes.later_gap.saturating_sub(sizes.longest_gap).max(1) as f64;
        least.saturating_add(geometric(mean, &mut self.rng))
    }
}

impl Past {
    fn new(sequences: &Sequences, groups: impl Iterator<Item = usize> + Clone) -> Self {
        let goals = sequences.goals.len();
        let mut offsets = vec![0; goals + 1];
        for group in groups.clone() {
            offsets[sequences.goal[group] as usize + 1] += 1;
        }
        for goal in 0..goals {
            offsets[goal + 1] += offsets[goal];
        }
        let mut next = offsets.clone();
        let mut by_goal = vec![0; offsets[goals]];
        for group in groups {
            let at = &mut next[sequences.goal[group] as usize];
            by_goal[*at] = group;
            *at += 1;
        }
        Self { groups: by_goal, offsets }
    }

    /// A group of the goal, if there is one.
    fn draw<R: Rng>(&self, goal: usize, rng: &mut R) -> Option<usize> {
        pick(&self.groups[self.offsets[goal]..self.offsets[goal + 1]], rng)
    }

    /// A group of any goal, if there is one.
    fn any<R: Rng>(&self, rng: &mut R) -> Option<usize> {
        pick(&self.groups, rng)
    }
}

fn pick<R: Rng>(groups: &[usize], rng: &mut R) -> Option<usize> {
    if groups.is_empty() { None } else { Some(groups[rng.random_range(0..groups.len())]) }
}

/// From the first day of each goal in each future (customers x G x draws, `u32::MAX` for never): how many futures have it
/// within each horizon, and the day by which half of them have, NaN if they do not.
fn arrivals(
    first: &mut Array3<u32>,
    horizons: &[u32],
    mut within: ArrayViewMut3<'_, f64>,
    median: &mut Array2<f64>,
) {
    let (customers, goals, draws) = first.dim();
    for slot in 0..customers {
        for goal in 0..goals {
            let mut days = first.slice(s![slot, goal, ..]).to_vec();
            days.sort_unstable();
            for (h, horizon) in horizons.iter().enumerate() {
                within[[slot, goal, h]] = days.partition_point(|day| day <= horizon) as f64;
            }
            let half = days[(draws - 1) / 2];
            median[[slot, goal]] = if half == u32::MAX { f64::NAN } else { f64::from(half) };
        }
    }
}

/// The generator of one future of a customer.
fn generator(seed: u64, customer: usize, draw: usize) -> Xoshiro256PlusPlus {
    let mix = |value: u64| SplitMix64::seed_from_u64(value).next_u64();
    Xoshiro256PlusPlus::seed_from_u64(mix(mix(mix(seed) ^ customer as u64) ^ draw as u64))
}

/// A place drawn from probabilities that add up to 1.
fn draw<R: Rng>(probabilities: &[f64], rng: &mut R) -> usize {
    let mut left: f64 = rng.random();
    let mut likely = 0;
    for (at, p) in probabilities.iter().enumerate() {
        if *p > 0.0 {
            likely = at;
            left -= p;
            if left < 0.0 {
                break;
            }
        }
    }
    likely
}

/// A geometric number of days, 1 and more, of the given mean (at least 1).
fn geometric<R: Rng>(mean: f64, rng: &mut R) -> i32 {
    let left: f64 = 1.0 - rng.random::<f64>();
    let goes_on = 1.0 - 1.0 / mean;
    if goes_on <= 0.0 { 1 } else { 1 + (libm::log(left) / libm::log(goes_on)) as i32 }
}
