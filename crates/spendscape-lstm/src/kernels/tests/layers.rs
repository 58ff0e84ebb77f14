//! The recurrence forward, backward and rolled out, lane by lane against its equations and their differences in f64. All
//! buffers are as large as documented and no larger, so that Miri sees what is read or written beyond them.

use super::super::{Kernels, LayerDerivatives, LayerSteps, Roll, round4};
use super::{close, double_paths, paths, random, rng};
use crate::real::Real;
use rand_xoshiro::Xoshiro256PlusPlus;

/// Rounding through a few steps of numbers of order one, and for f64 the error of the differences.
const TOLERANCE: f64 = 2e-5;
const DOUBLE_TOLERANCE: f64 = 1e-9;
/// The step of the differences: their error is of order step^2 plus rounding / step.
const STEP: f64 = 1e-5;

/// One lane of a layer: weighted inputs (steps x 4 units), the state before, and the steps that count.
#[derive(Clone)]
struct Lane {
    z: Vec<f64>,
    h: Vec<f64>,
    c: Vec<f64>,
    mask: Vec<bool>,
}

impl Lane {
    /// The states before the first step and after every step: (steps + 1) x units.
    fn run(&self, w: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let units = self.h.len();
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let (mut h, mut c) = (self.h.clone(), self.c.clone());
        let (mut all_h, mut all_c) = (h.clone(), c.clone());
        for (z, &on) in self.z.chunks(4 * units).zip(&self.mask) {
            let before = h.clone();
            let sum = |r: usize| z[r] + (0..units).map(|j| w[r * units + j] * before[j]).sum::<f64>();
            for u in (0..units).filter(|_| on) {
                let [i, f, g, o] = [0, 1, 2, 3].map(|gate| sum(gate * units + u));
                c[u] = sigmoid(f) * c[u] + sigmoid(i) * g.tanh();
                h[u] = sigmoid(o) * c[u].tanh();
            }
            all_h.extend(&h);
            all_c.extend(&c);
        }
        (all_h, all_c)
    }
}

/// A block of lanes, its buffers, and the derivatives from outside.
struct Layer<F> {
    units: usize,
    steps: usize,
    from_zero: bool,
    w: Vec<F>,
    z: Vec<F>,
    h: Vec<F>,
    c: Vec<F>,
    mask: Vec<F>,
    dh: Vec<F>,
    dc: Vec<F>,
}

impl<F: Real> Layer<F> {
    fn new(
        k: &Kernels<F>,
        rng: &mut Xoshiro256PlusPlus,
        units: usize,
        steps: usize,
        masked: bool,
        from_zero: bool,
    ) -> Self {
        let (lanes, width) = (k.lanes, round4(units));
        let mut padded = |rows: usize| {
            let mut values: Vec<F> = random(rng, rows * width * lanes);
            for (i, value) in values.iter_mut().enumerate() {
                if i / lanes % width >= units {
                    *value = F::zero();
                }
            }
            values
        };
        let (mut h, dh) = (padded(1), padded(steps + 1));
        if from_zero {
            h.fill(F::zero());
        }
        h.resize((steps + 1) * width * lanes, F::zero());
        let mut c: Vec<F> = random(rng, units * lanes);
        c.resize((steps + 1) * units * lanes, F::nan());
        let on = |i: usize| if (i * 5) % 3 == 1 { F::zero() } else { F::one() };
        Self {
            units,
            steps,
            from_zero,
            w: random(rng, 4 * units * units),
            z: random(rng, steps * 4 * units * lanes),
            h,
            c,
            mask: (0..if masked { steps * lanes } else { 0 }).map(on).collect(),
            dh,
            dc: random(rng, units * lanes),
        }
    }

    fn lane(&self, k: &Kernels<F>, lane: usize) -> Lane {
        let of =
            |values: &[F], count: usize| (0..count).map(|i| values[i * k.lanes + lane].as_f64()).collect();
        let on = |t: usize| self.mask.get(t * k.lanes + lane).is_none_or(|&on| on != F::zero());
        Lane {
            z: of(&self.z, self.steps * 4 * self.units),
            h: of(&self.h, self.units),
            c: of(&self.c, self.units),
            mask: (0..self.steps).map(on).collect(),
        }
    }

    fn check(mut self, k: &Kernels<F>, tolerance: f64) {
        let (lanes, units, steps, width) = (k.lanes, self.units, self.steps, round4(self.units));
        let all: Vec<Lane> = (0..lanes).map(|lane| self.lane(k, lane)).collect();
        let w: Vec<f64> = self.w.iter().map(|w| w.as_f64()).collect();
        let (mut recurrent, mut recurrent_t) =
            (vec![F::zero(); 4 * units * units], vec![F::zero(); width * 4 * units]);
        (k.pack_matmul)(&self.w, 4 * units, units, false, &mut recurrent);
        (k.pack_matmul)(&self.w, units, 4 * units, true, &mut recurrent_t);
        let outside = (self.dh.clone(), self.dc.clone());
        let mut tanh_c = vec![F::zero(); steps * units * lanes];
        macro_rules! layer_steps {
            () => {
                LayerSteps {
                    units,
                    steps,
                    z: &mut self.z,
                    h: &mut self.h,
                    c: &mut self.c,
                    tanh_c: &mut tanh_c,
                    mask: &self.mask,
                    from_zero: self.from_zero,
                }
            };
        }
        (k.forward)(layer_steps!(), &recurrent);
        for (lane, reference) in all.iter().enumerate() {
            let (h, c) = reference.run(&w);
            for i in 0..(steps + 1) * units {
                let (t, u) = (i / units, i % units);
                close(k.name, "hidden state", self.h[(t * width + u) * lanes + lane], h[i], tolerance);
                close(k.name, "cell state", self.c[i * lanes + lane], c[i], tolerance);
            }
        }

        (k.backward)(layer_steps!(), &recurrent_t, LayerDerivatives { dh: &mut self.dh, dc: &mut self.dc });
        for (lane, reference) in all.into_iter().enumerate() {
            let loss = |at: &Lane| {
                let (h, c) = at.run(&w);
                let dh = |i: usize| outside.0[(i / units * width + i % units) * lanes + lane].as_f64();
                let through_h: f64 = h.iter().enumerate().map(|(i, h)| dh(i) * h).sum();
                let last = c[steps * units..].iter().enumerate();
                through_h + last.map(|(u, c)| outside.1[u * lanes + lane].as_f64() * c).sum::<f64>()
            };
            let slope = |place: &dyn Fn(&mut Lane) -> &mut f64| {
                let [mut above, mut below] = [reference.clone(), reference.clone()];
                *place(&mut above) += STEP;
                *place(&mut below) -= STEP;
                (loss(&above) - loss(&below)) / (2.0 * STEP)
            };
            for i in 0..steps * 4 * units {
                let expected = slope(&|at| &mut at.z[i]);
                close(k.name, "derivative of a gate", self.z[i * lanes + lane], expected, tolerance);
            }
            for u in 0..units {
                let expected = slope(&|at| &mut at.c[u]);
                close(k.name, "derivative of c0", self.dc[u * lanes + lane], expected, tolerance);
                if !self.from_zero {
                    let expected = slope(&|at| &mut at.h[u]);
                    close(k.name, "derivative of h0", self.dh[u * lanes + lane], expected, tolerance);
                }
            }
        }
    }
}

fn layers<F: Real>(k: &Kernels<F>, tolerance: f64) {
    let mut rng = rng(3);
    let sizes: &[(usize, usize)] = if cfg!(miri) {
        &[(1, 1), (3, 2)]
    } else {
        &[(1, 1), (1, 4), (2, 3), (3, 5), (4, 2), (5, 3), (9, 2), (17, 2)]
    };
    for &(units, steps) in sizes {
        for masked in [false, true] {
            for from_zero in [false, true] {
                Layer::new(k, &mut rng, units, steps, masked, from_zero).check(k, tolerance);
            }
        }
    }
}

#[test]
fn layers_follow_their_equations_and_differences() {
    paths().into_iter().for_each(|k| layers(k, TOLERANCE));
    double_paths().into_iter().for_each(|k| layers(k, DOUBLE_TOLERANCE));
}

/// The fused roll-out gives the bits of the layer under repeated weighted inputs.
fn rolled<F: Real>(k: &Kernels<F>) {
    const STEPS: usize = 5;
    let (mut rng, lanes) = (rng(4), k.lanes);
    for units in 1..=4 {
        let mut layer = Layer::new(k, &mut rng, units, STEPS, false, false);
        let held = layer.z[..4 * units * lanes].to_vec();
        layer.z = held.repeat(STEPS);
        let (mut h, mut c) = (layer.h[..units * lanes].to_vec(), layer.c[..units * lanes].to_vec());
        let mut path = vec![F::zero(); STEPS * units * lanes];
        let (mut h2, mut c2) = (h.clone(), c.clone());
        let roll = Roll {
            units,
            steps: STEPS,
            input_projection: &held,
            w: &layer.w,
            h: &mut h,
            c: &mut c,
            path: &mut path,
        };
        assert!((k.roll)(roll));
        let roll = Roll {
            units,
            steps: STEPS,
            input_projection: &held,
            w: &layer.w,
            h: &mut h2,
            c: &mut c2,
            path: &mut [],
        };
        assert!((k.roll)(roll) && h2 == h && c2 == c, "{}: the path changes the end", k.name);

        let mut recurrent = vec![F::zero(); 4 * units * units];
        (k.pack_matmul)(&layer.w, 4 * units, units, false, &mut recurrent);
        let mut tanh_c = vec![F::zero(); STEPS * units * lanes];
        let steps = LayerSteps {
            units,
            steps: STEPS,
            z: &mut layer.z,
            h: &mut layer.h,
            c: &mut layer.c,
            tanh_c: &mut tanh_c,
            mask: &[],
            from_zero: false,
        };
        (k.forward)(steps, &recurrent);
        for (t, path) in path.chunks(units * lanes).enumerate() {
            let expected = &layer.h[(t + 1) * round4(units) * lanes..][..units * lanes];
            assert!(path == expected, "{}: {units} units, step {t}", k.name);
        }
        assert!(h == path[(STEPS - 1) * units * lanes..], "{}", k.name);
        assert!(c == layer.c[STEPS * units * lanes..], "{}", k.name);
    }
    let roll =
        Roll { units: 5, steps: 1, input_projection: &[], w: &[], h: &mut [], c: &mut [], path: &mut [] };
    assert!(!(k.roll)(roll), "{}: five units are not fused", k.name);
}

#[test]
fn a_fused_roll_out_is_the_layer() {
    paths().into_iter().for_each(rolled);
    double_paths().into_iter().for_each(rolled);
}
