//! The sentences that text and page share.

use super::{AnglesPart, CustomerExplanation, DriverPart};

/// Classes listed before the rest is summed up.
pub(super) const LISTED: usize = 10;
/// Contributions listed per angle.
pub(super) const LISTED_PER_ANGLE: usize = 3;

/// Error of the surrogate's lead, as a part of the network's, from which on the reader is warned.
const LOOSE: f64 = 0.5;

/// One percentage point of share.
const POINT: f64 = 0.01;

/// The Big Five by the letters of the papers' tables.
const BIG_FIVE: [(&str, &str); 5] = [
    ("E", "Extraversion"),
    ("N", "Neuroticism"),
    ("O", "Openness"),
    ("C", "Conscientiousness"),
    ("A", "Agreeableness"),
];

/// The trait in words: a table that has exactly the Big Five's letters means them.
pub(super) fn trait_name(why: &CustomerExplanation, label: &str) -> String {
    let big_five = why.assignment.path.len() == BIG_FIVE.len()
        && BIG_FIVE.iter().all(|(letter, _)| why.assignment.path.iter().any(|(name, _)| name == letter));
    match BIG_FIVE.iter().find(|(letter, _)| big_five && *letter == label) {
        Some((letter, name)) => format!("{name} ({letter})"),
        None => label.to_owned(),
    }
}

/// A share; one that is too small to show is not shown as none.
pub(super) fn percent(share: f64) -> String {
    /// Half of the last digit shown.
    const SMALLEST: f64 = 0.5e-4;
    if share > 0.0 && share < SMALLEST {
        "below 0.01 %".to_owned()
    } else {
        format!("{:.2} %", 100.0 * share)
    }
}

/// A percentile as a share of customers: whole percents, without claiming 0 or 100 of them.
pub(super) fn rank(percentile: f64) -> String {
    let percent = 100.0 * percentile;
    if percent < 1.0 {
        "less than 1 %".to_owned()
    } else if percent > 99.0 {
        "more than 99 %".to_owned()
    } else {
        format!("{percent:.0} %")
    }
}

pub(super) fn signed(value: f64) -> String {
    format!("{value:+.4}")
}

/// A class as people read it.
pub(super) fn class(name: &str) -> String {
    name.replace('_', " ")
}

pub(super) fn assignment(why: &CustomerExplanation) -> String {
    let part = &why.assignment;
    format!(
        "The network puts this customer into the segment {}. Its output for this trait leads that for the runner-up, {}, by \
         {:.4} (grades run from -1 to 1); {} of all customers have a smaller lead. The customer {}.",
        trait_name(why, &part.segment),
        trait_name(why, &part.runner_up),
        part.lead,
        rank(part.lead_percentile),
        if part.training {
            "is one of those that network and surrogate were trained on"
        } else {
            "was seen by neither network nor surrogate in training"
        }
    )
}

pub(super) fn path(why: &CustomerExplanation) -> String {
    let part = &why.assignment;
    let path: Vec<String> =
        part.path.iter().map(|(name, output)| format!("{name} {}", signed(*output))).collect();
    let differs = match part.grade_path.first() {
        Some(first) if *first != part.segment => format!(
            " By the grades the segment would be {}: the network is off for this customer, and what follows explains the network.",
            trait_name(why, first)
        ),
        _ => String::new(),
    };
    format!(
        "Micro-segment (traits by falling output): {}. By the customer's grades, which the network is trained to give: {}.{differs} \
         Segment of the trajectory's direction, by number: {}{}.",
        path.join(" / "),
        part.grade_path.join(" / "),
        part.direction_segment,
        part.short_direction_segment.map_or(String::new(), |short| format!(" ({short} in the short window)"))
    )
}

pub(super) fn trust(why: &CustomerExplanation) -> String {
    let part = &why.trust;
    let error = format!(
        "The explanation describes a linear surrogate of the network, not the network itself. For this customer the \
         surrogate's direction is {:.2} degrees from the network's ({} of the customers unseen in training have a smaller \
         error; their median is {:.2}; above {:.1} no explanation is given)",
        part.error_degrees,
        rank(part.error_percentile),
        part.typical_degrees,
        part.threshold_degrees
    );
    match (&part.refusal, &why.lead) {
        (None, Some(lead)) => format!(
            "{error}, and its lead is {} where the network's is {}: off by {:.0} % of it.{}",
            signed(lead.value),
            signed(why.assignment.lead),
            100.0 * part.lead_error,
            if part.lead_error > LOOSE {
                " THE ASSIGNMENT IS CLOSE, and the surrogate's error is of the size of the lead: read the classes below as what \
                 speaks for either side, not as what decided."
            } else {
                ""
            }
        ),
        (refusal, _) => {
            format!(
                "{error}. NO EXPLANATION IS GIVEN: {}.",
                refusal.as_deref().unwrap_or("no reason is stated")
            )
        }
    }
}

/// What a reader has to be warned of before anything else.
pub(super) fn warning(why: &CustomerExplanation) -> Option<&'static str> {
    why.scope.as_ref()?.coefficients?.warning()
}

/// Whether amounts can be shown as money.
pub(super) fn has_money(why: &CustomerExplanation) -> bool {
    why.scope.as_ref().is_some_and(|scope| scope.currency.is_some())
}

/// An amount in the ledger's currency, or in minor units where it is not known.
pub(super) fn money(why: &CustomerExplanation, minor: i64) -> String {
    match why.scope.as_ref().and_then(|scope| scope.currency.as_ref()) {
        Some(currency) => currency.show(minor),
        None => minor.to_string(),
    }
}

/// Whether nobody concerned spends on the class, so that there is nothing to say of it.
pub(super) fn is_unused(driver: &DriverPart) -> bool {
    driver.share == 0.0 && driver.average == 0.0
}

/// The classes that are listed one by one.
pub(super) fn listed(drivers: &[DriverPart]) -> impl Iterator<Item = &DriverPart> {
    drivers.iter().filter(|driver| !is_unused(driver)).take(LISTED)
}

/// What a driver does, without its numbers' columns.
pub(super) fn driver(driver: &DriverPart) -> String {
    let place = match driver.share.total_cmp(&driver.average) {
        std::cmp::Ordering::Greater => "above",
        std::cmp::Ordering::Equal => "just",
        std::cmp::Ordering::Less => "below",
    };
    let flag = driver.flag.as_ref().map_or(String::new(), |flag| format!(" [{flag}]"));
    format!(
        "{}{flag}: {} of spending, {place} the average of {} ({} of customers spend less); each point more adds {}",
        class(&driver.class),
        percent(driver.share),
        percent(driver.average),
        rank(f64::from(driver.percentile)),
        signed(POINT * driver.coefficient)
    )
}

/// The classes that are not listed, summed up.
pub(super) fn others(drivers: &[DriverPart]) -> Option<(usize, f64)> {
    let rest: Vec<f64> = drivers
        .iter()
        .filter(|driver| !is_unused(driver))
        .skip(LISTED)
        .map(|driver| driver.contribution)
        .collect();
    (!rest.is_empty()).then(|| (rest.len(), rest.iter().sum()))
}

pub(super) fn angles(part: &AnglesPart) -> String {
    let error = format!(
        "The papers explain the two direction angles instead. They are not linear in spending, so that their surrogate misses \
         more: for this customer by {:.2} degrees (median of unseen customers {:.2})",
        part.error_degrees, part.typical_degrees
    );
    match &part.refusal {
        None => format!("{error}."),
        Some(refusal) => format!("{error}. Contributions to the angles are not given: {refusal}."),
    }
}

pub(super) fn change(why: &CustomerExplanation) -> String {
    match (&why.change, &why.trust.refusal) {
        (Some(change), _) => format!(
            "Had {} of the spending gone to other classes, in every period alike, the network's segment would be {} (lead {}). No class \
             goes below zero or above what 99 of 100 customers spend on it, flagged classes stay as they are, and the network \
             itself was run on the changed spending.",
            percent(change.moved),
            trait_name(why, &change.segment),
            signed(change.lead)
        ),
        (None, None) => "No feasible change of spending was found that moves the segment: no class may go below zero or above \
                         what 99 of 100 customers spend on it, and flagged classes stay as they are."
            .to_owned(),
        (None, Some(_)) => "Not given, because it would follow the surrogate.".to_owned(),
    }
}

pub(super) fn flagged(why: &CustomerExplanation) -> String {
    let part = &why.flagged;
    if part.listed == 0 {
        return "No class is listed as protected or as a proxy (spendscape explain --protected), and none is protected by its name."
            .to_owned();
    }
    let contribution = part.contribution.map_or(String::new(), |contribution| {
        format!(" Together they add {} to the lead.", signed(contribution))
    });
    let without = match &part.segment_without {
        Some(segment) if *segment == why.assignment.segment => {
            " Had the customer spent on them as the average customer does, the network's segment would be the same.".to_owned()
        }
        Some(segment) => format!(
            " Had the customer spent on them as the average customer does, THE NETWORK'S SEGMENT WOULD BE {}.",
            trait_name(why, segment)
        ),
        None => String::new(),
    };
    format!(
        "{} classes are flagged in this run; the customer spends on {} of them.{contribution}{without}",
        part.listed,
        part.classes.len()
    )
}

/// How the present segment came about.
pub(super) fn periods(why: &CustomerExplanation) -> String {
    let present = &why.assignment.segment;
    let since = why.periods.iter().rposition(|period| period.segment != *present).map_or(0, |last| last + 1);
    match why.periods.get(since) {
        Some(_) if since == 0 => {
            "The trajectory was in its present segment from the first period on.".to_owned()
        }
        Some(period) => format!(
            "The trajectory has been in its present segment since the period that starts on {}; before, it was last in {}.",
            period.start,
            trait_name(why, &why.periods[since - 1].segment)
        ),
        None => String::new(),
    }
}
