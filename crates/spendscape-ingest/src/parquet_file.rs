//! Parquet files of other programs.

use std::{fmt::Write as _, fs::File, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, RecordBatch, StringArray},
    datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit},
};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
            ParquetRecordBatchReaderBuilder,
        },
    },
    basic::{self, LogicalType, Type},
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
    /// 2262 (9999-12-31 for an open end) would come out in another century. Others have the unit that Parquet says, and a zone
    /// if Parquet says so: the reader believes an Arrow schema in the metadata that contradicts it.
    pub(crate) fn open(path: &'a Path) -> Result<Self, Error> {
        let read = |source| Error::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(read)?;
        if file.metadata().map_err(read)?.len() == 0 {
            return Err(Error::EmptyFile { path: path.to_owned() });
        }
        let load = |options| guarded(path, || ArrowReaderMetadata::load(&file, options));
        // Some writers add an Arrow schema that cannot be read; it only says more of what the file says itself.
        let found = load(ArrowReaderOptions::new())
            .or_else(|_| load(ArrowReaderOptions::new().with_skip_arrow_metadata(true)))?;
        let metadata = guarded(path, || {
            let mut leaves = found.parquet_schema().columns().iter();
            let fields = with_own_times(found.schema().fields(), &mut leaves);
            let schema = Schema::new_with_metadata(fields, found.schema().metadata().clone());
            if &schema == found.schema().as_ref() {
                return Ok(found);
            }
            let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
            ArrowReaderMetadata::try_new(found.metadata().clone(), options)
        })?;
        Ok(Self { path, file, metadata })
    }

    /// The columns, of which UUIDs are texts.
    pub(crate) fn schema(&self) -> SchemaRef {
        let field = |(at, field): (usize, &FieldRef)| match self.is_uuid(at) {
            true => Arc::new(Field::new(field.name(), DataType::Utf8, field.is_nullable())),
            false => field.clone(),
        };
        let fields: Fields = self.metadata.schema().fields().iter().enumerate().map(field).collect();
        Arc::new(Schema::new(fields))
    }

    /// Whether a column holds UUIDs, by its position in the schema.
    fn is_uuid(&self, column: usize) -> bool {
        let of_16_bytes =
            matches!(self.metadata.schema().field(column).data_type(), DataType::FixedSizeBinary(16));
        let columns = self.metadata.parquet_schema().root_schema().get_fields();
        of_16_bytes
            && columns
                .get(column)
                .is_some_and(|column| column.get_basic_info().logical_type_ref() == Some(&LogicalType::Uuid))
    }

    /// The batches of some columns, by their positions in the schema.
    pub(crate) fn batches(self, columns: &[usize], rows: usize) -> Result<Batches, Error> {
        let uuids: Vec<usize> = columns.iter().copied().filter(|column| self.is_uuid(*column)).collect();
        let uuids = uuids.iter().map(|column| self.metadata.schema().field(*column).name().clone()).collect();
        let reader = guarded(self.path, || {
            let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied());
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file, self.metadata);
            builder.with_projection(mask).with_batch_size(rows).build()
        })?;
        Ok(Batches { reader, uuids })
    }
}

/// The batches of a file.
pub(crate) struct Batches {
    reader: ParquetRecordBatchReader,
    /// The columns of UUIDs.
    uuids: Vec<String>,
}

impl Batches {
    /// The next batch of the file at `path`, of which UUIDs are texts.
    pub(crate) fn next(&mut self, path: &Path) -> Result<Option<RecordBatch>, Error> {
        guarded(path, || {
            let Some(batch) = self.reader.next().transpose()? else { return Ok(None) };
            if self.uuids.is_empty() {
                return Ok(Some(batch));
            }
            let schema = batch.schema();
            let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
                match self.uuids.contains(field.name()) {
                    true => {
                        let field = Field::new(field.name(), DataType::Utf8, field.is_nullable());
                        (Arc::new(field), Arc::new(uuids(column)) as ArrayRef)
                    }
                    false => (field.clone(), column.clone()),
                }
            });
            let (fields, columns): (Vec<FieldRef>, Vec<ArrayRef>) = columns.unzip();
            Ok(Some(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?))
        })
    }
}

/// The usual text of UUIDs: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
fn uuids(column: &ArrayRef) -> StringArray {
    let text = |value: &[u8]| {
        let mut text = String::with_capacity(36);
        for (at, byte) in value.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    };
    column.as_fixed_size_binary().iter().map(|value| value.map(text)).collect()
}

/// The reader panics on some damaged files.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, Error> {
    let result = catch_panic(work).unwrap_or_else(|message| Err(ParquetError::General(message)));
    result.map_err(|source| Error::Parquet { path: path.to_owned(), source })
}

/// The fields with the times that Parquet says, whatever they are nested in. The leaves of both schemas stand in the same order.
fn with_own_times<'a>(fields: &Fields, leaves: &mut impl Iterator<Item = &'a ColumnDescPtr>) -> Fields {
    fields.iter().map(|field| field_with_own_times(field, leaves)).collect()
}

fn field_with_own_times<'a>(
    field: &FieldRef,
    leaves: &mut impl Iterator<Item = &'a ColumnDescPtr>,
) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(with_own_times(fields, leaves)),
        DataType::List(item) => DataType::List(field_with_own_times(item, leaves)),
        DataType::LargeList(item) => DataType::LargeList(field_with_own_times(item, leaves)),
        DataType::ListView(item) => DataType::ListView(field_with_own_times(item, leaves)),
        DataType::LargeListView(item) => DataType::LargeListView(field_with_own_times(item, leaves)),
        DataType::FixedSizeList(item, size) => {
            DataType::FixedSizeList(field_with_own_times(item, leaves), *size)
        }
        DataType::Map(entries, sorted) => DataType::Map(field_with_own_times(entries, leaves), *sorted),
        leaf => match (leaves.next(), leaf) {
            (Some(column), DataType::Timestamp(_, zone)) => own_time(column, zone.as_ref(), leaf),
            _ => return field.clone(),
        },
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}

/// The type of a column of times of which the Arrow schema says `hint`, with `zone`.
fn own_time(column: &ColumnDescPtr, zone: Option<&Arc<str>>, hint: &DataType) -> DataType {
    let own = |unit: TimeUnit, is_utc: bool| {
        let zone = is_utc.then(|| zone.cloned().unwrap_or_else(|| "UTC".into()));
        DataType::Timestamp(unit, zone)
    };
    match (column.physical_type(), column.logical_type_ref()) {
        (Type::INT96, _) => DataType::Timestamp(TimeUnit::Millisecond, zone.cloned()),
        (Type::INT64, Some(LogicalType::Timestamp(time))) => {
            let unit = match time.unit {
                basic::TimeUnit::MILLIS => TimeUnit::Millisecond,
                basic::TimeUnit::MICROS => TimeUnit::Microsecond,
                basic::TimeUnit::NANOS => TimeUnit::Nanosecond,
            };
            own(unit, time.is_adjusted_to_u_t_c)
        }
        _ => hint.clone(),
    }
}
