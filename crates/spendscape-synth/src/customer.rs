//! One customer: traits, tastes, and what is spent in each period.

use ndarray::{Array1, Array2, ArrayView1};
use rand::{Rng, RngExt};
use rand_distr::{Beta, Distribution, Gamma, StandardNormal};
use spendscape_schema::{Coefficients, seed};

use crate::{BankParams, Error};

/// Number of latent traits, in the order E N O C A.
pub(crate) const TRAITS: usize = 5;
/// Periods that the last year is divided into.
pub(crate) const FINE_PERIODS: usize = 6;
/// One unit of spending, in minor units of the currency: 200.00.
const UNIT_MINOR: f64 = 20_000.0;
/// Parameters of the uncategorized fraction: a tenth on average.
const UNCATEGORIZED: (f64, f64) = (2.0, 18.0);

/// Lower Cholesky factor of the traits' covariance
/// [[1,-.30,.30,.10,.15],[-.30,1,-.10,-.35,-.30],[.30,-.10,1,.05,.15],[.10,-.35,.05,1,.30],[.15,-.30,.15,.30,1]].
fn trait_factor() -> [[f64; TRAITS]; TRAITS] {
    const COVARIANCE: [[f64; TRAITS]; TRAITS] = [
        [1.0, -0.30, 0.30, 0.10, 0.15],
        [-0.30, 1.0, -0.10, -0.35, -0.30],
        [0.30, -0.10, 1.0, 0.05, 0.15],
        [0.10, -0.35, 0.05, 1.0, 0.30],
        [0.15, -0.30, 0.15, 0.30, 1.0],
    ];
    let mut factor = [[0.0; TRAITS]; TRAITS];
    for i in 0..TRAITS {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
            let rest = COVARIANCE[i][j] - dot;
            factor[i][j] = if i == j { rest.sqrt() } else { rest / factor[j][j] };
        }
    }
    factor
}

/// What all customers share.
#[derive(Debug)]
pub(crate) struct Population {
    /// ln pi, C.
    log_share: Array1<f64>,
    /// (lambda / sqrt 5) B, C x 5.
    drive: Array2<f64>,
    factor: [[f64; TRAITS]; TRAITS],
    /// Class that takes the uncategorized fraction.
    catch_all: usize,
}

/// What one customer does; money in minor units.
#[derive(Debug)]
pub(crate) struct Customer {
    /// Latent traits, T x 5.
    pub(crate) traits: Array2<f64>,
    /// Life events, T.
    pub(crate) events: Vec<bool>,
    /// Which years have data, T.
    pub(crate) present: Vec<bool>,
    /// Totals of the years before the last one, (T - 1) x C.
    pub(crate) years: Array2<u32>,
    /// Totals of the periods of the last year, 6 x C.
    pub(crate) fine: Array2<u32>,
}

impl Population {
    pub(crate) fn new(params: &BankParams, coefficients: &Coefficients) -> Result<Self, Error> {
        let refuse = |problem: &str| Error::Coefficients { problem: problem.to_owned() };
        let shares = coefficients.population_share.as_ref().ok_or_else(|| refuse("it has no column `pi`"))?;
        if coefficients.weights.ncols() != TRAITS {
            return Err(refuse("it needs five traits, in the order E N O C A"));
        }
        if shares.contains(&0.0) {
            return Err(refuse("every class needs a population share above 0"));
        }
        let nothing = |row: &ArrayView1<'_, f64>| row.iter().all(|weight| *weight == 0.0);
        let catch_all = coefficients.weights.rows().into_iter().position(|row| nothing(&row));
        if params.uncategorized && catch_all.is_none() {
            return Err(refuse("uncategorized spending needs a class whose coefficients are all zero"));
        }
        Ok(Self {
            log_share: shares.iter().map(|share| share.ln()).collect(),
            drive: &coefficients.weights * (params.strength / (TRAITS as f64).sqrt()),
            factor: trait_factor(),
            catch_all: catch_all.unwrap_or(0),
        })
    }

    fn draw_traits<R: Rng>(&self, rng: &mut R) -> [f64; TRAITS] {
        let white: [f64; TRAITS] = std::array::from_fn(|_| rng.sample(StandardNormal));
        std::array::from_fn(|i| (0..=i).map(|k| self.factor[i][k] * white[k]).sum())
    }

    /// Draws customer `number`; the same for any order in which customers are drawn.
    pub(crate) fn draw(&self, params: &BankParams, number: usize) -> Customer {
        let rng = &mut seed::stream(params.seed, "customer", number as u64);
        let (years, classes) = (params.years, self.log_share.len());
        let (traits, events) = self.draw_life(params, rng);
        let taste: Vec<f64> =
            (0..classes).map(|_| params.taste * rng.sample::<f64, _>(StandardNormal)).collect();
        let mut customer = Customer {
            traits,
            events,
            present: vec![true; years],
            years: Array2::zeros((years - 1, classes)),
            fine: Array2::zeros((FINE_PERIODS, classes)),
        };
        for year in 0..years {
            let shares = self.propensity(params, customer.traits.row(year), &taste, rng);
            let moved = if params.uncategorized { draw_fraction(rng) } else { 0.0 };
            if year + 1 < years {
                let spent = self.spend(&shares, params.concentration, moved, rng);
                customer.years.row_mut(year).assign(&spent);
            } else {
                for mut period in customer.fine.rows_mut() {
                    let part = params.concentration / FINE_PERIODS as f64;
                    period.assign(&self.spend(&shares, part, moved, rng));
                }
            }
        }
        if params.missing_years > 0.0 {
            customer.present = draw_present(params, rng);
        }
        customer
    }

    /// Latent traits and life events over the years.
    fn draw_life<R: Rng>(&self, params: &BankParams, rng: &mut R) -> (Array2<f64>, Vec<bool>) {
        let mut traits = Array2::zeros((params.years, TRAITS));
        let mut events = vec![false; params.years];
        let mut now = self.draw_traits(rng);
        let fresh = (1.0 - params.persistence * params.persistence).sqrt();
        for (year, event) in events.iter_mut().enumerate() {
            if year > 0 {
                let news = self.draw_traits(rng);
                now = std::array::from_fn(|k| params.persistence * now[k] + fresh * news[k]);
                // Drawn in any case, so that one more event does not change the numbers that follow.
                let (chance, other) = (rng.random::<f64>(), self.draw_traits(rng));
                if chance < params.event_probability {
                    (now, *event) = (other, true);
                }
            }
            traits.row_mut(year).assign(&ArrayView1::from(&now));
        }
        (traits, events)
    }

    /// q: the share of spending that each class is heading for in a year.
    fn propensity<R: Rng>(
        &self,
        params: &BankParams,
        traits: ArrayView1<'_, f64>,
        taste: &[f64],
        rng: &mut R,
    ) -> Vec<f64> {
        let driven = self.drive.dot(&traits);
        let mut shares: Vec<f64> = (0..taste.len())
            .map(|class| {
                let noise = params.noise * rng.sample::<f64, _>(StandardNormal);
                self.log_share[class] + driven[class] + taste[class] + noise
            })
            .collect();
        let largest = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        shares.iter_mut().for_each(|share| *share = (*share - largest).exp());
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        shares
    }

    /// Gamma amounts of one period, in minor units; `moved` of each goes to the catch-all class.
    fn spend<R: Rng>(&self, shares: &[f64], concentration: f64, moved: f64, rng: &mut R) -> Array1<u32> {
        let mut amounts: Array1<f64> =
            shares.iter().map(|share| draw_gamma(concentration * share, rng)).collect();
        if moved > 0.0 {
            let total = amounts.sum();
            amounts *= 1.0 - moved;
            amounts[self.catch_all] += moved * total;
        }
        let mut spent = amounts.mapv(|amount| (amount * UNIT_MINOR).round_ties_even() as u32);
        if spent.iter().all(|minor| *minor == 0) {
            // So tiny a period would have no shares: its largest amount becomes the smallest coin.
            let largest = (0..shares.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap_or(0);
            spent[largest] = 1;
        }
        spent
    }
}

/// A Gamma variate with unit scale. Shapes go down to .01 and below, where most draws are far below a cent: what
/// underflows is zero.
fn draw_gamma<R: Rng>(shape: f64, rng: &mut R) -> f64 {
    Gamma::new(shape, 1.0).map_or(0.0, |gamma| gamma.sample(rng))
}

fn draw_fraction<R: Rng>(rng: &mut R) -> f64 {
    Beta::new(UNCATEGORIZED.0, UNCATEGORIZED.1).map_or(0.0, |beta| beta.sample(rng))
}

/// Which years have data: at least one.
fn draw_present<R: Rng>(params: &BankParams, rng: &mut R) -> Vec<bool> {
    let mut present: Vec<bool> =
        (0..params.years).map(|_| rng.random::<f64>() >= params.missing_years).collect();
    let kept = rng.random_range(0..params.years);
    if !present.contains(&true) {
        present[kept] = true;
    }
    present
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_reproduces_the_covariance() {
        let factor = trait_factor();
        let entry = |i: usize, j: usize| -> f64 { (0..TRAITS).map(|k| factor[i][k] * factor[j][k]).sum() };
        assert!((entry(3, 1) + 0.35).abs() < 1e-15 && (entry(4, 3) - 0.30).abs() < 1e-15);
        assert!((0..TRAITS).all(|k| (entry(k, k) - 1.0).abs() < 1e-15));
    }

    #[test]
    fn gamma_draws_keep_their_values_and_moments() {
        let rng = &mut seed::stream(1, "gamma", 0);
        let first: Vec<u64> = [0.01, 0.5, 1.0, 20.0].map(|shape| draw_gamma(shape, rng).to_bits()).to_vec();
        assert_eq!(first, STABLE);
        for shape in [0.01, 0.3, 1.0, 25.0] {
            let draws: Vec<f64> = (0..200_000).map(|_| draw_gamma(shape, rng)).collect();
            let mean = draws.iter().sum::<f64>() / draws.len() as f64;
            // Five standard errors of a mean whose variance is the shape.
            assert!((mean - shape).abs() < 5.0 * (shape / draws.len() as f64).sqrt(), "{shape}: {mean}");
        }
    }

    /// Bits of four draws, noted when the sampler was chosen: another sampler would make another bank.
    const STABLE: [u64; 4] =
        [0x2637_9f99_9fa7_53ba, 0x3fd8_6e65_1247_19d6, 0x3fe5_d0bb_081e_ed41, 0x4040_3d14_2420_9d96];
}
