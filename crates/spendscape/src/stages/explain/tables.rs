//! The tables of the stage.

use std::collections::HashMap;

use anyhow::{Context, Result};
use ndarray::{Array1, Array2, Axis as Dimension};
use spendscape_run::{FromTable, IntoTable, TableContent, WithAxes};
use spendscape_schema::{
    Axes, Axis,
    tables::{
        Contributions, ExplanationRow, Explanations, MoveRow, Moves, Surrogate, SurrogateAngles, SurrogateRow,
    },
};
use spendscape_store::Stored;
use spendscape_surrogate::{
    explain::{Gauge, Refusal, Score, winner},
    fidelity::coefficient_tests,
    models::LinearModel,
};

use super::finding::{Explainer, Finding, Peers};

/// Name of the intercept's row.
const INTERCEPT: &str = "(intercept)";

/// Why a customer is not explained, as tables say it: there is no spending, or the surrogate's direction is too far off.
pub(crate) const NO_SPENDING: &str = "no spending";
pub(crate) const DIRECTION: &str = "direction";

/// Why a customer is not explained, as tables say it.
pub(crate) fn refusal_name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NoSpending => NO_SPENDING,
        Refusal::Direction => DIRECTION,
        Refusal::Segment { .. } => "segment",
    }
}

/// Coefficients of all surrogates, with what shares are measured from.
#[derive(Debug, Clone, PartialEq)]
pub struct SurrogateTable {
    /// Coefficients by target and class.
    pub table: Surrogate,
    /// Mean shares of the training customers, in the panel's order of classes.
    pub average: Vec<f64>,
}

/// Name of these mean shares in the provenance of the table.
const AVERAGE: &str = "average_shares";

impl IntoTable for SurrogateTable {
    fn into_table(self) -> Result<TableContent> {
        let mut content = self.table.into_table()?;
        content.notes.add(AVERAGE, self.average);
        Ok(content)
    }
}

impl FromTable for SurrogateTable {
    fn from_table(stored: &Stored) -> Result<Self> {
        let average = stored.provenance.parameters.get(AVERAGE).cloned().unwrap_or_default();
        let average = serde_json::from_value(average).with_context(|| {
            format!("{} does not say what shares are measured from", stored.path().display())
        })?;
        Ok(Self { table: stored.table()?, average })
    }
}

impl SurrogateTable {
    /// All surrogates that were fitted.
    pub(crate) fn of(explainer: &Explainer<'_>) -> Result<Self> {
        let mut rows = Rows::default();
        let data = explainer.data;
        rows.add_model(&explainer.surrogates.angle, &data.angle_names, &data.panel.classes);
        rows.add_outputs(explainer)?;
        Ok(Self { table: Surrogate::from_rows(rows.0)?, average: explainer.average().to_vec() })
    }

    /// Intercept and slopes (by class) of a direction angle.
    pub(crate) fn angle(&self, name: &str, classes: &[String]) -> Result<(f64, Array1<f64>)> {
        self.target(name, classes)
    }

    /// Intercept and slopes (by class) of the network's output for a trait.
    pub(crate) fn output(&self, name: &str, classes: &[String]) -> Result<(f64, Array1<f64>)> {
        self.target(&output_target(name), classes)
    }

    fn target(&self, target: &str, classes: &[String]) -> Result<(f64, Array1<f64>)> {
        let rows = self.table.target.iter().zip(&self.table.class).zip(&self.table.coefficient);
        let of_target: HashMap<&str, f64> = rows
            .filter(|((name, _), _)| *name == target)
            .map(|((_, class), coefficient)| (class.as_str(), *coefficient))
            .collect();
        let find = |class: &str| {
            of_target
                .get(class)
                .copied()
                .with_context(|| format!("the surrogate has no coefficient of {target}, {class}"))
        };
        let slopes = classes.iter().map(|class| find(class)).collect::<Result<Vec<f64>>>()?;
        Ok((find(INTERCEPT)?, Array1::from(slopes)))
    }
}

/// What the output for a trait is called among the targets.
fn output_target(name: &str) -> String {
    format!("output {name}")
}

/// The angles that the surrogate predicts.
pub(crate) fn angles(explainer: &Explainer<'_>) -> WithAxes<SurrogateAngles> {
    let data = explainer.data;
    let table =
        SurrogateAngles { customer: data.panel.customers.clone(), angle: explainer.predicted_angles.clone() };
    WithAxes { axes: Axes::new().with(Axis::Angle, data.angle_names.iter().cloned()), table }
}

/// Rows of the table of coefficients.
#[derive(Default)]
struct Rows(Vec<SurrogateRow>);

impl Rows {
    fn add(&mut self, target: &str, class: &str, slope: f64, error: Option<f64>, score: Option<f64>) {
        let (target, class) = (target.to_owned(), class.to_owned());
        self.0.push(SurrogateRow { target, class, coefficient: slope, standard_error: error, z: score });
    }

    fn add_model(&mut self, model: &LinearModel, names: &[String], classes: &[String]) {
        let tests = coefficient_tests(model).ok();
        for (k, name) in names.iter().enumerate() {
            self.add(name, INTERCEPT, model.intercept()[k], None, None);
            for (row, class) in classes.iter().enumerate() {
                let error = tests.as_ref().map(|tests| tests.standard_errors[[row, k]]);
                let gauged = tests.as_ref().map(|tests| tests.gauged[[row, k]]);
                let score =
                    gauged.zip(error.filter(|error| *error > 0.0)).map(|(gauged, error)| gauged / error);
                self.add(name, class, model.coefficients()[[row, k]], error, score);
            }
        }
    }

    /// The outputs are the state's model with the output layer on top; their standard errors would need the covariance of
    /// the state's residuals and are left out.
    fn add_outputs(&mut self, explainer: &Explainer<'_>) -> Result<()> {
        let (data, state) = (explainer.data, &explainer.surrogates.state);
        for (k, name) in data.targets.traits.iter().enumerate() {
            let (weights, bias) = (data.weights.output.row(k), data.weights.output_bias[k]);
            let score = Score::new(state, &weights, bias, Gauge::MinimumNorm)?;
            let target = output_target(name);
            let intercept = score.baseline() - score.coefficients().dot(state.feature_means());
            self.add(&target, INTERCEPT, intercept, None, None);
            for (class, slope) in data.panel.classes.iter().zip(score.coefficients()) {
                self.add(&target, class, *slope, None, None);
            }
        }
        Ok(())
    }
}

/// The explanations of all customers.
pub(crate) fn explanations(
    explainer: &Explainer<'_>,
    findings: &[Finding],
    peers: &Peers,
) -> Result<Explanations> {
    let data = explainer.data;
    let (names, traits) = (&data.panel.customers, &data.targets.traits);
    let name = |k: usize| traits[k].clone();
    let row = |(at, (customer, finding)): (usize, (&String, &Finding))| {
        let (s, change) = (&finding.segment, finding.change.as_ref());
        Ok(ExplanationRow {
            customer: customer.clone(),
            segment: name(s.segment),
            runner_up: name(s.runner_up),
            surrogate_segment: name(winner(&s.surrogate_outputs)?.segment),
            lead: s.network_lead,
            lead_percentile: smaller(&peers.leads, s.network_lead),
            surrogate_lead: s.surrogate_outputs[s.segment] - s.surrogate_outputs[s.runner_up],
            error_degrees: s.error_degrees,
            error_percentile: smaller(&peers.errors, s.error_degrees),
            angle_error_degrees: explainer.angle_errors.separation[at],
            refusal: s.lead.as_ref().err().map(|refusal| refusal_name(*refusal).to_owned()),
            moved: change.map(|change| change.moved),
            moved_to: change.map(|change| name(change.segment)),
            moved_lead: change.map(|change| change.lead),
            unflagged_segment: finding.without_flagged.map(name),
        })
    };
    let rows = names.iter().zip(findings).enumerate().map(row).collect::<Result<Vec<_>>>()?;
    Ok(Explanations::from_rows(rows)?)
}

/// Fraction of sorted values that are smaller; 0 of none.
fn smaller(sorted: &[f64], value: f64) -> f64 {
    sorted.partition_point(|other| *other < value) as f64 / sorted.len().max(1) as f64
}

/// The changes that would move customers.
pub(crate) fn moves(explainer: &Explainer<'_>, findings: &[Finding]) -> Result<Moves> {
    let data = explainer.data;
    let class = |c: usize| data.panel.classes[c].clone();
    let changes = data.panel.customers.iter().zip(findings).filter_map(|(customer, finding)| {
        let change = finding.change.as_ref()?;
        Some(change.moves.iter().map(move |step| MoveRow {
            customer: customer.clone(),
            from: class(step.from),
            to: class(step.to),
            share: step.amount,
        }))
    });
    Ok(Moves::from_rows(changes.flatten())?)
}

/// What each class adds to the lead of the customers who are explained.
pub(crate) fn contributions(
    explainer: &Explainer<'_>,
    findings: &[Finding],
) -> Result<WithAxes<Contributions>> {
    let data = explainer.data;
    let names = &data.panel.customers;
    let explained: Vec<usize> =
        (0..findings.len()).filter(|&row| findings[row].segment.lead.is_ok()).collect();
    let leads = || explained.iter().filter_map(|&row| findings[row].segment.lead.as_ref().ok());
    let classes = data.panel.classes.len();
    let mut contributions = Array2::zeros((explained.len(), classes));
    for (mut to, lead) in contributions.rows_mut().into_iter().zip(leads()) {
        to.assign(&lead.contributions);
    }
    let shares = data.shares.select(Dimension(0), &explained);
    let table = Contributions {
        customer: explained.iter().map(|&row| names[row].clone()).collect(),
        baseline: leads().map(|lead| lead.baseline).collect(),
        contribution: contributions,
        percentile: explainer.distribution.percentiles(&shares)?.mapv(|percentile| percentile as f32),
    };
    Ok(WithAxes { axes: data.panel.axes(), table })
}
