//! Bad files and bad rows: each gets an error that names file, row and column, and leaves nothing behind.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, Float64Array, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
};
use spendscape_ingest::{ColumnMap, Error, IngestOptions, IngestReport, Pseudonyms, ingest};
use spendscape_schema::Taxonomy;

pub(crate) const HEADER: &str = "id,day,eur,code,tx\n";

pub(crate) const MAP: &str = r#"
currency = "EUR"
types = { eur = "decimal(12, 2)" }
[columns]
customer = "id"
time = "day"
amount = "eur"
class = "code"
transaction = "tx"
"#;

pub(crate) fn taxonomy() -> Taxonomy {
    Taxonomy::from_toml("name = 't'\n[classes]\nfood = { codes = ['f'] }\nrent = { codes = ['r'] }").unwrap()
}

pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.folder.path().join("out/ledger.parquet")
    }

    pub(crate) fn options(&self) -> IngestOptions {
        IngestOptions::with_scratch(&self.folder.path().join("scratch"))
    }

    pub(crate) fn ingest(&self, map: &str, source: &Path) -> Result<IngestReport, Error> {
        ingest(&ColumnMap::from_toml(map)?, &taxonomy(), &[source], &self.ledger(), &self.options())
    }

    /// The error's text, after checking that it blames the input and that nothing was left behind.
    pub(crate) fn refusal(&self, map: &str, source: &Path) -> String {
        let error = self.ingest(map, source).unwrap_err();
        assert!(error.is_bad_input(), "{error}");
        let left = |folder: &Path| std::fs::read_dir(folder).map_or(0, Iterator::count);
        assert_eq!(left(&self.folder.path().join("out")), 0, "{error}");
        assert_eq!(left(&self.folder.path().join("scratch")), 0, "{error}");
        error.to_string()
    }

    /// As [`Self::refusal`] of a CSV file with these rows.
    fn rows(&self, map: &str, rows: &str) -> String {
        let path = self.file("raw.csv", format!("{HEADER}{rows}"));
        self.refusal(map, &path)
    }
}

const GOOD: &str = "a,2020-01-01,-1.00,f,1\n";

#[track_caller]
pub(crate) fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

#[test]
fn bad_rows_are_named() {
    let bench = Bench::new();
    let cases: &[(&str, &[&str])] = &[
        ("a,2020-01-02,nan,f,2\n", &["column eur", "\"nan\" as decimal(12, 2)"]),
        ("a,2020-01-02,inf,f,2\n", &["column eur"]),
        ("a,2020-01-02,1.005,f,2\n", &["column eur", "1.005"]),
        ("a,2020-01-02,,f,2\n", &["column amount", "no value"]),
        ("a,2020-02-30,1,f,2\n", &["column time", "2020-02-30", "%Y-%m-%d"]),
        ("a,,1,f,2\n", &["column time", "no value"]),
        ("a,2020-01-02,1,x,2\n", &["column class", "\"x\""]),
        (",2020-01-02,1,f,2\n", &["column customer", "no_customer"]),
        ("a,2020-01-02,1,f,\n", &["column transaction", "no value"]),
        ("a,2020-01-02,1,f\n", &["4 fields where the header has 5"]),
        ("a,2020-01-02,1,f,2,3\n", &["6 fields"]),
    ];
    for (rows, parts) in cases {
        let message = bench.rows(MAP, &format!("{GOOD}{rows}{}", GOOD.replace(",1\n", ",9\n")));
        assert_says(&message, &["raw.csv, row 2 (line 3)"]);
        assert_says(&message, parts);
    }
    let repeated = bench.rows(MAP, &format!("{GOOD}a,2020-01-02,1,f,2\n{GOOD}"));
    assert_says(&repeated, &["raw.csv, row 3", "transaction id stands already in", "raw.csv, row 1"]);
    // The line counts lines, the row counts rows: a quoted field may span lines.
    let spanning = bench.rows(MAP, "\"a\nb\",2020-01-01,1,f,1\na,2020-01-01,1,x,2\n");
    assert_says(&spanning, &["row 2 (line 4)"]);
    let mut bytes = format!("{HEADER}{GOOD}").into_bytes();
    bytes.extend(b"caf\xe9,2020-01-01,1,f,2\n");
    let path = bench.file("latin.csv", bytes);
    assert_says(&bench.refusal(MAP, &path), &["latin.csv, row 2", "column id", "caf", "source.encoding"]);
    let latin = MAP.replace("[columns]", "[source]\nencoding = 'latin-1'\n[columns]");
    assert_eq!(bench.ingest(&latin, &path).unwrap().rows_written, 2);
}

#[test]
fn bad_files_are_named() {
    let bench = Bench::new();
    assert_says(&bench.refusal(MAP, &bench.file("empty.csv", "")), &["empty.csv is empty"]);
    assert_says(&bench.refusal(MAP, &bench.file("header.csv", HEADER)), &["none of the 0 rows"]);
    let absent = bench.folder.path().join("absent.csv");
    assert_says(&bench.refusal(MAP, &absent), &["no file matches", "absent.csv"]);
    let nothing = bench.folder.path().join("20??-*.csv");
    assert_says(&bench.refusal(MAP, &nothing), &["no file matches", "20??-*.csv"]);
    assert_says(&bench.refusal(MAP, Path::new("a/[b")), &["pattern", "a/[b"]);
    let lacking = bench.file("lacking.csv", "id,day,code,tx\na,2020-01-01,f,1\n");
    assert_says(
        &bench.refusal(MAP, &lacking),
        &["lacking.csv has no column \"eur\"", "id, day, code, tx: if", "header_at"],
    );
    let twice = bench.file("twice.csv", "id,id,day,eur,code,tx\n");
    assert_says(&bench.refusal(MAP, &twice), &["two columns \"id\""]);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(format!("{HEADER}{}", GOOD.repeat(50)).as_bytes()).unwrap();
    let whole = gz.finish().unwrap();
    let cut = bench.file("cut.csv.gz", &whole[..whole.len() - 9]);
    let error = bench.ingest(MAP, &cut).unwrap_err();
    assert_says(&error.to_string(), &["cut.csv.gz"]);
}

#[test]
fn a_second_file_that_differs_is_named() {
    let bench = Bench::new();
    bench.file("1.csv", format!("{HEADER}{GOOD}"));
    bench.file("2.csv", "tx,code,eur,day,id\n2,f,-3.5,2020-01-02,b\n");
    let both = bench.folder.path().join("*.csv");
    // Columns go by name, whatever their order.
    assert_eq!(bench.ingest(MAP, &both).unwrap().rows_written, 2);
    std::fs::remove_file(bench.ledger()).unwrap();
    bench.file("3.csv", "tx,code,eur,day\n3,f,-3.5,2020-01-02\n");
    assert_says(&bench.refusal(MAP, &both), &["3.csv has no column \"id\""]);
    bench.file("3.csv", "tx,code,eur,day,id\n1,f,-3.5,2020-01-02,c\n");
    assert_says(&bench.refusal(MAP, &both), &["3.csv, row 1", "already in", "1.csv, row 1"]);
}

#[test]
fn a_cut_last_line_is_refused_or_dropped_and_counted() {
    let bench = Bench::new();
    // Cut in a field too few, and inside a quoted last field.
    for cut in ["a,2020-01-02,-1", "a,2020-01-02,-1.00,f,\"2"] {
        let path = bench.file("cut.csv", format!("{HEADER}{GOOD}{cut}"));
        assert_says(&bench.refusal(MAP, &path), &["cut.csv, row 2 (line 3)", "last line is cut"]);
        let mut options = bench.options();
        options.allow_cut_last_line = true;
        let map = ColumnMap::from_toml(MAP).unwrap();
        let report = ingest(&map, &taxonomy(), &[&path], &bench.ledger(), &options).unwrap();
        assert_eq!((report.rows_read, report.rows_written, report.cut_last_lines.count), (1, 1, 1), "{cut}");
        assert_eq!(report.cut_last_lines.examples[0].place.row, 2);
        std::fs::remove_file(bench.ledger()).unwrap();
    }
    // A last line that merely lacks its end is whole, as far as anyone can see: it is kept and pointed out.
    let path = bench.file("open.csv", format!("{HEADER}{GOOD}a,2020-01-02,-1.00,f,\"2\"\"\""));
    let report = bench.ingest(MAP, &path).unwrap();
    assert!(report.files[0].unterminated && report.rows_written == 2);
}

#[test]
fn an_endless_quote_is_found_before_memory_ends() {
    let bench = Bench::new();
    let path = bench.file("quote.csv", format!("{HEADER}\"{}", GOOD.repeat(200_000)));
    assert_says(&bench.refusal(MAP, &path), &["quote.csv, row 1", "quote not closed"]);
}

#[test]
fn bad_maps_are_explained() {
    let bench = Bench::new();
    let path = bench.file("raw.csv", format!("{HEADER}{GOOD}"));
    let with = |from: &str, to: &str| bench.refusal(&MAP.replace(from, to), &path);
    assert_says(&with("customer = \"id\"", "customer = \"idd\""), &["no column \"idd\"", "id, day, eur"]);
    assert_says(&with("customer = \"id\"", "customer = \"id +\""), &["columns.customer = \"id +\""]);
    assert_says(
        &with("amount = \"eur\"", "amount = \"day\""),
        &["columns.amount", "declare its columns under `types`"],
    );
    assert_says(&with("amount = \"eur\"", "amount = \"CAST(eur AS DOUBLE)\""), &["columns.amount", "exact"]);
    assert_says(&with("time = \"day\"", "time = \"eur\""), &["columns.time", "a time is"]);
    assert_says(&with("time = \"day\"", "time = \"now()\""), &["now()", "more than the row"]);
    assert_says(&with("[columns]", "[rows]\nwhere = \"eur\"\n[columns]"), &["rows.where", "true or false"]);
    assert_says(&with("decimal(12, 2)", "decimal(50, 2)"), &["1 to 38 digits"]);
    assert_says(&with("decimal(12, 2)", "money"), &["is no type"]);
    assert_says(&with("currency", "curency"), &["curency"]);
    assert_says(
        &with("[columns]", "[source]\ndelimiter = ';;'\n[columns]"),
        &["source.delimiter", "one ASCII"],
    );
    assert_says(
        &with("[columns]", "[time]\nzone = 'Mars/Olympus'\n[columns]"),
        &["time.zone", "Mars/Olympus"],
    );
    assert_says(&with("types = { eur", "types = { usd"), &["no column \"usd\""]);
    // Arithmetic that overflows is an error of its row, not a wrapped number.
    let overflow = "amount = \"eur * 9999999999999999999999999999.99 * eur\"";
    let message = bench
        .rows(&MAP.replace("amount = \"eur\"", overflow), &format!("{GOOD}a,2020-01-02,9999999999.99,f,2\n"));
    assert_says(&message, &["raw.csv, row"]);
}

/// A foreign Parquet file with float amounts.
fn parquet(path: &Path, amounts: &[f64]) {
    let schema = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("day", DataType::Utf8, false),
        Field::new("eur", DataType::Float64, false),
    ]));
    let column = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; amounts.len()])) };
    let amounts: ArrayRef = Arc::new(Float64Array::from(amounts.to_vec()));
    let batch =
        RecordBatch::try_new(schema.clone(), vec![column("a"), column("2020-01-01"), amounts]).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn foreign_parquet_is_checked_like_text() {
    let bench = Bench::new();
    let map = "currency = 'EUR'\nsource = { format = 'parquet' }\n[columns]\ncustomer = 'id'\ntime = 'day'\namount = 'eur'\nclass = \"'f'\"";
    let path = bench.folder.path().join("raw.parquet");
    parquet(&path, &[-1.25, -0.125]);
    assert_eq!(bench.ingest(map, &path).unwrap().rows_written, 2);
    std::fs::remove_file(bench.ledger()).unwrap();
    for (bad, says) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (1e300, "does not fit")] {
        parquet(&path, &[-1.0, bad]);
        assert_says(&bench.refusal(map, &path), &["raw.parquet, row 2, column amount", says]);
    }
    let whole = std::fs::read(&path).unwrap();
    for cut in [1, 20, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert_says(&bench.refusal(map, &path), &["raw.parquet", "truncated"]);
    }
    std::fs::write(&path, "").unwrap();
    assert_says(&bench.refusal(map, &path), &["raw.parquet is empty"]);
}

#[test]
fn a_weak_key_is_refused() {
    let bench = Bench::new();
    let short = Pseudonyms::from_key_file(&bench.file("key", "secret")).unwrap_err();
    assert!(matches!(short, Error::ShortKey { found: 6, .. }), "{short}");
    let absent = Pseudonyms::from_key_file(Path::new("no/such/key")).unwrap_err();
    assert!(absent.is_bad_input() && absent.to_string().contains("no/such/key"), "{absent}");
}
