//! What became of the transactions when groups were formed.

use serde::Serialize;
use spendscape_goals::Excluded;

/// What became of the transactions, and how much is known of whom.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct GroupsReport {
    /// Transactions read.
    pub transactions: usize,
    /// Customers, those without groups among them.
    pub customers: usize,
    /// Groups formed.
    pub groups: usize,
    /// Customers without any group: their prediction is that of a first group.
    pub customers_without_groups: usize,
    /// Customers with one group only: they have nothing to learn from.
    pub customers_with_one_group: usize,
    /// Customers of whom no covariate is known, if there are covariates.
    pub customers_without_covariates: usize,
    /// Customers of the covariates' file who have no transaction.
    pub customers_without_transactions: usize,
    /// Transactions left out: money that came in.
    pub inflows: usize,
    /// Left out: of a class that is no spending.
    pub without_goal: usize,
    /// Left out: later than the last day that counts.
    pub future: usize,
    /// Left out: of a class that the taxonomy does not have.
    pub unknown_class: usize,
    /// Some of these classes.
    pub unknown_classes: Vec<String>,
    /// Not left out, but earlier in time than one before it in the ledger.
    pub out_of_order: usize,
    /// Classes that the goal map names and the taxonomy does not have.
    pub unused_classes: Vec<String>,
    /// Passes over the ledger after the first.
    pub passes: usize,
}

impl GroupsReport {
    pub(super) fn add(&mut self, left: Excluded) {
        self.inflows += left.inflows;
        self.without_goal += left.without_goal;
        self.future += left.future;
        self.out_of_order += left.out_of_order;
    }

    pub(super) fn log(&self) {
        tracing::info!(
            transactions = self.transactions,
            customers = self.customers,
            groups = self.groups,
            "groups formed"
        );
        for (what, count) in [
            ("transactions of money that came in, left out", self.inflows),
            ("transactions of a class without goal, left out", self.without_goal),
        ] {
            if count > 0 {
                tracing::info!(count, "{what}");
            }
        }
        for (what, count) in [
            ("transactions after the last day that counts, left out", self.future),
            ("transactions of a class that the taxonomy does not have, left out", self.unknown_class),
            ("transactions earlier than one before them in the ledger, put in order", self.out_of_order),
            ("customers without any group", self.customers_without_groups),
            ("customers with one group only", self.customers_with_one_group),
            ("customers of whom no covariate is known", self.customers_without_covariates),
            ("customers of the covariates' file without a transaction", self.customers_without_transactions),
        ] {
            if count > 0 {
                tracing::warn!(count, "{what}");
            }
        }
        if !self.unknown_classes.is_empty() {
            tracing::warn!(
                examples = self.unknown_classes.join(", "),
                "classes that the taxonomy does not have"
            );
        }
        if !self.unused_classes.is_empty() {
            let classes = self.unused_classes.join(", ");
            tracing::warn!(classes, "the goal map names classes that the taxonomy does not have");
        }
    }
}
