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
use spendscape_store::{Digest, DigestedFile};

use super::{
    block::{Block, Rules, Split, split},
    columns::{FileColumns, Origin},
    common,
    map::{ColumnMap, Format},
    parquet_file::{Batches, ParquetFile},
    statement::{Entries, Remarks, StatementFile},
    text::TextFile,
    unpack::Text,
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

/// What is known of a file before its rows.
#[derive(Debug, Default)]
pub(crate) struct Begin {
    /// Lines above the header, or above the first row of a file without one.
    pub(crate) lines_above: u64,
    /// The line that the rows begin on or above.
    pub(crate) first_line: u64,
    /// Columns that are read and that the file lacks.
    pub(crate) absent: Vec<String>,
}

/// What is read of a file at a time. What is made of it can be made of several pieces at once.
pub(crate) enum Piece {
    /// The first piece of every file.
    Begin(Begin),
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
    Begin(Begin),
    Rows { layout: Arc<Layout>, split: Split, columns: usize, is_unterminated: bool },
    Batch { layout: Arc<Layout>, batch: RecordBatch, lines: Vec<u64>, remarks: Remarks },
    Failed(Error),
}

impl Piece {
    /// Tells rows apart.
    pub(crate) fn divide(self) -> Portion {
        match self {
            Self::Begin(begin) => Portion::Begin(begin),
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
    /// The digests of the text files that were read, if they are wanted, and the file at hand.
    digests: Option<Vec<Digest>>,
    digested: Option<DigestedFile>,
}

enum Open<'a> {
    Text(Box<TextFile<'a>>),
    Parquet(Batches),
    Statement(Box<StatementFile<'a>>),
}

/// The columns of the files, with the types that expressions see. Text files have those of the first: all are text.
pub(crate) fn columns_of<'a>(
    map: &ColumnMap,
    files: &'a [PathBuf],
    block_bytes: usize,
) -> Result<FileColumns<'a>, Error> {
    let [first, others @ ..] = files else { return Err(Error::NoFiles { pattern: String::new() }) };
    let mut columns = match map.source.format {
        Format::Csv => FileColumns::of_text(first, map, &TextFile::open(first, &map.source, block_bytes)?)?,
        Format::Parquet => {
            let mut columns = FileColumns::of_parquet(first, map, &ParquetFile::open(first)?)?;
            for path in others {
                let other = FileColumns::of_parquet(path, map, &ParquetFile::open(path)?)?;
                columns.join(&common::Rules::of(map), other);
            }
            columns
        }
        Format::Camt | Format::Ofx | Format::Mt940 => FileColumns::of_statement(first, map)?,
    };
    columns.allow_absent(map);
    Ok(columns)
}

impl<'a> Source<'a> {
    /// A source of which only some columns are read; `schema` is that of all files.
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
        let schema = Arc::new(Schema::new(fields));
        Self { map, files, block_bytes, schema, next: 0, current: None, digests: None, digested: None }
    }

    /// Takes the digests of text files too.
    pub(crate) fn with_digests(self, wanted: bool) -> Self {
        Self { digests: wanted.then(Vec::new), ..self }
    }

    /// The digests of the files that were read.
    pub(crate) fn take_digests(&mut self) -> Vec<Digest> {
        self.digests.take().unwrap_or_default()
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

    /// Takes buffers of pieces back, for the next ones.
    pub(crate) fn take_back(&mut self, buffers: Vec<Vec<u8>>) {
        if let Some((_, Open::Text(file))) = &mut self.current {
            file.spare.extend(buffers);
        }
    }

    fn piece(&mut self) -> Result<Option<Piece>, Error> {
        if let Some((layout, open)) = &mut self.current {
            let layout = layout.clone();
            let piece = match open {
                Open::Text(file) => file.next()?.map(|(block, rules)| Piece::Block { layout, block, rules }),
                Open::Parquet(batches) => {
                    let batch = batches.next(&layout.path)?;
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
            if let (Some(digests), Some(file)) = (&mut self.digests, self.digested.take()) {
                let read = |source| Error::Read { path: self.files[self.next - 1].clone(), source };
                digests.push(file.finish().map_err(read)?);
            }
        }
        let Some(path) = self.files.get(self.next) else { return Ok(None) };
        self.next += 1;
        self.open(path).map(Some)
    }

    fn open(&mut self, path: &'a Path) -> Result<Piece, Error> {
        let mut begin = Begin::default();
        let absent = &mut begin.absent;
        let (origins, header, open) = match self.map.source.format {
            Format::Csv => {
                let format = &self.map.source;
                let text = if self.digests.is_some() {
                    let (text, file) = Text::open_digested(path, format.encoding)?;
                    self.digested = Some(file);
                    text
                } else {
                    Text::open(path, format.encoding)?
                };
                let mut file = TextFile::of(path, text, format, self.block_bytes)?;
                let origins = self.origins(&FileColumns::of_text(path, self.map, &file)?, absent)?;
                file.rules.wanted = from_file(&origins);
                (begin.lines_above, begin.first_line) = (file.lines_above, file.first_line);
                (origins, file.header().to_vec(), Open::Text(Box::new(file)))
            }
            Format::Parquet => {
                let file = ParquetFile::open(path)?;
                let origins = self.origins(&FileColumns::of_parquet(path, self.map, &file)?, absent)?;
                let batches = file.batches(&from_file(&origins), BATCH_ROWS)?;
                (origins, Vec::new(), Open::Parquet(batches))
            }
            Format::Camt | Format::Ofx | Format::Mt940 => {
                let origins = self.origins(&FileColumns::of_statement(path, self.map)?, absent)?;
                let read = self.schema.fields().iter().zip(&origins);
                let read = read.filter(|(_, origin)| matches!(origin, Origin::File(_)));
                let names = read.map(|(field, _)| field.name().clone()).collect();
                let file = StatementFile::open(path, &self.map.source)?;
                (origins, names, Open::Statement(Box::new(file)))
            }
        };
        let layout = Layout { path: path.to_owned(), origins, header };
        self.current = Some((Arc::new(layout), open));
        Ok(Piece::Begin(begin))
    }

    /// Where the columns of a file come from.
    fn origins(&self, columns: &FileColumns<'_>, absent: &mut Vec<String>) -> Result<Vec<Origin>, Error> {
        let rules = common::Rules::of(self.map);
        let origin = |wanted: &Arc<Field>| match columns.find(wanted.name()) {
            Ok(column) => Ok(column.origin.clone()),
            Err(Error::MissingColumn { .. }) if rules.may_lack(wanted.name()) => {
                absent.push(wanted.name().clone());
                Ok(Origin::Constant(None))
            }
            Err(error) => Err(error),
        };
        self.schema.fields().iter().map(origin).collect()
    }
}

/// The columns that come from a file, by their positions.
fn from_file(origins: &[Origin]) -> Vec<usize> {
    let position = |origin: &Origin| match origin {
        Origin::File(at) => Some(*at),
        Origin::Constant(_) => None,
    };
    origins.iter().filter_map(position).collect()
}
