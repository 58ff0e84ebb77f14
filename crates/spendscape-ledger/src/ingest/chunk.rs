//! Rows of one file with their places, and the values of their columns.

use std::{fmt::Write as _, path::PathBuf, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, Decimal128Builder, RecordBatch, RecordBatchOptions, StringArray,
        StringBuilder,
    },
    compute::cast,
    datatypes::{DataType, Field, SchemaRef},
    error::ArrowError,
};

use super::{
    block::{MARK_BYTES, Split, without_mark},
    columns::Origin,
    map::{ColumnMap, ColumnType},
    number::NumberSigns,
    records::Span,
};
use crate::{Error, Place, RowProblem};

/// Some rows of one file.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) position: Position,
    /// Rows that can be taken.
    pub(crate) rows: usize,
    /// Why the row behind them cannot, unless they end where the file does.
    pub(crate) failure: Option<Error>,
    text: String,
    columns: Vec<Column>,
}

/// Where a chunk stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Position {
    pub(crate) path: PathBuf,
    /// Rows of its file before it.
    pub(crate) before: u64,
    /// Rows of all files before it.
    pub(crate) number: u64,
    /// The line that it begins on.
    pub(crate) first_line: u64,
    /// The line ends before each row, in files that have lines.
    pub(crate) lines: Vec<u32>,
}

impl Position {
    /// The place of a row, from 0.
    pub(crate) fn place(&self, row: usize, column: Option<&str>) -> Place {
        Place {
            path: self.path.clone(),
            row: self.before + row as u64 + 1,
            line: self.lines.get(row).map(|line| self.first_line + u64::from(*line)),
            column: column.map(str::to_owned),
        }
    }
}

/// The values of a column.
#[derive(Debug)]
enum Column {
    Array(ArrayRef),
    /// Fields of the chunk's text; those of a file's first column may begin with a byte order mark.
    Fields {
        spans: Vec<Span>,
        is_first: bool,
    },
}

/// The columns that are read of every file, and what the map says of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) schema: &'a SchemaRef,
    pub(crate) map: &'a ColumnMap,
}

impl Wanted<'_> {
    /// The type that the map gives to a column of text.
    fn type_of(&self, field: &Field) -> Option<ColumnType> {
        self.map.types.get(field.name()).copied()
    }
}

impl Chunk {
    /// The rows of a block, whose fields are those of the columns that come from the file, in their order.
    pub(crate) fn of_text(
        position: Position,
        split: Split,
        failure: Option<Error>,
        origins: &[Origin],
        wanted: Wanted<'_>,
    ) -> Result<Self, Error> {
        let rows = position.lines.len();
        let mut chunk = Self { position, rows, failure, text: split.text, columns: Vec::new() };
        let mut spans = split.columns.into_iter();
        for (field, origin) in wanted.schema.fields().iter().zip(origins) {
            let column = match (origin, wanted.type_of(field)) {
                (Origin::Path(value), _) => chunk.constant(value.as_deref(), field, wanted)?,
                (Origin::File(at), None) => {
                    Column::Fields { spans: spans.next().unwrap_or_default(), is_first: *at == 0 }
                }
                (Origin::File(at), Some(column)) => {
                    let (spans, is_first) = (spans.next().unwrap_or_default(), *at == 0);
                    let nulls = &wanted.map.source.nulls;
                    let texts = Texts::Fields { text: &chunk.text, spans: &spans, is_first, nulls };
                    let found = numbers((0..chunk.rows).map(|row| texts.get(row, row)), column, wanted.map)?;
                    chunk.keep(found, field)
                }
            };
            chunk.columns.push(column);
        }
        Ok(chunk)
    }

    /// The rows of a batch, whose columns may stand in another order.
    pub(crate) fn of_batch(
        position: Position,
        batch: &RecordBatch,
        origins: &[Origin],
        wanted: Wanted<'_>,
    ) -> Result<Self, Error> {
        let path = position.path.clone();
        let refuse = |source: ArrowError| Error::Parquet { path: path.clone(), source: source.into() };
        let (rows, columns) = (batch.num_rows(), Vec::new());
        let mut chunk = Self { position, rows, failure: None, text: String::new(), columns };
        for (field, origin) in wanted.schema.fields().iter().zip(origins) {
            let column = match (origin, batch.column_by_name(field.name())) {
                (Origin::Path(value), _) => chunk.constant(value.as_deref(), field, wanted)?,
                (_, Some(column)) if column.data_type() == field.data_type() => Column::Array(column.clone()),
                (_, Some(column)) => match wanted.type_of(field) {
                    None => Column::Array(uuids(column).map_err(refuse)?),
                    Some(number) => {
                        let texts = cast(column, &DataType::Utf8).map_err(refuse)?;
                        let texts = texts.as_string::<i32>().iter().take(chunk.rows);
                        let found = numbers(texts, number, wanted.map)?;
                        chunk.keep(found, field)
                    }
                },
                (_, None) => {
                    let problem = format!("column {:?} was not read", field.name());
                    return Err(refuse(ArrowError::SchemaError(problem)));
                }
            };
            chunk.columns.push(column);
        }
        Ok(chunk)
    }

    /// A column of one value.
    fn constant(&mut self, value: Option<&str>, field: &Field, wanted: Wanted<'_>) -> Result<Column, Error> {
        let values = std::iter::repeat_n(value, self.rows);
        Ok(match wanted.type_of(field) {
            None => Column::Array(Arc::new(values.collect::<StringArray>())),
            Some(column) => {
                let found = numbers(values, column, wanted.map)?;
                self.keep(found, field)
            }
        })
    }

    /// Keeps the numbers up to the first row that has none, from which on rows cannot be taken.
    fn keep(&mut self, (values, failure): Numbers, field: &Field) -> Column {
        if let Some((row, problem)) = failure {
            let place = self.position.place(row, Some(field.name()));
            (self.rows, self.failure) = (row, Some(Error::Row { place, problem }));
        }
        Column::Array(values)
    }

    /// The texts of a column of text.
    pub(crate) fn texts<'c>(&'c self, column: usize, map: &'c ColumnMap) -> Texts<'c> {
        match &self.columns[column] {
            Column::Array(values) => Texts::Array(values.as_string::<i32>().clone()),
            Column::Fields { spans, is_first } => {
                let (text, nulls) = (self.text.as_str(), &map.source.nulls);
                Texts::Fields { text, spans, is_first: *is_first, nulls }
            }
        }
    }

    /// Some columns as a batch.
    pub(crate) fn batch(
        &self,
        columns: &[usize],
        schema: &SchemaRef,
        map: &ColumnMap,
    ) -> Result<RecordBatch, ArrowError> {
        let array = |column: &usize| match &self.columns[*column] {
            Column::Array(values) => values.slice(0, self.rows),
            Column::Fields { spans, .. } => {
                let texts = self.texts(*column, map);
                let bytes = spans.iter().map(|span| (span.to - span.from) as usize).sum();
                let mut values = StringBuilder::with_capacity(self.rows, bytes);
                (0..self.rows).for_each(|row| values.append_option(texts.get(row, row)));
                Arc::new(values.finish())
            }
        };
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(schema.clone(), columns.iter().map(array).collect(), &options)
    }
}

/// The texts of a column.
#[derive(Debug)]
pub(crate) enum Texts<'c> {
    /// Fields of a chunk.
    Fields { text: &'c str, spans: &'c [Span], is_first: bool, nulls: &'c [String] },
    /// Values that were computed for the rows that the condition kept.
    Array(StringArray),
}

impl Texts<'_> {
    /// The text of the row `row` of the chunk, which is the `at`th that the condition kept.
    #[inline]
    pub(crate) fn get(&self, at: usize, row: usize) -> Option<&str> {
        match self {
            Self::Array(values) => values.is_valid(at).then(|| values.value(at)),
            Self::Fields { text, spans, is_first, nulls } => {
                let span = spans[row];
                let mut value = &text[span.from as usize..span.to as usize];
                if *is_first {
                    value = without_mark(value);
                }
                let is_null = !nulls.is_empty() && nulls.iter().any(|mark| mark == value.trim());
                (!is_null).then_some(value)
            }
        }
    }

    /// The same as bytes, with nothing where there is none.
    #[inline]
    pub(crate) fn bytes(&self, at: usize, row: usize) -> &[u8] {
        match self {
            Self::Fields { text, spans, is_first, nulls: [] } => {
                let bytes = spans[row].of(text.as_bytes());
                match bytes.strip_prefix(MARK_BYTES) {
                    Some(rest) if *is_first => rest,
                    _ => bytes,
                }
            }
            _ => self.get(at, row).unwrap_or_default().as_bytes(),
        }
    }
}

/// A text without spaces around it.
#[inline]
pub(crate) fn bare(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// Numbers, and the first row that has none although it has a text.
type Numbers = (ArrayRef, Option<(usize, RowProblem)>);

/// The numbers of some texts, up to the first that is none. An empty text is null.
fn numbers<'t>(
    texts: impl Iterator<Item = Option<&'t str>>,
    column: ColumnType,
    map: &ColumnMap,
) -> Result<Numbers, Error> {
    let signs = NumberSigns::of(&map.source)?;
    let mut values = Decimal128Builder::with_capacity(texts.size_hint().0);
    let mut failure = None;
    for (row, text) in texts.enumerate() {
        let Some(number) = text.map(bare).filter(|number| !number.is_empty()) else {
            values.append_null();
            continue;
        };
        match signs.read(number, column) {
            Ok(value) => values.append_value(value),
            Err(fault) => {
                let (value, expected) = (text.unwrap_or_default().to_owned(), String::from(column));
                failure = Some((row, RowProblem::Number { value, expected, fault }));
                break;
            }
        }
    }
    let (precision, scale) = column.digits();
    let values = values.finish().with_precision_and_scale(precision, scale as i8);
    let values = values.map_err(|source| Error::Schema(spendscape_schema::Error::Arrow(source)))?;
    Ok((Arc::new(values), failure))
}

/// The usual text of UUIDs: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
fn uuids(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let values = column
        .as_fixed_size_binary_opt()
        .ok_or_else(|| ArrowError::SchemaError(format!("{} is no type of UUIDs", column.data_type())))?;
    let text = |value: &[u8]| {
        let mut text = String::with_capacity(36);
        for (at, byte) in value.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    };
    Ok(Arc::new(values.iter().map(|value| value.map(text)).collect::<StringArray>()))
}
