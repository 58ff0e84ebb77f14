//! Prediction of outcomes.

use super::kinds::{Category, Flag, Float, Index, Integer, Nullable, Text};

tables! {
    /// Held-out scores of an outcome: one row per customer, feature set and learner.
    OutcomeScores of OutcomeScoreRow = "outcome_scores", 1 {
        set: Category = "feature set",
        learner: Category = "learner",
        customer: Text = "customer id",
        label: Float = "outcome; 1 is the adverse class of a binary one",
        score: Float = "mean held-out score over the repeats: probability, expected level or value",
    }

    /// Measures of held-out scores with bootstrap intervals.
    OutcomeMeasures of OutcomeMeasureRow = "outcome_measures", 1 {
        set: Category = "feature set, or `best possible` for scores that came with the labels",
        learner: Category = "learner",
        group: Category = "everybody, or `column=value` for the customers of a group",
        measure: Category = "measure",
        customers: Integer = "number of customers measured",
        value: Float = "value",
        low: Nullable<Float> = "lower end of the 95 % interval",
        high: Nullable<Float> = "upper end of the 95 % interval",
    }

    /// Curves of held-out scores of a binary outcome.
    OutcomeCurves of OutcomeCurveRow = "outcome_curves", 1 {
        set: Category = "feature set",
        learner: Category = "learner",
        curve: Category = "`roc`, `calibration` or `lift`",
        x: Float = "false positive rate; mean score of the bin; decile from 1 by falling score",
        y: Float = "true positive rate; share of positives in the bin; lift",
        low: Nullable<Float> = "lower end of the 95 % interval of y; null for the ROC curve",
        high: Nullable<Float> = "upper end of the 95 % interval of y; null for the ROC curve",
    }

    /// Differences of two AUCs on the same customers (DeLong).
    OutcomeComparisons of OutcomeComparisonRow = "outcome_comparisons", 1 {
        set: Category = "feature set in question",
        learner: Category = "its learner",
        reference: Category = "feature set compared with",
        reference_learner: Category = "its learner",
        decides: Flag = "whether both are the better learners of their sets",
        difference: Float = "AUC of the set less that of the reference",
        low: Float = "lower end of the 95 % interval",
        high: Float = "upper end of the 95 % interval",
        p_value: Float = "two-sided p-value of no difference",
        margin: Float = "margin of non-inferiority",
        verdict: Category = "non-inferior, inferior or undecided",
    }

    /// Why the scores of customers are high: their largest adverse contributions.
    OutcomeReasons of OutcomeReasonRow = "outcome_reasons", 1 {
        customer: Text = "customer id",
        score: Float = "score of the model fitted on all labeled customers",
        rank: Index = "rank of the reason, from 1",
        feature: Category = "feature",
        contribution: Float = "what it adds to the log-odds (or the value), compared with an average customer",
    }

    /// A scorecard: points for ranges of features, to be added to the base.
    Scorecard of ScorecardRow = "scorecard", 1 {
        feature: Text = "feature, or `(base)`",
        low: Nullable<Float> = "the range is above this; null for the lowest",
        high: Nullable<Float> = "and up to this; null for the highest",
        points: Integer = "points; more are better",
        customers: Integer = "customers in the range",
        rate: Nullable<Float> = "share of them with the adverse outcome",
    }
}
