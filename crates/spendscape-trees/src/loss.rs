//! Losses: gradients, Hessians and where boosting starts.

use crate::fixed::SHIFT;

/// The loss that boosting minimizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Half the squared error of a value.
    Squared,
    /// The logistic loss of a probability, for labels in [0, 1].
    Logistic,
}

impl Loss {
    /// The constant that fits best: the mean, or the log-odds of the mean.
    pub(crate) fn start(self, mean: f64) -> f64 {
        match self {
            Self::Squared => mean,
            Self::Logistic => (mean / (1.0 - mean)).ln(),
        }
    }

    /// First and second derivatives of the weighted loss by the score.
    pub(crate) fn derivatives(
        self,
        y: &[f64],
        weights: &[f64],
        scores: &[f64],
        gradients: &mut [f64],
        hessians: &mut [f64],
    ) {
        let rows = y.iter().zip(weights).zip(scores).zip(gradients.iter_mut().zip(hessians));
        match self {
            Self::Squared => {
                for (((y, weight), score), (gradient, hessian)) in rows {
                    *gradient = weight * (score - y);
                    *hessian = *weight;
                }
            }
            Self::Logistic => {
                for (((y, weight), score), (gradient, hessian)) in rows {
                    let p = sigmoid(*score);
                    *gradient = weight * (p - y);
                    *hessian = weight * (p * (1.0 - p));
                }
            }
        }
    }

    /// Bounds of the sizes of gradients and Hessians of the given rows.
    pub(crate) fn bounds(self, gradients: &[f64], heaviest: f64) -> (f64, f64) {
        match self {
            // Rows outside the training rows have a weight of 0 and so a gradient of 0.
            Self::Squared => {
                (gradients.iter().fold(0.0, |most, g| if g.abs() > most { g.abs() } else { most }), heaviest)
            }
            Self::Logistic => (heaviest, 0.25 * heaviest),
        }
    }

    /// The value or probability of a score.
    pub(crate) fn mean(self, score: f64) -> f64 {
        match self {
            Self::Squared => score,
            Self::Logistic => sigmoid(score),
        }
    }
}

/// 1 / (1 + exp(-score)), to a few units in the last place: without branches, so that the compiler computes several at a
/// time, and without a library's `exp`, so that the bits do not depend on the platform.
fn sigmoid(score: f64) -> f64 {
    /// Beyond it exp leaves the range of normal numbers.
    const LARGEST: f64 = 708.0;
    /// ln 2 in two parts; the first has so few bits that its multiples are exact.
    const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
    /// 1 / k!, from the highest power down.
    const TAYLOR: [f64; 13] = [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let x = -score;
    let x = if x < -LARGEST { -LARGEST } else { x };
    let x = if x > LARGEST { LARGEST } else { x };
    // exp(x) = 2^n exp(r) with |r| <= ln(2) / 2.
    let shifted = x * std::f64::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let mut exp = TAYLOR[0];
    for coefficient in &TAYLOR[1..] {
        exp = exp * r + coefficient;
    }
    // The integer stands in the low bits: moved up and with the bias it is the exponent of 2^n.
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    1.0 / (1.0 + exp * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sigmoid_is_that_of_the_library() {
        let step = 0.007_3;
        for k in -110_000..110_000 {
            let score = f64::from(k) * step;
            let expected = if score > -708.0 { 1.0 / (1.0 + (-score).exp()) } else { sigmoid(-708.0) };
            let error = (sigmoid(score) - expected).abs() / expected;
            assert!(error < 1e-15, "{score}: {error:e}");
        }
        assert_eq!(sigmoid(0.0), 0.5);
        assert_eq!(sigmoid(1e300), 1.0);
        assert!(sigmoid(-1e300) > 0.0 && sigmoid(-1e300) < 1e-300);
    }

    #[test]
    fn derivatives_are_those_of_the_loss() {
        let loss_of = |loss: Loss, y: f64, s: f64| match loss {
            Loss::Squared => 0.5 * (s - y) * (s - y),
            Loss::Logistic => (1.0 + s.exp()).ln() - y * s,
        };
        let step = 1e-4;
        for loss in [Loss::Squared, Loss::Logistic] {
            for (y, s) in [(0.0, 0.3), (1.0, -1.2), (0.4, 2.0)] {
                let (mut g, mut h) = ([0.0], [0.0]);
                loss.derivatives(&[y], &[1.5], &[s], &mut g, &mut h);
                let at = |shift: f64| 1.5 * loss_of(loss, y, s + shift * step);
                assert!((g[0] - (at(1.0) - at(-1.0)) / (2.0 * step)).abs() < 1e-7);
                assert!((h[0] - (at(1.0) - 2.0 * at(0.0) + at(-1.0)) / (step * step)).abs() < 1e-6);
            }
        }
    }
}
