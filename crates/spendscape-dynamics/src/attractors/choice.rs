//! Which shape stands for a group: the one that describes its ends best, and the one that P3 prints.

use ndarray::Array2;

use super::{Curve, CurveFit, GroupAttractors, PointClusters};

/// A cluster that adds less than this share of held-out variance is not worth another point.
const POINT_GAIN: f64 = 0.02;

/// A shape that a group's end states are drawn by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape<'a> {
    /// A curve.
    Line(&'a Curve),
    /// Points.
    Points(&'a PointClusters),
}

impl GroupAttractors {
    /// The fewest points after which another one adds less than .02 of held-out variance.
    ///
    /// # Panics
    /// If `points` is empty, which no fit leaves it.
    #[must_use]
    pub fn enough_points(&self) -> &PointClusters {
        let gain = |k: &usize| self.points[*k].explained - self.points[*k - 1].explained;
        let enough = (1..self.points.len()).find(|k| gain(k) < POINT_GAIN);
        &self.points[enough.unwrap_or(self.points.len()) - 1]
    }

    /// The shape that describes the group best: the curve, if it is fair and explains more of the held-out variance than
    /// [enough points](Self::enough_points), and those otherwise. P3 does not say how it told line and point apart.
    ///
    /// # Panics
    /// If `points` is empty, which no fit leaves it.
    #[must_use]
    pub fn best(&self) -> Shape<'_> {
        let points = self.enough_points();
        let fair = |curve: &&Curve| curve.fit == CurveFit::Accepted && curve.explained > points.explained;
        self.curve.as_ref().filter(fair).map_or(Shape::Points(points), Shape::Line)
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
