//! What happened on the way from raw files to a ledger.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::Serialize;
use spendscape_store::Digest;

use spendscape_schema::Tally;

use crate::{Place, place::printable};

/// What became of every row read.
#[derive(Debug, Clone, Serialize)]
pub struct IngestReport {
    /// The files, in the order read.
    pub files: Vec<FileReport>,
    /// Rows read.
    pub rows_read: u64,
    /// Rows of the ledger.
    pub rows_written: u64,
    /// Rows that `rows.where` filtered out.
    pub filtered: Tally<Example>,
    /// Rows dropped because they have no customer.
    pub without_customer: Tally<Example>,
    /// Rows dropped because their time lies outside the days allowed.
    pub outside_time: Tally<Example>,
    /// Rows whose value a joined file lacks, and which have none of its columns.
    pub without_partner: Tally<Example>,
    /// Rows whose time was one of another zone (an instant with an offset, or of `time.source_zone`) and was converted to the
    /// ledger's local time.
    pub zones_converted: u64,
    /// Rows dropped because no class claims their code.
    pub unmapped_dropped: Tally<Example>,
    /// Rows that the taxonomy's class for unmapped codes took.
    pub unmapped_kept: Tally<Example>,
    /// The unmapped codes with their rows, at most the first 1,000 codes.
    pub unmapped_codes: BTreeMap<String, u64>,
    /// Last lines that were cut, and dropped.
    pub cut_last_lines: Tally<Example>,
    /// Lines left out because `source.not_rows` names them or all their fields are empty.
    pub not_rows: Tally<Example>,
    /// Lines left out because they repeat the header.
    pub repeated_headers: Tally<Example>,
    /// Entries of statements left out because they are not booked.
    pub pending: Tally<Example>,
    /// Statements whose entries do not lead from their opening to their closing balance.
    pub unbalanced: Tally<Example>,
    /// Rows dropped because they repeat an earlier one in every column.
    pub repeated: Tally<Example>,
    /// Rows of the ledger per class.
    pub classes: BTreeMap<String, u64>,
    /// First and last local time of the ledger.
    pub times: Option<(String, String)>,
    /// Whether transaction ids were read, and so found to be unique.
    pub unique_transactions: bool,
    /// Digest of the ledger's content.
    pub digest: Digest,
}

/// One file.
#[derive(Debug, Clone, Serialize)]
pub struct FileReport {
    /// Where it is.
    pub path: PathBuf,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Rows read from it.
    pub rows: u64,
    /// Lines above its header, or above its first row where the map names the columns.
    pub lines_above: u64,
    /// Empty fields behind the last column, which every row has.
    pub surplus_fields: usize,
    /// Columns that are read and that it lacks, as `source.absent` allows: null in all its rows.
    pub absent: Vec<String>,
    /// Whether its last line lacks a line end although it has all its fields: look whether the file is whole.
    pub unterminated: bool,
}

/// A row with what happened to it.
#[derive(Debug, Clone, Serialize)]
pub struct Example {
    /// Where it stands.
    pub place: Place,
    /// Why.
    pub why: String,
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, printable(&self.why))
    }
}
