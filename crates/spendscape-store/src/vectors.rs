//! Columns of vectors as Parquet pages: every row has the same number of floats and none is missing, so that the levels of a
//! page depend on the number of its rows alone and the values are as they lie in memory. Parquet's own writer makes two
//! levels of every value and looks it up in a dictionary.

use arrow::{
    array::{Array, ArrayRef, AsArray, FixedSizeListArray},
    datatypes::{DataType, Field, Float32Type, Float64Type, ToByteSlice},
};
use bytes::Bytes;
use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    column::writer::ColumnCloseResult,
    errors::Result,
    file::properties::WriterProperties,
    schema::types::ColumnDescPtr,
};
use rayon::{iter::ParallelIterator, slice::ParallelSlice};

use crate::pages::{EncodedPage, Pages, encode};

/// Bytes of the values of a page, about.
const PAGE_BYTES: usize = 1 << 20;

/// How hard pages are compressed, as zstd counts: below 1 it leaves floats as they are that do not repeat, and only looks for
/// zeros and what repeats. A panel of a bank takes half the time, and a quarter to a third more room.
const LEVEL: i32 = -3;

/// The vectors of a column of a row group.
#[derive(Debug)]
pub(crate) struct VectorColumn {
    /// Values, and their bytes, of a row.
    width: usize,
    row_bytes: usize,
    /// Rows of a page, and the levels in front of it.
    page_rows: usize,
    levels: Vec<u8>,
    /// The bytes of the values that do not fill a page.
    rest: Vec<u8>,
    pages: Pages,
}

impl VectorColumn {
    /// A column for values of a field, if it holds vectors and is laid out as tables are by default.
    pub(crate) fn new(
        field: &Field,
        descriptor: ColumnDescPtr,
        properties: &WriterProperties,
    ) -> Option<Self> {
        let DataType::FixedSizeList(item, width) = field.data_type() else { return None };
        let bytes = match item.data_type() {
            DataType::Float32 => size_of::<f32>(),
            DataType::Float64 => size_of::<f64>(),
            _ => return None,
        };
        let is_zstd = matches!(properties.compression(descriptor.path()), Compression::ZSTD(_));
        let width = usize::try_from(*width).ok().filter(|width| *width > 0)?;
        if !is_zstd || field.is_nullable() || item.is_nullable() {
            return None;
        }
        let row_bytes = width * bytes;
        let page_rows = (PAGE_BYTES / row_bytes).max(1);
        let (levels, rest, pages) = (levels(page_rows, width), Vec::new(), Pages::new(descriptor));
        Some(Self { width, row_bytes, page_rows, levels, rest, pages })
    }

    /// Adds rows.
    pub(crate) fn write(&mut self, values: &ArrayRef) -> Result<()> {
        let mut bytes = bytes_of(values.as_fixed_size_list()).unwrap_or_default();
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
        let body = match rows == self.page_rows {
            true => [&self.levels, values].concat(),
            false => [&levels(rows, self.width), values].concat(),
        };
        EncodedPage::data(&body, rows * self.width, Encoding::PLAIN, LEVEL)
    }

    /// The bytes of the column and what Parquet has to know of them.
    pub(crate) fn close(mut self) -> Result<(Bytes, ColumnCloseResult)> {
        if !self.rest.is_empty() {
            let page = self.page(&self.rest)?;
            self.pages.add(page, self.rest.len() / self.row_bytes);
        }
        self.pages.close(None, self.width, ZstdLevel::default())
    }
}

/// The values of vectors as they lie in memory, if they are floats.
pub(crate) fn bytes_of(list: &FixedSizeListArray) -> Option<&[u8]> {
    let width = list.value_length() as usize;
    // The child of a sliced list is the whole child.
    let (first, count) = (list.value_offset(0) as usize, list.len() * width);
    match list.value_type() {
        DataType::Float32 => {
            let values = list.values().as_primitive::<Float32Type>().values();
            Some(values[first..first + count].to_byte_slice())
        }
        DataType::Float64 => {
            let values = list.values().as_primitive::<Float64Type>().values();
            Some(values[first..first + count].to_byte_slice())
        }
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
