//! Measured figures, and what had to be left out.

use std::fmt::Display;

use anyhow::{Error, Result};
use serde_json::Value;
use spendscape_stats::BadInput;

use crate::figure::{Figure, Series};

/// Measured figures in the order in which they were measured.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    entries: Vec<(Figure, f64)>,
    left_out: Vec<(String, String)>,
}

impl Metrics {
    /// Adds a figure, unless it is undefined (not finite), such as the silhouette of one cluster.
    pub(crate) fn add(&mut self, figure: Figure, value: f64) {
        if value.is_finite() {
            self.entries.push((figure, value));
        }
    }

    /// Adds the figures of a series, without those that are undefined.
    pub(crate) fn add_all(&mut self, series: Series, values: impl IntoIterator<Item = f64>) {
        for (place, value) in (1..).zip(values) {
            self.add(series.at(place), value);
        }
    }

    /// The figures.
    #[must_use]
    pub fn entries(&self) -> &[(Figure, f64)] {
        &self.entries
    }

    /// Measures one part. If it turns out to need more customers than there are, what it measured so far stays, and the
    /// rest is left out with the reason.
    pub(crate) fn part(&mut self, name: &str, measure: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let measured = measure(self);
        self.attempt(name, || measured)?;
        Ok(())
    }

    /// What was made; or `None`, which is noted, if that needs more customers than there are.
    pub(crate) fn attempt<T>(&mut self, name: &str, make: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        match make() {
            Ok(made) => Ok(Some(made)),
            Err(error) => match too_few_customers(&error) {
                Some(reason) => {
                    self.leave_out(name, reason);
                    Ok(None)
                }
                None => Err(error),
            },
        }
    }

    /// Notes that a part cannot be measured on this panel, and why.
    pub(crate) fn leave_out(&mut self, name: &str, reason: impl Display) {
        let reason = reason.to_string();
        tracing::warn!(part = name, reason, "left out");
        self.left_out.push((name.to_owned(), reason));
    }

    /// What was left out, with the reasons.
    #[must_use]
    pub fn left_out(&self) -> Value {
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
    use spendscape_segments::directions::dominance_order;

    use super::*;
    use crate::claims::c01_elbow::{ELBOW, NODES, R2};

    #[test]
    fn a_part_with_too_few_customers_is_left_out_and_other_failures_are_not() {
        let mut metrics = Metrics::default();
        metrics
            .part("small", |metrics| {
                metrics.add(R2, 1.0);
                metrics.add_all(NODES, [f64::NAN, f64::INFINITY]);
                dominance_order(&Array2::zeros((3, 0))).context("while measuring")?;
                metrics.add(ELBOW, 2.0);
                Ok(())
            })
            .unwrap();
        assert_eq!(metrics.entries(), [(R2, 1.0)]);
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
