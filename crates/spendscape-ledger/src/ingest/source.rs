//! Batches of a source's columns, from text or Parquet files, with the place of every row.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{
        ArrayRef, AsArray, Decimal128Builder, RecordBatch, RecordBatchOptions, StringBuilder, new_null_array,
    },
    datatypes::{DataType, Field, Schema, SchemaRef},
    error::ArrowError,
};

use super::{
    columns::{FileColumns, Origin},
    common::{Rules, converted},
    expression::find_failure,
    format::Format,
    map::{ColumnMap, ColumnType},
    number::NumberSigns,
    parquet_file::{Batches, ParquetFile},
    text::{LeftOut, Next, TextFile},
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
    pub(crate) left_out: LeftOut,
    /// Columns that are read and that the file lacks.
    pub(crate) absent: Vec<String>,
}

/// The files of a source, read one after another.
pub(crate) struct Source<'a> {
    pub(crate) map: &'a ColumnMap,
    files: &'a [PathBuf],
    allow_cut: bool,
    schema: SchemaRef,
    current: Option<Open<'a>>,
    pub(crate) ends: Vec<FileEnd>,
}

enum Open<'a> {
    Text { file: Box<TextFile<'a>>, origins: Vec<Origin> },
    Parquet { batches: Batches, origins: Vec<Origin>, row: u64 },
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

/// The columns of the files, with the types that expressions see. Text files have those of the first: all are text.
pub(crate) fn columns_of<'a>(map: &ColumnMap, files: &'a [PathBuf]) -> Result<FileColumns<'a>, Error> {
    let [first, others @ ..] = files else { return Err(Error::NoFiles { pattern: String::new() }) };
    let mut columns = match map.source.format {
        Format::Csv => FileColumns::of_text(first, map, &TextFile::open(first, &map.source)?)?,
        Format::Parquet => {
            let mut columns = FileColumns::of_parquet(first, map, &ParquetFile::open(first)?)?;
            for path in others {
                let other = FileColumns::of_parquet(path, map, &ParquetFile::open(path)?)?;
                columns.join(&Rules::of(map), other);
            }
            columns
        }
    };
    columns.allow_absent(map);
    Ok(columns)
}

impl<'a> Source<'a> {
    /// A source of which only some columns are read; `schema` is that of all files.
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
    pub(crate) fn batch_error(&self, chunk: &Chunk, source: ArrowError) -> Error {
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
                let (current, end) = self.open(path)?;
                self.current = Some(current);
                self.ends.push(end);
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

    fn open(&self, path: &Path) -> Result<(Open<'a>, FileEnd), Error> {
        let mut end = FileEnd::default();
        let open = match self.map.source.format {
            Format::Csv => {
                let file = TextFile::open(path, &self.map.source)?;
                let origins = self.origins(&FileColumns::of_text(path, self.map, &file)?, &mut end)?;
                Open::Text { file: Box::new(file), origins }
            }
            Format::Parquet => {
                let file = ParquetFile::open(path)?;
                let origins = self.origins(&FileColumns::of_parquet(path, self.map, &file)?, &mut end)?;
                let read = origins.iter().filter_map(|origin| match origin {
                    Origin::File(at) => Some(*at),
                    Origin::Constant(_) => None,
                });
                let batches = file.batches(&read.collect::<Vec<_>>(), BATCH_ROWS)?;
                Open::Parquet { batches, origins, row: 0 }
            }
        };
        Ok((open, end))
    }

    /// Where the columns of a file come from.
    fn origins(&self, columns: &FileColumns<'_>, end: &mut FileEnd) -> Result<Vec<Origin>, Error> {
        let rules = Rules::of(self.map);
        let origin = |wanted: &Arc<Field>| match columns.find(wanted.name()) {
            Ok(column) => Ok(column.origin.clone()),
            Err(Error::MissingColumn { .. }) if rules.may_lack(wanted.name()) => {
                end.absent.push(wanted.name().clone());
                Ok(Origin::Constant(None))
            }
            Err(error) => Err(error),
        };
        self.schema.fields().iter().map(origin).collect()
    }

    fn parquet_chunk(&mut self, file: usize) -> Result<Option<Chunk>, Error> {
        let signs = NumberSigns::of(&self.map.source)?;
        let Some(Open::Parquet { batches, origins, row }) = &mut self.current else { return Ok(None) };
        let Some(batch) = batches.next(&self.files[file])? else { return Ok(None) };
        let refuse =
            |source: ArrowError| Error::Parquet { path: self.files[file].clone(), source: source.into() };
        let rows = batch.num_rows();
        let mut columns = Vec::with_capacity(origins.len());
        for (field, origin) in self.schema.fields().iter().zip(origins) {
            let row_error = |at: usize, problem: RowProblem| {
                let (row, column) = (*row + at as u64 + 1, Some(field.name().clone()));
                Error::Row {
                    place: Place { path: self.files[file].clone(), row, line: None, column },
                    problem,
                }
            };
            let unfit = |from: &DataType, (at, message): (usize, String)| {
                let (found, common) = (from.to_string(), field.data_type().to_string());
                row_error(at, RowProblem::Unfit { found, common, message })
            };
            let fitted = |values: &ArrayRef, to: &DataType| {
                if values.data_type() == to {
                    return Ok(values.clone());
                }
                let fit = |first, rows| {
                    converted(&values.slice(first, rows), to).map_err(|error| error.to_string())
                };
                find_failure(rows, fit).map_err(|failure| unfit(values.data_type(), failure))
            };
            let typed = |values: Vec<Option<&str>>| {
                let mut builder = Builder::new(field, self.map, &signs);
                for (at, value) in values.into_iter().enumerate() {
                    builder.push(value).map_err(|problem| row_error(at, problem))?;
                }
                fitted(&builder.finish().map_err(refuse)?, field.data_type())
            };
            columns.push(match origin {
                Origin::Constant(None) => new_null_array(field.data_type(), rows),
                Origin::Constant(value) => typed(vec![value.as_deref(); rows])?,
                // Another file may hold the columns in another order.
                Origin::File(_) => match batches.column(&batch, field.name()) {
                    Some(column) if self.map.types.contains_key(field.name()) => {
                        let texts = fitted(&column, &DataType::Utf8)?;
                        typed(texts.as_string::<i32>().iter().collect())?
                    }
                    Some(column) => fitted(&column, field.data_type())?,
                    None => {
                        let problem = format!("column {:?} was not read", field.name());
                        return Err(refuse(ArrowError::SchemaError(problem)));
                    }
                },
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch =
            RecordBatch::try_new_with_options(self.schema.clone(), columns, &options).map_err(refuse)?;
        let first_row = *row + 1;
        *row += rows as u64;
        self.ends[file].rows = *row;
        Ok(Some(Chunk { batch, file, first_row, lines: Vec::new() }))
    }

    fn text_chunk(&mut self, file: usize) -> Result<Option<Chunk>, Error> {
        let Some(Open::Text { file: text, origins }) = &mut self.current else { return Ok(None) };
        let signs = NumberSigns::of(&self.map.source)?;
        let fields = self.schema.fields();
        let mut builders: Vec<Builder<'_>> =
            fields.iter().map(|field| Builder::new(field, self.map, &signs)).collect();
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
                    self.ends[file].left_out = text.left_out.clone();
                    break;
                }
            }
            lines.push(text.line());
            for ((origin, field), builder) in origins.iter().zip(fields).zip(&mut builders) {
                let value = match origin {
                    Origin::File(at) => Some(text.field(*at)?),
                    Origin::Constant(value) => value.as_deref(),
                };
                let value = value.filter(|value| !nulls.iter().any(|mark| mark == value.trim()));
                builder
                    .push(value)
                    .map_err(|problem| Error::Row { place: text.place(Some(field.name())), problem })?;
            }
            self.ends[file].rows += 1;
        }
        if lines.is_empty() {
            return Ok(None);
        }
        let refuse = |source: ArrowError| Error::Batch { path: self.files[file].clone(), source };
        let arrays: Vec<ArrayRef> =
            builders.into_iter().map(Builder::finish).collect::<Result<_, _>>().map_err(refuse)?;
        let options = RecordBatchOptions::new().with_row_count(Some(lines.len()));
        let batch =
            RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options).map_err(refuse)?;
        Ok(Some(Chunk { batch, file, first_row, lines }))
    }
}

/// Collects the values of a column of texts.
enum Builder<'a> {
    Text(StringBuilder),
    Number { values: Decimal128Builder, column: ColumnType, signs: &'a NumberSigns<'a> },
}

impl<'a> Builder<'a> {
    fn new(field: &Field, map: &ColumnMap, signs: &'a NumberSigns<'a>) -> Self {
        match map.types.get(field.name()) {
            None => Self::Text(StringBuilder::new()),
            Some(column) => Self::Number { values: Decimal128Builder::new(), column: *column, signs },
        }
    }

    fn push(&mut self, value: Option<&str>) -> Result<(), RowProblem> {
        match self {
            Self::Text(values) => values.append_option(value),
            Self::Number { values, column, signs } => {
                let Some(number) = value.map(str::trim).filter(|number| !number.is_empty()) else {
                    values.append_null();
                    return Ok(());
                };
                values.append_value(signs.read(number, *column).map_err(|fault| RowProblem::Number {
                    value: value.unwrap_or_default().to_owned(),
                    expected: String::from(*column),
                    fault,
                })?);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Text(mut values) => Arc::new(values.finish()),
            Self::Number { values, column, .. } => {
                let (precision, scale) = column.digits();
                Arc::new(values.with_precision_and_scale(precision, scale as i8)?.finish())
            }
        })
    }
}
