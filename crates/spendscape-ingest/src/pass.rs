//! A pass over the files: its options, and what it saw.

use super::{places::FileEnd, report::Example, source::BLOCK_BYTES};
use spendscape_schema::Tally;
use spendscape_store::Digest;

/// Options of a pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pass {
    pub(crate) allow_cut_last_line: bool,
    /// Only customers, times and classes are wanted.
    pub(crate) classes_only: bool,
    /// Bytes of a piece of text, about.
    pub(crate) block_bytes: usize,
    /// The digests of text files are wanted.
    pub(crate) digests: bool,
}

impl Pass {
    pub(crate) fn new(allow_cut_last_line: bool) -> Self {
        Self { allow_cut_last_line, classes_only: false, block_bytes: BLOCK_BYTES, digests: false }
    }
}

/// What a pass saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) filtered: Tally<Example>,
    pub(crate) without_customer: Tally<Example>,
    /// Times that were converted to the ledger's zone.
    pub(crate) zones_converted: u64,
    pub(crate) outside_time: Tally<Example>,
    /// Rows whose value a joined file lacks.
    pub(crate) without_partner: Tally<Example>,
    pub(crate) ends: Vec<FileEnd>,
    /// The digests of the files, if they were wanted.
    pub(crate) digests: Vec<Digest>,
}

impl Seen {
    /// Adds what was seen of the rows that follow.
    pub(crate) fn join(&mut self, other: Self) {
        self.filtered.join(other.filtered);
        self.without_customer.join(other.without_customer);
        self.zones_converted += other.zones_converted;
        self.outside_time.join(other.outside_time);
        self.without_partner.join(other.without_partner);
    }
}
