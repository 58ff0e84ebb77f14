//! Figure 4: attractors in P3's manner, with the verdict of the dynamics beside them; in the shapes that describe these
//! customers best, and in those that P3 prints.

use super::{Context, Drawn, Track, TrackStyle, draw_tracks};
use crate::{
    draw::{
        furniture::{self, Key, SIDE, WIDTH},
        labels::{self, Tip},
        palette::{INK, MUTED, SOLID, WHITE, look},
        plane::Rect,
        scene::{Point, Scene, Shape, Stroke, Text},
        space::{Bounds, Place, Space},
        text,
    },
    run::{Attractor, Missing, Part},
};

const ROOM: Rect = Rect { x: SIDE, y: 0.0, width: 800.0, height: 680.0 };
const STYLE: TrackStyle = TrackStyle { width: 0.8, end: 0.0, white: 0.55 };
const LINE: f64 = 7.0;
const CIRCLE: f64 = 10.0;
/// Left edge of the list of attractors.
const LIST: f64 = ROOM.x + ROOM.width + 20.0;

/// The shapes that describe the groups best.
pub(super) fn draw_best(context: &Context<'_>, title: &str) -> Drawn {
    let shapes = "the shape that explains the end states of its customers best: a second-order curve (thick line) or cluster \
                  centers (circles), drawn oversized as in P3";
    draw(context, title, "attractors", &context.run.attractors, shapes)
}

/// The shapes that P3 prints.
pub(super) fn draw_printed(context: &Context<'_>, title: &str) -> Drawn {
    let shapes = "the shape that P3 prints, whatever describes these customers best: a second-order curve (thick line) for E, N \
                  and A, one cluster center (circle) for O, three for C";
    draw(context, title, "attractors_printed", &context.run.printed_attractors, shapes)
}

fn draw(
    context: &Context<'_>,
    title: &str,
    table: &'static str,
    attractors: &Part<Vec<Attractor>>,
    shapes: &str,
) -> Drawn {
    let run = context.run;
    let extended = run.extended.as_ref().map_err(Missing::reason)?;
    let attractors = attractors.as_ref().map_err(Missing::reason)?;
    if attractors.is_empty() {
        return Err(format!("{table}.parquet marks no attractor as drawn"));
    }
    let tracks: Vec<Track> = context
        .tracks(extended, context.options.customers, |_| true)
        .into_iter()
        .map(|(_, track)| track)
        .collect();
    let placed: Vec<(&Attractor, Vec<Place>)> = attractors
        .iter()
        .map(|attractor| {
            let place = |state: &Vec<f64>| context.coordinates.place(state.iter().copied(), 1.0);
            (attractor, attractor.states.iter().map(place).collect())
        })
        .collect();
    let all = tracks.iter().flat_map(|track| &track.places);
    let bounds = Bounds::of(all.chain(placed.iter().flat_map(|(_, places)| places)));

    let mut scene = Scene::new(WIDTH, title);
    let caption = context.caption(&format!(
        "{} of {} extended trajectories (lighter), colored by dominant trait, and per trait {shapes}. What the dynamics of the \
         network say about them stands beside the figure.",
        text::count(tracks.len()),
        text::count(extended.spans.len())
    ));
    let y = furniture::header(&mut scene, &caption) + 4.0;
    let room = Rect { y, ..ROOM };
    let space = Space::new(room, &bounds, context.coordinates.flat());
    space.draw(&mut scene, &context.coordinates.labels);
    draw_tracks(&mut scene, &space, run, "extended", &tracks, STYLE);
    // Circles come last: a curve would hide more of a circle than the other way round.
    let (lines, points): (Vec<_>, Vec<_>) = placed.iter().partition(|(attractor, _)| attractor.line);
    for (attractor, places) in lines.into_iter().chain(points) {
        let name = context.trait_name(attractor.trait_index);
        let color = look(attractor.trait_index).color;
        let points = places.iter().map(|place| space.project(place));
        if attractor.line {
            let points: Vec<_> = points.collect();
            let casing = Stroke::new(WHITE, LINE + 3.0);
            scene.push_trait("casing", name, Shape::Line { points: points.clone(), stroke: casing });
            let stroke = Stroke::new(color, LINE);
            scene.push_trait("attractor-line", name, Shape::Line { points, stroke });
        } else {
            for center in points {
                let outline = Stroke::new(INK, 1.6);
                let circle = Shape::Circle { center, radius: CIRCLE, fill: color, outline };
                scene.push_trait("attractor-point", name, circle);
            }
        }
    }
    let obstacles: Vec<Point> =
        placed.iter().flat_map(|(_, places)| places).map(|place| space.project(place)).collect();
    labels::write(&mut scene, &tips(context, &space, &placed), &obstacles, 12.5);
    let listed = list(&mut scene, context, &placed, y + 10.0);
    let files = ["targets", "extended", table];
    Ok(context.finish(scene, (y + ROOM.height).max(listed) + 14.0, &files, Vec::new()))
}

/// Where each attractor is labeled: at its outermost point.
fn tips(context: &Context<'_>, space: &Space, placed: &[(&Attractor, Vec<Place>)]) -> Vec<Tip> {
    let center = space.project(&context.coordinates.place(vec![0.0; context.run.width()], 0.0));
    let away = |point: &Point| (point[0] - center[0]).hypot(point[1] - center[1]);
    let tip = |(attractor, places): &(&Attractor, Vec<Place>)| {
        let points = places.iter().map(|place| space.project(place));
        let to = points.max_by(|a, b| away(a).total_cmp(&away(b)))?;
        let near = |at: usize| to[at] - 0.01 * (to[at] - center[at]);
        let name = context.trait_name(attractor.trait_index).to_owned();
        Some(Tip { from: [near(0), near(1)], to, name, clear: CIRCLE + 1.0 })
    };
    placed.iter().filter_map(tip).collect()
}

/// The attractors in words; returns where the list ends.
fn list(scene: &mut Scene, context: &Context<'_>, placed: &[(&Attractor, Vec<Place>)], top: f64) -> f64 {
    let mut y = top + 14.0;
    let width = WIDTH - SIDE - LIST - 38.0;
    furniture::heading(scene, [LIST, y], "Drawn, and what the dynamics say", WIDTH - SIDE - LIST);
    y += 30.0;
    for (attractor, places) in placed {
        let look = look(attractor.trait_index);
        if attractor.line {
            furniture::key(scene, [LIST, y - 5.0], Key::Line(look.color, LINE, SOLID));
        } else {
            let outline = Stroke::new(INK, 1.6);
            let center = [LIST + 14.0, y - 5.0];
            scene.push("legend", Shape::Circle { center, radius: 7.5, fill: look.color, outline });
        }
        let name = context.trait_name(attractor.trait_index);
        let name = text::shorten(name, 13.0, true, width);
        scene.text("legend", Text::new([LIST + 38.0, y], name, 13.0, INK).bold());
        let shape = match (attractor.line, places.len()) {
            (true, _) => "second-order curve".to_owned(),
            (false, 1) => "one point".to_owned(),
            (false, points) => format!("{points} points"),
        };
        let explained = if attractor.variance_explained.is_finite() {
            let percent = 100.0 * attractor.variance_explained;
            let percent = format!("{percent:.0}").replace('-', "\u{2212}");
            format!("{shape}, {percent} % of held-out variance")
        } else {
            shape
        };
        let lines = text::wrap(&explained, 12.0, false, width).into_iter().map(|line| (line, MUTED));
        let verdict = format!("dynamics: {}", attractor.verdict);
        let verdict = text::wrap(&verdict, 12.0, false, width).into_iter().map(|line| (line, INK));
        for (line, color) in lines.chain(verdict) {
            y += 17.0;
            scene.text("verdict", Text::new([LIST + 38.0, y], line, 12.0, color));
        }
        y += 30.0;
    }
    y
}
