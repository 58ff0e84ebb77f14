//! Runs of unusual shape: other numbers of units and traits, hardly any customers, awkward names.

use std::path::Path;

use spendscape_report::{FigureOptions, Outcome, figures, page};

use crate::{fixture::Fixture, svg::Figure};

/// Draws everything into a folder that stays; returns which figures were skipped, with the reasons.
fn draw(name: &str, fixture: &Fixture) -> (std::path::PathBuf, Vec<(&'static str, String)>) {
    let run = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fixture.make(&run);
    let out = run.join("figures");
    let infos = figures(&run, &out, &FigureOptions::default()).unwrap();
    page(&run, &run.join("report.html")).unwrap();
    let mut skipped = Vec::new();
    for info in infos {
        match info.outcome {
            Outcome::Skipped { reason } => skipped.push((info.id, reason)),
            Outcome::Drawn { .. } => {
                let figure = Figure::read(&out, info.id);
                assert_eq!(figure.width, 1200.0);
                for element in &figure.elements {
                    let values = element.attributes.values();
                    assert!(
                        values.into_iter().all(|v| !v.contains("NaN") && !v.contains("inf")),
                        "{element:?}"
                    );
                }
            }
        }
    }
    (out, skipped)
}

#[test]
fn one_unit_is_drawn_against_time() {
    let (out, skipped) = draw("one-unit", &Fixture { units: 1, ..Fixture::default() });
    assert_eq!(skipped.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ["figure2", "figure2-network"]);
    assert!(skipped[0].1.contains("surrogate_angles.parquet"), "{skipped:?}");
    let figure = Figure::read(&out, "figure1");
    assert!(figure.says("time (0 = start, 1 = end)") && figure.description.contains("one dimension"));
    // Time runs to the right.
    for line in figure.of("trajectory", "polyline") {
        assert!(line.points().windows(2).all(|pair| pair[0][0] < pair[1][0]), "{line:?}");
    }
}

#[test]
fn two_units_are_drawn_in_their_plane() {
    let (out, skipped) = draw("two-units", &Fixture { units: 2, ..Fixture::default() });
    assert_eq!(skipped.len(), 2);
    let figure = Figure::read(&out, "figure4");
    assert!(figure.description.contains("two dimensions") && !figure.says("unit 3"));
}

#[test]
fn five_units_are_drawn_by_their_principal_components_which_is_said() {
    let traits = (0..11).map(|at| format!("seeded trait {at}")).collect();
    let (out, skipped) = draw("five-units", &Fixture { units: 5, traits, ..Fixture::default() });
    assert_eq!(skipped, []);
    for id in ["figure1", "figure3", "figure4", "figure6"] {
        let figure = Figure::read(&out, id);
        assert!(
            figure.description.contains("5 dimensions: drawn are their first three principal components"),
            "{id}"
        );
        assert!(figure.says("component 3 (state units)"), "{id}");
    }
    assert!(Figure::read(&out, "figure2").description.contains("the first two of 4 angles"));
    assert!(Figure::read(&out, "figure5").description.contains("first 28 of 55 pairs"));
    // The ninth trait has the color of the first, but another mark and other dashes.
    let figure = Figure::read(&out, "figure1");
    let line = |label: &str| figure.of("trajectory", "polyline").find(|line| line.label == label).unwrap();
    let (first, ninth) = (line("seeded trait 0"), line("seeded trait 8"));
    assert_eq!(first.get("stroke"), ninth.get("stroke"));
    assert_eq!((first.get("stroke-dasharray"), ninth.get("stroke-dasharray")), ("", "9 3"));
}

#[test]
fn without_a_projection_the_first_three_units_are_drawn_which_is_said() {
    let run = Path::new(env!("CARGO_TARGET_TMPDIR")).join("five-units-alone");
    Fixture { units: 5, customers: 40, ..Fixture::default() }.make(&run);
    std::fs::remove_file(run.join("projection.parquet")).unwrap();
    figures(&run, &run.join("figures"), &FigureOptions::default()).unwrap();
    let figure = Figure::read(&run.join("figures"), "figure1");
    assert!(figure.says("unit 3 (state units)") && !figure.says("component 3 (state units)"));
    assert!(figure.description.contains("drawn are the first three units"), "{}", figure.description);
    assert!(figure.description.contains("projection.parquet"), "{}", figure.description);
}

#[test]
fn few_customers_and_few_traits_are_enough() {
    for (name, customers, traits) in
        [("one-customer", 1, 5), ("twenty-customers", 20, 5), ("two-traits", 20, 2), ("one-trait", 20, 1)]
    {
        let traits = (0..traits).map(|at| format!("trait {at}")).collect::<Vec<_>>();
        let count = traits.len();
        let (out, skipped) = draw(name, &Fixture { customers, traits, ..Fixture::default() });
        let figure = Figure::read(&out, "figure1");
        assert_eq!(figure.of("trajectory", "polyline").count(), customers, "{name}");
        if count == 1 {
            assert_eq!(skipped.len(), 1);
            assert!(skipped[0].1.contains("reach.parquet has one output"), "{skipped:?}");
        } else {
            assert_eq!(skipped, [], "{name}");
        }
    }
}

#[test]
fn any_name_can_be_drawn() {
    let traits = [
        "<b>bold</b> & \"quoted\"",
        "\u{41F}\u{440}\u{438}\u{432}\u{435}\u{442}",
        "",
        "a very long name ".repeat(20).trim(),
        "\u{4F60}\u{597D}'",
    ]
    .map(str::to_owned)
    .to_vec();
    let (out, skipped) =
        draw("names", &Fixture { customers: 60, traits: traits.clone(), ..Fixture::default() });
    assert_eq!(skipped, []);
    let figure = Figure::read(&out, "figure1");
    assert!(figure.says(&traits[0]) && figure.says(&traits[1]));
    let labels: Vec<&str> = figure.of("trajectory", "polyline").map(|line| line.label.as_str()).collect();
    assert!(traits.iter().all(|name| labels.contains(&name.as_str())));
}
