//! Bitwise equal results for any number of threads, and types that may cross threads.

use spendscape_segments::{
    Error,
    clusters::KMeans,
    directions::CanonicalFrame,
    neighbors::{PrefixAccuracy, nearest_neighbors},
    quality::{GaussianNull, Silhouette, silhouette},
    stability::WindowStability,
};

use crate::{normal, rng};

#[test]
fn results_are_the_same_bits_for_one_and_three_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let x = normal(9000, 3, 1);
            let fit = KMeans::params(5).fit(&x, &mut rng(2)).unwrap();
            let judged = silhouette(&x, &fit.labels).unwrap();
            let near = nearest_neighbors(&normal(2000, 12, 3), &normal(500, 12, 4), 5).unwrap();
            (fit, judged, near)
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn main_types_are_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<CanonicalFrame>();
    check::<Error>();
    check::<GaussianNull>();
    check::<KMeans>();
    check::<PrefixAccuracy>();
    check::<Silhouette>();
    check::<WindowStability>();
}
