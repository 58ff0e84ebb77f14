//! The page.

use std::{fs, path::Path};

use spendscape_report::page;

use crate::fixture::Fixture;

fn made(name: &str, fixture: &Fixture) -> String {
    let run = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fixture.make(&run);
    let out = run.join("report.html");
    page(&run, &out).unwrap();
    fs::read_to_string(&out).unwrap()
}

#[test]
fn the_page_holds_figures_tables_and_provenance_and_loads_nothing() {
    let fixture = Fixture { customers: 300, ..Fixture::default() };
    let text = made("page", &fixture);
    assert_eq!(text.matches("<svg ").count(), 8);
    assert_eq!(text.matches("<figcaption>").count(), 8);
    for content in [
        "test R2",
        "0.9451",
        "\u{2212}0.0123",
        "states_short.parquet",
        "<h1>",
        "300 customers, 6 periods",
        "7 (train)",
    ] {
        assert!(text.contains(content), "{content}");
    }
    for name in &fixture.traits {
        assert!(text.contains(name.as_str()));
    }
    // The only addresses are names of XML, and nothing is fetched.
    assert_eq!(text.matches("http").count(), text.matches("http://www.w3.org/2000/svg").count());
    for loading in ["<link", " src=", "@import", "url(", "fetch("] {
        assert!(!text.contains(loading), "{loading}");
    }
    // An id stands once.
    let mut ids: Vec<&str> =
        text.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let found = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), found);
    assert!(text.len() < 3 << 20, "{}", text.len());
}

#[test]
fn the_data_of_the_view_are_all_customers_in_thousandths() {
    let fixture = Fixture { customers: 50, ..Fixture::default() };
    let text = made("page-data", &fixture);
    let json = text.split("id=\"trajectories\">").nth(1).unwrap().split("</script>").next().unwrap();
    let tracks: Vec<Vec<i64>> = json
        .split("\"tracks\":[")
        .nth(1)
        .unwrap()
        .lines()
        .map(|line| line.trim_matches(['[', ']', ',', '}']).split(',').map(|n| n.parse().unwrap()).collect())
        .collect();
    assert_eq!(tracks.len(), 50);
    for track in tracks {
        assert_eq!(track.len(), 1 + 6 * 3);
        assert!(
            (0..5).contains(&track[0]) && track[1..].iter().all(|value| value.abs() < 1_300),
            "{track:?}"
        );
    }
}

#[test]
fn the_same_tables_give_the_same_page() {
    let fixture = Fixture { customers: 50, ..Fixture::default() };
    assert!(made("page-one", &fixture) == made("page-two", &fixture));
}

#[test]
fn a_page_without_optional_tables_says_what_is_missing() {
    let run = tempfile::tempdir().unwrap();
    Fixture { customers: 30, ..Fixture::default() }.make(run.path());
    for file in ["metrics", "segments", "extended"] {
        fs::remove_file(run.path().join(format!("{file}.parquet"))).unwrap();
    }
    let out = run.path().join("report.html");
    page(run.path(), &out).unwrap();
    let text = fs::read_to_string(out).unwrap();
    for file in ["metrics", "segments", "extended"] {
        assert!(text.contains(&format!("{file}.parquet is not in the run folder")), "{file}");
    }
}
