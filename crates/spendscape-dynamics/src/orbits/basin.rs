//! Basins of attraction: which point a state reaches, what share of the states reaches it, and where the edges lie.

use ndarray::{Array1, ArrayRef, Ix1};
use rand::{Rng, RngExt};
use spendscape_stats::{NORMAL_975, check};

use crate::error::Error;
use crate::fixed_points::{FixedPointList, Verdict};
use crate::map::{LANES, Map, check_shape};

/// A roll-out this near (Euclidean) a stable point, and still coming nearer, has reached it.
const NEAR: f64 = 1e-6;
/// Bisections of an edge, an even number: the two sides are then neighbors to rounding.
const BISECTIONS: usize = 60;

/// Which stable point a state reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Membership {
    /// The stable point with this index in the list.
    Point(usize),
    /// None within the step limit.
    Undecided,
}

/// A share of the sampled states with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// The membership.
    pub membership: Membership,
    /// States counted.
    pub count: usize,
    /// Their share.
    pub share: f64,
    /// Wilson's 95 % interval of that share.
    pub interval: (f64, f64),
}

/// Two neighboring states (to rounding) on the two sides of a basin's edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// In the first state's basin.
    pub inside: Array1<f64>,
    /// Not in it.
    pub outside: Array1<f64>,
}

/// The basins of a list of fixed points under their map.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{
///     fixed_points::{Complete, SearchParams},
///     map::RnnCell,
///     orbits::{Basins, Membership},
/// };
///
/// let cell = RnnCell::new(&Array2::zeros((1, 0)), &array![[2.0]], &array![0.0])?;
/// let map = cell.under(&array![])?;
/// let list = map.fixed_points(&SearchParams::default());
/// let basins = Basins::new(&map, &list, 1_000);
/// // The points are in order: the lower attractor, the threshold, the upper attractor.
/// assert_eq!(basins.membership(&array![0.01])?, Membership::Point(2));
/// assert_eq!(basins.membership(&array![-0.01])?, Membership::Point(0));
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Basins<'a, M> {
    map: &'a M,
    list: &'a FixedPointList,
    max_steps: usize,
}

impl<'a, M: Map> Basins<'a, M> {
    /// Basins of the stable points of `list`; a roll-out takes at most `max_steps` steps.
    #[must_use]
    pub fn new(map: &'a M, list: &'a FixedPointList, max_steps: usize) -> Self {
        Self { map, list, max_steps }
    }

    /// The stable point that the roll-out from `x` reaches (in floating point).
    ///
    /// # Errors
    /// [`Error::Shape`] or `BadInput::NotFinite`.
    pub fn membership(&self, x: &ArrayRef<f64, Ix1>) -> Result<Membership, Error> {
        check_shape("x", x.shape(), &[self.map.dim()])?;
        check::finite("x", x)?;
        Ok(self.reach(x.to_vec()))
    }

    fn reach(&self, x: Vec<f64>) -> Membership {
        self.reach_all(&[x])[0]
    }

    /// The points that the roll-outs from some states reach. They are taken side by side; when one ends, the next begins.
    fn reach_all(&self, starts: &[Vec<f64>]) -> Vec<Membership> {
        let mut found = vec![Membership::Undecided; starts.len()];
        let mut x = vec![[0.0; LANES]; self.map.dim()];
        let mut next = x.clone();
        // The start of each lane and the steps that are left to it.
        let mut lanes: [Option<(usize, usize)>; LANES] = [None; LANES];
        let mut due = 0;
        loop {
            for (lane, taken) in lanes.iter_mut().enumerate() {
                if taken.is_none() && due < starts.len() && self.max_steps > 0 {
                    x.iter_mut().zip(&starts[due]).for_each(|(to, from)| to[lane] = *from);
                    *taken = Some((due, self.max_steps));
                    due += 1;
                }
            }
            if lanes.iter().all(Option::is_none) {
                return found;
            }
            self.map.step_side_by_side(&x, &mut next);
            for (k, p) in self.list.points.iter().enumerate() {
                if p.spectrum.verdict != Verdict::Stable {
                    continue;
                }
                let distances = |x: &[[f64; LANES]]| {
                    let mut sums = [0.0; LANES];
                    for (x, p) in x.iter().zip(&p.state) {
                        for lane in 0..LANES {
                            sums[lane] += (x[lane] - p) * (x[lane] - p);
                        }
                    }
                    sums
                };
                // Mostly the first coordinate alone is too far away.
                let apart = |x: f64| (x - p.state[0]) * (x - p.state[0]) >= NEAR * NEAR;
                if next[0].into_iter().all(apart) {
                    continue;
                }
                let now = distances(&next);
                if now.iter().all(|distance| *distance >= NEAR * NEAR) {
                    continue;
                }
                let before = distances(&x);
                for (lane, taken) in lanes.iter_mut().enumerate() {
                    if let Some((start, _)) = *taken
                        && now[lane] < NEAR * NEAR
                        && now[lane] <= before[lane]
                    {
                        found[start] = Membership::Point(k);
                        *taken = None;
                    }
                }
            }
            for taken in &mut lanes {
                *taken = taken.and_then(|(start, left)| (left > 1).then_some((start, left - 1)));
            }
            std::mem::swap(&mut x, &mut next);
        }
    }

    /// The shares of the basins among `samples` states drawn evenly from the map's bounds (a unit cube without bounds).
    pub fn fractions<R: Rng + ?Sized>(&self, samples: usize, rng: &mut R) -> Vec<Share> {
        let bounds = self.map.bounds().unwrap_or_else(|| vec![(-1.0, 1.0); self.map.dim()]);
        let mut counts = vec![0usize; self.list.points.len() + 1];
        let mut draw = || bounds.iter().map(|&(lo, hi)| lo + (hi - lo) * rng.random::<f64>()).collect();
        let starts: Vec<Vec<f64>> = (0..samples).map(|_| draw()).collect();
        for membership in self.reach_all(&starts) {
            match membership {
                Membership::Point(k) => counts[k] += 1,
                Membership::Undecided => counts[self.list.points.len()] += 1,
            }
        }
        let membership = |k: usize| {
            if k < self.list.points.len() { Membership::Point(k) } else { Membership::Undecided }
        };
        let stable = |k: usize| self.list.points.get(k).is_none_or(|p| p.spectrum.verdict == Verdict::Stable);
        counts
            .iter()
            .enumerate()
            .filter(|&(k, _)| stable(k))
            .map(|(k, &count)| Share {
                membership: membership(k),
                count,
                share: count as f64 / samples.max(1) as f64,
                interval: wilson(count, samples),
            })
            .collect()
    }

    /// A point of the edge between the basins of `a` and `b`, by bisection of the segment between them: the last state
    /// on the side of `a` and its neighbor beyond; `None` when both ends belong to the same basin.
    ///
    /// # Errors
    /// [`Error::Shape`] or `BadInput::NotFinite`.
    pub fn edge(&self, a: &ArrayRef<f64, Ix1>, b: &ArrayRef<f64, Ix1>) -> Result<Option<Edge>, Error> {
        let here = self.membership(a)?;
        if here == self.membership(b)? {
            return Ok(None);
        }
        let (mut inside, mut outside) = (a.to_owned(), b.to_owned());
        for _ in 0..BISECTIONS / 2 {
            // Both states that may be the next middle are rolled out beside this one.
            let mid = (&inside + &outside) * 0.5;
            let (nearer, farther) = ((&inside + &mid) * 0.5, (&mid + &outside) * 0.5);
            let found = self.reach_all(&[mid.to_vec(), nearer.to_vec(), farther.to_vec()]);
            let next = if found[0] == here {
                inside = mid;
                (farther, found[2])
            } else {
                outside = mid;
                (nearer, found[1])
            };
            if next.1 == here {
                inside = next.0;
            } else {
                outside = next.0;
            }
        }
        Ok(Some(Edge { inside, outside }))
    }
}

/// Wilson's 95 % interval of a binomial share.
fn wilson(count: usize, total: usize) -> (f64, f64) {
    if total == 0 {
        return (0.0, 1.0);
    }
    let (n, p, z2) = (total as f64, count as f64 / total as f64, NORMAL_975 * NORMAL_975);
    let center = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = NORMAL_975 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    ((center - half).max(0.0), (center + half).min(1.0))
}
