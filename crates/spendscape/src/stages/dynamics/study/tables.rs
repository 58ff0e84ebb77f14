//! Tables of single maps.

use anyhow::Result;
use ndarray::Array1;
use spendscape_dynamics::{
    attractors::MapVerdict,
    continuation::{Branch, BranchEnd, BranchPoint, Jump, JumpCause, Passage},
    fixed_points::{Method, Outcome, Status},
    orbits::Membership,
    study::StudiedMap,
};
use spendscape_run::{File, WithAxes, outputs};
use spendscape_schema::{
    Axes,
    tables::{
        MapBoxRow, MapBoxes, MapBranchRow, MapBranches, MapCycleRow, MapCycles, MapEdgeRow, MapEdges,
        MapJumpRow, MapJumps, MapPointRow, MapPoints, MapRow, MapSensitivities, MapSensitivityRow,
        MapStartRow, MapStarts, Maps, words,
    },
};

use super::Inputs;
use crate::stages::dynamics::{unstable, verdict_name};

/// The name of a customer's own path.
const PERIODS: &str = "periods";
/// The most boxes written per map: a search that ends at its limit may leave a million.
const BOXES_MAX: usize = 1_000;

outputs! {
    /// Single maps in depth.
    pub struct MapTables {
        /// Single maps in depth.
        pub maps: WithAxes<Maps> = table File::Maps,
        /// Their fixed points.
        pub points: WithAxes<MapPoints> = table File::MapPoints,
        /// Where further points of theirs may lie.
        pub boxes: WithAxes<MapBoxes> = table File::MapBoxes,
        /// What became of the starts of the search.
        pub starts: WithAxes<MapStarts> = table File::MapStarts,
        /// Edges of their basins.
        pub edges: WithAxes<MapEdges> = table File::MapEdges,
        /// Their cycles.
        pub cycles: WithAxes<MapCycles> = table File::MapCycles,
        /// How their points move with the input.
        pub sensitivities: WithAxes<MapSensitivities> = table File::MapSensitivities,
        /// Their attractors along paths of inputs.
        pub branches: WithAxes<MapBranches> = table File::MapBranches,
        /// Where their attractors are lost.
        pub jumps: WithAxes<MapJumps> = table File::MapJumps,
    }
}

impl MapTables {
    /// The tables of maps; `axes` names the coordinates of their states.
    pub(super) fn of(inputs: &Inputs<'_>, studied: &[StudiedMap], axes: &Axes) -> Result<Self> {
        let (axes, labels) = (|| axes.clone(), inputs.labels.as_slice());
        Ok(Self {
            maps: WithAxes { axes: axes(), table: maps(inputs, studied)? },
            points: WithAxes { axes: axes(), table: points(labels, studied)? },
            boxes: WithAxes { axes: axes(), table: boxes(labels, studied)? },
            starts: WithAxes { axes: axes(), table: starts(labels, studied)? },
            edges: WithAxes { axes: axes(), table: edges(labels, studied)? },
            cycles: WithAxes { axes: axes(), table: cycles(labels, studied)? },
            sensitivities: WithAxes { axes: axes(), table: sensitivities(inputs, studied)? },
            branches: WithAxes { axes: axes(), table: branches(labels, studied)? },
            jumps: WithAxes { axes: axes(), table: jumps(labels, studied)? },
        })
    }
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
        MapVerdict::LineAttractor => words::LINE_ATTRACTOR,
        MapVerdict::Marginal => "marginal",
        MapVerdict::SlowManifold => words::SLOW_MANIFOLD,
        MapVerdict::Points => "points",
        MapVerdict::Undecided => "undecided",
    }
}

fn maps(inputs: &Inputs<'_>, studied: &[StudiedMap]) -> Result<Maps> {
    let row = |(label, s): (&String, &StudiedMap)| MapRow {
        input: label.clone(),
        cell: inputs.cell.to_owned(),
        outcome: outcome_name(s.list.outcome).to_owned(),
        points: s.list.points.len() as u16,
        stable: s.stable() as u16,
        undecided: s.list.undecided.len() as i64,
        boxes: s.list.boxes as i64,
        degree: s.list.degree.map(f64::from),
        verdict: map_verdict_name(s.verdict).to_owned(),
    };
    Ok(Maps::from_rows(inputs.labels.iter().zip(studied).map(row))?)
}

fn points(labels: &[String], studied: &[StudiedMap]) -> Result<MapPoints> {
    let row = |label: &String, s: &StudiedMap, index: usize| {
        let (point, transient) = (&s.list.points[index], s.transients[index].as_ref());
        let share = s.basins.iter().find(|share| share.membership == Membership::Point(index));
        MapPointRow {
            input: label.clone(),
            index: index as u16,
            state: point.state.to_vec(),
            residual: point.residual,
            radius: point.enclosure.iter().fold(0.0, |largest: f64, side| largest.max(side.rad())),
            alone: point.uniqueness_radius(),
            spectral_low: point.spectrum.radius.lo,
            spectral_high: point.spectrum.radius.hi,
            verdict: verdict_name(point.spectrum.verdict).to_owned(),
            unstable: unstable(point.spectrum.verdict),
            time_constant: point.time_constant(),
            time_constants: transient.map_or_else(Vec::new, |transient| {
                transient.time_constants.iter().map(|constant| *constant as f32).collect()
            }),
            growth: transient.map_or(f64::NAN, |transient| transient.peak.0),
            growth_step: transient.map_or(0, |transient| transient.peak.1 as u16),
            return_time: transient.and_then(|transient| transient.return_time).map(|steps| steps as u16),
            basin: share.map(|share| share.share),
            basin_low: share.map(|share| share.interval.0),
            basin_high: share.map(|share| share.interval.1),
        }
    };
    let of_map = |(label, s): (_, &'_ StudiedMap)| {
        (0..s.list.points.len()).map(|index| row(label, s, index)).collect::<Vec<_>>()
    };
    Ok(MapPoints::from_rows(labels.iter().zip(studied).flat_map(of_map))?)
}

fn cycles(labels: &[String], studied: &[StudiedMap]) -> Result<MapCycles> {
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
                verdict: verdict_name(cycle.spectrum.verdict).to_owned(),
            }));
        }
    }
    Ok(MapCycles::from_rows(rows)?)
}

fn jumps(labels: &[String], studied: &[StudiedMap]) -> Result<MapJumps> {
    let name = |passage: &Passage| match passage {
        Passage::Survives => "survives",
        Passage::Undecided { .. } => "undecided",
        Passage::Jumps(Jump { cause: JumpCause::Fold, .. }) => "fold",
        Passage::Jumps(Jump { cause: JumpCause::LossOfStability, .. }) => "loss of stability",
    };
    let mut rows = Vec::new();
    for (label, s) in labels.iter().zip(studied) {
        let smallest = s.smallest_jump();
        for (at, departure) in s.departures.iter().enumerate() {
            let jump = if let Passage::Jumps(jump) = &departure.passage { Some(jump) } else { None };
            // A passage without a jump has no states.
            let state = |of: fn(&Jump) -> &Array1<f64>| {
                jump.map_or_else(|| vec![f64::NAN; s.dim], |jump| of(jump).to_vec())
            };
            rows.push(MapJumpRow {
                input: label.clone(),
                toward: labels[departure.toward].clone(),
                passage: name(&departure.passage).to_owned(),
                share: jump.map(|jump| jump.share),
                change: jump.map(|jump| jump.change),
                smallest: smallest == Some(at),
                before: state(|jump| &jump.before),
                after: state(|jump| &jump.after),
            });
        }
    }
    Ok(MapJumps::from_rows(rows)?)
}

fn boxes(labels: &[String], studied: &[StudiedMap]) -> Result<MapBoxes> {
    let rows = labels.iter().zip(studied).flat_map(|(label, s)| {
        s.undecided_cover(BOXES_MAX).map(move |sides| MapBoxRow {
            input: label.clone(),
            low: sides.iter().map(|side| side.lo).collect(),
            high: sides.iter().map(|side| side.hi).collect(),
        })
    });
    Ok(MapBoxes::from_rows(rows)?)
}

fn method_name(method: Method) -> &'static str {
    match method {
        Method::Newton => "newton",
        Method::Descent => "descent",
        Method::Iteration => "iteration",
        Method::Fiber => "fiber",
    }
}

fn status_name(status: Status) -> &'static str {
    match status {
        Status::Converged => "converged",
        Status::StepLimit => "step limit",
        Status::Stalled => "stalled",
        Status::Known => "known",
        Status::Diverged => "diverged",
    }
}

fn starts(labels: &[String], studied: &[StudiedMap]) -> Result<MapStarts> {
    let rows = labels.iter().zip(studied).flat_map(|(label, s)| {
        s.list.starts.iter().map(|fate| MapStartRow {
            input: label.clone(),
            start: fate.start as u16,
            method: method_name(fate.method).to_owned(),
            status: status_name(fate.status).to_owned(),
            residual: fate.residual,
            point: fate.point.map(|point| point as u16),
        })
    });
    Ok(MapStarts::from_rows(rows)?)
}

fn edges(labels: &[String], studied: &[StudiedMap]) -> Result<MapEdges> {
    let rows = labels.iter().zip(studied).flat_map(|(label, s)| {
        s.edges.iter().map(|edge| MapEdgeRow {
            input: label.clone(),
            index: edge.index as u16,
            toward: edge.toward as u16,
            beyond: match edge.beyond {
                Membership::Point(point) => Some(point as u16),
                Membership::Undecided => None,
            },
            inside: edge.edge.inside.to_vec(),
            outside: edge.edge.outside.to_vec(),
        })
    });
    Ok(MapEdges::from_rows(rows)?)
}

fn sensitivities(inputs: &Inputs<'_>, studied: &[StudiedMap]) -> Result<MapSensitivities> {
    let mut rows = Vec::new();
    for (label, s) in inputs.labels.iter().zip(studied) {
        for (index, change) in (0..).zip(&s.sensitivities) {
            let columns = change.iter().flat_map(|change| change.columns());
            rows.extend(columns.zip(inputs.coordinates).map(|(column, coordinate)| MapSensitivityRow {
                input: label.clone(),
                index,
                coordinate: coordinate.clone(),
                change: column.to_vec(),
            }));
        }
    }
    Ok(MapSensitivities::from_rows(rows)?)
}

fn end_name(end: &BranchEnd) -> &'static str {
    match end {
        BranchEnd::Complete => "path's end",
        BranchEnd::Fold { .. } => "fold",
        BranchEnd::StepLimit { .. } => "step limit",
        BranchEnd::NoStart => "no start",
    }
}

fn branches(labels: &[String], studied: &[StudiedMap]) -> Result<MapBranches> {
    let mut rows = Vec::new();
    for (label, s) in labels.iter().zip(studied) {
        let toward = s
            .departures
            .iter()
            .filter_map(|departure| Some((labels[departure.toward].as_str(), departure.branch.as_ref()?)));
        let own = s.own_path.as_ref().map(|branch| (PERIODS, branch));
        rows.extend(toward.chain(own).flat_map(|(path, branch)| branch_rows(label, path, branch)));
    }
    Ok(MapBranches::from_rows(rows)?)
}

/// The points of an attractor followed along a path.
fn branch_rows(label: &str, path: &str, branch: &Branch) -> Vec<MapBranchRow> {
    let row = |at: &BranchPoint| MapBranchRow {
        input: label.to_owned(),
        path: path.to_owned(),
        at: at.s,
        state: at.point.state.to_vec(),
        spectral_low: at.point.spectrum.radius.lo,
        spectral_high: at.point.spectrum.radius.hi,
        verdict: verdict_name(at.point.spectrum.verdict).to_owned(),
        end: end_name(&branch.end).to_owned(),
    };
    branch.points.iter().map(row).collect()
}
