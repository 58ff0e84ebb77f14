//! What was measured with one training seed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::figure::{Family, Figure, Series};

/// Figures measured with one training seed, by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Measured(BTreeMap<String, f64>);

impl Measured {
    /// A figure, if it was measured and is finite.
    #[must_use]
    pub fn get(&self, figure: Figure) -> Option<f64> {
        self.0.get(&figure.to_string()).copied().filter(|value| value.is_finite())
    }

    /// A series from its first figure to the last before one that was not measured.
    pub fn series(&self, series: Series) -> impl Iterator<Item = f64> {
        (1..).map_while(move |place| self.get(series.at(place)))
    }

    /// The figures of a family, with their names.
    pub fn family(&self, family: Family) -> impl Iterator<Item = (&str, f64)> {
        let figures = self.0.iter().map(|(name, value)| (name.as_str(), *value));
        figures.filter(move |(name, _)| family.contains(name))
    }

    /// Names of all figures.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, f64)> for Measured {
    fn from_iter<I: IntoIterator<Item = (String, f64)>>(figures: I) -> Self {
        Self(figures.into_iter().collect())
    }
}

impl Extend<(String, f64)> for Measured {
    fn extend<I: IntoIterator<Item = (String, f64)>>(&mut self, figures: I) {
        self.0.extend(figures);
    }
}

impl IntoIterator for Measured {
    type Item = (String, f64);
    type IntoIter = std::collections::btree_map::IntoIter<String, f64>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The figure's name among all that are judged, of one that `spendscape outcomes` prints for an outcome.
#[must_use]
pub fn outcome_figure(outcome: &str, name: &str) -> String {
    format!("{outcome}.{name}")
}

/// The figure's name among all that are judged, of one that a command of `spendscape goals` prints.
#[must_use]
pub fn goals_figure(command: &str, name: &str) -> String {
    format!("goals.{command}.{name}")
}
