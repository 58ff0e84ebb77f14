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
use ndarray::{Array2, Axis as Dimension};
use spendscape_dynamics::{
    InverseConfig, InverseRegression, LstmCell, Outcome, Population, PopulationConfig, Verdict,
    analyze_population, evenly_spaced, inverse_regression, worth_studying,
};
use spendscape_schema::{
    Axes, Axis, Panel,
    tables::{EndStates, Extended, FixedPoints, Predictions, Reach, TraitAxes},
};
use spendscape_store::Provenance;

pub use net::{NetOptions, net};
use study::Inputs;
pub use study::StudyOptions;

use crate::{
    model,
    run_folder::{File, RunFolder, Stage},
    stages::{count, train::read_targets},
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
const CUSTOMER_TABLES: [File; 8] = [
    File::Predictions,
    File::TraitAxes,
    File::Reach,
    File::EndStates,
    File::FixedPoints,
    File::Extended,
    File::Attractors,
    File::PrintedAttractors,
];
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
    let inputs = [File::Panel, File::Model, File::Targets];
    let Some(mut stage) = run.stage("dynamics", provenance, &inputs, force)? else {
        return Ok(());
    };
    let panel = Panel::from_rows(&run.read(File::Panel)?.rows)?;
    let targets = read_targets(run)?;
    let model = model::read(run)?;
    model.check_classes(&panel.classes)?;
    let weights = model.weights()?;
    let axes = Axes::new()
        .with_numbered(Axis::Unit, model.units())
        .with(Axis::Trait, targets.traits.iter().cloned());

    let inverse = inverse_regression(&weights.output, &weights.output_bias, &InverseConfig::default())?;
    write_inverse(&mut stage, &axes, &inverse, &targets.traits)?;
    let locations = Locations::of(&inverse, &targets.grades)?;
    let predictions = Predictions {
        customer: panel.customers.clone(),
        output: model.network.predict(&panel.shares)?.mapv(f64::from),
        location_raw: locations.raw.clone(),
        location_paper: locations.paper.clone(),
        location_printed: locations.printed.clone(),
    };
    stage.write_table(File::Predictions, &axes, &predictions)?;

    let mean_shares = panel.mean_shares();
    let cell = LstmCell::new(&weights.input, &weights.recurrent, &weights.bias)?;
    let config = PopulationConfig { horizon: options.horizon, ..PopulationConfig::default() };
    let population = analyze_population(&cell, &mean_shares, &config)?;
    write_population(&mut stage, &axes, &panel.customers, &population, model.units())?;

    let kept = evenly_spaced(panel.len(), options.extended_customers);
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
        &attractors::Groups { targets: &targets, population: &population, locations: &locations.raw },
        &weights,
        options.horizon,
    )?;
    let studied = worth_studying(&population, options.studied_customers);
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

/// Predicted final locations of customers in three readings of equation 3.
#[derive(Debug)]
pub struct Locations {
    /// From raw grades, with the origin.
    pub raw: Array2<f64>,
    /// From normalized grades and the axes, with the origin.
    pub paper: Array2<f64>,
    /// As printed, without the origin.
    pub printed: Array2<f64>,
}

impl Locations {
    /// Locates customers by their grades (N x P).
    ///
    /// # Errors
    /// If the grades have another width than the output layer.
    pub fn of(inverse: &InverseRegression, grades: &Array2<f64>) -> Result<Self> {
        Ok(Self {
            raw: inverse.locate_raw(grades)?,
            paper: inverse.locate_paper(grades)?,
            printed: inverse.locate_printed(grades)?,
        })
    }
}

fn write_inverse(
    stage: &mut Stage<'_>,
    axes: &Axes,
    inverse: &InverseRegression,
    traits: &[String],
) -> Result<()> {
    stage.note("inverse_rank", inverse.rank);
    // Directions of state space that the outputs tell apart, one per row.
    let identifiable: Vec<Vec<f64>> =
        inverse.identifiable.outer_iter().map(|direction| direction.to_vec()).collect();
    stage.note("identifiable_directions", identifiable);
    if let Some(error) = inverse.closed_form_error {
        stage.note("closed_form_error", error);
    }
    let origins = Array2::from_shape_fn(inverse.axes.raw_dim(), |(_, unit)| inverse.origin[unit]);
    let trait_axes = TraitAxes {
        r#trait: traits.to_vec(),
        magnitude: inverse.magnitude.to_vec(),
        axis: inverse.axes.clone(),
        origin: origins,
    };
    stage.write_table(File::TraitAxes, axes, &trait_axes)?;
    if let Some(reachable) = &inverse.reachable {
        let reach = Reach { state: reachable.states.clone(), output: reachable.outputs.clone() };
        stage.write_table(File::Reach, axes, &reach)?;
    }
    Ok(())
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
