//! Goals from the command line: from a stream with known truth to the four uses, and bad input.

use std::{fs, path::Path, sync::LazyLock};

use serde_json::Value;
use spendscape_goals::GoalMap;
use spendscape_schema::{
    Axis, Table, Tabular, Taxonomy,
    tables::{
        CampaignUplift, Campaigns, CrossSelling, Demand, DemandScores, GoalGroups, GoalPredictions,
        GoalReasonRow, GoalReasons, Recommendations,
    },
};
use spendscape_store::{Manifest, read_table};

use crate::program::{files, refuse, spendscape, succeed};

/// A bank with a stream of goals, its groups and a model, made once.
pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) figures: Value,
}

pub(crate) static WORLD: LazyLock<World> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (bank, run) = (path("bank"), path("run"));
    succeed(&["synth", &bank, "--customers", "500", "--goals", "--goal-years", "2", "-q"]);
    fs::write(path("calendar.toml"), "payday = 25\n").unwrap();
    succeed(&["goals", "groups", &run, "--data", &bank, "--until", "2020-12-31", "-q"]);
    let figures =
        train(&run, &bank, &path("calendar.toml"), &["--units", "32", "--epochs", "8", "--batch", "8"]);
    World { folder, figures }
});

fn train(run: &str, bank: &str, calendar: &str, more: &[&str]) -> Value {
    let mut words = vec!["goals", "train", run, "--data", bank, "--calendar", calendar, "--json", "-q"];
    words.extend(["--draws", "100"]);
    words.extend(more);
    serde_json::from_str(&succeed(&words)).unwrap()
}

impl World {
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A command of goals on the run; what it printed.
    fn goals(&self, command: &str, more: &[&str]) -> String {
        self.goals_in(&self.path("run"), command, more)
    }

    /// The same on another run.
    pub(crate) fn goals_in(&self, run: &str, command: &str, more: &[&str]) -> String {
        let bank = self.path("bank");
        succeed(&[&["goals", command, run, "--data", &bank, "-q"], more].concat())
    }

    /// A run folder of its own with the same groups and model, so that tests that run side by side do not write the same tables.
    pub(crate) fn copy(&self, name: &str) -> String {
        let (run, copy) = (self.path("run"), self.path(name));
        fs::create_dir_all(&copy).unwrap();
        for file in fs::read_dir(&run).unwrap().map(Result::unwrap) {
            let name = file.file_name().to_string_lossy().into_owned();
            if name.starts_with("goal_") && name.ends_with(".parquet") {
                fs::copy(file.path(), Path::new(&copy).join(name)).unwrap();
            }
        }
        copy
    }

    fn refuse(&self, command: &str, more: &[&str]) -> String {
        let (run, bank) = (self.path("run"), self.path("bank"));
        let mut words = vec!["goals", command, run.as_str(), "--data", bank.as_str()];
        words.extend(more);
        refuse(&words)
    }

    fn table<T: Tabular>(&self) -> T {
        let path = self.folder.path().join("run").join(format!("{}.parquet", T::NAME));
        read_table(&path, T::TABLE).unwrap().table().unwrap()
    }
}

fn figure(figures: &Value, name: &str) -> f64 {
    figures[name].as_f64().unwrap_or_else(|| panic!("no figure {name}"))
}

fn digests(run: &Path, stage: &str) -> Vec<(String, String)> {
    let outputs = &Manifest::read(run).unwrap().stages[stage].outputs;
    outputs.iter().map(|(name, digest)| (name.clone(), digest.to_string())).collect()
}

#[test]
fn the_model_is_far_better_than_simple_ones_and_worse_than_the_truth() {
    let figures = &WORLD.figures;
    // Both ends of the intervals of the differences.
    assert!(figure(figures, "lstm - markov_2.accuracy.low") > 0.05, "the figures are not as good as that");
    assert!(figure(figures, "lstm - markov_2.log_loss.high") < -0.15, "the figures are not as good as that");
    assert!(
        figure(figures, "lstm - best_possible.log_loss.low") > 0.0,
        "the figures are not as good as that"
    );
    let share = figure(figures, "lstm - majority.accuracy.share_of_best");
    assert!(share > 0.6 && share < 1.0, "{share}");
    // Certainty that fails costs more than the shares of goals.
    assert!(figure(figures, "repeat_last.log_loss") > figure(figures, "majority.log_loss"));
    let by_history =
        figure(figures, "history 50+.lstm.accuracy") - figure(figures, "history 50+.majority.accuracy");
    assert!(by_history > 0.1, "{by_history}");
    let made = files(&WORLD.folder.path().join("run"));
    for file in ["goal_model", "goal_training", "goal_measures", "goal_comparisons", "goal_confusion"] {
        assert!(made.contains(&format!("{file}.parquet")), "{made:?}");
    }
    assert!(files(&WORLD.folder.path().join("run/figures")).contains(&"goals.svg".to_owned()));
}

/// What was measured is said in words, and before what is expected.
#[test]
fn measures_are_told_in_words_before_expectations() {
    let word = |figures: &Value, name: &str| {
        figures[name].as_str().unwrap_or_else(|| panic!("{name}: {figures}")).to_owned()
    };
    for measure in ["accuracy", "log_loss"] {
        let words = word(&WORLD.figures, &format!("lstm.{measure}.beside_commonest_goal"));
        assert!(words.starts_with("better than the commonest goal ("), "{words}");
        let words = word(&WORLD.figures, &format!("lstm.{measure}.beside_best_simple_model"));
        // Which it is, the small bank does not decide; that the words are those of the interval, it does.
        let (verdict, rest) =
            words.split_once(" than the best simple model, ").unwrap_or_else(|| panic!("{words}"));
        let rival = rest.split_whitespace().next().unwrap_or_else(|| panic!("{words}"));
        let bound = |end: &str| figure(&WORLD.figures, &format!("lstm - {rival}.{measure}.{end}"));
        // Less loss is better.
        let sign = if measure == "log_loss" { -1.0 } else { 1.0 };
        let bounds = [sign * bound("low"), sign * bound("high")];
        let expected = if bounds.iter().all(|bound| *bound > 0.0) {
            "better"
        } else if bounds.iter().all(|bound| *bound < 0.0) {
            "WORSE"
        } else {
            "NO BETTER"
        };
        assert_eq!(verdict, expected, "{words}: {bounds:?}");
    }
    let (copy, bank) = (WORLD.copy("told"), WORLD.path("bank"));
    let words = |command: &'static str, more: &'static [&'static str]| {
        [&["goals", command, &copy, "--data", &bank][..], more]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let said = |words: Vec<String>| {
        let output = spendscape(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(output.status.success(), "{err}");
        (out, err)
    };
    let campaign = &["--futures", "8", "--goal", "shopping", "--capacity", "40", "--draws", "50"];
    let (out, _) = said(words("campaign", campaign));
    let place = |words: &str| out.find(words).unwrap_or_else(|| panic!("{words}: {out}"));
    assert!(place("shopping: measured on past days") < place("better than chance"), "{out}");
    assert!(place("the strongest simple rule") < place("expected from"), "{out}");
    let (json, _) = said([words("campaign", campaign), vec!["--json".to_owned(), "-q".to_owned()]].concat());
    let figures: Value = serde_json::from_str(&json).unwrap();
    assert!(
        figure(&figures, "shopping.model.uplift") > 0.0 && figure(&figures, "shopping.plan.expected") > 0.0
    );
    assert!(word(&figures, "shopping.verdict").starts_with("better than chance; "));
    assert!(json.find("shopping.model.uplift") < json.find("shopping.plan.expected"));

    // Days that the model was fitted on: what holds them out is named, and does.
    let demand = &["--futures", "2", "--past", "20"];
    let (out, err) = said(words("demand", demand));
    assert!(
        out.contains("goals, events: past forecasts were ") && out.contains("the naive forecast (for "),
        "{out}"
    );
    let share = err.split("`goals train --test ").nth(1).and_then(|rest| rest.split('`').next());
    let share = share.unwrap_or_else(|| panic!("no option is named: {err}"));
    let past = err.split("`--past ").nth(1).and_then(|rest| rest.split('`').next());
    let past = past.unwrap_or_else(|| panic!("no number of days is named: {err}"));
    let (_, err) = said([words("demand", &["--futures", "2", "--past"]), vec![past.to_owned()]].concat());
    assert!(!err.contains("looks better than it is"), "{err}");
    let quick = ["--units", "8", "--epochs", "1", "--draws", "20", "--test-groups", "500", "--test", share];
    succeed(&[&["goals", "train", &copy, "--data", &bank][..], &quick].concat());
    let (_, err) = said(words("demand", demand));
    assert!(!err.contains("looks better than it is"), "{err}");

    let (out, _) = said(words("predict", &[]));
    let dominates = out.contains("The most probable next goal is `");
    let (json, _) = said(words("predict", &["--json", "-q"]));
    let figures: Value = serde_json::from_str(&json).unwrap();
    let shares: Vec<f64> = figures.as_object().unwrap().values().filter_map(Value::as_f64).collect();
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{figures}");
    assert_eq!(dominates, shares.iter().any(|share| *share >= 0.5), "{figures}");
    let help = succeed(&["goals", "demand", "--help"]);
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("relative to that of the naive forecast"), "{help}");
}

#[test]
fn every_customer_is_predicted_with_days_and_reasons() {
    WORLD.goals("predict", &["--as-of", "2020-12-31"]);
    let predictions: GoalPredictions = WORLD.table();
    assert_eq!(predictions.customer.len(), 500);
    for (row, best) in predictions.probabilities.rows().into_iter().zip(&predictions.probability) {
        assert!((row.sum() - 1.0).abs() < 1e-9);
        assert!((row.iter().copied().fold(0.0, f64::max) - best).abs() < 1e-9);
    }
    // 2020-12-31: nothing that has been comes again.
    let GoalPredictions { early_day, median_day, late_day, .. } = &predictions;
    for at in 0..500 {
        let known: Vec<i32> = [early_day[at], median_day[at], late_day[at]].into_iter().flatten().collect();
        assert!(known.iter().all(|day| *day > 18_627) && known.is_sorted(), "{known:?}");
    }
    let reasons: Vec<GoalReasonRow> = WORLD.table::<GoalReasons>().into_rows().collect();
    assert_eq!(reasons.len(), 500 * 8, "eight past groups of everybody");
    let names = &predictions.customer;
    for (name, sum) in names.iter().zip(&predictions.sum_of_effects) {
        let own: f64 = reasons.iter().filter(|row| row.customer == *name).map(|row| row.effect).sum();
        assert!((own - sum).abs() < 1e-9, "{name}: {own} {sum}");
    }
    assert!(reasons.iter().any(|row| row.effect.abs() > 0.05), "no group matters");
    let text = WORLD.goals("predict", &["--as-of", "2020-12-31", "--customer", &names[7]]);
    assert!(text.contains(&names[7]) && text.contains("interaction"), "{text}");
    let json = WORLD.goals("predict", &["--as-of", "2020-12-31", "--customer", &names[7], "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["reasons"].as_array().unwrap().len(), 8);
}

#[test]
fn the_four_uses_are_tables() {
    let future = ["--futures", "16"];
    WORLD.goals(
        "recommend",
        &[&future[..], &["--exclude-goals", "groceries", "--exclude-classes", "rent,fuel"]].concat(),
    );
    let Recommendations { goal: goals, class: classes, .. } = WORLD.table();
    assert!(goals.len() > 500 && !goals.contains(&"groceries".to_owned()));
    assert!(!classes.iter().any(|class| class == "rent" || class == "fuel"));

    WORLD.goals(
        "campaign",
        &[&future[..], &["--goal", "shopping,trip", "--capacity", "40", "--draws", "50"]].concat(),
    );
    assert_eq!(WORLD.table::<Campaigns>().customer.len(), 80);
    // Shopping is a matter of taste: some hardly ever do it, and the model knows who.
    let mut uplift = WORLD.table::<CampaignUplift>().into_rows();
    let row = uplift
        .find(|row| row.goal == "shopping" && row.targeting == "model" && row.expected.is_some())
        .unwrap();
    assert!(row.uplift > 0.3, "{row:?}");

    WORLD.goals("cross-sell", &["--items", "goals"]);
    let CrossSelling { rule: rules, .. } = WORLD.table();
    assert!(["together", "follows"].iter().all(|rule| rules.contains(&(*rule).to_owned())), "{rules:?}");

    WORLD.goals("demand", &[&future[..], &["--period", "week", "--past", "3"]].concat());
    let mut demand = WORLD.table::<Demand>().into_rows();
    assert!(demand.all(|row| row.low <= row.expected && row.expected <= row.high));
    let DemandScores { coverage, .. } = WORLD.table();
    assert!(!coverage.is_empty() && coverage.iter().all(|share| (0.0..=1.0).contains(share)));
    let message = WORLD.refuse("demand", &["--period", "month", "--as-of", "2020-12-15"]);
    assert!(message.contains("last days of months"), "{message}");
}

/// Many blocks, many passes over the ledger: the same groups; and the same model for any number of threads.
#[test]
fn groups_do_not_depend_on_memory_and_models_do_not_depend_on_threads() {
    let bank = WORLD.path("bank");
    let run = |name: &str, block: &str, memory: &str| {
        let run = WORLD.path(name);
        let words = ["goals", "groups", &run, "--data", &bank, "--until", "2020-12-31", "-q"];
        succeed(&[&words[..], &["--block", block, "--memory", memory]].concat());
        let report = fs::read_to_string(Path::new(&run).join("goal_groups_report.json")).unwrap();
        let report: Value = serde_json::from_str(&report).unwrap();
        (run, report["passes"].as_u64().unwrap())
    };
    let (small, passes) = run("small", "20000", "1");
    assert!(passes > 2, "it has to be read several times, not {passes}");
    let (whole, one) = run("whole", "10000000", "1000");
    assert_eq!(one, 1);
    let groups = |run: &str| {
        let table = read_table(&Path::new(run).join("goal_groups.parquet"), Table::GoalGroups).unwrap();
        table.table::<GoalGroups>().unwrap()
    };
    assert!(groups(&small) == groups(&whole), "blocks change the groups");
    let calendar = WORLD.path("calendar.toml");
    let quick = ["--epochs", "2", "--units", "8", "--test-groups", "3000"];
    train(&small, &bank, &calendar, &[&quick[..], &["--threads", "1"]].concat());
    let first = digests(Path::new(&small), "goals train");
    train(&small, &bank, &calendar, &[&quick[..], &["--threads", "3", "--force"]].concat());
    assert_eq!(first, digests(Path::new(&small), "goals train"));
}

const MAP: &str = r#"
currency = "EUR"
[types]
amount = "decimal(12, 2)"
[columns]
customer = "customer"
time = "time"
amount = "amount"
class = "class"
place = "place"
[time]
formats = ["%Y-%m-%dT%H:%M:%S%:z", "%Y-%m-%dT%H:%M:%S"]
zone = "Europe/Berlin"
"#;

const TAXONOMY: &str = "name = \"test\"\n[classes.food]\n[classes.rent]\n[classes.wage]\nflow = \"income\"\n";

/// Odd customers: no history, one event, out of order, in the future, at midnight of two time zones, income and refunds.
#[test]
fn odd_customers_are_counted_and_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let write = |name: &str, text: &str| fs::write(path(name), text).unwrap();
    let mut csv = String::from("customer,time,amount,class,place\n");
    for k in 0..40 {
        for day in 0..60 {
            let date = jiff::civil::date(2020, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
            let class = if (day + k) % 7 == 0 { "rent" } else { "food" };
            csv += &format!("c{k:02},{date}T12:00:00,-10.00,{class},here\n");
        }
    }
    csv += "once,2020-01-05T12:00:00,-10.00,food,there\n";
    csv += "late,2020-02-01T12:00:00,-10.00,food,here\nlate,2020-01-01T12:00:00,-10.00,rent,here\n";
    csv += "future,2020-01-01T12:00:00,-5.00,food,here\nfuture,2031-01-01T12:00:00,-5.00,food,here\n";
    // The same local day in Berlin; in their own zones it would be two.
    csv +=
        "zones,2020-01-10T23:30:00+00:00,-5.00,food,here\nzones,2020-01-11T08:00:00+01:00,-7.00,rent,here\n";
    csv += "income,2020-01-10T12:00:00,100.00,wage,here\nincome,2020-01-11T12:00:00,5.00,food,here\n";
    write("ledger.csv", &csv);
    write("map.toml", MAP);
    write("taxonomy.toml", TAXONOMY);
    write("customers.csv", "customer,age\nc00,old\nonce,young\nstranger,young\nc01,\n");
    let run = path("run");
    let mut words = vec![
        "ingest".to_owned(),
        run.clone(),
        "-q".to_owned(),
        "--draw-coefficients".to_owned(),
        "1".to_owned(),
    ];
    for (flag, file) in [("--files", "ledger.csv"), ("--map", "map.toml"), ("--taxonomy", "taxonomy.toml")] {
        words.extend([flag.to_owned(), path(file)]);
    }
    words.extend(["--window", "annual x 1 from 2020-01-01", "--short-window", "none"].map(str::to_owned));
    succeed(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let ingested: Value =
        serde_json::from_str(&fs::read_to_string(path("run/ingest_report.json")).unwrap()).unwrap();
    assert_eq!(ingested["zones_converted"], 2, "{ingested}");
    let customers = path("customers.csv");
    let words = ["goals", "groups", &run, "--customers", &customers, "--until", "2020-02-29", "-q"];
    // Every customer is a block, those without groups too.
    succeed(&[&words[..], &["--channel", "place", "--block", "1"]].concat());
    let report: Value =
        serde_json::from_str(&fs::read_to_string(path("run/goal_groups_report.json")).unwrap()).unwrap();
    let counts = [
        ("customers", 46),
        ("customers_without_groups", 2),
        ("customers_with_one_group", 3),
        ("customers_without_transactions", 1),
        ("customers_without_covariates", 42),
        ("inflows", 1),
        ("without_goal", 1),
        ("future", 1),
        ("unknown_class", 0),
        ("out_of_order", 1),
    ];
    for (name, count) in counts {
        assert_eq!(report[name], count, "{name}: {report}");
    }
    let quick =
        ["--units", "8", "--epochs", "3", "--batch", "4", "--draws", "20", "-q", "--split", "customers"];
    succeed(&[&["goals", "train", &run][..], &quick].concat());
    succeed(&["goals", "predict", &run, "-q"]);
    // The same groups known up to a later day: what was predicted from the earlier one is not up to date.
    let known = |day: &'static str| {
        let more = ["--until", day, "-q", "--channel", "place", "--block", "1"];
        succeed(&[&["goals", "groups", run.as_str(), "--customers", &customers][..], &more].concat())
    };
    known("2020-03-31");
    let message = refuse(&["goals", "predict", &run]);
    assert!(
        message.contains("goal_groups.parquet of other options") && message.contains("goals train"),
        "{message}"
    );
    known("2020-02-29");
    succeed(&["goals", "predict", &run, "-q"]);
    let rows = read_table(Path::new(&path("run/goal_predictions.parquet")), Table::GoalPredictions).unwrap();
    assert_eq!(rows.axes.labels(Axis::Goal).unwrap(), ["food", "rent"]);
    let GoalPredictions { customer: names, history, median_day: day, probability, .. } =
        rows.table().unwrap();
    let of = |name: &str| names.iter().position(|known| known == name).unwrap();
    assert_eq!(
        ["stranger", "income", "once", "late", "future", "zones"].map(|name| history[of(name)]),
        [0, 0, 1, 2, 1, 1]
    );
    assert_eq!((day[of("stranger")], day[of("income")]), (None, None));
    assert!(probability[of("stranger")] > 0.5, "food is what most begin with");
    let text = succeed(&["goals", "predict", &run, "--customer", "stranger", "-q"]);
    assert!(text.contains("no group known"), "{text}");
    for command in ["recommend", "campaign", "demand"] {
        succeed(&["goals", command, &run, "--futures", "4", "-q"]);
    }
}

/// The maps that come with the project, against the taxonomies that they are for.
#[test]
fn the_example_maps_fit_their_classes() {
    let datasets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
    let read = |name: &str| fs::read_to_string(datasets.join(name)).unwrap();
    let map = |name: &str| GoalMap::from_toml(&read(name)).unwrap();
    let taxonomy = Taxonomy::from_toml(&read("berka/taxonomy.toml")).unwrap();
    let resolved = map("berka/goals.toml").resolve(&taxonomy.spending_classes()).unwrap();
    assert_eq!((resolved.goals.len(), resolved.of_class.len()), (7, 9));
    assert!(resolved.unused.is_empty(), "{:?}", resolved.unused);
    let words = ["CHRISTMAS", "RETROSPOT", "BAG", "MUG"].map(str::to_owned);
    let resolved = map("online_retail/goals.toml").resolve(&words).unwrap();
    let of: Vec<&str> = resolved.of_class.iter().map(|goal| resolved.goals[*goal].as_str()).collect();
    assert_eq!(of, ["christmas", "other", "storage", "kitchen and table"]);
}

#[test]
fn bad_input_is_refused_in_words() {
    let empty = tempfile::tempdir().unwrap();
    let none = empty.path().to_str().unwrap();
    assert!(refuse(&["goals", "train", none]).contains("goal_groups.parquet"));
    assert!(refuse(&["goals", "groups", none]).contains("ledger.parquet"));
    assert!(WORLD.refuse("predict", &["--model", none]).contains("goals train"));
    assert!(WORLD.refuse("predict", &["--as-of", "2035-01-01"]).contains("2020-12-31"));
    assert!(WORLD.refuse("predict", &["--customer", "nobody"]).contains("nobody"));
    assert!(WORLD.refuse("campaign", &["--goal", "happiness"]).contains("housing"));
    assert!(WORLD.refuse("recommend", &["--exclude-classes", "gold"]).contains("\"gold\""));
    assert!(WORLD.refuse("recommend", &["--as-of", "1999-01-01"]).contains("--as-of"));
    assert!(WORLD.refuse("train", &["--units", "0"]).contains("units"));
    let message = WORLD.refuse("train", &["--see", "hour,shares", "--hide", "season,shares"]);
    assert!(message.contains("both name shares"), "{message}");
    assert!(WORLD.refuse("train", &["--validation", "0.9", "--test", "0.5"]).contains("share"));
    let write = |name: &str, text: &str| {
        let path = empty.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let calendar = write("calendar.toml", "payday = 31\n");
    assert!(WORLD.refuse("train", &["--calendar", &calendar]).contains("payday"));
    let bank = WORLD.path("bank");
    let other = empty.path().join("other").to_str().unwrap().to_owned();
    let groups = |more: &[&str]| refuse(&[&["goals", "groups", &other, "--data", &bank][..], more].concat());
    let map = write("map.toml", "name = \"m\"\n[goals]\nhome = [\"rent\"]\nfood = [\"supermarket\"]\n");
    let message = groups(&["--map", &map]);
    assert!(message.contains("map.toml") && message.contains("has no goal"), "{message}");
    let twice = write("twice.csv", "customer,age\na,1\na,2\n");
    assert!(groups(&["--customers", &twice]).contains("twice.csv line 3"));
    let many: String = (0..200).map(|k| format!("c{k},{k}\n")).collect();
    let many = write("many.csv", &format!("customer,income\n{many}"));
    assert!(groups(&["--customers", &many]).contains("column income has 200 different values"));
    assert!(groups(&["--until", "1990-01-01"]).contains("no transaction is spending"));
    let tables = files(Path::new(&other))
        .into_iter()
        .filter(|name| !["manifest.json", "run.lock"].contains(&name.as_str()));
    assert_eq!(tables.collect::<Vec<_>>(), Vec::<String>::new(), "nothing half-written");
    // A model of other goals.
    let map = write("two.toml", "name = \"m\"\nunmapped = \"food\"\n[goals]\nhome = [\"rent\"]\n");
    succeed(&["goals", "groups", &other, "--data", &bank, "--map", &map, "-q"]);
    let message = refuse(&["goals", "predict", &other, "--model", &WORLD.path("run")]);
    assert!(message.contains("home, food") && message.contains("housing"), "{message}");
    let model = Path::new(&WORLD.path("run")).join("goal_model.parquet");
    assert!(message.contains(model.to_str().unwrap()), "{message}");
}
