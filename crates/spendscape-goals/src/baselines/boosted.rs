//! Gradient-boosted trees, one ensemble per goal.

use ndarray::{Array1, Array2, Axis};
use rand::{Rng, seq::index};
use rayon::prelude::*;
use spendscape_outcomes::{BoostedTrees, Loss};

use super::{
    Markov,
    aggregates::{aggregates, width},
};
use crate::{Calendar, Error, Sequences, Target};

/// Rows times aggregates that one ensemble is grown on at most: 12 goals then learn from 64,000 targets in ten seconds or
/// so, and 97 goals from 10,000 in a minute or two.
const CELLS: usize = 5_000_000;
/// Examples that a goal needs to have trees of its own: with fewer, leaves hold chance.
const EXAMPLES: usize = 20;
/// Targets that are predicted at a time, which bounds the memory for their aggregates.
const CHUNK: usize = 4096;

/// One ensemble of trees per goal (one against the rest) on aggregates of the history, the probabilities of all goals divided
/// by their sum.
///
/// The aggregates: share of each goal in all groups, in the last 5 and in the last 10; days since each goal last came; the
/// last goal; last, mean, smallest and greatest gap between groups and its deviation; logarithms of amounts; weekday, day of
/// month, month, holiday, payday and promotion of the last day; length of the history in groups and days.
///
/// To keep it affordable the trees see a random sample of the training targets of at most 5 million aggregates, and goals
/// with fewer than 20 examples in the sample take their share of the training targets before the division.
#[derive(Debug)]
pub struct BoostedGoals {
    calendar: Calendar,
    rows: usize,
    shares: Array1<f64>,
    /// None for goals that take their share.
    ensembles: Vec<Option<BoostedTrees>>,
}

impl BoostedGoals {
    pub(super) fn fit<R: Rng + ?Sized>(
        sequences: &Sequences,
        targets: &[Target],
        calendar: &Calendar,
        rng: &mut R,
    ) -> Result<Self, Error> {
        let goals = sequences.goals().len();
        let rows = (CELLS / width(goals)).max(1).min(targets.len());
        let sample = if rows < targets.len() {
            let mut places = index::sample(rng, targets.len(), rows).into_vec();
            places.sort_unstable();
            places.into_iter().map(|place| targets[place]).collect()
        } else {
            targets.to_vec()
        };
        let x = BoostedTrees::bin(&aggregates(sequences, &sample, calendar))?;
        let truth: Vec<usize> = sample.iter().map(|target| sequences.goal(*target)).collect();
        let weights = Array1::ones(rows);
        let grow = |goal: usize| {
            let y: Array1<f64> = truth.iter().map(|truth| f64::from(u8::from(*truth == goal))).collect();
            let examples = truth.iter().filter(|truth| **truth == goal).count();
            if examples < EXAMPLES || examples == rows {
                return Ok(None);
            }
            BoostedTrees::fit(Loss::Logistic, &x, &y, &weights).map(Some)
        };
        let ensembles = (0..goals).into_par_iter().map(grow).collect::<Result<_, _>>()?;
        let shares = Markov::fit(0, sequences, targets).shares();
        Ok(Self { calendar: calendar.clone(), rows, shares, ensembles })
    }

    /// Training targets that the trees have seen.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn predict(&self, sequences: &Sequences, targets: &[Target]) -> Result<Array2<f64>, Error> {
        let mut probabilities = Array2::zeros((targets.len(), self.shares.len()));
        for (chunk, targets) in targets.chunks(CHUNK).enumerate() {
            let x = aggregates(sequences, targets, &self.calendar);
            let of_goal = |(ensemble, share): (&Option<BoostedTrees>, &f64)| match ensemble {
                Some(ensemble) => ensemble.predict(&x),
                None => Ok(Array1::from_elem(targets.len(), *share)),
            };
            let goals: Vec<_> = self.ensembles.iter().zip(&self.shares).collect();
            let columns: Vec<Array1<f64>> = goals.into_par_iter().map(of_goal).collect::<Result<_, _>>()?;
            let start = chunk * CHUNK;
            for (goal, column) in columns.iter().enumerate() {
                probabilities.slice_mut(ndarray::s![start..start + targets.len(), goal]).assign(column);
            }
        }
        for mut row in probabilities.axis_iter_mut(Axis(0)) {
            let sum = row.sum();
            row /= sum;
        }
        Ok(probabilities)
    }
}
