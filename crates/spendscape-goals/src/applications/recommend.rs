//! Next-best recommendations.

use rayon::prelude::*;
use spendscape_stats::check;

use super::Classes;
use super::classes::{PSEUDO_GROUPS, Population, known};
use crate::{Error, Outlook, Sequences};

/// The recommendations asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct RecommendationRequest {
    /// Days ahead; one of the outlook's horizons.
    pub horizon: u32,
    /// Goals per customer.
    pub goals: usize,
    /// Classes per goal.
    pub classes: usize,
    /// Weight of novelty in the ranking, from 0 (by probability alone) to 1 (by probability times novelty).
    pub novelty_weight: f64,
    /// Names of goals that are never recommended.
    pub excluded_goals: Vec<String>,
    /// Names of classes that are never recommended.
    pub excluded_classes: Vec<String>,
}

/// A class recommended to a customer, inside a goal.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// Customer, from 0.
    pub customer: usize,
    /// Rank of the goal, from 1.
    pub goal_rank: usize,
    /// The goal.
    pub goal: usize,
    /// Probability that the goal comes within the horizon.
    pub goal_probability: f64,
    /// Rank of the class inside the goal, from 1.
    pub class_rank: usize,
    /// The class.
    pub class: usize,
    /// Probability that the goal comes and its first group holds the class.
    pub probability: f64,
    /// Share of the customer's history, in windows as long as the horizon, without the class.
    pub novelty: f64,
    /// -log2 of the share of customers who ever bought the class, bits; of a class nobody bought, that of one customer.
    pub self_information: f64,
    /// Probability over its mean over all customers.
    pub lift: f64,
}

/// The best goals of every customer and the best classes inside each.
///
/// The probability of class c inside goal g for customer n is
/// `P(g within the horizon | n) * (k(n, g, c) + s P(c | g)) / (k(n, g) + s)`: of the customer's k(n, g) groups with the goal,
/// k(n, g, c) held the class; P(c | g) is that share in the population and s = 5 groups its weight. It is that of the goal's
/// first group, hence a lower bound where the goal comes more than once.
///
/// Novelty is the customer's own, the share of past windows without the class: 1 for what was never bought, 0 for what is
/// bought in every window as it is; self-information is the population's (both in Castells, Hurley and Vargas 2015, "Novelty
/// and diversity in recommender systems"). Goals and classes are ranked by probability times `1 - w + w * novelty`, equals by
/// their number. A goal without classes to recommend is passed over, as is what has probability 0.
///
/// ```
/// use ndarray::{Array2, Array3};
/// use spendscape_goals::{
///     Event, GroupRules, Outlook, Sequences,
///     applications::{Classes, RecommendationRequest, recommend},
/// };
///
/// // One customer, who bought groceries and restaurant meals for the goal food.
/// let event = |day: i64, class| Event {
///     customer: 0, time: day * 86_400_000, amount: -100, class, channel: 0, place: 0,
/// };
/// let events = [event(1, 0), event(2, 0), event(3, 1)];
/// let (names, of) = (["groceries".to_owned(), "restaurants".to_owned()], [Some(0), Some(0)]);
/// let (sequences, _) = Sequences::new(&events, 1, vec!["food".to_owned()], &of, GroupRules::default())?;
/// let (sure, days) = (Array3::from_elem((1, 1, 1), 0.9), Array2::from_elem((1, 1), 2.0));
/// let outlook = Outlook::new(3, vec![7], sure.clone(), sure.clone(), sure, days)?;
/// let request = RecommendationRequest {
///     horizon: 7,
///     goals: 1,
///     classes: 2,
///     novelty_weight: 0.0,
///     excluded_goals: vec![],
///     excluded_classes: vec![],
/// };
/// let found = recommend(&outlook, &sequences, Classes::new(&names, &of)?, &request)?;
/// assert_eq!((found[0].class, found[0].class_rank, found[0].goal_probability), (0, 1, 0.9));
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
///
/// # Errors
/// [`Error::NoHorizon`], [`Error::UnknownGoal`] or [`Error::UnknownClass`] for excluded names that do not exist,
/// `BadInput::InvalidParameter`; `BadInput::ShapeMismatch` or `BadInput::OutOfRange` for groups of other customers, goals or
/// classes.
pub fn recommend(
    outlook: &Outlook,
    sequences: &Sequences,
    classes: Classes<'_>,
    request: &RecommendationRequest,
) -> Result<Vec<Recommendation>, Error> {
    outlook.check_fits(sequences)?;
    classes.check_fits(sequences)?;
    let h = outlook.horizon(request.horizon)?;
    let weight = request.novelty_weight;
    check::parameter("novelty_weight", weight, (0.0..=1.0).contains(&weight), "0 to 1")?;
    for (name, value) in [("goals", request.goals), ("classes", request.classes)] {
        check::parameter(name, 0.0, value > 0, "1 and more")?;
    }
    let what = "the list of exclusions";
    let mut goal_allowed = vec![true; outlook.goals()];
    for name in &request.excluded_goals {
        let goal = sequences.goals().iter().position(|goal| goal == name);
        goal_allowed[goal.ok_or_else(|| Error::UnknownGoal { what, goal: name.clone() })?] = false;
    }
    let mut class_allowed = vec![true; classes.len()];
    for name in &request.excluded_classes {
        class_allowed[classes.position(what, name)?] = false;
    }
    let offered: Vec<Vec<usize>> = (0..outlook.goals())
        .map(|goal| {
            classes.of_goal(goal).filter(|class| goal_allowed[goal] && class_allowed[*class]).collect()
        })
        .collect();

    let population = Population::new(sequences, classes.len(), outlook.from());
    let customers: Vec<Customer> = (0..outlook.customers())
        .into_par_iter()
        .map(|n| Customer::new(n, h, outlook, sequences, classes, &population))
        .collect();
    let mut mean = vec![0.0; classes.len()];
    let mut buyers = vec![0_usize; classes.len()];
    for customer in &customers {
        for class in 0..classes.len() {
            mean[class] += customer.probability[class];
            buyers[class] += usize::from(customer.class_novelty[class] < 1.0);
        }
    }
    let count = customers.len() as f64;
    mean.iter_mut().for_each(|sum| *sum /= count);

    let weigh = |p: f64, novelty: f64| p * (1.0 - request.novelty_weight + request.novelty_weight * novelty);
    let rows: Vec<Vec<Recommendation>> = customers
        .par_iter()
        .enumerate()
        .map(|(n, customer)| {
            let goal_probability = |goal: usize| outlook.within()[[n, goal, h]];
            let inside = |goal: usize| {
                let score = |class: usize| weigh(customer.probability[class], customer.class_novelty[class]);
                let possible =
                    offered[goal].iter().copied().filter(|class| customer.probability[*class] > 0.0);
                best(possible, score, request.classes)
            };
            let goals = (0..outlook.goals())
                .filter(|goal| offered[*goal].iter().any(|class| customer.probability[*class] > 0.0));
            let score = |goal: usize| weigh(goal_probability(goal), customer.goal_novelty[goal]);
            let mut rows = Vec::new();
            for (goal_at, goal) in best(goals, score, request.goals).into_iter().enumerate() {
                for (class_at, class) in inside(goal).into_iter().enumerate() {
                    rows.push(Recommendation {
                        customer: n,
                        goal_rank: goal_at + 1,
                        goal,
                        goal_probability: goal_probability(goal),
                        class_rank: class_at + 1,
                        class,
                        probability: customer.probability[class],
                        novelty: customer.class_novelty[class],
                        self_information: libm::log2(count / buyers[class].max(1) as f64),
                        lift: customer.probability[class] / mean[class],
                    });
                }
            }
            rows
        })
        .collect();
    Ok(rows.into_iter().flatten().collect())
}

/// The `count` best, the best first, equals by their number.
fn best(of: impl Iterator<Item = usize>, score: impl Fn(usize) -> f64, count: usize) -> Vec<usize> {
    let mut scored: Vec<(f64, usize)> = of.map(|k| (score(k), k)).collect();
    scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.into_iter().take(count).map(|(_, k)| k).collect()
}

/// The history of one customer.
struct Customer {
    /// Probability of each class inside its goal (C).
    probability: Vec<f64>,
    class_novelty: Vec<f64>,
    goal_novelty: Vec<f64>,
}

impl Customer {
    fn new(
        n: usize,
        h: usize,
        outlook: &Outlook,
        sequences: &Sequences,
        classes: Classes<'_>,
        population: &Population,
    ) -> Self {
        let groups = sequences.groups(n);
        let until = known(groups.day, outlook.from());
        let window =
            |day: i32| (i64::from(outlook.from()) - i64::from(day)) / i64::from(outlook.horizons()[h]);
        let windows = groups.day[..until].first().map_or(0, |day| window(*day) + 1);
        let mut of_class = Windows::new(classes.len());
        let mut of_goal = Windows::new(outlook.goals());
        let mut with_goal = vec![0.0; outlook.goals()];
        let mut holding = vec![0.0; classes.len()];
        for at in 0..until {
            let (goal, window) = (groups.goal[at] as usize, window(groups.day[at]));
            of_goal.add(goal, window);
            with_goal[goal] += 1.0;
            for (class, _) in sequences.items(n, at) {
                let class = class as usize;
                of_class.add(class, window);
                if classes.goal(class) == Some(goal) {
                    holding[class] += 1.0;
                }
            }
        }
        let probability = |class: usize| {
            let Some(goal) = classes.goal(class) else { return 0.0 };
            let share = (holding[class] + PSEUDO_GROUPS * population.share(goal, class))
                / (with_goal[goal] + PSEUDO_GROUPS);
            outlook.within()[[n, goal, h]] * share
        };
        Self {
            probability: (0..classes.len()).map(probability).collect(),
            class_novelty: of_class.novelty(windows),
            goal_novelty: of_goal.novelty(windows),
        }
    }
}

/// Counts the windows that held each thing; they are to come in the order of time.
struct Windows {
    last: Vec<i64>,
    count: Vec<i64>,
}

impl Windows {
    fn new(things: usize) -> Self {
        Self { last: vec![-1; things], count: vec![0; things] }
    }

    fn add(&mut self, thing: usize, window: i64) {
        if self.last[thing] != window {
            self.last[thing] = window;
            self.count[thing] += 1;
        }
    }

    fn novelty(&self, windows: i64) -> Vec<f64> {
        self.count.iter().map(|held| 1.0 - *held as f64 / windows.max(1) as f64).collect()
    }
}
