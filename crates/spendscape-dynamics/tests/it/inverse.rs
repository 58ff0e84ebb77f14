//! Inverse regression: closed forms, rank, and the three predicted locations.

use ndarray::{Array1, Array2, Axis, array};
use spendscape_dynamics::{
    Error,
    inverse::{InverseParams, inverse_regression},
};
use spendscape_stats::BadInput;

use crate::nets::{normal, rng, trained};

#[test]
fn grid_and_closed_form_agree_and_invert_the_layer() {
    for net in trained() {
        let inv = inverse_regression(&net.w_out, &net.b_out, &InverseParams::default()).unwrap();
        assert_eq!(inv.rank, 3);
        // The bound of the methods document for the inverse map.
        assert!(inv.closed_form_error.unwrap() < 1e-9);
        let reach = inv.reachable.as_ref().unwrap();
        assert_eq!(reach.outputs.dim(), (9_261, 5));
        // D_j is attained on the grid's corners.
        let top = reach.outputs.fold_axis(Axis(0), f64::NEG_INFINITY, |m: &f64, v| m.max(*v));
        for (top, d) in top.iter().zip(&inv.magnitude) {
            assert!((top - d).abs() < 1e-12);
        }
        // Reachable outputs go back to their states exactly.
        let back = inv.locate_raw(&reach.outputs).unwrap();
        assert!((&back - &reach.states).iter().all(|v| v.abs() < 1e-10));
        let l_raw = inv.locate_raw(&net.targets).unwrap();
        let l_paper = inv.locate_paper(&net.targets).unwrap();
        let l_printed = inv.locate_printed(&net.targets).unwrap();
        assert_eq!(l_raw.dim(), (net.targets.nrows(), 3));
        let shift = &l_paper - &l_printed;
        assert!(shift.outer_iter().all(|r| r.iter().zip(&inv.origin).all(|(a, b)| (a - b).abs() < 1e-12)));
    }
}

#[test]
fn a_rank_deficient_layer_names_what_can_be_recovered() {
    // The third unit is not read, the second twice the first: one direction is identifiable.
    let w = array![[1.0, 2.0, 0.0], [-0.5, -1.0, 0.0], [0.25, 0.5, 0.0]];
    let inv = inverse_regression(&w, &Array1::zeros(3), &InverseParams::default()).unwrap();
    assert_eq!((inv.rank, inv.identifiable.nrows()), (1, 1));
    assert!(inv.closed_form_error.is_none());
    let direction = inv.identifiable.row(0);
    assert!((direction[1] / direction[0] - 2.0).abs() < 1e-12 && direction[2].abs() < 1e-12);
}

#[test]
fn more_units_than_traits_and_large_grids_use_the_closed_form() {
    let mut rng = rng(5);
    let w = Array2::from_shape_simple_fn((5, 7), || normal(&mut rng));
    let inv = inverse_regression(&w, &Array1::ones(5), &InverseParams::default()).unwrap();
    assert_eq!(inv.rank, 5);
    assert!(inv.reachable.is_none());
    // States are not recovered, but outputs are reproduced.
    let outputs = Array2::from_shape_simple_fn((4, 5), || normal(&mut rng));
    let states = inv.locate_raw(&outputs).unwrap();
    let again = states.dot(&w.t()) + 1.0;
    assert!((&again - &outputs).iter().all(|v| v.abs() < 1e-9));
}

#[test]
fn bad_layers_are_refused() {
    let params = InverseParams::default();
    assert_eq!(inverse_regression(&Array2::zeros((5, 0)), &Array1::zeros(5), &params), Err(Error::NoUnits));
    let mut w = Array2::ones((5, 3));
    w[[2, 1]] = f64::NAN;
    assert!(matches!(
        inverse_regression(&w, &Array1::zeros(5), &params),
        Err(Error::Input(BadInput::NotFinite { row: 2, column: 1, .. }))
    ));
    assert!(matches!(
        inverse_regression(&Array2::ones((5, 3)), &Array1::zeros(4), &params),
        Err(Error::Shape { .. })
    ));
    let flat = params.grid_points(1);
    assert!(matches!(
        inverse_regression(&Array2::ones((5, 3)), &Array1::zeros(5), &flat),
        Err(Error::Input(BadInput::InvalidParameter { .. }))
    ));
}
