//! The trained network between its table and memory.

use anyhow::{Context, Result, bail};
use ndarray::{Array1, Array2, ArrayD, ArrayViewD, IxDyn};
use serde_json::Value;
use spendscape_lstm::{Network, NetworkParams};
use spendscape_schema::{
    Axes, Tabular,
    tables::{self, ModelRow},
};
use spendscape_store::Stored;

use crate::{FromTable, IntoTable, Notes, TableContent, stage::SEED};

/// Name of the seed of the split and of the minibatch order in a model's provenance.
const STUDY_SEED: &str = "study_seed";

/// A trained network with the meaning of its inputs and outputs.
#[derive(Debug, Clone)]
pub struct Model {
    /// The network: LSTM(C -> M) + Dense(M -> P).
    pub network: Network<f32>,
    /// Classes (C) in input order.
    pub classes: Vec<String>,
    /// Traits (P) in output order.
    pub traits: Vec<String>,
    /// Seed of the initial weights.
    pub seed: u64,
    /// Seed of the split and of the minibatch order.
    pub study_seed: u64,
}

/// The weights in f64, as the dynamics see them.
#[derive(Debug, Clone)]
pub struct Weights {
    /// W_x, 4M x C, gates i, f, g, o.
    pub input: Array2<f64>,
    /// W_h, 4M x M.
    pub recurrent: Array2<f64>,
    /// b, 4M.
    pub bias: Array1<f64>,
    /// W, P x M.
    pub output: Array2<f64>,
    /// b of the output layer, P.
    pub output_bias: Array1<f64>,
}

impl Model {
    /// Number of hidden units, M.
    #[must_use]
    pub fn units(&self) -> usize {
        self.network.units()
    }

    /// The weights in f64.
    ///
    /// # Errors
    /// If the network is no single LSTM layer with a dense output.
    pub fn weights(&self) -> Result<Weights> {
        let net = &self.network;
        let parts = (net.weight_ih(0), net.weight_hh(0), net.bias(0), net.dense_weight(0), net.dense_bias(0));
        let (Some(input), Some(recurrent), Some(bias), Some(output), Some(output_bias)) = parts else {
            bail!("the model is no single LSTM layer with a dense output layer");
        };
        Ok(Weights {
            input: input.mapv(f64::from),
            recurrent: recurrent.mapv(f64::from),
            bias: bias.mapv(f64::from),
            output: output.mapv(f64::from),
            output_bias: output_bias.mapv(f64::from),
        })
    }

    /// Refuses a panel whose classes are not those that the network was trained on.
    ///
    /// # Errors
    /// Names the first class that differs.
    pub fn check_classes(&self, classes: &[String]) -> Result<()> {
        if let Some((at, (model, panel))) =
            self.classes.iter().zip(classes).enumerate().find(|(_, (a, b))| a != b)
        {
            bail!(
                "class {at} of the panel is {panel:?}, but the model was trained with {model:?} there: use its taxonomy"
            );
        }
        if self.classes.len() != classes.len() {
            bail!(
                "the panel has {} classes, but the model was trained on {}",
                classes.len(),
                self.classes.len()
            );
        }
        Ok(())
    }

    fn read(stored: &Stored) -> Result<Self> {
        let parameters = &stored.provenance.parameters;
        let strings = |name: &str| -> Result<Vec<String>> {
            let list = parameters.get(name).and_then(Value::as_array);
            let list = list.with_context(|| {
                format!("the model does not say its {name}: was it written by `spendscape train`?")
            })?;
            Ok(list.iter().filter_map(|label| label.as_str().map(str::to_owned)).collect())
        };
        let (classes, traits) = (strings("classes")?, strings("traits")?);
        let units = parameters
            .get("hidden_units")
            .and_then(Value::as_u64)
            .context("the model does not say its units")?;
        let seed = stored.provenance.seed.context("the model does not say its seed")?;
        let study_seed = parameters
            .get(STUDY_SEED)
            .and_then(Value::as_u64)
            .context("the model does not say the seed of its split")?;
        let params = NetworkParams::lstm(classes.len(), usize::try_from(units)?).outputs(traits.len());
        let mut network = params.zeros::<f32>()?;
        let tensors = tensors(stored.table()?)?;
        set_tensors(&mut network, &tensors)?;
        Ok(Self { network, classes, traits, seed, study_seed })
    }
}

impl IntoTable for Model {
    /// One row per tensor.
    fn into_table(self) -> Result<TableContent> {
        let labels =
            |labels: &[String]| -> Value { labels.iter().map(|label| Value::from(label.as_str())).collect() };
        let mut notes = Notes::default();
        notes.add("classes", labels(&self.classes));
        notes.add("traits", labels(&self.traits));
        notes.add("hidden_units", self.network.units());
        notes.add(SEED, self.seed);
        notes.add(STUDY_SEED, self.study_seed);
        Ok(TableContent { batch: tensor_table(&self.network.tensors())?.to_batch(&Axes::new())?, notes })
    }
}

impl FromTable for Model {
    /// Refuses a table whose tensors are not those that the model's size asks for.
    fn from_table(stored: &Stored) -> Result<Self> {
        Self::read(stored).with_context(|| format!("{}", stored.path().display()))
    }
}

/// Named tensors as a table.
///
/// ```
/// use spendscape_run::model::{tensor_table, tensors};
///
/// let weights = ndarray::array![[0.5_f32, -1.0]].into_dyn();
/// let table = tensor_table(&[("w".to_owned(), weights.view())])?;
/// assert_eq!((&table.tensor, &table.shape), (&vec!["w".to_owned()], &vec![vec![1, 2]]));
/// assert_eq!(tensors(table)?, [("w".to_owned(), weights)]);
/// # Ok::<(), anyhow::Error>(())
/// ```
///
/// # Errors
/// As `tables::Model::from_rows`.
pub fn tensor_table(tensors: &[(String, ArrayViewD<'_, f32>)]) -> Result<tables::Model> {
    let row = |(name, values): &(String, ArrayViewD<'_, f32>)| ModelRow {
        tensor: name.clone(),
        shape: values.shape().iter().map(|side| *side as u32).collect(),
        values: values.iter().copied().collect(),
    };
    Ok(tables::Model::from_rows(tensors.iter().map(row))?)
}

/// The named tensors of a table.
///
/// The inverse of [`tensor_table`], which has an example.
///
/// # Errors
/// Names the tensor whose values are not as many as its shape says.
pub fn tensors(table: tables::Model) -> Result<Vec<(String, ArrayD<f32>)>> {
    let tensor = |ModelRow { tensor: name, shape, values }| {
        let shape: Vec<usize> = shape.into_iter().map(|side| side as usize).collect();
        let found = values.len();
        let tensor = ArrayD::from_shape_vec(IxDyn(&shape), values).with_context(|| {
            format!("tensor {name} has {found} values, but its shape {shape:?} asks for another number")
        })?;
        Ok((name, tensor))
    };
    table.into_rows().map(tensor).collect()
}

/// Fills a network.
///
/// ```
/// use spendscape_lstm::{Network, NetworkParams};
/// use spendscape_run::model::{set_tensors, tensor_table, tensors};
///
/// let params = NetworkParams::lstm(2, 3).outputs(1);
/// let mut rng = spendscape_schema::seed::stream(1, "init", 0);
/// let (trained, mut copy): (Network<f32>, Network<f32>) = (params.init(&mut rng)?, params.init(&mut rng)?);
/// set_tensors(&mut copy, &tensors(tensor_table(&trained.tensors())?)?)?;
/// assert_eq!(copy.tensors(), trained.tensors());
/// # Ok::<(), anyhow::Error>(())
/// ```
///
/// # Errors
/// Names the tensor that is missing, unknown, of another shape or not finite.
pub fn set_tensors(network: &mut Network<f32>, tensors: &[(String, ArrayD<f32>)]) -> Result<()> {
    let missing =
        network.tensors().into_iter().find(|(name, _)| !tensors.iter().any(|(known, _)| known == name));
    if let Some((missing, _)) = missing {
        bail!("the model lacks tensor {missing}");
    }
    for (name, tensor) in tensors {
        network.set_tensor(name, tensor)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use spendscape_store::Provenance;

    use super::*;
    use crate::{File, RunFolder, StageWriter};

    /// Whatever stage writes it.
    #[test]
    fn a_model_comes_back_whole_from_its_table() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::open(folder.path(), None).unwrap();
        let model = Model {
            network: NetworkParams::lstm(2, 3).outputs(1).zeros().unwrap(),
            classes: vec!["food".to_owned(), "rent".to_owned()],
            traits: vec!["thrift".to_owned()],
            seed: u64::MAX,
            study_seed: 7,
        };
        let content = model.clone().into_table().unwrap();
        let mut writer =
            StageWriter::start(&run, "test", Provenance::new("test"), &[], false).unwrap().unwrap();
        writer.write_content(File::Model, &content).unwrap();
        writer.finish().unwrap();
        let read: Model = run.table(File::Model).unwrap();
        assert_eq!((read.seed, read.study_seed), (model.seed, model.study_seed));
        assert_eq!((read.classes, read.traits), (model.classes, model.traits));
    }

    #[test]
    fn a_shape_beyond_all_numbers_is_refused() {
        let row = ModelRow { tensor: "w".to_owned(), shape: vec![u32::MAX; 3], values: vec![1.0] };
        let error = tensors(tables::Model::from_rows([row]).unwrap()).unwrap_err();
        assert!(error.to_string().contains("tensor w has 1 values"), "{error}");
    }
}
