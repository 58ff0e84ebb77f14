//! The numbers of one customer's explanation.

use anyhow::{Context, Result};
use ndarray::{Array1, Array2, Axis as Dimension};
use rayon::prelude::*;
use spendscape_stats::EmpiricalDistribution;
use spendscape_surrogate::{AngularErrors, Observed, SegmentExplainer, SegmentExplanation};

use super::{
    change::{self, Change, Limits},
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
    pub(crate) peers: EmpiricalDistribution,
    pub(crate) flagged: Vec<Flagged>,
    limits: Limits,
    /// The angles that the surrogate predicts, N x K.
    pub(crate) predicted_angles: Array2<f64>,
    /// Degrees on the sphere between them and the network's, N.
    pub(crate) angle_errors: AngularErrors,
}

/// What there is to say about one customer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) segment: SegmentExplanation,
    pub(crate) change: Option<Change>,
    /// The network's segment without what flagged classes tell, if any are flagged.
    pub(crate) without_flagged: Option<usize>,
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
        let peers = EmpiricalDistribution::new(&trained.shares)?;
        let predicted_angles = surrogates.angle.predict(&data.shares)?;
        let (layer, bias) = (&data.weights.output, &data.weights.output_bias);
        let segments = SegmentExplainer::new(&surrogates.state, layer, bias)?;
        Ok(Self {
            data,
            trained,
            surrogates,
            limits: Limits::new(&segments, bias.len(), &peers, classes.len(), &flagged)?,
            segments,
            peers,
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

    /// Errors, in degrees, for the customers of the trained run that nothing was fitted on: of the segments' surrogate, and of
    /// the angles'.
    pub(crate) fn unseen_errors(&self) -> Result<[Vec<f64>; 2]> {
        let (trained, rows) = (self.trained, self.trained.test_rows());
        let degrees = rows.iter().map(|&row| Ok(self.segment_of(trained, row)?.error_degrees));
        let predicted = self.surrogates.angle.predict(&trained.shares.select(Dimension(0), &rows))?;
        let angles = AngularErrors::new(&trained.angles.select(Dimension(0), &rows), &predicted)?;
        Ok([degrees.collect::<Result<_>>()?, angles.separation.to_vec()])
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

    /// Explains a customer.
    pub(crate) fn explain(&self, row: usize) -> Result<Finding> {
        let finding = self.explain_some(&[row])?.pop();
        finding.with_context(|| format!("customer {}", self.data.panel.customers[row]))
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
        let trusted: Vec<(usize, usize)> = trusted.map(|(row, segment)| (*row, segment.segment)).collect();
        let mut changes = change::smallest(self.data, &self.limits, &trusted)?.into_iter();
        let without = if self.flagged.is_empty() {
            None
        } else {
            Some(change::without_flagged(self.data, self.average(), &self.flagged, rows)?)
        };
        let finding = |(at, segment): (usize, SegmentExplanation)| Finding {
            change: segment.lead.as_ref().ok().and_then(|_| changes.next().flatten()),
            segment,
            without_flagged: without.as_ref().map(|without| without[at]),
        };
        Ok(segments.into_iter().enumerate().map(finding).collect())
    }
}
