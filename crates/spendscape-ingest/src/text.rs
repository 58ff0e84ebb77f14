//! Delimited text files: their headers, and their rows in blocks.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{
    block::{Block, Faults, LONGEST_ROW, MARK_BYTES, Rules, decode, split, without_mark},
    map::format::{SourceFormat, ascii},
    records::Records,
    rows::{Signs, is_line_end, last_row_end},
    unpack::Text,
};
use crate::{Error, Place, RowProblem};

/// One text file that is being read.
pub(crate) struct TextFile<'a> {
    path: PathBuf,
    format: &'a SourceFormat,
    text: Text,
    /// Bytes of a block, about.
    block_bytes: usize,
    /// What was read behind the last block: so many bytes, and where in the text they begin. What follows them is of no meaning.
    pending: Vec<u8>,
    filled: usize,
    offset: u64,
    /// Buffers of blocks that were worked on, to be filled again: new ones would be zeroed, by the system and by us.
    pub(crate) spare: Vec<Vec<u8>>,
    /// Whether the last block was cut.
    is_done: bool,
    /// Why the file cannot be read on, which is told behind the rows that were read.
    failed: Option<io::Error>,
    /// The block whose header was read.
    first: Option<Block>,
    header: Vec<String>,
    pub(crate) rules: Rules,
    /// Lines above the header, or above the first row of a file without one.
    pub(crate) lines_above: u64,
    /// The number of the line that the rows begin on or above.
    pub(crate) first_line: u64,
}

impl<'a> TextFile<'a> {
    /// Opens a file and reads its header.
    pub(crate) fn open(path: &Path, format: &'a SourceFormat, block_bytes: usize) -> Result<Self, Error> {
        Self::of(path, Text::open(path, format.encoding)?, format, block_bytes)
    }

    /// Reads the header of a text.
    pub(crate) fn of(
        path: &Path,
        mut text: Text,
        format: &'a SourceFormat,
        block_bytes: usize,
    ) -> Result<Self, Error> {
        if !text.skip_lines(format.skip).map_err(|source| Error::Read { path: path.to_owned(), source })? {
            return Err(Error::EmptyFile { path: path.to_owned() });
        }
        let signs = Signs {
            delimiter: ascii("source.delimiter", &format.delimiter)?.unwrap_or(b','),
            quote: ascii("source.quote", &format.quote)?,
            escape: ascii("source.escape", &format.escape)?,
        };
        let rules = Rules {
            signs,
            encoding: format.encoding,
            not_rows: format.not_rows.clone(),
            header_line: None,
            columns: 0,
            named: 0,
            fields: None,
            wanted: Vec::new(),
        };
        let mut file = Self {
            path: path.to_owned(),
            format,
            text,
            block_bytes,
            pending: Vec::new(),
            filled: 0,
            spare: Vec::new(),
            offset: 0,
            is_done: false,
            failed: None,
            first: None,
            header: Vec::new(),
            rules,
            lines_above: format.skip,
            first_line: format.skip + 1,
        };
        match &format.header {
            Some(header) => file.header.clone_from(header),
            None => file.read_header()?,
        }
        let nameless = file.header.iter().rev().take_while(|name| name.is_empty()).count();
        file.rules.columns = file.header.len();
        file.rules.named = (file.header.len() - nameless).max(1);
        Ok(file)
    }

    fn read_header(&mut self) -> Result<(), Error> {
        let encoding = self.format.encoding;
        while let Some(mut block) = self.cut()? {
            let faults = Faults::of(&mut block, encoding);
            let mut records = Records::new(&mut block.bytes, block.start, self.rules.signs);
            while let Some(record) = records.next() {
                let line = self.first_line + u64::from(record.line);
                let refuse = |problem| {
                    let place = Place { path: self.path.clone(), row: 0, line: Some(line), column: None };
                    Error::Row { place, problem }
                };
                let problem = faults.find(&record).or(record.is_open.then_some(RowProblem::OpenQuote));
                if let Some(problem) = problem {
                    return Err(refuse(problem));
                }
                if self.rules.is_no_row(&records, &record).map_err(refuse)? {
                    continue;
                }
                let fields = records.fields().iter().map(|field| field.of(records.bytes()));
                let name = |field| Ok(without_mark(decode(field, encoding)?).trim().to_owned());
                let names: Vec<String> =
                    fields.clone().map(name).collect::<Result<_, _>>().map_err(refuse)?;
                let mut wanted = self.format.header_at.iter().flatten();
                if wanted.all(|name| names.contains(name)) {
                    self.header = names;
                    self.rules.header_line = Some(fields.map(<[u8]>::to_vec).collect());
                    self.lines_above = line - 1;
                    self.first_line += u64::from(records.lines());
                    block.start = record.end;
                    block.malformed = faults.malformed;
                    self.first = Some(block);
                    return Ok(());
                }
            }
            self.first_line += u64::from(records.lines());
        }
        Err(match &self.format.header_at {
            Some(names) => Error::NoHeader { path: self.path.clone(), names: names.join(", ") },
            None => Error::EmptyFile { path: self.path.clone() },
        })
    }

    /// The names of the columns.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The rows' next block; nothing behind the last one. A block comes with the rules for its rows: the first row of a file
    /// tells how many fields the others have.
    pub(crate) fn next(&mut self) -> Result<Option<(Block, Rules)>, Error> {
        let next = match self.first.take() {
            Some(first) => Some(first),
            None => self.cut()?,
        };
        let Some(block) = next else { return Ok(None) };
        let rules = self.rules.clone();
        if rules.fields.is_none() {
            self.rules.fields = split(block.clone(), &rules, 1).fields;
        }
        Ok(Some((block, rules)))
    }

    /// Reads on to a row's end at which the text can be cut, or to its end.
    fn cut(&mut self) -> Result<Option<Block>, Error> {
        if self.is_done {
            return Ok(None);
        }
        let mut wanted = self.block_bytes;
        loop {
            let ends = self.failed.is_none() && self.fill(wanted);
            if ends {
                self.is_done = true;
                let is_unterminated =
                    self.pending[..self.filled].last().is_some_and(|last| !is_line_end(*last));
                let block = self.block(self.filled);
                return Ok(Some(Block { is_last: true, is_unterminated, ..block }));
            }
            if let Some(end) = last_row_end(&self.pending[..self.filled], self.rules.signs) {
                return Ok(Some(self.block(end)));
            }
            if let Some(source) = self.failed.take() {
                return Err(Error::Read { path: self.path.clone(), source });
            }
            if self.filled > LONGEST_ROW {
                let block = self.block(self.filled);
                return Ok(Some(Block { is_endless: true, ..block }));
            }
            wanted += self.block_bytes;
        }
    }

    /// Reads until so many bytes are pending; whether the text ends before.
    fn fill(&mut self, wanted: usize) -> bool {
        let wanted = wanted.max(self.filled);
        if self.pending.len() < wanted {
            self.pending.resize(wanted, 0);
        }
        let mut ends = false;
        while self.filled < wanted && !ends && self.failed.is_none() {
            match self.text.read(&mut self.pending[self.filled..wanted]) {
                Ok(count) => (self.filled, ends) = (self.filled + count, count == 0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.failed = Some(error),
            }
        }
        ends
    }

    /// The pending bytes up to an offset.
    fn block(&mut self, end: usize) -> Block {
        let rest = self.filled - end;
        let mut next = self.spare.pop().unwrap_or_default();
        if next.len() < rest {
            next.resize(rest, 0);
        }
        next[..rest].copy_from_slice(&self.pending[end..self.filled]);
        let mut bytes = std::mem::replace(&mut self.pending, next);
        self.filled = rest;
        bytes.truncate(end);
        // The file's own mark is gone; another one may stand behind it, or behind lines that were skipped.
        let start = if self.offset == 0 && bytes.starts_with(MARK_BYTES) { MARK_BYTES.len() } else { 0 };
        let from = self.offset;
        self.offset += end as u64;
        let malformed = self.text.malformed_before(self.offset);
        let malformed = malformed.into_iter().map(|at| (at - from) as usize).collect();
        Block { bytes, start, malformed, ..Block::default() }
    }
}
