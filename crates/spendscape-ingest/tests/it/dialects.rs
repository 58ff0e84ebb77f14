//! One known ledger in hundreds of dialects of delimited text: each is read to the same content by a map that names the
//! dialect, and most by the map that is proposed from the file alone.

use std::{fmt::Write as _, fs, io::Write};

use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_ingest::{ColumnMap, ingest, propose};
use spendscape_schema::Taxonomy;

use super::bad_input::Bench;
use crate::NAMES;

/// Customer, day, clock, minor units, class: names that need quotes in some dialect, letters that are not ASCII, every kind of
/// amount that numbers are written in.
const LEDGER: [(&str, &str, &str, i64, &str); 14] = [
    ("A1", "2019-05-02", "08:15:00", -1_000, "food"),
    ("A1", "2019-05-28", "23:59:59", -123_450, "Café, Bar"),
    ("A1", "2019-11-30", "00:00:00", 250_000, "salary"),
    ("A1", "2020-01-13", "12:00:01", -5, "say \"hi\""),
    ("B2", "2019-02-28", "10:30:00", -123_456_789, "rent; flat"),
    ("B2", "2019-06-17", "18:45:10", -3_333, "Žabka"),
    ("B2", "2020-02-29", "07:07:07", -99_999, "it's | here"),
    ("B2", "2020-12-31", "16:20:00", 100, "refund"),
    ("Müller & Söhne", "2019-01-01", "09:00:00", -4_200, "food"),
    ("Müller & Söhne", "2019-08-19", "21:21:21", -100_000, "rent; flat"),
    ("Müller & Söhne", "2020-04-15", "13:37:00", -77, "food"),
    ("C3", "2019-03-31", "02:30:00", -1_050, "food"),
    ("C3", "2019-07-22", "11:11:11", -2_099, "Café, Bar"),
    ("C3", "2020-10-25", "02:30:00", -3_001, "food"),
];

#[derive(Debug, Clone, Copy)]
struct Dialect {
    delimiter: char,
    quote: Option<char>,
    quote_all: bool,
    backslash: bool,
    encoding: &'static str,
    marked: bool,
    decimal: char,
    grouping: Option<char>,
    negative: Negative,
    sign: Option<&'static str>,
    time: (&'static str, &'static str),
    header: Header,
    footer: Footer,
    line_end: &'static str,
    packing: Packing,
    newest_first: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Negative {
    Minus,
    Typographic,
    Parentheses,
    Trailing,
    Debit,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Header {
    First,
    None,
    Below,
    Repeated,
    Commented,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Footer {
    None,
    Total,
    EmptyFields,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Packing {
    None,
    Gzip,
    Zstd,
}

fn any<T: Copy>(rng: &mut Xoshiro256PlusPlus, choices: &[T]) -> T {
    *choices.choose(rng).unwrap()
}

fn dialect(rng: &mut Xoshiro256PlusPlus) -> Dialect {
    let quote = any(rng, &[Some('"'), Some('"'), Some('\''), None]);
    let (encoding, marked) = any(
        rng,
        &[
            ("utf-8", false),
            ("utf-8", true),
            ("utf-16le", true),
            ("utf-16be", true),
            ("utf-16le", false),
            ("windows-1252", false),
            ("windows-1250", false),
        ],
    );
    let (decimal, grouping) = any(
        rng,
        &[
            ('.', None),
            (',', None),
            ('.', Some(',')),
            (',', Some('.')),
            (',', Some('\u{a0}')),
            ('.', Some('\'')),
            (',', Some(' ')),
        ],
    );
    Dialect {
        delimiter: any(rng, &[',', ';', '\t', '|']),
        quote,
        quote_all: rng.random_bool(0.5),
        backslash: quote.is_some() && rng.random_bool(0.2),
        encoding,
        marked,
        decimal,
        grouping,
        negative: any(
            rng,
            &[
                Negative::Minus,
                Negative::Minus,
                Negative::Typographic,
                Negative::Parentheses,
                Negative::Trailing,
                Negative::Debit,
            ],
        ),
        sign: any(rng, &[None, None, Some("€"), Some("EUR")]),
        time: any(
            rng,
            &[
                ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S"),
                ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S"),
                ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S"),
                ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M:%S %p"),
                ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S"),
                ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%:z"),
                ("%d %b %Y %H:%M:%S", "%d %b %Y %H:%M:%S"),
                ("%Y%m%d %H:%M:%S", "%Y%m%d %H:%M:%S"),
                ("%d.%m.%y %H:%M:%S", "%d.%m.%y %H:%M:%S"),
            ],
        ),
        header: any(
            rng,
            &[Header::First, Header::First, Header::None, Header::Below, Header::Repeated, Header::Commented],
        ),
        footer: any(rng, &[Footer::None, Footer::None, Footer::Total, Footer::EmptyFields]),
        line_end: any(rng, &["\n", "\r\n"]),
        packing: any(rng, &[Packing::None, Packing::None, Packing::Gzip, Packing::Zstd]),
        newest_first: rng.random_bool(0.3),
    }
}

impl Dialect {
    /// A field of a row, quoted where it must be; `None` where the dialect cannot hold the text.
    fn field(&self, text: &str) -> Option<String> {
        let needs = text.contains([self.delimiter, '\n', '\r'])
            || self.quote.is_some_and(|quote| text.contains(quote))
            || (self.backslash && text.contains('\\'));
        match self.quote {
            None => (!needs).then(|| text.to_owned()),
            Some(quote) if needs || self.quote_all => {
                let inner = match self.backslash {
                    true => text.replace('\\', "\\\\").replace(quote, &format!("\\{quote}")),
                    false => text.replace(quote, &format!("{quote}{quote}")),
                };
                Some(format!("{quote}{inner}{quote}"))
            }
            Some(_) => Some(text.to_owned()),
        }
    }

    fn row(&self, fields: &[&str]) -> Option<String> {
        let fields: Vec<String> = fields.iter().map(|field| self.field(field)).collect::<Option<_>>()?;
        let end = if self.footer == Footer::EmptyFields { self.delimiter.to_string() } else { String::new() };
        Some(fields.join(&self.delimiter.to_string()) + &end + self.line_end)
    }

    fn amount(&self, minor: i64) -> String {
        let whole = (minor.unsigned_abs() / 100).to_string();
        let mut grouped = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                grouped.extend(self.grouping);
            }
            grouped.push(digit);
        }
        let size = format!("{grouped}{}{:02}", self.decimal, minor.unsigned_abs() % 100);
        let signed = match (minor < 0, self.negative) {
            (false, Negative::Debit) => format!("{size} CR"),
            (false, _) => size,
            (true, Negative::Minus) => format!("-{size}"),
            (true, Negative::Typographic) => format!("\u{2212}{size}"),
            (true, Negative::Parentheses) => format!("({size})"),
            (true, Negative::Trailing) => format!("{size}-"),
            (true, Negative::Debit) => format!("{size} DR"),
        };
        match self.sign {
            None => signed,
            Some("€") => format!("€{signed}"),
            Some(sign) => format!("{signed} {sign}"),
        }
    }

    /// The file, if the dialect can hold the ledger.
    fn content(&self) -> Option<Vec<u8>> {
        let mut text = String::new();
        match self.header {
            Header::Below => {
                for line in ["Account statement", "", "Period: 2019 to 2020"] {
                    text += line;
                    text += self.line_end;
                }
            }
            Header::Commented => {
                text += "# written by a program";
                text += self.line_end;
            }
            _ => {}
        }
        let header = self.row(&["customer", "time", "amount", "class"])?;
        if self.header != Header::None {
            text += &header;
        }
        let mut rows = LEDGER.to_vec();
        // Rows of a file stand in the order of time, or against it.
        rows.sort_by_key(|row| (row.1, row.2));
        if self.newest_first {
            rows.reverse();
        }
        for (at, (customer, day, clock, minor, class)) in rows.iter().enumerate() {
            let time: jiff::civil::DateTime = format!("{day}T{clock}").parse().unwrap();
            let time = jiff::fmt::strtime::format(self.time.0, time).unwrap();
            text += &self.row(&[customer, &time, &self.amount(*minor), class])?;
            if self.header == Header::Repeated && at == 6 {
                text += &header;
            }
        }
        if self.footer == Footer::Total {
            let _ = write!(text, "Total rows: {}{}", LEDGER.len(), self.line_end);
        }
        let bytes = self.encoded(&text)?;
        let mut packed = Vec::new();
        match self.packing {
            Packing::None => return Some(bytes),
            Packing::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::fast());
                encoder.write_all(&bytes).unwrap();
                encoder.finish().unwrap();
            }
            Packing::Zstd => packed = zstd::encode_all(bytes.as_slice(), 1).unwrap(),
        }
        Some(packed)
    }

    fn encoded(&self, text: &str) -> Option<Vec<u8>> {
        let marked = if self.marked { format!("\u{feff}{text}") } else { text.to_owned() };
        match self.encoding {
            "utf-16le" => Some(marked.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            "utf-16be" => Some(marked.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            label => {
                let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
                let (bytes, _, has_unmappable) = encoding.encode(&marked);
                (!has_unmappable).then(|| bytes.into_owned())
            }
        }
    }

    /// The map that names the dialect.
    fn map(&self) -> String {
        let mut source = format!(
            "delimiter = {:?}\nquote = {:?}\ndecimal_sign = {:?}\n",
            self.delimiter.to_string(),
            self.quote.map_or(String::new(), String::from),
            self.decimal.to_string()
        );
        let mut entry = |text: &str| {
            source += text;
            source.push('\n');
        };
        if let Some(grouping) = self.grouping.filter(char::is_ascii) {
            entry(&format!("grouping = {:?}", grouping.to_string()));
        }
        if !self.marked && self.encoding != "utf-8" {
            entry(&format!("encoding = {:?}", self.encoding));
        }
        if self.backslash {
            entry("escape = '\\'");
        }
        match self.negative {
            Negative::Parentheses => entry("negative = ['parentheses']"),
            Negative::Trailing => entry("negative = ['trailing']"),
            Negative::Debit => entry("negative = ['debit']"),
            Negative::Minus | Negative::Typographic => {}
        }
        if let Some(sign) = self.sign {
            entry(&format!("currency_signs = [{sign:?}]"));
        }
        match self.header {
            Header::None => entry("header = ['customer', 'time', 'amount', 'class']"),
            Header::Below => entry("header_at = ['customer', 'amount']"),
            _ => {}
        }
        let mut not_rows = Vec::new();
        if self.header == Header::Commented {
            not_rows.push("#");
        }
        if self.footer == Footer::Total {
            not_rows.push("Total rows");
        }
        if !not_rows.is_empty() {
            entry(&format!("not_rows = {not_rows:?}"));
        }
        format!(
            "currency = 'EUR'\n[source]\n{source}[types]\namount = 'decimal(14, 2)'\n[columns]\ncustomer = 'customer'\n\
             time = 'time'\namount = 'amount'\nclass = 'class'\n[time]\nformats = [{:?}]\n",
            self.time.1
        )
    }
}

fn taxonomy() -> Taxonomy {
    let mut classes: Vec<&str> = LEDGER.iter().map(|row| row.4).collect();
    classes.sort_unstable();
    classes.dedup();
    Taxonomy::of_classes("t", classes.into_iter().map(str::to_owned)).unwrap()
}

/// The ledger's content does not depend on the order of rows, but its digest does.
fn rows_of(bench: &Bench) -> Vec<(String, i64, i64, String)> {
    let rows = spendscape_store::read_table(&bench.ledger(), spendscape_schema::Table::Ledger).unwrap().rows;
    let (customers, ids) = rows.category(NAMES.customer).unwrap();
    let (classes, names) = rows.category(NAMES.class).unwrap();
    let (times, amounts) = (rows.time(NAMES.time).unwrap(), rows.integer(NAMES.amount_minor).unwrap());
    let row = |at: usize| (ids[customers[at]].clone(), times[at], amounts[at], names[classes[at]].clone());
    let mut all: Vec<_> = (0..rows.len()).map(row).collect();
    all.sort_unstable();
    fs::remove_file(bench.ledger()).unwrap();
    all
}

fn expected() -> Vec<(String, i64, i64, String)> {
    let row = |(customer, day, clock, minor, class): &(&str, &str, &str, i64, &str)| {
        let time: jiff::civil::DateTime = format!("{day}T{clock}").parse().unwrap();
        let millis = time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_millisecond();
        ((*customer).to_owned(), millis, *minor, (*class).to_owned())
    };
    let mut all: Vec<_> = LEDGER.iter().map(row).collect();
    all.sort_unstable();
    all
}

#[test]
fn hundreds_of_dialects_hold_one_ledger() {
    const DIALECTS: usize = 600;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let (bench, expected, taxonomy) = (Bench::new(), expected(), taxonomy());
    let (mut read, mut proposed, mut refused) = (0, 0, Vec::new());
    while read < DIALECTS {
        let dialect = dialect(&mut rng);
        let Some(content) = dialect.content() else { continue };
        read += 1;
        let path = bench.file("raw.csv", content);
        let map = ColumnMap::from_toml(&dialect.map()).unwrap_or_else(|error| panic!("{dialect:?}: {error}"));
        ingest(&map, &taxonomy, &[&path], &bench.ledger(), &bench.options())
            .unwrap_or_else(|error| panic!("{dialect:?}: {error}\n{}", dialect.map()));
        assert_eq!(rows_of(&bench), expected, "{dialect:?}");
        // A proposed map reads the same, or its reader refuses a row.
        let found = propose(&[&path]).map_err(|error| error.to_string()).and_then(|proposal| {
            let text = proposal.to_toml();
            assert_eq!(ColumnMap::from_toml(&text).as_ref().ok(), Some(&proposal.map), "{text}");
            ingest(&proposal.map, &taxonomy, &[&path], &bench.ledger(), &bench.options())
                .map(|_| rows_of(&bench))
                .map_err(|error| format!("{error}\n{text}"))
        });
        match found {
            Ok(rows) => {
                assert_eq!(rows, expected, "{dialect:?}");
                proposed += 1;
            }
            Err(error) => refused.push(format!("{dialect:?}: {error}")),
        }
    }
    // Printed where the test fails, or on request.
    println!(
        "{proposed} of {DIALECTS} proposed; first others:\n{}",
        refused[..refused.len().min(12)].join("\n\n")
    );
    assert!(proposed * 100 >= DIALECTS * 90, "{proposed} of {DIALECTS}");
}
