//! Whether the codes of a ledger are those of a taxonomy that comes with the program.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use serde::Serialize;
use spendscape_schema::{Taxonomy, shipped};

/// Share of the rows whose codes a taxonomy has to know, in percent.
const ENOUGH_KNOWN: u64 = 80;

/// Characters of a code from which on it is hardly one of two systems: two digits are anybody's codes.
const TELLING: usize = 3;

/// Codes listed that a taxonomy lacks.
const SHOWN_CODES: usize = 5;

/// A taxonomy that comes with the program and knows most codes.
#[derive(Debug, Serialize)]
pub struct Known {
    /// Its name, as `--taxonomy` takes it.
    pub name: &'static str,
    /// Rows whose codes it knows.
    pub rows: u64,
    /// Rows of all codes.
    pub of: u64,
    /// The codes that it lacks with their rows, the commonest first.
    pub lacking: Vec<(String, u64)>,
}

/// The taxonomy that knows most rows of these codes, if it knows enough of them, with what it is; `of` are the rows of all codes.
pub(super) fn known(codes: &[(String, u64)], of: u64) -> Result<Option<(Known, Taxonomy)>> {
    let mut best: Option<(Known, Taxonomy)> = None;
    for (name, _) in shipped::SHIPPED {
        let taxonomy = shipped::taxonomy(name)?.context("no such taxonomy")?;
        let (found, lacking): (Vec<_>, Vec<_>) =
            codes.iter().cloned().partition(|(code, _)| taxonomy.knows(code));
        let rows = found.iter().map(|(_, rows)| rows).sum();
        let is_telling = found.iter().any(|(code, _)| code.len() >= TELLING);
        // Without any money spent there is nothing to follow.
        let spending = taxonomy.spending_classes();
        let is_spending =
            |code: &str| taxonomy.class_of(code).is_some_and(|class| spending.iter().any(|own| own == class));
        let has_spending = found.iter().any(|(code, _)| is_spending(code));
        let is_better = best.as_ref().is_none_or(|(best, _)| rows > best.rows);
        if is_telling && has_spending && 100 * rows >= ENOUGH_KNOWN * of && is_better {
            best = Some((Known { name, rows, of, lacking }, taxonomy));
        }
    }
    Ok(best)
}

impl Known {
    pub(super) fn tell(&self, out: &mut String) {
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "? {} % of the rows have codes of the taxonomy {}, which comes with the program: its classes are taken, and the \
             coefficients authored for them.",
            100 * self.rows / self.of.max(1),
            self.name
        );
        if self.lacking.is_empty() {
            return;
        }
        let lacking: Vec<String> =
            self.lacking.iter().take(SHOWN_CODES).map(|(code, rows)| format!("{code:?} ({rows})")).collect();
        let more = if self.lacking.len() > SHOWN_CODES { " and others" } else { "" };
        let _ = writeln!(
            out,
            "  It lacks {}{more}: add them to the `codes` of a class in its file, or write `unmapped = \"drop\"` at its start.",
            lacking.join(", ")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(codes: &[(&str, u64)]) -> Option<(&'static str, u64, usize)> {
        let codes: Vec<(String, u64)> =
            codes.iter().map(|(code, rows)| ((*code).to_owned(), *rows)).collect();
        let rows = codes.iter().map(|(_, rows)| rows).sum();
        known(&codes, rows).unwrap().map(|(known, _)| (known.name, known.rows, known.lacking.len()))
    }

    #[test]
    fn codes_of_a_taxonomy_are_known_by_their_rows() {
        assert_eq!(of(&[("5411", 8), ("5812", 2)]), Some(("mcc", 10, 0)));
        assert_eq!(of(&[("5411", 8), ("groceries", 2)]), Some(("mcc", 8, 1)));
        assert_eq!(of(&[("5411", 79), ("5812", 0), ("groceries", 21)]), None);
        assert_eq!(of(&[("CP0111", 3), ("CP0722", 1)]), Some(("coicop", 4, 0)));
        assert_eq!(of(&[("FOOD_AND_DRINK", 3), ("TRANSPORTATION", 1)]), Some(("plaid", 4, 0)));
        // Divisions of COICOP, or the codes of anybody.
        assert_eq!(of(&[("01", 3), ("04", 1)]), None);
        assert_eq!(of(&[("food", 3)]), None);
        assert_eq!(of(&[]), None);
    }
}
