//! Digests of content: a table's schema and values, or a file's bytes.

use std::{fmt, io::Read, path::Path};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringArray},
    datatypes::{
        ArrowPrimitiveType, DataType, Date32Type, Float32Type, Float64Type, Int32Type, Int64Type, Schema,
        TimeUnit, TimestampMillisecondType, ToByteSlice, UInt16Type, UInt32Type,
    },
};
use serde::{Deserialize, Serialize};

use crate::{Error, file::io_error};

/// A BLAKE3 digest, written as 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes).to_hex().to_string())
    }

    /// The digest of a file's bytes.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read.
    pub fn of_file(path: &Path) -> Result<Self, Error> {
        let mut file = std::fs::File::open(path).map_err(io_error("open", path))?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; 1 << 20];
        loop {
            match file.read(&mut buffer).map_err(io_error("read", path))? {
                0 => return Ok(Self(hasher.finalize().to_hex().to_string())),
                n => hasher.update(&buffer[..n]),
            };
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Digests a table batch by batch; how rows are split into batches does not matter.
///
/// Each column has a hasher of its own over its values in row order: fixed-width values as little-endian bytes, text
/// and lists with their lengths in front, and a byte per value that says whether it is null. The digest is that of the
/// columns' names, types and digests, and of the schema's metadata in key order.
#[derive(Debug)]
pub struct DigestOf {
    header: Vec<u8>,
    columns: Vec<blake3::Hasher>,
    scratch: Vec<u8>,
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
        Self { header, columns: vec![blake3::Hasher::new(); schema.fields().len()], scratch: Vec::new() }
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
        for (hasher, column) in self.columns.iter_mut().zip(batch.columns()) {
            self.scratch.clear();
            bytes_of(column, &mut self.scratch);
            hasher.update(&self.scratch);
        }
    }

    /// The digest of everything added.
    #[must_use]
    pub fn finish(self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.header);
        for column in &self.columns {
            hasher.update(column.finalize().as_bytes());
        }
        Digest(hasher.finalize().to_hex().to_string())
    }
}

fn text(bytes: &mut Vec<u8>, value: &str) {
    bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
    bytes.extend_from_slice(value.as_bytes());
}

/// Appends the canonical bytes of a column.
fn bytes_of(column: &ArrayRef, bytes: &mut Vec<u8>) {
    bytes
        .extend((0..column.len()).filter(|_| column.is_nullable()).map(|row| u8::from(column.is_valid(row))));
    match column.data_type() {
        DataType::Utf8 => {
            for value in column.as_string::<i32>() {
                text(bytes, value.unwrap_or_default());
            }
        }
        DataType::Dictionary(_, _) => {
            let dictionary = column.as_dictionary::<Int32Type>();
            let values: &StringArray = dictionary.values().as_string();
            for key in dictionary.keys() {
                text(bytes, key.map_or("", |key| values.value(key as usize)));
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
        DataType::FixedSizeList(_, _) => {
            let list = column.as_fixed_size_list();
            let width = list.value_length() as usize;
            // The child of a sliced list is the whole child.
            bytes_of(&list.values().slice(list.value_offset(0) as usize, list.len() * width), bytes);
        }
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
