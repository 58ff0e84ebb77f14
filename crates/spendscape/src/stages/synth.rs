//! The synthetic bank.

use anyhow::{Context, Result};
use clap::Args;
use spendscape_schema::{
    CoefficientOrigin, Coefficients,
    scope::{COEFFICIENT_ORIGIN, COEFFICIENT_SIGNS},
};
use spendscape_store::Provenance;
use spendscape_synth::{Bank, BankParams, GOAL_MAP, GoalFiles, GoalProcess, Preset, bank_coefficients};

use crate::{
    run_folder::{File, RunFolder, Stage},
    shipped::sources_of_signs,
    text::read_text,
};

/// What kind of bank.
#[derive(Debug, Clone, Args)]
pub struct SynthOptions {
    /// How strongly traits drive spending
    #[arg(long, value_enum, default_value_t = Strength::Base)]
    pub preset: Strength,
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
    pub coefficients: Option<std::path::PathBuf>,
    /// Also write a stream of goals with the distribution of each next goal (goal_ledger, goal_truth, goal_customers,
    /// goals.toml)
    #[arg(long)]
    pub goals: bool,
    /// Years of that stream, the bank's last ones
    #[arg(long, default_value_t = 2, requires = "goals")]
    pub goal_years: usize,
}

/// The goal map of the stream of goals in the run folder.
pub(super) const GOAL_MAP_FILE: &str = "goals.toml";

/// How strongly traits drive spending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Strength {
    /// lambda .45
    Base,
    /// lambda 1, nearer to the papers' fit
    Strong,
}

/// Writes a bank: ledger, taxonomy, coefficients, outcomes, balances and truth.
///
/// # Errors
/// If a parameter is out of range or the disk has too little room.
pub fn synth(run: &RunFolder, options: &SynthOptions, force: bool) -> Result<()> {
    let coefficients = match &options.coefficients {
        None => bank_coefficients()?,
        Some(path) => read_coefficients(path)?,
    };
    let table = spendscape_store::DigestOf::batch(&coefficients.to_batch()?);
    let mut provenance = Provenance::new("synth")
        .seed(options.seed)
        .parameter("preset", format!("{:?}", options.preset))
        .parameter("customers", options.customers)
        .parameter("years", options.years)
        .parameter("uncategorized", options.uncategorized)
        .parameter("missing_years", options.missing_years)
        .input("coefficients", &table);
    if options.goals {
        // A run without goals is up to date whether or not this version knows them.
        provenance = provenance.parameter("goal_years", options.goal_years);
    }
    let Some(mut stage) = Stage::start(run, "synth", provenance, &[], force)? else {
        return Ok(());
    };
    let preset = match options.preset {
        Strength::Base => Preset::Base,
        Strength::Strong => Preset::Strong,
    };
    let params = BankParams::new(preset)
        .customers(options.customers)
        .years(options.years)
        .uncategorized(options.uncategorized)
        .missing_years(options.missing_years)
        .seed(options.seed);
    let bank = Bank::generate(&params, &coefficients)?;
    let goals = options.goals.then(|| GoalProcess::new(&bank, options.goal_years)).transpose()?;
    stage.write_batch(File::Latent, &bank.latent()?)?;
    stage.write_batch(File::Outcomes, &bank.outcome_table()?)?;
    stage.write_batch(File::Balances, &bank.balances()?)?;
    stage.write_batch(File::Taxonomy, &bank.taxonomy()?.to_batch()?)?;
    let path = stage.place(File::Ledger)?;
    let ledger = bank.write_ledger(&path, stage.provenance().clone())?;
    tracing::info!(rows = ledger.written.rows, vanished = ledger.vanished, "transactions written");
    stage.wrote(File::Ledger, ledger.written.digest);
    if let Some(process) = &goals {
        write_goals(&mut stage, process)?;
    }
    let origin = match options.coefficients {
        Some(_) => CoefficientOrigin::Given,
        None => CoefficientOrigin::Authored,
    };
    if origin == CoefficientOrigin::Authored {
        stage.note(COEFFICIENT_SIGNS, sources_of_signs()?);
    }
    stage.note(COEFFICIENT_ORIGIN, serde_json::to_value(origin)?);
    stage.write_batch(File::Coefficients, &coefficients.to_batch()?)?;
    stage.finish()
}

fn write_goals(stage: &mut Stage<'_>, process: &GoalProcess<'_>) -> Result<()> {
    let ledger = stage.place(File::GoalLedger)?;
    let truth = stage.place(File::GoalTruth)?;
    let customers = stage.place(File::GoalCustomers)?;
    let files = GoalFiles { ledger: &ledger, truth: &truth, customers: &customers };
    let summary = process.write(files, stage.provenance())?;
    tracing::info!(groups = summary.truth.rows, "groups of the stream of goals written");
    stage.wrote(File::GoalLedger, summary.ledger.digest);
    stage.wrote(File::GoalTruth, summary.truth.digest);
    stage.wrote(File::GoalCustomers, summary.customers.digest);
    stage.write_plain(GOAL_MAP_FILE, GOAL_MAP.as_bytes())
}

/// Reads a coefficient table that a user brings.
///
/// # Errors
/// Names the file, and line and column of what cannot be read.
pub fn read_coefficients(path: &std::path::Path) -> Result<Coefficients> {
    Coefficients::from_csv(&read_text(path)?).with_context(|| format!("{}", path.display()))
}
