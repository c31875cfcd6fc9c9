#![doc = include_str!("../README.md")]

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
#[cfg(feature = "png")]
mod png;
mod style;
mod text;

pub use kinds::svg;
#[cfg(feature = "png")]
pub use png::{PlotError, png};
pub use style::Style;
