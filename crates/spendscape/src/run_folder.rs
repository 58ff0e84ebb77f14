//! A run folder: the tables of a run, its manifest, and the rule by which a stage is up to date.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result};
use arrow::array::{ArrayRef, RecordBatch};
use spendscape_schema::{Axes, Table, Taxonomy};
use spendscape_store::{
    Digest, Manifest, Provenance, StageRecord, Stored, TableReader, read_table, this_build, write_table,
};

/// The file of a table in a run folder.
macro_rules! files {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal: $table:ident),* $(,)?) => {
        /// The files of a run folder.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum File {
            $($(#[doc = $doc])+ $variant),*
        }

        impl File {
            /// Its name in the folder.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => concat!($name, ".parquet")),* }
            }

            /// The table it holds.
            #[must_use]
            pub fn table(self) -> Table {
                match self { $(Self::$variant => Table::$table),* }
            }
        }
    };
}

files! {
    /// Validated transactions.
    Ledger = "ledger": Ledger,
    /// The classes.
    Taxonomy = "taxonomy": Taxonomy,
    /// Coefficients that link classes to traits.
    Coefficients = "coefficients": Coefficients,
    /// Shares over the long window.
    Panel = "panel": Panel,
    /// Shares over the short window.
    ShortPanel = "panel_short": Panel,
    /// The truth of a synthetic bank.
    Latent = "latent": Latent,
    /// Outcomes of a synthetic bank.
    Outcomes = "outcomes": Outcomes,
    /// Transactions of a synthetic bank's stream of goals.
    GoalLedger = "goal_ledger": Ledger,
    /// What could be known of its groups.
    GoalTruth = "goal_truth": GoalTruth,
    /// What is known of its customers.
    GoalCustomers = "goal_customers": GoalCustomers,
    /// Balances per period.
    Balances = "balances": Balances,
    /// Scores and grades.
    Targets = "targets": Targets,
    /// Weights.
    Model = "model": Model,
    /// Metrics per epoch.
    Training = "training": Training,
    /// States over the long window.
    States = "states": States,
    /// States over the short window.
    ShortStates = "states_short": States,
    /// The canonical frame.
    Frame = "frame": Frame,
    /// Direction angles.
    Angles = "angles": Angles,
    /// Outputs and predicted final locations.
    Predictions = "predictions": Predictions,
    /// Trait axes in state space.
    TraitAxes = "trait_axes": TraitAxes,
    /// Reachable outputs.
    Reach = "reach": Reach,
    /// Micro-segments.
    Segments = "segments": Segments,
    /// Where the segments lie.
    SegmentCenters = "segment_centers": SegmentCenters,
    /// What the segments are like.
    Profiles = "profiles": Profiles,
    /// Spending that sets segments apart.
    ProfileSpending = "profile_spending": ProfileSpending,
    /// The segments' mean trajectories.
    ProfileTrajectories = "profile_trajectories": ProfileTrajectories,
    /// Customers typical of the segments.
    ProfileCustomers = "profile_customers": ProfileCustomers,
    /// What became of an earlier run's segments.
    Drift = "drift": Drift,
    /// Customers that illustrate a claim.
    Examples = "examples": Examples,
    /// The surrogate's coefficients.
    Surrogate = "surrogate": Surrogate,
    /// The surrogate's angles.
    SurrogateAngles = "surrogate_angles": SurrogateAngles,
    /// Why each customer is in its segment.
    Explanations = "explanations": Explanations,
    /// What each class adds to the lead of explained customers.
    Contributions = "contributions": Contributions,
    /// Protected and proxy classes.
    FlaggedClasses = "flagged_classes": FlaggedClasses,
    /// How faithful the surrogates are.
    Fidelity = "fidelity": Metrics,
    /// End states under a held input.
    EndStates = "end_states": EndStates,
    /// Fixed points.
    FixedPoints = "fixed_points": FixedPoints,
    /// Extended trajectories of a sample.
    Extended = "extended": Extended,
    /// Single maps in depth.
    Maps = "maps": Maps,
    /// Their fixed points.
    MapPoints = "map_points": MapPoints,
    /// Their cycles.
    MapCycles = "map_cycles": MapCycles,
    /// Where their attractors are lost.
    MapJumps = "map_jumps": MapJumps,
    /// Where further points of theirs may lie.
    MapBoxes = "map_boxes": MapBoxes,
    /// What became of the starts of the search.
    MapStarts = "map_starts": MapStarts,
    /// Edges of their basins.
    MapEdges = "map_edges": MapEdges,
    /// How their points move with the input.
    MapSensitivities = "map_sensitivities": MapSensitivities,
    /// Their attractors along paths of inputs.
    MapBranches = "map_branches": MapBranches,
    /// Attractors of the population.
    Attractors = "attractors": Attractors,
    /// The same customers' attractors in the shapes that P3 prints.
    PrintedAttractors = "attractors_printed": Attractors,
    /// The comparison of representations.
    Comparison = "comparison": Comparison,
    /// The comparison over seeds.
    ComparisonSummary = "comparison_summary": ComparisonSummary,
    /// Held-out scores of an outcome.
    OutcomeScores = "outcome_scores": OutcomeScores,
    /// Their measures.
    OutcomeMeasures = "outcome_measures": OutcomeMeasures,
    /// Their curves.
    OutcomeCurves = "outcome_curves": OutcomeCurves,
    /// Differences between feature sets.
    OutcomeComparisons = "outcome_comparisons": OutcomeComparisons,
    /// Reasons for scores.
    OutcomeReasons = "outcome_reasons": OutcomeReasons,
    /// Scorecard.
    Scorecard = "scorecard": Scorecard,
    /// Groups of transactions, whose goals are predicted.
    GoalGroups = "goal_groups": GoalGroups,
    /// The customers whose groups were formed.
    GoalRoster = "goal_roster": GoalRoster,
    /// Weights of the goals' networks.
    GoalModel = "goal_model": Model,
    /// Their training.
    GoalTraining = "goal_training": GoalTraining,
    /// How well next goals are predicted.
    GoalMeasures = "goal_measures": GoalMeasures,
    /// By how much better than by other models.
    GoalComparisons = "goal_comparisons": GoalComparisons,
    /// Goals predicted against goals that came.
    GoalConfusion = "goal_confusion": GoalConfusion,
    /// What comes next for every customer.
    GoalPredictions = "goal_predictions": GoalPredictions,
    /// Why.
    GoalReasons = "goal_reasons": GoalReasons,
    /// What to recommend.
    Recommendations = "recommendations": Recommendations,
    /// Whom to address.
    Campaigns = "campaigns": Campaigns,
    /// What that gained on past days.
    CampaignUplift = "campaign_uplift": CampaignUplift,
    /// What goes with what.
    CrossSelling = "cross_selling": CrossSelling,
    /// Expected demand.
    Demand = "demand": Demand,
    /// How such forecasts came out.
    DemandScores = "demand_scores": DemandScores,
    /// Measured figures.
    Metrics = "metrics": Metrics,
}

/// A run folder, and the folder that holds the panel it works on (often the same one).
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
    data: PathBuf,
}

/// A stage at work: collects its inputs and outputs for the manifest.
#[derive(Debug)]
pub struct Stage<'a> {
    run: &'a RunFolder,
    name: &'static str,
    /// Parameters and inputs: what decides whether the stage is up to date.
    key: Provenance,
    /// The key and what was learned on the way: what the outputs carry.
    provenance: Provenance,
    paths: BTreeMap<String, String>,
    outputs: BTreeMap<String, Digest>,
    start: Instant,
}

impl RunFolder {
    /// A run folder whose panel lies in `data`, or in the folder itself.
    #[must_use]
    pub fn new(path: &Path, data: Option<&Path>) -> Self {
        Self { path: path.to_owned(), data: data.unwrap_or(path).to_owned() }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that holds the panel.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Where a file is: what the run made itself, otherwise what the data folder has.
    #[must_use]
    pub fn find(&self, file: File) -> PathBuf {
        let own = self.path.join(file.name());
        if own.exists() { own } else { self.data.join(file.name()) }
    }

    /// Where a file that is no table is, if it is there: the run's own before the data folder's.
    #[must_use]
    pub fn find_plain(&self, name: &str) -> Option<PathBuf> {
        [&self.path, &self.data].into_iter().map(|folder| folder.join(name)).find(|path| path.exists())
    }

    /// Whether a file is there.
    #[must_use]
    pub fn has(&self, file: File) -> bool {
        self.find(file).exists()
    }

    /// Reads a whole table.
    ///
    /// # Errors
    /// If it is missing, damaged or another table.
    pub fn read(&self, file: File) -> Result<Stored> {
        Ok(read_table(&self.find(file), file.table())?)
    }

    /// Starts a stage from its parameters and input files, or returns `None` if its outputs are up to date.
    ///
    /// # Errors
    /// If an input is missing or damaged.
    pub fn stage(
        &self,
        name: &'static str,
        provenance: Provenance,
        inputs: &[File],
        force: bool,
    ) -> Result<Option<Stage<'_>>> {
        let mut provenance = provenance;
        let mut paths = BTreeMap::new();
        for input in inputs {
            let path = self.find(*input);
            let reader = TableReader::open(&path, input.table())
                .with_context(|| format!("stage `{name}` needs {}", input.name()))?;
            provenance = provenance.input(input.name(), reader.digest());
            paths.insert(input.name().to_owned(), path.display().to_string());
        }
        if !force && Manifest::read(&self.path)?.is_current(&self.path, name, &provenance) {
            tracing::info!(stage = name, "is up to date");
            return Ok(None);
        }
        tracing::info!(stage = name, "starts");
        let (outputs, start) = (BTreeMap::new(), Instant::now());
        Ok(Some(Stage { run: self, name, key: provenance.clone(), provenance, paths, outputs, start }))
    }
}

impl Stage<'_> {
    /// The run folder.
    #[must_use]
    pub fn run(&self) -> &RunFolder {
        self.run
    }

    /// What the stage's outputs are made from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// Adds something learned on the way to the provenance of what is written from now on.
    pub fn note(&mut self, name: &str, value: impl Into<serde_json::Value>) {
        let provenance = std::mem::replace(&mut self.provenance, Provenance::new(self.name));
        self.provenance = provenance.parameter(name, value);
    }

    /// Writes one table of the stage.
    ///
    /// # Errors
    /// If the columns do not make the table or the disk is full.
    pub fn write(&mut self, file: File, axes: &Axes, columns: Vec<ArrayRef>) -> Result<()> {
        let schema = file.table().schema(axes)?;
        let batch =
            RecordBatch::try_new(schema, columns).with_context(|| format!("cannot make {}", file.name()))?;
        self.write_batch(file, &batch)
    }

    /// Writes one table of the stage from a batch that has its schema.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn write_batch(&mut self, file: File, batch: &RecordBatch) -> Result<()> {
        let path = self.run.path.join(file.name());
        let written = write_table(&path, file.table(), batch, self.provenance.clone())?;
        self.wrote(file.name(), written.digest);
        Ok(())
    }

    /// Records a file that the stage wrote by other means.
    pub fn wrote(&mut self, file: &str, digest: Digest) {
        self.outputs.insert(file.to_owned(), digest);
    }

    /// Records where a file outside the run folder lies.
    pub fn path(&mut self, name: &str, path: &Path) {
        self.paths.insert(name.to_owned(), path.display().to_string());
    }

    /// Enters the stage into the manifest.
    ///
    /// # Errors
    /// If the manifest cannot be written.
    pub fn finish(self) -> Result<()> {
        let seconds = self.start.elapsed().as_secs_f64();
        tracing::info!(stage = self.name, seconds = format!("{seconds:.2}"), "done");
        let mut manifest = Manifest::read(&self.run.path)?;
        manifest.stages.insert(
            self.name.to_owned(),
            StageRecord {
                provenance: self.key,
                build: this_build(),
                outputs: self.outputs,
                finished: jiff::Timestamp::now().to_string(),
                seconds,
                threads: rayon::current_num_threads(),
                paths: self.paths,
            },
        );
        Ok(manifest.write(&self.run.path)?)
    }
}

/// Reads the taxonomy's spending classes from a run folder.
///
/// # Errors
/// If the table is missing or damaged.
pub fn spending_classes(run: &RunFolder) -> Result<Vec<String>> {
    let rows = run.read(File::Taxonomy)?.rows;
    let (classes, flows) = (rows.text("class")?, rows.text("flow")?);
    let spending = spendscape_schema::Flow::Spending.name();
    Ok(classes.into_iter().zip(flows).filter(|(_, flow)| flow == spending).map(|(class, _)| class).collect())
}

/// A taxonomy as it is written to a run folder.
///
/// # Errors
/// If the disk is full.
pub fn write_taxonomy(stage: &mut Stage<'_>, taxonomy: &Taxonomy) -> Result<()> {
    stage.write_batch(File::Taxonomy, &taxonomy.to_batch()?)
}
