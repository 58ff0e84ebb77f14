//! Features in units of their standard deviation.

use ndarray::{Array1, Array2, ArrayRef2, Axis, Zip};

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
        check::finite2("features", x)?;
        if x.nrows() == 0 {
            return Err(Error::TooFew { what: "a scale", needed: 1, found: 0 });
        }
        let n = x.nrows() as f64;
        let (mut kept, mut means, mut deviations) = (Vec::new(), Vec::new(), Vec::new());
        for (column, values) in x.columns().into_iter().enumerate() {
            // Scaled by the largest entry, so that squares neither overflow nor vanish.
            let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
            if largest == 0.0 {
                continue;
            }
            let mean = values.iter().map(|value| value / largest).sum::<f64>() / n;
            let variance = values.iter().map(|value| (value / largest - mean).powi(2)).sum::<f64>() / n;
            if variance.sqrt() > CONSTANT {
                kept.push(column);
                means.push(mean * largest);
                deviations.push(variance.sqrt() * largest);
            }
        }
        if kept.is_empty() {
            return Err(Error::NoFeature { features: x.ncols() });
        }
        Ok(Self { features: x.ncols(), kept, means: means.into(), deviations: deviations.into() })
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
        let mut z = x.select(Axis(1), &self.kept);
        for mut row in z.rows_mut() {
            Zip::from(&mut row)
                .and(&self.means)
                .and(&self.deviations)
                .for_each(|value, mean, deviation| *value = (*value - mean) / deviation);
        }
        Ok(z)
    }
}
