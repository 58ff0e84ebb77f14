//! Measured figures.

use super::kinds::{Category, Float, Index, Integer, Nullable, Text};

tables! {
    /// The papers' comparison of representations on one run.
    Comparison of ComparisonRow = "comparison", 1 {
        representation: Category = "features compared",
        seed: Integer = "training seed",
        measure: Category = "what is measured, on customers not used in training",
        level: Index = "length of the dominance prefix, or number of clusters",
        value: Nullable<Float> = "the figure; null where it is undefined",
        chance: Nullable<Float> = "the figure of a guess that ignores the features, where one is defined",
        null: Nullable<Float> = "the figure of the unimodal null, where it is defined",
    }

    /// The comparison over training seeds.
    ComparisonSummary of ComparisonSummaryRow = "comparison_summary", 1 {
        representation: Category = "features compared",
        measure: Category = "what is measured",
        level: Index = "length of the dominance prefix, or number of clusters",
        seeds: Index = "number of figures summarized: seeds, or pairs of seeds",
        median: Nullable<Float> = "median over seeds",
        low: Nullable<Float> = "smallest over seeds",
        high: Nullable<Float> = "largest over seeds",
        chance: Nullable<Float> = "median of the chance",
        null: Nullable<Float> = "median of the unimodal null",
    }

    /// Measured figures of an experiment.
    Metrics of MetricRow = "metrics", 1 {
        name: Text = "name of the figure",
        value: Float = "its value",
    }
}
