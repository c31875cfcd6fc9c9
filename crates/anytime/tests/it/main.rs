//! The guarantees of the crate, simulated: everything must hold at all times at once.

mod bounded;
mod laws;
mod narrow;
mod settle;
