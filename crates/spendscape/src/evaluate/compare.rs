//! The papers' comparison over training seeds: one table of medians and intervals.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Result, bail, ensure};
use clap::Args;
use spendscape_schema::{
    Axes,
    tables::{ComparisonSummary, ComparisonSummaryRow, Segments},
};
use spendscape_segments::{Comparison, pairwise_agreement};
use spendscape_stats::{median, quantile};
use spendscape_store::Provenance;

use super::{EvaluateOptions, evaluate, segments};
use crate::run_folder::{File, RunFolder};

/// What is compared.
#[derive(Debug, Clone, Args)]
pub struct CompareOptions {
    /// Trained runs of the same customers and the same split, one per training seed
    #[arg(long, value_name = "RUN", num_args = 1.., required = true)]
    pub runs: Vec<PathBuf>,
    /// How each run is measured, where that was not done before
    #[command(flatten)]
    pub evaluate: EvaluateOptions,
}

/// Measures every run that is not measured yet and writes the comparison of all of them into the folder of `run`, whose
/// data they share.
///
/// # Errors
/// If a run lacks a table, two runs have the same seed, or the runs do not have the same customers, grades and split.
pub fn compare(run: &RunFolder, options: &CompareOptions, force: bool) -> Result<()> {
    let mut provenance = Provenance::new("compare");
    let mut all = Comparison { rows: Vec::new() };
    let mut labels = Vec::new();
    let mut targets = None;
    let mut seeds = BTreeMap::new();
    for path in &options.runs {
        let one = RunFolder::open(path, run.data_for_others())?;
        evaluate(&one, &options.evaluate, false)?;
        let found = segments::read(&one)?;
        let seed = found.rows.first().map(|row| row.seed);
        if let Some(other) = seeds.insert(seed, path) {
            bail!(
                "{} and {} were trained with the same seed: name one of them",
                other.display(),
                path.display()
            );
        }
        let (_, own) = one.need(File::Targets)?;
        ensure!(
            *targets.get_or_insert_with(|| own.clone()) == own,
            "{} has other customers, grades or another split than {}: they cannot be compared",
            path.display(),
            options.runs[0].display()
        );
        let name = format!("seed {} {}", seed.unwrap_or_default(), File::Comparison.name());
        provenance = one.input(provenance, &name, File::Comparison)?;
        all.rows.extend(found.rows);
        if one.has(File::Segments)? {
            let name = format!("seed {} {}", seed.unwrap_or_default(), File::Segments.name());
            provenance = one.input(provenance, &name, File::Segments)?;
            let segments = one.table::<Segments>(File::Segments)?.segment;
            labels.push(segments.into_iter().map(usize::from).collect::<Vec<usize>>());
        }
    }
    let Some(mut stage) = run.stage("compare", provenance, &[], force)? else {
        return Ok(());
    };
    // What follows summarizes rows in the order of the seeds, whatever the order of the folders.
    all.rows.sort_by_key(|row| row.seed);
    let mut rows = all.summary().into_iter().map(summary).collect::<Result<Vec<_>>>()?;
    if labels.len() > 1 {
        rows.push(agreement(&labels)?);
    }
    stage.write_table(File::ComparisonSummary, &Axes::new(), &ComparisonSummary::from_rows(rows)?)?;
    stage.finish()
}

fn defined(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

fn summary(summary: spendscape_segments::ComparisonSummary) -> Result<ComparisonSummaryRow> {
    Ok(ComparisonSummaryRow {
        representation: summary.representation,
        measure: summary.measure.name().to_owned(),
        level: u16::try_from(summary.level)?,
        seeds: u16::try_from(summary.runs)?,
        median: defined(summary.median),
        low: defined(summary.low),
        high: defined(summary.high),
        chance: summary.chance.and_then(defined),
        null: summary.null.and_then(defined),
    })
}

/// Whether the segments of different training seeds agree: adjusted Rand index of all pairs of runs.
fn agreement(labels: &[Vec<usize>]) -> Result<ComparisonSummaryRow> {
    let pairs = pairwise_agreement(labels)?;
    let clusters = labels.iter().flatten().max().map_or(0, |most| most + 1);
    Ok(ComparisonSummaryRow {
        representation: "lstm".to_owned(),
        measure: "seed agreement".to_owned(),
        level: u16::try_from(clusters)?,
        seeds: u16::try_from(pairs.len())?,
        median: defined(median(&pairs)),
        low: defined(quantile(&pairs, 0.0)),
        high: defined(quantile(&pairs, 1.0)),
        // The index is adjusted for chance.
        chance: Some(0.0),
        null: None,
    })
}

/// Reads the comparison in a folder.
///
/// # Errors
/// If the table is missing or damaged.
pub fn read_summary(run: &RunFolder) -> Result<Vec<ComparisonSummaryRow>> {
    Ok(run.table::<ComparisonSummary>(File::ComparisonSummary)?.into_rows().collect())
}
