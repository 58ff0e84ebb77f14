//! One tree from codes and sums of gradients.

use std::ops::Range;

use crate::{
    bins::Binned,
    fixed::{Sum, count, gradient, hessian, minus, plus},
    histogram::Histogram,
    tree::Tree,
};

/// Share of a node's own score by which a split has to be better: less is rounding.
const NOISE: f64 = 1e-12;

/// When a node is not split.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_depth: usize,
    pub(crate) min_leaf_rows: usize,
    /// In the units of the sums, like the penalty.
    pub(crate) min_leaf_weight: f64,
    pub(crate) penalty: f64,
}

/// A split of a node.
struct Split {
    feature: u32,
    bin: u8,
    left: Sum,
    score: f64,
}

/// A node that may be split.
struct Pending<const B: usize> {
    node: usize,
    depth: usize,
    rows: Range<usize>,
    sum: Sum,
    histogram: Histogram<B>,
}

/// Buffers for growing trees on one panel.
#[derive(Debug)]
pub(crate) struct Grower<'a, const B: usize> {
    x: &'a Binned,
    /// Rows of the tree, those of each node side by side and in ascending order.
    rows: Vec<u32>,
    right: Vec<u32>,
    /// Sums of the rows of one node.
    sums: Vec<Sum>,
    leaves: Vec<(usize, Range<usize>)>,
    spare: Vec<Histogram<B>>,
}

impl<'a, const B: usize> Grower<'a, B> {
    pub(crate) fn new(x: &'a Binned) -> Self {
        let (rows, right, sums) = (Vec::new(), Vec::new(), Vec::new());
        Self { x, rows, right, sums, leaves: Vec::new(), spare: Vec::new() }
    }

    /// Grows a tree on ascending `rows` of the panel, whose sums are `sums` (by rows of the panel). Its leaves have no
    /// values yet.
    pub(crate) fn grow(&mut self, rows: &[u32], sums: &[Sum], limits: Limits) -> Tree<u8> {
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        self.right.resize(rows.len(), 0);
        self.leaves.clear();
        let mut tree = Tree::leaf();
        let everything = 0..rows.len();
        let sum = rows.iter().fold([0; 2], |sum, row| plus(sum, sums[*row as usize]));
        if !splittable(sum, 0, limits) {
            self.leaves.push((0, everything));
            return tree;
        }
        let histogram = self.histogram(everything.clone(), sums);
        let mut pending = vec![Pending { node: 0, depth: 0, rows: everything, sum, histogram }];
        while let Some(Pending { node, depth, rows, sum, mut histogram }) = pending.pop() {
            let Some(split) = best(self.x, &histogram, sum, limits) else {
                self.leaves.push((node, rows));
                self.spare.push(histogram);
                continue;
            };
            let middle = rows.start + self.partition(rows.clone(), &split);
            let left = tree.split(node, split.feature, split.bin);
            let children = [
                (left, rows.start..middle, split.left),
                (left + 1, middle..rows.end, minus(sum, split.left)),
            ];
            let open = children.each_ref().map(|(_, _, sum)| splittable(*sum, depth + 1, limits));
            if open == [false; 2] {
                self.leaves.extend(children.map(|(node, rows, _)| (node, rows)));
                self.spare.push(histogram);
                continue;
            }
            // The smaller child is summed, the other is what the parent has more.
            let smaller = usize::from(children[1].1.len() < children[0].1.len());
            let summed = self.histogram(children[smaller].1.clone(), sums);
            histogram.subtract(&summed);
            let histograms = if smaller == 0 { [summed, histogram] } else { [histogram, summed] };
            for (((node, rows, sum), histogram), open) in children.into_iter().zip(histograms).zip(open) {
                if open {
                    pending.push(Pending { node, depth: depth + 1, rows, sum, histogram });
                } else {
                    self.leaves.push((node, rows));
                    self.spare.push(histogram);
                }
            }
        }
        tree
    }

    /// The leaves of the last tree: nodes and their rows.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = (usize, &[u32])> {
        self.leaves.iter().map(|(node, rows)| (*node, &self.rows[rows.clone()]))
    }

    fn histogram(&mut self, rows: Range<usize>, sums: &[Sum]) -> Histogram<B> {
        let rows = &self.rows[rows];
        self.sums.clear();
        self.sums.extend(rows.iter().map(|row| sums[*row as usize]));
        let mut histogram = self.spare.pop().unwrap_or_else(|| Histogram::new(self.x));
        histogram.sum(self.x, rows, &self.sums);
        histogram
    }

    /// Moves the rows of the left child before those of the right one, both in their order; returns how many go left.
    fn partition(&mut self, rows: Range<usize>, split: &Split) -> usize {
        let codes = self.x.codes(split.feature as usize);
        let rows = &mut self.rows[rows];
        let right = &mut self.right[..rows.len()];
        let (mut lefts, mut rights) = (0, 0);
        // Both places are written and one counts, so that there is no branch to guess.
        for at in 0..rows.len() {
            let row = rows[at];
            rows[lefts] = row;
            right[rights] = row;
            let goes_left = usize::from(codes[row as usize] <= split.bin);
            lefts += goes_left;
            rights += 1 - goes_left;
        }
        rows[lefts..].copy_from_slice(&right[..rights]);
        lefts
    }
}

fn splittable(sum: Sum, depth: usize, limits: Limits) -> bool {
    depth < limits.max_depth && count(sum) >= 2 * limits.min_leaf_rows as i64
}

/// The best split over all features and bins; of equal ones the first, whatever the order in which they are looked at.
fn best<const B: usize>(x: &Binned, histogram: &Histogram<B>, sum: Sum, limits: Limits) -> Option<Split> {
    let own = score(sum, limits.penalty);
    let mut best = Split { feature: 0, bin: 0, left: [0; 2], score: own * (1.0 + NOISE) };
    let mut found = false;
    for (feature, sums) in histogram.features(x) {
        let cuts = x.bins().cuts(feature as usize).len();
        let mut left = [0; 2];
        for (bin, one) in sums[..cuts].iter().enumerate() {
            left = plus(left, *one);
            let right = minus(sum, left);
            let rows = limits.min_leaf_rows as i64;
            if count(left) < rows || count(right) < rows {
                continue;
            }
            if hessian(left) < limits.min_leaf_weight || hessian(right) < limits.min_leaf_weight {
                continue;
            }
            let score = score(left, limits.penalty) + score(right, limits.penalty);
            let ties_before = found && score == best.score && feature < best.feature;
            if score > best.score || ties_before {
                best = Split { feature, bin: bin as u8, left, score };
                found = true;
            }
        }
    }
    found.then_some(best)
}

/// Twice the decrease of the loss that the best value of a leaf brings, in the units of the sums.
fn score(sum: Sum, penalty: f64) -> f64 {
    let gradient = gradient(sum);
    gradient * gradient / (hessian(sum) + penalty)
}
