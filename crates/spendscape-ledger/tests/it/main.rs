//! Ledgers and panels from end to end.

#![allow(clippy::print_stdout, reason = "figures that tests show")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod balances;
mod blocks;
mod common;
mod debit_credit;
mod dialects;
mod engines;
mod forms;
mod ingest;
mod join;
mod panel;
mod parts;
mod proposal;
mod real;
mod refused;
mod statement;
mod threads;

fn assert_send_sync<T: Send + Sync>() {}

#[test]
fn main_types_are_send_and_sync() {
    assert_send_sync::<spendscape_ledger::ColumnMap>();
    assert_send_sync::<spendscape_ledger::PanelRequest>();
    assert_send_sync::<spendscape_ledger::Panels>();
    assert_send_sync::<spendscape_ledger::IngestReport>();
    assert_send_sync::<spendscape_ledger::Error>();
}
