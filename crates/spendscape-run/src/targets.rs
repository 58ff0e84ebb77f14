//! Scores and grades of customers, and who is trained on.

use anyhow::{Context, Result};
use ndarray::Array2;
use spendscape_schema::{
    Axes, Axis, Scope, Tabular, TargetScaler, TargetScaling, TargetSteps, scope::SCOPE, tables,
};
use spendscape_store::Stored;

use crate::{FromTable, IntoTable, Notes, TableContent};

/// Name of the scaling in the provenance of targets.
const SCALING: &str = "scaling";
/// Name of the steps at which the network is asked for the grades, in the provenance of targets.
const STEPS: &str = "targets";

/// The targets of N customers: P traits each.
#[derive(Debug, Clone)]
pub struct StoredTargets {
    /// Traits (P).
    pub traits: Vec<String>,
    /// Customers (N).
    pub customers: Vec<String>,
    /// Raw scores, N x P.
    pub scores: Array2<f64>,
    /// Grades in [-1, 1], N x P.
    pub grades: Array2<f64>,
    /// Whether a customer is trained on (N).
    pub train: Vec<bool>,
    /// How scores became grades.
    pub scaling: TargetScaling,
    /// Where the network is asked for the grades.
    pub steps: TargetSteps,
    /// What the run is about, where its panel came from a ledger.
    pub scope: Option<Scope>,
}

impl StoredTargets {
    /// The scale that the grades were made with.
    ///
    /// # Errors
    /// If a training score is constant.
    pub fn scaler(&self) -> Result<TargetScaler> {
        Ok(TargetScaler::fit(&self.scores, &self.traits, &self.train, self.scaling)?)
    }

    /// Rows of the customers that are trained on.
    #[must_use]
    pub fn train_rows(&self) -> Vec<usize> {
        rows_where(&self.train, true)
    }

    /// Rows of the other customers.
    #[must_use]
    pub fn test_rows(&self) -> Vec<usize> {
        rows_where(&self.train, false)
    }
}

/// The rows of a mask that are `wanted`.
///
/// ```
/// assert_eq!(spendscape_run::rows_where(&[true, false, true], true), [0, 2]);
/// ```
#[must_use]
pub fn rows_where(mask: &[bool], wanted: bool) -> Vec<usize> {
    mask.iter().enumerate().filter(|(_, flag)| **flag == wanted).map(|(row, _)| row).collect()
}

impl FromTable for StoredTargets {
    fn from_table(stored: &Stored) -> Result<Self> {
        let table: tables::Targets = stored.table()?;
        let said = |name: &str| stored.provenance.parameters.get(name).cloned();
        Ok(Self {
            scope: said(SCOPE).and_then(|scope| serde_json::from_value(scope).ok()),
            scaling: serde_json::from_value(said(SCALING).unwrap_or_default()).with_context(|| {
                format!("{} does not say how its grades were scaled", stored.path().display())
            })?,
            steps: said(STEPS).map_or(Ok(TargetSteps::default()), serde_json::from_value).with_context(
                || {
                    format!(
                        "{} says oddly where the network is asked for its grades",
                        stored.path().display()
                    )
                },
            )?,
            traits: stored.axes.labels(Axis::Trait).map_err(|error| stored.refuse(error))?.to_vec(),
            customers: table.customer,
            scores: table.score,
            grades: table.grade,
            train: table.train,
        })
    }
}

impl IntoTable for StoredTargets {
    fn into_table(self) -> Result<TableContent> {
        let mut notes = Notes::default();
        notes.add(SCALING, serde_json::to_value(self.scaling)?);
        notes.add(STEPS, serde_json::to_value(self.steps)?);
        if let Some(scope) = &self.scope {
            notes.add(SCOPE, serde_json::to_value(scope)?);
        }
        let axes = Axes::new().with(Axis::Trait, self.traits);
        let table = tables::Targets {
            customer: self.customers,
            score: self.scores,
            grade: self.grades,
            train: self.train,
        };
        Ok(TableContent { batch: table.to_batch(&axes)?, notes })
    }
}
