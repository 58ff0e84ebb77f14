//! The comparison of representations as a table.

use anyhow::{Context as _, Result};
use spendscape_schema::tables;
use spendscape_segments::comparison::{Comparison, ComparisonRow, Measure};

/// The comparison that a table holds.
pub(super) fn read(table: tables::Comparison) -> Result<Comparison> {
    let row = |(at, row): (usize, tables::ComparisonRow)| {
        let measure = Measure::ALL.into_iter().find(|measure| measure.name() == row.measure);
        Ok(ComparisonRow {
            measure: measure
                .with_context(|| format!("comparison.parquet row {at}: no measure {}", row.measure))?,
            representation: row.representation,
            seed: row.seed as u64,
            level: usize::from(row.level),
            value: row.value.unwrap_or(f64::NAN),
            chance: row.chance,
            null: row.null,
        })
    };
    Ok(Comparison { rows: table.into_rows().enumerate().map(row).collect::<Result<_>>()? })
}

/// The comparison as a table.
pub(super) fn table(found: &Comparison) -> Result<tables::Comparison> {
    let defined = |value: Option<f64>| value.filter(|value| value.is_finite());
    let row = |row: &ComparisonRow| tables::ComparisonRow {
        representation: row.representation.clone(),
        seed: row.seed as i64,
        measure: row.measure.name().to_owned(),
        level: row.level as u16,
        value: defined(Some(row.value)),
        chance: defined(row.chance),
        null: defined(row.null),
    };
    Ok(tables::Comparison::from_rows(found.rows.iter().map(row))?)
}
