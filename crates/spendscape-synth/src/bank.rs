//! The whole bank: panels, taxonomy and truth.

use arrow::array::RecordBatch;
use jiff::civil::{Date, date};
use ndarray::{Array2, Array3, ArrayView1, ArrayView2, s};
use rayon::prelude::*;
use spendscape_schema::{
    Axes, Axis, Coefficients, Flow, Panel, Period, Tabular, Taxonomy, Unmapped, WindowSpec, tables::Latent,
};

use crate::{
    BankParams, Error,
    customer::{Population, SHORT_WINDOWS, Slots, TRAITS},
};

/// Last day of the bank's books.
pub const LAST_DAY: Date = date(2020, 12, 31);
/// Class of incoming salaries, beside the spending classes.
pub const INCOME_CLASS: &str = "salary";

/// A generated bank: what every customer spends on every class in every window, in minor units, and why.
///
/// Windows are the years before the last one, then the six two-month windows of the last year. Totals are rounded to
/// minor units once, here: panels and ledger are made from the same integers, so that the panel of the ledger is this
/// one bit for bit.
///
/// ```
/// use spendscape_synth::{Bank, BankParams, Preset, bank_coefficients};
///
/// let bank = Bank::generate(&BankParams::new(Preset::Base).customers(20).years(3), &bank_coefficients()?)?;
/// assert_eq!(bank.traits().dim(), (20, 3, 5));
/// // A customer is the same in a larger bank.
/// let larger = Bank::generate(&BankParams::new(Preset::Base).customers(40).years(3), &bank_coefficients()?)?;
/// assert_eq!(larger.traits().outer_iter().next(), bank.traits().outer_iter().next());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Bank {
    pub(crate) params: BankParams,
    pub(crate) coefficients: Coefficients,
    pub(crate) customers: Vec<String>,
    pub(crate) windows: Vec<Period>,
    /// Minor units, N x windows x C; all zero where a year is missing.
    pub(crate) totals: Array3<u32>,
    /// Latent traits, N x T x 5.
    traits: Array3<f64>,
    /// Life events, N x T.
    events: Array2<bool>,
    /// Which years have data, N x T.
    present: Array2<bool>,
}

impl Bank {
    /// Draws a bank, one customer after the other from a random stream of its own: the same for any number of threads,
    /// and a customer is the same in a larger bank.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a parameter out of range; [`Error::NoPopulationShare`], [`Error::PopulationShare`],
    /// [`Error::Coefficient`] or [`Error::Traits`] for a coefficient table that does not suit;
    /// [`Error::NoCatchAll`] or [`Error::UnknownCatchAll`] where no class can take uncategorized spending.
    pub fn generate(params: &BankParams, coefficients: &Coefficients) -> Result<Self, Error> {
        let population = Population::new(params, coefficients)?;
        let (n, years, classes) = (params.customers, params.years, coefficients.classes.len());
        let windows = windows(years)?;
        let block = windows.len() * classes;
        let mut totals = vec![0_u32; n * block];
        let mut traits = vec![[0.0; TRAITS]; n * years];
        let mut events = vec![false; n * years];
        let mut present = vec![false; n * years];
        totals
            .par_chunks_mut(block)
            .zip(traits.par_chunks_mut(years))
            .zip(events.par_chunks_mut(years).zip(present.par_chunks_mut(years)))
            .enumerate()
            .for_each(|(number, ((totals, traits), (events, present)))| {
                population.draw(number, Slots { totals, traits, events, present });
            });
        let refuse = |source: ndarray::ShapeError| Error::Shape { source };
        Ok(Self {
            params: params.clone(),
            coefficients: coefficients.clone(),
            customers: (1..=n).map(|number| format!("C{number:06}")).collect(),
            totals: Array3::from_shape_vec((n, windows.len(), classes), totals).map_err(refuse)?,
            windows,
            traits: Array3::from_shape_vec((n, years, TRAITS), traits.into_flattened()).map_err(refuse)?,
            events: Array2::from_shape_vec((n, years), events).map_err(refuse)?,
            present: Array2::from_shape_vec((n, years), present).map_err(refuse)?,
        })
    }

    /// The coefficient table.
    #[must_use]
    pub fn coefficients(&self) -> &Coefficients {
        &self.coefficients
    }

    /// The taxonomy of the bank's ledger: the spending classes in the coefficient table's order, and [`INCOME_CLASS`].
    ///
    /// # Errors
    /// [`Error::Schema`] if a class of the table stands twice or is named like the income.
    pub fn taxonomy(&self) -> Result<Taxonomy, Error> {
        let classes =
            self.coefficients.classes.iter().map(|class| (class.clone(), Flow::Spending, Vec::new()));
        let income = (INCOME_CLASS.to_owned(), Flow::Income, Vec::new());
        Ok(Taxonomy::new("synthetic bank", classes.chain([income]).collect(), Unmapped::Refuse)?)
    }

    /// The long panel: shares per year, N x T x C. A missing year repeats the year before it, and leading missing years
    /// the first year that is there.
    #[must_use]
    pub fn panel(&self) -> Panel {
        let (n, years) = self.present.dim();
        let mut shares = Array3::zeros((n, years, self.coefficients.classes.len()));
        let mut totals = Array2::zeros((n, years));
        for customer in 0..n {
            let present = self.present.row(customer);
            let first = present.iter().position(|present| *present).unwrap_or(0);
            for year in 0..years {
                let source = (first..=year).rev().find(|year| present[*year]).unwrap_or(first);
                let rows = self.windows_of(source);
                let spent = self.totals.slice(s![customer, rows, ..]);
                totals[[customer, year]] = to_shares(spent, shares.slice_mut(s![customer, year, ..]));
            }
        }
        let mut periods = self.windows[..years].to_vec();
        // The last year is all its windows.
        periods[years - 1].end = self.windows[self.windows.len() - 1].end;
        Panel {
            customers: self.customers.clone(),
            periods,
            classes: self.coefficients.classes.clone(),
            shares,
            totals,
            observed: self.present.clone(),
        }
    }

    /// The short panel: shares per two months of the last year, N' x 6 x C, of the customers whose last year is not
    /// missing.
    #[must_use]
    pub fn short_panel(&self) -> Panel {
        let last = self.params.years - 1;
        let rows: Vec<usize> = (0..self.customers.len()).filter(|row| self.present[[*row, last]]).collect();
        let mut shares = Array3::zeros((rows.len(), SHORT_WINDOWS, self.coefficients.classes.len()));
        let mut totals = Array2::zeros((rows.len(), SHORT_WINDOWS));
        for (row, customer) in rows.iter().enumerate() {
            for (at, window) in self.windows_of(last).enumerate() {
                let spent = self.totals.slice(s![*customer, window..=window, ..]);
                totals[[row, at]] = to_shares(spent, shares.slice_mut(s![row, at, ..]));
            }
        }
        Panel {
            customers: rows.iter().map(|row| self.customers[*row].clone()).collect(),
            periods: self.windows[last..].to_vec(),
            classes: self.coefficients.classes.clone(),
            shares,
            observed: Array2::from_elem(totals.raw_dim(), true),
            totals,
        }
    }

    /// The truth as the table [`Latent`]: traits and life events of every customer and year, missing or not.
    ///
    /// # Errors
    /// [`Error::Schema`] if Arrow refuses the batch.
    pub fn latent(&self) -> Result<RecordBatch, Error> {
        let (n, years) = self.events.dim();
        let rows = n * years;
        let traits = self.traits.clone().into_shape_with_order((rows, TRAITS));
        let table = Latent {
            customer: (0..rows).map(|row| self.customers[row / years].clone()).collect(),
            period: (0..rows).map(|row| (row % years) as u16).collect(),
            r#trait: traits.map_err(|source| Error::Shape { source })?,
            event: self.events.iter().copied().collect(),
        };
        let axes = Axes::new().with(Axis::Trait, self.coefficients.traits.iter().cloned());
        Ok(table.to_batch(&axes)?)
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

    /// Totals that vanished because they were below half a cent, among the windows that have data.
    #[must_use]
    pub fn vanished(&self) -> usize {
        let empty = |spent: ArrayView1<'_, u32>| spent.iter().filter(|minor| **minor == 0).count();
        let windows = |customer: usize| (0..self.windows.len()).filter(move |w| self.has_data(customer, *w));
        (0..self.customers.len())
            .map(|n| windows(n).map(|w| empty(self.totals.slice(s![n, w, ..]))).sum::<usize>())
            .sum()
    }

    /// Whether the year of a window has data.
    pub(crate) fn has_data(&self, customer: usize, window: usize) -> bool {
        self.present[[customer, self.year_of(window)]]
    }

    /// The year that a window belongs to, from 0.
    pub(crate) fn year_of(&self, window: usize) -> usize {
        window.min(self.params.years - 1)
    }

    /// The windows of a year.
    fn windows_of(&self, year: usize) -> std::ops::Range<usize> {
        if year + 1 < self.params.years { year..year + 1 } else { year..self.windows.len() }
    }
}

/// The years before the last one, then the short windows of the last year.
fn windows(years: usize) -> Result<Vec<Period>, Error> {
    let spec =
        |text: String| -> Result<Vec<Period>, Error> { Ok(text.parse::<WindowSpec>()?.periods(LAST_DAY)?) };
    let mut windows = spec(format!("annual x {years}"))?;
    windows.pop();
    windows.extend(spec(format!("bi-monthly x {SHORT_WINDOWS}"))?);
    Ok(windows)
}

/// Writes the shares of adjacent windows together (windows x C), and returns their total.
fn to_shares(spent: ArrayView2<'_, u32>, mut shares: ndarray::ArrayViewMut1<'_, f32>) -> i64 {
    let total: i64 = spent.iter().map(|minor| i64::from(*minor)).sum();
    for (share, class) in shares.iter_mut().zip(spent.columns()) {
        let minor: i64 = class.iter().map(|minor| i64::from(*minor)).sum();
        // No window is all zero, but a missing one is not asked for either: dividing by 1 keeps it zero.
        *share = (minor as f64 / total.max(1) as f64) as f32;
    }
    total
}
