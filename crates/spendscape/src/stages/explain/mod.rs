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
use serde::Serialize;
use spendscape_report::CustomerExplanation;
use spendscape_run::{
    File, Inputs, Model, Notes, RunFolder, Sources, Stage, WithAxes, execute, inputs, outputs,
};
use spendscape_schema::{
    Panel,
    tables::{Contributions, Explanations, FlaggedClasses, Metrics, Moves, SurrogateAngles},
};
use spendscape_stats::median;
use spendscape_surrogate::explain::MAX_ERROR_DEGREES;

pub use self::{data::CustomerInputs, flags::ClassList, tables::SurrogateTable};
use self::{data::Data, finding::Explainer};
use crate::scope::ONE_CUSTOMER;

/// Names in the provenance of explanations: the median errors, in degrees, for customers of the trained run that nothing was
/// fitted on, of the segments' surrogate and of the angles'.
const TYPICAL_ERROR: &str = "typical_error_degrees";
const TYPICAL_ANGLE_ERROR: &str = "typical_angle_error_degrees";

/// The trained run among the sources.
const TRAINED: &str = "trained";

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

    /// Where the stage's inputs are.
    fn sources<'a>(&'a self, run: &'a RunFolder) -> Sources<'a> {
        let sources = Sources::new(run);
        if self.batch { sources.folder(TRAINED, &self.trained) } else { sources }
    }

    /// What is explained, and by what.
    fn params(&self, run: &RunFolder, options: &ExplainOptions) -> Result<ExplainParams> {
        Ok(ExplainParams {
            flagged: ClassList::read(options, &self.trained)?,
            max_error_degrees: MAX_ERROR_DEGREES,
            synthetic: run.has(File::Latent)?,
        })
    }
}

/// What explanations are made with.
#[derive(Debug, Clone, Serialize)]
pub struct ExplainParams {
    /// Classes whose use in a decision about a person needs a reason.
    pub flagged: ClassList,
    /// Error of a direction above which a customer is not explained.
    pub max_error_degrees: f64,
    /// Whether the customers are those of a synthetic bank: the model card says so.
    pub synthetic: bool,
}

inputs! {
    /// The run whose network assigned a batch.
    pub struct TrainedInputs {
        /// Its network.
        pub model: Model = table File::Model,
        /// Its own customers.
        pub customers: CustomerInputs = all (),
    }
}

inputs! {
    /// Who is explained, and by what.
    pub struct ExplainInputs {
        /// Who is explained.
        pub customers: CustomerInputs = all (),
        /// The network, where it is the folder's own.
        pub model: Option<Model> = table File::Model,
        /// The run whose network assigned them, where they are a batch.
        pub trained: Option<TrainedInputs> = folder TRAINED,
    }
}

outputs! {
    /// Surrogates, their fidelity, and explanations.
    pub struct ExplainOutputs {
        /// Coefficients.
        pub surrogate: SurrogateTable = table File::Surrogate,
        /// The angles that the surrogate predicts.
        pub angles: WithAxes<SurrogateAngles> = table File::SurrogateAngles,
        /// Protected and proxy classes.
        pub flagged: FlaggedClasses = table File::FlaggedClasses,
        /// Why each customer is in its segment.
        pub explanations: Explanations = table File::Explanations,
        /// The smallest changes of spending that would move customers.
        pub moves: Moves = table File::Moves,
        /// What each class adds to the lead of explained customers.
        pub contributions: WithAxes<Contributions> = table File::Contributions,
        /// How faithful the surrogates are.
        pub fidelity: Metrics = table File::Fidelity,
    }
}

/// Fits the surrogates, measures their fidelity and explains every customer.
#[derive(Debug)]
pub struct Explain;

impl Stage for Explain {
    const NAME: &'static str = flags::STAGE;
    type Params = ExplainParams;
    type Inputs = ExplainInputs;
    type Outputs = ExplainOutputs;

    fn run(params: &ExplainParams, inputs: ExplainInputs, notes: &mut Notes) -> Result<ExplainOutputs> {
        let (trained, batch) = inputs.data()?;
        let surrogates = trained.fit(&trained.train_rows())?;
        let explainer =
            Explainer::new(batch.as_ref().unwrap_or(&trained), &trained, &surrogates, &params.flagged)?;
        notes.add("rank", surrogates.state.rank());
        let findings = explainer.explain_all()?;
        let peers = explainer.peers()?;
        notes.add(TYPICAL_ERROR, median(&peers.errors));
        notes.add(TYPICAL_ANGLE_ERROR, median(&peers.angle_errors));
        let refused = findings.iter().filter(|finding| finding.segment.lead.is_err()).count();
        tracing::info!(customers = findings.len(), refused, "explained");
        Ok(ExplainOutputs {
            surrogate: SurrogateTable::of(&explainer)?,
            angles: tables::angles(&explainer),
            flagged: flags::table(&explainer.flagged, &explainer.data.panel.classes)?,
            explanations: tables::explanations(&explainer, &findings, &peers)?,
            moves: tables::moves(&explainer, &findings)?,
            contributions: tables::contributions(&explainer, &findings)?,
            fidelity: fidelity::table(params, &explainer, &findings)?,
        })
    }
}

impl ExplainInputs {
    /// The customers of the trained run, and those of a batch if they are explained.
    fn data(self) -> Result<(Data, Option<Data>)> {
        match self.trained {
            Some(trained) => {
                let batch = Data::of(self.customers, trained.model.clone())?;
                Ok((Data::of(trained.customers, trained.model)?, Some(batch)))
            }
            None => {
                let model = self.model.context("there is no network to explain")?;
                Ok((Data::of(self.customers, model)?, None))
            }
        }
    }
}

/// Explains the customers of a run folder. With `model`, they are a batch that was assigned by the network of that run, and are
/// explained by its surrogates, beside its customers and its list of classes.
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
    if !source.batch {
        run.need(File::Model)
            .with_context(|| format!("stage `{}` needs {}", Explain::NAME, File::Model.name()))?;
    }
    execute::<Explain>(&source.sources(run), &source.params(run, options)?, force)
}

/// Explains one customer by the tables that stage `explain` wrote: nothing is fitted, and what is printed is what they say.
///
/// # Errors
/// If the customer is not in the panel (the message says why, where that is known), or a table is missing or damaged.
pub fn explain_customer(
    run: &RunFolder,
    model: Option<&Path>,
    customer: &str,
) -> Result<CustomerExplanation> {
    let source = Source::open(run, model)?;
    let sources = source.sources(run);
    let tables = customer::ExplainedInputs::read(&sources, &customer::ExplainedInputs::find(&sources)?)?;
    let Some(row) = tables.row(customer) else {
        bail!("{}", left_out::why(run, customer)?);
    };
    let made_from = customer::made_from(run, &source)?;
    tables.document(row, made_from)
}
