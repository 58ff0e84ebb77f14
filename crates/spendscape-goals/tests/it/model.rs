//! The model on processes whose best prediction is known.

use rand::RngExt;
use spendscape_goals::{
    Calendar, Covariates, Error, Sequences, Split, Target,
    baselines::Baseline,
    measures::{Measure, Predictions},
    model::{Block, Blocks, GoalModel, GoalParams, InMemory, NextGroup, prefixes},
};
use spendscape_stats::BadInput;

use crate::{fit, on_threads, rng, sequences};

const CUSTOMERS: usize = 800;
/// How often the process keeps its rule.
const KEPT: f64 = 0.9;

/// Groups every one to three days. Every fourth group repeats the goal of four groups before with probability .9 (any of
/// four goals otherwise), the others are drawn evenly: chains of order 1 and 2 see next to nothing of it.
fn remembering(seed: u64) -> Sequences {
    let rng = &mut rng(seed);
    let history = |_| {
        let (mut day, mut goals) = (17_000, Vec::<u16>::new());
        let mut groups = Vec::new();
        for at in 0..48 {
            let goal =
                if at >= 4 && rng.random::<f64>() < KEPT { goals[at - 4] } else { rng.random_range(0..4) };
            day += rng.random_range(1..=3);
            goals.push(goal);
            groups.push((day, goal));
        }
        groups
    };
    sequences(&(0..CUSTOMERS).map(history).collect::<Vec<_>>(), 4)
}

fn params() -> GoalParams {
    GoalModel::params().units(32).epochs(30).patience(30).batch(16).rate(1e-2).window(48).longest_gap(5)
}

fn trained(sequences: &Sequences, split: &Split, params: &GoalParams) -> GoalModel {
    let covariates = Covariates::none(sequences.customers());
    let train = prefixes(sequences.customers(), &split.train).unwrap();
    let source = InMemory::new(sequences, &covariates, &train, &split.validation);
    params.fit(&source, &Calendar::default(), 1, &mut rng(3), |_| {}).unwrap()
}

fn predict(model: &GoalModel, sequences: &Sequences, targets: &[Target], until: Option<i32>) -> NextGroup {
    model.predict(sequences, &Covariates::none(sequences.customers()), targets, until).unwrap()
}

#[test]
fn it_remembers_what_markov_chains_forget() {
    let sequences = remembering(1);
    let split = Split::by_customer(&sequences, 0.1, 0.2, &mut rng(2)).unwrap();
    let mut model = trained(&sequences, &split, &params());
    let covariates = Covariates::none(CUSTOMERS);
    model.calibrate(&sequences, &covariates, &split.validation).unwrap();
    let targets: Vec<Target> = split.test.iter().copied().filter(|target| target.position >= 8).collect();
    let accuracy =
        |p| Predictions::of(&sequences, &targets, p).unwrap().values(&[Measure::Accuracy]).unwrap()[0];
    let next = predict(&model, &sequences, &targets, None);
    let found = accuracy(next.goals.clone());
    let chain = accuracy(
        fit(Baseline::SecondOrderMarkov, &sequences, &split.train).predict(&sequences, &targets).unwrap(),
    );
    // The rule is right with .9 + .1 / 4; the chains guess among four goals.
    let best = KEPT + (1.0 - KEPT) / 4.0;
    assert!(chain < 0.4, "{chain}");
    assert!(found > chain + 0.95 * (best - chain), "{found} of {best}");
    // Gaps of one to three days are equally likely, and all there is.
    let mean = next.gaps.mean_axis(ndarray::Axis(0)).unwrap();
    assert!((1..=3).all(|gap| (mean[gap] - 1.0 / 3.0).abs() < 0.03), "{mean}");
    let calibrated = model.temperatures();
    assert!((0.5..2.0).contains(&calibrated.0) && (0.5..2.0).contains(&calibrated.1), "{calibrated:?}");
}

#[test]
fn predictions_depend_on_the_past_alone_and_not_on_company_or_threads() {
    let sequences = remembering(4);
    let split = Split::by_customer(&sequences, 0.1, 0.2, &mut rng(2)).unwrap();
    let quick = params().epochs(1).layers(2).window(16);
    let [one, three] = on_threads(|| {
        let model = trained(&sequences, &split, &quick);
        let targets = &split.test[..300];
        (predict(&model, &sequences, targets, None), model)
    });
    assert_eq!(one.0, three.0);
    let (all, model) = one;
    for row in [0, 7, 31, 299] {
        let alone = predict(&model, &sequences, &split.test[row..=row], None);
        assert_eq!(alone.goals.row(0), all.goals.row(row));
        assert_eq!(alone.gaps.row(0), all.gaps.row(row));
        assert!((alone.goals.sum() - 1.0).abs() < 1e-12 && (alone.gaps.sum() - 1.0).abs() < 1e-12);
    }
    // Groups from the target on are taken away: it becomes the coming one, and nothing changes.
    let target = Target { customer: 5, position: 20 };
    let groups = sequences.groups(5);
    let mut histories = vec![Vec::new(); 5];
    histories.push((0..20).map(|at| (groups.day[at], groups.goal[at])).collect());
    let cut = crate::sequences(&histories, 4);
    let (full, cut) = (predict(&model, &sequences, &[target], None), predict(&model, &cut, &[target], None));
    assert_eq!(full, cut);
}

#[test]
fn nothing_known_and_time_gone_by_have_answers() {
    let sequences = sequences(&[vec![], vec![(10, 1)], vec![(10, 0), (12, 1), (14, 0)]], 2);
    let covariates = Covariates::none(3);
    let source = InMemory::new(&sequences, &covariates, &[0, 0, 3], &[]);
    let model = params().epochs(2).fit(&source, &Calendar::default(), 1, &mut rng(1), |_| {}).unwrap();
    let coming = [0, 1, 3].map(|position| Target { customer: position.min(2), position });
    let next = predict(&model, &sequences, &coming, Some(13));
    assert!(next.goals.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
    // Without a group there is no day to count from; three quiet days rule gaps up to three out.
    assert_eq!(next.gaps.row(0).sum(), 0.0);
    assert_eq!(next.gaps.row(1).iter().take(4).sum::<f64>(), 0.0);
    assert!((next.gaps.row(1).sum() - 1.0).abs() < 1e-12 && next.gaps[[2, 1]] > 0.0);
    let later = predict(&model, &sequences, &coming, Some(500));
    assert_eq!(later.gaps[[1, model.gaps() - 1]], 1.0);
}

#[test]
fn settings_and_tensors_are_all_of_a_model() {
    let sequences = remembering(5);
    let split = Split::by_customer(&sequences, 0.1, 0.2, &mut rng(2)).unwrap();
    let weights = params().epochs(1).layers(2).class_weights(vec![1.0, 2.0, 0.5, 1.0]);
    let model = trained(&sequences, &split, &weights);
    let mut copy = GoalModel::zeros(&model.settings()).unwrap();
    let [days, goals] = copy.networks_mut();
    for (to, from) in [(days, model.days_network()), (goals, model.goals_network())] {
        for (name, tensor) in from.tensors() {
            to.set_tensor(&name, &tensor).unwrap();
        }
    }
    let targets = &split.test[..50];
    assert_eq!(predict(&model, &sequences, targets, None), predict(&copy, &sequences, targets, None));
}

/// Blocks that fail to be read.
struct Broken;

impl Blocks for Broken {
    fn blocks(&self) -> usize {
        1
    }

    fn load(&self, _: usize) -> Result<Block<'_>, Error> {
        Err(Error::Read { source: "the disk is gone".into() })
    }
}

#[test]
fn bad_input_is_refused() {
    let sequences = remembering(6);
    let covariates = Covariates::none(CUSTOMERS);
    let none = vec![0; CUSTOMERS];
    let source = InMemory::new(&sequences, &covariates, &none, &[]);
    let train = |source: &dyn Blocks, params: &GoalParams| {
        params.fit(source, &Calendar::default(), 1, &mut rng(1), |_| {}).map(|_| ())
    };
    assert!(matches!(train(&source, &params()), Err(Error::Input(BadInput::TooFew { found: 0, .. }))));
    assert!(matches!(
        train(&source, &params().units(0)),
        Err(Error::Input(BadInput::InvalidParameter { parameter: "units", .. }))
    ));
    assert!(matches!(
        train(&source, &params().layers(4)),
        Err(Error::Input(BadInput::InvalidParameter { parameter: "layers", .. }))
    ));
    assert!(matches!(
        train(&source, &params().class_weights(vec![1.0])),
        Err(Error::Input(BadInput::ShapeMismatch { .. }))
    ));
    assert!(matches!(train(&Broken, &params()), Err(Error::Read { .. })));
    let refused = |covariates: &Covariates, groups: usize, position: u32| {
        let (counts, validation) = (vec![groups; CUSTOMERS], [Target { customer: 1, position }]);
        train(&InMemory::new(&sequences, covariates, &counts, &validation), &params())
    };
    assert!(matches!(
        refused(&Covariates::none(1), 9, 1),
        Err(Error::Input(BadInput::ShapeMismatch { argument: "covariates", .. }))
    ));
    assert!(matches!(
        refused(&covariates, 49, 1),
        Err(Error::Input(BadInput::ShapeMismatch { expected: 48, found: 49, .. }))
    ));
    assert!(matches!(refused(&covariates, 9, 48), Err(Error::NoTarget { .. })));
    let target = |position| Target { customer: 0, position };
    assert!(matches!(prefixes(1, &[target(1), target(3)]), Err(Error::NotPrefix { customer: 0 })));
    assert_eq!(prefixes(2, &[target(1), target(2)]).unwrap(), [3, 0]);
}
