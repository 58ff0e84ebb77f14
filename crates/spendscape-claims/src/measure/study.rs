//! A run that is being measured: what several claims are measured on is computed once.

use std::cell::OnceCell;

use anyhow::Result;
use ndarray::Array3;
use spendscape_segments::{
    comparison::Comparison,
    trajectories::{TrajectorySummary, trajectory_summary},
};
use spendscape_surrogate::fidelity::{CoefficientTests, coefficient_tests};

use super::comparison::compare_all;
use super::explanation::Explanation;
use super::metrics::Metrics;
use super::run::Run;

/// Measures the figures of a claim.
pub(crate) type Measure = fn(&Study<'_>, &mut Metrics) -> Result<()>;

/// A run that is being measured. What needs more customers than there are is `None`, which is noted where it is first asked
/// for.
pub(crate) struct Study<'a> {
    /// The run.
    pub(crate) run: &'a Run,
    trajectories: OnceCell<Option<TrajectorySummary>>,
    comparison: OnceCell<Option<Comparison>>,
    yearly_grades: OnceCell<Array3<f64>>,
    explanation: OnceCell<Option<Explanation>>,
    tests: OnceCell<Option<CoefficientTests>>,
}

impl<'a> Study<'a> {
    pub(crate) fn new(run: &'a Run) -> Self {
        Self {
            run,
            trajectories: OnceCell::new(),
            comparison: OnceCell::new(),
            yearly_grades: OnceCell::new(),
            explanation: OnceCell::new(),
            tests: OnceCell::new(),
        }
    }

    /// Grades of every single period, N x T x P.
    ///
    /// # Errors
    /// If a training score is constant.
    pub(crate) fn yearly_grades(&self) -> Result<&Array3<f64>> {
        if let Some(made) = self.yearly_grades.get() {
            return Ok(made);
        }
        let made = self.run.yearly_grades()?;
        Ok(self.yearly_grades.get_or_init(|| made))
    }

    /// Shape and sense of the trajectories.
    ///
    /// # Errors
    /// If they cannot be computed for another reason; so of those that follow.
    pub(crate) fn trajectories(&self, metrics: &mut Metrics) -> Result<Option<&TrajectorySummary>> {
        let run = self.run;
        once(&self.trajectories, metrics, "trajectories", || {
            Ok(trajectory_summary(&run.states, &run.targets.grades, &run.trait_axes.axis)?)
        })
    }

    /// The comparison of representations.
    pub(crate) fn comparison(&self, metrics: &mut Metrics) -> Result<Option<&Comparison>> {
        once(&self.comparison, metrics, "comparison", || compare_all(self.run, self.yearly_grades()?))
    }

    /// The linear explanation.
    pub(crate) fn explanation(&self, metrics: &mut Metrics) -> Result<Option<&Explanation>> {
        once(&self.explanation, metrics, "surrogate", || Explanation::fit(self.run))
    }

    /// Tests of the linear explanation's coefficients.
    pub(crate) fn tests(&self, metrics: &mut Metrics) -> Result<Option<&CoefficientTests>> {
        let Some(explanation) = self.explanation(metrics)? else { return Ok(None) };
        once(&self.tests, metrics, "tests of the coefficients", || {
            Ok(coefficient_tests(&explanation.linear)?)
        })
    }
}

/// What several claims need, computed when the first asks for it.
fn once<'a, T>(
    cell: &'a OnceCell<Option<T>>,
    metrics: &mut Metrics,
    name: &str,
    make: impl FnOnce() -> Result<T>,
) -> Result<Option<&'a T>> {
    if let Some(made) = cell.get() {
        return Ok(made.as_ref());
    }
    let made = metrics.attempt(name, make)?;
    Ok(cell.get_or_init(|| made).as_ref())
}
