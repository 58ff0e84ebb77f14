//! Marks of missing values, by one list in all readers.

/// Marks of a missing value in SQL dumps, pandas, R, SAS, Excel, Power BI and the collections of the UCI, in lower
/// case.
const MARKS: [&str; 39] = [
    "null",
    "(null)",
    "<null>",
    "[null]",
    "\\n",
    "none",
    "(none)",
    "<none>",
    "nil",
    "undefined",
    "missing",
    "(missing)",
    "(blank)",
    "na",
    "n/a",
    "#n/a",
    "#na",
    "<na>",
    "(na)",
    "n.a.",
    "n/d",
    "nan",
    "-nan",
    "nat",
    "1.#ind",
    "-1.#ind",
    "1.#qnan",
    "#null!",
    "#ref!",
    "#value!",
    "#div/0!",
    "#name?",
    "#num!",
    "-",
    "--",
    "\u{2013}",
    "\u{2014}",
    "?",
    ".",
];

/// Bytes of the longest mark.
const LONGEST: usize = 9;

/// Whether a text is a mark of a missing value, in any case and with spaces around it. An empty text is none.
///
/// ```
/// use spendscape_schema::marks::is_mark;
///
/// assert!(is_mark(" N/A ") && is_mark("-") && !is_mark("0") && !is_mark(""));
/// ```
#[inline]
#[must_use]
pub fn is_mark(text: &str) -> bool {
    let text = text.trim();
    // Few values are as short, and of these most end as no mark does.
    let may_be = text.len() <= LONGEST && !text.ends_with(|last: char| last.is_ascii_digit());
    may_be && MARKS.iter().any(|mark| mark.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_known_in_any_case() {
        assert!(
            MARKS.iter().all(|mark| mark.len() <= LONGEST && is_mark(mark) && is_mark(&mark.to_uppercase()))
        );
        assert!(MARKS.iter().all(|mark| !mark.ends_with(|last: char| last.is_ascii_digit())));
        assert_eq!(MARKS.iter().map(|mark| mark.len()).max(), Some(LONGEST));
        for mark in [" NULL ", "None", "N/A", "NaN", "\\N", "#N/A", "–", "(Blank)"] {
            assert!(is_mark(mark), "{mark:?}");
        }
        for value in ["", "0", "1", "no", "n", "never", "inf", "unknown", "Nanette", "--1"] {
            assert!(!is_mark(value), "{value:?}");
        }
    }
}
