//! Profiles of the segments as tables.

use anyhow::Result;
use ndarray::{Array1, Array2, Array3, Axis as Dimension};
use spendscape_schema::{Axes, Axis, arrays};
use spendscape_segments::{Profile, ProfileInput, profiles, unit_rows, yearly_stability};

use super::centers::Segmentation;
use crate::{
    model::Weights,
    run_folder::{File, Stage},
};

/// Classes listed per segment.
const CLASSES: usize = 12;
/// Customers listed per segment.
const CUSTOMERS: usize = 5;

/// What profiles are made from; N customers in the panel's order.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    /// Customers.
    pub(crate) customers: &'a [String],
    /// Classes.
    pub(crate) classes: &'a [String],
    /// Traits.
    pub(crate) traits: &'a [String],
    /// Mean shares, N x C.
    pub(crate) shares: &'a Array2<f64>,
    /// Grades, N x P.
    pub(crate) grades: &'a Array2<f64>,
    /// States, N x T x M.
    pub(crate) states: &'a Array3<f64>,
    /// Place of each customer's segment in the list of segments.
    pub(crate) assigned: &'a [usize],
    /// The same by the short window, where there is one.
    pub(crate) short: &'a [Option<usize>],
    /// Overlap of each segment with refits on bootstrap samples, if there were any.
    pub(crate) bootstrap: Option<&'a [f64]>,
}

/// Writes the profiles of all segments that have customers.
///
/// # Errors
/// If the parts do not fit together, or the disk is full.
pub(crate) fn write(
    stage: &mut Stage<'_>,
    segmentation: &Segmentation,
    weights: &Weights,
    members: &Members<'_>,
) -> Result<()> {
    let input = ProfileInput {
        labels: members.assigned,
        segments: segmentation.ids.len(),
        shares: members.shares,
        grades: members.grades,
        states: members.states,
        other_labels: Some(members.short),
    };
    let mut found = profiles(&input, CLASSES, CUSTOMERS)?;
    found.retain(|profile| profile.size > 0);
    let axes = Axes::new()
        .with_numbered(Axis::Unit, members.states.len_of(Dimension(2)))
        .with(Axis::Trait, members.traits.iter().cloned());
    write_overview(stage, segmentation, members, &found, &axes)?;
    write_lists(stage, segmentation, members, &found)?;
    write_trajectories(stage, segmentation, weights, &found, &axes)
}

fn write_overview(
    stage: &mut Stage<'_>,
    segmentation: &Segmentation,
    members: &Members<'_>,
    found: &[Profile],
    axes: &Axes,
) -> Result<()> {
    let always = always_kept(segmentation, members)?;
    let grades = rows(found.iter().map(|profile| profile.grades.clone()), members.traits.len());
    let columns = vec![
        arrays::index(found.iter().map(|profile| segmentation.ids[profile.segment] as u16)),
        arrays::integer(found.iter().map(|profile| profile.size as i64)),
        arrays::float(found.iter().map(|profile| profile.share)),
        arrays::vectors64(grades.view())?,
        arrays::optional_float(found.iter().map(|profile| profile.stability)),
        arrays::float(found.iter().map(|profile| always[profile.segment])),
        arrays::optional_float(
            found.iter().map(|profile| members.bootstrap.map(|overlap| overlap[profile.segment])),
        ),
    ];
    stage.write(File::Profiles, &axes.only(&[Axis::Trait]), columns)
}

/// Share of each segment's customers who were in it after every period.
fn always_kept(segmentation: &Segmentation, members: &Members<'_>) -> Result<Vec<f64>> {
    let mut directions = members.states.clone();
    for mut period in directions.axis_iter_mut(Dimension(1)) {
        let units = unit_rows(&period);
        period.assign(&units);
    }
    let everybody = vec![true; members.customers.len()];
    let yearly = yearly_stability(&segmentation.centers, &directions, &everybody)?;
    let (mut kept, mut size) = (vec![0.0; segmentation.ids.len()], vec![0.0; segmentation.ids.len()]);
    for (row, own) in yearly.labels.rows().into_iter().zip(members.assigned) {
        size[*own] += 1.0;
        kept[*own] += f64::from(row.iter().all(|label| label == own));
    }
    Ok(kept.into_iter().zip(size).map(|(kept, size)| kept / size).collect())
}

fn write_lists(
    stage: &mut Stage<'_>,
    segmentation: &Segmentation,
    members: &Members<'_>,
    found: &[Profile],
) -> Result<()> {
    let id = |profile: &Profile| segmentation.ids[profile.segment] as u16;
    let mut spending = Vec::new();
    let mut typical = Vec::new();
    let last = members.states.len_of(Dimension(1)) - 1;
    for profile in found {
        spending.extend(profile.spending.iter().map(|spending| (id(profile), spending)));
        for row in &profile.examples {
            let state = members.states.index_axis(Dimension(0), *row);
            let apart = &state.row(last) - &profile.trajectory.row(last);
            typical.push((id(profile), &members.customers[*row], apart.dot(&apart).sqrt()));
        }
    }
    let columns = vec![
        arrays::index(spending.iter().map(|(id, _)| *id)),
        arrays::text(spending.iter().map(|(_, s)| &members.classes[s.class])),
        arrays::float(spending.iter().map(|(_, s)| s.share)),
        arrays::float(spending.iter().map(|(_, s)| s.population)),
        arrays::float(spending.iter().map(|(_, s)| s.difference)),
    ];
    stage.write(File::ProfileSpending, &Axes::new(), columns)?;
    let columns = vec![
        arrays::index(typical.iter().map(|(id, ..)| *id)),
        arrays::text(typical.iter().map(|(_, customer, _)| customer)),
        arrays::float(typical.iter().map(|(.., distance)| *distance)),
    ];
    stage.write(File::ProfileCustomers, &Axes::new(), columns)
}

fn write_trajectories(
    stage: &mut Stage<'_>,
    segmentation: &Segmentation,
    weights: &Weights,
    found: &[Profile],
    axes: &Axes,
) -> Result<()> {
    let periods = found.first().map_or(0, |profile| profile.trajectory.nrows());
    let steps = || found.iter().flat_map(|profile| (0..periods).map(move |period| (profile, period)));
    let hidden = rows(
        steps().map(|(profile, period)| profile.trajectory.row(period).to_owned()),
        weights.output.ncols(),
    );
    let output = hidden.dot(&weights.output.t()) + &weights.output_bias;
    let columns = vec![
        arrays::index(steps().map(|(profile, _)| segmentation.ids[profile.segment] as u16)),
        arrays::index(steps().map(|(_, period)| period as u16)),
        arrays::vectors64(hidden.view())?,
        arrays::vectors64(output.view())?,
    ];
    stage.write(File::ProfileTrajectories, axes, columns)
}

/// Vectors as the rows of a matrix.
fn rows(vectors: impl Iterator<Item = Array1<f64>>, width: usize) -> Array2<f64> {
    let vectors: Vec<Array1<f64>> = vectors.collect();
    Array2::from_shape_fn((vectors.len(), width), |(row, column)| vectors[row][column])
}
