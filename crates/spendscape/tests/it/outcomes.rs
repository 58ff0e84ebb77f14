//! Outcomes from the command line: every kind of label, a user's own features, and bad input.

use std::{fmt::Write as _, fs, path::Path};

use serde_json::Value;

use crate::program::{files, refuse, spendscape, succeed};

/// Customers with two features: `good` follows the outcome, `noise` does not, `flat` is constant.
fn table(folder: &Path) -> String {
    let mut text = String::from("customer,good,noise,flat\n");
    for k in 0..120_u32 {
        // A scramble of the number, for a spread without a generator.
        let noise = f64::from(k.wrapping_mul(2_654_435_761) % 1000) / 1000.0;
        writeln!(text, "c{k:03},{},{noise},1", f64::from(k % 40) / 40.0).unwrap();
    }
    write(folder, "features.csv", &text)
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Labels of all kinds that follow the feature `good`, with exceptions.
fn labels(folder: &Path) -> String {
    let mut text = String::from("customer,bad,level,amount,side,day\n");
    for k in 0..120_u32 {
        let good = k % 40;
        let bad = if (good > 28) == (k % 11 != 0) { "yes" } else { "no" };
        let (level, amount) = (1 + good / 14, f64::from(good) + f64::from(k % 7) / 4.0);
        let side = if k % 2 == 0 { "left" } else { "right" };
        writeln!(text, "c{k:03},{bad},{level},{amount},{side},2020-{:02}-15", 1 + k / 12).unwrap();
    }
    write(folder, "labels.csv", &text)
}

fn figures(words: &[&str]) -> Value {
    let mut words = words.to_vec();
    words.extend(["--draws", "50", "--json"]);
    serde_json::from_str(&succeed(&words)).unwrap()
}

#[test]
fn every_kind_of_outcome_is_predicted_from_a_users_features() {
    let folder = tempfile::tempdir().unwrap();
    let (features, labels) = (table(folder.path()), labels(folder.path()));
    let run = folder.path().join("run").to_str().unwrap().to_owned();
    let words = |target| {
        vec![
            "outcomes",
            run.as_str(),
            "--features",
            features.as_str(),
            "--labels",
            labels.as_str(),
            "--target",
            target,
        ]
    };
    let mut binary = words("bad");
    binary.extend(["--group", "side"]);
    let found = figures(&binary);
    let figure =
        |found: &Value, name: &str| found[name].as_f64().unwrap_or_else(|| panic!("{name}: {found}"));
    assert!(figure(&found, "measure.features.linear.auc") > 0.7);
    assert!(figure(&found, "measure.features.boosted.auc.low") > 0.6);
    assert!(figure(&found, "group.side=left.features.linear.auc") > 0.6);
    let tables = files(Path::new(&run));
    for file in ["outcome_reasons.parquet", "scorecard.parquet", "scorecard.csv", "outcome_scores.parquet"] {
        assert!(tables.contains(&file.to_owned()), "{tables:?}");
    }
    let card = fs::read_to_string(Path::new(&run).join("scorecard.csv")).unwrap();
    assert!(
        card.starts_with("feature,above,up_to,points,customers,rate\n\"(base)\"")
            && card.contains("\"good\"")
    );
    assert!(!card.contains("flat"), "a constant feature has no place: {card}");
    assert!(files(&Path::new(&run).join("figures")).contains(&"outcome.svg".to_owned()));

    let manifest = fs::read_to_string(Path::new(&run).join("manifest.json")).unwrap();
    assert!(manifest.contains("outcome_measures.parquet"), "{manifest}");
    let found = figures(&words("level"));
    assert!(figure(&found, "measure.features.boosted.concordance") > 0.9);
    let found = figures(&words("amount"));
    assert!(figure(&found, "measure.features.linear.r2") > 0.9);
    // Trained on the earlier months, tested on the later ones.
    let mut by_time = words("bad");
    by_time.extend(["--time", "day"]);
    assert!((figure(&figures(&by_time), "customers") - 24.0).abs() < 0.5);
}

#[test]
fn a_bank_is_predicted_the_same_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let bank = folder.path().join("bank").to_str().unwrap().to_owned();
    succeed(&["synth", &bank, "--customers", "400"]);
    succeed(&["ingest", &bank]);
    let labels = format!("{bank}/outcomes.parquet");
    let of = |threads: &str| {
        let run = folder.path().join(format!("run{threads}")).to_str().unwrap().to_owned();
        figures(&[
            "outcomes",
            &run,
            "--data",
            &bank,
            "--labels",
            &labels,
            "--target",
            "illiquid",
            "--best",
            "illiquid_score",
            "--repeats",
            "1",
            "--threads",
            threads,
        ])
    };
    let one = of("1");
    assert_eq!(one, of("2"));
    let auc = |name: &str| one[format!("measure.{name}.auc")].as_f64().unwrap();
    // Balances tell what traits cannot, and nothing ranks better than the truth.
    assert!(auc("bespoke.linear") > auc("bespoke-no-balance.linear") + 0.1);
    assert!(auc("best possible.none") > auc("trajectory.linear"));
    assert!(one["comparison.trajectory.bespoke.low"].is_number());
}

#[test]
fn labels_that_cannot_be_used_are_refused_or_counted() {
    let folder = tempfile::tempdir().unwrap();
    let features = table(folder.path());
    let run = folder.path().join("run").to_str().unwrap().to_owned();
    let refused = |text: &str, extra: &[&str]| {
        let labels = write(folder.path(), "labels.csv", text);
        let mut words =
            vec!["outcomes", &run, "--features", &features, "--labels", &labels, "--target", "bad"];
        words.extend(extra);
        let message = refuse(&words);
        assert!(files(Path::new(&run)).is_empty(), "half-written");
        message
    };
    let rows = |value: &dyn Fn(u32) -> String| -> String {
        let lines = (0..120).map(|k| format!("c{k:03},{}\n", value(k)));
        format!("customer,bad\n{}", lines.collect::<String>())
    };
    for (text, extra, words) in [
        (rows(&|_| "1".to_owned()), vec![], vec!["labels.csv", "bad", "two values"]),
        (rows(&|_| String::new()), vec![], vec!["none of the 120", "120 have no label"]),
        ("customer,bad\nx,1\ny,0\n".to_owned(), vec![], vec!["2 are unknown"]),
        ("customer,bad\nc001,1\nc001,0\n".to_owned(), vec![], vec!["line 3", "c001", "line 2"]),
        ("id,bad\nc001,1\n".to_owned(), vec![], vec!["no column \"customer\"", "id, bad"]),
        ("customer,worse\nc001,1\n".to_owned(), vec![], vec!["no column \"bad\"", "worse"]),
        (rows(&|k| ["up", "down"][k as usize % 2].to_owned()), vec![], vec!["--adverse"]),
        (rows(&|k| format!("{}", k % 3)), vec!["--kind", "binary"], vec!["--adverse", "has 3"]),
        (rows(&|k| if k == 5 { "inf".to_owned() } else { format!("{k}") }), vec![], vec!["line 7", "inf"]),
        (rows(&|k| format!("{}", k % 2)), vec!["--best", "truth"], vec!["no column \"truth\""]),
        (rows(&|k| format!("{}", k % 2)), vec!["--folds", "1"], vec!["--folds", "2..=1000"]),
        (rows(&|k| format!("{}", k % 2)), vec!["--margin", "2"], vec!["--margin"]),
        // Marks of missing values leave one value.
        (
            rows(&|k| ["1", "NULL", "None", "N/A", "<NA>", "nan", "\\N"][k as usize % 7].to_owned()),
            vec![],
            vec!["one value 1"],
        ),
        (rows(&|k| ["1", "unknown"][k as usize % 2].to_owned()), vec![], vec!["unknown", "--adverse"]),
        (rows(&|_| "3.5".to_owned()), vec!["--kind", "continuous"], vec!["one value 3.5"]),
        ("customer,bad,bad\nc001,1,0\nc002,0,1\n".to_owned(), vec![], vec!["\"bad\" stands twice"]),
        ("customer;bad\nc001;1\nc002;0\n".to_owned(), vec![], vec!["labels.csv", "';'"]),
        ("customer,bad\nc001,\"1\nc002,0\n".to_owned(), vec![], vec!["line 2", "quote", "not closed"]),
    ] {
        let message = refused(&text, &extra);
        words.iter().for_each(|word| assert!(message.contains(word), "{word}: {message}"));
    }
    // Some missing, some unknown, a constant feature: counted, and the rest is measured.
    let text = rows(&|k| if k < 10 { "NA".to_owned() } else { format!("{}", u8::from(k % 40 > 25)) });
    let labels = write(folder.path(), "labels.csv", &format!("{text}stranger,1\n"));
    let words =
        ["outcomes", &run, "--features", &features, "--labels", &labels, "--target", "bad", "--draws", "50"];
    let log = String::from_utf8(spendscape(&words).stderr).unwrap();
    for (what, count) in [("without a value", 10), ("does not have", 1), ("without a label", 10)] {
        let line = log.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {log}"));
        assert!(line.contains(&format!("customers={count}")), "{line}");
    }
    assert!(log.contains("features that do not vary") && log.contains("features=1"), "{log}");
    let found = figures(&words[..8]);
    assert!((found["customers"].as_f64().unwrap() - 110.0).abs() < 0.5);
    let bad = write(folder.path(), "broken.csv", "customer,x\nc001,1\nc002,NaN\n");
    let message = refuse(&["outcomes", &run, "--features", &bad, "--labels", &labels, "--target", "bad"]);
    assert!(message.contains("broken.csv line 3") && message.contains("NaN"), "{message}");
}

#[test]
fn labels_in_foreign_parquet_are_read_and_early_ones_refused() {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, RecordBatch, StringArray};

    let folder = tempfile::tempdir().unwrap();
    let bank = folder.path().join("bank").to_str().unwrap().to_owned();
    succeed(&["synth", &bank, "--customers", "120"]);
    succeed(&["ingest", &bank]);
    let features = {
        let lines = (1..=120_u32).map(|k| format!("C{k:06},{}\n", f64::from(k % 40)));
        write(folder.path(), "features.csv", &format!("customer,good\n{}", lines.collect::<String>()))
    };
    let text = |column: &dyn Fn(u32) -> Option<String>| -> ArrayRef {
        Arc::new((1..=120).map(column).collect::<StringArray>())
    };
    // The last quarter has no label, and the bank's last day is 2020-12-31.
    let run = |days: &[&str; 2], option: &[&str]| {
        let batch = RecordBatch::try_from_iter([
            ("customer", text(&|k| Some(format!("C{k:06}")))),
            ("bad", text(&|k| (k <= 90).then(|| if k % 40 > 25 { "TRUE" } else { "FALSE" }.to_owned()))),
            ("day", text(&|k| Some(days[usize::from(k % 3 == 0)].to_owned()))),
        ])
        .unwrap();
        let path = folder.path().join("labels.parquet");
        let file = fs::File::create(&path).unwrap();
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let run = folder.path().join(days[1].replace('/', "-")).to_str().unwrap().to_owned();
        let words =
            ["outcomes", &run, "--data", &bank, "--labels", path.to_str().unwrap(), "--target", "bad"];
        let more = ["--features", &features, "--draws", "20", "--repeats", "1", "--folds", "2"];
        let output = spendscape(&[words.as_slice(), &more, option].concat());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let early = ["2021-01-01", "2020-12-31"];
    let (code, message) = run(&early, &[]);
    assert_eq!(code, Some(2), "{message}");
    for word in
        ["labels.parquet", "30 of 90", "2020-12-31", "column day", "--anchors", "--allow-early-labels"]
    {
        assert!(message.contains(word), "{word}: {message}");
    }
    let (code, log) = run(&early, &["--allow-early-labels"]);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("customers=90") && log.contains("labels, true being the event"), "{log}");
    assert!(log.contains("WARN") && log.contains("30 of 90"), "{log}");
    let (code, later) = run(&["2021-01-01", "2021-01-02"], &[]);
    assert!(code == Some(0) && !later.contains("--anchors"), "{later}");
    // Days in another form, or with a year that lost a digit, are not passed over: nothing would be compared.
    for days in [["31.12.2020", "30.12.2020"], ["2020/12/31", "2020/12/30"], ["2021-01-01", "0021-01-01"]] {
        let (code, message) = run(&days, &[]);
        assert_eq!(code, Some(2), "{message}");
        assert!(
            message.contains("line ")
                && message.contains("column day")
                && message.contains("--allow-early-labels"),
            "{message}"
        );
        assert_eq!(run(&days, &["--allow-early-labels"]).0, Some(0));
    }
}

/// Days beside the labels are compared with the last day of each customer's own window.
#[test]
fn days_of_labels_are_compared_with_the_anchor_of_each_customer() {
    let folder = tempfile::tempdir().unwrap();
    let bank = folder.path().join("bank").to_str().unwrap().to_owned();
    succeed(&["synth", &bank, "--customers", "120"]);
    let anchors = |days: [&str; 2]| -> String {
        let lines = (1..=120).map(|k| format!("C{k:06},{}\n", days[k % 2]));
        format!("customer,day\n{}", lines.collect::<String>())
    };
    // Windows of one year, which end in the middle of 2019 or of 2020.
    let given = write(folder.path(), "anchors.csv", &anchors(["2019-06-30", "2020-06-30"]));
    let other = write(folder.path(), "other.csv", &anchors(["2019-06-30", "2020-06-29"]));
    succeed(&["ingest", &bank, "--anchors", &given, "--window", "annual x 1", "--short-window", "none"]);
    let labels = |day: &str| {
        let lines = (1..=120).map(|k| format!("C{k:06},{},{day}\n", u8::from(k % 5 > 2)));
        write(folder.path(), "labels.csv", &format!("customer,bad,day\n{}", lines.collect::<String>()))
    };
    let words = |labels: &str, anchors: &[&str]| -> Vec<String> {
        let run = folder.path().join("run").to_str().unwrap().to_owned();
        let words = ["outcomes", &run, "--data", &bank, "--force", "--labels", labels, "--target", "bad"];
        let more = ["--draws", "20", "--repeats", "1", "--folds", "2"];
        [&words, &more[..], anchors].concat().into_iter().map(str::to_owned).collect()
    };
    let log = |labels: &str, anchors: &[&str]| {
        let words = words(labels, anchors);
        let output = spendscape(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{log}");
        log
    };
    let early = words(&labels("2019-12-31"), &["--anchors", &given]);
    let message = refuse(&early.iter().map(String::as_str).collect::<Vec<_>>());
    for word in ["column day", "2019-12-31 of \"C000001\"", "own window, which ends with 2020-06-30"] {
        assert!(message.contains(word), "{word}: {message}");
    }
    let later = log(&labels("2020-07-01"), &["--anchors", &given]);
    assert!(!later.contains("own window") && !later.contains("cannot be compared"), "{later}");
    assert!(log(&labels("2020-07-01"), &[]).contains("cannot be compared"));
    let wrong = words(&labels("2020-07-01"), &["--anchors", &other]);
    let message = refuse(&wrong.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(message.contains("other.csv is not the file that the panel was made with"), "{message}");
}
