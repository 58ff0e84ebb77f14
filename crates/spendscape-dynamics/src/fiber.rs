//! Directional fibers: the curve of states whose residual keeps one direction, `F(x) - x = a d`, traced through every
//! fixed point on it (Katz and Reggia, 2018).

use crate::dense::{norm_inf, solve};
use crate::map::Map;
use crate::solve::{Solver, Status};

/// Settings of the tracing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FiberConfig {
    /// Steps along the curve, per direction.
    pub max_steps: usize,
    /// The longest step along the curve.
    pub step: f64,
    /// Tracing ends when a state coordinate exceeds this, or `|a|` exceeds it times its start.
    pub limit: f64,
}

impl Default for FiberConfig {
    fn default() -> Self {
        Self { max_steps: 4_000, step: 0.02, limit: 20.0 }
    }
}

/// Corrector steps back to the curve.
const CORRECTIONS: usize = 8;
/// A corrected point is on the curve when its residual is below this.
const ON_CURVE: f64 = 1e-10;
/// Halvings of a step whose corrector fails.
const HALVINGS: usize = 12;
/// Newton steps from a crossing of `a = 0`.
const NEWTON_STEPS: usize = 40;

/// Traces the fiber through `start` in both directions and returns the states of the fixed points it crosses, polished by
/// Newton's method (not certified, with repetitions). Empty when `start` has the wrong length or lies on a fixed point.
pub fn trace_fiber(map: &impl Map, start: &[f64], config: &FiberConfig) -> Vec<Vec<f64>> {
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
    let mut fiber = Fiber { map, d, n, solver: Solver::new(n), found: Vec::new() };
    let mut p = start.to_vec();
    p.push(length);
    for sign in [1.0, -1.0] {
        fiber.trace(&p, sign, length, config);
    }
    fiber.found
}

struct Fiber<'a, M> {
    map: &'a M,
    d: Vec<f64>,
    n: usize,
    solver: Solver,
    found: Vec<Vec<f64>>,
}

impl<M: Map> Fiber<'_, M> {
    /// `F(x) - x - a d` at `p = (x, a)`.
    fn value(&self, p: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.n];
        self.map.step(&p[..self.n], &mut out);
        for k in 0..self.n {
            out[k] -= p[k] + p[self.n] * self.d[k];
        }
        out
    }

    /// Solves the Jacobian bordered by `row` with right-hand side `(top, last)`.
    fn bordered(&self, p: &[f64], row: &[f64], top: &[f64], last: f64) -> Option<Vec<f64>> {
        let (n, m) = (self.n, self.n + 1);
        let mut j = vec![0.0; n * n];
        self.map.jacobian(&p[..n], &mut j);
        let mut a = vec![0.0; m * m];
        for r in 0..n {
            for c in 0..n {
                a[r * m + c] = j[r * n + c] - if r == c { 1.0 } else { 0.0 };
            }
            a[r * m + n] = -self.d[r];
        }
        a[n * m..].copy_from_slice(row);
        let mut b = top.to_vec();
        b.push(last);
        solve(m, &mut a, &mut b).then_some(b)
    }

    fn trace(&mut self, start: &[f64], sign: f64, a0: f64, config: &FiberConfig) {
        let n = self.n;
        let zero = vec![0.0; n];
        let mut p = start.to_vec();
        // The first border is the direction of `a`; afterwards the last tangent, which keeps the orientation.
        let mut row = vec![0.0; n + 1];
        row[n] = sign;
        for _ in 0..config.max_steps {
            let Some(mut tangent) = self.bordered(&p, &row, &zero, 1.0) else { return };
            let length = tangent.iter().map(|v| v * v).sum::<f64>().sqrt();
            for v in &mut tangent {
                *v /= length;
            }
            let mut step = config.step;
            let mut next = None;
            for _ in 0..HALVINGS {
                next = self.corrected(&p, &tangent, step);
                if next.is_some() {
                    break;
                }
                step *= 0.5;
            }
            let Some(q) = next else { return };
            if p[n] * q[n] <= 0.0 {
                let share = p[n] / (p[n] - q[n]).abs().max(f64::MIN_POSITIVE);
                let from: Vec<f64> = (0..n).map(|k| p[k] + share.abs().min(1.0) * (q[k] - p[k])).collect();
                let (_, _, status) = self.solver.newton(self.map, &from, NEWTON_STEPS);
                if status != Status::Diverged {
                    self.found.push(self.solver.state().to_vec());
                }
            }
            if norm_inf(&q[..n]) > config.limit || q[n].abs() > config.limit * a0.max(1.0) {
                return;
            }
            p = q;
            row = tangent;
        }
    }

    /// A point of the curve near `p + step tangent`, on the hyperplane across the tangent.
    fn corrected(&self, p: &[f64], tangent: &[f64], step: f64) -> Option<Vec<f64>> {
        let mut q: Vec<f64> = p.iter().zip(tangent).map(|(p, t)| p + step * t).collect();
        for _ in 0..CORRECTIONS {
            let value = self.value(&q);
            let size = norm_inf(&value);
            if size.is_nan() {
                return None;
            }
            if size < ON_CURVE {
                return Some(q);
            }
            let delta = self.bordered(&q, tangent, &value, 0.0)?;
            // A correction longer than the step itself may land on another branch.
            if norm_inf(&delta) > step {
                return None;
            }
            for (q, d) in q.iter_mut().zip(&delta) {
                *q -= d;
            }
        }
        None
    }
}
