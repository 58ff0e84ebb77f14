//! Single maps in depth, on a cell whose folds are known.

use ndarray::{Array1, Array2, array};
use spendscape_dynamics::{
    Error,
    continuation::{BranchEnd, JumpCause, Passage},
    interval::Interval,
    map::{LstmCell, Nonlinearity, RnnCell},
    orbits::Membership,
    population::{PopulationParams, analyze_population},
    study::{StudiedMap, StudyInputs, StudyParams, evenly_spaced, study_map, worth_studying},
};

use crate::nets::{G, rng, trained};

/// One unit whose candidate gate reads the input: bistable around 0, with a single point from 1 on.
fn gated() -> LstmCell {
    let (mut w_x, mut w_h) = (Array2::zeros((4, 1)), Array2::zeros((4, 1)));
    w_x[[G, 0]] = 1.0;
    w_h[[G, 0]] = 3.0;
    LstmCell::new(&w_x, &w_h, &Array1::zeros(4)).unwrap()
}

fn study(held: &Array2<f64>, paths: &[Array2<f64>], row: usize, params: StudyParams) -> StudiedMap {
    study_map(&gated(), &StudyInputs { held, paths }, row, &params, &mut rng(1)).unwrap()
}

#[test]
fn both_basins_of_a_bistable_cell_and_their_edge_are_found() {
    let found = study(&array![[0.0]], &[], 0, StudyParams::default());
    assert_eq!((found.dim, found.list.points.len(), found.stable(), found.kinks()), (2, 3, 2, 0));
    assert_eq!(found.unbounded(), 0);
    let shares: f64 = found.basins.iter().map(|share| share.share).sum();
    assert!((shares - 1.0).abs() < 1e-12);
    for share in found.basins.iter().filter(|share| share.membership != Membership::Undecided) {
        // Of a symmetric cell each has half.
        assert!(share.interval.0 < 0.5 && share.interval.1 > 0.5, "{share:?}");
    }
    // The outer points are the stable ones, and each edge looks from one at the other.
    let edges: Vec<_> = found.edges.iter().map(|edge| (edge.index, edge.toward, edge.beyond)).collect();
    assert_eq!(edges.len(), 2);
    for (index, toward, beyond) in edges {
        assert_eq!((index + toward, beyond), (2, Membership::Point(toward)));
    }
    assert_eq!((found.transients.len(), found.sensitivities.len()), (3, 3));
    assert!(found.transients.iter().all(Option::is_some) && found.sensitivities.iter().all(Option::is_some));
    // Nobody else to go to, and no path of its own.
    assert!(found.departures.is_empty() && found.own_path.is_none() && found.smallest_jump().is_none());
}

#[test]
fn the_attractor_jumps_toward_some_inputs_and_not_toward_others() {
    let held = array![[1.0], [2.0], [-3.0], [-1.0]];
    let paths = [array![[1.0], [-1.0]], array![[2.0]], array![[0.0], [0.0]], array![[0.0], [0.0]]];
    let found = study(&held, &paths, 0, StudyParams::default().basin_samples(0));
    let toward: Vec<_> = found.departures.iter().map(|departure| departure.toward).collect();
    assert_eq!(toward, [1, 2, 3]);
    assert_eq!(found.departures[0].passage, Passage::Survives);
    let smallest = found.smallest_jump().unwrap();
    let changes: Vec<f64> = found
        .departures
        .iter()
        .filter_map(|departure| match &departure.passage {
            Passage::Jumps(jump) => {
                assert_eq!(jump.cause, JumpCause::Fold);
                Some(jump.change)
            }
            _ => None,
        })
        .collect();
    assert_eq!(changes.len(), 2);
    assert_eq!(smallest, if changes[0] < changes[1] { 1 } else { 2 });
    assert!(matches!(found.own_path.unwrap().end, BranchEnd::Fold { .. }));
    // A path of one input is none, and fewer inputs are followed where fewer are asked for.
    let found = study(&held, &paths, 1, StudyParams::default().basin_samples(0).followed(1));
    assert!(found.own_path.is_none());
    assert_eq!(found.departures.iter().map(|departure| departure.toward).collect::<Vec<_>>(), [0]);
}

#[test]
fn a_cover_holds_every_undecided_box() {
    let mut found = study(&array![[0.0]], &[], 0, StudyParams::default().basin_samples(0));
    let side = |at: f64| Interval::new(at, at + 1.0);
    // Boxes of the lower layer of a stack have fewer sides than its state.
    found.list.undecided = (0..10).map(|k| vec![side(f64::from(k))]).collect();
    let cover: Vec<_> = found.undecided_cover(3).collect();
    let sides: Vec<_> = cover.iter().map(|sides| (sides[0].lo, sides[0].hi)).collect();
    assert_eq!(sides, [(0.0, 4.0), (4.0, 8.0), (8.0, 10.0)]);
    assert!(cover.iter().all(|sides| sides.len() == 2 && sides[1].lo == f64::NEG_INFINITY));
    assert_eq!(found.undecided_cover(100).count(), 10);
    assert_eq!(found.undecided_cover(0).count(), 1);
    found.list.undecided.clear();
    assert_eq!(found.undecided_cover(3).count(), 0);
    found.list.undecided = vec![vec![Interval::ENTIRE]];
    assert_eq!(found.unbounded(), 1);
}

#[test]
fn nothing_is_said_of_stability_on_a_kink() {
    let cell = RnnCell::new(&array![[1.0]], &array![[0.5]], &array![0.0]).unwrap().with(Nonlinearity::Relu);
    let held = array![[0.0]];
    let inputs = StudyInputs { held: &held, paths: &[] };
    let found = study_map(&cell, &inputs, 0, &StudyParams::default(), &mut rng(1)).unwrap();
    assert_eq!((found.list.points.len(), found.kinks(), found.stable()), (1, 1, 0));
    assert_eq!((&found.transients[..], &found.sensitivities[..]), (&[None][..], &[None][..]));
    let narrow = StudyInputs { held: &Array2::zeros((1, 2)), paths: &[] };
    let error = study_map(&cell, &narrow, 0, &StudyParams::default(), &mut rng(1)).unwrap_err();
    assert_eq!(error, Error::InputWidth { expected: 1, found: 2 });
}

#[test]
fn rows_are_spaced_evenly_and_half_of_the_customers_have_most_points() {
    assert_eq!(evenly_spaced(10, 4), [0, 2, 5, 7]);
    assert_eq!(evenly_spaced(3, 8), [0, 1, 2]);
    assert!(evenly_spaced(0, 8).is_empty() && evenly_spaced(8, 0).is_empty());
    let net = &trained()[0];
    let population = analyze_population(&net.cell, &net.inputs, &PopulationParams::default()).unwrap();
    let rich = (0..population.len()).filter(|row| population.count(*row) > 1).count();
    let rows = worth_studying(&population, 8);
    assert!(rows.is_sorted() && rows.len() <= 8);
    let most = (0..population.len()).map(|row| population.count(row)).max().unwrap();
    assert!(rich == 0 || rows.iter().any(|row| population.count(*row) == most));
    assert!(rows.iter().filter(|row| population.count(**row) > 1).count() >= rich.min(4));
    assert!(worth_studying(&population, 0).is_empty());
}
