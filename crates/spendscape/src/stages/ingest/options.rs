//! What `ingest` is told.

use std::{path::PathBuf, str::FromStr};

use clap::Args;
use spendscape_schema::{EmptyWindows, WindowSpec};

use crate::{
    shipped::{CoefficientSource, TaxonomySource},
    stages::count,
};

/// Where the transactions are and what becomes of them.
#[derive(Debug, Clone, Args)]
pub struct IngestOptions {
    /// Raw files, folders of them, or patterns such as 'ledger/*.csv.gz'; without them the run folder's ledger is used
    #[arg(long, num_args = 1.., value_name = "FILES", requires = "map")]
    pub files: Vec<PathBuf>,
    /// Column map (TOML) of the raw files
    #[arg(long, value_name = "FILE", requires = "files")]
    pub map: Option<PathBuf>,
    /// Taxonomy: `mcc` (merchant category codes), `plaid` or `coicop`, which come with the program, or a file (TOML) of
    /// classes and
    /// the codes that map to them
    #[arg(long, value_name = "NAME|FILE", requires = "files", conflicts_with = "derive_classes")]
    pub taxonomy: Option<TaxonomySource>,
    /// Make a taxonomy of the commonest codes, this many, and OTHER for the rest
    #[arg(long, value_name = "N", requires = "files", value_parser = count(1..=60_000))]
    pub derive_classes: Option<usize>,
    /// Coefficient table: `authored`, the one of the synthetic bank, or a file (CSV: class, traits ...)
    #[arg(long, value_name = "NAME|FILE", requires = "files")]
    pub coefficients: Option<CoefficientSource>,
    /// Draw a coefficient table from this seed, for data without one: its traits mean nothing
    #[arg(long, value_name = "SEED", requires = "files", conflicts_with = "coefficients")]
    pub draw_coefficients: Option<u64>,
    /// Replace customer ids by a keyed hash; the file holds the key
    #[arg(long, value_name = "FILE", requires = "files")]
    pub pseudonym_key: Option<PathBuf>,
    /// Drop and count a last line that is cut, instead of refusing the file
    #[arg(long, requires = "files")]
    pub allow_cut_last_line: bool,
    /// Long window
    #[arg(long, default_value = "annual x 6", value_name = "WINDOW")]
    pub window: WindowSpec,
    /// Short window, or `none`
    #[arg(long, default_value = "bi-monthly x 6", value_name = "WINDOW")]
    pub short_window: ShortWindow,
    /// Customers with empty periods: `drop`, `carry-forward:N` or `keep-zero:N` (N periods with spending at least)
    #[arg(long, default_value = "drop", value_name = "POLICY", value_parser = parse_policy)]
    pub empty_windows: EmptyWindows,
    /// Last day of each customer's own window (CSV with a header: customer,day as YYYY-MM-DD), such as the day before a loan
    #[arg(long, value_name = "FILE")]
    pub anchors: Option<PathBuf>,
    /// Memory for the customers' totals, in MiB; beyond it rows go through files
    #[arg(long, default_value_t = 1_024, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    pub memory: u64,
}

/// A window, or none.
#[derive(Debug, Clone, Copy)]
pub struct ShortWindow(pub Option<WindowSpec>);

impl FromStr for ShortWindow {
    type Err = spendscape_schema::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(if text == "none" { None } else { Some(text.parse()?) }))
    }
}

fn parse_policy(text: &str) -> Result<EmptyWindows, String> {
    if text == "drop" {
        return Ok(EmptyWindows::Drop);
    }
    let (name, count) = text.split_once(':').unwrap_or((text, "1"));
    let policy = match name {
        "carry-forward" => EmptyWindows::CarryForward,
        "keep-zero" => EmptyWindows::KeepZero,
        _ => return Err("expected `drop` (without a number), `carry-forward:N` or `keep-zero:N`".to_owned()),
    };
    Ok(policy(count.parse().map_err(|_| format!("{count:?} is no number of periods"))?))
}
