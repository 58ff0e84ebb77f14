//! Solvers for `F(x) = x` from one start: damped Newton, plain iteration, descent on `q = |x - F(x)|^2 / 2`.
//!
//! Every solver has a cap and reports how it ended; none allocates after its workspace is made.

use crate::dense::{norm_inf, solve};
use crate::map::Map;

/// A residual at most this many units in the last place of `max(1, |x|)` counts as solved.
const RESIDUAL_ULPS: f64 = 4.0;
/// Halvings of a Newton step before the solver gives up on decreasing the residual.
const HALVINGS: usize = 30;
/// A damped step must lower the residual by this share of what the linear model predicts (Armijo).
const ARMIJO: f64 = 1e-4;
/// Descent: growth of the trust in a step after a success, and its reduction after a failure.
const RATE_GROWTH: f64 = 1.5;
/// Descent: reduction of the rate when a step would not lower `q`.
const RATE_CUT: f64 = 0.4;
/// Descent: the rate below which no further progress is possible in floating point.
const RATE_MIN: f64 = 1e-14;
/// Plain iteration: a step at most this long (relative to `max(1, |x|)`) counts as converged.
const STEP_MIN: f64 = 1e-13;

/// How a solver ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// The criterion was met.
    Converged,
    /// The step limit was reached.
    StepLimit,
    /// No step lowers the residual: a local minimum or a singular Jacobian.
    Stalled,
    /// The state left the range of numbers.
    Diverged,
}

/// A solver's result.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// The last state.
    pub state: Vec<f64>,
    /// `max_k |F(x)_k - x_k|` at that state.
    pub residual: f64,
    /// Steps taken.
    pub steps: usize,
    /// How the solver ended.
    pub status: Status,
}

/// `max_k |F(x)_k - x_k|`; NaN when the map leaves the range of numbers.
pub fn residual(map: &impl Map, x: &[f64]) -> f64 {
    let mut out = vec![0.0; x.len()];
    residual_into(map, x, &mut out)
}

/// The residual vector `x - F(x)` into `out`, and its largest absolute value.
fn residual_into(map: &impl Map, x: &[f64], out: &mut [f64]) -> f64 {
    map.step(x, out);
    for (o, x) in out.iter_mut().zip(x) {
        *o = x - *o;
    }
    norm_inf(out)
}

/// The residual that counts as solved at `x`.
fn tolerance(x: &[f64]) -> f64 {
    RESIDUAL_ULPS * f64::EPSILON * norm_inf(x).max(1.0)
}

/// Reused memory of the solvers for one dimension.
#[derive(Debug, Clone)]
pub struct Solver {
    n: usize,
    x: Vec<f64>,
    trial: Vec<f64>,
    g: Vec<f64>,
    g_trial: Vec<f64>,
    direction: Vec<f64>,
    jacobian: Vec<f64>,
}

impl Solver {
    /// Memory for maps of dimension `n`.
    #[must_use]
    pub fn new(n: usize) -> Self {
        let v = vec![0.0; n];
        Self {
            n,
            x: v.clone(),
            trial: v.clone(),
            g: v.clone(),
            g_trial: v.clone(),
            direction: v,
            jacobian: vec![0.0; n * n],
        }
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

    /// `I - J` into the Jacobian's memory.
    fn linearize(&mut self, map: &impl Map) {
        map.jacobian(&self.x, &mut self.jacobian);
        for v in &mut self.jacobian {
            *v = -*v;
        }
        for k in 0..self.n {
            self.jacobian[k * self.n + k] += 1.0;
        }
    }

    /// Newton's method on `x - F(x)` with step halving, from `x0`; at most `max_steps` steps. The state ends in
    /// [`Solver::state`]; returns residual, steps and status.
    pub fn newton(&mut self, map: &impl Map, x0: &[f64], max_steps: usize) -> (f64, usize, Status) {
        if !self.start(x0) {
            return (f64::NAN, 0, Status::Diverged);
        }
        let mut size = residual_into(map, &self.x, &mut self.g);
        for step in 0..max_steps {
            if size.is_nan() || size == f64::INFINITY {
                return (size, step, Status::Diverged);
            }
            if size <= tolerance(&self.x) {
                return (size, step, Status::Converged);
            }
            self.linearize(map);
            self.direction.copy_from_slice(&self.g);
            if !solve(self.n, &mut self.jacobian, &mut self.direction) {
                return (size, step, Status::Stalled);
            }
            // Damping minimizes the Euclidean norm, for which Newton's direction always descends.
            let before: f64 = self.g.iter().map(|v| v * v).sum();
            let mut t = 1.0;
            let mut accepted = false;
            for _ in 0..HALVINGS {
                for k in 0..self.n {
                    self.trial[k] = self.x[k] - t * self.direction[k];
                }
                let trial = residual_into(map, &self.trial, &mut self.g_trial);
                let after: f64 = self.g_trial.iter().map(|v| v * v).sum();
                if after <= before * (1.0 - 2.0 * ARMIJO * t) {
                    std::mem::swap(&mut self.x, &mut self.trial);
                    std::mem::swap(&mut self.g, &mut self.g_trial);
                    size = trial;
                    accepted = true;
                    break;
                }
                t *= 0.5;
            }
            if !accepted {
                return (size, step, Status::Stalled);
            }
        }
        let status = if size <= tolerance(&self.x) { Status::Converged } else { Status::StepLimit };
        (size, max_steps, status)
    }

    /// Plain iteration `x <- F(x)` until a step is at most `1e-13 max(1, |x|)` or `max_steps` are done.
    pub fn iterate(&mut self, map: &impl Map, x0: &[f64], max_steps: usize) -> (f64, usize, Status) {
        if !self.start(x0) {
            return (f64::NAN, 0, Status::Diverged);
        }
        let mut size = f64::INFINITY;
        for step in 0..max_steps {
            map.step(&self.x, &mut self.trial);
            size = self.x.iter().zip(&self.trial).fold(0.0, |m: f64, (a, b)| {
                let d = (a - b).abs();
                if d.is_nan() || m.is_nan() { f64::NAN } else { m.max(d) }
            });
            std::mem::swap(&mut self.x, &mut self.trial);
            if !size.is_finite() {
                return (size, step, Status::Diverged);
            }
            if size <= STEP_MIN * norm_inf(&self.x).max(1.0) {
                return (size, step + 1, Status::Converged);
            }
        }
        (size, max_steps, Status::StepLimit)
    }

    /// Gradient descent on `q = |x - F(x)|^2 / 2` with an adaptive rate; at most `max_steps` steps.
    ///
    /// It reaches slow points (local minima of `q`) as well as fixed points: the status says which.
    pub fn descend(&mut self, map: &impl Map, x0: &[f64], max_steps: usize) -> (f64, usize, Status) {
        if !self.start(x0) {
            return (f64::NAN, 0, Status::Diverged);
        }
        let mut size = residual_into(map, &self.x, &mut self.g);
        let mut rate = 1.0;
        for step in 0..max_steps {
            if size.is_nan() || size == f64::INFINITY {
                return (size, step, Status::Diverged);
            }
            if size <= tolerance(&self.x) {
                return (size, step, Status::Converged);
            }
            self.linearize(map);
            let q: f64 = self.g.iter().map(|v| v * v).sum();
            for c in 0..self.n {
                self.direction[c] = (0..self.n).map(|r| self.jacobian[r * self.n + c] * self.g[r]).sum();
            }
            loop {
                for k in 0..self.n {
                    self.trial[k] = self.x[k] - rate * self.direction[k];
                }
                let trial = residual_into(map, &self.trial, &mut self.g_trial);
                let after: f64 = self.g_trial.iter().map(|v| v * v).sum();
                if after < q {
                    std::mem::swap(&mut self.x, &mut self.trial);
                    std::mem::swap(&mut self.g, &mut self.g_trial);
                    size = trial;
                    rate *= RATE_GROWTH;
                    break;
                }
                rate *= RATE_CUT;
                if rate < RATE_MIN {
                    return (size, step, Status::Stalled);
                }
            }
        }
        let status = if size <= tolerance(&self.x) { Status::Converged } else { Status::StepLimit };
        (size, max_steps, status)
    }
}

/// Damped Newton from `x0`: see [`Solver::newton`].
pub fn newton(map: &impl Map, x0: &[f64], max_steps: usize) -> Solution {
    run(map, x0, |s| s.newton(map, x0, max_steps))
}

/// Plain iteration from `x0`: see [`Solver::iterate`].
pub fn iterate(map: &impl Map, x0: &[f64], max_steps: usize) -> Solution {
    run(map, x0, |s| s.iterate(map, x0, max_steps))
}

/// Descent on `q` from `x0`: see [`Solver::descend`].
pub fn descend(map: &impl Map, x0: &[f64], max_steps: usize) -> Solution {
    run(map, x0, |s| s.descend(map, x0, max_steps))
}

fn run(map: &impl Map, x0: &[f64], go: impl FnOnce(&mut Solver) -> (f64, usize, Status)) -> Solution {
    let mut solver = Solver::new(map.dim());
    let (residual, steps, status) = go(&mut solver);
    let state = if x0.len() == map.dim() { solver.x } else { x0.to_vec() };
    Solution { state, residual, steps, status }
}
