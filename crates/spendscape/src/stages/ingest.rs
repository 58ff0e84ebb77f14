//! Transactions to a validated ledger, and the ledger to panels.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use ndarray::Array2;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::Serialize;
use spendscape_ledger::{
    ColumnMap, DerivedClasses, IngestOptions as RawOptions, IngestReport, Limits, PanelReport, PanelRequest,
    Panels, Pseudonyms, RowProblem, balances, build_panels, derive_taxonomy, reaches_over,
};
use spendscape_run::{
    File, Notes, Outputs, RawFiles, RunFolder, Sources, SpendingClasses, Stage, StageWriter, TableOutput,
    TablePath, execute, inputs, outputs,
};
use spendscape_schema::{
    CoefficientOrigin, Coefficients, EmptyWindows, Panel, Taxonomy, WindowSpec,
    scope::SCOPE,
    seed,
    tables::{Balances, LeftOut, LeftOutRow},
};
use spendscape_store::Digest;

use crate::{
    scope,
    shipped::{CoefficientSource, CoefficientTable, TaxonomySource},
    stages::{anchors::Anchors, count},
    text::read_text,
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

/// Makes the ledger (if raw files are given) and the panels.
///
/// # Errors
/// Names file, row and column of what cannot be taken; nothing is half-written.
pub fn ingest(run: &RunFolder, options: &IngestOptions, force: bool) -> Result<()> {
    if !options.files.is_empty() {
        ingest_raw(run, options, force)?;
    }
    panels(run, options, force)
}

/// What a ledger is made with.
#[derive(Debug, Clone, Serialize)]
pub struct LedgerParams {
    /// The text of the column map.
    pub map: String,
    /// Whether a last line that is cut is dropped and counted.
    pub allow_cut_last_line: bool,
    /// Number of the commonest codes that are classes.
    pub derive_classes: Option<usize>,
    /// Seed of a coefficient table that is drawn.
    pub draw_coefficients: Option<u64>,
    /// Fingerprint of the key that ids are hashed with.
    pub pseudonym_key: Option<String>,
    /// Name of the taxonomy, where it is one that comes with the program.
    pub taxonomy: Option<&'static str>,
    /// Name of the coefficient table, where it is one that comes with the program.
    pub coefficients: Option<&'static str>,
    /// The map.
    #[serde(skip)]
    pub columns: ColumnMap,
    /// The key.
    #[serde(skip)]
    pub pseudonyms: Option<Pseudonyms>,
    /// What the command line says.
    #[serde(skip)]
    pub options: IngestOptions,
}

/// A ledger that is about to be made of raw files.
#[derive(Debug)]
pub struct LedgerOutputs {
    columns: ColumnMap,
    pseudonyms: Option<Pseudonyms>,
    digests: HashMap<PathBuf, Digest>,
    options: IngestOptions,
    taxonomy: Taxonomy,
    coefficients: Option<CoefficientTable>,
}

/// Makes the ledger of raw files. They are read as the ledger is written, so that neither has to fit memory.
#[derive(Debug)]
pub struct Ledger;

impl Stage for Ledger {
    const NAME: &'static str = "ingest";
    type Params = LedgerParams;
    type Inputs = RawFiles;
    type Outputs = LedgerOutputs;

    fn run(params: &LedgerParams, files: RawFiles, _: &mut Notes) -> Result<LedgerOutputs> {
        let (columns, options) = (&params.columns, &params.options);
        let taxonomy = match (&options.taxonomy, params.derive_classes) {
            (Some(source), _) => source.read()?,
            (None, Some(top)) => {
                let other = "OTHER".to_owned();
                let name = format!("the {top} commonest codes");
                let allow_cut_last_line = params.allow_cut_last_line;
                derive_taxonomy(
                    columns,
                    &options.files,
                    &DerivedClasses { name, top, other, allow_cut_last_line },
                )?
            }
            (None, None) => bail!(
                "raw files need a taxonomy: give --taxonomy mcc, plaid, coicop or FILE, or --derive-classes N"
            ),
        };
        let origin = options.coefficients.as_ref();
        let origin = origin.map_or(CoefficientOrigin::Drawn, CoefficientSource::origin);
        let coefficients = coefficients_for(&taxonomy, options)?;
        let digests = files.0.into_iter().map(|(_, path, digest)| (path, digest));
        Ok(LedgerOutputs {
            columns: columns.clone(),
            pseudonyms: params.pseudonyms.clone(),
            digests: digests.collect(),
            options: options.clone(),
            taxonomy,
            coefficients: coefficients.map(|coefficients| CoefficientTable { coefficients, origin }),
        })
    }
}

impl Outputs for LedgerOutputs {
    fn files() -> Vec<File> {
        vec![File::Ledger, File::Taxonomy, File::Coefficients]
    }

    fn write(self, writer: &mut StageWriter<'_>) -> Result<()> {
        let raw = RawOptions {
            allow_cut_last_line: self.options.allow_cut_last_line,
            pseudonyms: self.pseudonyms,
            digests: self.digests,
            ..RawOptions::with_scratch(writer.run().path())
        };
        let destination = writer.place(File::Ledger)?;
        let files = &self.options.files;
        let report =
            spendscape_ledger::ingest::ingest(&self.columns, &self.taxonomy, files, &destination, &raw);
        let report = report.map_err(|error| advise_taxonomy(error, &self.options))?;
        log_ingest(&report);
        writer.wrote(File::Ledger, report.digest.clone());
        writer.write_plain("ingest_report.json", &serde_json::to_vec_pretty(&report)?)?;
        TableOutput::write(self.taxonomy, File::Taxonomy, writer)?;
        if let Some(table) = &self.coefficients {
            scope::warn_of_traits(Some(table.origin));
        }
        TableOutput::write(self.coefficients, File::Coefficients, writer)
    }
}

fn ingest_raw(run: &RunFolder, options: &IngestOptions, force: bool) -> Result<()> {
    let Some(map_path) = &options.map else { bail!("--files needs --map") };
    let map = read_text(map_path)?;
    let columns = ColumnMap::from_toml(&map).with_context(|| format!("{}", map_path.display()))?;
    let columns = columns.in_folder(map_path.parent().unwrap_or(Path::new("")));
    let pseudonyms = options.pseudonym_key.as_deref().map(Pseudonyms::from_key_file).transpose()?;
    let mut sources = Sources::new(run);
    let (mut taxonomy, mut coefficients) = (None, None);
    match &options.taxonomy {
        Some(TaxonomySource::File(path)) => sources = sources.file("taxonomy", Some(path)),
        Some(TaxonomySource::Shipped(name)) => taxonomy = Some(*name),
        None => {}
    }
    match &options.coefficients {
        Some(CoefficientSource::File(path)) => sources = sources.file("coefficients", Some(path)),
        Some(CoefficientSource::Authored) => coefficients = Some("authored"),
        None => {}
    }
    for (what, paths) in
        [("file", spendscape_ledger::ingest::expand(&options.files)?), ("join", columns.joined_files())]
    {
        for (number, path) in paths.iter().enumerate() {
            sources = sources.file(format!("{what} {number}"), Some(path));
        }
    }
    let params = LedgerParams {
        map,
        allow_cut_last_line: options.allow_cut_last_line,
        derive_classes: options.derive_classes,
        draw_coefficients: options.draw_coefficients,
        pseudonym_key: pseudonyms.as_ref().map(|key| key.fingerprint().to_owned()),
        taxonomy,
        coefficients,
        columns,
        pseudonyms,
        options: options.clone(),
    };
    execute::<Ledger>(&sources, &params, force)
}

/// Says what to do about a code that a taxonomy without a file does not know.
fn advise_taxonomy(error: spendscape_ledger::Error, options: &IngestOptions) -> anyhow::Error {
    let is_unknown =
        matches!(&error, spendscape_ledger::Error::Row { problem: RowProblem::UnknownClass { .. }, .. });
    match options.taxonomy.as_ref().filter(|_| is_unknown).and_then(TaxonomySource::advice) {
        Some(advice) => anyhow!("{error}; {advice}"),
        None => error.into(),
    }
}

/// Names the options with which both windows fit a ledger that is too short for one of them.
fn advise_windows(error: spendscape_ledger::Error, params: &PanelParams) -> anyhow::Error {
    let spendscape_ledger::Error::TooFewPeriods { window, first, last, fits: Some(fits), .. } = &error else {
        return error.into();
    };
    let long = if *window == params.window.to_string() {
        format!("--window '{fits}'")
    } else {
        format!("--window '{}'", params.window)
    };
    let short = match params.short_window {
        Some(short) if reaches_over(&short, *first, *last) => format!("--short-window '{short}'"),
        _ => "--short-window none".to_owned(),
    };
    anyhow!("{error}. Write `{long} {short}`")
}

/// The user's table, a drawn one, or none: then training will ask for one.
fn coefficients_for(taxonomy: &Taxonomy, options: &IngestOptions) -> Result<Option<Coefficients>> {
    let classes = taxonomy.spending_classes();
    match (&options.coefficients, options.draw_coefficients) {
        (Some(source), _) => source.read(&classes).map(Some),
        (None, Some(seed)) => {
            Ok(Some(draw_coefficients(&classes, &mut seed::stream(seed, "coefficients", 0))))
        }
        (None, None) => {
            tracing::warn!(
                "no coefficient table given: training needs --coefficients (`authored`, or a file) or --draw-coefficients"
            );
            Ok(None)
        }
    }
}

/// Coefficients from a standard normal for traits that mean nothing, named so that nobody takes them for personality.
fn draw_coefficients<R: Rng>(classes: &[String], rng: &mut R) -> Coefficients {
    let traits: Vec<String> = (1..=5).map(|k| format!("drawn trait {k}")).collect();
    let weights = Array2::from_shape_simple_fn((classes.len(), traits.len()), || rng.sample(StandardNormal));
    Coefficients { classes: classes.to_vec(), traits, weights, population_share: None }
}

/// What panels are made with.
#[derive(Debug, Clone, Serialize)]
pub struct PanelParams {
    /// Long window.
    #[serde(serialize_with = "as_text")]
    pub window: WindowSpec,
    /// Short window, if there is one.
    #[serde(serialize_with = "as_optional_text")]
    pub short_window: Option<WindowSpec>,
    /// What becomes of customers with empty periods.
    pub empty_windows: EmptyWindows,
    /// What the machine has for it, which changes no result.
    #[serde(skip)]
    pub limits: Limits,
}

inputs! {
    /// What panels are made from.
    pub struct PanelInputs {
        /// Validated transactions.
        pub ledger: TablePath = table File::Ledger,
        /// The spending classes.
        pub classes: SpendingClasses = table File::Taxonomy,
        /// Last days of the customers' own windows.
        pub anchors: Option<Anchors> = file "anchors",
    }
}

outputs! {
    /// Spending shares.
    pub struct PanelOutputs {
        /// Over the long window.
        pub panel: Panel = stream File::Panel,
        /// Over the short window.
        pub short: Option<Panel> = stream File::ShortPanel,
        /// Who is in neither.
        pub left_out: LeftOut = table File::LeftOut,
        /// Balances per period, where the ledger records them.
        pub balances: Option<Balances> = table File::Balances,
        /// What was counted.
        pub report: PanelReport = json "panel_report.json",
    }
}

/// Makes panels of a ledger.
#[derive(Debug)]
pub struct PanelStage;

impl Stage for PanelStage {
    const NAME: &'static str = "panel";
    type Params = PanelParams;
    type Inputs = PanelInputs;
    type Outputs = PanelOutputs;

    fn run(params: &PanelParams, inputs: PanelInputs, notes: &mut Notes) -> Result<PanelOutputs> {
        let anchors = inputs.anchors.map(|anchors| anchors.days);
        let windows = [Some(params.window), params.short_window].into_iter().flatten();
        let request = PanelRequest {
            windows: windows.map(|window| (window, params.empty_windows)).collect(),
            classes: inputs.classes.0,
            anchors,
            limits: params.limits.clone(),
        };
        let ledgers = [&inputs.ledger.path];
        let built = build_panels(&ledgers, &request).map_err(|error| advise_windows(error, params))?;
        log_panels(&built.report);
        if built.report.customers == 1 {
            tracing::warn!(
                "all rows are one customer's, and a run compares customers: `columns.customer` in the map says what tells them apart"
            );
        }
        let scope = scope::of_panels(&inputs.ledger.head.provenance, &built, request.anchors.is_some())?;
        notes.add(SCOPE, serde_json::to_value(&scope)?);
        let places = [(File::Panel, "--window"), (File::ShortPanel, "--short-window")];
        for (at, (panel, (file, option))) in built.panels.iter().zip(places).enumerate() {
            if panel.is_empty() {
                bail!("{}: {}", file.name(), scope::nobody(&built, at));
            }
            scope::warn_of_window(option, &built, at);
        }
        let left_out = left_out(&built)?;
        let mut panels = built.panels.into_iter();
        let panel = panels.next().context("there is no window")?;
        Ok(PanelOutputs {
            balances: balances(&ledgers, params.window, request.anchors.as_ref(), &panel)?,
            panel,
            short: panels.next(),
            left_out,
            report: built.report,
        })
    }
}

/// A value as the text that is read back from it.
fn as_text<T: ToString, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

fn as_optional_text<T: ToString, S: serde::Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.as_ref().map(ToString::to_string).serialize(serializer)
}

fn panels(run: &RunFolder, options: &IngestOptions, force: bool) -> Result<()> {
    let params = PanelParams {
        window: options.window,
        short_window: options.short_window.0,
        empty_windows: options.empty_windows,
        limits: Limits {
            memory_bytes: options.memory << 20,
            threads: NonZeroUsize::new(rayon::current_num_threads()).unwrap_or(NonZeroUsize::MIN),
            ..Limits::with_scratch(run.path())
        },
    };
    execute::<PanelStage>(&Sources::new(run).file("anchors", options.anchors.as_deref()), &params, force)
}

/// Who is not in the panels, and why.
fn left_out(built: &Panels) -> Result<LeftOut> {
    let windows = built.report.windows.iter().zip(&built.panels).zip(&built.left_out);
    let rows = windows.flat_map(|((window, panel), left_out)| {
        left_out.iter().map(|row| LeftOutRow {
            window: window.window.clone(),
            customer: row.customer.clone(),
            reason: row.reason.name().to_owned(),
            periods_with_spending: row.periods_with_spending,
            periods: panel.periods.len() as u16,
        })
    });
    Ok(LeftOut::from_rows(rows)?)
}

fn log_ingest(report: &IngestReport) {
    tracing::info!(read = report.rows_read, written = report.rows_written, "transactions");
    if report.zones_converted > 0 {
        tracing::info!(rows = report.zones_converted, "times of another zone, converted to the ledger's");
    }
    for (what, tally) in [
        ("left out by the map's condition", &report.filtered),
        ("without a customer", &report.without_customer),
        ("outside the allowed times", &report.outside_time),
        ("whose value a joined file lacks", &report.without_partner),
        ("with an unmapped code, dropped", &report.unmapped_dropped),
        ("with an unmapped code, kept in the catch-all class", &report.unmapped_kept),
        ("cut last lines, dropped", &report.cut_last_lines),
        ("that `source.not_rows` names or that are empty in every field, left out", &report.not_rows),
        ("that repeat the header, left out", &report.repeated_headers),
        ("of statements that are not booked, left out", &report.pending),
        ("that repeat an earlier one in every column, dropped", &report.repeated),
    ] {
        if tally.count > 0 {
            let example = tally.examples.first().map(ToString::to_string);
            tracing::warn!(rows = tally.count, example = example.unwrap_or_default(), "rows {what}");
        }
    }
    if report.unbalanced.count > 0 {
        let example = report.unbalanced.examples.first().map(ToString::to_string);
        tracing::warn!(
            statements = report.unbalanced.count,
            example = example.unwrap_or_default(),
            "statements whose entries do not lead from one balance to the other"
        );
    }
    for file in report.files.iter().filter(|file| !file.absent.is_empty()) {
        let (file, columns) = (file.path.display(), file.absent.join(", "));
        tracing::warn!(%file, columns, "the file lacks columns, which are null in all its rows");
    }
    for file in report.files.iter().filter(|file| file.unterminated) {
        let file = file.path.display();
        tracing::warn!(%file, "the last line has all its fields but no line end: look whether the file is whole");
    }
    let above: u64 = report.files.iter().map(|file| file.lines_above).sum();
    if above > 0 {
        tracing::info!(lines = above, "lines above the headers, left out");
    }
}

fn log_panels(report: &PanelReport) {
    tracing::info!(
        rows = report.rows,
        customers = report.customers,
        outside = report.rows_outside,
        "ledger aggregated"
    );
    if let Some(spill) = &report.spilled {
        tracing::info!(files = spill.files, bytes = spill.bytes, "beyond the memory limit, through files");
    }
    for window in &report.windows {
        tracing::info!(
            window = window.window,
            first = window.days.as_ref().map(|days| &days.0),
            last = window.days.as_ref().map(|days| &days.1),
            customers = window.customers,
            dropped = window.dropped.count,
            carried = window.carried,
            zero = window.zero,
            clipped = window.clipped.count,
            "panel"
        );
    }
}
