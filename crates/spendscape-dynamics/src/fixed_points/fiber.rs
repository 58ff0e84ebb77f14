//! Directional fibers: the curve of states whose residual keeps one direction, `F(x) - x = a d`, traced through every
//! fixed point on it (Katz and Reggia, 2018).

use spendscape_linalg::small::solve;

use super::solve::{Solver, Status};
use crate::map::Map;
use crate::norms::norm_inf;

/// Parameters of the tracing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FiberParams {
    pub(crate) max_steps: usize,
    pub(crate) step: f64,
    pub(crate) max_step: f64,
    pub(crate) limit: f64,
}

impl Default for FiberParams {
    fn default() -> Self {
        Self { max_steps: 1_000, step: 0.02, max_step: 0.1, limit: 2.0 }
    }
}

impl FiberParams {
    /// Steps along the curve, per direction. Default: 1,000.
    #[must_use]
    pub fn max_steps(mut self, max_steps: usize) -> Self {
        self.max_steps = max_steps;
        self
    }

    /// The first step along the curve. Default: 0.02.
    #[must_use]
    pub fn step(mut self, step: f64) -> Self {
        self.step = step;
        self
    }

    /// The longest step along the curve: two crossings within one step cancel each other. Default: 0.1.
    #[must_use]
    pub fn max_step(mut self, max_step: f64) -> Self {
        self.max_step = max_step;
        self
    }

    /// Tracing ends when a state is this many times as far out as the map's bounds (or, without bounds, as one), or
    /// `|a|` this many times its start. Default: 2.0.
    #[must_use]
    pub fn limit(mut self, limit: f64) -> Self {
        self.limit = limit;
        self
    }
}

/// Growth of the step after a corrector that was quick, up to [`FiberParams::max_step`].
const STEP_GROWTH: f64 = 1.5;
/// Corrections up to this number are quick.
const QUICK: usize = 2;

/// Corrector steps back to the curve.
const CORRECTIONS: usize = 8;
/// A corrected point is on the curve when its residual is below this.
const ON_CURVE: f64 = 1e-6;
/// Halvings of a step whose corrector fails.
const HALVINGS: usize = 12;
/// Newton steps from a crossing of `a = 0`.
const NEWTON_STEPS: usize = 40;

/// Traces the fiber through `start` in both directions and returns the states of the fixed points it crosses, polished by
/// Newton's method (not certified, with repetitions). Empty when `start` has the wrong length or lies on a fixed point.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{fixed_points::{FiberParams, trace_fiber}, map::RnnCell};
///
/// // In one dimension the fiber is the line: it crosses all three points of x = tanh(2 x).
/// let cell = RnnCell::new(&Array2::zeros((1, 0)), &array![[2.0]], &array![0.0])?;
/// let crossed = trace_fiber(&cell.under(&array![])?, &[0.5], &FiberParams::default());
/// for point in [-0.957_504, 0.0, 0.957_504] {
///     assert!(crossed.iter().any(|x| (x[0] - point).abs() < 1e-6));
/// }
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
pub fn trace_fiber(map: &impl Map, start: &[f64], params: &FiberParams) -> Vec<Vec<f64>> {
    let n = map.dim();
    if start.len() != n || n == 0 {
        return Vec::new();
    }
    let mut image = vec![0.0; n];
    map.step(start, &mut image);
    let d: Vec<f64> = image.iter().zip(start).map(|(f, x)| f - x).collect();
    let length = d.iter().map(|v| v * v).sum::<f64>().sqrt();
    if !length.is_finite() || length == 0.0 {
        return Vec::new();
    }
    let d: Vec<f64> = d.iter().map(|v| v / length).collect();
    let far: Vec<f64> = match map.bounds() {
        Some(bounds) => bounds.iter().map(|b| params.limit * b.0.abs().max(b.1.abs())).collect(),
        None => vec![params.limit * norm_inf(start).max(1.0); n],
    };
    let mut fiber = Fiber {
        map,
        d,
        n,
        solver: Solver::for_map(map),
        found: Vec::new(),
        value: vec![0.0; n + 1],
        jacobian: vec![0.0; n * n],
        matrix: vec![0.0; (n + 1) * (n + 1)],
    };
    let mut p = start.to_vec();
    p.push(length);
    for sign in [1.0, -1.0] {
        fiber.trace(&p, sign, length, &far, params);
    }
    fiber.found
}

struct Fiber<'a, M> {
    map: &'a M,
    d: Vec<f64>,
    n: usize,
    solver: Solver,
    found: Vec<Vec<f64>>,
    /// Right-hand side and solution of the bordered system.
    value: Vec<f64>,
    jacobian: Vec<f64>,
    matrix: Vec<f64>,
}

impl<M: Map> Fiber<'_, M> {
    /// `F(x) - x - a d` at `p = (x, a)` into the first entries of `value`, and the bordered Jacobian with the last row
    /// `row` into `matrix`.
    fn linearize(&mut self, p: &[f64], row: &[f64]) {
        let (n, m) = (self.n, self.n + 1);
        self.map.linearize(&p[..n], &mut self.value[..n], &mut self.jacobian);
        for k in 0..n {
            self.value[k] -= p[k] + p[n] * self.d[k];
            self.matrix[k * m..k * m + n].copy_from_slice(&self.jacobian[k * n..(k + 1) * n]);
            self.matrix[k * m + k] -= 1.0;
            self.matrix[k * m + n] = -self.d[k];
        }
        self.matrix[n * m..].copy_from_slice(row);
    }

    /// The unit tangent where the system was last linearized, oriented along its last row, in `value`; `false` when the
    /// system is singular.
    fn tangent(&mut self) -> bool {
        self.value.fill(0.0);
        self.value[self.n] = 1.0;
        if !solve(self.n + 1, &mut self.matrix, &mut self.value) {
            return false;
        }
        let length = self.value.iter().map(|v| v * v).sum::<f64>().sqrt();
        self.value.iter_mut().for_each(|v| *v /= length);
        true
    }

    fn trace(&mut self, start: &[f64], sign: f64, a0: f64, far: &[f64], params: &FiberParams) {
        let n = self.n;
        let (mut p, mut q) = (start.to_vec(), start.to_vec());
        // The first border is the direction of `a`; afterwards the last tangent, which keeps the orientation.
        let mut row = vec![0.0; n + 1];
        row[n] = sign;
        let mut step = params.step;
        self.linearize(&p, &row);
        for _ in 0..params.max_steps {
            if !self.tangent() {
                return;
            }
            row.copy_from_slice(&self.value);
            let mut halvings = 0;
            let corrections = loop {
                if let Some(corrections) = self.correct(&p, &row, step, &mut q) {
                    break corrections;
                }
                halvings += 1;
                if halvings == HALVINGS {
                    return;
                }
                step *= 0.5;
            };
            if p[n] * q[n] <= 0.0 {
                let share = p[n].abs() / (p[n] - q[n]).abs().max(f64::MIN_POSITIVE);
                let from: Vec<f64> = (0..n).map(|k| p[k] + share.min(1.0) * (q[k] - p[k])).collect();
                let status = self.solver.newton(self.map, &from, NEWTON_STEPS).status;
                if status != Status::Diverged {
                    self.found.push(self.solver.state().to_vec());
                }
            }
            if q.iter().zip(far).any(|(x, far)| x.abs() > *far) || q[n].abs() > params.limit * a0.max(1.0) {
                return;
            }
            // A step that has just been too long is not tried again at once.
            if corrections <= QUICK && halvings == 0 {
                step = (step * STEP_GROWTH).min(params.max_step);
            }
            std::mem::swap(&mut p, &mut q);
        }
    }

    /// Moves from `p` by `step` along the tangent and back to the curve on the hyperplane across it, into `q`; the number
    /// of corrections, or `None` when they do not settle. The system is then linearized at `q`.
    fn correct(&mut self, p: &[f64], tangent: &[f64], step: f64, q: &mut [f64]) -> Option<usize> {
        for (q, (p, t)) in q.iter_mut().zip(p.iter().zip(tangent)) {
            *q = p + step * t;
        }
        for correction in 0..CORRECTIONS {
            self.linearize(q, tangent);
            let size = norm_inf(&self.value[..self.n]);
            if size.is_nan() {
                return None;
            }
            if size < ON_CURVE {
                return Some(correction);
            }
            self.value[self.n] = 0.0;
            // A correction longer than the step itself may land on another branch.
            if !solve(self.n + 1, &mut self.matrix, &mut self.value) || norm_inf(&self.value) > step {
                return None;
            }
            for (q, d) in q.iter_mut().zip(&self.value) {
                *q -= d;
            }
        }
        None
    }
}
