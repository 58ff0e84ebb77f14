//! Where the rows of a source's pieces stand, and what the end of each file showed.

use std::path::PathBuf;

use super::{
    block::{Lines, Stop},
    chunk::{Chunk, Position, Wanted},
    report::Example,
    source::{Layout, Portion},
    statement::Remarks,
};
use spendscape_schema::Tally;

use crate::{Error, Place, RowProblem};

/// What was left out of a file, and what was overlooked.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeftOut {
    /// Lines above the header, or above the first row of a file without one.
    pub(crate) lines_above: u64,
    /// Lines that `source.not_rows` names, and rows of several fields that are all empty.
    pub(crate) not_rows: Tally<Example>,
    /// Lines that repeat the header.
    pub(crate) headers: Tally<Example>,
    /// Empty fields behind the last column, in every row.
    pub(crate) surplus: usize,
}

/// What the end of a file showed.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileEnd {
    pub(crate) rows: u64,
    pub(crate) unterminated: bool,
    pub(crate) cut: Option<Place>,
    pub(crate) left_out: LeftOut,
    pub(crate) remarks: Remarks,
    /// Columns that are read and that the file lacks.
    pub(crate) absent: Vec<String>,
    /// The line that its next rows begin on or above.
    next_line: u64,
}

/// The place of the row with this number among the rows of all files, from 0.
pub(crate) fn place_of(files: &[PathBuf], ends: &[FileEnd], mut number: u64) -> Place {
    let mut file = 0;
    while ends.get(file).is_some_and(|end| number >= end.rows) && file + 1 < files.len() {
        number -= ends[file].rows;
        file += 1;
    }
    Place { path: files[file].clone(), row: number + 1, line: None, column: Some("transaction".to_owned()) }
}

/// A portion whose place is known.
pub(crate) struct Placed {
    position: Position,
    failure: Option<Error>,
    portion: Portion,
}

impl Placed {
    /// The rows with the values of their columns, up to the first that cannot be read.
    pub(crate) fn chunk(self, wanted: Wanted<'_>) -> Result<Option<Chunk>, Error> {
        match self.portion {
            Portion::Begin(_) => Ok(None),
            Portion::Rows { layout, split, .. } => {
                Chunk::of_text(self.position, split, self.failure, &layout.origins, wanted).map(Some)
            }
            Portion::Batch { layout, batch, .. } => {
                Chunk::of_batch(self.position, &batch, &layout.origins, wanted).map(Some)
            }
            Portion::Failed(error) => Err(error),
        }
    }
}

/// Counts the rows of all files, in their order.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(crate) ends: Vec<FileEnd>,
    rows: u64,
}

impl Places {
    /// Places the next portion; the last line of a file may be cut if that is allowed.
    pub(crate) fn place(&mut self, mut portion: Portion, allow_cut: bool) -> Placed {
        let (mut position, mut failure) = (Position::default(), None);
        match &mut portion {
            Portion::Begin(begin) => {
                let left_out = LeftOut { lines_above: begin.lines_above, ..LeftOut::default() };
                let absent = std::mem::take(&mut begin.absent);
                let next_line = begin.first_line;
                self.ends.push(FileEnd { left_out, absent, next_line, ..FileEnd::default() });
            }
            Portion::Rows { layout, split, columns, is_unterminated } => {
                position = self.position(layout, std::mem::take(&mut split.lines));
                let rows = position.lines.len() as u64;
                let end = self.end();
                failure = end.stop(&position, &layout.header, split.stop.as_ref(), allow_cut);
                let has_mark = matches!(split.stop, Some(Stop::Mark));
                let left_out = &mut end.left_out;
                left_out.not_rows.join(tally(&position, &split.not_rows, "`source.not_rows` names it"));
                left_out.not_rows.join(tally(&position, &split.empty, "all its fields are empty"));
                left_out.headers.join(tally(&position, &split.headers, "it repeats the header"));
                if end.rows == 0 && rows > 0 {
                    end.left_out.surplus = split.fields.unwrap_or(0).saturating_sub(*columns);
                }
                end.rows += rows;
                end.next_line += u64::from(split.line_ends);
                end.unterminated = *is_unterminated && !has_mark && end.rows > 0 && end.cut.is_none();
                self.rows += rows;
            }
            Portion::Batch { layout, batch, lines, remarks } => {
                let first_line = lines.iter().copied().min().unwrap_or(0);
                let line = |line: &u64| u32::try_from(line - first_line).unwrap_or(u32::MAX);
                position = self.position(layout, lines.iter().map(line).collect());
                position.first_line = first_line;
                self.end().remarks.join(std::mem::take(remarks));
                self.end().rows += batch.num_rows() as u64;
                self.rows += batch.num_rows() as u64;
            }
            Portion::Failed(_) => {}
        }
        Placed { position, failure, portion }
    }

    /// The end of the file at hand, as far as it was read.
    fn end(&mut self) -> &mut FileEnd {
        if self.ends.is_empty() {
            self.ends.push(FileEnd::default());
        }
        let last = self.ends.len() - 1;
        &mut self.ends[last]
    }

    fn position(&mut self, layout: &Layout, lines: Vec<u32>) -> Position {
        let number = self.rows;
        let end = self.end();
        Position { path: layout.path.clone(), before: end.rows, number, first_line: end.next_line, lines }
    }
}

impl FileEnd {
    /// Why the rows of a block end before the block does, if that is an error.
    fn stop(
        &mut self,
        position: &Position,
        header: &[String],
        stop: Option<&Stop>,
        allow_cut: bool,
    ) -> Option<Error> {
        let place = |line: u32, column: Option<usize>| {
            let column = column.and_then(|column| header.get(column));
            Place {
                line: Some(position.first_line + u64::from(line)),
                ..position.place(position.lines.len(), column.map(String::as_str))
            }
        };
        match stop? {
            Stop::Refused { line, column, problem } => {
                Some(Error::Row { place: place(*line, *column), problem: problem.clone() })
            }
            Stop::Cut { line } if allow_cut => {
                self.cut = Some(place(*line, None));
                None
            }
            Stop::Cut { line } => {
                Some(Error::Row { place: place(*line, None), problem: RowProblem::CutLastLine })
            }
            Stop::Mark => None,
        }
    }
}

/// Lines of a block that were left out, with the number of the row that follows.
fn tally(position: &Position, lines: &Lines, why: &str) -> Tally<Example> {
    let example = |(rows, line): &(u64, u32)| {
        let place = Place {
            line: Some(position.first_line + u64::from(*line)),
            ..position.place(*rows as usize, None)
        };
        Example { place, why: why.to_owned() }
    };
    Tally { count: lines.count, examples: lines.first.iter().map(example).collect() }
}
