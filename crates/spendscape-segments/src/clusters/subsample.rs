//! Subsamples for methods that are quadratic in memory or time.

use rand::{Rng, seq::index};

use crate::check;
use crate::error::{Error, Result};

/// Default number of rows that quadratic methods work on: 100 MB of distances, seconds of work.
pub(crate) const DEFAULT_SUBSAMPLE: usize = 5_000;

/// Largest subsample: its distances take 0.9 GB, which leaves room below 2 GB.
pub(crate) const LARGEST_SUBSAMPLE: usize = 15_000;

/// Rows a quadratic method is to work on, rising, or `None` for all of them.
pub(crate) fn draw<R: Rng + ?Sized>(rows: usize, size: usize, rng: &mut R) -> Result<Option<Vec<usize>>> {
    check::at_least("subsample", "rows", 1, size)?;
    if size > LARGEST_SUBSAMPLE {
        let (what, of, allowed) = ("subsample", "rows", LARGEST_SUBSAMPLE);
        return Err(Error::TooMany { what, of, allowed, found: size });
    }
    if rows <= size {
        return Ok(None);
    }
    let mut chosen = index::sample(rng, rows, size).into_vec();
    chosen.sort_unstable();
    Ok(Some(chosen))
}
