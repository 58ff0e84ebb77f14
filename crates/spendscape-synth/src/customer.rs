//! One customer: traits, tastes, and what is spent on each class in each window.
//!
//! Each customer has a random stream of its own, named `customer`; whatever else comes to be told about the same customer
//! (the dates of transactions, outcomes, goals) draws from streams of other names, so that it changes nothing here.

use rand::{Rng, RngExt};
use rand_distr::{Beta, Distribution, Gamma, StandardNormal};
use spendscape_schema::{Coefficients, seed};

use crate::{BankParams, Error};

/// Number of latent traits, in the order E N O C A.
pub(crate) const TRAITS: usize = 5;
/// Windows that the last year is divided into, of two months each.
pub(crate) const SHORT_WINDOWS: usize = 6;
/// One unit of spending g, in minor units of the currency: 200.00.
pub(crate) const UNIT_MINOR: f64 = 20_000.0;
/// Parameters of the Beta distribution of uncategorized fractions: a tenth on average.
const UNCATEGORIZED: (f64, f64) = (2.0, 18.0);
/// Covariance of the latent traits, in the order E N O C A.
pub(crate) const COVARIANCE: [[f64; TRAITS]; TRAITS] = [
    [1.0, -0.30, 0.30, 0.10, 0.15],
    [-0.30, 1.0, -0.10, -0.35, -0.30],
    [0.30, -0.10, 1.0, 0.05, 0.15],
    [0.10, -0.35, 0.05, 1.0, 0.30],
    [0.15, -0.30, 0.15, 0.30, 1.0],
];

/// Lower Cholesky factor of the traits' covariance.
pub(crate) fn trait_factor() -> [[f64; TRAITS]; TRAITS] {
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

/// The model that all customers share.
#[derive(Debug)]
pub(crate) struct Population<'a> {
    params: &'a BankParams,
    /// ln pi (C).
    log_share: Vec<f64>,
    /// (lambda / sqrt 5) B, one row per class.
    drive: Vec<[f64; TRAITS]>,
    factor: [[f64; TRAITS]; TRAITS],
    /// The class that takes the uncategorized part.
    catch_all: Option<usize>,
}

/// Where one customer's numbers go.
#[derive(Debug)]
pub(crate) struct Slots<'a> {
    /// Totals in minor units: the years before the last one, then the short windows of the last year; classes fastest.
    pub(crate) totals: &'a mut [u32],
    /// Latent traits, years x 5.
    pub(crate) traits: &'a mut [[f64; TRAITS]],
    /// Life events per year.
    pub(crate) events: &'a mut [bool],
    /// Which years have data; the totals of the others stay zero.
    pub(crate) present: &'a mut [bool],
}

impl<'a> Population<'a> {
    pub(crate) fn new(params: &'a BankParams, coefficients: &Coefficients) -> Result<Self, Error> {
        params.check()?;
        let weights = &coefficients.weights;
        let shares = coefficients.population_share.as_deref().ok_or(Error::NoPopulationShare)?;
        if weights.ncols() != TRAITS {
            return Err(Error::Traits { expected: TRAITS, found: weights.ncols() });
        }
        for ((class, share), row) in coefficients.classes.iter().zip(shares).zip(weights.rows()) {
            if !(share.is_finite() && *share >= 0.0) {
                return Err(Error::PopulationShare { class: class.clone(), share: *share });
            }
            if let Some(value) = row.iter().find(|value| !value.is_finite()) {
                return Err(Error::Coefficient { class: class.clone(), value: *value });
            }
        }
        if shares.iter().all(|share| *share == 0.0) {
            let class = coefficients.classes.first().cloned().unwrap_or_default();
            return Err(Error::PopulationShare { class, share: 0.0 });
        }
        let catch_all = match &params.catch_all {
            _ if !params.uncategorized => None,
            None => {
                let first =
                    weights.rows().into_iter().position(|row| row.iter().all(|weight| *weight == 0.0));
                Some(first.ok_or(Error::NoCatchAll)?)
            }
            Some(name) => {
                let at = coefficients.classes.iter().position(|class| class == name);
                Some(at.ok_or_else(|| Error::UnknownCatchAll { class: name.clone() })?)
            }
        };
        let scale = params.strength / (TRAITS as f64).sqrt();
        Ok(Self {
            params,
            log_share: shares.iter().map(|share| share.ln()).collect(),
            drive: weights.rows().into_iter().map(|row| std::array::from_fn(|k| scale * row[k])).collect(),
            factor: trait_factor(),
            catch_all,
        })
    }

    /// Draws customer `number` (from 0) into zeroed slots: the same whatever other customers are drawn, in any order.
    pub(crate) fn draw(&self, number: usize, slots: Slots<'_>) {
        let Slots { totals, traits, events, present } = slots;
        let (params, classes) = (self.params, self.log_share.len());
        let rng = &mut seed::stream(params.seed, "customer", number as u64);
        self.draw_life(traits, events, rng);
        self.move_to_types(number, traits, events);
        let taste: Vec<f64> = (0..classes).map(|_| params.taste * normal(rng)).collect();
        let (mut shares, mut amounts) = (vec![0.0; classes], vec![0.0; classes]);
        let mut gammas = Vec::with_capacity(classes);
        let mut windows = totals.chunks_exact_mut(classes);
        for (year, z) in traits.iter().enumerate() {
            self.draw_propensity(z, &taste, &mut shares, rng);
            // One fraction for the year, whatever the number of its windows.
            let moved = self.catch_all.map(|class| (class, draw_fraction(rng)));
            let parts = if year + 1 < traits.len() { 1 } else { SHORT_WINDOWS };
            // Gamma variates of one scale add up, so windows of a year can be drawn apart.
            let concentration = params.concentration / parts as f64;
            gammas.clear();
            gammas.extend(shares.iter().map(|share| gamma(concentration * share)));
            for window in windows.by_ref().take(parts) {
                draw_amounts(&gammas, &mut amounts, rng);
                if let Some((class, fraction)) = moved {
                    move_fraction(&mut amounts, class, fraction);
                }
                to_minor(&amounts, &shares, window);
            }
        }
        present.fill(true);
        if params.missing_years > 0.0 {
            draw_present(params.missing_years, present, rng);
            let years = present.len();
            for (window, spent) in totals.chunks_exact_mut(classes).enumerate() {
                if !present[window.min(years - 1)] {
                    spent.fill(0);
                }
            }
        }
    }

    fn draw_traits<R: Rng + ?Sized>(&self, rng: &mut R) -> [f64; TRAITS] {
        let white: [f64; TRAITS] = std::array::from_fn(|_| normal(rng));
        std::array::from_fn(|i| (0..=i).map(|k| self.factor[i][k] * white[k]).sum())
    }

    /// Latent traits z and life events over the years.
    fn draw_life<R: Rng + ?Sized>(&self, traits: &mut [[f64; TRAITS]], events: &mut [bool], rng: &mut R) {
        let rho = self.params.persistence;
        let fresh = (1.0 - rho * rho).sqrt();
        let mut now = self.draw_traits(rng);
        for (year, (z, event)) in traits.iter_mut().zip(events).enumerate() {
            if year > 0 {
                let news = self.draw_traits(rng);
                now = std::array::from_fn(|k| rho * now[k] + fresh * news[k]);
                // Both are drawn in any case, so that one more event does not change the numbers that follow.
                let (chance, redrawn) = (rng.random::<f64>(), self.draw_traits(rng));
                if chance < self.params.event_probability {
                    (now, *event) = (redrawn, true);
                }
            }
            *z = now;
        }
    }

    /// Traits of a customer's kind: the trait k that it has most of lies s (1 - 1/5) above the mean of all customers, the others
    /// s / 5 below it. A life event makes it any kind again. Kinds have a stream of their own, so that a bank without them is the
    /// same as ever.
    fn move_to_types(&self, number: usize, traits: &mut [[f64; TRAITS]], events: &[bool]) {
        let (separation, spread) = (self.params.separation, self.params.spread);
        let rng = &mut seed::stream(self.params.seed, "type", number as u64);
        let mut kind = 0;
        for (year, (z, event)) in traits.iter_mut().zip(events).enumerate() {
            // Drawn in any case, so that one more event does not change the kinds that follow.
            let drawn = rng.random_range(0..TRAITS);
            if year == 0 || *event {
                kind = drawn;
            }
            for (k, level) in z.iter_mut().enumerate() {
                let own = if k == kind { 1.0 } else { 0.0 };
                *level = spread * *level + separation * (own - 1.0 / TRAITS as f64);
            }
        }
    }

    /// The propensity q: the share of spending that each class is heading for in a year with traits `z`.
    fn draw_propensity<R: Rng + ?Sized>(
        &self,
        z: &[f64; TRAITS],
        taste: &[f64],
        shares: &mut [f64],
        rng: &mut R,
    ) {
        for (class, share) in shares.iter_mut().enumerate() {
            let driven: f64 = self.drive[class].iter().zip(z).map(|(weight, level)| weight * level).sum();
            *share = self.log_share[class] + driven + taste[class] + self.params.noise * normal(rng);
        }
        let largest = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        shares.iter_mut().for_each(|share| *share = (*share - largest).exp());
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
    }
}

pub(crate) fn normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    rng.sample(StandardNormal)
}

/// The Gamma distribution with unit scale, `None` for a class that nobody spends on (shape 0). Shapes go down to .01 and
/// below, where most draws lie far below a cent: what underflows is zero.
fn gamma(shape: f64) -> Option<Gamma<f64>> {
    Gamma::new(shape, 1.0).ok()
}

/// Amounts g of one window in units.
fn draw_amounts<R: Rng + ?Sized>(gammas: &[Option<Gamma<f64>>], amounts: &mut [f64], rng: &mut R) {
    for (amount, gamma) in amounts.iter_mut().zip(gammas) {
        *amount = gamma.map_or(0.0, |gamma| gamma.sample(rng));
    }
}

fn draw_fraction<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    Beta::new(UNCATEGORIZED.0, UNCATEGORIZED.1).map_or(0.0, |beta| beta.sample(rng))
}

fn move_fraction(amounts: &mut [f64], class: usize, fraction: f64) {
    let total: f64 = amounts.iter().sum();
    amounts.iter_mut().for_each(|amount| *amount *= 1.0 - fraction);
    amounts[class] += fraction * total;
}

/// Rounds the amounts of one window to minor units.
fn to_minor(amounts: &[f64], shares: &[f64], spent: &mut [u32]) {
    for (minor, amount) in spent.iter_mut().zip(amounts) {
        *minor = (amount * UNIT_MINOR).round_ties_even() as u32;
    }
    if spent.iter().all(|minor| *minor == 0) {
        // A window in which everything vanished would have no shares: one coin goes to the likeliest class. With the
        // default concentration this never happens.
        let likeliest = (0..shares.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap_or(0);
        spent[likeliest] = 1;
    }
}

/// Which years have data: at least one.
fn draw_present<R: Rng + ?Sized>(missing: f64, present: &mut [bool], rng: &mut R) {
    present.iter_mut().for_each(|present| *present = rng.random::<f64>() >= missing);
    let kept = rng.random_range(0..present.len());
    if !present.contains(&true) {
        present[kept] = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws per distribution: standard errors of a few thousandths.
    const DRAWS: usize = 200_000;
    /// How far a mean of independent draws may lie from its expectation, in standard errors: once in two million times.
    const DEVIATIONS: f64 = 5.0;

    #[test]
    fn the_factor_reproduces_the_covariance() {
        let factor = trait_factor();
        for (i, row) in COVARIANCE.iter().enumerate() {
            for (j, expected) in row.iter().enumerate() {
                let entry: f64 = (0..TRAITS).map(|k| factor[i][k] * factor[j][k]).sum();
                assert!((entry - expected).abs() < 1e-15, "{i} {j}: {entry}");
            }
        }
    }

    fn draw_gamma(shape: f64, rng: &mut seed::Stream) -> f64 {
        let mut amounts = [f64::NAN];
        draw_amounts(&[gamma(shape)], &mut amounts, rng);
        amounts[0]
    }

    /// Shapes and the draws for them, noted when the sampler was chosen.
    const GOLDEN: [(f64, f64); 4] = [
        (0.05, 1.433_269_798_579_35e-25),
        (0.5, 0.381_737_964_486_459),
        (1.0, 0.681_729_808_674_767),
        (20.0, 32.477_177_158_284_7),
    ];

    /// Another sampler would make another bank. Relative tolerance: logarithms differ by an ulp between platforms.
    #[test]
    fn gamma_draws_keep_their_values() {
        let rng = &mut seed::stream(1, "gamma", 0);
        for (shape, expected) in GOLDEN {
            let draw = draw_gamma(shape, rng);
            assert!((draw - expected).abs() <= 1e-12 * expected, "{shape}: {draw:e}");
        }
        assert_eq!((draw_gamma(0.0, rng), draw_gamma(f64::NAN, rng)), (0.0, 0.0));
    }

    /// Mean and variance of a Gamma variate are its shape; below a threshold t << 1 lies about t^a / Gamma(a + 1) of it.
    #[test]
    fn gamma_moments_hold_down_to_small_shapes() {
        let rng = &mut seed::stream(2, "gamma", 0);
        let n = DRAWS as f64;
        for shape in [0.01, 0.05, 0.3, 1.0, 25.0] {
            let draws: Vec<f64> = (0..DRAWS).map(|_| draw_gamma(shape, rng)).collect();
            let mean = draws.iter().sum::<f64>() / n;
            assert!((mean - shape).abs() < DEVIATIONS * (shape / n).sqrt(), "{shape}: mean {mean}");
            // The fourth central moment of Gamma(a) is 3 a^2 + 6 a.
            let variance = draws.iter().map(|draw| (draw - shape).powi(2)).sum::<f64>() / n;
            let error = ((3.0 * shape * shape + 6.0 * shape - shape * shape) / n).sqrt();
            assert!((variance - shape).abs() < DEVIATIONS * error, "{shape}: variance {variance}");
        }
        // Gamma(1.01) = .99433, and e^-t is 1 to 1e-6 below t = 1e-6: how many draws of shape .01 lie there.
        let below = (0..DRAWS).filter(|_| draw_gamma(0.01, rng) < 1e-6).count() as f64 / n;
        let expected = 1e-6_f64.powf(0.01) / 0.994_326;
        assert!((below - expected).abs() < DEVIATIONS * (expected * (1.0 - expected) / n).sqrt(), "{below}");
    }

    /// The sum of six windows has the distribution of the year: the same deciles.
    #[test]
    fn gamma_variates_add_up() {
        let rng = &mut seed::stream(3, "gamma", 0);
        for shape in [0.06, 0.9, 8.0] {
            let mut years: Vec<f64> = (0..DRAWS).map(|_| draw_gamma(shape, rng)).collect();
            years.sort_by(f64::total_cmp);
            let sums: Vec<f64> =
                (0..DRAWS).map(|_| (0..6).map(|_| draw_gamma(shape / 6.0, rng)).sum()).collect();
            for decile in 1..10 {
                let level = years[decile * DRAWS / 10];
                let below = sums.iter().filter(|sum| **sum < level).count() as f64 / DRAWS as f64;
                let share = decile as f64 / 10.0;
                let error = (2.0 * share * (1.0 - share) / DRAWS as f64).sqrt();
                assert!((below - share).abs() < DEVIATIONS * error, "{shape} {decile}: {below}");
            }
        }
    }

    #[test]
    fn a_window_is_never_all_zero() {
        let mut spent = [9, 9, 9];
        to_minor(&[1e-6, 2.4e-5, 0.0], &[0.2, 0.5, 0.3], &mut spent);
        assert_eq!(spent, [0, 1, 0]);
        to_minor(&[1e-6, 2.6e-5, 1.0], &[0.2, 0.5, 0.3], &mut spent);
        assert_eq!(spent, [0, 1, 20_000]);
    }

    #[test]
    fn a_fraction_moves_and_the_total_stays() {
        let mut amounts = [1.0, 2.0, 5.0];
        move_fraction(&mut amounts, 1, 0.25);
        assert_eq!(amounts, [0.75, 3.5, 3.75]);
    }

    #[test]
    fn one_year_is_always_kept() {
        let rng = &mut seed::stream(4, "present", 0);
        let mut kept = [0; 3];
        for _ in 0..300 {
            let mut present = [false; 3];
            draw_present(1.0, &mut present, rng);
            assert_eq!(present.iter().filter(|present| **present).count(), 1);
            (0..3).for_each(|year| kept[year] += usize::from(present[year]));
        }
        assert!(kept.iter().all(|count| *count > 60), "{kept:?}");
    }
}
