//! Trajectories after a life event: how far they turn, and where the last step points.

use ndarray::{ArrayRef2, ArrayRef3, Axis, s};

use super::measures::{mean_defined, median_defined, turn_angles};
use crate::check;
use crate::directions::dominance::argmax;
use crate::directions::steps;
use crate::error::Result;

/// A sample of turn angles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turns {
    /// How many turns (customer-periods, or customers where one period is looked at).
    pub count: usize,
    /// Mean in radians; NaN without turns.
    pub mean: f64,
    /// Median in radians; NaN without turns.
    pub median: f64,
}

impl Turns {
    fn of(turns: &[f64]) -> Self {
        Self {
            count: turns.len(),
            mean: mean_defined(turns.iter().copied()),
            median: median_defined(turns.iter().copied()),
        }
    }
}

/// Turns at periods with a life event beside turns at periods without one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventTurns {
    /// At periods with an event.
    pub with_event: Turns,
    /// At periods without an event.
    pub without_event: Turns,
}

/// Compares the turn at period `t` (between the steps into `t - 1` and into `t`) with and without an event in `t`.
///
/// `states` is `N x T x M`, `events` is `N x T`. The first period has no turn, so its events do not count here.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::trajectories::turns_by_event;
///
/// // The first customer goes on, the second turns by a right angle in the period of the event.
/// let states = array![[[1.0, 0.0], [2.0, 0.0]], [[1.0, 0.0], [1.0, 1.0]]];
/// let turns = turns_by_event(&states, &array![[false, false], [false, true]])?;
/// assert!((turns.with_event.mean - std::f64::consts::FRAC_PI_2).abs() < 1e-12);
/// assert!(turns.without_event.mean.abs() < 1e-7);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, a value is not finite, or there are fewer than two periods.
pub fn turns_by_event(states: &ArrayRef3<f64>, events: &ArrayRef2<bool>) -> Result<EventTurns> {
    check::finite("states", states)?;
    check::length("rows of events", states.dim().0, events.nrows())?;
    check::length("columns of events", states.dim().1, events.ncols())?;
    let turns = turn_angles(states)?;
    let (mut with_event, mut without_event) = (Vec::new(), Vec::new());
    for (&turn, &event) in turns.iter().zip(events.slice(s![.., 1..])) {
        if event { &mut with_event } else { &mut without_event }.push(turn);
    }
    Ok(EventTurns { with_event: Turns::of(&with_event), without_event: Turns::of(&without_event) })
}

/// Trait each vector points to through the output layer: `argmax_j (W d)_j` for every row `d` of `vectors` (`N x M`).
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::trajectories::decode;
///
/// // The output layer reads the first trait from the second unit.
/// let readout = array![[0.0, 1.0], [1.0, 0.0]];
/// assert_eq!(decode(&array![[0.9, 0.1], [0.2, 0.7]], &readout)?, [1, 0]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, a value is not finite, or the output layer has no rows.
pub fn decode(vectors: &ArrayRef2<f64>, readout: &ArrayRef2<f64>) -> Result<Vec<usize>> {
    check::finite("vectors", vectors)?;
    check::finite("readout", readout)?;
    check::at_least("readout", "rows", 1, readout.nrows())?;
    check::length("columns of readout", vectors.ncols(), readout.ncols())?;
    Ok(vectors.dot(&readout.t()).rows().into_iter().map(|r| argmax(r.iter().copied())).collect())
}

/// Inputs of [`late_changes`].
#[derive(Debug, Clone, Copy)]
pub struct LateChangeInput<'a> {
    /// Hidden states of the long window, `N x T x M`.
    pub states: &'a ArrayRef3<f64>,
    /// Life events, `N x T`.
    pub events: &'a ArrayRef2<bool>,
    /// Raw dominant trait before the last period.
    pub before: &'a [usize],
    /// Raw dominant trait in the last period.
    pub after: &'a [usize],
    /// Output layer `W`, `P x M`.
    pub readout: &'a ArrayRef2<f64>,
    /// Final states of the short window (the last period alone, finer), `N x M`, if there is one.
    pub short: Option<&'a ArrayRef2<f64>>,
}

/// Customers whose only event is in the last period and changes their raw dominant trait.
#[derive(Debug, Clone, PartialEq)]
pub struct LateChanges {
    /// The customers, rising.
    pub customers: Vec<usize>,
    /// Their turn at the last period.
    pub turn: Turns,
    /// The turn at the last period of customers without any event.
    pub turn_without_event: Turns,
    /// Share of them whose last step `h_T - h_{T-1}` decodes to the new trait; NaN without customers.
    pub last_step_decodes: f64,
    /// Share of the customers without any event whose last step decodes to the raw dominant trait of the last period: what is to
    /// be seen without a change; NaN without such customers.
    pub last_step_decodes_without_event: f64,
    /// The same of those without an event whose dominant trait is another one than before all the same.
    pub last_step_decodes_drifted: f64,
    /// Share of the changed customers whose final state still decodes to the trait from before.
    pub end_decodes_before: f64,
    /// Share of them whose final state decodes to the new trait.
    pub end_decodes_after: f64,
    /// Share of them whose short-window final state decodes to the new trait, if a short window was given.
    pub short_decodes: Option<f64>,
    /// The shares of the new trait if everyone were decoded as the commonest new trait among them.
    pub chance: f64,
}

/// Judges the claim that a customer who changed turns to its new attractor, in both windows.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::trajectories::{LateChangeInput, late_changes};
///
/// // Both customers head along the first trait; the second has an event in the last period and turns to the other.
/// let input = LateChangeInput {
///     states: &array![[[1.0, 0.0], [2.0, 0.0]], [[1.0, 0.0], [1.0, 1.0]]],
///     events: &array![[false, false], [false, true]],
///     before: &[0, 0],
///     after: &[0, 1],
///     readout: &array![[1.0, 0.0], [0.0, 1.0]],
///     short: None,
/// };
/// let found = late_changes(input)?;
/// assert_eq!((found.customers, found.last_step_decodes), (vec![1], 1.0));
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, a value is not finite, or there are fewer than two periods.
pub fn late_changes(input: LateChangeInput<'_>) -> Result<LateChanges> {
    let LateChangeInput { states, events, before, after, readout, short } = input;
    let (customers, periods, _) = states.dim();
    check::finite("states", states)?;
    check::length("rows of events", customers, events.nrows())?;
    check::length("columns of events", periods, events.ncols())?;
    check::length("entries of before", customers, before.len())?;
    check::length("entries of after", customers, after.len())?;
    let turns = turn_angles(states)?;
    let last = periods - 1;
    let event_count = |n: usize| events.row(n).iter().filter(|e| **e).count();
    let changed: Vec<usize> = (0..customers)
        .filter(|&n| events[[n, last]] && event_count(n) == 1 && before[n] != after[n])
        .collect();
    let quiet: Vec<usize> = (0..customers).filter(|&n| event_count(n) == 0).collect();
    let drifted: Vec<usize> = quiet.iter().copied().filter(|&n| before[n] != after[n]).collect();
    let last_turn =
        |rows: &[usize]| Turns::of(&rows.iter().map(|&n| turns[[n, last - 1]]).collect::<Vec<_>>());
    let decoded_share = |decoded: &[usize], rows: &[usize], wanted: &[usize]| {
        mean_defined(rows.iter().map(|&n| f64::from(decoded[n] == wanted[n])))
    };
    let steps = decode(&steps(states).index_axis(Axis(1), last), readout)?;
    let ends = decode(&states.index_axis(Axis(1), last), readout)?;
    let short_decodes = match short {
        Some(short) => {
            check::length("rows of short window", customers, short.nrows())?;
            Some(decoded_share(&decode(short, readout)?, &changed, after))
        }
        None => None,
    };
    let commonest = |rows: &[usize]| {
        let mut new: Vec<usize> = rows.iter().map(|&n| after[n]).collect();
        new.sort_unstable();
        let most = new.chunk_by(|a, b| a == b).map(<[usize]>::len).max().unwrap_or(0);
        most as f64 / new.len() as f64
    };
    Ok(LateChanges {
        turn: last_turn(&changed),
        turn_without_event: last_turn(&quiet),
        last_step_decodes: decoded_share(&steps, &changed, after),
        last_step_decodes_without_event: decoded_share(&steps, &quiet, after),
        last_step_decodes_drifted: decoded_share(&steps, &drifted, after),
        end_decodes_before: decoded_share(&ends, &changed, before),
        end_decodes_after: decoded_share(&ends, &changed, after),
        short_decodes,
        chance: commonest(&changed),
        customers: changed,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn what_changes_stands_beside_what_does_not() {
        // Two who changed from the first trait to the second: one's end follows, the other's last step only. Of two without an
        // event one's last step points to the trait of its last period, the other's does not.
        let states = array![
            [[1.0, 0.0], [1.0, 4.0]],
            [[3.0, 0.0], [3.0, 1.0]],
            [[1.0, 0.0], [2.0, 0.0]],
            [[0.0, 1.0], [0.5, 1.0]]
        ];
        let found = late_changes(LateChangeInput {
            states: &states,
            events: &array![[false, true], [false, true], [false, false], [false, false]],
            before: &[0, 0, 0, 1],
            after: &[1, 1, 0, 1],
            readout: &array![[1.0, 0.0], [0.0, 1.0]],
            short: Some(&array![[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]),
        })
        .unwrap();
        assert_eq!(found.customers, [0, 1]);
        assert_eq!((found.last_step_decodes, found.last_step_decodes_without_event), (1.0, 0.5));
        assert_eq!((found.end_decodes_before, found.end_decodes_after), (0.5, 0.5));
        assert_eq!(found.short_decodes, Some(0.5));
        let right = std::f64::consts::FRAC_PI_2;
        assert!((found.turn.mean - right).abs() < 1e-12);
        assert!((found.turn_without_event.mean - right / 2.0).abs() < 1e-12);
    }
}
