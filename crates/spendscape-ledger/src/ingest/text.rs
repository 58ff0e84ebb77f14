//! Delimited text files, row by row, with every row's place.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use csv::ByteRecord;
use memchr::memchr;

use super::{
    format::{SourceFormat, ascii},
    report::Example,
    rows::{RowFinder, Start, holds_rows},
    unpack::{BLOCK, Text},
};
use crate::{Error, Place, RowProblem, panel::Tally};

/// The longest row accepted: a quote that is never closed would otherwise read the rest of the file into one field.
const LONGEST_ROW: usize = 1 << 20;

/// The end mark of DOS, which some programs write behind the last line.
const END_MARK: &[u8] = b"\x1a";

const BYTE_ORDER_MARK: char = '\u{feff}';
const MARK_BYTES: &[u8] = "\u{feff}".as_bytes();

/// Passes bytes on to the CSV reader, after the row finder has seen them.
struct Tap {
    text: Text,
    rows: RowFinder,
    /// Where the row that is being read begins.
    row_start: u64,
    /// Where the first zero byte stands, which no text has.
    zero: Option<u64>,
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rows.seen().saturating_sub(self.row_start) > (LONGEST_ROW + buffer.len()) as u64 {
            return Err(io::Error::other(RowProblem::EndlessRow { limit: LONGEST_ROW }));
        }
        let count = self.text.read(buffer)?;
        if self.zero.is_none() {
            self.zero = memchr(0, &buffer[..count]).map(|at| self.rows.seen() + at as u64);
        }
        self.rows.follow(&buffer[..count]);
        Ok(count)
    }
}

/// What was left out of a file, and what was overlooked.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeftOut {
    /// Lines above the header, or above the first row of a file without one.
    pub(crate) lines_above: u64,
    /// Lines that `source.not_rows` names.
    pub(crate) not_rows: Tally<Example>,
    /// Lines that repeat the header.
    pub(crate) headers: Tally<Example>,
    /// Empty fields behind the last column, in every row.
    pub(crate) surplus: usize,
}

/// One text file that is being read.
pub(crate) struct TextFile<'a> {
    path: PathBuf,
    format: &'a SourceFormat,
    reader: csv::Reader<Tap>,
    header: Vec<String>,
    /// The header line's fields, where it has one.
    header_line: Option<ByteRecord>,
    /// Columns up to the last one with a name; rows may end there.
    named: usize,
    /// Fields of the first row.
    fields: Option<usize>,
    delimiter: u8,
    record: ByteRecord,
    row: u64,
    start: Start,
    pub(crate) left_out: LeftOut,
}

/// What came of reading a row.
pub(crate) enum Next {
    /// A whole row.
    Row,
    /// The last line, which is cut.
    Cut(Place),
    /// The end of the file.
    End {
        /// Whether the last line lacks its line end; it was whole as far as can be seen.
        unterminated: bool,
    },
}

impl<'a> TextFile<'a> {
    /// Opens a file and reads its header.
    pub(crate) fn open(path: &Path, format: &'a SourceFormat) -> Result<Self, Error> {
        let mut text = Text::open(path, format.encoding)?;
        let empty = || Error::EmptyFile { path: path.to_owned() };
        if !text.skip_lines(format.skip).map_err(|source| Error::Read { path: path.to_owned(), source })? {
            return Err(empty());
        }
        let quote = ascii("source.quote", &format.quote)?;
        let delimiter = ascii("source.delimiter", &format.delimiter)?.unwrap_or(b',');
        let rows = RowFinder::new(delimiter, quote, format.skip + 1);
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .quoting(quote.is_some())
            .quote(quote.unwrap_or(b'"'))
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(BLOCK)
            .from_reader(Tap { text, rows, row_start: 0, zero: None });
        let mut text = Self {
            path: path.to_owned(),
            format,
            reader,
            header: Vec::new(),
            header_line: None,
            named: 0,
            fields: None,
            delimiter,
            record: ByteRecord::new(),
            row: 0,
            start: Start { line: format.skip + 1, spans_lines: false },
            left_out: LeftOut { lines_above: format.skip, ..LeftOut::default() },
        };
        match &format.header {
            Some(header) => text.header.clone_from(header),
            None => text.read_header()?,
        }
        let nameless = text.header.iter().rev().take_while(|name| name.is_empty()).count();
        text.named = (text.header.len() - nameless).max(1);
        Ok(text)
    }

    fn read_header(&mut self) -> Result<(), Error> {
        loop {
            if !self.read_record()? {
                return Err(match &self.format.header_at {
                    Some(names) => Error::NoHeader { path: self.path.clone(), names: names.join(", ") },
                    None => Error::EmptyFile { path: self.path.clone() },
                });
            }
            if self.ends_inside_quotes() {
                return Err(self.refuse(RowProblem::OpenQuote));
            }
            if self.is_no_row()? {
                continue;
            }
            let names: Vec<String> = self
                .record
                .iter()
                .map(|field| Ok(without_mark(self.decode(field, None)?).trim().to_owned()))
                .collect::<Result<_, Error>>()?;
            let wanted = self.format.header_at.iter().flatten();
            if wanted.into_iter().all(|name| names.contains(name)) {
                self.left_out.lines_above = self.start.line - 1;
                self.header = names;
                self.header_line = Some(std::mem::take(&mut self.record));
                return Ok(());
            }
        }
    }

    /// Whether the row at hand begins as the map says that no row does.
    fn is_no_row(&self) -> Result<bool, Error> {
        if self.format.not_rows.is_empty() {
            return Ok(false);
        }
        let first = self.decode(self.record.get(0).unwrap_or_default(), None)?;
        let first = without_mark(first).trim();
        let is_named = self.format.not_rows.iter().any(|text| first.starts_with(text.as_str()));
        if is_named && self.start.spans_lines {
            return Err(self.refuse(RowProblem::LinesNotRead));
        }
        Ok(is_named)
    }

    /// Whether the row at hand is the header line again, as where exports were put one after another.
    fn is_header(&self) -> bool {
        let Some(header) = &self.header_line else { return false };
        let line = &self.record;
        let fields = header.len();
        // Almost every row differs in the last field already.
        if fields != line.len() || header.get(fields - 1) != line.get(fields - 1) {
            return false;
        }
        header.iter().zip(line).enumerate().all(|(at, (name, field))| match at {
            0 => {
                name.strip_prefix(MARK_BYTES).unwrap_or(name)
                    == field.strip_prefix(MARK_BYTES).unwrap_or(field)
            }
            _ => name == field,
        })
    }

    /// The names of the columns.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The line that the current row begins on.
    pub(crate) fn line(&self) -> u64 {
        self.start.line
    }

    /// Where the current row stands.
    pub(crate) fn place(&self, column: Option<&str>) -> Place {
        Place {
            path: self.path.clone(),
            row: self.row,
            line: Some(self.start.line),
            column: column.map(str::to_owned),
        }
    }

    /// The text of a field of the current row.
    pub(crate) fn field(&self, column: usize) -> Result<&str, Error> {
        let field = self.record.get(column).unwrap_or_default();
        let text = self.decode(field, Some(column))?;
        // A file that was put behind another one may have brought its mark along.
        Ok(if column == 0 { without_mark(text) } else { text })
    }

    fn decode<'b>(&self, field: &'b [u8], column: Option<usize>) -> Result<&'b str, Error> {
        std::str::from_utf8(field).map_err(|error| {
            let valid = String::from_utf8_lossy(&field[..error.valid_up_to()]).into_owned();
            let place = self.place(column.map(|column| self.header[column].as_str()));
            Error::Row {
                place,
                problem: RowProblem::Encoding { valid, encoding: self.format.encoding.name() },
            }
        })
    }

    /// Reads a record; `false` at the end of the file.
    fn read_record(&mut self) -> Result<bool, Error> {
        let start = self.reader.position().byte();
        self.reader.get_mut().row_start = start;
        let found = self.reader.read_byte_record(&mut self.record);
        self.start = self.reader.get_mut().rows.take_start();
        match found {
            Ok(true) => {
                // The finder is ahead: a quote that stands wrong may do so in a later row.
                let end = self.reader.position().byte();
                let tap = self.reader.get_mut();
                if tap.rows.stray().is_some_and(|stray| stray < end) {
                    return Err(self.refuse(RowProblem::TextAfterQuote));
                }
                if tap.zero.is_some_and(|zero| zero < end) {
                    return Err(self.refuse(RowProblem::ZeroByte));
                }
                if tap.text.is_malformed(start, end) {
                    let encoding = self.format.encoding.name();
                    return Err(self.refuse(RowProblem::Encoding { valid: String::new(), encoding }));
                }
                Ok(true)
            }
            Ok(false) => Ok(false),
            Err(error) => {
                let source = match error.into_kind() {
                    csv::ErrorKind::Io(source) => source,
                    other => io::Error::other(format!("{other:?}")),
                };
                match source.get_ref().and_then(|inner| inner.downcast_ref::<RowProblem>()) {
                    Some(problem) => Err(self.refuse(problem.clone())),
                    None => Err(Error::Read { path: self.path.clone(), source }),
                }
            }
        }
    }

    /// Whether the current row ends where the file ends: only the last row can, but for a line end.
    fn is_last(&self) -> bool {
        self.reader.position().byte() == self.reader.get_ref().rows.seen()
    }

    fn ends_inside_quotes(&self) -> bool {
        self.is_last() && self.reader.get_ref().rows.is_inside_quotes()
    }

    fn refuse(&self, problem: RowProblem) -> Error {
        Error::Row { place: self.place(None), problem }
    }

    /// Reads the next row.
    pub(crate) fn next(&mut self) -> Result<Next, Error> {
        self.row += 1;
        loop {
            let found = self.read_record()?;
            let rows = &self.reader.get_ref().rows;
            if !found || (self.is_last() && self.record.len() == 1 && &self.record[0] == END_MARK) {
                return Ok(Next::End { unterminated: !found && self.row > 1 && !rows.ends_line() });
            }
            if self.is_no_row()? {
                let place = self.place(None);
                self.left_out
                    .not_rows
                    .add(|| Example { place, why: "`source.not_rows` names it".to_owned() });
            } else if self.is_header() {
                let place = self.place(None);
                self.left_out.headers.add(|| Example { place, why: "it repeats the header".to_owned() });
            } else {
                return self.check();
            }
        }
    }

    /// The row at hand, if it has the fields that it must have.
    fn check(&mut self) -> Result<Next, Error> {
        let rows = &self.reader.get_ref().rows;
        let (fields, spans_lines) = (self.record.len(), self.start.spans_lines);
        if self.ends_inside_quotes() {
            // A last line may be cut inside quotes; a quote that swallows lines is another matter.
            return if spans_lines {
                Err(self.refuse(RowProblem::OpenQuote))
            } else {
                Ok(Next::Cut(self.place(None)))
            };
        }
        if fields < self.fields.unwrap_or(self.named) && !spans_lines && self.is_last() && !rows.ends_line() {
            return Ok(Next::Cut(self.place(None)));
        }
        // The first row tells whether rows have empty fields behind the last column: where all have them, they are a habit of
        // the program that wrote the file, and where a later one has, its fields may have been divided wrongly.
        let columns = self.header.len();
        let (allowed, as_before) = match self.fields {
            None => (self.named..=usize::MAX, false),
            Some(first) if first > columns => (first..=first, true),
            Some(_) => (self.named..=columns, false),
        };
        let mut surplus = self.record.iter().skip(columns);
        if !allowed.contains(&fields) || surplus.any(|field| !field.trim_ascii().is_empty()) {
            let expected = if as_before { *allowed.start() } else { columns };
            return Err(self.refuse(RowProblem::Fields { expected, found: fields, spans_lines, as_before }));
        }
        if self.fields.is_none() {
            self.left_out.surplus = fields.saturating_sub(columns);
            self.fields = Some(fields);
        }
        let is_swallowing = |(column, field)| holds_rows(field, column, fields, self.delimiter);
        if spans_lines && self.record.iter().enumerate().any(is_swallowing) {
            return Err(self.refuse(RowProblem::RowsInField));
        }
        Ok(Next::Row)
    }
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}
