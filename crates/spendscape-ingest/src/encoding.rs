//! Encodings of text files.

use std::{
    collections::VecDeque,
    fmt,
    io::{self, Read},
};

use encoding_rs::{Decoder, DecoderResult, UTF_8};
use serde::{Deserialize, Serialize};

/// The encoding of text files, by a label of the WHATWG's Encoding Standard (`utf-8`, `windows-1252`, `iso-8859-2`, ...).
///
/// As there, `latin-1` is windows-1252, which has all its printable characters.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// Its name in lower case.
    #[must_use]
    pub fn name(self) -> String {
        self.0.name().to_ascii_lowercase()
    }

    pub(crate) fn is_utf8(self) -> bool {
        self.0 == UTF_8
    }

    /// What a byte order mark at the start of a file says, and its length.
    pub(crate) fn of_mark(start: &[u8]) -> Option<(Self, usize)> {
        encoding_rs::Encoding::for_bom(start).map(|(encoding, bytes)| (Self(encoding), bytes))
    }
}

impl Default for Encoding {
    fn default() -> Self {
        Self(UTF_8)
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl TryFrom<String> for Encoding {
    type Error = String;

    fn try_from(label: String) -> Result<Self, String> {
        // The standard has the label without the hyphen only.
        let known = if label.eq_ignore_ascii_case("latin-1") { "latin1" } else { label.as_str() };
        encoding_rs::Encoding::for_label_no_replacement(known.as_bytes()).map(Self).ok_or_else(|| {
            format!(
                "{label:?} is no encoding: write \"utf-8\", \"windows-1252\" (Western Europe), \"windows-1250\" or \
                 \"iso-8859-2\" (Central Europe), \"windows-1251\" (Cyrillic), \"shift_jis\", \"gbk\", \"utf-16le\" or \
                 another label of the WHATWG's Encoding Standard"
            )
        })
    }
}

impl From<Encoding> for String {
    fn from(encoding: Encoding) -> Self {
        encoding.name()
    }
}

/// Bytes read at a time.
const BLOCK: usize = 64 * 1024;

/// Room that the decoder needs to make progress: the longest sequence of UTF-8, and some.
const SMALLEST_BUFFER: usize = 16;

/// A text of another encoding as UTF-8. What does not decode becomes U+FFFD, and its place is kept.
pub(crate) struct Decoded<R> {
    inner: R,
    decoder: Decoder,
    input: Vec<u8>,
    start: usize,
    at_end: bool,
    /// Whether the decoder has given its last.
    is_done: bool,
    written: u64,
    malformed: VecDeque<u64>,
    /// What did not fit the reader's buffer.
    rest: VecDeque<u8>,
}

impl<R: Read> Decoded<R> {
    pub(crate) fn new(inner: R, encoding: Encoding) -> Self {
        Self {
            inner,
            decoder: encoding.0.new_decoder_without_bom_handling(),
            input: Vec::new(),
            start: 0,
            at_end: false,
            is_done: false,
            written: 0,
            malformed: VecDeque::new(),
            rest: VecDeque::new(),
        }
    }

    /// The places before an offset of the decoded text where something did not decode, which are then forgotten.
    pub(crate) fn malformed_before(&mut self, to: u64) -> Vec<u64> {
        let before = self.malformed.partition_point(|at| *at < to);
        self.malformed.drain(..before).collect()
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start < self.input.len() || self.at_end {
            return Ok(());
        }
        self.input.resize(BLOCK, 0);
        let count = self.inner.read(&mut self.input)?;
        self.input.truncate(count);
        (self.start, self.at_end) = (0, count == 0);
        Ok(())
    }

    fn decode(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.is_done {
            self.fill()?;
            let input = &self.input[self.start..];
            let (result, read, mut written) =
                self.decoder.decode_to_utf8_without_replacement(input, buffer, self.at_end);
            self.start += read;
            if let DecoderResult::Malformed(..) = result {
                self.malformed.push_back(self.written + written as u64);
                self.rest.extend("\u{fffd}".as_bytes());
                while let (Some(place), Some(byte)) = (buffer.get_mut(written), self.rest.front()) {
                    *place = *byte;
                    self.rest.pop_front();
                    written += 1;
                }
            }
            self.written += written as u64;
            self.is_done = self.at_end && result == DecoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.rest.is_empty() {
            let count = self.rest.read(buffer)?;
            self.written += count as u64;
            return Ok(count);
        }
        if buffer.len() < SMALLEST_BUFFER {
            let mut larger = [0; SMALLEST_BUFFER];
            let count = self.decode(&mut larger)?;
            let taken = count.min(buffer.len());
            buffer[..taken].copy_from_slice(&larger[..taken]);
            // It stands before what did not decode.
            larger[taken..count].iter().rev().for_each(|byte| self.rest.push_front(*byte));
            self.written -= (count - taken) as u64;
            return Ok(taken);
        }
        self.decode(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(label: &str) -> Encoding {
        Encoding::try_from(label.to_owned()).unwrap()
    }

    /// Reads with buffers of every size.
    fn decoded(bytes: &[u8], label: &str) -> (String, bool) {
        let mut all = Vec::new();
        for size in 1..40 {
            let mut reader = Decoded::new(bytes, encoding(label));
            let (mut text, mut buffer) = (Vec::new(), vec![0; size]);
            loop {
                let count = reader.read(&mut buffer).unwrap();
                if count == 0 {
                    break;
                }
                text.extend_from_slice(&buffer[..count]);
            }
            let end = text.len() as u64;
            all.push((String::from_utf8(text).unwrap(), !reader.malformed_before(end).is_empty()));
        }
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
        all.swap_remove(0)
    }

    #[test]
    fn web_encodings_are_decoded_in_pieces_of_any_size() {
        assert_eq!(decoded(b"\x8eabka;\xb9", "windows-1250"), ("Žabka;ą".to_owned(), false));
        assert_eq!(decoded(b"Caf\xe9 \x96 Bar", "latin-1"), ("Café – Bar".to_owned(), false));
        assert_eq!(decoded(b"\x83e\x83X\x83g", "Shift_JIS"), ("テスト".to_owned(), false));
        let text = "a😀é\n".repeat(5);
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(&wide, "utf-16le"), (text, false));
        assert_eq!(decoded(b"", "gbk"), (String::new(), false));
    }

    #[test]
    fn what_does_not_decode_is_placed() {
        assert_eq!(decoded(b"ab\xffc", "gbk"), ("ab\u{fffd}c".to_owned(), true));
        assert_eq!(decoded(b"a\0b", "utf-16le"), ("a\u{fffd}".to_owned(), true));
        let mut reader = Decoded::new(&b"ab\xffcdef"[..], encoding("gbk"));
        reader.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!((reader.malformed_before(2), reader.malformed_before(9)), (vec![], vec![2]));
        assert!(reader.malformed_before(9).is_empty());
        assert!(Encoding::try_from("utf-7".to_owned()).unwrap_err().contains("windows-1250"));
        assert_eq!(encoding("ISO-8859-1").name(), "windows-1252");
        assert_eq!(Encoding::of_mark(b"\xff\xfea\0"), Some((encoding("utf-16"), 2)));
        assert_eq!(Encoding::of_mark(b"\xef\xbb\xbfa"), Some((encoding("utf-8"), 3)));
        assert_eq!(Encoding::of_mark(b"a\xff"), None);
    }
}
