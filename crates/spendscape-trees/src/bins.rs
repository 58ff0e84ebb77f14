//! Bins of features, and panels as codes of bins.

use std::sync::Arc;

use ndarray::{ArrayRef2, s};
use rayon::prelude::*;

use crate::{Error, check, sparse::Sparse};

/// Bins that a feature can have: a code is a byte.
pub const MOST_BINS: usize = 256;

/// Features whose codes lie side by side, row by row: a row of them is read at once.
pub(crate) const LANES: usize = 8;

/// Cuts between the bins of every feature.
///
/// A feature with at most as many distinct values as bins gets one bin per value, and trees split it exactly. Any other is
/// cut where the rows are shared out evenly, after values that fill a bin of their own (the zeros of sparse shares) got
/// one. A cut lies midway between the two values that it separates.
///
/// ```
/// use ndarray::array;
/// use std::sync::Arc;
/// use spendscape_trees::Bins;
///
/// // Up to two bins per feature, cut by these rows; others are coded by the same cuts.
/// let bins = Arc::new(Bins::fit(&array![[0.0], [1.0], [2.0], [3.0]], 2)?);
/// let codes = bins.encode(&array![[-7.0], [99.0]])?;
/// assert_eq!(codes.rows(), 2);
/// # Ok::<(), spendscape_trees::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    /// Ascending, one vector per feature.
    cuts: Vec<Vec<f64>>,
}

impl Bins {
    /// Cuts the features of `x` (N x F) into at most `most` bins (2 to 256) by all rows.
    ///
    /// # Errors
    /// `BadInput::InvalidParameter` for a number of bins outside its range, [`Error::NoFeature`], `BadInput::NotFinite`,
    /// `BadInput::TooFew` without rows.
    pub fn fit(x: &ArrayRef2<f64>, most: usize) -> Result<Self, Error> {
        let rows: Vec<usize> = (0..x.nrows()).collect();
        Self::fit_rows(x, &rows, most)
    }

    /// The same by the given rows only, so that nothing of other rows (those of a held-out fold) shows in the cuts.
    ///
    /// # Errors
    /// Those of [`Bins::fit`], and [`Error::Row`] for a row that does not exist.
    pub fn fit_rows(x: &ArrayRef2<f64>, rows: &[usize], most: usize) -> Result<Self, Error> {
        check::parameter("bins", most as f64, (2..=MOST_BINS).contains(&most), "[2, 256]")?;
        if x.ncols() == 0 {
            return Err(Error::NoFeature);
        }
        check::finite("x", x)?;
        check::rows("binning", 1, rows.len())?;
        if let Some(&row) = rows.iter().find(|row| **row >= x.nrows()) {
            return Err(Error::Row { row, problem: "does not exist", rows: x.nrows() });
        }
        let cuts = by_lanes(x, rows).map(|values| cuts(values, most)).collect();
        Ok(Self { cuts })
    }

    /// Features.
    #[must_use]
    pub fn features(&self) -> usize {
        self.cuts.len()
    }

    /// The cuts of a feature, ascending: a value is in the bin whose number is the count of cuts below it.
    ///
    /// # Panics
    /// Unless `feature` is less than [`Bins::features`].
    #[must_use]
    pub fn cuts(&self, feature: usize) -> &[f64] {
        &self.cuts[feature]
    }

    /// The rows of `x` (N x F) as codes of bins.
    ///
    /// # Errors
    /// `BadInput::ShapeMismatch` for another number of features, `BadInput::NotFinite`, [`Error::TooManyRows`].
    pub fn encode(self: &Arc<Self>, x: &ArrayRef2<f64>) -> Result<Binned, Error> {
        check::length("columns of x", self.cuts.len(), x.ncols())?;
        check::rows("a panel", 0, x.nrows())?;
        check::finite("x", x)?;
        let rows: Vec<usize> = (0..x.nrows()).collect();
        let columns: Vec<Vec<u8>> = by_lanes(x, &rows)
            .zip(&self.cuts)
            .map(|(values, cuts)| {
                values.iter().map(|value| cuts.partition_point(|cut| cut < value) as u8).collect()
            })
            .collect();
        Ok(Binned::pack(Arc::clone(self), x.nrows(), columns.concat()))
    }
}

/// The columns of `x` at the given rows. Neighboring columns are read at once, because they share the cache's lines.
fn by_lanes(x: &ArrayRef2<f64>, rows: &[usize]) -> impl IndexedParallelIterator<Item = Vec<f64>> {
    let gather = |first: usize| {
        let features = first..(first + LANES).min(x.ncols());
        let mut columns = vec![Vec::with_capacity(rows.len()); features.len()];
        let neighbors = x.slice(s![.., features]);
        for row in rows {
            for (column, value) in columns.iter_mut().zip(neighbors.row(*row)) {
                column.push(*value);
            }
        }
        columns
    };
    let columns: Vec<Vec<f64>> =
        (0..x.ncols().div_ceil(LANES)).into_par_iter().flat_map_iter(|block| gather(block * LANES)).collect();
    columns.into_par_iter()
}

/// Cuts of one feature.
fn cuts(mut values: Vec<f64>, most: usize) -> Vec<f64> {
    // Integers sort faster.
    let mut keys: Vec<u64> = values.iter().map(|value| ascending(*value)).collect();
    keys.sort_unstable();
    values.clear();
    let mut counts: Vec<usize> = Vec::new();
    for run in keys.chunk_by(|a, b| a == b) {
        values.push(value(run[0]));
        counts.push(run.len());
    }
    if values.len() <= most {
        return values.windows(2).map(|pair| midpoint(pair[0], pair[1])).collect();
    }
    let share = keys.len() as f64 / most as f64;
    let heavy: Vec<bool> = counts.iter().map(|count| *count as f64 >= share).collect();
    let own_bins = heavy.iter().filter(|heavy| **heavy).count();
    let own_rows: usize =
        counts.iter().zip(&heavy).filter(|(_, heavy)| **heavy).map(|(count, _)| count).sum();
    let mut rows_left = keys.len() - own_rows;
    let mut bins_left = most - own_bins;
    let mut cuts = Vec::with_capacity(most - 1);
    let mut filled = 0;
    for (at, pair) in values.windows(2).enumerate() {
        if cuts.len() == most - 1 {
            break;
        }
        filled += counts[at];
        // What is left is shared out anew after every bin, so that the last bins are not the rounding's.
        let even = rows_left as f64 / bins_left.max(1) as f64;
        let full = filled as f64 >= even;
        let before_heavy = heavy[at + 1] && 2 * filled >= even as usize;
        if heavy[at] || full || before_heavy {
            cuts.push(midpoint(pair[0], pair[1]));
            let light = if heavy[at] { filled - counts[at] } else { filled };
            rows_left -= light;
            if light > 0 && !heavy[at] {
                bins_left = bins_left.saturating_sub(1);
            }
            filled = 0;
        }
    }
    cuts
}

/// An integer whose order is that of the numbers; -0 and 0 have the same.
pub(crate) fn ascending(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

fn value(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

/// A number from `low` up to but not `high`, midway where there is one.
pub(crate) fn midpoint(low: f64, high: f64) -> f64 {
    let middle = 0.5 * low + 0.5 * high;
    if middle > low && middle < high { middle } else { low }
}

/// A panel (N x F) as codes of bins: made once, read by any number of fits.
///
/// ```
/// use ndarray::array;
/// use spendscape_trees::Binned;
///
/// let codes = Binned::new(&array![[0.5], [0.1], [0.9]], 256)?;
/// // Codes are in the order of the values.
/// assert_eq!(codes.codes(0), [1, 0, 2]);
/// # Ok::<(), spendscape_trees::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Binned {
    bins: Arc<Bins>,
    rows: usize,
    /// Codes by features.
    columns: Vec<u8>,
    /// Features with more than one bin that are not sparse; no tree splits those with one.
    dense: Vec<u32>,
    /// Codes of the dense features, [`LANES`] side by side; the last block may have idle lanes.
    blocks: Vec<Vec<[u8; LANES]>>,
    sparse: Sparse,
}

impl Binned {
    /// Bins `x` (N x F) by all its rows: [`Bins::fit`] and [`Bins::encode`] at once.
    ///
    /// # Errors
    /// Those of both.
    pub fn new(x: &ArrayRef2<f64>, most: usize) -> Result<Self, Error> {
        Arc::new(Bins::fit(x, most)?).encode(x)
    }

    /// Panels of the same rows side by side, without binning anew.
    ///
    /// # Errors
    /// [`Error::NoFeature`] without panels, `BadInput::ShapeMismatch` if they differ in their rows.
    pub fn join(panels: &[&Self]) -> Result<Self, Error> {
        let rows = panels.first().ok_or(Error::NoFeature)?.rows;
        let mut joined = Bins { cuts: Vec::new() };
        let mut columns = Vec::new();
        for panel in panels {
            check::length("rows of a panel", rows, panel.rows)?;
            joined.cuts.extend_from_slice(&panel.bins.cuts);
            columns.extend_from_slice(&panel.columns);
        }
        Ok(Self::pack(Arc::new(joined), rows, columns))
    }

    fn pack(bins: Arc<Bins>, rows: usize, columns: Vec<u8>) -> Self {
        let varying: Vec<u32> =
            (0..bins.features() as u32).filter(|f| !bins.cuts[*f as usize].is_empty()).collect();
        let sparse = Sparse::pick(&columns, rows, &varying, |feature| bins.cuts[feature as usize].len() + 1);
        let is_sparse = |feature: &u32| sparse.features().binary_search(feature).is_ok();
        let dense: Vec<u32> = varying.into_iter().filter(|feature| !is_sparse(feature)).collect();
        let pack = |features: &[u32]| {
            let mut block = vec![[0; LANES]; rows];
            for (lane, feature) in features.iter().enumerate() {
                let column = &columns[*feature as usize * rows..][..rows];
                for (codes, code) in block.iter_mut().zip(column) {
                    codes[lane] = *code;
                }
            }
            block
        };
        let blocks = dense.chunks(LANES).map(pack).collect();
        Self { bins, rows, columns, dense, blocks, sparse }
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Features.
    #[must_use]
    pub fn features(&self) -> usize {
        self.bins.features()
    }

    /// The cuts that made the codes.
    #[must_use]
    pub fn bins(&self) -> &Arc<Bins> {
        &self.bins
    }

    /// Codes of a feature (N).
    ///
    /// # Panics
    /// Unless `feature` is less than [`Binned::features`].
    #[must_use]
    pub fn codes(&self, feature: usize) -> &[u8] {
        &self.columns[feature * self.rows..][..self.rows]
    }

    /// Blocks of the dense features, each with its features.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (&[[u8; LANES]], &[u32])> {
        self.blocks.iter().map(Vec::as_slice).zip(self.dense.chunks(LANES))
    }

    pub(crate) fn sparse(&self) -> &Sparse {
        &self.sparse
    }

    /// The most bins of a feature.
    pub(crate) fn widest(&self) -> usize {
        self.bins.cuts.iter().map(|cuts| cuts.len() + 1).max().unwrap_or(1)
    }
}
