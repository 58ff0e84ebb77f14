//! Maps that are proposed from the first rows: what later rows show otherwise is refused or left out, never added up.

use std::fmt::Write as _;

use spendscape_ledger::{DerivedClasses, derive_taxonomy, ingest, propose};

use super::bad_input::{Bench, assert_says};

/// More rows than are looked at.
const LOOKED_AT: usize = 20_000;

/// A file whose last row is of another kind than all before it.
fn file(header: &str, row: &str, last: &str) -> String {
    let mut text = format!("{header}\n");
    for at in 0..LOOKED_AT + 10 {
        let _ = writeln!(text, "A{},2019-05-{:02},{row}", at % 7, 1 + at % 28);
    }
    text + last + "\n"
}

/// Rows read, rows written and the refusal, by the map that is proposed.
fn read(content: &str) -> (String, Result<(u64, u64), String>) {
    let bench = Bench::new();
    let path = bench.file("raw.csv", content);
    let proposal = propose(&[&path]).unwrap();
    let classes = DerivedClasses {
        name: "t".to_owned(),
        top: 5,
        other: "OTHER".to_owned(),
        allow_cut_last_line: false,
    };
    let taxonomy = derive_taxonomy(&proposal.map, &[&path], &classes).unwrap();
    let read = ingest(&proposal.map, &taxonomy, &[&path], &bench.ledger(), &bench.options());
    let read = read.map(|report| (report.rows_read, report.rows_written)).map_err(|error| error.to_string());
    (proposal.to_toml(), read)
}

#[test]
fn a_code_that_is_neither_debit_nor_credit_is_refused() {
    let row = "account,date,amount,side,category";
    let (map, read) = read(&file(row, "3.50,D,x", "A1,2019-05-01,3.50,R,x"));
    assert_says(&map, &["CASE WHEN trim(side) IN ('D') THEN -amount END"]);
    assert_says(&read.unwrap_err(), &["row 20011 (line 20012), column amount", "no value"]);
}

#[test]
fn rows_of_another_currency_are_left_out() {
    let row = "account,date,amount,currency,category";
    let (map, read) = read(&file(row, "-3.50,EUR,x", "A1,2019-05-01,-3.50,USD,x"));
    assert_says(&map, &["currency = \"EUR\"", "where = \"trim(currency) = 'EUR'\""]);
    assert_eq!(read.unwrap(), (20_011, 20_010));
}

#[test]
fn signs_of_two_currencies_are_not_taken_for_one() {
    let (map, read) = read(
        "account,date,amount,category\nA,2019-05-01,€-3.50,x\nB,2019-05-02,EUR -1.50,x\nA,2019-05-03,$-2.50,x\n",
    );
    assert_says(
        &map,
        &[
            "currency_signs = [\"EUR\", \"€\"]",
            "CHECK: rows with another currency's sign, 1 of those looked at, will be refused",
        ],
    );
    assert_says(&read.unwrap_err(), &["row 3 (line 4), column amount", "\"$-2.50\""]);
}
