//! Fonts and text: measuring, breaking and outlines.

use std::sync::OnceLock;

use ab_glyph::{Font as _, FontRef, PxScale, ScaleFont as _};

/// What SVG viewers are asked for. Figures are laid out with the first, one of the widest common fonts, so that another
/// one still fits.
pub(crate) const FAMILY: &str = "DejaVu Sans, Verdana, Arial, sans-serif";

static REGULAR: &[u8] = include_bytes!("../../assets/DejaVuSans.ttf");
static BOLD: &[u8] = include_bytes!("../../assets/DejaVuSans-Bold.ttf");

fn font(bold: bool) -> &'static FontRef<'static> {
    static FONTS: OnceLock<[FontRef<'static>; 2]> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        [REGULAR, BOLD].map(|bytes| FontRef::try_from_slice(bytes).expect("the embedded fonts are whole"))
    });
    &fonts[usize::from(bold)]
}

/// `ab_glyph` measures a size from ascender to descender, SVG by the em.
fn scale(font: &FontRef<'_>, size: f64) -> PxScale {
    let units = font.units_per_em().unwrap_or(font.height_unscaled());
    PxScale::from(size as f32 * font.height_unscaled() / units)
}

/// Width of a line of text in pixels.
pub(crate) fn width(text: &str, size: f64, bold: bool) -> f64 {
    let mut end = 0.0;
    glyphs(text, size, bold, |_, _, after| end = after);
    end
}

/// Calls `visit` with each glyph, where it starts and where the next one would start.
fn glyphs(text: &str, size: f64, bold: bool, mut visit: impl FnMut(ab_glyph::GlyphId, f64, f64)) {
    let scaled = font(bold).as_scaled(scale(font(bold), size));
    let mut x = 0.0;
    let mut previous = None;
    for character in text.chars() {
        let glyph = scaled.glyph_id(character);
        x += previous.map_or(0.0, |previous| f64::from(scaled.kern(previous, glyph)));
        let next = x + f64::from(scaled.h_advance(glyph));
        visit(glyph, x, next);
        x = next;
        previous = Some(glyph);
    }
}

/// Calls `paint` with every pixel that the text covers, relative to the start of its baseline, and how much of it.
pub(crate) fn paint(text: &str, size: f64, bold: bool, mut paint: impl FnMut(i32, i32, f32)) {
    let font = font(bold);
    let scale = scale(font, size);
    glyphs(text, size, bold, |glyph, x, _| {
        let placed = glyph.with_scale_and_position(scale, ab_glyph::point(x as f32, 0.0));
        if let Some(outline) = font.outline_glyph(placed) {
            let corner = outline.px_bounds().min;
            outline.draw(|x, y, cover| paint(corner.x as i32 + x as i32, corner.y as i32 + y as i32, cover));
        }
    });
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
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fonts_measure_what_they_paint() {
        for bold in [false, true] {
            let measured = width("Wide open spaces", 20.0, bold);
            let (mut left, mut right) = (i32::MAX, i32::MIN);
            paint("Wide open spaces", 20.0, bold, |x, _, cover| {
                if cover > 0.0 {
                    left = left.min(x);
                    right = right.max(x);
                }
            });
            assert!((f64::from(right - left) - measured).abs() < 4.0, "{measured} {left} {right}");
        }
        // DejaVu's digits are 1303 of 2048 units wide.
        assert!((width("8", 2048.0, false) - 1303.0).abs() < 1.0);
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
