//! What must not change: the angles under the net's exact symmetries, figures under relabeling.

use ndarray::{Array2, Array3, Axis};
use proptest::prelude::*;
use spendscape_segments::{
    directions::{CanonicalFrame, final_states},
    quality::{adjusted_mutual_information, adjusted_rand_index, silhouette},
    trajectories::{straightness, turn_angles},
};

use crate::normal;

/// Permutes the units and flips their signs: the exact symmetry of an LSTM and its output layer.
fn relabel(x: &Array2<f64>, order: &[usize], signs: &[bool]) -> Array2<f64> {
    let mut out = x.select(Axis(1), order);
    for (mut column, &flip) in out.columns_mut().into_iter().zip(signs) {
        if flip {
            column.mapv_inplace(|v| -v);
        }
    }
    out
}

proptest! {
    #[test]
    fn angles_do_not_depend_on_the_order_and_sign_of_the_units(
        units in 1usize..7,
        seed in 0u64..1000,
        shuffle in prop::collection::vec(any::<u32>(), 7),
        signs in prop::collection::vec(any::<bool>(), 7),
    ) {
        // Different scales keep the tangential variances apart; the shift gives the directions a mean.
        let mut directions = normal(200, units, seed);
        for (m, mut column) in directions.columns_mut().into_iter().enumerate() {
            column.mapv_inplace(|v| v * (1.0 + m as f64) + 2.0);
        }
        let readout = normal(5, units, seed + 5000);
        let train: Vec<bool> = (0..200).map(|n| n % 5 != 0).collect();
        let mut order: Vec<usize> = (0..units).collect();
        order.sort_by_key(|&m| shuffle[m]);
        let signs = &signs[..units];

        let angles = CanonicalFrame::fit(&directions, &readout, &train).unwrap().angles(&directions).unwrap();
        let (moved, moved_readout) = (relabel(&directions, &order, signs), relabel(&readout, &order, signs));
        let frame = CanonicalFrame::fit(&moved, &moved_readout, &train).unwrap();
        let moved_angles = frame.angles(&moved).unwrap();
        for (a, b) in angles.iter().zip(&moved_angles) {
            // Angles of one turn more or less are equal.
            let apart = (a - b).rem_euclid(std::f64::consts::TAU);
            prop_assert!(apart.min(std::f64::consts::TAU - apart) < 1e-9, "{a} {b}");
        }
        for k in 1..units {
            let image = moved_readout.dot(&frame.axes().row(k));
            let largest = image.iter().fold(0.0f64, |m, &v| if v.abs() > m.abs() { v } else { m });
            prop_assert!(largest > 0.0);
        }
    }

    #[test]
    fn agreement_ignores_names_and_order(
        a in prop::collection::vec(0usize..4, 20..60),
        seed in 0usize..1000,
    ) {
        let b: Vec<usize> = a.iter().enumerate().map(|(n, &l)| (l + (n * seed) % 3) % 4).collect();
        let renamed: Vec<usize> = a.iter().map(|&l| 100 - 7 * l).collect();
        for agreement in [adjusted_rand_index, adjusted_mutual_information] {
            let expected = agreement(&a, &b).unwrap();
            prop_assert!((agreement(&b, &a).unwrap() - expected).abs() < 1e-12);
            prop_assert!((agreement(&renamed, &b).unwrap() - expected).abs() < 1e-12);
            prop_assert!(expected <= 1.0 + 1e-12);
        }
    }

    #[test]
    fn trajectory_measures_do_not_depend_on_scale(seed in 0u64..1000, scale in 1e-3f64..1e3) {
        let states = Array3::from_shape_vec((10, 4, 3), normal(40, 3, seed).into_iter().collect()).unwrap();
        let scaled = &states * scale;
        let pairs = [(straightness(&states).unwrap().to_vec(), straightness(&scaled).unwrap().to_vec()), (
            turn_angles(&states).unwrap().iter().copied().collect(),
            turn_angles(&scaled).unwrap().iter().copied().collect(),
        )];
        for (a, b) in pairs.iter().flat_map(|(a, b)| a.iter().zip(b)) {
            prop_assert!((a - b).abs() < 1e-9);
        }
        prop_assert_eq!(final_states(&scaled).unwrap(), final_states(&states).unwrap() * scale);
    }

    #[test]
    fn silhouette_does_not_depend_on_shift_and_scale(seed in 0u64..200) {
        let x = normal(80, 3, seed);
        let labels: Vec<usize> = (0..80).map(|n| usize::from(x[[n, 0]] > 0.3)).collect();
        let expected = silhouette(&x, &labels).unwrap().mean;
        let found = silhouette(&(&x * 7.0 + 3.0), &labels).unwrap().mean;
        prop_assert!((found - expected).abs() < 1e-10);
    }
}
