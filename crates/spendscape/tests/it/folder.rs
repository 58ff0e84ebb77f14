//! The run folder never lies: what is stopped, damaged, replaced or mixed is done again or refused.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use spendscape_schema::Table;
use spendscape_store::read_table;

use crate::program::{files, refuse, spendscape, succeed};

/// As little of everything as the stages take.
const QUICK: [&str; 8] =
    ["--epochs", "2", "--horizon", "20", "--studied-customers", "1", "--extended-customers", "5"];

/// A finished run that holds its own data.
struct Folder {
    temporary: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        let folder = Self { temporary: tempfile::tempdir().unwrap() };
        folder.make("run", "60", "1");
        folder.run(&[]);
        folder
    }

    fn make(&self, name: &str, customers: &str, seed: &str) {
        succeed(&["synth", &self.named(name), "--customers", customers, "--seed", seed]);
        succeed(&["ingest", &self.named(name)]);
    }

    fn named(&self, name: &str) -> String {
        self.temporary.path().join(name).to_str().unwrap().to_owned()
    }

    fn path(&self) -> String {
        self.named("run")
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::new(&self.path()).join(name)
    }

    fn run(&self, more: &[&str]) {
        let path = self.path();
        succeed(&[&["run", path.as_str()], more, &QUICK].concat());
    }

    fn manifest(&self) -> Value {
        serde_json::from_slice(&fs::read(self.file("manifest.json")).unwrap()).unwrap()
    }

    /// Outputs of every stage with their digests.
    fn outputs(&self) -> Vec<(String, Value)> {
        let manifest = self.manifest();
        let stages = manifest["stages"].as_object().unwrap();
        stages.iter().map(|(name, record)| (name.clone(), record["outputs"].clone())).collect()
    }
}

fn flip(path: &Path, at: usize) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let mut flipped = bytes.clone();
    flipped[at] ^= 0x10;
    fs::write(path, flipped).unwrap();
    bytes
}

/// Lets a stage fail at one of its files, when others are written already: a folder that is not empty cannot be replaced.
fn fail_at(folder: &Folder, file: &str, words: &[&str]) {
    let (path, kept) = (folder.file(file), folder.file("kept"));
    fs::rename(&path, &kept).unwrap();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("x"), "").unwrap();
    assert_ne!(spendscape(words).status.code(), Some(0));
    fs::remove_dir_all(&path).unwrap();
    fs::rename(&kept, &path).unwrap();
}

#[test]
fn a_stage_that_was_stopped_with_other_options_is_done_again() {
    let folder = Folder::new();
    let path = folder.path();
    let (before, report) = (folder.outputs(), fs::read(folder.file("report.html")).unwrap());
    for (stage, file, words) in [
        ("train", "model.parquet", vec!["train", &path, "--epochs", "2", "--scaling", "min-max"]),
        ("segment", "examples.parquet", vec!["segment", &path, "--clusters", "3"]),
        ("panel", "balances.parquet", vec!["ingest", &path, "--window", "annual x 5"]),
        ("dynamics", "map_jumps.parquet", vec!["dynamics", &path, "--horizon", "30"]),
    ] {
        if stage == "panel" {
            // This ledger has no balances: what the stage writes last is its report.
            fail_at(&folder, "panel_report.json", &words);
        } else {
            fail_at(&folder, file, &words);
        }
        assert!(folder.manifest()["stages"][stage]["void"].is_object(), "{stage}");
        // What the stage left is not used by others either.
        if stage == "train" {
            let message = refuse(&["states", &path]);
            assert!(message.contains("train") && message.contains("did not finish"), "{message}");
        }
        succeed(&["ingest", &path]);
        folder.run(&[]);
        assert_eq!(folder.outputs(), before, "{stage}");
    }
    assert!(fs::read(folder.file("report.html")).unwrap() == report);
}

#[test]
fn a_stage_that_fails_before_its_first_file_changes_nothing() {
    let folder = Folder::new();
    let (path, before) = (folder.path(), folder.manifest());
    refuse(&["train", &path, "--train-share", "1"]);
    assert_eq!(folder.manifest(), before);
    let [map, csv, taxonomy] = ["map.toml", "ledger.csv", "taxonomy.toml"].map(|name| folder.named(name));
    fs::write(&map, MAP).unwrap();
    fs::write(&csv, "customer,time,amount,class\na,2020-01-01,x,food\n").unwrap();
    fs::write(&taxonomy, "name = \"test\"\n[classes.food]\n").unwrap();
    refuse(&["ingest", &path, "--files", &csv, "--map", &map, "--taxonomy", &taxonomy]);
    assert_eq!(folder.manifest(), before);
}

const MAP: &str = "currency = \"EUR\"\n[types]\namount = \"decimal(12, 2)\"\n[columns]\ncustomer = \"customer\"\ntime = \
                   \"time\"\namount = \"amount\"\nclass = \"class\"\n[time]\nformats = [\"%Y-%m-%d\"]\n";

#[test]
fn a_flipped_byte_of_the_ledger_is_refused() {
    let folder = Folder::new();
    let (path, ledger) = (folder.path(), folder.file("ledger.parquet"));
    let (size, before) = (fs::metadata(&ledger).unwrap().len() as usize, folder.outputs());
    let mut refused = 0;
    for at in (1..16).map(|part| part * size / 16).chain([size - 3_000, size - 100]) {
        let bytes = flip(&ledger, at);
        let output = spendscape(&["ingest", &path, "--force"]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(2) => {
                refused += 1;
                assert!(message.contains("ledger.parquet"), "{at}: {message}");
            }
            // A byte that nobody reads.
            code => assert_eq!((code, folder.outputs()), (Some(0), before.clone()), "{at}: {message}"),
        }
        fs::write(&ledger, bytes).unwrap();
    }
    assert!(refused >= 5, "{refused}");
}

#[test]
fn what_a_table_was_made_from_is_sealed() {
    let folder = Folder::new();
    let model = folder.file("model.parquet");
    let mut bytes = fs::read(&model).unwrap();
    let word = b"\"study_seed\":1";
    let at = bytes.windows(word.len()).position(|window| window == word).unwrap();
    bytes[at + word.len() - 1] = b'2';
    fs::write(&model, bytes).unwrap();
    for command in ["evaluate", "states", "explain"] {
        let message = refuse(&[command, &folder.path()]);
        assert!(message.contains("model.parquet") && message.contains("damaged"), "{message}");
    }
}

#[test]
fn damaged_outputs_are_made_again() {
    let folder = Folder::new();
    let before = folder.outputs();
    let paths = ["targets", "states_short", "contributions", "map_points", "profiles"]
        .map(|name| folder.file(&format!("{name}.parquet")));
    let whole = paths.each_ref().map(|path| fs::read(path).unwrap());
    // A data page, which only its own digest covers; a cut; nothing.
    type Damage = fn(&[u8]) -> Vec<u8>;
    let damages: [Damage; 3] = [
        |bytes| bytes.iter().enumerate().map(|(at, byte)| if at == 30 { byte ^ 16 } else { *byte }).collect(),
        |bytes| bytes[..bytes.len() / 2].to_vec(),
        |_| Vec::new(),
    ];
    for damage in damages {
        for (path, bytes) in paths.iter().zip(&whole) {
            fs::write(path, damage(bytes)).unwrap();
        }
        folder.run(&[]);
        for (path, bytes) in paths.iter().zip(&whole) {
            assert!(fs::read(path).unwrap() == *bytes, "{}", path.display());
        }
    }
    fs::write(folder.file("panel_report.json"), "{}").unwrap();
    succeed(&["ingest", &folder.path()]);
    assert_eq!(folder.outputs(), before);
    // A folder in the place of a table is no table.
    let path = folder.file("trait_axes.parquet");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let path = folder.path();
    let words = [&["run", path.as_str()] as &[&str], &QUICK].concat();
    let output = spendscape(&words);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && message.contains("trait_axes.parquet"), "{message}");
}

#[test]
fn tables_that_a_stage_no_longer_makes_are_not_used() {
    let folder = Folder::new();
    let path = folder.path();
    succeed(&["evaluate", &path, "--no-baselines", "--no-polynomial"]);
    succeed(&["ingest", &path, "--short-window", "none"]);
    assert!(!folder.file("panel_short.parquet").exists());
    // What was made from it does not count, and what draws tables says so.
    folder.run(&[]);
    assert!(!folder.file("states_short.parquet").exists());
    let page = fs::read_to_string(folder.file("report.html")).unwrap();
    assert!(page.contains("metrics.parquet was made from"), "no word of metrics");
    assert!(page.contains("spendscape evaluate"), "no word of what to do");
    let fresh = Folder { temporary: tempfile::tempdir().unwrap() };
    succeed(&["synth", &fresh.path(), "--customers", "60"]);
    succeed(&["ingest", &fresh.path(), "--short-window", "none"]);
    fresh.run(&[]);
    let without = |folder: &Folder| {
        let outputs = folder.outputs();
        outputs.into_iter().filter(|(stage, _)| stage != "evaluate").collect::<Vec<_>>()
    };
    assert_eq!(without(&folder), without(&fresh));

    // A ledger of the user's own: coefficients, truth and outcomes of the synthetic bank are not about it.
    let [map, csv, taxonomy] = ["map.toml", "ledger.csv", "taxonomy.toml"].map(|name| folder.named(name));
    fs::write(&map, MAP).unwrap();
    let customer = |k: usize| {
        format!(
            "c{k},2019-05-01,-{k}1.00,food\nc{k},2020-05-01,-2{}.00,rent\nc{k},2020-12-31,-5.00,food\n",
            k % 7
        )
    };
    let rows: String = (1..20).map(customer).collect();
    fs::write(&csv, format!("customer,time,amount,class\n{rows}")).unwrap();
    fs::write(&taxonomy, "name = \"test\"\n[classes.food]\n[classes.rent]\n").unwrap();
    let words = ["ingest", &path, "--files", &csv, "--map", &map, "--taxonomy", &taxonomy];
    let windows = ["--window", "annual x 2", "--short-window", "none"];
    succeed(&[&words[..], &windows].concat());
    let message = refuse(&["train", &path]);
    assert!(message.contains("coefficients.parquet") && message.contains("ingest"), "{message}");
    succeed(&[&words[..], &windows, &["--draw-coefficients", "1"]].concat());
    succeed(&["train", &path, "--epochs", "1"]);
    succeed(&[&words[..], &windows].concat());
    assert!(!folder.file("coefficients.parquet").exists());
    let message = refuse(&["train", &path]);
    assert!(message.contains("coefficients.parquet") && message.contains("ingest"), "{message}");
}

#[test]
fn a_list_of_protected_classes_outlives_the_panel() {
    let folder = Folder::new();
    let (path, list) = (folder.path(), folder.named("list.toml"));
    fs::write(&list, "[protected]\npharmacy = \"health\"\n").unwrap();
    succeed(&["explain", &path, "--protected", &list]);
    folder.make("run", "60", "2");
    folder.run(&["--seed", "3"]);
    let flagged = folder.manifest()["stages"]["explain"]["provenance"]["parameters"]["flagged"].clone();
    assert_eq!(flagged["listed"]["protected"]["pharmacy"], "health");
}

/// Found by a new user: with fewer customers the program panicked, with as many it mixed two banks.
#[test]
fn a_run_on_another_panel_is_refused_until_it_is_done_again() {
    let folder = Folder::new();
    let path = folder.path();
    for (customers, seed) in [("60", "2"), ("40", "3")] {
        folder.make("run", customers, seed);
        for words in [
            vec!["explain", &path, "--customer", "C000001"],
            vec!["segment", &path],
            vec!["dynamics", &path],
            vec!["evaluate", &path],
            vec!["report", &path],
        ] {
            let message = refuse(&words);
            assert!(message.contains("was made from another"), "{words:?}: {message}");
            assert!(message.contains(&format!("spendscape train {path}")), "{words:?}: {message}");
        }
        folder.run(&[]);
        succeed(&["explain", &path, "--customer", "C000001"]);
    }
}

#[test]
fn data_of_another_folder_are_never_ignored() {
    let folder = Folder::new();
    folder.make("may", "60", "2");
    let (run, may) = (folder.path(), folder.named("may"));
    for command in ["explain", "run", "states", "evaluate"] {
        let message = refuse(&[command, &run, "--data", &may]);
        assert!(message.contains("--data") && message.contains("differ"), "{command}: {message}");
    }
    let message = refuse(&["run", &folder.named("new"), "--data", &folder.named("nowhere")]);
    assert!(message.contains("nowhere"), "{message}");
    // The same data, or a folder without any, are no contradiction.
    let copy = folder.named("copy");
    fs::create_dir(&copy).unwrap();
    for name in ["panel.parquet", "panel_short.parquet", "coefficients.parquet", "taxonomy.parquet"] {
        fs::copy(folder.file(name), Path::new(&copy).join(name)).unwrap();
    }
    folder.run(&["--data", &copy]);
    // A run that reads data elsewhere notices when they change.
    let other = folder.named("other");
    succeed(&[&["run", other.as_str(), "--data", &may] as &[&str], &QUICK].concat());
    folder.make("may", "60", "3");
    for words in [vec!["explain", &other, "--data", &may], vec!["report", &other]] {
        let message = refuse(&words);
        assert!(message.contains("another panel.parquet"), "{words:?}: {message}");
    }
}

/// Found by taking tables from folder to folder.
#[test]
fn data_that_a_command_does_not_read_are_refused() {
    let folder = Folder::new();
    let (run, new) = (folder.path(), folder.named("new"));
    let [map, csv] = ["map.toml", "ledger.csv"].map(|name| folder.named(name));
    fs::write(&map, MAP).unwrap();
    fs::write(&csv, "customer,time,amount,class\na,2020-01-01,-1.00,food\n").unwrap();
    for words in [
        vec!["synth", &new, "--data", &run],
        vec!["ingest", &new, "--data", &run, "--files", &csv, "--map", &map, "--derive-classes", "1"],
        vec!["dynamics", &new, "--data", &run, "--model", "net.safetensors", "--inputs", &csv],
    ] {
        let message = refuse(&words);
        assert!(message.contains("--data") && message.contains("leave it out"), "{words:?}: {message}");
    }
    // What a run without data of its own made is no data.
    let other = folder.named("other");
    succeed(&["train", &other, "--data", &run, "--epochs", "1"]);
    let message = refuse(&["states", &run, "--data", &other]);
    assert!(message.contains("no data"), "{message}");
    // Where the data are is said.
    let message = refuse(&["states", &other]);
    assert!(message.contains(&format!("--data {run}")), "{message}");
    // A panel of its own is no contradiction only if it was made from the other folder's ledger.
    let (own, bare) = (folder.named("own"), folder.named("bare"));
    succeed(&["ingest", &own, "--data", &run]);
    succeed(&["train", &own, "--data", &run, "--epochs", "1"]);
    folder.make("bare", "50", "2");
    fs::remove_file(Path::new(&bare).join("ledger.parquet")).unwrap();
    let message = refuse(&["train", &own, "--data", &bare]);
    assert!(message.contains("differ"), "{message}");
    // What is made with raw files needs them.
    for option in [
        ["--coefficients", csv.as_str()].as_slice(),
        &["--draw-coefficients", "1"],
        &["--allow-cut-last-line"],
    ] {
        let message = refuse(&[&["ingest", run.as_str()][..], option].concat());
        assert!(message.contains("--files"), "{message}");
    }
}

/// A record that was changed would let a stage of other options count.
#[test]
fn a_manifest_that_was_changed_is_refused() {
    let folder = Folder::new();
    let (path, file) = (folder.path(), folder.file("manifest.json"));
    let whole = fs::read_to_string(&file).unwrap();
    let words = [&["run", path.as_str(), "--scaling", "min-max"] as &[&str], &QUICK].concat();
    for text in [
        whole.replace("\"scaling\": \"z3\"", "\"scaling\": \"min-max\""),
        whole.replace("\"epochs\"", "\"epoch\""),
        whole[..whole.len() / 2].to_owned(),
        String::new(),
        "{\"stages\": {}}".to_owned(),
    ] {
        assert_ne!(text, whole);
        fs::write(&file, text).unwrap();
        for words in [words.as_slice(), &["report", &path], &["explain", &path, "--customer", "C000001"]] {
            let message = refuse(words);
            assert!(message.contains("manifest.json") && message.contains("remove it"), "{message}");
        }
    }
    // What is said to help does.
    let (before, targets) = (whole, folder.file("targets.parquet"));
    let digest = |path: &Path| read_table(path, Table::Targets).unwrap().digest;
    let old = digest(&targets);
    fs::remove_file(&file).unwrap();
    succeed(&["ingest", &path]);
    succeed(&words);
    assert_ne!(digest(&targets), old);
    // The manifest of before is no lie: it knows other tables.
    fs::write(&file, before).unwrap();
    let message = refuse(&["states", &path]);
    assert!(message.contains("is not what stage") && message.contains("spendscape"), "{message}");
}

#[test]
fn two_processes_do_not_work_in_one_folder() {
    let folder = Folder::new();
    let (path, big) = (folder.path(), folder.named("big"));
    let start = |words: &[&str]| {
        let program =
            Command::new(env!("CARGO_BIN_EXE_spendscape")).args(words).stderr(Stdio::piped()).spawn();
        program.unwrap()
    };
    fs::create_dir(&big).unwrap();
    let mut first = start(&["synth", &big, "--customers", "26000"]);
    let began = Instant::now();
    while !files(Path::new(&big)).iter().any(|name| name.starts_with(".ledger.parquet.")) {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing is written");
        std::thread::sleep(Duration::from_millis(5));
    }
    // The second says whom it waits for, and has its turn when that one is killed; what it left is swept away.
    let mut second = start(&["synth", &big, "--customers", "20"]);
    let mut said = BufReader::new(second.stderr.take().unwrap()).lines();
    let line = said.next().unwrap().unwrap();
    assert!(line.contains(&big) && line.contains(&format!("process {}", first.id())), "{line}");
    first.kill().unwrap();
    first.wait().unwrap();
    said.for_each(drop);
    assert!(second.wait().unwrap().success());
    let names = files(Path::new(&big));
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
    // Two that want other things of one folder: one after the other, and nothing is mixed.
    let before = folder.outputs();
    let words = [&["run", path.as_str()] as &[&str], &QUICK].concat();
    let children = [start(&[&words[..], &["--seed", "2"]].concat()), start(&words)];
    for mut child in children {
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(child.wait().unwrap().success(), "{text}");
    }
    folder.run(&[]);
    assert_eq!(folder.outputs(), before);
    // Reading one folder of data together is no conflict.
    let both =
        ["a", "b"].map(|name| start(&["train", &folder.named(name), "--data", &path, "--epochs", "2", "-q"]));
    for mut child in both {
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn what_killed_processes_left_is_swept_away() {
    let folder = Folder::new();
    let scratch = folder.file(".scratch.abcdef");
    fs::create_dir(&scratch).unwrap();
    fs::write(scratch.join("part-0"), "rows").unwrap();
    for name in [".model.parquet.abcdef.part", "figures/.figure1.svg.abcdef.part"] {
        fs::write(folder.file(name), "half").unwrap();
    }
    // Files of others stay.
    fs::write(folder.file(".notes"), "mine").unwrap();
    succeed(&["states", &folder.path()]);
    let mut left = files(Path::new(&folder.path()));
    left.extend(files(&folder.file("figures")));
    let hidden: Vec<&String> = left.iter().filter(|name| name.starts_with('.')).collect();
    assert_eq!(hidden, [".notes"]);
}
