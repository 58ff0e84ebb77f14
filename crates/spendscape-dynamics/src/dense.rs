//! Small dense solvers on stack or caller-owned memory, for the hot loops where a general library call costs more than
//! the arithmetic: with sizes known to the compiler ([`invert`], [`solve`]), and of any size.

use num_complex::Complex64;
use std::ops::{Mul, SubAssign};

/// A pivot below this share of the largest entry counts as zero.
const PIVOT_MIN: f64 = 1e-300;

/// The inverse of an `N x N` matrix by Gauss-Jordan elimination with partial pivoting, or `None` when a pivot vanishes.
#[inline]
pub(crate) fn invert<const N: usize>(a: &[[f64; N]; N]) -> Option<[[f64; N]; N]> {
    let mut a = *a;
    let mut inv = [[0.0; N]; N];
    for (k, row) in inv.iter_mut().enumerate() {
        row[k] = 1.0;
    }
    for k in 0..N {
        let mut p = k;
        for r in k + 1..N {
            if a[r][k].abs() > a[p][k].abs() {
                p = r;
            }
        }
        a.swap(k, p);
        inv.swap(k, p);
        let pivot = a[k][k];
        if pivot.is_nan() || pivot.abs() <= PIVOT_MIN {
            return None;
        }
        let scale = 1.0 / pivot;
        for c in 0..N {
            a[k][c] *= scale;
            inv[k][c] *= scale;
        }
        for r in 0..N {
            if r != k {
                let factor = a[r][k];
                for c in 0..N {
                    a[r][c] -= factor * a[k][c];
                    inv[r][c] -= factor * inv[k][c];
                }
            }
        }
    }
    inv.iter().flatten().all(|v| v.is_finite()).then_some(inv)
}

/// Makes a row-major `n x n` matrix upper triangular by elimination with partial pivoting, which the right-hand side `b` (`n`
/// numbers, or none) goes through too. Returns the sign of the rows' permutation, or `None` when all that is left of a column
/// is at most `least`.
fn triangularize(n: usize, a: &mut [f64], b: &mut [f64], least: f64) -> Option<i32> {
    let mut sign = 1;
    for k in 0..n {
        let mut p = k;
        for r in k + 1..n {
            if a[r * n + k].abs() > a[p * n + k].abs() {
                p = r;
            }
        }
        let pivot = a[p * n + k];
        if pivot.is_nan() || pivot.abs() <= least {
            return None;
        }
        if p != k {
            (0..n).for_each(|c| a.swap(k * n + c, p * n + c));
            if !b.is_empty() {
                b.swap(k, p);
            }
            sign = -sign;
        }
        for r in k + 1..n {
            let factor = a[r * n + k] / pivot;
            if factor != 0.0 {
                for c in k + 1..n {
                    a[r * n + c] -= factor * a[k * n + c];
                }
                if !b.is_empty() {
                    b[r] -= factor * b[k];
                }
            }
        }
    }
    Some(sign)
}

/// The sign of the determinant of a row-major `n x n` matrix, which is destroyed (0 when a pivot vanishes).
pub(crate) fn det_sign(n: usize, a: &mut [f64]) -> i32 {
    let Some(sign) = triangularize(n, a, &mut [], 0.0) else { return 0 };
    (0..n).filter(|k| a[k * n + k] < 0.0).fold(sign, |sign, _| -sign)
}

/// Solves `A x = b` in place for a row-major `n x n` matrix (destroyed); `b` becomes `x`. `false` when singular.
pub(crate) fn solve(n: usize, a: &mut [f64], b: &mut [f64]) -> bool {
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
        _ => solve_any(n, a, b),
    }
}

/// [`solve`] for a constant size: rows are eliminated over their whole constant length, zeros included.
#[inline]
fn solve_sized<const N: usize>(a: &mut [f64], b: &mut [f64]) -> bool {
    let (Ok(b), (rows, [])) = (<&mut [f64; N]>::try_from(b), a.as_chunks_mut::<N>()) else { return false };
    let Ok(a) = <&mut [[f64; N]; N]>::try_from(rows) else { return false };
    let mut inverse = [0.0; N];
    for k in 0..N {
        let (mut p, mut largest) = (k, a[k][k].abs());
        for (r, row) in a.iter().enumerate().skip(k + 1) {
            if row[k].abs() > largest {
                (p, largest) = (r, row[k].abs());
            }
        }
        if largest.is_nan() || largest <= PIVOT_MIN {
            return false;
        }
        if p != k {
            a.swap(k, p);
            b.swap(k, p);
        }
        // A copy, which cannot overlap the rows.
        let (pivot_row, pivot_b) = (a[k], b[k]);
        inverse[k] = 1.0 / pivot_row[k];
        for r in k + 1..N {
            let factor = a[r][k] * inverse[k];
            for c in 0..N {
                a[r][c] -= factor * pivot_row[c];
            }
            b[r] -= factor * pivot_b;
        }
    }
    for k in (0..N).rev() {
        let x = b[k] * inverse[k];
        b[k] = x;
        for r in 0..k {
            b[r] -= a[r][k] * x;
        }
    }
    b.iter().all(|v| v.is_finite())
}

fn solve_any(n: usize, a: &mut [f64], b: &mut [f64]) -> bool {
    if triangularize(n, a, b, PIVOT_MIN).is_none() {
        return false;
    }
    for k in (0..n).rev() {
        let mut sum = b[k];
        for c in k + 1..n {
            sum -= a[k * n + c] * b[c];
        }
        b[k] = sum / a[k * n + k];
    }
    b.iter().all(|v| v.is_finite())
}

/// `|re| + |im|`, at least the modulus and free of square roots.
#[inline]
pub(crate) fn size1(a: Complex64) -> f64 {
    a.re.abs() + a.im.abs()
}

/// The numbers of a matrix that [`invert_any`] inverts.
pub(crate) trait Field: Copy + Mul<Output = Self> + SubAssign {
    /// Zero and one.
    const UNITS: [Self; 2];
    /// A measure of size to choose pivots by.
    fn size(self) -> f64;
    /// Writes a row, divided by its pivot, to another place.
    fn divide(row: &[Self], pivot: Self, to: &mut [Self]);
}

impl Field for f64 {
    const UNITS: [Self; 2] = [0.0, 1.0];

    fn size(self) -> f64 {
        self.abs()
    }

    fn divide(row: &[Self], pivot: Self, to: &mut [Self]) {
        to.iter_mut().zip(row).for_each(|(to, from)| *to = from / pivot);
    }
}

impl Field for Complex64 {
    const UNITS: [Self; 2] = [Self::new(0.0, 0.0), Self::new(1.0, 0.0)];

    fn size(self) -> f64 {
        size1(self)
    }

    // A complex division takes as long as five products.
    fn divide(row: &[Self], pivot: Self, to: &mut [Self]) {
        let scale = Self::UNITS[1] / pivot;
        to.iter_mut().zip(row).for_each(|(to, from)| *to = from * scale);
    }
}

/// The inverse of a row-major `n x n` matrix of any size by Gauss-Jordan elimination with partial pivoting, into `inverse`;
/// `false` when it is singular. `rows` is working memory.
pub(crate) fn invert_any<F: Field>(n: usize, a: &[F], rows: &mut Vec<F>, inverse: &mut Vec<F>) -> bool {
    // Matrix and inverse side by side, so that one loop eliminates in both; the last row is the pivot's copy.
    let (width, [zero, one]) = (2 * n, F::UNITS);
    rows.clear();
    rows.resize((n + 1) * width, zero);
    let (rows, pivot_row) = rows.split_at_mut(n * width);
    for (k, (row, a)) in rows.chunks_exact_mut(width).zip(a.chunks_exact(n)).enumerate() {
        row[..n].copy_from_slice(a);
        row[n + k] = one;
    }
    for k in 0..n {
        let mut p = k;
        for r in k + 1..n {
            if rows[r * width + k].size() > rows[p * width + k].size() {
                p = r;
            }
        }
        let pivot = rows[p * width + k];
        if pivot.size().is_nan() || pivot.size() <= PIVOT_MIN {
            return false;
        }
        F::divide(&rows[p * width..(p + 1) * width], pivot, pivot_row);
        rows.copy_within(k * width..(k + 1) * width, p * width);
        rows[k * width..(k + 1) * width].copy_from_slice(pivot_row);
        for (r, row) in rows.chunks_exact_mut(width).enumerate() {
            if r != k {
                let factor = row[k];
                for (v, p) in row.iter_mut().zip(&*pivot_row) {
                    *v -= factor * *p;
                }
            }
        }
    }
    inverse.clear();
    inverse.extend(rows.chunks_exact(width).flat_map(|row| &row[n..]));
    inverse.iter().all(|v| v.size().is_finite())
}

/// The largest absolute value; NaN when any entry is NaN.
pub(crate) fn norm_inf(x: &[f64]) -> f64 {
    norm_inf_of(x.iter().copied())
}

/// The same of numbers that need not stand in memory.
#[inline(always)]
pub(crate) fn norm_inf_of(x: impl Iterator<Item = f64>) -> f64 {
    x.map(f64::abs).fold(0.0, |m: f64, v| if v > m || v.is_nan() { v } else { m })
}

#[cfg(test)]
mod tests {
    use super::{det_sign, invert, invert_any, solve};

    #[test]
    fn inverse_times_matrix_is_identity() {
        let a = [[0.0, 2.0, 1.0], [1.0, -1.0, 3.0], [4.0, 0.5, -2.0]];
        let inv = invert(&a).unwrap();
        let flat: Vec<f64> = a.iter().flatten().copied().collect();
        let mut any = Vec::new();
        assert!(invert_any(3, &flat, &mut Vec::new(), &mut any));
        for i in 0..3 {
            for j in 0..3 {
                let s: f64 = (0..3).map(|k| inv[i][k] * a[k][j]).sum();
                assert!((s - f64::from(u8::from(i == j))).abs() < 1e-14);
                assert!((any[i * 3 + j] - inv[i][j]).abs() < 1e-14);
            }
        }
        assert_eq!(det_sign(3, &mut flat.clone()), 1);
    }

    #[test]
    fn a_singular_matrix_is_refused() {
        assert!(invert(&[[1.0, 2.0], [2.0, 4.0]]).is_none());
        assert!(!solve(2, &mut [1.0, 2.0, 2.0, 4.0], &mut [1.0, 1.0]));
        assert_eq!(det_sign(2, &mut [1.0, 2.0, 2.0, 4.0]), 0);
    }
}
