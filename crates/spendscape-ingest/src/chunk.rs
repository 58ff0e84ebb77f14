//! Rows of one file with their places, and the values of their columns.

use std::{path::PathBuf, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, Decimal128Builder, RecordBatch, RecordBatchOptions, StringArray,
        StringBuilder, UInt32Array, new_null_array,
    },
    compute::take,
    datatypes::{DataType, Field, SchemaRef},
    error::ArrowError,
};

use super::{
    block::{MARK_BYTES, Split, without_mark},
    columns::Origin,
    common::converted,
    expression::find_failure,
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
                (Origin::Constant(value), _) => chunk.constant(value.as_deref(), field, wanted)?,
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
                (Origin::Constant(value), _) => chunk.constant(value.as_deref(), field, wanted)?,
                (_, Some(column)) => match wanted.type_of(field) {
                    None => Column::Array(chunk.fitted(column, field, field.data_type()).map_err(refuse)?),
                    Some(number) => {
                        let texts = chunk.fitted(column, field, &DataType::Utf8).map_err(refuse)?;
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
        if value.is_none() {
            return Ok(Column::Array(new_null_array(field.data_type(), self.rows)));
        }
        let values = std::iter::repeat_n(value, self.rows);
        Ok(match wanted.type_of(field) {
            None => {
                let texts: ArrayRef = Arc::new(values.collect::<StringArray>());
                let path = self.position.path.clone();
                let fitted = self.fitted(&texts, field, field.data_type());
                Column::Array(fitted.map_err(|source| Error::Batch { path, source })?)
            }
            Some(column) => {
                let found = numbers(values, column, wanted.map)?;
                self.keep(found, field)
            }
        })
    }

    /// Values of the file in the type that their column has over all files, up to the first row whose value does not fit it.
    fn fitted(&mut self, values: &ArrayRef, field: &Field, to: &DataType) -> Result<ArrayRef, ArrowError> {
        if values.data_type() == to {
            return Ok(values.clone());
        }
        let fit = |first, rows| converted(&values.slice(first, rows), to).map_err(|error| error.to_string());
        let (row, message) = match find_failure(self.rows, fit) {
            Ok(fitted) => return Ok(fitted),
            Err(failure) => failure,
        };
        let (found, common) = (values.data_type().to_string(), to.to_string());
        let place = self.position.place(row, Some(field.name()));
        let problem = RowProblem::Unfit { found, common, message };
        (self.rows, self.failure) = (row, Some(Error::Row { place, problem }));
        converted(&values.slice(0, row), to)
    }

    /// Keeps the numbers up to the first row that has none, from which on rows cannot be taken.
    fn keep(&mut self, (values, failure): Numbers, field: &Field) -> Column {
        if let Some((row, problem)) = failure {
            let place = self.position.place(row, Some(field.name()));
            (self.rows, self.failure) = (row, Some(Error::Row { place, problem }));
        }
        Column::Array(values)
    }

    /// The texts of a column of text; `kept` are the rows that the condition kept, if there is one.
    pub(crate) fn texts<'c>(
        &'c self,
        column: usize,
        map: &'c ColumnMap,
        kept: Option<&[u32]>,
    ) -> Result<Texts<'c>, ArrowError> {
        Ok(match &self.columns[column] {
            Column::Array(values) => {
                let of_kept = |kept: &[u32]| take(values, &UInt32Array::from(kept.to_vec()), None);
                let values = kept.map_or_else(|| Ok(values.clone()), of_kept)?;
                Texts::Array(values.as_string::<i32>().clone())
            }
            Column::Fields { spans, is_first } => self.fields(spans, *is_first, map),
        })
    }

    fn fields<'c>(&'c self, spans: &'c [Span], is_first: bool, map: &'c ColumnMap) -> Texts<'c> {
        Texts::Fields { text: &self.text, spans, is_first, nulls: &map.source.nulls }
    }

    /// The buffer of its text, which is of no more use.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.text.into_bytes()
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
            Column::Fields { spans, is_first } => {
                let texts = self.fields(spans, *is_first, map);
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

/// The first row of a chunk that cannot be taken, or the number of its rows, and why.
pub(crate) struct Limit {
    pub(crate) row: usize,
    pub(crate) failure: Option<Error>,
}

impl Limit {
    pub(crate) fn fail(&mut self, row: usize, failure: Error) {
        if row < self.row {
            (self.row, self.failure) = (row, Some(failure));
        }
    }
}
