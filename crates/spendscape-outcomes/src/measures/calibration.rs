//! Whether scores are the probabilities that they claim to be.

use spendscape_stats::quantile_sorted;
use std::ops::Range;

use super::{
    BinaryScores,
    weighted::{CalibrationLine, Line, Ranked},
};
use crate::{Error, check};

/// One bin of the calibration curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// Customers in it.
    pub customers: usize,
    /// Mean score.
    pub score: f64,
    /// Share of positives.
    pub rate: f64,
}

/// Largest change of a coefficient that counts as none.
const STEADY: f64 = 1e-12;

impl BinaryScores {
    /// The calibration curve over `bins` quantile bins: edges are the quantiles of the scores (linear between values), a
    /// bin includes its upper edge, and empty bins are left out.
    ///
    /// # Errors
    /// [`Error::NotProbability`] for a score outside 0 to 1, `BadInput::InvalidParameter` without bins.
    pub fn calibration(&self, bins: usize) -> Result<Vec<CalibrationBin>, Error> {
        self.check_probabilities()?;
        check::parameter("bins", 0.0, bins > 0, "[1, inf)")?;
        let bin = |places: Range<usize>| {
            let rows = &self.order[places];
            CalibrationBin {
                customers: rows.len(),
                score: rows.iter().map(|row| self.scores[*row]).sum::<f64>() / rows.len() as f64,
                rate: rows.iter().filter(|row| self.labels[**row]).count() as f64 / rows.len() as f64,
            }
        };
        Ok(self.quantile_bins(bins).into_iter().map(bin).collect())
    }

    /// The places in the order of each quantile bin that has any, the lowest scores first.
    pub(super) fn quantile_bins(&self, bins: usize) -> Vec<Range<usize>> {
        let sorted: Vec<f64> = self.order.iter().rev().map(|row| self.scores[*row]).collect();
        let above = |edge: f64| self.order.partition_point(|row| self.scores[*row] > edge);
        let edges = (1..bins).map(|k| above(quantile_sorted(&sorted, k as f64 / bins as f64)));
        let ends: Vec<usize> = std::iter::once(self.len()).chain(edges).collect();
        let starts = ends[1..].iter().copied().chain([0]);
        starts.zip(&ends).map(|(start, end)| start..*end).filter(|places| !places.is_empty()).collect()
    }

    /// Intercept and slope of the calibration.
    ///
    /// # Errors
    /// [`Error::NotProbability`] for a score outside 0 to 1.
    pub fn calibration_line(&self) -> Result<CalibrationLine, Error> {
        self.check_probabilities()?;
        let ones = vec![[1]; self.len()];
        let total = Ranked::new(self).cumulated(&ones, &[self.len()])[0];
        let [line] = Line::exact(self).fit(&ones, &total, STEADY);
        Ok(line)
    }
}
