//! Why customers are in their segments: linear surrogates of the network, their fidelity, and the explanation of every
//! customer (P2 section 4, P3 section III-B).
//!
//! A segment is the trait with the network's highest output, and outputs are a fixed layer on the last hidden state. The
//! surrogate that explains segments is therefore the linear model of that state with the same layer on top: it is linear in
//! the shares, so that contributions are exact, and it is far more faithful than the papers' linear model of the two
//! direction angles, which is kept beside it.

mod customer;
mod data;
mod fidelity;
mod finding;
mod flags;
mod left_out;
mod named;
mod tables;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use spendscape_report::CustomerExplanation;
use spendscape_schema::Panel;
use spendscape_store::Provenance;
use spendscape_surrogate::MAX_ERROR_DEGREES;

use self::{
    data::{Data, INPUTS},
    finding::Explainer,
    flags::ClassList,
};
use super::train::ONE_CUSTOMER;
use crate::run_folder::{File, RunFolder};

/// How customers are explained.
#[derive(Debug, Clone, Default, Args)]
pub struct ExplainOptions {
    /// TOML list of classes that tell something protected of a person, or stand for it; it stays in force in this run
    /// folder until another is given
    #[arg(long, value_name = "FILE")]
    pub protected: Option<PathBuf>,
    /// Do not protect classes by their names: by default those that tell of health, religion, politics, trade unions or sex life
    /// (pharmacy, therapy, church ...) are flagged and no part of a proposed change
    #[arg(long)]
    pub no_protected_names: bool,
}

/// Whose network explains the customers of a run folder: the folder's own, or, for a batch that was assigned, another run's.
#[derive(Debug)]
struct Source {
    trained: RunFolder,
    batch: bool,
}

impl Source {
    /// Opens the run of the network: `model`, or `run` itself.
    ///
    /// # Errors
    /// If the customers of `run` were assigned by the network of another run than `model`, or by none.
    fn open(run: &RunFolder, model: Option<&Path>) -> Result<Self> {
        let assigned = run.record("assign")?.filter(|record| record.void.is_none());
        let folder = run.path().display();
        let Some(model) = model else {
            if assigned.is_some() {
                bail!(
                    "the customers of {folder} were assigned by another run's network: name that run, `spendscape explain \
                     {folder} --model RUN`"
                );
            }
            return Ok(Self { trained: run.clone(), batch: false });
        };
        let trained = RunFolder::open_trained(model)?;
        let again = format!("`spendscape assign {folder} --model {}`", model.display());
        let Some(assigned) = assigned else {
            bail!(
                "the customers of {folder} are not assigned to segments of another run: {again} comes first"
            );
        };
        let (_, digest) =
            trained.need(File::Model).with_context(|| format!("{} is no trained run", model.display()))?;
        if assigned.provenance.inputs.get("trained model.parquet") != Some(&digest) {
            bail!(
                "the customers of {folder} were assigned by another network than that of {}: run {again} again",
                model.display()
            );
        }
        Ok(Self { trained, batch: true })
    }

    /// The customers explained, if they are not those of the trained run.
    fn read_batch(&self, run: &RunFolder, trained: &Data) -> Result<Option<Data>> {
        self.batch.then(|| Data::of(run, trained.model.clone())).transpose()
    }
}

/// Fits the surrogates, measures their fidelity and explains every customer. With `model`, the customers of a batch that was
/// assigned by the network of that run are explained by its surrogates, beside its customers and its list of classes.
///
/// # Errors
/// If a table is missing, the panel's classes are not the model's, the list names an unknown class, there are too few
/// training customers to fit a line, or the customers were assigned by another network.
pub fn explain(run: &RunFolder, options: &ExplainOptions, model: Option<&Path>, force: bool) -> Result<()> {
    let source = Source::open(run, model)?;
    // Training first would be refused.
    if !source.batch && !run.has(File::Model)? && run.has(File::Panel)? {
        let panel = run.read(File::Panel)?;
        if Panel::from_rows(&panel.rows)?.len() == 1 {
            bail!(ONE_CUSTOMER);
        }
    }
    let list = ClassList::read(options, &source.trained)?;
    let mut provenance = Provenance::new(flags::STAGE)
        .parameter(flags::PARAMETER, serde_json::to_value(&list)?)
        .parameter("max_error_degrees", MAX_ERROR_DEGREES)
        // The model card says so.
        .parameter("synthetic", run.has(File::Latent)?);
    let mut inputs = INPUTS.to_vec();
    if source.batch {
        inputs.retain(|file| *file != File::Model);
        for file in INPUTS {
            provenance = source.trained.input(provenance, &format!("trained {}", file.name()), file)?;
        }
    }
    let Some(mut stage) = run.stage(flags::STAGE, provenance, &inputs, force)? else {
        return Ok(());
    };
    let trained = Data::read(&source.trained)?;
    let batch = source.read_batch(run, &trained)?;
    let surrogates = trained.fit(&trained.train_rows())?;
    let explainer = Explainer::new(batch.as_ref().unwrap_or(&trained), &trained, &surrogates, &list)?;
    let data = explainer.data;
    stage.note("rank", surrogates.state.rank());
    tables::write_surrogates(&mut stage, &explainer)?;
    flags::write(&mut stage, &explainer.flagged, &data.panel.classes)?;
    let findings = explainer.explain_all()?;
    tables::write_findings(&mut stage, &explainer, &findings)?;
    fidelity::write(&mut stage, &explainer, &findings)?;
    let refused = findings.iter().filter(|finding| finding.segment.lead.is_err()).count();
    tracing::info!(customers = findings.len(), refused, "explained");
    stage.finish()
}

/// Explains one customer from the tables of a run folder whose stage `explain` is up to date.
///
/// # Errors
/// If the customer is not in the panel (the message says why, where that is known), or a table is missing or damaged.
pub fn explain_customer(
    run: &RunFolder,
    options: &ExplainOptions,
    model: Option<&Path>,
    customer: &str,
) -> Result<CustomerExplanation> {
    let source = Source::open(run, model)?;
    let trained = Data::read(&source.trained)?;
    let batch = source.read_batch(run, &trained)?;
    let data = batch.as_ref().unwrap_or(&trained);
    let Some(row) = data.panel.customers.iter().position(|name| name == customer) else {
        bail!("{}", left_out::why(run, customer)?);
    };
    let surrogates = trained.fit(&trained.train_rows())?;
    let list = ClassList::read(options, &source.trained)?;
    let explainer = Explainer::new(data, &trained, &surrogates, &list)?;
    customer::document(run, &source.trained, &explainer, row)
}
