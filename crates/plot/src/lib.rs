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
mod png;
mod style;
mod text;

pub use kinds::svg;
pub use png::{PlotError, png};
pub use style::Style;
