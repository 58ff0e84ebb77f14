//! What a table of a run folder is in memory.

use std::path::{Path, PathBuf};

use anyhow::Result;
use arrow::array::RecordBatch;
use spendscape_schema::{
    Axes, Coefficients, Flow, Panel, Table, Tabular, Taxonomy, for_each_table,
    tables::{self},
};
use spendscape_store::{Digest, Provenance, Stored, TableWriter};

use crate::Notes;

/// What is read from a table.
pub trait FromTable: Sized {
    /// The value that a table holds.
    ///
    /// # Errors
    /// If the table is another one, damaged, or lacks what is needed.
    fn from_table(stored: &Stored) -> Result<Self>;
}

/// What is written to a table.
pub trait IntoTable {
    /// The rows, and what the table says of itself beside them.
    ///
    /// # Errors
    /// If columns differ in length, or vectors in width from their axes.
    fn into_table(self) -> Result<TableContent>;
}

/// What is written to a table as it is made, because it is too long to hold twice.
pub trait Stream {
    /// Writes it to a file, and gives the digest of its content.
    ///
    /// # Errors
    /// If its rows cannot be made, or the disk is full.
    fn write(self, path: &Path, provenance: &Provenance) -> Result<Digest>;
}

/// A table on its way to disk.
#[derive(Debug, Clone)]
pub struct TableContent {
    /// Its rows.
    pub batch: RecordBatch,
    /// What it says of itself in its provenance.
    pub notes: Notes,
}

impl From<RecordBatch> for TableContent {
    fn from(batch: RecordBatch) -> Self {
        Self { batch, notes: Notes::default() }
    }
}

/// A table whose vectors have named entries.
#[derive(Debug, Clone, PartialEq)]
pub struct WithAxes<T> {
    /// The names of the entries.
    pub axes: Axes,
    /// The table.
    pub table: T,
}

impl<T: Tabular> FromTable for WithAxes<T> {
    fn from_table(stored: &Stored) -> Result<Self> {
        Ok(Self { axes: stored.axes.clone(), table: stored.table()? })
    }
}

impl<T: Tabular> IntoTable for WithAxes<T> {
    fn into_table(self) -> Result<TableContent> {
        Ok(self.table.to_batch(&self.axes)?.into())
    }
}

/// A value with what its table was made from.
#[derive(Debug, Clone)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// What its table was made from.
    pub provenance: Provenance,
    /// Its file, for messages.
    pub path: PathBuf,
}

impl<T: FromTable> FromTable for Sourced<T> {
    fn from_table(stored: &Stored) -> Result<Self> {
        Ok(Self {
            value: T::from_table(stored)?,
            provenance: stored.provenance.clone(),
            path: stored.path().to_owned(),
        })
    }
}

/// Tables as types stand for themselves.
macro_rules! tables {
    ($($name:ident)*) => {$(
        impl FromTable for tables::$name {
            fn from_table(stored: &Stored) -> Result<Self> {
                Ok(stored.table()?)
            }
        }

        impl IntoTable for tables::$name {
            fn into_table(self) -> Result<TableContent> {
                Ok(self.to_batch(&Axes::new())?.into())
            }
        }
    )*};
}

for_each_table!(tables);

impl FromTable for Panel {
    fn from_table(stored: &Stored) -> Result<Self> {
        Self::from_rows(&stored.rows).map_err(|error| stored.refuse(error).into())
    }
}

impl Stream for Panel {
    fn write(self, path: &Path, provenance: &Provenance) -> Result<Digest> {
        let schema = Table::Panel.schema(&self.axes())?;
        let mut writer = TableWriter::create(path, Table::Panel, schema, provenance.clone())?;
        for batch in self.batches() {
            writer.write(&batch?)?;
        }
        Ok(writer.finish()?.digest)
    }
}

impl FromTable for Coefficients {
    fn from_table(stored: &Stored) -> Result<Self> {
        Self::from_rows(&stored.rows).map_err(|error| stored.refuse(error).into())
    }
}

impl IntoTable for Coefficients {
    fn into_table(self) -> Result<TableContent> {
        Ok(self.to_batch()?.into())
    }
}

impl IntoTable for Taxonomy {
    fn into_table(self) -> Result<TableContent> {
        Ok(self.to_batch()?.into())
    }
}

/// The spending classes of a taxonomy, in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct SpendingClasses(pub Vec<String>);

impl FromTable for SpendingClasses {
    fn from_table(stored: &Stored) -> Result<Self> {
        let table: tables::Taxonomy = stored.table()?;
        let spending = table.into_rows().filter(|row| row.flow == Flow::Spending.name());
        Ok(Self(spending.map(|row| row.class).collect()))
    }
}
