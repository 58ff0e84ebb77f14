//! The safe face of the kernels: one table of checked functions per instruction set.

use super::arguments::{
    Dropping, Lanes, LayerDerivatives, LayerSteps, Next, OuterBlock, Roll, Rows, addresses, round4,
};
use super::dropout::Rate;
use super::outer::{Block, Vectors};
use super::project::Weights;
use super::shape::Shape;
use super::simd::{Double, MAX_LANES, Simd};
use super::unroll::{Derivatives, Steps};
use super::update::AdamStep;
use super::{dropout, gates, lookup, loss, matmul, outer, portable, project, unroll, update};

type PackProject<F> = fn(w: &[F], stride: usize, outs: usize, ins: usize, packed: &mut [F]);
type Project<F> = fn(rows: Rows<'_, F>, outs: usize, packed: &[F], bias: &[F], z: &mut [F]);
type PackMatmul<F> = fn(w: &[F], outs: usize, ins: usize, transposed: bool, packed: &mut [F]);
type Matmul<F> = fn(packed: &[F], shape: Shape, x: &[F], bias: Option<&[F]>, z: &mut [F]);
type Backward<F> = fn(steps: LayerSteps<'_, F>, recurrent_t: &[F], d: LayerDerivatives<'_, F>);
type SquaredError<F> = fn(y: &[F], factor: &[F], targets: &[F], starts: &[usize], dy: &mut [F]) -> F;
type Softmax<F> = fn(y: &[F], factor: &[F], p: &mut [F], log_parts: &mut [F]);
type LaneOuter<F> = fn(dz: Lanes<'_, F>, x: Lanes<'_, F>, steps: usize, acc: &mut [F]);
type Adam<F> = fn(step: AdamStep<F>, p: &mut [F], g: &[F], m: &mut [F], v: &mut [F]);

/// The kernels of one instruction set and float type.
pub(crate) struct Kernels<F: 'static> {
    pub(crate) name: &'static str,
    pub(crate) lanes: usize,
    /// Outputs per vector of the projection.
    outputs: usize,
    /// Inputs that a tile of the weight gradient holds.
    pub(crate) columns: usize,
    pub(crate) pack_project: PackProject<F>,
    pub(crate) project: Project<F>,
    pub(crate) pack_matmul: PackMatmul<F>,
    /// Adds a product of packed weights with lane vectors to others, which first become the bias if there is one.
    pub(crate) matmul: Matmul<F>,
    /// Draws what is dropped of `n` lane vectors.
    pub(crate) drop_lanes: fn(dropping: Dropping<'_, F>, n: usize, x: &[F]),
    /// Adds the product of the first two.
    pub(crate) add_kept: fn(factors: &[F], dx: &[F], to: &mut [F]),
    pub(crate) forward: fn(steps: LayerSteps<'_, F>, recurrent: &[F]),
    pub(crate) backward: Backward<F>,
    pub(crate) roll: fn(Roll<'_, F>) -> bool,
    /// Adds the rows `starts[variable][lane]..` of a table, of `n` elements, to lane `lane` of `n` lane vectors.
    pub(crate) add_rows: fn(table: &[F], starts: &[usize], n: usize, z: &mut [F]),
    /// Adds row `i` of the first slice, of `n` elements, to row `starts[i]..` of a table.
    pub(crate) add_to_rows: fn(from: &[F], n: usize, starts: &[usize], table: &mut [F]),
    /// Writes `n` lane vectors as rows of `n` elements, the row of a lane where its start says.
    pub(crate) to_rows: fn(v: &[F], n: usize, rows: &mut [F], starts: &[usize]),
    pub(crate) tanh: fn(&mut [F]),
    /// Outputs, a factor per lane, targets and where each lane's start, and the errors times the factor; returns the sum of
    /// the squared errors of lanes whose factor is not zero.
    pub(crate) squared_error: SquaredError<F>,
    /// Logits, a factor per lane, its product with the softmax, and per lane the top and the sum of e^(logit - top).
    pub(crate) softmax: Softmax<F>,
    pub(crate) outer: fn(block: OuterBlock<'_, F>, dw: &mut [F]),
    pub(crate) lane_outer: LaneOuter<F>,
    pub(crate) lane_sums: fn(v: Lanes<'_, F>, steps: usize, acc: &mut [F]),
    pub(crate) prefetch: fn(next: Next<'_, F>),
    pub(crate) reduce_lanes: fn(acc: &mut [F], out: &mut [F]),
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
        project::packed_len(round4(outs), ins, 4 * self.outputs)
    }
}

// The next two are inlined into functions with wide vectors, which do all lanes at once.

/// Checks that rows of `ins` elements lie inside `x`.
#[inline(always)]
fn assert_inside<F>(x: &[F], starts: &[usize], ins: usize) {
    let last = starts.iter().fold(0, |last, &start| last.max(start));
    assert!(starts.is_empty() || last <= x.len() && ins <= x.len() - last);
}

/// The pointers to a block's rows, checked to lie inside `x`.
#[inline(always)]
fn pointers<F>(x: &[F], starts: &[usize], ins: usize) -> [*const F; MAX_LANES] {
    assert_inside(x, starts, ins);
    addresses(x, starts)
}

macro_rules! table {
    ($module:ident, $name:literal, $float:ty, $simd:ty, block $block:ty, rows $rows:literal, wide $wide:literal $(, #[$feature:meta])?) => {
        #[doc = concat!("The kernels compiled for ", $name, ".")]
        pub(super) mod $module {
            use super::*;

            const LANES: usize = <$block>::LANES;
            /// Vectors of a block.
            const VECTORS: usize = LANES / <$simd>::LANES;

            // SAFETY (of every function below): called only from the checked functions of the table, which is handed
            // out only after the instruction set has been detected.
            $(#[$feature])?
            unsafe fn pack_project(w: &[$float], stride: usize, outs: usize, ins: usize, packed: &mut [$float]) {
                unsafe { project::pack::<$simd>(w.as_ptr(), stride, outs, ins, packed.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn project(
                rows: Rows<'_, $float>,
                outs: usize,
                weights: Weights<$float>,
                z: &mut [$float],
            ) {
                let at = pointers(rows.x, rows.starts, rows.steps * rows.ins);
                let mut memory = [std::ptr::null(); MAX_LANES];
                let ahead = rows.next.ahead(&mut memory, LANES);
                let (z, shape) = (z.as_mut_ptr(), Shape { outs, ins: rows.ins });
                unsafe { project::project::<$simd, $rows>(&at[..LANES], ahead, rows.steps, shape, weights, z) }
            }
            $(#[$feature])?
            unsafe fn pack_matmul(w: &[$float], outs: usize, ins: usize, transposed: bool, packed: &mut [$float]) {
                unsafe { matmul::pack::<$block, $simd>(w.as_ptr(), outs, ins, transposed, packed.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn matmul(packed: &[$float], shape: Shape, x: &[$float], bias: *const $float, z: &mut [$float]) {
                unsafe { matmul::matmul::<$block>(packed.as_ptr(), shape, x.as_ptr(), bias, z.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn drop_lanes(d: Dropping<'_, $float>, n: usize, x: &[$float]) {
                let rate = Rate { dropped_of_all: d.dropped_of_all, kept: d.kept };
                let (factors, values) = (d.factors.as_mut_ptr(), d.values.as_mut_ptr());
                unsafe { dropout::drop_lanes::<$block, LANES>(d.generators, rate, n, x.as_ptr(), factors, values) }
            }
            $(#[$feature])?
            unsafe fn add_kept(factors: &[$float], dx: &[$float], to: &mut [$float]) {
                unsafe { dropout::add_kept::<$block>(to.len() / LANES, factors.as_ptr(), dx.as_ptr(), to.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn forward(steps: Steps<$float>, recurrent: &[$float]) {
                unsafe { unroll::forward::<$block, $simd, VECTORS>(steps, recurrent.as_ptr()) }
            }
            $(#[$feature])?
            unsafe fn backward(steps: Steps<$float>, recurrent_t: &[$float], d: Derivatives<$float>) {
                unsafe { unroll::backward::<$block>(steps, recurrent_t.as_ptr(), d) }
            }
            $(#[$feature])?
            unsafe fn roll(r: Roll<'_, $float>) {
                let (input_projection, w, steps) = (r.input_projection.as_ptr(), r.w.as_ptr(), r.steps);
                // Here, behind the move of `r`, which ends what was borrowed from its slices before.
                let path = if r.path.is_empty() { std::ptr::null_mut() } else { r.path.as_mut_ptr() };
                let (h, c) = (r.h.as_mut_ptr(), r.c.as_mut_ptr());
                unsafe {
                    match r.units {
                        1 => unroll::roll::<$simd, 1, VECTORS>(input_projection, w, h, c, path, steps),
                        2 => unroll::roll::<$simd, 2, VECTORS>(input_projection, w, h, c, path, steps),
                        3 => unroll::roll::<$simd, 3, VECTORS>(input_projection, w, h, c, path, steps),
                        _ => unroll::roll::<$simd, 4, VECTORS>(input_projection, w, h, c, path, steps),
                    }
                }
            }
            $(#[$feature])?
            unsafe fn add_rows(table: &[$float], starts: &[usize], n: usize, z: &mut [$float]) {
                assert_inside(table, starts, n);
                let rows = lookup::Chosen { table: table.as_ptr(), starts, lanes: LANES };
                unsafe { lookup::add_rows::<$simd>(rows, n, z.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn add_to_rows(from: &[$float], n: usize, starts: &[usize], table: &mut [$float]) {
                assert_inside(table, starts, n);
                unsafe { lookup::add_to_rows::<$simd>(from.as_ptr(), n, starts, table.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn to_rows(v: &[$float], n: usize, rows: &mut [$float], starts: &[usize]) {
                assert_inside(rows, starts, n);
                unsafe { unroll::to_rows::<$simd>(v.as_ptr(), LANES, n, rows.as_mut_ptr(), starts) }
            }
            $(#[$feature])?
            unsafe fn tanh(y: &mut [$float]) {
                unsafe { gates::tanh::<$block>(y.as_mut_ptr(), y.len() / LANES) }
            }
            $(#[$feature])?
            unsafe fn squared_error(y: &[$float], factor: &[$float], targets: &[$float], starts: &[usize], dy: &mut [$float]) -> $float {
                let n = y.len() / LANES;
                let targets = pointers(targets, starts, n);
                unsafe { loss::squared_error::<$block>(n, y.as_ptr(), factor.as_ptr(), &targets, dy.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn softmax(y: &[$float], factor: &[$float], p: &mut [$float], log_parts: &mut [$float]) {
                let (top, total) = log_parts.split_at_mut(LANES);
                let (top, total) = (top.as_mut_ptr(), total.as_mut_ptr());
                unsafe { loss::softmax::<$block>(y.len() / LANES, y.as_ptr(), factor.as_ptr(), p.as_mut_ptr(), top, total) }
            }
            $(#[$feature])?
            unsafe fn outer(b: OuterBlock<'_, $float>, dw: &mut [$float]) {
                if b.steps > 0 {
                    assert_inside(b.x, &b.starts[..LANES], (b.steps - 1) * b.step + b.ins);
                }
                let mut memory = [std::ptr::null(); MAX_LANES];
                let block = Block {
                    ahead: b.next.ahead(&mut memory, LANES),
                    x: b.x.as_ptr(),
                    starts: b.starts.as_ptr(),
                    step: b.step,
                    dz: b.dz.as_ptr(),
                    lanes: LANES,
                    steps: b.steps,
                    valid: b.valid,
                    outs: b.outs,
                    dz_outs: round4(b.outs),
                    stride: b.stride,
                };
                unsafe { outer::outer::<$simd, $wide>(block, b.ins, dw.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn lane_outer(dz: Lanes<'_, $float>, x: Lanes<'_, $float>, steps: usize, acc: &mut [$float]) {
                let vectors = |v: Lanes<'_, $float>| Vectors { at: v.values.as_ptr(), count: v.vectors, stride: v.stride };
                unsafe { outer::lane_outer::<$block>(vectors(dz), vectors(x), steps, acc.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn lane_sums(v: Lanes<'_, $float>, steps: usize, acc: &mut [$float]) {
                unsafe {
                    outer::lane_sums::<$block>(v.values.as_ptr(), v.vectors, steps, v.stride, acc.as_mut_ptr());
                }
            }
            $(#[$feature])?
            unsafe fn prefetch(next: Next<'_, $float>) {
                let mut memory = [std::ptr::null(); MAX_LANES];
                let ahead = next.ahead(&mut memory, LANES);
                for lane in 0..ahead.samples.len() {
                    unsafe { ahead.fetch::<$simd>(lane, 0, ahead.count) }
                }
            }
            $(#[$feature])?
            unsafe fn reduce_lanes(acc: &mut [$float], out: &mut [$float]) {
                unsafe { outer::reduce_lanes::<$block>(acc.as_mut_ptr(), out.len(), out.as_mut_ptr()) }
            }
            $(#[$feature])?
            unsafe fn adam(step: AdamStep<$float>, p: &mut [$float], g: &[$float], m: &mut [$float], v: &mut [$float]) {
                unsafe {
                    update::adam::<$simd>(step, p.len(), p.as_mut_ptr(), g.as_ptr(), m.as_mut_ptr(), v.as_mut_ptr());
                }
            }

            // SAFETY (of every block below): the sizes that the kernels document are asserted first, or in the function
            // called.
            pub(crate) static TABLE: Kernels<$float> = Kernels {
                name: $name,
                lanes: LANES,
                outputs: <$simd>::LANES / 4,
                columns: outer::VECTORS * <$simd>::LANES,
                pack_project: |w, stride, outs, ins, packed| {
                    assert!(ins <= stride && w.len() >= outs * stride);
                    assert!(packed.len() >= project::packed_len(round4(outs), ins, <$simd>::LANES));
                    unsafe { pack_project(w, stride, outs, ins, packed) }
                },
                project: |rows, outs, packed, bias, z| {
                    let padded = round4(outs);
                    assert!(packed.len() >= project::packed_len(padded, rows.ins, <$simd>::LANES));
                    assert!(bias.len() >= padded * 4 && z.len() >= rows.steps * padded * LANES);
                    assert!(rows.starts.len() == LANES);
                    unsafe { project(rows, padded, Weights { packed: packed.as_ptr(), bias: bias.as_ptr() }, z) }
                },
                pack_matmul: |w, outs, ins, transposed, packed| {
                    assert!(w.len() >= outs * ins && packed.len() >= round4(outs) * ins);
                    unsafe { pack_matmul(w, outs, ins, transposed, packed) }
                },
                matmul: |packed, Shape { outs, ins }, x, bias, z| {
                    let padded = round4(outs);
                    assert!(packed.len() >= padded * ins && x.len() >= ins * LANES && z.len() >= padded * LANES);
                    assert!(bias.is_none_or(|bias| bias.len() >= padded));
                    let bias = bias.map_or(std::ptr::null(), <[$float]>::as_ptr);
                    unsafe { matmul(packed, Shape { outs: padded, ins }, x, bias, z) }
                },
                drop_lanes: |d, n, x| {
                    let len = n.next_multiple_of(2) * LANES;
                    assert!(x.len() >= len && d.factors.len() >= len && d.values.len() >= len);
                    unsafe { drop_lanes(d, n, x) }
                },
                add_kept: |factors, dx, to| {
                    assert!(factors.len() >= to.len() && dx.len() >= to.len());
                    unsafe { add_kept(factors, dx, to) }
                },
                forward: |steps, recurrent| {
                    assert!(recurrent.len() >= 4 * steps.units * steps.units);
                    let steps = steps.checked(LANES);
                    unsafe { forward(steps, recurrent) }
                },
                backward: |steps, recurrent_t, d| {
                    let (state, width) = (steps.units * LANES, round4(steps.units));
                    assert!(recurrent_t.len() >= width * 4 * steps.units && d.dc.len() >= state);
                    assert!(d.dh.len() >= (steps.steps + 1) * width * LANES);
                    let steps = steps.checked(LANES);
                    let derivatives = Derivatives { dh: d.dh.as_mut_ptr(), dc: d.dc.as_mut_ptr() };
                    unsafe { backward(steps, recurrent_t, derivatives) }
                },
                roll: |r| {
                    if r.units == 0 || r.units > 4 {
                        return false;
                    }
                    let state = r.units * LANES;
                    assert!(r.input_projection.len() >= 4 * state && r.h.len() >= state && r.c.len() >= state);
                    assert!(r.w.len() >= 4 * r.units * r.units);
                    assert!(r.path.is_empty() || r.path.len() >= r.steps * state);
                    unsafe { roll(r) }
                    true
                },
                add_rows: |table, starts, n, z| {
                    assert!(n.is_multiple_of(4) && starts.len().is_multiple_of(LANES) && z.len() >= n * LANES);
                    unsafe { add_rows(table, starts, n, z) }
                },
                add_to_rows: |from, n, starts, table| {
                    assert!(from.len() >= starts.len() * n);
                    unsafe { add_to_rows(from, n, starts, table) }
                },
                to_rows: |v, n, rows, starts| {
                    assert!(v.len() >= n * LANES && starts.len() <= LANES);
                    unsafe { to_rows(v, n, rows, starts) }
                },
                tanh: |y| unsafe { tanh(y) },
                squared_error: |y, factor, targets, starts, dy| {
                    assert!(dy.len() >= y.len() && factor.len() >= LANES && starts.len() == LANES);
                    unsafe { squared_error(y, factor, targets, starts, dy) }
                },
                softmax: |y, factor, p, log_parts| {
                    assert!(y.len() >= LANES && p.len() >= y.len() && factor.len() >= LANES);
                    assert!(log_parts.len() >= 2 * LANES);
                    unsafe { softmax(y, factor, p, log_parts) }
                },
                outer: |b, dw| {
                    assert!(b.valid <= LANES && b.starts.len() >= LANES);
                    assert!(b.ins <= b.stride && dw.len() + b.stride >= b.outs * b.stride + b.ins);
                    assert!(b.dz.len() >= b.steps * round4(b.outs) * LANES);
                    unsafe { outer(b, dw) }
                },
                lane_outer: |dz, x, steps, acc| {
                    assert!(dz.values.len() >= dz.len(steps, LANES) && x.values.len() >= x.len(steps, LANES));
                    assert!(acc.len() >= dz.vectors * x.vectors * LANES);
                    unsafe { lane_outer(dz, x, steps, acc) }
                },
                lane_sums: |v, steps, acc| {
                    assert!(v.values.len() >= v.len(steps, LANES) && acc.len() >= v.vectors * LANES);
                    unsafe { lane_sums(v, steps, acc) }
                },
                prefetch: |next| unsafe { prefetch(next) },
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
table!(avx512, "AVX-512", f32, super::super::avx512::Avx512, block Double<super::super::avx512::Avx512>, rows 8, wide true, #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2,fma")]);
#[cfg(target_arch = "x86_64")]
table!(avx512_f64, "AVX-512", f64, super::super::avx512_f64::Avx512F64, block Double<super::super::avx512_f64::Avx512F64>, rows 8, wide true, #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2,fma")]);
#[cfg(target_arch = "x86_64")]
table!(avx2, "AVX2", f32, super::super::avx2::Avx2, block super::super::avx2::Avx2, rows 4, wide false, #[target_feature(enable = "avx2,fma")]);
table!(portable_f32, "portable f32", f32, portable::Portable<f32>, block portable::Portable<f32>, rows 4, wide false);
table!(portable_f64, "portable f64", f64, portable::Portable<f64>, block portable::Portable<f64>, rows 4, wide false);
