//! Figure 2: the plane of the two direction angles, colored by rank of dominance.

use super::{Context, Drawn, draw_dots};
use crate::{
    draw::{
        axis::Range,
        furniture::{self, Entry, Key, SIDE, WIDTH},
        palette::{MUTED, Mark, REST},
        plane::{Plane, Rect},
        scene::{Point, Scene, Shape, Text},
        text,
    },
    run::{Missing, Part, Vectors},
    sample,
};

/// Ranks that the papers show: the dominant trait, then the second, third and fourth.
const RANKS: usize = 4;
const ORDINALS: [&str; RANKS] = ["dominant", "second", "third", "fourth"];
const PANEL: Rect = Rect { x: 0.0, y: 0.0, width: 560.0, height: 370.0 };
/// Share of a panel's dots that may be customers who are not in question.
const REST_SHARE: f64 = 0.4;
/// Radius of a dot where there are few and where there are many.
const RADIUS: (f64, f64) = (3.0, 1.7);
/// So many dots are many.
const MANY: f64 = 2_500.0;
/// Radius of a gray dot, as a share of the others'.
const REST_RADIUS: f64 = 0.7;

pub(super) fn draw_surrogate(context: &Context<'_>, title: &str) -> Drawn {
    let what = "directions that the linear surrogate predicts from mean shares";
    draw(context, title, &context.run.surrogate_angles, ["surrogate_angles", "surrogate"], what)
}

pub(super) fn draw_network(context: &Context<'_>, title: &str) -> Drawn {
    let what = "directions of the network's trajectories";
    draw(context, title, &context.run.angles, ["angles", "angles"], what)
}

/// Draws the angles of a table, whose neighbors are measured under a name.
fn draw(
    context: &Context<'_>,
    title: &str,
    angles: &Part<Vectors>,
    [file, measured]: [&str; 2],
    what: &str,
) -> Drawn {
    let run = context.run;
    let angles = angles.as_ref().map_err(Missing::reason)?;
    let paths = run.paths.as_ref().map_err(Missing::reason)?;
    if angles.values.ncols() < 2 {
        return Err(format!(
            "{file}.parquet has {} direction angle(s) for states of {} dimension(s): no plane to draw",
            angles.values.ncols(),
            run.width()
        ));
    }
    // Customers in random order, those without a segment left out.
    let rows: Vec<usize> =
        (0..angles.customers.len()).filter(|row| !paths[angles.customers[*row]].is_empty()).collect();
    let label = |row: usize| run.customers[angles.customers[row]].clone().into_bytes();
    let rows = sample::by_label(&rows, rows.len(), label);
    if rows.is_empty() {
        return Err("segments.parquet has no path for any customer with angles".to_owned());
    }
    let path = |row: usize| paths[angles.customers[row]].as_slice();
    let point = |row: usize| -> Point { [angles.values[[row, 0]], angles.values[[row, 1]]] };
    let ranks = rows.iter().map(|row| path(*row).len()).max().unwrap_or(0).min(RANKS);

    let mut scene = Scene::new(WIDTH, title);
    let more = angles.values.ncols() - 2;
    let first = if more > 0 { format!(" (the first two of {} angles)", more + 2) } else { String::new() };
    let caption = format!(
        "One dot per customer at the two angles{first} of the {what}, in radians. (a) by dominant trait; then, within the \
         largest group of the panel before, by the trait next in order; the rest is gray. At most {} of {} customers per \
         panel.{}",
        text::count(context.options.dots.min(rows.len())),
        text::count(rows.len()),
        accuracies(context, measured, ranks)
    );
    let y = furniture::header(&mut scene, &caption);
    let mut entries = context.trait_entries(|look| Key::Dot(look.color, look.mark));
    if ranks > 1 {
        entries.push(Entry::new(Key::Dot(REST, Mark::Disc), "the rest"));
    }
    let y = furniture::legend(&mut scene, y, &entries);
    let x_range = Range::around(rows.iter().map(|row| point(*row)[0]), 7.0);
    let y_range = Range::around(rows.iter().map(|row| point(*row)[1]), 6.0);

    // A radian is as long upward as sideways: the panels are as high as that makes them.
    let panel = Rect { height: Plane::height_of(PANEL, &x_range, &y_range), ..PANEL };
    let crowd = (rows.len().min(context.options.dots) as f64 / MANY).min(1.0);
    let radius = RADIUS.0 + crowd * (RADIUS.1 - RADIUS.0);
    let mut prefix: Vec<usize> = Vec::new();
    for rank in 0..ranks {
        let (column, line) = ((rank % 2) as f64, (rank / 2) as f64);
        let corner = [SIDE + column * (PANEL.width + 24.0), y + line * (panel.height + 60.0)];
        let (inside, outside): (Vec<usize>, Vec<usize>) =
            rows.iter().partition(|row| path(**row).len() > rank && path(**row).starts_with(&prefix));
        let names: Vec<&str> = prefix.iter().map(|at| context.trait_name(*at)).collect();
        let letter = char::from(b'a' + rank as u8);
        let group = if rank == 0 { "All".to_owned() } else { names.join(" / ") };
        let counted = text::count(inside.len());
        let heading = format!("({letter}) By {} trait", ORDINALS[rank]);
        furniture::heading(&mut scene, [corner[0], corner[1] + 16.0], &heading, PANEL.width);
        let group = text::shorten(&format!("{group}: {counted} customers"), 12.0, false, PANEL.width);
        scene.text("heading", Text::new([corner[0], corner[1] + 33.0], group, 12.0, MUTED));
        let room = Rect { x: corner[0], y: corner[1] + 42.0, ..panel };
        let plane = Plane::new(room, x_range.clone(), y_range.clone(), true);
        plane.draw(&mut scene, "longitude (radians)", "latitude (radians)");
        let gray = outside.len().min((REST_SHARE * context.options.dots as f64) as usize);
        if gray > 0 {
            let points = outside[..gray].iter().map(|row| plane.project(point(*row))).collect();
            scene.push(
                "rest",
                Shape::Dots { points, radius: REST_RADIUS * radius, color: REST, mark: Mark::Disc },
            );
        }
        let shown = &inside[..inside.len().min(context.options.dots - gray)];
        let dots: Vec<(usize, Point)> =
            shown.iter().map(|row| (path(*row)[rank], plane.project(point(*row)))).collect();
        draw_dots(&mut scene, CLASSES[rank], &run.traits, &dots, radius, 0.0);
        let mut sizes = vec![0_usize; run.traits.len()];
        for row in &inside {
            sizes[path(*row)[rank]] += 1;
        }
        prefix.push(crate::run::largest(sizes.iter().map(|size| *size as f64)));
    }
    let lines = ranks.div_ceil(2) as f64;
    Ok(context.finish(scene, y + lines * (panel.height + 60.0), &[file, "segments"], Vec::new()))
}

/// How many customers' first traits in order their neighbors in the plane tell, where that was measured.
fn accuracies(context: &Context<'_>, measured: &str, ranks: usize) -> String {
    let Ok(figures) = &context.run.measured else { return String::new() };
    let level = |rank: usize| {
        let figure = |of: &str| figures.get(&format!("segments.knn.{of}.{rank}"));
        let [found, chance] = [figure(measured)?, figure("chance")?];
        let what = if rank == 1 { "the first trait".to_owned() } else { format!("the first {rank}") };
        Some(format!("{what} of {:.0} % (by chance {:.0} %)", 100.0 * found, 100.0 * chance))
    };
    let levels: Vec<String> = (1..=ranks).map_while(level).collect();
    if levels.is_empty() {
        return String::new();
    }
    format!(" Of the customers, their 15 nearest neighbors by these angles tell {}.", levels.join(", "))
}

/// Classes of the dots of each panel.
const CLASSES: [&str; RANKS] = ["rank-1", "rank-2", "rank-3", "rank-4"];
