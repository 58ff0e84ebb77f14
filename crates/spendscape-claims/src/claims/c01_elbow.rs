//! Claim 1: how many nodes the network needs.

use crate::claim::{Band, Claim, Statement, Value};
use crate::figure::figures;
use crate::measured::Measured;

figures! {
    /// R2 of the network's outputs on unseen customers, mean over traits.
    R2: Figure = "fit.r2";
    /// The same of nets with 1, 2, ... nodes.
    NODES: Series = "fit.nodes";
    /// The same of the grades' principal components of rank 1, 2, ...
    RANK: Series = "fit.rank";
    /// The largest difference between the two.
    NODES_MINUS_RANK: Figure = "fit.nodes_minus_rank";
    /// Nodes at the elbow.
    ELBOW: Figure = "fit.elbow";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 1, section: "5", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new("three nodes by the elbow", ELBOW, Band::Both(3.0, 3.0))
        .decided_by("the grades have the rank that their covariance and the table of coefficients give them")
            .paper("3 nodes")
            .control(
                "the fit with k nodes differs from that of the rank-k PCA of the grades by at most {}",
                NODES_MINUS_RANK,
            )
            .otherwise(
                "the largest number of nodes that is tried",
                vec![
                    ("of at most 4 nodes", Value::Of(|measured| elbow_within(measured, 4))),
                    ("5", Value::Of(|measured| elbow_within(measured, 5))),
                    ("6", Value::Of(|measured| elbow_within(measured, 6))),
                    ("7", Value::Of(|measured| elbow_within(measured, 7))),
                ],
            )
            .readings(
                "The elbow is where the paper finds it; as far as the PCA of the grades fits alike, it shows the rank of the table of scores, not a property of the network.",
                "The elbow lies elsewhere on this bank; as far as the PCA of the grades fits alike, it shows the rank of the table of scores, not a property of the network.",
            ),
    ]
}

/// The elbow of a rising curve: the point farthest above the line from the first to the last point.
fn elbow_of(values: &[f64]) -> usize {
    let (Some(first), Some(last)) = (values.first(), values.last()) else { return 0 };
    let slope = (last - first) / (values.len().max(2) - 1) as f64;
    let above = |k: usize| values[k] - first - slope * k as f64;
    (0..values.len()).max_by(|a, b| above(*a).total_cmp(&above(*b))).map_or(0, |k| k + 1)
}

/// The elbow where nets of at most so many nodes are tried; nothing where fewer were.
fn elbow_within(measured: &Measured, most: usize) -> Option<f64> {
    let nodes: Vec<f64> = measured.series(NODES).take(most).collect();
    (nodes.len() == most).then(|| elbow_of(&nodes) as f64)
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;
    use ndarray::{Array2, Axis as Dimension};
    use rayon::prelude::*;
    use spendscape_linalg::svd;
    use spendscape_lstm::{NetworkParams, TrainParams};
    use spendscape_run::{AskedGrades, answering_last};
    use spendscape_schema::seed;
    use spendscape_stats::mean_r2;

    use super::*;
    use crate::measure::{metrics::Metrics, run::Run, study::Study};

    /// Largest number of nodes in the elbow search, well past the rank of five grades.
    const ELBOW_NODES: usize = 8;
    /// Epochs per net of the elbow search.
    const ELBOW_EPOCHS: usize = 20;

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        let test = run.test_rows();
        let grades = run.targets.grades.select(Dimension(0), &test);
        let shares = run.panel.shares.select(Dimension(0), &test);
        let outputs = run.model.network.predict(&shares)?.mapv(f64::from);
        metrics.add(R2, mean_r2(&grades, &outputs)?);
        if !run.extent.trainings {
            return Ok(());
        }
        let ranks = rank_fits(run)?;
        let nodes = elbow(run)?;
        let gap = nodes.iter().zip(&ranks).map(|(net, rank)| (net - rank).abs()).fold(0.0, f64::max);
        metrics.add_all(NODES, nodes.iter().copied());
        metrics.add_all(RANK, ranks);
        metrics.add(NODES_MINUS_RANK, gap);
        metrics.add(ELBOW, elbow_of(&nodes) as f64);
        Ok(())
    }

    /// Fit on unseen customers of nets with 1, 2, ... nodes, trained as the run's own.
    fn elbow(run: &Run) -> Result<Vec<f64>> {
        let (inside, outside) = (run.train_rows(), run.test_rows());
        let grades = run.targets.grades.select(Dimension(0), &inside).mapv(|grade| grade as f32);
        let shares = |rows: &[usize]| run.panel.shares.select(Dimension(0), rows);
        let (x, test_x) = (shares(&inside), shares(&outside));
        let test_grades = run.targets.grades.select(Dimension(0), &outside);
        let (_, periods, classes) = x.dim();
        let traits = grades.ncols();
        // Asked where the run's own network was asked.
        let asked = AskedGrades::new(grades, run.targets.steps, periods);
        let (seed, study_seed) = (run.model.seed, run.model.study_seed);
        // Nets are independent: each may run on its own thread without changing a bit of the result.
        (1..=ELBOW_NODES)
            .into_par_iter()
            .map(|units| {
                let shape = NetworkParams::lstm(classes, units).outputs(traits);
                let mut weights = seed::stream(seed, "elbow", units as u64);
                let mut learner = asked.learner(&shape).init::<f32, _>(&mut weights)?;
                let mut order = seed::stream(study_seed, "minibatch order", 0);
                TrainParams::default().epochs(ELBOW_EPOCHS).fit(
                    &mut learner,
                    &asked.with(&x)?,
                    &mut order,
                )?;
                let network = answering_last(&shape, &learner)?;
                Ok(mean_r2(&test_grades, &network.predict(&test_x)?.mapv(f64::from))?)
            })
            .collect()
    }

    /// Fit of the best rank-k approximation of the grades, k = 1, 2, ..., P: principal components of the training
    /// customers' grades, applied to the others'.
    fn rank_fits(run: &Run) -> Result<Vec<f64>> {
        let train = run.targets.grades.select(Dimension(0), &run.train_rows());
        let test = run.targets.grades.select(Dimension(0), &run.test_rows());
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
