//! Figure 5: reachable outputs, every pair of traits in a plane.

use super::{Context, Drawn, draw_dots};
use crate::{
    draw::{
        axis::{Range, extent, round_step},
        furniture::{self, Entry, Key, SIDE, WIDTH},
        palette::look,
        plane::{Plane, Rect},
        scene::{Point, Scene},
        text,
    },
    run::{Missing, largest},
    sample,
};

/// Panels at most: those of eight traits.
const PANELS: usize = 28;
/// Panels side by side.
const COLUMNS: usize = 5;
/// Dots of all panels together: each is small, and the dots of a regular grid fall together.
const DOTS: usize = 24_000;
const RADIUS: f64 = 1.2;
/// The same white for all traits: the dots are many and the panels small.
const WHITE: f64 = 0.0;

pub(super) fn draw(context: &Context<'_>, title: &str) -> Drawn {
    let run = context.run;
    let outputs = run.reach.as_ref().map_err(Missing::reason)?;
    let width = run.traits.len();
    let pairs: Vec<(usize, usize)> = (0..width).flat_map(|x| (x + 1..width).map(move |y| (x, y))).collect();
    if pairs.is_empty() {
        return Err("reach.parquet has one output: there is no pair to draw".to_owned());
    }
    let shown = pairs.len().min(PANELS);
    let limit = context.options.dots.min(DOTS / shown);
    let rows: Vec<usize> = (0..outputs.nrows()).collect();
    let rows = sample::by_label(&rows, limit, |row| row.to_le_bytes().to_vec());
    let groups: Vec<usize> = rows.iter().map(|row| largest(outputs.row(*row).iter().copied())).collect();

    let mut scene = Scene::new(WIDTH, title);
    let left_out = if shown < pairs.len() {
        format!(" The first {shown} of {} pairs are drawn.", pairs.len())
    } else {
        String::new()
    };
    let caption = format!(
        "Outputs (grades) of the network over the grid of states in [\u{2212}1, 1] per unit: {} of {} grid states, projected \
         onto each pair of traits and colored by the largest output there. All panels have the same axes.{left_out}",
        text::count(rows.len()),
        text::count(outputs.nrows())
    );
    let y = furniture::header(&mut scene, &caption);
    let entries: Vec<Entry> = run
        .traits
        .iter()
        .enumerate()
        .map(|(at, name)| Entry::new(Key::Dot(look(at).color, look(at).mark), format!("largest: {name}")))
        .collect();
    let y = furniture::legend(&mut scene, y, &entries);
    let (low, high) = extent(outputs.iter().copied());
    let reach = low.abs().max(high.abs()).max(f64::MIN_POSITIVE);
    let range = Range::new(-1.06 * reach, 1.06 * reach, round_step(reach / 2.0));

    let columns = shown.min(COLUMNS);
    let side = (WIDTH - 2.0 * SIDE) / COLUMNS as f64;
    for (at, (x, up)) in pairs.into_iter().take(shown).enumerate() {
        let (column, line) = ((at % columns) as f64, (at / columns) as f64);
        let room = Rect {
            x: SIDE - 10.0 + column * side,
            y: y + 10.0 + line * (side + 8.0),
            width: side,
            height: side - 14.0,
        };
        let plane = Plane::new(room, range.clone(), range.clone(), true);
        let label = |at: usize| format!("{} (grade)", context.trait_name(at));
        plane.draw(&mut scene, &label(x), &label(up));
        let project = |row: usize| -> Point { plane.project([outputs[[row, x]], outputs[[row, up]]]) };
        let dots: Vec<(usize, Point)> =
            rows.iter().zip(&groups).map(|(row, group)| (*group, project(*row))).collect();
        draw_dots(&mut scene, "reach", &run.traits, &dots, RADIUS, WHITE);
    }
    let lines = shown.div_ceil(columns) as f64;
    Ok(context.finish(scene, y + 18.0 + lines * (side + 8.0), &["reach"], Vec::new()))
}
