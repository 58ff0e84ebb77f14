//! Slow obvious references for the fast kernels.

use ndarray::{Array2, ArrayRef2, Axis, array, s};
use spendscape_segments::{
    clusters::{KMeans, nearest_rows},
    neighbors::nearest_neighbors,
    quality::{maximum_assignment, silhouette},
};

use crate::normal;

fn distance(x: &ArrayRef2<f64>, i: usize, y: &ArrayRef2<f64>, j: usize) -> f64 {
    x.row(i).iter().zip(y.row(j)).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

#[test]
fn nearest_neighbors_equal_the_sorted_distances() {
    // Around the switch from the tree to all pairs, with duplicates so that ties occur.
    for dim in [1, 2, 3, 8, 9, 40] {
        let mut reference = normal(700, dim, 1);
        reference.mapv_inplace(|v| if dim <= 3 { v.round() } else { v });
        let queries = normal(150, dim, 2);
        let found = nearest_neighbors(&reference, &queries, 15).unwrap();
        for q in 0..queries.nrows() {
            let mut all: Vec<usize> = (0..reference.nrows()).collect();
            all.sort_by(|&a, &b| {
                distance(&queries, q, &reference, a)
                    .total_cmp(&distance(&queries, q, &reference, b))
                    .then(a.cmp(&b))
            });
            assert_eq!(found.row(q).to_vec(), all[..15], "dimension {dim}, query {q}");
        }
    }
}

#[test]
fn silhouette_equals_its_definition() {
    let x = normal(150, 4, 3);
    // Cluster sizes around a block of 64, and one with a single member.
    let labels: Vec<usize> = (0..150).map(|n| [0, 1, 1, 2, 1][n % 5] * 10 + usize::from(n == 7)).collect();
    let found = silhouette(&x, &labels).unwrap();
    let mut distinct = labels.clone();
    distinct.sort_unstable();
    distinct.dedup();
    for (n, &own) in labels.iter().enumerate() {
        let mean_to = |label: usize| {
            let others: Vec<usize> = (0..150).filter(|&m| m != n && labels[m] == label).collect();
            others.iter().map(|&m| distance(&x, n, &x, m)).sum::<f64>() / others.len() as f64
        };
        let within = mean_to(own);
        let other = distinct.iter().filter(|&&l| l != own).map(|&l| mean_to(l)).fold(f64::INFINITY, f64::min);
        let expected = if within.is_nan() { 0.0 } else { (other - within) / within.max(other) };
        assert!((found.values[n] - expected).abs() < 1e-12, "point {n}");
    }
}

#[test]
fn nearest_rows_are_nearest() {
    let (centers, x) = (normal(7, 5, 4), normal(333, 5, 5));
    for (n, found) in nearest_rows(&centers, &x).unwrap().into_iter().enumerate() {
        assert!((0..7).all(|c| distance(&x, n, &centers, found) <= distance(&x, n, &centers, c)));
    }
    assert_eq!(nearest_rows(&array![[1.0], [-1.0], [1.0]], &array![[0.0], [1.0]]).unwrap(), [0, 0]);
}

/// Lloyd's algorithm word by word.
fn slow_lloyd(x: &ArrayRef2<f64>, mut centers: Array2<f64>) -> (Vec<usize>, usize) {
    let mut labels = vec![usize::MAX; x.nrows()];
    for iteration in 0.. {
        let to = |n: usize, c: usize| distance(x, n, &centers, c);
        let nearest = |n: usize| (0..centers.nrows()).min_by(|&a, &b| to(n, a).total_cmp(&to(n, b)));
        let new: Vec<usize> = (0..x.nrows()).filter_map(nearest).collect();
        if new == labels {
            return (labels, iteration);
        }
        labels = new;
        for c in 0..centers.nrows() {
            let own: Vec<usize> = (0..x.nrows()).filter(|&n| labels[n] == c).collect();
            let sum = x.select(Axis(0), &own).sum_axis(Axis(0));
            centers.row_mut(c).assign(&(sum / own.len() as f64));
        }
    }
    unreachable!("the loop ends when no label changes")
}

#[test]
fn skipping_points_changes_no_iteration_of_k_means() {
    for (dim, clusters, seed) in [(2, 3, 1), (3, 5, 2), (3, 20, 3), (12, 6, 4), (5, 8, 5)] {
        let x = normal(3001, dim, seed);
        let start = x.slice(s![..clusters, ..]).to_owned();
        let found =
            KMeans::params(clusters).tolerance(0.0).max_iterations(2000).fit_from(&x, &start).unwrap();
        let (labels, iterations) = slow_lloyd(&x, start);
        assert_eq!(
            (found.labels, found.iterations),
            (labels, iterations),
            "{clusters} clusters in {dim} dimensions"
        );
    }
}

/// All ways to pair `rows` with distinct columns.
fn best_sum(value: &ArrayRef2<f64>, row: usize, used: &mut Vec<bool>) -> f64 {
    if row == value.nrows() {
        return 0.0;
    }
    let mut best = f64::NEG_INFINITY;
    for j in 0..value.ncols() {
        if !used[j] {
            used[j] = true;
            best = best.max(value[[row, j]] + best_sum(value, row + 1, used));
            used[j] = false;
        }
    }
    best
}

#[test]
fn the_assignment_is_optimal() {
    for seed in 0..40 {
        let (rows, columns) = (1 + seed as usize % 5, 5 + seed as usize % 2);
        let value = normal(rows, columns, seed);
        let found = maximum_assignment(&value).unwrap();
        let sum: f64 = found.iter().enumerate().map(|(i, j)| value[[i, j.unwrap()]]).sum();
        assert!((sum - best_sum(&value, 0, &mut vec![false; columns])).abs() < 1e-12);
        // The transposed problem has the same value, with the surplus rows left over.
        let turned = maximum_assignment(&value.t()).unwrap();
        let sum: f64 = turned.iter().enumerate().filter_map(|(j, i)| i.map(|i| value[[i, j]])).sum();
        assert!((sum - best_sum(&value, 0, &mut vec![false; columns])).abs() < 1e-12);
        assert_eq!(turned.iter().flatten().count(), rows);
    }
}
