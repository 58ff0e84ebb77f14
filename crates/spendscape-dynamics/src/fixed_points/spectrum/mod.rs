//! Enclosures of the spectrum of an interval matrix: Gershgorin discs in an approximate eigenbasis, and repeated
//! squaring when that basis fails.

mod schur;

use num_complex::Complex64;
use spendscape_linalg::small::{Field, invert};

use crate::interval::{Interval, ROUND, TINY, down, up};
use schur::Schur;

/// The eigenbasis is used when its approximate inverse is at least this good (infinity norm of `I - C V`).
pub(crate) const BASIS_ERROR_MAX: f64 = 0.1;
/// Squarings of the fallback: the bound is the norm of the `2^k`-th power to the power `2^-k`.
const SQUARINGS: i32 = 20;
/// An enclosure of the spectral radius this narrow that contains one is called marginal, a wider one undecided.
const MARGINAL_WIDTH: f64 = 1e-6;

/// The stability of a certified point, by its linearization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Every eigenvalue is proved to lie inside the unit circle.
    Stable,
    /// Exactly `index` eigenvalues are proved to lie outside the unit circle, all others inside.
    Saddle {
        /// The number of unstable directions (the dimension of the state for a source).
        index: usize,
    },
    /// The enclosure of the spectral radius is narrow and contains one.
    Marginal,
    /// The enclosure is too wide to say.
    Undecided,
    /// The point lies on a kink of the map, or is not proved to lie beside it: there is no Jacobian to judge by.
    Kink,
}

/// An enclosure of the spectral radius and of the count of unstable eigenvalues.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spectrum {
    /// The spectral radius lies in this interval.
    pub radius: Interval,
    /// The verdict that follows.
    pub verdict: Verdict,
}

impl Spectrum {
    /// At a point without a Jacobian.
    pub(crate) const KINK: Self =
        Self { radius: Interval { lo: 0.0, hi: f64::INFINITY }, verdict: Verdict::Kink };
}

/// Reused memory; nothing is allocated once the largest matrix has been seen.
#[derive(Debug, Default)]
pub(crate) struct SpectrumWork {
    schur: Schur,
    mid: Vec<f64>,
    rad: Vec<f64>,
    /// Approximate inverse of the eigenbasis.
    pub(crate) inverse: Vec<Complex64>,
    image: Vec<Complex64>,
    product: Vec<Complex64>,
    spread: Vec<f64>,
    spread2: Vec<f64>,
    discs: Vec<(Complex64, f64)>,
    group: Vec<usize>,
    /// Whether the eigenbasis is usable.
    pub(crate) basis: bool,
}

/// The modulus by a plain square root: the entries are far from overflow, and `hypot` is slow.
fn modulus(a: Complex64) -> f64 {
    a.norm_sqr().sqrt()
}

impl SpectrumWork {
    /// The approximate eigenvectors (columns, row-major) of the last enclosure; meaningful when `basis` is set.
    pub(crate) fn vectors(&self) -> &[Complex64] {
        &self.schur.vectors
    }

    /// Takes up an eigenbasis saved from an earlier enclosure.
    pub(crate) fn restore(&mut self, vectors: &[Complex64], inverse: &[Complex64]) {
        self.schur.vectors.clear();
        self.schur.vectors.extend_from_slice(vectors);
        self.inverse.clear();
        self.inverse.extend_from_slice(inverse);
        self.basis = !vectors.is_empty();
    }

    /// The largest coordinate of `dx` in the eigenbasis, and by how much each state may move when every coordinate
    /// stays within a unit, into `reach`.
    pub(crate) fn coordinates(&self, dx: &[f64], reach: &mut [f64]) -> f64 {
        let n = dx.len();
        for (r, reach) in reach.iter_mut().enumerate() {
            *reach = (0..n).map(|c| modulus(self.schur.vectors[r * n + c])).sum();
        }
        (0..n)
            .map(|r| (0..n).map(|c| self.inverse[r * n + c] * dx[c]).sum::<Complex64>().norm())
            .fold(0.0, f64::max)
    }

    /// Encloses the spectrum of every matrix in the row-major `n x n` interval matrix `j`.
    pub(crate) fn enclose(&mut self, n: usize, j: &[Interval]) -> Spectrum {
        self.mid.clear();
        self.rad.clear();
        self.basis = false;
        if n == 0 || !j.iter().all(|v| v.is_finite()) {
            return Spectrum { radius: Interval { lo: 0.0, hi: f64::INFINITY }, verdict: Verdict::Undecided };
        }
        self.mid.extend(j.iter().map(|v| v.mid()));
        self.rad.extend(j.iter().map(|v| v.rad()));
        let mid = std::mem::take(&mut self.mid);
        let found = self.schur.eigenvectors(n, &mid) && self.invert_basis(n);
        self.mid = mid;
        let discs = if found { self.discs(n) } else { None };
        match discs {
            Some(spectrum) if spectrum.verdict != Verdict::Undecided => spectrum,
            Some(spectrum) => {
                // A cluster of nearly equal eigenvalues makes the basis ill-conditioned; squaring does not mind.
                let radius = self.squaring(n);
                let radius = radius.intersect(spectrum.radius).unwrap_or(spectrum.radius);
                Spectrum { radius, verdict: verdict_of(radius) }
            }
            None => {
                let radius = self.squaring(n);
                Spectrum { radius, verdict: verdict_of(radius) }
            }
        }
    }

    /// The inverse of the eigenbasis.
    fn invert_basis(&mut self, n: usize) -> bool {
        self.image.clone_from(&self.schur.vectors);
        self.inverse.resize(n * n, Complex64::ZERO);
        self.basis = invert(n, &mut self.image, &mut self.inverse);
        self.basis
    }

    /// Bounds `M = C J V` entry by entry: the middle into `product`, the radius into `spread2`; returns the infinity
    /// norm of `I - C V`.
    ///
    /// `j` holds the middle and radius of the interval matrix.
    fn transform(&mut self, n: usize, mid: &[f64], rad: &[f64]) -> f64 {
        // A complex product of n terms errs by less than 2 (n + 2) rounding units of the product of magnitudes, and
        // two such products follow each other.
        let gamma = (4.0 * n as f64 + 16.0) * ROUND;
        let zero = Complex64::new(0.0, 0.0);
        let v = &self.schur.vectors;
        self.image.clear();
        self.image.resize(n * n, zero);
        self.product.clear();
        self.product.resize(n * n, zero);
        self.spread.clear();
        self.spread.resize(n * n, 0.0);
        self.spread2.clear();
        self.spread2.resize(n * n, 0.0);
        for r in 0..n {
            for k in 0..n {
                let (m, d) = (mid[r * n + k], rad[r * n + k] + gamma * mid[r * n + k].abs());
                for c in 0..n {
                    self.image[r * n + c] += v[k * n + c] * m;
                    self.spread[r * n + c] += v[k * n + c].size() * d;
                }
            }
        }
        let mut error: f64 = 0.0;
        for r in 0..n {
            let mut row = 0.0;
            for k in 0..n {
                let m = self.inverse[r * n + k];
                let size = m.size();
                for c in 0..n {
                    self.product[r * n + c] += m * self.image[k * n + c];
                    self.spread2[r * n + c] += size * self.spread[k * n + c];
                }
            }
            for c in 0..n {
                let mut s = Complex64::new(if r == c { 1.0 } else { 0.0 }, 0.0);
                let mut magnitude = 1.0;
                for k in 0..n {
                    s -= self.inverse[r * n + k] * v[k * n + c];
                    magnitude += self.inverse[r * n + k].size() * v[k * n + c].size();
                }
                row += s.size() + gamma * magnitude;
            }
            error = error.max(row);
        }
        // The sums of non-negative numbers above err by a few rounding units themselves.
        for s in &mut self.spread2 {
            *s = *s * (1.0 + gamma) + TINY;
        }
        error * (1.0 + gamma)
    }

    /// The infinity norm of `V^-1 J V` over the interval matrix `j` in the last eigenbasis: below one, `J` contracts.
    pub(crate) fn contraction(&mut self, n: usize, j: &[Interval]) -> f64 {
        if !self.basis || !j.iter().all(|v| v.is_finite()) {
            return f64::INFINITY;
        }
        let mut mid = std::mem::take(&mut self.mid);
        let mut rad = std::mem::take(&mut self.rad);
        mid.clear();
        rad.clear();
        mid.extend(j.iter().map(|v| v.mid()));
        rad.extend(j.iter().map(|v| v.rad()));
        let e = self.transform(n, &mid, &rad);
        (self.mid, self.rad) = (mid, rad);
        let norm = (0..n)
            .map(|r| (0..n).map(|c| modulus(self.product[r * n + c]) + self.spread2[r * n + c]).sum::<f64>())
            .fold(0.0, f64::max);
        if e < BASIS_ERROR_MAX { up(norm / (1.0 - e)) } else { f64::INFINITY }
    }

    /// Gershgorin discs of `C J V`, widened by the error of the approximate inverse.
    fn discs(&mut self, n: usize) -> Option<Spectrum> {
        let (mid, rad) = (std::mem::take(&mut self.mid), std::mem::take(&mut self.rad));
        let e = self.transform(n, &mid, &rad);
        (self.mid, self.rad) = (mid, rad);
        if e.is_nan() || e >= BASIS_ERROR_MAX {
            return None;
        }
        let size = |r: usize, c: usize| modulus(self.product[r * n + c]) * (1.0 + 4.0 * ROUND);
        let norm = (0..n)
            .map(|r| (0..n).map(|c| size(r, c) + self.spread2[r * n + c]).sum::<f64>())
            .fold(0.0, f64::max);
        let widening = e * norm / (1.0 - e);
        self.discs.clear();
        for r in 0..n {
            let off: f64 = (0..n).map(|c| if c == r { 0.0 } else { size(r, c) }).sum();
            let spread: f64 = (0..n).map(|c| self.spread2[r * n + c]).sum();
            let radius = up((off + spread + widening) * (1.0 + 8.0 * n as f64 * ROUND));
            self.discs.push((self.product[r * n + r], radius));
        }
        Some(self.judge(n))
    }

    /// Merges overlapping discs; each merged group holds exactly as many eigenvalues as discs.
    fn judge(&mut self, n: usize) -> Spectrum {
        let discs = &self.discs;
        let group = &mut self.group;
        group.clear();
        group.extend(0..n);
        for i in 0..n {
            for k in 0..i {
                let apart =
                    modulus(discs[i].0 - discs[k].0) > (discs[i].1 + discs[k].1) * (1.0 + 8.0 * ROUND);
                if !apart && group[i] != group[k] {
                    let (from, to) = (group[i], group[k]);
                    for g in group.iter_mut() {
                        if *g == from {
                            *g = to;
                        }
                    }
                }
            }
        }
        let (mut lo, mut hi) = (0.0f64, 0.0f64);
        let mut outside = 0;
        let mut decided = true;
        for g in 0..n {
            let (mut inner, mut outer, mut count) = (f64::INFINITY, 0.0f64, 0);
            for k in (0..n).filter(|&k| group[k] == g) {
                let size = modulus(discs[k].0);
                inner = inner.min(down(size - discs[k].1));
                outer = outer.max(up(size + discs[k].1));
                count += 1;
            }
            if count == 0 {
                continue;
            }
            lo = lo.max(inner);
            hi = hi.max(outer);
            if inner > 1.0 {
                outside += count;
            } else if outer >= 1.0 {
                decided = false;
            }
        }
        let radius = Interval { lo, hi };
        let verdict = match (decided, outside) {
            (true, 0) => Verdict::Stable,
            (true, index) => Verdict::Saddle { index },
            (false, 0) => verdict_of(radius),
            (false, _) => Verdict::Undecided,
        };
        Spectrum { radius, verdict }
    }

    /// Bounds the spectral radius by norms and traces of the powers `J^(2^k)`.
    fn squaring(&mut self, n: usize) -> Interval {
        let (mut a, mut d) = (self.mid.clone(), self.rad.clone());
        let (mut lo, mut hi) = (0.0f64, f64::INFINITY);
        // J^(2^k) = exp(log_scale) (a +- d); the scale keeps the powers representable.
        let mut log_scale = 0.0f64;
        let gamma = (n as f64 + 4.0) * ROUND;
        for k in 0..=SQUARINGS {
            let norm = (0..n)
                .map(|r| (0..n).map(|c| a[r * n + c].abs() + d[r * n + c]).sum::<f64>())
                .fold(0.0, f64::max)
                * (1.0 + gamma);
            let power = libm::ldexp(1.0, -k);
            if norm == 0.0 {
                return Interval::ZERO;
            }
            if !norm.is_finite() {
                break;
            }
            // The logarithm's own rounding, relative to its size, is far below this margin.
            let margin = 1.0 + 64.0 * ROUND * (1.0 + (log_scale.abs() + norm.ln().abs()) * power);
            hi = hi.min(((norm.ln() + log_scale) * power).exp() * margin);
            let trace: f64 = (0..n).map(|r| a[r * n + r]).sum();
            let slack: f64 = (0..n).map(|r| d[r * n + r] + gamma * a[r * n + r].abs()).sum();
            let least = (trace.abs() - slack * (1.0 + gamma)) / n as f64;
            if least > 0.0 {
                lo = lo.max(((least.ln() + log_scale) * power).exp() / margin);
            }
            if k == SQUARINGS {
                break;
            }
            let scale = 1.0 / norm;
            for (a, d) in a.iter_mut().zip(d.iter_mut()) {
                // Rounding of the scaled entry goes into its radius.
                *a *= scale;
                *d = (*d * scale + a.abs() * ROUND) * (1.0 + 4.0 * ROUND);
            }
            log_scale = 2.0 * (log_scale + norm.ln());
            (a, d) = square(n, &a, &d, gamma);
        }
        Interval { lo: lo.min(hi), hi }
    }
}

/// The square of a matrix given by middles and radii.
fn square(n: usize, a: &[f64], d: &[f64], gamma: f64) -> (Vec<f64>, Vec<f64>) {
    let (mut mid, mut rad) = (vec![0.0; n * n], vec![0.0; n * n]);
    for r in 0..n {
        for k in 0..n {
            let (x, dx) = (a[r * n + k], d[r * n + k]);
            for c in 0..n {
                let (y, dy) = (a[k * n + c], d[k * n + c]);
                mid[r * n + c] += x * y;
                rad[r * n + c] += dx * (y.abs() + dy) + x.abs() * dy + gamma * (x * y).abs();
            }
        }
    }
    for r in &mut rad {
        *r = *r * (1.0 + gamma) + TINY;
    }
    (mid, rad)
}

/// The verdict when only the spectral radius is known.
fn verdict_of(radius: Interval) -> Verdict {
    if radius.hi < 1.0 {
        Verdict::Stable
    } else if radius.contains(1.0) && radius.width() <= MARGINAL_WIDTH {
        Verdict::Marginal
    } else {
        Verdict::Undecided
    }
}
