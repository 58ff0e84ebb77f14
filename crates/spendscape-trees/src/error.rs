//! The one error type of the crate.

/// Why trees could not be grown or read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument cannot be computed with.
    #[error("{0}")]
    Input(#[from] spendscape_stats::BadInput),
    /// A target or weight lies outside what the loss is made for.
    #[error("{argument}[{row}] is {value}; it has to lie in {range}")]
    OutsideRange {
        /// Name of the argument.
        argument: &'static str,
        /// Its row.
        row: usize,
        /// The entry.
        value: f64,
        /// The values allowed.
        range: &'static str,
    },
    /// There are no features.
    #[error("there are no features; pass at least one column")]
    NoFeature,
    /// There are more rows than the sums hold.
    #[error("{found} rows are more than the {most} that a tree is grown on; draw a sample of them")]
    TooManyRows {
        /// Rows that can be used.
        most: usize,
        /// Rows given.
        found: usize,
    },
    /// A row number points outside the panel or comes twice.
    #[error("training row {row} {problem}; list each of the {rows} rows at most once")]
    Row {
        /// The row number.
        row: usize,
        /// The fault.
        problem: &'static str,
        /// Rows of the panel.
        rows: usize,
    },
    /// All labels of the training rows are 0, or all are 1, or all weights are 0.
    #[error("the training rows have a mean label of {mean}; the logistic loss needs weight in both classes")]
    OneClass {
        /// Their weighted mean.
        mean: f64,
    },
    /// Codes were made with other cuts than those the trees were grown on.
    #[error("the codes were made with other bins; encode the rows with the bins of the training data")]
    OtherBins,
}
