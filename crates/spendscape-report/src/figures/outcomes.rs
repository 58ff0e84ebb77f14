//! ROC, calibration and lift of an outcome's held-out scores.

use std::{collections::BTreeMap, path::Path};

use spendscape_schema::tables::OutcomeCurves;

use super::{Drawing, Drawn, FigureInfo, write};
use crate::{
    Error,
    draw::{
        axis::{Range, extent, round_step},
        furniture::{self, Entry, Key, SIDE, WIDTH},
        palette::{Dash, FRAME, Look, SOLID, look},
        plane::{Plane, Rect},
        scene::{Point, Scene, Shape, Stroke, simplify},
    },
    run::optional,
};

const ID: &str = "outcome";
const TITLE: &str = "Outcome: ROC, calibration and lift of held-out scores";
const FILE: &str = "outcome_curves";
/// The panels: curve, heading, and labels of the axes.
const PANELS: [(&str, &str, &str, &str); 3] = [
    ("roc", "ROC", "false positive rate", "true positive rate"),
    ("calibration", "Calibration", "mean score", "share of positives"),
    ("lift", "Lift", "decile by falling score", "share of positives / overall"),
];
/// The learner of scores that came with the labels.
const NO_LEARNER: &str = "none";
/// Learners by dash; a third one and more share the last.
const DASHES: [Dash; 3] = [SOLID, &[6.0, 3.0], &[2.0, 2.5]];
/// A curve may lose what no eye sees: a third of a pixel.
const TOLERANCE: f64 = 0.3;
const MARK_RADIUS: f64 = 2.6;
const LINE: f64 = 1.6;

/// One line of a panel.
#[derive(Debug)]
struct Curve {
    set: usize,
    learner: usize,
    points: Vec<Point>,
}

/// Draws the curves of the run folder's outcome into `out`, as SVG and PNG; skipped where there are none.
///
/// ```
/// use spendscape_report::{Outcome, outcome_figure};
/// use spendscape_schema::{Axes, Tabular, tables::{OutcomeCurveRow, OutcomeCurves}};
/// use spendscape_store::{Provenance, write_table};
///
/// let row = |x: f64, y: f64| {
///     let [set, learner, curve] = ["trajectory", "linear", "roc"].map(str::to_owned);
///     OutcomeCurveRow { set, learner, curve, x, y, low: None, high: None }
/// };
/// let curves = OutcomeCurves::from_rows([row(0.0, 0.0), row(0.1, 0.6), row(1.0, 1.0)])?.to_batch(&Axes::new())?;
/// let run = tempfile::tempdir()?;
/// let path = run.path().join("outcome_curves.parquet");
/// write_table(&path, OutcomeCurves::TABLE, &curves, Provenance::new("outcomes"))?;
/// let drawn = outcome_figure(run.path(), &run.path().join("figures"))?.outcome;
/// // Two of three curves are not in the table.
/// assert!(matches!(drawn, Outcome::Drawn { svg, omitted, .. } if svg.exists() && omitted.len() == 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::NoRun`] if there is no run folder, [`Error::Store`] for a table that cannot be read or a file that cannot be
/// written, [`Error::NotFinite`] for a point that is nowhere.
pub fn outcome_figure(run: &Path, out: &Path) -> Result<FigureInfo, Error> {
    if !run.is_dir() {
        return Err(Error::NoRun { path: run.to_owned() });
    }
    let drawn = draw(run)?;
    write(ID, TITLE, drawn, out)
}

fn draw(folder: &Path) -> Result<Drawn, Error> {
    let (table, stored) = match optional::<OutcomeCurves>(folder, FILE)? {
        Ok(found) => found,
        Err(missing) => return Ok(Err(missing.reason())),
    };
    for (column, values) in [("x", &table.x), ("y", &table.y)] {
        if let Some(row) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { path: folder.join(format!("{FILE}.parquet")), column, row });
        }
    }
    let (set_names, learner_names) = (distinct(&table.set), distinct(&table.learner));
    let position =
        |names: &[String], name: &String| names.iter().position(|known| known == name).unwrap_or(0);
    let mut panels: BTreeMap<String, Vec<Curve>> = BTreeMap::new();
    for row in table.into_rows() {
        let (set, learner) = (position(&set_names, &row.set), position(&learner_names, &row.learner));
        let lines = panels.entry(row.curve).or_default();
        match lines.iter_mut().find(|line| line.set == set && line.learner == learner) {
            Some(line) => line.points.push([row.x, row.y]),
            None => lines.push(Curve { set, learner, points: vec![[row.x, row.y]] }),
        }
    }

    let mut scene = Scene::new(WIDTH, TITLE);
    let caption = "Scores of customers that were held out of everything that was fitted; a color per feature set, a dash \
                   per learner. Gray: scores that tell nothing (ROC, lift), or probabilities that are exactly true \
                   (calibration, ten bins of equally many customers).";
    let y = furniture::header(&mut scene, caption);
    let mut entries = Vec::new();
    for (set, name) in set_names.iter().enumerate() {
        let Look { color, .. } = look(set);
        let mut of: Vec<usize> =
            panels.values().flatten().filter(|line| line.set == set).map(|line| line.learner).collect();
        of.sort_unstable();
        of.dedup();
        for learner in of {
            let label = match learner_names[learner].as_str() {
                NO_LEARNER => name.clone(),
                learner => format!("{name}, {learner}"),
            };
            entries.push(Entry::new(Key::Line(color, LINE, dash(learner)), label));
        }
    }
    let y = furniture::legend(&mut scene, y, &entries) + 10.0;

    let side = (WIDTH - 2.0 * SIDE) / PANELS.len() as f64;
    let mut omitted = Vec::new();
    for (at, (name, heading, x_label, y_label)) in PANELS.into_iter().enumerate() {
        let Some(lines) = panels.get(name) else {
            omitted.push(format!("{heading}: {FILE}.parquet has no such curve"));
            continue;
        };
        let left = SIDE + at as f64 * side;
        furniture::heading(&mut scene, [left + 58.0, y + 8.0], heading, side - 70.0);
        let room = Rect { x: left, y: y + 20.0, width: side - 14.0, height: side };
        let (range_x, range_y, reference) = ranges(name, lines);
        let plane = Plane::new(room, range_x, range_y, false);
        plane.draw(&mut scene, x_label, y_label);
        let line = reference.into_iter().map(|point| plane.project(point)).collect();
        scene.line("reference", line, Stroke::new(FRAME, 1.2).dashed(DASHES[1]));
        for curve in lines {
            let Look { color, mark, .. } = look(curve.set);
            let path: Vec<Point> = curve.points.iter().map(|point| plane.project(*point)).collect();
            let stroke = Stroke::new(color, LINE).dashed(dash(curve.learner));
            let label = &set_names[curve.set];
            if name != "roc" {
                let dots = Shape::Dots { points: path.clone(), radius: MARK_RADIUS, color, mark };
                scene.push_trait("outcome", label, dots);
            }
            scene.push_trait("outcome", label, Shape::Line { points: simplify(&path, TOLERANCE), stroke });
        }
    }
    let digest = stored.digest.to_string();
    let digest = digest.get(..12).unwrap_or(&digest);
    let seed = stored.provenance.seed.map(|seed| format!("  \u{B7}  seed: {seed}")).unwrap_or_default();
    let target = stored.provenance.parameters.get("target").and_then(|target| target.as_str());
    let target = target.map(|target| format!("outcome: {target}  \u{B7}  ")).unwrap_or_default();
    let footer = format!("{target}{FILE} {digest}{seed}  \u{B7}  {}", stored.provenance.program);
    furniture::footer(&mut scene, y + side + 34.0, &footer);
    Ok(Ok(Drawing { scene, omitted }))
}

fn dash(learner: usize) -> Dash {
    DASHES[learner.min(DASHES.len() - 1)]
}

/// The names in the order in which they come.
fn distinct(names: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        if !found.contains(name) {
            found.push(name.clone());
        }
    }
    found
}

/// Ranges of a panel, and the line that says nothing or everything.
fn ranges(curve: &str, lines: &[Curve]) -> (Range, Range, [Point; 2]) {
    let values = |k: usize| lines.iter().flat_map(move |line| line.points.iter().map(move |point| point[k]));
    match curve {
        "calibration" => {
            let high = extent(values(0).chain(values(1))).1.clamp(0.05, 1.0);
            let range = Range::new(0.0, 1.02 * high, round_step(high / 5.0));
            (range.clone(), range, [[0.0, 0.0], [high, high]])
        }
        "lift" => {
            let last = extent(values(0)).1;
            let high = extent(values(1)).1.max(1.0);
            let up = Range::new(0.0, 1.05 * high, round_step(high / 5.0));
            (Range::new(0.5, last + 0.5, 1.0), up, [[0.5, 1.0], [last + 0.5, 1.0]])
        }
        _ => (Range::new(0.0, 1.0, 0.2), Range::new(0.0, 1.0, 0.2), [[0.0, 0.0], [1.0, 1.0]]),
    }
}
