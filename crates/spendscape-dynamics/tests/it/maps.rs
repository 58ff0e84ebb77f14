//! Plain maps with known answers.

use spendscape_dynamics::map::{Map, Scalar};

/// The Henon map `(x, y) -> (1 - a x^2 + y, b x)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Henon {
    /// The bend `a` (classically 1.4).
    pub(crate) a: f64,
    /// The contraction `b` (classically 0.3).
    pub(crate) b: f64,
}

impl Map for Henon {
    fn dim(&self) -> usize {
        2
    }

    fn step<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        out[0] = S::exact(1.0) - S::exact(self.a) * x[0] * x[0] + x[1];
        out[1] = S::exact(self.b) * x[0];
    }

    fn jacobian<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        out[0] = S::exact(-2.0) * S::exact(self.a) * x[0];
        out[1] = S::exact(1.0);
        out[2] = S::exact(self.b);
        out[3] = S::exact(0.0);
    }
}

/// Newton's iteration for `z^3 = 1` in the complex plane, `z -> (2 z + z^-2) / 3`, as a map of `(re, im)`.
///
/// Its fixed points are the three cube roots of one; each is superattracting (Jacobian zero).
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewtonCubic;

/// The square and its inverse's parts of a complex number.
fn inverse_power<S: Scalar>(x: &[S], power: usize) -> (S, S) {
    let (mut re, mut im) = (S::exact(1.0), S::exact(0.0));
    for _ in 0..power {
        (re, im) = (re * x[0] - im * x[1], re * x[1] + im * x[0]);
    }
    let size = re * re + im * im;
    (re / size, -im / size)
}

impl Map for NewtonCubic {
    fn dim(&self) -> usize {
        2
    }

    fn step<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        let (re, im) = inverse_power(x, 2);
        let third = S::exact(3.0);
        out[0] = (S::exact(2.0) * x[0] + re) / third;
        out[1] = (S::exact(2.0) * x[1] + im) / third;
    }

    /// The derivative is the complex number `(2 / 3) (1 - z^-3)`, a rotation and a scaling.
    fn jacobian<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        let (re, im) = inverse_power(x, 3);
        let two_thirds = S::exact(2.0) / S::exact(3.0);
        let (re, im) = (two_thirds * (S::exact(1.0) - re), two_thirds * -im);
        out[0] = re;
        out[1] = -im;
        out[2] = im;
        out[3] = re;
    }
}

/// The scalar map `x -> tanh(a x)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TanhMap {
    /// The gain `a`.
    pub(crate) gain: f64,
}

impl Map for TanhMap {
    fn dim(&self) -> usize {
        1
    }

    fn step<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        out[0] = (S::exact(self.gain) * x[0]).tanh();
    }

    fn jacobian<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        out[0] = S::exact(self.gain) * (S::exact(self.gain) * x[0]).tanh_slope();
    }

    fn bounds(&self) -> Option<Vec<(f64, f64)>> {
        Some(vec![(-1.0, 1.0)])
    }
}
