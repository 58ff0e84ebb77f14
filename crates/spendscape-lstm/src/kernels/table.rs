//! The safe face of the kernels: one table of checked functions per instruction set.

use super::outer::Block;
use super::simd::Simd;
use super::update::AdamStep;
use super::{gates, matmul, outer, portable, project, update};

/// The widest block of any instruction set.
pub(crate) const MAX_LANES: usize = 16;

/// `n` rounded up to a multiple of four: the number of outputs that lane buffers are sized for.
pub(crate) const fn round4(n: usize) -> usize {
    n.div_ceil(4) * 4
}

/// A block of rows of `ins` elements: lane `l` is `x[starts[l]..]`; `next` is empty or the following block.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, F> {
    pub(crate) x: &'a [F],
    pub(crate) starts: &'a [usize],
    pub(crate) next: &'a [usize],
    pub(crate) ins: usize,
}

/// Buffers of one forward step of the gates; `mask` is empty or one lane vector.
pub(crate) struct GatesForward<'a, F> {
    pub(crate) units: usize,
    pub(crate) z: &'a mut [F],
    pub(crate) h_old: &'a [F],
    pub(crate) c_old: &'a [F],
    pub(crate) h: &'a mut [F],
    pub(crate) c: &'a mut [F],
    pub(crate) tanh_c: &'a mut [F],
    pub(crate) mask: &'a [F],
}

/// Buffers of one backward step of the gates; `mask` is empty or one lane vector.
pub(crate) struct GatesBackward<'a, F> {
    pub(crate) units: usize,
    pub(crate) z: &'a mut [F],
    pub(crate) c_old: &'a [F],
    pub(crate) tanh_c: &'a [F],
    pub(crate) dh: &'a [F],
    pub(crate) dc: &'a mut [F],
    pub(crate) mask: &'a [F],
}

/// A block's rows and output derivatives over some steps; see [`Block`].
#[derive(Clone, Copy)]
pub(crate) struct OuterBlock<'a, F> {
    pub(crate) x: &'a [F],
    pub(crate) ins: usize,
    pub(crate) starts: &'a [usize],
    pub(crate) dz: &'a [F],
    pub(crate) steps: usize,
    pub(crate) valid: usize,
    pub(crate) outs: usize,
}

type Project<F> = fn(Rows<'_, F>, usize, &[F], &[F], &mut [F]);
type Adam<F> = fn(AdamStep<F>, &mut [F], &[F], &mut [F], &mut [F]);

/// The kernels of one instruction set and float type.
pub struct Kernels<F: 'static> {
    pub(crate) name: &'static str,
    pub(crate) lanes: usize,
    pub(crate) pack_project: fn(&[F], usize, usize, &mut [F]),
    pub(crate) project: Project<F>,
    pub(crate) pack_matmul: fn(&[F], usize, usize, bool, &mut [F]),
    pub(crate) matmul: fn(&[F], usize, usize, &[F], &mut [F]),
    pub(crate) gates_forward: fn(GatesForward<'_, F>),
    pub(crate) gates_backward: fn(GatesBackward<'_, F>),
    pub(crate) tanh: fn(&mut [F]),
    pub(crate) outer: fn(OuterBlock<'_, F>, &mut [F]),
    pub(crate) lane_outer: fn(&[F], usize, &[F], usize, &mut [F]),
    pub(crate) lane_sums: fn(&[F], &mut [F]),
    pub(crate) reduce_lanes: fn(&mut [F], &mut [F]),
    pub(crate) adam: Adam<F>,
}

impl<F> std::fmt::Debug for Kernels<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernels")
            .field("name", &self.name)
            .field("lanes", &self.lanes)
            .finish_non_exhaustive()
    }
}

impl<F> Kernels<F> {
    /// Length of a projection's packed matrix.
    pub(crate) fn project_len(&self, outs: usize, ins: usize) -> usize {
        project::packed_len(round4(outs), ins, self.lanes)
    }
}

/// The pointers to a block's rows, checked to lie inside `x`.
fn pointers<F>(x: &[F], starts: &[usize], ins: usize) -> [*const F; MAX_LANES] {
    let mut rows = [x.as_ptr(); MAX_LANES];
    for (row, &start) in rows.iter_mut().zip(starts) {
        *row = x[start..][..ins].as_ptr();
    }
    rows
}

macro_rules! table {
    ($module:ident, $name:literal, $float:ty, $simd:ty, rows $rows:literal, wide $wide:literal $(, #[$feature:meta])?) => {
        #[doc = concat!("The kernels compiled for ", $name, ".")]
        pub(super) mod $module {
            use super::*;

            const LANES: usize = <$simd>::LANES;

            // SAFETY (of every function below): called only from the checked functions of the table, which is handed
            // out only after the instruction set has been detected.
            $(#[$feature])?
            unsafe fn pack_project(w: &[$float], outs: usize, ins: usize, packed: &mut [$float]) {
                unsafe { project::pack::<$simd>(w.as_ptr(), outs, ins, packed.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn project(
                rows: &[*const $float],
                next: &[*const $float],
                ins: usize,
                weights: (*const $float, *const $float),
                outs: usize,
                z: &mut [$float],
            ) {
                unsafe { project::project::<$simd, $rows>(rows, next, ins, weights, outs, z.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn pack_matmul(w: &[$float], outs: usize, ins: usize, transposed: bool, packed: &mut [$float]) {
                unsafe { matmul::pack::<$simd>(w.as_ptr(), outs, ins, transposed, packed.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn matmul(packed: &[$float], outs: usize, ins: usize, x: &[$float], z: &mut [$float]) {
                unsafe { matmul::matmul::<$simd>(packed.as_ptr(), outs, ins, x.as_ptr(), z.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn gates_forward(b: GatesForward<'_, $float>) {
                let mask = if b.mask.is_empty() { std::ptr::null() } else { b.mask.as_ptr() };
                let old = (b.h_old.as_ptr(), b.c_old.as_ptr());
                let new = (b.h.as_mut_ptr(), b.c.as_mut_ptr(), b.tanh_c.as_mut_ptr());
                unsafe { gates::forward::<$simd>(b.units, b.z.as_mut_ptr(), old, new, mask) }
            }
            $(#[$feature])?
            unsafe fn gates_backward(b: GatesBackward<'_, $float>) {
                let mask = if b.mask.is_empty() { std::ptr::null() } else { b.mask.as_ptr() };
                let state = (b.c_old.as_ptr(), b.tanh_c.as_ptr());
                let derivatives = (b.dh.as_ptr(), b.dc.as_mut_ptr());
                unsafe { gates::backward::<$simd>(b.units, b.z.as_mut_ptr(), state, derivatives, mask) }
            }
            $(#[$feature])?
            unsafe fn tanh(y: &mut [$float]) {
                unsafe { gates::tanh::<$simd>(y.as_mut_ptr(), y.len() / LANES) }
            }
            $(#[$feature])?
            unsafe fn outer(block: Block<$float>, ins: usize, dw: &mut [$float]) {
                unsafe { outer::outer::<$simd, $wide>(block, ins, dw.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn lane_outer(dz: &[$float], outs: usize, x: &[$float], ins: usize, acc: &mut [$float]) {
                unsafe { outer::lane_outer::<$simd>(dz.as_ptr(), outs, x.as_ptr(), ins, acc.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn lane_sums(v: &[$float], acc: &mut [$float]) {
                unsafe { outer::lane_sums::<$simd>(v.as_ptr(), v.len() / LANES, acc.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn reduce_lanes(acc: &mut [$float], out: &mut [$float]) {
                unsafe { outer::reduce_lanes::<$simd>(acc.as_mut_ptr(), out.len(), out.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn adam(step: AdamStep<$float>, p: &mut [$float], g: &[$float], m: &mut [$float], v: &mut [$float]) {
                unsafe {
                    update::adam::<$simd>(step, p.len(), p.as_mut_ptr(), g.as_ptr(), m.as_mut_ptr(), v.as_mut_ptr());
                }
            }

            // SAFETY (of every block below): the sizes that the kernels document are asserted first.
            pub(crate) static TABLE: Kernels<$float> = Kernels {
                name: $name,
                lanes: LANES,
                pack_project: |w, outs, ins, packed| {
                    assert!(w.len() >= outs * ins && packed.len() >= project::packed_len(round4(outs), ins, LANES));
                    unsafe { pack_project(w, outs, ins, packed) }
                },
                project: |rows, outs, packed, bias, z| {
                    let padded = round4(outs);
                    assert!(packed.len() >= project::packed_len(padded, rows.ins, LANES));
                    assert!(bias.len() >= padded * 4 && z.len() >= padded * LANES && rows.starts.len() == LANES);
                    let at = pointers(rows.x, rows.starts, rows.ins);
                    let next = pointers(rows.x, rows.next, rows.ins);
                    let next = if rows.next.is_empty() { &[][..] } else { &next[..LANES] };
                    unsafe { project(&at[..LANES], next, rows.ins, (packed.as_ptr(), bias.as_ptr()), padded, z) }
                },
                pack_matmul: |w, outs, ins, transposed, packed| {
                    assert!(w.len() >= outs * ins && packed.len() >= round4(outs) * ins);
                    unsafe { pack_matmul(w, outs, ins, transposed, packed) }
                },
                matmul: |packed, outs, ins, x, z| {
                    let padded = round4(outs);
                    assert!(packed.len() >= padded * ins && x.len() >= ins * LANES && z.len() >= padded * LANES);
                    unsafe { matmul(packed, padded, ins, x, z) }
                },
                gates_forward: |b| {
                    let state = b.units * LANES;
                    assert!(b.z.len() >= 4 * state && b.h_old.len() >= state && b.c_old.len() >= state);
                    assert!(b.h.len() >= state && b.c.len() >= state && b.tanh_c.len() >= state);
                    assert!(b.mask.is_empty() || b.mask.len() >= LANES);
                    unsafe { gates_forward(b) }
                },
                gates_backward: |b| {
                    let state = b.units * LANES;
                    assert!(b.z.len() >= 4 * state && b.c_old.len() >= state && b.tanh_c.len() >= state);
                    assert!(b.dh.len() >= state && b.dc.len() >= state);
                    assert!(b.mask.is_empty() || b.mask.len() >= LANES);
                    unsafe { gates_backward(b) }
                },
                tanh: |y| unsafe { tanh(y) },
                outer: |b, dw| {
                    assert!(b.valid <= LANES && b.starts.len() >= b.steps * LANES && dw.len() >= b.outs * b.ins);
                    assert!(b.dz.len() >= b.steps * round4(b.outs) * LANES);
                    for &start in &b.starts[..b.steps * LANES] {
                        assert!(start <= b.x.len() && b.ins <= b.x.len() - start);
                    }
                    let block = Block {
                        x: b.x.as_ptr(),
                        starts: b.starts.as_ptr(),
                        dz: b.dz.as_ptr(),
                        steps: b.steps,
                        valid: b.valid,
                        outs: b.outs,
                        dz_outs: round4(b.outs),
                    };
                    unsafe { outer(block, b.ins, dw) }
                },
                lane_outer: |dz, outs, x, ins, acc| {
                    assert!(dz.len() >= outs * LANES && x.len() >= ins * LANES);
                    assert!(acc.len() >= outs * ins * LANES);
                    unsafe { lane_outer(dz, outs, x, ins, acc) }
                },
                lane_sums: |v, acc| {
                    assert!(acc.len() >= v.len());
                    unsafe { lane_sums(v, acc) }
                },
                reduce_lanes: |acc, out| {
                    assert!(acc.len() >= out.len() * LANES);
                    unsafe { reduce_lanes(acc, out) }
                },
                adam: |step, p, g, m, v| {
                    assert!(g.len() == p.len() && m.len() == p.len() && v.len() == p.len());
                    unsafe { adam(step, p, g, m, v) }
                },
            };
        }
    };
}

#[cfg(target_arch = "x86_64")]
table!(avx512, "AVX-512", f32, super::super::avx512::Avx512, rows 8, wide true, #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2,fma")]);
#[cfg(target_arch = "x86_64")]
table!(avx2, "AVX2", f32, super::super::avx2::Avx2, rows 4, wide false, #[target_feature(enable = "avx2,fma")]);
table!(portable_f32, "portable f32", f32, portable::Portable<f32>, rows 4, wide false);
table!(portable_f64, "portable f64", f64, portable::Portable<f64>, rows 4, wide false);
