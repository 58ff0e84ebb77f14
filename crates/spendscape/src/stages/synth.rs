//! The synthetic bank.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use ndarray::s;
use serde::Serialize;
use spendscape_run::{
    File, FromFile, GOAL_MAP_FILE, Notes, Outputs, RunFolder, Sources, Stage, StageWriter, TableOutput,
    execute, inputs,
};
use spendscape_schema::{CoefficientOrigin, Coefficients};
use spendscape_synth::{
    Bank, BankParams, GOAL_MAP, GoalFiles, GoalProcess, Preset, bank_coefficients, first_traits, unlist,
};

use crate::shipped::{CoefficientTable, read_coefficients};

/// What kind of bank.
#[derive(Debug, Clone, Args, Serialize)]
pub struct SynthOptions {
    /// Kind of bank
    #[arg(long, value_enum, default_value_t = BankKind::Base)]
    pub preset: BankKind,
    /// How much more of its trait a kind of customers has than the others, in standard deviations of the base bank; the
    /// preset's own where not given
    #[arg(long, value_name = "SD")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separation: Option<f64>,
    /// Share of default's log-odds that traits explain, from 0 to 1; the account explains the rest
    #[arg(long, value_name = "SHARE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trait_share: Option<f64>,
    /// How many of the traits drive spending and have coefficients, the first ones; all where not given
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traits: Option<usize>,
    /// Leave this many classes that traits drive out of the coefficient table which is written
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlisted: Option<usize>,
    /// Number of customers
    #[arg(long, default_value_t = 26_000)]
    pub customers: usize,
    /// Number of years
    #[arg(long, default_value_t = 6)]
    pub years: usize,
    /// Seed of everything
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Move a random fraction of each customer-year to a catch-all class
    #[arg(long)]
    pub uncategorized: bool,
    /// Probability that a customer-year is missing
    #[arg(long, default_value_t = 0.0)]
    pub missing_years: f64,
    /// Coefficient table with population shares (CSV: class,pi,E,N,O,C,A) instead of the bank's own
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub coefficients: Option<PathBuf>,
    /// Also write a stream of goals with the distribution of each next goal (goal_ledger, goal_truth, goal_customers,
    /// goals.toml)
    #[arg(long)]
    #[serde(skip)]
    pub goals: bool,
    /// Years of that stream, the bank's last ones
    #[arg(long, default_value_t = 2, requires = "goals")]
    #[serde(skip)]
    pub goal_years: usize,
}

/// What drives a bank's customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
pub enum BankKind {
    /// Traits of one cloud, which drive spending moderately (lambda .45)
    Base,
    /// Traits drive spending strongly (lambda 1), nearer to the papers' fit
    Strong,
    /// As base, but customers are of five kinds, one per trait
    Types,
}

/// What a bank is made with.
#[derive(Debug, Clone, Serialize)]
pub struct SynthParams {
    /// What the command line says.
    #[serde(flatten)]
    pub options: SynthOptions,
    /// Years of the stream of goals, if there is one; a bank without it says nothing of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal_years: Option<usize>,
}

inputs! {
    /// What a bank is made from.
    pub struct SynthInputs {
        /// Coefficients with population shares, instead of the bank's own.
        pub coefficients: Option<CoefficientCsv> = file "coefficients",
    }
}

/// A coefficient table that a user brings.
#[derive(Debug, Clone)]
pub struct CoefficientCsv(pub Coefficients);

impl FromFile for CoefficientCsv {
    fn from_file(path: &Path) -> Result<Self> {
        read_coefficients(path).map(Self)
    }
}

/// A bank: what it says of itself, and ledgers that are drawn as they are written.
#[derive(Debug)]
pub struct SynthOutputs {
    /// The bank.
    pub bank: Bank,
    /// Years of the stream of goals, if there is one.
    pub goal_years: Option<usize>,
    /// The coefficients that it was made with, without those that are hidden.
    pub coefficients: CoefficientTable,
}

/// Draws a bank: ledger, taxonomy, coefficients, outcomes, balances and truth.
#[derive(Debug)]
pub struct Synth;

impl Stage for Synth {
    const NAME: &'static str = "synth";
    type Params = SynthParams;
    type Inputs = SynthInputs;
    type Outputs = SynthOutputs;

    fn run(params: &SynthParams, inputs: SynthInputs, _: &mut Notes) -> Result<SynthOutputs> {
        let options = &params.options;
        let preset = match options.preset {
            BankKind::Base => Preset::Base,
            BankKind::Strong => Preset::Strong,
            BankKind::Types => Preset::Types,
        };
        let bank = BankParams::new(preset);
        let bank = match options.separation {
            Some(separation) => bank.separation(separation),
            None => bank,
        };
        let bank = bank
            .customers(options.customers)
            .years(options.years)
            .uncategorized(options.uncategorized)
            .missing_years(options.missing_years)
            .trait_share(options.trait_share)
            .seed(options.seed);
        let (coefficients, origin) = match inputs.coefficients {
            Some(given) => (given.0, CoefficientOrigin::Given),
            None => (bank_coefficients()?, CoefficientOrigin::Authored),
        };
        let traits = options.traits.unwrap_or(coefficients.traits.len());
        let coefficients = first_traits(&coefficients, traits)?;
        let mut written = unlist(&coefficients, options.unlisted.unwrap_or(0))?;
        written.traits.truncate(traits);
        written.weights = written.weights.slice_move(s![.., ..traits]);
        Ok(SynthOutputs {
            bank: Bank::generate(&bank, &coefficients)?,
            goal_years: params.goal_years,
            coefficients: CoefficientTable { coefficients: written, origin },
        })
    }
}

impl Outputs for SynthOutputs {
    fn files() -> Vec<File> {
        vec![
            File::Ledger,
            File::Taxonomy,
            File::Coefficients,
            File::Latent,
            File::Outcomes,
            File::Balances,
            File::GoalLedger,
            File::GoalTruth,
            File::GoalCustomers,
        ]
    }

    fn write(self, writer: &mut StageWriter<'_>) -> Result<()> {
        let bank = &self.bank;
        let goals = self.goal_years.map(|years| GoalProcess::new(bank, years)).transpose()?;
        writer.write_content(File::Latent, &bank.latent()?.into())?;
        writer.write_content(File::Outcomes, &bank.outcome_table()?.into())?;
        writer.write_content(File::Balances, &bank.balances()?.into())?;
        TableOutput::write(bank.taxonomy()?, File::Taxonomy, writer)?;
        let path = writer.place(File::Ledger)?;
        let ledger = bank.write_ledger(&path, writer.provenance().clone())?;
        tracing::info!(rows = ledger.written.rows, vanished = ledger.vanished, "transactions written");
        writer.wrote(File::Ledger, ledger.written.digest);
        if let Some(process) = &goals {
            write_goals(writer, process)?;
        }
        TableOutput::write(self.coefficients, File::Coefficients, writer)
    }
}

fn write_goals(writer: &mut StageWriter<'_>, process: &GoalProcess<'_>) -> Result<()> {
    let ledger = writer.place(File::GoalLedger)?;
    let truth = writer.place(File::GoalTruth)?;
    let customers = writer.place(File::GoalCustomers)?;
    let files = GoalFiles { ledger: &ledger, truth: &truth, customers: &customers };
    let summary = process.write(files, writer.provenance())?;
    tracing::info!(groups = summary.truth.rows, "groups of the stream of goals written");
    writer.wrote(File::GoalLedger, summary.ledger.digest);
    writer.wrote(File::GoalTruth, summary.truth.digest);
    writer.wrote(File::GoalCustomers, summary.customers.digest);
    writer.write_plain(GOAL_MAP_FILE, GOAL_MAP.as_bytes())
}

/// Writes a bank to a run folder.
///
/// # Errors
/// If a parameter is out of range or the disk has too little room.
pub fn synth(run: &RunFolder, options: &SynthOptions, force: bool) -> Result<()> {
    let goal_years = options.goals.then_some(options.goal_years);
    let params = SynthParams { options: options.clone(), goal_years };
    execute::<Synth>(&Sources::new(run).file("coefficients", options.coefficients.as_deref()), &params, force)
}
