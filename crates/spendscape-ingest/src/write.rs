//! The ingest itself.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use arrow::array::RecordBatch;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use spendscape_schema::{Axes, Table, Taxonomy, Unmapped, tables};
use spendscape_store::{Digest, DigestOf, Provenance, TableWriter, require_free_space};

use super::{
    files::expand,
    ledger::Ledger,
    map::{ColumnMap, Format, Refusal},
    options::IngestOptions,
    pass::Pass,
    places::place_of,
    repeats::repeats_of,
    report::{Example, FileReport, IngestReport},
    source::BLOCK_BYTES,
    take::take_rows,
    time::moment,
};
use spendscape_schema::Tally;

use crate::{Error, RowProblem};

/// What to do about an id that stands twice.
const REPEATED: &str = "; if it is the same row, as where exports overlap, write `repeated = \"drop\"` under `[rows]` in the map";

/// Reads raw files (paths or patterns such as `data/2020-*.csv.gz`), validates every row and writes one ledger table.
///
/// Streams in bounded memory, on the threads of the rayon pool at hand; their number does not show. The table appears whole or
/// not at all. Its provenance holds the map, the taxonomy and the
/// digests of the files.
///
/// The crate's [first page](crate) has an example.
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
    ingest_in_blocks(map, taxonomy, sources, destination, options, BLOCK_BYTES)
}

/// As [`ingest`], with blocks of text of about so many bytes.
fn ingest_in_blocks<P: AsRef<Path>>(
    map: &ColumnMap,
    taxonomy: &Taxonomy,
    sources: &[P],
    destination: &Path,
    options: &IngestOptions,
    block_bytes: usize,
) -> Result<IngestReport, Error> {
    let files = expand(sources)?;
    // A ledger takes less room than its plain sources, and about as much as compressed ones; so do the ids that are
    // checked for repeats. Both may lie on one disk.
    let bytes: u64 = files.iter().filter_map(|path| path.metadata().ok()).map(|file| file.len()).sum();
    for folder in [destination.parent().unwrap_or(Path::new("")), &options.scratch] {
        require_free_space(folder, bytes.saturating_mul(2))?;
    }
    let schema = Table::Ledger.schema_with(&Axes::new(), &present(map))?;
    let provenance = provenance(map, taxonomy, options)?;
    let mut writer = TableWriter::create(destination, Table::Ledger, schema.clone(), provenance)?;
    // Text is read in order and to its end, so that its digest needs no reading of its own.
    let is_known = |path: &PathBuf| options.digests.contains_key(path);
    let digests = map.source.format == Format::Csv && !files.iter().all(is_known);
    let plain = Pass { block_bytes, ..Pass::new(options.allow_cut_last_line) };
    let pass = Pass { digests, ..plain };
    let repeats = match map.rows.repeated {
        Refusal::Refuse => HashSet::new(),
        Refusal::Drop => repeats_of(map, &files, plain, &options.scratch)?,
    };
    let mut ledger = Ledger::new(taxonomy, options, schema, repeats);
    let joined = map.joined_files();
    let digest = || -> Result<_, Error> {
        let of_all = |paths: &[PathBuf]| {
            let of_one = |path: &PathBuf| match options.digests.get(path) {
                Some(known) => Ok(known.clone()),
                None => Digest::of_file(path),
            };
            paths.par_iter().map(of_one).collect::<Result<Vec<_>, _>>()
        };
        let apart = if digests { &[][..] } else { &files };
        Ok((of_all(apart)?, of_all(&joined)?))
    };
    let write = |batches: Vec<RecordBatch>| Ok(writer.write_all(&batches)?);
    let (known, seen) = rayon::join(digest, || take_rows(map, &files, pass, &mut ledger, write));
    let ((known, joined_digests), mut seen) = (known?, seen?);
    let digests = if digests {
        let read = std::mem::take(&mut seen.digests);
        let own = |(path, read): (&PathBuf, Digest)| options.digests.get(path).cloned().unwrap_or(read);
        files.iter().zip(read).map(own).collect()
    } else {
        known
    };
    let rows_read = seen.ends.iter().map(|end| end.rows).sum();
    let Ledger { unique, counts, unmapped, times, repeated, class_names, .. } = ledger;
    if let Some((again, first)) = unique.first_repeat()? {
        let place = |number| place_of(&files, &seen.ends, number);
        let advice = match map.rows.repeated {
            Refusal::Refuse => REPEATED,
            Refusal::Drop => "",
        };
        let problem = RowProblem::DuplicateTransaction { first: Box::new(place(first)), advice };
        return Err(Error::Row { place: place(again), problem });
    }
    if times.is_none() {
        let pending = seen.ends.iter().map(|end| end.remarks.pending.count).sum();
        return Err(Error::NothingLeft { rows: rows_read, pending });
    }
    for (number, (path, digest)) in joined.iter().zip(&joined_digests).enumerate() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        writer.add_input(&format!("join {number} {name}"), digest);
    }
    for (number, (path, digest)) in files.iter().zip(&digests).enumerate() {
        // Folders differ from machine to machine; the number keeps files of one name apart.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        writer.add_input(&format!("{number:04} {name}"), digest);
    }
    let written = writer.finish()?;
    let [mut cut_last_lines, mut not_rows, mut repeated_headers] = [(); 3].map(|()| Tally::default());
    let [mut pending, mut unbalanced] = [(); 2].map(|()| Tally::default());
    let mut reports = Vec::with_capacity(files.len());
    for ((path, digest), end) in files.into_iter().zip(digests).zip(seen.ends) {
        if let Some(place) = end.cut {
            cut_last_lines.add(|| Example { place, why: RowProblem::CutLastLine.to_string() });
        }
        not_rows.join(end.left_out.not_rows);
        repeated_headers.join(end.left_out.headers);
        pending.join(end.remarks.pending);
        unbalanced.join(end.remarks.unbalanced);
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
        without_partner: seen.without_partner,
        zones_converted: seen.zones_converted,
        unmapped_dropped: unmapped.dropped,
        unmapped_kept: unmapped.kept,
        unmapped_codes: unmapped.codes.into_iter().collect(),
        cut_last_lines,
        not_rows,
        repeated_headers,
        pending,
        unbalanced,
        repeated,
        classes: class_names.into_iter().zip(counts).filter(|(_, rows)| *rows > 0).collect(),
        times: times.map(|(first, last)| (moment(first), moment(last))),
        unique_transactions: map.columns.transaction.is_some(),
        digest: written.digest,
    })
}

/// The columns of the ledger that a map fills beside the usual ones.
fn present(map: &ColumnMap) -> Vec<&'static str> {
    let columns = &map.columns;
    let optional = [
        (tables::Ledger::NAMES.transaction, &columns.transaction),
        (tables::Ledger::NAMES.channel, &columns.channel),
        (tables::Ledger::NAMES.place, &columns.place),
        (tables::Ledger::NAMES.balance_minor, &columns.balance),
    ];
    optional.iter().filter(|(_, sql)| sql.is_some()).map(|(name, _)| *name).collect()
}

fn provenance(map: &ColumnMap, taxonomy: &Taxonomy, options: &IngestOptions) -> Result<Provenance, Error> {
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
    Ok(Provenance::new("ingest")
        .parameter("map", map)
        .parameter("taxonomy", taxonomy.name())
        .parameter("unmapped", unmapped)
        .parameter("customers", customers)
        .parameter("transaction_ids", transactions)
        .parameter("allow_cut_last_line", options.allow_cut_last_line)
        .input("taxonomy", &classes.finish()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use spendscape_schema::Flow;

    use super::*;

    const MAP: &str = r##"
        currency = "EUR"
        [source]
        nulls = ["-"]
        not_rows = ["#"]
        [types]
        amount = "decimal(12, 2)"
        [columns]
        customer = "customer"
        time = "time"
        amount = "amount"
        class = "lower(class)"
        place = "place"
        transaction = "id"
        [time]
        formats = ["%Y-%m-%d", "%d.%m.%Y %H:%M"]
        latest = 2020-12-31
        outside = "drop"
        [rows]
        no_customer = "drop"
        where = "amount <> 7"
    "##;

    /// The same with a file that is joined, in which most places have no partner.
    fn joined() -> String {
        let join = "[join]\nfile = 'places.csv'\non = 'place'\nkey = 'key'\nmissing = 'null'\n";
        let map = MAP.replace("\"place\"", "\"coalesce(name, place)\"");
        map.replace("amount <> 7", "amount <> 7 AND coalesce(name, '') <> 'Y'") + join
    }

    /// A line of a file, which may hold what is refused, with a line end.
    fn line() -> impl Strategy<Value = String> {
        let customer = prop_oneof![
            9 => "[A-D][0-9]",
            1 => prop_oneof![Just(" C1 "), Just(""), Just("-"), Just("\"A\"\"1\"")].prop_map(str::to_owned),
            1 => "[a-e\u{e9}]{17,20}",
        ];
        let time = prop_oneof![
            9 => "20(19|20)-0[1-9]-[12][0-9]",
            3 => "[12]?[1-9]\\.(0?2|11)\\.2019 1?[0-9]:5[0-9]",
            1 => "2021-01-01",
        ];
        let amount = prop_oneof![9 => "-?[0-9]{1,6}(\\.[0-9]{1,2})?", 1 => "7", 1 => "1e3"];
        let class = prop_oneof![5 => "food|Rent", 1 => "other"];
        let place = prop_oneof![
            5 => "[xyz]{0,3}",
            2 => "\"[xyz,\n]{0,9}\"",
            1 => Just("\"x\r\n\"\"y\"".to_owned()),
            1 => Just("5\" z".to_owned()),
        ];
        let end = prop_oneof![3 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\n\n"), 1 => Just("\r\n\r\n")];
        let row = (customer, time, amount, class, place, end);
        let row = row.prop_map(|(customer, time, amount, class, place, end)| {
            format!("{customer},{time},{amount},{class},{place},ID{end}")
        });
        let refused = prop_oneof![
            Just("A1,2019-01-01\n"),
            Just("A1,x,1,food,,ID\n"),
            Just("A1,2019-01-01,x,food,,ID\n"),
            Just("A1,2019-01-01,1,no class,,ID\n"),
            Just("\"A1\"x,2019-01-01,1,food,,ID\n"),
            Just("A1,2019-01-01,1,food,\"a,ID\n"),
            Just("A1,2019-01-01,1,food,,\n"),
        ];
        prop_oneof![
            200 => row,
            4 => "# [a-z,]{0,20}\n",
            4 => Just("customer,time,amount,class,place,id\n".to_owned()),
            1 => refused.prop_map(str::to_owned),
        ]
    }

    /// What a file gives: the report with the digest of the ledger, or why it is refused; and the ledger's bytes.
    fn taken(
        map: &str,
        folder: &Path,
        threads: usize,
        block_bytes: usize,
    ) -> (Result<String, String>, Vec<u8>) {
        let map = ColumnMap::from_toml(map).unwrap().in_folder(folder);
        let classes = ["food", "rent"].map(|class| (class.to_owned(), Flow::Spending, Vec::new()));
        let source = folder.join("in.csv");
        let unmapped = match std::fs::read_to_string(&source).unwrap().contains("no class") {
            true => Unmapped::Refuse,
            false => Unmapped::Class("rent".to_owned()),
        };
        let taxonomy = Taxonomy::new("t", classes.to_vec(), unmapped).unwrap();
        let ledger = folder.join("out.parquet");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = IngestOptions::with_scratch(folder);
        let made =
            pool.install(|| ingest_in_blocks(&map, &taxonomy, &[source], &ledger, &options, block_bytes));
        let bytes = std::fs::read(&ledger).unwrap_or_default();
        // The next one must not find it.
        let _ = std::fs::remove_file(&ledger);
        (made.map(|report| serde_json::to_string(&report).unwrap()).map_err(|error| error.to_string()), bytes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]

        /// Blocks of any size and any number of threads give the same ledger, report and refusals; the threads, the same file.
        #[test]
        fn neither_blocks_nor_threads_show(
            lines in prop::collection::vec(line(), 1..120),
            size in 1_usize..400,
            is_joined in any::<bool>(),
        ) {
            let map = if is_joined { joined() } else { MAP.to_owned() };
            let folder = tempfile::tempdir().unwrap();
            let mut text = "customer,time,amount,class,place,id\n".to_owned();
            for (number, line) in lines.iter().enumerate() {
                text.push_str(&line.replace("ID", &format!("id{number}")));
            }
            std::fs::write(folder.path().join("in.csv"), text).unwrap();
            std::fs::write(folder.path().join("places.csv"), "key,name\nx,X\ny,Y\nxy,XY\nzz,\n").unwrap();
            let whole = taken(&map, folder.path(), 1, BLOCK_BYTES);
            let blocks = taken(&map, folder.path(), 1, size);
            prop_assert_eq!(&whole.0, &blocks.0);
            for threads in [2, 3, 7] {
                let again = taken(&map, folder.path(), threads, size);
                prop_assert_eq!(&blocks.0, &again.0);
                prop_assert!(blocks.1 == again.1, "{} threads write other bytes", threads);
            }
        }
    }
}
