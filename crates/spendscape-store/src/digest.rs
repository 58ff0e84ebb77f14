//! Digests of content: a table's schema and values, or a file's bytes.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arrow::{
    array::{Array, ArrayRef, AsArray, Int32Array, RecordBatch, StringArray},
    datatypes::{
        ArrowPrimitiveType, DataType, Date32Type, Float32Type, Float64Type, Int32Type, Int64Type, Schema,
        TimeUnit, TimestampMillisecondType, ToByteSlice, UInt16Type, UInt32Type,
    },
};

use crate::{Digest, Error, file::io_error, fixed};

/// Bytes of a file that are digested at a time.
const FILE_BYTES: usize = 1 << 20;

/// Bytes that are copied for a text and its length, if it has no more: a copy of a fixed size is an instruction or two.
const COPIED: usize = 32;

/// Rows whose texts are copied at a time.
const ROWS: usize = 512;

/// Bytes of a text of no length.
const EMPTY: usize = size_of::<u64>();

impl Digest {
    /// The digest of a file's bytes. What is digested is read again, so that only a file will do: a pipe would be empty then,
    /// and a device may have no end.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read, or is none.
    pub fn of_file(path: &Path) -> Result<Self, Error> {
        // A pipe that nobody writes to is not opened at all.
        let kind = std::fs::metadata(path).map_err(io_error("open", path))?.file_type();
        if !kind.is_file() && !kind.is_dir() {
            let source =
                io::Error::new(io::ErrorKind::InvalidInput, "it is no file: save what it gives to one first");
            return Err(Error::Io { action: "read", path: path.to_owned(), source });
        }
        let mut file = File::open(path).map_err(io_error("open", path))?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; FILE_BYTES];
        loop {
            match file.read(&mut buffer).map_err(io_error("read", path))? {
                0 => return Ok(Self::of_hash(hasher.finalize())),
                n => hasher.update(&buffer[..n]),
            };
        }
    }
}

/// A file whose digest is taken while somebody reads it. Clones are the same file, read on by each of them.
#[derive(Debug, Clone)]
pub struct DigestedFile(Arc<Mutex<Digested>>);

#[derive(Debug)]
struct Digested {
    file: File,
    hasher: blake3::Hasher,
}

impl DigestedFile {
    /// A file of which nothing was read yet.
    #[must_use]
    pub fn new(file: File) -> Self {
        Self(Arc::new(Mutex::new(Digested { file, hasher: blake3::Hasher::new() })))
    }

    /// The digest of the file's bytes, of which those are read now that nobody has read.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn finish(&self) -> io::Result<Digest> {
        io::copy(&mut self.clone(), &mut io::sink())?;
        Ok(Digest::of_hash(self.state().hasher.finalize()))
    }

    fn state(&self) -> MutexGuard<'_, Digested> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for DigestedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        let count = state.file.read(buffer)?;
        state.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

/// Digests a table batch by batch; how rows are split into batches does not matter.
///
/// Each column has a hasher of its own over its values in row order: fixed-width values as little-endian bytes, text
/// and lists with their lengths in front; where there are nulls, their rows follow at the end. The digest is that of the
/// columns' names, types and digests, and of the schema's metadata in key order.
#[derive(Debug)]
pub struct DigestOf {
    header: Vec<u8>,
    columns: Vec<ColumnDigest>,
}

/// Values and nulls of a column apart, so that it does not matter into which batches the rows are divided.
#[derive(Debug, Default)]
pub(crate) struct ColumnDigest {
    values: blake3::Hasher,
    /// The rows that are null.
    nulls: blake3::Hasher,
    rows: u64,
    any_null: bool,
    scratch: Vec<u8>,
    texts: Option<Texts>,
}

/// The texts of a dictionary with their lengths in front. Each is made when it is first met, because a dictionary may hold many
/// that no row names, and kept for as long as rows have the same dictionary.
#[derive(Debug)]
struct Texts {
    dictionary: ArrayRef,
    made: Vec<u8>,
    /// Where each lies in what was made; nowhere if it was not.
    places: Vec<(usize, usize)>,
}

impl ColumnDigest {
    /// Adds values.
    pub(crate) fn update(&mut self, column: &ArrayRef) {
        if column.null_count() > 0 {
            self.any_null = true;
            for row in (0..column.len()).filter(|row| column.is_null(*row)) {
                self.nulls.update(&(self.rows + row as u64).to_le_bytes());
            }
        }
        self.rows += column.len() as u64;
        if let Some(bytes) = bytes_in_place(column) {
            self.values.update(bytes);
            return;
        }
        self.scratch.clear();
        if let Some(column) = column.as_dictionary_opt::<Int32Type>() {
            let texts = self.texts.take().filter(|known| Arc::ptr_eq(&known.dictionary, column.values()));
            let texts = self.texts.insert(texts.unwrap_or_else(|| Texts::of(column.values())));
            texts.append(column.keys(), &mut self.scratch);
        } else {
            bytes_of(column, &mut self.scratch);
        }
        self.values.update(&self.scratch);
    }

    fn finish(mut self) -> blake3::Hash {
        if self.any_null {
            self.values.update(self.nulls.finalize().as_bytes());
        }
        self.values.finalize()
    }
}

impl DigestOf {
    /// Starts the digest of a table.
    #[must_use]
    pub fn table(schema: &Schema) -> Self {
        let mut header = Vec::new();
        let mut metadata: Vec<_> = schema.metadata().iter().collect();
        metadata.sort();
        for (key, value) in metadata {
            text(&mut header, key);
            text(&mut header, value);
        }
        for field in schema.fields() {
            text(&mut header, field.name());
            text(&mut header, &field.data_type().to_string());
        }
        Self { header, columns: schema.fields().iter().map(|_| ColumnDigest::default()).collect() }
    }

    /// The digest of a table that is one batch.
    #[must_use]
    pub fn batch(batch: &RecordBatch) -> Digest {
        let mut digest = Self::table(batch.schema_ref());
        digest.update(batch);
        digest.finish()
    }

    /// Adds rows.
    ///
    /// # Panics
    /// If a column has a type that no table of the schema crate has.
    pub fn update(&mut self, batch: &RecordBatch) {
        for (digest, column) in self.columns.iter_mut().zip(batch.columns()) {
            digest.update(column);
        }
    }

    /// The columns, whose values may be added beside each other.
    pub(crate) fn columns(&mut self) -> &mut [ColumnDigest] {
        &mut self.columns
    }

    /// The digest of everything added.
    #[must_use]
    pub fn finish(self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.header);
        for column in self.columns {
            hasher.update(column.finish().as_bytes());
        }
        Digest::of_hash(hasher.finalize())
    }
}

fn text(bytes: &mut Vec<u8>, value: &str) {
    bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
    bytes.extend_from_slice(value.as_bytes());
}

impl Texts {
    fn of(dictionary: &ArrayRef) -> Self {
        Self { dictionary: dictionary.clone(), made: Vec::new(), places: vec![(0, 0); dictionary.len()] }
    }

    /// Appends the texts that the rows name.
    fn append(&mut self, keys: &Int32Array, bytes: &mut Vec<u8>) {
        let dictionary = self.dictionary.clone();
        let values: &StringArray = dictionary.as_string();
        // Room for some rows is made at once, and what they left of it is taken back: zeros, as is what is copied behind a text.
        for first in (0..keys.len()).step_by(ROWS) {
            let keys = keys.slice(first, ROWS.min(keys.len() - first));
            let mut at = bytes.len();
            bytes.resize(at + keys.len() * COPIED, 0);
            for key in &keys {
                let (from, to) = match key {
                    Some(key) => self.place(key as usize, values),
                    None => {
                        at += EMPTY;
                        continue;
                    }
                };
                match (self.made[from..].first_chunk::<COPIED>(), bytes[at..].first_chunk_mut()) {
                    (Some(copied), Some(room)) if to - from <= COPIED => *room = *copied,
                    _ => {
                        bytes.resize(bytes.len() + (to - from), 0);
                        bytes[at..at + (to - from)].copy_from_slice(&self.made[from..to]);
                    }
                }
                at += to - from;
            }
            bytes.truncate(at);
        }
    }

    /// Where the text of a key lies.
    #[inline]
    fn place(&mut self, key: usize, values: &StringArray) -> (usize, usize) {
        if self.places[key].1 == 0 {
            let first = self.made.len();
            text(&mut self.made, values.value(key));
            self.places[key] = (first, self.made.len());
            self.made.resize(self.made.len() + COPIED, 0);
        }
        self.places[key]
    }
}

/// The canonical bytes of a column's values, where these are as they lie in memory.
fn bytes_in_place(column: &ArrayRef) -> Option<&[u8]> {
    if column.null_count() > 0 {
        return None;
    }
    match column.data_type() {
        DataType::Int64 => Some(column.as_primitive::<Int64Type>().values().to_byte_slice()),
        DataType::Float64 => Some(column.as_primitive::<Float64Type>().values().to_byte_slice()),
        DataType::Timestamp(TimeUnit::Millisecond, None) => {
            Some(column.as_primitive::<TimestampMillisecondType>().values().to_byte_slice())
        }
        DataType::FixedSizeList(_, _) => fixed::bytes_of(column.as_fixed_size_list()),
        _ => None,
    }
}

/// Appends the canonical bytes of a column's values.
fn bytes_of(column: &ArrayRef, bytes: &mut Vec<u8>) {
    match column.data_type() {
        DataType::Utf8 => {
            for value in column.as_string::<i32>() {
                text(bytes, value.unwrap_or_default());
            }
        }
        DataType::Boolean => {
            bytes.extend(column.as_boolean().iter().map(|flag| u8::from(flag == Some(true))));
        }
        DataType::UInt16 => primitive::<UInt16Type>(column, bytes),
        DataType::UInt32 => primitive::<UInt32Type>(column, bytes),
        DataType::Int64 => primitive::<Int64Type>(column, bytes),
        DataType::Date32 => primitive::<Date32Type>(column, bytes),
        DataType::Timestamp(TimeUnit::Millisecond, None) => {
            primitive::<TimestampMillisecondType>(column, bytes);
        }
        DataType::Float32 => primitive::<Float32Type>(column, bytes),
        DataType::Float64 => primitive::<Float64Type>(column, bytes),
        DataType::FixedSizeList(_, _) => bytes_of(column.as_fixed_size_list().values(), bytes),
        DataType::List(_) => {
            for value in column.as_list::<i32>().iter() {
                let value = value.unwrap_or_else(|| column.as_list::<i32>().values().slice(0, 0));
                bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
                bytes_of(&value, bytes);
            }
        }
        other => unreachable!("no table has a column of type {other}"),
    }
}

fn primitive<T: ArrowPrimitiveType>(column: &ArrayRef, bytes: &mut Vec<u8>) {
    let values = column.as_primitive::<T>();
    if values.null_count() == 0 {
        bytes.extend_from_slice(values.values().inner().typed_data::<T::Native>().to_byte_slice());
    } else {
        for value in values {
            bytes.extend_from_slice(value.unwrap_or_default().to_byte_slice());
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::{
        array::{DictionaryArray, FixedSizeListArray, Float32Array},
        datatypes::Field,
    };
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_file_is_refused_rather_than_read_without_end() {
        for path in ["/dev/zero", "/dev/null", "."] {
            let error = Digest::of_file(Path::new(path)).unwrap_err();
            assert!(error.is_bad_input() && error.to_string().contains(path), "{error}");
        }
    }

    /// What a column in some batches is digested to.
    fn digested(batches: &[ArrayRef]) -> blake3::Hash {
        let mut digest = ColumnDigest::default();
        batches.iter().for_each(|batch| digest.update(batch));
        digest.finish()
    }

    /// A batch may be some rows of a longer one, whose vectors lie before and behind in memory, with and without missing ones.
    #[test]
    fn vectors_of_some_rows_are_digested_alone() {
        let vectors = |rows: std::ops::Range<usize>, missing: Option<usize>| -> ArrayRef {
            let values = (3 * rows.start..3 * rows.end).map(|value| value as f32);
            let nulls = missing.map(|missing| rows.map(|row| row != missing).collect());
            let field = Arc::new(Field::new_list_field(DataType::Float32, false));
            let values = Arc::new(Float32Array::from_iter_values(values));
            Arc::new(FixedSizeListArray::new(field, 3, values, nulls))
        };
        for missing in [None, Some(4)] {
            let whole = vectors(0..9, missing);
            let alone = digested(&[vectors(2..7, missing)]);
            assert_eq!(digested(&[whole.slice(2, 5)]), alone);
            assert_eq!(digested(&[whole.slice(2, 1), whole.slice(3, 0), whole.slice(3, 4)]), alone);
            assert_ne!(digested(&[whole.slice(0, 5)]), alone);
        }
    }

    #[test]
    fn a_file_has_one_digest_whoever_reads_how_much_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for bytes in [0, 1, FILE_BYTES - 1, FILE_BYTES, 2 * FILE_BYTES, 3 * FILE_BYTES + 7] {
            let content: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
            std::fs::write(&path, &content).unwrap();
            let expected = Digest::of(&content);
            assert_eq!(Digest::of_file(&path).unwrap(), expected);
            for read in [0, 1, bytes / 2, bytes] {
                let mut file = DigestedFile::new(File::open(&path).unwrap());
                file.clone().read_exact(&mut vec![0; read.min(bytes)]).unwrap();
                assert_eq!(file.finish().unwrap(), expected, "{read} of {bytes}");
                assert_eq!(file.read(&mut [0]).unwrap(), 0);
            }
        }
    }

    proptest! {
        /// A dictionary is digested as its rows are, whatever else it holds: nulls, values twice or not named, of any
        /// length; also if two batches share it, and beyond the rows that are copied at a time.
        #[test]
        fn categories_are_the_texts_of_their_rows(
            values in prop::collection::vec("[a-z\u{e9}]{0,50}", 1..20),
            keys in prop::collection::vec(prop::option::weighted(0.9, 0..20_usize), 0..3 * ROWS),
            first in 0.0..=1.0_f64,
        ) {
            let keys: Vec<Option<usize>> = keys.into_iter().map(|key| Some(key? % values.len())).collect();
            let rows: StringArray = keys.iter().map(|key| Some(values[(*key)?].as_str())).collect();
            let keys: Int32Array = keys.iter().map(|key| Some((*key)? as i32)).collect();
            let dictionary = DictionaryArray::new(keys, Arc::new(StringArray::from(values)));
            let first = (first * rows.len() as f64) as usize;
            let batches = [(0, first), (first, rows.len() - first)]
                .map(|(from, count)| -> ArrayRef { Arc::new(dictionary.slice(from, count)) });
            prop_assert_eq!(digested(&batches), digested(&[Arc::new(rows)]));
        }
    }
}
