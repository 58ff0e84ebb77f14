//! A scene as PNG: its SVG, painted by resvg.

use resvg::{
    tiny_skia::{Color, Pixmap, Transform},
    usvg::{Options, Tree},
};

use super::{scene::Scene, svg};

/// Pixels of the file per nominal pixel.
const SCALE: f64 = 4.0 / 3.0;

/// The scene as the bytes of a PNG file, four thirds of its nominal size.
///
/// # Errors
/// A scene without an area, or one that does not fit memory.
pub(crate) fn encode(scene: &Scene) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let tree = Tree::from_str(&svg::outlined(scene), &Options::default())?;
    let side = |length: f64| (length * SCALE).ceil() as u32;
    let (width, height) = (side(scene.width), side(scene.height));
    let mut pixels = Pixmap::new(width, height)
        .ok_or_else(|| format!("no picture is {width} by {height} pixels large"))?;
    // The picture is rounded up to whole pixels: what the last ones have beside it is paper too.
    pixels.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(SCALE as f32, SCALE as f32), &mut pixels.as_mut());
    Ok(pixels.encode_png()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{
        palette::INK,
        scene::{Anchor, Text},
    };

    /// Left, top, right and bottom of what is not white, in nominal pixels.
    fn ink(scene: &Scene) -> [f64; 4] {
        let picture = Pixmap::decode_png(&encode(scene).unwrap()).unwrap();
        let mut bounds = [f64::INFINITY, f64::INFINITY, 0.0, 0.0];
        for (at, pixel) in picture.pixels().iter().enumerate() {
            assert_eq!(pixel.alpha(), 255);
            if pixel.red() < 128 {
                let [x, y] = [at as u32 % picture.width(), at as u32 / picture.width()]
                    .map(|side| f64::from(side) / SCALE);
                bounds = [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x), bounds[3].max(y)];
            }
        }
        bounds
    }

    #[test]
    fn text_is_painted_where_it_is_laid_out() {
        for anchor in [Anchor::Start, Anchor::Middle, Anchor::End] {
            for (bold, upward) in [(false, false), (true, false), (false, true), (true, true)] {
                let mut text = Text::new([200.0, 200.0], "Width of H", 20.0, INK).anchor(anchor);
                (text.bold, text.upward) = (bold, upward);
                let bounds = text.bounds();
                let mut scene = Scene { height: 400.0, ..Scene::new(400.0, "text") };
                scene.text("label", text);
                // Letters do not fill their box: they stand on the baseline, up to a fifth of an em away from its ends.
                let found = ink(&scene);
                let descent = 0.2 * 20.0;
                let expected = if upward {
                    [bounds[0], bounds[1], bounds[2] - descent, bounds[3]]
                } else {
                    [bounds[0], bounds[1], bounds[2], bounds[3] - descent]
                };
                for (found, expected) in found.iter().zip(expected) {
                    assert!((found - expected).abs() < 4.0, "{anchor:?} {bold} {upward}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn a_scene_without_an_area_is_no_picture() {
        assert!(encode(&Scene::new(100.0, "flat")).is_err());
    }
}
