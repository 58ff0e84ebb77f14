//! The coefficient table of the bank, and where its signs come from.

use ndarray::s;
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

/// The table without `count` of the classes that have coefficients, which are taken out of it at even distances: their
/// coefficients are zero. What a bank that is drawn with the whole table hides from those who are given this one.
///
/// ```
/// let table = spendscape_synth::bank_coefficients()?;
/// let listed = |table: &spendscape_schema::Coefficients| {
///     table.weights.rows().into_iter().filter(|row| row.iter().any(|weight| *weight != 0.0)).count()
/// };
/// assert_eq!(listed(&table) - listed(&spendscape_synth::unlist(&table, 20)?), 20);
/// # Ok::<(), spendscape_synth::Error>(())
/// ```
///
/// # Errors
/// [`Error::Count`] if classes are to be taken out and none with coefficients would be left.
pub fn unlist(table: &Coefficients, count: usize) -> Result<Coefficients, Error> {
    let is_listed = |row: &usize| table.weights.row(*row).iter().any(|weight| *weight != 0.0);
    let listed: Vec<usize> = (0..table.classes.len()).filter(is_listed).collect();
    if count > 0 && count >= listed.len() {
        let what = "the classes with coefficients, to leave out";
        return Err(Error::Count { what, count, found: listed.len() });
    }
    let mut without = table.clone();
    for taken in 0..count {
        without.weights.row_mut(listed[taken * listed.len() / count]).fill(0.0);
    }
    Ok(without)
}

/// The table in which only the first `count` traits have coefficients: the others drive nothing.
///
/// ```
/// let one = spendscape_synth::first_traits(&spendscape_synth::bank_coefficients()?, 1)?;
/// assert!(one.weights.column(1).iter().all(|weight| *weight == 0.0));
/// # Ok::<(), spendscape_synth::Error>(())
/// ```
///
/// # Errors
/// [`Error::Count`] if there are fewer traits, or none is left.
pub fn first_traits(table: &Coefficients, count: usize) -> Result<Coefficients, Error> {
    if !(1..=table.traits.len()).contains(&count) {
        return Err(Error::Count { what: "the first traits", count, found: table.traits.len() });
    }
    let mut first = table.clone();
    first.weights.slice_mut(s![.., count..]).fill(0.0);
    Ok(first)
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
    fn classes_are_unlisted_at_even_distances() {
        let table = bank_coefficients().unwrap();
        assert_eq!(unlist(&table, 0).unwrap(), table);
        let without = unlist(&table, 20).unwrap();
        let is_zero = |table: &Coefficients, row: usize| table.weights.row(row).iter().all(|w| *w == 0.0);
        let taken: Vec<usize> =
            (0..97).filter(|row| is_zero(&without, *row) && !is_zero(&table, *row)).collect();
        assert_eq!((taken.len(), taken[0]), (20, 0));
        // All other rows are as they were.
        assert!(
            (0..97)
                .filter(|row| !taken.contains(row))
                .all(|row| table.weights.row(row) == without.weights.row(row))
        );
        // Of the 61 listed classes every third or fourth.
        let listed: Vec<usize> = (0..97).filter(|row| !is_zero(&table, *row)).collect();
        let places: Vec<usize> =
            taken.iter().map(|row| listed.iter().position(|other| other == row).unwrap()).collect();
        assert!(places.windows(2).all(|pair| [3, 4].contains(&(pair[1] - pair[0]))), "{places:?}");
        assert!(matches!(unlist(&table, 61), Err(Error::Count { count: 61, found: 61, .. })));
        // Of a table without coefficients nothing can be taken out, and nothing is.
        let mut none = table;
        none.weights.fill(0.0);
        assert_eq!(unlist(&none, 0).unwrap(), none);
        assert!(matches!(unlist(&none, 1), Err(Error::Count { count: 1, found: 0, .. })));
    }

    #[test]
    fn only_the_first_traits_drive_spending() {
        let table = bank_coefficients().unwrap();
        assert_eq!(first_traits(&table, 5).unwrap(), table);
        let two = first_traits(&table, 2).unwrap();
        assert_eq!(two.weights.slice(s![.., ..2]), table.weights.slice(s![.., ..2]));
        assert!(two.weights.slice(s![.., 2..]).iter().all(|weight| *weight == 0.0));
        assert!([0, 6].iter().all(|count| matches!(first_traits(&table, *count), Err(Error::Count { .. }))));
    }

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
