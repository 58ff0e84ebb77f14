//! Transactions to a validated ledger, and the ledger to panels.

mod ledger;
mod options;
mod panel;

use anyhow::Result;
use spendscape_run::RunFolder;

pub use self::{
    ledger::{Ledger, LedgerOutputs, LedgerParams},
    options::{IngestOptions, ShortWindow},
    panel::{PanelInputs, PanelOutputs, PanelParams, PanelStage},
};

/// Makes the ledger (if raw files are given) and the panels.
///
/// # Errors
/// Names file, row and column of what cannot be taken; nothing is half-written.
pub fn ingest(run: &RunFolder, options: &IngestOptions, force: bool) -> Result<()> {
    if !options.files.is_empty() {
        ledger::ingest_raw(run, options, force)?;
    }
    panel::panels(run, options, force)
}
