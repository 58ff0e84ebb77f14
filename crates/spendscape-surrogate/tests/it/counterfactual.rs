//! Changes of spending that move the segment, by networks whose answers are known, and what goes with them.

use ndarray::{Array1, Array2, Array3, Axis, array};
use proptest::prelude::*;
use spendscape_stats::{BadInput, EmpiricalDistribution};
use spendscape_surrogate::{
    Error,
    explain::{
        Candidate, Counterfactual, CounterfactualSearch, Move, MovePlanner, SegmentExplainer, companions,
        driver_agreement, level_classes, winner,
    },
    models::{LinearModel, Ols},
};

use crate::data::{gaussian, shares};

const CUSTOMERS: usize = 60;
const PERIODS: usize = 3;
const CLASSES: usize = 8;
const SEGMENTS: usize = 4;
/// Sums of shares in f32.
const SINGLE: f64 = 1e-5;

struct World {
    periods: Array3<f32>,
    shares: Array2<f64>,
    model: LinearModel,
    readout: Array2<f64>,
    bias: Array1<f64>,
}

impl World {
    fn new(seed: u64) -> Self {
        let periods = shares(CUSTOMERS * PERIODS, CLASSES, seed).mapv(|share| share as f32);
        let periods = periods.into_shape_with_order((CUSTOMERS, PERIODS, CLASSES)).unwrap();
        let shares = means(&periods);
        let state = shares.dot(&gaussian(CLASSES, 3, seed ^ 1)) + gaussian(CUSTOMERS, 3, seed ^ 2) * 0.05;
        let model = Ols::params().fit(&shares, &state).unwrap();
        let (readout, bias) =
            (gaussian(SEGMENTS, 3, seed ^ 3), gaussian(1, SEGMENTS, seed ^ 4).row(0).to_owned());
        Self { periods, shares, model, readout, bias }
    }

    fn explainer(&self) -> SegmentExplainer<'_> {
        SegmentExplainer::new(&self.model, &self.readout, &self.bias).unwrap()
    }

    fn peers(&self) -> EmpiricalDistribution {
        EmpiricalDistribution::new(&self.shares).unwrap()
    }

    fn planner(&self, fixed: &[usize]) -> CounterfactualSearch {
        CounterfactualSearch::new(&self.explainer(), &self.peers(), fixed).unwrap()
    }

    /// The first customer as the candidate of a network that gives these outputs, the first one the highest.
    fn first<'a>(&'a self, outputs: &'a Array1<f64>) -> Candidate<'a> {
        Candidate {
            periods: self.periods.index_axis(Axis(0), 0),
            shares: self.shares.row(0),
            outputs: outputs.view(),
            segment: 0,
        }
    }

    /// Searches for the changes of all customers on a network that gives `outputs` of mean shares.
    fn search(
        &self,
        fixed: &[usize],
        outputs: impl Fn(&Array2<f64>) -> Array2<f64>,
    ) -> (Array2<f64>, Vec<Option<Counterfactual>>) {
        let search = self.planner(fixed);
        let now = outputs(&self.shares);
        let candidate = |row: usize| Candidate {
            periods: self.periods.index_axis(Axis(0), row),
            shares: self.shares.row(row),
            outputs: now.row(row),
            segment: winner(&now.row(row)).unwrap().segment,
        };
        let candidates: Vec<_> = (0..CUSTOMERS).map(candidate).collect();
        let found = search.smallest(&candidates, |changed| Ok::<_, Error>(outputs(&means(changed))));
        let found = found.unwrap();
        (now, found)
    }

    /// Limits of a customer's shares, by their definition.
    fn limits(&self, row: usize, fixed: &[usize]) -> (Array1<f64>, Array1<f64>) {
        let peers = self.peers();
        let own = self.shares.row(row);
        let upper = |class: usize| own[class].max(peers.quantile(class, 0.99).unwrap());
        (
            Array1::from_shape_fn(CLASSES, |class| if fixed.contains(&class) { own[class] } else { 0.0 }),
            Array1::from_shape_fn(
                CLASSES,
                |class| if fixed.contains(&class) { own[class] } else { upper(class) },
            ),
        )
    }
}

fn means(periods: &Array3<f32>) -> Array2<f64> {
    periods.mapv(f64::from).mean_axis(Axis(1)).unwrap()
}

fn moved(shares: &Array1<f64>, moves: &[Move]) -> Array1<f64> {
    let mut after = shares.clone();
    for step in moves {
        after[step.from] -= step.amount;
        after[step.to] += step.amount;
    }
    after
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// On a network that is the surrogate, the change found is the solution of the linear program.
    #[test]
    fn a_linear_network_is_moved_by_the_least(seed: u64, fixed in prop::collection::vec(0..CLASSES, 0..3)) {
        let world = World::new(seed);
        let explainer = world.explainer();
        let (now, found) = world.search(&fixed, |shares| explainer.outputs(shares).unwrap());
        for (row, found) in found.iter().enumerate() {
            let segment = winner(&now.row(row)).unwrap().segment;
            let (lower, upper) = world.limits(row, &fixed);
            let plans = (0..SEGMENTS).filter(|rival| *rival != segment).filter_map(|rival| {
                let planner = MovePlanner::new(explainer.lead(segment, rival).unwrap().coefficients()).unwrap();
                let plan = planner.plan(&world.shares.row(row), &lower, &upper).unwrap();
                Some((plan.moved_for(now[[row, segment]] - now[[row, rival]])?, plan.capacity()))
            });
            let least = plans.min_by(|a, b| a.0.total_cmp(&b.0));
            // At the very end of a plan rounding decides whether its rival is reached.
            let Some((least, capacity)) = least else {
                prop_assert!(found.is_none());
                continue;
            };
            let Some(found) = found else {
                prop_assert!(least > capacity * (1.0 - 1e-3), "{least} of {capacity}");
                continue;
            };
            prop_assert!(found.moved > least - SINGLE, "{} {least}", found.moved);
            prop_assert!(found.moved < least + capacity / 4096.0 + SINGLE, "{} {least} {capacity}", found.moved);
        }
    }
}

/// On another network the changes found do what they say, within the limits.
#[test]
fn changes_do_what_they_say() {
    const WORLDS: usize = 50;
    let mut count = 0;
    for seed in 0..WORLDS {
        let world = World::new(seed as u64);
        let fixed = [seed % CLASSES, 3 * seed % CLASSES];
        let explainer = world.explainer();
        let bent =
            |shares: &Array2<f64>| explainer.outputs(shares).unwrap().mapv(|output| (2.0 * output).sin());
        let (now, found) = world.search(&fixed, bent);
        for (row, found) in found.iter().enumerate() {
            let Some(found) = found else { continue };
            count += 1;
            let own = world.shares.row(row).to_owned();
            let after = moved(&own, &found.moves);
            assert!((found.moves.iter().map(|step| step.amount).sum::<f64>() - found.moved).abs() < 1e-12);
            let (lower, upper) = world.limits(row, &fixed);
            for class in 0..CLASSES {
                assert!(after[class] > lower[class] - 1e-12 && after[class] < upper[class] + 1e-12);
            }
            let outputs = bent(&after.insert_axis(Axis(0)));
            let segment = winner(&now.row(row)).unwrap().segment;
            assert_ne!(found.segment, segment);
            assert!(
                (outputs[[0, found.segment]] - outputs[[0, segment]] - found.lead).abs() < 100.0 * SINGLE
            );
            assert!(found.lead > 0.0);
        }
    }
    // In a world or two nobody can be moved, in most of them many.
    assert!(2 * count > WORLDS * CUSTOMERS, "{count} of {} customers", WORLDS * CUSTOMERS);
}

#[test]
fn a_network_that_never_changes_its_mind_has_no_counterfactual() {
    let world = World::new(4);
    let mut trials = 0;
    let search = world.planner(&[]);
    let outputs = array![1.0, 0.99, 0.98, 0.97];
    let found = search.smallest(&[world.first(&outputs)], |changed| {
        trials += 1;
        assert_eq!(changed.dim(), (1, PERIODS, CLASSES));
        Ok::<_, Error>(outputs.clone().insert_axis(Axis(0)))
    });
    assert_eq!(found.unwrap(), [None]);
    // Each plan is tried in sixteen steps and given up.
    assert!(trials > 0 && trials % 16 == 0, "{trials}");
    let nobody = search.smallest(&[], |_| -> Result<_, Error> { unreachable!("nobody is tried") });
    assert_eq!(nobody.unwrap(), []);
}

#[test]
fn candidates_and_outputs_of_other_shapes_are_refused() {
    let world = World::new(4);
    let search = world.planner(&[]);
    let outputs = array![1.0, 0.99, 0.98, 0.97];
    let candidate = world.first(&outputs);
    let search = |candidate: Candidate<'_>, shape: (usize, usize)| {
        search.smallest(&[candidate], |_| Ok::<_, Error>(Array2::zeros(shape))).unwrap_err()
    };
    assert!(matches!(
        search(candidate, (2, SEGMENTS)),
        Error::Input(BadInput::ShapeMismatch { argument: "rows of outputs", expected: 1, found: 2 })
    ));
    // The present segment may be one that the network does not name, or the new one may be none.
    for columns in [2, SEGMENTS + 1] {
        let error = search(Candidate { segment: SEGMENTS - 1, ..candidate }, (1, columns));
        assert!(
            matches!(error, Error::Input(BadInput::ShapeMismatch { argument: "columns of outputs", expected: SEGMENTS, found }) if found == columns),
            "{error}"
        );
    }
    let one = (1, SEGMENTS);
    let unknown = search(Candidate { segment: SEGMENTS, ..candidate }, one);
    assert!(matches!(unknown, Error::Input(BadInput::OutOfRange { index: SEGMENTS, length: SEGMENTS, .. })));
    let narrow = array![1.0, 0.5];
    let narrow = search(Candidate { outputs: narrow.view(), ..candidate }, one);
    assert!(matches!(narrow, Error::Input(BadInput::ShapeMismatch { argument: "outputs", .. })));
    let dirty = array![1.0, f64::NAN, 0.98, 0.97];
    let dirty = search(Candidate { outputs: dirty.view(), ..candidate }, one);
    assert!(
        matches!(dirty, Error::Input(BadInput::NotFinite { argument: "outputs", row: 1, .. })),
        "{dirty}"
    );
    let missing = CounterfactualSearch::new(&world.explainer(), &world.peers(), &[CLASSES]).unwrap_err();
    assert!(matches!(missing, Error::Input(BadInput::OutOfRange { index: CLASSES, .. })));
    for columns in [CLASSES - 1, CLASSES + 1] {
        let others = EmpiricalDistribution::new(&shares(5, columns, 1)).unwrap();
        let error = CounterfactualSearch::new(&world.explainer(), &others, &[]).unwrap_err();
        assert!(
            matches!(error, Error::Input(BadInput::ShapeMismatch { argument: "classes of the peers", .. })),
            "{error}"
        );
    }
}

#[test]
fn leveled_classes_get_the_average_and_others_keep_their_proportions() {
    let mut periods = array![[[0.2_f32, 0.2, 0.6], [1.0, 0.0, 0.0]]];
    level_classes(&mut periods, &array![0.5, 0.25, 0.25], &[0]).unwrap();
    // Half is left for the others, one to three; where there is nothing else, the period stays.
    assert_eq!(periods, array![[[0.5_f32, 0.125, 0.375], [1.0, 0.0, 0.0]]]);
    let mut twice = array![[[0.2_f32, 0.2, 0.6]]];
    level_classes(&mut twice, &array![0.5, 0.25, 0.25], &[0, 0]).unwrap();
    assert_eq!(twice, array![[[0.5_f32, 0.125, 0.375]]]);
    let refused = level_classes(&mut periods, &array![0.5, 0.25, 0.25], &[3]).unwrap_err();
    assert!(matches!(refused, Error::Input(BadInput::OutOfRange { index: 3, length: 3, .. })));
    assert!(level_classes(&mut periods, &array![0.5, 0.5], &[0]).is_err());
}

#[test]
fn companions_are_the_closest_listed_classes() {
    let x = array![[0.1, 0.2, 0.3, 0.4], [0.2, 0.4, 0.3, 0.1], [0.3, 0.5, 0.1, 0.1], [0.1, 0.1, 0.2, 0.6]];
    let found = companions(&x, &[0, 2], 0.3).unwrap();
    assert_eq!((found[0], found[2]), (None, None));
    // By hand: .05 / sqrt(.0275 x .1) with the first, less with the third.
    assert!(found[1].is_some_and(|(class, r)| class == 0 && (r - 0.05 / 0.002_75_f64.sqrt()).abs() < 1e-12));
    assert!(found[3].is_some_and(|(class, r)| class == 0 && (r + 0.06 / 0.004_95_f64.sqrt()).abs() < 1e-12));
    assert_eq!(companions(&x, &[0], 0.99).unwrap(), [None; 4]);
    assert_eq!(companions(&x, &[], 0.0).unwrap(), [None; 4]);
    assert!(matches!(
        companions(&x, &[4], 0.3),
        Err(Error::Input(BadInput::OutOfRange { index: 4, length: 4, .. }))
    ));
}

#[test]
fn equal_surrogates_name_the_same_drivers() {
    let (world, other) = (World::new(7), World::new(8));
    let (one, two) = (world.explainer(), other.explainer());
    // Sums of single precision are shares only after they are scaled.
    let mut x = &world.shares / &world.shares.sum_axis(Axis(1)).insert_axis(Axis(1));
    x.row_mut(3).fill(0.0);
    let leads = vec![(0, 1); CUSTOMERS];
    let same = driver_agreement([&one, &one], &x, &leads, 3).unwrap();
    // The customer without spending has nothing to rank.
    let compared = CUSTOMERS - 1;
    assert_eq!((same.compared, same.same_first, same.shared), (compared, compared, 3 * compared));
    let different = driver_agreement([&one, &two], &x, &leads, 3).unwrap();
    assert!(
        different.compared == compared && different.same_first < compared && different.shared < 3 * compared
    );
    assert!(driver_agreement([&one, &one], &x, &leads[1..], 3).is_err());
}
