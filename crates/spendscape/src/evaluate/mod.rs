//! Measures the figures by which the papers' claims are judged, on one trained run.
//!
//! A figure has a name such as `segments.knn.lstm.1`; the names are the contract with `cargo xtask reproduce`, which
//! knows the claims and their bands. What cannot be measured on a run (no short window, no known truth) is left out.

mod baselines;
mod clusters;
mod compare;
mod context;
mod dynamics;
mod fit;
mod segments;
mod stability;
mod surrogate;
mod trajectories;

use anyhow::Result;
use clap::Args;
use spendscape_schema::{Axes, arrays};
use spendscape_store::Provenance;

pub use self::compare::{CompareOptions, SummaryRow, compare, read_summary};
use self::context::Context;
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

/// Named figures in the order in which they were measured.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Vec<(String, f64)>);

impl Metrics {
    /// Adds a figure.
    pub fn add(&mut self, name: impl Into<String>, value: f64) {
        self.0.push((name.into(), value));
    }

    /// Adds a figure that may be undefined, such as the silhouette of one cluster; then it is left out.
    pub fn add_defined(&mut self, name: impl Into<String>, value: f64) {
        if value.is_finite() {
            self.add(name, value);
        }
    }

    /// Adds figures `name.1`, `name.2`, ...
    pub fn add_all(&mut self, name: &str, values: impl IntoIterator<Item = f64>) {
        for (k, value) in values.into_iter().enumerate() {
            self.add(format!("{name}.{}", k + 1), value);
        }
    }

    /// The figures.
    #[must_use]
    pub fn entries(&self) -> &[(String, f64)] {
        &self.0
    }
}

/// Measures a run and writes the figures to its folder.
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
    inputs.extend(optional.into_iter().filter(|file| run.has(*file)));
    let provenance = Provenance::new("evaluate")
        .parameter("baselines", !options.no_baselines)
        .parameter("polynomial", !options.no_polynomial);
    let Some(mut stage) = run.stage("evaluate", provenance, &inputs, force)? else {
        return Ok(());
    };
    let context = Context::read(run)?;
    let mut metrics = Metrics::default();
    fit::measure(&context, options, &mut metrics)?;
    trajectories::measure(&context, &mut metrics)?;
    segments::write(&mut stage, &segments::measure(&context, run, options, &mut metrics)?)?;
    clusters::measure(&context, options, &mut metrics)?;
    stability::measure(&context, &mut metrics)?;
    surrogate::measure(&context, options, &mut metrics)?;
    dynamics::measure(&context, run, &mut metrics)?;
    let columns = vec![
        arrays::text(metrics.0.iter().map(|(name, _)| name)),
        arrays::float(metrics.0.iter().map(|(_, value)| *value)),
    ];
    stage.write(File::Metrics, &Axes::new(), columns)?;
    stage.finish()
}

/// Reads the figures of a run.
///
/// # Errors
/// If the table is missing or damaged.
pub fn read_metrics(run: &RunFolder) -> Result<Metrics> {
    let rows = run.read(File::Metrics)?.rows;
    Ok(Metrics(rows.text("name")?.into_iter().zip(rows.float("value")?).collect()))
}
