//! A trained run in memory.

use std::collections::HashMap;

use anyhow::Result;
use ndarray::{Array2, Array3, Axis as Dimension};
use spendscape_run::{File, Model, Sourced, StoredStates, StoredTargets, Weights, inputs};
use spendscape_schema::{
    Coefficients, Panel,
    tables::{
        Attractors, EndStates, Extended, Latent, MeanShares, Predictions, Reach, SurrogateAngles, TraitAxes,
    },
};
use spendscape_segments::directions::dominance_order;

inputs! {
    /// What is measured.
    pub struct RunTables {
        /// Shares over the long window.
        pub panel: Panel = table File::Panel,
        /// Coefficients that link classes to traits.
        pub coefficients: Coefficients = table File::Coefficients,
        /// Grades, and who was trained on.
        pub targets: StoredTargets = table File::Targets,
        /// The network.
        pub model: Model = table File::Model,
        /// States over the long window.
        pub states: StoredStates = table File::States,
        /// Mean shares.
        pub mean_shares: MeanShares = table File::MeanShares,
        /// Outputs, and where grades are among the states.
        pub predictions: Predictions = table File::Predictions,
        /// Trait axes in state space, with what the inverse of the output layer says of itself.
        pub trait_axes: Sourced<TraitAxes> = table File::TraitAxes,
        /// Reachable outputs.
        pub reach: Option<Reach> = table File::Reach,
        /// Shares over the short window.
        pub short_panel: Option<Panel> = table File::ShortPanel,
        /// States over the short window.
        pub short_states: Option<StoredStates> = table File::ShortStates,
        /// The truth of a synthetic bank.
        pub latent: Option<Latent> = table File::Latent,
        /// The angles that the surrogate predicts.
        pub surrogate_angles: Option<SurrogateAngles> = table File::SurrogateAngles,
        /// End states under a held input.
        pub end_states: Option<Sourced<EndStates>> = table File::EndStates,
        /// Extended trajectories of a sample.
        pub extended: Option<Extended> = table File::Extended,
        /// Attractors of the population.
        pub attractors: Option<Attractors> = table File::Attractors,
    }
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// What needs further trainings too: elbow, feed-forward net, autoencoders, methods of clustering.
    pub trainings: bool,
    /// The polynomial with all products of two classes too.
    pub full_polynomial: bool,
}

/// A trained run in memory; N customers, T periods, C classes, P traits, M units.
#[derive(Debug)]
pub struct Run {
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
    /// Outputs, and where grades are among the states.
    pub(crate) predictions: Predictions,
    /// Trait axes in state space.
    pub(crate) trait_axes: TraitAxes,
    /// How far the inverse of the output layer is from its closed form, where it has one.
    pub(crate) closed_form_error: Option<f64>,
    /// Reachable outputs.
    pub(crate) reach: Option<Reach>,
    /// The angles that the surrogate predicts.
    pub(crate) surrogate_angles: Option<SurrogateAngles>,
    /// End states under a held input.
    pub(crate) end_states: Option<EndStates>,
    /// Time constants of the slowest modes under the mean input of all customers, the slowest first.
    pub(crate) neutral: Vec<f64>,
    /// Extended trajectories of a sample.
    pub(crate) extended: Option<Extended>,
    /// Attractors of the population.
    pub(crate) attractors: Option<Attractors>,
    /// How much is measured.
    pub(crate) extent: Extent,
}

/// The short window for the customers that have one.
#[derive(Debug)]
pub(crate) struct Short {
    /// Rows of these customers in the long window's tables.
    pub(crate) rows: Vec<usize>,
    /// Whether each is trained on.
    pub(crate) train: Vec<bool>,
    /// Their mean shares.
    pub(crate) mean_shares: Array2<f64>,
    /// Their last hidden states.
    pub(crate) ends: Array2<f64>,
}

impl Run {
    /// A run from its tables.
    ///
    /// # Errors
    /// If the panel's classes are not the model's.
    pub fn new(tables: RunTables, extent: Extent) -> Result<Self> {
        let RunTables { panel, coefficients, targets, model, states, .. } = tables;
        model.check_classes(&panel.classes)?;
        let short = match (tables.short_panel, tables.short_states) {
            (Some(short), Some(states)) => {
                Some(Short::new(&short, &states, &panel.customers, &targets.train)?)
            }
            _ => None,
        };
        let closed_form_error = tables.trait_axes.provenance.parameters.get("closed_form_error");
        Ok(Self {
            coefficients: coefficients.for_classes(&panel.classes)?,
            mean_shares: tables.mean_shares.share,
            order: dominance_order(&targets.grades)?,
            weights: model.weights()?,
            events: tables.latent.map(|latent| events(&latent, &panel)),
            ends: states.ends()?,
            states: states.hidden,
            closed_form_error: closed_form_error.and_then(serde_json::Value::as_f64),
            panel,
            targets,
            model,
            short,
            predictions: tables.predictions,
            trait_axes: tables.trait_axes.value,
            reach: tables.reach,
            surrogate_angles: tables.surrogate_angles,
            neutral: tables
                .end_states
                .as_ref()
                .map_or_else(Vec::new, |ends| neutral(ends.provenance.parameters.get("neutral"))),
            end_states: tables.end_states.map(|ends| ends.value),
            extended: tables.extended,
            attractors: tables.attractors,
            extent,
        })
    }

    /// Whether some class has no coefficient. A drawn table has none such: then there is nothing to tell apart.
    pub(crate) fn has_silent_classes(&self) -> bool {
        self.coefficients.rows().into_iter().any(|row| row.iter().all(|weight| *weight == 0.0))
    }

    /// Rows of the training customers.
    #[must_use]
    pub(crate) fn train_rows(&self) -> Vec<usize> {
        self.targets.train_rows()
    }

    /// Rows of the other customers.
    #[must_use]
    pub(crate) fn test_rows(&self) -> Vec<usize> {
        self.targets.test_rows()
    }

    /// Grades by the scale of the training customers, for other shares of the same classes (rows x C).
    ///
    /// # Errors
    /// If a training score is constant.
    pub(crate) fn grades_of(&self, shares: &Array2<f64>) -> Result<Array2<f64>> {
        Ok(self.targets.scaler()?.grades(&shares.dot(&self.coefficients)))
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
    /// The window of `panel` for the `customers` of the long one, of whom `train` are trained on.
    fn new(panel: &Panel, states: &StoredStates, customers: &[String], train: &[bool]) -> Result<Self> {
        let ends = states.ends()?;
        let at: HashMap<&String, usize> =
            customers.iter().enumerate().map(|(row, name)| (name, row)).collect();
        let both: Vec<(usize, usize)> = panel
            .customers
            .iter()
            .enumerate()
            .filter_map(|(row, name)| Some((row, *at.get(name)?)))
            .collect();
        let (own, rows): (Vec<usize>, Vec<usize>) = both.into_iter().unzip();
        Ok(Self {
            train: rows.iter().map(|row| train[*row]).collect(),
            rows,
            mean_shares: panel.select(&own).mean_shares(),
            ends: ends.select(Dimension(0), &own),
        })
    }
}

/// What the stage of the dynamics noted of the map under the mean input. A mode that does not decay has no time constant.
fn neutral(noted: Option<&serde_json::Value>) -> Vec<f64> {
    let slowest = noted.and_then(|noted| noted.get("slowest")?.as_array());
    slowest.into_iter().flatten().map(|time| time.as_f64().unwrap_or(f64::INFINITY)).collect()
}

fn events(latent: &Latent, panel: &Panel) -> Array2<bool> {
    let at: HashMap<&String, usize> =
        panel.customers.iter().enumerate().map(|(row, name)| (name, row)).collect();
    let mut events = Array2::from_elem((panel.len(), panel.periods.len()), false);
    for ((name, period), flag) in latent.customer.iter().zip(&latent.period).zip(&latent.event) {
        if let (Some(row), true) = (at.get(name), usize::from(*period) < panel.periods.len()) {
            events[[*row, usize::from(*period)]] = *flag;
        }
    }
    events
}
