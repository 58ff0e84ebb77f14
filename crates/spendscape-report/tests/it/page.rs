//! The page.

use std::{fs, path::Path};

use jiff::civil::date;
use spendscape_report::{page, run_facts};
use spendscape_schema::{CoefficientOrigin, Coverage, Currency, LeftOut, Scope};

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
    // Nine figures, and the trajectories of two segments.
    assert_eq!(text.matches("<svg ").count(), 9 + 2);
    assert_eq!(text.matches("<figcaption>").count(), 9);
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

/// Who was left out, which days, and what traits are worth stand before any figure.
#[test]
fn the_page_begins_with_what_it_is_about_and_what_to_be_warned_of() {
    let window = Coverage {
        window: "monthly x 6".to_owned(),
        days: (date(2019, 1, 1), date(2019, 6, 30)),
        anchored: false,
        periods: 6,
        rows_outside: 10,
        customers: 65,
        left_out: [(LeftOut::FewPeriods, 217)].into(),
    };
    let mut scope = Scope {
        files: vec!["<ledger>.csv".to_owned()],
        ledger_days: (date(2019, 1, 1), date(2019, 7, 1)),
        ledger_rows: 16_327,
        ledger_customers: 282,
        currency: Some(Currency::new("UGX", 2)),
        windows: vec![window],
        coefficients: Some(CoefficientOrigin::Drawn),
    };
    let fixture = |scope: &Scope| Fixture { customers: 65, scope: Some(scope.clone()), ..Fixture::default() };
    let text = made("page-facts", &fixture(&scope));
    let before = text.split("<figure>").next().unwrap();
    for content in [
        "<p class=\"warning\" role=\"note\"><strong>Warning.</strong> The traits mean nothing",
        "77.0 % of the ledger&#39;s customers were left out",
        "65 of the ledger&#39;s 282 customers; 217 (77.0 %) were left out: 217 with spending in too few of the periods",
        "2019-01-01 to 2019-06-30 (monthly x 6); 10 of the ledger&#39;s rows (below 0.1 %) lie on other days",
        "16,327 rows of 282 customers of &lt;ledger&gt;.csv, 2019-01-01 to 2019-07-01, in UGX",
        "their coefficients are random numbers",
    ] {
        assert!(before.contains(content), "{content}: {before}");
    }
    scope.coefficients = Some(CoefficientOrigin::Given);
    scope.windows[0].left_out = [(LeftOut::FewPeriods, 1)].into();
    let text = made("page-facts-given", &fixture(&scope));
    assert!(!text.contains("class=\"warning\"") && text.contains("1 (1.5 %) was left out"));
    let facts = run_facts(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("page-facts-given")).unwrap();
    assert!(facts.warnings.is_empty() && facts.lines[0].0 == "Ledger");
}

#[test]
fn segments_are_told_in_words() {
    let fixture = Fixture { customers: 60, ..Fixture::default() };
    let text = made("page-segments", &fixture);
    let card = |id: u16| {
        let from = text.find(&format!("<h3 id=\"segment-{id}\">")).unwrap();
        text[from..].split("</article>").next().unwrap().to_owned()
    };
    let first = card(0);
    for content in [
        "Segment 0: high extraversion, low agreeableness",
        "400 customers, 66.7 % of all.",
        "They spend more on books &amp; &lt;travel&gt; (2.0 times the average).",
        "They spend less on insurance (0.5 times the average).",
        "50.0 % were in it after every period, 62.5 % are in it by the short window too.",
        "it is found again (overlap 0.90)",
        "Typical customers: C00000.",
        "+0.40",
        "\u{2212}0.40",
    ] {
        assert!(first.contains(content), "{content}: {first}");
    }
    let second = card(3);
    for content in [
        "Segment 3: average in every trait",
        "close to the average in every class",
        "it dissolves (overlap 0.40)",
    ] {
        assert!(second.contains(content), "{content}: {second}");
    }
    assert!(!second.contains("short window too"));
    // The largest difference fills half of its bar, to the right; a smaller one to the left is in proportion.
    assert!(first.contains("class=\"more\" style=\"left:50.0%;width:50.0%\""));
    assert!(first.contains("class=\"less\" style=\"left:18.8%;width:31.2%\""));

    let drift = text.split("id=\"drift\"").nth(1).unwrap().split("</section>").next().unwrap();
    for content in
        ["kept, merged", "disappeared, split", "3 (62 %), 0 (38 %)", "1 (0.49)", "0.501 (sizes have shifted"]
    {
        assert!(drift.contains(content), "{content}: {drift}");
    }
}

#[test]
fn profiles_of_other_traits_are_refused() {
    let run = tempfile::tempdir().unwrap();
    Fixture { customers: 30, traits: vec!["one".to_owned(), "two".to_owned()], ..Fixture::default() }
        .make(run.path());
    let kept = fs::read(run.path().join("profiles.parquet")).unwrap();
    Fixture { customers: 30, ..Fixture::default() }.make(run.path());
    fs::write(run.path().join("profiles.parquet"), kept).unwrap();
    let error = page(run.path(), &run.path().join("report.html")).unwrap_err().to_string();
    assert!(error.contains("profiles.parquet") && error.contains("grade"), "{error}");
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
    for file in ["metrics", "segments", "profiles", "drift", "extended"] {
        fs::remove_file(run.path().join(format!("{file}.parquet"))).unwrap();
    }
    let out = run.path().join("report.html");
    page(run.path(), &out).unwrap();
    let text = fs::read_to_string(out).unwrap();
    assert!(text.contains("No earlier run was named"));
    for file in ["metrics", "segments", "profiles", "extended"] {
        assert!(text.contains(&format!("{file}.parquet is not in the run folder")), "{file}");
    }
}
