//! The papers' experiments from ledger to figures, and the judgement of their claims.

mod claims;
mod document;
mod experiments;
mod goals;
mod loans;
mod summary;

use std::{env, path::PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use self::experiments::Experiment;
use crate::{datasets, shell};

/// Options of `cargo xtask reproduce`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// 6,500 customers and 3 training seeds instead of 26,000 and 5; no verdicts on bands that hold for the full size
    #[arg(long)]
    quick: bool,
    /// Folder of the public data sets; also SPENDSCAPE_DATA
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder of the results
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keep the generated ledgers (about 300 MB each) for a later run
    #[arg(long)]
    keep_ledger: bool,
    /// Only these experiments, e.g. base,strong,online-retail
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    only: Vec<String>,
}

impl Options {
    fn customers(&self) -> usize {
        if self.quick { 6_500 } else { 26_000 }
    }

    fn seeds(&self) -> u64 {
        if self.quick { 3 } else { 5 }
    }
}

/// Runs the experiments and writes tables, figures and the summary; a full run also regenerates the document.
///
/// # Errors
/// If the program does not build or a stage fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let out = options.out.clone().unwrap_or_else(|| shell::target().join("reproduce"));
    let data = options.data.clone().or_else(|| env::var_os("SPENDSCAPE_DATA").map(PathBuf::from));
    let program = shell::spendscape()?;
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let mut experiments = Vec::new();
    for experiment in Experiment::all(options.customers(), data.as_deref()) {
        if !wanted(experiment.name()) {
            continue;
        }
        match experiment.missing() {
            None => experiments.push(experiment),
            Some(what) => {
                println!("skipped {}: {what}; {}", experiment.name(), datasets::HINT);
            }
        }
    }
    let mut entries = Vec::new();
    for experiment in &experiments {
        println!("== {}: {}", experiment.name(), experiment.describe());
        let measured = experiment.run(&program, &out, options.seeds(), options.keep_ledger)?;
        entries.extend(claims::judge(experiment, &measured, !options.quick));
    }
    summary::write(&out.join("summary.json"), &entries)?;
    summary::print(&entries);
    println!("tables, figures and summary.json are in {}", out.display());
    if !options.quick && options.only.is_empty() {
        let path = shell::root().join("docs/REPRODUCTION.md");
        document::write(&path, &entries, options)
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {}", path.display());
    }
    Ok(())
}
