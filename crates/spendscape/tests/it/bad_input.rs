//! Bad input: exit code 2, a message that says where and what, and nothing half-written.

use std::{fs, path::Path};

use crate::program::{files, refuse, spendscape, succeed};

const MAP: &str = r#"
currency = "EUR"
[types]
amount = "decimal(12, 2)"
[columns]
customer = "customer"
time = "time"
amount = "amount"
class = "class"
[time]
formats = ["%Y-%m-%d"]
"#;

const TAXONOMY: &str = "name = \"test\"\n[classes.food]\n[classes.rent]\n";

const HEADER: &str = "customer,time,amount,class\n";

/// Ingests a CSV text over two one-year windows and returns the message of the refusal.
fn ingest(csv: &str) -> String {
    ingest_over(csv, "annual x 2")
}

fn ingest_over(csv: &str, window: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let words = prepare(folder.path(), csv, window);
    let message = refuse(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let run = files(&folder.path().join("run"));
    assert!(!run.iter().any(|name| name.ends_with(".parquet") && name.contains("panel")), "{run:?}");
    assert!(run.iter().all(|name| !name.starts_with('.')), "debris: {run:?}");
    message
}

fn prepare(folder: &Path, csv: &str, window: &str) -> Vec<String> {
    fs::write(folder.join("map.toml"), MAP).unwrap();
    fs::write(folder.join("taxonomy.toml"), TAXONOMY).unwrap();
    fs::write(folder.join("ledger.csv"), csv).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let flags = ["--window", window, "--short-window", "none", "--draw-coefficients", "1"].map(str::to_owned);
    let mut words = vec!["ingest".to_owned(), path("run"), "--files".to_owned(), path("ledger.csv")];
    words.extend(["--map".to_owned(), path("map.toml"), "--taxonomy".to_owned(), path("taxonomy.toml")]);
    words.extend(flags);
    words
}

/// Two years of two classes for one customer.
fn customer(name: &str) -> String {
    format!("{name},2019-05-01,-10.00,food\n{name},2020-05-01,-20.00,rent\n{name},2020-12-31,-5.00,food\n")
}

#[test]
fn a_bad_row_is_named_by_file_row_and_column() {
    for (row, words) in [
        ("a,2020-13-01,-1.00,food", vec!["ledger.csv", "time"]),
        ("a,2020-01-01,NaN,food", vec!["ledger.csv", "amount"]),
        ("a,2020-01-01,inf,food", vec!["ledger.csv", "amount"]),
        ("a,2020-01-01,-1.00,fun", vec!["ledger.csv", "fun"]),
        ("a,2020-01-01,-1.00", vec!["ledger.csv"]),
    ] {
        let message = ingest(&format!("{HEADER}{}{row}\n{}", customer("a"), customer("b")));
        for word in words.iter().copied().chain(["5"]) {
            assert!(message.contains(word), "{row}: {message}");
        }
    }
}

#[test]
fn files_that_hold_nothing_are_named() {
    let message = ingest("");
    assert!(message.contains("ledger.csv"), "{message}");
    let message = ingest(HEADER);
    assert!(!message.is_empty());
    let message = ingest("customer,time,amount\na,2020-01-01,1\n");
    assert!(message.contains("class"), "{message}");
}

#[test]
fn a_cut_last_line_is_refused_unless_it_may_be_dropped() {
    let csv = format!("{HEADER}{}{}c,2020-01-0", customer("a"), customer("b"));
    let message = ingest(&csv);
    assert!(message.contains("ledger.csv"), "{message}");
    let folder = tempfile::tempdir().unwrap();
    let words = prepare(folder.path(), &csv, "annual x 2");
    let words: Vec<&str> = words.iter().map(String::as_str).chain(["--allow-cut-last-line"]).collect();
    succeed(&words);
    let report = fs::read_to_string(folder.path().join("run/ingest_report.json")).unwrap();
    assert!(report.contains("cut_last_lines"), "{report}");
    // A last row with all its fields may be cut within the last of them: it is taken, and said.
    let csv = format!("{HEADER}{}{}", customer("a"), customer("b").trim_end());
    let folder = tempfile::tempdir().unwrap();
    let words = prepare(folder.path(), &csv, "annual x 2");
    let output = spendscape(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(log.contains("ledger.csv") && log.contains("no line end"), "{log}");
}

#[test]
fn too_few_periods_are_refused() {
    let message = ingest_over(&format!("{HEADER}{}", customer("a")), "annual x 3");
    assert!(message.contains('3'), "{message}");
}

#[test]
fn training_needs_more_than_one_customer_and_one_class() {
    let folder = tempfile::tempdir().unwrap();
    let words = prepare(folder.path(), &format!("{HEADER}{}", customer("a")), "annual x 2");
    succeed(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let run = folder.path().join("run");
    let message = refuse(&["run", run.to_str().unwrap()]);
    assert!(message.contains("1 customers") || message.contains("customer"), "{message}");
    assert!(!files(&run).contains(&"model.parquet".to_owned()));
}

#[test]
fn a_single_class_and_equal_customers_leave_nothing_to_learn() {
    for csv in [
        // All spending in one class: every customer has the same shares.
        (0..20).map(|k| format!("c{k},2019-05-01,-{k}1.00,food\nc{k},2020-05-01,-2.00,food\n")).collect(),
        (0..20).map(|k| customer(&format!("c{k}"))).collect::<String>(),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let words = prepare(folder.path(), &format!("{HEADER}{csv}"), "annual x 2");
        succeed(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let run = folder.path().join("run");
        let message = refuse(&["run", run.to_str().unwrap()]);
        assert!(message.contains("drawn trait 1"), "{message}");
        assert!(!files(&run).contains(&"model.parquet".to_owned()));
    }
}

#[test]
fn a_customer_without_spending_is_dropped_kept_or_refused_by_policy() {
    let folder = tempfile::tempdir().unwrap();
    let csv = format!("{HEADER}{}{}idle,2020-01-01,3.00,food\n", customer("a"), customer("b"));
    let words = prepare(folder.path(), &csv, "annual x 2");
    let run = folder.path().join("run");
    let left = |policy: &str| {
        let words: Vec<&str> = words.iter().map(String::as_str).chain(["--empty-windows", policy]).collect();
        succeed(&words);
        let report = fs::read_to_string(run.join("panel_report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let window = &report["windows"][0];
        (window["customers"].as_u64().unwrap(), window["dropped"]["count"].as_u64().unwrap())
    };
    assert_eq!(left("drop"), (2, 1));
    assert_eq!(left("keep-zero:0"), (3, 0));
    assert_eq!(left("keep-zero:1"), (2, 1));
}

#[test]
fn a_repeated_transaction_id_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let csv = "customer,time,amount,class,id\na,2019-05-01,-1.00,food,7\nb,2020-05-01,-1.00,rent,7\n";
    let words = prepare(folder.path(), csv, "annual x 2");
    fs::write(folder.path().join("map.toml"), MAP.replace("class = ", "transaction = \"id\"\nclass = "))
        .unwrap();
    let message = refuse(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(message.contains("ledger.csv, row 2") && message.contains("row 1"), "{message}");
    assert!(files(&folder.path().join("run")).iter().all(|name| !name.contains("ledger")));
}

#[test]
fn a_coefficient_table_must_have_every_class() {
    let folder = tempfile::tempdir().unwrap();
    let mut words =
        prepare(folder.path(), &format!("{HEADER}{}{}", customer("a"), customer("b")), "annual x 2");
    words.truncate(words.len() - 2);
    let table = folder.path().join("coefficients.csv");
    fs::write(&table, "class,E\nfood,1\n").unwrap();
    words.extend(["--coefficients".to_owned(), table.to_str().unwrap().to_owned()]);
    let message = refuse(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(message.contains("coefficients.csv") && message.contains("rent"), "{message}");
}

#[test]
fn damaged_and_missing_tables_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let path = run.to_str().unwrap();
    assert!(refuse(&["train", path]).contains("panel.parquet"));
    succeed(&["synth", path, "--customers", "20"]);
    let ledger = run.join("ledger.parquet");
    let bytes = fs::read(&ledger).unwrap();
    fs::write(&ledger, &bytes[..bytes.len() / 2]).unwrap();
    assert!(refuse(&["ingest", path]).contains("ledger.parquet"));
    assert!(!files(&run).contains(&"panel.parquet".to_owned()));
}

#[test]
fn options_out_of_range_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let path = path.to_str().unwrap();
    for words in [
        vec!["synth", path, "--customers", "0"],
        vec!["synth", path, "--missing-years", "1.5"],
        vec!["ingest", path, "--window", "six years"],
        vec!["ingest", path, "--files", "nothing-*.csv"],
        vec!["ingest", path, "--empty-windows", "maybe"],
        vec!["ingest", path, "--empty-windows", "drop:5"],
    ] {
        refuse(&words);
    }
}

#[test]
fn every_count_has_a_range_that_its_refusal_names() {
    let most = u64::MAX.to_string();
    let most = most.as_str();
    for (command, options) in [
        (
            vec!["dynamics", "run"],
            vec![
                ("--horizon", "65536"),
                ("--horizon", "0"),
                ("--basin-samples", "100000000000"),
                ("--longest-cycle", "100000000"),
                ("--longest-cycle", "0"),
                ("--followed", most),
                ("--extended-customers", most),
                ("--studied-customers", most),
                ("--threads", "100000"),
                ("--threads", most),
                ("--threads", "0"),
            ],
        ),
        (
            vec!["train", "run"],
            vec![("--units", "100000"), ("--units", "0"), ("--epochs", most), ("--epochs", "0")],
        ),
        (
            vec!["outcomes", "run", "--labels", "x", "--target", "y"],
            vec![
                ("--folds", "100000000000"),
                ("--repeats", "100000000000"),
                ("--draws", "100000000000"),
                ("--draws", "0"),
                ("--units", "100000"),
            ],
        ),
        (vec!["segment", "run"], vec![("--clusters", "100000")]),
        (vec!["ingest", "run"], vec![("--memory", "17592186044416"), ("--memory", "0"), ("--memory", most)]),
        (vec!["goals", "groups", "run"], vec![("--memory", "17592186044416"), ("--block", "0")]),
        (
            vec!["goals", "train", "run"],
            vec![
                ("--units", "100000"),
                ("--layers", "4"),
                ("--window", "0"),
                ("--epochs", most),
                ("--patience", most),
                ("--batch", most),
                ("--longest-gap", most),
                ("--draws", "100000000000"),
                ("--test-groups", most),
            ],
        ),
        (vec!["goals", "predict", "run"], vec![("--reasons", most)]),
        (vec!["goals", "recommend", "run"], vec![("--goals", most), ("--classes", most)]),
        (
            vec!["goals", "campaign", "run"],
            vec![("--futures", "100000000000"), ("--draws", "100000000000"), ("--capacity", most)],
        ),
        (vec!["goals", "cross-sell", "run"], vec![("--periods", most)]),
        (vec!["goals", "demand", "run"], vec![("--periods", most), ("--past", most)]),
    ] {
        for (option, value) in options {
            let message = refuse(&[command.as_slice(), &[option, value]].concat());
            assert!(message.contains(option) && message.contains("..="), "{command:?} {option}: {message}");
        }
    }
}

#[test]
fn files_that_are_no_text_and_paths_that_are_no_files_are_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let words = prepare(folder.path(), &format!("{HEADER}{}{}", customer("a"), customer("b")), "annual x 2");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let with = |option: &str, file: &str| {
        let mut words = words.clone();
        if option == "--coefficients" {
            words.truncate(words.len() - 2);
        }
        match words.iter().position(|word| word == option) {
            Some(at) => words[at + 1] = path(file),
            None => words.extend([option.to_owned(), path(file)]),
        }
        refuse(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    fs::write(folder.path().join("latin1"), b"first\nsecond \xe9\n").unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    let long = "x".repeat(300);
    for option in ["--map", "--taxonomy", "--coefficients", "--anchors"] {
        let message = with(option, "latin1");
        assert!(message.contains("latin1") && message.contains("line 2, byte 8"), "{option}: {message}");
        for file in ["folder", "absent", long.as_str(), "latin1/below"] {
            let message = with(option, file);
            assert!(message.contains(file), "{option} {file}: {message}");
        }
    }
    // A run folder that is a file.
    refuse(&["synth", &path("latin1"), "--customers", "20"]);
    refuse(&["synth", &path(&long), "--customers", "20"]);
    // Quotes are read as quotes, and each customer's anchor is found.
    fs::write(
        folder.path().join("anchors.csv"),
        "\"customer\",\"day\"\n\"a\",\"2020-12-31\"\n\"b\",2020-12-31\n",
    )
    .unwrap();
    fs::write(folder.path().join("coefficients.csv"), "\"class\",\"E\"\n\"food\",\"1\"\n\"rent\",2\n")
        .unwrap();
    let mut quoted = words.clone();
    quoted.truncate(words.len() - 2);
    quoted.extend([
        "--anchors".to_owned(),
        path("anchors.csv"),
        "--coefficients".to_owned(),
        path("coefficients.csv"),
    ]);
    succeed(&quoted.iter().map(String::as_str).collect::<Vec<_>>());
    for (text, word) in [
        ("customer,day\na,2020-12-31\na,2020-12-30\n", "line 3"),
        ("customer,day\na,31.12.2020\n", "31.12.2020"),
        ("customer,day\na,2020-12-31\nb,0020-12-31\n", "line 3, column day"),
        ("id,day\na,2020-12-31\n", "no column \"customer\""),
        ("customer,day\n\"a,2020-12-31\n", "not closed"),
    ] {
        fs::write(folder.path().join("anchors.csv"), text).unwrap();
        let message = with("--anchors", "anchors.csv");
        assert!(message.contains("anchors.csv") && message.contains(word), "{message}");
    }
}
