//! The figures of one representation.

use ndarray::{Array2, ArrayRef2, Axis};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::{ComparisonParams, Measure, Representation, Space};
use crate::check;
use crate::clusters::{KMeans, KMeansParams};
use crate::directions::unit_rows;
use crate::error::Result;
use crate::neighbors::prefix_accuracy;
use crate::quality::{adjusted_mutual_information, davies_bouldin, silhouette_sampled};
use crate::stability::{window_stability, yearly_stability};

/// A row without its representation.
pub(super) struct Figure {
    pub(super) measure: Measure,
    pub(super) level: usize,
    pub(super) value: f64,
    pub(super) chance: Option<f64>,
    pub(super) null: Option<f64>,
}

impl Figure {
    fn new(measure: Measure, level: usize, value: f64) -> Self {
        Self { measure, level, value, chance: None, null: None }
    }
}

/// A clustering fitted on training rows, and the other rows assigned to it.
struct Clustered<'a> {
    clusters: &'a KMeans,
    fit_on: &'a Array2<f64>,
    judged: &'a Array2<f64>,
    labels: &'a [usize],
}

/// The data that all representations share.
pub(super) struct Judge<'a> {
    pub(super) train: &'a [bool],
    pub(super) fitted: &'a [usize],
    pub(super) tested: &'a [usize],
    pub(super) params: &'a ComparisonParams,
}

/// The vectors among which clusters are sought.
fn clustered(features: &ArrayRef2<f64>, space: Space) -> Array2<f64> {
    match space {
        Space::Features => features.to_owned(),
        Space::ClustersOfDirections | Space::Directions => unit_rows(features),
    }
}

impl Judge<'_> {
    fn clusters(&self, count: usize) -> KMeansParams {
        KMeans::params(count).starts(self.params.starts)
    }

    /// Figures of the hierarchy: how well features carry the dominance order, and whether there are clusters.
    pub(super) fn hierarchy(
        &self,
        features: &ArrayRef2<f64>,
        space: Space,
        order: &ArrayRef2<usize>,
        rng: &mut Xoshiro256PlusPlus,
    ) -> Result<Vec<Figure>> {
        let params = self.params;
        let depths = params.depths.min(order.ncols());
        let vectors = clustered(features, space);
        let compared: &ArrayRef2<f64> = if space == Space::Directions { &vectors } else { features };
        let near = prefix_accuracy(compared, order, self.train, depths, params.neighbors)?;
        let levels = near.accuracy.iter().zip(&near.chance).enumerate();
        let mut figures: Vec<Figure> = levels
            .map(|(i, (&value, &chance))| Figure {
                chance: Some(chance),
                ..Figure::new(Measure::PrefixAccuracy, i + 1, value)
            })
            .collect();

        let (fit_on, judged) = (check::take(&vectors, self.fitted), check::take(&vectors, self.tested));
        let clusters = self.clusters(params.clusters).fit(&fit_on, rng)?;
        let labels = clusters.predict(&judged)?;
        let of_rank = |rank: usize| -> Vec<usize> { self.tested.iter().map(|&n| order[[n, rank]]).collect() };
        figures.push(Figure::new(Measure::Ami, 1, adjusted_mutual_information(&labels, &of_rank(0))?));
        if order.ncols() > 1 {
            let found = Clustered { clusters: &clusters, fit_on: &fit_on, judged: &judged, labels: &labels };
            let sub = self.sub_clusters(&found, &of_rank(1), order.ncols() - 1, rng)?;
            figures.push(Figure::new(Measure::Ami, 2, sub));
        }
        // Clusters none of whose members are tested are no fault of the input: such figures are undefined.
        let value =
            silhouette_sampled(&judged, &labels, params.silhouette_sample, rng).map_or(f64::NAN, |s| s.mean);
        figures.push(Figure::new(Measure::Silhouette, params.clusters, value));
        let value = davies_bouldin(&judged, &labels).unwrap_or(f64::NAN);
        figures.push(Figure::new(Measure::DaviesBouldin, params.clusters, value));
        Ok(figures)
    }

    /// Agreement of sub-clusters with the second trait, averaged over clusters by their tested members.
    fn sub_clusters(
        &self,
        found: &Clustered<'_>,
        second: &[usize],
        parts: usize,
        rng: &mut Xoshiro256PlusPlus,
    ) -> Result<f64> {
        let Clustered { clusters, fit_on, judged, labels } = *found;
        let (mut sum, mut weight) = (0.0, 0.0);
        for cluster in 0..clusters.centers.nrows() {
            let members = |labels: &[usize]| -> Vec<usize> {
                labels.iter().enumerate().filter(|(_, l)| **l == cluster).map(|(n, _)| n).collect()
            };
            let (own, tested) = (members(&clusters.labels), members(labels));
            if own.len() < parts || tested.len() < 2 {
                continue;
            }
            let fit = self.clusters(parts).fit(&check::take(fit_on, &own), rng)?;
            let found = fit.predict(&check::take(judged, &tested))?;
            let truth: Vec<usize> = tested.iter().map(|&n| second[n]).collect();
            sum += tested.len() as f64 * adjusted_mutual_information(&found, &truth)?;
            weight += tested.len() as f64;
        }
        Ok(sum / weight)
    }

    /// Figures of stability, where the representation has other windows.
    pub(super) fn stability(
        &self,
        r: &Representation<'_>,
        rng: &mut Xoshiro256PlusPlus,
    ) -> Result<Vec<Figure>> {
        let params = self.params;
        let long = clustered(r.features, r.space);
        let mut figures = Vec::new();
        if let Some(short) = r.short {
            let short = clustered(short, r.space);
            for clusters in [params.clusters, params.fine_clusters].into_iter().filter(|&k| k > 0) {
                let found = window_stability(&long, &short, self.train, clusters, params.starts, rng)?;
                figures.push(Figure {
                    chance: Some(found.chance),
                    ..Figure::new(Measure::WindowStability, clusters, found.same.test)
                });
            }
        }
        if let Some(yearly) = r.yearly {
            let fit_on = check::take(&long, self.fitted);
            let clusters = self.clusters(params.clusters).fit(&fit_on, rng)?;
            let (customers, periods, columns) = yearly.dim();
            check::length("rows of yearly features", r.features.nrows(), customers)?;
            let mut by_period = yearly.to_owned();
            for mut at in by_period.axis_iter_mut(Axis(1)) {
                let vectors = clustered(&at, r.space);
                at.assign(&vectors);
            }
            check::length("columns of yearly features", long.ncols(), columns)?;
            check::at_least("yearly features", "periods", 1, periods)?;
            let found = yearly_stability(&clusters.centers, &by_period, self.train)?;
            figures.push(Figure::new(Measure::NeverMoved, params.clusters, found.never_moved.test));
        }
        Ok(figures)
    }
}
