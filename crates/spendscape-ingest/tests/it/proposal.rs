//! Maps that are proposed from the first rows: what later rows show otherwise is refused or left out, never added up.

use std::{fmt::Write as _, path::Path, sync::Arc};

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray};
use spendscape_ingest::{DerivedClasses, derive_taxonomy, ingest, propose};

use super::{
    bad_input::{Bench, assert_says},
    refused::write,
};
use crate::NAMES;

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
    read_file(&bench, &path)
}

fn read_file(bench: &Bench, path: &Path) -> (String, Result<(u64, u64), String>) {
    let proposal = propose(&[path]).unwrap();
    let classes = DerivedClasses {
        name: "t".to_owned(),
        top: 5,
        other: "OTHER".to_owned(),
        allow_cut_last_line: false,
    };
    let taxonomy = derive_taxonomy(&proposal.map, &[path], &classes).unwrap();
    let read = ingest(&proposal.map, &taxonomy, &[path], &bench.ledger(), &bench.options());
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

/// The rows of a ledger of four customers in a form of its own, by day and number.
fn rows(row: impl Fn(usize, jiff::civil::Date) -> String) -> String {
    let first = jiff::civil::date(2021, 1, 1);
    let day = |at: usize| first.checked_add(jiff::Span::new().days(at as i64 / 2)).unwrap();
    (0..150).map(|at| row(at, day(at)) + "\n").collect()
}

#[test]
fn totals_and_blank_rows_below_are_left_out() {
    let rows = rows(|at, day| format!("K{};{};Rent;-{at},50;EUR", at % 4, day.strftime("%d.%m.%Y")));
    let header = "Konto;Buchungstag;Kategorie;Umsatz;Währung";
    let (map, read) = read(&format!(
        "Bank;;;;\nZeitraum:;01.01.2021 - 31.12.2023;;;\n;;;;\n{header}\n{rows};;;;\nSumme Soll;;;-138.000,00;EUR\n"
    ));
    assert_says(
        &map,
        &["header_at = [\"Konto\", \"Buchungstag\", \"Kategorie\"]", "not_rows = [\"Summe Soll\"]"],
    );
    assert_eq!(read.unwrap(), (150, 150));
}

#[test]
fn a_total_that_is_no_row_is_said_to_be_one() {
    let rows = rows(|at, day| format!("K{},{day},Rent,-{at}.50", at % 4));
    // Between rows, where it is not looked for.
    let total = format!("account,date,category,amount\n{rows}All,,Rent,-12.00\nK1,2023-01-01,Rent,-1.00\n");
    let bench = Bench::new();
    let path = bench.file("raw.csv", total);
    let map = propose(&[&path]).unwrap().map;
    let taxonomy = spendscape_schema::Taxonomy::of_classes("t", ["Rent".to_owned()]).unwrap();
    let says = ingest(&map, &taxonomy, &[&path], &bench.ledger(), &bench.options()).unwrap_err().to_string();
    assert_says(&says, &["row 151 (line 152), column time", "`source.not_rows`"]);
}

#[test]
fn columns_of_one_name_are_told_apart() {
    let rows = rows(|at, day| format!("K{},{day},{day},,Rent,-{at}.50,{at}", at % 4));
    for above in ["", "Statement of\n2021\n\n"] {
        let (map, read) = read(&format!("{above}account,Date,Date,,category,amount,amount\n{rows}"));
        assert_says(
            &map,
            &[
                "header = [\"account\", \"Date\", \"Date_2\", \"nameless_4\", \"category\", \"amount\", \"amount_2\"]",
                "Date, amount stand twice",
                "time = \"Date\"",
                "amount = \"amount\"",
            ],
        );
        assert_eq!(read.unwrap(), (150, 150));
    }
}

#[test]
fn rows_that_are_not_booked_are_left_out() {
    for (column, states, condition, reason, kept) in [
        (
            "Stato",
            ["Contabilizzato", "IN ATTESA", "Rifiutata", "Contabilizzato"],
            "trim(Stato) IN ('Contabilizzato')",
            "IN ATTESA (1), Rifiutata (1)",
            2,
        ),
        (
            "status",
            ["COMPLETED", "DECLINED", "REVERTED", "strange"],
            "trim(status) IN ('COMPLETED')",
            "DECLINED (1), REVERTED (1), strange (1)",
            1,
        ),
        ("pending", ["False", "True", "False", "False"], "trim(pending) IN ('False')", "True (1)", 3),
        (
            "Estado",
            ["", "Pendiente", "", ""],
            "coalesce(trim(Estado), '') NOT IN ('Pendiente')",
            "Pendiente",
            3,
        ),
        ("is_booked", ["yes", "no", "", "yes"], "coalesce(trim(is_booked), '') IN ('', 'yes')", "no (1)", 3),
    ] {
        let mut text = format!("account,date,amount,category,{column}\n");
        for (at, state) in states.iter().enumerate() {
            let _ = writeln!(text, "A{},2019-05-0{},-{}.50,x,{state}", at % 2, at + 1, at + 1);
        }
        let (map, read) = read(&text);
        assert_says(&map, &[&format!("where = \"{condition}\""), "CHECK", reason]);
        assert_eq!(read.unwrap(), (4, kept), "{map}");
    }
    // A state of the union, and states that nobody knows, say nothing of bookings; a currency's condition stays.
    for (header, row) in [
        ("account,date,amount,category,state", "-1.50,x,CA"),
        ("account,date,amount,category,status", "-1.50,x,7"),
    ] {
        let (map, read) = read(&file(header, row, &format!("B,2019-05-01,{row}")));
        assert!(!map.contains("where"), "{map}");
        assert_eq!(read.unwrap().0, 20_011);
    }
    let header = "account,date,amount,currency,category,status";
    let (map, read) = read(&file(header, "-3.50,EUR,x,BOOK", "A1,2019-05-01,-3.50,EUR,x,PDNG"));
    assert_says(&map, &["where = \"trim(currency) = 'EUR' AND trim(status) IN ('BOOK')\""]);
    assert_eq!(read.unwrap(), (20_011, 20_010));
}

#[test]
fn debit_and_credit_are_known_by_their_words() {
    for (codes, is_sure) in [
        (["Débito", "Crédito"], true),
        (["Addebito", "Accredito"], true),
        (["Obciążenie", "Uznanie"], true),
        (["Belastung", "Gutschrift"], true),
        (["Débit", "Crédit"], true),
        (["purchase", "refund"], true),
        (["Sale", "Payment"], false),
        (["payment", "refund"], false),
    ] {
        let [debit, credit] = codes;
        let text = format!(
            "Conta;Data;Valor;Categoria;Tipo\n1-2;02.05.2019;3,50;x;{debit}\n1-3;13.05.2019;4,50;y;{credit}\n1-2;14.05.2019;1,00;y;{debit}\n"
        );
        let (map, read) = read(&text);
        let rule = format!(
            "CASE WHEN trim(Tipo) IN ('{debit}') THEN -Valor WHEN trim(Tipo) IN ('{credit}') THEN Valor END"
        );
        assert_says(&map, &[&rule, "customer = \"Conta\""]);
        let line = map.lines().find(|line| line.starts_with("amount = ")).unwrap();
        assert_eq!(line.contains("CHECK"), !is_sure, "{line}");
        assert_eq!(read.unwrap(), (3, 3));
    }
}

#[test]
fn days_of_spreadsheets_and_of_statistics_programs_are_times() {
    let serial = |day: jiff::civil::Date| 44_197 + (day - jiff::civil::date(2021, 1, 1)).get_days();
    type Time<'a> = &'a dyn Fn(jiff::civil::Date) -> String;
    let cases: [(Time<'_>, &str); 3] = [
        (&|day| serial(day).to_string(), "to_timestamp_seconds((CAST(date AS BIGINT) - 25569) * 86400)"),
        (&|day| format!("{}.4244444", serial(day)), "* 86400000 + 0.5 AS BIGINT))"),
        (&|day| format!("{}:10:11:12", day.strftime("%d%b%Y")).to_uppercase(), "%b %Y:%H:%M:%S"),
    ];
    for (time, says) in cases {
        let content = rows(|at, day| format!("K{},{},Rent,-{at}.50", at % 4, time(day)));
        let bench = Bench::new();
        let path = bench.file("raw.csv", format!("account,date,category,amount\n{content}"));
        let map = propose(&[&path]).unwrap().map;
        assert_says(&propose(&[&path]).unwrap().to_toml(), &[says]);
        let taxonomy = spendscape_schema::Taxonomy::of_classes("t", ["Rent".to_owned()]).unwrap();
        ingest(&map, &taxonomy, &[&path], &bench.ledger(), &bench.options()).unwrap();
        let table =
            spendscape_store::read_table(&bench.ledger(), spendscape_schema::Table::Ledger).unwrap().rows;
        let first = *table.time(NAMES.time).unwrap().iter().min().unwrap();
        let (day, clock) = (1_609_459_200_000, first - 1_609_459_200_000);
        assert!(first >= day && [0, 36_672_000].iter().any(|at| (clock - at).abs() < 1_000), "{first}");
        std::fs::remove_file(bench.ledger()).unwrap();
    }
}

#[test]
fn a_time_of_no_known_form_is_named() {
    let rows = rows(|at, day| format!("K{},Q{}-w{},Rent,-{at}.50", at % 4, day.month(), day.day()));
    let bench = Bench::new();
    let path = bench.file("raw.csv", format!("account,date,category,amount\n{rows}"));
    let says = propose(&[&path]).unwrap_err().to_string();
    assert_says(
        &says,
        &["looks like the time", "date may be it, but \"Q1-w1\"", "`[time]`", "formats = [", "columns.time"],
    );
}

/// Fields that are almost times, quoted by what is no quote there: the header is looked for in seconds, not minutes.
#[test]
fn looking_for_the_header_is_cheap() {
    let rows = rows(|at, _| vec![format!("'99.99.20{}'", at % 90 + 10); 14].join(","));
    let bench = Bench::new();
    let path = bench.file("raw.csv", rows);
    let start = std::time::Instant::now();
    assert!(propose(&[&path]).is_err());
    assert!(start.elapsed().as_secs() < 10);
}

#[test]
fn whole_numbers_of_cents_are_hundredths() {
    for name in ["amount_cents", "AmountMinor"] {
        let (map, read) = read(&format!(
            "account,date,{name},category\nA,2019-05-01,-350,x\nB,2019-05-02,-199,x\nA,2019-05-03,-1,x\n"
        ));
        assert_says(&map, &[&format!("amount = \"{name} / 100\""), "CHECK", "hundredths"]);
        assert_eq!(read.unwrap(), (3, 3));
    }
    let (map, _) = read("account,date,amount_cents,category\nA,2019-05-01,-3.50,x\nB,2019-05-02,-1.99,x\n");
    assert!(map.contains("amount = \"amount_cents\""), "{map}");
}

#[test]
fn the_map_has_a_line_for_the_zone_and_names_checks_only_where_there_are() {
    let (map, _) = read(
        "account,date,amount EUR,category\nA,2019-05-01T10:00:00Z,-3.50,x\nB,2019-05-12T10:00:00Z,-1.99,y\n",
    );
    assert_says(&map, &["zone = \"UTC\"", "Entries marked CHECK"]);
    let (map, _) =
        read("account,date,amount,currency,category\nA,2019-05-01,-3.50,EUR,x\nB,2019-05-12,-1.99,EUR,y\n");
    assert!(!map.contains("CHECK"), "{map}");
}

#[test]
fn flags_of_parquet_files_keep_what_is_booked() {
    let flags = |flags: [Option<bool>; 3]| Arc::new(BooleanArray::from(flags.to_vec())) as ArrayRef;
    for (name, flags, condition, kept) in [
        ("pending", flags([Some(false), Some(true), None]), "pending IS NOT TRUE", 2),
        ("pending", flags([Some(false); 3]), "pending IS NOT TRUE", 3),
        ("booked", flags([Some(true), Some(false), None]), "booked IS NOT FALSE", 2),
        ("booked", flags([Some(true); 3]), "booked IS NOT FALSE", 3),
        ("pending", Arc::new(Int64Array::from(vec![0, 1, 0])), "trim(CAST(pending AS VARCHAR)) IN ('0')", 2),
    ] {
        let bench = Bench::new();
        let path = bench.folder.path().join("raw.parquet");
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("account", Arc::new(StringArray::from(vec!["A", "B", "A"]))),
            ("date", Arc::new(Date32Array::from(vec![18_018; 3]))),
            ("amount", Arc::new(Float64Array::from(vec![-1.5, -2.5, -3.5]))),
            ("category", Arc::new(StringArray::from(vec!["x", "y", "x"]))),
            (name, flags),
        ];
        write(&path, columns);
        let (map, read) = read_file(&bench, &path);
        assert_says(&map, &[&format!("where = \"{condition}\"")]);
        assert_eq!(read.unwrap(), (3, kept), "{condition}");
    }
}
