//! What the measures need of each customer, as sums over the customer's rows: a bootstrap sample is then a weighted sum
//! over customers and never looks at a row again.

use ndarray::ArrayView1;

use super::{Measure, Predictions, inside, measure::BINS};
use crate::Error;

/// Which sum stands where.
#[derive(Debug)]
pub(super) struct Layout {
    goals: usize,
    /// Every k of a top-k accuracy.
    top: Vec<usize>,
    classwise: bool,
}

impl Layout {
    pub(super) const ROWS: usize = 0;
    pub(super) const LOG_LOSS: usize = 1;
    pub(super) const BRIER: usize = 2;
    const CONFIDENCE: usize = 3;
    const COUNTS: usize = Self::CONFIDENCE + BINS;

    fn top_start(&self) -> usize {
        Self::COUNTS + 3 * self.goals
    }

    fn classwise_start(&self) -> usize {
        self.top_start() + self.top.len()
    }

    fn width(&self) -> usize {
        self.classwise_start() + if self.classwise { self.goals * BINS } else { 0 }
    }

    /// Hits, predictions and occurrences of every goal.
    pub(super) fn counts<'a>(&self, sums: &'a [f64]) -> (&'a [f64], &'a [f64], &'a [f64]) {
        let (hits, rest) = sums[Self::COUNTS..self.top_start()].split_at(self.goals);
        let (predicted, support) = rest.split_at(self.goals);
        (hits, predicted, support)
    }

    pub(super) fn top(&self, k: usize) -> usize {
        let place = self.top.iter().position(|other| *other == k);
        self.top_start() + place.expect("the layout was made for the measures that are asked of it")
    }

    /// Sum of p - y of the predicted goal in each bin.
    pub(super) fn confidence<'a>(&self, sums: &'a [f64]) -> &'a [f64] {
        &sums[Self::CONFIDENCE..Self::COUNTS]
    }

    /// Sum of p - y of every goal in each bin (G x 15).
    pub(super) fn classwise<'a>(&self, sums: &'a [f64]) -> &'a [f64] {
        &sums[self.classwise_start()..]
    }

    /// Adds one row to the sums.
    fn add(&self, probabilities: ArrayView1<'_, f64>, truth: usize, predicted: usize, sums: &mut Row) {
        let y = |goal: usize| f64::from(u8::from(goal == truth));
        let (mut total, mut brier) = (0.0, 0.0);
        let mut rank = 0;
        for (goal, p) in probabilities.iter().copied().enumerate() {
            total += inside(p);
            brier += (p - y(goal)) * (p - y(goal));
            rank += usize::from(p > probabilities[truth] || (p == probabilities[truth] && goal > truth));
            if self.classwise {
                sums.add(self.classwise_start() + goal * BINS + bin(p), p - y(goal));
            }
        }
        let confidence = probabilities[predicted];
        sums.add(Self::ROWS, 1.0);
        sums.add(Self::LOG_LOSS, -libm::log(inside(probabilities[truth]) / total));
        sums.add(Self::BRIER, brier);
        sums.add(Self::CONFIDENCE + bin(confidence), confidence - y(predicted));
        if predicted == truth {
            sums.add(Self::COUNTS + truth, 1.0);
        }
        sums.add(Self::COUNTS + self.goals + predicted, 1.0);
        sums.add(Self::COUNTS + 2 * self.goals + truth, 1.0);
        for (place, k) in self.top.iter().enumerate() {
            if rank < *k {
                sums.add(self.top_start() + place, 1.0);
            }
        }
    }
}

/// The bin (k/15, (k+1)/15] of a probability; 0 belongs to the first.
fn bin(p: f64) -> usize {
    ((p * BINS as f64).ceil() as usize).saturating_sub(1).min(BINS - 1)
}

/// The sums of one customer while they are made.
pub(super) struct Row {
    dense: Vec<f64>,
    is_touched: Vec<bool>,
    touched: Vec<u32>,
}

impl Row {
    pub(super) fn add(&mut self, column: usize, value: f64) {
        if !self.is_touched[column] {
            self.is_touched[column] = true;
            self.touched.push(column as u32);
        }
        self.dense[column] += value;
    }
}

/// A sparse matrix of sums, customers x columns: a customer touches few of the bins and goals.
#[derive(Debug)]
pub(super) struct CustomerSums {
    width: usize,
    /// First entry of each customer, and the number of entries.
    offsets: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
}

impl CustomerSums {
    /// `add` adds a row of the predictions to the sums of its customer. Customers stand in the order of their numbers.
    pub(super) fn new(predictions: &Predictions, width: usize, add: impl Fn(usize, &mut Row)) -> Self {
        let customer = predictions.customer();
        let mut order: Vec<usize> = (0..customer.len()).collect();
        order.sort_by_key(|row| customer[*row]);
        let mut sums = Self { width, offsets: vec![0], columns: Vec::new(), values: Vec::new() };
        let mut row = Row { dense: vec![0.0; width], is_touched: vec![false; width], touched: Vec::new() };
        for rows in order.chunk_by(|a, b| customer[*a] == customer[*b]) {
            rows.iter().for_each(|at| add(*at, &mut row));
            row.touched.sort_unstable();
            for column in row.touched.drain(..) {
                sums.columns.push(column);
                sums.values.push(std::mem::take(&mut row.dense[column as usize]));
                row.is_touched[column as usize] = false;
            }
            sums.offsets.push(sums.columns.len());
        }
        sums
    }

    pub(super) fn customers(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The sums of all customers, each taken as often as its weight says.
    pub(super) fn total(&self, weights: &[u32]) -> Vec<f64> {
        let mut total = vec![0.0; self.width];
        for (customer, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0) {
            let at = self.offsets[customer]..self.offsets[customer + 1];
            let weight = f64::from(*weight);
            for (column, value) in self.columns[at.clone()].iter().zip(&self.values[at]) {
                total[*column as usize] += weight * value;
            }
        }
        total
    }
}

/// The sums that some measures need.
#[derive(Debug)]
pub(super) struct Sums {
    layout: Layout,
    sums: CustomerSums,
}

impl Sums {
    pub(super) fn new(predictions: &Predictions, measures: &[Measure]) -> Result<Self, Error> {
        measures.iter().try_for_each(|measure| measure.check(predictions.goals()))?;
        let mut top: Vec<usize> = measures
            .iter()
            .filter_map(|measure| if let Measure::TopAccuracy(k) = measure { Some(*k) } else { None })
            .collect();
        top.sort_unstable();
        top.dedup();
        let classwise = measures.contains(&Measure::ClasswiseCalibrationError);
        let layout = Layout { goals: predictions.goals(), top, classwise };
        let sums = CustomerSums::new(predictions, layout.width(), |row, sums| {
            let (truth, predicted) = (predictions.truth[row], predictions.predicted(row));
            layout.add(predictions.probabilities.row(row), truth, predicted, sums);
        });
        Ok(Self { layout, sums })
    }

    pub(super) fn customers(&self) -> usize {
        self.sums.customers()
    }

    pub(super) fn total(&self, weights: &[u32]) -> Vec<f64> {
        self.sums.total(weights)
    }

    pub(super) fn value(&self, measure: Measure, total: &[f64]) -> f64 {
        measure.of(&self.layout, total)
    }
}
