//! Parquet files of other programs.

use std::{fs::File, path::Path, sync::Arc};

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, Field, FieldRef, Fields, Schema, TimeUnit},
};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
            ParquetRecordBatchReaderBuilder,
        },
    },
    basic::{LogicalType, Type},
    errors::ParquetError,
    schema::types::ColumnDescPtr,
};
use spendscape_store::catch_panic;

use crate::Error;

/// An open Parquet file.
pub(crate) struct ParquetFile<'a> {
    path: &'a Path,
    file: File,
    metadata: ArrowReaderMetadata,
}

impl<'a> ParquetFile<'a> {
    /// Opens a file and reads its schema.
    ///
    /// Timestamps of 96 bits are read in milliseconds, which no date of theirs exceeds: in nanoseconds, the default, dates beyond
    /// 2262 (9999-12-31 for an open end) would come out in another century.
    pub(crate) fn open(path: &'a Path) -> Result<Self, Error> {
        let read = |source| Error::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(read)?;
        if file.metadata().map_err(read)?.len() == 0 {
            return Err(Error::EmptyFile { path: path.to_owned() });
        }
        let metadata = guarded(path, || {
            let found = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())?;
            let mut leaves = found.parquet_schema().columns().iter();
            let fields = in_milliseconds(found.schema().fields(), &mut leaves);
            let schema = Schema::new_with_metadata(fields, found.schema().metadata().clone());
            if &schema == found.schema().as_ref() {
                return Ok(found);
            }
            let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
            ArrowReaderMetadata::try_new(found.metadata().clone(), options)
        })?;
        Ok(Self { path, file, metadata })
    }

    /// The columns.
    pub(crate) fn schema(&self) -> &Schema {
        self.metadata.schema()
    }

    /// Whether a column holds UUIDs, by its position in the schema.
    pub(crate) fn is_uuid(&self, column: usize) -> bool {
        let columns = self.metadata.parquet_schema().root_schema().get_fields();
        columns.get(column).is_some_and(|column| {
            column.is_primitive() && column.get_basic_info().logical_type_ref() == Some(&LogicalType::Uuid)
        })
    }

    /// The batches of some columns, by their positions in the schema.
    pub(crate) fn batches(self, columns: Vec<usize>, rows: usize) -> Result<ParquetRecordBatchReader, Error> {
        guarded(self.path, || {
            let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns);
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file, self.metadata);
            builder.with_projection(mask).with_batch_size(rows).build()
        })
    }
}

/// The next batch of a file's reader.
pub(crate) fn next_batch(
    path: &Path,
    reader: &mut ParquetRecordBatchReader,
) -> Result<Option<RecordBatch>, Error> {
    guarded(path, || Ok(reader.next().transpose()?))
}

/// The reader panics on some damaged files.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, Error> {
    let result = catch_panic(work).unwrap_or_else(|message| Err(ParquetError::General(message)));
    result.map_err(|source| Error::Parquet { path: path.to_owned(), source })
}

/// The fields with milliseconds for every timestamp of 96 bits, whatever it is nested in. The leaves of both schemas stand in
/// the same order.
fn in_milliseconds<'a>(fields: &Fields, leaves: &mut impl Iterator<Item = &'a ColumnDescPtr>) -> Fields {
    fields.iter().map(|field| field_in_milliseconds(field, leaves)).collect()
}

fn field_in_milliseconds<'a>(
    field: &FieldRef,
    leaves: &mut impl Iterator<Item = &'a ColumnDescPtr>,
) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(in_milliseconds(fields, leaves)),
        DataType::List(item) => DataType::List(field_in_milliseconds(item, leaves)),
        DataType::LargeList(item) => DataType::LargeList(field_in_milliseconds(item, leaves)),
        DataType::ListView(item) => DataType::ListView(field_in_milliseconds(item, leaves)),
        DataType::LargeListView(item) => DataType::LargeListView(field_in_milliseconds(item, leaves)),
        DataType::FixedSizeList(item, size) => {
            DataType::FixedSizeList(field_in_milliseconds(item, leaves), *size)
        }
        DataType::Map(entries, sorted) => DataType::Map(field_in_milliseconds(entries, leaves), *sorted),
        leaf => match (leaves.next().map(|leaf| leaf.physical_type()), leaf) {
            (Some(Type::INT96), DataType::Timestamp(TimeUnit::Nanosecond, zone)) => {
                DataType::Timestamp(TimeUnit::Millisecond, zone.clone())
            }
            _ => return field.clone(),
        },
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}
