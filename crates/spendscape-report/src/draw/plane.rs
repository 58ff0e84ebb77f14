//! A plot in two dimensions: frame, light grid, ticks and axis labels.

use super::{
    axis::Range,
    palette::{FRAME, GRID, INK, MUTED, WHITE},
    scene::{Anchor, Point, Scene, Shape, Stroke, Text},
    text,
};

/// A rectangle of a figure, in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// Room for tick labels and axis labels, left and below.
const LEFT: f64 = 58.0;
const BELOW: f64 = 44.0;
const TICK_SIZE: f64 = 11.0;
const LABEL_SIZE: f64 = 12.0;

/// A plot in two dimensions.
#[derive(Debug)]
pub(crate) struct Plane {
    x: Range,
    y: Range,
    frame: Rect,
}

impl Plane {
    /// A plot that fills `room`, its labels included; with `equal`, a unit is as long upward as sideways.
    pub(crate) fn new(room: Rect, x: Range, y: Range, equal: bool) -> Self {
        let mut frame = Rect {
            x: room.x + LEFT,
            y: room.y,
            width: (room.width - LEFT).max(1.0),
            height: (room.height - BELOW).max(1.0),
        };
        if equal {
            let unit = (frame.width / x.length()).min(frame.height / y.length());
            let (width, height) = (unit * x.length(), unit * y.length());
            frame.x += 0.5 * (frame.width - width);
            frame.y += 0.5 * (frame.height - height);
            (frame.width, frame.height) = (width, height);
        }
        Self { x, y, frame }
    }

    /// How high a room must be in which a unit is as long upward as sideways over its whole width, at the most as high as it is.
    pub(crate) fn height_of(room: Rect, x: &Range, y: &Range) -> f64 {
        ((room.width - LEFT) / x.length() * y.length() + BELOW).min(room.height)
    }

    pub(crate) fn project(&self, [x, y]: Point) -> Point {
        let Rect { x: left, y: top, width, height } = self.frame;
        [
            left + (x - self.x.low) / self.x.length() * width,
            top + (self.y.high - y) / self.y.length() * height,
        ]
    }

    /// Draws what stands behind the data: the frame, the grid, ticks and labels.
    pub(crate) fn draw(&self, scene: &mut Scene, x_label: &str, y_label: &str) {
        let Rect { x, y, width, height } = self.frame;
        let (right, bottom) = (x + width, y + height);
        let corners = vec![[x, y], [right, y], [right, bottom], [x, bottom]];
        scene.push("axes", Shape::Area { points: corners.clone(), fill: WHITE });
        let across = self.x.ticks();
        let up = self.y.ticks();
        for (value, _) in &across {
            let at = self.project([*value, self.y.low])[0];
            scene.line("axes", vec![[at, y], [at, bottom]], grid(*value));
        }
        for (value, _) in &up {
            let at = self.project([self.x.low, *value])[1];
            scene.line("axes", vec![[x, at], [right, at]], grid(*value));
        }
        let mut frame = corners;
        frame.push(frame[0]);
        scene.line("axes", frame, Stroke::new(FRAME, 1.0));
        for (value, label) in across {
            let at = self.project([value, self.y.low])[0];
            let tick = Text::new([at, bottom + 15.0], label, TICK_SIZE, MUTED).anchor(Anchor::Middle);
            scene.text("axes", tick);
        }
        for (value, label) in up {
            let at = self.project([self.x.low, value])[1];
            scene.text("axes", Text::new([x - 6.0, at + 4.0], label, TICK_SIZE, MUTED).anchor(Anchor::End));
        }
        let x_label = text::shorten(x_label, LABEL_SIZE, false, width + LEFT);
        let below = [x + 0.5 * width, bottom + 33.0];
        scene.text("axes", Text::new(below, x_label, LABEL_SIZE, INK).anchor(Anchor::Middle));
        let y_label = text::shorten(y_label, LABEL_SIZE, false, height + BELOW);
        let beside = [x - 42.0, y + 0.5 * height];
        scene.text("axes", Text::new(beside, y_label, LABEL_SIZE, INK).anchor(Anchor::Middle).upward());
    }
}

/// The line at zero is darker than the others.
fn grid(value: f64) -> Stroke {
    if value == 0.0 { Stroke::new(FRAME, 0.8) } else { Stroke::new(GRID, 0.8) }
}
