//! Labels: a file of columns, joined with the customers of the panel.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use ndarray::Array1;
use spendscape_outcomes::Task;
use spendscape_schema::Table;

use super::{Kind, OutcomesOptions};
use crate::stages::columns::read_columns;

/// Levels up to which whole numbers are taken for an ordinal outcome.
const LEVELS: usize = 10;
/// What says that a label is missing.
const MISSING: [&str; 5] = ["", "NA", "NaN", "nan", "null"];

/// The labelled customers.
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

/// Reads the labels and finds their customers among `known`.
pub(super) fn read(options: &OutcomesOptions, known: &[String]) -> Result<Labels> {
    let path = options.labels.as_path();
    let columns = read_columns(path, Table::Outcomes)?;
    let customer = columns.position(path, "customer")?;
    let target = columns.position(path, &options.target)?;
    let best = options.best.as_deref().map(|name| columns.position(path, name)).transpose()?;
    let time = options.time.as_deref().map(|name| columns.position(path, name)).transpose()?;
    let groups: Vec<usize> =
        options.group.iter().map(|name| columns.position(path, name)).collect::<Result<_>>()?;
    let numbers: HashMap<&str, usize> =
        known.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let (mut missing, mut unknown) = (0, 0);
    let mut kept: Vec<(usize, usize, &[String])> = Vec::new();
    for (line, cells) in &columns.rows {
        let name = cells[customer].as_str();
        if let Some(first) = seen.insert(name, *line) {
            bail!("{} line {line}: customer {name:?} stands on line {first} already", path.display());
        }
        match numbers.get(name) {
            None => unknown += 1,
            Some(_) if MISSING.contains(&cells[target].as_str()) => missing += 1,
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
    let (task, values) = values(options, &texts)?;
    let number = |at: usize, name: &str| -> Result<Array1<f64>> {
        kept.iter().map(|(_, line, cells)| parse(options, name, *line, &cells[at])).collect()
    };
    let days = |at: usize| -> Result<Vec<i64>> {
        let day = |(_, line, cells): &(usize, usize, &[String])| {
            let day: jiff::civil::Date = cells[at].parse().with_context(|| {
                format!("{} line {line}: {:?} is no day YYYY-MM-DD", path.display(), cells[at])
            })?;
            Ok(i64::from((day - jiff::civil::date(1970, 1, 1)).get_days()))
        };
        kept.iter().map(day).collect()
    };
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
    let value: Option<f64> = text.parse().ok().filter(|value: &f64| value.is_finite());
    value.with_context(|| {
        format!("{} line {line}, column {column}: {text:?} is no finite number", options.labels.display())
    })
}

/// The kind of the outcome and its values.
fn values(options: &OutcomesOptions, texts: &[(usize, &str)]) -> Result<(Task, Array1<f64>)> {
    let mut distinct: Vec<&str> = texts.iter().map(|(_, text)| *text).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let numbers = |options| -> Result<Array1<f64>> {
        texts.iter().map(|(line, text)| parse(options, &options.target, *line, text)).collect()
    };
    let binary = options.kind == Kind::Binary || (options.kind == Kind::Auto && distinct.len() <= 2);
    if binary || options.adverse.is_some() {
        let adverse = |text: &str| match &options.adverse {
            Some(value) => text == value,
            None => ["1", "true", "yes", "True", "1.0"].contains(&text),
        };
        if distinct.len() > 2 && options.adverse.is_none() {
            bail!(
                "{}, column {}: a binary outcome has two values, this one has {} ({} ...): name the adverse one with --adverse",
                options.labels.display(),
                options.target,
                distinct.len(),
                distinct[..3].join(", ")
            );
        }
        if !distinct.iter().any(|text| adverse(text)) && distinct.len() == 2 {
            bail!(
                "{}, column {}: which of {} and {} is adverse? name it with --adverse",
                options.labels.display(),
                options.target,
                distinct[0],
                distinct[1]
            );
        }
        let value = |(_, text): &(usize, &str)| f64::from(u8::from(adverse(text)));
        return Ok((Task::Binary, texts.iter().map(value).collect()));
    }
    let values = numbers(options)?;
    let ordinal = match options.kind {
        Kind::Ordinal => true,
        Kind::Auto => distinct.len() <= LEVELS && values.iter().all(|value| value.fract() == 0.0),
        _ => false,
    };
    Ok((if ordinal { Task::Ordinal } else { Task::Continuous }, values))
}
