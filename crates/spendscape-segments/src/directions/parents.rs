//! Whether sub-groups are laid out like the groups that they belong to.

use std::collections::BTreeMap;

use ndarray::{Array1, ArrayRef2};

use crate::check;
use crate::error::Result;
use crate::trajectories::measures::cosine;

/// How the sub-groups of groups of one depth lie, averaged over sub-groups by their tested members.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParentStructure {
    /// Cosine between the way from a group's center to that of a sub-group and the way from there to the center of all
    /// customers whose dominant trait is the sub-group's own next one.
    pub toward_own: f64,
    /// The same, toward the centers of the other traits that the sub-group might have had next.
    pub toward_others: f64,
    /// Share of sub-groups that lie toward the center of their own next trait rather than any other's.
    pub nearest: f64,
    /// That share by chance: one over the number of traits that might come next.
    pub chance: f64,
}

/// Centers of the groups of some customers that share the first `depth` traits, with their sizes.
fn centers(
    features: &ArrayRef2<f64>,
    order: &ArrayRef2<usize>,
    rows: &[usize],
    depth: usize,
) -> BTreeMap<Vec<usize>, (f64, Array1<f64>)> {
    let mut groups = BTreeMap::new();
    for &row in rows {
        let path: Vec<usize> = order.row(row).iter().take(depth).copied().collect();
        let (size, sum) = groups.entry(path).or_insert_with(|| (0.0, Array1::zeros(features.ncols())));
        *size += 1.0;
        *sum += &features.row(row);
    }
    for (size, sum) in groups.values_mut() {
        *sum /= *size;
    }
    groups
}

/// Asks whether sub-groups preserve the structure of their parents (P2 and P3): whether, inside a group of customers that share
/// their first traits, those with one next trait lie toward where customers lie whose *dominant* trait is that one.
///
/// `features` is `N x F`, `order` the dominance order (`N x P`). The groups' centers that ways lead to come from the customers
/// of `train`, the sub-groups that are judged from the others. There is one entry per depth of the groups, 1 to `depth`, as long
/// as two traits or more may come next.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::directions::{dominance_order, parent_structure};
///
/// // Customers lie where their grades are, so that those of the first trait with a high second one lie toward the second.
/// let grades = array![[0.9, 0.5, 0.1], [0.9, 0.1, 0.5], [0.1, 0.9, 0.5], [0.1, 0.5, 0.9]];
/// let (features, order) = (ndarray::concatenate![ndarray::Axis(0), grades, grades], dominance_order(&grades)?);
/// let order = ndarray::concatenate![ndarray::Axis(0), order, order];
/// let train: Vec<bool> = (0..8).map(|n| n < 4).collect();
/// let found = parent_structure(&features, &order, &train, 1)?;
/// assert_eq!((found[0].nearest, found[0].chance), (1.0, 0.5));
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, a value is not finite, a trait does not exist, or nobody is tested.
pub fn parent_structure(
    features: &ArrayRef2<f64>,
    order: &ArrayRef2<usize>,
    train: &[bool],
    depth: usize,
) -> Result<Vec<ParentStructure>> {
    check::finite("features", features)?;
    check::length("rows of dominance order", features.nrows(), order.nrows())?;
    let (fitted, tested) = check::split("train", features.nrows(), train)?;
    check::at_least("train", "test customers", 1, tested.len())?;
    let traits = order.ncols();
    check::below("dominance order", traits, &order.iter().copied().collect::<Vec<_>>())?;
    let goals = centers(features, order, &fitted, 1);
    let mut levels = Vec::new();
    for depth in (1..=depth).take_while(|depth| traits >= depth + 2) {
        let parents = centers(features, order, &fitted, depth);
        let own_parents = centers(features, order, &tested, depth);
        let (mut weights, mut own, mut others, mut nearest) = (0.0, 0.0, 0.0, 0.0);
        for (path, (size, center)) in centers(features, order, &tested, depth + 1) {
            let (parent, next) = (&path[..depth], path[depth]);
            let (Some((_, from)), Some((_, start))) = (own_parents.get(parent), parents.get(parent)) else {
                continue;
            };
            let way = &center - from;
            let toward = |goal: usize| {
                let (_, goal) = goals.get(&[goal][..])?;
                Some(cosine(way.view(), (goal - start).view())).filter(|cosine| cosine.is_finite())
            };
            let found: Vec<(usize, f64)> = (0..traits)
                .filter(|goal| !parent.contains(goal))
                .filter_map(|goal| Some((goal, toward(goal)?)))
                .collect();
            let Some(&(_, to_own)) = found.iter().find(|(goal, _)| *goal == next) else { continue };
            let rivals: Vec<f64> =
                found.iter().filter(|(goal, _)| *goal != next).map(|(_, cosine)| *cosine).collect();
            if rivals.is_empty() {
                continue;
            }
            weights += size;
            own += size * to_own;
            others += size * rivals.iter().sum::<f64>() / rivals.len() as f64;
            nearest += size * f64::from(rivals.iter().all(|rival| to_own > *rival));
        }
        levels.push(ParentStructure {
            toward_own: own / weights,
            toward_others: others / weights,
            nearest: nearest / weights,
            chance: 1.0 / (traits - depth) as f64,
        });
    }
    Ok(levels)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array, concatenate};

    use super::*;
    use crate::directions::dominance_order;

    /// Centers of three traits at the corners of a triangle; each group's two halves leave its center by `way` toward the first
    /// and the second of the other corners.
    fn triangle(way: f64) -> (Array2<f64>, Array2<usize>) {
        let corners = array![[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]];
        let (mut features, mut order) = (Vec::new(), Vec::new());
        for first in 0..3 {
            let others: Vec<usize> = (0..3).filter(|trait_| *trait_ != first).collect();
            for (next, last) in [(others[0], others[1]), (others[1], others[0])] {
                for k in 0..2 {
                    let toward: f64 = corners[[next, k]] - corners[[first, k]];
                    features.push(corners[[first, k]] + way * toward);
                }
                order.extend([first, next, last]);
            }
        }
        (Array2::from_shape_vec((6, 2), features).unwrap(), Array2::from_shape_vec((6, 3), order).unwrap())
    }

    /// The same customers once to fit on and once to test.
    fn judged(features: &Array2<f64>, order: &Array2<usize>) -> Vec<ParentStructure> {
        let twice = |x: &Array2<f64>| concatenate![ndarray::Axis(0), *x, *x];
        let train: Vec<bool> = (0..2 * features.nrows()).map(|row| row < features.nrows()).collect();
        let order = concatenate![ndarray::Axis(0), *order, *order];
        parent_structure(&twice(features), &order, &train, 4).unwrap()
    }

    #[test]
    fn sub_groups_lie_toward_their_next_trait_or_away_from_it() {
        let (features, order) = triangle(0.1);
        let found = judged(&features, &order);
        // Three traits leave a choice at the first level only.
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].nearest, found[0].chance), (1.0, 0.5));
        // Two sub-groups leave the center in opposite ways, so that the other's goal lies behind.
        assert!(found[0].toward_own > 0.2 && found[0].toward_others < -0.2, "{found:?}");
        let (features, order) = triangle(-0.1);
        let found = judged(&features, &order);
        assert_eq!(found[0].nearest, 0.0);
        assert!(found[0].toward_own < -0.2, "{found:?}");
    }

    #[test]
    fn where_sub_groups_do_not_differ_nothing_is_told() {
        let (features, order) = triangle(0.0);
        assert!(judged(&features, &order)[0].nearest.is_nan());
        let grades = array![[0.9, 0.1], [0.1, 0.9]];
        let order = dominance_order(&grades).unwrap();
        assert!(parent_structure(&grades, &order, &[true, false], 4).unwrap().is_empty());
        assert!(parent_structure(&grades, &order, &[true, true], 4).is_err());
        assert!(parent_structure(&grades, &array![[0, 2], [1, 0]], &[true, false], 4).is_err());
    }
}
