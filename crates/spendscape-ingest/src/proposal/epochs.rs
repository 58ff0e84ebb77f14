//! Times that are numbers: seconds or milliseconds since 1970, days of a spreadsheet; and what to say where no column is a time.

use super::{
    Guess,
    facts::{Facts, Roles},
    names::{self, Role},
};

/// Days of a spreadsheet from 1990 to 2099, and its day of 1970-01-01.
const SERIAL_DAYS: std::ops::Range<f64> = 32_874.0..73_051.0;
const SERIAL_OF_1970: u32 = 25_569;

/// What the numbers of a column count.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Epoch {
    Seconds,
    Millis,
    /// Days since the end of 1899, and whether their fractions are times of day.
    Days {
        fractions: bool,
    },
}

fn epoch_of(facts: &Facts<'_>) -> Option<Epoch> {
    let values = || facts.column.filled().map(str::trim);
    let first = values().next()?;
    let is_whole = |value: &str| value.bytes().all(|byte| byte.is_ascii_digit());
    let is_serial = |value: &str| {
        value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && value.parse().is_ok_and(|days: f64| SERIAL_DAYS.contains(&days))
    };
    if values().all(|value| value.len() == first.len() && is_whole(value)) {
        match first.len() {
            10 => return Some(Epoch::Seconds),
            13 => return Some(Epoch::Millis),
            _ => {}
        }
    }
    values().all(is_serial).then(|| Epoch::Days { fractions: values().any(|value| !is_whole(value)) })
}

/// The time as SQL of a column whose name is that of times and whose numbers have their size.
pub(super) fn of(roles: &mut Roles<'_, '_>, guesses: &mut Vec<Guess>) -> Option<String> {
    let is_text = |facts: &Facts<'_>| facts.column.data_type.is_none();
    let content = |facts: &Facts<'_>| f64::from(is_text(facts) && epoch_of(facts).is_some());
    let at = roles.best(Role::Time, content)?;
    let facts = roles.take(at);
    let column = facts.sql();
    let since_1970 = "whole numbers of the size of times since 1970 (UTC)";
    let days = "numbers of the size of a spreadsheet's days, of which 1970-01-01 is the 25,569th";
    let (sql, reason) = match epoch_of(facts)? {
        Epoch::Seconds => (format!("to_timestamp_seconds(CAST({column} AS BIGINT))"), since_1970),
        Epoch::Millis => (format!("to_timestamp_millis(CAST({column} AS BIGINT))"), since_1970),
        Epoch::Days { fractions: false } => {
            (format!("to_timestamp_seconds((CAST({column} AS BIGINT) - {SERIAL_OF_1970}) * 86400)"), days)
        }
        Epoch::Days { fractions: true } => (
            format!(
                "to_timestamp_millis(CAST((CAST({column} AS DOUBLE) - {SERIAL_OF_1970}) * 86400000 + 0.5 AS BIGINT))"
            ),
            days,
        ),
    };
    guesses.push(Guess::unsure("columns.time", &sql, reason.to_owned()));
    Some(sql)
}

/// Which column may be the time although its values have none of the forms that are tried, and what to write then.
pub(super) fn advice(facts: &[Facts<'_>]) -> String {
    let has_digit = |value: &&str| value.bytes().any(|byte| byte.is_ascii_digit());
    let likeness = |facts: &Facts<'_>| {
        let digits = facts.column.filled().take(100).filter(has_digit).count();
        (names::fit(facts.full_name(), Role::Time), digits)
    };
    let likeliest = facts.iter().max_by(|a, b| {
        let (a, b) = (likeness(a), likeness(b));
        a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
    });
    let Some(facts) = likeliest.filter(|facts| likeness(facts).0 > 0.0) else { return String::new() };
    let value = facts.column.filled().find(has_digit).or_else(|| facts.column.filled().next());
    let Some(value) = value else { return String::new() };
    format!(
        "; {} may be it, but {value:?} has none of the forms that are tried: say how it is read under `[time]`, as in \
         formats = [\"%d.%m.%Y %H:%M\"], or make a time of it in `columns.time`, as in to_timestamp_seconds({})",
        facts.full_name(),
        facts.sql()
    )
}
