//! The form of source files: `[source]` of a column map.

use serde::{Deserialize, Serialize};

use spendscape_statements::Form;

use crate::{Error, encoding::Encoding};

/// The form of the source files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceFormat {
    /// Delimited text or Parquet.
    pub format: Format,
    /// The character between fields.
    pub delimiter: String,
    /// The character around fields; empty for none.
    pub quote: String,
    /// The character that, within quotes, makes a quote or itself part of the text, as in `"say \"hi\""`; empty for none. A
    /// quote may always be doubled instead.
    pub escape: String,
    /// The character before decimals.
    pub decimal_sign: String,
    /// The character between thousands; empty for none but those of typesetting (no-break and narrow spaces, ’), which are
    /// always known.
    pub grouping: String,
    /// The sizes of the groups.
    pub groups: Groups,
    /// How negative numbers are written besides with a minus before them.
    pub negative: Vec<Negative>,
    /// What may stand before or behind a number and says nothing, such as `€` or `EUR`.
    pub currency_signs: Vec<String>,
    /// The encoding of the text, by a label of the WHATWG such as `windows-1250`, unless a byte order mark says otherwise.
    pub encoding: Encoding,
    /// Fields of text files that mean null, in whole and but for spaces around them.
    pub nulls: Vec<String>,
    /// Customers that look like null marks and are none. Any other customer that equals a common mark (`NULL`, `\N`, `n/a` and
    /// the like, in any case) is refused: all rows without a customer would become one.
    pub not_nulls: Vec<String>,
    /// Columns that a file may lack, and that are null there. Of Parquet files also fields of structs, as `column.field`. A file
    /// that lacks any other column that is read is refused.
    pub absent: Vec<String>,
    /// Lines above the header, or above the first row where `header` gives the names; they are not read.
    pub skip: u64,
    /// Names that the header line has: rows above it are left out and counted.
    pub header_at: Option<Vec<String>>,
    /// How lines begin that are no rows, such as comments and totals: they are left out and counted, wherever they stand.
    pub not_rows: Vec<String>,
    /// Whether entries of statements that are not booked are rows too; they are left out and counted otherwise.
    pub pending: bool,
    /// Column names, for files without a header line. To replace a header line, leave it out with `skip = 1`.
    pub header: Option<Vec<String>>,
}

impl Default for SourceFormat {
    fn default() -> Self {
        Self {
            format: Format::Csv,
            delimiter: ",".to_owned(),
            quote: "\"".to_owned(),
            escape: String::new(),
            decimal_sign: ".".to_owned(),
            grouping: String::new(),
            groups: Groups::Thousands,
            negative: Vec::new(),
            currency_signs: Vec::new(),
            encoding: Encoding::default(),
            nulls: Vec::new(),
            not_nulls: Vec::new(),
            absent: Vec::new(),
            skip: 0,
            header_at: None,
            not_rows: Vec::new(),
            pending: false,
            header: None,
        }
    }
}

/// The kind of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Delimited text, as it is or packed by gzip, zstd or bzip2.
    Csv,
    /// Parquet that this program did not write.
    Parquet,
    /// Statements of ISO 20022: camt.053 or camt.052, of any version.
    Camt,
    /// Statements of OFX or QFX, 1.x or 2.x.
    Ofx,
    /// Statements of SWIFT: MT940 or MT942.
    Mt940,
}

impl Format {
    /// Whether files hold statements, whose columns have names of their own.
    #[must_use]
    pub fn is_statement(self) -> bool {
        self.form().is_some()
    }

    pub(crate) fn form(self) -> Option<Form> {
        match self {
            Self::Csv | Self::Parquet => None,
            Self::Camt => Some(Form::Camt),
            Self::Ofx => Some(Form::Ofx),
            Self::Mt940 => Some(Form::Mt940),
        }
    }
}

/// The groups of digits before the decimal sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Groups {
    /// Of three digits, the first of one to three: 1,234,567.
    Thousands,
    /// Of two digits, the first of one or two, the last of three: 12,34,567.
    Indian,
}

impl Groups {
    /// Digits of the last group.
    pub(crate) const LAST: usize = 3;

    /// Digits of a group between the first and the last.
    pub(crate) fn inner(self) -> usize {
        match self {
            Self::Thousands => 3,
            Self::Indian => 2,
        }
    }

    /// Whether the first group may have so many digits.
    pub(crate) fn first(self, digits: usize) -> bool {
        (1..=self.inner()).contains(&digits)
    }
}

/// A form of negative numbers in accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Negative {
    /// Parentheses around the number: `(33.52)`.
    Parentheses,
    /// A minus sign behind it: `100.00-`.
    Trailing,
    /// `DR` behind it for a debit, which is negative, and `CR` for a credit, in any case: `100.00 DR`.
    Debit,
}

impl SourceFormat {
    /// Checks the signs of a map's files.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |key, problem: String| Err(Error::MapEntry { key, problem });
        let delimiter = ascii("source.delimiter", &self.delimiter)?;
        let quote = ascii("source.quote", &self.quote)?;
        let sign = ascii("source.decimal_sign", &self.decimal_sign)?;
        let grouping = grouping(&self.grouping)?;
        if delimiter.is_none() {
            return refuse("source.delimiter", "one character is needed".to_owned());
        }
        if sign.is_none() {
            return refuse("source.decimal_sign", "one character is needed".to_owned());
        }
        for (key, sign) in [("source.delimiter", delimiter), ("source.quote", quote)] {
            if let Some(b'\n' | b'\r') = sign {
                return refuse(key, "it ends lines".to_owned());
            }
        }
        for (key, sign) in [("source.decimal_sign", sign), ("source.grouping", grouping)] {
            if sign
                .is_some_and(|sign| sign.is_ascii_alphanumeric() || matches!(sign, b'+' | b'-' | b'(' | b')'))
            {
                let problem = "digits, letters, + and -, ( and ) have a meaning of their own in numbers";
                return refuse(key, problem.to_owned());
            }
        }
        let escape = ascii("source.escape", &self.escape)?;
        if escape.is_some_and(|escape| {
            Some(escape) == delimiter
                || Some(escape) == quote
                || escape.is_ascii_alphanumeric()
                || matches!(escape, b'\n' | b'\r')
        }) {
            let problem = "it must differ from delimiter, quote, letters, digits and line ends";
            return refuse("source.escape", problem.to_owned());
        }
        if escape.is_some() && quote.is_none() {
            return refuse("source.escape", "without `source.quote` there is nothing to escape".to_owned());
        }
        if delimiter == quote {
            return refuse("source.quote", "it must differ from the delimiter".to_owned());
        }
        if sign == grouping {
            return refuse("source.grouping", "it must differ from the decimal sign".to_owned());
        }
        // What numbers are made of is told from what stands beside them.
        let is_unclear = |sign: &&String| {
            sign.trim() != sign.as_str()
                || sign.chars().all(|sign| "+-().,".contains(sign))
                || sign.contains(|sign: char| sign.is_ascii_digit())
        };
        if let Some(sign) = self.currency_signs.iter().find(is_unclear) {
            let problem =
                format!("{sign:?} cannot be told from a number: write signs such as \"€\" or \"kr.\"");
            return refuse("source.currency_signs", problem);
        }
        if self.not_rows.iter().any(|text| text.trim().is_empty()) {
            return refuse("source.not_rows", "every row begins with an empty text".to_owned());
        }
        if let Some(names) = &self.header {
            if self.header_at.is_some() {
                let problem = "`source.header` names the columns already: leave lines above the rows out with `source.skip`";
                return refuse("source.header_at", problem.to_owned());
            }
            if let Some((_, name)) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
                return refuse("source.header", format!("the name {name:?} stands twice"));
            }
        }
        if self.header_at.as_ref().is_some_and(Vec::is_empty) {
            return refuse("source.header_at", "at least one name is needed".to_owned());
        }
        if self.format.is_statement() {
            let own = Self {
                format: self.format,
                encoding: self.encoding,
                pending: self.pending,
                ..Self::default()
            };
            let own = Self { not_nulls: self.not_nulls.clone(), ..own };
            if *self != own {
                let problem = "statements have a form of their own: of `[source]` only `format`, `encoding`, `pending` and \
                               `not_nulls` are for them";
                return refuse("source.format", problem.to_owned());
            }
        } else if self.pending {
            return refuse("source.pending", "it is for statements only: see `rows.where`".to_owned());
        }
        if self.format == Format::Parquet {
            let text_only = [
                ("source.skip", self.skip > 0),
                ("source.header", self.header.is_some()),
                ("source.header_at", self.header_at.is_some()),
                ("source.not_rows", !self.not_rows.is_empty()),
            ];
            if let Some((key, _)) = text_only.into_iter().find(|(_, set)| *set) {
                return refuse(key, "a Parquet file has no lines: remove it".to_owned());
            }
        }
        Ok(())
    }
}

/// One ASCII character, or none.
pub(crate) fn ascii(key: &'static str, text: &str) -> Result<Option<u8>, Error> {
    match text.as_bytes() {
        [] => Ok(None),
        [one] if one.is_ascii() => Ok(Some(*one)),
        _ => Err(Error::MapEntry { key, problem: format!("{text:?} is not one ASCII character") }),
    }
}

/// What typesetting puts between thousands: no-break, narrow, thin and figure space, and the apostrophe. No number has another
/// use for them, so that they are known without being declared.
pub(crate) const TYPOGRAPHIC: [char; 5] = ['\u{a0}', '\u{202f}', '\u{2009}', '\u{2007}', '\u{2019}'];

/// The declared grouping sign, if it is one that must be declared.
pub(crate) fn grouping(text: &str) -> Result<Option<u8>, Error> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(sign), None) if TYPOGRAPHIC.contains(&sign) => Ok(None),
        _ => ascii("source.grouping", text),
    }
}
