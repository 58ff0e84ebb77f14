//! Text in and out: small files that users bring, and text that is safe to print.

use std::{fmt::Write as _, fs::File, io::Read, path::Path};

use anyhow::{Context, Result, bail};
use spendscape_schema::CsvTable;

/// Largest file read whole, in bytes: labels of tens of millions of customers, and an end to what has none (a device).
const LARGEST: u64 = 1 << 30;

/// Reads a file that a user brings, whole.
///
/// # Errors
/// Names the file.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let mut bytes = Vec::new();
    File::open(path).with_context(cannot)?.take(LARGEST + 1).read_to_end(&mut bytes).with_context(cannot)?;
    if bytes.len() as u64 > LARGEST {
        bail!("{} is longer than {LARGEST} bytes: such a file is not read whole", path.display());
    }
    Ok(bytes)
}

/// Reads a text file that a user brings: UTF-8, with or without a byte order mark.
///
/// # Errors
/// Names the file, and line and byte of what is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    decode(read_bytes(path)?).with_context(|| format!("{}", path.display()))
}

/// Reads a small CSV file with a header.
///
/// # Errors
/// Names the file, and the line of what cannot be read.
pub fn read_csv(path: &Path) -> Result<CsvTable> {
    CsvTable::parse(&read_text(path)?).with_context(|| format!("{}", path.display()))
}

fn decode(bytes: Vec<u8>) -> Result<String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        bail!("the file begins with a mark of UTF-16: save it as UTF-8");
    }
    let (bytes, at) = match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => {
            return Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text));
        }
        Ok(text) => {
            let at = text.find('\0').unwrap_or(0);
            (text.into_bytes(), at)
        }
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            (error.into_bytes(), at)
        }
    };
    let before = &bytes[..at];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    bail!(
        "line {line}, byte {} of it: {:#04x} is no part of UTF-8 text: save the file as UTF-8",
        at - start + 1,
        bytes[at]
    )
}

/// Rows of cells as lines whose columns stand under one another.
#[must_use]
pub fn lines(rows: &[Vec<String>]) -> String {
    // A long cell should not push all others out of sight.
    const WIDEST: usize = 48;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let length = |cell: &String| cell.chars().count();
    let width = |column: usize| {
        let lengths = rows.iter().filter_map(|row| row.get(column)).map(length);
        lengths.filter(|length| *length <= WIDEST).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        out += cells.collect::<Vec<_>>().join("  ").trim_end();
        out.push('\n');
    }
    out
}

/// Whether a character could drive a terminal or hide what is printed: control characters, and marks that turn the
/// direction of writing or have no width (Unicode's Bidi_Control, and the joiners and marks beside them).
fn is_unsafe(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
        || letter == '\u{feff}'
}

/// Text for a terminal: lines stay, and every other character that could drive it is written as its code.
#[must_use]
pub fn printable(text: &str) -> String {
    escaped(text, |letter| letter == '\n')
}

/// A line of the log for a terminal: as [`printable`], but for the escapes of colors, which are the formatter's own (it writes
/// those of names as codes itself).
#[must_use]
pub fn printable_log(line: &str) -> String {
    escaped(line, |letter| letter == '\n' || letter == '\u{1b}')
}

fn escaped(text: &str, kept: fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unsafe(letter) && !kept(letter) {
            safe.extend(letter.escape_unicode());
        } else {
            safe.push(letter);
        }
    }
    safe
}

/// JSON for a terminal: the same characters as escapes of JSON, so that the value stays what it was.
#[must_use]
pub fn printable_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for letter in json.chars() {
        // What separates tokens stands outside of strings; serde_json escapes it inside.
        if is_unsafe(letter) && letter != '\n' {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(letter);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_utf8_is_named_by_line_and_byte() {
        for (bytes, place) in [
            (b"a\nb\xe9c\n".as_slice(), "line 2, byte 2 of it: 0xe9"),
            (b"\xff", "line 1, byte 1 of it: 0xff"),
            (b"a\r\n\r\nx\0", "line 3, byte 2 of it: 0x00"),
        ] {
            let error = decode(bytes.to_vec()).unwrap_err().to_string();
            assert!(error.starts_with(place), "{error}");
        }
        assert!(decode(b"\xff\xfea\0".to_vec()).unwrap_err().to_string().contains("UTF-16"));
        assert_eq!(decode("\u{feff}é".into()).unwrap(), "é");
    }

    #[test]
    fn nothing_printed_drives_the_terminal() {
        let hostile = "a\u{1b}[31mb\u{202e}c\u{7f}\u{9b}\r\u{2066}\u{200f}\n\u{feff}é";
        let safe = printable(hostile);
        assert_eq!(safe, "a\\u{1b}[31mb\\u{202e}c\\u{7f}\\u{9b}\\u{d}\\u{2066}\\u{200f}\n\\u{feff}é");
        assert_eq!(printable_log("\u{1b}[31m\u{202e}\r\n"), "\u{1b}[31m\\u{202e}\\u{d}\n");
        let json = serde_json::to_string(&[hostile]).unwrap();
        let safe = printable_json(&json);
        assert!(safe.chars().all(|letter| !is_unsafe(letter)), "{safe}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&safe).unwrap()[0], hostile);
    }
}
