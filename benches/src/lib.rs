//! What the benches share, and `cargo xtask bench` with them.

pub mod limit;

use std::{env, num::NonZeroUsize};

/// The threads that `cargo xtask bench --threads` asks for, through `RAYON_NUM_THREADS`; one where nothing is said.
#[must_use]
pub fn threads() -> NonZeroUsize {
    env::var("RAYON_NUM_THREADS").ok().and_then(|threads| threads.parse().ok()).unwrap_or(NonZeroUsize::MIN)
}
