//! Pairs and false discoveries.

use std::collections::BTreeMap;

use rand::RngExt;
use spendscape_goals::{
    Error, Event, Sequences,
    applications::{Classes, CrossSellRequest, Items, Pair, Rule, cross_sell},
};
use spendscape_stats::BadInput;

use crate::world::{event, names, seeded, sequences};

const WINDOW: u32 = 10;

fn find(sequences: &Sequences, items: usize, until: i32, rule: Rule, periods: usize) -> Vec<Pair> {
    let (names, of) = (names("class", items), vec![Some(0); items]);
    let request = CrossSellRequest { items: Items::Classes, rule, window: WINDOW, periods };
    cross_sell(sequences, Classes::new(&names, &of).unwrap(), until, &request).unwrap()
}

/// Customers who buy each class in each period with the odds of the class, times `breadth` of the customer where they are
/// `uneven` (Rasch's model). What a plant (A, B, rule, probability) adds comes on top.
fn bank(
    customers: usize,
    items: usize,
    periods: usize,
    uneven: bool,
    plant: Option<(usize, usize, Rule, f64)>,
    seed: u64,
) -> Sequences {
    let rng = &mut seeded(seed);
    let base: Vec<f64> = (0..items).map(|_| rng.random_range(0.05..0.3)).collect();
    let mut events: Vec<Event> = Vec::new();
    for n in 0..customers {
        let breadth = if uneven { libm::exp(rng.random_range(-2.0..2.0)) } else { 1.0 };
        let mut before = vec![false; items];
        for period in 0..periods {
            let odds = |p: &f64| breadth * p / (1.0 - p);
            let mut now: Vec<bool> =
                base.iter().map(|p| rng.random::<f64>() < odds(p) / (1.0 + odds(p))).collect();
            if let Some((a, b, rule, probability)) = plant {
                let cause = if rule == Rule::Together { now[a] } else { before[a] };
                now[b] |= cause && rng.random::<f64>() < probability;
            }
            for class in (0..items).filter(|class| now[*class]) {
                let day = period as i32 * WINDOW as i32 + rng.random_range(0..WINDOW as i32);
                events.push(event(n, day, class, rng.random_range(50..150)));
            }
            before = now;
        }
    }
    sequences(&events, customers, 1, &vec![Some(0); items])
}

/// One pair under a rule straight from the definition, by looking at everybody for everybody.
struct Slow {
    /// Each customer's parts of O and E.
    n: Vec<(f64, f64)>,
    /// Residuals of each customer, scaled.
    u: Vec<f64>,
    possible: f64,
    all: f64,
}

fn slow(sequences: &Sequences, a: usize, b: usize, until: i32, rule: Rule, periods: usize) -> Slow {
    struct Seen {
        customer: usize,
        stratum: (usize, usize),
        a: f64,
        b: f64,
        can: bool,
    }
    let mut money: Vec<Vec<BTreeMap<usize, i64>>> = Vec::new();
    let mut ever: Vec<Vec<(i64, usize)>> = Vec::new();
    for n in 0..sequences.customers() {
        let mut of = vec![BTreeMap::new(); periods];
        let mut all = Vec::new();
        for (at, day) in sequences.groups(n).day.iter().enumerate().filter(|(_, day)| **day <= until) {
            let period = (until - day) / WINDOW as i32;
            for (class, spent) in sequences.items(n, at) {
                all.push((i64::from(period), class as usize));
                if let Some(of) = of.get_mut(period as usize) {
                    *of.entry(class as usize).or_insert(0) += spent;
                }
            }
        }
        money.push(of);
        ever.push(all);
    }
    let mut spent: Vec<i64> = money.iter().flatten().filter_map(|of| of.get(&b)).copied().collect();
    spent.sort_unstable();
    let middle = |of: usize| spent.get(of / 2).copied().unwrap_or(0);
    // Twice the median, which is a whole number.
    let twice = middle(spent.len().saturating_sub(1)) + middle(spent.len());
    let mut seen = Vec::new();
    for (customer, of) in money.iter().enumerate() {
        for period in 0..periods {
            if of[period].is_empty() || (rule != Rule::Together && period == 0) {
                continue;
            }
            let later = |item: &usize| of[period - 1].get(item).copied();
            let (can, came) = match rule {
                Rule::Together => (true, of[period].contains_key(&b)),
                Rule::Follows => (true, later(&b).is_some()),
                Rule::FollowsNew => (
                    !ever[customer].iter().any(|(p, class)| *class == b && *p >= period as i64),
                    later(&b).is_some(),
                ),
                Rule::SpendsMore => match of[period].get(&b) {
                    Some(now) => (true, later(&b).is_some_and(|m| m > *now && 2 * m > twice)),
                    None => (false, false),
                },
            };
            let a = f64::from(of[period].contains_key(&a));
            let stratum = (period, of[period].len());
            seen.push(Seen { customer, stratum, a, b: f64::from(came && can), can });
        }
    }
    let mut result = Slow {
        n: vec![(0.0, 0.0); money.len()],
        u: vec![0.0; money.len()],
        all: seen.len() as f64,
        possible: 0.0,
    };
    for now in seen.iter().filter(|now| now.can) {
        let alike: Vec<&Seen> = seen.iter().filter(|other| other.stratum == now.stratum).collect();
        let can: Vec<&&Seen> = alike.iter().filter(|other| other.can).collect();
        let p = alike.iter().map(|other| other.a).sum::<f64>() / alike.len() as f64;
        let m = can.len() as f64;
        let q = can.iter().map(|other| other.b).sum::<f64>() / m;
        result.n[now.customer].0 += now.a * now.b;
        result.n[now.customer].1 += now.a * q;
        if m > 1.0 {
            result.u[now.customer] += (m / (m - 1.0)).sqrt() * (now.a - p) * (now.b - q);
        }
        result.possible += now.a;
    }
    result
}

#[test]
fn every_rule_is_what_its_definition_says() {
    let (items, periods, until) = (5, 4, 54);
    // Six periods, of which the last four count; the last days are later than `until`.
    let sequences = bank(150, items, 6, true, Some((0, 1, Rule::Follows, 0.5)), 1);
    for rule in [Rule::Together, Rule::Follows, Rule::FollowsNew, Rule::SpendsMore] {
        let found = find(&sequences, items, until, rule, periods);
        assert!(!found.is_empty() || rule == Rule::SpendsMore, "{rule:?}");
        for pair in &found {
            let slow = slow(&sequences, pair.first, pair.second, until, rule, periods);
            let observed: f64 = slow.n.iter().map(|(x, _)| x).sum();
            let expected: f64 = slow.n.iter().map(|(_, e)| e).sum();
            let close = |a: f64, b: f64, what: &str| {
                assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{rule:?} {what}: {a} is not {b}");
            };
            close(pair.observed, observed, "O");
            close(pair.expected, expected, "E");
            close(pair.support, observed / slow.all, "support");
            close(pair.confidence, observed / slow.possible, "confidence");
            assert_eq!(pair.customers, slow.n.iter().filter(|(x, _)| *x > 0.0).count());
            let uu: f64 = slow.u.iter().map(|u| u * u).sum();
            let z = (observed - expected) / uu.sqrt();
            close(pair.p_value, 0.5 * libm::erfc(z / 2.0_f64.sqrt()), "p");
            let spread = |((x, _), u): (&(f64, f64), &f64)| (x / observed - (x - u) / expected).powi(2);
            let deviation = slow.n.iter().zip(&slow.u).map(spread).sum::<f64>().sqrt();
            close(libm::log(pair.lift_high / pair.lift), 1.959_963_984_540_054 * deviation, "interval");
            close(pair.lift_low * pair.lift_high, pair.lift * pair.lift, "interval");
        }
    }
    assert!(
        find(&sequences, items, until, Rule::Together, periods).iter().all(|pair| pair.first < pair.second)
    );
}

#[test]
fn planted_pairs_are_found_and_come_first() {
    let plants = [(Rule::Together, 0.3), (Rule::Follows, 0.2), (Rule::FollowsNew, 0.3)];
    for (rule, probability) in plants {
        let sequences = bank(2000, 12, 8, true, Some((3, 7, rule, probability)), 2);
        let found = find(&sequences, 12, 79, rule, 8);
        assert_eq!((found[0].first, found[0].second), (3, 7), "{rule:?}: {:?}", found[0]);
        assert!(found[0].q_value < 1e-4 && found[0].lift_low > 1.0);
        assert!(found.windows(2).all(|pair| pair[0].q_value <= pair[1].q_value));
    }
}

#[test]
fn rising_spending_is_found() {
    let rng = &mut seeded(3);
    let mut events = Vec::new();
    for n in 0..1500 {
        let mut raised = false;
        for period in 0..6 {
            let day = period * WINDOW as i32 + 3;
            let bought: Vec<bool> = (0..6).map(|_| rng.random::<f64>() < 0.4).collect();
            for class in (0..6).filter(|class| bought[*class]) {
                let more = if class == 1 && raised { 60 } else { 0 };
                events.push(event(n, day, class, rng.random_range(50..150) + more));
            }
            raised = bought[0] && bought[1];
        }
    }
    let sequences = sequences(&events, 1500, 1, &[Some(0); 6]);
    let found = find(&sequences, 6, 59, Rule::SpendsMore, 6);
    assert_eq!((found[0].first, found[0].second), (0, 1));
    assert!(found[0].q_value < 1e-4 && found[1].q_value > 0.05);
}

/// Independent classes, all customers alike: every discovery is false, so that the false-discovery rate is the share of banks
/// with any. It has to be at most .1.
#[test]
fn the_false_discovery_rate_is_held() {
    let banks = 200;
    for rule in [Rule::Together, Rule::Follows, Rule::FollowsNew, Rule::SpendsMore] {
        let mut with_any = 0;
        for seed in 0..banks {
            let sequences = bank(300, 8, 5, false, None, 1000 + seed);
            let found = find(&sequences, 8, 49, rule, 5);
            with_any += usize::from(found.iter().any(|pair| pair.q_value <= 0.1));
        }
        // Three standard deviations of a share of .1 among 200 are .064.
        assert!(with_any as f64 / banks as f64 <= 0.1 + 0.064, "{rule:?}: {with_any} of {banks}");
    }
}

/// Customers who buy more of everything (by a factor of up to 55 in the odds) make no pairs, though each pair is then bought
/// more often than the product of the shares of its items says.
#[test]
fn broad_customers_make_no_pairs() {
    let banks = 200;
    for rule in [Rule::Together, Rule::Follows, Rule::FollowsNew] {
        let mut with_any = 0;
        for seed in 0..banks {
            let sequences = bank(500, 10, 6, true, None, 5000 + seed);
            let found = find(&sequences, 10, 59, rule, 6);
            with_any += usize::from(found.iter().any(|pair| pair.q_value <= 0.1));
            if seed == 0 {
                // Without strata every lift would be above 1: the share of pairs over that of independent items.
                let total = |item: usize| items_bought(&sequences, item);
                let crude = |pair: &Pair| {
                    pair.observed / pair.support * pair.observed / (total(pair.first) * total(pair.second))
                };
                assert!(rule != Rule::Together || found.iter().all(|pair| crude(pair) > 1.05));
            }
        }
        assert!(with_any as f64 / banks as f64 <= 0.1 + 0.064, "{rule:?}: {with_any} of {banks}");
    }
}

/// Customer-periods in which an item was bought.
fn items_bought(sequences: &Sequences, item: usize) -> f64 {
    let mut count = 0;
    for n in 0..sequences.customers() {
        let days = sequences.groups(n).day;
        let with =
            (0..days.len()).filter(|at| sequences.items(n, *at).any(|(class, _)| class as usize == item));
        let mut periods: Vec<i32> = with.map(|at| days[at] / WINDOW as i32).collect();
        periods.dedup();
        count += periods.len();
    }
    count as f64
}

#[test]
fn goals_make_pairs_too_and_threads_do_not_matter() {
    let of = [Some(0), Some(1), Some(2), Some(2)];
    let rng = &mut seeded(8);
    let mut events = Vec::new();
    for n in 0..3000 {
        for day in 0..40 {
            if rng.random::<f64>() < 0.2 {
                events.push(event(n, day, rng.random_range(0..4), 10));
            }
        }
    }
    let sequences = sequences(&events, 3000, 3, &of);
    let names = names("class", 4);
    let classes = Classes::new(&names, &of).unwrap();
    let request = CrossSellRequest { items: Items::Goals, rule: Rule::Follows, window: 10, periods: 4 };
    let found = cross_sell(&sequences, classes, 39, &request).unwrap();
    assert_eq!(found.len(), 6);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one.install(|| cross_sell(&sequences, classes, 39, &request).unwrap()), found);
    // Nothing had happened by then.
    let early = cross_sell(&sequences, classes, -1, &request);
    assert!(matches!(early, Err(Error::Input(BadInput::TooFew { .. }))));
    for request in [
        CrossSellRequest { window: 0, ..request },
        CrossSellRequest { periods: 1, ..request },
        CrossSellRequest { periods: usize::MAX, ..request },
        CrossSellRequest { rule: Rule::Together, periods: 0, ..request },
    ] {
        let refused = cross_sell(&sequences, classes, 39, &request);
        assert!(matches!(refused, Err(Error::Input(BadInput::InvalidParameter { .. }))));
    }
}
