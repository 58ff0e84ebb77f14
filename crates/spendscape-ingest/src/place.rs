//! Where a row stands, and texts of the input as a terminal may have them.

use std::{borrow::Cow, fmt, path::PathBuf};

/// Where a row of a source stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The row, from 1, not counting the header, which is row 0.
    pub row: u64,
    /// The line of a text file, from 1, on which the row starts.
    pub line: Option<u64>,
    /// The column, or the entry of the column map, that is at fault.
    pub column: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", printable(&self.path.to_string_lossy()))?;
        match self.row {
            0 => write!(f, "header")?,
            row => write!(f, "row {row}")?,
        }
        if let Some(line) = self.line {
            write!(f, " (line {line})")?;
        }
        match &self.column {
            Some(column) => write!(f, ", column {}", printable(column)),
            None => Ok(()),
        }
    }
}

/// Whether a character hides or turns text: it has no width, or marks the direction of writing.
pub(crate) fn is_unseen(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A text of the input as a terminal may have it: characters that control it, or hide or turn text, are escaped.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let unprintable = |character: char| character.is_control() || is_unseen(character);
    if !text.contains(unprintable) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().map(|character| match character {
        character if unprintable(character) => character.escape_debug().to_string(),
        character => character.to_string(),
    });
    Cow::Owned(escaped.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_controls_a_terminal_is_escaped() {
        assert_eq!(printable("Žabka – é\u{a0}1"), "Žabka – é\u{a0}1");
        assert_eq!(printable("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\\nc");
        assert_eq!(printable("x\u{202e}y"), "x\\u{202e}y");
        let place =
            Place { path: "a\u{7}.csv".into(), row: 0, line: Some(1), column: Some("b\tc".to_owned()) };
        assert_eq!(place.to_string(), "a\\u{7}.csv, header (line 1), column b\\tc");
    }
}
