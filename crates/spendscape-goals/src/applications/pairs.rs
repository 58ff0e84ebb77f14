//! Sums over customers for all pairs of items at once.

use ndarray::{Array2, Axis};
use rayon::prelude::*;

/// Customers whose sums one task adds up, in order, so that the totals are the same for any number of threads.
const CHUNK: usize = 1024;

/// A customer in a period.
pub(super) struct Observation {
    pub(super) period: usize,
    /// Items A bought in it, ascending.
    pub(super) first: Vec<u16>,
    /// Items B that came true, ascending.
    pub(super) second: Vec<u16>,
    /// Items B that could come true, ascending; `None` for all.
    pub(super) possible: Option<Vec<u16>>,
}

/// The observations of a customer.
pub(super) type Customer = Vec<Observation>;

/// Sums over customers for each pair of items (C x C).
pub(super) struct Sums {
    /// Observations with A and B (O).
    pub(super) observed: Array2<f64>,
    /// Customers with such an observation.
    pub(super) customers: Array2<f64>,
    /// Observations with A in which B could come true.
    pub(super) possible: Array2<f64>,
    /// E.
    pub(super) expected: Array2<f64>,
    /// Sum over customers of x(n)^2, their part of O.
    pub(super) xx: Array2<f64>,
    /// Of x(n) u(n).
    pub(super) xu: Array2<f64>,
    /// Of u(n)^2.
    pub(super) uu: Array2<f64>,
}

/// Shares of one stratum.
struct Stratum {
    /// Of A (C).
    p: Vec<f64>,
    /// Of B among the observations in which it could come true (C).
    q: Vec<f64>,
    /// `sqrt(m / (m - 1))` for these m observations; 0 for one, whose residual is 0 (C).
    scale: Vec<f64>,
}

/// Observations of one stratum, counted.
#[derive(Default, Clone)]
struct Counts {
    all: f64,
    first: Vec<f64>,
    second: Vec<f64>,
    impossible: Vec<f64>,
}

impl Sums {
    /// `together` says that pairs have no direction: only those above the diagonal are summed.
    pub(super) fn new(customers: &[Customer], items: usize, together: bool) -> Self {
        let strata = strata(customers, items);
        let chunks: Vec<Self> = customers
            .par_chunks(CHUNK)
            .map(|chunk| {
                let mut sums = Self::zero(items);
                let mut scratch = Scratch::new(items);
                for customer in chunk.iter().filter(|customer| !customer.is_empty()) {
                    sums.add(customer, &strata, &mut scratch, together);
                }
                sums
            })
            .collect();
        chunks.into_iter().fold(Self::zero(items), |mut total, part| {
            total.observed += &part.observed;
            total.customers += &part.customers;
            total.possible += &part.possible;
            total.expected += &part.expected;
            total.xx += &part.xx;
            total.xu += &part.xu;
            total.uu += &part.uu;
            total
        })
    }

    fn zero(items: usize) -> Self {
        let zero = || Array2::zeros((items, items));
        Self {
            observed: zero(),
            customers: zero(),
            possible: zero(),
            expected: zero(),
            xx: zero(),
            xu: zero(),
            uu: zero(),
        }
    }

    fn add(&mut self, customer: &Customer, strata: &Strata, scratch: &mut Scratch, together: bool) {
        let items = self.uu.nrows();
        let from = |a: usize| if together { a + 1 } else { 0 };
        scratch.first.clear();
        scratch.second.clear();
        for observation in customer {
            let stratum = strata.of(observation);
            scratch.residuals(observation, stratum);
            for &a in &observation.first {
                let a = a as usize;
                let mut expected = self.expected.index_axis_mut(Axis(0), a);
                let mut possible = self.possible.index_axis_mut(Axis(0), a);
                for b in from(a)..items {
                    expected[b] += scratch.can[b] * stratum.q[b];
                    possible[b] += scratch.can[b];
                }
                for &b in observation.second.iter().filter(|b| **b as usize >= from(a)) {
                    if scratch.x[[a, b as usize]] == 0.0 {
                        scratch.touched.push([a, b as usize]);
                    }
                    scratch.x[[a, b as usize]] += 1.0;
                }
            }
        }
        for a in 0..items {
            let start = from(a).min(items);
            let row = &mut scratch.row[start..];
            row.fill(0.0);
            for (first, second) in scratch.first.chunks_exact(items).zip(scratch.second.chunks_exact(items)) {
                let residual = first[a];
                row.iter_mut().zip(&second[start..]).for_each(|(u, b)| *u += residual * b);
            }
            let mut sums = self.uu.row_mut(a);
            let sums = sums.as_slice_mut().expect("rows of a fresh array are contiguous");
            sums[start..].iter_mut().zip(&*row).for_each(|(sum, u)| *sum += u * u);
        }
        for at in scratch.touched.drain(..) {
            let x = std::mem::take(&mut scratch.x[at]);
            let parts = scratch.first.chunks_exact(items).zip(scratch.second.chunks_exact(items));
            let u: f64 = parts.map(|(first, second)| first[at[0]] * second[at[1]]).sum();
            self.observed[at] += x;
            self.customers[at] += 1.0;
            self.xx[at] += x * x;
            self.xu[at] += x * u;
        }
    }
}

/// Strata by period and number of items.
struct Strata {
    items: usize,
    strata: Vec<Option<Stratum>>,
}

impl Strata {
    fn at(items: usize, observation: &Observation) -> usize {
        observation.period * (items + 1) + observation.first.len()
    }

    fn of(&self, observation: &Observation) -> &Stratum {
        self.strata[Self::at(self.items, observation)].as_ref().expect("every observation was counted")
    }
}

fn strata(customers: &[Customer], items: usize) -> Strata {
    let mut counts: Vec<Counts> = Vec::new();
    for observation in customers.iter().flatten() {
        let at = Strata::at(items, observation);
        if counts.len() <= at {
            counts.resize(at + 1, Counts::default());
        }
        let counts = &mut counts[at];
        if counts.first.is_empty() {
            let zero = || vec![0.0; items];
            (counts.first, counts.second, counts.impossible) = (zero(), zero(), zero());
        }
        counts.all += 1.0;
        observation.first.iter().for_each(|a| counts.first[*a as usize] += 1.0);
        observation.second.iter().for_each(|b| counts.second[*b as usize] += 1.0);
        if let Some(possible) = &observation.possible {
            counts.impossible.iter_mut().for_each(|count| *count += 1.0);
            possible.iter().for_each(|b| counts.impossible[*b as usize] -= 1.0);
        }
    }
    let stratum = |counts: Counts| {
        let possible: Vec<f64> = counts.impossible.iter().map(|impossible| counts.all - impossible).collect();
        let ratio = |(count, of): (&f64, &f64)| if *of > 0.0 { count / of } else { 0.0 };
        let scale = |m: &f64| if *m > 1.0 { (m / (m - 1.0)).sqrt() } else { 0.0 };
        (counts.all > 0.0).then(|| Stratum {
            p: counts.first.iter().map(|count| count / counts.all).collect(),
            q: counts.second.iter().zip(&possible).map(ratio).collect(),
            scale: possible.iter().map(scale).collect(),
        })
    };
    Strata { items, strata: counts.into_iter().map(stratum).collect() }
}

/// Scratch memory for one customer at a time.
struct Scratch {
    /// Residuals a - p of each observation, one after the other.
    first: Vec<f64>,
    /// Scaled residuals b - q, 0 where B could not come true.
    second: Vec<f64>,
    /// 1 where B could come true in the last observation.
    can: Vec<f64>,
    x: Array2<f64>,
    touched: Vec<[usize; 2]>,
    row: Vec<f64>,
}

impl Scratch {
    fn new(items: usize) -> Self {
        let (can, row) = (vec![0.0; items], vec![0.0; items]);
        let x = Array2::zeros((items, items));
        Self { first: Vec::new(), second: Vec::new(), can, x, touched: Vec::new(), row }
    }

    fn residuals(&mut self, observation: &Observation, stratum: &Stratum) {
        self.can.fill(f64::from(observation.possible.is_none()));
        for &b in observation.possible.iter().flatten() {
            self.can[b as usize] = 1.0;
        }
        let (first, second) = (self.first.len(), self.second.len());
        self.first.extend(stratum.p.iter().map(|p| -p));
        observation.first.iter().for_each(|a| self.first[first + *a as usize] += 1.0);
        self.second.extend(stratum.q.iter().map(|q| -q));
        observation.second.iter().for_each(|b| self.second[second + *b as usize] += 1.0);
        let residuals = &mut self.second[second..];
        for ((residual, can), scale) in residuals.iter_mut().zip(&self.can).zip(&stratum.scale) {
            *residual *= can * scale;
        }
    }
}
