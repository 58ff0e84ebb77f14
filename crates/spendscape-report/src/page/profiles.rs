//! The segments as people read them: one card each, and what changed since an earlier run.

use super::{
    html,
    sections::{named, note},
};
use spendscape_schema::tables::{DriftRow, ProfileSpendingRow};

use crate::{
    draw::{
        axis::Range,
        palette::{INK, look},
        plane::{Plane, Rect},
        scene::{Scene, Shape, Stroke},
        svg::{self, escape},
        text::count,
    },
    profiles::Profile,
    run::Part,
};

/// Classes named in a sentence, per direction.
const NAMED: usize = 3;
/// Least difference, in standard deviations over customers, of a class that a sentence names: "small" by Cohen's (1988)
/// convention.
const NOTABLE: f64 = 0.2;
/// Least mean grade of a trait that a headline names: the same difference, grades having a standard deviation of a third.
const NOTABLE_GRADE: f64 = NOTABLE / 3.0;
/// Overlap above which a segment is stable, and below which it dissolves (Hennig 2007).
const STABLE: f64 = 0.75;
const DISSOLVES: f64 = 0.5;
/// Population stability indices that are usually read as a change worth a look, and as a shift.
const SHIFTS: [f64; 2] = [0.1, 0.25];

/// Size of the plot of a segment's trajectory in pixels.
const PLOT: [f64; 2] = [460.0, 250.0];

/// A card for every segment.
pub(super) fn cards(profiles: &Part<Vec<Profile>>, traits: &[String]) -> String {
    let profiles = match profiles {
        Ok(profiles) => profiles,
        Err(missing) => return note(&missing.reason()),
    };
    // All plots have the same axes, so that segments can be compared.
    let grades = profiles.iter().flat_map(|profile| profile.outputs.iter().chain(&profile.grades).copied());
    let range = Range::around(grades.chain([0.0]), 4.0);
    let widest = profiles
        .iter()
        .flat_map(|p| &p.spending)
        .map(|s| s.difference.abs())
        .fold(f64::MIN_POSITIVE, f64::max);
    let mut content = String::from(
        "<p class=\"note\">A segment is a cluster of customers whose trajectories head the same way. Grades are in \
         [\u{2212}1, 1], 0 being the average customer. Differences are in standard deviations over all customers.</p>\n",
    );
    for profile in profiles {
        content.push_str(&card(profile, traits, &range, widest));
    }
    content
}

fn card(profile: &Profile, traits: &[String], range: &Range, widest: f64) -> String {
    let id = format!("segment-{}", profile.id);
    format!(
        "<article class=\"segment\" aria-labelledby=\"{id}\">\n<h3 id=\"{id}\">{}</h3>\n<p>{}</p>\n\
         <div class=\"columns\">\n<div>{}</div>\n<div>{}\
         <p class=\"note\">Grades that the network predicts from the segment's mean trajectory, after each period:</p>\n{}\
         </div>\n</div>\n<p class=\"note\">Typical customers: {}.</p>\n\
         </article>\n",
        escape(&headline(profile, traits)),
        escape(&sentence(profile)),
        spending(profile, widest),
        grades(profile, traits),
        svg::element(&trajectory(profile, traits, range), &format!("{id}-trajectory")),
        escape(&profile.typical.join(", "))
    )
}

/// The segment's id, and the traits in which it differs most from the average customer.
fn headline(profile: &Profile, traits: &[String]) -> String {
    let mut order: Vec<usize> = (0..profile.grades.len()).collect();
    order.sort_by(|a, b| profile.grades[*b].total_cmp(&profile.grades[*a]));
    let part = |at: Option<&usize>, wanted: f64, word: &str| {
        let at = at.filter(|at| profile.grades[**at] * wanted >= NOTABLE_GRADE)?;
        Some(format!("{word} {}", traits[*at]))
    };
    let parts: Vec<String> =
        [part(order.first(), 1.0, "high"), part(order.last(), -1.0, "low")].into_iter().flatten().collect();
    let traits = if parts.is_empty() { "average in every trait".to_owned() } else { parts.join(", ") };
    format!("Segment {}: {traits}", profile.id)
}

/// Size, spending and stability in words.
fn sentence(profile: &Profile) -> String {
    let mut text = format!("{} customers, {} of all.", count(profile.customers), percent(profile.share));
    let list = |sign: f64| -> Vec<&ProfileSpendingRow> {
        let wanted = |s: &&ProfileSpendingRow| sign * s.difference >= NOTABLE;
        profile.spending.iter().filter(wanted).take(NAMED).collect()
    };
    let name = |s: &ProfileSpendingRow| {
        if s.population > 0.0 {
            format!("{} ({:.1} times the average)", s.class, s.share / s.population)
        } else {
            s.class.clone()
        }
    };
    let join = |found: &[&ProfileSpendingRow]| found.iter().map(|s| name(s)).collect::<Vec<_>>().join(", ");
    let (more, less) = (list(1.0), list(-1.0));
    if !more.is_empty() {
        text += &format!(" They spend more on {}.", join(&more));
    }
    if !less.is_empty() {
        text += &format!(" They spend less on {}.", join(&less));
    }
    if more.is_empty() && less.is_empty() {
        text += " Their spending is close to the average in every class.";
    }
    text += &format!(" {} were in it after every period", percent(profile.always_kept));
    if let Some(kept) = profile.short_kept {
        text += &format!(", {} are in it by the short window too", percent(kept));
    }
    text.push('.');
    if let Some(overlap) = profile.bootstrap_overlap {
        let word = match overlap {
            overlap if overlap >= STABLE => "it is found again",
            overlap if overlap >= DISSOLVES => "it is found again in part",
            _ => "it dissolves",
        };
        text += &format!(" In refits on resampled customers {word} (overlap {overlap:.2}).");
    }
    text
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Classes that set the segment apart, with bars to both sides of the average.
fn spending(profile: &Profile, widest: f64) -> String {
    let row = |s: &ProfileSpendingRow| {
        let width = 50.0 * s.difference.abs() / widest;
        let (side, left) = if s.difference < 0.0 { ("less", 50.0 - width) } else { ("more", 50.0) };
        let bar = format!(
            "<span class=\"bar\"><span class=\"{side}\" style=\"left:{left:.1}%;width:{width:.1}%\"></span></span>"
        );
        let difference = format!("{:+.2}", s.difference).replace('-', "\u{2212}");
        vec![escape(&s.class), bar, difference, percent(s.share), percent(s.population)]
    };
    let headings = [
        ("class", false),
        ("against the average", false),
        ("difference", true),
        ("segment", true),
        ("all", true),
    ];
    let rows: Vec<Vec<String>> = profile.spending.iter().map(row).collect();
    html::table("Spending that sets it apart", &headings, &rows)
}

/// Mean grades, which are the plot's legend too.
fn grades(profile: &Profile, traits: &[String]) -> String {
    let row = |(at, name): (usize, &String)| {
        let grade = format!("{:+.2}", profile.grades[at]).replace('-', "\u{2212}");
        vec![named(at, name), grade]
    };
    let rows: Vec<Vec<String>> = traits.iter().enumerate().map(row).collect();
    html::table("Mean grades", &[("trait", false), ("grade", true)], &rows)
}

/// The grades that the network would predict after each period, from the mean trajectory.
fn trajectory(profile: &Profile, traits: &[String], range: &Range) -> Scene {
    let mut scene = Scene::new(PLOT[0], &format!("Trajectory of segment {}", profile.id));
    "The network's output at the segment's mean hidden state, after each period, one line per trait."
        .clone_into(&mut scene.description);
    scene.height = PLOT[1];
    let periods = profile.outputs.nrows();
    let across = Range::new(0.75, periods.max(1) as f64 + 0.25, 1.0);
    let room = Rect { x: 0.0, y: 8.0, width: PLOT[0] - 8.0, height: PLOT[1] - 8.0 };
    let plane = Plane::new(room, across, range.clone(), false);
    plane.draw(&mut scene, "period", "grade predicted");
    for (at, name) in traits.iter().enumerate() {
        let look = look(at);
        let points: Vec<[f64; 2]> = (0..periods)
            .map(|period| plane.project([period as f64 + 1.0, profile.outputs[[period, at]]]))
            .collect();
        let stroke = Stroke::new(look.color, 2.0).dashed(look.dash);
        scene.push_trait("trajectory", name, Shape::Line { points: points.clone(), stroke });
        let (color, mark) = (look.color, look.mark);
        scene.push_trait("trajectory", name, Shape::Dots { points, radius: 3.0, color, mark });
    }
    if periods == 0 {
        let missing = "profile_trajectories.parquet has no rows";
        scene.text("note", crate::draw::scene::Text::new([80.0, 60.0], missing, 12.0, INK));
    }
    scene
}

/// What became of an earlier run's segments.
pub(super) fn drift(drift: &Part<Vec<DriftRow>>) -> String {
    let drift = match drift {
        Ok(drift) => drift,
        Err(_) => {
            return note(
                "No earlier run was named: `spendscape segment --previous RUN` says what changed since",
            );
        }
    };
    let parts = |ids: &[u32], parts: &[f32]| {
        let part = |(id, part): (&u32, &f32)| format!("{id} ({:.0} %)", 100.0 * part);
        ids.iter().zip(parts).map(part).collect::<Vec<_>>().join(", ")
    };
    let what = |row: &DriftRow| {
        let mut words = vec![row.fate.clone()];
        if row.went_to.len() > 1 {
            words.push("split".to_owned());
        }
        if row.came_from.len() > 1 {
            words.push("merged".to_owned());
        }
        words.join(", ")
    };
    let rows: Vec<Vec<String>> = drift
        .iter()
        .map(|row| {
            vec![
                row.segment.to_string(),
                escape(&what(row)),
                count(row.old_customers as usize),
                count(row.new_customers as usize),
                count(row.stayed as usize),
                row.closest.map_or_else(String::new, |id| format!("{id} ({:.2})", row.overlap)),
                parts(&row.went_to, &row.went_to_part),
                parts(&row.came_from, &row.came_from_part),
                row.matched.map_or_else(String::new, |id| id.to_string()),
                row.stability_index.map_or_else(String::new, |index| format!("{index:.3}")),
            ]
        })
        .collect();
    let headings = [
        ("segment", true),
        ("what became of it", false),
        ("before", true),
        ("now", true),
        ("stayed", true),
        ("closest (overlap)", false),
        ("its customers went to", false),
        ("took customers of", false),
        ("size compared with", false),
        ("stability index", true),
    ];
    let mut content = html::table("Segments of the earlier run and of this one", &headings, &rows);
    // A pair's part stands with one of the two; without customers on one side there is none at all.
    let indices: Vec<f64> = drift.iter().filter_map(|row| row.stability_index).collect();
    if !indices.is_empty() {
        let total: f64 = indices.iter().sum();
        let word = match total {
            total if total < SHIFTS[0] => "sizes are stable",
            total if total < SHIFTS[1] => "sizes have changed somewhat",
            _ => "sizes have shifted",
        };
        content.push_str(&format!(
            "<p class=\"note\">Population stability index over all matched segments: {total:.3} ({word}; below {} is usually read \
             as stable, above {} as a shift). Segments are matched by their customers, whether or not the id lasted; one without a \
             match counts as empty on the other side. A segment that appeared was too unlike the one it is closest to for keeping \
             its id: <code>--keep-overlap</code> says how unlike is too unlike.</p>\n",
            SHIFTS[0], SHIFTS[1]
        ));
    }
    content
}
