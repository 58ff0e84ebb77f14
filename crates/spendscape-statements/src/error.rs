//! The one error of the crate.

use std::io;

use crate::Problem;

/// Why a text of statements cannot be read on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text could not be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// The text is in another encoding.
    #[error("line {line}: the text is in another encoding")]
    Encoding {
        /// The line, from 1.
        line: u64,
        /// Entries before it that were read but not given.
        ahead: usize,
    },
    /// An entry or a statement cannot be taken.
    #[error("line {line}: {problem}")]
    Entry {
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        problem: Problem,
        /// Entries before it that were read but not given.
        ahead: usize,
    },
    /// The text holds no statement of the form.
    #[error("this is not {what}")]
    NoStatement {
        /// What it should be.
        what: &'static str,
    },
}

impl Error {
    /// Of the entry after the last one given.
    pub(crate) fn at(line: u64, problem: Problem) -> Self {
        Self::Entry { line, problem, ahead: 0 }
    }

    /// The error of an entry further on.
    pub(crate) fn behind(mut self, entries: usize) -> Self {
        if let Self::Encoding { ahead, .. } | Self::Entry { ahead, .. } = &mut self {
            *ahead += entries;
        }
        self
    }
}
