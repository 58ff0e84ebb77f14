//! The ledger's files: what is known without reading rows, and the customers.

use std::{path::PathBuf, sync::Arc};

use arrow::{
    array::{Array, AsArray},
    datatypes::{Int32Type, TimestampMillisecondType},
};
use hashbrown::HashSet;
use jiff::civil::Date;
use parquet::{
    arrow::ProjectionMask,
    basic::Encoding,
    column::page::{Page, PageReader},
    file::{
        metadata::{ParquetMetaData, RowGroupMetaData},
        serialized_reader::SerializedPageReader,
        statistics::Statistics,
    },
};
use spendscape_schema::{
    Table, day,
    tables::{self, LedgerColumns},
};
use spendscape_store::{TableFile, TableReader};

use crate::Error;

/// The names of a ledger's columns.
pub(crate) const NAMES: LedgerColumns<&str> = tables::Ledger::NAMES;

/// One row group of one file, and the range of its times where its statistics tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowGroup {
    pub(crate) file: usize,
    pub(crate) index: usize,
    pub(crate) times: (i64, i64),
}

/// The files of a ledger, opened and checked.
#[derive(Debug)]
pub(crate) struct Ledger {
    files: Vec<(PathBuf, TableFile)>,
    pub(crate) groups: Vec<RowGroup>,
    pub(crate) rows: u64,
    /// First and last time of any row.
    pub(crate) times: (i64, i64),
}

/// Rows decoded at a time: large enough that the calls per batch do not show, small enough for the second-level cache.
const BATCH_ROWS: usize = 16 * 1024;

impl Ledger {
    /// Opens ledger tables.
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut ledger = Self { files: Vec::new(), groups: Vec::new(), rows: 0, times: (i64::MAX, i64::MIN) };
        for path in paths {
            ledger.files.push((path.clone(), TableFile::open(path, Table::Ledger)?));
        }
        for file in 0..ledger.files.len() {
            for index in 0..ledger.metadata(file).num_row_groups() {
                let rows = ledger.group(file, index).num_rows();
                if rows == 0 {
                    continue;
                }
                let times = ledger.times_of(file, index)?;
                ledger.times = (ledger.times.0.min(times.0), ledger.times.1.max(times.1));
                ledger.rows += rows as u64;
                ledger.groups.push(RowGroup { file, index, times });
            }
        }
        if ledger.rows == 0 {
            return Err(Error::EmptyLedger { paths: paths.to_vec() });
        }
        Ok(ledger)
    }

    /// First and last day of any row.
    pub(crate) fn days(&self) -> Result<(Date, Date), Error> {
        let day = |millis| day::of_millis(millis).ok_or(Error::TimeOutsideCalendar { millis });
        Ok((day(self.times.0)?, day(self.times.1)?))
    }

    /// The path of a file.
    pub(crate) fn path(&self, file: usize) -> &PathBuf {
        &self.files[file].0
    }

    fn metadata(&self, file: usize) -> &ParquetMetaData {
        self.files[file].1.metadata().metadata()
    }

    fn group(&self, file: usize, index: usize) -> &RowGroupMetaData {
        self.metadata(file).row_group(index)
    }

    /// Number of rows of a row group.
    pub(crate) fn rows_of(&self, group: RowGroup) -> usize {
        self.group(group.file, group.index).num_rows() as usize
    }

    fn column(&self, file: usize, name: &str) -> usize {
        // The columns were checked when the file was opened, and none is nested: fields and leaves coincide.
        self.files[file].1.metadata().schema().index_of(name).unwrap_or(0)
    }

    /// A reader of some columns of one row group. A reader never spans row groups, so that a dictionary column keeps
    /// one dictionary.
    pub(crate) fn read(&self, file: usize, group: usize, columns: &[&str]) -> Result<TableReader, Error> {
        let leaves: Vec<usize> = columns.iter().map(|name| self.column(file, name)).collect();
        let mask = ProjectionMask::leaves(self.metadata(file).file_metadata().schema_descr(), leaves);
        let reader = self.files[file]
            .1
            .read(Some(group), |builder| builder.with_projection(mask).with_batch_size(BATCH_ROWS))?;
        Ok(reader)
    }

    fn times_of(&self, file: usize, group: usize) -> Result<(i64, i64), Error> {
        let column = self.column(file, NAMES.time);
        let chunk = self.group(file, group).column(column);
        if let Some(Statistics::Int64(times)) = chunk.statistics()
            && let (Some(min), Some(max)) = (times.min_opt(), times.max_opt())
        {
            return Ok((*min, *max));
        }
        let (mut min, mut max) = (i64::MAX, i64::MIN);
        for batch in self.read(file, group, &[NAMES.time])? {
            let batch = batch?;
            for time in batch.column(0).as_primitive::<TimestampMillisecondType>().values() {
                (min, max) = (min.min(*time), max.max(*time));
            }
        }
        Ok((min, max))
    }

    /// Every customer, ascending.
    ///
    /// The dictionary page of a fully dictionary-encoded column chunk holds its customers, so no row is decoded; a chunk
    /// that outgrew its dictionary is read.
    pub(crate) fn customers(&self) -> Result<Vec<String>, Error> {
        let mut seen: HashSet<String> = HashSet::new();
        let mut see = |customer: &str| {
            if !seen.contains(customer) {
                seen.insert(customer.to_owned());
            }
        };
        for file in 0..self.files.len() {
            let (path, table) = &self.files[file];
            let refuse = |source| Error::Parquet { path: path.clone(), source };
            let chunks = Arc::new(table.chunks()?);
            let column = self.column(file, NAMES.customer);
            for group in self.groups.iter().filter(|group| group.file == file) {
                let chunk = self.group(file, group.index).column(column);
                let only_dictionary = chunk.page_encoding_stats_mask().is_some_and(|mask| {
                    mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY)
                });
                let page = match only_dictionary {
                    true => SerializedPageReader::new(chunks.clone(), chunk, self.rows_of(*group), None)
                        .and_then(|mut pages| pages.get_next_page())
                        .map_err(refuse)?,
                    false => None,
                };
                if let Some(Page::DictionaryPage { buf, num_values, encoding: Encoding::PLAIN, .. }) = page
                    && let Some(customers) = plain_texts(&buf, num_values as usize)
                {
                    customers.into_iter().for_each(&mut see);
                    continue;
                }
                for batch in self.read(file, group.index, &[NAMES.customer])? {
                    let batch = batch?;
                    let column = batch.column(0).as_dictionary::<Int32Type>();
                    if column.null_count() > 0 {
                        return Err(Error::NullInLedger {
                            path: path.clone(),
                            column: NAMES.customer.to_owned(),
                        });
                    }
                    column.values().as_string::<i32>().iter().flatten().for_each(&mut see);
                }
            }
        }
        let mut customers: Vec<String> = seen.into_iter().collect();
        customers.sort_unstable();
        Ok(customers)
    }
}

/// The texts of a plainly encoded page: each with its length in four little-endian bytes in front.
fn plain_texts(mut page: &[u8], count: usize) -> Option<Vec<&str>> {
    let mut texts = Vec::with_capacity(count.min(page.len()));
    for _ in 0..count {
        let (length, rest) = page.split_first_chunk::<4>()?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        texts.push(std::str::from_utf8(text).ok()?);
        page = rest;
    }
    Some(texts)
}
