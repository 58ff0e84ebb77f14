//! The one error of the crate.

/// The error of the crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter is out of range.
    #[error("{name} is {value}, but must be {range}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// The value given.
        value: f64,
        /// The values allowed.
        range: &'static str,
    },
    /// The coefficient table does not say how much the population spends on each class.
    #[error("the coefficient table has no population shares: add a column `pi`")]
    NoPopulationShare,
    /// The population shares cannot be used.
    #[error(
        "the population share of class {class:?} is {share}: shares must be finite, at least 0 and not all 0"
    )]
    PopulationShare {
        /// The class.
        class: String,
        /// Its share.
        share: f64,
    },
    /// The coefficient table has another number of traits than the bank's customers.
    #[error(
        "the coefficient table has {found} traits, but the customers have {expected} (E N O C A, in this order)"
    )]
    Traits {
        /// Traits of the customers.
        expected: usize,
        /// Traits of the table.
        found: usize,
    },
    /// A coefficient is not finite.
    #[error("a coefficient of class {class:?} is {value}: coefficients must be finite")]
    Coefficient {
        /// The class.
        class: String,
        /// The coefficient.
        value: f64,
    },
    /// No class or no trait would be left in the coefficient table.
    #[error("{count} of {what} cannot be chosen: the table has {found}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many are asked for.
        count: usize,
        /// How many there are.
        found: usize,
    },
    /// No class can take the uncategorized part of spending.
    #[error(
        "uncategorized spending needs a class without coefficients, and the table has none: name a class to take it"
    )]
    NoCatchAll,
    /// The class named for uncategorized spending does not exist.
    #[error("the coefficient table has no class {class:?} that could take uncategorized spending")]
    UnknownCatchAll {
        /// The class.
        class: String,
    },
    /// No class of the table serves one of the goals of the stream of goals.
    #[error(
        "no class with a population share serves the goal {goal:?}: the stream of goals needs classes of the bank's own \
         table for each goal (data/goals.toml)"
    )]
    NoGoalClass {
        /// The goal.
        goal: &'static str,
    },
    /// The bank's arrays do not have the shape of its parameters.
    #[error("the bank does not fit its own shape: {source}")]
    Shape {
        /// The error of ndarray.
        source: ndarray::ShapeError,
    },
    /// A table refuses its parts.
    #[error(transparent)]
    Schema(#[from] spendscape_schema::Error),
    /// A table cannot be written.
    #[error(transparent)]
    Store(#[from] spendscape_store::Error),
}

impl From<arrow::error::ArrowError> for Error {
    fn from(source: arrow::error::ArrowError) -> Self {
        Self::Schema(source.into())
    }
}
