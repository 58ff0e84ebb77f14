//! Cross- and up-selling: what goes with what, and what follows what.

use spendscape_stats::{NORMAL_975, benjamini_hochberg, check, median, normal_cdf};
use std::collections::BTreeMap;

use super::pairs::{Customer, Observation, Sums};
use super::{Classes, classes::known};
use crate::{Error, Sequences};

/// Pairs of which fewer joint observations than this are expected by chance are not tested: the normal distribution is no
/// fair approximation there. The number depends on margins only, so that the choice says nothing of the association.
const LEAST_EXPECTED: f64 = 10.0;

/// Every customer takes memory for each period.
const MOST_PERIODS: usize = 1000;

/// The items of pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Items {
    /// The classes inside groups.
    Classes,
    /// The goals of groups.
    Goals,
}

/// The condition for a pair (A, B) to come true for a customer who bought A in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// B in the same period. A pair has no direction: A is the smaller number.
    Together,
    /// B in the period after.
    Follows,
    /// B in the period after, asked of customers who never bought B up to then.
    FollowsNew,
    /// Of customers who bought B in the period too: in the period after they spend on B more than in this one, and more than
    /// the median of what customers spend on B in a period.
    SpendsMore,
}

/// How pairs are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrossSellRequest {
    /// Of classes or of goals.
    pub items: Items,
    /// The rule.
    pub rule: Rule,
    /// Days of a period.
    pub window: u32,
    /// Periods looked at, counted back from the last day.
    pub periods: usize,
}

/// A pair, and whether it is more than chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The item bought first, or the one with the smaller number.
    pub first: usize,
    /// The other.
    pub second: usize,
    /// Customers for whom the pair came true at least once.
    pub customers: usize,
    /// Customer-periods in which it came true (O).
    pub observed: f64,
    /// Those expected by chance (E).
    pub expected: f64,
    /// O over all customer-periods with any purchase.
    pub support: f64,
    /// O over the customer-periods with A in which the pair could come true.
    pub confidence: f64,
    /// O / E.
    pub lift: f64,
    /// Lower end of its 95 % interval.
    pub lift_low: f64,
    /// Upper end.
    pub lift_high: f64,
    /// One-sided p-value of no positive association.
    pub p_value: f64,
    /// Adjusted for the number of pairs ([`benjamini_hochberg`]).
    pub q_value: f64,
}

/// Finds pairs up to day `until` under one rule; all tested pairs, the surest first.
///
/// Days are cut into periods of `window` days that end with `until`; an observation is a customer in a period with any
/// purchase (the first of the two periods, where a rule has two). Chance means that A and B are independent among the
/// observations of one stratum: of the same period, and with the same number of different items in it. So neither season nor
/// the fact that some customers buy more of everything makes pairs: the number of items is sufficient for such a customer
/// trait in Rasch's model (1960), and comparing within it is what Mantel and Haenszel (1959) do. With s running over strata
/// and p, q the shares of A and, among those in question, of B:
///
/// `u(n) = sum over the customer's observations of (a - p_s)(b - q_s)`, `O - E = sum_n u(n)`, `lift = O / E`.
///
/// The customer, not the observation, is the unit: `z = (O - E) / sqrt(sum_n u(n)^2)` (Liang and Zeger 1986), so habits that
/// last many periods do not count as so many proofs. The logarithm of the lift has the variance
/// `sum_n (x(n) / O - e(n) / E)^2`, x(n) and e(n) being the customer's parts of O and E (delta method). Each term of a stratum
/// of m
/// observations is scaled by `sqrt(m / (m - 1))`, since p and q are of the same ones.
///
/// For [`Rule::Together`] p-values are too large and lifts too small where customers buy few items in a period, since there one
/// item leaves less room for another: about `(k - 1) / k` with k items. Where the customer trait raises shares rather than odds,
/// Rasch's model does not hold and lifts a little above 1 can be sure without being of use: judge by `lift_low` as well.
///
/// ```
/// use spendscape_goals::{
///     Event, GroupRules, Sequences,
///     applications::{Classes, CrossSellRequest, Items, Rule, cross_sell},
/// };
///
/// // Of four periods of ten days two have rods with reels, and one of the three with books has tea.
/// let event = |customer: u32, day: i64, class| {
///     Event { customer, time: day * 86_400_000, amount: -100, class, channel: 0, place: 0 }
/// };
/// let mut events = Vec::new();
/// for customer in 0..40 {
///     for period in 0..4 {
///         let classes: &[u16] = match (customer + period) % 4 {
///             0 => &[0, 1],
///             1 => &[0, 1, 2],
///             2 => &[2],
///             _ => &[2, 3],
///         };
///         events.extend(classes.iter().map(|class| event(customer, 10 * i64::from(period), *class)));
///     }
/// }
/// let names = ["rods", "reels", "books", "tea"].map(str::to_owned);
/// let of = [Some(0); 4];
/// let (sequences, _) = Sequences::new(&events, 40, vec!["leisure".to_owned()], &of, GroupRules::default())?;
/// let request = CrossSellRequest { items: Items::Classes, rule: Rule::Together, window: 10, periods: 4 };
/// let pairs = cross_sell(&sequences, Classes::new(&names, &of)?, 39, &request)?;
/// assert_eq!((pairs[0].first, pairs[0].second), (2, 3));
/// assert!((pairs[0].lift - 2.0).abs() < 1e-9 && pairs[0].q_value < 1e-6);
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
///
/// # Errors
/// `BadInput::OutOfRange` for groups of other classes or goals, `BadInput::InvalidParameter` for a window of 0 days or too few or
/// more than 1,000 periods, `BadInput::TooFew` without any observation.
pub fn cross_sell(
    sequences: &Sequences,
    classes: Classes<'_>,
    until: i32,
    request: &CrossSellRequest,
) -> Result<Vec<Pair>, Error> {
    classes.check_fits(sequences)?;
    check::parameter("window", 0.0, request.window > 0, "1 day and more")?;
    let least = if request.rule == Rule::Together { 1 } else { 2 };
    let (periods, inside) = (request.periods as f64, (least..=MOST_PERIODS).contains(&request.periods));
    check::parameter("periods", periods, inside, "1 to 1000, and 2 and more where one follows the other")?;
    let items = match request.items {
        Items::Classes => classes.len(),
        Items::Goals => sequences.goals().len(),
    };
    let bought: Vec<Bought> =
        (0..sequences.customers()).map(|n| Bought::new(n, sequences, until, request)).collect();
    let medians = if request.rule == Rule::SpendsMore { medians(&bought, items) } else { Vec::new() };
    let customers: Vec<Customer> =
        bought.iter().map(|bought| bought.observations(request, items, &medians)).collect();
    let observations: usize = customers.iter().map(Vec::len).sum();
    check::at_least("cross-selling", "customers with purchases", 1, observations)?;
    let sums = Sums::new(&customers, items, request.rule == Rule::Together);
    let mut pairs = Vec::new();
    for first in 0..items {
        for second in 0..items {
            if first != second && sums.expected[[first, second]] >= LEAST_EXPECTED {
                pairs.push(pair(&sums, first, second, observations as f64));
            }
        }
    }
    let q_values = benjamini_hochberg(&pairs.iter().map(|pair| pair.p_value).collect::<Vec<_>>())?;
    pairs.iter_mut().zip(q_values).for_each(|(pair, q)| pair.q_value = q);
    pairs.sort_by(|a, b| {
        let surer = a.p_value.total_cmp(&b.p_value).then(b.lift.total_cmp(&a.lift));
        surer.then((a.first, a.second).cmp(&(b.first, b.second)))
    });
    Ok(pairs)
}

fn pair(sums: &Sums, first: usize, second: usize, observations: f64) -> Pair {
    let at = [first, second];
    let (observed, expected) = (sums.observed[at], sums.expected[at]);
    let lift = observed / expected;
    let (lift_low, lift_high) = if observed > 0.0 {
        // x / O - e / E with e = x - u.
        let x = 1.0 / observed - 1.0 / expected;
        let variance =
            x * x * sums.xx[at] + 2.0 * x * sums.xu[at] / expected + sums.uu[at] / (expected * expected);
        let half = libm::exp(NORMAL_975 * variance.max(0.0).sqrt());
        (lift / half, lift * half)
    } else {
        // The mean at which a Poisson count is 0 in 2.5 % of cases.
        (0.0, -libm::log(0.025) / expected)
    };
    let z = if sums.uu[at] > 0.0 { (observed - expected) / sums.uu[at].sqrt() } else { 0.0 };
    Pair {
        first,
        second,
        customers: sums.customers[at] as usize,
        observed,
        expected,
        support: observed / observations,
        confidence: observed / sums.possible[at],
        lift,
        lift_low,
        lift_high,
        p_value: normal_cdf(-z),
        q_value: 1.0,
    }
}

/// The purchases of a customer.
struct Bought {
    /// Items with money by period, 0 being the last one.
    periods: Vec<BTreeMap<u16, i64>>,
    /// Items bought before those periods.
    before: Vec<u16>,
}

impl Bought {
    fn new(n: usize, sequences: &Sequences, until: i32, request: &CrossSellRequest) -> Self {
        let mut bought = Self { periods: vec![BTreeMap::new(); request.periods], before: Vec::new() };
        let groups = sequences.groups(n);
        for at in 0..known(groups.day, until) {
            let period = (i64::from(until) - i64::from(groups.day[at])) / i64::from(request.window);
            let mut add = |item: u16, money: i64| match bought.periods.get_mut(period as usize) {
                Some(items) => *items.entry(item).or_insert(0) += money,
                None => bought.before.push(item),
            };
            match request.items {
                Items::Goals => add(groups.goal[at], groups.spent[at]),
                Items::Classes => sequences.items(n, at).for_each(|(class, money)| add(class, money)),
            }
        }
        bought.before.sort_unstable();
        bought.before.dedup();
        bought
    }

    fn observations(&self, request: &CrossSellRequest, items: usize, medians: &[f64]) -> Customer {
        let all = |items: &BTreeMap<u16, i64>| items.keys().copied().collect::<Vec<u16>>();
        if request.rule == Rule::Together {
            let same = |(period, items): (usize, &BTreeMap<u16, i64>)| Observation {
                period,
                first: all(items),
                second: all(items),
                possible: None,
            };
            let with_any = self.periods.iter().enumerate().filter(|(_, items)| !items.is_empty());
            return with_any.map(same).collect();
        }
        let mut new = vec![true; items];
        self.before.iter().for_each(|item| new[*item as usize] = false);
        let mut observations = Customer::new();
        // From the first period on, since what is new changes on the way.
        for period in (1..self.periods.len()).rev() {
            let (now, after) = (&self.periods[period], &self.periods[period - 1]);
            now.keys().for_each(|item| new[*item as usize] = false);
            if now.is_empty() {
                continue;
            }
            let more = |item: &u16| {
                let money = after.get(item).copied();
                money.is_some_and(|money| money > now[item] && money as f64 > medians[*item as usize])
            };
            let (second, possible) = match request.rule {
                Rule::Together | Rule::Follows => (all(after), None),
                Rule::FollowsNew => (
                    after.keys().copied().filter(|item| new[*item as usize]).collect(),
                    Some((0..items as u16).filter(|item| new[*item as usize]).collect()),
                ),
                Rule::SpendsMore => (now.keys().copied().filter(more).collect(), Some(all(now))),
            };
            observations.push(Observation { period, first: all(now), second, possible });
        }
        observations
    }
}

/// The median over customers and periods of what was spent on each item by who bought it; NaN of what nobody bought.
fn medians(bought: &[Bought], items: usize) -> Vec<f64> {
    let mut money = vec![Vec::new(); items];
    for (item, spent) in bought.iter().flat_map(|bought| bought.periods.iter().flatten()) {
        money[*item as usize].push(*spent as f64);
    }
    money.iter().map(|money| median(money)).collect()
}
