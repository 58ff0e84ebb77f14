//! The gain of addressing the best of a ranking instead of anybody.

use rand::Rng;
use spendscape_stats::{BadInput, Estimate, bootstrap, check};

use crate::Error;

/// The result of addressing the first customers of a ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// Share of the customers addressed.
    pub share: f64,
    /// Their number; a fraction where the share cuts a customer.
    pub targeted: f64,
    /// Conversions among them, in the mean over all orders of customers that the ranking holds equal.
    pub conversions: f64,
    /// Their conversion rate less that of all: conversions won per customer addressed over random targeting.
    pub uplift: Estimate,
    /// The ratio of the two rates.
    pub lift: Estimate,
    /// Conversion rate of the first ranking at this share less that of this one, on the same samples.
    pub behind_first: Estimate,
}

/// How one ranking did.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// At each share.
    pub gains: Vec<Gain>,
    /// Area between the cumulative gains curve (share of conversions reached over share addressed) and the diagonal of
    /// random targeting: 0 for a random ranking, `(1 - rate) / 2` for a perfect one.
    pub area: Estimate,
}

/// Measures rankings of the same N customers, each by scores of which larger ones come first, against who `converted`,
/// at `shares` in (0, 1], with 95 % percentile intervals from `draws` bootstrap samples of customers.
///
/// This is targeting: it says how well a ranking finds customers who convert, not how many convert because they were
/// addressed. That needs customers left alone at random (Radcliffe 2007, whose curve has the same axes).
///
/// ```
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_goals::applications::targeting_gains;
///
/// // Of ten customers two convert, and the ranking has them first.
/// let scores: Vec<f64> = (0..10).map(|n| -f64::from(n)).collect();
/// let converted: Vec<bool> = (0..10).map(|n| n < 2).collect();
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let found = targeting_gains(&[scores], &converted, &[0.2], 50, &mut rng)?;
/// assert_eq!(found[0].gains[0].conversions, 2.0);
/// assert_eq!(found[0].gains[0].lift.value, 5.0);
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
///
/// # Errors
/// [`BadInput::ShapeMismatch`], [`BadInput::InvalidParameter`] for a share outside (0, 1] or a score that is NaN,
/// [`BadInput::TooFew`] without rankings, customers, or conversions.
pub fn targeting_gains<R: Rng + ?Sized>(
    rankings: &[Vec<f64>],
    converted: &[bool],
    shares: &[f64],
    draws: usize,
    rng: &mut R,
) -> Result<Vec<Ranking>, Error> {
    let what = "measuring who was targeted";
    let conversions = converted.iter().filter(|converted| **converted).count();
    for (of, found) in [("rankings", rankings.len()), ("conversions", conversions)] {
        if found == 0 {
            return Err(Error::Input(BadInput::TooFew { what, needed: 1, of, found }));
        }
    }
    for scores in rankings {
        check::length("the scores of a ranking", converted.len(), scores.len())?;
        for &score in scores {
            check::parameter("a score", score, !score.is_nan(), "the numbers")?;
        }
    }
    for &share in shares {
        check::parameter("a share", share, share > 0.0 && share <= 1.0, "(0, 1]")?;
    }
    let ordered: Vec<Ordered> = rankings.iter().map(|scores| Ordered::new(scores, converted)).collect();
    let width = 3 * shares.len() + 1;
    let statistics = |weights: &[u32]| {
        let mut values = Vec::with_capacity(width * ordered.len());
        let mut first: Vec<f64> = Vec::new();
        for order in &ordered {
            let walk = order.walk(weights, shares);
            let rate = walk.conversions / walk.customers;
            let rates: Vec<f64> =
                walk.reached.iter().zip(shares).map(|(won, share)| won / (share * walk.customers)).collect();
            if first.is_empty() {
                first.clone_from(&rates);
            }
            for (own, first) in rates.iter().zip(&first) {
                values.extend([own - rate, own / rate, first - own]);
            }
            values.push(walk.area);
        }
        values
    };
    let intervals = bootstrap(converted.len(), draws, rng, statistics);
    let everybody = vec![1; converted.len()];
    let ranking = |(order, intervals): (&Ordered, &[Estimate])| {
        let walk = order.walk(&everybody, shares);
        let gains = shares.iter().zip(&walk.reached).enumerate().map(|(k, (share, won))| Gain {
            share: *share,
            targeted: share * walk.customers,
            conversions: *won,
            uplift: intervals[3 * k],
            lift: intervals[3 * k + 1],
            behind_first: intervals[3 * k + 2],
        });
        Ranking { gains: gains.collect(), area: intervals[width - 1] }
    };
    Ok(ordered.iter().zip(intervals.chunks_exact(width)).map(ranking).collect())
}

/// Customers by falling score.
struct Ordered {
    /// Customers; their order among equals does not count.
    customers: Vec<u32>,
    converted: Vec<bool>,
    /// End of each run of equal scores.
    ends: Vec<usize>,
}

/// The gains curve of one sample.
struct Walk {
    customers: f64,
    conversions: f64,
    /// Conversions among the first customers at each share.
    reached: Vec<f64>,
    area: f64,
}

impl Ordered {
    fn new(scores: &[f64], converted: &[bool]) -> Self {
        let mut customers: Vec<u32> = (0..scores.len() as u32).collect();
        let score = |n: &u32| scores[*n as usize];
        customers.sort_unstable_by(|a, b| score(b).total_cmp(&score(a)).then(a.cmp(b)));
        let mut ends = Vec::new();
        // `==` makes 0 and -0 equals, which are neighbors in the total order.
        for run in customers.chunk_by(|a, b| score(a) == score(b)) {
            ends.push(ends.last().unwrap_or(&0) + run.len());
        }
        let converted = customers.iter().map(|n| converted[*n as usize]).collect();
        Self { customers, converted, ends }
    }

    /// The curve when customer n counts `weights[n]` times; straight across equals, as is the mean over their orders.
    fn walk(&self, weights: &[u32], shares: &[f64]) -> Walk {
        let mut runs = Vec::with_capacity(self.ends.len());
        let (mut start, mut customers, mut conversions) = (0, 0_u64, 0_u64);
        for &end in &self.ends {
            for at in start..end {
                let weight = u64::from(weights[self.customers[at] as usize]);
                customers += weight;
                conversions += weight * u64::from(self.converted[at]);
            }
            start = end;
            runs.push((customers as f64, conversions as f64));
        }
        let (customers, conversions) = (customers as f64, conversions as f64);
        let reached = |share: &f64| {
            let target = share * customers;
            let at = runs.partition_point(|(reached, _)| *reached < target).min(runs.len() - 1);
            let (x0, y0) = if at == 0 { (0.0, 0.0) } else { runs[at - 1] };
            let (x1, y1) = runs[at];
            if x1 > x0 { y0 + (y1 - y0) * (target - x0) / (x1 - x0) } else { y1 }
        };
        let (mut twice, mut x0, mut y0) = (0.0, 0.0, 0.0);
        for &(x1, y1) in &runs {
            twice += (x1 - x0) * (y0 + y1);
            (x0, y0) = (x1, y1);
        }
        let area = if conversions > 0.0 { (twice / (customers * conversions) - 1.0) / 2.0 } else { f64::NAN };
        Walk { customers, conversions, reached: shares.iter().map(reached).collect(), area }
    }
}
