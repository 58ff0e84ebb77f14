//! Files that users bring with one row per customer: CSV, or Parquet.

use std::{fs::File, path::Path};

use anyhow::{Context, Result, anyhow};
use arrow::{
    array::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};
use jiff::civil::Date;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use spendscape_schema::{CsvTable, Table, csv::Record, marks::is_mark};
use spendscape_store::{catch_panic, read_table};

use crate::text::read_csv;

/// Whether a text says that there is no value.
pub(super) fn is_missing(text: &str) -> bool {
    text.trim().is_empty() || is_mark(text)
}

/// Largest size of a number: squares and sums of larger ones overflow.
const LARGEST: f64 = 1e100;

/// A number of a user's file.
pub(super) fn number_of(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.abs() <= LARGEST)
}

/// The day in a text, which may have a time of day behind it. As in ledgers, a day before 1900 or after 2199 is none: its year
/// has lost a digit, or it stands for no day.
pub(super) fn day_of(text: &str) -> Option<Date> {
    let day = text.trim().split(['T', ' ']).next()?;
    day.parse().ok().filter(|day: &Date| (1900..=2199).contains(&day.year()))
}

/// Reads a CSV file, or a Parquet file where the name ends in `.parquet`: one of ours, which must be `table`, or another.
/// Rows of Parquet are counted from 1.
///
/// # Errors
/// Names the file, and the line of what cannot be read.
pub(super) fn read_columns(path: &Path, table: Table) -> Result<CsvTable> {
    if path.extension().is_some_and(|extension| extension == "parquet") {
        read_parquet(path, table)
    } else {
        read_csv(path)
    }
}

/// The file's columns as text; nulls are empty.
fn read_parquet(path: &Path, table: Table) -> Result<CsvTable> {
    let place = || format!("{} is not a readable Parquet file", path.display());
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    // The reader panics on some damaged files.
    let read = catch_panic(|| -> Result<Option<CsvTable>> {
        // Without Arrow's hints, dictionaries of other programs are plain text.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)?;
        let entries = reader.metadata().file_metadata().key_value_metadata();
        if entries.is_some_and(|entries| entries.iter().any(|entry| entry.key.starts_with("spendscape."))) {
            return Ok(None);
        }
        let names = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
        let batches: Vec<RecordBatch> = reader.build()?.collect::<Result<_, _>>()?;
        as_text(names, &batches).map(Some)
    });
    match read.unwrap_or_else(|panic| Err(anyhow!(panic))).with_context(place)? {
        Some(columns) => Ok(columns),
        None => {
            let rows = read_table(path, table)?.rows;
            let fields = rows.batch().schema_ref().fields();
            let names = fields.iter().map(|field| field.name().clone()).collect();
            as_text(names, std::slice::from_ref(rows.batch())).with_context(place)
        }
    }
}

fn as_text(names: Vec<String>, batches: &[RecordBatch]) -> Result<CsvTable> {
    let (mut rows, format) = (Vec::new(), FormatOptions::default());
    for batch in batches {
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &format))
            .collect::<Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            let cells = columns.iter().map(|column| column.value(row).try_to_string());
            rows.push(Record { line: rows.len() + 1, cells: cells.collect::<Result<_, _>>()? });
        }
    }
    Ok(CsvTable { names, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_texts_and_marks_are_missing() {
        for missing in ["", " ", "NULL", " None ", "n/a", "\\N", "-", "--", "?", "."] {
            assert!(is_missing(missing), "{missing:?}");
        }
        for value in ["0", "1", "no", "n", "never", "inf", "unknown", "-1"] {
            assert!(!is_missing(value), "{value:?}");
        }
    }
}
