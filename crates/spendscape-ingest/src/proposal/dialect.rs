//! How a file of delimited text is written: encoding, delimiter, quotes, header, and lines that are no rows.

use std::{io::Read, path::Path};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

use super::{
    Guess,
    header::{footer, header, header_in_comment, is_comment, usual_length},
};
use crate::{Encoding, Error, map::SourceFormat, unpack::Text};

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
    let is_header = header_in_comment(&rows);
    let comments = rows.iter().filter(|row| is_comment(row)).count();
    if comments > 0 && comments < rows.len() && !is_header {
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

/// How rows come out by a delimiter and a quote.
struct Reading {
    delimiter: u8,
    quote: Option<u8>,
    /// The number of fields that most rows have, the rows that have it, and all rows.
    fields: usize,
    alike: usize,
    rows: usize,
}

impl Reading {
    fn of(text: &str, delimiter: u8, quote: Option<u8>) -> Self {
        let rows = rows(text, delimiter, quote, FIRST_ROWS);
        let (fields, alike) = usual_length(&rows);
        Self { delimiter, quote, fields, alike, rows: rows.len() }
    }

    /// The share of rows that have the same number of fields.
    fn share(&self) -> f64 {
        self.alike as f64 / self.rows.max(1) as f64
    }

    /// How much speaks for its delimiter.
    fn score(&self) -> f64 {
        if self.fields > 1 { self.share().powi(2) * (1.0 - 1.0 / self.fields as f64) } else { 0.0 }
    }
}

/// The quote with this delimiter: the usual one unless fields only stand in another one, and any other or none only if more rows
/// are alike by it. More fields speak for no quote: where every row has a delimiter within quotes, all have one more without.
fn quote_of(text: &str, delimiter: u8) -> Reading {
    let (double, single) = (stands_around(text, delimiter, b'"'), stands_around(text, delimiter, b'\''));
    let candidates: &[Option<u8>] = match (double, single) {
        (false, true) => &[Some(b'\''), Some(b'"'), None],
        (true, true) => &[Some(b'"'), Some(b'\''), None],
        (_, false) => &[Some(b'"'), None],
    };
    let readings = candidates.iter().map(|quote| Reading::of(text, delimiter, *quote));
    let more_alike = |best: Reading, next: Reading| if next.share() > best.share() { next } else { best };
    readings.reduce(more_alike).unwrap_or_else(|| Reading::of(text, delimiter, Some(b'"')))
}

/// Whether a quote stands at both ends of fields: about as often behind a delimiter as before one.
fn stands_around(text: &str, delimiter: u8, quote: u8) -> bool {
    let (mut opening, mut closing) = (0_usize, 0_usize);
    for line in text.lines().take(FIRST_ROWS) {
        let bytes = line.as_bytes();
        for at in memchr::memchr_iter(quote, bytes) {
            // Two quotes are an empty text, or one within quotes.
            let is_alone = |beside: usize| bytes.get(beside) != Some(&quote);
            let is_first = at == 0 || bytes[at - 1] == delimiter;
            let is_last = at + 1 == bytes.len() || bytes[at + 1] == delimiter;
            opening += usize::from(is_first && is_alone(at + 1));
            closing += usize::from(is_last && at > 0 && is_alone(at - 1));
        }
    }
    opening.min(closing) * 2 > opening.max(closing)
}

/// The delimiter by which most rows have the same number of fields, and the quote.
fn delimiter_and_quote(text: &str, guesses: &mut Vec<Guess>) -> (u8, Option<u8>) {
    let [first, others @ ..] = DELIMITERS.map(|delimiter| quote_of(text, delimiter));
    let best =
        others.into_iter().fold(first, |best, next| if next.score() > best.score() { next } else { best });
    let value = match best.delimiter {
        b'\t' => "\"\\t\"".to_owned(),
        other => format!("{:?}", char::from(other).to_string()),
    };
    let reason = format!("{} of the first {} rows have {} fields by it", best.alike, best.rows, best.fields);
    guesses.push(Guess { entry: "source.delimiter", value, reason, is_sure: best.score() > 0.4 });
    match best.quote {
        None => {
            let reason = "with quotes rows have different numbers of fields".to_owned();
            guesses.push(Guess::unsure("source.quote", "\"\"", reason));
        }
        Some(b'\'') => {
            guesses.push(Guess::sure("source.quote", "\"'\"", "fields begin and end with it".to_owned()));
        }
        Some(_) => {}
    }
    (best.delimiter, best.quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content: &[u8]) -> SourceFormat {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        of_file(file.path()).unwrap().0
    }

    /// As many rows as it takes for a header that disagrees to hardly count.
    fn many(header: &str, row: &str) -> SourceFormat {
        of(format!("{header}\n{}", format!("{row}\n").repeat(150)).as_bytes())
    }

    #[test]
    fn quotes_around_a_delimiter_in_every_row_are_told() {
        for (header, row, quote) in [
            ("Compte,Date,Catégorie,Montant", "FR1,20/01/2021,Loyer,\"-760,45\"", "\""),
            ("account,name,date,class,amount", "K1,\"DOE, JOHN\",2021-01-01,Fuel,-1.86", "\""),
            ("account,date,name,category,amount,", "K1,2021-01-01,\"DOE, JOHN\",Fuel,-1.86", "\""),
            ("'account','date','shop','amount'", "'K1','2021-01-01','Shop, Inc','-1.86'", "'"),
            ("account,date,shop,amount", "K1,2021-01-01,'Shop, Inc',-1.86", "'"),
            ("\"a\",\"date\",\"shop\",\"amount\"", "\"K1\",\"01/31/2021\",\"Shop, Inc\",\"-1.86\"", "\""),
        ] {
            let found = many(header, row);
            assert_eq!((found.delimiter.as_str(), found.quote.as_str()), (",", quote), "{row}");
            assert_eq!((found.header, found.header_at), (None, None), "{row}");
        }
        // Without a header too.
        let found = of("K1,2021-01-01,\"DOE, JOHN\",Fuel,-1.86\n".repeat(150).as_bytes());
        assert_eq!((found.quote.as_str(), found.header.map(|names| names.len())), ("\"", Some(5)));
        // A text that begins with a quote is none that is quoted.
        let found = many("account;date;shop;amount", "K1;2021-01-01;'t Winkeltje;-1,86");
        assert_eq!(found.quote, "\"");
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
