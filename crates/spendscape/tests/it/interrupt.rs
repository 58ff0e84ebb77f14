//! Ctrl-C in the middle of a write.

#![cfg(unix)]

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::program::{files, succeed};

/// Long enough for a busy machine to open its first file.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a command and interrupts it once `folder` holds a temporary file or folder of this name; returns its exit code.
fn interrupt(words: &[&str], folder: &Path, temporary: &str) -> Option<i32> {
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_spendscape")).args(words).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while !files(folder).iter().any(|name| name.starts_with(temporary)) {
        assert!(start.elapsed() < PATIENCE, "{words:?} wrote nothing");
        assert_eq!(child.try_wait().unwrap(), None, "{words:?} ended before it could be interrupted");
        std::thread::sleep(Duration::from_millis(2));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    child.wait().unwrap().code()
}

#[test]
fn an_interrupted_write_leaves_no_debris_and_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("bank");
    let path = run.to_str().unwrap();
    succeed(&["synth", path, "--customers", "20"]);
    let read = || std::fs::read(run.join("ledger.parquet")).unwrap();
    let (ledger, before) = (read(), files(&run));
    // Enough customers that the ledger is still being written when the signal comes.
    assert_eq!(interrupt(&["synth", path, "--customers", "26000"], &run, ".ledger.parquet."), Some(130));
    assert_eq!(files(&run), before);
    assert!(read() == ledger, "the old ledger was touched");
}

#[test]
fn an_interrupted_division_into_files_leaves_no_scratch_folder() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("bank");
    let path = run.to_str().unwrap();
    succeed(&["synth", path, "--customers", "4000"]);
    let before = files(&run);
    // 4,000 blocks of 11 x 97 totals take 34 MB, so that this limit divides the rows among files.
    assert_eq!(interrupt(&["ingest", path, "--memory", "4"], &run, ".scratch."), Some(130));
    assert_eq!(files(&run), before);
}
