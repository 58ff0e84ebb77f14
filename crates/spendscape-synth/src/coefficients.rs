//! The coefficient table of the bank, and where its signs come from.

use spendscape_schema::{Coefficients, CsvTable};

use crate::Error;

/// The table of [`bank_coefficients`] as text (CSV).
pub const BANK_TABLE: &str = include_str!("../data/bank97.csv");

/// The coefficient table of the bank: 97 classes with population shares and five coefficients (E N O C A).
///
/// It was authored for this project and is **not** the published table of ratings by Matz, Gladstone and Stillwell
/// (2016), which is not public in machine-readable form; see `data/README.md`.
///
/// ```
/// let table = spendscape_synth::bank_coefficients()?;
/// assert_eq!(table.classes.len(), 97);
/// # Ok::<(), spendscape_synth::Error>(())
/// ```
///
/// # Errors
/// Never for the table that comes with the crate.
pub fn bank_coefficients() -> Result<Coefficients, Error> {
    Ok(Coefficients::from_csv(BANK_TABLE)?)
}

/// A sign of the table that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedSign {
    /// The class.
    pub class: String,
    /// The trait, as the table names it.
    pub trait_name: String,
    /// Whether more spending in the class goes with more of the trait.
    pub positive: bool,
    /// The study.
    pub study: String,
}

/// The signs of [`bank_coefficients`] that were published; all others, and all sizes, were authored. See `data/README.md`.
///
/// ```
/// let signs = spendscape_synth::published_signs()?;
/// assert!(!signs.is_empty() && signs.iter().all(|sign| !sign.study.is_empty()));
/// # Ok::<(), spendscape_synth::Error>(())
/// ```
///
/// # Errors
/// Never for the list that comes with the crate.
pub fn published_signs() -> Result<Vec<PublishedSign>, Error> {
    let table = CsvTable::parse(include_str!("../data/published_signs.csv"))?;
    let [class, trait_name, sign, study] =
        ["class", "trait", "sign", "study"].map(|name| table.position(name));
    let (class, trait_name, sign, study) = (class?, trait_name?, sign?, study?);
    let row = |cells: &[String]| PublishedSign {
        class: cells[class].clone(),
        trait_name: cells[trait_name].clone(),
        positive: cells[sign] == "+",
        study: cells[study].clone(),
    };
    Ok(table.rows.iter().map(|record| row(&record.cells)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_signs_that_were_published() {
        let table = bank_coefficients().unwrap();
        let signs = published_signs().unwrap();
        assert_eq!(signs.len(), 18);
        for (at, sign) in signs.iter().enumerate() {
            let class = table.classes.iter().position(|class| *class == sign.class).unwrap();
            let column = table.traits.iter().position(|name| *name == sign.trait_name).unwrap();
            let weight = table.weights[[class, column]];
            assert!(if sign.positive { weight > 0.0 } else { weight < 0.0 }, "{sign:?}: {weight}");
            assert!(!sign.study.is_empty());
            let twin =
                |other: &PublishedSign| (&other.class, &other.trait_name) == (&sign.class, &sign.trait_name);
            assert!(!signs[..at].iter().any(twin), "{sign:?} stands twice");
        }
        // `+` and `-` are the only signs.
        let text = include_str!("../data/published_signs.csv");
        assert!(text.lines().skip(1).all(|line| line.contains(",+,") || line.contains(",-,")));
    }
}
