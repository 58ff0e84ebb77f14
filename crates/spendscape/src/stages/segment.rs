//! Micro-segments: dominance paths, clusters of directions that keep their ids over refits, their profiles, and customers
//! that illustrate them.

pub mod centers;
mod examples;
pub(crate) mod identity;
pub(crate) mod profile;

use std::{collections::HashMap, path::PathBuf};

use anyhow::Result;
use clap::Args;
use ndarray::Array2;
use spendscape_schema::{Axes, Panel, seed, tables::Segments};
use spendscape_segments::{bootstrap_stability, dominance_order, final_states, unit_rows};
use spendscape_store::Provenance;

use self::{
    centers::Segmentation,
    identity::{Earlier, log_drift, write_drift},
    profile::Members,
};
use crate::{
    model,
    run_folder::{File, RunFolder, Stage},
    stages::{
        states::{StoredStates, read_states},
        train::{read_targets, rows_where},
    },
};

/// Clusters of directions: one per trait, as the papers see them.
pub const CLUSTERS: usize = 5;
/// Restarts of k-means; the best is kept.
pub const STARTS: usize = 4;
/// Refits on bootstrap samples for the stability of each segment: more narrow its mean and cost a k-means each.
pub(crate) const BOOTSTRAPS: usize = 20;

/// How customers are segmented.
#[derive(Debug, Clone, Args)]
pub struct SegmentOptions {
    /// Number of segments
    #[arg(long, default_value_t = CLUSTERS as u16, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub clusters: u16,
    /// Earlier run: segments that continue one of its segments keep that one's id, and `drift` says what changed
    #[arg(long, value_name = "RUN")]
    pub previous: Option<PathBuf>,
    /// A segment keeps an earlier id only if the Jaccard overlap of their customers is larger than this
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, requires = "previous")]
    pub keep_overlap: f64,
}

impl Default for SegmentOptions {
    fn default() -> Self {
        Self { clusters: CLUSTERS as u16, previous: None, keep_overlap: 0.5 }
    }
}

/// Assigns every customer to a micro-segment.
///
/// # Errors
/// If the states are missing, or the earlier run has no segments or no customer of this one.
pub fn segment(run: &RunFolder, options: &SegmentOptions, seed: u64, force: bool) -> Result<()> {
    let mut inputs = vec![File::Targets, File::States, File::Model, File::Panel];
    let with_short = run.has(File::ShortStates)?;
    if with_short {
        inputs.push(File::ShortStates);
    }
    let mut provenance = Provenance::new("segment")
        .seed(seed)
        .parameter("clusters", options.clusters)
        .parameter("starts", STARTS)
        .parameter("bootstraps", BOOTSTRAPS);
    let mut earlier = None;
    if let Some(path) = &options.previous {
        let (opened, with_inputs) =
            Earlier::open(path, run, provenance.parameter("keep_overlap", options.keep_overlap))?;
        (earlier, provenance) = (Some(opened), with_inputs);
    }
    let Some(mut stage) = run.stage("segment", provenance, &inputs, force)? else {
        return Ok(());
    };
    let targets = read_targets(run)?;
    let long = read_states(run, File::States)?;
    let short = if with_short { Some(read_states(run, File::ShortStates)?) } else { None };
    let directions = unit_rows(&final_states(&long.hidden)?);
    let start = match &earlier {
        Some(earlier) => Some(earlier.centers(&long.customers, &directions, &targets.train)?),
        None => None,
    };
    let clusters = usize::from(options.clusters);
    let mut segmentation = Segmentation::fit(&directions, &targets.train, clusters, start.as_ref(), seed)?;
    let assigned = segmentation.assign(&long.hidden)?;
    let drift = match &earlier {
        Some(earlier) => {
            Some(earlier.rename(&mut segmentation, &long.customers, &assigned, options.keep_overlap)?)
        }
        None => None,
    };
    let stored = run.read(File::Panel)?;
    // Customers who come later are to be treated in the same way.
    for name in PANEL_PARAMETERS {
        if let Some(value) = stored.provenance.parameters.get(name) {
            stage.note(&format!("panel_{name}"), value.clone());
        }
    }
    let panel = Panel::from_rows(&stored.rows)?;
    stage.note("periods", panel.periods.len());
    segmentation.write(&mut stage)?;
    let model = model::read(run)?;
    let found = Found {
        customers: &long.customers,
        traits: &targets.traits,
        grades: &targets.grades,
        outputs: &model.network.predict(&panel.shares)?.mapv(f64::from),
        assigned: &assigned,
        short: &short_segments(&segmentation, &long.customers, short.as_ref())?,
    };
    found.write(&mut stage, &segmentation)?;
    write_drift(&mut stage, drift.as_ref())?;
    if let Some(drift) = &drift {
        log_drift(drift, Some(options.keep_overlap));
    }
    let inside = directions.select(ndarray::Axis(0), &rows_where(&targets.train, true));
    let mut rng = seed::stream(seed, "bootstrap", 0);
    let bootstrap = bootstrap_stability(&inside, &segmentation.centers, STARTS, BOOTSTRAPS, &mut rng)?;
    let members = Members {
        customers: &long.customers,
        classes: &panel.classes,
        traits: &targets.traits,
        shares: &panel.mean_shares(),
        grades: &targets.grades,
        states: &long.hidden,
        assigned: &assigned,
        short: found.short,
        bootstrap: Some(&bootstrap.jaccard),
    };
    profile::write(&mut stage, &segmentation, &model.weights()?, &members)?;
    examples::write(&mut stage, &targets, &long, short.as_ref())?;
    stage.finish()
}

/// Parameters of the panel that customers who come later must share.
pub(crate) const PANEL_PARAMETERS: [&str; 3] = ["window", "short_window", "empty_windows"];

/// Customers and where they belong.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) customers: &'a [String],
    pub(crate) traits: &'a [String],
    /// N x P.
    pub(crate) grades: &'a Array2<f64>,
    /// Outputs of the network, N x P.
    pub(crate) outputs: &'a Array2<f64>,
    /// Place of each customer's segment in the list of segments.
    pub(crate) assigned: &'a [usize],
    /// The same by the short window.
    pub(crate) short: &'a [Option<usize>],
}

impl Found<'_> {
    /// Writes the table of segments.
    ///
    /// # Errors
    /// If a grade is not finite, or the disk is full.
    pub(crate) fn write(&self, stage: &mut Stage<'_>, segmentation: &Segmentation) -> Result<()> {
        let id = |place: usize| segmentation.ids[place] as u16;
        let table = Segments {
            customer: self.customers.to_vec(),
            path: paths(self.grades, self.traits)?,
            model_path: paths(self.outputs, self.traits)?,
            segment: self.assigned.iter().map(|place| id(*place)).collect(),
            short_segment: self.short.iter().map(|place| place.map(id)).collect(),
        };
        stage.write_table(File::Segments, &Axes::new(), &table)
    }
}

/// Place of each customer's segment by the short window, for those who have one.
///
/// # Errors
/// If the states of the two windows have another number of units.
pub(crate) fn short_segments(
    segmentation: &Segmentation,
    customers: &[String],
    short: Option<&StoredStates>,
) -> Result<Vec<Option<usize>>> {
    let Some(short) = short else { return Ok(vec![None; customers.len()]) };
    let by_customer: HashMap<&String, usize> =
        short.customers.iter().zip(segmentation.assign(&short.hidden)?).collect();
    Ok(customers.iter().map(|customer| by_customer.get(customer).copied()).collect())
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
