//! Where k-means starts: greedy k-means++.

use rand::{Rng, RngExt};

use crate::blocks::{Blocks, LANES, squared_distances};

/// Blocks that every candidate is tried on before the next ones are read: they stay in the first-level cache.
const CACHED_BLOCKS: usize = 32;

/// Greedy k-means++: every new center is the best of `2 + ln k` candidates drawn with probability proportional to the
/// squared distance from the centers chosen so far (Arthur and Vassilvitskii 2007, section 5).
pub(super) fn plus_plus<R: Rng + ?Sized>(points: &Blocks, clusters: usize, rng: &mut R) -> Vec<f64> {
    let dim = points.dim();
    let trials = 2 + (clusters as f64).ln() as usize;
    let mut centers = vec![0.0; clusters * dim];
    points.copy_point(rng.random_range(0..points.len()), &mut centers[..dim]);
    let arch = pulp::Arch::new();
    let mut nearest = vec![f64::INFINITY; points.len()];
    let mut total = arch.dispatch(Lower { points, center: &centers[..dim], nearest: &mut nearest });
    let mut candidates = vec![0.0; trials * dim];
    for c in 1..clusters {
        let targets: Vec<f64> = (0..trials).map(|_| rng.random::<f64>() * total).collect();
        for (drawn, candidate) in draw(&nearest, &targets).into_iter().zip(candidates.chunks_exact_mut(dim)) {
            points.copy_point(drawn, candidate);
        }
        let totals = arch.dispatch(Try { points, candidates: &candidates, nearest: &nearest });
        let best = totals
            .iter()
            .enumerate()
            .fold(0, |best, (at, total)| if *total < totals[best] { at } else { best });
        let center = &mut centers[c * dim..(c + 1) * dim];
        center.copy_from_slice(&candidates[best * dim..(best + 1) * dim]);
        total = arch.dispatch(Lower { points, center, nearest: &mut nearest });
    }
    centers
}

/// The sum that [`Lower`] would return for each candidate, in its order of operations.
struct Try<'a> {
    points: &'a Blocks,
    candidates: &'a [f64],
    nearest: &'a [f64],
}

impl pulp::WithSimd for Try<'_> {
    type Output = Vec<f64>;

    /// The instructions of the CPU are used through what the compiler makes of the loops, in the same order of operations.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> Vec<f64> {
        match self.points.dim() {
            3 => self.run(3),
            5 => self.run(5),
            dim => self.run(dim),
        }
    }
}

impl Try<'_> {
    #[inline(always)]
    fn run(self, dim: usize) -> Vec<f64> {
        let mut sums = vec![[0.0; LANES]; self.candidates.len() / dim];
        for (at, nearest) in self.nearest.chunks(CACHED_BLOCKS * LANES).enumerate() {
            for (candidate, sum) in self.candidates.chunks_exact(dim).zip(&mut sums) {
                let mut own = *sum;
                let mut blocks = self.points.starting_at(at * CACHED_BLOCKS, dim);
                let (whole, rest) = nearest.as_chunks::<LANES>();
                for (near, block) in whole.iter().zip(&mut blocks) {
                    let distance = squared_distances(block, candidate);
                    for ((n, d), sum) in near.iter().zip(distance).zip(&mut own) {
                        *sum += if d < *n { d } else { *n };
                    }
                }
                if let (false, Some(block)) = (rest.is_empty(), blocks.next()) {
                    let distance = squared_distances(block, candidate);
                    for ((n, d), sum) in rest.iter().zip(distance).zip(&mut own) {
                        *sum += if d < *n { d } else { *n };
                    }
                }
                *sum = own;
            }
        }
        sums.iter().map(|lanes| lanes.iter().sum()).collect()
    }
}

/// Lowers `nearest` to the squared distances to `center` where these are smaller; returns its sum.
struct Lower<'a> {
    points: &'a Blocks,
    center: &'a [f64],
    nearest: &'a mut [f64],
}

impl pulp::WithSimd for Lower<'_> {
    type Output = f64;

    /// The instructions of the CPU are used through what the compiler makes of the loops, in the same order of operations.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> f64 {
        match self.points.dim() {
            3 => self.run(3),
            5 => self.run(5),
            dim => self.run(dim),
        }
    }
}

impl Lower<'_> {
    #[inline(always)]
    fn run(self, dim: usize) -> f64 {
        let mut sums = [0.0; LANES];
        let mut blocks = self.points.starting_at(0, dim);
        let (nearest, rest) = self.nearest.as_chunks_mut::<LANES>();
        for (near, block) in nearest.iter_mut().zip(&mut blocks) {
            let distance = squared_distances(block, self.center);
            for ((n, d), sum) in near.iter_mut().zip(distance).zip(&mut sums) {
                *n = if d < *n { d } else { *n };
                *sum += *n;
            }
        }
        if let Some(block) = blocks.next() {
            let distance = squared_distances(block, self.center);
            for ((n, d), sum) in rest.iter_mut().zip(distance).zip(&mut sums) {
                *n = if d < *n { d } else { *n };
                *sum += *n;
            }
        }
        sums.iter().sum()
    }
}

/// For each target the first index whose cumulative weight exceeds it; the last index of positive weight (or 0) if rounding
/// leaves none.
fn draw(weights: &[f64], targets: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..targets.len()).collect();
    order.sort_by(|a, b| targets[*a].total_cmp(&targets[*b]));
    let mut waiting = order.into_iter().peekable();
    let mut drawn = vec![0; targets.len()];
    let (mut sum, mut last) = (0.0, 0);
    for (i, &w) in weights.iter().enumerate() {
        let Some(next) = waiting.peek() else { return drawn };
        sum += w;
        if w > 0.0 {
            last = i;
            if sum > targets[*next] {
                while let Some(next) = waiting.next_if(|next| sum > targets[*next]) {
                    drawn[next] = i;
                }
            }
        }
    }
    waiting.for_each(|next| drawn[next] = last);
    drawn
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use proptest::prelude::*;

    use super::*;

    fn draw_one(weights: &[f64], target: f64) -> usize {
        let mut sum = 0.0;
        let exceeds = |w: &f64| {
            sum += w;
            *w > 0.0 && sum > target
        };
        let last = weights.iter().rposition(|w| *w > 0.0).unwrap_or(0);
        weights.iter().position(exceeds).unwrap_or(last)
    }

    proptest! {
        #[test]
        fn targets_are_drawn_together_as_each_alone(
            weights in prop::collection::vec(prop_oneof![Just(0.0), 0.0..1.0], 0..40),
            targets in prop::collection::vec(-1.0..20.0, 0..6),
        ) {
            let alone: Vec<usize> = targets.iter().map(|target| draw_one(&weights, *target)).collect();
            prop_assert_eq!(draw(&weights, &targets), alone);
        }

        /// Which candidate is the best must not depend on how the points are divided.
        #[test]
        fn a_candidate_is_tried_to_the_bit(
            rows in 1..1000_usize,
            dim in 1..6_usize,
            seed in 0..1000_u64,
        ) {
            let value = |i: usize| ((i as u64 * 7919 + seed) % 1009) as f64 / 1009.0;
            let points = Blocks::new(&Array2::from_shape_fn((rows, dim), |(i, j)| value(i * dim + j)));
            let nearest: Vec<f64> = (0..rows).map(|i| value(i + 3)).collect();
            let candidates: Vec<f64> = (0..3 * dim).map(|i| value(5 * i)).collect();
            let arch = pulp::Arch::new();
            let tried = arch.dispatch(Try { points: &points, candidates: &candidates, nearest: &nearest });
            for (center, total) in candidates.chunks_exact(dim).zip(tried) {
                let lowered = arch.dispatch(Lower { points: &points, center, nearest: &mut nearest.clone() });
                prop_assert_eq!(lowered.to_bits(), total.to_bits());
            }
        }
    }
}
