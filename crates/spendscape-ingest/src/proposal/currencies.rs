//! The currency of the amounts.

use spendscape_schema::money::Currency;

use super::{
    Guess,
    amounts::Amount,
    currency_signs::code_of,
    facts::{Facts, Roles},
    names::{self, Role},
};

/// The currency, and a condition where rows say theirs.
pub(super) fn of(
    roles: &mut Roles<'_, '_>,
    amount: &Amount,
    guesses: &mut Vec<Guess>,
) -> (String, Option<String>) {
    let is_code =
        |code: &str| code.trim().len() == 3 && code.trim().bytes().all(|letter| letter.is_ascii_uppercase());
    let content = |facts: &Facts<'_>| f64::from(facts.filled > 0 && facts.column.filled().all(is_code));
    if let Some(at) = roles.best(Role::Currency, content) {
        let facts = roles.take(at);
        let codes = facts.commonest();
        let (first, count) = codes[0];
        let name = facts.full_name();
        // Rows that were not looked at may have another one.
        let condition = format!("trim({}) = '{first}'", facts.sql());
        let (reason, is_sure) = match codes.len() {
            1 => (format!("all rows that were looked at have it in {name}"), true),
            _ => (format!("{count} of {} rows have it in {name}", facts.filled), false),
        };
        guesses.push(Guess { entry: "currency", value: format!("{first:?}"), reason, is_sure });
        let reason = "rows of other currencies cannot be added to them".to_owned();
        guesses.push(Guess { entry: "rows.where", value: condition.clone(), reason, is_sure });
        return (first.to_owned(), Some(condition));
    }
    let by_sign =
        || amount.signs.iter().map(|sign| code_of(sign)).find(|code| Currency::iso_digits(code).is_some());
    let by_name = || {
        let parts = amount.names.iter().flat_map(|name| names::parts(name));
        let mut codes =
            parts.map(|part| part.to_uppercase()).filter(|part| Currency::iso_digits(part).is_some());
        codes.next()
    };
    match by_sign().or_else(by_name) {
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
