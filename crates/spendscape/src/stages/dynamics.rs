//! Where customers are heading: fixed points with certificates, trait axes, attractors (P3 sections III-C and IV); and
//! the same of nets from elsewhere.

mod attractors;
mod json;
mod net;
mod study;

use std::path::Path;

use anyhow::{Result, ensure};
use arrow::array::RecordBatch;
use clap::Args;
use ndarray::Axis as Dimension;
use spendscape_dynamics::{LstmCell, Outcome, Population, PopulationConfig, Verdict, analyze_population};
use spendscape_run::{Model, StoredTargets};
use spendscape_schema::{
    Axes, Axis, Panel,
    tables::{EndStates, Extended, FixedPoints, MeanShares, Predictions},
};
use spendscape_store::Provenance;

pub use net::{NetOptions, net};
use study::Inputs;
pub use study::StudyOptions;

use crate::{
    run_folder::{File, RunFolder, Stage},
    stages::count,
};

/// Extended trajectories, and customers looked at in depth.
#[derive(Debug, Clone, Args)]
pub struct DynamicsOptions {
    /// Steps of the extended trajectories (T')
    #[arg(long, default_value_t = 100, value_parser = count(1..=65_535))]
    pub horizon: usize,
    /// Customers whose extended trajectory is kept for figures
    #[arg(long, default_value_t = 500, value_parser = count(0..=1_000_000))]
    pub extended_customers: usize,
    /// Customers whose map is studied in depth: basins, transients, cycles, smallest change of spending that makes the
    /// attractor jump
    #[arg(long, default_value_t = 12, value_parser = count(0..=1_000_000))]
    pub studied_customers: usize,
    #[command(flatten)]
    /// How deep
    pub study: StudyOptions,
    /// Write each table as JSON too
    #[arg(long)]
    pub json_tables: bool,
}

impl Default for DynamicsOptions {
    fn default() -> Self {
        Self {
            horizon: 100,
            extended_customers: 500,
            studied_customers: 12,
            study: StudyOptions::default(),
            json_tables: false,
        }
    }
}

/// The tables of this stage that describe customers; the others describe single maps.
const CUSTOMER_TABLES: [File; 5] =
    [File::EndStates, File::FixedPoints, File::Extended, File::Attractors, File::PrintedAttractors];
const MAP_TABLES: [File; 9] = [
    File::Maps,
    File::MapPoints,
    File::MapBoxes,
    File::MapStarts,
    File::MapEdges,
    File::MapCycles,
    File::MapSensitivities,
    File::MapBranches,
    File::MapJumps,
];

/// Numbers of the extended trajectories that are kept for figures, at most: 1 GiB of them.
const MOST_EXTENDED: usize = 1 << 28;

/// Analyzes the long-run behavior of every customer and of the trait groups.
///
/// # Errors
/// If a table is missing, or the model is no single LSTM layer.
pub fn dynamics(run: &RunFolder, options: &DynamicsOptions, force: bool) -> Result<()> {
    let provenance = Provenance::new("dynamics")
        .parameter("horizon", options.horizon)
        .parameter("extended_customers", options.extended_customers)
        .parameter("studied_customers", options.studied_customers);
    let provenance = with_study(provenance, options);
    let inputs = [File::Panel, File::Model, File::Targets, File::MeanShares, File::Predictions];
    let Some(mut stage) = Stage::start(run, "dynamics", provenance, &inputs, force)? else {
        return Ok(());
    };
    let panel = run.table::<Panel>(File::Panel)?;
    let targets: StoredTargets = run.table(File::Targets)?;
    let model: Model = run.table(File::Model)?;
    model.check_classes(&panel.classes)?;
    let weights = model.weights()?;
    let axes = Axes::new()
        .with_numbered(Axis::Unit, model.units())
        .with(Axis::Trait, targets.traits.iter().cloned());

    let predictions: Predictions = run.table(File::Predictions)?;
    let mean_shares = run.table::<MeanShares>(File::MeanShares)?.share;
    let cell = LstmCell::new(&weights.input, &weights.recurrent, &weights.bias)?;
    let config = PopulationConfig { horizon: options.horizon, ..PopulationConfig::default() };
    let population = analyze_population(&cell, &mean_shares, &config)?;
    write_population(&mut stage, &axes, &panel.customers, &population, model.units())?;

    let kept = sample(panel.len(), options.extended_customers);
    let numbers = kept.len().saturating_mul(options.horizon).saturating_mul(model.units());
    ensure!(
        numbers <= MOST_EXTENDED,
        "extended trajectories of {} customers over {} steps hold {numbers} numbers, more than {MOST_EXTENDED}: choose a smaller \
         --horizon or fewer --extended-customers",
        kept.len(),
        options.horizon
    );
    let inputs = mean_shares.select(Dimension(0), &kept).mapv(|share| share as f32);
    let rolled = model.network.roll_out(&inputs, options.horizon, true)?;
    if let Some(trajectory) = rolled.trajectory {
        let (customers, steps, units) = trajectory.dim();
        let rows = customers * steps;
        let extended = Extended {
            customer: (0..rows).map(|row| panel.customers[kept[row / steps]].clone()).collect(),
            step: (0..rows).map(|row| (row % steps + 1) as u16).collect(),
            hidden: trajectory.into_shape_with_order((rows, units))?,
        };
        stage.write_table(File::Extended, &axes, &extended)?;
    }
    attractors::write(
        &mut stage,
        &axes,
        &attractors::Groups {
            targets: &targets,
            population: &population,
            locations: &predictions.location_raw,
        },
        &weights,
        options.horizon,
    )?;
    let studied = studied(&population, options.studied_customers);
    let inputs = Inputs {
        cell: "LSTM of this run",
        labels: studied.iter().map(|row| panel.customers[*row].clone()).collect(),
        held: mean_shares.select(Dimension(0), &studied),
        coordinates: &panel.classes,
        paths: studied
            .iter()
            .map(|row| panel.shares.index_axis(Dimension(0), *row).mapv(f64::from))
            .collect(),
    };
    write_tables(&mut stage, study::study(&cell, &inputs, options.horizon, &options.study)?)?;
    if options.json_tables {
        CUSTOMER_TABLES.iter().chain(&MAP_TABLES).try_for_each(|file| write_json(&mut stage, *file))?;
    }
    stage.finish()
}

fn with_study(provenance: Provenance, options: &DynamicsOptions) -> Provenance {
    let StudyOptions { basin_samples, longest_cycle, followed } = options.study;
    provenance
        .parameter("basin_samples", basin_samples)
        .parameter("longest_cycle", longest_cycle)
        .parameter("followed", followed)
        .parameter("json_tables", options.json_tables)
}

fn write_tables(stage: &mut Stage<'_>, tables: Vec<(File, RecordBatch)>) -> Result<()> {
    tables.into_iter().try_for_each(|(file, batch)| stage.write_batch(file, &batch))
}

/// Writes a table as JSON beside itself, if the stage has written it.
fn write_json(stage: &mut Stage<'_>, file: File) -> Result<()> {
    let Some(stored) = stage.read_back(file)? else { return Ok(()) };
    let text = serde_json::to_vec_pretty(&json::rows(stored.rows.batch())?)?;
    let name = Path::new(file.name()).with_extension("json");
    stage.write_plain(&name.to_string_lossy(), &text)
}

/// Evenly spaced rows, at most `wanted`.
fn sample(rows: usize, wanted: usize) -> Vec<usize> {
    let count = rows.min(wanted);
    (0..count).map(|k| k * rows / count).collect()
}

/// The customers studied in depth: the half with the most fixed points, whose basins say most, and evenly spaced others.
fn studied(population: &Population, wanted: usize) -> Vec<usize> {
    let mut rich: Vec<usize> = (0..population.len()).filter(|row| population.count(*row) > 1).collect();
    rich.sort_by_key(|row| (std::cmp::Reverse(population.count(*row)), *row));
    rich.truncate(wanted / 2);
    let mut rows = rich.clone();
    rows.extend(sample(population.len(), wanted - rich.len()).into_iter().filter(|row| !rich.contains(row)));
    rows.sort_unstable();
    rows
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Stable => "stable",
        Verdict::Saddle { .. } => "saddle",
        Verdict::Marginal => "marginal",
        Verdict::Undecided => "undecided",
        Verdict::Kink => "kink",
    }
}

/// Unstable directions of a saddle.
fn unstable(verdict: Verdict) -> u16 {
    if let Verdict::Saddle { index } = verdict { index as u16 } else { 0 }
}

fn write_population(
    stage: &mut Stage<'_>,
    axes: &Axes,
    customers: &[String],
    population: &Population,
    units: usize,
) -> Result<()> {
    let hidden = |states: ndarray::ArrayView2<'_, f64>| states.slice(ndarray::s![.., ..units]).to_owned();
    let n = population.len();
    let ends = EndStates {
        customer: customers.to_vec(),
        hidden_100: hidden(population.horizon_states()),
        hidden: hidden(population.end_states()),
        spectral_low: population.spectrum.iter().map(|spectrum| spectrum.radius.lo).collect(),
        spectral_high: population.spectrum.iter().map(|spectrum| spectrum.radius.hi).collect(),
        time_constant: population.time_constants(),
        converged: population.converged.clone(),
        certified: population.end_point.iter().map(Option::is_some).collect(),
        points: (0..n).map(|row| population.count(row) as u16).collect(),
        complete: population.outcome.iter().map(|outcome| *outcome == Outcome::Complete).collect(),
    };
    stage.write_table(File::EndStates, axes, &ends)?;
    let points = &population.points;
    let owner: Vec<usize> = (0..n).flat_map(|row| std::iter::repeat_n(row, population.count(row))).collect();
    let states = points.states();
    let numbered = || owner.iter().copied().enumerate();
    let table = FixedPoints {
        customer: owner.iter().map(|row| customers[*row].clone()).collect(),
        index: numbered().map(|(point, row)| (point - points.offsets[row]) as u16).collect(),
        hidden: hidden(states),
        cell: states.slice(ndarray::s![.., units..]).to_owned(),
        residual: points.residual.clone(),
        radius: points.error.clone(),
        spectral_low: points.spectrum.iter().map(|spectrum| spectrum.radius.lo).collect(),
        spectral_high: points.spectrum.iter().map(|spectrum| spectrum.radius.hi).collect(),
        verdict: points.spectrum.iter().map(|spectrum| verdict_name(spectrum.verdict).to_owned()).collect(),
        unstable: points.spectrum.iter().map(|spectrum| unstable(spectrum.verdict)).collect(),
        reached: numbered().map(|(point, row)| population.end_point[row] == Some(point)).collect(),
    };
    stage.write_table(File::FixedPoints, axes, &table)
}
