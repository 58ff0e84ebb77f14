//! Columns, what their values show, and which have no role yet.

use std::collections::HashMap;

use arrow::datatypes::DataType;

use super::{
    dates::{self, Dates},
    names::{self, Role},
    numbers::Numbers,
    sample::Column,
};
use crate::{
    Error,
    map::{ColumnType, Format, SourceFormat},
};

/// A column and what its values show.
pub(super) struct Facts<'a> {
    pub(super) column: &'a Column,
    pub(super) numbers: Numbers,
    pub(super) dates: Option<Dates>,
    /// Distinct values, and those that are there.
    pub(super) distinct: usize,
    pub(super) filled: usize,
}

impl<'a> Facts<'a> {
    /// What the values of a column show.
    pub(super) fn of(column: &'a Column) -> Result<Self, Error> {
        let values: Vec<&str> = column.filled().collect();
        let mut distinct: Vec<&str> = values.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let dates = if column.data_type.is_none() { dates::of(&values)? } else { None };
        let numbers = Numbers::of(values.iter().copied());
        Ok(Self { column, numbers, dates, distinct: distinct.len(), filled: values.len() })
    }

    /// Its name, after that of the column that it is a field of.
    pub(super) fn full_name(&self) -> &str {
        &self.column.full_name
    }

    /// The column as SQL.
    pub(super) fn sql(&self) -> String {
        match &self.column.parent {
            None => quoted(&self.column.name),
            Some(parent) => format!("{}.{}", quoted(parent), quoted(&self.column.name)),
        }
    }

    /// The column as SQL of numbers: the text of a field within a column has no type in the map.
    pub(super) fn number(&self) -> String {
        match (&self.column.parent, &self.column.data_type) {
            (Some(_), None) => {
                let (precision, scale) = number_type(&self.numbers).digits();
                format!("CAST({} AS DECIMAL({precision}, {scale}))", self.sql())
            }
            _ => self.sql(),
        }
    }

    pub(super) fn is_number(&self) -> bool {
        match &self.column.data_type {
            Some(found) => found.is_numeric(),
            None => self.numbers.is_numeric(),
        }
    }

    pub(super) fn is_time(&self) -> bool {
        match &self.column.data_type {
            Some(found) => matches!(found, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64),
            None => self.dates.is_some(),
        }
    }

    /// Distinct values in order, the commonest first.
    pub(super) fn commonest(&self) -> Vec<(&str, usize)> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for value in self.column.filled() {
            *counts.entry(value.trim()).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_unstable_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
        counts
    }
}

/// A name as SQL has it: as it is, or in double quotes.
pub(super) fn quoted(name: &str) -> String {
    const KEYWORDS: [&str; 24] = [
        "all", "and", "as", "between", "by", "case", "cast", "desc", "end", "from", "group", "in",
        "interval", "is", "not", "null", "or", "order", "select", "then", "to", "trim", "user", "when",
    ];
    let is_plain = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !KEYWORDS.contains(&name.to_ascii_lowercase().as_str());
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The columns that have no role yet.
pub(super) struct Roles<'a, 'b> {
    pub(super) facts: &'b [Facts<'a>],
    taken: Vec<usize>,
}

impl<'a, 'b> Roles<'a, 'b> {
    /// All columns, without roles.
    pub(super) fn new(facts: &'b [Facts<'a>]) -> Self {
        Self { facts, taken: Vec::new() }
    }

    /// The column that fits a role best, by its name and how likely its content makes it (0 for not at all).
    pub(super) fn best(&self, role: Role, content: impl Fn(&Facts<'a>) -> f64) -> Option<usize> {
        let score = |at: &usize| names::fit(self.facts[*at].full_name(), role) * content(&self.facts[*at]);
        self.free().filter(|at| score(at) > 0.0).fold(None, |best: Option<usize>, at| match best {
            Some(best) if score(&best) >= score(&at) => Some(best),
            _ => Some(at),
        })
    }

    /// Columns without a role.
    pub(super) fn free(&self) -> impl Iterator<Item = usize> {
        (0..self.facts.len()).filter(|at| !self.taken.contains(at))
    }

    /// Gives a column its role.
    pub(super) fn take(&mut self, at: usize) -> &'b Facts<'a> {
        self.taken.push(at);
        &self.facts[at]
    }
}

/// The type of a column of numbers that is text.
pub(super) fn type_of(facts: &Facts<'_>) -> Option<(String, ColumnType)> {
    let is_text = facts.column.data_type.is_none() && facts.column.parent.is_none();
    is_text.then(|| (facts.column.name.clone(), number_type(&facts.numbers)))
}

/// The type that holds the numbers of a column, and ones ten thousand times as large.
fn number_type(numbers: &Numbers) -> ColumnType {
    let is_whole = numbers.unclear.is_empty() && numbers.decimal.is_empty() && !numbers.has_exponents;
    if is_whole {
        return ColumnType::Integer;
    }
    let scale = numbers.decimals.clamp(2, 18) as u8;
    ColumnType::Decimal { precision: (numbers.whole.clamp(6, 16) as u8 + 4 + scale).min(38), scale }
}

/// Whether a form is that of text.
pub(super) fn is_text(format: &SourceFormat) -> bool {
    format.format == Format::Csv
}
