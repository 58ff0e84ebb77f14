//! Balances of a panel's customers, from ledger tables.

use std::collections::HashMap;

use jiff::civil::date;
use spendscape_ledger::{balances, build_panels};
use spendscape_schema::{EmptyWindows, tables::Balances};

use super::common::{Row, limits, request, row, write, write_with};

const WINDOW: &str = "monthly x 2";

/// Two customers of a panel, and one who is in none: without spending.
fn rows() -> Vec<Row> {
    let noon = |month, day| date(2020, month, day).at(12, 0, 0, 0);
    vec![
        row("anna", noon(1, 5), -100, "food"),
        row("bert", noon(1, 6), -100, "food"),
        row("cleo", noon(1, 7), 900, "salary"),
        row("anna", noon(2, 3), 700, "salary"),
        row("anna", noon(2, 20), -300, "food"),
        row("bert", noon(2, 29), -50, "food"),
    ]
}

const AFTER: [Option<i64>; 6] = [Some(400), Some(90), Some(900), Some(1_100), Some(800), None];

fn figures(found: &Balances) -> Vec<(&str, u16, [i64; 3])> {
    (0..found.customer.len())
        .map(|at| {
            let numbers = [found.balance_minor[at], found.lowest_minor[at], found.inflow_minor[at]];
            (found.customer[at].as_str(), found.period[at], numbers)
        })
        .collect()
}

#[test]
fn each_customer_and_period_has_a_row_whatever_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let no_text: [(&str, &[Option<&str>]); 0] = [];
    let whole = folder.path().join("whole.parquet");
    write_with(&whole, &rows(), no_text, &AFTER);
    let asked = request(&[(WINDOW, EmptyWindows::Drop)], &["food"], limits(folder.path(), 1, 1 << 30));
    let panel = build_panels(&[&whole], &asked).unwrap().panels.remove(0);
    let window = asked.windows[0].0;
    let found = balances(&[&whole], window, None, &panel).unwrap().unwrap();
    let expected = [
        ("anna", 0, [400, 400, 0]),
        ("anna", 1, [800, 400, 700]),
        ("bert", 0, [90, 90, 0]),
        // Nothing is known of the account after the last transaction: it stands as it stood.
        ("bert", 1, [90, 90, 0]),
    ];
    assert_eq!(figures(&found), expected);

    let parts = [(0..2, "first.parquet"), (2..6, "second.parquet")].map(|(range, name)| {
        let path = folder.path().join(name);
        write_with(&path, &rows()[range.clone()], no_text, &AFTER[range]);
        path
    });
    assert_eq!(balances(&parts, window, None, &panel).unwrap().unwrap(), found);

    // A window of Bert's own ends a day earlier: its last month lacks the transaction of the 29th.
    let known = folder.path().join("known.parquet");
    write_with(&known, &rows(), no_text, &[&AFTER[..5], &[Some(40)]].concat());
    let until = |last| {
        let anchors = HashMap::from([("bert".to_owned(), last)]);
        let found = balances(&[&known], window, Some(&anchors), &panel).unwrap().unwrap();
        figures(&found)[2..].iter().map(|(_, _, numbers)| *numbers).collect::<Vec<_>>()
    };
    assert_eq!(until(date(2020, 2, 28)), [[90, 90, 0], [90, 90, 0]]);
    assert_eq!(until(date(2020, 2, 29)), [[90, 90, 0], [40, 40, 0]]);
}

#[test]
fn a_ledger_without_balances_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder.path().join("ledger.parquet"), &rows(), 10);
    let asked = request(&[(WINDOW, EmptyWindows::Drop)], &["food"], limits(folder.path(), 1, 1 << 30));
    let panel = build_panels(&[&path], &asked).unwrap().panels.remove(0);
    assert_eq!(balances(&[&path], asked.windows[0].0, None, &panel).unwrap(), None);
}
