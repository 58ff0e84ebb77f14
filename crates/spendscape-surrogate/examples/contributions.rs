//! Why has this customer this score? A linear model of shares is taken apart, class by class:
//! `cargo run --example contributions`.
#![expect(clippy::print_stdout, reason = "an example that reports to its user")]

use ndarray::{Array2, Axis};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_stats::mean_r2;
use spendscape_surrogate::{
    explain::{Gauge, Score},
    models::Ols,
};

const CLASSES: [&str; 6] = ["groceries", "travel", "restaurants", "books", "gambling", "insurance"];
/// What each class does to the score; only differences count, because shares sum to 1.
const PLANTED: [f64; 6] = [0.2, 0.8, 1.1, -0.3, 0.9, -1.2];
const CUSTOMERS: usize = 500;

fn main() -> Result<(), spendscape_surrogate::Error> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let mut shares = Array2::from_shape_simple_fn((CUSTOMERS, CLASSES.len()), || -rng.random::<f64>().ln());
    for mut row in shares.rows_mut() {
        let sum = row.sum();
        row /= sum;
    }
    let noise = Array2::from_shape_simple_fn((CUSTOMERS, 1), || 0.05 * rng.sample::<f64, _>(StandardNormal));
    let planted = Array2::from_shape_fn((CLASSES.len(), 1), |(class, _)| PLANTED[class]);
    let score = shares.dot(&planted) + noise;

    let (seen, unseen) = shares.view().split_at(Axis(0), CUSTOMERS / 2);
    let (told, untold) = score.view().split_at(Axis(0), CUSTOMERS / 2);
    let model = Ols::params().fit(&seen, &told)?;
    println!(
        "R2 {:.3} on customers that the model was not fitted on",
        mean_r2(&untold, &model.predict(&unseen)?)?
    );

    let why = Score::of_target(&model, 0, Gauge::Median)?.explain(&unseen.row(0))?;
    println!("this customer's score is {:+.3}, {:+.3} of it common to all\n", why.value, why.baseline);
    for (class, part) in CLASSES.iter().zip(&why.contributions) {
        let bar = "#".repeat((60.0 * part.abs()).round() as usize);
        println!("{class:>12} {part:+.3} {bar}");
    }
    println!("{:>12} {:+.3}", "sum", why.total());
    Ok(())
}
