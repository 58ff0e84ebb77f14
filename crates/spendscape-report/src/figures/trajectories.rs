//! Figure 1: trajectories from the origin, of many customers, of one who stayed and of one who changed.

use std::ops::Range;

use super::{Context, Drawing, Drawn, Track, TrackStyle, draw_tracks, rows_of};
use crate::{
    draw::{
        axis::extent,
        furniture::{self, Entry, Key, SIDE, WIDTH},
        labels::{self, Tip},
        palette::{Color, INK, Mark, SHORT_DASH, WHITE, look},
        plane::Rect,
        scene::{Point, Scene, Shape, Stroke},
        space::{Bounds, Place, Space},
        text,
    },
    run::Trajectories,
};

const HEIGHT: f64 = 690.0;
/// Part of the height that panel (b) takes; (c) has the rest.
const STEADY: f64 = 0.46;
/// Width of panel (a) where the others stand beside it.
const MANY_WIDTH: f64 = 690.0;
/// Faint trajectories behind a single customer's, as landmarks.
const LANDMARKS: usize = 90;

const MANY: TrackStyle = TrackStyle { width: 1.1, end: 2.1, white: 0.0 };
const FAINT: TrackStyle = TrackStyle { width: 0.9, end: 0.0, white: 0.72 };

/// Parts of a zoomed panel's longest side that an arrow is long.
const ARROW: f64 = 0.34;
/// Length of an arrow's head, in pixels.
const HEAD: f64 = 9.0;
const ARROW_DASH: &[f64] = &[6.0, 3.0];

/// A customer with both windows.
struct Single {
    customer: usize,
    long: Vec<Place>,
    short: Vec<Place>,
    /// Of one who changed.
    turn: Option<Turn>,
}

/// The last step of a customer who changed: the trait that the state before decodes to, that of the step, and where the
/// outputs of both rise fastest from there.
struct Turn {
    traits: [usize; 2],
    arrows: Option<[Place; 2]>,
}

pub(super) fn draw(context: &Context<'_>, title: &str) -> Drawn {
    let run = context.run;
    let tracks: Vec<Track> = tracks_of(context);
    let (steady, changed, omitted) = singles(context);
    let is_alone = steady.is_none() && changed.is_none();
    let mut scene = Scene::new(WIDTH, title);
    let mut caption = format!(
        "Hidden states of the network after each of up to {} periods, joined by lines from the origin and colored by the \
         trait with the highest grade. (a) {} of {} customers; the dot is the last period.",
        run.long.steps(),
        text::count(tracks.len()),
        text::count(run.long.spans.len())
    );
    if let Ok(short) = &run.short
        && !is_alone
    {
        caption.push_str(&format!(
            " Beside it single customers, seen over the long window ({} periods) and the short one ({}); (b) before a faint \
             sample of all.",
            run.long.steps(),
            short.steps()
        ));
    }
    if let Some(turn) = changed.as_ref().and_then(|changed| changed.turn.as_ref()) {
        let [before, toward] = turn.traits.map(|at| context.trait_name(at));
        caption.push_str(&format!(
            " (c) is enlarged: the state before the last period decodes to {before}, the last step, in its own color, to {toward}, \
             as does the end of the short window."
        ));
        if turn.arrows.is_some() {
            caption.push_str(" Arrows: the rows of the output weights, along which the outputs of the two traits rise fastest.");
        }
    }
    for part in &omitted {
        caption.push_str(&format!(" {part}."));
    }
    let y = furniture::header(&mut scene, &context.caption(&caption));
    let mut entries = context.trait_entries(|look| Key::Trajectory(look.color, look.dash, look.mark));
    if !is_alone {
        entries.push(Entry::new(Key::Trajectory(INK, SHORT_DASH, Mark::Square), "short window"));
    }
    let y = furniture::legend(&mut scene, y, &entries);

    let all = tracks.iter().flat_map(|track| &track.places);
    let own = steady.iter().flat_map(|single| single.long.iter().chain(&single.short));
    let bounds = Bounds::of(all.chain(own));
    let many_width = if is_alone { WIDTH - 2.0 * SIDE } else { MANY_WIDTH };
    furniture::heading(&mut scene, [SIDE, y + 16.0], "(a) Many customers", many_width);
    let room = Rect { x: SIDE, y: y + 24.0, width: many_width, height: HEIGHT };
    let space = Space::new(room, &bounds, context.coordinates.flat());
    space.draw(&mut scene, &context.coordinates.labels);
    draw_tracks(&mut scene, &space, run, "trajectory", &tracks, MANY);

    let landmarks = &tracks[..tracks.len().min(LANDMARKS)];
    let beside = SIDE + MANY_WIDTH + 14.0;
    let upper = STEADY * HEIGHT;
    let panels = [
        (&steady, "(b) A customer who stayed", y, upper),
        (&changed, "(c) A customer who changed", y + upper + 14.0, HEIGHT - upper),
    ];
    for (single, name, top, height) in panels {
        let Some(single) = single else { continue };
        let width = WIDTH - SIDE - beside;
        let heading = format!("{name} ({})", run.customers[single.customer]);
        furniture::heading(&mut scene, [beside, top + 16.0], &heading, width);
        let room = Rect { x: beside, y: top + 22.0, width, height: height - 16.0 };
        let bounds = if let Some(turn) = &single.turn {
            let arrows = turn.arrows.iter().flatten();
            Bounds::of(single.long.iter().chain(&single.short).chain(arrows))
        } else {
            bounds.clone()
        };
        let space = Space::new(room, &bounds, context.coordinates.flat());
        space.draw(&mut scene, &context.coordinates.short_labels());
        if let Some(turn) = &single.turn {
            draw_turned(&mut scene, &space, context, single, turn);
        } else {
            draw_tracks(&mut scene, &space, run, "landmark", landmarks, FAINT);
            draw_steady(&mut scene, &space, context, single);
        }
    }
    let files = ["targets", "states", "states_short", "trait_axes", "examples"];
    let drawing: Drawing = context.finish(scene, y + HEIGHT + 40.0, &files, omitted);
    Ok(drawing)
}

fn tracks_of(context: &Context<'_>) -> Vec<Track> {
    let tracks = context.tracks(&context.run.long, context.options.customers, |_| true);
    tracks.into_iter().map(|(_, track)| track).collect()
}

/// The customers of panels (b) and (c), and what is left out.
fn singles(context: &Context<'_>) -> (Option<Single>, Option<Single>, Vec<String>) {
    let run = context.run;
    let (short, examples) = match (&run.short, &run.examples) {
        (Ok(short), Ok(examples)) => (short, examples),
        (Err(missing), _) | (_, Err(missing)) => {
            let reason = format!("Panels (b) and (c) are left out: {}", missing.reason());
            return (None, None, vec![reason]);
        }
    };
    let (by_long, by_short) = (run.long.by_customer(), short.by_customer());
    let place = |trajectories: &Trajectories, rows: &Range<usize>| {
        context.coordinates.trajectory(rows_of(trajectories, rows.clone()))
    };
    let single = |customer: usize| {
        let long = place(&run.long, by_long.get(&customer)?);
        let short = place(short, by_short.get(&customer)?);
        Some(Single { customer, long, short, turn: None })
    };
    let steady = examples.steady.iter().find_map(|customer| single(*customer));
    let changed = examples.changed.iter().find_map(|found| {
        let single = single(found.customer)?;
        let before = run.long.states.row(by_long.get(&found.customer)?.end.checked_sub(2)?).to_vec();
        let traits = [found.before, found.toward];
        let arrows = arrows(context, &single, &before, traits);
        Some(Single { turn: Some(Turn { traits, arrows }), ..single })
    });
    let mut omitted = Vec::new();
    for (is_there, panel, role) in [(steady.is_some(), "b", "steady"), (changed.is_some(), "c", "changed")] {
        if !is_there {
            omitted.push(format!("Panel ({panel}) is left out: examples.parquet has no customer in the role `{role}` with both windows"));
        }
    }
    (steady, changed, omitted)
}

/// Where arrows from the state before the last period end, along which the outputs of two traits rise fastest.
fn arrows(context: &Context<'_>, single: &Single, from: &[f64], traits: [usize; 2]) -> Option<[Place; 2]> {
    let axes = context.run.axes.as_ref().ok()?;
    let places = || single.long.iter().chain(&single.short);
    let side = |axis: usize| {
        let (low, high) = extent(places().map(|place| place[axis]));
        high - low
    };
    let length = ARROW * (0..3).map(side).fold(0.0, f64::max);
    let steps = single.long.len().max(3) as f64;
    let mut ends = [Place::default(); 2];
    for (end, wanted) in ends.iter_mut().zip(traits) {
        let row = &axes.iter().find(|axis| axis.trait_index == wanted)?.readout;
        let norm = row.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
        if norm == 0.0 {
            return None;
        }
        let state = from.iter().zip(row).map(|(from, weight)| from + length * weight / norm);
        *end = context.coordinates.place(state, (steps - 2.0) / (steps - 1.0));
    }
    Some(ends)
}

/// The look of the long window of a single customer: broad, as the short one is thin, so that each is seen where they lie
/// together.
const LONG: f64 = 4.0;
const LONG_DOT: f64 = 4.4;

fn draw_steady(scene: &mut Scene, space: &Space, context: &Context<'_>, single: &Single) {
    let trait_index = context.run.dominant[single.customer];
    let (long, short) = (project(space, &single.long), project(space, &single.short));
    let casing = Stroke::new(WHITE, LONG + 2.0);
    scene.push_trait(
        "casing",
        context.trait_name(trait_index),
        Shape::Line { points: long.clone(), stroke: casing },
    );
    draw_long(scene, context, trait_index, &long, "long");
    draw_short(scene, context, trait_index, &short);
    label(scene, &long, &short, ["long window", "short window"].map(str::to_owned), &[]);
}

/// The way before the last period in the color of the trait that it decodes to, and the last step in that of its own.
fn draw_turned(scene: &mut Scene, space: &Space, context: &Context<'_>, single: &Single, turn: &Turn) {
    let (long, short) = (project(space, &single.long), project(space, &single.short));
    let [before, toward] = turn.traits;
    let last = long.len() - 2;
    for (at, end) in turn.traits.iter().zip(turn.arrows.iter().flatten()) {
        arrow(scene, context.trait_name(*at), long[last], space.project(end), look(*at).color);
    }
    draw_long(scene, context, before, &long[..=last], "long");
    draw_long(scene, context, toward, &long[last..], "turn");
    draw_short(scene, context, toward, &short);
    let arrows: Vec<(Point, String)> = turn
        .traits
        .iter()
        .zip(turn.arrows.iter().flatten())
        .map(|(at, end)| (space.project(end), format!("{} rises", context.trait_name(*at))))
        .collect();
    let names = [format!("period {}", long.len() - 1), "short window".to_owned()];
    label(scene, &long, &short, names, &arrows);
}

/// Names the ends of the two windows, and those of arrows from the long one's last point but one.
fn label(scene: &mut Scene, long: &[Point], short: &[Point], names: [String; 2], arrows: &[(Point, String)]) {
    let tip = |from: Point, to: Point, name: String| Tip { from, to, name, clear: 7.0 };
    let mut tips = Vec::new();
    if let (Some(a), Some(b)) = (long.last(), short.last()) {
        // Each beyond its end, seen from the other's: where windows end together, a label beside the wrong one misleads.
        let [of_long, of_short] = names;
        tips.extend([tip(*b, *a, of_long), tip(*a, *b, of_short)]);
    }
    if let [.., from, _] = long {
        tips.extend(arrows.iter().map(|(to, name)| tip(*from, *to, name.clone())));
    }
    let obstacles: Vec<Point> = long.iter().chain(short).copied().collect();
    labels::write(scene, &tips, &obstacles, 12.0);
}

fn project(space: &Space, places: &[Place]) -> Vec<Point> {
    places.iter().map(|place| space.project(place)).collect()
}

/// Some steps of the long window; the first point is where they start.
fn draw_long(
    scene: &mut Scene,
    context: &Context<'_>,
    trait_index: usize,
    points: &[Point],
    class: &'static str,
) {
    let (name, look) = (context.trait_name(trait_index), look(trait_index));
    let stroke = Stroke::new(look.color, LONG);
    scene.push_trait(class, name, Shape::Line { points: points.to_vec(), stroke });
    let dots =
        Shape::Dots { points: points[1..].to_vec(), radius: LONG_DOT, color: look.color, mark: look.mark };
    scene.push_trait(class, name, dots);
}

/// The short window, and the origin.
fn draw_short(scene: &mut Scene, context: &Context<'_>, trait_index: usize, points: &[Point]) {
    let name = context.trait_name(trait_index);
    let stroke = Stroke::new(INK, 1.4).dashed(SHORT_DASH);
    scene.push_trait("short", name, Shape::Line { points: points.to_vec(), stroke });
    let dots = Shape::Dots { points: points[1..].to_vec(), radius: 2.4, color: INK, mark: Mark::Square };
    scene.push_trait("short", name, dots);
    scene.push("origin", Shape::Dots { points: vec![points[0]], radius: 2.4, color: INK, mark: Mark::Disc });
}

/// An arrow with an outline, which stands out from lines of its color.
fn arrow(scene: &mut Scene, name: &str, from: Point, to: Point, color: Color) {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length = dx.hypot(dy).max(1e-9);
    let (ux, uy) = (dx / length, dy / length);
    let neck = [to[0] - HEAD * ux, to[1] - HEAD * uy];
    let side = |sign: f64| [neck[0] - sign * 0.45 * HEAD * uy, neck[1] + sign * 0.45 * HEAD * ux];
    scene.push_trait(
        "arrow",
        name,
        Shape::Line { points: vec![from, neck], stroke: Stroke::new(color, 1.6).dashed(ARROW_DASH) },
    );
    scene.push_trait("arrow", name, Shape::Area { points: vec![to, side(1.0), side(-1.0)], fill: color });
}
