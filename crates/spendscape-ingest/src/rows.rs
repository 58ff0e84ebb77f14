//! Where rows of delimited text end, for blocks that can be read apart.

use std::iter::repeat_n;

use memchr::{memchr, memchr2, memchr3, memrchr};

/// The characters that divide rows and fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signs {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    /// What makes a quote within quotes part of the text.
    pub(crate) escape: Option<u8>,
}

pub(crate) fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// What follows the last row that ends in a text, which begins where a row does. A row whose line end may go on behind the text
/// has not ended; a text whose quotes stand wrong counts as a whole, as its rows are not told apart.
pub(crate) fn last_row_end(text: &[u8], signs: Signs) -> Option<usize> {
    match signs.quote.filter(|quote| memchr(*quote, text).is_some()) {
        Some(quote) => last_end_among_quotes(text, signs, quote),
        None => memrchr(b'\n', text).or_else(|| memrchr(b'\r', text.split_last()?.1)).map(|at| at + 1),
    }
}

fn last_end_among_quotes(text: &[u8], signs: Signs, quote: u8) -> Option<usize> {
    let delimiter = signs.delimiter;
    let quote_or_escape = |rest: &[u8]| match signs.escape {
        Some(escape) => memchr2(quote, escape, rest),
        None => memchr(quote, rest),
    };
    let mut last = None;
    // Where the field at hand begins, if nothing of it was seen, and the search goes on.
    let (mut field, mut at) = (0, 0);
    while let Some(found) = memchr3(b'\n', b'\r', quote, &text[at..]).map(|found| at + found) {
        if is_line_end(text[found]) {
            // The next byte may belong to the same line end.
            if text[found] == b'\n' || found + 1 < text.len() {
                last = Some(found + 1);
            }
            (field, at) = (found + 1, found + 1);
            continue;
        }
        at = found + 1;
        // A quote opens a field only right after a delimiter or a row's end.
        if found != field && text[found - 1] != delimiter {
            continue;
        }
        at = loop {
            let found = text.get(at..).and_then(quote_or_escape);
            let Some(closing) = found.map(|closing| at + closing) else { return last };
            if text[closing] != quote {
                at = closing + 2;
                continue;
            }
            match text.get(closing + 1) {
                None => return last,
                Some(after) if *after == quote => at = closing + 2,
                Some(after) if *after == delimiter => {
                    field = closing + 2;
                    break field;
                }
                Some(after) if is_line_end(*after) => break closing + 1,
                Some(_) => return Some(text.len()),
            }
        };
    }
    last
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
    use super::*;

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

    #[test]
    fn rows_end_outside_quotes() {
        let signs = Signs { delimiter: b',', quote: Some(b'"'), escape: None };
        let end = |text: &str| last_row_end(text.as_bytes(), signs);
        assert_eq!((end("a,b\nc"), end("a,b\n"), end("a,b"), end("")), (Some(4), Some(4), None, None));
        // A carriage return may be the first half of a line end.
        assert_eq!(
            (end("a\r"), end("a\rb"), end("a\r\nb"), end("\"a\"\rb")),
            (None, Some(2), Some(3), Some(4))
        );
        assert_eq!((end("\"a\"\r"), end("a\n\"b\"\r")), (None, Some(2)));
        assert_eq!((end("a,\"b\nc"), end("x\na,\"b\nc"), end("a,\"b\nc\"\nd")), (None, Some(2), Some(8)));
        // A quote within a field is text; one that is doubled does not close.
        assert_eq!((end("5\" x\nb"), end("\"a\"\"\nb\"\nc"), end("\"a\"\n\"b")), (Some(5), Some(8), Some(4)));
        // Behind a quote that stands wrong nothing is told apart.
        assert_eq!(end("\"a\"b\nc"), Some(6));
        let plain = Signs { delimiter: b',', quote: None, escape: None };
        assert_eq!(last_row_end(b"\"a\nb", plain), Some(3));
    }
}
