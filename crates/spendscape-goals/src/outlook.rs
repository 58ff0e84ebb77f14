//! The outlook of every customer on the days to come.

use ndarray::{Array2, Array3};
use spendscape_stats::{BadInput, check};

use crate::{Error, Sequences};

/// Rounding that sums and means of simulated counts are allowed.
const ROUNDING: f64 = 1e-9;

/// 0001-01-01 and 9999-12-31, between which months and seasons can be told.
const FIRST_DAY: i64 = -719_162;
const LAST_DAY: i64 = 2_932_896;

/// A model's expectation of every customer after the last day known: the one thing that the applications know of it.
///
/// N customers, G goals, H horizons. A horizon of h days means the days `from + 1 ..= from + h`.
///
/// ```
/// use ndarray::{array, Array3};
/// use spendscape_goals::Outlook;
///
/// // One customer, one goal, within one week and two.
/// let of = |values: [f64; 2]| Array3::from_shape_vec((1, 1, 2), values.to_vec()).unwrap();
/// let outlook =
///     Outlook::new(100, vec![7, 14], of([0.3, 0.5]), of([0.4, 0.8]), of([900.0, 1_700.0]), array![[9.5]])?;
/// assert_eq!(outlook.within()[[0, 0, outlook.horizon(14)?]], 0.5);
/// assert!(outlook.horizon(10).is_err());
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    from: i32,
    horizons: Vec<u32>,
    within: Array3<f64>,
    expected: Array3<f64>,
    spent: Array3<f64>,
    first_day: Array2<f64>,
}

impl Outlook {
    /// Takes an outlook from day `from` (since 1970-01-01, the last one known, common to all customers) over ascending
    /// `horizons` in days. `within` (N x G x H) is the probability of at least one group of the goal, `expected` the
    /// expected number of groups, `spent` the expected money in minor units; `first_day` (N x G) the median (or mean) days
    /// until the goal first comes, NaN where that lies beyond the last horizon.
    ///
    /// # Errors
    /// [`BadInput::TooFew`] without horizons, [`BadInput::InvalidParameter`] for a day outside the years 1 to
    /// 9999 or horizons that do not ascend from at least 1 day,
    /// [`BadInput::ShapeMismatch`], [`Error::BadOutlook`] for a probability outside [0, 1], an expectation below the
    /// probability, negative or infinite money, a quantity that falls from one horizon to a longer one, or a first day
    /// outside the horizons.
    pub fn new(
        from: i32,
        horizons: Vec<u32>,
        within: Array3<f64>,
        expected: Array3<f64>,
        spent: Array3<f64>,
        first_day: Array2<f64>,
    ) -> Result<Self, Error> {
        let last = check_horizons(from, &horizons)?;
        let (customers, goals, _) = within.dim();
        let lengths = [
            ("the horizons of `within`", horizons.len(), within.dim().2),
            ("the customers of `expected`", customers, expected.dim().0),
            ("the goals of `expected`", goals, expected.dim().1),
            ("the horizons of `expected`", horizons.len(), expected.dim().2),
            ("the customers of `spent`", customers, spent.dim().0),
            ("the goals of `spent`", goals, spent.dim().1),
            ("the horizons of `spent`", horizons.len(), spent.dim().2),
            ("the customers of `first_day`", customers, first_day.dim().0),
            ("the goals of `first_day`", goals, first_day.dim().1),
        ];
        for (argument, expected, found) in lengths {
            check::length(argument, expected, found)?;
        }
        for customer in 0..customers {
            for goal in 0..goals {
                let bad = |field, value, rule| Err(Error::BadOutlook { field, customer, goal, value, rule });
                let (mut p, mut n, mut money) = (0.0, 0.0, 0.0);
                for h in 0..horizons.len() {
                    let at = [customer, goal, h];
                    let (next_p, next_n, next_money) = (within[at], expected[at], spent[at]);
                    if !(0.0..=1.0).contains(&next_p) || next_p < p - ROUNDING {
                        return bad("within", next_p, "from 0 to 1 and no less than at the horizon before");
                    }
                    if !next_n.is_finite() || next_n < next_p - ROUNDING || next_n < n - ROUNDING {
                        return bad(
                            "expected",
                            next_n,
                            "finite, no less than `within` and no less than at the horizon before",
                        );
                    }
                    if !next_money.is_finite() || next_money < money - ROUNDING * (1.0 + money) {
                        return bad(
                            "spent",
                            next_money,
                            "finite, and no less than 0 and at the horizon before",
                        );
                    }
                    (p, n, money) = (next_p, next_n, next_money);
                }
                let first = first_day[[customer, goal]];
                if !first.is_nan() && !(0.0..=f64::from(last)).contains(&first) {
                    return bad("first_day", first, "from 0 to the last horizon, or NaN");
                }
            }
        }
        Ok(Self { from, horizons, within, expected, spent, first_day })
    }

    /// The last day known, since 1970-01-01.
    #[must_use]
    pub fn from(&self) -> i32 {
        self.from
    }

    /// The horizons in days, ascending (H).
    #[must_use]
    pub fn horizons(&self) -> &[u32] {
        &self.horizons
    }

    /// Number of customers (N).
    #[must_use]
    pub fn customers(&self) -> usize {
        self.within.dim().0
    }

    /// Number of goals (G).
    #[must_use]
    pub fn goals(&self) -> usize {
        self.within.dim().1
    }

    /// Probability of at least one group of the goal within the horizon (N x G x H).
    #[must_use]
    pub fn within(&self) -> &Array3<f64> {
        &self.within
    }

    /// Expected number of groups of the goal within the horizon (N x G x H).
    #[must_use]
    pub fn expected(&self) -> &Array3<f64> {
        &self.expected
    }

    /// Expected money of those groups, minor units (N x G x H).
    #[must_use]
    pub fn spent(&self) -> &Array3<f64> {
        &self.spent
    }

    /// Days until the goal first comes; NaN beyond the last horizon (N x G).
    #[must_use]
    pub fn first_day(&self) -> &Array2<f64> {
        &self.first_day
    }

    /// The place of a horizon.
    ///
    /// # Errors
    /// [`Error::NoHorizon`] if there is none of that many days.
    pub fn horizon(&self, days: u32) -> Result<usize, Error> {
        let none = || Error::NoHorizon { days, known: self.horizons.clone() };
        self.horizons.iter().position(|known| *known == days).ok_or_else(none)
    }

    /// Refuses event groups of other customers or goals.
    pub(crate) fn check_fits(&self, sequences: &Sequences) -> Result<(), Error> {
        let lengths = [
            ("the customers of the event groups", self.customers(), sequences.customers()),
            ("the goals of the event groups", self.goals(), sequences.goals().len()),
        ];
        for (argument, expected, found) in lengths {
            check::length(argument, expected, found)?;
        }
        Ok(())
    }
}

/// Checks the days of an outlook; the last horizon.
pub(crate) fn check_horizons(from: i32, horizons: &[u32]) -> Result<u32, Error> {
    let Some(&last) = horizons.last() else {
        return Err(BadInput::TooFew { what: "an outlook", needed: 1, of: "horizons", found: 0 }.into());
    };
    let days = i64::from(from)..=i64::from(from) + i64::from(last);
    let inside = *days.start() >= FIRST_DAY && *days.end() <= LAST_DAY;
    let range = "the years 1 to 9999, horizons included";
    check::parameter("the last day known", f64::from(from), inside, range)?;
    let mut before = 0;
    for &days in horizons {
        let range = "the numbers above the one before it, and above 0";
        check::parameter("a horizon", f64::from(days), days > before, range)?;
        before = days;
    }
    Ok(last)
}
