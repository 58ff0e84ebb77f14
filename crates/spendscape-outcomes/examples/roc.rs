//! How good are these scores? A model learns which customers default, and its ROC curve on others is drawn:
//! `cargo run --example roc`.
#![expect(clippy::print_stdout, reason = "an example that reports to its user")]

use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_outcomes::measures::{BinaryScores, Measure, bootstrap};

const CUSTOMERS: usize = 1_500;
const WIDTH: usize = 60;
const HEIGHT: usize = 20;

fn main() -> Result<(), spendscape_outcomes::Error> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    // Two habits of each customer; the score knows the first and guesses at the second.
    let habits = Array2::from_shape_simple_fn((CUSTOMERS, 2), || rng.random_range(-1.0..1.0_f64));
    let probability = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    let defaults: Vec<bool> = habits
        .rows()
        .into_iter()
        .map(|habit| rng.random_bool(probability(2.0 * habit[0] + 2.0 * habit[1] - 1.0)))
        .collect();
    let guess = |habit: f64, rng: &mut Xoshiro256PlusPlus| habit + rng.random_range(-1.0..1.0);
    let scores: Array1<f64> = habits
        .rows()
        .into_iter()
        .map(|habit| probability(2.0 * habit[0] + guess(habit[1], &mut rng) - 1.0))
        .collect();
    let scores = BinaryScores::new(&defaults, &scores)?;

    let measures = [Measure::Auc, Measure::Brier, Measure::TopLift, Measure::CalibrationSlope];
    for (measure, found) in measures.iter().zip(&bootstrap(&[(&scores, &measures)], 500, &mut rng)?[0]) {
        println!("{:>18} {:.3} ({:.3} to {:.3})", measure.name(), found.value, found.low, found.high);
    }

    let mut picture = vec![[' '; WIDTH + 1]; HEIGHT + 1];
    for step in 0..=WIDTH {
        picture[HEIGHT - step * HEIGHT / WIDTH][step] = '.';
    }
    for point in scores.roc() {
        let column = (point.false_positive_rate * WIDTH as f64).round() as usize;
        let row = ((1.0 - point.true_positive_rate) * HEIGHT as f64).round() as usize;
        picture[row][column] = '*';
    }
    println!("\nshare of the defaults found (upward) by share of the others alarmed (to the right)");
    for line in picture {
        println!("|{}", line.iter().collect::<String>().trim_end());
    }
    println!("+{}", "-".repeat(WIDTH));
    Ok(())
}
