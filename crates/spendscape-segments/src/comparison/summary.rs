//! The table over the seeds of each representation.

use super::{Comparison, ComparisonRow, Measure};
use crate::trajectories::measures::median_defined;

/// Figures of one representation over its seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonSummary {
    /// Name of the representation.
    pub representation: String,
    /// The measure.
    pub measure: Measure,
    /// As in [`ComparisonRow`].
    pub level: usize,
    /// Number of seeds.
    pub runs: usize,
    /// Median over seeds.
    pub median: f64,
    /// Smallest over seeds. `low` to `high` is the interval: it covers the median over all seeds with probability
    /// `1 - 2^(1 - runs)`, whatever the distribution, .9375 for five seeds.
    pub low: f64,
    /// Largest over seeds.
    pub high: f64,
    /// Median chance over seeds.
    pub chance: Option<f64>,
    /// Median of the unimodal null over seeds.
    pub null: Option<f64>,
}

impl Comparison {
    /// Medians and ranges over seeds, in the order in which representations, measures and levels first appear.
    #[must_use]
    pub fn summary(&self) -> Vec<ComparisonSummary> {
        let mut groups: Vec<(&ComparisonRow, Vec<&ComparisonRow>)> = Vec::new();
        for row in &self.rows {
            let same = |(first, _): &&mut (&ComparisonRow, Vec<&ComparisonRow>)| {
                (&first.representation, first.measure, first.level)
                    == (&row.representation, row.measure, row.level)
            };
            match groups.iter_mut().find(same) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((row, vec![row])),
            }
        }
        let summarize = |(first, rows): (&ComparisonRow, Vec<&ComparisonRow>)| {
            let median = |of: fn(&ComparisonRow) -> Option<f64>| {
                let values: Vec<f64> = rows.iter().filter_map(|r| of(r)).collect();
                (!values.is_empty()).then(|| median_defined(values.into_iter()))
            };
            let values = || rows.iter().map(|r| r.value);
            ComparisonSummary {
                representation: first.representation.clone(),
                measure: first.measure,
                level: first.level,
                runs: rows.len(),
                median: median_defined(values()),
                low: values().fold(f64::NAN, f64::min),
                high: values().fold(f64::NAN, f64::max),
                chance: median(|r| r.chance),
                null: median(|r| r.null),
            }
        };
        groups.into_iter().map(summarize).collect()
    }
}
