//! Files that users bring with one row per customer: CSV, or Parquet.

use std::{fs::File, path::Path};

use anyhow::{Context, Result};
use arrow::{
    array::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use spendscape_schema::{CsvTable, Table, csv::Record};
use spendscape_store::read_table;

use crate::text::read_csv;

/// What says that a value is missing, without regard to case: the marks of SQL dumps, pandas, R, SAS, Excel and the
/// collections of the UCI.
const MISSING: [&str; 22] = [
    "", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "(null)", "<null>", "[null]", "#null!",
    "none", "nil", "nat", "\\n", ".", "?", "1.#ind", "-1.#ind", "1.#qnan",
];

/// Whether a text says that there is no value.
pub(super) fn is_missing(text: &str) -> bool {
    MISSING.contains(&text.trim().to_ascii_lowercase().as_str())
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
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let place = || format!("{} is not a readable Parquet file", path.display());
    // Without Arrow's hints, dictionaries of other programs are plain text.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).with_context(place)?;
    let entries = reader.metadata().file_metadata().key_value_metadata();
    let ours =
        entries.is_some_and(|entries| entries.iter().any(|entry| entry.key.starts_with("spendscape.")));
    let mut names: Vec<String> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    let batches: Vec<RecordBatch> = if ours {
        let stored = read_table(path, table)?;
        names = stored.rows.batch().schema_ref().fields().iter().map(|field| field.name().clone()).collect();
        vec![stored.rows.batch().clone()]
    } else {
        reader.build().with_context(place)?.collect::<Result<_, _>>().with_context(place)?
    };
    let (mut rows, format) = (Vec::new(), FormatOptions::default());
    for batch in &batches {
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &format))
            .collect::<Result<_, _>>()
            .with_context(place)?;
        for row in 0..batch.num_rows() {
            let cells = columns.iter().map(|column| column.value(row).try_to_string());
            let cells = cells.collect::<Result<_, _>>().with_context(place)?;
            rows.push(Record { line: rows.len() + 1, cells });
        }
    }
    Ok(CsvTable { names, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_missing_values_are_known_in_any_case() {
        for mark in
            ["", " ", "NULL", "None", "N/A", "n/a", "<NA>", "nan", "NaN", "\\N", "#N/A", "(null)", "NaT", "."]
        {
            assert!(is_missing(mark), "{mark:?}");
        }
        for value in ["0", "1", "no", "-", "n", "never", "inf", "unknown"] {
            assert!(!is_missing(value), "{value:?}");
        }
    }
}
