//! Raw files to ledgers, and maps proposed for them.

#![allow(clippy::print_stdout, reason = "figures that tests show")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod debit_credit;
mod dialects;
mod engines;
mod forms;
mod ingest;
mod join;
mod parts;
mod proposal;
mod real;
mod refused;
mod statement;
mod threads;

use spendscape_schema::tables::{Ledger, LedgerColumns};

/// The names of a ledger's columns.
const NAMES: LedgerColumns<&str> = Ledger::NAMES;

fn assert_send_sync<T: Send + Sync>() {}

#[test]
fn main_types_are_send_and_sync() {
    assert_send_sync::<spendscape_ingest::ColumnMap>();
    assert_send_sync::<spendscape_ingest::IngestReport>();
    assert_send_sync::<spendscape_ingest::Error>();
}
