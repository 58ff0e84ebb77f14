//! When a claim holds: the cells that differ in one factor or several, and in which of them it does.

use std::fmt::{Result, Write as _};

use crate::judge::{Entry, Verdict, short};

/// Cells that are laid out beside each other.
#[derive(Debug, Clone)]
pub struct CellTable {
    /// Its title.
    pub title: &'static str,
    /// What is varied, one name for each factor.
    pub factors: &'static [&'static str],
    /// What is varied and how, in sentences.
    pub words: String,
    /// Claims that it was made for: they are shown also where all cells agree.
    pub about: &'static [u8],
    /// The cells.
    pub cells: Vec<CellEntries>,
}

/// What was judged in one cell.
#[derive(Debug, Clone)]
pub struct CellEntries {
    /// The level of each factor.
    pub levels: &'static [&'static str],
    /// The claims.
    pub entries: Vec<Entry>,
}

impl CellEntries {
    fn entry(&self, claim: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.claim == claim)
    }
}

impl CellTable {
    /// The entries of a claim in the cells in which it was judged, with their levels.
    fn judged(&self, claim: &str) -> Vec<(&[&'static str], &Entry)> {
        let found = self.cells.iter().filter_map(|cell| Some((cell.levels, cell.entry(claim)?)));
        found.filter(|(_, entry)| entry.verdict != Verdict::NotJudged).collect()
    }

    /// In which cells a claim holds, in the words of their levels, and whether they agree. Nothing where it was not judged, or
    /// falls on its side by construction in all of them.
    pub(crate) fn holds_in(&self, claim: &str) -> Option<(String, bool)> {
        let judged = self.judged(claim);
        if judged.iter().all(|(_, entry)| entry.verdict == Verdict::ByConstruction) {
            return None;
        }
        let all: Vec<&[&str]> = judged.iter().map(|(levels, _)| *levels).collect();
        let holding: Vec<&[&str]> =
            judged.iter().filter(|(_, entry)| entry.holds == Some(true)).map(|(levels, _)| *levels).collect();
        let count = format!("{} of {}", holding.len(), all.len());
        Some(match holding.len() {
            0 => (format!("none of {}", all.len()), true),
            n if n == all.len() => (format!("all {n}"), true),
            _ => (format!("{count}: {}", self.in_words(&all, &holding)), false),
        })
    }

    /// The cells by the levels that they share and no other cell has, by those of the others, or one by one.
    fn in_words(&self, all: &[&[&'static str]], holding: &[&[&'static str]]) -> String {
        let others: Vec<&[&str]> = all.iter().copied().filter(|levels| !holding.contains(levels)).collect();
        if let Some(shared) = shared_levels(all, holding) {
            return shared.join(", ");
        }
        if let Some(shared) = shared_levels(all, &others) {
            return format!("all but {}", shared.join(", "));
        }
        let between = if self.factors.len() == 1 { ", " } else { "; " };
        holding.iter().map(|levels| levels.join(", ")).collect::<Vec<_>>().join(between)
    }

    /// Writes the table: every claim, or where there are `few`, those on which cells disagree and those that it is about.
    pub(crate) fn write(&self, text: &mut String, few: bool) -> Result {
        let mut rows: Vec<&Entry> = Vec::new();
        for entry in self.cells.iter().flat_map(|cell| &cell.entries) {
            if entry.source.number().is_some() && !rows.iter().any(|row| row.claim == entry.claim) {
                rows.push(entry);
            }
        }
        rows.sort_by_key(|row| row.source.number());
        let is_shown = |row: &&Entry| {
            let differ = self.judged(row.claim).windows(2).any(|pair| pair[0].1.verdict != pair[1].1.verdict);
            !few || differ || row.source.number().is_some_and(|number| self.about.contains(&number))
        };
        let (shown, alike): (Vec<&Entry>, Vec<&Entry>) = rows.into_iter().partition(is_shown);
        writeln!(text, "\n### {}\n\n{}\n", self.title, self.words)?;
        write!(text, "| # | claim | holds in ")?;
        for cell in &self.cells {
            write!(text, "| {} ", cell.levels.join(", "))?;
        }
        writeln!(text, "|\n|---|---|---{}|", "|---".repeat(self.cells.len()))?;
        for row in shown {
            let (number, claim) = (row.source.number().unwrap_or(0), in_cell(row.claim));
            write!(text, "| {number} | {claim} | {} ", interval(row))?;
            for cell in &self.cells {
                write!(text, "| {} ", cell.entry(row.claim).map_or_else(|| "-".to_owned(), shown_figure))?;
            }
            writeln!(text, "|")?;
        }
        if !alike.is_empty() {
            writeln!(text, "\nOn {} more statements the cells agree.", alike.len())?;
        }
        Ok(())
    }
}

/// Levels, at least one, that a cell has exactly if it is among these.
fn shared_levels(all: &[&[&'static str]], these: &[&[&'static str]]) -> Option<Vec<&'static str>> {
    let first = these.first()?;
    let shared: Vec<usize> = (0..first.len())
        .filter(|factor| these.iter().all(|levels| levels[*factor] == first[*factor]))
        .collect();
    let has = |levels: &&&[&'static str]| shared.iter().all(|factor| levels[*factor] == first[*factor]);
    let is_told = !shared.is_empty() && all.iter().filter(has).count() == these.len();
    is_told.then(|| shared.iter().map(|factor| first[*factor]).collect())
}

/// A figure, bold where the claim holds, and how many seeds lie inside where they do not agree.
fn shown_figure(entry: &Entry) -> String {
    let Some(value) = entry.measured.map(short) else { return "-".to_owned() };
    let mut shown = match entry.verdict {
        Verdict::Reproduced => format!("**{value}**"),
        Verdict::ByConstruction => format!("{value} (by construction)"),
        Verdict::NotReproduced | Verdict::NotJudged => value,
    };
    if let Some((inside, seeds)) = entry.split() {
        // Writing to a string cannot fail.
        let _ = write!(shown, " ({inside} of {seeds} seeds)");
    }
    if entry.hangs_on.is_some() { shown + " (hangs)" } else { shown }
}

/// Text in a table: a bar would end the cell.
pub(crate) fn in_cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Where a figure has to lie.
pub(crate) fn interval(entry: &Entry) -> String {
    entry.expected.map_or_else(|| "-".to_owned(), |[low, high]| format!("{} to {}", short(low), short(high)))
}
