//! How a file of delimited text is written: encoding, delimiter, quotes, header, and lines that are no rows.

use std::{io::Read, path::Path};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

use super::{Guess, dates, numbers::Numbers};
use crate::{
    Error,
    ingest::{Encoding, SourceFormat, Text},
};

/// Bytes looked at from the start of a file and from its end.
const HEAD: usize = 4 << 20;
const TAIL: usize = 64 << 10;

/// Rows looked at for the delimiter and the header.
const FIRST_ROWS: usize = 400;

/// Rows looked at from the end: totals and notes are few.
const LAST_ROWS: usize = 8;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The two ends of a file, as UTF-8 where it decodes.
struct Ends {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Whether the head is the whole file.
    is_whole: bool,
}

/// How a text file is written, with the reasons.
pub(super) fn of_file(path: &Path) -> Result<(SourceFormat, Vec<Guess>), Error> {
    let mut guesses = Vec::new();
    let (encoding, ends) = encoding(path, &mut guesses)?;
    let mut format = SourceFormat { encoding, ..SourceFormat::default() };
    let text = String::from_utf8_lossy(&ends.head);
    let end = if ends.is_whole { text.len() } else { text.rfind('\n').map_or(text.len(), |at| at + 1) };
    let text = &text[..end];
    if text.trim().is_empty() {
        return Err(Error::EmptyFile { path: path.to_owned() });
    }
    let (delimiter, quote) = delimiter_and_quote(text, &mut guesses);
    format.delimiter = char::from(delimiter).to_string();
    format.quote = quote.map_or(String::new(), |quote| char::from(quote).to_string());
    let mut rows = rows(text, delimiter, quote, FIRST_ROWS);
    let comments = rows.iter().filter(|row| is_comment(row)).count();
    if comments > 0 && comments < rows.len() {
        format.not_rows.push("#".to_owned());
        guesses.push(Guess::sure(
            "source.not_rows",
            "\"#\"",
            format!("{comments} of the first lines begin with it"),
        ));
        rows.retain(|row| !is_comment(row));
    }
    header(&rows, &mut format, &mut guesses);
    let tail = String::from_utf8_lossy(if ends.is_whole { &ends.head } else { &ends.tail });
    let start = if ends.is_whole { 0 } else { tail.find('\n').map_or(0, |at| at + 1) };
    footer(&rows, &last_rows(&tail[start..], delimiter, quote), &mut format, &mut guesses);
    Ok((format, guesses))
}

fn ends(path: &Path, encoding: Encoding) -> Result<Ends, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut text = Text::open(path, encoding)?;
    let mut head = Vec::new();
    text.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
    let (mut tail, mut block) = (Vec::new(), vec![0; TAIL]);
    let is_whole = head.len() < HEAD;
    let mut is_at_end = is_whole;
    while !is_at_end {
        let count = text.read(&mut block).map_err(failed)?;
        is_at_end = count == 0;
        tail.extend_from_slice(&block[..count]);
        tail.drain(..tail.len().saturating_sub(TAIL));
    }
    Ok(Ends { head, tail, is_whole })
}

/// Whether bytes are UTF-8, but for characters that are cut at either end.
fn is_utf8(bytes: &[u8]) -> bool {
    let start = bytes.iter().take(3).take_while(|byte| (0x80..0xc0).contains(*byte)).count();
    match std::str::from_utf8(&bytes[start..]) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    }
}

/// The encoding of a file: UTF-8 if it is, UTF-16 if every other byte is zero, and what its letters are likely to be else.
fn encoding(path: &Path, guesses: &mut Vec<Guess>) -> Result<(Encoding, Ends), Error> {
    let raw = ends(path, Encoding::default())?;
    let zeros = |offset: usize| {
        raw.head.iter().skip(offset).step_by(2).take(2_000).filter(|byte| **byte == 0).count()
    };
    let half = raw.head.len().min(4_000) / 2;
    let wide = [("utf-16be", zeros(0)), ("utf-16le", zeros(1))];
    let found = wide.into_iter().find(|(_, zeros)| half > 0 && zeros * 10 > half * 7);
    if found.is_none() && is_utf8(&raw.head) && is_utf8(&raw.tail) {
        return Ok((Encoding::default(), raw));
    }
    let label = match found {
        Some((label, _)) => label.to_owned(),
        None => {
            let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
            detector.feed(&raw.head, false);
            detector.feed(&raw.tail, true);
            detector.guess(None, Utf8Detection::Deny).name().to_ascii_lowercase()
        }
    };
    let encoding = Encoding::try_from(label.clone()).unwrap_or_default();
    let reason = match found {
        Some(_) => "every other byte is zero".to_owned(),
        None => "the bytes are not UTF-8; this is what their letters look like most: see whether names come out right".to_owned(),
    };
    guesses.push(Guess {
        entry: "source.encoding",
        value: format!("{label:?}"),
        reason,
        is_sure: found.is_some(),
    });
    Ok((encoding, ends(path, encoding)?))
}

/// The encoding of a text file, with the reason if it is not UTF-8.
pub(super) fn encoding_of(path: &Path, guesses: &mut Vec<Guess>) -> Result<Encoding, Error> {
    encoding(path, guesses).map(|(encoding, _)| encoding)
}

/// Rows of a text as they come, at most so many.
fn rows(text: &str, delimiter: u8, quote: Option<u8>, most: usize) -> Vec<Vec<String>> {
    let reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(quote.is_some())
        .quote(quote.unwrap_or(b'"'))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let row = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    reader.into_records().filter_map(Result::ok).take(most).map(row).collect()
}

fn last_rows(text: &str, delimiter: u8, quote: Option<u8>) -> Vec<Vec<String>> {
    let mut all = rows(text, delimiter, quote, usize::MAX);
    all.drain(..all.len().saturating_sub(LAST_ROWS));
    all
}

/// The delimiter by which most rows have the same number of fields, and the quote.
fn delimiter_and_quote(text: &str, guesses: &mut Vec<Guess>) -> (u8, Option<u8>) {
    let score = |delimiter: u8, quote: Option<u8>| {
        let rows = rows(text, delimiter, quote, FIRST_ROWS);
        let (fields, count) = usual_length(&rows);
        let share = count as f64 / rows.len().max(1) as f64;
        (
            if fields > 1 { share * share * (1.0 - 1.0 / fields as f64) } else { 0.0 },
            fields,
            count,
            rows.len(),
        )
    };
    let ranked = |quote| {
        let scores = DELIMITERS.map(|delimiter| (score(delimiter, quote), delimiter));
        scores.into_iter().fold(scores[0], |best, next| if next.0.0 > best.0.0 { next } else { best })
    };
    // The usual quote, unless rows are more alike with another one or with none.
    let candidates = [Some(b'"'), Some(b'\''), None].map(|quote| (ranked(quote), quote));
    let ((best, delimiter), quote) = candidates
        .into_iter()
        .fold(candidates[0], |best, next| if next.0.0.0 > best.0.0.0 { next } else { best });
    let name = match delimiter {
        b'\t' => "\"\\t\"".to_owned(),
        other => format!("{:?}", char::from(other).to_string()),
    };
    guesses.push(Guess {
        entry: "source.delimiter",
        value: name,
        reason: format!("{} of the first {} rows have {} fields by it", best.2, best.3, best.1),
        is_sure: best.0 > 0.4,
    });
    // A quote stands at both ends of a field.
    let is_quoted = |quote: char| {
        let fields = || text.lines().take(FIRST_ROWS).flat_map(|line| line.split(char::from(delimiter)));
        let quoted = |field: &&str| {
            field.trim().len() > 1 && field.trim().starts_with(quote) && field.trim().ends_with(quote)
        };
        let count = fields().filter(quoted).count();
        count > 0 && 2 * count > fields().filter(|field| field.trim().starts_with(quote)).count()
    };
    match quote {
        None => {
            let reason = "with quotes rows have different numbers of fields".to_owned();
            guesses.push(Guess::unsure("source.quote", "\"\"", reason));
            (delimiter, None)
        }
        Some(quote) if quote == b'\'' || (!is_quoted('"') && is_quoted('\'')) => {
            guesses.push(Guess::sure("source.quote", "\"'\"", "fields begin and end with it".to_owned()));
            (delimiter, Some(b'\''))
        }
        quote => (delimiter, quote),
    }
}

/// The number of fields that most rows have, and how many have it.
fn usual_length(rows: &[Vec<String>]) -> (usize, usize) {
    let mut counts = std::collections::BTreeMap::new();
    for row in rows {
        *counts.entry(row.len()).or_insert(0_usize) += 1;
    }
    counts.into_iter().max_by_key(|(fields, count)| (*count, *fields)).unwrap_or((0, 0))
}

fn is_comment(row: &[String]) -> bool {
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

/// The header: the first row as long as the others (but for empty fields at the end) in which nothing is a value.
fn header(rows: &[Vec<String>], format: &mut SourceFormat, guesses: &mut Vec<Guess>) {
    let (usual, _) = usual_length(rows);
    let is_row = |row: &Vec<String>| row.len() + 1 >= usual && filled(row).len() > 1;
    let has_values = |row: &Vec<String>| row.iter().any(|field| is_value(field));
    let first_row = rows.iter().position(|row| is_row(row) && has_values(row)).unwrap_or(rows.len());
    let found = rows[..first_row].iter().rposition(is_row);
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

/// Totals and notes below the rows.
fn footer(rows: &[Vec<String>], last: &[Vec<String>], format: &mut SourceFormat, guesses: &mut Vec<Guess>) {
    let (usual, _) = usual_length(rows);
    let is_footer = |row: &&Vec<String>| filled(row).len() * 2 < usual || row.len() + 1 < usual;
    for row in last.iter().rev().take_while(is_footer) {
        let first = row.first().map(|field| field.trim()).unwrap_or_default();
        let words = first.split(|letter: char| letter.is_ascii_digit()).next().unwrap_or_default();
        let beginning = words.trim_end_matches([' ', ':', '-', '(']);
        let beginning = if beginning.is_empty() { first } else { beginning };
        let is_row = |row: &Vec<String>| {
            row.len() == usual && row.first().is_some_and(|field| field.trim().starts_with(beginning))
        };
        if beginning.is_empty()
            || format.not_rows.iter().any(|known| beginning.starts_with(known))
            || rows.iter().any(is_row)
        {
            continue;
        }
        format.not_rows.push(beginning.to_owned());
        let reason = format!("a line with {} of {usual} fields at the end", filled(row).len());
        guesses.push(Guess::sure("source.not_rows", &format!("{beginning:?}"), reason));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content: &[u8]) -> SourceFormat {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        of_file(file.path()).unwrap().0
    }

    #[test]
    fn lines_around_the_rows_are_told() {
        let text = "\"Konto:\";\"Giro 0001\"\n\"Von:\";\"01.01.2019\"\n\n\"Kunde\";\"Buchungstag\";\"Betrag\";\"Kategorie\"\n\
                    \"A1\";\"02.05.2019\";\"-10,00\";\"food\"\n\"A1\";\"02.05.2020\";\"-20,00\";\"rent\"\n\"Anzahl Buchungen: 5\"\n";
        let found = of(text.as_bytes());
        assert_eq!((found.delimiter.as_str(), found.quote.as_str()), (";", "\""));
        assert_eq!(found.header_at, Some(["Kunde", "Buchungstag", "Betrag"].map(str::to_owned).to_vec()));
        assert_eq!(found.not_rows, ["Anzahl Buchungen"]);
    }

    #[test]
    fn encodings_delimiters_and_quotes_are_told() {
        let found = of(b"customer;time;amount;class\nA1;2019-05-02;-10.00;\x8eabka \xe8aj\nA2;2019-05-02;-11.00;P\xf8\xedrodn\xed\n");
        assert_eq!(found.encoding.name(), "windows-1250");
        let wide: Vec<u8> = "a\tb\n1\t2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let found = of(&wide);
        assert_eq!((found.encoding.name().as_str(), found.delimiter.as_str()), ("utf-16le", "\t"));
        assert_eq!(of(b"'a'|'b'|'c'\n'x|y'|'1'|'2'\n'z'|'1'|'2'\n").quote, "'");
        // An amount with a comma in it does not make the comma a delimiter.
        assert_eq!(of(b"k;t;b\nA;2019-05-02;1,5\nB;2019-05-02;2,5\n").delimiter, ";");
        let found = of(b"A1,2019-05-02,-10.00,food\nA1,2020-05-02,-20.00,rent\n");
        assert_eq!(found.header.map(|names| names.len()), Some(4));
        assert_eq!(of(b"# made by x\ncustomer,amount\nA,1\nB,2\n").not_rows, ["#"]);
    }
}
