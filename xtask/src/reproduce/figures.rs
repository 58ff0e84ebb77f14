//! `figures.json`: what the seeds of an experiment measured, so that it can be judged again without measuring.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use spendscape_claims::Measured;

use crate::shell;

/// How large experiments are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Size {
    /// Customers of a synthetic bank.
    pub(super) customers: usize,
    /// Training seeds.
    pub(super) seeds: u64,
}

impl Size {
    /// The full size, for which bands are known, or a quick one.
    pub(super) fn of(quick: bool) -> Self {
        if quick { Self { customers: 6_500, seeds: 3 } } else { Self { customers: 26_000, seeds: 5 } }
    }
}

/// What an experiment measured.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Figures {
    /// Its name.
    pub(super) experiment: String,
    /// Whether it was a quick one.
    pub(super) quick: bool,
    /// How large the experiments were among which it was measured.
    pub(super) size: Size,
    /// The figures of each training seed.
    pub(super) measured: Vec<Measured>,
}

/// The file in the experiment's folder.
const FILE: &str = "figures.json";

impl Figures {
    /// Writes them into the folder of an experiment among all results.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub(super) fn write(&self, results: &Path) -> Result<()> {
        let folder = results.join(&self.experiment);
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let path = folder.join(FILE);
        shell::replace(&path, &(serde_json::to_string_pretty(self)? + "\n"))
    }

    /// Removes those of an earlier run, which say nothing of one that begins.
    ///
    /// # Errors
    /// If they cannot be removed.
    pub(super) fn remove(results: &Path, experiment: &str) -> Result<()> {
        let path = results.join(experiment).join(FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Those of an experiment among all results, if it was measured.
    ///
    /// # Errors
    /// If the file is not what it should be.
    pub(super) fn read(results: &Path, experiment: &str) -> Result<Option<Self>> {
        let path = results.join(experiment).join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let figures: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} holds no figures of an experiment", path.display()))?;
        anyhow::ensure!(
            figures.experiment == experiment,
            "{} is of the experiment {}: each lies in the folder of its name",
            path.display(),
            figures.experiment
        );
        Ok(Some(figures))
    }
}
