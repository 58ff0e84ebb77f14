//! Panels, balances and blocks of customers from ledger tables.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod balances;
mod blocks;
mod common;
mod panel;

fn assert_send_sync<T: Send + Sync>() {}

#[test]
fn main_types_are_send_and_sync() {
    assert_send_sync::<spendscape_ledger::PanelRequest>();
    assert_send_sync::<spendscape_ledger::Panels>();
    assert_send_sync::<spendscape_ledger::Error>();
}
