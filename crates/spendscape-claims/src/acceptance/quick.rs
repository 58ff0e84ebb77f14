//! Bands of the acceptance rows on banks of the quick size, 6,500 customers.

use crate::claim::Band;

/// Rows by their words, with the band on `base` and on `strong`. They are no prototype's: mean and five standard deviations of
/// a few seeds of this program, each of a bank and a net (METHODS section 12), so that they say whether it computes what it did.
const BANDS: [(&str, [f64; 2], [f64; 2]); 0] = [];

/// The band of the row of these words.
pub(super) fn band(row: &str) -> Option<Band> {
    let found = BANDS.iter().find(|(words, ..)| *words == row);
    found.map(|(_, base, strong)| Band::Each(*base, *strong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_band_and_every_band_a_row() {
        let rows = super::super::rows();
        for (words, base, strong) in BANDS {
            assert!(rows.iter().any(|row| row.text == words), "{words:?} is no row");
            assert!([base, strong].iter().all(|[low, high]| low < high), "{words:?}");
        }
        for row in rows {
            assert!(row.everywhere || row.quick.is_some(), "{:?} has no band", row.text);
        }
    }
}
