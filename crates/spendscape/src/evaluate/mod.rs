//! Measures the figures by which the papers' claims are judged, on one trained run: `spendscape-claims` as a stage.

mod compare;
mod comparison;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use spendscape_claims::measure::{Extent, Run, RunTables};
use spendscape_run::{File, Notes, RunFolder, Stage, outputs};
use spendscape_schema::tables::{self, MetricRow};

pub use self::compare::{Compare, CompareOptions, compare, read_summary};

/// What is measured.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub struct EvaluateOptions {
    /// Leave out what needs further trainings (elbow, feed-forward net, autoencoders) and the methods of clustering beside
    /// k-means
    #[arg(long)]
    pub no_baselines: bool,
    /// Leave out the polynomial with all 4,850 columns
    #[arg(long)]
    pub no_polynomial: bool,
}

outputs! {
    /// The measured figures.
    pub struct EvaluateOutputs {
        /// The comparison of representations.
        pub comparison: tables::Comparison = table File::Comparison,
        /// Figures by name.
        pub metrics: tables::Metrics = table File::Metrics,
    }
}

/// Measures a run.
///
/// A part that needs more customers than the panel has is left out, with a warning that gives the reason; the reasons stand
/// in the provenance of the written tables as `left_out`.
#[derive(Debug)]
pub struct Evaluate;

impl Stage for Evaluate {
    const NAME: &'static str = "evaluate";
    type Params = EvaluateOptions;
    type Inputs = RunTables;
    type Outputs = EvaluateOutputs;

    fn run(options: &EvaluateOptions, inputs: RunTables, notes: &mut Notes) -> Result<EvaluateOutputs> {
        let extent = Extent { trainings: !options.no_baselines, full_polynomial: !options.no_polynomial };
        let (metrics, comparison) = spendscape_claims::evaluate(&Run::new(inputs, extent)?)?;
        notes.add("left_out", metrics.left_out());
        let rows = metrics.entries().iter();
        let rows = rows.map(|(figure, value)| MetricRow { name: figure.to_string(), value: *value });
        Ok(EvaluateOutputs {
            comparison: comparison::table(&comparison)?,
            metrics: tables::Metrics::from_rows(rows)?,
        })
    }
}

/// Reads the figures of a run, in the order in which they were measured.
///
/// # Errors
/// If the table is missing or damaged.
pub fn read_metrics(run: &RunFolder) -> Result<tables::Metrics> {
    run.table(File::Metrics)
}
