//! Points in small blocks of structure-of-arrays layout, the form in which distances compile to vector instructions.

use ndarray::ArrayRef2;

/// Points per block: a block of running distances stays in registers, and its additions do not wait for each other.
pub(crate) const LANES: usize = 8;

/// One value for each point of a block.
pub(crate) type Lane = [f64; LANES];

/// `n` points of dimension `dim`; each block holds `dim` lanes, one per coordinate (the last block padded with zeros).
pub(crate) struct Blocks {
    n: usize,
    dim: usize,
    data: Vec<Lane>,
}

impl Blocks {
    /// Copies the rows `rows` of `x`, in that order.
    pub(crate) fn of_rows(x: &ArrayRef2<f64>, rows: impl ExactSizeIterator<Item = usize>) -> Self {
        let (n, dim) = (rows.len(), x.ncols());
        let mut data = vec![[0.0; LANES]; n.div_ceil(LANES) * dim];
        for (i, row) in rows.enumerate() {
            for (d, &v) in x.row(row).iter().enumerate() {
                data[i / LANES * dim + d][i % LANES] = v;
            }
        }
        Self { n, dim, data }
    }

    /// Copies all rows of `x`.
    pub(crate) fn new(x: &ArrayRef2<f64>) -> Self {
        Self::of_rows(x, 0..x.nrows())
    }

    /// Number of points.
    pub(crate) fn len(&self) -> usize {
        self.n
    }

    /// Dimension of the points.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// Number of points in block `b` that are not padding.
    pub(crate) fn used(&self, b: usize) -> usize {
        LANES.min(self.n - b * LANES)
    }

    /// Coordinate `d` of point `i`.
    pub(crate) fn at(&self, i: usize, d: usize) -> f64 {
        self.data[i / LANES * self.dim + d][i % LANES]
    }

    /// Copies point `i` into `out`.
    pub(crate) fn copy_point(&self, i: usize, out: &mut [f64]) {
        for (d, v) in out.iter_mut().enumerate() {
            *v = self.at(i, d);
        }
    }

    /// The blocks from block `first` on, each as its `dim` lanes, which a caller may know when it is compiled.
    #[inline(always)]
    pub(crate) fn starting_at(&self, first: usize, dim: usize) -> std::slice::ChunksExact<'_, Lane> {
        self.data[first * dim..].chunks_exact(dim.max(1))
    }

    /// Block `b` as its lanes.
    pub(crate) fn block(&self, b: usize) -> &[Lane] {
        &self.data[b * self.dim..(b + 1) * self.dim]
    }
}

/// Squared distances of the points of a block to `point` (padding included).
#[inline(always)]
pub(crate) fn squared_distances(block: &[Lane], point: &[f64]) -> Lane {
    let mut sum = [0.0; LANES];
    for (lane, &p) in block.iter().zip(point) {
        for (s, &x) in sum.iter_mut().zip(lane) {
            let t = x - p;
            *s += t * t;
        }
    }
    sum
}
