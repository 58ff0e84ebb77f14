//! Exact decimal numbers from text.

use super::{
    map::ColumnType,
    map::format::{Groups, Negative, SourceFormat, TYPOGRAPHIC, ascii, grouping},
};
use crate::{Error, NumberFault};

/// The minus sign of typesetting.
const MINUS: char = '\u{2212}';

/// What stands for a grouping sign of typesetting in a number that was made ASCII; no text of a number has it.
const GROUP: u8 = 0x1d;

/// Digits, one of which may be a decimal sign, that 64 bits hold.
const USUAL_DIGITS: usize = 18;

/// Bytes that are read at once.
const WORD: usize = 8;

/// Powers of ten: those that 128 bits hold. Computing one takes longer than reading a number.
const POWERS: [i128; 39] = {
    let mut powers = [1; 39];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = 10 * powers[at - 1];
        at += 1;
    }
    powers
};

/// The signs of a source's numbers.
#[derive(Debug, Clone)]
pub(crate) struct NumberSigns<'a> {
    decimal: u8,
    grouping: Option<u8>,
    groups: Groups,
    negative: &'a [Negative],
    currency_signs: &'a [String],
}

impl<'a> NumberSigns<'a> {
    pub(crate) fn of(format: &'a SourceFormat) -> Result<Self, Error> {
        Ok(Self {
            decimal: ascii("source.decimal_sign", &format.decimal_sign)?.unwrap_or(b'.'),
            grouping: grouping(&format.grouping)?,
            groups: format.groups,
            negative: &format.negative,
            currency_signs: &format.currency_signs,
        })
    }

    /// An exact decimal as an integer of the column's digits after the sign, in any of the forms that the map allows.
    ///
    /// # Errors
    /// As [`Self::plain`], and for a number with two signs.
    #[inline]
    pub(crate) fn read(&self, text: &str, column: ColumnType) -> Result<i128, NumberFault> {
        match self.usual(text.as_bytes(), column) {
            Some(value) => Ok(i128::from(value)),
            None => self.read_any(text, column),
        }
    }

    /// What most numbers are: digits with at most a sign before and a decimal sign among them, and no digits too many. All forms
    /// of numbers read these alike.
    #[inline]
    fn usual(&self, text: &[u8], column: ColumnType) -> Option<i64> {
        let (negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let (precision, scale) = column.digits();
        let value = match self.short(digits, scale) {
            Some(value) => value,
            None => self.digits(digits, scale)?,
        };
        let limit = POWERS.get(usize::from(precision)).copied().unwrap_or(i128::MAX);
        (i128::from(value) < limit).then_some(if negative { -value } else { value })
    }

    /// Up to eight digits, of which just as many stand behind a decimal sign as the column has.
    #[inline]
    fn short(&self, digits: &[u8], scale: u8) -> Option<i64> {
        let signs = usize::from(scale > 0);
        let length = digits.len();
        if !(4..=WORD).contains(&length) || usize::from(scale) + signs >= length {
            return None;
        }
        // The digits as the last bytes of a word, which are its highest.
        let mut word = match digits.first_chunk() {
            Some(all) if length == WORD => u64::from_le_bytes(*all),
            _ => {
                let half = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
                let (first, last) = (half(digits.first_chunk()?), half(digits.last_chunk()?));
                first << (8 * (WORD - length)) | last << 32
            }
        };
        if scale > 0 {
            let sign_at = 8 * (WORD - 1 - usize::from(scale)) as u32;
            if (word >> sign_at) as u8 != self.decimal {
                return None;
            }
            // What stands before the sign moves into its place.
            let before = word & ((1 << sign_at) - 1);
            word = word >> (sign_at + 8) << (sign_at + 8) | before << 8;
        }
        let filled = 8 * (length - signs) as u32;
        let zeros = u64::from_le_bytes([b'0'; WORD]);
        let value = (word | zeros & ((1_u128 << (64 - filled)) - 1) as u64).wrapping_sub(zeros);
        // A byte beyond 9 carries into its highest bit.
        let is_beyond = (value.wrapping_add(0x7676_7676_7676_7676) | value) & 0x8080_8080_8080_8080 != 0;
        if is_beyond {
            return None;
        }
        // Digits to pairs, pairs to fours, fours to all.
        let value = (10 * value + (value >> 8)) & 0x00ff_00ff_00ff_00ff;
        let value = (100 * value + (value >> 16)) & 0x0000_ffff_0000_ffff;
        Some(((10_000 * value + (value >> 32)) & 0xffff_ffff) as i64)
    }

    /// Digits of which some may stand behind a decimal sign.
    fn digits(&self, digits: &[u8], scale: u8) -> Option<i64> {
        let (mut value, mut after) = (0_i64, None);
        if digits.len() > USUAL_DIGITS {
            return None;
        }
        for (at, byte) in digits.iter().enumerate() {
            let digit = byte.wrapping_sub(b'0');
            if digit < 10 {
                value = 10 * value + i64::from(digit);
            } else if *byte == self.decimal && after.is_none() {
                after = Some(digits.len() - at - 1);
            } else {
                return None;
            }
        }
        let missing = usize::from(scale).checked_sub(after.unwrap_or(0))?;
        // A decimal sign alone is no number.
        if digits.len() <= usize::from(after.is_some()) || digits.len() + missing > USUAL_DIGITS {
            return None;
        }
        Some(value * POWERS[missing] as i64)
    }

    fn read_any(&self, text: &str, column: ColumnType) -> Result<i128, NumberFault> {
        if self.negative.is_empty() && self.currency_signs.is_empty() {
            return self.typeset(text, column);
        }
        let (is_negative, size) = self.size(text)?;
        let value = self.typeset(size, column)?;
        Ok(if is_negative { -value } else { value })
    }

    /// A number of accounts without its signs, and whether they make it negative.
    fn size<'t>(&self, text: &'t str) -> Result<(bool, &'t str), NumberFault> {
        let mut rest = self.without_currency(text);
        let (mut signs, mut is_negative) = (0, false);
        let mut strip = |inner: Option<&'t str>, negates: bool, rest: &mut &'t str| {
            if let Some(inner) = inner {
                *rest = self.without_currency(inner);
                signs += 1;
                is_negative |= negates;
            }
        };
        for form in self.negative {
            match form {
                Negative::Parentheses => {
                    let inner = rest.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
                    strip(inner, true, &mut rest);
                }
                Negative::Trailing => {
                    strip(rest.strip_suffix(['-', MINUS]), true, &mut rest);
                    strip(rest.strip_suffix('+'), false, &mut rest);
                }
                Negative::Debit => {
                    strip(behind(rest, "dr"), true, &mut rest);
                    strip(behind(rest, "cr"), false, &mut rest);
                }
            }
        }
        strip(rest.strip_prefix(['-', MINUS]), true, &mut rest);
        strip(rest.strip_prefix('+'), false, &mut rest);
        if signs > 1 || rest.starts_with(['-', '+', MINUS, '(']) {
            return Err(NumberFault::TwoSigns);
        }
        Ok((is_negative, rest))
    }

    /// A number without a currency sign before or behind it.
    fn without_currency<'t>(&self, text: &'t str) -> &'t str {
        let text = text.trim();
        let stripped = self
            .currency_signs
            .iter()
            .find_map(|sign| text.strip_suffix(sign.as_str()).or_else(|| text.strip_prefix(sign.as_str())));
        stripped.map_or(text, str::trim)
    }

    /// A number in which minus and grouping signs may be those of typesetting.
    fn typeset(&self, text: &str, column: ColumnType) -> Result<i128, NumberFault> {
        if text.is_ascii() {
            return self.plain(text.as_bytes(), self.grouping, column);
        }
        let ascii = |sign: char| match sign {
            MINUS => Ok(b'-'),
            sign if TYPOGRAPHIC.contains(&sign) => Ok(GROUP),
            sign => u8::try_from(sign).ok().filter(u8::is_ascii).ok_or_else(|| self.no_number()),
        };
        let text: Vec<u8> = text.chars().map(ascii).collect::<Result<_, _>>()?;
        let grouping = if text.contains(&GROUP) { Some(GROUP) } else { self.grouping };
        self.plain(&text, grouping, column)
    }

    /// An exact decimal of ASCII signs as an integer of the column's digits after the sign. Zeros beyond them are no digits,
    /// unless there are three after a sign that may stand between thousands: `1.000`, but not `0.000` or `1000.000`.
    ///
    /// # Errors
    /// Whatever is not wholly a number, whose grouping signs do not stand between groups, or that has more digits than the
    /// column.
    fn plain(&self, text: &[u8], grouping: Option<u8>, column: ColumnType) -> Result<i128, NumberFault> {
        let (precision, scale) = column.digits();
        let (negative, number) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            all => (false, all),
        };
        let exponent_at = number.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let (mantissa, exponent) = match exponent_at {
            Some(at) => (&number[..at], self.exponent(&number[at + 1..])?),
            None => (number, 0),
        };
        let sign_at = mantissa.iter().position(|byte| *byte == self.decimal);
        let (whole, fraction) = match sign_at {
            Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
            None => (mantissa, &[][..]),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(self.no_number());
        }
        let too_large = NumberFault::TooLarge { digits: precision - scale };
        let mut value = 0_i128;
        let mut push = |digit: u8| -> Result<(), NumberFault> {
            let digit = i128::from(digit - b'0');
            // A check of 128 bits for overflow is a call, which few numbers need.
            value = if value < POWERS[37] {
                10 * value + digit
            } else {
                value.checked_mul(10).and_then(|value| value.checked_add(digit)).ok_or(too_large)?
            };
            Ok(())
        };
        // The digits since the last grouping sign, and whether there was one.
        let (mut run, mut grouped) = (0_usize, false);
        for byte in whole {
            match *byte {
                digit @ b'0'..=b'9' => {
                    push(digit)?;
                    run += 1;
                }
                byte if Some(byte) == grouping => {
                    // A number of 0.500 is one half, whatever sign that is.
                    let begins = self.groups.first(run) && !whole.starts_with(&[b'0', byte]);
                    let fits = if grouped { run == self.groups.inner() } else { begins };
                    if !fits {
                        return Err(self.misplaced());
                    }
                    (run, grouped) = (0, true);
                }
                _ => return Err(self.no_number()),
            }
        }
        if grouped && run != Groups::LAST {
            return Err(self.misplaced());
        }
        let end = fraction.iter().rposition(|byte| *byte != b'0').map_or(0, |at| at + 1);
        for byte in fraction {
            match *byte {
                b'0'..=b'9' => {}
                byte if Some(byte) == grouping => return Err(self.misplaced()),
                _ => return Err(self.no_number()),
            }
        }
        if fraction.len() == Groups::LAST
            && usize::from(scale) < Groups::LAST
            && exponent_at.is_none()
            && !grouped
            && (1..=Groups::LAST).contains(&run)
            && whole[0] != b'0'
        {
            return Err(NumberFault::Thousands { sign: char::from(self.decimal) });
        }
        fraction[..end].iter().try_for_each(|digit| push(*digit))?;
        // The value is a whole number of units of 10^-after.
        let after = end as i64 - exponent;
        let value = shifted(value, i64::from(scale) - after).map_err(|lost| match lost {
            Lost::Digits(zeros) => NumberFault::TooPrecise { digits: after - i64::from(zeros) },
            Lost::Range => too_large,
        })?;
        // At most 38 digits are allowed, which 128 bits hold.
        if POWERS.get(usize::from(precision)).is_some_and(|limit| value >= *limit) {
            return Err(too_large);
        }
        Ok(if negative { -value } else { value })
    }

    fn exponent(&self, text: &[u8]) -> Result<i64, NumberFault> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            all => (false, all),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(self.no_number());
        }
        // Far beyond any column's digits it does not matter how far.
        let size =
            digits.iter().fold(0_i64, |size, digit| (size * 10 + i64::from(digit - b'0')).min(1 << 40));
        Ok(if negative { -size } else { size })
    }

    fn no_number(&self) -> NumberFault {
        NumberFault::NoNumber { decimal: char::from(self.decimal), grouping: self.grouping.map(char::from) }
    }

    fn misplaced(&self) -> NumberFault {
        NumberFault::Grouping {
            sign: self.grouping.map_or(' ', char::from),
            indian: self.groups == Groups::Indian,
        }
    }
}

/// What stands before letters of a mark at the end of a number, in any case.
fn behind<'t>(number: &'t str, mark: &str) -> Option<&'t str> {
    let (number, end) = number.split_at_checked(number.len().checked_sub(mark.len())?)?;
    end.eq_ignore_ascii_case(mark).then_some(number)
}

enum Lost {
    /// Digits behind the last one kept; the value ends in this many zeros.
    Digits(u32),
    Range,
}

/// `value` times a power of ten, exactly.
fn shifted(value: i128, by: i64) -> Result<i128, Lost> {
    if value == 0 {
        return Ok(0);
    }
    let power = usize::try_from(by.unsigned_abs()).ok().and_then(|by| POWERS.get(by));
    if by == 0 {
        return Ok(value);
    }
    if by > 0 {
        return power.and_then(|power| value.checked_mul(*power)).ok_or(Lost::Range);
    }
    match power {
        Some(power) if value % power == 0 => Ok(value / power),
        _ => {
            let (mut rest, mut zeros) = (value, 0);
            while rest % 10 == 0 {
                (rest, zeros) = (rest / 10, zeros + 1);
            }
            Err(Lost::Digits(zeros))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONEY: ColumnType = ColumnType::Decimal { precision: 12, scale: 2 };

    fn signs(decimal: u8, grouping: Option<u8>, groups: Groups) -> NumberSigns<'static> {
        NumberSigns { decimal, grouping, groups, negative: &[], currency_signs: &[] }
    }

    #[test]
    fn decimals_are_exact_or_refused() {
        let read = |text: &str| signs(b',', Some(b'.'), Groups::Thousands).read(text, MONEY).ok();
        assert_eq!(read("1.234,5"), Some(123_450));
        assert_eq!(read("-0,07"), Some(-7));
        assert_eq!(read("+3"), Some(300));
        assert_eq!(read("3,1400"), Some(314));
        assert_eq!(read(",5"), Some(50));
        assert_eq!(read("9999999999,99"), Some(999_999_999_999));
        let bad =
            ["", "-", ",", "3,141", "NaN", "inf", "1,2,3", "12345678901", "--1", "1 2", "1-2", "-+1", "1-"];
        for text in bad {
            assert_eq!(read(text), None, "{text}");
        }
        let whole = |text: &str| signs(b'.', None, Groups::Thousands).read(text, ColumnType::Integer).ok();
        assert_eq!((whole("-12"), whole("1.5"), whole("1.0")), (Some(-12), None, Some(1)));
        assert_eq!(whole("9223372036854775807"), Some(i128::from(i64::MAX)));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(5_000))]

        /// What is read the short way is what the long way reads.
        #[test]
        fn usual_numbers_are_read_as_all_are(text in "[-+]?[0-9]{0,19}[.,e]?[0-9]{0,19}", scale in 0_u8..6, more in 1_u8..33) {
            let column = ColumnType::Decimal { precision: scale + more, scale };
            let signs = signs(b'.', None, Groups::Thousands);
            if let Some(value) = signs.usual(text.as_bytes(), column) {
                proptest::prop_assert_eq!(signs.read_any(&text, column), Ok(i128::from(value)));
            }
            proptest::prop_assert_eq!(signs.read(&text, column), signs.read_any(&text, column));
        }
    }

    #[test]
    fn grouping_signs_stand_between_groups_of_three() {
        let read = |text: &str| signs(b'.', Some(b','), Groups::Thousands).read(text, MONEY).ok();
        assert_eq!(read("-1,234.50"), Some(-123_450));
        assert_eq!(read("1,234,567"), Some(123_456_700));
        assert_eq!(read("123,456.7"), Some(12_345_670));
        assert_eq!(read("1234.5"), Some(123_450));
        for text in [
            "-12,50",
            "1,00",
            "1,0000",
            "1234,567",
            ",123",
            "1,,234",
            "1,234,",
            "1,23,456",
            "1,234567",
            "1.234,567",
            "1.2,345",
            "12,34,567",
            "1,234,56",
            "-,123",
            "1,",
            "0,5",
            "1,23e1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_decimal_sign_that_may_stand_between_thousands_is_refused() {
        let read = |text: &str| signs(b'.', Some(b','), Groups::Thousands).read(text, MONEY);
        for text in ["1.000", "-12.500", "123.456"] {
            assert_eq!(read(text), Err(NumberFault::Thousands { sign: '.' }), "{text}");
        }
        // As many zeros as a database writes, groups or an exponent beside them, or a type with three decimals say what it is.
        for (text, value) in [
            ("1.0000", 100),
            ("1.00", 100),
            ("1,234.500", 123_450),
            (".500", 50),
            ("0.500", 50),
            ("0.000", 0),
            ("1000.500", 100_050),
            ("1.500e1", 1_500),
            ("12345678.0000000", 1_234_567_800),
        ] {
            assert_eq!(read(text), Ok(value), "{text}");
        }
        let fine = ColumnType::Decimal { precision: 12, scale: 3 };
        assert_eq!(signs(b'.', None, Groups::Thousands).read("1.000", fine), Ok(1_000));
        assert!(signs(b'.', None, Groups::Thousands).read("1.000", ColumnType::Integer).is_err());
        // The other way round: no number has a thousand after a zero.
        let german = |text: &str| signs(b',', Some(b'.'), Groups::Thousands).read(text, MONEY).ok();
        assert_eq!((german("0.500"), german("-0.100,00"), german("10.500")), (None, None, Some(1_050_000)));
    }

    #[test]
    fn indian_groups_are_of_two_but_the_last() {
        let read = |text: &str| signs(b'.', Some(b','), Groups::Indian).read(text, MONEY).ok();
        assert_eq!(read("12,34,567.89"), Some(123_456_789));
        assert_eq!(read("1,23,45,678"), Some(1_234_567_800));
        assert_eq!(
            (read("12,345"), read("345"), read("1,000")),
            (Some(1_234_500), Some(34_500), Some(100_000))
        );
        for text in ["123,456", "1,234,567", "12,34,56", "1,2,345", ",12,345"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn exponents_are_exact_or_refused() {
        let plain = signs(b'.', None, Groups::Thousands);
        let read = |text: &str| plain.read(text, MONEY).ok();
        assert_eq!(read("1e+05"), Some(10_000_000));
        assert_eq!(read("-1.25E2"), Some(-12_500));
        assert_eq!(read("1250e-2"), Some(1_250));
        assert_eq!(read("1.500e-1"), Some(15));
        assert_eq!(read("0e99999999999999999999"), Some(0));
        for text in [
            "4.440892e-16",
            "1e-3",
            "1.25e-1",
            "1e11",
            "1e99999999999",
            "e5",
            "1e",
            "1e+",
            "1e1.5",
            "1e5e5",
            "1e 5",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(plain.read("4.440892e-16", MONEY), Err(NumberFault::TooPrecise { digits: 22 }));
        let fine = ColumnType::Decimal { precision: 38, scale: 22 };
        assert_eq!(plain.read("4.440892e-16", fine), Ok(4_440_892));
        assert_eq!(plain.read("10e-3", MONEY), Ok(1));
        assert_eq!(plain.read("100000e-8", MONEY), Err(NumberFault::TooPrecise { digits: 3 }));
    }
    #[test]
    fn signs_of_typesetting_are_known_where_they_stand_right() {
        let read = |text: &str| signs(b',', None, Groups::Thousands).read(text, MONEY).ok();
        for space in TYPOGRAPHIC {
            assert_eq!(read(&format!("\u{2212}1{space}234{space}567,5")), Some(-123_456_750), "{space:?}");
            for text in ["12{}34", "1{}23", "{}123", "1,2{}345", "1234{}567", "123{}", "1{}234{}", "1 {}234"]
            {
                assert_eq!(read(&text.replace("{}", &space.to_string())), None, "{text} {space:?}");
            }
        }
        // One kind of grouping signs in a number.
        let dotted = |text: &str| signs(b',', Some(b'.'), Groups::Thousands).read(text, MONEY).ok();
        assert_eq!((dotted("1\u{a0}234,50"), dotted("1.234\u{a0}567,50")), (Some(123_450), None));
        for text in ["\u{2212}", "\u{2212}-1", "1\u{2212}", "\u{2013}1", "１２", "1\u{a0}€", "٣"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn forms_of_accounts_are_read_where_they_are_declared() {
        let all = [Negative::Debit, Negative::Parentheses, Negative::Trailing];
        let currency = ["€", "EUR", "kr."].map(str::to_owned);
        let accounts = NumberSigns {
            negative: &all,
            currency_signs: &currency,
            ..signs(b',', Some(b'.'), Groups::Thousands)
        };
        let read = |text: &str| accounts.read(text, MONEY);
        for (text, value) in [
            ("(33,52)", -3_352),
            ("(1.000,00 €)", -100_000),
            ("-1.000,00 €", -100_000),
            ("€ -12,50", -1_250),
            ("-€12,50", -1_250),
            ("\u{2212} EUR 12,50", -1_250),
            ("100,00-", -10_000),
            ("100,00 \u{2212}", -10_000),
            ("100,00 €-", -10_000),
            ("100,00+", 10_000),
            ("100,00 DR", -10_000),
            ("100,00 Cr", 10_000),
            ("EUR 100,00 dr", -10_000),
            ("kr. 5", 500),
            ("12,5", 1_250),
            ("1\u{a0}234,5 €", 123_450),
            ("(0)", 0),
        ] {
            assert_eq!(read(text), Ok(value), "{text}");
        }
        for text in ["-(1)", "(-1)", "-1-", "1- DR", "-1 DR", "-1 CR", "(1) CR", "--1", "-+1", "(1)-", "1+-"]
        {
            assert_eq!(read(text), Err(NumberFault::TwoSigns), "{text}");
        }
        for text in ["1 DR CR", "", "()", "€", "-", "DR", "(1", "1)", "1 € EUR 2", "12 DRY", "$1", "1.00 €"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        let none = signs(b',', Some(b'.'), Groups::Thousands);
        for text in ["(33,52)", "100,00-", "100,00 DR", "1 €", "100,00+"] {
            assert!(none.read(text, MONEY).is_err(), "{text}");
        }
    }
}
