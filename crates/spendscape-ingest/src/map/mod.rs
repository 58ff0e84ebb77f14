//! The column map: how the columns of a raw file become those of a ledger.

pub(crate) mod format;
pub(crate) mod joins;
mod text;
pub(crate) mod types;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use spendscape_schema::money::DEFAULT_MINOR_DIGITS;

use crate::{Error, day};
use joins::one_or_more;

pub use format::{Format, Groups, Negative, SourceFormat};
pub use joins::{Join, Partnerless};
pub use types::ColumnType;

/// How the columns of raw files become those of a ledger, as read from TOML. Values under `columns` and `rows.where` are SQL
/// expressions over the source's columns, in the spelling of the file's header (put names with spaces in double quotes);
/// there is no other language to learn. Text columns are text unless `types` says otherwise, an empty field of a CSV file is
/// an empty text, and an empty field of a typed column is null. Folders on the way to a file that are called `key=value`, as
/// Hive and Spark name them, are columns of text.
///
/// Numbers are read exactly or refused: grouping signs only stand between groups, an exponent (`1e+05`) only moves the decimal
/// sign. What is computed of amounts is exact too: whole numbers divide as decimals, whatever the format.
///
/// Text files may be packed by gzip, zstd or bzip2: their first bytes tell, whatever their names. A byte order mark tells the
/// encoding. Lines that repeat the header and empty fields behind the last column of every row are left out and counted. Lines
/// of several fields that are all empty are blank lines.
///
/// Parquet files may differ: in the order of columns, in the encoding of text and in the width of numbers and times. A column
/// has one type that holds the values of all files, decided from their schemas before a row is read, or is refused with both
/// files and types. Fields of structs are `column.field` or `column['field']`. Bytes are text in UTF-8, unless `encode(column,
/// 'hex')` takes them as they are.
///
/// ```
/// let text = r##"
/// currency = "GBP"
///
/// [source]                       # of CSV files; "parquet", "camt", "ofx" or "mt940" as `format` need none of the rest
/// delimiter = ","                # one ASCII character
/// quote = '"'                    # "" for none
/// escape = ""                    # such as '\' where a quote within quotes is \" instead of ""
/// decimal_sign = "."
/// grouping = ""                  # between thousands; no-break and narrow spaces and ’ are always known
/// groups = "thousands"           # 1,234,567; "indian" for 12,34,567
/// negative = ["parentheses"]     # (33.52); "trailing" for 33.52-, "debit" for 33.52 DR (33.52 CR is positive); none by default
/// currency_signs = ["£"]         # before or behind a number; none by default
/// encoding = "utf-8"             # or "windows-1252", "windows-1250", "shift_jis", ... unless a byte order mark says otherwise
/// nulls = ["NULL"]               # fields that mean "no value"; none by default
/// not_nulls = ["NA"]             # customers that look like such marks (`NULL`, `\N`, `n/a` ...) and are none
/// absent = ["note"]              # columns that a file may lack: null there; of Parquet also fields, as "column.field"
/// skip = 0                       # lines above the header, which are not read
/// not_rows = ["#", "Total:"]     # how lines begin that are no rows: comments, totals; none by default
/// ## header_at = ["CustomerID"]   # the header is the first row with these names; what stands above it is left out
/// ## header = ["a", "b"]          # names for files without a header line; with `skip = 1` instead of the header line
///
/// [types]                        # "integer" or "decimal(precision, scale)" for columns of text
/// Quantity = "integer"
/// UnitPrice = "decimal(12, 3)"
///
/// [columns]
/// customer = "split_part(CustomerID, '.', 1)"
/// time = "InvoiceDate"
/// amount = "-(Quantity * UnitPrice)"        # negative is money spent
/// class = "upper(split_part(trim(Description), ' ', -1))"
/// place = "Country"              # optional, as are transaction, channel and balance
///
/// ## [amount]                     # instead of columns.amount, where debit and credit are two columns and one is empty
/// ## debit = "Debit"              # columns or expressions; money that goes out
/// ## credit = "Credit"
/// ## debits = "positive"          # "negative" where each debit has a minus; needed only where any amount has one
///
/// ## [join]                       # a second file, whose columns expressions may name too; several as [[join]]
/// ## file = "products.csv"        # its path from the map's folder on
/// ## on = "StockCode"             # the column here; `key` is that of the file where it is called otherwise, and must be unique
/// ## missing = "refuse"           # rows whose value the file lacks; "null" leaves its columns empty
/// ## prefix = ""                  # before the names of its columns, where the files share names
/// ## source = { delimiter = ";" } # as [source], and `types` as [types], for this file
///
/// [time]                         # `formats` read a time that is text
/// formats = ["%Y-%m-%d %H:%M:%S"]
/// zone = "Europe/London"         # the ledger's local time
/// latest = 2011-12-31            # later rows are refused, or dropped with `outside = "drop"`; `earliest` likewise
///
/// [rows]
/// where = "UnitPrice > 0"        # other rows are filtered out and counted
/// no_customer = "drop"           # or "refuse"
/// ## repeated = "drop"            # rows of overlapping exports, equal in all columns; needs columns.transaction
/// "##;
/// let map = spendscape_ingest::ColumnMap::from_toml(text)?;
/// assert_eq!(map.currency, "GBP");
/// # Ok::<(), spendscape_ingest::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnMap {
    /// Currency of the amounts, for the record.
    pub currency: String,
    /// Decimal digits of the minor unit.
    #[serde(default = "minor_digits")]
    pub minor_digits: u32,
    /// The form of the files.
    #[serde(default)]
    pub source: SourceFormat,
    /// Types of columns that are text in the files and something else in the ledger.
    #[serde(default)]
    pub types: BTreeMap<String, ColumnType>,
    /// The ledger's columns as SQL expressions. Those of statements may be left out: the account is the customer, the day or time
    /// of booking the time, the merchant's code or else that of the transaction the class.
    #[serde(default)]
    pub columns: Columns,
    /// The columns of debit and credit, where they are two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<DebitCredit>,
    /// Files joined to the rows, in turn: `[join]`, or several `[[join]]`.
    #[serde(default, deserialize_with = "one_or_more", skip_serializing_if = "Vec::is_empty")]
    pub join: Vec<Join>,
    /// How times are read.
    #[serde(default)]
    pub time: TimeRules,
    /// Which rows are taken.
    #[serde(default)]
    pub rows: RowRules,
    /// The folder at which relative paths of joined files start; no part of the map's text.
    #[serde(skip)]
    pub folder: PathBuf,
}

fn minor_digits() -> u32 {
    DEFAULT_MINOR_DIGITS
}

/// The ledger's columns as SQL expressions over the source's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Customer id.
    #[serde(default)]
    pub customer: String,
    /// Time: a text that `time.formats` read, a timestamp or a date.
    #[serde(default)]
    pub time: String,
    /// Amount in currency units, negative for money spent: a decimal, an integer, or a float of a Parquet file. It is missing
    /// where `[amount]` names two columns.
    pub amount: Option<String>,
    /// Raw code of the class, which the taxonomy maps.
    #[serde(default)]
    pub class: String,
    /// Transaction id, checked to be unique.
    pub transaction: Option<String>,
    /// Channel.
    pub channel: Option<String>,
    /// Place.
    pub place: Option<String>,
    /// Balance after the transaction, in currency units.
    pub balance: Option<String>,
}

/// Debit and credit in two columns, of which a row fills one; zero beside a value counts as empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DebitCredit {
    /// Money that goes out: a column, or an SQL expression as under `columns`.
    pub debit: String,
    /// Money that comes in, likewise.
    pub credit: String,
    /// Whether debits are written with a minus. Banks do both, and a minus in one row only is a reversal, so that a minus in
    /// either column is refused where this is not said.
    pub debits: Option<Debits>,
}

/// How debits are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Debits {
    /// Without a minus: one in either column takes back an earlier debit or credit.
    Positive,
    /// With a minus: the amount is what stands in either column, and a debit without a minus takes back an earlier one.
    Negative,
}

/// How times are read. The clock of the machine is not asked, so that the same files always give the same ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeRules {
    /// `strptime` formats that are tried in turn on a time that is text. `%Y` reads four digits, `%y` two.
    pub formats: Vec<String>,
    /// The zone of the ledger's local times, by IANA name; for the record unless times must be converted.
    pub zone: String,
    /// The zone of the source's times where they carry none, if it differs.
    pub source_zone: Option<String>,
    /// What to do with a source time that the source's zone has twice or never (only where zones are converted).
    pub ambiguous: Ambiguous,
    /// First day allowed. Without it a day before 1900 is refused whatever `outside` says: it comes of a year with too few
    /// digits or stands for none.
    #[serde(with = "day")]
    pub earliest: Option<Date>,
    /// Last day allowed: a row of the future is after it. Without it a day after 2199 is refused whatever `outside` says.
    #[serde(with = "day")]
    pub latest: Option<Date>,
    /// What to do with a row before `earliest` or after `latest`.
    pub outside: Refusal,
}

/// ISO 8601 as databases write it, and RFC 3339, whose times carry their offset.
const DEFAULT_FORMATS: [&str; 7] = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S%.f%:z",
    "%Y-%m-%d %H:%M:%S%.f%:z",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
];

impl Default for TimeRules {
    fn default() -> Self {
        Self {
            formats: DEFAULT_FORMATS.map(str::to_owned).to_vec(),
            zone: "UTC".to_owned(),
            source_zone: None,
            ambiguous: Ambiguous::Refuse,
            earliest: None,
            latest: None,
            outside: Refusal::Refuse,
        }
    }
}

/// What to do with a local time that the clock shows twice or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ambiguous {
    /// Refuse the ledger, naming the row.
    Refuse,
    /// Take the earlier instant.
    Earlier,
    /// Take the later instant.
    Later,
}

/// What to do with a row that cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Refusal {
    /// Refuse the ledger, naming the row.
    Refuse,
    /// Drop the row and count it.
    Drop,
}

/// Which rows are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RowRules {
    /// A condition in SQL; rows for which it is not true are filtered out and counted.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    /// What to do with a row whose customer is null or empty.
    pub no_customer: Refusal,
    /// What to do with a row that repeats an earlier one in every column of the ledger, as where exports overlap. It takes
    /// transaction ids to tell it from a second payment, and a second row with an id that differs is always refused.
    pub repeated: Refusal,
}

impl Default for RowRules {
    fn default() -> Self {
        Self { condition: None, no_customer: Refusal::Refuse, repeated: Refusal::Refuse }
    }
}

impl ColumnMap {
    /// The map, with relative paths of joined files starting at a folder: that of the map's own file.
    #[must_use]
    pub fn in_folder(self, folder: &Path) -> Self {
        Self { folder: folder.to_owned(), ..self }
    }

    /// The paths of the joined files.
    #[must_use]
    pub fn joined_files(&self) -> Vec<PathBuf> {
        self.join.iter().map(|join| self.folder.join(&join.file)).collect()
    }

    /// The zone of the ledger, and that of the source if it differs.
    pub(crate) fn zones(&self) -> Result<(TimeZone, Option<TimeZone>), Error> {
        let zone = |key, name: &str| {
            TimeZone::get(name).map_err(|source| Error::MapEntry { key, problem: source.to_string() })
        };
        let own = zone("time.zone", &self.time.zone)?;
        match &self.time.source_zone {
            Some(name) if *name != self.time.zone => Ok((own, Some(zone("time.source_zone", name)?))),
            _ => Ok((own, None)),
        }
    }
}
