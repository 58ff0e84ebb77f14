//! Measures of held-out scores, as values.

use ndarray::ArrayRef1;

use crate::measures::{AucComparison, NonInferiority};

/// The group of everybody.
pub const EVERYBODY: &str = "everybody";
/// The set of scores that are the best possible, where they are known.
pub const BEST_POSSIBLE: &str = "best possible";
/// References for the measures of held-out scores.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reference<'a> {
    /// The best possible scores (N), where they are known.
    pub best: Option<&'a ArrayRef1<f64>>,
    /// Columns of groups, by which a binary outcome is measured too: name, and value per customer (N).
    pub groups: &'a [(String, Vec<String>)],
    /// Sets whose AUC is compared, with the set that each is compared with.
    pub pairs: &'a [(&'a str, &'a str)],
    /// A set and the one beside which its flags are compared between groups, at equal accuracy.
    pub parity: Option<(&'a str, &'a str)>,
    /// Margin of non-inferiority, in AUC.
    pub margin: f64,
}

/// One measure.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredScore {
    /// The set of features, or [`BEST_POSSIBLE`].
    pub set: String,
    /// The learner's name; `none` of the best possible scores.
    pub learner: &'static str,
    /// [`EVERYBODY`], `column=value`, or a column whose groups are compared.
    pub group: String,
    /// The measure's name.
    pub measure: &'static str,
    /// Customers measured.
    pub customers: usize,
    /// The measure.
    pub value: f64,
    /// Its 95 % interval, where there is one.
    pub interval: Option<[f64; 2]>,
}

/// One comparison of two sets.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedSets {
    /// The set.
    pub set: String,
    /// Its learner.
    pub learner: &'static str,
    /// The set that it is compared with.
    pub reference: String,
    /// The learner of that.
    pub reference_learner: &'static str,
    /// Whether both learners are the better ones of their sets.
    pub decides: bool,
    /// The AUC of the first less that of the second.
    pub found: AucComparison,
    /// Whether the first is no worse by more than the margin.
    pub verdict: NonInferiority,
}

/// A point of a curve.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredPoint {
    /// The set of features, or [`BEST_POSSIBLE`].
    pub set: String,
    /// The learner's name.
    pub learner: &'static str,
    /// `roc`, or the name of the measure.
    pub curve: &'static str,
    /// False positive rate, tenth, or mean score.
    pub x: f64,
    /// True positive rate, lift, or observed rate.
    pub y: f64,
    /// Its 95 % interval, where there is one.
    pub interval: Option<[f64; 2]>,
}

/// A group with too few customers of a class to be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedGroup {
    /// `column=value`.
    pub group: String,
    /// Its customers.
    pub customers: usize,
    /// Those of them with a positive label.
    pub positives: usize,
}

/// Everything that was measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// Measures, set by set.
    pub scores: Vec<MeasuredScore>,
    /// Comparisons of a binary outcome.
    pub comparisons: Vec<ComparedSets>,
    /// Curves of a binary outcome.
    pub curves: Vec<MeasuredPoint>,
    /// Groups that were not measured.
    pub skipped: Vec<SkippedGroup>,
}
