//! Hierarchical, density-based and mixture clusterings beyond the golden data: subsamples, planted groups, edges.

use ndarray::{Array2, array};
use spendscape_segments::{
    Error,
    clusters::{DensityClusters, Hierarchical, Linkage, Mixture},
    quality::adjusted_rand_index,
    stability::matched_share,
};
use spendscape_stats::BadInput;

use crate::{normal, rng};

/// Three groups of equal size around far centers.
fn groups(rows: usize, seed: u64) -> (Array2<f64>, Vec<usize>) {
    let labels: Vec<usize> = (0..rows).map(|n| n % 3).collect();
    let centers = array![[0.0, 0.0], [12.0, 0.0], [0.0, 12.0]];
    (Array2::from_shape_fn((rows, 2), |(n, d)| centers[[n % 3, d]]) + normal(rows, 2, seed), labels)
}

#[test]
fn a_subsample_and_assignment_find_the_same_groups() {
    let (x, labels) = groups(1200, 1);
    for linkage in [Linkage::Ward, Linkage::Average] {
        let fit = Hierarchical::params(3).linkage(linkage).subsample(300).fit(&x, &mut rng(1)).unwrap();
        assert_eq!(fit.subsample.as_ref().map(Vec::len), Some(300));
        assert_eq!(fit.merges.len(), 299);
        assert_eq!(matched_share(&fit.labels, &labels).unwrap(), 1.0);
        assert_eq!(fit.predict(&x).unwrap(), fit.labels);
    }
    let fit = DensityClusters::params(20).subsample(400).fit(&x, &mut rng(2)).unwrap();
    assert_eq!((fit.clusters, fit.subsample.as_ref().map(Vec::len)), (3, Some(400)));
    let (kept, found): (Vec<usize>, Vec<usize>) =
        fit.labels.iter().zip(&labels).filter_map(|(f, &t)| f.map(|f| (t, f))).unzip();
    assert!(kept.len() > 1000, "{} of 1,200 are not noise", kept.len());
    assert_eq!(adjusted_rand_index(&kept, &found).unwrap(), 1.0);
}

#[test]
fn a_planted_mixture_is_recovered() {
    // Two concentric components that only their covariances tell apart, which k-means cannot.
    let mut x = normal(20_000, 2, 3);
    for n in 0..10_000 {
        x[[n, 0]] *= 8.0;
        x[[n, 1]] *= 0.2;
    }
    let fit = Mixture::params(2).tolerance(1e-9).max_iterations(2000).fit(&x, &mut rng(4)).unwrap();
    assert!(fit.converged);
    assert!((fit.weights.sum() - 1.0).abs() < 1e-12);
    let wide = usize::from(fit.covariances[1][[0, 0]] > fit.covariances[0][[0, 0]]);
    // Standard errors are near 1 % here.
    assert!((fit.weights[wide] - 0.5).abs() < 0.03, "{}", fit.weights);
    assert!((fit.covariances[wide][[0, 0]] / 64.0 - 1.0).abs() < 0.06);
    assert!((fit.covariances[1 - wide][[1, 1]] - 1.0).abs() < 0.06);
    let probabilities = fit.probabilities(&x).unwrap();
    assert!(probabilities.rows().into_iter().all(|r| (r.sum() - 1.0).abs() < 1e-12));
    assert!(Mixture::params(3).fit(&x, &mut rng(5)).unwrap().bic > fit.bic);
}

#[test]
fn models_at_the_edge() {
    let x = normal(4, 2, 6);
    assert!(matches!(
        Hierarchical::params(5).fit(&x, &mut rng(1)),
        Err(Error::Input(BadInput::TooFew { needed: 5, .. }))
    ));
    assert_eq!(Hierarchical::params(4).fit(&x, &mut rng(1)).unwrap().labels, [0, 1, 2, 3]);
    assert_eq!(Hierarchical::params(1).fit(&x, &mut rng(1)).unwrap().labels, [0; 4]);
    assert!(matches!(
        Hierarchical::params(1).subsample(1_000_000).fit(&x, &mut rng(1)),
        Err(Error::TooMany { found: 1_000_000, .. })
    ));
    let same = Array2::from_elem((30, 2), 1.5);
    assert_eq!(Hierarchical::params(2).fit(&same, &mut rng(1)).unwrap().labels.len(), 30);
    assert_eq!(DensityClusters::params(5).fit(&same, &mut rng(1)).unwrap().labels.len(), 30);
    assert!(DensityClusters::params(5).fit(&x, &mut rng(1)).is_err());
    assert!(DensityClusters::params(1).fit(&x, &mut rng(1)).is_err());
    assert!(DensityClusters::params(2).fit(&Array2::zeros((0, 2)), &mut rng(1)).is_err());
    let flat = Mixture::params(2).fit(&same, &mut rng(1)).unwrap();
    assert!(flat.log_likelihood.is_finite());
    assert!(Mixture::params(2).ridge(0.0).fit(&x, &mut rng(1)).is_err());
}
