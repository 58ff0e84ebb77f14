//! Running the program.

use std::{
    path::Path,
    process::{Command, Output},
};

/// Runs `spendscape` with words and, at the end, nothing else.
pub(crate) fn spendscape(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spendscape")).args(words).output().unwrap()
}

/// Runs it and expects success.
pub(crate) fn succeed(words: &[&str]) -> String {
    let output = spendscape(words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs it, expects bad input, and returns the message.
pub(crate) fn refuse(words: &[&str]) -> String {
    let output = spendscape(words);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
    assert!(!message.contains("panicked"), "{message}");
    message
}

/// Names of the files of a folder, hidden ones included.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| {
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}
