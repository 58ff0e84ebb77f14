//! Searches of several LSTMs with the same recurrent weights at once: boxes of different searches share vectors, which
//! changes no bit of any of them.

use super::Outcome;
use super::boxes::{Rows, middle};
use super::lstm::{LstmReduced, Recurrent, step};
use super::search::{Question, Root, Search};
use crate::interval::Interval;

/// Searches that are under way at a time: enough that questions of one kind mostly fill a vector.
const UNDER_WAY: usize = 8;
/// Roots per system that there is room for from the beginning.
const ROOM: usize = 4;

/// The result of one system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    pub(crate) boxes: usize,
    /// Where its roots and its undecided boxes begin, and their numbers.
    roots: (usize, usize),
    undecided: (usize, usize),
}

/// A search that has not ended.
const END: End = End { outcome: Outcome::Exhausted, boxes: 0, roots: (0, 0), undecided: (0, 0) };

/// Searches and what they have found.
#[derive(Debug)]
pub(crate) struct Batch<const N: usize> {
    searches: Vec<Search<N>>,
    /// The system of each search.
    systems: Vec<usize>,
    /// Searches that wait for a contraction, and for rows, with the box in question.
    waiting: [Vec<(usize, [Interval; N])>; 2],
    ends: Vec<End>,
    roots: Vec<Root<N>>,
    undecided: Vec<[Interval; N]>,
}

impl<const N: usize> Batch<N> {
    /// With room for so many systems.
    pub(crate) fn new(systems: usize) -> Self {
        Self {
            searches: (0..UNDER_WAY).map(|_| Search::new()).collect(),
            systems: vec![0; UNDER_WAY],
            waiting: std::array::from_fn(|_| Vec::with_capacity(UNDER_WAY)),
            ends: Vec::with_capacity(systems),
            roots: Vec::with_capacity(ROOM * systems),
            undecided: Vec::new(),
        }
    }

    /// How the search of a system ended.
    pub(crate) fn end(&self, system: usize) -> End {
        self.ends[system]
    }

    /// Its roots.
    pub(crate) fn roots(&self, system: usize) -> &[Root<N>] {
        let (first, count) = self.ends[system].roots;
        &self.roots[first..first + count]
    }

    /// Its undecided boxes.
    pub(crate) fn undecided(&self, system: usize) -> &[[Interval; N]] {
        let (first, count) = self.ends[system].undecided;
        &self.undecided[first..first + count]
    }

    /// Searches all systems; at most `cap` boxes are examined of each.
    pub(crate) fn run(&mut self, systems: &[LstmReduced<'_, N>], cap: usize) {
        self.ends.clear();
        self.ends.resize(systems.len(), END);
        self.roots.clear();
        self.undecided.clear();
        #[cfg(target_arch = "x86_64")]
        if let Some(v3) = pulp::x86::V3::try_new() {
            self.run_by_four(v3, systems, cap);
            return;
        }
        for (at, system) in systems.iter().enumerate() {
            let outcome = self.searches[0].run(system, cap);
            self.finish(0, at, outcome);
        }
    }

    /// Takes over what a search has found of a system.
    fn finish(&mut self, search: usize, system: usize, outcome: Outcome) {
        let search = &self.searches[search];
        self.ends[system] = End {
            outcome,
            boxes: search.boxes,
            roots: (self.roots.len(), search.roots.len()),
            undecided: (self.undecided.len(), search.undecided.len()),
        };
        self.roots.extend_from_slice(&search.roots);
        self.undecided.extend_from_slice(&search.undecided);
    }
}

/// The hidden and cell states of several customers after so many steps from zero.
pub(crate) fn roll_out<const N: usize>(
    mids: &[[[f64; N]; 4]],
    w: &Recurrent<N>,
    steps: usize,
    ends: &mut Vec<[[f64; N]; 2]>,
) {
    ends.clear();
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = pulp::x86::V3::try_new() {
        for mids in mids.chunks(four::LANES) {
            let states = pulp::Simd::vectorize(v3, four::RollOut { v3, mids, w, steps });
            ends.extend_from_slice(&states[..mids.len()]);
        }
        return;
    }
    for mid in mids {
        let (mut h, mut c) = ([0.0; N], [0.0; N]);
        (0..steps).for_each(|_| step(mid, w, &mut h, &mut c));
        ends.push([h, c]);
    }
}

#[cfg(target_arch = "x86_64")]
mod four {
    use pulp::{Simd, WithSimd, x86::V3};

    use super::*;
    use crate::interval::Four;

    pub(super) const LANES: usize = 4;
    /// Kinds of questions.
    const CONTRACT: usize = 0;
    const ROWS: usize = 1;

    impl<const N: usize> Batch<N> {
        pub(super) fn run_by_four(&mut self, v3: V3, systems: &[LstmReduced<'_, N>], cap: usize) {
            let (mut due, under_way) = (0, UNDER_WAY.min(systems.len()));
            for search in 0..under_way {
                self.begin(search, &mut due, cap);
            }
            for search in 0..under_way {
                self.go_on(search, systems.len(), &mut due, cap);
            }
            loop {
                let kind = usize::from(self.waiting[ROWS].len() > self.waiting[CONTRACT].len());
                let count = self.waiting[kind].len().min(LANES);
                if count == 0 {
                    return;
                }
                // Missing lanes repeat the first one.
                let first = self.waiting[kind].len() - count;
                let asked: [(usize, [Interval; N]); LANES] = std::array::from_fn(|lane| {
                    self.waiting[kind][first + if lane < count { lane } else { 0 }]
                });
                self.waiting[kind].truncate(first);
                let of = asked.map(|(search, _)| &systems[self.systems[search]]);
                let boxes = asked.map(|(_, x)| x);
                if kind == CONTRACT {
                    let (boxes, left) = Simd::vectorize(v3, Contract { v3, of, boxes });
                    for lane in 0..count {
                        self.searches[asked[lane].0].contracted(&boxes[lane], left[lane]);
                    }
                } else {
                    let rows = Simd::vectorize(v3, Evaluate { v3, of, boxes });
                    for lane in 0..count {
                        self.searches[asked[lane].0].evaluated(of[lane], &rows[lane]);
                    }
                }
                for (search, _) in &asked[..count] {
                    self.go_on(*search, systems.len(), &mut due, cap);
                }
            }
        }

        /// Lets a search ask its next question, or begin with the system that is due, if there is one.
        fn go_on(&mut self, search: usize, systems: usize, due: &mut usize, cap: usize) {
            loop {
                match self.searches[search].question() {
                    Ok(Question::Contract(x)) => return self.waiting[CONTRACT].push((search, x)),
                    Ok(Question::Rows(x)) => return self.waiting[ROWS].push((search, x)),
                    Err(outcome) => self.finish(search, self.systems[search], outcome),
                }
                if *due == systems {
                    return;
                }
                self.begin(search, due, cap);
            }
        }

        /// Begins with the system that is due.
        fn begin(&mut self, search: usize, due: &mut usize, cap: usize) {
            self.systems[search] = *due;
            *due += 1;
            self.searches[search].begin(cap);
        }
    }

    // Loops: closures would not take over the instructions of vectors.

    #[inline(always)]
    fn side_by_side(v3: V3, of: [Interval; LANES]) -> Interval<Four> {
        let [a, b, c, d] = of;
        Interval { lo: Four::new(v3, [a.lo, b.lo, c.lo, d.lo]), hi: Four::new(v3, [a.hi, b.hi, c.hi, d.hi]) }
    }

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "several arrays of one shape are indexed")]
    fn joined<'a, const N: usize>(v3: V3, of: [&LstmReduced<'a, N>; LANES]) -> LstmReduced<'a, N, Four> {
        let [a, b, c, d] = of;
        let mut z0 = [[side_by_side(v3, [Interval::ZERO; LANES]); N]; 4];
        for q in 0..4 {
            for k in 0..N {
                z0[q][k] = side_by_side(v3, [a.z0[q][k], b.z0[q][k], c.z0[q][k], d.z0[q][k]]);
            }
        }
        LstmReduced { z0, w: a.w }
    }

    #[inline(always)]
    fn boxes_of<const N: usize>(v3: V3, boxes: &[[Interval; N]; LANES]) -> [Interval<Four>; N] {
        let mut x = [side_by_side(v3, [Interval::ZERO; LANES]); N];
        for k in 0..N {
            x[k] = side_by_side(v3, [boxes[0][k], boxes[1][k], boxes[2][k], boxes[3][k]]);
        }
        x
    }

    /// [`Reduced::contract`] of four systems.
    struct Contract<'a, const N: usize> {
        v3: V3,
        of: [&'a LstmReduced<'a, N>; LANES],
        boxes: [[Interval; N]; LANES],
    }

    impl<const N: usize> WithSimd for Contract<'_, N> {
        type Output = ([[Interval; N]; LANES], [bool; LANES]);

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> Self::Output {
            let mut x = boxes_of(self.v3, &self.boxes);
            let left = joined(self.v3, self.of).contract_all(&mut x);
            let mut boxes = self.boxes;
            for k in 0..N {
                let (lo, hi) = (x[k].lo.numbers(), x[k].hi.numbers());
                for lane in 0..LANES {
                    boxes[lane][k] = Interval { lo: lo[lane], hi: hi[lane] };
                }
            }
            (boxes, Four::set(left))
        }
    }

    /// [`Reduced::rows`] of four systems around the boxes' middles.
    struct Evaluate<'a, const N: usize> {
        v3: V3,
        of: [&'a LstmReduced<'a, N>; LANES],
        boxes: [[Interval; N]; LANES],
    }

    impl<const N: usize> WithSimd for Evaluate<'_, N> {
        type Output = [Rows<N>; LANES];

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> Self::Output {
            let x = boxes_of(self.v3, &self.boxes);
            let all = joined(self.v3, self.of).rows_of_all(&x, &middle(&x));
            let mut rows = [Rows::ZERO; LANES];
            for k in 0..N {
                let (lo, hi) = (all.value[k].lo.numbers(), all.value[k].hi.numbers());
                for lane in 0..LANES {
                    rows[lane].value[k] = Interval { lo: lo[lane], hi: hi[lane] };
                }
                for j in 0..N {
                    let (mid, rad) = (all.mid[k][j].numbers(), all.rad[k][j].numbers());
                    for lane in 0..LANES {
                        (rows[lane].mid[k][j], rows[lane].rad[k][j]) = (mid[lane], rad[lane]);
                    }
                }
            }
            rows
        }
    }

    /// Roll-outs of up to four customers from zero; missing ones repeat the last.
    pub(super) struct RollOut<'a, const N: usize> {
        pub(super) v3: V3,
        pub(super) mids: &'a [[[f64; N]; 4]],
        pub(super) w: &'a Recurrent<N>,
        pub(super) steps: usize,
    }

    impl<const N: usize> WithSimd for RollOut<'_, N> {
        type Output = [[[f64; N]; 2]; LANES];

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> Self::Output {
            let last = self.mids.len() - 1;
            let [a, b, c, d] = [0, 1, 2, 3].map(|lane: usize| &self.mids[lane.min(last)]);
            let mut mid = [[Four::new(self.v3, [0.0; LANES]); N]; 4];
            for q in 0..4 {
                for k in 0..N {
                    mid[q][k] = Four::new(self.v3, [a[q][k], b[q][k], c[q][k], d[q][k]]);
                }
            }
            let zero = Four::new(self.v3, [0.0; LANES]);
            let (mut h, mut c) = ([zero; N], [zero; N]);
            for _ in 0..self.steps {
                step(&mid, self.w, &mut h, &mut c);
            }
            let mut states = [[[0.0; N]; 2]; LANES];
            for k in 0..N {
                let (h, c) = (h[k].numbers(), c[k].numbers());
                for lane in 0..LANES {
                    (states[lane][0][k], states[lane][1][k]) = (h[lane], c[lane]);
                }
            }
            states
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    const N: usize = 3;
    const CAP: usize = 20_000;

    /// Pre-activations of an ordinary size, and now and then so large that gates are closed or open to rounding.
    fn preactivations(rng: &mut Xoshiro256PlusPlus) -> [[Interval; N]; 4] {
        let size = [4.0, 4.0, 4.0, 50.0, 900.0][rng.random_range(0..5)];
        let mut drawn = || Interval::point(size * (2.0 * rng.random::<f64>() - 1.0));
        std::array::from_fn(|_| std::array::from_fn(|_| drawn()))
    }

    #[test]
    fn what_is_found_side_by_side_is_what_is_found_alone() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(7);
        for width in [1.0, 4.0, 12.0] {
            let mut drawn = || width * (2.0 * rng.random::<f64>() - 1.0);
            let mut w: Recurrent<N> = [[[0.0; N]; N]; 4];
            w.as_flattened_mut().as_flattened_mut().iter_mut().for_each(|w| *w = drawn());
            w[2][0][1] = 0.0;
            let systems: Vec<LstmReduced<'_, N>> =
                (0..60).map(|_| LstmReduced { z0: preactivations(rng), w: &w }).collect();
            for cap in [0, 3, CAP] {
                let mut batch = Batch::new(systems.len());
                batch.run(&systems, cap);
                let mut alone = Search::new();
                for (at, system) in systems.iter().enumerate() {
                    let outcome = alone.run(system, cap);
                    let end = batch.end(at);
                    assert_eq!(
                        (end.outcome, end.boxes),
                        (outcome, alone.boxes),
                        "system {at} of width {width}"
                    );
                    let said = |roots: &[Root<N>]| format!("{roots:?}");
                    assert_eq!(said(batch.roots(at)), said(&alone.roots), "system {at} of width {width}");
                    assert_eq!(batch.undecided(at), alone.undecided, "system {at} of width {width}");
                }
            }
            let mids: Vec<[[f64; N]; 4]> =
                systems.iter().map(|system| system.z0.map(|gate| gate.map(Interval::mid))).collect();
            let mut ends = Vec::new();
            roll_out(&mids[..59], &w, 30, &mut ends);
            assert_eq!(ends.len(), 59);
            for (mid, end) in mids.iter().zip(&ends) {
                let (mut h, mut c) = ([0.0; N], [0.0; N]);
                (0..30).for_each(|_| step(mid, &w, &mut h, &mut c));
                assert_eq!([h, c], *end);
            }
        }
    }
}
