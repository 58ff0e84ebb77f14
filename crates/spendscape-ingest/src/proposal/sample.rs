//! The first rows of a file, column by column.

use std::path::Path;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Field},
};

use super::bare_map;
use crate::{
    ColumnMap, Error, Place,
    block::{Stop, split},
    columns::{FileColumns, Origin},
    common::is_text,
    map::{Format, SourceFormat},
    parquet_file::ParquetFile,
    records::Span,
    statement::{StatementFile, fields as statement_fields},
    text::TextFile,
};

/// Rows of a sample.
const ROWS: usize = 20_000;

const BLOCK_BYTES: usize = 1 << 20;

/// One column.
pub(super) struct Column {
    pub(super) name: String,
    /// The column that it is a field of, in a Parquet file.
    pub(super) parent: Option<String>,
    /// Both names.
    pub(super) full_name: String,
    /// The values as text, without nulls and empty ones, but with a place for each row.
    pub(super) values: Vec<Option<String>>,
    /// The type of a Parquet file's column, if it is not text.
    pub(super) data_type: Option<DataType>,
}

impl Column {
    fn new(name: &str, data_type: Option<DataType>) -> Self {
        Self {
            name: name.to_owned(),
            parent: None,
            full_name: name.to_owned(),
            values: Vec::new(),
            data_type,
        }
    }

    /// A field of a column.
    fn of_struct(parent: &str, field: &Field, array: &ArrayRef) -> Self {
        Self {
            parent: Some(parent.to_owned()),
            full_name: format!("{parent}.{}", field.name()),
            values: texts(array),
            ..Self::new(field.name(), other_than_text(field))
        }
    }

    /// The values that are there.
    pub(super) fn filled(&self) -> impl Iterator<Item = &str> {
        self.values.iter().flatten().map(String::as_str)
    }
}

/// The first rows of a file of this form; of a row that cannot be read and those after it nothing.
pub(super) fn of_file(path: &Path, format: &SourceFormat) -> Result<Vec<Column>, Error> {
    match format.format {
        Format::Csv => of_text(path, format),
        Format::Parquet => of_parquet(path, format),
        Format::Camt | Format::Ofx | Format::Mt940 => of_statement(path, format),
    }
}

/// A map of which only the form of the files matters.
fn map_of(format: &SourceFormat) -> Result<ColumnMap, Error> {
    Ok(ColumnMap { source: format.clone(), ..bare_map()? })
}

fn of_text(path: &Path, format: &SourceFormat) -> Result<Vec<Column>, Error> {
    let map = map_of(format)?;
    let mut file = TextFile::open(path, format, BLOCK_BYTES)?;
    let found = FileColumns::of_text(path, &map, &file)?;
    let mut columns: Vec<(Column, Origin)> = Vec::new();
    for field in found.schema().fields() {
        let origin = &found.find(field.name())?.origin;
        columns.push((Column::new(field.name(), None), origin.clone()));
    }
    let positions = columns.iter().filter_map(|(_, origin)| match origin {
        Origin::File(at) => Some(*at),
        Origin::Constant(_) => None,
    });
    file.rules.wanted = positions.collect();
    let mut rows = 0;
    while rows < ROWS
        && let Some((block, rules)) = file.next()?
    {
        let split = split(block, &rules, ROWS - rows);
        rows += split.lines.len();
        let mut spans = split.columns.iter();
        for (column, origin) in &mut columns {
            let text = |value: &str| (!value.trim().is_empty()).then(|| value.to_owned());
            match (&*origin, spans.as_slice().first()) {
                (Origin::File(_), Some(fields)) => {
                    let bytes = split.text.as_bytes();
                    let value = |field: &Span| std::str::from_utf8(field.of(bytes)).ok().and_then(text);
                    column.values.extend(fields.iter().map(value));
                    spans.next();
                }
                (Origin::Constant(value), _) => {
                    let values = std::iter::repeat_n(value.as_deref().and_then(text), split.lines.len());
                    column.values.extend(values);
                }
                (Origin::File(_), None) => {}
            }
        }
        match split.stop {
            None => {}
            Some(Stop::Refused { line, problem, .. }) if rows == 0 || problem.is_about_quotes() => {
                let line = Some(file.first_line + u64::from(line));
                let place = Place { path: path.to_owned(), row: rows as u64 + 1, line, column: None };
                return Err(Error::Row { place, problem });
            }
            Some(_) => break,
        }
    }
    Ok(columns.into_iter().map(|(column, _)| column).collect())
}

fn of_statement(path: &Path, format: &SourceFormat) -> Result<Vec<Column>, Error> {
    let fields = statement_fields();
    let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    let entries = StatementFile::open(path, format)?.entries(ROWS)?;
    let batch = entries.map(|entries| entries.batch(&names)).transpose();
    let batch = batch.map_err(|source| Error::Batch { path: path.to_owned(), source })?;
    let column = |(at, field): (usize, &Field)| Column {
        values: batch.as_ref().map_or_else(Vec::new, |batch| texts(batch.column(at))),
        ..Column::new(field.name(), other_than_text(field))
    };
    Ok(fields.iter().enumerate().map(column).collect())
}

fn of_parquet(path: &Path, format: &SourceFormat) -> Result<Vec<Column>, Error> {
    let map = map_of(format)?;
    let file = ParquetFile::open(path)?;
    let found = FileColumns::of_parquet(path, &map, &file)?;
    let (mut fields, mut read) = (Vec::new(), Vec::new());
    for field in found.schema().fields() {
        let origin = &found.find(field.name())?.origin;
        if let Origin::File(at) = origin {
            read.push(*at);
        }
        fields.push((field.clone(), origin.clone()));
    }
    let batch = file.batches(&read, ROWS)?.next(path)?;
    let rows = batch.as_ref().map_or(0, RecordBatch::num_rows);
    let mut columns = Vec::new();
    for (field, origin) in fields {
        let array = batch.as_ref().and_then(|batch| batch.column_by_name(field.name()));
        let mut column = Column::new(field.name(), other_than_text(&field));
        match (&origin, array, field.data_type()) {
            (Origin::Constant(value), ..) => column.values = vec![value.clone(); rows],
            (Origin::File(_), Some(array), DataType::Struct(inner)) => {
                let arrays = array.as_struct().columns().iter();
                columns.extend(
                    inner
                        .iter()
                        .zip(arrays)
                        .map(|(field, array)| Column::of_struct(&column.name, field, array)),
                );
                continue;
            }
            (Origin::File(_), Some(array), _) => column.values = texts(array),
            (Origin::File(_), None, _) => {}
        }
        columns.push(column);
    }
    Ok(columns)
}

fn other_than_text(field: &Field) -> Option<DataType> {
    (!is_text(field.data_type())).then(|| field.data_type().clone())
}

/// The values as text; of what has none nothing, as its type tells enough.
fn texts(array: &ArrayRef) -> Vec<Option<String>> {
    let text = |value: Option<&str>| value.filter(|value| !value.trim().is_empty()).map(str::to_owned);
    match cast(array, &DataType::Utf8) {
        Ok(texts) => texts.as_string::<i32>().iter().map(text).collect(),
        Err(_) => vec![None; array.len()],
    }
}
