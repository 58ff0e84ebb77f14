//! The papers' comparison of representations: what each holds of the customers' traits (claims 2 to 4).

mod baselines;

use std::collections::HashMap;

use anyhow::Result;
use ndarray::{Array2, Array3, Axis as Dimension, s};
use spendscape_linalg::svd;
use spendscape_lstm::Activation;
use spendscape_run::Segmentation;
use spendscape_schema::{seed, tables};
use spendscape_segments::{
    comparison::{Comparison, ComparisonParams, ComparisonRow, Measure, Representation, Space, compare},
    directions::{net_directions, running_mean},
    neighbors::DEFAULT_NEIGHBORS,
};

use self::baselines::Inputs;
use super::{metrics::Metrics, run::Run};
use crate::figure::Series;

/// Length of the longest dominance prefix compared.
pub(crate) const LEVELS: usize = 4;
/// Customers in the silhouette and in its null.
pub(crate) const SILHOUETTE_CUSTOMERS: usize = 2_500;
/// Fine clusters, to see whether the stability of windows hangs on their number.
pub(crate) const FINE_CLUSTERS: usize = 20;
/// Principal components of the raw grades compared: as many as the LSTM has units.
const COMPONENTS: usize = 3;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Lstm,
    Direction,
    Length,
    Trajectory,
    RawInputs,
    RawPersonality,
    RawDirections,
    /// It differs from the raw grades in yearly stability only.
    RunningMean,
    Components,
    NetDirection,
    /// They are figures of the surrogate: claim 10.
    SurrogateAngles,
    FeedForward,
    FeedForwardLast,
    AutoencoderLinear,
    AutoencoderTanh,
    AutoencoderLinearScaled,
    AutoencoderTanhScaled,
}

impl Kind {
    /// The name in the table.
    fn name(self) -> &'static str {
        match self {
            Self::Lstm => "lstm",
            Self::Direction => "direction",
            Self::Length => "length",
            Self::Trajectory => "trajectory",
            Self::RawInputs => "raw_inputs",
            Self::RawPersonality => "raw_personality",
            Self::RawDirections => "raw_personality_directions",
            Self::RunningMean => "raw_personality_running_mean",
            Self::Components => "raw_personality_pca",
            Self::NetDirection => "net_direction",
            Self::SurrogateAngles => "surrogate_angles",
            Self::FeedForward => "feed_forward",
            Self::FeedForwardLast => "feed_forward_last",
            Self::AutoencoderLinear => "autoencoder_linear",
            Self::AutoencoderTanh => "autoencoder_tanh",
            Self::AutoencoderLinearScaled => "autoencoder_linear_scaled",
            Self::AutoencoderTanhScaled => "autoencoder_tanh_scaled",
        }
    }
}

/// The rows of one representation.
pub(crate) fn rows(found: &Comparison, kind: Kind) -> impl Iterator<Item = &ComparisonRow> {
    found.rows.iter().filter(move |row| row.representation == kind.name())
}

/// Adds the accuracy of dominance prefixes by one representation, and that of chance where it is asked for.
pub(crate) fn add_prefixes(
    metrics: &mut Metrics,
    found: &Comparison,
    kind: Kind,
    accuracy: Series,
    by_chance: Option<Series>,
) {
    for row in rows(found, kind).filter(|row| row.measure == Measure::PrefixAccuracy) {
        metrics.add(accuracy.at(row.level), row.value);
        if let (Some(series), Some(chance)) = (by_chance, row.chance) {
            metrics.add(series.at(row.level), chance);
        }
    }
}

/// Compares the representations; `yearly` are the grades of single periods.
///
/// # Errors
/// If there are too few customers or traits, or a network cannot be trained.
pub(crate) fn compare_all(run: &Run, yearly: &Array3<f64>) -> Result<Comparison> {
    let all = features(run, yearly)?;
    let representations: Vec<Representation<'_>> = all
        .iter()
        .map(|features| Representation {
            name: features.kind.name(),
            seed: run.model.seed,
            features: &features.long,
            space: features.space,
            short: features.short.as_deref(),
            yearly: features.yearly.as_deref(),
        })
        .collect();
    let inside = run.train_rows().len();
    let params = ComparisonParams::default()
        .depths(LEVELS)
        .neighbors(DEFAULT_NEIGHBORS.min(inside))
        .clusters(Segmentation::CLUSTERS.min(inside))
        .fine_clusters(FINE_CLUSTERS.min(inside))
        .starts(Segmentation::STARTS)
        .silhouette_sample(SILHOUETTE_CUSTOMERS)
        .null(true);
    let mut rng = seed::stream(1, "comparison", 0);
    Ok(compare(&representations, &run.targets.grades, &run.targets.train, &params, &mut rng)?)
}

/// Features of all customers, of one kind.
struct Features {
    kind: Kind,
    long: Array2<f64>,
    space: Space,
    short: Option<Array2<f64>>,
    yearly: Option<Array3<f64>>,
}

impl Features {
    fn new(kind: Kind, long: Array2<f64>) -> Self {
        Self { kind, long, space: Space::Features, short: None, yearly: None }
    }

    fn space(self, space: Space) -> Self {
        Self { space, ..self }
    }

    fn short(self, short: Option<Array2<f64>>) -> Self {
        Self { short, ..self }
    }

    fn yearly(self, yearly: Array3<f64>) -> Self {
        Self { yearly: Some(yearly), ..self }
    }
}

/// Every kind of feature of the comparison.
fn features(run: &Run, yearly: &Array3<f64>) -> Result<Vec<Features>> {
    let grades = &run.targets.grades;
    // Windows are compared where every customer has both.
    let short = run.short.as_ref().filter(|short| short.rows.len() == run.panel.len());
    let short_shares = short.map(|short| short.mean_shares.clone());
    let short_grades = short_shares.as_ref().map(|shares| run.grades_of(shares)).transpose()?;
    let short_ends = || short.map(|short| short.ends.clone());
    let (customers, periods, units) = run.states.dim();
    let mut all = vec![
        Features::new(Kind::Lstm, run.ends.clone())
            .space(Space::ClustersOfDirections)
            .short(short_ends())
            .yearly(run.states.clone()),
        Features::new(Kind::Direction, run.ends.clone()).space(Space::Directions),
        Features::new(Kind::Length, lengths(&run.ends)),
        Features::new(Kind::Trajectory, run.states.to_shape((customers, periods * units))?.into_owned()),
        Features::new(Kind::RawInputs, run.mean_shares.clone()).short(short_shares),
        Features::new(Kind::RawPersonality, grades.clone()).short(short_grades).yearly(yearly.clone()),
        Features::new(Kind::RawDirections, grades.clone()).space(Space::Directions),
        Features::new(Kind::RunningMean, grades.clone()).yearly(running_mean(yearly)),
        Features::new(Kind::Components, components(grades)?),
    ];
    if periods > 1 {
        all.push(
            Features::new(Kind::NetDirection, net_directions(&run.states)?)
                .space(Space::ClustersOfDirections),
        );
    }
    if let Some(angles) = surrogate_angles(run) {
        all.push(Features::new(Kind::SurrogateAngles, angles));
    }
    if run.extent.trainings {
        let last = run.panel.period_shares(periods - 1).mapv(f64::from);
        all.push(Features::new(Kind::FeedForward, baselines::feed_forward(run, &run.mean_shares)?));
        all.push(Features::new(Kind::FeedForwardLast, baselines::feed_forward(run, &last)?));
        for (kind, activation, inputs) in [
            (Kind::AutoencoderLinear, Activation::Linear, Inputs::Shares),
            (Kind::AutoencoderTanh, Activation::Tanh, Inputs::Shares),
            (Kind::AutoencoderLinearScaled, Activation::Linear, Inputs::Scaled),
            (Kind::AutoencoderTanhScaled, Activation::Tanh, Inputs::Scaled),
        ] {
            all.push(Features::new(kind, baselines::autoencoder(run, activation, inputs)?));
        }
    }
    Ok(all)
}

/// Length of each state, as a column.
fn lengths(states: &Array2<f64>) -> Array2<f64> {
    states.map_axis(Dimension(1), |state| state.dot(&state).sqrt()).insert_axis(Dimension(1))
}

/// The axes along which grades vary most, as many as the LSTM has units, as rows.
pub(crate) fn main_axes(grades: &Array2<f64>) -> Result<Array2<f64>> {
    let Some(center) = grades.mean_axis(Dimension(0)) else { return Ok(Array2::eye(grades.ncols())) };
    let basis = svd(&(grades - &center))?.vt;
    Ok(basis.slice(s![..COMPONENTS.min(basis.nrows()), ..]).to_owned())
}

fn components(grades: &Array2<f64>) -> Result<Array2<f64>> {
    let Some(center) = grades.mean_axis(Dimension(0)) else { return Ok(grades.clone()) };
    Ok((grades - &center).dot(&main_axes(grades)?.t()))
}

/// The angles that the surrogate predicts, in the panel's order, if the run has them for every customer.
fn surrogate_angles(run: &Run) -> Option<Array2<f64>> {
    let tables::SurrogateAngles { customer: names, angle: angles } = run.surrogate_angles.as_ref()?;
    let at: HashMap<&String, usize> = names.iter().enumerate().map(|(row, name)| (name, row)).collect();
    let order: Option<Vec<usize>> =
        run.panel.customers.iter().map(|customer| at.get(customer).copied()).collect();
    // One unit has no angle.
    order.filter(|_| angles.ncols() > 0).map(|order| angles.select(Dimension(0), &order))
}
