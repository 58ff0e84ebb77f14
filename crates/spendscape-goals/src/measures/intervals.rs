//! Bootstrap intervals over customers: a customer's rows are drawn together, for they are not independent.

use ndarray::Array2;
use rand::Rng;
use spendscape_stats::{Estimate, bootstrap, check};

use super::{
    Measure, Predictions,
    sums::{CustomerSums, Sums},
};
use crate::Error;

/// A cell of the confusion matrix that is not zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfusionCell {
    /// The goal that came true.
    pub truth: usize,
    /// The goal that was predicted.
    pub predicted: usize,
    /// Number of rows.
    pub count: u64,
    /// Share of the rows of `truth`, with its interval; samples without the goal are left out.
    pub share: Estimate,
}

impl Predictions {
    /// Measures with 95 % percentile intervals from `draws` samples of the customers with replacement (the cluster
    /// bootstrap); every measure is computed anew on each sample. One number of `rng` seeds each sample, so that results do
    /// not depend on threads.
    ///
    /// # Errors
    /// As [`Predictions::values`].
    pub fn intervals<R: Rng + ?Sized>(
        &self,
        measures: &[Measure],
        draws: usize,
        rng: &mut R,
    ) -> Result<Vec<Estimate>, Error> {
        let sums = Sums::new(self, measures)?;
        Ok(bootstrap(sums.customers(), draws, rng, |weights| {
            let total = sums.total(weights);
            measures.iter().map(|measure| sums.value(*measure, &total)).collect()
        }))
    }

    /// Measures less those of `other` on the same rows, both on the same samples of customers.
    ///
    /// # Errors
    /// As [`Predictions::values`]; `BadInput::ShapeMismatch` if truths, customers or goals are not the same in both.
    pub fn differences<R: Rng + ?Sized>(
        &self,
        other: &Self,
        measures: &[Measure],
        draws: usize,
        rng: &mut R,
    ) -> Result<Vec<Estimate>, Error> {
        self.check_rows(other)?;
        let (ours, theirs) = (Sums::new(self, measures)?, Sums::new(other, measures)?);
        Ok(bootstrap(ours.customers(), draws, rng, |weights| {
            let (a, b) = (ours.total(weights), theirs.total(weights));
            measures.iter().map(|measure| ours.value(*measure, &a) - theirs.value(*measure, &b)).collect()
        }))
    }

    /// Refuses predictions of other rows.
    fn check_rows(&self, other: &Self) -> Result<(), Error> {
        let rows = self.truth.iter().zip(&self.customer);
        let same = rows.zip(other.truth.iter().zip(&other.customer)).filter(|(a, b)| a == b).count();
        let sizes = [
            ("rows of the other predictions", self.rows(), other.rows()),
            ("goals of the other predictions", self.goals(), other.goals()),
            ("rows with the same customer and truth in both predictions", self.rows(), same),
        ];
        Ok(sizes
            .into_iter()
            .try_for_each(|(argument, expected, found)| check::length(argument, expected, found))?)
    }

    /// By how much more a measure of these predictions changes from `before` than that of others does, all of the same rows:
    /// `(self - before) - (other.0 - other.1)`, on the same samples of customers.
    ///
    /// # Errors
    /// As [`Predictions::differences`].
    pub fn change<R: Rng + ?Sized>(
        &self,
        before: &Self,
        other: (&Self, &Self),
        measure: Measure,
        draws: usize,
        rng: &mut R,
    ) -> Result<Estimate, Error> {
        let of = [self, before, other.0, other.1];
        of.iter().try_for_each(|predictions| self.check_rows(predictions))?;
        let sums = of.map(|predictions| Sums::new(predictions, &[measure]));
        let sums = sums.into_iter().collect::<Result<Vec<_>, _>>()?;
        let found = bootstrap(sums[0].customers(), draws, rng, |weights| {
            let value = |at: usize| sums[at].value(measure, &sums[at].total(weights));
            vec![value(0) - value(1) - (value(2) - value(3))]
        });
        Ok(found[0])
    }

    /// The cells of the confusion matrix that are not zero, by truth and prediction, with the interval of their share of the
    /// truth's rows. (A cell that is zero is zero in every sample.)
    pub fn confusion_intervals<R: Rng + ?Sized>(&self, draws: usize, rng: &mut R) -> Vec<ConfusionCell> {
        let goals = self.goals();
        let confusion = self.confusion();
        let counts: Vec<((usize, usize), u64)> =
            confusion.indexed_iter().filter(|(_, count)| **count > 0).map(|(at, c)| (at, *c)).collect();
        let mut place_of = Array2::zeros((goals, goals));
        counts.iter().enumerate().for_each(|(place, (cell, _))| place_of[*cell] = place);
        // First the cells, then the rows of each truth.
        let sums = CustomerSums::new(self, counts.len() + goals, |row, sums| {
            sums.add(place_of[[self.truth[row], self.predicted(row)]], 1.0);
            sums.add(counts.len() + self.truth[row], 1.0);
        });
        let shares = bootstrap(sums.customers(), draws, rng, |weights| {
            let total = sums.total(weights);
            let share = |(place, ((truth, _), _)): (usize, &((usize, usize), u64))| {
                // 0 / 0 is no number, and such samples are left out.
                total[place] / total[counts.len() + truth]
            };
            counts.iter().enumerate().map(share).collect()
        });
        let cell = |(((truth, predicted), count), share)| ConfusionCell { truth, predicted, count, share };
        counts.into_iter().zip(shares).map(cell).collect()
    }
}
