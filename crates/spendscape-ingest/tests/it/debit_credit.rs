//! Debit and credit in two columns: `[amount]` of a column map.

use std::fs;

use spendscape_ingest::{ColumnMap, map::Debits, propose};
use spendscape_schema::Table;
use spendscape_store::read_table;

use super::bad_input::{Bench, assert_says};
use crate::NAMES;

/// A map whose `[amount]` has one more line.
fn map(line: &str) -> String {
    format!(
        "currency = 'EUR'\n[types]\ndebit = 'decimal(12, 2)'\ncredit = 'decimal(12, 2)'\n[columns]\ncustomer = 'account_id'\n\
         time = 'booked_at'\nclass = \"'f'\"\n[amount]\ndebit = 'debit'\ncredit = 'credit'\n{line}\n"
    )
}

/// Rows of an account, each with debit and credit.
fn rows(sides: &[&str]) -> String {
    let row = |sides: &&str| format!("A1,2019-05-02,{sides},5411\n");
    format!("account_id,booked_at,debit,credit,mcc\n{}", sides.iter().map(row).collect::<String>())
}

#[track_caller]
fn amounts(map: &str, sides: &[&str]) -> Vec<i64> {
    let bench = Bench::new();
    bench.ingest(map, &bench.file("raw.csv", rows(sides))).unwrap();
    let rows = read_table(&bench.ledger(), Table::Ledger).unwrap().rows;
    fs::remove_file(bench.ledger()).unwrap();
    rows.integer(NAMES.amount_minor).unwrap()
}

#[track_caller]
fn refusal(map: &str, sides: &[&str]) -> String {
    let bench = Bench::new();
    bench.refusal(map, &bench.file("raw.csv", rows(sides)))
}

#[test]
fn the_side_that_is_filled_is_the_amount() {
    let sides = ["10.00,", ",1500.00", "20.00,0.00", "0,7.5", "0.00,0", ",0", "-0.00,3"];
    assert_eq!(amounts(&map(""), &sides), [-1_000, 150_000, -2_000, 750, 0, 0, 300]);
    // Expressions, as under `columns`.
    let halved = map("").replace("debit = 'debit'\ncredit = 'c", "debit = 'debit / 100'\ncredit = 'c");
    assert_eq!(amounts(&halved, &["1000,", ",5"]), [-1_000, 500]);
}

#[test]
fn a_row_with_both_sides_or_none_is_refused() {
    let says = refusal(&map(""), &["10.00,", "2.00,0.50"]);
    assert_says(&says, &["raw.csv, row 2 (line 3), column amount", "debit and credit are both filled"]);
    assert_says(&says, &["[amount]", "columns.amount"]);
    let says = refusal(&map(""), &["10.00,", ",7", ","]);
    assert_says(&says, &["row 3 (line 4), column amount", "debit and credit are both empty"]);
    // Both sides with a sum of zero are filled too.
    assert_says(&refusal(&map(""), &["1.00,1.00"]), &["both filled"]);
}

#[test]
fn a_minus_is_refused_until_the_map_says_what_it_means() {
    let every = ["-10.00,", ",1500.00", "-20.00,"];
    let says = refusal(&map(""), &every);
    assert_says(
        &says,
        &["row 1 (line 2)", "debit has a minus", "amount.debits = \"negative\"", "\"positive\""],
    );
    assert_eq!(amounts(&map("debits = 'negative'"), &every), [-1_000, 150_000, -2_000]);
    let reversed = ["10.00,", "-10.00,", ",5.00", ",-5.00"];
    assert_says(&refusal(&map(""), &reversed), &["row 2 (line 3)", "debit has a minus"]);
    assert_says(&refusal(&map(""), &reversed[2..]), &["row 2 (line 3)", "credit has a minus"]);
    assert_eq!(amounts(&map("debits = 'positive'"), &reversed), [-1_000, 1_000, 500, -500]);
    // A debit without a minus where the others have one is one taken back.
    assert_eq!(amounts(&map("debits = 'negative'"), &["-10.00,", "10.00,"]), [-1_000, 1_000]);
}

#[test]
fn the_amount_is_given_once() {
    let both = map("").replace("class =", "amount = 'debit'\nclass =");
    assert_says(&ColumnMap::from_toml(&both).unwrap_err().to_string(), &["columns.amount", "[amount]"]);
    let neither = map("").split("[amount]").next().unwrap().to_owned();
    let says = ColumnMap::from_toml(&neither).unwrap_err().to_string();
    assert_says(&says, &["columns.amount: it is missing", "[amount]"]);
    let half = map("").replace("credit = 'credit'\n", "");
    assert_says(&ColumnMap::from_toml(&half).unwrap_err().to_string(), &["missing field `credit`"]);
    // An expression that is empty because one side is names the rule.
    let difference = neither.replace("class =", "amount = 'credit - debit'\nclass =");
    let says = refusal(&difference, &["10.00,"]);
    assert_says(&says, &["row 1 (line 2), column amount: no value: credit is empty", "under `[amount]`"]);
    let untyped = map("").replace("debit = 'decimal(12, 2)'\n", "");
    assert_says(&refusal(&untyped, &["10.00,"]), &["amount.debit", "under `types`"]);
}

#[test]
fn the_rule_is_proposed_where_two_columns_are_found() {
    let bench = Bench::new();
    let found = |sides: &[&str]| {
        let proposal = propose(&[bench.file("raw.csv", rows(sides))]).unwrap();
        let text = proposal.to_toml();
        assert_eq!(ColumnMap::from_toml(&text).unwrap(), proposal.map, "{text}");
        (proposal.map.columns.amount, proposal.map.amount.map(|two| (two.debit, two.credit, two.debits)))
    };
    let two = |debits| Some(("debit".to_owned(), "credit".to_owned(), debits));
    assert_eq!(found(&["10.00,", ",1500.00", "20.00,0.00"]), (None, two(None)));
    assert_eq!(found(&["-10.00,", ",1500.00", "-20.00,"]), (None, two(Some(Debits::Negative))));
    assert_eq!(found(&["10.00,", ",1500.00", "20.00,", "-10.00,"]), (None, two(Some(Debits::Positive))));
    assert_eq!(found(&["10.00,", ",1500.00", "20.00,", ",-1.00"]), (None, two(Some(Debits::Positive))));
    // Rows that fill both columns have their difference.
    let both = found(&["10.00,2.00", ",1500.00"]);
    assert_eq!(both, (Some("coalesce(credit - debit, credit, -debit)".to_owned()), None));
}
