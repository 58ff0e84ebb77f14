//! Transactions to event groups: what every other command of goals works on.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use jiff::civil::Date;
use spendscape_goals::{Decisive, Event, GroupRules, Grouping, Sequences};
use spendscape_schema::{
    Axes, Table, arrays,
    tables::{self, GoalGroupColumns, GoalGroups, GoalRoster},
};
use spendscape_store::{Digest, Provenance, TableReader, TableWriter};

use super::{
    day_number,
    known::{Goals, Known},
    ledger::Ledger,
    report::GroupsReport,
};
use crate::{
    run_folder::{File, RunFolder, Stage},
    stages::{count, synth::GOAL_MAP_FILE},
    text::read_text,
};

/// Channels and places that are told apart, the commonest first.
const MOST_CHANNELS: usize = 100;
/// Examples of what was left out.
const EXAMPLES: usize = 5;

/// Which transactions form groups, and what they are for.
#[derive(Debug, Clone, Args)]
pub struct GroupsOptions {
    /// Ledger; by default the folder's stream of goals (goal_ledger.parquet) or else its ledger
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    /// Goal map (TOML); by default the folder's goals.toml or else every spending class is a goal
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// What is known of customers: CSV with a column `customer` and one per covariate, such as an age band; by default the
    /// folder's goal_customers.parquet, if there is one
    #[arg(long, value_name = "FILE")]
    pub customers: Option<PathBuf>,
    /// What forms a group: the transactions of one day, or those with one timestamp (an invoice)
    #[arg(long, value_enum, default_value_t = By::Day)]
    pub group: By,
    /// What decides the goal of a group: most of its money, or its largest transaction
    #[arg(long, value_enum, default_value_t = Decides::MostMoney)]
    pub goal: Decides,
    /// Money that comes in has goals too: a class of income is one like a class of spending
    #[arg(long)]
    pub income: bool,
    /// Last day that counts (YYYY-MM-DD); by default that of the last transaction
    #[arg(long, value_name = "DAY")]
    pub until: Option<Date>,
    /// Column that tells where or how a customer paid
    #[arg(long, value_enum, default_value_t = Where::Channel)]
    pub channel: Where,
    /// Transactions of a block of customers, about: what training holds in memory at once
    #[arg(long, default_value_t = 1 << 18, value_name = "N", value_parser = count(1..=1 << 40))]
    pub block: usize,
    /// Memory for transactions, in MiB; beyond it the ledger is read several times
    #[arg(long, default_value_t = 1_024, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    pub memory: u64,
}

/// Parameter of the provenance that names the goal of all classes that the map does not name.
pub(super) const UNMAPPED_GOAL: &str = "unmapped_goal";

/// What forms a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// One day
    Day,
    /// One timestamp
    Time,
}

/// What decides the goal of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Decides {
    /// Most of its money
    MostMoney,
    /// Its largest transaction
    Largest,
}

/// The column that tells where or how a customer paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Where {
    /// The ledger's column `channel`, if it has one
    Channel,
    /// The ledger's column `place`, if it has one
    Place,
    /// No column
    None,
}

impl Where {
    fn column(self) -> Option<&'static str> {
        match self {
            Self::Channel => Some(tables::Ledger::NAMES.channel),
            Self::Place => Some(tables::Ledger::NAMES.place),
            Self::None => None,
        }
    }
}

/// Forms the groups of every customer.
///
/// # Errors
/// If the ledger, the taxonomy or a file is missing or damaged; if a class has no goal; if no group is left.
pub fn groups(run: &RunFolder, options: &GroupsOptions, force: bool) -> Result<()> {
    let mut inputs = Vec::new();
    let ledger = match &options.ledger {
        Some(path) => path.clone(),
        None => {
            let file = if run.has(File::GoalLedger)? { File::GoalLedger } else { File::Ledger };
            inputs.push(file);
            run.find(file)
        }
    };
    inputs.push(File::Taxonomy);
    let map_path = match &options.map {
        Some(path) => Some(path.clone()),
        None => run.find_plain(GOAL_MAP_FILE)?,
    };
    let map_text = map_path.as_deref().map(read_text).transpose()?;
    let customers = match &options.customers {
        Some(path) => Some(path.clone()),
        None if options.ledger.is_none() && run.has(File::GoalCustomers)? => {
            inputs.push(File::GoalCustomers);
            Some(run.find(File::GoalCustomers))
        }
        None => None,
    };
    let mut provenance = Provenance::new("goals groups")
        .parameter("map", map_text.clone())
        .parameter("group", format!("{:?}", options.group))
        .parameter("goal", format!("{:?}", options.goal))
        .parameter("income", options.income)
        .parameter("until", options.until.map(|day| day.to_string()))
        .parameter("channel", options.channel.column())
        .parameter("block", options.block);
    if let Some(path) = &options.ledger {
        provenance = provenance.input("ledger", TableReader::open(path, Table::Ledger)?.digest());
    }
    if let Some(path) = &options.customers {
        provenance = provenance.input("customers", &Digest::of_file(path)?);
    }
    let Some(mut stage) = Stage::start(run, "goals groups", provenance, &inputs, force)? else {
        return Ok(());
    };
    if let Some(path) = &options.ledger {
        stage.path("ledger", path);
    }
    let goals = Goals::new(run, map_text.as_deref(), map_path.as_deref(), options.income)?;
    let covariates = customers.as_deref().map(Known::read).transpose()?.unwrap_or_default();
    let mut former = Former::survey(&ledger, options, goals, covariates)?;
    former.write(&mut stage, options)?;
    former.report.log();
    let json = serde_json::to_vec_pretty(&former.report)?;
    stage.write_plain("goal_groups_report.json", &json)?;
    stage.finish()
}

/// Forms groups block by block.
struct Former {
    ledger: Ledger,
    /// Place of each of the ledger's customers among all, and of each of its channels.
    place_of: Vec<u32>,
    channel_of: Vec<u16>,
    goals: Goals,
    covariates: Known,
    /// Sorted.
    customers: Vec<String>,
    /// Transactions of each.
    counts: Vec<usize>,
    /// Sorted; the commonest, if there are many.
    channels: Vec<String>,
    until: i32,
    report: GroupsReport,
}

impl Former {
    /// Finds out who is there.
    fn survey(path: &Path, options: &GroupsOptions, goals: Goals, covariates: Known) -> Result<Self> {
        let mut counts: Vec<usize> = Vec::new();
        let mut channel_counts: Vec<usize> = Vec::new();
        let (mut rows, mut last) = (0, i64::MIN);
        let mut ledger = Ledger::new(path, options.channel.column(), &goals.classes);
        let unknown = ledger.scan(|row| {
            let customer = row.customer as usize;
            counts.resize(counts.len().max(customer + 1), 0);
            counts[customer] += 1;
            if row.channel != u32::MAX {
                let channel = row.channel as usize;
                channel_counts.resize(channel_counts.len().max(channel + 1), 0);
                channel_counts[channel] += 1;
            }
            rows += 1;
            last = last.max(row.time);
        })?;
        if rows == 0 {
            bail!("{} holds no transactions", path.display());
        }
        let mut report = GroupsReport {
            transactions: rows,
            unknown_class: unknown.values().sum(),
            unknown_classes: unknown.into_keys().take(EXAMPLES).collect(),
            unused_classes: goals.unused.clone(),
            ..GroupsReport::default()
        };
        let mut known: Vec<(String, usize)> = ledger.customers.list.iter().cloned().zip(counts).collect();
        let with_transactions = known.len();
        let strangers = covariates.of.keys().filter(|name| !ledger.customers.numbers.contains_key(*name));
        known.extend(strangers.map(|name| (name.clone(), 0)));
        known.sort_unstable();
        report.customers = known.len();
        report.customers_without_transactions = known.len() - with_transactions;
        if !covariates.names.is_empty() {
            report.customers_without_covariates =
                known.iter().filter(|(name, _)| !covariates.of.contains_key(name)).count();
        }
        let mut channels: Vec<(usize, String)> =
            channel_counts.into_iter().zip(ledger.channels.list.iter().cloned()).collect();
        channels.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let mut channels: Vec<String> =
            channels.into_iter().take(MOST_CHANNELS).map(|(_, name)| name).collect();
        channels.sort_unstable();
        let until = match options.until {
            Some(day) => day_number(day),
            None => i32::try_from(last.div_euclid(86_400_000)).unwrap_or(i32::MAX),
        };
        let (customers, counts): (Vec<String>, Vec<usize>) = known.into_iter().unzip();
        let place = |name: &String| customers.binary_search(name).unwrap_or(0) as u32;
        let place_of = ledger.customers.list.iter().map(place).collect();
        let channel = |name: &String| channels.binary_search(name).unwrap_or(channels.len()) as u16;
        let channel_of = ledger.channels.list.iter().map(channel).collect();
        Ok(Self {
            ledger,
            place_of,
            channel_of,
            goals,
            covariates,
            customers,
            counts,
            channels,
            until,
            report,
        })
    }

    /// Runs of customers with about `block` transactions each.
    fn blocks(&self, block: usize) -> Vec<std::ops::Range<usize>> {
        let (mut blocks, mut first, mut sum) = (Vec::new(), 0, 0);
        for (n, count) in self.counts.iter().enumerate() {
            sum += count;
            if sum >= block {
                blocks.push(first..n + 1);
                (first, sum) = (n + 1, 0);
            }
        }
        if first < self.counts.len() {
            blocks.push(first..self.counts.len());
        }
        blocks
    }

    fn write(&mut self, stage: &mut Stage<'_>, options: &GroupsOptions) -> Result<()> {
        stage.note("goal_map", self.goals.map.as_str());
        stage.note("goals", self.goals.goals.clone());
        stage.note(UNMAPPED_GOAL, self.goals.unmapped.clone());
        stage.note("classes", self.goals.classes.clone());
        stage.note("goal_of_class", serde_json::to_value(&self.goals.of_class)?);
        stage.note("channels", self.channels.clone());
        stage.note("covariates", self.covariates.names.clone());
        stage.note("covariate_levels", serde_json::to_value(&self.covariates.levels)?);
        stage.note("last_day", self.until);
        let blocks = self.blocks(options.block);
        let path = stage.place(File::GoalGroups)?;
        let schema = Table::GoalGroups.schema(&Axes::new())?;
        let mut writer = TableWriter::create(&path, Table::GoalGroups, schema, stage.provenance().clone())?;
        let budget = (options.memory as usize).saturating_mul(1 << 20) / size_of::<Event>();
        let mut sizes = vec![0; self.customers.len()];
        let mut at = 0;
        while at < blocks.len() {
            // As many blocks as memory holds, one at least.
            let (first, mut events) = (at, 0);
            while at < blocks.len() && (at == first || events + self.events(&blocks[at]) <= budget) {
                events += self.events(&blocks[at]);
                at += 1;
            }
            self.report.passes += 1;
            self.pass(options, &blocks[first..at], &mut sizes, &mut writer)?;
        }
        self.report.groups = sizes.iter().sum();
        self.report.customers_without_groups = sizes.iter().filter(|groups| **groups == 0).count();
        self.report.customers_with_one_group = sizes.iter().filter(|groups| **groups == 1).count();
        if self.report.groups == 0 {
            bail!(
                "{}: no transaction is spending with a goal up to the last day that counts; of {} transactions {} are money \
                 that came in, {} of a class without goal, {} later",
                self.ledger.path.display(),
                self.report.transactions,
                self.report.inflows,
                self.report.without_goal,
                self.report.future
            );
        }
        let written = writer.finish()?;
        stage.wrote(File::GoalGroups, written.digest);
        let block_of = blocks.iter().enumerate().flat_map(|(k, block)| block.clone().map(move |_| k));
        let roster = GoalRoster {
            customer: self.customers.clone(),
            groups: sizes.iter().map(|groups| *groups as i64).collect(),
            block: block_of.map(|block| block as i64).collect(),
            covariates: self.customers.iter().map(|name| self.covariates.levels(name)).collect(),
        };
        stage.write_table(File::GoalRoster, &Axes::new(), &roster)
    }

    fn events(&self, block: &std::ops::Range<usize>) -> usize {
        self.counts[block.clone()].iter().sum()
    }

    /// One pass over the ledger for the customers of some blocks.
    fn pass(
        &mut self,
        options: &GroupsOptions,
        blocks: &[std::ops::Range<usize>],
        sizes: &mut [usize],
        writer: &mut TableWriter,
    ) -> Result<()> {
        let (first, last) = (blocks[0].start, blocks[blocks.len() - 1].end);
        let mut events: Vec<Event> = Vec::with_capacity(self.counts[first..last].iter().sum());
        let income = &self.goals.income;
        let (place_of, channel_of, other) = (&self.place_of, &self.channel_of, self.channels.len() as u16);
        self.ledger.scan(|row| {
            let customer = place_of[row.customer as usize];
            if let Some(class) = row.class
                && (first..last).contains(&(customer as usize))
            {
                let channel = channel_of.get(row.channel as usize).copied().unwrap_or(other);
                // What counts as an event is money that goes out; of income that has a goal it is what comes in.
                let amount = if income[class as usize] { row.amount.saturating_neg() } else { row.amount };
                events.push(Event { customer, time: row.time, amount, class, channel });
            }
        })?;
        // The order of the ledger stays inside a customer: it tells what is out of order.
        events.sort_by_key(|event| event.customer);
        for block in blocks {
            let from = events.partition_point(|event| (event.customer as usize) < block.start);
            let to = events.partition_point(|event| (event.customer as usize) < block.end);
            let own: Vec<Event> = events[from..to]
                .iter()
                .map(|event| Event { customer: event.customer - block.start as u32, ..*event })
                .collect();
            let rules = GroupRules {
                by: if options.group == By::Day { Grouping::Day } else { Grouping::Time },
                goal: if options.goal == Decides::MostMoney {
                    Decisive::MostMoney
                } else {
                    Decisive::Largest
                },
                until: Some(self.until),
            };
            let goals = self.goals.goals.clone();
            let (sequences, left) = Sequences::new(&own, block.len(), goals, &self.goals.of_class, rules)?;
            self.report.add(left);
            for (n, size) in block.clone().zip(&mut sizes[block.clone()]) {
                *size = sequences.groups(n - block.start).len();
            }
            self.write_block(block.start, &sequences, writer)?;
        }
        Ok(())
    }

    fn write_block(&self, first: usize, sequences: &Sequences, writer: &mut TableWriter) -> Result<()> {
        let mut rows: Vec<(usize, usize, u16, i64)> = Vec::new();
        for n in 0..sequences.customers() {
            for at in 0..sequences.groups(n).len() {
                rows.extend(sequences.items(n, at).map(|(class, spent)| (n, at, class, spent)));
            }
        }
        let group = |row: &(usize, usize, u16, i64)| (sequences.groups(row.0), row.1);
        let channel = |row: &(usize, usize, u16, i64)| {
            let (groups, at) = group(row);
            self.channels.get(groups.channel[at] as usize).map_or("", String::as_str)
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
        let columns = GoalGroupColumns {
            customer: Some(arrays::category(rows.iter().map(|row| self.customers[first + row.0].as_str()))),
            position: Some(arrays::integer(rows.iter().map(|row| row.1 as i64))),
            day: Some(arrays::date(rows.iter().map(day))),
            goal: Some(arrays::category(rows.iter().map(goal))),
            channel: Some(arrays::category(rows.iter().map(channel))),
            class: Some(arrays::category(rows.iter().map(class))),
            spent_minor: Some(arrays::integer(rows.iter().map(|row| row.3))),
        };
        writer.write(&GoalGroups::batch(&Axes::new(), columns)?)?;
        Ok(writer.end_group()?)
    }
}
