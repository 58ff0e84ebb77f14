//! The slowest modes at the customers' end states.

use ndarray::{Array2, ArrayRef, Ix2};
use rayon::prelude::*;

use super::{Arrival, Population};
use crate::error::Error;
use crate::map::{LstmCell, check_shape};
use crate::orbits::time_constants;

/// Time constants of the M slowest modes at each customer's end state in steps, the slowest first (N x M), in floating point;
/// infinite where no end state was certified. `inputs` are those that the population was analyzed under (N x C).
///
/// A single slow mode, far slower than the next, is what the literature on trained networks calls an approximate line
/// attractor (Maheswaranathan et al. 2019): along it the state is kept, from all sides it is fallen into.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{
///     map::LstmCell,
///     population::{PopulationParams, analyze_population, slowest_modes},
/// };
///
/// // One unit that keeps 1 / (1 + e^-3) of its cell with every step, whatever is put in.
/// let cell = LstmCell::new(&Array2::zeros((4, 1)), &Array2::zeros((4, 1)), &array![0.0, 3.0, 0.0, 0.0])?;
/// let inputs = array![[1.0]];
/// let population = analyze_population(&cell, &inputs, &PopulationParams::default())?;
/// let slow = slowest_modes(&cell, &inputs, &population)?;
/// assert!((slow[[0, 0]] - 1.0 / (1.0 + (-3_f64).exp()).ln()).abs() < 1e-9);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`], [`Error::InputWidth`], `BadInput::NotFinite` or [`Error::Linalg`].
pub fn slowest_modes(
    cell: &LstmCell,
    inputs: &ArrayRef<f64, Ix2>,
    population: &Population,
) -> Result<Array2<f64>, Error> {
    check_shape("inputs", inputs.shape(), &[population.len(), cell.inputs()])?;
    let (ends, units) = (population.end_states(), cell.units());
    let rows: Vec<Vec<f64>> = (0..population.len())
        .into_par_iter()
        .map(|n| {
            if population.arrival[n] == Arrival::None {
                return Ok(vec![f64::INFINITY; units]);
            }
            let mut slow = time_constants(&cell.under(&inputs.row(n))?, &ends.row(n))?;
            slow.truncate(units);
            Ok(slow)
        })
        .collect::<Result<_, Error>>()?;
    Ok(Array2::from_shape_fn((rows.len(), units), |(n, k)| rows[n][k]))
}
