//! The first page of the document: each statement in one line.

use std::fmt::{Result, Write as _};

use crate::cells::{CellTable, in_cell};
use crate::judge::{Entry, Verdict};

/// The bank on which the statements are told first, and the one beside it.
const BANKS: [&str; 2] = ["base", "strong"];

/// Writes a line for each statement: whether it holds on synthetic banks and on public data, in which cells, and why.
pub(crate) fn write(text: &mut String, entries: &[Entry], tables: &[CellTable]) -> Result {
    let claims = statements(entries, tables);
    write_counts(text, entries, tables, &claims)?;
    writeln!(
        text,
        "\n| # | statement | base | strong | public data | cells in which it holds | why |\n|---|---|---|---|---|---|---|"
    )?;
    for (number, claim) in claims {
        let of = |entry: &&Entry| entry.claim == claim && entry.verdict != Verdict::NotJudged;
        let judged: Vec<&Entry> = entries.iter().filter(of).collect();
        let on = |bank: &str| judged.iter().copied().find(|entry| entry.experiment == bank);
        // Next goals are a stream of their own on the bank base.
        let base = on(BANKS[0])
            .or_else(|| judged.iter().copied().find(|entry| entry.synthetic && entry.experiment != BANKS[1]));
        let first = base.or(judged.first().copied()).or_else(|| in_tables(tables, claim));
        writeln!(
            text,
            "| {number} | {} | {} | {} | {} | {} | {} |",
            in_cell(claim),
            base.map_or_else(|| "-".to_owned(), in_a_word),
            on(BANKS[1]).map_or_else(|| "-".to_owned(), in_a_word),
            on_public_data(&judged),
            in_cells(tables, claim),
            in_cell(&first.map_or_else(String::new, why))
        )?;
    }
    Ok(())
}

/// Every statement of the claims, in their order.
fn statements<'a>(entries: &'a [Entry], tables: &'a [CellTable]) -> Vec<(u8, &'a str)> {
    let of_cells = tables.iter().flat_map(|table| &table.cells).flat_map(|cell| &cell.entries);
    let mut claims: Vec<(u8, &str)> = Vec::new();
    for entry in entries.iter().chain(of_cells) {
        if let Some(number) = entry.source.number()
            && !claims.iter().any(|(_, claim)| *claim == entry.claim)
        {
            claims.push((number, entry.claim));
        }
    }
    claims.sort_by_key(|(number, _)| *number);
    claims
}

/// How many statements hold on base, and how many wherever they were judged.
fn write_counts(text: &mut String, entries: &[Entry], tables: &[CellTable], claims: &[(u8, &str)]) -> Result {
    let of = |verdict: Verdict| {
        let is = |entry: &&Entry| entry.experiment == BANKS[0] && entry.source.number().is_some();
        entries.iter().filter(is).filter(|entry| entry.verdict == verdict).count()
    };
    let everywhere = |claim: &str, verdict: Verdict| {
        let of_cells = tables.iter().flat_map(|table| &table.cells).flat_map(|cell| &cell.entries);
        let mut judged = entries
            .iter()
            .chain(of_cells)
            .filter(|entry| entry.claim == claim && entry.verdict != Verdict::NotJudged)
            .peekable();
        judged.peek().is_some() && judged.all(|entry| entry.verdict == verdict)
    };
    let count = |verdict: Verdict| claims.iter().filter(|(_, claim)| everywhere(claim, verdict)).count();
    writeln!(
        text,
        "Of {} statements, on the bank base {} hold, {} do not and {} fall on their side by construction. Wherever they were judged, \
         {} hold on all data and in all cells, {} on none: of the others the table says when.",
        claims.len(),
        of(Verdict::Reproduced),
        of(Verdict::NotReproduced),
        of(Verdict::ByConstruction),
        count(Verdict::Reproduced),
        count(Verdict::NotReproduced)
    )
}

fn in_tables<'a>(tables: &'a [CellTable], claim: &str) -> Option<&'a Entry> {
    let mut entries = tables.iter().flat_map(|table| &table.cells).flat_map(|cell| &cell.entries);
    entries.find(|entry| entry.claim == claim && entry.verdict != Verdict::NotJudged)
}

/// The verdict, with what makes it uncertain.
fn in_a_word(entry: &Entry) -> String {
    let word = match entry.verdict {
        Verdict::Reproduced => "**holds**",
        Verdict::NotReproduced => "does not",
        Verdict::ByConstruction => "by construction",
        Verdict::NotJudged => "-",
    };
    let mut doubts = Vec::new();
    if let Some((inside, seeds)) = entry.split() {
        let does = if entry.verdict == Verdict::NotReproduced { "does " } else { "" };
        doubts.push(format!("{does}in {inside} of {seeds} seeds"));
    }
    if entry.hangs_on.is_some() {
        doubts.push("hangs".to_owned());
    }
    if doubts.is_empty() { word.to_owned() } else { format!("{word} ({})", doubts.join(", ")) }
}

/// On how many sets of public data it holds.
fn on_public_data(judged: &[&Entry]) -> String {
    let public: Vec<&&Entry> = judged.iter().filter(|entry| !entry.synthetic).collect();
    let of = |verdict: Verdict| -> Vec<&str> {
        public
            .iter()
            .filter(|entry| entry.verdict == verdict)
            .map(|entry| entry.experiment.as_str())
            .collect()
    };
    let (holding, constructed) = (of(Verdict::Reproduced), of(Verdict::ByConstruction).len());
    match (public.len(), holding.len()) {
        (0, _) => "-".to_owned(),
        (all, _) if all == constructed => "by construction".to_owned(),
        (all, 0) if constructed > 0 => format!("none of {all} but by construction"),
        (all, 0) => format!("none of {all}"),
        (all, n) if all == n => format!("all {n}"),
        (all, n) => format!("{n} of {all}: {}", holding.join(", ")),
    }
}

/// In how many of the cells of the first table it holds, and along which other factors that changes.
fn in_cells(tables: &[CellTable], claim: &str) -> String {
    let mut told = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        match table.holds_in(claim) {
            Some((words, _)) if at == 0 => told.push(words),
            Some((words, agree)) if !agree || told.is_empty() => {
                told.push(format!("{} {words}", table.factors.join(" and ")));
            }
            _ => {}
        }
    }
    if told.is_empty() { "-".to_owned() } else { told.join("; ") }
}

/// The first sentence of what follows, and the constant of the bank that decides.
fn why(entry: &Entry) -> String {
    let sentence = first_sentence(entry.reading);
    match entry.decided_by {
        Some(constant) => format!("{sentence} On the synthetic bank {constant}."),
        None => sentence.to_owned(),
    }
}

/// Up to the first stop before a capital letter.
fn first_sentence(text: &str) -> &str {
    let end = text
        .match_indices(". ")
        .find(|(at, _)| text[at + 2..].starts_with(|letter: char| letter.is_uppercase()));
    end.map_or(text, |(at, _)| &text[..=at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::CellEntries;
    use crate::claims::{c01_elbow, c03_clusters};
    use crate::figure::Figure;
    use crate::judge::{Subject, judge};
    use crate::measured::Measured;

    const SUBJECT: Subject<'_> =
        Subject { name: "base", bank: None, full: false, partial: true, synthetic: true };
    const ELBOW: &str = "three nodes by the elbow";

    fn measured(figure: Figure, value: f64) -> Measured {
        [(figure.to_string(), value)].into_iter().collect()
    }

    fn elbow(name: &str, synthetic: bool, nodes: &[f64]) -> Vec<Entry> {
        let seeds: Vec<Measured> = nodes.iter().map(|nodes| measured(c01_elbow::ELBOW, *nodes)).collect();
        judge(&Subject { name, synthetic, ..SUBJECT }, &seeds)
            .into_iter()
            .filter(|entry| entry.source.number().is_some())
            .collect()
    }

    fn table(cells: &[(&'static [&'static str], f64)], factors: &'static [&'static str]) -> CellTable {
        let cells = cells
            .iter()
            .map(|(levels, nodes)| CellEntries { levels, entries: elbow("cell", true, &[*nodes]) })
            .collect();
        CellTable { title: "Cells", factors, words: "Some words.".to_owned(), about: &[], cells }
    }

    #[test]
    fn cells_are_told_by_what_they_share() {
        let of = |nodes: [f64; 4]| {
            let levels: [&'static [&'static str]; 4] =
                [&["base", "last"], &["base", "every"], &["types", "last"], &["types", "every"]];
            let cells: Vec<_> = levels.into_iter().zip(nodes).collect();
            table(&cells, &["bank", "targets"]).holds_in(ELBOW).unwrap()
        };
        assert_eq!(of([3.0; 4]), ("all 4".to_owned(), true));
        assert_eq!(of([2.0; 4]), ("none of 4".to_owned(), true));
        assert_eq!(of([2.0, 2.0, 3.0, 3.0]).0, "2 of 4: types");
        assert_eq!(of([2.0, 3.0, 2.0, 3.0]).0, "2 of 4: every");
        assert_eq!(of([2.0, 3.0, 2.0, 2.0]).0, "1 of 4: base, every");
        assert_eq!(of([3.0, 2.0, 3.0, 3.0]).0, "3 of 4: all but base, every");
        // No level tells these two from the others.
        assert_eq!(of([3.0, 2.0, 2.0, 3.0]).0, "2 of 4: base, last; types, every");
        let row: &[(&'static [&'static str], f64)] =
            &[(&["0"], 2.0), (&["1"], 3.0), (&["2"], 3.0), (&["3"], 2.0)];
        assert_eq!(table(row, &["separation"]).holds_in(ELBOW).unwrap().0, "2 of 4: 1, 2");
        assert_eq!(table(row, &["separation"]).holds_in("another"), None);
    }

    #[test]
    fn a_statement_stands_in_one_line_with_its_verdicts_and_why() {
        let mut entries = elbow("base", true, &[3.0, 3.0, 2.0]);
        entries.extend(elbow("strong", true, &[2.0, 2.0, 2.0]));
        entries.extend(elbow("shop", false, &[3.0]));
        entries.extend(elbow("lender", false, &[5.0]));
        let ways = table(&[(&["last"], 3.0), (&["every"], 3.0)], &["targets"]);
        let apart = table(&[(&["0"], 2.0), (&["4"], 3.0)], &["separation"]);
        let mut text = String::new();
        write(&mut text, &entries, &[ways, apart]).unwrap();
        assert!(text.starts_with("Of 1 statements, on the bank base 1 hold, 0 do not"), "{text}");
        let line = text.lines().last().unwrap();
        let begins = "| 1 | three nodes by the elbow | **holds** (in 2 of 3 seeds) | does not | 1 of 2: shop | all 2; separation 1 \
                      of 2: 4 | The elbow is where the paper finds it;";
        assert!(line.starts_with(begins), "{line}");
    }

    #[test]
    fn the_constant_that_decides_is_named_on_the_synthetic_bank_only() {
        let figure = c03_clusters::CLUSTERS_MINUS_NULL.of(c03_clusters::SILHOUETTE);
        let of = |synthetic| {
            let entries = judge(&Subject { synthetic, ..SUBJECT }, &[measured(figure, 0.0)]);
            why(entries.iter().find(|entry| entry.claim == "they form clusters").unwrap())
        };
        assert!(
            of(true).contains("On the synthetic bank the traits of all customers are one Gaussian cloud"),
            "{}",
            of(true)
        );
        assert!(!of(false).contains("synthetic"));
    }

    #[test]
    fn the_first_sentence_ends_before_a_capital() {
        assert_eq!(
            first_sentence("An R2 of .78 is reached. It measures angles."),
            "An R2 of .78 is reached."
        );
        assert_eq!(first_sentence("Below .5 no majority. at all"), "Below .5 no majority. at all");
    }
}
