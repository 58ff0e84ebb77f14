//! From the numbers of one customer to the document that is printed.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use ndarray::{Array1, s};
use spendscape_report::{
    AnglePart, AnglesPart, AssignmentPart, ChangePart, ChangedClass, CustomerExplanation, DriverPart,
    FlaggedClass, FlaggedPart, LeadPart, MadeFrom, MovePart, PeriodPart, ShiftPart, TrustPart,
};
use spendscape_run::{File, RunFolder};
use spendscape_schema::tables::Segments;
use spendscape_segments::dominance_order;
use spendscape_stats::median;
use spendscape_store::{Digest, TableReader};
use spendscape_surrogate::{
    Counterfactual, Explanation, Gauge, MAX_ERROR_DEGREES, Refusal, Score, degrees_between, winner,
};

use super::{data::INPUTS, finding::Explainer};

/// Classes listed among what changed over the periods.
const SHIFTS: usize = 5;

/// Everything there is to say about the customer in a row of the panel.
pub(crate) fn document(
    run: &RunFolder,
    trained: &RunFolder,
    explainer: &Explainer<'_>,
    row: usize,
) -> Result<CustomerExplanation> {
    let finding = explainer.explain(row)?;
    let data = explainer.data;
    let segment = &finding.segment;
    let name = |k: usize| data.targets.traits[k].clone();
    let lead = segment.lead.as_ref().ok();
    let refusal = segment.lead.as_ref().err().map(|refusal| reason(explainer, *refusal));
    let surrogate_lead =
        segment.surrogate_outputs[segment.segment] - segment.surrogate_outputs[segment.runner_up];
    let [errors, angle_errors] = explainer.unseen_errors()?;
    let coefficients = explainer.segments.lead(segment.segment, segment.runner_up)?.coefficients();
    Ok(CustomerExplanation {
        customer: data.panel.customers[row].clone(),
        assignment: assignment(run, explainer, row)?,
        trust: TrustPart {
            error_degrees: segment.error_degrees,
            threshold_degrees: MAX_ERROR_DEGREES,
            typical_degrees: median(&errors),
            error_percentile: smaller(&errors, segment.error_degrees),
            lead_error: (surrogate_lead - segment.network_lead).abs()
                / segment.network_lead.max(f64::MIN_POSITIVE),
            surrogate_segment: name(winner(&segment.surrogate_outputs)?.segment),
            refusal,
        },
        lead: lead.map(|lead| drivers(explainer, row, lead, coefficients)).transpose()?,
        angles: angles(explainer, row, &angle_errors)?,
        change: finding.change.as_ref().map(|change| change_part(explainer, row, change)),
        flagged: flagged(explainer, row, lead, finding.without_flagged),
        periods: periods(explainer, row, segment.segment, segment.runner_up)?,
        shifts: if lead.is_some() { shifts(explainer, row, coefficients) } else { Vec::new() },
        scope: data.targets.scope.clone(),
        made_from: made_from(run, trained)?,
    })
}

/// Fraction of values that are smaller.
fn smaller(values: &[f64], value: f64) -> f64 {
    values.iter().filter(|other| **other < value).count() as f64 / values.len().max(1) as f64
}

/// A refusal in words.
fn reason(explainer: &Explainer<'_>, refusal: Refusal) -> String {
    match refusal {
        Refusal::NoSpending => "the customer has no spending to explain anything by".to_owned(),
        Refusal::Direction => {
            "the surrogate's direction is too far from the network's, so that it does not describe this customer".to_owned()
        }
        Refusal::Segment { surrogate } => format!(
            "the surrogate puts this customer into segment {}, so that it cannot explain the network's",
            explainer.data.targets.traits[surrogate]
        ),
    }
}

fn assignment(run: &RunFolder, explainer: &Explainer<'_>, row: usize) -> Result<AssignmentPart> {
    let data = explainer.data;
    let name = |k: usize| data.targets.traits[k].clone();
    let leads = explainer.trained.outputs.rows().into_iter().map(|outputs| Ok(winner(&outputs)?.margin));
    let leads = leads.collect::<Result<Vec<f64>>>()?;
    let found = winner(&data.outputs.row(row))?;
    let order = dominance_order(&data.outputs.slice(s![row..=row, ..]))?;
    let grades = dominance_order(&data.targets.grades.slice(s![row..=row, ..]))?;
    let segments: Segments = run.table(File::Segments)?;
    let at = segments.customer.iter().position(|other| *other == data.panel.customers[row]);
    let at = at.context("segments.parquet does not have this customer: run `spendscape segment` again")?;
    Ok(AssignmentPart {
        segment: name(found.segment),
        runner_up: name(found.runner_up),
        lead: found.margin,
        lead_percentile: smaller(&leads, found.margin),
        path: order.row(0).iter().map(|&k| (name(k), data.outputs[[row, k]])).collect(),
        grade_path: grades.row(0).iter().map(|&k| name(k)).collect(),
        direction_segment: segments.segment[at],
        short_direction_segment: segments.short_segment[at],
        training: data.targets.train[row],
    })
}

fn drivers(
    explainer: &Explainer<'_>,
    row: usize,
    lead: &Explanation,
    coefficients: &Array1<f64>,
) -> Result<LeadPart> {
    let data = explainer.data;
    let driver = |class: usize| {
        let flag = explainer.flagged.iter().find(|flag| flag.class == class);
        Ok(DriverPart {
            class: data.panel.classes[class].clone(),
            share: data.shares[[row, class]],
            average: explainer.average()[class],
            percentile: explainer.peers.percentile(class, data.shares[[row, class]])?,
            coefficient: coefficients[class],
            contribution: lead.contributions[class],
            flag: flag.map(|flag| flag.role.name().to_owned()),
        })
    };
    let classes = lead.ranking().into_iter().map(driver).collect::<Result<_>>()?;
    Ok(LeadPart { baseline: lead.baseline, value: lead.value, sum: lead.total(), classes })
}

/// `errors` are those of customers that nothing was fitted on.
fn angles(explainer: &Explainer<'_>, row: usize, errors: &[f64]) -> Result<AnglesPart> {
    let data = explainer.data;
    let error_degrees = explainer.angle_errors.separation[row];
    let shares = data.shares.row(row);
    let refusal = if shares.sum() == 0.0 {
        Some("the customer has no spending to explain anything by".to_owned())
    } else if error_degrees > MAX_ERROR_DEGREES {
        Some(format!("the error is above {MAX_ERROR_DEGREES:.1} degrees"))
    } else {
        None
    };
    let mut angles = Vec::new();
    for (k, name) in data.angle_names.iter().enumerate() {
        let gauge = if refusal.is_some() { Gauge::MinimumNorm } else { Gauge::Median };
        let part = Score::of_target(&explainer.surrogates.angle, k, gauge)?.explain(&shares)?;
        let listed = if refusal.is_some() { Vec::new() } else { part.ranking() };
        angles.push(AnglePart {
            name: name.clone(),
            network: data.angles[[row, k]],
            value: part.value,
            baseline: part.baseline,
            sum: part.total(),
            contributions: listed
                .into_iter()
                .map(|class| (data.panel.classes[class].clone(), part.contributions[class]))
                .collect(),
        });
    }
    Ok(AnglesPart { error_degrees, typical_degrees: median(errors), refusal, angles })
}

fn change_part(explainer: &Explainer<'_>, row: usize, change: &Counterfactual) -> ChangePart {
    let data = explainer.data;
    let class = |c: usize| data.panel.classes[c].clone();
    let mut after = BTreeMap::new();
    for step in &change.moves {
        for (place, amount) in [(step.from, -step.amount), (step.to, step.amount)] {
            *after.entry(place).or_insert(data.shares[[row, place]]) += amount;
        }
    }
    let mut classes: Vec<ChangedClass> = after
        .into_iter()
        .map(|(c, after)| ChangedClass {
            class: class(c),
            before: data.shares[[row, c]],
            after: after.max(0.0),
        })
        .collect();
    let size = |changed: &ChangedClass| (changed.after - changed.before).abs();
    // Stable: equal changes stay in the order of classes.
    classes.sort_by(|a, b| size(b).total_cmp(&size(a)));
    ChangePart {
        moved: change.moved,
        segment: data.targets.traits[change.segment].clone(),
        lead: change.lead,
        moves: change
            .moves
            .iter()
            .map(|step| MovePart { from: class(step.from), to: class(step.to), share: step.amount })
            .collect(),
        classes,
    }
}

fn flagged(
    explainer: &Explainer<'_>,
    row: usize,
    lead: Option<&Explanation>,
    without: Option<usize>,
) -> FlaggedPart {
    let data = explainer.data;
    let sum = |lead: &Explanation| explainer.flagged.iter().map(|flag| lead.contributions[flag.class]).sum();
    FlaggedPart {
        listed: explainer.flagged.len(),
        classes: explainer
            .flagged
            .iter()
            .filter(|flag| data.shares[[row, flag.class]] > 0.0)
            .map(|flag| FlaggedClass {
                class: data.panel.classes[flag.class].clone(),
                flag: flag.role.name().to_owned(),
                reason: flag.reason.clone(),
                share: data.shares[[row, flag.class]],
            })
            .collect(),
        contribution: lead.map(sum),
        segment_without: without.map(|k| data.targets.traits[k].clone()),
    }
}

fn periods(
    explainer: &Explainer<'_>,
    row: usize,
    segment: usize,
    runner_up: usize,
) -> Result<Vec<PeriodPart>> {
    let data = explainer.data;
    let trajectory = data.states.slice(s![row, .., ..]);
    let mut parts = Vec::new();
    for (t, (state, period)) in trajectory.rows().into_iter().zip(&data.panel.periods).enumerate() {
        let outputs = data.weights.output.dot(&state) + &data.weights.output_bias;
        let step = |t: usize| match t {
            0 => trajectory.row(0).to_owned(),
            _ => &trajectory.row(t) - &trajectory.row(t - 1),
        };
        parts.push(PeriodPart {
            start: period.start.to_string(),
            end: period.end.to_string(),
            total_minor: data.panel.totals[[row, t]],
            observed: data.panel.observed[[row, t]],
            segment: data.targets.traits[winner(&outputs)?.segment].clone(),
            lead: outputs[segment] - outputs[runner_up],
            turn_degrees: (t > 0).then(|| degrees_between(&step(t), &step(t - 1))),
        });
    }
    Ok(parts)
}

fn shifts(explainer: &Explainer<'_>, row: usize, coefficients: &Array1<f64>) -> Vec<ShiftPart> {
    let data = explainer.data;
    let shares = data.panel.shares.slice(s![row, .., ..]).mapv(f64::from);
    let last = shares.nrows().saturating_sub(1);
    if last == 0 {
        return Vec::new();
    }
    let mut parts: Vec<ShiftPart> = (0..shares.ncols())
        .map(|c| {
            let (first, last) = (shares[[0, c]], shares[[last, c]]);
            ShiftPart {
                class: data.panel.classes[c].clone(),
                first,
                last,
                effect: coefficients[c] * (last - first),
            }
        })
        .collect();
    // Stable: equal effects stay in the order of classes.
    parts.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
    parts.truncate(SHIFTS);
    parts
}

fn made_from(run: &RunFolder, trained: &RunFolder) -> Result<MadeFrom> {
    let (mut tables, mut seeds) = (BTreeMap::new(), BTreeMap::new());
    let ledger = run.has(File::Ledger)?.then_some(File::Ledger);
    for file in INPUTS.into_iter().chain([File::Segments]).chain(ledger) {
        let (path, _) = if file == File::Model { trained.need(file)? } else { run.need(file)? };
        let reader = TableReader::open(&path, file.table())?;
        tables.insert(file.name().to_owned(), reader.digest().to_string());
        let provenance = reader.provenance();
        let study = provenance.parameters.get("study_seed").and_then(serde_json::Value::as_u64);
        let named = match file {
            // A synthetic ledger was drawn from a seed; a real one has none.
            File::Ledger => vec![("data", provenance.seed)],
            File::Model => {
                vec![("initial weights", provenance.seed), ("split and the minibatch order", study)]
            }
            File::Segments => vec![("clusters", provenance.seed)],
            _ => Vec::new(),
        };
        seeds.extend(named.into_iter().filter_map(|(what, seed)| Some((what.to_owned(), seed?))));
    }
    Ok(MadeFrom {
        program: concat!("spendscape ", env!("CARGO_PKG_VERSION")).to_owned(),
        program_digest: Digest::of_file(&std::env::current_exe()?)?.to_string(),
        tables,
        seeds,
    })
}
