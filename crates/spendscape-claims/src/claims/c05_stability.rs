//! Claim 5: the duration of the window does not matter, and customers keep their cluster.

use crate::claim::{Band, Claim, MORE, Statement};
use crate::figure::figures;

/// What is told of several values.
const SPREAD: [&str; 3] = ["median", "low", "high"];

figures! {
    /// Customers in the same of five clusters by both windows, by directions of the states.
    WINDOWS_LSTM: Figure = "stability.k5.lstm";
    /// The same by grades.
    WINDOWS_RAW: Figure = "stability.k5.raw";
    /// The same by directions of grades, the space of the states' clusters.
    WINDOWS_RAW_DIRECTIONS: Figure = "stability.k5.raw_directions";
    /// The same by directions of the grades' first three principal components.
    WINDOWS_COMPONENTS: Figure = "stability.k5.component_directions";
    /// The same with twenty clusters, to see whether the result hangs on their number.
    FINE_LSTM: Figure = "stability.k20.lstm";
    /// The same with twenty clusters by grades.
    FINE_RAW: Figure = "stability.k20.raw";
    /// The same with twenty clusters by directions of grades.
    FINE_RAW_DIRECTIONS: Figure = "stability.k20.raw_directions";
    /// Customers of the same dominant trait by both windows, by the network's outputs.
    DOMINANT_LSTM: Figure = "stability.dominant.lstm";
    /// The same by grades.
    DOMINANT_RAW: Figure = "stability.dominant.raw";
    /// Adjusted Rand index between clusterings of the same directions from other random starts.
    STARTS: Keyed = "stability.starts.adjusted_rand.", &SPREAD, "";
    /// Adjusted Rand index between clusterings of bootstrap samples and that of all.
    BOOTSTRAP_RAND: Keyed = "stability.bootstrap.adjusted_rand.", &SPREAD, "";
    /// Overlap of each cluster with its like in bootstrap samples.
    BOOTSTRAP_OVERLAP: Keyed = "stability.bootstrap.overlap.", &SPREAD, "";
    /// Customers who never change their cluster over the years, by directions of the states.
    YEARLY_LSTM: Figure = "yearly.lstm";
    /// The same by grades of single years.
    YEARLY_RAW: Figure = "yearly.raw";
    /// The same by the running mean of these grades.
    YEARLY_RUNNING_MEAN: Figure = "yearly.running_mean";
    /// The same by directions of the grades of single years.
    YEARLY_RAW_DIRECTIONS: Figure = "yearly.raw_directions";
    /// The same by directions of the running mean.
    YEARLY_RUNNING_MEAN_DIRECTIONS: Figure = "yearly.running_mean_directions";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 5, section: "8", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new(
            "the duration of the window does not matter, unlike for raw data",
            WINDOWS_LSTM - WINDOWS_RAW_DIRECTIONS,
            Band::Both(MORE, 1.0),
        )
        .decided_by("traits keep .9 of themselves from year to year, and one customer in 25 has a life event")
        .control("with the LSTM {} of the customers keep their cluster", WINDOWS_LSTM)
        .control("with directions of raw grades {}", WINDOWS_RAW_DIRECTIONS)
        .otherwise(
            "the number of clusters and the space of the raw grades",
            vec![
                ("twenty clusters", FINE_LSTM - FINE_RAW_DIRECTIONS),
                ("raw grades that keep their length", WINDOWS_LSTM - WINDOWS_RAW),
                ("directions of their first three principal components", WINDOWS_LSTM - WINDOWS_COMPONENTS),
                ("dominant traits instead of clusters", DOMINANT_LSTM - DOMINANT_RAW),
            ],
        )
        .readings(
            "More customers keep their cluster between the windows with the LSTM than with raw grades, both clustered by direction.",
            "Both clustered by direction: between the six-year and the one-year window as many customers move with the LSTM as with raw grades.",
        ),
        Statement::new(
            "the duration does not affect the classification: nine in ten keep their cluster",
            WINDOWS_LSTM,
            Band::Both(0.9, 1.0),
        )
        .control("with directions of raw grades {} keep theirs", WINDOWS_RAW_DIRECTIONS)
        .otherwise(
            "the number of clusters",
            vec![("twenty clusters", FINE_LSTM.into()), ("dominant traits instead of clusters", DOMINANT_LSTM.into())],
        )
        .readings(
            "Share of customers in the same of five clusters by six years and by one: hardly anybody moves.",
            "Share of customers in the same of five clusters by six years and by one: the duration does affect it, whatever raw data do.",
        ),
        Statement::new(
            "the vast majority of customers keep their cluster over six years: three in four",
            YEARLY_LSTM,
            Band::Both(0.75, 1.0),
        )
        .decided_by("traits keep .9 of themselves from year to year, and one customer in 25 has a life event")
        .control("with directions of the running mean of the raw grades {} never move", YEARLY_RUNNING_MEAN_DIRECTIONS)
        .control("with those of single years {}", YEARLY_RAW_DIRECTIONS)
        .readings(
            "Share of customers who never change their cluster: a vast majority.",
            "Share of customers who never change their cluster: no vast majority; where it lies below .5 no majority at all.",
        ),
        Statement::new(
            "customers keep their cluster more often than by raw data",
            YEARLY_LSTM - YEARLY_RAW_DIRECTIONS,
            Band::Both(MORE, 1.0),
        )
        .otherwise(
            "the raw data's memory and space",
            vec![
                ("raw grades that keep their length", YEARLY_LSTM - YEARLY_RAW),
                ("directions of their running mean", YEARLY_LSTM - YEARLY_RUNNING_MEAN_DIRECTIONS),
                ("the running mean with its length", YEARLY_LSTM - YEARLY_RUNNING_MEAN),
            ],
        )
        .control("with the LSTM {} never move", YEARLY_LSTM)
        .control("with directions of the running mean of the raw grades {}", YEARLY_RUNNING_MEAN_DIRECTIONS)
        .readings(
            "True against single years; the running mean of the raw grades is the fair control, and what it keeps is memory, not insight.",
            "Customers move as often with the LSTM as with the raw grades of single years.",
        ),
    ]
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;
    use ndarray::{Array2, Array3, Axis as Dimension};
    use spendscape_run::Segmentation;
    use spendscape_schema::seed;
    use spendscape_segments::{
        clusters::KMeans,
        directions::{dominant, running_mean, unit_rows},
        stability::{
            bootstrap_stability, label_stability, pairwise_agreement, window_stability, yearly_stability,
        },
    };
    use spendscape_stats::quantile;

    use super::*;
    use crate::figure::{Figure, Keyed};
    use crate::measure::{
        comparison::{FINE_CLUSTERS, main_axes},
        metrics::Metrics,
        run::{Run, Short},
        study::Study,
    };

    /// Clusterings of the same directions from other random starts.
    const CLUSTERING_SEEDS: u64 = 5;

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        if let Some(short) = &run.short {
            metrics.part("stability over windows", |metrics| windows(run, short, metrics))?;
        }
        metrics.part("stability over refits", |metrics| refits(run, metrics))?;
        if run.states.len_of(Dimension(1)) > 1 {
            metrics.part("stability over years", |metrics| years(study, metrics))?;
        }
        Ok(())
    }

    /// Whether the segments of this network come out alike from other starts and from bootstrap samples of its customers.
    fn refits(run: &Run, metrics: &mut Metrics) -> Result<()> {
        let inside = unit_rows(&run.ends.select(Dimension(0), &run.train_rows()));
        let params = KMeans::params(Segmentation::CLUSTERS.min(inside.nrows())).starts(Segmentation::STARTS);
        let fits: Vec<KMeans> = (0..CLUSTERING_SEEDS)
            .map(|item| Ok(params.fit(&inside, &mut seed::stream(1, "clustering seeds", item))?))
            .collect::<Result<_>>()?;
        let labels: Vec<Vec<usize>> = fits.iter().map(|fit| fit.labels.clone()).collect();
        spread(metrics, STARTS, &pairwise_agreement(&labels)?);
        let mut rng = seed::stream(1, "bootstrap", 0);
        let found = bootstrap_stability(
            &inside,
            &fits[0].centers,
            Segmentation::STARTS,
            Segmentation::BOOTSTRAPS,
            &mut rng,
        )?;
        spread(metrics, BOOTSTRAP_RAND, &found.adjusted_rand);
        spread(metrics, BOOTSTRAP_OVERLAP, &found.jaccard);
        Ok(())
    }

    /// Median, smallest and largest of some figures.
    fn spread(metrics: &mut Metrics, figures: Keyed, values: &[f64]) {
        for (figure, level) in figures.all().zip([0.5, 0.0, 1.0]) {
            metrics.add(figure, quantile(values, level));
        }
    }

    /// Long against short window: the LSTM's directions beside the raw grades.
    fn windows(run: &Run, short: &Short, metrics: &mut Metrics) -> Result<()> {
        let Short { rows, train, .. } = short;
        let directions = unit_rows(&run.ends.select(Dimension(0), rows));
        let short_directions = unit_rows(&short.ends);
        let grades = run.targets.grades.select(Dimension(0), rows);
        let short_grades = run.grades_of(&short.mean_shares)?;
        let axes = main_axes(&run.targets.grades.select(Dimension(0), &run.train_rows()))?;
        let inside = train.iter().filter(|flag| **flag).count();
        let along = |x: &Array2<f64>| unit_rows(&x.dot(&axes.t()));
        for (clusters, by_states, by_grades, by_directions, by_components) in [
            (
                Segmentation::CLUSTERS,
                WINDOWS_LSTM,
                WINDOWS_RAW,
                WINDOWS_RAW_DIRECTIONS,
                Some(WINDOWS_COMPONENTS),
            ),
            (FINE_CLUSTERS, FINE_LSTM, FINE_RAW, FINE_RAW_DIRECTIONS, None),
        ] {
            let count = clusters.min(inside);
            let mut compare = |figure: Figure, long: &Array2<f64>, short: &Array2<f64>| -> Result<()> {
                let mut rng = seed::stream(1, "window clusters", clusters as u64);
                let same =
                    window_stability(long, short, train, count, Segmentation::STARTS, &mut rng)?.same.all;
                metrics.add(figure, same);
                Ok(())
            };
            compare(by_states, &directions, &short_directions)?;
            compare(by_grades, &grades, &short_grades)?;
            compare(by_directions, &unit_rows(&grades), &unit_rows(&short_grades))?;
            if let Some(figure) = by_components {
                compare(figure, &along(&grades), &along(&short_grades))?;
            }
        }
        let output = |ends: &Array2<f64>| ends.dot(&run.weights.output.t()) + &run.weights.output_bias;
        let predicted =
            (dominant(&output(&run.ends.select(Dimension(0), rows)))?, dominant(&output(&short.ends))?);
        let raw = (dominant(&grades)?, dominant(&short_grades)?);
        metrics.add(DOMINANT_LSTM, label_stability(&predicted.0, &predicted.1, train)?.all);
        metrics.add(DOMINANT_RAW, label_stability(&raw.0, &raw.1, train)?.all);
        Ok(())
    }

    /// Who never moved over the years: the LSTM's states beside raw grades of single years and their running mean.
    fn years(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        let train_rows = run.train_rows();
        let count = Segmentation::CLUSTERS.min(train_rows.len());
        let never = |name: &str, features: &Array3<f64>, item: u64| -> Result<f64> {
            let last = features.index_axis(Dimension(1), features.len_of(Dimension(1)) - 1);
            let inside = last.select(Dimension(0), &train_rows);
            let clusters = KMeans::params(count)
                .starts(Segmentation::STARTS)
                .fit(&inside, &mut seed::stream(1, name, item))?;
            Ok(yearly_stability(&clusters.centers, features, &run.targets.train)?.never_moved.all)
        };
        let grades = study.yearly_grades()?;
        let running = running_mean(grades);
        // Clusters of grades are those of the means over all periods.
        let centers = |name: &str, means: &Array2<f64>| -> Result<Array2<f64>> {
            let mut rng = seed::stream(1, name, 0);
            let inside = means.select(Dimension(0), &train_rows);
            Ok(KMeans::params(count).starts(Segmentation::STARTS).fit(&inside, &mut rng)?.centers)
        };
        let by_length = centers("yearly raw", &run.targets.grades)?;
        let by_direction = centers("yearly raw directions", &unit_rows(&run.targets.grades))?;
        let kept = |centers: &Array2<f64>, features: &Array3<f64>| -> Result<f64> {
            Ok(yearly_stability(centers, features, &run.targets.train)?.never_moved.all)
        };
        metrics.add(YEARLY_LSTM, never("yearly lstm", &unit_periods(&run.states), 0)?);
        metrics.add(YEARLY_RAW, kept(&by_length, grades)?);
        metrics.add(YEARLY_RUNNING_MEAN, kept(&by_length, &running)?);
        metrics.add(YEARLY_RAW_DIRECTIONS, kept(&by_direction, &unit_periods(grades))?);
        metrics.add(YEARLY_RUNNING_MEAN_DIRECTIONS, kept(&by_direction, &unit_periods(&running))?);
        Ok(())
    }

    /// The unit vectors of every period.
    fn unit_periods(x: &Array3<f64>) -> Array3<f64> {
        let mut directions = x.clone();
        for mut period in directions.axis_iter_mut(Dimension(1)) {
            let units = unit_rows(&period);
            period.assign(&units);
        }
        directions
    }
}
