//! Customer ids that cannot be read back.

use std::{fs::File, io::Read, path::Path};

use crate::Error;

/// Shortest key accepted, in bytes: shorter ones can be guessed.
const SHORTEST_KEY: usize = 16;

/// Longest key accepted, in bytes: a file beyond it is none, and a device has no end.
const LONGEST_KEY: u64 = 1 << 20;

/// What separates this use of the key from others.
const KEY_CONTEXT: &str = "spendscape-ledger 2026 customer pseudonyms";
const FINGERPRINT_CONTEXT: &str = "spendscape-ledger 2026 fingerprint of the pseudonym key";

/// Bytes of a pseudonym: 128 bits, so that two customers never share one.
const PSEUDONYM_BYTES: usize = 16;

/// Replaces customer ids by a keyed BLAKE3 hash: the same key gives the same pseudonyms in every ledger, and without the key
/// no id can be tested against them.
#[derive(Clone)]
pub struct Pseudonyms {
    key: [u8; 32],
    fingerprint: String,
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pseudonyms").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl Pseudonyms {
    /// Takes the key from a file, all of its bytes: any secret of at least 16 random bytes will do.
    ///
    /// # Errors
    /// [`Error::Read`] if the file cannot be read, [`Error::ShortKey`] or [`Error::LongKey`] if it is too short or too long.
    pub fn from_key_file(path: &Path) -> Result<Self, Error> {
        let read = |source| Error::Read { path: path.to_owned(), source };
        let mut secret = Vec::new();
        let file = File::open(path).map_err(read)?;
        file.take(LONGEST_KEY + 1).read_to_end(&mut secret).map_err(read)?;
        if secret.len() as u64 > LONGEST_KEY {
            return Err(Error::LongKey { path: path.to_owned(), allowed: LONGEST_KEY });
        }
        if secret.len() < SHORTEST_KEY {
            let path = path.to_owned();
            return Err(Error::ShortKey { path, found: secret.len(), needed: SHORTEST_KEY });
        }
        let fingerprint = blake3::derive_key(FINGERPRINT_CONTEXT, &secret);
        Ok(Self { key: blake3::derive_key(KEY_CONTEXT, &secret), fingerprint: hex(&fingerprint[..8]) })
    }

    /// The pseudonym of a customer, 32 hexadecimal digits.
    #[must_use]
    pub fn of(&self, customer: &str) -> String {
        hex(&blake3::keyed_hash(&self.key, customer.as_bytes()).as_bytes()[..PSEUDONYM_BYTES])
    }

    /// What tells two keys apart without telling anything of either.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
