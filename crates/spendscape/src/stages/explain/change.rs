//! The smallest feasible change of spending after which the network itself names another segment.
//!
//! The surrogate says which classes to move (its slopes solve the linear program of [`MovePlan`]); how much has to move is
//! found by running the network on the changed spending.

use anyhow::Result;
use ndarray::{Array1, Array3, ArrayRef1, ArrayViewMut2, Axis as Dimension};
use spendscape_stats::EmpiricalDistribution;
use spendscape_surrogate::{Move, MovePlan, MovePlanner, SegmentExplainer, assign};

use super::{data::Data, flags::Flagged};

/// No class grows beyond what this fraction of the customers spend on it: a change that nobody lives is no advice.
const REACH: f64 = 0.99;
/// Amounts tried in a round.
const TRIALS: usize = 16;
/// Rounds of trials, each between two neighbors of the last: the amount is found to 1/4096 of what can be moved.
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

/// What changes follow and what limits them, the same for all customers.
#[derive(Debug)]
pub(crate) struct Limits {
    /// Plans moves against the lead of each segment over each other one, P x P.
    planners: Vec<MovePlanner>,
    /// Largest share of each class.
    reach: Array1<f64>,
    /// Classes that have to stay as they are.
    fixed: Vec<bool>,
}

impl Limits {
    pub(crate) fn new(
        explainer: &SegmentExplainer<'_>,
        segments: usize,
        peers: &EmpiricalDistribution,
        classes: usize,
        flagged: &[Flagged],
    ) -> Result<Self> {
        let pairs = (0..segments).flat_map(|segment| (0..segments).map(move |rival| (segment, rival)));
        let planner = |(segment, rival)| MovePlanner::new(explainer.lead(segment, rival)?.coefficients());
        let reach =
            (0..classes).map(|class| peers.quantile(class, REACH)).collect::<Result<Vec<f64>, _>>()?;
        let mut fixed = vec![false; classes];
        for flag in flagged {
            fixed[flag.class] = true;
        }
        Ok(Self {
            planners: pairs.map(planner).collect::<Result<_, _>>()?,
            reach: Array1::from(reach),
            fixed,
        })
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

/// The search for one customer's change, in the order in which the surrogate expects the other segments to be reached.
struct Search {
    row: usize,
    segment: usize,
    /// Mean shares.
    shares: Array1<f64>,
    /// The plan that is followed, behind those that are left.
    plans: Vec<MovePlan>,
    round: usize,
    /// The next amount to be tried: that of this trial, each a step above the one before, from `low` on.
    trial: usize,
    low: f64,
    step: f64,
    found: Option<Change>,
}

impl Search {
    fn new(data: &Data, limits: &Limits, row: usize, segment: usize) -> Result<Self> {
        let shares = data.shares.row(row).to_owned();
        let (lower, upper) = limits.of(&shares);
        let outputs = data.outputs.row(row);
        let mut plans = Vec::new();
        for rival in (0..outputs.len()).filter(|rival| *rival != segment) {
            let plan = limits.planners[segment * outputs.len() + rival].plan(&shares, &lower, &upper)?;
            if let Some(moved) = plan.moved_for(outputs[segment] - outputs[rival]) {
                plans.push((moved, plan));
            }
        }
        plans.sort_by(|a, b| a.0.total_cmp(&b.0));
        let plans = plans.into_iter().rev().map(|(_, plan)| plan).collect();
        let mut search =
            Self { row, segment, shares, plans, round: 0, trial: 0, low: 0.0, step: 0.0, found: None };
        search.follow();
        Ok(search)
    }

    /// Begins with the plan that is next.
    fn follow(&mut self) {
        if let Some(plan) = self.plans.last() {
            (self.round, self.trial, self.low, self.step) = (0, 0, 0.0, plan.capacity() / TRIALS as f64);
        }
    }

    fn amount(&self) -> f64 {
        self.low + self.step * (self.trial + 1) as f64
    }

    /// The moves to be tried, until the search is over.
    fn moves(&self) -> Option<Vec<Move>> {
        let over = self.round == ROUNDS || self.trial == TRIALS;
        self.plans.last().filter(|_| !over).map(|plan| plan.moves(self.amount()))
    }

    /// Takes what the network says after these moves.
    fn tried(&mut self, moves: Vec<Move>, outputs: &ArrayRef1<f64>) -> Result<()> {
        let segment = assign(outputs)?.segment;
        if segment != self.segment {
            let moved = self.amount();
            self.found =
                Some(Change { moved, moves, segment, lead: outputs[segment] - outputs[self.segment] });
            self.low = moved - self.step;
            self.step = (moved - self.low) / TRIALS as f64;
            (self.round, self.trial) = (self.round + 1, 0);
            return Ok(());
        }
        self.trial += 1;
        if self.trial == TRIALS && self.found.is_none() {
            self.plans.pop();
            self.follow();
        }
        Ok(())
    }
}

/// Searches for the changes of some customers, each given by row and segment. Each tries the smallest amounts first, and
/// the network runs on one trial of all of them at once.
pub(crate) fn smallest(
    data: &Data,
    limits: &Limits,
    customers: &[(usize, usize)],
) -> Result<Vec<Option<Change>>> {
    let search = |&(row, segment): &(usize, usize)| Search::new(data, limits, row, segment);
    let mut searches = customers.iter().map(search).collect::<Result<Vec<_>>>()?;
    let (_, periods, classes) = data.panel.shares.dim();
    loop {
        let trials: Vec<(usize, Vec<Move>)> =
            searches.iter().enumerate().filter_map(|(at, search)| Some((at, search.moves()?))).collect();
        if trials.is_empty() {
            return Ok(searches.into_iter().map(|search| search.found).collect());
        }
        let mut changed = Array3::zeros((trials.len(), periods, classes));
        for ((at, moves), mut to) in trials.iter().zip(changed.outer_iter_mut()) {
            to.assign(&data.panel.shares.index_axis(Dimension(0), searches[*at].row));
            move_shares(&mut to, &searches[*at].shares, moves);
        }
        let outputs = data.model.network.predict(&changed)?.mapv(f64::from);
        for ((at, moves), outputs) in trials.into_iter().zip(outputs.rows()) {
            searches[at].tried(moves, &outputs)?;
        }
    }
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

/// The network's segments of customers (by row) who spend on flagged classes as the average training customer does in every
/// period, and on all others in the present proportions.
pub(crate) fn without_flagged(
    data: &Data,
    average: &Array1<f64>,
    flagged: &[Flagged],
    rows: &[usize],
) -> Result<Vec<usize>> {
    let mut changed = data.panel.shares.select(Dimension(0), rows);
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
    outputs.rows().into_iter().map(|outputs| Ok(assign(&outputs)?.segment)).collect()
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
