//! The papers' experiments from ledger to figures, and the judgment of their claims by `spendscape-claims`.

mod experiments;
mod figures;
mod goals;
pub(crate) mod judge;
mod loans;
mod summary;

use std::{env, path::PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use spendscape_claims::Measured;

use self::{
    experiments::{Experiment, Job},
    figures::{Figures, Size},
};
use crate::{datasets, program::Program, shell};

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

/// Runs the experiments and writes tables, figures and the summary; a full run of all of them also regenerates the document.
///
/// # Errors
/// If an experiment is not known, the program does not build or a stage fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let size = Size::of(options.quick);
    let out = options.out.clone().unwrap_or_else(|| shell::target().join("reproduce"));
    let data = options.data.clone().or_else(|| env::var_os("SPENDSCAPE_DATA").map(PathBuf::from));
    let all = Experiment::all(size.customers, data.as_deref());
    check_names(&options.only, &all)?;
    let program = Program::build()?;
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let mut experiments = Vec::new();
    for experiment in all.into_iter().filter(|experiment| wanted(experiment.name())) {
        match experiment.missing() {
            None => experiments.push(experiment),
            Some(what) => {
                println!("skipped {}: {what}; {}", experiment.name(), datasets::HINT);
            }
        }
    }
    for experiment in &experiments {
        println!("== {}: {}", experiment.name(), experiment.describe());
        Figures::remove(&out, experiment.name())?;
    }
    program
        .side_by_side(&experiments, |experiment| experiment.prepare(&program, &out, options.keep_ledger))?;
    let mut jobs: Vec<(usize, Job)> = experiments
        .iter()
        .enumerate()
        .flat_map(|(at, experiment)| experiment.jobs(size.seeds).into_iter().map(move |job| (at, job)))
        .collect();
    // What takes longest begins first, so that it does not run alone in the end.
    jobs.sort_by_key(|(at, _)| !experiments[*at].takes_longest());
    let measured = program.side_by_side(&jobs, |(at, job)| experiments[*at].measure(&program, &out, *job))?;
    let mut per_experiment: Vec<Vec<Measured>> = vec![Vec::new(); experiments.len()];
    for ((at, job), figures) in jobs.iter().zip(measured) {
        let seeds = &mut per_experiment[*at];
        match (job, seeds.first_mut()) {
            // Outcomes train networks of their own in every fold, so that they are measured once and not per seed.
            (Job::Outcome(_), Some(first)) => first.extend(figures),
            _ => seeds.push(figures),
        }
    }
    for (experiment, measured) in experiments.iter().zip(per_experiment) {
        Figures { experiment: experiment.name().to_owned(), quick: options.quick, size, measured }
            .write(&out)?;
    }
    let names: Vec<&str> = experiments.iter().map(Experiment::name).collect();
    judge::judge(&out, Some(&names))?.publish()
}

/// Refuses names that no experiment has.
fn check_names(only: &[String], all: &[Experiment]) -> Result<()> {
    let names: Vec<&str> = all.iter().map(Experiment::name).collect();
    match only.iter().find(|name| !names.contains(&name.as_str())) {
        Some(unknown) => bail!("--only: there is no experiment {unknown:?} among {}", names.join(", ")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_experiments_are_asked_for() {
        let all = Experiment::all(1, None);
        let check = |names: &[&str]| {
            check_names(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), &all)
        };
        assert!(check(&[]).is_ok() && check(&["strong", "base"]).is_ok());
        let refused = check(&["base", "bsae"]).unwrap_err().to_string();
        assert!(refused.contains("\"bsae\" among base, strong"), "{refused}");
    }
}
