//! The scope of a run: which days, rows and customers of which ledger, in which money, and where its traits come from.
//!
//! Panels carry a [`Scope`] in their provenance, and targets take it over, so that whatever is printed of a run can say
//! who is in it and who was left out.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

use crate::money::Currency;

/// Parameter of the provenance of panels and targets that holds the [`Scope`].
pub const SCOPE: &str = "scope";
/// Parameter of the provenance of coefficients that holds the [`CoefficientOrigin`].
pub const COEFFICIENT_ORIGIN: &str = "coefficient_origin";
/// Parameter of the provenance of authored coefficients that tells the study of each sign that was published.
pub const COEFFICIENT_SIGNS: &str = "coefficient_signs";

/// The scope of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// Names of the raw files, without folders; none where the ledger was made by the program.
    pub files: Vec<String>,
    /// First and last day of the ledger.
    pub ledger_days: (Date, Date),
    /// Rows of the ledger.
    pub ledger_rows: u64,
    /// Customers of the ledger.
    pub ledger_customers: usize,
    /// Money of the ledger, where its map names it.
    pub currency: Option<Currency>,
    /// The long window, and the short one where there is one.
    pub windows: Vec<Coverage>,
    /// Where the coefficients come from that traits were computed with; absent before there are traits.
    pub coefficients: Option<CoefficientOrigin>,
}

/// The part of the ledger that one window covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// The window as written.
    pub window: String,
    /// First and last day. Where customers have windows of their own, those of the latest one.
    pub days: (Date, Date),
    /// Whether customers have windows of their own.
    pub anchored: bool,
    /// Number of periods.
    pub periods: usize,
    /// Rows of the ledger on other days.
    pub rows_outside: u64,
    /// Customers in the panel.
    pub customers: usize,
    /// Customers of the ledger who are not, by reason; reasons without a customer are left out.
    pub left_out: BTreeMap<LeftOut, u64>,
}

/// Why a customer of the ledger is not in a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOut {
    /// Too few of the periods have spending for the rule about empty ones.
    FewPeriods,
    /// No period has spending.
    NoSpending,
    /// No period has spending, but in some class money came in: refunds, or amounts of the wrong sign.
    MoneyIn,
    /// The customer has no day that the window would end with.
    NoAnchor,
}

/// Where coefficients come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CoefficientOrigin {
    /// A table that the user gave.
    Given,
    /// The table that was authored for the synthetic bank.
    Authored,
    /// Random numbers: the traits mean nothing.
    Drawn,
}

impl Scope {
    /// The long window.
    #[must_use]
    pub fn long(&self) -> Option<&Coverage> {
        self.windows.first()
    }

    /// Files and days of the ledger in words, without a final stop.
    #[must_use]
    pub fn ledger_in_words(&self) -> String {
        let (first, last) = self.ledger_days;
        let files = match self.files.as_slice() {
            [] => String::new(),
            [one] => format!(" of {one}"),
            [one, .., last] => format!(" of {} files, {one} to {last}", self.files.len()),
        };
        let money = self.currency.as_ref().map_or(String::new(), |money| format!(", in {}", money.name));
        format!(
            "{} of {}{files}, {first} to {last}{money}",
            counted(self.ledger_rows, "row"),
            counted(self.ledger_customers as u64, "customer")
        )
    }
}

impl Coverage {
    /// Customers who were left out.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.left_out.values().sum()
    }

    /// Days and periods in words, without a final stop.
    #[must_use]
    pub fn days_in_words(&self) -> String {
        let own = if self.anchored { ", for the latest customer; each has days of its own" } else { "" };
        format!("{} to {} ({}){own}", self.days.0, self.days.1, self.window)
    }

    /// Who is in the panel and who was left out and why, in words, without a final stop.
    #[must_use]
    pub fn customers_in_words(&self) -> String {
        let all = self.customers as u64 + self.dropped();
        let kept = format!("{} of the ledger's {}", grouped(self.customers as u64), counted(all, "customer"));
        if self.dropped() == 0 {
            return format!("{kept}; none was left out");
        }
        let reasons =
            self.left_out.iter().map(|(reason, count)| format!("{} {}", grouped(*count), reason.in_words()));
        let reasons: Vec<String> = reasons.collect();
        format!(
            "{kept}; {} ({}) {} left out: {}",
            grouped(self.dropped()),
            percent(self.dropped(), all),
            if self.dropped() == 1 { "was" } else { "were" },
            reasons.join(", ")
        )
    }
}

impl LeftOut {
    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FewPeriods => "few-periods",
            Self::NoSpending => "no-spending",
            Self::MoneyIn => "money-in",
            Self::NoAnchor => "no-anchor",
        }
    }

    /// The property of those customers, in words.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::FewPeriods => "with spending in too few of the periods",
            Self::NoSpending => "without spending in the window",
            Self::MoneyIn => "with money coming in only, in classes of spending",
            Self::NoAnchor => "without a last day of their own",
        }
    }
}

impl CoefficientOrigin {
    /// Where they come from, in words, without a final stop.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Given => "a table that the user gave",
            Self::Authored => {
                "the table that was authored for the synthetic bank (`authored`): few of its signs were published, none of its sizes"
            }
            Self::Drawn => "random numbers (--draw-coefficients)",
        }
    }

    /// A warning for the reader, if there is one.
    #[must_use]
    pub fn warning(self) -> Option<&'static str> {
        (self == Self::Drawn).then_some(
            "The traits mean nothing: their coefficients were drawn at random. Segments, explanations and figures show how the \
             program works, and nothing about the customers.",
        )
    }
}

/// The last day of days of which the first one after them is known.
///
/// ```
/// use jiff::civil::date;
/// use spendscape_schema::scope::last_day;
///
/// assert_eq!(last_day(date(2020, 3, 1)), date(2020, 2, 29));
/// ```
#[must_use]
pub fn last_day(end: Date) -> Date {
    end.saturating_sub(1.day())
}

/// A share in words, which does not claim none or all where some are.
///
/// ```
/// use spendscape_schema::scope::percent;
///
/// assert_eq!(percent(1, 4), "25.0 %");
/// assert_eq!((percent(1, 100_000), percent(99_999, 100_000)), ("below 0.1 %".into(), "above 99.9 %".into()));
/// ```
#[must_use]
pub fn percent(part: u64, of: u64) -> String {
    let share = 100.0 * part as f64 / of.max(1) as f64;
    match share {
        share if part > 0 && share < 0.1 => "below 0.1 %".to_owned(),
        share if part < of && share > 99.9 => "above 99.9 %".to_owned(),
        share => format!("{share:.1} %"),
    }
}

/// A whole number with separators between thousands.
///
/// ```
/// assert_eq!(spendscape_schema::scope::grouped(1_234_567), "1,234,567");
/// ```
#[must_use]
pub fn grouped(number: u64) -> String {
    crate::money::with_separators(&number.to_string())
}

/// A number of things: `1 row`, `1,234 rows`.
///
/// ```
/// use spendscape_schema::scope::counted;
///
/// assert_eq!((counted(1, "row"), counted(1_234, "row")), ("1 row".into(), "1,234 rows".into()));
/// ```
#[must_use]
pub fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn coverage(left_out: &[(LeftOut, u64)]) -> Coverage {
        Coverage {
            window: "monthly x 6".to_owned(),
            days: (date(2019, 1, 1), date(2019, 6, 30)),
            anchored: false,
            periods: 6,
            rows_outside: 0,
            customers: 65,
            left_out: left_out.iter().copied().collect(),
        }
    }

    #[test]
    fn who_was_left_out_is_said_with_the_reasons() {
        let text = coverage(&[(LeftOut::NoSpending, 17), (LeftOut::FewPeriods, 200)]).customers_in_words();
        assert_eq!(
            text,
            "65 of the ledger's 282 customers; 217 (77.0 %) were left out: 200 with spending in too few of the periods, 17 \
             without spending in the window"
        );
        assert_eq!(coverage(&[]).customers_in_words(), "65 of the ledger's 65 customers; none was left out");
        assert_eq!(coverage(&[]).days_in_words(), "2019-01-01 to 2019-06-30 (monthly x 6)");
    }

    #[test]
    fn shares_claim_neither_none_nor_all() {
        assert_eq!(
            [(0, 10), (1, 100_000), (99_999, 100_000), (10, 10)].map(|(part, of)| percent(part, of)),
            ["0.0 %", "below 0.1 %", "above 99.9 %", "100.0 %"]
        );
    }

    #[test]
    fn a_scope_comes_back_from_its_note() {
        let scope = Scope {
            files: vec!["a.csv".to_owned(), "b.csv".to_owned()],
            ledger_days: (date(2019, 1, 1), date(2019, 6, 30)),
            ledger_rows: 16_327,
            ledger_customers: 282,
            currency: Some(Currency::new("UGX", 2)),
            windows: vec![coverage(&[(LeftOut::MoneyIn, 1)])],
            coefficients: Some(CoefficientOrigin::Drawn),
        };
        assert_eq!(
            scope.ledger_in_words(),
            "16,327 rows of 282 customers of 2 files, a.csv to b.csv, 2019-01-01 to 2019-06-30, in UGX"
        );
        assert!(scope.coefficients.unwrap().warning().is_some());
        // Provenance is JSON; TOML has the same data model and is at hand here.
        let text = toml::to_string(&scope).unwrap();
        assert_eq!(toml::from_str::<Scope>(&text).unwrap(), scope);
    }
}
