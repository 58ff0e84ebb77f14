//! What explanations are made from, read once, and the linear surrogates fitted to it.

use anyhow::Result;
use ndarray::{Array2, Axis as Dimension};
use spendscape_run::{File, Model, StoredStates, StoredTargets, Weights, WithAxes, inputs};
use spendscape_schema::{
    Axis, Panel,
    tables::{Angles, MeanShares, Predictions},
};
use spendscape_surrogate::models::{LinearModel, Ols};

inputs! {
    /// The tables of the customers of a trained run, or of a batch that was assigned.
    pub struct CustomerInputs {
        /// Shares over the long window.
        pub panel: Panel = table File::Panel,
        /// Grades, and who was trained on.
        pub targets: StoredTargets = table File::Targets,
        /// States over the long window.
        pub states: StoredStates = table File::States,
        /// Direction angles.
        pub angles: WithAxes<Angles> = table File::Angles,
        /// Mean shares.
        pub mean_shares: MeanShares = table File::MeanShares,
        /// Outputs of the network.
        pub predictions: Predictions = table File::Predictions,
    }
}

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
    /// The customers of these tables, whose states are those of this model.
    pub(crate) fn of(tables: CustomerInputs, model: Model) -> Result<Self> {
        let CustomerInputs { panel, targets, states, angles, mean_shares, predictions } = tables;
        model.check_classes(&panel.classes)?;
        Ok(Self {
            shares: mean_shares.share,
            targets,
            weights: model.weights()?,
            ends: states.ends()?,
            outputs: predictions.output,
            angle_names: angles.axes.labels(Axis::Angle)?.to_vec(),
            angles: angles.table.angle,
            panel,
            model,
        })
    }

    /// Rows of the training customers.
    pub(crate) fn train_rows(&self) -> Vec<usize> {
        self.targets.train_rows()
    }

    /// Rows of the other customers.
    pub(crate) fn test_rows(&self) -> Vec<usize> {
        self.targets.test_rows()
    }

    /// Fits the surrogates on these rows.
    pub(crate) fn fit(&self, rows: &[usize]) -> Result<Surrogates> {
        let shares = self.shares.select(Dimension(0), rows);
        let fit = |targets: &Array2<f64>| Ols::params().fit(&shares, &targets.select(Dimension(0), rows));
        Ok(Surrogates { state: fit(&self.ends)?, angle: fit(&self.angles)? })
    }
}
