//! The classes inside goals, and how often a group of a goal holds each.

use ndarray::Array2;
use spendscape_stats::check;

use crate::{Error, Sequences};

/// Groups that the population's share weighs beside a customer's own: so many groups of a goal must a customer have had
/// until the two count alike.
pub(crate) const PSEUDO_GROUPS: f64 = 5.0;

/// The classes of a ledger with the goal of each; `None` for classes that are no spending.
///
/// ```
/// use spendscape_goals::applications::Classes;
///
/// let names = ["groceries".to_owned(), "salary".to_owned()];
/// // A salary is no spending.
/// assert_eq!(Classes::new(&names, &[Some(0), None])?.len(), 2);
/// assert!(Classes::new(&names, &[Some(0)]).is_err());
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Classes<'a> {
    names: &'a [String],
    goal_of_class: &'a [Option<usize>],
}

impl<'a> Classes<'a> {
    /// Takes the names of C classes and the goal of each.
    ///
    /// # Errors
    /// `BadInput::ShapeMismatch` for unequal lengths.
    pub fn new(names: &'a [String], goal_of_class: &'a [Option<usize>]) -> Result<Self, Error> {
        check::length("goal_of_class", names.len(), goal_of_class.len())?;
        Ok(Self { names, goal_of_class })
    }

    /// How many there are (C).
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(crate) fn of_goal(&self, goal: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).filter(move |class| self.goal_of_class[*class] == Some(goal))
    }

    pub(crate) fn goal(&self, class: usize) -> Option<usize> {
        self.goal_of_class[class]
    }

    pub(crate) fn position(&self, what: &'static str, class: &str) -> Result<usize, Error> {
        let unknown = || Error::UnknownClass { what, class: class.to_owned() };
        self.names.iter().position(|name| name == class).ok_or_else(unknown)
    }

    /// Refuses event groups whose items or goals are none of these.
    pub(crate) fn check_fits(&self, sequences: &Sequences) -> Result<(), Error> {
        if let Some(&class) = sequences.item_class.iter().max() {
            check::index("class", class.into(), self.len())?;
        }
        for &goal in self.goal_of_class.iter().flatten() {
            check::index("goal of the event groups", goal, sequences.goals().len())?;
        }
        Ok(())
    }
}

/// The classes in the groups of each goal in the whole population, up to a day.
pub(crate) struct Population {
    /// Groups of each goal (G).
    pub(crate) groups: Vec<f64>,
    /// Those of them that held each class (G x C).
    pub(crate) holding: Array2<f64>,
    /// Money of the groups of each goal (G), minor units.
    pub(crate) money: Vec<f64>,
    /// Money of them spent on each class (G x C), minor units.
    pub(crate) class_money: Array2<f64>,
}

impl Population {
    pub(crate) fn new(sequences: &Sequences, classes: usize, until: i32) -> Self {
        let goals = sequences.goals().len();
        let mut population = Self {
            groups: vec![0.0; goals],
            holding: Array2::zeros((goals, classes)),
            money: vec![0.0; goals],
            class_money: Array2::zeros((goals, classes)),
        };
        for n in 0..sequences.customers() {
            let groups = sequences.groups(n);
            for at in 0..known(groups.day, until) {
                let goal = groups.goal[at] as usize;
                population.groups[goal] += 1.0;
                for (class, money) in sequences.items(n, at) {
                    // Sums of whole numbers, exact below 2^53.
                    population.holding[[goal, class as usize]] += 1.0;
                    population.class_money[[goal, class as usize]] += money as f64;
                    population.money[goal] += money as f64;
                }
            }
        }
        population
    }

    /// Share of the goal's groups that held the class; 0 for a goal that nobody ever had.
    pub(crate) fn share(&self, goal: usize, class: usize) -> f64 {
        if self.groups[goal] > 0.0 { self.holding[[goal, class]] / self.groups[goal] } else { 0.0 }
    }
}

/// How many of the ascending days are no later than `until`.
pub(crate) fn known(days: &[i32], until: i32) -> usize {
    days.partition_point(|day| *day <= until)
}
