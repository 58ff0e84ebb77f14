//! Statements of SWIFT: MT940, and MT942 of the same fields.
//!
//! A mark of `C` or `RD` (what takes back a debit) brings money in, `D` or `RC` takes it out, and `EC` and `ED` are expected. The
//! letter that may follow is the third one of the currency, so that `CR12,` is a credit of euros and no reversal.

use std::io::{BufRead, BufReader, Read};

use jiff::civil::Date;

use crate::{
    Entry, Error, Problem, Totals,
    information::Information,
    source::{BLOCK, Source},
    value::{Moment, amount, near_day, refuse_unclear, short_day},
};

/// The longest line accepted; those of the standard have 65 characters.
const LONGEST_LINE: usize = 1 << 16;

/// The most lines of one field accepted.
const MOST_LINES: usize = 1_000;

/// A field: its tag, and its lines.
#[derive(Debug)]
struct Field {
    tag: String,
    lines: Vec<String>,
    line: u64,
}

/// Reads entries from the fields of statements.
pub(crate) struct Mt940Reader {
    text: BufReader<Source>,
    /// The line read last.
    line: u64,
    offset: u64,
    /// The field that is being read.
    open: Option<Field>,
    found: bool,
    account: Option<String>,
    currency: Option<String>,
    statement: Option<String>,
    totals: Option<Totals>,
    /// Whether the statement that was begun has its end: a closing balance, or the end of its message.
    is_whole: bool,
    /// The entry whose information may follow.
    entry: Option<Entry>,
}

impl Mt940Reader {
    pub(crate) fn new(text: Source) -> Self {
        Self {
            text: BufReader::with_capacity(BLOCK, text),
            line: 0,
            offset: 0,
            open: None,
            found: false,
            account: None,
            currency: None,
            statement: None,
            totals: None,
            is_whole: true,
            entry: None,
        }
    }

    /// The next entry, with what it says of the balances of a statement that ended.
    pub(crate) fn next(&mut self, ended: &mut Vec<Totals>) -> Result<Option<Entry>, Error> {
        loop {
            let field = match self.field() {
                Ok(field) => field,
                Err(fault) => {
                    // Information is that of the entry at hand.
                    let is_own = self.open.as_ref().is_some_and(|field| field.tag == "86");
                    return Err(fault.behind(usize::from(self.entry.is_some() && !is_own)));
                }
            };
            let Some(field) = field else {
                if !self.found {
                    return Err(Error::NoStatement { what: "an MT940 statement" });
                }
                if !self.is_whole {
                    let ahead = usize::from(self.entry.is_some());
                    return Err(Error::Entry { line: self.line, problem: NO_END, ahead });
                }
                ended.extend(self.totals.take());
                return Ok(self.entry.take());
            };
            if field.tag == "86" {
                if let Some(entry) = &mut self.entry {
                    Information::of(&field.lines).add_to(entry);
                }
                continue;
            }
            let before = self.entry.take();
            if let Err(problem) = self.take(&field, ended) {
                let ahead = usize::from(before.is_some());
                return Err(Error::Entry { line: field.line, problem, ahead });
            }
            if before.is_some() {
                return Ok(before);
            }
        }
    }

    fn take(&mut self, field: &Field, ended: &mut Vec<Totals>) -> Result<(), Problem> {
        let first = field.lines.first().map_or("", |line| line.trim());
        let twice = || Problem::Twice { what: format!(":{}:", field.tag) };
        match field.tag.as_str() {
            "20" => {
                if !self.is_whole {
                    return Err(NO_END);
                }
                self.is_whole = false;
                ended.extend(self.totals.take());
                self.totals = Some(Totals { line: field.line, ..Totals::default() });
                (self.account, self.currency) = (None, None);
                self.statement = Some(first.to_owned());
            }
            "25" | "25P" if self.account.is_some() => return Err(twice()),
            "25" | "25P" => self.account = Some(first.to_owned()),
            "60F" | "60M" if self.totals.as_ref().is_some_and(|totals| totals.opening.is_some()) => {
                return Err(twice());
            }
            "60F" | "60M" => {
                let (balance, currency) = balance(first)?;
                let currency = currency.ok_or(Problem::Missing { what: "currency in its balance" })?;
                // Some banks put the currency behind the account.
                if let Some(account) = &mut self.account
                    && let Some(bare) = account.strip_suffix(currency)
                    && !bare.is_empty()
                {
                    *account = bare.trim_end().to_owned();
                }
                self.currency = Some(currency.to_owned());
                if let Some(totals) = &mut self.totals {
                    totals.opening = Some(balance);
                }
            }
            "62F" | "62M" => {
                let (balance, _) = balance(first)?;
                if let Some(totals) = &mut self.totals {
                    totals.closing = Some(balance);
                }
                self.is_whole = true;
            }
            "90C" | "90D" => self.is_whole = true,
            "34F" => self.currency = first.get(..3).map(str::to_owned),
            "61" => self.entry = Some(self.entry_of(field)?),
            _ => {}
        }
        Ok(())
    }

    fn entry_of(&mut self, field: &Field) -> Result<Entry, Problem> {
        let missing = |what| Problem::Missing { what };
        let first = field.lines.first().map_or("", |line| line.trim());
        let line = EntryLine::of(first)?;
        if !line.pending
            && let Some(totals) = &mut self.totals
        {
            totals.sum += line.amount;
        }
        let (reference, id) = match line.references.split_once("//") {
            Some((reference, id)) => (reference, Some(id)),
            None => (line.references, None),
        };
        let given = |text: &str| {
            let text = text.trim();
            (!text.is_empty() && text != "NONREF").then(|| text.to_owned())
        };
        let supplement = field.lines[1..].iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        Ok(Entry {
            line: field.line,
            account: self.account.clone().ok_or(missing("account (:25:) in its statement"))?,
            currency: self.currency.clone().ok_or(missing("currency (:60F:) in its statement"))?,
            booked: Some(Moment::of_day(line.booked)),
            value_date: Some(line.value.to_string()),
            amount: line.amount,
            reversal: line.reversal,
            pending: line.pending,
            id: id.and_then(given),
            reference: given(reference),
            counterparty: None,
            counterparty_account: None,
            text: given(&supplement),
            code: given(line.kind),
            bank_code: None,
            merchant_code: None,
            statement: self.statement.clone(),
        })
    }

    /// The next field; what stands between statements is none.
    fn field(&mut self) -> Result<Option<Field>, Error> {
        while let Some(line) = self.read_line()? {
            if let Some((tag, rest)) = tag_of(&line) {
                self.found = true;
                let begun = Field { tag: tag.to_owned(), lines: vec![rest.to_owned()], line: self.line };
                if let Some(field) = self.open.replace(begun) {
                    return Ok(Some(field));
                }
                continue;
            }
            let is_end = line.trim_end() == "-" || line.starts_with("-}");
            self.is_whole |= is_end;
            let Some(open) = &mut self.open else { continue };
            if is_end || line.starts_with('{') {
                return Ok(self.open.take());
            }
            let bare = line.trim_start_matches(|sign: char| sign.is_whitespace() || sign == '\u{feff}');
            if bare.starts_with(":61:") {
                let form = "part of the field before it, and a tag must begin its line";
                let ahead = match open.tag.as_str() {
                    "61" => 1,
                    "86" => usize::from(self.entry.is_some()),
                    _ => 0,
                };
                let problem = Problem::Line { value: line, form };
                return Err(Error::Entry { line: self.line, problem, ahead });
            }
            if open.lines.len() == MOST_LINES {
                let problem = Problem::TooManyLines { limit: MOST_LINES };
                return Err(Error::at(open.line, problem));
            }
            open.lines.push(line);
        }
        Ok(self.open.take())
    }

    /// The next line without its end.
    fn read_line(&mut self) -> Result<Option<String>, Error> {
        let mut bytes = Vec::new();
        let limit = LONGEST_LINE as u64 + 1;
        self.text.by_ref().take(limit).read_until(b'\n', &mut bytes).map_err(Error::Read)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        let line = self.line;
        if bytes.len() > LONGEST_LINE {
            return Err(Error::at(line, Problem::TooLong { limit: LONGEST_LINE }));
        }
        self.offset += bytes.len() as u64;
        if self.text.get_mut().is_malformed_before(self.offset) {
            return Err(Error::Encoding { line, ahead: 0 });
        }
        let mut text = String::from_utf8(bytes).map_err(|_| Error::Encoding { line, ahead: 0 })?;
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
        Ok(Some(text))
    }
}

/// The tag of a line that begins a field, `:61:`, and what follows it.
fn tag_of(line: &str) -> Option<(&str, &str)> {
    // A block of SWIFT may begin on the same line.
    let line = line.split_once("{4:").map_or(line, |(_, rest)| rest);
    let (tag, rest) = line.strip_prefix(':')?.split_once(':')?;
    let is_tag = match tag.as_bytes() {
        b"NS" => true,
        [a, b] | [a, b, b'A'..=b'Z'] => a.is_ascii_digit() && b.is_ascii_digit(),
        _ => false,
    };
    is_tag.then_some((tag, rest))
}

/// What a statement has that is followed by nothing of its own.
const NO_END: Problem = Problem::NoEnd { what: "neither a closing balance, :62F:, nor a line of -" };

/// A balance, `C190502EUR1234,56`, and its currency, which some banks leave out of a closing one.
fn balance(text: &str) -> Result<(i128, Option<&str>), Problem> {
    let fault = || Problem::Line { value: text.to_owned(), form: "a balance, such as C190502EUR1234,56" };
    let sign = match text.as_bytes().first() {
        Some(b'C') => 1,
        Some(b'D') => -1,
        _ => return Err(fault()),
    };
    short_day(text.get(1..7).ok_or_else(fault)?)?;
    let rest = &text[7..];
    let (currency, size) = match rest.split_at_checked(3) {
        Some((code, size)) if code.bytes().all(|byte| byte.is_ascii_uppercase()) => (Some(code), size),
        _ => (None, rest),
    };
    refuse_unclear(size, '.', ',')?;
    Ok((sign * amount(size)?, currency))
}

/// The first line of an entry.
#[derive(Debug, PartialEq, Eq)]
struct EntryLine<'a> {
    value: Date,
    booked: Date,
    amount: i128,
    reversal: bool,
    pending: bool,
    kind: &'a str,
    references: &'a str,
}

impl<'a> EntryLine<'a> {
    fn of(text: &'a str) -> Result<Self, Problem> {
        let fault = || Problem::Line {
            value: text.to_owned(),
            form: "an entry, such as 1905020502D12,50NMSCNONREF: value date, entry date, mark (C, D, RC, RD), amount, code",
        };
        let value = short_day(text.get(..6).ok_or_else(fault)?)?;
        let rest = &text[6..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let booked = match digits {
            0 => value,
            4 => near_day(&rest[..4], value)?,
            _ => return Err(fault()),
        };
        let rest = &rest[digits..];
        let (before, rest) = match rest.as_bytes() {
            [b'R' | b'E', ..] => rest.split_at(1),
            _ => ("", rest),
        };
        let (mark, rest) = rest.split_at_checked(1).ok_or_else(fault)?;
        let sign = match (mark, before) {
            ("C", "" | "E") | ("D", "R") => 1,
            ("D", "" | "E") | ("C", "R") => -1,
            _ => return Err(fault()),
        };
        // The third letter of the currency.
        let rest = rest.strip_prefix(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(rest);
        let end = rest.find(|sign: char| !sign.is_ascii_digit() && sign != ',' && sign != '.');
        let (size, rest) = rest.split_at(end.unwrap_or(rest.len()));
        refuse_unclear(size, '.', ',')?;
        // What follows an amount begins with N, F or S. Anything else belongs to the amount, as in `1 000,00` or `1O,00`.
        let rest = rest.trim_start();
        if !rest.is_empty() && !rest.starts_with(['N', 'F', 'S']) {
            return Err(fault());
        }
        let is_kind = |kind: &str| kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let (kind, references) = match rest.split_at_checked(4) {
            Some((kind, references)) if is_kind(kind) => (kind, references),
            _ => ("", rest),
        };
        Ok(Self {
            value,
            booked,
            amount: sign * amount(size)?,
            reversal: before == "R",
            pending: before == "E",
            kind,
            references,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn marks_say_which_way_the_money_goes() {
        let read = |text: &str| EntryLine::of(text).ok().map(|line| (line.amount / 1_000, line.reversal));
        for (mark, amount, reversal) in [
            ("C", 1_250, false),
            ("D", -1_250, false),
            ("RC", -1_250, true),
            ("RD", 1_250, true),
            // With the third letter of EUR, of USD and of CZK.
            ("CR", 1_250, false),
            ("DR", -1_250, false),
            ("RCR", -1_250, true),
            ("RDR", 1_250, true),
            ("CD", 1_250, false),
            ("DD", -1_250, false),
            ("RDD", 1_250, true),
            ("CK", 1_250, false),
        ] {
            for date in ["190502", "1905020503"] {
                let line = format!("{date}{mark}12,5NMSCREF//BANK");
                assert_eq!(read(&line), Some((amount, reversal)), "{line}");
            }
        }
        for text in [
            "",
            "190502",
            "190502X12,",
            "19050205D1,",
            "190532D1,NMSC",
            "190502R12,",
            "190502D",
            "190502D1,2,3N",
        ] {
            assert!(EntryLine::of(text).is_err(), "{text}");
        }
        let whole = EntryLine::of("1912310102ED3,N654NONREF//X1").unwrap();
        assert_eq!((whole.value, whole.booked), (date(2019, 12, 31), date(2020, 1, 2)));
        assert_eq!((whole.kind, whole.references, whole.pending), ("N654", "NONREF//X1", true));
    }

    #[test]
    fn a_balance_has_a_sign_and_a_currency() {
        assert_eq!(balance("C190502EUR1234,56").unwrap(), (123_456_000, Some("EUR")));
        assert_eq!(balance("D190502JPY10,").unwrap(), (-1_000_000, Some("JPY")));
        assert_eq!(balance("C190502105000,00").unwrap(), (10_500_000_000, None));
        for text in ["", "X190502EUR1,", "C190502EU1,", "C19050EUR1,", "C190502EUR", "C1905é2EUR1,"] {
            assert!(balance(text).is_err(), "{text}");
        }
        assert_eq!(tag_of(":60F:C1"), Some(("60F", "C1")));
        assert_eq!(tag_of("{1:F01X}{4::20:A"), Some(("20", "A")));
        assert_eq!(
            (tag_of("12:30: noon"), tag_of(":12:30"), tag_of(": a: b")),
            (None, Some(("12", "30")), None)
        );
    }
}
