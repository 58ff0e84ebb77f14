//! Single regression trees with exact splits (Breiman et al. 1984).
//!
//! Bins are no way here: an unlimited tree tells apart any two rows. Every column is sorted once per panel; a node owns the
//! same stretch of all columns, and a split parts each of them in its order, so that no node sorts anything. A column that
//! is constant in a node is constant in all below it and is left alone there, which saves most of the work on sparse shares.

use std::ops::Range;

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use rayon::prelude::*;

use crate::{
    Error,
    bins::{ascending, midpoint},
    check,
    fixed::Scale,
    tree::Tree,
};

/// A row and the rank of its value among the distinct values of a column.
#[derive(Debug, Clone, Copy)]
struct Entry {
    row: u32,
    rank: u32,
}

/// The columns of a panel (N x F), each sorted: made once, read by any number of fits.
#[derive(Debug, Clone)]
pub struct SortedColumns {
    rows: usize,
    columns: Vec<Vec<Entry>>,
    /// Distinct values of every column, ascending.
    values: Vec<Vec<f64>>,
}

impl SortedColumns {
    /// Sorts the columns of `x` (N x F).
    ///
    /// # Errors
    /// [`Error::NoFeature`], `BadInput::NotFinite`, [`Error::TooManyRows`].
    pub fn new(x: &ArrayRef2<f64>) -> Result<Self, Error> {
        if x.ncols() == 0 {
            return Err(Error::NoFeature);
        }
        check::rows("sorting", 0, x.nrows())?;
        check::finite("x", x)?;
        let sort = |feature: usize| {
            let mut keyed: Vec<(u64, u32)> =
                x.column(feature).iter().zip(0..).map(|(value, row)| (ascending(*value), row)).collect();
            keyed.sort_unstable();
            let (mut column, mut values) = (Vec::with_capacity(keyed.len()), Vec::new());
            for same in keyed.chunk_by(|a, b| a.0 == b.0) {
                let rank = values.len() as u32;
                column.extend(same.iter().map(|(_, row)| Entry { row: *row, rank }));
                values.push(x[[same[0].1 as usize, feature]]);
            }
            (column, values)
        };
        let (columns, values) = (0..x.ncols()).into_par_iter().map(sort).unzip();
        Ok(Self { rows: x.nrows(), columns, values })
    }
}

/// Parameters of a regression tree.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `max_depth` | none | splits between root and leaf | at least 1 |
/// | `min_leaf_rows` | 1 | training rows in a leaf | at least 1 |
///
/// ```
/// use ndarray::array;
/// use spendscape_trees::{Cart, SortedColumns};
///
/// let x = array![[0.0], [1.0], [2.0], [3.0]];
/// let columns = SortedColumns::new(&x)?;
/// let model = Cart::params().max_depth(1).fit(&columns, &array![5.0, 5.0, 9.0, 9.0])?;
/// assert_eq!(model.predict(&array![[0.2], [2.9]])?, array![5.0, 9.0]);
/// # Ok::<(), spendscape_trees::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cart {
    max_depth: usize,
    min_leaf_rows: usize,
}

impl Cart {
    /// An unlimited tree.
    #[must_use]
    pub fn params() -> Self {
        Self { max_depth: usize::MAX, min_leaf_rows: 1 }
    }

    /// Limits the depth.
    #[must_use]
    pub fn max_depth(mut self, depth: usize) -> Self {
        self.max_depth = depth;
        self
    }

    /// Sets the smallest leaf.
    #[must_use]
    pub fn min_leaf_rows(mut self, rows: usize) -> Self {
        self.min_leaf_rows = rows;
        self
    }

    /// Grows the tree of a target (N): of all splits of a node between two values that are neighbors in it, the one whose
    /// children's means leave the least squared error; of equal ones the first feature's lowest. The cut lies midway
    /// between the two values. Nodes with one target value are leaves.
    ///
    /// # Errors
    /// `BadInput::InvalidParameter` for a parameter of 0; `BadInput::ShapeMismatch`, `BadInput::NotFinite`,
    /// [`Error::OutsideRange`] for a target that does not fit or is beyond 1e150, `BadInput::TooFew` without rows.
    pub fn fit(self, x: &SortedColumns, y: &ArrayRef1<f64>) -> Result<CartModel, Error> {
        for (name, value) in [("max_depth", self.max_depth), ("min_leaf_rows", self.min_leaf_rows)] {
            check::parameter(name, 0.0, value > 0, "[1, inf)")?;
        }
        check::length("y", x.rows, y.len())?;
        check::rows("a regression tree", 1, x.rows)?;
        let rows = check::training_rows(x.rows, None)?;
        check::target(y, &rows)?;
        Ok(CartModel { tree: Grower::new(x, y, rows).grow(self), features: x.columns.len() })
    }
}

/// A fitted regression tree.
#[derive(Debug, Clone, PartialEq)]
pub struct CartModel {
    tree: Tree<f64>,
    features: usize,
}

impl CartModel {
    /// Values of the rows of `x` (N x F).
    ///
    /// # Errors
    /// `BadInput::ShapeMismatch` for another number of features, `BadInput::NotFinite`.
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Array1<f64>, Error> {
        check::length("columns of x", self.features, x.ncols())?;
        check::finite("x", x)?;
        Ok(x.rows().into_iter().map(|row| self.tree.value(|feature| row[feature])).collect())
    }
}

/// A node that may be split.
struct Pending {
    node: usize,
    depth: usize,
    rows: Range<usize>,
    /// Sum of the targets.
    sum: i64,
    /// Columns that vary in it, and perhaps some that do not.
    features: Vec<u32>,
}

/// A split of a node.
struct Split {
    feature: u32,
    /// Rows that go left.
    rows: usize,
    sum: i64,
}

struct Grower<'a> {
    x: &'a SortedColumns,
    y: &'a ArrayRef1<f64>,
    /// Targets less their mean, as integers: sums of equal splits are equal, whatever the order of their rows.
    targets: Vec<i64>,
    /// Reciprocals of numbers of rows.
    reciprocals: Vec<f64>,
    /// Columns whose entries are sorted within every node.
    columns: Vec<Vec<Entry>>,
    rows: Vec<u32>,
    left: Vec<bool>,
    entries_right: Vec<Entry>,
    rows_right: Vec<u32>,
}

impl<'a> Grower<'a> {
    fn new(x: &'a SortedColumns, y: &'a ArrayRef1<f64>, rows: Vec<u32>) -> Self {
        let mean = y.sum() / y.len() as f64;
        let largest = y.iter().fold(0.0, |largest: f64, y| largest.max((y - mean).abs()));
        let scale = Scale::new(y.len(), largest, 1.0);
        Self {
            x,
            y,
            targets: y.iter().map(|y| scale.sum(y - mean, 1.0)[0]).collect(),
            reciprocals: (0..=y.len()).map(|rows| 1.0 / rows as f64).collect(),
            columns: x.columns.clone(),
            left: vec![false; rows.len()],
            entries_right: vec![Entry { row: 0, rank: 0 }; rows.len()],
            rows_right: vec![0; rows.len()],
            rows,
        }
    }

    fn grow(mut self, limits: Cart) -> Tree<f64> {
        let mut tree = Tree::leaf();
        let features = (0..self.columns.len() as u32).collect();
        let sum = self.targets.iter().sum();
        let mut pending = vec![Pending { node: 0, depth: 0, rows: 0..self.rows.len(), sum, features }];
        while let Some(Pending { node, depth, rows, sum, mut features }) = pending.pop() {
            features.retain(|feature| {
                let column = &self.columns[*feature as usize];
                column[rows.start].rank != column[rows.end - 1].rank
            });
            let split = if depth == limits.max_depth || self.pure(rows.clone()) {
                None
            } else {
                self.best(rows.clone(), sum, &features, limits.min_leaf_rows)
            };
            let Some(split) = split else {
                let rows = &self.rows[rows];
                let sum: f64 = rows.iter().map(|row| self.y[*row as usize]).sum();
                tree.nodes[node].value = sum / rows.len() as f64;
                continue;
            };
            let middle = rows.start + split.rows;
            let column = &self.columns[split.feature as usize];
            let values = &self.x.values[split.feature as usize];
            let value = |at: usize| values[column[at].rank as usize];
            let left = tree.split(node, split.feature, midpoint(value(middle - 1), value(middle)));
            self.part(rows.clone(), &split, &features);
            let child = |node, rows, sum, features| Pending { node, depth: depth + 1, rows, sum, features };
            pending.push(child(left + 1, middle..rows.end, sum - split.sum, features.clone()));
            pending.push(child(left, rows.start..middle, split.sum, features));
        }
        tree
    }

    /// Whether all targets of a node are one value.
    fn pure(&self, rows: Range<usize>) -> bool {
        let target = |at: usize| self.targets[self.rows[at] as usize];
        let first = target(rows.start);
        rows.into_iter().all(|at| target(at) == first)
    }

    /// The split that leaves the least squared error; of equal ones the first.
    fn best(&self, rows: Range<usize>, sum: i64, features: &[u32], least: usize) -> Option<Split> {
        let count = rows.len();
        let mut best: Option<Split> = None;
        let mut most = f64::NEG_INFINITY;
        for feature in features {
            let column = &self.columns[*feature as usize][rows.clone()];
            let mut left = 0;
            for (at, pair) in column.windows(2).enumerate() {
                left += self.targets[pair[0].row as usize];
                if pair[0].rank == pair[1].rank {
                    continue;
                }
                let (lefts, rights) = (at + 1, count - at - 1);
                let score = self.score(left, lefts) + self.score(sum - left, rights);
                if score > most && lefts >= least && rights >= least {
                    most = score;
                    best = Some(Split { feature: *feature, rows: lefts, sum: left });
                }
            }
        }
        best
    }

    /// The part of the squared error that a mean explains.
    fn score(&self, sum: i64, rows: usize) -> f64 {
        let sum = sum as f64;
        sum * sum * self.reciprocals[rows]
    }

    /// Parts the rows of a node in every column, each side in its order.
    fn part(&mut self, rows: Range<usize>, split: &Split, features: &[u32]) {
        let column = &self.columns[split.feature as usize][rows.clone()];
        for (at, entry) in column.iter().enumerate() {
            self.left[entry.row as usize] = at < split.rows;
        }
        let left = &self.left;
        for feature in features.iter().filter(|feature| **feature != split.feature) {
            let column = &mut self.columns[*feature as usize][rows.clone()];
            part(column, &mut self.entries_right, |entry| left[entry.row as usize]);
        }
        part(&mut self.rows[rows], &mut self.rows_right, |row| left[row as usize]);
    }
}

/// Moves what goes left before the rest, both in their order.
fn part<T: Copy>(items: &mut [T], right: &mut [T], goes_left: impl Fn(T) -> bool) {
    let right = &mut right[..items.len()];
    let (mut lefts, mut rights) = (0, 0);
    // Both places are written and one counts, so that there is no branch to guess.
    for at in 0..items.len() {
        let item = items[at];
        items[lefts] = item;
        right[rights] = item;
        let left = usize::from(goes_left(item));
        lefts += left;
        rights += 1 - left;
    }
    items[lefts..].copy_from_slice(&right[..rights]);
}
