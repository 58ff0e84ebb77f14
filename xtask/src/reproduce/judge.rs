//! Judging what was measured, at the end of a reproduction or again later.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use clap::Args;
use spendscape_claims::{CellEntries, CellTable, Entry, Subject, document};

use super::{
    cells::{LAYOUTS, Layout},
    experiments::Experiment,
    figures::{Figures, Size},
    summary,
};
use crate::shell;

/// Options of `cargo xtask judge`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Folder of the results of a reproduction
    #[arg(value_name = "FOLDER")]
    results: PathBuf,
}

/// Judges the figures in a folder again, as claims, bands and readings are now; what was measured at full size of all
/// experiments also regenerates the document.
///
/// # Errors
/// If the folder holds no figures, or such of quick and full experiments.
pub(crate) fn run(options: &Options) -> Result<()> {
    judge(&options.results, None)?.publish()
}

/// What was judged.
#[derive(Debug)]
pub(super) struct Judged {
    quick: bool,
    document: String,
    /// The experiments that were not.
    missing: Vec<&'static str>,
}

impl Judged {
    /// Regenerates the document in `docs`, unless the experiments were quick ones, or some are missing.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn publish(&self) -> Result<()> {
        if !self.missing.is_empty() {
            println!(
                "not measured, so that docs/REPRODUCTION.md stays as it is: {}",
                self.missing.join(", ")
            );
            return Ok(());
        }
        if self.quick {
            return Ok(());
        }
        let path = shell::root().join("docs/REPRODUCTION.md");
        shell::replace(&path, &self.document)?;
        println!("wrote {}", path.display());
        Ok(())
    }
}

/// Judges the experiments of these names, or all that were measured, and writes `summary.json` and `REPRODUCTION.md` beside
/// them.
///
/// # Errors
/// If nothing was measured, or quick and full experiments lie side by side.
pub(super) fn judge(results: &Path, names: Option<&[&str]>) -> Result<Judged> {
    let mut first = None;
    let (mut entries, mut cells, mut missing): (Vec<Entry>, BTreeMap<&str, Vec<Entry>>, _) =
        (Vec::new(), BTreeMap::new(), Vec::new());
    for experiment in Experiment::all(0, None) {
        let name = experiment.name();
        let is_asked_for = names.is_none_or(|names| names.contains(&name));
        let Some(figures) = is_asked_for.then(|| Figures::read(results, name)).transpose()?.flatten() else {
            missing.push(name);
            continue;
        };
        let subject = Subject {
            name,
            bank: experiment.bank(),
            full: !figures.quick,
            partial: experiment.is_partial(),
            synthetic: experiment.is_synthetic(),
        };
        let judged = spendscape_claims::judge(&subject, &figures.measured);
        let how = (figures.quick, figures.size);
        ensure!(
            *first.get_or_insert(how) == how,
            "{} holds figures of quick and of full experiments, or of other sizes: {name} is the first that differs",
            results.display()
        );
        if experiment.is_cell() {
            cells.insert(name, judged);
        } else {
            entries.extend(judged);
        }
    }
    if entries.is_empty() && cells.is_empty() {
        bail!("{} holds no figures: `cargo xtask reproduce --out` measures them", results.display());
    }
    let (quick, Size { customers, seeds }) = first.unwrap_or((true, Size::of(true)));
    let document = document(&entries, &tables(&cells), customers, seeds);
    entries.extend(cells.into_values().flatten());
    let [summary, text] = ["summary.json", "REPRODUCTION.md"].map(|name| results.join(name));
    summary::write(&summary, &entries)?;
    shell::replace(&text, &document)?;
    summary::print(&entries);
    println!("wrote {} and {}; tables and figures lie beside them", summary.display(), text.display());
    Ok(Judged { quick, document, missing })
}

/// The tables of the cells that were judged.
fn tables(cells: &BTreeMap<&str, Vec<Entry>>) -> Vec<CellTable> {
    let table = |layout: &Layout| {
        let judged = |(name, levels): &(&str, &'static [&'static str])| {
            Some(CellEntries { levels, entries: cells.get(name)?.clone() })
        };
        let Layout { title, factors, about, .. } = *layout;
        let cells = layout.columns.iter().filter_map(judged).collect();
        CellTable { title, factors, words: layout.words.to_owned(), about, cells }
    };
    // A cell that another table shows too, alone, shows nothing of what varies here.
    LAYOUTS.iter().map(table).filter(|table| table.cells.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use spendscape_claims::{Measured, claims::c01_elbow};

    use super::*;

    fn figures(experiment: &str, quick: bool) -> Figures {
        let seed: Measured = [(c01_elbow::ELBOW.to_string(), 3.0)].into_iter().collect();
        Figures { experiment: experiment.to_owned(), quick, size: Size::of(quick), measured: vec![seed] }
    }

    #[test]
    fn what_was_measured_is_judged_again() {
        let folder = tempfile::tempdir().unwrap();
        let refused = judge(folder.path(), None).unwrap_err().to_string();
        assert!(refused.contains("holds no figures"), "{refused}");
        figures("base", false).write(folder.path()).unwrap();
        assert_eq!(Figures::read(folder.path(), "base").unwrap(), Some(figures("base", false)));
        let judged = judge(folder.path(), None).unwrap();
        assert!(!judged.missing.contains(&"base") && judged.missing.contains(&"strong") && !judged.quick);
        assert!(
            judged
                .document
                .contains("| 1 | three nodes by the elbow | 3 nodes | 3 to 3 | 3 [3, 3] | reproduced |")
        );
        let summary = std::fs::read_to_string(folder.path().join("summary.json")).unwrap();
        let entries: serde_json::Value = serde_json::from_str(&summary).unwrap();
        let elbow = entries.as_array().unwrap().iter().find(|entry| entry["source"] == "claim 1").unwrap();
        assert_eq!(elbow["verdict"], "reproduced");
        figures("strong", true).write(folder.path()).unwrap();
        let refused = judge(folder.path(), None).unwrap_err().to_string();
        assert!(refused.contains("quick and of full"), "{refused}");
        // What was passed over is missing too, though an earlier run measured it.
        let judged = judge(folder.path(), Some(&["base"])).unwrap();
        assert!(judged.missing.contains(&"strong"));
        Figures::remove(folder.path(), "strong").unwrap();
        Figures::remove(folder.path(), "strong").unwrap();
        assert_eq!(Figures::read(folder.path(), "strong").unwrap(), None);
        // The size that the document tells is that of the measurement.
        let size = Size { customers: 123, seeds: 4 };
        Figures { size, ..figures("base", false) }.write(folder.path()).unwrap();
        let judged = judge(folder.path(), None).unwrap();
        assert!(judged.document.contains("123 synthetic customers, 4 seeds"));
        figures("strong", false).write(folder.path()).unwrap();
        let refused = judge(folder.path(), None).unwrap_err().to_string();
        assert!(refused.contains("other sizes"), "{refused}");
    }

    /// Cells can be measured alone, and stand in a table of their own.
    #[test]
    fn cells_are_judged_without_the_others() {
        let folder = tempfile::tempdir().unwrap();
        for (name, nodes) in [("cell-base-last-z3", 3.0), ("cell-types-every-minmax", 2.0)] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            let seed: Measured = [(c01_elbow::ELBOW.to_string(), nodes)].into_iter().collect();
            Figures { measured: vec![seed], ..figures(name, true) }.write(folder.path()).unwrap();
        }
        let judged = judge(folder.path(), None).unwrap();
        assert!(judged.quick && judged.missing.contains(&"base"));
        let head = "| # | claim | holds in | base, last, z3 | types, every, min-max |";
        assert!(judged.document.contains(head), "{}", judged.document);
        assert!(judged.document.contains("| 1 | three nodes by the elbow | 3 to 3 | **3** | 2 |"));
    }

    #[test]
    fn figures_of_another_experiment_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["base", "strong"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        figures("base", false).write(folder.path()).unwrap();
        let path = |name: &str| folder.path().join(name).join("figures.json");
        std::fs::copy(path("base"), path("strong")).unwrap();
        assert!(judge(folder.path(), None).unwrap_err().to_string().contains("is of the experiment base"));
        std::fs::write(path("strong"), "{}").unwrap();
        assert!(
            judge(folder.path(), None).unwrap_err().to_string().contains("holds no figures of an experiment")
        );
    }
}
