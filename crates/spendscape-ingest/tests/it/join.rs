//! Files joined to the rows of a ledger: `[join]` of a column map.

use std::{fs, path::Path, sync::Arc};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use spendscape_ingest::{ColumnMap, Error, IngestReport, ingest};
use spendscape_schema::Table;
use spendscape_store::read_table;

use super::bad_input::{Bench, assert_says, taxonomy};
use crate::NAMES;

const ROWS: &str =
    "household,day,product,eur\nh1,2020-01-01,17,-1.00\nh2,2020-01-02, 4,-2.00\nh1,2020-01-03,17,-3.00\n";

const PRODUCTS: &str = "id;department;eur\n17;f;9\n4;r;8\n5;f;7\n";

fn map(join: &str, class: &str) -> String {
    format!(
        "currency = 'EUR'\ntypes = {{ eur = 'decimal(12, 2)' }}\n[columns]\ncustomer = 'household'\ntime = 'day'\n\
         amount = 'eur'\nclass = \"{class}\"\n{join}"
    )
}

/// The join of the products, with one more line.
fn products(line: &str) -> String {
    format!(
        "[join]\nfile = 'products.csv'\non = 'product'\nkey = 'id'\nsource = {{ delimiter = ';' }}\n{line}\n"
    )
}

fn take(bench: &Bench, map: &str, path: &Path) -> Result<IngestReport, Error> {
    let map = ColumnMap::from_toml(map)?.in_folder(bench.folder.path());
    ingest(&map, &taxonomy(), &[path], &bench.ledger(), &bench.options())
}

#[track_caller]
fn classes(bench: &Bench, map: &str) -> Vec<String> {
    take(bench, map, &bench.folder.path().join("raw.csv")).unwrap();
    let rows = read_table(&bench.ledger(), Table::Ledger).unwrap().rows;
    fs::remove_file(bench.ledger()).unwrap();
    rows.text(NAMES.class).unwrap()
}

#[track_caller]
fn refusal(bench: &Bench, map: &str) -> String {
    let error = take(bench, map, &bench.folder.path().join("raw.csv")).unwrap_err();
    assert!(error.is_bad_input() && !bench.ledger().exists(), "{error}");
    error.to_string()
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.file("raw.csv", ROWS);
    bench.file("products.csv", PRODUCTS);
    bench
}

#[test]
fn a_second_file_gives_the_class() {
    let bench = bench();
    let joined = map(&products("prefix = 'p_'"), "p_department");
    assert_eq!(classes(&bench, &joined), ["food", "rent", "food"]);
    // In `rows.where` too, and the key itself.
    let some = format!("{joined}[rows]\nwhere = \"p_department = 'f' AND p_id = '17'\"\n");
    assert_eq!(classes(&bench, &some), ["food", "food"]);
    // Amounts may be computed of it, exactly.
    let priced = map(&products("prefix = 'p_'\ntypes = { eur = 'integer' }"), "p_department")
        .replace("amount = 'eur'", "amount = 'eur * p_eur'");
    take(&bench, &priced, &bench.folder.path().join("raw.csv")).unwrap();
    let rows = read_table(&bench.ledger(), Table::Ledger).unwrap().rows;
    assert_eq!(rows.integer(NAMES.amount_minor).unwrap(), [-900, -1_600, -2_700]);
}

#[test]
fn a_joined_file_may_be_joined_by_another_and_be_parquet() {
    let bench = bench();
    let path = bench.folder.path().join("products.parquet");
    let columns: [(&str, ArrayRef); 2] = [
        ("product", Arc::new(Int64Array::from(vec![4, 17]))),
        ("group", Arc::new(StringArray::from(vec!["g2", "g1"]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = fs::File::create(&path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bench.file("groups.csv", "group,code\ng1,f\ng2,r\n");
    let joins = "[[join]]\nfile = 'products.parquet'\non = 'product'\nsource = { format = 'parquet' }\n\
                 [[join]]\nfile = 'groups.csv'\non = 'group'\n";
    assert_eq!(classes(&bench, &map(joins, "code")), ["food", "rent", "food"]);
    assert_eq!(
        classes(&bench, &map(joins, "CASE \\\"group\\\" WHEN 'g2' THEN 'r' ELSE code END")),
        ["food", "rent", "food"]
    );
}

#[test]
fn keys_are_unique_and_have_partners() {
    let bench = bench();
    let plain = map(&products("prefix = 'p_'"), "p_department");
    bench.file("products.csv", PRODUCTS.replace("5;f", " 4 ;f"));
    let says = refusal(&bench, &plain);
    assert_says(
        &says,
        &["products.csv, row 3 (line 4), column id", "\"4\" stands already", "row 2 (line 3)"],
    );
    bench.file("products.csv", PRODUCTS.replace("5;f", ";f"));
    assert_says(&refusal(&bench, &plain), &["products.csv, row 3 (line 4), column id: no value"]);
    bench.file("products.csv", PRODUCTS.replace("4;r", "44;r"));
    let says = refusal(&bench, &plain);
    assert_says(&says, &["raw.csv, row 2 (line 3), column product", "products.csv has no row for \"4\""]);
    assert_says(&says, &["join.missing = \"null\""]);
    let kept = map(&products("prefix = 'p_'\nmissing = 'null'"), "coalesce(p_department, 'r')");
    let report = take(&bench, &kept, &bench.folder.path().join("raw.csv")).unwrap();
    assert_eq!((report.without_partner.count, report.rows_written), (1, 3));
    assert_says(&report.without_partner.examples[0].to_string(), &["row 2 (line 3)"]);
    let digest = spendscape_store::Digest::of_file(&bench.folder.path().join("products.csv")).unwrap();
    let provenance = read_table(&bench.ledger(), Table::Ledger).unwrap().provenance;
    assert_eq!(
        provenance.inputs.get("join 0 products.csv").map(ToString::to_string),
        Some(digest.to_string())
    );
    assert!(!serde_json::to_string(&provenance).unwrap().contains(bench.folder.path().to_str().unwrap()));
}

#[test]
fn columns_of_two_files_are_told_apart() {
    let bench = bench();
    let says = refusal(&bench, &map(&products(""), "department"));
    assert_says(&says, &["products.csv has a column \"eur\", as another file has", "join.prefix"]);
    // A name that both have and nobody reads is no matter.
    let other = map(&products(""), "department").replace("amount = 'eur'", "amount = '-1'");
    assert_eq!(classes(&bench, &other), ["food", "rent", "food"]);
    let absent = refusal(&bench, &map(&products(""), "division"));
    assert_says(&absent, &["no column \"division\"", "household, day, product", "department"]);
    let wrong_key = refusal(&bench, &map(&products("").replace("'id'", "'number'"), "department"));
    assert_says(&wrong_key, &["products.csv has no column \"number\"; it has id, department, eur"]);
    let wrong_on = refusal(&bench, &map(&products("").replace("'product'", "'article'"), "department"));
    assert_says(&wrong_on, &["raw.csv has no column \"article\""]);
    fs::remove_file(bench.folder.path().join("products.csv")).unwrap();
    assert_says(&refusal(&bench, &map(&products(""), "department")), &["products.csv"]);
    let wrong =
        |line: &str| ColumnMap::from_toml(&map(&products(line), "department")).unwrap_err().to_string();
    assert_says(&wrong("keys = 'a'"), &["unknown field `keys`"]);
    assert_says(&wrong("missing = 'drop'"), &["`refuse` or `null`"]);
    let signs = map(&products("").replace("';'", "'ab'"), "department");
    assert_says(&ColumnMap::from_toml(&signs).unwrap_err().to_string(), &["join: source.delimiter"]);
}
