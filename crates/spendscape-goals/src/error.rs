//! The one error type of the crate.

/// Why goals could not be learned, predicted or measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument cannot be computed with.
    #[error("{0}")]
    Input(#[from] spendscape_stats::BadInput),
    /// A goal map or calendar does not parse; the message names line and column.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A class belongs to two goals.
    #[error("class {class:?} stands under the goals {first:?} and {second:?}; a class has one goal")]
    TwoGoals {
        /// The class.
        class: String,
        /// The goal that named it first.
        first: String,
        /// The other.
        second: String,
    },
    /// A class of the ledger has no goal.
    #[error(
        "class {class:?} has no goal; name it under one, or set `unmapped` to a goal for all such classes"
    )]
    NoGoal {
        /// The class.
        class: String,
    },
    /// A goal is named that does not exist.
    #[error("{what} names the goal {goal:?}, which the goal map does not have")]
    UnknownGoal {
        /// Who names it.
        what: &'static str,
        /// The goal.
        goal: String,
    },
    /// A class is named that the ledger does not have.
    #[error("{what} names the class {class:?}, which the ledger does not have")]
    UnknownClass {
        /// Who names it.
        what: &'static str,
        /// The class.
        class: String,
    },
    /// A day in a calendar is none.
    #[error("{what} {value:?} is no day; write YYYY-MM-DD")]
    Day {
        /// The use of the day.
        what: &'static str,
        /// The text.
        value: String,
    },
    /// A value of a series cannot be computed with.
    #[error(
        "the series {name:?} is {value} on {day}; its values have to be finite numbers of at most 1e30 in size"
    )]
    SeriesValue {
        /// Name of the series.
        name: String,
        /// The day.
        day: String,
        /// The value.
        value: f64,
    },
    /// A series has no values.
    #[error("the series {name:?} has no values; leave it out, or give it one")]
    NoValues {
        /// Its name.
        name: String,
    },
    /// Two series have one name.
    #[error("two series are named {name:?}; give each a name of its own")]
    TwoSeries {
        /// The name.
        name: String,
    },
    /// A series has two values on one day.
    #[error("the series {name:?} has two values on {day}; one is published a day")]
    TwoValues {
        /// Its name.
        name: String,
        /// The day.
        day: String,
    },
    /// A probability is none, or those of a row do not add up to 1.
    #[error("the probabilities of row {row} add up to {sum}; they have to be from 0 to 1 and add up to 1")]
    NotProbabilities {
        /// Row, from 0.
        row: usize,
        /// Their sum.
        sum: f64,
    },
    /// A customer's training targets leave one out that lies between others.
    #[error(
        "the training targets of customer {customer} are not its first ones; train on all groups up to a day"
    )]
    NotPrefix {
        /// The customer, from 0.
        customer: usize,
    },
    /// Groups could not be read.
    #[error("the groups could not be read")]
    Read {
        /// The reader's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A target asks for a group that there is not.
    #[error(
        "target {row} is group {position} of customer {customer}, who has {groups} (counted from 0); take targets of these sequences"
    )]
    NoTarget {
        /// Place of the target in the list, from 0.
        row: usize,
        /// Customer, from 0.
        customer: u32,
        /// Position of the target.
        position: u32,
        /// Groups of the customer; 0 if there is no such customer.
        groups: usize,
    },
    /// An outlook holds what no forecast can be.
    #[error("`{field}` of customer {customer}, goal {goal} is {value}; it has to be {rule}")]
    BadOutlook {
        /// The array.
        field: &'static str,
        /// Customer, from 0.
        customer: usize,
        /// Goal, from 0.
        goal: usize,
        /// The entry.
        value: f64,
        /// The valid values.
        rule: &'static str,
    },
    /// An outlook does not reach to the day asked for, or not just to it.
    #[error("the outlook has no horizon of {days} days; it has {known:?}")]
    NoHorizon {
        /// Days asked for.
        days: u32,
        /// Horizons that it has.
        known: Vec<u32>,
    },
    /// Horizons that are not the ends of the periods asked for.
    #[error("the outlook's horizons are {found:?} days where the periods end after {expected:?}")]
    NotPeriods {
        /// Days from its last known day to the ends of the periods.
        expected: Vec<u32>,
        /// Its horizons.
        found: Vec<u32>,
    },
    /// The network refused.
    #[error("the network: {0}")]
    Network(#[from] spendscape_lstm::Error),
    /// The trees or intervals refused.
    #[error(transparent)]
    Outcomes(#[from] spendscape_outcomes::Error),
}
