//! The elbow search: one network per width, trained alike, in parallel.

use crate::error::Error;
use crate::inputs::Dataset;
use crate::metrics::r2;
use crate::network::NetworkParams;
use crate::real::Real;
use crate::train::TrainParams;
use ndarray::{Array1, ArrayView2};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What one width reached.
#[derive(Debug, Clone, PartialEq)]
pub struct ElbowRow {
    /// Units of the LSTM layer.
    pub units: usize,
    /// Training loss of the last epoch.
    pub loss: f64,
    /// R2 of every output on the test samples.
    pub r2: Array1<f64>,
}

impl ElbowRow {
    /// Mean of R2 over the outputs.
    pub fn mean_r2(&self) -> f64 {
        self.r2.mean().unwrap_or(f64::NAN)
    }
}

/// Trains a one-layer LSTM with a linear output layer for every entry of `units` and scores it on `test`; all share the
/// order of the minibatches. Up to `threads` networks are trained at a time; their number changes no result.
///
/// # Errors
/// The first error of a training, in the order of `units`; [`Error::NothingToTrain`] when the targets are classes.
pub fn elbow<F: Real, R: Rng>(
    units: &[usize],
    params: &TrainParams,
    data: &Dataset<'_, F>,
    test: &Dataset<'_, F>,
    threads: usize,
    rng: &mut R,
) -> Result<Vec<ElbowRow>, Error> {
    if data.classes.is_some() || test.classes.is_some() || test.per_sample != test.outputs {
        return Err(Error::NothingToTrain {
            what: "the elbow search needs one row of numbers per sample as targets",
        });
    }
    let (weights, order) = (rng.next_u64(), rng.next_u64());
    let one = |units: usize| -> Result<ElbowRow, Error> {
        let mut network = NetworkParams::lstm(data.inputs.width(), units)
            .outputs(data.outputs)
            .init::<F, _>(&mut Xoshiro256PlusPlus::seed_from_u64(weights ^ units as u64))?;
        let history = params.fit(&mut network, data, &mut Xoshiro256PlusPlus::seed_from_u64(order))?;
        let targets = ArrayView2::from_shape((test.samples(), test.outputs), &test.targets[..]);
        let targets = targets.map_err(|_| Error::NothingToTrain { what: "no test targets" })?;
        let loss = history.epochs.last().map_or(f64::NAN, |epoch| epoch.loss);
        Ok(ElbowRow { units, loss, r2: r2(&targets, &network.predict(&test.inputs)?)? })
    };
    let taken = AtomicUsize::new(0);
    let worker = || {
        let mut rows = Vec::new();
        while let Some((i, &units)) = {
            let i = taken.fetch_add(1, Ordering::Relaxed);
            units.get(i).map(|units| (i, units))
        } {
            rows.push((i, one(units)));
        }
        rows
    };
    let mut rows: Vec<(usize, Result<ElbowRow, Error>)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads.min(units.len())).map(|_| scope.spawn(worker)).collect();
        let own = worker();
        let others = workers.into_iter().flat_map(|w| match w.join() {
            Ok(rows) => rows,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        own.into_iter().chain(others.collect::<Vec<_>>()).collect()
    });
    rows.sort_by_key(|(i, _)| *i);
    rows.into_iter().map(|(_, row)| row).collect()
}
