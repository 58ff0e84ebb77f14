//! Features in units of their standard deviation.

use ndarray::{Array1, Array2, ArrayRef2, Zip};

use crate::{Error, check};

/// A deviation below this share of the largest entry is rounding noise.
const CONSTANT: f64 = 1e-12;

/// Means and deviations of training customers; features that do not vary there are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardizer {
    features: usize,
    kept: Vec<usize>,
    means: Array1<f64>,
    deviations: Array1<f64>,
}

impl Standardizer {
    /// Fits means and population deviations of `x` (N x F).
    ///
    /// # Errors
    /// [`Error::NotFinite`], [`Error::TooFew`] without customers, [`Error::NoFeature`] if no feature varies.
    pub fn fit(x: &ArrayRef2<f64>) -> Result<Self, Error> {
        Self::of_block(x)?.varying()
    }

    /// The scale itself, if any feature varies.
    pub(crate) fn varying(self) -> Result<Self, Error> {
        if self.kept.is_empty() { Err(Error::NoFeature { features: self.features }) } else { Ok(self) }
    }

    /// The scale of features side by side.
    pub(crate) fn join(parts: &[&Self]) -> Self {
        let (mut features, mut kept) = (0, Vec::new());
        for part in parts {
            kept.extend(part.kept.iter().map(|column| features + column));
            features += part.features;
        }
        let flat = |of: fn(&Self) -> &Array1<f64>| parts.iter().flat_map(|part| of(part)).copied().collect();
        Self { features, kept, means: flat(|part| &part.means), deviations: flat(|part| &part.deviations) }
    }

    /// As [`Standardizer::fit`], for features of which none may vary.
    pub(crate) fn of_block(x: &ArrayRef2<f64>) -> Result<Self, Error> {
        check::finite2("features", x)?;
        if x.nrows() == 0 {
            return Err(Error::TooFew { what: "a scale", needed: 1, found: 0 });
        }
        let n = x.nrows() as f64;
        // Row by row, as they lie in memory. Scaled by the largest entry, so that squares neither overflow nor vanish.
        let mut largest = Array1::<f64>::zeros(x.ncols());
        for row in x.rows() {
            Zip::from(&mut largest).and(&row).for_each(|largest, value| *largest = largest.max(value.abs()));
        }
        let mut sums = Array1::<f64>::zeros(x.ncols());
        for row in x.rows() {
            Zip::from(&mut sums)
                .and(&row)
                .and(&largest)
                .for_each(|sum, value, largest| *sum += value / largest);
        }
        let scaled_means = sums / n;
        let mut squares = Array1::<f64>::zeros(x.ncols());
        for row in x.rows() {
            Zip::from(&mut squares).and(&row).and(&largest).and(&scaled_means).for_each(
                |sum, value, largest, mean| {
                    let distance = value / largest - mean;
                    *sum += distance * distance;
                },
            );
        }
        let scaled_deviations = squares.mapv(|sum| (sum / n).sqrt());
        // A feature that is 0 throughout has a deviation of NaN, and is left out too.
        let kept: Vec<usize> =
            (0..x.ncols()).filter(|column| scaled_deviations[*column] > CONSTANT).collect();
        let unscaled =
            |values: &Array1<f64>| kept.iter().map(|column| values[*column] * largest[*column]).collect();
        let (means, deviations): (Array1<f64>, Array1<f64>) =
            (unscaled(&scaled_means), unscaled(&scaled_deviations));
        Ok(Self { features: x.ncols(), kept, means, deviations })
    }

    /// The features that vary, in order.
    #[must_use]
    pub fn kept(&self) -> &[usize] {
        &self.kept
    }

    /// How many features were left out because they do not vary.
    #[must_use]
    pub fn constant(&self) -> usize {
        self.features - self.kept.len()
    }

    /// Distances from the means in deviations, N x the number of features kept.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of features, [`Error::NotFinite`].
    pub fn transform(&self, x: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
        check::length("features", self.features, x.ncols())?;
        check::finite2("features", x)?;
        let mut z = Array2::zeros((x.nrows(), self.kept.len()));
        for (row, mut scaled) in x.rows().into_iter().zip(z.rows_mut()) {
            let units = self.kept.iter().zip(&self.means).zip(&self.deviations);
            for (scaled, ((column, mean), deviation)) in scaled.iter_mut().zip(units) {
                *scaled = (row[*column] - mean) / deviation;
            }
        }
        Ok(z)
    }
}
