//! How many clusters do these points have, and which? `cargo run --example clusters`.
#![expect(clippy::print_stdout, reason = "an example that reports to its user")]

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_segments::{
    clusters::{GapReference, KMeans, gap_statistic},
    quality::silhouette,
};

const CENTERS: [[f64; 2]; 4] = [[-3.0, -1.0], [0.0, 2.0], [3.0, -1.5], [3.5, 2.0]];
const POINTS: usize = 400;
const WIDTH: usize = 72;
const HEIGHT: usize = 24;

fn main() -> Result<(), spendscape_segments::Error> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let x = Array2::from_shape_fn((POINTS, 2), |(n, axis)| {
        CENTERS[n % CENTERS.len()][axis] + 0.6 * rng.sample::<f64, _>(StandardNormal)
    });
    println!("clusters  inertia  mean silhouette");
    for clusters in 2..=7 {
        let fit = KMeans::params(clusters).starts(8).fit(&x, &mut rng)?;
        println!("{clusters:8}  {:7.0}  {:.3}", fit.inertia, silhouette(&x, &fit.labels)?.mean);
    }
    let gap = gap_statistic(&x, 7, 8, GapReference::Uniform, 20, &mut rng)?;
    println!("the gap statistic says {}\n", gap.clusters);

    let fit = KMeans::params(gap.clusters).starts(8).fit(&x, &mut rng)?;
    let mut picture = vec![[' '; WIDTH]; HEIGHT];
    let mut put = |x: f64, y: f64, mark: char| {
        let column = ((x + 5.5) / 11.0 * WIDTH as f64) as usize;
        let row = ((4.5 - y) / 9.0 * HEIGHT as f64) as usize;
        picture[row.min(HEIGHT - 1)][column.min(WIDTH - 1)] = mark;
    };
    for (point, label) in x.rows().into_iter().zip(&fit.labels) {
        put(point[0], point[1], char::from(b'a' + *label as u8));
    }
    for center in fit.centers.rows() {
        put(center[0], center[1], '#');
    }
    for line in picture {
        println!("{}", line.iter().collect::<String>().trim_end());
    }
    Ok(())
}
