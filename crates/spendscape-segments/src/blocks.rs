//! Points in blocks of structure-of-arrays layout, the form in which distances vectorize.

use ndarray::ArrayRef2;

/// Points per block: long enough for full vector registers, short enough that a block of distances stays in the
/// first-level cache.
pub(crate) const BLOCK: usize = 64;

/// `n` points of dimension `dim`; block `b` holds, dimension by dimension, `BLOCK` coordinates (padded with zeros).
pub(crate) struct Blocks {
    n: usize,
    dim: usize,
    data: Vec<f64>,
}

impl Blocks {
    /// Copies the rows `rows` of `x`, in that order.
    pub(crate) fn of_rows(x: &ArrayRef2<f64>, rows: impl ExactSizeIterator<Item = usize>) -> Self {
        let (n, dim) = (rows.len(), x.ncols());
        let mut data = vec![0.0; n.div_ceil(BLOCK) * BLOCK * dim];
        for (i, row) in rows.enumerate() {
            let at = i / BLOCK * BLOCK * dim + i % BLOCK;
            for (d, &v) in x.row(row).iter().enumerate() {
                data[at + d * BLOCK] = v;
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

    /// Number of blocks.
    pub(crate) fn count(&self) -> usize {
        self.n.div_ceil(BLOCK)
    }

    /// Number of points in block `b` that are not padding.
    pub(crate) fn used(&self, b: usize) -> usize {
        BLOCK.min(self.n - b * BLOCK)
    }

    /// Coordinate `d` of point `i`.
    pub(crate) fn at(&self, i: usize, d: usize) -> f64 {
        self.data[i / BLOCK * BLOCK * self.dim + d * BLOCK + i % BLOCK]
    }

    /// Copies point `i` into `out`.
    pub(crate) fn copy_point(&self, i: usize, out: &mut [f64]) {
        for (d, v) in out.iter_mut().enumerate() {
            *v = self.at(i, d);
        }
    }

    /// Coordinates of block `b`, dimension by dimension.
    pub(crate) fn block(&self, b: usize) -> &[f64] {
        &self.data[b * BLOCK * self.dim..(b + 1) * BLOCK * self.dim]
    }

    /// Squared distances of all points of block `b` to `point` (padding included).
    pub(crate) fn squared_distances(&self, b: usize, point: &[f64], out: &mut [f64; BLOCK]) {
        *out = [0.0; BLOCK];
        for (coordinates, &p) in self.block(b).chunks_exact(BLOCK).zip(point) {
            for (o, &x) in out.iter_mut().zip(coordinates) {
                let t = x - p;
                *o += t * t;
            }
        }
    }
}
