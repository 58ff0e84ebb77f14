//! Customers whose groups are read as they come, with states that are carried on.

use ndarray::{Array2, ArrayRef2};
use spendscape_lstm::State;
use spendscape_stats::check;

use super::{
    GoalModel,
    encode::{Last, Next, Own, Seen},
    predict::{NextGroup, Stand, elapsed, select},
    windows::Part,
};
use crate::{Covariates, Error, NewGroup, Sequences, SequencesBuilder};

/// Where customers stand after the groups that came, so that a further group takes one step instead of a window.
///
/// What is carried is the state of both networks, the last group, and what the inputs know of all groups. Predictions from it
/// are those of [`GoalModel::predict`] from the whole history, in every bit. Since those begin to read half a window to a
/// window before the group in question, two states are carried: the one that predictions are from, and its successor, which
/// began half a window later.
///
/// ```
/// use rand::SeedableRng;
/// use spendscape_goals::{
///     Calendar, Covariates, Event, GroupRules, Sequences, Target,
///     model::{GoalModel, InMemory},
/// };
///
/// let event = |day: u16| Event {
///     customer: 0, time: i64::from(day) * 86_400_000, amount: -100, class: day % 2, channel: 0, place: 0,
/// };
/// let goals = || vec!["food".to_owned(), "home".to_owned()];
/// let groups = |days: std::ops::Range<u16>| {
///     let events: Vec<Event> = days.map(event).collect();
///     Ok::<_, spendscape_goals::Error>(
///         Sequences::new(&events, 1, goals(), &[Some(0), Some(1)], GroupRules::default())?.0,
///     )
/// };
/// let (all, covariates) = (groups(0..20)?, Covariates::none(1));
/// let rng = &mut rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(1);
/// let params = GoalModel::params().units(4).epochs(1);
/// let model = params.fit(&InMemory::new(&all, &covariates, &[20], &[]), &Calendar::default(), 1, rng, |_| {})?;
///
/// let mut stream = model.stream(&goals(), 1)?;
/// model.advance(&mut stream, &groups(0..12)?, &covariates)?; // yesterday's groups
/// model.advance(&mut stream, &groups(12..20)?, &covariates)?; // today's
/// let from_stream = model.predict_stream(&stream, &covariates, None)?;
/// let from_history = model.predict(&all, &covariates, &[Target { customer: 0, position: 20 }], None)?;
/// assert_eq!(from_stream, from_history);
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Stream {
    /// Groups that came to each customer.
    counts: Vec<usize>,
    last: Vec<Option<Last>>,
    own: Vec<Own>,
    /// The last group of each customer who has one.
    groups: Sequences,
    days: Carried,
    goals: Carried,
    /// What the network of days said after the last group (customers x K).
    gaps: Array2<f32>,
}

/// States of one network.
#[derive(Debug, Clone)]
struct Carried {
    /// Those that predictions are from.
    now: Vec<State<f32>>,
    /// Those that began half a window later.
    next: Vec<State<f32>>,
}

impl Stream {
    /// Number of customers.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.counts.len()
    }

    /// Groups that came to a customer so far.
    ///
    /// # Panics
    /// If there is no such customer.
    #[must_use]
    pub fn groups(&self, customer: usize) -> usize {
        self.counts[customer]
    }
}

impl Carried {
    fn zero(customers: usize, layers: usize, units: usize) -> Self {
        let zero = || State { h: Array2::zeros((customers, units)), c: Array2::zeros((customers, units)) };
        let states = || (0..layers).map(|_| zero()).collect::<Vec<_>>();
        Self { now: states(), next: states() }
    }

    /// What predictions are from begins at the next half window from now on; `first` if it is the first such change, before
    /// which there is nothing to begin later than.
    fn roll(&mut self, customer: usize, first: bool) {
        for (now, next) in self.now.iter_mut().zip(&mut self.next) {
            for (now, next) in [(&mut now.h, &mut next.h), (&mut now.c, &mut next.c)] {
                if !first {
                    now.row_mut(customer).assign(&next.row(customer));
                }
                next.row_mut(customer).fill(0.0);
            }
        }
    }
}

/// Sets rows of every layer's state.
fn put(states: &mut [State<f32>], rows: &[usize], from: &[State<f32>]) {
    let set = |to: &mut Array2<f32>, from: &ArrayRef2<f32>| {
        rows.iter().enumerate().for_each(|(at, row)| to.row_mut(*row).assign(&from.row(at)));
    };
    for (to, from) in states.iter_mut().zip(from) {
        set(&mut to.h, &from.h);
        set(&mut to.c, &from.c);
    }
}

impl GoalModel {
    /// So many customers to whom nothing has come yet.
    ///
    /// # Errors
    /// `BadInput::ShapeMismatch` for another number of goals than the model's.
    pub fn stream(&self, goals: &[String], customers: usize) -> Result<Stream, Error> {
        check::length("goals of the stream", self.goals(), goals.len())?;
        let mut groups = SequencesBuilder::new(goals.to_vec());
        (0..customers).for_each(|_| groups.customer());
        let carried = || Carried::zero(customers, self.shape.layers, self.shape.units);
        Ok(Stream {
            counts: vec![0; customers],
            last: vec![None; customers],
            own: vec![self.encoder.nothing(); customers],
            groups: groups.finish(),
            days: carried(),
            goals: carried(),
            gaps: Array2::zeros((customers, self.gaps())),
        })
    }

    /// Reads the groups that came to each customer since the last ones, none to some of them.
    ///
    /// # Errors
    /// `BadInput::ShapeMismatch` for other customers, goals or covariates, `BadInput::InvalidParameter` for a group earlier than
    /// the customer's last one; then nothing was read. [`Error::Network`] if a network refuses; then each customer's groups were
    /// read up to the one before.
    pub fn advance(
        &self,
        stream: &mut Stream,
        coming: &Sequences,
        covariates: &Covariates,
    ) -> Result<(), Error> {
        check::length("customers of the stream", stream.customers(), coming.customers())?;
        self.check(coming, covariates, &[])?;
        for (n, last) in stream.last.iter().enumerate() {
            if let (Some(last), Some(first)) = (last, coming.groups(n).day.first()) {
                let days = f64::from(*first) - f64::from(last.day);
                check::parameter(
                    "days from a customer's last group to the next",
                    days,
                    days >= 0.0,
                    "0 and more",
                )?;
            }
        }
        let most = (0..coming.customers()).map(|n| coming.groups(n).len()).max().unwrap_or(0);
        for round in 0..most {
            let rows: Vec<usize> =
                (0..coming.customers()).filter(|n| coming.groups(*n).len() > round).collect();
            self.read_group(stream, coming, covariates, round, &rows)?;
        }
        Ok(())
    }

    /// The distribution of every customer's next group; with `known_until` as in [`Self::predict`].
    ///
    /// # Errors
    /// `BadInput::ShapeMismatch` for covariates of other customers.
    pub fn predict_stream(
        &self,
        stream: &Stream,
        covariates: &Covariates,
        known_until: Option<i32>,
    ) -> Result<NextGroup, Error> {
        self.check(&stream.groups, covariates, &[])?;
        let stand = |customer: usize| {
            let (last, own) = (stream.last[customer], stream.own[customer].clone());
            Stand { customer, last, own, elapsed: elapsed(last, known_until) }
        };
        let stands: Vec<Stand> = (0..stream.customers()).map(stand).collect();
        let gaps = self.gap_probabilities(&stream.gaps, &stands);
        let goals = self.goals_over_gaps(&stream.groups, covariates, &stream.goals.now, &gaps, &stands)?;
        Ok(NextGroup { goals, gaps })
    }

    /// Reads one group of each of these customers.
    fn read_group(
        &self,
        stream: &mut Stream,
        coming: &Sequences,
        covariates: &Covariates,
        round: usize,
        rows: &[usize],
    ) -> Result<(), Error> {
        let encoder = &self.encoder;
        let half = (self.shape.window / 2).max(1);
        // The network of goals takes the step before the group, now that its day is known.
        let mut steps = encoder.steps(rows.len(), encoder.variables(Part::Goals.sees_next()));
        for &customer in rows {
            let (last, own) = (stream.last[customer], &stream.own[customer]);
            let day = coming.groups(customer).day[round];
            let next = last.map_or(Next::Unknown, |last| Next::Gap(day.saturating_sub(last.day)));
            encoder.push(
                &mut steps,
                &Seen { sequences: &stream.groups, covariates, customer, last, own },
                next,
            );
        }
        let encoded = steps.finish(rows.len(), 1)?;
        let (_, now) = self.goals.advance(&encoded.inputs()?, select(&stream.goals.now, rows))?;
        let (_, next) = self.goals.advance(&encoded.inputs()?, select(&stream.goals.next, rows))?;
        let mut goals = Carried { now, next };
        let mut days = Carried { now: select(&stream.days.now, rows), next: select(&stream.days.next, rows) };
        // The network of days takes the step after it.
        let mut steps = encoder.steps(rows.len(), encoder.variables(Part::Days.sees_next()));
        let (mut lasts, mut owns) = (stream.last.clone(), Vec::with_capacity(rows.len()));
        for (at, &customer) in rows.iter().enumerate() {
            let new = Last::of(coming, customer, round);
            let gap = stream.last[customer].map(|last| new.day.saturating_sub(last.day));
            let last = Some(Last { gap, ..new });
            lasts[customer] = last;
            let mut own = stream.own[customer].clone();
            own.add(new.goal, new.day);
            let count = stream.counts[customer] + 1;
            if count.is_multiple_of(half) {
                goals.roll(at, count == half);
                days.roll(at, count == half);
            }
            let seen = Seen { sequences: coming, covariates, customer, last, own: &own };
            encoder.push(&mut steps, &seen, Next::Unseen);
            owns.push(own);
        }
        let encoded = steps.finish(rows.len(), 1)?;
        let (gaps, now) = self.days.advance(&encoded.inputs()?, days.now)?;
        let (_, next) = self.days.advance(&encoded.inputs()?, days.next)?;
        let days = Carried { now, next };
        let groups = stream.last_groups(&mut lasts, coming, round, rows)?;
        // Nothing is kept before everything is known.
        for (to, from) in [(&mut stream.goals, &goals), (&mut stream.days, &days)] {
            put(&mut to.now, rows, &from.now);
            put(&mut to.next, rows, &from.next);
        }
        for (at, (&row, own)) in rows.iter().zip(owns).enumerate() {
            stream.counts[row] += 1;
            stream.own[row] = own;
            stream.gaps.row_mut(row).assign(&gaps.row(at));
        }
        (stream.last, stream.groups) = (lasts, groups);
        Ok(())
    }
}

impl Stream {
    /// The last group of each customer: of `rows` the one that came, of the others the one that is kept. `lasts` is told where.
    fn last_groups(
        &self,
        lasts: &mut [Option<Last>],
        coming: &Sequences,
        round: usize,
        rows: &[usize],
    ) -> Result<Sequences, Error> {
        let mut groups = SequencesBuilder::new(self.groups.goals().to_vec());
        let mut rows = rows.iter().copied().peekable();
        for (customer, last) in lasts.iter_mut().enumerate() {
            groups.customer();
            let Some(last) = last else { continue };
            let came = rows.next_if_eq(&customer).is_some();
            let (from, at) = if came { (coming, round) } else { (&self.groups, 0) };
            let of = from.groups(customer);
            let (day, goal, channel) = (of.day[at], of.goal[at], of.channel[at]);
            let group = NewGroup { day, goal, channel, place: of.place[at], hour: of.hour[at] };
            last.group = groups.len();
            groups.group(group, &from.items(customer, at).collect::<Vec<_>>())?;
        }
        Ok(groups.finish())
    }
}
