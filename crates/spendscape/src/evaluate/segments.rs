//! What the segments hold of the customers' traits, beside every control (claims 3, 4 and 10).

use anyhow::Result;
use ndarray::{Array2, Axis as Dimension, s};
use spendscape_linalg::svd;
use spendscape_lstm::Activation;
use spendscape_schema::seed;
use spendscape_segments::{
    DEFAULT_NEIGHBORS, GaussianNull, KMeans, adjusted_mutual_information, prefix_accuracy, silhouette,
    unit_rows,
};

use super::{EvaluateOptions, Metrics, baselines, context::Context};
use crate::stages::segment::{CLUSTERS, STARTS};

/// Length of the longest dominance prefix compared.
const LEVELS: usize = 4;
/// Customers in the silhouette and in its null.
const SILHOUETTE_CUSTOMERS: usize = 2_500;
/// Principal components of the raw grades compared: as many as the LSTM has units.
const COMPONENTS: usize = 3;

pub(super) fn measure(context: &Context, options: &EvaluateOptions, metrics: &mut Metrics) -> Result<()> {
    neighbours(context, options, metrics)?;
    clusters(context, metrics)?;
    silhouettes(context, metrics)
}

/// 15-nearest-neighbour accuracy of the dominance prefix of length 1..4 for every kind of feature.
fn neighbours(context: &Context, options: &EvaluateOptions, metrics: &mut Metrics) -> Result<()> {
    let levels = LEVELS.min(context.order.ncols());
    let neighbours = DEFAULT_NEIGHBORS.min(context.train_rows().len());
    let mut compare = |name: &str, features: &Array2<f64>| -> Result<()> {
        let found = prefix_accuracy(features, &context.order, &context.targets.train, levels, neighbours)?;
        metrics.add_all(&format!("segments.knn.{name}"), found.accuracy);
        if name == "lstm" {
            metrics.add_all("segments.knn.chance", found.chance);
        }
        Ok(())
    };
    compare("lstm", &context.ends)?;
    compare("direction", &unit_rows(&context.ends))?;
    compare("raw_inputs", &context.mean_shares)?;
    compare("raw_personality", &context.targets.grades)?;
    compare("raw_personality_pca", &components(&context.targets.grades)?)?;
    if !options.no_baselines {
        compare("feed_forward", &baselines::feed_forward(context)?)?;
        compare("autoencoder_linear", &baselines::autoencoder(context, Activation::Linear)?)?;
        compare("autoencoder_tanh", &baselines::autoencoder(context, Activation::Tanh)?)?;
    }
    Ok(())
}

fn components(grades: &Array2<f64>) -> Result<Array2<f64>> {
    let Some(center) = grades.mean_axis(Dimension(0)) else { return Ok(grades.clone()) };
    let centered = grades - &center;
    let basis = svd(&centered)?.vt;
    Ok(centered.dot(&basis.slice(s![..COMPONENTS.min(basis.nrows()), ..]).t()))
}

/// Agreement of clusters of directions with the dominant trait, and of clusters within them with the second trait.
fn clusters(context: &Context, metrics: &mut Metrics) -> Result<()> {
    let directions = unit_rows(&context.ends);
    let count = CLUSTERS.min(directions.nrows());
    let fit = |points: &Array2<f64>, count: usize, item: u64| {
        KMeans::params(count).starts(STARTS).fit(points, &mut seed::stream(1, "cluster agreement", item))
    };
    let labels = fit(&directions, count, 0)?.labels;
    let dominant: Vec<usize> = context.order.column(0).to_vec();
    metrics.add("segments.ami.dominant", adjusted_mutual_information(&labels, &dominant)?);
    // Within each cluster: do finer clusters follow the second trait? Averaged by size.
    let (mut total, mut sum) = (0.0, 0.0);
    for cluster in 0..count {
        let rows: Vec<usize> = (0..labels.len()).filter(|row| labels[*row] == cluster).collect();
        if rows.len() <= count {
            continue;
        }
        let inside = directions.select(Dimension(0), &rows);
        let second: Vec<usize> =
            rows.iter().map(|row| context.order[[*row, 1.min(context.order.ncols() - 1)]]).collect();
        let agreement =
            adjusted_mutual_information(&fit(&inside, count, 1 + cluster as u64)?.labels, &second)?;
        sum += agreement * rows.len() as f64;
        total += rows.len() as f64;
    }
    metrics.add("segments.ami.second_within", sum / total);
    Ok(())
}

/// Silhouette of k-means on directions beside that of a single Gaussian with the same covariance.
fn silhouettes(context: &Context, metrics: &mut Metrics) -> Result<()> {
    let test = context.test_rows();
    let rows = &test[..test.len().min(SILHOUETTE_CUSTOMERS)];
    let ends = context.ends.select(Dimension(0), rows);
    let count = CLUSTERS.min(rows.len().saturating_sub(1)).max(1);
    let score = |points: &Array2<f64>, item: u64| -> Result<f64> {
        let directions = unit_rows(points);
        let fitted = KMeans::params(count)
            .starts(STARTS)
            .fit(&directions, &mut seed::stream(1, "silhouette", item))?;
        Ok(silhouette(&directions, &fitted.labels)?.mean)
    };
    let null = GaussianNull::fit(&ends)?.sample(rows.len(), &mut seed::stream(1, "silhouette null", 0));
    let (found, expected) = (score(&ends, 0)?, score(&null, 1)?);
    metrics.add("segments.silhouette", found);
    metrics.add("segments.silhouette_null", expected);
    metrics.add("segments.silhouette_minus_null", found - expected);
    Ok(())
}
