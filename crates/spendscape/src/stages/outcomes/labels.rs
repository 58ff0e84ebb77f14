//! Labels: a file of columns, joined with the customers of the panel.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use jiff::{Span, civil::Date};
use ndarray::Array1;
use spendscape_outcomes::Task;
use spendscape_run::{FromFile, Sourced};
use spendscape_schema::{CsvTable, Panel, Table, csv::Record, day};

use super::{Kind, OutcomesOptions};
use crate::stages::{
    anchors::Anchors,
    columns::{day_of, is_missing, number_of, read_columns},
};

/// Levels up to which whole numbers are taken for an ordinal outcome.
const LEVELS: usize = 10;
/// Values that are each other's opposite, the adverse one first.
const OPPOSITES: [[&str; 2]; 5] = [["1", "0"], ["true", "false"], ["yes", "no"], ["y", "n"], ["t", "f"]];

/// The labeled customers.
#[derive(Debug)]
pub(super) struct Labels {
    pub(super) task: Task,
    /// Rows of the customers in the data.
    pub(super) rows: Vec<usize>,
    pub(super) customers: Vec<String>,
    pub(super) values: Array1<f64>,
    pub(super) best: Option<Array1<f64>>,
    /// Name and value per customer of each group column.
    pub(super) groups: Vec<(String, Vec<String>)>,
    /// Days of a split by time.
    pub(super) days: Option<Vec<i64>>,
    /// What was left out, and how many.
    pub(super) counts: Vec<(&'static str, usize)>,
}

/// A file of labels.
#[derive(Debug, Clone)]
pub struct LabelFile {
    path: PathBuf,
    columns: CsvTable,
}

impl FromFile for LabelFile {
    fn from_file(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), columns: read_columns(path, Table::Outcomes)? })
    }
}

/// What a day beside the labels is compared with.
pub(super) struct Windows {
    has_panel: bool,
    last: Option<LastDay>,
}

impl Windows {
    /// Of a panel, if there is one, and the file of last days of the customers' own windows, if it was named.
    ///
    /// # Errors
    /// If the file is not the one that the panel was made with.
    pub(super) fn of(panel: Option<&Sourced<Panel>>, anchors: Option<&Anchors>) -> Result<Self> {
        let last = panel.map(|panel| LastDay::of_panel(panel, anchors)).transpose()?.flatten();
        Ok(Self { has_panel: panel.is_some(), last })
    }
}

/// Finds the customers of labels among `known`, those of the run's panel and features.
///
/// # Errors
/// Names the file, and line or column of what cannot be used.
pub(super) fn read(
    file: &LabelFile,
    windows: &Windows,
    options: &OutcomesOptions,
    known: &[String],
) -> Result<Labels> {
    let (path, columns) = (file.path.as_path(), &file.columns);
    let place = || format!("{}", path.display());
    let position = |name: &str| columns.position(name).with_context(place);
    let (customer, target) = (position("customer")?, position(&options.target)?);
    let best = options.best.as_deref().map(position).transpose()?;
    let time = options.time.as_deref().map(position).transpose()?;
    let groups: Vec<usize> = options.group.iter().map(|name| position(name)).collect::<Result<_>>()?;
    let numbers: HashMap<&str, usize> =
        known.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let (mut missing, mut unknown) = (0, 0);
    let mut kept: Vec<(usize, usize, &[String])> = Vec::new();
    for Record { line, cells } in &columns.rows {
        let name = cells[customer].as_str();
        if let Some(first) = seen.insert(name, *line) {
            bail!("{} line {line}: customer {name:?} stands on line {first} already", path.display());
        }
        match numbers.get(name) {
            None => unknown += 1,
            Some(_) if is_missing(&cells[target]) => missing += 1,
            Some(row) => kept.push((*row, *line, cells)),
        }
    }
    if kept.is_empty() {
        bail!(
            "{}: none of the {} customers has a label in column {} and a place in the panel ({unknown} are unknown there, {missing} have no label)",
            path.display(),
            columns.rows.len(),
            options.target
        );
    }
    // In the order of the data, so that the order of the labels' lines has no effect.
    kept.sort_by_key(|(row, ..)| *row);
    let texts: Vec<(usize, &str)> =
        kept.iter().map(|(_, line, cells)| (*line, cells[target].as_str())).collect();
    let (task, values) = values(options, &texts, missing)?;
    let number = |at: usize, name: &str| -> Result<Array1<f64>> {
        kept.iter().map(|(_, line, cells)| parse(options, name, *line, &cells[at])).collect()
    };
    let days = |at: usize| -> Result<Vec<i64>> {
        let day = |(_, line, cells): &(usize, usize, &[String])| {
            let day = day_of(&cells[at]).with_context(|| {
                format!(
                    "{} line {line}: {:?} is no day YYYY-MM-DD from 1900 to 2199",
                    path.display(),
                    cells[at]
                )
            })?;
            Ok(i64::from(day::number(day)))
        };
        kept.iter().map(day).collect()
    };
    for (at, name) in columns.names.iter().enumerate().filter(|(at, _)| ![customer, target].contains(at)) {
        // A column is one of days if most cells that have a value look like days.
        let cells: Vec<(usize, &[String])> = kept
            .iter()
            .map(|(_, line, cells)| (*line, *cells))
            .filter(|(_, cells)| !is_missing(&cells[at]))
            .collect();
        let like = cells.iter().filter(|(_, cells)| looks_like_day(&cells[at])).count();
        if !windows.has_panel || like == 0 || like < cells.len() - like {
            continue;
        }
        let mut days: Vec<(&str, Date)> = Vec::with_capacity(cells.len());
        for (line, cells) in cells {
            match day_of(&cells[at]) {
                Some(day) => days.push((&cells[customer], day)),
                None if options.allow_early_labels => {}
                None => bail!(
                    "{} line {line}, column {name}: {:?} is no day YYYY-MM-DD from 1900 to 2199, so that nothing says whether it \
                     comes after the panel's window: write it so, or, if it is not the day of the outcome, add \
                     --allow-early-labels",
                    path.display(),
                    cells[at]
                ),
            }
        }
        check_days(windows.last.as_ref(), name, &days, options.allow_early_labels).with_context(place)?;
    }
    let group = |at: &usize| {
        (columns.names[*at].clone(), kept.iter().map(|(_, _, cells)| cells[*at].clone()).collect())
    };
    Ok(Labels {
        task,
        rows: kept.iter().map(|(row, ..)| *row).collect(),
        customers: kept.iter().map(|(row, ..)| known[*row].clone()).collect(),
        values,
        best: best.map(|at| number(at, options.best.as_deref().unwrap_or_default())).transpose()?,
        groups: groups.iter().map(group).collect(),
        days: time.map(days).transpose()?,
        counts: vec![
            ("labels without a value, left out", missing),
            ("labels of customers whom the panel does not have, left out", unknown),
            ("customers of the panel without a label, left out", known.len() - kept.len()),
        ],
    })
}

fn parse(options: &OutcomesOptions, column: &str, line: usize, text: &str) -> Result<f64> {
    number_of(text).with_context(|| {
        format!(
            "{} line {line}, column {column}: {text:?} is no finite number up to 1e100",
            options.labels.display()
        )
    })
}

/// The last day that a customer's features know of.
enum LastDay {
    /// One day for all.
    Common(Date),
    /// A day of each customer's own, from the file of anchors.
    Own(HashMap<String, Date>),
}

impl LastDay {
    /// Of a panel; nothing where only a file that was not named tells.
    ///
    /// # Errors
    /// If the file of anchors is not the one that the panel was made with.
    fn of_panel(panel: &Sourced<Panel>, anchors: Option<&Anchors>) -> Result<Option<Self>> {
        match (panel.provenance.inputs.get("anchors"), anchors) {
            (Some(made_with), Some(anchors)) => {
                ensure!(
                    *made_with == anchors.digest,
                    "{} is not the file that the panel was made with: name the one of `ingest --anchors`",
                    anchors.path.display()
                );
                Ok(Some(Self::Own(anchors.days.clone())))
            }
            (Some(_), None) => Ok(None),
            (None, Some(anchors)) => {
                bail!("{}: the panel was made without `ingest --anchors`", anchors.path.display())
            }
            (None, None) => {
                let end = panel.value.periods.iter().map(|period| period.end).max();
                Ok(end.map(|end| Self::Common(end.saturating_sub(Span::new().days(1)))))
            }
        }
    }

    fn of(&self, customer: &str) -> Option<Date> {
        match self {
            Self::Common(day) => Some(*day),
            Self::Own(days) => days.get(customer).copied(),
        }
    }
}

/// Whether a text is a day, or three numbers of which one may be a year, in whatever order, with or without a time of day behind
/// them.
fn looks_like_day(text: &str) -> bool {
    let day = text.trim().split(['T', ' ']).next().unwrap_or_default();
    let is_number =
        |part: &&str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = day.split(['-', '/', '.']).collect();
    let is_like = match parts.as_slice() {
        [first, _, last] => parts.iter().all(is_number) && (first.len() == 4 || [2, 4].contains(&last.len())),
        _ => false,
    };
    is_like || day_of(text).is_some()
}

/// Refuses days beside the labels that do not lie after the panel's window, or after the customer's own: if they are those of the
/// outcomes, the features tell what came after them.
fn check_days(last: Option<&LastDay>, column: &str, days: &[(&str, Date)], allowed: bool) -> Result<()> {
    let Some(last) = last else {
        tracing::warn!(
            column,
            "labels with days, which cannot be compared with the last days of the customers' windows: name the file of \
             `ingest --anchors` with --anchors"
        );
        return Ok(());
    };
    let is_early = |(customer, day): &&(&str, Date)| last.of(customer).is_some_and(|last| *day <= last);
    let Some((customer, day)) = days.iter().find(is_early) else { return Ok(()) };
    let (early, of) = (days.iter().filter(is_early).count(), days.len());
    let (window, mend) = match last {
        LastDay::Common(end) => (
            format!("the panel's window, which ends with {end}"),
            "make the panel anew with `ingest --anchors`, a last day for each customer",
        ),
        LastDay::Own(days_of) => (
            format!("the customer's own window, which ends with {}", days_of[*customer]),
            "give `ingest --anchors` days before the outcomes",
        ),
    };
    let found = format!(
        "column {column}: {early} of {of} labels have a day that does not lie after the window of their features, as {day} of \
         {customer:?} and {window}"
    );
    if allowed {
        tracing::warn!("{found}: taken as it is, as --allow-early-labels says");
        return Ok(());
    }
    bail!(
        "{found}: if it is the day of the outcome, the features come from after it, and no score here could be had in time: {mend}; \
         if it is another day, go on with --allow-early-labels"
    )
}

/// A value as it is compared: numbers by what they are, words of yes and no without regard to case.
fn comparable(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    match text.parse::<f64>() {
        // Adding zero takes the sign from minus zero.
        Ok(value) if value.is_finite() => (value + 0.0).to_string(),
        _ if OPPOSITES.as_flattened().contains(&lower.as_str()) => lower,
        _ => text.to_owned(),
    }
}

/// The kind of the outcome and its values; `missing` customers have none.
fn values(options: &OutcomesOptions, texts: &[(usize, &str)], missing: usize) -> Result<(Task, Array1<f64>)> {
    let place = || format!("{}, column {}", options.labels.display(), options.target);
    // What reads as a number without being one (`inf`) is neither a class nor a value.
    if let Some((line, text)) = texts.iter().find(|(_, text)| text.parse().is_ok_and(|v: f64| !v.is_finite()))
    {
        bail!(
            "{} line {line}, column {}: {text:?} is no finite number",
            options.labels.display(),
            options.target
        );
    }
    let compared: Vec<String> = texts.iter().map(|(_, text)| comparable(text)).collect();
    // Of each value, how often it is there and how it is written first.
    let mut counts: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for (value, (_, text)) in compared.iter().zip(texts) {
        counts.entry(value.as_str()).or_insert((0, *text)).0 += 1;
    }
    let written: Vec<&str> = counts.values().map(|(_, text)| *text).collect();
    if let [only] = written.as_slice() {
        bail!(
            "{}: all {} customers with a value have the one value {only}, where an outcome has two values or more ({missing} \
             have none)",
            place(),
            texts.len()
        );
    }
    let binary = options.kind == Kind::Binary || (options.kind == Kind::Auto && counts.len() == 2);
    if binary || options.adverse.is_some() {
        let adverse = match &options.adverse {
            Some(value) => comparable(value),
            None => {
                let [first, second] = written.as_slice() else {
                    bail!(
                        "{}: a binary outcome has two values, this one has {} ({} ...): name the adverse one with --adverse",
                        place(),
                        written.len(),
                        written[..3].join(", ")
                    );
                };
                let opposites = |pair: &&[&str; 2]| pair.iter().all(|value| counts.contains_key(value));
                let Some([adverse, _]) = OPPOSITES.iter().find(opposites) else {
                    bail!(
                        "{}: {first} and {second} are no known opposites (1 and 0, true and false, yes and no): name the \
                         adverse one with --adverse, and leave empty what is no label",
                        place()
                    );
                };
                (*adverse).to_owned()
            }
        };
        let Some((events, _)) = counts.get(adverse.as_str()) else {
            bail!(
                "{}: no customer has the adverse value {adverse}; there are {}",
                place(),
                written.join(", ")
            );
        };
        let others = counts.iter().filter(|(value, _)| **value != adverse);
        let others: Vec<String> = others.map(|(_, (count, text))| format!("{text} ({count})")).collect();
        let others = others.join(", ");
        tracing::info!(customers = texts.len(), events, "labels, {adverse} being the event, not {others}");
        if counts.len() > 2 {
            tracing::warn!("several values count as no event: {others}");
        }
        let value = |value: &String| f64::from(u8::from(*value == adverse));
        return Ok((Task::Binary, compared.iter().map(value).collect()));
    }
    let has = |value: &str| counts.contains_key(value);
    if options.kind == Kind::Auto && counts.len() == 3 && has("0") && has("1") && !has("2") {
        // Such as 9 and -1 in surveys.
        let other =
            counts.iter().find(|(value, _)| !["0", "1"].contains(*value)).map_or("", |(_, (_, text))| text);
        bail!(
            "{}: beside 0 and 1 stands {other}: leave it empty if it means that there is no value, or say with --kind or \
             --adverse what the outcome is",
            place()
        );
    }
    let values: Array1<f64> = texts
        .iter()
        .map(|(line, text)| parse(options, &options.target, *line, text))
        .collect::<Result<_>>()?;
    let ordinal = match options.kind {
        Kind::Ordinal => true,
        Kind::Auto => counts.len() <= LEVELS && values.iter().all(|value| value.fract() == 0.0),
        _ => false,
    };
    let (task, kind) =
        if ordinal { (Task::Ordinal, "an ordinal") } else { (Task::Continuous, "a continuous") };
    tracing::info!(customers = texts.len(), values = counts.len(), "labels of {kind} outcome");
    Ok((task, values))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    /// The options as the command line reads them.
    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        options: OutcomesOptions,
    }

    fn options(more: &[&str]) -> OutcomesOptions {
        let words = ["", "--labels", "labels.csv", "--target", "bad"];
        Command::parse_from(words.iter().chain(more)).options
    }

    fn of(texts: &[&str], more: &[&str]) -> Result<(Task, Vec<f64>)> {
        let texts: Vec<(usize, &str)> = (2..).zip(texts.iter().copied()).collect();
        values(&options(more), &texts, 0).map(|(task, values)| (task, values.to_vec()))
    }

    fn refusal(texts: &[&str], more: &[&str]) -> String {
        of(texts, more).unwrap_err().to_string()
    }

    #[test]
    fn opposites_make_a_binary_outcome() {
        for [adverse, other] in [
            ["1", "0"],
            ["1.0", "0.0"],
            ["TRUE", "FALSE"],
            ["True", "false"],
            ["Y", "N"],
            ["yes", "No"],
            ["t", "f"],
            ["1", "-0.0"],
        ] {
            let (task, values) = of(&[adverse, other, other], &[]).unwrap();
            assert_eq!((task, values), (Task::Binary, vec![1.0, 0.0, 0.0]), "{adverse} {other}");
        }
        // One number written in two ways is one value.
        assert_eq!(of(&["1", "1.0", "0"], &[]).unwrap(), (Task::Binary, vec![1.0, 1.0, 0.0]));
    }

    #[test]
    fn what_is_no_known_opposite_is_refused() {
        for second in ["unknown", "2", "-1", "no", "false", "A", "x"] {
            for texts in [["1", second], [second, "1"]] {
                let message = refusal(&texts, &[]);
                assert!(
                    message.contains("labels.csv, column bad") && message.contains("--adverse"),
                    "{message}"
                );
                assert!(message.contains(second), "{message}");
            }
        }
        assert!(refusal(&["A", "B", "C"], &["--kind", "binary"]).contains("--adverse"));
        assert_eq!(of(&["A", "B", "A"], &["--adverse", "A"]).unwrap(), (Task::Binary, vec![1.0, 0.0, 1.0]));
        assert_eq!(of(&["Yes", "no"], &["--adverse", "no"]).unwrap().1, [0.0, 1.0]);
        let absent = refusal(&["A", "B"], &["--adverse", "C"]);
        assert!(absent.contains("adverse value C") && absent.contains("A, B"), "{absent}");
    }

    #[test]
    fn a_third_value_beside_zero_and_one_is_explained_or_refused() {
        for third in ["9", "-1", "99", "0.5", "3"] {
            let message = refusal(&["0", "1", third, "1"], &[]);
            assert!(
                message.contains(&format!("beside 0 and 1 stands {third}")) && message.contains("--kind"),
                "{message}"
            );
            assert_eq!(of(&["0", "1", third], &["--kind", "continuous"]).unwrap().0, Task::Continuous);
            assert_eq!(of(&["0", "1", third], &["--adverse", "1"]).unwrap().1, [0.0, 1.0, 0.0]);
        }
    }

    #[test]
    fn constant_and_infinite_labels_are_told_as_they_are_written() {
        let constant = refusal(&["3.5", "3.50"], &[]);
        assert!(constant.contains("all 2 customers with a value have the one value 3.5"), "{constant}");
        for text in ["inf", "-inf", "Infinity", "-NaN"] {
            for other in ["0", "1"] {
                let message = refusal(&[other, text], &[]);
                assert!(message.contains("line 3, column bad"), "{message}");
                assert!(message.contains(text), "{message}");
            }
        }
    }

    #[test]
    fn numbers_stay_numbers() {
        assert_eq!(of(&["0", "1", "2"], &[]).unwrap().0, Task::Ordinal);
        assert_eq!(of(&["0.5", "1", "2"], &[]).unwrap().0, Task::Continuous);
        assert_eq!(of(&["2", "3"], &["--kind", "continuous"]).unwrap(), (Task::Continuous, vec![2.0, 3.0]));
    }
}
