//! The acceptance rows: figures of an independent prototype of the same methods, which say whether the program computes
//! what the methods ask for.

use crate::claim::{Band, Statement, Value};
use crate::claims::{
    c01_elbow, c03_clusters, c04_raw_data, c05_stability, c07_linear, c08_coefficients, c12_axes,
    c14_inverse, c15_extended, c16_attractors, c17_outcomes, c19_goals,
};
use crate::figure::{Family, Figure, Series};
use crate::measured::Measured;

mod quick;

/// The largest AUC of a set and a learner less .5, over that of the best possible score.
fn gain_share(measured: &Measured, family: Family, best_possible: Figure) -> Option<f64> {
    let best = measured.get(best_possible)? - 0.5;
    let others = measured.family(family).filter(|(name, _)| *name != best_possible.to_string());
    let largest = others.map(|(_, auc)| auc).fold(f64::NEG_INFINITY, f64::max);
    Some((largest - 0.5) / best).filter(|share| share.is_finite())
}

/// The largest difference between the first `count` figures of two series.
fn widest(measured: &Measured, a: Series, b: Series, count: usize) -> Option<f64> {
    (1..=count).try_fold(0.0, |widest, k| {
        Some(f64::max(widest, (measured.get(a.at(k))? - measured.get(b.at(k))?).abs()))
    })
}

/// Every row, in the order in which the document shows them.
pub(crate) fn rows() -> Vec<Statement> {
    let knn = [
        Statement::new(
            "15-NN prefix 1, LSTM h_T",
            c03_clusters::LSTM.at(1),
            Band::Each([0.79, 0.85], [0.81, 0.87]),
        ),
        Statement::new(
            "15-NN prefix 2, LSTM h_T",
            c03_clusters::LSTM.at(2),
            Band::Each([0.63, 0.69], [0.70, 0.76]),
        ),
        Statement::new(
            "15-NN prefix 3, LSTM h_T",
            c03_clusters::LSTM.at(3),
            Band::Each([0.51, 0.57], [0.60, 0.66]),
        ),
        Statement::new(
            "15-NN prefix 4, LSTM h_T",
            c03_clusters::LSTM.at(4),
            Band::Each([0.40, 0.46], [0.48, 0.54]),
        ),
    ];
    let outcomes = [
        Statement::new(
            "default: best set's share of the best possible AUC gain over .5",
            Value::Of(|measured| {
                gain_share(measured, c17_outcomes::DEFAULT_AUCS, c17_outcomes::DEFAULT_AUC_BEST)
            }),
            Band::Both(0.95, 1.05),
        ),
        Statement::new(
            "illiquid: best set's share of the best possible AUC gain over .5",
            Value::Of(|measured| {
                gain_share(measured, c17_outcomes::ILLIQUID_AUCS, c17_outcomes::ILLIQUID_AUC_BEST)
            }),
            Band::Both(0.95, 1.05),
        ),
        Statement::new(
            "default: width of the interval of trajectory minus bespoke",
            c17_outcomes::DEFAULT_HIGH - c17_outcomes::DEFAULT_LOW,
            Band::Both(0.0, 0.04),
        ),
    ];
    let mut rows = vec![
        Statement::new(
            "test R2, 3 nodes, mean over traits",
            c01_elbow::R2,
            Band::Each([0.935, 0.955], [0.950, 0.970]),
        ),
        Statement::new(
            "R2(k nodes) against rank-k PCA, k = 1..5",
            c01_elbow::NODES_MINUS_RANK,
            Band::Both(0.0, 0.006),
        ),
        Statement::new(
            "OLS of angles, canonical frame, median",
            c07_linear::R2_OLS,
            Band::Each([0.64, 0.74], [0.65, 0.77]),
        ),
        Statement::new(
            "OLS of angles, canonical frame, each seed",
            c07_linear::R2_OLS,
            Band::Each([0.60, 0.80], [0.61, 0.82]),
        )
        .for_each_seed(),
        Statement::new(
            "OLS of the state vector",
            c07_linear::R2_STATE,
            Band::Each([0.99, 1.0], [0.985, 1.0]),
        ),
        Statement::new(
            "squares minus OLS",
            c07_linear::R2_SQUARES - c07_linear::R2_OLS,
            Band::Each([0.0, 0.03], [0.01, 0.05]),
        ),
        Statement::new(
            "full degree 2 minus OLS",
            c07_linear::R2_FULL - c07_linear::R2_OLS,
            Band::Each([-0.02, 0.05], [0.03, 0.10]),
        ),
        Statement::new(
            "ridge(1) minus OLS",
            c07_linear::R2_RIDGE - c07_linear::R2_OLS,
            Band::Each([-0.06, -0.005], [-0.03, 0.0]),
        ),
        Statement::new(
            "tree of depth 10 minus OLS",
            c07_linear::R2_TREE_DEPTH_10 - c07_linear::R2_OLS,
            Band::Each([-1.0, -0.15], [-1.0, -0.04]),
        ),
        Statement::new("isotropic Gaussian anchor", c07_linear::ANCHOR, Band::Both(0.6568, 0.6608)),
        Statement::new(
            "coefficient test: true classes found of 61",
            c08_coefficients::FOUND,
            Band::Each([50.0, 61.0], [46.0, 61.0]),
        ),
        Statement::new(
            "coefficient test: false classes",
            c08_coefficients::FALSE,
            Band::Each([0.0, 4.0], [0.0, 10.0]),
        ),
        // Bonferroni holds the chance of a false class at .05 per seed: none is expected of five, and a third in one seed
        // would say that the zero of the coefficients is not that of the classes without an effect.
        Statement::new(
            "coefficient test: false classes, each seed",
            c08_coefficients::FALSE,
            Band::Both(0.0, 2.0),
        )
        .for_each_seed(),
        Statement::new(
            "surrogate's R2 of the angles less that of a Gaussian cloud of the states' mean and covariance",
            c07_linear::R2_OLS - c07_linear::ANCHOR_MATCHED,
            Band::Both(-0.05, 0.05),
        ),
        Statement::new(
            "coefficient test: AUROC",
            c08_coefficients::AUROC,
            Band::Each([0.88, 1.0], [0.80, 1.0]),
        ),
    ];
    rows.extend(knn);
    rows.extend(outcomes);
    rows.push(
        Statement::new(
            "next goals: share of the best possible accuracy gain over the majority",
            c19_goals::SHARE_OF_BEST,
            Band::Both(0.95, 1.0),
        )
        .everywhere(),
    );
    rows.extend([
        Statement::new(
            "feed-forward minus LSTM, widest of levels 1-4",
            Value::Of(|measured| widest(measured, c04_raw_data::FEED_FORWARD, c03_clusters::LSTM, 4)),
            Band::Both(0.0, 0.03),
        ),
        Statement::new(
            "silhouette minus null",
            c03_clusters::CLUSTERS_MINUS_NULL.of(c03_clusters::SILHOUETTE),
            Band::Each([-0.03, 0.04], [0.0, 0.07]),
        ),
        Statement::new(
            "long/short stability k = 5, LSTM minus raw",
            c05_stability::WINDOWS_LSTM - c05_stability::WINDOWS_RAW,
            Band::Both(-0.04, 0.04),
        ),
        Statement::new(
            "never moved, running mean minus LSTM",
            c05_stability::YEARLY_RUNNING_MEAN - c05_stability::YEARLY_LSTM,
            Band::Both(-0.06, 0.06),
        ),
        Statement::new("inverse map against its closed form", c14_inverse::ERROR, Band::Both(0.0, 1e-9))
            .everywhere(),
        Statement::new("magnitudes D against the grid", c14_inverse::MAGNITUDE_ERROR, Band::Both(0.0, 1e-9))
            .everywhere(),
        Statement::new("cos(h_T, L_raw)", c12_axes::COSINE_END, Band::Both(0.99, 1.0)),
        Statement::new(
            "cos(h_100, L_raw)",
            c15_extended::COSINE.of(c15_extended::RAW),
            Band::Both(0.90, 0.98),
        ),
        Statement::new(
            "spectral radius at h*, median",
            c16_attractors::SPECTRAL_RADIUS,
            Band::Both(0.95, 0.98),
        ),
        Statement::new("spectral radius below 1, share", c16_attractors::STABLE, Band::Both(0.99, 1.0)),
        Statement::new(
            "not converged at T' = 100",
            c16_attractors::NOT_CONVERGED,
            Band::Each([0.22, 0.50], [0.08, 0.35]),
        ),
    ]);
    rows.into_iter().map(|row| Statement { quick: quick::band(row.text), ..row }).collect()
}
