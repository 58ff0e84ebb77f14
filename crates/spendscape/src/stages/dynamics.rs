//! Where customers are heading: fixed points with certificates, trait axes, attractors (P3 sections III-C and IV); and
//! the same of nets from elsewhere.

mod attractors;
mod json;
mod net;
mod study;

use anyhow::{Result, ensure};
use clap::Args;
use ndarray::{Array2, Axis as Dimension};
use serde::Serialize;
use spendscape_dynamics::{
    fixed_points::{Outcome, Verdict},
    map::LstmCell,
    population::{Population, PopulationParams, analyze_population, slowest_modes},
    study::{evenly_spaced, worth_studying},
};
use spendscape_run::{
    File, IntoTable, Model, Notes, Outputs, Stage, StoredTargets, WithAxes, inputs, outputs,
};
use spendscape_schema::{
    Axes, Axis, Panel,
    tables::{Attractors, EndStates, Extended, FixedPoints, MeanShares, Predictions, Reach, TraitAxes},
};

use self::{json::JsonTables, study::Inputs};
pub use self::{
    net::{HeldInputs, NetFile, NetInputs, NetOptions, NetOutputs, NetParams, NetStudy, net},
    study::{MapTables, StudyOptions},
};
use super::{command_line_defaults, count};

/// Extended trajectories, and customers looked at in depth.
#[derive(Debug, Clone, Args, Serialize)]
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
    /// How deep
    #[command(flatten)]
    #[serde(flatten)]
    pub study: StudyOptions,
    /// Write each table as JSON too
    #[arg(long)]
    pub json_tables: bool,
}

impl Default for DynamicsOptions {
    fn default() -> Self {
        command_line_defaults()
    }
}

/// Numbers of the extended trajectories that are kept for figures, at most: 1 GiB of them.
const MOST_EXTENDED: usize = 1 << 28;

inputs! {
    /// What the dynamics are found from.
    pub struct DynamicsInputs {
        /// Shares over the long window.
        pub panel: Panel = table File::Panel,
        /// The network.
        pub model: Model = table File::Model,
        /// Grades.
        pub targets: StoredTargets = table File::Targets,
        /// Mean shares, which are held.
        pub mean_shares: MeanShares = table File::MeanShares,
        /// Where grades are among the states.
        pub predictions: WithAxes<Predictions> = table File::Predictions,
        /// Trait axes in state space, which `--json-tables` writes too.
        pub trait_axes: Option<WithAxes<TraitAxes>> = table File::TraitAxes,
        /// Reachable outputs, which it writes too.
        pub reach: Option<WithAxes<Reach>> = table File::Reach,
    }
}

outputs! {
    /// Where customers are heading.
    pub struct DynamicsOutputs {
        /// End states under a held input.
        pub end_states: WithAxes<EndStates> = table File::EndStates,
        /// Fixed points.
        pub fixed_points: WithAxes<FixedPoints> = table File::FixedPoints,
        /// Extended trajectories of a sample.
        pub extended: Option<WithAxes<Extended>> = table File::Extended,
        /// Attractors of the population.
        pub attractors: WithAxes<Attractors> = table File::Attractors,
        /// The same customers' attractors in the shapes that P3 prints.
        pub printed: WithAxes<Attractors> = table File::PrintedAttractors,
        /// Single maps in depth.
        pub maps: MapTables = all (),
        /// The tables as JSON, where they were asked for.
        pub json: JsonTables = all (),
    }
}

/// Analyzes the long-run behavior of every customer and of the trait groups.
#[derive(Debug)]
pub struct Dynamics;

impl Stage for Dynamics {
    const NAME: &'static str = "dynamics";
    type Params = DynamicsOptions;
    type Inputs = DynamicsInputs;
    type Outputs = DynamicsOutputs;

    fn run(options: &DynamicsOptions, inputs: DynamicsInputs, notes: &mut Notes) -> Result<DynamicsOutputs> {
        let DynamicsInputs { panel, model, targets, mean_shares, predictions, trait_axes, reach } = inputs;
        model.check_classes(&panel.classes)?;
        let (weights, units, mean_shares) = (model.weights()?, model.units(), mean_shares.share);
        let axes =
            Axes::new().with_numbered(Axis::Unit, units).with(Axis::Trait, targets.traits.iter().cloned());
        let cell = LstmCell::new(&weights.input, &weights.recurrent, &weights.bias)?;
        let params = PopulationParams::default().horizon(options.horizon);
        let population = analyze_population(&cell, &mean_shares, &params)?;
        let slowest = slowest_modes(&cell, &mean_shares, &population)?;
        notes.add("neutral", neutral(&cell, &mean_shares, &params)?);
        let extended = extended(options, &panel, &model, &mean_shares)?;
        let groups = attractors::Groups {
            targets: &targets,
            population: &population,
            locations: &predictions.table.location_paper,
        };
        let [attractors, printed] = groups.tables(&weights, options.horizon, notes)?;
        let studied = worth_studying(&population, options.studied_customers);
        let maps = Inputs {
            cell: "LSTM of this run",
            labels: studied.iter().map(|row| panel.customers[*row].clone()).collect(),
            held: mean_shares.select(Dimension(0), &studied),
            coordinates: &panel.classes,
            paths: studied
                .iter()
                .map(|row| panel.shares.index_axis(Dimension(0), *row).mapv(f64::from))
                .collect(),
        };
        let with_axes = |table| WithAxes { axes: axes.clone(), table };
        Ok(DynamicsOutputs {
            end_states: WithAxes {
                axes: axes.clone(),
                table: end_states(&panel.customers, &population, slowest),
            },
            fixed_points: WithAxes {
                axes: axes.clone(),
                table: fixed_points(&panel.customers, &population, units),
            },
            extended: extended.map(|table| WithAxes { axes: axes.clone(), table }),
            attractors: with_axes(attractors),
            printed: with_axes(printed),
            maps: study::study(&cell, &maps, options.horizon, &options.study)?,
            json: if options.json_tables {
                let mut given = vec![(File::Predictions, predictions.into_table()?.batch)];
                if let Some(axes) = trait_axes {
                    given.push((File::TraitAxes, axes.into_table()?.batch));
                }
                if let Some(reach) = reach {
                    given.push((File::Reach, reach.into_table()?.batch));
                }
                JsonTables { written: DynamicsOutputs::files(), given }
            } else {
                JsonTables::default()
            },
        })
    }
}

/// The map under the mean input of all customers, for the provenance: its fixed points, and the slowest modes where a roll-out
/// from zero ends.
fn neutral(
    cell: &LstmCell,
    mean_shares: &Array2<f64>,
    params: &PopulationParams,
) -> Result<serde_json::Value> {
    let mean = mean_shares.mean_axis(Dimension(0)).unwrap_or_default().insert_axis(Dimension(0));
    let population = analyze_population(cell, &mean, params)?;
    let slowest = slowest_modes(cell, &mean, &population)?;
    Ok(serde_json::json!({ "points": population.count(0), "slowest": slowest.row(0).to_vec() }))
}

/// Extended trajectories of evenly spaced customers.
fn extended(
    options: &DynamicsOptions,
    panel: &Panel,
    model: &Model,
    mean_shares: &Array2<f64>,
) -> Result<Option<Extended>> {
    let kept = evenly_spaced(panel.len(), options.extended_customers);
    let numbers = kept.len().saturating_mul(options.horizon).saturating_mul(model.units());
    ensure!(
        numbers <= MOST_EXTENDED,
        "extended trajectories of {} customers over {} steps hold {numbers} numbers, more than {MOST_EXTENDED}: choose a smaller \
         --horizon or fewer --extended-customers",
        kept.len(),
        options.horizon
    );
    let held = mean_shares.select(Dimension(0), &kept).mapv(|share| share as f32);
    let Some(trajectory) = model.network.roll_out(&held, options.horizon, true)?.trajectory else {
        return Ok(None);
    };
    let (customers, steps, units) = trajectory.dim();
    let rows = customers * steps;
    Ok(Some(Extended {
        customer: (0..rows).map(|row| panel.customers[kept[row / steps]].clone()).collect(),
        step: (0..rows).map(|row| (row % steps + 1) as u16).collect(),
        hidden: trajectory.into_shape_with_order((rows, units))?,
    }))
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

/// Where the customers' own roll-outs end, with the slowest modes there (N x M): of the states the first M are hidden ones, the
/// others cell states.
fn end_states(customers: &[String], population: &Population, slowest: Array2<f64>) -> EndStates {
    let units = slowest.ncols();
    let hidden = |states: ndarray::ArrayView2<'_, f64>| states.slice(ndarray::s![.., ..units]).to_owned();
    let n = population.len();
    EndStates {
        customer: customers.to_vec(),
        hidden_100: hidden(population.horizon_states()),
        hidden: hidden(population.end_states()),
        spectral_low: population.spectrum.iter().map(|spectrum| spectrum.radius.lo).collect(),
        spectral_high: population.spectrum.iter().map(|spectrum| spectrum.radius.hi).collect(),
        time_constant: population.time_constants(),
        slowest,
        converged: population.converged.clone(),
        certified: population.end_point.iter().map(Option::is_some).collect(),
        points: (0..n).map(|row| population.count(row) as u16).collect(),
        complete: population.outcome.iter().map(|outcome| *outcome == Outcome::Complete).collect(),
    }
}

/// All fixed points of the customers' maps.
fn fixed_points(customers: &[String], population: &Population, units: usize) -> FixedPoints {
    let hidden = |states: ndarray::ArrayView2<'_, f64>| states.slice(ndarray::s![.., ..units]).to_owned();
    let n = population.len();
    let points = &population.points;
    let owner: Vec<usize> = (0..n).flat_map(|row| std::iter::repeat_n(row, population.count(row))).collect();
    let states = points.states();
    let numbered = || owner.iter().copied().enumerate();
    FixedPoints {
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
    }
}
