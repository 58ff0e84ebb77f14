//! Tables that are too long to hold.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use spendscape_schema::{Axes, Table};
use spendscape_store::{Provenance, TableReader};

use crate::{File, Found, Sources, TableInput};

/// A table on disk that is read batch by batch, as often as needed.
#[derive(Debug)]
pub struct LongTable {
    path: PathBuf,
    table: Table,
    provenance: Provenance,
    axes: Axes,
}

impl LongTable {
    /// A table on disk.
    ///
    /// # Errors
    /// If it is missing or damaged.
    pub fn open(path: PathBuf, table: Table) -> Result<Self> {
        let reader = TableReader::open(&path, table)?;
        let (provenance, axes) = (reader.provenance().clone(), reader.axes().clone());
        Ok(Self { path, table, provenance, axes })
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it was made from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// A value that it says of itself.
    ///
    /// # Errors
    /// If it does not say it.
    pub fn note(&self, name: &str) -> Result<&serde_json::Value> {
        let value = self.provenance.parameters.get(name);
        value.with_context(|| format!("{}: its provenance lacks {name}", self.path.display()))
    }

    /// The labels of its axes.
    #[must_use]
    pub fn axes(&self) -> &Axes {
        &self.axes
    }

    /// All its rows, batch by batch.
    ///
    /// # Errors
    /// If the file was removed; the iterator's items are errors where it is damaged.
    pub fn batches(&self) -> Result<impl Iterator<Item = Result<RecordBatch>>> {
        Ok(TableReader::open(&self.path, self.table)?.map(|batch| batch.map_err(Into::into)))
    }

    /// One group of its rows, from 0.
    ///
    /// # Errors
    /// If there is none of this number, or it is damaged.
    pub fn group(&self, group: usize) -> Result<Vec<RecordBatch>> {
        Ok(TableReader::open_group(&self.path, self.table, group)?.collect::<Result<_, _>>()?)
    }
}

impl TableInput for LongTable {
    fn find(_: &Sources<'_>, file: File, found: &mut Found) -> Result<()> {
        found.add(file);
        Ok(())
    }

    fn read(sources: &Sources<'_>, file: File, _: &Found) -> Result<Self> {
        let (path, _) = sources.run().need(file)?;
        Self::open(path, file.table())
    }
}
