//! Trajectories of customers.

use anyhow::{Result, bail};
use ndarray::{Array2, Array3};
use spendscape_schema::{Axes, Axis, Panel, Tabular, tables};
use spendscape_segments::directions::final_states;
use spendscape_store::Stored;

use crate::{FromTable, IntoTable, Model, TableContent};

/// The states of N customers over T periods in a network of M units.
#[derive(Debug, Clone)]
pub struct StoredStates {
    /// Customers (N).
    pub customers: Vec<String>,
    /// Hidden states h, N x T x M.
    pub hidden: Array3<f64>,
    /// Cell states c, N x T x M.
    pub cell: Array3<f32>,
}

impl StoredStates {
    /// The states that a network takes over the periods of a panel.
    ///
    /// # Errors
    /// If the panel's classes are not the network's.
    pub fn compute(model: &Model, panel: &Panel) -> Result<Self> {
        model.check_classes(&panel.classes)?;
        let states = model.network.states(&panel.shares, 0)?;
        Ok(Self { customers: panel.customers.clone(), hidden: states.h.mapv(f64::from), cell: states.c })
    }

    /// The last hidden states, N x M.
    ///
    /// # Errors
    /// If there is no period.
    pub fn ends(&self) -> Result<Array2<f64>> {
        Ok(final_states(&self.hidden)?)
    }

    /// Number of hidden units, M.
    #[must_use]
    pub fn units(&self) -> usize {
        self.hidden.dim().2
    }
}

impl FromTable for StoredStates {
    /// Refuses rows that are not customer by customer, all periods of each in order: they would become other customers' states.
    fn from_table(stored: &Stored) -> Result<Self> {
        let table: tables::States = stored.table()?;
        let periods = table.period.iter().max().map_or(1, |last| usize::from(*last) + 1);
        let in_place = |row: &usize| {
            let period = row % periods;
            usize::from(table.period[*row]) == period && table.customer[*row] == table.customer[row - period]
        };
        let rows = table.customer.len();
        // Where the last customer lacks periods, the row that would follow is wrong.
        let wrong = (0..rows).find(|row| !in_place(row)).or((!rows.is_multiple_of(periods)).then_some(rows));
        if let Some(row) = wrong {
            bail!(
                "{} row {row}: not period {} of the customer before it: rows stand customer by customer, with all {periods} periods \
                 in order",
                stored.path().display(),
                row % periods
            );
        }
        let shape = (table.customer.len() / periods, periods, table.hidden.ncols());
        Ok(Self {
            hidden: table.hidden.mapv(f64::from).into_shape_with_order(shape)?,
            cell: table.cell.into_shape_with_order(shape)?,
            customers: table.customer.into_iter().step_by(periods).collect(),
        })
    }
}

impl IntoTable for StoredStates {
    fn into_table(self) -> Result<TableContent> {
        let (customers, periods, units) = self.hidden.dim();
        let rows = customers * periods;
        let table = tables::States {
            customer: (0..rows).map(|row| self.customers[row / periods].clone()).collect(),
            period: (0..rows).map(|row| (row % periods) as u16).collect(),
            // Hidden states are single-precision numbers.
            hidden: self.hidden.mapv(|state| state as f32).into_shape_with_order((rows, units))?,
            cell: self.cell.into_shape_with_order((rows, units))?,
        };
        Ok(table.to_batch(&Axes::new().with_numbered(Axis::Unit, units))?.into())
    }
}

/// Names of the direction angles, for any number of units.
///
/// ```
/// assert_eq!(spendscape_run::angle_names(3), ["longitude", "latitude"]);
/// ```
#[must_use]
pub fn angle_names(units: usize) -> Vec<String> {
    match units {
        0 | 1 => vec!["sign".to_owned()],
        2 => vec!["longitude".to_owned()],
        3 => vec!["longitude".to_owned(), "latitude".to_owned()],
        _ => std::iter::once("longitude".to_owned())
            .chain((1..units - 1).map(|k| format!("latitude {k}")))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use spendscape_store::{Provenance, read_table, write_table};

    use super::*;

    /// Reads a table of one unit whose rows have these customers and periods.
    fn read(rows: &[(&str, u16)]) -> Result<StoredStates> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("states.parquet");
        let numbers = Array2::from_shape_fn((rows.len(), 1), |(row, _)| row as f32);
        let table = tables::States {
            customer: rows.iter().map(|(customer, _)| (*customer).to_owned()).collect(),
            period: rows.iter().map(|(_, period)| *period).collect(),
            hidden: numbers.clone(),
            cell: numbers,
        };
        let batch = table.to_batch(&Axes::new().with_numbered(Axis::Unit, 1)).unwrap();
        write_table(&path, tables::States::TABLE, &batch, Provenance::new("test")).unwrap();
        StoredStates::from_table(&read_table(&path, tables::States::TABLE).unwrap())
    }

    #[test]
    fn rows_in_another_order_are_refused() {
        let states = read(&[("a", 0), ("a", 1), ("b", 0), ("b", 1)]).unwrap();
        assert_eq!(states.customers, ["a", "b"]);
        assert_eq!((states.hidden.dim(), states.hidden[[1, 1, 0]]), ((2, 2, 1), 3.0));
        assert_eq!(read(&[]).unwrap().customers.len(), 0);
        for (rows, wrong) in [
            (&[("a", 0), ("b", 0), ("a", 1), ("b", 1)][..], 1),
            (&[("a", 0), ("a", 1), ("b", 1), ("b", 0)], 2),
            (&[("a", 0), ("b", 1)], 1),
            (&[("a", 0), ("a", 1), ("b", 0)], 3),
            (&[("a", 1), ("b", 1)], 0),
        ] {
            let error = read(rows).unwrap_err().to_string();
            assert!(error.contains(&format!("states.parquet row {wrong}:")), "{error}");
        }
    }
}
