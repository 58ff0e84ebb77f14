//! What is known of single maps beyond their points: what is undecided, the fates of starts, edges of basins,
//! sensitivities, and attractors followed along paths of inputs.

use anyhow::Result;
use ndarray::Array2;
use spendscape_dynamics::{
    Basins, Branch, BranchEnd, Edge, Error, FixedPoint, FixedPointList, Interval, Map, Membership, Method,
    Status, Transient, Verdict, sensitivity, transient,
};
use spendscape_schema::tables::{
    MapBoxRow, MapBoxes, MapBranchRow, MapBranches, MapEdgeRow, MapEdges, MapSensitivities,
    MapSensitivityRow, MapStartRow, MapStarts,
};

use super::{Inputs, Studied};
use crate::stages::dynamics::verdict_name;

/// The name of a customer's own path.
pub(super) const PERIODS: &str = "periods";

/// An edge of the basin of a stable point.
pub(super) struct BasinEdge {
    index: usize,
    toward: usize,
    beyond: Membership,
    edge: Edge,
}

/// The edge of each stable point's basin toward the nearest other stable point: one per point, because a large net may have
/// hundreds.
pub(super) fn find_edges<M: Map>(basins: &Basins<'_, M>, list: &FixedPointList) -> Result<Vec<BasinEdge>> {
    let state = |index: usize| &list.points[index].state;
    let apart = |a: usize, b: usize| (state(a) - state(b)).mapv(|d| d * d).sum();
    let stable: Vec<usize> =
        (0..list.points.len()).filter(|k| list.points[*k].spectrum.verdict == Verdict::Stable).collect();
    let mut edges = Vec::new();
    for &index in &stable {
        let others = stable.iter().copied().filter(|other| *other != index);
        let nearest = others.min_by(|a, b| f64::total_cmp(&apart(index, *a), &apart(index, *b)));
        let Some(toward) = nearest else { continue };
        if let Some(edge) = basins.edge(state(index), state(toward))? {
            edges.push(BasinEdge { index, toward, beyond: basins.membership(&edge.outside)?, edge });
        }
    }
    Ok(edges)
}

/// Powers of the Jacobian looked at for transient growth.
const GROWTH_STEPS: usize = 200;

/// The transient at a point; without numbers on a kink, where there is no Jacobian.
pub(super) fn transient_of(map: &impl Map, point: &FixedPoint) -> Result<Transient, Error> {
    if point.spectrum.verdict == Verdict::Kink {
        return Ok(Transient {
            growth: Vec::new(),
            peak: (f64::NAN, 0),
            return_time: None,
            eigenvalues: Vec::new(),
            time_constants: Vec::new(),
        });
    }
    transient(map, &point.state, GROWTH_STEPS)
}

/// The sensitivity of a point, dim x inputs; `None` where it is singular, or on a kink.
pub(super) fn sensitivity_of(map: &impl Map, point: &FixedPoint) -> Result<Option<Array2<f64>>, Error> {
    if point.spectrum.verdict == Verdict::Kink {
        return Ok(None);
    }
    match sensitivity(map, &point.state) {
        Ok(change) => Ok(Some(change)),
        Err(Error::Singular) => Ok(None),
        Err(error) => Err(error),
    }
}

/// An attractor followed along a path.
pub(super) struct Followed {
    /// What the path is called.
    pub(super) path: String,
    pub(super) branch: Branch,
}

/// The most boxes written per map: a search that ends at its limit may leave a million.
const BOXES_MAX: usize = 1_000;

/// A cover of what is undecided on one map by at most [`BOXES_MAX`] boxes: neighbors in the order of the search, which lie
/// side by side, are joined to the box around them.
fn cover(undecided: &[Vec<Interval>], dim: usize) -> impl Iterator<Item = Vec<Interval>> + '_ {
    // A box of the lower layers of a stack says nothing of the upper ones.
    let side = move |sides: &Vec<Interval>, k: usize| sides.get(k).copied().unwrap_or(Interval::ENTIRE);
    let joined = undecided.len().div_ceil(BOXES_MAX).max(1);
    undecided.chunks(joined).map(move |boxes| {
        let around = |k| boxes.iter().map(|sides| side(sides, k)).reduce(Interval::hull);
        (0..dim).filter_map(around).collect()
    })
}

pub(super) fn boxes(labels: &[String], studied: &[Studied], dim: usize) -> Result<MapBoxes> {
    let rows = labels.iter().zip(studied).flat_map(|(label, s)| {
        cover(&s.list.undecided, dim).map(move |sides| MapBoxRow {
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

pub(super) fn starts(labels: &[String], studied: &[Studied]) -> Result<MapStarts> {
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

pub(super) fn edges(labels: &[String], studied: &[Studied]) -> Result<MapEdges> {
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

pub(super) fn sensitivities(inputs: &Inputs<'_>, studied: &[Studied]) -> Result<MapSensitivities> {
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

pub(super) fn branches(labels: &[String], studied: &[Studied]) -> Result<MapBranches> {
    let each = labels.iter().zip(studied).flat_map(|(label, s)| s.branches.iter().map(move |b| (label, b)));
    let rows = each.flat_map(|(label, Followed { path, branch })| {
        branch.points.iter().map(move |at| MapBranchRow {
            input: label.clone(),
            path: path.clone(),
            at: at.s,
            state: at.point.state.to_vec(),
            spectral_low: at.point.spectrum.radius.lo,
            spectral_high: at.point.spectrum.radius.hi,
            verdict: verdict_name(at.point.spectrum.verdict).to_owned(),
            end: end_name(&branch.end).to_owned(),
        })
    });
    Ok(MapBranches::from_rows(rows)?)
}
