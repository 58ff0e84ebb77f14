//! What will customers of the synthetic bank (`spendscape-synth`) pay for next? A network learns it from their histories and is
//! measured on customers whom it has not seen: `cargo run --example next_goal` (some seconds).
#![expect(clippy::print_stdout, reason = "an example that reports to its user")]

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_goals::{
    Calendar, Covariates, Event, GroupRules, Sequences, Split,
    baselines::Baseline,
    measures::{Measure, Predictions},
    model::{GoalModel, InMemory, prefixes},
};
use spendscape_synth::{Bank, BankParams, GOAL_NAMES, GoalProcess, Preset, bank_coefficients};

const CUSTOMERS: usize = 500;
const DAY: i64 = 86_400_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bank =
        Bank::generate(&BankParams::new(Preset::Base).customers(CUSTOMERS).seed(1), &bank_coefficients()?)?;
    let process = GoalProcess::new(&bank, 2)?;
    let mut events = Vec::new();
    for customer in 0..CUSTOMERS {
        events.extend(process.stream(customer).groups.iter().map(|group| Event {
            customer: customer as u32,
            time: DAY * i64::from(group.day),
            amount: -1_000,
            class: group.goal as u16,
            channel: 0,
            place: 0,
        }));
    }
    let goals = GOAL_NAMES.map(str::to_owned).to_vec();
    let classes: Vec<Option<usize>> = (0..goals.len()).map(Some).collect();
    let (sequences, _) = Sequences::new(&events, CUSTOMERS, goals, &classes, GroupRules::default())?;

    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
    let split = Split::by_customer(&sequences, 0.05, 0.2, rng)?;
    let (covariates, calendar) = (Covariates::none(CUSTOMERS), Calendar::with_payday(25)?);
    let train = prefixes(CUSTOMERS, &split.train)?;
    let source = InMemory::new(&sequences, &covariates, &train, &split.validation);
    let params = GoalModel::params().epochs(6).batch(16);
    let model = params.fit(&source, &calendar, 1, rng, |_| {})?;
    let next = model.predict(&sequences, &covariates, &split.test, None)?;

    println!("share of the next goals of {} events that is said right:", split.test.len());
    let bar = |name: &str, probabilities| -> Result<(), spendscape_goals::Error> {
        let right = Predictions::of(&sequences, &split.test, probabilities)?.values(&[Measure::Accuracy])?[0];
        println!("{name:>22} {:5.1} % {}", 100.0 * right, "#".repeat((50.0 * right).round() as usize));
        Ok(())
    };
    for baseline in [Baseline::Majority, Baseline::RepeatLast, Baseline::SecondOrderMarkov] {
        let fitted = baseline.fit(&sequences, &split.train, &calendar, rng)?;
        bar(baseline.name(), fitted.predict(&sequences, &split.test)?)?;
    }
    bar("network", next.goals)?;
    Ok(())
}
