//! The bank against the moments it was designed for, and the ledger against the panels.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use spendscape_synth::{Bank, BankParams, bank_coefficients};

mod goals;
mod ledger;
mod moments;
mod options;
mod outcomes;

fn bank(params: &BankParams) -> Bank {
    Bank::generate(params, &bank_coefficients().unwrap()).unwrap()
}

#[test]
fn main_types_can_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<Bank>();
    check::<BankParams>();
    check::<spendscape_synth::Error>();
}
