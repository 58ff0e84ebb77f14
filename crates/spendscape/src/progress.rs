//! Progress: a line that is rewritten on a terminal, nothing in a log (where stages report their start and end).

use std::{
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

/// Least time between two updates: faster ones cannot be read.
const INTERVAL: Duration = Duration::from_millis(100);

/// One line of progress.
#[derive(Debug)]
pub struct Progress {
    label: &'static str,
    shown: Option<Instant>,
    terminal: bool,
}

impl Progress {
    /// Starts a line.
    #[must_use]
    pub fn new(label: &'static str) -> Self {
        Self { label, shown: None, terminal: stderr().is_terminal() }
    }

    /// Shows a state.
    pub fn show(&mut self, state: &str) {
        if self.terminal && self.shown.is_none_or(|last| last.elapsed() >= INTERVAL) {
            // A terminal that cannot be written to is no reason to stop the work.
            let _ = write!(stderr(), "\r\x1b[K{}: {state}", self.label);
            self.shown = Some(Instant::now());
        }
    }

    /// Clears the line.
    pub fn done(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
