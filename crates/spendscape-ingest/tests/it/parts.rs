//! Parquet files that differ, as parts of one table do that were written by different programs or releases.

use std::{fs::File, path::PathBuf, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BinaryArray, Decimal128Array, Decimal256Array, FixedSizeBinaryArray, Float64Array,
        Int32Array, Int64Array, ListArray, NullArray, RecordBatch, StringArray, StructArray,
        TimestampMicrosecondArray, TimestampNanosecondArray,
    },
    datatypes::{DataType, Field, Int32Type, i256},
};
use spendscape_ingest::{ColumnMap, Error, IngestReport, ingest};
use spendscape_schema::{Table, arrays::Rows};
use spendscape_store::read_table;

use super::bad_input::{Bench, assert_says, taxonomy};
use crate::NAMES;

/// 2 May 2019 at noon.
const NOON: i64 = 1_556_798_400;

fn map(columns: &str, source: &str) -> String {
    format!(
        "currency = 'EUR'\n[source]\nformat = 'parquet'\n{source}\n[columns]\ncustomer = 'customer'\ntime = 'time'\n\
         amount = 'amount'\nclass = 'class'\n{columns}\n"
    )
}

/// A part of one row.
fn part(bench: &Bench, name: &str, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
    let given: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let usual: [(&str, ArrayRef); 4] = [
        ("customer", Arc::new(StringArray::from(vec!["A1"]))),
        ("time", Arc::new(TimestampMicrosecondArray::from(vec![NOON * 1_000_000]))),
        ("amount", Arc::new(Decimal128Array::from(vec![-100]).with_precision_and_scale(9, 2).unwrap())),
        ("class", Arc::new(StringArray::from(vec!["f"]))),
    ];
    let usual = usual.into_iter().filter(|(name, _)| !given.contains(name)).collect::<Vec<_>>();
    let batch = RecordBatch::try_from_iter(columns.into_iter().chain(usual)).unwrap();
    let path = bench.folder.path().join(name);
    let file = File::create(&path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

fn take(bench: &Bench, map: &str, files: &[PathBuf]) -> Result<(IngestReport, Rows), Error> {
    let report = ingest(&ColumnMap::from_toml(map)?, &taxonomy(), files, &bench.ledger(), &bench.options())?;
    Ok((report, read_table(&bench.ledger(), Table::Ledger).unwrap().rows))
}

#[track_caller]
fn refusal(bench: &Bench, map: &str, files: &[PathBuf]) -> String {
    let error = take(bench, map, files).map(|(report, _)| report).unwrap_err();
    assert!(error.is_bad_input() && !bench.ledger().exists(), "{error}");
    error.to_string()
}

#[test]
fn a_column_that_a_part_lacks_is_null_only_where_the_map_says_so() {
    let bench = Bench::new();
    let files = [
        part(&bench, "1.parquet", vec![]),
        part(&bench, "2.parquet", vec![("shop", Arc::new(StringArray::from(vec!["Aldi"])))]),
    ];
    for files in [files.clone(), [files[1].clone(), files[0].clone()]] {
        let says = refusal(&bench, &map("place = 'shop'", ""), &files);
        assert_says(
            &says,
            &["column \"shop\"", "1.parquet is missing", "not in", "2.parquet", "source.absent"],
        );
        let (report, rows) = take(&bench, &map("place = 'shop'", "absent = ['shop']"), &files).unwrap();
        let lacks = report.files.iter().map(|file| file.absent.as_slice()).collect::<Vec<_>>();
        let (with, without) = if files[0].ends_with("1.parquet") { (1, 0) } else { (0, 1) };
        assert_eq!((lacks[with], lacks[without]), (&[] as &[String], &["shop".to_owned()] as &[String]));
        let places = rows.batch().column_by_name(NAMES.place).unwrap();
        assert!(places.is_null(without) && places.is_valid(with));
        std::fs::remove_file(bench.ledger()).unwrap();
        // What no expression names may be there or not.
        take(&bench, &map("", ""), &files).unwrap();
        std::fs::remove_file(bench.ledger()).unwrap();
    }
    let (report, _) = take(&bench, &map("place = 'note'", "absent = ['note']"), &files).unwrap();
    assert!(report.files.iter().all(|file| file.absent == ["note"]));
}

#[test]
fn text_files_may_lack_a_column_too() {
    let bench = Bench::new();
    let map = "currency = 'EUR'\n[source]\nabsent = ['shop']\n[types]\namount = 'integer'\n[columns]\ncustomer = 'customer'\n\
               time = 'time'\namount = 'amount'\nclass = 'class'\nplace = 'shop'";
    let files = [
        bench.file("1.csv", "customer,time,amount,class\nA1,2019-05-02,-1,f\n"),
        bench.file("2.csv", "customer,time,amount,class,shop\nA1,2019-05-02,-1,f,Aldi\n"),
    ];
    for files in [files.clone(), [files[1].clone(), files[0].clone()]] {
        let (report, rows) = take(&bench, map, &files).unwrap();
        assert_eq!(report.files.iter().filter(|file| file.absent == ["shop"]).count(), 1);
        assert_eq!(rows.batch().column_by_name(NAMES.place).unwrap().null_count(), 1);
        std::fs::remove_file(bench.ledger()).unwrap();
    }
    let says = refusal(&bench, &map.replace("['shop']", "[]"), &files);
    assert_says(&says, &["1.csv has no column \"shop\""]);
}

#[test]
fn wider_numbers_finer_times_and_empty_columns_are_one_ledger() {
    let bench = Bench::new();
    let decimal = |value: i128, precision, scale| -> ArrayRef {
        Arc::new(Decimal128Array::from(vec![value]).with_precision_and_scale(precision, scale).unwrap())
    };
    let wide = Decimal256Array::from(vec![i256::from_i128(-12_345) * i256::from_i128(10).wrapping_pow(48)]);
    let open_end: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![253_402_214_400_000_000]));
    let files = [
        part(&bench, "1.parquet", vec![("amount", decimal(-1_050, 9, 2)), ("end", open_end)]),
        part(
            &bench,
            "2.parquet",
            vec![
                ("end", Arc::new(TimestampNanosecondArray::from(vec![NOON * 1_000_000_000 + 1]))),
                ("amount", decimal(-99, 9, 4)),
                ("class", Arc::new(StringArray::from(vec!["r"]))),
            ],
        ),
        part(
            &bench,
            "3.parquet",
            vec![("amount", Arc::new(Int32Array::from(vec![-7]))), ("end", Arc::new(NullArray::new(1)))],
        ),
        part(
            &bench,
            "4.parquet",
            vec![
                ("amount", Arc::new(wide.with_precision_and_scale(76, 50).unwrap())),
                ("end", Arc::new(arrow::array::Date32Array::from(vec![18_018]))),
            ],
        ),
    ];
    let columns = "place = \"CAST(\\\"end\\\" AS VARCHAR)\"";
    let mut found = Vec::new();
    for files in [files.to_vec(), files.iter().rev().cloned().collect()] {
        let (_, rows) = take(&bench, &map(columns, ""), &files).unwrap();
        let places =
            arrow::compute::cast(rows.batch().column_by_name(NAMES.place).unwrap(), &DataType::Utf8).unwrap();
        let places: &StringArray = arrow::array::AsArray::as_string(&places);
        let places = places.iter().map(|place| place.map(str::to_owned));
        let amounts = rows.integer(NAMES.amount_minor).unwrap();
        found.push(amounts.into_iter().zip(places).collect::<Vec<_>>());
        std::fs::remove_file(bench.ledger()).unwrap();
    }
    let place = |text: &str| Some(text.to_owned());
    let expected = [
        (-1_050, place("9999-12-31T00:00:00")),
        (-1, place("2019-05-02T12:00:00")),
        (-700, None),
        (-12_345, place("2019-05-02T00:00:00")),
    ];
    assert_eq!(found[0], expected);
    found[1].reverse();
    assert_eq!(found[1], expected);
}

#[test]
fn types_without_a_common_one_are_refused_with_both_files() {
    let bench = Bench::new();
    let text = part(&bench, "text.parquet", vec![("amount", Arc::new(StringArray::from(vec!["-1.00"])))]);
    let usual = part(&bench, "usual.parquet", vec![]);
    let float = part(&bench, "float.parquet", vec![("amount", Arc::new(Float64Array::from(vec![-1.5])))]);
    let whole =
        part(&bench, "whole.parquet", vec![("amount", Arc::new(Int64Array::from(vec![(1_i64 << 53) + 1])))]);
    let says = refusal(&bench, &map("", ""), &[usual.clone(), text.clone()]);
    assert_says(
        &says,
        &[
            "column \"amount\"",
            "text.parquet has the type Utf8",
            "Decimal128(9, 2) in",
            "usual.parquet",
            "without loss",
        ],
    );
    // The file that gave the type is named, not the first.
    let says = refusal(&bench, &map("", ""), &[whole.clone(), float.clone(), usual.clone()]);
    assert_says(&says, &["usual.parquet has the type Decimal128(9, 2)", "Float64 in", "float.parquet"]);
    let says = refusal(&bench, &map("", ""), &[float, whole]);
    assert_says(
        &says,
        &[
            "whole.parquet, row 1, column amount",
            "Int64 in this file, Float64 over all files",
            "9007199254740993",
        ],
    );
    // What nobody reads may differ.
    take(&bench, &map("", "").replace("amount = 'amount'", "amount = '1'"), &[usual, text]).unwrap();
}

#[test]
fn bytes_are_text_or_taken_as_they_are() {
    let bench = Bench::new();
    let bytes = |value: &[u8]| -> ArrayRef { Arc::new(BinaryArray::from(vec![value])) };
    let fixed = FixedSizeBinaryArray::try_from_iter([b"A1\0\0"].into_iter()).unwrap();
    let files = [
        part(&bench, "1.parquet", vec![("customer", bytes("Žofie".as_bytes()))]),
        part(&bench, "2.parquet", vec![("customer", Arc::new(fixed))]),
        part(&bench, "3.parquet", vec![]),
    ];
    let (_, rows) = take(&bench, &map("", ""), &files).unwrap();
    assert_eq!(rows.text(NAMES.customer).unwrap(), ["Žofie", "A1", "A1"]);
    std::fs::remove_file(bench.ledger()).unwrap();
    let raw = part(&bench, "4.parquet", vec![("customer", bytes(b"\xff\x00\x10"))]);
    let says = refusal(&bench, &map("", ""), &[files[0].clone(), raw.clone()]);
    assert_says(&says, &["4.parquet, row 1", "columns.customer", "ff0010", "encode(\"customer\", 'hex')"]);
    let hex = map("", "").replace("customer = 'customer'", "customer = \"encode(customer, 'hex')\"");
    let (_, rows) = take(&bench, &hex, &[files[1].clone(), raw]).unwrap();
    assert_eq!(rows.text(NAMES.customer).unwrap(), ["41310000", "ff0010"]);
}

#[test]
fn fields_of_structs_are_reached_and_lists_are_refused() {
    let bench = Bench::new();
    let cents: ArrayRef = Arc::new(Int64Array::from(vec![-1_999]));
    let currency: ArrayRef = Arc::new(StringArray::from(vec!["EUR"]));
    let of = |name: &str, data_type: DataType| Arc::new(Field::new(name, data_type, true));
    let money = StructArray::from(vec![
        (of("cents", DataType::Int64), cents),
        (of("currency", DataType::Utf8), currency),
    ]);
    let items = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)])]);
    let files = [part(&bench, "1.parquet", vec![("money", Arc::new(money)), ("items", Arc::new(items))])];
    for field in ["money.cents", "money['cents']"] {
        let sql = map("place = 'money.currency'", "")
            .replace("amount = 'amount'", &format!("amount = \"{field} / 100\""));
        let (_, rows) = take(&bench, &sql, &files).unwrap();
        // Whole numbers in a struct divide as decimals, like others.
        assert_eq!(rows.integer(NAMES.amount_minor).unwrap(), [-1_999]);
        assert_eq!(rows.text(NAMES.place).unwrap(), ["EUR"]);
        std::fs::remove_file(bench.ledger()).unwrap();
    }
    let whole = map("place = 'money'", "");
    assert_says(&refusal(&bench, &whole, &files), &["columns.place", "cents, currency", "column['cents']"]);
    let list = map("place = 'items'", "");
    assert_says(&refusal(&bench, &list, &files), &["columns.place", "List", "any number of values"]);
    let element = map("place = 'items[1]'", "");
    assert_says(&refusal(&bench, &element, &files), &["columns.place", "a list has any number of values"]);
}
