//! What a column of numbers shows of how its numbers are written.

use std::collections::BTreeMap;

use super::currency_signs;
use crate::map::Negative;

/// What the values of a column show.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Numbers {
    /// Values that are numbers, and all that are not empty.
    pub(super) numbers: usize,
    pub(super) values: usize,
    pub(super) negative: usize,
    pub(super) positive: usize,
    /// Values that only make sense with this decimal sign, and one of them.
    pub(super) decimal: BTreeMap<char, (usize, String)>,
    /// Values with one sign before three digits, which may be a decimal sign or group digits.
    pub(super) unclear: BTreeMap<char, (usize, String)>,
    pub(super) grouping: BTreeMap<char, usize>,
    pub(super) forms: Vec<Negative>,
    pub(super) currency_signs: BTreeMap<String, usize>,
    /// Most digits after the decimal sign, and before it.
    pub(super) decimals: usize,
    pub(super) whole: usize,
    pub(super) has_exponents: bool,
    /// Whether a group of two digits shows the Indian way of grouping.
    pub(super) is_indian: bool,
}

/// One number.
struct Look<'a> {
    negative: bool,
    zero: bool,
    form: Option<Negative>,
    currency: Option<&'a str>,
    digits: &'a str,
    has_exponent: bool,
}

impl Numbers {
    pub(super) fn of<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let mut found = Self::default();
        for value in values.map(str::trim).filter(|value| !value.is_empty()) {
            found.values += 1;
            if let Some(look) = look(value) {
                found.add(value, &look);
            }
        }
        found
    }

    /// Whether the column holds numbers.
    pub(super) fn is_numeric(&self) -> bool {
        self.numbers > 0 && self.numbers * 100 >= self.values * 97
    }

    fn add(&mut self, value: &str, look: &Look<'_>) {
        self.numbers += 1;
        self.negative += usize::from(look.negative && !look.zero);
        self.positive += usize::from(!look.negative && !look.zero);
        self.has_exponents |= look.has_exponent;
        if let Some(form) = look.form
            && !self.forms.contains(&form)
        {
            self.forms.push(form);
        }
        if let Some(sign) = look.currency {
            *self.currency_signs.entry(sign.to_owned()).or_default() += 1;
        }
        let separators: Vec<(usize, char)> =
            look.digits.char_indices().filter(|(_, sign)| !sign.is_ascii_digit()).collect();
        let Some((at, last)) = separators.last().copied() else {
            self.whole = self.whole.max(look.digits.len());
            return;
        };
        let after = look.digits.len() - at - last.len_utf8();
        let same = separators.iter().filter(|(_, sign)| *sign == last).count();
        let others = separators.len() - same;
        let is_decimal_sign = matches!(last, '.' | ',');
        let groups_before = |to: usize| {
            let first = separators.first().map_or(0, |(at, _)| *at);
            (
                first,
                look.digits[first..to]
                    .split(|sign: char| !sign.is_ascii_digit())
                    .skip(1)
                    .any(|group| group.len() == 2),
            )
        };
        let decimal = |found: &mut Self| {
            let entry = found.decimal.entry(last).or_insert_with(|| (0, value.to_owned()));
            entry.0 += 1;
            found.decimals = found.decimals.max(after);
            let whole = look.digits[..at].chars().filter(char::is_ascii_digit).count();
            found.whole = found.whole.max(whole);
            for (_, sign) in separators.iter().filter(|(_, sign)| *sign != last) {
                *found.grouping.entry(*sign).or_default() += 1;
            }
            found.is_indian |= others > 1 && groups_before(at).1;
        };
        let is_no_group = after != 3 || at == 0 || at > 3 || look.digits.starts_with('0');
        if is_decimal_sign && same == 1 && (others > 0 || is_no_group) {
            decimal(self);
        } else if is_decimal_sign && same == 1 {
            let entry = self.unclear.entry(last).or_insert_with(|| (0, value.to_owned()));
            entry.0 += 1;
            self.whole = self.whole.max(look.digits.len() - 1);
        } else {
            *self.grouping.entry(last).or_default() += 1;
            self.whole = self.whole.max(look.digits.chars().filter(char::is_ascii_digit).count());
            self.is_indian |= same > 1 && groups_before(look.digits.len()).1;
        }
    }
}

/// The parts of a number, if the value is one in any of the forms that a map can name.
fn look(value: &str) -> Option<Look<'_>> {
    let (mut rest, mut currency, mut negative, mut form) = (value, None, false, None);
    let lower = rest.to_ascii_lowercase();
    if let Some(side) = ["dr", "cr"].iter().find(|side| lower.ends_with(**side))
        && rest[..rest.len() - 2].trim_end().ends_with(|last: char| last.is_ascii_digit())
    {
        (negative, form) = (*side == "dr", Some(Negative::Debit));
        rest = rest[..rest.len() - 2].trim_end();
    }
    rest = without_currency(rest, &mut currency);
    if let Some(inner) = rest.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        (negative, form, rest) = (true, Some(Negative::Parentheses), inner.trim());
        rest = without_currency(rest, &mut currency);
    } else if let Some(inner) = rest.strip_suffix(['-', '\u{2212}']) {
        (negative, form, rest) = (true, Some(Negative::Trailing), inner.trim());
        rest = without_currency(rest, &mut currency);
    }
    if let Some(inner) = rest.strip_prefix(['-', '\u{2212}']) {
        (negative, rest) = (true, inner.trim_start());
    } else {
        rest = rest.strip_prefix('+').unwrap_or(rest).trim_start();
    }
    rest = without_currency(rest, &mut currency);
    let (digits, exponent) = match rest.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent)),
        None => (rest, None),
    };
    let is_exponent = |text: &str| {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        (1..=3).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
    };
    let is_digit = |character: char| character.is_ascii_digit();
    let is_number = digits.ends_with(is_digit)
        && digits.starts_with(|first: char| is_digit(first) || matches!(first, '.' | ','))
        && digits.chars().all(|sign| is_digit(sign) || is_separator(sign))
        && are_groups(digits)
        && exponent.is_none_or(is_exponent);
    is_number.then(|| Look {
        negative,
        zero: digits.chars().all(|digit| digit == '0' || is_separator(digit)),
        form,
        currency,
        digits,
        has_exponent: exponent.is_some(),
    })
}

/// Whether the digits before the decimal sign stand in groups as they do in numbers: `12.05.2019` is none.
fn are_groups(digits: &str) -> bool {
    let Some((at, last)) = digits.char_indices().rev().find(|(_, sign)| !sign.is_ascii_digit()) else {
        return true;
    };
    let is_decimal_sign = matches!(last, '.' | ',') && digits.matches(last).count() == 1;
    let whole = if is_decimal_sign { &digits[..at] } else { digits };
    let groups: Vec<&str> = whole.split(is_separator).collect();
    let Some((first, [middle @ .., end])) = groups.split_first() else { return true };
    let fits = |group: &&str| matches!(group.len(), 2 | 3);
    (1..=3).contains(&first.len()) && end.len() == 3 && middle.iter().all(fits)
}

fn is_separator(sign: char) -> bool {
    matches!(sign, '.' | ',' | '\'' | '\u{2019}' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}')
}

/// A number without a currency's sign before or behind it, of which it may have one.
fn without_currency<'a>(text: &'a str, found: &mut Option<&'a str>) -> &'a str {
    if found.is_some() {
        return text;
    }
    let rest = if let Some(bytes) = currency_before(text) {
        *found = Some(&text[..bytes]);
        &text[bytes..]
    } else if let Some(bytes) = currency_behind(text) {
        *found = Some(&text[text.len() - bytes..]);
        &text[..text.len() - bytes]
    } else {
        text
    };
    rest.trim()
}

/// Bytes of a currency's sign or code before a number: `€`, `kr.`, `EUR`.
fn currency_before(text: &str) -> Option<usize> {
    let end = text.find(|sign: char| sign.is_ascii_digit() || "+-(\u{2212}".contains(sign))?;
    let sign = text[..end].trim_end();
    currency_signs::is_sign(sign).then_some(sign.len())
}

fn currency_behind(text: &str) -> Option<usize> {
    let start = text.rfind(|sign: char| sign.is_ascii_digit() || "-)\u{2212}".contains(sign))?;
    let start = start + text[start..].chars().next().map_or(0, char::len_utf8);
    let sign = text[start..].trim_start();
    currency_signs::is_sign(sign).then_some(sign.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Numbers {
        Numbers::of(values.iter().copied())
    }

    #[test]
    fn signs_are_told_from_where_they_stand() {
        let found = of(&["-1.234,50", "7,5", "1.234.567", ""]);
        assert!(found.is_numeric());
        assert_eq!((found.values, found.numbers, found.negative, found.positive), (3, 3, 1, 2));
        assert_eq!(found.decimal[&','].0, 2);
        assert_eq!(found.grouping[&'.'], 2);
        assert_eq!((found.decimals, found.whole), (2, 7));
        let found = of(&["1,234", "5,678"]);
        assert_eq!(found.unclear[&','], (2, "1,234".to_owned()));
        assert!(found.decimal.is_empty());
        assert!(of(&["12,34,567.00"]).is_indian && !of(&["1,234,567.00"]).is_indian);
        assert_eq!(of(&["0,125"]).decimal[&','].0, 1);
        assert!(of(&["1e+05"]).has_exponents);
    }

    #[test]
    fn forms_of_accounts_are_seen() {
        let found =
            of(&["(33.52)", "€ 10.00", "100.00-", "5.00 DR", "6.00 CR", "-£3.10", "kr. 5", "1 000.50 zł"]);
        assert_eq!((found.numbers, found.negative), (8, 4));
        assert_eq!(found.forms, [Negative::Parentheses, Negative::Trailing, Negative::Debit]);
        let signs: Vec<&str> = found.currency_signs.keys().map(String::as_str).collect();
        assert_eq!(signs, ["kr.", "zł", "£", "€"]);
        assert_eq!(found.grouping[&' '], 1);
        for text in ["abc", "12.05.2019", "2019-05-02", "A1", "1..2", "10:30", "1e", "-", "EUR"] {
            assert!(!of(&[text]).is_numeric(), "{text}");
        }
    }
}
