//! What can be wrong with an entry of a statement.

/// What is wrong with a statement or an entry of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The markup is damaged.
    #[error("the markup is damaged: {message}")]
    Markup {
        /// What the reader of XML says.
        message: String,
    },
    /// An entity that XML itself does not have.
    #[error("the entity &{name}; is none of XML's own: entities of a document type are not expanded")]
    Entity {
        /// Its name.
        name: String,
    },
    /// The file ends early.
    #[error("the file ends before {what}: is it cut?")]
    Cut {
        /// What should have come.
        what: &'static str,
    },
    /// Something of an entry is longer than any is.
    #[error("it is longer than {limit} bytes")]
    TooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// A field has more lines than any has.
    #[error("it has more than {limit} lines")]
    TooManyLines {
        /// Lines allowed.
        limit: usize,
    },
    /// Elements are nested deeper than in any statement.
    #[error("elements are nested more than {limit} deep")]
    TooDeep {
        /// Levels allowed.
        limit: usize,
    },
    /// An entry holds too many transactions.
    #[error("the entry holds more than {limit} transactions")]
    TooManyDetails {
        /// Transactions allowed.
        limit: usize,
    },
    /// The entry lacks something.
    #[error("the entry has no {what}")]
    Missing {
        /// What it lacks.
        what: &'static str,
    },
    /// Something that may be there once only.
    #[error("{what} is there more than once: which of them counts?")]
    Twice {
        /// What there is more than one of.
        what: String,
    },
    /// An entry or a statement that goes on where the next one begins, or where the file ends.
    #[error("it has no end ({what}): is the file cut?")]
    NoEnd {
        /// What should have come.
        what: &'static str,
    },
    /// A state that the standard does not have.
    #[error("{value:?} does not say whether it is booked: BOOK, or PDNG, INFO or FUTR, is known")]
    Status {
        /// The text.
        value: String,
    },
    /// Text that is no amount.
    #[error("cannot read {value:?} as an amount: up to 18 digits, a decimal sign and up to 5 digits")]
    Amount {
        /// The text.
        value: String,
    },
    /// An amount in which the sign that the standard does not have may be either one.
    #[error(
        "the {found:?} of {value:?} may stand before decimals or between thousands: write 2 decimals, or {sure:?}"
    )]
    DecimalSign {
        /// The text.
        value: String,
        /// Its sign.
        found: char,
        /// The standard's sign before decimals.
        sure: char,
    },
    /// Text that is no day or time.
    #[error("cannot read {value:?} as a day or a time")]
    Time {
        /// The text.
        value: String,
    },
    /// Neither a debit nor a credit.
    #[error("{value:?} says neither debit nor credit")]
    Direction {
        /// The text.
        value: String,
    },
    /// A line of a statement that has another form.
    #[error("cannot read {value:?} as {form}")]
    Line {
        /// The text.
        value: String,
        /// The form that it should have.
        form: &'static str,
    },
    /// An entry that takes back or replaces another one.
    #[error(
        "it corrects the transaction {id:?} (CORRECTFITID): take both out of the file, or only the other one where it is replaced"
    )]
    Corrects {
        /// The id of the other one.
        id: String,
    },
}
