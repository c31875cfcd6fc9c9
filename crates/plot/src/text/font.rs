//! The font that drawings are measured with, and that pixels are drawn with.

use std::sync::LazyLock;

use ttf_parser::Face;
use unicode_width::UnicodeWidthChar;

/// The regular font.
pub(crate) static REGULAR: &[u8] = include_bytes!("../../assets/Arimo-Regular.ttf");
/// The bold font.
pub(crate) static BOLD: &[u8] = include_bytes!("../../assets/Arimo-Bold.ttf");

/// From the baseline up to the middle of a capital letter, in font sizes. Arimo's capitals are
/// 0.716 high.
pub(crate) const MIDDLE: f64 = 0.358;

/// Width of a narrow glyph that the font does not have, in font sizes; as wide as its stand-in.
const UNKNOWN: f64 = 0.75;

/// Regular or bold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

static FACES: LazyLock<[Option<Face<'static>>; 2]> =
    LazyLock::new(|| [REGULAR, BOLD].map(|data| Face::parse(data, 0).ok()));

/// How wide a text is, without kerning: a pixel too wide rather than too narrow. Glyphs that only
/// other fonts have are guessed: as wide as high where East Asian, narrower otherwise.
pub(crate) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let face = match weight {
        Weight::Regular => &FACES[0],
        Weight::Bold => &FACES[1],
    };
    text.chars().map(|c| advance(c, face.as_ref())).sum::<f64>() * size
}

fn advance(c: char, face: Option<&Face<'_>>) -> f64 {
    let known = face.and_then(|face| {
        let units = face.glyph_hor_advance(face.glyph_index(c)?)?;
        Some(f64::from(units) / f64::from(face.units_per_em()))
    });
    known.unwrap_or_else(|| match c.width() {
        Some(0) => 0.0,
        Some(2) => 1.0,
        _ => UNKNOWN,
    })
}

/// Whether the bundled font has all letters of a text.
#[cfg(any(feature = "png", test))]
pub(crate) fn covers(text: &str) -> bool {
    FACES[0].as_ref().is_some_and(|face| {
        text.chars()
            .all(|c| c.is_control() || face.glyph_index(c).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_arial() {
        // Arial's own advances: A 1366, space 569, i 455, of 2048 units.
        for (text, units) in [("A", 1366.0), (" ", 569.0), ("i", 455.0)] {
            let expected = units / 2048.0;
            assert!((width(text, 1.0, Weight::Regular) - expected).abs() < 1e-9);
        }
        assert!(width("Aii", 10.0, Weight::Bold) > width("Aii", 10.0, Weight::Regular));
    }

    #[test]
    fn what_drawings_write_themselves_is_in_the_font() {
        let own = "ABCXYZabcxyz0123456789.,:;%+−–—…≤≥<>=±×·()[]/α λ’“”";
        assert!(covers(own));
        assert!(covers("Модель Ελληνικά Größe łódź"));
        assert!(!covers("千问"));
    }

    #[test]
    fn letters_of_other_fonts_have_room() {
        assert!((width("千问", 1.0, Weight::Regular) - 2.0).abs() < 1e-9);
        assert!(width("\u{0915}", 1.0, Weight::Regular) > 0.5);
    }
}
