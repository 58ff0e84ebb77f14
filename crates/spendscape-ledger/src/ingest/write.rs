//! The ingest itself.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{
        ArrayRef, Int64Builder, RecordBatch, StringBuilder, StringDictionaryBuilder,
        TimestampMillisecondBuilder,
    },
    datatypes::{Int32Type, SchemaRef},
};
use spendscape_schema::{Axes, Table, Taxonomy, Unmapped};
use spendscape_store::{Digest, DigestOf, Provenance, TableWriter, require_free_space};

use super::{
    files::expand,
    map::{ColumnMap, Refusal},
    pseudonym::Pseudonyms,
    report::{Example, FileReport, IngestReport},
    source::place_of,
    take::{Pass, Taken, take_rows},
    time::moment,
    unique::Unique,
};
use crate::{Error, Place, RowProblem, panel::Tally};

/// Rows per batch handed to the writer.
const BATCH_ROWS: usize = 16 * 1024;

/// Unmapped codes listed one by one in the report.
const LISTED_CODES: usize = 1_000;

/// How to ingest.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// Drop and count a last line that is cut, instead of refusing the file.
    pub allow_cut_last_line: bool,
    /// Replace customer ids.
    pub pseudonyms: Option<Pseudonyms>,
    /// Where the check for repeated transaction ids may write files; removed afterwards.
    pub scratch: PathBuf,
}

impl IngestOptions {
    /// Ids as given, nothing dropped silently.
    #[must_use]
    pub fn with_scratch(scratch: &Path) -> Self {
        Self { allow_cut_last_line: false, pseudonyms: None, scratch: scratch.to_owned() }
    }
}

/// Reads raw files (paths or patterns such as `data/2020-*.csv.gz`), validates every row and writes one ledger table.
///
/// Streams in bounded memory. The table appears whole or not at all. Its provenance holds the map, the taxonomy and the
/// digests of the files.
///
/// # Errors
/// [`Error::Row`] names file, row and column of the first row that cannot be taken; a transaction id that stands twice is one.
/// Otherwise if a pattern matches nothing, a file is empty, cut, damaged or lacks a column, if an expression of the map cannot
/// be used, if no row is left, or if the table cannot be written.
pub fn ingest<P: AsRef<Path>>(
    map: &ColumnMap,
    taxonomy: &Taxonomy,
    sources: &[P],
    destination: &Path,
    options: &IngestOptions,
) -> Result<IngestReport, Error> {
    let files = expand(sources)?;
    // A ledger takes less room than its plain sources, and about as much as compressed ones; so do the ids that are
    // checked for repeats. Both may lie on one disk.
    let bytes: u64 = files.iter().filter_map(|path| path.metadata().ok()).map(|file| file.len()).sum();
    for folder in [destination.parent().unwrap_or(Path::new("")), &options.scratch] {
        require_free_space(folder, bytes.saturating_mul(2))?;
    }
    let digests: Vec<Digest> = files.iter().map(|path| Digest::of_file(path)).collect::<Result<_, _>>()?;
    let mut sink = Sink::create(map, taxonomy, destination, options, &files, &digests)?;
    let pass = Pass { allow_cut_last_line: options.allow_cut_last_line, classes_only: false };
    let repeats = match map.rows.repeated {
        Refusal::Refuse => HashSet::new(),
        Refusal::Drop => find_repeats(map, &files, pass, &options.scratch)?,
    };
    let mut repeated = Tally::default();
    let seen = take_rows(map, &files, pass, |row, place| {
        if repeats.contains(&row.number) {
            let why = "a row before has the same values";
            repeated.add(|| Example { place: place("transaction"), why: why.to_owned() });
            return Ok(());
        }
        sink.take(row, place)
    })?;
    sink.flush()?;
    let rows_read = seen.ends.iter().map(|end| end.rows).sum();
    let Sink { writer, unique, counts, unmapped, times, unique_transactions, .. } = sink;
    if let Some((again, first)) = unique.first_repeat()? {
        let place = |number| place_of(&files, &seen.ends, number);
        let problem = RowProblem::DuplicateTransaction { first: Box::new(place(first)) };
        return Err(Error::Row { place: place(again), problem });
    }
    if times.is_none() {
        return Err(Error::NothingLeft { rows: rows_read });
    }
    let written = writer.finish()?;
    let [mut cut_last_lines, mut not_rows, mut repeated_headers] = [(); 3].map(|()| Tally::default());
    let mut reports = Vec::with_capacity(files.len());
    for ((path, digest), end) in files.into_iter().zip(digests).zip(seen.ends) {
        if let Some(place) = end.cut {
            cut_last_lines.add(|| Example { place, why: RowProblem::CutLastLine.to_string() });
        }
        not_rows.join(end.left_out.not_rows);
        repeated_headers.join(end.left_out.headers);
        reports.push(FileReport {
            path,
            digest,
            rows: end.rows,
            lines_above: end.left_out.lines_above,
            surplus_fields: end.left_out.surplus,
            absent: end.absent,
            unterminated: end.unterminated,
        });
    }
    Ok(IngestReport {
        files: reports,
        rows_read,
        rows_written: written.rows as u64,
        filtered: seen.filtered,
        without_customer: seen.without_customer,
        outside_time: seen.outside_time,
        zones_converted: seen.zones_converted,
        unmapped_dropped: unmapped.dropped,
        unmapped_kept: unmapped.kept,
        unmapped_codes: unmapped.codes,
        cut_last_lines,
        not_rows,
        repeated_headers,
        repeated,
        classes: counts,
        times: times.map(|(first, last)| (moment(first), moment(last))),
        unique_transactions,
        digest: written.digest,
    })
}

/// The numbers of the rows that repeat an earlier one in every column, in a pass of its own over the files.
fn find_repeats(
    map: &ColumnMap,
    files: &[PathBuf],
    pass: Pass,
    scratch: &Path,
) -> Result<HashSet<u64>, Error> {
    let mut unique = Unique::new(scratch);
    let mut values = Vec::new();
    take_rows(map, files, pass, |row, _| {
        values.clear();
        for text in [Some(row.customer), Some(row.code), row.transaction, row.channel, row.place] {
            // Lengths keep texts apart, and none from an empty one.
            values.extend(text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
            values.extend(text.unwrap_or_default().as_bytes());
        }
        for number in [Some(row.time), Some(row.amount), row.balance] {
            values.extend([u8::from(number.is_some())]);
            values.extend(number.unwrap_or_default().to_le_bytes());
        }
        unique.add(&values, row.number)
    })?;
    let mut repeats = HashSet::new();
    unique.visit_repeats(|again, _| {
        repeats.insert(again);
    })?;
    Ok(repeats)
}

#[derive(Debug, Default)]
struct UnmappedRows {
    dropped: Tally<Example>,
    kept: Tally<Example>,
    codes: BTreeMap<String, u64>,
}

/// Where taken rows go.
struct Sink<'a> {
    taxonomy: &'a Taxonomy,
    pseudonyms: Option<&'a Pseudonyms>,
    writer: TableWriter,
    rows: Builders,
    unique: Unique,
    unique_transactions: bool,
    counts: BTreeMap<String, u64>,
    unmapped: UnmappedRows,
    times: Option<(i64, i64)>,
    /// The class of each code seen, and whether the code is mapped.
    classes: HashMap<String, (Option<String>, bool)>,
}

/// Codes whose class is remembered: beyond it a source has codes like ids, and each is looked up anew.
const REMEMBERED_CODES: usize = 100_000;

impl<'a> Sink<'a> {
    fn create(
        map: &ColumnMap,
        taxonomy: &'a Taxonomy,
        destination: &Path,
        options: &'a IngestOptions,
        files: &[PathBuf],
        digests: &[Digest],
    ) -> Result<Self, Error> {
        let columns = &map.columns;
        let optional = [
            ("transaction", &columns.transaction),
            ("channel", &columns.channel),
            ("place", &columns.place),
            ("balance_minor", &columns.balance),
        ];
        let present: Vec<&str> =
            optional.iter().filter(|(_, sql)| sql.is_some()).map(|(name, _)| *name).collect();
        let schema = Table::Ledger.schema_with(&Axes::new(), &present)?;
        let provenance = provenance(map, taxonomy, options, files, digests)?;
        Ok(Self {
            taxonomy,
            pseudonyms: options.pseudonyms.as_ref(),
            writer: TableWriter::create(destination, Table::Ledger, schema.clone(), provenance)?,
            rows: Builders::new(schema),
            unique: Unique::new(&options.scratch),
            unique_transactions: columns.transaction.is_some(),
            counts: BTreeMap::new(),
            unmapped: UnmappedRows::default(),
            times: None,
            classes: HashMap::new(),
        })
    }

    fn take(&mut self, row: &Taken<'_>, place: &dyn Fn(&str) -> Place) -> Result<(), Error> {
        if !self.classes.contains_key(row.code) {
            if self.classes.len() >= REMEMBERED_CODES {
                self.classes.clear();
            }
            let class = self.taxonomy.class_of(row.code).map(str::to_owned);
            self.classes.insert(row.code.to_owned(), (class, self.taxonomy.knows(row.code)));
        }
        let Some((class, known)) = self.classes.get(row.code) else { return Ok(()) };
        if !known {
            let code = row.code.to_owned();
            let problem = RowProblem::UnknownClass { code: code.clone() };
            let tally = match self.taxonomy.unmapped() {
                Unmapped::Refuse => return Err(Error::Row { place: place("class"), problem }),
                Unmapped::Drop => &mut self.unmapped.dropped,
                Unmapped::Class(_) => &mut self.unmapped.kept,
            };
            tally.add(|| Example { place: place("class"), why: format!("the code {code:?} is unmapped") });
            if self.unmapped.codes.len() < LISTED_CODES || self.unmapped.codes.contains_key(&code) {
                *self.unmapped.codes.entry(code).or_default() += 1;
            }
        }
        let Some(class) = class else { return Ok(()) };
        if let Some(id) = row.transaction {
            self.unique.add(id.as_bytes(), row.number)?;
        }
        match self.counts.get_mut(class) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(class.clone(), 1);
            }
        }
        let (first, last) = self.times.unwrap_or((row.time, row.time));
        self.times = Some((first.min(row.time), last.max(row.time)));
        match self.pseudonyms {
            Some(pseudonyms) => self.rows.push(&pseudonyms.of(row.customer), class, row),
            None => self.rows.push(row.customer, class, row),
        }
        if self.rows.len >= BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.rows.len > 0 {
            self.writer.write(&self.rows.finish()?)?;
        }
        Ok(())
    }
}

fn provenance(
    map: &ColumnMap,
    taxonomy: &Taxonomy,
    options: &IngestOptions,
    files: &[PathBuf],
    digests: &[Digest],
) -> Result<Provenance, Error> {
    let mut classes = DigestOf::table(Table::Taxonomy.schema(&Axes::new())?.as_ref());
    classes.update(&taxonomy.to_batch()?);
    let unmapped = match taxonomy.unmapped() {
        Unmapped::Refuse => "refuse".to_owned(),
        Unmapped::Drop => "drop".to_owned(),
        Unmapped::Class(class) => format!("class {class}"),
    };
    let customers = match &options.pseudonyms {
        None => "as given".to_owned(),
        Some(pseudonyms) => format!("keyed hash, key {}", pseudonyms.fingerprint()),
    };
    // The table is finished only after the check has passed.
    let transactions = if map.columns.transaction.is_some() { "unique" } else { "none" };
    let map = serde_json::to_value(map)
        .map_err(|source| Error::MapEntry { key: "columns", problem: source.to_string() })?;
    let mut provenance = Provenance::new("ingest")
        .parameter("map", map)
        .parameter("taxonomy", taxonomy.name())
        .parameter("unmapped", unmapped)
        .parameter("customers", customers)
        .parameter("transaction_ids", transactions)
        .parameter("allow_cut_last_line", options.allow_cut_last_line)
        .input("taxonomy", &classes.finish());
    for (number, (path, digest)) in files.iter().zip(digests).enumerate() {
        // Folders differ from machine to machine; the number keeps files of one name apart.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        provenance = provenance.input(&format!("{number:04} {name}"), digest);
    }
    Ok(provenance)
}

/// The columns of a batch of the ledger.
struct Builders {
    schema: SchemaRef,
    len: usize,
    customer: StringDictionaryBuilder<Int32Type>,
    time: TimestampMillisecondBuilder,
    amount: Int64Builder,
    class: StringDictionaryBuilder<Int32Type>,
    transaction: StringBuilder,
    channel: StringDictionaryBuilder<Int32Type>,
    place: StringDictionaryBuilder<Int32Type>,
    balance: Int64Builder,
}

impl Builders {
    fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            len: 0,
            customer: StringDictionaryBuilder::new(),
            time: TimestampMillisecondBuilder::new(),
            amount: Int64Builder::new(),
            class: StringDictionaryBuilder::new(),
            transaction: StringBuilder::new(),
            channel: StringDictionaryBuilder::new(),
            place: StringDictionaryBuilder::new(),
            balance: Int64Builder::new(),
        }
    }

    fn push(&mut self, customer: &str, class: &str, row: &Taken<'_>) {
        self.len += 1;
        self.customer.append_value(customer);
        self.time.append_value(row.time);
        self.amount.append_value(row.amount);
        self.class.append_value(class);
        self.transaction.append_option(row.transaction);
        self.channel.append_option(row.channel);
        self.place.append_option(row.place);
        self.balance.append_option(row.balance);
    }

    fn finish(&mut self) -> Result<RecordBatch, Error> {
        self.len = 0;
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("customer", Arc::new(self.customer.finish())),
            ("time", Arc::new(self.time.finish())),
            ("amount_minor", Arc::new(self.amount.finish())),
            ("class", Arc::new(self.class.finish())),
            ("transaction", Arc::new(self.transaction.finish())),
            ("channel", Arc::new(self.channel.finish())),
            ("place", Arc::new(self.place.finish())),
            ("balance_minor", Arc::new(self.balance.finish())),
        ];
        columns.retain(|(name, _)| self.schema.field_with_name(name).is_ok());
        let columns = columns.into_iter().map(|(_, column)| column).collect();
        RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(|source| Error::Schema(spendscape_schema::Error::Arrow(source)))
    }
}
