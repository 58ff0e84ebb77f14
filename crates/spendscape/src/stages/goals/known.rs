//! What is known beside the transactions: goals of classes, and covariates of customers.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};

use anyhow::{Context, Result, bail};
use spendscape_goals::GoalMap;
use spendscape_schema::{Flow, Table, csv::Record, tables};

use crate::stages::columns::{is_missing, read_columns};

/// Levels that a covariate may have; more are no groups of customers.
const MOST_LEVELS: usize = 100;

/// The classes of a ledger with their goals.
#[derive(Debug)]
pub(super) struct Goals {
    pub(super) map: String,
    /// The goal of all classes that the map does not name.
    pub(super) unmapped: Option<String>,
    pub(super) goals: Vec<String>,
    pub(super) classes: Vec<String>,
    pub(super) of_class: Vec<Option<usize>>,
    /// Classes whose money comes in, and has a goal all the same.
    pub(super) income: Vec<bool>,
    pub(super) unused: Vec<String>,
}

impl Goals {
    pub(super) fn new(
        taxonomy: tables::Taxonomy,
        map: Option<&str>,
        path: Option<&Path>,
        income: bool,
    ) -> Result<Self> {
        let tables::Taxonomy { class: classes, flow: flows, .. } = taxonomy;
        let is_income: Vec<bool> = flows.iter().map(|flow| income && flow == Flow::Income.name()).collect();
        let has_goal = |at: &usize| is_income[*at] || flows[*at] == Flow::Spending.name();
        let with_goal: Vec<usize> = (0..classes.len()).filter(has_goal).collect();
        let names: Vec<String> = with_goal.iter().map(|at| classes[*at].clone()).collect();
        let place = || path.map_or_else(|| "the taxonomy".to_owned(), |path| path.display().to_string());
        let map = match map {
            Some(text) => GoalMap::from_toml(text).with_context(place)?,
            None => GoalMap::identity(&names),
        };
        let resolved = map.resolve(&names).with_context(place)?;
        let mut of_class = vec![None; classes.len()];
        for (at, goal) in with_goal.iter().zip(&resolved.of_class) {
            of_class[*at] = Some(*goal);
        }
        let (goals, unused) = (resolved.goals, resolved.unused);
        let unmapped = map.unmapped().map(str::to_owned);
        let map = map.name().to_owned();
        Ok(Self { map, unmapped, goals, classes, of_class, income: is_income, unused })
    }
}

/// What is known of customers.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) names: Vec<String>,
    /// Levels of each covariate, sorted.
    pub(super) levels: Vec<Vec<String>>,
    pub(super) of: HashMap<String, Vec<u32>>,
}

impl Known {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let columns = read_columns(path, Table::GoalCustomers)?;
        let place = || format!("{}", path.display());
        columns.unique().with_context(place)?;
        let customer = columns.position("customer").with_context(place)?;
        let places: Vec<usize> = (0..columns.names.len()).filter(|at| *at != customer).collect();
        let mut known = Self::default();
        for at in &places {
            let levels: BTreeSet<&str> = columns
                .rows
                .iter()
                .map(|row| row.cells[*at].as_str())
                .filter(|cell| !is_missing(cell))
                .collect();
            if levels.len() > MOST_LEVELS {
                bail!(
                    "{}: column {} has {} different values; a covariate has at most {MOST_LEVELS} levels: cut numbers into \
                     bands, and leave columns out that name customers",
                    path.display(),
                    columns.names[*at],
                    levels.len()
                );
            }
            known.names.push(columns.names[*at].clone());
            known.levels.push(levels.into_iter().map(str::to_owned).collect());
        }
        for Record { line, cells } in &columns.rows {
            let level = |(at, levels): (&usize, &Vec<String>)| {
                // A missing value is unknown.
                levels.binary_search(&cells[*at]).unwrap_or(levels.len()) as u32
            };
            let levels = places.iter().zip(&known.levels).map(level).collect();
            if known.of.insert(cells[customer].clone(), levels).is_some() {
                bail!("{} line {line}: customer {:?} stands there twice", path.display(), cells[customer]);
            }
        }
        Ok(known)
    }

    pub(super) fn levels(&self, customer: &str) -> Vec<u32> {
        let unknown = || self.levels.iter().map(|levels| levels.len() as u32).collect();
        self.of.get(customer).cloned().unwrap_or_else(unknown)
    }
}
