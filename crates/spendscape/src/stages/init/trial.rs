//! What comes of a map: a ledger that is thrown away, and the panels of windows that it reaches over.

use std::{collections::HashSet, fmt::Write as _, path::PathBuf};

use anyhow::{Context, Result};
use jiff::civil::Date;
use serde::Serialize;
use spendscape_ingest::{ColumnMap, DerivedClasses, IngestOptions, IngestReport, derive_taxonomy, ingest};
use spendscape_ledger::{Limits, PanelRequest, build_panels};
use spendscape_schema::{
    EmptyWindows, Period, Table, WindowLength, WindowSpec, arrays::Rows, money::Currency, tables::Ledger,
    window::Anchor,
};
use spendscape_store::{ScratchFolder, TableReader};

use super::codes::{Known, known};
use crate::text::lines;

/// The class of codes that no class is derived from.
const OTHER: &str = "OTHER";

/// Classes derived from codes at most: as many as the synthetic bank has.
const MOST_CLASSES: usize = 96;

/// Periods of a window at most, as in the papers.
const PERIODS: u16 = 6;

/// Periods from which on a trajectory is worth the name: a window of longer periods is preferred to one of more of them.
const ENOUGH_PERIODS: u16 = 4;

/// Share of the customers that may be dropped before customers with empty periods are kept.
const FEW_DROPPED: f64 = 0.2;

const SHOWN_ROWS: usize = 5;

/// What comes of a map.
#[derive(Debug, Serialize)]
pub struct Trial {
    /// The first rows of the ledger: customer, time, amount, class.
    pub first_rows: Vec<[String; 4]>,
    /// Rows of the ledger, and of the files.
    pub rows: u64,
    /// Rows read.
    pub rows_read: u64,
    /// Customers.
    pub customers: usize,
    /// First and last time.
    pub times: Option<(String, String)>,
    /// Number of codes, as classes are derived from them, and the commonest with their rows.
    pub codes: usize,
    /// The commonest codes with their rows.
    pub commonest: Vec<(String, u64)>,
    /// Rows whose amount is negative: money spent.
    pub spending_rows: u64,
    /// Rows that the map's condition leaves out.
    pub filtered_rows: u64,
    /// Codes that only bring money in, with their rows, the commonest first.
    pub incoming: Vec<(String, u64)>,
    /// The taxonomy that comes with the program and knows most codes, if one does.
    pub taxonomy: Option<Known>,
    /// Classes that `--derive-classes` may ask for.
    pub derived_classes: usize,
    /// Windows that the ledger reaches over.
    pub windows: Vec<Window>,
    /// A short window that goes with the proposed one.
    pub short: Option<String>,
}

/// A window and the customers that it keeps.
#[derive(Debug, Serialize)]
pub struct Window {
    /// As `--window` takes it.
    pub window: String,
    /// First and last day.
    pub days: Option<(String, String)>,
    /// Customers with spending in every period.
    pub complete: usize,
    /// Customers with spending in at least half of the periods.
    pub half: usize,
    /// Periods that `half` asks for.
    pub at_least: u16,
    /// The policy that goes with it, as `--empty-windows` takes it.
    pub policy: String,
    /// Whether it is the one that is proposed.
    pub is_proposed: bool,
}

/// Reads all rows by the map into a ledger that is thrown away, and counts the customers of windows.
pub(super) fn of(map: &ColumnMap, files: &[PathBuf]) -> Result<Trial> {
    let scratch = ScratchFolder::create(&std::env::temp_dir())?;
    let derived = |top: usize| DerivedClasses {
        name: "codes".to_owned(),
        top,
        other: OTHER.to_owned(),
        allow_cut_last_line: false,
    };
    let taxonomy = derive_taxonomy(map, files, &derived(MOST_CLASSES))?;
    let ledger = scratch.path().join("ledger.parquet");
    let report = ingest(map, &taxonomy, files, &ledger, &IngestOptions::with_scratch(scratch.path()))?;
    let Looked { first_rows, spending_rows, spent_on } = look(map, &ledger)?;
    let codes_of_rows = codes_of(&report);
    let shipped = known(&codes_of_rows, report.rows_written)?;
    let mut classes = taxonomy.spending_classes();
    if let Some((_, shipped)) = &shipped {
        let spending = shipped.spending_classes();
        classes.retain(|code| {
            shipped.class_of(code).is_none_or(|class| spending.iter().any(|own| own == class))
        });
    }
    let days = report.times.as_ref().map(|(first, last)| {
        let day =
            |time: &str| time[..10].parse::<Date>().with_context(|| format!("{time} is no time of a ledger"));
        Ok::<_, anyhow::Error>((day(first)?, day(last)?))
    });
    let (windows, customers) = match days.transpose()? {
        Some((first, last)) => windows(&ledger, classes, first, last, &Limits::with_scratch(scratch.path()))?,
        None => (Vec::new(), 0),
    };
    let codes = codes_of_rows.len();
    // What falls to the catch-all class is not told apart.
    let is_incoming = |code: &str| taxonomy.class_of(code) == Some(code) && !spent_on.contains(code);
    let incoming = codes_of_rows.iter().filter(|(code, _)| is_incoming(code)).cloned().collect();
    let mut commonest = codes_of_rows;
    commonest.truncate(SHOWN_ROWS);
    let short = windows.iter().skip_while(|window| !window.is_proposed).skip(1);
    let short = short.map(|window| &window.window).find(|window| window.ends_with(&format!(" x {PERIODS}")));
    Ok(Trial {
        first_rows,
        rows: report.rows_written,
        rows_read: report.rows_read,
        customers,
        times: report.times.clone(),
        codes,
        commonest,
        spending_rows,
        filtered_rows: report.filtered.count,
        incoming,
        taxonomy: shipped.map(|(known, _)| known),
        derived_classes: codes.min(MOST_CLASSES),
        short: short.cloned(),
        windows,
    })
}

/// The codes of the rows, the commonest first.
fn codes_of(report: &IngestReport) -> Vec<(String, u64)> {
    let classes =
        report.classes.iter().filter(|(code, _)| report.unmapped_codes.is_empty() || *code != OTHER);
    let codes = classes.map(|(code, rows)| (code.clone(), *rows));
    let others = report.unmapped_codes.iter().map(|(code, rows)| (code.clone(), *rows));
    let mut codes: Vec<(String, u64)> = codes.chain(others).collect();
    codes.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    codes
}

/// What a ledger's rows show.
#[derive(Default)]
struct Looked {
    first_rows: Vec<[String; 4]>,
    spending_rows: u64,
    /// Classes with a row of money spent.
    spent_on: HashSet<String>,
}

fn look(map: &ColumnMap, ledger: &std::path::Path) -> Result<Looked> {
    let currency = Currency::new(&map.currency, map.minor_digits);
    let mut looked = Looked::default();
    let first = &mut looked.first_rows;
    let reader = TableReader::open(ledger, Table::Ledger)?;
    let schema = reader.schema().clone();
    for batch in reader {
        let rows = Rows::new(&schema, &[batch?])?;
        let amounts = rows.integer(Ledger::NAMES.amount_minor)?;
        let (classes, names) = rows.category(Ledger::NAMES.class)?;
        let spent: HashSet<usize> = amounts
            .iter()
            .zip(&classes)
            .filter(|(amount, _)| **amount < 0)
            .map(|(_, class)| *class)
            .collect();
        looked.spent_on.extend(spent.into_iter().map(|class| names[class].clone()));
        looked.spending_rows += amounts.iter().filter(|amount| **amount < 0).count() as u64;
        if first.is_empty() {
            let (customers, ids) = rows.category(Ledger::NAMES.customer)?;
            let times = rows.time(Ledger::NAMES.time)?;
            for at in 0..rows.len().min(SHOWN_ROWS) {
                let time = jiff::Timestamp::from_millisecond(times[at])?;
                let time = jiff::tz::TimeZone::UTC.to_datetime(time).to_string().replace('T', " ");
                first.push([
                    ids[customers[at]].clone(),
                    time,
                    currency.show(amounts[at]),
                    names[classes[at]].clone(),
                ]);
            }
        }
    }
    Ok(looked)
}

/// The windows that a ledger reaches over, longest periods first, and its number of customers.
fn windows(
    ledger: &std::path::Path,
    classes: Vec<String>,
    first: Date,
    last: Date,
    limits: &Limits,
) -> Result<(Vec<Window>, usize)> {
    // The first period may begin before the ledger, as exports begin anywhere, but half of it has to be there.
    let reaches = |length: WindowLength, count: u16| {
        let spec = WindowSpec { length, count, anchor: Anchor::LedgerEnd };
        let days = |from: Date, to: Date| from.until(to).map_or(0, |span| span.get_days());
        let is_there =
            |period: &Period| 2 * days(period.start.max(first), period.end) >= days(period.start, period.end);
        spec.periods(last).is_ok_and(|periods| periods.first().is_some_and(is_there)).then_some(spec)
    };
    let longest = |length: WindowLength| (2..=PERIODS).rev().find_map(|count| reaches(length, count));
    let mut specs: Vec<WindowSpec> = WindowLength::NAMED.into_iter().filter_map(longest).collect();
    if specs.is_empty() {
        specs.push(WindowSpec { length: WindowLength::Days(1), count: 1, anchor: Anchor::LedgerEnd });
    }
    let half = |spec: &WindowSpec| spec.count.div_ceil(2);
    let request = PanelRequest {
        windows: specs
            .iter()
            .flat_map(|spec| [(*spec, EmptyWindows::Drop), (*spec, EmptyWindows::KeepZero(half(spec)))])
            .collect(),
        classes,
        anchors: None,
        limits: limits.clone(),
    };
    let built = build_panels(&[ledger], &request)?;
    let customers = built.report.customers;
    let kept = |at: usize| built.report.windows[2 * at + 1].customers;
    // The longest periods of which there are enough and that keep most customers; otherwise what keeps the most.
    let is_good = |at: &usize| specs[*at].count >= ENOUGH_PERIODS && 2 * kept(*at) >= customers;
    let proposed =
        (0..specs.len()).find(is_good).or_else(|| (0..specs.len()).rev().max_by_key(|at| kept(*at)));
    let windows = specs.iter().enumerate().map(|(at, spec)| {
        let (complete, half_of) = (&built.report.windows[2 * at], &built.report.windows[2 * at + 1]);
        let few = complete.customers as f64 >= (1.0 - FEW_DROPPED) * customers as f64;
        Window {
            window: spec.to_string(),
            days: complete.days.clone(),
            complete: complete.customers,
            half: half_of.customers,
            at_least: half(spec),
            policy: if few { "drop".to_owned() } else { format!("keep-zero:{}", half(spec)) },
            is_proposed: Some(at) == proposed,
        }
    });
    Ok((windows.collect(), customers))
}

impl Trial {
    pub(super) fn tell(&self, out: &mut String) {
        *out += "\nThe first rows as they are understood (negative is money spent):\n";
        let head = ["  customer", "time", "amount", "class"].map(str::to_owned).to_vec();
        let rows = self.first_rows.iter().map(|[customer, time, amount, class]| {
            vec![format!("  {customer}"), time.clone(), amount.clone(), class.clone()]
        });
        *out += &lines(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
        // Writing to a string cannot fail.
        let days = self
            .times
            .as_ref()
            .map_or(String::new(), |(first, last)| format!(", {} to {}", &first[..10], &last[..10]));
        let _ = writeln!(
            out,
            "\n{} of {} rows, {}{days}; {} % of the rows are money spent.",
            self.rows,
            self.rows_read,
            several(self.customers as u64, "customer", "customers"),
            100 * self.spending_rows / self.rows.max(1)
        );
        if self.filtered_rows > 0 {
            let rows = several(self.filtered_rows, "row is", "rows are");
            let _ = writeln!(out, "{rows} left out by the map's `rows.where`.");
        }
        let codes: Vec<String> =
            self.commonest.iter().map(|(code, rows)| format!("{code} ({rows})")).collect();
        let number = several(self.codes as u64, "code", "codes");
        let _ = writeln!(out, "{number}, the commonest: {}.", codes.join(", "));
        if !self.incoming.is_empty() {
            let first = self.incoming.iter().take(SHOWN_ROWS);
            let first: Vec<String> = first.map(|(code, rows)| format!("{code:?} ({rows})")).collect();
            let more = if self.incoming.len() > SHOWN_ROWS { " and others" } else { "" };
            let number = several(self.incoming.len() as u64, "code only brings", "codes only bring");
            let _ = writeln!(out, "{number} money in: {}{more}.", first.join(", "));
        }
        if let Some(known) = &self.taxonomy {
            known.tell(out);
        }
        *out += "\nCustomers that each window would keep:\n";
        let head = ["  --window", "days", "with spending in all periods", "in at least half"]
            .map(str::to_owned)
            .to_vec();
        let rows = self.windows.iter().map(|window| {
            let mark = if window.is_proposed { "*" } else { " " };
            let days =
                window.days.as_ref().map_or(String::new(), |(first, last)| format!("{first} to {last}"));
            vec![
                format!("{mark} '{}'", window.window),
                days,
                format!("{} (drop)", window.complete),
                format!("{} (keep-zero:{})", window.half, window.at_least),
            ]
        });
        *out += &lines(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
        if self.windows.iter().all(|window| window.half == 0) {
            let _ = writeln!(out, "No window keeps a customer: {}.", self.why_nobody());
        } else {
            *out += "* is the one proposed: the longest periods of which there are enough and that keep most customers.\n";
        }
    }

    /// Why no window keeps a customer.
    fn why_nobody(&self) -> String {
        if self.spending_rows == 0 {
            "no row is money spent, look at the sign of `columns.amount`".to_owned()
        } else if self.codes == 1 && self.spending_rows < self.rows {
            "all rows have one class, of which more comes in than goes out; another `columns.class` keeps the two apart"
                .to_owned()
        } else {
            "nobody spends in half of the periods, or as much comes back in every class".to_owned()
        }
    }

    /// Why no run can be made of the ledger, and what to do about it.
    pub(super) fn obstacle(&self) -> Option<String> {
        let classes = self.codes.saturating_sub(self.incoming.len());
        if self.customers == 1 {
            Some("all rows are one customer's, and a run compares customers: set `columns.customer` in the map to what tells \
                 them apart".to_owned())
        } else if self.windows.iter().all(|window| window.half == 0) {
            Some(format!("no window keeps a customer: {}", self.why_nobody()))
        } else if classes < 2 && self.taxonomy.is_none() {
            Some("all money is spent in one class, in which all customers are alike: set `columns.class` in the map to what \
                 tells rows apart".to_owned())
        } else {
            None
        }
    }
}

/// A number with its noun.
fn several(number: u64, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}
