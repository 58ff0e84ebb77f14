//! Colors, marks and dashes: one look per trait, the same in every figure.

/// An opaque color. Nothing is drawn with transparency, so that a color in a figure is exactly one of the legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Color(pub(crate) u8, pub(crate) u8, pub(crate) u8);

impl Color {
    /// As written in SVG.
    pub(crate) fn hex(self) -> String {
        format!("#{:02X}{:02X}{:02X}", self.0, self.1, self.2)
    }

    /// Mixed with `white` parts of white in 1.
    pub(crate) fn tint(self, white: f64) -> Self {
        let mix = |channel: u8| (f64::from(channel) * (1.0 - white) + 255.0 * white).round() as u8;
        Self(mix(self.0), mix(self.1), mix(self.2))
    }
}

pub(crate) const WHITE: Color = Color(255, 255, 255);
/// Text and outlines.
pub(crate) const INK: Color = Color(0x22, 0x22, 0x22);
/// Secondary text.
pub(crate) const MUTED: Color = Color(0x5F, 0x5F, 0x5F);
/// Frames of plots.
pub(crate) const FRAME: Color = Color(0x9A, 0x9A, 0x9A);
/// Grid lines.
pub(crate) const GRID: Color = Color(0xE2, 0xE2, 0xE2);
/// The walls behind a plot in three dimensions.
pub(crate) const WALL: Color = Color(0xF8, 0xF8, 0xF8);
/// Dots of customers who are not in question.
pub(crate) const REST: Color = Color(0xD2, 0xD2, 0xD2);

/// The eight colors of Okabe and Ito (2008), which people with any common color vision can tell apart; ordered so that
/// the first five differ most, yellow (weak on white) last.
pub(crate) const OKABE_ITO: [Color; 8] = [
    Color(0xE6, 0x9F, 0x00),
    Color(0x00, 0x72, 0xB2),
    Color(0x00, 0x9E, 0x73),
    Color(0xCC, 0x79, 0xA7),
    Color(0xD5, 0x5E, 0x00),
    Color(0x56, 0xB4, 0xE9),
    Color(0x00, 0x00, 0x00),
    Color(0xF0, 0xE4, 0x42),
];

/// The shape of a dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Disc,
    Square,
    Triangle,
    Diamond,
    Cross,
}

/// Marks of traits; a new one each time the colors start again.
const MARKS: [Mark; 4] = [Mark::Disc, Mark::Square, Mark::Triangle, Mark::Diamond];

/// Lengths of dashes and gaps in pixels; none for a solid line.
pub(crate) type Dash = &'static [f64];

pub(crate) const SOLID: Dash = &[];
/// Lines of the short window.
pub(crate) const SHORT_DASH: Dash = &[5.0, 3.0];
const DASHES: [Dash; 4] = [SOLID, &[9.0, 3.0], &[3.0, 2.5], &[9.0, 3.0, 2.0, 3.0]];

/// How one trait looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Look {
    pub(crate) color: Color,
    pub(crate) mark: Mark,
    pub(crate) dash: Dash,
}

/// The look of the trait with this index.
pub(crate) fn look(index: usize) -> Look {
    let round = index / OKABE_ITO.len();
    Look {
        color: OKABE_ITO[index % OKABE_ITO.len()],
        mark: MARKS[round % MARKS.len()],
        dash: DASHES[round % DASHES.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_differ_up_to_thirty_two_traits() {
        let looks: Vec<Look> = (0..32).map(look).collect();
        for (at, one) in looks.iter().enumerate() {
            assert!(looks[..at].iter().all(|other| other != one), "{at}");
        }
    }
}
