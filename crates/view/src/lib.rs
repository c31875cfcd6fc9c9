#![doc = include_str!("../README.md")]

mod folders;
mod jobs;
mod live;
mod pages;
mod query;
mod server;
mod site;

pub use server::View;

use std::path::PathBuf;
use std::time::Duration;

use sureness_bench::TaskData;
use sureness_bench::budget::Budget;

/// What is served, and where.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Output folders or stores; a folder without a store stands for the output folders in it.
    pub folders: Vec<PathBuf>,
    /// The host to listen on. Without one it is this machine alone (127.0.0.1), and addresses need no
    /// token.
    pub host: Option<String>,
    /// The port; 0 for any free one.
    pub port: u16,
    /// Data sets of tasks, where they are no longer where the runs found them.
    pub data: Vec<TaskData>,
    /// Prices of runs that do not record their cost.
    pub budget: Budget,
    /// How often a run under way is looked at, at the most.
    pub interval: Duration,
}

impl Default for Settings {
    /// No folder, on this machine alone, at any free port.
    fn default() -> Self {
        Self {
            folders: Vec::new(),
            host: None,
            port: 0,
            data: Vec::new(),
            budget: Budget::default(),
            interval: Duration::from_secs(1),
        }
    }
}
