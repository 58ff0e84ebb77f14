//! Hidden states, directions, outputs and the inverse of the output layer.

use anyhow::Result;
use ndarray::Array3;
use spendscape_schema::{
    Axes, Axis, Panel,
    tables::{Angles, Frame, States},
};
use spendscape_segments::{CanonicalFrame, final_states, unit_rows};
use spendscape_store::Provenance;

use crate::{
    model::{self, Model},
    run_folder::{File, RunFolder, Stage},
    stages::train::read_targets,
};

/// Name of the direction angles, for any number of units.
#[must_use]
pub fn angle_names(units: usize) -> Vec<String> {
    match units {
        0 | 1 => vec!["sign".to_owned()],
        2 => vec!["longitude".to_owned()],
        3 => vec!["longitude".to_owned(), "latitude".to_owned()],
        _ => std::iter::once("longitude".to_owned())
            .chain((1..units - 1).map(|k| format!("latitude {k}")))
            .collect(),
    }
}

/// Computes the states of every customer, over both windows, and the direction angles.
///
/// # Errors
/// If the model or a panel is missing, or a panel's classes are not the model's.
pub fn states(run: &RunFolder, force: bool) -> Result<()> {
    let mut inputs = vec![File::Panel, File::Model, File::Targets];
    let with_short = run.has(File::ShortPanel)?;
    if with_short {
        inputs.push(File::ShortPanel);
    }
    let Some(mut stage) = run.stage("states", Provenance::new("states"), &inputs, force)? else {
        return Ok(());
    };
    let model = model::read(run)?;
    let targets = read_targets(run)?;
    let panel = Panel::from_rows(&run.read(File::Panel)?.rows)?;
    let hidden = write_states(&mut stage, File::States, &model, &panel)?;
    if with_short {
        let short = Panel::from_rows(&run.read(File::ShortPanel)?.rows)?;
        write_states(&mut stage, File::ShortStates, &model, &short)?;
    }
    let directions = final_states(&hidden)?;
    let weights = model.weights()?;
    let frame = CanonicalFrame::fit(&directions, &weights.output, &targets.train)?;
    let axes =
        Axes::new().with_numbered(Axis::Unit, model.units()).with(Axis::Angle, angle_names(model.units()));
    let basis =
        Frame { index: (0..model.units()).map(|k| k as u16).collect(), basis: frame.axes().to_owned() };
    stage.write_table(File::Frame, &axes, &basis)?;
    let angles = Angles {
        customer: panel.customers,
        direction: unit_rows(&frame.coordinates(&directions)?),
        angle: frame.angles(&directions)?,
    };
    stage.write_table(File::Angles, &axes, &angles)?;
    stage.finish()
}

/// Writes the states of a panel's customers; returns the hidden ones, N x T x M.
///
/// # Errors
/// If the panel's classes are not the model's.
pub(crate) fn write_states(
    stage: &mut Stage<'_>,
    file: File,
    model: &Model,
    panel: &Panel,
) -> Result<Array3<f64>> {
    model.check_classes(&panel.classes)?;
    let states = model.network.states(&panel.shares, 0)?;
    let (customers, periods, units) = states.h.dim();
    let hidden = states.h.mapv(f64::from);
    let rows = customers * periods;
    let table = States {
        customer: (0..rows).map(|row| panel.customers[row / periods].clone()).collect(),
        period: (0..rows).map(|row| (row % periods) as u16).collect(),
        hidden: states.h.into_shape_with_order((rows, units))?,
        cell: states.c.into_shape_with_order((rows, units))?,
    };
    stage.write_table(file, &Axes::new().with_numbered(Axis::Unit, units), &table)?;
    Ok(hidden)
}

/// States as they were written.
#[derive(Debug, Clone)]
pub struct StoredStates {
    /// Customers (N).
    pub customers: Vec<String>,
    /// Hidden states, N x T x M.
    pub hidden: Array3<f64>,
}

/// Reads the states of one window.
///
/// # Errors
/// If the table is missing or damaged.
pub fn read_states(run: &RunFolder, file: File) -> Result<StoredStates> {
    let table: States = run.table(file)?;
    let periods = table.period.iter().max().map_or(1, |last| usize::from(*last) + 1);
    let (customers, units) = (table.customer.len() / periods, table.hidden.ncols());
    let hidden = table.hidden.mapv(f64::from).into_shape_with_order((customers, periods, units))?;
    Ok(StoredStates { customers: table.customer.into_iter().step_by(periods).collect(), hidden })
}
