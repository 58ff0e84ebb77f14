//! The records of a block of delimited text and their fields.

use memchr::memchr;

use super::rows::{Signs, is_line_end};

/// Bytes whose signs are found at once.
const STEP: usize = 64;

/// Where a field lies in its block, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: u32,
    pub(crate) to: u32,
}

impl Span {
    /// A field that is not there.
    pub(crate) const NOTHING: Self = Self { from: 0, to: 0 };

    fn new(from: usize, to: usize) -> Self {
        Self { from: from as u32, to: to as u32 }
    }

    #[inline]
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.from as usize..self.to as usize]
    }
}

/// A record; its fields are with [`Records::fields`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    pub(crate) start: usize,
    /// Where its line end begins.
    pub(crate) end: usize,
    /// Line ends of the block before it.
    pub(crate) line: u32,
    /// Whether one of its quoted fields has a line end.
    pub(crate) spans_lines: bool,
    /// Whether text follows a closing quote; what follows was not looked at.
    pub(crate) is_stray: bool,
    /// Whether a quote is not closed.
    pub(crate) is_open: bool,
}

/// Reads records one by one. Blank lines are none. Quotes that are doubled within quotes are undone in the block itself.
///
/// The signs of the whole block are found first, many bytes at a time, and the records are made of their places.
#[derive(Debug)]
pub(crate) struct Records<'b> {
    bytes: &'b mut [u8],
    signs: Signs,
    places: Vec<u32>,
    /// The first place that was not looked at.
    next: usize,
    at: usize,
    line: u32,
    fields: Vec<Span>,
}

impl<'b> Records<'b> {
    /// The records from an offset of a block on, which is where one may begin.
    pub(crate) fn new(bytes: &'b mut [u8], start: usize, signs: Signs) -> Self {
        let mut places = Vec::with_capacity(bytes.len() / 8);
        match signs.quote.filter(|quote| memchr(*quote, &bytes[start..]).is_some()) {
            Some(quote) => {
                let escape = signs.escape.unwrap_or(quote);
                find([signs.delimiter, b'\n', b'\r', quote, escape], bytes, start, &mut places);
            }
            None => find([signs.delimiter, b'\n', b'\r'], bytes, start, &mut places),
        }
        Self { bytes, signs, places, next: 0, at: start, line: 0, fields: Vec::new() }
    }

    /// Reads records without quotes for as long as they have just so many fields, at least two, and a line end, of which
    /// `is_usual`
    /// takes the row and its last field; adds the fields in some positions to `columns`, and the line of each record to `lines`.
    pub(crate) fn rows(
        &mut self,
        fields: usize,
        is_usual: impl Fn(Span, Span) -> bool,
        positions: &[usize],
        columns: &mut [Vec<Span>],
        lines: &mut Vec<u32>,
    ) {
        self.skip_line_ends();
        while let Some(places) = self.places[self.next..].get(..fields) {
            let [delimiters @ .., end] = places else { return };
            let [.., before] = delimiters else { return };
            let is_delimiter = |at: &u32| self.bytes[*at as usize] == self.signs.delimiter;
            let rest = &self.bytes[*end as usize..];
            let line_end = match rest {
                [b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                _ => return,
            };
            let (row, last) = (Span { from: self.at as u32, to: *end }, Span { from: before + 1, to: *end });
            if !delimiters.iter().all(is_delimiter) || !is_usual(row, last) {
                return;
            }
            for (spans, position) in columns.iter_mut().zip(positions) {
                let from = position.checked_sub(1).map_or(row.from, |before| places[before] + 1);
                spans.push(Span { from, to: places[*position] });
            }
            lines.push(self.line);
            self.line += 1;
            self.next += fields + line_end - 1;
            self.at = *end as usize + line_end;
        }
    }

    /// The fields of the last record.
    pub(crate) fn fields(&self) -> &[Span] {
        &self.fields
    }

    /// The block, in which fields are found that were read.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes
    }

    /// Line ends up to where was read.
    pub(crate) fn lines(&self) -> u32 {
        self.line
    }

    /// Whether nothing but line ends is left.
    pub(crate) fn is_at_end(&self) -> bool {
        self.bytes[self.at..].iter().all(|byte| is_line_end(*byte))
    }

    /// Reads the next record.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Record> {
        self.skip_line_ends();
        if self.at >= self.bytes.len() {
            return None;
        }
        let mut record = Record {
            start: self.at,
            end: 0,
            line: self.line,
            spans_lines: false,
            is_stray: false,
            is_open: false,
        };
        self.fields.clear();
        loop {
            let is_quoted = self.bytes.get(self.at).is_some_and(|byte| Some(*byte) == self.signs.quote);
            let goes_on = if is_quoted { self.quoted(&mut record) } else { self.plain() };
            if !goes_on {
                break;
            }
        }
        record.end = self.at;
        Some(record)
    }

    #[inline]
    fn skip_line_ends(&mut self) {
        while self.at < self.bytes.len() && is_line_end(self.bytes[self.at]) {
            self.count_line_end(self.at);
            self.at += 1;
            self.next += 1;
        }
    }

    /// Lines end with line feed, carriage return, or both.
    #[inline]
    fn count_line_end(&mut self, at: usize) {
        if self.bytes[at] == b'\r' || at == 0 || self.bytes[at - 1] != b'\r' {
            self.line += 1;
        }
    }

    /// Reads a field without quotes around it; whether another one follows.
    #[inline]
    fn plain(&mut self) -> bool {
        let from = self.at;
        while let Some(place) = self.places.get(self.next) {
            let place = *place as usize;
            let byte = self.bytes[place];
            if byte == self.signs.delimiter {
                self.fields.push(Span::new(from, place));
                self.at = place + 1;
                self.next += 1;
                return true;
            }
            if is_line_end(byte) {
                self.fields.push(Span::new(from, place));
                self.at = place;
                return false;
            }
            // A quote within a field is text.
            self.next += 1;
        }
        self.fields.push(Span::new(from, self.bytes.len()));
        self.at = self.bytes.len();
        false
    }

    fn quoted(&mut self, record: &mut Record) -> bool {
        let quote = self.bytes[self.at];
        let from = self.at + 1;
        let mut undo = false;
        self.next += 1;
        while let Some(place) = self.places.get(self.next) {
            let place = *place as usize;
            self.next += 1;
            if is_line_end(self.bytes[place]) {
                record.spans_lines = true;
                self.count_line_end(place);
            }
            if Some(self.bytes[place]) == self.signs.escape {
                // What follows is part of the text; a line end is counted as any other.
                let after = self.bytes.get(place + 1).copied();
                if after == Some(quote) || after == self.signs.escape {
                    undo = true;
                    self.next += 1;
                }
                continue;
            }
            if self.bytes[place] != quote {
                continue;
            }
            let after = self.bytes.get(place + 1).copied();
            if after == Some(quote) {
                undo = true;
                self.next += 1;
                continue;
            }
            self.push(from, place, undo.then_some(quote));
            self.at = place + 1;
            if after == Some(self.signs.delimiter) {
                self.at += 1;
                self.next += 1;
                return true;
            }
            record.is_stray = after.is_some_and(|after| !is_line_end(after));
            return false;
        }
        record.is_open = true;
        self.push(from, self.bytes.len(), undo.then_some(quote));
        self.at = self.bytes.len();
        false
    }

    /// Adds a field, in which a quote may be doubled or escaped.
    fn push(&mut self, from: usize, to: usize, undo: Option<u8>) {
        let mut end = to;
        if let Some(quote) = undo {
            let mut at = from;
            end = from;
            while at < to {
                let byte = self.bytes[at];
                let is_escape = Some(byte) == self.signs.escape;
                let after = self.bytes[at + 1..to].first().copied();
                let is_pair = byte == quote || (is_escape && (after == Some(quote) || after == Some(byte)));
                self.bytes[end] = if is_escape && is_pair { after.unwrap_or(byte) } else { byte };
                end += 1;
                at += if is_pair { 2 } else { 1 };
            }
            // What is left over must not hold half a character.
            self.bytes[end..to].fill(quote);
        }
        self.fields.push(Span::new(from, end));
    }
}

/// Collects the places of some bytes from an offset on.
fn find<const SIGNS: usize>(signs: [u8; SIGNS], bytes: &[u8], start: usize, places: &mut Vec<u32>) {
    let is_sign = |byte: u8| signs.iter().fold(false, |found, sign| found | (*sign == byte));
    let (steps, rest) = bytes[start..].as_chunks::<STEP>();
    let mut count = 0;
    for (number, step) in steps.iter().enumerate() {
        // The first loop becomes a few vector instructions, and every word then a byte of the mask: its product with this number
        // has the lowest bits of its bytes side by side at the top.
        let mut found = [0; STEP];
        for (found, byte) in found.iter_mut().zip(step) {
            *found = u8::from(is_sign(*byte));
        }
        let mut mask = 0;
        for (at, word) in found.as_chunks::<8>().0.iter().enumerate() {
            mask |= (u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * at);
        }
        // Room is made now and then, so that writing a place is all there is to it.
        if places.len() < count + STEP {
            places.resize(count + 64 * STEP, 0);
        }
        let base = (start + number * STEP) as u32;
        while mask != 0 {
            places[count] = base + mask.trailing_zeros();
            mask &= mask - 1;
            count += 1;
        }
    }
    places.truncate(count);
    let base = bytes.len() - rest.len();
    places.extend((base..).zip(rest).filter(|(_, byte)| is_sign(**byte)).map(|(at, _)| at as u32));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIGNS: Signs = Signs { delimiter: b',', quote: Some(b'"'), escape: None };
    const ESCAPED: Signs = Signs { escape: Some(b'\\'), ..SIGNS };

    /// Line and whether lines are spanned, for every record.
    type Starts = Vec<(u32, bool)>;
    type Fields = Vec<Vec<String>>;

    /// All records: their lines, from 1, and fields, and whether one is stray or open.
    fn read(text: &str) -> (Starts, Fields, bool, bool) {
        read_by(text, SIGNS)
    }

    fn read_by(text: &str, signs: Signs) -> (Starts, Fields, bool, bool) {
        let mut bytes = text.as_bytes().to_vec();
        let mut records = Records::new(&mut bytes, 0, signs);
        let (mut starts, mut rows, mut stray, mut open) = (Vec::new(), Vec::new(), false, false);
        while let Some(record) = records.next() {
            starts.push((record.line + 1, record.spans_lines));
            let text = |field: &Span| String::from_utf8(field.of(records.bytes()).to_vec()).unwrap();
            rows.push(records.fields().iter().map(text).collect());
            (stray, open) = (record.is_stray, record.is_open);
            if stray {
                break;
            }
        }
        (starts, rows, stray, open)
    }

    #[test]
    fn rows_begin_on_their_lines_whatever_ends_them() {
        let lines = |text: &str| read(text).0.into_iter().map(|start| start.0).collect::<Vec<_>>();
        assert_eq!(lines("a,b\n1,2\n3,4\n"), [1, 2, 3]);
        assert_eq!(lines("a,b\r\n1,2\r\n3,4"), [1, 2, 3]);
        assert_eq!(lines("a,b\r1,2\r3,4\r"), [1, 2, 3]);
        assert_eq!(lines("\n\na,b\n\n\n1,2\n\n"), [3, 6]);
        assert_eq!(lines("a\r\n\r\n1\r\n\r\n2"), [1, 3, 5]);
        assert_eq!(lines("a,\"x\ny\"\n1,\"\r\n\"\r\n2"), [1, 3, 5]);
        assert_eq!(lines("\n"), [] as [u32; 0]);
    }

    #[test]
    fn quotes_open_at_the_start_and_close_before_a_delimiter_or_line_end() {
        let stray = |text: &str| read(text).2;
        for good in ["\"a\",\"b\"\n\"c\"\"\",\"\"\n", "5\" x,b\"\"c\n", ",\"\"\r\n", "\"a\"", "a\",\"b\""] {
            assert!(!stray(good), "{good:?}");
        }
        for bad in ["\"a\" ,b", "x,\"a\nb,c\"d,\"", "\"\"a"] {
            assert!(stray(bad), "{bad:?}");
        }
        assert!(read("a,\"b\n").3 && !read("a,\"b\"\n").3);
        assert_eq!(read("a,\"b\nc\"\nd").0, [(1, true), (3, false)]);
        assert_eq!(read("\"a\"\"é\"\"\"\"\",\"\",x\"\"").1, [["a\"é\"\"", "", "x\"\""]]);
    }

    #[test]
    fn an_escaped_quote_is_text() {
        let rows = |text: &str| read_by(text, ESCAPED).1;
        assert_eq!(rows(r#""say \"hi\"",b"#), [[r#"say "hi""#, "b"]]);
        assert_eq!(rows(r#""a\\",b"#), [["a\\", "b"]]);
        assert_eq!(rows(r#""doubled "" too",\"b"#), [[r#"doubled " too"#, r#"\"b"#]]);
        // Before anything else, and outside of quotes, it is a character as any other.
        assert_eq!(rows(r#""C:\new",\N"#), [[r"C:\new", r"\N"]]);
        assert_eq!(read_by("\"a\\\"\nb\",1\nc,2\n", ESCAPED).0, [(1, true), (3, false)]);
        assert!(read_by(r#""a\""#, ESCAPED).3);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// What is written with escapes is read as it was, in whole and cut at row ends.
        #[test]
        fn escapes_are_undone(fields in prop::collection::vec("[ab,\"\\\\\n]{0,8}", 1..12)) {
            let text: String = fields
                .iter()
                .map(|field| format!("\"{}\",x\n", field.replace('\\', "\\\\").replace('"', "\\\"")))
                .collect();
            let (_, rows, stray, open) = read_by(&text, ESCAPED);
            prop_assert!(!stray && !open);
            let read: Vec<&String> = rows.iter().map(|row| &row[0]).collect();
            prop_assert_eq!(read, fields.iter().collect::<Vec<_>>());
            for cut in 0..text.len() {
                if let Some(end) = super::super::rows::last_row_end(&text.as_bytes()[..cut], ESCAPED) {
                    let (_, first, ..) = read_by(&text[..end], ESCAPED);
                    prop_assert_eq!(&first[..], &rows[..first.len()]);
                }
            }
        }

        /// The records are those of the csv crate, until text follows a closing quote.
        #[test]
        fn records_are_those_of_another_reader(text in "[ab,\"\n\ré]{0,150}") {
            let (_, rows, stray, _) = read(&text);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let mut theirs = Vec::new();
            for record in reader.records() {
                theirs.push(record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>());
            }
            let kept = if stray { rows.len() - 1 } else { rows.len() };
            prop_assert!(stray || theirs.len() == kept);
            prop_assert_eq!(&rows[..kept], &theirs[..kept]);
        }

        /// Read in blocks cut at row ends, the records are the same, on the same lines.
        #[test]
        fn blocks_do_not_show(text in "[ab,\"\n\r]{1,80}", size in 1_usize..20) {
            let whole = read(&text);
            let (mut rest, mut line, mut end) = (text.as_str(), 0, size);
            let (mut starts, mut rows, mut stray, mut open) = (Vec::new(), Vec::new(), false, false);
            while !rest.is_empty() && !stray {
                let found = super::super::rows::last_row_end(&rest.as_bytes()[..end.min(rest.len())], SIGNS);
                let cut = if end >= rest.len() { rest.len() } else { found.unwrap_or(0) };
                let block = read(&rest[..cut]);
                starts.extend(block.0.iter().map(|(own, spans)| (own + line, *spans)));
                rows.extend(block.1);
                (stray, open) = (block.2, block.3);
                let mut bytes = rest.as_bytes()[..cut].to_vec();
                let mut records = Records::new(&mut bytes, 0, SIGNS);
                while records.next().is_some() {}
                line += records.lines();
                end = if cut == 0 { end + size } else { size };
                rest = &rest[cut..];
            }
            prop_assert_eq!((starts, rows, stray), (whole.0, whole.1, whole.2));
            prop_assert!(stray || open == whole.3);
        }
    }
}
