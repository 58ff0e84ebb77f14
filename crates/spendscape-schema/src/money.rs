//! Money as exact integer minor units.

use serde::{Deserialize, Serialize};

/// Digits after the decimal point that a currency's minor unit stands for, where the currency does not say otherwise.
pub const DEFAULT_MINOR_DIGITS: u32 = 2;

/// The money of a ledger, and how its minor units are shown.
///
/// ```
/// use spendscape_schema::Currency;
///
/// assert_eq!(Currency::new("EUR", 2).show(-123_450), "-1,234.50 EUR");
/// // Yen have no decimals, whatever the ledger keeps.
/// assert_eq!(Currency::new("JPY", 2).show(120_050), "1,200 JPY");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Currency {
    /// Its name as the column map has it, mostly an ISO 4217 code.
    pub name: String,
    /// Decimal digits of the ledger's minor unit.
    pub minor_digits: u32,
    /// Decimal digits that people write: those of ISO 4217 for a code it has, else the ledger's.
    pub shown_digits: u32,
}

impl Currency {
    /// The currency of a ledger whose minor unit has so many digits.
    #[must_use]
    pub fn new(name: &str, minor_digits: u32) -> Self {
        let shown_digits = Self::iso_digits(name).unwrap_or(minor_digits);
        Self { name: name.to_owned(), minor_digits, shown_digits }
    }

    /// The decimal digits of the minor unit of ISO 4217, for a code it has, in any case.
    #[must_use]
    pub fn iso_digits(code: &str) -> Option<u32> {
        let iso = iso_currency::Currency::from_code(&code.to_ascii_uppercase());
        iso.and_then(iso_currency::Currency::exponent).map(u32::from)
    }

    /// An amount with the currency's digits, rounded half to even, and its name: `1,234.50 EUR`.
    #[must_use]
    pub fn show(&self, minor: i64) -> String {
        let scale = i32::try_from(self.minor_digits).unwrap_or(i32::MAX);
        // What cannot be rounded is shown as it is.
        let Some(shown) = minor_from_decimal(i128::from(minor), scale, self.shown_digits) else {
            return format!("{minor} x 10^-{} {}", self.minor_digits, self.name);
        };
        let digits = self.shown_digits as usize;
        let text = format!("{:0width$}", shown.unsigned_abs(), width = digits + 1);
        let (whole, part) = text.split_at(text.len() - digits);
        let sign = if shown < 0 { "-" } else { "" };
        let point = if part.is_empty() { "" } else { "." };
        format!("{sign}{}{point}{part} {}", with_separators(whole), self.name)
    }
}

/// Digits with separators between thousands.
pub(crate) fn with_separators(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Divides an exact decimal `value / 10^scale` into minor units of `digits` decimal digits, rounding half to even.
///
/// Returns `None` if the result does not fit 64 bits or the scale is out of range.
///
/// ```
/// use spendscape_schema::money::minor_from_decimal;
///
/// // 12.345 in cents: a half goes to the even one.
/// assert_eq!(minor_from_decimal(12_345, 3, 2), Some(1_234));
/// assert_eq!(minor_from_decimal(12_355, 3, 2), Some(1_236));
/// ```
#[must_use]
pub fn minor_from_decimal(value: i128, scale: i32, digits: u32) -> Option<i64> {
    let shift = i32::try_from(digits).ok()?.checked_sub(scale)?;
    let power = 10_i128.checked_pow(shift.unsigned_abs())?;
    let minor = if shift >= 0 { value.checked_mul(power)? } else { divide_half_even(value, power) };
    i64::try_from(minor).ok()
}

/// `numerator / denominator` rounded half to even; the denominator is positive.
fn divide_half_even(numerator: i128, denominator: i128) -> i128 {
    let quotient = numerator.div_euclid(denominator);
    let remainder = numerator.rem_euclid(denominator);
    let up = match (remainder * 2).cmp(&denominator) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    quotient + i128::from(up)
}

/// Minor units of a float amount, rounding half to even.
///
/// Returns `None` for NaN, infinities and amounts beyond 2^53 minor units, where a float no longer holds every cent.
///
/// ```
/// use spendscape_schema::money::minor_from_f64;
///
/// assert_eq!(minor_from_f64(-19.99, 2), Some(-1_999));
/// assert_eq!(minor_from_f64(f64::NAN, 2), None);
/// ```
#[must_use]
pub fn minor_from_f64(amount: f64, digits: u32) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let minor = (amount * 10_f64.powi(i32::try_from(digits).ok()?)).round_ties_even();
    (minor.abs() <= EXACT).then_some(minor as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_go_to_the_even_neighbor() {
        let cases = [
            (1005, 3, 100),
            (1015, 3, 102),
            (-1005, 3, -100),
            (-1015, 3, -102),
            (10051, 4, 101),
            (7, 0, 700),
        ];
        for (value, scale, minor) in cases {
            assert_eq!(minor_from_decimal(value, scale, 2), Some(minor), "{value} / 10^{scale}");
        }
        assert_eq!(minor_from_decimal(5, -2, 2), Some(50_000));
    }

    #[test]
    fn amounts_are_shown_with_the_currencys_digits() {
        for (name, minor_digits, minor, shown) in [
            ("EUR", 2, 123_450, "1,234.50 EUR"),
            ("EUR", 2, -5, "-0.05 EUR"),
            // Uganda's shilling has no minor unit, whatever the ledger counts in.
            ("UGX", 2, 3_166_137, "31,661 UGX"),
            ("ugx", 0, 31_661, "31,661 ugx"),
            ("KWD", 3, 1_234, "1.234 KWD"),
            ("Euros", 2, 1_000_000, "10,000.00 Euros"),
            ("EUR", 2, i64::MIN, "-92,233,720,368,547,758.08 EUR"),
        ] {
            assert_eq!(Currency::new(name, minor_digits).show(minor), shown);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(minor_from_decimal(i128::MAX, 0, 2), None);
        assert_eq!(minor_from_decimal(i128::from(i64::MAX), 0, 2), None);
        assert_eq!(minor_from_decimal(1, i32::MIN, 2), None);
        assert_eq!(minor_from_decimal(1, 60, 2), None);
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            assert_eq!(minor_from_f64(bad, 2), None);
        }
    }

    proptest! {
        #[test]
        fn rounding_is_nearest(value in -10_i128.pow(15)..10_i128.pow(15), scale in 2_i32..9) {
            let minor = i128::from(minor_from_decimal(value, scale, 2).unwrap());
            let power = 10_i128.pow(u32::try_from(scale - 2).unwrap());
            prop_assert!((minor * power - value).abs() * 2 <= power);
        }
    }
}
