//! Statements of accounts as tables, by `spendscape-statements`: camt.053 and camt.052, OFX and QFX, MT940.

use std::{
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, AsArray, BooleanArray, Decimal128Array, RecordBatch, RecordBatchOptions, StringArray},
    datatypes::{DataType, Field, Schema, SchemaRef},
    error::ArrowError,
};
use spendscape_schema::Tally;
use spendscape_statements::{
    DECLARATION, DecodedText, Entry, Error as Fault, Form, PRECISION, SCALE, Statements, Totals,
    declared_encoding,
};

use crate::{ColumnMap, Encoding, Error, Example, Place, RowProblem, map::SourceFormat, unpack::Text};

/// Bytes of a file's start that show what it is.
const START: u64 = 4 * 1024;

/// The names of the columns of statements, and the types of those that are no texts.
const COLUMNS: [(&str, DataType); 17] = [
    ("account", DataType::Utf8),
    ("currency", DataType::Utf8),
    ("booked", DataType::Utf8),
    ("booked_offset", DataType::Utf8),
    ("value_date", DataType::Utf8),
    ("amount", DataType::Decimal128(PRECISION, SCALE as i8)),
    ("reversal", DataType::Boolean),
    ("pending", DataType::Boolean),
    ("id", DataType::Utf8),
    ("reference", DataType::Utf8),
    ("counterparty", DataType::Utf8),
    ("counterparty_account", DataType::Utf8),
    ("text", DataType::Utf8),
    ("code", DataType::Utf8),
    ("bank_code", DataType::Utf8),
    ("merchant_code", DataType::Utf8),
    ("statement", DataType::Utf8),
];

/// The column of currencies, which is always read: amounts of two of them are not added.
pub(crate) const CURRENCY: &str = "currency";

/// What a file of statements says besides its entries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remarks {
    /// Entries that are not booked, and were left out.
    pub(crate) pending: Tally<Example>,
    /// Statements whose entries do not lead from one balance to the other.
    pub(crate) unbalanced: Tally<Example>,
}

impl Remarks {
    /// Adds those of what follows.
    pub(crate) fn join(&mut self, other: Self) {
        self.pending.join(other.pending);
        self.unbalanced.join(other.unbalanced);
    }

    fn is_empty(&self) -> bool {
        self.pending.count == 0 && self.unbalanced.count == 0
    }
}

/// A file of statements that is being read.
pub(crate) struct StatementFile<'a> {
    path: &'a Path,
    format: &'a SourceFormat,
    statements: Statements,
    row: u64,
    remarks: Remarks,
    /// Why the file cannot be read on, behind the entries given away.
    failure: Option<Error>,
}

/// Some entries of a file, and what it says up to them.
pub(crate) struct Entries {
    entries: Vec<Entry>,
    pub(crate) remarks: Remarks,
}

impl DecodedText for Text {
    fn is_malformed_before(&mut self, offset: u64) -> bool {
        !self.malformed_before(offset).is_empty()
    }
}

/// Opens a file, which may name its encoding.
fn open(path: &Path, encoding: Encoding) -> Result<Text, Error> {
    let declared = |start: &[u8]| Encoding::try_from(declared_encoding(start)?).ok();
    Text::open_declared(path, encoding, DECLARATION, declared)
}

/// The form of a file whose start is that of statements.
pub(crate) fn form_of(path: &Path) -> Result<Option<Form>, Error> {
    let mut bytes = Vec::new();
    let read = open(path, Encoding::default())?.take(START).read_to_end(&mut bytes);
    read.map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(Form::of_start(&String::from_utf8_lossy(&bytes)))
}

/// The columns of statements.
pub(crate) fn fields() -> Vec<Field> {
    COLUMNS.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), true)).collect()
}

/// Fills in the entries that a map of statements leaves out.
pub(crate) fn complete(map: &mut ColumnMap) {
    let columns = &mut map.columns;
    let fill = |entry: &mut String, default: &str| {
        if entry.is_empty() {
            default.clone_into(entry);
        }
    };
    fill(&mut columns.customer, "account");
    fill(&mut columns.time, "booked");
    fill(&mut columns.class, "coalesce(merchant_code, code)");
    if map.amount.is_none() && columns.amount.is_none() {
        columns.amount = Some("amount".to_owned());
    }
}

/// The first row of a batch whose amount is in another currency than the ledger's, and the problem.
pub(crate) fn other_currency(map: &ColumnMap, batch: &RecordBatch) -> Option<(usize, RowProblem)> {
    let found = batch.column_by_name(CURRENCY)?.as_string_opt::<i32>()?;
    let row = found.iter().position(|found| found.is_some_and(|found| found != map.currency))?;
    let (found, expected) = (found.value(row).to_owned(), map.currency.clone());
    Some((row, RowProblem::OtherCurrency { found, expected }))
}

impl<'a> StatementFile<'a> {
    /// Opens a file.
    pub(crate) fn open(path: &'a Path, format: &'a SourceFormat) -> Result<Self, Error> {
        let none = || Error::NoStatement { path: path.to_owned(), what: "a file of statements" };
        let form = format.format.form().ok_or_else(none)?;
        let statements = Statements::decoded(Box::new(open(path, format.encoding)?), form);
        Ok(Self { path, format, statements, row: 0, remarks: Remarks::default(), failure: None })
    }

    fn place(&self, row: u64, line: u64) -> Place {
        Place { path: self.path.to_owned(), row, line: Some(line), column: None }
    }

    /// The next entry that is taken.
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            let found = self.statements.next_entry();
            for totals in self.statements.take_totals() {
                self.compare(&totals);
            }
            let Some(entry) = found.map_err(|fault| self.error(fault))? else { return Ok(None) };
            if entry.pending && !self.format.pending {
                let place = self.place(self.row + 1, entry.line);
                self.remarks.pending.add(|| Example { place, why: "it is not booked".to_owned() });
                continue;
            }
            self.row += 1;
            return Ok(Some(entry));
        }
    }

    /// Notes a statement whose entries do not lead from its opening to its closing balance.
    fn compare(&mut self, totals: &Totals) {
        let (Some(opening), Some(closing)) = (totals.opening, totals.closing) else { return };
        if totals.are_balanced() == Some(true) {
            return;
        }
        let shown = |value: i128| format!("{:.2}", value as f64 / 10_f64.powi(i32::from(SCALE)));
        let why = format!(
            "the entries sum to {}, but the balance moves from {} to {}",
            shown(totals.sum),
            shown(opening),
            shown(closing)
        );
        let place = self.place(self.row, totals.line);
        self.remarks.unbalanced.add(|| Example { place, why });
    }

    fn error(&self, fault: Fault) -> Error {
        let row = |line, ahead: usize, problem| Error::Row {
            place: self.place(self.row + 1 + ahead as u64, line),
            problem,
        };
        match fault {
            Fault::Read(source) => Error::Read { path: self.path.to_owned(), source },
            Fault::NoStatement { what } => Error::NoStatement { path: self.path.to_owned(), what },
            Fault::Encoding { line, ahead } => {
                let encoding = self.format.encoding.name();
                row(line, ahead, RowProblem::Encoding { valid: String::new(), encoding })
            }
            Fault::Entry { line, problem, ahead } => row(line, ahead, RowProblem::Statement(problem)),
            other => Error::Read { path: self.path.to_owned(), source: io::Error::other(other) },
        }
    }

    /// The next entries, at most so many; nothing where the file ends.
    pub(crate) fn entries(&mut self, rows: usize) -> Result<Option<Entries>, Error> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let mut entries = Vec::new();
        while entries.len() < rows {
            match self.next() {
                Ok(Some(entry)) => entries.push(entry),
                Ok(None) => break,
                Err(failure) if entries.is_empty() => return Err(failure),
                Err(failure) => {
                    self.failure = Some(failure);
                    break;
                }
            }
        }
        let remarks = std::mem::take(&mut self.remarks);
        let is_end = entries.is_empty() && remarks.is_empty();
        Ok((!is_end).then_some(Entries { entries, remarks }))
    }
}

impl Entries {
    /// The line of each entry.
    pub(crate) fn lines(&self) -> Vec<u64> {
        self.entries.iter().map(|entry| entry.line).collect()
    }

    /// Some columns of statements.
    pub(crate) fn batch(&self, columns: &[&str]) -> Result<RecordBatch, ArrowError> {
        let arrays =
            columns.iter().map(|column| array(&self.entries, column)).collect::<Result<Vec<_>, _>>()?;
        let field = |(name, array): (&&str, &ArrayRef)| Field::new(*name, array.data_type().clone(), true);
        let schema: SchemaRef =
            Arc::new(Schema::new(columns.iter().zip(&arrays).map(field).collect::<Vec<_>>()));
        let options = RecordBatchOptions::new().with_row_count(Some(self.entries.len()));
        RecordBatch::try_new_with_options(schema, arrays, &options)
    }
}

/// A column of entries.
fn array(entries: &[Entry], column: &str) -> Result<ArrayRef, ArrowError> {
    Ok(match column {
        "amount" => {
            let values: Decimal128Array = entries.iter().map(|entry| Some(entry.amount)).collect();
            Arc::new(values.with_precision_and_scale(PRECISION, SCALE as i8)?)
        }
        "reversal" => Arc::new(entries.iter().map(|entry| Some(entry.reversal)).collect::<BooleanArray>()),
        "pending" => Arc::new(entries.iter().map(|entry| Some(entry.pending)).collect::<BooleanArray>()),
        name => Arc::new(entries.iter().map(|entry| text(entry, name)).collect::<StringArray>()),
    })
}

/// The text in a column of texts.
fn text<'a>(entry: &'a Entry, column: &str) -> Option<&'a str> {
    match column {
        "account" => Some(&entry.account),
        CURRENCY => Some(&entry.currency),
        "booked" => entry.booked.as_ref().map(|booked| booked.text.as_str()),
        "booked_offset" => entry.booked.as_ref().and_then(|booked| booked.offset.as_deref()),
        "value_date" => entry.value_date.as_deref(),
        "id" => entry.id.as_deref(),
        "reference" => entry.reference.as_deref(),
        "counterparty" => entry.counterparty.as_deref(),
        "counterparty_account" => entry.counterparty_account.as_deref(),
        "text" => entry.text.as_deref(),
        "code" => entry.code.as_deref(),
        "bank_code" => entry.bank_code.as_deref(),
        "merchant_code" => entry.merchant_code.as_deref(),
        "statement" => entry.statement.as_deref(),
        _ => None,
    }
}
