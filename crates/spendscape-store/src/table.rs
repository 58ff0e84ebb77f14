//! Parquet tables are read with provenance and a digest in their metadata.

use std::path::{Path, PathBuf};

use arrow::{array::RecordBatch, datatypes::SchemaRef, error::ArrowError};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use spendscape_schema::{Axes, Table, Tabular, arrays::Rows};

use crate::{
    Chunks, Digest, DigestOf, Error, Provenance,
    damage::{parquet_error, refused},
    sealed::{Footer, compare},
};

/// A whole table that was read.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its rows.
    pub rows: Rows,
    /// The labels of its axes.
    pub axes: Axes,
    /// Where it comes from.
    pub provenance: Provenance,
    /// Digest of its content, checked.
    pub digest: Digest,
    path: PathBuf,
}

impl Stored {
    /// The table as a type.
    ///
    /// # Errors
    /// [`Error::Table`] if it is another table, or holds nulls where it must not.
    pub fn table<T: Tabular>(&self) -> Result<T, Error> {
        T::read(&self.rows).map_err(|source| self.refuse(source))
    }

    /// The file that it was read from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The error of rows that are not what they should be, which names the file.
    #[must_use]
    pub fn refuse(&self, source: spendscape_schema::Error) -> Error {
        Error::Table { path: self.path.clone(), source }
    }
}

/// Reads one table batch by batch. Every column chunk is compared with its digest before it is decoded.
///
/// ```
/// use arrow::array::RecordBatch;
/// use spendscape_schema::{Axes, Table, arrays};
/// use spendscape_store::{Provenance, TableReader, write_table};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("metrics.parquet");
/// let columns = vec![arrays::text(["r2", "rmse"]), arrays::float([0.95, 0.1])];
/// let batch = RecordBatch::try_new(Table::Metrics.schema(&Axes::new())?, columns)?;
/// write_table(&path, Table::Metrics, &batch, Provenance::new("example"))?;
/// let reader = TableReader::open(&path, Table::Metrics)?;
/// assert_eq!(reader.len(), 2);
/// // Another table is not taken for it.
/// assert!(TableReader::open(&path, Table::Panel).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TableReader {
    file: TableFile,
    rows: usize,
    chunks: Chunks,
    reader: ParquetRecordBatchReader,
}

impl TableReader {
    /// Opens a table and checks that it is the one asked for.
    ///
    /// # Errors
    /// As [`TableFile::open`].
    pub fn open(path: &Path, table: Table) -> Result<Self, Error> {
        TableFile::open(path, table)?.read(None, |builder| builder)
    }

    /// Opens one row group of a table, from 0, of which only its own rows are read.
    ///
    /// # Errors
    /// As [`TableFile::open`]; [`Error::NoGroup`] if there is none of this number.
    pub fn open_group(path: &Path, table: Table, group: usize) -> Result<Self, Error> {
        TableFile::open(path, table)?.read(Some(group), |builder| builder)
    }

    /// The table's schema.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.file.schema
    }

    /// The labels of its axes.
    #[must_use]
    pub fn axes(&self) -> &Axes {
        &self.file.axes
    }

    /// Where it comes from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.file.footer.provenance
    }

    /// The digest of the content that the file gives.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.file.footer.digest
    }

    /// Number of rows: of the row group, if only one was opened.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }
}

/// The file of a table: opened once, read in parts.
#[derive(Debug, Clone)]
pub struct TableFile {
    footer: Footer,
    schema: SchemaRef,
    axes: Axes,
}

impl TableFile {
    /// Opens a table, compares its footer with the seal and checks that it is the table asked for.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be opened, [`Error::Empty`] and [`Error::Parquet`] if it is no whole Parquet file,
    /// [`Error::Unsealed`] and [`Error::DigestMismatch`] if the footer is not what was written, [`Error::Version`]
    /// and [`Error::Table`] if it is of another version, another table or has other columns.
    pub fn open(path: &Path, table: Table) -> Result<Self, Error> {
        let footer = Footer::open(path)?;
        let refuse = |source| refused(path, source);
        let axes = table.check(footer.metadata.schema()).map_err(refuse)?;
        let schema = table.canonical(footer.metadata.schema()).map_err(refuse)?;
        Ok(Self { footer, schema, axes })
    }

    /// The footer's metadata of row groups and columns.
    #[must_use]
    pub fn metadata(&self) -> &ArrowReaderMetadata {
        &self.footer.metadata
    }

    /// A new handle on the file's column chunks.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be opened.
    pub fn chunks(&self) -> Result<Chunks, Error> {
        self.footer.chunks()
    }

    /// Reads the table, or one of its row groups, from 0; `choose` may leave out columns and set the size of batches.
    ///
    /// # Errors
    /// [`Error::NoGroup`] if there is no row group of this number, [`Error::Io`] if the file cannot be opened.
    pub fn read(
        &self,
        group: Option<usize>,
        choose: impl FnOnce(ParquetRecordBatchReaderBuilder<Chunks>) -> ParquetRecordBatchReaderBuilder<Chunks>,
    ) -> Result<TableReader, Error> {
        let Footer { path, metadata, .. } = &self.footer;
        let chunks = self.chunks()?;
        let mut builder =
            choose(ParquetRecordBatchReaderBuilder::new_with_metadata(chunks.clone(), metadata.clone()));
        let metadata = metadata.metadata();
        let mut rows = metadata.file_metadata().num_rows();
        if let Some(group) = group {
            let groups = metadata.row_groups();
            let none = || Error::NoGroup { path: path.clone(), group, groups: groups.len() };
            rows = groups.get(group).ok_or_else(none)?.num_rows();
            builder = builder.with_row_groups(vec![group]);
        }
        let reader = builder.build().map_err(|source| parquet_error(path, source))?;
        Ok(TableReader { file: self.clone(), rows: usize::try_from(rows).unwrap_or(0), chunks, reader })
    }
}

impl Iterator for TableReader {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        // Arrow keeps the text of an error only: where the bytes were refused, the reason is with the chunks.
        let refused = |source: ArrowError| {
            self.chunks.refused().unwrap_or_else(|| parquet_error(&self.file.footer.path, source.into()))
        };
        Some(batch.map_err(refused))
    }
}

/// Reads a whole table and checks its content against its digest.
///
/// The crate's [first page](crate) has an example.
///
/// # Errors
/// As [`TableReader::open`], and [`Error::DigestMismatch`] if the content was changed after writing.
pub fn read_table(path: &Path, table: Table) -> Result<Stored, Error> {
    let mut reader = TableReader::open(path, table)?;
    let mut digest = DigestOf::table(reader.schema());
    let mut batches = Vec::new();
    for batch in &mut reader {
        let batch = batch?;
        digest.update(&batch);
        batches.push(batch);
    }
    let TableFile { footer, schema, axes } = reader.file;
    compare(path, "content", footer.digest.as_str(), &digest.finish())?;
    let rows =
        Rows::new(&schema, &batches).map_err(|source| Error::Table { path: path.to_owned(), source })?;
    Ok(Stored { rows, axes, provenance: footer.provenance, digest: footer.digest, path: path.to_owned() })
}
