//! Outcomes: what is to be predicted.

use ndarray::{Array1, ArrayRef1};
use spendscape_stats::BadInput;

use crate::{Error, check};

/// The kind of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// 0 or 1; 1 is the class whose probability is scored.
    Binary,
    /// Ordered levels.
    Ordinal,
    /// Any finite number.
    Continuous,
}

impl Task {
    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Ordinal => "ordinal",
            Self::Continuous => "continuous",
        }
    }
}

/// Strata of a continuous outcome: tenths.
const TENTHS: usize = 10;

/// The outcome of each customer.
///
/// ```
/// use ndarray::array;
/// use spendscape_outcomes::{Outcome, Task};
///
/// let outcome = Outcome::new(Task::Ordinal, &array![2.0, 0.0, 1.0, 0.0])?;
/// assert_eq!(outcome.levels(), [0.0, 1.0, 2.0]);
/// assert_eq!(outcome.above(0), [true, false, true, false]);
/// # Ok::<(), spendscape_outcomes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    task: Task,
    values: Array1<f64>,
    levels: Vec<f64>,
}

impl Outcome {
    /// Takes one value per customer (N).
    ///
    /// # Errors
    /// [`BadInput::NotFinite`] for a missing label (leave such customers out, and count them), [`Error::Label`] for a binary
    /// one that is neither 0 nor 1, [`BadInput::OneClass`] if all are alike.
    pub fn new(task: Task, values: &ArrayRef1<f64>) -> Result<Self, Error> {
        check::finite("labels", values)?;
        if task == Task::Binary
            && let Some(row) = values.iter().position(|value| *value != 0.0 && *value != 1.0)
        {
            return Err(Error::Label { row, value: values[row], expected: "0 or 1" });
        }
        let mut levels = values.to_vec();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        if levels.len() < 2 {
            let value = levels.first().copied().unwrap_or(f64::NAN);
            return Err(Error::Input(BadInput::OneClass { what: "the outcome", value, rows: values.len() }));
        }
        if task == Task::Continuous {
            levels.clear();
        }
        Ok(Self { task, values: values.to_owned(), levels })
    }

    /// Its kind.
    #[must_use]
    pub fn task(&self) -> Task {
        self.task
    }

    /// The values (N).
    #[must_use]
    pub fn values(&self) -> &Array1<f64> {
        &self.values
    }

    /// The levels of a binary or ordinal outcome, rising; none of a continuous one.
    #[must_use]
    pub fn levels(&self) -> &[f64] {
        &self.levels
    }

    /// Which customers lie above level `k` (from 0).
    #[must_use]
    pub fn above(&self, k: usize) -> Vec<bool> {
        let level = self.levels.get(k).copied().unwrap_or(f64::INFINITY);
        self.values.iter().map(|value| *value > level).collect()
    }

    /// The outcome of some customers.
    pub(crate) fn rows(&self, rows: &[usize]) -> Vec<f64> {
        rows.iter().map(|row| self.values[*row]).collect()
    }

    /// The stratum of each customer: its level, or its tenth of a continuous outcome.
    #[must_use]
    pub fn strata(&self) -> Vec<usize> {
        if self.task != Task::Continuous {
            return self
                .values
                .iter()
                .map(|value| self.levels.partition_point(|level| level < value))
                .collect();
        }
        let mut order: Vec<usize> = (0..self.values.len()).collect();
        order.sort_by(|a, b| self.values[*a].total_cmp(&self.values[*b]).then(a.cmp(b)));
        let mut strata = vec![0; order.len()];
        for (rank, row) in order.iter().enumerate() {
            strata[*row] = rank * TENTHS / order.len();
        }
        strata
    }
}
