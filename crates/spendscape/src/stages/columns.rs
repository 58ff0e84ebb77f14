//! Files that users bring with one row per customer: CSV, or a table.

use std::path::Path;

use anyhow::{Context, Result};
use arrow::util::display::array_value_to_string;
use spendscape_schema::Table;
use spendscape_store::read_table;

/// A file of text columns with one row per customer.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) names: Vec<String>,
    /// Rows with the line (or row) that they stand on.
    pub(super) rows: Vec<(usize, Vec<String>)>,
}

/// Reads a CSV file, or `table` where the name ends in `.parquet`.
pub(super) fn read_columns(path: &Path, table: Table) -> Result<Columns> {
    let place = || format!("{}", path.display());
    if path.extension().is_some_and(|extension| extension == "parquet") {
        let stored = read_table(path, table)?;
        let batch = stored.rows.batch();
        let names = batch.schema_ref().fields().iter().map(|field| field.name().clone()).collect();
        let row = |at: usize| -> Result<(usize, Vec<String>)> {
            let cells = batch.columns().iter().map(|column| array_value_to_string(column, at));
            Ok((at, cells.collect::<Result<_, _>>()?))
        };
        return Ok(Columns {
            names,
            rows: (0..batch.num_rows()).map(row).collect::<Result<_>>().with_context(place)?,
        });
    }
    let mut reader =
        csv::Reader::from_path(path).with_context(|| format!("cannot read {}", path.display()))?;
    let names = reader.headers().with_context(place)?.iter().map(|name| name.trim().to_owned()).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        // The reader's own message names line and field count.
        let record = record.with_context(place)?;
        let line = record.position().map_or(0, |position| position.line() as usize);
        rows.push((line, record.iter().map(|cell| cell.trim().to_owned()).collect()));
    }
    Ok(Columns { names, rows })
}

impl Columns {
    pub(super) fn position(&self, path: &Path, name: &str) -> Result<usize> {
        self.names.iter().position(|column| column == name).with_context(|| {
            format!("{} has no column {name:?}; it has {}", path.display(), self.names.join(", "))
        })
    }
}
