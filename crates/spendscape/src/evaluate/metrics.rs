//! Named figures, and what had to be left out.

use std::fmt::Display;

use anyhow::{Error, Result};
use serde_json::Value;
use spendscape_stats::BadInput;

/// Named figures in the order in which they were measured.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    entries: Vec<(String, f64)>,
    left_out: Vec<(String, String)>,
}

impl Metrics {
    /// Figures measured earlier.
    pub(super) fn from_entries(entries: impl Iterator<Item = (String, f64)>) -> Self {
        Self { entries: entries.collect(), left_out: Vec::new() }
    }

    /// Adds a figure, unless it is undefined (not finite), such as the silhouette of one cluster.
    pub fn add(&mut self, name: impl Into<String>, value: f64) {
        if value.is_finite() {
            self.entries.push((name.into(), value));
        }
    }

    /// Adds figures `name.1`, `name.2`, ..., without those that are undefined.
    pub fn add_all(&mut self, name: &str, values: impl IntoIterator<Item = f64>) {
        for (k, value) in values.into_iter().enumerate() {
            self.add(format!("{name}.{}", k + 1), value);
        }
    }

    /// The figures.
    #[must_use]
    pub fn entries(&self) -> &[(String, f64)] {
        &self.entries
    }

    /// Measures one part. If it turns out to need more customers than there are, what it measured so far stays, and the
    /// rest is left out with the reason.
    pub(super) fn part(&mut self, name: &str, measure: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        match measure(self) {
            Err(error) => match too_few_customers(&error) {
                Some(reason) => {
                    self.leave_out(name, reason);
                    Ok(())
                }
                None => Err(error),
            },
            done => done,
        }
    }

    /// Notes that a part cannot be measured on this panel, and why.
    pub(super) fn leave_out(&mut self, name: &str, reason: impl Display) {
        let reason = reason.to_string();
        tracing::warn!(part = name, reason, "left out");
        self.left_out.push((name.to_owned(), reason));
    }

    /// What was left out, with the reasons.
    pub(super) fn left_out(&self) -> Value {
        self.left_out.iter().map(|(name, reason)| (name.clone(), Value::from(reason.as_str()))).collect()
    }
}

/// What a crate says if it needs more customers than it was given; `None` for any other error.
fn too_few_customers(error: &Error) -> Option<String> {
    let wants_more = |cause: &&(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(BadInput::TooFew { .. }))
    };
    error.chain().find(wants_more).map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, bail};
    use ndarray::Array2;
    use spendscape_segments::dominance_order;

    use super::*;

    #[test]
    fn a_part_with_too_few_customers_is_left_out_and_other_failures_are_not() {
        let mut metrics = Metrics::default();
        metrics
            .part("small", |metrics| {
                metrics.add("before", 1.0);
                metrics.add_all("undefined", [f64::NAN, f64::INFINITY]);
                dominance_order(&Array2::zeros((3, 0))).context("while measuring")?;
                metrics.add("after", 2.0);
                Ok(())
            })
            .unwrap();
        assert_eq!(metrics.entries(), [("before".to_owned(), 1.0)]);
        assert!(metrics.left_out()["small"].as_str().unwrap().contains("at least 1"));
        let not_a_number = Array2::from_elem((3, 2), f64::NAN);
        let refused = metrics.part("bad", |_| {
            dominance_order(&not_a_number)?;
            Ok(())
        });
        assert!(refused.is_err());
        assert!(metrics.part("other", |_| bail!("the disk is full")).is_err());
    }
}
