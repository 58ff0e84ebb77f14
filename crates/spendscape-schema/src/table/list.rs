//! Every table with its columns. A change of columns is a new version of the table.

use super::{Column, Kind};
use crate::Axis;

const fn column(name: &'static str, kind: Kind, doc: &'static str) -> Column {
    Column { name, kind, nullable: false, optional: false, doc }
}

const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Column {
    Column { name, kind, nullable: true, optional: true, doc }
}

const fn nullable(name: &'static str, kind: Kind, doc: &'static str) -> Column {
    Column { name, kind, nullable: true, optional: false, doc }
}

const CUSTOMER: Column = column("customer", Kind::Text, "customer id");
const SEGMENT: Column = column("segment", Kind::Index, "id of the segment");
const PERIOD: Column = column("period", Kind::Index, "period, from 0");

/// Declares the tables: a variant, its name, its version and its columns.
macro_rules! tables {
    ($($(#[doc = $doc:literal])+ $variant:ident, $name:literal, $version:literal, [$($column:expr),* $(,)?];)*) => {
        /// The tables that stages exchange.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Table {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Table {
            /// Every table.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name written to files.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The version of its schema.
            #[must_use]
            pub fn version(self) -> u32 {
                match self { $(Self::$variant => $version,)* }
            }

            /// Its columns, in order.
            #[must_use]
            pub fn columns(self) -> &'static [Column] {
                match self { $(Self::$variant => const { &[$($column),*] },)* }
            }
        }
    };
}

tables! {
    /// Validated transactions, one row each.
    Ledger, "ledger", 1, [
        column("customer", Kind::Category, "customer id, as given or as a keyed hash"),
        column("time", Kind::Time, "local wall-clock time of the transaction"),
        column("amount_minor", Kind::Integer, "amount in minor units of the currency; negative is money spent, positive a refund or income"),
        column("class", Kind::Category, "transaction class of the taxonomy"),
        optional("transaction", Kind::Text, "transaction id, unique in the ledger"),
        optional("channel", Kind::Category, "channel of the transaction"),
        optional("place", Kind::Category, "place of the transaction"),
        optional("balance_minor", Kind::Integer, "balance of the account after the transaction, in minor units"),
    ];
    /// The classes of a ledger.
    Taxonomy, "taxonomy", 1, [
        column("class", Kind::Text, "transaction class"),
        column("flow", Kind::Text, "spending, income or ignored"),
        column("codes", Kind::Text, "the raw codes mapped to the class, joined by `|`"),
    ];
    /// Coefficients that link classes to traits.
    Coefficients, "coefficients", 1, [
        column("class", Kind::Text, "transaction class"),
        nullable("population_share", Kind::Float, "share of the population's spending"),
        column("coefficient", Kind::Vector64(Axis::Trait), "coefficient of the class for each trait"),
    ];
    /// Spending shares: one row per customer and period, ordered by both.
    Panel, "panel", 1, [
        CUSTOMER,
        PERIOD,
        column("start", Kind::Date, "first day of the period"),
        column("end", Kind::Date, "first day after the period"),
        column("total_minor", Kind::Integer, "money spent in the period in minor units; of a carried row, that of the row it repeats"),
        column("observed", Kind::Flag, "whether the period has spending of its own (false: carried from another period, or an all-zero row)"),
        column("share", Kind::Vector32(Axis::Class), "share of the period's spending per class; sums to 1, or to 0 for an all-zero row"),
    ];
    /// Customers of the ledger who are not in a panel: one row per customer and window, ordered by window and customer.
    LeftOut, "left_out", 1, [
        column("window", Kind::Category, "the window as written"),
        CUSTOMER,
        column("reason", Kind::Category, "`few-periods` (too few have spending for the rule about empty ones), `no-spending`, `money-in` (no spending, but money came in, in classes of spending) or `no-anchor` (no last day of their own)"),
        column("periods_with_spending", Kind::Index, "periods of the window with spending"),
        column("periods", Kind::Index, "periods of the window"),
    ];
    /// Training targets of each customer.
    Targets, "targets", 1, [
        CUSTOMER,
        column("score", Kind::Vector64(Axis::Trait), "raw score: mean shares times coefficients"),
        column("grade", Kind::Vector64(Axis::Trait), "scaled score in [-1, 1]"),
        column("train", Kind::Flag, "whether the customer belongs to the training split"),
    ];
    /// Weights of a network, one row per tensor.
    Model, "model", 1, [
        column("tensor", Kind::Text, "name of the tensor"),
        column("shape", Kind::Sizes, "its shape"),
        column("values", Kind::Values, "its entries in row-major order"),
    ];
    /// Metrics of training, one row per epoch.
    Training, "training", 1, [
        column("epoch", Kind::Index, "epoch, from 1"),
        column("rate", Kind::Float, "learning rate"),
        column("loss", Kind::Float, "mean squared error of the epoch's minibatches"),
        nullable("validation", Kind::Float, "mean squared error of the validation customers after the epoch"),
    ];
    /// Hidden and cell states: one row per customer and period.
    States, "states", 1, [
        CUSTOMER,
        PERIOD,
        column("hidden", Kind::Vector32(Axis::Unit), "hidden state h after the period, in (-1, 1)"),
        column("cell", Kind::Vector32(Axis::Unit), "cell state c after the period"),
    ];
    /// Direction of each customer's trajectory.
    Angles, "angles", 1, [
        CUSTOMER,
        column("direction", Kind::Vector64(Axis::Unit), "unit direction in the canonical frame"),
        column("angle", Kind::Vector64(Axis::Angle), "direction angles in radians: longitude, then latitudes"),
    ];
    /// The canonical frame of the angles, one row per basis vector.
    Frame, "frame", 1, [
        column("index", Kind::Index, "basis vector, from 0"),
        column("basis", Kind::Vector64(Axis::Unit), "basis vector in state space"),
    ];
    /// Micro-segment of each customer.
    Segments, "segments", 2, [
        CUSTOMER,
        column("path", Kind::Category, "traits by falling grade, joined by ` / `"),
        column("model_path", Kind::Category, "traits by falling output of the network, joined by ` / `"),
        column("segment", Kind::Index, "segment of the long window's direction; ids last over refits"),
        nullable("short_segment", Kind::Index, "segment of the short window's direction; null where the customer has no short window"),
    ];
    /// Where the segments lie: what new customers are assigned by.
    SegmentCenters, "segment_centers", 1, [
        SEGMENT,
        column("center", Kind::Vector64(Axis::Unit), "mean unit direction of the training customers in the segment"),
        column("train_customers", Kind::Integer, "number of these customers"),
    ];
    /// What a segment is like, one row each; means are over its customers.
    Profiles, "profiles", 1, [
        SEGMENT,
        column("customers", Kind::Integer, "number of customers"),
        column("share", Kind::Float, "share of all customers"),
        column("grade", Kind::Vector64(Axis::Trait), "mean grade in [-1, 1]"),
        nullable("short_kept", Kind::Float, "share that the short window puts in the segment too, of those with a short window"),
        column("always_kept", Kind::Float, "share that is in the segment after every period"),
        nullable("bootstrap_overlap", Kind::Float, "mean Jaccard overlap with the closest segment of refits on bootstrap samples; null where nothing was refitted"),
    ];
    /// Spending that sets a segment apart, by falling absolute difference.
    ProfileSpending, "profile_spending", 1, [
        SEGMENT,
        column("class", Kind::Text, "transaction class"),
        column("share", Kind::Float, "mean share of spending in the segment"),
        column("population", Kind::Float, "mean share of spending of all customers"),
        column("difference", Kind::Float, "segment less population, in standard deviations over customers"),
    ];
    /// Mean trajectory of a segment.
    ProfileTrajectories, "profile_trajectories", 1, [
        SEGMENT,
        PERIOD,
        column("hidden", Kind::Vector64(Axis::Unit), "mean hidden state after the period"),
        column("output", Kind::Vector64(Axis::Trait), "output of the network there: the grades it would predict"),
    ];
    /// Customers nearest to a segment's mean final state, the nearest first.
    ProfileCustomers, "profile_customers", 1, [
        SEGMENT,
        CUSTOMER,
        column("distance", Kind::Float, "distance of the final hidden state from the segment's mean"),
    ];
    /// What became of the segments of an earlier run; no rows where there is none.
    Drift, "drift", 2, [
        SEGMENT,
        column("fate", Kind::Category, "kept, appeared or disappeared"),
        column("old_customers", Kind::Integer, "customers in the earlier run"),
        column("new_customers", Kind::Integer, "customers in this run"),
        column("stayed", Kind::Integer, "customers in it in both runs"),
        nullable("closest", Kind::Index, "segment of the other run that it overlaps most; itself where it is kept"),
        column("overlap", Kind::Float, "Jaccard overlap with that segment, of the customers in both runs"),
        column("went_to", Kind::Sizes, "segments of this run that took at least a quarter of it, largest part first: two or more are a split"),
        column("went_to_part", Kind::Values, "these parts"),
        column("came_from", Kind::Sizes, "earlier segments that gave it at least a quarter of theirs, largest part first: two or more are a merger"),
        column("came_from_part", Kind::Values, "these parts"),
        nullable("matched", Kind::Index, "segment of the other run that its size is compared with; itself where it is kept, null where none is left"),
        nullable("stability_index", Kind::Float, "the segment's part of the population stability index of matched segments; null where its partner's row has it"),
    ];
    /// Coefficients of the surrogates: one row per target and class.
    Surrogate, "surrogate", 1, [
        column("target", Kind::Category, "direction angle, or `output` and a trait: the network's output for it"),
        column("class", Kind::Text, "transaction class, or `(intercept)`"),
        column("coefficient", Kind::Float, "slope per unit share, in radians for angles (minimum norm: slopes of a target sum to 0)"),
        nullable("standard_error", Kind::Float, "standard error of the slope"),
        nullable("z", Kind::Float, "(slope - median slope) / standard error"),
    ];
    /// Direction angles that the surrogate predicts.
    SurrogateAngles, "surrogate_angles", 1, [
        CUSTOMER,
        column("angle", Kind::Vector64(Axis::Angle), "predicted direction angles in radians"),
    ];
    /// Why each customer is in its segment, and how far the explanation goes.
    Explanations, "explanations", 1, [
        CUSTOMER,
        column("segment", Kind::Category, "trait with the network's highest output"),
        column("runner_up", Kind::Category, "trait with the network's second highest output"),
        column("lead", Kind::Float, "output of the segment less that of the runner-up, by the network"),
        column("surrogate_lead", Kind::Float, "the same by the surrogate: its own value, not the sum of contributions"),
        column("error_degrees", Kind::Float, "angle between the surrogate's and the network's direction"),
        nullable("refusal", Kind::Category, "why the customer is not explained: `direction` (the angle is too wide) or `segment` (the surrogate names another one)"),
        nullable("moved", Kind::Float, "smallest share of spending that, moved between classes, changes the network's segment; null where no feasible move does, and for refused customers"),
        nullable("moved_to", Kind::Category, "segment after that move"),
        nullable("unflagged_segment", Kind::Category, "the network's segment had the customer spent on protected and proxy classes as the average customer does; null where none are listed"),
    ];
    /// What each class adds to the lead of explained customers.
    Contributions, "contributions", 1, [
        CUSTOMER,
        column("baseline", Kind::Float, "the surrogate's lead for the average training customer"),
        column("contribution", Kind::Vector64(Axis::Class), "coefficient times (share - average share); with the baseline they sum to the surrogate's lead"),
        column("percentile", Kind::Vector32(Axis::Class), "fraction of customers with a smaller share, equal ones counted half"),
    ];
    /// Classes whose use needs a reason.
    FlaggedClasses, "flagged_classes", 1, [
        column("class", Kind::Text, "transaction class"),
        column("role", Kind::Category, "`protected` (listed), `proxy` (listed), `named` (protected by its name) or `correlated` (found: goes with a protected class)"),
        column("reason", Kind::Text, "what it tells of a person, as listed or by its name, or the class that it goes with"),
        nullable("correlation", Kind::Float, "correlation of mean shares with that class, where found"),
    ];
    /// Customers that illustrate a claim.
    Examples, "examples", 1, [
        column("role", Kind::Category, "`steady`: both windows agree; `changed`: turned in the last year"),
        CUSTOMER,
        column("score", Kind::Float, "how well the customer fits the role; the best comes first"),
    ];
    /// Output of the network and predicted final locations.
    Predictions, "predictions", 1, [
        CUSTOMER,
        column("output", Kind::Vector64(Axis::Trait), "predicted grades"),
        column("location_raw", Kind::Vector64(Axis::Unit), "final location L from raw grades, origin included"),
        column("location_paper", Kind::Vector64(Axis::Unit), "final location L from normalized grades and axes, origin included"),
        column("location_printed", Kind::Vector64(Axis::Unit), "final location L as equation 3 is printed, without origin"),
    ];
    /// Trait axes in state space (inverse regression).
    TraitAxes, "trait_axes", 1, [
        column("trait", Kind::Text, "trait"),
        column("magnitude", Kind::Float, "largest reachable output D of the trait"),
        column("axis", Kind::Vector64(Axis::Unit), "axis A of the trait, from the origin"),
        column("origin", Kind::Vector64(Axis::Unit), "the state o whose output is zero"),
    ];
    /// Reachable outputs over the grid of states.
    Reach, "reach", 1, [
        column("state", Kind::Vector64(Axis::Unit), "grid state in [-1, 1]"),
        column("output", Kind::Vector64(Axis::Trait), "output of the network there"),
    ];
    /// End states under a held input, one row per customer.
    EndStates, "end_states", 1, [
        CUSTOMER,
        column("hidden_100", Kind::Vector64(Axis::Unit), "hidden state after 100 steps of the customer's mean input"),
        column("hidden", Kind::Vector64(Axis::Unit), "hidden state of the fixed point that the customer's own roll-out reaches"),
        column("spectral_low", Kind::Float, "lower bound of the spectral radius there"),
        column("spectral_high", Kind::Float, "upper bound of the spectral radius there"),
        column("time_constant", Kind::Float, "-1 / ln(spectral radius), in steps"),
        column("converged", Kind::Flag, "whether hidden_100 lies within .05 of the fixed point"),
        column("certified", Kind::Flag, "whether the point is proved to exist"),
        column("points", Kind::Index, "number of fixed points proved"),
        column("complete", Kind::Flag, "whether the list of fixed points is proved complete"),
    ];
    /// Fixed points of the customers' maps.
    FixedPoints, "fixed_points", 2, [
        CUSTOMER,
        column("index", Kind::Index, "point, from 0"),
        column("hidden", Kind::Vector64(Axis::Unit), "hidden state of the point"),
        column("cell", Kind::Vector64(Axis::Unit), "cell state of the point"),
        column("residual", Kind::Float, "largest |F(x) - x|"),
        column("radius", Kind::Float, "radius of the box that is proved to hold exactly one point"),
        column("spectral_low", Kind::Float, "lower bound of the spectral radius"),
        column("spectral_high", Kind::Float, "upper bound of the spectral radius"),
        column("verdict", Kind::Category, "stable, saddle, marginal or undecided"),
        column("unstable", Kind::Index, "unstable directions of a saddle, otherwise 0"),
        column("reached", Kind::Flag, "whether the customer's own roll-out ends there"),
    ];
    /// Extended trajectories of a sample of customers, for figures.
    Extended, "extended", 1, [
        CUSTOMER,
        column("step", Kind::Index, "step, from 1"),
        column("hidden", Kind::Vector32(Axis::Unit), "hidden state"),
    ];
    /// Single maps in depth, one row per input that is held: how the search for all fixed points ended.
    Maps, "maps", 2, [
        column("input", Kind::Text, "customer id, or number of the input from 0"),
        column("cell", Kind::Category, "the cell that the outcome holds for, with what a net's file does not say and is taken for granted"),
        column("outcome", Kind::Category, "proved complete, undecided boxes, box limit, or completeness not proved"),
        column("points", Kind::Index, "certified fixed points"),
        column("stable", Kind::Index, "those that are proved stable"),
        column("undecided", Kind::Integer, "boxes of states that may hold further points"),
        column("boxes", Kind::Integer, "boxes examined"),
        nullable("degree", Kind::Float, "sum of the signs of det(I - R'), which is 1 for a complete list where states are bounded; null otherwise"),
        column("verdict", Kind::Category, "line attractor, marginal, slow manifold, points or undecided"),
    ];
    /// Certified fixed points of the single maps.
    MapPoints, "map_points", 2, [
        column("input", Kind::Text, "customer id, or number of the input"),
        column("index", Kind::Index, "point, from 0"),
        column("state", Kind::Vector64(Axis::Unit), "state of the point"),
        column("residual", Kind::Float, "largest |F(x) - x|"),
        column("radius", Kind::Float, "radius of the box in which the point is proved to exist"),
        column("alone", Kind::Float, "radius around the state within which no other point lies, proved: hidden coordinates differ by less"),
        column("spectral_low", Kind::Float, "lower bound of the spectral radius"),
        column("spectral_high", Kind::Float, "upper bound of the spectral radius"),
        column("verdict", Kind::Category, "stable, saddle, marginal, undecided, or kink, where the map has no derivative"),
        column("unstable", Kind::Index, "unstable directions of a saddle, otherwise 0"),
        column("time_constant", Kind::Float, "-1 / ln(spectral radius), in steps"),
        column("time_constants", Kind::Values, "the same of every eigenvalue, slowest first; infinite for moduli of one or more"),
        column("growth", Kind::Float, "largest norm of J^k: how far a small push grows on the way; not a number on a kink"),
        column("growth_step", Kind::Index, "the k at which it occurs"),
        nullable("return_time", Kind::Index, "first k from which the norm of J^k stays below 1/e; null if it does not within 200"),
        nullable("basin", Kind::Float, "share of the sampled states that reach the point; null unless stable"),
        nullable("basin_low", Kind::Float, "lower end of the share's 95 % interval"),
        nullable("basin_high", Kind::Float, "upper end of the share's 95 % interval"),
    ];
    /// Certified cycles of the single maps, one row per phase.
    MapCycles, "map_cycles", 1, [
        column("input", Kind::Text, "customer id, or number of the input"),
        column("cycle", Kind::Index, "cycle, from 0"),
        column("length", Kind::Index, "steps of the cycle"),
        column("phase", Kind::Index, "phase, from 0"),
        column("state", Kind::Vector64(Axis::Unit), "state in that phase"),
        column("residual", Kind::Float, "largest residual of a step of the cycle"),
        column("spectral_low", Kind::Float, "lower bound of the largest multiplier"),
        column("spectral_high", Kind::Float, "upper bound of the largest multiplier"),
        column("verdict", Kind::Category, "stable, saddle, marginal, undecided, or kink, where the map has no derivative"),
    ];
    /// What becomes of each single map's attractor on the way toward other inputs.
    MapJumps, "map_jumps", 1, [
        column("input", Kind::Text, "customer id, or number of the input"),
        column("toward", Kind::Text, "the input at the end of the way"),
        column("passage", Kind::Category, "survives, fold, loss of stability or undecided"),
        nullable("share", Kind::Float, "share of the way at which the attractor is lost; null if it is not"),
        nullable("change", Kind::Float, "change of the input there, sum of |du|: of spending shares, twice the share moved"),
        column("smallest", Kind::Flag, "whether this is the smallest change among the ways of this input"),
        column("before", Kind::Vector64(Axis::Unit), "fixed point just before; NaN where nothing is lost"),
        column("after", Kind::Vector64(Axis::Unit), "where the roll-out leads just beyond; NaN where nothing is lost"),
    ];
    /// What is left undecided in the search for all fixed points of the single maps: at most 1,000 boxes per map, which cover
    /// the states that may hold further points.
    MapBoxes, "map_boxes", 1, [
        column("input", Kind::Text, "customer id, or number of the input"),
        column("low", Kind::Vector64(Axis::Unit), "lower ends of the box's sides; minus infinity where nothing is known"),
        column("high", Kind::Vector64(Axis::Unit), "upper ends; infinity where nothing is known"),
    ];
    /// The fate of each start in the search for fixed points of single maps that are too large for the complete search.
    MapStarts, "map_starts", 1, [
        column("input", Kind::Text, "customer id, or number of the input"),
        column("start", Kind::Index, "start, from 0"),
        column("method", Kind::Category, "newton, descent, iteration or fiber"),
        column("status", Kind::Category, "how the method ended: converged, step limit, stalled, known (in the box of a point found before) or diverged"),
        column("residual", Kind::Float, "largest |F(x) - x| where the start ended"),
        nullable("point", Kind::Index, "point that it reached; null where none is proved"),
    ];
    /// Where the basins of the single maps end, one row per stable point that is not the only one.
    MapEdges, "map_edges", 1, [
        column("input", Kind::Text, "customer id, or number of the input"),
        column("index", Kind::Index, "stable point"),
        column("toward", Kind::Index, "the nearest other stable point, toward which the edge was sought"),
        nullable("beyond", Kind::Index, "stable point that is reached from beyond the edge; null where the roll-out takes too long"),
        column("inside", Kind::Vector64(Axis::Unit), "last state from which the point is reached"),
        column("outside", Kind::Vector64(Axis::Unit), "its neighbor beyond the edge"),
    ];
    /// How the fixed points of the single maps move with the input: dx*/du = (I - J)^-1 dF/du; none for singular points.
    MapSensitivities, "map_sensitivities", 1, [
        column("input", Kind::Text, "customer id, or number of the input"),
        column("index", Kind::Index, "point, from 0"),
        column("coordinate", Kind::Text, "transaction class, or number of the input's coordinate from 0"),
        column("change", Kind::Vector64(Axis::Unit), "change of the state per unit of that coordinate"),
    ];
    /// Each single map's attractor followed along a path of inputs: points between which the branch is proved to go on.
    MapBranches, "map_branches", 1, [
        column("input", Kind::Text, "customer id, or number of the input"),
        column("path", Kind::Text, "the input at the end of a straight way, or `periods`: the customer's own periods, one after another"),
        column("at", Kind::Float, "place on the path, in legs from its beginning"),
        column("state", Kind::Vector64(Axis::Unit), "the point"),
        column("spectral_low", Kind::Float, "lower bound of the spectral radius"),
        column("spectral_high", Kind::Float, "upper bound of the spectral radius"),
        column("verdict", Kind::Category, "stable, saddle, marginal, undecided, or kink, where the map has no derivative"),
        column("end", Kind::Category, "how the branch ends: path's end, fold (just beyond the last row) or step limit"),
    ];
    /// Attractors of the population, one row per point to draw.
    Attractors, "attractors", 2, [
        column("trait", Kind::Category, "dominant trait of the group"),
        column("shape", Kind::Category, "`line` for a sample of the fitted curve, `point` for a cluster centre"),
        column("index", Kind::Index, "position along the curve, or number of the centre"),
        column("state", Kind::Vector64(Axis::Unit), "state"),
        column("output", Kind::Vector64(Axis::Trait), "output of the network there: its label"),
        column("variance_explained", Kind::Float, "held-out share of variance that the shape explains"),
        column("refused", Kind::Category, "why a curve is no fair description (`two branches`, `explains too little`), otherwise empty"),
        column("drawn", Kind::Flag, "whether this shape is fair and explains the group best"),
        column("members", Kind::Integer, "customers nearest to the centre; of a curve, all of the group"),
        column("label", Kind::Category, "trait with the largest mean output of the members; empty for a curve"),
        nullable("label_output", Kind::Float, "that mean output"),
        nullable("label_half_width", Kind::Float, "half-width of its 95 % interval"),
        column("label_clear", Kind::Flag, "whether the interval stays clear of every other trait's"),
        nullable("label_distance", Kind::Float, "distance of the members' mean predicted location L from the centre"),
        column("verdict", Kind::Category, "what the dynamics say of the group"),
    ];
    /// The hidden truth of the synthetic bank: one row per customer and year.
    Latent, "latent", 1, [
        CUSTOMER,
        PERIOD,
        column("trait", Kind::Vector64(Axis::Trait), "latent traits"),
        column("event", Kind::Flag, "whether a life event redrew the traits in this year"),
    ];
    /// The papers' comparison of representations on one run.
    Comparison, "comparison", 1, [
        column("representation", Kind::Category, "features compared"),
        column("seed", Kind::Integer, "training seed"),
        column("measure", Kind::Category, "what is measured, on customers not used in training"),
        column("level", Kind::Index, "length of the dominance prefix, or number of clusters"),
        nullable("value", Kind::Float, "the figure; null where it is undefined"),
        nullable("chance", Kind::Float, "the figure of a guess that ignores the features, where one is defined"),
        nullable("null", Kind::Float, "the figure of the unimodal null, where it is defined"),
    ];
    /// The comparison over training seeds.
    ComparisonSummary, "comparison_summary", 1, [
        column("representation", Kind::Category, "features compared"),
        column("measure", Kind::Category, "what is measured"),
        column("level", Kind::Index, "length of the dominance prefix, or number of clusters"),
        column("seeds", Kind::Index, "number of figures summarized: seeds, or pairs of seeds"),
        nullable("median", Kind::Float, "median over seeds"),
        nullable("low", Kind::Float, "smallest over seeds"),
        nullable("high", Kind::Float, "largest over seeds"),
        nullable("chance", Kind::Float, "median of the chance"),
        nullable("null", Kind::Float, "median of the unimodal null"),
    ];
    /// Outcomes of the synthetic bank's customers in the year after the last one, with the best possible scores.
    Outcomes, "outcomes", 1, [
        CUSTOMER,
        column("default", Kind::Flag, "whether the customer defaults"),
        column("default_score", Kind::Float, "probability of default, given all that is true of the customer"),
        column("illiquid", Kind::Flag, "whether the liquidity index is below 1"),
        column("illiquid_score", Kind::Float, "probability of that, given all that is true of the customer"),
        column("liquidity", Kind::Float, "liquidity index: mean month-end balance in months of outflow"),
        column("liquidity_score", Kind::Float, "expected logarithm of the index, given all that is true of the customer"),
        column("quintile", Kind::Index, "quintile of the liquidity index, 1 to 5"),
        column("group", Kind::Category, "group of the customer, without effect of its own"),
    ];
    /// What could be known of each group of the synthetic stream of goals before it came.
    GoalTruth, "goal_truth", 1, [
        column("customer", Kind::Category, "customer id"),
        column("position", Kind::Index, "position among the customer's groups, from 0: the number of groups before it"),
        column("day", Kind::Date, "day of the group"),
        column("goal", Kind::Category, "goal of the group"),
        column("probability", Kind::Vector32(Axis::Goal), "probability that the next group is of each goal, given the groups before it, the calendar, age band and region"),
        column("expected_days", Kind::Float, "expected days until the group from the one before it, or from the day before the first day of the stream"),
        column("log_day", Kind::Float, "natural logarithm of the probability of the group's day"),
        column("log_day_and_goal", Kind::Float, "natural logarithm of the probability of the group's day and goal together"),
    ];
    /// What is known of the customers of the synthetic stream of goals from the beginning.
    GoalCustomers, "goal_customers", 1, [
        CUSTOMER,
        column("age_band", Kind::Category, "age in years"),
        column("region", Kind::Category, "kind of place where the customer lives"),
    ];
    /// Balances of accounts, one row per customer and period of the panel.
    Balances, "balances", 1, [
        CUSTOMER,
        PERIOD,
        column("balance_minor", Kind::Integer, "mean of the month-end balances, in minor units"),
        column("lowest_minor", Kind::Integer, "lowest balance of the period, in minor units"),
        column("inflow_minor", Kind::Integer, "money received in the period, in minor units"),
    ];
    /// Held-out scores of an outcome: one row per customer, feature set and learner.
    OutcomeScores, "outcome_scores", 1, [
        column("set", Kind::Category, "feature set"),
        column("learner", Kind::Category, "learner"),
        CUSTOMER,
        column("label", Kind::Float, "outcome; 1 is the adverse class of a binary one"),
        column("score", Kind::Float, "mean held-out score over the repeats: probability, expected level or value"),
    ];
    /// Measures of held-out scores with bootstrap intervals.
    OutcomeMeasures, "outcome_measures", 1, [
        column("set", Kind::Category, "feature set, or `best possible` for scores that came with the labels"),
        column("learner", Kind::Category, "learner"),
        column("group", Kind::Category, "everybody, or `column=value` for the customers of a group"),
        column("measure", Kind::Category, "measure"),
        column("customers", Kind::Integer, "number of customers measured"),
        column("value", Kind::Float, "value"),
        nullable("low", Kind::Float, "lower end of the 95 % interval"),
        nullable("high", Kind::Float, "upper end of the 95 % interval"),
    ];
    /// Curves of held-out scores of a binary outcome.
    OutcomeCurves, "outcome_curves", 1, [
        column("set", Kind::Category, "feature set"),
        column("learner", Kind::Category, "learner"),
        column("curve", Kind::Category, "`roc`, `calibration` or `lift`"),
        column("x", Kind::Float, "false positive rate; mean score of the bin; decile from 1 by falling score"),
        column("y", Kind::Float, "true positive rate; share of positives in the bin; lift"),
        nullable("low", Kind::Float, "lower end of the 95 % interval of y; null for the ROC curve"),
        nullable("high", Kind::Float, "upper end of the 95 % interval of y; null for the ROC curve"),
    ];
    /// Differences of two AUCs on the same customers (DeLong).
    OutcomeComparisons, "outcome_comparisons", 1, [
        column("set", Kind::Category, "feature set in question"),
        column("learner", Kind::Category, "its learner"),
        column("reference", Kind::Category, "feature set compared with"),
        column("reference_learner", Kind::Category, "its learner"),
        column("decides", Kind::Flag, "whether both are the better learners of their sets"),
        column("difference", Kind::Float, "AUC of the set less that of the reference"),
        column("low", Kind::Float, "lower end of the 95 % interval"),
        column("high", Kind::Float, "upper end of the 95 % interval"),
        column("p_value", Kind::Float, "two-sided p-value of no difference"),
        column("margin", Kind::Float, "margin of non-inferiority"),
        column("verdict", Kind::Category, "non-inferior, inferior or undecided"),
    ];
    /// Why the scores of customers are high: their largest adverse contributions.
    OutcomeReasons, "outcome_reasons", 1, [
        CUSTOMER,
        column("score", Kind::Float, "score of the model fitted on all labelled customers"),
        column("rank", Kind::Index, "rank of the reason, from 1"),
        column("feature", Kind::Category, "feature"),
        column("contribution", Kind::Float, "what it adds to the log-odds (or the value), compared with an average customer"),
    ];
    /// A scorecard: points for ranges of features, to be added to the base.
    Scorecard, "scorecard", 1, [
        column("feature", Kind::Text, "feature, or `(base)`"),
        nullable("low", Kind::Float, "the range is above this; null for the lowest"),
        nullable("high", Kind::Float, "and up to this; null for the highest"),
        column("points", Kind::Integer, "points; more are better"),
        column("customers", Kind::Integer, "customers in the range"),
        nullable("rate", Kind::Float, "share of them with the adverse outcome"),
    ];
    /// Groups of transactions of the customers of a run: one row per customer, group and class, customers in the order of the
    /// roster, groups in the order of time. Each row group of the file holds one block of customers.
    GoalGroups, "goal_groups", 1, [
        column("customer", Kind::Category, "customer id"),
        column("position", Kind::Integer, "position among the customer's groups, from 0"),
        column("day", Kind::Date, "day of the group"),
        column("goal", Kind::Category, "goal on which most of its money was spent"),
        column("channel", Kind::Category, "channel or place of its largest transaction; empty where none is known"),
        column("class", Kind::Category, "transaction class"),
        column("spent_minor", Kind::Integer, "money spent on the class in the group, in minor units"),
    ];
    /// The customers whose groups were formed, those without any among them.
    GoalRoster, "goal_roster", 1, [
        CUSTOMER,
        column("groups", Kind::Integer, "number of groups"),
        column("block", Kind::Integer, "block of customers, from 0; each block with any group is a row group of the groups' table"),
        column("covariates", Kind::Sizes, "level of each covariate; the number of levels stands for unknown"),
    ];
    /// Training of the goals' two networks, one row per network and pass.
    GoalTraining, "goal_training", 1, [
        column("network", Kind::Category, "`days` (the gap to the next group) or `goals` (the goal on its day)"),
        column("epoch", Kind::Index, "pass over the training groups, from 1"),
        column("loss", Kind::Float, "mean negative log-likelihood of the training groups, each when it was used"),
        nullable("validation", Kind::Float, "that of the validation groups after the pass"),
    ];
    /// How well next goals are predicted, on groups that nothing was fitted on.
    GoalMeasures, "goal_measures", 1, [
        column("model", Kind::Category, "`lstm`, a baseline, or `best_possible` where the truth is known"),
        column("history", Kind::Category, "groups before the predicted one, or `all`"),
        nullable("goal", Kind::Category, "goal of a measure of one goal, otherwise null"),
        column("measure", Kind::Category, "measure"),
        column("groups", Kind::Integer, "groups predicted"),
        column("value", Kind::Float, "its value"),
        column("low", Kind::Float, "lower end of its 95 % interval over customers"),
        column("high", Kind::Float, "upper end of its 95 % interval over customers"),
    ];
    /// By how much the network differs from other models on the same groups.
    GoalComparisons, "goal_comparisons", 1, [
        column("reference", Kind::Category, "the other model"),
        column("measure", Kind::Category, "measure"),
        column("difference", Kind::Float, "the network's less the other's"),
        column("low", Kind::Float, "lower end of its 95 % interval over customers"),
        column("high", Kind::Float, "upper end of its 95 % interval over customers"),
        nullable("share_of_best", Kind::Float, "share of the best possible gain over the other model that is reached; null where the truth is not known"),
    ];
    /// Goals predicted against goals that came.
    GoalConfusion, "goal_confusion", 1, [
        column("goal", Kind::Category, "goal that came"),
        column("predicted", Kind::Category, "most probable goal"),
        column("groups", Kind::Integer, "number of groups"),
        column("share", Kind::Float, "share of the groups with the goal that came"),
        column("low", Kind::Float, "lower end of its 95 % interval over customers"),
        column("high", Kind::Float, "upper end of its 95 % interval over customers"),
    ];
    /// What comes next for every customer.
    GoalPredictions, "goal_predictions", 1, [
        CUSTOMER,
        column("history", Kind::Integer, "groups that the prediction is from; without any it is that of a first group"),
        nullable("last_day", Kind::Date, "day of the last of them"),
        column("goal", Kind::Category, "most probable goal"),
        column("probability", Kind::Float, "its probability"),
        column("probabilities", Kind::Vector64(Axis::Goal), "probability of each goal"),
        nullable("median_day", Kind::Date, "day by which the next group comes with probability one half; null without history or beyond the longest gap told apart"),
        nullable("early_day", Kind::Date, "day by which it comes with probability .1; null as above"),
        nullable("late_day", Kind::Date, "day by which it comes with probability .9; null as above"),
        column("joint_effect", Kind::Float, "probability less what it would be without all groups that reasons were sought among; 0 without history"),
        column("sum_of_effects", Kind::Float, "sum of the effects of these groups taken one by one; what it differs by from the joint effect is their interaction"),
    ];
    /// Why: which past groups moved the prediction.
    GoalReasons, "goal_reasons", 1, [
        CUSTOMER,
        column("rank", Kind::Index, "rank by the size of the effect, from 1"),
        column("position", Kind::Integer, "position of the past group among the customer's groups, from 0"),
        column("day", Kind::Date, "its day"),
        column("goal", Kind::Category, "its goal"),
        column("effect", Kind::Float, "probability of the predicted goal less what it would be without the group"),
    ];
    /// Next-best recommendations: classes inside goals, per customer.
    Recommendations, "recommendations", 1, [
        CUSTOMER,
        column("horizon_days", Kind::Index, "days ahead"),
        column("goal_rank", Kind::Index, "rank of the goal for the customer, from 1"),
        column("goal", Kind::Category, "goal"),
        column("goal_probability", Kind::Float, "probability that the goal comes within the horizon"),
        column("class_rank", Kind::Index, "rank of the class inside the goal, from 1"),
        column("class", Kind::Category, "transaction class"),
        column("probability", Kind::Float, "probability that the goal comes and its first group holds the class"),
        column("novelty", Kind::Float, "share of the customer's history, in windows as long as the horizon, without the class"),
        column("self_information", Kind::Float, "-log2 of the share of customers who ever bought the class, bits"),
        column("lift", Kind::Float, "probability over its mean over all customers"),
    ];
    /// Whom to address in a campaign for a goal, and when.
    Campaigns, "campaigns", 1, [
        column("goal", Kind::Category, "goal"),
        column("horizon_days", Kind::Index, "days in which the goal is to come"),
        column("rank", Kind::Integer, "rank of the customer by falling probability, from 1"),
        CUSTOMER,
        column("probability", Kind::Float, "probability that the goal comes within the horizon"),
        column("spent_minor", Kind::Float, "expected money that it brings within the horizon, in minor units"),
        nullable("reached_within_days", Kind::Index, "shortest horizon at which the probability reaches the threshold; null if it does at none"),
        nullable("expected_day", Kind::Date, "day on which the goal is expected; null if beyond the last horizon"),
    ];
    /// What targeting gains over random targeting, expected and measured on what really happened. It is targeting: how well
    /// customers are found for whom the goal comes, not how many it comes for because they were addressed.
    CampaignUplift, "campaign_uplift", 1, [
        column("goal", Kind::Category, "goal"),
        column("horizon_days", Kind::Index, "days in which the goal is to come"),
        column("targeting", Kind::Category, "`model`, or a control: `recency` or `frequency` of the goal"),
        column("share", Kind::Float, "share of the eligible customers addressed; the last row of a targeting is at capacity"),
        column("eligible", Kind::Integer, "customers for whom the goal is not certain"),
        column("targeted", Kind::Float, "customers addressed"),
        nullable("expected", Kind::Float, "expected conversions among them; of the model at capacity, otherwise null"),
        nullable("expected_random", Kind::Float, "expected conversions among as many at random; where `expected` is"),
        column("conversions", Kind::Float, "conversions that came, in the mean over the orders of equals"),
        column("uplift", Kind::Float, "conversion rate of the addressed less that of all eligible"),
        column("uplift_low", Kind::Float, "lower end of its 95 % interval"),
        column("uplift_high", Kind::Float, "upper end of its 95 % interval"),
        column("lift", Kind::Float, "ratio of the two rates"),
        column("lift_low", Kind::Float, "lower end of its 95 % interval"),
        column("lift_high", Kind::Float, "upper end of its 95 % interval"),
        column("behind_model", Kind::Float, "conversion rate of the model's targeting at this share less that of this one"),
        column("behind_model_low", Kind::Float, "lower end of its 95 % interval"),
        column("behind_model_high", Kind::Float, "upper end of its 95 % interval"),
        column("area", Kind::Float, "area between the targeting's gains curve and random targeting's, over all shares"),
        column("area_low", Kind::Float, "lower end of its 95 % interval"),
        column("area_high", Kind::Float, "upper end of its 95 % interval"),
    ];
    /// Pairs of classes or goals that go together or follow one another more often than chance.
    CrossSelling, "cross_selling", 1, [
        column("items", Kind::Category, "`classes` or `goals`"),
        column("rule", Kind::Category, "`together`, `follows`, `follows_new` (never bought before) or `spends_more` (more on the second than before and than the median)"),
        column("window_days", Kind::Index, "days of a period"),
        column("first", Kind::Category, "the item bought first; of a pair without direction, one of the two"),
        column("second", Kind::Category, "the other item"),
        column("customers", Kind::Integer, "customers for whom the pair came true at least once"),
        column("observed", Kind::Float, "customer-periods in which it came true"),
        column("expected", Kind::Float, "those expected by chance, among customers who buy as many items in the same period"),
        column("support", Kind::Float, "observed over all customer-periods with any purchase"),
        column("confidence", Kind::Float, "observed over those with the first item in which the pair could come true"),
        column("lift", Kind::Float, "observed over expected"),
        column("lift_low", Kind::Float, "lower end of its 95 % interval"),
        column("lift_high", Kind::Float, "upper end of its 95 % interval"),
        column("p_value", Kind::Float, "one-sided p-value of no positive association, customers being the units"),
        column("q_value", Kind::Float, "p-value adjusted for the number of pairs (Benjamini and Hochberg)"),
    ];
    /// Expected events and money per goal, class and period.
    Demand, "demand", 1, [
        column("of", Kind::Category, "`goal` or `class`"),
        column("name", Kind::Category, "the goal or class"),
        column("quantity", Kind::Category, "`events` (groups) or `amount` (money in minor units)"),
        column("step", Kind::Index, "periods after the last day known, from 1"),
        column("start", Kind::Date, "first day of the period"),
        column("end", Kind::Date, "first day after the period"),
        column("expected", Kind::Float, "expected events or amount"),
        column("low", Kind::Float, "lower end of the 95 % prediction interval"),
        column("high", Kind::Float, "upper end of the 95 % prediction interval"),
        column("naive", Kind::Float, "what the same period was a season ago, or else the last period known"),
        column("seasonal", Kind::Flag, "whether the naive forecast is of a season ago (false: history is shorter)"),
        column("dispersion", Kind::Float, "factor by which the squared errors of past forecasts exceeded the model's variance; 1 where none are known"),
        column("past", Kind::Integer, "past forecasts of this series that the factor is from"),
    ];
    /// How forecasts of demand came out on past periods.
    DemandScores, "demand_scores", 1, [
        column("of", Kind::Category, "`goal` or `class`"),
        nullable("name", Kind::Category, "the goal or class; null for all of them"),
        column("quantity", Kind::Category, "`events` (groups) or `amount` (money in minor units)"),
        column("forecasts", Kind::Integer, "forecasts scored"),
        column("seasonal", Kind::Float, "share of them whose naive forecast is of a season ago"),
        column("mae", Kind::Float, "mean absolute error"),
        column("naive_mae", Kind::Float, "that of the naive forecast"),
        nullable("relative_mae", Kind::Float, "their ratio; null where the naive forecast makes no error"),
        nullable("mase", Kind::Float, "mean absolute scaled error; null where the naive forecast makes no error in history"),
        column("coverage", Kind::Float, "share of the 95 % prediction intervals that held what came"),
    ];
    /// Measured figures of an experiment.
    Metrics, "metrics", 1, [
        column("name", Kind::Text, "name of the figure"),
        column("value", Kind::Float, "its value"),
    ];
}
