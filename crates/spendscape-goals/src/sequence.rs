//! Event groups of customers in the order of time.

use std::ops::Range;

use rand::{Rng, RngExt};
use spendscape_stats::check;

use crate::Error;

/// One transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Customer, from 0.
    pub customer: u32,
    /// Local wall-clock time in milliseconds since 1970.
    pub time: i64,
    /// Minor units of the currency; negative is money spent.
    pub amount: i64,
    /// Class, from 0.
    pub class: u16,
    /// Channel, from 0; all zero where none is known.
    pub channel: u16,
    /// Place, from 0; all zero where none is known.
    pub place: u16,
}

/// Which transactions of a customer form one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupBy {
    /// Those of one day: banks book by the day, and the order inside it says nothing.
    #[default]
    Day,
    /// Those with one timestamp: an invoice.
    Time,
}

/// The rule for the goal of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GoalRule {
    /// The goal on which most money was spent; among equals the first.
    #[default]
    MostMoney,
    /// The goal of the largest transaction; among equals the first. Where many small things of all kinds share one class,
    /// that class has most money in nearly every group.
    Largest,
}

/// How transactions form groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupRules {
    /// Which transactions belong together.
    pub by: GroupBy,
    /// The rule for the group's goal.
    pub goal: GoalRule,
    /// Last day that counts, since 1970-01-01.
    pub until: Option<i32>,
}

/// Transactions that are in no group, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Excluded {
    /// Money that came in: income and refunds.
    pub inflows: usize,
    /// Of a class that has no goal, such as income.
    pub without_goal: usize,
    /// Later than the day up to which events count.
    pub future: usize,
    /// Not left out, but earlier than the one before it in the ledger.
    pub out_of_order: usize,
}

/// The event groups of all customers, by customer and time.
///
/// A group is what a customer did on one day (or in one invoice); [`GroupRules`] say what its goal is. Groups are the steps of
/// every model here, so that nothing is ever predicted inside one timestamp.
///
/// ```
/// use spendscape_goals::{Event, GroupRules, Sequences};
///
/// // Two purchases on one day and one on the next: most of the first day's money went to goal 1.
/// let event = |time, amount, class| Event { customer: 0, time, amount, class, channel: 0, place: 0 };
/// let events = [event(0, -500, 0), event(0, -900, 1), event(86_400_000, -300, 0)];
/// let goals = vec!["food".to_owned(), "home".to_owned()];
/// let (sequences, _) = Sequences::new(&events, 1, goals, &[Some(0), Some(1)], GroupRules::default())?;
/// assert_eq!(sequences.groups(0).goal, [1, 0]);
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sequences {
    pub(crate) goals: Vec<String>,
    /// First group of each customer, and the number of groups (N + 1).
    pub(crate) offsets: Vec<usize>,
    pub(crate) day: Vec<i32>,
    pub(crate) goal: Vec<u16>,
    pub(crate) spent: Vec<i64>,
    pub(crate) channel: Vec<u16>,
    pub(crate) place: Vec<u16>,
    pub(crate) hour: Vec<u8>,
    /// First item of each group, and the number of items.
    pub(crate) item_offsets: Vec<usize>,
    pub(crate) item_class: Vec<u16>,
    pub(crate) item_spent: Vec<i64>,
}

/// The groups of one customer, in the order of time.
#[derive(Debug, Clone, Copy)]
pub struct Groups<'a> {
    /// Day of each group, since 1970-01-01.
    pub day: &'a [i32],
    /// Goal of each group.
    pub goal: &'a [u16],
    /// Money spent in each group, minor units.
    pub spent: &'a [i64],
    /// Channel of each group's largest transaction.
    pub channel: &'a [u16],
    /// Its place.
    pub place: &'a [u16],
    /// Its hour of the day, 0 to 23.
    pub hour: &'a [u8],
}

impl Groups<'_> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.day.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.day.is_empty()
    }
}

/// A group to be predicted from those of the same customer before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// Customer, from 0.
    pub customer: u32,
    /// Position among the customer's groups, from 0: the number of groups that it is predicted from.
    pub position: u32,
}

impl Sequences {
    /// Groups the events of `customers` customers. `goal_of_class` gives the goal of each class, `None` for classes that
    /// are no spending.
    ///
    /// Events may come in any order; those of a group are ordered by class, amount, channel, place and time, so that the
    /// order of rows does not matter. A customer without events has no groups.
    ///
    /// # Errors
    /// `BadInput::OutOfRange` for an event of a customer or class that does not exist, or a class of such a goal.
    pub fn new(
        events: &[Event],
        customers: usize,
        goals: Vec<String>,
        goal_of_class: &[Option<usize>],
        rules: GroupRules,
    ) -> Result<(Self, Excluded), Error> {
        for &goal in goal_of_class.iter().flatten() {
            check::index("goal", goal, goals.len())?;
        }
        let mut left = Excluded::default();
        let mut kept = Vec::with_capacity(events.len());
        let mut latest = vec![i64::MIN; customers];
        for event in events {
            let customer = event.customer as usize;
            let class = event.class as usize;
            check::index("customer", customer, customers)?;
            check::index("class", class, goal_of_class.len())?;
            let goal = &goal_of_class[class];
            if rules.until.is_some_and(|until| day_of(event.time) > until) {
                left.future += 1;
                continue;
            }
            left.out_of_order += usize::from(event.time < latest[customer]);
            latest[customer] = latest[customer].max(event.time);
            match goal {
                None => left.without_goal += 1,
                Some(_) if event.amount >= 0 => left.inflows += 1,
                Some(_) => kept.push(*event),
            }
        }
        let key = |event: &Event| match rules.by {
            GroupBy::Day => i64::from(day_of(event.time)),
            GroupBy::Time => event.time,
        };
        kept.sort_unstable_by_key(|event| {
            let Event { customer, class, amount, channel, place, time } = *event;
            (customer, key(event), class, amount, channel, place, time)
        });
        let mut sequences =
            Self { goals, offsets: vec![0; customers + 1], item_offsets: vec![0], ..Self::default() };
        let mut by_goal = vec![0_i64; sequences.goals.len()];
        for group in kept.chunk_by(|a, b| a.customer == b.customer && key(a) == key(b)) {
            by_goal.fill(0);
            for items in group.chunk_by(|a, b| a.class == b.class) {
                let class = items[0].class;
                let spent = items.iter().fold(0_i64, |sum, event| sum.saturating_sub(event.amount));
                sequences.item_class.push(class);
                sequences.item_spent.push(spent);
                if let Some(goal) = goal_of_class[class as usize] {
                    by_goal[goal] = by_goal[goal].saturating_add(spent);
                }
            }
            let largest = group.iter().min_by_key(|event| event.amount);
            let goal = match rules.goal {
                GoalRule::MostMoney => {
                    let most = by_goal.iter().copied().max().unwrap_or(0);
                    by_goal.iter().position(|spent| *spent == most)
                }
                GoalRule::Largest => {
                    let amount = largest.map(|event| event.amount);
                    let among = group.iter().filter(|event| Some(event.amount) == amount);
                    among.filter_map(|event| goal_of_class[event.class as usize]).min()
                }
            };
            let goal = goal.unwrap_or(0);
            sequences.item_offsets.push(sequences.item_class.len());
            sequences.day.push(day_of(group[0].time));
            sequences.goal.push(goal as u16);
            sequences.spent.push(by_goal.iter().copied().fold(0, i64::saturating_add));
            sequences.channel.push(largest.map_or(0, |event| event.channel));
            sequences.place.push(largest.map_or(0, |event| event.place));
            sequences.hour.push(largest.map_or(0, |event| hour_of(event.time)));
            sequences.offsets[group[0].customer as usize + 1] += 1;
        }
        for n in 0..customers {
            sequences.offsets[n + 1] += sequences.offsets[n];
        }
        Ok((sequences, left))
    }

    /// Names of the goals (G).
    #[must_use]
    pub fn goals(&self) -> &[String] {
        &self.goals
    }

    /// Number of customers (N).
    #[must_use]
    pub fn customers(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Number of groups of all customers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.day.len()
    }

    /// Whether there are no groups.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.day.is_empty()
    }

    /// The groups of a customer.
    ///
    /// # Panics
    /// If there is no such customer.
    #[must_use]
    pub fn groups(&self, customer: usize) -> Groups<'_> {
        let at = self.offsets[customer]..self.offsets[customer + 1];
        Groups {
            day: &self.day[at.clone()],
            goal: &self.goal[at.clone()],
            spent: &self.spent[at.clone()],
            channel: &self.channel[at.clone()],
            place: &self.place[at.clone()],
            hour: &self.hour[at],
        }
    }

    /// Classes of a customer's group with the money spent on each, by class.
    ///
    /// # Panics
    /// If there is no such customer or group.
    pub fn items(&self, customer: usize, position: usize) -> impl Iterator<Item = (u16, i64)> + '_ {
        let group = self.offsets[customer] + position;
        assert!(group < self.offsets[customer + 1], "customer {customer} has no group {position}");
        let at = self.item_offsets[group]..self.item_offsets[group + 1];
        self.item_class[at.clone()].iter().copied().zip(self.item_spent[at].iter().copied())
    }

    /// The goal that came true.
    ///
    /// # Panics
    /// If there is no such group.
    #[must_use]
    pub fn goal(&self, target: Target) -> usize {
        self.groups(target.customer as usize).goal[target.position as usize] as usize
    }

    /// The groups of every customer at the positions that `of` says, such as those that came since a day.
    ///
    /// # Panics
    /// If a customer has no such groups.
    #[must_use]
    pub fn part(&self, of: impl Fn(usize) -> Range<usize>) -> Self {
        let mut part =
            Self { goals: self.goals.clone(), offsets: vec![0], item_offsets: vec![0], ..Self::default() };
        for n in 0..self.customers() {
            let (first, end) = (self.offsets[n], self.offsets[n + 1]);
            let at = first + of(n).start..first + of(n).end;
            assert!(at.start <= at.end && at.end <= end, "customer {n} has {} groups", end - first);
            part.day.extend(&self.day[at.clone()]);
            at.for_each(|group| part.copy(self, group));
            part.offsets.push(part.day.len());
        }
        part
    }

    /// Adds what is in a group, apart from its day.
    fn copy(&mut self, from: &Self, group: usize) {
        self.goal.push(from.goal[group]);
        self.spent.push(from.spent[group]);
        self.channel.push(from.channel[group]);
        self.place.push(from.place[group]);
        self.hour.push(from.hour[group]);
        let items = from.item_offsets[group]..from.item_offsets[group + 1];
        self.item_class.extend(&from.item_class[items.clone()]);
        self.item_spent.extend(&from.item_spent[items]);
        self.item_offsets.push(self.item_class.len());
    }

    /// These groups with a share of them replaced by others, evenly drawn from all: days stay, and everything else is of the
    /// group that was drawn. What a history looks like under noise; what came true is told by the groups themselves.
    ///
    /// # Errors
    /// `BadInput::InvalidParameter` for a share outside 0 to 1.
    pub fn with_noise<R: Rng + ?Sized>(&self, share: f64, rng: &mut R) -> Result<Self, Error> {
        check::parameter("the share of noise", share, (0.0..=1.0).contains(&share), "0 to 1")?;
        let mut noisy = Self {
            goals: self.goals.clone(),
            offsets: self.offsets.clone(),
            day: self.day.clone(),
            item_offsets: vec![0],
            ..Self::default()
        };
        for group in 0..self.len() {
            let from = if rng.random::<f64>() < share { rng.random_range(0..self.len()) } else { group };
            noisy.copy(self, from);
        }
        Ok(noisy)
    }

    /// Every group with at least one before it.
    pub fn targets(&self) -> impl Iterator<Item = Target> + '_ {
        (0..self.customers()).flat_map(|n| {
            let groups = self.offsets[n + 1] - self.offsets[n];
            (1..groups).map(move |position| Target { customer: n as u32, position: position as u32 })
        })
    }
}

/// Day of a time in milliseconds, both since 1970.
fn day_of(time: i64) -> i32 {
    time.div_euclid(86_400_000).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// Hour of the day of a time in milliseconds since 1970, 0 to 23.
fn hour_of(time: i64) -> u8 {
    (time.rem_euclid(86_400_000) / 3_600_000) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn event(customer: u32, time: i64, amount: i64, class: u16) -> Event {
        Event { customer, time, amount, class, channel: class, place: 0 }
    }

    fn build(events: &[Event], grouping: GroupBy) -> (Sequences, Excluded) {
        let goals = vec!["a".to_owned(), "b".to_owned()];
        let rules = GroupRules { by: grouping, until: Some(10), ..GroupRules::default() };
        Sequences::new(events, 3, goals, &[Some(0), Some(1), Some(1), None], rules).unwrap()
    }

    #[test]
    fn a_day_is_one_group_with_the_goal_of_most_money() {
        let events = [
            event(1, DAY + 5, -60, 0),
            event(1, DAY, -50, 1),
            event(1, DAY + 9, -50, 2),
            event(1, 3 * DAY, -10, 0),
            event(0, 2 * DAY, 7, 0),
            event(0, 2 * DAY, -7, 3),
            event(0, 11 * DAY, -7, 0),
        ];
        let (sequences, left) = build(&events, GroupBy::Day);
        assert_eq!(left, Excluded { inflows: 1, without_goal: 1, future: 1, out_of_order: 1 });
        assert_eq!([0, 1, 2].map(|n| sequences.groups(n).len()), [0, 2, 0]);
        let groups = sequences.groups(1);
        assert_eq!((groups.day, groups.goal, groups.spent), (&[1, 3][..], &[1, 0][..], &[160, 10][..]));
        // The largest single transaction is of class 0, though most money went to goal b.
        assert_eq!(groups.channel, [0, 0]);
        assert_eq!(sequences.items(1, 0).collect::<Vec<_>>(), [(0, 60), (1, 50), (2, 50)]);
        assert_eq!(sequences.targets().collect::<Vec<_>>(), [Target { customer: 1, position: 1 }]);
        let (by_time, _) = build(&events, GroupBy::Time);
        assert_eq!(by_time.groups(1).goal, [1, 0, 1, 0]);
        let rules = GroupRules { goal: GoalRule::Largest, ..GroupRules::default() };
        let goals = vec!["a".to_owned(), "b".to_owned()];
        let (by_largest, _) =
            Sequences::new(&events, 3, goals, &[Some(0), Some(1), Some(1), None], rules).unwrap();
        assert_eq!(by_largest.groups(1).goal, [0, 0], "60 of a is the largest, though b has 100");
    }

    #[test]
    fn noise_replaces_groups_and_leaves_their_days() {
        use rand::SeedableRng;
        let mut events: Vec<Event> = (0..900)
            .map(|k| event(k % 3, i64::from(k) * DAY / 100, -1 - i64::from(k % 7), (k % 3) as u16))
            .collect();
        events.push(event(0, 0, -5, 1));
        let sequences = build(&events, GroupBy::Time).0;
        let noisy = |share, seed| {
            let rng = &mut rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(seed);
            sequences.with_noise(share, rng)
        };
        assert_eq!(noisy(0.0, 1).unwrap(), sequences);
        let some = noisy(0.25, 1).unwrap();
        assert_eq!((&some.day, &some.offsets), (&sequences.day, &sequences.offsets));
        // Money is 1 to 7 minor units: six of seven replacements differ.
        let moved = some.spent.iter().zip(&sequences.spent).filter(|(a, b)| a != b).count() as f64;
        let expected = 0.25 * 6.0 / 7.0 * sequences.len() as f64;
        assert!((moved - expected).abs() < 40.0, "{moved} {expected}");
        assert_eq!(noisy(0.25, 1).unwrap(), some);
        assert!(noisy(0.25, 2).unwrap() != some && noisy(1.5, 1).is_err());
    }

    #[test]
    fn the_order_of_rows_does_not_matter_and_negative_times_have_days() {
        let mut events: Vec<Event> = (0..40)
            .map(|k| {
                event(k % 3, i64::from(k * 7 % 13) * DAY / 2 - DAY, -i64::from(k % 5) - 1, (k % 3) as u16)
            })
            .collect();
        let (forward, _) = build(&events, GroupBy::Day);
        events.reverse();
        let (backward, _) = build(&events, GroupBy::Day);
        assert_eq!(forward, backward);
        assert_eq!(forward.groups(0).day[0], -1);
    }

    #[test]
    fn strangers_are_refused() {
        let goals = || vec!["a".to_owned()];
        let refused =
            |event, goal| Sequences::new(&[event], 1, goals(), &[Some(goal)], GroupRules::default()).is_err();
        assert!(
            refused(event(1, 0, -1, 0), 0)
                && refused(event(0, 0, -1, 1), 0)
                && refused(event(0, 0, -1, 0), 1)
        );
        assert!(!refused(event(0, 0, -1, 0), 0));
    }

    #[test]
    fn extreme_times_and_amounts_saturate() {
        let events =
            [event(0, i64::MIN, i64::MIN, 1), event(0, i64::MIN, i64::MIN, 2), event(0, i64::MAX, -1, 0)];
        let goals = vec!["a".to_owned(), "b".to_owned()];
        let classes = [Some(0), Some(1), Some(1)];
        let (sequences, _) = Sequences::new(&events, 1, goals, &classes, GroupRules::default()).unwrap();
        assert_eq!(sequences.groups(0).spent, [i64::MAX, 1]);
        assert_eq!(sequences.groups(0).day, [i32::MIN, i32::MAX]);
    }
}
