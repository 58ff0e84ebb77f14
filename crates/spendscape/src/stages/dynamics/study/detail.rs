//! What is known of single maps beyond their points: what is undecided, the fates of starts, edges of basins,
//! sensitivities, and attractors followed along paths of inputs.

use anyhow::Result;
use arrow::array::ArrayRef;
use ndarray::{Array1, Array2};
use spendscape_dynamics::{
    Basins, Branch, BranchEnd, BranchPoint, Edge, Error, Fate, FixedPoint, FixedPointList, Interval, Map,
    Membership, Method, Status, Transient, Verdict, sensitivity, transient,
};
use spendscape_schema::arrays;

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

/// One label per item of a map; a list, because columns of text are made of iterators that know their length.
fn owners<'a>(labels: &'a [String], studied: &[Studied], count: fn(&Studied) -> usize) -> Vec<&'a String> {
    let counts = studied.iter().map(count);
    labels.iter().zip(counts).flat_map(|(label, count)| std::iter::repeat_n(label, count)).collect()
}

/// States as the rows of a column of vectors.
fn states<'a>(states: impl Iterator<Item = &'a Array1<f64>>, dim: usize) -> Result<ArrayRef> {
    let flat: Vec<f64> = states.flatten().copied().collect();
    Ok(arrays::vectors64(Array2::from_shape_vec((flat.len() / dim, dim), flat)?.view())?)
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

pub(super) fn boxes(labels: &[String], studied: &[Studied], dim: usize) -> Result<Vec<ArrayRef>> {
    let rows: Vec<(&String, Vec<Interval>)> = labels
        .iter()
        .zip(studied)
        .flat_map(|(label, s)| cover(&s.list.undecided, dim).map(move |sides| (label, sides)))
        .collect();
    let ends = |end: fn(&Interval) -> f64| -> Result<ArrayRef> {
        let ends: Vec<Array1<f64>> = rows.iter().map(|(_, sides)| sides.iter().map(end).collect()).collect();
        states(ends.iter(), dim)
    };
    Ok(vec![arrays::text(rows.iter().map(|(label, _)| label)), ends(|side| side.lo)?, ends(|side| side.hi)?])
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

pub(super) fn starts(labels: &[String], studied: &[Studied]) -> Vec<ArrayRef> {
    let all = || studied.iter().flat_map(|s| &s.list.starts);
    vec![
        arrays::text(owners(labels, studied, |s| s.list.starts.len())),
        arrays::index(all().map(|fate| fate.start as u16)),
        arrays::category(all().map(|fate| method_name(fate.method))),
        arrays::category(all().map(|fate| status_name(fate.status))),
        arrays::float(all().map(|fate| fate.residual)),
        arrays::optional_index(all().map(|Fate { point, .. }| point.map(|point| point as u16))),
    ]
}

pub(super) fn edges(labels: &[String], studied: &[Studied], dim: usize) -> Result<Vec<ArrayRef>> {
    let all = || studied.iter().flat_map(|s| &s.edges);
    let beyond = |edge: &BasinEdge| match edge.beyond {
        Membership::Point(point) => Some(point as u16),
        Membership::Undecided => None,
    };
    Ok(vec![
        arrays::text(owners(labels, studied, |s| s.edges.len())),
        arrays::index(all().map(|edge| edge.index as u16)),
        arrays::index(all().map(|edge| edge.toward as u16)),
        arrays::optional_index(all().map(beyond)),
        states(all().map(|edge| &edge.edge.inside), dim)?,
        states(all().map(|edge| &edge.edge.outside), dim)?,
    ])
}

pub(super) fn sensitivities(inputs: &Inputs<'_>, studied: &[Studied], dim: usize) -> Result<Vec<ArrayRef>> {
    let each = studied.iter().zip(&inputs.labels).flat_map(|(s, label)| {
        (0..).zip(&s.sensitivities).filter_map(move |(index, change)| Some((label, index, change.as_ref()?)))
    });
    let rows: Vec<(&String, u16, usize, Array1<f64>)> = each
        .flat_map(|(label, index, change)| {
            (0..).zip(change.columns()).map(move |(at, column)| (label, index, at, column.to_owned()))
        })
        .collect();
    Ok(vec![
        arrays::text(rows.iter().map(|row| row.0)),
        arrays::index(rows.iter().map(|row| row.1)),
        arrays::text(rows.iter().map(|row| &inputs.coordinates[row.2])),
        states(rows.iter().map(|row| &row.3), dim)?,
    ])
}

fn end_name(end: &BranchEnd) -> &'static str {
    match end {
        BranchEnd::Complete => "path's end",
        BranchEnd::Fold { .. } => "fold",
        BranchEnd::StepLimit { .. } => "step limit",
        BranchEnd::NoStart => "no start",
    }
}

pub(super) fn branches(labels: &[String], studied: &[Studied], dim: usize) -> Result<Vec<ArrayRef>> {
    let each = labels.iter().zip(studied).flat_map(|(label, s)| s.branches.iter().map(move |b| (label, b)));
    let rows: Vec<(&String, &Followed, &BranchPoint)> = each
        .flat_map(|(label, followed)| {
            followed.branch.points.iter().map(move |point| (label, followed, point))
        })
        .collect();
    let spectrum = |row: &(&String, &Followed, &BranchPoint)| row.2.point.spectrum;
    Ok(vec![
        arrays::text(rows.iter().map(|row| row.0)),
        arrays::text(rows.iter().map(|row| &row.1.path)),
        arrays::float(rows.iter().map(|row| row.2.s)),
        states(rows.iter().map(|row| &row.2.point.state), dim)?,
        arrays::float(rows.iter().map(|row| spectrum(row).radius.lo)),
        arrays::float(rows.iter().map(|row| spectrum(row).radius.hi)),
        arrays::category(rows.iter().map(|row| verdict_name(spectrum(row).verdict))),
        arrays::category(rows.iter().map(|row| end_name(&row.1.branch.end))),
    ])
}
