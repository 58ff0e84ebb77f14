//! Measured figures by name, as a card shows them.

use std::{collections::BTreeMap, path::Path};

use spendscape_schema::tables::Metrics;

use crate::{
    Error,
    run::{Part, optional},
};

/// What a figure that was not measured reads as.
const UNKNOWN: &str = "not measured";

/// Figures by name.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeMap<String, f64>);

impl Figures {
    pub(crate) fn new(figures: impl IntoIterator<Item = (String, f64)>) -> Self {
        Self(figures.into_iter().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// The names between a prefix and a suffix that have a figure.
    pub(crate) fn between<'a>(&'a self, prefix: &'a str, suffix: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.keys().filter_map(move |name| name.strip_prefix(prefix)?.strip_suffix(suffix))
    }

    fn show(&self, name: &str, show: impl Fn(f64) -> String) -> String {
        self.get(name).map_or(UNKNOWN.to_owned(), show)
    }

    pub(crate) fn count(&self, name: &str) -> String {
        self.show(name, |value| crate::draw::text::count(value as usize))
    }

    pub(crate) fn percent(&self, name: &str) -> String {
        self.show(name, |value| format!("{:.1} %", 100.0 * value))
    }

    pub(crate) fn degrees(&self, name: &str) -> String {
        self.show(name, |value| format!("{value:.2} degrees"))
    }

    pub(crate) fn number(&self, name: &str) -> String {
        self.show(name, |value| format!("{value:.4}"))
    }

    pub(crate) fn scientific(&self, name: &str) -> String {
        self.show(name, |value| format!("{value:.1e}"))
    }

    /// A figure with its interval.
    pub(crate) fn interval(&self, name: &str) -> String {
        let end = |end: &str| self.number(&format!("{name}.{end}"));
        self.show(name, |value| format!("{value:.4} ({} to {})", end("low"), end("high")))
    }
}

/// The figures of a table of metrics.
pub(crate) fn read_figures(folder: &Path, name: &str) -> Result<Part<Figures>, Error> {
    let found = optional::<Metrics>(folder, name)?;
    Ok(found.map(|(table, _)| Figures::new(table.name.into_iter().zip(table.value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_show_what_was_measured() {
        let figures = Figures::new(
            [("r2", 0.98765), ("r2.low", 0.98), ("r2.high", 0.99), ("by.a.b.n", 3.0)]
                .map(|(n, v)| (n.to_owned(), v)),
        );
        assert_eq!(figures.interval("r2"), "0.9877 (0.9800 to 0.9900)");
        assert_eq!(figures.percent("refused"), "not measured");
        assert_eq!(figures.between("by.", ".n").collect::<Vec<_>>(), ["a.b"]);
    }
}
