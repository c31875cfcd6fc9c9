//! Tables, CSV, JSON, Markdown and HTML of a run's figures.

mod columns;
mod csv;
pub mod html;
mod results;
pub mod score;
mod table;

pub use crate::csv::write_csv;
pub use results::{
    Endpoint, Failures, GroupResult, ModelResult, Noise, Phase, Results, TaskResult, Timing,
};
pub use table::{comparison_table, strategy_table, task_table};
