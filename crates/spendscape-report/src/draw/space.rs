//! A plot in three dimensions: a fixed camera looking at a box with ticks, without perspective.

use super::{
    axis::{Range, extent, round_step},
    palette::{FRAME, GRID, INK, MUTED, WALL},
    plane::{Plane, Rect},
    scene::{Anchor, Point, Scene, Shape, Stroke, Text},
    text,
};

/// A point of the space that is drawn.
pub(crate) type Place = [f64; 3];

/// Where the camera stands, in degrees around and above the box. None of the three axes runs towards it, and the floor
/// is seen from above.
const AZIMUTH: f64 = -52.0;
const ELEVATION: f64 = 24.0;

/// About so many ticks on the longest side of the box.
const TICKS: f64 = 5.5;

/// No side of the box is shorter than this share of the longest: a flat box hides what it holds.
const SHORTEST_SIDE: f64 = 0.6;

/// Space between the outermost place and the walls, as a share of the longest side.
const MARGIN: f64 = 0.03;

const TICK_SIZE: f64 = 10.5;
const LABEL_SIZE: f64 = 12.0;

/// How far a line may be simplified, in pixels.
const TOLERANCE: f64 = 0.15;

/// The box that holds some places.
#[derive(Debug, Clone)]
pub(crate) struct Bounds([Range; 3]);

impl Bounds {
    /// The smallest box with some space around the places.
    pub(crate) fn of<'a>(places: impl IntoIterator<Item = &'a Place>) -> Self {
        let places: Vec<&Place> = places.into_iter().collect();
        let extents = [0, 1, 2].map(|axis| extent(places.iter().map(|place| place[axis])));
        let longest = extents.iter().map(|(low, high)| high - low).fold(0.0, f64::max);
        let longest = if longest > 0.0 { longest } else { 1.0 };
        let step = round_step(longest / TICKS);
        Self(extents.map(|(low, high)| {
            let missing = 0.5 * (SHORTEST_SIDE * longest - (high - low)).max(0.0) + MARGIN * longest;
            Range::new(low - missing, high + missing, step)
        }))
    }
}

/// A plot of places: in space, or in a plane where they have no third coordinate.
#[derive(Debug)]
pub(crate) enum Space {
    Box(Camera),
    Flat(Plane),
}

/// The camera and the box it looks at.
#[derive(Debug)]
pub(crate) struct Camera {
    sides: [Range; 3],
    right: Place,
    up: Place,
    toward: Place,
    scale: f64,
    room: Rect,
    middle: Point,
    center: Place,
}

fn dot(a: &Place, b: &Place) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Space {
    /// Fits the box into `room`, labels included. `flat` leaves the third coordinate out.
    pub(crate) fn new(room: Rect, bounds: &Bounds, flat: bool) -> Self {
        let sides = bounds.0.clone();
        if flat {
            let [x, y, _] = sides;
            return Self::Flat(Plane::new(room, x, y, false));
        }
        let (azimuth, elevation) = (AZIMUTH.to_radians(), ELEVATION.to_radians());
        let mut camera = Camera {
            right: [-azimuth.sin(), azimuth.cos(), 0.0],
            up: [-elevation.sin() * azimuth.cos(), -elevation.sin() * azimuth.sin(), elevation.cos()],
            toward: [elevation.cos() * azimuth.cos(), elevation.cos() * azimuth.sin(), elevation.sin()],
            scale: 1.0,
            room,
            middle: [0.0, 0.0],
            center: [0, 1, 2].map(|axis| 0.5 * (sides[axis].low + sides[axis].high)),
            sides,
        };
        // Room for the labels around the box.
        let inner = Rect {
            x: room.x + 0.07 * room.width + 18.0,
            y: room.y + 8.0,
            width: 0.86 * room.width - 36.0,
            height: room.height - 50.0,
        };
        let corners = camera.corners().map(|corner| camera.project(&corner));
        let (left, right) = extent(corners.iter().map(|corner| corner[0]));
        let (top, bottom) = extent(corners.iter().map(|corner| corner[1]));
        camera.scale = (inner.width / (right - left)).min(inner.height / (bottom - top));
        camera.middle = [
            inner.x + 0.5 * inner.width - 0.5 * camera.scale * (left + right),
            inner.y + 0.5 * inner.height - 0.5 * camera.scale * (top + bottom),
        ];
        Self::Box(camera)
    }

    /// Where a place is seen.
    pub(crate) fn project(&self, place: &Place) -> Point {
        match self {
            Self::Box(camera) => camera.project(place),
            Self::Flat(plane) => plane.project([place[0], place[1]]),
        }
    }

    /// How near the camera some places are, on average: draw what is near last.
    pub(crate) fn nearness(&self, places: &[Place]) -> f64 {
        let sum: f64 = match self {
            Self::Box(camera) => places.iter().map(|place| dot(place, &camera.toward)).sum(),
            Self::Flat(_) => 0.0,
        };
        sum / places.len().max(1) as f64
    }

    /// A line through places, without vertices that nobody would see.
    pub(crate) fn path(&self, places: &[Place]) -> Vec<Point> {
        let points: Vec<Point> = places.iter().map(|place| self.project(place)).collect();
        super::scene::simplify(&points, TOLERANCE)
    }

    /// The point on the floor of the box below a place, if there is a floor.
    pub(crate) fn floor(&self, place: &Place) -> Option<Point> {
        match self {
            Self::Box(camera) => Some(camera.project(&[place[0], place[1], camera.sides[2].low])),
            Self::Flat(_) => None,
        }
    }

    /// Draws what stands behind the data: walls, grid, ticks and labels.
    pub(crate) fn draw(&self, scene: &mut Scene, labels: &[String; 3]) {
        match self {
            Self::Box(camera) => camera.draw(scene, labels),
            Self::Flat(plane) => plane.draw(scene, &labels[0], &labels[1]),
        }
    }
}

impl Camera {
    fn project(&self, place: &Place) -> Point {
        let from = [0, 1, 2].map(|axis| place[axis] - self.center[axis]);
        [
            self.middle[0] + self.scale * dot(&from, &self.right),
            self.middle[1] - self.scale * dot(&from, &self.up),
        ]
    }

    fn corners(&self) -> [Place; 8] {
        std::array::from_fn(|corner| {
            [0, 1, 2].map(|axis| {
                let side = &self.sides[axis];
                if corner >> axis & 1 == 0 { side.low } else { side.high }
            })
        })
    }

    /// The end of a side that is away from the camera, and the one near it.
    fn ends(&self, axis: usize) -> (f64, f64) {
        let Range { low, high, .. } = self.sides[axis];
        if self.toward[axis] > 0.0 { (low, high) } else { (high, low) }
    }

    fn draw(&self, scene: &mut Scene, labels: &[String; 3]) {
        let back = [0, 1, 2].map(|axis| self.ends(axis).0);
        for (axis, at) in back.into_iter().enumerate() {
            self.draw_wall(scene, axis, at);
        }
        // Ticks stand where the floor meets the air in front, and along the outermost upright edge on the left.
        let front = [0, 1].map(|axis| self.ends(axis).1);
        let upright = [[back[0], front[1], back[2]], [front[0], back[1], back[2]]]
            .into_iter()
            .min_by(|a, b| self.project(a)[0].total_cmp(&self.project(b)[0]))
            .unwrap_or(back);
        let starts = [[0.0, front[1], back[2]], [front[0], 0.0, back[2]], upright];
        for (axis, (start, label)) in starts.into_iter().zip(labels).enumerate() {
            self.draw_ticks(scene, axis, start, label);
        }
    }

    /// One wall behind the data, with its grid.
    fn draw_wall(&self, scene: &mut Scene, axis: usize, at: f64) {
        let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
        let place = |a: f64, b: f64| {
            let mut place = [at; 3];
            place[u] = a;
            place[v] = b;
            self.project(&place)
        };
        let (a, b) = (&self.sides[u], &self.sides[v]);
        let mut wall =
            vec![place(a.low, b.low), place(a.high, b.low), place(a.high, b.high), place(a.low, b.high)];
        scene.push("axes", Shape::Area { points: wall.clone(), fill: WALL });
        for (tick, _) in a.ticks() {
            scene.line("axes", vec![place(tick, b.low), place(tick, b.high)], Stroke::new(GRID, 0.8));
        }
        for (tick, _) in b.ticks() {
            scene.line("axes", vec![place(a.low, tick), place(a.high, tick)], Stroke::new(GRID, 0.8));
        }
        wall.push(wall[0]);
        scene.line("axes", wall, Stroke::new(FRAME, 0.9));
    }

    /// Ticks and the label along the edge through `start`.
    fn draw_ticks(&self, scene: &mut Scene, axis: usize, start: Place, label: &str) {
        let along = |value: f64| {
            let mut place = start;
            place[axis] = value;
            self.project(&place)
        };
        let side = &self.sides[axis];
        let middle = along(0.5 * (side.low + side.high));
        let center = self.project(&self.center);
        let (low, high) = (along(side.low), along(side.high));
        let length = (high[0] - low[0]).hypot(high[1] - low[1]).max(1.0);
        // Outward: at right angles to the edge, away from the middle of the box.
        let mut outward = [(low[1] - high[1]) / length, (high[0] - low[0]) / length];
        if outward[0] * (middle[0] - center[0]) + outward[1] * (middle[1] - center[1]) < 0.0 {
            outward = outward.map(|component| -component);
        }
        let beside = |point: Point, by: f64| [point[0] + by * outward[0], point[1] + by * outward[1]];
        let anchor = match outward[0] {
            x if x < -0.3 => Anchor::End,
            x if x > 0.3 => Anchor::Start,
            _ => Anchor::Middle,
        };
        for (tick, value) in side.ticks() {
            let at = along(tick);
            scene.line("axes", vec![at, beside(at, 4.0)], Stroke::new(FRAME, 0.9));
            let [x, y] = beside(at, 9.0);
            scene.text("axes", Text::new([x, y + 4.0], value, TICK_SIZE, MUTED).anchor(anchor));
        }
        if axis == 2 {
            let [x, y] = beside(middle, 46.0);
            let label = text::shorten(label, LABEL_SIZE, false, self.room.height);
            let label = Text::new([x + 4.0, y], label, LABEL_SIZE, INK).anchor(Anchor::Middle);
            scene.text("axes", label.upward());
        } else {
            let [x, y] = beside(middle, 36.0);
            let label = text::shorten(label, LABEL_SIZE, false, 0.5 * self.room.width);
            let mut label = Text::new([x, y + 8.0], label, LABEL_SIZE, INK).anchor(anchor);
            // A long label moves inward rather than out of the panel.
            let [left, _, right, _] = label.bounds();
            label.at[0] += (self.room.x - left).max(0.0) - (right - self.room.x - self.room.width).max(0.0);
            scene.text("axes", label);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Rect = Rect { x: 100.0, y: 50.0, width: 500.0, height: 400.0 };

    #[test]
    fn everything_in_the_box_is_inside_the_room() {
        let places = [[-1.0, -0.2, 0.0], [1.0, 0.3, 0.5]];
        let space = Space::new(ROOM, &Bounds::of(&places), false);
        for place in places {
            let [x, y] = space.project(&place);
            assert!((100.0..600.0).contains(&x) && (50.0..450.0).contains(&y), "{place:?}");
        }
    }

    #[test]
    fn the_third_axis_points_up_and_the_camera_looks_from_the_front() {
        let space = Space::new(ROOM, &Bounds::of(&[[-1.0; 3], [1.0; 3]]), false);
        let origin = space.project(&[0.0; 3]);
        assert!(space.project(&[0.0, 0.0, 1.0])[1] < origin[1]);
        assert!(space.nearness(&[[0.0, -1.0, 0.0]]) > space.nearness(&[[0.0, 1.0, 0.0]]));
        // A right-handed system is seen right-handed: x to the right of y, seen from above.
        let [x, y] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]].map(|place| {
            let seen = space.project(&place);
            [seen[0] - origin[0], origin[1] - seen[1]]
        });
        assert!(x[0] * y[1] - x[1] * y[0] > 0.0);
    }
}
