//! Exit codes: 0 success, 1 failure of the machine, 2 bad usage or bad input, 130 interrupted.

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
}
