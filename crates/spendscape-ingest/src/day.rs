//! TOML days, written bare (`2011-12-31`) or quoted.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

#[derive(Deserialize)]
#[serde(untagged)]
enum Day {
    Toml(toml::value::Datetime),
    Text(String),
}

pub(crate) fn serialize<S: Serializer>(day: &Option<Date>, to: S) -> Result<S::Ok, S::Error> {
    day.map(|day| day.to_string()).serialize(to)
}

pub(crate) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Option<Date>, D::Error> {
    let text = match Option::<Day>::deserialize(from)? {
        None => return Ok(None),
        Some(Day::Toml(day)) => day.to_string(),
        Some(Day::Text(text)) => text,
    };
    text.parse().map(Some).map_err(|_| D::Error::custom(format!("{text:?} is no day: write 2011-12-31")))
}
