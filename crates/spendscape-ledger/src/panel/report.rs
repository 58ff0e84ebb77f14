//! What happened on the way from a ledger to panels.

use std::collections::BTreeMap;

use serde::Serialize;
use spendscape_schema::{LeftOut, Tally};

/// What the scan saw, for all windows together.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PanelReport {
    /// Rows of the ledger.
    pub rows: u64,
    /// First and last day of the ledger.
    pub days: Option<(String, String)>,
    /// Rows that lie in none of the windows.
    pub rows_outside: u64,
    /// Rows inside a window whose class is none of the panel's (income, ignored classes), per class.
    pub rows_of_other_classes: BTreeMap<String, u64>,
    /// Customers of the ledger.
    pub customers: usize,
    /// What was written to the scratch folder, where the memory limit made it necessary.
    pub spilled: Option<SpillReport>,
    /// One report per window specification, in the order asked for.
    pub windows: Vec<WindowReport>,
}

/// Rows that went through the scratch folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SpillReport {
    /// Files that the rows were divided into.
    pub files: usize,
    /// Bytes written to them.
    pub bytes: u64,
}

/// What became of the customers in one window specification.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct WindowReport {
    /// The specification as written.
    pub window: String,
    /// First and last day; with anchors those of the latest customer.
    pub days: Option<(String, String)>,
    /// Rows that lie outside this window.
    pub rows_outside: u64,
    /// A window of the same length that fewer rows lie outside of, if this one ends with the ledger and a day given by hand
    /// serves better.
    pub better: Option<BetterWindow>,
    /// Customers in the panel.
    pub customers: usize,
    /// Customers left out because too few of their periods have spending.
    pub dropped: Tally<String>,
    /// All customers left out, by reason.
    pub left_out: BTreeMap<LeftOut, u64>,
    /// Customers left out because they have no anchor day.
    pub without_anchor: Tally<String>,
    /// Customers in the panel with at least one period without spending.
    pub incomplete: usize,
    /// Customers in the panel without any spending.
    pub silent: usize,
    /// Panel rows that repeat another period.
    pub carried: u64,
    /// Panel rows that are all zero.
    pub zero: u64,
    /// Class totals below zero (refunds beyond the spending of the period) that were set to zero, of customers in the
    /// panel.
    pub clipped: Tally<Clipped>,
    /// What clipping added to the totals, in minor units.
    pub clipped_minor: i128,
}

/// A window that fits a ledger better than the one asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BetterWindow {
    /// What to ask for.
    pub window: String,
    /// First and last day.
    pub days: (String, String),
    /// Rows that would lie outside it.
    pub rows_outside: u64,
    /// Rows after its last day: the few that moved the window asked for.
    pub rows_later: u64,
}

/// A customer of the ledger who is not in a panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOutCustomer {
    /// The customer.
    pub customer: String,
    /// Why.
    pub reason: LeftOut,
    /// Periods of the window with spending.
    pub periods_with_spending: u16,
}

/// A class total that was below zero.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Clipped {
    /// The customer.
    pub customer: String,
    /// The period, from 0.
    pub period: u16,
    /// The class.
    pub class: String,
    /// The total before clipping, in minor units.
    pub total_minor: i64,
}
