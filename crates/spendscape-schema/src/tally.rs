//! Findings of a report: how many, and the first few.

use serde::Serialize;

/// Examples kept of each finding.
pub const EXAMPLES: usize = 5;

/// A number of findings with the first few of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tally<T> {
    /// How many.
    pub count: u64,
    /// The first ones.
    pub examples: Vec<T>,
}

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Self { count: 0, examples: Vec::new() }
    }
}

impl<T> Tally<T> {
    /// Counts the findings of another part.
    pub fn join(&mut self, other: Self) {
        self.count += other.count;
        let room = EXAMPLES - self.examples.len();
        self.examples.extend(other.examples.into_iter().take(room));
    }

    /// Counts a finding; `example` is made only while examples are still wanted.
    pub fn add(&mut self, example: impl FnOnce() -> T) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example());
        }
    }
}
