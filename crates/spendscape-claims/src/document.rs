//! The document of a reproduction: the paper's figure, ours, the control, and what follows.

use std::fmt::{Result, Write as _};

use crate::judge::{Entry, Source, Verdict, short};

/// What was judged in one of the cells that tell when a claim holds.
#[derive(Debug, Clone)]
pub struct CellEntries {
    /// The cell's bank, the steps at which grades are asked for, and their scaling.
    pub levels: [&'static str; 3],
    /// How many customers its bank has.
    pub customers: usize,
    /// The claims.
    pub entries: Vec<Entry>,
}

/// The text of `docs/REPRODUCTION.md` for experiments on so many synthetic customers with so many training seeds.
#[must_use]
pub fn document(entries: &[Entry], cells: &[CellEntries], customers: usize, seeds: u64) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, entries, customers, seeds).and_then(|()| write_cells(&mut text, cells));
    text
}

/// In which cells each claim holds.
fn write_cells(text: &mut String, cells: &[CellEntries]) -> Result {
    let Some(CellEntries { customers, entries, .. }) = cells.first() else { return Ok(()) };
    let size = entries.iter().map(|entry| entry.per_seed.len()).max().unwrap_or(0);
    writeln!(
        text,
        "\n## When the claims hold\n\n\
         The papers do not say at which steps the network is asked for the grades, nor how these are scaled, and whether there are\n\
         kinds of customers is a property of a bank. So each claim is judged in every combination, on {customers} customers with {size}\n\
         training seeds: the bank of one cloud of customers (base) or of five kinds (types), grades asked for after the last period\n\
         (last) or after every one (every), scores scaled by three standard deviations (z3) or to their extremes (min-max).\n\
         **Bold**: the claim holds there. *Hangs*: another way to make a choice that the papers leave free would turn the\n\
         verdict.\n"
    )?;
    write!(text, "| # | claim | claim holds in ")?;
    for cell in cells {
        write!(text, "| {} ", cell.levels.join(", "))?;
    }
    writeln!(text, "|\n|---|---|---{}|", "|---".repeat(cells.len()))?;
    let mut rows: Vec<&Entry> = Vec::new();
    for entry in cells.iter().flat_map(|cell| &cell.entries) {
        if !rows.iter().any(|row| row.claim == entry.claim) {
            rows.push(entry);
        }
    }
    rows.sort_by_key(|entry| entry.source.number());
    for entry in rows {
        let Some(number) = entry.source.number() else { continue };
        write!(text, "| {number} | {} | {} ", cell(entry.claim), interval(entry))?;
        for other in cells {
            let found = other.entries.iter().find(|found| found.claim == entry.claim);
            let hangs = found.is_some_and(|found| found.hangs_on.is_some());
            let shown = match found.and_then(|found| Some((found.verdict, short(found.measured?)))) {
                Some((Verdict::Reproduced, value)) if hangs => format!("**{value}** (hangs)"),
                Some((Verdict::Reproduced, value)) => format!("**{value}**"),
                Some((Verdict::NotReproduced, value)) if hangs => format!("{value} (hangs)"),
                Some((Verdict::ByConstruction, value)) => format!("{value} (by construction)"),
                Some((_, value)) => value,
                None => "-".to_owned(),
            };
            write!(text, "| {shown} ")?;
        }
        writeln!(text, "|")?;
    }
    Ok(())
}

fn write(text: &mut String, entries: &[Entry], customers: usize, seeds: u64) -> Result {
    writeln!(
        text,
        "# Reproduction\n\n\
         *Written by `cargo xtask reproduce`; do not edit.* {customers} synthetic customers, {seeds} training seeds on one bank; figures\n\
         are medians over the seeds, with the smallest and largest seed in brackets. The bank's data behind the papers are\n\
         private: every figure here was measured on the synthetic bank (whose coefficient table was authored for this\n\
         project and is not the published one) or on public data.\n\n\
         A claim is *reproduced* if the figure that decides it lies in the interval in which the claim is true as printed, on\n\
         any data. The control beside it says what the claim is worth. *By construction* means that the figure lies on that\n\
         side for any network that fits the grades. Where a verdict *hangs on* a choice that the papers leave free, the figure by the\n\
         other ways to choose stands beside it. *Not judged* means that nothing was measured, or no interval applies.\n"
    )?;
    let mut names: Vec<&str> = entries.iter().map(|entry| entry.experiment.as_str()).collect();
    names.dedup();
    writeln!(
        text,
        "| experiment | claims reproduced | not reproduced | by construction | not judged | of all these, hanging on a choice | acceptance rows inside | outside | not judged |\n\
         |---|---|---|---|---|---|---|---|---|"
    )?;
    for name in &names {
        write!(text, "| {name} ")?;
        let count = |acceptance: bool, is: &dyn Fn(&Entry) -> bool| {
            of(entries, name, acceptance).filter(|entry| is(entry)).count()
        };
        let by = |verdict: Verdict| move |entry: &Entry| entry.verdict == verdict;
        let hanging = |entry: &Entry| entry.hangs_on.is_some();
        for verdict in
            [Verdict::Reproduced, Verdict::NotReproduced, Verdict::ByConstruction, Verdict::NotJudged]
        {
            write!(text, "| {} ", count(false, &by(verdict)))?;
        }
        write!(text, "| {} ", count(false, &hanging))?;
        for verdict in [Verdict::Reproduced, Verdict::NotReproduced, Verdict::NotJudged] {
            write!(text, "| {} ", count(true, &by(verdict)))?;
        }
        writeln!(text, "|")?;
    }
    for name in names {
        let own = |acceptance: bool| of(entries, name, acceptance);
        writeln!(text, "\n## {name}\n\n### The papers' claims\n")?;
        writeln!(text, "| # | claim | paper | claim holds in | ours | verdict | control | what follows |")?;
        writeln!(text, "|---|---|---|---|---|---|---|---|")?;
        for (number, entry) in own(false).filter_map(|entry| Some((entry.source.number()?, entry))) {
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                number,
                cell(entry.claim),
                cell(entry.paper.unwrap_or("-")),
                interval(entry),
                measured(entry),
                verdict(entry),
                cell(&beside(entry)),
                cell(entry.reading)
            )?;
        }
        if own(true).next().is_none() {
            continue;
        }
        writeln!(text, "\n### Acceptance rows\n\nAgainst the figures of an independent prototype.\n")?;
        writeln!(text, "| figure | band | ours | verdict |\n|---|---|---|---|")?;
        for entry in own(true) {
            let verdict = match entry.verdict {
                Verdict::Reproduced => "inside",
                Verdict::NotReproduced => "outside",
                Verdict::ByConstruction | Verdict::NotJudged => entry.verdict.name(),
            };
            writeln!(text, "| {} | {} | {} | {verdict} |", entry.claim, interval(entry), measured(entry))?;
        }
    }
    Ok(())
}

/// The acceptance rows, or the claims, of an experiment.
fn of<'a>(entries: &'a [Entry], name: &'a str, acceptance: bool) -> impl Iterator<Item = &'a Entry> {
    entries
        .iter()
        .filter(move |entry| entry.experiment == name && (entry.source == Source::Acceptance) == acceptance)
}

/// Text in a table: a bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The verdict, and the choice on which it hangs.
fn verdict(entry: &Entry) -> String {
    match entry.hangs_on {
        Some(choice) => format!("{}, but it hangs on {choice}", entry.verdict.name()),
        None => entry.verdict.name().to_owned(),
    }
}

/// The controls, and the figure by other ways to choose.
fn beside(entry: &Entry) -> String {
    let otherwise = entry.otherwise.as_ref().map(|ways| format!("chosen otherwise: {ways}"));
    let parts: Vec<String> = entry.control.clone().into_iter().chain(otherwise).collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(". ") }
}

fn interval(entry: &Entry) -> String {
    entry.expected.map_or_else(|| "-".to_owned(), |[low, high]| format!("{} to {}", short(low), short(high)))
}

fn measured(entry: &Entry) -> String {
    let Some(median) = entry.measured else { return "-".to_owned() };
    let low = entry.per_seed.iter().copied().fold(f64::INFINITY, f64::min);
    let high = entry.per_seed.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{} [{}, {}]", short(median), short(low), short(high))
}
