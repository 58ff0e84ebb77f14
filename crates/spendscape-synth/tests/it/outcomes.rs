//! Outcomes against their model (METHODS section 15.1).

use ndarray::Array1;
use spendscape_schema::{Tabular, arrays::Rows, tables::Balances};
use spendscape_synth::{BankParams, CustomerOutcome, Preset};

use crate::bank;

const CUSTOMERS: usize = 20_000;

fn share(outcomes: &[CustomerOutcome], of: impl Fn(&CustomerOutcome) -> bool) -> f64 {
    outcomes.iter().filter(|outcome| of(outcome)).count() as f64 / outcomes.len() as f64
}

/// Five standard errors of a share of one half or less among 20,000 or fewer.
const SHARE: f64 = 5.0 * 0.5 / 100.0;

#[test]
fn scores_are_the_probabilities_of_the_outcomes() {
    let bank = bank(&BankParams::new(Preset::Base).customers(CUSTOMERS));
    let outcomes = bank.outcomes();
    type Pair = (fn(&CustomerOutcome) -> f64, fn(&CustomerOutcome) -> bool);
    let pairs: [Pair; 2] = [(|o| o.default_score, |o| o.default), (|o| o.illiquid_score, |o| o.illiquid)];
    for (score, label) in pairs {
        let mut order: Vec<&CustomerOutcome> = outcomes.iter().collect();
        order.sort_by(|a, b| score(a).total_cmp(&score(b)));
        for tenth in order.chunks(CUSTOMERS / 10) {
            let mean = tenth.iter().map(|outcome| score(outcome)).sum::<f64>() / tenth.len() as f64;
            let rate = tenth.iter().filter(|outcome| label(outcome)).count() as f64 / tenth.len() as f64;
            // Five standard errors of a mean of 2,000 draws.
            let error = 5.0 * (mean * (1.0 - mean) / tenth.len() as f64).sqrt();
            assert!((mean - rate).abs() < error, "{mean} {rate}");
        }
    }
    assert!((share(&outcomes, |o| o.default) - 0.08).abs() < 0.015);
    // Phi(-ln 2).
    assert!((share(&outcomes, |o| o.illiquid) - 0.244).abs() < SHARE);
    for quintile in 1..=5 {
        assert!((share(&outcomes, |o| o.quintile == quintile) - 0.2).abs() < SHARE);
    }
    assert!((share(&outcomes, |o| o.group == "B") - 0.5).abs() < SHARE);
    assert!(outcomes.iter().all(|o| o.illiquid == (o.liquidity < 1.0)));
    // The score is the conditional mean: what is left has mean zero and does not correlate with it.
    let score: Array1<f64> = outcomes.iter().map(|o| o.liquidity_score).collect();
    let left: Array1<f64> = outcomes.iter().map(|o| o.liquidity.ln() - o.liquidity_score).collect();
    let mean = score.mean().unwrap();
    let slope = left.dot(&(&score - mean)) / (&score - mean).mapv(|v| v * v).sum();
    assert!(left.mean().unwrap().abs() < 0.025 && slope.abs() < 0.03, "{slope}");
}

#[test]
fn outcomes_are_the_same_in_a_larger_bank_and_change_nothing_else() {
    let small = bank(&BankParams::new(Preset::Strong).customers(50));
    let before = small.panel();
    let outcomes = small.outcomes();
    assert_eq!(small.panel(), before);
    assert_eq!(bank(&BankParams::new(Preset::Strong).customers(80)).outcomes()[..50], outcomes);
    assert_ne!(bank(&BankParams::new(Preset::Strong).customers(50).seed(2)).outcomes(), outcomes);
}

/// The log-odds of default are a matter of the account alone at one end, of traits alone at the other, and as spread at either.
#[test]
fn traits_explain_as_much_of_default_as_they_are_told_to() {
    let with = |share| {
        bank(&BankParams::new(Preset::Base).customers(4_000).event_probability(0.0).trait_share(share))
    };
    let own = with(None);
    let tau: Array1<f64> = {
        let z = own.traits();
        let weights = [-0.3, -0.4, 0.0, 0.6, 0.1];
        (0..4_000).map(|n| (0..5).map(|k| weights[k] * z[[n, 5, k]]).sum::<f64>()).collect()
    };
    let odds = |share| -> Array1<f64> {
        with(share).outcomes().iter().map(|o| (o.default_score / (1.0 - o.default_score)).ln()).collect()
    };
    for (share, expected) in [(None, 0.611), (Some(0.0), 0.0), (Some(0.5), 0.5), (Some(1.0), 1.0)] {
        let odds = odds(share);
        let (a, b) = (&odds - odds.mean().unwrap(), &tau - tau.mean().unwrap());
        let r2 = a.dot(&b).powi(2) / (a.dot(&a) * b.dot(&b));
        // Five standard errors of a squared correlation among 4,000.
        assert!((r2 - expected).abs() < 0.05, "{share:?}: {r2}");
        assert!((odds.std(0.0) - 1.341).abs() < 0.08, "{share:?}: {}", odds.std(0.0));
    }
    assert_eq!(with(Some(0.2)).panel(), own.panel(), "labels change nothing else");
}

/// The last balance in months of outflow is what the default score was made from, and inflows add up.
#[test]
fn balances_show_the_buffer() {
    let bank = bank(&BankParams::new(Preset::Base).customers(2_000));
    let batch = bank.balances().unwrap();
    let rows = Rows::new(&batch.schema(), std::slice::from_ref(&batch)).unwrap();
    let Balances { balance_minor: balance, lowest_minor: lowest, inflow_minor: inflow, .. } =
        Balances::read(&rows).unwrap();
    let (panel, outcomes) = (bank.panel(), bank.outcomes());
    assert_eq!(balance.len(), 2_000 * 6);
    let months = |customer: usize, year: usize| {
        (balance[customer * 6 + year] as f64 * 12.0 / panel.totals[[customer, year]] as f64).ln()
    };
    let held: Array1<f64> = (0..2_000).map(|customer| months(customer, 5)).collect();
    assert!((held.mean().unwrap() - 2f64.ln()).abs() < 0.1 && (held.std(0.0) - 1.0).abs() < 0.1);
    // Who holds more defaults less and stays liquid.
    let score: Array1<f64> = outcomes.iter().map(|o| o.liquidity_score).collect();
    let correlation = |a: &Array1<f64>, b: &Array1<f64>| {
        let (a, b) = (a - a.mean().unwrap(), b - b.mean().unwrap());
        a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt()
    };
    assert!(correlation(&held, &score) > 0.95);
    let risk: Array1<f64> =
        outcomes.iter().map(|o| (o.default_score / (1.0 - o.default_score)).ln()).collect();
    assert!(correlation(&held, &risk) < -0.85);
    assert!(balance.iter().zip(&lowest).all(|(mean, lowest)| lowest <= mean && *lowest >= 0));
    for customer in 0..100 {
        let at = customer * 6;
        assert_eq!(inflow[at], panel.totals[[customer, 0]]);
        let expected = panel.totals[[customer, 3]] + balance[at + 3] - balance[at + 2];
        assert!((inflow[at + 3] - expected.max(0)).abs() <= 1);
    }
}
