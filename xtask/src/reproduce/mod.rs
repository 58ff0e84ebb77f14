//! The papers' experiments from ledger to figures, and the judgment of their claims by `spendscape-claims`.

mod banks;
mod berka;
mod cells;
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
    cells::Seeds,
    experiments::{Experiment, Job, Preparation},
    figures::{Figures, Size},
};
use crate::{datasets, program::Program, shell};

/// Options of `cargo xtask reproduce`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// 6,500 customers and 3 seeds instead of 26,000 and 5, and one seed instead of 3 of each cell that tells when a claim holds
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
    let seeds = Seeds::of(size.seeds, options.quick);
    let preparations = Preparation::of(&experiments, seeds);
    program.side_by_side(&preparations, |made| made.make(&program, &out, options.keep_ledger))?;
    let asked: Vec<Vec<Vec<Job>>> = experiments.iter().map(|experiment| experiment.jobs(seeds)).collect();
    let mut jobs = distinct(&asked);
    // What takes longest begins first, so that it does not run alone in the end.
    jobs.sort_by_key(|(at, _)| !experiments[*at].takes_longest());
    let measured = program.side_by_side(&jobs, |(at, job)| experiments[*at].measure(&program, &out, *job))?;
    let of_job = |job: &Job| {
        let found = jobs.iter().zip(&measured).find(|((_, other), _)| other == job);
        found.map_or_else(Measured::default, |(_, figures)| figures.clone())
    };
    let of_seed = |jobs: &Vec<Job>| jobs.iter().flat_map(of_job).collect::<Measured>();
    let per_experiment: Vec<Vec<Measured>> =
        asked.iter().map(|seeds| seeds.iter().map(of_seed).collect()).collect();
    for (experiment, measured) in experiments.iter().zip(per_experiment) {
        Figures { experiment: experiment.name().to_owned(), quick: options.quick, size, measured }
            .write(&out)?;
    }
    let names: Vec<&str> = experiments.iter().map(Experiment::name).collect();
    judge::judge(&out, Some(&names))?.publish()
}

/// Each job once, with the place of an experiment that asks for it, in the order in which they are asked for.
fn distinct(asked: &[Vec<Vec<Job>>]) -> Vec<(usize, Job)> {
    let mut jobs: Vec<(usize, Job)> = Vec::new();
    for (at, seeds) in asked.iter().enumerate() {
        for job in seeds.iter().flatten() {
            if !jobs.iter().any(|(_, other)| other == job) {
                jobs.push((at, *job));
            }
        }
    }
    jobs
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

    /// The quick bank is the one of a cell: it is drawn once.
    #[test]
    fn what_several_experiments_ask_for_is_measured_once() {
        let count = |customers: usize, names: &[&str], most: u64| {
            let seeds = Seeds::of(most, false);
            let all = Experiment::all(customers, None);
            let of =
                all.into_iter().filter(|experiment| names.contains(&experiment.name())).collect::<Vec<_>>();
            let asked: Vec<_> = of.iter().map(|experiment| experiment.jobs(seeds)).collect();
            (distinct(&asked).len(), Preparation::of(&of, seeds).len())
        };
        // A seed trains and learns three outcomes.
        assert_eq!(count(6_500, &["base"], 3), (12, 3));
        assert_eq!(count(6_500, &["base", "cell-base-last-z3"], 3), (15, 3));
        assert_eq!(count(26_000, &["base", "cell-base-last-z3"], 5), (23, 8));
        // Two ways to train on the same banks.
        assert_eq!(count(6_500, &["cell-types-last-z3", "cell-types-every-z3"], 3), (6, 3));
        assert_eq!(count(6_500, &["label-0", "label-100"], 3), (6, 6));
        // A job that stands twice is done once.
        let base = Experiment::all(9, None).remove(0).jobs(Seeds::of(2, true));
        assert_eq!(distinct(&[base.clone(), base]).len(), 8);
    }

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
