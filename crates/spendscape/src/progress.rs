//! Progress: a line that is rewritten on a terminal; elsewhere a line of the log from time to time, so that no long stage is
//! silent.

use std::{
    io::{IsTerminal, Write, stderr},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Least time between two updates: faster ones cannot be read.
const INTERVAL: Duration = Duration::from_millis(100);
/// Time between two lines of a log.
const LOGGED: Duration = Duration::from_secs(15);

/// Silence after which a line says that the work goes on.
const SILENCE: Duration = Duration::from_secs(30);

/// When the program started to keep time, and how many milliseconds later it last said something.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);
static SPOKEN: AtomicU64 = AtomicU64::new(0);

/// Notes that something was said.
pub fn spoke() {
    SPOKEN.store(START.elapsed().as_millis() as u64, Ordering::Relaxed);
}

/// Says from time to time that the work goes on, where nothing else does, until the program ends.
pub fn break_silence() {
    LazyLock::force(&START);
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let silent =
                START.elapsed().saturating_sub(Duration::from_millis(SPOKEN.load(Ordering::Relaxed)));
            if silent >= SILENCE {
                tracing::info!(seconds = START.elapsed().as_secs(), "still at work");
                spoke();
            }
        }
    });
}

/// One line of progress.
#[derive(Debug)]
pub struct Progress {
    label: &'static str,
    shown: Option<Instant>,
    logged: Instant,
    terminal: bool,
}

impl Progress {
    /// Starts a line.
    #[must_use]
    pub fn new(label: &'static str) -> Self {
        Self { label, shown: None, logged: Instant::now(), terminal: stderr().is_terminal() }
    }

    /// Shows a state.
    pub fn show(&mut self, state: &str) {
        if !self.terminal && self.logged.elapsed() >= LOGGED {
            tracing::info!("{}: {state}", self.label);
            self.logged = Instant::now();
        }
        if self.terminal && self.shown.is_none_or(|last| last.elapsed() >= INTERVAL) {
            // A terminal that cannot be written to is no reason to stop the work.
            let _ = write!(stderr(), "\r\x1b[K{}: {state}", self.label);
            self.shown = Some(Instant::now());
            spoke();
        }
    }

    /// Clears the line.
    pub fn done(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
