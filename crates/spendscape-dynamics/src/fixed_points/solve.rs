//! Solvers for `F(x) = x` from one start: damped Newton, plain iteration, descent on `q = |x - F(x)|^2 / 2`.
//!
//! Every solver has a cap and reports how it ended; none allocates after its workspace is made.

use spendscape_linalg::small::solve;

use crate::map::Map;
use crate::norms::{norm_inf, norm_inf_of};

/// A residual at most this many units in the last place of `max(1, |x|)` counts as solved.
const RESIDUAL_ULPS: f64 = 4.0;
/// Values of `q` that a step is compared with: it must not exceed the largest of them. A longer memory lets Newton leap
/// over the local minima of `q` (slow points), where a monotone search stalls; a shorter one damps more.
const MEMORY: usize = 5;
/// Halvings of a step that exceeds them; the shortest is then taken all the same, because giving up would end at a
/// local minimum.
const HALVINGS: usize = 3;
/// Newton stops after this many steps without a new least residual: it circles around a slow point.
const PATIENCE: usize = 7;
/// Descent: the first rate, and its growth where the curvature along the last step is not positive.
const RATE_START: f64 = 1.0;
/// Descent: growth of the rate in that case.
const RATE_GROWTH: f64 = 2.0;
/// Descent: a step this short relative to `max(1, |x|)` changes nothing.
const DESCENT_STEP_MIN: f64 = 1e-15;
/// Plain iteration: a step at most this long (relative to `max(1, |x|)`) counts as converged.
const STEP_MIN: f64 = 1e-13;
/// Descent and plain iteration: steps between two looks at the known points.
const LOOK_EVERY: usize = 8;

/// How a solver ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// The criterion was met.
    Converged,
    /// The step limit was reached.
    StepLimit,
    /// No step lowers the residual: a local minimum or a singular Jacobian.
    Stalled,
    /// The state entered the uniqueness box of a point already certified, from where Newton's method with the box's
    /// preconditioner is proved to converge to that point.
    Known,
    /// The state left the range of numbers.
    Diverged,
}

/// How a solver ended; the state where it did is [`Solver::state`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solution {
    /// `max_k |F(x)_k - x_k|` at that state; of plain iteration at the state before it. NaN without a map or a start.
    pub residual: f64,
    /// Steps taken.
    pub steps: usize,
    /// How the solver ended.
    pub status: Status,
}

/// `max_k |F(x)_k - x_k|`; NaN when the map leaves the range of numbers.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{fixed_points::residual, map::RnnCell};
///
/// let cell = RnnCell::new(&Array2::zeros((1, 0)), &array![[2.0]], &array![0.0])?;
/// let map = cell.under(&array![])?;
/// assert!(residual(&map, &[0.957_504_024_077_27]) < 1e-12 && residual(&map, &[0.5]) > 0.2);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
pub fn residual(map: &impl Map, x: &[f64]) -> f64 {
    let mut out = vec![0.0; x.len()];
    map.step(x, &mut out);
    for (o, x) in out.iter_mut().zip(x) {
        *o = x - *o;
    }
    norm_inf(&out)
}

/// The residual that counts as solved at `x`.
fn tolerance(x: &[f64]) -> f64 {
    RESIDUAL_ULPS * f64::EPSILON * norm_inf(x).max(1.0)
}

/// Reused memory of the solvers for one dimension.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{fixed_points::{Solver, Status}, map::RnnCell};
///
/// let cell = RnnCell::new(&Array2::zeros((1, 0)), &array![[2.0]], &array![0.0])?;
/// let map = cell.under(&array![])?;
/// let mut solver = Solver::for_map(&map);
/// assert_eq!(solver.newton(&map, &[0.8], 50).status, Status::Converged);
/// assert!((solver.state()[0] - 0.957_504_024_077_27).abs() < 1e-12);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Solver {
    n: usize,
    /// Newton's steps end on the border of this box, which holds every fixed point; empty when no box is known.
    bounds: Vec<(f64, f64)>,
    x: Vec<f64>,
    previous: Vec<f64>,
    /// `F(x) - x`.
    g: Vec<f64>,
    direction: Vec<f64>,
    previous_direction: Vec<f64>,
    /// `J - I`, destroyed by each solution.
    jacobian: Vec<f64>,
}

/// The last few values of `q`.
struct Recent {
    values: [f64; MEMORY],
    next: usize,
}

impl Recent {
    fn new(q: f64) -> Self {
        Self { values: [q; MEMORY], next: 0 }
    }

    #[inline]
    fn largest(&self) -> f64 {
        self.values.iter().fold(0.0, |m: f64, v| m.max(*v))
    }

    #[inline]
    fn push(&mut self, q: f64) {
        self.values[self.next] = q;
        self.next = (self.next + 1) % MEMORY;
    }
}

#[inline]
fn square(v: &[f64]) -> f64 {
    v.iter().map(|v| v * v).sum()
}

impl Solver {
    /// Memory for maps of dimension `n`, none of which has known bounds.
    #[must_use]
    pub fn new(n: usize) -> Self {
        let v = vec![0.0; n];
        Self {
            n,
            bounds: Vec::new(),
            x: v.clone(),
            previous: v.clone(),
            g: v.clone(),
            direction: v.clone(),
            previous_direction: v,
            jacobian: vec![0.0; n * n],
        }
    }

    /// Memory for `map`, whose bounds Newton's steps keep to. Another map of that dimension may be solved too if its
    /// fixed points lie within the same bounds.
    #[must_use]
    pub fn for_map(map: &impl Map) -> Self {
        Self { bounds: map.bounds().unwrap_or_default(), ..Self::new(map.dim()) }
    }

    /// The state where the last solver ended.
    #[must_use]
    pub fn state(&self) -> &[f64] {
        &self.x
    }

    fn start(&mut self, x0: &[f64]) -> bool {
        if x0.len() != self.n || self.n == 0 {
            return false;
        }
        self.x.copy_from_slice(x0);
        true
    }

    /// Linearizes at the start: the largest residual, and `q` as the first value to compare with.
    fn begin(&mut self, map: &impl Map, x0: &[f64]) -> Option<(f64, Recent)> {
        if !self.start(x0) {
            return None;
        }
        let size = self.linearize(map);
        Some((size, Recent::new(square(&self.g))))
    }

    /// `F(x) - x` and `J - I` at the state; returns the largest residual.
    #[inline]
    fn linearize(&mut self, map: &impl Map) -> f64 {
        map.linearize(&self.x, &mut self.g, &mut self.jacobian);
        for (k, (g, x)) in self.g.iter_mut().zip(&self.x).enumerate() {
            self.jacobian[k * self.n + k] -= 1.0;
            *g -= x;
        }
        norm_inf(&self.g)
    }

    /// Sets the state to `previous - t direction`, cut off at the bounds.
    #[inline]
    fn place(&mut self, t: f64) {
        for (x, (from, d)) in self.x.iter_mut().zip(self.previous.iter().zip(&self.direction)) {
            *x = from - t * d;
        }
        for (x, &(lo, hi)) in self.x.iter_mut().zip(&self.bounds) {
            // Keeps a NaN, which ends the search.
            *x = if *x < lo {
                lo
            } else if *x > hi {
                hi
            } else {
                *x
            };
        }
    }

    /// Newton's method on `x - F(x)`, from `x0`; at most `max_steps` steps.
    ///
    /// Steps are damped by a non-monotone search (Grippo, Lampariello and Lucidi, 1986): halved, up to three times,
    /// while `q` exceeds the largest of its last five values.
    pub fn newton(&mut self, map: &impl Map, x0: &[f64], max_steps: usize) -> Solution {
        self.newton_until(map, x0, max_steps, |_| false)
    }

    /// The same; ends with [`Status::Known`] where `known` says so.
    pub(crate) fn newton_until(
        &mut self,
        map: &impl Map,
        x0: &[f64],
        max_steps: usize,
        known: impl Fn(&[f64]) -> bool,
    ) -> Solution {
        let Some((mut size, mut recent)) = self.begin(map, x0) else {
            return Solution { residual: f64::NAN, steps: 0, status: Status::Diverged };
        };
        let (mut best, mut best_step) = (f64::INFINITY, 0);
        for step in 0..max_steps {
            if let Some(status) = self.over(size) {
                return Solution { residual: size, steps: step, status };
            }
            if size < best {
                (best, best_step) = (size, step);
                // Worth asking only where Newton has come nearer to a point.
                if known(&self.x) {
                    return Solution { residual: size, steps: step, status: Status::Known };
                }
            } else if step - best_step >= PATIENCE {
                return Solution { residual: size, steps: step, status: Status::Stalled };
            }
            self.direction.copy_from_slice(&self.g);
            if !solve(self.n, &mut self.jacobian, &mut self.direction) {
                return Solution { residual: size, steps: step, status: Status::Stalled };
            }
            size = self.search(map, 1.0, &mut recent);
        }
        let status = self.over(size).unwrap_or(Status::StepLimit);
        Solution { residual: size, steps: max_steps, status }
    }

    /// Whether a residual ends the search.
    #[inline]
    fn over(&self, size: f64) -> Option<Status> {
        if !size.is_finite() {
            Some(Status::Diverged)
        } else if size <= tolerance(&self.x) {
            Some(Status::Converged)
        } else {
            None
        }
    }

    /// Moves along the direction by `t` or, where `q` rises too high, by less; linearizes there and returns the residual.
    fn search(&mut self, map: &impl Map, mut t: f64, recent: &mut Recent) -> f64 {
        self.previous.copy_from_slice(&self.x);
        let limit = recent.largest();
        for halving in 0.. {
            self.place(t);
            let size = self.linearize(map);
            let q = square(&self.g);
            if q <= limit || halving == HALVINGS {
                recent.push(q);
                return size;
            }
            t *= 0.5;
        }
        f64::NAN
    }

    /// Plain iteration `x <- F(x)` until a step is at most `1e-13 max(1, |x|)` or `max_steps` are done.
    pub fn iterate(&mut self, map: &impl Map, x0: &[f64], max_steps: usize) -> Solution {
        self.iterate_until(map, x0, max_steps, 0.0, |_| false)
    }

    /// The same; ends with [`Status::Known`] where `known` says so, and as converged where the steps, should they go on
    /// shrinking as the last one did, stay within `near max(1, |x|)`.
    pub(crate) fn iterate_until(
        &mut self,
        map: &impl Map,
        x0: &[f64],
        max_steps: usize,
        near: f64,
        known: impl Fn(&[f64]) -> bool,
    ) -> Solution {
        if !self.start(x0) {
            return Solution { residual: f64::NAN, steps: 0, status: Status::Diverged };
        }
        let mut size = f64::INFINITY;
        for step in 0..max_steps {
            if step % LOOK_EVERY == 0 && known(&self.x) {
                return Solution { residual: size, steps: step, status: Status::Known };
            }
            map.step(&self.x, &mut self.previous);
            let before = size;
            size = norm_inf_of(self.x.iter().zip(&self.previous).map(|(a, b)| a - b));
            std::mem::swap(&mut self.x, &mut self.previous);
            if !size.is_finite() {
                return Solution { residual: size, steps: step, status: Status::Diverged };
            }
            let scale = norm_inf(&self.x).max(1.0);
            // The sum of the geometric series of steps; a single quick one is no series.
            let rest = if size < before { size * (size / (before - size)).max(1.0) } else { f64::INFINITY };
            if size <= STEP_MIN * scale || rest <= near * scale {
                return Solution { residual: size, steps: step + 1, status: Status::Converged };
            }
        }
        Solution { residual: size, steps: max_steps, status: Status::StepLimit }
    }

    /// Gradient descent on `q = |x - F(x)|^2 / 2` with Barzilai and Borwein's rate (1988) and the non-monotone search of
    /// [`Solver::newton`]; at most `max_steps` steps.
    ///
    /// It reaches slow points (local minima of `q`) as well as fixed points: the status says which.
    pub fn descend(&mut self, map: &impl Map, x0: &[f64], max_steps: usize) -> Solution {
        self.descend_until(map, x0, max_steps, |_| false)
    }

    /// The same; ends with [`Status::Known`] where `known` says so.
    pub(crate) fn descend_until(
        &mut self,
        map: &impl Map,
        x0: &[f64],
        max_steps: usize,
        known: impl Fn(&[f64]) -> bool,
    ) -> Solution {
        let Some((mut size, mut recent)) = self.begin(map, x0) else {
            return Solution { residual: f64::NAN, steps: 0, status: Status::Diverged };
        };
        let n = self.n;
        let mut rate = RATE_START;
        for step in 0..max_steps {
            if let Some(status) = self.over(size) {
                return Solution { residual: size, steps: step, status };
            }
            if step % LOOK_EVERY == 0 && known(&self.x) {
                return Solution { residual: size, steps: step, status: Status::Known };
            }
            std::mem::swap(&mut self.direction, &mut self.previous_direction);
            // The gradient of q, (J - I)^T g.
            self.direction.fill(0.0);
            for (row, g) in self.jacobian.chunks_exact(n).zip(&self.g) {
                for (d, j) in self.direction.iter_mut().zip(row) {
                    *d += j * g;
                }
            }
            if step > 0 {
                let (mut moved, mut curvature) = (0.0, 0.0);
                for k in 0..n {
                    let s = self.x[k] - self.previous[k];
                    moved += s * s;
                    curvature += s * (self.direction[k] - self.previous_direction[k]);
                }
                rate = if curvature > 0.0 { moved / curvature } else { rate * RATE_GROWTH };
            }
            if rate * norm_inf(&self.direction) <= DESCENT_STEP_MIN * norm_inf(&self.x).max(1.0) {
                return Solution { residual: size, steps: step, status: Status::Stalled };
            }
            size = self.search(map, rate, &mut recent);
        }
        let status = self.over(size).unwrap_or(Status::StepLimit);
        Solution { residual: size, steps: max_steps, status }
    }
}
