//! Output for people and programs: text, tables, progress, logs.

pub(crate) mod gate;
pub(crate) mod log;
pub(crate) mod output_format;
pub(crate) mod progress;
pub(crate) mod results;
pub(crate) mod settled;
mod signals;
pub(crate) mod terminal;
mod timing;
pub(crate) mod watcher;

pub(crate) use signals::{interrupts, stop_requested};
