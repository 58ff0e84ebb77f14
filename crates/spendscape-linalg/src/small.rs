//! Square systems so small that calling a backend would cost more than the arithmetic: elimination with partial
//! pivoting in memory of the caller.
//!
//! This is the only elimination outside the backends. Beside [`solve`](crate::solve) it neither scales nor allocates,
//! does not look whether entries are finite, and calls a matrix singular only where a pivot is almost zero: who needs
//! more than that, such as a proof, checks the result. Matrices are slices, row after row.
//!
//! ```
//! use spendscape_linalg::small;
//!
//! let a = [[2.0, 1.0], [1.0, 3.0]];
//! let mut x = [3.0, 4.0];
//! assert!(small::solve(2, a.clone().as_flattened_mut(), &mut x));
//! assert!((x[0] - 1.0).abs() < 1e-15 && (x[1] - 1.0).abs() < 1e-15);
//!
//! let mut inverse = [0.0; 4];
//! assert!(small::invert(2, a.clone().as_flattened_mut(), &mut inverse));
//! assert_eq!(small::inverse(&a).map(|rows| rows.concat()), Some(inverse.to_vec()));
//! assert_eq!(small::determinant_sign(2, a.clone().as_flattened_mut()), 1);
//! ```

use std::ops::{Mul, SubAssign};

use num_complex::Complex64;

/// A pivot of at most this size counts as zero: the results are beyond the range of f64, or nearly so.
const PIVOT_MIN: f64 = 1e-300;

/// Numbers to eliminate with.
pub trait Field: Copy + Mul<Output = Self> + SubAssign {
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;

    /// The modulus, or a bound of it that is cheaper and as good to choose pivots by.
    #[must_use]
    fn size(self) -> f64;

    /// One over the number.
    #[must_use]
    fn reciprocal(self) -> Self;
}

impl Field for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline]
    fn size(self) -> f64 {
        self.abs()
    }

    #[inline]
    fn reciprocal(self) -> Self {
        1.0 / self
    }
}

impl Field for Complex64 {
    const ZERO: Self = Self::new(0.0, 0.0);
    const ONE: Self = Self::new(1.0, 0.0);

    /// `|re| + |im|`, free of square roots.
    #[inline]
    fn size(self) -> f64 {
        self.re.abs() + self.im.abs()
    }

    #[inline]
    fn reciprocal(self) -> Self {
        Self::ONE / self
    }
}

/// Solves `A X = B` for an `n x n` matrix, which is destroyed; `b`, of `n` rows, becomes `X`. `false` if `A` is
/// singular or the solution not finite.
///
/// # Panics
/// If `a` has fewer than `n * n` entries.
#[must_use]
pub fn solve(n: usize, a: &mut [f64], b: &mut [f64]) -> bool {
    // The sizes of small nets with constant bounds, which halves the time.
    match n {
        1 => solve_sized::<1>(a, b),
        2 => solve_sized::<2>(a, b),
        3 => solve_sized::<3>(a, b),
        4 => solve_sized::<4>(a, b),
        5 => solve_sized::<5>(a, b),
        6 => solve_sized::<6>(a, b),
        7 => solve_sized::<7>(a, b),
        8 => solve_sized::<8>(a, b),
        9 => solve_sized::<9>(a, b),
        10 => solve_sized::<10>(a, b),
        11 => solve_sized::<11>(a, b),
        12 => solve_sized::<12>(a, b),
        _ => divide::<f64, 0>(n, a, b),
    }
}

fn solve_sized<const N: usize>(a: &mut [f64], b: &mut [f64]) -> bool {
    // One column, and arrays whose lengths the compiler knows too.
    let rows = <&mut [[f64; N]; N]>::try_from(a.as_chunks_mut::<N>().0);
    if let (Ok(rows), ([b], [])) = (rows, b.as_chunks_mut::<N>()) {
        return divide::<f64, N>(N, rows.as_flattened_mut(), b);
    }
    divide::<f64, 0>(N, a, b)
}

/// The inverse of an `n x n` matrix, which is destroyed, into `inverse`. `false` if it is singular or the inverse not
/// finite.
///
/// # Panics
/// If `a` or `inverse` has not `n * n` entries.
#[must_use]
pub fn invert<F: Field>(n: usize, a: &mut [F], inverse: &mut [F]) -> bool {
    assert!(a.len() == n * n && inverse.len() == n * n, "matrices of n x n entries");
    write_identity(n, inverse);
    divide::<F, 0>(n, a, inverse)
}

/// The inverse of a matrix whose size the compiler knows; `None` as [`invert`].
#[inline]
#[must_use]
pub fn inverse<const N: usize>(a: &[[f64; N]; N]) -> Option<[[f64; N]; N]> {
    let (mut a, mut inverse) = (*a, [[0.0; N]; N]);
    write_identity(N, inverse.as_flattened_mut());
    divide::<f64, N>(N, a.as_flattened_mut(), inverse.as_flattened_mut()).then_some(inverse)
}

/// The sign of the determinant of an `n x n` matrix, which is destroyed; 0 if it is singular.
///
/// # Panics
/// If `a` has fewer than `n * n` entries.
#[must_use]
pub fn determinant_sign(n: usize, a: &mut [f64]) -> i32 {
    let Some(swapped) = eliminate::<f64, 0>(n, a, &mut []) else { return 0 };
    let negative = (0..n).filter(|k| a[k * n + k] < 0.0).count();
    if swapped == (negative % 2 == 1) { 1 } else { -1 }
}

fn write_identity<F: Field>(n: usize, to: &mut [F]) {
    to.fill(F::ZERO);
    to.iter_mut().step_by(n + 1).for_each(|entry| *entry = F::ONE);
}

/// `A^-1 B` into `b`; `N` is as in [`eliminate`].
#[inline(always)]
fn divide<F: Field, const N: usize>(n: usize, a: &mut [F], b: &mut [F]) -> bool {
    if eliminate::<F, N>(n, a, b).is_none() {
        return false;
    }
    let columns = b.len() / n.max(1);
    for k in (0..n).rev() {
        let (above, row) = b.split_at_mut(k * columns);
        let row = &mut row[..columns];
        row.iter_mut().for_each(|x| *x = *x * a[k * n + k]);
        for r in 0..k {
            subtract(&mut above[r * columns..][..columns], a[r * n + k], row);
        }
    }
    b.iter().all(|x| x.size().is_finite())
}

/// Brings `A` to upper triangular form, `b` of `n` rows of any length (or none) going along. On the diagonal stand the
/// reciprocals of the pivots then, and what is below it has no meaning. Returns whether the rows' permutation is odd;
/// `None` where a pivot vanishes.
///
/// `N` is `n` where the compiler knows it, else 0. Then rows are subtracted over their whole length, which is constant,
/// from a copy, of which the compiler sees that it overlaps no row.
#[inline(always)]
fn eliminate<F: Field, const N: usize>(n: usize, a: &mut [F], b: &mut [F]) -> Option<bool> {
    let columns = b.len() / n.max(1);
    let mut copy = [F::ZERO; N];
    let mut odd = false;
    for k in 0..n {
        let (mut p, mut largest) = (k, a[k * n + k].size());
        for r in k + 1..n {
            let size = a[r * n + k].size();
            if size > largest {
                (p, largest) = (r, size);
            }
        }
        if largest.is_nan() || largest <= PIVOT_MIN {
            return None;
        }
        if p != k {
            swap_rows(a, n, k, p);
            swap_rows(b, columns, k, p);
            odd = !odd;
        }
        let (row, below) = a[k * n..].split_at_mut(n);
        let (right, right_below) = b[k * columns..].split_at_mut(columns);
        let inverse = row[k].reciprocal();
        let (first, pivot_row) = if N > 0 {
            copy.copy_from_slice(row);
            (0, &copy[..])
        } else {
            (k, &*row)
        };
        for r in 0..n - k - 1 {
            let factor = below[r * n + k] * inverse;
            subtract(&mut below[r * n + first..(r + 1) * n], factor, &pivot_row[first..]);
            subtract(&mut right_below[r * columns..][..columns], factor, right);
        }
        row[k] = inverse;
    }
    Some(odd)
}

/// Swaps row `k` with the later row `p`.
#[inline(always)]
fn swap_rows<F>(rows: &mut [F], width: usize, k: usize, p: usize) {
    let (before, from) = rows.split_at_mut(p * width);
    before[k * width..][..width].swap_with_slice(&mut from[..width]);
}

/// Subtracts `factor` times a row from another one.
#[inline(always)]
fn subtract<F: Field>(from: &mut [F], factor: F, row: &[F]) {
    from.iter_mut().zip(row).for_each(|(x, p)| *x -= factor * *p);
}
