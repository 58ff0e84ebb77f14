//! Where customers are heading: fixed points with certificates, trait axes, attractors (P3 sections III-C and IV).

use anyhow::Result;
use clap::Args;
use ndarray::{Array1, Array2, Axis as Dimension};
use spendscape_dynamics::{
    GroupVerdict, InverseConfig, InverseRegression, LstmCell, Outcome, Population, PopulationConfig, Verdict,
    analyze_population, fit_attractors, inverse_regression, judge_group,
};
use spendscape_schema::{Axes, Axis, Panel, arrays, seed};
use spendscape_segments::dominant;
use spendscape_store::Provenance;

use crate::{
    model::{self, Weights},
    run_folder::{File, RunFolder, Stage},
    stages::train::{StoredTargets, read_targets},
};

/// Extended trajectories.
#[derive(Debug, Clone, Args)]
pub struct DynamicsOptions {
    /// Steps of the extended trajectories (T')
    #[arg(long, default_value_t = 100)]
    pub horizon: usize,
    /// Customers whose extended trajectory is kept for figures
    #[arg(long, default_value_t = 500)]
    pub extended_customers: usize,
}

impl Default for DynamicsOptions {
    fn default() -> Self {
        Self { horizon: 100, extended_customers: 500 }
    }
}

/// Points along a fitted curve that are written for figures.
const CURVE_SAMPLES: usize = 60;
/// A cluster that adds less than this share of held-out variance is not worth another point.
const POINT_GAIN: f64 = 0.02;

/// Analyzes the long-run behavior of every customer and of the trait groups.
///
/// # Errors
/// If a table is missing, or the model is no single LSTM layer.
pub fn dynamics(run: &RunFolder, options: &DynamicsOptions, force: bool) -> Result<()> {
    let provenance = Provenance::new("dynamics")
        .parameter("horizon", options.horizon)
        .parameter("extended_customers", options.extended_customers);
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
    let outputs = model.network.predict(&panel.shares)?.mapv(f64::from);
    let locations = Locations::of(&inverse, &targets.grades)?;
    let columns = vec![
        arrays::text(&panel.customers),
        arrays::vectors64(outputs.view())?,
        arrays::vectors64(locations.raw.view())?,
        arrays::vectors64(locations.paper.view())?,
        arrays::vectors64(locations.printed.view())?,
    ];
    stage.write(File::Predictions, &axes, columns)?;

    let mean_shares = panel.mean_shares();
    let cell = LstmCell::new(&weights.input, &weights.recurrent, &weights.bias)?;
    let config = PopulationConfig { horizon: options.horizon, ..PopulationConfig::default() };
    let population = analyze_population(&cell, &mean_shares, &config)?;
    write_population(&mut stage, &axes, &panel.customers, &population, model.units())?;

    let kept = sample(panel.len(), options.extended_customers);
    let inputs = mean_shares.select(Dimension(0), &kept).mapv(|share| share as f32);
    let rolled = model.network.roll_out(&inputs, options.horizon, true)?;
    if let Some(trajectory) = rolled.trajectory {
        let (customers, steps, units) = trajectory.dim();
        let columns = vec![
            arrays::text((0..customers * steps).map(|row| &panel.customers[kept[row / steps]])),
            arrays::index((0..customers * steps).map(|row| (row % steps + 1) as u16)),
            arrays::vectors32(trajectory.to_shape((customers * steps, units))?.view())?,
        ];
        stage.write(File::Extended, &axes.only(&[Axis::Unit]), columns)?;
    }
    write_attractors(&mut stage, &axes, &targets, &population, &weights, options.horizon)?;
    stage.finish()
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

/// Evenly spaced rows, at most `wanted`.
fn sample(rows: usize, wanted: usize) -> Vec<usize> {
    let count = rows.min(wanted);
    (0..count).map(|k| k * rows / count).collect()
}

fn write_inverse(
    stage: &mut Stage<'_>,
    axes: &Axes,
    inverse: &InverseRegression,
    traits: &[String],
) -> Result<()> {
    stage.note("inverse_rank", inverse.rank);
    let origins = Array2::from_shape_fn(inverse.axes.raw_dim(), |(_, unit)| inverse.origin[unit]);
    let columns = vec![
        arrays::text(traits),
        arrays::float(inverse.magnitude.iter().copied()),
        arrays::vectors64(inverse.axes.view())?,
        arrays::vectors64(origins.view())?,
    ];
    stage.write(File::TraitAxes, &axes.only(&[Axis::Unit]), columns)?;
    if let Some(reachable) = &inverse.reachable {
        let columns =
            vec![arrays::vectors64(reachable.states.view())?, arrays::vectors64(reachable.outputs.view())?];
        stage.write(File::Reach, axes, columns)?;
    }
    Ok(())
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Stable => "stable",
        Verdict::Saddle { .. } => "saddle",
        Verdict::Marginal => "marginal",
        Verdict::Undecided => "undecided",
    }
}

fn write_population(
    stage: &mut Stage<'_>,
    axes: &Axes,
    customers: &[String],
    population: &Population,
    units: usize,
) -> Result<()> {
    let unit_axes = axes.only(&[Axis::Unit]);
    let hidden = |states: ndarray::ArrayView2<'_, f64>| states.slice(ndarray::s![.., ..units]).to_owned();
    let n = population.len();
    let columns = vec![
        arrays::text(customers),
        arrays::vectors64(hidden(population.horizon_states()).view())?,
        arrays::vectors64(hidden(population.end_states()).view())?,
        arrays::float(population.spectrum.iter().map(|spectrum| spectrum.radius.lo)),
        arrays::float(population.spectrum.iter().map(|spectrum| spectrum.radius.hi)),
        arrays::float(population.time_constants()),
        arrays::flag(population.converged.iter().copied()),
        arrays::flag(population.end_point.iter().map(Option::is_some)),
        arrays::index((0..n).map(|row| population.count(row) as u16)),
        arrays::flag(population.outcome.iter().map(|outcome| *outcome == Outcome::Complete)),
    ];
    stage.write(File::EndStates, &unit_axes, columns)?;
    let points = &population.points;
    let owner: Vec<usize> = (0..n).flat_map(|row| std::iter::repeat_n(row, population.count(row))).collect();
    let states = points.states();
    let columns = vec![
        arrays::text(owner.iter().map(|row| &customers[*row])),
        arrays::index(owner.iter().enumerate().map(|(point, row)| (point - points.offsets[*row]) as u16)),
        arrays::vectors64(hidden(states).view())?,
        arrays::vectors64(states.slice(ndarray::s![.., units..]).to_owned().view())?,
        arrays::float(points.residual.iter().copied()),
        arrays::float(points.error.iter().copied()),
        arrays::float(points.spectrum.iter().map(|spectrum| spectrum.radius.lo)),
        arrays::float(points.spectrum.iter().map(|spectrum| spectrum.radius.hi)),
        arrays::category(points.spectrum.iter().map(|spectrum| verdict_name(spectrum.verdict))),
        arrays::flag(owner.iter().enumerate().map(|(point, row)| population.end_point[*row] == Some(point))),
    ];
    stage.write(File::FixedPoints, &unit_axes, columns)
}

/// A group's verdict in words.
fn group_verdict_name(verdict: GroupVerdict) -> String {
    match verdict {
        GroupVerdict::LineAttractor => "line attractor".to_owned(),
        GroupVerdict::Marginal => "marginal".to_owned(),
        GroupVerdict::SlowManifold => "slow manifold".to_owned(),
        GroupVerdict::Points { count: 1 } => "one point".to_owned(),
        GroupVerdict::Points { count } => format!("{count} points"),
        GroupVerdict::InputDrivenLocus => "input-driven locus".to_owned(),
        GroupVerdict::Undecided => "undecided".to_owned(),
    }
}

/// Rows of the attractors' table.
#[derive(Debug, Default)]
struct Shapes {
    traits: Vec<String>,
    shapes: Vec<&'static str>,
    index: Vec<u16>,
    states: Vec<Array1<f64>>,
    explained: Vec<f64>,
    drawn: Vec<bool>,
    verdicts: Vec<String>,
}

/// Fits the attractors of each group of customers with the same dominant trait, as P3 draws them, and judges the group.
fn write_attractors(
    stage: &mut Stage<'_>,
    axes: &Axes,
    targets: &StoredTargets,
    population: &Population,
    weights: &Weights,
    horizon: usize,
) -> Result<()> {
    let groups = dominant(&targets.grades)?;
    let ends = population.end_hidden();
    let mut rows = Shapes::default();
    for (trait_number, name) in targets.traits.iter().enumerate() {
        let members: Vec<usize> = (0..groups.len()).filter(|row| groups[*row] == trait_number).collect();
        let own = ends.select(Dimension(0), &members);
        let mut rng = seed::stream(1, "attractors", trait_number as u64);
        let fitted = match fit_attractors(&own, &mut rng) {
            Ok(fitted) => fitted,
            Err(spendscape_dynamics::Error::TooFew { .. }) => {
                tracing::warn!(
                    trait_name = name,
                    customers = members.len(),
                    "too few customers to fit attractors"
                );
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let verdict = group_verdict_name(judge_group(population, &members, horizon as f64).verdict);
        // The fewest points after which another one adds little.
        let enough = (1..fitted.points.len())
            .find(|k| fitted.points[*k].explained - fitted.points[*k - 1].explained < POINT_GAIN);
        let clusters = &fitted.points[enough.unwrap_or(fitted.points.len()) - 1];
        let as_line = fitted.curve.as_ref().is_some_and(|curve| curve.explained > clusters.explained);
        let mut push = |shape, index: usize, state: Array1<f64>, explained, drawn| {
            rows.traits.push(name.clone());
            rows.shapes.push(shape);
            rows.index.push(index as u16);
            rows.states.push(state);
            rows.explained.push(explained);
            rows.drawn.push(drawn);
            rows.verdicts.push(verdict.clone());
        };
        if let Some(curve) = &fitted.curve {
            for k in 0..CURVE_SAMPLES {
                let share = k as f64 / (CURVE_SAMPLES - 1) as f64;
                let at = curve.range.0 + share * (curve.range.1 - curve.range.0);
                push("line", k, curve.at(at), curve.explained, as_line);
            }
        }
        for (k, center) in clusters.centers.rows().into_iter().enumerate() {
            push("point", k, center.to_owned(), clusters.explained, !as_line);
        }
    }
    let units = ends.ncols();
    let states = Array2::from_shape_fn((rows.states.len(), units), |(row, unit)| rows.states[row][unit]);
    let outputs = states.dot(&weights.output.t()) + &weights.output_bias;
    let columns = vec![
        arrays::category(&rows.traits),
        arrays::category(&rows.shapes),
        arrays::index(rows.index),
        arrays::vectors64(states.view())?,
        arrays::vectors64(outputs.view())?,
        arrays::float(rows.explained),
        arrays::flag(rows.drawn),
        arrays::category(&rows.verdicts),
    ];
    stage.write(File::Attractors, axes, columns)
}
