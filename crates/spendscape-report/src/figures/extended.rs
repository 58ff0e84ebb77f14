//! Figure 3: extended trajectories and the final locations that their grades predict.

use std::collections::HashMap;

use super::{Context, Drawn, Track, TrackStyle, draw_tracks};
use crate::draw::{
    furniture::{self, Entry, Key, SIDE, WIDTH},
    palette::{INK, MUTED, Mark, SOLID, look},
    plane::Rect,
    scene::{Point, Scene, Shape, Stroke, Text},
    space::{Bounds, Place, Space},
    text,
};
use crate::run::Missing;

/// Panels at most. P3 has four, of five traits.
const PANELS: usize = 6;
/// Panels side by side.
const COLUMNS: usize = 3;
const PANEL: Rect = Rect { x: 0.0, y: 0.0, width: 373.0, height: 340.0 };
/// Trajectories per panel at most: each has a cross and a line to it.
const TRAJECTORIES: usize = 40;
const STYLE: TrackStyle = TrackStyle { width: 0.9, end: 2.0, white: 0.45 };
const CROSS: f64 = 3.4;
/// Dashes of the line from a trajectory's end to its location.
const WAY: &[f64] = &[2.0, 2.5];

/// A customer's extended trajectory, its last state, and the predicted final location.
struct Predicted {
    track: Track,
    last: Vec<f64>,
    location: Vec<f64>,
}

pub(super) fn draw(context: &Context<'_>, title: &str) -> Drawn {
    let run = context.run;
    let extended = run.extended.as_ref().map_err(Missing::reason)?;
    let locations = run.locations.as_ref().map_err(Missing::reason)?;
    let mut location: Vec<Option<Vec<f64>>> = vec![None; run.customers.len()];
    for (customer, row) in locations.customers.iter().zip(locations.values.rows()) {
        location[*customer] = Some(row.to_vec());
    }
    let last: HashMap<usize, Vec<f64>> = extended
        .spans
        .iter()
        .filter_map(|(customer, rows)| {
            Some((*customer, extended.states.row(rows.end.checked_sub(1)?).to_vec()))
        })
        .collect();
    // The largest groups of those in the table, in the traits' order.
    let mut sizes = vec![0_usize; run.traits.len()];
    for (customer, _) in &extended.spans {
        sizes[run.dominant[*customer]] += 1;
    }
    let mut groups: Vec<usize> = (0..sizes.len()).filter(|group| sizes[*group] > 0).collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(sizes[*group]), *group));
    groups.truncate(PANELS);
    groups.sort_unstable();

    let limit = (context.options.customers / groups.len().max(1)).min(TRAJECTORIES);
    let panels: Vec<(usize, Vec<Predicted>)> = groups
        .into_iter()
        .map(|group| {
            let tracks = context.tracks(extended, limit, |customer| {
                run.dominant[customer] == group && location[customer].is_some()
            });
            let predicted = |(customer, track): (usize, Track)| {
                Some(Predicted {
                    track,
                    last: last.get(&customer)?.clone(),
                    location: location[customer].clone()?,
                })
            };
            (group, tracks.into_iter().filter_map(predicted).collect())
        })
        .collect();
    let place = |state: &[f64]| context.coordinates.place(state.iter().copied(), 1.0);
    let crosses: Vec<Place> =
        panels.iter().flat_map(|(_, own)| own.iter().map(|found| place(&found.location))).collect();
    let tracked = panels.iter().flat_map(|(_, own)| own.iter().flat_map(|found| &found.track.places));
    let bounds = Bounds::of(tracked.chain(&crosses));
    let spread = spread(last.values());
    let away = |own: &mut dyn Iterator<Item = &Predicted>| format!("{:.2}", root_mean_square(own) / spread);

    let mut scene = Scene::new(WIDTH, title);
    let caption = context.caption(&format!(
        "Each customer's mean input held for {} steps, from the origin; one dominant trait per panel ({} of {} traits, those \
         with most customers in extended.parquet). Crosses: final locations L = o + sum of normalized grades times trait \
         axes (P3, equation 3, with the origin o), each joined by a dotted line to the last step of its own trajectory. All \
         panels have the same axes. From the last steps that are drawn, L lies {} of the spread of all last steps (root mean \
         square distance from their mean); each panel says it for its own.",
        extended.steps(),
        panels.len(),
        run.traits.len(),
        away(&mut panels.iter().flat_map(|(_, own)| own)),
    ));
    let y = furniture::header(&mut scene, &caption);
    let entries = [
        Entry::new(
            Key::Line(INK.tint(STYLE.white), 1.6, SOLID),
            "extended trajectory (lighter, in the trait's color)",
        ),
        Entry::new(Key::Dot(INK.tint(STYLE.white), Mark::Disc), "its last step"),
        Entry::new(Key::Dot(INK, Mark::Cross), "predicted final location L"),
        Entry::new(Key::Line(INK, 1.0, WAY), "from the last step to L"),
    ];
    let y = furniture::legend(&mut scene, y, &entries);
    let lines = panels.len().div_ceil(COLUMNS) as f64;
    for (at, (group, own)) in panels.into_iter().enumerate() {
        let (column, line) = ((at % COLUMNS) as f64, (at / COLUMNS) as f64);
        let corner = [SIDE + column * (PANEL.width + 12.0), y + line * (PANEL.height + 50.0)];
        let letter = char::from(b'a' + at as u8);
        let name = context.trait_name(group);
        let (drawn, all) = (text::count(own.len()), text::count(sizes[group]));
        let heading = format!("({letter}) {name}");
        let told = format!("{drawn} of {all} customers; L lies {} of the spread away", away(&mut own.iter()));
        let color = look(group).color;
        furniture::key(&mut scene, [corner[0], corner[1] + 12.0], Key::Dot(color, Mark::Cross));
        furniture::heading(&mut scene, [corner[0] + 32.0, corner[1] + 16.0], &heading, PANEL.width - 32.0);
        let told = text::shorten(&told, 12.0, false, PANEL.width - 32.0);
        scene.text("heading", Text::new([corner[0] + 32.0, corner[1] + 33.0], told, 12.0, MUTED));
        let room = Rect { x: corner[0], y: corner[1] + 40.0, ..PANEL };
        let space = Space::new(room, &bounds, context.coordinates.flat());
        space.draw(&mut scene, &context.coordinates.labels);
        let tracks: Vec<Track> = own.iter().map(|found| found.track.clone()).collect();
        draw_tracks(&mut scene, &space, run, "extended", &tracks, STYLE);
        let crosses: Vec<Point> = own.iter().map(|found| space.project(&place(&found.location))).collect();
        for (found, cross) in own.iter().zip(&crosses) {
            let points = vec![space.project(&place(&found.last)), *cross];
            let stroke = Stroke::new(color, 0.9).dashed(WAY);
            scene.push_trait("way", name, Shape::Line { points, stroke });
        }
        let crosses = Shape::Dots { points: crosses, radius: CROSS, color, mark: Mark::Cross };
        scene.push_trait("location", name, crosses);
    }
    let files = ["targets", "extended", "predictions"];
    Ok(context.finish(scene, y + lines * (PANEL.height + 50.0) + 8.0, &files, Vec::new()))
}

/// Root mean square distance of the last states from their locations.
fn root_mean_square(found: &mut dyn Iterator<Item = &Predicted>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0_f64);
    for Predicted { last, location, .. } in found {
        sum += last.iter().zip(location).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        count += 1.0;
    }
    (sum / count.max(1.0)).sqrt()
}

/// Root mean square distance of states from their mean.
fn spread<'a>(states: impl Iterator<Item = &'a Vec<f64>> + Clone) -> f64 {
    let (mut mean, mut count) = (Vec::new(), 0.0);
    for state in states.clone() {
        mean.resize(state.len(), 0.0);
        mean.iter_mut().zip(state).for_each(|(mean, value)| *mean += value);
        count += 1.0;
    }
    mean.iter_mut().for_each(|mean| *mean /= count);
    let square = |state: &Vec<f64>| state.iter().zip(&mean).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    (states.map(square).sum::<f64>() / count).sqrt()
}
