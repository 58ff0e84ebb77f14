//! Features whose rows mostly share one bin: only the other rows are kept.

use crate::fixed::{Sum, minus, plus};

/// Share of the rows outside the commonest bin up to which a feature is sparse. Adding one of them costs more than adding a
/// row of a dense feature, because it is found by its place in a list.
const SPARSE: f64 = 0.3;

/// Fewer sparse features are dense ones: a row of the list costs something even where it is empty.
const FEWEST: usize = 16;

/// Bins that a place in a list can name.
const MOST_PLACES: usize = 1 << 16;

/// Sparse features of a panel, row by row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sparse {
    /// Ascending.
    features: Vec<u32>,
    /// Place of each feature's first bin among the bins of all sparse features, then their number.
    places: Vec<usize>,
    /// The commonest bin of each feature.
    commonest: Vec<u8>,
    /// Where the entries of each row start, then their number.
    starts: Vec<u32>,
    /// Places of the bins of a row that are not the feature's commonest.
    entries: Vec<u16>,
}

impl Sparse {
    /// Picks the sparse ones of `varying` features, whose codes lie feature by feature in `columns`.
    pub(crate) fn pick(columns: &[u8], rows: usize, varying: &[u32], bins: impl Fn(u32) -> usize) -> Self {
        let mut sparse = Self { places: vec![0], ..Self::default() };
        let column = |feature: u32| &columns[feature as usize * rows..][..rows];
        let mut others = 0;
        for feature in varying {
            let mut counts = [0_usize; 256];
            column(*feature).iter().for_each(|code| counts[usize::from(*code)] += 1);
            let (commonest, most) =
                counts.iter().enumerate().max_by_key(|(_, count)| **count).unwrap_or((0, &0));
            let outside = rows - most;
            let first = sparse.places[sparse.places.len() - 1];
            let end = first + bins(*feature);
            if outside as f64 > SPARSE * rows as f64
                || end > MOST_PLACES
                || others + outside > u32::MAX as usize
            {
                continue;
            }
            others += outside;
            sparse.features.push(*feature);
            sparse.places.push(end);
            sparse.commonest.push(commonest as u8);
        }
        if sparse.features.len() < FEWEST {
            return Self { places: vec![0], ..Self::default() };
        }
        // Counted first, so that every entry is written to its place while features are read one after the other.
        sparse.starts = vec![0; rows + 1];
        for (feature, commonest) in sparse.features.iter().zip(&sparse.commonest) {
            for (count, code) in sparse.starts[1..].iter_mut().zip(column(*feature)) {
                *count += u32::from(code != commonest);
            }
        }
        for row in 0..rows {
            sparse.starts[row + 1] += sparse.starts[row];
        }
        let mut next = sparse.starts.clone();
        sparse.entries = vec![0; others];
        for ((feature, place), commonest) in sparse.features.iter().zip(&sparse.places).zip(&sparse.commonest)
        {
            for (next, code) in next.iter_mut().zip(column(*feature)) {
                if code != commonest {
                    sparse.entries[*next as usize] = (place + usize::from(*code)) as u16;
                    *next += 1;
                }
            }
        }
        sparse
    }

    pub(crate) fn features(&self) -> &[u32] {
        &self.features
    }

    /// Bins of all features.
    pub(crate) fn bins(&self) -> usize {
        self.places[self.places.len() - 1]
    }

    /// The bins of a feature among those of all, by its position among the sparse ones.
    pub(crate) fn bins_of<'a>(&self, at: usize, bins: &'a [Sum]) -> &'a [Sum] {
        &bins[self.places[at]..self.places[at + 1]]
    }

    /// Sums the rows listed; `sums` are theirs, in the same order. The commonest bin gets what the others leave.
    pub(crate) fn sum(&self, bins: &mut [Sum], rows: &[u32], sums: &[Sum]) {
        if self.features.is_empty() {
            return;
        }
        bins.fill([0; 2]);
        let mut total = [0; 2];
        for (row, sum) in rows.iter().zip(sums) {
            total = plus(total, *sum);
            let row = *row as usize;
            for entry in &self.entries[self.starts[row] as usize..self.starts[row + 1] as usize] {
                let bin = &mut bins[usize::from(*entry)];
                *bin = plus(*bin, *sum);
            }
        }
        for (at, commonest) in self.commonest.iter().enumerate() {
            let bins = &mut bins[self.places[at]..self.places[at + 1]];
            bins[usize::from(*commonest)] = bins.iter().fold(total, |left, bin| minus(left, *bin));
        }
    }
}
