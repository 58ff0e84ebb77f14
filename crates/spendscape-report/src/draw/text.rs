//! Fonts and text: measuring, breaking and outlines.

use std::{fmt::Write as _, sync::OnceLock};

use spendscape_schema::scope::grouped;
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// The font families that SVG viewers are asked for. Figures are laid out with the first, one of the widest common fonts, so
/// that another one still fits.
pub(crate) const FAMILY: &str = "DejaVu Sans, Verdana, Arial, sans-serif";

static REGULAR: &[u8] = include_bytes!("../../assets/DejaVuSans.ttf");
static BOLD: &[u8] = include_bytes!("../../assets/DejaVuSans-Bold.ttf");

fn face(bold: bool) -> &'static Face<'static> {
    static FACES: OnceLock<[Face<'static>; 2]> = OnceLock::new();
    let faces = FACES.get_or_init(|| {
        [REGULAR, BOLD].map(|bytes| Face::parse(bytes, 0).expect("the embedded fonts are whole"))
    });
    &faces[usize::from(bold)]
}

/// The glyphs of a line of text and where each starts, in font units; characters that the font lacks stay blank.
fn glyphs(face: &'static Face<'static>, text: &str) -> impl Iterator<Item = (GlyphId, i32)> {
    text.chars().scan(0, move |pen, character| {
        let glyph = face.glyph_index(character).unwrap_or_default();
        let start = *pen;
        *pen += i32::from(face.glyph_hor_advance(glyph).unwrap_or_default());
        Some((glyph, start))
    })
}

/// Width of a line of text in pixels.
pub(crate) fn width(text: &str, size: f64, bold: bool) -> f64 {
    let face = face(bold);
    let end = glyphs(face, text)
        .last()
        .map_or(0, |(glyph, start)| start + i32::from(face.glyph_hor_advance(glyph).unwrap_or_default()));
    f64::from(end) * unit(size, bold)
}

/// Pixels per font unit at a size of the em in pixels.
pub(crate) fn unit(size: f64, bold: bool) -> f64 {
    size / f64::from(face(bold).units_per_em())
}

/// The outlines of a line of text as SVG path data, in font units from the start of its baseline, y downward.
pub(crate) fn outlines(text: &str, bold: bool) -> String {
    let face = face(bold);
    let mut path = Path { data: String::new(), pen: 0.0 };
    for (glyph, start) in glyphs(face, text) {
        path.pen = start as f32;
        // A glyph without an outline is a space.
        face.outline_glyph(glyph, &mut path);
    }
    path.data
}

/// SVG path data in the making.
struct Path {
    data: String,
    /// Where the present glyph starts.
    pen: f32,
}

impl Path {
    fn command<const N: usize>(&mut self, name: char, points: [[f32; 2]; N]) {
        self.data.push(name);
        for [x, y] in points {
            // Writing to a string cannot fail.
            let _ = write!(self.data, "{} {} ", x + self.pen, -y);
        }
    }
}

impl OutlineBuilder for Path {
    fn move_to(&mut self, x: f32, y: f32) {
        self.command('M', [[x, y]]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.command('L', [[x, y]]);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.command('Q', [[x1, y1], [x, y]]);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.command('C', [[x1, y1], [x2, y2], [x, y]]);
    }

    fn close(&mut self) {
        self.data.push('z');
    }
}

/// Breaks a text into lines no wider than `limit`, at spaces; a single longer word is cut with an ellipsis.
pub(crate) fn wrap(text: &str, size: f64, bold: bool, limit: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = shorten(word, size, bold, limit);
        if let Some(line) = lines.last_mut()
            && width(&format!("{line} {word}"), size, bold) <= limit
        {
            line.push(' ');
            line.push_str(&word);
        } else {
            lines.push(word);
        }
    }
    lines
}

/// Cuts a text so that it fits `limit`, with an ellipsis at its end.
pub(crate) fn shorten(text: &str, size: f64, bold: bool, limit: f64) -> String {
    if width(text, size, bold) <= limit {
        return text.to_owned();
    }
    let mut cut: String = text.to_owned();
    while cut.pop().is_some() {
        let candidate = format!("{}\u{2026}", cut.trim_end());
        if width(&candidate, size, bold) <= limit {
            return candidate;
        }
    }
    "\u{2026}".to_owned()
}

/// A whole number with separators between thousands.
pub(crate) fn count(number: usize) -> String {
    grouped(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // DejaVu's digits are 1303 of 2048 units wide, its bold ones 1425.
        assert_eq!([false, true].map(|bold| width("8", 2048.0, bold)), [1303.0, 1425.0]);
        assert_eq!(width("88", 12.0, false), 2.0 * 1303.0 * 12.0 / 2048.0);
        assert_eq!(width("", 12.0, false), 0.0);
    }

    #[test]
    fn outlines_are_closed_and_follow_each_other() {
        // A bar is a rectangle of four sides; the second one stands one advance further.
        let bar = outlines("|", false);
        assert_eq!((bar.matches('M').count(), bar.matches('L').count(), bar.matches('z').count()), (1, 4, 1));
        let two = outlines("||", false);
        let left = |path: &str| path[1..].split(' ').next().and_then(|x| x.parse::<f64>().ok()).unwrap();
        assert!(two.starts_with(&bar));
        assert_eq!(left(&two[bar.len()..]) - left(&bar), width("|", 2048.0, false));
        // A space has none, nor has a character that the font lacks.
        assert_eq!(outlines(" \u{4E00}", true), "");
    }

    #[test]
    fn lines_fit_and_lose_no_word() {
        let text = "one two three four five six seven";
        let lines = wrap(text, 12.0, false, 90.0);
        assert!(lines.len() > 1 && lines.iter().all(|line| width(line, 12.0, false) <= 90.0));
        assert_eq!(lines.join(" "), text);
        let cut = shorten("Donaudampfschifffahrt", 12.0, false, 60.0);
        assert!(cut.ends_with('\u{2026}') && width(&cut, 12.0, false) <= 60.0);
        assert_eq!(shorten("x", 12.0, false, 0.0), "\u{2026}");
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!(
            [0, 999, 1000, 26_000, 1_234_567].map(count),
            ["0", "999", "1,000", "26,000", "1,234,567"]
        );
    }
}
