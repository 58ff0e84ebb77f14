//! Dropout of a block's lane vectors.

use super::simd::{MAX_LANES, Simd};
use rand_xoshiro::Xoshiro256PlusPlus;

type F<S> = <S as Simd>::F;

/// One xoshiro256++ generator per lane: their states word by word, so that all lanes go on at once.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Generators([[u64; MAX_LANES]; 4]);

impl Generators {
    /// Gives lane `lane` the generator's state.
    pub(crate) fn set(&mut self, lane: usize, generator: &Xoshiro256PlusPlus) {
        let state = generator.state();
        for (words, bytes) in self.0.iter_mut().zip(state.as_chunks().0) {
            words[lane] = u64::from_le_bytes(*bytes);
        }
    }
}

/// One number of every lane's generator (Blackman and Vigna, xoshiro256++).
#[inline(always)]
fn draw<const LANES: usize>(Generators([a, b, c, d]): &mut Generators) -> [u64; MAX_LANES] {
    let mut numbers = [0; MAX_LANES];
    for lane in 0..LANES {
        numbers[lane] = a[lane].wrapping_add(d[lane]).rotate_left(23).wrapping_add(a[lane]);
        let shifted = b[lane] << 17;
        c[lane] ^= a[lane];
        d[lane] ^= b[lane];
        b[lane] ^= c[lane];
        a[lane] ^= d[lane];
        c[lane] ^= shifted;
        d[lane] = d[lane].rotate_left(45);
    }
    numbers
}

/// How many inputs are dropped, and what the others are multiplied by.
#[derive(Clone, Copy)]
pub(super) struct Rate<T> {
    /// Of 2^32 draws, those that drop.
    pub(super) dropped_of_all: u32,
    pub(super) kept: T,
}

/// Draws a factor for `n` lane vectors: zero where 32 bits of a generator are below `dropped_of_all`, else `kept`; and
/// multiplies `x` by it. One number serves two vectors.
///
/// # Safety
/// `x`, `factors` and `values` have `n` lane vectors, rounded up to an even number.
#[inline(always)]
pub(super) unsafe fn drop_lanes<S: Simd, const LANES: usize>(
    generators: &mut Generators,
    Rate { dropped_of_all, kept }: Rate<F<S>>,
    n: usize,
    x: *const F<S>,
    factors: *mut F<S>,
    values: *mut F<S>,
) {
    let mut own = *generators;
    for pair in 0..n.div_ceil(2) {
        let numbers = draw::<LANES>(&mut own);
        for half in 0..2 {
            let mut factor = [S::ZERO; MAX_LANES];
            for (factor, number) in factor.iter_mut().zip(numbers).take(LANES) {
                let bits = (number >> (32 * half)) as u32;
                *factor = if bits < dropped_of_all { S::ZERO } else { kept };
            }
            let at = (2 * pair + half) * LANES;
            // SAFETY: the vector lies inside every buffer.
            unsafe {
                let factor = S::load(factor.as_ptr());
                S::store(factors.wrapping_add(at), factor);
                S::store(values.wrapping_add(at), S::mul(factor, S::load(x.wrapping_add(at))));
            }
        }
    }
    *generators = own;
}

/// `to += factors * dx` for `n` lane vectors.
///
/// # Safety
/// All have `n` lane vectors.
#[inline(always)]
pub(super) unsafe fn add_kept<S: Simd>(n: usize, factors: *const F<S>, dx: *const F<S>, to: *mut F<S>) {
    for at in (0..n).map(|v| v * S::LANES) {
        // SAFETY: the vector lies inside every buffer.
        unsafe {
            let product = S::mul(S::load(factors.wrapping_add(at)), S::load(dx.wrapping_add(at)));
            S::store(to.wrapping_add(at), S::add(S::load(to.wrapping_add(at)), product));
        }
    }
}
