//! The report as one page that needs nothing else: figures, tables and a view of the trajectories to turn around.

mod explore;
pub(crate) mod html;
mod profiles;
mod sections;

use std::path::Path;

use spendscape_schema::{Tabular, tables::Metrics};
use spendscape_store::write_file;

use crate::{
    Error,
    coordinates::Coordinates,
    draw::svg,
    facts::Facts,
    figures::{Context, FigureOptions, PLANS},
    measured::read_figures,
    run::{FIDELITY, Run, optional},
};

pub(crate) const STYLE: &str = include_str!("../../assets/report.css");
const SCRIPT: &str = include_str!("../../assets/report.js");

/// Writes the report on the run folder `run` as one HTML file, `out`: what it is about and what to be warned of, the figures
/// with their
/// captions, the trajectories to turn around (where the reader's browser runs scripts), what the segments are like and what
/// became of an earlier run's, and the metrics. The page loads nothing, can be printed, and is the same for the same tables.
///
/// The crate's [first page](crate) has an example.
///
/// # Errors
/// As [`figures`](crate::figures).
pub fn page(run: &Path, out: &Path) -> Result<(), Error> {
    let folder = run;
    let run = Run::open(folder)?;
    let coordinates = Coordinates::of(&run);
    let options = FigureOptions::default();
    let context = Context { run: &run, coordinates: &coordinates, options: &options };
    let metrics = optional::<Metrics>(folder, Metrics::NAME)?;
    let metrics = metrics.map(|(table, _)| table.name.into_iter().zip(table.value).collect());

    let profiles = crate::profiles::read(folder, run.traits.len())?;
    let drift = crate::profiles::read_drift(folder)?;

    let fidelity = read_figures(folder, FIDELITY)?.unwrap_or_default();
    let facts = Facts::new(run.scope.as_ref(), &run.traits, &fidelity);
    let mut body = sections::introduction(&run, &facts);
    let mut contents: Vec<(&str, &str)> = Vec::new();
    for plan in &PLANS {
        contents.push((plan.id, plan.title));
        body.push_str(&html::section(plan.id, plan.title, &figure(plan.id, plan.draw(&context))));
        if plan.id == PLANS[0].id {
            body.push_str(&explore::section(&context));
        }
    }
    for (id, title, content) in [
        ("segments", "Segments", profiles::cards(&profiles, &run.traits)),
        ("drift", "Segments since an earlier run", profiles::drift(&drift)),
        ("paths", "Dominance paths", sections::segments(&run)),
        ("metrics", "Metrics", sections::metrics(&metrics)),
        ("provenance", "Where the tables come from", sections::provenance(&run)),
    ] {
        contents.push((id, title));
        body.push_str(&html::section(id, title, &content));
    }
    let document = html::document("Spendscape report", STYLE, SCRIPT, &contents, &body);
    write_file(out, document.as_bytes())?;
    Ok(())
}

fn figure(id: &str, drawn: crate::figures::Drawn) -> String {
    match drawn {
        Ok(drawing) => {
            let omitted: String = drawing
                .omitted
                .iter()
                .map(|part| format!("<p class=\"skipped\">{}.</p>\n", svg::escape(part)))
                .collect();
            format!(
                "<figure>\n{}<figcaption>{}</figcaption>\n</figure>\n{omitted}",
                svg::element(&drawing.scene, id),
                svg::escape(&drawing.scene.description)
            )
        }
        Err(reason) => format!("<p class=\"skipped\">Not drawn: {}.</p>\n", svg::escape(&reason)),
    }
}
