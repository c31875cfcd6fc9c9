//! How wide words are, and how they are made to fit.

mod fit;
mod font;

pub(crate) use fit::{clean, shorten, shorten_all, wrap};
#[cfg(feature = "png")]
pub(crate) use font::{BOLD, REGULAR, covers};
pub(crate) use font::{MIDDLE, Weight, width};
