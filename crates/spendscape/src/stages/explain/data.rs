//! What explanations are made from, read once, and the linear surrogates fitted to it.

use anyhow::Result;
use ndarray::{Array2, Array3, Axis as Dimension};
use spendscape_schema::{Axis, Panel, tables::Angles};
use spendscape_segments::final_states;
use spendscape_surrogate::{LinearModel, Ols};

use crate::{
    model::{self, Model, Weights},
    run_folder::{File, RunFolder},
    stages::{
        states::read_states,
        train::{StoredTargets, read_targets, rows_where},
    },
};

/// Tables that explanations are made from.
pub(crate) const INPUTS: [File; 5] = [File::Panel, File::Targets, File::Model, File::States, File::Angles];

/// The customers of a trained run, or of a batch that was assigned, in memory; N customers, T periods, C classes, P traits,
/// M units, K angles.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) panel: Panel,
    /// Mean shares, N x C.
    pub(crate) shares: Array2<f64>,
    pub(crate) targets: StoredTargets,
    pub(crate) model: Model,
    pub(crate) weights: Weights,
    /// Hidden states, N x T x M.
    pub(crate) states: Array3<f64>,
    /// Last hidden states, N x M.
    pub(crate) ends: Array2<f64>,
    /// Outputs of the network, N x P: the same numbers that the segments' paths were made from.
    pub(crate) outputs: Array2<f64>,
    /// Direction angles, N x K.
    pub(crate) angles: Array2<f64>,
    /// Their names.
    pub(crate) angle_names: Vec<String>,
}

/// The linear models of a run, fitted on its training customers.
#[derive(Debug)]
pub(crate) struct Surrogates {
    /// Mean shares to last hidden state.
    pub(crate) state: LinearModel,
    /// Mean shares to direction angles.
    pub(crate) angle: LinearModel,
}

impl Data {
    /// Reads a trained run.
    pub(crate) fn read(run: &RunFolder) -> Result<Self> {
        Self::of(run, model::read(run)?)
    }

    /// Reads the customers of a run folder, whose states are those of this model.
    pub(crate) fn of(run: &RunFolder, model: Model) -> Result<Self> {
        let panel = Panel::from_rows(&run.read(File::Panel)?.rows)?;
        model.check_classes(&panel.classes)?;
        let states = read_states(run, File::States)?.hidden;
        let angles = run.read(File::Angles)?;
        Ok(Self {
            shares: panel.mean_shares(),
            targets: read_targets(run)?,
            weights: model.weights()?,
            ends: final_states(&states)?,
            outputs: model.network.predict(&panel.shares)?.mapv(f64::from),
            angle_names: angles.axes.labels(Axis::Angle)?.to_vec(),
            angles: angles.table::<Angles>()?.angle,
            panel,
            model,
            states,
        })
    }

    /// Rows of the training customers.
    pub(crate) fn train_rows(&self) -> Vec<usize> {
        rows_where(&self.targets.train, true)
    }

    /// Rows of the other customers.
    pub(crate) fn test_rows(&self) -> Vec<usize> {
        rows_where(&self.targets.train, false)
    }

    /// Fits the surrogates on these rows.
    pub(crate) fn fit(&self, rows: &[usize]) -> Result<Surrogates> {
        let shares = self.shares.select(Dimension(0), rows);
        let fit = |targets: &Array2<f64>| Ols::params().fit(&shares, &targets.select(Dimension(0), rows));
        Ok(Surrogates { state: fit(&self.ends)?, angle: fit(&self.angles)? })
    }
}
