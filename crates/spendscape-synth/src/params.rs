//! Parameters of a bank.

use crate::Error;

/// How strongly traits drive spending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// lambda = 0.45.
    Base,
    /// lambda = 1: its linear fits land nearer the papers' .78, and it was chosen for that.
    Strong,
    /// lambda = .45, and five kinds of customers, three standard deviations of the base bank's traits apart: what
    /// clusters of trajectories need.
    Types,
}

impl Preset {
    /// The strength lambda.
    #[must_use]
    pub fn strength(self) -> f64 {
        match self {
            Self::Base | Self::Types => 0.45,
            Self::Strong => 1.0,
        }
    }

    /// How far the kinds of customers lie from each other's traits, and how much traits vary within a kind.
    fn types(self) -> (f64, f64) {
        match self {
            Self::Base | Self::Strong => (0.0, 1.0),
            Self::Types => (3.0, 0.6),
        }
    }
}

/// The parameters of a synthetic bank (METHODS section 2).
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `customers` | 26,000 | number of customers N | 1 to 999,999 |
/// | `years` | 6 | number of years T | 1 to 60 |
/// | `strength` | the preset's | lambda: how strongly traits drive spending | 0 to 10 |
/// | `separation` | the preset's | s: by how much a kind of customers has more of its trait than the others; 0 makes all of one kind | 0 to 20 |
/// | `spread` | the preset's | standard deviation of each trait within a kind | 0 to 10 |
/// | `persistence` | .9 | rho: correlation of traits from year to year | 0 to 1 |
/// | `event_probability` | .04 | life events per customer and year, from the second year on | 0 to 1 |
/// | `taste` | .6 | standard deviation of a customer's constant taste per class | 0 to 10 |
/// | `noise` | .25 | standard deviation of a year's noise per class | 0 to 10 |
/// | `concentration` | 150 | kappa: yearly spending in units of 200.00; larger is less noisy | above 0, to 100,000 |
/// | `trait_share` | .611 | share of the variance of default's log-odds, life events apart, that traits explain; the account's own part has the rest | 0 to 1 |
/// | `uncategorized` | no | a Beta(2, 18) fraction of each customer-year moves to the catch-all class | |
/// | `catch_all` | the first class without coefficients | the class that takes uncategorized spending | |
/// | `missing_years` | 0 | probability that a customer-year is missing (.1 when studied); one is always kept | 0 to 1 |
/// | `seed` | 1 | seed of everything | |
#[derive(Debug, Clone, PartialEq)]
pub struct BankParams {
    pub(crate) customers: usize,
    pub(crate) years: usize,
    pub(crate) strength: f64,
    pub(crate) separation: f64,
    pub(crate) spread: f64,
    pub(crate) persistence: f64,
    pub(crate) event_probability: f64,
    pub(crate) taste: f64,
    pub(crate) noise: f64,
    pub(crate) concentration: f64,
    pub(crate) trait_share: Option<f64>,
    pub(crate) uncategorized: bool,
    pub(crate) catch_all: Option<String>,
    pub(crate) missing_years: f64,
    pub(crate) seed: u64,
}

/// Largest number of customers: ids of six digits sort as the numbers do.
const MAX_CUSTOMERS: usize = 999_999;

macro_rules! setters {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty),* $(,)?) => {
        $($(#[doc = $doc])+
        #[must_use]
        pub fn $name(mut self, $name: $type) -> Self {
            self.$name = $name;
            self
        })*
    };
}

impl BankParams {
    /// The bank of a preset with 26,000 customers, six years and seed 1.
    #[must_use]
    pub fn new(preset: Preset) -> Self {
        let (separation, spread) = preset.types();
        Self {
            customers: 26_000,
            years: 6,
            strength: preset.strength(),
            separation,
            spread,
            persistence: 0.9,
            event_probability: 0.04,
            taste: 0.6,
            noise: 0.25,
            concentration: 150.0,
            trait_share: None,
            uncategorized: false,
            catch_all: None,
            missing_years: 0.0,
            seed: 1,
        }
    }

    setters! {
        /// Sets the number of customers, N.
        customers: usize,
        /// Sets the number of years, T.
        years: usize,
        /// Sets lambda, how strongly traits drive spending.
        strength: f64,
        /// Sets s, by how much a kind of customers has more of its trait than the others.
        separation: f64,
        /// Sets the standard deviation of each trait within a kind.
        spread: f64,
        /// Sets rho, the correlation of traits from year to year.
        persistence: f64,
        /// Sets the probability of a life event per customer and year.
        event_probability: f64,
        /// Sets the standard deviation of tastes.
        taste: f64,
        /// Sets the standard deviation of a year's noise.
        noise: f64,
        /// Sets kappa, yearly spending in units of 200.00.
        concentration: f64,
        /// Sets which share of default's log-odds traits explain; without it, the one that is the model's.
        trait_share: Option<f64>,
        /// Moves a fraction of each customer-year to the catch-all class.
        uncategorized: bool,
        /// Names the catch-all class.
        catch_all: Option<String>,
        /// Sets the probability of a missing year.
        missing_years: f64,
        /// Sets the seed.
        seed: u64,
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let within = |name, value: f64, low: f64, high: f64, range| {
            // NaN lies in no range.
            if (low..=high).contains(&value) { Ok(()) } else { Err(Error::Parameter { name, value, range }) }
        };
        let (customers, years) = (self.customers as f64, self.years as f64);
        within("the number of customers", customers, 1.0, MAX_CUSTOMERS as f64, "from 1 to 999,999")?;
        within("the number of years", years, 1.0, 60.0, "from 1 to 60")?;
        within("the strength of traits (lambda)", self.strength, 0.0, 10.0, "from 0 to 10")?;
        within("the separation of kinds of customers", self.separation, 0.0, 20.0, "from 0 to 20")?;
        within("the spread of traits within a kind", self.spread, 0.0, 10.0, "from 0 to 10")?;
        within("the persistence of traits (rho)", self.persistence, 0.0, 1.0, "from 0 to 1")?;
        within("the probability of a life event", self.event_probability, 0.0, 1.0, "from 0 to 1")?;
        within("the spread of tastes", self.taste, 0.0, 10.0, "from 0 to 10")?;
        within("the spread of yearly noise", self.noise, 0.0, 10.0, "from 0 to 10")?;
        let range = "above 0 and at most 100,000";
        within("the concentration (kappa)", self.concentration, f64::MIN_POSITIVE, 100_000.0, range)?;
        within(
            "the share of a label that traits explain",
            self.trait_share.unwrap_or(0.0),
            0.0,
            1.0,
            "from 0 to 1",
        )?;
        within("the probability of a missing year", self.missing_years, 0.0, 1.0, "from 0 to 1")
    }
}
