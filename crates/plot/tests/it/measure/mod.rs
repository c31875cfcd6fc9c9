//! Where texts of a drawing are, measured apart from the code that placed them.
#![allow(
    missing_docs,
    dead_code,
    reason = "shared by several tests, none of which uses it all"
)]

use roxmltree::{Document, Node};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

/// How far letters reach above and below the baseline, in font sizes.
const ABOVE: f64 = 0.74;
const BELOW: f64 = 0.22;

/// A text with its four corners, which need not be level.
#[derive(Debug, Clone)]
pub(crate) struct Area {
    pub(crate) words: String,
    pub(crate) corners: [(f64, f64); 4],
}

pub(crate) fn number(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name)
        .map_or(0.0, |value| value.parse().unwrap_or(f64::NAN))
}

pub(crate) fn view_box(document: &Document<'_>) -> (f64, f64) {
    let numbers: Vec<f64> = document
        .root_element()
        .attribute("viewBox")
        .unwrap()
        .split(' ')
        .map(|number| number.parse().unwrap())
        .collect();
    (numbers[2], numbers[3])
}

pub(crate) fn texts(document: &Document<'_>) -> Vec<Area> {
    document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .map(area)
        .collect()
}

fn area(node: Node<'_, '_>) -> Area {
    let words = node.text().unwrap_or_default().to_owned();
    let size = number(node, "font-size");
    let (x, y) = (number(node, "x"), number(node, "y"));
    let wide = width(&words, size, node.attribute("font-weight") == Some("bold"));
    let left = match node.attribute("text-anchor") {
        Some("middle") => x - wide / 2.0,
        Some("end") => x - wide,
        _ => x,
    };
    let turn = node.attribute("transform").map_or(0.0, |transform| {
        let degrees = transform.trim_start_matches("rotate(").split(' ').next();
        degrees.unwrap().parse::<f64>().unwrap().to_radians()
    });
    let (top, bottom) = (y - ABOVE * size, y + BELOW * size);
    let corners = [
        (left, top),
        (left + wide, top),
        (left + wide, bottom),
        (left, bottom),
    ];
    Area {
        words,
        corners: corners.map(|(a, b)| {
            let (dx, dy) = (a - x, b - y);
            (
                x + dx * turn.cos() - dy * turn.sin(),
                y + dx * turn.sin() + dy * turn.cos(),
            )
        }),
    }
}

fn face(bold: bool) -> FontRef<'static> {
    let data: &[u8] = if bold {
        include_bytes!("../../../assets/Arimo-Bold.ttf")
    } else {
        include_bytes!("../../../assets/Arimo-Regular.ttf")
    };
    FontRef::new(data).unwrap()
}

/// Chinese, Japanese and Korean letters, which are squares in every font.
fn square(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// Whether it is known how wide a text is: other scripts depend on the viewer's fonts.
pub(crate) fn measurable(words: &str) -> bool {
    let face = face(false);
    words
        .chars()
        .all(|c| square(c) || face.charmap().map(c).is_some())
}

fn width(words: &str, size: f64, bold: bool) -> f64 {
    let face = face(bold);
    let (size_of_em, location) = (Size::unscaled(), LocationRef::default());
    let advances = face.glyph_metrics(size_of_em, location);
    let em = f64::from(face.metrics(size_of_em, location).units_per_em);
    let units: f64 = words
        .chars()
        .map(|c| match face.charmap().map(c) {
            Some(glyph) => f64::from(advances.advance_width(glyph).unwrap()) / em,
            None if square(c) => 1.0,
            None => 0.0,
        })
        .sum();
    units * size
}

impl Area {
    pub(crate) fn inside(&self, (width, height): (f64, f64)) -> bool {
        self.corners
            .iter()
            .all(|(x, y)| (-0.05..=width + 0.05).contains(x) && (-0.05..=height + 0.05).contains(y))
    }

    /// Whether two overlap: no line separates them (the separating axis theorem).
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let sides = |area: &Self| {
            let [a, b, _, d] = area.corners;
            [(b.0 - a.0, b.1 - a.1), (d.0 - a.0, d.1 - a.1)]
        };
        let axes = sides(self).into_iter().chain(sides(other));
        axes.filter(|(x, y)| x.hypot(*y) > 0.0).all(|axis| {
            let ((low, high), (start, end)) = (self.along(axis), other.along(axis));
            low + 0.05 < end && start + 0.05 < high
        })
    }

    /// Whether a place lies in it.
    pub(crate) fn holds(&self, place: (f64, f64)) -> bool {
        let point = Self {
            words: String::new(),
            corners: [
                (place.0 - 0.2, place.1 - 0.2),
                (place.0 + 0.2, place.1 - 0.2),
                (place.0 + 0.2, place.1 + 0.2),
                (place.0 - 0.2, place.1 + 0.2),
            ],
        };
        self.overlaps(&point)
    }

    fn along(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let length = x.hypot(y);
        self.corners
            .iter()
            .map(|(a, b)| (a * x + b * y) / length)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), place| {
                (low.min(place), high.max(place))
            })
    }
}
