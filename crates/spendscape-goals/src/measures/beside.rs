//! A model beside simple ones, and beside the truth where it is known.

use rand::Rng;
use spendscape_stats::Estimate;

use super::{HISTORY_BINS, HistoryBin, Measure, Predictions};
use crate::baselines::Baseline;
use crate::{Calendar, Error, Sequences, Target};

/// Measures by length of history.
const BY_HISTORY: [Measure; 3] = [Measure::Accuracy, Measure::LogLoss, Measure::MacroF1];
/// Measures that models are compared by.
const COMPARED: [Measure; 5] =
    [Measure::Accuracy, Measure::TopAccuracy(3), Measure::LogLoss, Measure::Brier, Measure::MacroF1];

/// Whose predictions are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Predictor {
    /// The model.
    Model,
    /// The distribution that the groups were drawn from.
    BestPossible,
    /// A simple model.
    Baseline(Baseline),
}

impl Predictor {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Model => "lstm",
            Self::BestPossible => "best_possible",
            Self::Baseline(baseline) => baseline.name(),
        }
    }
}

/// The rivals that a model is measured beside.
#[derive(Debug, Clone, Copy)]
pub struct Rivals<'a> {
    /// The groups of all customers.
    pub sequences: &'a Sequences,
    /// The training targets of simple models.
    pub train: &'a [Target],
    /// The test targets: the rows of the model's predictions.
    pub test: &'a [Target],
    /// The calendar that boosted trees look at.
    pub calendar: &'a Calendar,
    /// The best possible predictions of the same rows, where they are known.
    pub best: Option<&'a Predictions>,
}

/// One measure of one predictor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictorMeasure {
    /// Whose.
    pub predictor: Predictor,
    /// Of the groups with so long a history; of all where there is none.
    pub history: Option<HistoryBin>,
    /// The measure.
    pub measure: Measure,
    /// Groups measured.
    pub groups: usize,
    /// The measure with its 95 % interval.
    pub interval: Estimate,
}

/// The model less another predictor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictorDifference {
    /// The other.
    pub reference: Predictor,
    /// The measure.
    pub measure: Measure,
    /// The difference with its 95 % interval.
    pub difference: Estimate,
    /// The difference as a share of what the best possible predictions are ahead of the other, where those are known and differ.
    pub share_of_best: Option<f64>,
}

/// A model measured beside others.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BesideRivals {
    /// Measures, predictor by predictor, the model first.
    pub measures: Vec<PredictorMeasure>,
    /// Differences, the best possible last.
    pub differences: Vec<PredictorDifference>,
}

impl Predictions {
    /// Measures these predictions beside each [`Baseline`] and the best possible ones, with intervals from `draws` samples of the
    /// customers that are the same for what is compared. `fitting` makes the random numbers that a baseline is fitted with, anew
    /// for each.
    ///
    /// # Errors
    /// As [`Baseline::fit`], [`Predictions::intervals`] and [`Predictions::differences`];
    /// [`BadInput::ShapeMismatch`](spendscape_stats::BadInput::ShapeMismatch) for another number of targets than rows.
    pub fn beside<R: Rng, F: Rng>(
        &self,
        rivals: &Rivals<'_>,
        draws: usize,
        mut fitting: impl FnMut() -> F,
        rng: &mut R,
    ) -> Result<BesideRivals, Error> {
        let Rivals { sequences, train, test, calendar, best } = *rivals;
        let lengths: Vec<u32> = test.iter().map(|target| target.position).collect();
        let mut found = BesideRivals::default();
        let mut measure = |of: Predictor, predictions: &Self, measures: &[Measure], rng: &mut R| {
            let mut add = |history: Option<HistoryBin>, predictions: &Self, measures: &[Measure]| {
                let intervals = predictions.intervals(measures, draws, rng)?;
                let groups = predictions.rows();
                found.measures.extend(measures.iter().zip(intervals).map(|(&measure, interval)| {
                    PredictorMeasure { predictor: of, history, measure, groups, interval }
                }));
                Ok::<_, Error>(())
            };
            add(None, predictions, measures)?;
            for (bin, part) in predictions.by_history(&lengths, &HISTORY_BINS)? {
                add(Some(bin), &part, &BY_HISTORY)?;
            }
            Ok::<_, Error>(())
        };
        let mut own = Measure::OVERALL.to_vec();
        own.extend(Measure::per_goal(self.goals()));
        measure(Predictor::Model, self, &own, rng)?;
        if let Some(best) = best {
            measure(Predictor::BestPossible, best, &Measure::OVERALL, rng)?;
        }
        for baseline in Baseline::ALL {
            let fitted = baseline.fit(sequences, train, calendar, &mut fitting())?;
            let other = Self::of(sequences, test, fitted.predict(sequences, test)?)?;
            let of = Predictor::Baseline(baseline);
            measure(of, &other, &Measure::OVERALL, rng)?;
            found.differences.extend(self.ahead_of(&other, of, best, draws, rng)?);
        }
        if let Some(best) = best {
            found.differences.extend(self.ahead_of(best, Predictor::BestPossible, None, draws, rng)?);
        }
        Ok(found)
    }

    /// How far these predictions are ahead of others.
    fn ahead_of<R: Rng + ?Sized>(
        &self,
        other: &Self,
        reference: Predictor,
        best: Option<&Self>,
        draws: usize,
        rng: &mut R,
    ) -> Result<Vec<PredictorDifference>, Error> {
        let differences = self.differences(other, &COMPARED, draws, rng)?;
        let gains = match best {
            Some(best) => {
                let (best, other) = (best.values(&COMPARED)?, other.values(&COMPARED)?);
                Some(best.iter().zip(&other).map(|(best, other)| best - other).collect::<Vec<f64>>())
            }
            None => None,
        };
        let row = |(at, &measure): (usize, &Measure)| PredictorDifference {
            reference,
            measure,
            difference: differences[at],
            share_of_best: gains
                .as_ref()
                .map(|gains| differences[at].value / gains[at])
                .filter(|share| share.is_finite()),
        };
        Ok(COMPARED.iter().enumerate().map(row).collect())
    }
}
