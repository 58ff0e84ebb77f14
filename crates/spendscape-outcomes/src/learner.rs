//! Learners for every kind of outcome.

use ndarray::{Array1, Array2, ArrayRef2};
use spendscape_stats::{BadInput, Standardizer};

use crate::{Binned, BoostedTrees, Error, Loss, Outcome, Regression, Task, check};

/// A way to learn an outcome from features.
///
/// ```
/// use ndarray::Array2;
/// use spendscape_outcomes::{Learner, Outcome, Task};
///
/// // The first feature decides.
/// let x = Array2::from_shape_fn((60, 2), |(n, c)| if c == 0 { n as f64 } else { (n * 7 % 5) as f64 });
/// let outcome = Outcome::new(Task::Binary, &x.column(0).mapv(|x| f64::from(u8::from(x > 29.5))))?;
/// let rows: Vec<usize> = (0..60).collect();
/// let model = Learner::Linear.params().fit(&x, &outcome, &rows)?;
/// let scores = model.predict(&x)?;
/// assert!(scores[0] < 0.1 && scores[59] > 0.9);
/// # Ok::<(), spendscape_outcomes::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learner {
    /// Logistic (continuous outcomes: linear) regression on standardized features, with a ridge penalty chosen inside the
    /// training customers.
    Linear,
    /// Gradient-boosted trees.
    Boosted,
}

/// Parameters of a fit by a [`Learner`].
///
/// | name | default | purpose |
/// |---|---|---|
/// | `balanced` | false | weighs each class of a binary (or threshold of an ordinal) outcome by the inverse of its frequency |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LearnerParams {
    learner: Learner,
    balanced: bool,
}

impl Learner {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Linear, Self::Boosted];

    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Boosted => "boosted",
        }
    }

    /// Parameters with the defaults named at [`LearnerParams`].
    #[must_use]
    pub fn params(self) -> LearnerParams {
        LearnerParams { learner: self, balanced: false }
    }
}

impl LearnerParams {
    /// Sets whether classes weigh the same. Ranks hardly change; probabilities are no longer calibrated.
    #[must_use]
    pub fn balanced(mut self, balanced: bool) -> Self {
        self.balanced = balanced;
        self
    }

    /// Fits the outcome of some customers (their rows in `outcome`) on their features (rows x F).
    ///
    /// An ordinal outcome with levels l_1 < .. < l_K is learned as K - 1 binary ones, "above l_k" (Frank and Hall 2001).
    ///
    /// # Errors
    /// [`BadInput::ShapeMismatch`], [`BadInput::NotFinite`], [`Error::NoFeature`] if no feature varies, [`BadInput::OneClass`] if
    /// these customers show one value only.
    pub fn fit(&self, x: &ArrayRef2<f64>, outcome: &Outcome, rows: &[usize]) -> Result<Fitted, Error> {
        check::length("feature rows", rows.len(), x.nrows())?;
        let scale = varying(Standardizer::fit(x)?)?;
        let z = scale.transform_varying(x)?;
        match self.learner {
            Learner::Linear => Fitted::fit(scale, Inputs::Standardized(&z), outcome, rows, self.balanced),
            Learner::Boosted => {
                Fitted::fit(scale, Inputs::Binned(&BoostedTrees::bin(&z)?), outcome, rows, self.balanced)
            }
        }
    }
}

/// Standardized features of training customers, as a learner takes them: the linear one as they are, the trees as codes of
/// bins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Inputs<'a> {
    Standardized(&'a ArrayRef2<f64>),
    Binned(&'a Binned),
}

impl Fitted {
    /// Fits the learner that these inputs are for.
    pub(crate) fn fit(
        scale: Standardizer,
        inputs: Inputs<'_>,
        outcome: &Outcome,
        rows: &[usize],
        balanced: bool,
    ) -> Result<Self, Error> {
        let values = outcome.rows(rows);
        let (loss, targets) = match outcome.task() {
            Task::Continuous => (Loss::Squared, vec![Array1::from(values)]),
            Task::Binary | Task::Ordinal => {
                let levels = &outcome.levels()[..outcome.levels().len() - 1];
                let above =
                    |level: &f64| values.iter().map(|value| f64::from(u8::from(value > level))).collect();
                (Loss::Logistic, levels.iter().map(above).collect())
            }
        };
        let fit = |y: &Array1<f64>| -> Result<Part, Error> {
            let first = y.first().copied().unwrap_or(f64::NAN);
            if y.iter().all(|value| *value == first) {
                // A rare level may be absent from a fold: then nothing is learned about its threshold.
                return match outcome.task() {
                    Task::Ordinal => Ok(Part::Constant(first)),
                    _ => Err(Error::Input(BadInput::OneClass {
                        what: "the training customers",
                        value: first,
                        rows: y.len(),
                    })),
                };
            }
            let weights = weights(loss, y, balanced);
            Ok(match inputs {
                Inputs::Standardized(z) => Part::Linear(Regression::params(loss).fit(z, y, &weights)?),
                Inputs::Binned(codes) => Part::Boosted(BoostedTrees::fit(loss, codes, y, &weights)?),
            })
        };
        let parts = targets.iter().map(fit).collect::<Result<_, _>>()?;
        Ok(Self { scale, parts, levels: outcome.levels().to_vec() })
    }
}

fn weights(loss: Loss, y: &Array1<f64>, balanced: bool) -> Array1<f64> {
    if loss == Loss::Squared || !balanced {
        return Array1::ones(y.len());
    }
    let n = y.len() as f64;
    let positives = y.sum();
    y.mapv(|value| 0.5 * n / if value > 0.5 { positives } else { n - positives })
}

#[derive(Debug)]
enum Part {
    Linear(Regression),
    Boosted(BoostedTrees),
    Constant(f64),
}

/// A fitted learner.
#[derive(Debug)]
pub struct Fitted {
    scale: Standardizer,
    parts: Vec<Part>,
    levels: Vec<f64>,
}

impl Fitted {
    /// Scores (N): the probability of a binary outcome, the expected level of an ordinal one, the value of a continuous
    /// one.
    ///
    /// # Errors
    /// [`BadInput::ShapeMismatch`] for another number of features, [`BadInput::NotFinite`].
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Array1<f64>, Error> {
        self.predict_scaled(&self.scale.transform_varying(x)?)
    }

    /// The same from standardized features.
    pub(crate) fn predict_scaled(&self, z: &ArrayRef2<f64>) -> Result<Array1<f64>, Error> {
        let predict = |part: &Part| match part {
            Part::Linear(model) => model.predict(z),
            Part::Boosted(model) => model.predict(z),
            Part::Constant(value) => Ok(Array1::from_elem(z.nrows(), *value)),
        };
        // A binary outcome has the levels 0 and 1, so that its expected level is the probability of the upper one.
        let mut scores = Array1::from_elem(z.nrows(), self.levels.first().copied().unwrap_or(0.0));
        for (k, part) in self.parts.iter().enumerate() {
            let step = if self.levels.is_empty() { 1.0 } else { self.levels[k + 1] - self.levels[k] };
            scores.scaled_add(step, &predict(part)?);
        }
        Ok(scores)
    }

    /// How the features of customers move the log-odds (or the value) away from that of a customer with average features:
    /// coefficient times distance from the mean, N x F. Together with the intercept they sum to the log-odds. Only the
    /// linear learner of a binary or continuous outcome has contributions.
    ///
    /// # Errors
    /// [`BadInput::ShapeMismatch`] for another number of features, [`BadInput::NotFinite`].
    pub fn contributions(&self, x: &ArrayRef2<f64>) -> Result<Option<Array2<f64>>, Error> {
        let [Part::Linear(model)] = self.parts.as_slice() else { return Ok(None) };
        let z = self.scale.transform_varying(x)?;
        let mut contributions = Array2::zeros(x.raw_dim());
        for (k, feature) in self.scale.kept().iter().enumerate() {
            contributions.column_mut(*feature).assign(&(&z.column(k) * model.coefficients()[k]));
        }
        Ok(Some(contributions))
    }

    /// The regression of a linear learner with one part.
    #[must_use]
    pub fn regression(&self) -> Option<&Regression> {
        match self.parts.as_slice() {
            [Part::Linear(model)] => Some(model),
            _ => None,
        }
    }

    /// The scale of the features.
    #[must_use]
    pub fn scale(&self) -> &Standardizer {
        &self.scale
    }
}

/// The scale itself, if any feature varies.
pub(crate) fn varying(scale: Standardizer) -> Result<Standardizer, Error> {
    if scale.kept().is_empty() { Err(Error::NoFeature { features: scale.columns() }) } else { Ok(scale) }
}
