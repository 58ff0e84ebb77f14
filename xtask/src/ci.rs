//! The checks of continuous integration.

use std::{env, process::Command};

use anyhow::{Result, bail};
use clap::Args;

use crate::{
    shell::{self, cargo, succeeds},
    tidy,
};

/// Options of `cargo xtask ci`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only print the checks
    #[arg(long)]
    list: bool,
    /// Leave out a check by name; may be given several times
    #[arg(long, value_name = "NAME")]
    except: Vec<String>,
}

struct Check {
    name: &'static str,
    reason: &'static str,
    run: fn() -> Result<()>,
}

/// Cheapest first: a slip in formatting must not cost a whole test run.
const CHECKS: &[Check] = &[
    Check {
        name: "fmt",
        reason: "diffs show what changed, not how it was typed",
        run: || shell::run(&mut cargo(&["fmt", "--all", "--check"])),
    },
    Check {
        name: "tidy",
        reason: "documents that contradict the code mislead, and drift unseen",
        run: tidy::run,
    },
    Check {
        name: "clippy",
        reason: "warnings are mended when they appear, not collected",
        run: || {
            shell::run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
        },
    },
    Check {
        name: "doc",
        reason: "a broken link in the docs is a broken promise",
        run: || {
            shell::run(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings"))
        },
    },
    Check {
        name: "test",
        reason: "the command that the README tells a newcomer to run",
        run: || shell::run(&mut cargo(&["test", "--workspace"])),
    },
    Check {
        name: "lapack",
        reason: "both linear-algebra backends pass the same tests, and agree with each other",
        run: lapack,
    },
    Check {
        name: "package",
        reason: "other teams take single crates: each must be complete on its own",
        run: || {
            shell::run(&mut cargo(&[
                "package",
                "--workspace",
                "--exclude",
                "xtask",
                "--allow-dirty",
                "--no-verify",
            ]))
        },
    },
];

fn lapack() -> Result<()> {
    if !succeeds(Command::new("pkg-config").args(["--exists", "openblas"])) && !linkable("openblas") {
        if env::var("CI").is_ok_and(|value| value == "true") {
            bail!("the LAPACK backend cannot be tested: install libopenblas-dev");
        }
        eprintln!("note: libopenblas-dev is not installed: the LAPACK backend is not tested");
        return Ok(());
    }
    let arguments = ["test", "--package", "spendscape-linalg", "--features", "openblas-system"];
    // The tests run in parallel themselves; OpenBLAS's own threads would only fight over the cores.
    shell::run(cargo(&arguments).env("OPENBLAS_NUM_THREADS", "1"))
}

/// Whether the C compiler finds a library.
fn linkable(library: &str) -> bool {
    let script = format!("echo 'int main(void){{return 0;}}' | cc -x c - -o /dev/null -l{library}");
    succeeds(Command::new("sh").args(["-c", &script]))
}

/// Runs the checks in order; the first failure ends the run.
///
/// # Errors
/// If a check fails or an unknown check is left out.
pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(unknown) =
        options.except.iter().find(|name| !CHECKS.iter().any(|check| check.name == name.as_str()))
    {
        bail!("there is no check named {unknown:?}; `cargo xtask ci --list` names them");
    }
    for check in CHECKS.iter().filter(|check| !options.except.iter().any(|name| name == check.name)) {
        println!("== {}: {}", check.name, check.reason);
        if !options.list {
            (check.run)()?;
        }
    }
    Ok(())
}
