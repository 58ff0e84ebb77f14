//! Newton-type tests of one box: the preconditioned Hansen-Sengupta step and the inflated Krawczyk test.

use spendscape_linalg::small::inverse;

use crate::interval::{Interval, Number, ROUND, TINY, down, up};

/// Inflation: the tested box is the given one, this much larger relative to its radii ..
const INFLATE_RADIUS: f64 = 1.25;
/// .. plus this share of the widest side, so that flat boxes are inflated in every direction ..
const INFLATE_WIDTH: f64 = 0.02;
/// .. plus an absolute amount for boxes near the rounding level.
const INFLATE_FLOOR: f64 = 1e-13;
/// Refinement of a certified root stops after this many steps at the latest.
const REFINE_STEPS: usize = 30;
/// Refinement continues while a step shrinks the widest side below this share ..
const REFINE_GAIN: f64 = 0.5;
/// .. and in any case while the box is wider than this: far from the root the first steps gain little.
const REFINE_WIDTH: f64 = 1e-9;

/// The rows of the reduced system over a box: values at its middle, and the Jacobian as middle and radius.
pub(crate) struct Rows<const N: usize, T = f64> {
    pub(crate) value: [Interval<T>; N],
    pub(crate) mid: [[T; N]; N],
    pub(crate) rad: [[T; N]; N],
}

impl<const N: usize> Rows<N> {
    /// Rows to be filled in.
    pub(crate) const ZERO: Self = Self { value: [Interval::ZERO; N], mid: [[0.0; N]; N], rad: [[0.0; N]; N] };

    fn is_finite(&self) -> bool {
        self.value.iter().all(|v| v.is_finite())
            && self.mid.iter().flatten().all(|v| v.is_finite())
            && self.rad.iter().flatten().all(|v| v.is_finite())
    }
}

/// The result of a test of a box.
pub(crate) enum Shown {
    /// No root inside.
    Empty,
    /// Exactly one root inside.
    Unique,
    /// Nothing; the box may have shrunk.
    Nothing,
}

/// The middle of every side.
#[inline(always)]
pub(crate) fn middle<T: Number, const N: usize>(x: &[Interval<T>; N]) -> [T; N] {
    // A loop: a closure would not take over the instructions of vectors.
    let mut middle = [x[0].lo; N];
    for k in 0..N {
        middle[k] = x[k].mid();
    }
    middle
}

/// The widest side.
pub(crate) fn widest<const N: usize>(x: &[Interval; N]) -> f64 {
    x.iter().fold(0.0, |w, v| w.max(v.width()))
}

/// Whether `a` lies in `b`.
pub(crate) fn inside<const N: usize>(a: &[Interval; N], b: &[Interval; N]) -> bool {
    (0..N).all(|k| a[k].inside(b[k]))
}

/// Whether `a` and `b` have a point in common.
pub(crate) fn meet<const N: usize>(a: &[Interval; N], b: &[Interval; N]) -> bool {
    (0..N).all(|k| a[k].lo <= b[k].hi && b[k].lo <= a[k].hi)
}

/// The preconditioned system `Y F'` (middle and radius) and `Y F(mid)`.
struct Preconditioned<const N: usize> {
    a: [[f64; N]; N],
    r: [[f64; N]; N],
    b: [Interval; N],
}

fn precondition<const N: usize>(rows: &Rows<N>) -> Option<Preconditioned<N>> {
    let y = inverse(&rows.mid)?;
    let gamma = (N as f64 + 3.0) * ROUND;
    let mut p = Preconditioned { a: [[0.0; N]; N], r: [[0.0; N]; N], b: [Interval::ZERO; N] };
    for i in 0..N {
        for j in 0..N {
            let (mut s, mut size, mut spread) = (0.0, 0.0, 0.0);
            for (k, y) in y[i].iter().enumerate() {
                s += y * rows.mid[k][j];
                size += (y * rows.mid[k][j]).abs();
                spread += y.abs() * rows.rad[k][j];
            }
            p.a[i][j] = s;
            p.r[i][j] = (spread + gamma * size) * (1.0 + gamma) + TINY;
        }
        let (mut s, mut size, mut spread) = (0.0, 0.0, 0.0);
        for (y, value) in y[i].iter().zip(&rows.value) {
            let m = value.mid();
            s += y * m;
            size += (y * m).abs();
            spread += y.abs() * value.rad();
        }
        p.b[i] = Interval::around(s, (spread + gamma * size) * (1.0 + gamma) + TINY);
    }
    Some(p)
}

/// Whether some row's mean-value enclosure over the box excludes zero.
pub(crate) fn excluded<const N: usize>(x: &[Interval; N], rows: &Rows<N>) -> bool {
    let rad: [f64; N] = std::array::from_fn(|k| x[k].rad());
    (0..N).any(|i| {
        let mut s = 0.0;
        for (j, rad) in rad.iter().enumerate() {
            s += (rows.mid[i][j].abs() + rows.rad[i][j]) * rad;
        }
        let s = s * (1.0 + (N as f64 + 3.0) * ROUND) + TINY;
        rows.value[i].lo > s || rows.value[i].hi < -s
    })
}

/// One Hansen-Sengupta step: intersects `x` with the Gauss-Seidel images of the preconditioned system.
pub(crate) fn hansen_sengupta<const N: usize>(x: &mut [Interval; N], rows: &Rows<N>) -> Shown {
    if !rows.is_finite() {
        return Shown::Nothing;
    }
    let Some(p) = precondition(rows) else { return Shown::Nothing };
    let mid = middle(x);
    let mut strict = true;
    for k in 0..N {
        let pivot = Interval { lo: down(p.a[k][k] - p.r[k][k]), hi: up(p.a[k][k] + p.r[k][k]) };
        if pivot.lo <= 0.0 && pivot.hi >= 0.0 {
            strict = false;
            continue;
        }
        let mut s = p.b[k];
        for j in 0..N {
            if j != k {
                let (a, r) = (p.a[k][j], p.r[k][j]);
                let shift = x[j] - Interval::point(mid[j]);
                s = s + Interval { lo: down(a - r), hi: up(a + r) } * shift;
            }
        }
        let image = Interval::point(mid[k]) - s / pivot;
        strict &= image.strictly_inside(x[k]);
        match image.intersect(x[k]) {
            Some(cut) => x[k] = cut,
            None => return Shown::Empty,
        }
    }
    if strict { Shown::Unique } else { Shown::Nothing }
}

/// The Krawczyk image of the box `z`, or `None` when the preconditioner fails.
pub(crate) fn krawczyk<const N: usize>(z: &[Interval; N], rows: &Rows<N>) -> Option<[Interval; N]> {
    if !rows.is_finite() {
        return None;
    }
    let p = precondition(rows)?;
    let mid = middle(z);
    let rad: [f64; N] = std::array::from_fn(|k| z[k].rad());
    let gamma = (N as f64 + 3.0) * ROUND;
    Some(std::array::from_fn(|k| {
        let mut s = 0.0;
        for (j, rad) in rad.iter().enumerate() {
            let identity = if j == k { 1.0 } else { 0.0 };
            s += ((identity - p.a[k][j]).abs() * (1.0 + ROUND) + p.r[k][j]) * rad;
        }
        let s = s * (1.0 + gamma) + TINY;
        Interval::point(mid[k]) - p.b[k] + Interval { lo: -s, hi: s }
    }))
}

/// The box somewhat larger than `x` on which the inflated test works.
pub(crate) fn inflate<const N: usize>(x: &[Interval; N]) -> [Interval; N] {
    let w = widest(x);
    std::array::from_fn(|k| {
        Interval::around(x[k].mid(), INFLATE_RADIUS * x[k].rad() + INFLATE_WIDTH * w + INFLATE_FLOOR)
    })
}

/// A box that holds exactly one root and is being shrunk around that root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refinement<const N: usize> {
    pub(crate) unique: [Interval; N],
    pub(crate) tight: [Interval; N],
    /// The widest side before the last step.
    before: f64,
    steps: usize,
}

impl<const N: usize> Refinement<N> {
    pub(crate) fn new(unique: &[Interval; N]) -> Self {
        Self { unique: *unique, tight: *unique, before: f64::INFINITY, steps: 0 }
    }

    /// Takes a step by the rows over the tight box; whether there is nothing more to gain.
    pub(crate) fn is_done(&mut self, rows: &Rows<N>) -> bool {
        let width = widest(&self.tight);
        let settled = width > REFINE_GAIN * self.before && width < REFINE_WIDTH;
        if settled || self.steps == REFINE_STEPS {
            return true;
        }
        let mut next = self.tight;
        if let Shown::Empty = hansen_sengupta(&mut next, rows) {
            // Impossible for a box with a root; keep the enclosure rather than lose the root.
            return true;
        }
        (self.tight, self.before, self.steps) = (next, width, self.steps + 1);
        false
    }
}
