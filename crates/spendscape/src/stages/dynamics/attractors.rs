//! Attractors of the trait groups: as P3 draws them, labeled through the output layer, and judged by the dynamics.

use anyhow::Result;
use ndarray::{Array1, Array2, Axis as Dimension};
use spendscape_dynamics::{
    CurveFit, GroupAttractors, GroupVerdict, Label, PointClusters, Population, Verdicts, fit_attractors,
    judge_group, label_points,
};
use spendscape_schema::{Axes, arrays, seed};
use spendscape_segments::dominant;

use crate::{
    model::Weights,
    run_folder::{File, Stage},
    stages::train::StoredTargets,
};

/// Points along a fitted curve that are written for figures.
const CURVE_SAMPLES: usize = 60;
/// A cluster that adds less than this share of held-out variance is not worth another point.
const POINT_GAIN: f64 = 0.02;

/// The customers by dominant trait.
#[derive(Debug)]
pub(super) struct Groups<'a> {
    pub(super) targets: &'a StoredTargets,
    pub(super) population: &'a Population,
    /// Predicted final locations L from raw grades, N x M.
    pub(super) locations: &'a Array2<f64>,
}

/// A group's verdict in words.
fn verdict_name(verdict: GroupVerdict) -> String {
    match verdict {
        GroupVerdict::LineAttractor => "line attractor".to_owned(),
        GroupVerdict::Marginal => "marginal".to_owned(),
        GroupVerdict::SlowManifold => "slow manifold".to_owned(),
        GroupVerdict::Points { count: 1 } => "one point".to_owned(),
        GroupVerdict::Points { count } => format!("{count} points"),
        GroupVerdict::InputDrivenLocus => "input-driven locus".to_owned(),
        GroupVerdict::Undecided => "undecided".to_owned(),
    }
}

/// Why a curve is refused; empty for a fair one.
fn refusal(fit: CurveFit) -> &'static str {
    match fit {
        CurveFit::Accepted => "",
        CurveFit::TooLittle => "explains too little",
        CurveFit::TwoBranches => "two branches",
    }
}

/// The counts behind a verdict, for the provenance.
fn evidence(verdicts: &Verdicts) -> serde_json::Value {
    serde_json::json!({
        "members": verdicts.members, "lines": verdicts.lines, "marginal": verdicts.marginal, "slow": verdicts.slow,
        "points": verdicts.points, "undecided": verdicts.undecided, "spread": verdicts.spread,
    })
}

/// One row of the table.
#[derive(Debug)]
struct Row {
    group: usize,
    shape: &'static str,
    index: usize,
    state: Array1<f64>,
    explained: f64,
    refused: &'static str,
    drawn: bool,
    members: usize,
    label: Option<Label>,
    verdict: String,
}

/// The fewest points after which another one adds little.
fn enough(fitted: &GroupAttractors) -> &PointClusters {
    let gain = |k: &usize| fitted.points[*k].explained - fitted.points[*k - 1].explained;
    let enough = (1..fitted.points.len()).find(|k| gain(k) < POINT_GAIN);
    &fitted.points[enough.unwrap_or(fitted.points.len()) - 1]
}

/// Fits the attractors of each group of customers with the same dominant trait, as P3 draws them, and judges the group.
pub(super) fn write(
    stage: &mut Stage<'_>,
    axes: &Axes,
    groups: &Groups<'_>,
    weights: &Weights,
    horizon: usize,
) -> Result<()> {
    let owner = dominant(&groups.targets.grades)?;
    let ends = groups.population.end_hidden();
    let mut rows: Vec<Row> = Vec::new();
    for (group, name) in groups.targets.traits.iter().enumerate() {
        let members: Vec<usize> = (0..owner.len()).filter(|row| owner[*row] == group).collect();
        let own = ends.select(Dimension(0), &members);
        let mut rng = seed::stream(1, "attractors", group as u64);
        let fitted = match fit_attractors(&own, &mut rng) {
            Ok(fitted) => fitted,
            Err(spendscape_dynamics::Error::TooFew { .. }) => {
                tracing::warn!(
                    trait_name = name,
                    customers = members.len(),
                    "too few customers to fit attractors"
                );
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let verdicts = judge_group(groups.population, &members, horizon as f64);
        stage.note(&format!("evidence.{name}"), evidence(&verdicts));
        let verdict = verdict_name(verdicts.verdict);
        let clusters = enough(&fitted);
        let fair = |curve: &&spendscape_dynamics::Curve| curve.fit == CurveFit::Accepted;
        let as_line =
            fitted.curve.as_ref().filter(fair).is_some_and(|curve| curve.explained > clusters.explained);
        if let Some(curve) = &fitted.curve {
            rows.extend((0..CURVE_SAMPLES).map(|index| {
                let share = index as f64 / (CURVE_SAMPLES - 1) as f64;
                let at = curve.range.0 + share * (curve.range.1 - curve.range.0);
                Row {
                    group,
                    shape: "line",
                    index,
                    state: curve.at(at),
                    explained: curve.explained,
                    refused: refusal(curve.fit),
                    drawn: as_line,
                    members: members.len(),
                    label: None,
                    verdict: verdict.clone(),
                }
            }));
        }
        let predicted = groups.locations.select(Dimension(0), &members);
        let labels =
            label_points(&clusters.centers, &own, &predicted, &weights.output, &weights.output_bias)?;
        for (index, (center, label)) in clusters.centers.rows().into_iter().zip(labels).enumerate() {
            rows.push(Row {
                group,
                shape: "point",
                index,
                state: center.to_owned(),
                explained: clusters.explained,
                refused: "",
                drawn: !as_line,
                members: label.members,
                label: Some(label),
                verdict: verdict.clone(),
            });
        }
    }
    let states = Array2::from_shape_fn((rows.len(), ends.ncols()), |(row, unit)| rows[row].state[unit]);
    let outputs = states.dot(&weights.output.t()) + &weights.output_bias;
    let traits = &groups.targets.traits;
    let label =
        |f: &dyn Fn(&Label) -> f64| arrays::optional_float(rows.iter().map(|row| row.label.as_ref().map(f)));
    let columns = vec![
        arrays::category(rows.iter().map(|row| &traits[row.group])),
        arrays::category(rows.iter().map(|row| row.shape)),
        arrays::index(rows.iter().map(|row| row.index as u16)),
        arrays::vectors64(states.view())?,
        arrays::vectors64(outputs.view())?,
        arrays::float(rows.iter().map(|row| row.explained)),
        arrays::category(rows.iter().map(|row| row.refused)),
        arrays::flag(rows.iter().map(|row| row.drawn)),
        arrays::integer(rows.iter().map(|row| row.members as i64)),
        arrays::category(
            rows.iter().map(|row| row.label.as_ref().map_or("", |label| traits[label.dominant].as_str())),
        ),
        label(&|label| label.output[label.dominant]),
        label(&|label| label.half_width[label.dominant]),
        arrays::flag(rows.iter().map(|row| row.label.as_ref().is_some_and(|label| label.clear))),
        label(&|label| label.distance_of_prediction),
        arrays::category(rows.iter().map(|row| &row.verdict)),
    ];
    stage.write(File::Attractors, axes, columns)
}
