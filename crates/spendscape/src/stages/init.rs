//! A column map from what files look like, and what comes of it.

mod codes;
mod trial;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;
use spendscape_ledger::{ColumnMap, Proposal, propose};

use crate::text::{lines, read_text};
pub use codes::Known;
pub use trial::{Trial, Window};

/// Where a taxonomy goes that has to be added to.
const TAXONOMY_FILE: &str = "taxonomy.toml";

/// Which files to look at, and where the map goes.
#[derive(Debug, Clone, Args)]
pub struct InitOptions {
    /// Raw files, folders of them, or patterns such as 'ledger/*.csv.gz'
    #[arg(required = true, value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// Column map (TOML) to write; with --check the one to look at, if it is there
    #[arg(long, value_name = "FILE", default_value = "map.toml")]
    pub map: PathBuf,
    /// Write nothing: show how the first rows are understood, and how many customers each window would keep
    #[arg(long)]
    pub check: bool,
    /// Replace a map that is there
    #[arg(long, conflicts_with = "check")]
    pub force: bool,
}

/// What `init` found.
#[derive(Debug, Serialize)]
pub struct Findings {
    /// The map as TOML.
    pub map: String,
    /// Where it was written, if it was.
    pub written: Option<PathBuf>,
    /// What was guessed, and from what; none of a map that was there.
    pub guesses: Vec<Finding>,
    /// What comes of the map, if all rows fit it.
    pub trial: Option<Trial>,
    /// The commands that follow.
    pub next: Vec<String>,
}

/// One guess.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// The entry of the map.
    pub entry: &'static str,
    /// Its value.
    pub value: String,
    /// What shows it.
    pub reason: String,
    /// Whether nothing else comes into question.
    pub is_sure: bool,
}

/// Proposes a map, or takes the one that is to be checked, and tries it on all rows. `show` gets what was found, also where a
/// row does not fit the map.
///
/// # Errors
/// If the files cannot be understood, if a map is there already, or if a row does not fit the map.
pub fn init(options: &InitOptions, show: impl FnOnce(&Findings) -> Result<()>) -> Result<()> {
    let path = &options.map;
    let (map, text, guesses) = if options.check && path.exists() {
        let text = read_text(path)?;
        let map = ColumnMap::from_toml(&text).with_context(|| format!("{}", path.display()))?;
        let map = map.in_folder(path.parent().unwrap_or(Path::new("")));
        (map, text, Vec::new())
    } else {
        if path.exists() && !options.force {
            bail!(
                "{} is there already: look at it with --check, replace it with --force, or name another file with --map",
                path.display()
            );
        }
        let proposal = propose(&options.files)?;
        let text = proposal.to_toml();
        let Proposal { map, guesses } = proposal;
        (map, text, guesses)
    };
    let finding = |guess: spendscape_ledger::Guess| Finding {
        entry: guess.entry,
        value: guess.value,
        reason: guess.reason,
        is_sure: guess.is_sure,
    };
    let written = (!options.check).then(|| path.clone());
    if let Some(path) = &written {
        spendscape_store::write_file(path, text.as_bytes())?;
    }
    let tried = trial::of(&map, &options.files);
    let (trial, failure) = match tried {
        Ok(trial) => (Some(trial), None),
        Err(error) => (None, Some(error)),
    };
    let next = trial.as_ref().map(|trial| commands(options, trial)).unwrap_or_default();
    show(&Findings { map: text, written, guesses: guesses.into_iter().map(finding).collect(), trial, next })?;
    match failure {
        None => Ok(()),
        Some(error) => Err(error.context(format!(
            "the files do not fit the map yet: mend its entry, then look again with `spendscape init ... --map {} --check`",
            path.display()
        ))),
    }
}

/// The commands that make a run of the ledger.
fn commands(options: &InitOptions, trial: &Trial) -> Vec<String> {
    let files: Vec<String> = options.files.iter().map(|file| shell(&file.display().to_string())).collect();
    let name = options.files.first().and_then(|file| file.file_stem()).and_then(|stem| stem.to_str());
    let name: String = name
        .unwrap_or("ledger")
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' })
        .collect();
    let run = format!("runs/{}", name.trim_matches('_'));
    let Some(window) = trial.windows.iter().find(|window| window.is_proposed) else { return Vec::new() };
    let short = trial.short.clone().unwrap_or_else(|| "none".to_owned());
    let files = files.join(" ");
    let map = shell(&options.map.display().to_string());
    if !options.map.exists() {
        return vec![format!("spendscape init {files} --map {map}")];
    }
    let mut commands = Vec::new();
    let classes = match &trial.taxonomy {
        None => format!("--derive-classes {} --draw-coefficients 1", trial.derived_classes),
        Some(known) if known.lacking.is_empty() => {
            format!("--taxonomy {} --coefficients authored", known.name)
        }
        Some(known) => {
            // One that is there already may have been added to.
            if !Path::new(TAXONOMY_FILE).exists() {
                commands.push(format!("spendscape template {} > {TAXONOMY_FILE}", known.name));
            }
            format!("--taxonomy {TAXONOMY_FILE} --coefficients authored")
        }
    };
    commands.push(format!(
        "spendscape ingest {run} --files {files} --map {map} {classes} --window '{}' --short-window '{short}' --empty-windows {}",
        window.window, window.policy
    ));
    commands.push(format!("spendscape run {run}"));
    commands
}

/// A word of a shell's command.
fn shell(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-=+,:@%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

impl Findings {
    /// For a person.
    #[must_use]
    pub fn text(&self, map: &Path) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        match &self.written {
            Some(path) => {
                let _ = writeln!(out, "{} is written. What its entries were guessed from:\n", path.display());
            }
            None if self.guesses.is_empty() => {
                let _ = writeln!(out, "{} is looked at as it is.\n", map.display());
            }
            None => out += "Nothing is written. What a map would be guessed from:\n\n",
        }
        let rows = self.guesses.iter().map(|guess| {
            let mark = if guess.is_sure { " " } else { "?" };
            [format!("{mark} {}", guess.entry), guess.value.clone(), guess.reason.clone()].to_vec()
        });
        out += &lines(&rows.collect::<Vec<_>>());
        if self.guesses.iter().any(|guess| !guess.is_sure) {
            out += "\nLines with ? are guesses that something else may be right for.\n";
        }
        if let Some(trial) = &self.trial {
            trial.tell(&mut out);
        }
        if !self.next.is_empty() {
            out += "\nNext:\n";
            for command in &self.next {
                let _ = writeln!(out, "  {command}");
            }
        }
        out
    }
}
