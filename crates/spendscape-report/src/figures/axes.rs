//! Figure 6: the traits' axes in state space.

use super::{Context, Drawn};
use crate::{
    draw::{
        furniture::{self, Entry, Key, WIDTH},
        palette::{FRAME, GRID, INK, Mark, WHITE, look},
        plane::Rect,
        scene::{Anchor, Point, Scene, Shape, Stroke, Text},
        space::{Bounds, Place, Space},
        text,
    },
};

const ROOM: Rect = Rect { x: 120.0, y: 0.0, width: 960.0, height: 680.0 };
const LINE: f64 = 4.0;
const LABEL: f64 = 14.0;
/// Dashes of lines that only help to see where things are.
const HELP: &[f64] = &[2.0, 3.0];

pub(super) fn draw(context: &Context<'_>, title: &str) -> Drawn {
    let run = context.run;
    let axes = run.axes.as_ref().map_err(|missing| missing.reason())?;
    let coordinates = context.coordinates;
    let ends: Vec<(Place, Place)> = axes
        .iter()
        .map(|axis| {
            let end = axis.origin.iter().zip(&axis.axis).map(|(origin, along)| origin + along);
            (coordinates.place(axis.origin.iter().copied(), 0.0), coordinates.place(end, 1.0))
        })
        .collect();
    let zero = coordinates.place(vec![0.0; run.width()], 0.0);
    let bounds = Bounds::of(ends.iter().flat_map(|(origin, end)| [origin, end]).chain([&zero]));

    let mut scene = Scene::new(WIDTH, title);
    let caption = context.caption(
        "Inverse regression maps each trait of the output space to an axis in the state space (P3, equation 2): it starts at \
         the state o whose output is zero and is as long as the largest reachable output D of its trait. Dotted: drop lines \
         and shadows on the floor.",
    );
    let y = furniture::header(&mut scene, &caption);
    let mut entries: Vec<Entry> = axes
        .iter()
        .map(|axis| {
            let look = look(axis.trait_index);
            let name = context.trait_name(axis.trait_index);
            let label = format!("{name} (D = {:.2} grade)", axis.magnitude).replace('-', "\u{2212}");
            Entry::new(Key::Line(look.color, LINE, look.dash), label)
        })
        .collect();
    entries.push(Entry::new(Key::Dot(INK, Mark::Disc), "o"));
    entries.push(Entry::new(Key::Dot(FRAME, Mark::Cross), "state 0"));
    let y = furniture::legend(&mut scene, y, &entries);
    let space = Space::new(Rect { y, ..ROOM }, &bounds, coordinates.flat());
    space.draw(&mut scene, &coordinates.labels);

    for (origin, end) in &ends {
        if let (Some(from), Some(to)) = (space.floor(origin), space.floor(end)) {
            scene.line("help", vec![from, to], Stroke::new(FRAME, 1.0).dashed(HELP));
            scene.line("help", vec![space.project(end), to], Stroke::new(FRAME, 1.0).dashed(HELP));
        }
    }
    let mark = |scene: &mut Scene, class, at: Point, radius, color, mark| {
        scene.push(class, Shape::Dots { points: vec![at], radius, color, mark });
    };
    mark(&mut scene, "zero", space.project(&zero), 5.0, FRAME, Mark::Cross);
    let mut order: Vec<usize> = (0..axes.len()).collect();
    let near = |at: &usize| space.nearness(&[ends[*at].0, ends[*at].1]);
    order.sort_by(|a, b| near(a).total_cmp(&near(b)));
    for at in order {
        let look = look(axes[at].trait_index);
        let name = context.trait_name(axes[at].trait_index);
        let points = vec![space.project(&ends[at].0), space.project(&ends[at].1)];
        let casing = Stroke::new(WHITE, LINE + 2.5);
        scene.push_trait("casing", name, Shape::Line { points: points.clone(), stroke: casing });
        let end = points[1];
        let stroke = Stroke::new(look.color, LINE).dashed(look.dash);
        scene.push_trait("trait-axis", name, Shape::Line { points, stroke });
        let tip = Shape::Dots { points: vec![end], radius: 5.5, color: look.color, mark: look.mark };
        scene.push_trait("tip", name, tip);
    }
    if let Some((origin, _)) = ends.first() {
        mark(&mut scene, "origin", space.project(origin), 5.0, INK, Mark::Disc);
    }
    let tips: Vec<(Point, Point, String)> = ends
        .iter()
        .zip(axes)
        .map(|((origin, end), axis)| {
            (space.project(origin), space.project(end), context.trait_name(axis.trait_index).to_owned())
        })
        .collect();
    label(&mut scene, &tips);
    Ok(context.finish(scene, y + ROOM.height + 10.0, &["trait_axes"], Vec::new()))
}

/// Writes each label beyond its tip, moved aside where it would cover another label or tip.
fn label(scene: &mut Scene, tips: &[(Point, Point, String)]) {
    let mut taken: Vec<[f64; 4]> =
        tips.iter().map(|(_, [x, y], _)| [x - 6.0, y - 6.0, x + 6.0, y + 6.0]).collect();
    for (origin, tip, name) in tips {
        let name = text::shorten(name, LABEL, true, 260.0);
        let width = text::width(&name, LABEL, true);
        let boxed = |at: Point| [at[0] - 0.5 * width, at[1] - 12.0, at[0] + 0.5 * width, at[1] + 4.0];
        let free = |at: &Point| {
            let [left, top, right, bottom] = boxed(*at);
            let inside = left > 4.0 && right < WIDTH - 4.0;
            inside && taken.iter().all(|[l, t, r, b]| right < *l || left > *r || bottom < *t || top > *b)
        };
        let candidates = candidates(*origin, *tip, width);
        let at = candidates.iter().copied().find(|at| free(at)).unwrap_or(candidates[0]);
        taken.push(boxed(at));
        let [left, top, right, bottom] = boxed(at);
        // A label that had to go far away is tied to its tip.
        let nearest = [tip[0].clamp(left, right), tip[1].clamp(top, bottom)];
        if (nearest[0] - tip[0]).hypot(nearest[1] - tip[1]) > 26.0 {
            scene.line("help", vec![*tip, nearest], Stroke::new(GRID, 1.0));
        }
        scene.text("label", Text::new(at, name, LABEL, INK).bold().anchor(Anchor::Middle));
    }
}

/// Positions for the middle of a label's baseline: beyond the tip first, then around it, then farther away.
fn candidates(origin: Point, tip: Point, width: f64) -> Vec<Point> {
    let along = (tip[1] - origin[1]).atan2(tip[0] - origin[0]);
    let mut candidates = Vec::new();
    for distance in [14.0, 30.0, 48.0, 70.0] {
        for turn in [0.0, 0.5, -0.5, 1.0, -1.0, 1.6, -1.6, 2.3, -2.3] {
            let (sin, cos) = f64::sin_cos(along + turn);
            candidates.push([
                tip[0] + cos * (distance + 0.5 * width * cos.abs()),
                tip[1] + sin * (distance + 4.0) + 4.0,
            ]);
        }
    }
    candidates
}
