//! From raw files to panels.

use super::kinds::{
    Category, Class, Date, Flag, Float, Index, Integer, Nullable, Optional, Text, Time, Trait, Vector32,
    Vector64,
};

tables! {
    /// Validated transactions, one row each.
    Ledger by LedgerColumns = "ledger", 1 {
        customer: Category = "customer id, as given or as a keyed hash",
        time: Time = "local wall-clock time of the transaction",
        amount_minor: Integer = "amount in minor units of the currency; negative is money spent, positive a refund or income",
        class: Category = "transaction class of the taxonomy",
        transaction: Optional<Text> = "transaction id, unique in the ledger",
        channel: Optional<Category> = "channel of the transaction",
        place: Optional<Category> = "place of the transaction",
        balance_minor: Optional<Integer> = "balance of the account after the transaction, in minor units",
    }

    /// The classes of a ledger.
    Taxonomy of TaxonomyRow = "taxonomy", 1 {
        class: Text = "transaction class",
        flow: Text = "spending, income or ignored",
        codes: Text = "the raw codes mapped to the class, joined by `|`",
    }

    /// Coefficients that link classes to traits.
    Coefficients = "coefficients", 1 {
        class: Text = "transaction class",
        population_share: Nullable<Float> = "share of the population's spending",
        coefficient: Vector64<Trait> = "coefficient of the class for each trait",
    }

    /// Spending shares: one row per customer and period, ordered by both.
    Panel = "panel", 1 {
        customer: Text = "customer id",
        period: Index = "period, from 0",
        start: Date = "first day of the period",
        end: Date = "first day after the period",
        total_minor: Integer = "money spent in the period in minor units; of a carried row, that of the row it repeats",
        observed: Flag = "whether the period has spending of its own (false: carried from another period, or an all-zero row)",
        share: Vector32<Class> = "share of the period's spending per class; sums to 1, or to 0 for an all-zero row",
    }

    /// Customers of the ledger who are not in a panel: one row per customer and window, ordered by window and customer.
    LeftOut of LeftOutRow = "left_out", 1 {
        window: Category = "the window as written",
        customer: Text = "customer id",
        reason: Category = "`few-periods` (too few have spending for the rule about empty ones), `no-spending`, `money-in` (no spending, but money came in, in classes of spending) or `no-anchor` (no last day of their own)",
        periods_with_spending: Index = "periods of the window with spending",
        periods: Index = "periods of the window",
    }

    /// Balances of accounts, one row per customer and period of the panel.
    Balances of BalanceRow = "balances", 1 {
        customer: Text = "customer id",
        period: Index = "period, from 0",
        balance_minor: Integer = "mean of the month-end balances, in minor units",
        lowest_minor: Integer = "lowest balance of the period, in minor units",
        inflow_minor: Integer = "money received in the period, in minor units",
    }
}
