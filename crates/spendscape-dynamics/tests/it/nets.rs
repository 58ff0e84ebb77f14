//! Nets for the tests: named weights, random full nets, and the trained ones of the golden file.

use ndarray::{Array1, Array2};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde_json::Value;
use spendscape_dynamics::map::LstmCell;

/// Gate rows in the order i, f, g, o.
pub(crate) const I: usize = 0;
pub(crate) const F: usize = 1;
pub(crate) const G: usize = 2;
pub(crate) const O: usize = 3;

/// The recurrent weight of A4: its map has the points 0 and +-0.2310585786300049.
pub(crate) const A4_WEIGHT: f64 = 2.377_345_812_438_590_3;

pub(crate) fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// A cell of `units` without inputs, all weights zero but the given ones: `(gate, unit, source, weight)` and
/// `(gate, unit, bias)`.
pub(crate) fn cell(
    units: usize,
    weights: &[(usize, usize, usize, f64)],
    biases: &[(usize, usize, f64)],
) -> LstmCell {
    let mut w_h = Array2::zeros((4 * units, units));
    let mut b = Array1::zeros(4 * units);
    for &(gate, unit, source, w) in weights {
        w_h[[gate * units + unit, source]] = w;
    }
    for &(gate, unit, v) in biases {
        b[gate * units + unit] = v;
    }
    LstmCell::new(&Array2::zeros((4 * units, 0)), &w_h, &b).unwrap()
}

/// A standard normal number by Box and Muller.
pub(crate) fn normal(rng: &mut impl Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}

/// A full random cell without inputs: weights of the given spread, biases normal, forget bias raised by one.
pub(crate) fn random_cell(units: usize, spread: f64, rng: &mut impl Rng) -> LstmCell {
    let w_h = Array2::from_shape_simple_fn((4 * units, units), || spread * normal(rng));
    let b = Array1::from_shape_fn(4 * units, |r| normal(rng) * 0.5 + if r / units == F { 1.0 } else { 0.0 });
    LstmCell::new(&Array2::zeros((4 * units, 0)), &w_h, &b).unwrap()
}

/// A trained net of the golden file.
pub(crate) struct Trained {
    pub(crate) name: String,
    pub(crate) cell: LstmCell,
    /// Input weights, 4M x C.
    pub(crate) w_x: Array2<f64>,
    /// Recurrent weights, 4M x M.
    pub(crate) w_h: Array2<f64>,
    /// Output layer, traits x units.
    pub(crate) w_out: Array2<f64>,
    pub(crate) b_out: Array1<f64>,
    /// Mean inputs of a sample of customers.
    pub(crate) inputs: Array2<f64>,
    /// Their targets.
    pub(crate) targets: Array2<f64>,
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn inputs(preset: &str, rows: usize, columns: usize) -> Array2<f64> {
    let bytes: &[u8] = match preset {
        "base" => include_bytes!("../golden/inputs_base.f32"),
        _ => include_bytes!("../golden/inputs_strong.f32"),
    };
    let values = bytes.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())));
    Array2::from_shape_vec((rows, columns), values.collect()).unwrap()
}

/// The six trained nets.
pub(crate) fn trained() -> Vec<Trained> {
    let file: Value = serde_json::from_str(include_str!("../golden/nets.json")).unwrap();
    let size = |key: &str| usize::try_from(file[key].as_u64().unwrap()).unwrap();
    let (m, c, sample) = (size("units"), size("inputs"), size("sample"));
    let net = |net: &Value| {
        let preset = net["preset"].as_str().unwrap();
        let matrix = |key: &str, r, c| Array2::from_shape_vec((r, c), numbers(&net[key])).unwrap();
        let b = Array1::from(numbers(&net["b"]));
        Trained {
            name: format!("{preset} {}", net["seed"]),
            w_x: matrix("w_x", 4 * m, c),
            w_h: matrix("w_h", 4 * m, m),
            cell: LstmCell::new(&matrix("w_x", 4 * m, c), &matrix("w_h", 4 * m, m), &b).unwrap(),
            w_out: matrix("w_out", 5, m),
            b_out: Array1::from(numbers(&net["b_out"])),
            inputs: inputs(preset, sample, c),
            targets: Array2::from_shape_vec((sample, 5), numbers(&file["targets"][preset])).unwrap(),
        }
    };
    file["nets"].as_array().unwrap().iter().map(net).collect()
}
