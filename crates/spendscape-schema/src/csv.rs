//! Small comma-separated files that users bring: coefficients, anchors, labels, features, covariates, inputs.
//!
//! RFC 4180, read strictly: a quote that is not closed, or text behind a closing one, would otherwise swallow rows or glue
//! fields together without a word, and every row must be as long as the first. Blank lines are left out, and blanks
//! around fields without quotes are trimmed.

use std::collections::HashSet;

use crate::Error;

/// One row with the line, from 1, that it starts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line of the file on which the row starts, from 1.
    pub line: usize,
    /// Its fields.
    pub cells: Vec<String>,
}

/// Rows below a header.
///
/// ```
/// use spendscape_schema::CsvTable;
///
/// let table = CsvTable::parse("customer,label\nA,1\nB,0\n")?;
/// let label = table.position("label")?;
/// assert_eq!(table.rows[1].cells[label], "0");
/// # Ok::<(), spendscape_schema::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvTable {
    /// The columns' names, in order.
    pub names: Vec<String>,
    /// The rows, each as long as the header.
    pub rows: Vec<Record>,
}

/// Delimiters that other programs write, which tell a file that has none of ours.
const OTHER_DELIMITERS: [char; 3] = [';', '\t', '|'];

/// Splits a text into its rows, all of one length.
///
/// ```
/// let rows = spendscape_schema::csv::records("a,b\n\"x, y\",2\n")?;
/// assert_eq!((rows[1].line, rows[1].cells[0].as_str()), (2, "x, y"));
/// # Ok::<(), spendscape_schema::Error>(())
/// ```
///
/// # Errors
/// [`Error::Line`] for a quote that is not closed, text behind a closing one, or a row of another length than the first.
pub fn records(text: &str) -> Result<Vec<Record>, Error> {
    let mut rest = text;
    let mut records: Vec<Record> = Vec::new();
    let mut line = 1;
    while !rest.is_empty() {
        let (start, mut cells) = (line, Vec::new());
        let blank = loop {
            let field = Field::read(rest, start, cells.len() + 1)?;
            line += field.lines;
            let blank = cells.is_empty() && field.text.is_empty() && !field.quoted;
            cells.push(field.text);
            rest = field.rest;
            if let Some(next) = rest.strip_prefix(',') {
                rest = next;
                continue;
            }
            break blank;
        };
        if !rest.is_empty() {
            rest = rest.strip_prefix("\r\n").unwrap_or(rest.get(1..).unwrap_or_default());
            line += 1;
        }
        if blank {
            continue;
        }
        if let Some(first) = records.first().filter(|first| first.cells.len() != cells.len()) {
            let (found, expected) = (cells.len(), first.cells.len());
            let problem = format!("{found} values, but line {} has {expected}", first.line);
            return Err(Error::Line { line: start, problem });
        }
        records.push(Record { line: start, cells });
    }
    Ok(records)
}

/// One field and what follows it.
struct Field<'a> {
    text: String,
    quoted: bool,
    /// Line ends inside it.
    lines: usize,
    /// From the delimiter, the line end or the end of the text on.
    rest: &'a str,
}

impl<'a> Field<'a> {
    fn read(text: &'a str, line: usize, number: usize) -> Result<Self, Error> {
        const ENDS: [char; 3] = [',', '\n', '\r'];
        let refuse = |problem: &str| Error::Line { line, problem: format!("field {number}: {problem}") };
        let Some(quoted) = text.trim_start_matches([' ', '\t']).strip_prefix('"') else {
            let (text, rest) = text.split_at(text.find(ENDS).unwrap_or(text.len()));
            return Ok(Self { text: text.trim().to_owned(), quoted: false, lines: 0, rest });
        };
        let (mut value, mut rest) = (String::new(), quoted);
        loop {
            let Some((before, after)) = rest.split_once('"') else {
                return Err(refuse("the quote that opens there is not closed"));
            };
            value.push_str(before);
            match after.strip_prefix('"') {
                Some(after) => {
                    value.push('"');
                    rest = after;
                }
                None => {
                    rest = after.trim_start_matches([' ', '\t']);
                    break;
                }
            }
        }
        if !(rest.is_empty() || rest.starts_with(ENDS)) {
            return Err(refuse("text follows a closing quote; inside quotes a quote is written twice"));
        }
        let lines = value.matches(['\n', '\r']).count() - value.matches("\r\n").count();
        Ok(Self { text: value, quoted: true, lines, rest })
    }
}

impl CsvTable {
    /// Reads a text whose first row names the columns.
    ///
    /// # Errors
    /// [`Error::Line`] as [`records`] says; for a text without a header, and for one with another delimiter.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut rows = records(text)?.into_iter();
        let Some(header) = rows.next() else {
            return Err(Error::Line { line: 1, problem: "the file is empty, without a header".to_owned() });
        };
        if let [name] = header.cells.as_slice()
            && let Some(other) = OTHER_DELIMITERS.into_iter().find(|other| name.contains(*other))
        {
            let problem = format!("the columns are separated by {other:?}: separate them by commas");
            return Err(Error::Line { line: header.line, problem });
        }
        Ok(Self { names: header.cells, rows: rows.collect() })
    }

    /// The place of a column.
    ///
    /// # Errors
    /// [`Error::Column`] if there is none of that name, or more than one.
    pub fn position(&self, name: &str) -> Result<usize, Error> {
        let refuse = |problem| Err(Error::Column { problem });
        let mut places = (0..self.names.len()).filter(|at| self.names[*at] == name);
        match (places.next(), places.next()) {
            (Some(at), None) => Ok(at),
            (Some(_), Some(_)) => refuse(format!("column {name:?} stands twice in the header: keep one")),
            (None, _) => {
                refuse(format!("there is no column {name:?}; the columns are {}", self.names.join(", ")))
            }
        }
    }

    /// Refuses a name that two columns have, where all columns are read.
    ///
    /// # Errors
    /// [`Error::Column`] with the first such name.
    pub fn unique(&self) -> Result<(), Error> {
        let mut seen = HashSet::new();
        self.names
            .iter()
            .filter(|name| !seen.insert(*name))
            .try_for_each(|name| self.position(name).map(|_| ()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        records(text).unwrap().into_iter().map(|record| record.cells).collect()
    }

    #[test]
    fn quotes_hold_commas_lines_and_quotes() {
        let text = "a, \"b,c\" ,d\r\n\r\n\"x\"\"y\",\"1\n2\",  z \n  \nlast,\"\",\r\n";
        let expected = [["a", "b,c", "d"], ["x\"y", "1\n2", "z"], ["last", "", ""]];
        assert_eq!(cells(text), expected);
        let lines: Vec<usize> = records(text).unwrap().iter().map(|record| record.line).collect();
        assert_eq!(lines, [1, 3, 6]);
        // A quote in a field that does not begin with one ends nothing.
        assert_eq!(cells("5\" pipe,1\n"), [["5\" pipe", "1"]]);
    }

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        for end in ["\n", "\r", "\r\n"] {
            let text = "a,\"x\ny\"\n\n1,\"\n\"\n2,3\n".replace('\n', end);
            let lines: Vec<usize> = records(&text).unwrap().iter().map(|record| record.line).collect();
            assert_eq!(lines, [1, 4, 6], "{end:?}");
        }
    }

    #[test]
    fn what_would_swallow_rows_is_refused_by_line() {
        for (text, message) in [
            ("a,b\n1,\"x\n2,y\n", "line 2: field 2: the quote that opens there is not closed"),
            (
                "a,b\n\"x\" y,2\n",
                "line 2: field 1: text follows a closing quote; inside quotes a quote is written twice",
            ),
            ("a,b\r\n\r\n1\r\n", "line 3: 1 values, but line 1 has 2"),
            ("a,b\n1,2,3\n", "line 2: 3 values, but line 1 has 2"),
        ] {
            assert_eq!(records(text).unwrap_err().to_string(), message, "{text:?}");
        }
    }

    #[test]
    fn columns_are_found_once_or_refused() {
        let table = CsvTable::parse("customer,bad,bad\na,1,0\n").unwrap();
        assert_eq!(table.position("customer").unwrap(), 0);
        let twice = "column \"bad\" stands twice in the header: keep one";
        assert_eq!(table.position("bad").unwrap_err().to_string(), twice);
        assert_eq!(table.unique().unwrap_err().to_string(), twice);
        let missing = table.position("good").unwrap_err().to_string();
        assert_eq!(missing, "there is no column \"good\"; the columns are customer, bad, bad");
        let other = CsvTable::parse("customer;bad\na;1\n").unwrap_err().to_string();
        assert_eq!(other, "line 1: the columns are separated by ';': separate them by commas");
        let empty = CsvTable::parse("\n\n").unwrap_err().to_string();
        assert_eq!(empty, "line 1: the file is empty, without a header");
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(
            rows in proptest::collection::vec(proptest::collection::vec("[ -~\n\u{e9}\u{202e}]{0,6}", 3), 1..6),
        ) {
            let quote = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let line = |row: &Vec<String>| row.iter().map(quote).collect::<Vec<_>>().join(",");
            let text = rows.iter().map(line).collect::<Vec<_>>().join("\r\n");
            prop_assert_eq!(cells(&text), rows);
        }

        #[test]
        fn no_text_panics(text in "[a,\"\r\n ;\u{e9}]{0,40}") {
            let _ = CsvTable::parse(&text);
        }
    }
}
