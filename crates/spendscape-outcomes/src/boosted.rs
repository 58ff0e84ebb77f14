//! Gradient-boosted trees.

use forust_ml::{Matrix, gradientbooster::GradientBooster, objective::ObjectiveType};
use ndarray::{Array1, ArrayRef1, ArrayRef2};

use crate::{Error, check, linear::Loss, numbers};

/// Trees of an ensemble.
const TREES: usize = 100;
/// Splits between root and leaf: interactions of up to three features.
const DEPTH: usize = 3;
/// How much of each tree is added.
const RATE: f32 = 0.1;
/// Bins of a feature; a hundred customers of the smallest data then share two bins.
const BINS: u16 = 64;

/// An ensemble of 100 trees of depth 3 with a learning rate of .1, on histograms of 64 bins (Friedman 2001; Newton steps
/// in the leaves). The settings are fixed: nothing is chosen by looking at outcomes.
pub struct BoostedTrees {
    ensemble: GradientBooster,
    loss: Loss,
    features: usize,
}

impl std::fmt::Debug for BoostedTrees {
    /// The library's ensemble cannot be shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { ensemble: _, loss, features } = self;
        f.debug_struct("BoostedTrees").field("loss", loss).field("features", features).finish_non_exhaustive()
    }
}

impl BoostedTrees {
    /// Grows the ensemble on `x` (N x F), `y` and `weights` (N).
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`], [`Error::NotFinite`], [`Error::Boosting`] if the library refuses.
    pub fn fit(
        loss: Loss,
        x: &ArrayRef2<f64>,
        y: &ArrayRef1<f64>,
        weights: &ArrayRef1<f64>,
    ) -> Result<Self, Error> {
        check::length("labels", x.nrows(), y.len())?;
        check::length("weights", x.nrows(), weights.len())?;
        check::finite2("features", x)?;
        check::finite1("labels", y)?;
        let objective = match loss {
            Loss::Logistic => ObjectiveType::LogLoss,
            Loss::Squared => ObjectiveType::SquaredLoss,
        };
        // Folds are fitted in parallel, so a fit is not.
        let mut ensemble = GradientBooster::default()
            .set_objective_type(objective)
            .set_iterations(TREES)
            .set_max_depth(DEPTH)
            .set_learning_rate(RATE)
            .set_nbins(BINS)
            .set_initialize_base_score(true)
            .set_parallel(false);
        let columns = column_major(x);
        ensemble
            .fit(&Matrix::new(&columns, x.nrows(), x.ncols()), &y.to_vec(), &weights.to_vec(), None)
            .map_err(|source| Error::Boosting { source: Box::new(source) })?;
        Ok(Self { ensemble, loss, features: x.ncols() })
    }

    /// Probabilities, or values (N).
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of features, [`Error::NotFinite`].
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Array1<f64>, Error> {
        check::length("features", self.features, x.ncols())?;
        check::finite2("features", x)?;
        if x.nrows() == 0 {
            return Ok(Array1::zeros(0));
        }
        let columns = column_major(x);
        let raw = Array1::from(self.ensemble.predict(&Matrix::new(&columns, x.nrows(), x.ncols()), false));
        Ok(if self.loss == Loss::Logistic { raw.mapv(numbers::sigmoid) } else { raw })
    }
}

fn column_major(x: &ArrayRef2<f64>) -> Vec<f64> {
    x.t().iter().copied().collect()
}
