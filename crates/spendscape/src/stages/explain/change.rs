//! The smallest feasible change of spending after which the network itself names another segment.
//!
//! The surrogate says which classes to move (its slopes solve the linear program of [`MovePlan`]); how much has to move is
//! found by running the network on the changed spending.

use anyhow::Result;
use ndarray::{Array1, Array3, ArrayViewMut2, Axis as Dimension, s};
use spendscape_surrogate::{Move, MovePlan, Peers, SegmentExplainer, assign};

use super::{data::Data, flags::Flagged};

/// No class grows beyond what this fraction of the customers spend on it: a change that nobody lives is no advice.
const REACH: f64 = 0.99;
/// Amounts tried in a round.
const TRIALS: usize = 16;
/// Trials that the network runs on at once, the smallest amounts first: the rest is not tried once one has moved the segment.
const BATCH: usize = 4;
/// Rounds of trials, each between two neighbours of the last: the amount is found to 1/4096 of what can be moved.
const ROUNDS: usize = 3;

/// A change that moves the segment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// Share of all spending moved.
    pub(crate) moved: f64,
    pub(crate) moves: Vec<Move>,
    /// The network's segment afterwards.
    pub(crate) segment: usize,
    /// Its lead over the present segment afterwards.
    pub(crate) lead: f64,
}

/// The limits of changes, the same for all customers.
#[derive(Debug)]
pub(crate) struct Limits {
    /// Largest share of each class.
    reach: Array1<f64>,
    /// Classes that have to stay as they are.
    fixed: Vec<bool>,
}

impl Limits {
    pub(crate) fn new(peers: &Peers, classes: usize, flagged: &[Flagged]) -> Result<Self> {
        let reach =
            (0..classes).map(|class| peers.quantile(class, REACH)).collect::<Result<Vec<f64>, _>>()?;
        let mut fixed = vec![false; classes];
        for flag in flagged {
            fixed[flag.class] = true;
        }
        Ok(Self { reach: Array1::from(reach), fixed })
    }

    /// Lower and upper limits for a customer with these mean shares.
    fn of(&self, shares: &Array1<f64>) -> (Array1<f64>, Array1<f64>) {
        let lower = Array1::from_shape_fn(shares.len(), |c| if self.fixed[c] { shares[c] } else { 0.0 });
        let upper = Array1::from_shape_fn(shares.len(), |c| {
            if self.fixed[c] { shares[c] } else { shares[c].max(self.reach[c]) }
        });
        (lower, upper)
    }
}

/// Searches for the change of one customer, in the order in which the surrogate expects the other segments to be reached.
pub(crate) fn smallest(
    data: &Data,
    explainer: &SegmentExplainer<'_>,
    limits: &Limits,
    row: usize,
    segment: usize,
) -> Result<Option<Change>> {
    let shares = data.shares.row(row).to_owned();
    let (lower, upper) = limits.of(&shares);
    let outputs = data.outputs.row(row);
    let mut plans = Vec::new();
    for rival in (0..outputs.len()).filter(|rival| *rival != segment) {
        let lead = explainer.lead(segment, rival)?;
        let plan = MovePlan::new(lead.coefficients(), &shares, &lower, &upper)?;
        if let Some(moved) = plan.moved_for(outputs[segment] - outputs[rival]) {
            plans.push((moved, plan));
        }
    }
    plans.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, plan) in plans {
        let found = along(data, &plan, &shares, row, segment)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The smallest amount along a plan at which the network names another segment.
fn along(
    data: &Data,
    plan: &MovePlan,
    shares: &Array1<f64>,
    row: usize,
    segment: usize,
) -> Result<Option<Change>> {
    let periods = data.panel.shares.index_axis(Dimension(0), row);
    let (mut low, mut high) = (0.0, plan.capacity());
    let mut found = None;
    for _ in 0..ROUNDS {
        let step = (high - low) / TRIALS as f64;
        let amount = |trial: usize| low + step * (trial + 1) as f64;
        let mut first = None;
        for batch in (0..TRIALS).step_by(BATCH) {
            let trials = batch..(batch + BATCH).min(TRIALS);
            let mut changed = Array3::zeros((trials.len(), periods.nrows(), periods.ncols()));
            for (trial, mut to) in trials.clone().zip(changed.outer_iter_mut()) {
                to.assign(&periods);
                move_shares(&mut to, shares, &plan.moves(amount(trial)));
            }
            let outputs = data.model.network.predict(&changed)?.mapv(f64::from);
            for (trial, outputs) in trials.zip(outputs.rows()) {
                let winner = assign(&outputs)?.segment;
                if winner != segment {
                    first = Some((trial, winner, outputs[winner] - outputs[segment]));
                    break;
                }
            }
            if first.is_some() {
                break;
            }
        }
        let Some((trial, winner, lead)) = first else { break };
        (low, high) = (amount(trial) - step, amount(trial));
        found = Some(Change { moved: high, moves: plan.moves(high), segment: winner, lead });
    }
    Ok(found)
}

/// Moves spending between classes in the periods of a customer (T x C), whose means over periods are `shares`.
///
/// A class that gives a part of its mean share gives the same part in every period, and what becomes free in a period goes to
/// the takers in the proportions in which they take on average: then the mean shares change by exactly the moves.
fn move_shares(periods: &mut ArrayViewMut2<'_, f32>, shares: &Array1<f64>, moves: &[Move]) {
    let total: f64 = moves.iter().map(|step| step.amount).sum();
    // A class gives to several in turn, and takes from several.
    let gives = by_class(moves.iter().map(|step| (step.from, step.amount / shares[step.from])));
    let takes = by_class(moves.iter().map(|step| (step.to, step.amount / total)));
    for mut period in periods.rows_mut() {
        let mut free = 0.0;
        for &(class, part) in &gives {
            let share = f64::from(period[class]);
            let given = share * f64::min(part, 1.0);
            free += given;
            period[class] = (share - given) as f32;
        }
        for &(class, part) in &takes {
            period[class] = (f64::from(period[class]) + free * part) as f32;
        }
    }
}

/// Sums by class, in the order of classes: a few of a hundred.
fn by_class(parts: impl Iterator<Item = (usize, f64)>) -> Vec<(usize, f64)> {
    let mut sums: Vec<(usize, f64)> = Vec::new();
    for (class, part) in parts {
        match sums.iter_mut().find(|(known, _)| *known == class) {
            Some((_, sum)) => *sum += part,
            None => sums.push((class, part)),
        }
    }
    sums.sort_unstable_by_key(|(class, _)| *class);
    sums
}

/// The network's segment of a customer who spends on flagged classes as the average training customer does in every period,
/// and on all others in the present proportions.
pub(crate) fn without_flagged(
    data: &Data,
    average: &Array1<f64>,
    flagged: &[Flagged],
    row: usize,
) -> Result<usize> {
    let mut changed = data.panel.shares.slice(s![row..=row, .., ..]).to_owned();
    let mut is_flagged = vec![false; average.len()];
    for flag in flagged {
        is_flagged[flag.class] = true;
    }
    let rest: f64 = 1.0 - flagged.iter().map(|flag| average[flag.class]).sum::<f64>();
    for mut period in changed.lanes_mut(Dimension(2)) {
        let other: f64 = period
            .iter()
            .zip(&is_flagged)
            .filter(|(_, flag)| !**flag)
            .map(|(share, _)| f64::from(*share))
            .sum();
        // A period without other spending has no proportions to keep.
        if other > 0.0 {
            for ((share, flag), average) in period.iter_mut().zip(&is_flagged).zip(average) {
                *share = if *flag { *average as f32 } else { (f64::from(*share) * rest / other) as f32 };
            }
        }
    }
    let outputs = data.model.network.predict(&changed)?.mapv(f64::from);
    Ok(assign(&outputs.row(0))?.segment)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn moves_change_the_mean_shares_exactly_and_keep_every_period_whole() {
        let periods = array![[0.5_f32, 0.3, 0.2], [0.1, 0.6, 0.3]];
        let shares = array![0.3, 0.45, 0.25];
        let moves = [
            Move { from: 0, to: 2, amount: 0.15, effect: 1.0 },
            Move { from: 1, to: 2, amount: 0.09, effect: 0.5 },
        ];
        let mut changed = periods.clone();
        move_shares(&mut changed.view_mut(), &shares, &moves);
        let changed = changed.mapv(f64::from);
        let means = changed.mean_axis(Dimension(0)).unwrap();
        for (mean, expected) in means.iter().zip([0.15, 0.36, 0.49]) {
            assert!((mean - expected).abs() < 1e-7, "{means}");
        }
        assert!(changed.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-6));
        assert!(changed.iter().all(|share| *share >= 0.0));
    }
}
