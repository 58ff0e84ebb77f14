//! The versioned tables and their columns.

mod column;
mod list;

use std::{collections::HashMap, sync::Arc};

use arrow::datatypes::{Field, Schema, SchemaRef};

pub use self::{
    column::{Column, Kind},
    list::Table,
};
use crate::{Axes, Axis, Error};

pub(crate) const TABLE_KEY: &str = "spendscape.table";
const VERSION_KEY: &str = "spendscape.version";

impl Table {
    /// The axes of its vector columns.
    #[must_use]
    pub fn axes(self) -> Vec<Axis> {
        let mut axes: Vec<Axis> = self
            .columns()
            .iter()
            .filter_map(|column| match column.kind {
                Kind::Vector32(axis) | Kind::Vector64(axis) => Some(axis),
                _ => None,
            })
            .collect();
        axes.sort_unstable();
        axes.dedup();
        axes
    }

    /// The Arrow schema without the optional columns.
    ///
    /// # Errors
    /// [`Error::MissingAxis`] if `axes` lacks the labels of a vector column.
    pub fn schema(self, axes: &Axes) -> Result<SchemaRef, Error> {
        self.schema_with(axes, &[])
    }

    /// The Arrow schema with the optional columns named.
    ///
    /// # Errors
    /// [`Error::MissingAxis`] if `axes` lacks the labels of a vector column, [`Error::MissingColumn`] if the table has
    /// no optional column of a given name.
    pub fn schema_with(self, axes: &Axes, optional: &[&str]) -> Result<SchemaRef, Error> {
        if let Some(unknown) =
            optional.iter().find(|name| !self.columns().iter().any(|c| c.optional && c.name == **name))
        {
            return Err(Error::MissingColumn {
                table: self.name().to_owned(),
                column: (*unknown).to_owned(),
            });
        }
        let axes = axes.only(&self.axes());
        let mut fields = Vec::new();
        for column in self.columns() {
            if !column.optional || optional.contains(&column.name) {
                fields.push(Field::new(column.name, column.kind.data_type(&axes)?, column.nullable));
            }
        }
        let mut metadata = HashMap::from([
            (TABLE_KEY.to_owned(), self.name().to_owned()),
            (VERSION_KEY.to_owned(), self.version().to_string()),
        ]);
        axes.write(&mut metadata);
        Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
    }

    /// The schema of a file that [passes the check](Self::check), without whatever else the file's metadata hold.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn canonical(self, schema: &Schema) -> Result<SchemaRef, Error> {
        let axes = self.check(schema)?;
        let present = |column: &&Column| column.optional && schema.field_with_name(column.name).is_ok();
        let optional: Vec<&str> = self.columns().iter().filter(present).map(|column| column.name).collect();
        self.schema_with(&axes, &optional)
    }

    /// Checks that `schema` is this table in this version, and returns the labels of its axes.
    ///
    /// # Errors
    /// Names the table, the version, or the first column that differs.
    pub fn check(self, schema: &Schema) -> Result<Axes, Error> {
        let metadata = schema.metadata();
        match metadata.get(TABLE_KEY) {
            None => return Err(Error::Unnamed { expected: self.name() }),
            Some(found) if found != self.name() => {
                return Err(Error::WrongTable { expected: self.name(), found: found.clone() });
            }
            Some(_) => {}
        }
        let version = metadata.get(VERSION_KEY).cloned().unwrap_or_default();
        if version != self.version().to_string() {
            return Err(Error::WrongVersion { table: self.name(), expected: self.version(), found: version });
        }
        let axes = Axes::read(metadata)?;
        let known = |name: &String| self.columns().iter().any(|column| column.name == name);
        if let Some(extra) = schema.fields().iter().find(|field| !known(field.name())) {
            return Err(Error::UnknownColumn { table: self.name(), column: extra.name().clone() });
        }
        for column in self.columns() {
            let Ok(field) = schema.field_with_name(column.name) else {
                if column.optional {
                    continue;
                }
                return Err(Error::MissingColumn {
                    table: self.name().to_owned(),
                    column: column.name.to_owned(),
                });
            };
            let expected = column.kind.data_type(&axes)?;
            if *field.data_type() != expected {
                return Err(Error::WrongType {
                    table: self.name().to_owned(),
                    column: column.name.to_owned(),
                    expected: expected.to_string(),
                    found: field.data_type().to_string(),
                });
            }
        }
        Ok(axes)
    }
}
