//! Runs that are incomplete or broken.

use std::{fs, path::Path};

use ndarray::{Array2, Axis as Rows};
use spendscape_report::{Error, FigureInfo, FigureOptions, Outcome, figures, page};
use spendscape_schema::{
    Axes, Axis, Table, Tabular,
    tables::{Projection, States},
};
use spendscape_store::{Provenance, write_table};
use tempfile::TempDir;

use crate::{fixture::Fixture, svg::Figure};

fn run() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    Fixture { customers: 40, extended: 20, ..Fixture::default() }.make(folder.path());
    folder
}

fn draw(run: &Path) -> Result<Vec<FigureInfo>, Error> {
    figures(run, &run.join("figures"), &FigureOptions::default())
}

fn reason(infos: &[FigureInfo], id: &str) -> String {
    match &infos.iter().find(|info| info.id == id).unwrap().outcome {
        Outcome::Skipped { reason } => reason.clone(),
        Outcome::Drawn { .. } => panic!("{id} is drawn"),
    }
}

/// Fails, names the file, and leaves nothing behind.
fn refuses(run: &Path, file: &str) -> Error {
    let error = draw(run).unwrap_err();
    assert!(error.to_string().contains(file), "{error}");
    assert!(!run.join("figures").exists());
    let out = run.join("report.html");
    let of_page = page(run, &out).unwrap_err();
    assert_eq!(of_page.to_string(), error.to_string());
    assert!(!out.exists());
    error
}

#[test]
fn a_run_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    assert!(matches!(refuses(&nowhere, "nowhere"), Error::NoRun { path } if path == nowhere));
}

#[test]
fn tables_that_must_be_there_are_named() {
    for file in ["targets.parquet", "states.parquet"] {
        let run = run();
        fs::remove_file(run.path().join(file)).unwrap();
        assert!(matches!(refuses(run.path(), file), Error::MissingTable { .. }));
    }
}

#[test]
fn an_empty_table_that_must_have_rows_is_named() {
    let run = run();
    let axes = Axes::new().with_numbered(Axis::Unit, 3);
    write_states(run.path(), &axes, &[]);
    assert!(matches!(refuses(run.path(), "states.parquet"), Error::EmptyTable { .. }));
}

fn write_states(run: &Path, axes: &Axes, rows: &[(&str, f32)]) {
    let hidden = Array2::from_shape_fn((rows.len(), axes.width(Axis::Unit)), |(row, _)| rows[row].1);
    let states = States {
        customer: rows.iter().map(|(customer, _)| (*customer).to_owned()).collect(),
        period: (0..rows.len()).map(|row| row as u16).collect(),
        hidden: hidden.clone(),
        cell: hidden,
    };
    let batch = states.to_batch(axes).unwrap();
    write_table(&run.join("states.parquet"), Table::States, &batch, Provenance::new("states")).unwrap();
}

#[test]
fn a_damaged_table_is_named_even_where_it_could_be_missing() {
    for file in ["states.parquet", "extended.parquet", "metrics.parquet"] {
        let run = run();
        let path = run.path().join(file);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(matches!(refuses(run.path(), file), Error::Store(_)));
    }
}

#[test]
fn another_table_under_the_name_is_refused() {
    let run = run();
    fs::copy(run.path().join("targets.parquet"), run.path().join("angles.parquet")).unwrap();
    refuses(run.path(), "angles.parquet");
}

#[test]
fn tables_of_another_run_are_refused() {
    let run = run();
    let axes = Axes::new().with_numbered(Axis::Unit, 3);
    write_states(run.path(), &axes, &[("C00000", 0.1), ("somebody", 0.1)]);
    let error = refuses(run.path(), "states.parquet");
    assert!(matches!(error, Error::UnknownCustomer { row: 1, customer, .. } if customer == "somebody"));

    let other = tempfile::tempdir().unwrap();
    let traits = ["a", "b"].map(str::to_owned).to_vec();
    Fixture { customers: 40, units: 4, traits, ..Fixture::default() }.make(other.path());
    for file in [
        "extended.parquet",
        "attractors.parquet",
        "attractors_printed.parquet",
        "segments.parquet",
        "reach.parquet",
    ] {
        let run = self::run();
        fs::copy(other.path().join(file), run.path().join(file)).unwrap();
        let error = refuses(run.path(), file);
        assert!(matches!(error, Error::WrongWidth { .. } | Error::UnknownTrait { .. }), "{error:?}");
    }
}

#[test]
fn a_state_that_is_not_a_number_is_located() {
    let run = run();
    let axes = Axes::new().with_numbered(Axis::Unit, 3);
    write_states(run.path(), &axes, &[("C00000", 0.1), ("C00000", f32::NAN)]);
    let error = refuses(run.path(), "states.parquet");
    assert!(matches!(error, Error::NotFinite { column: "hidden", row: 1, .. }), "{error:?}");
}

#[test]
fn a_run_without_a_short_window_lacks_panels_and_says_so() {
    let run = run();
    fs::remove_file(run.path().join("states_short.parquet")).unwrap();
    let infos = draw(run.path()).unwrap();
    let Outcome::Drawn { omitted, caption, .. } = &infos[0].outcome else { panic!("{infos:?}") };
    assert_eq!(omitted.len(), 1);
    assert!(omitted[0].contains("states_short.parquet") && caption.contains(&omitted[0]));
    let figure = Figure::read(&run.path().join("figures"), "figure1");
    assert_eq!(figure.of("trajectory", "polyline").count(), 40);
    assert_eq!(figure.of("short", "polyline").count(), 0);
}

#[test]
fn figures_without_tables_are_skipped_and_older_ones_removed() {
    let run = run();
    draw(run.path()).unwrap();
    let figures = run.path().join("figures");
    assert!(figures.join("figure3.svg").exists());
    for file in ["extended", "surrogate_angles", "reach", "trait_axes"] {
        fs::remove_file(run.path().join(format!("{file}.parquet"))).unwrap();
    }
    let infos = draw(run.path()).unwrap();
    for (id, file) in [
        ("figure2", "surrogate_angles.parquet"),
        ("figure3", "extended.parquet"),
        ("figure4", "extended.parquet"),
        ("figure4-printed", "extended.parquet"),
        ("figure5", "reach.parquet"),
        ("figure6", "trait_axes.parquet"),
        ("dynamics", "extended.parquet"),
    ] {
        assert_eq!(reason(&infos, id), format!("{file} is not in the run folder"));
        for ending in ["svg", "png"] {
            assert!(!figures.join(format!("{id}.{ending}")).exists(), "{id}");
        }
    }
    let mut left: Vec<String> =
        fs::read_dir(&figures).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["figure1.png", "figure1.svg", "figure2-network.png", "figure2-network.svg"]);
}

#[test]
fn a_projection_of_two_directions_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture { customers: 40, units: 5, ..Fixture::default() };
    fixture.make(folder.path());
    let table = Projection {
        component: vec![1, 2],
        axis: Array2::eye(5).select(Rows(0), &[0, 1]),
        variance: vec![0.6, 0.2],
    };
    let batch = table.to_batch(&Axes::new().with_numbered(Axis::Unit, 5)).unwrap();
    let path = folder.path().join("projection.parquet");
    write_table(&path, Table::Projection, &batch, Provenance::new("projection")).unwrap();
    let error = refuses(folder.path(), "projection.parquet");
    assert!(matches!(error, Error::WrongRows { expected: 3, found: 2, .. }), "{error}");
}
