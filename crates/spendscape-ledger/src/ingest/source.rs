//! The files of a source, read piece by piece.

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
    block::{Block, Rules, Split, split},
    columns::{FileColumns, Origin},
    format::Format,
    map::ColumnMap,
    parquet_file::{ParquetFile, next_batch},
    statement::{Entries, Remarks, StatementFile},
    text::TextFile,
};
use crate::Error;

/// Bytes of a text file that are divided into rows at a time: what is made of them fits the second-level cache.
pub(crate) const BLOCK_BYTES: usize = 512 * 1024;

/// Rows of a batch of a Parquet file, or of a file of statements.
const BATCH_ROWS: usize = 8 * 1024;

/// How a file is read.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) path: PathBuf,
    pub(crate) origins: Vec<Origin>,
    /// The names of a text file's columns, or of those of a file of statements that are read.
    pub(crate) header: Vec<String>,
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
    Entries {
        layout: Arc<Layout>,
        entries: Entries,
    },
    /// The file cannot be read on.
    Failed(Error),
}

/// A piece whose rows were told apart.
pub(crate) enum Portion {
    Begin { lines_above: u64, first_line: u64 },
    Rows { layout: Arc<Layout>, split: Split, columns: usize, is_unterminated: bool },
    Batch { layout: Arc<Layout>, batch: RecordBatch, lines: Vec<u64>, remarks: Remarks },
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
            Self::Batch { layout, batch } => {
                Portion::Batch { layout, batch, lines: Vec::new(), remarks: Remarks::default() }
            }
            Self::Entries { layout, entries } => {
                let names: Vec<&str> = layout.header.iter().map(String::as_str).collect();
                match entries.batch(&names) {
                    Ok(batch) => {
                        Portion::Batch { layout, batch, lines: entries.lines(), remarks: entries.remarks }
                    }
                    Err(source) => Portion::Failed(Error::Batch { path: layout.path.clone(), source }),
                }
            }
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
    Statement(Box<StatementFile<'a>>),
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
        Format::Camt | Format::Ofx | Format::Mt940 => FileColumns::of_statement(path, map),
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
                Open::Statement(file) => {
                    file.entries(BATCH_ROWS)?.map(|entries| Piece::Entries { layout, entries })
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
            Format::Camt | Format::Ofx | Format::Mt940 => {
                let origins = self.origins(path, &FileColumns::of_statement(path, self.map)?)?;
                let read = self.schema.fields().iter().zip(&origins);
                let read = read.filter(|(_, origin)| matches!(origin, Origin::File(_)));
                let names = read.map(|(field, _)| field.name().clone()).collect();
                let file = StatementFile::open(path, &self.map.source)?;
                (origins, names, Open::Statement(Box::new(file)), 0, 0)
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
