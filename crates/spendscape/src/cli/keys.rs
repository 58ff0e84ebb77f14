//! Guards the keys of stages: every option of a command changes the key of its stage, by which the stage is up to date or not, or
//! stands here with the reason why it need not.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use clap::{CommandFactory, Parser};
use serde_json::Value;
use spendscape_store::Manifest;

use super::Arguments;

/// Where in a key an option stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    Seed,
    Parameter(&'static str),
    /// A digest, by the name of the input.
    Input(&'static str),
    /// Nowhere, for this reason.
    Nowhere(&'static str),
}
use Place::{Input, Nowhere, Parameter, Seed};

/// An option by its name, words without and with which (or with another value of which) the command is run, and its place.
type Entry = (&'static str, &'static str, &'static str, Place);

/// A command with its stage and what of its options is tried at once.
struct Case {
    command: &'static str,
    stage: &'static str,
    options: &'static [Entry],
}

const PRINTED: Place = Nowhere("it chooses what is printed, not what is written");
const MEMORY: Place = Nowhere("how much memory there is changes no result");
/// Options of all commands.
const COMMON: [(&str, &str); 3] = [
    ("run", "the folder itself"),
    ("data", "the digests of its tables are inputs"),
    ("force", "it says that the stage is done again whatever its key"),
];

/// In an order in which each command finds what it needs. `RUN` is a folder, `IN` that of raw files; no-break spaces stand for
/// spaces inside a word.
const CASES: [Case; 28] = [
    Case {
        command: "ingest RAW",
        stage: "ingest",
        options: &[
            ("files", "--files IN/ledger.csv", "--files IN/other.csv", Input("file 0")),
            ("map", "--map IN/map.toml", "--map IN/fee.toml", Parameter("map")),
            ("taxonomy", "--taxonomy IN/taxonomy.toml", "--taxonomy IN/wider.toml", Input("taxonomy")),
            (
                "draw_coefficients",
                "--draw-coefficients 1",
                "--draw-coefficients 2",
                Parameter("draw_coefficients"),
            ),
            ("pseudonym_key", "", "--pseudonym-key IN/key.txt", Parameter("pseudonym_key")),
            ("allow_cut_last_line", "", "--allow-cut-last-line", Parameter("allow_cut_last_line")),
            ("window", "--window annual\u{A0}x\u{A0}2", "--window annual\u{A0}x\u{A0}2", WINDOWS),
            ("short_window", "--short-window none", "--short-window none", WINDOWS),
        ],
    },
    Case {
        command: "ingest RAW2",
        stage: "ingest",
        options: &[
            ("files", "--files IN/ledger.csv", "--files IN/ledger.csv", Input("file 0")),
            ("map", "--map IN/map.toml", "--map IN/map.toml", Parameter("map")),
            ("derive_classes", "--derive-classes 2", "--derive-classes 3", Parameter("derive_classes")),
            ("coefficients", "", "--coefficients IN/raw.csv", Input("coefficients")),
            ("window", "--window annual\u{A0}x\u{A0}2", "--window annual\u{A0}x\u{A0}2", WINDOWS),
            ("short_window", "--short-window none", "--short-window none", WINDOWS),
        ],
    },
    Case {
        command: "synth BANK",
        stage: "synth",
        options: &[
            ("preset", "--preset strong", "--preset base", Parameter("preset")),
            ("separation", "--separation 2", "--separation 1", Parameter("separation")),
            ("trait_share", "--trait-share 0.5", "--trait-share 0.4", Parameter("trait_share")),
            ("traits", "--traits 4", "--traits 3", Parameter("traits")),
            ("unlisted", "--unlisted 3", "--unlisted 2", Parameter("unlisted")),
            ("customers", "--customers 100", "--customers 90", Parameter("customers")),
            ("years", "--years 7", "--years 6", Parameter("years")),
            ("seed", "--seed 2", "--seed 1", Seed),
            ("uncategorized", "--uncategorized", "", Parameter("uncategorized")),
            ("missing_years", "--missing-years 0.1", "", Parameter("missing_years")),
            ("coefficients", "--coefficients IN/coefficients.csv", "", Input("coefficients")),
            ("goal_years", "--goals --goal-years 2", "--goals --goal-years 1", Parameter("goal_years")),
        ],
    },
    Case {
        command: "synth OTHER",
        stage: "synth",
        options: &[
            ("customers", "--customers 60", "--customers 60", Nowhere("another case has it")),
            ("goals", "", "--goals", Parameter("goal_years")),
        ],
    },
    Case {
        command: "ingest BANK",
        stage: "panel",
        options: &[
            ("window", "--window annual\u{A0}x\u{A0}5", "", Parameter("window")),
            ("short_window", "--short-window none", "", Parameter("short_window")),
            ("empty_windows", "--empty-windows keep-zero:1", "", Parameter("empty_windows")),
            ("anchors", "--anchors IN/anchors.csv", "", Input("anchors")),
            ("memory", "--memory 64", "", MEMORY),
        ],
    },
    Case {
        command: "train RUN --data BANK",
        stage: "train",
        options: &[
            ("seed", "--seed 2", "", Seed),
            ("study_seed", "--study-seed 2", "", Parameter("study_seed")),
            ("units", "--units 4", "", Parameter("units")),
            ("recipe", "--recipe b", "", Parameter("recipe")),
            ("epochs", "--epochs 1", "--epochs 2", Parameter("epochs")),
            ("train_share", "--train-share 0.7", "", Parameter("train_share")),
            ("targets", "--targets every", "", Parameter("targets")),
            ("scaling", "--scaling min-max", "", Parameter("scaling")),
        ],
    },
    Case { command: "states RUN --data BANK", stage: "states", options: &[] },
    Case {
        command: "segment RUN --data BANK",
        stage: "segment",
        options: &[
            ("clusters", "--clusters 3", "--clusters 4", Parameter("clusters")),
            ("seed", "--seed 2", "", Seed),
        ],
    },
    Case {
        command: "explain RUN --data BANK",
        stage: "explain",
        options: &[
            ("protected", "--protected IN/nobody.toml", "--protected IN/somebody.toml", Parameter("flagged")),
            ("customer", "", "--customer C000001", PRINTED),
            ("html", "", "--html IN/why.html", PRINTED),
        ],
    },
    Case {
        command: "explain RUN --data BANK",
        stage: "explain",
        options: &[("no_protected_names", "--no-protected-names", "", Parameter("flagged"))],
    },
    Case {
        command: "dynamics RUN --data BANK",
        stage: "dynamics",
        options: &[
            ("horizon", "--horizon 20", "--horizon 30", Parameter("horizon")),
            (
                "extended_customers",
                "--extended-customers 5",
                "--extended-customers 6",
                Parameter("extended_customers"),
            ),
            (
                "studied_customers",
                "--studied-customers 1",
                "--studied-customers 2",
                Parameter("studied_customers"),
            ),
            ("basin_samples", "--basin-samples 5", "--basin-samples 6", Parameter("basin_samples")),
            ("longest_cycle", "--longest-cycle 1", "", Parameter("longest_cycle")),
            ("followed", "--followed 1", "--followed 2", Parameter("followed")),
            ("json_tables", "", "--json-tables", Parameter("json_tables")),
        ],
    },
    Case {
        command: "dynamics NET",
        stage: "dynamics",
        options: &[
            ("model", "--model IN/net.safetensors", "--model IN/other.safetensors", Input("model")),
            ("inputs", "--inputs IN/inputs.csv", "--inputs IN/other_inputs.csv", Input("inputs")),
            ("module", "--module a", "--module b", Parameter("module")),
            ("nonlinearity", "", "--nonlinearity relu", Parameter("nonlinearity")),
        ],
    },
    Case {
        command: "dynamics NET",
        stage: "dynamics",
        options: &[
            ("model", "--model IN/gru.safetensors", "--model IN/gru.safetensors", Input("model")),
            ("inputs", "--inputs IN/inputs.csv", "--inputs IN/inputs.csv", Input("inputs")),
            ("reset", "", "--reset before", Parameter("cell")),
        ],
    },
    Case {
        command: "outcomes RUN --data BANK",
        stage: "outcomes",
        options: &[
            ("labels", "--labels IN/labels.csv", "--labels IN/other_labels.csv", Input("labels")),
            ("target", "--target bad", "--target worse", Parameter("target")),
            ("allow_early_labels", "", "--allow-early-labels", Parameter("allow_early_labels")),
            ("kind", "", "--kind binary", Parameter("kind")),
            ("adverse", "", "--adverse yes", Parameter("adverse")),
            ("best", "", "--best best", Parameter("best")),
            ("group", "", "--group group", Parameter("group")),
            ("features", "", "--features IN/features.csv", Input("features")),
            ("fit_coefficients", "", "--fit-coefficients", Parameter("fit_coefficients")),
            ("folds", "--folds 2", "--folds 3", Parameter("folds")),
            ("repeats", "--repeats 1", "", Parameter("repeats")),
            ("balanced", "", "--balanced", Parameter("balanced")),
            ("margin", "", "--margin 0.05", Parameter("margin")),
            ("draws", "--draws 20", "--draws 21", Parameter("draws")),
            ("units", "--units 2", "--units 3", Parameter("units")),
            ("seed", "", "--seed 2", Seed),
            ("time", "", "--time day", Parameter("time")),
        ],
    },
    Case {
        command: "ingest ANCHORED --data BANK --anchors IN/anchors.csv --window annual\u{A0}x\u{A0}1 --short-window none",
        stage: "panel",
        options: &[],
    },
    Case {
        command: "outcomes ANCHORED --data BANK --labels IN/labels.csv --target bad --folds 2 --repeats 1 --draws 20",
        stage: "outcomes",
        options: &[("anchors", "", "--anchors IN/anchors.csv", Input("anchors"))],
    },
    Case {
        command: "evaluate RUN --data BANK",
        stage: "evaluate",
        options: &[
            ("no_baselines", "", "--no-baselines", Parameter("no_baselines")),
            ("no_polynomial", "", "--no-polynomial", Parameter("no_polynomial")),
        ],
    },
    Case {
        command: "goals groups GOALS --data BANK",
        stage: "goals groups",
        options: &[
            ("map", "--map IN/goals.toml", "", Parameter("map")),
            ("group", "--group time", "", Parameter("group")),
            ("goal", "--goal largest", "", Parameter("goal")),
            ("income", "--income", "", Parameter("income")),
            ("until", "--until 2020-11-30", "", Parameter("until")),
            ("channel", "--channel place", "", Parameter("channel")),
            ("block", "--block 1000", "", Parameter("block")),
            ("memory", "--memory 64", "", MEMORY),
        ],
    },
    Case {
        command: "goals groups LEDGER --data BANK",
        stage: "goals groups",
        options: &[
            ("ledger", "--ledger BANK/ledger.parquet", "--ledger BANK/goal_ledger.parquet", Input("ledger")),
            ("customers", "", "--customers BANK/goal_customers.parquet", Input("customers")),
        ],
    },
    Case {
        command: "goals train GOALS --data BANK",
        stage: "goals train",
        options: &[
            ("calendar", "--calendar IN/calendar.toml", "", Parameter("calendar")),
            ("split", "--split customers", "", Parameter("split")),
            ("validation", "--validation 0.2", "", Parameter("validation")),
            ("test", "--test 0.25", "", Parameter("test")),
            ("test_groups", "--test-groups 3", "", Parameter("test_groups")),
            ("units", "--units 4", "--units 5", Parameter("units")),
            ("layers", "--layers 2", "", Parameter("layers")),
            ("dropout", "--dropout 0.2", "", Parameter("dropout")),
            ("window", "--window 8", "", Parameter("window")),
            ("epochs", "--epochs 1", "--epochs 2", Parameter("epochs")),
            ("patience", "--patience 2", "", Parameter("patience")),
            ("batch", "--batch 16", "", Parameter("batch")),
            ("rate", "--rate 0.003", "", Parameter("rate")),
            ("longest_gap", "--longest-gap 50", "", Parameter("longest_gap")),
            ("see", "--see hour", "", Parameter("see")),
            ("hide", "--hide season", "", Parameter("hide")),
            ("ablate", "--ablate", "", Parameter("ablate")),
            ("balanced", "--balanced", "", Parameter("balanced")),
            ("draws", "--draws 20", "--draws 21", Parameter("draws")),
            ("seed", "--seed 2", "", Seed),
        ],
    },
    Case {
        command: "goals predict GOALS --data BANK",
        stage: "goals predict",
        options: &[
            ("as_of", "", "--as-of 2020-06-30", Parameter("as_of")),
            ("reasons", "", "--reasons 2", Parameter("reasons")),
            ("model", "", "--model GOALS", Nowhere("the digests of its tables are inputs")),
            ("customer", "", "--customer C000001", PRINTED),
        ],
    },
    Case {
        command: "goals recommend GOALS --data BANK",
        stage: "goals recommend",
        options: &[
            ("as_of", "", "--as-of 2020-06-30", Parameter("as_of")),
            ("futures", "--futures 2", "--futures 3", Parameter("futures")),
            ("seed", "", "--seed 2", Seed),
            ("model", "", "--model GOALS", Nowhere("the digests of its tables are inputs")),
            ("horizon", "", "--horizon 20", Parameter("horizon")),
            ("goals", "", "--goals 2", Parameter("goals")),
            ("classes", "", "--classes 1", Parameter("classes")),
            ("novelty_weight", "", "--novelty-weight 0.4", Parameter("novelty_weight")),
            ("exclude_goals", "", "--exclude-goals trip", Parameter("exclude_goals")),
            ("exclude_classes", "", "--exclude-classes rent", Parameter("exclude_classes")),
            ("exclude_file", "", "--exclude-file IN/exclude.txt", Parameter("exclude_classes")),
        ],
    },
    Case {
        command: "goals campaign GOALS --data BANK",
        stage: "goals campaign",
        options: &[
            ("as_of", "", "--as-of 2020-06-30", Parameter("as_of")),
            ("futures", "--futures 2", "--futures 3", Parameter("futures")),
            ("seed", "", "--seed 2", Seed),
            ("model", "", "--model GOALS", Nowhere("the digests of its tables are inputs")),
            ("goal", "--goal trip", "", Parameter("goal")),
            ("horizon", "", "--horizon 20", Parameter("horizon")),
            ("capacity", "", "--capacity 5", Parameter("capacity")),
            ("certain", "", "--certain 0.8", Parameter("certain")),
            ("threshold", "", "--threshold 0.1", Parameter("threshold")),
            ("draws", "--draws 20", "--draws 21", Parameter("draws")),
        ],
    },
    Case {
        command: "goals cross-sell GOALS --data BANK",
        stage: "goals cross-sell",
        options: &[
            ("items", "", "--items goals", Parameter("items")),
            ("window", "", "--window 20", Parameter("window")),
            ("periods", "", "--periods 6", Parameter("periods")),
            ("as_of", "", "--as-of 2020-06-30", Parameter("as_of")),
            ("false_discoveries", "", "--false-discoveries 0.1", Parameter("false_discoveries")),
        ],
    },
    Case {
        command: "goals demand GOALS --data BANK",
        stage: "goals demand",
        options: &[
            ("as_of", "", "--as-of 2020-06-30", Parameter("as_of")),
            ("futures", "--futures 1", "--futures 2", Parameter("futures")),
            ("seed", "", "--seed 2", Seed),
            ("model", "", "--model GOALS", Nowhere("the digests of its tables are inputs")),
            ("period", "", "--period month", Parameter("period")),
            ("periods", "--periods 1", "--periods 2", Parameter("periods")),
            ("past", "--past 1", "--past 2", Parameter("past")),
            ("cost_under", "", "--cost-under 2", Parameter("cost_under")),
            ("cost_over", "", "--cost-over 2", Parameter("cost_over")),
        ],
    },
    Case { command: "train LATER --data BANK --epochs 1 --seed 3", stage: "train", options: &[] },
    Case { command: "states LATER --data BANK", stage: "states", options: &[] },
    Case {
        command: "segment LATER --data BANK",
        stage: "segment",
        options: &[
            ("clusters", "--clusters 4", "--clusters 4", Parameter("clusters")),
            ("previous", "--previous RUN", "--previous RUN", Nowhere("the digests of its tables are inputs")),
            ("keep_overlap", "", "--keep-overlap 0.4", Parameter("keep_overlap")),
        ],
    },
];

const WINDOWS: Place = Nowhere("windows are in the key of the panel");

const NO_STAGE: &str = "it has no stage: it prints what it finds";

/// Commands whose options are those of others, or whose stage has no parameters: what they are beside those.
const OTHERS: [(&str, &[(&str, &str)]); 7] = [
    ("template", &[("table", NO_STAGE), ("taxonomy", NO_STAGE)]),
    ("init", &[("files", NO_STAGE), ("map", NO_STAGE), ("check", NO_STAGE)]),
    ("assign", &[("model", "the digests of its tables are inputs")]),
    ("compare", &[("runs", "the digests of their tables are inputs")]),
    ("report", &[]),
    ("run", &[]),
    ("explain", &[("model", "the digests of its tables are inputs")]),
];
/// Commands whose options others take over.
const TAKEN: [(&str, &[&str]); 2] =
    [("run", &["train", "segment", "explain", "dynamics"]), ("compare", &["evaluate"])];

/// The options of all commands, by the command's words.
fn defined() -> Vec<(String, BTreeSet<String>)> {
    let arguments = Arguments::command();
    let own = |command: &clap::Command| -> BTreeSet<String> {
        let ids = command.get_arguments().map(|argument| argument.get_id().to_string());
        ids.filter(|id| !["help", "version"].contains(&id.as_str())).collect()
    };
    let mut found = Vec::new();
    for command in arguments.get_subcommands() {
        if command.has_subcommands() {
            for inner in command.get_subcommands() {
                found.push((format!("{} {}", command.get_name(), inner.get_name()), own(inner)));
            }
        } else {
            found.push((command.get_name().to_owned(), own(command)));
        }
    }
    found
}

/// The command's words of a case.
fn name(case: &Case) -> String {
    let words: Vec<&str> = case.command.split_ascii_whitespace().collect();
    words[..if words[0] == "goals" { 2 } else { 1 }].join(" ")
}

#[test]
fn every_option_of_every_command_has_its_place() {
    for (command, options) in defined() {
        let mut known: BTreeSet<&str> = COMMON.iter().map(|(option, _)| *option).collect();
        let of = |command: &str| -> Vec<&str> {
            let cases = CASES.iter().filter(|case| name(case) == command);
            cases.flat_map(|case| case.options.iter().map(|(option, ..)| *option)).collect()
        };
        known.extend(of(&command));
        let others = OTHERS.iter().filter(|(other, _)| *other == command);
        known.extend(others.flat_map(|(_, options)| options.iter().map(|(option, _)| *option)));
        let taken = TAKEN.iter().filter(|(taker, _)| *taker == command).flat_map(|(_, from)| *from);
        known.extend(taken.flat_map(|from| of(from)));
        let lost: Vec<&String> = options.iter().filter(|option| !known.contains(option.as_str())).collect();
        assert!(
            lost.is_empty(),
            "{command}: what do {lost:?} change? Say where in the stage's key they stand"
        );
    }
}

/// Runs a command, and returns the key of its stage.
fn key_of(words: &str, folder: &Path, stage: &str) -> Result<Value, String> {
    let inside = |word: &str| {
        let word = word.replace('\u{A0}', " ");
        let folders =
            ["RUN", "BANK", "OTHER", "GOALS", "LEDGER", "NET", "RAW", "RAW2", "LATER", "ANCHORED", "IN"];
        let first = word.split('/').next().unwrap_or_default();
        if folders.contains(&first) { folder.join(&word).display().to_string() } else { word }
    };
    let own: Vec<String> = words.split_ascii_whitespace().map(inside).collect();
    let all = std::iter::once("spendscape").chain(own.iter().map(String::as_str));
    let arguments = Arguments::try_parse_from(all).map_err(|error| format!("{words}: {error}"))?;
    let run = arguments.command.work(false).map_err(|error| format!("{words}: {error:#}"))?;
    let run = run.ok_or_else(|| format!("{words}: no run folder"))?;
    let manifest = Manifest::read(run.path()).map_err(|error| error.to_string())?;
    serde_json::to_value(&manifest.stages[stage].provenance).map_err(|error| error.to_string())
}

/// What is wrong with a case: an option that leaves its place in the key as it is.
fn unchanged(case: &Case, folder: &Path) -> Result<Vec<String>, String> {
    let words = |of: fn(&Entry) -> &'static str| {
        case.options.iter().fold(case.command.to_owned(), |words, entry| format!("{words} {}", of(entry)))
    };
    let before = key_of(&words(|entry| entry.1), folder, case.stage)?;
    let after = key_of(&words(|entry| entry.2), folder, case.stage)?;
    let mut found = Vec::new();
    for (option, without, with, place) in case.options {
        let place = match place {
            Seed => "/seed".to_owned(),
            Parameter(name) => format!("/parameters/{name}"),
            Input(name) if name.starts_with("IN/") => {
                let path = folder.join(name).display().to_string();
                format!("/inputs/{}", path.replace('/', "~1"))
            }
            Input(name) => format!("/inputs/{name}"),
            Nowhere(reason) => {
                assert!(!reason.is_empty(), "{option}: why does it change nothing?");
                continue;
            }
        };
        if without != with && before.pointer(&place) == after.pointer(&place) {
            found.push(format!("{}, {option}: {place} is {:?} twice", case.command, after.pointer(&place)));
        }
    }
    Ok(found)
}

#[test]
fn options_change_the_keys_of_their_stages_where_they_are_said_to_stand() {
    let folder = tempfile::tempdir().unwrap();
    write_inputs(&folder.path().join("IN"));
    let problems: Vec<String> = CASES
        .iter()
        .flat_map(|case| unchanged(case, folder.path()).unwrap_or_else(|error| vec![error]))
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Raw files of every kind that a case names.
fn write_inputs(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let write = |name: &str, content: &[u8]| fs::write(folder.join(name), content).unwrap();
    let map = |amount: &str| {
        format!(
            "currency = \"EUR\"\n[types]\namount = \"decimal(12, 2)\"\nfee = \"decimal(12, 2)\"\n[columns]\ncustomer = \
             \"customer\"\ntime = \"time\"\namount = \"{amount}\"\nclass = \"class\"\n[time]\nformats = [\"%Y-%m-%d\"]\n"
        )
    };
    write("map.toml", map("amount").as_bytes());
    write("fee.toml", map("fee").as_bytes());
    let mut ledger = String::from("customer,time,amount,fee,class\n");
    for k in 0..30 {
        for (year, class) in [(2019, "food"), (2020, "rent"), (2020, "fun"), (2019, "fun")] {
            writeln!(ledger, "c{k},{year}-05-01,-{}.00,-{}.50,{class}", k + 2, k % 4).unwrap();
            writeln!(ledger, "c{k},{year}-12-30,-5.00,-1.00,food").unwrap();
        }
    }
    write("ledger.csv", ledger.as_bytes());
    write("other.csv", (ledger.clone() + "c1,2020-06-01,-7.00,-1.00,fun\n").as_bytes());
    let taxonomy = "name = \"raw\"\n[classes.food]\n[classes.rent]\n[classes.fun]\n";
    write("taxonomy.toml", taxonomy.as_bytes());
    write("wider.toml", format!("{taxonomy}[classes.trips]\n").as_bytes());
    write("raw.csv", b"class,E,N,O,C,A\nfood,0.1,0,0,0,0\nfun,0,0.2,0,0,0\nrent,0,0,0.3,0,0\n");
    write("key.txt", &[b'k'; 32]);
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/../spendscape-synth/data/bank97.csv");
    let coefficients = fs::read_to_string(published).unwrap().replacen("-0.3", "-0.2", 1);
    write("coefficients.csv", coefficients.as_bytes());
    write("nobody.toml", b"[protected]\n");
    write("somebody.toml", b"[protected]\npharmacy = \"health\"\n");
    write("calendar.toml", b"payday = 25\n");
    write("exclude.txt", b"mortgage\n");
    let goals = concat!(env!("CARGO_MANIFEST_DIR"), "/../spendscape-synth/data/goals.toml");
    write(
        "goals.toml",
        ("unmapped = \"other\"\n".to_owned() + &fs::read_to_string(goals).unwrap()).as_bytes(),
    );
    let (mut labels, mut anchors) =
        (String::from("customer,bad,worse,best,group,day\n"), String::from("customer,day\n"));
    let mut features = String::from("customer,x\n");
    for k in 1..=100 {
        let bad = if k % 3 == 0 { "yes" } else { "no" };
        writeln!(labels, "C{k:06},{bad},{bad},{},{},2021-01-{:02}", f64::from(k) / 7.0, k % 2, 1 + k % 28)
            .unwrap();
        writeln!(anchors, "C{k:06},2020-{:02}-15", 1 + k % 12).unwrap();
        writeln!(features, "C{k:06},{}", k % 13).unwrap();
    }
    write("labels.csv", labels.as_bytes());
    write("other_labels.csv", labels.replace("2021-01-01", "2021-02-01").as_bytes());
    write("anchors.csv", anchors.as_bytes());
    write("features.csv", features.as_bytes());
    write("inputs.csv", b"0.5\n");
    write("other_inputs.csv", b"0.25\n");
    for (name, value) in [("net.safetensors", 0.5f32), ("other.safetensors", 0.25)] {
        net(
            &folder.join(name),
            &["a.weight_ih_l0", "a.weight_hh_l0", "b.weight_ih_l0", "b.weight_hh_l0"],
            [1, 1],
            value,
        );
    }
    net(&folder.join("gru.safetensors"), &["kernel", "recurrent_kernel"], [1, 3], 0.5);
}

/// A file of tensors of one shape and value.
fn net(path: &Path, names: &[&str], shape: [usize; 2], value: f32) {
    let data = value.to_le_bytes().repeat(shape[0] * shape[1]);
    let views = names.iter().map(|name| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.to_vec(), &data);
        (*name, view.unwrap())
    });
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}
