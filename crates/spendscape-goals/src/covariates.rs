//! Covariates of customers: properties apart from their transactions.

use ndarray::{Array2, ArrayRef2};
use spendscape_stats::check;

use crate::Error;

/// Static covariates of the customers, such as age band, gender or region: each has a number of levels.
///
/// ```
/// use ndarray::array;
/// use spendscape_goals::Covariates;
///
/// // Three customers: an age band of five and a region of two.
/// let covariates = Covariates::new(vec![5, 2], &array![[0, 1], [4, 0], [2, 1]])?;
/// assert_eq!(covariates.customers(), 3);
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Covariates {
    pub(crate) sizes: Vec<usize>,
    /// N x V; the number of levels stands for unknown.
    pub(crate) levels: Array2<u16>,
}

impl Covariates {
    /// No covariates of `customers` customers.
    #[must_use]
    pub fn none(customers: usize) -> Self {
        Self { sizes: Vec::new(), levels: Array2::zeros((customers, 0)) }
    }

    /// `levels` (N x V) from 0; a value of `sizes[v]` or more stands for unknown.
    ///
    /// # Errors
    /// `BadInput::ShapeMismatch` unless there is one size per covariate.
    pub fn new(sizes: Vec<usize>, levels: &ArrayRef2<u16>) -> Result<Self, Error> {
        check::length("sizes", levels.ncols(), sizes.len())?;
        let mut levels = levels.to_owned();
        for (mut column, size) in levels.columns_mut().into_iter().zip(&sizes) {
            column.mapv_inplace(|level| level.min(*size as u16));
        }
        Ok(Self { sizes, levels })
    }

    /// Number of customers (N).
    #[must_use]
    pub fn customers(&self) -> usize {
        self.levels.nrows()
    }
}
