//! Pages of a column of a row group, and the hybrid of runs and packed bits that levels and codes are written in.

use std::{
    cell::RefCell,
    collections::{BTreeMap, btree_map::Entry},
};

use bytes::Bytes;
use parquet::{
    basic::{Compression, Encoding, PageType, ZstdLevel},
    column::{
        page::{CompressedPage, Page, PageWriter},
        writer::ColumnCloseResult,
    },
    errors::Result,
    file::{
        metadata::{ColumnChunkMetaData, PageEncodingStats},
        page_index::offset_index::{OffsetIndexMetaData, PageLocation},
        statistics::Statistics,
        writer::{SerializedPageWriter, TrackedWrite},
    },
    schema::types::ColumnDescPtr,
};
use zstd::bulk::Compressor;

/// Equal values in a row from which on they are written as their number.
const RUN: usize = 8;

/// A page with its header, as it stands in the file.
#[derive(Debug)]
pub(crate) struct EncodedPage {
    bytes: Vec<u8>,
    compressed: usize,
    uncompressed: usize,
}

impl EncodedPage {
    fn new(page: Page, uncompressed: usize) -> Result<Self> {
        let mut sink = TrackedWrite::new(Vec::with_capacity(page.buffer().len() + HEADER_BYTES));
        let written =
            SerializedPageWriter::new(&mut sink).write_page(CompressedPage::new(page, uncompressed))?;
        let (compressed, uncompressed) = (written.compressed_size, written.uncompressed_size);
        Ok(Self { bytes: sink.into_inner()?, compressed, uncompressed })
    }
}

thread_local! {
    /// The thread's compressors by level, which are made once.
    static COMPRESSORS: RefCell<BTreeMap<i32, Compressor<'static>>> = const { RefCell::new(BTreeMap::new()) };
}

/// The bytes of a page compressed with an effort, as zstd counts.
fn compressed(bytes: &[u8], level: i32) -> Result<Vec<u8>> {
    COMPRESSORS.with_borrow_mut(|compressors| {
        let compressor = match compressors.entry(level) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(none) => none.insert(Compressor::new(level)?),
        };
        Ok(compressor.compress(bytes)?)
    })
}

/// More than the header of a page takes.
const HEADER_BYTES: usize = 64;

/// The pages of a column, in order.
#[derive(Debug)]
pub(crate) struct Pages {
    descriptor: ColumnDescPtr,
    level: i32,
    encoding: Encoding,
    values_per_row: usize,
    /// The pages, which are put together once: a vector that grows would be copied again and again.
    pages: Vec<Vec<u8>>,
    length: usize,
    locations: Vec<PageLocation>,
    uncompressed: usize,
    rows: usize,
}

impl Pages {
    /// Pages that are compressed with an effort, as zstd counts, and whose values are written in one way.
    pub(crate) fn new(
        descriptor: ColumnDescPtr,
        level: i32,
        encoding: Encoding,
        values_per_row: usize,
    ) -> Self {
        let (pages, locations) = (Vec::new(), Vec::new());
        Self {
            descriptor,
            level,
            encoding,
            values_per_row,
            pages,
            length: 0,
            locations,
            uncompressed: 0,
            rows: 0,
        }
    }

    /// The page of some rows, from its levels and values.
    pub(crate) fn page(&self, body: &[u8], rows: usize) -> Result<EncodedPage> {
        let page = Page::DataPage {
            buf: compressed(body, self.level)?.into(),
            num_values: (rows * self.values_per_row) as u32,
            encoding: self.encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        EncodedPage::new(page, body.len())
    }

    /// Adds the page of the next rows.
    pub(crate) fn add(&mut self, page: EncodedPage, rows: usize) {
        self.locations.push(PageLocation {
            offset: self.length as i64,
            compressed_page_size: page.compressed as i32,
            first_row_index: self.rows as i64,
        });
        self.length += page.bytes.len();
        self.pages.push(page.bytes);
        self.uncompressed += page.uncompressed;
        self.rows += rows;
    }

    /// The bytes of the column and what Parquet has to know of them. The dictionary, if values are codes, is a page before the
    /// rows and the number of texts in it.
    pub(crate) fn close(
        mut self,
        dictionary: Option<(&[u8], usize)>,
        statistics: Option<Statistics>,
    ) -> Result<(Bytes, ColumnCloseResult)> {
        let stats = |page_type, encoding, count| PageEncodingStats { page_type, encoding, count };
        let mut pages = vec![stats(PageType::DATA_PAGE, self.encoding, self.locations.len() as i32)];
        let mut encodings = vec![Encoding::RLE, self.encoding];
        let mut chunk = ColumnChunkMetaData::builder(self.descriptor)
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_num_values((self.rows * self.values_per_row) as i64);
        let mut bytes = Vec::new();
        if let Some((texts, number)) = dictionary {
            let page = Page::DictionaryPage {
                buf: compressed(texts, self.level)?.into(),
                num_values: number as u32,
                encoding: Encoding::PLAIN,
                is_sorted: false,
            };
            let page = EncodedPage::new(page, texts.len())?;
            let first = page.compressed as i64;
            self.uncompressed += page.uncompressed;
            bytes.push(page.bytes);
            for location in &mut self.locations {
                location.offset += first;
            }
            pages.insert(0, stats(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1));
            encodings.insert(0, Encoding::PLAIN);
            chunk = chunk.set_data_page_offset(first).set_dictionary_page_offset(Some(0));
        }
        if let Some(statistics) = statistics {
            chunk = chunk.set_statistics(statistics);
        }
        bytes.append(&mut self.pages);
        let bytes = bytes.concat();
        let metadata = chunk
            .set_encodings(encodings)
            .set_page_encoding_stats(pages)
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .build()?;
        let result = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: Some(OffsetIndexMetaData {
                page_locations: self.locations,
                unencoded_byte_array_data_bytes: None,
            }),
        };
        Ok((bytes.into(), result))
    }
}

/// Appends codes of some bits in Parquet's hybrid of runs and packed groups of eight.
pub(crate) fn encode(codes: &[u32], width: u32, out: &mut Vec<u8>) {
    let (mut packed, mut at) = (0, 0);
    while at < codes.len() {
        let run = codes[at..].iter().take_while(|code| **code == codes[at]).count();
        if run >= RUN {
            pack(&codes[packed..at], width, out);
            length((run as u64) << 1, out);
            out.extend_from_slice(&codes[at].to_le_bytes()[..width.div_ceil(8) as usize]);
            at += run;
            packed = at;
        } else {
            at = codes.len().min(at + 8);
        }
    }
    pack(&codes[packed..], width, out);
}

/// Appends groups of eight codes; only the last group of a page may have fewer.
fn pack(codes: &[u32], width: u32, out: &mut Vec<u8>) {
    if codes.is_empty() {
        return;
    }
    let groups = codes.len().div_ceil(8);
    length((groups as u64) << 1 | 1, out);
    let end = out.len() + groups * width as usize;
    let (mut bits, mut used) = (0_u64, 0);
    for code in codes {
        bits |= u64::from(*code) << used;
        used += width;
        if used >= u32::BITS {
            out.extend_from_slice(&(bits as u32).to_le_bytes());
            bits >>= u32::BITS;
            used -= u32::BITS;
        }
    }
    out.extend_from_slice(&bits.to_le_bytes());
    out.resize(end, 0);
}

/// Appends a number in groups of seven bits, the lowest first.
fn length(mut number: u64, out: &mut Vec<u8>) {
    while number >= 128 {
        out.push(number as u8 | 128);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Codes by the letter of Parquet's description of its hybrid, bit by bit.
    fn decode(mut bytes: &[u8], width: u32, count: usize) -> Vec<u32> {
        let mut codes = Vec::new();
        while codes.len() < count {
            let (mut header, mut shift) = (0_usize, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                header |= usize::from(byte & 127) << shift;
                shift += 7;
                if byte < 128 {
                    break;
                }
            }
            let bit = |bytes: &[u8], at: usize| u32::from(bytes[at / 8] >> (at % 8) & 1);
            let value = |bytes: &[u8], from: usize| {
                (0..width as usize).fold(0, |value, at| value | bit(bytes, from + at) << at)
            };
            let used = if header & 1 == 1 {
                let values = header / 2 * 8;
                codes.extend((0..values).map(|at| value(bytes, at * width as usize)));
                values * width as usize / 8
            } else {
                codes.extend(std::iter::repeat_n(value(bytes, 0), header / 2));
                width.div_ceil(8) as usize
            };
            bytes = &bytes[used..];
        }
        assert!(bytes.is_empty() && codes[count..].iter().all(|code| *code == 0));
        codes.truncate(count);
        codes
    }

    proptest! {
        #[test]
        fn codes_are_read_as_they_were(
            width in 0..32_u32,
            runs in prop::collection::vec((any::<u32>(), prop_oneof![Just(1), 1..40_usize]), 1..60),
        ) {
            let code = |value: u32| value & ((1_u64 << width) - 1) as u32;
            let codes: Vec<u32> =
                runs.iter().flat_map(|(value, times)| std::iter::repeat_n(code(*value), *times)).collect();
            let mut bytes = Vec::new();
            encode(&codes, width, &mut bytes);
            prop_assert_eq!(decode(&bytes, width, codes.len()), codes);
        }
    }
}
