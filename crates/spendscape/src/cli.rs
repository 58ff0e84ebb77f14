//! The command line.

#[cfg(test)]
mod keys;

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::{ArgAction, Args, Parser, Subcommand};
use spendscape::{
    evaluate::{self, CompareOptions, Evaluate, EvaluateOptions},
    progress,
    shipped::TemplateOptions,
    stages::{
        self,
        assign::AssignOptions,
        dynamics::{Dynamics, DynamicsOptions, NetOptions},
        explain::ExplainOptions,
        goals,
        ingest::IngestOptions,
        init::{self, InitOptions},
        outcomes::OutcomesOptions,
        segment::SegmentOptions,
        states::States,
        synth::SynthOptions,
        train::{Train, TrainOptions},
    },
    text::{printable, printable_json, printable_log},
};
use spendscape_report::{CustomerExplanation, explanation_page, explanation_text};
use spendscape_run::{NoParams, RunFolder, Sources, execute};
use spendscape_schema::tables::ComparisonSummaryRow;
use spendscape_store::Manifest;
use tracing_subscriber::EnvFilter;

/// Explainable customer micro-segments from bank transactions
///
/// Every command reads and writes tables in a run folder; `run` does all stages that are not up to date. Exit codes: 0
/// success, 1 failure of the machine, 2 bad usage or bad input, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "spendscape", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Say more (-v) or everything (-vv); SPENDSCAPE_LOG takes filters such as `spendscape_ledger=debug`
    #[arg(short, long, action = ArgAction::Count, global = true)]
    verbose: u8,
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print the result as JSON for other programs
    #[arg(long, global = true)]
    json: bool,
    /// Threads; results do not depend on them
    #[arg(long, global = true, value_name = "N", value_parser = stages::count(1..=1_024))]
    threads: Option<usize>,
}

/// The folders of a command.
#[derive(Debug, Args)]
struct Folders {
    /// Run folder
    run: PathBuf,
    /// Folder of the panel and the coefficients, where they are not in the run folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Do the work again even if the outputs are up to date
    #[arg(long)]
    force: bool,
}

impl Folders {
    fn open(&self) -> Result<RunFolder> {
        RunFolder::open(&self.run, self.data.as_deref())
    }
}

/// What can be read of nets from elsewhere, in lines that fit any terminal.
const NETS: &str = "\
Nets that are read (--model):
  safetensors, PyTorch  LSTM and stacks of it, GRU, RNN, and their cells
      --module encoder.rnn     untold: tanh or relu of an RNN (--nonlinearity)
  safetensors, Keras    LSTM, GRU, SimpleRNN, and their cells; w.path as names
      --module lstm/lstm_cell  untold: activations (--nonlinearity), and
                               reset_after of a GRU without biases (--reset)
  ONNX, in one file     nodes LSTM, GRU, RNN, forward; LSTM on LSTM: a stack
      --module /decoder/GRU    untold: nothing
  HDF5, .keras, .pt     none: the message says how to save their weights
Weights have 16, 32 or 64 bits. Biases are zero where a module has none, and all
there where it has one.

Examples:
  spendscape dynamics runs/first --data runs/bank
  spendscape dynamics runs/other --model net.safetensors --inputs inputs.csv
  spendscape dynamics runs/other --model net.onnx --inputs inputs.csv \\
      --module /decoder/GRU";

#[derive(Debug, Subcommand)]
enum Command {
    /// Look at raw files and write the column map by which `ingest` reads them
    ///
    /// It says what each entry was guessed from, reads all rows by the map, and shows how the first ones are understood and how
    /// many customers each window would keep. With --check it writes nothing.
    #[command(
        after_help = "Examples:\n  spendscape init ledger.csv\n  spendscape init 'ledger/*.csv.gz' --map map.toml --check"
    )]
    Init {
        #[command(flatten)]
        options: InitOptions,
    },
    /// Write a synthetic bank with known truth
    #[command(after_help = "Example: spendscape synth runs/bank --preset base --customers 26000 --seed 1")]
    Synth {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: SynthOptions,
    },
    /// Turn transactions into a validated ledger and a panel of spending shares
    #[command(
        after_help = "Examples:\n  spendscape ingest runs/bank\n  spendscape ingest runs/retail --files \
        retail.csv.gz --map datasets/online_retail/columns.toml --derive-classes 96 --window 'bi-monthly x 6 from 2010-12-01' \
        --short-window none --empty-windows keep-zero:3 --draw-coefficients 1"
    )]
    Ingest {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: Box<IngestOptions>,
    },
    /// Print a table to start from: a taxonomy that comes with the program, or coefficients
    #[command(
        after_help = "Examples:\n  spendscape template mcc > taxonomy.toml\n  spendscape template coefficients --taxonomy \
        taxonomy.toml > coefficients.csv\n  spendscape template authored --taxonomy plaid > coefficients.csv"
    )]
    Template {
        #[command(flatten)]
        options: TemplateOptions,
    },
    /// Train the network on the customers' grades
    #[command(after_help = "Example: spendscape train runs/first --data runs/bank --seed 1")]
    Train {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: TrainOptions,
    },
    /// Compute every customer's trajectory and its direction
    #[command(after_help = "Example: spendscape states runs/first --data runs/bank")]
    States {
        #[command(flatten)]
        folders: Folders,
    },
    /// Assign every customer to a micro-segment
    #[command(after_help = "Examples:\n  spendscape segment runs/first --data runs/bank\n  \
        spendscape segment runs/december --previous runs/november")]
    Segment {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: SegmentOptions,
        /// Seed of the clustering's starts
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Assign the customers of another panel to the segments of a trained run
    #[command(after_help = "Example: spendscape assign runs/december --model runs/first")]
    Assign {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: AssignOptions,
    },
    /// Explain why customers are in their segments
    ///
    /// Fits linear surrogates of the network, measures their fidelity and writes the explanation of every customer. With
    /// --customer it prints that of one: the assignment, what drove it, the explanation's own error, the smallest change of
    /// spending that would move the segment, and what changed over the periods.
    #[command(
        after_help = "Examples:\n  spendscape explain runs/first --data runs/bank\n  spendscape explain runs/first \
        --data runs/bank --customer C000001 --html why.html\n  spendscape explain runs/may --model runs/first"
    )]
    Explain {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: ExplainOptions,
        /// Trained run by whose network the customers were assigned (`spendscape assign`): its surrogates explain them, beside
        /// its own customers and with its list of protected classes
        #[arg(long, value_name = "RUN", conflicts_with = "protected")]
        model: Option<PathBuf>,
        /// Print the explanation of this customer (with --json as JSON)
        #[arg(long, value_name = "ID")]
        customer: Option<String>,
        /// Write the explanation of the customer as a self-contained page too
        #[arg(long, value_name = "FILE", requires = "customer")]
        html: Option<PathBuf>,
    },
    /// Find and certify the fixed points that pull customers, and map traits into state space
    ///
    /// With --model, another recurrent net is studied instead. What it computes, and what is taken for granted of that because
    /// its file does not tell it, stands in the table `maps`, column `cell`; every tensor of its module must be understood.
    #[command(
        mut_arg("run", |run| run.required(false).default_value(".")),
        after_help = NETS
    )]
    Dynamics {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: DynamicsOptions,
        #[command(flatten)]
        net: NetOptions,
    },
    /// Predict default, liquidity or any label from trajectory and bespoke features, and compare them
    #[command(
        after_help = "Examples:\n  spendscape outcomes runs/default --data runs/bank --labels runs/bank/outcomes.parquet \
        --target default --best default_score --group group\n  spendscape outcomes runs/churn --data runs/bank --labels churn.csv \
        --target churned --adverse yes"
    )]
    Outcomes {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: Box<OutcomesOptions>,
    },
    /// Predict what customers do next, and act on it
    #[command(subcommand)]
    Goals(GoalsCommand),
    /// Measure the figures by which the papers' claims are judged
    #[command(after_help = "Example: spendscape evaluate runs/first --data runs/bank --json")]
    Evaluate {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: EvaluateOptions,
    },
    /// Compare representations over several training seeds in one table
    #[command(
        after_help = "Example: spendscape compare runs/comparison --data runs/bank --runs runs/seed-1 runs/seed-2"
    )]
    Compare {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: CompareOptions,
    },
    /// Draw the figures and the page
    #[command(after_help = "Example: spendscape report runs/first --data runs/bank")]
    Report {
        #[command(flatten)]
        folders: Folders,
    },
    /// Do all stages from the panel to the figures that are not up to date
    #[command(after_help = "Example: spendscape run runs/first --data runs/bank --seed 1")]
    Run {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        train: TrainOptions,
        #[command(flatten)]
        segment: SegmentOptions,
        #[command(flatten)]
        explain: ExplainOptions,
        #[command(flatten)]
        dynamics: DynamicsOptions,
    },
}

/// The commands of goals, in the order of work.
#[derive(Debug, Subcommand)]
enum GoalsCommand {
    /// Form groups of transactions, each with a goal
    #[command(
        after_help = "Examples:\n  spendscape goals groups runs/goals --data runs/bank --until 2020-12-31\n  \
        spendscape goals groups runs/retail --group time --channel place"
    )]
    Groups {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: goals::GroupsOptions,
    },
    /// Train the model of next goals, and measure it beside simple ones
    #[command(
        after_help = "Example: spendscape goals train runs/goals --data runs/bank --calendar calendar.toml"
    )]
    Train {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: goals::TrainOptions,
    },
    /// Predict every customer's next goal, when it comes, and why
    ///
    /// With --customer it prints that of one.
    #[command(
        after_help = "Examples:\n  spendscape goals predict runs/goals\n  spendscape goals predict runs/december \
        --model runs/goals --customer C000001"
    )]
    Predict {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: goals::PredictOptions,
        /// Print the prediction of this customer (with --json as JSON)
        #[arg(long, value_name = "ID")]
        customer: Option<String>,
    },
    /// Recommend goals and classes to every customer
    #[command(
        after_help = "Example: spendscape goals recommend runs/goals --horizon 30 --exclude-classes gambling"
    )]
    Recommend {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: goals::RecommendOptions,
    },
    /// Choose whom to address for a goal and when, and measure such a choice on past days
    ///
    /// What such a choice gained on past days is printed first, beside chance and beside the strongest rule that needs no model
    /// ("most often", "most recently"); what the model expects of the campaign comes after it.
    #[command(after_help = "Example: spendscape goals campaign runs/goals --goal trip --capacity 500")]
    Campaign {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: goals::CampaignOptions,
    },
    /// Find what goes with what and what follows what
    #[command(after_help = "Example: spendscape goals cross-sell runs/goals --window 30 --periods 12")]
    CrossSell {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: goals::CrossSellOptions,
    },
    /// Forecast demand per goal, class and period, and measure such forecasts on past days
    ///
    /// Forecasts made on past days are judged by their mean absolute error relative to that of the naive forecast
    /// (`relative_mae`,
    /// below 1 is better): what the same period was a season ago (52 weeks or 12 months), or, where history does not reach
    /// back so
    /// far, what the last period known was.
    #[command(after_help = "Example: spendscape goals demand runs/goals --period week --periods 4")]
    Demand {
        #[command(flatten)]
        folders: Folders,
        #[command(flatten)]
        options: goals::DemandOptions,
    },
}

impl GoalsCommand {
    fn folders(&self) -> &Folders {
        match self {
            Self::Groups { folders, .. }
            | Self::Train { folders, .. }
            | Self::Predict { folders, .. }
            | Self::Recommend { folders, .. }
            | Self::Campaign { folders, .. }
            | Self::CrossSell { folders, .. }
            | Self::Demand { folders, .. } => folders,
        }
    }

    /// What the command measures, if it measures anything.
    fn measuring(&self) -> Option<goals::Measuring> {
        match self {
            Self::Train { .. } => Some(goals::Measuring::Train),
            Self::Predict { customer: None, .. } => Some(goals::Measuring::Predict),
            Self::Campaign { .. } => Some(goals::Measuring::Campaign),
            Self::CrossSell { .. } => Some(goals::Measuring::CrossSell),
            Self::Demand { .. } => Some(goals::Measuring::Demand),
            _ => None,
        }
    }

    fn work(&self, run: &RunFolder, force: bool, json: bool) -> Result<()> {
        match self {
            Self::Groups { options, .. } => goals::groups(run, options, force),
            Self::Train { options, .. } => goals::train(run, options, force),
            Self::Predict { options, customer, .. } => {
                goals::predict(run, options, force)?;
                let Some(customer) = customer else { return Ok(()) };
                let found = goals::customer(run, customer)?;
                if json { print_value(&found) } else { print_text(&found.text()) }
            }
            Self::Recommend { options, .. } => goals::recommend(run, options, force),
            Self::Campaign { options, .. } => goals::campaign(run, options, force),
            Self::CrossSell { options, .. } => {
                execute::<goals::CrossSell>(&Sources::new(run), options, force)
            }
            Self::Demand { options, .. } => goals::demand(run, options, force),
        }
    }
}

impl Arguments {
    /// Sends log lines to standard error: lines for a person on a terminal, without colors in a file or where NO_COLOR asks
    /// for none.
    pub(crate) fn start_logging(&self) {
        let level = match (self.quiet, self.verbose) {
            (true, _) => "error",
            (false, 0) => "spendscape=info,warn",
            (false, 1) => "spendscape=debug,info",
            (false, _) => "trace",
        };
        let filter = EnvFilter::try_from_env("SPENDSCAPE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(|| Log(std::io::stderr()))
            .with_ansi(
                std::io::IsTerminal::is_terminal(&std::io::stderr())
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            )
            .with_target(self.verbose > 0)
            .compact()
            .init();
    }

    /// Runs the command.
    ///
    /// # Errors
    /// If the command fails; [`spendscape::exit::code`] tells whose fault it is.
    pub(crate) fn run(&self) -> Result<()> {
        if let Some(threads) = self.threads {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build_global()
                .context("cannot start the threads asked for")?;
        }
        progress::break_silence();
        let Some(run) = self.command.work(self.json)? else { return Ok(()) };
        if self.json { self.print_json(&run) } else { self.print_words(&run) }
    }

    /// What there is to know at the end, for a person.
    fn print_words(&self, run: &RunFolder) -> Result<()> {
        let text = match &self.command {
            Command::Compare { .. } => comparison_table(&evaluate::read_summary(run)?),
            _ if self.quiet => return Ok(()),
            Command::Ingest { .. } => stages::summary::of_panels(run)?,
            Command::Run { .. } => stages::summary::of_run(run)?,
            Command::Goals(command) => match command.measuring() {
                Some(command) => goals::findings(run, command)?.text,
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        print_text(&text)
    }

    /// What the command made: the measured figures, or the manifest of the run folder.
    fn print_json(&self, run: &RunFolder) -> Result<()> {
        let json = match &self.command {
            Command::Evaluate { .. } => {
                let rows = evaluate::read_metrics(run)?.into_rows();
                serde_json::Value::Object(rows.map(|row| (row.name, row.value.into())).collect())
            }
            Command::Compare { .. } => serde_json::to_value(evaluate::read_summary(run)?)?,
            // It was printed by the command itself, which knows the customer.
            Command::Explain { customer: Some(_), .. }
            | Command::Goals(GoalsCommand::Predict { customer: Some(_), .. }) => return Ok(()),
            Command::Goals(command) => match command.measuring() {
                Some(command) => serde_json::to_value(goals::findings(run, command)?)?,
                None => serde_json::to_value(Manifest::read(run.path())?)?,
            },
            Command::Outcomes { .. } => {
                let figures = stages::outcomes::read_figures(run)?;
                serde_json::Value::Object(
                    figures.into_iter().map(|(name, value)| (name, value.into())).collect(),
                )
            }
            _ => serde_json::to_value(Manifest::read(run.path())?)?,
        };
        print_value(&json)
    }
}

/// The comparison as a table for a person.
fn comparison_table(rows: &[ComparisonSummaryRow]) -> String {
    let show = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    let mut table = "| features | measure | level | seeds | median | low | high | chance | unimodal null |\n\
                     |---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for row in rows {
        let figures = [row.median, row.low, row.high, row.chance, row.null].map(show).join(" | ");
        table += &format!(
            "| {} | {} | {} | {} | {figures} |\n",
            row.representation, row.measure, row.level, row.seeds
        );
    }
    table
}

impl Command {
    /// Whether the command works on tables, which may lie in another folder.
    fn reads_data(&self) -> bool {
        match self {
            Self::Init { .. } | Self::Synth { .. } => false,
            Self::Ingest { options, .. } => options.files.is_empty(),
            Self::Dynamics { net, .. } => net.files().is_none(),
            _ => true,
        }
    }

    /// Does the work; gives the run folder of a command that has one.
    fn work(&self, json: bool) -> Result<Option<RunFolder>> {
        let folders = match self {
            Self::Init { options } => {
                let print = |found: &init::Findings| {
                    if json { print_value(found) } else { print_text(&found.text(&options.map)) }
                };
                init::init(options, print)?;
                return Ok(None);
            }
            Self::Synth { folders, .. }
            | Self::Ingest { folders, .. }
            | Self::Train { folders, .. }
            | Self::States { folders }
            | Self::Segment { folders, .. }
            | Self::Assign { folders, .. }
            | Self::Explain { folders, .. }
            | Self::Dynamics { folders, .. }
            | Self::Outcomes { folders, .. }
            | Self::Evaluate { folders, .. }
            | Self::Compare { folders, .. }
            | Self::Report { folders }
            | Self::Run { folders, .. } => folders,
            Self::Goals(command) => command.folders(),
            Self::Template { options } => {
                print_text(&options.text()?)?;
                return Ok(None);
            }
        };
        if let Some(data) = folders.data.as_deref().filter(|_| !self.reads_data()) {
            bail!("--data {}: this command reads no tables of another folder: leave it out", data.display());
        }
        let (run, force) = (folders.open()?, folders.force);
        match self {
            Self::Init { .. } => {}
            Self::Synth { options, .. } => stages::synth::synth(&run, options, force)?,
            Self::Ingest { options, .. } => stages::ingest::ingest(&run, options, force)?,
            Self::Train { options, .. } => execute::<Train>(&Sources::new(&run), options, force)?,
            Self::States { .. } => execute::<States>(&Sources::new(&run), &NoParams {}, force)?,
            Self::Segment { options, seed, .. } => stages::segment::segment(&run, options, *seed, force)?,
            Self::Assign { options, .. } => stages::assign::assign(&run, options, force)?,
            Self::Explain { options, model, customer, html, .. } => {
                stages::explain::explain(&run, options, model.as_deref(), force)?;
                if let Some(customer) = customer {
                    let found = stages::explain::explain_customer(&run, model.as_deref(), customer)?;
                    print_explanation(&found, html.as_deref(), json)?;
                }
            }
            Self::Dynamics { options, net, .. } => match net.files() {
                Some(files) => stages::dynamics::net(&run, net, files, options, force)?,
                None => execute::<Dynamics>(&Sources::new(&run), options, force)?,
            },
            Self::Goals(command) => command.work(&run, force, json)?,
            Self::Outcomes { options, .. } => stages::outcomes::outcomes(&run, options, force)?,
            Self::Evaluate { options, .. } => execute::<Evaluate>(&Sources::new(&run), options, force)?,
            Self::Compare { options, .. } => evaluate::compare(&run, options, force)?,
            Self::Template { .. } => {}
            Self::Report { .. } => stages::report::report(&run)?,
            Self::Run { train, segment, explain, dynamics, .. } => {
                execute::<Train>(&Sources::new(&run), train, force)?;
                execute::<States>(&Sources::new(&run), &NoParams {}, force)?;
                stages::segment::segment(&run, segment, train.seed, force)?;
                stages::explain::explain(&run, explain, None, force)?;
                execute::<Dynamics>(&Sources::new(&run), dynamics, force)?;
                stages::report::report(&run)?;
            }
        }
        Ok(Some(run))
    }
}

/// Prints the explanation of one customer as text or JSON, and writes it as a page where one is asked for.
fn print_explanation(explanation: &CustomerExplanation, html: Option<&Path>, json: bool) -> Result<()> {
    if let Some(path) = html {
        spendscape_store::write_file(path, explanation_page(explanation).as_bytes())?;
    }
    if json { print_value(explanation) } else { print_text(&explanation_text(explanation)) }
}

/// Prints a value as JSON.
fn print_value<T: serde::Serialize>(value: &T) -> Result<()> {
    write_out(&printable_json(&(serde_json::to_string_pretty(value)? + "\n")))
}

/// Prints text, in which names from the data cannot drive the terminal.
fn print_text(text: &str) -> Result<()> {
    write_out(&printable(text))
}

/// Log lines, in which names from the data cannot drive the terminal.
struct Log(std::io::Stderr);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match str::from_utf8(bytes) {
            Ok(text) => self.0.write_all(printable_log(text).as_bytes())?,
            Err(_) => self.0.write_all(bytes)?,
        }
        progress::spoke();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Writes to standard output; a reader that has seen enough (`| head`) is no failure.
fn write_out(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}
