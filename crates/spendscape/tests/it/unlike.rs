//! `init` on ledgers that no run can be made of as they are: what is printed says so, and what runs runs as printed.

use std::{fmt::Write as _, fs, path::Path, process::Command};

/// Runs the program in a folder: exit code, standard output, standard error.
fn run(folder: &Path, words: &str) -> (Option<i32>, String, String) {
    let line = format!("{} {words}", env!("CARGO_BIN_EXE_spendscape"));
    let output = Command::new("sh").args(["-c", &line]).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn next(out: &str) -> Vec<&str> {
    let after = out.split("\nNext:\n").nth(1).unwrap_or_default();
    after.lines().map(str::trim).collect()
}

/// Three years of rows with these columns behind `account,date`, by month and customer.
fn ledger(header: &str, customers: usize, columns: impl Fn(usize, usize) -> String) -> String {
    let mut text = format!("account,date,{header}\n");
    for (at, (year, month)) in
        (2018..=2020).flat_map(|year| (1..=12).map(move |month| (year, month))).enumerate()
    {
        for customer in 0..customers {
            let day = 1 + (7 * at + customer) % 28;
            let _ = writeln!(text, "A{customer:02},{year}-{month:02}-{day:02},{}", columns(at, customer));
        }
    }
    text
}

/// Groceries and rent, and a salary.
fn with_salary(at: usize, customer: usize) -> String {
    ["-12.50,Essen", "-8.25,Miete", "-4.75,Reisen", "2000.00,Gehalt"][(at + customer) % 4].to_owned()
}

#[test]
fn one_customer_is_told_from_a_ledger_for_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let text = ledger("amount,category", 1, with_salary).replace("A00,", "").replace("account,", "");
    fs::write(folder.path().join("one.csv"), text).unwrap();
    let (code, out, err) = run(folder.path(), "init one.csv");
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("? columns.customer"), "{out}");
    assert!(
        matches!(next(&out)[..], [line] if line.starts_with("# all rows are one customer's") && line.contains("columns.customer")),
        "{out}"
    );
    // Whoever goes on is told the same.
    let words = "ingest runs/one --files one.csv --map map.toml --derive-classes 4 --draw-coefficients 1 --short-window none \
                 --window 'quarterly x 6'";
    let (code, _, err) = run(folder.path(), words);
    assert!(code == Some(0) && err.contains("columns.customer"), "{err}");
    for words in ["run runs/one", "train runs/one", "explain runs/one"] {
        let (code, _, err) = run(folder.path(), words);
        assert_eq!(code, Some(2), "{words}: {err}");
        assert!(err.contains("1 customer") && err.contains("columns.customer"), "{words}: {err}");
        assert!(!err.contains("run `spendscape train"), "{words}: {err}");
    }
}

#[test]
fn rows_without_a_code_that_bring_money_in_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let row = |at: usize, customer: usize| match (at + customer) % 7 {
        0 => "500.00,".to_owned(),
        code => format!("-12.50,{}", ["5411", "5812", "6513"][code % 3]),
    };
    fs::write(folder.path().join("cards.csv"), ledger("amount,MCC", 12, row)).unwrap();
    let (code, out, err) = run(folder.path(), "init cards.csv");
    assert_eq!(code, Some(0), "{err}");
    let map = fs::read_to_string(folder.path().join("map.toml")).unwrap();
    assert!(map.contains("where = \"trim(CAST(MCC AS VARCHAR)) <> ''\"") && map.contains("CHECK"), "{map}");
    assert!(
        out.contains("? rows.where") && out.contains("rows are left out by the map's `rows.where`"),
        "{out}"
    );
    let commands = next(&out);
    assert!(commands.len() == 2 && commands[0].contains("--taxonomy mcc --coefficients authored"), "{out}");
    for command in commands {
        let (code, _, err) =
            run(folder.path(), &format!("{} -q", command.strip_prefix("spendscape ").unwrap()));
        assert_eq!(code, Some(0), "{command}: {err}");
    }
    // One that money is spent without a code is the user's to judge.
    let row = |at: usize, customer: usize| match (at + customer) % 7 {
        0 => format!("{}500.00,", if at == 0 { "-" } else { "" }),
        _ => row(at, customer),
    };
    fs::write(folder.path().join("more.csv"), ledger("amount,MCC", 12, row)).unwrap();
    let (code, out, err) = run(folder.path(), "init more.csv --map more.toml");
    assert_eq!(code, Some(0), "{err}");
    assert!(!fs::read_to_string(folder.path().join("more.toml")).unwrap().contains("where"), "{out}");
    assert!(next(&out).iter().any(|line| line.starts_with("# ") && line.contains("taxonomy.toml")), "{out}");
}

#[test]
fn codes_that_only_bring_money_in_are_named_and_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("giro.csv"), ledger("amount,category", 12, with_salary)).unwrap();
    let (code, out, err) = run(folder.path(), "init giro.csv");
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("1 code only brings money in: \"Gehalt\" (108)."), "{out}");
    let lines = next(&out);
    let entry = "where = \"category NOT IN ('Gehalt')\"";
    assert!(lines.len() == 3 && lines[0].starts_with("# ") && lines[0].ends_with(entry), "{out}");
    // The entry as it is printed.
    let map = fs::read_to_string(folder.path().join("map.toml")).unwrap();
    fs::write(folder.path().join("map.toml"), format!("{map}\n[rows]\n{entry}\n")).unwrap();
    let (code, out, err) = run(folder.path(), "init giro.csv --check");
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("108 rows are left out") && !out.contains("money in:"), "{out}");
    assert!(next(&out)[0].contains("--derive-classes 3 "), "{out}");
}

#[test]
fn rows_of_two_exports_are_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let whole = |header: &str, id: bool| {
        ledger(header, 6, |at, customer| {
            let row =
                format!("-{}.{:02},{}", 1 + at, customer, ["Essen", "Miete", "Reisen"][(at + customer) % 3]);
            if id { format!("{row},T{at}-{customer}") } else { row }
        })
    };
    let write = |name: &str, text: &str| {
        let lines: Vec<&str> = text.lines().collect();
        let (header, rows) = (lines[0], &lines[1..]);
        for (file, rows) in [("a", &rows[..120]), ("b", &rows[108..])] {
            fs::write(
                folder.path().join(format!("{name}-{file}.csv")),
                format!("{header}\n{}\n", rows.join("\n")),
            )
            .unwrap();
        }
    };
    write("plain", &whole("amount,category", false));
    let (code, out, err) = run(folder.path(), "init plain-a.csv plain-b.csv");
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("12 rows are equal in all columns to rows of another file"), "{out}");
    assert!(out.contains("? rows.repeated") && out.contains("216 of 228 rows"), "{out}");
    let map = fs::read_to_string(folder.path().join("map.toml")).unwrap();
    assert!(map.contains("transaction = \"concat_ws('|', account, date, amount, category)\""), "{map}");
    assert!(map.contains("repeated = \"drop\""), "{map}");
    // With ids, the error says what to write.
    write("ids", &whole("amount,category,transaction_id", true));
    let (code, _, err) = run(folder.path(), "init ids-a.csv ids-b.csv --map ids.toml");
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("stands already") && err.contains("`repeated = \"drop\"` under `[rows]`"), "{err}");
    let map = fs::read_to_string(folder.path().join("ids.toml")).unwrap();
    fs::write(folder.path().join("ids.toml"), format!("{map}\n[rows]\nrepeated = \"drop\"\n")).unwrap();
    let (code, out, err) = run(folder.path(), "init ids-a.csv ids-b.csv --map ids.toml --check");
    assert!(code == Some(0) && out.contains("216 of 228 rows"), "{out}{err}");
}

#[test]
fn one_class_is_told_from_a_ledger_for_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let row = |at: usize, customer: usize| match (at + customer) % 6 {
        0 => "12.50,,NTRF".to_owned(),
        _ => ",9000.00,NTRF".to_owned(),
    };
    fs::write(folder.path().join("dull.csv"), ledger("debit,credit,code", 6, row)).unwrap();
    let (code, out, err) = run(folder.path(), "init dull.csv");
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("No window keeps a customer: all rows have one class"), "{out}");
    assert!(matches!(next(&out)[..], [line] if line.starts_with("# no window keeps a customer")), "{out}");
    fs::write(folder.path().join("spent.csv"), ledger("amount,code", 6, |_, _| "-1.50,NTRF".to_owned()))
        .unwrap();
    let (_, out, _) = run(folder.path(), "init spent.csv --map spent.toml");
    assert!(out.contains("1 code, the commonest"), "{out}");
    assert!(
        matches!(next(&out)[..], [line] if line.starts_with("# all money is spent in one class")),
        "{out}"
    );
}
