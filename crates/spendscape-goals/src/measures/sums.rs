//! Sufficient statistics of each customer for the measures, as sums over the customer's rows: a bootstrap sample is
//! then a weighted sum over customers and never looks at a row again.

use super::{Measure, Predictions, layout::Layout};
use crate::Error;

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
            layout.add(predictions.probabilities.row(row), truth, predicted, |column, value| {
                sums.add(column, value);
            });
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
