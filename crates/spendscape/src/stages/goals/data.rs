//! The groups of a run, whole or block by block.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use anyhow::{Context, Result, bail};
use ndarray::{Array2, Axis, s};
use serde::de::DeserializeOwned;
use spendscape_goals::{
    Covariates, Error, NewGroup, Sequences, SequencesBuilder, Target,
    applications::Classes,
    model::{Block, Blocks},
};
use spendscape_run::{File, Found, Inputs, LongTable, Sourced, Sources};
use spendscape_schema::{
    arrays::Rows,
    tables::{GoalGroupColumns, GoalGroups, GoalRoster},
};

const NAMES: GoalGroupColumns<&str> = GoalGroups::NAMES;

/// What the groups of a run are made of, and where they are.
#[derive(Debug)]
pub struct GoalData {
    table: LongTable,
    /// Sorted.
    pub(super) customers: Vec<String>,
    /// Customers of each block.
    blocks: Vec<Range<usize>>,
    /// Groups of each customer.
    groups: Vec<usize>,
    pub(super) labels: Labels,
    /// Customers x covariates.
    levels: Array2<u16>,
    /// Last day that counts.
    pub(super) last_day: i32,
    pub(super) goal_of_class: Vec<Option<usize>>,
}

/// What numbers in groups and covariates stand for: a model knows those that it was trained on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Labels {
    /// Goals.
    pub goals: Vec<String>,
    /// Channels.
    pub channels: Vec<String>,
    /// Places beside them.
    pub places: Vec<String>,
    /// Classes.
    pub classes: Vec<String>,
    /// Covariates.
    pub covariates: Vec<String>,
    /// Levels of each covariate.
    pub levels: Vec<Vec<String>>,
}

impl GoalData {
    /// Groups and who the customers are.
    ///
    /// # Errors
    /// If the tables do not fit each other.
    pub fn new(groups: LongTable, roster: Sourced<GoalRoster>) -> Result<Self> {
        let table = groups;
        let labels = Labels {
            goals: parse(table.note("goals")?)?,
            channels: parse(table.note("channels")?)?,
            places: parse(table.note("places")?)?,
            classes: parse(table.note("classes")?)?,
            covariates: parse(table.note("covariates")?)?,
            levels: parse(table.note("covariate_levels")?)?,
        };
        let goal_of_class = parse(table.note("goal_of_class")?)?;
        let last_day = parse(table.note("last_day")?)?;
        let Sourced { value: roster, path, .. } = roster;
        let place = path.display();
        let customers = roster.customer;
        let groups = roster.groups.into_iter().map(|groups| groups.max(0) as usize).collect();
        let mut blocks: Vec<Range<usize>> = Vec::new();
        for (n, block) in roster.block.into_iter().enumerate() {
            let known = blocks.len() as i64;
            match blocks.last_mut() {
                Some(last) if block + 1 == known => last.end = n + 1,
                _ if block == known => blocks.push(n..n + 1),
                _ => bail!("{place} row {n}: block {block} is out of order"),
            }
        }
        let width = labels.covariates.len();
        let rows = roster.covariates;
        let mut levels = Array2::zeros((customers.len(), width));
        for (n, row) in rows.iter().enumerate() {
            if row.len() != width {
                bail!("{place} row {n}: {} covariates, the groups have {width}", row.len());
            }
            levels.row_mut(n).iter_mut().zip(row).for_each(|(to, level)| *to = *level as u16);
        }
        Ok(Self { table, customers, blocks, groups, labels, levels, last_day, goal_of_class })
    }

    pub(super) fn classes(&self) -> Result<Classes<'_>> {
        Ok(Classes::new(&self.labels.classes, &self.goal_of_class)?)
    }

    pub(super) fn block_customers(&self) -> &[Range<usize>] {
        &self.blocks
    }

    /// Covariates of some customers.
    pub(super) fn covariates(&self, customers: Range<usize>) -> Result<Covariates> {
        let sizes = self.labels.levels.iter().map(Vec::len).collect();
        Ok(Covariates::new(sizes, &self.levels.slice(s![customers, ..]).to_owned())?)
    }

    /// Covariates of these customers.
    pub(super) fn covariates_of(&self, customers: &[usize]) -> Result<Covariates> {
        let sizes = self.labels.levels.iter().map(Vec::len).collect();
        Ok(Covariates::new(sizes, &self.levels.select(Axis(0), customers))?)
    }

    /// The groups of one block's customers.
    pub(super) fn load(&self, block: usize) -> Result<Sequences> {
        let mut builder = SequencesBuilder::new(self.labels.goals.clone());
        self.read(block, |_| true, &mut builder)?;
        Ok(builder.finish())
    }

    /// The groups of all customers.
    pub(super) fn all(&self) -> Result<Sequences> {
        self.select(|_| true)
    }

    /// The groups of the customers that `keep` says, in their order.
    pub(super) fn select(&self, keep: impl Fn(usize) -> bool) -> Result<Sequences> {
        let mut builder = SequencesBuilder::new(self.labels.goals.clone());
        for block in 0..self.blocks.len() {
            self.read(block, &keep, &mut builder)?;
        }
        Ok(builder.finish())
    }

    fn has_groups(&self, block: usize) -> bool {
        self.groups[self.blocks[block].clone()].iter().any(|groups| *groups > 0)
    }

    fn read(&self, block: usize, keep: impl Fn(usize) -> bool, builder: &mut SequencesBuilder) -> Result<()> {
        let place = || format!("{}, block {block}", self.table.path().display());
        if !self.has_groups(block) {
            // Parquet has no row group without rows.
            self.blocks[block].clone().filter(|n| keep(*n)).for_each(|_| builder.customer());
            return Ok(());
        }
        let row_group = (0..block).filter(|block| self.has_groups(*block)).count();
        let batches = self.table.group(row_group)?;
        let schema = batches.first().with_context(place)?.schema();
        let rows = Rows::new(&schema, &batches).with_context(place)?;
        let number = |list: &[String]| -> HashMap<String, u16> {
            list.iter().enumerate().map(|(at, name)| (name.clone(), at as u16)).collect()
        };
        let (goal_of, class_of) = (number(&self.labels.goals), number(&self.labels.classes));
        let (channel_of, place_of) = (number(&self.labels.channels), number(&self.labels.places));
        let (customers, customer_names) = rows.category(NAMES.customer)?;
        let customer_of: Vec<Option<usize>> =
            customer_names.iter().map(|name| self.customers.binary_search(name).ok()).collect();
        let (goals, goal_names) = rows.category(NAMES.goal)?;
        let (channels, channel_names) = rows.category(NAMES.channel)?;
        let (classes, class_names) = rows.category(NAMES.class)?;
        let find = |numbers: &HashMap<String, u16>, names: &[String]| -> Vec<Option<u16>> {
            names.iter().map(|name| numbers.get(name).copied()).collect()
        };
        let (goal_of, class_of) = (find(&goal_of, &goal_names), find(&class_of, &class_names));
        let (places, place_names) = rows.category(NAMES.place)?;
        let (channel_of, place_of) = (find(&channel_of, &channel_names), find(&place_of, &place_names));
        let hours = rows.integer(NAMES.hour)?;
        let (days, spent) = (rows.date(NAMES.day)?, rows.integer(NAMES.spent_minor)?);
        let positions = rows.integer(NAMES.position)?;
        let others = [&self.labels.channels, &self.labels.places].map(|names| names.len() as u16);
        let (mut row, mut items) = (0, Vec::new());
        for n in self.blocks[block].clone() {
            if keep(n) {
                builder.customer();
            }
            for position in 0..self.groups[n] {
                let first = row;
                items.clear();
                while row < days.len()
                    && customer_of[customers[row]] == Some(n)
                    && positions[row] == position as i64
                {
                    let class = class_of[classes[row]]
                        .with_context(|| format!("{} row {row}: an unknown class", place()))?;
                    items.push((class, spent[row]));
                    row += 1;
                }
                if row == first {
                    bail!("{}: group {position} of customer {:?} is missing", place(), self.customers[n]);
                }
                let goal = goal_of[goals[first]]
                    .with_context(|| format!("{} row {first}: an unknown goal", place()))?;
                let channel = channel_of[channels[first]].unwrap_or(others[0]);
                let place_at = place_of[places[first]].unwrap_or(others[1]);
                let hour = u8::try_from(hours[first]).unwrap_or(u8::MAX);
                if keep(n) {
                    let group = NewGroup { day: days[first], goal, channel, place: place_at, hour };
                    builder.group(group, &items).with_context(place)?;
                }
            }
        }
        if row != days.len() {
            bail!("{} has {} rows, of which the roster explains {row}", place(), days.len());
        }
        Ok(())
    }
}

impl Inputs for GoalData {
    fn files() -> Vec<File> {
        vec![File::GoalGroups, File::GoalRoster]
    }

    fn find(_: &Sources<'_>) -> Result<Found> {
        let mut found = Found::default();
        found.add(File::GoalGroups);
        found.add(File::GoalRoster);
        Ok(found)
    }

    fn read(sources: &Sources<'_>, _: &Found) -> Result<Self> {
        let (path, _) = sources.run().need(File::GoalGroups)?;
        Self::new(LongTable::open(path, File::GoalGroups.table())?, sources.run().table(File::GoalRoster)?)
    }
}

fn parse<T: DeserializeOwned>(value: &serde_json::Value) -> Result<T> {
    Ok(serde_json::from_value(value.clone())?)
}

/// Groups read from their table block by block, for training.
pub(super) struct ParquetBlocks<'a> {
    pub(super) data: &'a GoalData,
    /// Groups of each customer that are trained on.
    pub(super) train: &'a [usize],
    /// Validation targets, by customer.
    pub(super) validation: &'a [Target],
}

impl Blocks for ParquetBlocks<'_> {
    fn blocks(&self) -> usize {
        self.data.blocks.len()
    }

    fn load(&self, block: usize) -> Result<Block<'_>, Error> {
        let customers = self.data.blocks[block].clone();
        let own = |customer: u32| (customer as usize) < customers.start;
        let (first, last) = (
            self.validation.partition_point(|target| own(target.customer)),
            self.validation.partition_point(|target| (target.customer as usize) < customers.end),
        );
        let local =
            |target: &Target| Target { customer: target.customer - customers.start as u32, ..*target };
        let read = |error: anyhow::Error| Error::Read { source: error.into() };
        Ok(Block {
            sequences: Cow::Owned(self.data.load(block).map_err(read)?),
            covariates: Cow::Owned(self.data.covariates(customers.clone()).map_err(read)?),
            train: Cow::Borrowed(&self.train[customers.clone()]),
            validation: Cow::Owned(self.validation[first..last].iter().map(local).collect()),
        })
    }
}
