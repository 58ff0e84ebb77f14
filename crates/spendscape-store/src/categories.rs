//! Columns of categories as Parquet pages: rows are places in a dictionary already, so that a text is looked up once for
//! each dictionary that names it. Parquet's own writer looks up the text of every row.

use std::{collections::HashMap, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray},
    datatypes::{DataType, Field, Int32Type},
};
use bytes::Bytes;
use parquet::{
    basic::{Compression, Encoding, PageType, ZstdLevel},
    column::{
        page::{CompressedPage, Page, PageWriter},
        writer::ColumnCloseResult,
    },
    errors::{ParquetError, Result},
    file::{
        metadata::{ColumnChunkMetaData, PageEncodingStats},
        page_index::offset_index::{OffsetIndexMetaData, PageLocation},
        properties::WriterProperties,
        writer::{SerializedPageWriter, TrackedWrite},
    },
    schema::types::ColumnDescPtr,
};

/// Rows of a page, as many as Parquet's own writer puts into one.
const PAGE_ROWS: usize = 20_000;

/// Equal values in a row from which on they are written as their number.
const RUN: usize = 8;

/// The code of a text that no row has named yet.
const UNKNOWN: u32 = u32::MAX;

/// The categories of a column of a row group.
#[derive(Debug)]
pub(crate) struct CategoryColumn {
    descriptor: ColumnDescPtr,
    level: ZstdLevel,
    /// The place of each text in the dictionary of the row group.
    codes: HashMap<Box<str>, u32>,
    /// The page of that dictionary: each text with its length in front.
    dictionary: Vec<u8>,
    /// The dictionary of the last rows, and the codes of its texts.
    last: Option<(ArrayRef, Vec<u32>)>,
    /// Codes of the rows of the page at hand that are not null.
    page: Vec<u32>,
    /// Which rows of the page are not null, if any row may be.
    levels: Option<Vec<u32>>,
    page_rows: usize,
    pages: Vec<u8>,
    locations: Vec<PageLocation>,
    uncompressed: usize,
    rows: usize,
}

impl CategoryColumn {
    /// A column for values of a field, if it holds categories and is laid out as tables are by default.
    pub(crate) fn new(
        field: &Field,
        descriptor: ColumnDescPtr,
        properties: &WriterProperties,
    ) -> Option<Self> {
        let category = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let Compression::ZSTD(level) = properties.compression(descriptor.path()) else { return None };
        let has_dictionary = properties.dictionary_enabled(descriptor.path());
        if *field.data_type() != category || !has_dictionary {
            return None;
        }
        Some(Self {
            descriptor,
            level,
            codes: HashMap::new(),
            dictionary: Vec::new(),
            last: None,
            page: Vec::with_capacity(PAGE_ROWS),
            levels: field.is_nullable().then(Vec::new),
            page_rows: 0,
            pages: Vec::new(),
            locations: Vec::new(),
            uncompressed: 0,
            rows: 0,
        })
    }

    /// Adds rows.
    pub(crate) fn write(&mut self, values: &ArrayRef) -> Result<()> {
        let values = values.as_dictionary::<Int32Type>();
        let (own, mut known) = match self.last.take() {
            Some((own, known)) if Arc::ptr_eq(&own, values.values()) => (own, known),
            _ => (values.values().clone(), vec![UNKNOWN; values.values().len()]),
        };
        let texts: &StringArray = own.as_string();
        let mut first = 0;
        while first < values.len() {
            let rows = first..values.len().min(first + PAGE_ROWS - self.page_rows);
            let keys = values.keys().slice(rows.start, rows.len());
            for at in keys.iter().flatten().map(|key| key as usize) {
                if known[at] == UNKNOWN {
                    known[at] = self.code(texts.value(at))?;
                }
                self.page.push(known[at]);
            }
            if let Some(levels) = &mut self.levels {
                levels.extend((0..keys.len()).map(|row| u32::from(keys.is_valid(row))));
            }
            self.page_rows += rows.len();
            if self.page_rows == PAGE_ROWS {
                self.end_page()?;
            }
            first = rows.end;
        }
        self.last = Some((own, known));
        Ok(())
    }

    fn code(&mut self, text: &str) -> Result<u32> {
        if let Some(code) = self.codes.get(text) {
            return Ok(*code);
        }
        let code = self.codes.len() as u32;
        self.codes.insert(text.into(), code);
        let length = i32::try_from(text.len()).map_err(|source| ParquetError::External(source.into()))?;
        self.dictionary.extend_from_slice(&length.to_le_bytes());
        self.dictionary.extend_from_slice(text.as_bytes());
        Ok(code)
    }

    fn end_page(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.page_rows);
        if rows == 0 {
            return Ok(());
        }
        let mut buffer = Vec::new();
        if let Some(levels) = &mut self.levels {
            buffer.resize(size_of::<u32>(), 0);
            encode(levels, 1, &mut buffer);
            let length = (buffer.len() - size_of::<u32>()) as u32;
            buffer[..size_of::<u32>()].copy_from_slice(&length.to_le_bytes());
            levels.clear();
        }
        let width = u32::BITS - (self.codes.len().max(1) as u32 - 1).leading_zeros();
        buffer.push(width as u8);
        encode(&self.page, width, &mut buffer);
        self.page.clear();
        let page = Page::DataPage {
            buf: self.compressed(&buffer)?,
            num_values: rows as u32,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let page = CompressedPage::new(page, buffer.len());
        let offset = self.pages.len() as i64;
        let (compressed, uncompressed) = append_page(page, &mut self.pages)?;
        self.uncompressed += uncompressed;
        self.locations.push(PageLocation {
            offset,
            compressed_page_size: compressed as i32,
            first_row_index: self.rows as i64,
        });
        self.rows += rows;
        Ok(())
    }

    fn compressed(&self, bytes: &[u8]) -> Result<Bytes> {
        Ok(zstd::bulk::compress(bytes, self.level.compression_level())?.into())
    }

    /// The bytes of the column, its dictionary before its rows, and what Parquet has to know of them.
    pub(crate) fn close(mut self) -> Result<(Bytes, ColumnCloseResult)> {
        self.end_page()?;
        let page = Page::DictionaryPage {
            buf: self.compressed(&self.dictionary)?,
            num_values: self.codes.len() as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let page = CompressedPage::new(page, self.dictionary.len());
        let mut bytes = Vec::new();
        let (first, uncompressed) = append_page(page, &mut bytes)?;
        let first = first as i64;
        bytes.append(&mut self.pages);
        for location in &mut self.locations {
            location.offset += first;
        }
        let stats = |page_type, encoding, count| PageEncodingStats { page_type, encoding, count };
        let metadata = ColumnChunkMetaData::builder(self.descriptor)
            .set_compression(Compression::ZSTD(self.level))
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
            .set_page_encoding_stats(vec![
                stats(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1),
                stats(PageType::DATA_PAGE, Encoding::RLE_DICTIONARY, self.locations.len() as i32),
            ])
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size((self.uncompressed + uncompressed) as i64)
            .set_num_values(self.rows as i64)
            .set_data_page_offset(first)
            .set_dictionary_page_offset(Some(0))
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

/// Appends a page with its header; returns how many bytes it takes compressed and not.
fn append_page(page: CompressedPage, bytes: &mut Vec<u8>) -> Result<(usize, usize)> {
    let mut sink = TrackedWrite::new(Vec::new());
    let written = SerializedPageWriter::new(&mut sink).write_page(page)?;
    bytes.append(&mut sink.into_inner()?);
    Ok((written.compressed_size, written.uncompressed_size))
}

/// Appends codes of some bits in Parquet's hybrid of runs and packed groups of eight.
fn encode(codes: &[u32], width: u32, out: &mut Vec<u8>) {
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
    use arrow::array::{DictionaryArray, Int32Array, Int64Array, RecordBatch, TimestampMillisecondArray};
    use proptest::prelude::*;
    use spendscape_schema::{Axes, Table};

    use super::*;
    use crate::{Provenance, TableFile, TableWriter, read_table};

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

    /// Categories of rows, over a dictionary of their own.
    fn categories(dictionary: Vec<String>, keys: Vec<i32>) -> ArrayRef {
        let texts: ArrayRef = Arc::new(StringArray::from(dictionary));
        Arc::new(DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys), texts).unwrap())
    }

    /// A dictionary names a text twice and texts that no row has, the next one names them elsewhere, and pages end within.
    #[test]
    fn categories_are_read_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.parquet");
        let schema = Table::Ledger.schema_with(&Axes::new(), &["channel", "place"]).unwrap();
        let mut writer =
            TableWriter::create(&path, Table::Ledger, schema.clone(), Provenance::new("test")).unwrap();
        let (mut customers, mut classes, mut channels) = (Vec::new(), Vec::new(), Vec::new());
        let mut drawn = 1_u64;
        let mut draw = |below: usize| {
            drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (drawn >> 33) as usize % below
        };
        for rows in [7, 45_000, 1, 30_000] {
            let first = draw(900);
            let names: Vec<String> = (0..2_000).map(|at| format!("customer {}", first + at / 2)).collect();
            let keys: Vec<usize> = (0..rows).map(|_| draw(1_500)).collect();
            let kinds = ["rent", "", "groceries of some length, \u{e9}"].map(str::to_owned);
            // Long runs, and some that are too short to be written as one.
            let kind_keys: Vec<usize> =
                (0..rows).map(|row| if row % 90 < 60 { 2 } else { row / 5 % 3 }).collect();
            customers.extend(keys.iter().map(|key| names[*key].clone()));
            classes.extend(kind_keys.iter().map(|key| kinds[*key].clone()));
            // The first rows have no channel at all.
            let own: Vec<Option<&str>> = (0..rows)
                .map(|row| (rows > 7 && row % 70 > 40).then_some(["card", "online"][row % 2]))
                .collect();
            channels.extend(own.iter().map(|channel| channel.map(str::to_owned)));
            let places = |keys: Vec<usize>| keys.into_iter().map(|key| key as i32).collect();
            let columns: Vec<ArrayRef> = vec![
                categories(names, places(keys)),
                Arc::new(TimestampMillisecondArray::from(vec![0; rows])),
                Arc::new(Int64Array::from(vec![1; rows])),
                categories(kinds.to_vec(), places(kind_keys)),
                Arc::new(own.into_iter().collect::<DictionaryArray<Int32Type>>()),
                Arc::new(std::iter::repeat_n(None::<&str>, rows).collect::<DictionaryArray<Int32Type>>()),
            ];
            writer.write(&RecordBatch::try_new(schema.clone(), columns).unwrap()).unwrap();
        }
        writer.finish().unwrap();
        let file = TableFile::open(&path, Table::Ledger).unwrap();
        let encodings: Vec<_> = file.metadata().metadata().row_group(0).column(0).encodings().collect();
        assert!(encodings.contains(&Encoding::RLE_DICTIONARY), "{encodings:?}");
        let stored = read_table(&path, Table::Ledger).unwrap().rows;
        assert_eq!(stored.text("customer").unwrap(), customers);
        assert_eq!(stored.text("class").unwrap(), classes);
        assert_eq!(stored.optional_text("channel").unwrap(), channels);
        assert_eq!(stored.optional_text("place").unwrap(), vec![None; channels.len()]);
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
