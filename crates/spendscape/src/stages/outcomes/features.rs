//! Sets of features, made inside the fold.

use std::{collections::HashMap, path::Path};

use anyhow::{Context, Result, bail};
use ndarray::{Array1, Array2, ArrayView1, Axis as Dimension, concatenate, s};
use spendscape_lstm::{Dataset, NetworkParams, TrainParams};
use spendscape_outcomes::{Block, FeatureSet, Features, Fold};
use spendscape_schema::{Coefficients, Panel, TargetScaling, Targets, seed};
use spendscape_segments::{CanonicalFrame, final_states};

use super::labels::read_columns;
use crate::{
    run_folder::{File, RunFolder},
    stages::states::angle_names,
};

/// Least number of steps in an epoch, so that a few hundred customers train a network at all.
const STEPS_PER_EPOCH: usize = 20;
/// Smallest minibatch.
const SMALLEST_BATCH: usize = 16;
/// A tenth of a month: where the scale of balances passes from linear to logarithmic.
const LINEAR_MONTHS: f64 = 0.1;
/// One unit of the currency in minor units.
const UNIT_MINOR: f64 = 100.0;

/// Balances of each customer and period, N x T each, in minor units.
#[derive(Debug, Clone)]
pub(super) struct Balances {
    mean: Array2<f64>,
    lowest: Array2<f64>,
    inflow: Array2<f64>,
}

/// What is known of the customers.
#[derive(Debug, Clone)]
pub(super) struct CustomerData {
    customers: Vec<String>,
    panel: Option<(Panel, Coefficients, Option<Balances>)>,
    /// The user's own features: names, and N x F.
    table: Option<(Vec<String>, Array2<f64>)>,
}

/// The pipeline's features; the network is trained in every fold anew.
#[derive(Debug)]
pub(super) struct FoldFeatures {
    pub(super) units: usize,
    pub(super) seed: u64,
}

/// Reads a user's table of features: customers, and N x F.
pub(super) fn read_table(path: &Path) -> Result<(Vec<String>, Vec<String>, Array2<f64>)> {
    let columns = read_columns(path)?;
    let customer = columns.position(path, "customer")?;
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
    for (line, cells) in &columns.rows {
        if let Some(first) = seen.insert(cells[customer].clone(), line) {
            bail!(
                "{} line {line}: customer {:?} stands on line {first} already",
                path.display(),
                cells[customer]
            );
        }
        customers.push(cells[customer].clone());
        for (at, cell) in cells.iter().enumerate().filter(|(at, _)| *at != customer) {
            let value: Option<f64> = cell.parse().ok().filter(|value: &f64| value.is_finite());
            values.push(value.with_context(|| {
                format!(
                    "{} line {line}, column {}: {cell:?} is no finite number",
                    path.display(),
                    columns.names[at]
                )
            })?);
        }
    }
    let values = Array2::from_shape_vec((customers.len(), names.len()), values)?;
    Ok((customers, names, values))
}

/// Reads the balances of the panel's customers.
pub(super) fn read_balances(run: &RunFolder, panel: &Panel) -> Result<Balances> {
    let rows = run.read(File::Balances)?.rows;
    let (names, periods) = (rows.text("customer")?, rows.index("period")?);
    let numbers: HashMap<&str, usize> =
        panel.customers.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let shape = (panel.len(), panel.periods.len());
    let mut found = Array2::from_elem(shape, false);
    let mut read = |column: &str| -> Result<Array2<f64>> {
        let mut values = Array2::zeros(shape);
        for (row, value) in rows.integer(column)?.into_iter().enumerate() {
            let period = usize::from(periods[row]);
            if let Some(customer) = numbers.get(names[row].as_str()).filter(|_| period < shape.1) {
                values[[*customer, period]] = value as f64;
                found[[*customer, period]] = true;
            }
        }
        Ok(values)
    };
    let balances = Balances {
        mean: read("balance_minor")?,
        lowest: read("lowest_minor")?,
        inflow: read("inflow_minor")?,
    };
    if let Some(((customer, period), _)) = found.indexed_iter().find(|(_, found)| !**found) {
        bail!(
            "{} has no balance of customer {:?} in period {period}: write it again, with the panel's window",
            run.find(File::Balances).display(),
            panel.customers[customer]
        );
    }
    Ok(balances)
}

impl CustomerData {
    /// Joins panel and table; with both, only customers that stand in both are kept.
    pub(super) fn new(
        panel: Option<(Panel, Coefficients, Option<Balances>)>,
        table: Option<(Vec<String>, Vec<String>, Array2<f64>)>,
    ) -> Result<Self> {
        Ok(match (panel, table) {
            (None, None) => bail!("there is neither a panel nor a table of features"),
            (Some(panel), None) => {
                Self { customers: panel.0.customers.clone(), panel: Some(panel), table: None }
            }
            (None, Some((customers, names, values))) => {
                Self { customers, panel: None, table: Some((names, values)) }
            }
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
                let joined = Self { customers, panel: Some(panel), table: None }.select(&rows);
                Self { table: Some((names, values)), ..joined }
            }
        })
    }

    pub(super) fn customers(&self) -> &[String] {
        &self.customers
    }

    pub(super) fn select(&self, rows: &[usize]) -> Self {
        let take = |values: &Array2<f64>| values.select(Dimension(0), rows);
        Self {
            customers: rows.iter().map(|row| self.customers[*row].clone()).collect(),
            panel: self.panel.as_ref().map(|(panel, coefficients, balances)| {
                let balances = balances.as_ref().map(|balances| Balances {
                    mean: take(&balances.mean),
                    lowest: take(&balances.lowest),
                    inflow: take(&balances.inflow),
                });
                (panel.select(rows), coefficients.clone(), balances)
            }),
            table: self.table.as_ref().map(|(names, values)| (names.clone(), take(values))),
        }
    }

    /// Other data for some customers: their classes change places, their amounts and features change.
    pub(super) fn altered(&self, rows: &[usize]) -> Self {
        let mut altered = self.clone();
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
        }
        altered
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
        let block = |name: &str, (columns, values): (Vec<String>, Array2<f64>)| Block {
            name: name.to_owned(),
            columns,
            train: values.select(Dimension(0), &fold.train),
            test: values.select(Dimension(0), &fold.test),
        };
        let mut blocks = Vec::new();
        if let Some((panel, coefficients, balances)) = &data.panel {
            blocks.push(block("trajectory", self.trajectory(panel, coefficients, fold)?));
            blocks.push(block("spending", spending(panel)));
            blocks.push(block("shares", shares(panel)?));
            if let Some(balances) = balances {
                blocks.push(block("balances", balance_features(panel, balances)));
            }
        }
        if let Some((names, values)) = &data.table {
            blocks.push(block("features", (names.clone(), values.clone())));
        }
        Ok(blocks)
    }

    /// States, angles and length of the trajectory, from a network that is trained on the fold's training customers to
    /// predict their grades.
    fn trajectory(
        &self,
        panel: &Panel,
        coefficients: &Coefficients,
        fold: &Fold,
    ) -> Result<(Vec<String>, Array2<f64>)> {
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

/// Least-squares slope over the periods.
fn trend(values: ArrayView1<'_, f64>) -> f64 {
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let (mut along, mut spread) = (0.0, 0.0);
    for (t, value) in values.iter().enumerate() {
        let t = t as f64 - middle;
        along += t * value;
        spread += t * t;
    }
    if spread > 0.0 { along / spread } else { 0.0 }
}

fn mean(values: ArrayView1<'_, f64>) -> f64 {
    values.sum() / values.len() as f64
}

/// The bespoke features of spending.
fn spending(panel: &Panel) -> (Vec<String>, Array2<f64>) {
    let names = [
        "log spending, last period",
        "log spending, mean",
        "log spending, trend",
        "log spending, deviation",
        "share of periods with spending",
        "number of classes",
        "concentration",
        "change of mix",
    ];
    let logs = panel.totals.mapv(|total| (1.0 + total.max(0) as f64 / UNIT_MINOR).ln());
    let mut values = Array2::zeros((panel.len(), names.len()));
    for (row, mut features) in values.rows_mut().into_iter().enumerate() {
        let (log, shares) = (logs.row(row), panel.shares.index_axis(Dimension(0), row));
        let periods = log.len();
        let centre = mean(log);
        let variance = log.mapv(|value| (value - centre).powi(2)).sum() / periods as f64;
        let observed = panel.observed.row(row).iter().filter(|observed| **observed).count();
        let classes = shares.iter().filter(|share| **share > 0.0).count();
        let concentration: f64 = shares.iter().map(|share| f64::from(*share).powi(2)).sum();
        let steps = (1..periods).map(|t| {
            let pairs = shares.row(t).into_iter().zip(shares.row(t - 1));
            pairs.map(|(now, before)| 0.5 * f64::from((now - before).abs())).sum::<f64>()
        });
        let found = [
            log[periods - 1],
            centre,
            trend(log),
            variance.sqrt(),
            observed as f64 / periods as f64,
            classes as f64 / periods as f64,
            concentration / periods as f64,
            steps.sum::<f64>() / (periods.max(2) - 1) as f64,
        ];
        features.assign(&Array1::from(found.to_vec()));
    }
    (names.map(str::to_owned).to_vec(), values)
}

/// Mean shares and those of the last period.
fn shares(panel: &Panel) -> Result<(Vec<String>, Array2<f64>)> {
    let last = panel.period_shares(panel.periods.len() - 1).mapv(f64::from);
    let mut names: Vec<String> = panel.classes.iter().map(|class| format!("mean share of {class}")).collect();
    names.extend(panel.classes.iter().map(|class| format!("last share of {class}")));
    Ok((names, concatenate(Dimension(1), &[panel.mean_shares().view(), last.view()])?))
}

/// The bespoke features of balances.
fn balance_features(panel: &Panel, balances: &Balances) -> (Vec<String>, Array2<f64>) {
    let names = [
        "months held, last period",
        "months held, mean",
        "months held, trend",
        "months held, lowest",
        "inflow per outflow, last period",
        "inflow per outflow, mean",
    ];
    let months: Vec<f64> = panel
        .periods
        .iter()
        .map(|period| f64::from((period.end - period.start).get_days()) / (365.25 / 12.0))
        .collect();
    let mut values = Array2::zeros((panel.len(), names.len()));
    for (row, mut features) in values.rows_mut().into_iter().enumerate() {
        let totals = panel.totals.row(row).mapv(|total| total.max(0) as f64);
        // A period without outflow is measured by the customer's usual one.
        let usual = (totals.sum() / months.iter().sum::<f64>()).max(UNIT_MINOR);
        let monthly = |t: usize| if totals[t] > 0.0 { totals[t] / months[t].round().max(1.0) } else { usual };
        let periods = totals.len();
        let scaled = |balances: &Array2<f64>| -> Array1<f64> {
            (0..periods).map(|t| (balances[[row, t]] / monthly(t) / LINEAR_MONTHS).asinh()).collect()
        };
        let (held, lowest) = (scaled(&balances.mean), scaled(&balances.lowest));
        let ratio: Array1<f64> = (0..periods)
            .map(|t| ((balances.inflow[[row, t]].max(0.0) + UNIT_MINOR) / (totals[t] + UNIT_MINOR)).ln())
            .collect();
        let found = [
            held[periods - 1],
            mean(held.view()),
            trend(held.view()),
            lowest.iter().copied().fold(f64::INFINITY, f64::min),
            ratio[periods - 1],
            mean(ratio.slice(s![..])),
        ];
        features.assign(&Array1::from(found.to_vec()));
    }
    (names.map(str::to_owned).to_vec(), values)
}
