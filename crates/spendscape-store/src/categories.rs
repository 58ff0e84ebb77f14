//! Columns of categories as Parquet pages: rows are places in a dictionary already, so that a text is looked up once for
//! each dictionary that names it. Parquet's own writer looks up the text of every row.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray},
    datatypes::{DataType, Field, Int32Type},
};
use bytes::Bytes;
use hashbrown::HashMap;
use parquet::{
    basic::{Compression, Encoding},
    column::writer::ColumnCloseResult,
    errors::{ParquetError, Result},
    file::properties::WriterProperties,
    schema::types::ColumnDescPtr,
};

use crate::pages::{Pages, encode};

/// Rows of a page, as many as Parquet's own writer puts into one.
const PAGE_ROWS: usize = 20_000;

/// The code of a text that no row has named yet.
const UNKNOWN: u32 = u32::MAX;

/// The categories of a column of a row group.
#[derive(Debug)]
pub(crate) struct CategoryColumn {
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
    pages: Pages,
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
            codes: HashMap::new(),
            dictionary: Vec::new(),
            last: None,
            page: Vec::with_capacity(PAGE_ROWS),
            levels: field.is_nullable().then(Vec::new),
            page_rows: 0,
            pages: Pages::new(descriptor, level.compression_level(), Encoding::RLE_DICTIONARY, 1),
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
        let page = self.pages.page(&buffer, rows)?;
        self.pages.add(page, rows);
        Ok(())
    }

    /// The bytes of the column, its dictionary before its rows, and what Parquet has to know of them.
    pub(crate) fn close(mut self) -> Result<(Bytes, ColumnCloseResult)> {
        self.end_page()?;
        self.pages.close(Some((&self.dictionary, self.codes.len())), None)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, Int32Array, Int64Array, RecordBatch, TimestampMillisecondArray};
    use spendscape_schema::{Axes, Table, tables::Ledger};

    use super::*;
    use crate::{Provenance, TableFile, TableWriter, read_table};

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
        assert_eq!(stored.text(Ledger::NAMES.customer).unwrap(), customers);
        assert_eq!(stored.text(Ledger::NAMES.class).unwrap(), classes);
        assert_eq!(stored.optional_text(Ledger::NAMES.channel).unwrap(), channels);
        assert_eq!(stored.optional_text(Ledger::NAMES.place).unwrap(), vec![None; channels.len()]);
    }
}
