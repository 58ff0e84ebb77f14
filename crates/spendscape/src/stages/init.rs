//! A column map from what files look like, and what comes of it.

mod amend;
mod codes;
mod next;
mod trial;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;
use spendscape_ingest::{ColumnMap, Proposal, propose};

use crate::text::{lines, read_text};
pub use codes::Known;
pub use trial::{Trial, Window};

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
    /// The commands that follow, and, behind `#`, what is to be done before or between them.
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

/// A map with its text, and the proposal that it is of.
struct Looked {
    map: ColumnMap,
    text: String,
    proposal: Option<Proposal>,
}

impl Looked {
    fn proposed(proposal: Proposal) -> Self {
        Self { map: proposal.map.clone(), text: proposal.to_toml(), proposal: Some(proposal) }
    }
}

/// Proposes a map, or takes the one that is to be checked, and tries it on all rows. `show` gets what was found, also where a
/// row does not fit the map.
///
/// # Errors
/// If the files cannot be understood, if a map is there already, or if a row does not fit the map.
pub fn init(options: &InitOptions, show: impl FnOnce(&Findings) -> Result<()>) -> Result<()> {
    let path = &options.map;
    let mut looked = if options.check && path.exists() {
        let text = read_text(path)?;
        let map = ColumnMap::from_toml(&text).with_context(|| format!("{}", path.display()))?;
        Looked { map: map.in_folder(path.parent().unwrap_or(Path::new(""))), text, proposal: None }
    } else {
        if path.exists() && !options.force {
            bail!(
                "{} is there already: look at it with --check, replace it with --force, or name another file with --map",
                path.display()
            );
        }
        Looked::proposed(propose(&options.files)?)
    };
    let written = (!options.check).then(|| path.clone());
    let write = |looked: &Looked| match &written {
        Some(path) => spendscape_store::write_file(path, looked.text.as_bytes()),
        None => Ok(()),
    };
    write(&looked)?;
    let mut tried = trial::of(&looked.map, &options.files);
    if let (Some(proposal), Ok(trial)) = (&mut looked.proposal, &tried)
        && amend::amend(proposal, trial, &options.files)?
    {
        let proposal = proposal.clone();
        looked = Looked::proposed(proposal);
        write(&looked)?;
        tried = trial::of(&looked.map, &options.files);
    }
    let (trial, failure) = match tried {
        Ok(trial) => (Some(trial), None),
        Err(error) => (None, Some(error)),
    };
    let next = trial.as_ref().map(|trial| next::commands(options, &looked.map, trial)).unwrap_or_default();
    let guesses = looked.proposal.map_or_else(Vec::new, |proposal| proposal.guesses);
    let guesses = guesses
        .into_iter()
        .map(|guess| Finding {
            entry: guess.entry,
            value: guess.value,
            reason: guess.reason,
            is_sure: guess.is_sure,
        })
        .collect();
    show(&Findings { map: looked.text, written, guesses, trial, next })?;
    match failure {
        None => Ok(()),
        Some(error) => Err(error.context(format!(
            "the files do not fit the map yet: mend its entry, then look again with `spendscape init ... --map {} --check`",
            path.display()
        ))),
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
