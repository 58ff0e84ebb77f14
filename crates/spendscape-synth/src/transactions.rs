//! How one customer's totals of a window become dated transactions.

use rand::{Rng, RngExt};
use spendscape_schema::seed;

use crate::{
    Bank,
    calendar::{Calendar, LAST_DUE_DAY},
    customer::UNIT_MINOR,
};

/// Classes of the bank's own table that are paid in bills, and the months from one bill to the next. Classes of other
/// tables are bought.
const BILLS: [(&str, usize); 10] = [
    ("mortgage", 1),
    ("rent", 1),
    ("electricity", 3),
    ("broadband", 3),
    ("mobile_phone", 3),
    ("water_sewage", 3),
    ("car_insurance", 6),
    ("home_insurance", 6),
    ("life_insurance", 6),
    ("property_tax", 6),
];
/// Smallest bill, 5.00: a class with smaller ones is paid at once.
const SMALLEST_BILL: u32 = 500;
/// A class is bought once, and once more for every 800.00: with the bank's own table, a ledger then has about four rows
/// for three totals.
const BASKET: u32 = 80_000;
/// Most purchases of a class in a window.
const MAX_PURCHASES: u32 = 24;
/// Share of purchases of which a part comes back.
const REFUNDED: f64 = 0.01;
/// Share of purchases that are made online.
pub(crate) const ONLINE_SHARE: f64 = 0.3;
/// Yearly income over expected yearly spending.
const INCOME_RATIO: f64 = 1.1;
/// Range of the customers' incomes around it.
const INCOME_RANGE: f64 = 0.3;
/// Raise of the salary from year to year.
const RAISE: f64 = 0.02;

/// Channels, by their place in the dictionary.
pub(crate) const CHANNELS: [&str; 4] = ["card", "online", "direct debit", "transfer"];
pub(crate) const CARD: i32 = 0;
pub(crate) const ONLINE: i32 = 1;
pub(crate) const DIRECT_DEBIT: i32 = 2;
pub(crate) const TRANSFER: i32 = 3;

/// Rows of a ledger, column by column; customers, classes and channels are places in dictionaries.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) customer: Vec<i32>,
    pub(crate) time: Vec<i64>,
    pub(crate) amount: Vec<i64>,
    pub(crate) class: Vec<i32>,
    pub(crate) channel: Vec<i32>,
}

impl Rows {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self {
            customer: Vec::with_capacity(rows),
            time: Vec::with_capacity(rows),
            amount: Vec::with_capacity(rows),
            class: Vec::with_capacity(rows),
            channel: Vec::with_capacity(rows),
        }
    }

    pub(crate) fn push(&mut self, customer: i32, time: i64, amount: i64, class: usize, channel: i32) {
        self.customer.push(customer);
        self.time.push(time);
        self.amount.push(amount);
        self.class.push(class as i32);
        self.channel.push(channel);
    }
}

/// Months between the bills of each class, `None` where it is bought.
pub(crate) fn bill_months(classes: &[String]) -> Vec<Option<usize>> {
    let months = |class: &String| BILLS.iter().find(|(name, _)| name == class).map(|(_, months)| *months);
    classes.iter().map(months).collect()
}

/// The habits of a customer, the same in every window.
struct Habits {
    /// Monthly salary in the first year, minor units.
    salary: f64,
    /// Shifts the days on which bills fall due.
    due: usize,
}

impl Bank {
    fn habits(&self, customer: usize) -> Habits {
        let rng = &mut seed::stream(self.params.seed, "habits", customer as u64);
        let level = 1.0 + INCOME_RANGE * (rng.random::<f64>() - 0.5);
        let salary = INCOME_RATIO * level * self.params.concentration * UNIT_MINOR / 12.0;
        Habits { salary, due: rng.random_range(0..LAST_DUE_DAY as usize) }
    }

    /// Adds the rows of one customer in one window, salaries first, then class by class: the outflows of a class less its
    /// inflows are its total.
    pub(crate) fn transactions(
        &self,
        customer: usize,
        key: i32,
        window: usize,
        calendar: &Calendar,
        bill_months: &[Option<usize>],
        rows: &mut Rows,
    ) {
        let habits = self.habits(customer);
        let item = (customer * self.windows.len() + window) as u64;
        let rng = &mut seed::stream(self.params.seed, "transactions", item);
        let raise = (1.0 + RAISE).powi(self.year_of(window) as i32);
        for time in calendar.paydays() {
            rows.push(key, *time, (habits.salary * raise) as i64, bill_months.len(), TRANSFER);
        }
        let totals = self.totals.slice(ndarray::s![customer, window, ..]);
        for (class, total) in totals.iter().copied().enumerate().filter(|(_, total)| *total > 0) {
            // A window shorter than the interval has one bill, in its last month.
            let interval = bill_months[class].map(|months| months.min(calendar.months()));
            let bills = interval.map_or(0, |months| (calendar.months() / months) as u32);
            if let Some(interval) = interval
                && total / bills >= SMALLEST_BILL
            {
                let day = 1 + (habits.due + 5 * class) % LAST_DUE_DAY as usize;
                for bill in 0..bills {
                    // The first bill takes what does not divide.
                    let rest = if bill == 0 { total % bills } else { 0 };
                    let month = (bill as usize + 1) * interval - 1;
                    let amount = -i64::from(total / bills + rest);
                    rows.push(key, calendar.bill(month, day as i8), amount, class, DIRECT_DEBIT);
                }
                continue;
            }
            let mut left = total;
            for others in (0..(1 + total / BASKET).min(MAX_PURCHASES)).rev() {
                let part = if others == 0 { left } else { split(left, others, rng) };
                left -= part;
                let time = calendar.purchase(rng);
                let channel = if rng.random::<f64>() < ONLINE_SHARE { ONLINE } else { CARD };
                let refund = if rng.random::<f64>() < REFUNDED { i64::from(part / 4) } else { 0 };
                // What comes back was paid on top.
                rows.push(key, time, -i64::from(part) - refund, class, channel);
                if refund > 0 {
                    rows.push(key, calendar.refund(time, rng), refund, class, channel);
                }
            }
        }
    }
}

/// One purchase out of `left`, which leaves something for each of the `others`.
fn split<R: Rng + ?Sized>(left: u32, others: u32, rng: &mut R) -> u32 {
    let share = (0.5 + rng.random::<f64>()) / f64::from(others + 1);
    ((f64::from(left) * share) as u32).clamp(1, left - others)
}
