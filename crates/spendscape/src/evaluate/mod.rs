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
use spendscape_schema::{
    Axes,
    tables::{self, MetricRow},
};
use spendscape_segments::Comparison;
use spendscape_store::Provenance;

use self::context::Context;
pub use self::{
    compare::{CompareOptions, compare, read_summary},
    metrics::Metrics,
};
use crate::run_folder::{File, RunFolder};

/// What is measured.
#[derive(Debug, Clone, Default, Args)]
pub struct EvaluateOptions {
    /// Leave out what needs further trainings (elbow, feed-forward net, autoencoders)
    #[arg(long)]
    pub no_baselines: bool,
    /// Leave out the polynomial with all 4,850 columns
    #[arg(long)]
    pub no_polynomial: bool,
}

/// Measures a run and writes the figures to its folder.
///
/// A part that needs more customers than the panel has is left out, with a warning that gives the reason; the reasons stand
/// in the provenance of the written tables as `left_out`.
///
/// # Errors
/// If a table of the run is missing or damaged.
pub fn evaluate(run: &RunFolder, options: &EvaluateOptions, force: bool) -> Result<()> {
    let mut inputs = vec![File::Panel, File::Coefficients, File::Targets, File::Model, File::States];
    let optional = [
        File::ShortPanel,
        File::ShortStates,
        File::Latent,
        File::SurrogateAngles,
        File::EndStates,
        File::Attractors,
    ];
    for file in optional {
        if run.has(file)? {
            inputs.push(file);
        }
    }
    let provenance = Provenance::new("evaluate")
        .parameter("baselines", !options.no_baselines)
        .parameter("polynomial", !options.no_polynomial);
    let Some(mut stage) = run.stage("evaluate", provenance, &inputs, force)? else {
        return Ok(());
    };
    let context = Context::read(run)?;
    let mut metrics = Metrics::default();
    let mut comparison = Comparison { rows: Vec::new() };
    metrics.part("fit", |metrics| fit::measure(&context, options, metrics))?;
    metrics.part("trajectories", |metrics| trajectories::measure(&context, metrics))?;
    metrics.part("comparison", |metrics| {
        comparison = segments::measure(&context, run, options, metrics)?;
        Ok(())
    })?;
    metrics.part("clusters", |metrics| clusters::measure(&context, options, metrics))?;
    metrics.part("stability", |metrics| stability::measure(&context, metrics))?;
    metrics.part("surrogate", |metrics| surrogate::measure(&context, options, metrics))?;
    metrics.part("dynamics", |metrics| dynamics::measure(&context, run, metrics))?;
    stage.note("left_out", metrics.left_out());
    segments::write(&mut stage, &comparison)?;
    let rows = metrics.entries().iter().map(|(name, value)| MetricRow { name: name.clone(), value: *value });
    stage.write_table(File::Metrics, &Axes::new(), &tables::Metrics::from_rows(rows)?)?;
    stage.finish()
}

/// Reads the figures of a run.
///
/// # Errors
/// If the table is missing or damaged.
pub fn read_metrics(run: &RunFolder) -> Result<Metrics> {
    let table: tables::Metrics = run.table(File::Metrics)?;
    Ok(Metrics::from_entries(table.name.into_iter().zip(table.value)))
}
