//! Simple models that a network has to beat.

mod aggregates;
mod boosted;
mod markov;
mod repeat;

use ndarray::Array2;
use rand::Rng;
use spendscape_stats::{BadInput, check};

pub use boosted::BoostedGoals;
pub use markov::Markov;

use crate::{Calendar, Error, Sequences, Target, split};
use repeat::RepeatLast;

/// A simple way to predict goals.
///
/// ```
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_goals::{Calendar, Event, GroupRules, Sequences, Target, baselines::Baseline};
///
/// // Goals 0 and 1 alternately, one a day.
/// let (amount, channel, place) = (-100, 0, 0);
/// let event = |day: u16| Event {
///     customer: 0, time: i64::from(day) * 86_400_000, amount, class: day % 2, channel, place,
/// };
/// let events: Vec<Event> = (0..20).map(event).collect();
/// let goals = vec!["food".to_owned(), "home".to_owned()];
/// let (sequences, _) = Sequences::new(&events, 1, goals, &[Some(0), Some(1)], GroupRules::default())?;
/// let targets: Vec<Target> = sequences.targets().collect();
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let chain = Baseline::FirstOrderMarkov.fit(&sequences, &targets, &Calendar::default(), &mut rng)?;
/// // After the last group, of goal 1, goal 0 comes.
/// let next = chain.predict(&sequences, &[Target { customer: 0, position: 20 }])?;
/// assert!(next[[0, 0]] > 0.8);
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Baseline {
    /// The share of each goal among the training targets, for everybody: a [`Markov`] chain of order 0.
    Majority,
    /// The last goal with probability 1: the baseline for accuracy. Its log-loss is that of certainty that fails.
    RepeatLast,
    /// The last goal l with the probability r with which goals repeat, and the others by their shares: the baseline for
    /// log-loss. p(l) = r = (repeats + 1/2) / (targets + 1) over the training targets, p(h) = (1 - r) s(h) / (1 - s(l)).
    /// Where r is small the last goal is not the most probable one.
    RepeatLastSmoothed,
    /// [`Markov`] chain of order 1.
    FirstOrderMarkov,
    /// [`Markov`] chain of order 2.
    SecondOrderMarkov,
    /// Gradient-boosted trees on aggregates of the history ([`BoostedGoals`]).
    Boosted,
}

impl Baseline {
    /// All of them, the simplest first.
    pub const ALL: [Self; 6] = [
        Self::Majority,
        Self::RepeatLast,
        Self::RepeatLastSmoothed,
        Self::FirstOrderMarkov,
        Self::SecondOrderMarkov,
        Self::Boosted,
    ];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Majority => "majority",
            Self::RepeatLast => "repeat_last",
            Self::RepeatLastSmoothed => "repeat_last_smoothed",
            Self::FirstOrderMarkov => "markov_1",
            Self::SecondOrderMarkov => "markov_2",
            Self::Boosted => "boosted",
        }
    }

    /// Learns from training targets. Only [`Baseline::Boosted`] looks at `calendar` and draws from `rng`.
    ///
    /// # Errors
    /// [`BadInput::TooFew`] without targets or with fewer than two goals, [`Error::NoTarget`] for a target that has not come
    /// yet, [`Error::Outcomes`] if the trees cannot be grown.
    pub fn fit<R: Rng + ?Sized>(
        self,
        sequences: &Sequences,
        targets: &[Target],
        calendar: &Calendar,
        rng: &mut R,
    ) -> Result<FittedBaseline, Error> {
        if targets.is_empty() {
            return Err(Error::Input(BadInput::TooFew {
                what: "a baseline",
                needed: 1,
                of: "training targets",
                found: 0,
            }));
        }
        let goals = sequences.goals().len();
        if goals < 2 {
            return Err(Error::Input(BadInput::TooFew {
                what: "a baseline",
                needed: 2,
                of: "goals",
                found: goals,
            }));
        }
        split::check_known(sequences, targets)?;
        let model = match self {
            Self::Majority => Model::Markov(Markov::fit(0, sequences, targets)),
            Self::FirstOrderMarkov => Model::Markov(Markov::fit(1, sequences, targets)),
            Self::SecondOrderMarkov => Model::Markov(Markov::fit(2, sequences, targets)),
            Self::RepeatLast | Self::RepeatLastSmoothed => {
                Model::Repeat(RepeatLast::fit(sequences, targets, self == Self::RepeatLast))
            }
            Self::Boosted => Model::Boosted(BoostedGoals::fit(sequences, targets, calendar, rng)?),
        };
        Ok(FittedBaseline { baseline: self, goals, model })
    }
}

#[derive(Debug)]
enum Model {
    Markov(Markov),
    Repeat(RepeatLast),
    Boosted(BoostedGoals),
}

/// A fitted baseline.
#[derive(Debug)]
pub struct FittedBaseline {
    baseline: Baseline,
    goals: usize,
    model: Model,
}

impl FittedBaseline {
    /// Probabilities over the goals (targets x G), from the groups before each target only. A customer's next group, whose
    /// position is the number of the customer's groups, can be predicted too. Without any history the answer is the shares
    /// of the goals; the boosted trees, which look at the history only, give what they learned of short ones.
    ///
    /// # Errors
    /// [`BadInput::ShapeMismatch`] for sequences with another number of goals, [`Error::NoTarget`] for a target whose history
    /// has not come yet.
    pub fn predict(&self, sequences: &Sequences, targets: &[Target]) -> Result<Array2<f64>, Error> {
        check::length("goals of the sequences", self.goals, sequences.goals().len())?;
        split::check_history(sequences, targets)?;
        match &self.model {
            Model::Markov(model) => Ok(model.predict(sequences, targets)),
            Model::Repeat(model) => Ok(model.predict(sequences, targets)),
            Model::Boosted(model) => model.predict(sequences, targets),
        }
    }

    /// Which baseline it is.
    #[must_use]
    pub fn baseline(&self) -> Baseline {
        self.baseline
    }

    /// The Markov chain, if it is one.
    #[must_use]
    pub fn markov(&self) -> Option<&Markov> {
        if let Model::Markov(model) = &self.model { Some(model) } else { None }
    }

    /// The boosted trees, if it is made of them: which rows and goals they were grown on.
    #[must_use]
    pub fn boosted(&self) -> Option<&BoostedGoals> {
        if let Model::Boosted(model) = &self.model { Some(model) } else { None }
    }
}

/// Goals of the groups before a target, in the order of time.
fn history(sequences: &Sequences, target: Target) -> &[u16] {
    &sequences.groups(target.customer as usize).goal[..target.position as usize]
}
