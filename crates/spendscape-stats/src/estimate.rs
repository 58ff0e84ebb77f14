//! Figures with bootstrap intervals.

use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use crate::quantile_sorted;

/// A figure with its 95 % bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// On the rows themselves.
    pub value: f64,
    /// 2.5 % of the samples lie below; NaN without samples.
    pub low: f64,
    /// 2.5 % of the samples lie above.
    pub high: f64,
    /// Samples that had a value: one class only has no AUC.
    pub samples: usize,
}

impl Estimate {
    /// The percentile interval of samples; those that are not finite are left out.
    ///
    /// ```
    /// use spendscape_stats::Estimate;
    /// let found = Estimate::of(1.0, vec![0.0, f64::NAN, 2.0]);
    /// assert_eq!((found.low, found.high, found.samples), (0.05, 1.95, 2));
    /// ```
    #[must_use]
    pub fn of(value: f64, mut samples: Vec<f64>) -> Self {
        samples.retain(|sample| sample.is_finite());
        samples.sort_by(f64::total_cmp);
        let (low, high) = (quantile_sorted(&samples, 0.025), quantile_sorted(&samples, 0.975));
        Self { value, low, high, samples: samples.len() }
    }
}

/// Draws as many rows as there are, with replacement, from the stream of a seed.
///
/// ```
/// use spendscape_stats::resample;
///
/// let mut times = [0; 5];
/// resample(1, 5, |row| times[row] += 1);
/// assert_eq!(times.iter().sum::<usize>(), 5);
/// ```
pub fn resample(seed: u64, rows: usize, mut drawn: impl FnMut(usize)) {
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..rows).for_each(|_| drawn(rng.random_range(0..rows)));
}

/// Percentile intervals of any statistics of weighted rows over `draws` samples: `statistics` gets how often each of `rows`
/// was drawn, and gives as many figures every time. The first call is with ones, for the values themselves.
///
/// One number of `rng` seeds each sample, so that results do not depend on threads. Where it costs too much to draw for every
/// statistic, samples made elsewhere with [`resample`] become estimates by [`Estimate::of`].
///
/// ```
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_stats::bootstrap;
///
/// // The mean of 0, 1, 2, 3, 4, from how often each row was drawn.
/// let mean = |times: &[u32]| vec![(0..5).map(|row| f64::from(times[row]) * row as f64).sum::<f64>() / 5.0];
/// let found = bootstrap(5, 200, &mut Xoshiro256PlusPlus::seed_from_u64(1), mean)[0];
/// assert_eq!(found.value, 2.0);
/// assert!(found.low < 2.0 && 2.0 < found.high);
/// ```
pub fn bootstrap<R: Rng + ?Sized>(
    rows: usize,
    draws: usize,
    rng: &mut R,
    statistics: impl Fn(&[u32]) -> Vec<f64> + Sync,
) -> Vec<Estimate> {
    let values = statistics(&vec![1; rows]);
    let seeds: Vec<u64> = (0..draws).map(|_| rng.next_u64()).collect();
    let samples: Vec<Vec<f64>> = seeds
        .into_par_iter()
        .map(|seed| {
            let mut weights = vec![0; rows];
            resample(seed, rows, |row| weights[row] += 1);
            statistics(&weights)
        })
        .collect();
    let column = |k: usize| samples.iter().map(|sample| sample[k]).collect();
    values.into_iter().enumerate().map(|(k, value)| Estimate::of(value, column(k))).collect()
}
