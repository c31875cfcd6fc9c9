#![doc = include_str!("../README.md")]

mod figures;
mod intervals;
mod meanings;
mod normal;
mod promise;
mod sets;

pub use figures::{Item, OpenFigures, Sign, SignPoint, evaluate, signs};
pub use intervals::{Ends, OpenIntervals};
pub use meanings::{Answer, Meaning, Meanings};
pub use normal::normalised;
pub use sets::{OpenSets, least_error_rate};
