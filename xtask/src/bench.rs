//! Benchmarks side by side with the peers.
//!
//! A bench `benches/benches/NAME.rs` times tasks as `NAME/TASK`; each script `benches/baselines/NAME_PEER.py` prints a
//! JSON line `{"peer": .., "task": TASK, "s": seconds}` per task that it does too. Bench and scripts run in turns, so that
//! a machine whose speed drifts slows both; the ratio is taken within a round, and the median over the rounds counts. On
//! several threads a script runs twice, and the faster time of a task counts: how OpenMP's threads wait for each other (in a
//! loop, as by default, or passively) is worth a factor of three to PyTorch, either way round. Above every table stand the
//! CPU's name and the multiply-adds that
//! one of its cores does per second, measured in every round, so that figures of different machines are not mixed up.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use spendscape_benches::limit;
use spendscape_stats::median;

use crate::shell;

/// Options of `cargo xtask bench`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Benches to run, all if none is named
    names: Vec<String>,
    /// Rounds of bench and peers in turns
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Threads of both sides
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Python that has the peers
    #[arg(long, default_value = "python3")]
    python: PathBuf,
}

/// What a peer's script prints for one task.
#[derive(Debug, Deserialize)]
struct Timed {
    peer: String,
    task: String,
    s: f64,
}

/// Seconds per round.
type Rounds = Vec<f64>;

/// Runs the benches and prints, per task and peer, both times and their ratio.
///
/// # Errors
/// If a bench does not build or run. A peer that is not installed is skipped with a note.
pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = shell::root().join("benches");
    let known = stems(&folder.join("benches"), "rs")?;
    if let Some(unknown) = options.names.iter().find(|name| !known.contains(name)) {
        bail!("there is no bench {unknown:?}; there are {}", known.join(", "));
    }
    let scripts = stems(&folder.join("baselines"), "py")?;
    for name in known.iter().filter(|name| options.names.is_empty() || options.names.contains(name)) {
        let mut ours: BTreeMap<String, Rounds> = BTreeMap::new();
        let mut peers: BTreeMap<(String, String), Rounds> = BTreeMap::new();
        let mut limits = Vec::new();
        for round in 0..options.rounds.max(1) {
            println!("== {name}, round {} of {}", round + 1, options.rounds.max(1));
            limits.extend(limit::operations_per_second());
            for (task, seconds) in bench(name, options)? {
                ours.entry(task).or_default().push(seconds);
            }
            for script in scripts.iter().filter(|script| script.starts_with(&format!("{name}_"))) {
                let script = folder.join("baselines").join(format!("{script}.py"));
                for (task_and_peer, seconds) in fastest(&script, options)? {
                    peers.entry(task_and_peer).or_default().push(seconds);
                }
            }
        }
        println!("\n{}: {}\n", limit::cpu(), multiply_adds(&limits));
        print(name, options.threads, &ours, &peers);
    }
    Ok(())
}

fn stems(folder: &Path, extension: &str) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut stems = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension)
            && let Some(stem) = path.file_stem()
        {
            stems.push(stem.to_string_lossy().into_owned());
        }
    }
    stems.sort();
    Ok(stems)
}

/// Runs one bench and reads criterion's medians.
fn bench(name: &str, options: &Options) -> Result<Vec<(String, f64)>> {
    let results = shell::target().join("criterion").join(name);
    // Results of an earlier run must not pass for this one's.
    if results.exists() {
        fs::remove_dir_all(&results).with_context(|| format!("cannot remove {}", results.display()))?;
    }
    // The whole workspace, as for the tests: for one package alone cargo would choose other features and compile DataFusion
    // once more.
    let arguments = ["bench", "--workspace", "--profile", "dev", "--bench", name];
    shell::run(shell::cargo(&arguments).env("RAYON_NUM_THREADS", options.threads.to_string()))?;
    let mut medians = Vec::new();
    for entry in fs::read_dir(&results).with_context(|| format!("bench {name} left no result"))? {
        let task = entry?.path();
        let path = task.join("new/estimates.json");
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let estimates: serde_json::Value =
            serde_json::from_str(&text).with_context(|| format!("cannot read {}", path.display()))?;
        let nanoseconds = estimates["median"]["point_estimate"].as_f64();
        let nanoseconds = nanoseconds.with_context(|| format!("{} has no median", path.display()))?;
        medians
            .push((task.file_name().unwrap_or_default().to_string_lossy().into_owned(), nanoseconds * 1e-9));
    }
    Ok(medians)
}

/// The fastest time of every task and peer of a script, over the ways for threads to wait.
fn fastest(script: &Path, options: &Options) -> Result<BTreeMap<(String, String), f64>> {
    let waits: &[Option<&str>] = if options.threads > 1 { &[None, Some("passive")] } else { &[None] };
    let mut fastest = BTreeMap::new();
    for wait in waits {
        for timed in peer(script, options, *wait)? {
            let best = fastest.entry((timed.task, timed.peer)).or_insert(timed.s);
            *best = best.min(timed.s);
        }
    }
    Ok(fastest)
}

/// Runs one peer's script; one that says on standard error that it skips has no lines.
fn peer(script: &Path, options: &Options, wait: Option<&str>) -> Result<Vec<Timed>> {
    let threads = options.threads.to_string();
    let mut command = Command::new(&options.python);
    command.arg(script).arg(&threads);
    for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"] {
        command.env(variable, &threads);
    }
    // A peer runs as its library sees fit: left to itself, OpenBLAS takes the widest instructions of the CPU.
    for variable in ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"] {
        command.env_remove(variable);
    }
    match wait {
        Some(policy) => command.env("OMP_WAIT_POLICY", policy),
        None => command.env_remove("OMP_WAIT_POLICY"),
    };
    for variable in ["SPENDSCAPE_LEDGER", "SPENDSCAPE_DATA"] {
        if let Some(value) = env::var_os(variable) {
            command.env(variable, value);
        }
    }
    let text = shell::output(&mut command)?;
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            serde_json::from_str(line).with_context(|| format!("{} printed {line:?}", script.display()))
        })
        .collect()
}

fn print(
    name: &str,
    threads: usize,
    ours: &BTreeMap<String, Rounds>,
    peers: &BTreeMap<(String, String), Rounds>,
) {
    println!("| {name}, {threads} thread(s) | ours | peer | peer's time | ratio |\n|---|---|---|---|---|");
    for (task, own) in ours {
        let mut alone = true;
        for ((_, peer), theirs) in peers.iter().filter(|((other, _), _)| other == task) {
            let ratios: Rounds = theirs.iter().zip(own).map(|(theirs, own)| theirs / own).collect();
            println!("| {task} | {} | {peer} | {} | {:.2} |", time(own), time(theirs), median(&ratios));
            alone = false;
        }
        if alone {
            println!("| {task} | {} | - | - | - |", time(own));
        }
    }
    println!();
}

/// The limits (f32 and f64) of the rounds in words.
fn multiply_adds(limits: &[[f64; 2]]) -> String {
    if limits.is_empty() {
        return "its multiply-adds are not known".to_owned();
    }
    let range = |of: usize| {
        let rounds: Rounds = limits.iter().map(|limits| limits[of] * 1e-9).collect();
        let (least, most) = rounds.iter().fold((f64::INFINITY, 0f64), |(a, b), v| (a.min(*v), b.max(*v)));
        format!("{:.0} GFLOP/s ({least:.0} to {most:.0})", median(&rounds))
    };
    format!("multiply-adds of a core, f32 {}, f64 {}", range(0), range(1))
}

fn time(rounds: &[f64]) -> String {
    match median(rounds) {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.2} us", s * 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::multiply_adds;

    #[test]
    fn limits_are_medians_with_their_range() {
        let limits = [[2.0e11, 1.0e11], [1.0e11, 5.0e10], [3.0e11, 1.6e11]];
        let expected = "multiply-adds of a core, f32 200 GFLOP/s (100 to 300), f64 100 GFLOP/s (50 to 160)";
        assert_eq!(multiply_adds(&limits), expected);
        assert_eq!(multiply_adds(&[]), "its multiply-adds are not known");
    }
}
