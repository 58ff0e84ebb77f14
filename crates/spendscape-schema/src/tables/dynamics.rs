//! Attractors of the customers' maps.

use super::kinds::{Category, Flag, Float, Index, Integer, Nullable, Text, Trait, Unit, Vector32, Vector64};

tables! {
    /// Output of the network and predicted final locations.
    Predictions = "predictions", 1 {
        customer: Text = "customer id",
        output: Vector64<Trait> = "predicted grades",
        location_raw: Vector64<Unit> = "final location L from raw grades, origin included",
        location_paper: Vector64<Unit> = "final location L from normalized grades and axes, origin included",
        location_printed: Vector64<Unit> = "final location L as equation 3 is printed, without origin",
    }

    /// Trait axes in state space (inverse regression).
    TraitAxes of TraitAxisRow = "trait_axes", 2 {
        r#trait: Text = "trait",
        magnitude: Float = "largest reachable output D of the trait",
        axis: Vector64<Unit> = "axis A of the trait, from the origin; its length is D times that of the trait's row of the inverse",
        origin: Vector64<Unit> = "the state o whose output is nearest to zero",
        readout: Vector64<Unit> = "the trait's row of the output weights: the direction in which its output rises fastest",
    }

    /// Reachable outputs over the grid of states.
    Reach = "reach", 1 {
        state: Vector64<Unit> = "grid state in [-1, 1]",
        output: Vector64<Trait> = "output of the network there",
    }

    /// End states under a held input, one row per customer.
    EndStates of EndStateRow = "end_states", 2 {
        customer: Text = "customer id",
        hidden_100: Vector64<Unit> = "hidden state after 100 steps of the customer's mean input",
        hidden: Vector64<Unit> = "hidden state of the fixed point that the customer's own roll-out reaches",
        spectral_low: Float = "lower bound of the spectral radius there",
        spectral_high: Float = "upper bound of the spectral radius there",
        time_constant: Float = "-1 / ln(spectral radius), in steps",
        slowest: Vector64<Unit> = "time constants of the slowest modes there, in steps, the slowest first; infinite where nothing was certified",
        converged: Flag = "whether hidden_100 lies within .05 of the fixed point",
        certified: Flag = "whether the point is proved to exist",
        points: Index = "number of fixed points proved",
        complete: Flag = "whether the list of fixed points is proved complete",
    }

    /// Fixed points of the customers' maps.
    FixedPoints of FixedPointRow = "fixed_points", 2 {
        customer: Text = "customer id",
        index: Index = "point, from 0",
        hidden: Vector64<Unit> = "hidden state of the point",
        cell: Vector64<Unit> = "cell state of the point",
        residual: Float = "largest |F(x) - x|",
        radius: Float = "radius of the box that is proved to hold exactly one point",
        spectral_low: Float = "lower bound of the spectral radius",
        spectral_high: Float = "upper bound of the spectral radius",
        verdict: Category = "stable, saddle, marginal or undecided",
        unstable: Index = "unstable directions of a saddle, otherwise 0",
        reached: Flag = "whether the customer's own roll-out ends there",
    }

    /// Extended trajectories of a sample of customers, for figures.
    Extended = "extended", 1 {
        customer: Text = "customer id",
        step: Index = "step, from 1",
        hidden: Vector32<Unit> = "hidden state",
    }

    /// Attractors of the population, one row per point to draw.
    Attractors of AttractorRow = "attractors", 3 {
        r#trait: Category = "dominant trait of the group",
        shape: Category = "`line` for a sample of the fitted curve, `point` for a cluster center",
        index: Index = "position along the curve, or number of the center",
        state: Vector64<Unit> = "state",
        output: Vector64<Trait> = "output of the network there: its label",
        variance_explained: Float = "held-out share of variance that the shape explains",
        refused: Category = "why a curve is no fair description (`two branches`, `explains too little`), otherwise empty",
        compactness: Float = "distance of held-out customers from the shape over the spread of all customers' end states",
        drawn: Flag = "whether the group's ends have this shape; of a cloud, which is neither points nor a line, none is drawn",
        members: Integer = "customers nearest to the center; of a curve, all of the group",
        label: Category = "trait with the largest mean output of the members; empty for a curve",
        label_output: Nullable<Float> = "that mean output",
        label_half_width: Nullable<Float> = "half-width of its 95 % interval",
        label_clear: Flag = "whether the interval stays clear of every other trait's",
        label_distance: Nullable<Float> = "distance of the members' mean predicted location L from the center",
        verdict: Category = "what the dynamics say of the group",
    }
}
