//! A certificate for one fixed point: existence and uniqueness in a box by Krawczyk's test, and its stability.

use ndarray::Array1;

use crate::dense::invert_any;
use crate::interval::{Interval, ROUND, TINY};
use crate::map::Map;
use crate::solve::residual;
use crate::spectrum::{Spectrum, SpectrumWork};

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
        let mut jacobian = vec![Interval::ZERO; n * n];
        map.jacobian(&enclosure, &mut jacobian);
        let spectrum = work.enclose(n, &jacobian);
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
pub fn certify(map: &impl Map, x: &[f64]) -> Option<FixedPoint> {
    let test = Test::new(map, x)?;
    let mut radius = RADIUS_START;
    let mut enclosure = None;
    for _ in 0..ENLARGEMENTS {
        let z = test.around(radius);
        if let Some(image) = test.image(&z)
            && strictly_inside(&image, &z)
        {
            enclosure = Some(image);
            break;
        }
        radius *= 10.0;
    }
    let enclosure = enclosure?;
    let mut uniqueness = test.around(radius);
    let mut wide = UNIQUE_START;
    for _ in 0..UNIQUE_TRIALS {
        if wide <= radius {
            break;
        }
        let z = test.around(wide);
        // How many times too wide the box is: the image's radius grows as the square of the box's.
        let excess = match test.image(&z) {
            Some(image) if strictly_inside(&image, &z) => {
                uniqueness = z;
                break;
            }
            Some(image) => image.iter().zip(&z).fold(0.0, |m: f64, (i, z)| m.max(i.rad() / z.rad())),
            None => f64::INFINITY,
        };
        wide *= (UNIQUE_SAFETY / excess).clamp(UNIQUE_SHRINK.0, UNIQUE_SHRINK.1);
    }
    Some(FixedPoint::at(map, enclosure, uniqueness, &mut SpectrumWork::default()))
}

/// Inflations of a tube before giving up.
const TUBE_INFLATIONS: usize = 8;
/// Growth of each side of a tube relative to the last image.
const TUBE_GROWTH: f64 = 1.2;
/// Absolute growth of each side of a tube, relative to `max(1, |x_k|)`.
const TUBE_FLOOR: f64 = 1e-12;

/// A box around `a` and `b` that holds exactly one fixed point of each map in `map` (whose parameters are intervals),
/// shaped by epsilon inflation: wide only where the point moves.
pub(crate) fn tube(map: &impl Map, a: &[Interval], b: &[Interval]) -> Option<Vec<Interval>> {
    let hull: Vec<Interval> = a.iter().zip(b).map(|(a, b)| a.hull(*b)).collect();
    let center: Vec<f64> = hull.iter().map(|v| v.mid()).collect();
    let test = Test::new(map, &center)?;
    let grow = |v: Interval| {
        let m = v.mid();
        Interval::around(m, TUBE_GROWTH * v.rad() + TUBE_FLOOR * m.abs().max(1.0))
    };
    let mut z: Vec<Interval> = hull.iter().map(|v| grow(*v)).collect();
    for _ in 0..TUBE_INFLATIONS {
        let image = test.image(&z)?;
        if strictly_inside(&image, &z) {
            return Some(z);
        }
        z = image.iter().zip(&hull).map(|(i, h)| grow(i.hull(*h))).collect();
    }
    None
}

fn strictly_inside(a: &[Interval], b: &[Interval]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.strictly_inside(*b))
}

/// The data of Krawczyk's test that do not depend on the box.
struct Test<'a, M> {
    map: &'a M,
    x: &'a [f64],
    /// Preconditioner, row-major.
    y: Vec<f64>,
    /// `Y (x - F(x))`.
    defect: Vec<Interval>,
}

impl<'a, M: Map> Test<'a, M> {
    fn new(map: &'a M, x: &'a [f64]) -> Option<Self> {
        let n = map.dim();
        if x.len() != n || n == 0 || !x.iter().all(|v| v.is_finite()) {
            return None;
        }
        let mut j = vec![0.0; n * n];
        map.jacobian(x, &mut j);
        for (index, v) in j.iter_mut().enumerate() {
            *v = f64::from(u8::from(index % (n + 1) == 0)) - *v;
        }
        let y = invert_any(n, &j)?;
        let thin: Vec<Interval> = x.iter().map(|&v| Interval::point(v)).collect();
        let mut image = vec![Interval::ZERO; n];
        map.step(&thin, &mut image);
        let g: Vec<Interval> = thin.iter().zip(&image).map(|(x, f)| *x - *f).collect();
        let defect =
            (0..n).map(|i| (0..n).fold(Interval::ZERO, |s, k| s + g[k].scale(y[i * n + k]))).collect();
        Some(Self { map, x, y, defect })
    }

    fn around(&self, radius: f64) -> Vec<Interval> {
        self.x.iter().map(|&v| Interval::around(v, radius * v.abs().max(1.0))).collect()
    }

    /// Krawczyk's image of `z`, or `None` when something is not finite.
    fn image(&self, z: &[Interval]) -> Option<Vec<Interval>> {
        let n = self.x.len();
        let mut j = vec![Interval::ZERO; n * n];
        self.map.jacobian(z, &mut j);
        if !j.iter().all(|v| v.is_finite()) {
            return None;
        }
        for (index, v) in j.iter_mut().enumerate() {
            let one = f64::from(u8::from(index % (n + 1) == 0));
            *v = Interval::point(one) - *v;
        }
        let (mid, rad): (Vec<f64>, Vec<f64>) = j.iter().map(|v| (v.mid(), v.rad())).unzip();
        let gamma = (n as f64 + 4.0) * ROUND;
        let half: Vec<f64> =
            z.iter().zip(self.x).map(|(z, &x)| (z.hi - x).max(x - z.lo) * (1.0 + ROUND)).collect();
        Some(
            (0..n)
                .map(|i| {
                    let mut total = 0.0;
                    for c in 0..n {
                        let (mut s, mut size, mut spread) = (0.0, 0.0, 0.0);
                        for k in 0..n {
                            let y = self.y[i * n + k];
                            s += y * mid[k * n + c];
                            size += (y * mid[k * n + c]).abs();
                            spread += y.abs() * rad[k * n + c];
                        }
                        let one = f64::from(u8::from(i == c));
                        total +=
                            ((one - s).abs() * (1.0 + ROUND) + spread + gamma * (size + spread)) * half[c];
                    }
                    let total = total * (1.0 + gamma) + TINY;
                    Interval::point(self.x[i]) - self.defect[i] + Interval { lo: -total, hi: total }
                })
                .collect(),
        )
    }
}
