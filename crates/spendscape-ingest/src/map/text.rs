//! A column map as text: read from TOML, and checked as far as that needs no files.

use super::{ColumnMap, Format, Join, Refusal};
use crate::{Error, amount, statement};

impl ColumnMap {
    /// Reads a map from TOML and checks what can be checked without files.
    ///
    /// # Errors
    /// [`Error::Map`] where the text does not parse (the message names line and column), [`Error::MapEntry`] for an entry
    /// that cannot be used.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let mut map: Self = toml::from_str(text)?;
        if map.source.format.is_statement() {
            statement::complete(&mut map);
        }
        map.check()?;
        Ok(map)
    }

    fn check(&self) -> Result<(), Error> {
        let refuse = |key, problem: String| Err(Error::MapEntry { key, problem });
        let source = &self.source;
        source.check()?;
        let columns = &self.columns;
        for (key, sql) in [
            ("columns.customer", &columns.customer),
            ("columns.time", &columns.time),
            ("columns.class", &columns.class),
        ] {
            if sql.trim().is_empty() {
                return refuse(key, "it is missing: write a column of the file, or an expression".to_owned());
            }
        }
        amount::check(self)?;
        self.join.iter().try_for_each(Join::check)?;
        // 10^18 minor units are the most that 64 bits hold of any unit.
        if self.minor_digits > 18 {
            return refuse("minor_digits", format!("{} is more than 18", self.minor_digits));
        }
        if let (true, Some(column)) = (source.format.is_statement(), self.types.keys().next()) {
            let problem = format!("the columns of statements have types: remove {column:?}");
            return refuse("types", problem);
        }
        if let Format::Parquet = source.format
            && let Some(mark) = source.nulls.first()
        {
            let advice = format!(
                "a Parquet file has nulls of its own: write nullif(column, '{mark}') in the expression"
            );
            return refuse("source.nulls", advice);
        }
        if self.rows.repeated == Refusal::Drop && self.columns.transaction.is_none() {
            let problem =
                "without `columns.transaction` a row that repeats another one may be a second payment";
            return refuse("rows.repeated", problem.to_owned());
        }
        if self.time.formats.is_empty() {
            return refuse("time.formats", "at least one format is needed".to_owned());
        }
        self.zones().map(drop)
    }
}
