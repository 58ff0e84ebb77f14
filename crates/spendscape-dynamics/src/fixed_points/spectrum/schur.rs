//! An eigenbasis of a small real matrix: complex shifted QR on the Hessenberg form, with an iteration cap.
//!
//! The basis is only an approximation that the interval code then judges, so failure is cheap: the caller falls back.

use num_complex::Complex64;
use spendscape_linalg::small::Field;

/// Shifted QR steps allowed per eigenvalue: two or three are usual, and an uncapped solver can hang.
const STEPS_PER_EIGENVALUE: usize = 30;
/// A step count at which an exceptional shift breaks a cycle of the usual one.
const EXCEPTIONAL_EVERY: usize = 10;
/// Eigenvalues closer than this share of the norm are pushed apart when the eigenvectors are solved for.
const SEPARATION: f64 = f64::EPSILON;

/// Reused memory for eigenbases of matrices up to the largest size seen.
#[derive(Debug, Default)]
pub(crate) struct Schur {
    h: Vec<Complex64>,
    z: Vec<Complex64>,
    /// The eigenvectors as columns, row-major.
    pub(crate) vectors: Vec<Complex64>,
    y: Vec<Complex64>,
}

impl Schur {
    /// Computes approximate eigenvectors of the row-major `n x n` matrix `a`; `false` when the cap is reached.
    pub(crate) fn eigenvectors(&mut self, n: usize, a: &[f64]) -> bool {
        self.hessenberg(n, a);
        if !self.triangularize(n) {
            return false;
        }
        self.back_substitute(n);
        true
    }

    /// Householder reduction to Hessenberg form, in complex storage with zero imaginary parts.
    fn hessenberg(&mut self, n: usize, a: &[f64]) {
        let zero = Complex64::new(0.0, 0.0);
        self.h.clear();
        self.h.extend(a.iter().map(|&v| Complex64::new(v, 0.0)));
        self.z.clear();
        self.z.resize(n * n, zero);
        for k in 0..n {
            self.z[k * n + k] = Complex64::new(1.0, 0.0);
        }
        self.y.clear();
        self.y.resize(n, zero);
        let (h, z, v) = (&mut self.h, &mut self.z, &mut self.y);
        for k in 0..n.saturating_sub(2) {
            let mut norm2 = 0.0;
            for r in k + 1..n {
                v[r] = h[r * n + k];
                norm2 += v[r].re * v[r].re;
            }
            let norm = norm2.sqrt();
            if norm == 0.0 {
                continue;
            }
            v[k + 1].re += norm.copysign(v[k + 1].re);
            let vv: f64 = v[k + 1..n].iter().map(|v| v.re * v.re).sum();
            let beta = 2.0 / vv;
            for c in k..n {
                let s: f64 = (k + 1..n).map(|r| v[r].re * h[r * n + c].re).sum();
                for r in k + 1..n {
                    h[r * n + c].re -= beta * s * v[r].re;
                }
            }
            for r in 0..n {
                let s: f64 = (k + 1..n).map(|c| v[c].re * h[r * n + c].re).sum();
                let t: f64 = (k + 1..n).map(|c| v[c].re * z[r * n + c].re).sum();
                for c in k + 1..n {
                    h[r * n + c].re -= beta * s * v[c].re;
                    z[r * n + c].re -= beta * t * v[c].re;
                }
            }
            for r in k + 2..n {
                h[r * n + k] = zero;
            }
        }
    }

    /// Shifted QR to upper triangular form, accumulating the unitary factor.
    fn triangularize(&mut self, n: usize) -> bool {
        let zero = Complex64::new(0.0, 0.0);
        let (h, z) = (&mut self.h, &mut self.z);
        let mut hi = n.saturating_sub(1);
        let mut steps = 0;
        while hi > 0 {
            let mut lo = hi;
            while lo > 0 {
                let scale = h[(lo - 1) * n + lo - 1].size() + h[lo * n + lo].size();
                if h[lo * n + lo - 1].size() <= f64::EPSILON * scale {
                    h[lo * n + lo - 1] = zero;
                    break;
                }
                lo -= 1;
            }
            if lo == hi {
                hi -= 1;
                steps = 0;
                continue;
            }
            steps += 1;
            if steps > STEPS_PER_EIGENVALUE {
                return false;
            }
            let shift = if steps % EXCEPTIONAL_EVERY == 0 {
                h[hi * n + hi] + h[hi * n + hi - 1].size()
            } else {
                wilkinson(h[(hi - 1) * n + hi - 1], h[(hi - 1) * n + hi], h[hi * n + hi - 1], h[hi * n + hi])
            };
            if !shift.re.is_finite() || !shift.im.is_finite() {
                return false;
            }
            for k in lo..=hi {
                h[k * n + k] -= shift;
            }
            // The previous rotation acts on columns only after this row pair no longer needs them.
            let mut pending: Option<(usize, Complex64, Complex64)> = None;
            for k in lo..hi {
                let (a, b) = (h[k * n + k], h[(k + 1) * n + k]);
                let norm = (a.norm_sqr() + b.norm_sqr()).sqrt();
                let (c, s) =
                    if norm == 0.0 { (Complex64::new(1.0, 0.0), zero) } else { (a / norm, b / norm) };
                for j in k..n {
                    let (p, q) = (h[k * n + j], h[(k + 1) * n + j]);
                    h[k * n + j] = c.conj() * p + s.conj() * q;
                    h[(k + 1) * n + j] = c * q - s * p;
                }
                if let Some((at, c, s)) = pending {
                    rotate_columns(h, n, at, at + 2, c, s);
                }
                rotate_columns(z, n, k, n, c, s);
                pending = Some((k, c, s));
            }
            if let Some((at, c, s)) = pending {
                rotate_columns(h, n, at, at + 2, c, s);
            }
            for k in lo..=hi {
                h[k * n + k] += shift;
            }
        }
        true
    }

    /// Eigenvectors of the triangular factor, rotated back and scaled to unit length.
    fn back_substitute(&mut self, n: usize) {
        let zero = Complex64::new(0.0, 0.0);
        self.vectors.clear();
        self.vectors.resize(n * n, zero);
        let norm = self.h.iter().fold(f64::MIN_POSITIVE, |m, v| m.max(v.size()));
        for k in 0..n {
            let lambda = self.h[k * n + k];
            self.y[k] = Complex64::new(1.0, 0.0);
            for r in (0..k).rev() {
                let mut s = zero;
                for c in r + 1..=k {
                    s += self.h[r * n + c] * self.y[c];
                }
                let mut d = lambda - self.h[r * n + r];
                if d.size() < SEPARATION * norm {
                    d = Complex64::new(SEPARATION * norm, 0.0);
                }
                self.y[r] = s / d;
            }
            let mut length = 0.0;
            for r in 0..n {
                let mut s = zero;
                for c in 0..=k {
                    s += self.z[r * n + c] * self.y[c];
                }
                self.vectors[r * n + k] = s;
                length += s.norm_sqr();
            }
            let scale = 1.0 / length.sqrt();
            for r in 0..n {
                self.vectors[r * n + k] *= scale;
            }
        }
    }
}

/// Multiplies columns `k` and `k + 1` (rows `0..rows`) by the rotation from the right.
fn rotate_columns(a: &mut [Complex64], n: usize, k: usize, rows: usize, c: Complex64, s: Complex64) {
    for r in 0..rows.min(n) {
        let (p, q) = (a[r * n + k], a[r * n + k + 1]);
        a[r * n + k] = p * c + q * s;
        a[r * n + k + 1] = q * c.conj() - p * s.conj();
    }
}

/// The eigenvalue of `[[a, b], [c, d]]` nearer to `d`.
fn wilkinson(a: Complex64, b: Complex64, c: Complex64, d: Complex64) -> Complex64 {
    let half = (a - d) * 0.5;
    let root = (half * half + b * c).sqrt();
    let bottom = if (half + root).norm_sqr() > (half - root).norm_sqr() { half + root } else { half - root };
    if bottom.norm_sqr() == 0.0 { d } else { d - b * c / bottom }
}
