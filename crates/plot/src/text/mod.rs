//! How wide words are, and how they are made to fit.

mod fit;
mod font;

pub(crate) use fit::{clean, shorten, shorten_all, wrap};
pub(crate) use font::{BOLD, MIDDLE, REGULAR, Weight, covers, width};
