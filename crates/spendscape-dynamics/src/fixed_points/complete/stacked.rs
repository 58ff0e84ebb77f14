//! Stacked layers: each layer's points are listed under each certified point of the layer below.
//!
//! The lower point is known within about `1e-13`; the upper search runs with that interval as its input, so what it
//! proves holds for the exact lower point. The products of unique boxes are unique boxes of the whole stack.

use super::{Complete, FixedPointList, Outcome, Raw, RawRoot, SearchParams, finish, lstm_raw};
use crate::interval::Interval;
use crate::map::{LstmMap, Map, StackedMap};

impl Complete for StackedMap<'_> {
    fn fixed_points(&self, params: &SearchParams) -> FixedPointList {
        finish(self, self.raw(params))
    }
}

impl StackedMap<'_> {
    /// The whole stack's roots, with each state in the order `(h_1, c_1, h_2, c_2, ..)`.
    fn raw(&self, params: &SearchParams) -> Option<Raw> {
        let seed = RawRoot { tight: Vec::new(), unique: Vec::new(), cells: Vec::new(), sign: 1 };
        let mut all = Raw { roots: vec![seed], undecided: Vec::new(), outcome: Outcome::Complete, boxes: 0 };
        for (l, layer) in self.layers.iter().enumerate() {
            let mut next = Vec::new();
            for root in &all.roots {
                let under = if l > 0 { self.layers[l - 1].units() } else { 0 };
                let at = root.tight.len() - 2 * under;
                let raw = lstm_raw(&fed(layer, &root.tight[at..at + under]), params)?;
                all.boxes += raw.boxes;
                all.outcome = worse(all.outcome, raw.outcome);
                for cover in raw.undecided {
                    all.undecided.push([root.tight.as_slice(), &cover].concat());
                }
                next.extend(raw.roots.iter().map(|r| RawRoot {
                    tight: [root.tight.as_slice(), &r.tight, &r.cells].concat(),
                    unique:
                        [root.unique.as_slice(), &r.unique, &vec![Interval::ENTIRE; r.cells.len()]].concat(),
                    cells: Vec::new(),
                    sign: root.sign * r.sign,
                }));
            }
            all.roots = next;
        }
        Some(all)
    }
}

/// The layer's own map with the hidden state below it as a constant interval input.
fn fed<'a>(layer: &LstmMap<'a>, below: &[Interval]) -> LstmMap<'a> {
    let mut fed = layer.clone();
    for (row, z) in fed.z0.iter_mut().enumerate() {
        for (j, v) in below.iter().enumerate() {
            *z = *z + v.scale(layer.cell.affine.w_x[[row, j]]);
        }
    }
    debug_assert_eq!(fed.dim(), layer.dim());
    fed
}

/// The weaker of two outcomes.
fn worse(a: Outcome, b: Outcome) -> Outcome {
    let rank = |o| match o {
        Outcome::Complete => 0,
        Outcome::Undecided => 1,
        Outcome::Exhausted => 2,
        Outcome::NotProved => 3,
    };
    if rank(b) > rank(a) { b } else { a }
}
