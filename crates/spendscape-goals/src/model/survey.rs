//! Survey of the groups before training: how many, how much money, how long gaps are, and which seasons.

use std::collections::BTreeMap;

use super::{
    Blocks, GoalParams, Input,
    encode::Sizes,
    windows::{PIECE, Part},
};
use crate::{
    Calendar, Covariates, Error,
    calendar::{Series, civil},
};

/// The season of a month is known if it was seen in two years, in the lesser of them with this share of the other's groups at
/// least: seen once, it cannot be told from a trend.
const SECOND_YEAR: f64 = 0.25;
/// A series whose deviation is at most this share of its size, or of 1, never moved.
const SAME_VALUE: f64 = 1e-9;
/// Days beyond the longest gap that "later" stands for, at most: a century, whatever a broken clock wrote.
const LONGEST_BEYOND: usize = 36_525;

/// The findings of a first pass over the blocks.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) groups: usize,
    spent: (f64, f64),
    /// Gaps beyond the longest: how many, and by how much in all.
    tail: (usize, i64),
    /// Pieces per block of the networks of days and of goals.
    pub(super) pieces: [usize; 2],
    /// Goals (G).
    pub(super) goals: usize,
    /// Training groups of each day.
    days: BTreeMap<i32, usize>,
    /// Those of each goal.
    of_goal: Vec<usize>,
    /// Places and classes up to the last one met.
    places: usize,
    classes: usize,
}

impl Survey {
    pub(super) fn of(source: &dyn Blocks, params: &GoalParams) -> Result<Self, Error> {
        let mut survey = Self::default();
        if source.blocks() == 0 {
            return Ok(survey);
        }
        let first = source.load(0)?;
        for block in 0..source.blocks() {
            let block = source.load(block)?;
            block.check(&first)?;
            survey.goals = block.sequences.goals.len();
            survey.of_goal.resize(survey.goals, 0);
            for (n, until) in block.train.iter().enumerate() {
                let groups = block.sequences.groups(n);
                for (at, spent) in groups.spent.iter().enumerate().take(*until) {
                    let ln = libm::log1p((*spent).max(0) as f64);
                    survey.groups += 1;
                    survey.of_goal[groups.goal[at] as usize] += 1;
                    survey.places = survey.places.max(groups.place[at] as usize + 1);
                    let last = block.sequences.items(n, at).map(|(class, _)| class as usize + 1).last();
                    survey.classes = survey.classes.max(last.unwrap_or(0));
                    *survey.days.entry(groups.day[at]).or_default() += 1;
                    survey.spent = (survey.spent.0 + ln, survey.spent.1 + ln * ln);
                    let gap =
                        if at == 0 { 0 } else { i64::from(groups.day[at]) - i64::from(groups.day[at - 1]) };
                    if gap > params.longest_gap as i64 {
                        survey.tail = (survey.tail.0 + 1, survey.tail.1 + gap - params.longest_gap as i64);
                    }
                }
            }
            for (pieces, part) in survey.pieces.iter_mut().zip([Part::Days, Part::Goals]) {
                *pieces += block.training_windows(part, params.window).len().div_ceil(PIECE);
            }
        }
        Ok(survey)
    }

    pub(super) fn sizes(
        &self,
        params: &GoalParams,
        goals: usize,
        channels: usize,
        covariates: &Covariates,
        calendar: &Calendar,
    ) -> Sizes {
        let groups = self.groups as f64;
        let mean = self.spent.0 / groups;
        let variance = (self.spent.1 / groups - mean * mean).max(0.0);
        // As if one more gap ended a month later: there may be none.
        let beyond = (self.tail.1 + 31) as f64 / (self.tail.0 + 1) as f64;
        Sizes {
            goals,
            channels,
            covariates: covariates.sizes.clone(),
            longest_gap: params.longest_gap,
            later_gap: params.longest_gap + (beyond.round() as usize).min(LONGEST_BEYOND),
            spent: (mean as f32, (variance.sqrt().max(1e-6)) as f32),
            seasons: self.seasons(),
            inputs: params.inputs,
            places: if params.inputs.has(Input::Place) { self.places } else { 0 },
            classes: if params.inputs.has(Input::Classes) { self.classes } else { 0 },
            shares: if params.inputs.has(Input::Shares) { self.shares() } else { Vec::new() },
            series: if params.inputs.has(Input::Series) { self.series(calendar) } else { Vec::new() },
        }
    }

    /// The share of each goal.
    fn shares(&self) -> Vec<f32> {
        self.of_goal.iter().map(|groups| *groups as f32 / self.groups as f32).collect()
    }

    /// Mean and standard deviation of each series over the groups on whose day it is known; 0 for the deviation of one that is
    /// known on no such day, or that did not move but for rounding: nothing can be learned from it.
    fn series(&self, calendar: &Calendar) -> Vec<(f64, f64)> {
        let moments = |series: &Series| {
            let known =
                || self.days.iter().filter_map(|(day, groups)| Some((series.on(*day)?, *groups as f64)));
            let groups = known().map(|(_, groups)| groups).sum::<f64>().max(1.0);
            let mean = known().map(|(value, groups)| value * groups).sum::<f64>() / groups;
            let variance =
                known().map(|(value, groups)| (value - mean).powi(2) * groups).sum::<f64>() / groups;
            let deviation = variance.sqrt();
            let moved = deviation > SAME_VALUE * mean.abs().max(1.0);
            (mean, if moved { deviation } else { 0.0 })
        };
        calendar.series().iter().map(moments).collect()
    }

    /// Months that were seen in several years.
    fn seasons(&self) -> [bool; 12] {
        let mut years: [BTreeMap<i16, usize>; 12] = Default::default();
        for (day, groups) in &self.days {
            let date = civil(*day);
            *years[date.month() as usize - 1].entry(date.year()).or_default() += groups;
        }
        years.map(|years| {
            let mut groups: Vec<usize> = years.into_values().collect();
            groups.sort_unstable();
            matches!(groups[..], [.., second, first] if second as f64 >= SECOND_YEAR * first as f64)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_seen_once_is_not_known() {
        let day =
            |year, month| (jiff::civil::date(year, month, 5) - jiff::civil::date(1970, 1, 1)).get_days();
        let days = [(2019, 1, 10), (2020, 1, 40), (2019, 2, 9), (2020, 2, 40), (2020, 3, 50)];
        let days = days.map(|(year, month, groups)| (day(year, month), groups));
        let survey = Survey { days: days.into_iter().collect(), ..Survey::default() };
        let known = survey.seasons();
        assert!(known[0], "a quarter as many a year before");
        assert!(!known[1] && !known[2], "less than that, or only once");
        assert_eq!(known.iter().filter(|known| **known).count(), 1);
    }

    #[test]
    fn a_series_that_never_moved_has_no_deviation() {
        let series =
            |name: &str, values: &str| format!("[[series]]\nname = \"{name}\"\nvalues = [{values}]\n");
        let text = [
            series("moving", "[\"1970-01-01\", 1e9], [\"1970-01-05\", 1000000200.0]"),
            series("constant", "[\"1970-01-01\", 0.1]"),
            series("later", "[\"1980-01-01\", 5.0]"),
        ];
        let calendar = Calendar::from_toml(&text.concat()).unwrap();
        let days = [(1, 3), (2, 2), (6, 5)].into_iter().collect();
        let found = Survey { days, ..Survey::default() }.series(&calendar);
        assert_eq!(found[0], (1e9 + 100.0, 100.0), "a large number that moves little");
        assert_eq!(
            [found[1].1, found[2].1],
            [0.0; 2],
            "one that never moved, and one that training never saw"
        );
    }
}
