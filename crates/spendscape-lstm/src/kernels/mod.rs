//! The numerical kernels, chosen for the CPU at run time behind a safe face.
//!
//! This is the only module of the crate with `unsafe` code. It is needed for the instruction sets that only some CPUs have,
//! and for loads and stores without a bounds check inside the innermost loops. Every function of [`Kernels`] checks the
//! sizes of its buffers first, and a table is handed out only after its instruction set has been detected.
#![allow(
    unsafe_code,
    reason = "vector instructions that not every CPU has, and unchecked loads inside checked functions"
)]

mod arguments;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512_f64;
mod dropout;
mod gates;
mod lookup;
mod loss;
mod matmul;
mod outer;
mod portable;
mod project;
mod shape;
mod simd;
mod table;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod transcendental;
mod unroll;
mod update;

use crate::real::Real;
use std::any::Any;

pub(crate) use arguments::{
    Dropping, Lanes, LayerDerivatives, LayerSteps, Next, OuterBlock, Roll, Rows, round4,
};
pub(crate) use dropout::Generators;
pub(crate) use shape::Shape;
pub(crate) use table::Kernels;
pub(crate) use update::AdamStep;

/// Which vector instructions a network computes with.
///
/// Results differ between instruction sets in their last bits, never between runs or numbers of threads with the same
/// set. Choose [`Instructions::Portable`] for the same bits on every CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Instructions {
    /// The widest set that the CPU has.
    #[default]
    Widest,
    /// AVX-512 (F, VL, DQ).
    Avx512,
    /// AVX2 with FMA, f32 only.
    Avx2,
    /// Plain arithmetic without fused multiply-add.
    Portable,
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
}

/// The table for a float type, or `None` where the CPU lacks the instructions or there is none for that type.
pub(crate) fn of<F: Real>(instructions: Instructions) -> Option<&'static Kernels<F>> {
    // `Real` is sealed: one of the two is of this type.
    let tables: [Option<&dyn Any>; 2] =
        [for_f32(instructions).map(|table| table as _), for_f64(instructions).map(|table| table as _)];
    tables.into_iter().flatten().find_map(<dyn Any>::downcast_ref)
}

/// The table for f32, or `None` where the CPU lacks the instructions.
fn for_f32(instructions: Instructions) -> Option<&'static Kernels<f32>> {
    #[cfg(target_arch = "x86_64")]
    match instructions {
        Instructions::Avx512 | Instructions::Widest if has_avx512() => return Some(&table::avx512::TABLE),
        Instructions::Avx2 | Instructions::Widest if has_avx2() => return Some(&table::avx2::TABLE),
        _ => {}
    }
    match instructions {
        Instructions::Widest | Instructions::Portable => Some(&table::portable_f32::TABLE),
        Instructions::Avx512 | Instructions::Avx2 => None,
    }
}

/// The table for f64, or `None` where the CPU lacks the instructions or there is none for f64.
fn for_f64(instructions: Instructions) -> Option<&'static Kernels<f64>> {
    #[cfg(target_arch = "x86_64")]
    if matches!(instructions, Instructions::Avx512 | Instructions::Widest) && has_avx512() {
        return Some(&table::avx512_f64::TABLE);
    }
    match instructions {
        Instructions::Widest | Instructions::Portable => Some(&table::portable_f64::TABLE),
        Instructions::Avx512 | Instructions::Avx2 => None,
    }
}
