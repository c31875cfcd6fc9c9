//! Tables, CSV, JSON and Markdown of a run's figures; documents in every format, the HTML
//! page among them; and the answers themselves as Parquet.

mod best;
mod columns;
mod csv;
pub mod export;
pub mod format;
pub mod html;
pub mod questions;
mod results;
pub mod schema;
pub mod score;
mod table;
mod theme;

pub use crate::csv::write_csv;
pub use results::{
    AnsweredAt, Endpoint, Failures, GroupResult, IntervalOr, Intervals, ModelResult, Noise, Phase,
    Recheck, RecheckOutcome, Results, TaskResult, Timing,
};
pub use table::{comparison_table, strategy_table, task_table};
pub use theme::Theme;
