//! Parquet tables with provenance and a digest in their metadata.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use parquet::{
    arrow::{
        ArrowWriter,
        arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
    },
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{metadata::KeyValue, properties::WriterProperties},
    schema::types::ColumnPath,
};
use spendscape_schema::{Axes, Kind, Table, arrays::Rows};

use crate::{Digest, DigestOf, Error, PendingFile, Provenance, file::io_error};

const PROVENANCE_KEY: &str = "spendscape.provenance";
const DIGEST_KEY: &str = "spendscape.digest";

/// Rows per row group: a row group of a ledger is then some 10 MB, small enough for a streaming reader's memory and
/// large enough for its dictionaries to pay.
const ROWS_PER_GROUP: usize = 1 << 20;

/// Bytes that the dictionary of a category may take before its column falls back to plain text: enough for the ids of some
/// 400,000 customers as 32 digits in one row group. Readers look a dictionary up once and plain text row by row.
const CATEGORY_DICTIONARY_BYTES: usize = 16 << 20;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Number of rows.
    pub rows: usize,
    /// Digest of the content.
    pub digest: Digest,
}

/// Writes one table batch by batch; the file appears when [`finish`](Self::finish) succeeds.
#[derive(Debug)]
pub struct TableWriter {
    path: PathBuf,
    pending: PendingFile,
    writer: ArrowWriter<File>,
    schema: SchemaRef,
    digest: DigestOf,
    rows: usize,
}

impl TableWriter {
    /// Opens a table for writing. `schema` is [`Table::schema`] or [`Table::schema_with`].
    ///
    /// # Errors
    /// [`Error::Table`] if the schema is not that of the table, [`Error::Io`] if the file cannot be made.
    pub fn create(
        path: &Path,
        table: Table,
        schema: SchemaRef,
        provenance: Provenance,
    ) -> Result<Self, Error> {
        table.check(&schema).map_err(|source| Error::Table { path: path.to_owned(), source })?;
        let pending = PendingFile::create(path)?;
        let json = serde_json::to_string(&provenance).map_err(|source| Error::Json {
            path: path.to_owned(),
            what: "provenance",
            source,
        })?;
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
            .set_key_value_metadata(Some(vec![KeyValue::new(PROVENANCE_KEY.to_owned(), json)]));
        for column in table.columns().iter().filter(|column| column.kind == Kind::Category) {
            properties = properties.set_column_dictionary_page_size_limit(
                ColumnPath::from(column.name),
                CATEGORY_DICTIONARY_BYTES,
            );
        }
        let writer = ArrowWriter::try_new(pending.handle()?, schema.clone(), Some(properties.build()))
            .map_err(|source| parquet_error(path, source))?;
        let digest = DigestOf::table(&schema);
        Ok(Self { path: path.to_owned(), pending, writer, schema, digest, rows: 0 })
    }

    /// The schema that every batch must have.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`Error::BatchSchema`] if the batch has other columns, [`Error::Io`] if the disk is full.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        if batch.schema_ref().fields() != self.schema.fields() {
            return Err(Error::BatchSchema { path: self.path.clone() });
        }
        self.digest.update(batch);
        self.rows += batch.num_rows();
        self.writer.write(batch).map_err(|source| parquet_error(&self.path, source))
    }

    /// Ends a row group, which [`TableReader::open_group`] reads alone.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk is full.
    pub fn end_group(&mut self) -> Result<(), Error> {
        self.writer.flush().map_err(|source| parquet_error(&self.path, source))
    }

    /// Completes the file and puts it in place.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk is full or the file cannot be replaced.
    pub fn finish(mut self) -> Result<Written, Error> {
        let digest = self.digest.finish();
        self.writer.append_key_value_metadata(KeyValue::new(DIGEST_KEY.to_owned(), digest.to_string()));
        self.writer.close().map_err(|source| parquet_error(&self.path, source))?;
        self.pending.commit()?;
        Ok(Written { rows: self.rows, digest })
    }
}

/// Writes a table that fits one batch.
///
/// # Errors
/// As [`TableWriter`].
pub fn write_table(
    path: &Path,
    table: Table,
    batch: &RecordBatch,
    provenance: Provenance,
) -> Result<Written, Error> {
    let mut writer = TableWriter::create(path, table, batch.schema(), provenance)?;
    writer.write(batch)?;
    writer.finish()
}

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
}

/// Reads one table batch by batch.
#[derive(Debug)]
pub struct TableReader {
    path: PathBuf,
    schema: SchemaRef,
    axes: Axes,
    provenance: Provenance,
    digest: Digest,
    rows: usize,
    reader: ParquetRecordBatchReader,
}

impl TableReader {
    /// Opens a table and checks that it is the one asked for.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be opened, [`Error::Empty`] and [`Error::Parquet`] if it is no whole Parquet
    /// file, [`Error::Table`] if it is another table, another version or has other columns.
    pub fn open(path: &Path, table: Table) -> Result<Self, Error> {
        Self::open_part(path, table, None)
    }

    /// Opens one row group of a table, from 0, of which only its own rows are read.
    ///
    /// # Errors
    /// As [`Self::open`]; [`Error::NoGroup`] if there is none of this number.
    pub fn open_group(path: &Path, table: Table, group: usize) -> Result<Self, Error> {
        Self::open_part(path, table, Some(group))
    }

    fn open_part(path: &Path, table: Table, group: Option<usize>) -> Result<Self, Error> {
        let file = File::open(path).map_err(io_error("open", path))?;
        if file.metadata().map_err(io_error("read", path))?.len() == 0 {
            return Err(Error::Empty { path: path.to_owned() });
        }
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(|source| parquet_error(path, source))?;
        let refuse = |source| Error::Table { path: path.to_owned(), source };
        let axes = table.check(builder.schema()).map_err(refuse)?;
        let schema = table.canonical(builder.schema()).map_err(refuse)?;
        let metadata = builder.metadata().file_metadata();
        let entry = |key: &str| {
            let pairs = metadata.key_value_metadata()?;
            pairs.iter().find(|pair| pair.key == key)?.value.clone()
        };
        let provenance = serde_json::from_str(&entry(PROVENANCE_KEY).unwrap_or_default())
            .map_err(|source| Error::Json { path: path.to_owned(), what: "its provenance", source })?;
        let digest = serde_json::from_value(serde_json::Value::from(entry(DIGEST_KEY).unwrap_or_default()))
            .map_err(|source| Error::Json { path: path.to_owned(), what: "its digest", source })?;
        let mut rows = metadata.num_rows();
        let mut builder = builder;
        if let Some(group) = group {
            let groups = builder.metadata().row_groups();
            let none = || Error::NoGroup { path: path.to_owned(), group, groups: groups.len() };
            rows = groups.get(group).ok_or_else(none)?.num_rows();
            builder = builder.with_row_groups(vec![group]);
        }
        let rows = usize::try_from(rows).unwrap_or(0);
        let reader = builder.build().map_err(|source| parquet_error(path, source))?;
        Ok(Self { path: path.to_owned(), schema, axes, provenance, digest, rows, reader })
    }

    /// The table's schema.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The labels of its axes.
    #[must_use]
    pub fn axes(&self) -> &Axes {
        &self.axes
    }

    /// Where it comes from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The digest that the file gives, not checked against the content.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
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

    fn compare(&self, found: Digest) -> Result<(), Error> {
        if found == self.digest {
            return Ok(());
        }
        Err(Error::DigestMismatch { path: self.path.clone(), expected: self.digest.to_string(), found })
    }
}

impl Iterator for TableReader {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|source| parquet_error(&self.path, source.into())))
    }
}

/// Reads a whole table and checks its content against its digest.
///
/// # Errors
/// As [`TableReader::open`], and [`Error::DigestMismatch`] if the content was changed after writing.
pub fn read_table(path: &Path, table: Table) -> Result<Stored, Error> {
    let mut reader = TableReader::open(path, table)?;
    let mut digest = DigestOf::table(&reader.schema);
    let mut batches = Vec::new();
    for batch in &mut reader {
        let batch = batch?;
        digest.update(&batch);
        batches.push(batch);
    }
    reader.compare(digest.finish())?;
    let rows = Rows::new(&reader.schema, &batches)
        .map_err(|source| Error::Table { path: path.to_owned(), source })?;
    Ok(Stored { rows, axes: reader.axes, provenance: reader.provenance, digest: reader.digest })
}

/// Checks the content of a table against its digest, batch by batch.
///
/// # Errors
/// As [`read_table`].
pub fn check_table(path: &Path, table: Table) -> Result<(), Error> {
    let mut reader = TableReader::open(path, table)?;
    let mut digest = DigestOf::table(&reader.schema);
    for batch in &mut reader {
        digest.update(&batch?);
    }
    reader.compare(digest.finish())
}

/// Parquet wraps what the system says: a full disk is not a damaged file.
fn parquet_error(path: &Path, source: ParquetError) -> Error {
    match source {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(source) => Error::Io { action: "read or write", path: path.to_owned(), source: *source },
            Err(inner) => Error::Parquet { path: path.to_owned(), source: ParquetError::External(inner) },
        },
        source => Error::Parquet { path: path.to_owned(), source },
    }
}
