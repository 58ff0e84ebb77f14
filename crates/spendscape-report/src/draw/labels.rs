//! Labels beside what they name, moved aside where they would cover each other.

use super::{
    furniture::WIDTH,
    palette::{INK, MUTED, WHITE},
    scene::{Anchor, Point, Scene, Shape, Stroke, Text},
    text,
};

/// What a label names: the end of a line.
#[derive(Debug, Clone)]
pub(crate) struct Tip {
    pub(crate) from: Point,
    pub(crate) to: Point,
    pub(crate) name: String,
    /// How far from the tip, in pixels, the label must stay away.
    pub(crate) clear: f64,
}

/// Squares that stand for a line where labels look for a place: closer than a letter is wide.
const STEPS: u32 = 60;
/// Half the width of a line that labels may not cover.
const LINE: f64 = 4.0;
/// Half the width of an obstacle.
const OBSTACLE: f64 = 11.0;
/// Widest label.
const LIMIT: f64 = 260.0;
/// A label farther than this from its tip is tied to it by a line.
const FAR: f64 = 26.0;

type Bounds = [f64; 4];

fn apart(a: &Bounds, b: &Bounds) -> bool {
    a[2] < b[0] || a[0] > b[2] || a[3] < b[1] || a[1] > b[3]
}

/// Writes each name beyond its tip, clear of the figure's other texts, of the lines, of the other labels and of the
/// `obstacles`.
pub(crate) fn write(scene: &mut Scene, tips: &[Tip], obstacles: &[Point], size: f64) {
    let around = |[x, y]: Point, r: f64| [x - r, y - r, x + r, y + r];
    let mut taken: Vec<Bounds> = scene.text_boxes();
    taken.extend(obstacles.iter().map(|point| around(*point, OBSTACLE)));
    for Tip { from, to, clear, .. } in tips {
        taken.push(around(*to, *clear));
        taken.extend((0..STEPS).map(|k| {
            let t = f64::from(k) / f64::from(STEPS);
            around([0, 1].map(|at| from[at] + t * (to[at] - from[at])), LINE)
        }));
    }
    for tip in tips {
        let name = text::shorten(&tip.name, size, true, LIMIT);
        let label = |at: Point| Text::new(at, name.clone(), size, INK).bold().anchor(Anchor::Middle);
        let free = |at: &&Point| {
            let bounds = label(**at).bounds();
            bounds[0] > 4.0 && bounds[2] < WIDTH - 4.0 && taken.iter().all(|other| apart(&bounds, other))
        };
        let candidates = candidates(tip, text::width(&name, size, true), size);
        // Where there is no room at all, labels cover something rather than go missing.
        let at = candidates.iter().find(free).unwrap_or(&candidates[0]);
        let label = label(*at);
        let [left, top, right, bottom] = label.bounds();
        taken.push([left, top, right, bottom]);
        let [x, y] = tip.to;
        let nearest = [x.clamp(left, right), y.clamp(top, bottom)];
        if (nearest[0] - x).hypot(nearest[1] - y) > FAR {
            scene.line("help", vec![tip.to, nearest], Stroke::new(MUTED, 0.8));
        }
        let points = vec![[left - 2.0, top], [right + 2.0, top], [right + 2.0, bottom], [left - 2.0, bottom]];
        scene.push("backing", Shape::Area { points, fill: WHITE });
        scene.text("label", label);
    }
}

/// Positions for the middle of a label's baseline: beyond the tip first, then around it, then farther away.
fn candidates(tip: &Tip, width: f64, size: f64) -> Vec<Point> {
    let Tip { from, to, clear, .. } = tip;
    let along = (to[1] - from[1]).atan2(to[0] - from[0]);
    let mut candidates = Vec::new();
    for distance in [6.0, 20.0, 38.0, 60.0] {
        for turn in [0.0, 0.5, -0.5, 1.0, -1.0, 1.6, -1.6, 2.3, -2.3, 3.1] {
            let (sin, cos) = f64::sin_cos(along + turn);
            let distance = distance + clear;
            candidates.push([
                to[0] + cos * (distance + 0.5 * width * cos.abs()),
                to[1] + sin * (distance + 0.4 * size) + 0.3 * size,
            ]);
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_one_spot_do_not_overlap() {
        let mut scene = Scene::new(WIDTH, "");
        let tip =
            |name: &str| Tip { from: [500.0, 500.0], to: [600.0, 480.0], name: name.to_owned(), clear: 8.0 };
        write(&mut scene, &["one", "another label", "a third", "and a fourth label"].map(tip), &[], 14.0);
        let boxes = scene.text_boxes();
        assert_eq!(boxes.len(), 4);
        for (at, one) in boxes.iter().enumerate() {
            assert!(boxes[..at].iter().all(|other| apart(one, other)), "{boxes:?}");
        }
    }
}
