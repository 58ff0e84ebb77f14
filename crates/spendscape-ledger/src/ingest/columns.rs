//! The columns of a file, as expressions see them: those in it, and the parts of its path that say `key=value`.

use std::path::Path;

use arrow::datatypes::{DataType, Field, Schema};

use super::{map::ColumnMap, parquet_file::ParquetFile, statement, text::TextFile};
use crate::Error;

/// What Hive and Spark write into a path for null.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// Where a column's values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The column of the file at this position.
    File(usize),
    /// One value for all rows.
    Path(Option<String>),
}

/// The columns of a file.
#[derive(Debug)]
pub(crate) struct FileColumns<'a> {
    path: &'a Path,
    fields: Vec<(Field, Origin)>,
    /// Names that two columns have.
    twins: Vec<String>,
    /// Whether the file is a text file.
    text: bool,
}

impl<'a> FileColumns<'a> {
    /// The columns of a text file, which are text but where the map gives a type.
    pub(crate) fn of_text(path: &'a Path, map: &ColumnMap, file: &TextFile<'_>) -> Result<Self, Error> {
        let is_null = !map.source.nulls.is_empty();
        let fields = file.header().iter().map(|name| Field::new(name, DataType::Utf8, is_null));
        Self::new(path, map, fields.collect(), true)
    }

    /// The columns of a Parquet file, of which texts may get a type and UUIDs are texts.
    pub(crate) fn of_parquet(path: &'a Path, map: &ColumnMap, file: &ParquetFile<'_>) -> Result<Self, Error> {
        let field = |(at, field): (usize, &arrow::datatypes::FieldRef)| match file.is_uuid(at) {
            true => Field::new(field.name(), DataType::Utf8, field.is_nullable()),
            false => field.as_ref().clone(),
        };
        Self::new(path, map, file.schema().fields().iter().enumerate().map(field).collect(), false)
    }

    /// The columns of a file of statements.
    pub(crate) fn of_statement(path: &'a Path, map: &ColumnMap) -> Result<Self, Error> {
        Self::new(path, map, statement::fields(), false)
    }

    fn new(path: &'a Path, map: &ColumnMap, found: Vec<Field>, text: bool) -> Result<Self, Error> {
        let mut columns = Self { path, fields: Vec::with_capacity(found.len()), twins: Vec::new(), text };
        let is_twin = |name: &str| found.iter().filter(|field| field.name() == name).count() > 1;
        for (at, field) in found.iter().enumerate() {
            if is_twin(field.name()) {
                columns.twins.push(field.name().clone());
            } else {
                columns.fields.push((field.clone(), Origin::File(at)));
            }
        }
        for (key, value) in partitions(path) {
            // What a file says itself counts.
            if !found.iter().any(|field| *field.name() == key) {
                columns.fields.retain(|(field, _)| *field.name() != key);
                columns.fields.push((Field::new(key, DataType::Utf8, true), Origin::Path(value)));
            }
        }
        for (name, column) in &map.types {
            let at = columns.position(name)?;
            let field = &mut columns.fields[at].0;
            if !is_text(field.data_type()) {
                return Err(Error::TypedColumn {
                    path: path.to_owned(),
                    column: name.clone(),
                    found: field.data_type().to_string(),
                });
            }
            let (precision, scale) = column.digits();
            *field = Field::new(name, DataType::Decimal128(precision, scale as i8), true);
        }
        Ok(columns)
    }

    fn position(&self, name: &str) -> Result<usize, Error> {
        self.fields.iter().position(|(field, _)| field.name() == name).ok_or_else(|| self.missing(name))
    }

    /// The error of a column that is not there, or there twice.
    pub(crate) fn missing(&self, name: &str) -> Error {
        let (path, column) = (self.path.to_owned(), name.to_owned());
        if self.twins.contains(&column) {
            return Error::DuplicateColumn { path, column };
        }
        let found: Vec<&str> = self.fields.iter().map(|(field, _)| field.name().as_str()).collect();
        Error::MissingColumn { path, column, found: found.join(", "), text: self.text }
    }

    /// Type and origin of a column.
    ///
    /// # Errors
    /// If there is none of that name, or if there are two.
    pub(crate) fn find(&self, name: &str) -> Result<&(Field, Origin), Error> {
        self.position(name).map(|at| &self.fields[at])
    }

    /// The columns whose names tell them.
    pub(crate) fn schema(&self) -> Schema {
        Schema::new(self.fields.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>())
    }
}

/// Whether values are texts.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// The folders of a path that are called `key=value`, as Hive, Spark and DuckDB partition tables.
fn partitions(path: &Path) -> Vec<(String, Option<String>)> {
    let folders = path.parent().into_iter().flat_map(Path::components);
    let pairs = folders.filter_map(|folder| {
        let (key, value) = folder.as_os_str().to_str()?.split_once('=')?;
        (!key.is_empty()).then(|| (unescaped(key), (value != NO_VALUE).then(|| unescaped(value))))
    });
    pairs.collect()
}

/// A part of a path without its escapes, `%` and two hexadecimal digits, as far as they are some.
fn unescaped(part: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(part.len()), part.as_bytes());
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_with_an_equals_sign_are_columns() {
        let of = |path: &str| partitions(Path::new(path));
        let pair = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
        assert_eq!(of("/a/year=2019/town=K%C3%B6ln/x=y.csv"), [pair("year", "2019"), pair("town", "Köln")]);
        assert_eq!(of("dt=2019-05-02%2010%3A00/part"), [pair("dt", "2019-05-02 10:00")]);
        assert_eq!(of("a=__HIVE_DEFAULT_PARTITION__/b"), [("a".to_owned(), None)]);
        assert_eq!(of("a=b=c/=d/e/p"), [pair("a", "b=c")]);
        assert_eq!(of("a=100%/b=%zz/c=%ff/p"), [pair("a", "100%"), pair("b", "%zz"), pair("c", "%ff")]);
    }
}
