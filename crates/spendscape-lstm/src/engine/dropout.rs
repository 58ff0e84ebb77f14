//! Dropout of a layer's inputs.

use crate::buffer::Buffer;
use crate::kernels::{Dropping, Generators, Kernels, round4};
use crate::real::Real;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The golden ratio in 64 bits, which keeps the seeds of samples apart.
const SAMPLE_STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

/// Dropout masks of the inputs of one layer, for one block. Every sample draws with a generator of its own, so that
/// what it loses depends neither on its neighbors nor on who computes it.
pub(super) struct Dropout<F> {
    seed: u64,
    /// Of 2^32 draws, those that drop.
    dropped_of_all: u32,
    /// The factor of an input that stays: 1 / (1 - rate).
    kept: F,
    /// Zero or `kept`, steps x inputs.
    pub(super) factors: Buffer<F>,
    /// The inputs times the factors.
    pub(super) values: Buffer<F>,
}

impl<F: Real> Dropout<F> {
    /// Drops nothing yet, of `len` elements.
    pub(super) fn new(len: usize) -> Self {
        Self {
            seed: 0,
            dropped_of_all: 0,
            kept: F::one(),
            factors: Buffer::new(len),
            values: Buffer::new(len),
        }
    }

    /// Drops this share from now on.
    pub(super) fn set(&mut self, share: f64, seed: u64) {
        self.seed = seed;
        self.dropped_of_all = (share * 2f64.powi(32)) as u32;
        self.kept = F::from_f64(1.0 / (1.0 - share));
    }

    /// Draws for one sample per lane, and drops of `x` (steps x `inputs`, padded).
    pub(super) fn draw(
        &mut self,
        k: &Kernels<F>,
        samples: impl Iterator<Item = usize>,
        inputs: usize,
        x: &[F],
    ) {
        let mut generators = Generators::default();
        for (lane, sample) in samples.enumerate() {
            let seed = self.seed ^ (sample as u64).wrapping_mul(SAMPLE_STRIDE);
            generators.set(lane, &Xoshiro256PlusPlus::seed_from_u64(seed));
        }
        let width = round4(inputs) * k.lanes;
        let steps = self.factors.chunks_exact_mut(width).zip(self.values.chunks_exact_mut(width));
        for ((factors, values), x) in steps.zip(x.chunks_exact(width)) {
            let (dropped_of_all, kept, generators) = (self.dropped_of_all, self.kept, &mut generators);
            let dropping = Dropping { dropped_of_all, kept, generators, factors, values };
            (k.drop_lanes)(dropping, inputs, x);
        }
    }
}
