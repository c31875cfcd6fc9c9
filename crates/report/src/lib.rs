#![doc = include_str!("../README.md")]

mod best;
mod csv;
pub mod export;
mod format;
pub mod html;
pub mod questions;
pub mod schema;

pub use crate::csv::{write_csv, write_scores};
pub use sureness_analysis::results::*;
