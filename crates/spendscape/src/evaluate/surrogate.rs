//! The linear explanation: its fit beside the alternatives and the anchor, and what its coefficients found (claims 7 to
//! 11).

use anyhow::Result;
use ndarray::{Array2, ArrayView1, Axis as Dimension};
use spendscape_schema::seed;
use spendscape_segments::{
    CanonicalFrame, DEFAULT_NEIGHBORS, final_states, prefix_accuracy, unit_rows, window_stability,
};
use spendscape_stats::{correlation, mean_r2};
use spendscape_surrogate::{
    ANCHOR, AngularErrors, BoostedTrees, Correction, Gauge, LinearModel, Ols, Polynomial, RegressionTree,
    Ridge, Score, Terms, coefficient_tests, compensated_sum, recovery, simulate_anchor, unlisted_classes,
};

use super::{EvaluateOptions, Metrics, context::Context};
use crate::segmented::{CLUSTERS, STARTS};

/// Draws of the anchor's simulation.
const ANCHOR_DRAWS: usize = 200_000;
/// Level of the coefficient test, over all coefficients.
const LEVEL: f64 = 0.05;
/// "Not insignificantly small against the mean": the papers give no number; this fraction of the mean.
const PAPER_FRACTION: f64 = 0.25;
/// Depth and leaf size of the smaller tree.
const TREE: (u16, usize) = (10, 20);

/// Mean shares and angles of the training and the other customers.
struct Data {
    train: Array2<f64>,
    test: Array2<f64>,
    train_angles: Array2<f64>,
    test_angles: Array2<f64>,
}

pub(super) fn measure(context: &Context, options: &EvaluateOptions, metrics: &mut Metrics) -> Result<()> {
    let frame = CanonicalFrame::fit(&context.ends, &context.weights.output, &context.targets.train)?;
    let angles = frame.angles(&context.ends)?;
    let pick = |all: &Array2<f64>, rows: &[usize]| all.select(Dimension(0), rows);
    let (inside, outside) = (context.train_rows(), context.test_rows());
    let data = Data {
        train: pick(&context.mean_shares, &inside),
        test: pick(&context.mean_shares, &outside),
        train_angles: pick(&angles, &inside),
        test_angles: pick(&angles, &outside),
    };
    let linear = Ols::params().fit(&data.train, &data.train_angles)?;
    let predicted = linear.predict(&data.test)?;
    metrics.add("surrogate.r2.ols", mean_r2(&data.test_angles, &predicted)?);
    let state = Ols::params().fit(&data.train, &pick(&context.ends, &inside))?;
    metrics.add("surrogate.r2.state", mean_r2(&pick(&context.ends, &outside), &state.predict(&data.test)?)?);
    metrics.add("surrogate.anchor_exact", ANCHOR);
    let anchor = simulate_anchor(ANCHOR_DRAWS, &mut seed::stream(1, "anchor", 0))?;
    metrics.add("surrogate.anchor", anchor.mean().unwrap_or(f64::NAN));
    let errors = AngularErrors::new(&data.test_angles, &predicted)?;
    metrics.add("surrogate.angular_error_degrees", errors.median());
    metrics.add("surrogate.contribution_error", contribution_error(&linear, &data.test)?);
    metrics.part("alternatives to the linear model", |metrics| alternatives(&data, options, metrics))?;
    metrics.part("tests of the coefficients", |metrics| coefficients(context, &linear, metrics))?;
    metrics.part("angles of the linear model", |metrics| own_angles(context, &linear, &frame, metrics))
}

/// The largest relative gap between summed contributions and what the model itself predicts.
fn contribution_error(model: &LinearModel, shares: &Array2<f64>) -> Result<f64> {
    let predicted = model.predict(shares)?;
    let mut widest: f64 = 0.0;
    for target in 0..predicted.ncols() {
        let parts = Score::of_target(model, target, Gauge::Median)?.contributions(shares)?;
        for (row, value) in parts.rows().into_iter().zip(predicted.column(target)) {
            let sum = compensated_sum(row.iter().copied().chain([model.target_means()[target]]));
            let scale = row.iter().fold(value.abs(), |scale, part| scale.max(part.abs()));
            widest = widest.max((sum - value).abs() / scale);
        }
    }
    Ok(widest)
}

fn alternatives(data: &Data, options: &EvaluateOptions, metrics: &mut Metrics) -> Result<()> {
    let fit_of = |predicted: &Array2<f64>| mean_r2(&data.test_angles, predicted);
    let ridge = Ridge::params().alpha(1.0).fit(&data.train, &data.train_angles)?;
    metrics.add("surrogate.r2.ridge", fit_of(&ridge.model.predict(&data.test)?)?);
    let chosen = Ridge::params().choose_alpha_by_default().fit(&data.train, &data.train_angles)?;
    metrics.add("surrogate.r2.ridge_chosen", fit_of(&chosen.model.predict(&data.test)?)?);
    let tree = RegressionTree::params().fit(&data.train, &data.train_angles)?;
    metrics.add("surrogate.r2.tree", fit_of(&tree.predict(&data.test)?)?);
    let small = RegressionTree::params().max_depth(TREE.0).min_samples_leaf(TREE.1);
    metrics.add(
        "surrogate.r2.tree_depth_10",
        fit_of(&small.fit(&data.train, &data.train_angles)?.predict(&data.test)?)?,
    );
    let boosted = BoostedTrees::params().fit(&data.train, &data.train_angles)?;
    metrics.add("surrogate.r2.boosted", fit_of(&boosted.predict(&data.test)?)?);
    let squares = Polynomial::params().terms(Terms::Squares).fit(&data.train, &data.train_angles)?;
    metrics.add("surrogate.r2.squares", fit_of(&squares.predict(&data.test)?)?);
    let (rows, classes) = data.train.dim();
    let columns = classes * (classes + 3) / 2;
    if options.no_polynomial {
        return Ok(());
    }
    if rows <= columns + 1 {
        let reason = format!("{rows} training customers cannot tell {columns} columns apart");
        metrics.leave_out("full polynomial", reason);
        return Ok(());
    }
    let full = Polynomial::params().terms(Terms::Full).fit(&data.train, &data.train_angles)?;
    metrics.add("surrogate.r2.full", fit_of(&full.predict(&data.test)?)?);
    Ok(())
}

fn coefficients(context: &Context, model: &LinearModel, metrics: &mut Metrics) -> Result<()> {
    let tests = coefficient_tests(model)?;
    let rule = |fraction: f64| -> Result<f64> {
        let counts = tests.above_fraction_of_mean(fraction)?;
        Ok(counts.iter().sum::<usize>() as f64 / counts.len().max(1) as f64)
    };
    metrics.add("coefficients.paper_rule", rule(PAPER_FRACTION)?);
    metrics.add("coefficients.paper_rule_range", rule(PAPER_FRACTION / 2.0)? - rule(2.0 * PAPER_FRACTION)?);
    // A drawn table has no zero rows: then there is nothing to tell apart.
    let silent = |row: ArrayView1<'_, f64>| row.iter().all(|weight| *weight == 0.0);
    if !context.coefficients.rows().into_iter().any(silent) {
        return Ok(());
    }
    let found = recovery(&tests, &context.coefficients, LEVEL, Correction::Bonferroni)?;
    metrics.add("coefficients.known", found.known as f64);
    metrics.add("coefficients.found", found.found as f64);
    metrics.add("coefficients.false", found.false_finds as f64);
    let rate = recovery(&tests, &context.coefficients, LEVEL, Correction::BenjaminiHochberg)?;
    metrics.add("coefficients.found_by_rate", rate.found as f64);
    metrics.add("coefficients.false_by_rate", rate.false_finds as f64);
    metrics.add("coefficients.auroc", found.auroc);
    metrics.add("coefficients.correlation", found.correlation);
    metrics.add("coefficients.r2_on_table", found.r2_on_table);
    let association = association(context)?;
    let hidden = unlisted_classes(&tests, &context.coefficients, &association)?;
    metrics.add("coefficients.hidden_correlation", hidden.agreement);
    Ok(())
}

/// Correlation of each class's mean share with each trait over customers, C x P.
fn association(context: &Context) -> Result<Array2<f64>> {
    let mut table = Array2::zeros(context.coefficients.raw_dim());
    for (class, shares) in context.mean_shares.columns().into_iter().enumerate() {
        for (k, grades) in context.targets.grades.columns().into_iter().enumerate() {
            let r = correlation(&shares, &grades)?;
            // What does not vary goes with nothing.
            table[[class, k]] = if r.is_nan() { 0.0 } else { r };
        }
    }
    Ok(table)
}

/// What the surrogate's own angles hold of the hierarchy, and whether they keep between windows.
fn own_angles(
    context: &Context,
    model: &LinearModel,
    frame: &CanonicalFrame,
    metrics: &mut Metrics,
) -> Result<()> {
    let own = model.predict(&context.mean_shares)?;
    let levels = 4.min(context.order.ncols());
    let neighbors = DEFAULT_NEIGHBORS.min(context.train_rows().len());
    let found = prefix_accuracy(&own, &context.order, &context.targets.train, levels, neighbors)?;
    metrics.add_all("segments.knn.surrogate", found.accuracy);
    if let Some(short) = &context.short {
        let train: Vec<bool> = short.rows.iter().map(|row| context.targets.train[*row]).collect();
        let count = CLUSTERS.min(train.iter().filter(|flag| **flag).count());
        let long_angles = own.select(Dimension(0), &short.rows);
        let short_angles = model.predict(&short.panel.mean_shares())?;
        let mut rng = seed::stream(1, "surrogate windows", 0);
        let same = window_stability(
            &directions(&long_angles),
            &directions(&short_angles),
            &train,
            count,
            STARTS,
            &mut rng,
        )?;
        metrics.add("stability.k5.surrogate", same.same.all);
    }
    // The network's own angles in the same frame, so that the two figures can be compared.
    let network = frame.angles(&final_states(&context.states)?)?;
    let reference = prefix_accuracy(&network, &context.order, &context.targets.train, levels, neighbors)?;
    metrics.add_all("segments.knn.angles", reference.accuracy);
    Ok(())
}

/// Unit vectors of angles, so that clusters do not see the seam of the longitude.
fn directions(angles: &Array2<f64>) -> Array2<f64> {
    if angles.ncols() != 2 {
        return angles.clone();
    }
    let mut vectors = Array2::zeros((angles.nrows(), 3));
    for (mut vector, angle) in vectors.rows_mut().into_iter().zip(angles.rows()) {
        let (longitude, latitude) = (angle[0], angle[1]);
        vector[0] = latitude.cos() * longitude.cos();
        vector[1] = latitude.cos() * longitude.sin();
        vector[2] = latitude.sin();
    }
    unit_rows(&vectors)
}
