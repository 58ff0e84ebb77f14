//! The files of a source, read piece by piece, and the rows of every piece with their places.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::RecordBatch,
    datatypes::{Field, Schema, SchemaRef},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::{
    block::{Block, Lines, Rules, Split, Stop, split},
    chunk::{Chunk, Position, Wanted},
    columns::{FileColumns, Origin},
    format::Format,
    map::ColumnMap,
    parquet_file::{ParquetFile, next_batch},
    report::Example,
    text::TextFile,
};
use crate::{Error, Place, RowProblem, panel::Tally};

/// Bytes of a text file that are divided into rows at a time: what is made of them fits the second-level cache.
pub(crate) const BLOCK_BYTES: usize = 512 * 1024;

/// Rows of a batch of a Parquet file.
const BATCH_ROWS: usize = 8 * 1024;

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

/// What the end of a file showed.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileEnd {
    pub(crate) rows: u64,
    pub(crate) unterminated: bool,
    pub(crate) cut: Option<Place>,
    pub(crate) left_out: LeftOut,
    /// The line that its next rows begin on or above.
    next_line: u64,
}

/// How a file is read.
#[derive(Debug)]
pub(crate) struct Layout {
    path: PathBuf,
    origins: Vec<Origin>,
    /// The names of a text file's columns.
    header: Vec<String>,
}

/// What is read of a file at a time. What is made of it can be made of several pieces at once.
pub(crate) enum Piece {
    /// The first piece of every file.
    Begin {
        lines_above: u64,
        first_line: u64,
    },
    Block {
        layout: Arc<Layout>,
        block: Block,
        rules: Rules,
    },
    Batch {
        layout: Arc<Layout>,
        batch: RecordBatch,
    },
    /// The file cannot be read on.
    Failed(Error),
}

/// A piece whose rows were told apart.
pub(crate) enum Portion {
    Begin { lines_above: u64, first_line: u64 },
    Rows { layout: Arc<Layout>, split: Split, columns: usize, is_unterminated: bool },
    Batch { layout: Arc<Layout>, batch: RecordBatch },
    Failed(Error),
}

impl Piece {
    /// Tells rows apart.
    pub(crate) fn divide(self) -> Portion {
        match self {
            Self::Begin { lines_above, first_line } => Portion::Begin { lines_above, first_line },
            Self::Block { layout, block, rules } => {
                let is_unterminated = block.is_unterminated;
                let split = split(block, &rules, usize::MAX);
                Portion::Rows { layout, split, columns: rules.columns, is_unterminated }
            }
            Self::Batch { layout, batch } => Portion::Batch { layout, batch },
            Self::Failed(error) => Portion::Failed(error),
        }
    }
}

/// The files of a source, read one after another.
pub(crate) struct Source<'a> {
    map: &'a ColumnMap,
    files: &'a [PathBuf],
    block_bytes: usize,
    schema: SchemaRef,
    /// The next file.
    next: usize,
    current: Option<(Arc<Layout>, Open<'a>)>,
}

enum Open<'a> {
    Text(Box<TextFile<'a>>),
    Parquet(ParquetRecordBatchReader),
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

/// The columns of a file, with the types that expressions see.
pub(crate) fn columns_of<'a>(
    map: &ColumnMap,
    path: &'a Path,
    block_bytes: usize,
) -> Result<FileColumns<'a>, Error> {
    match map.source.format {
        Format::Csv => FileColumns::of_text(path, map, &TextFile::open(path, &map.source, block_bytes)?),
        Format::Parquet => FileColumns::of_parquet(path, map, &ParquetFile::open(path)?),
    }
}

impl<'a> Source<'a> {
    /// A source of which only some columns are read; `schema` is that of the first file.
    pub(crate) fn new(
        map: &'a ColumnMap,
        files: &'a [PathBuf],
        block_bytes: usize,
        schema: &Schema,
        columns: &BTreeSet<String>,
    ) -> Self {
        let fields: Vec<Field> = schema
            .fields()
            .iter()
            .filter(|field| columns.contains(field.name()))
            .map(|field| field.as_ref().clone())
            .collect();
        Self { map, files, block_bytes, schema: Arc::new(Schema::new(fields)), next: 0, current: None }
    }

    /// The columns read.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next pieces, in the order of files and rows, at most so many.
    pub(crate) fn pieces(&mut self, most: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while pieces.len() < most {
            match self.piece() {
                Ok(Some(piece)) => pieces.push(piece),
                Ok(None) => break,
                Err(error) => {
                    (self.next, self.current) = (self.files.len(), None);
                    pieces.push(Piece::Failed(error));
                }
            }
        }
        pieces
    }

    fn piece(&mut self) -> Result<Option<Piece>, Error> {
        if let Some((layout, open)) = &mut self.current {
            let layout = layout.clone();
            let piece = match open {
                Open::Text(file) => file.next()?.map(|(block, rules)| Piece::Block { layout, block, rules }),
                Open::Parquet(reader) => {
                    let batch = next_batch(&layout.path, reader)?;
                    batch.map(|batch| Piece::Batch { layout, batch })
                }
            };
            if piece.is_some() {
                return Ok(piece);
            }
            self.current = None;
        }
        let Some(path) = self.files.get(self.next) else { return Ok(None) };
        self.next += 1;
        self.open(path).map(Some)
    }

    fn open(&mut self, path: &'a Path) -> Result<Piece, Error> {
        let (origins, header, open, lines_above, first_line) = match self.map.source.format {
            Format::Csv => {
                let mut file = TextFile::open(path, &self.map.source, self.block_bytes)?;
                let origins = self.origins(path, &FileColumns::of_text(path, self.map, &file)?)?;
                file.rules.wanted = from_file(&origins);
                let (header, lines) = (file.header().to_vec(), (file.lines_above, file.first_line));
                (origins, header, Open::Text(Box::new(file)), lines.0, lines.1)
            }
            Format::Parquet => {
                let file = ParquetFile::open(path)?;
                let origins = self.origins(path, &FileColumns::of_parquet(path, self.map, &file)?)?;
                let reader = file.batches(from_file(&origins), BATCH_ROWS)?;
                (origins, Vec::new(), Open::Parquet(reader), 0, 0)
            }
        };
        let layout = Layout { path: path.to_owned(), origins, header };
        self.current = Some((Arc::new(layout), open));
        Ok(Piece::Begin { lines_above, first_line })
    }

    /// Where the columns of a file come from, if they have the types of the first file's.
    fn origins(&self, path: &Path, columns: &FileColumns<'_>) -> Result<Vec<Origin>, Error> {
        let origin = |wanted: &Arc<Field>| {
            let (field, origin) = columns.find(wanted.name())?;
            if field.data_type() == wanted.data_type() {
                return Ok(origin.clone());
            }
            Err(Error::ColumnType {
                path: path.to_owned(),
                column: field.name().clone(),
                expected: wanted.data_type().to_string(),
                found: field.data_type().to_string(),
            })
        };
        self.schema.fields().iter().map(origin).collect()
    }
}

/// The columns that come from a file, by their positions.
fn from_file(origins: &[Origin]) -> Vec<usize> {
    let position = |origin: &Origin| match origin {
        Origin::File(at) => Some(*at),
        Origin::Path(_) => None,
    };
    origins.iter().filter_map(position).collect()
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
            Portion::Begin { .. } => Ok(None),
            Portion::Rows { layout, split, .. } => {
                Chunk::of_text(self.position, split, self.failure, &layout.origins, wanted).map(Some)
            }
            Portion::Batch { layout, batch } => {
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
            Portion::Begin { lines_above, first_line } => {
                let left_out = LeftOut { lines_above: *lines_above, ..LeftOut::default() };
                self.ends.push(FileEnd { left_out, next_line: *first_line, ..FileEnd::default() });
            }
            Portion::Rows { layout, split, columns, is_unterminated } => {
                position = self.position(layout, std::mem::take(&mut split.lines));
                let rows = position.lines.len() as u64;
                let end = self.end();
                failure = end.stop(&position, &layout.header, split.stop.as_ref(), allow_cut);
                let has_mark = matches!(split.stop, Some(Stop::Mark));
                let (not_rows, headers) = (&split.not_rows, &split.headers);
                end.left_out.not_rows.join(tally(&position, not_rows, "`source.not_rows` names it"));
                end.left_out.headers.join(tally(&position, headers, "it repeats the header"));
                if end.rows == 0 && rows > 0 {
                    end.left_out.surplus = split.fields.unwrap_or(0).saturating_sub(*columns);
                }
                end.rows += rows;
                end.next_line += u64::from(split.line_ends);
                end.unterminated = *is_unterminated && !has_mark && end.rows > 0 && end.cut.is_none();
                self.rows += rows;
            }
            Portion::Batch { layout, batch } => {
                position = self.position(layout, Vec::new());
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
