//! Claim 16: three line attractors, and point attractors for the other traits.

use crate::claim::{Band, Claim, Forced, Statement};
use crate::figure::figures;

figures! {
    /// Share of customers whose end state is stable.
    STABLE: Figure = "dynamics.stable";
    /// Median spectral radius at the end state.
    SPECTRAL_RADIUS: Figure = "dynamics.spectral_radius";
    /// Median time constant there, in periods.
    TIME_CONSTANT: Figure = "dynamics.time_constant";
    /// Share of customers not converged after 100 periods.
    NOT_CONVERGED: Figure = "dynamics.not_converged";
    /// Share of customers whose end state is certified.
    CERTIFIED: Figure = "dynamics.certified";
    /// Share of customers all of whose fixed points are known.
    COMPLETE: Figure = "dynamics.complete";
    /// Share of customers with one fixed point.
    ONE_POINT: Figure = "dynamics.one_point";
    /// Groups best described by a curve.
    DRAWN_LINES: Figure = "dynamics.drawn.lines";
    /// Groups best described by clusters of points.
    DRAWN_POINTS: Figure = "dynamics.drawn.points";
    /// Groups whose curve is a line attractor of one map.
    LINE_ATTRACTORS: Figure = "dynamics.verdict.line_attractor";
    /// Groups whose curve is a slow manifold.
    SLOW_MANIFOLDS: Figure = "dynamics.verdict.slow_manifold";
    /// Groups whose curve is the locus of fixed points as spending varies.
    INPUT_DRIVEN_LOCI: Figure = "dynamics.verdict.input_driven_locus";
    /// Groups of which the dynamics refuse the curve.
    REFUSED_LINES: Figure = "dynamics.refused.lines";
    /// Mean distance of predicted locations from the attractors that they name.
    LABEL_DISTANCE: Figure = "dynamics.label.distance";
    /// Share of predicted locations that clearly name one.
    LABEL_CLEAR: Figure = "dynamics.label.clear";
    /// Mean share of variance that a curve explains.
    EXPLAINED_LINE: Figure = "dynamics.explained.line";
    /// Mean share of variance that points explain.
    EXPLAINED_POINT: Figure = "dynamics.explained.point";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 16, section: "11", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new("three line attractors (A, E, N), exactly: lines of marginal states of one map", LINE_ATTRACTORS, Band::Both(3.0, 3.0))
            .paper("3 lines")
            .by_construction(Forced::Fails)
            .control(
                "drawn as the paper draws them, {} groups are best described by a curve",
                DRAWN_LINES,
            )
            .readings(
                "Three groups have a connected chain of marginal states in one and the same map.",
                "No trained net has a line of exactly marginal states, as it would take weights that have probability 0: each customer's own map has isolated fixed points; a curve through the end states is the locus of those points as spending varies, not an attractor of one map.",
            ),
        Statement::new(
            "point attractors for the other traits (O; C with three)",
            DRAWN_POINTS,
            Band::Both(2.0, 2.0),
        )
        .paper("2 traits, 4 points")
        .control("customers with one certified fixed point: {}", ONE_POINT)
        .readings(
            "Two groups are better described by clusters of points than by a curve, on held-out customers.",
            "Number of groups that clusters of points describe better than a curve on held-out customers: not two.",
        ),
    ]
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use std::collections::BTreeSet;

    use anyhow::Result;
    use spendscape_schema::tables::{Attractors, EndStates, words};
    use spendscape_stats::median;

    use super::*;
    use crate::measure::{metrics::Metrics, study::Study};

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        let Some(table) = &run.end_states else { return Ok(()) };
        end_states(table, metrics);
        if let Some(table) = &run.attractors {
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
        metrics.add(STABLE, share(&mut high.iter().map(|radius| *radius < 1.0)));
        metrics.add(SPECTRAL_RADIUS, median(&middle));
        metrics.add(TIME_CONSTANT, median(&table.time_constant));
        metrics.add(NOT_CONVERGED, share(&mut table.converged.iter().map(|flag| !flag)));
        metrics.add(CERTIFIED, share(&mut table.certified.iter().copied()));
        metrics.add(COMPLETE, share(&mut table.complete.iter().copied()));
        metrics.add(ONE_POINT, share(&mut table.points.iter().map(|count| *count == 1)));
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
        metrics.add(DRAWN_LINES, groups(&|row| table.drawn[row] && shapes[row] == words::LINE));
        metrics.add(DRAWN_POINTS, groups(&|row| table.drawn[row] && shapes[row] == words::POINT));
        for (figure, verdict) in [
            (LINE_ATTRACTORS, words::LINE_ATTRACTOR),
            (SLOW_MANIFOLDS, words::SLOW_MANIFOLD),
            (INPUT_DRIVEN_LOCI, words::INPUT_DRIVEN_LOCUS),
        ] {
            metrics.add(figure, groups(&|row| table.verdict[row] == verdict));
        }
        metrics.add(REFUSED_LINES, groups(&|row| !table.refused[row].is_empty()));
        // Where the predicted locations L lie from the attractors that they should name (claim 16).
        let distances: Vec<f64> = table.label_distance.iter().flatten().copied().collect();
        metrics.add(LABEL_DISTANCE, distances.iter().sum::<f64>() / distances.len() as f64);
        let clear = table.label_clear.iter().filter(|clear| **clear).count();
        metrics.add(LABEL_CLEAR, clear as f64 / distances.len() as f64);
        let mean_explained = |shape: &str| -> f64 {
            let firsts: Vec<f64> = (0..traits.len())
                .filter(|row| shapes[*row] == shape && rows_first(traits, shapes, *row))
                .map(|row| table.variance_explained[row])
                .collect();
            firsts.iter().sum::<f64>() / firsts.len() as f64
        };
        metrics.add(EXPLAINED_LINE, mean_explained(words::LINE));
        metrics.add(EXPLAINED_POINT, mean_explained(words::POINT));
    }

    /// Whether a row is the first of its group and shape: the fit's figure stands on each of them.
    fn rows_first(traits: &[String], shapes: &[String], row: usize) -> bool {
        row == 0 || traits[row - 1] != traits[row] || shapes[row - 1] != shapes[row]
    }
}
