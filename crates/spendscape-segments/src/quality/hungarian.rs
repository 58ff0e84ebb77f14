//! Optimal assignment of rows to columns.

use ndarray::ArrayRef2;

use crate::check;
use crate::error::Result;

/// Column assigned to each row so that the sum of `value` over the pairs is largest; `None` for rows left over when there
/// are more rows than columns.
///
/// The Hungarian method with potentials (Jonker and Volgenant 1987), O(rows^2 columns).
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::quality::maximum_assignment;
///
/// // The best pair alone (9) would cost more than it brings.
/// let value = array![[9.0, 8.0], [7.0, 1.0], [2.0, 2.0]];
/// assert_eq!(maximum_assignment(&value)?, [Some(1), Some(0), None]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When a value is not finite.
pub fn maximum_assignment(value: &ArrayRef2<f64>) -> Result<Vec<Option<usize>>> {
    check::finite("values", value)?;
    let (rows, columns) = value.dim();
    if rows > columns {
        // Solve the transposed problem and turn the answer around.
        let mut partner = vec![None; rows];
        for (column, row) in solve(columns, rows, |j, i| -value[[i, j]]).into_iter().enumerate() {
            partner[row] = Some(column);
        }
        return Ok(partner);
    }
    Ok(solve(rows, columns, |i, j| -value[[i, j]]).into_iter().map(Some).collect())
}

/// Column of each row in an assignment of least cost; `rows <= columns`.
fn solve(rows: usize, columns: usize, cost: impl Fn(usize, usize) -> f64) -> Vec<usize> {
    // Column 0 is a place for the row being inserted; real columns count from 1, as do rows (0 = free).
    let mut row_potential = vec![0.0; rows + 1];
    let mut column_potential = vec![0.0; columns + 1];
    let mut row_of = vec![0usize; columns + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut column = 0;
        let mut slack = vec![f64::INFINITY; columns + 1];
        let mut previous = vec![0usize; columns + 1];
        let mut used = vec![false; columns + 1];
        while row_of[column] != 0 {
            used[column] = true;
            let from = row_of[column];
            let (mut delta, mut next) = (f64::INFINITY, 0);
            for j in (1..=columns).filter(|&j| !used[j]) {
                let reduced = cost(from - 1, j - 1) - row_potential[from] - column_potential[j];
                if reduced < slack[j] {
                    slack[j] = reduced;
                    previous[j] = column;
                }
                if slack[j] < delta {
                    delta = slack[j];
                    next = j;
                }
            }
            for j in 0..=columns {
                if used[j] {
                    row_potential[row_of[j]] += delta;
                    column_potential[j] -= delta;
                } else {
                    slack[j] -= delta;
                }
            }
            column = next;
        }
        // Shift the rows along the augmenting path.
        while column != 0 {
            row_of[column] = row_of[previous[column]];
            column = previous[column];
        }
    }
    let mut column_of = vec![0; rows];
    for (j, &row) in row_of.iter().enumerate().skip(1) {
        if row > 0 {
            column_of[row - 1] = j - 1;
        }
    }
    column_of
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn the_best_pairs_are_found() {
        let value = array![[7.0, 5.0, 0.0], [8.0, 1.0, 0.0]];
        assert_eq!(maximum_assignment(&value).unwrap(), [Some(1), Some(0)]);
        assert_eq!(maximum_assignment(&value.t()).unwrap(), [Some(1), Some(0), None]);
        assert_eq!(maximum_assignment(&Array2::zeros((0, 3))).unwrap(), []);
        assert_eq!(maximum_assignment(&Array2::zeros((2, 0))).unwrap(), [None, None]);
    }
}
