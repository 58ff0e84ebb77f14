//! What the segments hold of the customers' traits, beside every control (claims 3, 4 and 10): the papers' comparison of
//! representations as one table, how many clusters there are, and what other methods of clustering find.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use ndarray::{Array2, Array3, Axis as Dimension, s};
use spendscape_linalg::svd;
use spendscape_lstm::Activation;
use spendscape_schema::{seed, tables};
use spendscape_segments::{
    Comparison, ComparisonConfig, ComparisonRow, DEFAULT_NEIGHBORS, Measure, Representation, Space, compare,
    net_directions, running_mean,
};

use super::{
    EvaluateOptions, Metrics,
    baselines::{self, Inputs},
    context::Context,
};
use crate::segmented::{CLUSTERS, STARTS};

/// Length of the longest dominance prefix compared.
const LEVELS: usize = 4;
/// Customers in the silhouette and in its null.
const SILHOUETTE_CUSTOMERS: usize = 2_500;
/// Fine clusters, to see whether the stability of windows hangs on their number.
const FINE_CLUSTERS: usize = 20;
/// Principal components of the raw grades compared: as many as the LSTM has units.
const COMPONENTS: usize = 3;

/// Features of all customers, of one kind.
struct Features {
    name: &'static str,
    long: Array2<f64>,
    space: Space,
    short: Option<Array2<f64>>,
    yearly: Option<Array3<f64>>,
}

impl Features {
    fn new(name: &'static str, long: Array2<f64>) -> Self {
        Self { name, long, space: Space::Features, short: None, yearly: None }
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

/// Compares the representations; the figures of the LSTM's states are metrics, and so are all prefix accuracies.
pub(super) fn measure(
    context: &Context,
    options: &EvaluateOptions,
    metrics: &mut Metrics,
) -> Result<Comparison> {
    let all = features(context, options)?;
    let representations: Vec<Representation<'_>> = all
        .iter()
        .map(|features| Representation {
            name: features.name,
            seed: context.model.seed,
            features: &features.long,
            space: features.space,
            short: features.short.as_deref(),
            yearly: features.yearly.as_deref(),
        })
        .collect();
    let inside = context.train_rows().len();
    let config = ComparisonConfig {
        depths: LEVELS,
        neighbors: DEFAULT_NEIGHBORS.min(inside),
        clusters: CLUSTERS.min(inside),
        fine_clusters: FINE_CLUSTERS.min(inside),
        starts: STARTS,
        silhouette_sample: SILHOUETTE_CUSTOMERS,
        null: true,
    };
    let mut rng = seed::stream(1, "comparison", 0);
    let found =
        compare(&representations, &context.targets.grades, &context.targets.train, &config, &mut rng)?;
    for row in found.rows.iter().filter(|row| !MEASURED_ELSEWHERE.contains(&row.representation.as_str())) {
        if row.measure == Measure::PrefixAccuracy {
            metrics.add(format!("segments.knn.{}.{}", row.representation, row.level), row.value);
            if let Some(chance) = row.chance.filter(|_| row.representation == LSTM) {
                metrics.add(format!("segments.knn.chance.{}", row.level), chance);
            }
        } else if row.representation == LSTM
            && let Some(name) = metric(row)
        {
            metrics.add(format!("segments.{name}"), row.value);
            if let Some(null) = row.null {
                metrics.add(format!("segments.{name}_null"), null);
                metrics.add(format!("segments.{name}_minus_null"), row.value - null);
            }
        }
    }
    Ok(found)
}

/// The states' name in the comparison.
const LSTM: &str = "lstm";
/// The surrogate's angles are metrics of the surrogate, and the running mean differs from the raw grades in yearly
/// stability only.
const MEASURED_ELSEWHERE: [&str; 2] = ["surrogate_angles", "raw_personality_running_mean"];

/// The name among the metrics of a figure of the states' clusters.
fn metric(row: &ComparisonRow) -> Option<&'static str> {
    match (row.measure, row.level) {
        (Measure::Ami, 1) => Some("ami.dominant"),
        (Measure::Ami, _) => Some("ami.second_within"),
        (Measure::Silhouette, _) => Some("silhouette"),
        (Measure::DaviesBouldin, _) => Some("davies_bouldin"),
        // Stability is a metric over all customers, those without a short window left out: see `stability`.
        _ => None,
    }
}

/// Every kind of feature of the comparison.
fn features(context: &Context, options: &EvaluateOptions) -> Result<Vec<Features>> {
    let grades = &context.targets.grades;
    // Windows are compared where every customer has both.
    let short = context.short.as_ref().filter(|short| short.rows.len() == context.panel.len());
    let short_shares = short.map(|short| short.panel.mean_shares());
    let short_grades = match &short_shares {
        Some(shares) => Some(context.grades_of(shares)?),
        None => None,
    };
    let short_ends = || short.map(|short| short.ends.clone());
    let yearly = context.yearly_grades()?;
    let (customers, periods, units) = context.states.dim();
    let mut all = vec![
        Features::new(LSTM, context.ends.clone())
            .space(Space::ClustersOfDirections)
            .short(short_ends())
            .yearly(context.states.clone()),
        Features::new("direction", context.ends.clone()).space(Space::Directions),
        Features::new("trajectory", context.states.to_shape((customers, periods * units))?.into_owned()),
        Features::new("raw_inputs", context.mean_shares.clone()).short(short_shares),
        Features::new("raw_personality", grades.clone()).short(short_grades).yearly(yearly.clone()),
        Features::new("raw_personality_running_mean", grades.clone()).yearly(running_mean(&yearly)),
        Features::new("raw_personality_pca", components(grades)?),
    ];
    if periods > 1 {
        all.push(
            Features::new("net_direction", net_directions(&context.states)?)
                .space(Space::ClustersOfDirections),
        );
    }
    if let Some(angles) = surrogate_angles(context) {
        all.push(Features::new("surrogate_angles", angles));
    }
    if !options.no_baselines {
        all.push(Features::new("feed_forward", baselines::feed_forward(context)?));
        for (name, activation, inputs) in [
            ("autoencoder_linear", Activation::Linear, Inputs::Shares),
            ("autoencoder_tanh", Activation::Tanh, Inputs::Shares),
            ("autoencoder_linear_scaled", Activation::Linear, Inputs::Scaled),
            ("autoencoder_tanh_scaled", Activation::Tanh, Inputs::Scaled),
        ] {
            all.push(Features::new(name, baselines::autoencoder(context, activation, inputs)?));
        }
    }
    Ok(all)
}

fn components(grades: &Array2<f64>) -> Result<Array2<f64>> {
    let Some(center) = grades.mean_axis(Dimension(0)) else { return Ok(grades.clone()) };
    let centered = grades - &center;
    let basis = svd(&centered)?.vt;
    Ok(centered.dot(&basis.slice(s![..COMPONENTS.min(basis.nrows()), ..]).t()))
}

/// The angles that the surrogate predicts, in the panel's order, if the run has them for every customer.
fn surrogate_angles(context: &Context) -> Option<Array2<f64>> {
    let tables::SurrogateAngles { customer: names, angle: angles } = context.surrogate_angles.as_ref()?;
    let at: HashMap<&String, usize> = names.iter().enumerate().map(|(row, name)| (name, row)).collect();
    let order: Option<Vec<usize>> =
        context.panel.customers.iter().map(|customer| at.get(customer).copied()).collect();
    // One unit has no angle.
    order.filter(|_| angles.ncols() > 0).map(|order| angles.select(Dimension(0), &order))
}

/// The comparison that a table holds.
pub(super) fn read(table: tables::Comparison) -> Result<Comparison> {
    let row = |(at, row): (usize, tables::ComparisonRow)| {
        let measure = Measure::ALL.into_iter().find(|measure| measure.name() == row.measure);
        Ok(ComparisonRow {
            measure: measure
                .with_context(|| format!("comparison.parquet row {at}: no measure {}", row.measure))?,
            representation: row.representation,
            seed: row.seed as u64,
            level: usize::from(row.level),
            value: row.value.unwrap_or(f64::NAN),
            chance: row.chance,
            null: row.null,
        })
    };
    Ok(Comparison { rows: table.into_rows().enumerate().map(row).collect::<Result<_>>()? })
}

/// The comparison as a table.
pub(super) fn table(found: &Comparison) -> Result<tables::Comparison> {
    let defined = |value: Option<f64>| value.filter(|value| value.is_finite());
    let row = |row: &ComparisonRow| tables::ComparisonRow {
        representation: row.representation.clone(),
        seed: row.seed as i64,
        measure: row.measure.name().to_owned(),
        level: row.level as u16,
        value: defined(Some(row.value)),
        chance: defined(row.chance),
        null: defined(row.null),
    };
    Ok(tables::Comparison::from_rows(found.rows.iter().map(row))?)
}
