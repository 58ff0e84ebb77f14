//! Sets of features, made inside the fold.

use std::{collections::HashMap, path::Path, sync::OnceLock};

use anyhow::{Context, Result, bail, ensure};
use ndarray::{Array1, Array2, Axis as Dimension, concatenate};
use spendscape_lstm::{Dataset, NetworkParams, TrainParams};
use spendscape_outcomes::{
    BALANCE_FEATURES, BalanceHistory, Block, FeatureSet, Features, Learner, Outcome, SPENDING_FEATURES,
    SpendingHistory, Task, UNIT_MINOR,
};
use spendscape_run::{FromFile, Sourced, angle_names};
use spendscape_schema::{Coefficients, Panel, Table, TargetScaling, Targets, csv::Record, seed, tables};
use spendscape_segments::directions::{CanonicalFrame, final_states};
use spendscape_stats::Fold;

use crate::stages::columns::{number_of, read_columns};

/// Least number of steps in an epoch, so that a few hundred customers train a network at all.
const STEPS_PER_EPOCH: usize = 20;
/// Smallest minibatch.
const SMALLEST_BATCH: usize = 16;

/// Sets whose scores are compared, with what each is compared with: those that the claim is about.
pub(super) const COMPARED: [(&str, &str); 5] = [
    ("trajectory", "bespoke"),
    ("trajectory", "bespoke-no-balance"),
    ("trajectory", "shares"),
    ("combined", "bespoke"),
    ("combined-no-balance", "bespoke-no-balance"),
];

/// The features of the trajectory, and a user's own ones, such as demographic ones: their flags are compared between groups.
pub(super) const PARITY: (&str, &str) = ("trajectory", "features");
/// The one trait of coefficients that are fitted to an outcome.
const FITTED: &str = "fitted to the outcome";

/// What is known of the customers.
#[derive(Debug, Clone)]
pub(super) struct CustomerData {
    customers: Vec<String>,
    panel: Option<(Panel, Coefficients, Option<BalanceHistory>)>,
    /// The user's own features: names, and N x F.
    table: Option<(Vec<String>, Array2<f64>)>,
    /// Labels, if coefficients are fitted to them: of training customers only, in every fold anew.
    labels: Option<(Task, Array1<f64>)>,
    /// Blocks in which nothing is learned, made when a fold first asks: they are the same in every fold.
    fixed: OnceLock<Vec<(&'static str, Named)>>,
}

/// Names of features, and their values (N x F).
type Named = (Vec<String>, Array2<f64>);

/// The pipeline's features; the network is trained in every fold anew.
#[derive(Debug)]
pub(super) struct FoldFeatures {
    pub(super) units: usize,
    pub(super) seed: u64,
}

fn named(names: &[&str], values: Array2<f64>) -> Named {
    (names.iter().map(|name| (*name).to_owned()).collect(), values)
}

/// The length of each period in months.
fn months(panel: &Panel) -> Vec<f64> {
    let days = panel.periods.iter().map(|period| f64::from((period.end - period.start).get_days()));
    days.map(|days| days / (365.25 / 12.0)).collect()
}

/// Mean shares and those of the last period.
fn shares(panel: &Panel) -> Result<Named> {
    let last = panel.period_shares(panel.periods.len() - 1).mapv(f64::from);
    let mut names: Vec<String> = panel.classes.iter().map(|class| format!("mean share of {class}")).collect();
    names.extend(panel.classes.iter().map(|class| format!("last share of {class}")));
    Ok((names, concatenate(Dimension(1), &[panel.mean_shares().view(), last.view()])?))
}

/// A user's table of features.
#[derive(Debug, Clone)]
pub struct FeatureFile {
    /// Customers (N).
    pub customers: Vec<String>,
    /// Names of the features (F).
    pub names: Vec<String>,
    /// N x F.
    pub values: Array2<f64>,
}

impl FromFile for FeatureFile {
    fn from_file(path: &Path) -> Result<Self> {
        read_table(path)
    }
}

fn read_table(path: &Path) -> Result<FeatureFile> {
    let columns = read_columns(path, Table::Outcomes)?;
    let place = || format!("{}", path.display());
    columns.unique().with_context(place)?;
    let customer = columns.position("customer").with_context(place)?;
    let names: Vec<String> = columns
        .names
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != customer)
        .map(|(_, name)| name.clone())
        .collect();
    if names.is_empty() {
        bail!("{} has no column beside the customer", path.display());
    }
    let (mut customers, mut values) = (Vec::new(), Vec::new());
    let mut seen = HashMap::new();
    for Record { line, cells } in &columns.rows {
        if let Some(first) = seen.insert(cells[customer].clone(), line) {
            bail!(
                "{} line {line}: customer {:?} stands on line {first} already",
                path.display(),
                cells[customer]
            );
        }
        customers.push(cells[customer].clone());
        for (at, cell) in cells.iter().enumerate().filter(|(at, _)| *at != customer) {
            values.push(number_of(cell).with_context(|| {
                format!(
                    "{} line {line}, column {}: {cell:?} is no finite number up to 1e100",
                    path.display(),
                    columns.names[at]
                )
            })?);
        }
    }
    let values = Array2::from_shape_vec((customers.len(), names.len()), values)?;
    Ok(FeatureFile { customers, names, values })
}

/// The balances of the panel's customers.
pub(super) fn balances(stored: &Sourced<tables::Balances>, panel: &Panel) -> Result<BalanceHistory> {
    let table = &stored.value;
    let numbers: HashMap<&str, usize> =
        panel.customers.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let shape = (panel.len(), panel.periods.len());
    let mut found = Array2::from_elem(shape, false);
    let mut in_cells = |column: &[i64]| -> Array2<f64> {
        let mut values = Array2::zeros(shape);
        for (row, value) in column.iter().enumerate() {
            let period = usize::from(table.period[row]);
            if let Some(customer) = numbers.get(table.customer[row].as_str()).filter(|_| period < shape.1) {
                values[[*customer, period]] = *value as f64;
                found[[*customer, period]] = true;
            }
        }
        values
    };
    let balances = BalanceHistory {
        mean: in_cells(&table.balance_minor),
        lowest: in_cells(&table.lowest_minor),
        inflow: in_cells(&table.inflow_minor),
    };
    if let Some(((customer, period), _)) = found.indexed_iter().find(|(_, found)| !**found) {
        bail!(
            "{} has no balance of customer {:?} in period {period}: write it again, with the panel's window",
            stored.path.display(),
            panel.customers[customer]
        );
    }
    Ok(balances)
}

impl CustomerData {
    /// Joins panel and table; with both, only customers that stand in both are kept.
    pub(super) fn new(
        panel: Option<(Panel, Coefficients, Option<BalanceHistory>)>,
        table: Option<(Vec<String>, Vec<String>, Array2<f64>)>,
    ) -> Result<Self> {
        Ok(match (panel, table) {
            (None, None) => bail!("there is neither a panel nor a table of features"),
            (Some(panel), None) => {
                let customers = panel.0.customers.clone();
                Self { customers, panel: Some(panel), table: None, labels: None, fixed: OnceLock::new() }
            }
            (None, Some((customers, names, values))) => Self {
                customers,
                panel: None,
                table: Some((names, values)),
                labels: None,
                fixed: OnceLock::new(),
            },
            (Some(panel), Some((customers, names, values))) => {
                let numbers: HashMap<&str, usize> =
                    customers.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
                let rows: Vec<usize> = (0..panel.0.len())
                    .filter(|row| numbers.contains_key(panel.0.customers[*row].as_str()))
                    .collect();
                if rows.is_empty() {
                    bail!("no customer of the panel stands in the table of features");
                }
                let lost = panel.0.len() - rows.len();
                if lost > 0 {
                    tracing::warn!(customers = lost, "customers of the panel without features, left out");
                }
                let order: Vec<usize> =
                    rows.iter().map(|row| numbers[panel.0.customers[*row].as_str()]).collect();
                let values = values.select(Dimension(0), &order);
                let customers = panel.0.customers.clone();
                let joined =
                    Self { customers, panel: Some(panel), table: None, labels: None, fixed: OnceLock::new() };
                Self { table: Some((names, values)), ..joined.select(&rows) }
            }
        })
    }

    pub(super) fn customers(&self) -> &[String] {
        &self.customers
    }

    /// The same customers, whose coefficients are fitted to the outcome.
    ///
    /// # Errors
    /// If there is no panel, or the outcome has more than two levels: it has no single score.
    pub(super) fn fit_coefficients(self, outcome: &Outcome) -> Result<Self> {
        ensure!(self.panel.is_some(), "--fit-coefficients needs a panel");
        ensure!(
            outcome.task() != Task::Ordinal,
            "--fit-coefficients needs a binary or continuous outcome: an ordinal one has a score for each level"
        );
        Ok(Self { labels: Some((outcome.task(), outcome.values().clone())), ..self })
    }

    pub(super) fn select(&self, rows: &[usize]) -> Self {
        let take = |values: &Array2<f64>| values.select(Dimension(0), rows);
        Self {
            customers: rows.iter().map(|row| self.customers[*row].clone()).collect(),
            panel: self.panel.as_ref().map(|(panel, coefficients, balances)| {
                let balances = balances.as_ref().map(|balances| balances.select(rows));
                (panel.select(rows), coefficients.clone(), balances)
            }),
            table: self.table.as_ref().map(|(names, values)| (names.clone(), take(values))),
            labels: self.labels.as_ref().map(|(task, values)| (*task, values.select(Dimension(0), rows))),
            fixed: OnceLock::new(),
        }
    }

    /// Other data for some customers: their classes change places, their amounts, features and labels change.
    pub(super) fn altered(&self, rows: &[usize]) -> Self {
        let mut altered = Self { fixed: OnceLock::new(), ..self.clone() };
        let change = |values: &mut Array2<f64>, row: usize| {
            values.row_mut(row).mapv_inplace(|value| 1.0 - 2.0 * value);
        };
        for row in rows {
            if let Some((panel, _, balances)) = &mut altered.panel {
                for mut shares in panel.shares.index_axis_mut(Dimension(0), *row).rows_mut() {
                    let mut turned = shares.to_vec();
                    turned.rotate_right(1);
                    shares.assign(&Array1::from(turned));
                }
                panel.totals.row_mut(*row).mapv_inplace(|total| 3 * total + UNIT_MINOR as i64);
                if let Some(balances) = balances {
                    [&mut balances.mean, &mut balances.lowest, &mut balances.inflow]
                        .into_iter()
                        .for_each(|values| change(values, *row));
                }
            }
            if let Some((_, values)) = &mut altered.table {
                change(values, *row);
            }
            if let Some((_, values)) = &mut altered.labels {
                values[*row] = 1.0 - values[*row];
            }
        }
        altered
    }

    /// The blocks in which nothing is learned.
    fn fixed(&self) -> Result<&[(&'static str, Named)]> {
        if let Some(blocks) = self.fixed.get() {
            return Ok(blocks);
        }
        let mut blocks = Vec::new();
        if let Some((panel, _, balances)) = &self.panel {
            let history =
                SpendingHistory::new(panel.totals.view(), panel.shares.view(), panel.observed.view())?;
            blocks.push(("spending", named(&SPENDING_FEATURES, history.features())));
            blocks.push(("shares", shares(panel)?));
            if let Some(balances) = balances {
                let values = history.balance_features(&months(panel), balances)?;
                blocks.push(("balances", named(&BALANCE_FEATURES, values)));
            }
        }
        if let Some((names, values)) = &self.table {
            blocks.push(("features", (names.clone(), values.clone())));
        }
        Ok(self.fixed.get_or_init(|| blocks))
    }

    /// The sets that these data allow.
    pub(super) fn sets(&self) -> Vec<FeatureSet> {
        let mut sets = Vec::new();
        if let Some((_, _, balances)) = &self.panel {
            sets.push(FeatureSet::new("trajectory", &["trajectory"]));
            if balances.is_some() {
                sets.push(FeatureSet::new("bespoke", &["spending", "balances"]));
                sets.push(FeatureSet::new("bespoke-no-balance", &["spending"]));
                sets.push(FeatureSet::new("shares", &["shares"]));
                sets.push(FeatureSet::new("combined", &["trajectory", "spending", "balances"]));
                sets.push(FeatureSet::new("combined-no-balance", &["trajectory", "spending"]));
            } else {
                sets.push(FeatureSet::new("bespoke", &["spending"]));
                sets.push(FeatureSet::new("shares", &["shares"]));
                sets.push(FeatureSet::new("combined", &["trajectory", "spending"]));
            }
        }
        if self.table.is_some() {
            sets.push(FeatureSet::new("features", &["features"]));
        }
        sets
    }

    /// The set that reasons and scorecard use: the user's own features, otherwise the bespoke ones.
    pub(super) fn explained_set<'a>(&self, sets: &'a [FeatureSet]) -> &'a FeatureSet {
        let wanted = if self.table.is_some() { "features" } else { "bespoke" };
        sets.iter().find(|set| set.name == wanted).unwrap_or(&sets[0])
    }
}

impl Features<CustomerData> for FoldFeatures {
    fn fit(
        &self,
        data: &CustomerData,
        fold: &Fold,
    ) -> Result<Vec<Block>, Box<dyn std::error::Error + Send + Sync>> {
        self.blocks(data, fold).map_err(Into::into)
    }
}

impl FoldFeatures {
    /// Every block for one fold.
    pub(super) fn blocks(&self, data: &CustomerData, fold: &Fold) -> Result<Vec<Block>> {
        let block = |name: &str, (columns, values): &Named| Block {
            name: name.to_owned(),
            columns: columns.clone(),
            train: values.select(Dimension(0), &fold.train),
            test: values.select(Dimension(0), &fold.test),
        };
        let mut blocks: Vec<Block> = data.fixed()?.iter().map(|(name, named)| block(name, named)).collect();
        if let Some((panel, coefficients, _)) = &data.panel {
            let fitted =
                data.labels.as_ref().map(|labels| fit_coefficients(panel, labels, fold)).transpose()?;
            let coefficients = fitted.as_ref().unwrap_or(coefficients);
            blocks.push(block("trajectory", &self.trajectory(panel, coefficients, fold)?));
        }
        Ok(blocks)
    }

    /// States, angles and length of the trajectory, from a network that is trained on the fold's training customers to
    /// predict their grades.
    fn trajectory(&self, panel: &Panel, coefficients: &Coefficients, fold: &Fold) -> Result<Named> {
        let mut train = vec![false; panel.len()];
        fold.train.iter().for_each(|row| train[*row] = true);
        let targets = Targets::fit(panel, coefficients, &train, TargetScaling::Z3)?;
        let x = panel.shares.select(Dimension(0), &fold.train);
        let y = targets.grades.select(Dimension(0), &fold.train).mapv(|grade| grade as f32);
        let params = NetworkParams::lstm(panel.classes.len(), self.units).outputs(coefficients.traits.len());
        let mut network = params.init::<f32, _>(&mut seed::stream(self.seed, "weights", 0))?;
        let recipe = TrainParams::default();
        let batch = (fold.train.len() / STEPS_PER_EPOCH).clamp(SMALLEST_BATCH, 256);
        let mut order = seed::stream(self.seed, "minibatch order", 0);
        recipe.batch(batch).fit(&mut network, &Dataset::new(&x, &y)?, &mut order)?;
        let states = network.states(&panel.shares, 0)?.h.mapv(f64::from);
        let (customers, periods, units) = states.dim();
        let readout = network.dense_weight(0).context("the network has no output layer")?.mapv(f64::from);
        let ends = final_states(&states)?;
        let angles = CanonicalFrame::fit(&ends, &readout, &train)?.angles(&ends)?;
        let lengths: Array1<f64> = ends.rows().into_iter().map(|end| end.dot(&end).sqrt()).collect();
        let flat = states.to_shape((customers, periods * units))?.to_owned();
        let mut columns: Vec<String> = (0..periods * units)
            .map(|k| format!("state {} period {}", k % units + 1, k / units + 1))
            .collect();
        columns.extend(angle_names(units));
        columns.push("trajectory length".to_owned());
        let lengths = lengths.insert_axis(Dimension(1));
        Ok((columns, concatenate(Dimension(1), &[flat.view(), angles.view(), lengths.view()])?))
    }
}

/// Coefficients of one trait: what a linear model of the outcome gives each class's mean share, fitted on the fold's training
/// customers. The best that one trait can do where it is a sum over classes.
pub(super) fn fit_coefficients(
    panel: &Panel,
    (task, values): &(Task, Array1<f64>),
    fold: &Fold,
) -> Result<Coefficients> {
    let shares = panel.mean_shares().select(Dimension(0), &fold.train);
    let outcome = Outcome::new(*task, values)?;
    let model = Learner::Linear.params().fit(&shares, &outcome, &fold.train)?;
    // Contributions are linear in the shares, so that those of one class alone less those of none are its coefficient.
    let classes = panel.classes.len();
    let contributions = |shares: &Array2<f64>| -> Result<Array2<f64>> {
        model.contributions(shares)?.context("the linear model has no contributions")
    };
    let (each, none) = (contributions(&Array2::eye(classes))?, contributions(&Array2::zeros((1, classes)))?);
    let weights = (each.diag().to_owned() - none.row(0)).insert_axis(Dimension(1));
    Ok(Coefficients {
        classes: panel.classes.clone(),
        traits: vec![FITTED.to_owned()],
        weights,
        population_share: None,
    })
}
