//! A certificate for one fixed point: existence and uniqueness in a box by Krawczyk's test, and its stability.

use ndarray::Array1;
use spendscape_linalg::small::invert;

use super::solve::residual;
use super::spectrum::{Spectrum, SpectrumWork};
use crate::interval::{Interval, ROUND, TINY};
use crate::map::Map;

/// The smallest half-width tried for existence, relative to `max(1, |x_k|)`.
const RADIUS_START: f64 = 1e-15;
/// Enlargements of the existence box before giving up; each is tenfold.
const ENLARGEMENTS: usize = 12;
/// Uniqueness is tried from this half-width, relative to `max(1, |x_k|)`, downwards.
const UNIQUE_START: f64 = 0.5;
/// A failed trial reduces the uniqueness box to this share of where a linear growth of the image would have it fit.
const UNIQUE_SAFETY: f64 = 0.8;
/// Limits of that reduction per trial.
const UNIQUE_SHRINK: (f64, f64) = (0.05, 0.7);
/// Trials for uniqueness.
const UNIQUE_TRIALS: usize = 16;

/// A fixed point with its certificate.
#[derive(Debug, Clone)]
pub struct FixedPoint {
    /// A state within the enclosure, near its middle.
    pub state: Array1<f64>,
    /// The exact fixed point lies in this box.
    pub enclosure: Vec<Interval>,
    /// No other fixed point lies in this box (an LSTM's cells follow from its hidden state and are unrestricted).
    pub uniqueness: Vec<Interval>,
    /// `max_k |F(x)_k - x_k|` at `state`, in floating point.
    pub residual: f64,
    /// Enclosure of the spectral radius, and the verdict.
    pub spectrum: Spectrum,
}

impl FixedPoint {
    /// Completes a certified enclosure with residual and stability.
    pub(crate) fn at(
        map: &impl Map,
        enclosure: Vec<Interval>,
        uniqueness: Vec<Interval>,
        work: &mut SpectrumWork,
    ) -> Self {
        let state: Array1<f64> = enclosure.iter().map(|v| representative(*v)).collect();
        let n = state.len();
        let spectrum = if map.is_smooth(&enclosure) {
            let mut jacobian = vec![Interval::ZERO; n * n];
            map.jacobian(&enclosure, &mut jacobian);
            work.enclose(n, &jacobian)
        } else {
            Spectrum::KINK
        };
        let xs = state.to_vec();
        let residual = residual(map, &xs);
        Self { state, enclosure, uniqueness, residual, spectrum }
    }

    /// The time constant `-1 / ln(rho)` in steps at the middle of the enclosure of the spectral radius; infinite when
    /// the radius is one or more.
    #[must_use]
    pub fn time_constant(&self) -> f64 {
        time_constant(self.spectrum.radius.mid())
    }

    /// The radius (largest coordinate difference) around the state within which it is proved that no other fixed point lies,
    /// cells of an LSTM, which follow from its hidden state, left out.
    #[must_use]
    pub fn uniqueness_radius(&self) -> f64 {
        let sides = self.uniqueness.iter().zip(&self.state);
        let room = sides.map(|(side, &x)| (x - side.lo).min(side.hi - x));
        room.fold(f64::INFINITY, f64::min).max(0.0)
    }

    /// Whether `other`'s enclosure lies in this point's uniqueness box: then both are the same point.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        let inside = |a: &Self, b: &Self| a.enclosure.iter().zip(&b.uniqueness).all(|(x, u)| x.inside(*u));
        inside(other, self) || inside(self, other)
    }
}

/// `-1 / ln(rho)`; infinite when `rho >= 1`, zero when `rho` is zero.
pub(crate) fn time_constant(rho: f64) -> f64 {
    if rho >= 1.0 { f64::INFINITY } else { -1.0 / rho.max(f64::MIN_POSITIVE).ln() }
}

/// A finite number of the interval: its middle, or its finite end.
pub(crate) fn representative(v: Interval) -> f64 {
    match (v.lo.is_finite(), v.hi.is_finite()) {
        (true, true) => v.mid(),
        (true, false) => v.lo,
        (false, true) => v.hi,
        (false, false) => 0.0,
    }
}

/// Certifies a fixed point near `x` (length `map.dim()`): `None` when no test proves one, for instance at a singular
/// point, or when `x` has the wrong length or is not finite.
///
/// Krawczyk's test on `x - F(x) = 0`: with `Y` near `(I - J)^-1`, if `x - Y (x - F(x)) + (I - Y (I - J(Z))) (Z - x)` lies
/// strictly inside the box `Z`, then `Z` holds exactly one fixed point.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{fixed_points::certify, map::RnnCell};
///
/// let cell = RnnCell::new(&Array2::zeros((1, 0)), &array![[2.0]], &array![0.0])?;
/// let map = cell.under(&array![])?;
/// let point = certify(&map, &[0.9575]).expect("tanh(2 x) = x at .9575");
/// assert!(point.enclosure[0].contains(0.957_504_024_077_269_9));
/// assert!(certify(&map, &[0.5]).is_none());
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
pub fn certify(map: &impl Map, x: &[f64]) -> Option<FixedPoint> {
    Certifier::default().certify(map, x)
}

/// Inflations of a tube before giving up.
const TUBE_INFLATIONS: usize = 8;
/// Growth of each side of a tube relative to the last image.
const TUBE_GROWTH: f64 = 1.2;
/// Absolute growth of each side of a tube, relative to `max(1, |x_k|)`.
const TUBE_FLOOR: f64 = 1e-12;

/// Krawczyk's test with reused memory: nothing is allocated once the largest map has been seen.
#[derive(Debug, Default)]
pub(crate) struct Certifier {
    x: Vec<f64>,
    /// Preconditioner, row-major.
    y: Vec<f64>,
    /// `Y (x - F(x))`.
    defect: Vec<Interval>,
    /// The tested box, and its image.
    z: Vec<Interval>,
    image: Vec<Interval>,
    /// The proved enclosure.
    pub(crate) enclosure: Vec<Interval>,
    /// The box in which the enclosed point is alone.
    uniqueness: Vec<Interval>,
    step: Vec<Interval>,
    jacobian: Vec<Interval>,
    mid: Vec<f64>,
    rad: Vec<f64>,
    half: Vec<f64>,
    spectrum: SpectrumWork,
}

impl Certifier {
    /// See [`certify`].
    pub(crate) fn certify(&mut self, map: &impl Map, x: &[f64]) -> Option<FixedPoint> {
        let radius = self.prove(map, x)?;
        Some(self.complete(map, radius))
    }

    /// The point that was last proved, in a ball of relative radius `radius`, with its uniqueness box and stability.
    pub(crate) fn complete(&mut self, map: &impl Map, radius: f64) -> FixedPoint {
        self.make_unique(map, radius);
        FixedPoint::at(map, self.enclosure.clone(), self.uniqueness.clone(), &mut self.spectrum)
    }

    /// Whether a box around `a` and `b`, shaped by epsilon inflation (wide only where the point moves), holds exactly one
    /// fixed point of each map in `map`, whose parameters are intervals.
    pub(crate) fn tube(&mut self, map: &impl Map, a: &[Interval], b: &[Interval]) -> bool {
        let hull: Vec<Interval> = a.iter().zip(b).map(|(a, b)| a.hull(*b)).collect();
        let center: Vec<f64> = hull.iter().map(|v| v.mid()).collect();
        if !self.prepare(map, &center) {
            return false;
        }
        let grow = |v: Interval| {
            let m = v.mid();
            Interval::around(m, TUBE_GROWTH * v.rad() + TUBE_FLOOR * m.abs().max(1.0))
        };
        self.z.clear();
        self.z.extend(hull.iter().map(|v| grow(*v)));
        for _ in 0..TUBE_INFLATIONS {
            if !self.image(map) {
                return false;
            }
            if self.strictly_inside() {
                return true;
            }
            self.z.clear();
            self.z.extend(self.image.iter().zip(&hull).map(|(i, h)| grow(i.hull(*h))));
        }
        false
    }

    /// Encloses a fixed point near `x`, alone in the ball of the returned relative radius; `None` when no test proves one.
    pub(crate) fn prove(&mut self, map: &impl Map, x: &[f64]) -> Option<f64> {
        if !self.prepare(map, x) {
            return None;
        }
        let mut radius = RADIUS_START;
        for _ in 0..ENLARGEMENTS {
            self.surround(radius);
            if self.image(map) && self.strictly_inside() {
                self.enclosure.clone_from(&self.image);
                self.uniqueness.clone_from(&self.z);
                return Some(radius);
            }
            radius *= 10.0;
        }
        None
    }

    /// Widens the box in which the proved point is alone, which has the given radius.
    fn make_unique(&mut self, map: &impl Map, radius: f64) {
        let mut wide = UNIQUE_START;
        for _ in 0..UNIQUE_TRIALS {
            if wide <= radius {
                break;
            }
            self.surround(wide);
            // How many times too wide the box is: the image's radius grows as the square of the box's.
            let excess = if self.image(map) {
                if self.strictly_inside() {
                    self.uniqueness.clone_from(&self.z);
                    break;
                }
                self.image.iter().zip(&self.z).fold(0.0, |m: f64, (i, z)| m.max(i.rad() / z.rad()))
            } else {
                f64::INFINITY
            };
            wide *= (UNIQUE_SAFETY / excess).clamp(UNIQUE_SHRINK.0, UNIQUE_SHRINK.1);
        }
    }

    /// The stability of the point that was last proved, of a map without kinks.
    pub(crate) fn stability(&mut self, map: &impl Map) -> Spectrum {
        map.linearize(&self.enclosure, &mut self.step, &mut self.jacobian);
        self.spectrum.enclose(self.enclosure.len(), &self.jacobian)
    }

    /// The part that does not depend on the box; `false` when `x` does not fit or `I - J` is singular.
    fn prepare(&mut self, map: &impl Map, x: &[f64]) -> bool {
        let n = map.dim();
        if x.len() != n || n == 0 || !x.iter().all(|v| v.is_finite()) {
            return false;
        }
        self.x.clear();
        self.x.extend_from_slice(x);
        self.half.resize(n, 0.0);
        self.mid.resize(n * n, 0.0);
        self.step.resize(n, Interval::ZERO);
        self.jacobian.resize(n * n, Interval::ZERO);
        map.linearize(x, &mut self.half, &mut self.mid);
        for (index, v) in self.mid.iter_mut().enumerate() {
            *v = f64::from(u8::from(index % (n + 1) == 0)) - *v;
        }
        self.y.resize(n * n, 0.0);
        if !invert(n, &mut self.mid, &mut self.y) {
            return false;
        }
        self.z.clear();
        self.z.extend(x.iter().map(|&v| Interval::point(v)));
        map.step(&self.z, &mut self.step);
        for (g, x) in self.step.iter_mut().zip(&self.z) {
            *g = *x - *g;
        }
        let product =
            |row: &[f64]| row.iter().zip(&self.step).fold(Interval::ZERO, |s, (y, g)| s + g.scale(*y));
        self.defect.clear();
        self.defect.extend(self.y.chunks_exact(n).map(product));
        true
    }

    /// Makes the tested box a ball around `x`.
    fn surround(&mut self, radius: f64) {
        self.z.clear();
        self.z.extend(self.x.iter().map(|&v| Interval::around(v, radius * v.abs().max(1.0))));
    }

    /// Whether the image lies strictly inside the tested box.
    fn strictly_inside(&self) -> bool {
        self.image.iter().zip(&self.z).all(|(a, b)| a.strictly_inside(*b))
    }

    /// Krawczyk's image of the tested box; `false` when something is not finite.
    fn image(&mut self, map: &impl Map) -> bool {
        let n = self.x.len();
        map.linearize(&self.z, &mut self.step, &mut self.jacobian);
        if !self.jacobian.iter().all(|v| v.is_finite()) {
            return false;
        }
        for (index, v) in self.jacobian.iter_mut().enumerate() {
            let one = f64::from(u8::from(index % (n + 1) == 0));
            *v = Interval::point(one) - *v;
        }
        self.mid.clear();
        self.mid.extend(self.jacobian.iter().map(|v| v.mid()));
        self.rad.clear();
        self.rad.extend(self.jacobian.iter().map(|v| v.rad()));
        let gamma = (n as f64 + 4.0) * ROUND;
        self.half.clear();
        let sides = self.z.iter().zip(&self.x);
        self.half.extend(sides.map(|(z, &x)| (z.hi - x).max(x - z.lo) * (1.0 + ROUND)));
        self.image.clear();
        for i in 0..n {
            let mut total = 0.0;
            for c in 0..n {
                let (mut s, mut size, mut spread) = (0.0, 0.0, 0.0);
                for k in 0..n {
                    let y = self.y[i * n + k];
                    s += y * self.mid[k * n + c];
                    size += (y * self.mid[k * n + c]).abs();
                    spread += y.abs() * self.rad[k * n + c];
                }
                let one = f64::from(u8::from(i == c));
                total += ((one - s).abs() * (1.0 + ROUND) + spread + gamma * (size + spread)) * self.half[c];
            }
            let total = total * (1.0 + gamma) + TINY;
            let center = Interval::point(self.x[i]) - self.defect[i];
            self.image.push(center + Interval { lo: -total, hi: total });
        }
        true
    }
}
