//! Files as banks and tools write them: each form is read to the right value, counted, or refused by name.

use std::{fs, io::Write, path::Path, sync::Arc};

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use parquet::{
    basic::{LogicalType, Repetition, Type as PhysicalType},
    data_type::{ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int32Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::Type,
};
use spendscape_ingest::{ColumnMap, Error, IngestReport, ingest};
use spendscape_schema::{Table, Taxonomy, arrays::Rows};
use spendscape_store::read_table;

use super::bad_input::{Bench, assert_says};
use crate::NAMES;

const ROWS: &str = "customer;time;amount;class\nA1;2019-05-02;-10.00;food\nA1;2020-05-02;-20.00;rent\n\
                    B2;2019-06-03;-30.00;food\nB2;2020-12-31;-40.00;rent\n";

fn map(source: &str) -> String {
    format!(
        "currency = 'EUR'\n[source]\ndelimiter = ';'\n{source}\n[types]\namount = 'decimal(12, 2)'\n[columns]\n\
         customer = 'customer'\ntime = 'time'\namount = 'amount'\nclass = 'class'\n[time]\nformats = ['%Y-%m-%d']\n"
    )
}

fn take(bench: &Bench, map: &str, path: &Path, classes: &str) -> Result<IngestReport, Error> {
    let taxonomy = Taxonomy::from_toml(&format!("name = 't'\n[classes]\n{classes}")).unwrap();
    ingest(&ColumnMap::from_toml(map)?, &taxonomy, &[path], &bench.ledger(), &bench.options())
}

const CLASSES: &str = "food = { codes = ['food'] }\nrent = { codes = ['rent'] }";

/// The report and the amounts of a file that is read.
#[track_caller]
fn amounts(bench: &Bench, map: &str, content: impl AsRef<[u8]>) -> (IngestReport, Vec<i64>) {
    let report = take(bench, map, &bench.file("raw.csv", content), CLASSES).unwrap();
    (report, ledger(bench).integer(NAMES.amount_minor).unwrap())
}

fn ledger(bench: &Bench) -> Rows {
    let rows = read_table(&bench.ledger(), Table::Ledger).unwrap().rows;
    fs::remove_file(bench.ledger()).unwrap();
    rows
}

#[track_caller]
fn refusal(bench: &Bench, map: &str, content: impl AsRef<[u8]>) -> String {
    let error = take(bench, map, &bench.file("raw.csv", content), CLASSES).unwrap_err();
    assert!(error.is_bad_input() && !bench.ledger().exists(), "{error}");
    error.to_string()
}

const ALL: [i64; 4] = [-1_000, -2_000, -3_000, -4_000];

#[test]
fn encodings_of_the_web_and_byte_order_marks_are_understood() {
    let bench = Bench::new();
    let rows = |class: &str| format!("customer;time;amount;class\nŽ1;2019-05-02;-10.00;{class}\n");
    let utf16 =
        |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(bytes).collect() };
    let central = b"customer;time;amount;class\n\x8e1;2019-05-02;-10.00;\x8eabka\n".to_vec();
    let western = b"customer;time;amount;class\n\x8e1;2019-05-02;-10.00;Caf\xe9 \x96 Bar\n".to_vec();
    let marked = format!("\u{feff}{}", rows("Žabka"));
    let shop = rows("Žabka");
    for (encoding, content, class) in [
        ("windows-1250", central.clone(), "Žabka"),
        ("windows-1252", western.clone(), "Café – Bar"),
        ("latin-1", western.clone(), "Café – Bar"),
        ("utf-16le", utf16(&shop, u16::to_le_bytes), "Žabka"),
        // A mark decides whatever the map says.
        ("utf-8", utf16(&marked, u16::to_le_bytes), "Žabka"),
        ("utf-8", utf16(&marked, u16::to_be_bytes), "Žabka"),
        ("windows-1250", marked.clone().into_bytes(), "Žabka"),
        ("utf-8", format!("\u{feff}{marked}").into_bytes(), "Žabka"),
    ] {
        let path = bench.file("raw.csv", content);
        let classes = format!("shop = {{ codes = ['{class}'] }}");
        take(&bench, &map(&format!("encoding = '{encoding}'")), &path, &classes).unwrap();
        assert_eq!(ledger(&bench).text(NAMES.customer).unwrap(), ["Ž1"], "{encoding}");
    }
    assert_says(&refusal(&bench, &map(""), central), &["row 1 (line 2)", "not UTF-8", "windows-1250"]);
    assert_says(
        &refusal(&bench, &map("encoding = 'gbk'"), b"customer;time;amount;class\nA;2019-05-02;-1;\xff\n"),
        &["row 1 (line 2)", "not GBK"],
    );
    assert_says(&refusal(&bench, &map(""), utf16(&shop, u16::to_le_bytes)), &["zero byte", "utf-16le"]);
    let says = refusal(&bench, &map(""), ROWS.replace("B2;2019", "B2\0;2019"));
    assert_says(&says, &["row 3 (line 4)", "zero byte"]);
    let unknown = ColumnMap::from_toml(&map("encoding = 'ebcdic'")).unwrap_err().to_string();
    assert_says(&unknown, &["ebcdic", "windows-1252", "windows-1250"]);
}

#[test]
fn lines_around_the_rows_are_left_out_and_counted() {
    let bench = Bench::new();
    let above = "\"Konto\";\"1\"\nGirokonto \"0001\n\nStand;31.12.2020\n";
    let with = |source: &str| map(&format!("{source}\nnot_rows = ['#', 'Anzahl']"));
    let body = format!("{ROWS}\"Anzahl Buchungen: 4\"\n");
    let (report, found) = amounts(&bench, &with("skip = 4"), format!("{above}{body}"));
    assert_eq!((found, report.rows_read, report.not_rows.count), (ALL.to_vec(), 4, 1));
    assert_eq!(report.files[0].lines_above, 4);
    assert_says(&report.not_rows.examples[0].to_string(), &["raw.csv", "line 10"]);
    for end in ["\r\n", "\r"] {
        let content = format!("{above}{body}").replace('\n', end);
        assert_eq!(amounts(&bench, &with("skip = 4"), content).1, ALL, "{end:?}");
        let bad = format!("{above}{body}").replace("-30.00", "x").replace('\n', end);
        assert_says(&refusal(&bench, &with("skip = 4"), bad), &["row 3 (line 8), column amount"]);
    }
    // By the names of the header, where the number of lines varies; these lines must be divided as the rows are.
    let above = "Konto;1\n\nStand;31.12.2020\n";
    let (report, found) = amounts(&bench, &with("header_at = ['time', 'amount']"), format!("{above}{body}"));
    assert_eq!((found, report.files[0].lines_above), (ALL.to_vec(), 3));
    let says = refusal(&bench, &with("header_at = ['Betrag']"), format!("{above}{body}"));
    assert_says(&says, &["raw.csv", "no row with the names Betrag", "source.header_at"]);
    // Comments may stand anywhere; a quote that swallows rows is none.
    let commented = format!("# bank: x\n{}# end", ROWS.replace("B2;2019", "#B2;7\nB2;2019"));
    let (report, found) = amounts(&bench, &with(""), commented);
    assert_eq!((found, report.not_rows.count, report.files[0].lines_above), (ALL.to_vec(), 2, 1));
    let said = report.not_rows.examples[0].to_string();
    assert!(said.contains("`source.not_rows` names it") && !said.contains("empty"), "{said}");
    assert_says(
        &refusal(&bench, &with(""), ROWS.replace("B2;2019", "\"# a\nB2\";2019")),
        &["row 3 (line 4)", "spans lines"],
    );
    // A row without a value says nothing, but that it stood there is counted; a blank line is none.
    let (report, found) = amounts(&bench, &map(""), ROWS.replace("B2;2019", ";;;\n\nB2;2019"));
    assert_eq!((found, report.not_rows.count), (ALL.to_vec(), 1));
    let said = report.not_rows.examples[0].to_string();
    assert_says(&said, &["line 4", "all its fields are empty"]);
    assert!(!said.contains("not_rows"), "{said}");
    // Exports put one after another, also with a mark between them.
    for between in ["", "\u{feff}"] {
        let (report, found) = amounts(&bench, &map(""), format!("{ROWS}{between}{ROWS}"));
        assert_eq!((found, report.repeated_headers.count), ([ALL, ALL].concat(), 1));
        assert_says(&report.repeated_headers.examples[0].to_string(), &["line 6"]);
    }
    // A mark before a row, and the end mark of DOS.
    amounts(&bench, &map(""), format!("{ROWS}\u{feff}A1;2019-05-02;-10.00;food\n"));
    take(
        &bench,
        &map(""),
        &bench.file("raw.csv", format!("{ROWS}\u{feff}A1;2019-05-02;-1;food\n\x1a")),
        CLASSES,
    )
    .unwrap();
    assert_eq!(ledger(&bench).text(NAMES.customer).unwrap(), ["A1", "A1", "B2", "B2", "A1"]);
    assert_says(&refusal(&bench, &with("skip = 99"), ROWS), &["raw.csv is empty"]);
}

#[test]
fn columns_that_nobody_names_may_have_any_name() {
    let bench = Bench::new();
    let wide = |header: &str, rest: &str| {
        let mut lines = ROWS.lines();
        let first = format!("{}{header}\n", lines.next().unwrap());
        lines.fold(first, |text, line| format!("{text}{line}{rest}\n"))
    };
    for (header, rest, surplus) in [
        (";currency;fee;currency", ";EUR;0;EUR", 0),
        (";;", ";;", 0),
        (";;", ";x;y", 0),
        // A delimiter too many, in the header or in every row.
        (";", "", 0),
        ("", ";", 1),
        ("", ";; ", 2),
    ] {
        let (report, found) = amounts(&bench, &map(""), wide(header, rest));
        assert_eq!((found, report.files[0].surplus_fields), (ALL.to_vec(), surplus), "{header:?} {rest:?}");
    }
    let fields = |text: String| refusal(&bench, &map(""), text);
    assert_says(&fields(wide("", ";x")), &["row 1 (line 2)", "5 fields where the header has 4"]);
    assert_says(&fields(wide(";note", "")), &["row 1 (line 2)", "4 fields where the header has 5"]);
    // In one row only: its fields may be divided wrongly.
    let later = ROWS.replace("B2;2019-06-03;-30.00;food", "B2;2019-06-03;-30.00;food;");
    assert_says(&fields(later), &["row 3 (line 4)", "5 fields where the header has 4"]);
    let first = ROWS.replace("A1;2019-05-02;-10.00;food", "A1;2019-05-02;-10.00;food;");
    assert_says(&fields(first), &["row 2 (line 3)", "4 fields where the rows before have 5"]);
    // Twins that are read cannot be told apart; the advice works.
    let twins = wide(";amount", ";7");
    assert_says(&fields(twins.clone()), &["two columns \"amount\"", "source.header", "source.skip = 1"]);
    let named = map("skip = 1\nheader = ['customer', 'time', 'amount', 'class', 'other']");
    assert_eq!(amounts(&bench, &named, twins).1, ALL);
    let again = ColumnMap::from_toml(&map("header = ['a', 'a']")).unwrap_err().to_string();
    assert_says(&again, &["source.header", "\"a\" stands twice"]);
}

#[test]
fn amounts_of_accounts_and_typesetting_are_read() {
    let bench = Bench::new();
    let rows = |amount: &str| format!("customer;time;amount;class\nA1;2019-05-02;{amount};food\n");
    let accounts = map(
        "decimal_sign = ','\ngrouping = '.'\nnegative = ['parentheses', 'trailing', 'debit']\ncurrency_signs = ['€']",
    );
    for (amount, value) in [
        ("(33,52)", -3_352),
        ("-1.000,00 €", -100_000),
        ("100,00-", -10_000),
        ("100,00 DR", -10_000),
        ("100,00 CR", 10_000),
        ("\u{2212}12,50", -1_250),
        ("-1\u{a0}234,50", -123_450),
        ("-1\u{202f}234,50", -123_450),
        ("-1\u{2009}234,50", -123_450),
        ("-1’234,50", -123_450),
        ("-1,5e+03", -150_000),
    ] {
        assert_eq!(amounts(&bench, &accounts, rows(amount)).1, [value], "{amount}");
    }
    assert_says(
        &refusal(&bench, &accounts, rows("-(1,00)")),
        &["row 1 (line 2), column amount", "two signs"],
    );
    let plain = map("decimal_sign = ','");
    assert_eq!(amounts(&bench, &plain, rows("\u{2212}1\u{a0}234,50")).1, [-123_450]);
    for amount in ["(33,52)", "100,00-", "1\u{a0}2", "1,00 €"] {
        assert_says(&refusal(&bench, &plain, rows(amount)), &["row 1 (line 2), column amount"]);
    }
    let wrong = ColumnMap::from_toml(&map("currency_signs = ['1']")).unwrap_err().to_string();
    assert_says(&wrong, &["source.currency_signs", "cannot be told from a number"]);
}

#[test]
fn packed_files_are_known_by_their_content() {
    let bench = Bench::new();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(ROWS.as_bytes()).unwrap();
    let gz = gz.finish().unwrap();
    let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bz.write_all(ROWS.as_bytes()).unwrap();
    let bz = bz.finish().unwrap();
    let zst = zstd::encode_all(ROWS.as_bytes(), 1).unwrap();
    let mut crc = gz.clone();
    let at = crc.len() - 8;
    crc[at] ^= 1;
    for (name, content) in [
        ("plain.csv.gz", ROWS.as_bytes().to_vec()),
        ("gzipped.csv", gz.clone()),
        ("two.gz", [gz.clone(), gz.clone()].concat()),
        ("raw.csv.bz2", bz.clone()),
        ("raw.zst", zst.clone()),
    ] {
        let report = take(&bench, &map(""), &bench.file(name, content), CLASSES).unwrap();
        assert_eq!(
            (report.rows_written, report.repeated_headers.count > 0),
            if name == "two.gz" { (8, true) } else { (4, false) }
        );
        fs::remove_file(bench.ledger()).unwrap();
    }
    for (name, content) in [
        ("cut.csv.gz", gz[..gz.len() - 9].to_vec()),
        ("crc.csv.gz", crc),
        ("cut.bz2", bz[..bz.len() - 5].to_vec()),
        ("cut.zst", zst[..zst.len() - 5].to_vec()),
        ("book.xlsx", b"PK\x03\x04 and so on".to_vec()),
        ("table.csv", b"PAR1 and so on".to_vec()),
        ("raw.csv.xz", b"\xfd7zXZ\0 and so on".to_vec()),
    ] {
        let error = take(&bench, &map(""), &bench.file(name, content), CLASSES).unwrap_err();
        assert!(error.is_bad_input() && error.to_string().contains(name), "{name}: {error}");
    }
}

#[test]
fn folders_and_their_partitions_are_read() {
    let bench = Bench::new();
    let root = bench.folder.path().join("ledger");
    for (at, line) in ROWS.lines().skip(1).enumerate() {
        let fields: Vec<&str> = line.split(';').collect();
        let folder = root.join(format!("dt={}", fields[1]));
        fs::create_dir_all(&folder).unwrap();
        let rows = format!("customer;amount;class\n{};{};{}\n", fields[0], fields[2], fields[3]);
        fs::write(folder.join(format!("part-{at}.csv")), rows).unwrap();
        fs::write(folder.join(".part.crc"), "x").unwrap();
    }
    fs::write(root.join("_SUCCESS"), "").unwrap();
    let partitioned = map("").replace("time = 'time'", "time = 'dt'");
    let report = take(&bench, &partitioned, &root, CLASSES).unwrap();
    assert_eq!(report.files.len(), 4);
    let rows = ledger(&bench);
    assert_eq!(rows.integer(NAMES.amount_minor).unwrap(), [-1_000, -3_000, -2_000, -4_000]);
    assert_eq!(report.times, Some(("2019-05-02T00:00:00".to_owned(), "2020-12-31T00:00:00".to_owned())));
    fs::create_dir_all(root.join("dt=__HIVE_DEFAULT_PARTITION__")).unwrap();
    fs::write(root.join("dt=__HIVE_DEFAULT_PARTITION__/p.csv"), "customer;amount;class\nA1;-1.00;food\n")
        .unwrap();
    let says = take(&bench, &partitioned, &root, CLASSES).unwrap_err().to_string();
    assert_says(&says, &["p.csv, row 1", "column time", "no value"]);
    let missing = take(&bench, &map(""), &root, CLASSES).unwrap_err().to_string();
    assert_says(&missing, &["no column \"time\"; it has customer, amount, class, dt"]);
    let empty = bench.folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(take(&bench, &map(""), &empty, CLASSES).unwrap_err().is_bad_input());
    let device = take(&bench, &map(""), Path::new("/dev/null"), CLASSES).unwrap_err();
    assert!(device.is_bad_input() && device.to_string().contains("no regular file"), "{device}");
}

#[test]
fn rows_of_overlapping_exports_are_dropped_where_they_are_equal() {
    let bench = Bench::new();
    let rows = "id;customer;time;amount;class\n1;A1;2019-05-02;-10.00;food\n2;A1;2020-05-02;-20.00;rent\n";
    let later = "2;A1;2020-05-02;-20.00;rent\n3;A1;2020-06-02;-5.00;food\n2;A1;2020-05-02;-20.00;rent\n";
    let with_ids = map("").replace("class = 'class'", "class = 'class'\ntransaction = 'id'");
    let dropping = format!("{with_ids}[rows]\nrepeated = 'drop'\n");
    let (report, found) = amounts(&bench, &dropping, format!("{rows}{later}"));
    assert_eq!((found, report.repeated.count, report.rows_written), (vec![-1_000, -2_000, -500], 2, 3));
    assert_says(&report.repeated.examples[0].to_string(), &["raw.csv, row 3 (line 4)"]);
    assert_says(&refusal(&bench, &with_ids, format!("{rows}{later}")), &["row 3", "stands already", "row 2"]);
    // The id again, with anything else.
    let other = later.replace("2;A1;2020-05-02;-20.00", "2;A1;2020-05-02;-20.01");
    assert_says(&refusal(&bench, &dropping, format!("{rows}{other}")), &["row 3", "stands already", "row 2"]);
    let blind =
        ColumnMap::from_toml(&format!("{}[rows]\nrepeated = 'drop'\n", map(""))).unwrap_err().to_string();
    assert_says(&blind, &["rows.repeated", "columns.transaction"]);
}

const PARQUET: &str = "currency = 'EUR'\n[source]\nformat = 'parquet'\nTYPES\n[columns]\ncustomer = 'customer'\n\
                       time = \"'2019-05-02'\"\namount = 'amount'\nclass = \"'food'\"\n";

#[test]
fn money_that_is_text_in_parquet_gets_a_type() {
    let bench = Bench::new();
    let path = bench.folder.path().join("raw.parquet");
    let columns: [(&str, ArrayRef); 3] = [
        ("customer", Arc::new(StringArray::from(vec!["A1", "A1", "B2"]))),
        ("amount", Arc::new(StringArray::from(vec![Some("-10.50"), Some(" -1,234.5"), Some("7")]))),
        ("whole", Arc::new(Int64Array::from(vec![1, 2, 3]))),
    ];
    let write = |columns: Vec<(&str, ArrayRef)>| {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer =
            parquet::arrow::ArrowWriter::try_new(fs::File::create(&path).unwrap(), batch.schema(), None)
                .unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    };
    write(columns.to_vec());
    let typed = PARQUET.replace("TYPES", "grouping = ','\n[types]\namount = 'decimal(12, 2)'");
    take(&bench, &typed, &path, CLASSES).unwrap();
    assert_eq!(ledger(&bench).integer(NAMES.amount_minor).unwrap(), [-1_050, -123_450, 700]);
    let untyped = take(&bench, &PARQUET.replace("TYPES", ""), &path, CLASSES).unwrap_err().to_string();
    assert_says(&untyped, &["the value is Utf8", "under `types`"]);
    let strict = typed.replace("grouping = ','\n", "");
    assert_says(
        &take(&bench, &strict, &path, CLASSES).unwrap_err().to_string(),
        &["raw.parquet, row 2, column amount", "-1,234.5"],
    );
    let whole = typed.replace("amount = 'decimal", "whole = 'decimal");
    assert_says(
        &take(&bench, &whole, &path, CLASSES).unwrap_err().to_string(),
        &["column \"whole\"", "Int64", "remove it from `types`"],
    );
    let absent = typed.replace("amount = 'decimal", "absent = 'decimal");
    assert_says(&take(&bench, &absent, &path, CLASSES).unwrap_err().to_string(), &["no column \"absent\""]);
    // Numbers without a sign get one.
    write(vec![columns[0].clone(), ("amount", Arc::new(arrow::array::UInt8Array::from(vec![1, 2, 3])))]);
    take(&bench, &PARQUET.replace("TYPES", "").replace("'amount'", "'-amount / 100'"), &path, CLASSES)
        .unwrap();
    let rows = ledger(&bench);
    let found = rows.batch().column_by_name(NAMES.amount_minor).unwrap().as_primitive::<Int64Type>().clone();
    assert_eq!(found.values(), &[-1, -2, -3]);
}

#[test]
fn rows_of_parquet_that_the_condition_keeps_have_their_own_texts() {
    let bench = Bench::new();
    let path = bench.folder.path().join("raw.parquet");
    let text = |values: [&str; 4]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let columns: [(&str, ArrayRef); 4] = [
        ("customer", text(["A1", "B2", "C3", "D4"])),
        ("day", text(["2019-05-02", "2019-05-03", "2019-05-04", "2019-05-05"])),
        ("class", text(["food", "rent", "food", "rent"])),
        ("amount", Arc::new(Int64Array::from(vec![1, -2, 3, -4]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = fs::File::create(&path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let map =
        PARQUET.replace("TYPES", "").replace("\"'2019-05-02'\"", "'day'").replace("\"'food'\"", "'class'");
    take(&bench, &format!("{map}[rows]\nwhere = 'amount < 0'\n"), &path, CLASSES).unwrap();
    let rows = ledger(&bench);
    assert_eq!(rows.integer(NAMES.amount_minor).unwrap(), [-200, -400]);
    assert_eq!(rows.text(NAMES.customer).unwrap(), ["B2", "D4"]);
    assert_eq!(rows.text(NAMES.class).unwrap(), ["rent", "rent"]);
    let days = [1_556_841_600_000, 1_557_014_400_000];
    assert_eq!(rows.time(NAMES.time).unwrap(), days);
}

#[test]
fn uuids_have_their_usual_text() {
    let bench = Bench::new();
    let path = bench.folder.path().join("raw.parquet");
    let field = |name: &str, kind, length: i32, logical| {
        Arc::new(
            Type::primitive_type_builder(name, kind)
                .with_repetition(Repetition::REQUIRED)
                .with_length(length)
                .with_logical_type(logical)
                .build()
                .unwrap(),
        )
    };
    let fields = vec![
        field("customer", PhysicalType::FIXED_LEN_BYTE_ARRAY, 16, Some(LogicalType::Uuid)),
        field("amount", PhysicalType::INT32, 0, None),
        field("memo", PhysicalType::BYTE_ARRAY, 0, Some(LogicalType::String)),
    ];
    let schema = Arc::new(Type::group_type_builder("schema").with_fields(fields).build().unwrap());
    let file = fs::File::create(&path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(WriterProperties::new())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let id: Vec<u8> = (0..16).map(|byte| byte * 17).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<FixedLenByteArrayType>().write_batch(&[FixedLenByteArray::from(id)], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&[-7], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&[ByteArray::from("x")], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    take(&bench, &PARQUET.replace("TYPES", ""), &path, CLASSES).unwrap();
    assert_eq!(ledger(&bench).text(NAMES.customer).unwrap(), ["00112233-4455-6677-8899-aabbccddeeff"]);
}
