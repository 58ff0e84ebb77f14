//! The lines of a text file that are no rows: the header, what stands above it, comments, and totals below the rows.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use super::{Guess, dates, numbers::Numbers};
use crate::{Error, map::SourceFormat, text::TextFile};

/// What the first words of a total are, in the languages of exports.
const TOTALS: [&str; 24] = [
    "total",
    "totals",
    "totale",
    "totaal",
    "totalt",
    "subtotal",
    "sum",
    "summe",
    "summa",
    "soma",
    "suma",
    "somme",
    "razem",
    "celkem",
    "gesamt",
    "gesamtsumme",
    "yhteensä",
    "balance",
    "saldo",
    "solde",
    "kontostand",
    "endsaldo",
    "anfangssaldo",
    "anzahl",
];

/// The number of fields that most rows have, and how many have it. Empty fields at the end of a row may be there or not.
pub(super) fn usual_length(rows: &[Vec<String>]) -> (usize, usize) {
    let mut counts = std::collections::BTreeMap::new();
    for row in rows {
        for fields in filled(row).len().max(1)..=row.len() {
            *counts.entry(fields).or_insert(0_usize) += 1;
        }
    }
    counts.into_iter().max_by_key(|(fields, count)| (*count, *fields)).unwrap_or((0, 0))
}

pub(super) fn is_comment(row: &[String]) -> bool {
    row.first().is_some_and(|field| field.trim_start().starts_with('#'))
}

/// Whether a field is a number or a day, which no name of a column is.
fn is_value(field: &str) -> bool {
    let field = field.trim();
    !field.is_empty()
        && (Numbers::of([field].into_iter()).is_numeric()
            || dates::of(&[field]).is_ok_and(|dates| dates.is_some()))
}

/// Fields up to the last one that is not empty.
fn filled(row: &[String]) -> &[String] {
    let empty = row.iter().rev().take_while(|field| field.trim().is_empty()).count();
    &row[..row.len() - empty]
}

fn has_values(row: &[String]) -> bool {
    row.iter().any(|field| is_value(field))
}

/// Fields up to the last one that is filled, as most of the rows have that are as long as most.
fn usual_width(rows: &[Vec<String>], usual: usize) -> usize {
    let long = rows.iter().filter(|row| row.len() + 1 >= usual);
    let mut widths: Vec<usize> = long.map(|row| filled(row).len()).collect();
    widths.sort_unstable();
    widths.get(widths.len() / 2).copied().unwrap_or(0)
}

/// Whether the header is what is otherwise a comment: a line with a name for every field that is filled below it.
pub(super) fn header_in_comment(rows: &[Vec<String>]) -> bool {
    let (usual, _) = usual_length(rows);
    let width = usual_width(rows, usual);
    let is_first = |row: &Vec<String>| !is_comment(row) && filled(row).len() >= width && has_values(row);
    let first_row = rows.iter().position(is_first).unwrap_or(0);
    let above = rows[..first_row].iter().rev().find(|row| filled(row).len() > 1);
    width > 1
        && above.is_some_and(|row| {
            is_comment(row) && filled(row).len() >= width && row.len() <= usual && !has_values(row)
        })
}

/// The header: the last row above the values that is as wide as they are, or nearly so. What is padded with empty fields is not.
pub(super) fn header(rows: &[Vec<String>], format: &mut SourceFormat, guesses: &mut Vec<Guess>) {
    let (usual, _) = usual_length(rows);
    let width = usual_width(rows, usual);
    let is_wide = |row: &[String]| row.len() + 1 >= usual && filled(row).len() > 1;
    let is_row = |row: &Vec<String>| is_wide(row) && 3 * filled(row).len() > 2 * width;
    let is_header = |row: &Vec<String>| is_wide(row) && 2 * filled(row).len() > width && !has_values(row);
    let first_row = rows.iter().position(|row| is_row(row) && has_values(row)).unwrap_or(rows.len());
    let found = rows[..first_row].iter().rposition(is_header);
    match found {
        Some(0) => {}
        Some(at) => {
            let names: Vec<String> = rows[at]
                .iter()
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .take(3)
                .collect();
            let value = format!("{names:?}");
            guesses.push(Guess::sure(
                "source.header_at",
                &value,
                format!("{at} lines stand above the header"),
            ));
            format.header_at = Some(names);
        }
        None => {
            let names: Vec<String> = (1..=usual).map(|column| format!("column_{column}")).collect();
            let reason = "the first row has values as the others have: there is no header".to_owned();
            let value = format!("{names:?}");
            guesses.push(Guess { entry: "source.header", value, reason, is_sure: false });
            format.header = Some(names);
        }
    }
}

/// Whether the columns have names only because a header must have some.
pub(super) fn is_made_up(format: &SourceFormat) -> bool {
    format.header.iter().flatten().next().is_some_and(|name| name == "column_1")
}

/// Tells columns of one name apart, where a header has some: the second `Date` becomes `Date_2`.
pub(super) fn tell_twins_apart(
    path: &Path,
    format: &mut SourceFormat,
    guesses: &mut Vec<Guess>,
) -> Result<(), Error> {
    if format.header.is_some() {
        return Ok(());
    }
    let (names, lines) = {
        let file = TextFile::open(path, format, 1 << 16)?;
        (file.header().to_vec(), file.first_line)
    };
    let mut taken: HashSet<String> = names.iter().cloned().collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let (mut apart, mut twins) = (Vec::new(), Vec::new());
    for name in &names {
        let count = counts.entry(name).or_default();
        *count += 1;
        if *count == 1 || name.is_empty() {
            apart.push(name.clone());
            continue;
        }
        if *count == 2 {
            twins.push(name.as_str());
        }
        let own = (*count..).map(|number| format!("{name}_{number}")).find(|own| !taken.contains(own));
        let own = own.unwrap_or_default();
        taken.insert(own.clone());
        apart.push(own);
    }
    if twins.is_empty() {
        return Ok(());
    }
    let named = apart.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    apart.truncate(named);
    for (at, name) in apart.iter_mut().enumerate().filter(|(_, name)| name.is_empty()) {
        *name = format!("nameless_{}", at + 1);
    }
    let stand = if twins.len() == 1 { "stands" } else { "stand" };
    let reason = format!("{} {stand} twice in the header: see which is which", twins.join(", "));
    guesses.retain(|guess| guess.entry != "source.header_at");
    guesses.push(Guess::unsure("source.header", &format!("{apart:?}"), reason));
    guesses.push(Guess::sure(
        "source.skip",
        &lines.to_string(),
        "the file's own header is left out".to_owned(),
    ));
    (format.header, format.header_at, format.skip) = (Some(apart), None, lines);
    Ok(())
}

/// Totals and notes below the rows: lines that are short, or that lack what rows have and begin as none of them.
pub(super) fn footer(
    rows: &[Vec<String>],
    last: &[Vec<String>],
    format: &mut SourceFormat,
    guesses: &mut Vec<Guess>,
) {
    let (usual, _) = usual_length(rows);
    let width = usual_width(rows, usual);
    let has_digit = |text: &str| text.contains(|letter: char| letter.is_ascii_digit());
    for (at, row) in last.iter().enumerate().rev() {
        let (above, below) = last.split_at(at);
        let is_row = |other: &&Vec<String>| {
            other.len() >= usual && 3 * filled(other).len() > 2 * width && !below.contains(other)
        };
        let others: Vec<&Vec<String>> = rows.iter().chain(above).filter(is_row).collect();
        // The header and other totals are among them.
        let few = (others.len() / 20).max((others.len() / 3).min(2));
        let is_empty =
            |row: &[String], column: usize| row.get(column).is_none_or(|field| field.trim().is_empty());
        let is_always_there =
            |column: &usize| others.iter().filter(|row| is_empty(row, *column)).count() <= few;
        let always: Vec<usize> = (0..usual).filter(is_always_there).collect();
        let lacking = |row: &[String]| always.iter().filter(|column| is_empty(row, **column)).count();
        let found = filled(row).len();
        if found == 0 {
            continue;
        }
        let first = row[0].trim();
        let words = first.split(|letter: char| letter.is_ascii_digit()).next().unwrap_or_default();
        let beginning = words.trim_end_matches([' ', ':', '-', '(']);
        let beginning = if beginning.is_empty() { first } else { beginning };
        let is_total = words
            .split(|letter: char| !letter.is_alphabetic())
            .any(|word| TOTALS.contains(&word.to_lowercase().as_str()));
        let is_odd = !words.is_empty()
            && !has_digit(first)
            && others.iter().filter(|row| !has_digit(&row[0])).count() <= few;
        let is_short = found * 2 < usual || row.len() + 1 < usual;
        let (is_footer, is_sure) = match (is_short, lacking(row)) {
            (true, _) => (true, true),
            (false, 0) => (is_total && is_odd, false),
            (false, _) => (is_total || is_odd, is_total),
        };
        if !is_footer {
            break;
        }
        let is_known = format.not_rows.iter().any(|known| beginning.starts_with(known));
        let begins_row = |row: &&Vec<String>| row[0].trim().starts_with(beginning) && lacking(row) == 0;
        if beginning.is_empty() || is_known || others.iter().any(begins_row) {
            continue;
        }
        format.not_rows.push(beginning.to_owned());
        let reason = match is_short {
            true => format!("a line with {found} of {usual} fields at the end"),
            false => format!("a line at the end that looks like a total: {}", row.join(&format.delimiter)),
        };
        guesses.push(Guess { entry: "source.not_rows", value: format!("{beginning:?}"), reason, is_sure });
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        map::SourceFormat,
        proposal::{Guess, dialect},
    };

    fn read(content: &str) -> (SourceFormat, Vec<Guess>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        dialect::of_file(file.path()).unwrap()
    }

    fn of(content: &str) -> SourceFormat {
        read(content).0
    }

    #[test]
    fn lines_around_the_rows_are_told() {
        let text = "\"Konto:\";\"Giro 0001\"\n\"Von:\";\"01.01.2019\"\n\n\"Kunde\";\"Buchungstag\";\"Betrag\";\"Kategorie\"\n\
                    \"A1\";\"02.05.2019\";\"-10,00\";\"food\"\n\"A1\";\"02.05.2020\";\"-20,00\";\"rent\"\n\"Anzahl Buchungen: 5\"\n";
        let found = of(text);
        assert_eq!((found.delimiter.as_str(), found.quote.as_str()), (";", "\""));
        assert_eq!(found.header_at, Some(["Kunde", "Buchungstag", "Betrag"].map(str::to_owned).to_vec()));
        assert_eq!(found.not_rows, ["Anzahl Buchungen"]);
    }

    fn names(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_header_that_looks_like_a_comment_is_one() {
        let rows = &"2022-01-01;ZAKUP;'22 11';Paliwo;-16,84 PLN;\n2022-01-02;ZAKUP;'22 12';Dom;-82,97 PLN;\n"
            .repeat(5);
        let header = "#Data operacji;#Opis operacji;#Rachunek;#Kategoria;#Kwota;\n";
        let found = of(&format!("{header}{rows}"));
        assert_eq!((found.not_rows.len(), found.header_at, found.header), (0, None, None));
        let above = "mBank S.A.;\n\n#Klient;\nJAN KOWALSKI;\n\n#Za okres:;\n01.01.2022;31.12.2024;\n\n";
        let found = of(&format!("{above}{header}{rows}"));
        assert_eq!(found.header_at, names(&["#Data operacji", "#Opis operacji", "#Rachunek"]));
        assert!(found.not_rows.is_empty());
        // A comment above a header is none, nor is a row that is commented out.
        let found = of("# by x\ncustomer,day,amount\n#A,2022-01-01,1\nA,2022-01-02,1\nB,2022-01-03,2\n");
        assert_eq!((found.not_rows, found.header_at), (vec!["#".to_owned()], None));
    }

    #[test]
    fn lines_padded_to_all_columns_are_no_header() {
        let text = "Konto;;;;;\nZeitraum:;01.01.2021 - 31.12.2023;;;;\nErstellt am:;05.01.2024;;;;\n;;;;;\n\
                    IBAN;Tag;Wert;Kategorie;Umsatz;W\n\
                    DE1;01.01.2021;02.01.2021;Miete;-18,96;EUR\nDE2;01.01.2021;02.01.2021;Kino;-1,96;EUR\n\
                    ;;;;;\nSumme Soll;;;;-138.000,00;EUR\nSumme Haben;;;;2.079,21;EUR\n";
        let found = of(text);
        assert_eq!(found.header_at, names(&["IBAN", "Tag", "Wert"]));
        assert_eq!(found.not_rows, ["Summe Haben", "Summe Soll"]);
        // Columns without names at the end are columns.
        let found = of("a,b,c,,\n1,2,3,4,5\n2,3,4,5,6\n");
        assert_eq!((found.header, found.header_at), (None, None));
    }

    #[test]
    fn totals_as_wide_as_rows_are_no_customers() {
        let rows = |count: usize, last: &str| {
            let mut text = "account,date,category,amount\n".to_owned();
            for at in 0..count {
                text += &format!("K{},2021-01-{:02},Rent,-{at}.50\n", at % 7, 1 + at % 28);
            }
            let (format, guesses) = read(&(text + last + "\n"));
            let is_sure =
                guesses.iter().find(|guess| guess.entry == "source.not_rows").map(|guess| guess.is_sure);
            (format.not_rows, is_sure)
        };
        for count in [5, 50, 2_000] {
            let named = |text: &str| vec![text.to_owned()];
            assert_eq!(rows(count, "Total,2023-12-31,,-12.00"), (named("Total"), Some(true)));
            assert_eq!(rows(count, "Grand total 2023:,,,-12.00"), (named("Grand total"), Some(true)));
            // What is not known as a total is asked about, as is a total that lacks nothing.
            assert_eq!(rows(count, "Kokku,2023-12-31,,-12.00"), (named("Kokku"), Some(false)));
            assert_eq!(rows(count, "Total,2023-12-31,all,-12.00"), (named("Total"), Some(false)));
            // Rows that lack a field are rows.
            for row in [
                "K3,2021-01-31,,-12.00",
                "Q3,2021-01-31,,-12.00",
                ",2021-01-31,Rent,-12.00",
                "K1,2021-01-31,Rent,",
            ] {
                assert_eq!(rows(count, row), (Vec::new(), None), "{row}");
            }
        }
    }
}
