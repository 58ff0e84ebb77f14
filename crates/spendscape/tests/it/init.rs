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

/// Three years of 12 customers with debit and credit in two columns, and codes of merchants.
fn card_export(codes: &[&str]) -> String {
    let mut text = String::from("Account,Date,Debit,Credit,MCC\n");
    for (at, (year, month)) in
        (2018..=2020).flat_map(|year| (1..=12).map(move |month| (year, month))).enumerate()
    {
        for customer in 0..12 {
            let (code, day) = (codes[(at + customer) % codes.len()], 1 + (7 * at + customer) % 28);
            let sides = if (at + customer) % 9 == 0 { ",12.50" } else { "8.25," };
            let _ = writeln!(text, "A{customer:02},{year}-{month:02}-{day:02},{sides},{code}");
        }
    }
    text
}

fn commands(out: &str) -> Vec<&str> {
    out.lines().filter_map(|line| line.trim().strip_prefix("spendscape ")).collect()
}

/// Runs a printed command: exit code and standard error.
fn run_printed(folder: &Path, command: &str) -> (Option<i32>, String) {
    let line = format!("{} {command}", env!("CARGO_BIN_EXE_spendscape"));
    let output = Command::new("sh").args(["-c", &line]).current_dir(folder).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn codes_of_merchants_get_the_taxonomy_that_comes_with_the_program() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cards.csv"), card_export(&["5411", "5812", "6513", "5541"])).unwrap();
    let (code, out, err) = run(folder.path(), &["init", "cards.csv"]);
    assert_eq!(code, Some(0), "{err}");
    let map = fs::read_to_string(folder.path().join("map.toml")).unwrap();
    for entry in ["[amount]", "debit = \"Debit\"", "credit = \"Credit\"", "class = \"MCC\""] {
        assert!(map.contains(entry), "{entry}\n{map}");
    }
    assert!(!map.contains("coalesce") && !map.contains("debits"), "{map}");
    assert!(out.contains("? 100 % of the rows have codes of the taxonomy mcc"), "{out}");
    let printed = commands(&out);
    assert_eq!(printed.len(), 2, "{out}");
    assert!(printed[0].contains("--taxonomy mcc --coefficients authored"), "{out}");
    for command in printed {
        let (code, err) = run_printed(folder.path(), &format!("{command} -q"));
        assert_eq!(code, Some(0), "{command}: {err}");
    }
    assert!(folder.path().join("runs/cards/report.html").exists());
    // Some codes that the taxonomy lacks are the user's to add.
    let codes = ["5411", "5812", "6513", "5541", "5411", "5812", "6513", "5541", "house"];
    fs::write(folder.path().join("more.csv"), card_export(&codes)).unwrap();
    let (code, out, err) = run(folder.path(), &["init", "more.csv", "--map", "more.toml"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("? 88 % of the rows") && out.contains("It lacks \"house\" (48)"), "{out}");
    let printed = commands(&out);
    assert_eq!((printed.len(), printed[0]), (3, "template mcc > taxonomy.toml"), "{out}");
    assert!(out.contains("# then add the codes that it lacks to taxonomy.toml"), "{out}");
    assert_eq!(run_printed(folder.path(), printed[0]).0, Some(0));
    let (code, err) = run_printed(folder.path(), printed[1]);
    assert!(code == Some(2) && err.contains("\"house\"") && err.contains("unmapped"), "{err}");
    let taxonomy = fs::read_to_string(folder.path().join("taxonomy.toml")).unwrap();
    fs::write(folder.path().join("taxonomy.toml"), format!("unmapped = \"drop\"\n{taxonomy}")).unwrap();
    let (code, err) = run_printed(folder.path(), printed[1]);
    assert_eq!(code, Some(0), "{err}");
    // What was added to is not written anew.
    let (_, out, _) = run(folder.path(), &["init", "more.csv", "--map", "more.toml", "--check"]);
    assert_eq!(commands(&out).len(), 2, "{out}");
}

#[test]
fn statements_are_understood_and_the_printed_commands_work() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for account in 0..6 {
        let _ = write!(text, ":20:S{account}\n:25:ACCOUNT{account}\n:60F:C171231EUR1000,00\n");
        for (at, (year, month)) in
            (18..=20).flat_map(|year| (1..=12).map(move |month| (year, month))).enumerate()
        {
            let (mark, code) = [("D", "NMSC"), ("D", "NTRF"), ("C", "NSAL")][(at + account) % 3];
            let _ = writeln!(
                text,
                ":61:{year}{month:02}15{mark}{},50{code}NONREF\n:86:Zahlung f\u{fc}r {at}",
                10 + at
            );
        }
        text += ":62F:C201231EUR1,00\n-\n";
    }
    let western: Vec<u8> = text.chars().map(|letter| letter as u8).collect();
    fs::write(folder.path().join("2020.sta"), western).unwrap();
    let (code, out, err) = run(folder.path(), &["init", "2020.sta"]);
    assert_eq!(code, Some(0), "{err}");
    let map = fs::read_to_string(folder.path().join("map.toml")).unwrap();
    for entry in
        ["currency = \"EUR\"", "format = \"mt940\"", "encoding = \"windows-1252\"", "class = \"code\""]
    {
        assert!(map.contains(entry), "{entry}\n{map}");
    }
    assert!(out.contains("6 customers") && out.contains("ACCOUNT0"), "{out}");
    let printed = commands(&out);
    assert_eq!(printed.len(), 2, "{out}");
    for command in printed {
        let (code, err) = run_printed(folder.path(), &format!("{command} -q"));
        assert_eq!(code, Some(0), "{command}: {err}");
    }
}
