//! The public data sets: what they are, where they come from, and whether they are here.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::shell;

/// What to do about a missing data set.
pub(crate) const HINT: &str =
    "`cargo xtask datasets` says where the data are to be had; point --data or SPENDSCAPE_DATA at them";

/// Options of `cargo xtask datasets`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Folder to look in; also SPENDSCAPE_DATA
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// One line of the manifest: file, SHA-256, license as stated, source.
struct Line {
    file: String,
    sha256: String,
    license: String,
    source: String,
}

/// Lists the data sets, and checks those that are here against the manifest.
///
/// # Errors
/// If a file that is here is not the one in the manifest.
pub(crate) fn run(options: &Options) -> Result<()> {
    let data = options.data.clone().or_else(|| env::var_os("SPENDSCAPE_DATA").map(PathBuf::from));
    let mut wrong = 0;
    for line in manifest()? {
        let path = data.as_ref().map(|data| data.join(&line.file));
        let state = match path.filter(|path| path.exists()) {
            None => "not here",
            Some(path) => match sha256(&path) {
                Some(found) if found == line.sha256 => "here, as expected",
                Some(_) => {
                    wrong += 1;
                    "here, but ANOTHER FILE"
                }
                None => "here (sha256sum is not installed: not checked)",
            },
        };
        println!("{}: {state}\n    license: {}\n    source: {}", line.file, line.license, line.source);
    }
    if wrong > 0 {
        bail!(
            "{wrong} files are not those of the manifest: the experiments' figures would not be comparable"
        );
    }
    Ok(())
}

fn manifest() -> Result<Vec<Line>> {
    let path = shell::root().join("datasets/manifest.tsv");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate().skip(1) {
        let [file, sha256, license, source] = line.split('\t').collect::<Vec<_>>()[..] else {
            bail!("{} line {}: expected four columns", path.display(), number + 1);
        };
        let [file, sha256, license, source] = [file, sha256, license, source].map(str::to_owned);
        lines.push(Line { file, sha256, license, source });
    }
    Ok(lines)
}

fn sha256(path: &std::path::Path) -> Option<String> {
    let output =
        Command::new("sha256sum").arg(path).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.split_whitespace().next()?.to_owned())
}
