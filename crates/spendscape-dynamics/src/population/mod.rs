//! The long-run behavior of every customer: all fixed points of each customer's own map, and the one that the
//! customer's own roll-out reaches.

mod customer;
mod large;
mod modes;
mod table;

use ndarray::{ArrayRef, Ix2};
use rayon::prelude::*;
use spendscape_stats::check;

use crate::error::Error;
use crate::fixed_points::complete::{recurrent, with_units};
use crate::fixed_points::{COMPLETE_UNITS_MAX, SearchParams};
use crate::interval::Interval;
use crate::map::LstmCell;
use customer::CustomerAnalysis;
use large::RollOutOnly;
pub use modes::slowest_modes;
pub use table::{Arrival, PointTable, Population};

/// Units of parallel work at the most: more threads would find none. Each allocates its working memory once.
const UNITS_OF_WORK: usize = 256;
/// Customers per unit of work at the least, which are worth that memory.
const CUSTOMERS_MIN: usize = 8;

/// Parameters of the population analysis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PopulationParams {
    pub(crate) search: SearchParams,
    pub(crate) horizon: usize,
    pub(crate) max_steps: usize,
    pub(crate) step_min: f64,
    pub(crate) converged_within: f64,
}

impl Default for PopulationParams {
    fn default() -> Self {
        Self {
            search: SearchParams::default(),
            horizon: 100,
            max_steps: 100_000,
            step_min: 1e-13,
            converged_within: 0.05,
        }
    }
}

impl PopulationParams {
    /// Parameters of each customer's complete search.
    #[must_use]
    pub fn search(mut self, search: SearchParams) -> Self {
        self.search = search;
        self
    }

    /// Steps of the extended trajectory (T' of P3, section III-D). Default: 100.
    #[must_use]
    pub fn horizon(mut self, horizon: usize) -> Self {
        self.horizon = horizon;
        self
    }

    /// The roll-out toward the end state stops after this many steps (the default leaves time to pass the place where two
    /// points have just vanished), or after a tenth of them where the list holds no stable point with a time constant within
    /// them, or earlier ([`Self::step_min`]). Default: 100,000.
    #[must_use]
    pub fn max_steps(mut self, max_steps: usize) -> Self {
        self.max_steps = max_steps;
        self
    }

    /// The roll-out stops when a step is shorter than this. Default: 1e-13.
    #[must_use]
    pub fn step_min(mut self, step_min: f64) -> Self {
        self.step_min = step_min;
        self
    }

    /// A customer has converged when the hidden state at the horizon is nearer than this to the end state (Euclidean).
    /// Default: 0.05.
    #[must_use]
    pub fn converged_within(mut self, converged_within: f64) -> Self {
        self.converged_within = converged_within;
        self
    }
}

/// Analyzes each customer's map under the customer's constant input (`inputs` is N x C).
///
/// The result is the same for any number of threads.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{
///     map::LstmCell,
///     population::{PopulationParams, analyze_population},
/// };
///
/// // Two customers, whose inputs drive the only unit up and down.
/// let cell = LstmCell::new(&array![[0.0], [0.0], [1.0], [0.0]], &Array2::zeros((4, 1)), &array![0.0, 0.0, 0.0, 0.0])?;
/// let population = analyze_population(&cell, &array![[1.0], [-1.0]], &PopulationParams::default())?;
/// assert_eq!((population.len(), population.count(0)), (2, 1));
/// assert!(population.end_hidden()[[0, 0]] > 0.1 && population.end_hidden()[[1, 0]] < -0.1);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
///
/// # Errors
/// [`Error::InputWidth`] or `BadInput::NotFinite`.
pub fn analyze_population(
    cell: &LstmCell,
    inputs: &ArrayRef<f64, Ix2>,
    params: &PopulationParams,
) -> Result<Population, Error> {
    if inputs.ncols() != cell.inputs() {
        return Err(Error::InputWidth { expected: cell.inputs(), found: inputs.ncols() });
    }
    check::finite("inputs", inputs)?;
    let fill = |n: usize, z0: &mut Vec<Interval>| {
        let row = inputs.row(n);
        cell.affine.enclose_into(|j| (row[j], 0.0), z0);
    };
    Ok(analyze(cell, inputs.nrows(), &fill, params))
}

/// Analyzes maps given by their pre-activations `W_x u + b` (N x 4M), taken as exact: the input weights are not needed.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{
///     map::LstmCell,
///     population::{PopulationParams, analyze_population, analyze_preactivations},
/// };
///
/// // One customer, whose input of 1 times the weight of 1 is all that stands before the gates.
/// let (w, b) = (array![[0.0], [0.0], [1.0], [0.0]], array![0.0, 0.0, 0.0, 0.0]);
/// let (cell, params) = (LstmCell::new(&w, &Array2::zeros((4, 1)), &b)?, PopulationParams::default());
/// let found = analyze_preactivations(&cell, &array![[0.0, 0.0, 1.0, 0.0]], &params)?.end_hidden()[[0, 0]];
/// let expected = analyze_population(&cell, &array![[1.0]], &params)?.end_hidden()[[0, 0]];
/// assert!((found - expected).abs() < 1e-9);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] or `BadInput::NotFinite`.
pub fn analyze_preactivations(
    cell: &LstmCell,
    z0: &ArrayRef<f64, Ix2>,
    params: &PopulationParams,
) -> Result<Population, Error> {
    crate::map::check_shape("z0", z0.shape(), &[z0.nrows(), cell.affine.rows()])?;
    check::finite("z0", z0)?;
    let fill = |n: usize, out: &mut Vec<Interval>| {
        out.clear();
        out.extend(z0.row(n).iter().map(|&v| Interval::point(v)));
    };
    Ok(analyze(cell, z0.nrows(), &fill, params))
}

fn analyze(
    cell: &LstmCell,
    customers: usize,
    fill: &(impl Fn(usize, &mut Vec<Interval>) + Sync),
    params: &PopulationParams,
) -> Population {
    // A function of the number of customers alone; nothing passes from one customer to the next.
    let chunk = customers.div_ceil(UNITS_OF_WORK).max(CUSTOMERS_MIN);
    let chunks: Vec<Population> = (0..customers.div_ceil(chunk))
        .into_par_iter()
        .map(|at| {
            let rows = at * chunk..customers.min((at + 1) * chunk);
            let mut table = Population::with_capacity(cell.units(), rows.len(), rows.len());
            with_units!(cell.units(), N => {
                let w = recurrent::<N>(cell);
                CustomerAnalysis::new(cell, &w, rows.len()).analyze(rows, fill, params, &mut table);
            }, {
                debug_assert!(cell.units() > COMPLETE_UNITS_MAX);
                let mut walker = RollOutOnly::new(cell);
                for n in rows {
                    fill(n, walker.preactivation());
                    walker.analyze(params, &mut table);
                }
            });
            table
        })
        .collect();
    Population::join(cell.units(), chunks)
}
