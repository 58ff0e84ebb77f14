//! The papers' claims and the acceptance rows: which figure decides, in which interval, and what the controls say.

mod acceptance;
mod papers;

use spendscape_stats::median;

use super::{
    experiments::Experiment,
    summary::{Entry, Measured, Verdict},
};

/// How the figure of an entry is found in what one seed measured.
type Figure = fn(&Measured) -> Option<f64>;

/// Intervals of the two synthetic banks.
enum Expected {
    /// The same for both banks.
    Both(f64, f64),
    /// `base`, then `strong`.
    Each([f64; 2], [f64; 2]),
}

/// Where a row comes from.
#[derive(Clone, Copy)]
enum Source {
    Acceptance,
    Claim(u8),
}

impl Source {
    fn name(self) -> String {
        match self {
            Self::Acceptance => ACCEPTANCE.to_owned(),
            Self::Claim(number) => format!("claim {number}"),
        }
    }
}

/// The source of an acceptance row in the summary.
pub(super) const ACCEPTANCE: &str = "acceptance";

struct Row {
    source: Source,
    claim: &'static str,
    paper: Option<&'static str>,
    figure: Figure,
    expected: Expected,
    /// Whether every seed must lie in the interval, rather than their median.
    each_seed: bool,
    /// Figures to set beside it, with words around the number at `{}`.
    controls: Vec<(&'static str, Figure)>,
    /// What follows if the claim holds, and if it does not.
    readings: [&'static str; 2],
    /// Whether the interval also holds for fewer customers and real data.
    everywhere: bool,
}

impl Row {
    fn new(source: Source, claim: &'static str, figure: Figure, expected: Expected) -> Self {
        Self {
            source,
            claim,
            paper: None,
            figure,
            expected,
            each_seed: false,
            controls: Vec::new(),
            readings: ["", ""],
            everywhere: false,
        }
    }

    /// The paper's own figure.
    fn paper(self, paper: &'static str) -> Self {
        Self { paper: Some(paper), ..self }
    }

    /// One more figure beside it.
    fn control(mut self, words: &'static str, figure: Figure) -> Self {
        self.controls.push((words, figure));
        self
    }

    fn readings(self, holds: &'static str, fails: &'static str) -> Self {
        Self { readings: [holds, fails], ..self }
    }

    fn for_each_seed(self) -> Self {
        Self { each_seed: true, ..self }
    }

    fn everywhere(self) -> Self {
        Self { everywhere: true, ..self }
    }
}

fn get(measured: &Measured, name: &str) -> Option<f64> {
    measured.get(name).copied().filter(|value| value.is_finite())
}

fn minus(measured: &Measured, a: &str, b: &str) -> Option<f64> {
    Some(get(measured, a)? - get(measured, b)?)
}

/// The largest difference between two families of figures `a.1, a.2, ...` and `b.1, b.2, ...`.
fn widest(measured: &Measured, a: &str, b: &str, count: usize) -> Option<f64> {
    (1..=count).try_fold(0.0, |widest, k| {
        let difference = minus(measured, &format!("{a}.{k}"), &format!("{b}.{k}"))?;
        Some(f64::max(widest, difference.abs()))
    })
}

/// Shorthand for a figure that is one named metric, or the difference of two.
macro_rules! metric {
    ($name:literal) => {
        |measured| get(measured, $name)
    };
    ($a:literal - $b:literal) => {
        |measured| minus(measured, $a, $b)
    };
}
use metric;

/// Judges every row and claim on what the seeds of one experiment measured. Bands hold for the full synthetic banks;
/// elsewhere only what is true of any data is judged.
pub(crate) fn judge(experiment: &Experiment, measured: &[Measured], full: bool) -> Vec<Entry> {
    acceptance::rows()
        .iter()
        .chain(&papers::rows())
        // Of an experiment that measures an outcome or goals alone only what it measured is of interest.
        .filter(|row| !experiment.is_partial() || measured.iter().any(|seed| (row.figure)(seed).is_some()))
        .map(|row| judge_row(row, experiment, measured, full))
        .collect()
}

fn judge_row(row: &Row, experiment: &Experiment, measured: &[Measured], full: bool) -> Entry {
    let values = |figure: Figure| -> Vec<f64> { measured.iter().filter_map(figure).collect() };
    let per_seed = values(row.figure);
    let expected = match (&row.expected, experiment.preset()) {
        (Expected::Both(low, high), _)
        | (Expected::Each([low, high], _), Some("base"))
        | (Expected::Each(_, [low, high]), Some(_)) => Some([*low, *high]),
        (Expected::Each(..), None) => None,
    };
    let judged = row.everywhere || (full && experiment.preset().is_some());
    let median_value = over_seeds(&per_seed);
    let verdict = match (median_value, expected) {
        (Some(value), Some([low, high])) if judged => {
            let inside = |value: &f64| (low..=high).contains(value);
            let holds = if row.each_seed { per_seed.iter().all(inside) } else { inside(&value) };
            if holds { Verdict::Reproduced } else { Verdict::NotReproduced }
        }
        _ => Verdict::NotJudged,
    };
    let controls: Vec<String> = row
        .controls
        .iter()
        .filter_map(|(words, figure)| Some(words.replace("{}", &short(over_seeds(&values(*figure))?))))
        .collect();
    let reading = match verdict {
        Verdict::Reproduced => row.readings[0],
        Verdict::NotReproduced => row.readings[1],
        Verdict::NotJudged => "",
    };
    Entry {
        experiment: experiment.name().to_owned(),
        claim: row.claim.to_owned(),
        source: row.source.name(),
        paper: row.paper.map(str::to_owned),
        expected,
        measured: median_value,
        per_seed,
        verdict,
        control: (!controls.is_empty()).then(|| controls.join("; ")),
        reading: reading.to_owned(),
    }
}

/// A number as people read it.
pub(crate) fn short(value: f64) -> String {
    if value == 0.0 || (1e-3..1e4).contains(&value.abs()) {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:.1e}")
    }
}

/// The median over seeds, if any measured the figure.
fn over_seeds(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| median(values))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn every_claim_of_the_papers_has_an_entry() {
        let mut sources: Vec<u8> = papers::rows()
            .iter()
            .filter_map(|row| match row.source {
                Source::Claim(number) => Some(number),
                Source::Acceptance => None,
            })
            .collect();
        sources.sort_unstable();
        sources.dedup();
        assert_eq!(sources, (1..=19).collect::<Vec<u8>>());
    }

    #[test]
    fn a_figure_inside_its_interval_is_reproduced_on_the_full_bank_only() {
        let experiments = Experiment::all(26_000, None);
        let base = experiments.iter().find(|experiment| experiment.name() == "base").unwrap();
        let real = experiments.iter().find(|experiment| experiment.name() == "berka-early").unwrap();
        let verdict = |experiment, value: f64, full| {
            let measured = [Measured::from([("fit.r2".to_owned(), value)])];
            let entries = judge(experiment, &measured, full);
            entries.iter().find(|entry| entry.claim.starts_with("test R2")).unwrap().verdict
        };
        assert_eq!(verdict(base, 0.945, true), Verdict::Reproduced);
        assert_eq!(verdict(base, 0.90, true), Verdict::NotReproduced);
        assert_eq!(verdict(base, 0.945, false), Verdict::NotJudged);
        assert_eq!(verdict(real, 0.945, true), Verdict::NotJudged);
    }
    #[test]
    fn a_band_for_each_seed_asks_more_than_the_median() {
        let experiments = Experiment::all(26_000, None);
        let base = experiments.iter().find(|experiment| experiment.name() == "base").unwrap();
        let measured = [0.66, 0.59, 0.67].map(|r2| Measured::from([("surrogate.r2.ols".to_owned(), r2)]));
        let entries = judge(base, &measured, true);
        let verdict = |name: &str| entries.iter().find(|entry| entry.claim.ends_with(name)).unwrap().verdict;
        assert_eq!(verdict("canonical frame, median"), Verdict::Reproduced);
        assert_eq!(verdict("canonical frame, each seed"), Verdict::NotReproduced);
    }

    #[test]
    fn what_follows_goes_with_the_verdict() {
        let experiments = Experiment::all(26_000, None);
        let base = experiments.iter().find(|experiment| experiment.name() == "base").unwrap();
        let reading = |nodes: f64, full| {
            let entries = judge(base, &[Measured::from([("fit.elbow".to_owned(), nodes)])], full);
            entries.into_iter().find(|entry| entry.source == "claim 1").unwrap().reading
        };
        assert!(reading(3.0, true).contains("where the paper finds it"));
        assert!(reading(2.0, true).contains("elsewhere"));
        assert_eq!(reading(3.0, false), "");
    }
}
