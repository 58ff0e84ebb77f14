//! Branch and bound over boxes: every root in `[-1, 1]^N`, each proved unique in its box, and no others.

use super::boxes::{
    Shown, excluded, hansen_sengupta, inflate, inside, krawczyk, meet, middle, refine, widest,
};
use super::{Outcome, Reduced};
use crate::dense::det_sign;
use crate::interval::Interval;

/// Passes over one box while its volume halves; further passes cost more than splitting.
const PASSES: usize = 3;
/// A pass must shrink the volume below this share to be worth another.
const VOLUME_GAIN: f64 = 0.5;
/// Boxes narrower than this are tried with the inflated test, which also sees roots on a box's border.
const INFLATE_BELOW: f64 = 0.5;
/// Boxes are not split at the middle: symmetric nets have roots at zero, and would put them on borders for ever.
const SPLIT_AT: f64 = 0.4873;
/// Only sides at least this share of the widest may be split: without it, diagonal systems loop on one side.
const SPLIT_GUARD: f64 = 0.25;
/// Below this width a box is decided by Newton and Krawczyk around the limit, or declared undecided.
const WIDTH_MIN: f64 = 1e-7;
/// Newton steps at a box below the least width.
const NEWTON_STEPS: usize = 20;
/// Inflations of the last test around Newton's limit.
const LAST_INFLATIONS: usize = 8;
/// Growth of each side relative to the last image.
const LAST_GROWTH: f64 = 1.25;
/// Absolute growth of each side, near the rounding level of a hidden state.
const LAST_FLOOR: f64 = 1e-16;

/// A certified root of a reduced system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Root<const N: usize> {
    /// A tight enclosure.
    pub(crate) tight: [Interval; N],
    /// A box proved to hold this root and no other.
    pub(crate) unique: [Interval; N],
    /// The sign of the determinant of the reduced Jacobian.
    pub(crate) sign: i32,
}

/// A search with its reusable memory.
#[derive(Debug, Default)]
pub(crate) struct Search<const N: usize> {
    stack: Vec<[Interval; N]>,
    pub(crate) roots: Vec<Root<N>>,
    pub(crate) undecided: Vec<[Interval; N]>,
    pub(crate) boxes: usize,
}

impl<const N: usize> Search<N> {
    pub(crate) fn new() -> Self {
        Self { stack: Vec::new(), roots: Vec::new(), undecided: Vec::new(), boxes: 0 }
    }

    /// Lists every root of `system`; at most `cap` boxes are examined.
    pub(crate) fn run(&mut self, system: &impl Reduced<N>, cap: usize) -> Outcome {
        self.stack.clear();
        self.roots.clear();
        self.undecided.clear();
        self.boxes = 0;
        self.stack.push([Interval { lo: -1.0, hi: 1.0 }; N]);
        while let Some(x) = self.stack.pop() {
            if self.roots.iter().any(|r| inside(&x, &r.unique)) {
                continue;
            }
            if self.boxes >= cap {
                // The cover: what is left, this box included.
                self.undecided.push(x);
                self.undecided.append(&mut self.stack);
                return Outcome::Exhausted;
            }
            self.boxes += 1;
            self.examine(system, x);
        }
        if self.undecided.is_empty() { Outcome::Complete } else { Outcome::Undecided }
    }

    fn examine(&mut self, system: &impl Reduced<N>, mut x: [Interval; N]) {
        let mut smear = [0.0; N];
        for _ in 0..PASSES {
            let before = volume(&x);
            if !system.contract(&mut x) {
                return;
            }
            let rows = system.rows(&x, &middle(&x));
            if excluded(&x, &rows) {
                return;
            }
            let whole = x;
            match hansen_sengupta(&mut x, &rows) {
                Shown::Empty => return,
                Shown::Unique => return self.record(system, &whole),
                Shown::Nothing => {}
            }
            for (j, smear) in smear.iter_mut().enumerate() {
                *smear = (0..N).fold(0.0, |m: f64, i| m.max(rows.mid[i][j].abs() + rows.rad[i][j]));
            }
            if volume(&x) > VOLUME_GAIN * before {
                break;
            }
        }
        let w = widest(&x);
        if w < INFLATE_BELOW {
            let z = inflate(&x);
            let rows = system.rows(&z, &middle(&z));
            if let Some(image) = krawczyk(&z, &rows) {
                if (0..N).all(|k| image[k].strictly_inside(z[k])) {
                    return self.record(system, &z);
                }
                if !meet(&image, &x) {
                    return;
                }
            }
        }
        if w < WIDTH_MIN {
            return self.last_resort(system, &x);
        }
        self.split(&x, &smear, w);
    }

    /// Splits the side along which the system varies most; the half nearer the origin is examined first.
    fn split(&mut self, x: &[Interval; N], smear: &[f64; N], w: f64) {
        let mut side = 0;
        let mut best = f64::NEG_INFINITY;
        for k in 0..N {
            let width = x[k].width();
            let score = if smear[k].is_finite() { smear[k] * width } else { width };
            if width >= SPLIT_GUARD * w && score > best {
                (side, best) = (k, score);
            }
        }
        let at = x[side].lo + SPLIT_AT * x[side].width();
        let (mut left, mut right) = (*x, *x);
        left[side].hi = at;
        right[side].lo = at;
        self.stack.push(left);
        self.stack.push(right);
    }

    /// A box below the least width: Newton from its middle, then Krawczyk on boxes that hold both it and the limit.
    fn last_resort(&mut self, system: &impl Reduced<N>, x: &[Interval; N]) {
        let mut at = middle(x);
        for _ in 0..NEWTON_STEPS {
            let thin: [Interval; N] = std::array::from_fn(|k| Interval::point(at[k]));
            let rows = system.rows(&thin, &at);
            let Some(y) = crate::dense::invert(&rows.mid) else { break };
            let step: [f64; N] =
                std::array::from_fn(|i| (0..N).map(|j| y[i][j] * rows.value[j].mid()).sum::<f64>());
            if !step.iter().all(|s| s.is_finite()) {
                break;
            }
            for k in 0..N {
                at[k] = (at[k] - step[k]).clamp(-1.0, 1.0);
            }
        }
        let mut z: [Interval; N] = inflate(&std::array::from_fn(|k| x[k].hull(Interval::point(at[k]))));
        for _ in 0..LAST_INFLATIONS {
            let rows = system.rows(&z, &middle(&z));
            let Some(image) = krawczyk(&z, &rows) else { break };
            if (0..N).all(|k| image[k].strictly_inside(z[k])) {
                return self.record(system, &z);
            }
            // Epsilon inflation: the image shows how wide each side has to be relative to the others.
            z = std::array::from_fn(|k| {
                let radius = LAST_GROWTH * image[k].rad() + LAST_FLOOR;
                Interval::around(image[k].mid(), radius).hull(x[k])
            });
        }
        self.undecided.push(*x);
    }

    /// Adds the one root of `unique` unless it is known.
    fn record(&mut self, system: &impl Reduced<N>, unique: &[Interval; N]) {
        let (tight, rows) = refine(system, unique);
        for known in &self.roots {
            if inside(&tight, &known.unique) || inside(&known.tight, unique) {
                return;
            }
        }
        if self.roots.iter().any(|known| meet(&tight, &known.tight)) {
            // Two roots or one, the boxes cannot say.
            self.undecided.push(tight);
            return;
        }
        self.roots.push(Root { tight, unique: *unique, sign: det_sign(&rows.mid) });
    }
}

fn volume<const N: usize>(x: &[Interval; N]) -> f64 {
    x.iter().map(|v| v.width()).product()
}
