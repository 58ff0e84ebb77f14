//! `init`: from a file to a map, and on by the commands that it prints.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use crate::program::files;

/// Runs the program in a folder: exit code, standard output, standard error.
fn run(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_spendscape")).args(words).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The export of a German bank: lines around the rows, decimal commas, debits with their minus, three years of 12 customers.
fn export() -> String {
    let mut text = String::from("\"Auszug\";\"Filiale 7\"\n\"vom\";\"31.12.2020\"\n\n");
    text += "\"Kundennummer\";\"Buchungstag\";\"Betrag (EUR)\";\"Kategorie\";\"Verwendungszweck\"\n";
    for (at, (year, month)) in
        (2018..=2020).flat_map(|year| (1..=12).map(move |month| (year, month))).enumerate()
    {
        for customer in 0..12 {
            let class = ["Miete", "Essen", "Reisen"][(at + customer) % 3];
            let cents = 10_000 + 137 * (at * 12 + customer);
            let amount = format!("-{}.{:03},{:02}", 1 + customer, cents % 1_000, cents % 100);
            let day = 1 + (7 * at + customer) % 28;
            let _ = writeln!(
                text,
                "\"K{customer:03}\";\"{day:02}.{month:02}.{year}\";\"{amount}\";\"{class}\";\"Zahlung {at}, {customer}\""
            );
        }
    }
    text + "\"Anzahl Umsätze: 432\"\n"
}

#[test]
fn an_export_is_understood_and_the_printed_commands_work() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("umsaetze 2020.csv"), export()).unwrap();
    let (code, out, err) = run(folder.path(), &["init", "umsaetze 2020.csv"]);
    assert_eq!(code, Some(0), "{err}");
    let map = fs::read_to_string(folder.path().join("map.toml")).unwrap();
    for entry in [
        "currency = \"EUR\"",
        "delimiter = \";\"",
        "decimal_sign = \",\"",
        "grouping = \".\"",
        "header_at = ",
        "not_rows = [\"Anzahl Umsätze\"]",
        "customer = \"Kundennummer\"",
        "time = \"Buchungstag\"",
        "class = \"Kategorie\"",
        "formats = [\"%d.%m.%Y\"]",
    ] {
        assert!(map.contains(entry), "{entry}\n{map}");
    }
    for text in [
        "K000",
        "-1,",
        " EUR",
        "12 customers",
        "2018-01-",
        "100 % of the rows are money spent",
        "quarterly x 6",
    ] {
        assert!(out.contains(text), "{text}\n{out}");
    }
    // As printed, but for the place of the program.
    let commands: Vec<&str> =
        out.lines().filter_map(|line| line.trim().strip_prefix("spendscape ")).collect();
    assert_eq!(commands.len(), 2, "{out}");
    for command in commands {
        let line = format!("{} {command} -q", env!("CARGO_BIN_EXE_spendscape"));
        let output = Command::new("sh").args(["-c", &line]).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(folder.path().join("runs/umsaetze_2020/report.html").exists());
}

#[test]
fn nothing_that_is_there_is_replaced_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let rows =
        "account;date;amount;category\nA;02/05/2019;-1.50;x\nB;03/06/2019;-2.50;y\nA;04/07/2019;-3.50;x\n";
    fs::write(folder.path().join("ledger.csv"), rows).unwrap();
    let (code, out, err) = run(folder.path(), &["init", "ledger.csv", "--check"]);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(files(folder.path()), ["ledger.csv"]);
    // Which of the numbers is the month cannot be told: both readings are shown.
    for text in ["? time.formats", "\"%d/%m/%Y\"", "2019-05-02", "2019-02-05", "%m/%d/%Y", "? currency"] {
        assert!(out.contains(text), "{text}\n{out}");
    }
    fs::write(folder.path().join("map.toml"), "mine").unwrap();
    let (code, _, err) = run(folder.path(), &["init", "ledger.csv"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("--force") && err.contains("--check"), "{err}");
    assert_eq!(fs::read_to_string(folder.path().join("map.toml")).unwrap(), "mine");
    let (code, _, err) = run(folder.path(), &["init", "ledger.csv", "--force"]);
    assert_eq!(code, Some(0), "{err}");
    // A map that is there is what --check looks at.
    let map = fs::read_to_string(folder.path().join("map.toml")).unwrap().replace("%d/%m/%Y", "%m/%d/%Y");
    fs::write(folder.path().join("map.toml"), map).unwrap();
    let (code, out, err) = run(folder.path(), &["init", "ledger.csv", "--check", "--json"]);
    assert_eq!(code, Some(0), "{err}");
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["trial"]["first_rows"][0][1], "2019-02-05 00:00:00");
    assert_eq!(found["trial"]["customers"], 2);
}

#[test]
fn a_row_that_does_not_fit_is_named_and_the_map_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = String::from("account,date,amount,category\n");
    for (month, day) in (5..7).flat_map(|month| (1..=28).map(move |day| (month, day))) {
        let _ = writeln!(rows, "A,2019-{month:02}-{day:02},-{day}.50,x");
    }
    rows += "A,2019-07-01,oops,x\n";
    fs::write(folder.path().join("ledger.csv"), rows).unwrap();
    let (code, out, err) = run(folder.path(), &["init", "ledger.csv"]);
    assert_eq!(code, Some(2), "{out}");
    assert!(err.contains("row 57 (line 58)") && err.contains("\"oops\"") && err.contains("--check"), "{err}");
    assert!(out.contains("columns.amount"), "{out}");
    assert_eq!(files(folder.path()), ["ledger.csv", "map.toml"]);
    for (content, text) in [("a,b\nx,y\nz,w\n", "the time of transactions"), ("", "is empty")] {
        fs::write(folder.path().join("other.csv"), content).unwrap();
        let (code, _, err) = run(folder.path(), &["init", "other.csv", "--map", "other.toml"]);
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains(text), "{err}");
        assert!(!folder.path().join("other.toml").exists());
    }
}
