//! Raw files to a validated ledger.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use ndarray::Array2;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::Serialize;
use spendscape_ingest::{
    ColumnMap, DerivedClasses, IngestOptions as RawOptions, IngestReport, Pseudonyms, RowProblem,
    derive_taxonomy,
};
use spendscape_run::{
    File, Notes, Outputs, RawFiles, RunFolder, Sources, Stage, StageWriter, TableOutput, execute,
};
use spendscape_schema::{CoefficientOrigin, Coefficients, Taxonomy, seed};
use spendscape_store::Digest;

use super::options::IngestOptions;
use crate::{
    scope,
    shipped::{CoefficientSource, CoefficientTable, TaxonomySource},
    text::read_text,
};

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
        let report = spendscape_ingest::ingest(&self.columns, &self.taxonomy, files, &destination, &raw);
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

pub(super) fn ingest_raw(run: &RunFolder, options: &IngestOptions, force: bool) -> Result<()> {
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
        [("file", spendscape_ingest::expand(&options.files)?), ("join", columns.joined_files())]
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
fn advise_taxonomy(error: spendscape_ingest::Error, options: &IngestOptions) -> anyhow::Error {
    let is_unknown =
        matches!(&error, spendscape_ingest::Error::Row { problem: RowProblem::UnknownClass { .. }, .. });
    match options.taxonomy.as_ref().filter(|_| is_unknown).and_then(TaxonomySource::advice) {
        Some(advice) => anyhow!("{error}; {advice}"),
        None => error.into(),
    }
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
fn draw_coefficients<R: Rng + ?Sized>(classes: &[String], rng: &mut R) -> Coefficients {
    let traits: Vec<String> = (1..=5).map(|k| format!("drawn trait {k}")).collect();
    let weights = Array2::from_shape_simple_fn((classes.len(), traits.len()), || rng.sample(StandardNormal));
    Coefficients { classes: classes.to_vec(), traits, weights, population_share: None }
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
