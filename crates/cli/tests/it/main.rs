//! The command line from outside, with real servers in real processes.

mod analyze;
mod command;
mod data;
mod data_files;
mod data_hub;
mod data_told;
mod doubts;
mod fleet;
mod import;
mod import_exchanges;
mod import_harnesses;
mod import_whole;
mod metrics;
mod model;
mod open;
mod plan;
mod run;
mod runs;
mod sampled;
mod score;
mod several_right;
mod shards;
mod tables;
mod unread;
mod ways;
