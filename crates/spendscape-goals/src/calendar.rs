//! Kinds of days: weekday, day of the month, payday, holiday, promotion.

use std::collections::BTreeSet;

use spendscape_stats::check;

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Largest size of a value of a series, whose square is a number too.
const LARGEST_VALUE: f64 = 1e30;

/// Days since 1970-01-01 of a civil date.
pub(crate) fn day_number(day: Date) -> i32 {
    (day - date(1970, 1, 1)).get_days()
}

/// The civil date of a number of days since 1970-01-01; days that no calendar has become its first or last one.
pub(crate) fn civil(day: i32) -> Date {
    date(1970, 1, 1).saturating_add(jiff::Span::new().days(i64::from(day).clamp(-4_371_587, 2_932_896)))
}

/// Holidays, payday and promotions.
///
/// As a file (TOML), every part of which may be missing:
/// ```
/// # let text = r#"
/// payday = 25                            # day of the month; the Friday before it on a weekend
/// holidays = ["2019-12-25", "2019-12-26"]
///
/// [[promotions]]
/// name = "spring sale"
/// first = "2019-03-01"
/// last = "2019-03-14"
///
/// [[series]]                             # an economic series: each value counts from the day of its publication on
/// name = "inflation"
/// values = [["2019-01-10", 2.0], ["2019-02-11", 2.5]]
/// # "#;
/// # let calendar = spendscape_goals::Calendar::from_toml(text)?;
/// # assert_eq!(calendar.promotions().len(), 1);
/// # let on = |day| calendar.series()[0].on(day);
/// # assert_eq!([17_905, 17_906, 17_937, 17_938].map(on), [None, Some(2.0), Some(2.0), Some(2.5)]);
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Calendar {
    /// Sorted.
    holidays: Vec<i32>,
    payday: Option<i8>,
    promotions: Vec<Promotion>,
    series: Vec<Series>,
}

/// An economic series, such as inflation or an interest rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Days of publication, since 1970-01-01, and values, by day.
    values: Vec<(i32, f64)>,
}

impl Series {
    /// The value that was published last on a day or before it.
    #[must_use]
    pub fn on(&self, day: i32) -> Option<f64> {
        let published = self.values.partition_point(|(of, _)| *of <= day);
        published.checked_sub(1).map(|last| self.values[last].1)
    }
}

/// Days on which something is promoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// Its name.
    pub name: String,
    /// First day, since 1970-01-01.
    pub first: i32,
    /// Last day.
    pub last: i32,
}

/// The kind of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayKind {
    /// From 0 (Monday) to 6.
    pub weekday: usize,
    /// From 0 to 30.
    pub day_of_month: usize,
    /// From 0 (January) to 11.
    pub month: usize,
    /// Whether it is a holiday.
    pub holiday: bool,
    /// Days since the last payday, where paydays are known.
    pub since_payday: Option<usize>,
    /// Place of the first promotion that runs, in the order of the file.
    pub promotion: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    payday: Option<i8>,
    #[serde(default)]
    holidays: Vec<String>,
    #[serde(default)]
    promotions: Vec<PromotionEntry>,
    #[serde(default)]
    series: Vec<SeriesEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeriesEntry {
    name: String,
    values: Vec<(String, f64)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PromotionEntry {
    name: String,
    first: String,
    last: String,
}

fn parse(what: &'static str, text: &str) -> Result<i32, Error> {
    text.parse::<Date>().map(day_number).map_err(|_| Error::Day { what, value: text.to_owned() })
}

impl Series {
    fn read(entry: SeriesEntry) -> Result<Self, Error> {
        let mut values = Vec::with_capacity(entry.values.len());
        for (day, value) in &entry.values {
            let (number, value) = (parse("day of a series", day)?, *value);
            if !value.is_finite() || value.abs() > LARGEST_VALUE {
                return Err(Error::SeriesValue { name: entry.name, day: civil(number).to_string(), value });
            }
            values.push((number, value));
        }
        if values.is_empty() {
            return Err(Error::NoValues { name: entry.name });
        }
        values.sort_by_key(|(day, _)| *day);
        if let Some(twice) = values.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let (name, day) = (entry.name, civil(twice[0].0).to_string());
            return Err(Error::TwoValues { name, day });
        }
        Ok(Self { name: entry.name, values })
    }
}

impl Calendar {
    /// Reads a calendar from TOML.
    ///
    /// # Errors
    /// [`Error::Toml`] where the text does not parse, [`Error::Day`] for a day that is none, `BadInput::InvalidParameter`
    /// for a payday outside 1 to 28 or a promotion that ends before it begins, [`Error::SeriesValue`] for a value that is not
    /// finite or beyond 1e30, [`Error::NoValues`] for a series without any, [`Error::TwoValues`] for two of them on one day,
    /// [`Error::TwoSeries`] for two series of one name.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let file: File = toml::from_str(text)?;
        if let Some(day) = file.payday {
            check::parameter("payday", f64::from(day), (1..=28).contains(&day), "1 to 28")?;
        }
        let mut holidays =
            file.holidays.iter().map(|day| parse("holiday", day)).collect::<Result<Vec<_>, _>>()?;
        holidays.sort_unstable();
        let promotions = file
            .promotions
            .into_iter()
            .map(|entry| {
                let (first, last) = (parse("first", &entry.first)?, parse("last", &entry.last)?);
                let (name, range) = ("the length of a promotion", "0 days and more from first to last");
                check::parameter(name, f64::from(last - first), first <= last, range)?;
                Ok(Promotion { name: entry.name, first, last })
            })
            .collect::<Result<_, Error>>()?;
        let series = file.series.into_iter().map(Series::read).collect::<Result<Vec<_>, Error>>()?;
        let mut names = BTreeSet::new();
        if let Some(twice) = series.iter().find(|series| !names.insert(&series.name)) {
            return Err(Error::TwoSeries { name: twice.name.clone() });
        }
        Ok(Self { holidays, payday: file.payday, promotions, series })
    }

    /// A calendar that knows paydays only: a day of the month from 1 to 28.
    ///
    /// # Errors
    /// `BadInput::InvalidParameter` for another day.
    pub fn with_payday(day: i8) -> Result<Self, Error> {
        Self::from_toml(&format!("payday = {day}"))
    }

    /// The promotions, in the order of the file.
    #[must_use]
    pub fn promotions(&self) -> &[Promotion] {
        &self.promotions
    }

    /// The economic series, in the order of the file.
    #[must_use]
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// Whether paydays are known.
    #[must_use]
    pub fn knows_paydays(&self) -> bool {
        self.payday.is_some()
    }

    /// Whether holidays are known.
    #[must_use]
    pub fn knows_holidays(&self) -> bool {
        !self.holidays.is_empty()
    }

    /// Whether a number of days since 1970-01-01 is a holiday.
    #[must_use]
    pub fn is_holiday(&self, day: i32) -> bool {
        self.holidays.binary_search(&day).is_ok()
    }

    /// The kind of the day so many days since 1970-01-01.
    #[must_use]
    pub fn kind(&self, day: i32) -> DayKind {
        let civil = civil(day);
        DayKind {
            weekday: civil.weekday().to_monday_zero_offset() as usize,
            day_of_month: civil.day() as usize - 1,
            month: civil.month() as usize - 1,
            holiday: self.is_holiday(day),
            since_payday: self.payday.map(|payday| since_payday(civil, payday)),
            promotion: self.promotions.iter().position(|p| (p.first..=p.last).contains(&day)),
        }
    }
}

/// The payday of a month: that day, or the Friday before it where it falls on a weekend.
fn payday_of(month: Date, payday: i8) -> i32 {
    let day = date(month.year(), month.month(), payday);
    day_number(day) - i32::from(day.weekday().to_monday_zero_offset() - 4).max(0)
}

fn since_payday(day: Date, payday: i8) -> usize {
    let (now, this) = (day_number(day), payday_of(day, payday));
    let last = if now >= this {
        // The first of next month may be a payday of this one.
        this
    } else {
        payday_of(day.first_of_month().saturating_sub(jiff::Span::new().days(1)), payday)
    };
    (now - last).max(0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paydays_avoid_weekends() {
        let calendar = Calendar::with_payday(25).unwrap();
        let since = |day| calendar.kind(day_number(day)).since_payday;
        // 25 January 2019 is a Friday, 25 May a Saturday, 25 August a Sunday.
        assert_eq!(since(date(2019, 1, 25)), Some(0));
        assert_eq!(since(date(2019, 1, 24)), Some(30));
        assert_eq!(since(date(2019, 5, 24)), Some(0));
        assert_eq!(since(date(2019, 8, 23)), Some(0));
        assert_eq!(since(date(2019, 9, 1)), Some(9));
        assert_eq!(since(date(2019, 8, 22)), Some(28));
    }

    #[test]
    fn days_have_kinds() {
        let text = "holidays = [\"2019-12-25\"]\n[[promotions]]\nname = \"sale\"\nfirst = \"2019-12-24\"\nlast = \"2019-12-25\"";
        let calendar = Calendar::from_toml(text).unwrap();
        let kind = calendar.kind(day_number(date(2019, 12, 25)));
        let expected = DayKind {
            weekday: 2,
            day_of_month: 24,
            month: 11,
            holiday: true,
            since_payday: None,
            promotion: Some(0),
        };
        assert_eq!(kind, expected);
        assert_eq!(calendar.kind(day_number(date(2019, 12, 26))).promotion, None);
        // Extreme days saturate.
        let _ = (calendar.kind(i32::MAX), calendar.kind(i32::MIN));
    }

    #[test]
    fn bad_calendars_are_refused() {
        let refused = |text: &str| Calendar::from_toml(text).unwrap_err().to_string();
        assert!(refused("holidays = [\"Christmas\"]").contains("Christmas"));
        assert!(refused("payday = 30").contains("1 to 28"));
        assert!(
            refused("[[promotions]]\nname = \"x\"\nfirst = \"2019-02-02\"\nlast = \"2019-02-01\"")
                .contains("promotion")
        );
        let series = |values: &str| refused(&format!("[[series]]\nname = \"prices\"\nvalues = {values}"));
        assert!(series("[[\"2019-02-30\", 1.0]]").contains("2019-02-30"));
        assert!(series("[[\"2019-02-03\", 1.0], [\"2019-02-03\", 2.0]]").contains("2019-02-03"));
        for value in ["nan", "-inf", "2e30"] {
            let message = series(&format!("[[\"2019-02-03\", {value}]]"));
            assert!(
                ["\"prices\"", "2019-02-03", "finite"].iter().all(|part| message.contains(part)),
                "{message}"
            );
        }
        assert!(series("[]").contains("\"prices\" has no values"));
        let rate = "[[series]]\nname = \"rate\"\nvalues = [[\"2019-02-03\", 1.0]]\n";
        assert!(refused(&rate.repeat(2)).contains("two series are named \"rate\""));
        assert!(refused("payoff = 3").contains("payoff"));
    }
}
