//! Many starts, four methods, one list: the union of damped Newton, descent, plain iteration and directional fibers.
//!
//! Nothing is filtered silently: the fate of every start under every method is in the result.

use super::certificate::{Certifier, FixedPoint};
use super::fiber::{FiberParams, trace_fiber};
use super::solve::{Solution, Solver, Status, residual as residual_at};
use super::spectrum::Verdict;
use crate::interval::Interval;
use crate::map::Map;

/// Parameters of the search from many starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FindParams {
    pub(crate) starts: usize,
    pub(crate) half_width: f64,
    pub(crate) newton_steps: usize,
    pub(crate) descent_steps: usize,
    pub(crate) iteration_steps: usize,
    pub(crate) fibers: usize,
}

impl Default for FindParams {
    fn default() -> Self {
        Self {
            starts: 256,
            half_width: 3.0,
            newton_steps: 60,
            descent_steps: 25,
            iteration_steps: 100,
            fibers: 1,
        }
    }
}

impl FindParams {
    /// Space-filling starts (a Halton sequence) over the map's bounds. Default: 256.
    #[must_use]
    pub fn starts(mut self, starts: usize) -> Self {
        self.starts = starts;
        self
    }

    /// Half-width of the box of starts for a map without bounds. Default: 3.0.
    #[must_use]
    pub fn half_width(mut self, half_width: f64) -> Self {
        self.half_width = half_width;
        self
    }

    /// Step limit of Newton's method. Default: 60.
    #[must_use]
    pub fn newton_steps(mut self, newton_steps: usize) -> Self {
        self.newton_steps = newton_steps;
        self
    }

    /// Step limit of descent, after which Newton polishes. Default: 25.
    #[must_use]
    pub fn descent_steps(mut self, descent_steps: usize) -> Self {
        self.descent_steps = descent_steps;
        self
    }

    /// Step limit of plain iteration, after which Newton polishes. Default: 100.
    #[must_use]
    pub fn iteration_steps(mut self, iteration_steps: usize) -> Self {
        self.iteration_steps = iteration_steps;
        self
    }

    /// Starts (the first ones) whose directional fiber is traced. Default: 1.
    #[must_use]
    pub fn fibers(mut self, fibers: usize) -> Self {
        self.fibers = fibers;
        self
    }
}

/// A method of the union.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Damped Newton from the start.
    Newton,
    /// Descent on `q`, then Newton.
    Descent,
    /// Plain iteration, then Newton.
    Iteration,
    /// The directional fiber through the start, Newton at each crossing.
    Fiber,
}

/// The fate of one start under one method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fate {
    /// Index of the start: the caller's first, then the space-filling ones.
    pub start: usize,
    /// The method.
    pub method: Method,
    /// How the method itself ended (before Newton's polish).
    pub status: Status,
    /// The residual where the start ended: after Newton's polish or, with [`Status::Known`], on entering a known box.
    pub residual: f64,
    /// Index of the certified point reached, or `None`: diverged, stalled, or not certifiable.
    pub point: Option<usize>,
}

/// The union of the methods.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The states of the distinct certified points.
    pub points: Vec<Vec<f64>>,
    /// Their certificates, in the same order.
    pub certificates: Vec<FixedPoint>,
    /// The fate of each start under each method.
    pub fates: Vec<Fate>,
    /// States that solve the equations to rounding but that no test certifies (singular points, mostly); each is at
    /// least [`Found::UNCERTIFIED_APART`] from the others.
    pub uncertified: Vec<Vec<f64>>,
}

impl Found {
    /// Uncertified states nearer than this (largest coordinate difference) are listed once.
    pub const UNCERTIFIED_APART: f64 = 1e-6;
}

/// The first `count` points of the Halton sequence in the box `bounds`.
///
/// ```
/// use spendscape_dynamics::fixed_points::halton;
///
/// let starts = halton(&[(0.0, 1.0), (-1.0, 1.0)], 100);
/// // Half of them lie on either side.
/// assert_eq!(starts.iter().filter(|start| start[0] < 0.5).count(), 50);
/// ```
#[must_use]
pub fn halton(bounds: &[(f64, f64)], count: usize) -> Vec<Vec<f64>> {
    let bases = primes(bounds.len());
    (0..count)
        .map(|i| {
            bounds
                .iter()
                .zip(&bases)
                .map(|(&(lo, hi), &base)| lo + (hi - lo) * radical_inverse(i + 1, base))
                .collect()
        })
        .collect()
}

fn radical_inverse(mut i: usize, base: usize) -> f64 {
    let (mut result, mut scale) = (0.0, 1.0 / base as f64);
    while i > 0 {
        result += (i % base) as f64 * scale;
        i /= base;
        scale /= base as f64;
    }
    result
}

fn primes(count: usize) -> Vec<usize> {
    let mut primes: Vec<usize> = Vec::with_capacity(count);
    let mut candidate = 2;
    while primes.len() < count {
        if primes.iter().all(|p| candidate % p != 0) {
            primes.push(candidate);
        }
        candidate += 1;
    }
    primes
}

/// Starts spread over the map's bounds, or over a cube when it has none; unbounded cells are cut to the cube.
pub(crate) fn spread(map: &impl Map, params: &FindParams) -> Vec<Vec<f64>> {
    let cube = (-params.half_width, params.half_width);
    let bounds: Vec<(f64, f64)> = map
        .bounds()
        .unwrap_or_else(|| vec![cube; map.dim()])
        .into_iter()
        .map(|(lo, hi)| (lo.max(4.0 * cube.0), hi.min(4.0 * cube.1)))
        .collect();
    halton(&bounds, params.starts)
}

/// Finds fixed points by the union of the methods from `starts` (each of length `map.dim()`) and from space-filling
/// ones, certifies them and removes duplicates by their uniqueness boxes. Completeness is not claimed.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{fixed_points::{FindParams, find_fixed_points}, map::RnnCell};
///
/// let cell = RnnCell::new(&Array2::zeros((1, 0)), &array![[2.0]], &array![0.0])?;
/// let found = find_fixed_points(&cell.under(&array![])?, &FindParams::default().starts(8), &[]);
/// assert_eq!(found.points.len(), 3);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
pub fn find_fixed_points(map: &impl Map, params: &FindParams, starts: &[Vec<f64>]) -> Found {
    let mut found = Found::default();
    let mut known = KnownPoints::new(map.dim());
    let mut solver = Solver::for_map(map);
    let mut certifier = Certifier::default();
    let all = starts.iter().cloned().chain(spread(map, params));
    for (start, x0) in all.enumerate() {
        for method in [Method::Newton, Method::Descent, Method::Iteration] {
            let Solution { mut residual, status, .. } = match method {
                Method::Descent => {
                    solver.descend_until(map, &x0, params.descent_steps, |x| known.at(x).is_some())
                }
                // An unstable point repels the iteration, which may pass its box on the way elsewhere.
                Method::Iteration => solver.iterate_until(map, &x0, params.iteration_steps, HAND_OVER, |x| {
                    known.at(x).is_some_and(|k| known.stable[k])
                }),
                Method::Newton | Method::Fiber => {
                    solver.newton_until(map, &x0, params.newton_steps, |x| known.at(x).is_some())
                }
            };
            if method != Method::Newton && status != Status::Known && status != Status::Diverged {
                let from = solver.state().to_vec();
                residual =
                    solver.newton_until(map, &from, params.newton_steps, |x| known.at(x).is_some()).residual;
            }
            let point = known
                .at(solver.state())
                .or_else(|| found.place(map, &mut certifier, solver.state(), residual));
            known.update(&found.certificates);
            found.fates.push(Fate { start, method, status, residual, point });
        }
        if start < params.fibers {
            for x in trace_fiber(map, &x0, &FiberParams::default()) {
                let residual = residual_at(map, &x);
                let point = known.at(&x).or_else(|| found.place(map, &mut certifier, &x, residual));
                known.update(&found.certificates);
                let status = if point.is_some() { Status::Converged } else { Status::Stalled };
                found.fates.push(Fate { start, method: Method::Fiber, status, residual, point });
            }
        }
    }
    found
}

/// The uniqueness boxes of the points found so far, side by side in memory.
struct KnownPoints {
    n: usize,
    boxes: Vec<Interval>,
    /// The first side of each box: few of them hold a state's first coordinate, and only those boxes are read.
    first: Vec<Interval>,
    stable: Vec<bool>,
}

impl KnownPoints {
    fn new(n: usize) -> Self {
        Self { n, boxes: Vec::new(), first: Vec::new(), stable: Vec::new() }
    }

    /// The point in whose uniqueness box `x` lies.
    fn at(&self, x: &[f64]) -> Option<usize> {
        let holds = |k: usize| self.boxes[k * self.n..][..self.n].iter().zip(x).all(|(b, x)| b.contains(*x));
        let first = x.first()?;
        (0..self.first.len()).find(|&k| self.first[k].contains(*first) && holds(k))
    }

    /// Takes up the points that are new.
    fn update(&mut self, certificates: &[FixedPoint]) {
        for point in &certificates[self.stable.len()..] {
            self.boxes.extend_from_slice(&point.uniqueness);
            self.first.push(point.uniqueness[0]);
            self.stable.push(point.spectrum.verdict == Verdict::Stable);
        }
    }
}

/// Distance from its limit, relative to `max(1, |x|)`, at which plain iteration hands over to Newton: nearer, two or three
/// of Newton's steps replace dozens of its own.
const HAND_OVER: f64 = 1e-3;
/// A state whose residual exceeds this is not worth a certificate.
const RESIDUAL_MAX: f64 = 1e-9;

impl Found {
    /// The index of the point at `x` (in no known box), which is added when it is new and certifiable.
    fn place(
        &mut self,
        map: &impl Map,
        certifier: &mut Certifier,
        x: &[f64],
        residual: f64,
    ) -> Option<usize> {
        if residual.is_nan() || residual > RESIDUAL_MAX * x.iter().fold(1.0, |m: f64, v| m.max(v.abs())) {
            return None;
        }
        let Some(certificate) = certifier.certify(map, x) else {
            let near = |y: &Vec<f64>| y.iter().zip(x).all(|(a, b)| (a - b).abs() < Self::UNCERTIFIED_APART);
            if !self.uncertified.iter().any(near) {
                self.uncertified.push(x.to_vec());
            }
            return None;
        };
        if let Some(index) = self.certificates.iter().position(|p| p.same_as(&certificate)) {
            return Some(index);
        }
        self.points.push(certificate.state.to_vec());
        self.certificates.push(certificate);
        Some(self.points.len() - 1)
    }
}
