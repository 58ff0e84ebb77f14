//! Hidden states, directions, outputs and the inverse of the output layer.

use anyhow::Result;
use ndarray::{Array2, Array3};
use spendscape_schema::{Axes, Axis, Panel, arrays};
use spendscape_segments::{CanonicalFrame, final_states};
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
        vec![arrays::index((0..model.units()).map(|k| k as u16)), arrays::vectors64(frame.axes().view())?];
    stage.write(File::Frame, &axes.only(&[Axis::Unit]), basis)?;
    let columns = vec![
        arrays::text(&panel.customers),
        arrays::vectors64(spendscape_segments::unit_rows(&frame.coordinates(&directions)?).view())?,
        arrays::vectors64(frame.angles(&directions)?.view())?,
    ];
    stage.write(File::Angles, &axes, columns)?;
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
    let rows = |states: &Array3<f32>| -> Result<_> {
        Ok(arrays::vectors32(states.to_shape((customers * periods, units))?.view())?)
    };
    let columns = vec![
        arrays::text((0..customers * periods).map(|row| &panel.customers[row / periods])),
        arrays::index((0..customers * periods).map(|row| (row % periods) as u16)),
        rows(&states.h)?,
        rows(&states.c)?,
    ];
    stage.write(file, &Axes::new().with_numbered(Axis::Unit, units), columns)?;
    Ok(states.h.mapv(f64::from))
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
    let stored = run.read(file)?;
    let names = stored.rows.text("customer")?;
    let periods = stored.rows.index("period")?.iter().max().map_or(1, |last| usize::from(*last) + 1);
    let hidden: Array2<f64> = stored.rows.vectors32("hidden")?.mapv(f64::from);
    let units = hidden.ncols();
    let hidden = hidden.into_shape_with_order((names.len() / periods, periods, units))?;
    Ok(StoredStates { customers: names.into_iter().step_by(periods).collect(), hidden })
}
