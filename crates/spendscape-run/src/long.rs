//! Tables that are too long to hold.

use std::path::PathBuf;

use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use spendscape_schema::{Axes, Table};
use spendscape_store::{Provenance, TableReader};

use crate::{File, Found, Sources, TableHead, TableInput};

/// A table that is read batch by batch, as often as needed: of a run folder, or in memory.
#[derive(Debug)]
pub struct LongTable {
    name: String,
    provenance: Provenance,
    axes: Axes,
    rows: Rows,
}

#[derive(Debug)]
enum Rows {
    File { path: PathBuf, table: Table },
    Memory(Vec<RecordBatch>),
}

impl LongTable {
    /// A table on disk.
    ///
    /// # Errors
    /// If it is missing or damaged.
    pub fn open(path: PathBuf, table: Table) -> Result<Self> {
        let reader = TableReader::open(&path, table)?;
        Ok(Self {
            name: path.display().to_string(),
            provenance: reader.provenance().clone(),
            axes: reader.axes().clone(),
            rows: Rows::File { path, table },
        })
    }

    /// A table in memory; `batches` are the groups of its rows.
    #[must_use]
    pub fn in_memory(table: Table, provenance: Provenance, axes: Axes, batches: Vec<RecordBatch>) -> Self {
        Self { name: table.name().to_owned(), provenance, axes, rows: Rows::Memory(batches) }
    }

    /// What it is called in messages: the file, where there is one.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
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
        value.with_context(|| format!("{}: its provenance lacks {name}", self.name))
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
    pub fn batches(&self) -> Result<Box<dyn Iterator<Item = Result<RecordBatch>> + '_>> {
        Ok(match &self.rows {
            Rows::File { path, table } => {
                Box::new(TableReader::open(path, *table)?.map(|batch| batch.map_err(Into::into)))
            }
            Rows::Memory(batches) => Box::new(batches.iter().cloned().map(Ok)),
        })
    }

    /// One group of its rows, from 0.
    ///
    /// # Errors
    /// If there is none of this number, or it is damaged.
    pub fn group(&self, group: usize) -> Result<Vec<RecordBatch>> {
        match &self.rows {
            Rows::File { path, table } => {
                Ok(TableReader::open_group(path, *table, group)?.collect::<Result<_, _>>()?)
            }
            Rows::Memory(batches) => {
                let batch = batches.get(group).cloned();
                Ok(vec![batch.with_context(|| format!("{} has no group {group}", self.name))?])
            }
        }
    }
}

/// A table that is read where it lies.
#[derive(Debug, Clone)]
pub struct TablePath {
    /// Its file.
    pub path: PathBuf,
    /// What it says of itself.
    pub head: TableHead,
}

impl TableInput for TablePath {
    fn find(_: &Sources<'_>, file: File, found: &mut Found) -> Result<()> {
        found.add(file);
        Ok(())
    }

    fn read(sources: &Sources<'_>, file: File, found: &Found) -> Result<Self> {
        let (path, _) = sources.run().need(file)?;
        Ok(Self { path, head: TableHead::read(sources, file, found)? })
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

impl TableInput for Option<LongTable> {
    fn find(sources: &Sources<'_>, file: File, found: &mut Found) -> Result<()> {
        if sources.run().has(file)? {
            found.add(file);
        }
        Ok(())
    }

    fn read(sources: &Sources<'_>, file: File, found: &Found) -> Result<Self> {
        found
            .tables()
            .contains(&file)
            .then(|| <LongTable as TableInput>::read(sources, file, found))
            .transpose()
    }
}
