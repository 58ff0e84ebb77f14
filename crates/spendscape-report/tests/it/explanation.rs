//! The explanation of one customer as text and page.

use std::collections::BTreeMap;

use spendscape_report::{
    AnglePart, AnglesPart, AssignmentPart, CustomerExplanation, DriverPart, FlaggedPart, LeadPart, MadeFrom,
    PeriodPart, TrustPart, explanation_page, explanation_text,
};
use spendscape_schema::{CoefficientOrigin, Currency, Scope};

/// Twelve classes, the first with a name that would break a page.
fn explanation() -> CustomerExplanation {
    let driver = |k: usize| DriverPart {
        class: if k == 0 { "<b>books</b>".to_owned() } else { format!("class_{k}") },
        share: 0.05,
        average: 0.02,
        percentile: 0.999,
        coefficient: 1.0 / (k + 1) as f64,
        contribution: 0.03 / (k + 1) as f64,
        flag: (k == 1).then(|| "protected".to_owned()),
    };
    let classes: Vec<DriverPart> = (0..12).map(driver).collect();
    let value = 0.01 + classes.iter().map(|class| class.contribution).sum::<f64>();
    let period = |segment: &str, start: &str| PeriodPart {
        start: start.to_owned(),
        end: "2021-01-01".to_owned(),
        total_minor: 1_000,
        observed: true,
        segment: segment.to_owned(),
        lead: 0.1,
        turn_degrees: None,
    };
    CustomerExplanation {
        customer: "<script>x</script>".to_owned(),
        assignment: AssignmentPart {
            segment: "O".to_owned(),
            runner_up: "A".to_owned(),
            lead: 0.1,
            lead_percentile: 0.5,
            path: ["O", "A", "E", "C", "N"].map(|name| (name.to_owned(), 0.1)).to_vec(),
            grade_path: ["O", "A", "E", "C", "N"].map(str::to_owned).to_vec(),
            direction_segment: 1,
            short_direction_segment: None,
            training: false,
        },
        trust: TrustPart {
            error_degrees: 1.0,
            threshold_degrees: 7.5,
            typical_degrees: 1.2,
            error_percentile: 0.4,
            lead_error: 0.02,
            surrogate_segment: "O".to_owned(),
            refusal: None,
        },
        lead: Some(LeadPart { baseline: 0.01, value, sum: value, classes }),
        angles: AnglesPart {
            error_degrees: 25.0,
            typical_degrees: 25.0,
            refusal: Some("the error is above 7.5 degrees".to_owned()),
            angles: vec![AnglePart {
                name: "longitude".to_owned(),
                network: 1.0,
                value: 0.5,
                baseline: 0.0,
                sum: 0.5,
                contributions: Vec::new(),
            }],
        },
        change: None,
        flagged: FlaggedPart {
            listed: 1,
            classes: Vec::new(),
            contribution: Some(0.015),
            segment_without: Some("A".to_owned()),
        },
        periods: vec![period("A", "2018-01-01"), period("O", "2019-01-01"), period("O", "2020-01-01")],
        shifts: Vec::new(),
        scope: None,
        made_from: MadeFrom {
            program: "spendscape".to_owned(),
            program_digest: "abc".to_owned(),
            tables: BTreeMap::new(),
            seeds: BTreeMap::new(),
        },
    }
}

/// The text without its line breaks.
fn words(why: &CustomerExplanation) -> String {
    explanation_text(why).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn names_cannot_break_the_page() {
    let page = explanation_page(&explanation());
    assert!(!page.contains("<script") && !page.contains("<b>books"));
    assert!(page.contains("&lt;script&gt;") && page.contains("&lt;b&gt;books"));
    // Every section that the contents name is there.
    for link in page.split("href=\"#").skip(1) {
        let id = link.split('"').next().unwrap_or_default();
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[test]
fn text_says_what_decided_and_what_was_left_out() {
    let text = words(&explanation());
    // Ten classes are listed; the other two are summed up: .03 / 11 + .03 / 12.
    assert!(text.contains("+0.0052 2 other classes"), "{text}");
    assert!(
        text.contains(
            "class 1 [protected]: 5.00 % of spending, above the average of 2.00 % (more than 99 % of"
        ),
        "{text}"
    );
    assert!(text.contains("each point more adds +0.0050"), "{text}");
    assert!(
        text.contains("Openness (O)") && text.contains("NETWORK'S SEGMENT WOULD BE Agreeableness (A)"),
        "{text}"
    );
    assert!(
        text.contains("since the period that starts on 2019-01-01; before, it was last in Agreeableness"),
        "{text}"
    );
    assert!(text.contains("seen by neither network nor surrogate in training"), "{text}");
}

#[test]
fn a_class_that_nobody_spends_on_is_not_listed() {
    let mut why = explanation();
    if let Some(lead) = &mut why.lead {
        lead.classes[2].share = 0.0;
        lead.classes[2].average = 0.0;
        lead.classes[2].contribution = 0.0;
        lead.classes[2].class = "OTHER".to_owned();
    }
    let (text, page) = (words(&why), explanation_page(&why));
    assert!(!text.contains("OTHER") && !page.contains("OTHER"), "{text}");
    assert!(!text.contains("0.00 % of spending"), "{text}");
    // Ten of the other eleven are listed.
    assert!(text.contains("+0.0025 1 other classes"), "{text}");
    assert!(page.contains("One class is not listed"));
}

#[test]
fn money_is_shown_as_money_and_drawn_traits_are_warned_of() {
    let mut why = explanation();
    assert!(explanation_page(&why).contains("spent, minor units") && !words(&why).contains("WARNING"));
    let day = jiff::civil::date(2019, 1, 1);
    why.scope = Some(Scope {
        files: vec!["ledger.csv".to_owned()],
        ledger_days: (day, day),
        ledger_rows: 1,
        ledger_customers: 1,
        currency: Some(Currency::new("UGX", 2)),
        windows: Vec::new(),
        coefficients: Some(CoefficientOrigin::Drawn),
    });
    for period in &mut why.periods {
        period.total_minor = 3_166_137;
    }
    let (text, page) = (words(&why), explanation_page(&why));
    assert!(text.contains("spent 31,661 UGX") && page.contains("31,661 UGX"), "{text}");
    assert!(!page.contains("minor units"));
    assert!(
        text.contains("WARNING: The traits mean nothing") && page.contains("class=\"warning\""),
        "{text}"
    );
}

#[test]
fn a_refusal_gives_no_drivers() {
    let mut why = explanation();
    why.trust.refusal = Some("too far".to_owned());
    why.lead = None;
    let text = words(&why);
    assert!(text.contains("NO EXPLANATION IS GIVEN: too far.") && !text.contains("books"), "{text}");
    let page = explanation_page(&why);
    assert!(!page.contains("books") && !page.contains("id=\"lead\""));
}

#[test]
fn close_assignments_and_a_network_off_its_grades_are_told() {
    let mut why = explanation();
    assert!(!words(&why).contains("THE ASSIGNMENT IS CLOSE") && !words(&why).contains("the network is off"));
    why.trust.lead_error = 0.8;
    why.assignment.grade_path.swap(0, 1);
    assert!(words(&why).contains("off by 80 % of it. THE ASSIGNMENT IS CLOSE"));
    assert!(words(&why).contains("By the grades the segment would be Agreeableness (A): the network is off"));
}
