//! The stages, in the order in which they run.

use std::ops::RangeInclusive;

use clap::builder::RangedU64ValueParser;

pub mod anchors;
pub mod assign;
mod columns;
pub mod dynamics;
pub mod explain;
pub mod goals;
pub mod ingest;
pub mod init;
pub mod outcomes;
pub mod report;
pub mod segment;
pub mod states;
pub mod summary;
pub mod synth;
pub mod train;

/// A count of the command line with its range, so that none makes a stage run or take memory without end; the message of a
/// count outside names the option and the range.
#[must_use]
pub fn count(range: RangeInclusive<u64>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(range)
}

/// Options as they are where the command line says nothing: what is stated there is stated nowhere else.
pub(crate) fn command_line_defaults<T: clap::Args>() -> T {
    let matches = T::augment_args(clap::Command::new("defaults")).get_matches_from(["defaults"]);
    match T::from_arg_matches(&matches) {
        Ok(options) => options,
        Err(error) => error.exit(),
    }
}
