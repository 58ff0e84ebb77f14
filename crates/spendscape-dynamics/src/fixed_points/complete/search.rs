//! Branch and bound over boxes: every root in `[-1, 1]^N`, each proved unique in its box, and no others.

use spendscape_linalg::small::{determinant_sign, inverse};

use super::boxes::{
    Refinement, Rows, Shown, excluded, hansen_sengupta, inflate, inside, krawczyk, meet, middle, widest,
};
use super::{Outcome, Reduced};
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
/// Boxes and roots that there is room for from the beginning: a search rarely needs more.
const ROOM: (usize, usize) = (64, 8);

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

/// A box on its way through the passes.
#[derive(Debug, Clone, Copy)]
struct Pass<const N: usize> {
    x: [Interval; N],
    /// Volume before the pass, and passes done.
    before: f64,
    done: usize,
    /// How much the system varies along each side.
    smear: [f64; N],
}

/// The answer that a search waits for.
#[derive(Debug, Clone, Copy)]
enum Stage<const N: usize> {
    /// Nothing: the next box of the stack is due.
    Next,
    Contract(Pass<N>),
    Rows(Pass<N>),
    /// The rows over the inflated box.
    Inflated(Pass<N>, [Interval; N]),
    Refine(Refinement<N>),
    Over(Outcome),
}

/// The question of a search to its system about a box.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Question<const N: usize> {
    /// [`Reduced::contract`].
    Contract([Interval; N]),
    /// [`Reduced::rows`] around the box's middle.
    Rows([Interval; N]),
}

/// A search with its reusable memory. It asks one question after the other, so that several searches can be answered at once.
#[derive(Debug)]
pub(crate) struct Search<const N: usize> {
    stack: Vec<[Interval; N]>,
    pub(crate) roots: Vec<Root<N>>,
    pub(crate) undecided: Vec<[Interval; N]>,
    pub(crate) boxes: usize,
    cap: usize,
    stage: Stage<N>,
}

impl<const N: usize> Search<N> {
    pub(crate) fn new() -> Self {
        Self {
            stack: Vec::with_capacity(ROOM.0),
            roots: Vec::with_capacity(ROOM.1),
            undecided: Vec::new(),
            boxes: 0,
            cap: 0,
            stage: Stage::Over(Outcome::Exhausted),
        }
    }

    /// Lists every root of `system`; at most `cap` boxes are examined.
    pub(crate) fn run(&mut self, system: &impl Reduced<N>, cap: usize) -> Outcome {
        self.begin(cap);
        loop {
            match self.question() {
                Ok(Question::Contract(mut x)) => {
                    let left = system.contract(&mut x);
                    self.contracted(&x, left);
                }
                Ok(Question::Rows(x)) => self.evaluated(system, &system.rows(&x, &middle(&x))),
                Err(outcome) => return outcome,
            }
        }
    }

    /// Begins with all of `[-1, 1]^N`.
    pub(crate) fn begin(&mut self, cap: usize) {
        self.stack.clear();
        self.roots.clear();
        self.undecided.clear();
        (self.boxes, self.cap, self.stage) = (0, cap, Stage::Next);
        self.stack.push([Interval { lo: -1.0, hi: 1.0 }; N]);
    }

    /// The open question, or how the search has ended.
    pub(crate) fn question(&mut self) -> Result<Question<N>, Outcome> {
        if let Stage::Next = self.stage {
            self.stage = self.next();
        }
        match self.stage {
            Stage::Contract(Pass { x, .. }) => Ok(Question::Contract(x)),
            Stage::Rows(Pass { x, .. }) => Ok(Question::Rows(x)),
            Stage::Inflated(_, z) => Ok(Question::Rows(z)),
            Stage::Refine(Refinement { tight, .. }) => Ok(Question::Rows(tight)),
            Stage::Next => Err(Outcome::Exhausted),
            Stage::Over(outcome) => Err(outcome),
        }
    }

    /// Takes the next box of the stack.
    fn next(&mut self) -> Stage<N> {
        while let Some(x) = self.stack.pop() {
            if self.roots.iter().any(|r| inside(&x, &r.unique)) {
                continue;
            }
            if self.boxes >= self.cap {
                // The cover: what is left, this box included.
                self.undecided.push(x);
                self.undecided.append(&mut self.stack);
                return Stage::Over(Outcome::Exhausted);
            }
            self.boxes += 1;
            return Stage::Contract(Pass { x, before: volume(&x), done: 0, smear: [0.0; N] });
        }
        Stage::Over(if self.undecided.is_empty() { Outcome::Complete } else { Outcome::Undecided })
    }

    /// Takes the answer to [`Question::Contract`].
    pub(crate) fn contracted(&mut self, x: &[Interval; N], left: bool) {
        if let Stage::Contract(pass) = self.stage {
            self.stage = if left { Stage::Rows(Pass { x: *x, ..pass }) } else { Stage::Next };
        }
    }

    /// Takes the answer to [`Question::Rows`].
    pub(crate) fn evaluated(&mut self, system: &impl Reduced<N>, rows: &Rows<N>) {
        match std::mem::replace(&mut self.stage, Stage::Next) {
            Stage::Rows(pass) => self.stage = self.pass(system, pass, rows),
            Stage::Inflated(pass, z) => {
                if let Some(image) = krawczyk(&z, rows) {
                    if (0..N).all(|k| image[k].strictly_inside(z[k])) {
                        self.stage = Stage::Refine(Refinement::new(&z));
                        return;
                    }
                    if !meet(&image, &pass.x) {
                        return;
                    }
                }
                self.stage = self.passed(system, &pass);
            }
            Stage::Refine(mut refinement) => {
                if refinement.is_done(rows) {
                    self.record(&refinement, rows);
                } else {
                    self.stage = Stage::Refine(refinement);
                }
            }
            other => self.stage = other,
        }
    }

    fn pass(&mut self, system: &impl Reduced<N>, mut pass: Pass<N>, rows: &Rows<N>) -> Stage<N> {
        if excluded(&pass.x, rows) {
            return Stage::Next;
        }
        let whole = pass.x;
        match hansen_sengupta(&mut pass.x, rows) {
            Shown::Empty => return Stage::Next,
            Shown::Unique => return Stage::Refine(Refinement::new(&whole)),
            Shown::Nothing => {}
        }
        for (j, smear) in pass.smear.iter_mut().enumerate() {
            *smear = (0..N).fold(0.0, |m: f64, i| m.max(rows.mid[i][j].abs() + rows.rad[i][j]));
        }
        pass.done += 1;
        let left = volume(&pass.x);
        if pass.done < PASSES && left <= VOLUME_GAIN * pass.before {
            pass.before = left;
            return Stage::Contract(pass);
        }
        if widest(&pass.x) < INFLATE_BELOW {
            return Stage::Inflated(pass, inflate(&pass.x));
        }
        self.passed(system, &pass)
    }

    /// Boxes that the passes have not decided are split.
    fn passed(&mut self, system: &impl Reduced<N>, Pass { x, smear, .. }: &Pass<N>) -> Stage<N> {
        let w = widest(x);
        if w < WIDTH_MIN {
            return self.last_resort(system, x);
        }
        self.split(x, smear, w);
        Stage::Next
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
    fn last_resort(&mut self, system: &impl Reduced<N>, x: &[Interval; N]) -> Stage<N> {
        let mut at = middle(x);
        for _ in 0..NEWTON_STEPS {
            let thin: [Interval; N] = std::array::from_fn(|k| Interval::point(at[k]));
            let rows = system.rows(&thin, &at);
            let Some(y) = inverse(&rows.mid) else { break };
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
                return Stage::Refine(Refinement::new(&z));
            }
            // Epsilon inflation: the image shows how wide each side has to be relative to the others.
            z = std::array::from_fn(|k| {
                let radius = LAST_GROWTH * image[k].rad() + LAST_FLOOR;
                Interval::around(image[k].mid(), radius).hull(x[k])
            });
        }
        self.undecided.push(*x);
        Stage::Next
    }

    /// Adds the one root of a box, which has been refined to the last `rows`, unless it is known.
    fn record(&mut self, &Refinement { unique, tight, .. }: &Refinement<N>, rows: &Rows<N>) {
        for known in &self.roots {
            if inside(&tight, &known.unique) || inside(&known.tight, &unique) {
                return;
            }
        }
        if self.roots.iter().any(|known| meet(&tight, &known.tight)) {
            // Two roots or one, the boxes cannot say.
            self.undecided.push(tight);
            return;
        }
        let mut jacobian = rows.mid;
        self.roots.push(Root { tight, unique, sign: determinant_sign(N, jacobian.as_flattened_mut()) });
    }
}

fn volume<const N: usize>(x: &[Interval; N]) -> f64 {
    x.iter().map(|v| v.width()).product()
}
