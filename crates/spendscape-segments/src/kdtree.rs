//! A k-d tree for exact nearest neighbors in few dimensions.

/// Points per leaf: a leaf is scanned linearly, so small leaves trade scanning for tree depth.
const LEAF: usize = 16;

/// The `k` nearest points found so far, by distance and then by index, so that ties never depend on the search order.
pub(crate) struct Nearest {
    k: usize,
    found: Vec<(f64, usize)>,
}

impl Nearest {
    pub(crate) fn new(k: usize) -> Self {
        Self { k, found: Vec::with_capacity(k) }
    }

    /// Squared distance beyond which a point cannot be among the nearest.
    pub(crate) fn bound(&self) -> f64 {
        if self.found.len() < self.k { f64::INFINITY } else { self.found[self.k - 1].0 }
    }

    /// Offers a point.
    pub(crate) fn offer(&mut self, distance: f64, index: usize) {
        if self.found.len() == self.k {
            match self.found.last() {
                Some(&(d, i)) if distance < d || (distance == d && index < i) => self.found.pop(),
                _ => return,
            };
        }
        let at = self.found.partition_point(|&(d, i)| d < distance || (d == distance && i < index));
        self.found.insert(at, (distance, index));
    }

    /// The points found, nearest first.
    pub(crate) fn into_sorted(self) -> Vec<(f64, usize)> {
        self.found
    }
}

/// A balanced k-d tree over points in row-major order.
pub(crate) struct KdTree {
    dim: usize,
    /// Points in tree order, so that leaves are contiguous.
    points: Vec<f64>,
    /// Original index of each point in tree order.
    index: Vec<usize>,
    nodes: Vec<Node>,
}

struct Node {
    start: usize,
    end: usize,
    /// Dimension and value of the split, and the right child; the left child follows its parent. Leaves have none.
    split: Option<(usize, f64, usize)>,
}

impl KdTree {
    /// Builds the tree over `points` (row-major, `dim` columns).
    pub(crate) fn new(points: &[f64], dim: usize) -> Self {
        let n = points.len().checked_div(dim).unwrap_or(0);
        let mut tree = Self {
            dim,
            points: Vec::with_capacity(points.len()),
            index: (0..n).collect(),
            nodes: Vec::new(),
        };
        let mut index = std::mem::take(&mut tree.index);
        tree.build(points, &mut index, 0);
        for &i in &index {
            tree.points.extend_from_slice(&points[i * dim..(i + 1) * dim]);
        }
        tree.index = index;
        tree
    }

    fn build(&mut self, points: &[f64], index: &mut [usize], start: usize) {
        let at = self.nodes.len();
        self.nodes.push(Node { start, end: start + index.len(), split: None });
        if index.len() <= LEAF {
            return;
        }
        let value = |i: usize, d: usize| points[i * self.dim + d];
        let width = |d: usize| {
            let range = index.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), &i| {
                let v = value(i, d);
                (lo.min(v), hi.max(v))
            });
            range.1 - range.0
        };
        let d = crate::directions::dominance::argmax((0..self.dim).map(width));
        let half = index.len() / 2;
        // The dimension is captured by value, because `self` is borrowed again below.
        let dim = self.dim;
        index.select_nth_unstable_by(half, |&a, &b| points[a * dim + d].total_cmp(&points[b * dim + d]));
        let cut = points[index[half] * dim + d];
        let (left, right) = index.split_at_mut(half);
        self.build(points, left, start);
        let right_node = self.nodes.len();
        self.build(points, right, start + half);
        self.nodes[at].split = Some((d, cut, right_node));
    }

    /// The `k` nearest points to `query`, nearest first, as (squared distance, original index).
    pub(crate) fn nearest(&self, query: &[f64], k: usize) -> Vec<(f64, usize)> {
        let mut found = Nearest::new(k);
        let mut offsets = vec![0.0; self.dim];
        self.search(0, query, 0.0, &mut offsets, &mut found);
        found.into_sorted()
    }

    /// Searches a node whose cell is at squared distance `cell` from the query; `offsets` holds that distance's parts.
    fn search(&self, at: usize, query: &[f64], cell: f64, offsets: &mut [f64], found: &mut Nearest) {
        let node = &self.nodes[at];
        let Some((d, cut, right)) = node.split else {
            for i in node.start..node.end {
                let point = &self.points[i * self.dim..(i + 1) * self.dim];
                let distance = point.iter().zip(query).map(|(p, q)| (p - q) * (p - q)).sum::<f64>();
                if distance <= found.bound() {
                    found.offer(distance, self.index[i]);
                }
            }
            return;
        };
        let offset = query[d] - cut;
        let (near, far) = if offset < 0.0 { (at + 1, right) } else { (right, at + 1) };
        self.search(near, query, cell, offsets, found);
        let before = offsets[d];
        let beyond = cell - before * before + offset * offset;
        // Cells at exactly the bound are searched too, because of the tie rule; the margin covers the rounding of the
        // incremental cell distance.
        if beyond * (1.0 - 1e-12) <= found.bound() {
            offsets[d] = offset;
            self.search(far, query, beyond, offsets, found);
            offsets[d] = before;
        }
    }
}
