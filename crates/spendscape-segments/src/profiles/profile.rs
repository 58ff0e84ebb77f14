//! Profiles of segments as data: size, typical spending against the population, traits, trajectory, example customers,
//! stability. Names and sentences are for the report to write.

use ndarray::{Array1, Array2, ArrayRef2, ArrayRef3, Axis};

use crate::check;
use crate::error::Result;

/// The data of profiles; rows are customers throughout.
#[derive(Debug, Clone, Copy)]
pub struct ProfileInput<'a> {
    /// Segment of each customer, `0..segments`.
    pub labels: &'a [usize],
    /// Number of segments (a segment may be empty).
    pub segments: usize,
    /// Mean spending shares, `N x C`.
    pub shares: &'a ArrayRef2<f64>,
    /// Trait grades, `N x P`.
    pub grades: &'a ArrayRef2<f64>,
    /// Hidden states, `N x T x M`.
    pub states: &'a ArrayRef3<f64>,
    /// Segment of each customer by another window or refit, if stability is to be shown; `None` for a customer not in it.
    pub other_labels: Option<&'a [Option<usize>]>,
}

/// Spending on one class by a segment against the population.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spending {
    /// Column of the class.
    pub class: usize,
    /// Mean share in the segment.
    pub share: f64,
    /// Mean share in the population.
    pub population: f64,
    /// Ratio of the two; infinite or NaN where the population spends nothing.
    pub index: f64,
    /// Difference in population standard deviations: the order in which classes are listed.
    pub difference: f64,
}

/// Profile of one segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Segment.
    pub segment: usize,
    /// Number of customers; all means below are NaN and the lists empty if it is 0.
    pub size: usize,
    /// Share of all customers.
    pub share: f64,
    /// Classes that set the segment apart, by falling absolute difference.
    pub spending: Vec<Spending>,
    /// Mean grades (`P`).
    pub grades: Array1<f64>,
    /// Mean trajectory (`T x M`).
    pub trajectory: Array2<f64>,
    /// Customers nearest to the segment's mean final state, nearest first.
    pub examples: Vec<usize>,
    /// Share that is in it by the other labels as well, of its customers that have one; `None` if nobody has.
    pub stability: Option<f64>,
}

/// Profiles all segments, listing at most `classes` classes and `examples` example customers for each.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::profiles::{ProfileInput, profiles};
///
/// // Segment 0 spends all on the first class, segment 1 on the second.
/// let input = ProfileInput {
///     labels: &[0, 1],
///     segments: 2,
///     shares: &array![[1.0, 0.0], [0.0, 1.0]],
///     grades: &array![[0.5], [-0.5]],
///     states: &array![[[0.1], [0.2]], [[-0.1], [-0.2]]],
///     other_labels: None,
/// };
/// let first = &profiles(&input, 1, 1)?[0];
/// assert_eq!((first.size, first.spending[0].class, first.spending[0].share), (1, 0, 1.0));
/// assert_eq!(first.trajectory, array![[0.1], [0.2]]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, a value is not finite, a label is out of range, or there are no customers or periods.
pub fn profiles(input: &ProfileInput<'_>, classes: usize, examples: usize) -> Result<Vec<Profile>> {
    let rows = input.labels.len();
    check::at_least("labels", "customers", 1, rows)?;
    check::below("labels", input.segments, input.labels)?;
    check::length("rows of shares", rows, input.shares.nrows())?;
    check::length("rows of grades", rows, input.grades.nrows())?;
    check::length("rows of states", rows, input.states.dim().0)?;
    check::at_least("states", "periods", 1, input.states.dim().1)?;
    check::finite("shares", input.shares)?;
    check::finite("grades", input.grades)?;
    check::finite("states", input.states)?;
    if let Some(other) = input.other_labels {
        check::length("entries of other labels", rows, other.len())?;
    }
    let mut members = vec![Vec::new(); input.segments];
    for (n, &l) in input.labels.iter().enumerate() {
        members[l].push(n);
    }
    let population = input.shares.sum_axis(Axis(0)) / rows as f64;
    let spread = input.shares.std_axis(Axis(0), 0.0);
    Ok(members
        .iter()
        .enumerate()
        .map(|(s, m)| profile(input, s, m, &population, &spread, classes, examples))
        .collect())
}

fn profile(
    input: &ProfileInput<'_>,
    segment: usize,
    members: &[usize],
    population: &Array1<f64>,
    spread: &Array1<f64>,
    classes: usize,
    examples: usize,
) -> Profile {
    // The mean of an empty segment is 0 / 0, NaN as documented.
    let size = members.len() as f64;
    let shares = check::take(input.shares, members).sum_axis(Axis(0)) / size;
    let mut spending: Vec<Spending> = (0..if members.is_empty() { 0 } else { shares.len() })
        .map(|class| {
            let (share, population) = (shares[class], population[class]);
            let gap = share - population;
            // The spread of a constant class is the rounding of its mean.
            let varies = spread[class] > population.abs() * input.labels.len() as f64 * f64::EPSILON;
            let difference = if varies { gap / spread[class] } else { 0.0 };
            Spending { class, share, population, index: share / population, difference }
        })
        .collect();
    spending.sort_by(|a, b| b.difference.abs().total_cmp(&a.difference.abs()));
    spending.truncate(classes);

    let trajectory = input.states.select(Axis(0), members).sum_axis(Axis(0)) / size;
    let last = input.states.dim().1 - 1;
    let distance = |n: usize| {
        let state = input.states.index_axis(Axis(0), n);
        state.row(last).iter().zip(trajectory.row(last)).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
    };
    let mut nearest: Vec<(f64, usize)> = members.iter().map(|&n| (distance(n), n)).collect();
    nearest.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let stability = input.other_labels.and_then(|other| {
        let labels: Vec<usize> = members.iter().filter_map(|&n| other[n]).collect();
        let stayed = labels.iter().filter(|&&label| label == segment).count();
        (!labels.is_empty()).then(|| stayed as f64 / labels.len() as f64)
    });
    Profile {
        segment,
        size: members.len(),
        share: size / input.labels.len() as f64,
        spending,
        grades: check::take(input.grades, members).sum_axis(Axis(0)) / size,
        trajectory,
        examples: nearest.into_iter().take(examples).map(|(_, n)| n).collect(),
        stability,
    }
}
