//! Which column is what to a ledger, by its name and what it holds.

use std::path::Path;

use super::{
    Guess,
    amounts::{self, Amount, Sides},
    bare_map, booked, currencies, currency_signs, dates, epochs,
    facts::{Facts, Roles},
    header,
    names::Role,
    sample::Column,
};
use crate::{
    ColumnMap, Error,
    map::{Columns, SourceFormat, TimeRules},
};

/// The map of a file of this form and content.
pub(super) fn map_of(
    path: &Path,
    mut format: SourceFormat,
    sample: &[Column],
    guesses: &mut Vec<Guess>,
) -> Result<ColumnMap, Error> {
    let facts: Vec<Facts<'_>> = sample.iter().map(Facts::of).collect::<Result<_, Error>>()?;
    let mut roles = Roles::new(&facts);
    let none = |role: &'static str| Error::NoSuchColumn {
        path: path.to_owned(),
        role,
        found: sample.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", "),
        advice: if role == "time" { epochs::advice(&facts) } else { String::new() },
    };
    let (time, rules) = time_of(&mut roles, guesses)?.ok_or_else(|| none("time"))?;
    let amount = amounts::of(&mut roles, &mut format, guesses).ok_or_else(|| none("amount"))?;
    let booked = booked::of(&mut roles, guesses);
    let customer = customer_of(&mut roles, header::is_made_up(&format), guesses);
    let class = class_of(&mut roles, guesses).ok_or_else(|| none("class"))?;
    let (currency, of_currency) = currencies::of(&mut roles, &amount, guesses);
    let transaction = unique_of(&mut roles, guesses);
    let place = optional(&mut roles, Role::Place, "columns.place", guesses);
    let channel = optional(&mut roles, Role::Channel, "columns.channel", guesses);
    let Amount { sides, balance, typed, .. } = amount;
    let (amount, two) = match sides {
        Sides::One(sql) => (Some(sql), None),
        Sides::Two(two) => (None, Some(two)),
    };
    let mut map = bare_map()?;
    (map.currency, map.source, map.time) = (currency, format, rules);
    map.minor_digits = currency_signs::minor_digits(&map.currency);
    let conditions: Vec<String> = of_currency.into_iter().chain(booked).collect();
    map.rows.condition = (!conditions.is_empty()).then(|| conditions.join(" AND "));
    map.types = typed.into_iter().collect();
    map.columns = Columns { customer, time, amount, class, transaction, channel, place, balance };
    map.amount = two;
    Ok(map)
}

/// The time as SQL, and how it is read.
fn time_of(
    roles: &mut Roles<'_, '_>,
    guesses: &mut Vec<Guess>,
) -> Result<Option<(String, TimeRules)>, Error> {
    let mut rules = TimeRules::default();
    let by_name = roles.best(Role::Time, |facts| f64::from(facts.is_time()));
    let Some(at) = by_name.or_else(|| roles.free().find(|at| roles.facts[*at].is_time())) else {
        return Ok(epochs::of(roles, guesses).map(|sql| (sql, rules)));
    };
    let facts = roles.take(at);
    let others = roles.free().filter(|at| roles.facts[*at].is_time()).map(|at| roles.facts[at].full_name());
    let others: Vec<&str> = others.collect();
    let reason = match (by_name, others.as_slice()) {
        (Some(_), []) => "its name, and its values are times".to_owned(),
        (Some(_), others) => format!("its name; times stand in {} too", others.join(", ")),
        (None, _) => "the first column of times".to_owned(),
    };
    let mut sql = facts.sql();
    let is_sure = by_name.is_some() && others.is_empty();
    let Some(dates) = &facts.dates else {
        guesses.push(Guess { entry: "columns.time", value: sql.clone(), reason, is_sure });
        return Ok(Some((sql, rules)));
    };
    rules.formats.clone_from(&dates.formats);
    let mut reason = reason;
    // A clock of its own beside days.
    if dates.formats.iter().all(|format| !format.contains("%H") && !format.contains("%I"))
        && let Some(clock_at) = roles.best(Role::Clock, |facts| f64::from(facts.column.data_type.is_none()))
    {
        let values: Vec<&str> = roles.facts[clock_at].column.filled().collect();
        if values.len() == facts.filled
            && let Some(clock) = dates::clock_of(&values)?
        {
            let clock_column = roles.take(clock_at);
            sql = format!("{sql} || ' ' || {}", clock_column.sql());
            for format in &mut rules.formats {
                *format = format!("{format} {clock}");
            }
            reason += &format!("; the time of day stands in {}", clock_column.full_name());
        }
    }
    guesses.push(Guess { entry: "columns.time", value: sql.clone(), reason, is_sure });
    let (first, last) = (crate::time::moment(dates.first), crate::time::moment(dates.last));
    let span = format!("the values looked at lie between {} and {}", &first[..10], &last[..10]);
    let value = format!("{:?}", rules.formats);
    guesses.push(match &dates.rival {
        None if dates.formats.len() == 1 => Guess::sure("time.formats", &value, span),
        None => Guess::unsure("time.formats", &value, format!("the values have several forms; {span}")),
        Some(rival) => {
            let both = format!(
                "{:?} is {} by it and {} by {:?}; {span}",
                rival.value, rival.chosen_day, rival.rival_day, rival.format
            );
            Guess::unsure("time.formats", &value, both)
        }
    });
    if dates.has_offset {
        let reason =
            "times carry their offset; the ledger's local time is UTC unless this names its zone".to_owned();
        guesses.push(Guess::unsure("time.zone", "\"UTC\"", reason));
    }
    Ok(Some((sql, rules)))
}

/// The customer as SQL: a column of ids that come again and again, or one customer for all rows.
fn customer_of(roles: &mut Roles<'_, '_>, is_nameless: bool, guesses: &mut Vec<Guess>) -> String {
    let content = |facts: &Facts<'_>| {
        let is_whole = facts.numbers.decimal.is_empty() && facts.numbers.negative == 0;
        let comes_again = facts.distinct < facts.filled || facts.filled < 3;
        // Ids that are bytes have no text here.
        let is_there = facts.filled > 0 || facts.column.data_type.is_some();
        let several = if facts.distinct == 1 { 1.0 } else { 2.0 };
        f64::from(!facts.is_time() && is_whole && comes_again && is_there) * several
    };
    if let Some(at) = roles.best(Role::Customer, content) {
        let facts = roles.take(at);
        let reason = match facts.filled {
            0 => "its name; its values are bytes".to_owned(),
            filled => format!("its name; {} different values in {filled} rows", facts.distinct),
        };
        guesses.push(Guess {
            entry: "columns.customer",
            value: facts.sql(),
            reason,
            is_sure: facts.distinct > 1,
        });
        return facts.sql();
    }
    // Without names, the ids stand first.
    let comes_again = |at: &usize| content(&roles.facts[*at]) > 1.0;
    let first = roles.free().find(comes_again);
    if is_nameless && let Some(at) = first {
        let facts = roles.take(at);
        let reason = format!("the first column whose values come again; {} different ones", facts.distinct);
        guesses.push(Guess::unsure("columns.customer", &facts.sql(), reason));
        return facts.sql();
    }
    let reason = "no column names customers or accounts: all rows are taken as one customer's".to_owned();
    guesses.push(Guess::unsure("columns.customer", "'one'", reason));
    "'one'".to_owned()
}

/// The class as SQL: a column of codes or categories, or the description.
fn class_of(roles: &mut Roles<'_, '_>, guesses: &mut Vec<Guess>) -> Option<String> {
    let content = |facts: &Facts<'_>| {
        let is_code = facts.column.filled().all(|value| value.trim().len() <= 6);
        let is_text =
            !facts.is_time() && (!facts.is_number() || (is_code && facts.numbers.decimal.is_empty()));
        let share = facts.distinct as f64 / facts.filled.max(1) as f64;
        let is_repeated = if share < 0.2 || facts.filled < 20 { 1.0 } else { 0.5 };
        f64::from(is_text && facts.filled > 0) * is_repeated
    };
    let by_name = roles.best(Role::Class, content);
    // Otherwise the text of the fewest different values, but more than one.
    let fallback = || {
        let texts =
            roles.free().filter(|at| content(&roles.facts[*at]) > 0.0 && roles.facts[*at].distinct > 1);
        texts.min_by_key(|at| roles.facts[*at].distinct)
    };
    let at = by_name.or_else(fallback)?;
    let facts = roles.take(at);
    let examples: Vec<&str> = facts.commonest().into_iter().take(3).map(|(code, _)| code).collect();
    let why = if by_name.is_some() { "its name" } else { "a text of few different values" };
    let reason = format!("{why}; {} different values, the commonest {}", facts.distinct, examples.join(", "));
    let is_sure = by_name.is_some() && (facts.distinct * 5 < facts.filled || facts.filled < 20);
    guesses.push(Guess { entry: "columns.class", value: facts.sql(), reason, is_sure });
    Some(facts.sql())
}

/// A column of ids that never come again. It is proposed only where its name says so: an order number is no transaction's.
fn unique_of(roles: &mut Roles<'_, '_>, guesses: &mut Vec<Guess>) -> Option<String> {
    let is_unique = |facts: &Facts<'_>| {
        facts.filled > 1 && facts.distinct == facts.filled && facts.filled == facts.column.values.len()
    };
    let at = roles.best(Role::Transaction, |facts| f64::from(is_unique(facts) && !facts.is_time()))?;
    let facts = roles.take(at);
    guesses.push(Guess::sure(
        "columns.transaction",
        &facts.sql(),
        format!("its name; all {} values differ", facts.filled),
    ));
    Some(facts.sql())
}

fn optional(
    roles: &mut Roles<'_, '_>,
    role: Role,
    entry: &'static str,
    guesses: &mut Vec<Guess>,
) -> Option<String> {
    let fits = |facts: &Facts<'_>| {
        !facts.is_time()
            && !facts.is_number()
            && facts.distinct > 1
            && 2 * facts.filled > facts.column.values.len()
    };
    let at = roles.best(role, |facts| f64::from(fits(facts)))?;
    let facts = roles.take(at);
    let reason = format!("its name; {} different values", facts.distinct);
    guesses.push(Guess::sure(entry, &facts.sql(), reason));
    Some(facts.sql())
}
