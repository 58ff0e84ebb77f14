//! Sums over lanes and rows, and the optimizer's step against their definitions. All buffers are as large as
//! documented and no larger, so that Miri sees what is read or written beyond them.

use super::super::{AdamStep, Kernels, Lanes, Next};
use super::{SUM_TOLERANCE, close, double_paths, paths, random, rng};
use crate::real::Real;

fn lane_sums<F: Real>(k: &Kernels<F>) {
    let (mut rng, lanes) = (rng(5), k.lanes);
    for (outs, ins, steps) in [(1, 1, 1), (2, 3, 2), (3, 4, 3), (5, 2, 1), (7, 8, 2), (4, 3, 0)] {
        let (stride_dz, stride_x) = (outs + 1, ins + 2);
        let len = |stride: usize, vectors: usize| if steps == 0 { 0 } else { (steps - 1) * stride + vectors };
        let (dz, x): (Vec<F>, Vec<F>) =
            (random(&mut rng, len(stride_dz, outs) * lanes), random(&mut rng, len(stride_x, ins) * lanes));
        let both = (
            Lanes { values: &dz, vectors: outs, stride: stride_dz },
            Lanes { values: &x, vectors: ins, stride: stride_x },
        );
        let mut products: Vec<F> = random(&mut rng, outs * ins * lanes);
        let mut sums: Vec<F> = random(&mut rng, outs * lanes);
        let before = (products.clone(), sums.clone());
        (k.lane_outer)(both.0, both.1, steps, &mut products);
        (k.lane_sums)(both.0, steps, &mut sums);
        for lane in 0..lanes {
            let dz = |t: usize, o: usize| dz[(t * stride_dz + o) * lanes + lane].as_f64();
            let x = |t: usize, i: usize| x[(t * stride_x + i) * lanes + lane].as_f64();
            for o in 0..outs {
                let sum: f64 = (0..steps).map(|t| dz(t, o)).sum();
                let at = o * lanes + lane;
                close(k.name, "sum of lanes", sums[at], before.1[at].as_f64() + sum, SUM_TOLERANCE);
                for i in 0..ins {
                    let sum: f64 = (0..steps).map(|t| dz(t, o) * x(t, i)).sum();
                    let at = (o * ins + i) * lanes + lane;
                    close(
                        k.name,
                        "product of lanes",
                        products[at],
                        before.0[at].as_f64() + sum,
                        SUM_TOLERANCE,
                    );
                }
            }
        }
        let mut reduced = vec![F::one(); outs];
        let expected: Vec<f64> =
            sums.chunks(lanes).map(|v| 1.0 + v.iter().map(|v| v.as_f64()).sum::<f64>()).collect();
        (k.reduce_lanes)(&mut sums, &mut reduced);
        for (found, expected) in reduced.into_iter().zip(expected) {
            close(k.name, "sum over lanes", found, expected, SUM_TOLERANCE);
        }
        assert!(sums.iter().all(|&v| v == F::zero()), "{}: not cleared", k.name);
    }
}

#[test]
fn sums_of_lanes() {
    paths().into_iter().for_each(lane_sums);
    double_paths().into_iter().for_each(lane_sums);
}

fn looked_up<F: Real>(k: &Kernels<F>) {
    let (mut rng, lanes) = (rng(6), k.lanes);
    let widths: &[usize] = if cfg!(miri) { &[4, 20, 68] } else { &[4, 8, 12, 16, 20, 64, 68, 132] };
    for &n in widths {
        for variables in [1, 3] {
            let rows = 5;
            let table: Vec<F> = random(&mut rng, rows * n);
            let starts: Vec<usize> = (0..variables * lanes).map(|i| i * 7 % rows * n).collect();
            let mut z: Vec<F> = random(&mut rng, n * lanes);
            let before = z.clone();
            (k.add_rows)(&table, &starts, n, &mut z);
            for (i, (&found, &before)) in z.iter().zip(&before).enumerate() {
                let (element, lane) = (i / lanes, i % lanes);
                let sum: f64 =
                    (0..variables).map(|v| table[starts[v * lanes + lane] + element].as_f64()).sum();
                close(k.name, "looked-up sum", found, before.as_f64() + sum, SUM_TOLERANCE);
            }

            let starts = &starts[..lanes - 1];
            let from: Vec<F> = random(&mut rng, starts.len() * n);
            let mut gradient = table.clone();
            (k.add_to_rows)(&from, n, starts, &mut gradient);
            for (i, (&found, &before)) in gradient.iter().zip(&table).enumerate() {
                let (row, element) = (i / n, i % n);
                let own = starts.iter().enumerate().filter(|(_, start)| **start == row * n);
                let sum: f64 = own.map(|(i, _)| from[i * n + element].as_f64()).sum();
                close(k.name, "gradient of a row", found, before.as_f64() + sum, SUM_TOLERANCE);
            }
        }
    }
}

#[test]
fn looked_up_rows() {
    paths().into_iter().for_each(looked_up);
    double_paths().into_iter().for_each(looked_up);
}

/// Adam by Kingma and Ba's algorithm 1, and the decoupled decay of AdamW, in f64.
fn adam_steps<F: Real>(k: &Kernels<F>, tolerance: f64) {
    let mut rng = rng(7);
    let (beta1, beta2, rate, epsilon, decay) = (0.9, 0.99, 0.01, 1e-3, 0.1);
    for n in [1, 3, 7, 8, 9, 15, 16, 17, 31, 35] {
        let mut p: Vec<F> = random(&mut rng, n);
        let (mut m, mut v) = (vec![F::zero(); n], vec![F::zero(); n]);
        let mut reference: Vec<[f64; 3]> = p.iter().map(|p| [p.as_f64(), 0.0, 0.0]).collect();
        for t in 1..=4 {
            let g: Vec<F> = random(&mut rng, n);
            let corrections = (1.0 - f64::powi(beta1, t), 1.0 - f64::powi(beta2, t));
            let step = AdamStep {
                beta1: F::from_f64(beta1),
                beta2: F::from_f64(beta2),
                rate: F::from_f64(rate / corrections.0),
                root_correction: F::from_f64(1.0 / corrections.1.sqrt()),
                epsilon: F::from_f64(epsilon),
                shrink: F::from_f64(1.0 - rate * decay),
            };
            (k.adam)(step, &mut p, &g, &mut m, &mut v);
            for ([p, m, v], g) in reference.iter_mut().zip(&g) {
                let g = g.as_f64();
                *m = beta1 * *m + (1.0 - beta1) * g;
                *v = beta2 * *v + (1.0 - beta2) * g * g;
                *p -= rate * decay * *p;
                *p -= rate * (*m / corrections.0) / ((*v / corrections.1).sqrt() + epsilon);
            }
        }
        for (i, expected) in reference.into_iter().enumerate() {
            close(k.name, "parameter", p[i], expected[0], tolerance);
            close(k.name, "first moment", m[i], expected[1], tolerance);
            close(k.name, "second moment", v[i], expected[2], tolerance);
        }
    }
}

#[test]
fn steps_of_adam() {
    paths().into_iter().for_each(|k| adam_steps(k, 1e-6));
    double_paths().into_iter().for_each(|k| adam_steps(k, 1e-14));
}

fn prefetching<F: Real>(k: &Kernels<F>) {
    let x = vec![F::one(); 3];
    let starts: Vec<usize> = (0..k.lanes).map(|lane| lane * 1_000_000).collect();
    (k.prefetch)(Next { x: &x, starts: &starts, line: 1 << 20, count: 3 });
    (k.prefetch)(Next::NONE);
    let mut y: Vec<F> = (0..k.lanes).map(|lane| F::from_f64(lane as f64 / 3.0 - 2.0)).collect();
    (k.tanh)(&mut y);
    for (lane, &y) in y.iter().enumerate() {
        close(k.name, "tanh", y, (lane as f64 / 3.0 - 2.0).tanh(), 1e-6);
    }
}

/// Prefetching may name any address, since it reads none.
#[test]
fn fetching_beyond_the_end_reads_nothing() {
    paths().into_iter().for_each(prefetching);
    double_paths().into_iter().for_each(prefetching);
}
