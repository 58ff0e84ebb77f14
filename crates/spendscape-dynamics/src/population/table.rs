//! The population's result as columns.

use ndarray::{Array2, ArrayView2};

use crate::fixed_points::certificate::time_constant;
use crate::fixed_points::{Outcome, Spectrum, Verdict};
use crate::interval::Interval;

/// How it is known that a customer's roll-out ends at its end state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arrival {
    /// The roll-out entered a neighborhood on which the map is proved to contract to the point.
    Contraction,
    /// A step fell below the least step; Newton's method then reached the point.
    SmallStep,
    /// The step limit was reached; Newton's method then reached the point, which is not proved to repel roll-outs.
    StepLimit,
    /// No certified point was reached: the end state is the last state of the roll-out.
    None,
}

/// Certified fixed points of many customers, customer by customer.
#[derive(Debug, Clone, PartialEq)]
pub struct PointTable {
    pub(super) units: usize,
    /// The points of customer `n` are rows `offsets[n]..offsets[n + 1]`.
    pub offsets: Vec<usize>,
    pub(super) states: Vec<f64>,
    /// The largest distance of the exact point from the state, per point (largest coordinate).
    pub error: Vec<f64>,
    /// The largest absolute residual `F(x) - x` in floating point, per point.
    pub residual: Vec<f64>,
    /// Enclosure of the spectral radius and verdict, per point.
    pub spectrum: Vec<Spectrum>,
}

impl PointTable {
    /// The states `(h, c)`, one row of length 2M per point.
    #[must_use]
    pub fn states(&self) -> ArrayView2<'_, f64> {
        rows(&self.states, 2 * self.units)
    }

    /// The number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spectrum.len()
    }

    /// Whether there are no points.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spectrum.is_empty()
    }
}

/// The long-run behavior of N customers.
#[derive(Debug, Clone, PartialEq)]
pub struct Population {
    units: usize,
    pub(super) end: Vec<f64>,
    pub(super) horizon: Vec<f64>,
    /// How the arrival at the end state is known, per customer.
    pub arrival: Vec<Arrival>,
    /// The end state's row in `points`; `None` when no certified point was reached.
    pub end_point: Vec<Option<usize>>,
    /// Enclosure of the spectral radius at the end state and verdict, per customer.
    pub spectrum: Vec<Spectrum>,
    /// Euclidean distance of the hidden state at the horizon from that of the end state.
    pub distance: Vec<f64>,
    /// Whether that distance is below the limit.
    pub converged: Vec<bool>,
    /// How each customer's search for all fixed points ended.
    pub outcome: Vec<Outcome>,
    /// Whether the undecided boxes of the customer's search form a line attractor.
    pub line: Vec<bool>,
    /// Boxes examined per customer.
    pub boxes: Vec<usize>,
    /// All certified points.
    pub points: PointTable,
}

fn rows(values: &[f64], width: usize) -> ArrayView2<'_, f64> {
    // The tables are only filled row by row, so the shape always fits.
    ArrayView2::from_shape((values.len() / width, width), values).expect("the table is filled by whole rows")
}

impl Population {
    /// An empty table with room for customers and points.
    pub(super) fn with_capacity(units: usize, customers: usize, points: usize) -> Self {
        let mut offsets = Vec::with_capacity(customers + 1);
        offsets.push(0);
        Self {
            units,
            end: Vec::with_capacity(customers * 2 * units),
            horizon: Vec::with_capacity(customers * 2 * units),
            arrival: Vec::with_capacity(customers),
            end_point: Vec::with_capacity(customers),
            spectrum: Vec::with_capacity(customers),
            distance: Vec::with_capacity(customers),
            converged: Vec::with_capacity(customers),
            outcome: Vec::with_capacity(customers),
            line: Vec::with_capacity(customers),
            boxes: Vec::with_capacity(customers),
            points: PointTable {
                units,
                offsets,
                states: Vec::with_capacity(points * 2 * units),
                error: Vec::with_capacity(points),
                residual: Vec::with_capacity(points),
                spectrum: Vec::with_capacity(points),
            },
        }
    }

    /// Concatenates the chunks in order.
    pub(super) fn join(units: usize, chunks: Vec<Self>) -> Self {
        let customers = chunks.iter().map(Self::len).sum();
        let points = chunks.iter().map(|chunk| chunk.points.len()).sum();
        let mut all = Self::with_capacity(units, customers, points);
        for chunk in chunks {
            let base = all.points.len();
            all.end.extend(chunk.end);
            all.horizon.extend(chunk.horizon);
            all.arrival.extend(chunk.arrival);
            all.end_point.extend(chunk.end_point.into_iter().map(|p| p.map(|p| p + base)));
            all.spectrum.extend(chunk.spectrum);
            all.distance.extend(chunk.distance);
            all.converged.extend(chunk.converged);
            all.outcome.extend(chunk.outcome);
            all.line.extend(chunk.line);
            all.boxes.extend(chunk.boxes);
            all.points.offsets.extend(chunk.points.offsets[1..].iter().map(|o| o + base));
            all.points.states.extend(chunk.points.states);
            all.points.error.extend(chunk.points.error);
            all.points.residual.extend(chunk.points.residual);
            all.points.spectrum.extend(chunk.points.spectrum);
        }
        all
    }

    /// The number of customers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spectrum.len()
    }

    /// Whether there are no customers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spectrum.is_empty()
    }

    /// The end states `(h, c)`, N x 2M.
    #[must_use]
    pub fn end_states(&self) -> ArrayView2<'_, f64> {
        rows(&self.end, 2 * self.units)
    }

    /// The states `(h, c)` at the horizon, N x 2M.
    #[must_use]
    pub fn horizon_states(&self) -> ArrayView2<'_, f64> {
        rows(&self.horizon, 2 * self.units)
    }

    /// The hidden part of the end states, N x M.
    #[must_use]
    pub fn end_hidden(&self) -> Array2<f64> {
        self.end_states().slice(ndarray::s![.., ..self.units]).to_owned()
    }

    /// The time constants `-1 / ln(rho)` in steps, per customer.
    #[must_use]
    pub fn time_constants(&self) -> Vec<f64> {
        self.spectrum.iter().map(|s| time_constant(s.radius.mid())).collect()
    }

    /// The number of certified points of customer `n`.
    #[must_use]
    pub fn count(&self, n: usize) -> usize {
        self.points.offsets[n + 1] - self.points.offsets[n]
    }
}

/// The verdict of a customer without a certified end state.
pub(super) const NOTHING: Spectrum =
    Spectrum { radius: Interval { lo: 0.0, hi: f64::INFINITY }, verdict: Verdict::Undecided };
