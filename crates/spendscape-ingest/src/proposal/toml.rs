//! A proposed map as TOML.

use std::fmt::Write as _;

use super::Proposal;
use crate::{
    ColumnMap, Refusal,
    map::{SourceFormat, TimeRules},
};

/// Columns of a comment's start, where the entry leaves room.
const COMMENT_AT: usize = 44;

/// The map, as far as it differs from its defaults, with what shows each entry.
pub(super) fn of(proposal: &Proposal) -> String {
    let map = &proposal.map;
    let mut out = String::from("# Proposed from the files.");
    if proposal.guesses.iter().any(|guess| !guess.is_sure) {
        out += " Entries marked CHECK are guesses that something else may be right for.";
    }
    out.push('\n');
    let line = |out: &mut String, section: &str, key: &str, value: String| {
        let entry = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
        let text = format!("{} = {value}", bare_or_quoted(key));
        let reasons: Vec<String> = proposal
            .guesses
            .iter()
            .filter(|guess| guess.entry == entry)
            .map(|guess| format!("{}{}", if guess.is_sure { "" } else { "CHECK: " }, one_line(&guess.reason)))
            .collect();
        // Writing to a string cannot fail.
        let _ = match reasons.is_empty() {
            true => writeln!(out, "{text}"),
            false => writeln!(out, "{text:COMMENT_AT$} # {}", reasons.join("; ")),
        };
    };
    line(&mut out, "", "currency", text(&map.currency));
    if map.minor_digits != spendscape_schema::money::DEFAULT_MINOR_DIGITS {
        line(&mut out, "", "minor_digits", map.minor_digits.to_string());
    }
    let source = entries_of(&map.source, &SourceFormat::default());
    let mut time = entries_of(&map.time, &TimeRules::default());
    // An entry that is to be looked at has its line, also where it is the default.
    let zone = proposal.guesses.iter().find(|guess| guess.entry == "time.zone");
    if let Some(guess) = zone.filter(|_| time.iter().all(|(key, _)| key != "zone")) {
        time.push(("zone".to_owned(), guess.value.clone()));
    }
    let types: Vec<(String, String)> =
        map.types.iter().map(|(name, column)| (name.clone(), text(&String::from(*column)))).collect();
    let sections = [
        ("source", source),
        ("types", types),
        ("columns", columns_of(map)),
        ("amount", sides_of(map)),
        ("time", time),
        ("rows", rows_of(map)),
    ];
    for (section, entries) in sections {
        if entries.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n[{section}]");
        for (key, value) in entries {
            line(&mut out, section, &key, value);
        }
    }
    out
}

/// The entries of a section that differ from the defaults.
fn entries_of<T: serde::Serialize>(section: &T, default: &T) -> Vec<(String, String)> {
    let table = |value: &T| match ::toml::Value::try_from(value) {
        Ok(::toml::Value::Table(table)) => table,
        _ => ::toml::Table::new(),
    };
    let usual = table(default);
    let differs = |(key, value): &(String, ::toml::Value)| usual.get(key) != Some(value);
    table(section).into_iter().filter(differs).map(|(key, value)| (key, value.to_string())).collect()
}

fn columns_of(map: &ColumnMap) -> Vec<(String, String)> {
    let columns = &map.columns;
    let given = [
        ("customer", Some(&columns.customer)),
        ("time", Some(&columns.time)),
        ("amount", columns.amount.as_ref()),
        ("class", Some(&columns.class)),
        ("transaction", columns.transaction.as_ref()),
        ("channel", columns.channel.as_ref()),
        ("place", columns.place.as_ref()),
        ("balance", columns.balance.as_ref()),
    ];
    given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), text(value?)))).collect()
}

fn sides_of(map: &ColumnMap) -> Vec<(String, String)> {
    let table = map.amount.as_ref().map(::toml::Table::try_from);
    let entries = table.and_then(Result::ok).into_iter().flatten();
    entries.map(|(key, value)| (key, value.to_string())).collect()
}

fn rows_of(map: &ColumnMap) -> Vec<(String, String)> {
    let condition = map.rows.condition.iter().map(|condition| ("where".to_owned(), text(condition)));
    let repeated = map.rows.repeated == Refusal::Drop;
    condition.chain(repeated.then(|| ("repeated".to_owned(), text("drop")))).collect()
}

fn text(value: &str) -> String {
    ::toml::Value::from(value).to_string()
}

fn bare_or_quoted(key: &str) -> String {
    let is_bare = !key.is_empty()
        && key.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'));
    if is_bare { key.to_owned() } else { text(key) }
}

/// Text from a file cannot begin a line of the map's own.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
