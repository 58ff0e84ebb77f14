//! Delimited text files, row by row, with every row's place.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use csv::ByteRecord;
use flate2::read::MultiGzDecoder;

use super::{
    map::{Encoding, SourceFormat, ascii},
    rows::{RowFinder, Start, holds_rows},
};
use crate::{Error, Place, RowProblem};

/// The longest row accepted: a quote that is never closed would otherwise read the rest of the file into one field.
const LONGEST_ROW: usize = 1 << 20;

/// Bytes read at a time.
const BLOCK: usize = 64 * 1024;

/// Passes bytes on to the CSV reader, after the row finder has seen them.
struct Tap {
    inner: Box<dyn Read + Send>,
    rows: RowFinder,
    /// Where the row that is being read begins.
    row_start: u64,
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rows.seen().saturating_sub(self.row_start) > (LONGEST_ROW + buffer.len()) as u64 {
            return Err(io::Error::other(RowProblem::EndlessRow { limit: LONGEST_ROW }));
        }
        let count = self.inner.read(buffer)?;
        self.rows.follow(&buffer[..count]);
        Ok(count)
    }
}

/// One text file that is being read.
pub(crate) struct TextFile {
    path: PathBuf,
    reader: csv::Reader<Tap>,
    header: Vec<String>,
    encoding: Encoding,
    delimiter: u8,
    record: ByteRecord,
    row: u64,
    start: Start,
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

impl TextFile {
    /// Opens a file and reads its header.
    pub(crate) fn open(path: &Path, format: &SourceFormat) -> Result<Self, Error> {
        let file = File::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let gz = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        let inner: Box<dyn Read + Send> =
            if gz { Box::new(MultiGzDecoder::new(BufReader::new(file))) } else { Box::new(file) };
        let quote = ascii("source.quote", &format.quote)?;
        let delimiter = ascii("source.delimiter", &format.delimiter)?.unwrap_or(b',');
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .quoting(quote.is_some())
            .quote(quote.unwrap_or(b'"'))
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(BLOCK)
            .from_reader(Tap { inner, rows: RowFinder::new(delimiter, quote), row_start: 0 });
        let mut text = Self {
            path: path.to_owned(),
            reader,
            header: Vec::new(),
            encoding: format.encoding,
            delimiter,
            record: ByteRecord::new(),
            row: 0,
            start: Start { line: 1, spans_lines: false },
        };
        match &format.header {
            Some(header) => text.header = header.clone(),
            None => {
                if !text.read_record()? {
                    return Err(Error::EmptyFile { path: path.to_owned() });
                }
                if text.ends_inside_quotes() {
                    return Err(text.refuse(RowProblem::OpenQuote));
                }
                let record = std::mem::take(&mut text.record);
                for field in &record {
                    let name = text.decode(field, None)?;
                    text.header.push(name.trim().to_owned());
                }
            }
        }
        let repeated = text.header.iter().enumerate().find(|(at, name)| text.header[..*at].contains(name));
        if let Some((_, name)) = repeated {
            return Err(Error::DuplicateColumn { path: path.to_owned(), column: name.clone() });
        }
        Ok(text)
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
    pub(crate) fn field(&self, column: usize) -> Result<Cow<'_, str>, Error> {
        self.decode(&self.record[column], Some(column))
    }

    fn decode<'a>(&self, field: &'a [u8], column: Option<usize>) -> Result<Cow<'a, str>, Error> {
        match self.encoding {
            Encoding::Latin1 => Ok(field.iter().map(|byte| char::from(*byte)).collect::<String>().into()),
            Encoding::Utf8 => match std::str::from_utf8(field) {
                Ok(text) => Ok(text.into()),
                Err(error) => {
                    let valid = String::from_utf8_lossy(&field[..error.valid_up_to()]).into_owned();
                    let place = self.place(column.map(|column| self.header[column].as_str()));
                    Err(Error::Row { place, problem: RowProblem::Encoding { valid } })
                }
            },
        }
    }

    /// Reads a record; `false` at the end of the file.
    fn read_record(&mut self) -> Result<bool, Error> {
        self.reader.get_mut().row_start = self.reader.position().byte();
        let found = self.reader.read_byte_record(&mut self.record);
        self.start = self.reader.get_mut().rows.take_start();
        match found {
            Ok(true) => {
                // The finder is ahead: a quote that stands wrong may do so in a later row.
                let end = self.reader.position().byte();
                match self.reader.get_ref().rows.stray() {
                    Some(stray) if stray < end => Err(self.refuse(RowProblem::TextAfterQuote)),
                    _ => Ok(true),
                }
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
        let found = self.read_record()?;
        let rows = &self.reader.get_ref().rows;
        if !found {
            return Ok(Next::End { unterminated: self.row > 1 && !rows.ends_line() });
        }
        let (fields, expected, spans_lines) = (self.record.len(), self.header.len(), self.start.spans_lines);
        if self.ends_inside_quotes() {
            // A last line may be cut inside quotes; a quote that swallows lines is another matter.
            return if spans_lines {
                Err(self.refuse(RowProblem::OpenQuote))
            } else {
                Ok(Next::Cut(self.place(None)))
            };
        }
        if fields < expected && !spans_lines && self.is_last() && !rows.ends_line() {
            return Ok(Next::Cut(self.place(None)));
        }
        if fields != expected {
            return Err(self.refuse(RowProblem::Fields { expected, found: fields, spans_lines }));
        }
        let is_swallowing = |(column, field)| holds_rows(field, column, expected, self.delimiter);
        if spans_lines && self.record.iter().enumerate().any(is_swallowing) {
            return Err(self.refuse(RowProblem::RowsInField));
        }
        Ok(Next::Row)
    }
}
