//! A ledger, its report and the first row that is refused are the same for any number of threads.

use std::{fmt::Write as _, fs, path::Path};

use spendscape_ingest::{ColumnMap, Error, IngestReport, ingest};

use super::bad_input::{Bench, taxonomy};

/// Enough for several pieces of a file, which are read beside each other.
const ROWS: usize = 60_000;

fn take(bench: &Bench, map: &str, path: &Path) -> Result<IngestReport, Error> {
    let map = ColumnMap::from_toml(map)?.in_folder(bench.folder.path());
    ingest(&map, &taxonomy(), &[path], &bench.ledger(), &bench.options())
}

/// The ledger's bytes and the report as JSON, or the error's text, on some threads.
fn on_threads(threads: usize, bench: &Bench, map: &str, path: &Path) -> Result<(Vec<u8>, String), String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let report = pool.install(|| take(bench, map, path)).map_err(|error| error.to_string())?;
    let bytes = fs::read(bench.ledger()).unwrap();
    fs::remove_file(bench.ledger()).unwrap();
    Ok((bytes, serde_json::to_string(&report).unwrap()))
}

/// What comes out on one thread, after checking that it does on others too.
#[track_caller]
fn on_any_threads(bench: &Bench, map: &str, path: &Path) -> Result<String, String> {
    let one = on_threads(1, bench, map, path);
    for threads in [2, 3, 7] {
        assert!(on_threads(threads, bench, map, path) == one, "{threads} threads");
    }
    one.map(|(_, report)| report)
}

#[test]
fn a_joined_source_of_debits_and_credits_does_not_depend_on_threads() {
    let bench = Bench::new();
    let mut products = String::from("id,department,eur\n");
    for product in 0..900 {
        let _ = writeln!(products, "P{product},{},x", ["f", "r", "g"][product % 3]);
    }
    bench.file("products.csv", products);
    let mut rows = String::from("id,day,product,debit,credit\n");
    for row in 0..ROWS {
        // Of a thousand products the joined file lacks the last hundred.
        let (product, euros) = (row * 37 % 1_000, row * 7 % 991);
        let sides = if row % 11 == 0 { format!(",{euros}.50") } else { format!("{euros}.25,") };
        let _ = writeln!(
            rows,
            "customer {},2020-{:02}-{:02},P{product},{sides}",
            row % 4_001,
            1 + row % 12,
            1 + row % 28
        );
    }
    let path = bench.file("raw.csv", &rows);
    assert!(rows.len() > 4 * 512 * 1024);
    let map = "currency = 'EUR'\n[types]\ndebit = 'decimal(12, 2)'\ncredit = 'decimal(12, 2)'\n[columns]\ncustomer = 'id'\n\
               time = 'day'\nclass = \"coalesce(department, 'f')\"\nplace = 'product'\n[amount]\ndebit = 'debit'\n\
               credit = 'credit'\n[join]\nfile = 'products.csv'\non = 'product'\nkey = 'id'\nprefix = ''\nmissing = 'null'\n\
               [rows]\nwhere = \"department IS NULL OR department <> 'g'\"\n";
    let report: serde_json::Value =
        serde_json::from_str(&on_any_threads(&bench, map, &path).unwrap()).unwrap();
    assert_eq!(report["rows_read"], ROWS);
    assert_eq!(report["without_partner"]["count"], ROWS / 10);
    assert_eq!(report["filtered"]["count"], ROWS * 3 / 10);
    assert_eq!(report["rows_written"], ROWS * 7 / 10);
    // Of two rows that are refused for different reasons the first one is named.
    let (later, earlier) = (rows.replacen(",0.25,\n", ",0.25,1\n", 1), "missing = 'refuse'");
    assert!(later != rows);
    let path = bench.file("raw.csv", later);
    let says = on_any_threads(&bench, &map.replace("missing = 'null'", earlier), &path).unwrap_err();
    assert!(says.contains("products.csv has no row for \"P9"), "{says}");
}

#[test]
fn a_statement_does_not_depend_on_threads() {
    let bench = Bench::new();
    let mut text = String::from(":20:S1\n:25:777\n:60F:C191231EUR0,\n");
    for row in 0..ROWS {
        let mark = if row % 1_000 == 7 { "ED" } else { ["D", "C", "D"][row % 3] };
        let (month, day, code) = (1 + row % 12, 1 + row % 28, ["f", "r"][row % 2]);
        let _ = writeln!(text, ":61:20{month:02}{day:02}{mark}{},5NTRFR{row}\n:86:{code}", row % 977);
    }
    text += ":62F:C201231EUR1,\n-\n";
    let path = bench.file("a.sta", &text);
    let map = "currency = 'EUR'\n[source]\nformat = 'mt940'\n[columns]\nclass = 'text'\nplace = 'reference'\n\
               [rows]\nwhere = \"booked <> '2020-02-02'\"\n";
    let report: serde_json::Value =
        serde_json::from_str(&on_any_threads(&bench, map, &path).unwrap()).unwrap();
    assert_eq!(report["pending"]["count"], ROWS / 1_000);
    assert_eq!(report["unbalanced"]["count"], 1);
    assert_eq!(report["rows_read"], ROWS - ROWS / 1_000);
    // A row of another piece than the fault behind it.
    let at = text.rfind(":61:").unwrap();
    let mut broken = text[..at].replacen(":86:f\n:61:200808", ":86:x\n:61:200808", 1);
    broken += &text[at..].replacen(":61:", ":61:no", 1);
    let says = on_any_threads(&bench, map, &bench.file("a.sta", broken)).unwrap_err();
    assert!(says.contains("column class") && says.contains("\"x\""), "{says}");
}
