//! Figure 1: trajectories from the origin, of many customers, of one who stayed and of one who changed.

use std::ops::Range;

use super::{Context, Drawing, Drawn, Track, TrackStyle, draw_tracks, rows_of};
use crate::{
    draw::{
        furniture::{self, Entry, Key, SIDE, WIDTH},
        palette::{INK, Mark, SHORT_DASH, WHITE, look},
        plane::Rect,
        scene::{Point, Scene, Shape, Stroke, Text},
        space::{Bounds, Place, Space},
        text,
    },
    run::Trajectories,
};

const HEIGHT: f64 = 630.0;
/// Width of panel (a) where the others stand beside it.
const MANY_WIDTH: f64 = 690.0;
/// Faint trajectories behind a single customer's, as landmarks.
const LANDMARKS: usize = 90;

const MANY: TrackStyle = TrackStyle { width: 1.1, end: 2.1, white: 0.0 };
const FAINT: TrackStyle = TrackStyle { width: 0.9, end: 0.0, white: 0.72 };

/// A customer with both windows.
struct Single {
    customer: usize,
    long: Vec<Place>,
    short: Vec<Place>,
}

pub(super) fn draw(context: &Context<'_>, title: &str) -> Drawn {
    let run = context.run;
    let tracks: Vec<Track> = tracks_of(context);
    let (steady, changed, omitted) = singles(context);
    let singles: Vec<&Single> = steady.iter().chain(&changed).collect();
    let mut scene = Scene::new(WIDTH, title);
    let mut caption = format!(
        "Hidden states of the network after each of up to {} periods, joined by lines from the origin and colored by the \
         trait with the highest grade. (a) {} of {} customers; the dot is the last period.",
        run.long.steps(),
        text::count(tracks.len()),
        text::count(run.long.spans.len())
    );
    if let Ok(short) = &run.short
        && !singles.is_empty()
    {
        caption.push_str(&format!(
            " Beside it single customers, seen over the long window ({} periods) and the short one ({}), before a faint \
             sample of all.",
            run.long.steps(),
            short.steps()
        ));
    }
    for part in &omitted {
        caption.push_str(&format!(" {part}."));
    }
    let y = furniture::header(&mut scene, &context.caption(&caption));
    let mut entries = context.trait_entries(|look| Key::Trajectory(look.color, look.dash, look.mark));
    if !singles.is_empty() {
        entries.push(Entry::new(Key::Trajectory(INK, SHORT_DASH, Mark::Square), "short window"));
    }
    let y = furniture::legend(&mut scene, y, &entries);

    let all = tracks.iter().flat_map(|track| &track.places);
    let own = singles.iter().flat_map(|single| single.long.iter().chain(&single.short));
    let bounds = Bounds::of(all.chain(own));
    let many_width = if singles.is_empty() { WIDTH - 2.0 * SIDE } else { MANY_WIDTH };
    furniture::heading(&mut scene, [SIDE, y + 16.0], "(a) Many customers", many_width);
    let room = Rect { x: SIDE, y: y + 24.0, width: many_width, height: HEIGHT };
    let space = Space::new(room, &bounds, context.coordinates.flat());
    space.draw(&mut scene, &context.coordinates.labels);
    draw_tracks(&mut scene, &space, run, "trajectory", &tracks, MANY);

    let landmarks = &tracks[..tracks.len().min(LANDMARKS)];
    let beside = SIDE + MANY_WIDTH + 14.0;
    let panels = [(&steady, "(b) A customer who stayed"), (&changed, "(c) A customer who changed")];
    for (row, (single, name)) in panels.into_iter().enumerate() {
        let Some(single) = single else { continue };
        let top = y + row as f64 * (0.5 * HEIGHT + 14.0);
        let width = WIDTH - SIDE - beside;
        let heading = format!("{name} ({})", run.customers[single.customer]);
        furniture::heading(&mut scene, [beside, top + 16.0], &heading, width);
        let room = Rect { x: beside, y: top + 22.0, width, height: 0.5 * HEIGHT - 16.0 };
        let space = Space::new(room, &bounds, context.coordinates.flat());
        space.draw(&mut scene, &context.coordinates.short_labels());
        draw_tracks(&mut scene, &space, run, "landmark", landmarks, FAINT);
        draw_single(&mut scene, &space, context, single);
    }
    let files = ["targets", "states", "states_short", "examples"];
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
    let single = |candidates: &[usize]| {
        candidates.iter().find_map(|customer| {
            let long = place(&run.long, by_long.get(customer)?);
            let short = place(short, by_short.get(customer)?);
            Some(Single { customer: *customer, long, short })
        })
    };
    let (steady, changed) = (single(&examples.steady), single(&examples.changed));
    let mut omitted = Vec::new();
    for (single, panel, role) in [(&steady, "b", "steady"), (&changed, "c", "changed")] {
        if single.is_none() {
            omitted.push(format!("Panel ({panel}) is left out: examples.parquet has no customer in the role `{role}` with both windows"));
        }
    }
    (steady, changed, omitted)
}

fn draw_single(scene: &mut Scene, space: &Space, context: &Context<'_>, single: &Single) {
    let trait_index = context.run.dominant[single.customer];
    let look = look(trait_index);
    let name = context.trait_name(trait_index);
    let points = |places: &[Place]| places.iter().map(|place| space.project(place)).collect::<Vec<Point>>();
    let (long, short) = (points(&single.long), points(&single.short));
    // The long window is broad and the short one thin: each is seen where they lie together.
    let casing = Stroke::new(WHITE, 6.0);
    scene.push_trait("casing", name, Shape::Line { points: long.clone(), stroke: casing });
    let strokes = [
        ("long", &long, Stroke::new(look.color, 4.0)),
        ("short", &short, Stroke::new(INK, 1.4).dashed(SHORT_DASH)),
    ];
    for (class, points, stroke) in strokes {
        scene.push_trait(class, name, Shape::Line { points: points.clone(), stroke });
    }
    let dots = |points: &[Point], radius, color, mark| Shape::Dots {
        points: points[1..].to_vec(),
        radius,
        color,
        mark,
    };
    scene.push_trait("long", name, dots(&long, 4.4, look.color, look.mark));
    scene.push_trait("short", name, dots(&short, 2.4, INK, Mark::Square));
    scene.push("origin", Shape::Dots { points: vec![long[0]], radius: 2.4, color: INK, mark: Mark::Disc });
    label_ends(scene, &long, &short);
}

/// Numbers the last period of each window, away from the other one.
fn label_ends(scene: &mut Scene, long: &[Point], short: &[Point]) {
    let (Some(a), Some(b)) = (long.last(), short.last()) else { return };
    let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
    let distance = dx.hypot(dy).max(1e-9);
    // Ends that fall together have their labels above and below.
    let (ux, uy) = if distance < 2.0 { (0.0, -1.0) } else { (dx / distance, dy / distance) };
    for (end, sign, label) in [(a, 1.0, "long"), (b, -1.0, "short")] {
        let at = [end[0] + sign * 14.0 * ux, end[1] + sign * 14.0 * uy + 4.0];
        let anchor = match sign * ux {
            x if x > 0.4 => crate::draw::scene::Anchor::Start,
            x if x < -0.4 => crate::draw::scene::Anchor::End,
            _ => crate::draw::scene::Anchor::Middle,
        };
        scene.text("note", Text::new(at, label, 11.0, INK).anchor(anchor));
    }
}
