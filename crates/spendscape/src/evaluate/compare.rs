//! The papers' comparison over training seeds: one table of medians and intervals.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use spendscape_run::{
    File, Found, Inputs, NoParams, Notes, RunFolder, Sources, Stage, execute, inputs, outputs,
};
use spendscape_schema::tables::{self, ComparisonSummary, ComparisonSummaryRow, Segments};
use spendscape_segments::{comparison::Comparison, stability::pairwise_agreement};
use spendscape_stats::{median, quantile};

use super::{Evaluate, EvaluateOptions, comparison};

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

inputs! {
    /// One of the runs that are compared.
    pub struct ComparedInputs {
        /// Its comparison of representations.
        pub comparison: tables::Comparison = table File::Comparison,
        /// Its segments.
        pub segments: Option<Segments> = table File::Segments,
    }
}

/// The runs that are compared, in the order of their names among the sources.
#[derive(Debug)]
pub struct CompareInputs(pub Vec<ComparedInputs>);

impl Inputs for CompareInputs {
    fn files() -> Vec<File> {
        Vec::new()
    }

    fn find(sources: &Sources<'_>) -> Result<Found> {
        let mut found = Found::default();
        for name in sources.names() {
            let run = sources.of(name).with_context(|| format!("there is no run {name}"))?;
            found.add_folder(name, ComparedInputs::find(&run)?);
        }
        Ok(found)
    }

    fn read(sources: &Sources<'_>, found: &Found) -> Result<Self> {
        let read = |name| {
            let (run, found) =
                sources.of(name).zip(found.of(name)).with_context(|| format!("there is no run {name}"))?;
            ComparedInputs::read(&run, found)
        };
        Ok(Self(sources.names().map(read).collect::<Result<_>>()?))
    }
}

outputs! {
    /// The comparison over seeds.
    pub struct CompareOutputs {
        /// Medians and intervals.
        pub summary: ComparisonSummary = table File::ComparisonSummary,
    }
}

/// Compares runs of several training seeds.
#[derive(Debug)]
pub struct Compare;

impl Stage for Compare {
    const NAME: &'static str = "compare";
    type Params = NoParams;
    type Inputs = CompareInputs;
    type Outputs = CompareOutputs;

    fn run(_: &NoParams, inputs: CompareInputs, _: &mut Notes) -> Result<CompareOutputs> {
        let mut all = Comparison { rows: Vec::new() };
        let mut labels = Vec::new();
        for run in inputs.0 {
            all.rows.extend(comparison::read(run.comparison)?.rows);
            let segments =
                run.segments.map(|table| table.segment.into_iter().map(usize::from).collect::<Vec<usize>>());
            labels.extend(segments);
        }
        // What follows summarizes rows in the order of the seeds, whatever the order of the folders.
        all.rows.sort_by_key(|row| row.seed);
        let mut rows = all.summary().into_iter().map(summary).collect::<Result<Vec<_>>>()?;
        if labels.len() > 1 {
            rows.push(agreement(&labels)?);
        }
        Ok(CompareOutputs { summary: ComparisonSummary::from_rows(rows)? })
    }
}

/// Measures every run that is not measured yet and writes the comparison of all of them into the folder of `run`, whose
/// data they share.
///
/// # Errors
/// If a run lacks a table, two runs have the same seed, or the runs do not have the same customers, grades and split.
pub fn compare(run: &RunFolder, options: &CompareOptions, force: bool) -> Result<()> {
    let mut targets = None;
    let mut seeds = BTreeMap::new();
    // Each folder stays locked, so that two commands that name them in another order would wait for each other for ever.
    let mut runs: Vec<&PathBuf> = options.runs.iter().collect();
    runs.sort_by_cached_key(|path| path.canonicalize().unwrap_or_else(|_| (*path).clone()));
    for path in &runs {
        let one = RunFolder::open(path, run.data_for_others())?;
        execute::<Evaluate>(&Sources::new(&one), &options.evaluate, false)?;
        let found = comparison::read(one.table(File::Comparison)?)?;
        ensure!(!found.rows.is_empty(), "{} has too few customers to be compared", path.display());
        let seed = found.rows.first().map(|row| row.seed).unwrap_or_default();
        let (_, own) = one.need(File::Targets)?;
        if let Some((other, _)) = seeds.insert(seed, (path, one)) {
            bail!(
                "{} and {} were trained with the same seed: name one of them",
                other.display(),
                path.display()
            );
        }
        ensure!(
            *targets.get_or_insert_with(|| own.clone()) == own,
            "{} has other customers, grades or another split than {}: they cannot be compared",
            path.display(),
            runs[0].display()
        );
    }
    let sources = seeds
        .iter()
        .fold(Sources::new(run), |sources, (seed, (_, one))| sources.folder(format!("seed {seed}"), one));
    execute::<Compare>(&sources, &NoParams {}, force)
}

fn defined(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

fn summary(summary: spendscape_segments::comparison::ComparisonSummary) -> Result<ComparisonSummaryRow> {
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
