//! Batches of a source's columns, from text or Parquet files, with the place of every row.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, Decimal128Builder, RecordBatch, RecordBatchOptions, StringBuilder},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::{
    map::{ColumnMap, ColumnType, Format},
    number::NumberSigns,
    parquet_file::{ParquetFile, next_batch},
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
    pub(crate) map: &'a ColumnMap,
    files: &'a [PathBuf],
    allow_cut: bool,
    schema: SchemaRef,
    current: Option<Open>,
    pub(crate) ends: Vec<FileEnd>,
}

enum Open {
    Text { file: Box<TextFile>, columns: Vec<usize> },
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
pub(crate) fn schema_of(map: &ColumnMap, path: &Path) -> Result<Schema, Error> {
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
                None => Field::new(name, DataType::Utf8, !map.source.nulls.is_empty()),
            };
            Ok(Schema::new(file.header().iter().map(field).collect::<Vec<_>>()))
        }
        Format::Parquet => Ok(ParquetFile::open(path)?.schema().clone()),
    }
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

    /// The columns of a chunk do not make a batch of another form.
    pub(crate) fn batch_error(&self, chunk: &Chunk, source: arrow::error::ArrowError) -> Error {
        Error::Batch { path: self.files[chunk.file].clone(), source }
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

    fn open(&self, path: &Path) -> Result<Open, Error> {
        match self.map.source.format {
            Format::Csv => {
                let file = TextFile::open(path, &self.map.source)?;
                let find = |field: &Arc<Field>| {
                    let at = file.header().iter().position(|name| name == field.name());
                    at.ok_or_else(|| missing(path, field.name(), file.header()))
                };
                let columns = self.schema.fields().iter().map(find).collect::<Result<_, _>>()?;
                Ok(Open::Text { file: Box::new(file), columns })
            }
            Format::Parquet => {
                let file = ParquetFile::open(path)?;
                let found: Vec<&String> = file.schema().fields().iter().map(|field| field.name()).collect();
                let mut columns = Vec::new();
                for field in self.schema.fields() {
                    let at = found.iter().position(|name| *name == field.name());
                    let at = at.ok_or_else(|| missing(path, field.name(), &found))?;
                    let data_type = file.schema().field(at).data_type();
                    if data_type != field.data_type() {
                        return Err(Error::ColumnType {
                            path: path.to_owned(),
                            column: field.name().clone(),
                            expected: field.data_type().to_string(),
                            found: data_type.to_string(),
                        });
                    }
                    columns.push(at);
                }
                let reader = file.batches(columns, BATCH_ROWS)?;
                Ok(Open::Parquet { reader, row: 0 })
            }
        }
    }

    fn parquet_chunk(&mut self, file: usize) -> Result<Option<Chunk>, Error> {
        let Some(Open::Parquet { reader, row }) = &mut self.current else { return Ok(None) };
        let Some(batch) = next_batch(&self.files[file], reader)? else { return Ok(None) };
        let refuse = |source: arrow::error::ArrowError| Error::Parquet {
            path: self.files[file].clone(),
            source: source.into(),
        };
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
        let signs = NumberSigns::of(&self.map.source)?;
        let builder = |field: &Arc<Field>| match self.map.types.get(field.name()) {
            None => Builder::Text(StringBuilder::new()),
            Some(column) => Builder::Number { values: Decimal128Builder::new(), column: *column, signs },
        };
        let mut builders: Vec<Builder> = self.schema.fields().iter().map(builder).collect();
        let nulls = &self.map.source.nulls;
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
            lines.push(text.line());
            for (at, builder) in columns.iter().zip(&mut builders) {
                let value = text.field(*at)?;
                if nulls.iter().any(|mark| mark == value.trim()) {
                    builder.push_null();
                    continue;
                }
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
    Number { values: Decimal128Builder, column: ColumnType, signs: NumberSigns },
}

impl Builder {
    fn push_null(&mut self) {
        match self {
            Self::Text(values) => values.append_null(),
            Self::Number { values, .. } => values.append_null(),
        }
    }

    fn push(&mut self, value: &str) -> Result<(), RowProblem> {
        match self {
            Self::Text(values) => values.append_value(value),
            Self::Number { values, column, signs } => {
                let trimmed = value.trim();
                if trimmed.is_empty() {
                    values.append_null();
                    return Ok(());
                }
                values.append_value(signs.read(trimmed, *column).map_err(|fault| RowProblem::Number {
                    value: value.to_owned(),
                    expected: String::from(*column),
                    fault,
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
