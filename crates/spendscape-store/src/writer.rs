//! Parquet tables are written with provenance and a digest in their metadata.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{FieldRef, SchemaRef},
};
use bytes::Bytes;
use parquet::{
    arrow::{
        ArrowWriter,
        arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves},
    },
    basic::{Compression, Encoding, ZstdLevel},
    column::writer::ColumnCloseResult,
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder},
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::ColumnPath,
};
use rayon::iter::{
    IndexedParallelIterator, IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator,
};
use spendscape_schema::{Kind, Table};

use crate::{
    Digest, DigestOf, Error, PendingFile, Provenance,
    categories::CategoryColumn,
    damage::parquet_error,
    file::io_error,
    fixed::FixedColumn,
    hash::UNSEALED,
    sealed::{CHUNKS_KEY, DIGEST_KEY, PROVENANCE_KEY, SEAL_KEY, chunk_digests, seal},
};

/// Rows per row group: a row group of a ledger is then some 10 MB, small enough for a streaming reader's memory and
/// large enough for its dictionaries to pay.
const ROWS_PER_GROUP: usize = 1 << 20;

/// The suffix of the names of columns of money.
const MONEY: &str = "_minor";

/// The result of writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Number of rows.
    pub rows: usize,
    /// Digest of the content.
    pub digest: Digest,
}

/// Writes one table batch by batch; the file appears when [`finish`](Self::finish) succeeds. Columns are digested and encoded
/// beside each other, on the threads of the pool at hand.
///
/// ```
/// use arrow::array::RecordBatch;
/// use spendscape_schema::{Axes, Table, arrays};
/// use spendscape_store::{Provenance, TableWriter};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("metrics.parquet");
/// let schema = Table::Metrics.schema(&Axes::new())?;
/// let mut writer = TableWriter::create(&path, Table::Metrics, schema.clone(), Provenance::new("example"))?;
/// for value in [0.95, 0.96] {
///     let columns = vec![arrays::text(["r2"]), arrays::float([value])];
///     writer.write(&RecordBatch::try_new(schema.clone(), columns)?)?;
/// }
/// assert_eq!(writer.finish()?.rows, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TableWriter {
    path: PathBuf,
    pending: PendingFile,
    writer: SerializedFileWriter<File>,
    factory: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    provenance: Provenance,
    digest: DigestOf,
    /// The columns of the row group at hand; none before its first row.
    columns: Vec<Column>,
    rows: usize,
    /// Rows of the row group at hand, and the most of any.
    group_rows: usize,
    most_rows: usize,
}

/// A column of a row group.
#[derive(Debug)]
enum Column {
    Categories(Box<CategoryColumn>),
    Fixed(Box<FixedColumn>),
    /// Anything else, with a writer for each leaf.
    Leaves(FieldRef, Vec<ArrowColumnWriter>),
}

/// The bytes of a column.
enum Chunk {
    Pages(Bytes, ColumnCloseResult),
    Leaf(ArrowColumnChunk),
}

impl Column {
    fn write(&mut self, values: &ArrayRef) -> Result<(), ParquetError> {
        match self {
            Self::Categories(column) => column.write(values),
            Self::Fixed(column) => column.write(values),
            Self::Leaves(field, writers) => {
                let leaves = compute_leaves(field, values)?;
                writers.iter_mut().zip(&leaves).try_for_each(|(writer, leaf)| writer.write(leaf))
            }
        }
    }

    fn close(self) -> Result<Vec<Chunk>, ParquetError> {
        let (bytes, closed) = match self {
            Self::Categories(column) => column.close()?,
            Self::Fixed(column) => column.close()?,
            Self::Leaves(_, writers) => {
                return writers.into_iter().map(|writer| Ok(Chunk::Leaf(writer.close()?))).collect();
            }
        };
        Ok(vec![Chunk::Pages(bytes, closed)])
    }
}

impl Chunk {
    fn append_to<W: Write + Send>(
        self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        match self {
            Self::Pages(bytes, closed) => group.append_column(&bytes, closed),
            Self::Leaf(chunk) => chunk.append_to_row_group(group),
        }
    }
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
        Self::create_with(path, table, schema, provenance, |properties| properties)
    }

    /// As [`Self::create`]; `choose` may lay the file out in another way. What is read from it stays the same.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn create_with(
        path: &Path,
        table: Table,
        schema: SchemaRef,
        provenance: Provenance,
        choose: impl FnOnce(WriterPropertiesBuilder) -> WriterPropertiesBuilder,
    ) -> Result<Self, Error> {
        table.check(&schema).map_err(|source| Error::Table { path: path.to_owned(), source })?;
        let pending = PendingFile::create(path)?;
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROWS_PER_GROUP));
        for column in table.columns() {
            let path = ColumnPath::from(column.name);
            properties = match column.kind {
                // Nobody skips rows by the least and the greatest text of a page, for which every text would be compared twice.
                Kind::Category => properties.set_column_statistics_enabled(path, EnabledStatistics::None),
                // Rows rarely share a time or an amount: looking them up in a dictionary takes longer than all else that is
                // done to
                // them, and their bytes, the first apart from the second and so on, are smaller in the end.
                kind if kind == Kind::Time || kind == Kind::Integer && column.name.ends_with(MONEY) => {
                    properties
                        .set_column_dictionary_enabled(path.clone(), false)
                        .set_column_encoding(path, Encoding::BYTE_STREAM_SPLIT)
                }
                _ => properties,
            };
        }
        let properties = choose(properties).build();
        let most_rows = properties.max_row_group_row_count().unwrap_or(usize::MAX);
        let (writer, factory) = ArrowWriter::try_new(pending.handle()?, schema.clone(), Some(properties))
            .and_then(ArrowWriter::into_serialized_writer)
            .map_err(|source| parquet_error(path, source))?;
        let digest = DigestOf::table(&schema);
        let (columns, rows, group_rows) = (Vec::new(), 0, 0);
        let path = path.to_owned();
        Ok(Self {
            path,
            pending,
            writer,
            factory,
            schema,
            provenance,
            digest,
            columns,
            rows,
            group_rows,
            most_rows,
        })
    }

    /// The schema that every batch must have.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds an input to the provenance, whose digest was not known before.
    pub fn add_input(&mut self, name: &str, digest: &Digest) {
        self.provenance = self.provenance.clone().input(name, digest);
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`Error::BatchSchema`] if the batch has other columns, [`Error::Io`] if the disk is full.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.write_all(std::slice::from_ref(batch))
    }

    /// Adds the rows of some batches. How rows are divided into batches does not show.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_all(&mut self, batches: &[RecordBatch]) -> Result<(), Error> {
        if batches.iter().any(|batch| batch.schema_ref().fields() != self.schema.fields()) {
            return Err(Error::BatchSchema { path: self.path.clone() });
        }
        let mut pieces = Vec::with_capacity(batches.len());
        for batch in batches {
            let mut rest = batch.clone();
            while rest.num_rows() > 0 {
                let rows = rest.num_rows().min(self.most_rows - self.group_rows);
                pieces.push(rest.slice(0, rows));
                rest = rest.slice(rows, rest.num_rows() - rows);
                self.group_rows += rows;
                self.rows += rows;
                if self.group_rows == self.most_rows {
                    self.write_columns(&std::mem::take(&mut pieces))?;
                    self.end_group()?;
                }
            }
        }
        self.write_columns(&pieces)
    }

    /// Adds rows to the row group at hand.
    fn write_columns(&mut self, batches: &[RecordBatch]) -> Result<(), Error> {
        if batches.is_empty() {
            return Ok(());
        }
        let refuse = |source| parquet_error(&self.path, source);
        if self.columns.is_empty() {
            let columns = self.schema.fields().iter();
            self.columns = columns.map(|field| Column::Leaves(field.clone(), Vec::new())).collect();
            let group = self.writer.flushed_row_groups().len();
            let schema = self.writer.schema_descr();
            for (leaf, writer) in
                self.factory.create_column_writers(group).map_err(refuse)?.into_iter().enumerate()
            {
                let (descriptor, column) =
                    (schema.column(leaf), &mut self.columns[schema.get_column_root_idx(leaf)]);
                let Column::Leaves(field, writers) = column else { continue };
                let properties = self.writer.properties();
                if let Some(categories) = CategoryColumn::new(field, descriptor.clone(), properties) {
                    *column = Column::Categories(Box::new(categories));
                } else if let Some(fixed) = FixedColumn::new(field, descriptor, properties) {
                    *column = Column::Fixed(Box::new(fixed));
                } else {
                    writers.push(writer);
                }
            }
        }
        let digests = self.digest.columns();
        let columns = self.columns.par_iter_mut().zip(digests).enumerate();
        let written = columns.try_for_each(|(at, (column, digest))| {
            batches
                .iter()
                .map(|batch| batch.column(at))
                .try_for_each(|values| rayon::join(|| digest.update(values), || column.write(values)).1)
        });
        written.map_err(refuse)
    }

    /// Ends a row group, which [`TableReader::open_group`](crate::TableReader::open_group) reads alone.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk is full.
    pub fn end_group(&mut self) -> Result<(), Error> {
        self.group_rows = 0;
        let columns = std::mem::take(&mut self.columns);
        if columns.is_empty() {
            return Ok(());
        }
        let chunks: Result<Vec<_>, _> = columns.into_par_iter().map(Column::close).collect();
        let mut append = |chunks: Vec<Vec<Chunk>>| {
            let mut group = self.writer.next_row_group()?;
            chunks.into_iter().flatten().try_for_each(|chunk| chunk.append_to(&mut group))?;
            group.close().map(drop)
        };
        chunks.and_then(&mut append).map_err(|source| parquet_error(&self.path, source))
    }

    /// Completes the file and puts it in place.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk is full or the file cannot be replaced.
    pub fn finish(mut self) -> Result<Written, Error> {
        self.end_group()?;
        let digest = self.digest.finish();
        self.writer.flush().map_err(io_error("write", &self.path))?;
        let mut file = self.pending.reopen()?;
        let chunks = chunk_digests(&mut file, &self.path, self.writer.flushed_row_groups())?;
        let json = |source| Error::Json { path: self.path.clone(), what: "provenance", source };
        let provenance = serde_json::to_string(&self.provenance).map_err(json)?;
        for (key, value) in [
            (PROVENANCE_KEY, provenance),
            (DIGEST_KEY, digest.to_string()),
            (CHUNKS_KEY, chunks),
            (SEAL_KEY, UNSEALED.to_owned()),
        ] {
            self.writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
        }
        self.writer.close().map_err(|source| parquet_error(&self.path, source))?;
        seal(&mut file, &self.path)?;
        self.pending.commit()?;
        Ok(Written { rows: self.rows, digest })
    }
}

/// Writes a table that fits one batch.
///
/// The crate's [first page](crate) has an example.
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{DictionaryArray, Int64Array, TimestampMillisecondArray},
        datatypes::Int32Type,
    };
    use ndarray::Array2;
    use proptest::prelude::*;
    use spendscape_schema::{Axes, Axis, arrays, tables::Ledger};

    use super::*;
    use crate::{TableFile, read_table};

    fn ledger(rows: usize) -> RecordBatch {
        let text = |prefix: &str| -> ArrayRef {
            let texts: Vec<String> = (0..rows).map(|row| format!("{prefix}{}", row % 5)).collect();
            Arc::new(texts.iter().map(String::as_str).collect::<DictionaryArray<Int32Type>>())
        };
        let columns: Vec<ArrayRef> = vec![
            text("customer "),
            Arc::new(TimestampMillisecondArray::from_iter_values(0..rows as i64)),
            Arc::new(Int64Array::from_iter_values((0..rows as i64).map(|row| -row))),
            text("class "),
        ];
        RecordBatch::try_new(Table::Ledger.schema(&Axes::new()).unwrap(), columns).unwrap()
    }

    /// Of columns that are written by pages of our own the bytes are the same for any division into batches and any number of
    /// threads: all of a ledger's, and the vectors of a panel.
    #[test]
    fn neither_batches_nor_threads_show_in_the_pages() {
        let vectors = |rows: usize| {
            let axes = Axes::new().with(Axis::Class, (0..97).map(|class| class.to_string()));
            let share = |(row, class): (usize, usize)| (row * 31 + class) as f32;
            let columns: Vec<ArrayRef> = vec![
                arrays::text((0..rows).map(|row| row.to_string())),
                arrays::index((0..rows).map(|row| row as u16)),
                arrays::date((0..rows).map(|row| row as i32)),
                arrays::date((0..rows).map(|row| row as i32)),
                Arc::new(Int64Array::from_iter_values(0..rows as i64)),
                arrays::flag((0..rows).map(|row| row % 3 == 0)),
                arrays::vectors32(Array2::from_shape_fn((rows, 97), share).view()).unwrap(),
            ];
            RecordBatch::try_new(Table::Panel.schema(&axes).unwrap(), columns).unwrap()
        };
        // Two or three pages each: 131,072 numbers, 20,000 categories or 2,702 vectors fill one.
        for (table, whole, ours) in
            [(Table::Ledger, ledger(300_000), 0..4), (Table::Panel, vectors(7_000), 6..7)]
        {
            let folder = tempfile::tempdir().unwrap();
            let pages = |step: usize, threads: usize| -> Vec<Vec<u8>> {
                let path = folder.path().join(format!("{step}-{threads}.parquet"));
                let mut writer =
                    TableWriter::create(&path, table, whole.schema(), Provenance::new("test")).unwrap();
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    for first in (0..whole.num_rows()).step_by(step) {
                        writer.write(&whole.slice(first, step.min(whole.num_rows() - first))).unwrap();
                    }
                    writer.finish().unwrap()
                });
                let file = TableFile::open(&path, table).unwrap();
                let bytes = std::fs::read(&path).unwrap();
                let columns = file.metadata().metadata().row_group(0).columns();
                let chunk = |at: usize| {
                    let (start, length) = columns[at].byte_range();
                    bytes[start as usize..(start + length) as usize].to_vec()
                };
                ours.clone().map(chunk).collect()
            };
            let expected = pages(whole.num_rows(), 1);
            for (step, threads) in [(whole.num_rows(), 3), (999, 1), (50_001, 2), (2_703, 3)] {
                assert!(pages(step, threads) == expected, "{table:?}: {step} rows on {threads} threads");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(30))]

        /// However rows are divided into batches and calls, they are the same table in groups of the same size.
        #[test]
        fn batches_do_not_show(sizes in prop::collection::vec(prop::collection::vec(0..9_usize, 1..4), 1..6)) {
            let folder = tempfile::tempdir().unwrap();
            let rows: usize = sizes.iter().flatten().sum();
            let whole = ledger(rows);
            let path = folder.path().join("ledger.parquet");
            let small = |properties: WriterPropertiesBuilder| properties.set_max_row_group_row_count(Some(7));
            let mut writer =
                TableWriter::create_with(&path, Table::Ledger, whole.schema(), Provenance::new("test"), small)
                    .unwrap();
            let mut first = 0;
            for call in &sizes {
                let batches: Vec<RecordBatch> = call.iter().map(|size| {
                    first += size;
                    whole.slice(first - size, *size)
                }).collect();
                writer.write_all(&batches).unwrap();
            }
            let written = writer.finish().unwrap();
            prop_assert_eq!((written.rows, &written.digest), (rows, &DigestOf::batch(&whole)));
            let file = TableFile::open(&path, Table::Ledger).unwrap();
            let groups = file.metadata().metadata().row_groups();
            prop_assert!(groups.iter().rev().skip(1).all(|group| group.num_rows() == 7));
            prop_assert_eq!(groups.iter().map(|group| group.num_rows() as usize).sum::<usize>(), rows);
            let stored = read_table(&path, Table::Ledger).unwrap();
            let customers: Vec<String> = (0..rows).map(|row| format!("customer {}", row % 5)).collect();
            prop_assert_eq!(stored.rows.text(Ledger::NAMES.customer).unwrap(), customers);
        }
    }
}
