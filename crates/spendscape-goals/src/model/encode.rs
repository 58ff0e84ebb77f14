//! Steps of a customer as categories and numbers for a network.
//!
//! Step 0 is the start, before anything happened; step s holds group s - 1. The network of goals also sees the day on
//! which the next group comes: which day it is is the other network's business.

use ndarray::Array3;
use serde::{Deserialize, Serialize};
use spendscape_lstm::Inputs;

use crate::{Calendar, Covariates, Error, Groups};

/// Days until a holiday that the network can see ahead.
const HOLIDAY_AHEAD: usize = 14;
/// Days since payday that have a category of their own.
const SINCE_PAYDAY: usize = 31;

/// What one step of a customer looks like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Encoder {
    pub(crate) sizes: Sizes,
    pub(crate) calendar: Calendar,
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

/// What the network of goals is told of the next group.
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
#[derive(Debug, Default)]
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

impl Encoder {
    /// Sizes of the categorical variables of a step.
    pub(crate) fn variables(&self, sees_next: bool) -> Vec<usize> {
        let Sizes { goals, channels, covariates, .. } = &self.sizes;
        let promotions = self.calendar.promotions().len();
        // One more of each for the start, where nothing is known.
        let mut sizes = vec![
            goals + 1,
            self.sizes.gaps() + 1,
            8,
            32,
            13,
            channels + 1,
            SINCE_PAYDAY + 1,
            HOLIDAY_AHEAD + 1,
        ];
        sizes.extend(covariates.iter().map(|levels| levels + 1));
        if sees_next {
            sizes.extend([self.sizes.gaps() + 1, 8, 32, 13, SINCE_PAYDAY + 1, 2, promotions + 1]);
        }
        sizes
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
        (covariates, customer): (&Covariates, usize),
        next: Next,
    ) {
        let sizes = &self.sizes;
        let (day, gap) = (last.map(|last| last.day), last.and_then(|last| last.gap));
        to.ids.push(last.map_or(sizes.goals, |last| last.goal as usize));
        to.ids.push(gap.map_or(sizes.gaps(), |days| sizes.gap(days)));
        let kind = day.map(|day| self.calendar.kind(day));
        to.ids.extend(kind.map_or([7, 31, 12], |kind| [kind.weekday, kind.day_of_month, kind.month]));
        to.ids.push(last.map_or(sizes.channels, |last| (last.channel as usize).min(sizes.channels)));
        to.ids.push(
            kind.and_then(|kind| kind.since_payday).map_or(SINCE_PAYDAY, |days| days.min(SINCE_PAYDAY)),
        );
        to.ids.push(day.map_or(HOLIDAY_AHEAD, |day| self.holiday_ahead(day)));
        to.ids.extend(covariates.levels.row(customer).iter().map(|level| *level as usize));
        match (next, day) {
            (Next::Unseen, _) => {}
            (Next::Gap(gap), Some(day)) => {
                let kind = self.calendar.kind(day.saturating_add(gap));
                to.ids.extend([sizes.gap(gap), kind.weekday, kind.day_of_month, kind.month]);
                to.ids.push(kind.since_payday.map_or(SINCE_PAYDAY, |days| days.min(SINCE_PAYDAY)));
                to.ids.push(usize::from(kind.holiday));
                to.ids.push(kind.promotion.unwrap_or(self.calendar.promotions().len()));
            }
            (Next::Gap(_) | Next::Unknown, _) => {
                to.ids.extend([sizes.gaps(), 7, 31, 12, SINCE_PAYDAY, 0, self.calendar.promotions().len()]);
            }
        }
        to.numbers.push(last.map_or(0.0, |last| {
            let (mean, deviation) = sizes.spent;
            ((last.spent.max(0) as f32).ln_1p() - mean) / deviation
        }));
    }

    /// Days from a day until the next holiday.
    fn holiday_ahead(&self, day: i32) -> usize {
        if !self.calendar.knows_holidays() {
            return HOLIDAY_AHEAD;
        }
        let ahead =
            (0..HOLIDAY_AHEAD).find(|ahead| self.calendar.is_holiday(day.saturating_add(*ahead as i32)));
        ahead.unwrap_or(HOLIDAY_AHEAD)
    }
}

impl Steps {
    /// As arrays of `samples` samples with `steps` steps each, in the order in which they were added.
    pub(crate) fn finish(
        self,
        variables: Vec<usize>,
        (samples, steps): (usize, usize),
    ) -> Result<Encoded, Error> {
        let found = self.numbers.len();
        let mismatch = |_| Error::ShapeMismatch { argument: "steps", expected: samples * steps, found };
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
