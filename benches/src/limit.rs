//! The limit that figures are set beside: fused multiply-adds per second of one core, measured here and now.
#![allow(unsafe_code, reason = "the loops are compiled for instructions that not every CPU has")]

use std::fs;

/// Tries of which the fastest counts, so that an interrupt does not.
const TRIES: usize = 20;

/// The CPU's name, as far as the system tells it.
#[must_use]
pub fn cpu() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| format!("{} CPU", std::env::consts::ARCH), |(_, name)| name.trim().to_owned())
}

/// Arithmetic operations per second, two per multiply-add, of one core with the widest vectors that it has: of f32 and of
/// f64, in the fastest of some tries. `None` without fused multiply-adds, or where they are not known.
#[must_use]
pub fn operations_per_second() -> Option<[f64; 2]> {
    (0..TRIES)
        .try_fold([0f64; 2], |[single, double], _| Some([single.max(try_f32()?), double.max(try_f64()?)]))
}

/// The operations of f32 in a single try of about half a millisecond, to be set beside what runs next.
#[must_use]
pub fn try_f32() -> Option<f64> {
    vectors::f32()
}

/// The operations of f64 in a single try.
#[must_use]
pub fn try_f64() -> Option<f64> {
    vectors::f64()
}

#[cfg(target_arch = "x86_64")]
mod vectors {
    use std::hint::black_box;
    use std::time::Instant;

    /// Vectors of a loop that do not wait for each other: more than the latency of a multiply-add times two per cycle.
    const CHAINS: usize = 12;
    /// Turns of a loop.
    const TURNS: usize = 200_000;

    macro_rules! limit {
        ($float:ident, $bytes:literal, $set_512:ident, $fma_512:ident, $set_256:ident, $fma_256:ident) => {
            /// One try.
            pub(super) fn $float() -> Option<f64> {
                limit!(turns_512, "avx512f", $set_512, $fma_512);
                limit!(turns_256, "avx2,fma", $set_256, $fma_256);
                let start = Instant::now();
                let lanes = if is_x86_feature_detected!("avx512f") {
                    // SAFETY: the CPU has the instructions.
                    unsafe { turns_512(black_box(TURNS)) };
                    64 / $bytes
                } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the CPU has the instructions.
                    unsafe { turns_256(black_box(TURNS)) };
                    32 / $bytes
                } else {
                    return None;
                };
                Some((2 * TURNS * CHAINS * lanes) as f64 / start.elapsed().as_secs_f64())
            }
        };
        ($turns:ident, $features:literal, $set:ident, $fma:ident) => {
            /// `CHAINS` fused multiply-adds of vectors per turn.
            #[target_feature(enable = $features)]
            fn $turns(turns: usize) {
                use std::arch::x86_64::{$fma, $set};
                let (factor, term) = ($set(black_box(0.999)), $set(black_box(0.001)));
                let mut chains = [term; CHAINS];
                for _ in 0..turns {
                    for chain in &mut chains {
                        *chain = $fma(*chain, factor, term);
                    }
                }
                black_box(chains);
            }
        };
    }

    limit!(f32, 4, _mm512_set1_ps, _mm512_fmadd_ps, _mm256_set1_ps, _mm256_fmadd_ps);
    limit!(f64, 8, _mm512_set1_pd, _mm512_fmadd_pd, _mm256_set1_pd, _mm256_fmadd_pd);
}

/// Elsewhere the limit is not known.
#[cfg(not(target_arch = "x86_64"))]
mod vectors {
    pub(super) fn f32() -> Option<f64> {
        None
    }

    pub(super) fn f64() -> Option<f64> {
        None
    }
}
