//! The command line from outside, with real servers in real processes.

mod analyze;
mod data;
mod fleet;
mod import;
mod metrics;
mod model;
mod plan;
mod run;
mod score;
mod shards;
mod unread;
