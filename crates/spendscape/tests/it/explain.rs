//! `spendscape explain`, from the outside.

use std::{collections::HashMap, fs, path::Path, sync::LazyLock};

use serde_json::Value;
use spendscape_schema::{
    Axis, Table, Tabular,
    tables::{Contributions, Explanations, Segments},
};
use spendscape_store::read_table;

use crate::program::{refuse, succeed};

/// Relative to the largest number summed.
const SAME: f64 = 1e-12;

/// A trained run in `folder/run` on data in `folder/bank`.
struct Fixture {
    folder: tempfile::TempDir,
}

/// Made once for all tests, which change copies of it.
static TRAINED: LazyLock<Fixture> = LazyLock::new(|| {
    let fixture = Fixture { folder: tempfile::tempdir().unwrap() };
    let bank = fixture.path("bank");
    succeed(&["synth", &bank, "--customers", "400", "--preset", "strong"]);
    succeed(&["ingest", &bank]);
    succeed(&["run", &fixture.path("run"), "--data", &bank, "--epochs", "100"]);
    fixture
});

/// Copies the files of a folder, those of its folders too.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self { folder: tempfile::tempdir().unwrap() };
        copy(TRAINED.folder.path(), fixture.folder.path());
        fixture
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn explain<'a>(&'a self, run: &'a str, bank: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        ["explain", run, "--data", bank].iter().chain(more).copied().collect()
    }

    fn json(&self, customer: &str) -> Value {
        let (run, bank) = (self.path("run"), self.path("bank"));
        let text = succeed(&self.explain(&run, &bank, &["--customer", customer, "--json"]));
        serde_json::from_str(&text).unwrap()
    }

    fn table<T: Tabular>(&self) -> T {
        let path = Path::new(&self.path("run")).join(format!("{}.parquet", T::NAME));
        read_table(&path, T::TABLE).unwrap().table().unwrap()
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn customers_are_explained() {
    let fixture = Fixture::new();
    let (run, bank) = (fixture.path("run"), fixture.path("bank"));
    let Explanations { customer: customers, refusal: refusals, .. } = fixture.table();
    let explained = |at: &usize| refusals[*at].is_none();
    let first: Vec<usize> = (0..customers.len()).filter(explained).take(4).collect();
    assert_eq!(first.len(), 4, "most customers are explained: {refusals:?}");

    let path = fixture.path("run/contributions.parquet");
    let contributions = read_table(Path::new(&path), Table::Contributions).unwrap();
    let classes = contributions.axes.labels(Axis::Class).unwrap();
    let Contributions { customer, contribution: batch, .. } = contributions.table().unwrap();
    let rows: HashMap<String, usize> =
        customer.into_iter().enumerate().map(|(at, name)| (name, at)).collect();
    assert_eq!(rows.len(), refusals.iter().filter(|refusal| refusal.is_none()).count());
    let Segments { model_path: paths, .. } = fixture.table();

    for at in first {
        let why = fixture.json(&customers[at]);
        // The assignment is the one that the stage `segment` made.
        let path: Vec<&str> = why["assignment"]["path"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part[0].as_str().unwrap())
            .collect();
        assert_eq!(path.join(" / "), paths[at]);
        assert_eq!(why["assignment"]["segment"], path[0]);
        assert_eq!(why["trust"]["surrogate_segment"], path[0]);
        // Contributions add up to the model's own value, and are those of the batch.
        let lead = &why["lead"];
        let (baseline, value) = (number(&lead["baseline"]), number(&lead["value"]));
        let drivers = lead["classes"].as_array().unwrap();
        assert_eq!(drivers.len(), classes.len());
        let (mut sum, mut size) = (baseline, baseline.abs().max(value.abs()));
        let row = batch.row(rows[&customers[at]]);
        for driver in drivers {
            let contribution = number(&driver["contribution"]);
            let expected =
                number(&driver["coefficient"]) * (number(&driver["share"]) - number(&driver["average"]));
            assert!((contribution - expected).abs() <= SAME, "{driver}");
            let class = classes.iter().position(|class| driver["class"] == **class).unwrap();
            assert_eq!(contribution, row[class]);
            size = size.max(contribution.abs());
            sum += contribution;
        }
        // A plain sum of a hundred numbers loses a little more than the compensated one.
        assert!((sum - value).abs() <= 10.0 * SAME * size, "{sum} {value}");
        assert!((number(&lead["sum"]) - value).abs() <= SAME * size);
        assert!(
            drivers
                .windows(2)
                .all(|w| { number(&w[0]["contribution"]).abs() >= number(&w[1]["contribution"]).abs() })
        );
        for angle in why["angles"]["angles"].as_array().unwrap() {
            assert!((number(&angle["sum"]) - number(&angle["value"])).abs() <= SAME * 10.0, "{angle}");
        }
        assert_eq!(why["periods"].as_array().unwrap().len(), 6);
        assert_eq!(why["periods"][5]["segment"], path[0]);
        if let Some(moves) = why["change"]["moves"].as_array() {
            assert_ne!(why["change"]["segment"], path[0]);
            assert!(number(&why["change"]["lead"]) > 0.0);
            let moved: f64 = moves.iter().map(|step| number(&step["share"])).sum();
            assert!((moved - number(&why["change"]["moved"])).abs() < SAME);
            let rows = why["change"]["classes"].as_array().unwrap();
            let difference: f64 = rows.iter().map(|row| number(&row["after"]) - number(&row["before"])).sum();
            assert!(difference.abs() < SAME && rows.iter().all(|row| number(&row["after"]) >= 0.0));
        }
    }
    if let Some(at) = refusals.iter().position(Option::is_some) {
        let why = fixture.json(&customers[at]);
        assert!(
            why["lead"].is_null() && why["change"].is_null() && why["trust"]["refusal"].is_string(),
            "{why}"
        );
        assert_eq!(why["shifts"].as_array().unwrap().len(), 0);
        let text = succeed(&fixture.explain(&run, &bank, &["--customer", &customers[at]]));
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("NO EXPLANATION IS GIVEN"), "{text}");
    }
}

#[test]
fn the_model_card_says_whom_it_is_about() {
    let fixture = Fixture::new();
    let card = fs::read_to_string(fixture.folder.path().join("run/model_card.md")).unwrap();
    assert!(card.contains("synthetic") && card.contains("400 customers") && !card.contains("NaN"), "{card}");
}

/// The same question gets the same bytes, on any number of threads, and the page stands alone.
#[test]
fn the_same_question_gets_the_same_bytes() {
    let fixture = Fixture::new();
    let (run, bank) = (fixture.path("run"), fixture.path("bank"));
    let ask = |threads: &str| {
        let page = fixture.path("why.html");
        let words = ["--customer", "C000007", "--html", &page, "--threads", threads, "--force"];
        let text = succeed(&fixture.explain(&run, &bank, &words));
        (text, fs::read_to_string(&page).unwrap())
    };
    let (text, page) = ask("1");
    assert_eq!((text.clone(), page.clone()), ask("2"));
    assert!(text.contains("C000007") && page.contains("C000007"));
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    for word in ["http", "<script", "src=", "@import", "url("] {
        assert!(!page.contains(word), "the page asks for something else: {word}");
    }
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let fixture = Fixture::new();
    let (run, bank) = (fixture.path("run"), fixture.path("bank"));
    let message = refuse(&fixture.explain(&run, &bank, &["--customer", "nobody"]));
    assert!(message.contains("nobody") && message.contains("panel.parquet"), "{message}");
    let message = refuse(&fixture.explain(&run, &bank, &["--html", "why.html"]));
    assert!(message.contains("--customer"), "{message}");
    // A panel of other classes than the model's.
    let other = fixture.path("other");
    fs::write(fixture.path("taxonomy.toml"), "name = \"test\"\n[classes.food]\n[classes.rent]\n").unwrap();
    let map = "currency = \"EUR\"\n[types]\namount = \"decimal(12, 2)\"\n[columns]\ncustomer = \"customer\"\ntime = \"time\"\n\
               amount = \"amount\"\nclass = \"class\"\n[time]\nformats = [\"%Y-%m-%d\"]\n";
    fs::write(fixture.path("map.toml"), map).unwrap();
    let rows = "customer,time,amount,class\na,2019-05-01,-10.00,food\na,2020-12-31,-5.00,rent\n";
    fs::write(fixture.path("ledger.csv"), rows).unwrap();
    let (ledger, map, taxonomy) =
        (fixture.path("ledger.csv"), fixture.path("map.toml"), fixture.path("taxonomy.toml"));
    succeed(&[
        "ingest",
        &other,
        "--files",
        &ledger,
        "--map",
        &map,
        "--taxonomy",
        &taxonomy,
        "--window",
        "annual x 2",
        "--short-window",
        "none",
        "--draw-coefficients",
        "1",
    ]);
    // The network was trained on what lay there before: what is to be done again is said.
    let message = refuse(&fixture.explain(&run, &other, &[]));
    assert!(message.contains("coefficients.parquet") && message.contains("spendscape train"), "{message}");
}

/// They are marked, are left alone, and their part is told.
#[test]
fn flagged_classes_stay_in_force() {
    let fixture = Fixture::new();
    let (run, bank) = (fixture.path("run"), fixture.path("bank"));
    let list = fixture.path("protected.toml");
    fs::write(&list, "[protected]\nmartian_food = \"x\"\n").unwrap();
    let message = refuse(&fixture.explain(&run, &bank, &["--protected", &list]));
    assert!(message.contains("martian_food"), "{message}");
    fs::write(
        &list,
        "[protected]\nsupermarket = \"a test\"\nrent = \"another\"\n[proxy]\nbooks = \"a third\"\n",
    )
    .unwrap();
    succeed(&fixture.explain(&run, &bank, &["--protected", &list]));
    let Explanations { customer: customers, unflagged_segment: without, segment: segments, moved, .. } =
        fixture.table();
    assert!(without.iter().all(Option::is_some));
    assert!(without.iter().zip(&segments).any(|(without, segment)| without.as_deref() != Some(segment)));
    let found = moved.iter().position(Option::is_some).unwrap();
    // Without a list the one in force is used.
    let why = fixture.json(&customers[found]);
    assert!(number(&why["flagged"]["listed"]) >= 3.0, "{}", why["flagged"]);
    let flag = |class: &str| {
        let drivers = why["lead"]["classes"].as_array().unwrap();
        drivers.iter().find(|driver| driver["class"] == class).unwrap()["flag"].clone()
    };
    assert_eq!((flag("supermarket"), flag("books")), ("protected".into(), "proxy".into()));
    assert_eq!(why["flagged"]["segment_without"], without[found].clone().unwrap());
    for class in why["change"]["classes"].as_array().unwrap() {
        assert!(!["supermarket", "rent", "books"].contains(&class["class"].as_str().unwrap()), "{class}");
    }
}
