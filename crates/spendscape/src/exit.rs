//! What a failure says, and exit codes: 0 success, 1 failure of the machine, 2 bad usage or bad input, 130 interrupted.

use std::io;

use anyhow::Error;

/// Something outside the input failed: a full disk, a lost file system, a bug.
pub const FAILURE: u8 = 1;
/// The command line or the input is at fault.
pub const BAD_INPUT: u8 = 2;
/// Stopped by Ctrl-C or a termination signal (128 + SIGINT).
pub const INTERRUPTED: i32 = 130;

/// The exit code of an error: the machine is at fault where the system refused an operation on something that exists,
/// otherwise the input is.
#[must_use]
pub fn code(error: &Error) -> u8 {
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<spendscape_store::Error>() {
            return if error.is_bad_input() { BAD_INPUT } else { FAILURE };
        }
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return if error.kind() == io::ErrorKind::NotFound { BAD_INPUT } else { FAILURE };
        }
    }
    BAD_INPUT
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
    fn missing_files_are_the_users_and_full_disks_the_machines() {
        let io = |kind: io::ErrorKind| Err::<(), _>(io::Error::from(kind)).context("reading").unwrap_err();
        assert_eq!(code(&io(io::ErrorKind::NotFound)), BAD_INPUT);
        assert_eq!(code(&io(io::ErrorKind::StorageFull)), FAILURE);
        assert_eq!(code(&anyhow!("no such customer")), BAD_INPUT);
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
