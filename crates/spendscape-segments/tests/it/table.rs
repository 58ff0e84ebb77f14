//! The comparison as one table, on states whose grades are a linear readout of one Gaussian.

use ndarray::{Array2, Array3, Axis, array};
use spendscape_segments::{
    comparison::{Comparison, ComparisonParams, ComparisonRow, Measure, Representation, Space, compare},
    directions::unit_rows,
};

use crate::{normal, rng};

const CUSTOMERS: usize = 1500;

fn table(names: &[&str], seed: u64) -> Comparison {
    let states = normal(CUSTOMERS, 3, 1);
    let readout = array![[1.0, 0.1, 0.0], [0.0, 1.0, 0.2], [0.3, 0.0, 1.0], [-1.0, 0.2, 0.4]];
    let grades = states.dot(&readout.t());
    let train: Vec<bool> = (0..CUSTOMERS).map(|n| n % 5 != 0).collect();
    let noise = normal(CUSTOMERS, 3, 2);
    // The short window agrees with the long one up to a little noise; the years stand still.
    let short = &states + &(normal(CUSTOMERS, 3, 3) * 0.1);
    let mut yearly = Array3::zeros((CUSTOMERS, 3, 3));
    for mut year in yearly.axis_iter_mut(Axis(1)) {
        year.assign(&states);
    }
    let all = [
        Representation {
            name: "states",
            seed: 1,
            features: &states,
            space: Space::ClustersOfDirections,
            short: Some(&short),
            yearly: Some(&yearly),
        },
        Representation {
            name: "states",
            seed: 2,
            features: &states,
            space: Space::ClustersOfDirections,
            short: None,
            yearly: None,
        },
        Representation {
            name: "noise",
            seed: 1,
            features: &noise,
            space: Space::Features,
            short: None,
            yearly: None,
        },
    ];
    let chosen: Vec<Representation<'_>> = all.into_iter().filter(|r| names.contains(&r.name)).collect();
    let params = ComparisonParams::default().silhouette_sample(200).fine_clusters(8);
    compare(&chosen, &grades, &train, &params, &mut rng(seed)).expect("the inputs fit together")
}

#[test]
fn states_carry_the_hierarchy_and_noise_does_not() {
    let table = table(&["states", "noise"], 1);
    let summary = table.summary();
    let find = |name: &str, measure: Measure, level: usize| {
        summary
            .iter()
            .find(|s| (s.representation.as_str(), s.measure, s.level) == (name, measure, level))
            .unwrap()
    };
    let first = find("states", Measure::PrefixAccuracy, 1);
    assert_eq!(first.runs, 2);
    assert!(first.low <= first.median && first.median <= first.high);
    assert!(first.median > 0.9 && first.chance.unwrap() < 0.5);
    // The grades are a linear readout of one Gaussian, so the joint null does as well: no clusters are needed for it.
    assert!((first.median - first.null.unwrap()).abs() < 0.08);
    let noise = find("noise", Measure::PrefixAccuracy, 1);
    assert!((noise.median - noise.chance.unwrap()).abs() < 0.12);
    assert!(find("noise", Measure::Ami, 1).median.abs() < 0.03);
    assert!(find("states", Measure::Ami, 1).median > 0.2);
    assert!(
        (find("states", Measure::Silhouette, 5).median
            - find("states", Measure::Silhouette, 5).null.unwrap())
        .abs()
            < 0.05
    );
    assert!(find("states", Measure::WindowStability, 5).median > 0.85);
    assert_eq!(find("states", Measure::NeverMoved, 5).median, 1.0);
    assert!(summary.iter().all(|s| s.representation != "noise" || s.measure != Measure::NeverMoved));
}

#[test]
fn leaving_a_representation_out_changes_nothing_else() {
    let (both, alone) = (table(&["states", "noise"], 2), table(&["noise"], 2));
    let noise: Vec<_> = both.rows.into_iter().filter(|r| r.representation == "noise").collect();
    assert_eq!(noise, alone.rows);
}

#[test]
fn directions_of_one_gaussian_are_their_own_null() {
    // A cloud off the origin, wider along one axis: its directions lie in a cap, and none of its customers form groups.
    let mut states = normal(CUSTOMERS, 3, 4);
    for mut row in states.rows_mut() {
        row *= &array![1.5, 1.0, 0.5];
        row += &array![1.0, 0.0, 0.0];
    }
    let grades = states.dot(&normal(3, 4, 5));
    let train: Vec<bool> = (0..CUSTOMERS).map(|n| n % 3 != 0).collect();
    let units = unit_rows(&states);
    let represent =
        |name, features, space| Representation { name, seed: 1, features, space, short: None, yearly: None };
    let all = [
        represent("directions", &states, Space::Directions),
        represent("unit vectors", &units, Space::Features),
    ];
    let table = compare(&all, &grades, &train, &ComparisonParams::default(), &mut rng(6)).unwrap();
    let find = |name: &str, measure: Measure, level: usize| {
        let same =
            |r: &&ComparisonRow| (r.representation.as_str(), r.measure, r.level) == (name, measure, level);
        table.rows.iter().find(same).unwrap()
    };
    let excess = |row: &ComparisonRow| row.value - row.null.unwrap();
    for level in 1..=4 {
        let row = find("directions", Measure::PrefixAccuracy, level);
        assert!(excess(row).abs() < 0.06, "{row:?}");
        // Neighbors see what they see of the unit vectors themselves.
        let same = find("unit vectors", Measure::PrefixAccuracy, level);
        assert!((row.value - same.value).abs() < 0.005, "{row:?} {same:?}");
    }
    let row = find("directions", Measure::Silhouette, 5);
    assert!(excess(row).abs() < 0.03, "{row:?}");
    // A Gaussian of the unit vectors would find the cap itself remarkable.
    let wrong = find("unit vectors", Measure::Silhouette, 5);
    assert!(excess(wrong) > 0.05, "{wrong:?}");
}

#[test]
fn representations_of_other_customers_are_refused() {
    let features = Array2::zeros((4, 2));
    let r = Representation {
        name: "x",
        seed: 0,
        features: &features,
        space: Space::Features,
        short: None,
        yearly: None,
    };
    let grades = normal(5, 3, 1);
    assert!(
        compare(&[r], &grades, &[true, true, true, false, false], &ComparisonParams::default(), &mut rng(1))
            .is_err()
    );
}
