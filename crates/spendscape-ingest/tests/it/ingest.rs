//! What ingest makes of good files.

use std::{io::Write, path::Path};

use jiff::civil::{DateTime, date};
use proptest::prelude::*;
use spendscape_ingest::{
    ColumnMap, DerivedClasses, Error, IngestOptions, IngestReport, Pseudonyms, RowProblem, derive_taxonomy,
    ingest,
};
use spendscape_schema::{Table, Taxonomy, Unmapped, arrays::Rows};
use spendscape_store::{TableReader, read_table};

use super::bad_input::{Bench, HEADER, MAP, taxonomy};
use crate::NAMES;

fn rows(path: &Path) -> Rows {
    read_table(path, Table::Ledger).unwrap().rows
}

/// The ledger's times, as local times.
fn times(path: &Path) -> Vec<DateTime> {
    use arrow::{array::AsArray, datatypes::TimestampMillisecondType};
    let rows = rows(path);
    let column = rows.batch().column_by_name(NAMES.time).unwrap();
    let millis = column.as_primitive::<TimestampMillisecondType>();
    let local = |millis: &i64| {
        jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::from_millisecond(*millis).unwrap())
    };
    millis.values().iter().map(local).collect()
}

fn run(bench: &Bench, map: &str, taxonomy: &Taxonomy, content: &str) -> Result<IngestReport, Error> {
    let path = bench.file("raw.csv", content);
    ingest(&ColumnMap::from_toml(map).unwrap(), taxonomy, &[path], &bench.ledger(), &bench.options())
}

#[test]
fn a_european_file_comes_out_exactly() {
    let bench = Bench::new();
    let map = r#"
currency = "CZK"
[source]
delimiter = ";"
quote = "'"
decimal_sign = ","
grouping = "."
header = ["who", "when", "how much", "left", "what", "where", "how"]
[types]
"how much" = "decimal(14, 3)"
left = "decimal(14, 2)"
[columns]
customer = "who"
time = "when"
amount = '-"how much" * 1.0'
class = "lower(what)"
place = "\"where\""
channel = "nullif(how, '')"
balance = "\"left\""
[time]
formats = ["%d.%m.%Y %H:%M", "%y%m%d"]
zone = "Europe/Prague"
[rows]
where = "what <> 'skip'"
no_customer = "drop"
"#;
    let content = "'a;1';31.12.1999 23:59;1.234,565;-1.000,00;F;Brno;pos\n\
                   b;930101;0,005;;R;Praha;\n\
                   b;930101;0,015;5;r;Praha;atm\n\
                   c;930102;7;5;skip;Praha;atm\n\
                   ;930102;7;5;f;Praha;atm\n";
    let report = run(&bench, map, &taxonomy(), content).unwrap();
    assert_eq!((report.rows_read, report.rows_written), (5, 3));
    assert_eq!((report.filtered.count, report.filtered.examples[0].place.row), (1, 4));
    assert_eq!((report.without_customer.count, report.without_customer.examples[0].place.row), (1, 5));
    assert_eq!(report.classes, [("food".to_owned(), 1), ("rent".to_owned(), 2)].into());
    assert!(!report.unique_transactions);
    let ledger = rows(&bench.ledger());
    assert_eq!(ledger.text(NAMES.customer).unwrap(), ["a;1", "b", "b"]);
    // Half a cent goes to the even neighbor.
    assert_eq!(ledger.integer(NAMES.amount_minor).unwrap(), [-123_456, 0, -2]);
    assert_eq!(ledger.text(NAMES.class).unwrap(), ["food", "rent", "rent"]);
    assert_eq!(ledger.text(NAMES.place).unwrap(), ["Brno", "Praha", "Praha"]);
    let balance = ledger.batch().column_by_name(NAMES.balance_minor).unwrap();
    assert_eq!(balance.null_count(), 1);
    assert_eq!(ledger.batch().column_by_name(NAMES.channel).unwrap().logical_null_count(), 1);
    let expected = [date(1999, 12, 31).at(23, 59, 0, 0), date(1993, 1, 1).at(0, 0, 0, 0)];
    assert_eq!(times(&bench.ledger())[..2], expected);
}

#[test]
fn compressed_files_globs_and_plain_files_give_the_same_ledger() {
    let bench = Bench::new();
    let rows: Vec<String> =
        (0..20_000).map(|k| format!("c{},2020-01-{:02},-{k}.5,f,{k}\n", k % 7, k % 28 + 1)).collect();
    let plain = bench.file("plain.csv", format!("{HEADER}{}", rows.concat()));
    let whole = bench.ingest(MAP, &plain).unwrap();
    let gz = |name: &str, rows: &[String]| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(format!("{HEADER}{}", rows.concat()).as_bytes()).unwrap();
        bench.file(name, gz.finish().unwrap());
    };
    gz("part-1.csv.gz", &rows[..1]);
    gz("part-2.csv.gz", &rows[1..9_000]);
    gz("part-3.csv.gz", &rows[9_000..]);
    let parts = bench.ingest(MAP, &bench.folder.path().join("part-*.csv.gz")).unwrap();
    assert_eq!((&whole.digest, whole.rows_read), (&parts.digest, parts.rows_read));
    assert_eq!(parts.files.iter().map(|file| file.rows).collect::<Vec<_>>(), [1, 8_999, 11_000]);
    let reader = TableReader::open(&bench.ledger(), Table::Ledger).unwrap();
    let provenance = reader.provenance();
    assert_eq!(provenance.parameters["transaction_ids"], "unique");
    assert_eq!(provenance.inputs["0001 part-2.csv.gz"], parts.files[1].digest);
    assert_eq!(provenance.parameters["map"]["columns"]["customer"], "id");
    // Digests that are known are taken as they are, and files without one are read for it.
    let known = [(bench.folder.path().join("part-2.csv.gz"), whole.files[0].digest.clone())];
    let options = IngestOptions { digests: known.into(), ..bench.options() };
    let pattern = bench.folder.path().join("part-*.csv.gz");
    let map = ColumnMap::from_toml(MAP).unwrap();
    let again = ingest(&map, &taxonomy(), &[pattern], &bench.ledger(), &options).unwrap();
    assert_eq!(again.digest, parts.digest);
    let digests: Vec<_> = again.files.iter().map(|file| &file.digest).collect();
    assert_eq!(digests, [&parts.files[0].digest, &whole.files[0].digest, &parts.files[2].digest]);
}

#[test]
fn unmapped_codes_are_refused_dropped_or_kept_and_listed() {
    let bench = Bench::new();
    let content = format!(
        "{HEADER}a,2020-01-01,-1,f,1\na,2020-01-01,-1,x,2\na,2020-01-01,-1,y,3\na,2020-01-01,-1,x,4\n"
    );
    let with = |unmapped: &str| {
        let text =
            format!("name = 't'\nunmapped = {unmapped}\n[classes]\nfood = {{ codes = ['f'] }}\nother = {{}}");
        run(&bench, MAP, &Taxonomy::from_toml(&text).unwrap(), &content)
    };
    let Err(Error::Row { place, problem }) = with("'refuse'") else {
        panic!("an unknown class must be refused")
    };
    assert_eq!((place.row, problem), (2, RowProblem::UnknownClass { code: "x".to_owned() }));
    let dropped = with("'drop'").unwrap();
    assert_eq!((dropped.rows_written, dropped.unmapped_dropped.count), (1, 3));
    assert_eq!(dropped.unmapped_codes, [("x".to_owned(), 2), ("y".to_owned(), 1)].into());
    let kept = with("{ class = 'other' }").unwrap();
    assert_eq!((kept.rows_written, kept.unmapped_kept.count, kept.classes["other"]), (4, 3, 3));
    assert_eq!(kept.unmapped_kept.examples[1].place.row, 3);
}

#[test]
fn times_outside_the_days_allowed_are_refused_or_dropped() {
    let bench = Bench::new();
    let content = format!(
        "{HEADER}a,2019-12-31,-1,f,1\na,2020-01-01,-1,f,2\na,2020-12-31 23:59:59,-1,f,3\na,2021-01-01,-1,f,4\n"
    );
    let rules = |outside: &str| {
        MAP.replace(
            "[columns]",
            &format!(
                "[time]\nearliest = 2020-01-01\nlatest = \"2020-12-31\"\noutside = '{outside}'\n[columns]"
            ),
        )
    };
    let error = run(&bench, &rules("refuse"), &taxonomy(), &content).unwrap_err().to_string();
    assert!(error.contains("row 1") && error.contains("2020-01-01 to 2020-12-31"), "{error}");
    let report = run(&bench, &rules("drop"), &taxonomy(), &content).unwrap();
    assert_eq!((report.rows_written, report.outside_time.count), (2, 2));
    assert_eq!(report.times, Some(("2020-01-01T00:00:00".to_owned(), "2020-12-31T23:59:59".to_owned())));
}

#[test]
fn zones_are_converted_and_ambiguous_times_follow_the_rule() {
    let bench = Bench::new();
    let map =
        |time: &str| MAP.replace("[columns]", &format!("[time]\nzone = 'Europe/Prague'\n{time}\n[columns]"));
    // Instants: winter and summer time.
    let utc = map("formats = ['%Y-%m-%dT%H:%M:%S%z']");
    let content = format!("{HEADER}a,2020-01-31T23:30:00+0000,-1,f,1\na,2020-07-01T00:00:00-0500,-1,f,2\n");
    run(&bench, &utc, &taxonomy(), &content).unwrap();
    assert_eq!(times(&bench.ledger()), [date(2020, 2, 1).at(0, 30, 0, 0), date(2020, 7, 1).at(7, 0, 0, 0)]);
    // Local times of another zone: 01:30 on 2020-11-01 stands twice in New York, 02:30 on 2020-03-08 never.
    for (when, gap, earlier, later) in [
        ("2020-11-01 01:30:00", false, date(2020, 11, 1).at(6, 30, 0, 0), date(2020, 11, 1).at(7, 30, 0, 0)),
        ("2020-03-08 02:30:00", true, date(2020, 3, 8).at(7, 30, 0, 0), date(2020, 3, 8).at(8, 30, 0, 0)),
    ] {
        let content = format!("{HEADER}a,{when},-1,f,1\n");
        let ask = |rule: &str| {
            run(&bench, &map(&format!("source_zone = 'America/New_York'\n{rule}")), &taxonomy(), &content)
        };
        let Err(Error::Row { problem: RowProblem::Ambiguous { gap: found, .. }, .. }) = ask("") else {
            panic!("{when} must be refused")
        };
        assert_eq!(found, gap);
        ask("ambiguous = 'earlier'").unwrap();
        assert_eq!(times(&bench.ledger()), [earlier]);
        ask("ambiguous = 'later'").unwrap();
        assert_eq!(times(&bench.ledger()), [later]);
    }
}

#[test]
fn pseudonyms_are_stable_and_need_the_key() {
    let bench = Bench::new();
    let source = bench.file(
        "raw.csv",
        format!("{HEADER}anna,2020-01-01,-1,f,1\nbert,2020-01-01,-1,f,2\nanna,2020-01-02,-1,f,3\n"),
    );
    let map = ColumnMap::from_toml(MAP).unwrap();
    let customers = |key: &str| {
        let mut options = bench.options();
        options.pseudonyms = Some(Pseudonyms::from_key_file(&bench.file("key", key)).unwrap());
        ingest(&map, &taxonomy(), &[&source], &bench.ledger(), &options).unwrap();
        rows(&bench.ledger()).text(NAMES.customer).unwrap()
    };
    let one = customers("0123456789abcdef");
    assert!(one.iter().all(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())));
    assert!(one[0] == one[2] && one[0] != one[1]);
    assert_eq!(one, customers("0123456789abcdef"));
    assert_ne!(one, customers("0123456789abcdeg"));
    let reader = TableReader::open(&bench.ledger(), Table::Ledger).unwrap();
    let how = reader.provenance().parameters["customers"].as_str().unwrap().to_owned();
    assert!(how.starts_with("keyed hash, key ") && !how.contains("0123456789"), "{how}");
}

#[test]
fn classes_come_from_the_commonest_codes_with_ties_by_name() {
    let bench = Bench::new();
    let codes = ["b", "a", "c", "c", "d", "other", "other", "other", "a", "b"];
    let lines: Vec<String> =
        codes.iter().enumerate().map(|(k, code)| format!("x,2020-01-01,-1,{code},{k}\n")).collect();
    let path = bench.file("raw.csv", format!("{HEADER}{}", lines.concat()));
    let derived = DerivedClasses {
        name: "derived".to_owned(),
        top: 3,
        other: "other".to_owned(),
        allow_cut_last_line: false,
    };
    let taxonomy = derive_taxonomy(&ColumnMap::from_toml(MAP).unwrap(), &[path], &derived).unwrap();
    assert_eq!(taxonomy.spending_classes(), ["a", "b", "c", "other"]);
    assert_eq!(taxonomy.unmapped(), &Unmapped::Class("other".to_owned()));
}

/// Ten classes asked for of four codes: a class for all others would be empty, and stand in every list all the same.
#[test]
fn no_class_is_derived_that_nothing_falls_to() {
    let bench = Bench::new();
    let codes = ["b", "a", "c", "c", "d", "a", "b"];
    let lines: Vec<String> =
        codes.iter().enumerate().map(|(k, code)| format!("x,2020-01-01,-1,{code},{k}\n")).collect();
    let path = bench.file("raw.csv", format!("{HEADER}{}", lines.concat()));
    let derive = |top: usize| {
        let (name, other) = ("derived".to_owned(), "OTHER".to_owned());
        let derived = DerivedClasses { name, top, other, allow_cut_last_line: false };
        derive_taxonomy(&ColumnMap::from_toml(MAP).unwrap(), &[&path], &derived).unwrap()
    };
    for top in [4, 10] {
        assert_eq!(derive(top).spending_classes(), ["a", "b", "c", "d"]);
        assert_eq!(derive(top).unmapped(), &Unmapped::Refuse);
    }
    assert_eq!(derive(3).spending_classes(), ["a", "b", "c", "OTHER"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any list of amounts comes out as it went in, through any batch boundary.
    #[test]
    fn amounts_survive(amounts in prop::collection::vec(-10_i64.pow(11)..10_i64.pow(11), 1..60)) {
        let bench = Bench::new();
        let line = |(k, minor): (usize, &i64)| {
            let sign = if *minor < 0 { "-" } else { "" };
            format!("a,2020-01-01,{sign}{}.{:02},f,{k}\n", minor.abs() / 100, minor.abs() % 100)
        };
        let content: String = amounts.iter().enumerate().map(line).collect();
        run(&bench, MAP, &taxonomy(), &format!("{HEADER}{content}")).unwrap();
        prop_assert_eq!(rows(&bench.ledger()).integer(NAMES.amount_minor).unwrap(), amounts);
    }
}
