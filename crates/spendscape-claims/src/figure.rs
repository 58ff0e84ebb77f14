//! Names of figures.

use std::fmt;

/// The name of a measured figure, such as `fit.r2` or `segments.knn.lstm.1`.
///
/// Figures are constants of the claims ([`claims`](crate::claims)): nothing is measured or judged under a name that is put
/// together elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// The name in three pieces, so that a list of keys makes names that are constants.
    pieces: [&'static str; 3],
    /// Place in a series, from 1.
    place: Option<usize>,
}

impl Figure {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { pieces: [name, "", ""], place: None }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| f.write_str(piece))?;
        self.place.map_or(Ok(()), |place| write!(f, ".{place}"))
    }
}

/// Figures `name.1`, `name.2`, ...: one per step, rank or level of what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    name: &'static str,
}

impl Series {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name }
    }

    /// The figure at a place, from 1.
    #[must_use]
    pub const fn at(self, place: usize) -> Figure {
        Figure { pieces: [self.name, "", ""], place: Some(place) }
    }
}

/// One figure for each key of a closed list: `start`, a key, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyed {
    start: &'static str,
    keys: &'static [&'static str],
    end: &'static str,
}

impl Keyed {
    pub(crate) const fn new(start: &'static str, keys: &'static [&'static str], end: &'static str) -> Self {
        Self { start, keys, end }
    }

    /// The figure of the key at a place in the list, from 0.
    ///
    /// # Panics
    /// If the list is shorter.
    #[must_use]
    pub const fn of(self, key: usize) -> Figure {
        Figure { pieces: [self.start, self.keys[key], self.end], place: None }
    }

    /// The figures of all keys.
    pub fn all(self) -> impl Iterator<Item = Figure> {
        (0..self.keys.len()).map(move |key| self.of(key))
    }
}

/// Figures whose names hold what the data name, such as goals: `start`, anything, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    start: &'static str,
    end: &'static str,
}

impl Family {
    pub(crate) const fn new(start: &'static str, end: &'static str) -> Self {
        Self { start, end }
    }

    /// Whether a figure of this name belongs to the family.
    #[must_use]
    pub fn contains(self, name: &str) -> bool {
        name.strip_prefix(self.start).and_then(|rest| rest.strip_suffix(self.end)).is_some()
    }
}

/// An entry of a claim's list of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// One figure.
    Figure(Figure),
    /// One per place.
    Series(Series),
    /// One per key.
    Keyed(Keyed),
    /// As many as the data name.
    Family(Family),
}

impl Name {
    /// Whether a figure of this name is meant.
    #[must_use]
    pub fn contains(self, name: &str) -> bool {
        match self {
            Self::Figure(figure) => figure.to_string() == name,
            Self::Series(series) => name
                .strip_prefix(series.name)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|place| place.parse::<usize>().is_ok_and(|place| place > 0)),
            Self::Keyed(keyed) => keyed.all().any(|figure| figure.to_string() == name),
            Self::Family(family) => family.contains(name),
        }
    }

    /// What has to be measured so that nothing is named in vain: all keys, the first of a series, of a family nothing in
    /// particular.
    #[must_use]
    pub fn least(self) -> Vec<Figure> {
        match self {
            Self::Figure(figure) => vec![figure],
            Self::Series(series) => vec![series.at(1)],
            Self::Keyed(keyed) => keyed.all().collect(),
            Self::Family(_) => Vec::new(),
        }
    }
}

/// Declares the figures of a claim as constants, and the list of them all, `FIGURES`.
macro_rules! figures {
    ($($(#[$doc:meta])* $name:ident: $kind:ident = $($text:expr),+;)+) => {
        $($(#[$doc])* pub const $name: $crate::$kind = $crate::$kind::new($($text),+);)+

        /// Every figure of the claim.
        pub const FIGURES: &[$crate::Name] = &[$($crate::Name::$kind($name)),+];
    };
}
pub(crate) use figures;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_put_together_in_one_place() {
        assert_eq!(Figure::new("fit.r2").to_string(), "fit.r2");
        assert_eq!(Series::new("fit.nodes").at(3).to_string(), "fit.nodes.3");
        let keyed = Keyed::new("clusters.", &["ward", "average"], ".found");
        assert_eq!(keyed.of(1).to_string(), "clusters.average.found");
        assert_eq!(keyed.all().count(), 2);
    }

    #[test]
    fn entries_know_their_figures() {
        let series = Name::Series(Series::new("fit.nodes"));
        assert!(series.contains("fit.nodes.12"));
        for other in
            ["fit.nodes", "fit.nodes.", "fit.nodes.0", "fit.nodes.x", "fit.nodes_minus_rank", "fit.nodes.1.2"]
        {
            assert!(!series.contains(other), "{other}");
        }
        let keyed = Name::Keyed(Keyed::new("clusters.", &["ward"], ".found"));
        assert!(keyed.contains("clusters.ward.found") && !keyed.contains("clusters.mean.found"));
        let family = Name::Family(Family::new("goals.campaign.", ".model.uplift_low"));
        assert!(family.contains("goals.campaign.a car.model.uplift_low"));
        assert!(!family.contains("goals.campaign.a car.model.uplift_high"));
    }
}
