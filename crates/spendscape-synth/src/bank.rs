//! The whole bank: panels and truth.

use arrow::array::{ArrayRef, RecordBatch};
use jiff::civil::{Date, date};
use ndarray::{Array2, Array3, ArrayView1, Axis as Dimension, s};
use rayon::prelude::*;
use spendscape_schema::{
    Axes, Axis, Coefficients, Flow, Panel, Period, Table, Taxonomy, Unmapped, WindowSpec, arrays,
};

use crate::{
    BankParams, Error,
    customer::{FINE_PERIODS, Population, TRAITS},
};

/// Last day of the bank's books.
pub const LAST_DAY: Date = date(2020, 12, 31);
/// Class of incoming salaries.
pub const INCOME_CLASS: &str = "salary";

/// A generated bank: totals of every customer, period and class in minor units.
#[derive(Debug)]
pub struct Bank {
    pub(crate) params: BankParams,
    pub(crate) coefficients: Coefficients,
    pub(crate) customers: Vec<String>,
    /// Years before the last one, then the periods of the last year.
    pub(crate) periods: Vec<Period>,
    /// N x (T - 1 + 6) x C; all zero where a year is missing.
    pub(crate) totals: Array3<u32>,
    /// N x T x 5.
    traits: Array3<f64>,
    /// N x T.
    events: Array2<bool>,
    /// N x T.
    pub(crate) present: Array2<bool>,
}

impl Bank {
    /// Draws a bank. The result is the same for any number of threads.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a parameter out of range, [`Error::Coefficients`] for a table without population shares
    /// or without the five traits.
    pub fn generate(params: &BankParams, coefficients: &Coefficients) -> Result<Self, Error> {
        params.check()?;
        let population = Population::new(params, coefficients)?;
        let (n, years, classes) = (params.customers, params.years, coefficients.classes.len());
        let mut totals = Array3::zeros((n, years - 1 + FINE_PERIODS, classes));
        let mut traits = Array3::zeros((n, years, TRAITS));
        let mut events = Array2::from_elem((n, years), false);
        let mut present = Array2::from_elem((n, years), true);
        totals
            .outer_iter_mut()
            .into_par_iter()
            .zip(traits.outer_iter_mut().into_par_iter())
            .zip(events.outer_iter_mut().into_par_iter().zip(present.outer_iter_mut().into_par_iter()))
            .enumerate()
            .for_each(|(number, ((mut totals, mut traits), (mut events, mut present)))| {
                let customer = population.draw(params, number);
                for year in (0..years).filter(|year| customer.present[*year]) {
                    if year + 1 < years {
                        totals.row_mut(year).assign(&customer.years.row(year));
                    } else {
                        totals.slice_mut(s![years - 1.., ..]).assign(&customer.fine);
                    }
                }
                traits.assign(&customer.traits);
                events.assign(&ArrayView1::from(&customer.events));
                present.assign(&ArrayView1::from(&customer.present));
            });
        Ok(Self {
            params: params.clone(),
            coefficients: coefficients.clone(),
            customers: (1..=n).map(|number| format!("C{number:06}")).collect(),
            periods: periods(years)?,
            totals,
            traits,
            events,
            present,
        })
    }

    /// The taxonomy of the bank's ledger: the spending classes, and salaries as income.
    ///
    /// # Errors
    /// If a class of the table is named like the salaries.
    pub fn taxonomy(&self) -> Result<Taxonomy, Error> {
        let mut classes: Vec<_> = self
            .coefficients
            .classes
            .iter()
            .map(|class| (class.clone(), Flow::Spending, Vec::new()))
            .collect();
        classes.push((INCOME_CLASS.to_owned(), Flow::Income, Vec::new()));
        Ok(Taxonomy::new("synthetic bank", classes, Unmapped::Refuse)?)
    }

    /// The coefficient table.
    #[must_use]
    pub fn coefficients(&self) -> &Coefficients {
        &self.coefficients
    }

    /// The long panel, annual: N x T x C. A missing year repeats the one before it, a missing first year the next one.
    #[must_use]
    pub fn panel(&self) -> Panel {
        let (n, years, classes) = (self.params.customers, self.params.years, self.coefficients.classes.len());
        let mut shares = Array3::zeros((n, years, classes));
        let mut totals = Array2::zeros((n, years));
        for customer in 0..n {
            let present = self.present.row(customer);
            let first = present.iter().position(|present| *present).unwrap_or(0);
            for year in 0..years {
                let source = (0..=year).rev().find(|year| present[*year]).unwrap_or(first);
                let spent = self.year_totals(customer, source);
                totals[[customer, year]] = to_shares(&spent, shares.slice_mut(s![customer, year, ..]));
            }
        }
        let mut periods = self.periods[..years - 1].to_vec();
        periods.push(Period {
            start: self.periods[years - 1].start,
            end: self.periods[self.periods.len() - 1].end,
        });
        Panel {
            customers: self.customers.clone(),
            periods,
            classes: self.coefficients.classes.clone(),
            shares,
            totals,
            observed: self.present.clone(),
        }
    }

    /// The short panel, two-monthly over the last year: N' x 6 x C, for the customers who have a last year.
    #[must_use]
    pub fn short_panel(&self) -> Panel {
        let years = self.params.years;
        let rows: Vec<usize> =
            (0..self.params.customers).filter(|row| self.present[[*row, years - 1]]).collect();
        let fine = self.totals.slice(s![.., years - 1.., ..]).select(Dimension(0), &rows);
        let mut shares = Array3::zeros(fine.raw_dim());
        let mut totals = Array2::zeros((rows.len(), FINE_PERIODS));
        for customer in 0..rows.len() {
            for period in 0..FINE_PERIODS {
                let spent: Vec<i64> =
                    fine.slice(s![customer, period, ..]).iter().map(|minor| i64::from(*minor)).collect();
                totals[[customer, period]] = to_shares(&spent, shares.slice_mut(s![customer, period, ..]));
            }
        }
        Panel {
            customers: rows.iter().map(|row| self.customers[*row].clone()).collect(),
            periods: self.periods[years - 1..].to_vec(),
            classes: self.coefficients.classes.clone(),
            shares,
            observed: Array2::from_elem(totals.raw_dim(), true),
            totals,
        }
    }

    fn year_totals(&self, customer: usize, year: usize) -> Vec<i64> {
        let last = self.params.years - 1;
        let rows = if year < last { year..year + 1 } else { last..last + FINE_PERIODS };
        let block = self.totals.slice(s![customer, rows, ..]);
        block.columns().into_iter().map(|class| class.iter().map(|minor| i64::from(*minor)).sum()).collect()
    }

    /// The truth as a [`Table::Latent`].
    ///
    /// # Errors
    /// [`Error::Schema`] if Arrow refuses the batch.
    pub fn latent(&self) -> Result<RecordBatch, Error> {
        let (n, years) = self.events.dim();
        let rows = n * years;
        let traits = self
            .traits
            .view()
            .into_shape_with_order((rows, TRAITS))
            .map_err(|source| Error::Coefficients { problem: source.to_string() })?;
        let columns: Vec<ArrayRef> = vec![
            arrays::text((0..rows).map(|row| &self.customers[row / years])),
            arrays::index((0..rows).map(|row| (row % years) as u16)),
            arrays::vectors64(traits)?,
            arrays::flag(self.events.iter().copied()),
        ];
        let axes = Axes::new().with(Axis::Trait, self.coefficients.traits.iter().cloned());
        Ok(RecordBatch::try_new(Table::Latent.schema(&axes)?, columns)?)
    }

    /// Latent traits, N x T x 5, in the order E N O C A.
    #[must_use]
    pub fn traits(&self) -> &Array3<f64> {
        &self.traits
    }

    /// Life events, N x T.
    #[must_use]
    pub fn events(&self) -> &Array2<bool> {
        &self.events
    }
}

/// Years before the last one, then the periods of the last year.
fn periods(years: usize) -> Result<Vec<Period>, Error> {
    let spec =
        |text: String| -> Result<Vec<Period>, Error> { Ok(text.parse::<WindowSpec>()?.periods(LAST_DAY)?) };
    let mut periods = spec(format!("annual x {years}"))?;
    periods.pop();
    periods.extend(spec(format!("bi-monthly x {FINE_PERIODS}"))?);
    Ok(periods)
}

/// Writes the shares of one period and returns its total.
fn to_shares(spent: &[i64], mut shares: ndarray::ArrayViewMut1<'_, f32>) -> i64 {
    let total: i64 = spent.iter().sum();
    if total > 0 {
        for (share, minor) in shares.iter_mut().zip(spent) {
            *share = (*minor as f64 / total as f64) as f32;
        }
    }
    total
}
