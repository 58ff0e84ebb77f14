//! A scene as PNG, painted with plotters' bitmap backend.
//!
//! The backend paints whole pixels, so the scene is painted larger and averaged down. Lines are painted segment by
//! segment: the backend's own thick paths grow spikes where a trajectory creeps or turns sharply.

use plotters::{
    backend::{BitMapBackend, DrawingBackend, RGBPixel},
    style::{Color as _, RGBColor},
};

use super::{
    palette::{Color, Mark},
    scene::{Anchor, Point, Scene, Shape, Stroke, Text},
    svg, text,
};

/// Painted pixels per nominal pixel.
const PAINT_SCALE: u32 = 4;
/// Painted pixels averaged per side of a pixel of the file: more are smoother and slower.
const AVERAGED: u32 = 3;

/// Size of the file for a scene, in pixels.
fn file_size(scene: &Scene) -> (u32, u32) {
    let side = |length: f64| (length.ceil() as u32 * PAINT_SCALE).div_ceil(AVERAGED);
    (side(scene.width), side(scene.height))
}

/// The scene as the bytes of a PNG file, four thirds of its nominal size.
pub(crate) fn encode(scene: &Scene) -> Result<Vec<u8>, png::EncodingError> {
    let (width, height) = file_size(scene);
    let pixels = average(&paint(scene, width * AVERAGED, height * AVERAGED), width, height);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

fn paint(scene: &Scene, width: u32, height: u32) -> Vec<u8> {
    let mut buffer = vec![255; width as usize * height as usize * 3];
    let mut canvas = Canvas {
        backend: BitMapBackend::<RGBPixel>::with_buffer(&mut buffer, (width, height)),
        scale: f64::from(PAINT_SCALE),
    };
    for (_, shape) in &scene.shapes {
        canvas.shape(shape);
    }
    drop(canvas);
    buffer
}

fn average(painted: &[u8], width: u32, height: u32) -> Vec<u8> {
    let (width, height, side) = (width as usize, height as usize, AVERAGED as usize);
    let stride = width * side * 3;
    let count = (side * side) as u32;
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let mut sums = [0_u32; 3];
            for row in 0..side {
                let start = (y * side + row) * stride + x * side * 3;
                for pixel in painted[start..start + side * 3].as_chunks::<3>().0 {
                    for (sum, channel) in sums.iter_mut().zip(pixel) {
                        *sum += u32::from(*channel);
                    }
                }
            }
            pixels.extend(sums.map(|sum| ((sum + count / 2) / count) as u8));
        }
    }
    pixels
}

struct Canvas<'a> {
    backend: BitMapBackend<'a, RGBPixel>,
    scale: f64,
}

impl Canvas<'_> {
    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Line { points, stroke } => self.line(points, stroke),
            Shape::Area { points, fill } => self.polygon(points, *fill),
            Shape::Dots { points, radius, color, mark } => {
                for point in points {
                    self.mark(*point, *radius, *color, *mark);
                }
            }
            Shape::Circle { center, radius, fill, outline } => {
                self.disc(*center, radius + 0.5 * outline.width, outline.color);
                self.disc(*center, radius - 0.5 * outline.width, *fill);
            }
            Shape::Text(text) => self.text(text),
        }
    }

    fn pixel(&self, point: Point) -> (i32, i32) {
        ((point[0] * self.scale).round() as i32, (point[1] * self.scale).round() as i32)
    }

    // A backend in memory cannot fail, and what lies outside the picture is not painted: its results carry nothing.

    fn polygon(&mut self, points: &[Point], color: Color) {
        let points: Vec<(i32, i32)> = points.iter().map(|point| self.pixel(*point)).collect();
        let _ = self.backend.fill_polygon(points, &rgb(color));
    }

    fn disc(&mut self, center: Point, radius: f64, color: Color) {
        let radius = (radius * self.scale).round().max(1.0) as u32;
        let _ = self.backend.draw_circle(self.pixel(center), radius, &rgb(color), true);
    }

    fn mark(&mut self, at: Point, radius: f64, color: Color, mark: Mark) {
        match mark {
            Mark::Disc => self.disc(at, radius, color),
            Mark::Cross => {
                let stroke = Stroke::new(color, svg::cross_width(radius));
                self.line(&[[at[0] - radius, at[1] - radius], [at[0] + radius, at[1] + radius]], &stroke);
                self.line(&[[at[0] + radius, at[1] - radius], [at[0] - radius, at[1] + radius]], &stroke);
            }
            _ => self.polygon(&svg::corners(at, radius, mark), color),
        }
    }

    fn line(&mut self, points: &[Point], stroke: &Stroke) {
        for piece in dashes(points, stroke.dash) {
            for pair in piece.windows(2) {
                self.segment(pair[0], pair[1], stroke);
            }
        }
    }

    fn segment(&mut self, a: Point, b: Point, stroke: &Stroke) {
        let half = 0.5 * stroke.width;
        // Round ends join the segments; below a painted pixel nobody sees them.
        if half * self.scale > 1.0 {
            self.disc(a, half, stroke.color);
            self.disc(b, half, stroke.color);
        }
        let length = (b[0] - a[0]).hypot(b[1] - a[1]);
        if length * self.scale < 1.0 {
            return;
        }
        let (nx, ny) = (half * (a[1] - b[1]) / length, half * (b[0] - a[0]) / length);
        let corners =
            [[a[0] + nx, a[1] + ny], [b[0] + nx, b[1] + ny], [b[0] - nx, b[1] - ny], [a[0] - nx, a[1] - ny]];
        self.polygon(&corners, stroke.color);
    }

    fn text(&mut self, line: &Text) {
        let shift = text::width(&line.content, line.size, line.bold)
            * match line.anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => 0.5,
                Anchor::End => 1.0,
            };
        let start =
            if line.upward { [line.at[0], line.at[1] + shift] } else { [line.at[0] - shift, line.at[1]] };
        let (left, baseline) = self.pixel(start);
        let Color(r, g, b) = line.color;
        let backend = &mut self.backend;
        text::paint(&line.content, line.size * self.scale, line.bold, |x, y, cover| {
            let at = if line.upward { (left + y, baseline - x) } else { (left + x, baseline + y) };
            let alpha = f64::from(cover.clamp(0.0, 1.0));
            let _ = backend.draw_pixel(at, RGBColor(r, g, b).mix(alpha).to_backend_color());
        });
    }
}

fn rgb(color: Color) -> RGBColor {
    RGBColor(color.0, color.1, color.2)
}

/// The pieces of a line that a dash pattern leaves.
fn dashes(points: &[Point], pattern: &[f64]) -> Vec<Vec<Point>> {
    if pattern.is_empty() {
        return vec![points.to_vec()];
    }
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    let (mut at, mut left, mut drawing) = (0, pattern[0], true);
    let mut piece: Vec<Point> = points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        let length = (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let t = done / length;
            let here =
                [pair[0][0] + t * (pair[1][0] - pair[0][0]), pair[0][1] + t * (pair[1][1] - pair[0][1])];
            if drawing {
                piece.push(here);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![here];
            }
            drawing = !drawing;
            at = (at + 1) % pattern.len();
            left = pattern[at];
        }
        left -= length - done;
        if drawing {
            piece.push(pair[1]);
        }
    }
    pieces.extend((piece.len() > 1).then_some(piece));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_cover_their_share_of_the_line() {
        let pieces = dashes(&[[0.0, 0.0], [7.0, 0.0], [7.0, 9.0]], &[3.0, 1.0]);
        let length: f64 = pieces
            .iter()
            .flat_map(|piece| piece.windows(2))
            .map(|pair| (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]))
            .sum();
        assert_eq!((pieces.len(), length), (4, 12.0));
    }

    #[test]
    fn averaging_keeps_flat_colors_and_mixes_edges() {
        let side = AVERAGED as usize;
        let mut painted = vec![255; 2 * side * side * 3];
        assert_eq!(average(&painted, 2, 1), [255; 6]);
        painted[..3].fill(0);
        assert_eq!(average(&painted, 2, 1), [227, 227, 227, 255, 255, 255]);
    }
}
