//! What a network says of the customers of a panel, as tables: its outputs, and where their grades are among its states.

use anyhow::Result;
use ndarray::Array2;
use spendscape_dynamics::inverse::InverseRegression;
use spendscape_linalg::{principal_components, variance_along};
use spendscape_run::{Model, StoredStates, WithAxes, angle_names};
use spendscape_schema::{
    Axes, Axis, Panel,
    tables::{MeanShares, Predictions, Projection},
};
use spendscape_stats::mean_r2;

/// Names of units, angles and traits.
pub(crate) fn axes(model: &Model) -> Axes {
    Axes::new()
        .with_numbered(Axis::Unit, model.units())
        .with(Axis::Angle, angle_names(model.units()))
        .with(Axis::Trait, model.traits.iter().cloned())
}

/// Mean shares of every customer over the periods.
pub(crate) fn mean_shares(panel: &Panel) -> WithAxes<MeanShares> {
    let table = MeanShares { customer: panel.customers.clone(), share: panel.mean_shares() };
    WithAxes { axes: panel.axes(), table }
}

/// Outputs of the network, and the predicted final locations of customers in three readings of equation 3, from their grades
/// (N x P).
///
/// # Errors
/// If the panel's classes are not the network's, or the grades have another width than the output layer.
pub(crate) fn predictions(
    model: &Model,
    panel: &Panel,
    inverse: &InverseRegression,
    grades: &Array2<f64>,
) -> Result<WithAxes<Predictions>> {
    let table = Predictions {
        customer: panel.customers.clone(),
        output: model.network.predict(&panel.shares)?.mapv(f64::from),
        location_raw: inverse.locate_raw(grades)?,
        location_paper: inverse.locate_paper(grades)?,
        location_printed: inverse.locate_printed(grades)?,
    };
    Ok(WithAxes { axes: axes(model), table })
}

/// Mean R2 of outputs over the traits. Grades that are all the same, as those of one customer are, have none.
///
/// # Errors
/// If grades and outputs differ in shape.
pub(crate) fn fit(grades: &Array2<f64>, outputs: &Array2<f64>) -> Result<Option<f64>> {
    let differ = grades.columns().into_iter().all(|column| column.iter().any(|grade| *grade != column[0]));
    Ok(if differ { Some(mean_r2(grades, outputs)?) } else { None })
}

/// Dimensions of a picture.
const DRAWN: usize = 3;

/// The first principal components of states that have more units than a picture has dimensions, over all customers and periods.
///
/// # Errors
/// If a state is not finite.
pub(crate) fn projection(states: &StoredStates, axes: &Axes) -> Result<Option<WithAxes<Projection>>> {
    let (customers, periods, units) = states.hidden.dim();
    if units <= DRAWN {
        return Ok(None);
    }
    let rows = states.hidden.to_shape((customers * periods, units))?;
    let found = principal_components(&rows, DRAWN)?;
    let table = Projection {
        component: (1..).take(found.axes.nrows()).collect(),
        axis: found.axes,
        variance: found.shares.to_vec(),
    };
    Ok(Some(WithAxes { axes: axes.clone(), table }))
}

/// The axes of another run's picture, with the shares of these states' own variance along them.
///
/// # Errors
/// If a state is not finite, or the axes are of another number of units.
pub(crate) fn projection_along(
    axes: WithAxes<Projection>,
    states: &StoredStates,
) -> Result<WithAxes<Projection>> {
    let (customers, periods, units) = states.hidden.dim();
    let rows = states.hidden.to_shape((customers * periods, units))?;
    let variance = variance_along(&rows, &axes.table.axis)?.to_vec();
    Ok(WithAxes { axes: axes.axes, table: Projection { variance, ..axes.table } })
}
