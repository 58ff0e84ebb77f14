//! `spendscape`: explainable customer micro-segments from bank transactions.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its user")]

mod cli;

use std::process::ExitCode;

use clap::Parser;
use spendscape::{exit, text};

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    arguments.start_logging();
    // A second process-wide handler cannot exist, so this fails only where signals cannot be handled at all.
    if let Err(error) = ctrlc::set_handler(|| {
        // Kept until the process has ended: nothing is written in between.
        let _kept = spendscape_store::remove_temporaries();
        std::process::exit(exit::INTERRUPTED);
    }) {
        tracing::warn!("an interrupt will leave temporary files behind: {error}");
    }
    match arguments.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", text::printable(&exit::message(&error)));
            ExitCode::from(exit::code(&error))
        }
    }
}
