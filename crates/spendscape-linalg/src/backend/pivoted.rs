//! Householder QR with column pivoting (Businger and Golub 1965), where a backend does not offer it or fails.
//!
//! `ndarray-linalg` does not reach LAPACK's `dgeqp3`, and faer returns NaN for a zero matrix. The trailing column norms are
//! recomputed at every step instead of
//! being downdated: that doubles the work and leaves no cancellation to guard against.

use ndarray::{Array2, s};

/// Thin `(Q, R, permutation)` with `A[.., permutation] = Q R` and a non-increasing diagonal of `R` in absolute value.
pub(super) fn qr_pivoted(a: &Array2<f64>) -> (Array2<f64>, Array2<f64>, Vec<usize>) {
    let (m, n) = a.dim();
    let k = m.min(n);
    // One column per row of `work`, so that every reflection runs over contiguous memory.
    let mut work = a.t().as_standard_layout().into_owned();
    let mut order: Vec<usize> = (0..n).collect();
    let mut reflectors: Vec<Option<Vec<f64>>> = Vec::with_capacity(k);
    for step in 0..k {
        let tail_norm = |j: usize| work.slice(s![j, step..]).iter().map(|x| x * x).sum::<f64>();
        let mut pivot = step;
        let mut best = tail_norm(step);
        for j in step + 1..n {
            let norm = tail_norm(j);
            if norm > best {
                (pivot, best) = (j, norm);
            }
        }
        if pivot != step {
            order.swap(pivot, step);
            for i in 0..m {
                work.swap([pivot, i], [step, i]);
            }
        }
        let mut v = work.slice(s![step, step..]).to_vec();
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm == 0.0 {
            reflectors.push(None);
            continue;
        }
        // The sign avoids cancellation in the first component.
        let alpha = if v[0] > 0.0 { -norm } else { norm };
        v[0] -= alpha;
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        for x in &mut v {
            *x /= length;
        }
        for j in step..n {
            let mut column = work.slice_mut(s![j, step..]);
            let twice = 2.0 * column.iter().zip(&v).map(|(c, r)| c * r).sum::<f64>();
            for (c, r) in column.iter_mut().zip(&v) {
                *c -= twice * r;
            }
        }
        reflectors.push(Some(v));
    }
    let r = Array2::from_shape_fn((k, n), |(i, j)| if i <= j { work[[j, i]] } else { 0.0 });
    // Q = H_1 .. H_k applied to the first k unit vectors, one per row here as well.
    let mut q = Array2::<f64>::eye(m).slice_move(s![..k, ..]);
    for (step, reflector) in reflectors.iter().enumerate().rev() {
        let Some(v) = reflector else { continue };
        for mut row in q.rows_mut() {
            let mut tail = row.slice_mut(s![step..]);
            let twice = 2.0 * tail.iter().zip(v).map(|(c, r)| c * r).sum::<f64>();
            for (c, r) in tail.iter_mut().zip(v) {
                *c -= twice * r;
            }
        }
    }
    (q.t().as_standard_layout().into_owned(), r, order)
}
