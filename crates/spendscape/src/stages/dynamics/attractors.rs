//! Attractors of the trait groups: the shapes that they have and those that P3 prints, labeled through the output
//! layer, and judged by the dynamics.

use anyhow::Result;
use ndarray::{Array1, Array2, ArrayView1, Axis as Dimension};
use spendscape_dynamics::{
    attractors::{
        Curve, CurveFit, GroupAttractors, GroupVerdict, Label, PointClusters, Shape, Verdicts,
        fit_attractors, judge_group, label_points, spread,
    },
    population::Population,
};
use spendscape_run::{Notes, StoredTargets, Weights};
use spendscape_schema::{
    seed,
    tables::{AttractorRow, Attractors, words},
};
use spendscape_segments::directions::dominant;
use spendscape_stats::BadInput;

/// Points along a fitted curve that are written for figures.
const CURVE_SAMPLES: usize = 60;

/// The customers by dominant trait.
#[derive(Debug)]
pub(super) struct Groups<'a> {
    pub(super) targets: &'a StoredTargets,
    pub(super) population: &'a Population,
    /// Predicted final locations L of equation 3, N x M.
    pub(super) locations: &'a Array2<f64>,
}

/// A group's verdict in words.
fn verdict_name(verdict: GroupVerdict) -> String {
    match verdict {
        GroupVerdict::LineAttractor => words::LINE_ATTRACTOR.to_owned(),
        GroupVerdict::Marginal => "marginal".to_owned(),
        GroupVerdict::SlowManifold => words::SLOW_MANIFOLD.to_owned(),
        GroupVerdict::Points { count: 1 } => "one point".to_owned(),
        GroupVerdict::Points { count } => format!("{count} points"),
        GroupVerdict::InputDrivenLocus => words::INPUT_DRIVEN_LOCUS.to_owned(),
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
    compactness: f64,
    drawn: bool,
    members: usize,
    label: Option<Label>,
    verdict: String,
}

/// One group: its members' end states and predicted locations, n x M, and what is said of it.
struct Group<'a> {
    at: usize,
    ends: Array2<f64>,
    predicted: Array2<f64>,
    fitted: &'a GroupAttractors,
    /// Spread of all customers' end states.
    landscape: f64,
    weights: &'a Weights,
    verdict: String,
}

impl Group<'_> {
    /// Samples of a curve.
    fn line(&self, curve: &Curve, drawn: bool) -> Vec<Row> {
        let states = curve.samples(CURVE_SAMPLES);
        let compactness = self.fitted.compactness(curve.explained, self.landscape);
        let row = |(index, state): (usize, ArrayView1<'_, f64>)| Row {
            group: self.at,
            shape: words::LINE,
            index,
            state: state.to_owned(),
            explained: curve.explained,
            refused: refusal(curve.fit),
            compactness,
            drawn,
            members: self.ends.nrows(),
            label: None,
            verdict: self.verdict.clone(),
        };
        states.outer_iter().enumerate().map(row).collect()
    }

    /// The centers of a clustering.
    fn points(&self, clusters: &PointClusters, drawn: bool) -> Result<Vec<Row>> {
        let Weights { output, output_bias, .. } = self.weights;
        let labels = label_points(&clusters.centers, &self.ends, &self.predicted, output, output_bias)?;
        let compactness = self.fitted.compactness(clusters.explained, self.landscape);
        let rows = clusters.centers.rows().into_iter().zip(labels).enumerate();
        let row = |(index, (center, label)): (usize, (ArrayView1<'_, f64>, Label))| Row {
            group: self.at,
            shape: words::POINT,
            index,
            state: center.to_owned(),
            explained: clusters.explained,
            refused: "",
            compactness,
            drawn,
            members: label.members,
            label: Some(label),
            verdict: self.verdict.clone(),
        };
        // Ends in fewer places than there are centers leave some without members, and without anything to tell.
        Ok(rows.map(row).filter(|row| row.members > 0).collect())
    }
}

impl Groups<'_> {
    /// Fits the attractors of each group of customers with the same dominant trait, and judges the group. One table holds
    /// what points and a curve explain of the groups and which of them they have, another one the shapes that P3 prints, without
    /// rows for traits that it does not have.
    ///
    /// # Errors
    /// If the parts do not fit together.
    pub(super) fn tables(
        &self,
        weights: &Weights,
        horizon: usize,
        notes: &mut Notes,
    ) -> Result<[Attractors; 2]> {
        let owner = dominant(&self.targets.grades)?;
        let ends = self.population.end_hidden();
        let landscape = spread(&ends);
        let (mut best, mut as_printed) = (Vec::new(), Vec::new());
        for (at, name) in self.targets.traits.iter().enumerate() {
            let members: Vec<usize> = (0..owner.len()).filter(|row| owner[*row] == at).collect();
            let own = ends.select(Dimension(0), &members);
            let mut rng = seed::stream(1, "attractors", at as u64);
            let fitted = match fit_attractors(&own, &mut rng) {
                Ok(fitted) => fitted,
                Err(spendscape_dynamics::Error::Input(BadInput::TooFew { .. })) => {
                    tracing::warn!(
                        trait_name = name,
                        customers = members.len(),
                        "too few customers to fit attractors"
                    );
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if fitted.curve.is_none() && own.ncols() > 1 {
                tracing::info!(
                    trait_name = name,
                    "ends in fewer than three different places: points, and no curve"
                );
            }
            let verdicts = judge_group(self.population, &members, horizon as f64);
            notes.add(&format!("evidence.{name}"), evidence(&verdicts));
            let predicted = self.locations.select(Dimension(0), &members);
            let verdict = verdict_name(verdicts.verdict);
            let group = Group { at, ends: own, predicted, fitted: &fitted, landscape, weights, verdict };
            let shape = fitted.best(landscape);
            if let Some(curve) = &fitted.curve {
                best.extend(group.line(curve, matches!(shape, Some(Shape::Line(_)))));
            }
            best.extend(group.points(fitted.enough_points(), matches!(shape, Some(Shape::Points(_))))?);
            match fitted.as_printed(name) {
                Some(Shape::Line(curve)) => as_printed.extend(group.line(curve, true)),
                Some(Shape::Points(clusters)) => as_printed.extend(group.points(clusters, true)?),
                None => {}
            }
        }
        let traits = &self.targets.traits;
        Ok([table(&best, traits, weights)?, table(&as_printed, traits, weights)?])
    }
}

fn table(rows: &[Row], traits: &[String], weights: &Weights) -> Result<Attractors> {
    let units = weights.output.ncols();
    let states = Array2::from_shape_fn((rows.len(), units), |(row, unit)| rows[row].state[unit]);
    let outputs = states.dot(&weights.output.t()) + &weights.output_bias;
    let row = |(at, row): (usize, &Row)| {
        let label = row.label.as_ref();
        AttractorRow {
            r#trait: traits[row.group].clone(),
            shape: row.shape.to_owned(),
            index: row.index as u16,
            state: states.row(at).to_vec(),
            output: outputs.row(at).to_vec(),
            variance_explained: row.explained,
            refused: row.refused.to_owned(),
            compactness: row.compactness,
            drawn: row.drawn,
            members: row.members as i64,
            label: label.map_or_else(String::new, |label| traits[label.dominant].clone()),
            label_output: label.map(|label| label.output[label.dominant]),
            label_half_width: label.map(|label| label.half_width[label.dominant]),
            label_clear: label.is_some_and(|label| label.clear),
            label_distance: label.map(|label| label.distance_of_prediction),
            verdict: row.verdict.clone(),
        }
    };
    Ok(Attractors::from_rows(rows.iter().enumerate().map(row))?)
}
