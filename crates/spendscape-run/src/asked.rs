//! Where a network is asked for the grades in training, and what answers afterwards.

use anyhow::Result;
use ndarray::{Array2, Array3, Axis};
use spendscape_lstm::{Dataset, Network, NetworkParams};
use spendscape_schema::TargetSteps;

/// Grades of customers, where a network is asked for them in training.
#[derive(Debug, Clone)]
pub enum AskedGrades {
    /// After the last period, N x P.
    Last(Array2<f32>),
    /// The same grades after every period, N x T x P.
    Every(Array3<f32>),
}

impl AskedGrades {
    /// Grades (N x P) for customers with so many periods.
    #[must_use]
    pub fn new(grades: Array2<f32>, steps: TargetSteps, periods: usize) -> Self {
        match steps {
            TargetSteps::Last => Self::Last(grades),
            TargetSteps::Every => {
                let (customers, traits) = grades.dim();
                let mut every = Array3::zeros((customers, periods, traits));
                every.axis_iter_mut(Axis(1)).for_each(|mut at| at.assign(&grades));
                Self::Every(every)
            }
        }
    }

    /// The network that is trained, where one of `shape` is wanted.
    #[must_use]
    pub fn learner(&self, shape: &NetworkParams) -> NetworkParams {
        match self {
            Self::Last(_) => shape.clone(),
            Self::Every(_) => shape.clone().every_step(),
        }
    }

    /// What it is trained on, or tested: these grades of customers with these shares (N x T x C).
    ///
    /// # Errors
    /// If the two do not belong to the same customers.
    pub fn with<'a>(&'a self, shares: &'a Array3<f32>) -> Result<Dataset<'a, f32>> {
        Ok(match self {
            Self::Last(grades) => Dataset::new(shares, grades)?,
            Self::Every(grades) => Dataset::per_step(shares, grades)?,
        })
    }
}

/// The network of `shape` that has learned: what it is for comes after its last step, wherever it was asked in training.
///
/// # Errors
/// If the shape is none.
pub fn answering_last(shape: &NetworkParams, learner: &Network<f32>) -> Result<Network<f32>> {
    let mut network = shape.zeros::<f32>()?;
    network.parameters_mut().copy_from_slice(learner.parameters());
    Ok(network)
}

#[cfg(test)]
mod tests {
    use ndarray::{array, s};
    use spendscape_lstm::TrainParams;
    use spendscape_schema::seed;

    use super::*;

    #[test]
    fn every_period_is_asked_the_same_and_the_last_one_answers() {
        let (shares, grades) = (array![[[0.2_f32, 0.8], [0.6, 0.4]]], array![[0.5_f32]]);
        let shape = NetworkParams::lstm(2, 1).outputs(1);
        let asked = AskedGrades::new(grades.clone(), TargetSteps::Every, 2);
        assert!(matches!(&asked, AskedGrades::Every(every) if every == array![[[0.5], [0.5]]]));
        assert!(matches!(AskedGrades::new(grades, TargetSteps::Last, 2), AskedGrades::Last(_)));
        let mut learner = asked.learner(&shape).init::<f32, _>(&mut seed::stream(1, "asked", 0)).unwrap();
        let mut order = seed::stream(1, "order", 0);
        let data = asked.with(&shares).unwrap();
        TrainParams::default().epochs(3).fit(&mut learner, &data, &mut order).unwrap();
        let network = answering_last(&shape, &learner).unwrap();
        let every = learner.predict_steps(&shares).unwrap();
        assert_eq!(network.predict(&shares).unwrap(), every.slice(s![.., 1, ..]));
    }
}
