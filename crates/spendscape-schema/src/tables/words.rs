//! Words in columns of categories that one stage writes and others look for.

/// A shape of `attractors`: a sample of the fitted curve.
pub const LINE: &str = "line";
/// The other one: a cluster center.
pub const POINT: &str = "point";

/// A verdict of `attractors` and `maps`: one map has a connected chain of marginal states.
pub const LINE_ATTRACTOR: &str = "line attractor";
/// Another one: states near a curve move slowly.
pub const SLOW_MANIFOLD: &str = "slow manifold";
/// A verdict of `attractors`: the fixed points of many maps lie on a curve, as spending varies.
pub const INPUT_DRIVEN_LOCUS: &str = "input-driven locus";
