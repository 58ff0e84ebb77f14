//! Columns whose rows take the same number of bytes each as Parquet pages: vectors, and numbers of 64 bits whose bytes are split
//! by their place. Nothing is missing, so that the levels of a page of vectors depend on the number of its rows alone, and values
//! are taken as they lie in memory. Parquet's own writer makes two levels of every value of a vector, looks it up in a
//! dictionary, and copies numbers one by one.

use arrow::{
    array::{Array, ArrayRef, AsArray, FixedSizeListArray},
    datatypes::{
        DataType, Field, Float32Type, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType, ToByteSlice,
    },
};
use bytes::Bytes;
use parquet::{
    basic::{Compression, Encoding},
    column::writer::ColumnCloseResult,
    errors::Result,
    file::{properties::WriterProperties, statistics::Statistics},
    schema::types::ColumnDescPtr,
};
use rayon::{iter::ParallelIterator, slice::ParallelSlice};

use crate::pages::{EncodedPage, Pages, encode};

/// Bytes of the values of a page, about. Zstandard takes 128 KiB at a time, which are the first bytes of a page's numbers, and
/// then the second ones.
const PAGE_BYTES: usize = 1 << 20;

/// How hard vectors are compressed, as zstd counts: below 1 it leaves floats as they are that do not repeat, and only looks
/// for zeros and what repeats. Beside level 1 a panel of a bank takes three fifths of the time and two fifths more room, a
/// quarter more than Parquet's own writer takes (decision 0021).
const VECTOR_LEVEL: i32 = -3;

/// Bytes of a number.
const NUMBER: usize = size_of::<i64>();

/// The rows of a column of a row group.
#[derive(Debug)]
pub(crate) struct FixedColumn {
    content: Content,
    row_bytes: usize,
    page_rows: usize,
    /// The bytes of the rows that do not fill a page.
    rest: Vec<u8>,
    pages: Pages,
}

#[derive(Debug)]
enum Content {
    /// Vectors of some values, and the levels of a page that is full.
    Vectors { width: usize, levels: Vec<u8> },
    /// Numbers, the least and the greatest.
    Numbers { range: Option<(i64, i64)> },
}

impl FixedColumn {
    /// A column for values of a field, if its rows have a fixed size and it is laid out as tables are by default.
    pub(crate) fn new(
        field: &Field,
        descriptor: ColumnDescPtr,
        properties: &WriterProperties,
    ) -> Option<Self> {
        let Compression::ZSTD(level) = properties.compression(descriptor.path()) else { return None };
        if field.is_nullable() {
            return None;
        }
        let (content, row_bytes, page_rows, pages) = match field.data_type() {
            DataType::FixedSizeList(item, width) => {
                let width = usize::try_from(*width).ok().filter(|width| *width > 0)?;
                let bytes = match item.data_type() {
                    DataType::Float32 => width * size_of::<f32>(),
                    DataType::Float64 => width * size_of::<f64>(),
                    _ => return None,
                };
                let rows = (PAGE_BYTES / bytes).max(1);
                let pages = Pages::new(descriptor, VECTOR_LEVEL, Encoding::PLAIN, width);
                (Content::Vectors { width, levels: levels(rows, width) }, bytes, rows, pages)
            }
            DataType::Int64 | DataType::Timestamp(TimeUnit::Millisecond, None)
                if properties.encoding(descriptor.path()) == Some(Encoding::BYTE_STREAM_SPLIT) =>
            {
                let pages = Pages::new(descriptor, level.compression_level(), Encoding::BYTE_STREAM_SPLIT, 1);
                (Content::Numbers { range: None }, NUMBER, PAGE_BYTES / NUMBER, pages)
            }
            _ => return None,
        };
        Some(Self { content, row_bytes, page_rows, rest: Vec::new(), pages })
    }

    /// Adds rows.
    pub(crate) fn write(&mut self, values: &ArrayRef) -> Result<()> {
        let mut bytes = match &mut self.content {
            Content::Vectors { .. } => bytes_of(values.as_fixed_size_list()).unwrap_or_default(),
            Content::Numbers { range } => {
                let numbers = match values.data_type() {
                    DataType::Int64 => values.as_primitive::<Int64Type>().values(),
                    _ => values.as_primitive::<TimestampMillisecondType>().values(),
                };
                if let (Some(least), Some(greatest)) = (numbers.iter().min(), numbers.iter().max()) {
                    let known = range.unwrap_or((*least, *greatest));
                    *range = Some((known.0.min(*least), known.1.max(*greatest)));
                }
                numbers.to_byte_slice()
            }
        };
        let page_bytes = self.page_rows * self.row_bytes;
        if !self.rest.is_empty() {
            let (more, others) = bytes.split_at(bytes.len().min(page_bytes - self.rest.len()));
            self.rest.extend_from_slice(more);
            bytes = others;
            if self.rest.len() < page_bytes {
                return Ok(());
            }
            let page = self.page(&self.rest)?;
            self.pages.add(page, self.page_rows);
            self.rest.clear();
        }
        let full = bytes.par_chunks_exact(page_bytes);
        let rest = full.remainder();
        let pages: Vec<EncodedPage> = full.map(|values| self.page(values)).collect::<Result<_>>()?;
        pages.into_iter().for_each(|page| self.pages.add(page, self.page_rows));
        self.rest.extend_from_slice(rest);
        Ok(())
    }

    /// A page of some rows.
    fn page(&self, values: &[u8]) -> Result<EncodedPage> {
        let rows = values.len() / self.row_bytes;
        let body = match &self.content {
            Content::Numbers { .. } => split(values),
            Content::Vectors { levels, .. } if rows == self.page_rows => [levels, values].concat(),
            Content::Vectors { width, .. } => [&levels(rows, *width), values].concat(),
        };
        self.pages.page(&body, rows)
    }

    /// The bytes of the column and what Parquet has to know of them.
    pub(crate) fn close(mut self) -> Result<(Bytes, ColumnCloseResult)> {
        if !self.rest.is_empty() {
            let page = self.page(&self.rest)?;
            self.pages.add(page, self.rest.len() / self.row_bytes);
        }
        let statistics = match self.content {
            Content::Numbers { range: Some((least, greatest)) } => {
                Some(Statistics::int64(Some(least), Some(greatest), None, Some(0), false))
            }
            _ => None,
        };
        self.pages.close(None, statistics)
    }
}

/// The first bytes of all numbers, then the second ones and so on.
fn split(values: &[u8]) -> Vec<u8> {
    let (numbers, _) = values.as_chunks::<NUMBER>();
    let mut bytes = vec![0; values.len()];
    let (eights, rest) = numbers.as_chunks::<8>();
    for (at, eight) in eights.iter().enumerate() {
        for (place, turned) in turned(eight.map(u64::from_le_bytes)).into_iter().enumerate() {
            let first = place * numbers.len() + 8 * at;
            bytes[first..first + 8].copy_from_slice(&turned.to_le_bytes());
        }
    }
    for (at, number) in rest.iter().enumerate() {
        for (place, byte) in number.iter().enumerate() {
            bytes[place * numbers.len() + 8 * eights.len() + at] = *byte;
        }
    }
    bytes
}

/// Eight words with rows and columns of their bytes exchanged: blocks of four by four bytes, of two by two, single ones.
fn turned(mut words: [u64; 8]) -> [u64; 8] {
    for (distance, mask) in
        [(4, 0x0000_0000_ffff_ffff), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff_u64)]
    {
        for first in (0..8).filter(|at| at & distance == 0) {
            let (low, high) = (words[first], words[first + distance]);
            let bits = 8 * distance as u32;
            words[first] = low & mask | (high & mask) << bits;
            words[first + distance] = (low >> bits) & mask | high & !mask;
        }
    }
    words
}

/// The values of vectors as they lie in memory, if they are floats.
pub(crate) fn bytes_of(list: &FixedSizeListArray) -> Option<&[u8]> {
    match list.value_type() {
        DataType::Float32 => Some(list.values().as_primitive::<Float32Type>().values().to_byte_slice()),
        DataType::Float64 => Some(list.values().as_primitive::<Float64Type>().values().to_byte_slice()),
        _ => None,
    }
}

/// The levels of some rows: the first value of a row begins it, and none is missing.
fn levels(rows: usize, width: usize) -> Vec<u8> {
    let repeated: Vec<u32> = (0..rows * width).map(|value| u32::from(value % width > 0)).collect();
    let mut bytes = Vec::new();
    for levels in [repeated, vec![1; rows * width]] {
        let first = bytes.len();
        bytes.extend_from_slice(&[0; size_of::<u32>()]);
        encode(&levels, 1, &mut bytes);
        let length = (bytes.len() - first - size_of::<u32>()) as u32;
        bytes[first..first + size_of::<u32>()].copy_from_slice(&length.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{Int64Array, RecordBatch},
        compute::concat_batches,
    };
    use ndarray::Array2;
    use parquet::file::statistics::Statistics as Read;
    use proptest::prelude::*;
    use spendscape_schema::{Axes, Axis, Table, arrays};

    use super::*;
    use crate::{Provenance, TableFile, TableReader, TableWriter};

    proptest! {
        #[test]
        fn bytes_are_split_by_their_place(numbers in prop::collection::vec(any::<i64>(), 0..40)) {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            let place = |place: usize| numbers.iter().map(move |number| number.to_le_bytes()[place]);
            prop_assert_eq!(split(&bytes), (0..NUMBER).flat_map(place).collect::<Vec<_>>());
        }
    }

    /// Pages begin and end within batches, and one row is longer than a page may be.
    #[test]
    fn rows_are_read_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("panel.parquet");
        for (classes, sizes) in
            [(97, vec![1_000, 5_000, 1, 4_000]), (1, vec![7, 300_000]), (PAGE_BYTES / 4 + 1, vec![2, 3])]
        {
            let axes = Axes::new().with(Axis::Class, (0..classes).map(|class| class.to_string()));
            let schema = Table::Panel.schema(&axes).unwrap();
            let mut first = 0;
            let batches: Vec<RecordBatch> = sizes
                .iter()
                .map(|rows| {
                    let row = first;
                    first += rows;
                    let share = |(at, class): (usize, usize)| ((row + at) * 31 + class) as f32;
                    let columns: Vec<ArrayRef> = vec![
                        arrays::text((0..*rows).map(|at| (row + at).to_string())),
                        arrays::index((0..*rows).map(|at| at as u16)),
                        arrays::date((0..*rows).map(|at| at as i32)),
                        arrays::date((0..*rows).map(|at| at as i32)),
                        Arc::new(Int64Array::from_iter_values(
                            (0..*rows).map(|at| (5 - ((row + at) as i64)) << 20),
                        )),
                        arrays::flag((0..*rows).map(|at| at % 3 == 0)),
                        arrays::vectors32(Array2::from_shape_fn((*rows, classes), share).view()).unwrap(),
                    ];
                    RecordBatch::try_new(schema.clone(), columns).unwrap()
                })
                .collect();
            let mut writer =
                TableWriter::create(&path, Table::Panel, schema.clone(), Provenance::new("test")).unwrap();
            batches.iter().for_each(|batch| writer.write(batch).unwrap());
            writer.finish().unwrap();
            let read: Vec<RecordBatch> =
                TableReader::open(&path, Table::Panel).unwrap().collect::<Result<_, _>>().unwrap();
            let (whole, read) =
                (concat_batches(&schema, &batches).unwrap(), concat_batches(&schema, &read).unwrap());
            assert_eq!(whole.columns(), read.columns());
            let file = TableFile::open(&path, Table::Panel).unwrap();
            let money = file.metadata().metadata().row_group(0).column(4).statistics().unwrap().clone();
            let Read::Int64(range) = money else { panic!("{money:?}") };
            let least = (5 - ((first - 1) as i64)) << 20;
            assert_eq!((range.min_opt(), range.max_opt()), (Some(&least), Some(&(5 << 20))));
        }
    }
}
