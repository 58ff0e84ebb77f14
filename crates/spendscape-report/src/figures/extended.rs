//! Figure 3: extended trajectories and the final locations that their grades predict.

use super::{Context, Drawn, Track, TrackStyle, draw_tracks};
use crate::draw::{
    furniture::{self, Entry, Key, SIDE, WIDTH},
    palette::{INK, Mark, SOLID, look},
    plane::Rect,
    scene::{Point, Scene, Shape},
    space::{Bounds, Place, Space},
    text,
};
use crate::run::Missing;

/// Panels, as many as in P3.
const PANELS: usize = 4;
const PANEL: Rect = Rect { x: 0.0, y: 0.0, width: 566.0, height: 400.0 };
const STYLE: TrackStyle = TrackStyle { width: 0.9, end: 2.0, white: 0.45 };
const CROSS: f64 = 3.6;

pub(super) fn draw(context: &Context<'_>, title: &str) -> Drawn {
    let run = context.run;
    let extended = run.extended.as_ref().map_err(Missing::reason)?;
    let locations = run.locations.as_ref().map_err(Missing::reason)?;
    let mut location: Vec<Option<Place>> = vec![None; run.customers.len()];
    for (customer, row) in locations.customers.iter().zip(locations.values.rows()) {
        location[*customer] = Some(context.coordinates.place(row.iter().copied(), 1.0));
    }
    // The largest groups of those in the table, in the traits' order.
    let mut sizes = vec![0_usize; run.traits.len()];
    for (customer, _) in &extended.spans {
        sizes[run.dominant[*customer]] += 1;
    }
    let mut groups: Vec<usize> = (0..sizes.len()).filter(|group| sizes[*group] > 0).collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(sizes[*group]), *group));
    groups.truncate(PANELS);
    groups.sort_unstable();

    let limit = context.options.customers / groups.len().max(1);
    let panels: Vec<(usize, Vec<Track>, Vec<Place>)> = groups
        .into_iter()
        .map(|group| {
            let tracks = context.tracks(extended, limit, |customer| run.dominant[customer] == group);
            let crosses = tracks.iter().filter_map(|(customer, _)| location[*customer]).collect();
            (group, tracks.into_iter().map(|(_, track)| track).collect(), crosses)
        })
        .collect();
    let places = panels
        .iter()
        .flat_map(|(_, tracks, crosses)| tracks.iter().flat_map(|track| &track.places).chain(crosses));
    let bounds = Bounds::of(places);

    let mut scene = Scene::new(WIDTH, title);
    let caption = context.caption(&format!(
        "Each customer's mean input held for {} steps, from the origin; one dominant trait per panel ({} of {} traits, those \
         with most customers in extended.parquet). Crosses: final locations L = o + sum of normalized grades times trait \
         axes (P3, equation 3, with the origin o). All panels have the same axes.",
        extended.steps(),
        panels.len(),
        run.traits.len()
    ));
    let y = furniture::header(&mut scene, &caption);
    let entries = [
        Entry::new(
            Key::Line(INK.tint(STYLE.white), 1.6, SOLID),
            "extended trajectory (lighter, in the trait's color)",
        ),
        Entry::new(Key::Dot(INK.tint(STYLE.white), Mark::Disc), "its last step"),
        Entry::new(Key::Dot(INK, Mark::Cross), "predicted final location L"),
    ];
    let y = furniture::legend(&mut scene, y, &entries);
    let rows = panels.len().div_ceil(2) as f64;
    for (at, (group, tracks, crosses)) in panels.into_iter().enumerate() {
        let (column, row) = ((at % 2) as f64, (at / 2) as f64);
        let corner = [SIDE + column * (PANEL.width + 12.0), y + row * (PANEL.height + 34.0)];
        let letter = char::from(b'a' + at as u8);
        let name = context.trait_name(group);
        let (drawn, all) = (text::count(tracks.len()), text::count(sizes[group]));
        let heading = format!("({letter}) {name}: {drawn} of {all} customers");
        furniture::key(&mut scene, [corner[0], corner[1] + 12.0], Key::Dot(look(group).color, Mark::Cross));
        furniture::heading(&mut scene, [corner[0] + 32.0, corner[1] + 16.0], &heading, PANEL.width - 32.0);
        let room = Rect { x: corner[0], y: corner[1] + 24.0, ..PANEL };
        let space = Space::new(room, &bounds, context.coordinates.flat());
        space.draw(&mut scene, &context.coordinates.labels);
        draw_tracks(&mut scene, &space, run, "extended", &tracks, STYLE);
        let points: Vec<Point> = crosses.iter().map(|place| space.project(place)).collect();
        let color = look(group).color;
        scene.push_trait("location", name, Shape::Dots { points, radius: CROSS, color, mark: Mark::Cross });
    }
    let files = ["targets", "extended", "predictions"];
    Ok(context.finish(scene, y + rows * (PANEL.height + 34.0) + 8.0, &files, Vec::new()))
}
