//! Panels: spending shares per customer, period and class, from validated ledger tables.
//!
//! One pass over the rows serves any number of window specifications. See [`build_panels`].

mod advice;
mod codes;
mod finish;
mod layout;
mod ledger;
mod report;
mod rows;
mod scan;
mod spill;
mod threads;
mod totals;

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::civil::Date;
use spendscape_schema::{EmptyWindows, Panel, WindowSpec, window::Anchor};

pub use advice::reaches_over;
pub use report::{BetterWindow, Clipped, LeftOutCustomer, PanelReport, SpillReport, WindowReport};

use crate::Error;
use finish::Finish;
use layout::Layout;
use ledger::Ledger;
use rows::Division;
use scan::{Counts, Scan};

/// Files that rows are divided into at most: each is open while they are written.
const MAX_PARTS: usize = 512;

/// What to make of a ledger.
#[derive(Debug, Clone)]
pub struct PanelRequest {
    /// The windows, each with what to do about periods without spending; one panel comes of each.
    pub windows: Vec<(WindowSpec, EmptyWindows)>,
    /// The classes of the panel, in order; rows of other classes are counted and left out.
    pub classes: Vec<String>,
    /// A last day of each customer's own instead of the windows' anchors, say the day before a loan; customers without
    /// one are left out. Every window then ends with that day, and the panels name the periods of the latest one.
    pub anchors: Option<HashMap<String, Date>>,
    /// Memory, threads and room on disk.
    pub limits: Limits,
}

/// What a run may use. Results do not depend on it.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes for the customers' totals; reading takes some 20 MB per thread on top, and the panels themselves 4 bytes per
    /// share. Beyond it rows go through files.
    pub memory_bytes: u64,
    /// Threads to work with.
    pub threads: NonZeroUsize,
    /// Where files go beyond the memory limit; removed afterwards.
    pub scratch: PathBuf,
}

impl Limits {
    /// 1 GiB, which holds 125,000 customers of 11 intervals and 97 classes.
    const MEMORY_BYTES: u64 = 1 << 30;

    /// All the threads of the machine and 1 GiB, with a scratch folder.
    #[must_use]
    pub fn with_scratch(scratch: &Path) -> Self {
        Self {
            memory_bytes: Self::MEMORY_BYTES,
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            scratch: scratch.to_owned(),
        }
    }
}

/// Panels with their report.
#[derive(Debug, Clone)]
pub struct Panels {
    /// One panel per window specification, in the order asked for.
    pub panels: Vec<Panel>,
    /// Customers of the ledger who are not in the panel of each window, in the order of their names.
    pub left_out: Vec<Vec<LeftOutCustomer>>,
    /// What happened on the way.
    pub report: PanelReport,
}

/// Builds panels from ledger tables, in one pass for all windows.
///
/// A class total is the sum of the amounts in exact minor units, money spent counted positive; totals below 0 are set to 0
/// and counted; a share is the class total over the period's total, as f32. The result is bitwise the same for any number
/// of threads, memory limit, order of rows and division of the ledger into files.
///
/// The crate's [first page](crate) has an example.
///
/// # Errors
/// If a file is no ledger table or damaged, if the ledger is empty or does not reach back to every period
/// ([`Error::TooFewPeriods`]), if classes are missing or stand twice, if the totals could exceed 64 bits, if the memory
/// limit does not hold one customer per thread, or if the disk has no room.
pub fn build_panels<P: AsRef<Path>>(ledgers: &[P], request: &PanelRequest) -> Result<Panels, Error> {
    let paths: Vec<PathBuf> = ledgers.iter().map(|path| path.as_ref().to_owned()).collect();
    let mut distinct = HashSet::new();
    if request.classes.is_empty() {
        return Err(Error::NoClasses);
    }
    if let Some(class) = request.classes.iter().find(|class| !distinct.insert(*class)) {
        return Err(Error::DuplicateClass { class: class.clone() });
    }
    let ledger = Ledger::open(&paths)?;
    let customers: Arc<[String]> = ledger.customers()?.into();
    let specs: Vec<WindowSpec> = request.windows.iter().map(|(spec, _)| *spec).collect();
    let layout = match &request.anchors {
        Some(anchors) => Layout::anchored(&specs, &customers, anchors)?,
        None => calendar(&specs, &ledger)?,
    };
    let scan = Arc::new(Scan::new(ledger, layout, &customers, &request.classes));
    if i32::try_from(scan.cells()).is_err() {
        return Err(Error::BlockTooWide { intervals: scan.layout.intervals, classes: request.classes.len() });
    }
    let finish = Finish {
        scan: scan.clone(),
        customers: customers.clone(),
        classes: request.classes.clone().into(),
        windows: request.windows.clone(),
    };
    let (windows, counts, spilled) = aggregate(&scan, &finish, &request.limits)?;
    if counts.moved > i64::MAX as u128 {
        return Err(Error::TotalsTooLarge { moved: counts.moved });
    }
    let days = scan.ledger.days()?;
    let report = PanelReport {
        rows: scan.ledger.rows,
        days: Some((days.0.to_string(), days.1.to_string())),
        rows_outside: counts.per_interval.last().copied().unwrap_or(0),
        rows_of_other_classes: counts.other_classes.clone(),
        customers: customers.len(),
        spilled,
        windows: Vec::new(),
    };
    let mut built = Panels { panels: Vec::new(), left_out: Vec::new(), report };
    let mut per_day = None;
    for ((finished, (spec, _)), layout) in
        finish.panels(windows)?.into_iter().zip(&request.windows).zip(&scan.layout.windows)
    {
        let inside: u64 = layout.intervals.iter().flat_map(|range| &counts.per_interval[range.clone()]).sum();
        let mut window = finished.report;
        window.rows_outside = scan.ledger.rows - inside;
        let moved = request.anchors.is_none() && spec.anchor == Anchor::LedgerEnd;
        if moved && advice::is_notable(window.rows_outside, scan.ledger.rows) {
            // Only then are the times read a second time, once for all windows.
            let per_day = match &mut per_day {
                Some(per_day) => per_day,
                none => none.insert(advice::rows_per_day(&scan.ledger)?),
            };
            window.better = advice::better_window(spec, &layout.periods, per_day, window.rows_outside)?;
        }
        built.report.windows.push(window);
        built.panels.push(finished.panel);
        built.left_out.push(finished.left_out);
    }
    Ok(built)
}

/// The calendar windows, if the ledger reaches over all of them.
fn calendar(specs: &[WindowSpec], ledger: &Ledger) -> Result<Layout, Error> {
    let (first, last) = ledger.days()?;
    let layout = Layout::calendar(specs, last)?;
    for (spec, window) in specs.iter().zip(&layout.windows) {
        let reached =
            window.periods.iter().filter(|period| period.end > first && period.start <= last).count();
        if reached < window.periods.len() {
            let fits = advice::window_that_fits(spec, first, last);
            return Err(Error::TooFewPeriods { window: spec.to_string(), first, last, reached, fits });
        }
    }
    Ok(layout)
}

type Aggregated = (Vec<finish::Part>, Counts, Option<SpillReport>);

/// Sums the ledger, in memory or through files.
fn aggregate(scan: &Arc<Scan>, finish: &Finish, limits: &Limits) -> Result<Aggregated, Error> {
    let (customers, threads) = (finish.customers.len(), limits.threads.get());
    let block = scan.cells() as u64 * size_of::<i64>() as u64;
    let needed = block * customers as u64;
    let mut windows = finish.none();
    let part = |blocks: &_, customers| finish.part(blocks, customers);
    let take = |parts: Vec<finish::Part>| {
        windows.iter_mut().zip(parts).for_each(|(window, part)| window.join(part));
    };
    if needed <= limits.memory_bytes {
        let counts = totals::in_memory(scan, customers as u32, limits.threads, part, take)?;
        return Ok((windows, counts, None));
    }
    // Each thread aggregates one file at a time, so those of `threads` files are in memory together.
    let per_part = limits.memory_bytes / threads as u64 / block;
    if per_part == 0 {
        return Err(Error::MemoryTooSmall { needed: block * threads as u64, limit: limits.memory_bytes });
    }
    let parts = (customers as u64).div_ceil(per_part);
    if parts > MAX_PARTS as u64 {
        return Err(Error::MemoryTooSmall {
            needed: needed.div_ceil(MAX_PARTS as u64) * threads as u64,
            limit: limits.memory_bytes,
        });
    }
    let division = Division { customers: per_part as u32, parts: parts as u32 };
    let spilled = spill::Spilled::write(scan, division, limits.threads, &limits.scratch)?;
    let report = SpillReport { files: division.parts as usize, bytes: spilled.bytes };
    tracing::info!(files = report.files, bytes = report.bytes, "divided the ledger into files by customer");
    totals::from_files(&spilled, scan.cells(), customers as u32, limits.threads, part, take)?;
    Ok((windows, spilled.counts, Some(report)))
}
