//! The linear surrogate of the direction angles (P2 section 4, P3 section III-B).

use anyhow::Result;
use ndarray::Axis as Dimension;
use spendscape_schema::{Axes, Axis, Panel, arrays};
use spendscape_store::Provenance;
use spendscape_surrogate::{Ols, mean_r2, median_gauge};

use crate::{
    run_folder::{File, RunFolder},
    stages::train::{read_targets, rows_where},
};

/// Name of the intercept's row.
const INTERCEPT: &str = "(intercept)";

/// Fits the surrogate on the training customers and predicts everybody's angles.
///
/// # Errors
/// If a table is missing, or there are too few training customers to fit a line.
pub fn explain(run: &RunFolder, force: bool) -> Result<()> {
    let inputs = [File::Panel, File::Angles, File::Targets];
    let Some(mut stage) = run.stage("explain", Provenance::new("explain"), &inputs, force)? else {
        return Ok(());
    };
    let panel = Panel::from_rows(&run.read(File::Panel)?.rows)?;
    let angles = run.read(File::Angles)?;
    let names = angles.axes.labels(Axis::Angle)?.to_vec();
    let angles = angles.rows.vectors64("angle")?;
    let split = read_targets(run)?.train;
    let (train, test) = (rows_where(&split, true), rows_where(&split, false));
    let shares = panel.mean_shares();
    let model =
        Ols::params().fit(&shares.select(Dimension(0), &train), &angles.select(Dimension(0), &train))?;
    let predicted = model.predict(&shares)?;
    let fit = mean_r2(&angles.select(Dimension(0), &test), &predicted.select(Dimension(0), &test))?;
    tracing::info!(
        r2 = format!("{fit:.3}"),
        rank = model.rank(),
        "linear surrogate of the angles on unseen customers"
    );
    stage.note("r2", fit);
    stage.note("rank", model.rank());

    let gauged = median_gauge(model.coefficients());
    let errors = model.standard_errors().ok();
    let (mut targets, mut classes, mut slopes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut standard_errors, mut scores) = (Vec::new(), Vec::new());
    for (k, name) in names.iter().enumerate() {
        targets.push(name.as_str());
        classes.push(INTERCEPT);
        slopes.push(model.intercept()[k]);
        standard_errors.push(None);
        scores.push(None);
        let column = model.coefficients().column(k);
        for (row, class) in panel.classes.iter().enumerate() {
            let error = errors.as_ref().map(|errors| errors[[row, k]]);
            targets.push(name.as_str());
            classes.push(class.as_str());
            slopes.push(column[row]);
            standard_errors.push(error);
            scores.push(error.filter(|error| *error > 0.0).map(|error| gauged[[row, k]] / error));
        }
    }
    let columns = vec![
        arrays::category(targets),
        arrays::text(classes),
        arrays::float(slopes),
        arrays::optional_float(standard_errors),
        arrays::optional_float(scores),
    ];
    stage.write(File::Surrogate, &Axes::new(), columns)?;
    let columns = vec![arrays::text(&panel.customers), arrays::vectors64(predicted.view())?];
    stage.write(File::SurrogateAngles, &Axes::new().with(Axis::Angle, names), columns)?;
    stage.finish()
}
