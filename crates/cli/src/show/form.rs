//! `--output` of commands that tell something, to people or to programs.

use clap::ValueEnum;
use serde::Serialize;
use sureness_bench::Failure;

use super::terminal;

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Lines for people
    Text,
    /// One JSON object
    Json,
}

impl Form {
    /// Prints `told`, for people as `text` writes it.
    pub(crate) fn print<T: Serialize>(
        self,
        told: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let text = match self {
            Self::Text => text(told),
            Self::Json => {
                let json = serde_json::to_string_pretty(told)
                    .map_err(|e| Failure::new(format!("cannot write the answer as JSON: {e}")))?;
                format!("{json}\n")
            }
        };
        terminal::print(&text)
    }
}
