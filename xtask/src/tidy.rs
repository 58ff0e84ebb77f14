//! What no compiler checks: that documents say what the code does, and that sources keep the house's manners.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use spendscape_claims::{Claim, claims::CLAIMS};

use crate::shell;

/// Longest line of a comment: rustfmt does not wrap them.
const COMMENT_WIDTH: usize = 130;

/// Beginnings of words of British spelling; the house writes American.
const BRITISH: [&str; 20] = [
    "analys",
    "artefact",
    "behaviour",
    "cancell",
    "catalogue",
    "centre",
    "centring",
    "colour",
    "favour",
    "grey",
    "judgement",
    "labell",
    "licence",
    "modell",
    "neighbour",
    "normalis",
    "optimis",
    "organis",
    "standardis",
    "summaris",
];

/// Words that begin so and are right, or are what banks write (`cancelled`).
const RIGHT: [&str; 9] = [
    "analysis",
    "analyses",
    "analyst",
    "analysts",
    "cancellation",
    "cancellations",
    "cancelled",
    "labelledby",
    "organism",
];

/// Checks the tree and names everything that is wrong.
///
/// # Errors
/// If anything is.
pub(crate) fn run() -> Result<()> {
    let root = shell::root();
    let mut found = Vec::new();
    for path in files(root, &["rs", "md"])? {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        found.extend(manners(&name, &text, is_source));
        if !is_source {
            let folder = path.parent().unwrap_or(root);
            found.extend(
                links(&text)
                    .filter(|link| !folder.join(link).exists())
                    .map(|link| format!("{name}: a link leads to {link}, which is not there")),
            );
        }
    }
    let read = |path: &str| fs::read_to_string(root.join(path)).with_context(|| path.to_owned());
    let architecture = read("docs/ARCHITECTURE.md")?;
    for manifest in files(&root.join("crates"), &["toml"])? {
        let text = fs::read_to_string(&manifest)?;
        if manifest.file_name().is_some_and(|name| name == "Cargo.toml") {
            found.extend(knows(&architecture, &text));
        }
    }
    let methods = read("docs/METHODS.md")?;
    found.extend(CLAIMS.iter().filter_map(|claim| section(&methods, claim)));
    if found.is_empty() {
        return Ok(());
    }
    bail!("{} things are untidy:\n{}", found.len(), found.join("\n"))
}

/// Files of the tree with these extensions, in order; not those that programs made.
fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(files(&path, extensions)?);
        } else if path.extension().is_some_and(|own| extensions.iter().any(|wanted| own == *wanted)) {
            found.push(path);
        }
    }
    Ok(found)
}

/// How a file begins, how wide its comments are, and how it spells.
fn manners(name: &str, text: &str, is_source: bool) -> Vec<String> {
    let mut found = Vec::new();
    if is_source && !(text.starts_with("//!") || text.starts_with("#![doc")) {
        found.push(format!("{name}: begin with `//!` and what the file holds"));
    }
    // The list of what is wrong is itself no text.
    let is_list = name.ends_with("tidy.rs");
    for (number, line) in (1..).zip(text.lines()) {
        let is_table = line.contains("//! |") || line.contains("/// |");
        let is_comment = is_source && line.trim_start().starts_with("//") && !is_table;
        if is_comment && line.chars().count() > COMMENT_WIDTH {
            found.push(format!("{name}:{number}: a comment of more than {COMMENT_WIDTH} characters"));
        }
        let words = line.split(|letter: char| !letter.is_alphabetic()).map(str::to_lowercase);
        let british = |word: &String| {
            BRITISH.iter().any(|start| word.starts_with(start)) && !RIGHT.contains(&word.as_str())
        };
        if let Some(word) = words.filter(|_| !is_list).find(british) {
            found.push(format!("{name}:{number}: {word:?} is British spelling"));
        }
    }
    found
}

/// Files and folders that a document links to, in lines and in its list of references.
fn links(document: &str) -> impl Iterator<Item = &str> {
    let inline = document.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let listed =
        document.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ").map(|(_, link)| link));
    inline
        .chain(listed)
        .filter_map(|link| link.split(['#', ' ']).next())
        .filter(|link| !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:"))
}

/// Rows of the table under a heading that begins so, cell by cell.
fn table<'a>(document: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let rows = document.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
    let cells = |line: &'a str| line.trim_matches('|').split(" | ").map(str::trim).collect();
    rows.take_while(|line| line.starts_with('|')).map(cells).collect()
}

/// Whether the architecture names the crates of the workspace that a manifest's crate knows about.
fn knows(architecture: &str, manifest: &str) -> Option<String> {
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = \""))?.trim_end_matches('"');
    let dependencies = manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.strip_prefix("spendscape-")?.split(['.', ' ', '=']).next());
    let dependencies: BTreeSet<&str> = dependencies.collect();
    let rows = table(architecture, "| crate |");
    let Some(row) = rows.iter().find(|row| row[0].trim_matches('`') == name) else {
        return Some(format!("docs/ARCHITECTURE.md: the table of crates lacks {name}"));
    };
    let known: BTreeSet<&str> = rows
        .iter()
        .filter_map(|other| other[0].trim_matches('`').strip_prefix("spendscape-"))
        .filter(|short| name.strip_prefix("spendscape-") != Some(*short))
        .filter(|short| row[2].split([',', ' ']).any(|word| word == *short))
        .collect();
    let all = row[2] == "all of them";
    (!all && known != dependencies)
        .then(|| format!("docs/ARCHITECTURE.md: {name} knows about {dependencies:?}, not {known:?}"))
}

/// Whether the methods tell of a claim in the section that it names.
fn section(methods: &str, claim: &Claim) -> Option<String> {
    let Claim { number, section, .. } = claim;
    let named = table(methods, "| # | claim")
        .into_iter()
        .find(|row| row[0] == number.to_string())
        .and_then(|row| row.last()?.split([',', ' ']).next());
    let has_heading = methods
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .any(|heading| heading.split(' ').next() == Some(section));
    (named != Some(section) || !has_heading).then(|| {
        format!("docs/METHODS.md: claim {number} is told in section {section}: the table of claims, or the headings, say otherwise")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manners_are_found_where_they_lack() {
        let wide = format!("//! What it holds.\n/// {}\n", "x".repeat(COMMENT_WIDTH));
        let problems = |text: &str| manners("a.rs", text, true).len();
        assert_eq!(problems("//! Analysis of what it holds.\n"), 0);
        assert_eq!(problems("use std::fs;\n"), 1);
        assert_eq!(problems(&wide), 1);
        assert_eq!(problems("//! The colour of a label.\n"), 1);
    }

    #[test]
    fn links_are_files_and_no_addresses() {
        let document = "See [a](src/a.rs#b), [b](https://b.c) and [c](#d) or [e][f].\n[f]: ../g.md\n";
        assert_eq!(links(document).collect::<Vec<_>>(), ["src/a.rs", "../g.md"]);
    }

    #[test]
    fn a_crate_that_the_architecture_misdescribes_is_named() {
        let architecture = "| crate | for | knows about |\n|---|---|---|\n| `spendscape-a` | x | b, ndarray |\n\
                            | `spendscape-b` | x | ndarray |\n";
        let manifest = |dependency: &str| {
            format!("[package]\nname = \"spendscape-a\"\n\n[dependencies]\n{dependency}.workspace = true\n")
        };
        assert_eq!(knows(architecture, &manifest("spendscape-b")), None);
        assert!(knows(architecture, &manifest("serde")).is_some());
        assert!(knows("", &manifest("serde")).is_some());
    }

    #[test]
    fn claims_that_the_methods_tell_elsewhere_are_named() {
        let methods = "## 3 Means\n| # | claim | figures | section |\n|---|---|---|---|\n| 1 | x | y | 3, 4 |\n| 2 | x | y | 4 |\n";
        let problem = |number, name| section(methods, &Claim { number, section: name, ..CLAIMS[0] });
        assert_eq!(problem(1, "3"), None);
        // Another section than the table's, one without a heading, and a claim that is not in the table.
        for (number, section) in [(1, "4"), (2, "4"), (3, "3")] {
            assert!(problem(number, section).is_some(), "claim {number} in section {section}");
        }
    }
}
