//! Columns in units of their standard deviation.

use ndarray::{Array1, Array2, ArrayRef2, Zip};

use crate::{BadInput, check};

/// A deviation below this share of the largest entry is rounding noise.
const CONSTANT: f64 = 1e-12;

/// Means and population deviations of the columns of training rows.
///
/// ```
/// use ndarray::array;
/// use spendscape_stats::Standardizer;
/// let scale = Standardizer::fit(&array![[1.0, 7.0], [3.0, 7.0]])?;
/// assert_eq!(scale.transform(&array![[4.0, 7.0]])?, array![[2.0, 0.0]]);
/// assert_eq!(scale.transform_varying(&array![[4.0, 7.0]])?, array![[2.0]]);
/// # Ok::<(), spendscape_stats::BadInput>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Standardizer {
    columns: usize,
    kept: Vec<usize>,
    /// Of the columns kept.
    means: Array1<f64>,
    deviations: Array1<f64>,
}

impl Standardizer {
    /// Fits means and deviations of `x` (N x C).
    ///
    /// # Errors
    /// [`BadInput::NotFinite`], [`BadInput::TooFew`] without rows.
    pub fn fit(x: &ArrayRef2<f64>) -> Result<Self, BadInput> {
        check::finite("columns to standardize", x)?;
        check::at_least("a scale", "rows", 1, x.nrows())?;
        let n = x.nrows() as f64;
        // Row by row, as they lie in memory. Scaled by the largest entry, so that squares neither overflow nor vanish.
        let mut largest = Array1::<f64>::zeros(x.ncols());
        for row in x.rows() {
            Zip::from(&mut largest).and(&row).for_each(|largest, value| *largest = largest.max(value.abs()));
        }
        let mut sums = Array1::<f64>::zeros(x.ncols());
        for row in x.rows() {
            Zip::from(&mut sums)
                .and(&row)
                .and(&largest)
                .for_each(|sum, value, largest| *sum += value / largest);
        }
        let scaled_means = sums / n;
        let mut squares = Array1::<f64>::zeros(x.ncols());
        for row in x.rows() {
            Zip::from(&mut squares).and(&row).and(&largest).and(&scaled_means).for_each(
                |sum, value, largest, mean| {
                    let distance = value / largest - mean;
                    *sum += distance * distance;
                },
            );
        }
        let scaled_deviations = squares.mapv(|sum| (sum / n).sqrt());
        // A column of zeros has a deviation of NaN, and is left out too.
        let kept: Vec<usize> =
            (0..x.ncols()).filter(|column| scaled_deviations[*column] > CONSTANT).collect();
        let unscaled =
            |values: &Array1<f64>| kept.iter().map(|column| values[*column] * largest[*column]).collect();
        let (means, deviations): (Array1<f64>, Array1<f64>) =
            (unscaled(&scaled_means), unscaled(&scaled_deviations));
        Ok(Self { columns: x.ncols(), kept, means, deviations })
    }

    /// The scale of tables side by side.
    #[must_use]
    pub fn join(parts: &[&Self]) -> Self {
        let (mut columns, mut kept) = (0, Vec::new());
        for part in parts {
            kept.extend(part.kept.iter().map(|column| columns + column));
            columns += part.columns;
        }
        let flat = |of: fn(&Self) -> &Array1<f64>| parts.iter().flat_map(|part| of(part)).copied().collect();
        Self { columns, kept, means: flat(|part| &part.means), deviations: flat(|part| &part.deviations) }
    }

    /// The number of columns, C.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The columns that vary, in order.
    #[must_use]
    pub fn kept(&self) -> &[usize] {
        &self.kept
    }

    /// How many columns do not vary.
    #[must_use]
    pub fn constant(&self) -> usize {
        self.columns - self.kept.len()
    }

    /// Distances from the means in deviations, N x C; 0 in columns that do not vary.
    ///
    /// # Errors
    /// [`BadInput::ShapeMismatch`] for another number of columns, [`BadInput::NotFinite`].
    pub fn transform(&self, x: &ArrayRef2<f64>) -> Result<Array2<f64>, BadInput> {
        self.scale(x, self.columns, |place| self.kept[place])
    }

    /// The same of the columns that vary alone, N x the number kept.
    ///
    /// # Errors
    /// As [`Standardizer::transform`].
    pub fn transform_varying(&self, x: &ArrayRef2<f64>) -> Result<Array2<f64>, BadInput> {
        self.scale(x, self.kept.len(), |place| place)
    }

    /// Writes the column kept in each place to the column `to` of a table of zeros.
    fn scale(
        &self,
        x: &ArrayRef2<f64>,
        width: usize,
        to: impl Fn(usize) -> usize,
    ) -> Result<Array2<f64>, BadInput> {
        check::length("columns to standardize", self.columns, x.ncols())?;
        check::finite("columns to standardize", x)?;
        let mut z = Array2::zeros((x.nrows(), width));
        for (row, mut scaled) in x.rows().into_iter().zip(z.rows_mut()) {
            let units = self.kept.iter().zip(&self.means).zip(&self.deviations);
            for (place, ((column, mean), deviation)) in units.enumerate() {
                scaled[to(place)] = (row[*column] - mean) / deviation;
            }
        }
        Ok(z)
    }
}
