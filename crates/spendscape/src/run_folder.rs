//! A run folder: the tables of a run, its manifest, and the rule by which a stage is up to date.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use arrow::array::RecordBatch;
use spendscape_schema::{Axes, Flow, Table, Tabular, Taxonomy, tables};
use spendscape_store::{
    Digest, FolderLock, Manifest, Provenance, StageRecord, Standing, Stored, TableReader, TableWriter, Use,
    digest_of, manifest::command, read_table, seal_of, standing, this_build, write_file, write_table,
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
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

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
    /// Customers of the ledger who are not in the panels.
    LeftOut = "left_out": LeftOut,
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

impl File {
    /// The stage that makes it, where a user has to be told one.
    fn maker(self) -> &'static str {
        match self.table() {
            Table::Latent | Table::Outcomes | Table::GoalTruth | Table::GoalCustomers => "synth",
            Table::Ledger
            | Table::Taxonomy
            | Table::Coefficients
            | Table::Panel
            | Table::LeftOut
            | Table::Balances => "ingest",
            Table::Targets | Table::Training => "train",
            Table::Model if self == Self::Model => "train",
            Table::Model | Table::GoalMeasures | Table::GoalComparisons | Table::GoalConfusion => {
                "goals train"
            }
            Table::GoalTraining => "goals train",
            Table::States | Table::Frame | Table::Angles => "states",
            Table::Segments | Table::SegmentCenters => "segment",
            Table::Surrogate | Table::SurrogateAngles | Table::FlaggedClasses => "explain",
            Table::GoalGroups | Table::GoalRoster => "goals groups",
            Table::GoalPredictions | Table::GoalReasons => "goals predict",
            Table::CampaignUplift | Table::Campaigns => "goals campaign",
            Table::DemandScores | Table::Demand => "goals demand",
            Table::OutcomeMeasures | Table::OutcomeComparisons => "outcomes",
            Table::Metrics | Table::Comparison => "evaluate",
            Table::ComparisonSummary => "compare",
            _ => "run",
        }
    }

    /// Whether it is made from raw data rather than by a run.
    fn is_data(self) -> bool {
        matches!(self.maker(), "synth" | "ingest")
    }

    /// Whether runs in other folders may work on it.
    fn is_for_others(self) -> bool {
        self.is_data() || matches!(self, Self::GoalGroups | Self::GoalRoster)
    }
}

/// A run folder, and the folder that holds the panel it works on (often the same one).
///
/// As long as it lives no other process of the program writes in either folder.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
    data: Option<PathBuf>,
    /// The run folder's lock, from when there is a folder to lock.
    lock: OnceLock<Arc<FolderLock>>,
    _data_lock: Option<Arc<FolderLock>>,
    /// Digests of the tables that stages were started with.
    inputs: Arc<Mutex<BTreeMap<PathBuf, Digest>>>,
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
    /// Files that it has told the manifest of.
    claimed: BTreeSet<String>,
    /// The manifest before that.
    before: Option<Manifest>,
    start: Instant,
}

impl RunFolder {
    /// Opens a run folder to work in, whose panel lies in `data` or in the folder itself.
    ///
    /// # Errors
    /// [`spendscape_store::Error::Busy`] if another process works in either; if `data` holds nothing, or both hold data that
    /// differ.
    pub fn open(path: &Path, data: Option<&Path>) -> Result<Self> {
        let same =
            |data: &&Path| matches!((data.canonicalize(), path.canonicalize()), (Ok(a), Ok(b)) if a == b);
        let data = data.filter(|data| !same(data));
        let data_lock = match data {
            Some(data) => Some(Self::lock_data(data)?),
            None => None,
        };
        let run = Self::at(path, data, data_lock);
        if path.is_dir() {
            run.secure()?;
        }
        run.refuse_other_data()?;
        Ok(run)
    }

    /// Opens a run folder to read from.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_to_read(path: &Path) -> Result<Self> {
        let run = Self::at(path, None, None);
        if path.is_dir() {
            let lock = FolderLock::acquire(path, Use::Read)?;
            run.lock.get_or_init(|| lock);
        }
        Ok(run)
    }

    /// Opens a trained run to read from, with its panel where training found it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_trained(path: &Path) -> Result<Self> {
        let run = Self::open_to_read(path)?;
        Ok(match run.elsewhere(File::Panel)? {
            Some(data) => Self { _data_lock: Some(Self::lock_data(&data)?), data: Some(data), ..run },
            None => run,
        })
    }

    /// The folder in which stages of this run found a file that the folders at hand do not have.
    fn elsewhere(&self, file: File) -> Result<Option<PathBuf>> {
        if self.find(file).exists() {
            return Ok(None);
        }
        let stages = Manifest::read(&self.path)?.stages;
        let mut paths = stages.values().filter_map(|record| record.paths.get(file.name()).map(Path::new));
        Ok(paths.find(|path| path.exists()).and_then(Path::parent).map(Path::to_owned))
    }

    fn at(path: &Path, data: Option<&Path>, data_lock: Option<Arc<FolderLock>>) -> Self {
        let data = data.map(Path::to_owned);
        Self {
            path: path.to_owned(),
            data,
            lock: OnceLock::new(),
            _data_lock: data_lock,
            inputs: Arc::default(),
        }
    }

    fn lock_data(data: &Path) -> Result<Arc<FolderLock>> {
        // A folder that has only what runs make would be ignored.
        ensure!(
            holds_data(data),
            "--data {}: there are no data: name the folder that `spendscape ingest` or `synth` wrote to",
            data.display()
        );
        Ok(FolderLock::acquire(data, Use::Read)?)
    }

    /// Locks the folder, which is made if it is not there.
    fn secure(&self) -> Result<()> {
        if self.lock.get().is_none() {
            std::fs::create_dir_all(&self.path)
                .with_context(|| format!("cannot create {}", self.path.display()))?;
            let lock = FolderLock::acquire(&self.path, Use::Write)?;
            self.lock.get_or_init(|| lock);
        }
        Ok(())
    }

    /// Refuses data of the folder's own beside those of another folder: one of the two would be ignored. A panel of its own
    /// may be made from the other folder's ledger, which its record tells.
    fn refuse_other_data(&self) -> Result<()> {
        let Some(data) = &self.data else { return Ok(()) };
        let manifest = Manifest::read(&self.path)?;
        let panel = manifest.stages.get("panel").filter(|panel| {
            let ledger = digest_of(&data.join(File::Ledger.name())).ok();
            ledger.is_some() && panel.provenance.inputs.get(File::Ledger.name()) == ledger.as_ref()
        });
        let made = |file: &File| panel.is_some_and(|panel| panel.outputs.contains_key(file.name()));
        for file in File::ALL.iter().filter(|file| file.is_data() && !made(file)) {
            let [own, other] = [&self.path, data].map(|folder| folder.join(file.name()));
            if own.exists() && other.exists() {
                ensure!(
                    digest_of(&own)? == digest_of(&other)?,
                    "{} and {} differ: {} has data of its own, so that --data would be ignored or mixed with them; leave it out, \
                     or work in another run folder",
                    own.display(),
                    other.display(),
                    self.path.display()
                );
            }
        }
        Ok(())
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that holds the panel.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.as_deref().unwrap_or(&self.path)
    }

    /// The folder that holds the panel of other runs that this one is about: its own, if it has data.
    #[must_use]
    pub fn data_for_others(&self) -> Option<&Path> {
        Some(self.data()).filter(|folder| holds_data(folder))
    }

    /// Where a file is: what the run made itself, otherwise what the data folder has.
    #[must_use]
    pub fn find(&self, file: File) -> PathBuf {
        self.place(file.name())
    }

    fn place(&self, name: &str) -> PathBuf {
        let own = self.path.join(name);
        if own.exists() { own } else { self.data().join(name) }
    }

    fn standing(&self, name: &str) -> Result<Standing> {
        Ok(standing(name, &|name| self.place(name))?)
    }

    /// Whether an optional table is there and counts. One that is there and does not is told of.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn has(&self, file: File) -> Result<bool> {
        Ok(self.counts(file.name())?.is_some())
    }

    /// Where an optional file is that is no table, if a stage that counts wrote it.
    ///
    /// # Errors
    /// If it is not what the stage wrote.
    pub fn find_plain(&self, name: &str) -> Result<Option<PathBuf>> {
        self.counts(name)
    }

    fn counts(&self, name: &str) -> Result<Option<PathBuf>> {
        let path = self.place(name);
        match self.standing(name)? {
            Standing::Missing => Ok(None),
            Standing::Current(_) => Ok(Some(path)),
            Standing::Stale(stale) => {
                tracing::warn!("left out: {stale}");
                Ok(None)
            }
        }
    }

    /// The trained run to whose segments the customers of this folder were assigned, where a file is one that training makes.
    fn assigned_to(&self, file: File) -> Result<Option<String>> {
        if !["train", "states", "segment"].contains(&file.maker()) {
            return Ok(None);
        }
        let record = self.record("assign")?;
        let trained = |record: StageRecord| record.paths.get("trained").cloned();
        Ok(record.map(|record| trained(record).unwrap_or_else(|| "another run".to_owned())))
    }

    /// The place and the digest of a table that is needed.
    ///
    /// # Errors
    /// If it is missing, damaged, or of another run than the tables beside it: what to do is said.
    pub fn need(&self, file: File) -> Result<(PathBuf, Digest)> {
        match self.standing(file.name())? {
            Standing::Current(digest) => Ok((self.find(file), digest)),
            Standing::Stale(stale) => bail!("{stale}"),
            Standing::Missing => {
                if let Some(folder) = self.elsewhere(file)? {
                    bail!(
                        "{} is not in {}: the run was made with that of {}, which is named by `--data {}`",
                        file.name(),
                        self.path.display(),
                        folder.display(),
                        folder.display()
                    );
                }
                if let Some(trained) = self.assigned_to(file)? {
                    bail!(
                        "{} is not in {}: its customers were assigned to the segments of {trained}, which holds the network. This \
                         command works on a trained run: name that one. To train here would replace the assignment",
                        file.name(),
                        self.path.display()
                    );
                }
                let folder = if file.is_data() { self.data() } else { &self.path };
                let beside = match &self.data {
                    Some(data) => format!(" nor in {}", data.display()),
                    None => String::new(),
                };
                bail!(
                    "{} is not in {}{beside}: `{}` makes it",
                    file.name(),
                    self.path.display(),
                    command(file.maker(), folder)
                )
            }
        }
    }

    /// Reads a whole table.
    ///
    /// # Errors
    /// As [`Self::need`], and if it is another one than when the stage started.
    pub fn read(&self, file: File) -> Result<Stored> {
        let (path, _) = self.need(file)?;
        let stored = read_table(&path, file.table())?;
        let inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(expected) = inputs.get(&path) {
            ensure!(
                *expected == stored.digest,
                "{} was replaced while it was worked with: run the command again",
                path.display()
            );
        }
        Ok(stored)
    }

    /// Reads a table as a type.
    ///
    /// # Errors
    /// As [`Self::read`], and if the file holds another table.
    pub fn table<T: Tabular>(&self, file: File) -> Result<T> {
        Ok(self.read(file)?.table()?)
    }

    /// Adds a table to what a stage is made from, under a name: its content and what it says of itself.
    ///
    /// # Errors
    /// As [`Self::need`].
    pub fn input(&self, provenance: Provenance, name: &str, file: File) -> Result<Provenance> {
        let (path, digest) = self.need(file)?;
        let said = TableReader::open(&path, file.table())?.provenance().said();
        Ok(provenance.table(name, &digest, &said))
    }

    /// What a stage was last finished with.
    ///
    /// # Errors
    /// If the manifest cannot be read.
    pub fn record(&self, stage: &str) -> Result<Option<StageRecord>> {
        Ok(Manifest::read(&self.path)?.stages.remove(stage))
    }

    /// Starts a stage from its parameters and input files, or returns `None` if its outputs are up to date.
    ///
    /// # Errors
    /// As [`Self::need`].
    pub fn stage(
        &self,
        name: &'static str,
        provenance: Provenance,
        inputs: &[File],
        force: bool,
    ) -> Result<Option<Stage<'_>>> {
        let mut provenance = provenance;
        let mut paths = BTreeMap::new();
        let mut known = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        for input in inputs {
            let needs = || format!("stage `{name}` needs {}", input.name());
            let (path, digest) = self.need(*input).with_context(needs)?;
            provenance = self.input(provenance, input.name(), *input).with_context(needs)?;
            // A later command may run elsewhere.
            let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
            paths.insert(input.name().to_owned(), absolute.display().to_string());
            known.insert(path, digest);
        }
        drop(known);
        if !force && Manifest::read(&self.path)?.is_current(&self.path, name, &provenance) {
            tracing::info!(stage = name, "is up to date");
            return Ok(None);
        }
        tracing::info!(stage = name, "starts");
        Ok(Some(Stage {
            run: self,
            name,
            key: provenance.clone(),
            provenance,
            paths,
            outputs: BTreeMap::new(),
            claimed: BTreeSet::new(),
            before: None,
            start: Instant::now(),
        }))
    }
}

fn holds_data(folder: &Path) -> bool {
    File::ALL.iter().any(|file| file.is_for_others() && folder.join(file.name()).exists())
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

    /// Where a table of the stage goes, for who writes it by other means and then says so with [`Self::wrote`]. From now on
    /// the stage's record does not count, nor that of another stage that has the table: not even if the process is killed.
    ///
    /// # Errors
    /// If the manifest cannot be written.
    pub fn place(&mut self, file: File) -> Result<PathBuf> {
        self.claim(file.name())
    }

    fn claim(&mut self, name: &str) -> Result<PathBuf> {
        let path = self.run.path.join(name);
        if self.claimed.insert(name.to_owned()) {
            self.run.secure()?;
            let before = Manifest::read(&self.run.path)?;
            let mut manifest = before.clone();
            if manifest.claim(self.name, &self.key, name) {
                manifest.write(&self.run.path)?;
            }
            self.before.get_or_insert(before);
        }
        Ok(path)
    }

    /// Writes one table of the stage; `axes` name the entries of its vectors.
    ///
    /// # Errors
    /// If columns differ in length or the disk is full.
    pub fn write_table<T: Tabular>(&mut self, file: File, axes: &Axes, table: &T) -> Result<()> {
        let batch = table.to_batch(axes).with_context(|| format!("cannot make {}", file.name()))?;
        self.write_batch(file, &batch)
    }

    /// Writes one table of the stage from a batch that has its schema.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn write_batch(&mut self, file: File, batch: &RecordBatch) -> Result<()> {
        let path = self.claim(file.name())?;
        let written = write_table(&path, file.table(), batch, self.provenance.clone())?;
        self.wrote(file, written.digest);
        Ok(())
    }

    /// The same from at least one batch; only the one at hand need be in memory.
    ///
    /// # Errors
    /// As [`Self::write_batch`]; [`Error`](spendscape_schema::Error) if a batch cannot be made.
    pub fn write_batches(
        &mut self,
        file: File,
        batches: impl IntoIterator<Item = Result<RecordBatch, spendscape_schema::Error>>,
    ) -> Result<()> {
        let path = self.claim(file.name())?;
        let mut writer: Option<TableWriter> = None;
        for batch in batches {
            let batch = batch.with_context(|| format!("cannot make {}", file.name()))?;
            let writer = match &mut writer {
                Some(writer) => writer,
                none => none.insert(TableWriter::create(
                    &path,
                    file.table(),
                    batch.schema(),
                    self.provenance.clone(),
                )?),
            };
            writer.write(&batch)?;
        }
        let writer = writer.with_context(|| format!("{} has no rows", file.name()))?;
        self.wrote(file, writer.finish()?.digest);
        Ok(())
    }

    /// Writes a file of the stage that is no table.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn write_plain(&mut self, name: &str, content: &[u8]) -> Result<()> {
        write_file(&self.claim(name)?, content)?;
        self.outputs.insert(name.to_owned(), Digest::of(content));
        Ok(())
    }

    /// Records a table that the stage wrote by other means.
    pub fn wrote(&mut self, file: File, digest: Digest) {
        self.outputs.insert(file.name().to_owned(), digest);
    }

    /// Reads a table that the stage has written; none if it has not.
    ///
    /// # Errors
    /// If it was damaged since.
    pub fn read_back(&self, file: File) -> Result<Option<Stored>> {
        if !self.outputs.contains_key(file.name()) {
            return Ok(None);
        }
        Ok(Some(read_table(&self.run.path.join(file.name()), file.table())?))
    }

    /// Records where a file outside the run folder lies.
    pub fn path(&mut self, name: &str, path: &Path) {
        self.paths.insert(name.to_owned(), path.display().to_string());
    }

    /// Removes what earlier runs of the stage wrote and this one did not, and enters the stage into the manifest.
    ///
    /// # Errors
    /// If a file cannot be removed or the manifest cannot be written.
    pub fn finish(mut self) -> Result<()> {
        let seconds = self.start.elapsed().as_secs_f64();
        tracing::info!(stage = self.name, seconds = format!("{seconds:.2}"), "done");
        let tables = File::ALL.iter().filter(|file| self.outputs.contains_key(file.name()));
        let seals =
            tables.map(|file| Ok((file.name().to_owned(), seal_of(&self.run.path.join(file.name()))?)));
        let seals = seals.collect::<Result<_>>()?;
        let record = StageRecord {
            provenance: self.key.clone(),
            build: this_build(),
            outputs: self.outputs.clone(),
            seals,
            finished: jiff::Timestamp::now().to_string(),
            seconds,
            threads: rayon::current_num_threads(),
            paths: self.paths.clone(),
            void: None,
        };
        let mut manifest = Manifest::read(&self.run.path)?;
        for name in manifest.finish(self.name, record) {
            let path = self.run.path.join(name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", path.display()));
                }
                _ => {}
            }
        }
        manifest.write(&self.run.path)?;
        self.before = None;
        Ok(())
    }
}

impl Drop for Stage<'_> {
    /// A stage that fails before its first file is complete has changed nothing: what its folder held counts as before.
    fn drop(&mut self) {
        if let Some(before) = self.before.take().filter(|_| self.outputs.is_empty())
            && let Err(error) = before.write(&self.run.path)
        {
            tracing::warn!("cannot restore the manifest: {error}");
        }
    }
}

/// Reads the taxonomy's spending classes from a run folder.
///
/// # Errors
/// If the table is missing or damaged.
pub fn spending_classes(run: &RunFolder) -> Result<Vec<String>> {
    let table: tables::Taxonomy = run.table(File::Taxonomy)?;
    let spending = table.into_rows().filter(|row| row.flow == Flow::Spending.name());
    Ok(spending.map(|row| row.class).collect())
}

/// A taxonomy as it is written to a run folder.
///
/// # Errors
/// If the disk is full.
pub fn write_taxonomy(stage: &mut Stage<'_>, taxonomy: &Taxonomy) -> Result<()> {
    stage.write_batch(File::Taxonomy, &taxonomy.to_batch()?)
}
