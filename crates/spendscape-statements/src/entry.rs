//! An entry of an account, and the totals of a statement.

use crate::Moment;

/// An entry of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The account.
    pub account: String,
    /// The currency of the amount, by its code of three letters.
    pub currency: String,
    /// When it was booked.
    pub booked: Option<Moment>,
    /// The day from which it bears interest, `2019-05-02`.
    pub value_date: Option<String>,
    /// In units of 10^-5 ([`SCALE`](crate::SCALE)), signed as in the bank's books: negative for money that goes out, also
    /// for what is taken back.
    pub amount: i128,
    /// Whether it takes back another entry. The amount has its sign already.
    pub reversal: bool,
    /// Whether it is not booked yet.
    pub pending: bool,
    /// The bank's id.
    pub id: Option<String>,
    /// The id of the one who ordered it.
    pub reference: Option<String>,
    /// The name at the other end.
    pub counterparty: Option<String>,
    /// The account at the other end.
    pub counterparty_account: Option<String>,
    /// The purpose.
    pub text: Option<String>,
    /// The kind of transaction.
    pub code: Option<String>,
    /// The bank's own kind of transaction.
    pub bank_code: Option<String>,
    /// The merchant's code (ISO 18245).
    pub merchant_code: Option<String>,
    /// The id of the statement.
    pub statement: Option<String>,
}

/// Balances of a statement and the sum of its entries, in units of 10^-5 ([`SCALE`](crate::SCALE)).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// The line on which the statement begins, from 1.
    pub line: u64,
    /// The balance before its entries.
    pub opening: Option<i128>,
    /// The balance after them.
    pub closing: Option<i128>,
    /// The sum of its booked entries.
    pub sum: i128,
}

impl Totals {
    /// Whether the entries lead from one balance to the other; `None` where a balance is not told.
    #[must_use]
    pub fn are_balanced(&self) -> Option<bool> {
        Some(self.closing? - self.opening? == self.sum)
    }
}
