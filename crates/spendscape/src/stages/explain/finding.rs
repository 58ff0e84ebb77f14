//! The numbers of one customer's explanation.

use anyhow::{Context, Result};
use ndarray::{Array1, Array2, Array3, Axis as Dimension};
use rayon::prelude::*;
use spendscape_stats::EmpiricalDistribution;
use spendscape_surrogate::{
    explain::{
        Candidate, Counterfactual, CounterfactualSearch, Observed, SegmentExplainer, SegmentExplanation,
        level_classes, winner,
    },
    fidelity::AngularErrors,
};

use super::{
    data::{Data, Surrogates},
    flags::{ClassList, Flagged},
};

/// Customers that the network runs on together: many vectors full, and their shares fit a second-level cache.
const CUSTOMERS: usize = 128;

/// Everything needed to explain any customer of a run.
#[derive(Debug)]
pub(crate) struct Explainer<'a> {
    /// Who is explained.
    pub(crate) data: &'a Data,
    /// The customers of the trained run: by whom the surrogates were fitted, and with whom customers are compared. A customer of
    /// a batch is explained as the same customer would be there.
    pub(crate) trained: &'a Data,
    pub(crate) surrogates: &'a Surrogates,
    pub(crate) segments: SegmentExplainer<'a>,
    /// All customers of the trained run: whom one customer's shares are compared with.
    pub(crate) distribution: EmpiricalDistribution,
    pub(crate) flagged: Vec<Flagged>,
    changes: CounterfactualSearch,
    /// The angles that the surrogate predicts, N x K.
    pub(crate) predicted_angles: Array2<f64>,
    /// Degrees on the sphere between them and the network's, N.
    pub(crate) angle_errors: AngularErrors,
}

/// What there is to say about one customer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) segment: SegmentExplanation,
    pub(crate) change: Option<Counterfactual>,
    /// The network's segment without what flagged classes tell, if any are flagged.
    pub(crate) without_flagged: Option<usize>,
}

/// The customers of the trained run, sorted by each figure.
#[derive(Debug)]
pub(crate) struct Peers {
    /// Leads of all of them.
    pub(crate) leads: Vec<f64>,
    /// Errors, in degrees, of those that nothing was fitted on: of the segments' surrogate ...
    pub(crate) errors: Vec<f64>,
    /// ... and of the angles'.
    pub(crate) angle_errors: Vec<f64>,
}

impl<'a> Explainer<'a> {
    pub(crate) fn new(
        data: &'a Data,
        trained: &'a Data,
        surrogates: &'a Surrogates,
        list: &ClassList,
    ) -> Result<Self> {
        let classes = &data.panel.classes;
        let flagged = list.find(classes, &trained.shares.select(Dimension(0), &trained.train_rows()))?;
        let distribution = EmpiricalDistribution::new(&trained.shares)?;
        let predicted_angles = surrogates.angle.predict(&data.shares)?;
        let (layer, bias) = (&data.weights.output, &data.weights.output_bias);
        let segments = SegmentExplainer::new(&surrogates.state, layer, bias)?;
        Ok(Self {
            data,
            trained,
            surrogates,
            changes: CounterfactualSearch::new(&segments, &distribution, &places(&flagged))?,
            segments,
            distribution,
            flagged,
            angle_errors: AngularErrors::new(&data.angles, &predicted_angles)?,
            predicted_angles,
        })
    }

    /// Mean shares of the training customers, C: what a customer's shares are measured from.
    pub(crate) fn average(&self) -> &Array1<f64> {
        self.surrogates.state.feature_means()
    }

    /// Whether the customers explained are others than those of the trained run.
    pub(crate) fn is_batch(&self) -> bool {
        !std::ptr::eq(self.data, self.trained)
    }

    /// The customers of the trained run that others are set beside.
    pub(crate) fn peers(&self) -> Result<Peers> {
        let (trained, rows) = (self.trained, self.trained.test_rows());
        let leads = trained.outputs.rows().into_iter().map(|outputs| Ok(winner(&outputs)?.margin));
        let errors = rows.par_iter().map(|&row| Ok(self.segment_of(trained, row)?.error_degrees));
        let predicted = self.surrogates.angle.predict(&trained.shares.select(Dimension(0), &rows))?;
        let angles = AngularErrors::new(&trained.angles.select(Dimension(0), &rows), &predicted)?;
        let sorted = |mut values: Vec<f64>| {
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        Ok(Peers {
            leads: sorted(leads.collect::<Result<_>>()?),
            errors: sorted(errors.collect::<Result<_>>()?),
            angle_errors: sorted(angles.separation.to_vec()),
        })
    }

    /// Explains the segment of a customer, without looking for changes.
    pub(crate) fn segment(&self, row: usize) -> Result<SegmentExplanation> {
        self.segment_of(self.data, row)
    }

    fn segment_of(&self, data: &Data, row: usize) -> Result<SegmentExplanation> {
        let observed = Observed { state: &data.ends.row(row), outputs: &data.outputs.row(row) };
        self.segments
            .explain(&data.shares.row(row), observed)
            .with_context(|| format!("customer {}", data.panel.customers[row]))
    }

    /// Explains everybody, in the order of the panel.
    pub(crate) fn explain_all(&self) -> Result<Vec<Finding>> {
        let rows: Vec<usize> = (0..self.data.panel.len()).collect();
        let parts: Vec<_> =
            rows.par_chunks(CUSTOMERS).map(|rows| self.explain_some(rows)).collect::<Result<_>>()?;
        Ok(parts.into_iter().flatten().collect())
    }

    fn explain_some(&self, rows: &[usize]) -> Result<Vec<Finding>> {
        let segments = rows.iter().map(|row| self.segment(*row)).collect::<Result<Vec<_>>>()?;
        // A change follows the surrogate's slopes: where those are not trusted, it is not either.
        let trusted = rows.iter().zip(&segments).filter(|(_, segment)| segment.lead.is_ok());
        let candidate = |(row, segment): (&usize, &SegmentExplanation)| Candidate {
            periods: self.data.panel.shares.index_axis(Dimension(0), *row),
            shares: self.data.shares.row(*row),
            outputs: self.data.outputs.row(*row),
            segment: segment.segment,
        };
        let candidates: Vec<Candidate<'_>> = trusted.map(candidate).collect();
        let mut changes = self.changes.smallest(&candidates, |shares| self.outputs(shares))?.into_iter();
        let without = if self.flagged.is_empty() { None } else { Some(self.without_flagged(rows)?) };
        let finding = |(at, segment): (usize, SegmentExplanation)| Finding {
            change: segment.lead.as_ref().ok().and_then(|_| changes.next().flatten()),
            segment,
            without_flagged: without.as_ref().map(|without| without[at]),
        };
        Ok(segments.into_iter().enumerate().map(finding).collect())
    }

    /// The network's outputs for shares of spending (n x T x C), n x P.
    fn outputs(&self, shares: &Array3<f32>) -> Result<Array2<f64>> {
        Ok(self.data.model.network.predict(shares)?.mapv(f64::from))
    }

    /// The network's segments of customers who spend on flagged classes as the average training customer does in every period,
    /// and on all others in the present proportions.
    fn without_flagged(&self, rows: &[usize]) -> Result<Vec<usize>> {
        let mut shares = self.data.panel.shares.select(Dimension(0), rows);
        level_classes(&mut shares, self.average(), &places(&self.flagged))?;
        let outputs = self.outputs(&shares)?;
        outputs.rows().into_iter().map(|outputs| Ok(winner(&outputs)?.segment)).collect()
    }
}

/// The classes that are flagged.
fn places(flagged: &[Flagged]) -> Vec<usize> {
    flagged.iter().map(|flag| flag.class).collect()
}
