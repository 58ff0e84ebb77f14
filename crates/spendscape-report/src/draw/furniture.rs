//! Titles, legends and footers, the same for every figure.

use super::{
    palette::{Color, Dash, FRAME, INK, MUTED, Mark, SOLID},
    scene::{Point, Scene, Shape, Stroke, Text},
    text,
};

/// Nominal width of every figure in pixels.
pub(crate) const WIDTH: f64 = 1200.0;
/// Margin at the sides.
pub(crate) const SIDE: f64 = 28.0;

const TITLE_SIZE: f64 = 21.0;
const CAPTION_SIZE: f64 = 13.0;
const LEGEND_SIZE: f64 = 12.5;
const HEADING_SIZE: f64 = 13.5;
const FOOTER_SIZE: f64 = 10.5;

/// Draws the title and the caption; returns where the next thing may start.
pub(crate) fn header(scene: &mut Scene, caption: &str) -> f64 {
    let title = text::shorten(&scene.title, TITLE_SIZE, true, WIDTH - 2.0 * SIDE);
    scene.text("title", Text::new([SIDE, 38.0], title, TITLE_SIZE, INK).bold());
    let lines = text::wrap(caption, CAPTION_SIZE, false, WIDTH - 2.0 * SIDE);
    let mut y = 62.0;
    for line in lines {
        scene.text("caption", Text::new([SIDE, y], line, CAPTION_SIZE, MUTED));
        y += 18.5;
    }
    caption.clone_into(&mut scene.description);
    y
}

/// The heading of a panel.
pub(crate) fn heading(scene: &mut Scene, at: Point, content: &str, limit: f64) {
    let content = text::shorten(content, HEADING_SIZE, true, limit);
    scene.text("heading", Text::new(at, content, HEADING_SIZE, INK).bold());
}

/// A sample of what stands in a figure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key {
    Line(Color, f64, Dash),
    Dot(Color, Mark),
    /// A line with a dot at its end, as trajectories are drawn.
    Trajectory(Color, Dash, Mark),
}

/// One entry of a legend.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) label: String,
}

impl Entry {
    pub(crate) fn new(key: Key, label: impl Into<String>) -> Self {
        Self { key, label: label.into() }
    }
}

/// Draws a legend of one or more rows from `y` on; returns where the next thing may start.
pub(crate) fn legend(scene: &mut Scene, y: f64, entries: &[Entry]) -> f64 {
    let (mut x, mut y) = (SIDE, y + 12.0);
    for entry in entries {
        let label = text::shorten(&entry.label, LEGEND_SIZE, false, WIDTH - 2.0 * SIDE - 34.0);
        let width = 34.0 + text::width(&label, LEGEND_SIZE, false) + 24.0;
        if x > SIDE && x + width - 24.0 > WIDTH - SIDE {
            x = SIDE;
            y += 21.0;
        }
        key(scene, [x, y - 4.5], entry.key);
        scene.text("legend", Text::new([x + 34.0, y], label, LEGEND_SIZE, INK));
        x += width;
    }
    y + 16.0
}

/// Draws the sample of a legend entry, 28 pixels wide, its middle at the height of `at`.
pub(crate) fn key(scene: &mut Scene, at: Point, key: Key) {
    let [x, y] = at;
    let mut line = |color, width, dash, to: f64| {
        scene.line("legend", vec![[x, y], [x + to, y]], Stroke::new(color, width).dashed(dash));
    };
    let dot = match key {
        Key::Line(color, width, dash) => {
            line(color, width, dash, 28.0);
            None
        }
        Key::Dot(color, mark) => Some((color, mark, 14.0)),
        Key::Trajectory(color, dash, mark) => {
            line(color, 2.0, dash, 24.0);
            Some((color, mark, 24.0))
        }
    };
    if let Some((color, mark, shift)) = dot {
        let shape = Shape::Dots { points: vec![[x + shift, y]], radius: 4.5, color, mark };
        scene.push("legend", shape);
    }
}

/// Draws the footer at `y` and closes the figure below it.
pub(crate) fn footer(scene: &mut Scene, y: f64, content: &str) {
    scene.line("footer", vec![[SIDE, y], [WIDTH - SIDE, y]], Stroke::new(FRAME, 0.6).dashed(SOLID));
    let mut y = y + 16.0;
    for line in text::wrap(content, FOOTER_SIZE, false, WIDTH - 2.0 * SIDE) {
        scene.text("footer", Text::new([SIDE, y], line, FOOTER_SIZE, MUTED));
        y += 14.0;
    }
    scene.height = (y + 2.0).ceil();
}
