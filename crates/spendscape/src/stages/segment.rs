//! Micro-segments, and customers that illustrate them.

use std::collections::HashMap;

use anyhow::Result;
use ndarray::{Array2, Array3, Axis as Dimension};
use spendscape_schema::{Axes, Panel, arrays, seed};
use spendscape_segments::{
    KMeans, dominance_order, final_states, find_changed, row_cosines, straightness, unit_rows,
};
use spendscape_store::Provenance;

use crate::{
    model,
    run_folder::{File, RunFolder, Stage},
    stages::{
        states::{StoredStates, read_states},
        train::{StoredTargets, read_targets},
    },
};

/// Clusters of directions: one per trait, as the papers see them.
pub const CLUSTERS: usize = 5;
/// Restarts of k-means; the best is kept.
pub const STARTS: usize = 4;
/// Examples kept per role.
const EXAMPLES: usize = 10;

/// Assigns every customer to a micro-segment.
///
/// # Errors
/// If the states are missing.
pub fn segment(run: &RunFolder, seed: u64, force: bool) -> Result<()> {
    let mut inputs = vec![File::Targets, File::States, File::Model, File::Panel];
    if run.has(File::ShortStates) {
        inputs.push(File::ShortStates);
    }
    let provenance =
        Provenance::new("segment").seed(seed).parameter("clusters", CLUSTERS).parameter("starts", STARTS);
    let Some(mut stage) = run.stage("segment", provenance, &inputs, force)? else {
        return Ok(());
    };
    let targets = read_targets(run)?;
    let long = read_states(run, File::States)?;
    let short = if run.has(File::ShortStates) { Some(read_states(run, File::ShortStates)?) } else { None };
    let directions = unit_rows(&final_states(&long.hidden)?);
    let clusters = fit_clusters(&directions, &targets.train, seed)?;
    let labels = clusters.predict(&directions)?;
    let short_labels = match &short {
        Some(short) => {
            let labels = clusters.predict(&unit_rows(&final_states(&short.hidden)?))?;
            let by_customer: HashMap<&String, usize> = short.customers.iter().zip(labels).collect();
            long.customers.iter().map(|customer| by_customer.get(customer).copied()).collect()
        }
        None => vec![None; long.customers.len()],
    };
    let panel = Panel::from_rows(&run.read(File::Panel)?.rows)?;
    let outputs = model::read(run)?.network.predict(&panel.shares)?.mapv(f64::from);
    let columns = vec![
        arrays::text(&long.customers),
        arrays::category(paths(&targets.grades, &targets.traits)?),
        arrays::category(paths(&outputs, &targets.traits)?),
        arrays::index(labels.iter().map(|label| *label as u16)),
        arrays::optional_index(short_labels.iter().map(|label| label.map(|label| label as u16))),
    ];
    stage.write(File::Segments, &Axes::new(), columns)?;
    write_examples(&mut stage, &targets, &long, short.as_ref())?;
    stage.finish()
}

/// k-means on the training customers' directions; fewer clusters than asked for where there are fewer customers.
///
/// # Errors
/// If there is no training customer.
pub fn fit_clusters(directions: &Array2<f64>, train: &[bool], seed: u64) -> Result<KMeans> {
    let rows = super::train::rows_where(train, true);
    let inside = directions.select(Dimension(0), &rows);
    let clusters = CLUSTERS.min(inside.nrows());
    Ok(KMeans::params(clusters).starts(STARTS).fit(&inside, &mut seed::stream(seed, "clusters", 0))?)
}

/// Traits by falling grade, joined.
fn paths(grades: &Array2<f64>, traits: &[String]) -> Result<Vec<String>> {
    let order = dominance_order(grades)?;
    Ok(order
        .rows()
        .into_iter()
        .map(|row| row.iter().map(|k| traits[*k].as_str()).collect::<Vec<_>>().join(" / "))
        .collect())
}

/// Customers with both windows: one whose trajectories agree (P3 figure 1b), one who changed (figure 1c).
fn write_examples(
    stage: &mut Stage<'_>,
    targets: &StoredTargets,
    long: &StoredStates,
    short: Option<&StoredStates>,
) -> Result<()> {
    let (mut roles, mut customers, mut scores) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(short) = short {
        let at: HashMap<&String, usize> =
            short.customers.iter().enumerate().map(|(row, name)| (name, row)).collect();
        let both: Vec<(usize, usize)> =
            long.customers.iter().enumerate().filter_map(|(row, name)| Some((row, *at.get(name)?))).collect();
        let (long_rows, short_rows): (Vec<usize>, Vec<usize>) = both.into_iter().unzip();
        let long_states = long.hidden.select(Dimension(0), &long_rows);
        let short_states = short.hidden.select(Dimension(0), &short_rows);
        let readout = model::read(stage.run())?.weights()?.output;
        for (role, found) in [
            ("steady", steady(&long_states, &short_states)?),
            ("changed", changed(&long_states, &short_states, &readout)?),
        ] {
            for (row, score) in found.into_iter().take(EXAMPLES) {
                roles.push(role);
                customers.push(targets.customers[long_rows[row]].clone());
                scores.push(score);
            }
        }
    }
    let columns = vec![arrays::category(roles), arrays::text(customers), arrays::float(scores)];
    stage.write(File::Examples, &Axes::new(), columns)
}

/// Customers whose two trajectories lie together, best first: the cosine of their final states, times the straightness
/// and the relative length of the long one (a short or winding trajectory shows nothing).
fn steady(long: &Array3<f64>, short: &Array3<f64>) -> Result<Vec<(usize, f64)>> {
    let (ends, short_ends) = (final_states(long)?, final_states(short)?);
    let cosines = row_cosines(&ends, &short_ends)?;
    let straight = straightness(long)?;
    let lengths: Vec<f64> = ends.rows().into_iter().map(|row| row.dot(&row).sqrt()).collect();
    let longest = lengths.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut scored: Vec<(usize, f64)> =
        (0..lengths.len()).map(|row| (row, cosines[row] * straight[row] * lengths[row] / longest)).collect();
    scored.retain(|(_, score)| score.is_finite());
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    Ok(scored)
}

/// Customers who changed in the last period, best first; none where the window is too short to see a change. The score
/// of the change is weighted by the relative distance that the customer had come before it, as in [`steady`].
fn changed(long: &Array3<f64>, short: &Array3<f64>, readout: &Array2<f64>) -> Result<Vec<(usize, f64)>> {
    /// Two periods to head one way and one to turn.
    const PERIODS: usize = 3;
    let periods = long.len_of(Dimension(1));
    if periods < PERIODS {
        return Ok(Vec::new());
    }
    let before = long.index_axis(Dimension(1), periods - 2);
    let lengths: Vec<f64> = before.rows().into_iter().map(|row| row.dot(&row).sqrt()).collect();
    let longest = lengths.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let found = find_changed(long, Some(&final_states(short)?), readout, usize::MAX)?;
    let mut scored: Vec<(usize, f64)> = found
        .into_iter()
        .map(|found| (found.customer, found.score * lengths[found.customer] / longest))
        .collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    Ok(scored)
}
