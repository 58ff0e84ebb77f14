//! Bootstrap intervals over customers.

use std::array::from_fn;

use rand::Rng;
use rayon::prelude::*;
use spendscape_stats::{BadInput, Estimate, resample};

use super::{
    BinaryScores, CalibrationLine, negative_log_likelihood, squared_error,
    weighted::{Counts, Lanes, Line, Ranked, sum},
};
use crate::{Error, check};

/// A measure of a binary outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// Area under the ROC curve.
    Auc,
    /// 2 AUC - 1.
    Gini,
    /// Kolmogorov-Smirnov distance.
    Ks,
    /// Mean squared error; probabilities only.
    Brier,
    /// Mean negative log-likelihood; probabilities only.
    LogLoss,
    /// Intercept of the calibration; probabilities only.
    CalibrationIntercept,
    /// Slope of the calibration; probabilities only.
    CalibrationSlope,
    /// Precision at a threshold.
    Precision(f64),
    /// Recall at a threshold.
    Recall(f64),
    /// Lift of the first tenth.
    TopLift,
    /// Lift of a bin of [`BinaryScores::lift`], from 0. In a sample, who lies in which bin stays as it is.
    Lift(usize),
    /// Share of positives in a bin of [`BinaryScores::calibration`], from 0; probabilities only. In a sample, who lies in
    /// which bin stays as it is.
    CalibrationRate {
        /// Bins of the curve.
        bins: usize,
        /// One of those that hold customers.
        bin: usize,
    },
}

impl Measure {
    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auc => "auc",
            Self::Gini => "gini",
            Self::Ks => "ks",
            Self::Brier => "brier",
            Self::LogLoss => "log_loss",
            Self::CalibrationIntercept => "calibration_intercept",
            Self::CalibrationSlope => "calibration_slope",
            Self::Precision(_) => "precision",
            Self::Recall(_) => "recall",
            Self::TopLift => "lift_top_decile",
            Self::Lift(_) => "lift",
            Self::CalibrationRate { .. } => "calibration",
        }
    }
}

/// Bootstrap samples that are measured side by side.
const LANES: usize = 8;
/// Largest change of a coefficient of a sample's calibration that counts as none. The sample's own scatter is coarser by far,
/// and Newton's method doubles the digits, so that the error left is about the square of this.
const STEADY_SAMPLE: f64 = 1e-5;

/// Measures of scores of the same customers with percentile intervals from `draws` samples of N customers with replacement;
/// all scores are measured on the same samples. One number of `rng` seeds every sample, so that results do not depend on
/// threads.
///
/// Scores are sorted once. A sample is how often each customer was drawn, and every measure follows from sums of these counts
/// along the order; the calibration line from sums over cells of log-odds, to about 8 digits.
///
/// ```
/// use ndarray::Array1;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_outcomes::measures::{BinaryScores, Measure, bootstrap};
///
/// let labels: Vec<bool> = (0..100).map(|n| n % 3 == 0).collect();
/// let scores: Array1<f64> = (0..100).map(|n| f64::from(n % 3 == 0) + (n as f64).sin()).collect();
/// let scores = BinaryScores::new(&labels, &scores)?;
/// let found = bootstrap(&[(&scores, &[Measure::Auc])], 200, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
/// let auc = found[0][0];
/// assert!(0.5 < auc.low && auc.low < auc.value && auc.value < auc.high);
/// # Ok::<(), spendscape_outcomes::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotProbability`] if a measure asks for probabilities and a score is none, [`BadInput::ShapeMismatch`] if scores
/// belong to different numbers of customers, [`BadInput::InvalidParameter`] for a bin that does not exist or a threshold that
/// is NaN.
pub fn bootstrap<R: Rng + ?Sized>(
    asked: &[(&BinaryScores, &[Measure])],
    draws: usize,
    rng: &mut R,
) -> Result<Vec<Vec<Estimate>>, Error> {
    let customers = asked.first().map_or(0, |(scores, _)| scores.len());
    for (scores, _) in asked {
        check::length("the scores of one bootstrap", customers, scores.len())?;
    }
    let questions: Vec<Question<'_>> =
        asked.iter().map(|(scores, measures)| Question::new(scores, measures)).collect::<Result<_, _>>()?;
    let seeds: Vec<u64> = (0..draws).map(|_| rng.next_u64()).collect();
    let arch = pulp::Arch::new();
    let blocks: Vec<Vec<Vec<Lanes<LANES>>>> = seeds
        .par_chunks(LANES)
        .map(|seeds| {
            let mut counts = vec![[0_u8; LANES]; customers];
            for (lane, seed) in seeds.iter().enumerate() {
                resample(*seed, customers, |row| counts[row][lane] = counts[row][lane].saturating_add(1));
            }
            questions.iter().map(|question| arch.dispatch(Sampled { question, counts: &counts })).collect()
        })
        .collect();
    let interval = |question: usize, measure: usize, value: f64| {
        let lanes = blocks.iter().flat_map(|block| block[question][measure]);
        Estimate::of(value, lanes.take(draws).collect())
    };
    let of = |(at, question): (usize, &Question<'_>)| {
        question.values.iter().enumerate().map(|(k, value)| interval(at, k, *value)).collect()
    };
    Ok(questions.iter().enumerate().map(of).collect())
}

/// The measures asked of one score, and their weighted sums.
#[derive(Debug)]
struct Question<'a> {
    scores: &'a BinaryScores,
    measures: &'a [Measure],
    /// On the customers themselves.
    values: Vec<f64>,
    ranked: Ranked,
    /// Places in the order up to which counts are summed, rising; the last is the end.
    places: Vec<usize>,
    /// Of each measure the part of the order that it is about, as two of the places.
    parts: Vec<[usize; 2]>,
    line: Option<Line>,
    /// Losses of each customer in the order.
    squared_errors: Vec<f64>,
    log_losses: Vec<f64>,
}

impl<'a> Question<'a> {
    fn new(scores: &'a BinaryScores, measures: &'a [Measure]) -> Result<Self, Error> {
        let asked = |wanted: &[Measure]| measures.iter().any(|measure| wanted.contains(measure));
        let lift = scores.lift();
        let tenths = scores.tenths();
        let mut curve = (0, Vec::new(), Vec::new());
        let whole = asked(&[Measure::CalibrationIntercept, Measure::CalibrationSlope])
            .then(|| scores.calibration_line())
            .transpose()?;
        let of_line =
            |of: fn(CalibrationLine) -> f64| whole.filter(|line| line.converged).map_or(f64::NAN, of);
        let mut values = Vec::with_capacity(measures.len());
        let mut ranges = Vec::with_capacity(measures.len());
        for measure in measures {
            let mut range = 0..scores.len();
            values.push(match *measure {
                Measure::Auc => scores.auc(),
                Measure::Gini => scores.gini(),
                Measure::Ks => scores.ks(),
                Measure::Brier => scores.brier()?,
                Measure::LogLoss => scores.log_loss()?,
                Measure::CalibrationIntercept => of_line(|line| line.intercept),
                Measure::CalibrationSlope => of_line(|line| line.slope),
                Measure::Precision(threshold) => {
                    range.end = scores.reached(threshold);
                    scores.at(threshold)?.precision
                }
                Measure::Recall(threshold) => {
                    range.end = scores.reached(threshold);
                    scores.at(threshold)?.recall
                }
                Measure::TopLift => scores.top_lift(),
                Measure::Lift(bin) => {
                    range = tenths.get(bin).ok_or_else(|| no_bin(bin))?.clone();
                    lift[bin].lift
                }
                Measure::CalibrationRate { bins, bin } => {
                    if curve.0 != bins {
                        curve = (bins, scores.calibration(bins)?, scores.quantile_bins(bins));
                    }
                    range = curve.2.get(bin).ok_or_else(|| no_bin(bin))?.clone();
                    curve.1[bin].rate
                }
            });
            ranges.push(range);
        }
        let mut places: Vec<usize> = ranges.iter().flat_map(|range| [range.start, range.end]).collect();
        places.push(scores.len());
        places.sort_unstable();
        places.dedup();
        let at = |place: usize| places.partition_point(|other| *other < place);
        let sorted = |measure: Measure, loss: fn(f64, bool) -> f64| {
            if asked(&[measure]) { scores.sorted(loss) } else { Vec::new() }
        };
        Ok(Self {
            scores,
            measures,
            values,
            ranked: Ranked::new(scores),
            parts: ranges.iter().map(|range| [at(range.start), at(range.end)]).collect(),
            places,
            line: whole.map(|line| Line::near(scores, line)),
            squared_errors: sorted(Measure::Brier, squared_error),
            log_losses: sorted(Measure::LogLoss, negative_log_likelihood),
        })
    }
}

fn no_bin(bin: usize) -> Error {
    let (parameter, range) = ("the bin of a curve", "the bins that hold customers");
    Error::Input(BadInput::InvalidParameter { parameter, value: bin as f64, range })
}

/// One question to eight samples.
struct Sampled<'a> {
    question: &'a Question<'a>,
    /// By row.
    counts: &'a [Counts<LANES>],
}

impl pulp::WithSimd for Sampled<'_> {
    /// Per measure; NaN where a sample has no value.
    type Output = Vec<Lanes<LANES>>;

    /// The instructions of the CPU are used through what the compiler makes of the loops.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> Self::Output {
        let asked = self.question;
        let counts: Vec<Counts<LANES>> = asked.scores.order.iter().map(|row| self.counts[*row]).collect();
        let cumulated = asked.ranked.cumulated(&counts, &asked.places);
        let total = cumulated[cumulated.len() - 1];
        let (auc, ks) = asked.ranked.ranking(&counts, &total);
        let line = asked.line.as_ref().map(|line| line.fit(&counts, &total, STEADY_SAMPLE));
        let of_line = |of: fn(&CalibrationLine) -> f64| -> Lanes<LANES> {
            let of = |line: &CalibrationLine| if line.converged { of(line) } else { f64::NAN };
            line.as_ref().map_or([f64::NAN; LANES], |lines| from_fn(|l| of(&lines[l])))
        };
        let mean = |values: &[f64]| {
            let sum = sum(&counts, values);
            from_fn(|l| sum[l] / total.all[l])
        };
        // A sample of one class has curves, but nothing that compares the classes.
        let both = |values: Lanes<LANES>| -> Lanes<LANES> {
            from_fn(|l| {
                let positives = total.positives[l];
                if positives > 0.0 && positives < total.all[l] { values[l] } else { f64::NAN }
            })
        };
        let value = |(measure, part): (&Measure, &[usize; 2])| {
            let [start, end] = part.map(|place| &cumulated[place]);
            let found: Lanes<LANES> = from_fn(|l| end.positives[l] - start.positives[l]);
            let rate: Lanes<LANES> = from_fn(|l| found[l] / (end.all[l] - start.all[l]));
            match measure {
                Measure::Auc => both(auc),
                Measure::Gini => both(auc.map(|auc| 2.0 * auc - 1.0)),
                Measure::Ks => both(ks),
                Measure::Brier => both(mean(&asked.squared_errors)),
                Measure::LogLoss => both(mean(&asked.log_losses)),
                Measure::CalibrationIntercept => both(of_line(|line| line.intercept)),
                Measure::CalibrationSlope => both(of_line(|line| line.slope)),
                Measure::Precision(_) => both(rate),
                Measure::Recall(_) => both(from_fn(|l| found[l] / total.positives[l])),
                Measure::TopLift => both(asked.ranked.top_lift(&counts, &total)),
                Measure::Lift(_) => from_fn(|l| rate[l] / (total.positives[l] / total.all[l])),
                Measure::CalibrationRate { .. } => rate,
            }
        };
        asked.measures.iter().zip(&asked.parts).map(value).collect()
    }
}
