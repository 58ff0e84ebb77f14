//! Everything that is measured, read once.

use std::collections::HashMap;

use anyhow::Result;
use ndarray::{Array2, Array3, Axis as Dimension};
use spendscape_schema::{Coefficients, Panel, TargetScaler, tables::Latent};
use spendscape_segments::{dominance_order, final_states};

use crate::{
    model::{self, Model, Weights},
    run_folder::{File, RunFolder},
    stages::{
        states::read_states,
        train::{StoredTargets, read_targets, rows_where},
    },
};

/// A trained run in memory; N customers, T periods, C classes, P traits, M units.
#[derive(Debug)]
pub(crate) struct Context {
    /// Shares over the long window.
    pub(crate) panel: Panel,
    /// Mean shares, N x C.
    pub(crate) mean_shares: Array2<f64>,
    /// Coefficients of the panel's classes, C x P.
    pub(crate) coefficients: Array2<f64>,
    /// Grades and split.
    pub(crate) targets: StoredTargets,
    /// Traits by falling grade, N x P.
    pub(crate) order: Array2<usize>,
    /// The network.
    pub(crate) model: Model,
    /// Its weights.
    pub(crate) weights: Weights,
    /// Hidden states, N x T x M.
    pub(crate) states: Array3<f64>,
    /// Last hidden states, N x M.
    pub(crate) ends: Array2<f64>,
    /// The short window, where the run has one.
    pub(crate) short: Option<Short>,
    /// Life events, N x T, where they are known.
    pub(crate) events: Option<Array2<bool>>,
}

/// The short window for the customers that have one.
#[derive(Debug)]
pub(crate) struct Short {
    /// Rows of these customers in the long window's tables.
    pub(crate) rows: Vec<usize>,
    /// Their shares.
    pub(crate) panel: Panel,
    /// Their last hidden states.
    pub(crate) ends: Array2<f64>,
}

impl Context {
    /// Reads a run.
    ///
    /// # Errors
    /// If a table is missing or damaged.
    pub(crate) fn read(run: &RunFolder) -> Result<Self> {
        let panel = Panel::from_rows(&run.read(File::Panel)?.rows)?;
        let coefficients =
            Coefficients::from_rows(&run.read(File::Coefficients)?.rows)?.for_classes(&panel.classes)?;
        let targets = read_targets(run)?;
        let model = model::read(run)?;
        model.check_classes(&panel.classes)?;
        let states = read_states(run, File::States)?.hidden;
        let ends = final_states(&states)?;
        let short = if run.has(File::ShortPanel)? && run.has(File::ShortStates)? {
            Some(Short::read(run, &panel.customers)?)
        } else {
            None
        };
        let events = if run.has(File::Latent)? { Some(read_events(run, &panel)?) } else { None };
        Ok(Self {
            mean_shares: panel.mean_shares(),
            order: dominance_order(&targets.grades)?,
            weights: model.weights()?,
            panel,
            coefficients,
            targets,
            model,
            states,
            ends,
            short,
            events,
        })
    }

    /// Rows of the training customers.
    #[must_use]
    pub(crate) fn train_rows(&self) -> Vec<usize> {
        rows_where(&self.targets.train, true)
    }

    /// Rows of the other customers.
    #[must_use]
    pub(crate) fn test_rows(&self) -> Vec<usize> {
        rows_where(&self.targets.train, false)
    }

    /// Grades by the scale of the training customers, for other shares of the same classes (rows x C).
    ///
    /// # Errors
    /// If a training score is constant.
    pub(crate) fn grades_of(&self, shares: &Array2<f64>) -> Result<Array2<f64>> {
        let StoredTargets { scores, traits, train, scaling, .. } = &self.targets;
        let scaler = TargetScaler::fit(scores, traits, train, *scaling)?;
        Ok(scaler.grades(&shares.dot(&self.coefficients)))
    }

    /// Grades of every single period, N x T x P.
    ///
    /// # Errors
    /// If a training score is constant.
    pub(crate) fn yearly_grades(&self) -> Result<Array3<f64>> {
        let (n, periods, _) = self.panel.shares.dim();
        let mut grades = Array3::zeros((n, periods, self.coefficients.ncols()));
        for t in 0..periods {
            let shares = self.panel.period_shares(t).mapv(f64::from);
            grades.index_axis_mut(Dimension(1), t).assign(&self.grades_of(&shares)?);
        }
        Ok(grades)
    }
}

impl Short {
    fn read(run: &RunFolder, customers: &[String]) -> Result<Self> {
        let panel = Panel::from_rows(&run.read(File::ShortPanel)?.rows)?;
        let ends = final_states(&read_states(run, File::ShortStates)?.hidden)?;
        let at: HashMap<&String, usize> =
            customers.iter().enumerate().map(|(row, name)| (name, row)).collect();
        let both: Vec<(usize, usize)> = panel
            .customers
            .iter()
            .enumerate()
            .filter_map(|(row, name)| Some((row, *at.get(name)?)))
            .collect();
        let (own, rows): (Vec<usize>, Vec<usize>) = both.into_iter().unzip();
        Ok(Self { rows, panel: panel.select(&own), ends: ends.select(Dimension(0), &own) })
    }
}

fn read_events(run: &RunFolder, panel: &Panel) -> Result<Array2<bool>> {
    let latent: Latent = run.table(File::Latent)?;
    let at: HashMap<&String, usize> =
        panel.customers.iter().enumerate().map(|(row, name)| (name, row)).collect();
    let mut events = Array2::from_elem((panel.len(), panel.periods.len()), false);
    for ((name, period), flag) in latent.customer.iter().zip(latent.period).zip(latent.event) {
        if let (Some(row), true) = (at.get(name), usize::from(period) < panel.periods.len()) {
            events[[*row, usize::from(period)]] = flag;
        }
    }
    Ok(events)
}
