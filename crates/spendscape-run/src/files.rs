//! The files of a run folder.

use spendscape_schema::Table;

/// The goal map of a synthetic bank's stream of goals, which is no table.
pub const GOAL_MAP_FILE: &str = "goals.toml";

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
    /// How states of more than three units are drawn.
    Projection = "projection": Projection,
    /// Mean shares.
    MeanShares = "mean_shares": MeanShares,
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
    /// The smallest changes of spending that would move customers.
    Moves = "moves": Moves,
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
    pub(crate) fn maker(self) -> &'static str {
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
            Table::States
            | Table::Frame
            | Table::Angles
            | Table::Projection
            | Table::MeanShares
            | Table::Predictions
            | Table::TraitAxes
            | Table::Reach => "states",
            Table::Segments | Table::SegmentCenters => "segment",
            Table::Surrogate
            | Table::SurrogateAngles
            | Table::FlaggedClasses
            | Table::Explanations
            | Table::Moves
            | Table::Contributions => "explain",
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

    /// Whether `assign` makes it too, of customers who come later.
    #[must_use]
    pub fn is_assigned(self) -> bool {
        matches!(
            self,
            Self::Targets
                | Self::States
                | Self::ShortStates
                | Self::Angles
                | Self::Projection
                | Self::MeanShares
                | Self::Predictions
                | Self::Segments
                | Self::Drift
                | Self::Profiles
                | Self::ProfileSpending
                | Self::ProfileCustomers
                | Self::ProfileTrajectories
        )
    }

    /// Whether it is made from raw data rather than by a run.
    pub(crate) fn is_data(self) -> bool {
        matches!(self.maker(), "synth" | "ingest")
    }

    /// Whether runs in other folders may work on it.
    pub(crate) fn is_for_others(self) -> bool {
        self.is_data() || matches!(self, Self::GoalGroups | Self::GoalRoster)
    }
}
