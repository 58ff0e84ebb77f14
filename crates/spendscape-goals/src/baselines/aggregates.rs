//! A history of any length as a row of numbers.

use ndarray::{Array2, ArrayViewMut1, ShapeBuilder};

use crate::{Calendar, Sequences, Target};

/// Windows of the shares of goals, in groups; the whole history comes before them.
const WINDOWS: [usize; 2] = [5, 10];
/// Days since a goal that never came: later than all that did, and trees look at the order of values only.
const NEVER: f64 = 1e6;
/// Numbers that do not depend on the number of goals: 6 of gaps, 4 of amounts, 6 of the calendar, 2 of the history.
const OTHERS: usize = 18;
/// The value of a gap, an amount or a day that a short history does not have, and for what the calendar does not know.
const UNKNOWN: f64 = -1.0;

/// Number of aggregates for G goals.
pub(super) fn width(goals: usize) -> usize {
    goals * (3 + WINDOWS.len()) + OTHERS
}

/// Aggregates of the groups before each target (targets x width), one column after the other in memory, as trees want them.
/// For each goal its share of all groups, of the last 5 and of the last 10, the days from its last time to the last group,
/// and whether it was the last; then gaps, amounts, the calendar of the last day and the length of the history. Nothing of
/// the target itself is looked at, not even its day.
pub(super) fn aggregates(sequences: &Sequences, targets: &[Target], calendar: &Calendar) -> Array2<f64> {
    let goals = sequences.goals().len();
    let mut features = Array2::zeros((targets.len(), width(goals)).f());
    for (row, target) in features.rows_mut().into_iter().zip(targets) {
        fill(row, goals, sequences, *target, calendar);
    }
    features
}

fn fill(
    mut row: ArrayViewMut1<'_, f64>,
    goals: usize,
    sequences: &Sequences,
    target: Target,
    calendar: &Calendar,
) {
    let groups = sequences.groups(target.customer as usize);
    let length = target.position as usize;
    let (day, goal, spent) = (&groups.day[..length], &groups.goal[..length], &groups.spent[..length]);
    for (block, window) in [length, WINDOWS[0], WINDOWS[1]].into_iter().enumerate() {
        let recent = &goal[length.saturating_sub(window)..];
        for goal in recent {
            row[block * goals + *goal as usize] += (recent.len() as f64).recip();
        }
    }
    let mut at = 3 * goals;
    row.slice_mut(ndarray::s![at..at + goals]).fill(NEVER);
    for (goal, came) in goal.iter().zip(day) {
        row[at + *goal as usize] = f64::from(day[length - 1]) - f64::from(*came);
    }
    at += goals;
    if let Some(last) = goal.last() {
        row[at + *last as usize] = 1.0;
    }
    at += goals;
    let gaps: Vec<f64> = day.windows(2).map(|pair| f64::from(pair[1]) - f64::from(pair[0])).collect();
    let logs: Vec<f64> = spent.iter().map(|spent| libm::log1p((*spent).max(0) as f64)).collect();
    let kind = day.last().map(|day| calendar.kind(*day));
    let number = |of: Option<usize>| of.map_or(UNKNOWN, |number| number as f64);
    let others: [f64; OTHERS] = [
        last(&gaps),
        mean(&gaps),
        deviation(&gaps),
        mean(&gaps[gaps.len().saturating_sub(WINDOWS[0])..]),
        gaps.iter().copied().reduce(f64::min).unwrap_or(UNKNOWN),
        gaps.iter().copied().reduce(f64::max).unwrap_or(UNKNOWN),
        last(&logs),
        mean(&logs),
        deviation(&logs),
        mean(&logs[logs.len().saturating_sub(WINDOWS[0])..]),
        number(kind.map(|kind| kind.weekday)),
        number(kind.map(|kind| kind.day_of_month)),
        number(kind.map(|kind| kind.month)),
        number(kind.map(|kind| usize::from(kind.holiday))),
        number(kind.and_then(|kind| kind.since_payday)),
        number(kind.and_then(|kind| kind.promotion)),
        length as f64,
        day.first().map_or(UNKNOWN, |first| f64::from(day[length - 1]) - f64::from(*first)),
    ];
    row.slice_mut(ndarray::s![at..]).iter_mut().zip(others).for_each(|(slot, value)| *slot = value);
}

fn last(values: &[f64]) -> f64 {
    values.last().copied().unwrap_or(UNKNOWN)
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { UNKNOWN } else { values.iter().sum::<f64>() / values.len() as f64 }
}

fn deviation(values: &[f64]) -> f64 {
    if values.is_empty() {
        return UNKNOWN;
    }
    let mean = mean(values);
    (values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / values.len() as f64).sqrt()
}
