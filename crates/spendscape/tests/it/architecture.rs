//! The invariants of `docs/ARCHITECTURE.md` that can be checked by reading the tree.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use spendscape::{
    evaluate::{Compare, Evaluate},
    stages::{
        assign::Assign,
        dynamics::Dynamics,
        explain::Explain,
        goals,
        ingest::{Ledger, PanelStage},
        outcomes::Outcomes,
        segment::Segment,
        states::States,
        synth::Synth,
        train::Train,
    },
};
use spendscape_run::{File, Inputs, Outputs, Stage};

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Names of a crate's dependencies outside tests.
fn dependencies(name: &str) -> Vec<String> {
    let manifest = fs::read_to_string(crates().join(name).join("Cargo.toml")).unwrap();
    manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

const NUMERICAL: [&str; 9] = [
    "spendscape-stats",
    "spendscape-linalg",
    "spendscape-lstm",
    "spendscape-segments",
    "spendscape-surrogate",
    "spendscape-dynamics",
    "spendscape-outcomes",
    "spendscape-goals",
    "spendscape-trees",
];

#[test]
fn numerical_crates_know_no_tables_and_no_files() {
    for name in NUMERICAL {
        for dependency in dependencies(name) {
            let table = ["arrow", "parquet", "datafusion-common", "spendscape-schema", "spendscape-store"];
            assert!(!table.contains(&dependency.as_str()), "{name} depends on {dependency}");
        }
        for source in sources(&crates().join(name).join("src")) {
            let text = fs::read_to_string(&source).unwrap();
            for word in ["std::path", "std::fs", "std::io", "arrow::", "parquet::"] {
                assert!(!text.contains(word), "{} names {word}", source.display());
            }
        }
    }
}

#[test]
fn training_and_dynamics_do_not_know_each_other() {
    assert!(!dependencies("spendscape-dynamics").contains(&"spendscape-lstm".to_owned()));
    assert!(!dependencies("spendscape-lstm").contains(&"spendscape-dynamics".to_owned()));
}

#[test]
fn only_expressions_name_datafusion_and_only_linalg_a_backend() {
    for entry in fs::read_dir(crates()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let dependencies = dependencies(&name);
        let names = |wanted: &str| dependencies.iter().any(|dependency| dependency == wanted);
        let datafusion = dependencies.iter().any(|dependency| dependency.starts_with("datafusion"));
        assert!(!datafusion || name == "spendscape-expressions", "{name}");
        assert!(!(names("faer") || names("ndarray-linalg")) || name == "spendscape-linalg", "{name}");
    }
}

#[test]
fn unsafe_code_lives_in_one_module() {
    for entry in fs::read_dir(crates()).unwrap() {
        for source in sources(&entry.unwrap().path().join("src")) {
            let allows = fs::read_to_string(&source).unwrap().contains("allow(unsafe_code");
            let kernels = source.components().any(|part| part.as_os_str() == "kernels");
            assert!(!allows || kernels, "{}", source.display());
        }
    }
}

#[test]
fn every_crate_can_be_taken_alone() {
    for entry in fs::read_dir(crates()).unwrap() {
        let folder = entry.unwrap().path();
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(folder.join(file).exists(), "{} lacks {file}", folder.display());
        }
    }
}

/// A stage with the tables that it reads and writes by its types.
fn stage<S: Stage>() -> (&'static str, [Vec<File>; 2]) {
    (S::NAME, [S::Inputs::files(), S::Outputs::files()])
}

/// The table of stages is what the types say: of each cell what stands before a semicolon, which is followed by other folders'
/// tables and by files that are no tables.
#[test]
fn the_table_of_stages_is_that_of_the_types() {
    let stages = [
        stage::<Synth>(),
        stage::<Ledger>(),
        stage::<PanelStage>(),
        stage::<Train>(),
        stage::<States>(),
        stage::<Segment>(),
        stage::<Assign>(),
        stage::<Explain>(),
        stage::<Dynamics>(),
        stage::<Outcomes>(),
        stage::<goals::Groups>(),
        stage::<goals::Train>(),
        stage::<goals::Predict>(),
        stage::<goals::Recommend>(),
        stage::<goals::PlanCampaigns>(),
        stage::<goals::CrossSell>(),
        stage::<goals::ForecastDemand>(),
        stage::<Evaluate>(),
        stage::<Compare>(),
    ];
    let document = fs::read_to_string(crates().join("../docs/ARCHITECTURE.md")).unwrap();
    let rows = document.lines().skip_while(|line| !line.starts_with("| stage |")).skip(2);
    let rows: Vec<Vec<&str>> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let stem = |file: &File| file.name().trim_end_matches(".parquet");
    let mut written = BTreeSet::new();
    for (name, tables) in &stages {
        let row = rows.iter().find(|row| row[0].trim_matches('`') == *name);
        let row = row.unwrap_or_else(|| panic!("docs/ARCHITECTURE.md lacks the stage {name}"));
        for (cell, files) in row[1..].iter().zip(tables) {
            let own = cell.split(';').next().unwrap_or_default();
            let told: BTreeSet<&str> =
                own.split([',', ' ']).filter(|word| !word.is_empty() && *word != "-").collect();
            let typed: BTreeSet<&str> = files.iter().map(stem).collect();
            assert_eq!(told, typed, "stage {name}");
        }
        written.extend(tables[1].iter().map(stem));
    }
    assert_eq!(rows.len(), stages.len() + 1, "the report is no stage of tables");
    let all: BTreeSet<&str> = File::ALL.iter().map(stem).collect();
    assert_eq!(written, all, "each file is some stage's");
}

#[test]
fn what_is_assigned_is_what_the_stage_makes() {
    let assigned = File::ALL.iter().filter(|file| file.is_assigned()).map(|file| file.name());
    let made = <Assign as Stage>::Outputs::files();
    assert_eq!(assigned.collect::<BTreeSet<_>>(), made.into_iter().map(File::name).collect::<BTreeSet<_>>());
}

/// The paths that a text's `use` items name, groups taken apart.
fn imports(text: &str) -> Vec<String> {
    fn take_apart(start: &str, tree: &str, paths: &mut Vec<String>) {
        let Some((head, group)) = tree.split_once('{') else {
            paths.push(format!("{start}{}", tree.trim()));
            return;
        };
        let start = format!("{start}{}", head.trim());
        let group = group.rsplit_once('}').unwrap().0;
        let (mut depth, mut from) = (0, 0);
        for (at, sign) in group.char_indices().chain([(group.len(), ',')]) {
            match sign {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    if !group[from..at].trim().is_empty() {
                        take_apart(&start, &group[from..at], paths);
                    }
                    from = at + 1;
                }
                _ => {}
            }
        }
    }
    let mut paths = Vec::new();
    for (at, _) in text.match_indices("use ") {
        let is_item = text[..at].ends_with(['\n', ' ', ')']) || at == 0;
        let tree = text[at + 4..].split(';').next().unwrap_or_default();
        if is_item && ["super", "self", "crate"].iter().any(|root| tree.starts_with(root)) {
            take_apart("", tree, &mut paths);
        }
    }
    paths
}

#[test]
fn groups_of_imports_are_taken_apart() {
    let text =
        "use super::{count,\n train::{Train, split}, self};\npub use self::a::B;\nuse std::path::Path;\n";
    assert_eq!(
        imports(text),
        ["super::count", "super::train::Train", "super::train::split", "super::self", "self::a::B"]
    );
}

#[test]
fn no_stage_imports_another() {
    /// What all stages may use: users' files.
    const SHARED: [&str; 2] = ["anchors", "columns"];
    let stages = crates().join("spendscape/src/stages");
    let name = |path: &Path| path.with_extension("").file_name().unwrap().to_string_lossy().into_owned();
    let mut modules: BTreeSet<String> =
        fs::read_dir(&stages).unwrap().map(|entry| name(&entry.unwrap().path())).collect();
    modules.remove("mod");
    for source in sources(&stages) {
        let text = fs::read_to_string(&source).unwrap();
        // The module's own path below `stages`.
        let inside = source.strip_prefix(&stages).unwrap().with_extension("");
        let mut module: Vec<String> =
            inside.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        module.retain(|part| part != "mod");
        let Some(own) = module.first() else { continue };
        let above = |levels: usize| "super::".repeat(levels);
        let paths = imports(&text);
        for other in modules.iter().filter(|other| *other != own && !SHARED.contains(&other.as_str())) {
            let named = [format!("crate::stages::{other}"), format!("{}{other}", above(module.len()))];
            let is_named = |path: &str| {
                let rest = named.iter().find_map(|name| path.strip_prefix(name.as_str()));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            };
            assert!(!paths.iter().any(|path| is_named(path)), "{} imports {other}", source.display());
            let inline = named.iter().any(|name| text.contains(&format!("{name}::")));
            assert!(!inline, "{} names {other}", source.display());
        }
    }
}
