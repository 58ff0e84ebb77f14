//! Every path against a slow obvious reference, on many shapes; on few of them under Miri, which is ten thousand times as
//! slow and looks for what is read or written beyond a buffer.

mod layers;
mod sums;

use super::{
    Dropping, Generators, Instructions, Kernels, LayerSteps, Next, OuterBlock, Roll, Rows, Shape, for_f32,
    for_f64, round4,
};
use crate::real::Real;
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Rounding of a sum of about a hundred products of numbers below one in f32.
const SUM_TOLERANCE: f64 = 2e-5;
/// Errors of the f32 sigmoid and tanh, with room for the roundings around them.
const GATE_TOLERANCE: f64 = 1e-6;
/// The same for f64.
const DOUBLE_GATE_TOLERANCE: f64 = 1e-15;

fn paths() -> Vec<&'static Kernels<f32>> {
    let sets = [Instructions::Portable, Instructions::Avx2, Instructions::Avx512];
    sets.into_iter().filter_map(for_f32).collect()
}

fn double_paths() -> Vec<&'static Kernels<f64>> {
    [Instructions::Portable, Instructions::Avx512].into_iter().filter_map(for_f64).collect()
}

fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// The sizes to test; under Miri only those that meet every loop of the kernels once.
fn sizes(all: impl Iterator<Item = usize>, few: &[usize]) -> Vec<usize> {
    if cfg!(miri) { few.to_vec() } else { all.collect() }
}

/// A path that is no longer found would be tested no longer, and nobody would see it.
#[cfg(target_arch = "x86_64")]
#[test]
fn every_path_of_this_cpu_is_tested() {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let parts = is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512dq");
    let avx512 = avx2 && is_x86_feature_detected!("avx512f") && parts;
    let expected = ["portable f32", "AVX2", "AVX-512"].into_iter().zip([true, avx2, avx512]);
    let expected: Vec<&str> = expected.filter_map(|(name, here)| here.then_some(name)).collect();
    assert_eq!(paths().iter().map(|k| k.name).collect::<Vec<_>>(), expected);
    assert_eq!(for_f32(Instructions::Widest).map(|k| k.name), expected.last().copied());
    let expected = if avx512 { &["portable f64", "AVX-512"][..] } else { &["portable f64"] };
    assert_eq!(double_paths().iter().map(|k| k.name).collect::<Vec<_>>(), expected);
    assert_eq!(for_f64(Instructions::Widest).map(|k| k.name), expected.last().copied());
}

fn random<F: Real>(rng: &mut Xoshiro256PlusPlus, n: usize) -> Vec<F> {
    (0..n).map(|_| F::from_f64(rng.random_range(-1.0..1.0))).collect()
}

fn close<F: Real>(name: &str, what: &str, got: F, expected: f64, tolerance: f64) {
    assert!((got.as_f64() - expected).abs() < tolerance, "{name} {what}: {got} for {expected}");
}

fn projection<F: Real>(k: &Kernels<F>, rng: &mut Xoshiro256PlusPlus) {
    for outs in sizes(1..=21, &[1, 12, 21]) {
        for ins in sizes([1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33, 97].into_iter(), &[1, 7, 17]) {
            let (w, b): (Vec<F>, Vec<F>) = (random(rng, outs * ins), random(rng, outs));
            let x: Vec<F> = random(rng, ins * (k.lanes + 4));
            let starts: Vec<usize> = (0..k.lanes).map(|lane| (lane * 7 % (k.lanes + 3)) * ins).collect();
            let mut packed = vec![F::zero(); k.project_len(outs, ins)];
            (k.pack_project)(&w, ins, outs, ins, &mut packed);
            let mut bias4 = vec![F::zero(); round4(outs) * 4];
            b.iter().zip(bias4.chunks_mut(4)).for_each(|(b, four)| four.fill(*b));
            let mut z = vec![F::zero(); 2 * round4(outs) * k.lanes];
            let next = Next { x: &x, starts: &starts, line: 0, count: 5 };
            (k.project)(Rows { x: &x, starts: &starts, steps: 2, next, ins }, outs, &packed, &bias4, &mut z);
            for (o, t) in (0..outs).flat_map(|o| [(o, 0), (o, 1)]) {
                for lane in 0..k.lanes {
                    let row = &x[starts[lane] + t * ins..][..ins];
                    let dot: f64 = (0..ins).map(|i| w[o * ins + i].as_f64() * row[i].as_f64()).sum();
                    let found = z[(t * round4(outs) + o) * k.lanes + lane];
                    close(k.name, "projection", found, dot + b[o].as_f64(), SUM_TOLERANCE);
                }
            }
        }
    }
}

fn products<F: Real>(k: &Kernels<F>, rng: &mut Xoshiro256PlusPlus) {
    for outs in sizes((1..=40).step_by(3), &[1, 31]) {
        // The last one is more than any path takes at a time.
        for ins in sizes([1, 3, 4, 12, 40, 530].into_iter(), &[1, 5, 18]) {
            let (w, x): (Vec<F>, Vec<F>) = (random(rng, outs * ins), random(rng, ins * k.lanes));
            for transposed in [false, true] {
                let mut packed = vec![F::zero(); round4(outs) * ins];
                (k.pack_matmul)(&w, outs, ins, transposed, &mut packed);
                let mut z = vec![F::one(); round4(outs) * k.lanes];
                (k.matmul)(&packed, Shape { outs, ins }, &x, None, &mut z);
                let mut with_bias = vec![F::nan(); round4(outs) * k.lanes];
                (k.matmul)(
                    &packed,
                    Shape { outs, ins },
                    &x,
                    Some(&vec![F::one(); round4(outs)]),
                    &mut with_bias,
                );
                assert_eq!(z, with_bias, "{}: a bias instead of what was there", k.name);
                for o in 0..outs {
                    for lane in 0..k.lanes {
                        let weight = |i: usize| w[if transposed { i * outs + o } else { o * ins + i }];
                        let dot: f64 =
                            (0..ins).map(|i| weight(i).as_f64() * x[i * k.lanes + lane].as_f64()).sum();
                        // Rounding grows with the number of terms, of which the tolerance's own sums have 97.
                        let tolerance = SUM_TOLERANCE * (ins as f64 / 97.0).max(1.0);
                        close(k.name, "product", z[o * k.lanes + lane], 1.0 + dot, tolerance);
                    }
                }
            }
        }
    }
}

fn outer_products<F: Real>(k: &Kernels<F>, rng: &mut Xoshiro256PlusPlus) {
    for outs in sizes(1..=26, &[1, 14, 25]) {
        for ins in sizes([1, 2, 3, 7, 16, 17, 20, 33, 35, 36, 97].into_iter(), &[1, 7, 35]) {
            let (steps, valid) = (1 + outs % 11, 1 + (outs * ins) % k.lanes);
            let x: Vec<F> = random(rng, steps * k.lanes * ins);
            // The steps of a sample lie behind each other, or all samples of a step do, and samples may lie anywhere.
            let by_step = outs % 2 == 0;
            let step = if by_step { k.lanes * ins } else { ins };
            let places = (0..k.lanes).map(|lane| lane * 7 % k.lanes);
            let starts: Vec<usize> =
                places.map(|place| place * if by_step { ins } else { steps * ins }).collect();
            let mut dz: Vec<F> = random(rng, steps * round4(outs) * k.lanes);
            for (i, d) in dz.iter_mut().enumerate() {
                if i % k.lanes >= valid {
                    *d = F::zero();
                }
            }
            let mut dw = vec![F::one(); outs * ins];
            let block = OuterBlock {
                x: &x,
                ins,
                stride: ins,
                starts: &starts,
                step,
                dz: &dz,
                steps,
                valid,
                outs,
                next: Next::NONE,
            };
            (k.outer)(block, &mut dw);
            for o in 0..outs {
                for i in 0..ins {
                    let mut sum = 1.0;
                    for t in 0..steps {
                        for lane in 0..valid {
                            let d = dz[(t * round4(outs) + o) * k.lanes + lane].as_f64();
                            sum += d * x[starts[lane] + t * step + i].as_f64();
                        }
                    }
                    close(k.name, "outer product", dw[o * ins + i], sum, SUM_TOLERANCE);
                }
            }
        }
    }
}

/// The dropout masks follow from the generators of the lanes, whatever the instruction set.
fn dropping<F: Real>(k: &Kernels<F>) {
    let (n, share) = (7, 0.3);
    let mut references: Vec<Xoshiro256PlusPlus> =
        (0..k.lanes as u64).map(Xoshiro256PlusPlus::seed_from_u64).collect();
    let mut generators = Generators::default();
    for (lane, rng) in references.iter().enumerate() {
        generators.set(lane, rng);
    }
    let x: Vec<F> = random(&mut Xoshiro256PlusPlus::seed_from_u64(1), (n + 1) * k.lanes);
    let (mut factors, mut values) = (vec![F::nan(); x.len()], vec![F::nan(); x.len()]);
    let (dropped_of_all, kept) = ((share * 2f64.powi(32)) as u32, F::from_f64(1.0 / (1.0 - share)));
    for _ in 0..3 {
        let (generators, factors, values) = (&mut generators, &mut factors, &mut values);
        (k.drop_lanes)(Dropping { dropped_of_all, kept, generators, factors, values }, n, &x);
        for pair in 0..n.div_ceil(2) {
            for (lane, rng) in references.iter_mut().enumerate() {
                let number = rng.next_u64();
                for (half, bits) in [number as u32, (number >> 32) as u32].into_iter().enumerate() {
                    let at = (2 * pair + half) * k.lanes + lane;
                    let expected = if bits < dropped_of_all { F::zero() } else { kept };
                    assert_eq!((factors[at], values[at]), (expected, expected * x[at]), "{}", k.name);
                }
            }
        }
        let mut sum = vec![F::one(); x.len()];
        (k.add_kept)(factors, &x, &mut sum);
        for ((sum, factor), x) in sum.into_iter().zip(factors.iter()).zip(&x) {
            assert_eq!(sum, F::one() + *factor * *x, "{}", k.name);
        }
    }
}

#[test]
fn dropout() {
    paths().into_iter().for_each(dropping);
    double_paths().into_iter().for_each(dropping);
}

#[test]
fn linear_kernels() {
    let mut rng = rng(1);
    for k in paths() {
        projection(k, &mut rng);
        products(k, &mut rng);
        outer_products(k, &mut rng);
    }
    for k in double_paths() {
        projection(k, &mut rng);
        products(k, &mut rng);
        outer_products(k, &mut rng);
    }
}

/// One unit with the given weighted inputs; returns (h, c) of every lane after one step from (0, c0).
fn one_step<F: Real>(k: &Kernels<F>, z: [F; 4], c0: F) -> (F, F) {
    let (lanes, zero) = (k.lanes, F::zero());
    let mut gates: Vec<F> = z.iter().flat_map(|&v| vec![v; lanes]).collect();
    let (mut h, mut c) = (vec![zero; 8 * lanes], vec![c0; 2 * lanes]);
    let (mut tanh_c, mut packed) = (vec![zero; lanes], vec![zero; 4]);
    (k.pack_matmul)(&[zero; 4], 4, 1, false, &mut packed);
    let steps = LayerSteps {
        units: 1,
        steps: 1,
        z: &mut gates,
        h: &mut h,
        c: &mut c,
        tanh_c: &mut tanh_c,
        mask: &[],
        from_zero: false,
    };
    (k.forward)(steps, &packed);
    (h[4 * lanes], c[lanes])
}

fn gates_follow_their_definition<F: Real>(k: &Kernels<F>, tolerance: f64) {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    for i in (-400..=400).step_by(if cfg!(miri) { 50 } else { 1 }) {
        let x = F::from_f64(f64::from(i) * 0.05);
        let wide = x.as_f64();
        // What the kernel sees is rounded, and so is what it is compared with.
        let z = [x, -x, F::from_f64(0.7 * wide), F::from_f64(0.3 - wide)];
        let (h, c) = one_step(k, z, F::from_f64(0.5));
        let cell = sigmoid(-wide) * 0.5 + sigmoid(wide) * z[2].as_f64().tanh();
        close(k.name, "cell", c, cell, tolerance);
        close(k.name, "hidden", h, sigmoid(z[3].as_f64()) * cell.tanh(), tolerance);
    }
}

/// From an empty cell, the new cell state is the input gate times the candidate: with one of them at its limit, one, it is the
/// activation of the other.
fn activations_are_as_exact_as_stated<F: Real>(k: &Kernels<F>, sigmoid_error: f64, tanh_error: f64) {
    let (f, points) = (F::from_f64, if cfg!(miri) { 20 } else { 20_000 });
    for i in -points..=points {
        let x = f(18.0 * f64::from(i) / f64::from(points));
        let wide = x.as_f64();
        let sigmoid = one_step(k, [x, f(0.0), f(60.0), f(0.0)], f(0.0)).1;
        close(k.name, "sigmoid", sigmoid, 1.0 / (1.0 + (-wide).exp()), sigmoid_error);
        let tanh = one_step(k, [f(60.0), f(0.0), x, f(0.0)], f(0.0)).1;
        close(k.name, "tanh", tanh, wide.tanh(), tanh_error);
    }
}

fn gates_at_the_edges<F: Real>(k: &Kernels<F>, tolerance: f64) {
    let f = F::from_f64;
    let zero = one_step(k, [f(0.0); 4], f(0.0));
    assert_eq!(zero, (f(0.0), f(0.0)), "{}: zero is exact", k.name);
    for big in [90.0, 200.0, 800.0, 1e30, f64::INFINITY] {
        let (big, small) = (f(big), f(-big));
        let (h, c) = one_step(k, [big, small, big, big], f(0.25));
        close(k.name, "open input gate", c, 1.0, tolerance);
        close(k.name, "open output gate", h, 1f64.tanh(), tolerance);
        let (h, c) = one_step(k, [small, big, small, small], f(0.25));
        close(k.name, "kept cell", c, 0.25, tolerance);
        close(k.name, "shut output gate", h, 0.0, tolerance);
    }
    for bad in 0..4 {
        let mut z = [f(0.1); 4];
        z[bad] = F::nan();
        assert!(one_step(k, z, f(0.5)).0.is_nan(), "{}: NaN at gate {bad} is lost", k.name);
    }
    assert!(one_step(k, [f(0.1); 4], F::nan()).0.is_nan(), "{}: NaN in the cell is lost", k.name);
}

#[test]
fn gates() {
    for k in paths() {
        activations_are_as_exact_as_stated(k, 2e-7, 4.2e-7);
        gates_follow_their_definition(k, GATE_TOLERANCE);
        gates_at_the_edges(k, GATE_TOLERANCE);
    }
    for k in double_paths() {
        activations_are_as_exact_as_stated(k, 3e-16, 6e-16);
        gates_follow_their_definition(k, DOUBLE_GATE_TOLERANCE);
        gates_at_the_edges(k, DOUBLE_GATE_TOLERANCE);
    }
}

/// Sums and derivatives of squared errors; what does not count may be NaN.
fn squared_errors<F: Real>(k: &Kernels<F>) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    for n in [1, 5, 8, 19] {
        let width = n + 2;
        let mut targets: Vec<F> = random(&mut rng, k.lanes * width);
        let y: Vec<F> = random(&mut rng, n * k.lanes);
        let starts: Vec<usize> = (0..k.lanes).map(|lane| (lane * 7 % k.lanes) * width + 1).collect();
        let factor: Vec<F> = (0..k.lanes).map(|lane| F::from_f64((lane % 3) as f64)).collect();
        for &start in starts.iter().step_by(3) {
            targets[start..start + n].fill(F::nan());
        }
        let mut dy = vec![F::nan(); n * k.lanes];
        let found = (k.squared_error)(&y, &factor, &targets, &starts, &mut dy);
        let mut sum = 0.0;
        for lane in 0..k.lanes {
            for v in 0..n {
                let error = (y[v * k.lanes + lane] - targets[starts[lane] + v]).as_f64();
                let (weight, found) = (factor[lane].as_f64(), dy[v * k.lanes + lane]);
                let expected = if weight > 0.0 { weight * error } else { 0.0 };
                assert_eq!(found.as_f64(), expected, "{}: derivative {v} of lane {lane}", k.name);
                sum += if weight > 0.0 { error * error } else { 0.0 };
            }
        }
        close(k.name, "squared error", found, sum, SUM_TOLERANCE * sum.max(1.0));
    }
}

#[test]
fn squared_error() {
    paths().into_iter().for_each(squared_errors);
    double_paths().into_iter().for_each(squared_errors);
}

/// The softmax times a factor per lane, and the logarithm of the sum, also of logits whose powers overflow.
fn softmax_follows_its_definition<F: Real>(k: &Kernels<F>, tolerance: f64) {
    let mut rng = rng(2);
    for n in sizes([1, 2, 5, 97].into_iter(), &[1, 5]) {
        for size in [1.0, 30.0, 2000.0] {
            let y: Vec<F> = (0..n * k.lanes).map(|_| F::from_f64(rng.random_range(-size..size))).collect();
            let factor: Vec<F> = (0..k.lanes).map(|lane| F::from_f64((lane % 3) as f64)).collect();
            let (mut p, mut log_parts) = (vec![F::nan(); n * k.lanes], vec![F::nan(); 2 * k.lanes]);
            (k.softmax)(&y, &factor, &mut p, &mut log_parts);
            for lane in 0..k.lanes {
                let logits: Vec<f64> = y[lane..].iter().step_by(k.lanes).map(|x| x.as_f64()).collect();
                let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let total: f64 = logits.iter().map(|x| (x - top).exp()).sum();
                close(k.name, "top", log_parts[lane], top, f64::MIN_POSITIVE);
                close(k.name, "total", log_parts[k.lanes + lane], total, tolerance * n as f64);
                for (v, x) in logits.iter().enumerate() {
                    let expected = factor[lane].as_f64() * (x - top).exp() / total;
                    close(k.name, "softmax", p[v * k.lanes + lane], expected, tolerance);
                }
            }
        }
    }
}

#[test]
fn softmax() {
    paths().into_iter().for_each(|k| softmax_follows_its_definition(k, GATE_TOLERANCE));
    double_paths().into_iter().for_each(|k| softmax_follows_its_definition(k, DOUBLE_GATE_TOLERANCE));
    for k in paths() {
        for bad in 0..3 {
            let mut y = vec![0.5; 3 * k.lanes];
            y[bad * k.lanes] = f32::NAN;
            let (mut p, mut log_parts) = (vec![0.0; 3 * k.lanes], vec![0.0; 2 * k.lanes]);
            (k.softmax)(&y, &vec![1.0; k.lanes], &mut p, &mut log_parts);
            assert!(p[0].is_nan() && log_parts[k.lanes].is_nan(), "{}: NaN is lost", k.name);
            assert!(!p[1].is_nan(), "{}: NaN reaches another sample", k.name);
        }
    }
}

fn rows_are_transposed<F: Real>(k: &Kernels<F>) {
    // The longest are fetched ahead of being written.
    for n in [1, 3, 4, 6, 17, 70] {
        for valid in [1, k.lanes - 1, k.lanes] {
            let v: Vec<F> = (0..n * k.lanes).map(|i| F::from_f64(i as f64)).collect();
            let mut rows = vec![-F::one(); k.lanes * (n + 2)];
            // Rows may lie anywhere.
            let place = |lane: usize| lane * 5 % k.lanes;
            let starts: Vec<usize> = (0..valid).map(|lane| place(lane) * (n + 2)).collect();
            (k.to_rows)(&v, n, &mut rows, &starts);
            for (i, &x) in rows.iter().enumerate() {
                let (row, column) = (i / (n + 2), i % (n + 2));
                let lane = (0..k.lanes).find(|&lane| place(lane) == row).unwrap();
                let inside = lane < valid && column < n;
                let expected = if inside { (column * k.lanes + lane) as f64 } else { -1.0 };
                assert_eq!(x.as_f64(), expected, "{}", k.name);
            }
        }
    }
}

#[test]
fn transposing() {
    paths().into_iter().for_each(rows_are_transposed);
    double_paths().into_iter().for_each(rows_are_transposed);
}

#[test]
#[should_panic(expected = "assertion")]
fn short_buffers_are_refused() {
    let k = for_f32(Instructions::Widest).unwrap();
    let held = vec![0.0; 4 * k.lanes];
    let (mut h, mut c) = (vec![0.0; k.lanes], vec![0.0; k.lanes - 1]);
    let w = [0.0; 4];
    (k.roll)(Roll {
        units: 1,
        steps: 1,
        input_projection: &held,
        w: &w,
        h: &mut h,
        c: &mut c,
        path: &mut [],
    });
}
