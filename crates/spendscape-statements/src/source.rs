//! The text of statements.

use std::io::{self, Read};

/// Bytes read at a time.
pub(crate) const BLOCK: usize = 64 * 1024;

/// A text as UTF-8 that was decoded from another encoding.
pub trait DecodedText: Read + Send {
    /// Whether something before an offset, in bytes of UTF-8, did not decode and was replaced. Offsets do not decrease from
    /// call to call.
    fn is_malformed_before(&mut self, offset: u64) -> bool;
}

pub(crate) type Source = Box<dyn DecodedText>;

/// A text that is UTF-8 itself.
pub(crate) struct Utf8<R>(pub(crate) R);

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read + Send> DecodedText for Utf8<R> {
    /// Readers look at the bytes themselves.
    fn is_malformed_before(&mut self, _offset: u64) -> bool {
        false
    }
}
