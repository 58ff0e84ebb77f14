//! Dropout of a layer's inputs.

use crate::buffer::Buffer;
use crate::kernels::round4;
use crate::real::Real;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The golden ratio in 64 bits, which keeps the seeds of samples apart.
const SAMPLE_STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

/// What is dropped of the inputs of one layer, for one block. Every sample draws with a generator of its own, so that
/// what it loses depends neither on its neighbours nor on who computes it.
pub(super) struct Dropout<F> {
    seed: u64,
    /// Of 2^32 draws, those that drop.
    dropped_of_all: u32,
    /// What an input that stays is multiplied by: 1 / (1 - share).
    kept: F,
    /// Zero or `kept`, steps x inputs.
    pub(super) factors: Buffer<F>,
    /// The inputs times the factors.
    pub(super) values: Buffer<F>,
    generators: Vec<Xoshiro256PlusPlus>,
}

impl<F: Real> Dropout<F> {
    /// For buffers of `len` elements.
    pub(super) fn new(share: f64, seed: u64, len: usize) -> Self {
        Self {
            seed,
            dropped_of_all: (share * 2f64.powi(32)) as u32,
            kept: F::from_f64(1.0 / (1.0 - share)),
            factors: Buffer::new(len),
            values: Buffer::new(len),
            generators: Vec::new(),
        }
    }

    /// Draws for one sample per lane, and drops of `x` (steps x `inputs`, padded).
    pub(super) fn draw(&mut self, samples: impl Iterator<Item = usize>, inputs: usize, x: &[F]) {
        let seed = |sample: usize| self.seed ^ (sample as u64).wrapping_mul(SAMPLE_STRIDE);
        self.generators.clear();
        self.generators.extend(samples.map(|sample| Xoshiro256PlusPlus::seed_from_u64(seed(sample))));
        let lanes = self.generators.len();
        let factor = |bits: u32| if bits < self.dropped_of_all { F::zero() } else { self.kept };
        for step in self.factors.chunks_exact_mut(round4(inputs) * lanes) {
            // One draw of 64 bits serves two inputs; the padding makes their number even.
            for pair in step.chunks_exact_mut(2 * lanes).take(inputs.div_ceil(2)) {
                let (first, second) = pair.split_at_mut(lanes);
                for ((rng, first), second) in self.generators.iter_mut().zip(first).zip(second) {
                    let bits = rng.next_u64();
                    *first = factor(bits as u32);
                    *second = factor((bits >> 32) as u32);
                }
            }
        }
        for (to, (&factor, &x)) in self.values.iter_mut().zip(self.factors.iter().zip(x)) {
            *to = factor * x;
        }
    }
}
