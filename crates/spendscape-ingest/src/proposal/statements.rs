//! Statements of accounts, known by how they begin, and the map for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{Guess, currency_signs, dialect, sample::Column};
use spendscape_statements::Form;

use crate::{
    ColumnMap, Error,
    map::{Format, SourceFormat},
    statement,
};

/// Columns that tell the class of an entry, the one that tells most first.
const CODES: [(&str, &str); 3] = [
    ("merchant_code", "the merchant's code"),
    ("code", "the kind of transaction"),
    ("bank_code", "the bank's own kind of transaction"),
];

/// The form of a file of statements with the reasons, if its start is that of one.
pub(super) fn form_of(path: &Path) -> Result<Option<(SourceFormat, Vec<Guess>)>, Error> {
    let Some(form) = statement::form_of(path)? else { return Ok(None) };
    let (format, name, reason) = match form {
        Form::Camt => (Format::Camt, "\"camt\"", "the namespace of its XML says so"),
        Form::Ofx => (Format::Ofx, "\"ofx\"", "its header says so"),
        Form::Mt940 => (Format::Mt940, "\"mt940\"", "its fields are those of SWIFT, such as :20:"),
    };
    let mut guesses = vec![Guess::sure("source.format", name, reason.to_owned())];
    // XML declares its encoding.
    let encoding = match form {
        Form::Camt => SourceFormat::default().encoding,
        Form::Ofx | Form::Mt940 => dialect::encoding_of(path, &mut guesses)?,
    };
    Ok(Some((SourceFormat { format, encoding, ..SourceFormat::default() }, guesses)))
}

/// The map of statements with these first entries.
pub(super) fn map_of(
    format: SourceFormat,
    sample: &[Column],
    guesses: &mut Vec<Guess>,
) -> Result<ColumnMap, Error> {
    let filled = |name: &str| {
        let column = sample.iter().find(|column| column.name == name);
        column.map_or_else(Vec::new, |column| column.filled().collect::<Vec<&str>>())
    };
    let mut currencies: BTreeMap<&str, usize> = BTreeMap::new();
    filled("currency").into_iter().for_each(|currency| *currencies.entry(currency).or_default() += 1);
    let Some((currency, rows)) = currencies.iter().max_by_key(|(_, rows)| **rows) else {
        return Err(Error::NothingLeft { rows: 0, pending: 0 });
    };
    let entries: usize = currencies.values().sum();
    let mut condition = None;
    if currencies.len() == 1 {
        guesses.push(Guess::sure("currency", &format!("{currency:?}"), "all entries have it".to_owned()));
    } else {
        let reason = format!("{rows} of {entries} entries have it; others cannot be added to them");
        let only = format!("currency = '{currency}'");
        guesses.push(Guess::unsure("currency", &format!("{currency:?}"), reason.clone()));
        guesses.push(Guess::unsure("rows.where", &only, reason));
        condition = Some(only);
    }
    let mut accounts = filled("account");
    accounts.sort_unstable();
    accounts.dedup();
    let reason = match accounts.len() {
        1 => "the only account of the statements".to_owned(),
        accounts => format!("the {accounts} accounts of the statements"),
    };
    guesses.push(Guess::sure("columns.customer", "account", reason));
    guesses.push(Guess::sure("columns.time", "booked", "the day or time of booking".to_owned()));
    guesses.push(Guess::sure("columns.amount", "amount", "negative for money that goes out".to_owned()));
    let (class, reason) = class_of(filled, entries);
    guesses.push(Guess::unsure("columns.class", &class, reason));
    let mut map = ColumnMap::from_toml("currency = 'XXX'\n[source]\nformat = 'camt'\n")?;
    map.minor_digits = currency_signs::minor_digits(currency);
    (map.currency, map.source, map.columns.class) = ((*currency).to_owned(), format, class);
    map.rows.condition = condition;
    Ok(map)
}

/// The class of entries, and what shows it, from the values of columns: a code that all entries have says nothing where
/// another one tells them apart.
fn class_of<'a>(filled: impl Fn(&str) -> Vec<&'a str>, entries: usize) -> (String, String) {
    let distinct = |values: &[&str]| values.iter().collect::<BTreeSet<_>>().len();
    let mut codes = CODES.map(|(column, what)| (column, what, filled(column))).to_vec();
    codes.retain(|(.., values)| !values.is_empty());
    // A code that is always the same tells the entries that have it from those that have another one.
    let several = codes.len() > 1;
    let tells = |values: &[&str]| distinct(values) > 1 || several && values.len() < entries;
    let (telling, dull): (Vec<_>, Vec<_>) = codes.into_iter().partition(|(.., values)| tells(values));
    let is_everywhere = telling.iter().any(|(.., values)| values.len() == entries);
    let others = [filled("counterparty"), filled("text")].concat();
    let used: Vec<_> = match telling.is_empty() {
        true if distinct(&others) > 1 => Vec::new(),
        _ => telling.iter().chain(dull.iter().filter(|_| !is_everywhere)).collect(),
    };
    let columns: Vec<&str> = used.iter().map(|(column, ..)| *column).collect();
    let class = match columns.as_slice() {
        [] => "coalesce(counterparty, text)".to_owned(),
        [column] => (*column).to_owned(),
        several => format!("coalesce({})", several.join(", ")),
    };
    let shares = used.iter().map(|(_, what, values)| {
        let share = 100 * values.len() / entries;
        format!("{share} % of the entries have {what}, {} different ones", distinct(values))
    });
    let unused = dull.iter().filter(|code| !columns.contains(&code.0));
    let unused = unused.map(|(column, _, values)| format!("{column} is always {:?}", values[0]));
    let mut reasons: Vec<String> = shares.chain(unused).collect();
    if columns.is_empty() {
        reasons.push(match dull.is_empty() {
            true => "no entry has a code: the other side stands for one".to_owned(),
            false => "the other side stands for a class".to_owned(),
        });
    }
    (class, reasons.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_is_the_code_that_tells_entries_apart() {
        let of = |columns: &[(&str, &[&'static str])]| {
            let filled = |name: &str| {
                let found = columns.iter().find(|(column, _)| *column == name);
                found.map_or_else(Vec::new, |(_, values)| values.to_vec())
            };
            class_of(filled, 4)
        };
        let transfers: (&str, &[&str]) = ("code", &["NTRF"; 4]);
        let (class, reason) = of(&[transfers, ("bank_code", &["116", "153", "107", "116"])]);
        assert_eq!(class, "bank_code");
        assert_eq!(
            reason,
            "100 % of the entries have the bank's own kind of transaction, 3 different ones; code is always \"NTRF\""
        );
        assert_eq!(of(&[transfers, ("bank_code", &["116", "153"])]).0, "coalesce(bank_code, code)");
        let both = [("code", &["NTRF", "NMSC", "NTRF", "NTRF"] as &[_]), ("bank_code", &["1", "2"])];
        assert_eq!(of(&both).0, "coalesce(code, bank_code)");
        assert_eq!(of(&[transfers, ("counterparty", &["A", "B"])]).0, "coalesce(counterparty, text)");
        assert_eq!(of(&[transfers]).0, "code");
        let some = [("merchant_code", &["5411"] as &[_]), ("code", &["POS", "CREDIT", "POS", "POS"])];
        assert_eq!(of(&some).0, "coalesce(merchant_code, code)");
        assert_eq!(of(&[("text", &["A", "B"])]).0, "coalesce(counterparty, text)");
    }
}
