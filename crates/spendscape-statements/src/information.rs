//! What stands behind an entry of MT940: `:86:`, in one of three forms.

use crate::Entry;

/// Characters of a line of SWIFT, and of a part of German information, which are cut there whatever word stands there.
const LINE: usize = 65;
const PART: usize = 27;

/// Words between slashes that begin a part of information.
const KEYS: [&str; 26] = [
    "ADDR", "BENM", "BIC", "CNTP", "CREF", "CSID", "EREF", "IBAN", "ID", "INIT", "ISDT", "KREF", "MARF",
    "NAME", "OCMT", "ORDP", "PREF", "PURP", "REMI", "RTRN", "SVCL", "TRCD", "TRTP", "ULTB", "ULTC", "ULTD",
];

/// What information says of an entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Information {
    counterparty: Option<String>,
    account: Option<String>,
    text: Option<String>,
    reference: Option<String>,
    code: Option<String>,
}

impl Information {
    /// Reads the lines of a field: parts behind a sign and two digits (`166?00..?20..`), parts between slashes
    /// (`/NAME/../REMI/..`), or mere text.
    pub(crate) fn of(lines: &[String]) -> Self {
        let whole: String = lines.iter().map(String::as_str).collect();
        match separator(&whole) {
            Some(sign) => Self::of_parts(&whole, sign),
            None if whole.starts_with('/') && split(&whole).is_some() => Self::of_slashes(&whole),
            None => {
                let lines = lines.iter().map(|line| (line.as_str(), LINE));
                Self { text: some(&joined(lines)), ..Self::default() }
            }
        }
    }

    fn of_parts(whole: &str, sign: char) -> Self {
        let (code, rest) = whole.split_at(3);
        let (mut purpose, mut name, mut found) = (Vec::new(), Vec::new(), Self::default());
        let mut posting = "";
        for part in parts(rest, sign) {
            let (key, value) = part.split_at(2);
            match key.parse::<u8>() {
                Ok(0) => posting = value,
                Ok(20..=29 | 60..=63) => purpose.push(value),
                Ok(31) if found.account.is_none() => found.account = some(value),
                Ok(32 | 33) => name.push(value),
                // The account by its IBAN, where both are given.
                Ok(38) => found.account = some(value).or(found.account),
                _ => {}
            }
        }
        let text = joined(purpose.into_iter().map(|part| (part, PART)));
        found.text = some(&text).or_else(|| some(posting));
        found.counterparty = some(&joined(name.into_iter().map(|part| (part, PART))));
        found.code = some(code);
        found
    }

    fn of_slashes(whole: &str) -> Self {
        let mut found = Self::default();
        for (key, value) in split(whole).unwrap_or_default() {
            match key {
                "NAME" if found.counterparty.is_none() => found.counterparty = some(&value),
                "IBAN" if found.account.is_none() => found.account = some(&value),
                "CNTP" => {
                    let mut parts = value.split('/');
                    found.account = parts.next().and_then(some);
                    found.counterparty = parts.nth(1).and_then(some);
                }
                "REMI" => {
                    let text = value.strip_prefix("USTD//").or_else(|| value.strip_prefix("STRD/"));
                    found.text = some(text.unwrap_or(&value));
                }
                "EREF" => found.reference = some(&value).filter(|text| text != "NOTPROVIDED"),
                "TRCD" => found.code = some(&value),
                _ => {}
            }
        }
        found.text = found.text.or_else(|| some(whole));
        found
    }

    /// Gives an entry what it has not yet.
    pub(crate) fn add_to(self, entry: &mut Entry) {
        entry.counterparty = entry.counterparty.take().or(self.counterparty);
        entry.counterparty_account = entry.counterparty_account.take().or(self.account);
        entry.reference = entry.reference.take().or(self.reference);
        entry.bank_code = entry.bank_code.take().or(self.code);
        entry.text = self.text.or(entry.text.take());
    }
}

/// The sign before parts, if information begins with three digits, the sign and two more digits.
fn separator(text: &str) -> Option<char> {
    let (code, rest) = text.split_at_checked(3)?;
    let mut rest = rest.chars();
    let sign = rest.next().filter(char::is_ascii_punctuation)?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(code) && rest.as_str().get(..2).is_some_and(digits)).then_some(sign)
}

/// The parts behind a sign, each with its two digits. The sign may stand in a text too, where no two digits follow.
fn parts(text: &str, sign: char) -> Vec<&str> {
    let is_start = |at: usize| {
        let behind = text.get(at + sign.len_utf8()..at + sign.len_utf8() + 2);
        behind.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let starts: Vec<usize> = text.match_indices(sign).map(|(at, _)| at).filter(|at| is_start(*at)).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| &text[start + sign.len_utf8()..end]).collect()
}

/// Keys between slashes with what follows each, if there is one.
fn split(text: &str) -> Option<Vec<(&str, String)>> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for word in text.split('/').skip(1) {
        match (KEYS.contains(&word), found.last_mut()) {
            (true, _) => found.push((word, Vec::new())),
            (false, Some((_, words))) => words.push(word),
            (false, None) => return None,
        }
    }
    let found = found.into_iter().map(|(key, words)| (key, words.join("/").trim_end_matches('/').to_owned()));
    Some(found.collect::<Vec<_>>()).filter(|found| !found.is_empty())
}

/// Lines as one text: a line that is full goes on in the next one, and after another one a word ends.
fn joined<'a>(lines: impl Iterator<Item = (&'a str, usize)>) -> String {
    let mut text = String::new();
    let mut is_full = true;
    for (line, full) in lines {
        if !is_full && !line.starts_with(' ') {
            text.push(' ');
        }
        text.push_str(line);
        is_full = line.chars().count() >= full || line.ends_with(' ');
    }
    text
}

fn some(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Information {
        Information::of(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    }

    fn information(account: &str, counterparty: &str, text: &str) -> Information {
        Information {
            account: some(account),
            counterparty: some(counterparty),
            text: some(text),
            ..Information::default()
        }
    }

    #[test]
    fn parts_behind_signs_are_found_whatever_the_sign() {
        let lines = [
            "177?00ONLINE?109310?20SVWZ+RENT MAY 2019 FLAT NO?21 7?22?30",
            "10020030?31DE02100?32LANDLORD GMBH?33 & CO",
        ];
        for sign in ["?", "<", "~", "^", "+"] {
            let lines: Vec<String> = lines.iter().map(|line| line.replace('?', sign)).collect();
            let mut found = Information::of(&lines);
            assert_eq!(found.code.take().as_deref(), Some("177"), "{sign}");
            // `+` stands in a text too.
            assert_eq!(
                found,
                information("DE02100", "LANDLORD GMBH & CO", "SVWZ+RENT MAY 2019 FLAT NO 7"),
                "{sign}"
            );
        }
        // A part of 27 characters is cut within a word.
        let found = of(&["106?00CARD?20ABCDEFGHIJKLMNOPQRSTUVWXYZ1?2123?60END"]);
        assert_eq!(found.text.as_deref(), Some("ABCDEFGHIJKLMNOPQRSTUVWXYZ123 END"));
        assert_eq!(of(&["805?00CLOSING?10931"]).text.as_deref(), Some("CLOSING"));
        let found = of(&["020~00A~20b~31 1~32X~38PL61109010140000071219812874"]);
        assert_eq!(found.account.as_deref(), Some("PL61109010140000071219812874"));
    }

    #[test]
    fn parts_between_slashes_and_mere_text_are_found() {
        let found = of(&[
            "/TRTP/SEPA OVERBOEKING/IBAN/NL47INGB9999999999/BIC/INGBNL2A/NAME",
            "/aa cc/REMI/rent/may/EREF/E1",
        ]);
        assert_eq!(found.reference.as_deref(), Some("E1"));
        assert_eq!(
            Information { reference: None, ..found },
            information("NL47INGB9999999999", "aa cc", "rent/may")
        );
        let found = of(&["/CNTP/NL32INGB0000012345/INGBNL2A/ING BANK///REMI/USTD//TO CARD/"]);
        assert_eq!(found, information("NL32INGB0000012345", "ING BANK", "TO CARD"));
        assert_eq!(of(&["SHOP 12/05 /a", "b"]), information("", "", "SHOP 12/05 /a b"));
        let full = "x".repeat(65);
        assert_eq!(of(&[full.as_str(), "y"]).text, Some(format!("{full}y")));
        assert_eq!(of(&["/a/b"]), information("", "", "/a/b"));
        for odd in ["", "1", "123", "123?", "é", "123?é", "12é?20"] {
            let _ = of(&[odd]);
        }
    }
}
