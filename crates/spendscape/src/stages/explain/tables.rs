//! The tables of the stage.

use anyhow::Result;
use ndarray::{Array2, Axis as Dimension};
use spendscape_schema::{Axes, Axis, arrays};
use spendscape_surrogate::{Gauge, LinearModel, Refusal, Score, median_gauge};

use super::finding::{Explainer, Finding};
use crate::run_folder::{File, Stage};

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

/// Writes coefficients of all surrogates and the predicted angles.
pub(crate) fn write_surrogates(stage: &mut Stage<'_>, explainer: &Explainer<'_>) -> Result<()> {
    let mut rows = Rows::default();
    let data = explainer.data;
    rows.add_model(&explainer.surrogates.angle, &data.angle_names, &data.panel.classes);
    rows.add_outputs(explainer)?;
    let columns = vec![
        arrays::category(rows.targets),
        arrays::text(rows.classes),
        arrays::float(rows.slopes),
        arrays::optional_float(rows.errors),
        arrays::optional_float(rows.scores),
    ];
    stage.write(File::Surrogate, &Axes::new(), columns)?;
    let columns =
        vec![arrays::text(&data.panel.customers), arrays::vectors64(explainer.predicted_angles.view())?];
    let axes = Axes::new().with(Axis::Angle, data.angle_names.iter().cloned());
    stage.write(File::SurrogateAngles, &axes, columns)
}

/// Columns of the table of coefficients.
#[derive(Default)]
struct Rows<'a> {
    targets: Vec<String>,
    classes: Vec<&'a str>,
    slopes: Vec<f64>,
    errors: Vec<Option<f64>>,
    scores: Vec<Option<f64>>,
}

impl<'a> Rows<'a> {
    fn add(&mut self, target: &str, class: &'a str, slope: f64, error: Option<f64>, score: Option<f64>) {
        self.targets.push(target.to_owned());
        self.classes.push(class);
        self.slopes.push(slope);
        self.errors.push(error);
        self.scores.push(score);
    }

    fn add_model(&mut self, model: &LinearModel, names: &[String], classes: &'a [String]) {
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
    fn add_outputs(&mut self, explainer: &Explainer<'a>) -> Result<()> {
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

/// Writes the explanations of all customers.
pub(crate) fn write_findings(
    stage: &mut Stage<'_>,
    explainer: &Explainer<'_>,
    findings: &[Finding],
) -> Result<()> {
    let data = explainer.data;
    let (names, traits) = (&data.panel.customers, &data.targets.traits);
    let name = |k: usize| traits[k].as_str();
    let segments = || findings.iter().map(|finding| &finding.segment);
    let changes = || findings.iter().map(|finding| finding.change.as_ref());
    let columns = vec![
        arrays::text(names),
        arrays::category(segments().map(|s| name(s.segment))),
        arrays::category(segments().map(|s| name(s.runner_up))),
        arrays::float(segments().map(|s| s.network_lead)),
        arrays::float(segments().map(|s| s.surrogate_outputs[s.segment] - s.surrogate_outputs[s.runner_up])),
        arrays::float(segments().map(|s| s.error_degrees)),
        arrays::optional_category(segments().map(|s| s.lead.as_ref().err().copied().map(refusal_name))),
        arrays::optional_float(changes().map(|change| change.map(|change| change.moved))),
        arrays::optional_category(changes().map(|change| change.map(|change| name(change.segment)))),
        arrays::optional_category(findings.iter().map(|finding| finding.without_flagged.map(name))),
    ];
    stage.write(File::Explanations, &Axes::new(), columns)?;

    let explained: Vec<usize> =
        (0..findings.len()).filter(|&row| findings[row].segment.lead.is_ok()).collect();
    let leads = || explained.iter().filter_map(|&row| findings[row].segment.lead.as_ref().ok());
    let classes = data.panel.classes.len();
    let mut contributions = Array2::zeros((explained.len(), classes));
    for (mut to, lead) in contributions.rows_mut().into_iter().zip(leads()) {
        to.assign(&lead.contributions);
    }
    let shares = data.shares.select(Dimension(0), &explained);
    let percentiles = explainer.peers.percentiles(&shares)?.mapv(|percentile| percentile as f32);
    let columns = vec![
        arrays::text(explained.iter().map(|&row| &names[row])),
        arrays::float(leads().map(|lead| lead.baseline)),
        arrays::vectors64(contributions.view())?,
        arrays::vectors32(percentiles.view())?,
    ];
    stage.write(File::Contributions, &data.panel.axes(), columns)
}
