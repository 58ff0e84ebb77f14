//! Figures and pages from run folders made up for the purpose.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixture;

use std::path::{Path, PathBuf};

use fixture::Fixture;
use spendscape_report::{FigureOptions, figures, page};

/// A folder that stays after the test, so that somebody can look at the figures.
fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn look() {
    for (name, fixture) in [
        ("default", Fixture::default()),
        ("small", Fixture { customers: 20, ..Fixture::default() }),
        ("m1", Fixture { units: 1, ..Fixture::default() }),
        ("m2", Fixture { units: 2, ..Fixture::default() }),
        (
            "m5",
            Fixture {
                units: 5,
                traits: (0..11).map(|k| format!("seeded trait {k}")).collect(),
                ..Fixture::default()
            },
        ),
    ] {
        let run = kept(name);
        fixture.make(&run);
        let start = std::time::Instant::now();
        let infos = figures(&run, &run.join("figures"), &FigureOptions::default()).unwrap();
        page(&run, &run.join("report.html")).unwrap();
        println!("{name} {:?} {infos:#?}", start.elapsed());
    }
}
