//! The explanation as a page that needs nothing else.

use super::{CustomerExplanation, LeadPart, words};
use crate::{
    draw::svg::escape,
    page::{STYLE, html},
};

/// Width of the longest bar, in pixels on either side of zero.
const BAR: f64 = 130.0;
/// Height of a bar.
const BAR_HEIGHT: f64 = 12.0;

/// Writes an explanation as one HTML page that loads nothing and runs nothing. The same explanation gives the same bytes.
///
/// [`CustomerExplanation`] has an example.
#[must_use]
pub fn explanation_page(why: &CustomerExplanation) -> String {
    let title = format!(
        "Why customer {} is in segment {}",
        why.customer,
        words::trait_name(why, &why.assignment.segment)
    );
    let mut contents = Vec::new();
    let warning = words::warning(why).map_or(String::new(), |text| html::warning(&escape(text)));
    let mut body = format!("{warning}{}{}", paragraph(&words::assignment(why)), paragraph(&words::path(why)));
    let mut add = |id: &'static str, name: &'static str, content: String| {
        contents.push((id, name));
        body.push_str(&html::section(id, name, &content));
    };
    add("trust", "How far to trust this", trust(why));
    if let Some(lead) = &why.lead {
        add("lead", "What drives the lead", drivers(why, lead));
    }
    add("change", "Smallest change that would move the segment", change(why));
    add("periods", "Over the periods", periods(why));
    add("flagged", "Protected and proxy classes", flagged(why));
    add("angles", "Direction angles", angles(why));
    if let Some(lead) = &why.lead {
        add("all", "Every class", all(lead));
    }
    add("sources", "Made from", sources(why));
    html::document(&title, STYLE, "", &contents, &body)
}

fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape(text))
}

/// Numbers with a typographic minus.
fn number(text: &str) -> String {
    escape(&text.replace('-', "\u{2212}"))
}

fn trust(why: &CustomerExplanation) -> String {
    let class = if why.trust.refusal.is_some() { " class=\"skipped\"" } else { "" };
    format!("<p{class}>{}</p>\n", escape(&words::trust(why)))
}

fn drivers(why: &CustomerExplanation, lead: &LeadPart) -> String {
    let shown = || words::listed(&lead.classes);
    let others = words::others(&lead.classes);
    let sizes = shown().map(|driver| driver.contribution).chain(others.map(|(_, sum)| sum));
    let largest = sizes.chain([lead.baseline, lead.value]).fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
    let row = |value: f64, what: String| vec![number(&words::signed(value)), bar(value / largest), what];
    let mut rows = vec![row(lead.baseline, "the lead for the average customer".to_owned())];
    rows.extend(shown().map(|driver| row(driver.contribution, escape(&words::driver(driver)))));
    if let Some((count, sum)) = others {
        rows.push(row(sum, format!("{count} other classes (<a href=\"#all\">every class</a>)")));
    }
    let sum = format!(
        "<strong>the surrogate\u{2019}s lead for this customer</strong>, computed by the model; the rows above add up to it ({:.1e} apart)",
        (lead.sum - lead.value).abs()
    );
    rows.push(row(lead.value, sum));
    let caption = format!(
        "Lead of {} over {}: what each class adds compared with the average customer",
        words::trait_name(why, &why.assignment.segment),
        words::trait_name(why, &why.assignment.runner_up)
    );
    html::table(&caption, &[("adds", true), ("", false), ("class", false)], &rows)
}

/// A bar from zero, blue to the right or vermilion to the left, as a part of the longest.
fn bar(part: f64) -> String {
    let (width, length) = (2.0 * BAR, BAR * part.abs());
    let (start, color) = if part < 0.0 { (BAR - length, "#D55E00") } else { (BAR, "#0072B2") };
    format!(
        "<svg width=\"{width}\" height=\"{BAR_HEIGHT}\" aria-hidden=\"true\"><rect x=\"{start:.1}\" width=\"{length:.1}\" \
         height=\"{BAR_HEIGHT}\" fill=\"{color}\"/><path d=\"M{BAR} 0V{BAR_HEIGHT}\" stroke=\"#555\"/></svg>"
    )
}

fn change(why: &CustomerExplanation) -> String {
    let mut content = paragraph(&words::change(why));
    if let Some(change) = &why.change {
        let rows: Vec<Vec<String>> = change
            .classes
            .iter()
            .map(|class| {
                let difference = format!("{:+.2} points", 100.0 * (class.after - class.before));
                vec![
                    escape(&words::class(&class.class)),
                    words::percent(class.before),
                    words::percent(class.after),
                    number(&difference),
                ]
            })
            .collect();
        let headings = [("class", false), ("share now", true), ("share after", true), ("difference", true)];
        content.push_str(&html::table("What becomes of the classes concerned", &headings, &rows));
    }
    content
}

fn periods(why: &CustomerExplanation) -> String {
    let mut content = paragraph(&words::periods(why));
    let rows: Vec<Vec<String>> = why
        .periods
        .iter()
        .map(|period| {
            let turn = period.turn_degrees.map_or(String::new(), |turn| format!("{turn:.0}\u{B0}"));
            let own = if period.observed { "" } else { "no spending of its own" };
            vec![
                escape(&period.start),
                escape(&words::trait_name(why, &period.segment)),
                number(&words::signed(period.lead)),
                turn,
                escape(&words::money(why, period.total_minor)),
                own.to_owned(),
            ]
        })
        .collect();
    let headings = [
        ("period from", false),
        ("segment after it", false),
        ("lead", true),
        ("turn", true),
        (if words::has_money(why) { "spent" } else { "spent, minor units" }, true),
        ("", false),
    ];
    let caption =
        "The trajectory had it ended after each period; lead of the present segment over its runner-up";
    content.push_str(&html::table(caption, &headings, &rows));
    if !why.shifts.is_empty() {
        let rows: Vec<Vec<String>> = why
            .shifts
            .iter()
            .map(|shift| {
                vec![
                    escape(&words::class(&shift.class)),
                    words::percent(shift.first),
                    words::percent(shift.last),
                    number(&words::signed(shift.effect)),
                ]
            })
            .collect();
        let headings =
            [("class", false), ("first period", true), ("last period", true), ("effect on the lead", true)];
        content.push_str(&html::table("What changed most in effect on the lead", &headings, &rows));
    }
    content
}

fn flagged(why: &CustomerExplanation) -> String {
    let mut content = paragraph(&words::flagged(why));
    if !why.flagged.classes.is_empty() {
        let rows: Vec<Vec<String>> = why
            .flagged
            .classes
            .iter()
            .map(|class| {
                vec![
                    escape(&words::class(&class.class)),
                    escape(&class.flag),
                    escape(&class.reason),
                    words::percent(class.share),
                ]
            })
            .collect();
        let headings = [("class", false), ("flag", false), ("reason", false), ("share", true)];
        content.push_str(&html::table("Flagged classes that the customer spends on", &headings, &rows));
    }
    content
}

fn angles(why: &CustomerExplanation) -> String {
    let rows: Vec<Vec<String>> = why
        .angles
        .angles
        .iter()
        .map(|angle| {
            let largest: Vec<String> = angle
                .contributions
                .iter()
                .take(words::LISTED_PER_ANGLE)
                .map(|(class, contribution)| {
                    format!("{} {}", escape(&words::class(class)), number(&words::signed(*contribution)))
                })
                .collect();
            vec![
                escape(&angle.name),
                number(&words::signed(angle.network)),
                number(&words::signed(angle.value)),
                number(&words::signed(angle.baseline)),
                largest.join(", "),
            ]
        })
        .collect();
    let headings = [
        ("angle", false),
        ("network", true),
        ("surrogate", true),
        ("average customer", true),
        ("largest contributions", false),
    ];
    paragraph(&words::angles(&why.angles)) + &html::table("Direction angles in radians", &headings, &rows)
}

fn all(lead: &LeadPart) -> String {
    let unused = lead.classes.iter().filter(|driver| words::is_unused(driver)).count();
    let rows: Vec<Vec<String>> = lead
        .classes
        .iter()
        .filter(|driver| !words::is_unused(driver))
        .map(|driver| {
            vec![
                escape(&words::class(&driver.class)),
                driver.flag.as_deref().map_or(String::new(), escape),
                words::percent(driver.share),
                words::percent(driver.average),
                words::rank(f64::from(driver.percentile)),
                number(&format!("{:+.3}", driver.coefficient)),
                number(&format!("{:+.6}", driver.contribution)),
            ]
        })
        .collect();
    let headings = [
        ("class", false),
        ("flag", false),
        ("share", true),
        ("average", true),
        ("customers who spend less", true),
        ("coefficient", true),
        ("contribution", true),
    ];
    let note = "Contribution = coefficient \u{D7} (share \u{2212} average). Shares sum to 1, so one number of the coefficients is \
                free: they are written such that their median is 0.";
    let unused = match unused {
        0 => String::new(),
        1 => paragraph(
            "One class is not listed: neither this customer nor the training customers spend on it.",
        ),
        some => paragraph(&format!(
            "{some} classes are not listed: neither this customer nor the training customers spend on them."
        )),
    };
    paragraph(note) + &unused + &html::table("Every class, by the size of its contribution", &headings, &rows)
}

fn sources(why: &CustomerExplanation) -> String {
    let made = &why.made_from;
    let code = |text: &str| format!("<code>{}</code>", escape(text));
    let mut rows = vec![vec![escape(&made.program), code(&made.program_digest)]];
    rows.extend(made.tables.iter().map(|(table, digest)| vec![escape(table), code(digest)]));
    rows.extend(
        made.seeds.iter().map(|(what, seed)| vec![format!("seed of the {}", escape(what)), seed.to_string()]),
    );
    html::table(
        "Digests of program, data and model, and seeds",
        &[("what", false), ("digest or seed", false)],
        &rows,
    )
}
