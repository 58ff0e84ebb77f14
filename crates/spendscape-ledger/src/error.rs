//! The one error of the crate.

use std::{borrow::Cow, fmt, path::PathBuf};

use jiff::civil::Date;
use parquet::errors::ParquetError;

use crate::ingest::StatementProblem;

/// What can be wrong with raw files, a column map, a ledger or a panel request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A table could not be read or written.
    #[error(transparent)]
    Store(#[from] spendscape_store::Error),
    /// A window specification or a taxonomy cannot be used.
    #[error(transparent)]
    Schema(#[from] spendscape_schema::Error),
    /// The column map does not parse.
    #[error("cannot read the column map: {0}")]
    Map(#[from] toml::de::Error),
    /// An entry of the column map cannot be used.
    #[error("the column map's {key}: {problem}")]
    MapEntry {
        /// The entry.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// An SQL expression of the column map cannot be used.
    #[error("the column map's {key} = {sql:?}: {problem}")]
    Expression {
        /// The entry.
        key: &'static str,
        /// The expression.
        sql: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A pattern of file names does not parse.
    #[error("the pattern {pattern:?} is wrong at position {position}: {problem}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Where, from 0.
        position: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// A pattern matches no file.
    #[error("no file matches {pattern:?}")]
    NoFiles {
        /// The pattern, or the path.
        pattern: String,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file has no content, or no row below its header.
    #[error("{path} is empty")]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// A file is no Parquet file, or is cut or damaged.
    #[error("{path} is not a readable Parquet file (truncated or damaged?): {source}")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What Parquet says.
        source: ParquetError,
    },
    /// A column of the source is missing.
    #[error(
        "{path} has no column {column:?}; it has {}{}", printable(.found),
        if *.text { ": if other lines stand above the header, name some of its columns in `source.header_at`" } else { "" }
    )]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The missing column.
        column: String,
        /// The columns that the file has, joined by commas.
        found: String,
        /// Whether it is a text file, whose first line need not be the header.
        text: bool,
    },
    /// No row of a text file names the columns.
    #[error("{path} has no row with the names {names} of `source.header_at`")]
    NoHeader {
        /// The file.
        path: PathBuf,
        /// The names, joined by commas.
        names: String,
    },
    /// No column of a file can be what a ledger needs.
    #[error(
        "{path} has no column that looks like the {role} of transactions; it has {found}{advice}: write a column map by hand"
    )]
    NoSuchColumn {
        /// The file.
        path: PathBuf,
        /// What is looked for.
        role: &'static str,
        /// The columns, joined by commas.
        found: String,
        /// Which column may be it and what to write, or nothing.
        advice: String,
    },
    /// A file is of another kind than delimited text.
    #[error("{path} is no delimited text but {what}")]
    NoText {
        /// The file.
        path: PathBuf,
        /// What it is, and what to do about it.
        what: &'static str,
    },
    /// A file holds no statement of the format.
    #[error("{path} is not {what}")]
    NoStatement {
        /// The file.
        path: PathBuf,
        /// What the map says that it is.
        what: &'static str,
    },
    /// A path names neither a file nor a folder.
    #[error("{path} is no regular file: it is read more than once, so save what it gives to a file first")]
    NoRegularFile {
        /// The path.
        path: PathBuf,
    },
    /// A column that is read stands twice in a header, so that its name says nothing.
    #[error("{path} has two columns {column:?}: {}", advice_on_twins(*.text))]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Whether it is a text file.
        text: bool,
    },
    /// A file has more columns than any ledger has.
    #[error("{path} has {found} columns, and at most {limit} are read: leave out those that are not needed")]
    ManyColumns {
        /// The file.
        path: PathBuf,
        /// Its columns.
        found: usize,
        /// Columns allowed.
        limit: usize,
    },
    /// A column of a joined file has the name of another column.
    #[error("{path} has a column {column:?}, as another file has: tell its columns apart with `join.prefix`")]
    JoinedTwin {
        /// The joined file.
        path: PathBuf,
        /// The name of both columns.
        column: String,
    },
    /// A column of Parquet files has no type that holds the values of all of them.
    #[error("column {column:?} of {path} {difference}")]
    DifferentColumn {
        /// The file.
        path: PathBuf,
        /// The column, or the field of one as `column.field`.
        column: String,
        /// How another file differs.
        difference: Difference,
    },
    /// The map gives a type to a column of a Parquet source that has one.
    #[error(
        "column {column:?} of {path} has the type {found}: only columns of text get a type, so remove it from `types`"
    )]
    TypedColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A row cannot be taken.
    #[error("{place}: {problem}{}", advice_on_no_row(.place, .problem))]
    Row {
        /// Where it stands.
        place: Place,
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// Not one row is left after filtering and dropping.
    #[error(
        "none of the {rows} rows read is left for the ledger: see {} in the column map",
        if *.pending > 0 { format!("`source.pending`, as {pending} entries are not booked,") } else { "`rows`".to_owned() }
    )]
    NothingLeft {
        /// Rows read.
        rows: u64,
        /// Entries of statements that are not booked.
        pending: u64,
    },
    /// The key file for pseudonyms is too long.
    #[error("{path} is longer than {allowed} bytes: is it a key?")]
    LongKey {
        /// The file.
        path: PathBuf,
        /// Bytes allowed.
        allowed: u64,
    },
    /// The key file for pseudonyms is too short.
    #[error("the key in {path} has {found} bytes: use at least {needed} random ones")]
    ShortKey {
        /// The file.
        path: PathBuf,
        /// Bytes found.
        found: usize,
        /// Bytes needed.
        needed: usize,
    },
    /// The ledger has no row.
    #[error("the ledger {paths:?} has no rows")]
    EmptyLedger {
        /// Its files.
        paths: Vec<PathBuf>,
    },
    /// A ledger table has a null where none may be.
    #[error("column {column} of {path} has nulls: write the ledger again with `ingest`")]
    NullInLedger {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A ledger table changed while it was read.
    #[error("{path} changed while it was read")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// There is more of something than can be numbered.
    #[error("{found} {what} are more than {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many are asked for.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The panel has no class.
    #[error("the panel needs at least one spending class")]
    NoClasses,
    /// A class stands twice.
    #[error("class {class:?} stands twice")]
    DuplicateClass {
        /// The class.
        class: String,
    },
    /// A time of the ledger lies outside the calendar.
    #[error("the ledger has a time {millis} ms from 1970-01-01, which is outside the calendar")]
    TimeOutsideCalendar {
        /// The time.
        millis: i64,
    },
    /// The ledger does not reach over every period of a window.
    #[error(
        "the ledger covers {first} to {last}, which reaches only {reached} of the periods of `{window}`: {}",
        advise_window(fits.as_deref())
    )]
    TooFewPeriods {
        /// The window as written.
        window: String,
        /// First day of the ledger.
        first: Date,
        /// Last day of the ledger.
        last: Date,
        /// Number of periods that have a day in common with the ledger.
        reached: usize,
        /// A window that the ledger reaches over, if there is another.
        fits: Option<String>,
    },
    /// A customer's block of totals is too wide.
    #[error(
        "{intervals} intervals of {classes} classes are more than a list holds: ask for fewer or longer periods"
    )]
    BlockTooWide {
        /// Elementary intervals of the windows.
        intervals: usize,
        /// Classes.
        classes: usize,
    },
    /// The amounts of the ledger together do not fit 64 bits.
    #[error(
        "the amounts of the ledger sum to {moved} minor units in size, more than 64 bits hold: check the currency's unit"
    )]
    TotalsTooLarge {
        /// Sum of the amounts' sizes.
        moved: u128,
    },
    /// The memory limit is too small for the totals of one part per thread.
    #[error("the memory limit of {limit} bytes is too small: at least {needed} bytes are needed")]
    MemoryTooSmall {
        /// Bytes needed.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// A file of the scratch folder cannot be written or read.
    #[error("cannot use the scratch file {path}: {source}")]
    Scratch {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The panel's parts do not fit together.
    #[error("the panel's parts do not fit together: {source}")]
    Shape {
        /// What does not fit.
        source: ndarray::ShapeError,
    },
    /// A thread could not be started.
    #[error("cannot start a thread with {bytes} bytes of stack: {source}")]
    Thread {
        /// Its stack.
        bytes: usize,
        /// Why.
        source: std::io::Error,
    },
    /// Columns read from a text file do not make a batch.
    #[error("cannot make a batch of {path}: {source}")]
    Batch {
        /// The file.
        path: PathBuf,
        /// Why.
        source: arrow::error::ArrowError,
    },
}

impl Error {
    /// Whether the input is at fault rather than the machine.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Store(error) => error.is_bad_input(),
            Self::Read { source, .. } => spendscape_store::is_bad_input(source.kind()),
            Self::Scratch { .. } | Self::Shape { .. } | Self::Thread { .. } | Self::Batch { .. } => false,
            _ => true,
        }
    }
}

/// Where a row of a source stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The row, from 1, not counting the header, which is row 0.
    pub row: u64,
    /// The line of a text file, from 1, on which the row starts.
    pub line: Option<u64>,
    /// The column, or the entry of the column map, that is at fault.
    pub column: Option<String>,
}

/// How a column of a Parquet file differs from that of another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Difference {
    /// It is not there.
    #[error(
        "is missing, but not in {file}: if rows without it may be read, list it under `source.absent`, and it is null there"
    )]
    Missing {
        /// A file that has it.
        file: PathBuf,
    },
    /// It has another type, and no type holds the values of both.
    #[error(
        "has the type {found}, but {expected} in {file}, and no type holds both without loss: write it with one type in all \
         files"
    )]
    Types {
        /// The other file.
        file: PathBuf,
        /// The type there.
        expected: String,
        /// The type here.
        found: String,
    },
    /// It has times with a zone, the other file without, or the other way round.
    #[error(
        "has the type {found}, but {expected} in {file}: if the times without a zone are UTC too, as Spark's INT96 are, set \
         `time.source_zone = \"UTC\"`"
    )]
    Zones {
        /// The other file.
        file: PathBuf,
        /// The type there.
        expected: String,
        /// The type here.
        found: String,
    },
}

/// What to do about a ledger that is shorter than a window.
fn advise_window(fits: Option<&str>) -> String {
    match fits {
        Some(window) => format!("`{window}` fits, and so may others with fewer or shorter periods"),
        None => "give a day with `from` or `until` that the ledger reaches".to_owned(),
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", printable(&self.path.to_string_lossy()))?;
        match self.row {
            0 => write!(f, "header")?,
            row => write!(f, "row {row}")?,
        }
        if let Some(line) = self.line {
            write!(f, " (line {line})")?;
        }
        match &self.column {
            Some(column) => write!(f, ", column {}", printable(column)),
            None => Ok(()),
        }
    }
}

/// Whether a character hides or turns text: it has no width, or marks the direction of writing.
pub(crate) fn is_unseen(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A text of the input as a terminal may have it: characters that control it, or hide or turn text, are escaped.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let unprintable = |character: char| character.is_control() || is_unseen(character);
    if !text.contains(unprintable) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().map(|character| match character {
        character if unprintable(character) => character.escape_debug().to_string(),
        character => character.to_string(),
    });
    Cow::Owned(escaped.collect())
}

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

/// Where the row may be none: a total has fewer fields than rows, or no time.
fn advice_on_no_row(place: &Place, problem: &RowProblem) -> &'static str {
    let may_be_none = match problem {
        RowProblem::Fields { expected, found, spans_lines, as_before } => {
            found < expected && !spans_lines && !as_before
        }
        RowProblem::Time { .. } => true,
        RowProblem::Missing { .. } => place.column.as_deref() == Some("time"),
        _ => false,
    };
    if may_be_none && place.line.is_some() {
        "; if it is a total or a note and no row, name how the line begins in `source.not_rows`"
    } else {
        ""
    }
}

fn advice_on_twins(text: bool) -> &'static str {
    match text {
        true => {
            "name all columns with `source.header = [...]`, and leave the file's own header line out with `source.skip = 1`"
        }
        false => "write it with other names",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_controls_a_terminal_is_escaped() {
        assert_eq!(printable("Žabka – é\u{a0}1"), "Žabka – é\u{a0}1");
        assert_eq!(printable("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\\nc");
        assert_eq!(printable("x\u{202e}y"), "x\\u{202e}y");
        let place =
            Place { path: "a\u{7}.csv".into(), row: 0, line: Some(1), column: Some("b\tc".to_owned()) };
        assert_eq!(place.to_string(), "a\\u{7}.csv, header (line 1), column b\\tc");
    }
}
