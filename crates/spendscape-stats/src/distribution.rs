//! Where a row stands among others.

use ndarray::{Array1, Array2, ArrayRef2};
use rayon::prelude::*;

use crate::{BadInput, check, quantile_sorted};

/// The empirical distribution of every column of a table.
///
/// ```
/// use ndarray::array;
/// use spendscape_stats::EmpiricalDistribution;
///
/// let peers = EmpiricalDistribution::new(&array![[0.1], [0.2], [0.3], [0.4]])?;
/// assert!(peers.percentile(0, 0.35)? > peers.percentile(0, 0.15)?);
/// assert!(peers.quantile(0, 1.0)? <= 0.4);
/// # Ok::<(), spendscape_stats::BadInput>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EmpiricalDistribution {
    sorted: Vec<Vec<f64>>,
}

impl EmpiricalDistribution {
    /// Sorts the columns of a table, N x C.
    ///
    /// # Errors
    ///
    /// [`BadInput::NotFinite`], [`BadInput::TooFew`] without rows.
    pub fn new(features: &ArrayRef2<f64>) -> Result<Self, BadInput> {
        check::at_least("an empirical distribution", "rows", 1, features.nrows())?;
        check::finite("features", features)?;
        let sort = |column: usize| {
            let mut values = features.column(column).to_vec();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        Ok(Self { sorted: (0..features.ncols()).into_par_iter().map(sort).collect() })
    }

    /// The number of columns, C.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.sorted.len()
    }

    /// Fraction of the rows with a smaller value in a column, counting equal ones half.
    ///
    /// # Errors
    ///
    /// [`BadInput::OutOfRange`] for an unknown column, [`BadInput::NotFinite`].
    ///
    /// ```
    /// use ndarray::array;
    /// let peers = spendscape_stats::EmpiricalDistribution::new(&array![[1.0], [2.0], [2.0], [3.0]])?;
    /// assert_eq!(peers.percentile(0, 2.0)?, 0.5);
    /// assert_eq!(peers.percentile(0, 9.0)?, 1.0);
    /// # Ok::<(), spendscape_stats::BadInput>(())
    /// ```
    pub fn percentile(&self, column: usize, value: f64) -> Result<f64, BadInput> {
        let values = self.column(column)?;
        if !value.is_finite() {
            return Err(BadInput::NotFinite { argument: "value", row: 0, column, value });
        }
        let below = values.partition_point(|&peer| peer < value);
        // Few values are equal, but for zeros.
        let equal = &values[below..];
        let not_above = match equal.get(1) {
            Some(next) if *next == value => below + equal.partition_point(|&peer| peer == value),
            _ => below + usize::from(equal.first() == Some(&value)),
        };
        Ok(0.5 * (below + not_above) as f64 / values.len() as f64)
    }

    /// The same for every entry of a table (N x C) with the same columns.
    ///
    /// # Errors
    ///
    /// [`BadInput::ShapeMismatch`] unless there are C columns, [`BadInput::NotFinite`].
    pub fn percentiles(&self, features: &ArrayRef2<f64>) -> Result<Array2<f64>, BadInput> {
        check::length("columns of features", self.sorted.len(), features.ncols())?;
        check::finite("features", features)?;
        // Column by column, so that the sorted values stay in the cache.
        let columns = (0..features.ncols())
            .into_par_iter()
            .map(|column| {
                features.column(column).iter().map(|&value| self.percentile(column, value)).collect()
            })
            .collect::<Result<Vec<Vec<f64>>, BadInput>>()?;
        let mut percentiles = Array2::zeros(features.dim());
        for (mut to, column) in percentiles.columns_mut().into_iter().zip(columns) {
            to.assign(&Array1::from_vec(column));
        }
        Ok(percentiles)
    }

    /// The value of a column below which a fraction of the rows lies ([`crate::quantile`]).
    ///
    /// # Errors
    ///
    /// [`BadInput::OutOfRange`] for an unknown column, [`BadInput::InvalidParameter`] for a level outside [0, 1].
    pub fn quantile(&self, column: usize, level: f64) -> Result<f64, BadInput> {
        let values = self.column(column)?;
        check::parameter("level", level, (0.0..=1.0).contains(&level), "[0, 1]")?;
        Ok(quantile_sorted(values, level))
    }

    fn column(&self, column: usize) -> Result<&[f64], BadInput> {
        check::index("column", column, self.sorted.len())?;
        Ok(&self.sorted[column])
    }
}
