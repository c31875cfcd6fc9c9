//! Draws the charts of `sureness-analysis` as SVG and PNG.
//!
//! A [`Chart`](sureness_analysis::Chart) says what is shown; here it is decided where every mark
//! and every word goes. [`svg`] gives the drawing as text, [`png()`] as pixels. Both look the same:
//! the pixels are made from the text, with the font that the layout was measured with.
//!
//! The font is Arimo, whose glyphs are as wide as those of Arial, Helvetica and Liberation Sans.
//! An SVG names all of these, so that the layout holds wherever one of them is installed. A wider
//! font is met by the space that is kept around labels.

mod axis;
mod canvas;
mod color;
mod heading;
mod kinds;
mod legend;
mod marks;
mod number;
mod panel;
mod place;
mod png;
mod style;
mod text;

pub use kinds::svg;
pub use png::{PlotError, png};
pub use style::{Style, Theme};
