//! How well the network learns the grades, and what the elbow over its nodes shows (claim 1).

use anyhow::Result;
use ndarray::{Array2, Axis as Dimension};
use rayon::prelude::*;
use spendscape_linalg::svd;
use spendscape_lstm::{Dataset, NetworkParams};
use spendscape_schema::seed;
use spendscape_stats::mean_r2;

use super::{EvaluateOptions, Metrics, context::Context};
use crate::recipe::Recipe;

/// Largest number of nodes in the elbow search, well past the rank of five grades.
const ELBOW_NODES: usize = 8;
/// Epochs per net of the elbow search.
const ELBOW_EPOCHS: usize = 20;

pub(super) fn measure(context: &Context, options: &EvaluateOptions, metrics: &mut Metrics) -> Result<()> {
    let test = context.test_rows();
    let grades = context.targets.grades.select(Dimension(0), &test);
    let shares = context.panel.shares.select(Dimension(0), &test);
    let outputs = context.model.network.predict(&shares)?.mapv(f64::from);
    metrics.add("fit.r2", mean_r2(&grades, &outputs)?);
    if options.no_baselines {
        return Ok(());
    }
    let ranks = rank_fits(context)?;
    let nodes = elbow(context)?;
    let gap = nodes.iter().zip(&ranks).map(|(net, rank)| (net - rank).abs()).fold(0.0, f64::max);
    metrics.add_all("fit.nodes", nodes.iter().copied());
    metrics.add_all("fit.rank", ranks);
    metrics.add("fit.nodes_minus_rank", gap);
    metrics.add("fit.elbow", elbow_of(&nodes) as f64);
    Ok(())
}

/// Fit on unseen customers of nets with 1, 2, ... nodes.
fn elbow(context: &Context) -> Result<Vec<f64>> {
    let grades = context.targets.grades.mapv(|grade| grade as f32);
    let part =
        |rows: &[usize]| (context.panel.shares.select(Dimension(0), rows), grades.select(Dimension(0), rows));
    let ((x, y), (test_x, test_y)) = (part(&context.train_rows()), part(&context.test_rows()));
    let (classes, traits) = (x.dim().2, y.ncols());
    let (seed, study_seed) = (context.model.seed, context.model.study_seed);
    // Nets are independent: each may run on its own thread without changing a bit of the result.
    (1..=ELBOW_NODES)
        .into_par_iter()
        .map(|units| {
            let params = NetworkParams::lstm(classes, units).outputs(traits);
            let mut network = params.init::<f32, _>(&mut seed::stream(seed, "elbow", units as u64))?;
            let mut order = seed::stream(study_seed, "minibatch order", 0);
            Recipe::A.params(Some(ELBOW_EPOCHS)).fit(&mut network, &Dataset::new(&x, &y)?, &mut order)?;
            Ok(mean_r2(&test_y.mapv(f64::from), &network.predict(&test_x)?.mapv(f64::from))?)
        })
        .collect()
}

/// Fit of the best rank-k approximation of the grades, k = 1, 2, ..., P: principal components of the training
/// customers' grades, applied to the others'.
fn rank_fits(context: &Context) -> Result<Vec<f64>> {
    let train = context.targets.grades.select(Dimension(0), &context.train_rows());
    let test = context.targets.grades.select(Dimension(0), &context.test_rows());
    let Some(center) = train.mean_axis(Dimension(0)) else { return Ok(Vec::new()) };
    let components = svd(&(&train - &center))?.vt;
    let centered = &test - &center;
    (1..=components.nrows())
        .map(|rank| {
            let basis = components.slice(ndarray::s![..rank, ..]);
            let fitted: Array2<f64> = centered.dot(&basis.t()).dot(&basis) + &center;
            Ok(mean_r2(&test, &fitted)?)
        })
        .collect()
}

/// The elbow of a rising curve: the point farthest above the line from the first to the last point.
fn elbow_of(values: &[f64]) -> usize {
    let (Some(first), Some(last)) = (values.first(), values.last()) else { return 0 };
    let slope = (last - first) / (values.len().max(2) - 1) as f64;
    let above = |k: usize| values[k] - first - slope * k as f64;
    (0..values.len()).max_by(|a, b| above(*a).total_cmp(&above(*b))).map_or(0, |k| k + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_elbow_is_where_the_curve_bends() {
        assert_eq!(elbow_of(&[0.0, 0.5, 1.0, 1.0, 1.0, 1.0]), 3);
        assert_eq!(elbow_of(&[0.520, 0.860, 0.945, 0.979, 0.998, 0.998, 0.998, 0.998]), 3);
        assert_eq!(elbow_of(&[]), 0);
    }
}
