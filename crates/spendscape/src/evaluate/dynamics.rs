//! Trait axes, final locations, end states and attractors (claims 12 and 14 to 16).

use std::collections::BTreeSet;

use anyhow::Result;
use ndarray::{Array2, Axis as Dimension};
use spendscape_linalg::rank;
use spendscape_schema::tables::{Attractors, EndStates};
use spendscape_segments::row_cosines;
use spendscape_stats::median;

use super::{Metrics, context::Context};

/// Singular values up to this share of the largest count as zero in the printed equation's matrix.
const PRINTED_RCOND: f64 = 1e-10;

pub(super) fn measure(context: &Context, metrics: &mut Metrics) -> Result<()> {
    if let Some(error) = context.closed_form_error {
        metrics.add("inverse.error", error);
    }
    if let Some(reach) = &context.reach {
        let outputs = &reach.output;
        let highest =
            outputs.map_axis(Dimension(0), |column| column.iter().copied().fold(f64::MIN, f64::max));
        let gaps = highest.iter().zip(&context.trait_axes.magnitude);
        let gaps = gaps.map(|(highest, magnitude)| (highest - magnitude).abs());
        metrics.add("inverse.magnitude_error", gaps.fold(0.0, f64::max));
        // The matrix that equation (III-C) inverts: [O', 1]^T [O', 1].
        let (rows, traits) = outputs.dim();
        let augmented =
            Array2::from_shape_fn(
                (rows, traits + 1),
                |(row, k)| {
                    if k < traits { outputs[[row, k]] } else { 1.0 }
                },
            );
        let found = rank(&augmented, PRINTED_RCOND)?;
        metrics.add("inverse.printed_rank_share", found as f64 / (traits + 1) as f64);
    }
    let locations = &context.predictions;
    metrics.add("inverse.cosine.end.raw", mean_cosine(&context.ends, &locations.location_raw)?);
    let Some(table) = &context.end_states else { return Ok(()) };
    let extended = &table.hidden_100;
    for (name, location) in [
        ("raw", &locations.location_raw),
        ("paper", &locations.location_paper),
        ("printed", &locations.location_printed),
    ] {
        metrics.add(format!("inverse.cosine.extended.{name}"), mean_cosine(extended, location)?);
        metrics.add(format!("inverse.distance.extended.{name}"), distance(extended, location));
    }
    let spread = spread(extended);
    metrics.add("inverse.spread.extended", spread);
    metrics
        .add("inverse.relative_distance.extended.raw", distance(extended, &locations.location_raw) / spread);
    end_states(table, metrics);
    if let Some(table) = &context.attractors {
        attractors(table, metrics);
    }
    Ok(())
}

fn end_states(table: &EndStates, metrics: &mut Metrics) {
    let (low, high) = (&table.spectral_low, &table.spectral_high);
    let middle: Vec<f64> = low.iter().zip(high).map(|(low, high)| f64::midpoint(*low, *high)).collect();
    let share = |flags: &mut dyn Iterator<Item = bool>| -> f64 {
        let (count, hits) =
            flags.fold((0.0, 0.0), |(count, hits), flag| (count + 1.0, hits + f64::from(u8::from(flag))));
        hits / count
    };
    metrics.add("dynamics.stable", share(&mut high.iter().map(|radius| *radius < 1.0)));
    metrics.add("dynamics.spectral_radius", median(&middle));
    metrics.add("dynamics.time_constant", median(&table.time_constant));
    metrics.add("dynamics.not_converged", share(&mut table.converged.iter().map(|flag| !flag)));
    metrics.add("dynamics.certified", share(&mut table.certified.iter().copied()));
    metrics.add("dynamics.complete", share(&mut table.complete.iter().copied()));
    metrics.add("dynamics.one_point", share(&mut table.points.iter().map(|count| *count == 1)));
}

/// Which shape describes each group best, and what the dynamics say of it.
fn attractors(table: &Attractors, metrics: &mut Metrics) {
    let (traits, shapes) = (&table.r#trait, &table.shape);
    let groups = |wanted: &dyn Fn(usize) -> bool| -> f64 {
        (0..traits.len())
            .filter(|row| wanted(*row))
            .map(|row| traits[row].as_str())
            .collect::<BTreeSet<_>>()
            .len() as f64
    };
    metrics.add("dynamics.drawn.lines", groups(&|row| table.drawn[row] && shapes[row] == "line"));
    metrics.add("dynamics.drawn.points", groups(&|row| table.drawn[row] && shapes[row] == "point"));
    for (name, verdict) in [
        ("line_attractor", "line attractor"),
        ("slow_manifold", "slow manifold"),
        ("input_driven_locus", "input-driven locus"),
    ] {
        metrics.add(format!("dynamics.verdict.{name}"), groups(&|row| table.verdict[row] == verdict));
    }
    metrics.add("dynamics.refused.lines", groups(&|row| !table.refused[row].is_empty()));
    // Where the predicted locations L lie from the attractors that they should name (claim 16).
    let distances: Vec<f64> = table.label_distance.iter().flatten().copied().collect();
    metrics.add("dynamics.label.distance", distances.iter().sum::<f64>() / distances.len() as f64);
    let clear = table.label_clear.iter().filter(|clear| **clear).count();
    metrics.add("dynamics.label.clear", clear as f64 / distances.len() as f64);
    let mean_explained = |shape: &str| -> f64 {
        let firsts: Vec<f64> = (0..traits.len())
            .filter(|row| shapes[*row] == shape && rows_first(traits, shapes, *row))
            .map(|row| table.variance_explained[row])
            .collect();
        firsts.iter().sum::<f64>() / firsts.len() as f64
    };
    metrics.add("dynamics.explained.line", mean_explained("line"));
    metrics.add("dynamics.explained.point", mean_explained("point"));
}

/// Whether a row is the first of its group and shape: the fit's figure stands on each of them.
fn rows_first(traits: &[String], shapes: &[String], row: usize) -> bool {
    row == 0 || traits[row - 1] != traits[row] || shapes[row - 1] != shapes[row]
}

fn mean_cosine(a: &Array2<f64>, b: &Array2<f64>) -> Result<f64> {
    let cosines: Vec<f64> = row_cosines(a, b)?.into_iter().filter(|cosine| cosine.is_finite()).collect();
    Ok(cosines.iter().sum::<f64>() / cosines.len() as f64)
}

/// Root mean square distance between rows.
fn distance(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    ((a - b).mapv(|difference| difference * difference).sum() / a.nrows() as f64).sqrt()
}

/// Root mean square distance of rows from their mean.
fn spread(a: &Array2<f64>) -> f64 {
    a.mean_axis(Dimension(0)).map_or(f64::NAN, |mean| {
        ((a - &mean).mapv(|difference| difference * difference).sum() / a.nrows() as f64).sqrt()
    })
}
