//! Pixels.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb};
use sureness_analysis::Chart;

use crate::kinds::svg;
use crate::style::Style;
use crate::text;

/// The most pixels of a picture: 400 MB of memory while it is drawn.
const MAX_PIXELS: f64 = 1e8;

/// Why a chart cannot be drawn as PNG.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The picture would have no pixels, or more than fit into memory.
    #[error(
        "a picture of {width:.0} × {height:.0} pixels cannot be drawn; choose another scale or width"
    )]
    Size {
        /// Width in pixels.
        width: f64,
        /// Height in pixels.
        height: f64,
    },
    /// The drawing was not understood.
    #[error("the chart's SVG cannot be read: {0}")]
    Svg(#[from] usvg::Error),
    /// The pixels could not be written as PNG.
    #[error("the picture cannot be written as PNG: {0}")]
    Encode(String),
}

/// Draws a chart as PNG, with `scale` pixels for each pixel of [`Style::width`]; 3 or more for
/// print.
///
/// Letters come from the font that is part of this crate. Only for letters that it does not have,
/// such as Chinese ones, fonts of the system are looked for.
pub fn png(chart: &Chart, style: &Style, scale: f32) -> Result<Vec<u8>, PlotError> {
    let drawing = svg(chart, style);
    let fonts = if text::covers(&drawing) { &*OWN } else { &*ALL };
    let options = usvg::Options {
        fontdb: Arc::clone(fonts),
        font_family: FAMILY.to_owned(),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(&drawing, &options)?;
    let width = (f64::from(tree.size().width()) * f64::from(scale)).round();
    // Rounded down, so that the last row of pixels is covered as a whole.
    let height = (f64::from(tree.size().height()) * f64::from(scale)).floor();
    // A scale that is no number fails here, too.
    let drawable = width >= 1.0 && height >= 1.0 && width * height <= MAX_PIXELS;
    let wrong = PlotError::Size { width, height };
    if !drawable {
        return Err(wrong);
    }
    let mut pixels = Pixmap::new(width as u32, height as u32).ok_or(wrong)?;
    let transform = Transform::from_scale(scale, scale);
    resvg::render(&tree, transform, &mut pixels.as_mut());
    pixels
        .encode_png()
        .map_err(|error| PlotError::Encode(error.to_string()))
}

const FAMILY: &str = "Arimo";

static OWN: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| Arc::new(own()));
static ALL: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = own();
    fonts.load_system_fonts();
    fonts.set_sans_serif_family(FAMILY);
    Arc::new(fonts)
});

fn own() -> fontdb::Database {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_source(fontdb::Source::Binary(Arc::new(text::REGULAR)));
    fonts.load_font_source(fontdb::Source::Binary(Arc::new(text::BOLD)));
    fonts.set_sans_serif_family(FAMILY);
    fonts
}

#[cfg(test)]
mod tests {
    use sureness_analysis::ChartKind;

    use super::*;

    fn chart(title: &str) -> Chart {
        Chart {
            id: "empty".to_owned(),
            title: title.to_owned(),
            caption: String::new(),
            kind: ChartKind::Reliability { bins: Vec::new() },
        }
    }

    #[test]
    fn letters_are_drawn_without_any_font_of_the_system() {
        let dark = |title: &str| {
            let png = png(&chart(title), &Style::default(), 1.0).unwrap();
            let pixels = Pixmap::decode_png(&png).unwrap();
            assert_eq!(pixels.width(), 720);
            pixels
                .pixels()
                .iter()
                .filter(|pixel| pixel.red() < 100)
                .count()
        };
        assert!(dark("Coverage and set size of eight models") > dark("") + 300);
    }

    #[test]
    fn impossible_sizes_are_refused() {
        for scale in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e6] {
            let result = png(&chart("A"), &Style::default(), scale);
            assert!(matches!(result, Err(PlotError::Size { .. })), "{scale}");
        }
    }
}
