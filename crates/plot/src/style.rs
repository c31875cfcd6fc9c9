//! What a caller may choose, and the measures that follow from it.

use sureness_analysis::Theme;

use crate::color::Palette;
use crate::text::{self, Weight};

/// How a chart is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Style {
    /// Light or dark.
    pub theme: Theme,
    /// Width of the drawing in pixels, from 120 to 10,000. The height follows from what is shown.
    /// A drawing narrower than 34 times the font size is laid out at that width and shrunk.
    pub width: f64,
    /// Size of ordinary text in pixels, from 4 to 100.
    pub font_size: f64,
    /// Whether the ground is painted. Without it a page shows through.
    pub background: bool,
    /// Whether title and caption are part of the picture. A page that has its own headings leaves
    /// them out; for those who cannot see the picture they are there in either case.
    pub heading: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            theme: Theme::Light,
            width: 720.0,
            font_size: 12.0,
            background: true,
            heading: true,
        }
    }
}

/// Width of the narrowest layout, in font sizes.
const NARROWEST: f64 = 34.0;

/// The measures that all parts of a drawing share.
pub(crate) struct Context {
    /// The colours.
    pub palette: &'static Palette,
    /// Size of ordinary text; the unit of all distances.
    pub em: f64,
    /// Size of tick labels, names and keys.
    pub small: f64,
    /// Width of the layout.
    pub width: f64,
    /// Width of the picture.
    pub shown_width: f64,
    /// Whether the ground is painted.
    pub background: bool,
    /// Whether title and caption are drawn.
    pub heading: bool,
    /// Suffix that keeps ids of both themes apart.
    pub theme_name: &'static str,
}

impl Context {
    pub(crate) fn new(style: &Style) -> Self {
        let within = |value: f64, low: f64, high: f64, otherwise: f64| {
            if value.is_finite() {
                value.clamp(low, high)
            } else {
                otherwise
            }
        };
        let default = Style::default();
        let em = within(style.font_size, 4.0, 100.0, default.font_size);
        let shown_width = within(style.width, 120.0, 10_000.0, default.width);
        Self {
            palette: Palette::of(style.theme),
            em,
            small: 0.92 * em,
            width: shown_width.max(NARROWEST * em),
            shown_width,
            background: style.background,
            heading: style.heading,
            theme_name: match style.theme {
                Theme::Light => "light",
                Theme::Dark => "dark",
            },
        }
    }

    /// Space around the drawing.
    pub(crate) fn margin(&self) -> f64 {
        self.em
    }

    /// The rightmost place for ink.
    pub(crate) fn right(&self) -> f64 {
        self.width - self.margin()
    }

    /// How wide a small text is.
    pub(crate) fn small_width(&self, words: &str) -> f64 {
        text::width(words, self.small, Weight::Regular)
    }

    /// Distance between the baselines of small texts that stand beneath each other.
    pub(crate) fn line(&self) -> f64 {
        1.3 * self.small
    }

    /// How far below its middle the baseline of a small text is.
    pub(crate) fn drop(&self) -> f64 {
        text::MIDDLE * self.small
    }
}
