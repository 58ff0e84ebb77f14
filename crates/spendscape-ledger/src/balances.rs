//! Balances per customer and period, from a ledger that records them.

use std::{collections::HashMap, path::Path};

use arrow::array::{Array, AsArray};
use jiff::{Span, civil::Date};
use spendscape_schema::{
    Panel, Period, Table, WindowSpec, day,
    tables::{BalanceRow, Balances},
    window::Anchor,
};
use spendscape_store::TableReader;

use crate::{
    Error,
    stream::{NAMES, each_batch, keys},
};

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

/// The balances of a panel's customers, one row per customer and period; `None` if no ledger table records balances.
///
/// Month-end balances are those after the last transaction before the end of the month (0 before the first one), months being
/// counted back from the period's end. `anchors` are the last days of customers' own windows by which the panel of `window` was
/// made, if it was. Reads the ledger once, in a stream; what is kept grows with customers and months, not with transactions.
///
/// ```
/// use ndarray::{Array2, Array3};
/// use spendscape_ledger::balances;
/// use spendscape_schema::{Axes, Panel, Table, WindowSpec, arrays, day, tables::{Ledger, LedgerColumns}};
/// use spendscape_store::{Provenance, write_table};
///
/// // A salary, and in the next month groceries.
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("ledger.parquet");
/// let columns = LedgerColumns {
///     customer: Some(arrays::category(["a", "a"])),
///     time: Some(arrays::time([0, 40 * day::MILLIS])),
///     amount_minor: Some(arrays::integer([50_000, -20_000])),
///     class: Some(arrays::category(["salary", "food"])),
///     balance_minor: Some(arrays::optional_integer([Some(50_000), Some(30_000)])),
///     ..LedgerColumns::default()
/// };
/// write_table(&path, Table::Ledger, &Ledger::batch(&Axes::new(), columns)?, Provenance::new("example"))?;
/// let window: WindowSpec = "monthly x 2 from 1970-01-01".parse()?;
/// let panel = Panel {
///     customers: vec!["a".to_owned()],
///     periods: window.periods("1970-02-28".parse()?)?,
///     classes: vec!["food".to_owned()],
///     shares: Array3::ones((1, 2, 1)),
///     totals: Array2::zeros((1, 2)),
///     observed: Array2::from_elem((1, 2), true),
/// };
/// let found = balances(&[&path], window, None, &panel)?.ok_or("the ledger records no balances")?;
/// assert_eq!((found.balance_minor, found.inflow_minor), (vec![50_000, 30_000], vec![50_000, 0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Store`] if a table cannot be read, [`Error::NullInLedger`], [`Error::Schema`] if a window of a customer's own leaves
/// the calendar, or [`Error::TimeOutsideCalendar`] if a month before a period does.
pub fn balances<P: AsRef<Path>>(
    ledgers: &[P],
    window: WindowSpec,
    anchors: Option<&HashMap<String, Date>>,
    panel: &Panel,
) -> Result<Option<Balances>, Error> {
    let mut recorded = false;
    for path in ledgers {
        let reader = TableReader::open(path.as_ref(), Table::Ledger)?;
        recorded |= reader.schema().field_with_name(NAMES.balance_minor).is_ok();
    }
    if !recorded {
        return Ok(None);
    }
    let shared = Months::of(&panel.periods)?;
    let own = |name: &String| match anchors.and_then(|anchors| anchors.get(name)) {
        Some(day) => {
            Ok(Some(Months::of(&WindowSpec { anchor: Anchor::Until(*day), ..window }.periods(*day)?)?))
        }
        None => Ok(None),
    };
    let own: Vec<Option<Months>> = panel.customers.iter().map(own).collect::<Result<_, Error>>()?;
    let months = |customer: usize| own[customer].as_ref().unwrap_or(&shared);
    let mut accounts: Vec<Account> =
        (0..panel.len()).map(|customer| Account::new(months(customer))).collect();
    read(ledgers, panel, |customer, time, amount, balance| {
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
    Ok(Some(Balances::from_rows(rows.into_iter().enumerate().map(row))?))
}

/// Calls `add` with customer, time, amount and balance of every transaction of the panel's customers.
fn read<P: AsRef<Path>>(
    ledgers: &[P],
    panel: &Panel,
    mut add: impl FnMut(usize, i64, i64, Option<i64>),
) -> Result<(), Error> {
    let numbers: HashMap<&str, usize> =
        panel.customers.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    each_batch(ledgers, |batch| {
        let names = batch.customers.values().as_string::<i32>();
        // Each name that a batch uses is looked up once.
        let mut of_key: Vec<Option<Option<usize>>> = vec![None; names.len()];
        for (row, key) in keys(batch.customers).enumerate() {
            let customer = *of_key[key].get_or_insert_with(|| numbers.get(names.value(key)).copied());
            if let Some(customer) = customer {
                let known = batch.balances.filter(|balances| !balances.is_null(row));
                let balance = known.map(|balances| balances.value(row));
                add(customer, batch.times[row], batch.amounts[row], balance);
            }
        }
    })
}

impl Months {
    fn of(periods: &[Period]) -> Result<Self, Error> {
        let mut months = Self { boundaries: Vec::new(), per_period: Vec::new() };
        months.boundaries.extend(periods.first().map(|period| i64::from(day::number(period.start))));
        for period in periods {
            let days = f64::from((period.end - period.start).get_days());
            let count = (days / MONTH).round().max(1.0) as usize;
            for back in (0..count).rev() {
                let end = period.end.checked_sub(Span::new().months(back as i64));
                let outside = |_| Error::TimeOutsideCalendar {
                    millis: i64::from(day::number(period.end)) * day::MILLIS,
                };
                months.boundaries.push(i64::from(day::number(end.map_err(outside)?)));
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
        let day = time.div_euclid(day::MILLIS);
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
            let noon = i64::from(day::number(*day)) * day::MILLIS + day::MILLIS / 2;
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
