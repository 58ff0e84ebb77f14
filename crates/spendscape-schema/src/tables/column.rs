//! What a column holds.

use super::{
    kinds::{ColumnType, Kind},
    plain,
};

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The column's name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether a value may be null.
    pub nullable: bool,
    /// Whether the whole column may be absent.
    pub optional: bool,
    /// What it holds, with the unit.
    pub doc: &'static str,
}

impl Column {
    /// A column as the declaration of its table has it.
    pub(super) const fn of<K: ColumnType>(name: &'static str, doc: &'static str) -> Self {
        Self { name: plain(name), kind: K::KIND, nullable: K::NULLABLE, optional: K::OPTIONAL, doc }
    }
}
