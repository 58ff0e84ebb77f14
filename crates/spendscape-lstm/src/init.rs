//! Random starting weights.

use crate::error::Error;
use crate::network::{Kind, Network, NetworkParams};
use crate::real::Real;
use rand::{Rng, RngExt};

impl NetworkParams {
    /// Makes the network with random weights as Keras does: uniform input kernels and dense layers between the roots of
    /// 6 / (inputs + rows) (Glorot and Bengio 2010, equation 16), recurrent kernels with orthonormal columns (Saxe, McClelland
    /// and Ganguli 2014), forget biases 1 (Gers, Schmidhuber and Cummins 2000), other biases 0.
    ///
    /// # Errors
    /// [`Error::Zero`] when a width is zero or there is no layer, [`Error::Setting`] for dropout out of range or more
    /// parameters than memory has addresses for.
    pub fn init<F: Real, R: Rng + ?Sized>(&self, rng: &mut R) -> Result<Network<F>, Error> {
        let mut network = self.zeros()?;
        fill(&mut network, rng);
        Ok(network)
    }
}

/// Glorot-uniform kernels, orthogonal recurrent kernels, forget biases 1, other biases 0 (the start of Keras's LSTM).
fn fill<F: Real, R: Rng + ?Sized>(network: &mut Network<F>, rng: &mut R) {
    for layer in network.layers.clone() {
        let limit = (6.0 / (layer.inputs + layer.rows()) as f64).sqrt();
        for value in &mut network.values[layer.w_ih.clone()] {
            *value = F::from_f64(rng.random_range(-limit..=limit));
        }
        if layer.kind == Kind::Lstm {
            let columns = orthonormal_columns(layer.rows(), layer.units, rng);
            for (i, value) in network.values[layer.w_hh.clone()].iter_mut().enumerate() {
                *value = F::from_f64(columns[i % layer.units][i / layer.units]);
            }
            let forget = layer.bias.start + layer.units..layer.bias.start + 2 * layer.units;
            network.values[forget].fill(F::one());
        }
    }
}

/// `n` orthonormal vectors of length `len >= n`, uniformly distributed: Gaussian vectors made orthogonal by modified
/// Gram-Schmidt, done twice for full precision.
fn orthonormal_columns<R: Rng + ?Sized>(len: usize, n: usize, rng: &mut R) -> Vec<Vec<f64>> {
    let mut columns: Vec<Vec<f64>> = Vec::with_capacity(n);
    while columns.len() < n {
        let mut v: Vec<f64> = (0..len).map(|_| gaussian(rng)).collect();
        for _ in 0..2 {
            for u in &columns {
                let dot: f64 = u.iter().zip(&v).map(|(a, b)| a * b).sum();
                v.iter_mut().zip(u).for_each(|(a, b)| *a -= dot * b);
            }
        }
        let norm = v.iter().map(|a| a * a).sum::<f64>().sqrt();
        if norm > f64::EPSILON.sqrt() {
            v.iter_mut().for_each(|a| *a /= norm);
            columns.push(v);
        }
    }
    columns
}

/// A standard normal number (Box-Muller), with the uniform kept away from zero.
fn gaussian<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}
