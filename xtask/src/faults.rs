//! Attacks on run folders: kills, flipped bytes, two processes at once. Whatever is done to a folder, what comes next must be
//! an undisturbed folder's files or a refusal that names the file.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::program::Program;

/// Options of `cargo xtask faults`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Processes killed
    #[arg(long, default_value_t = 300)]
    kills: usize,
    /// Bytes flipped
    #[arg(long, default_value_t = 300)]
    flips: usize,
    /// Pairs of processes on one folder
    #[arg(long, default_value_t = 20)]
    pairs: usize,
    /// Customers of the bank
    #[arg(long, default_value_t = 60)]
    customers: usize,
    /// Seed of what is attacked, where and when
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Program to attack; the workspace's own by default
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Files that may differ: they say when and by whom.
const VARYING: [&str; 2] = ["manifest.json", "run.lock"];

/// A command that takes longer is called endless.
const PATIENCE: Duration = Duration::from_secs(120);

/// A stage: its command and options, and options that give something else.
struct Step {
    words: Vec<String>,
    other: Vec<String>,
}

/// Commands that fill a folder, in their order.
struct Chain {
    name: &'static str,
    steps: Vec<Step>,
    /// Files of the undisturbed folder.
    files: BTreeMap<String, Vec<u8>>,
    /// How long each command takes.
    seconds: Vec<Duration>,
}

/// What went wrong, by kind.
#[derive(Debug, Default)]
struct Faults {
    silent: Vec<String>,
    panics: Vec<String>,
    leftovers: Vec<String>,
    /// Neither done nor refused as it should be: another exit code, no name, no end.
    others: Vec<String>,
}

impl Faults {
    fn count(&self) -> usize {
        [&self.silent, &self.panics, &self.leftovers, &self.others].iter().map(|kind| kind.len()).sum()
    }
}

struct Attack {
    program: PathBuf,
    /// Holds the undisturbed folders and the one that is attacked.
    folder: PathBuf,
    rng: Xoshiro256PlusPlus,
    faults: Faults,
}

/// Runs the attacks and prints the counts.
///
/// # Errors
/// If a folder cannot be made, or if there is a fault.
pub(crate) fn run(options: &Options) -> Result<()> {
    let program = match &options.program {
        Some(path) => path.canonicalize().with_context(|| format!("no program {}", path.display()))?,
        None => PathBuf::from(Program::build()?.command(&[]).get_program()),
    };
    let folder = std::env::temp_dir().join(format!("spendscape-faults-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let rng = Xoshiro256PlusPlus::seed_from_u64(options.seed);
    let mut attack = Attack { program, folder: folder.clone(), rng, faults: Faults::default() };
    let result = attack.all(options);
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    result
}

fn words(text: &str) -> Vec<String> {
    // No-break spaces stand for spaces inside a word.
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

/// The commands of every stage. `RUN` is the folder, `IN` that of raw files.
fn chains(customers: usize) -> Vec<Chain> {
    let chain = |name, steps: &[(&str, &str)]| Chain {
        name,
        steps: steps.iter().map(|(own, other)| Step { words: words(own), other: words(other) }).collect(),
        files: BTreeMap::new(),
        seconds: Vec::new(),
    };
    let synth = format!("synth RUN --customers {customers}");
    let goals = format!("{synth} --goals --goal-years 1");
    vec![
        chain(
            "bank",
            &[
                (&synth, "--seed 2"),
                ("ingest RUN", "--window annual\u{A0}x\u{A0}5 --short-window none"),
                ("train RUN --epochs 2", "--scaling min-max"),
                ("states RUN", "--force"),
                ("segment RUN", "--clusters 3"),
                ("explain RUN --protected IN/nobody.toml", "--protected IN/somebody.toml"),
                (
                    "dynamics RUN --studied-customers 1 --extended-customers 5 --basin-samples 50 --horizon 20",
                    "--horizon 30 --json-tables",
                ),
                ("evaluate RUN --no-baselines --no-polynomial", "--force"),
                (
                    "outcomes RUN --labels IN/labels.csv --target bad --repeats 1 --folds 2 --draws 20",
                    "--seed 2 --draws 30",
                ),
                ("report RUN", ""),
            ],
        ),
        chain(
            "goals",
            &[
                (&goals, "--seed 2"),
                ("goals groups RUN", "--goal largest"),
                ("goals train RUN --units 4 --epochs 1 --draws 20", "--units 6"),
                ("goals predict RUN", "--reasons 3"),
                ("goals recommend RUN --futures 4", "--horizon 20"),
                ("goals campaign RUN --futures 4 --draws 20", "--capacity 5"),
                ("goals cross-sell RUN", "--window 20"),
                ("goals demand RUN --futures 2", "--periods 2"),
            ],
        ),
        chain(
            "raw",
            &[
                (
                    "ingest RUN --files IN/ledger.csv --map IN/map.toml --taxonomy IN/taxonomy.toml --draw-coefficients 1 \
                     --window annual\u{A0}x\u{A0}2 --short-window none",
                    "--map IN/other.toml --draw-coefficients 2",
                ),
                ("train RUN --epochs 1", "--seed 2"),
                ("states RUN", "--force"),
                ("report RUN", ""),
            ],
        ),
    ]
}

/// Raw files of every kind that a chain names.
fn write_inputs(folder: &Path, customers: usize) -> Result<()> {
    fs::create_dir_all(folder)?;
    let map = |amount: &str| {
        format!(
            "currency = \"EUR\"\n[types]\namount = \"decimal(12, 2)\"\nfee = \"decimal(12, 2)\"\n[columns]\ncustomer = \
             \"customer\"\ntime = \"time\"\namount = \"{amount}\"\nclass = \"class\"\n[time]\nformats = [\"%Y-%m-%d\"]\n"
        )
    };
    let (mut ledger, mut labels) =
        (String::from("customer,time,amount,fee,class\n"), String::from("customer,bad\n"));
    for k in 0..customers {
        writeln!(labels, "C{:06},{}", k + 1, if k % 3 == 0 { "yes" } else { "no" })?;
        for (year, class, amount) in
            [(2019, "food", 7 * k % 50), (2020, "rent", 11 * k % 60), (2020, "fun", k % 9)]
        {
            writeln!(ledger, "c{k},{year}-05-01,-{}.00,-{}.50,{class}", amount + 1, k % 4)?;
            writeln!(ledger, "c{k},{year}-12-30,-5.00,-1.00,food")?;
        }
    }
    for (name, text) in [
        ("map.toml", map("amount")),
        ("other.toml", map("fee")),
        ("taxonomy.toml", "name = \"raw\"\n[classes.food]\n[classes.rent]\n[classes.fun]\n".to_owned()),
        ("nobody.toml", "[protected]\n".to_owned()),
        ("somebody.toml", "[protected]\npharmacy = \"health\"\n".to_owned()),
        ("ledger.csv", ledger),
        ("labels.csv", labels),
    ] {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

impl Attack {
    fn all(&mut self, options: &Options) -> Result<()> {
        write_inputs(&self.folder.join("in"), options.customers)?;
        let mut chains = chains(options.customers);
        for chain in &mut chains {
            self.fill(chain)?;
        }
        let [mut killed, mut refused, mut waited] = [0, 0, 0];
        for trial in 0..options.kills {
            let chain = &chains[self.rng.random_range(0..chains.len())];
            killed += usize::from(self.kill(chain, trial)?);
            self.progress("kills", trial + 1, options.kills);
        }
        for trial in 0..options.flips {
            let chain = &chains[self.rng.random_range(0..chains.len())];
            refused += usize::from(self.flip(chain, trial)?);
            self.progress("flips", trial + 1, options.flips);
        }
        for trial in 0..options.pairs {
            let chain = &chains[self.rng.random_range(0..chains.len())];
            waited += usize::from(self.pair(chain, trial)?);
            self.progress("pairs", trial + 1, options.pairs);
        }
        println!("{} kills, {killed} before the command had ended", options.kills);
        println!("{} bytes flipped, {refused} refused, the others mended or without effect", options.flips);
        println!("{} pairs on one folder, {waited} of which waited", options.pairs);
        let Faults { silent, panics, leftovers, others } = &self.faults;
        for (name, faults) in [
            ("silent wrong states", silent),
            ("panics", panics),
            ("leftovers", leftovers),
            ("others", others),
        ] {
            println!("{}: {name}", faults.len());
            faults.iter().for_each(|fault| println!("  {fault}"));
        }
        ensure!(self.faults.count() == 0, "{} faults", self.faults.count());
        Ok(())
    }

    fn progress(&self, what: &str, done: usize, of: usize) {
        if done.is_multiple_of(20) || done == of {
            eprintln!("{what}: {done} of {of}, {} faults", self.faults.count());
        }
    }

    fn clean(&self, chain: &Chain) -> PathBuf {
        self.folder.join(chain.name)
    }

    fn run_folder(&self) -> PathBuf {
        self.folder.join("run")
    }

    /// Commands name the same folder whether it is the undisturbed one or not: some tables say where inputs lie.
    fn command(&self, words: &[String], more: &[String]) -> Command {
        let place = |word: &str| match word.strip_prefix("IN/") {
            Some(name) => self.folder.join("in").join(name).into_os_string(),
            None if word == "RUN" => self.run_folder().into_os_string(),
            None => word.replace('\u{A0}', " ").into(),
        };
        let mut command = Command::new(&self.program);
        // An option that is given again in `more` takes the place of the first.
        let given = |word: &str| word.starts_with("--") && more.iter().any(|other| other == word);
        let mut skip = false;
        for word in words {
            skip = given(word) || (skip && !word.starts_with("--"));
            if !skip {
                command.arg(place(word));
            }
        }
        command.args(more.iter().map(|word| place(word)));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn run(&self, words: &[String], more: &[String]) -> Result<Output> {
        let child = self.command(words, more).stderr(Stdio::piped()).spawn()?;
        Ok(child.wait_with_output()?)
    }

    /// Makes the undisturbed folder.
    fn fill(&self, chain: &mut Chain) -> Result<()> {
        for step in &chain.steps {
            let start = Instant::now();
            let output = self.run(&step.words, &[])?;
            ensure!(output.status.success(), "{}: {}", step.words.join(" "), text(&output));
            chain.seconds.push(start.elapsed());
        }
        chain.files = files(&self.run_folder())?;
        fs::rename(self.run_folder(), self.clean(chain))?;
        Ok(())
    }

    fn copy(&self, chain: &Chain) -> Result<()> {
        if self.run_folder().exists() {
            fs::remove_dir_all(self.run_folder())?;
        }
        copy(&self.clean(chain), &self.run_folder())
    }

    /// Does everything that is not up to date, and compares the folder with the undisturbed one.
    fn settle(&mut self, chain: &Chain, what: &str) -> Result<()> {
        for step in &chain.steps {
            let output = self.run(&step.words, &[])?;
            if !self.judge(&output, what) || !output.status.success() {
                let fault = format!("{what}; then {}: {}", step.words.join(" "), text(&output));
                self.faults.others.push(fault);
                return Ok(());
            }
        }
        let found = files(&self.run_folder())?;
        for name in found.keys().filter(|name| is_hidden(name)) {
            self.faults.leftovers.push(format!("{what}: {name}"));
        }
        let differs = |name: &&String| found.get(*name) != chain.files.get(*name);
        let names: Vec<&String> = found.keys().chain(chain.files.keys()).filter(differs).collect();
        if !names.is_empty() {
            self.faults.silent.push(format!("{what}: {names:?} differ"));
        }
        Ok(())
    }

    /// Whether a command ended without a panic.
    fn judge(&mut self, output: &Output, what: &str) -> bool {
        let panicked = output.status.code() == Some(101) || text(output).contains("panicked");
        if panicked {
            self.faults.panics.push(format!("{what}: {}", text(output)));
        }
        !panicked
    }

    fn step<'a>(&mut self, chain: &'a Chain) -> (usize, &'a Step) {
        let at = self.rng.random_range(0..chain.steps.len());
        (at, &chain.steps[at])
    }

    /// The options of an attack: the stage's own, done again, or others.
    fn options(&mut self, step: &Step) -> Vec<String> {
        match self.rng.random_bool(0.5) {
            true if step.words[0] != "report" => vec!["--force".to_owned()],
            _ => step.other.clone(),
        }
    }

    /// Kills a command; whether it still ran.
    fn kill(&mut self, chain: &Chain, trial: usize) -> Result<bool> {
        self.copy(chain)?;
        let (at, step) = self.step(chain);
        let more = self.options(step);
        let mut child = self.command(&step.words, &more).stderr(Stdio::null()).spawn()?;
        sleep(chain.seconds[at].mul_f64(self.rng.random_range(0.0..1.1)));
        let signal = ["-KILL", "-TERM", "-INT"][self.rng.random_range(0..3)];
        let ran = child.try_wait()?.is_none();
        if ran {
            Command::new("kill").args([signal, &child.id().to_string()]).stderr(Stdio::null()).status()?;
        }
        let what = format!("kill {trial} ({signal}): {} {}", step.words.join(" "), more.join(" "));
        if !self.ends(&mut child, &what)? {
            return Ok(ran);
        }
        if signal != "-KILL" {
            let names = files(&self.run_folder())?;
            for name in names.keys().filter(|name| is_hidden(name)) {
                self.faults.leftovers.push(format!("{what}: {name}, at once"));
            }
        }
        self.settle(chain, &what)?;
        Ok(ran)
    }

    /// Waits for a process; one without end is killed.
    fn ends(&mut self, child: &mut Child, what: &str) -> Result<bool> {
        let start = Instant::now();
        while child.try_wait()?.is_none() {
            if start.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                self.faults.others.push(format!("{what}: no end"));
                return Ok(false);
            }
            sleep(Duration::from_millis(2));
        }
        Ok(true)
    }

    /// Flips a byte of a table and lets a stage read it; whether it was refused.
    fn flip(&mut self, chain: &Chain, trial: usize) -> Result<bool> {
        self.copy(chain)?;
        let tables: Vec<&String> = chain.files.keys().filter(|name| name.ends_with(".parquet")).collect();
        let name = tables[self.rng.random_range(0..tables.len())];
        let mut bytes = chain.files[name].clone();
        let at = self.rng.random_range(0..bytes.len());
        bytes[at] ^= 1 << self.rng.random_range(0..8);
        fs::write(self.run_folder().join(name), &bytes)?;
        let (_, step) = self.step(chain);
        let more = if step.words[0] == "report" { Vec::new() } else { vec!["--force".to_owned()] };
        let output = self.run(&step.words, &more)?;
        let what = format!("flip {trial} (byte {at} of {name}): {}", step.words.join(" "));
        if !self.judge(&output, &what) {
            return Ok(false);
        }
        let refused = !output.status.success();
        if refused && (output.status.code() != Some(2) || !text(&output).contains(name.as_str())) {
            self.faults.others.push(format!("{what}: {}", text(&output)));
        }
        let found = files(&self.run_folder())?;
        let differs = |other: &&String| *other != name && found.get(*other) != chain.files.get(*other);
        if let Some(other) = chain.files.keys().find(differs) {
            self.faults.silent.push(format!("{what}: {other} differs"));
        }
        // What nobody reads stays as it is: the file is put right by hand, so that the rest is compared.
        if found.get(name) == Some(&bytes) {
            self.settle_but(chain, name, &bytes, &what)?;
        } else {
            self.settle(chain, &what)?;
        }
        Ok(refused)
    }

    /// As [`Self::settle`], with a flipped byte that may stay where no reader comes by: between the columns and the footer.
    fn settle_but(&mut self, chain: &Chain, name: &str, flipped: &[u8], what: &str) -> Result<()> {
        let before = self.faults.silent.len();
        self.settle(chain, what)?;
        let only = format!("{what}: {:?} differ", [name, name]);
        let stays = fs::read(self.run_folder().join(name))? == flipped;
        if stays && self.faults.silent.len() == before + 1 && self.faults.silent[before] == only {
            self.faults.silent.pop();
        }
        Ok(())
    }

    /// Two processes on one folder; whether the second had to wait.
    fn pair(&mut self, chain: &Chain, trial: usize) -> Result<bool> {
        self.copy(chain)?;
        let (_, first) = self.step(chain);
        let (_, second) = self.step(chain);
        let mut children = Vec::new();
        let mut what = format!("pair {trial}");
        for step in [first, second] {
            let more = self.options(step);
            write!(what, ": {} {}", step.words.join(" "), more.join(" "))?;
            children.push(self.command(&step.words, &more).stderr(Stdio::piped()).spawn()?);
            sleep(Duration::from_millis(self.rng.random_range(0..50)));
        }
        let mut waited = false;
        for child in children {
            let output = child.wait_with_output()?;
            waited |= text(&output).contains("is in use by");
            // The second may be refused what the first made of the folder: that is no fault, an end of another kind is.
            if self.judge(&output, &what) && !matches!(output.status.code(), Some(0 | 2)) {
                self.faults.others.push(format!("{what}: {}", text(&output)));
            }
        }
        self.settle(chain, &what)?;
        Ok(waited)
    }
}

fn is_hidden(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|name| name.starts_with('.'))
}

fn text(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let error = text.lines().rev().take(3).collect::<Vec<&str>>();
    format!("{}: {}", output.status, error.into_iter().rev().collect::<Vec<&str>>().join(" / "))
}

/// The files of a folder and of its folders, but for those that vary.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))? {
            let path = entry?.path();
            let name = path.strip_prefix(folder)?.display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if !VARYING.contains(&name.as_str()) {
                files.insert(name, fs::read(&path)?);
            }
        }
    }
    Ok(files)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name() else { bail!("{} has no name", path.display()) };
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
