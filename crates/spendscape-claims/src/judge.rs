//! Judging: which statements hold on what the seeds of an experiment measured.

use std::fmt;

use serde::{Serialize, Serializer};
use spendscape_stats::median;

use crate::acceptance;
use crate::claim::{Bank, Choice, Forced, Statement, Value};
use crate::claims::CLAIMS;
use crate::measured::Measured;

/// What the measurement says of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Inside the band.
    Reproduced,
    /// Outside the band.
    NotReproduced,
    /// On the side of the band on which it falls by the way it is made, if the network fits the grades.
    ByConstruction,
    /// No band applies, or nothing was measured.
    NotJudged,
}

impl Verdict {
    /// The verdict in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::NotReproduced => "not reproduced",
            Self::ByConstruction => "by construction",
            Self::NotJudged => "not judged",
        }
    }
}

/// Where a statement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An acceptance row: the figure of an independent prototype.
    Acceptance,
    /// A claim of the papers.
    Claim(u8),
}

impl Source {
    /// The claim's number.
    #[must_use]
    pub fn number(self) -> Option<u8> {
        match self {
            Self::Acceptance => None,
            Self::Claim(number) => Some(number),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acceptance => f.write_str("acceptance"),
            Self::Claim(number) => write!(f, "claim {number}"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One judged statement.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// The experiment.
    pub experiment: String,
    /// The statement.
    pub claim: &'static str,
    /// Where it comes from.
    pub source: Source,
    /// The paper's own figure, in words.
    pub paper: Option<&'static str>,
    /// Interval in which the figure counts as reproduced.
    pub expected: Option<[f64; 2]>,
    /// Median over the training seeds.
    pub measured: Option<f64>,
    /// The figure of each training seed.
    pub per_seed: Vec<f64>,
    /// `reproduced`, `not-reproduced`, `by-construction` or `not-judged`.
    pub verdict: Verdict,
    /// Whether the figure lies in the interval, by construction or not; nothing where it is not judged.
    pub holds: Option<bool>,
    /// The figure by other ways to make a choice that the papers leave free.
    pub otherwise: Option<String>,
    /// The choice, if the verdict would be another one by one of these ways.
    pub hangs_on: Option<&'static str>,
    /// The controls that decide what it is worth, with their figures.
    pub control: Option<String>,
    /// What follows.
    pub reading: &'static str,
    /// Which constant of the synthetic bank decides, where one does and the data are a synthetic bank's.
    pub decided_by: Option<&'static str>,
    /// Whether the data are synthetic.
    pub synthetic: bool,
}

impl Entry {
    /// How many seeds lie inside, and of how many, where the seeds do not agree.
    pub(crate) fn split(&self) -> Option<(usize, usize)> {
        let [low, high] = self.expected.filter(|_| self.verdict != Verdict::NotJudged)?;
        let inside = self.per_seed.iter().filter(|value| (low..=high).contains(*value)).count();
        (inside > 0 && inside < self.per_seed.len()).then_some((inside, self.per_seed.len()))
    }
}

/// What was experimented on.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The experiment's name.
    pub name: &'a str,
    /// The synthetic bank, if it is one.
    pub bank: Option<Bank>,
    /// Whether it has the full size, for which an independent prototype gives bands, or the quick one.
    pub full: bool,
    /// Whether it measures a part of what the others do: then only what it measured is of interest.
    pub partial: bool,
    /// Whether its data are synthetic.
    pub synthetic: bool,
}

/// Judges every acceptance row and claim on what the seeds of one experiment measured. The intervals of claims are those of the
/// papers' words and are judged on any data; the bands of acceptance rows hold for the synthetic banks, of full size or the
/// quick one.
#[must_use]
pub fn judge(subject: &Subject<'_>, measured: &[Measured]) -> Vec<Entry> {
    let acceptance = acceptance::rows().into_iter().map(|row| (Source::Acceptance, row));
    let claims = CLAIMS.iter().flat_map(|claim| {
        (claim.statements)().into_iter().map(|statement| (Source::Claim(claim.number), statement))
    });
    acceptance
        .chain(claims)
        .filter(|(_, statement)| {
            !subject.partial || measured.iter().any(|seed| statement.value.of(seed).is_some())
        })
        .map(|(source, statement)| judge_one(source, &statement, subject, measured))
        .collect()
}

fn judge_one(source: Source, statement: &Statement, subject: &Subject<'_>, measured: &[Measured]) -> Entry {
    let per_seed = values(statement.value, measured);
    let is_claim = matches!(source, Source::Claim(_));
    let is_full = is_claim || statement.everywhere || subject.full || subject.bank.is_none();
    let band = if is_full { Some(statement.band) } else { statement.quick };
    let expected = band.and_then(|band| band.on(subject.bank));
    let judged = is_claim || statement.everywhere || subject.bank.is_some();
    let median_value = over_seeds(&per_seed);
    let holds = match (median_value, expected) {
        (Some(value), Some([low, high])) if judged => {
            let inside = |value: &f64| (low..=high).contains(value);
            Some(if statement.each_seed { per_seed.iter().all(inside) } else { inside(&value) })
        }
        _ => None,
    };
    let verdict = match (holds, statement.forced) {
        (Some(true), Some(Forced::Holds)) | (Some(false), Some(Forced::Fails)) => Verdict::ByConstruction,
        (Some(true), _) => Verdict::Reproduced,
        (Some(false), _) => Verdict::NotReproduced,
        (None, _) => Verdict::NotJudged,
    };
    let (otherwise, hangs_on) = match &statement.choice {
        Some(choice) => by_other_ways(choice, expected.zip(holds), measured),
        None => (None, None),
    };
    let controls: Vec<String> = statement
        .controls
        .iter()
        .filter_map(|control| {
            Some(control.words.replace("{}", &short(over_seeds(&values(control.value, measured))?)))
        })
        .collect();
    Entry {
        experiment: subject.name.to_owned(),
        claim: statement.text,
        source,
        paper: statement.paper,
        expected,
        measured: median_value,
        per_seed,
        verdict,
        holds,
        otherwise,
        hangs_on,
        control: (!controls.is_empty()).then(|| controls.join("; ")),
        reading: match holds {
            Some(true) => statement.readings[0],
            Some(false) => statement.readings[1],
            None => "",
        },
        decided_by: statement.decided_by.filter(|_| subject.synthetic),
        synthetic: subject.synthetic,
    }
}

/// What the other ways to choose give, and what is chosen if one of them falls on the other side of the band.
fn by_other_ways(
    choice: &Choice,
    judged: Option<([f64; 2], bool)>,
    measured: &[Measured],
) -> (Option<String>, Option<&'static str>) {
    let value = |way: Value| over_seeds(&values(way, measured));
    let ways: Vec<(&str, f64)> =
        choice.ways.iter().filter_map(|(words, way)| Some((*words, value(*way)?))).collect();
    let told: Vec<String> = ways.iter().map(|(words, value)| format!("{words} {}", short(*value))).collect();
    let hangs = judged.is_some_and(|([low, high], holds)| {
        ways.iter().any(|(_, value)| (low..=high).contains(value) != holds)
    });
    ((!told.is_empty()).then(|| told.join("; ")), hangs.then_some(choice.of))
}

/// A number as people read it.
#[must_use]
pub fn short(value: f64) -> String {
    if value == 0.0 || (1e-3..1e4).contains(&value.abs()) {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:.1e}")
    }
}

/// What the seeds measured. A figure without a value, such as a share of nobody, was not measured.
fn values(value: Value, measured: &[Measured]) -> Vec<f64> {
    measured.iter().filter_map(|seed| value.of(seed)).filter(|value| value.is_finite()).collect()
}

/// The median over seeds, if any measured the figure.
fn over_seeds(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| median(values))
}

/// The entry whose words hold these, on the full bank `base`, of one seed with these figures.
#[cfg(test)]
pub(crate) fn entry_on_base(holds: &str, figures: &[(crate::Figure, f64)]) -> Entry {
    let measured: Measured = figures.iter().map(|(figure, value)| (figure.to_string(), *value)).collect();
    let subject =
        Subject { name: "base", bank: Some(Bank::Base), full: true, partial: false, synthetic: true };
    let found = judge(&subject, &[measured]).into_iter().find(|entry| entry.claim.contains(holds));
    found.unwrap_or_else(|| panic!("no claim says {holds:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::{c01_elbow, c07_linear, c12_axes};
    use crate::figure::Figure;

    /// The full bank with weak effects.
    const BASE: Subject<'_> =
        Subject { name: "base", bank: Some(Bank::Base), full: true, partial: false, synthetic: true };

    fn seed(figure: Figure, value: f64) -> Measured {
        [(figure.to_string(), value)].into_iter().collect()
    }

    #[test]
    fn medians_and_numbers() {
        assert_eq!(over_seeds(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(over_seeds(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(over_seeds(&[]), None);
        assert_eq!(
            (short(0.5), short(12.0), short(1e-15), short(0.0)),
            ("0.5".into(), "12".into(), "1.0e-15".into(), "0".into())
        );
    }

    #[test]
    fn every_claim_of_the_papers_states_something() {
        let numbers: Vec<u8> = CLAIMS.iter().map(|claim| claim.number).collect();
        assert_eq!(numbers, (1..=19).collect::<Vec<u8>>());
        assert!(CLAIMS.iter().all(|claim| !(claim.statements)().is_empty()));
    }

    #[test]
    fn a_figure_is_judged_with_the_band_of_its_bank_and_size() {
        let verdict = |subject: &Subject<'_>, value: f64| {
            let entries = judge(subject, &[seed(c01_elbow::R2, value)]);
            entries.iter().find(|entry| entry.claim.starts_with("test R2")).unwrap().verdict
        };
        assert_eq!(verdict(&BASE, 0.945), Verdict::Reproduced);
        assert_eq!(verdict(&BASE, 0.90), Verdict::NotReproduced);
        assert_eq!(verdict(&Subject { bank: Some(Bank::Strong), ..BASE }, 0.945), Verdict::NotReproduced);
        let quick = Subject { full: false, ..BASE };
        assert_eq!(verdict(&quick, 0.945), Verdict::Reproduced);
        assert_eq!(verdict(&quick, 0.90), Verdict::NotReproduced);
        let bands = |subject: &Subject<'_>| -> Vec<Option<[f64; 2]>> {
            let entries = judge(subject, &[]).into_iter();
            entries.filter(|entry| entry.source == Source::Acceptance).map(|entry| entry.expected).collect()
        };
        assert_ne!(bands(&quick), bands(&BASE), "the quick size has bands of its own");
        assert_eq!(verdict(&Subject { bank: None, ..BASE }, 0.945), Verdict::NotJudged);
    }

    #[test]
    fn a_band_for_each_seed_asks_more_than_the_median() {
        let measured = [0.66, 0.59, 0.67].map(|r2| seed(c07_linear::R2_OLS, r2));
        let entries = judge(&BASE, &measured);
        let verdict = |name: &str| entries.iter().find(|entry| entry.claim.ends_with(name)).unwrap().verdict;
        assert_eq!(verdict("canonical frame, median"), Verdict::Reproduced);
        assert_eq!(verdict("canonical frame, each seed"), Verdict::NotReproduced);
    }

    #[test]
    fn what_follows_goes_with_the_verdict() {
        let reading = |nodes: f64, full| {
            let entries = judge(&Subject { full, ..BASE }, &[seed(c01_elbow::ELBOW, nodes)]);
            entries.into_iter().find(|entry| entry.source == Source::Claim(1)).unwrap().reading
        };
        assert!(reading(3.0, true).contains("where the paper finds it"));
        assert!(reading(2.0, true).contains("elsewhere"));
        assert_eq!(reading(3.0, false), reading(3.0, true), "a claim is judged on any data");
        assert_eq!(reading(f64::NAN, true), "", "a figure without a value was not measured");
    }

    /// The entry of the first statement whose words begin like this.
    fn entry(begins: &str, measured: &[Measured]) -> Entry {
        judge(&BASE, measured).into_iter().find(|entry| entry.claim.starts_with(begins)).unwrap()
    }

    #[test]
    fn what_cannot_be_otherwise_is_no_finding() {
        let cosine = |value| entry("directions agree", &[seed(c12_axes::COSINE_END, value)]);
        let found = cosine(0.95);
        assert_eq!(found.verdict, Verdict::ByConstruction);
        assert!(found.reading.contains("least-squares inverse"));
        assert_eq!(cosine(0.5).verdict, Verdict::NotReproduced);
    }

    #[test]
    fn a_verdict_says_on_which_choice_it_hangs() {
        let nodes = |fits: &[f64]| -> Measured {
            let all = fits.iter().enumerate().map(|(at, fit)| (c01_elbow::NODES.at(at + 1), *fit));
            all.chain([(c01_elbow::ELBOW, 3.0)]).map(|(figure, value)| (figure.to_string(), value)).collect()
        };
        // With up to five nodes the curve bends at two, with up to eight at three.
        let bent = entry("three nodes", &[nodes(&[0.52, 0.86, 0.945, 0.979, 0.998, 0.998, 0.998, 0.998])]);
        assert_eq!(
            (bent.verdict, bent.hangs_on),
            (Verdict::Reproduced, Some("the largest number of nodes that is tried"))
        );
        assert!(bent.otherwise.unwrap().starts_with("of at most 4 nodes 2; 5 2;"));
        let sharp = entry("three nodes", &[nodes(&[0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])]);
        assert_eq!(
            (sharp.hangs_on, sharp.otherwise.unwrap().as_str()),
            (None, "of at most 4 nodes 3; 5 3; 6 3; 7 3")
        );
    }

    #[test]
    fn of_a_partial_experiment_only_what_it_measured_is_told() {
        let entries = judge(&Subject { partial: true, ..BASE }, &[seed(c01_elbow::ELBOW, 3.0)]);
        assert_eq!(entries.len(), 1);
        assert!(judge(&BASE, &[]).len() > 60, "everything is told of the others, measured or not");
    }
}
