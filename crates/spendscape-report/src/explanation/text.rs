//! The explanation as plain text for a terminal.

use std::fmt::Write;

use super::{CustomerExplanation, words};

/// Characters per line.
const WIDTH: usize = 100;

/// Writes an explanation as text.
///
/// [`CustomerExplanation`] has an example.
#[must_use]
pub fn explanation_text(why: &CustomerExplanation) -> String {
    let mut out = String::new();
    heading(
        &mut out,
        &format!(
            "Why customer {} is in segment {}",
            why.customer,
            words::trait_name(why, &why.assignment.segment)
        ),
    );
    if let Some(warning) = words::warning(why) {
        paragraph(&mut out, &format!("WARNING: {warning}"));
    }
    paragraph(&mut out, &words::assignment(why));
    paragraph(&mut out, &words::path(why));
    heading(&mut out, "How far to trust this");
    paragraph(&mut out, &words::trust(why));
    lead(&mut out, why);
    heading(&mut out, "Smallest change that would move the segment");
    paragraph(&mut out, &words::change(why));
    if let Some(change) = &why.change {
        for class in &change.classes {
            line(
                &mut out,
                &format!(
                    "{}: {} -> {}",
                    words::class(&class.class),
                    words::percent(class.before),
                    words::percent(class.after)
                ),
            );
        }
        out.push('\n');
    }
    heading(&mut out, "Over the periods");
    paragraph(&mut out, &words::periods(why));
    for period in &why.periods {
        let turn = period.turn_degrees.map_or(String::new(), |turn| format!(", turn {turn:.0} degrees"));
        let spent = match (period.observed, words::has_money(why)) {
            (false, _) => ", no spending of its own".to_owned(),
            (true, true) => format!(", spent {}", words::money(why, period.total_minor)),
            (true, false) => String::new(),
        };
        line(
            &mut out,
            &format!(
                "from {}: {}, lead {}{turn}{spent}",
                period.start,
                period.segment,
                words::signed(period.lead)
            ),
        );
    }
    out.push('\n');
    if !why.shifts.is_empty() {
        paragraph(&mut out, "What changed most in effect on the lead, from the first to the last period:");
        for shift in &why.shifts {
            line(
                &mut out,
                &format!(
                    "{} {}: {} -> {}",
                    words::signed(shift.effect),
                    words::class(&shift.class),
                    words::percent(shift.first),
                    words::percent(shift.last)
                ),
            );
        }
        out.push('\n');
    }
    heading(&mut out, "Protected and proxy classes");
    paragraph(&mut out, &words::flagged(why));
    for class in &why.flagged.classes {
        line(
            &mut out,
            &format!(
                "{} [{}]: {} ({})",
                words::class(&class.class),
                class.flag,
                words::percent(class.share),
                class.reason
            ),
        );
    }
    heading(&mut out, "Direction angles");
    paragraph(&mut out, &words::angles(&why.angles));
    for angle in &why.angles.angles {
        let mut text = format!(
            "{}: network {} rad, surrogate {} rad, average customer {} rad",
            angle.name,
            words::signed(angle.network),
            words::signed(angle.value),
            words::signed(angle.baseline)
        );
        for (class, contribution) in angle.contributions.iter().take(words::LISTED_PER_ANGLE) {
            let _ = write!(text, "; {} {}", words::class(class), words::signed(*contribution));
        }
        line(&mut out, &text);
    }
    out.push('\n');
    heading(&mut out, "Made from");
    line(&mut out, &format!("{} (digest {})", why.made_from.program, why.made_from.program_digest));
    for (table, digest) in &why.made_from.tables {
        line(&mut out, &format!("{table} {digest}"));
    }
    for (what, seed) in &why.made_from.seeds {
        line(&mut out, &format!("seed of the {what}: {seed}"));
    }
    out
}

fn lead(out: &mut String, why: &CustomerExplanation) {
    let Some(lead) = &why.lead else { return };
    heading(out, "What drives the lead");
    line(out, &format!("{} lead for the average customer", words::signed(lead.baseline)));
    for driver in words::listed(&lead.classes) {
        line(out, &format!("{} {}", words::signed(driver.contribution), words::driver(driver)));
    }
    if let Some((count, sum)) = words::others(&lead.classes) {
        line(out, &format!("{} {count} other classes", words::signed(sum)));
    }
    line(
        out,
        &format!(
            "{} the surrogate's lead for this customer (the lines above add up to it, {:.1e} apart)",
            words::signed(lead.value),
            (lead.sum - lead.value).abs()
        ),
    );
    out.push('\n');
}

fn heading(out: &mut String, text: &str) {
    if !out.is_empty() && !out.ends_with("\n\n") {
        out.push('\n');
    }
    let _ = writeln!(out, "{text}\n{}", "-".repeat(text.chars().count()));
}

fn paragraph(out: &mut String, text: &str) {
    wrap(out, text, "");
    out.push('\n');
}

fn line(out: &mut String, text: &str) {
    wrap(out, text, "  ");
}

/// Breaks a text into lines; those after the first are indented further, so that lists stay lists.
fn wrap(out: &mut String, text: &str, indent: &str) {
    let mut column = 0;
    for word in text.split(' ') {
        let width = word.chars().count();
        if column == 0 {
            out.push_str(indent);
            column = indent.len();
        } else if column + 1 + width > WIDTH {
            let hanging = if indent.is_empty() { "" } else { "          " };
            out.push('\n');
            out.push_str(hanging);
            column = hanging.len();
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out.push('\n');
}
