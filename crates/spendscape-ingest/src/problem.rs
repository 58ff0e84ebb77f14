//! What can be wrong with a row.

use std::{borrow::Cow, path::PathBuf};

use crate::{Place, StatementProblem, place::printable};

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowProblem {
    /// The row has more or fewer fields than the header.
    #[error(
        "{found} fields where {} {expected}{}",
        if *.as_before { "the rows before have" } else { "the header has" },
        if *.spans_lines { ": a quoted field of it spans lines; if quotes are plain text, set `source.quote = \"\"`" } else { "" }
    )]
    Fields {
        /// Fields of the header, or of the first row.
        expected: usize,
        /// Fields of the row.
        found: usize,
        /// Whether a quoted field of the row has a line end.
        spans_lines: bool,
        /// Whether the first row has empty fields behind the last column, which this one lacks.
        as_before: bool,
    },
    /// A text has a zero byte.
    #[error(
        "a zero byte, which no text has: is the file UTF-16 without a byte order mark (`source.encoding = \"utf-16le\"`), or \
         damaged?"
    )]
    ZeroByte,
    /// In a quoted field stands a quote before something else than another quote, a delimiter or a line end.
    #[error("text follows a closing quote: if quotes are plain text, set `source.quote = \"\"`")]
    TextAfterQuote,
    /// A quoted field ends where the file ends, lines after its start.
    #[error(
        "a quote is not closed before the file ends: if quotes are plain text, set `source.quote = \"\"`"
    )]
    OpenQuote,
    /// A quoted field holds what looks like rows.
    #[error(
        "a quoted field holds line ends with as many delimiters between them as rows have, as where a stray quote swallows \
         rows: if quotes are plain text, set `source.quote = \"\"`"
    )]
    RowsInField,
    /// A line that is no row holds others.
    #[error("`source.not_rows` names it, but a quoted field of it spans lines, so that rows would be lost")]
    LinesNotRead,
    /// The last line of the file stops before its end.
    #[error("the last line is cut: get the whole file, or allow a cut last line to be dropped")]
    CutLastLine,
    /// A quoted field does not end.
    #[error("the row is longer than {limit} bytes: is a quote not closed?")]
    EndlessRow {
        /// The longest row accepted.
        limit: usize,
    },
    /// Bytes that are not in the encoding of the map.
    #[error(
        "bytes that are not {}{}: set `source.encoding` to what the file is written in, such as \"windows-1252\" (Western \
         Europe) or \"windows-1250\" (Central Europe)",
        .encoding.to_ascii_uppercase(),
        if .valid.is_empty() { String::new() } else { format!(" after {valid:?}") }
    )]
    Encoding {
        /// The text before them in their field, as far as it is known.
        valid: String,
        /// The encoding.
        encoding: String,
    },
    /// Text that is no number of the declared type.
    #[error("cannot read {value:?} as {expected}: {fault}")]
    Number {
        /// The text.
        value: String,
        /// The type declared.
        expected: String,
        /// What is wrong with it.
        fault: NumberFault,
    },
    /// An expression failed on this row.
    #[error("{}", printable(.message))]
    Evaluation {
        /// What DataFusion says.
        message: String,
    },
    /// A value does not fit the type that its column has over all files.
    #[error("{found} in this file, {common} over all files: {}", printable(.message))]
    Unfit {
        /// The type in the file.
        found: String,
        /// The type over all files.
        common: String,
        /// What is wrong with the value.
        message: String,
    },
    /// A value that must not be missing is.
    #[error("no value{}", missing_why(.empty))]
    Missing {
        /// The columns of the expression that are empty in the row.
        empty: Vec<String>,
    },
    /// Debit and credit are both empty.
    #[error(
        "{debit} and {credit} are both empty, which are debit and credit by `[amount]`: one of them is the amount"
    )]
    NoSide {
        /// The expression of the debit.
        debit: String,
        /// The expression of the credit.
        credit: String,
    },
    /// Debit and credit are both filled.
    #[error(
        "{debit} and {credit} are both filled, which are debit and credit by `[amount]`: one of them is the amount; where the \
         amount is made of both, write it as an expression, `columns.amount`"
    )]
    BothSides {
        /// The expression of the debit.
        debit: String,
        /// The expression of the credit.
        credit: String,
    },
    /// A debit or credit is negative, and nobody said what this means.
    #[error(
        "{column} has a minus: set `amount.debits = \"negative\"` where the bank writes each debit with one, or \
         `amount.debits = \"positive\"` where only what is taken back has one"
    )]
    UnclearMinus {
        /// The expression.
        column: String,
    },
    /// The row has no customer.
    #[error("no customer: set `rows.no_customer = \"drop\"` to drop such rows")]
    NoCustomer,
    /// A customer that looks like a mark of a missing value.
    #[error(
        "the customer {mark:?} looks like a mark of a missing value, and all such rows would be one customer: make it null \
         ({}), or list it under `source.not_nulls` if it is a customer",
        if *.text { "`source.nulls`" } else { "`nullif` in the expression" }
    )]
    CustomerMark {
        /// The mark.
        mark: String,
        /// Whether the source is a text file.
        text: bool,
    },
    /// A float that is no number.
    #[error("the amount is {value}")]
    NotFinite {
        /// NaN or an infinity.
        value: String,
    },
    /// An amount that does not fit.
    #[error("the amount {value} does not fit 64 bits of minor units")]
    AmountRange {
        /// The amount.
        value: String,
    },
    /// Text that is no time in any of the formats.
    #[error("cannot read {value:?} as a time in any of the formats {formats}")]
    Time {
        /// The text.
        value: String,
        /// The formats, joined by commas.
        formats: String,
    },
    /// A second that ledgers do not have.
    #[error("{value:?} has a 60th second, which a ledger has not: change it in the expression")]
    LeapSecond {
        /// The text.
        value: String,
    },
    /// A time that cannot be converted to the ledger's zone.
    #[error("{value} lies outside the calendar, so that it cannot be converted to another zone")]
    OutsideCalendar {
        /// The time.
        value: String,
    },
    /// A day that nobody said was allowed.
    #[error(
        "{value} lies {}: has the year too few digits (`%y` reads two), or does it stand for no day? To take such days set \
         `time.{bound}` to one of them; to drop them set it, and `time.outside = \"drop\"`",
        if *.early { "before 1900" } else { "after 2199" },
        bound = if *.early { "earliest" } else { "latest" },
    )]
    UnusualDay {
        /// The time.
        value: String,
        /// Whether it is too early rather than too late.
        early: bool,
    },
    /// A time that the source's zone has twice or never.
    #[error("{value} stands {} in {zone}: set `time.ambiguous`", if *.gap { "in a gap of the clock" } else { "twice" })]
    Ambiguous {
        /// The local time.
        value: String,
        /// The zone.
        zone: String,
        /// Whether the clock skips it.
        gap: bool,
    },
    /// A time before or after what the map allows.
    #[error("{value} lies outside {earliest} to {latest}: set `time.outside = \"drop\"` to drop such rows")]
    OutsideRange {
        /// The time.
        value: String,
        /// The first day allowed.
        earliest: String,
        /// The last day allowed.
        latest: String,
    },
    /// A code that no class of the taxonomy claims.
    #[error(
        "no class of the taxonomy claims the code {code:?}: add it to the `codes` of one, or set `unmapped = \"drop\"` or \
         `unmapped = {{ class = \"NAME\" }}` at the start of the taxonomy"
    )]
    UnknownClass {
        /// The code.
        code: String,
    },
    /// An entry of a statement cannot be read.
    #[error(transparent)]
    Statement(StatementProblem),
    /// An amount in another currency than the ledger's.
    #[error(
        "the amount is in {found}, and the ledger in {expected}: take rows of one currency with \
         `rows.where = \"currency = '{expected}'\"`"
    )]
    OtherCurrency {
        /// The currency of the entry.
        found: String,
        /// That of the map.
        expected: String,
    },
    /// A row of a joined file repeats the key of an earlier one.
    #[error("the key {key:?} stands already in {first}: keys of a joined file are unique")]
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stood first.
        first: Box<Place>,
    },
    /// A joined file has too many rows.
    #[error("a joined file has at most {limit} rows")]
    TooManyKeys {
        /// Rows allowed.
        limit: u32,
    },
    /// A joined file lacks the value of the row.
    #[error("{path} has no row for {key:?}: set `join.missing = \"null\"` to leave its columns empty")]
    Partnerless {
        /// The value.
        key: String,
        /// The joined file.
        path: PathBuf,
    },
    /// A transaction id that stood before.
    #[error("the transaction id stands already in {first}{advice}")]
    DuplicateTransaction {
        /// Where it stood first.
        first: Box<Place>,
        /// What to do about it, if a map's entry may.
        advice: &'static str,
    },
}

impl RowProblem {
    /// Whether a quote that is part of a text may be at fault.
    pub(crate) fn is_about_quotes(&self) -> bool {
        matches!(self, Self::TextAfterQuote | Self::OpenQuote | Self::RowsInField | Self::EndlessRow { .. })
            || matches!(self, Self::Fields { spans_lines: true, .. })
    }

    /// A missing value that is not computed of others.
    pub(crate) fn missing() -> Self {
        Self::Missing { empty: Vec::new() }
    }
}

fn missing_why(empty: &[String]) -> String {
    if empty.is_empty() {
        return String::new();
    }
    let columns: Vec<Cow<'_, str>> = empty.iter().map(|column| printable(column)).collect();
    format!(
        ": {} {} empty, and what is computed with an empty field is empty: where debit and credit are two columns, name them under \
         `[amount]`; else see `coalesce(...)`",
        columns.join(", "),
        if empty.len() == 1 { "is" } else { "are" }
    )
}

/// What is wrong with the text of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberFault {
    /// It is no number in the signs of the source.
    #[error(
        "a number has {decimal:?} before decimals and {} between thousands: see `source.decimal_sign`, `source.grouping`, \
         `source.negative` and `source.currency_signs`, and `source.nulls` for marks of missing values",
        .grouping.map_or_else(|| "nothing".to_owned(), |sign| format!("{sign:?}"))
    )]
    NoNumber {
        /// The decimal sign.
        decimal: char,
        /// The grouping sign.
        grouping: Option<char>,
    },
    /// A grouping sign does not stand between groups of digits.
    #[error(
        "{sign:?} is the grouping sign, which stands before every {}: is it the decimal sign here?",
        if *.indian { "two digits, the last time before three" } else { "three digits" }
    )]
    Grouping {
        /// The grouping sign.
        sign: char,
        /// Whether groups are Indian ones.
        indian: bool,
    },
    /// It is marked as negative, or as a credit, and has a sign besides.
    #[error("it has two signs, so that it is not clear whether it is negative")]
    TwoSigns,
    /// Three digits follow the decimal sign where the type has fewer, as if it stood between thousands.
    #[error(
        "three digits follow {sign:?}, which is the decimal sign: where it stands between thousands, set `source.decimal_sign` and \
         `source.grouping`; where the file has three decimals, say so under `types`"
    )]
    Thousands {
        /// The decimal sign.
        sign: char,
    },
    /// It has more digits after the decimal sign than the type.
    #[error("it has {digits} digits after the decimal sign")]
    TooPrecise {
        /// Digits after the decimal sign.
        digits: i64,
    },
    /// It has more digits before the decimal sign than the type.
    #[error("it has more than {digits} digits before the decimal sign")]
    TooLarge {
        /// Digits that the type has.
        digits: u8,
    },
}
