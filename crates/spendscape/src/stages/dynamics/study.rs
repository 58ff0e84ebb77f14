//! Single maps in depth: all fixed points, basins, transients, cycles, sensitivities, and the changes of input at which the
//! attractor is lost; for nets from elsewhere and for a sample of customers.

mod detail;

use std::sync::Mutex;

use anyhow::Result;
use arrow::array::RecordBatch;
use clap::Args;
use ndarray::{Array1, Array2, ArrayRef1};
use rayon::prelude::*;
use spendscape_dynamics::{
    Basins, Complete, ContinuationConfig, Cycle, Driven, FindConfig, FixedPointList, Interval, Jump,
    JumpCause, MapVerdict, Membership, Outcome, Passage, SearchConfig, Share, Solver, Transient, Verdict,
    find_cycles, follow, judge_map, jump_toward,
};
use spendscape_schema::{
    Axes, Axis, Tabular, seed,
    tables::{MapCycleRow, MapCycles, MapJumpRow, MapJumps, MapPointRow, MapPoints, MapRow, Maps},
};

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
    /// Coordinates of its states.
    dim: usize,
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
    let labels = inputs.labels.as_slice();
    let axes = Axes::new().with(Axis::Unit, cell.state_names());
    Ok(vec![
        (File::Maps, maps(inputs, &studied)?.to_batch(&axes)?),
        (File::MapPoints, points(labels, &studied)?.to_batch(&axes)?),
        (File::MapBoxes, detail::boxes(labels, &studied, cell.state_names().len())?.to_batch(&axes)?),
        (File::MapStarts, detail::starts(labels, &studied)?.to_batch(&axes)?),
        (File::MapEdges, detail::edges(labels, &studied)?.to_batch(&axes)?),
        (File::MapCycles, cycles(labels, &studied)?.to_batch(&axes)?),
        (File::MapSensitivities, detail::sensitivities(inputs, &studied)?.to_batch(&axes)?),
        (File::MapBranches, detail::branches(labels, &studied)?.to_batch(&axes)?),
        (File::MapJumps, jumps(labels, &studied)?.to_batch(&axes)?),
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
    Ok(Studied {
        dim: cell.state_names().len(),
        list,
        verdict,
        shares,
        edges,
        transients,
        sensitivities,
        cycles,
        passages,
        branches,
    })
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

fn maps(inputs: &Inputs<'_>, studied: &[Studied]) -> Result<Maps> {
    let stable = |s: &Studied| s.list.points.iter().filter(|p| p.spectrum.verdict == Verdict::Stable).count();
    let row = |(label, s): (&String, &Studied)| MapRow {
        input: label.clone(),
        cell: inputs.cell.to_owned(),
        outcome: outcome_name(s.list.outcome).to_owned(),
        points: s.list.points.len() as u16,
        stable: stable(s) as u16,
        undecided: s.list.undecided.len() as i64,
        boxes: s.list.boxes as i64,
        degree: s.list.degree.map(f64::from),
        verdict: map_verdict_name(s.verdict).to_owned(),
    };
    Ok(Maps::from_rows(inputs.labels.iter().zip(studied).map(row))?)
}

fn points(labels: &[String], studied: &[Studied]) -> Result<MapPoints> {
    let row = |label: &String, s: &Studied, index: usize| {
        let (point, transient) = (&s.list.points[index], &s.transients[index]);
        let share = s.shares.iter().find(|share| share.membership == Membership::Point(index));
        MapPointRow {
            input: label.clone(),
            index: index as u16,
            state: point.state.to_vec(),
            residual: point.residual,
            radius: point.enclosure.iter().fold(0.0, |largest: f64, side| largest.max(side.rad())),
            alone: point.uniqueness_radius(),
            spectral_low: point.spectrum.radius.lo,
            spectral_high: point.spectrum.radius.hi,
            verdict: super::verdict_name(point.spectrum.verdict).to_owned(),
            unstable: super::unstable(point.spectrum.verdict),
            time_constant: point.time_constant(),
            time_constants: transient.time_constants.iter().map(|constant| *constant as f32).collect(),
            growth: transient.peak.0,
            growth_step: transient.peak.1 as u16,
            return_time: transient.return_time.map(|steps| steps as u16),
            basin: share.map(|share| share.share),
            basin_low: share.map(|share| share.interval.0),
            basin_high: share.map(|share| share.interval.1),
        }
    };
    let of_map = |(label, s): (_, &'_ Studied)| {
        (0..s.list.points.len()).map(|index| row(label, s, index)).collect::<Vec<_>>()
    };
    Ok(MapPoints::from_rows(labels.iter().zip(studied).flat_map(of_map))?)
}

fn cycles(labels: &[String], studied: &[Studied]) -> Result<MapCycles> {
    let mut rows = Vec::new();
    for (label, s) in labels.iter().zip(studied) {
        for (at, cycle) in s.cycles.iter().enumerate() {
            rows.extend(cycle.phases.rows().into_iter().enumerate().map(|(phase, state)| MapCycleRow {
                input: label.clone(),
                cycle: at as u16,
                length: cycle.phases.nrows() as u16,
                phase: phase as u16,
                state: state.to_vec(),
                residual: cycle.residual,
                spectral_low: cycle.spectrum.radius.lo,
                spectral_high: cycle.spectrum.radius.hi,
                verdict: super::verdict_name(cycle.spectrum.verdict).to_owned(),
            }));
        }
    }
    Ok(MapCycles::from_rows(rows)?)
}

fn jumps(labels: &[String], studied: &[Studied]) -> Result<MapJumps> {
    let name = |passage: &Passage| match passage {
        Passage::Survives => "survives",
        Passage::Undecided { .. } => "undecided",
        Passage::Jumps(Jump { cause: JumpCause::Fold, .. }) => "fold",
        Passage::Jumps(Jump { cause: JumpCause::LossOfStability, .. }) => "loss of stability",
    };
    let lost =
        |passage: &'_ Passage| if let Passage::Jumps(jump) = passage { Some(jump.clone()) } else { None };
    let mut rows = Vec::new();
    for (label, s) in labels.iter().zip(studied) {
        let change = |(_, (_, passage)): &(usize, &(usize, Passage))| Some(lost(passage)?.change);
        let changes = s.passages.iter().enumerate().filter_map(|at| Some((at.0, change(&at)?)));
        let smallest = changes.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at);
        for (at, (to, passage)) in s.passages.iter().enumerate() {
            let jump = lost(passage);
            // A passage without a jump has no states.
            let state = |of: fn(&Jump) -> &Array1<f64>| {
                jump.as_ref().map_or_else(|| vec![f64::NAN; s.dim], |jump| of(jump).to_vec())
            };
            rows.push(MapJumpRow {
                input: label.clone(),
                toward: labels[*to].clone(),
                passage: name(passage).to_owned(),
                share: jump.as_ref().map(|jump| jump.share),
                change: jump.as_ref().map(|jump| jump.change),
                smallest: smallest == Some(at),
                before: state(|jump| &jump.before),
                after: state(|jump| &jump.after),
            });
        }
    }
    Ok(MapJumps::from_rows(rows)?)
}
