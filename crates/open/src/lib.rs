#![doc = include_str!("../README.md")]

mod figures;
mod intervals;
mod joined;
mod meanings;
mod normal;
mod promise;
mod set_intervals;
mod sets;
mod sign_intervals;

pub use figures::{Item, OpenFigures, Sign, SignPoint, evaluate, signs};
pub use intervals::{Ends, OpenIntervals};
pub use joined::{Joined, Joining, Verdict, join};
pub use meanings::{Answer, Meaning, Meanings};
pub use normal::normalised;
pub use sets::{OpenSets, calibrated, least_error_rate, split_items};
pub use sign_intervals::{LEAST_SIGN_CLUSTERS, SignIntervals};
