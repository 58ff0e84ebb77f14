//! Bands of the acceptance rows on banks of the quick size, 6,500 customers.

use crate::claim::Band;

/// Rows by their words, with the band on `base` and on `strong`. They are no prototype's: mean and five standard deviations of
/// four seeds of this program, each of a bank and a net (METHODS section 12), so that they say whether it computes what it did.
const BANDS: [(&str, [f64; 2], [f64; 2]); 31] = [
    ("test R2, 3 nodes, mean over traits", [0.933, 0.953], [0.948, 0.968]),
    ("R2(k nodes) against rank-k PCA, k = 1..5", [-0.0222, 0.0981], [-0.0745, 0.154]),
    ("OLS of angles, canonical frame, median", [0.492, 0.811], [0.527, 0.765]),
    ("OLS of angles, canonical frame, each seed", [0.492, 0.811], [0.527, 0.765]),
    ("OLS of the state vector", [0.986, 1.0], [0.983, 1.0]),
    ("squares minus OLS", [-0.0081, 0.04], [0.0012, 0.0433]),
    ("full degree 2 minus OLS", [-7.74, 0.676], [-6.1, -0.354]),
    ("ridge(1) minus OLS", [-0.177, -0.0151], [-0.126, 0.0334]),
    ("tree of depth 10 minus OLS", [-0.408, -0.153], [-0.372, 0.123]),
    ("isotropic Gaussian anchor", [0.651, 0.666], [0.651, 0.666]),
    ("coefficient test: true classes found of 61", [31.1, 57.4], [32.7, 47.8]),
    ("coefficient test: false classes", [0.0, 11.0], [0.0, 5.5]),
    // By the level of the test, whatever the size.
    ("coefficient test: false classes, each seed", [0.0, 2.0], [0.0, 2.0]),
    (
        "surrogate's R2 of the angles less that of a Gaussian cloud of the states' mean and covariance",
        [-0.12, 0.12],
        [-0.12, 0.12],
    ),
    ("coefficient test: AUROC", [0.646, 1.0], [0.466, 0.934]),
    ("15-NN prefix 1, LSTM h_T", [0.736, 0.856], [0.829, 0.847]),
    ("15-NN prefix 2, LSTM h_T", [0.558, 0.739], [0.703, 0.757]),
    ("15-NN prefix 3, LSTM h_T", [0.456, 0.594], [0.55, 0.666]),
    ("15-NN prefix 4, LSTM h_T", [0.333, 0.477], [0.437, 0.525]),
    ("default: best set's share of the best possible AUC gain over .5", [0.901, 1.02], [0.886, 1.04]),
    ("illiquid: best set's share of the best possible AUC gain over .5", [0.987, 1.01], [0.988, 1.01]),
    ("default: width of the interval of trajectory minus bespoke", [0.0422, 0.0607], [0.043, 0.0533]),
    ("feed-forward minus LSTM, widest of levels 1-4", [-0.0189, 0.06], [-0.0217, 0.052]),
    ("silhouette minus null", [-0.0543, 0.0798], [0.0182, 0.0787]),
    ("long/short stability k = 5, LSTM minus raw", [-0.0402, 0.0561], [-0.0564, 0.068]),
    ("never moved, running mean minus LSTM", [-0.0693, 0.0558], [-0.064, 0.0633]),
    ("cos(h_T, L_raw)", [0.989, 1.0], [0.989, 1.0]),
    ("cos(h_100, L_raw)", [0.708, 1.0], [0.779, 1.0]),
    ("spectral radius at h*, median", [0.896, 1.0], [0.918, 0.972]),
    ("spectral radius below 1, share", [0.989, 1.0], [0.989, 1.0]),
    ("not converged at T' = 100", [0.0, 0.584], [0.0, 0.322]),
];

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
