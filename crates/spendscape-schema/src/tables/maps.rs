//! Single maps in depth.

use super::kinds::{Category, Flag, Float, Index, Integer, Nullable, Text, Unit, Values, Vector64};

tables! {
    /// Single maps in depth, one row per input that is held: how the search for all fixed points ended.
    Maps of MapRow = "maps", 2 {
        input: Text = "customer id, or number of the input from 0",
        cell: Category = "the cell that the outcome holds for, with what a net's file does not say and is taken for granted",
        outcome: Category = "proved complete, undecided boxes, box limit, or completeness not proved",
        points: Index = "certified fixed points",
        stable: Index = "those that are proved stable",
        undecided: Integer = "boxes of states that may hold further points",
        boxes: Integer = "boxes examined",
        degree: Nullable<Float> = "sum of the signs of det(I - R'), which is 1 for a complete list where states are bounded; null otherwise",
        verdict: Category = "line attractor, marginal, slow manifold, points or undecided",
    }

    /// Certified fixed points of the single maps.
    MapPoints of MapPointRow = "map_points", 2 {
        input: Text = "customer id, or number of the input",
        index: Index = "point, from 0",
        state: Vector64<Unit> = "state of the point",
        residual: Float = "largest |F(x) - x|",
        radius: Float = "radius of the box in which the point is proved to exist",
        alone: Float = "radius around the state within which no other point lies, proved: hidden coordinates differ by less",
        spectral_low: Float = "lower bound of the spectral radius",
        spectral_high: Float = "upper bound of the spectral radius",
        verdict: Category = "stable, saddle, marginal, undecided, or kink, where the map has no derivative",
        unstable: Index = "unstable directions of a saddle, otherwise 0",
        time_constant: Float = "-1 / ln(spectral radius), in steps",
        time_constants: Values = "the same of every eigenvalue, slowest first; infinite for moduli of one or more",
        growth: Float = "largest norm of J^k: how far a small push grows on the way; not a number on a kink",
        growth_step: Index = "the k at which it occurs",
        return_time: Nullable<Index> = "first k from which the norm of J^k stays below 1/e; null if it does not within 200",
        basin: Nullable<Float> = "share of the sampled states that reach the point; null unless stable",
        basin_low: Nullable<Float> = "lower end of the share's 95 % interval",
        basin_high: Nullable<Float> = "upper end of the share's 95 % interval",
    }

    /// Certified cycles of the single maps, one row per phase.
    MapCycles of MapCycleRow = "map_cycles", 1 {
        input: Text = "customer id, or number of the input",
        cycle: Index = "cycle, from 0",
        length: Index = "steps of the cycle",
        phase: Index = "phase, from 0",
        state: Vector64<Unit> = "state in that phase",
        residual: Float = "largest residual of a step of the cycle",
        spectral_low: Float = "lower bound of the largest multiplier",
        spectral_high: Float = "upper bound of the largest multiplier",
        verdict: Category = "stable, saddle, marginal, undecided, or kink, where the map has no derivative",
    }

    /// What becomes of each single map's attractor on the way toward other inputs.
    MapJumps of MapJumpRow = "map_jumps", 1 {
        input: Text = "customer id, or number of the input",
        toward: Text = "the input at the end of the way",
        passage: Category = "survives, fold, loss of stability or undecided",
        share: Nullable<Float> = "share of the way at which the attractor is lost; null if it is not",
        change: Nullable<Float> = "change of the input there, sum of |du|: of spending shares, twice the share moved",
        smallest: Flag = "whether this is the smallest change among the ways of this input",
        before: Vector64<Unit> = "fixed point just before; NaN where nothing is lost",
        after: Vector64<Unit> = "where the roll-out leads just beyond; NaN where nothing is lost",
    }

    /// What is left undecided in the search for all fixed points of the single maps: at most 1,000 boxes per map, which cover
    /// the states that may hold further points.
    MapBoxes of MapBoxRow = "map_boxes", 1 {
        input: Text = "customer id, or number of the input",
        low: Vector64<Unit> = "lower ends of the box's sides; minus infinity where nothing is known",
        high: Vector64<Unit> = "upper ends; infinity where nothing is known",
    }

    /// The fate of each start in the search for fixed points of single maps that are too large for the complete search.
    MapStarts of MapStartRow = "map_starts", 1 {
        input: Text = "customer id, or number of the input",
        start: Index = "start, from 0",
        method: Category = "newton, descent, iteration or fiber",
        status: Category = "how the method ended: converged, step limit, stalled, known (in the box of a point found before) or diverged",
        residual: Float = "largest |F(x) - x| where the start ended",
        point: Nullable<Index> = "point that it reached; null where none is proved",
    }

    /// Where the basins of the single maps end, one row per stable point that is not the only one.
    MapEdges of MapEdgeRow = "map_edges", 1 {
        input: Text = "customer id, or number of the input",
        index: Index = "stable point",
        toward: Index = "the nearest other stable point, toward which the edge was sought",
        beyond: Nullable<Index> = "stable point that is reached from beyond the edge; null where the roll-out takes too long",
        inside: Vector64<Unit> = "last state from which the point is reached",
        outside: Vector64<Unit> = "its neighbor beyond the edge",
    }

    /// How the fixed points of the single maps move with the input: dx*/du = (I - J)^-1 dF/du; none for singular points.
    MapSensitivities of MapSensitivityRow = "map_sensitivities", 1 {
        input: Text = "customer id, or number of the input",
        index: Index = "point, from 0",
        coordinate: Text = "transaction class, or number of the input's coordinate from 0",
        change: Vector64<Unit> = "change of the state per unit of that coordinate",
    }

    /// Each single map's attractor followed along a path of inputs: points between which the branch is proved to go on.
    MapBranches of MapBranchRow = "map_branches", 1 {
        input: Text = "customer id, or number of the input",
        path: Text = "the input at the end of a straight way, or `periods`: the customer's own periods, one after another",
        at: Float = "place on the path, in legs from its beginning",
        state: Vector64<Unit> = "the point",
        spectral_low: Float = "lower bound of the spectral radius",
        spectral_high: Float = "upper bound of the spectral radius",
        verdict: Category = "stable, saddle, marginal, undecided, or kink, where the map has no derivative",
        end: Category = "how the branch ends: path's end, fold (just beyond the last row) or step limit",
    }
}
