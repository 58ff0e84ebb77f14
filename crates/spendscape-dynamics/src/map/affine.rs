//! The affine part of a recurrent cell: input weights, recurrent weights and bias, checked once.

use ndarray::{Array1, Array2, ArrayRef, Ix1, Ix2};
use spendscape_stats::check;

use crate::error::Error;
use crate::interval::{Interval, ROUND, TINY};

/// `z = W_x u + W_h h + b` for `gates` stacked gates of `units` each.
#[derive(Debug, Clone)]
pub(crate) struct Affine {
    pub(crate) units: usize,
    pub(crate) gates: usize,
    pub(crate) w_x: Array2<f64>,
    /// Recurrent weights, row-major: the hot loops read rows as slices.
    pub(crate) w_h: Vec<f64>,
    pub(crate) b: Array1<f64>,
}

impl Affine {
    pub(crate) fn new(
        gates: usize,
        w_x: &ArrayRef<f64, Ix2>,
        w_h: &ArrayRef<f64, Ix2>,
        b: &ArrayRef<f64, Ix1>,
    ) -> Result<Self, Error> {
        let units = w_h.ncols();
        if units == 0 {
            return Err(Error::NoUnits);
        }
        let rows = gates * units;
        check_shape("w_h", w_h.shape(), &[rows, units])?;
        check_shape("w_x", w_x.shape(), &[rows, w_x.ncols()])?;
        check_shape("b", b.shape(), &[rows])?;
        check::finite("w_x", w_x)?;
        check::finite("w_h", w_h)?;
        check::finite("b", b)?;
        Ok(Self {
            units,
            gates,
            w_x: w_x.as_standard_layout().into_owned(),
            w_h: w_h.iter().copied().collect(),
            b: b.to_owned(),
        })
    }

    pub(crate) fn rows(&self) -> usize {
        self.gates * self.units
    }

    pub(crate) fn inputs(&self) -> usize {
        self.w_x.ncols()
    }

    #[inline]
    pub(crate) fn recurrent(&self, row: usize, column: usize) -> f64 {
        self.recurrent_row(row)[column]
    }

    /// A row of the recurrent weights.
    #[inline(always)]
    pub(crate) fn recurrent_row(&self, row: usize) -> &[f64] {
        &self.w_h[row * self.units..(row + 1) * self.units]
    }

    /// Encloses `W_x u + b` for an exactly known input, by an a-priori bound of the summation error.
    pub(crate) fn enclose(&self, u: &ArrayRef<f64, Ix1>) -> Result<Vec<Interval>, Error> {
        self.check_input(u.len())?;
        check::finite("u", u)?;
        Ok(self.enclose_with(|j| (u[j], 0.0)))
    }

    /// Encloses `W_x u + b` for an input known only to lie within `radius` of `u`, component by component.
    pub(crate) fn enclose_around(
        &self,
        u: &ArrayRef<f64, Ix1>,
        radius: &ArrayRef<f64, Ix1>,
    ) -> Result<Vec<Interval>, Error> {
        self.check_input(u.len())?;
        self.check_input(radius.len())?;
        check::finite("u", u)?;
        check::finite("radius", radius)?;
        Ok(self.enclose_with(|j| (u[j], radius[j].abs())))
    }

    fn check_input(&self, len: usize) -> Result<(), Error> {
        if len == self.inputs() {
            Ok(())
        } else {
            Err(Error::InputWidth { expected: self.inputs(), found: len })
        }
    }

    fn enclose_with(&self, input: impl Fn(usize) -> (f64, f64)) -> Vec<Interval> {
        let mut out = Vec::with_capacity(self.rows());
        self.enclose_into(input, &mut out);
        out
    }

    /// Encloses `W_x u + b` into reused memory; `input` gives each component's middle and radius.
    pub(crate) fn enclose_into(&self, input: impl Fn(usize) -> (f64, f64), out: &mut Vec<Interval>) {
        // A sum of n products errs by at most (n + 1) rounding units of the sum of magnitudes; ROUND is two units.
        let factor = (self.inputs() as f64 + 4.0) * ROUND;
        out.clear();
        out.extend((0..self.rows()).map(|row| {
            let (mut sum, mut size, mut spread) = (0.0, 0.0, 0.0);
            for (j, &w) in self.w_x.row(row).iter().enumerate() {
                let (mid, radius) = input(j);
                sum += w * mid;
                size += (w * mid).abs();
                spread += w.abs() * radius;
            }
            sum += self.b[row];
            size += self.b[row].abs();
            Interval::around(sum, (size + spread) * factor + spread + TINY)
        }));
    }

    /// Checks pre-activations supplied by the caller.
    pub(crate) fn accept(&self, z0: &ArrayRef<f64, Ix1>) -> Result<Vec<Interval>, Error> {
        check_shape("z0", z0.shape(), &[self.rows()])?;
        check::finite("z0", z0)?;
        Ok(z0.iter().map(|&z| Interval::point(z)).collect())
    }
}

/// `Ok` when a tensor has the expected shape.
pub(crate) fn check_shape(tensor: &'static str, found: &[usize], expected: &[usize]) -> Result<(), Error> {
    if found == expected {
        Ok(())
    } else {
        Err(Error::Shape { tensor, expected: expected.to_vec(), found: found.to_vec() })
    }
}
