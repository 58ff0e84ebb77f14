//! Customers in their segments: what training's own customers and those who come later are told alike.

pub(crate) mod identity;
pub(crate) mod profile;

use std::collections::HashMap;

use anyhow::Result;
use ndarray::Array2;
use spendscape_run::{Segmentation, StoredStates};
use spendscape_schema::tables::Segments;
use spendscape_segments::directions::dominance_order;

/// Parameters of the panel that customers who come later must share.
pub(crate) const PANEL_PARAMETERS: [&str; 3] = ["window", "short_window", "empty_windows"];

/// Customers, and the segment of each.
#[derive(Debug)]
pub(crate) struct Assigned<'a> {
    pub(crate) customers: &'a [String],
    pub(crate) traits: &'a [String],
    /// N x P.
    pub(crate) grades: &'a Array2<f64>,
    /// Outputs of the network, N x P.
    pub(crate) outputs: &'a Array2<f64>,
    /// Place of each customer's segment in the list of segments.
    pub(crate) assigned: &'a [usize],
    /// The same by the short window.
    pub(crate) short: &'a [Option<usize>],
}

impl Assigned<'_> {
    /// The table of segments.
    ///
    /// # Errors
    /// If a grade is not finite.
    pub(crate) fn table(&self, segmentation: &Segmentation) -> Result<Segments> {
        let id = |place: usize| segmentation.ids[place] as u16;
        Ok(Segments {
            customer: self.customers.to_vec(),
            path: paths(self.grades, self.traits)?,
            model_path: paths(self.outputs, self.traits)?,
            segment: self.assigned.iter().map(|place| id(*place)).collect(),
            short_segment: self.short.iter().map(|place| place.map(id)).collect(),
        })
    }
}

/// Place of each customer's segment by the short window, for those who have one.
///
/// # Errors
/// If the states of the two windows have another number of units.
pub(crate) fn short_segments(
    segmentation: &Segmentation,
    customers: &[String],
    short: Option<&StoredStates>,
) -> Result<Vec<Option<usize>>> {
    let Some(short) = short else { return Ok(vec![None; customers.len()]) };
    let by_customer: HashMap<&String, usize> =
        short.customers.iter().zip(segmentation.assign(&short.hidden)?).collect();
    Ok(customers.iter().map(|customer| by_customer.get(customer).copied()).collect())
}

/// Traits by falling grade, joined.
fn paths(grades: &Array2<f64>, traits: &[String]) -> Result<Vec<String>> {
    let order = dominance_order(grades)?;
    Ok(order
        .rows()
        .into_iter()
        .map(|row| row.iter().map(|k| traits[*k].as_str()).collect::<Vec<_>>().join(" / "))
        .collect())
}
