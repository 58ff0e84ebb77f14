//! The smallest feasible change of spending after which the network itself names another segment.
//!
//! The surrogate says which classes to move (its slopes solve the linear program of [`MovePlan`]); how much has to move is
//! found by running the network on the changed spending.

use ndarray::{Array1, Array2, Array3, ArrayRef1, ArrayView1, ArrayView2, ArrayViewMut2, Axis};
use spendscape_stats::{EmpiricalDistribution, check};

use crate::Error;
use crate::explain::{Move, MovePlan, MovePlanner, SegmentExplainer, winner};

/// No class grows beyond what this fraction of the customers spend on it: a change that nobody lives is no advice.
const REACH: f64 = 0.99;
/// Amounts tried in a round.
const TRIALS: usize = 16;
/// Rounds of trials, each between two neighbors of the last: the amount is found to 1/4096 of what can be moved.
const ROUNDS: usize = 3;

/// A customer whose segment is to change.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Shares of spending per period, T x C.
    pub periods: ArrayView2<'a, f32>,
    /// Their mean over the periods, C.
    pub shares: ArrayView1<'a, f64>,
    /// The network's outputs, P.
    pub outputs: ArrayView1<'a, f64>,
    /// The network's segment: the place of the highest output.
    pub segment: usize,
}

/// A change that moves the segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Counterfactual {
    /// Share of all spending moved.
    pub moved: f64,
    /// From where to where.
    pub moves: Vec<Move>,
    /// The network's segment afterwards.
    pub segment: usize,
    /// Its lead over the present segment afterwards.
    pub lead: f64,
}

/// Directions and limits of the changes, the same for all customers.
///
/// ```
/// use ndarray::{Array2, Array3, array};
/// use spendscape_stats::EmpiricalDistribution;
/// use spendscape_surrogate::{
///     Error,
///     explain::{Candidate, CounterfactualSearch, SegmentExplainer},
///     models::Ols,
/// };
///
/// // A network whose outputs are the mean shares of two classes: the larger one names the segment.
/// let shares = array![[0.2, 0.8], [0.4, 0.6], [0.9, 0.1]];
/// let model = Ols::params().fit(&shares, &shares)?;
/// let explainer = SegmentExplainer::new(&model, &Array2::eye(2), &array![0.0, 0.0])?;
/// let search = CounterfactualSearch::new(&explainer, &EmpiricalDistribution::new(&shares)?, &[])?;
/// let (periods, mean) = (array![[0.6_f32, 0.4]], array![0.6, 0.4]);
/// let customer = Candidate { periods: periods.view(), shares: mean.view(), outputs: mean.view(), segment: 0 };
/// let network = |trials: &Array3<f32>| {
///     Ok::<_, Error>(Array2::from_shape_fn((trials.dim().0, 2), |(n, k)| trials[[n, 0, k]].into()))
/// };
/// let change = search.smallest(&[customer], network)?.remove(0).expect("a tenth must move");
/// assert_eq!(change.segment, 1);
/// assert!(change.moved > 0.1 && change.moved < 0.2);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct CounterfactualSearch {
    /// Plans moves against the lead of each segment over each other one, P x P.
    planners: Vec<MovePlanner>,
    segments: usize,
    /// Largest share of each class.
    reach: Array1<f64>,
    /// Classes that have to stay as they are.
    fixed: Vec<bool>,
}

impl CounterfactualSearch {
    /// A search that follows the slopes of `explainer`. No class grows beyond the 99th percentile of the `peers`' mean shares,
    /// or the customer's own where that is larger, and the classes listed in `fixed` stay as they are.
    ///
    /// # Errors
    ///
    /// `BadInput::ShapeMismatch` unless the peers have the explainer's classes, `BadInput::OutOfRange` for a class that is
    /// fixed but does not exist, and those of [`MovePlanner::new`].
    pub fn new(
        explainer: &SegmentExplainer<'_>,
        peers: &EmpiricalDistribution,
        fixed: &[usize],
    ) -> Result<Self, Error> {
        let segments = explainer.segments();
        let mut planners = Vec::with_capacity(segments * segments);
        for segment in 0..segments {
            for rival in 0..segments {
                planners.push(MovePlanner::new(explainer.lead(segment, rival)?.coefficients())?);
            }
        }
        let classes = explainer.lead(0, 0)?.coefficients().len();
        check::length("classes of the peers", classes, peers.columns())?;
        let reach = (0..classes).map(|class| peers.quantile(class, REACH)).collect::<Result<Vec<_>, _>>()?;
        let mut is_fixed = vec![false; classes];
        for &class in fixed {
            check::index("class", class, classes)?;
            is_fixed[class] = true;
        }
        Ok(Self { planners, segments, reach: Array1::from(reach), fixed: is_fixed })
    }

    /// The smallest change found for each candidate after which the network names another segment; `None` where no plan of the
    /// surrogate leads there.
    ///
    /// `outputs` runs the network: shares of n customers (n x T x C) to outputs (n x P). Each candidate tries the smallest
    /// amounts first, along the way that the surrogate expects to be shortest, and the network runs on one trial of all
    /// candidates at once. What is found is the least to within 1/4096 of what can be moved along that way, if the segment
    /// changes there once.
    ///
    /// # Errors
    ///
    /// `BadInput::ShapeMismatch` for candidates or outputs of other shapes, `BadInput::OutOfRange` for an unknown segment,
    /// `BadInput::NotFinite`, `BadInput::InvalidParameter` for a negative share, and what `outputs` returns.
    pub fn smallest<E: From<Error>>(
        &self,
        candidates: &[Candidate<'_>],
        mut outputs: impl FnMut(&Array3<f32>) -> Result<Array2<f64>, E>,
    ) -> Result<Vec<Option<Counterfactual>>, E> {
        let search = |candidate| Search::new(self, candidate);
        let mut searches = candidates.iter().map(search).collect::<Result<Vec<_>, _>>()?;
        let periods = candidates.first().map_or(0, |first| first.periods.nrows());
        for candidate in candidates {
            check::length("periods of a candidate", periods, candidate.periods.nrows())
                .map_err(Error::from)?;
        }
        loop {
            let trials: Vec<(usize, Vec<Move>)> =
                searches.iter().enumerate().filter_map(|(at, search)| Some((at, search.moves()?))).collect();
            if trials.is_empty() {
                return Ok(searches.into_iter().map(|search| search.found).collect());
            }
            let mut changed = Array3::zeros((trials.len(), periods, self.reach.len()));
            for ((at, moves), mut to) in trials.iter().zip(changed.outer_iter_mut()) {
                to.assign(&candidates[*at].periods);
                move_shares(&mut to, &candidates[*at].shares, moves);
            }
            let outputs = outputs(&changed)?;
            check::length("rows of outputs", trials.len(), outputs.nrows()).map_err(Error::from)?;
            check::length("columns of outputs", self.segments, outputs.ncols()).map_err(Error::from)?;
            for ((at, moves), outputs) in trials.into_iter().zip(outputs.rows()) {
                searches[at].tried(moves, &outputs)?;
            }
        }
    }

    /// Lower and upper limits for a customer with these mean shares.
    fn limits(&self, shares: &ArrayRef1<f64>) -> (Array1<f64>, Array1<f64>) {
        let lower = Array1::from_shape_fn(shares.len(), |c| if self.fixed[c] { shares[c] } else { 0.0 });
        let upper = Array1::from_shape_fn(shares.len(), |c| {
            if self.fixed[c] { shares[c] } else { shares[c].max(self.reach[c]) }
        });
        (lower, upper)
    }
}

/// The search for one customer's change, in the order in which the surrogate expects the other segments to be reached.
struct Search {
    segment: usize,
    /// The plan that is followed, behind those that are left.
    plans: Vec<MovePlan>,
    round: usize,
    /// The next amount to be tried: that of this trial, each a step above the one before, from `low` on.
    trial: usize,
    low: f64,
    step: f64,
    found: Option<Counterfactual>,
}

impl Search {
    fn new(limits: &CounterfactualSearch, candidate: &Candidate<'_>) -> Result<Self, Error> {
        let Candidate { periods, shares, outputs, segment } = *candidate;
        check::length("outputs", limits.segments, outputs.len())?;
        check::finite("outputs", &outputs)?;
        check::length("shares", limits.reach.len(), shares.len())?;
        check::length("classes of a candidate's periods", shares.len(), periods.ncols())?;
        check::index("segment", segment, limits.segments)?;
        let (lower, upper) = limits.limits(&shares);
        let mut plans = Vec::new();
        for rival in (0..outputs.len()).filter(|rival| *rival != segment) {
            let plan = limits.planners[segment * outputs.len() + rival].plan(&shares, &lower, &upper)?;
            if let Some(moved) = plan.moved_for(outputs[segment] - outputs[rival]) {
                plans.push((moved, plan));
            }
        }
        plans.sort_by(|a, b| a.0.total_cmp(&b.0));
        let plans = plans.into_iter().rev().map(|(_, plan)| plan).collect();
        let mut search = Self { segment, plans, round: 0, trial: 0, low: 0.0, step: 0.0, found: None };
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
    fn tried(&mut self, moves: Vec<Move>, outputs: &ArrayRef1<f64>) -> Result<(), Error> {
        let segment = winner(outputs)?.segment;
        if segment != self.segment {
            let moved = self.amount();
            let lead = outputs[segment] - outputs[self.segment];
            self.found = Some(Counterfactual { moved, moves, segment, lead });
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

/// Moves spending between classes in the periods of a customer (T x C), whose means over periods are `shares`.
///
/// A class that gives a part of its mean share gives the same part in every period, and what becomes free in a period goes to
/// the takers in the proportions in which they take on average: then the mean shares change by exactly the moves.
fn move_shares(periods: &mut ArrayViewMut2<'_, f32>, shares: &ArrayRef1<f64>, moves: &[Move]) {
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

/// Spending without what some classes tell: in every period (N x T x C) those `classes` get their `average` share (C), and the
/// others keep their proportions in the rest. A period without other spending has no proportions to keep and stays as it is.
///
/// ```
/// use ndarray::{Array3, array};
/// use spendscape_surrogate::explain::level_classes;
///
/// // The first class tells something; the others share what is left as before.
/// let mut periods = Array3::from_shape_vec((1, 1, 3), vec![0.6_f32, 0.3, 0.1]).unwrap();
/// level_classes(&mut periods, &array![0.2, 0.0, 0.0], &[0])?;
/// assert!((periods[[0, 0, 0]] - 0.2).abs() < 1e-6 && (periods[[0, 0, 1]] - 0.6).abs() < 1e-6);
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
///
/// # Errors
///
/// `BadInput::ShapeMismatch` if `average` has another length than there are classes, `BadInput::OutOfRange` for a class
/// that does not exist.
pub fn level_classes(
    periods: &mut Array3<f32>,
    average: &ArrayRef1<f64>,
    classes: &[usize],
) -> Result<(), Error> {
    let length = periods.len_of(Axis(2));
    check::length("average", length, average.len())?;
    let mut is_leveled = vec![false; length];
    for &class in classes {
        check::index("class", class, length)?;
        is_leveled[class] = true;
    }
    // A class that is listed twice counts once.
    let leveled = average.iter().zip(&is_leveled).filter(|(_, leveled)| **leveled);
    let rest: f64 = 1.0 - leveled.map(|(average, _)| average).sum::<f64>();
    for mut period in periods.lanes_mut(Axis(2)) {
        let others = period.iter().zip(&is_leveled).filter(|(_, leveled)| !**leveled);
        let other: f64 = others.map(|(share, _)| f64::from(*share)).sum();
        if other > 0.0 {
            for ((share, leveled), average) in period.iter_mut().zip(&is_leveled).zip(average) {
                *share = if *leveled { *average as f32 } else { (f64::from(*share) * rest / other) as f32 };
            }
        }
    }
    Ok(())
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
        let means = changed.mean_axis(Axis(0)).unwrap_or_default();
        for (mean, expected) in means.iter().zip([0.15, 0.36, 0.49]) {
            assert!((mean - expected).abs() < 1e-7, "{means}");
        }
        assert!(changed.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-6));
        assert!(changed.iter().all(|share| *share >= 0.0));
    }
}
