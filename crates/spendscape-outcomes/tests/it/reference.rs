//! The bootstrap against a slow and obvious one, on the same samples: each sample is a list of how often every customer was
//! drawn, and each measure is computed on it from its definition, customer by customer.

use ndarray::Array1;
use rand::{Rng, RngExt};
use spendscape_outcomes::measures::{BinaryScores, Measure, bootstrap};

use crate::{normal, rng};

/// Sums of the same numbers in another order.
const SAME: f64 = 1e-12;
/// A calibration line from sums over cells, against one from customers.
const SAME_LINE: f64 = 2e-7;

struct Slow<'a> {
    scores: &'a BinaryScores,
    /// Rows by falling score.
    order: Vec<usize>,
    logits: Vec<f64>,
}

/// Distinct scores with the weights of positives and negatives.
struct Tie {
    positives: f64,
    negatives: f64,
}

impl<'a> Slow<'a> {
    fn new(scores: &'a BinaryScores) -> Self {
        let of = |row: usize| scores.scores()[row];
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| of(*b).total_cmp(&of(*a)).then(a.cmp(b)));
        let inside = |p: f64| p.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        let logits = scores.scores().iter().map(|p| inside(*p).ln() - (-inside(*p)).ln_1p()).collect();
        Self { scores, order, logits }
    }

    fn label(&self, row: usize) -> f64 {
        f64::from(u8::from(self.scores.labels()[row]))
    }

    fn ties(&self, weights: &[u32]) -> Vec<Tie> {
        let of = |row: usize| self.scores.scores()[row];
        let tie = |rows: &[usize]| {
            let sum = |wanted: f64| {
                let rows = rows.iter().filter(|row| self.label(**row) == wanted);
                rows.map(|row| f64::from(weights[*row])).sum()
            };
            Tie { positives: sum(1.0), negatives: sum(0.0) }
        };
        self.order.chunk_by(|a, b| of(*a) == of(*b)).map(tie).collect()
    }

    fn mean(&self, weights: &[u32], rows: &[usize], value: impl Fn(usize) -> f64) -> f64 {
        let weight = |row: &usize| f64::from(weights[*row]);
        rows.iter().map(|row| weight(row) * value(*row)).sum::<f64>() / rows.iter().map(weight).sum::<f64>()
    }

    /// Newton's method over all customers, from the flat line.
    fn line(&self, weights: &[u32]) -> [f64; 2] {
        let (mut a, mut b) = (0.0, 0.0);
        for _ in 0..60 {
            let (mut g, mut h) = ([0.0; 2], [0.0; 3]);
            for (row, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0) {
                let (x, weight) = (self.logits[row], f64::from(*weight));
                let p = 1.0 / (1.0 + (-(a + b * x)).exp());
                let (residual, curvature) = (weight * (self.label(row) - p), weight * p * (1.0 - p));
                g = [g[0] + residual, g[1] + residual * x];
                h = [h[0] + curvature, h[1] + curvature * x, h[2] + curvature * x * x];
            }
            let determinant = h[0] * h[2] - h[1] * h[1];
            let step = [(h[2] * g[0] - h[1] * g[1]) / determinant, (h[0] * g[1] - h[1] * g[0]) / determinant];
            (a, b) = (a + step[0], b + step[1]);
            if step[0].abs() + step[1].abs() < 1e-12 {
                return [a, b];
            }
        }
        [f64::NAN; 2]
    }

    fn value(&self, measure: Measure, weights: &[u32]) -> f64 {
        let all: Vec<usize> = (0..self.scores.len()).collect();
        let p = |row: usize| self.scores.scores()[row];
        let total: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
        let rate = self.mean(weights, &all, |row| self.label(row));
        let flagged = |threshold: f64| -> Vec<usize> {
            all.iter().copied().filter(|row| p(*row) >= threshold).collect()
        };
        if (rate == 0.0 || rate == 1.0)
            && !matches!(measure, Measure::Lift(_) | Measure::CalibrationRate { .. })
        {
            return f64::NAN;
        }
        match measure {
            Measure::Auc | Measure::Gini => {
                let (mut above, mut pairs, mut negatives) = (0.0, 0.0, 0.0);
                for tie in self.ties(weights) {
                    pairs += tie.negatives * (above + 0.5 * tie.positives);
                    above += tie.positives;
                    negatives += tie.negatives;
                }
                let auc = pairs / (above * negatives);
                if measure == Measure::Auc { auc } else { 2.0 * auc - 1.0 }
            }
            Measure::Ks => {
                let (positives, negatives) = (rate * total, (1.0 - rate) * total);
                let (mut found, mut wrong, mut largest) = (0.0, 0.0, 0.0_f64);
                for tie in self.ties(weights) {
                    found += tie.positives;
                    wrong += tie.negatives;
                    largest = largest.max((found / positives - wrong / negatives).abs());
                }
                largest
            }
            Measure::Brier => self.mean(weights, &all, |row| (p(row) - self.label(row)).powi(2)),
            Measure::LogLoss => self.mean(weights, &all, |row| {
                let p = p(row).clamp(f64::EPSILON, 1.0 - f64::EPSILON);
                if self.scores.labels()[row] { -p.ln() } else { -(-p).ln_1p() }
            }),
            Measure::CalibrationIntercept => self.line(weights)[0],
            Measure::CalibrationSlope => self.line(weights)[1],
            Measure::Precision(threshold) => self.mean(weights, &flagged(threshold), |row| self.label(row)),
            Measure::Recall(threshold) => {
                let found = |row: &usize| f64::from(weights[*row]) * self.label(*row);
                flagged(threshold).iter().map(found).sum::<f64>() / (rate * total)
            }
            Measure::TopLift => {
                let (mut room, mut found) = (0.1 * total, 0.0);
                for row in &self.order {
                    let take = f64::from(weights[*row]).min(room);
                    room -= take;
                    found += take * self.label(*row);
                }
                found / (0.1 * total) / rate
            }
            Measure::Lift(bin) => {
                let n = self.order.len();
                let rows = &self.order[bin * n / 10..(bin + 1) * n / 10];
                self.mean(weights, rows, |row| self.label(row)) / rate
            }
            Measure::CalibrationRate { bins, bin } => {
                // Who lies in which bin, by the edges of numpy's quantiles.
                let sorted: Vec<f64> = self.order.iter().rev().map(|row| p(*row)).collect();
                let edge = |k: usize| {
                    let place = k as f64 / bins as f64 * (sorted.len() - 1) as f64;
                    let low = place.floor() as usize;
                    let fraction = place - low as f64;
                    let (a, b) = (sorted[low], sorted[(low + 1).min(sorted.len() - 1)]);
                    if fraction < 0.5 { a + (b - a) * fraction } else { b - (b - a) * (1.0 - fraction) }
                };
                let of = |row: &usize| (1..bins).filter(|k| edge(*k) < p(*row)).count();
                let mut held: Vec<Vec<usize>> = vec![Vec::new(); bins];
                all.iter().for_each(|row| held[of(row)].push(*row));
                held.retain(|rows| !rows.is_empty());
                self.mean(weights, &held[bin], |row| self.label(row))
            }
        }
    }
}

fn asked(cut: f64) -> Vec<Measure> {
    let single = [
        Measure::Auc,
        Measure::Gini,
        Measure::Ks,
        Measure::Precision(cut),
        Measure::Recall(cut),
        Measure::TopLift,
        Measure::Brier,
        Measure::LogLoss,
        Measure::CalibrationIntercept,
        Measure::CalibrationSlope,
    ];
    let rates = (0..3).map(|bin| Measure::CalibrationRate { bins: 4, bin });
    single.into_iter().chain((0..10).map(Measure::Lift)).chain(rates).collect()
}

/// Scores that tie or not, that are calibrated, too extreme or too flat, with probabilities of 0 and 1 among them; few
/// customers, of whom some samples miss a class, and many.
#[test]
fn intervals_are_those_of_the_obvious_bootstrap() {
    const DRAWS: usize = 61;
    let random = &mut rng(31);
    let mut one_class = 0;
    for (customers, stretch, levels, positives) in [
        (12, 1.0, 0.0, 0.1),
        (40, 1.0, 10.0, 0.4),
        (300, 3.0, 0.0, 0.3),
        (300, 0.05, 0.0, 0.5),
        (700, 1.0, 40.0, 0.2),
        (3_000, 1.0, 0.0, 0.3),
        (3_000, 12.0, 0.0, 0.3),
        (3_000, 0.01, 0.0, 0.3),
    ] {
        let truth: Array1<f64> = (0..customers).map(|_| normal(random) + f64::ln(positives)).collect();
        let mut labels: Vec<bool> =
            truth.iter().map(|x| random.random::<f64>() < 1.0 / (1.0 + (-x).exp())).collect();
        (labels[0], labels[1]) = (true, false);
        let scores = truth.mapv(|x| {
            let p = 1.0 / (1.0 + (-stretch * (x + 0.3)).exp());
            if levels > 0.0 { (p * levels).round() / levels } else { p }
        });
        let found = BinaryScores::new(&labels, &scores).unwrap();
        let measures = asked(scores[customers / 2]);
        let fast = bootstrap(&[(&found, &measures)], DRAWS, &mut rng(32)).unwrap().remove(0);
        let slow = Slow::new(&found);
        let slow = spendscape_stats::bootstrap(customers, DRAWS, &mut rng(32), |weights| {
            measures.iter().map(|measure| slow.value(*measure, weights)).collect()
        });
        for ((measure, fast), slow) in measures.iter().zip(&fast).zip(&slow) {
            let lines = [Measure::CalibrationIntercept, Measure::CalibrationSlope].contains(measure);
            let same = |a: f64, b: f64| {
                (a.is_nan() && b.is_nan())
                    || (a - b).abs() <= if lines { SAME_LINE } else { SAME } * (1.0 + b.abs())
            };
            let context = format!("{customers} customers, stretch {stretch}: {measure:?} {fast:?} {slow:?}");
            // Samples that nearly separate the classes: whether Newton's method still finds a line hangs on its start.
            let few = lines && customers < 300;
            assert!(same(fast.value, slow.value), "{context}");
            assert!(few || fast.samples == slow.samples, "{context}");
            assert!(
                fast.samples != slow.samples || same(fast.low, slow.low) && same(fast.high, slow.high),
                "{context}"
            );
            one_class += usize::from(*measure == Measure::Auc && fast.samples < DRAWS);
        }
    }
    assert!(one_class > 0, "no sample missed a class");
}

/// Every score of one bootstrap sees the same samples, whoever stands beside it, and however many draws follow.
#[test]
fn scores_share_their_samples() {
    let random = &mut rng(33);
    let labels: Vec<bool> = (0..100).map(|_| random.random::<f64>() < 0.4).collect();
    let mut draw = || -> Array1<f64> { (0..100).map(|_| random.random()).collect() };
    let [first, second] = [draw(), draw()].map(|scores| BinaryScores::new(&labels, &scores).unwrap());
    let measures = asked(0.5);
    let both = bootstrap(&[(&first, &measures), (&second, &measures)], 45, &mut rng(34)).unwrap();
    for (k, scores) in [&first, &second].into_iter().enumerate() {
        let alone = bootstrap(&[(scores, &measures)], 45, &mut rng(34)).unwrap();
        assert_eq!(alone[0], both[k]);
    }
    // One number of the stream per draw.
    let (mut after, mut plain) = (rng(34), rng(34));
    bootstrap(&[(&first, &measures)], 45, &mut after).unwrap();
    for _ in 0..45 {
        plain.next_u64();
    }
    assert_eq!(after, plain);
}
