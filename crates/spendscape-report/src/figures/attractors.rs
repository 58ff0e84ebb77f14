//! Figure 4: attractors in P3's manner, with the verdict of the dynamics beside them; in the shapes that these customers'
//! ends have, if they have any, and in those that P3 prints.

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
    run::{Attractor, Form, Missing, Part},
};

const ROOM: Rect = Rect { x: SIDE, y: 0.0, width: 800.0, height: 680.0 };
const STYLE: TrackStyle = TrackStyle { width: 0.8, end: 0.0, white: 0.55 };
const LINE: f64 = 7.0;
const CIRCLE: f64 = 10.0;
/// Left edge of the list of attractors.
const LIST: f64 = ROOM.x + ROOM.width + 20.0;

/// The ends of trajectories that make a cloud.
const CLOUD: TrackStyle = TrackStyle { end: 2.2, ..STYLE };

/// The shapes that the groups have.
pub(super) fn draw_best(context: &Context<'_>, title: &str) -> Drawn {
    let shapes = "the shape that the end states of its customers have, if they lie within a quarter of the spread of all from \
                  it: a second-order curve (thick line), or points that are separated (circles, with the share of its customers \
                  behind each), drawn oversized as in P3; of a cloud, which is neither, the last steps are dots";
    draw(context, title, "attractors", &context.run.attractors, shapes)
}

/// The shapes that P3 prints.
pub(super) fn draw_printed(context: &Context<'_>, title: &str) -> Drawn {
    let shapes = "the shape that P3 prints, whatever describes these customers best: a second-order curve (thick line) for E, N \
                  and A, one point (circle) for O, three for C, with the share of its customers behind each";
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
    let is_cloud = |track: &Track| {
        attractors.iter().any(|found| found.trait_index == track.trait_index && found.form == Form::Neither)
    };
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
        "{} of {} extended trajectories (lighter), colored by dominant trait, and per trait {shapes}. Beside the figure: how far \
         the customers lie from the shape, as a part of the spread of all end states, and what the dynamics of the network say.",
        text::count(tracks.len()),
        text::count(extended.spans.len())
    ));
    let y = furniture::header(&mut scene, &caption) + 4.0;
    let room = Rect { y, ..ROOM };
    let space = Space::new(room, &bounds, context.coordinates.flat());
    space.draw(&mut scene, &context.coordinates.labels);
    let (clouds, others): (Vec<Track>, Vec<Track>) = tracks.into_iter().partition(is_cloud);
    draw_tracks(&mut scene, &space, run, "extended", &others, STYLE);
    draw_tracks(&mut scene, &space, run, "extended", &clouds, CLOUD);
    // Circles come last: a curve would hide more of a circle than the other way round.
    let is_line = |found: &&(&Attractor, Vec<Place>)| found.0.form == Form::Line;
    let (lines, points): (Vec<_>, Vec<_>) = placed.iter().partition(is_line);
    for (attractor, places) in lines {
        let name = context.trait_name(attractor.trait_index);
        let points: Vec<_> = places.iter().map(|place| space.project(place)).collect();
        let casing = Stroke::new(WHITE, LINE + 3.0);
        scene.push_trait("casing", name, Shape::Line { points: points.clone(), stroke: casing });
        let stroke = Stroke::new(look(attractor.trait_index).color, LINE);
        scene.push_trait("attractor-line", name, Shape::Line { points, stroke });
    }
    for (attractor, places) in points {
        let fill = look(attractor.trait_index).color;
        for place in places {
            let outline = Stroke::new(INK, 1.6);
            let circle = Shape::Circle { center: space.project(place), radius: CIRCLE, fill, outline };
            scene.push_trait("attractor-point", context.trait_name(attractor.trait_index), circle);
        }
    }
    let obstacles: Vec<Point> =
        placed.iter().flat_map(|(_, places)| places).map(|place| space.project(place)).collect();
    labels::write(&mut scene, &tips(context, &space, &placed), &obstacles, 12.5);
    let listed = list(&mut scene, context, &placed, y + 10.0);
    let files = ["targets", "extended", table];
    Ok(context.finish(scene, (y + ROOM.height).max(listed) + 14.0, &files, Vec::new()))
}

/// Where attractors are labeled: a line at its outermost place, each point with its share of the group.
fn tips(context: &Context<'_>, space: &Space, placed: &[(&Attractor, Vec<Place>)]) -> Vec<Tip> {
    let center = space.project(&context.coordinates.place(vec![0.0; context.run.width()], 0.0));
    let away = |point: &Point| (point[0] - center[0]).hypot(point[1] - center[1]);
    let tip = |to: Point, name: String| {
        let near = |at: usize| to[at] - 0.01 * (to[at] - center[at]);
        Tip { from: [near(0), near(1)], to, name, clear: CIRCLE + 1.0 }
    };
    let mut tips = Vec::new();
    for (attractor, places) in placed {
        let name = context.trait_name(attractor.trait_index);
        let points = places.iter().map(|place| space.project(place));
        if attractor.form == Form::Line {
            let outermost = points.max_by(|a, b| away(a).total_cmp(&away(b)));
            tips.extend(outermost.map(|to| tip(to, name.to_owned())));
        } else {
            let all: i64 = attractor.members.iter().sum();
            let share = |members: &i64| 100.0 * *members as f64 / all.max(1) as f64;
            let named = attractor.members.iter().map(|members| format!("{name} {:.0} %", share(members)));
            tips.extend(points.zip(named).map(|(to, name)| tip(to, name)));
        }
    }
    tips
}

/// The attractors in words; returns where the list ends.
fn list(scene: &mut Scene, context: &Context<'_>, placed: &[(&Attractor, Vec<Place>)], top: f64) -> f64 {
    let mut y = top + 14.0;
    let width = WIDTH - SIDE - LIST - 38.0;
    furniture::heading(scene, [LIST, y], "The end states, and the dynamics", WIDTH - SIDE - LIST);
    y += 30.0;
    for (attractor, places) in placed {
        let look = look(attractor.trait_index);
        match attractor.form {
            Form::Line => furniture::key(scene, [LIST, y - 5.0], Key::Line(look.color, LINE, SOLID)),
            Form::Points => {
                let outline = Stroke::new(INK, 1.6);
                let center = [LIST + 14.0, y - 5.0];
                scene.push("legend", Shape::Circle { center, radius: 7.5, fill: look.color, outline });
            }
            Form::Neither => furniture::key(scene, [LIST, y - 5.0], Key::Dot(look.color, look.mark)),
        }
        let name = context.trait_name(attractor.trait_index);
        let name = text::shorten(name, 13.0, true, width);
        scene.text("legend", Text::new([LIST + 38.0, y], name, 13.0, INK).bold());
        let percent = format!("{:.0}", 100.0 * attractor.variance_explained).replace('-', "\u{2212}");
        let explained = format!("{percent} % of held-out variance");
        let near = format!("customers lie {:.2} of the spread of all from", attractor.compactness);
        let explained = match (attractor.form, places.len()) {
            (Form::Line, _) => format!("a second-order curve explains {explained}; {near} it"),
            (Form::Points, 1) => format!("one point; {near} it"),
            (Form::Points, points) => format!("{points} points explain {explained}; {near} them"),
            (Form::Neither, _) if attractor.centers == 1 => {
                format!("a cloud, neither points nor a line; {near} its middle")
            }
            (Form::Neither, _) => {
                let centers = attractor.centers;
                format!("a cloud, neither points nor a line; {near} the nearest of {centers} centers")
            }
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
