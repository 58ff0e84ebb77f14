//! Transactions to event groups: what every other command of goals works on.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use arrow::array::RecordBatch;
use clap::Args;
use jiff::civil::Date;
use serde::Serialize;
use spendscape_goals::{Event, GoalRule, GroupBy, GroupRules, Sequences};
use spendscape_ledger::{BlockRequest, ChannelColumn, CustomerBlocks, Transaction};
use spendscape_run::{
    File, Found, GOAL_MAP_FILE, Inputs, JsonOutput, Notes, Outputs, RunFolder, Sources, Stage, StageWriter,
    TableOutput, execute,
};
use spendscape_schema::{
    Axes, Table, arrays, day,
    tables::{self, GoalGroupColumns, GoalGroups, GoalRoster},
};
use spendscape_store::{Digest, TableReader, TableWriter};

use super::{
    as_day,
    known::{Goals, Known},
    report::GroupsReport,
};
use crate::{stages::count, text::read_text};

/// Channels and places that are told apart, the commonest first.
const MOST_CHANNELS: usize = 100;
/// Examples of what was left out.
const EXAMPLES: usize = 5;

/// Which transactions form groups, and what they are for.
#[derive(Debug, Clone, Args, Serialize)]
pub struct GroupsOptions {
    /// Ledger; by default the folder's stream of goals (goal_ledger.parquet) or else its ledger
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub ledger: Option<PathBuf>,
    /// Goal map (TOML); by default the folder's goals.toml or else every spending class is a goal
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub map: Option<PathBuf>,
    /// What is known of customers: CSV with a column `customer` and one per covariate, such as an age band; by default the
    /// folder's goal_customers.parquet, if there is one
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub customers: Option<PathBuf>,
    /// What forms a group: the transactions of one day, or those with one timestamp (an invoice)
    #[arg(long, value_enum, default_value_t = Grouping::Day)]
    pub group: Grouping,
    /// What decides the goal of a group: most of its money, or its largest transaction
    #[arg(long, value_enum, default_value_t = GoalChoice::MostMoney)]
    pub goal: GoalChoice,
    /// Money that comes in has goals too: a class of income is one like a class of spending
    #[arg(long)]
    pub income: bool,
    /// Last day that counts (YYYY-MM-DD); by default that of the last transaction
    #[arg(long, value_name = "DAY")]
    #[serde(serialize_with = "as_day")]
    pub until: Option<Date>,
    /// Column that tells where or how a customer paid; both of them, each an input of its own
    #[arg(long, value_enum, default_value_t = ChannelChoice::Channel)]
    pub channel: ChannelChoice,
    /// Transactions of a block of customers, about: what training holds in memory at once
    #[arg(long, default_value_t = 1 << 18, value_name = "N", value_parser = count(1..=1 << 40))]
    pub block: usize,
    /// Memory for transactions, in MiB; beyond it the ledger is read several times
    #[arg(long, default_value_t = 1_024, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    #[serde(skip)]
    pub memory: u64,
}

/// Parameter of the provenance that names the goal of all classes that the map does not name.
pub(super) const UNMAPPED_GOAL: &str = "unmapped_goal";

/// The transactions that form a group: those of one day, or those of one timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
pub enum Grouping {
    /// One day
    Day,
    /// One timestamp
    Time,
}

/// The goal of a group: that of most of its money, or of its largest transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
pub enum GoalChoice {
    /// Most of its money
    MostMoney,
    /// Its largest transaction
    Largest,
}

/// The column that tells where or how a customer paid, if one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
pub enum ChannelChoice {
    /// The ledger's column `channel`, if it has one
    Channel,
    /// The ledger's column `place`, if it has one
    Place,
    /// Both columns
    Both,
    /// No column
    None,
}

impl ChannelChoice {
    /// The column of channels, and the one beside it.
    fn columns(self) -> [Option<ChannelColumn>; 2] {
        match self {
            Self::Channel => [Some(ChannelColumn::Channel), None],
            Self::Place => [Some(ChannelColumn::Place), None],
            Self::Both => [Some(ChannelColumn::Channel), Some(ChannelColumn::Place)],
            Self::None => [None; 2],
        }
    }
}

/// What groups are formed with.
#[derive(Debug, Clone, Serialize)]
pub struct GroupsParams {
    /// What the command line says.
    #[serde(flatten)]
    pub options: GroupsOptions,
    /// The text of the goal map, if there is one.
    pub map: Option<String>,
    /// Where it is from.
    #[serde(skip)]
    pub map_path: Option<PathBuf>,
}

/// What groups are formed from.
#[derive(Debug)]
pub struct GroupsInputs {
    /// The file of transactions.
    pub ledger: PathBuf,
    /// The classes.
    pub taxonomy: tables::Taxonomy,
    /// The file of what is known of customers, if there is one.
    pub customers: Option<PathBuf>,
}

impl GroupsInputs {
    /// The ledger of the run folder: its stream of goals, if it has one.
    fn own_ledger(run: &RunFolder) -> Result<File> {
        Ok(if run.has(File::GoalLedger)? { File::GoalLedger } else { File::Ledger })
    }

    /// Whether the run folder tells who its customers are: not those of another ledger.
    fn knows_customers(sources: &Sources<'_>) -> Result<bool> {
        let is_own = sources.path("ledger").is_none() && sources.path("customers").is_none();
        Ok(is_own && sources.run().has(File::GoalCustomers)?)
    }
}

impl Inputs for GroupsInputs {
    fn files() -> Vec<File> {
        vec![File::Ledger, File::GoalLedger, File::Taxonomy, File::GoalCustomers]
    }

    fn find(sources: &Sources<'_>) -> Result<Found> {
        let mut found = Found::default();
        match sources.path("ledger") {
            Some(path) => found.add_file("ledger", TableReader::open(path, Table::Ledger)?.digest().clone()),
            None => found.add(Self::own_ledger(sources.run())?),
        }
        found.add(File::Taxonomy);
        if let Some(path) = sources.path("customers") {
            found.add_file("customers", Digest::of_file(path)?);
        } else if Self::knows_customers(sources)? {
            found.add(File::GoalCustomers);
        }
        Ok(found)
    }

    fn read(sources: &Sources<'_>, found: &Found) -> Result<Self> {
        let run = sources.run();
        let has = |file: &File| found.tables().contains(file);
        let own = has(&File::GoalCustomers).then(|| run.find(File::GoalCustomers));
        let ledger = if has(&File::GoalLedger) { File::GoalLedger } else { File::Ledger };
        Ok(Self {
            ledger: sources.path("ledger").map_or_else(|| run.find(ledger), Path::to_owned),
            taxonomy: run.table(File::Taxonomy)?,
            customers: sources.path("customers").map(Path::to_owned).or(own),
        })
    }
}

/// Forms the groups of every customer. The ledger is read as they are written, so that neither has to fit memory.
#[derive(Debug)]
pub struct Groups;

impl Stage for Groups {
    const NAME: &'static str = "goals groups";
    type Params = GroupsParams;
    type Inputs = GroupsInputs;
    type Outputs = GroupsOutputs;

    fn run(params: &GroupsParams, inputs: GroupsInputs, notes: &mut Notes) -> Result<GroupsOutputs> {
        let GroupsParams { options, map, map_path } = params;
        let goals = Goals::new(inputs.taxonomy, map.as_deref(), map_path.as_deref(), options.income)?;
        let covariates = inputs.customers.as_deref().map(Known::read).transpose()?.unwrap_or_default();
        let source = Source::survey(inputs.ledger, options, goals, covariates)?;
        source.note(notes)?;
        Ok(GroupsOutputs(source))
    }
}

/// Forms the groups of a run folder.
///
/// # Errors
/// If the ledger, the taxonomy or a file is missing or damaged; if a class has no goal; if no group is left.
pub fn groups(run: &RunFolder, options: &GroupsOptions, force: bool) -> Result<()> {
    let map_path = match &options.map {
        Some(path) => Some(path.clone()),
        None => run.find_plain(GOAL_MAP_FILE)?,
    };
    let map = map_path.as_deref().map(read_text).transpose()?;
    let sources = Sources::new(run)
        .file("ledger", options.ledger.as_deref())
        .file("customers", options.customers.as_deref());
    execute::<Groups>(&sources, &GroupsParams { options: options.clone(), map, map_path }, force)
}

/// What groups are formed of.
#[derive(Debug)]
struct Source {
    path: PathBuf,
    ledger: CustomerBlocks,
    goals: Goals,
    covariates: Known,
    rules: GroupRules,
    block: usize,
    memory: u64,
}

impl Source {
    /// Finds out who is there.
    fn survey(path: PathBuf, options: &GroupsOptions, goals: Goals, covariates: Known) -> Result<Self> {
        let [channel, place] = options.channel.columns();
        let request = BlockRequest {
            classes: goals.classes.clone(),
            channel,
            place,
            most_channels: MOST_CHANNELS,
            others: covariates.of.keys().cloned().collect(),
        };
        let ledger = CustomerBlocks::survey(&[&path], request)?;
        let rules = GroupRules {
            by: if options.group == Grouping::Day { GroupBy::Day } else { GroupBy::Time },
            goal: if options.goal == GoalChoice::MostMoney { GoalRule::MostMoney } else { GoalRule::Largest },
            until: Some(options.until.map_or(ledger.last_day(), day::number)),
        };
        Ok(Self { path, ledger, goals, covariates, rules, block: options.block, memory: options.memory })
    }

    /// What is known before any group is formed.
    fn report(&self) -> GroupsReport {
        let (customers, unknown) = (self.ledger.customers(), self.ledger.unknown_classes());
        let has_covariates = !self.covariates.names.is_empty();
        let without = |name: &&String| has_covariates && !self.covariates.of.contains_key(*name);
        GroupsReport {
            transactions: self.ledger.rows(),
            customers: customers.len(),
            customers_without_covariates: customers.iter().filter(without).count(),
            customers_without_transactions: self
                .ledger
                .transactions()
                .iter()
                .filter(|count| **count == 0)
                .count(),
            unknown_class: unknown.values().sum(),
            unknown_classes: unknown.keys().take(EXAMPLES).cloned().collect(),
            unused_classes: self.goals.unused.clone(),
            ..GroupsReport::default()
        }
    }

    /// What the numbers in the tables stand for.
    fn note(&self, notes: &mut Notes) -> Result<()> {
        notes.add("goal_map", self.goals.map.as_str());
        notes.add("goals", self.goals.goals.clone());
        notes.add(UNMAPPED_GOAL, self.goals.unmapped.clone());
        notes.add("classes", self.goals.classes.clone());
        notes.add("goal_of_class", serde_json::to_value(&self.goals.of_class)?);
        notes.add("channels", self.ledger.channels().to_vec());
        notes.add("places", self.ledger.places().to_vec());
        notes.add("covariates", self.covariates.names.clone());
        notes.add("covariate_levels", serde_json::to_value(&self.covariates.levels)?);
        notes.add("last_day", self.rules.until);
        Ok(())
    }

    /// Forms the groups of each block and calls `each` with its first customer and the groups; the groups of each customer.
    fn form(
        &self,
        blocks: &[Range<usize>],
        report: &mut GroupsReport,
        mut each: impl FnMut(usize, &Sequences) -> Result<()>,
    ) -> Result<Vec<usize>> {
        let mut sizes = Vec::with_capacity(self.ledger.customers().len());
        report.passes = self.ledger.read(blocks, self.memory << 20, |number, transactions| {
            let block = &blocks[number];
            let events: Vec<Event> = transactions.iter().map(|row| self.event(row)).collect();
            let (goals, of_class) = (self.goals.goals.clone(), &self.goals.of_class);
            let (sequences, left) = Sequences::new(&events, block.len(), goals, of_class, self.rules)?;
            report.add(left);
            sizes.extend((0..block.len()).map(|n| sequences.groups(n).len()));
            each(block.start, &sequences)
        })?;
        report.groups = sizes.iter().sum();
        report.customers_without_groups = sizes.iter().filter(|groups| **groups == 0).count();
        report.customers_with_one_group = sizes.iter().filter(|groups| **groups == 1).count();
        Ok(sizes)
    }

    /// What counts as an event is money that goes out; of income that has a goal it is what comes in.
    fn event(&self, row: &Transaction) -> Event {
        let Transaction { customer, time, amount, class, channel, place } = *row;
        let amount = if self.goals.income[class as usize] { amount.saturating_neg() } else { amount };
        Event { customer, time, amount, class, channel, place }
    }

    /// Groups of customers from `first` on, an item a row.
    fn batch(&self, first: usize, sequences: &Sequences) -> Result<RecordBatch> {
        let mut rows: Vec<(usize, usize, u16, i64)> = Vec::new();
        for n in 0..sequences.customers() {
            for at in 0..sequences.groups(n).len() {
                rows.extend(sequences.items(n, at).map(|(class, spent)| (n, at, class, spent)));
            }
        }
        let group = |row: &(usize, usize, u16, i64)| (sequences.groups(row.0), row.1);
        let channel = |row: &(usize, usize, u16, i64)| {
            let (groups, at) = group(row);
            self.ledger.channels().get(groups.channel[at] as usize).map_or("", String::as_str)
        };
        let place = |row: &(usize, usize, u16, i64)| {
            let (groups, at) = group(row);
            self.ledger.places().get(groups.place[at] as usize).map_or("", String::as_str)
        };
        let hour = |row: &(usize, usize, u16, i64)| {
            let (groups, at) = group(row);
            i64::from(groups.hour[at])
        };
        let goal = |row: &(usize, usize, u16, i64)| {
            let (groups, at) = group(row);
            self.goals.goals[groups.goal[at] as usize].as_str()
        };
        let day = |row: &(usize, usize, u16, i64)| {
            let (groups, at) = group(row);
            groups.day[at]
        };
        let class = |row: &(usize, usize, u16, i64)| self.goals.classes[row.2 as usize].as_str();
        let customer = |row: &(usize, usize, u16, i64)| self.ledger.customers()[first + row.0].as_str();
        let columns = GoalGroupColumns {
            customer: Some(arrays::category(rows.iter().map(customer))),
            position: Some(arrays::integer(rows.iter().map(|row| row.1 as i64))),
            day: Some(arrays::date(rows.iter().map(day))),
            goal: Some(arrays::category(rows.iter().map(goal))),
            channel: Some(arrays::category(rows.iter().map(channel))),
            place: Some(arrays::category(rows.iter().map(place))),
            hour: Some(arrays::integer(rows.iter().map(hour))),
            class: Some(arrays::category(rows.iter().map(class))),
            spent_minor: Some(arrays::integer(rows.iter().map(|row| row.3))),
        };
        Ok(GoalGroups::batch(&Axes::new(), columns)?)
    }

    /// Who the customers are.
    fn roster(&self, blocks: &[Range<usize>], sizes: &[usize]) -> GoalRoster {
        let customers = self.ledger.customers();
        let block_of = blocks.iter().enumerate().flat_map(|(k, block)| block.clone().map(move |_| k));
        GoalRoster {
            customer: customers.to_vec(),
            groups: sizes.iter().map(|groups| *groups as i64).collect(),
            block: block_of.map(|block| block as i64).collect(),
            covariates: customers.iter().map(|name| self.covariates.levels(name)).collect(),
        }
    }
}

/// Groups that are formed as they are written, block by block.
#[derive(Debug)]
pub struct GroupsOutputs(Source);

impl Outputs for GroupsOutputs {
    fn files() -> Vec<File> {
        vec![File::GoalGroups, File::GoalRoster]
    }

    fn write(self, writer: &mut StageWriter<'_>) -> Result<()> {
        let source = self.0;
        let mut report = source.report();
        let blocks = source.ledger.blocks(source.block);
        let path = writer.place(File::GoalGroups)?;
        let schema = Table::GoalGroups.schema(&Axes::new())?;
        let mut table = TableWriter::create(&path, Table::GoalGroups, schema, writer.provenance().clone())?;
        let sizes = source.form(&blocks, &mut report, |first, sequences| {
            table.write(&source.batch(first, sequences)?)?;
            Ok(table.end_group()?)
        })?;
        if report.groups == 0 {
            bail!(
                "{}: no transaction is spending with a goal up to the last day that counts; of {} transactions {} are money \
                 that came in, {} of a class without goal, {} later",
                source.path.display(),
                report.transactions,
                report.inflows,
                report.without_goal,
                report.future
            );
        }
        let written = table.finish()?;
        writer.wrote(File::GoalGroups, written.digest);
        TableOutput::write(source.roster(&blocks, &sizes), File::GoalRoster, writer)?;
        report.log();
        JsonOutput::write(report, "goal_groups_report.json", writer)
    }
}
