//! Steps of a customer as categories and numbers for a network.
//!
//! Step 0 is the start, before anything happened; step s holds group s - 1. The network of goals also sees the day on
//! which the next group comes: which day it is is the other network's business.

use ndarray::Array3;
use serde::{Deserialize, Serialize};
use spendscape_lstm::Inputs;
use spendscape_stats::BadInput;

use super::inputs::{Input, InputSet};
use crate::{Calendar, Covariates, Error, Sequences, calendar::civil};

/// Days until a holiday that the network can see ahead.
const HOLIDAY_AHEAD: usize = 14;
/// Days since payday that have a category of their own.
const SINCE_PAYDAY: usize = 31;

/// The code of an unknown number of days until the end of the month: months end after 28 to 31 days, and what comes at
/// their end comes so many days later.
const BEFORE_MONTH_END: usize = 31;

/// Hours of a day, and the code of an unknown one.
const HOURS: usize = 24;
/// The first day of each category of days since a goal: single days for a week, then ever coarser. The longest and the shortest
/// month are one, so that what comes monthly looks the same in February. A further category stands for never.
const SINCE: [i32; 21] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 16, 20, 24, 27, 34, 45, 62, 92, 184, 367];

/// Deviations from its mean beyond which a value of a series is as far away as any.
const FARTHEST_VALUE: f64 = 1e6;

/// Days from 1970 on that are looked up: a century. Others are told from the calendar each time.
const LOOKED_UP: i32 = 36_525;

/// The encoding of one step of a customer.
#[derive(Debug, Clone)]
pub(crate) struct Encoder {
    pub(crate) sizes: Sizes,
    pub(crate) calendar: Calendar,
    /// The categories of the days that are looked up.
    days: Vec<DayIds>,
}

/// The categories of a day.
#[derive(Debug, Clone, Copy)]
struct DayIds {
    weekday: u8,
    day_of_month: u8,
    before_month_end: u8,
    month: u8,
    since_payday: u8,
    holiday_ahead: u8,
    holiday: bool,
    promotion: u16,
}

/// How many of everything there are, and what numbers are divided by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sizes {
    /// Goals (G).
    pub(crate) goals: usize,
    /// Channels.
    pub(crate) channels: usize,
    /// Levels of each covariate.
    pub(crate) covariates: Vec<usize>,
    /// Longest gap between groups that has a category of its own, in days.
    pub(crate) longest_gap: usize,
    /// The gap that stands for all longer ones.
    pub(crate) later_gap: usize,
    /// Mean and standard deviation of ln(1 + money spent in a group).
    pub(crate) spent: (f32, f32),
    /// Months, from January, whose season is known: they were trained on in several years.
    pub(crate) seasons: [bool; 12],
    /// What is seen.
    pub(crate) inputs: InputSet,
    /// Places, classes inside groups, and share of each goal, as the training groups have them; none where they are not seen.
    pub(crate) places: usize,
    pub(crate) classes: usize,
    pub(crate) shares: Vec<f32>,
    /// Mean and standard deviation of each economic series over the training groups, the latter 0 where it did not move.
    pub(crate) series: Vec<(f64, f64)>,
}

/// The last group behind a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Last {
    pub(crate) day: i32,
    /// Days since the group before it; the first has none.
    pub(crate) gap: Option<i32>,
    pub(crate) goal: u16,
    /// Its place among all groups, for what else is in it.
    pub(crate) group: usize,
}

/// What a customer has done up to a step; nothing is kept where nobody looks at it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Own {
    /// Groups of each goal.
    counts: Vec<u32>,
    /// Day of the last one.
    days: Vec<Option<i32>>,
}

/// What a step is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) sequences: &'a Sequences,
    pub(crate) covariates: &'a Covariates,
    pub(crate) customer: usize,
    /// The last group; none at the start.
    pub(crate) last: Option<Last>,
    /// All groups up to it.
    pub(crate) own: &'a Own,
}

/// The input of the network of goals about the next group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It sees no days: the network of days.
    Unseen,
    /// The days are asked about in several ways, which are told apart from this step.
    Asked,
    /// Days from the group of the step to the next.
    Gap(i32),
    /// Nobody knows: the group after the start.
    Unknown,
}

/// Categories and numbers of steps, in the making.
#[derive(Debug)]
pub(crate) struct Steps {
    ids: Vec<usize>,
    numbers: Vec<f32>,
    /// Numbers of a step.
    width: usize,
    /// Sizes of the categorical variables of a step.
    variables: Vec<usize>,
}

impl Last {
    /// The group at a position.
    pub(crate) fn of(sequences: &Sequences, customer: usize, position: usize) -> Self {
        let groups = sequences.groups(customer);
        let day = groups.day[position];
        Self {
            day,
            gap: position.checked_sub(1).map(|before| day.saturating_sub(groups.day[before])),
            goal: groups.goal[position],
            group: sequences.offsets[customer] + position,
        }
    }

    /// The last of a number of groups.
    pub(crate) fn behind(sequences: &Sequences, customer: usize, count: usize) -> Option<Self> {
        count.checked_sub(1).map(|position| Self::of(sequences, customer, position))
    }
}

impl Own {
    /// One more group.
    pub(crate) fn add(&mut self, goal: u16, day: i32) {
        if let (Some(count), Some(last)) =
            (self.counts.get_mut(goal as usize), self.days.get_mut(goal as usize))
        {
            *count += 1;
            *last = Some(day);
        }
    }

    /// The categories of the days since each goal, on a day.
    fn since(&self, day: Option<i32>) -> impl Iterator<Item = usize> + '_ {
        self.days.iter().map(move |last| match (last, day) {
            (Some(last), Some(day)) => {
                let days = day.saturating_sub(*last).max(0);
                SINCE.partition_point(|first| *first <= days) - 1
            }
            _ => SINCE.len(),
        })
    }
}

impl Sizes {
    /// Categories of gaps: 0 to the longest, and later.
    pub(crate) fn gaps(&self) -> usize {
        self.longest_gap + 2
    }

    /// The category of a gap.
    pub(crate) fn gap(&self, days: i32) -> usize {
        (days.max(0) as usize).min(self.longest_gap + 1)
    }

    /// The days that a category of gaps stands for.
    pub(crate) fn days(&self, gap: usize) -> i32 {
        if gap > self.longest_gap { self.later_gap as i32 } else { gap as i32 }
    }
}

impl DayIds {
    fn of(calendar: &Calendar, sizes: &Sizes, day: i32) -> Self {
        let date = civil(day);
        let before_month_end = (date.days_in_month() - date.day()) as usize;
        let kind = calendar.kind(day);
        let ahead =
            || (0..HOLIDAY_AHEAD).find(|ahead| calendar.is_holiday(day.saturating_add(*ahead as i32)));
        let holiday_ahead = if calendar.knows_holidays() { ahead() } else { None };
        let since_payday = kind.since_payday.map_or(SINCE_PAYDAY, |days| days.min(SINCE_PAYDAY));
        Self {
            weekday: kind.weekday as u8,
            // The last day of a month is that, whatever its number: February's would else look like another's 28th.
            day_of_month: if before_month_end == 0 { 31 } else { kind.day_of_month as u8 },
            before_month_end: before_month_end as u8,
            month: if sizes.seasons[kind.month] { kind.month as u8 } else { 12 },
            since_payday: since_payday as u8,
            holiday_ahead: holiday_ahead.unwrap_or(HOLIDAY_AHEAD) as u8,
            holiday: kind.holiday,
            promotion: kind.promotion.unwrap_or(calendar.promotions().len()) as u16,
        }
        .seen_by(calendar, sizes.inputs)
    }

    /// What is not seen is unknown.
    fn seen_by(mut self, calendar: &Calendar, inputs: InputSet) -> Self {
        let unknown = Self::unknown(calendar);
        if !inputs.has(Input::Weekday) {
            self.weekday = unknown.weekday;
        }
        if !inputs.has(Input::MonthDay) {
            (self.day_of_month, self.before_month_end) = (unknown.day_of_month, unknown.before_month_end);
        }
        if !inputs.has(Input::Season) {
            self.month = unknown.month;
        }
        if !inputs.has(Input::Payday) {
            self.since_payday = unknown.since_payday;
        }
        if !inputs.has(Input::Holiday) {
            (self.holiday_ahead, self.holiday) = (unknown.holiday_ahead, unknown.holiday);
        }
        if !inputs.has(Input::Promotion) {
            self.promotion = unknown.promotion;
        }
        self
    }

    /// The codes of an unknown day.
    fn unknown(calendar: &Calendar) -> Self {
        Self {
            weekday: 7,
            day_of_month: 31,
            before_month_end: BEFORE_MONTH_END as u8,
            month: 12,
            since_payday: SINCE_PAYDAY as u8,
            holiday_ahead: HOLIDAY_AHEAD as u8,
            holiday: false,
            promotion: calendar.promotions().len() as u16,
        }
    }
}

impl Encoder {
    pub(crate) fn new(sizes: Sizes, calendar: Calendar) -> Self {
        let days = (0..LOOKED_UP).map(|day| DayIds::of(&calendar, &sizes, day)).collect();
        Self { sizes, calendar, days }
    }

    fn day(&self, day: i32) -> DayIds {
        let known = usize::try_from(day).ok().and_then(|day| self.days.get(day).copied());
        known.unwrap_or_else(|| DayIds::of(&self.calendar, &self.sizes, day))
    }

    fn sees(&self, input: Input) -> bool {
        self.sizes.inputs.has(input)
    }

    /// What a customer has done before the first group.
    pub(crate) fn nothing(&self) -> Own {
        let goals = if self.sees(Input::Shares) || self.sees(Input::Recency) { self.sizes.goals } else { 0 };
        Own { counts: vec![0; goals], days: vec![None; goals] }
    }

    /// What a customer has done in the first `count` groups.
    pub(crate) fn own(&self, sequences: &Sequences, customer: usize, count: usize) -> Own {
        let mut own = self.nothing();
        if !own.counts.is_empty() {
            let groups = sequences.groups(customer);
            groups.goal.iter().zip(groups.day).take(count).for_each(|(goal, day)| own.add(*goal, *day));
        }
        own
    }

    /// Sizes of the categorical variables of a step, those of the day that is asked about last.
    pub(crate) fn variables(&self, sees_next: bool) -> Vec<usize> {
        let mut sizes = self.shared_variables();
        sizes.extend(if sees_next { self.next_variables() } else { self.recency() });
        sizes
    }

    /// Those of the last group and the customer.
    pub(crate) fn shared_variables(&self) -> Vec<usize> {
        let Sizes { goals, channels, covariates, places, .. } = &self.sizes;
        // One more of each for the start, where nothing is known.
        let mut sizes = vec![
            goals + 1,
            self.sizes.gaps() + 1,
            8,
            32,
            BEFORE_MONTH_END + 1,
            13,
            channels + 1,
            SINCE_PAYDAY + 1,
            HOLIDAY_AHEAD + 1,
        ];
        sizes.extend(covariates.iter().map(|levels| levels + 1));
        if self.sees(Input::Place) {
            sizes.push(places + 1);
        }
        if self.sees(Input::Hour) {
            sizes.push(HOURS + 1);
        }
        sizes
    }

    /// Sizes of the categorical variables of the next group's day.
    pub(crate) fn next_variables(&self) -> Vec<usize> {
        let promotions = self.calendar.promotions().len();
        let ends = BEFORE_MONTH_END + 1;
        let mut sizes = vec![self.sizes.gaps() + 1, 8, 32, ends, 13, SINCE_PAYDAY + 1, 2, promotions + 1];
        sizes.extend(self.recency());
        sizes
    }

    /// Those of the days since each goal.
    fn recency(&self) -> Vec<usize> {
        if self.sees(Input::Recency) { vec![SINCE.len() + 1; self.sizes.goals] } else { Vec::new() }
    }

    /// Whether the day that is asked about is another for each customer.
    pub(crate) fn asks_each(&self) -> bool {
        self.sees(Input::Recency)
    }

    /// Numbers of a step.
    fn numbers(&self) -> usize {
        1 + self.sizes.classes + self.sizes.series.len() + self.sizes.shares.len()
    }

    /// Inputs of a network: numbers and categories.
    pub(crate) fn width(&self, sees_next: bool) -> usize {
        self.numbers() + self.variables(sees_next).iter().sum::<usize>()
    }

    /// Room for so many steps, with the variables of the days asked about or without.
    pub(crate) fn steps(&self, steps: usize, variables: Vec<usize>) -> Steps {
        let numbers = self.numbers();
        Steps {
            ids: Vec::with_capacity(steps * variables.len()),
            numbers: Vec::with_capacity(steps * numbers),
            width: numbers,
            variables,
        }
    }

    /// Adds a step of a customer.
    pub(crate) fn push(&self, to: &mut Steps, seen: &Seen<'_>, next: Next) {
        let Seen { sequences, covariates, customer, last, own } = *seen;
        let sizes = &self.sizes;
        let gap = last.and_then(|last| last.gap);
        let day = last.map(|last| last.day);
        let ids = day.map_or_else(|| DayIds::unknown(&self.calendar), |day| self.day(day));
        let channel = last.filter(|_| self.sees(Input::Channel)).map(|last| sequences.channel[last.group]);
        to.ids.extend([
            last.map_or(sizes.goals, |last| last.goal as usize),
            gap.map_or(sizes.gaps(), |days| sizes.gap(days)),
            ids.weekday as usize,
            ids.day_of_month as usize,
            ids.before_month_end as usize,
            ids.month as usize,
            channel.map_or(sizes.channels, |channel| (channel as usize).min(sizes.channels)),
            ids.since_payday as usize,
            ids.holiday_ahead as usize,
        ]);
        let known = self.sees(Input::Covariates);
        to.ids.extend(covariates.levels.row(customer).iter().zip(&sizes.covariates).map(
            |(level, levels)| {
                if known { *level as usize } else { *levels }
            },
        ));
        if self.sees(Input::Place) {
            let place = last.map(|last| sequences.place[last.group] as usize);
            to.ids.push(place.map_or(sizes.places, |place| place.min(sizes.places)));
        }
        if self.sees(Input::Hour) {
            to.ids.push(last.map_or(HOURS, |last| sequences.hour[last.group] as usize));
        }
        match next {
            Next::Asked => {}
            Next::Unseen if self.sees(Input::Recency) => to.ids.extend(own.since(day)),
            Next::Unseen => {}
            Next::Gap(_) | Next::Unknown => self.push_next(&mut to.ids, day, next, own),
        }
        self.push_numbers(&mut to.numbers, seen);
    }

    fn push_numbers(&self, to: &mut Vec<f32>, seen: &Seen<'_>) {
        let Seen { sequences, last, own, .. } = *seen;
        let sizes = &self.sizes;
        let money = last.filter(|_| self.sees(Input::Money)).map(|last| sequences.spent[last.group]);
        to.push(money.map_or(0.0, |spent| {
            let (mean, deviation) = sizes.spent;
            (libm::log1pf(spent.max(0) as f32) - mean) / deviation
        }));
        let first = to.len();
        to.resize(first + sizes.classes, 0.0);
        if let Some(Last { group, .. }) = last.filter(|_| sizes.classes > 0) {
            let at = sequences.item_offsets[group]..sequences.item_offsets[group + 1];
            let all = sequences.spent[group].max(1) as f32;
            for (class, spent) in sequences.item_class[at.clone()].iter().zip(&sequences.item_spent[at]) {
                // A class that training never met says nothing.
                if let Some(share) = to[first..].get_mut(*class as usize) {
                    *share = ((*spent).max(0) as f32 / all).sqrt();
                }
            }
        }
        for (series, (mean, deviation)) in sizes.series.iter().enumerate() {
            let value = last.filter(|_| *deviation > 0.0);
            let value = value.and_then(|last| self.calendar.series()[series].on(last.day));
            // A later value may be as far from those of training as numbers go.
            to.push(value.map_or(0.0, |value| {
                ((value - mean) / deviation).clamp(-FARTHEST_VALUE, FARTHEST_VALUE) as f32
            }));
        }
        if !sizes.shares.is_empty() {
            let groups = own.counts.iter().sum::<u32>() as f32;
            // As if there were one group more, of everybody's goals.
            let share = |(count, share): (&u32, &f32)| {
                ((*count as f32 + share) / (groups + 1.0)).sqrt() - share.sqrt()
            };
            to.extend(own.counts.iter().zip(&sizes.shares).map(share));
        }
    }

    /// Adds the categories of the next group's day, when the last one came on `day`.
    pub(crate) fn push_next(&self, to: &mut Vec<usize>, day: Option<i32>, next: Next, own: &Own) {
        let (gap, asked) = match (next, day) {
            (Next::Gap(gap), Some(day)) => (self.sizes.gap(gap), Some(day.saturating_add(gap))),
            _ => (self.sizes.gaps(), None),
        };
        let ids = asked.map_or_else(|| DayIds::unknown(&self.calendar), |day| self.day(day));
        to.extend([
            gap,
            ids.weekday as usize,
            ids.day_of_month as usize,
            ids.before_month_end as usize,
            ids.month as usize,
            ids.since_payday as usize,
            usize::from(ids.holiday),
            ids.promotion as usize,
        ]);
        if self.sees(Input::Recency) {
            to.extend(own.since(asked));
        }
    }
}

impl Steps {
    /// As arrays of `samples` samples with `steps` steps each, in the order in which they were added.
    pub(crate) fn finish(self, samples: usize, steps: usize) -> Result<Encoded, Error> {
        let Self { ids, numbers, width, variables } = self;
        let found = numbers.len() / width;
        let mismatch =
            |_| Error::Input(BadInput::ShapeMismatch { argument: "steps", expected: samples * steps, found });
        let ids = Array3::from_shape_vec((samples, steps, variables.len()), ids).map_err(mismatch)?;
        let numbers = Array3::from_shape_vec((samples, steps, width), numbers).map_err(mismatch)?;
        Ok(Encoded { ids, numbers, variables })
    }

    /// Adds a step behind the end of a shorter sample, which neither loss nor state sees.
    pub(crate) fn pad(&mut self) {
        self.ids.extend(std::iter::repeat_n(0, self.variables.len()));
        self.numbers.extend(std::iter::repeat_n(0.0, self.width));
    }
}

/// Encoded steps of some samples.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// Samples x steps x variables.
    ids: Array3<usize>,
    /// Samples x steps x numbers.
    numbers: Array3<f32>,
    variables: Vec<usize>,
}

impl Encoded {
    pub(crate) fn inputs(&self) -> Result<Inputs<'_, f32>, Error> {
        Ok(Inputs::from(&self.numbers).with_categories(&self.ids, &self.variables)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::day_number;

    fn sizes(inputs: InputSet) -> Sizes {
        Sizes {
            goals: 2,
            channels: 1,
            covariates: Vec::new(),
            longest_gap: 5,
            later_gap: 9,
            spent: (0.0, 1.0),
            seasons: [true; 12],
            inputs,
            places: 0,
            classes: 0,
            shares: Vec::new(),
            series: Vec::new(),
        }
    }

    #[test]
    fn the_last_day_of_a_month_is_the_same_in_all_of_them() {
        let calendar = Calendar::with_payday(25).unwrap();
        let of = |inputs, month, day| {
            let number = day_number(jiff::civil::date(2021, month, day));
            DayIds::of(&calendar, &sizes(inputs), number)
        };
        let all = InputSet::default();
        let codes = |month, day| {
            let ids = of(all, month, day);
            (ids.day_of_month, ids.before_month_end)
        };
        assert!([codes(2, 28), codes(4, 30), codes(1, 31)].iter().all(|last| *last == (31, 0)));
        assert_eq!([codes(1, 28), codes(4, 28), codes(1, 1)], [(27, 3), (27, 2), (0, 30)]);
        // What is not seen is as if nothing were known.
        let hidden = of(all.without(Input::MonthDay).without(Input::Payday), 1, 28);
        assert_eq!((hidden.day_of_month, hidden.before_month_end), (31, BEFORE_MONTH_END as u8));
        assert_eq!((hidden.since_payday, of(all, 1, 28).since_payday), (SINCE_PAYDAY as u8, 3));
        assert_eq!((hidden.weekday, hidden.month), (3, 0));
    }

    #[test]
    fn days_since_a_goal_are_weeks_and_months_of_any_length() {
        let encoder = Encoder::new(sizes(InputSet::default().with(Input::Recency)), Calendar::default());
        let mut own = encoder.nothing();
        let since = |own: &Own, day| own.since(Some(day)).collect::<Vec<_>>();
        assert_eq!(since(&own, 500), [SINCE.len(); 2], "never");
        own.add(1, 500);
        assert_eq!(since(&own, 500), [SINCE.len(), 0]);
        assert_eq!([506, 507, 508, 509].map(|day| since(&own, day)[1]), [6, 7, 8, 8]);
        let month = [528, 529, 530, 531].map(|day| since(&own, day)[1]);
        assert!(month.iter().all(|category| *category == month[0]) && since(&own, 535)[1] > month[0]);
        assert_eq!(since(&own, 5000)[1], SINCE.len() - 1);
        own.add(1, 700);
        assert_eq!(since(&own, 700)[1], 0, "the last time counts");
        // Where nobody looks at it, nothing is kept.
        let mut none = Encoder::new(sizes(InputSet::default()), Calendar::default()).nothing();
        none.add(1, 500);
        assert_eq!(none, Own::default());
    }
}
