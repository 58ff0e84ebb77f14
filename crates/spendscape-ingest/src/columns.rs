//! The columns of a file, as expressions see them: those in it, and the parts of its path that say `key=value`.

use std::path::{Path, PathBuf};

use arrow::datatypes::{DataType, Field, Schema};

use super::{
    common::{Clash, Rules, is_text_or_bytes},
    map::ColumnMap,
    parquet_file::ParquetFile,
    statement,
    text::TextFile,
};
use crate::{Error, error::Difference};

/// What Hive and Spark write into a path for null.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// The most columns of a file. Names are compared with one another, and those of a whole mebibyte would take hours.
const MOST_COLUMNS: usize = 4_096;

/// Where a column's values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The column of the file at this position.
    File(usize),
    /// One value for all rows: that of the path, or null where the file lacks the column.
    Constant(Option<String>),
}

/// A column of a file.
#[derive(Debug, Clone)]
pub(crate) struct Column<'a> {
    pub(crate) field: Field,
    pub(crate) origin: Origin,
    /// The file that its type comes from.
    path: &'a Path,
}

/// Why a column cannot be read over all files.
#[derive(Debug)]
struct Different {
    /// The column.
    name: String,
    /// It, or the field of it that is at fault.
    field: String,
    path: PathBuf,
    difference: Difference,
}

/// The columns of a file, or of several.
#[derive(Debug)]
pub(crate) struct FileColumns<'a> {
    path: &'a Path,
    columns: Vec<Column<'a>>,
    /// Names that two columns have.
    twins: Vec<String>,
    different: Vec<Different>,
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

    /// The columns of a Parquet file, of which texts may get a type.
    pub(crate) fn of_parquet(path: &'a Path, map: &ColumnMap, file: &ParquetFile<'_>) -> Result<Self, Error> {
        let fields = file.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
        Self::new(path, map, fields, false)
    }

    /// The columns of a file of statements.
    pub(crate) fn of_statement(path: &'a Path, map: &ColumnMap) -> Result<Self, Error> {
        Self::new(path, map, statement::fields(), false)
    }

    fn new(path: &'a Path, map: &ColumnMap, found: Vec<Field>, text: bool) -> Result<Self, Error> {
        if found.len() > MOST_COLUMNS {
            let (path, found) = (path.to_owned(), found.len());
            return Err(Error::ManyColumns { path, found, limit: MOST_COLUMNS });
        }
        let mut columns = Self { path, columns: Vec::new(), twins: Vec::new(), different: Vec::new(), text };
        let is_twin = |name: &str| found.iter().filter(|field| field.name() == name).count() > 1;
        for (at, field) in found.iter().enumerate() {
            if is_twin(field.name()) {
                columns.twins.push(field.name().clone());
            } else {
                columns.push(field.clone(), Origin::File(at));
            }
        }
        for (key, value) in partitions(path) {
            // What a file says itself counts.
            if !found.iter().any(|field| *field.name() == key) {
                columns.columns.retain(|column| *column.field.name() != key);
                columns.push(Field::new(key, DataType::Utf8, true), Origin::Constant(value));
            }
        }
        for (name, column) in &map.types {
            let at = match columns.position(name) {
                Err(Error::MissingColumn { .. }) if Rules::of(map).may_lack(name) => continue,
                found => found?,
            };
            let field = &mut columns.columns[at].field;
            if !is_text_or_bytes(field.data_type()) {
                return Err(Error::TypedColumn {
                    path: path.to_owned(),
                    column: name.clone(),
                    found: field.data_type().to_string(),
                });
            }
            *field = Field::new(name, column.data_type(), true);
        }
        Ok(columns)
    }

    fn push(&mut self, field: Field, origin: Origin) {
        self.columns.push(Column { field, origin, path: self.path });
    }

    /// Takes the columns of another Parquet file in: each has one type that holds the values of both, or cannot be read.
    pub(crate) fn join(&mut self, rules: &Rules<'_>, other: Self) {
        self.twins.extend(other.twins.iter().cloned());
        self.different.extend(other.different);
        for ours in std::mem::take(&mut self.columns) {
            let name = ours.field.name();
            let theirs = other.columns.iter().find(|theirs| theirs.field.name() == name);
            let Some(theirs) = theirs else {
                if other.twins.contains(name) {
                    continue;
                }
                if rules.may_lack(name) {
                    self.columns.push(ours);
                } else {
                    let difference = Difference::Missing { file: ours.path.to_owned() };
                    self.refuse(name, name.clone(), other.path, difference);
                }
                continue;
            };
            let (our_type, their_type) = (ours.field.data_type(), theirs.field.data_type());
            match rules.common(name, our_type, their_type) {
                Ok(common) => {
                    let path = if common == *our_type { ours.path } else { theirs.path };
                    let is_nullable =
                        |field: &Field| field.is_nullable() || field.data_type() == &DataType::Null;
                    let nullable = is_nullable(&ours.field) || is_nullable(&theirs.field);
                    let field = Field::new(name, common, nullable);
                    self.columns.push(Column { field, origin: ours.origin, path });
                }
                Err(clash) => self.refuse_clash(&ours, theirs, clash),
            }
        }
        for theirs in other.columns {
            let name = theirs.field.name();
            let is_known = self.columns.iter().any(|ours| ours.field.name() == name)
                || self.twins.contains(name)
                || self.different.iter().any(|different| different.name == *name);
            if is_known {
                continue;
            }
            if rules.may_lack(name) {
                self.columns.push(theirs);
            } else {
                let difference = Difference::Missing { file: theirs.path.to_owned() };
                self.refuse(name, name.clone(), self.path, difference);
            }
        }
    }

    /// Lets every file lack the columns that the map names for that.
    pub(crate) fn allow_absent(&mut self, map: &ColumnMap) {
        // What no text or Parquet file has is null, and the same in both.
        let unknown = if self.text { DataType::Utf8 } else { DataType::Null };
        for name in map.source.absent.iter().filter(|name| !name.contains('.')) {
            match self.columns.iter_mut().find(|column| column.field.name() == name) {
                Some(column) => column.field.set_nullable(true),
                None if self.twins.contains(name)
                    || self.different.iter().any(|other| other.name == *name) => {}
                None => {
                    let data_type = map.types.get(name).map_or(unknown.clone(), |column| column.data_type());
                    self.push(Field::new(name, data_type, true), Origin::Constant(None));
                }
            }
        }
    }

    fn refuse_clash(&mut self, ours: &Column<'_>, theirs: &Column<'_>, clash: Clash) {
        let name = ours.field.name();
        let (expected, found) = (ours.field.data_type().to_string(), theirs.field.data_type().to_string());
        let file = ours.path.to_owned();
        match clash {
            Clash::Types => {
                self.refuse(name, name.clone(), theirs.path, Difference::Types { file, expected, found });
            }
            Clash::Zones => {
                self.refuse(name, name.clone(), theirs.path, Difference::Zones { file, expected, found });
            }
            Clash::Field { name: field, first: false } => {
                self.refuse(name, field, theirs.path, Difference::Missing { file });
            }
            Clash::Field { name: field, first: true } => {
                let file = theirs.path.to_owned();
                self.refuse(name, field, ours.path, Difference::Missing { file });
            }
        }
    }

    fn refuse(&mut self, name: &str, field: String, path: &Path, difference: Difference) {
        self.different.push(Different { name: name.to_owned(), field, path: path.to_owned(), difference });
    }

    fn position(&self, name: &str) -> Result<usize, Error> {
        self.columns.iter().position(|column| column.field.name() == name).ok_or_else(|| self.missing(name))
    }

    /// The error of a column that is not there, or there twice, or differs between files.
    pub(crate) fn missing(&self, name: &str) -> Error {
        let (path, column) = (self.path.to_owned(), name.to_owned());
        if self.twins.contains(&column) {
            return Error::DuplicateColumn { path, column, text: self.text };
        }
        if let Some(different) = self.different.iter().find(|different| different.name == name) {
            return Error::DifferentColumn {
                path: different.path.clone(),
                column: different.field.clone(),
                difference: different.difference.clone(),
            };
        }
        let found: Vec<&str> = self.columns.iter().map(|column| column.field.name().as_str()).collect();
        Error::MissingColumn { path, column, found: found.join(", "), text: self.text }
    }

    /// Type and origin of a column.
    ///
    /// # Errors
    /// If there is none of that name, or if there are two.
    pub(crate) fn find(&self, name: &str) -> Result<&Column<'a>, Error> {
        self.position(name).map(|at| &self.columns[at])
    }

    /// The columns whose names tell them.
    pub(crate) fn schema(&self) -> Schema {
        Schema::new(self.columns.iter().map(|column| column.field.clone()).collect::<Vec<_>>())
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
