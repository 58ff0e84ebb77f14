//! What is read of a run's tables.

use std::{collections::HashMap, ops::Range};

use ndarray::Array2;

/// Why a table cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing(pub(super) String);

impl Missing {
    pub(crate) fn reason(&self) -> String {
        self.0.clone()
    }
}

/// What a table holds, or why it is not there.
pub(crate) type Part<T> = Result<T, Missing>;

/// Where a table comes from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) stage: String,
    pub(crate) program: String,
    pub(crate) seed: Option<u64>,
    pub(crate) digest: String,
    pub(crate) rows: usize,
}

/// Rows of vectors, some rows per customer.
#[derive(Debug, Clone)]
pub(crate) struct Trajectories {
    /// N x M.
    pub(crate) states: Array2<f64>,
    /// The customer (by number in [`Run::customers`]) and the rows of each trajectory.
    pub(crate) spans: Vec<(usize, Range<usize>)>,
}

impl Trajectories {
    /// The rows of each customer.
    pub(crate) fn by_customer(&self) -> HashMap<usize, Range<usize>> {
        self.spans.iter().cloned().collect()
    }

    /// Number of steps of the longest trajectory.
    pub(crate) fn steps(&self) -> usize {
        self.spans.iter().map(|(_, rows)| rows.len()).max().unwrap_or(0)
    }
}

/// One vector per customer.
#[derive(Debug, Clone)]
pub(crate) struct Vectors {
    pub(crate) customers: Vec<usize>,
    pub(crate) values: Array2<f64>,
}

/// What the end states of a trait's customers look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Line,
    Points,
    /// A cloud.
    Neither,
}

/// The attractor of a trait's customers, if they have one.
#[derive(Debug, Clone)]
pub(crate) struct Attractor {
    pub(crate) trait_index: usize,
    pub(crate) form: Form,
    /// Along the curve, or the points; none of a cloud.
    pub(crate) states: Vec<Vec<f64>>,
    /// Customers nearest to each point; of a curve, all of the group.
    pub(crate) members: Vec<i64>,
    /// Centers of the points that fit best, whether they are drawn or not.
    pub(crate) centers: usize,
    /// Of the shape; of a cloud, what these centers explain.
    pub(crate) variance_explained: f64,
    /// Distance of customers from the shape over the spread of all end states.
    pub(crate) compactness: f64,
    pub(crate) verdict: String,
}

/// Where the customers' own roll-outs end.
#[derive(Debug, Clone)]
pub(crate) struct Ends {
    pub(crate) customers: Vec<usize>,
    /// N x M.
    pub(crate) states: Array2<f64>,
    /// Upper bound of the spectral radius there.
    pub(crate) radius: Vec<f64>,
}

/// A certified fixed point of one customer's map.
#[derive(Debug, Clone)]
pub(crate) struct MapPoint {
    pub(crate) customer: usize,
    /// The hidden part of the state.
    pub(crate) state: Vec<f64>,
    pub(crate) stable: bool,
    /// Share of the sampled states that reach it.
    pub(crate) basin: Option<f64>,
    /// Radius of the box in which it is proved to exist.
    pub(crate) radius: f64,
}

/// The axis of one trait.
#[derive(Debug, Clone)]
pub(crate) struct TraitAxis {
    pub(crate) trait_index: usize,
    pub(crate) magnitude: f64,
    pub(crate) axis: Vec<f64>,
    pub(crate) origin: Vec<f64>,
    /// The direction in which the trait's output rises fastest.
    pub(crate) readout: Vec<f64>,
}

/// The customers that illustrate a claim, the best first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Examples {
    pub(crate) steady: Vec<usize>,
    pub(crate) changed: Vec<Changed>,
}

/// A customer who turned in the last period.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changed {
    pub(crate) customer: usize,
    /// The trait that the state before decodes to.
    pub(crate) before: usize,
    /// The trait that the last step decodes to.
    pub(crate) toward: usize,
}
