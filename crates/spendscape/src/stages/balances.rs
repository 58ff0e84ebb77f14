//! Balances per customer and period, from a ledger that records them.

use std::{collections::HashMap, path::Path};

use anyhow::{Context, Result};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, TimestampMillisecondType};
use jiff::{Span, civil::Date};
use spendscape_schema::{Axes, Panel, Period, Table, WindowSpec, arrays, arrays::Rows, window::Anchor};
use spendscape_store::TableReader;

use crate::run_folder::{File, Stage};

/// The optional column that a ledger needs.
const BALANCE: &str = "balance_minor";
const MILLISECONDS_PER_DAY: i64 = 86_400_000;
/// Mean length of a month in days.
const MONTH: f64 = 365.25 / 12.0;

/// A transaction as far as balances go.
#[derive(Debug, Clone, Copy)]
struct Entry {
    customer: usize,
    time: i64,
    amount: i64,
    balance: Option<i64>,
}

/// Writes the balances of a panel's customers, if the ledger has any: month-end balances are those after the last
/// transaction before the end of the month (0 before the first one), months being counted back from the period's end.
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
    let mut entries = read(reader, panel)?;
    // Stable: transactions of one moment stay in the order of the ledger.
    entries.sort_by_key(|entry| (entry.customer, entry.time));
    let mut rows = Vec::with_capacity(panel.len() * panel.periods.len());
    let mut rest = entries.as_slice();
    for (customer, name) in panel.customers.iter().enumerate() {
        let own;
        (own, rest) = rest.split_at(rest.partition_point(|entry| entry.customer == customer));
        let periods = match anchors.and_then(|anchors| anchors.get(name)) {
            Some(day) => WindowSpec { anchor: Anchor::Until(*day), ..window }.periods(*day)?,
            None => panel.periods.clone(),
        };
        for period in periods {
            rows.push(of_period(own, period)?);
        }
    }
    let periods = panel.periods.len();
    let column = |k: usize| arrays::integer(rows.iter().map(move |row: &[i64; 3]| row[k]));
    let columns = vec![
        arrays::text((0..rows.len()).map(|row| &panel.customers[row / periods])),
        arrays::index((0..rows.len()).map(|row| (row % periods) as u16)),
        column(0),
        column(1),
        column(2),
    ];
    stage.write(File::Balances, &Axes::new(), columns)
}

fn read(reader: TableReader, panel: &Panel) -> Result<Vec<Entry>> {
    let numbers: HashMap<&str, usize> =
        panel.customers.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let schema = reader.schema().clone();
    let mut entries = Vec::new();
    for batch in reader {
        let batch = batch?;
        let rows = Rows::new(&schema, std::slice::from_ref(&batch))?;
        let column = |name: &str| batch.column_by_name(name).with_context(|| format!("no column {name}"));
        let times = column("time")?.as_primitive::<TimestampMillisecondType>();
        let balances = column(BALANCE)?.as_primitive::<Int64Type>();
        let amounts = rows.integer("amount_minor")?;
        for (row, name) in rows.text("customer")?.iter().enumerate() {
            if let Some(customer) = numbers.get(name.as_str()) {
                entries.push(Entry {
                    customer: *customer,
                    time: times.value(row),
                    amount: amounts[row],
                    balance: (!balances.is_null(row)).then(|| balances.value(row)),
                });
            }
        }
    }
    Ok(entries)
}

/// Mean month-end balance, lowest balance and inflow of one customer in a period.
fn of_period(entries: &[Entry], period: Period) -> Result<[i64; 3]> {
    let at = |day: Date| {
        let days = i64::from((day - jiff::civil::date(1970, 1, 1)).get_days());
        entries.partition_point(|entry| entry.time < days * MILLISECONDS_PER_DAY)
    };
    let before = |end: usize| entries[..end].iter().rev().find_map(|entry| entry.balance);
    let (first, last) = (at(period.start), at(period.end));
    let months = (f64::from((period.end - period.start).get_days()) / MONTH).round().max(1.0) as i64;
    let mut sum = 0_i128;
    for back in 0..months {
        let end = period.end.checked_sub(Span::new().months(back)).context("a month before the calendar")?;
        sum += i128::from(before(at(end)).unwrap_or(0));
    }
    let inside = &entries[first..last];
    let lowest = inside.iter().filter_map(|entry| entry.balance).chain(before(first)).min().unwrap_or(0);
    let inflow = inside.iter().map(|entry| entry.amount.max(0)).sum();
    let mean = (sum as f64 / months as f64).round_ties_even() as i64;
    Ok([mean, lowest, inflow])
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn entry(day: Date, amount: i64, balance: i64) -> Entry {
        let days = i64::from((day - date(1970, 1, 1)).get_days());
        let time = days * MILLISECONDS_PER_DAY + MILLISECONDS_PER_DAY / 2;
        Entry { customer: 0, time, amount, balance: Some(balance) }
    }

    /// Two months that end with the 14th: balances after the last transactions up to 14 April and 14 May.
    #[test]
    fn month_ends_are_counted_back_from_the_end_of_the_period() {
        let period = Period { start: date(2020, 3, 15), end: date(2020, 5, 15) };
        let entries = [
            entry(date(2020, 3, 14), 500, 500),
            entry(date(2020, 4, 14), -200, 300),
            entry(date(2020, 4, 15), -350, -50),
            entry(date(2020, 5, 14), 150, 100),
            entry(date(2020, 5, 15), 900, 1000),
        ];
        assert_eq!(of_period(&entries, period).unwrap(), [200, -50, 150]);
        // Nothing happens: the balance stays.
        assert_eq!(of_period(&entries[..1], period).unwrap(), [500, 500, 0]);
        assert_eq!(of_period(&[], period).unwrap(), [0, 0, 0]);
    }
}
