//! Blocks of delimited text, divided into rows and the fields that are wanted of them.

use memchr::memchr;

use super::{
    encoding::Encoding,
    records::{Record, Records, Span},
    rows::{Signs, holds_rows},
};
use spendscape_schema::EXAMPLES;

use crate::RowProblem;

/// The longest row accepted: a quote that is never closed would otherwise read the rest of the file into one field.
pub(crate) const LONGEST_ROW: usize = 1 << 20;

/// The end mark of DOS, which some programs write behind the last line.
const END_MARK: &[u8] = b"\x1a";

const BYTE_ORDER_MARK: char = '\u{feff}';
pub(crate) const MARK_BYTES: &[u8] = "\u{feff}".as_bytes();

/// A text without a byte order mark: a file that was put behind another one may have brought its own along.
#[inline]
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Some whole rows of a text file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    /// Where its rows begin: behind the header, if that is in it.
    pub(crate) start: usize,
    /// Places of what did not decode, ascending.
    pub(crate) malformed: Vec<usize>,
    /// Whether it is the last one of its file.
    pub(crate) is_last: bool,
    /// Whether the file ends without a line end.
    pub(crate) is_unterminated: bool,
    /// Whether its last row goes on, although it is too long already.
    pub(crate) is_endless: bool,
}

impl Block {
    /// Where its first zero byte stands, which no text has.
    pub(crate) fn zero(&self) -> Option<usize> {
        memchr(0, &self.bytes[self.start..]).map(|at| self.start + at)
    }
}

/// What is wrong with a record whatever its fields are; `zero` is the place of the first zero byte.
pub(crate) struct Faults {
    pub(crate) zero: Option<usize>,
    pub(crate) malformed: Vec<usize>,
    /// Where a row ends that goes on.
    pub(crate) endless: Option<usize>,
    pub(crate) encoding: Encoding,
}

impl Faults {
    pub(crate) fn of(block: &mut Block, encoding: Encoding) -> Self {
        Self {
            zero: block.zero(),
            malformed: std::mem::take(&mut block.malformed),
            endless: block.is_endless.then_some(block.bytes.len()),
            encoding,
        }
    }

    /// Whether no record has one but by its own form.
    fn is_none(&self) -> bool {
        self.zero.is_none() && self.malformed.is_empty()
    }

    #[inline]
    pub(crate) fn find(&self, record: &Record) -> Option<RowProblem> {
        if record.is_stray {
            return Some(RowProblem::TextAfterQuote);
        }
        if record.end - record.start > LONGEST_ROW || self.endless == Some(record.end) {
            return Some(RowProblem::EndlessRow { limit: LONGEST_ROW });
        }
        if self.zero.is_some_and(|zero| zero < record.end) {
            return Some(RowProblem::ZeroByte);
        }
        let is_malformed = |at: &usize| (record.start..record.end).contains(at);
        if self.malformed.iter().any(is_malformed) {
            return Some(RowProblem::Encoding { valid: String::new(), encoding: self.encoding.name() });
        }
        None
    }
}

/// How the rows of a file are read, the same for all its blocks.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) signs: Signs,
    pub(crate) encoding: Encoding,
    /// How lines begin that are no rows.
    pub(crate) not_rows: Vec<String>,
    /// The header line's fields, where the file has one.
    pub(crate) header_line: Option<Vec<Vec<u8>>>,
    /// Columns.
    pub(crate) columns: usize,
    /// Columns up to the last one with a name; rows may end there.
    pub(crate) named: usize,
    /// Fields of the file's first row, from its second row on.
    pub(crate) fields: Option<usize>,
    /// The columns that are read.
    pub(crate) wanted: Vec<usize>,
}

/// Lines of one kind that are left out: how many, and behind how many rows and line ends of the block the first ones stand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines {
    pub(crate) count: u64,
    pub(crate) first: Vec<(u64, u32)>,
}

impl Lines {
    fn add(&mut self, rows: usize, line: u32) {
        self.count += 1;
        if self.first.len() < EXAMPLES {
            self.first.push((rows as u64, line));
        }
    }
}

/// Why no row follows, although the block may go on.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    /// The row that begins after so many line ends of the block cannot be read, perhaps because of one column.
    Refused { line: u32, column: Option<usize>, problem: RowProblem },
    /// The last line of the file is cut.
    Cut { line: u32 },
    /// There is an end mark instead of another row.
    Mark,
}

/// The rows of a block.
#[derive(Debug, Clone, Default)]
pub(crate) struct Split {
    pub(crate) text: String,
    /// Where the fields of each column that is wanted lie in the text.
    pub(crate) columns: Vec<Vec<Span>>,
    /// The line ends before each row.
    pub(crate) lines: Vec<u32>,
    /// All line ends.
    pub(crate) line_ends: u32,
    pub(crate) not_rows: Lines,
    pub(crate) empty: Lines,
    pub(crate) headers: Lines,
    pub(crate) stop: Option<Stop>,
    /// Fields of the file's first row, if that is known.
    pub(crate) fields: Option<usize>,
}

/// What a record is.
enum Kind {
    Row,
    /// Named by `source.not_rows`.
    NoRow,
    /// Several fields that are all empty.
    Empty,
    Header,
}

/// Divides a block, up to so many rows.
pub(crate) fn split(mut block: Block, rules: &Rules, most: usize) -> Split {
    let room = (block.bytes.len() / 32).min(most);
    let mut split = Split {
        columns: rules.wanted.iter().map(|_| Vec::with_capacity(room)).collect(),
        lines: Vec::with_capacity(room),
        fields: rules.fields,
        ..Split::default()
    };
    let faults = Faults::of(&mut block, rules.encoding);
    let is_last = block.is_last;
    let mut records = Records::new(&mut block.bytes, block.start, rules.signs);
    let last_name = rules.header_line.as_ref().and_then(|header| header.last()).map(|name| name.len() as u32);
    let is_usual = |row: Span, last: Span| {
        row.to - row.from <= LONGEST_ROW as u32 && last_name != Some(last.to - last.from)
    };
    let can_be_usual = rules.not_rows.is_empty() && faults.is_none() && most == usize::MAX;
    while split.lines.len() < most {
        if let Some(fields) = split.fields
            && can_be_usual
            && (2..=rules.columns).contains(&fields)
        {
            let is_usual = |row: Span, last: Span| row.to - row.from >= fields as u32 && is_usual(row, last);
            records.rows(fields, is_usual, &rules.wanted, &mut split.columns, &mut split.lines);
        }
        let Some(record) = records.next() else { break };
        let refused = |problem| Stop::Refused { line: record.line, column: None, problem };
        let judged = match faults.find(&record) {
            Some(problem) => Err(refused(problem)),
            None if is_last && is_end_mark(&records) => Err(Stop::Mark),
            None => rules.kind(&records, &record).map_err(refused),
        };
        let judged = judged.and_then(|kind| match kind {
            Kind::Row => rules.check(&records, &record, is_last, &mut split.fields).map(|()| kind),
            _ => Ok(kind),
        });
        match judged {
            Ok(Kind::Row) => {
                for (spans, column) in split.columns.iter_mut().zip(&rules.wanted) {
                    spans.push(records.fields().get(*column).copied().unwrap_or(Span::NOTHING));
                }
                split.lines.push(record.line);
            }
            Ok(Kind::NoRow) => split.not_rows.add(split.lines.len(), record.line),
            Ok(Kind::Empty) => split.empty.add(split.lines.len(), record.line),
            Ok(Kind::Header) => split.headers.add(split.lines.len(), record.line),
            Err(stop) => {
                split.stop = Some(stop);
                break;
            }
        }
    }
    split.line_ends = records.lines();
    split.keep_text(block.bytes, rules);
    split
}

fn is_end_mark(records: &Records<'_>) -> bool {
    let [field] = records.fields() else { return false };
    field.of(records.bytes()) == END_MARK && records.is_at_end()
}

/// Bytes as text; what is no UTF-8 is a problem.
pub(crate) fn decode(bytes: &[u8], encoding: Encoding) -> Result<&str, RowProblem> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
        RowProblem::Encoding { valid, encoding: encoding.name() }
    })
}

impl Rules {
    /// Whether a record begins as the map says that no row does.
    pub(crate) fn is_no_row(&self, records: &Records<'_>, record: &Record) -> Result<bool, RowProblem> {
        if self.not_rows.is_empty() {
            return Ok(false);
        }
        let first = records.fields().first().map_or(&[][..], |field| field.of(records.bytes()));
        let first = without_mark(decode(first, self.encoding)?).trim();
        let is_named = self.not_rows.iter().any(|text| first.starts_with(text.as_str()));
        if is_named && record.spans_lines {
            return Err(RowProblem::LinesNotRead);
        }
        Ok(is_named)
    }

    #[inline]
    fn kind(&self, records: &Records<'_>, record: &Record) -> Result<Kind, RowProblem> {
        if self.is_no_row(records, record)? {
            return Ok(Kind::NoRow);
        }
        let fields = records.fields();
        Ok(match fields.iter().all(|field| field.from == field.to) && fields.len() > 1 {
            true => Kind::Empty,
            false if self.is_header(records) => Kind::Header,
            false => Kind::Row,
        })
    }

    /// Whether a record is the header line again, as where exports were put one after another.
    #[inline]
    fn is_header(&self, records: &Records<'_>) -> bool {
        let Some(header) = &self.header_line else { return false };
        let (bytes, fields) = (records.bytes(), records.fields());
        let (Some(last), Some(field)) = (header.last(), fields.last()) else { return false };
        // Almost every row differs in the last field already.
        if header.len() != fields.len() || last != field.of(bytes) {
            return false;
        }
        let bare = |field: &[u8]| field.strip_prefix(MARK_BYTES).unwrap_or(field).to_vec();
        header.iter().zip(fields).enumerate().all(|(at, (name, field))| match at {
            0 => bare(name) == bare(field.of(bytes)),
            _ => name == field.of(bytes),
        })
    }

    /// Whether a row has the fields that it must have.
    #[inline]
    fn check(
        &self,
        records: &Records<'_>,
        record: &Record,
        is_last: bool,
        first: &mut Option<usize>,
    ) -> Result<(), Stop> {
        let found = records.fields().len();
        let refuse = |problem| Err(Stop::Refused { line: record.line, column: None, problem });
        if record.is_open {
            // A last line may be cut inside quotes; a quote that swallows lines is another matter.
            return if record.spans_lines {
                refuse(RowProblem::OpenQuote)
            } else {
                Err(Stop::Cut { line: record.line })
            };
        }
        if found < first.unwrap_or(self.named)
            && !record.spans_lines
            && is_last
            && record.end == records.bytes().len()
        {
            return Err(Stop::Cut { line: record.line });
        }
        // The first row tells whether rows have empty fields behind the last column: where all have them, they are a habit of
        // the program that wrote the file, and where a later one has, its fields may have been divided wrongly.
        let (allowed, as_before) = match *first {
            None => (self.named..=usize::MAX, false),
            Some(first) if first > self.columns => (first..=first, true),
            Some(_) => (self.named..=self.columns, false),
        };
        let is_filled = |field: &Span| !field.of(records.bytes()).trim_ascii().is_empty();
        if !allowed.contains(&found) || records.fields().iter().skip(self.columns).any(is_filled) {
            let expected = if as_before { *allowed.start() } else { self.columns };
            let spans_lines = record.spans_lines;
            return refuse(RowProblem::Fields { expected, found, spans_lines, as_before });
        }
        first.get_or_insert(found);
        let is_swallowing = |(column, field): (usize, &Span)| {
            holds_rows(field.of(records.bytes()), column, found, self.signs.delimiter)
        };
        if record.spans_lines && records.fields().iter().enumerate().any(is_swallowing) {
            return refuse(RowProblem::RowsInField);
        }
        Ok(())
    }
}

impl Split {
    /// Keeps the bytes as text. Only fields that are wanted must be UTF-8.
    fn keep_text(&mut self, bytes: Vec<u8>, rules: &Rules) {
        let mut bytes = match String::from_utf8(bytes) {
            Ok(text) => {
                self.text = text;
                return;
            }
            Err(error) => error.into_bytes(),
        };
        let refused = (0..self.lines.len()).find_map(|row| {
            let columns = self.columns.iter().zip(&rules.wanted);
            columns.into_iter().find_map(|(spans, column)| {
                let problem = decode(spans[row].of(&bytes), rules.encoding).err()?;
                Some((row, *column, problem))
            })
        });
        if let Some((row, column, problem)) = refused {
            self.stop = Some(Stop::Refused { line: self.lines[row], column: Some(column), problem });
            self.lines.truncate(row);
            self.columns.iter_mut().for_each(|spans| spans.truncate(row));
        }
        let mut at = 0;
        while let Err(error) = std::str::from_utf8(&bytes[at..]) {
            let from = at + error.valid_up_to();
            at = error.error_len().map_or(bytes.len(), |length| from + length);
            bytes[from..at].fill(b'?');
        }
        self.text = String::from_utf8(bytes).unwrap_or_default();
    }
}
