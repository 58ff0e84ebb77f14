//! Past demand by day, and an outlook's expectation by period, for goals and classes in events and money.

use ndarray::Array2;
use spendscape_stats::{BadInput, check};

use super::Classes;
use super::classes::{PSEUDO_GROUPS, Population, known};
use super::series::{Quantity, Series};
use crate::{Error, Outlook, Sequences};

/// A century: longer histories are mistaken dates, and would take much memory.
const MOST_DAYS: i64 = 36_525;

/// How series are laid out: events of goals, events of classes, then amounts of both.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) goals: usize,
    pub(super) classes: usize,
}

impl Shape {
    pub(super) fn len(self) -> usize {
        2 * (self.goals + self.classes)
    }

    fn of(sequences: &Sequences, classes: Classes<'_>) -> Self {
        Self { goals: sequences.goals().len(), classes: classes.len() }
    }

    fn amounts(self) -> usize {
        self.goals + self.classes
    }

    pub(super) fn series(self, place: usize) -> (Series, Quantity) {
        let (quantity, at) = if place < self.goals + self.classes {
            (Quantity::Events, place)
        } else {
            (Quantity::Amount, place - self.goals - self.classes)
        };
        let series = if at < self.goals { Series::Goal(at) } else { Series::Class(at - self.goals) };
        (series, quantity)
    }

    pub(super) fn place(self, series: Series, quantity: Quantity) -> usize {
        let at = match series {
            Series::Goal(goal) => goal,
            Series::Class(class) => self.goals + class,
        };
        at + if quantity == Quantity::Amount { self.goals + self.classes } else { 0 }
    }

    /// Whether of classes, and whether of amounts.
    pub(super) fn kind(self, place: usize) -> [usize; 2] {
        let (series, quantity) = self.series(place);
        [usize::from(matches!(series, Series::Class(_))), usize::from(quantity == Quantity::Amount)]
    }
}

/// Totals of every series up to each day.
pub(super) struct History {
    pub(super) shape: Shape,
    /// First day with any group.
    pub(super) first: i32,
    /// One column per day and one more: what came before each (S x (days + 1)).
    before: Array2<i64>,
}

impl History {
    pub(super) fn new(sequences: &Sequences, classes: Classes<'_>) -> Result<Self, Error> {
        classes.check_fits(sequences)?;
        let shape = Shape::of(sequences, classes);
        let days = sequences.day.iter().min().zip(sequences.day.iter().max());
        let Some((&first, &last)) = days else {
            let what = "forecasting demand";
            return Err(BadInput::TooFew { what, needed: 1, of: "event groups", found: 0 }.into());
        };
        let days = i64::from(last) - i64::from(first) + 1;
        let range = "1 to 36525; leave out days that cannot be true";
        check::parameter("the days of history", days as f64, days <= MOST_DAYS, range)?;
        let mut before = Array2::zeros((shape.len(), days as usize + 1));
        for n in 0..sequences.customers() {
            let groups = sequences.groups(n);
            for at in 0..groups.len() {
                let (goal, day) = (groups.goal[at] as usize, (groups.day[at] - first) as usize + 1);
                before[[goal, day]] += 1;
                before[[shape.amounts() + goal, day]] += groups.spent[at];
                for (class, money) in sequences.items(n, at) {
                    let place = shape.goals + class as usize;
                    before[[place, day]] += 1;
                    before[[shape.amounts() + place, day]] += money;
                }
            }
        }
        before.accumulate_axis_inplace(ndarray::Axis(1), |before, now| *now += before);
        Ok(Self { shape, first, before })
    }

    /// The demand from day `first` to day `last`.
    pub(super) fn total(&self, place: usize, first: i32, last: i32) -> f64 {
        let end = self.before.ncols() as i64 - 1;
        let column = |day: i64| (day - i64::from(self.first)).clamp(0, end) as usize;
        let (from, to) = (column(i64::from(first)), column(i64::from(last) + 1));
        (self.before[[place, to]] - self.before[[place, from]]) as f64
    }
}

/// An outlook's expectation of each series in each period, with the variance of the model.
pub(super) struct Expected {
    /// S x H.
    pub(super) mean: Array2<f64>,
    /// S x H.
    pub(super) variance: Array2<f64>,
}

impl Expected {
    pub(super) fn new(outlook: &Outlook, sequences: &Sequences, classes: Classes<'_>) -> Self {
        let shape = Shape::of(sequences, classes);
        let population = Population::new(sequences, classes.len(), outlook.from());
        let spread = spreads(sequences, shape, outlook.from());
        let periods = outlook.horizons().len();
        let zero = || Array2::zeros((shape.len(), periods));
        let mut expected = Self { mean: zero(), variance: zero() };
        // Weight of the population's shares, in events and money of each goal.
        let mut common = Array2::<f64>::zeros((2 * shape.goals, periods));
        let typical: Vec<f64> = population
            .money
            .iter()
            .zip(&population.groups)
            .map(|(money, groups)| money / groups.max(1.0))
            .collect();
        let mut own = vec![(0.0, 0.0); shape.goals];
        for n in 0..outlook.customers() {
            let groups = sequences.groups(n);
            let until = known(groups.day, outlook.from());
            own.fill((0.0, 0.0));
            for at in 0..until {
                let own = &mut own[groups.goal[at] as usize];
                *own = (own.0 + 1.0, own.1 + groups.spent[at] as f64);
            }
            // Expected events and money of each goal per own group and own unit of money, smoothed.
            for h in 0..periods {
                for goal in 0..shape.goals {
                    let increment = Increment::new(outlook, n, goal, h);
                    let amounts = shape.amounts() + goal;
                    expected.mean[[goal, h]] += increment.events;
                    expected.mean[[amounts, h]] += increment.money;
                    expected.variance[[goal, h]] += increment.variance;
                    expected.variance[[amounts, h]] += increment.variance_of_money(spread[goal]);
                    let (events, money) = own[goal];
                    common[[goal, h]] += increment.events * PSEUDO_GROUPS / (events + PSEUDO_GROUPS);
                    let pseudo = PSEUDO_GROUPS * typical[goal];
                    if pseudo > 0.0 {
                        common[[shape.goals + goal, h]] += increment.money * pseudo / (money + pseudo);
                    }
                }
                for at in 0..until {
                    let goal = groups.goal[at] as usize;
                    let increment = Increment::new(outlook, n, goal, h);
                    let (events, money) = own[goal];
                    let events = increment.events / (events + PSEUDO_GROUPS);
                    let money = increment.money / (money + PSEUDO_GROUPS * typical[goal]).max(1.0);
                    for (class, spent) in sequences.items(n, at) {
                        let place = shape.goals + class as usize;
                        expected.mean[[place, h]] += events;
                        expected.mean[[shape.amounts() + place, h]] += money * spent as f64;
                    }
                }
            }
        }
        for h in 0..periods {
            for class in 0..shape.classes {
                let place = shape.goals + class;
                let amounts = shape.amounts() + place;
                for goal in 0..shape.goals {
                    expected.mean[[place, h]] += common[[goal, h]] * population.share(goal, class);
                    let all = population.money[goal];
                    if all > 0.0 {
                        let share = population.class_money[[goal, class]] / all;
                        expected.mean[[amounts, h]] += common[[shape.goals + goal, h]] * share;
                    }
                }
                let (events, money) = (expected.mean[[place, h]], expected.mean[[amounts, h]]);
                expected.variance[[place, h]] = events;
                if events > 0.0 {
                    expected.variance[[amounts, h]] = money * money / events * (1.0 + spread[place]);
                }
            }
        }
        expected
    }
}

/// The expected demand of a customer, goal and period.
struct Increment {
    events: f64,
    money: f64,
    /// Of the events.
    variance: f64,
}

impl Increment {
    fn new(outlook: &Outlook, n: usize, goal: usize, h: usize) -> Self {
        let (at, before) = ([n, goal, h], [n, goal, h.saturating_sub(1)]);
        let start = |of: &ndarray::Array3<f64>| if h == 0 { 0.0 } else { of[before] };
        let events = (outlook.expected()[at] - start(outlook.expected())).max(0.0);
        let money = (outlook.spent()[at] - start(outlook.spent())).max(0.0);
        let (none, none_before) = (1.0 - outlook.within()[at], 1.0 - start(outlook.within()));
        let any = if none_before > 0.0 { 1.0 - (none / none_before).min(1.0) } else { 1.0 };
        // At least one in at most so many cases as there are events.
        let any = any.min(events);
        let mean = if any > 0.0 { (events / any).max(1.0) } else { 0.0 };
        let variance = if any > 0.0 { any * (mean - 1.0) + any * (1.0 - any) * mean * mean } else { events };
        Self { events, money, variance }
    }

    fn variance_of_money(&self, spread: f64) -> f64 {
        if self.events > 0.0 {
            let amount = self.money / self.events;
            amount * amount * (self.events * spread + self.variance)
        } else {
            0.0
        }
    }
}

/// Squared coefficient of variation of single amounts of each goal and class.
fn spreads(sequences: &Sequences, shape: Shape, until: i32) -> Vec<f64> {
    let mut moments = vec![[0.0; 3]; shape.amounts()];
    let mut add = |place: usize, money: i64| {
        let [count, sum, squares] = &mut moments[place];
        *count += 1.0;
        *sum += money as f64;
        *squares += money as f64 * money as f64;
    };
    for n in 0..sequences.customers() {
        let groups = sequences.groups(n);
        for at in 0..known(groups.day, until) {
            add(groups.goal[at] as usize, groups.spent[at]);
            sequences.items(n, at).for_each(|(class, money)| add(shape.goals + class as usize, money));
        }
    }
    let spread = |[count, sum, squares]: [f64; 3]| {
        if sum > 0.0 { (count * squares / (sum * sum) - 1.0).max(0.0) } else { 0.0 }
    };
    moments.into_iter().map(spread).collect()
}
