//! What is printed first is what was measured: who was left out and why, which days, what traits are worth.

use std::{fs, path::Path};

use serde_json::Value;
use spendscape_schema::{
    CoefficientOrigin, Scope, Table,
    scope::SCOPE,
    tables::{FlaggedClasses, Taxonomy},
};
use spendscape_store::read_table;

use crate::program::{refuse, spendscape, succeed};

const MAP: &str = r#"
currency = "UGX"
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

/// Classes of spending, one of which tells of health.
const CLASSES: [&str; 4] = ["food", "rent", "pharmacy", "fun"];

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(csv: &str) -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(bench.path("map.toml"), MAP).unwrap();
        fs::write(bench.path("ledger.csv"), format!("customer,time,amount,class\n{csv}")).unwrap();
        bench
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn words(&self, window: &str, more: &[&str]) -> Vec<String> {
        let (run, files, map) = (self.path("run"), self.path("ledger.csv"), self.path("map.toml"));
        let words =
            ["ingest", &run, "--files", &files, "--map", &map, "--derive-classes", "10", "--window", window];
        words.iter().chain(&["--short-window", "none"]).chain(more).map(|word| (*word).to_owned()).collect()
    }

    /// Standard output and standard error of an `ingest`.
    fn ingest(&self, window: &str, more: &[&str]) -> (String, String) {
        let words = self.words(window, more);
        let output = spendscape(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(output.status.success(), "{err}");
        (out, err)
    }

    fn refuse(&self, window: &str) -> String {
        let words = self.words(window, &["--draw-coefficients", "1"]);
        refuse(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// Sixty customers who spend in each of six months, ten who do in two, and one whose money only comes in.
fn ledger() -> String {
    let mut csv = String::new();
    for customer in 0..70 {
        let months = if customer < 60 { 6 } else { 2 };
        for month in 1..=months {
            for (at, class) in CLASSES.iter().enumerate() {
                // Anything that differs between customers, months and classes.
                let amount = 1 + (customer * 7 + month * 3 + at * 5 + customer * at) % 23;
                csv += &format!(
                    "c{customer:02},2019-{month:02}-{:02},-{amount}.50,{class}\n",
                    1 + (customer + at) % 28
                );
            }
        }
    }
    csv + "sign,2019-03-03,12.00,food\n"
}

#[test]
fn a_run_says_who_was_left_out_which_days_it_is_of_and_what_its_traits_are_worth() {
    let bench = Bench::new(&ledger());
    let (out, err) = bench.ingest("monthly x 6", &["--draw-coefficients", "1"]);
    let reasons = "60 of the ledger's 71 customers; 11 (15.5 %) were left out: 10 with spending in too few of the periods, 1 with \
                   money coming in only";
    let days = "2019-01-01 to 2019-06-30 (monthly x 6)";
    for words in ["ledger.csv", "UGX", reasons, days, "random numbers"] {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert!(out.lines().last().unwrap().starts_with("WARNING"), "{out}");
    // Most are left out for want of four months: a rule that keeps more is named.
    assert!(err.contains("11 of 71 customers (15.5 %) are not in the panel"), "{err}");
    assert!(err.contains("The traits mean nothing"), "{err}");
    // A class that nothing falls to is no class.
    let taxonomy = read_table(Path::new(&bench.path("run/taxonomy.parquet")), Table::Taxonomy).unwrap();
    assert!(!taxonomy.table::<Taxonomy>().unwrap().class.contains(&"OTHER".to_owned()));

    // The run may lie in another folder than the data.
    let (run, data) = (bench.path("result"), bench.path("run"));
    let out = succeed(&["run", &run, "--data", &data, "--epochs", "200"]);
    for words in
        [reasons, days, "random numbers", "R2 ", "straight line", "are explained", "report.html", "WARNING"]
    {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert_eq!(succeed(&["run", &run, "--data", &data, "--epochs", "200", "-q"]), "");
    let page = fs::read_to_string(bench.path("result/report.html")).unwrap();
    let html = reasons.replace('\'', "&#39;");
    for words in ["class=\"warning\"", days, "random numbers", "UGX", "ledger.csv", "R2 "] {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.contains(reasons) || page.contains(&html));
    let card = fs::read_to_string(bench.path("result/model_card.md")).unwrap();
    for words in ["> **Warning.**", reasons, days, "were drawn at random"] {
        assert!(card.contains(words), "{words}: {card}");
    }
    assert!(!card.contains("The customers are those of the ledger") && !card.contains("given by the user"));
    let targets = read_table(Path::new(&bench.path("result/targets.parquet")), Table::Targets).unwrap();
    let scope: Scope = serde_json::from_value(targets.provenance.parameters[SCOPE].clone()).unwrap();
    assert_eq!(scope.coefficients, Some(CoefficientOrigin::Drawn));
    assert_eq!(scope.long().unwrap().dropped(), 11);

    explained(&bench, &run, &data);
    left_out(&run, &data);
}

/// Money as money, a warning where traits were drawn, and no advice to save on medicine.
fn explained(bench: &Bench, run: &str, data: &str) {
    let explain = |customer: &str, more: &[&str]| {
        succeed(&[&["explain", run, "--data", data, "--customer", customer][..], more].concat())
    };
    let page = bench.path("why.html");
    let text = explain("c00", &["--html", &page]);
    assert!(text.contains("WARNING: The traits mean nothing") && text.contains(" UGX"), "{text}");
    assert!(!text.contains("0.00 % of spending, below the average of 0.00 %"), "{text}");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("UGX</td>") && !page.contains("minor units") && page.contains("class=\"warning\""));
    let advised = |more: &[&str]| {
        let mut advised = false;
        for customer in 0..60 {
            let json = explain(&format!("c{customer:02}"), &[&["--json"][..], more].concat());
            let why: Value = serde_json::from_str(&json).unwrap();
            if let Some(classes) = why["change"]["classes"].as_array() {
                advised |= classes.iter().any(|class| class["class"] == "pharmacy");
            }
        }
        advised
    };
    assert!(!advised(&[]), "pharmacy is part of a proposed change");
    let flagged =
        read_table(Path::new(&format!("{run}/flagged_classes.parquet")), Table::FlaggedClasses).unwrap();
    let FlaggedClasses { class, role, .. } = flagged.table().unwrap();
    assert_eq!((class, role), (vec!["pharmacy".to_owned()], vec!["named".to_owned()]));
    assert!(advised(&["--no-protected-names"]), "the option has to turn that off");
}

/// `explain` of somebody who is not in the panel says why.
fn left_out(run: &str, data: &str) {
    let why = |customer: &str| refuse(&["explain", run, "--data", data, "--customer", customer]);
    let message = why("c65");
    assert!(
        message.contains("only 2 of the 6 periods") && message.contains("--empty-windows keep-zero:2"),
        "{message}"
    );
    assert!(why("sign").contains("money came in"));
    let message = why("nobody");
    assert!(
        message.contains("no customer \"nobody\" in the ledger") && message.contains("panel.parquet"),
        "{message}"
    );
}

/// The same panel from another ledger: what is said of the ledger is not what it was.
#[test]
fn more_customers_who_are_all_left_out_are_told_of() {
    let bench = Bench::new(&ledger());
    let run = bench.path("run");
    let ingest = || bench.ingest("monthly x 6", &["--draw-coefficients", "1"]);
    let digest = || read_table(Path::new(&bench.path("run/panel.parquet")), Table::Panel).unwrap().digest;
    ingest();
    let (before, words) = (digest(), ["run", &run, "--epochs", "2"]);
    assert!(succeed(&words).contains("60 of the ledger's 71 customers"));
    let more = (0..9).map(|customer| format!("late{customer},2019-06-30,-1.00,food\n")).collect::<String>();
    fs::write(bench.path("ledger.csv"), format!("customer,time,amount,class\n{}{more}", ledger())).unwrap();
    ingest();
    assert_eq!(digest(), before);
    let message = refuse(&["report", &run]);
    assert!(
        message.contains("panel.parquet of other options") && message.contains("spendscape train"),
        "{message}"
    );
    let out = succeed(&words);
    assert!(out.contains("60 of the ledger's 80 customers; 20 (25.0 %) were left out"), "{out}");
    let page = fs::read_to_string(bench.path("run/report.html")).unwrap();
    assert!(
        page.contains("60 of the ledger&#39;s 80 customers")
            || page.contains("60 of the ledger's 80 customers")
    );
}

#[test]
fn amounts_of_the_wrong_sign_are_named() {
    let bench = Bench::new(&ledger().replace(",-", ",").replace("sign", "other"));
    let message = bench.refuse("monthly x 6");
    assert!(
        message.contains("sign of the map's `amount`") && message.contains("71 with money coming in only"),
        "{message}"
    );
}

#[test]
fn a_window_that_late_rows_move_is_warned_of_and_one_that_does_not_fit_gets_a_suggestion() {
    let bench = Bench::new(&format!("{}c00,2019-07-01,-1.00,food\n", ledger()));
    let (out, err) =
        bench.ingest("monthly x 6", &["--draw-coefficients", "1", "--empty-windows", "keep-zero:2"]);
    assert!(err.contains("because of 1 row (below 0.1 %) later than 2019-06-30"), "{err}");
    assert!(err.contains("`--window 'monthly x 6 from 2019-01-01'` leaves out 1 row ("), "{err}");
    assert!(
        out.contains("2019-02-01 to 2019-07-31 (monthly x 6); 280 of the ledger's rows (18.4 %)"),
        "{out}"
    );
    let (_, err) = bench.ingest(
        "monthly x 6 from 2019-01-01",
        &["--draw-coefficients", "1", "--empty-windows", "keep-zero:2"],
    );
    assert!(!err.contains("leaves out"), "{err}");
    assert!(bench.refuse("annual x 6").contains("`monthly x 6` fits"));
}

#[test]
fn a_bank_of_the_program_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run").to_str().unwrap().to_owned();
    succeed(&["synth", &run, "--customers", "200", "--preset", "strong"]);
    let out = succeed(&["ingest", &run]);
    assert!(out.contains("authored for the synthetic bank") && out.contains("none was left out"), "{out}");
    assert!(!out.contains("WARNING"), "{out}");
    let out = succeed(&["run", &run, "--epochs", "20"]);
    assert!(out.contains("200 of the ledger's 200 customers") && out.contains(" refused"), "{out}");
    let card = fs::read_to_string(format!("{run}/model_card.md")).unwrap();
    assert!(
        card.contains("authored for the synthetic bank") && card.contains("The customers are synthetic"),
        "{card}"
    );
}
