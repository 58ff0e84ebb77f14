//! Signs, codes and digits of currencies.

use spendscape_schema::money::{Currency, DEFAULT_MINOR_DIGITS};

/// Signs and abbreviations of currencies in lower case, with their codes where they are one currency's.
const SIGNS: [(&str, Option<&str>); 19] = [
    ("€", Some("EUR")),
    ("£", Some("GBP")),
    ("$", Some("USD")),
    ("us$", Some("USD")),
    ("¥", Some("JPY")),
    ("₹", Some("INR")),
    ("₽", Some("RUB")),
    ("₺", Some("TRY")),
    ("₴", Some("UAH")),
    ("₩", Some("KRW")),
    ("₦", Some("NGN")),
    ("zł", Some("PLN")),
    ("kč", Some("CZK")),
    ("r$", Some("BRL")),
    ("fr", Some("CHF")),
    ("ft", Some("HUF")),
    ("lei", Some("RON")),
    ("kr", None),
    ("rs", None),
];

/// Whether a text beside digits is a currency's sign or code: other letters make an id, not an amount.
pub(super) fn is_sign(text: &str) -> bool {
    let sign = text.strip_suffix('.').unwrap_or(text).to_lowercase();
    SIGNS.iter().any(|(known, _)| *known == sign) || Currency::iso_digits(&sign).is_some()
}

/// The code that a sign stands for; signs of several currencies stand for themselves.
pub(super) fn code_of(sign: &str) -> String {
    let sign = sign.strip_suffix('.').unwrap_or(sign).to_lowercase();
    match SIGNS.iter().find(|(known, _)| *known == sign) {
        Some((_, Some(code))) => (*code).to_owned(),
        Some((_, None)) => sign,
        None => sign.to_uppercase(),
    }
}

/// Decimal digits of the minor unit that a ledger counts in: those of ISO 4217, and never fewer than usual.
pub(super) fn minor_digits(code: &str) -> u32 {
    Currency::iso_digits(code).unwrap_or_default().max(DEFAULT_MINOR_DIGITS)
}
