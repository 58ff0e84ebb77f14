//! `cargo xtask`: the experiments and the checks of the workspace.
//!
//! It has few dependencies and does its work by running the project's own programs, so that what it does can be done by
//! hand too: every command is printed before it runs.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its user")]

mod bench;
mod ci;
mod datasets;
mod faults;
mod program;
mod reproduce;
mod shell;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Orchestrates the experiments and the checks of the Spendscape workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs the papers' experiments from ledger to figures and judges their claims
    Reproduce(reproduce::Options),
    /// Judges the claims again on what a reproduction measured
    Judge(reproduce::judge::Options),
    /// Runs the checks of continuous integration, cheapest first
    Ci(ci::Options),
    /// Runs the benchmarks side by side with the peers and prints ratios
    Bench(bench::Options),
    /// Kills, damages and doubles runs, and counts what is wrong afterwards and not refused
    Faults(faults::Options),
    /// Checks what no compiler does: that documents say what the code does, and how sources are written
    Tidy,
    /// Says which public data sets the experiments use, where they come from and whether they are here
    Datasets(datasets::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Reproduce(options) => reproduce::run(&options),
        Task::Judge(options) => reproduce::judge::run(&options),
        Task::Ci(options) => ci::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Faults(options) => faults::run(&options),
        Task::Tidy => tidy::run(),
        Task::Datasets(options) => datasets::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
