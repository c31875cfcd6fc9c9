//! Where labels go, so that none lies over another.

mod geometry;
mod labels;
mod spread;

pub(crate) use geometry::{Rect, clip};
pub(crate) use labels::{Placed, Wanted, place};
pub(crate) use spread::spread;
