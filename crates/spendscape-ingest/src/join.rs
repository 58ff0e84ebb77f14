//! Files that are joined to the rows of a ledger's files, as a list of products is to get their classes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
};

use super::{
    chunk::{Limit, Position, Wanted},
    columns::FileColumns,
    map::{ColumnMap, Columns, Join, Partnerless, RowRules, TimeRules},
    places::Places,
    report::Example,
    source::{Source, columns_of},
};
use spendscape_schema::Tally;

use crate::{Error, RowProblem};
use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray, UInt32Array},
    compute::{cast, concat_batches, take},
    datatypes::{DataType, Field, FieldRef, Schema, SchemaRef},
    error::ArrowError,
};

impl Join {
    fn key(&self) -> &str {
        self.key.as_deref().unwrap_or(&self.on)
    }

    /// The joined file as a source of its own.
    fn as_map(&self) -> ColumnMap {
        ColumnMap {
            currency: String::new(),
            minor_digits: 0,
            source: self.source.clone(),
            types: self.types.clone(),
            columns: Columns::default(),
            amount: None,
            join: Vec::new(),
            time: TimeRules::default(),
            rows: RowRules::default(),
            folder: PathBuf::new(),
        }
    }
}

/// The joined files of a map, of which only the headers were read.
pub(crate) struct Joins<'a> {
    files: Vec<Header<'a>>,
    block_bytes: usize,
    /// Names that two columns have, and the file that brought the second.
    twins: BTreeMap<String, PathBuf>,
    /// All columns whose names tell them.
    pub(crate) schema: SchemaRef,
}

struct Header<'a> {
    join: &'a Join,
    path: PathBuf,
    map: ColumnMap,
    schema: Schema,
    /// The columns that it brings: their names in the file, by those that expressions know.
    brings: BTreeMap<String, String>,
}

impl<'a> Joins<'a> {
    /// Opens the files of a map; `found` are the columns of the ledger's first file.
    pub(crate) fn open(
        map: &'a ColumnMap,
        found: &FileColumns<'_>,
        block_bytes: usize,
    ) -> Result<Self, Error> {
        let mut fields: Vec<FieldRef> = found.schema().fields().iter().cloned().collect();
        let (mut files, mut twins): (Vec<Header<'a>>, _) = (Vec::new(), BTreeMap::new());
        for (join, path) in map.join.iter().zip(map.joined_files()) {
            if !fields.iter().any(|field| *field.name() == join.on) {
                return Err(found.missing(&join.on));
            }
            let map = join.as_map();
            let columns = columns_of(&map, std::slice::from_ref(&path), block_bytes)?;
            columns.find(join.key())?;
            let schema = columns.schema();
            let mut brings = BTreeMap::new();
            for field in schema.fields() {
                let name = format!("{}{}", join.prefix, field.name());
                if !fields.iter().any(|other| *other.name() == name) {
                    fields.push(Arc::new(Field::new(&name, field.data_type().clone(), true)));
                    brings.insert(name, field.name().clone());
                } else if field.name() != join.key() {
                    // Of a key both columns say the same.
                    twins.insert(name, path.clone());
                }
            }
            files.push(Header { join, path, map, schema, brings });
        }
        fields.retain(|field| !twins.contains_key(field.name()));
        Ok(Self { files, block_bytes, twins, schema: Arc::new(Schema::new(fields)) })
    }

    /// The error of a column that neither the ledger's files nor the joined ones have, or that two of them have.
    pub(crate) fn missing(&self, name: &str, found: &FileColumns<'_>) -> Error {
        if let Some(path) = self.twins.get(name) {
            return Error::JoinedTwin { path: path.clone(), column: name.to_owned() };
        }
        match found.missing(name) {
            Error::MissingColumn { path, column, text, .. } => {
                let names: Vec<&str> =
                    self.schema.fields().iter().map(|field| field.name().as_str()).collect();
                Error::MissingColumn { path, column, found: names.join(", "), text }
            }
            other => other,
        }
    }

    /// Reads the columns that are needed, and leaves in `columns` those that the ledger's files must give.
    pub(crate) fn load(self, columns: &mut BTreeSet<String>) -> Result<Vec<Joined>, Error> {
        let mut joined: Vec<Joined> = Vec::with_capacity(self.files.len());
        // The last file first: it may be joined by a column of one before it.
        for mut file in self.files.into_iter().rev() {
            file.brings.retain(|name, _| columns.remove(name));
            columns.insert(file.join.on.clone());
            joined.push(Joined::read(&file, self.block_bytes)?);
        }
        joined.reverse();
        Ok(joined)
    }
}

/// A joined file in memory.
#[derive(Debug)]
pub(crate) struct Joined {
    path: PathBuf,
    on: String,
    missing: Partnerless,
    /// The row of each key.
    rows: HashMap<String, u32>,
    /// The columns that are needed, under the names that expressions know.
    columns: RecordBatch,
}

impl Joined {
    fn read(file: &Header<'_>, block_bytes: usize) -> Result<Self, Error> {
        let key = file.join.key();
        let mut read: BTreeSet<String> = file.brings.values().cloned().collect();
        read.insert(key.to_owned());
        let files = [file.path.clone()];
        let mut source = Source::new(&file.map, &files, block_bytes, &file.schema, &read);
        let schema = source.schema().clone();
        let (wanted, all) = (Wanted { schema: &schema, map: &file.map }, (0..read.len()).collect::<Vec<_>>());
        let batch_error = |source| Error::Batch { path: file.path.clone(), source };
        let (mut rows, mut batches, mut places) = (HashMap::new(), Vec::new(), Places::default());
        let mut found: Vec<(u64, Option<u64>)> = Vec::new();
        while let Some(piece) = source.pieces(1).pop() {
            let Some(mut chunk) = places.place(piece.divide(), false).chunk(wanted)? else { continue };
            let batch = chunk.batch(&all, &schema, &file.map).map_err(batch_error)?;
            let keys = key_column(&batch, key).map_err(batch_error)?;
            for row in 0..keys.len() {
                let place = chunk.position.place(row, Some(key));
                let Some(value) = key_of(&keys, row) else {
                    return Err(Error::Row { place, problem: RowProblem::missing() });
                };
                let Ok(number) = u32::try_from(found.len()) else {
                    return Err(Error::Row { place, problem: RowProblem::TooManyKeys { limit: u32::MAX } });
                };
                if let Some(earlier) = rows.insert(value.to_owned(), number) {
                    let mut first = place.clone();
                    (first.row, first.line) = found[earlier as usize];
                    let problem = RowProblem::DuplicateKey { key: value.to_owned(), first: Box::new(first) };
                    return Err(Error::Row { place, problem });
                }
                found.push((place.row, place.line));
            }
            if let Some(failure) = chunk.failure.take() {
                return Err(failure);
            }
            batches.push(batch);
        }
        let all = concat_batches(&schema, &batches).map_err(batch_error)?;
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for (name, column) in &file.brings {
            let column = all.column_by_name(column).ok_or_else(|| unread(column)).map_err(batch_error)?;
            fields.push(Field::new(name, column.data_type().clone(), true));
            columns.push(column.clone());
        }
        let options = RecordBatchOptions::new().with_row_count(Some(all.num_rows()));
        let columns = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options);
        Ok(Self {
            path: file.path.clone(),
            on: file.join.on.clone(),
            missing: file.join.missing,
            rows,
            columns: columns.map_err(batch_error)?,
        })
    }

    /// The schema of rows after the join.
    pub(crate) fn schema(&self, before: &Schema) -> SchemaRef {
        let joined = self.columns.schema();
        Arc::new(Schema::new(before.fields().iter().chain(joined.fields()).cloned().collect::<Vec<_>>()))
    }

    /// Rows with the columns joined; `position` is that of the rows. Where the map refuses a row whose value the file does not
    /// have, the rows that can be taken end there.
    pub(crate) fn join(
        &self,
        batch: &RecordBatch,
        position: &Position,
        limit: &mut Limit,
        without: &mut Tally<Example>,
    ) -> Result<RecordBatch, Error> {
        let batch_error = |source| Error::Batch { path: position.path.clone(), source };
        let keys = key_column(batch, &self.on).map_err(batch_error)?;
        let mut partners = Vec::with_capacity(keys.len());
        for row in 0..keys.len() {
            let key = key_of(&keys, row);
            let partner = key.and_then(|key| self.rows.get(key)).copied();
            if partner.is_none() {
                let problem = || RowProblem::Partnerless {
                    key: key.unwrap_or_default().to_owned(),
                    path: self.path.clone(),
                };
                let place = || position.place(row, Some(&self.on));
                match self.missing {
                    Partnerless::Refuse => limit.fail(row, Error::Row { place: place(), problem: problem() }),
                    Partnerless::Null => {
                        without.add(|| Example { place: place(), why: problem().to_string() });
                    }
                }
            }
            partners.push(partner);
        }
        let partners = UInt32Array::from(partners);
        let taken = self.columns.columns().iter().map(|column| take(column, &partners, None));
        let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
        columns.extend(taken.collect::<Result<Vec<_>, _>>().map_err(batch_error)?);
        RecordBatch::try_new(self.schema(&batch.schema()), columns).map_err(batch_error)
    }
}

fn key_column(batch: &RecordBatch, name: &str) -> Result<StringArray, ArrowError> {
    let column = batch.column_by_name(name).ok_or_else(|| unread(name))?;
    Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
}

fn unread(column: &str) -> ArrowError {
    ArrowError::SchemaError(format!("column {column:?} was not read"))
}

/// The key of a row, if it has one.
fn key_of(keys: &StringArray, row: usize) -> Option<&str> {
    keys.is_valid(row).then(|| keys.value(row).trim()).filter(|key| !key.is_empty())
}
