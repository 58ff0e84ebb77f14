//! Batches of a source's columns, from text or Parquet files, with the place of every row.

use std::{
    collections::BTreeSet,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, Decimal128Builder, RecordBatch, RecordBatchOptions, StringBuilder},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};

use super::{
    map::{ColumnMap, ColumnType, Format, ascii},
    text::{Next, TextFile},
};
use crate::{Error, Place, RowProblem};

/// Rows per batch.
const BATCH_ROWS: usize = 8 * 1024;

/// Some rows of one file.
pub(crate) struct Chunk {
    pub(crate) batch: RecordBatch,
    pub(crate) file: usize,
    first_row: u64,
    lines: Vec<u64>,
}

/// What the end of a file showed.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileEnd {
    pub(crate) rows: u64,
    pub(crate) unterminated: bool,
    pub(crate) cut: Option<Place>,
}

/// The files of a source, read one after another.
pub(crate) struct Source<'a> {
    map: &'a ColumnMap,
    files: &'a [PathBuf],
    allow_cut: bool,
    schema: SchemaRef,
    current: Option<Open>,
    pub(crate) ends: Vec<FileEnd>,
}

enum Open {
    Text { file: TextFile, columns: Vec<usize> },
    Parquet { reader: ParquetRecordBatchReader, row: u64 },
}

/// The place of the row with this number among the rows of all files, from 0.
pub(crate) fn place_of(files: &[PathBuf], ends: &[FileEnd], mut number: u64) -> Place {
    let mut file = 0;
    while ends.get(file).is_some_and(|end| number >= end.rows) && file + 1 < files.len() {
        number -= ends[file].rows;
        file += 1;
    }
    Place { path: files[file].clone(), row: number + 1, line: None, column: Some("transaction".to_owned()) }
}

/// The columns of a file, with the types that expressions see.
pub(crate) fn schema_of(map: &ColumnMap, path: &PathBuf) -> Result<Schema, Error> {
    match map.source.format {
        Format::Csv => {
            let file = TextFile::open(path, &map.source)?;
            for column in map.types.keys() {
                if !file.header().contains(column) {
                    return Err(missing(path, column, file.header()));
                }
            }
            let field = |name: &String| match map.types.get(name) {
                Some(column) => {
                    let (precision, scale) = column.digits();
                    Field::new(name, DataType::Decimal128(precision, scale as i8), true)
                }
                None => Field::new(name, DataType::Utf8, false),
            };
            Ok(Schema::new(file.header().iter().map(field).collect::<Vec<_>>()))
        }
        Format::Parquet => Ok(open_parquet(path)?.schema().as_ref().clone()),
    }
}

fn open_parquet(path: &PathBuf) -> Result<ParquetRecordBatchReaderBuilder<File>, Error> {
    let read = |source| Error::Read { path: path.clone(), source };
    let file = File::open(path).map_err(read)?;
    if file.metadata().map_err(read)?.len() == 0 {
        return Err(Error::EmptyFile { path: path.clone() });
    }
    ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|source| Error::Parquet { path: path.clone(), source })
}

/// The error of a column that a file lacks.
pub(crate) fn missing<S: AsRef<str>>(path: &Path, column: &str, found: &[S]) -> Error {
    let found: Vec<&str> = found.iter().map(AsRef::as_ref).collect();
    Error::MissingColumn { path: path.to_owned(), column: column.to_owned(), found: found.join(", ") }
}

impl<'a> Source<'a> {
    /// A source of which only some columns are read; `schema` is that of the first file.
    pub(crate) fn new(
        map: &'a ColumnMap,
        files: &'a [PathBuf],
        allow_cut: bool,
        schema: &Schema,
        columns: &BTreeSet<String>,
    ) -> Self {
        let fields: Vec<Field> = schema
            .fields()
            .iter()
            .filter(|field| columns.contains(field.name()))
            .map(|field| field.as_ref().clone())
            .collect();
        Self { map, files, allow_cut, schema: Arc::new(Schema::new(fields)), current: None, ends: Vec::new() }
    }

    /// The columns read.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The place of a row of a chunk.
    pub(crate) fn place(&self, chunk: &Chunk, row: usize, column: Option<&str>) -> Place {
        Place {
            path: self.files[chunk.file].clone(),
            row: chunk.first_row + row as u64,
            line: chunk.lines.get(row).copied(),
            column: column.map(str::to_owned),
        }
    }

    /// The number of the first row of a chunk among the rows of all files, from 0.
    pub(crate) fn number_of(&self, chunk: &Chunk) -> u64 {
        self.ends[..chunk.file].iter().map(|end| end.rows).sum::<u64>() + chunk.first_row - 1
    }

    /// The next batch of rows.
    pub(crate) fn next(&mut self) -> Result<Option<Chunk>, Error> {
        loop {
            let file = self.current.as_ref().map_or(self.ends.len(), |_| self.ends.len() - 1);
            let Some(path) = self.files.get(file) else { return Ok(None) };
            if self.current.is_none() {
                self.current = Some(self.open(path)?);
                self.ends.push(FileEnd::default());
            }
            let chunk = match self.current.as_mut() {
                Some(Open::Text { .. }) => self.text_chunk(file)?,
                Some(Open::Parquet { .. }) => self.parquet_chunk(file)?,
                None => None,
            };
            match chunk {
                Some(chunk) => return Ok(Some(chunk)),
                None => self.current = None,
            }
        }
    }

    fn open(&self, path: &PathBuf) -> Result<Open, Error> {
        match self.map.source.format {
            Format::Csv => {
                let file = TextFile::open(path, &self.map.source)?;
                let find = |field: &Arc<Field>| {
                    let at = file.header().iter().position(|name| name == field.name());
                    at.ok_or_else(|| missing(path, field.name(), file.header()))
                };
                let columns = self.schema.fields().iter().map(find).collect::<Result<_, _>>()?;
                Ok(Open::Text { file, columns })
            }
            Format::Parquet => {
                let builder = open_parquet(path)?;
                let found: Vec<&String> =
                    builder.schema().fields().iter().map(|field| field.name()).collect();
                let mut roots = Vec::new();
                for field in self.schema.fields() {
                    let at = found.iter().position(|name| *name == field.name());
                    let at = at.ok_or_else(|| missing(path, field.name(), &found))?;
                    let data_type = builder.schema().field(at).data_type();
                    if data_type != field.data_type() {
                        return Err(Error::ColumnType {
                            path: path.clone(),
                            column: field.name().clone(),
                            expected: field.data_type().to_string(),
                            found: data_type.to_string(),
                        });
                    }
                    roots.push(at);
                }
                let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
                let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
                let reader = reader.map_err(|source| Error::Parquet { path: path.clone(), source })?;
                Ok(Open::Parquet { reader, row: 0 })
            }
        }
    }

    fn parquet_chunk(&mut self, file: usize) -> Result<Option<Chunk>, Error> {
        let Some(Open::Parquet { reader, row }) = &mut self.current else { return Ok(None) };
        let Some(batch) = reader.next() else { return Ok(None) };
        let refuse = |source: arrow::error::ArrowError| Error::Parquet {
            path: self.files[file].clone(),
            source: source.into(),
        };
        let batch = batch.map_err(refuse)?;
        // Another file may hold the columns in another order.
        let columns =
            self.schema.fields().iter().filter_map(|field| batch.column_by_name(field.name()).cloned());
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns.collect(), &options)
            .map_err(refuse)?;
        let first_row = *row + 1;
        *row += batch.num_rows() as u64;
        self.ends[file].rows = *row;
        Ok(Some(Chunk { batch, file, first_row, lines: Vec::new() }))
    }

    fn text_chunk(&mut self, file: usize) -> Result<Option<Chunk>, Error> {
        let Some(Open::Text { file: text, columns }) = &mut self.current else { return Ok(None) };
        let mut builders = Vec::with_capacity(columns.len());
        for field in self.schema.fields() {
            builders.push(match self.map.types.get(field.name()) {
                None => Builder::Text(StringBuilder::new()),
                Some(column) => {
                    Builder::number(*column, &self.map.source.decimal_sign, &self.map.source.grouping)?
                }
            });
        }
        let first_row = self.ends[file].rows + 1;
        let mut lines = Vec::new();
        while lines.len() < BATCH_ROWS {
            match text.next()? {
                Next::Row => {}
                Next::Cut(place) if self.allow_cut => {
                    self.ends[file].cut = Some(place);
                    continue;
                }
                Next::Cut(place) => return Err(Error::Row { place, problem: RowProblem::CutLastLine }),
                Next::End { unterminated } => {
                    self.ends[file].unterminated = unterminated && self.ends[file].cut.is_none();
                    break;
                }
            }
            let place = text.place(None);
            lines.push(place.line.unwrap_or(0));
            for (at, builder) in columns.iter().zip(&mut builders) {
                let value = text.field(*at)?;
                builder.push(&value).map_err(|problem| Error::Row {
                    place: text.place(Some(&text.header()[*at])),
                    problem,
                })?;
            }
            self.ends[file].rows += 1;
        }
        if lines.is_empty() {
            return Ok(None);
        }
        let refuse =
            |source: arrow::error::ArrowError| Error::Batch { path: self.files[file].clone(), source };
        let arrays: Vec<ArrayRef> =
            builders.into_iter().map(Builder::finish).collect::<Result<_, _>>().map_err(refuse)?;
        let options = RecordBatchOptions::new().with_row_count(Some(lines.len()));
        let batch =
            RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options).map_err(refuse)?;
        Ok(Some(Chunk { batch, file, first_row, lines }))
    }
}

/// Collects the values of a text file's column.
enum Builder {
    Text(StringBuilder),
    Number { values: Decimal128Builder, column: ColumnType, sign: u8, grouping: Option<u8> },
}

impl Builder {
    fn number(column: ColumnType, sign: &str, grouping: &str) -> Result<Self, Error> {
        Ok(Self::Number {
            values: Decimal128Builder::new(),
            column,
            sign: ascii("source.decimal_sign", sign)?.unwrap_or(b'.'),
            grouping: ascii("source.grouping", grouping)?,
        })
    }

    fn push(&mut self, value: &str) -> Result<(), RowProblem> {
        match self {
            Self::Text(values) => values.append_value(value),
            Self::Number { values, column, sign, grouping } => {
                let trimmed = value.trim();
                if trimmed.is_empty() {
                    values.append_null();
                    return Ok(());
                }
                let number = decimal(trimmed, *column, *sign, *grouping);
                values.append_value(number.ok_or_else(|| RowProblem::Number {
                    value: value.to_owned(),
                    expected: String::from(*column),
                })?);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<ArrayRef, arrow::error::ArrowError> {
        Ok(match self {
            Self::Text(mut values) => Arc::new(values.finish()),
            Self::Number { values, column, .. } => {
                let (precision, scale) = column.digits();
                Arc::new(values.with_precision_and_scale(precision, scale as i8)?.finish())
            }
        })
    }
}

/// An exact decimal as an integer of `scale` digits after the sign; `None` if the text is no such number. Zeros beyond the
/// scale are no digits.
fn decimal(text: &str, column: ColumnType, sign: u8, grouping: Option<u8>) -> Option<i128> {
    let (precision, scale) = column.digits();
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let (mut value, mut any, mut after) = (0_i128, false, None);
    for byte in digits {
        match *byte {
            digit @ b'0'..=b'9' => {
                any = true;
                if let Some(after) = &mut after {
                    if *after == scale {
                        if digit == b'0' {
                            continue;
                        }
                        return None;
                    }
                    *after += 1;
                }
                value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
            }
            byte if byte == sign && after.is_none() => after = Some(0),
            byte if Some(byte) == grouping && any && after.is_none() => {}
            _ => return None,
        }
    }
    let value = value.checked_mul(10_i128.checked_pow(u32::from(scale - after.unwrap_or(0)))?)?;
    let fits = value < 10_i128.checked_pow(u32::from(precision))?;
    (any && fits).then_some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_or_refused() {
        let column = ColumnType::Decimal { precision: 12, scale: 2 };
        let read = |text: &str| decimal(text, column, b',', Some(b'.'));
        assert_eq!(read("1.234,5"), Some(123_450));
        assert_eq!(read("-0,07"), Some(-7));
        assert_eq!(read("+3"), Some(300));
        assert_eq!(read("3,1400"), Some(314));
        assert_eq!(read("9999999999,99"), Some(999_999_999_999));
        for text in ["", "-", ",", "3,141", "1e3", "NaN", "inf", "1,2,3", "12345678901", "--1", "1 2"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(decimal("-12", ColumnType::Integer, b'.', None), Some(-12));
        assert_eq!(decimal("1.5", ColumnType::Integer, b'.', None), None);
        assert_eq!(decimal("1.0", ColumnType::Integer, b'.', None), Some(1));
    }
}
