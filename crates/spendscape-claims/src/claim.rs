//! A claim, the statements that figures decide, and their bands.

use std::ops::Sub;

use crate::figure::{Figure, Name};
use crate::measured::Measured;

/// One claim of the papers.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// Its number.
    pub number: u8,
    /// The section of `docs/METHODS.md` that says how it is measured.
    pub section: &'static str,
    /// Every figure that it names: those that decide, those that stand beside them, and what else is measured for it.
    pub figures: &'static [Name],
    /// What it states.
    pub statements: fn() -> Vec<Statement>,
}

/// A statement that one figure decides.
#[derive(Debug)]
pub struct Statement {
    /// The statement in words.
    pub text: &'static str,
    /// The paper's own figure, in words.
    pub paper: Option<&'static str>,
    /// What decides.
    pub value: Value,
    /// Where it has to lie.
    pub band: Band,
    /// Whether every seed must lie in the band, rather than their median.
    pub each_seed: bool,
    /// What is set beside it.
    pub controls: Vec<Control>,
    /// A choice that the papers leave free, with what the other ways to choose would give.
    pub choice: Option<Choice>,
    /// On which side of the band it falls by the way its figure is made, if it does.
    pub forced: Option<Forced>,
    /// What follows if the statement holds, and if it does not.
    pub readings: [&'static str; 2],
    /// Which constant of the synthetic bank decides, if one does, in words that go on from "on the synthetic bank".
    pub decided_by: Option<&'static str>,
    /// Of an acceptance row, whether the band also holds for fewer customers and real data.
    pub everywhere: bool,
    /// Of an acceptance row, the band on banks of the quick size.
    pub quick: Option<Band>,
}

impl Statement {
    pub(crate) fn new(text: &'static str, value: impl Into<Value>, band: Band) -> Self {
        Self {
            text,
            paper: None,
            value: value.into(),
            band,
            each_seed: false,
            controls: Vec::new(),
            choice: None,
            forced: None,
            readings: ["", ""],
            decided_by: None,
            everywhere: false,
            quick: None,
        }
    }

    /// The paper's own figure.
    pub(crate) fn paper(self, paper: &'static str) -> Self {
        Self { paper: Some(paper), ..self }
    }

    /// One more figure beside it, with words around the number at `{}`.
    pub(crate) fn control(mut self, words: &'static str, value: impl Into<Value>) -> Self {
        self.controls.push(Control { words, value: value.into() });
        self
    }

    /// What another way to make a choice that the papers leave free would give.
    pub(crate) fn otherwise(mut self, of: &'static str, ways: Vec<(&'static str, Value)>) -> Self {
        self.choice = Some(Choice { of, ways });
        self
    }

    /// It falls on this side for any network that fits the grades, so that it says nothing of the data.
    pub(crate) fn by_construction(self, side: Forced) -> Self {
        Self { forced: Some(side), ..self }
    }

    pub(crate) fn readings(self, holds: &'static str, fails: &'static str) -> Self {
        Self { readings: [holds, fails], ..self }
    }

    /// A constant of the synthetic bank decides, in words that go on from "on the synthetic bank".
    pub(crate) fn decided_by(self, constant: &'static str) -> Self {
        Self { decided_by: Some(constant), ..self }
    }

    pub(crate) fn for_each_seed(self) -> Self {
        Self { each_seed: true, ..self }
    }

    pub(crate) fn everywhere(self) -> Self {
        Self { everywhere: true, ..self }
    }
}

/// The side of its band on which a statement falls by the way its figure is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forced {
    /// Inside.
    Holds,
    /// Outside.
    Fails,
}

/// A choice that the papers leave free.
#[derive(Debug)]
pub struct Choice {
    /// What is chosen, in words that go on from "hangs on".
    pub of: &'static str,
    /// The other ways to choose, and what each gives.
    pub ways: Vec<(&'static str, Value)>,
}

/// A figure that says what a statement is worth.
#[derive(Debug)]
pub struct Control {
    /// Words with the number at `{}`.
    pub words: &'static str,
    /// The number.
    pub value: Value,
}

/// What is computed from the figures of one seed.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// A figure as it was measured.
    Figure(Figure),
    /// The first less the second.
    Difference(Figure, Figure),
    /// Anything else.
    Of(fn(&Measured) -> Option<f64>),
}

impl Value {
    /// The value, if its figures were measured.
    #[must_use]
    pub fn of(self, measured: &Measured) -> Option<f64> {
        match self {
            Self::Figure(figure) => measured.get(figure),
            Self::Difference(a, b) => Some(measured.get(a)? - measured.get(b)?),
            Self::Of(compute) => compute(measured),
        }
    }
}

impl From<Figure> for Value {
    fn from(figure: Figure) -> Self {
        Self::Figure(figure)
    }
}

impl Sub for Figure {
    type Output = Value;

    fn sub(self, other: Self) -> Value {
        Value::Difference(self, other)
    }
}

/// Where a figure has to lie, on the two synthetic banks.
#[derive(Debug, Clone, Copy)]
pub enum Band {
    /// The same for both banks.
    Both(f64, f64),
    /// `base`, then `strong`.
    Each([f64; 2], [f64; 2]),
}

impl Band {
    /// The interval on a bank, or on data that are none.
    #[must_use]
    pub fn on(self, bank: Option<Bank>) -> Option<[f64; 2]> {
        match (self, bank) {
            (Self::Both(low, high), _) => Some([low, high]),
            (Self::Each(base, _), Some(Bank::Base)) => Some(base),
            (Self::Each(_, strong), Some(Bank::Strong)) => Some(strong),
            (Self::Each(..), None) => None,
        }
    }
}

/// A synthetic bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bank {
    /// Effects as weak as in the papers' figures.
    Base,
    /// Stronger effects.
    Strong,
}

impl Bank {
    /// The name of its preset.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Strong => "strong",
        }
    }
}

/// Margin by which one share of customers must exceed another to count as more.
pub(crate) const MORE: f64 = 0.05;
