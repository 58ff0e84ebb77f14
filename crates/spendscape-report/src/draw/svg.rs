//! A scene as SVG.
//!
//! Written here and not by a plotting library: dots of one color are one path (an eighth of the bytes of an element each), and
//! groups, title and description say what is shown.

use std::fmt::Write as _;

use super::{
    palette::Mark,
    scene::{Anchor, Point, Role, Scene, Shape, Stroke, Text},
    text,
};

/// How text is written.
#[derive(Debug, Clone, Copy)]
enum Letters {
    /// As text in a font of the viewer, which can be read, searched and copied.
    Text,
    /// As outlines of the crate's own font, the same on every machine.
    Outlines,
}

/// The scene as a standalone document.
pub(crate) fn document(scene: &Scene) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", element(scene, "figure"))
}

/// The scene as an element to stand in a page; `id` makes the ids of its title and description unique.
pub(crate) fn element(scene: &Scene, id: &str) -> String {
    write(scene, id, Letters::Text)
}

/// The scene as an element whose text is drawn, for a painter without fonts.
pub(crate) fn outlined(scene: &Scene) -> String {
    write(scene, "figure", Letters::Outlines)
}

fn write(scene: &Scene, id: &str, letters: Letters) -> String {
    let (width, height) = (number(scene.width), number(scene.height));
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" font-family=\"{}\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#FFFFFF\"/>\n",
        text::FAMILY,
        escape(&scene.title),
        escape(&scene.description),
    );
    let mut current: Option<&Role> = None;
    for (role, shape) in &scene.shapes {
        if current != Some(role) {
            out.push_str(if current.is_some() { "</g>\n" } else { "" });
            let label = role.label.as_ref().map(|label| format!(" data-trait=\"{}\"", escape(label)));
            let _ = writeln!(out, "<g class=\"{}\"{}>", role.class, label.unwrap_or_default());
            current = Some(role);
        }
        write_shape(&mut out, shape, letters);
    }
    out.push_str(if current.is_some() { "</g>\n</svg>\n" } else { "</svg>\n" });
    out
}

fn write_shape(out: &mut String, shape: &Shape, letters: Letters) {
    let _ = match shape {
        Shape::Line { points, stroke } => {
            writeln!(out, "<polyline points=\"{}\" fill=\"none\" {}/>", list(points), attributes(stroke))
        }
        Shape::Area { points, fill } => {
            writeln!(out, "<polygon points=\"{}\" fill=\"{}\"/>", list(points), fill.hex())
        }
        Shape::Dots { points, radius, color, mark } => {
            let path: String = points.iter().map(|point| mark_path(*point, *radius, *mark)).collect();
            let (color, width) = (color.hex(), number(2.0 * radius));
            match mark {
                // A dot is a stroke of no length with a round end: a third of the bytes of a circle.
                Mark::Disc => writeln!(
                    out,
                    "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" stroke-linecap=\"round\"/>"
                ),
                Mark::Cross => writeln!(
                    out,
                    "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{}\" stroke-linecap=\"round\"/>",
                    number(cross_width(*radius))
                ),
                _ => writeln!(out, "<path d=\"{path}\" fill=\"{color}\"/>"),
            }
        }
        Shape::Circle { center, radius, fill, outline } => writeln!(
            out,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\" {}/>",
            number(center[0]),
            number(center[1]),
            number(*radius),
            fill.hex(),
            attributes(outline)
        ),
        Shape::Text(text) => match letters {
            Letters::Text => write_text(out, text),
            Letters::Outlines => write_outlines(out, text),
        },
    };
}

/// Width of the strokes of a cross with this radius.
fn cross_width(radius: f64) -> f64 {
    (0.45 * radius).max(1.0)
}

fn mark_path(at: Point, radius: f64, mark: Mark) -> String {
    let outline = |corners: &[Point]| {
        let corners: Vec<String> =
            corners.iter().map(|c| format!("{} {}", number(c[0]), number(c[1]))).collect();
        format!("M{}z", corners.join("L"))
    };
    match mark {
        Mark::Disc => format!("M{} {}h.01", number(at[0]), number(at[1])),
        Mark::Cross => {
            let d = number(2.0 * radius);
            let (x, y) = (number(at[0] - radius), number(at[1] - radius));
            // One M per cross: the second stroke starts relative to the end of the first.
            format!("M{x} {y}l{d} {d}m0 -{d}l-{d} {d}")
        }
        _ => outline(&corners(at, radius, mark)),
    }
}

/// The corners of a filled mark, of about the area of the disc with this radius.
fn corners([x, y]: Point, radius: f64, mark: Mark) -> Vec<Point> {
    match mark {
        Mark::Square => {
            let r = 0.9 * radius;
            vec![[x - r, y - r], [x + r, y - r], [x + r, y + r], [x - r, y + r]]
        }
        Mark::Triangle => {
            let r = 1.3 * radius;
            vec![[x, y - r], [x + 0.87 * r, y + 0.5 * r], [x - 0.87 * r, y + 0.5 * r]]
        }
        _ => {
            let r = 1.25 * radius;
            vec![[x, y - r], [x + r, y], [x, y + r], [x - r, y]]
        }
    }
}

fn write_text(out: &mut String, text: &Text) -> std::fmt::Result {
    let (x, y) = (number(text.at[0]), number(text.at[1]));
    let anchor = match text.anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let weight = if text.bold { " font-weight=\"bold\"" } else { "" };
    let turn = if text.upward { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
    writeln!(
        out,
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" fill=\"{}\"{anchor}{weight}{turn}>{}</text>",
        number(text.size),
        text.color.hex(),
        escape(&text.content)
    )
}

fn write_outlines(out: &mut String, text: &Text) -> std::fmt::Result {
    let before = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => 0.5,
        Anchor::End => 1.0,
    };
    writeln!(
        out,
        "<path transform=\"translate({} {}){} scale({}) translate({})\" fill=\"{}\" d=\"{}\"/>",
        number(text.at[0]),
        number(text.at[1]),
        if text.upward { " rotate(-90)" } else { "" },
        text::unit(text.size, text.bold),
        -before * text::width(&text.content, 1.0 / text::unit(1.0, text.bold), text.bold),
        text.color.hex(),
        text::outlines(&text.content, text.bold)
    )
}

fn attributes(stroke: &Stroke) -> String {
    let mut text = format!(
        "stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\" stroke-linecap=\"round\"",
        stroke.color.hex(),
        number(stroke.width)
    );
    if !stroke.dash.is_empty() {
        let lengths: Vec<String> = stroke.dash.iter().map(|length| number(*length)).collect();
        let _ = write!(text, " stroke-dasharray=\"{}\"", lengths.join(" "));
    }
    text
}

fn list(points: &[Point]) -> String {
    let points: Vec<String> = points.iter().map(|p| format!("{},{}", number(p[0]), number(p[1]))).collect();
    points.join(" ")
}

/// A coordinate to a tenth of a pixel, finer than anyone sees.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Text that may stand in an element or an attribute; characters that XML does not allow are replaced.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([1.0, 0.25, -0.04, 12.34, -3.0].map(number), ["1", "0.2", "0", "12.3", "-3"]);
    }

    #[test]
    fn labels_cannot_break_out_of_the_document() {
        assert_eq!(escape("<b> & \"c\"\u{1}"), "&lt;b&gt; &amp; &quot;c&quot;\u{FFFD}");
    }
}
