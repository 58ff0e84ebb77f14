//! The formats of a column of times.

use std::sync::OnceLock;

use arrow::array::StringArray;

use super::bare_map;
use crate::{
    ColumnMap, Error,
    chunk::Texts,
    time::{TimeReader, Times, moment},
};

/// Days, the usual forms first.
const DAYS: [&str; 23] = [
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%m-%y",
    "%y%m%d",
    "%d%m%Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d%b%Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %B %Y",
    "%d. %m. %Y",
];

/// What may follow a day.
const CLOCKS: [&str; 15] = [
    "",
    " %H:%M:%S",
    "T%H:%M:%S",
    " %H:%M",
    "T%H:%M",
    " %H:%M:%S%.f",
    "T%H:%M:%S%.f",
    "T%H:%M:%S%:z",
    "T%H:%M:%S%.f%:z",
    " %H:%M:%S%:z",
    " %H:%M:%S%.f%:z",
    " %I:%M:%S %p",
    " %I:%M %p",
    " %H.%M.%S",
    ":%H:%M:%S",
];

/// Clock times that stand in a column of their own.
const CLOCKS_ALONE: [&str; 4] = ["%H:%M:%S", "%H:%M", "%H%M%S", "%H.%M.%S"];

/// Formats tried one after another at most: real exports mix two or three.
const MOST_FORMATS: usize = 3;

/// What the values of a column of times show.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dates {
    /// Formats that read (almost) all values, tried in this order.
    pub(super) formats: Vec<String>,
    /// Another format that reads all values too, as other days, and what each makes of one value.
    pub(super) rival: Option<Rival>,
    /// Values that none reads.
    pub(super) unread: usize,
    pub(super) first: i64,
    pub(super) last: i64,
    /// Whether the values carry an offset.
    pub(super) has_offset: bool,
}

/// A second reading.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rival {
    pub(super) format: String,
    pub(super) value: String,
    pub(super) chosen_day: String,
    pub(super) rival_day: String,
}

/// The formats of values, if (almost) all are times.
pub(super) fn of(values: &[&str]) -> Result<Option<Dates>, Error> {
    let values: Vec<&str> =
        values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()).collect();
    if !values.first().is_some_and(|first| can_be_time(first)) {
        return Ok(None);
    }
    let known = readers()?;
    let times = texts(&values);
    let mut unread: Vec<usize> = (0..values.len()).collect();
    let mut found: Option<Dates> = None;
    while let Some(example) = unread.first().copied() {
        let mut readings: Vec<Reading> = Vec::new();
        for (format, reader) in known {
            if read(reader, &times, &[example])[0].is_some() {
                readings.push(Reading { format, days: read(reader, &times, &unread) });
            }
        }
        let most = readings.iter().map(Reading::read).max().unwrap_or(0);
        readings.retain(|reading| reading.read() == most);
        let Some(best) = best_of(&readings) else { break };
        let chosen = &readings[best];
        let days = || chosen.days.iter().flatten().copied();
        let (first, last) = (days().min().unwrap_or(0), days().max().unwrap_or(0));
        let rival = readings.iter().enumerate().find_map(|(at, other)| {
            let differs = |row: &usize| chosen.days[*row] != other.days[*row];
            let row = (0..unread.len()).find(|row| at != best && differs(row))?;
            let day = |days: &[Option<i64>]| {
                days[row].map_or("no day".to_owned(), |day| moment(day)[..10].to_owned())
            };
            Some(Rival {
                format: other.format.to_owned(),
                value: values[unread[row]].to_owned(),
                chosen_day: day(&chosen.days),
                rival_day: day(&other.days),
            })
        });
        let has_offset = chosen.format.contains("%:z");
        let format = chosen.format.to_owned();
        unread =
            unread.iter().zip(&chosen.days).filter(|(_, day)| day.is_none()).map(|(row, _)| *row).collect();
        let dates = found.get_or_insert_with(|| Dates {
            formats: Vec::new(),
            rival: rival.clone(),
            unread: 0,
            first,
            last,
            has_offset,
        });
        dates.formats.push(format);
        dates.rival = dates.rival.take().or(rival);
        (dates.first, dates.last) = (dates.first.min(first), dates.last.max(last));
        dates.has_offset |= has_offset;
        dates.unread = unread.len();
        if dates.formats.len() == MOST_FORMATS {
            break;
        }
    }
    Ok(found.filter(|dates| dates.unread * 50 <= values.len()))
}

/// Whether a text can be a day: a number of a few digits is none, whatever a format makes of it, nor is a long text.
fn can_be_time(text: &str) -> bool {
    (6..=40).contains(&text.len()) && text.bytes().filter(u8::is_ascii_digit).count() >= 4
}

/// The format of clock times that stand in a column of their own, if all values are some.
pub(super) fn clock_of(values: &[&str]) -> Result<Option<&'static str>, Error> {
    let days: Vec<String> = values
        .iter()
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
        .map(|value| format!("2019-05-02 {value}"))
        .collect();
    if days.is_empty() {
        return Ok(None);
    }
    let times = texts(&days);
    let rows: Vec<usize> = (0..days.len()).collect();
    for clock in CLOCKS_ALONE {
        let map = map_of(bare_map()?, format!("%Y-%m-%d {clock}"));
        let read = read(&TimeReader::new(&map)?, &times, &rows);
        if read.iter().all(Option::is_some) {
            return Ok(Some(clock));
        }
    }
    Ok(None)
}

/// What a format makes of the values.
struct Reading {
    format: &'static str,
    days: Vec<Option<i64>>,
}

impl Reading {
    fn read(&self) -> usize {
        self.days.iter().flatten().count()
    }

    /// Steps back in time from one row to the next: exports are sorted one way or the other.
    fn disorder(&self) -> usize {
        let days: Vec<i64> = self.days.iter().flatten().copied().collect();
        let back = days.windows(2).filter(|pair| pair[1] < pair[0]).count();
        let forth = days.windows(2).filter(|pair| pair[1] > pair[0]).count();
        back.min(forth)
    }
}

/// The reading of the least disorder, where one is clearly better; otherwise the first, which is day before month.
fn best_of(readings: &[Reading]) -> Option<usize> {
    let least = readings.iter().enumerate().min_by_key(|(_, reading)| reading.disorder())?;
    let is_clear = 2 * least.1.disorder() < readings[0].disorder();
    Some(if is_clear { least.0 } else { 0 })
}

fn formats() -> impl Iterator<Item = String> {
    DAYS.iter().flat_map(|day| CLOCKS.iter().map(move |clock| format!("{day}{clock}")))
}

fn texts<S: AsRef<str>>(values: &[S]) -> Times<'static> {
    Times::Text(Texts::Array(values.iter().map(|value| Some(value.as_ref())).collect::<StringArray>()))
}

/// A map that reads times by one format.
fn map_of(bare: ColumnMap, format: String) -> ColumnMap {
    let mut map = bare;
    map.time.formats = vec![format];
    map
}

/// The formats and their readers. They are made once: every field above the rows is tried by all of them.
fn readers() -> Result<&'static [(&'static str, TimeReader<'static>)], Error> {
    static MAPS: OnceLock<Vec<ColumnMap>> = OnceLock::new();
    static READERS: OnceLock<Vec<(&'static str, TimeReader<'static>)>> = OnceLock::new();
    if let Some(readers) = READERS.get() {
        return Ok(readers);
    }
    let bare = bare_map()?;
    let maps = MAPS.get_or_init(|| formats().map(|format| map_of(bare.clone(), format)).collect());
    let reader = |map: &'static ColumnMap| Ok((map.time.formats[0].as_str(), TimeReader::new(map)?));
    let readers = maps.iter().map(reader).collect::<Result<Vec<_>, Error>>()?;
    Ok(READERS.get_or_init(|| readers))
}

/// What a reader makes of some rows, as the ingest will read them.
fn read(reader: &TimeReader<'_>, times: &Times<'_>, rows: &[usize]) -> Vec<Option<i64>> {
    rows.iter().map(|row| reader.read(times, (*row, *row)).ok().map(|(millis, _)| millis)).collect()
}
