//! A figure as a list of shapes, back to front, in pixels of the figure's nominal size.

use super::palette::{Color, Dash, Mark, SOLID};

pub(crate) type Point = [f64; 2];

/// Which end of a text stands at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text; its position is on the baseline.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) at: Point,
    pub(crate) content: String,
    /// Size of the em in pixels.
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) color: Color,
    pub(crate) anchor: Anchor,
    /// Whether it runs upward.
    pub(crate) upward: bool,
}

impl Text {
    pub(crate) fn new(at: Point, content: impl Into<String>, size: f64, color: Color) -> Self {
        let content = content.into();
        Self { at, content, size, bold: false, color, anchor: Anchor::Start, upward: false }
    }

    pub(crate) fn bold(mut self) -> Self {
        self.bold = true;
        self
    }

    pub(crate) fn anchor(mut self, anchor: Anchor) -> Self {
        self.anchor = anchor;
        self
    }

    /// Left, top, right and bottom.
    pub(crate) fn bounds(&self) -> [f64; 4] {
        let width = super::text::width(&self.content, self.size, self.bold);
        let before = width
            * match self.anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => 0.5,
                Anchor::End => 1.0,
            };
        let (ascent, descent) = (0.8 * self.size, 0.2 * self.size);
        let [x, y] = self.at;
        if self.upward {
            [x - ascent, y + before - width, x + descent, y + before]
        } else {
            [x - before, y - ascent, x - before + width, y + descent]
        }
    }

    pub(crate) fn upward(mut self) -> Self {
        self.upward = true;
        self
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stroke {
    pub(crate) color: Color,
    pub(crate) width: f64,
    pub(crate) dash: Dash,
}

impl Stroke {
    pub(crate) fn new(color: Color, width: f64) -> Self {
        Self { color, width, dash: SOLID }
    }

    pub(crate) fn dashed(mut self, dash: Dash) -> Self {
        self.dash = dash;
        self
    }
}

/// One thing to draw.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Line { points: Vec<Point>, stroke: Stroke },
    Area { points: Vec<Point>, fill: Color },
    Dots { points: Vec<Point>, radius: f64, color: Color, mark: Mark },
    Circle { center: Point, radius: f64, fill: Color, outline: Stroke },
    Text(Text),
}

/// What a run of shapes shows: written into the SVG, so that a reader (or a test) can find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) class: &'static str,
    /// The trait shown, where there is one.
    pub(crate) label: Option<String>,
}

/// A figure.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) shapes: Vec<(Role, Shape)>,
}

impl Scene {
    pub(crate) fn new(width: f64, title: &str) -> Self {
        Self { width, height: 0.0, title: title.to_owned(), description: String::new(), shapes: Vec::new() }
    }

    /// Adds a shape that shows no trait.
    pub(crate) fn push(&mut self, class: &'static str, shape: Shape) {
        self.shapes.push((Role { class, label: None }, shape));
    }

    /// Adds a shape that shows a trait.
    pub(crate) fn push_trait(&mut self, class: &'static str, label: &str, shape: Shape) {
        self.shapes.push((Role { class, label: Some(label.to_owned()) }, shape));
    }

    pub(crate) fn line(&mut self, class: &'static str, points: Vec<Point>, stroke: Stroke) {
        self.push(class, Shape::Line { points, stroke });
    }

    /// Left, top, right and bottom of every text so far.
    pub(crate) fn text_boxes(&self) -> Vec<[f64; 4]> {
        let texts = self.shapes.iter().filter_map(|(_, shape)| match shape {
            Shape::Text(text) => Some(text.bounds()),
            _ => None,
        });
        texts.collect()
    }

    pub(crate) fn text(&mut self, class: &'static str, text: Text) {
        self.push(class, Shape::Text(text));
    }
}

/// Leaves out the points of a line that lie within `tolerance` of the line through the others (Douglas and Peucker):
/// a hundred steps that creep towards a point need no hundred vertices.
pub(crate) fn simplify(points: &[Point], tolerance: f64) -> Vec<Point> {
    if points.len() < 3 {
        return points.to_vec();
    }
    let mut keep = vec![false; points.len()];
    keep[0] = true;
    keep[points.len() - 1] = true;
    let mut spans = vec![(0, points.len() - 1)];
    while let Some((first, last)) = spans.pop() {
        let farthest = (first + 1..last)
            .map(|at| (at, distance(points[at], points[first], points[last])))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((at, away)) = farthest
            && away > tolerance
        {
            keep[at] = true;
            spans.push((first, at));
            spans.push((at, last));
        }
    }
    points.iter().zip(keep).filter(|(_, keep)| *keep).map(|(point, _)| *point).collect()
}

/// Distance of `p` from the segment `a`-`b`.
fn distance(p: Point, a: Point, b: Point) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length = dx * dx + dy * dy;
    let along =
        if length > 0.0 { (((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    (p[0] - a[0] - along * dx).hypot(p[1] - a[1] - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_keeps_its_ends_and_a_corner_stays() {
        let straight: Vec<Point> = (0..50).map(|k| [f64::from(k), 2.0 * f64::from(k)]).collect();
        assert_eq!(simplify(&straight, 0.1), [[0.0, 0.0], [49.0, 98.0]]);
        let corner = [[0.0, 0.0], [5.0, 0.0], [10.0, 0.0], [10.0, 5.0], [10.0, 10.0]];
        assert_eq!(simplify(&corner, 0.1), [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]]);
        // A loop that returns to its start is no point.
        let there_and_back = [[0.0, 0.0], [10.0, 0.0], [0.0, 0.0]];
        assert_eq!(simplify(&there_and_back, 0.1), there_and_back);
    }
}
