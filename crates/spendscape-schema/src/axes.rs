//! Labels of vector columns.

use std::collections::{BTreeMap, HashMap};

use crate::Error;

/// The meaning of the entries of a vector column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Axis {
    /// Transaction classes (C).
    Class,
    /// Personality traits or other targets (P).
    Trait,
    /// Hidden units of the network (M).
    Unit,
    /// Direction angles (M - 1).
    Angle,
    /// Goals (G).
    Goal,
}

impl Axis {
    /// Every axis, in the order in which they are written.
    pub const ALL: [Self; 5] = [Self::Class, Self::Trait, Self::Unit, Self::Angle, Self::Goal];

    /// The name used in metadata and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Trait => "trait",
            Self::Unit => "unit",
            Self::Angle => "angle",
            Self::Goal => "goal",
        }
    }

    fn key(self) -> String {
        format!("spendscape.axis.{}", self.name())
    }
}

/// The labels of every axis that a table uses.
///
/// ```
/// use spendscape_schema::{Axes, Axis};
///
/// let axes = Axes::new().with(Axis::Class, ["food", "rent"]).with_numbered(Axis::Unit, 3);
/// assert_eq!((axes.width(Axis::Class), axes.width(Axis::Unit), axes.width(Axis::Goal)), (2, 3, 0));
/// assert_eq!(axes.labels(Axis::Class)?[1], "rent");
/// # Ok::<(), spendscape_schema::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Axes(BTreeMap<Axis, Vec<String>>);

impl Axes {
    /// No axis.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the labels of one axis.
    #[must_use]
    pub fn with<S: Into<String>>(mut self, axis: Axis, labels: impl IntoIterator<Item = S>) -> Self {
        self.0.insert(axis, labels.into_iter().map(Into::into).collect());
        self
    }

    /// Adds an axis of `width` units or angles that have no names of their own.
    #[must_use]
    pub fn with_numbered(self, axis: Axis, width: usize) -> Self {
        self.with(axis, (1..=width).map(|k| format!("{} {k}", axis.name())))
    }

    /// The labels of an axis.
    ///
    /// # Errors
    /// [`Error::MissingAxis`] if the table does not have it.
    pub fn labels(&self, axis: Axis) -> Result<&[String], Error> {
        self.0.get(&axis).map(Vec::as_slice).ok_or(Error::MissingAxis { axis: axis.name() })
    }

    /// The number of labels of an axis, 0 if the table does not have it.
    #[must_use]
    pub fn width(&self, axis: Axis) -> usize {
        self.0.get(&axis).map_or(0, Vec::len)
    }

    /// Only the axes named, for a table that uses fewer of them.
    #[must_use]
    pub fn only(&self, axes: &[Axis]) -> Self {
        Self(self.0.iter().filter(|(axis, _)| axes.contains(axis)).map(|(a, l)| (*a, l.clone())).collect())
    }

    pub(crate) fn write(&self, metadata: &mut HashMap<String, String>) {
        for (axis, labels) in &self.0 {
            let labels: Vec<toml::Value> = labels.iter().cloned().map(toml::Value::String).collect();
            metadata.insert(axis.key(), toml::Value::Array(labels).to_string());
        }
    }

    pub(crate) fn read(metadata: &HashMap<String, String>) -> Result<Self, Error> {
        let mut axes = BTreeMap::new();
        for axis in Axis::ALL {
            if let Some(text) = metadata.get(&axis.key()) {
                axes.insert(axis, parse_labels(text).ok_or(Error::MissingAxis { axis: axis.name() })?);
            }
        }
        Ok(Self(axes))
    }
}

/// Labels are written as one TOML array: the syntax escapes every character, and the parser is there already.
fn parse_labels(text: &str) -> Option<Vec<String>> {
    let table: toml::Table = toml::from_str(&format!("labels = {text}")).ok()?;
    table.get("labels")?.as_array()?.iter().map(|label| Some(label.as_str()?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_survive_any_character() {
        let axes =
            Axes::new().with(Axis::Class, ["a\"b", "c,d]", "\\", "å\n", ""]).with_numbered(Axis::Unit, 3);
        let mut metadata = HashMap::new();
        axes.write(&mut metadata);
        assert_eq!(Axes::read(&metadata).unwrap(), axes);
    }

    #[test]
    fn malformed_labels_are_refused() {
        let metadata = HashMap::from([(Axis::Class.key(), "[1, 2".to_owned())]);
        assert!(matches!(Axes::read(&metadata), Err(Error::MissingAxis { axis: "class" })));
    }
}
