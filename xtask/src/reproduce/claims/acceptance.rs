//! The acceptance rows: figures of an independent prototype of the same methods, which say whether the program computes
//! what the methods ask for.

use super::{
    Expected::{self, Both, Each},
    Figure, Measured, Row, Source, get, metric, minus, widest,
};

fn row(name: &'static str, figure: Figure, expected: Expected) -> Row {
    Row::new(Source::Acceptance, name, figure, expected)
}

/// The largest AUC of a set and a learner less .5, over that of the best possible score.
fn gain_share(measured: &Measured, target: &str) -> Option<f64> {
    let best = get(measured, &format!("{target}.measure.best possible.none.auc"))? - 0.5;
    let start = format!("{target}.measure.");
    let found = measured.iter().filter(|(name, _)| {
        name.starts_with(&start) && name.ends_with(".auc") && !name.contains("best possible")
    });
    let largest = found.map(|(_, auc)| *auc).fold(f64::NEG_INFINITY, f64::max);
    Some((largest - 0.5) / best).filter(|share| share.is_finite())
}

/// Every row, in the order in which the document shows them.
pub(super) fn rows() -> Vec<Row> {
    let knn = [
        row("15-NN prefix 1, LSTM h_T", metric!("segments.knn.lstm.1"), Each([0.79, 0.85], [0.81, 0.87])),
        row("15-NN prefix 2, LSTM h_T", metric!("segments.knn.lstm.2"), Each([0.63, 0.69], [0.70, 0.76])),
        row("15-NN prefix 3, LSTM h_T", metric!("segments.knn.lstm.3"), Each([0.51, 0.57], [0.60, 0.66])),
        row("15-NN prefix 4, LSTM h_T", metric!("segments.knn.lstm.4"), Each([0.40, 0.46], [0.48, 0.54])),
    ];
    let outcomes = [
        row(
            "default: best set's share of the best possible AUC gain over .5",
            |m| gain_share(m, "default"),
            Both(0.95, 1.05),
        ),
        row(
            "illiquid: best set's share of the best possible AUC gain over .5",
            |m| gain_share(m, "illiquid"),
            Both(0.95, 1.05),
        ),
        row(
            "default: width of the interval of trajectory minus bespoke",
            metric!(
                "default.comparison.trajectory.bespoke.high" - "default.comparison.trajectory.bespoke.low"
            ),
            Both(0.0, 0.04),
        ),
    ];
    let mut rows = vec![
        row("test R2, 3 nodes, mean over traits", metric!("fit.r2"), Each([0.935, 0.955], [0.950, 0.970])),
        row("R2(k nodes) against rank-k PCA, k = 1..5", metric!("fit.nodes_minus_rank"), Both(0.0, 0.006)),
        row(
            "OLS of angles, canonical frame, median",
            metric!("surrogate.r2.ols"),
            Each([0.64, 0.74], [0.65, 0.77]),
        ),
        row(
            "OLS of angles, canonical frame, each seed",
            metric!("surrogate.r2.ols"),
            Each([0.60, 0.80], [0.61, 0.82]),
        )
        .for_each_seed(),
        row("OLS of the state vector", metric!("surrogate.r2.state"), Each([0.99, 1.0], [0.985, 1.0])),
        row(
            "squares minus OLS",
            metric!("surrogate.r2.squares" - "surrogate.r2.ols"),
            Each([0.0, 0.03], [0.01, 0.05]),
        ),
        row(
            "full degree 2 minus OLS",
            metric!("surrogate.r2.full" - "surrogate.r2.ols"),
            Each([-0.02, 0.05], [0.03, 0.10]),
        ),
        row(
            "ridge(1) minus OLS",
            metric!("surrogate.r2.ridge" - "surrogate.r2.ols"),
            Each([-0.06, -0.005], [-0.03, 0.0]),
        ),
        row(
            "tree of depth 10 minus OLS",
            metric!("surrogate.r2.tree_depth_10" - "surrogate.r2.ols"),
            Each([-1.0, -0.15], [-1.0, -0.04]),
        ),
        row("isotropic Gaussian anchor", metric!("surrogate.anchor"), Both(0.6568, 0.6608)),
        row(
            "coefficient test: true classes found of 61",
            metric!("coefficients.found"),
            Each([50.0, 61.0], [46.0, 61.0]),
        ),
        row("coefficient test: false classes", metric!("coefficients.false"), Each([0.0, 4.0], [0.0, 10.0])),
        row("coefficient test: AUROC", metric!("coefficients.auroc"), Each([0.88, 1.0], [0.80, 1.0])),
    ];
    rows.extend(knn);
    rows.extend(outcomes);
    rows.push(
        row(
            "next goals: share of the best possible accuracy gain over the majority",
            metric!("goals.train.lstm - majority.accuracy.share_of_best"),
            Both(0.95, 1.0),
        )
        .everywhere(),
    );
    rows.extend([
        row(
            "feed-forward minus LSTM, widest of levels 1-4",
            |m| widest(m, "segments.knn.feed_forward", "segments.knn.lstm", 4),
            Both(0.0, 0.03),
        ),
        row(
            "silhouette minus null",
            metric!("segments.silhouette_minus_null"),
            Each([-0.03, 0.04], [0.0, 0.07]),
        ),
        row(
            "long/short stability k = 5, LSTM minus raw",
            metric!("stability.k5.lstm" - "stability.k5.raw"),
            Both(-0.04, 0.04),
        ),
        row(
            "never moved, running mean minus LSTM",
            metric!("yearly.running_mean" - "yearly.lstm"),
            Both(-0.06, 0.06),
        ),
        row("inverse map against its closed form", metric!("inverse.error"), Both(0.0, 1e-9)).everywhere(),
        row("magnitudes D against the grid", metric!("inverse.magnitude_error"), Both(0.0, 1e-9))
            .everywhere(),
        row("cos(h_T, L_raw)", metric!("inverse.cosine.end.raw"), Both(0.99, 1.0)),
        row("cos(h_100, L_raw)", metric!("inverse.cosine.extended.raw"), Both(0.90, 0.98)),
        row("spectral radius at h*, median", metric!("dynamics.spectral_radius"), Both(0.95, 0.98)),
        row("spectral radius below 1, share", metric!("dynamics.stable"), Both(0.99, 1.0)),
        row("not converged at T' = 100", metric!("dynamics.not_converged"), Each([0.22, 0.50], [0.08, 0.35])),
    ]);
    rows
}
