//! Every path against a slow obvious reference, on many shapes.

use super::{Instructions, Kernels, LayerSteps, Next, OuterBlock, Roll, Rows, for_f32, for_f64, round4};
use crate::real::Real;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Rounding of a sum of about a hundred products of numbers below one in f32.
const SUM_TOLERANCE: f64 = 2e-5;
/// The stated error of the f32 sigmoid and tanh, with room for the roundings around them.
const GATE_TOLERANCE: f64 = 1e-6;

fn paths() -> Vec<&'static Kernels<f32>> {
    let sets = [Instructions::Portable, Instructions::Avx2, Instructions::Avx512];
    sets.into_iter().filter_map(for_f32).collect()
}

fn random<F: Real>(rng: &mut Xoshiro256PlusPlus, n: usize) -> Vec<F> {
    (0..n).map(|_| F::from_f64(rng.random_range(-1.0..1.0))).collect()
}

fn close<F: Real>(name: &str, what: &str, got: F, expected: f64, tolerance: f64) {
    assert!((got.as_f64() - expected).abs() < tolerance, "{name} {what}: {got} for {expected}");
}

fn projection<F: Real>(k: &Kernels<F>, rng: &mut Xoshiro256PlusPlus) {
    for outs in 1..=21 {
        for ins in [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33, 97] {
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
    for outs in (1..=40).step_by(3) {
        for ins in [1, 3, 4, 12, 40] {
            let (w, x): (Vec<F>, Vec<F>) = (random(rng, outs * ins), random(rng, ins * k.lanes));
            for transposed in [false, true] {
                let mut packed = vec![F::zero(); round4(outs) * ins];
                (k.pack_matmul)(&w, outs, ins, transposed, &mut packed);
                let mut z = vec![F::one(); round4(outs) * k.lanes];
                (k.matmul)(&packed, outs, ins, &x, &mut z);
                for o in 0..outs {
                    for lane in 0..k.lanes {
                        let weight = |i: usize| w[if transposed { i * outs + o } else { o * ins + i }];
                        let dot: f64 =
                            (0..ins).map(|i| weight(i).as_f64() * x[i * k.lanes + lane].as_f64()).sum();
                        close(k.name, "product", z[o * k.lanes + lane], 1.0 + dot, SUM_TOLERANCE);
                    }
                }
            }
        }
    }
}

fn outer_products<F: Real>(k: &Kernels<F>, rng: &mut Xoshiro256PlusPlus) {
    for outs in 1..=26 {
        for ins in [1, 2, 3, 7, 16, 17, 20, 33, 35, 36, 97] {
            let (steps, valid) = (1 + outs % 11, 1 + (outs * ins) % k.lanes);
            let x: Vec<F> = random(rng, steps * k.lanes * ins);
            let starts: Vec<usize> = (0..steps * k.lanes).map(|i| i * ins).collect();
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
                            sum += d * x[starts[t * k.lanes + lane] + i].as_f64();
                        }
                    }
                    close(k.name, "outer product", dw[o * ins + i], sum, SUM_TOLERANCE);
                }
            }
        }
    }
}

#[test]
fn linear_kernels() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    for k in paths() {
        projection(k, &mut rng);
        products(k, &mut rng);
        outer_products(k, &mut rng);
    }
    let k = for_f64(Instructions::Widest).unwrap();
    projection(k, &mut rng);
    products(k, &mut rng);
    outer_products(k, &mut rng);
}

/// One unit with the given weighted inputs; returns (h, c) of every lane after one step from (0, c0).
fn one_step(k: &Kernels<f32>, z: [f32; 4], c0: f32) -> (f32, f32) {
    let lanes = k.lanes;
    let mut gates: Vec<f32> = z.iter().flat_map(|&v| vec![v; lanes]).collect();
    let (mut h, mut c) = (vec![0.0; 8 * lanes], vec![c0; 2 * lanes]);
    let (mut tanh_c, mut packed) = (vec![0.0; lanes], vec![0.0; 4]);
    (k.pack_matmul)(&[0.0; 4], 4, 1, false, &mut packed);
    let steps = LayerSteps {
        units: 1,
        steps: 1,
        z: &mut gates,
        h: &mut h,
        c: &mut c,
        tanh_c: &mut tanh_c,
        mask: &[],
    };
    (k.forward)(steps, &packed);
    (h[4 * lanes], c[lanes])
}

#[test]
fn gates_follow_their_definition() {
    let sigmoid = |x: f32| 1.0 / (1.0 + (-f64::from(x)).exp());
    for k in paths() {
        for i in -400..=400 {
            let x = i as f32 * 0.05;
            let (h, c) = one_step(k, [x, -x, 0.7 * x, 0.3 - x], 0.5);
            let cell = sigmoid(-x) * 0.5 + sigmoid(x) * (0.7 * f64::from(x)).tanh();
            close(k.name, "cell", c, cell, GATE_TOLERANCE);
            close(k.name, "hidden", h, sigmoid(0.3 - x) * cell.tanh(), GATE_TOLERANCE);
        }
    }
}

#[test]
fn gates_at_the_edges() {
    for k in paths() {
        let (h, c) = one_step(k, [0.0; 4], 0.0);
        assert_eq!((h, c), (0.0, 0.0), "{}: zero is exact", k.name);
        for big in [90.0, 200.0, 1e30, f32::INFINITY] {
            let (h, c) = one_step(k, [big, -big, big, big], 0.25);
            close(k.name, "open input gate", c, 1.0, GATE_TOLERANCE);
            close(k.name, "open output gate", h, 1f64.tanh(), GATE_TOLERANCE);
            let (h, c) = one_step(k, [-big, big, -big, -big], 0.25);
            close(k.name, "kept cell", c, 0.25, GATE_TOLERANCE);
            close(k.name, "shut output gate", h, 0.0, GATE_TOLERANCE);
        }
        for bad in 0..4 {
            let mut z = [0.1; 4];
            z[bad] = f32::NAN;
            assert!(one_step(k, z, 0.5).0.is_nan(), "{}: NaN at gate {bad} is lost", k.name);
        }
        assert!(one_step(k, [0.1; 4], f32::NAN).0.is_nan(), "{}: NaN in the cell is lost", k.name);
    }
}

#[test]
fn rows_are_transposed() {
    for k in paths() {
        for n in [1, 3, 4, 6, 17] {
            for valid in [1, k.lanes - 1, k.lanes] {
                let v: Vec<f32> = (0..n * k.lanes).map(|i| i as f32).collect();
                let mut rows = vec![-1.0; k.lanes * (n + 2)];
                (k.to_rows)(&v, n, &mut rows, n + 2, valid);
                for (i, &x) in rows.iter().enumerate() {
                    let (lane, column) = (i / (n + 2), i % (n + 2));
                    let inside = lane < valid && column < n;
                    assert_eq!(x, if inside { (column * k.lanes + lane) as f32 } else { -1.0 }, "{}", k.name);
                }
            }
        }
    }
}

#[test]
#[should_panic(expected = "assertion")]
fn short_buffers_are_refused() {
    let k = for_f32(Instructions::Widest).unwrap();
    let held = vec![0.0; 4 * k.lanes];
    let (mut h, mut c) = (vec![0.0; k.lanes], vec![0.0; k.lanes - 1]);
    let w = [0.0; 4];
    (k.roll)(Roll { units: 1, steps: 1, held: &held, w: &w, h: &mut h, c: &mut c, path: &mut [] });
}
