//! Where a customer stands among others.

use ndarray::{Array1, Array2, ArrayRef, Ix2};
use rayon::prelude::*;

use crate::{Error, check};

/// The features of a group of customers, sorted class by class.
#[derive(Debug, Clone, PartialEq)]
pub struct Peers {
    sorted: Vec<Vec<f64>>,
}

impl Peers {
    /// Sorts the features of peers, N x C.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`], [`Error::TooFewRows`] without peers.
    pub fn new(features: &ArrayRef<f64, Ix2>) -> Result<Self, Error> {
        check::rows("a comparison with peers", 1, features.nrows())?;
        check::finite("features", features)?;
        let sort = |column: usize| {
            let mut values = features.column(column).to_vec();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        Ok(Self { sorted: (0..features.ncols()).into_par_iter().map(sort).collect() })
    }

    /// Fraction of peers with a smaller value in a column, counting equal ones half.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for an unknown column, [`Error::NotFinite`].
    ///
    /// ```
    /// # fn main() -> Result<(), spendscape_surrogate::Error> {
    /// use ndarray::array;
    /// let peers = spendscape_surrogate::Peers::new(&array![[1.0], [2.0], [2.0], [3.0]])?;
    /// assert_eq!(peers.percentile(0, 2.0)?, 0.5);
    /// assert_eq!(peers.percentile(0, 9.0)?, 1.0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn percentile(&self, column: usize, value: f64) -> Result<f64, Error> {
        let values = self.column(column)?;
        if !value.is_finite() {
            return Err(Error::NotFinite { argument: "value", row: 0, column, value });
        }
        let below = values.partition_point(|&peer| peer < value);
        // Few peers are equal, but for those who spend nothing.
        let equal = &values[below..];
        let not_above = match equal.get(1) {
            Some(next) if *next == value => below + equal.partition_point(|&peer| peer == value),
            _ => below + usize::from(equal.first() == Some(&value)),
        };
        Ok(0.5 * (below + not_above) as f64 / values.len() as f64)
    }

    /// The same for every entry of a table (N x C) with the peers' columns.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`] unless there are C columns, [`Error::NotFinite`].
    pub fn percentiles(&self, features: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
        check::features(features, self.sorted.len())?;
        // Column by column, so that the sorted values stay in the cache.
        let columns = (0..features.ncols())
            .into_par_iter()
            .map(|column| {
                features.column(column).iter().map(|&value| self.percentile(column, value)).collect()
            })
            .collect::<Result<Vec<Vec<f64>>, Error>>()?;
        let mut percentiles = Array2::zeros(features.dim());
        for (mut to, column) in percentiles.columns_mut().into_iter().zip(columns) {
            to.assign(&Array1::from_vec(column));
        }
        Ok(percentiles)
    }

    /// The smallest value of a column that at least this fraction of the peers do not exceed.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for an unknown column, [`Error::InvalidParameter`] for a level outside [0, 1].
    pub fn quantile(&self, column: usize, level: f64) -> Result<f64, Error> {
        let values = self.column(column)?;
        if !(0.0..=1.0).contains(&level) {
            return Err(Error::InvalidParameter { parameter: "level", value: level, range: "[0, 1]" });
        }
        let needed = (level * values.len() as f64).ceil() as usize;
        Ok(values[needed.saturating_sub(1)])
    }

    fn column(&self, column: usize) -> Result<&[f64], Error> {
        let length = self.sorted.len();
        self.sorted.get(column).map(Vec::as_slice).ok_or(Error::OutOfRange {
            argument: "column",
            index: column,
            length,
        })
    }
}
