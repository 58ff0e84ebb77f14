//! The tables of the stage.

use anyhow::Result;
use ndarray::{Array2, Axis as Dimension};
use spendscape_run::WithAxes;
use spendscape_schema::{
    Axes, Axis,
    tables::{Contributions, ExplanationRow, Explanations, Surrogate, SurrogateAngles, SurrogateRow},
};
use spendscape_surrogate::{Gauge, LinearModel, Refusal, Score, median_gauge};

use super::finding::{Explainer, Finding};

/// Name of the intercept's row.
const INTERCEPT: &str = "(intercept)";

/// Why a customer is not explained, as tables say it.
pub(crate) fn refusal_name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NoSpending => "no spending",
        Refusal::Direction => "direction",
        Refusal::Segment { .. } => "segment",
    }
}

/// Coefficients of all surrogates.
pub(crate) fn surrogate(explainer: &Explainer<'_>) -> Result<Surrogate> {
    let mut rows = Rows::default();
    let data = explainer.data;
    rows.add_model(&explainer.surrogates.angle, &data.angle_names, &data.panel.classes);
    rows.add_outputs(explainer)?;
    Ok(Surrogate::from_rows(rows.0)?)
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
        let gauged = median_gauge(model.coefficients());
        let errors = model.standard_errors().ok();
        for (k, name) in names.iter().enumerate() {
            self.add(name, INTERCEPT, model.intercept()[k], None, None);
            for (row, class) in classes.iter().enumerate() {
                let error = errors.as_ref().map(|errors| errors[[row, k]]);
                let score = error.filter(|error| *error > 0.0).map(|error| gauged[[row, k]] / error);
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
            let target = format!("output {name}");
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
pub(crate) fn explanations(explainer: &Explainer<'_>, findings: &[Finding]) -> Result<Explanations> {
    let data = explainer.data;
    let (names, traits) = (&data.panel.customers, &data.targets.traits);
    let name = |k: usize| traits[k].clone();
    let row = |(customer, finding): (&String, &Finding)| {
        let (s, change) = (&finding.segment, finding.change.as_ref());
        ExplanationRow {
            customer: customer.clone(),
            segment: name(s.segment),
            runner_up: name(s.runner_up),
            lead: s.network_lead,
            surrogate_lead: s.surrogate_outputs[s.segment] - s.surrogate_outputs[s.runner_up],
            error_degrees: s.error_degrees,
            refusal: s.lead.as_ref().err().map(|refusal| refusal_name(*refusal).to_owned()),
            moved: change.map(|change| change.moved),
            moved_to: change.map(|change| name(change.segment)),
            unflagged_segment: finding.without_flagged.map(name),
        }
    };
    Ok(Explanations::from_rows(names.iter().zip(findings).map(row))?)
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
        percentile: explainer.peers.percentiles(&shares)?.mapv(|percentile| percentile as f32),
    };
    Ok(WithAxes { axes: data.panel.axes(), table })
}
