//! Delimited text files, row by row, with every row's place.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use csv::ByteRecord;
use flate2::read::MultiGzDecoder;

use super::map::{Encoding, SourceFormat, ascii};
use crate::{Error, Place, RowProblem};

/// The longest row accepted: a quote that is never closed would otherwise read the rest of the file into one field.
const LONGEST_ROW: usize = 1 << 20;

/// Bytes kept of the end of the file, to look at its last row.
const TAIL: usize = 64 * 1024;

/// Passes bytes on and remembers where it is and what came last.
struct Tap<R> {
    inner: R,
    total: Arc<AtomicU64>,
    tail: Arc<std::sync::Mutex<Vec<u8>>>,
    /// Where the row that is being read begins.
    row_start: Arc<AtomicU64>,
}

impl<R: Read> Read for Tap<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let before = self.total.load(Ordering::Relaxed);
        if before.saturating_sub(self.row_start.load(Ordering::Relaxed)) > (LONGEST_ROW + buffer.len()) as u64
        {
            return Err(io::Error::other(RowProblem::EndlessRow { limit: LONGEST_ROW }));
        }
        let count = self.inner.read(buffer)?;
        self.total.store(before + count as u64, Ordering::Relaxed);
        let mut tail = self.tail.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if count >= TAIL {
            tail.clear();
        } else if tail.len() + count > 2 * TAIL {
            let excess = tail.len() - TAIL;
            tail.drain(..excess);
        }
        tail.extend_from_slice(&buffer[..count]);
        Ok(count)
    }
}

/// One text file that is being read.
pub(crate) struct TextFile {
    path: PathBuf,
    reader: csv::Reader<Tap<Box<dyn Read + Send>>>,
    row_start: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
    tail: Arc<std::sync::Mutex<Vec<u8>>>,
    header: Vec<String>,
    encoding: Encoding,
    quote: Option<u8>,
    delimiter: u8,
    record: ByteRecord,
    row: u64,
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
        let (total, row_start) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let tail = Arc::new(std::sync::Mutex::new(Vec::new()));
        let tap = Tap { inner, total: total.clone(), tail: tail.clone(), row_start: row_start.clone() };
        let quote = ascii("source.quote", &format.quote)?;
        let delimiter = ascii("source.delimiter", &format.delimiter)?.unwrap_or(b',');
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .quoting(quote.is_some())
            .quote(quote.unwrap_or(b'"'))
            .has_headers(false)
            .flexible(true)
            .from_reader(tap);
        let mut text = Self {
            path: path.to_owned(),
            reader,
            row_start,
            total,
            tail,
            header: Vec::new(),
            encoding: format.encoding,
            quote,
            delimiter,
            record: ByteRecord::new(),
            row: 0,
        };
        match &format.header {
            Some(header) => text.header = header.clone(),
            None => {
                if !text.read_record()? {
                    return Err(Error::EmptyFile { path: path.to_owned() });
                }
                text.row = 0;
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

    /// Where the current row stands.
    pub(crate) fn place(&self, column: Option<&str>) -> Place {
        Place {
            path: self.path.clone(),
            row: self.row,
            line: self.record.position().map(csv::Position::line),
            column: column.map(str::to_owned),
        }
    }

    /// The text of a field of the current row.
    pub(crate) fn field(&self, column: usize) -> Result<std::borrow::Cow<'_, str>, Error> {
        self.decode(&self.record[column], Some(column))
    }

    fn decode<'a>(&self, field: &'a [u8], column: Option<usize>) -> Result<std::borrow::Cow<'a, str>, Error> {
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
        self.row_start.store(self.reader.position().byte(), Ordering::Relaxed);
        self.row += 1;
        match self.reader.read_byte_record(&mut self.record) {
            Ok(some) => Ok(some),
            Err(error) => {
                let line = Some(self.reader.position().line());
                let place = Place { path: self.path.clone(), row: self.row, line, column: None };
                let source = match error.into_kind() {
                    csv::ErrorKind::Io(source) => source,
                    other => io::Error::other(format!("{other:?}")),
                };
                match source.get_ref().and_then(|inner| inner.downcast_ref::<RowProblem>()) {
                    Some(problem) => Err(Error::Row { place, problem: problem.clone() }),
                    None => Err(Error::Read { path: self.path.clone(), source }),
                }
            }
        }
    }

    /// Reads the next row.
    pub(crate) fn next(&mut self) -> Result<Next, Error> {
        if !self.read_record()? {
            return Ok(Next::End { unterminated: self.row > 1 && !self.ends_with_newline() });
        }
        let start = self.record.position().map_or(0, csv::Position::byte);
        // Only the last row can end where the file ends.
        let last =
            self.reader.position().byte() == self.total.load(Ordering::Relaxed) && !self.ends_with_newline();
        let found = self.record.len();
        if last && (found < self.header.len() || self.ends_inside_quotes(start)) {
            return Ok(Next::Cut(self.place(None)));
        }
        if found != self.header.len() {
            let problem = RowProblem::Fields { expected: self.header.len(), found };
            return Err(Error::Row { place: self.place(None), problem });
        }
        Ok(Next::Row)
    }

    fn ends_with_newline(&self) -> bool {
        let tail = self.tail.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        matches!(tail.last(), Some(b'\n' | b'\r'))
    }

    /// Whether the file ends inside a quoted field of the row that begins at `start`.
    fn ends_inside_quotes(&self, start: u64) -> bool {
        let Some(quote) = self.quote else { return false };
        let tail = self.tail.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let length = usize::try_from(self.total.load(Ordering::Relaxed) - start).unwrap_or(usize::MAX);
        let row = &tail[tail.len().saturating_sub(length)..];
        let (mut inside, mut at_start) = (false, true);
        for byte in row {
            // A quote opens a field only at its start; inside, a doubled quote closes and opens again.
            if *byte == quote && (inside || at_start) {
                inside = !inside;
                at_start = !inside;
            } else {
                at_start = !inside && *byte == self.delimiter;
            }
        }
        inside
    }
}
