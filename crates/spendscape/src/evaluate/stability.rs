//! Whether segments keep over windows and years, and what life events do (claims 5 and 6).

use anyhow::Result;
use ndarray::{Array2, Array3, Axis as Dimension};
use spendscape_schema::seed;
use spendscape_segments::{
    KMeans, LateChangeInput, bootstrap_stability, dominant, label_stability, late_changes,
    pairwise_agreement, running_mean, turns_by_event, unit_rows, window_stability, yearly_stability,
};
use spendscape_stats::quantile;

use super::{
    Metrics,
    context::{Context, Short},
};
use crate::segmented::{BOOTSTRAPS, CLUSTERS, STARTS};

/// Fine clusters, to see whether a result hangs on their number.
const FINE_CLUSTERS: usize = 20;
/// Clusterings of the same directions from other random starts.
const CLUSTERING_SEEDS: u64 = 5;

pub(super) fn measure(context: &Context, metrics: &mut Metrics) -> Result<()> {
    if let Some(short) = &context.short {
        windows(context, short, metrics)?;
    }
    refits(context, metrics)?;
    if context.states.len_of(Dimension(1)) > 1 {
        years(context, metrics)?;
        if let Some(events) = &context.events {
            changes(context, events, metrics)?;
        }
    }
    Ok(())
}

/// Whether the segments of this network come out alike from other starts and from bootstrap samples of its customers.
fn refits(context: &Context, metrics: &mut Metrics) -> Result<()> {
    let inside = unit_rows(&context.ends.select(Dimension(0), &context.train_rows()));
    let params = KMeans::params(CLUSTERS.min(inside.nrows())).starts(STARTS);
    let fits: Vec<KMeans> = (0..CLUSTERING_SEEDS)
        .map(|item| Ok(params.fit(&inside, &mut seed::stream(1, "clustering seeds", item))?))
        .collect::<Result<_>>()?;
    let labels: Vec<Vec<usize>> = fits.iter().map(|fit| fit.labels.clone()).collect();
    spread(metrics, "stability.starts.adjusted_rand", &pairwise_agreement(&labels)?);
    let mut rng = seed::stream(1, "bootstrap", 0);
    let found = bootstrap_stability(&inside, &fits[0].centers, STARTS, BOOTSTRAPS, &mut rng)?;
    spread(metrics, "stability.bootstrap.adjusted_rand", &found.adjusted_rand);
    spread(metrics, "stability.bootstrap.overlap", &found.jaccard);
    Ok(())
}

/// Median, smallest and largest of some figures.
fn spread(metrics: &mut Metrics, name: &str, values: &[f64]) {
    for (part, level) in [("median", 0.5), ("low", 0.0), ("high", 1.0)] {
        metrics.add(format!("{name}.{part}"), quantile(values, level));
    }
}

/// Long against short window: the LSTM's directions beside the raw grades.
fn windows(context: &Context, short: &Short, metrics: &mut Metrics) -> Result<()> {
    let rows = &short.rows;
    let train: Vec<bool> = rows.iter().map(|row| context.targets.train[*row]).collect();
    let directions = unit_rows(&context.ends.select(Dimension(0), rows));
    let short_directions = unit_rows(&short.ends);
    let grades = context.targets.grades.select(Dimension(0), rows);
    let short_grades = context.grades_of(&short.panel.mean_shares())?;
    let inside = train.iter().filter(|flag| **flag).count();
    for (name, clusters) in [("k5", CLUSTERS), ("k20", FINE_CLUSTERS)] {
        let count = clusters.min(inside);
        let mut compare = |kind: &str, long: &Array2<f64>, short: &Array2<f64>| -> Result<()> {
            let mut rng = seed::stream(1, "window clusters", clusters as u64);
            let same = window_stability(long, short, &train, count, STARTS, &mut rng)?.same.all;
            metrics.add(format!("stability.{name}.{kind}"), same);
            Ok(())
        };
        compare("lstm", &directions, &short_directions)?;
        compare("raw", &grades, &short_grades)?;
    }
    let output = |ends: &Array2<f64>| ends.dot(&context.weights.output.t()) + &context.weights.output_bias;
    let predicted =
        (dominant(&output(&context.ends.select(Dimension(0), rows)))?, dominant(&output(&short.ends))?);
    let raw = (dominant(&grades)?, dominant(&short_grades)?);
    metrics.add("stability.dominant.lstm", label_stability(&predicted.0, &predicted.1, &train)?.all);
    metrics.add("stability.dominant.raw", label_stability(&raw.0, &raw.1, &train)?.all);
    Ok(())
}

/// Who never moved over the years: the LSTM's states beside raw grades of single years and their running mean.
fn years(context: &Context, metrics: &mut Metrics) -> Result<()> {
    let train_rows = context.train_rows();
    let count = CLUSTERS.min(train_rows.len());
    let never = |name: &str, features: &Array3<f64>, item: u64| -> Result<f64> {
        let last = features.index_axis(Dimension(1), features.len_of(Dimension(1)) - 1);
        let inside = last.select(Dimension(0), &train_rows);
        let clusters = KMeans::params(count).starts(STARTS).fit(&inside, &mut seed::stream(1, name, item))?;
        Ok(yearly_stability(&clusters.centers, features, &context.targets.train)?.never_moved.all)
    };
    let mut directions = context.states.clone();
    for mut period in directions.axis_iter_mut(Dimension(1)) {
        let units = unit_rows(&period);
        period.assign(&units);
    }
    let grades = context.yearly_grades()?;
    let running = running_mean(&grades);
    let fitted_on_means = {
        let inside = context.targets.grades.select(Dimension(0), &train_rows);
        KMeans::params(count).starts(STARTS).fit(&inside, &mut seed::stream(1, "yearly raw", 0))?
    };
    let moved = |features: &Array3<f64>| -> Result<f64> {
        Ok(yearly_stability(&fitted_on_means.centers, features, &context.targets.train)?.never_moved.all)
    };
    metrics.add("yearly.lstm", never("yearly lstm", &directions, 0)?);
    metrics.add("yearly.raw", moved(&grades)?);
    metrics.add("yearly.running_mean", moved(&running)?);
    Ok(())
}

/// Turns after life events, and customers whose only event came last and changed their raw dominant trait.
fn changes(context: &Context, events: &Array2<bool>, metrics: &mut Metrics) -> Result<()> {
    let turns = turns_by_event(&context.states, events)?;
    metrics.add("events.turn_degrees.with", turns.with_event.mean.to_degrees());
    metrics.add("events.turn_degrees.without", turns.without_event.mean.to_degrees());
    let Some(short) = context.short.as_ref().filter(|short| short.rows.len() == context.panel.len()) else {
        return Ok(());
    };
    let grades = context.yearly_grades()?;
    let last = grades.len_of(Dimension(1)) - 1;
    let before = running_mean(&grades).index_axis(Dimension(1), last - 1).to_owned();
    let changes = late_changes(LateChangeInput {
        states: &context.states,
        events,
        before: &dominant(&before)?,
        after: &dominant(&grades.index_axis(Dimension(1), last))?,
        readout: &context.weights.output,
        short: Some(&short.ends),
    })?;
    metrics.add("events.late.customers", changes.customers.len() as f64);
    metrics.add("events.late.turn_degrees.with", changes.turn.mean.to_degrees());
    metrics.add("events.late.turn_degrees.without", changes.turn_without_event.mean.to_degrees());
    metrics.add("events.late.last_step_decodes", changes.last_step_decodes);
    if let Some(decodes) = changes.short_decodes {
        metrics.add("events.late.short_decodes", decodes);
    }
    metrics.add("events.late.chance", changes.chance);
    Ok(())
}
