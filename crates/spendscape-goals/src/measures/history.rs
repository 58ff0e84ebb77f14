//! Measures by how much is known of a customer.

use spendscape_stats::check;
use std::fmt;

use super::Predictions;
use crate::Error;

/// Shortest history of each bin: 1, 2-4, 5-9, 10-19, 20-49 and 50 or more groups.
pub const HISTORY_BINS: [u32; 6] = [1, 2, 5, 10, 20, 50];

/// Histories of certain lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HistoryBin {
    /// The shortest, in groups.
    pub first: u32,
    /// The longest; none for the last bin.
    pub last: Option<u32>,
}

impl fmt::Display for HistoryBin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            None => write!(f, "{}+", self.first),
            Some(last) if last == self.first => write!(f, "{last}"),
            Some(last) => write!(f, "{}-{last}", self.first),
        }
    }
}

impl Predictions {
    /// The rows of each bin, shortest histories first. `lengths` is the history of each row (the position of its target),
    /// `starts` the shortest history of each bin ([`HISTORY_BINS`]); bins without rows are left out, as are shorter
    /// histories than the first bin has. A customer has rows in several bins, and intervals draw customers in each bin anew.
    ///
    /// # Errors
    /// `BadInput::ShapeMismatch` for another number of lengths, `BadInput::InvalidParameter` if the starts do not grow.
    pub fn by_history(&self, lengths: &[u32], starts: &[u32]) -> Result<Vec<(HistoryBin, Self)>, Error> {
        check::length("lengths of histories", self.rows(), lengths.len())?;
        for pair in starts.windows(2) {
            let (name, range) = ("the start of a history bin", "the numbers above the start before it");
            check::parameter(name, f64::from(pair[1]), pair[0] < pair[1], range)?;
        }
        let mut bins = Vec::with_capacity(starts.len());
        for (k, first) in starts.iter().copied().enumerate() {
            let bin = HistoryBin { first, last: starts.get(k + 1).map(|next| next - 1) };
            let is_in = |length: u32| length >= first && bin.last.is_none_or(|last| length <= last);
            let rows: Vec<usize> = (0..lengths.len()).filter(|row| is_in(lengths[*row])).collect();
            if !rows.is_empty() {
                bins.push((bin, self.select(&rows)?));
            }
        }
        Ok(bins)
    }
}
