//! Steps of a customer as categories and numbers for a network.
//!
//! Step 0 is the start, before anything happened; step s holds group s - 1. The network of goals also sees the day on
//! which the next group comes: which day it is is the other network's business.

use ndarray::Array3;
use serde::{Deserialize, Serialize};
use spendscape_lstm::Inputs;
use spendscape_stats::BadInput;

use crate::{Calendar, Covariates, Error, Groups, calendar::civil};

/// Days until a holiday that the network can see ahead.
const HOLIDAY_AHEAD: usize = 14;
/// Days since payday that have a category of their own.
const SINCE_PAYDAY: usize = 31;

/// The code of an unknown number of days until the end of the month: months end after 28 to 31 days, and what comes at
/// their end comes so many days later.
const BEFORE_MONTH_END: usize = 31;

/// Categorical variables of the next group's day.
const NEXT_VARIABLES: usize = 8;

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
}

/// The last group behind a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Last {
    pub(crate) day: i32,
    /// Days since the group before it; the first has none.
    pub(crate) gap: Option<i32>,
    pub(crate) goal: u16,
    pub(crate) channel: u16,
    pub(crate) spent: i64,
}

/// The input of the network of goals about the next group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It sees no days: the network of days.
    Unseen,
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
}

impl Last {
    /// The group at a position.
    pub(crate) fn of(groups: Groups<'_>, position: usize) -> Self {
        let day = groups.day[position];
        Self {
            day,
            gap: position.checked_sub(1).map(|before| day.saturating_sub(groups.day[before])),
            goal: groups.goal[position],
            channel: groups.channel[position],
            spent: groups.spent[position],
        }
    }

    /// The last of a number of groups.
    pub(crate) fn behind(groups: Groups<'_>, count: usize) -> Option<Self> {
        count.checked_sub(1).map(|position| Self::of(groups, position))
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
    fn of(calendar: &Calendar, seasons: &[bool; 12], day: i32) -> Self {
        let date = civil(day);
        let before_month_end = (date.days_in_month() - date.day()) as usize;
        let kind = calendar.kind(day);
        let ahead =
            || (0..HOLIDAY_AHEAD).find(|ahead| calendar.is_holiday(day.saturating_add(*ahead as i32)));
        let holiday_ahead = if calendar.knows_holidays() { ahead() } else { None };
        let since_payday = kind.since_payday.map_or(SINCE_PAYDAY, |days| days.min(SINCE_PAYDAY));
        Self {
            weekday: kind.weekday as u8,
            day_of_month: kind.day_of_month as u8,
            before_month_end: before_month_end as u8,
            month: if seasons[kind.month] { kind.month as u8 } else { 12 },
            since_payday: since_payday as u8,
            holiday_ahead: holiday_ahead.unwrap_or(HOLIDAY_AHEAD) as u8,
            holiday: kind.holiday,
            promotion: kind.promotion.unwrap_or(calendar.promotions().len()) as u16,
        }
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
        let days = (0..LOOKED_UP).map(|day| DayIds::of(&calendar, &sizes.seasons, day)).collect();
        Self { sizes, calendar, days }
    }

    fn day(&self, day: i32) -> DayIds {
        let known = usize::try_from(day).ok().and_then(|day| self.days.get(day).copied());
        known.unwrap_or_else(|| DayIds::of(&self.calendar, &self.sizes.seasons, day))
    }

    /// Sizes of the categorical variables of a step.
    pub(crate) fn variables(&self, sees_next: bool) -> Vec<usize> {
        let Sizes { goals, channels, covariates, .. } = &self.sizes;
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
        if sees_next {
            sizes.extend(self.next_variables());
        }
        sizes
    }

    /// Sizes of the categorical variables of the next group's day, which stand behind the others.
    pub(crate) fn next_variables(&self) -> [usize; NEXT_VARIABLES] {
        let promotions = self.calendar.promotions().len();
        let ends = BEFORE_MONTH_END + 1;
        [self.sizes.gaps() + 1, 8, 32, ends, 13, SINCE_PAYDAY + 1, 2, promotions + 1]
    }

    /// Inputs of a network: numbers and categories.
    pub(crate) fn width(&self, sees_next: bool) -> usize {
        1 + self.variables(sees_next).iter().sum::<usize>()
    }

    /// Adds a step of a customer; without a last group, that of the start.
    pub(crate) fn push(
        &self,
        to: &mut Steps,
        last: Option<Last>,
        covariates: &Covariates,
        customer: usize,
        next: Next,
    ) {
        let sizes = &self.sizes;
        let gap = last.and_then(|last| last.gap);
        let day = last.map(|last| last.day);
        let ids = day.map_or_else(|| DayIds::unknown(&self.calendar), |day| self.day(day));
        to.ids.extend([
            last.map_or(sizes.goals, |last| last.goal as usize),
            gap.map_or(sizes.gaps(), |days| sizes.gap(days)),
            ids.weekday as usize,
            ids.day_of_month as usize,
            ids.before_month_end as usize,
            ids.month as usize,
            last.map_or(sizes.channels, |last| (last.channel as usize).min(sizes.channels)),
            ids.since_payday as usize,
            ids.holiday_ahead as usize,
        ]);
        to.ids.extend(covariates.levels.row(customer).iter().map(|level| *level as usize));
        to.ids.extend(self.next_ids(day, next).into_iter().flatten());
        to.numbers.push(last.map_or(0.0, |last| {
            let (mean, deviation) = sizes.spent;
            (libm::log1pf(last.spent.max(0) as f32) - mean) / deviation
        }));
    }

    /// The categories of the next group's day, when the last one came on `day`; none for a network that does not see it.
    pub(crate) fn next_ids(&self, day: Option<i32>, next: Next) -> Option<[usize; NEXT_VARIABLES]> {
        let (gap, ids) = match (next, day) {
            (Next::Unseen, _) => return None,
            (Next::Gap(gap), Some(day)) => (self.sizes.gap(gap), self.day(day.saturating_add(gap))),
            (Next::Gap(_) | Next::Unknown, _) => (self.sizes.gaps(), DayIds::unknown(&self.calendar)),
        };
        Some([
            gap,
            ids.weekday as usize,
            ids.day_of_month as usize,
            ids.before_month_end as usize,
            ids.month as usize,
            ids.since_payday as usize,
            usize::from(ids.holiday),
            ids.promotion as usize,
        ])
    }
}

impl Steps {
    /// Room for so many steps of these variables.
    pub(crate) fn with_capacity(steps: usize, variables: usize) -> Self {
        Self { ids: Vec::with_capacity(steps * variables), numbers: Vec::with_capacity(steps) }
    }

    /// As arrays of `samples` samples with `steps` steps each, in the order in which they were added.
    pub(crate) fn finish(
        self,
        variables: Vec<usize>,
        samples: usize,
        steps: usize,
    ) -> Result<Encoded, Error> {
        let found = self.numbers.len();
        let mismatch =
            |_| Error::Input(BadInput::ShapeMismatch { argument: "steps", expected: samples * steps, found });
        let ids = Array3::from_shape_vec((samples, steps, variables.len()), self.ids).map_err(mismatch)?;
        let numbers = Array3::from_shape_vec((samples, steps, 1), self.numbers).map_err(mismatch)?;
        Ok(Encoded { ids, numbers, variables })
    }

    /// Adds a step behind the end of a shorter sample, which neither loss nor state sees.
    pub(crate) fn pad(&mut self, variables: usize) {
        self.ids.extend(std::iter::repeat_n(0, variables));
        self.numbers.push(0.0);
    }
}

/// Encoded steps of some samples.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// Samples x steps x variables.
    ids: Array3<usize>,
    /// Samples x steps x 1.
    numbers: Array3<f32>,
    variables: Vec<usize>,
}

impl Encoded {
    pub(crate) fn inputs(&self) -> Result<Inputs<'_, f32>, Error> {
        Ok(Inputs::from(&self.numbers).with_categories(&self.ids, &self.variables)?)
    }
}
