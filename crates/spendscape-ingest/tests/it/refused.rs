//! Files that were once read wrongly without a word: each kind is read rightly now, or refused by name.

use std::{path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, Date32Array, Int32Array, Int64Array, RecordBatch, StringArray, UInt64Array},
    datatypes::{Int64Type, TimestampMillisecondType},
};
use parquet::{
    data_type::{ByteArray, ByteArrayType, DataType, Int96, Int96Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use spendscape_ingest::{ColumnMap, Error, IngestReport, ingest};
use spendscape_schema::{Table, Taxonomy};
use spendscape_store::read_table;

use super::bad_input::{Bench, assert_says};
use crate::NAMES;

const HEADER: &str = "customer;time;amount;class\n";

/// A map of a CSV file, whose amounts have two digits, with more lines in its sections.
fn csv_map(source: &str, columns: &str, rest: &str) -> String {
    format!(
        "currency = 'EUR'\n[source]\ndelimiter = ';'\n{source}\n[types]\namount = 'decimal(12, 2)'\n[columns]\n\
         customer = 'customer'\ntime = 'time'\nclass = 'class'\n{columns}\n{rest}"
    )
}

fn parquet_map(amount: &str, rest: &str) -> String {
    format!(
        "currency = 'EUR'\n[source]\nformat = 'parquet'\n[columns]\ncustomer = 'customer'\ntime = 'time'\n\
         class = 'class'\namount = '{amount}'\n{rest}"
    )
}

fn taxonomy() -> Taxonomy {
    Taxonomy::from_toml("name = 't'\n[classes]\nfood = { codes = ['food'] }\nrent = { codes = ['rent'] }")
        .unwrap()
}

fn take(bench: &Bench, map: &str, path: &Path) -> Result<IngestReport, Error> {
    ingest(&ColumnMap::from_toml(map)?, &taxonomy(), &[path], &bench.ledger(), &bench.options())
}

fn take_csv(bench: &Bench, map: &str, content: &str) -> Result<IngestReport, Error> {
    take(bench, map, &bench.file("raw.csv", content))
}

/// What is said of a file that is refused, which blames the input and leaves no ledger.
#[track_caller]
fn refusal(bench: &Bench, map: &str, content: &str) -> String {
    let error = take_csv(bench, map, content).unwrap_err();
    assert!(error.is_bad_input() && !bench.ledger().exists(), "{error}");
    error.to_string()
}

fn amounts(bench: &Bench) -> Vec<i64> {
    let rows = read_table(&bench.ledger(), Table::Ledger).unwrap().rows;
    let amounts = rows.integer(NAMES.amount_minor).unwrap();
    std::fs::remove_file(bench.ledger()).unwrap();
    amounts
}

fn days(bench: &Bench) -> Vec<i64> {
    let rows = read_table(&bench.ledger(), Table::Ledger).unwrap().rows;
    let times =
        rows.batch().column_by_name(NAMES.time).unwrap().as_primitive::<TimestampMillisecondType>().clone();
    std::fs::remove_file(bench.ledger()).unwrap();
    assert!(times.values().iter().all(|millis| millis % 86_400_000 == 0));
    times.values().iter().map(|millis| millis / 86_400_000).collect()
}

#[test]
fn a_sign_that_groups_no_three_digits_is_refused() {
    let bench = Bench::new();
    let rows = |amount: &str| format!("{HEADER}A1;2019-05-02;-7,5;food\nA1;2020-05-02;{amount};rent\n");
    let german = csv_map("decimal_sign = ','\ngrouping = '.'", "amount = 'amount'", "");
    for amount in ["-12.50", "-1.00", "-1.2345", "1.23.456", "-0.500"] {
        let says = refusal(&bench, &german, &rows(amount));
        assert_says(
            &says,
            &["row 2 (line 3), column amount", amount, "'.' is the grouping sign", "decimal sign here"],
        );
    }
    take_csv(&bench, &german, &rows("-1.234,50")).unwrap();
    assert_eq!(amounts(&bench), [-750, -123_450]);
    let english = csv_map("grouping = ','", "amount = 'amount'", "");
    assert_says(
        &refusal(&bench, &english, &rows("-1,234.50").replace("-7,5", "-12,50")),
        &["row 1", "\"-12,50\""],
    );
    // The other way round a thousand would be one.
    let says =
        refusal(&bench, &csv_map("", "amount = 'amount'", ""), &rows("-1.000").replace("-7,5", "-7.5"));
    assert_says(
        &says,
        &["row 2 (line 3), column amount", "\"-1.000\"", "three digits follow '.'", "source.grouping"],
    );
    let indian = csv_map("grouping = ','\ngroups = 'indian'", "amount = 'amount'", "");
    take_csv(&bench, &indian, &rows("-12,34,567.5").replace("-7,5", "-1e2")).unwrap();
    assert_eq!(amounts(&bench), [-10_000, -123_456_750]);
    let wrong = |line| ColumnMap::from_toml(&csv_map(line, "amount = 'amount'", "")).unwrap_err().to_string();
    assert_says(&wrong("grouping = '-'"), &["source.grouping", "meaning of their own"]);
    assert_says(&wrong("decimal_sign = '0'"), &["source.decimal_sign", "meaning of their own"]);
}

#[test]
fn an_amount_that_cannot_be_read_says_which_signs_were_expected() {
    let bench = Bench::new();
    let map = csv_map("", "amount = 'amount'", "");
    let says = |amount: &str| refusal(&bench, &map, &format!("{HEADER}A1;2019-05-02;{amount};food\n"));
    assert_says(&says("-2.361,25"), &["'.' before decimals and nothing between", "source.decimal_sign"]);
    assert_says(&says("4.440892e-16"), &["22 digits after the decimal sign"]);
    assert_says(&says("1e10"), &["more than 10 digits before"]);
    take_csv(&bench, &map, &format!("{HEADER}A1;2019-05-02;-1e+05;food\n")).unwrap();
    assert_eq!(amounts(&bench), [-10_000_000]);
}

const MEMOS: &str = "customer;time;amount;class;memo\n";

#[test]
fn a_quote_that_swallows_rows_is_refused() {
    let bench = Bench::new();
    let map = csv_map("", "amount = 'amount'", "");
    let row = |memo: &str| format!("A1;2019-05-02;-10.00;food;{memo}\n");
    let file = |memos: &[&str]| format!("{MEMOS}{}", memos.iter().map(|memo| row(memo)).collect::<String>());
    let plain = "set `source.quote = \"\"`";
    // Text after the quote that closes the field by chance, in this row or in a later one.
    assert_says(
        &refusal(&bench, &map, &file(&["\"BIG JOE DINER", "flat", "TAPE 5\" WIDE", "x"])),
        &["row 1 (line 2)", "text follows a closing quote", plain],
    );
    assert_says(&refusal(&bench, &map, &file(&["x", "\"BIG\" JOE"])), &["row 2 (line 3)", "text follows"]);
    // A quote that ends a line closes the field.
    let swallowed = refusal(&bench, &map, &file(&["\"BIG JOE DINER", "flat", "TAPE 5\"", "x"]));
    assert_says(&swallowed, &["row 1 (line 2)", "swallows rows", plain]);
    // No later quote at all.
    assert_says(
        &refusal(&bench, &map, &file(&["x", "\"BIG JOE", "flat"])),
        &["row 2 (line 3)", "not closed", plain],
    );
    assert_says(&refusal(&bench, &map, file(&["x", "\"BIG", "flat"]).trim_end()), &["row 2", "not closed"]);
    assert_says(&refusal(&bench, &map, &format!("\"{}", file(&["x"]))), &["header (line 1)", "not closed"]);
    let short = refusal(&bench, &map, &file(&["\"a\nb\";7"]));
    assert_says(&short, &["6 fields where the header has 5", "spans lines"]);
    // What quotes are for: delimiters, quotes and lines of text; and quotes within unquoted text.
    let good = file(&["\"a;b\"", "\"say \"\"hi\"\"\"", "\"two\nlines; of text\"", "5\" tape", "\"\""]);
    assert_eq!(take_csv(&bench, &map, &good).unwrap().rows_written, 5);
    std::fs::remove_file(bench.ledger()).unwrap();
    let stray = file(&["\"BIG JOE DINER", "flat", "TAPE 5\" WIDE"]);
    assert_eq!(
        take_csv(&bench, &csv_map("quote = ''", "amount = 'amount'", ""), &stray).unwrap().rows_written,
        3
    );
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    let bench = Bench::new();
    let map = csv_map("", "amount = 'amount'", "");
    let rows = "A1;2019-05-02;-1.00;food\nA1;2019-05-02;oops;food\n";
    for (content, line) in [
        (format!("{HEADER}{rows}"), 3),
        (format!("{HEADER}{rows}").replace('\n', "\r\n"), 3),
        (format!("{HEADER}{rows}").replace('\n', "\r"), 3),
        (format!("\n{HEADER}\n\n{rows}").replace("food\nA1", "food\n\n\nA1"), 8),
        (format!("\u{feff}{HEADER}{rows}").replace('\n', "\r\n\r\n"), 5),
        (
            format!("{HEADER}{}{rows}", "A1;2019-05-02;-1.00;food\n".repeat(40_000)).replace('\n', "\r\n"),
            40_003,
        ),
    ] {
        let row = if line > 40_000 { 40_002 } else { 2 };
        assert_says(&refusal(&bench, &map, &content), &[&format!("row {row} (line {line}), column amount")]);
    }
}

#[test]
fn years_have_four_digits_and_lie_near() {
    let bench = Bench::new();
    let map = |time: &str| csv_map("", "amount = 'amount'", &format!("[time]\n{time}"));
    let rows = |day: &str| format!("{HEADER}A1;2.5.2019;-1.00;food\nA1;{day};-2.00;rent\n");
    let dotted = "formats = ['%d.%m.%Y']";
    for day in ["3.6.19", "3.6.209"] {
        assert_says(&refusal(&bench, &map(dotted), &rows(day)), &["row 2 (line 3), column time", day]);
    }
    let both = "formats = ['%d.%m.%Y', '%d.%m.%y']";
    take_csv(&bench, &map(both), &rows("3.6.19")).unwrap();
    assert_eq!(days(&bench), [18_018, 18_050]);
    for (day, says) in [
        ("3.6.0019", "before 1900"),
        ("3.6.-2019", "before 1900"),
        ("31.12.9999", "after 2199"),
        ("31.12.1899", "before 1900"),
    ] {
        assert_says(&refusal(&bench, &map(dotted), &rows(day)), &["row 2", says]);
        // Dropping is for days that the map speaks of.
        let drop = format!("{dotted}\noutside = 'drop'");
        assert_says(&refusal(&bench, &map(&drop), &rows(day)), &["row 2", says]);
    }
    let old = format!("{dotted}\nearliest = 1800-01-01");
    take_csv(&bench, &map(&old), &rows("31.12.1899")).unwrap();
    assert_eq!(days(&bench), [18_018, -25_568]);
    let until = format!("{dotted}\nlatest = 2021-12-31\noutside = 'drop'");
    let report = take_csv(&bench, &map(&until), &rows("31.12.9999")).unwrap();
    assert_eq!((report.outside_time.count, days(&bench)), (1, vec![18_018]));
    assert_says(
        &report.outside_time.examples[0].to_string(),
        &["raw.csv, row 2 (line 3), column time: 9999-12-31"],
    );
    // A digit lost where numbers touch moves the others.
    let packed = "formats = ['%Y%m%d']";
    let lost = rows("2090102").replace("2.5.2019", "20190502");
    assert_says(&refusal(&bench, &map(packed), &lost), &["row 2", "2090102"]);
    let leap = rows("2016-12-31 23:59:60").replace("2.5.2019", "2019-05-02 23:59:59");
    assert_says(&refusal(&bench, &map(""), &leap), &["row 2", "60th second"]);
}

/// Writes four rows, the last one with a day of 9999.
pub(crate) fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn labels() -> (ArrayRef, ArrayRef) {
    (
        Arc::new(StringArray::from(vec!["A1", "A1", "B2", "B2"])),
        Arc::new(StringArray::from(vec!["food", "rent", "food", "rent"])),
    )
}

/// Days since 1970: 2019-05-02, 2020-05-02, 2019-06-03 and 9999-12-31.
const DAYS: [i32; 4] = [18_018, 18_384, 18_050, 2_932_896];

/// A file with times of 96 bits, also nested, and no Arrow schema, as Spark and Hive write.
fn write_int96(path: &Path) {
    let schema = "message schema { required binary customer (UTF8); required int96 time; \
                  required group span { required int96 start; } required binary class (UTF8); }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(WriterProperties::new())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    fn column<T: DataType>(
        group: &mut parquet::file::writer::SerializedRowGroupWriter<'_, std::fs::File>,
        values: &[T::T],
    ) {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(values, None, None).unwrap();
        column.close().unwrap();
    }
    let texts = |texts: [&str; 4]| texts.map(ByteArray::from);
    column::<ByteArrayType>(&mut group, &texts(["A1", "A1", "B2", "B2"]));
    let times = DAYS.map(|day| {
        let mut time = Int96::new();
        // The Julian day of 1970-01-01 is 2,440,588; the nanoseconds of the day come first.
        time.set_data(0, 0, day as u32 + 2_440_588);
        time
    });
    column::<Int96Type>(&mut group, &times);
    column::<Int96Type>(&mut group, &times);
    column::<ByteArrayType>(&mut group, &texts(["food", "rent", "food", "rent"]));
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn dates_of_any_unit_are_dropped_or_refused_as_dates() {
    use arrow::array::{
        Date64Array, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampSecondArray,
    };
    let bench = Bench::new();
    let path = bench.folder.path().join("raw.parquet");
    let millis = DAYS.map(|day| i64::from(day) * 86_400_000);
    let (customer, class) = labels();
    let mut columns: Vec<Option<ArrayRef>> = vec![
        None,
        Some(Arc::new(Date32Array::from(DAYS.to_vec()))),
        Some(Arc::new(Date64Array::from(millis.to_vec()))),
        Some(Arc::new(TimestampMillisecondArray::from(millis.to_vec()))),
        Some(Arc::new(TimestampMicrosecondArray::from(millis.map(|millis| millis * 1_000).to_vec()))),
        Some(Arc::new(TimestampSecondArray::from(millis.map(|millis| millis / 1_000).to_vec()))),
    ];
    let instants = TimestampMicrosecondArray::from(millis.map(|millis| millis * 1_000).to_vec());
    columns.push(Some(Arc::new(instants.with_timezone("UTC"))));
    for (at, times) in columns.into_iter().enumerate() {
        match times {
            None => write_int96(&path),
            Some(times) => {
                write(&path, vec![("customer", customer.clone()), ("time", times), ("class", class.clone())]);
            }
        }
        let error = take(&bench, &parquet_map("-1.00", ""), &path).unwrap_err();
        assert_says(
            &error.to_string(),
            &["raw.parquet, row 4, column time", "9999-12-31T00:00:00 lies after 2199"],
        );
        assert!(error.is_bad_input());
        let late = parquet_map("-1.00", "[time]\nlatest = 2021-12-31");
        let error = take(&bench, &late, &path).unwrap_err().to_string();
        assert_says(&error, &["row 4", "9999-12-31T00:00:00 lies outside any day to 2021-12-31"]);
        let report = take(&bench, &format!("{late}\noutside = 'drop'"), &path).unwrap();
        assert_eq!(
            (report.outside_time.count, days(&bench)),
            (1, vec![18_018, 18_384, 18_050]),
            "column {at}"
        );
        if at < 6 {
            let any = parquet_map("-1.00", "[time]\nlatest = 9999-12-31");
            let report = take(&bench, &any, &path).unwrap();
            assert_eq!(report.times.unwrap().1, "9999-12-31T00:00:00", "column {at}");
            assert_eq!(days(&bench)[3], 2_932_896);
        }
    }
    write_int96(&path);
    let nested = parquet_map("-1.00", "[time]\nlatest = 2021-12-31\noutside = 'drop'");
    take(&bench, &nested.replace("'time'", "'span.start'"), &path).unwrap();
    assert_eq!(days(&bench), [18_018, 18_384, 18_050]);
    // Seconds that no calendar holds.
    let times: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0, 1, 2, i64::MAX]));
    write(&path, vec![("customer", customer), ("time", times), ("class", class)]);
    let report =
        take(&bench, &parquet_map("-1.00", "[time]\nlatest = 2021-12-31\noutside = 'drop'"), &path).unwrap();
    assert_eq!((report.rows_written, report.outside_time.count), (3, 1));
}

#[test]
fn cents_divide_exactly_in_every_format() {
    let bench = Bench::new();
    let cents = [-1050_i64, -2099, -3001, -40];
    let (customer, class) = labels();
    let time: ArrayRef = Arc::new(Date32Array::from(vec![18_018; 4]));
    let path = bench.folder.path().join("raw.parquet");
    let whole: [ArrayRef; 3] = [
        Arc::new(Int64Array::from(cents.to_vec())),
        Arc::new(Int32Array::from(cents.map(|cents| cents as i32).to_vec())),
        Arc::new(UInt64Array::from(cents.map(i64::unsigned_abs).to_vec())),
    ];
    for (column, sign) in whole.into_iter().zip([1, 1, -1]) {
        let columns = vec![
            ("customer", customer.clone()),
            ("time", time.clone()),
            ("amount", column),
            ("class", class.clone()),
        ];
        write(&path, columns);
        for amount in ["amount / 100", "amount / 100.0", "(amount + 0) / 10 / 10", "1.0 * amount / 100"] {
            take(&bench, &parquet_map(amount, ""), &path).unwrap();
            assert_eq!(amounts(&bench), cents.map(|cents| sign * cents), "{amount}");
        }
        // Unsigned whole numbers meet others as decimals anywhere.
        if sign < 0 {
            continue;
        }
        for (amount, rest) in [
            ("CAST(amount AS BIGINT) / 100", ""),
            ("amount", "balance = 'CAST(amount AS INT) / 100'"),
            ("amount", "[rows]\nwhere = 'amount / 100 < 0'"),
        ] {
            let error = take(&bench, &parquet_map(amount, rest), &path).unwrap_err();
            assert_says(&error.to_string(), &["divides whole numbers", "/ 100.0"]);
            assert!(error.is_bad_input());
        }
    }
    // The same of text, and to the last digit of a millionth.
    let content = format!("{HEADER}A1;2019-05-02;-1005001;food\nA1;2019-05-02;-1005000;food\n");
    let csv = csv_map("", "amount = 'amount / 1000000'", "").replace("decimal(12, 2)", "integer");
    take_csv(&bench, &csv, &content).unwrap();
    // Half a cent goes to the even neighbor, what is more does not.
    assert_eq!(amounts(&bench), [-101, -100]);
    let coarse = csv.replace("1000000", "3").replace("[source]", "minor_digits = 8\n[source]");
    assert_says(&refusal(&bench, &coarse, &content), &["columns.amount", "4 decimal digits of the 8"]);
    let cast = csv_map("", "amount = 'CAST(amount AS BIGINT) / 100'", "");
    assert_says(&refusal(&bench, &cast, &content), &["columns.amount", "divides whole numbers"]);
}

#[test]
fn null_marks_are_null_where_declared_and_no_customers_elsewhere() {
    let bench = Bench::new();
    let content = "customer;time;amount;class;balance\nA1;2019-05-02;-1.00;food;\\N\nNULL;2019-05-02;-2.00;food;5.00\n\
                   A1;2019-05-02;-4.00;food;6.00\n";
    let map = |source: &str| {
        csv_map(source, "amount = 'amount'\nbalance = 'balance'", "[rows]\nno_customer = 'drop'")
            .replace("[types]", "[types]\nbalance = 'decimal(12, 2)'")
    };
    let report = take_csv(&bench, &map("nulls = ['NULL', '\\N']"), content).unwrap();
    assert_eq!((report.rows_written, report.without_customer.count), (2, 1));
    let rows = read_table(&bench.ledger(), Table::Ledger).unwrap().rows;
    let balance =
        rows.batch().column_by_name(NAMES.balance_minor).unwrap().as_primitive::<Int64Type>().clone();
    assert_eq!(balance.iter().collect::<Vec<_>>(), [None, Some(600)]);
    assert_eq!(amounts(&bench), [-100, -400]);
    assert_says(
        &refusal(&bench, &map("nulls = ['NULL']"), content),
        &["row 1", "column balance", "\\\\N", "source.nulls"],
    );
    for mark in ["NULL", "null", "\\N", "N/A", "nan", "None", "#N/A", "-", " NA "] {
        let content = content.replace("NULL", mark).replace(";\\N\n", ";\n");
        let says = refusal(&bench, &map(""), &content);
        assert_says(
            &says,
            &["row 2 (line 3), column customer", "looks like a mark", "source.nulls", "source.not_nulls"],
        );
        take_csv(&bench, &map(&format!("not_nulls = ['{}']", mark.trim())), &content).unwrap();
        assert_eq!(amounts(&bench), [-100, -200, -400]);
    }
    let parquet =
        ColumnMap::from_toml(&parquet_map("-1.00", "").replace("[columns]", "nulls = ['NULL']\n[columns]"));
    assert_says(&parquet.unwrap_err().to_string(), &["source.nulls", "nullif(column, 'NULL')"]);
}

#[test]
fn debit_and_credit_in_two_columns_are_one_amount() {
    let bench = Bench::new();
    let content = "customer;time;debit;credit;class\nA1;2019-05-02;10.00;;food\nA1;2019-05-20;;1500.00;food\n\
                   A1;2019-05-21;2.00;0.50;food\n";
    let map = |amount: &str| {
        csv_map("", &format!("amount = '{amount}'"), "")
            .replace("amount = 'decimal(12, 2)'", "debit = 'decimal(12, 2)'\ncredit = 'decimal(12, 2)'")
    };
    let says = refusal(&bench, &map("credit - debit"), content);
    assert_says(&says, &["row 1 (line 2), column amount: no value: credit is empty", "coalesce"]);
    take_csv(&bench, &map("coalesce(credit - debit, credit, -debit)"), content).unwrap();
    assert_eq!(amounts(&bench), [-1_000, 150_000, -150]);
    let neither = content.replace("2.00;0.50", ";");
    let says = refusal(&bench, &map("coalesce(credit - debit, credit, -debit)"), &neither);
    assert_says(&says, &["row 3", "debit, credit are empty"]);
}

#[test]
fn nothing_is_evaluated_for_no_row() {
    let bench = Bench::new();
    let map = csv_map("", "amount = 'amount'", "[rows]\nwhere = '1 = 0'")
        .replace("customer = 'customer'", "customer = 'CAST(1/0 AS VARCHAR)'");
    let content = format!("{HEADER}A1;2019-05-02;-1.00;food\n");
    assert_says(&refusal(&bench, &map, &content), &["none of the 1 rows"]);
    // The row is that of the file, not that among those that the condition kept.
    let map = csv_map("", "amount = 'amount'", "[rows]\nwhere = \"class = 'rent'\"")
        .replace("customer = 'customer'", "customer = 'CAST(CAST(customer AS INT) AS VARCHAR)'");
    let content = format!(
        "{HEADER}1;2019-05-02;-1.00;food\n2;2019-05-02;-1.00;rent\n\n\u{1b}[31m;2019-05-02;-1.00;rent\n"
    );
    let says = refusal(&bench, &map, &content);
    assert_says(&says, &["row 3 (line 5), column columns.customer", "\\u{1b}[31m"]);
    assert!(!says.contains('\u{1b}'));
}

#[test]
fn columns_are_bounded_and_advice_on_twins_can_be_followed() {
    let bench = Bench::new();
    let wide: String = (0..5_000).map(|at| format!(";c{at}")).collect();
    let text = format!("{}{wide}\nA1;2019-05-02;-1.00;food{}\n", HEADER.trim_end(), ";".repeat(5_000));
    let says = refusal(&bench, &csv_map("", "amount = 'amount'", ""), &text);
    assert_says(&says, &["raw.csv has 5004 columns, and at most 4096"]);
    // A Parquet file has no header line that could be replaced.
    let (customer, class) = labels();
    let days: ArrayRef = Arc::new(Date32Array::from(vec![18_000; customer.len()]));
    let amount: ArrayRef = Arc::new(Int64Array::from(vec![-1; customer.len()]));
    let path = bench.folder.path().join("twins.parquet");
    let columns = [
        ("customer", customer),
        ("class", class),
        ("time", days),
        ("amount", amount.clone()),
        ("amount", amount),
    ];
    write(&path, columns.to_vec());
    let error = take(&bench, &parquet_map("amount", ""), &path).unwrap_err().to_string();
    assert_says(&error, &["twins.parquet has two columns \"amount\"", "write it with other names"]);
    assert!(!error.contains("source.header"), "{error}");
}

#[test]
fn expressions_are_bounded() {
    let bench = Bench::new();
    let content = format!("{HEADER}A1;2019-05-02;-1.00;food\n");
    let map = |class: &str| {
        csv_map("", "amount = 'amount'", "").replace("class = 'class'", &format!("class = \"{class}\""))
    };
    let nested = |open: &str, levels: usize, close: &str| {
        format!("{}class{}", open.repeat(levels), close.repeat(levels))
    };
    let chain = |levels: usize| format!("'food'{}", " || ''".repeat(levels));
    // Some of each are evaluated, many are refused.
    for good in [nested("trim(", 15, ")"), chain(200), "replace(class, 'o', 'o')".to_owned()] {
        take_csv(&bench, &map(&good), &content).unwrap();
        std::fs::remove_file(bench.ledger()).unwrap();
    }
    for (bad, says) in [
        (nested("(", 45, ")"), "nested too deeply"),
        (nested("trim(", 45, ")"), "nested too deeply"),
        (nested("coalesce(", 10, ", 'x')"), "nested too deeply"),
        (chain(300), "nested too deeply"),
        (format!("'{}'", "x".repeat(20_000)), "at most 16384"),
        ("repeat(class, 100000)".to_owned(), "repeat may make texts of 6400000 bytes"),
        ("repeat(class, length(class))".to_owned(), "its length as a number"),
        ("lpad(class, 70000, '0')".to_owned(), "lpad may make texts"),
        (
            format!("replace(replace(class, '', '{0}'), 'x', '{0}')", "x".repeat(500)),
            "replace may make texts",
        ),
        ("CAST(1e1000 AS VARCHAR)".to_owned(), "an exponent of 4 digits"),
        ("arrow_cast(class, 'FixedSizeBinary(4)')".to_owned(), "fixed size"),
        ("(SELECT 'food')".to_owned(), "no queries"),
        (format!("class{}", "['x']".repeat(300)), "nested too deeply"),
    ] {
        let says_all = refusal(&bench, &map(&bad), &content);
        assert_says(&says_all, &["columns.class", says]);
        assert!(says_all.len() < 3_000, "{}", says_all.len());
    }
}
