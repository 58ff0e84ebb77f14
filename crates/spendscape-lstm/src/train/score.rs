//! How well outputs fit their targets, added up block by block.

use super::batch::step_weight;
use crate::engine::Engine;
use crate::inputs::Dataset;
use crate::real::Real;

/// R2 of every output for numbers, the share of right answers for classes.
#[derive(Debug, Default)]
pub(super) struct Score {
    count: f64,
    right: f64,
    columns: Vec<Column>,
}

/// Running quantities of one output.
#[derive(Debug, Clone, Default)]
struct Column {
    mean: f64,
    /// Sum of squared distances of the targets from their mean, by Welford's update.
    total: f64,
    residual: f64,
}

impl Score {
    /// Adds the block that the engine has just run; steps that are masked do not count.
    pub(super) fn add<F: Real>(&mut self, engine: &Engine<F>, data: &Dataset<'_, F>, block: &[usize]) {
        let (lanes, steps) = (engine.lanes(), engine.dense_steps());
        self.columns.resize(data.outputs, Column::default());
        for step in 0..steps {
            let output = engine.output(step);
            for (lane, &sample) in block.iter().enumerate() {
                if step_weight(data, engine.every_step(), sample, step) == 0.0 {
                    continue;
                }
                self.count += 1.0;
                let found = output[lane..].iter().step_by(lanes).take(data.outputs).map(|y| y.as_f64());
                if let Some(classes) = &data.classes {
                    let best = found.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
                    self.right += f64::from(u8::from(
                        best.is_some_and(|(class, _)| class == classes[sample * steps + step]),
                    ));
                } else {
                    let targets = &data.targets[sample * data.per_sample + step * data.outputs..];
                    for ((column, target), found) in self.columns.iter_mut().zip(targets).zip(found) {
                        let target = target.as_f64();
                        let before = target - column.mean;
                        column.mean += before / self.count;
                        column.total += before * (target - column.mean);
                        column.residual += (target - found).powi(2);
                    }
                }
            }
        }
    }

    /// Adds what was scored elsewhere, by Chan's update.
    pub(super) fn merge(&mut self, other: Self) {
        let count = self.count + other.count;
        self.columns.resize(self.columns.len().max(other.columns.len()), Column::default());
        for (column, other_column) in self.columns.iter_mut().zip(&other.columns) {
            let apart = other_column.mean - column.mean;
            if count > 0.0 {
                column.mean += apart * other.count / count;
                column.total += other_column.total + apart * apart * self.count * other.count / count;
            }
            column.residual += other_column.residual;
        }
        self.count = count;
        self.right += other.right;
    }

    /// The share of right answers, or the mean of R2 over the outputs: NaN without samples or for a constant target.
    pub(super) fn value<F: Real>(&self, data: &Dataset<'_, F>) -> f64 {
        if data.classes.is_some() {
            return self.right / self.count;
        }
        let r2 = |column: &Column| {
            if column.total > 0.0 { 1.0 - column.residual / column.total } else { f64::NAN }
        };
        self.columns.iter().map(r2).sum::<f64>() / self.columns.len() as f64
    }
}
