//! Bad input gets an error that names it, and never a panic.

use ndarray::{Array2, array};
use spendscape_stats::BadInput;
use spendscape_surrogate::{
    Error,
    explain::Explanation,
    fidelity::CoefficientTests,
    models::{
        BoostedModel, BoostedTrees, LinearModel, Ols, Polynomial, PolynomialModel, RegressionTree, Ridge,
        RidgeFit, Terms, TreeModel,
    },
};

use crate::data::gaussian;

/// Fits every kind of surrogate and collects the errors.
fn errors(x: &Array2<f64>, y: &Array2<f64>) -> Vec<Option<Error>> {
    vec![
        Ols::params().fit(x, y).err(),
        Ridge::params().fit(x, y).err(),
        Ridge::params().choose_alpha_by_default().fit(x, y).err(),
        Polynomial::params().fit(x, y).err(),
        Polynomial::params().terms(Terms::Full).fit(x, y).err(),
        RegressionTree::params().fit(x, y).err(),
        BoostedTrees::params().subsample(1.0).trees(5).fit(x, y).err(),
    ]
}

#[test]
fn shapes_and_values_are_checked_by_every_surrogate() {
    let (x, y) = (gaussian(30, 3, 1), gaussian(30, 2, 2));
    assert!(errors(&x, &y).iter().all(Option::is_none));
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut dirty = x.clone();
        dirty[[7, 2]] = bad;
        for error in errors(&dirty, &y) {
            assert!(
                matches!(
                    error,
                    Some(Error::Input(BadInput::NotFinite { argument: "x", row: 7, column: 2, .. }))
                ),
                "{error:?}"
            );
        }
        let mut dirty = y.clone();
        dirty[[3, 1]] = bad;
        for error in errors(&x, &dirty) {
            assert!(
                matches!(
                    error,
                    Some(Error::Input(BadInput::NotFinite { argument: "y", row: 3, column: 1, .. }))
                ),
                "{error:?}"
            );
        }
    }
    for error in errors(&x, &gaussian(29, 2, 3)) {
        assert!(
            matches!(error, Some(Error::Input(BadInput::ShapeMismatch { expected: 30, found: 29, .. }))),
            "{error:?}"
        );
    }
    for error in errors(&Array2::zeros((30, 0)), &y) {
        assert!(matches!(error, Some(Error::Input(BadInput::Empty { argument: "x" }))), "{error:?}");
    }
    for error in errors(&x, &Array2::zeros((30, 0))) {
        assert!(matches!(error, Some(Error::Input(BadInput::Empty { argument: "y" }))), "{error:?}");
    }
    for rows in [0, 1] {
        for error in errors(&Array2::zeros((rows, 3)), &Array2::zeros((rows, 1))) {
            assert!(matches!(error, Some(Error::Input(BadInput::TooFew { .. }))), "{error:?}");
        }
    }
}

#[test]
fn degenerate_but_valid_data_is_fitted() {
    let y = gaussian(30, 1, 2);
    for x in [Array2::zeros((30, 3)), Array2::from_elem((30, 3), 0.1), gaussian(30, 3, 1) * 1e-160] {
        assert!(errors(&x, &y).iter().all(Option::is_none));
        let model = Ols::params().fit(&x, &y).unwrap();
        assert!(model.predict(&x).unwrap().iter().all(|v| v.is_finite()));
    }
    let constant = Ols::params().fit(&Array2::from_elem((30, 3), 0.1), &y).unwrap();
    assert_eq!(constant.rank(), 0);
    assert_eq!(constant.coefficients(), &Array2::<f64>::zeros((3, 1)));
    // Two customers only.
    assert_eq!(Ols::params().fit(&array![[0.0, 1.0], [1.0, 0.0]], &array![[1.0], [2.0]]).unwrap().rank(), 1);
}

#[test]
fn features_of_another_model_are_refused() {
    let (x, y) = (gaussian(30, 3, 1), gaussian(30, 2, 2));
    let other = gaussian(5, 4, 3);
    let mismatch = |error: Option<Error>| {
        assert!(
            matches!(error, Some(Error::Input(BadInput::ShapeMismatch { expected: 3, found: 4, .. }))),
            "{error:?}"
        );
    };
    mismatch(Ols::params().fit(&x, &y).unwrap().predict(&other).err());
    mismatch(Polynomial::params().fit(&x, &y).unwrap().predict(&other).err());
    mismatch(Polynomial::params().terms(Terms::Full).fit(&x, &y).unwrap().predict(&other).err());
    mismatch(RegressionTree::params().fit(&x, &y).unwrap().predict(&other).err());
    let none = Array2::zeros((0, 3));
    assert_eq!(Ols::params().fit(&x, &y).unwrap().predict(&none).unwrap().dim(), (0, 2));
    assert_eq!(RegressionTree::params().fit(&x, &y).unwrap().predict(&none).unwrap().dim(), (0, 2));
}

#[test]
fn parameters_out_of_range_are_refused() {
    let (x, y) = (gaussian(30, 3, 1), gaussian(30, 2, 2));
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            Ridge::params().alpha(value).fit(&x, &y),
            Err(Error::Input(BadInput::InvalidParameter { .. }))
        ));
    }
    assert!(matches!(
        Ridge::params().choose_alpha(vec![]).fit(&x, &y),
        Err(Error::Input(BadInput::Empty { .. }))
    ));
    for value in [1.0, -1e-3, f64::NAN] {
        assert!(matches!(
            Ols::params().rcond(value).fit(&x, &y),
            Err(Error::Input(BadInput::InvalidParameter { .. }))
        ));
    }
    assert!(RegressionTree::params().max_depth(0).fit(&x, &y).is_err());
    assert!(RegressionTree::params().min_samples_leaf(0).fit(&x, &y).is_err());
    let boosted = BoostedTrees::params();
    for wrong in [boosted.trees(0), boosted.max_depth(0), boosted.learning_rate(0.0), boosted.subsample(1.5)]
    {
        assert!(matches!(wrong.fit(&x, &y), Err(Error::Input(BadInput::InvalidParameter { .. }))));
    }
    assert!(matches!(boosted.subsample(0.05).fit(&x, &y), Err(Error::Input(BadInput::TooFew { .. }))));
    // Nine columns need eleven rows.
    let small = gaussian(10, 3, 3);
    assert!(Polynomial::params().terms(Terms::Full).fit(&small, &gaussian(10, 1, 4)).is_err());
}

#[test]
fn models_can_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<LinearModel>();
    check::<RidgeFit>();
    check::<PolynomialModel>();
    check::<TreeModel>();
    check::<BoostedModel>();
    check::<CoefficientTests>();
    check::<Explanation>();
    check::<Error>();
}
