//! The one error of the crate.

/// The error of a table, a taxonomy, a coefficient table or a window specification.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file does not say which table it is.
    #[error(
        "the file carries no table name in its metadata: was it written by this program? expected a {expected} table"
    )]
    Unnamed {
        /// The table that was asked for.
        expected: &'static str,
    },
    /// The file holds another table.
    #[error("expected a {expected} table, found a table named {found}")]
    WrongTable {
        /// The table that was asked for.
        expected: &'static str,
        /// The name in the file.
        found: String,
    },
    /// The table was written in a version that this program does not read.
    #[error("the {table} table has schema version {found}; this program reads version {expected}")]
    WrongVersion {
        /// The table.
        table: &'static str,
        /// The version read here.
        expected: u32,
        /// The version in the file.
        found: String,
    },
    /// A column is missing.
    #[error("the {table} table has no column {column}")]
    MissingColumn {
        /// The table.
        table: String,
        /// The missing column.
        column: String,
    },
    /// A column is not one of the table's.
    #[error("the {table} table has no place for column {column}")]
    UnknownColumn {
        /// The table.
        table: &'static str,
        /// The extra column.
        column: String,
    },
    /// A column has another type.
    #[error("column {column} of the {table} table has type {found}, expected {expected}")]
    WrongType {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The expected type.
        expected: String,
        /// The type found.
        found: String,
    },
    /// A column holds nulls where none are allowed.
    #[error("column {column} of the {table} table is null at row {row}")]
    Null {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The first null row, from 0.
        row: usize,
    },
    /// The labels of a vector column are not in the metadata.
    #[error("the labels of axis {axis} are missing or malformed in the metadata")]
    MissingAxis {
        /// The axis.
        axis: &'static str,
    },
    /// A vector column has another width than its axis has labels.
    #[error("column {column} is {found} wide, but axis {axis} has {expected} labels")]
    WrongWidth {
        /// The column.
        column: String,
        /// The axis.
        axis: &'static str,
        /// The number of labels.
        expected: usize,
        /// The width of the column.
        found: usize,
    },
    /// The rows of a panel are not customers times periods in order.
    #[error(
        "row {row} of the panel: {problem}; rows must be ordered by customer and period, with every period present"
    )]
    PanelOrder {
        /// The row, from 0.
        row: usize,
        /// The fault.
        problem: String,
    },
    /// A value in a text table cannot be read.
    #[error("line {line}, column {column}: cannot read {value:?} as {expected}")]
    Value {
        /// The line, from 1.
        line: usize,
        /// The column's name.
        column: String,
        /// The text found.
        value: String,
        /// The type expected.
        expected: &'static str,
    },
    /// A text table has no usable header or a ragged row.
    #[error("line {line}: {problem}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// The fault.
        problem: String,
    },
    /// A text table lacks a column, or has it twice.
    #[error("{problem}")]
    Column {
        /// The fault, with the column's name.
        problem: String,
    },
    /// A label stands twice where it must be unique.
    #[error("{what} {label:?} stands twice")]
    Duplicate {
        /// The kind of label.
        what: &'static str,
        /// The label.
        label: String,
    },
    /// A coefficient table lacks a class of the panel.
    #[error(
        "the coefficient table has no row for class {class:?}: add one (zeros are allowed), or map the class away"
    )]
    MissingClass {
        /// The class.
        class: String,
    },
    /// The training split does not fit the customers.
    #[error(
        "{training} training customers in a split of {entries} entries for {customers} customers: give one entry per customer, and at least one for training"
    )]
    TrainingSplit {
        /// The number of customers.
        customers: usize,
        /// The number of entries of the split.
        entries: usize,
        /// How many of them are for training.
        training: usize,
    },
    /// A trait tells no training customers apart.
    #[error(
        "the score of trait {name:?} is constant or not finite over {customers} training customers: it needs several customers who spend differently on classes with different coefficients"
    )]
    ConstantScore {
        /// The trait.
        name: String,
        /// The number of training customers.
        customers: usize,
    },
    /// A taxonomy names a class that it does not declare.
    #[error(
        "code {code:?} is mapped to class {class:?}, which the taxonomy does not declare under `classes`"
    )]
    UnknownClass {
        /// The raw code.
        code: String,
        /// The undeclared class.
        class: String,
    },
    /// A TOML file does not parse.
    #[error("cannot read the taxonomy: {0}")]
    Toml(#[from] toml::de::Error),
    /// A window specification cannot be used.
    #[error("window {spec:?}: {problem}")]
    Window {
        /// The specification as written.
        spec: String,
        /// The fault.
        problem: String,
    },
    /// Arrow refused an array or a batch.
    #[error("arrow refused the table: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
}
