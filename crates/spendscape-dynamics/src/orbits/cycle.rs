//! Cycles: states that return after exactly `k` steps, found and certified like fixed points.

use ndarray::Array2;

use crate::fixed_points::find::spread;
use crate::fixed_points::spectrum::SpectrumWork;
use crate::fixed_points::{FindParams, FixedPoint, Solver, Spectrum, Status, Verdict, certify};
use crate::interval::Interval;
use crate::map::{Map, Scalar};

/// Two phases of one orbit nearer than this (largest coordinate) make the orbit a repetition of a shorter one, unless
/// their enclosures are proved apart.
const PHASES_APART: f64 = 1e-9;

/// `k` copies of a map chained in a ring: `(x_1, .., x_k) -> (F(x_k), F(x_1), .., F(x_{k-1}))`.
///
/// Its fixed points are the map's cycles of length `k` (or a divisor), each phase a variable of its own, so that errors
/// do not pile up over the steps; its eigenvalues are the `k`-th roots of the cycle's multipliers.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{fixed_points::residual, map::RnnCell, orbits::Ring};
///
/// // The cycle of x' = tanh(-2 x) is a fixed point of a ring of two.
/// let cell = RnnCell::new(&Array2::zeros((1, 0)), &array![[-2.0]], &array![0.0])?;
/// let map = cell.under(&array![])?;
/// let x = 0.957_504_024_077_27;
/// assert!(residual(&Ring::new(&map, 2), &[x, -x]) < 1e-12);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Ring<'a, M> {
    map: &'a M,
    length: usize,
}

impl<'a, M: Map> Ring<'a, M> {
    /// The ring of `length` copies; a length of zero counts as one.
    #[must_use]
    pub fn new(map: &'a M, length: usize) -> Self {
        Self { map, length: length.max(1) }
    }
}

impl<M: Map> Map for Ring<'_, M> {
    fn dim(&self) -> usize {
        self.map.dim() * self.length
    }

    fn step<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        let n = self.map.dim();
        for phase in 0..self.length {
            let from = (phase + self.length - 1) % self.length;
            self.map.step(&x[from * n..(from + 1) * n], &mut out[phase * n..(phase + 1) * n]);
        }
    }

    fn jacobian<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        let n = self.map.dim();
        let total = self.dim();
        out.fill(S::exact(0.0));
        let mut block = vec![S::exact(0.0); n * n];
        for phase in 0..self.length {
            let from = (phase + self.length - 1) % self.length;
            self.map.jacobian(&x[from * n..(from + 1) * n], &mut block);
            for r in 0..n {
                for c in 0..n {
                    out[(phase * n + r) * total + from * n + c] = block[r * n + c];
                }
            }
        }
    }

    fn is_smooth(&self, x: &[Interval]) -> bool {
        x.chunks(self.map.dim()).all(|phase| self.map.is_smooth(phase))
    }

    fn bounds(&self) -> Option<Vec<(f64, f64)>> {
        let one = self.map.bounds()?;
        Some((0..self.length).flat_map(|_| one.clone()).collect())
    }
}

/// A certified cycle.
#[derive(Debug, Clone)]
pub struct Cycle {
    /// The states in order, k x n.
    pub phases: Array2<f64>,
    /// Enclosures of the states, phase by phase.
    pub enclosure: Vec<Interval>,
    /// Spectrum of the k-step map along the cycle: its radius is the largest multiplier.
    pub spectrum: Spectrum,
    /// The largest residual of a step.
    pub residual: f64,
}

/// Finds cycles of exactly `length` steps by Newton's method on the ring, from orbits of space-filling starts (after
/// `burn_in` steps, which favors attracting cycles, and from the starts themselves), and certifies each. Completeness
/// is not claimed.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{fixed_points::FindParams, map::RnnCell, orbits::find_cycles};
///
/// // x' = tanh(-2 x) jumps between -.9575 and .9575.
/// let cell = RnnCell::new(&Array2::zeros((1, 0)), &array![[-2.0]], &array![0.0])?;
/// let cycles = find_cycles(&cell.under(&array![])?, 2, 10, &FindParams::default().starts(8));
/// assert_eq!(cycles.len(), 1);
/// assert!((cycles[0].phases[[0, 0]] + cycles[0].phases[[1, 0]]).abs() < 1e-12);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
pub fn find_cycles<M: Map>(map: &M, length: usize, burn_in: usize, params: &FindParams) -> Vec<Cycle> {
    let length = length.max(1);
    let ring = Ring::new(map, length);
    let n = map.dim();
    let mut solver = Solver::new(ring.dim());
    let mut walker = Solver::new(n);
    let mut found: Vec<(FixedPoint, Cycle)> = Vec::new();
    for x0 in spread(map, params) {
        for settle in [0, burn_in] {
            let mut x = x0.clone();
            if settle > 0 {
                walker.iterate(map, &x0, settle);
                x = walker.state().to_vec();
            }
            let orbit = orbit(map, &x, length);
            let status = solver.newton(&ring, &orbit, params.newton_steps).status;
            if !matches!(status, Status::Converged | Status::Stalled) {
                continue;
            }
            let Some(point) = certify(&ring, solver.state()) else { continue };
            if shorter(&point, n, length) || found.iter().any(|(known, _)| rotation(known, &point, n, length))
            {
                continue;
            }
            let cycle = finish(map, &point, n, length);
            found.push((point, cycle));
        }
    }
    found.into_iter().map(|(_, cycle)| cycle).collect()
}

/// The states `x, F(x), .., F^(length-1)(x)`, one after another.
fn orbit(map: &impl Map, x: &[f64], length: usize) -> Vec<f64> {
    let n = x.len();
    let mut orbit = x.to_vec();
    orbit.resize(n * length, 0.0);
    for phase in 1..length {
        let (done, rest) = orbit.split_at_mut(phase * n);
        map.step(&done[(phase - 1) * n..], &mut rest[..n]);
    }
    orbit
}

/// Whether the orbit repeats after fewer steps: phases that are not proved apart.
fn shorter(point: &FixedPoint, n: usize, length: usize) -> bool {
    let phase = |p: usize| &point.enclosure[p * n..(p + 1) * n];
    (1..length).filter(|d| length.is_multiple_of(*d)).any(|d| {
        phase(0).iter().zip(phase(d)).all(|(a, b)| a.lo - PHASES_APART <= b.hi && b.lo - PHASES_APART <= a.hi)
    })
}

/// Whether `b` is the same cycle as `a`, started at another phase.
fn rotation(a: &FixedPoint, b: &FixedPoint, n: usize, length: usize) -> bool {
    (0..length).any(|shift| {
        (0..length).all(|p| {
            let q = (p + shift) % length;
            let (x, u) = (&b.enclosure[q * n..(q + 1) * n], &a.uniqueness[p * n..(p + 1) * n]);
            x.iter().zip(u).all(|(x, u)| x.inside(*u))
        })
    })
}

fn finish(map: &impl Map, point: &FixedPoint, n: usize, length: usize) -> Cycle {
    let phases = Array2::from_shape_fn((length, n), |(p, k)| point.state[p * n + k]);
    let spectrum = if point.spectrum.verdict == Verdict::Kink {
        Spectrum::KINK
    } else {
        SpectrumWork::default().enclose(n, &multipliers(map, point, n, length))
    };
    Cycle { phases, enclosure: point.enclosure.clone(), spectrum, residual: point.residual }
}

/// The Jacobian of as many steps as the cycle is long.
fn multipliers(map: &impl Map, point: &FixedPoint, n: usize, length: usize) -> Vec<Interval> {
    let zero = Interval::ZERO;
    let mut product: Vec<Interval> =
        (0..n * n).map(|k| if k % (n + 1) == 0 { Interval::point(1.0) } else { zero }).collect();
    let mut j = vec![zero; n * n];
    for phase in 0..length {
        map.jacobian(&point.enclosure[phase * n..(phase + 1) * n], &mut j);
        let mut next = vec![zero; n * n];
        for r in 0..n {
            for c in 0..n {
                next[r * n + c] = (0..n).fold(zero, |s, k| s + j[r * n + k] * product[k * n + c]);
            }
        }
        product = next;
    }
    product
}
