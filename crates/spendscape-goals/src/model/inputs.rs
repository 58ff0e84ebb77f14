//! What the networks see of a group and of the day that is asked about.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// One kind of input, which can be switched on and off.
///
/// The goal and the gap of every group are always seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// Weekday of the group and of the day asked about.
    Weekday,
    /// Their day of the month, from both ends.
    MonthDay,
    /// Days since payday, where the calendar knows paydays.
    Payday,
    /// Holidays, up to 14 days ahead.
    Holiday,
    /// The month, where its season is known.
    Season,
    /// The promotion that runs.
    Promotion,
    /// Money spent in a group.
    Money,
    /// Channel of its largest transaction.
    Channel,
    /// Place of its largest transaction, where groups have both.
    Place,
    /// Hour of the day of its largest transaction.
    Hour,
    /// What is known of customers.
    Covariates,
    /// Classes inside a group: the root of each class's share of the money.
    Classes,
    /// The calendar's economic series, as they were last published.
    Series,
    /// The customer's own shares of goals so far: the root of each smoothed share less that of everybody's.
    Shares,
    /// Days since the customer last had each goal: up to the day asked about, or up to the last group where the day is
    /// what is asked.
    Recency,
}

impl Input {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Weekday,
        Self::MonthDay,
        Self::Payday,
        Self::Holiday,
        Self::Season,
        Self::Promotion,
        Self::Money,
        Self::Channel,
        Self::Place,
        Self::Hour,
        Self::Covariates,
        Self::Classes,
        Self::Series,
        Self::Shares,
        Self::Recency,
    ];

    /// Its name in options and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weekday => "weekday",
            Self::MonthDay => "month-day",
            Self::Payday => "payday",
            Self::Holiday => "holiday",
            Self::Season => "season",
            Self::Promotion => "promotion",
            Self::Money => "money",
            Self::Channel => "channel",
            Self::Place => "place",
            Self::Hour => "hour",
            Self::Covariates => "covariates",
            Self::Classes => "classes",
            Self::Series => "series",
            Self::Shares => "shares",
            Self::Recency => "recency",
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Input {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|input| input.name() == name);
        found.ok_or_else(|| format!("there is no input {name:?}; there are {}", names()))
    }
}

/// Which inputs are on.
///
/// ```
/// use spendscape_goals::model::{Input, InputSet};
///
/// let inputs = InputSet::default().with(Input::Hour).without(Input::Season);
/// assert!(inputs.has(Input::Hour) && inputs.has(Input::Weekday) && !inputs.has(Input::Season));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Input>", into = "Vec<Input>")]
pub struct InputSet(u32);

impl InputSet {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// This one too.
    #[must_use]
    pub const fn with(self, input: Input) -> Self {
        Self(self.0 | 1 << input as u32)
    }

    /// All but this one.
    #[must_use]
    pub const fn without(self, input: Input) -> Self {
        Self(self.0 & !(1 << input as u32))
    }

    /// Whether it is on.
    #[must_use]
    pub const fn has(self, input: Input) -> bool {
        self.0 >> input as u32 & 1 == 1
    }
}

impl Default for InputSet {
    /// Calendar, money, channel and covariates. Of the others an ablation on Online Retail shows classes and shares to gain
    /// something, at the cost of a number per class and goal and step (METHODS section 16): they are asked for by name.
    fn default() -> Self {
        let off = [Input::Place, Input::Hour, Input::Classes, Input::Series, Input::Shares, Input::Recency];
        let all = Input::ALL.into_iter().fold(Self::NONE, Self::with);
        off.into_iter().fold(all, Self::without)
    }
}

impl From<Vec<Input>> for InputSet {
    fn from(inputs: Vec<Input>) -> Self {
        inputs.into_iter().fold(Self::NONE, Self::with)
    }
}

impl From<InputSet> for Vec<Input> {
    fn from(set: InputSet) -> Self {
        Input::ALL.into_iter().filter(|input| set.has(*input)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_inputs() {
        for input in Input::ALL {
            assert_eq!(input.name().parse(), Ok(input));
            assert!(
                InputSet::NONE.with(input).has(input)
                    && !InputSet::NONE.with(input).without(input).has(input)
            );
        }
        assert!("moon".parse::<Input>().unwrap_err().contains("weekday"));
        let set = InputSet::NONE.with(Input::Shares).with(Input::Payday);
        assert_eq!(Vec::from(set), [Input::Payday, Input::Shares]);
        assert_eq!(InputSet::from(Vec::from(set)), set);
    }
}
