//! The document of a reproduction: the paper's figure, ours, the control, and what follows.

use std::fmt::{Result, Write as _};

use crate::cells::{CellTable, in_cell, interval};
use crate::judge::{Entry, Source, Verdict, short};
use crate::summary;

/// The text of `docs/REPRODUCTION.md` for experiments on so many synthetic customers with so many seeds, each of a bank and of a
/// net: a summary, when the claims hold, and every experiment.
#[must_use]
pub fn document(entries: &[Entry], tables: &[CellTable], customers: usize, seeds: u64) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, entries, tables, customers, seeds);
    text
}

fn write(text: &mut String, entries: &[Entry], tables: &[CellTable], customers: usize, seeds: u64) -> Result {
    writeln!(
        text,
        "# Reproduction\n\n\
         *Written by `cargo xtask reproduce`; do not edit.* The data behind the papers are private: everything here was measured on\n\
         synthetic banks, whose coefficient table was authored for this project and is not the published one, or on public data. A\n\
         statement **holds** if the figure that decides it lies in the interval in which it is true as printed. *By construction*: the\n\
         figure lies on that side for any network that fits the grades. *Hangs*: another way to make a choice that the papers leave\n\
         free would turn the verdict.\n\n\
         ## Summary\n"
    )?;
    summary::write(text, entries, tables)?;
    if !tables.is_empty() {
        writeln!(
            text,
            "\n## When the claims hold\n\n\
             Each cell is a bank and a way to train, with a few seeds, each of a bank of its own and of a net. **Bold**: the claim holds there."
        )?;
    }
    for (at, table) in tables.iter().enumerate() {
        table.write(text, at > 0)?;
    }
    if !entries.is_empty() {
        write_experiments(text, entries, customers, seeds)?;
    }
    Ok(())
}

fn write_experiments(text: &mut String, entries: &[Entry], customers: usize, seeds: u64) -> Result {
    writeln!(
        text,
        "\n## What was measured\n\n\
         {customers} synthetic customers, {seeds} seeds, each of a bank that is drawn with it and of a net that is trained on it. Figures are\n\
         medians over the seeds, with the smallest and the largest in brackets: of {seeds} independent draws of bank and net these two\n\
         enclose the median over all draws with a confidence of {:.0} %. Next goals are learned on one bank, with two training seeds, and\n\
         loans are an outcome once: there, as on all public data, of which there is one draw, they tell nets apart only. The control beside a figure says what a claim is worth; where a verdict hangs on a choice, the figure by the other ways\n\
         to choose stands there too. *Not judged*: nothing was measured, or no interval applies.\n",
        100.0 * confidence(seeds)
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
                in_cell(entry.claim),
                in_cell(entry.paper.unwrap_or("-")),
                interval(entry),
                measured(entry),
                verdict(entry),
                in_cell(&beside(entry)),
                in_cell(entry.reading)
            )?;
        }
        if own(true).next().is_none() {
            continue;
        }
        writeln!(
            text,
            "\n### Acceptance rows\n\nAgainst the figures of an independent prototype or, in quick experiments and where it has none, of this program.\n"
        )?;
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

/// The verdict, how many seeds are on its side, and the choice on which it hangs.
fn verdict(entry: &Entry) -> String {
    let mut words = entry.verdict.name().to_owned();
    if let Some((inside, seeds)) = entry.split() {
        // Writing to a string cannot fail.
        let _ = write!(words, " ({inside} of {seeds} seeds inside)");
    }
    match entry.hangs_on {
        Some(choice) => format!("{words}, but it hangs on {choice}"),
        None => words,
    }
}

/// How surely the smallest and the largest of so many independent draws enclose the median over all draws.
fn confidence(draws: u64) -> f64 {
    1.0 - 0.5_f64.powi(draws as i32 - 1)
}

/// The controls, and the figure by other ways to choose.
fn beside(entry: &Entry) -> String {
    let otherwise = entry.otherwise.as_ref().map(|ways| format!("chosen otherwise: {ways}"));
    let parts: Vec<String> = entry.control.clone().into_iter().chain(otherwise).collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(". ") }
}

fn measured(entry: &Entry) -> String {
    let Some(median) = entry.measured else { return "-".to_owned() };
    let low = entry.per_seed.iter().copied().fold(f64::INFINITY, f64::min);
    let high = entry.per_seed.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{} [{}, {}]", short(median), short(low), short(high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::c01_elbow;
    use crate::judge::{Subject, judge};

    #[test]
    fn all_draws_but_those_on_one_side_enclose_the_median() {
        assert!((confidence(5) - 0.9375).abs() < 1e-15 && confidence(1) == 0.0);
    }

    #[test]
    fn the_summary_stands_first_and_the_cells_behind_it() {
        let subject = Subject { name: "base", bank: None, full: false, partial: true, synthetic: true };
        let seed = [(c01_elbow::ELBOW.to_string(), 3.0)].into_iter().collect();
        let entries = judge(&subject, &[seed]);
        let cells = vec![crate::CellEntries { levels: &["last"], entries: entries.clone() }];
        let table =
            CellTable { title: "Ways", factors: &["targets"], words: "Words.".to_owned(), about: &[], cells };
        let text = document(&entries, &[table], 123, 5);
        let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words:?} in {text}"));
        assert!(
            at("## Summary") < at("## When the claims hold") && at("### Ways") < at("## What was measured")
        );
        assert!(at("## What was measured") < at("## base") && at("confidence of 94 %") < at("## base"));
        assert!(
            text.contains("| # | claim | holds in | last |")
                && text.contains("123 synthetic customers, 5 seeds")
        );
    }
}
