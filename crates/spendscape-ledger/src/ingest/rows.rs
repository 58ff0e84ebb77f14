//! Where the rows of delimited text begin, and whether its quotes stand where they may.

use std::{collections::VecDeque, iter::repeat_n};

use memchr::{memchr, memchr2, memchr2_iter, memchr3};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Follows the bytes of a file ahead of the CSV reader, which tells neither the line of a row after blank lines or carriage
/// returns, nor that text follows a closing quote.
#[derive(Debug)]
pub(crate) struct RowFinder {
    delimiter: u8,
    quote: Option<u8>,
    state: State,
    /// Bytes seen before the block at hand.
    offset: u64,
    last: Option<u8>,
    line: u64,
    starts: VecDeque<Start>,
    stray: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Only line ends since the last row.
    Between,
    FieldStart,
    Plain,
    Quoted,
    /// After a quote in a quoted field.
    Closing,
    /// A quote stands wrong: what follows is not looked at.
    Lost,
}

/// Where a row begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    /// Its line, from 1. Lines end with line feed, carriage return, or both.
    pub(crate) line: u64,
    /// Whether one of its quoted fields has a line end.
    pub(crate) spans_lines: bool,
}

impl RowFinder {
    /// A finder that begins with a line, counted from 1.
    pub(crate) fn new(delimiter: u8, quote: Option<u8>, line: u64) -> Self {
        Self {
            delimiter,
            quote,
            state: State::Between,
            offset: 0,
            last: None,
            line,
            starts: VecDeque::new(),
            stray: None,
        }
    }

    /// Bytes seen.
    pub(crate) fn seen(&self) -> u64 {
        self.offset
    }

    /// The start of the next row; the line at hand where none was found.
    pub(crate) fn take_start(&mut self) -> Start {
        self.starts.pop_front().unwrap_or(Start { line: self.line, spans_lines: false })
    }

    /// The offset of the first text that follows a closing quote.
    pub(crate) fn stray(&self) -> Option<u64> {
        self.stray
    }

    /// Whether the bytes end with a line end.
    pub(crate) fn ends_line(&self) -> bool {
        matches!(self.last, Some(b'\n' | b'\r'))
    }

    /// Whether the bytes end inside a quoted field.
    pub(crate) fn is_inside_quotes(&self) -> bool {
        self.state == State::Quoted
    }

    /// Follows the next bytes.
    pub(crate) fn follow(&mut self, bytes: &[u8]) {
        let mut at = 0;
        if self.offset == 0 && bytes.starts_with(BYTE_ORDER_MARK) {
            at = BYTE_ORDER_MARK.len();
        }
        while at < bytes.len() && self.state != State::Lost {
            at = self.step(bytes, at);
        }
        self.last = bytes.last().copied().or(self.last);
        self.offset += bytes.len() as u64;
    }

    fn step(&mut self, bytes: &[u8], at: usize) -> usize {
        let byte = bytes[at];
        match self.state {
            State::Between if matches!(byte, b'\n' | b'\r') => {
                self.count_line_end(bytes, at);
                at + 1
            }
            State::Between => {
                self.starts.push_back(Start { line: self.line, spans_lines: false });
                self.state = State::FieldStart;
                at
            }
            State::FieldStart if Some(byte) == self.quote => {
                self.state = State::Quoted;
                at + 1
            }
            State::FieldStart => {
                self.state = State::Plain;
                at
            }
            State::Plain => self.plain(bytes, at),
            State::Quoted => {
                let end = self
                    .quote
                    .and_then(|quote| memchr(quote, &bytes[at..]))
                    .map_or(bytes.len(), |end| at + end);
                for line_end in memchr2_iter(b'\n', b'\r', &bytes[at..end]) {
                    self.count_line_end(bytes, at + line_end);
                    if let Some(start) = self.starts.back_mut() {
                        start.spans_lines = true;
                    }
                }
                if end < bytes.len() {
                    self.state = State::Closing;
                }
                end + 1
            }
            State::Closing => {
                self.state = match byte {
                    b'\n' | b'\r' => State::Between,
                    _ if Some(byte) == self.quote => State::Quoted,
                    _ if byte == self.delimiter => State::FieldStart,
                    _ => {
                        self.stray = Some(self.offset + at as u64);
                        State::Lost
                    }
                };
                // The line end is counted between rows.
                if self.state == State::Between { at } else { at + 1 }
            }
            State::Lost => bytes.len(),
        }
    }

    /// Unquoted text, up to the line's end or a quoted field: a quote opens one only right after a delimiter.
    fn plain(&mut self, bytes: &[u8], mut at: usize) -> usize {
        let begin = at;
        loop {
            let rest = &bytes[at..];
            let found = match self.quote {
                Some(quote) => memchr3(b'\n', b'\r', quote, rest),
                None => memchr2(b'\n', b'\r', rest),
            };
            let Some(found) = found.map(|found| at + found) else {
                if bytes.last() == Some(&self.delimiter) {
                    self.state = State::FieldStart;
                }
                return bytes.len();
            };
            if matches!(bytes[found], b'\n' | b'\r') {
                self.state = State::Between;
                return found;
            }
            if found > begin && bytes[found - 1] == self.delimiter {
                self.state = State::Quoted;
                return found + 1;
            }
            at = found + 1;
        }
    }

    fn count_line_end(&mut self, bytes: &[u8], at: usize) {
        let before = if at == 0 { self.last } else { Some(bytes[at - 1]) };
        if bytes[at] == b'\r' || before != Some(b'\r') {
            self.line += 1;
        }
    }
}

/// Whether a quoted field that spans lines holds rows: read at its line ends, it has as many delimiters in every piece as rows
/// cut there have. `fields` of the row are `columns` many.
pub(crate) fn holds_rows(field: &[u8], column: usize, columns: usize, delimiter: u8) -> bool {
    let after = columns - 1 - column;
    let line_end = if memchr(b'\n', field).is_some() { b'\n' } else { b'\r' };
    let pieces: Vec<&[u8]> = field.split(|byte| *byte == line_end).collect();
    let [_, between @ .., _] = pieces.as_slice() else { return false };
    let wanted = std::iter::once(after).chain(repeat_n(columns - 1, between.len())).chain([column]);
    let delimiters = |piece: &&[u8]| memchr::memchr_iter(delimiter, piece).count();
    // One column has no delimiters to tell rows by.
    columns > 1 && pieces.iter().map(delimiters).eq(wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Follows a text in blocks of every size.
    fn find(text: &str) -> (Vec<(u64, bool)>, Option<u64>, bool) {
        let mut all = Vec::new();
        for size in 1..=text.len() {
            let mut finder = RowFinder::new(b',', Some(b'"'), 1);
            text.as_bytes().chunks(size).for_each(|block| finder.follow(block));
            let starts = finder.starts.iter().map(|start| (start.line, start.spans_lines)).collect();
            all.push((starts, finder.stray(), finder.is_inside_quotes()));
        }
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{text:?}: {all:?}");
        all.swap_remove(0)
    }

    #[test]
    fn rows_begin_on_their_lines_whatever_ends_them() {
        let lines = |text: &str| find(text).0.into_iter().map(|start| start.0).collect::<Vec<_>>();
        assert_eq!(lines("a,b\n1,2\n3,4\n"), [1, 2, 3]);
        assert_eq!(lines("a,b\r\n1,2\r\n3,4"), [1, 2, 3]);
        assert_eq!(lines("a,b\r1,2\r3,4\r"), [1, 2, 3]);
        assert_eq!(lines("\n\na,b\n\n\n1,2\n\n"), [3, 6]);
        assert_eq!(lines("a\r\n\r\n1\r\n\r\n2"), [1, 3, 5]);
        assert_eq!(lines("a,\"x\ny\"\n1,\"\r\n\"\r\n2"), [1, 3, 5]);
        assert_eq!(lines("\n"), [] as [u64; 0]);
    }

    #[test]
    fn quotes_open_at_the_start_and_close_before_a_delimiter_or_line_end() {
        let stray = |text: &str| find(text).1;
        for good in ["\"a\",\"b\"\n\"c\"\"\",\"\"\n", "5\" x,b\"\"c\n", ",\"\"\r\n", "\"a\"", "a\",\"b\""] {
            assert_eq!(stray(good), None, "{good:?}");
        }
        assert_eq!(stray("\"a\" ,b"), Some(3));
        assert_eq!(stray("x,\"a\nb,c\"d,\""), Some(9));
        assert_eq!(stray("\"\"a"), Some(2));
        assert!(find("a,\"b\n").2 && !find("a,\"b\"\n").2);
        assert_eq!(find("a,\"b\nc\"\nd").0, [(1, true), (3, false)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// The CSV reader finds as many rows, until a quote stands wrong.
        #[test]
        fn rows_are_those_of_the_reader(text in "[a,\"\n\r]{1,40}") {
            let (starts, stray, _) = find(&text);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let (mut record, mut rows) = (csv::ByteRecord::new(), 0);
            while reader.read_byte_record(&mut record).unwrap() {
                rows += 1;
                if stray.is_some_and(|stray| stray < reader.position().byte()) {
                    break;
                }
            }
            prop_assert_eq!(starts.len(), rows);
        }
    }

    #[test]
    fn rows_within_a_field_are_told_from_lines_of_text() {
        // Three columns; the field at hand is the last, the first (over three rows), the middle one.
        assert!(holds_rows(b"BIG JOE\na,b,TAPE 5", 2, 3, b','));
        assert!(holds_rows(b"x,1,2\na,b,c\nd", 0, 3, b','));
        assert!(holds_rows(b"x,1\n2,y", 1, 3, b','));
        assert!(holds_rows(b"x,1\r2,y", 1, 3, b','));
        assert!(!holds_rows(b"two\nlines", 2, 3, b','));
        assert!(!holds_rows(b"one line", 2, 3, b','));
        assert!(!holds_rows(b"a\nb", 0, 1, b','));
    }
}
