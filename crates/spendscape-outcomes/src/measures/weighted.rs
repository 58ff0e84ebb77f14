//! Sums over weighted customers, for several weightings side by side: one lane each, so that the loops become vector code.
//!
//! A weight is how often a customer counts. Counts stay whole numbers below 2^53, so that ranking measures are exact to
//! their last division, in whatever order they are added.

use std::array::from_fn;

use super::BinaryScores;
use crate::numbers;

/// How often a customer counts in each weighting. A sample of any size that draws one customer more than 255 times has a
/// probability below 10^-500.
pub(super) type Counts<const L: usize> = [u8; L];
/// One number of each weighting.
pub(super) type Lanes<const L: usize> = [f64; L];

/// Newton steps: from a line nearby a well-behaved likelihood needs fewer than ten.
const STEPS: usize = 50;
/// Width of a cell of log-odds, as the line stretches them. The likelihood of a cell is its series to second order around
/// the middle, so that a mean probability is off by less than (1/64)^3 / 48 = 8e-8, and by much less where customers lie on
/// both sides of the middles.
const CELL: f64 = 1.0 / 32.0;
/// Customers from which on there are cells: samples of fewer have lines far from that of everybody, and few cells hold two.
const MANY: usize = 1_000;

#[inline(always)]
fn wide<const L: usize>(counts: &Counts<L>) -> Lanes<L> {
    from_fn(|l| f64::from(counts[l]))
}

#[inline(always)]
fn add<const L: usize>(sum: &mut Lanes<L>, of: impl Fn(usize) -> f64) {
    for (l, sum) in sum.iter_mut().enumerate() {
        *sum += of(l);
    }
}

/// Customers in the order of falling score.
#[derive(Debug)]
pub(super) struct Ranked {
    /// 1 for a positive label, 0 for a negative one.
    labels: Vec<f64>,
    /// Ends of the runs of equal scores.
    ends: Vec<usize>,
}

/// Sums over the customers up to a place in the order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cumulated<const L: usize> {
    pub(super) positives: Lanes<L>,
    pub(super) all: Lanes<L>,
}

impl Ranked {
    pub(super) fn new(scores: &BinaryScores) -> Self {
        let runs = scores.order.chunk_by(|a, b| scores.scores[*a] == scores.scores[*b]);
        let ends = runs.scan(0, |end, run| {
            *end += run.len();
            Some(*end)
        });
        Self { labels: scores.sorted(|_, label| f64::from(u8::from(label))), ends: ends.collect() }
    }

    /// Sums up to each of the places, which rise. Counts are in the order.
    #[inline(always)]
    pub(super) fn cumulated<const L: usize>(
        &self,
        counts: &[Counts<L>],
        places: &[usize],
    ) -> Vec<Cumulated<L>> {
        let mut sum = Cumulated { positives: [0.0; L], all: [0.0; L] };
        let mut from = 0;
        let mut found = Vec::with_capacity(places.len());
        for place in places {
            for (counts, label) in counts[from..*place].iter().zip(&self.labels[from..*place]) {
                let weight = wide(counts);
                add(&mut sum.all, |l| weight[l]);
                add(&mut sum.positives, |l| weight[l] * label);
            }
            from = *place;
            found.push(sum);
        }
        found
    }

    /// AUC (ties count half) and Kolmogorov-Smirnov distance; `total` is the sum over everybody.
    #[inline(always)]
    pub(super) fn ranking<const L: usize>(
        &self,
        counts: &[Counts<L>],
        total: &Cumulated<L>,
    ) -> (Lanes<L>, Lanes<L>) {
        let (mut found, mut seen) = ([0.0; L], [0.0; L]);
        let (mut pairs, mut largest) = ([0.0; L], [0.0_f64; L]);
        let mut start = 0;
        for end in &self.ends {
            let (mut all, mut positives) = ([0.0; L], [0.0; L]);
            for (counts, label) in counts[start..*end].iter().zip(&self.labels[start..*end]) {
                let weight = wide(counts);
                add(&mut all, |l| weight[l]);
                add(&mut positives, |l| weight[l] * label);
            }
            add(&mut pairs, |l| (all[l] - positives[l]) * (found[l] + 0.5 * positives[l]));
            add(&mut found, |l| positives[l]);
            add(&mut seen, |l| all[l]);
            for l in 0..L {
                // The distance times the product of the classes' sums.
                let distance = found[l] * total.all[l] - seen[l] * total.positives[l];
                largest[l] = if distance.abs() > largest[l] { distance.abs() } else { largest[l] };
            }
            start = *end;
        }
        let product: Lanes<L> = from_fn(|l| total.positives[l] * (total.all[l] - total.positives[l]));
        (from_fn(|l| pairs[l] / product[l]), from_fn(|l| largest[l] / product[l]))
    }

    /// Share of positives in the first tenth over that of everybody; a customer on the border counts in part.
    #[inline(always)]
    pub(super) fn top_lift<const L: usize>(&self, counts: &[Counts<L>], total: &Cumulated<L>) -> Lanes<L> {
        const SHARE: f64 = 0.1;
        let room: Lanes<L> = from_fn(|l| SHARE * total.all[l]);
        let (mut used, mut found) = ([0.0; L], [0.0; L]);
        for (counts, label) in counts.iter().zip(&self.labels) {
            let weight = wide(counts);
            let take: Lanes<L> = from_fn(|l| weight[l].min(room[l] - used[l]));
            add(&mut used, |l| take[l]);
            add(&mut found, |l| take[l] * label);
            if used.iter().zip(&room).all(|(used, room)| used >= room) {
                break;
            }
        }
        from_fn(|l| found[l] / room[l] * total.all[l] / total.positives[l])
    }
}

/// The sum of a number of each customer, `values` and counts being in one order.
#[inline(always)]
pub(super) fn sum<const L: usize>(counts: &[Counts<L>], values: &[f64]) -> Lanes<L> {
    let mut sum = [0.0; L];
    for (counts, value) in counts.iter().zip(values) {
        let weight = wide(counts);
        add(&mut sum, |l| weight[l] * value);
    }
    sum
}

/// Customers whose log-odds lie close together.
#[derive(Debug)]
struct Cell {
    end: usize,
    middle: f64,
}

/// The logistic regression of the labels on logit(score) (Cox 1958): intercept 0 and slope 1 for perfect calibration; a
/// slope below 1 says that the scores are too extreme.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationLine {
    /// Intercept.
    pub intercept: f64,
    /// Slope.
    pub slope: f64,
    /// Whether Newton's method converged; it cannot where the scores separate the classes.
    pub converged: bool,
}

/// The logistic regression of the labels on the log-odds, on sufficient statistics of cells.
#[derive(Debug)]
pub(super) struct Line {
    /// Log-odds by falling score.
    logits: Vec<f64>,
    /// The same where the label is positive, 0 where it is not.
    positive: Vec<f64>,
    cells: Vec<Cell>,
    start: (f64, f64),
}

impl Line {
    /// One cell for each distinct score: nothing is approximated. The start is the line that ignores the scores: from there
    /// Newton's method does not overshoot.
    pub(super) fn exact(scores: &BinaryScores) -> Self {
        let flat = numbers::logit(scores.positives() as f64 / scores.len() as f64);
        Self::new(scores, 0.0, (flat, 0.0))
    }

    /// Cells for weightings whose lines lie near that of everybody, from which the search starts.
    pub(super) fn near(scores: &BinaryScores, line: CalibrationLine) -> Self {
        let width = if scores.len() < MANY { 0.0 } else { CELL / line.slope.abs().max(1.0) };
        Self::new(scores, width, (line.intercept, line.slope))
    }

    fn new(scores: &BinaryScores, width: f64, start: (f64, f64)) -> Self {
        let logits = scores.sorted(|score, _| numbers::logit(score));
        let positive = scores.order.iter().zip(&logits);
        let positive = positive.map(|(row, logit)| if scores.labels[*row] { *logit } else { 0.0 }).collect();
        let mut cells = Vec::new();
        let mut first = 0;
        while first < logits.len() {
            let held = logits[first..].partition_point(|logit| *logit >= logits[first] - width);
            let end = first + held.max(1);
            cells.push(Cell { end, middle: 0.5 * (logits[first] + logits[end - 1]) });
            first = end;
        }
        Self { logits, positive, cells, start }
    }

    /// Newton's method for every weighting until no coefficient moves by more than `steady`. A weighting that has no line
    /// (its scores separate its classes) is marked.
    #[inline(always)]
    pub(super) fn fit<const L: usize>(
        &self,
        counts: &[Counts<L>],
        total: &Cumulated<L>,
        steady: f64,
    ) -> [CalibrationLine; L] {
        let moments = self.moments(counts);
        let positive = sum(counts, &self.positive);
        let (mut a, mut b) = ([self.start.0; L], [self.start.1; L]);
        let mut searching = [true; L];
        let mut converged = [false; L];
        for _ in 0..STEPS {
            let (mut g0, mut g1) = (total.positives, positive);
            let (mut h00, mut h01, mut h11) = ([0.0; L], [0.0; L], [0.0; L]);
            for (cell, [w, wd, wdd]) in self.cells.iter().zip(&moments) {
                let x = cell.middle;
                for l in 0..L {
                    let p = numbers::sigmoid(a[l] + b[l] * x);
                    let h = p * (1.0 - p);
                    let bend = h * (1.0 - 2.0 * p) * b[l];
                    // Sums over the cell of weight times probability, the same times the distance from the middle, and
                    // of the curvature.
                    let expected = w[l] * p + (h * wd[l] + 0.5 * bend * wdd[l]) * b[l];
                    let along = wd[l] * p + h * b[l] * wdd[l];
                    let curvature = h * w[l] + bend * wd[l];
                    g0[l] -= expected;
                    g1[l] -= x * expected + along;
                    h00[l] += curvature;
                    h01[l] += x * curvature + h * wd[l];
                    h11[l] += x * (x * curvature + 2.0 * h * wd[l]) + h * wdd[l];
                }
            }
            for l in 0..L {
                let determinant = h00[l] * h11[l] - h01[l] * h01[l];
                // Otherwise all scores are alike, or the line has run off to infinity: no slope is determined.
                searching[l] &= determinant > f64::EPSILON * h00[l] * h11[l];
                if searching[l] {
                    let (da, db) = (
                        (h11[l] * g0[l] - h01[l] * g1[l]) / determinant,
                        (h00[l] * g1[l] - h01[l] * g0[l]) / determinant,
                    );
                    a[l] += da;
                    b[l] += db;
                    converged[l] =
                        da.abs() <= steady * (1.0 + a[l].abs()) && db.abs() <= steady * (1.0 + b[l].abs());
                    searching[l] = !converged[l];
                }
            }
            if !searching.contains(&true) {
                break;
            }
        }
        from_fn(|l| CalibrationLine { intercept: a[l], slope: b[l], converged: converged[l] })
    }

    /// Per cell: the sums of weights, of weights times distances from the middle, and times their squares.
    #[inline(always)]
    fn moments<const L: usize>(&self, counts: &[Counts<L>]) -> Vec<[Lanes<L>; 3]> {
        let mut moments = Vec::with_capacity(self.cells.len());
        let mut from = 0;
        for cell in &self.cells {
            let (mut w, mut wd, mut wdd) = ([0.0; L], [0.0; L], [0.0; L]);
            for (counts, logit) in counts[from..cell.end].iter().zip(&self.logits[from..cell.end]) {
                let weight = wide(counts);
                let distance = logit - cell.middle;
                add(&mut w, |l| weight[l]);
                add(&mut wd, |l| weight[l] * distance);
                add(&mut wdd, |l| weight[l] * (distance * distance));
            }
            from = cell.end;
            moments.push([w, wd, wdd]);
        }
        moments
    }
}
