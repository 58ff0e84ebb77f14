//! Balances per customer and period, from a ledger that records them.

use std::{collections::HashMap, path::Path};

use anyhow::{Context, Result, bail};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int32Type, Int64Type, TimestampMillisecondType};
use jiff::{Span, civil::Date};
use spendscape_schema::{
    Axes, Panel, Period, Table, WindowSpec,
    tables::{BalanceRow, Balances, Ledger, LedgerColumns},
    window::Anchor,
};
use spendscape_store::TableReader;

use crate::run_folder::{File, Stage};

/// The optional column that a ledger needs.
const BALANCE: &str = Ledger::NAMES.balance_minor;
const MILLISECONDS_PER_DAY: i64 = 86_400_000;
/// Mean length of a month in days.
const MONTH: f64 = 365.25 / 12.0;

/// The months of a customer's periods: days (from 1970-01-01) at which the first period starts and at which each month ends,
/// counted back from the end of its period.
#[derive(Debug)]
struct Months {
    boundaries: Vec<i64>,
    /// Number of months of each period.
    per_period: Vec<usize>,
}

/// What is known of one customer's account in one month.
#[derive(Debug, Clone, Copy, Default)]
struct Month {
    /// Time of the transaction that left `balance`.
    latest: i64,
    balance: Option<i64>,
    lowest: Option<i64>,
    inflow: i64,
}

/// One customer's months, the first of them all that was before the first period.
#[derive(Debug, Clone)]
struct Account(Vec<Month>);

/// Writes the balances of a panel's customers, if the ledger has any: month-end balances are those after the last
/// transaction before the end of the month (0 before the first one), months being counted back from the period's end.
///
/// Reads the ledger once, in a stream; what is kept grows with customers and months, not with transactions.
///
/// # Errors
/// If the ledger cannot be read or the disk is full.
pub fn write(
    stage: &mut Stage<'_>,
    ledger: &Path,
    window: WindowSpec,
    anchors: Option<&HashMap<String, Date>>,
    panel: &Panel,
) -> Result<()> {
    let reader = TableReader::open(ledger, Table::Ledger)?;
    if reader.schema().field_with_name(BALANCE).is_err() {
        return Ok(());
    }
    let shared = Months::of(&panel.periods)?;
    let own = |name: &String| match anchors.and_then(|anchors| anchors.get(name)) {
        Some(day) => {
            Ok(Some(Months::of(&WindowSpec { anchor: Anchor::Until(*day), ..window }.periods(*day)?)?))
        }
        None => Ok(None),
    };
    let own: Vec<Option<Months>> = panel.customers.iter().map(own).collect::<Result<_>>()?;
    let months = |customer: usize| own[customer].as_ref().unwrap_or(&shared);
    let mut accounts: Vec<Account> =
        (0..panel.len()).map(|customer| Account::new(months(customer))).collect();
    read(reader, panel, |customer, time, amount, balance| {
        accounts[customer].add(months(customer), time, amount, balance);
    })?;
    let rows: Vec<[i64; 3]> =
        (0..panel.len()).flat_map(|customer| accounts[customer].periods(months(customer))).collect();
    let periods = panel.periods.len();
    let row = |(at, [balance_minor, lowest_minor, inflow_minor]): (usize, [i64; 3])| BalanceRow {
        customer: panel.customers[at / periods].clone(),
        period: (at % periods) as u16,
        balance_minor,
        lowest_minor,
        inflow_minor,
    };
    let table = Balances::from_rows(rows.into_iter().enumerate().map(row))?;
    stage.write_table(File::Balances, &Axes::new(), &table)
}

/// Calls `add` with customer, time, amount and balance of every transaction of the panel's customers.
fn read(reader: TableReader, panel: &Panel, mut add: impl FnMut(usize, i64, i64, Option<i64>)) -> Result<()> {
    let numbers: HashMap<&str, usize> =
        panel.customers.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    for batch in reader {
        let batch = batch?;
        let columns = LedgerColumns::of(&batch);
        let (Some(customers), Some(times), Some(amounts), Some(balances)) =
            (columns.customer, columns.time, columns.amount_minor, columns.balance_minor)
        else {
            bail!("the ledger is not whole");
        };
        let times = times.as_primitive::<TimestampMillisecondType>();
        let (amounts, balances) = (amounts.as_primitive::<Int64Type>(), balances.as_primitive::<Int64Type>());
        let customers = customers.as_dictionary::<Int32Type>();
        let names = customers.values().as_string::<i32>();
        // Each name that a batch uses is looked up once.
        let mut of_key: Vec<Option<Option<usize>>> = vec![None; names.len()];
        for (row, key) in customers.keys().values().iter().enumerate() {
            let key = *key as usize;
            let customer = *of_key[key].get_or_insert_with(|| numbers.get(names.value(key)).copied());
            if let Some(customer) = customer {
                let balance = (!balances.is_null(row)).then(|| balances.value(row));
                add(customer, times.value(row), amounts.value(row), balance);
            }
        }
    }
    Ok(())
}

impl Months {
    fn of(periods: &[Period]) -> Result<Self> {
        let day = |day: Date| i64::from((day - jiff::civil::date(1970, 1, 1)).get_days());
        let mut months = Self { boundaries: Vec::new(), per_period: Vec::new() };
        months.boundaries.extend(periods.first().map(|period| day(period.start)));
        for period in periods {
            let days = f64::from((period.end - period.start).get_days());
            let count = (days / MONTH).round().max(1.0) as usize;
            for back in (0..count).rev() {
                let end = period.end.checked_sub(Span::new().months(back as i64));
                months.boundaries.push(day(end.context("a month before the calendar")?));
            }
            months.per_period.push(count);
        }
        Ok(months)
    }
}

impl Account {
    fn new(months: &Months) -> Self {
        Self(vec![Month::default(); months.boundaries.len()])
    }

    /// Takes a transaction. Of two at the same time the one that comes later counts as the later one.
    fn add(&mut self, months: &Months, time: i64, amount: i64, balance: Option<i64>) {
        let day = time.div_euclid(MILLISECONDS_PER_DAY);
        let at = months.boundaries.partition_point(|boundary| *boundary <= day);
        // Past the last boundary nothing is asked for.
        let Some(month) = self.0.get_mut(at) else { return };
        month.inflow += amount.max(0);
        if let Some(balance) = balance {
            month.lowest = Some(month.lowest.map_or(balance, |lowest| lowest.min(balance)));
            if month.balance.is_none() || time >= month.latest {
                (month.latest, month.balance) = (time, Some(balance));
            }
        }
    }

    /// Mean month-end balance, lowest balance and inflow of each period.
    fn periods(&self, months: &Months) -> Vec<[i64; 3]> {
        let mut rest = self.0.iter();
        let mut known = rest.next().and_then(|before| before.balance);
        let period = |count: &usize| {
            let (mut sum, mut lowest, mut inflow) = (0_i128, known, 0);
            for month in rest.by_ref().take(*count) {
                known = month.balance.or(known);
                sum += i128::from(known.unwrap_or(0));
                lowest = lowest.into_iter().chain(month.lowest).min();
                inflow += month.inflow;
            }
            let mean = (sum as f64 / *count as f64).round_ties_even() as i64;
            [mean, lowest.unwrap_or(0), inflow]
        };
        months.per_period.iter().map(period).collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// Day, amount and balance afterwards.
    type Entry = (Date, i64, i64);

    fn figures(entries: &[Entry], periods: &[Period]) -> Vec<[i64; 3]> {
        let months = Months::of(periods).unwrap();
        let mut account = Account::new(&months);
        for (day, amount, balance) in entries {
            let days = i64::from((*day - date(1970, 1, 1)).get_days());
            let noon = days * MILLISECONDS_PER_DAY + MILLISECONDS_PER_DAY / 2;
            account.add(&months, noon, *amount, Some(*balance));
        }
        account.periods(&months)
    }

    /// Two months that end with the 14th: balances after the last transactions up to 14 April and 14 May.
    #[test]
    fn month_ends_are_counted_back_from_the_end_of_the_period() {
        let period = [Period { start: date(2020, 3, 15), end: date(2020, 5, 15) }];
        let mut entries = [
            (date(2020, 3, 14), 500, 500),
            (date(2020, 4, 14), -200, 300),
            (date(2020, 4, 15), -350, -50),
            (date(2020, 5, 14), 150, 100),
            (date(2020, 5, 15), 900, 1000),
        ];
        assert_eq!(figures(&entries, &period), [[200, -50, 150]]);
        entries.reverse();
        assert_eq!(figures(&entries, &period), [[200, -50, 150]]);
        // Nothing happens: the balance stays.
        assert_eq!(figures(&entries[4..], &period), [[500, 500, 0]]);
        assert_eq!(figures(&[], &period), [[0, 0, 0]]);
    }

    #[test]
    fn a_balance_lasts_into_the_next_periods() {
        let [a, b, c, d] = [1, 4, 7, 10].map(|month| date(2021, month, 1));
        let periods = [Period { start: a, end: b }, Period { start: b, end: c }, Period { start: c, end: d }];
        let entries = [(date(2021, 2, 10), 60, 60), (date(2021, 8, 31), -90, -30)];
        assert_eq!(figures(&entries, &periods), [[40, 60, 60], [60, 60, 0], [0, -30, 0]]);
    }
}
