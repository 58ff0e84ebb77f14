//! What a failure says, and exit codes: 0 success, 1 failure of the machine, 2 bad usage or bad input, 130 interrupted.

use std::io;

use anyhow::Error;

/// Something outside the input failed: a full disk, a lost file system, a bug.
pub const FAILURE: u8 = 1;
/// The command line or the input is at fault.
pub const BAD_INPUT: u8 = 2;
/// Stopped by Ctrl-C or a termination signal (128 + SIGINT).
pub const INTERRUPTED: i32 = 130;

/// The exit code of an error: the machine is at fault where the system refused an operation on something that is as it
/// should be ([`spendscape_store::is_bad_input`]), otherwise the input is.
#[must_use]
pub fn code(error: &Error) -> u8 {
    let bad_input = error.chain().find_map(|cause| {
        if let Some(error) = cause.downcast_ref::<spendscape_ingest::Error>() {
            return Some(error.is_bad_input());
        }
        if let Some(error) = cause.downcast_ref::<spendscape_ledger::Error>() {
            return Some(error.is_bad_input());
        }
        if cause.is::<rayon::ThreadPoolBuildError>() {
            return Some(false);
        }
        if let Some(error) = store_error(cause) {
            return Some(error.is_bad_input());
        }
        cause.downcast_ref::<io::Error>().map(|error| spendscape_store::is_bad_input(error.kind()))
    });
    if bad_input.unwrap_or(true) { BAD_INPUT } else { FAILURE }
}

/// An error of the store, also where a crate's own error shows it as if it were its own, which a chain of causes skips.
fn store_error<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a spendscape_store::Error> {
    if let Some(spendscape_report::Error::Store(error)) = cause.downcast_ref() {
        return Some(error);
    }
    if let Some(spendscape_synth::Error::Store(error)) = cause.downcast_ref() {
        return Some(error);
    }
    cause.downcast_ref()
}

/// The message of an error: its causes in order, without those that the one before has already told.
#[must_use]
pub fn message(error: &Error) -> String {
    let mut message = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if message.is_empty() {
            message = cause;
        } else if !message.ends_with(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn each_kind_of_error_has_its_code() {
        use io::ErrorKind as Kind;
        let kinds = [
            (Kind::NotFound, BAD_INPUT),
            (Kind::AlreadyExists, BAD_INPUT),
            (Kind::NotADirectory, BAD_INPUT),
            (Kind::IsADirectory, BAD_INPUT),
            (Kind::InvalidFilename, BAD_INPUT),
            (Kind::InvalidInput, BAD_INPUT),
            (Kind::InvalidData, BAD_INPUT),
            (Kind::UnexpectedEof, BAD_INPUT),
            (Kind::StorageFull, FAILURE),
            (Kind::PermissionDenied, FAILURE),
            (Kind::ReadOnlyFilesystem, FAILURE),
            (Kind::OutOfMemory, FAILURE),
            (Kind::BrokenPipe, FAILURE),
            (Kind::Other, FAILURE),
        ];
        let path = || std::path::PathBuf::from("x");
        for (kind, expected) in kinds {
            let io = || io::Error::from(kind);
            let store = || spendscape_store::Error::Io { action: "read", path: path(), source: io() };
            for error in [
                Err::<(), _>(io()).context("reading").unwrap_err(),
                store().into(),
                spendscape_ledger::Error::Store(store()).into(),
                spendscape_ingest::Error::Store(store()).into(),
                spendscape_ingest::Error::Read { path: path(), source: io() }.into(),
                spendscape_synth::Error::Store(store()).into(),
                spendscape_report::Error::Store(store()).into(),
            ] {
                assert_eq!(code(&error.context("stage")), expected, "{kind:?}");
            }
            // A scratch file is the program's own.
            let scratch = spendscape_ledger::Error::Scratch { path: path(), source: io() };
            assert_eq!(code(&scratch.into()), FAILURE);
            let scratch = spendscape_ingest::Error::Scratch { path: path(), source: io() };
            assert_eq!(code(&scratch.into()), FAILURE);
        }
        assert_eq!(code(&anyhow!("no such customer")), BAD_INPUT);
    }

    #[test]
    fn a_full_disk_found_early_is_the_machines() {
        let full = || spendscape_store::Error::DiskFull { path: "x".into(), available: 1, needed: 2 };
        for error in [
            Error::from(full()),
            spendscape_ingest::Error::Store(full()).into(),
            spendscape_ledger::Error::Store(full()).into(),
            spendscape_synth::Error::Store(full()).into(),
            spendscape_report::Error::Store(full()).into(),
        ] {
            assert_eq!(code(&error.context("stage")), FAILURE);
        }
    }

    #[test]
    fn a_cause_is_told_once() {
        let json = serde_json::from_str::<u8>("x").unwrap_err();
        let said = json.to_string();
        let path = "manifest.json".into();
        let store = spendscape_store::Error::Json { path, what: "the manifest", source: json };
        assert_eq!(
            message(&Error::from(store).context("stage `states`")),
            format!("stage `states`: manifest.json: cannot read the manifest: {said}")
        );
        assert_eq!(message(&anyhow!("disk full").context("writing")), "writing: disk full");
    }
}
