//! Single maps in depth: all fixed points, basins, transients, cycles, sensitivities, and the changes of input at which the
//! attractor is lost; for nets from elsewhere and for a sample of customers.

mod detail;

use std::sync::Mutex;

use anyhow::Result;
use arrow::array::{ArrayRef, RecordBatch};
use clap::Args;
use ndarray::{Array1, Array2, ArrayRef1};
use rayon::prelude::*;
use spendscape_dynamics::{
    Basins, Complete, ContinuationConfig, Cycle, Driven, FindConfig, FixedPointList, Interval, Jump,
    JumpCause, MapVerdict, Membership, Outcome, Passage, SearchConfig, Share, Solver, Transient, Verdict,
    find_cycles, follow, judge_map, jump_toward,
};
use spendscape_schema::{Axes, Axis, arrays, seed};

use crate::{progress::Progress, run_folder::File, stages::count};

/// How far single maps are looked into.
#[derive(Debug, Clone, Args)]
pub struct StudyOptions {
    /// States drawn to measure the basins of each map
    #[arg(long, default_value_t = 500, value_parser = count(0..=1_000_000))]
    pub basin_samples: usize,
    /// Longest cycle looked for; 1 looks for none
    #[arg(long, default_value_t = 2, value_parser = count(1..=100))]
    pub longest_cycle: usize,
    /// Other inputs toward which each map's attractor is followed
    #[arg(long, default_value_t = 8, value_parser = count(0..=10_000))]
    pub followed: usize,
}

impl Default for StudyOptions {
    fn default() -> Self {
        Self { basin_samples: 500, longest_cycle: 2, followed: 8 }
    }
}

/// Steps of a roll-out toward its attractor, and within a basin.
const ROLL_OUT: usize = 10_000;
/// Newton steps from there.
const POLISH: usize = 60;
/// Starts of the search for cycles, and the steps they settle.
const CYCLE_STARTS: usize = 64;
const CYCLE_SETTLE: usize = 100;

/// The inputs whose maps are studied.
pub(super) struct Inputs<'a> {
    /// The cell that they go into, with what is taken for granted of it.
    pub(super) cell: &'a str,
    /// What each is called.
    pub(super) labels: Vec<String>,
    /// The inputs that are held, one per row.
    pub(super) held: Array2<f64>,
    /// What their coordinates are called.
    pub(super) coordinates: &'a [String],
    /// The inputs that each customer had one after another, where that is known; one path per row of `held`.
    pub(super) paths: Vec<Array2<f64>>,
}

/// What is known of one map.
struct Studied {
    list: FixedPointList,
    verdict: MapVerdict,
    shares: Vec<Share>,
    edges: Vec<detail::BasinEdge>,
    transients: Vec<Transient>,
    sensitivities: Vec<Option<Array2<f64>>>,
    cycles: Vec<Cycle>,
    passages: Vec<(usize, Passage)>,
    branches: Vec<detail::Followed>,
}

/// Studies the map of each input and returns the tables of single maps.
///
/// # Errors
/// If an input does not fit the cell.
pub(super) fn study<C: Driven>(
    cell: &C,
    inputs: &Inputs<'_>,
    horizon: usize,
    options: &StudyOptions,
) -> Result<Vec<(File, RecordBatch)>> {
    let progress = Mutex::new((0, Progress::new("maps")));
    let studied: Vec<Studied> = (0..inputs.held.nrows())
        .into_par_iter()
        .map(|row| {
            let studied = one(cell, inputs, row, horizon, options)?;
            if let Ok(mut progress) = progress.lock() {
                progress.0 += 1;
                let done = format!("{} of {} studied", progress.0, inputs.held.nrows());
                progress.1.show(&done);
            }
            Ok(studied)
        })
        .collect::<Result<_>>()?;
    if let Ok((_, mut progress)) = progress.into_inner() {
        progress.done();
    }
    warn_of_unbounded(&inputs.labels, &studied);
    warn_of_kinks(&inputs.labels, &studied);
    let (labels, dim) = (inputs.labels.as_slice(), cell.state_names().len());
    let axes = Axes::new().with(Axis::Unit, cell.state_names());
    Ok(vec![
        table(File::Maps, &axes, maps(inputs, &studied))?,
        table(File::MapPoints, &axes, points(labels, &studied, dim)?)?,
        table(File::MapBoxes, &axes, detail::boxes(labels, &studied, dim)?)?,
        table(File::MapStarts, &axes, detail::starts(labels, &studied))?,
        table(File::MapEdges, &axes, detail::edges(labels, &studied, dim)?)?,
        table(File::MapCycles, &axes, cycles(labels, &studied, dim)?)?,
        table(File::MapSensitivities, &axes, detail::sensitivities(inputs, &studied, dim)?)?,
        table(File::MapBranches, &axes, detail::branches(labels, &studied, dim)?)?,
        table(File::MapJumps, &axes, jumps(labels, &studied, dim)?)?,
    ])
}

/// Says of which maps some points or boxes are not bounded by numbers: cells that forget nothing grow for ever.
fn warn_of_unbounded(labels: &[String], studied: &[Studied]) {
    for (label, s) in labels.iter().zip(studied) {
        let bounded =
            |sides: &&Vec<Interval>| sides.iter().all(|side| side.lo.is_finite() && side.hi.is_finite());
        let all = s.list.points.iter().map(|point| &point.enclosure).chain(&s.list.undecided);
        let unbounded = all.filter(|sides| !bounded(sides)).count();
        if unbounded > 0 {
            tracing::warn!(
                input = label,
                unbounded,
                "points or boxes without bounds: their numbers say nothing"
            );
        }
    }
}

/// Says of which maps some points lie on kinks: they are proved, but nothing is said of their stability.
fn warn_of_kinks(labels: &[String], studied: &[Studied]) {
    for (label, s) in labels.iter().zip(studied) {
        let points = s.list.points.iter().filter(|point| point.spectrum.verdict == Verdict::Kink).count();
        if points > 0 {
            tracing::warn!(
                input = label,
                points,
                "fixed points on kinks, where relu has no derivative: their stability is not defined by a Jacobian"
            );
        }
    }
}

fn table(file: File, axes: &Axes, columns: Vec<ArrayRef>) -> Result<(File, RecordBatch)> {
    let axes = axes.only(&file.table().axes());
    Ok((file, RecordBatch::try_new(file.table().schema(&axes)?, columns)?))
}

fn one<C: Driven>(
    cell: &C,
    inputs: &Inputs<'_>,
    row: usize,
    horizon: usize,
    options: &StudyOptions,
) -> Result<Studied> {
    let input = inputs.held.row(row);
    let map = cell.driven_by(&input)?;
    let list = map.fixed_points(&SearchConfig::default());
    let verdict = judge_map(&map, &list, horizon as f64);
    let mut rng = seed::stream(1, "basins", row as u64);
    let basins = Basins::new(&map, &list, ROLL_OUT);
    let shares = basins.fractions(options.basin_samples, &mut rng);
    let edges = detail::find_edges(&basins, &list)?;
    let transients = list.points.iter().map(|p| detail::transient_of(&map, p)).collect::<Result<_, _>>()?;
    let sensitivities =
        list.points.iter().map(|p| detail::sensitivity_of(&map, p)).collect::<Result<_, _>>()?;
    let find = FindConfig { starts: CYCLE_STARTS, ..FindConfig::default() };
    let cycles = (2..=options.longest_cycle)
        .flat_map(|length| find_cycles(&map, length, CYCLE_SETTLE, &find))
        .collect();
    let start = attractor(cell, &input)?;
    let others: Vec<usize> = super::sample(inputs.held.nrows(), options.followed + 1);
    let (mut passages, mut branches) = (Vec::new(), Vec::new());
    for to in others.into_iter().filter(|to| *to != row).take(options.followed) {
        let target = inputs.held.row(to);
        let Some(start) = &start else {
            passages.push((to, Passage::Undecided { at: 0.0 }));
            continue;
        };
        let (passage, branch) = jump_toward(cell, &input, &target, start, &ContinuationConfig::default())?;
        passages.push((to, passage));
        branches.push(detail::Followed { path: inputs.labels[to].clone(), branch });
    }
    if let Some(path) = inputs.paths.get(row).filter(|path| path.nrows() > 1)
        && let Some(start) = attractor(cell, &path.row(0))?
    {
        let branch = follow(cell, path, &start, &ContinuationConfig::default())?;
        branches.push(detail::Followed { path: detail::PERIODS.to_owned(), branch });
    }
    Ok(Studied { list, verdict, shares, edges, transients, sensitivities, cycles, passages, branches })
}

/// Where the roll-out from zero under an input ends: its attractor, where it is a point; `None` where it leaves the range of
/// numbers, as that of a relu layer may.
fn attractor<C: Driven>(cell: &C, input: &ArrayRef1<f64>) -> Result<Option<Array1<f64>>> {
    let map = cell.driven_by(input)?;
    let mut solver = Solver::for_map(&map);
    let zero = vec![0.0; cell.state_names().len()];
    solver.iterate(&map, &zero, ROLL_OUT);
    let from = solver.state().to_vec();
    solver.newton(&map, &from, POLISH);
    let end = Array1::from(solver.state().to_vec());
    Ok(end.iter().all(|x| x.is_finite()).then_some(end))
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Complete => "proved complete",
        Outcome::Undecided => "undecided boxes",
        Outcome::Exhausted => "box limit",
        Outcome::NotProved => "completeness not proved",
    }
}

fn map_verdict_name(verdict: MapVerdict) -> &'static str {
    match verdict {
        MapVerdict::LineAttractor => "line attractor",
        MapVerdict::Marginal => "marginal",
        MapVerdict::SlowManifold => "slow manifold",
        MapVerdict::Points => "points",
        MapVerdict::Undecided => "undecided",
    }
}

fn maps(inputs: &Inputs<'_>, studied: &[Studied]) -> Vec<ArrayRef> {
    let stable = |s: &Studied| s.list.points.iter().filter(|p| p.spectrum.verdict == Verdict::Stable).count();
    vec![
        arrays::text(&inputs.labels),
        arrays::category(studied.iter().map(|_| inputs.cell)),
        arrays::category(studied.iter().map(|s| outcome_name(s.list.outcome))),
        arrays::index(studied.iter().map(|s| s.list.points.len() as u16)),
        arrays::index(studied.iter().map(|s| stable(s) as u16)),
        arrays::integer(studied.iter().map(|s| s.list.undecided.len() as i64)),
        arrays::integer(studied.iter().map(|s| s.list.boxes as i64)),
        arrays::optional_float(studied.iter().map(|s| s.list.degree.map(f64::from))),
        arrays::category(studied.iter().map(|s| map_verdict_name(s.verdict))),
    ]
}

fn points(labels: &[String], studied: &[Studied], dim: usize) -> Result<Vec<ArrayRef>> {
    let rows: Vec<(usize, usize)> = (0..studied.len())
        .flat_map(|map| (0..studied[map].list.points.len()).map(move |index| (map, index)))
        .collect();
    let each = |f: &dyn Fn(&Studied, usize) -> f64| -> ArrayRef {
        arrays::float(rows.iter().map(|&(map, index)| f(&studied[map], index)))
    };
    let share = |f: fn(&Share) -> f64| -> ArrayRef {
        arrays::optional_float(rows.iter().map(|&(map, index)| {
            studied[map].shares.iter().find(|s| s.membership == Membership::Point(index)).map(f)
        }))
    };
    let point = |&(map, index): &(usize, usize)| &studied[map].list.points[index];
    let constants: Vec<Vec<f32>> = rows
        .iter()
        .map(|&(map, index)| &studied[map].transients[index].time_constants)
        .map(|constants| constants.iter().map(|constant| *constant as f32).collect())
        .collect();
    let states = Array2::from_shape_fn((rows.len(), dim), |(row, k)| point(&rows[row]).state[k]);
    Ok(vec![
        arrays::text(rows.iter().map(|(map, _)| &labels[*map])),
        arrays::index(rows.iter().map(|(_, index)| *index as u16)),
        arrays::vectors64(states.view())?,
        each(&|s, k| s.list.points[k].residual),
        each(&|s, k| s.list.points[k].enclosure.iter().fold(0.0, |m: f64, v| m.max(v.rad()))),
        each(&|s, k| s.list.points[k].uniqueness_radius()),
        each(&|s, k| s.list.points[k].spectrum.radius.lo),
        each(&|s, k| s.list.points[k].spectrum.radius.hi),
        arrays::category(rows.iter().map(|row| super::verdict_name(point(row).spectrum.verdict))),
        arrays::index(rows.iter().map(|row| super::unstable(point(row).spectrum.verdict))),
        each(&|s, k| s.list.points[k].time_constant()),
        arrays::values32(&constants)?,
        each(&|s, k| s.transients[k].peak.0),
        arrays::index(rows.iter().map(|(map, index)| studied[*map].transients[*index].peak.1 as u16)),
        arrays::optional_index(
            rows.iter().map(|(map, index)| studied[*map].transients[*index].return_time.map(|t| t as u16)),
        ),
        share(|s| s.share),
        share(|s| s.interval.0),
        share(|s| s.interval.1),
    ])
}

fn cycles(labels: &[String], studied: &[Studied], dim: usize) -> Result<Vec<ArrayRef>> {
    let rows: Vec<(usize, usize, usize)> = studied
        .iter()
        .enumerate()
        .flat_map(|(map, s)| {
            s.cycles.iter().enumerate().map(move |(cycle, c)| (map, cycle, c.phases.nrows()))
        })
        .flat_map(|(map, cycle, length)| (0..length).map(move |phase| (map, cycle, phase)))
        .collect();
    let cycle = |&(map, cycle, _): &(usize, usize, usize)| &studied[map].cycles[cycle];
    let states =
        Array2::from_shape_fn((rows.len(), dim), |(row, k)| cycle(&rows[row]).phases[[rows[row].2, k]]);
    Ok(vec![
        arrays::text(rows.iter().map(|(map, _, _)| &labels[*map])),
        arrays::index(rows.iter().map(|(_, cycle, _)| *cycle as u16)),
        arrays::index(rows.iter().map(|row| cycle(row).phases.nrows() as u16)),
        arrays::index(rows.iter().map(|(_, _, phase)| *phase as u16)),
        arrays::vectors64(states.view())?,
        arrays::float(rows.iter().map(|row| cycle(row).residual)),
        arrays::float(rows.iter().map(|row| cycle(row).spectrum.radius.lo)),
        arrays::float(rows.iter().map(|row| cycle(row).spectrum.radius.hi)),
        arrays::category(rows.iter().map(|row| super::verdict_name(cycle(row).spectrum.verdict))),
    ])
}

fn jumps(labels: &[String], studied: &[Studied], dim: usize) -> Result<Vec<ArrayRef>> {
    let rows: Vec<(usize, usize, &Passage)> = studied
        .iter()
        .enumerate()
        .flat_map(|(map, s)| s.passages.iter().map(move |(to, passage)| (map, *to, passage)))
        .collect();
    let jump = |passage: &'_ Passage| -> Option<Jump> {
        if let Passage::Jumps(jump) = passage { Some(jump.clone()) } else { None }
    };
    let lost: Vec<Option<Jump>> = rows.iter().map(|(_, _, passage)| jump(passage)).collect();
    let name = |passage: &Passage| match passage {
        Passage::Survives => "survives",
        Passage::Undecided { .. } => "undecided",
        Passage::Jumps(Jump { cause: JumpCause::Fold, .. }) => "fold",
        Passage::Jumps(Jump { cause: JumpCause::LossOfStability, .. }) => "loss of stability",
    };
    let smallest = |row: usize| {
        let own = |other: &usize| rows[*other].0 == rows[row].0;
        let change = |row: usize| lost[row].as_ref().map_or(f64::INFINITY, |jump| jump.change);
        lost[row].is_some()
            && (0..rows.len()).filter(own).all(|other| (change(row), row) <= (change(other), other))
    };
    // A passage without a jump has no states.
    let states = |f: fn(&Jump) -> &Array1<f64>| {
        Array2::from_shape_fn((rows.len(), dim), |(row, k)| lost[row].as_ref().map_or(f64::NAN, |j| f(j)[k]))
    };
    Ok(vec![
        arrays::text(rows.iter().map(|(map, _, _)| &labels[*map])),
        arrays::text(rows.iter().map(|(_, to, _)| &labels[*to])),
        arrays::category(rows.iter().map(|(_, _, passage)| name(passage))),
        arrays::optional_float(lost.iter().map(|jump| jump.as_ref().map(|jump| jump.share))),
        arrays::optional_float(lost.iter().map(|jump| jump.as_ref().map(|jump| jump.change))),
        arrays::flag((0..rows.len()).map(smallest)),
        arrays::vectors64(states(|jump| &jump.before).view())?,
        arrays::vectors64(states(|jump| &jump.after).view())?,
    ])
}
