//! Claim 14: inverse regression maps outputs to states.

use crate::claim::{Band, Claim, Forced, Statement};
use crate::figure::figures;

figures! {
    /// How far the inverse of the output layer is from its closed form.
    ERROR: Figure = "inverse.error";
    /// How far the trait axes' magnitudes are from the largest reachable outputs.
    MAGNITUDE_ERROR: Figure = "inverse.magnitude_error";
    /// Rank of the matrix that the printed equation inverts, over its size.
    PRINTED_RANK_SHARE: Figure = "inverse.printed_rank_share";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 14, section: "9", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new("inverse regression, as it is printed, has a value", PRINTED_RANK_SHARE, Band::Both(1.0, 1.0))
            .by_construction(Forced::Fails)
            .readings(
                "Rank over size of the matrix that the printed equation inverts: it has an inverse on these data.",
                "Rank over size of the matrix that the printed equation inverts: it has no inverse, so that the equation gives nothing: outputs of M units span M directions, however many traits there are above M.",
            ),
        Statement::new("inverse regression, repaired, maps outputs to states", ERROR, Band::Both(0.0, 1e-9))
            .by_construction(Forced::Holds)
            .readings(
            "With both sides centered and the pseudo-inverse taken: sound, and exact wherever the output layer loses no direction of the state.",
            "The output layer loses directions of the state, which no regression brings back.",
        ),
    ]
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;
    use ndarray::{Array2, Axis as Dimension};
    use spendscape_linalg::rank;

    use super::*;
    use crate::measure::{metrics::Metrics, study::Study};

    /// Singular values up to this share of the largest count as zero in the printed equation's matrix.
    const PRINTED_RCOND: f64 = 1e-10;

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        if let Some(error) = run.closed_form_error {
            metrics.add(ERROR, error);
        }
        if let Some(reach) = &run.reach {
            let outputs = &reach.output;
            let highest =
                outputs.map_axis(Dimension(0), |column| column.iter().copied().fold(f64::MIN, f64::max));
            let gaps = highest.iter().zip(&run.trait_axes.magnitude);
            let gaps = gaps.map(|(highest, magnitude)| (highest - magnitude).abs());
            metrics.add(MAGNITUDE_ERROR, gaps.fold(0.0, f64::max));
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
            metrics.add(PRINTED_RANK_SHARE, found as f64 / (traits + 1) as f64);
        }
        Ok(())
    }
}
