//! Micro-segments: dominance paths, clusters of directions that keep their ids over refits, their profiles, and customers
//! that illustrate them.

mod centers;
mod examples;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use ndarray::Axis as Dimension;
use serde::Serialize;
use spendscape_run::{
    File, Model, Notes, RunFolder, Segmentation, Sources, Stage, StoredStates, StoredTargets, TableHead,
    WithAxes, execute, inputs, outputs,
};
use spendscape_schema::{
    Axis, seed,
    tables::{Drift, Examples, MeanShares, Predictions, Segments},
};
use spendscape_segments::{directions::unit_rows, stability::bootstrap_stability};

use super::command_line_defaults;
use crate::segmented::{
    Assigned, PANEL_PARAMETERS,
    identity::{self, log_drift},
    profile::Members,
    short_segments,
};
pub use crate::segmented::{identity::Earlier, profile::ProfileTables};

/// How customers are segmented.
#[derive(Debug, Clone, Args, Serialize)]
pub struct SegmentOptions {
    /// Number of segments
    #[arg(long, default_value_t = Segmentation::CLUSTERS as u16, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub clusters: u16,
    /// Earlier run: segments that continue one of its segments keep that one's id, and `drift` says what changed
    #[arg(long, value_name = "RUN")]
    #[serde(skip)]
    pub previous: Option<PathBuf>,
    /// A segment keeps an earlier id only if the Jaccard overlap of their customers is larger than this
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, requires = "previous")]
    pub keep_overlap: f64,
}

impl Default for SegmentOptions {
    fn default() -> Self {
        command_line_defaults()
    }
}

/// What segments are made with.
#[derive(Debug, Clone, Serialize)]
pub struct SegmentParams {
    /// What the command line says.
    #[serde(flatten)]
    pub options: SegmentOptions,
    /// Seed of the clustering's starts.
    pub seed: u64,
    /// Restarts of k-means.
    pub starts: usize,
    /// Refits on bootstrap samples.
    pub bootstraps: usize,
}

impl SegmentParams {
    /// The options with a seed.
    #[must_use]
    pub fn new(options: SegmentOptions, seed: u64) -> Self {
        Self { options, seed, starts: Segmentation::STARTS, bootstraps: Segmentation::BOOTSTRAPS }
    }
}

inputs! {
    /// What segments are made from.
    pub struct SegmentInputs {
        /// Grades, and who was trained on.
        pub targets: StoredTargets = table File::Targets,
        /// States over the long window.
        pub states: StoredStates = table File::States,
        /// States over the short window.
        pub short: Option<StoredStates> = table File::ShortStates,
        /// The network.
        pub model: Model = table File::Model,
        /// Mean shares.
        pub mean_shares: WithAxes<MeanShares> = table File::MeanShares,
        /// Outputs of the network.
        pub predictions: Predictions = table File::Predictions,
        /// How the panel was made.
        pub panel: TableHead = table File::Panel,
        /// The segments of an earlier run.
        pub earlier: Option<Earlier> = folder "earlier",
    }
}

outputs! {
    /// Micro-segments and what they are like.
    pub struct SegmentOutputs {
        /// Where they lie.
        pub centers: Segmentation = table File::SegmentCenters,
        /// Who belongs to which.
        pub segments: Segments = table File::Segments,
        /// What became of an earlier run's segments.
        pub drift: Drift = table File::Drift,
        /// What they are like.
        pub profiles: ProfileTables = all (),
        /// Customers that illustrate a claim.
        pub examples: Examples = table File::Examples,
    }
}

/// Assigns every customer to a micro-segment.
#[derive(Debug)]
pub struct Segment;

impl Stage for Segment {
    const NAME: &'static str = "segment";
    type Params = SegmentParams;
    type Inputs = SegmentInputs;
    type Outputs = SegmentOutputs;

    fn run(params: &SegmentParams, inputs: SegmentInputs, notes: &mut Notes) -> Result<SegmentOutputs> {
        let SegmentInputs { targets, states: long, short, model, mean_shares, predictions, panel, earlier } =
            inputs;
        let directions = unit_rows(&long.ends()?);
        let start =
            earlier.as_ref().map(|earlier| earlier.centers(&long.customers, &directions, &targets.train));
        let fit = centers::Fit {
            clusters: usize::from(params.options.clusters),
            starts: params.starts,
            seed: params.seed,
        };
        let mut segmentation = fit.fit(&directions, &targets.train, start.transpose()?.as_ref())?;
        let assigned = segmentation.assign(&long.hidden)?;
        let keep = params.options.keep_overlap;
        let drift =
            earlier.map(|earlier| earlier.rename(&mut segmentation, &long.customers, &assigned, keep));
        let drift = drift.transpose()?;
        if let Some(drift) = &drift {
            log_drift(drift, Some(keep));
        }
        // Customers who come later are to be treated in the same way.
        for name in PANEL_PARAMETERS {
            if let Some(value) = panel.provenance.parameters.get(name) {
                notes.add(&format!("panel_{name}"), value.clone());
            }
        }
        notes.add("periods", long.hidden.dim().1);
        let short_segments = short_segments(&segmentation, &long.customers, short.as_ref())?;
        let found = Assigned {
            customers: &long.customers,
            traits: &targets.traits,
            grades: &targets.grades,
            outputs: &predictions.output,
            assigned: &assigned,
            short: &short_segments,
        };
        let inside = directions.select(Dimension(0), &targets.train_rows());
        let mut rng = seed::stream(params.seed, "bootstrap", 0);
        let bootstrap =
            bootstrap_stability(&inside, &segmentation.centers, params.starts, params.bootstraps, &mut rng)?;
        let members = Members {
            customers: &long.customers,
            classes: mean_shares.axes.labels(Axis::Class)?,
            traits: &targets.traits,
            shares: &mean_shares.table.share,
            grades: &targets.grades,
            states: &long.hidden,
            assigned: &assigned,
            short: &short_segments,
            bootstrap: Some(&bootstrap.jaccard),
        };
        let weights = model.weights()?;
        Ok(SegmentOutputs {
            segments: found.table(&segmentation)?,
            drift: identity::table(drift.as_ref(), notes)?,
            profiles: ProfileTables::of(&segmentation, &weights, &members)?,
            examples: examples::table(&long, short.as_ref(), &weights.output, &model.traits)?,
            centers: segmentation,
        })
    }
}

/// Assigns every customer of a run folder to a micro-segment.
///
/// # Errors
/// If the states are missing, or the earlier run has no segments or no customer of this one.
pub fn segment(run: &RunFolder, options: &SegmentOptions, seed: u64, force: bool) -> Result<()> {
    let files = [File::Segments, File::SegmentCenters];
    let open = |path| identity::open(path, run, &files, "has no segments to go by");
    let earlier = options.previous.as_deref().map(open).transpose()?;
    let mut sources = Sources::new(run);
    if let Some(earlier) = &earlier {
        sources = sources.folder("earlier", earlier);
    }
    execute::<Segment>(&sources, &SegmentParams::new(options.clone(), seed), force)
}
