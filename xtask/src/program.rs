//! The `spendscape` program, run several times side by side.

use std::{
    env, fs,
    num::NonZeroUsize,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

use crate::shell;

/// Memory that one run may come to need: 26,000 customers, or the goals of all of them.
const BYTES_PER_RUN: u64 = 3 << 30;

/// The program of this workspace and how many threads a run of it may use.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    path: PathBuf,
    runs: usize,
    threads: usize,
}

impl Program {
    /// Builds the program, in the same profile as the tests, and divides the machine: as many runs side by side as it has
    /// cores and memory for, since most of the work of a run does not fill two cores.
    ///
    /// # Errors
    /// If it does not build.
    pub(crate) fn build() -> Result<Self> {
        // The whole workspace, so that features are those of `cargo test --workspace` and nothing heavy is compiled twice.
        shell::run(&mut shell::cargo(&["build", "--workspace"]))?;
        let path = shell::target().join("debug").join(format!("spendscape{}", env::consts::EXE_SUFFIX));
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let fitting = available_memory().map_or(cores, |bytes| (bytes / BYTES_PER_RUN) as usize);
        let runs = cores.min(fitting).max(1);
        Ok(Self { path, runs, threads: cores / runs })
    }

    /// A command of the program.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(words).env("RAYON_NUM_THREADS", self.threads.to_string());
        command
    }

    /// Does jobs side by side, each taking the next one; results come in the order of the jobs, and none begins after a
    /// failure.
    ///
    /// # Errors
    /// The error of the first job in order that failed.
    pub(crate) fn side_by_side<J: Sync, R: Send>(
        &self,
        jobs: &[J],
        work: impl Fn(&J) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        let next = AtomicUsize::new(0);
        let worker = || {
            let mut done = Vec::new();
            while let Some((at, job)) =
                Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, jobs.get(at)?)))
            {
                let result = work(job);
                if result.is_err() {
                    next.store(jobs.len(), Ordering::Relaxed);
                }
                done.push((at, result));
            }
            done
        };
        let mut done = thread::scope(|scope| {
            let workers: Vec<_> = (0..self.runs.min(jobs.len())).map(|_| scope.spawn(worker)).collect();
            let join = |worker: thread::ScopedJoinHandle<'_, _>| {
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            workers.into_iter().flat_map(join).collect::<Vec<_>>()
        });
        done.sort_by_key(|(at, _)| *at);
        done.into_iter().map(|(_, result)| result).collect()
    }
}

/// Runs a command of the program and reads the JSON that it prints.
///
/// # Errors
/// If it fails or prints something else.
pub(crate) fn json<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let text = shell::output(command)?;
    serde_json::from_str(&text).with_context(|| format!("`{}` printed other figures", shell::show(command)))
}

/// Bytes of memory that can be had, where the system tells.
fn available_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(runs: usize) -> Program {
        Program { path: PathBuf::from("none"), runs, threads: 1 }
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let jobs: Vec<u64> = (0..20).collect();
        for runs in [1, 2, 7] {
            let squares = program(runs).side_by_side(&jobs, |job| Ok(job * job)).unwrap();
            assert_eq!(squares, jobs.iter().map(|job| job * job).collect::<Vec<_>>());
        }
    }

    #[test]
    fn no_job_begins_after_a_failure() {
        let begun = AtomicUsize::new(0);
        let error = program(1).side_by_side(&[1, 2, 3], |job| {
            begun.fetch_add(1, Ordering::Relaxed);
            if *job == 2 { anyhow::bail!("job {job}") } else { Ok(()) }
        });
        assert_eq!(error.unwrap_err().to_string(), "job 2");
        assert_eq!(begun.into_inner(), 2);
    }
}
