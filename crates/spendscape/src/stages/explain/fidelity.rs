//! How faithful the surrogates are, in figures: the table `fidelity`, which the model card draws.
//!
//! Unless said otherwise a figure is over customers that neither network nor surrogate was fitted on. Those of a batch all are;
//! what only the trained run can tell (learning curve, stability, limits for monitoring) is left out of a batch's figures.

use anyhow::Result;
use ndarray::{Array2, Axis as Dimension};
use spendscape_schema::{
    seed,
    tables::{MetricRow, Metrics},
};
use spendscape_segments::{
    directions::{dominance_order, prefix_labels},
    quality::{adjusted_mutual_information, adjusted_rand_index, share_equal},
};
use spendscape_stats::{Split, median, quantile};
use spendscape_surrogate::{
    explain::{
        Explanation, MAX_ERROR_DEGREES, Refusal, SegmentExplainer, SegmentExplanation, driver_agreement,
    },
    fidelity::{ANCHOR, R2Intervals, errors_by_segment, learning_curve, r2_intervals},
    models::Ols,
};

use super::{
    ExplainParams,
    data::Data,
    finding::{Explainer, Finding},
    tables::refusal_name,
};
use crate::readout;

/// Resampled sets of customers per interval.
const RESAMPLES: usize = 1_000;
/// Fractions of the training customers in the learning curve: 1/16, 1/8, .., 1.
const HALVINGS: u32 = 4;
/// Share of the errors of today that a median of tomorrow must not exceed. In batches of a thousand customers from the same
/// population, chance takes the median there once in 10^9 batches.
const MEDIAN_ALARM: f64 = 0.6;
/// Customers in a monitored batch, and the standard deviations that its refused share may lie above today's.
const BATCH: (f64, f64) = (1_000.0, 3.0);
/// The strongest drivers compared between two fits.
const DRIVERS: usize = 3;

/// Named figures.
#[derive(Default)]
struct Figures(Vec<(String, f64)>);

impl Figures {
    fn add(&mut self, name: impl Into<String>, value: f64) {
        self.0.push((name.into(), value));
    }

    fn add_intervals(&mut self, name: &str, targets: &[String], r2: &R2Intervals) {
        let named = targets.iter().map(|target| format!("{name}.{target}")).zip(&r2.targets);
        for (name, interval) in named.chain([(name.to_owned(), &r2.mean)]) {
            self.add(name.clone(), interval.value);
            self.add(format!("{name}.low"), interval.low);
            self.add(format!("{name}.high"), interval.high);
        }
    }

    fn add_errors(&mut self, name: &str, errors: &[f64]) {
        for (label, level) in [("median", 0.5), ("p95", 0.95)] {
            self.add(format!("{name}.{label}"), quantile(errors, level));
        }
    }
}

/// Measures the figures.
pub(crate) fn table(
    params: &ExplainParams,
    explainer: &Explainer<'_>,
    findings: &[Finding],
) -> Result<Metrics> {
    let mut figures = Figures::default();
    let data = explainer.data;
    let test = data.test_rows();
    figures.add("data.synthetic", f64::from(u8::from(params.synthetic)));
    figures.add("customers", data.panel.len() as f64);
    figures.add("customers.training", (data.panel.len() - test.len()) as f64);
    figures.add("customers.unseen", test.len() as f64);
    figures.add("classes", data.panel.classes.len() as f64);
    figures.add("rank", explainer.surrogates.state.rank() as f64);
    network(explainer, &test, &mut figures)?;
    population(explainer, findings, &mut figures);
    // One customer has no variance to explain.
    let state_r2 = if test.len() > 1 { Some(determination(explainer, &test, &mut figures)?) } else { None };
    let errors: Vec<f64> = test.iter().map(|&row| findings[row].segment.error_degrees).collect();
    figures.add("threshold", MAX_ERROR_DEGREES);
    figures.add_errors("degrees", &errors);
    let angle_errors: Vec<f64> = test.iter().map(|&row| explainer.angle_errors.separation[row]).collect();
    figures.add_errors("degrees.angles", &angle_errors);
    agreement(explainer, findings, &test, &mut figures)?;
    let refused = refusals(findings, &test, &mut figures);
    let gaps = findings.iter().filter_map(|finding| finding.segment.lead.as_ref().ok());
    figures.add("contributions.gap", gaps.map(Explanation::relative_gap).fold(0.0, f64::max));
    changes(findings, &mut figures);
    if !explainer.is_batch() {
        curve(data, &mut figures)?;
        stability(data, &test, &mut figures)?;
        figures.add("monitor.degrees_median_at_most", quantile(&errors, MEDIAN_ALARM));
        if let Some(R2Intervals { mean, .. }) = state_r2 {
            // Twice as far below the estimate as the interval ends: a batch has fewer customers than the test.
            figures.add("monitor.r2_at_least", 2.0 * mean.low - mean.value);
        }
        let (batch, deviations) = BATCH;
        let deviation = (refused * (1.0 - refused) / batch).sqrt();
        figures.add("monitor.refused_at_most", refused + deviations * deviation);
    }
    let rows = figures.0.into_iter().map(|(name, value)| MetricRow { name, value });
    Ok(Metrics::from_rows(rows)?)
}

/// How well the network itself gives the grades, beside a straight line on the mean shares. An R2 of 0 is that of the unseen
/// customers' mean.
fn network(explainer: &Explainer<'_>, test: &[usize], figures: &mut Figures) -> Result<()> {
    let data = explainer.data;
    let part = |values: &Array2<f64>, rows: &[usize]| values.select(Dimension(0), rows);
    let (trained, train) = (explainer.trained, explainer.trained.train_rows());
    let grades = part(&data.targets.grades, test);
    let line = Ols::params().fit(&part(&trained.shares, &train), &part(&trained.targets.grades, &train))?;
    let of_line = line.predict(&part(&data.shares, test))?;
    for (name, outputs) in [("network.r2", part(&data.outputs, test)), ("network.r2.line", of_line)] {
        if let Some(r2) = readout::fit(&grades, &outputs)? {
            figures.add(name, r2);
        }
    }
    Ok(())
}

/// How many customers there are of each segment, and how many are not explained, the training customers included.
fn population(explainer: &Explainer<'_>, findings: &[Finding], figures: &mut Figures) {
    for (segment, name) in explainer.data.targets.traits.iter().enumerate() {
        let customers = findings.iter().filter(|finding| finding.segment.segment == segment).count();
        figures.add(format!("segment.{name}.customers"), customers as f64);
    }
    let refused = findings.iter().filter(|finding| finding.segment.lead.is_err()).count();
    figures.add("customers.refused", refused as f64);
}

/// R2 of states, outputs and angles; returns that of the state.
fn determination(explainer: &Explainer<'_>, test: &[usize], figures: &mut Figures) -> Result<R2Intervals> {
    let data = explainer.data;
    let shares = data.shares.select(Dimension(0), test);
    let intervals = |truth: &Array2<f64>, predicted: &Array2<f64>, draw: u64| {
        let mut rng = seed::stream(1, "fidelity", draw);
        r2_intervals(&truth.select(Dimension(0), test), predicted, RESAMPLES, &mut rng)
    };
    let state = intervals(&data.ends, &explainer.surrogates.state.predict(&shares)?, 0)?;
    let units: Vec<String> = (1..=data.ends.ncols()).map(|unit| format!("unit {unit}")).collect();
    figures.add_intervals("r2.state", &units, &state);
    let outputs = intervals(&data.outputs, &explainer.segments.outputs(&shares)?, 1)?;
    figures.add_intervals("r2.output", &data.targets.traits, &outputs);
    let predicted = explainer.predicted_angles.select(Dimension(0), test);
    figures.add_intervals("r2.angle", &data.angle_names, &intervals(&data.angles, &predicted, 2)?);
    figures.add("r2.angle.anchor", ANCHOR);
    Ok(state)
}

/// Whether surrogate and network name the same segments, overall and by segment.
fn agreement(
    explainer: &Explainer<'_>,
    findings: &[Finding],
    test: &[usize],
    figures: &mut Figures,
) -> Result<()> {
    let data = explainer.data;
    let network = dominance_order(&data.outputs.select(Dimension(0), test))?;
    let surrogate = dominance_order(&explainer.segments.outputs(&data.shares.select(Dimension(0), test))?)?;
    let first = |order: &Array2<usize>| order.column(0).to_vec();
    let (ours, theirs) = (first(&surrogate), first(&network));
    figures.add("segment.accuracy", share_equal(&ours, &theirs)?);
    figures.add("segment.ari", adjusted_rand_index(&ours, &theirs)?);
    figures.add("segment.ami", adjusted_mutual_information(&ours, &theirs)?);
    for depth in 2..=network.ncols() {
        // Both in one table, so that a label means the same path in each.
        let both = ndarray::concatenate![Dimension(0), surrogate, network];
        let labels = prefix_labels(&both, depth)?.labels;
        let (ours, theirs) = labels.split_at(test.len());
        figures.add(format!("path.{depth}.accuracy"), share_equal(ours, theirs)?);
    }
    let errors = test.iter().map(|&row| findings[row].segment.error_degrees).collect();
    for group in errors_by_segment(&ndarray::Array1::from_vec(errors), &theirs)? {
        let name = &data.targets.traits[group.segment];
        let right = ours.iter().zip(&theirs).filter(|(a, b)| a == b && **b == group.segment).count();
        figures.add(format!("by_segment.{name}.customers"), group.customers as f64);
        figures.add(format!("by_segment.{name}.accuracy"), right as f64 / group.customers as f64);
        figures.add(format!("by_segment.{name}.degrees"), group.median);
    }
    Ok(())
}

/// Shares of customers who are not explained; returns that of all reasons.
fn refusals(findings: &[Finding], test: &[usize], figures: &mut Figures) -> f64 {
    let share = |wanted: &dyn Fn(&SegmentExplanation) -> bool| {
        test.iter().filter(|&&row| wanted(&findings[row].segment)).count() as f64 / test.len().max(1) as f64
    };
    let refused = share(&|segment| segment.lead.is_err());
    figures.add("refused", refused);
    for reason in [Refusal::NoSpending, Refusal::Direction, Refusal::Segment { surrogate: 0 }] {
        let name = refusal_name(reason);
        let with = |segment: &SegmentExplanation| {
            segment.lead.as_ref().err().is_some_and(|r| refusal_name(*r) == name)
        };
        figures.add(format!("refused.{name}"), share(&with));
    }
    refused
}

/// How much would move explained customers to another segment, over all customers.
fn changes(findings: &[Finding], figures: &mut Figures) {
    let explained = findings.iter().filter(|finding| finding.segment.lead.is_ok()).count();
    let moved: Vec<f64> =
        findings.iter().filter_map(|finding| finding.change.as_ref()).map(|change| change.moved).collect();
    figures.add("change.found", moved.len() as f64 / explained.max(1) as f64);
    if !moved.is_empty() {
        figures.add("change.moved.median", median(&moved));
    }
    let without: Vec<bool> = findings
        .iter()
        .filter_map(|finding| Some(finding.without_flagged? != finding.segment.segment))
        .collect();
    if !without.is_empty() {
        let other = without.iter().filter(|other| **other).count();
        figures.add("flagged.decide", other as f64 / without.len() as f64);
    }
}

/// R2 of the state against the number of training customers.
fn curve(data: &Data, figures: &mut Figures) -> Result<()> {
    let split = Split { train: data.train_rows(), test: data.test_rows() };
    // Fewer customers than classes would only show that the system has no unique solution.
    let least = data.panel.classes.len() + 2;
    let sizes: Vec<usize> =
        (0..=HALVINGS).rev().map(|k| split.train.len() >> k).filter(|size| *size >= least).collect();
    let mut rng = seed::stream(1, "learning curve", 0);
    for point in learning_curve(Ols::params(), &data.shares, &data.ends, &split, &sizes, &mut rng)? {
        figures.add(format!("curve.{}", point.customers), point.test_r2);
    }
    Ok(())
}

/// Whether explanations hang on who was in the training set: fits on two halves of it, compared on unseen customers.
fn stability(data: &Data, test: &[usize], figures: &mut Figures) -> Result<()> {
    let train = data.train_rows();
    let (even, odd): (Vec<usize>, Vec<usize>) = (0..train.len()).partition(|k| k % 2 == 0);
    if odd.len() < data.panel.classes.len() + 2 {
        return Ok(());
    }
    let half = |places: Vec<usize>| data.fit(&places.into_iter().map(|k| train[k]).collect::<Vec<_>>());
    let (one, two) = (half(even)?, half(odd)?);
    let layer = (&data.weights.output, &data.weights.output_bias);
    let (one, two) = (
        SegmentExplainer::new(&one.state, layer.0, layer.1)?,
        SegmentExplainer::new(&two.state, layer.0, layer.1)?,
    );
    let order = dominance_order(&data.outputs.select(Dimension(0), test))?;
    if order.ncols() < 2 {
        return Ok(());
    }
    let leads: Vec<(usize, usize)> = order.rows().into_iter().map(|path| (path[0], path[1])).collect();
    let shares = data.shares.select(Dimension(0), test);
    let found = driver_agreement([&one, &two], &shares, &leads, DRIVERS)?;
    if found.compared > 0 {
        figures.add("stability.first_driver", found.same_first as f64 / found.compared as f64);
        let listed = DRIVERS.min(data.panel.classes.len()) as f64;
        figures.add("stability.three_drivers", found.shared as f64 / (found.compared as f64 * listed));
    }
    Ok(())
}
