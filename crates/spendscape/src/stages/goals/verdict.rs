//! What was measured, in words: better or not than chance and than what needs no model.
//!
//! A difference counts where its 95 % interval lies off zero (METHODS section 16); else one is "no better" than the other. The
//! strongest simple rival is chosen by the same held-out figures that it is compared by, which flatters the rival.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

/// What a command measured: figures by name, verdicts by name, and both for a person.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Findings {
    /// Figures by name.
    #[serde(flatten)]
    pub figures: BTreeMap<String, f64>,
    /// Verdicts and references in words, by name.
    #[serde(flatten)]
    pub words: BTreeMap<String, String>,
    /// The same to be read.
    #[serde(skip)]
    pub text: String,
}

impl Findings {
    /// Adds a line to the text.
    pub(super) fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.text.write_fmt(format_args!("{line}\n"));
    }

    /// A figure and its interval.
    pub(super) fn interval(&self, name: &str, low: &str, high: &str) -> Option<Difference> {
        let figure = |name: &str| self.figures.get(name).copied();
        Some(Difference { value: figure(name)?, low: figure(low)?, high: figure(high)? })
    }
}

/// A difference with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Difference {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// How one thing did beside another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Better,
    NoBetter,
    Worse,
}

impl Difference {
    /// Whether the first of the two did better, where larger is.
    pub(super) fn verdict(self) -> Verdict {
        if self.low > 0.0 {
            Verdict::Better
        } else if self.high < 0.0 {
            Verdict::Worse
        } else {
            Verdict::NoBetter
        }
    }

    /// The difference the other way round.
    pub(super) fn reversed(self) -> Self {
        Self { value: -self.value, low: -self.high, high: -self.low }
    }

    /// `+0.006 (-0.001 to +0.013)`.
    pub(super) fn show(self) -> String {
        format!("{:+.3} ({:+.3} to {:+.3})", self.value, self.low, self.high)
    }
}

impl Verdict {
    /// The verdict before the name of what is compared with. What is no good news stands in capitals.
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Better => "better than",
            Self::NoBetter => "NO BETTER than",
            Self::Worse => "WORSE than",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_counts_where_its_interval_is_off_zero() {
        let of = |low: f64, high: f64| Difference { value: (low + high) / 2.0, low, high };
        assert_eq!(of(0.01, 0.02).verdict(), Verdict::Better);
        assert_eq!(of(-0.001, 0.013).verdict(), Verdict::NoBetter);
        assert_eq!(of(0.0, 0.0).verdict(), Verdict::NoBetter);
        assert_eq!(of(-0.02, -0.01).verdict(), Verdict::Worse);
        assert_eq!(of(-0.02, -0.01).reversed().verdict(), Verdict::Better);
        assert_eq!(of(f64::NAN, f64::NAN).verdict(), Verdict::NoBetter);
        assert_eq!(of(-0.001, 0.013).show(), "+0.006 (-0.001 to +0.013)");
    }
}
