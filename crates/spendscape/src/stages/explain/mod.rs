//! Why customers are in their segments: linear surrogates of the network, their fidelity, and the explanation of every
//! customer (P2 section 4, P3 section III-B).
//!
//! A segment is the trait with the network's highest output, and outputs are a fixed layer on the last hidden state. The
//! surrogate that explains segments is therefore the linear model of that state with the same layer on top: it is linear in
//! the shares, so that contributions are exact, and it is far more faithful than the papers' linear model of the two
//! direction angles, which is kept beside it.

mod change;
mod customer;
mod data;
mod fidelity;
mod finding;
mod flags;
mod left_out;
mod named;
mod tables;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use spendscape_report::CustomerExplanation;
use spendscape_store::Provenance;
use spendscape_surrogate::MAX_ERROR_DEGREES;

use self::{
    data::{Data, INPUTS},
    finding::Explainer,
    flags::ClassList,
};
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

/// Fits the surrogates, measures their fidelity and explains every customer.
///
/// # Errors
/// If a table is missing, the panel's classes are not the model's, the list names an unknown class, or there are too few
/// training customers to fit a line.
pub fn explain(run: &RunFolder, options: &ExplainOptions, force: bool) -> Result<()> {
    if run.record("assign")?.is_some_and(|record| record.void.is_none()) {
        bail!(
            "the customers of {} were assigned by another run's network: only the customers of a trained run can be explained",
            run.path().display()
        );
    }
    let list = ClassList::read(options, run)?;
    let provenance = Provenance::new(flags::STAGE)
        .parameter(flags::PARAMETER, serde_json::to_value(&list)?)
        .parameter("max_error_degrees", MAX_ERROR_DEGREES)
        // The model card says so.
        .parameter("synthetic", run.has(File::Latent)?);
    let Some(mut stage) = run.stage(flags::STAGE, provenance, &INPUTS, force)? else {
        return Ok(());
    };
    let data = Data::read(run)?;
    let surrogates = data.fit(&data.train_rows())?;
    let explainer = Explainer::new(&data, &surrogates, &list)?;
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
    customer: &str,
) -> Result<CustomerExplanation> {
    let data = Data::read(run)?;
    let Some(row) = data.panel.customers.iter().position(|name| name == customer) else {
        bail!("{}", left_out::why(run, customer)?);
    };
    let surrogates = data.fit(&data.train_rows())?;
    let explainer = Explainer::new(&data, &surrogates, &ClassList::read(options, run)?)?;
    customer::document(run, &explainer, row)
}
