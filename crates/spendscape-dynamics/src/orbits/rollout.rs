//! Extended trajectories: every customer's input held for many steps (P3, section III-D), in f64.
//!
//! Customers advance side by side in lanes, so that the exponentials of several customers share vectors and hide each
//! other's latency.

use ndarray::{Array3, ArrayRef, Axis, Ix2};
use rayon::prelude::*;
use spendscape_stats::check;

use crate::error::Error;
use crate::fixed_points::complete::{Recurrent, recurrent, with_units};
use crate::interval::{Interval, exp_parts};
use crate::map::{LstmCell, LstmMap, Map};

/// Customers advanced together.
const LANES: usize = 8;
/// Units of parallel work at the most; results do not depend on it.
const UNITS_OF_WORK: usize = 256;

/// The hidden states of each customer (`inputs` is N x C, each row held for ever) after steps 1 to `steps` from
/// `h = c = 0`: N x steps x M.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{map::LstmCell, orbits::extended_trajectories};
///
/// // An input that drives the only unit up; it settles.
/// let cell = LstmCell::new(&array![[0.0], [0.0], [1.0], [0.0]], &Array2::zeros((4, 1)), &array![0.0, 0.0, 0.0, 0.0])?;
/// let states = extended_trajectories(&cell, &array![[1.0]], 60)?;
/// assert!(states[[0, 0, 0]] > 0.0);
/// assert!((states[[0, 59, 0]] - states[[0, 58, 0]]).abs() < 1e-12);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
///
/// # Errors
/// [`Error::InputWidth`] or `BadInput::NotFinite`.
pub fn extended_trajectories(
    cell: &LstmCell,
    inputs: &ArrayRef<f64, Ix2>,
    steps: usize,
) -> Result<Array3<f64>, Error> {
    let a = &cell.affine;
    if inputs.ncols() != cell.inputs() {
        return Err(Error::InputWidth { expected: cell.inputs(), found: inputs.ncols() });
    }
    check::finite("inputs", inputs)?;
    let (n, m) = (inputs.nrows(), cell.units());
    let mut out = Array3::zeros((n, steps, m));
    if n == 0 || steps == 0 {
        return Ok(out);
    }
    // Standard layout, so that rows are slices.
    let z0 = (inputs.dot(&a.w_x.t()) + a.b.view().insert_axis(Axis(0))).as_standard_layout().into_owned();
    let width = 4 * m;
    let z0 = z0.as_slice().unwrap_or_default();
    let values = out.as_slice_mut().unwrap_or_default();
    let rows = n.div_ceil(UNITS_OF_WORK).next_multiple_of(LANES);
    values.par_chunks_mut(rows * steps * m).zip(z0.par_chunks(rows * width)).for_each(|(out, z0)| {
        with_units!(m, N => {
            let w = recurrent::<N>(cell);
            for (out, z0) in out.chunks_mut(LANES * steps * m).zip(z0.chunks(LANES * width)) {
                lanes::<N>(&w, z0, steps, out);
            }
        }, {
            let mut map = LstmMap { cell, z0: vec![Interval::ZERO; width], input_known: false };
            let (mut x, mut next) = (vec![0.0; 2 * m], vec![0.0; 2 * m]);
            for (out, z0) in out.chunks_mut(steps * m).zip(z0.chunks(width)) {
                map.z0.iter_mut().zip(z0).for_each(|(to, z)| *to = Interval::point(*z));
                x.fill(0.0);
                for row in out.chunks_mut(m) {
                    map.step(&x, &mut next);
                    std::mem::swap(&mut x, &mut next);
                    row.copy_from_slice(&x[..m]);
                }
            }
        });
    });
    Ok(out)
}

/// Advances up to `LANES` customers; missing lanes repeat zeros and are not written.
fn lanes<const N: usize>(w: &Recurrent<N>, z0: &[f64], steps: usize, out: &mut [f64]) {
    let count = z0.len() / (4 * N);
    let mut base = [[[0.0; LANES]; N]; 4];
    for lane in 0..count {
        for (q, gate) in base.iter_mut().enumerate() {
            for (k, unit) in gate.iter_mut().enumerate() {
                unit[lane] = z0[lane * 4 * N + q * N + k];
            }
        }
    }
    let (mut h, mut c) = ([[0.0; LANES]; N], [[0.0; LANES]; N]);
    for t in 0..steps {
        let mut next = [[0.0; LANES]; N];
        for k in 0..N {
            let z: [[f64; LANES]; 4] = std::array::from_fn(|q| {
                let mut z = base[q][k];
                for (w, h) in w[q][k].iter().zip(&h) {
                    for lane in 0..LANES {
                        z[lane] += w * h[lane];
                    }
                }
                z
            });
            let (ei, _) = exp_parts(z[0].map(f64::abs));
            let (ef, _) = exp_parts(z[1].map(f64::abs));
            let (eg, mg) = exp_parts(z[2].map(|z| 2.0 * z.abs()));
            let (eo, _) = exp_parts(z[3].map(f64::abs));
            let on = |z: f64, e: f64| if z >= 0.0 { 1.0 } else { e };
            for lane in 0..LANES {
                let drive = on(z[0][lane], ei[lane]) * f64::copysign(mg[lane], z[2][lane])
                    / ((1.0 + ei[lane]) * (1.0 + eg[lane]));
                c[k][lane] = on(z[1][lane], ef[lane]) / (1.0 + ef[lane]) * c[k][lane] + drive;
            }
            let (ec, mc) = exp_parts(c[k].map(|c| 2.0 * c.abs()));
            for lane in 0..LANES {
                next[k][lane] = on(z[3][lane], eo[lane]) * f64::copysign(mc[lane], c[k][lane])
                    / ((1.0 + eo[lane]) * (1.0 + ec[lane]));
            }
        }
        h = next;
        for lane in 0..count {
            for (k, h) in h.iter().enumerate() {
                out[(lane * steps + t) * N + k] = h[lane];
            }
        }
    }
}
