//! How well next goals are predicted: beside other models, by length of history, and which goals are taken for which.

use std::path::Path;

use spendscape_schema::tables::{GoalConfusion, GoalConfusionRow, GoalMeasureRow, GoalMeasures};

use super::{Drawing, Drawn, FigureInfo, write};
use crate::{
    Error,
    draw::{
        axis::{Range, extent, round_step},
        furniture::{self, Entry, Key, SIDE, WIDTH},
        palette::{Color, FRAME, GRID, INK, Look, MUTED, SOLID, WHITE, look},
        scene::{Anchor, Point, Scene, Shape, Stroke, Text},
        text,
    },
    run::optional,
};

const ID: &str = "goals";
const TITLE: &str = "Goals: how well the next one is predicted";
const MEASURES: &str = "goal_measures";
const CONFUSION: &str = "goal_confusion";
/// Measures with their headings; which way is better stands in them.
const PANELS: [(&str, &str); 3] = [
    ("accuracy", "Accuracy (more is better)"),
    ("macro_f1", "Macro F1 (more is better)"),
    ("log_loss", "Log-loss in nats (less is better)"),
];
/// Models from the one that is drawn in the strongest color to the one in the weakest.
const ORDER: [&str; 8] = [
    "lstm",
    "best_possible",
    "boosted",
    "markov_2",
    "markov_1",
    "majority",
    "repeat_last_smoothed",
    "repeat_last",
];
/// A model that is certain and fails has a log-loss off every scale.
const WORST_LOG_LOSS: f64 = 6.0;
/// Goals that a matrix can show.
const MOST_GOALS: usize = 16;
/// Darkest cell of the matrix.
const DARK: Color = Color(0x00, 0x72, 0xB2);
const ROW: f64 = 24.0;
const SIZE: f64 = 12.0;

/// Draws what `goals train` measured in the run folder into `out`, as SVG and PNG; skipped where there is nothing.
///
/// ```
/// use spendscape_report::{Outcome, goal_figure};
/// use spendscape_schema::{Axes, Tabular, tables::{GoalMeasureRow, GoalMeasures}};
/// use spendscape_store::{Provenance, write_table};
///
/// let row = |model: &str, value: f64| GoalMeasureRow {
///     model: model.to_owned(),
///     history: "all".to_owned(),
///     goal: None,
///     measure: "accuracy".to_owned(),
///     groups: 100,
///     value,
///     low: value - 0.1,
///     high: value + 0.1,
/// };
/// let measures = GoalMeasures::from_rows([row("lstm", 0.6), row("markov_1", 0.5)])?.to_batch(&Axes::new())?;
/// let run = tempfile::tempdir()?;
/// let path = run.path().join("goal_measures.parquet");
/// write_table(&path, GoalMeasures::TABLE, &measures, Provenance::new("goals train"))?;
/// let drawn = goal_figure(run.path(), &run.path().join("figures"))?.outcome;
/// assert!(matches!(drawn, Outcome::Drawn { svg, .. } if svg.exists()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::NoRun`] if there is no run folder, [`Error::Store`] for a table that cannot be read or a file that cannot be
/// written.
pub fn goal_figure(run: &Path, out: &Path) -> Result<FigureInfo, Error> {
    if !run.is_dir() {
        return Err(Error::NoRun { path: run.to_owned() });
    }
    let drawn = draw(run)?;
    write(ID, TITLE, drawn, out)
}

fn draw(folder: &Path) -> Result<Drawn, Error> {
    let (table, stored) = match optional::<GoalMeasures>(folder, MEASURES)? {
        Ok(found) => found,
        Err(missing) => return Ok(Err(missing.reason())),
    };
    let rows = overall(table);
    let mut models: Vec<&str> = rows.iter().map(|row| row.model.as_str()).collect();
    models
        .sort_by_key(|model| (ORDER.iter().position(|known| known == model).unwrap_or(ORDER.len()), *model));
    models.dedup();
    let mut scene = Scene::new(WIDTH, TITLE);
    let caption = "Groups of transactions that nothing was fitted on; lines are 95 % intervals over customers. Below, left: by the \
                   number of groups known before. Right: of the groups with a goal (row) the share that each goal (column) \
                   was the most probable one for.";
    let y = furniture::header(&mut scene, caption);
    let entries: Vec<Entry> = models
        .iter()
        .enumerate()
        .map(|(at, model)| {
            let Look { color, mark, .. } = look(at);
            Entry::new(Key::Dot(color, mark), name(model))
        })
        .collect();
    let y = furniture::legend(&mut scene, y, &entries) + 16.0;
    let side = (WIDTH - 2.0 * SIDE) / PANELS.len() as f64;
    for (at, (measure, heading)) in PANELS.into_iter().enumerate() {
        let left = SIDE + at as f64 * side;
        let label = if at == 0 { 150.0 } else { 24.0 };
        furniture::heading(&mut scene, [left + label, y], heading, side - label);
        let room = (left + label, y + 12.0, side - label - 20.0);
        beside(&mut scene, room, &models, &rows, measure, at == 0);
    }
    let y = y + 12.0 + models.len() as f64 * ROW + 62.0;
    let half = 0.5 * (WIDTH - 2.0 * SIDE);
    furniture::heading(&mut scene, [SIDE + 50.0, y], "Accuracy by length of history", half - 60.0);
    by_history(&mut scene, (SIDE + 50.0, y + 12.0, half - 90.0, half * 0.62), &models, &rows);
    let mut omitted = Vec::new();
    match optional::<GoalConfusion>(folder, CONFUSION)? {
        Ok((confusion, _)) => {
            let cells: Vec<GoalConfusionRow> = confusion.into_rows().collect();
            let of = matrix(&mut scene, (SIDE + half + 110.0, y + 12.0, half * 0.62), &cells);
            let some = if of > MOST_GOALS { format!("; {MOST_GOALS} of {of}") } else { String::new() };
            let heading = format!("Goals taken for others (% of a row{some})");
            furniture::heading(&mut scene, [SIDE + half + 110.0, y], &heading, half - 120.0);
        }
        Err(missing) => omitted.push(format!("goals taken for others: {}", missing.reason())),
    }
    let y = y + half * 0.62 + 100.0;
    let digest = stored.digest.to_string();
    let digest = digest.get(..12).unwrap_or(&digest);
    let seed = stored.provenance.seed.map(|seed| format!("  \u{B7}  seed: {seed}")).unwrap_or_default();
    furniture::footer(
        &mut scene,
        y,
        &format!("{MEASURES} {digest}{seed}  \u{B7}  {}", stored.provenance.program),
    );
    Ok(Ok(Drawing { scene, omitted }))
}

/// The measures of all goals that have a value.
fn overall(table: GoalMeasures) -> Vec<GoalMeasureRow> {
    // An interval that no sample had a value for is none, and the value stands alone.
    let whole = |mut row: GoalMeasureRow| {
        if !(row.low.is_finite() && row.high.is_finite()) {
            (row.low, row.high) = (row.value, row.value);
        }
        row
    };
    table.into_rows().filter(|row| row.goal.is_none() && row.value.is_finite()).map(whole).collect()
}

/// A model's name for people.
fn name(model: &str) -> String {
    match model {
        "lstm" => "LSTM".to_owned(),
        "best_possible" => "best possible".to_owned(),
        "majority" => "most frequent goal".to_owned(),
        "repeat_last" => "last goal again".to_owned(),
        "repeat_last_smoothed" => "last goal, smoothed".to_owned(),
        "markov_1" => "Markov, order 1".to_owned(),
        "markov_2" => "Markov, order 2".to_owned(),
        "boosted" => "boosted trees".to_owned(),
        other => other.to_owned(),
    }
}

/// One measure of every model, models below one another.
fn beside(
    scene: &mut Scene,
    (left, top, width): (f64, f64, f64),
    models: &[&str],
    rows: &[GoalMeasureRow],
    measure: &str,
    named: bool,
) {
    let own: Vec<&GoalMeasureRow> =
        rows.iter().filter(|row| row.measure == measure && row.history == "all").collect();
    let limit = if measure == "log_loss" { WORST_LOG_LOSS } else { 1.0 };
    let high = extent(own.iter().map(|row| row.high.min(limit))).1.max(0.05);
    let range = Range::new(0.0, 1.03 * high, round_step(high / 5.0));
    let height = models.len() as f64 * ROW;
    let across = |value: f64| left + (value.min(1.03 * high) - range.low) / range.length() * width;
    frame(scene, (left, top, width, height), &range, &across);
    for (at, model) in models.iter().enumerate() {
        let y = top + (at as f64 + 0.5) * ROW;
        if named {
            let label = text::shorten(&name(model), SIZE, false, 142.0);
            scene.text("axes", Text::new([left - 8.0, y + 4.0], label, SIZE, INK).anchor(Anchor::End));
        }
        let Some(row) = own.iter().find(|row| row.model == *model) else { continue };
        let Look { color, mark, .. } = look(at);
        if row.value > 1.03 * high {
            let note = format!("{:.1}, off the scale", row.value);
            let place = [left + width - 6.0, y + 4.0];
            scene.text("axes", Text::new(place, note, SIZE, MUTED).anchor(Anchor::End));
            continue;
        }
        scene.line("interval", vec![[across(row.low), y], [across(row.high), y]], Stroke::new(color, 2.0));
        scene.push_trait(
            "goals",
            model,
            Shape::Dots { points: vec![[across(row.value), y]], radius: 4.2, color, mark },
        );
    }
}

/// Frame, grid and ticks of a panel whose rows are names.
fn frame(
    scene: &mut Scene,
    (left, top, width, height): (f64, f64, f64, f64),
    range: &Range,
    across: &impl Fn(f64) -> f64,
) {
    let (right, bottom) = (left + width, top + height);
    let corners = vec![[left, top], [right, top], [right, bottom], [left, bottom], [left, top]];
    scene.push("axes", Shape::Area { points: corners[..4].to_vec(), fill: WHITE });
    for (value, label) in range.ticks() {
        let x = across(value);
        scene.line("axes", vec![[x, top], [x, bottom]], Stroke::new(GRID, 0.8));
        scene.text("axes", Text::new([x, bottom + 15.0], label, 11.0, MUTED).anchor(Anchor::Middle));
    }
    scene.line("axes", corners, Stroke::new(FRAME, 1.0));
}

/// Accuracy of every model by how many groups are known.
fn by_history(
    scene: &mut Scene,
    (left, top, width, height): (f64, f64, f64, f64),
    models: &[&str],
    rows: &[GoalMeasureRow],
) {
    let own: Vec<&GoalMeasureRow> =
        rows.iter().filter(|row| row.measure == "accuracy" && row.history != "all").collect();
    let mut bins: Vec<&str> = own.iter().map(|row| row.history.as_str()).collect();
    bins.sort_by_key(|bin| {
        let digits: String = bin.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().unwrap_or(0)
    });
    bins.dedup();
    let high = extent(own.iter().map(|row| row.high)).1.clamp(0.05, 1.0);
    let range = Range::new(0.0, 1.03 * high, round_step(high / 5.0));
    let (right, bottom) = (left + width, top + height);
    let up = |value: f64| bottom - (value - range.low) / range.length() * height;
    let across = |bin: usize| left + (bin as f64 + 0.5) / bins.len().max(1) as f64 * width;
    let corners = vec![[left, top], [right, top], [right, bottom], [left, bottom], [left, top]];
    scene.push("axes", Shape::Area { points: corners[..4].to_vec(), fill: WHITE });
    for (value, label) in range.ticks() {
        scene.line("axes", vec![[left, up(value)], [right, up(value)]], Stroke::new(GRID, 0.8));
        scene.text("axes", Text::new([left - 6.0, up(value) + 4.0], label, 11.0, MUTED).anchor(Anchor::End));
    }
    scene.line("axes", corners, Stroke::new(FRAME, 1.0));
    for (at, bin) in bins.iter().enumerate() {
        let place = [across(at), bottom + 15.0];
        scene.text("axes", Text::new(place, *bin, 11.0, MUTED).anchor(Anchor::Middle));
    }
    let below = [left + 0.5 * width, bottom + 34.0];
    scene.text("axes", Text::new(below, "groups known before", SIZE, INK).anchor(Anchor::Middle));
    let beside = [left - 40.0, top + 0.5 * height];
    scene.text("axes", Text::new(beside, "accuracy", SIZE, INK).anchor(Anchor::Middle).upward());
    for (at, model) in models.iter().enumerate() {
        let Look { color, mark, dash } = look(at);
        // Models stand a little beside one another, so that intervals can be seen.
        let shift = (at as f64 - 0.5 * (models.len() as f64 - 1.0)) * 3.0;
        let place = |bin: usize, value: f64| [across(bin) + shift, up(value)];
        let mut path: Vec<Point> = Vec::new();
        for (bin, of) in bins.iter().enumerate() {
            let Some(row) = own.iter().find(|row| row.model == *model && row.history == *of) else {
                continue;
            };
            scene.line(
                "interval",
                vec![place(bin, row.low), place(bin, row.high)],
                Stroke::new(color, 1.4).dashed(SOLID),
            );
            path.push(place(bin, row.value));
        }
        let dots = Shape::Dots { points: path.clone(), radius: 3.2, color, mark };
        scene.push_trait(
            "goals",
            model,
            Shape::Line { points: path, stroke: Stroke::new(color, 1.4).dashed(dash) },
        );
        scene.push_trait("goals", model, dots);
    }
}

/// The confusion matrix of the goals that come most often; how many goals there are.
fn matrix(scene: &mut Scene, (left, top, side): (f64, f64, f64), cells: &[GoalConfusionRow]) -> usize {
    let mut support: Vec<(i64, &str)> = Vec::new();
    for cell in cells {
        match support.iter_mut().find(|(_, goal)| *goal == cell.goal) {
            Some((groups, _)) => *groups += cell.groups,
            None => support.push((cell.groups, &cell.goal)),
        }
    }
    support.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let of = support.len();
    support.truncate(MOST_GOALS);
    let goals: Vec<&str> = support.into_iter().map(|(_, goal)| goal).collect();
    let cell_side = side / goals.len().max(1) as f64;
    let place = |goal: &str| goals.iter().position(|known| *known == goal);
    for (at, goal) in goals.iter().enumerate() {
        let middle = (at as f64 + 0.5) * cell_side;
        let row = text::shorten(goal, 11.0, false, 98.0);
        scene.text("axes", Text::new([left - 6.0, top + middle + 4.0], row, 11.0, INK).anchor(Anchor::End));
        let column = text::shorten(goal, 11.0, false, 70.0);
        let below = [left + middle + 4.0, top + side + 6.0 + 0.5 * text::width(&column, 11.0, false)];
        scene.text("axes", Text::new(below, column, 11.0, INK).anchor(Anchor::Middle).upward());
    }
    for cell in cells {
        let (Some(row), Some(column)) = (place(&cell.goal), place(&cell.predicted)) else { continue };
        let (x, y) = (left + column as f64 * cell_side, top + row as f64 * cell_side);
        let points = vec![[x, y], [x + cell_side, y], [x + cell_side, y + cell_side], [x, y + cell_side]];
        scene.push("matrix", Shape::Area { points, fill: DARK.tint(1.0 - cell.share.clamp(0.0, 1.0)) });
        if cell_side >= 22.0 && cell.share >= 0.005 {
            let color = if cell.share > 0.55 { WHITE } else { INK };
            let label = format!("{:.0}", 100.0 * cell.share);
            let middle = [x + 0.5 * cell_side, y + 0.5 * cell_side + 4.0];
            scene.text("matrix", Text::new(middle, label, 10.5, color).anchor(Anchor::Middle));
        }
    }
    let corners =
        vec![[left, top], [left + side, top], [left + side, top + side], [left, top + side], [left, top]];
    scene.line("axes", corners, Stroke::new(FRAME, 1.0));
    of
}
