//! Exact decimal numbers from text.

use super::map::{ColumnType, Groups, SourceFormat, ascii};
use crate::{Error, NumberFault};

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
#[derive(Debug, Clone, Copy)]
pub(crate) struct NumberSigns {
    decimal: u8,
    grouping: Option<u8>,
    groups: Groups,
}

impl NumberSigns {
    pub(crate) fn of(format: &SourceFormat) -> Result<Self, Error> {
        Ok(Self {
            decimal: ascii("source.decimal_sign", &format.decimal_sign)?.unwrap_or(b'.'),
            grouping: ascii("source.grouping", &format.grouping)?,
            groups: format.groups,
        })
    }

    /// An exact decimal as an integer of the column's digits after the sign. Zeros beyond them are no digits.
    ///
    /// # Errors
    /// Whatever is not wholly a number, whose grouping signs do not stand between groups, or that has more digits than the
    /// column.
    pub(crate) fn read(&self, text: &str, column: ColumnType) -> Result<i128, NumberFault> {
        let (precision, scale) = column.digits();
        let (negative, number) = match text.as_bytes() {
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
                byte if Some(byte) == self.grouping => {
                    let fits = if grouped { run == self.groups.inner() } else { self.groups.first(run) };
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
                byte if Some(byte) == self.grouping => return Err(self.misplaced()),
                _ => return Err(self.no_number()),
            }
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

    fn signs(decimal: u8, grouping: Option<u8>, groups: Groups) -> NumberSigns {
        NumberSigns { decimal, grouping, groups }
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
}
