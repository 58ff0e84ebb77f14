//! Which shape stands for a group: the one that its ends have, if they have any, and the one that P3 prints.

use ndarray::Array2;

use super::{Curve, CurveFit, GroupAttractors, PointClusters};

/// Customers nearer to a shape than this part of the spread of all customers' end states lie on it: what claim 15 asks of
/// trajectories that are said to reach a location.
const COMPACT: f64 = 0.25;

/// A shape that a group's end states are drawn by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape<'a> {
    /// A curve.
    Line(&'a Curve),
    /// Points.
    Points(&'a PointClusters),
}

impl GroupAttractors {
    /// The points of the group, as many as the [gap statistic](Self::clusters) finds.
    ///
    /// # Panics
    /// If there are fewer `points` than `clusters`, which no fit leaves.
    #[must_use]
    pub fn enough_points(&self) -> &PointClusters {
        &self.points[self.clusters - 1]
    }

    /// How far held-out customers lie from a shape that explains this share of their variance (root mean square), over the
    /// spread of all customers' end states, `landscape`: small where a shape is one, near 1 in a cloud that is as wide as all.
    #[must_use]
    pub fn compactness(&self, explained: f64, landscape: f64) -> f64 {
        let left = self.spread * (1.0 - explained).max(0.0).sqrt();
        if left > 0.0 { left / landscape } else { 0.0 }
    }

    /// The shape that the group's ends have, given the [spread](super::spread) of all customers' end states, `landscape`; `None`
    /// if they are a cloud, neither points nor a line. P3 does not say how it told these apart.
    ///
    /// Either shape must be compact: its customers within a quarter of the spread of all. A curve must besides be a fair
    /// description, thin (its customers within a quarter of their own spread too, as a longish cloud is no line), and longer
    /// than a point: one point must not be compact. Where both are left, it is a line if it explains
    /// more and customers are spread along it, rather than gathered in clusters.
    ///
    /// # Panics
    /// If there are fewer `points` than `clusters`, which no fit leaves.
    #[must_use]
    pub fn best(&self, landscape: f64) -> Option<Shape<'_>> {
        let points = self.enough_points();
        let is_compact = |explained: f64| self.compactness(explained, landscape) <= COMPACT;
        let is_line = |curve: &&Curve| {
            curve.fit == CurveFit::Accepted
                && is_compact(curve.explained)
                && self.compactness(curve.explained, self.spread) <= COMPACT
                && !is_compact(self.points[0].explained)
        };
        let line = self.curve.as_ref().filter(is_line);
        match (line, is_compact(points.explained)) {
            (Some(curve), true) if self.clusters_along == 1 && curve.explained > points.explained => {
                Some(Shape::Line(curve))
            }
            (_, true) => Some(Shape::Points(points)),
            (line, false) => line.map(Shape::Line),
        }
    }

    /// The shape that P3 (figure 4) prints for a trait, whatever describes this group best: lines for extraversion,
    /// neuroticism and agreeableness, one point for openness, three for conscientiousness, by their names or first letters in
    /// any case. `None` for other traits, and for a line where there is no curve.
    #[must_use]
    pub fn as_printed(&self, name: &str) -> Option<Shape<'_>> {
        let points = match name.to_ascii_lowercase().as_str() {
            "e" | "extraversion" | "n" | "neuroticism" | "a" | "agreeableness" => {
                return self.curve.as_ref().map(Shape::Line);
            }
            "o" | "openness" => 1,
            "c" | "conscientiousness" => 3,
            _ => return None,
        };
        self.points.get(points - 1).map(Shape::Points)
    }
}

impl Curve {
    /// States along the curve at `count` evenly spaced parameters over the fitted range, count x M; a single one stands at
    /// the range's beginning.
    #[must_use]
    pub fn samples(&self, count: usize) -> Array2<f64> {
        let (from, to) = self.range;
        let mut states = Array2::zeros((count, self.mean.len()));
        for (index, mut state) in states.outer_iter_mut().enumerate() {
            let share = index as f64 / count.saturating_sub(1).max(1) as f64;
            state.assign(&self.at(from + share * (to - from)));
        }
        states
    }
}
