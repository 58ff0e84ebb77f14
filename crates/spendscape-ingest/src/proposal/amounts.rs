//! The amount: its column or columns, its sign, and how its numbers are written.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Guess, currency_signs,
    facts::{Facts, Roles, is_text, type_of},
    names::{self, Role},
    numbers::Numbers,
};
use crate::map::{ColumnType, DebitCredit, Debits, Format, Groups, SourceFormat};

/// Codes of debit, and of credit, as [`names::parts`] joins them, in the languages of Europe.
const DEBIT: &str = "- d dr db dbit debit debito debitos debet s soll af out vydaj vyber withdrawal withdrawals expense expenses \
    spend purchase purchases sale charge fee belastung lastschrift ausgabe ausgang cargo gasto compra saida despesa \
    addebito uscita acquisto dare debe depense achat retrait obciazenie obciazenia wydatek wn winien uitgave uttag \
    terheles menoveto odchozi paymentout moneyout outgoing outflow";
const CREDIT: &str = "+ c k cr crdt credit credito creditos kredit h haben bij in prijem deposit deposits income topup refund \
    refunds return gutschrift einnahme eingang abono ingreso entrada receita accredito entrata avere haber recette \
    versement remboursement reembolso rimborso estorno uznanie uznania wplyw ma inkomst insattning jovairas tulo prichozi \
    paymentin moneyin incoming inflow erstattung";

/// Codes that are a debit on an account and a credit on a card, where the card is paid off.
const PAYMENT: &str = "payment payments zahlung pagamento pago paiement";

/// Where the amount stands.
pub(super) enum Sides {
    /// In one expression.
    One(String),
    /// In debit and credit, of which a row has one.
    Two(DebitCredit),
}

/// The amount, and what goes with it.
pub(super) struct Amount {
    pub(super) sides: Sides,
    pub(super) balance: Option<String>,
    /// Types of the columns used that are text.
    pub(super) typed: Vec<(String, ColumnType)>,
    /// The names of the columns used, and the currency signs in them.
    pub(super) names: Vec<String>,
    pub(super) signs: Vec<String>,
}

/// Finds the amount and sets the signs of numbers.
pub(super) fn of(
    roles: &mut Roles<'_, '_>,
    format: &mut SourceFormat,
    guesses: &mut Vec<Guess>,
) -> Option<Amount> {
    let is_number =
        |facts: &Facts<'_>| f64::from(facts.is_number() || (facts.filled == 0 && is_text(format)));
    let two = roles
        .best(Role::Debit, is_number)
        .zip(roles.best(Role::Credit, is_number))
        .filter(|(debit, credit)| debit != credit);
    let single = roles.best(Role::Amount, |facts| {
        let is_money =
            facts.column.data_type.is_some() || facts.numbers.decimals > 0 || facts.numbers.negative > 0;
        f64::from(facts.is_number() && facts.filled > 0) * if is_money { 1.0 } else { 0.5 }
    });
    let product = || {
        let is_one = |facts: &Facts<'_>| f64::from(facts.is_number() && facts.filled > 0);
        roles.best(Role::Quantity, is_one).zip(roles.best(Role::UnitPrice, is_one)).filter(|(a, b)| a != b)
    };
    let score = |at: usize, role: Role| names::fit(roles.facts[at].full_name(), role);
    // "price" alone is an amount; beside a quantity it is one of a piece.
    let single = match product() {
        Some((_, price)) if single == Some(price) => None,
        _ => single,
    };
    let two = two.filter(|(debit, credit)| {
        let one = single.map_or(0.0, |at| score(at, Role::Amount));
        score(*debit, Role::Debit).min(score(*credit, Role::Credit)) > one
            || !has_both(roles, *debit, *credit)
    });
    let (sides, used) = if let Some((debit, credit)) = two {
        of_two(roles, debit, credit, guesses)
    } else if let Some(at) = single {
        of_one(roles, at, guesses)
    } else if let Some((quantity, price)) = product() {
        let (quantity, price) = (roles.take(quantity), roles.take(price));
        let sql = format!("-({} * {})", quantity.number(), price.number());
        let reason = "quantity times price; what is sold is money spent".to_owned();
        guesses.push(Guess::unsure("columns.amount", &sql, reason));
        (Sides::One(sql), vec![quantity, price])
    } else {
        let money = |at: &usize| roles.facts[*at].is_number() && roles.facts[*at].numbers.decimals > 0;
        let at = roles.free().find(money)?;
        of_one(roles, at, guesses)
    };
    let mut used = used;
    let balance = roles
        .best(Role::Balance, |facts| f64::from(facts.is_number() && facts.filled > 0))
        .map(|at| roles.take(at));
    if let Some(balance) = balance {
        guesses.push(Guess::sure(
            "columns.balance",
            &balance.number(),
            "its name, and its values are numbers".to_owned(),
        ));
        used.push(balance);
    }
    if format.format == Format::Csv || used.iter().any(|facts| facts.column.data_type.is_none()) {
        signs_of(&used, format, guesses);
    }
    let signs = format.currency_signs.clone();
    Some(Amount {
        sides,
        balance: balance.map(Facts::number),
        typed: used.iter().filter_map(|facts| type_of(facts)).collect(),
        names: used.iter().map(|facts| facts.full_name().to_owned()).collect(),
        signs,
    })
}

/// Whether any row has both columns filled.
fn has_both(roles: &Roles<'_, '_>, debit: usize, credit: usize) -> bool {
    let values = |at: usize| roles.facts[at].column.values.iter();
    let is_zero = |value: &String| value.chars().all(|digit| matches!(digit, '0' | '.' | ','));
    values(debit).zip(values(credit)).any(|(debit, credit)| match (debit, credit) {
        (Some(debit), Some(credit)) => !is_zero(debit) && !is_zero(credit),
        _ => false,
    })
}

/// Debit and credit in two columns.
fn of_two<'a, 'b>(
    roles: &mut Roles<'a, 'b>,
    debit: usize,
    credit: usize,
    guesses: &mut Vec<Guess>,
) -> (Sides, Vec<&'b Facts<'a>>) {
    let both = has_both(roles, debit, credit);
    let (debit, credit) = (roles.take(debit), roles.take(credit));
    let (d, c) = (debit.number(), credit.number());
    let is_signed = debit.numbers.negative > debit.numbers.positive;
    if both {
        let sql = match is_signed {
            true => format!("coalesce({c} + {d}, {c}, {d})"),
            false => format!("coalesce({c} - {d}, {c}, -{d})"),
        };
        let reason = "the names of two columns; rows fill both, so that their difference is the amount";
        guesses.push(Guess::unsure("columns.amount", &sql, reason.to_owned()));
        return (Sides::One(sql), vec![debit, credit]);
    }
    guesses.push(Guess::sure("amount.debit", &d, "its name; no row fills both columns".to_owned()));
    guesses.push(Guess::sure("amount.credit", &c, "its name".to_owned()));
    let taken_back = debit.numbers.negative + credit.numbers.negative;
    let debits = match (is_signed, taken_back) {
        (true, _) => Some((Debits::Negative, "debits carry their minus".to_owned(), true)),
        (false, 0) => None,
        (false, rows) => {
            let reason =
                format!("{rows} values have a minus: they are taken for what takes back an earlier one");
            Some((Debits::Positive, reason, false))
        }
    };
    if let Some((debits, reason, is_sure)) = &debits {
        let value = format!("\"{debits:?}\"").to_lowercase();
        let (entry, reason) = ("amount.debits", reason.clone());
        guesses.push(Guess { entry, value, reason, is_sure: *is_sure });
    }
    let debits = debits.map(|(debits, ..)| debits);
    (Sides::Two(DebitCredit { debit: d, credit: c, debits }), vec![debit, credit])
}

/// One column, whose sign or a second column tells debit from credit.
fn of_one<'a, 'b>(
    roles: &mut Roles<'a, 'b>,
    at: usize,
    guesses: &mut Vec<Guess>,
) -> (Sides, Vec<&'b Facts<'a>>) {
    let facts = roles.take(at);
    let name = facts.number();
    let Numbers { negative, positive, .. } = facts.numbers;
    if negative == 0
        && let Some(Side { at: side, debit, credit, payment }) = side_of(roles)
    {
        let column = roles.take(side);
        let list = |codes: &[&str]| {
            codes.iter().map(|code| format!("'{}'", code.replace('\'', "''"))).collect::<Vec<_>>().join(", ")
        };
        // A code that no row looked at has is neither, and its row is refused.
        let code = format!("trim({})", column.sql());
        let sql = match credit.as_slice() {
            [] => format!("CASE WHEN {code} IN ({}) THEN -{name} END", list(&debit)),
            credit => format!(
                "CASE WHEN {code} IN ({}) THEN -{name} WHEN {code} IN ({}) THEN {name} END",
                list(&debit),
                list(credit)
            ),
        };
        let side = column.full_name();
        let of_credit = if credit.is_empty() { String::new() } else { format!(" or {}", credit.join(", ")) };
        let reason = format!("no amount is negative, and {side} is {}{of_credit}", debit.join(", "));
        guesses.push(match payment {
            None => Guess::sure("columns.amount", &sql, reason),
            Some(code) => {
                let way = if debit.contains(&code) { "out" } else { "in" };
                Guess::unsure(
                    "columns.amount",
                    &sql,
                    format!("{reason}; {code} is taken for money that goes {way}"),
                )
            }
        });
        return (Sides::One(sql), vec![facts]);
    }
    let is_whole = match &facts.column.data_type {
        None => facts.numbers.decimal.is_empty(),
        Some(found) => found.is_integer(),
    };
    let says_minor = names::parts(facts.full_name()).iter().any(|part| names::is_minor_unit(part));
    let name = if is_whole && says_minor { format!("{name} / 100") } else { name };
    let total = (negative + positive).max(1);
    let share = 100 * negative / total;
    let spends_positive = negative * 2 < total;
    let sql = if spends_positive { format!("-{name}") } else { name };
    let reason = match (spends_positive, negative) {
        (true, 0) => "no amount is negative: all are taken as money spent".to_owned(),
        (true, _) => format!("{share} % of the amounts are negative: the others are taken as money spent"),
        (false, _) => format!("{share} % of the amounts are negative: they are taken as money spent"),
    };
    let cents = match (is_whole, says_minor) {
        (true, true) => "; the name says hundredths".to_owned(),
        (true, false) => format!("; no amount has decimals: if they are cents, write {sql} / 100"),
        _ => String::new(),
    };
    guesses.push(Guess {
        entry: "columns.amount",
        value: sql.clone(),
        reason: reason + &cents,
        is_sure: !spends_positive && share > 60 && !is_whole,
    });
    (Sides::One(sql), vec![facts])
}

/// A column of codes of debit and credit: its position and the codes as they are written.
struct Side<'b> {
    at: usize,
    debit: Vec<&'b str>,
    credit: Vec<&'b str>,
    /// What may be either.
    payment: Option<&'b str>,
}

fn side_of<'b>(roles: &Roles<'_, 'b>) -> Option<Side<'b>> {
    let has = |words: &str, word: &str| words.split_whitespace().any(|known| known == word);
    let codes = |at: usize| -> Option<Side<'b>> {
        let facts = &roles.facts[at];
        if facts.distinct == 0 || facts.distinct > 8 || facts.filled < facts.column.values.len() {
            return None;
        }
        let mut side = Side { at, debit: Vec::new(), credit: Vec::new(), payment: None };
        for (code, _) in facts.commonest() {
            let word = names::parts(code).concat();
            let word = if word.is_empty() { code } else { word.as_str() };
            if has(DEBIT, word) {
                side.debit.push(code);
            } else if has(CREDIT, word) {
                side.credit.push(code);
            } else if has(PAYMENT, word) && side.payment.is_none() {
                side.payment = Some(code);
            } else {
                return None;
            }
        }
        // Beside purchases, a payment pays off a card.
        match side.payment {
            Some(code) if side.debit.is_empty() => side.debit.push(code),
            Some(code) => side.credit.push(code),
            None => {}
        }
        (!side.debit.is_empty()).then_some(side)
    };
    let by_name = roles.best(Role::Side, |facts| f64::from(facts.distinct > 0 && facts.distinct < 9));
    by_name.into_iter().chain(roles.free()).find_map(codes)
}

/// Decimal sign, grouping, forms of negative numbers and currency signs of the columns used.
fn signs_of(used: &[&Facts<'_>], format: &mut SourceFormat, guesses: &mut Vec<Guess>) {
    let texts = || used.iter().filter(|facts| facts.column.data_type.is_none()).map(|facts| &facts.numbers);
    let votes = |sign: char| {
        texts()
            .filter_map(|numbers| numbers.decimal.get(&sign))
            .fold((0, ""), |(count, _), (more, example)| (count + more, example.as_str()))
    };
    let (point, comma) = (votes('.'), votes(','));
    let unclear = |sign: char| texts().find_map(|numbers| numbers.unclear.get(&sign));
    let comma_wins = comma.0 > point.0;
    if comma_wins {
        format.decimal_sign = ",".to_owned();
    }
    let (winner, loser) = if comma_wins { (comma, point) } else { (point, comma) };
    let value = format!("{:?}", format.decimal_sign);
    if loser.0 > 0 {
        let reason = format!(
            "{} values as {}, but {} as {}: rows of the second form will be refused",
            winner.0, winner.1, loser.0, loser.1
        );
        guesses.push(Guess::unsure("source.decimal_sign", &value, reason));
    } else if comma_wins {
        guesses.push(Guess::sure("source.decimal_sign", &value, format!("values such as {}", winner.1)));
    }
    let decimal = format.decimal_sign.chars().next().unwrap_or('.');
    let other = if decimal == '.' { ',' } else { '.' };
    // A sign before three digits is a grouping sign where the other one is the decimal sign, and may be either where none is.
    let mut groupings: Vec<(char, usize)> = Vec::new();
    for (sign, count) in texts().flat_map(|numbers| &numbers.grouping) {
        groupings.push((*sign, *count));
    }
    if let Some((count, example)) = unclear(other) {
        if winner.0 == 0 {
            let reason = format!("{example} may be a thousand or a decimal: it is taken as a thousand");
            guesses.push(Guess::unsure("source.grouping", &format!("{:?}", other.to_string()), reason));
        }
        groupings.push((other, *count));
    }
    // The typographic ones are always known.
    let declared = groupings
        .iter()
        .filter(|(sign, _)| sign.is_ascii() && *sign != decimal)
        .max_by_key(|(_, count)| *count);
    if let Some((sign, count)) = declared {
        format.grouping = sign.to_string();
        if winner.0 > 0 {
            let value = format!("{:?}", format.grouping);
            guesses.push(Guess::sure(
                "source.grouping",
                &value,
                format!("it stands between thousands, {count} times"),
            ));
        }
    }
    if texts().any(|numbers| numbers.is_indian) {
        format.groups = Groups::Indian;
        guesses.push(Guess::sure(
            "source.groups",
            "\"indian\"",
            "values have groups of two digits".to_owned(),
        ));
    }
    for form in texts().flat_map(|numbers| &numbers.forms) {
        if !format.negative.contains(form) {
            format.negative.push(*form);
        }
    }
    if !format.negative.is_empty() {
        let names: Vec<String> =
            format.negative.iter().map(|form| format!("{form:?}").to_lowercase()).collect();
        guesses.push(Guess::sure(
            "source.negative",
            &format!("{names:?}"),
            "values are written so".to_owned(),
        ));
    }
    let (signs, others) = currency_signs_of(texts());
    if !signs.is_empty() {
        let (reason, is_sure) = match others {
            0 => ("they stand before or behind numbers".to_owned(), true),
            others => (
                format!("rows with another currency's sign, {others} of those looked at, will be refused"),
                false,
            ),
        };
        let value = format!("{signs:?}");
        guesses.push(Guess { entry: "source.currency_signs", value, reason, is_sure });
        format.currency_signs = signs;
    }
}

/// The signs of the currency that most numbers have, the longest first, and how many numbers have another one's.
fn currency_signs_of<'n>(texts: impl Iterator<Item = &'n Numbers>) -> (Vec<String>, usize) {
    let mut by_code: BTreeMap<String, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for (sign, count) in texts.flat_map(|numbers| &numbers.currency_signs) {
        let (rows, signs) = by_code.entry(currency_signs::code_of(sign)).or_default();
        *rows += count;
        signs.insert(sign);
    }
    let all: usize = by_code.values().map(|(rows, _)| rows).sum();
    let Some((rows, signs)) = by_code.into_values().max_by_key(|(rows, _)| *rows) else {
        return (Vec::new(), 0);
    };
    let mut signs: Vec<String> = signs.into_iter().map(str::to_owned).collect();
    signs.sort_by_key(|sign| std::cmp::Reverse(sign.len()));
    (signs, all - rows)
}
