//! Every fixed point of an LSTM layer of two units, with proof, and a map of where each state goes:
//! `cargo run --example fixed_points`.
#![expect(clippy::print_stdout, reason = "an example that reports to its user")]

use ndarray::{Array1, Array2, array};
use spendscape_dynamics::{
    Error,
    fixed_points::{Complete, Outcome, SearchParams, Verdict},
    map::LstmCell,
    orbits::{Basins, Membership},
};

fn main() -> Result<(), Error> {
    // Gates in the order i, f, g, o, two rows each: two units that each remember a sign, the second one pulled by the first.
    let mut w_h = Array2::zeros((8, 2));
    w_h[[4, 0]] = 2.6;
    w_h[[5, 1]] = 2.6;
    w_h[[5, 0]] = 0.4;
    let cell = LstmCell::new(&Array2::zeros((8, 0)), &w_h, &Array1::zeros(8))?;
    let map = cell.under(&array![])?;
    let list = map.fixed_points(&SearchParams::default());
    let others = if list.outcome == Outcome::Complete { "and no other" } else { "and perhaps others" };
    println!("{:?}: {} fixed points {others}", list.outcome, list.points.len());
    for (at, point) in list.points.iter().enumerate() {
        let radius = point.spectrum.radius;
        let letter = if point.spectrum.verdict == Verdict::Stable { letter(at) } else { ' ' };
        println!(
            "{letter} h = ({:+.4}, {:+.4})  spectral radius {:.4} to {:.4}  {:?}",
            point.state[0], point.state[1], radius.lo, radius.hi, point.spectrum.verdict
        );
    }

    println!(
        "\nWhere the state (h, c) = (x, y, 2 x, 2 y) goes, x from left to right and y upward, each from -0.4 to 0.4:"
    );
    let basins = Basins::new(&map, &list, 10_000);
    for row in (-10..=10).rev() {
        let mut line = String::new();
        for column in -20..=20 {
            let (x, y) = (0.02 * f64::from(column), 0.04 * f64::from(row));
            line.push(match basins.membership(&array![x, y, 2.0 * x, 2.0 * y])? {
                Membership::Point(at) => letter(at),
                Membership::Undecided => '.',
            });
        }
        println!("{line}");
    }
    Ok(())
}

/// The letter of a point of the list.
fn letter(at: usize) -> char {
    char::from(b'a' + (at % 26) as u8)
}
