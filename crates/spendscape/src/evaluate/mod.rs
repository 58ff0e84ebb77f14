//! Measures the figures by which the papers' claims are judged, on one trained run.
//!
//! A figure has a name such as `segments.knn.lstm.1`; the names are the contract with `cargo xtask reproduce`, which
//! knows the claims and their bands. What cannot be measured on a run (no short window, no known truth, too few customers)
//! is left out.

mod baselines;
mod clusters;
mod compare;
mod context;
mod dynamics;
mod fit;
mod metrics;
mod segments;
mod stability;
mod surrogate;
mod trajectories;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use spendscape_run::{File, Notes, RunFolder, Stage, outputs};
use spendscape_schema::tables::{self, MetricRow};
use spendscape_segments::Comparison;

use self::context::Context;
pub use self::{
    compare::{Compare, CompareOptions, compare, read_summary},
    context::EvaluateInputs,
    metrics::Metrics,
};

/// What is measured.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub struct EvaluateOptions {
    /// Leave out what needs further trainings (elbow, feed-forward net, autoencoders)
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
    type Inputs = EvaluateInputs;
    type Outputs = EvaluateOutputs;

    fn run(options: &EvaluateOptions, inputs: EvaluateInputs, notes: &mut Notes) -> Result<EvaluateOutputs> {
        let context = Context::new(inputs)?;
        let mut metrics = Metrics::default();
        let mut comparison = Comparison { rows: Vec::new() };
        metrics.part("fit", |metrics| fit::measure(&context, options, metrics))?;
        metrics.part("trajectories", |metrics| trajectories::measure(&context, metrics))?;
        metrics.part("comparison", |metrics| {
            comparison = segments::measure(&context, options, metrics)?;
            Ok(())
        })?;
        metrics.part("clusters", |metrics| clusters::measure(&context, options, metrics))?;
        metrics.part("stability", |metrics| stability::measure(&context, metrics))?;
        metrics.part("surrogate", |metrics| surrogate::measure(&context, options, metrics))?;
        metrics.part("dynamics", |metrics| dynamics::measure(&context, metrics))?;
        notes.add("left_out", metrics.left_out());
        let rows =
            metrics.entries().iter().map(|(name, value)| MetricRow { name: name.clone(), value: *value });
        Ok(EvaluateOutputs {
            comparison: segments::table(&comparison)?,
            metrics: tables::Metrics::from_rows(rows)?,
        })
    }
}

/// Reads the figures of a run.
///
/// # Errors
/// If the table is missing or damaged.
pub fn read_metrics(run: &RunFolder) -> Result<Metrics> {
    let table: tables::Metrics = run.table(File::Metrics)?;
    Ok(Metrics::from_entries(table.name.into_iter().zip(table.value)))
}
