//! Profiles of the segments as tables.

use anyhow::Result;
use ndarray::{Array2, Array3, Axis as Dimension};
use spendscape_run::{File, Segmentation, Weights, WithAxes, outputs};
use spendscape_schema::{
    Axes, Axis,
    tables::{
        ProfileCustomerRow, ProfileCustomers, ProfileRow, ProfileSpending, ProfileSpendingRow,
        ProfileTrajectories, ProfileTrajectoryRow, Profiles,
    },
};
use spendscape_segments::{
    directions::unit_rows,
    profiles::{Profile, ProfileInput, always_kept, profiles},
    stability::yearly_stability,
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

outputs! {
    /// What segments are like.
    pub struct ProfileTables {
        /// Sizes, grades and stability.
        pub profiles: WithAxes<Profiles> = table File::Profiles,
        /// Spending that sets them apart.
        pub spending: ProfileSpending = table File::ProfileSpending,
        /// Customers typical of them.
        pub customers: ProfileCustomers = table File::ProfileCustomers,
        /// Their mean trajectories.
        pub trajectories: WithAxes<ProfileTrajectories> = table File::ProfileTrajectories,
    }
}

impl ProfileTables {
    /// The profiles of all segments that have customers.
    ///
    /// # Errors
    /// If the parts do not fit together.
    pub(crate) fn of(segmentation: &Segmentation, weights: &Weights, members: &Members<'_>) -> Result<Self> {
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
        let (spending, customers) = lists(segmentation, members, &found)?;
        Ok(Self {
            profiles: WithAxes { axes: axes.clone(), table: overview(segmentation, members, &found)? },
            spending,
            customers,
            trajectories: WithAxes { axes, table: trajectories(segmentation, weights, &found)? },
        })
    }
}

fn overview(segmentation: &Segmentation, members: &Members<'_>, found: &[Profile]) -> Result<Profiles> {
    let always = kept_throughout(segmentation, members)?;
    let row = |profile: &Profile| ProfileRow {
        segment: segmentation.ids[profile.segment] as u16,
        customers: profile.size as i64,
        share: profile.share,
        grade: profile.grades.to_vec(),
        short_kept: profile.stability,
        always_kept: always[profile.segment],
        bootstrap_overlap: members.bootstrap.map(|overlap| overlap[profile.segment]),
    };
    Ok(Profiles::from_rows(found.iter().map(row))?)
}

/// Share of each segment's customers who were in it after every period.
fn kept_throughout(segmentation: &Segmentation, members: &Members<'_>) -> Result<Vec<f64>> {
    let mut directions = members.states.clone();
    for mut period in directions.axis_iter_mut(Dimension(1)) {
        let units = unit_rows(&period);
        period.assign(&units);
    }
    let everybody = vec![true; members.customers.len()];
    let yearly = yearly_stability(&segmentation.centers, &directions, &everybody)?;
    Ok(always_kept(&yearly.labels, members.assigned, segmentation.ids.len())?)
}

fn lists(
    segmentation: &Segmentation,
    members: &Members<'_>,
    found: &[Profile],
) -> Result<(ProfileSpending, ProfileCustomers)> {
    let mut spending = Vec::new();
    let mut typical = Vec::new();
    let last = members.states.len_of(Dimension(1)) - 1;
    for profile in found {
        let segment = segmentation.ids[profile.segment] as u16;
        spending.extend(profile.spending.iter().map(|spending| ProfileSpendingRow {
            segment,
            class: members.classes[spending.class].clone(),
            share: spending.share,
            population: spending.population,
            difference: spending.difference,
        }));
        for row in &profile.examples {
            let state = members.states.index_axis(Dimension(0), *row);
            let apart = &state.row(last) - &profile.trajectory.row(last);
            let customer = members.customers[*row].clone();
            typical.push(ProfileCustomerRow { segment, customer, distance: apart.dot(&apart).sqrt() });
        }
    }
    Ok((ProfileSpending::from_rows(spending)?, ProfileCustomers::from_rows(typical)?))
}

fn trajectories(
    segmentation: &Segmentation,
    weights: &Weights,
    found: &[Profile],
) -> Result<ProfileTrajectories> {
    let rows = found.iter().flat_map(|profile| {
        let outputs = profile.trajectory.dot(&weights.output.t()) + &weights.output_bias;
        let period = move |period| ProfileTrajectoryRow {
            segment: segmentation.ids[profile.segment] as u16,
            period: period as u16,
            hidden: profile.trajectory.row(period).to_vec(),
            output: outputs.row(period).to_vec(),
        };
        (0..profile.trajectory.nrows()).map(period)
    });
    Ok(ProfileTrajectories::from_rows(rows)?)
}
