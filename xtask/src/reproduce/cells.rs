//! When a claim holds: banks and ways to train that differ in one thing or several, and the tables that lay them out.

use super::banks::{Draw, YEARS};

/// Customers of a cell: enough for every claim, and few enough for many cells.
pub(super) const CELL_CUSTOMERS: usize = 6_500;
/// Seeds of a cell, each of a bank and of a net.
const CELL_SEEDS: u64 = 3;
/// The same where experiments are quick: there are many cells.
const QUICK_CELL_SEEDS: u64 = 1;

/// How many seeds are measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seeds {
    /// Of an experiment.
    pub(super) most: u64,
    /// Of a cell.
    pub(super) cell: u64,
    /// Whether the first of them also tells what the parts of the models of next goals are worth, each by a training of its own.
    pub(super) ablated: bool,
}

impl Seeds {
    /// So many, and the rest as quick experiments have it or not.
    pub(super) fn of(most: u64, quick: bool) -> Self {
        Self { most, cell: if quick { QUICK_CELL_SEEDS } else { CELL_SEEDS }, ablated: !quick }
    }
}

/// One of the ways in which the papers leave open what is done, or a bank that is made in another way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(super) name: &'static str,
    pub(super) describe: &'static str,
    preset: &'static str,
    options: &'static [&'static str],
    years: usize,
    pub(super) targets: &'static str,
    pub(super) scaling: &'static str,
    /// Whether default is all that is measured, on as many customers as a bank of full size has.
    pub(super) is_label: bool,
}

impl Cell {
    /// Its bank with a seed; `full` is the number of customers of a bank that is no cell's.
    pub(super) fn bank(&self, full: usize, seed: u64) -> Draw {
        let customers = if self.is_label { full } else { CELL_CUSTOMERS };
        Draw { preset: self.preset, options: self.options, years: self.years, customers, seed }
    }
}

/// A cell of the factorial: bank, targets and scaling.
const fn way(name: &'static str, preset: &'static str, targets: &'static str, scaling: &'static str) -> Cell {
    let describe = "a way to train that the papers leave open, on a bank of one cloud or of several kinds";
    Cell { name, describe, preset, options: &[], years: YEARS, targets, scaling, is_label: false }
}

/// A bank that is made in another way, and trained on as the others.
const fn made(
    name: &'static str,
    preset: &'static str,
    options: &'static [&'static str],
    years: usize,
) -> Cell {
    let describe = "a bank that is made in another way";
    Cell { name, describe, preset, options, years, targets: "last", scaling: "z3", is_label: false }
}

/// A label of which traits explain another share.
const fn label(name: &'static str, options: &'static [&'static str]) -> Cell {
    let describe = "default, of which traits explain a given share";
    let (preset, years, targets, scaling) = ("base", YEARS, "last", "z3");
    Cell { name, describe, preset, options, years, targets, scaling, is_label: true }
}

/// Every cell.
pub(super) const CELLS: [Cell; 23] = [
    way("cell-base-last-z3", "base", "last", "z3"),
    way("cell-base-last-minmax", "base", "last", "min-max"),
    way("cell-base-every-z3", "base", "every", "z3"),
    way("cell-base-every-minmax", "base", "every", "min-max"),
    way("cell-types-last-z3", "types", "last", "z3"),
    way("cell-types-last-minmax", "types", "last", "min-max"),
    way("cell-types-every-z3", "types", "every", "z3"),
    way("cell-types-every-minmax", "types", "every", "min-max"),
    made("cell-apart-0", "types", &["--separation", "0"], YEARS),
    made("cell-apart-1", "types", &["--separation", "1"], YEARS),
    made("cell-apart-2", "types", &["--separation", "2"], YEARS),
    made("cell-apart-4", "types", &["--separation", "4"], YEARS),
    made("cell-years-12", "base", &[], 12),
    made("cell-years-24", "base", &[], 24),
    made("cell-trait-1", "base", &["--traits", "1"], YEARS),
    made("cell-trait-1-years-24", "base", &["--traits", "1"], 24),
    made("cell-unlisted-20", "base", &["--unlisted", "20"], YEARS),
    label("label-0", &["--trait-share", "0"]),
    label("label-25", &["--trait-share", "0.25"]),
    label("label-50", &["--trait-share", "0.5"]),
    label("label-75", &["--trait-share", "0.75"]),
    label("label-90", &["--trait-share", "0.9"]),
    label("label-100", &["--trait-share", "1"]),
];

/// A table of cells.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) title: &'static str,
    /// The factors, in words that go on from "along".
    pub(super) factors: &'static [&'static str],
    /// Claims that it was made for.
    pub(super) about: &'static [u8],
    /// What is varied, and how.
    pub(super) words: &'static str,
    /// The experiments, with the level of each factor.
    pub(super) columns: &'static [(&'static str, &'static [&'static str])],
}

/// Every table, in the order of the document.
pub(super) const LAYOUTS: [Layout; 5] = [
    Layout {
        title: "Ways that the papers leave open, on two kinds of bank",
        factors: &["bank", "targets", "scaling"],
        about: &[],
        words: "On 6,500 customers, as in all tables but the last. The papers do not say at which steps the network is asked for the grades, nor how these are scaled, and whether there \
                are kinds of customers is a property of a bank. So each claim is judged in every combination: the bank of one cloud of \
                customers (base) or of five kinds (types), grades asked for after the last period (last) or after every one \
                (every), scores scaled by three standard deviations (z3) or to their extremes (min-max).",
        columns: &[
            ("cell-base-last-z3", &["base", "last", "z3"]),
            ("cell-base-last-minmax", &["base", "last", "min-max"]),
            ("cell-base-every-z3", &["base", "every", "z3"]),
            ("cell-base-every-minmax", &["base", "every", "min-max"]),
            ("cell-types-last-z3", &["types", "last", "z3"]),
            ("cell-types-last-minmax", &["types", "last", "min-max"]),
            ("cell-types-every-z3", &["types", "every", "z3"]),
            ("cell-types-every-minmax", &["types", "every", "min-max"]),
        ],
    },
    Layout {
        title: "How far apart kinds of customers are",
        factors: &["separation"],
        about: &[3, 5, 7],
        words: "Five kinds of customers, each with more of one trait than the others by so many standard deviations of the bank base; \
                within a kind traits vary by .6 of them (targets last, scaling z3).",
        columns: &[
            ("cell-apart-0", &["0"]),
            ("cell-apart-1", &["1"]),
            ("cell-apart-2", &["2"]),
            ("cell-types-last-z3", &["3"]),
            ("cell-apart-4", &["4"]),
        ],
    },
    Layout {
        title: "How long, and of how many traits",
        factors: &["years", "traits"],
        about: &[15, 16],
        words: "The bank base over so many years, which are the network's periods, with five traits or with one that alone drives \
                spending and alone is graded (targets last, scaling z3).",
        columns: &[
            ("cell-base-last-z3", &["6 years", "5 traits"]),
            ("cell-years-12", &["12 years", "5 traits"]),
            ("cell-years-24", &["24 years", "5 traits"]),
            ("cell-trait-1", &["6 years", "1 trait"]),
            ("cell-trait-1-years-24", &["24 years", "1 trait"]),
        ],
    },
    Layout {
        title: "Classes that traits drive and the table does not list",
        factors: &["unlisted classes"],
        about: &[8, 9],
        words: "The bank base, from whose coefficient table so many of the classes that traits drive were taken before anything was \
                learned. Without them the 36 classes that have no coefficient have no relation with traits either, so that there \
                is nothing to learn beyond the table (targets last, scaling z3).",
        columns: &[("cell-base-last-z3", &["0"]), ("cell-unlisted-20", &["20"])],
    },
    Layout {
        title: "How much of a label traits explain",
        factors: &["trait share"],
        about: &[17],
        words: "Default on the bank base, with so much of what buffer and traits add to its log-odds explained by traits, the rest by \
                a part of the account's buffer that no trait explains. Balances show the whole buffer (traits explain .3 of it), \
                spending shows the traits. The label of the bank base has a share of .61.",
        columns: &[
            ("label-0", &["0"]),
            ("label-25", &[".25"]),
            ("label-50", &[".5"]),
            ("label-75", &[".75"]),
            ("label-90", &[".9"]),
            ("label-100", &["1"]),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_stands_in_a_table_and_every_column_is_a_cell() {
        let columns: Vec<&str> =
            LAYOUTS.iter().flat_map(|layout| layout.columns).map(|(name, _)| *name).collect();
        assert!(CELLS.iter().all(|cell| columns.contains(&cell.name)));
        assert!(columns.iter().all(|name| CELLS.iter().any(|cell| cell.name == *name)));
        for layout in LAYOUTS {
            assert!(
                layout.columns.iter().all(|(_, levels)| levels.len() == layout.factors.len()),
                "{}",
                layout.title
            );
        }
        let mut banks: Vec<(Draw, [&str; 2])> =
            CELLS.iter().map(|cell| (cell.bank(1, 1), [cell.targets, cell.scaling])).collect();
        while let Some(cell) = banks.pop() {
            assert!(!banks.contains(&cell), "{cell:?} is measured twice");
        }
    }
}
