//! Beyond the papers: certified fixed points in the state space, the spectrum at the end states, and the convergence of
//! the extended trajectories to them.

use std::collections::HashMap;

use super::{Context, Drawn, draw_dots};
use crate::{
    draw::{
        axis::Range,
        furniture::{self, Entry, Key, SIDE, WIDTH},
        labels::{self, Tip},
        palette::{INK, MUTED, Mark, SHORT_DASH, SOLID, look},
        plane::{Plane, Rect},
        scene::{Point, Scene, Shape, Stroke, Text},
        space::{Bounds, Place, Space},
        text,
    },
    run::{Ends, Missing, Trajectories},
};

const SPACE: Rect = Rect { x: SIDE, y: 0.0, width: 700.0, height: 660.0 };
/// Left edge of the panels beside it.
const BESIDE: f64 = SPACE.x + SPACE.width + 20.0;
const PANEL: Rect = Rect { x: BESIDE, y: 0.0, width: WIDTH - SIDE - BESIDE, height: 300.0 };
/// Radii: end states of the population, stable points (whole basin), saddles.
const END: f64 = 1.3;
const STABLE: f64 = 7.0;
const SADDLE: f64 = 4.5;
/// The population is drawn this much in white.
const FAINT: f64 = 0.5;
/// Distances below this are drawn as this: the states of extended trajectories are 32-bit.
const DISTANCE_MIN: f64 = 1e-6;
/// Radii of the spectrum below this are drawn at the edge: what is slow lies near one.
const RADIUS_MIN: f64 = 0.8;

pub(super) fn draw(context: &Context<'_>, title: &str) -> Drawn {
    let run = context.run;
    let ends = run.ends.as_ref().map_err(Missing::reason)?;
    let extended = run.extended.as_ref().map_err(Missing::reason)?;
    let points = run.map_points.as_ref().map_err(Missing::reason)?;
    let axes = run.axes.as_ref().map_err(Missing::reason)?;
    let coordinates = context.coordinates;
    let place = |state: &[f64]| coordinates.place(state.iter().copied(), 1.0);
    let dots: Vec<(usize, Place)> = ends
        .customers
        .iter()
        .zip(ends.states.rows())
        .take(context.options.dots)
        .map(|(customer, state)| (run.dominant[*customer], coordinates.place(state.iter().copied(), 1.0)))
        .collect();
    let placed: Vec<Place> = points.iter().map(|point| place(&point.state)).collect();
    let arms: Vec<(Place, Place)> = axes
        .iter()
        .map(|axis| {
            let tip: Vec<f64> =
                axis.origin.iter().zip(&axis.axis).map(|(origin, along)| origin + along).collect();
            (place(&axis.origin), place(&tip))
        })
        .collect();
    let shown = arms.iter().flat_map(|(from, to)| [from, to]);
    let bounds = Bounds::of(dots.iter().map(|(_, place)| place).chain(&placed).chain(shown));

    let mut scene = Scene::new(WIDTH, title);
    let mut studied: Vec<usize> = points.iter().map(|point| point.customer).collect();
    studied.dedup();
    let largest = points.iter().fold(0.0, |largest: f64, point| largest.max(point.radius));
    let caption = context.caption(&format!(
        "(a) Every certified fixed point of the maps of {} customers, before the end states of {} customers (small dots) and \
         the trait axes (dashed). The area of a stable point is the share of states that reach it (its basin). Each point is \
         proved to exist within {largest:.0e} of where it is drawn. (b) Share of the customers whose spectral radius at the \
         end state is at most so large; beyond 1 (dashed) the state would be unstable. (c) Distance of the extended \
         trajectories from the customer's own end state.",
        text::count(studied.len()),
        text::count(dots.len())
    ));
    let y = furniture::header(&mut scene, &caption);
    let mut entries = context.trait_entries(|look| Key::Dot(look.color, look.mark));
    entries.push(Entry::new(Key::Dot(INK, Mark::Disc), "stable point, by basin"));
    entries.push(Entry::new(Key::Dot(INK, Mark::Cross), "saddle or undecided"));
    let y = furniture::legend(&mut scene, y, &entries);

    furniture::heading(&mut scene, [SIDE, y + 16.0], "(a) Fixed points, basins and axes", SPACE.width);
    let space = Space::new(Rect { y: y + 24.0, ..SPACE }, &bounds, coordinates.flat());
    space.draw(&mut scene, &coordinates.labels);
    let small: Vec<(usize, Point)> =
        dots.iter().map(|(group, place)| (*group, space.project(place))).collect();
    draw_dots(&mut scene, "end", &run.traits, &small, END, FAINT);
    let mut tips = Vec::new();
    for (axis, (from, to)) in axes.iter().zip(&arms) {
        let name = context.trait_name(axis.trait_index);
        let (from, to) = (space.project(from), space.project(to));
        let stroke = Stroke::new(look(axis.trait_index).color, 1.6).dashed(SHORT_DASH);
        scene.push_trait("trait-axis", name, Shape::Line { points: vec![from, to], stroke });
        tips.push(Tip { from, to, name: name.to_owned(), clear: 6.0 });
    }
    for (point, place) in points.iter().zip(&placed) {
        let group = run.dominant[point.customer];
        let (center, color) = (space.project(place), look(group).color);
        let name = context.trait_name(group);
        if let (true, Some(basin)) = (point.stable, point.basin) {
            let radius = STABLE * basin.sqrt();
            let outline = Stroke::new(INK, 1.0);
            scene.push_trait("stable", name, Shape::Circle { center, radius, fill: color, outline });
        } else {
            let dot = Shape::Dots { points: vec![center], radius: SADDLE, color: INK, mark: Mark::Cross };
            scene.push_trait("unstable", name, dot);
        }
    }
    labels::write(&mut scene, &tips, &[], 12.5);

    furniture::heading(&mut scene, [BESIDE, y + 16.0], "(b) Spectral radius", PANEL.width);
    spectrum(context, &mut scene, ends, Rect { y: y + 28.0, ..PANEL });
    let below = y + 28.0 + PANEL.height + 22.0;
    furniture::heading(&mut scene, [BESIDE, below + 16.0], "(c) Convergence", PANEL.width);
    convergence(context, &mut scene, ends, extended, Rect { y: below + 28.0, ..PANEL });
    let files = ["targets", "trait_axes", "end_states", "extended", "map_points"];
    Ok(context.finish(scene, below + 28.0 + PANEL.height + 14.0, &files, Vec::new()))
}

/// The distribution of the spectral radius per dominant trait.
fn spectrum(context: &Context<'_>, scene: &mut Scene, ends: &Ends, room: Rect) {
    let high = ends.radius.iter().fold(1.0, |high: f64, radius| high.max(*radius));
    let plane = Plane::new(
        room,
        Range::new(RADIUS_MIN, high.min(1.2) + 0.01, 0.05),
        Range::new(0.0, 1.0, 0.2),
        false,
    );
    plane.draw(scene, "spectral radius (per step)", "share of customers");
    let one = vec![plane.project([1.0, 0.0]), plane.project([1.0, 1.0])];
    scene.line("one", one, Stroke::new(MUTED, 1.2).dashed(SHORT_DASH));
    for (group, name) in context.run.traits.iter().enumerate() {
        let own = ends.customers.iter().zip(&ends.radius);
        let mut radii: Vec<f64> = own
            .filter(|(customer, _)| context.run.dominant[**customer] == group)
            .map(|(_, radius)| radius.clamp(RADIUS_MIN, high.min(1.2)))
            .collect();
        radii.sort_by(f64::total_cmp);
        let count = radii.len() as f64;
        let points =
            (1..).zip(&radii).map(|(rank, radius)| plane.project([*radius, f64::from(rank) / count]));
        let points: Vec<Point> = points.collect();
        if points.len() > 1 {
            let look = look(group);
            let stroke = Stroke::new(look.color, 1.8).dashed(look.dash);
            scene.push_trait("spectrum", name, Shape::Line { points, stroke });
        }
    }
}

/// The distance of each trajectory from its end state, step by step.
fn convergence(context: &Context<'_>, scene: &mut Scene, ends: &Ends, extended: &Trajectories, room: Rect) {
    let steps = extended.steps().max(1) as f64;
    let tick = (steps / 5.0).ceil();
    let plane = Plane::new(room, Range::new(0.0, steps, tick), Range::new(-6.0, 1.0, 1.0), false);
    plane.draw(scene, "step", "log10 of the distance (state units)");
    let row_of: HashMap<usize, usize> =
        ends.customers.iter().enumerate().map(|(row, customer)| (*customer, row)).collect();
    for (customer, rows) in extended.spans.iter().take(context.options.customers) {
        let Some(row) = row_of.get(customer) else { continue };
        let end = ends.states.row(*row);
        let distance = |state: ndarray::ArrayView1<'_, f64>| -> f64 {
            state.iter().zip(end).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
        };
        let points = (1..).zip(rows.clone()).map(|(step, row)| {
            let distance = distance(extended.states.row(row)).max(DISTANCE_MIN);
            plane.project([f64::from(step), distance.log10()])
        });
        let group = context.run.dominant[*customer];
        let stroke = Stroke::new(look(group).color.tint(FAINT), 0.8).dashed(SOLID);
        let name = context.trait_name(group);
        scene.push_trait("convergence", name, Shape::Line { points: points.collect(), stroke });
    }
    // The radius within which the end states' table calls a customer converged.
    let within = [0.05f64.log10(); 2];
    let line = vec![plane.project([0.0, within[0]]), plane.project([steps, within[1]])];
    scene.line("within", line, Stroke::new(INK, 1.0).dashed(SHORT_DASH));
    let at = plane.project([steps, within[0]]);
    let note = Text::new([at[0] - 4.0, at[1] - 5.0], "converged: 0.05", 11.0, INK);
    scene.text("note", note.anchor(crate::draw::scene::Anchor::End));
}
