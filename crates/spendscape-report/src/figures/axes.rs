//! Figure 6: the traits' axes in state space.

use super::{Context, Drawn};
use crate::draw::{
    furniture::{self, Entry, Key, WIDTH},
    labels::{self, Tip},
    palette::{FRAME, INK, Mark, WHITE, look},
    plane::Rect,
    scene::{Point, Scene, Shape, Stroke},
    space::{Bounds, Place, Space},
};
use crate::run::Missing;

const ROOM: Rect = Rect { x: 120.0, y: 0.0, width: 960.0, height: 680.0 };
const LINE: f64 = 4.0;
/// Dashes of lines that only help to see where things are.
const HELP: &[f64] = &[2.0, 3.0];

pub(super) fn draw(context: &Context<'_>, title: &str) -> Drawn {
    let run = context.run;
    let axes = run.axes.as_ref().map_err(Missing::reason)?;
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
        "Inverse regression maps each trait of the output space to an axis in the state space (P3, equation 2): from the state o, \
         whose output is nearest to zero, by the largest reachable output D of the trait times the trait's row of the inverse w. \
         The axis has the length D |w|, in state units; with more traits than units, where other outputs rise along with it, its \
         end raises the trait's output by less than D. Dotted: drop lines and shadows on the floor.",
    );
    let y = furniture::header(&mut scene, &caption);
    let mut entries: Vec<Entry> = axes
        .iter()
        .map(|axis| {
            let look = look(axis.trait_index);
            let name = context.trait_name(axis.trait_index);
            let length = axis.axis.iter().map(|along| along * along).sum::<f64>().sqrt();
            let label =
                format!("{name} (D {:.2}, length {length:.2})", axis.magnitude).replace('-', "\u{2212}");
            Entry::new(Key::Line(look.color, LINE, look.dash), label)
        })
        .collect();
    entries.push(Entry::new(Key::Dot(INK, Mark::Disc), "o"));
    entries.push(Entry::new(Key::Dot(INK, Mark::Cross), "state 0"));
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
    mark(&mut scene, "zero", space.project(&zero), 5.0, INK, Mark::Cross);
    if let Some((origin, _)) = ends.first() {
        mark(&mut scene, "origin", space.project(origin), 5.0, INK, Mark::Disc);
    }
    let tips: Vec<Tip> = ends
        .iter()
        .zip(axes)
        .map(|((origin, end), axis)| Tip {
            from: space.project(origin),
            to: space.project(end),
            name: context.trait_name(axis.trait_index).to_owned(),
            clear: 8.0,
        })
        .collect();
    labels::write(&mut scene, &tips, &[], 14.0);
    Ok(context.finish(scene, y + ROOM.height + 10.0, &["trait_axes"], Vec::new()))
}
