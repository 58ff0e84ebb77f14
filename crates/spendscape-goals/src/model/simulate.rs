//! Outlooks on the days to come, by simulation.

use ndarray::{Array2, Array3, Axis, s};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus};
use rayon::prelude::*;
use spendscape_lstm::State;
use spendscape_stats::check;

use super::{
    GoalModel,
    encode::{Last, Next, Own, Seen},
    predict::{elapsed, rule_out, select},
    softmax::softmax,
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
    /// Place of the customer in the chunk, and of the future among the customer's.
    slot: usize,
    draw: usize,
    rng: Xoshiro256PlusPlus,
    last: Last,
    /// All groups up to it, those that were drawn among them.
    own: Own,
    /// Groups on the day of the last one.
    that_day: usize,
    /// Days until the next group.
    wait: i32,
    /// Row of the states that it goes on from.
    row: usize,
}

/// The results of a chunk of customers' futures: sums over draws, customers x G x H; median days until the first
/// (customers x G).
struct Sums {
    within: Array3<f64>,
    expected: Array3<f64>,
    spent: Array3<f64>,
    first_day: Array2<f64>,
}

/// Where the futures of a chunk stand: states of the networks of days, after the last group, and of goals, before it, and
/// the distribution of the next gap, nothing ruled out. All by row.
struct Standing {
    gaps: Array2<f64>,
    of_days: Vec<State<f32>>,
    of_goals: Vec<State<f32>>,
}

/// The setup of a simulation.
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
    /// The outlook of every customer on the days after `from` (since 1970-01-01), up to `horizons` days ahead:
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
    /// `BadInput::ShapeMismatch` for other goals or customers, `BadInput::InvalidParameter` for a number of draws or a day
    /// outside its range and horizons that do not ascend, `BadInput::TooFew` without horizons.
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
        check::parameter("draws", draws as f64, (1..=MOST_DRAWS).contains(&draws), "1 to 100000")?;
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
        let (draws, goals) = (self.simulation.draws, self.model.goals());
        let last_day = self.from.saturating_add(self.horizons.last().map_or(0, |days| *days as i32));
        let mut standing = self.beginnings(customers)?;
        let mut futures = self.futures(customers);
        let own: Vec<Past> = customers
            .iter()
            .map(|(n, known)| {
                let first = self.sequences.offsets[*n];
                Past::new(self.sequences, first..first + known)
            })
            .collect();
        let shape = (customers.len(), goals, self.horizons.len());
        let [within, expected, spent] = [(); 3].map(|()| Array3::zeros(shape));
        let mut sums = Sums { within, expected, spent, first_day: Array2::zeros((shape.0, shape.1)) };
        // The day on which each future first has each goal.
        let mut first = Array3::from_elem((customers.len(), goals, draws), u32::MAX);
        let mut known_until = Some(self.from);
        loop {
            for future in &mut futures {
                let gaps = standing.gaps.row(future.row);
                future.wait = future.draw_gap(self.model, gaps.to_vec(), known_until);
            }
            known_until = None;
            futures.retain(|future| future.next_day() <= last_day);
            if futures.is_empty() {
                arrivals(&first, self.horizons, &mut sums);
                return Ok(sums);
            }
            let rows: Vec<usize> = futures.iter().map(|future| future.row).collect();
            let next = |future: &Future| Next::Gap(future.wait);
            let of_goals = select(&standing.of_goals, &rows);
            let (logits, of_goals) = self.read(Part::Goals, customers, &futures, next, of_goals)?;
            let probabilities = self.model.goal_probabilities(&logits);
            for (future, probabilities) in futures.iter_mut().zip(probabilities.rows()) {
                let goal = draw(probabilities.iter().copied(), &mut future.rng);
                self.happen(future, goal, &own[future.slot]);
                let ahead = future.last.day.saturating_sub(self.from) as u32;
                let earliest = &mut first[[future.slot, goal, future.draw]];
                *earliest = ahead.min(*earliest);
                for h in self.horizons.partition_point(|days| *days < ahead)..self.horizons.len() {
                    sums.expected[[future.slot, goal, h]] += 1.0;
                    sums.spent[[future.slot, goal, h]] += self.sequences.spent[future.last.group] as f64;
                }
            }
            let of_days = select(&standing.of_days, &rows);
            let (logits, of_days) = self.read(Part::Days, customers, &futures, |_| Next::Unseen, of_days)?;
            standing =
                Standing { gaps: softmax(&logits, self.model.shape.temperatures.0), of_days, of_goals };
            futures.iter_mut().enumerate().for_each(|(row, future)| future.row = row);
        }
    }

    /// Every draw of every customer, before anything has happened.
    fn futures(&self, customers: &[(usize, usize)]) -> Vec<Future> {
        let future = |slot: usize, draw: usize| {
            let (n, known) = customers[slot];
            let rng = generator(self.simulation.seed, n, draw);
            let last = Last::of(self.sequences, n, known - 1);
            let own = self.model.encoder.own(self.sequences, n, known);
            Future { slot, draw, rng, last, own, that_day: 0, wait: 0, row: slot }
        };
        let draws = self.simulation.draws;
        (0..customers.len()).flat_map(|slot| (0..draws).map(move |draw| future(slot, draw))).collect()
    }

    /// Lets one of the networks read the last group of every future from these states: outputs, and states after it.
    fn read(
        &self,
        part: Part,
        customers: &[(usize, usize)],
        futures: &[Future],
        next: impl Fn(&Future) -> Next,
        states: Vec<State<f32>>,
    ) -> Result<(Array2<f32>, Vec<State<f32>>), Error> {
        let encoder = &self.model.encoder;
        let mut steps = encoder.steps(futures.len(), encoder.variables(part.sees_next()));
        let (sequences, covariates) = (self.sequences, self.covariates);
        for future in futures {
            let customer = customers[future.slot].0;
            let (last, own) = (Some(future.last), &future.own);
            encoder.push(&mut steps, &Seen { sequences, covariates, customer, last, own }, next(future));
        }
        let encoded = steps.finish(futures.len(), 1)?;
        let network = if part == Part::Days { &self.model.days } else { &self.model.goals };
        Ok(network.advance(&encoded.inputs()?, states)?)
    }

    /// The next group of a future comes, with this goal; all else that is in it is that of a past one.
    fn happen(&self, future: &mut Future, goal: usize, own: &Past) {
        let rng = &mut future.rng;
        let group = own.draw(goal, rng).or_else(|| self.population.draw(goal, rng));
        // Whoever has a future has a group, so that there is one.
        let group = group.or_else(|| self.population.draw_any(rng)).unwrap_or(0);
        future.that_day = if future.wait == 0 { future.that_day + 1 } else { 1 };
        future.last = Last { day: future.next_day(), gap: Some(future.wait), goal: goal as u16, group };
        future.own.add(goal as u16, future.last.day);
    }

    /// Where the customers stand after the groups that are known.
    fn beginnings(&self, customers: &[(usize, usize)]) -> Result<Standing, Error> {
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
        Ok(Standing { gaps: softmax(&logits, model.shape.temperatures.0), of_days, of_goals })
    }
}

impl Future {
    fn next_day(&self) -> i32 {
        self.last.day.saturating_add(self.wait)
    }

    /// Draws the days until the next group from the distribution of their categories; up to the day `known_until` there was
    /// none.
    fn draw_gap(&mut self, model: &GoalModel, mut gaps: Vec<f64>, known_until: Option<i32>) -> i32 {
        let elapsed = elapsed(Some(self.last), known_until);
        if let Some(elapsed) = elapsed {
            rule_out(&mut gaps, elapsed);
        } else if self.that_day >= MOST_ON_ONE_DAY {
            rule_out(&mut gaps, 0);
        }
        let sizes = &model.encoder.sizes;
        let gap = draw(gaps.into_iter(), &mut self.rng);
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
    fn draw<R: Rng + ?Sized>(&self, goal: usize, rng: &mut R) -> Option<usize> {
        pick(&self.groups[self.offsets[goal]..self.offsets[goal + 1]], rng)
    }

    /// A group of any goal, if there is one.
    fn draw_any<R: Rng + ?Sized>(&self, rng: &mut R) -> Option<usize> {
        pick(&self.groups, rng)
    }
}

fn pick<R: Rng + ?Sized>(groups: &[usize], rng: &mut R) -> Option<usize> {
    if groups.is_empty() { None } else { Some(groups[rng.random_range(0..groups.len())]) }
}

/// From the first day of each goal in each future (customers x G x draws, `u32::MAX` for never): how many futures have it
/// within each horizon, and the day by which half of them have, NaN if they do not.
fn arrivals(first: &Array3<u32>, horizons: &[u32], sums: &mut Sums) {
    let (customers, goals, draws) = first.dim();
    for slot in 0..customers {
        for goal in 0..goals {
            let mut days = first.slice(s![slot, goal, ..]).to_vec();
            days.sort_unstable();
            for (h, horizon) in horizons.iter().enumerate() {
                sums.within[[slot, goal, h]] = days.partition_point(|day| day <= horizon) as f64;
            }
            let half = days[(draws - 1) / 2];
            sums.first_day[[slot, goal]] = if half == u32::MAX { f64::NAN } else { f64::from(half) };
        }
    }
}

/// The generator of one future of a customer.
fn generator(seed: u64, customer: usize, draw: usize) -> Xoshiro256PlusPlus {
    let mix = |value: u64| SplitMix64::seed_from_u64(value).next_u64();
    Xoshiro256PlusPlus::seed_from_u64(mix(mix(mix(seed) ^ customer as u64) ^ draw as u64))
}

/// A place drawn from probabilities that add up to 1.
fn draw<R: Rng + ?Sized>(probabilities: impl Iterator<Item = f64>, rng: &mut R) -> usize {
    let mut left: f64 = rng.random();
    let mut likely = 0;
    for (at, p) in probabilities.enumerate() {
        if p > 0.0 {
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
fn geometric<R: Rng + ?Sized>(mean: f64, rng: &mut R) -> i32 {
    let left: f64 = 1.0 - rng.random::<f64>();
    let goes_on = 1.0 - 1.0 / mean;
    if goes_on <= 0.0 { 1 } else { 1 + (libm::log(left) / libm::log(goes_on)) as i32 }
}
