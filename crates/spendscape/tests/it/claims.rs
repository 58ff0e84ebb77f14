//! The claims hold names of figures, the commands measure figures: both are the same ones.

use std::{collections::BTreeSet, fmt::Write as _, path::Path, sync::LazyLock};

use serde_json::Value;
use spendscape_claims::{
    Bank, Measured, Name, Source, Subject, claims::CLAIMS, goals_figure, judge, outcome_figure,
};

use crate::{goals::WORLD, program::succeed};

/// What a small bank cannot measure: the polynomial with more columns than customers.
fn needs_more(figure: &str) -> bool {
    figure == "surrogate.r2.full"
}

/// Figures that a command prints as JSON; verdicts in words are left out.
fn figures(json: &str, named: impl Fn(&str) -> String) -> Measured {
    let found: Value = serde_json::from_str(json).unwrap();
    let found = found.as_object().unwrap().iter();
    found.filter_map(|(name, value)| Some((named(name), value.as_f64()?))).collect()
}

/// What `cargo xtask reproduce` measures of a synthetic bank, on a small one.
struct Small {
    /// Of a trained run.
    evaluated: Measured,
    /// With outcomes and goals.
    all: Measured,
}

/// What `outcomes` measures of a label that stands beside demography, as that of Berka's borrowers does.
fn borrowers(folder: &Path, bank: &str) -> String {
    let (mut labels, mut demography) =
        (String::from("customer,default,gender,age,land\n"), String::from("customer,female,age\n"));
    for k in 1..=600 {
        let (default, gender) = (u8::from(k % 7 < 2), ["F", "M"][k % 2]);
        let (age, land) = (["young", "old"][k % 3 / 2], ["Prague", "Bohemia", "Moravia"][k % 5 / 2]);
        writeln!(labels, "C{k:06},{default},{gender},{age},{land}").unwrap();
        writeln!(demography, "C{k:06},{},{}", k % 2, k % 3).unwrap();
    }
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    std::fs::write(path("borrowers.csv"), labels).unwrap();
    std::fs::write(path("demography.csv"), demography).unwrap();
    let (labels, features) = (path("borrowers.csv"), path("demography.csv"));
    let options = ["--group", "gender,age,land", "--repeats", "1", "--draws", "50", "--fit-coefficients"];
    let mut words = vec!["outcomes", "--json", "-q", "--target", "default"];
    let run = path("borrowers");
    words.extend([run.as_str(), "--data", bank, "--labels", &labels, "--features", &features]);
    words.extend(options);
    succeed(&words)
}

static SMALL: LazyLock<Small> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (bank, run) = (path("bank"), path("run"));
    succeed(&["synth", &bank, "--customers", "600", "-q"]);
    succeed(&["ingest", &bank, "-q"]);
    for stage in ["train", "states", "segment", "dynamics"] {
        succeed(&[stage, &run, "--data", &bank, "-q"]);
    }
    let evaluated = figures(&succeed(&["evaluate", &run, "--data", &bank, "--json", "-q"]), str::to_owned);
    let mut all = evaluated.clone();
    let labels = Path::new(&bank).join("outcomes.parquet");
    for (target, best) in
        [("default", "default_score"), ("illiquid", "illiquid_score"), ("quintile", "liquidity_score")]
    {
        let json = succeed(&[
            "outcomes",
            &path(target),
            "--data",
            &bank,
            "--labels",
            labels.to_str().unwrap(),
            "--target",
            target,
            "--best",
            best,
            "--group",
            "group",
            "--repeats",
            "1",
            "--draws",
            "50",
            "--json",
            "-q",
        ]);
        all.extend(figures(&json, |name| outcome_figure(target, name)));
    }
    all.extend(figures(&borrowers(folder.path(), &bank), |name| outcome_figure("default", name)));
    all.extend(figures(&WORLD.figures.to_string(), |name| goals_figure("train", name)));
    let copy = WORLD.copy("ablated");
    let calendar = path("calendar.toml");
    std::fs::write(&calendar, "payday = 25\nholidays = [\"2019-12-25\", \"2020-12-25\"]\n").unwrap();
    let quick =
        ["--units", "4", "--epochs", "1", "--draws", "20", "--test-groups", "2000", "--ablate", "--json"];
    let json = WORLD.goals_in(&copy, "train", &[&quick[..], &["--calendar", &calendar]].concat());
    let is_ablated =
        |name: &str| ["without", "under noise", "carried"].iter().any(|part| name.contains(part));
    all.extend(
        figures(&json, |name| goals_figure("train", name)).into_iter().filter(|(name, _)| is_ablated(name)),
    );
    let copy = WORLD.copy("claimed");
    for (command, options) in [
        ("campaign", &["--futures", "8", "--json"][..]),
        ("demand", &["--json"]),
        ("cross-sell", &["--json"]),
    ] {
        let json = WORLD.goals_in(&copy, command, options);
        all.extend(figures(&json, |name| goals_figure(command, name)));
    }
    Small { evaluated, all }
});

#[test]
fn claims_and_commands_name_the_same_figures() {
    let Small { evaluated, all } = &*SMALL;
    let names =
        || CLAIMS.iter().flat_map(|claim| claim.figures.iter().map(move |name| (claim.number, *name)));
    for figure in evaluated.names() {
        assert!(names().any(|(_, name)| name.contains(figure)), "{figure} is measured for no claim");
    }
    let found: BTreeSet<&str> = all.names().collect();
    for (number, name) in names() {
        for figure in name.least().iter().map(ToString::to_string).filter(|figure| !needs_more(figure)) {
            assert!(found.contains(figure.as_str()), "{figure} of claim {number} is not measured");
        }
        if let Name::Family(family) = name {
            assert!(found.iter().any(|figure| family.contains(figure)), "claim {number}: {family:?}");
        }
    }
}

#[test]
fn every_statement_and_control_has_a_value() {
    for claim in &CLAIMS {
        for statement in (claim.statements)() {
            assert!(statement.value.of(&SMALL.all).is_some(), "claim {}: {}", claim.number, statement.text);
            for control in statement.controls {
                let is_polynomial = control.words.contains("all products of two classes");
                let has_value = control.value.of(&SMALL.all).is_some();
                assert!(has_value || is_polynomial, "claim {}: {}", claim.number, control.words);
            }
        }
    }
}

#[test]
fn every_acceptance_row_has_a_value() {
    let subject =
        Subject { name: "small", bank: Some(Bank::Base), full: false, partial: false, synthetic: true };
    let entries = judge(&subject, std::slice::from_ref(&SMALL.all));
    let mut rows = entries.iter().filter(|entry| entry.source == Source::Acceptance).peekable();
    assert!(rows.peek().is_some());
    for row in rows {
        let is_polynomial = row.claim == "full degree 2 minus OLS";
        assert!(row.measured.is_some() != is_polynomial, "{}", row.claim);
    }
}
