//! Seconds of one pass of training and of a prediction for every customer, beside PyTorch's on the same groups.
//!
//! Usage: `training_speed CUSTOMERS [PYTHON SCRIPT]`, the script being `benches/baselines/goals_torch.py`; threads are
//! `RAYON_NUM_THREADS` on both sides. An example and no bench: the peer needs the groups, and the package of the benches
//! depends on much that this crate does not.
#![allow(clippy::print_stdout, reason = "what an example is for")]

use std::{env, error::Error, fs, io::Write, path::Path, process::Command, time::Instant};

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_goals::{
    Calendar, Covariates, GoalModel, GoalParams, InMemory, Sequences, SequencesBuilder, Target,
};

/// Two years of days, with a group on about every fourth.
const DAYS: std::ops::Range<i32> = 17_897..18_627;
const BUSY: f64 = 0.27;
/// Goals, channels, and levels of the two covariates.
const SIZES: (u16, u16, [usize; 2]) = (12, 3, [4, 3]);
/// Passes of ours, of which the mean counts.
const PASSES: usize = 3;

fn groups(customers: usize) -> Result<(Sequences, Covariates), spendscape_goals::Error> {
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
    let (goals, channels, levels) = SIZES;
    let mut builder = SequencesBuilder::new((0..goals).map(|goal| goal.to_string()).collect());
    for _ in 0..customers {
        builder.customer();
        for day in DAYS {
            if rng.random::<f64>() < BUSY {
                let goal = rng.random_range(0..goals);
                let channel = rng.random_range(0..channels);
                builder.group(day, goal, channel, &[(goal, rng.random_range(100..20_000))])?;
            }
        }
    }
    let levels_of = Array2::from_shape_fn((customers, levels.len()), |(n, v)| (n % levels[v]) as u16);
    Ok((builder.finish(), Covariates::new(levels.to_vec(), &levels_of)?))
}

/// Everything as numbers of 64 bits: customers, groups, goals, channels, covariates, their levels; groups per customer; day,
/// goal, channel and money of the groups; levels of the customers.
fn write(path: &Path, sequences: &Sequences) -> std::io::Result<()> {
    let (goals, channels, levels) = SIZES;
    let customers = sequences.customers();
    let of = |pick: fn(spendscape_goals::Groups<'_>, usize) -> i64| {
        (0..customers).flat_map(move |n| {
            let groups = sequences.groups(n);
            (0..groups.len()).map(move |at| pick(groups, at))
        })
    };
    let head = [customers, sequences.len(), goals as usize, channels as usize, levels.len()];
    let numbers = head.into_iter().chain(levels).map(|n| n as i64);
    let numbers = numbers.chain((0..customers).map(|n| sequences.groups(n).len() as i64));
    let numbers = numbers.chain(of(|groups, at| i64::from(groups.day[at])));
    let numbers = numbers.chain(of(|groups, at| i64::from(groups.goal[at])));
    let numbers = numbers.chain(of(|groups, at| i64::from(groups.channel[at])));
    let numbers = numbers.chain(of(|groups, at| groups.spent[at]));
    let numbers = numbers.chain((0..customers).flat_map(|n| levels.map(|levels| (n % levels) as i64)));
    let mut file = std::io::BufWriter::new(fs::File::create(path)?);
    for number in numbers {
        file.write_all(&number.to_le_bytes())?;
    }
    file.flush()
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let customers = arguments.first().map_or(Ok(1_000), |customers| customers.parse())?;
    let (sequences, covariates) = groups(customers)?;
    let threads = rayon::current_num_threads();
    println!("{customers} customers, {} groups, {threads} thread(s)", sequences.len());

    let train: Vec<usize> = (0..customers).map(|n| sequences.groups(n).len()).collect();
    let source = InMemory::new(&sequences, &covariates, &train, &[]);
    let params = GoalParams::default().epochs(PASSES).patience(PASSES);
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
    let start = Instant::now();
    let model =
        GoalModel::train(&source, &Calendar::with_payday(25)?, SIZES.1 as usize, &params, rng, |_| {})?;
    let train_pass = start.elapsed().as_secs_f64() / PASSES as f64;
    let targets: Vec<Target> = train
        .iter()
        .enumerate()
        .map(|(n, groups)| Target { customer: n as u32, position: *groups as u32 })
        .collect();
    let start = Instant::now();
    model.predict(&sequences, &covariates, &targets, Some(DAYS.end - 1))?;
    let predict = start.elapsed().as_secs_f64();
    println!("ours: train_pass {train_pass:.3} s, predict {predict:.3} s");

    if let [_, python, script] = arguments.as_slice() {
        let path = env::temp_dir().join(format!("goals_{}.bin", std::process::id()));
        write(&path, &sequences)?;
        // Threads that wait by spinning take ten times as long when anything else runs, which would flatter us.
        let mut peer = Command::new(python);
        peer.arg(script).arg(&path).arg(threads.to_string()).env("OMP_WAIT_POLICY", "passive");
        let output = peer.env("OMP_NUM_THREADS", threads.to_string()).output()?;
        fs::remove_file(&path)?;
        print!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let seconds =
                line.rsplit("\"s\": ").next().and_then(|text| text.trim_end_matches('}').parse::<f64>().ok());
            let ours = if line.contains("train_pass") { train_pass } else { predict };
            if let Some(seconds) = seconds {
                println!("{:.2} times as fast as {line}", seconds / ours);
            }
        }
    }
    Ok(())
}
