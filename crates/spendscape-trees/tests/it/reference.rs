//! Boosting as it is defined, slowly: every row is looked at for every value of every feature in every node.

use ndarray::{Array1, Array2};
use spendscape_trees::Loss;

/// What the reference grows with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) loss: Loss,
    pub(crate) trees: usize,
    pub(crate) depth: usize,
    pub(crate) rate: f64,
    pub(crate) min_rows: usize,
    pub(crate) min_weight: f64,
    pub(crate) l2: f64,
}

/// Gradient and Hessian of every row.
type Derivatives = Vec<(f64, f64)>;

/// Values or probabilities of all rows of `x` after training on `rows`; every distinct value of the panel is a bin.
pub(crate) fn boost(
    x: &Array2<f64>,
    y: &Array1<f64>,
    weights: &Array1<f64>,
    rows: &[usize],
    settings: Settings,
) -> Array1<f64> {
    let total: f64 = rows.iter().map(|row| weights[*row]).sum();
    let mean = rows.iter().map(|row| weights[*row] * y[*row]).sum::<f64>() / total;
    let start = if settings.loss == Loss::Squared { mean } else { (mean / (1.0 - mean)).ln() };
    let mut scores = Array1::from_elem(x.nrows(), start);
    for _ in 0..settings.trees {
        let derivatives: Derivatives = (0..x.nrows())
            .map(|row| match settings.loss {
                Loss::Squared => (weights[row] * (scores[row] - y[row]), weights[row]),
                Loss::Logistic => {
                    let p = 1.0 / (1.0 + (-scores[row]).exp());
                    (weights[row] * (p - y[row]), weights[row] * p * (1.0 - p))
                }
            })
            .collect();
        let everybody: Vec<usize> = (0..x.nrows()).collect();
        grow(x, &derivatives, rows, &everybody, 0, settings, &mut scores);
    }
    if settings.loss == Loss::Squared { scores } else { scores.mapv(|score| 1.0 / (1.0 + (-score).exp())) }
}

fn sums(derivatives: &Derivatives, rows: &[usize]) -> (f64, f64) {
    rows.iter().fold((0.0, 0.0), |(g, h), row| (g + derivatives[*row].0, h + derivatives[*row].1))
}

/// Splits the training rows of a node and moves the scores of all rows that fall into its leaves.
fn grow(
    x: &Array2<f64>,
    derivatives: &Derivatives,
    rows: &[usize],
    everybody: &[usize],
    depth: usize,
    settings: Settings,
    scores: &mut Array1<f64>,
) {
    let score = |(g, h): (f64, f64)| g * g / (h + settings.l2);
    let own = sums(derivatives, rows);
    let mut best = (score(own) * (1.0 + 1e-9) + 1e-12, None);
    if depth < settings.depth {
        for feature in 0..x.ncols() {
            let mut values: Vec<f64> = x.column(feature).to_vec();
            values.sort_by(f64::total_cmp);
            values.dedup();
            for pair in values.windows(2) {
                let cut = 0.5 * (pair[0] + pair[1]);
                let (left, right): (Vec<usize>, Vec<usize>) =
                    rows.iter().partition(|row| x[[**row, feature]] <= cut);
                let (l, r) = (sums(derivatives, &left), sums(derivatives, &right));
                let small = left.len().min(right.len()) < settings.min_rows;
                if small || l.1.min(r.1) < settings.min_weight {
                    continue;
                }
                // What is better by rounding only is as good: then the first counts.
                if score(l) + score(r) > best.0 * (1.0 + 1e-9) {
                    best = (score(l) + score(r), Some((feature, cut)));
                }
            }
        }
    }
    let Some((feature, cut)) = best.1 else {
        let step = -settings.rate * own.0 / (own.1 + settings.l2);
        everybody.iter().for_each(|row| scores[*row] += step);
        return;
    };
    for left in [true, false] {
        let side = |rows: &[usize]| -> Vec<usize> {
            rows.iter().copied().filter(|row| (x[[*row, feature]] <= cut) == left).collect()
        };
        grow(x, derivatives, &side(rows), &side(everybody), depth + 1, settings, scores);
    }
}
