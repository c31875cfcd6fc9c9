//! Axes: what part of the numbers is shown, where ticks are, and which pixel a value is at.

mod domain;
mod scale;
mod ticks;

pub(crate) use domain::{Domain, usable};
pub(crate) use scale::Scale;
pub(crate) use ticks::{Tick, ticks_that_fit};
