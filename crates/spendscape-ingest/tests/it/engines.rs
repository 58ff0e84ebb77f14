//! The files of `tests/golden/engines`, written by the engines themselves: every column is read to the ledger that they were
//! given, or refused by name, and docs/FORMATS.md shows what they hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::{Path, PathBuf},
};

use jiff::civil::DateTime;
use parquet::{
    arrow::parquet_to_arrow_schema,
    basic::{ConvertedType, LogicalType, TimeUnit, Type as PhysicalType},
    file::reader::{FileReader, SerializedFileReader},
    schema::types::Type,
};
use spendscape_ingest::{ColumnMap, Error, ingest};
use spendscape_schema::{Table, Taxonomy};
use spendscape_store::read_table;

use super::bad_input::Bench;
use crate::NAMES;

/// The files, in the order of the tables, and what wrote them.
const ENGINES: [(&str, &str); 24] = [
    ("pandas", "pandas 3.1.1 (PyArrow 26.0.1)"),
    ("pyarrow", "PyArrow 26.0.1"),
    ("pyarrow-int96", "PyArrow 26.0.1, `use_deprecated_int96_timestamps`"),
    ("polars", "Polars 2.1.0"),
    ("polars-int128", "Polars 2.1.0, `Int128`"),
    ("duckdb", "DuckDB 2.0.1"),
    ("clickhouse", "ClickHouse 26.9.2 (chdb 4.4.0)"),
    ("spark-3", "Spark 3.5.9"),
    ("spark-4", "Spark 4.3.0"),
    ("sail", "Sail 0.7.2"),
    ("datafusion", "DataFusion 55.2.0"),
    ("deltalake", "delta-rs (deltalake 1.6.6)"),
    ("pyiceberg", "PyIceberg 0.12.0"),
    ("daft", "Daft 0.6.14"),
    ("fastparquet", "fastparquet 2026.9.0"),
    ("fastparquet-int96", "fastparquet 2026.9.0, `times=\"int96\"`"),
    ("carquet", "Carquet 0.7.2"),
    ("arrow-r", "R arrow 25.0.0"),
    ("nanoparquet", "nanoparquet 0.5.1.9000"),
    ("nanoparquet-schema", "nanoparquet 0.5.1.9000, with a schema"),
    ("parquet-wasm", "parquet-wasm 0.8.0"),
    ("hyparquet", "hyparquet-writer 0.17.0"),
    ("parquetjs", "parquetjs 0.11.2"),
    ("parquets", "parquets 0.10.10"),
];

/// The columns of the three tables.
const TEXTS: [&str; 9] = [
    "customer",
    "customer_category",
    "customer_enum",
    "customer_bytes",
    "customer_fixed",
    "customer_uuid",
    "customer_number",
    "customer_float",
    "class",
];
const TIMES: [&str; 8] =
    ["time_s", "time_ms", "time_us", "time_ns", "time_utc", "time_int96", "day", "day_ms"];
const AMOUNTS: [&str; 11] = [
    "amount_9",
    "amount_18",
    "amount_38",
    "amount_76",
    "amount_double",
    "amount_cents_32",
    "amount_cents",
    "amount_cents_128",
    "amount_cents_256",
    "amount_text",
    "nested",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/engines")
}

fn file(engine: &str) -> PathBuf {
    folder().join(format!("{engine}.parquet"))
}

/// The ledger that every engine was given, without the row of nulls.
struct Given(serde_json::Value);

/// The rows of a ledger: customer, milliseconds since 1970, minor units, place.
type Read = Vec<(String, i64, i64, Option<String>)>;

impl Given {
    fn new() -> Self {
        Self(serde_json::from_str(&fs::read_to_string(folder().join("ledger.json")).unwrap()).unwrap())
    }

    fn texts(&self, column: &str) -> Vec<String> {
        let values = self.0[column].as_array().unwrap().iter().filter(|value| !value.is_null());
        values.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect()
    }

    /// The rows as a ledger has them where these columns are read.
    fn rows(&self, customer: &str, time: &str, is_nested: bool) -> Read {
        let customers = match customer {
            "customer_uuid" => self.texts("customer_uuid"),
            "customer_number" | "customer_float" => self.texts("customer_number"),
            _ => self.texts("customer"),
        };
        let per_unit = match time {
            "time_s" => 1_000,
            "day" | "day_ms" => 86_400_000,
            _ => 1,
        };
        let times = self.texts("time").into_iter().map(|time| {
            let time: DateTime = time.parse().unwrap();
            let nanos = time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_nanosecond();
            let millis = i64::try_from(nanos.div_euclid(1_000_000)).unwrap();
            millis.div_euclid(per_unit) * per_unit
        });
        let amounts = self.texts("amount").into_iter().map(|amount| amount.replace('.', "").parse().unwrap());
        let places = self.texts("currency").into_iter().map(|currency| is_nested.then_some(currency));
        customers
            .into_iter()
            .zip(times)
            .zip(amounts)
            .zip(places)
            .map(|(((customer, time), amount), place)| (customer, time, amount, place))
            .collect()
    }
}

/// Reads files with these columns.
fn read(
    bench: &Bench,
    files: &[PathBuf],
    [customer, time, amount, class]: [&str; 4],
    more: &str,
) -> Result<Read, Error> {
    let taxonomy = Taxonomy::from_toml(
        "name = 't'\n[classes]\nfood = { codes = ['food'] }\nrent = { codes = ['rent'] }",
    );
    let types = if amount == "amount_text" { "amount_text = 'decimal(12, 2)'" } else { "" };
    let (amount, place) = match amount {
        cents if cents.starts_with("amount_cents") => (format!("{cents} / 100"), ""),
        "nested" => ("nested['amount']".to_owned(), "place = 'nested.currency'"),
        other => (other.to_owned(), ""),
    };
    let customer = match customer {
        "customer_float" => "CAST(customer_float AS BIGINT)",
        other => other,
    };
    let map = format!(
        "currency = 'EUR'\n[source]\nformat = 'parquet'\n[types]\n{types}\n[columns]\ncustomer = '{customer}'\n\
         time = '{time}'\namount = \"{amount}\"\nclass = '{class}'\n{place}\n[rows]\nno_customer = 'drop'\n[time]\n\
         latest = 2262-12-31\n{more}\n"
    );
    let map = ColumnMap::from_toml(&map).unwrap();
    let report = ingest(&map, &taxonomy.unwrap(), files, &bench.ledger(), &bench.options())?;
    assert_eq!(report.without_customer.count, files.len() as u64);
    let rows = read_table(&bench.ledger(), Table::Ledger).unwrap().rows;
    fs::remove_file(bench.ledger()).unwrap();
    let classes = rows.text(NAMES.class).unwrap();
    assert_eq!(classes, ["food", "rent", "food", "rent", "food"].repeat(files.len()));
    let places = match rows.batch().column_by_name(NAMES.place) {
        None => vec![None; classes.len()],
        Some(_) => rows.text(NAMES.place).unwrap().into_iter().map(Some).collect(),
    };
    let times = rows.batch().column_by_name(NAMES.time).unwrap();
    let times = arrow::compute::cast(times, &arrow::datatypes::DataType::Int64).unwrap();
    let times = arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(&times).values().to_vec();
    let customers = rows.text(NAMES.customer).unwrap().into_iter();
    let read = customers.zip(times).zip(rows.integer(NAMES.amount_minor).unwrap()).zip(places);
    Ok(read.map(|(((customer, time), amount), place)| (customer, time, amount, place)).collect())
}

/// The Parquet columns of a file by their names.
fn columns(engine: &str) -> BTreeMap<String, parquet::schema::types::TypePtr> {
    let reader = SerializedFileReader::new(File::open(file(engine)).unwrap()).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr();
    let fields = schema.root_schema().get_fields().iter();
    fields.map(|field| (field.name().to_owned(), field.clone())).collect()
}

/// A column that every file has and that is read without fail, for what is not looked at.
fn usual(columns: &BTreeMap<String, parquet::schema::types::TypePtr>, of: &[&str]) -> String {
    let usable = |name: &&&str| columns.contains_key(**name) && **name != "nested";
    of.iter().find(usable).map(|name| (*name).to_owned()).unwrap()
}

/// Columns that are not read to the ledger, and what is said, or what they say instead.
#[derive(Debug)]
enum Otherwise {
    Refused(&'static [&'static str]),
    /// The engine wrote another amount in the third row.
    Amount(i64),
}

fn otherwise(engine: &str, column: &str) -> Option<Otherwise> {
    use Otherwise::{Amount, Refused};
    Some(match (engine, column) {
        // It cuts what is left of the product of a float and 100.
        ("nanoparquet-schema", "amount_9" | "amount_18") => Amount(-123_456_788),
        // A number of seconds is written as it stands where days and nanoseconds are asked for.
        ("nanoparquet-schema", "time_int96") => Refused(&["row 1", "before 1900"]),
        // Whole numbers of more than 64 bits are bytes to all but the engine itself.
        ("clickhouse", "amount_cents_256") | ("polars-int128", "amount_cents_128") => {
            Refused(&["columns.amount", "Utf8 / Int64"])
        }
        // It does not say that they are UUIDs.
        ("carquet", "customer_uuid") => {
            Refused(&["row 1", "no text in UTF-8", "encode(\"customer_uuid\", 'hex')"])
        }
        ("hyparquet", "nested") => Refused(&["columns.amount", "nested"]),
        _ => return None,
    })
}

#[test]
fn every_column_of_every_engine_is_read_or_refused_by_name() {
    let (bench, given) = (Bench::new(), Given::new());
    let mut wrong = Vec::new();
    for (engine, _) in ENGINES {
        let columns = columns(engine);
        let [customer, time, amount] = [&TEXTS[..8], &TIMES, &AMOUNTS].map(|names| usual(&columns, names));
        let usual = [customer.as_str(), time.as_str(), amount.as_str(), "class"];
        for name in columns.keys() {
            let mut used = usual;
            match name.as_str() {
                "class" => {}
                "tags" | "empty" => used[3] = name,
                customer if customer.starts_with("customer") => used[0] = customer,
                time if time.starts_with("time") || time.starts_with("day") => used[1] = time,
                amount => used[2] = amount,
            }
            let found = read(&bench, &[file(engine)], used, "");
            let mut expected = given.rows(used[0], used[1], used[2] == "nested");
            if let Some(Otherwise::Amount(amount)) = otherwise(engine, used[2]) {
                expected[2].2 = amount;
            }
            let is_right = match (name.as_str(), otherwise(engine, name)) {
                ("tags", _) => {
                    matches!(&found, Err(error) if says(error, &["columns.class", "any number of values"]))
                }
                // Null classes are no class.
                ("empty", _) => {
                    matches!(&found, Err(error) if says(error, &["row 1", "no class of the taxonomy"]))
                }
                (_, Some(Otherwise::Refused(words))) => matches!(&found, Err(error) if says(error, words)),
                _ => matches!(&found, Ok(found) if *found == expected),
            };
            if !is_right {
                let found = found.map_err(|error| error.to_string());
                wrong.push(format!("{engine} {name}: {found:?}\n  instead of {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} columns:\n{}", wrong.len(), wrong.join("\n"));
}

fn says(error: &Error, words: &[&str]) -> bool {
    error.is_bad_input() && words.iter().all(|word| error.to_string().contains(word))
}

/// What a column is in Parquet, as the tables show it.
fn written(column: &Type) -> String {
    if column.is_group() {
        let fields: Vec<String> = column.get_fields().iter().map(|field| written(field)).collect();
        return format!("{{{}}}", fields.join(", "));
    }
    let info = column.get_basic_info();
    let of = |unit: &TimeUnit, is_utc: bool| {
        let unit = match unit {
            TimeUnit::MILLIS => "ms",
            TimeUnit::MICROS => "us",
            TimeUnit::NANOS => "ns",
        };
        if is_utc { format!("{unit} UTC") } else { unit.to_owned() }
    };
    let physical = match column.get_physical_type() {
        PhysicalType::BYTE_ARRAY => "bytes".to_owned(),
        PhysicalType::FIXED_LEN_BYTE_ARRAY => match column {
            Type::PrimitiveType { type_length, .. } => format!("bytes({type_length})"),
            Type::GroupType { .. } => unreachable!(),
        },
        other => other.to_string(),
    };
    match (info.logical_type_ref(), info.converted_type()) {
        (Some(LogicalType::String), _) | (None, ConvertedType::UTF8) => "string".to_owned(),
        (Some(LogicalType::Enum), _) | (None, ConvertedType::ENUM) => "enum".to_owned(),
        (Some(LogicalType::Json), _) | (None, ConvertedType::JSON) => "JSON".to_owned(),
        (Some(LogicalType::Uuid), _) => "UUID".to_owned(),
        (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => "date".to_owned(),
        (Some(LogicalType::Timestamp(timestamp)), _) => of(&timestamp.unit, timestamp.is_adjusted_to_u_t_c),
        (None, ConvertedType::TIMESTAMP_MILLIS) => of(&TimeUnit::MILLIS, true),
        (None, ConvertedType::TIMESTAMP_MICROS) => of(&TimeUnit::MICROS, true),
        (Some(LogicalType::Decimal(_)), _) | (None, ConvertedType::DECIMAL) => {
            format!("{physical} ({}, {})", column.get_precision(), column.get_scale())
        }
        _ => physical,
    }
}

/// The tables of docs/FORMATS.md.
fn tables() -> String {
    let titles = [("Texts and ids", &TEXTS[..]), ("Times", &TIMES), ("Amounts", &AMOUNTS)];
    let mut text = String::new();
    for (title, names) in titles {
        let short = |name: &&str| {
            let name = name.trim_start_matches("customer_").trim_start_matches("amount_");
            name.trim_start_matches("time_").replace('_', " ")
        };
        let head: Vec<String> = names.iter().map(short).collect();
        text += &format!(
            "### {title}\n\n| engine | {} |\n|{}\n",
            head.join(" | "),
            "---|".repeat(names.len() + 1)
        );
        for (engine, label) in ENGINES {
            let columns = columns(engine);
            let cell = |name: &&str| match columns.get(*name) {
                None => String::new(),
                Some(column) => {
                    let mark = match otherwise(engine, name) {
                        None => "",
                        Some(Otherwise::Refused(_)) => " †",
                        Some(Otherwise::Amount(_)) => " ‡",
                    };
                    format!("{}{mark}", written(column))
                }
            };
            let cells: Vec<String> = names.iter().map(cell).collect();
            if cells.iter().any(|cell| !cell.is_empty()) {
                text += &format!("| {label} | {} |\n", cells.join(" | "));
            }
        }
        text.push('\n');
    }
    text
}

#[test]
fn the_tables_of_the_formats_page_show_the_files() {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let names: BTreeSet<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "parquet")).collect();
    assert_eq!(names, ENGINES.iter().map(|(engine, _)| file(engine)).collect());
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/FORMATS.md");
    let page = fs::read_to_string(page).unwrap();
    let tables = tables();
    assert!(page.contains(&tables), "docs/FORMATS.md lacks these tables:\n{tables}");
}

/// Files whose columns of one name have different types are read as one ledger, or refused with both files and types.
#[test]
fn files_of_different_engines_are_one_ledger() {
    let (bench, given) = (Bench::new(), Given::new());
    let mut by_type: BTreeMap<String, BTreeMap<String, &str>> = BTreeMap::new();
    for (engine, _) in ENGINES {
        if engine == "polars-int128" {
            // The reader of the Arrow schema panics.
            continue;
        }
        let reader = SerializedFileReader::new(File::open(file(engine)).unwrap()).unwrap();
        let meta = reader.metadata().file_metadata();
        let schema = parquet_to_arrow_schema(meta.schema_descr(), meta.key_value_metadata()).unwrap();
        for field in schema.fields() {
            if otherwise(engine, field.name()).is_none()
                && !["tags", "empty"].contains(&field.name().as_str())
            {
                let types = by_type.entry(field.name().clone()).or_default();
                types.entry(field.data_type().to_string()).or_insert(engine);
            }
        }
    }
    let (mut pairs, mut refused, mut wrong) = (0, BTreeSet::new(), Vec::new());
    for (name, types) in &by_type {
        let engines: Vec<(&String, &&str)> = types.iter().collect();
        for (at, (first_type, first)) in engines.iter().enumerate() {
            for (second_type, second) in &engines[at + 1..] {
                let both = [columns(first), columns(second)];
                let shared = |names: &[&'static str]| {
                    let is_right = |engine: &str, name: &str| otherwise(engine, name).is_none();
                    let has_both = |name: &&&str| {
                        let is_there = both.iter().all(|columns| columns.contains_key(**name));
                        is_there && is_right(first, name) && is_right(second, name)
                    };
                    names.iter().find(has_both).copied()
                };
                let usual = (
                    shared(&TEXTS[..8]),
                    shared(&["day", "time_us", "time_ms"]),
                    shared(&["amount_double", "amount_text", "amount_9"]),
                );
                let (Some(customer), Some(time), Some(amount)) = usual else { continue };
                let mut used = [customer, time, amount, "class"];
                match name.as_str() {
                    "class" => {}
                    customer if customer.starts_with("customer") => used[0] = customer,
                    time if time.starts_with("time") || time.starts_with("day") => used[1] = time,
                    amount => used[2] = amount,
                }
                pairs += 1;
                let once = given.rows(used[0], used[1], used[2] == "nested");
                let rows = [once.clone(), once].concat();
                for files in [[file(first), file(second)], [file(second), file(first)]] {
                    match read(&bench, &files, used, "") {
                        Ok(found) if found == rows => {}
                        Err(error) if says(&error, &[first, second, name]) => {
                            refused.insert((name.clone(), (*first_type).clone(), (*second_type).clone()));
                            // It tells what to do where something can be done.
                            if error.to_string().contains("source_zone") {
                                let found = read(&bench, &files, used, "source_zone = 'UTC'")
                                    .map_err(|error| error.to_string());
                                assert_eq!(found, Ok(rows.clone()), "{first} {second} {name}");
                            }
                        }
                        found => wrong.push(format!(
                            "{first} {second} {name}: {first_type} {second_type} {:?}",
                            found.map_err(|error| error.to_string())
                        )),
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Times with and without a zone, and structs with a decimal here and a float there.
    let names: BTreeSet<&str> =
        refused.iter().map(|(name, ..)| name.trim_end_matches(char::is_alphabetic)).collect();
    assert_eq!(names, BTreeSet::from(["", "time_"]), "{refused:?}");
    assert!(pairs > 20 && refused.len() < pairs, "{} of {pairs}", refused.len());
}
