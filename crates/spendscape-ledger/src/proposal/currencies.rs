//! The currency of the amounts.

use spendscape_schema::money::Currency;

use super::{
    Guess,
    amounts::Amount,
    names::{self, Role},
    roles::{Facts, Roles},
};

/// Signs of currencies and their codes.
const SIGNS: [(&str, &str); 13] = [
    ("€", "EUR"),
    ("£", "GBP"),
    ("$", "USD"),
    ("¥", "JPY"),
    ("₹", "INR"),
    ("₽", "RUB"),
    ("₺", "TRY"),
    ("₴", "UAH"),
    ("₩", "KRW"),
    ("₦", "NGN"),
    ("zł", "PLN"),
    ("kč", "CZK"),
    ("r$", "BRL"),
];

/// The currency, and a condition where rows have several.
pub(super) fn of(
    roles: &mut Roles<'_, '_>,
    amount: &Amount,
    guesses: &mut Vec<Guess>,
) -> (String, Option<String>) {
    let is_code =
        |code: &str| code.trim().len() == 3 && code.trim().bytes().all(|letter| letter.is_ascii_uppercase());
    let content =
        |facts: &Facts<'_>| f64::from(u8::from(facts.filled > 0 && facts.column.filled().all(is_code)));
    if let Some(at) = roles.best(Role::Currency, content) {
        let facts = roles.take(at);
        let codes = facts.commonest();
        let (first, count) = codes[0];
        if codes.len() == 1 {
            guesses.push(Guess::sure(
                "currency",
                &format!("{first:?}"),
                format!("all rows say so in {}", facts.full_name()),
            ));
            return (first.to_owned(), None);
        }
        let condition = format!("{} = '{first}'", facts.sql());
        let reason = format!(
            "{count} of {} rows have it in {}; others cannot be added to them",
            facts.filled,
            facts.full_name()
        );
        guesses.push(Guess::unsure("currency", &format!("{first:?}"), reason.clone()));
        guesses.push(Guess::unsure("rows.where", &condition, reason));
        return (first.to_owned(), Some(condition));
    }
    let by_sign = amount.signs.iter().find_map(|sign| {
        let sign = sign.trim_end_matches('.').to_lowercase();
        let known = SIGNS.iter().find(|(known, _)| *known == sign).map(|(_, code)| (*code).to_owned());
        known.or_else(|| is_code(&sign.to_uppercase()).then(|| sign.to_uppercase()))
    });
    let by_name = || {
        let parts = amount.names.iter().flat_map(|name| names::parts(name));
        let mut codes =
            parts.map(|part| part.to_uppercase()).filter(|part| Currency::iso_digits(part).is_some());
        codes.next()
    };
    match by_sign.or_else(by_name) {
        Some(code) => {
            guesses.push(Guess::unsure(
                "currency",
                &format!("{code:?}"),
                "the amounts or their column's name say so".to_owned(),
            ));
            (code, None)
        }
        None => {
            guesses.push(Guess::unsure(
                "currency",
                "\"XXX\"",
                "nothing tells it: write its code of ISO 4217".to_owned(),
            ));
            ("XXX".to_owned(), None)
        }
    }
}
