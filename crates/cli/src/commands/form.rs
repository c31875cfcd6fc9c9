//! `--output` of commands that tell something, to people or to programs.

use clap::ValueEnum;
use serde::Serialize;

use crate::error::CliError;
use crate::terminal;

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
    ) -> Result<(), CliError> {
        let text = match self {
            Self::Text => text(told),
            Self::Json => {
                let json = serde_json::to_string_pretty(told).map_err(|e| {
                    CliError::input(format!("cannot write the answer as JSON: {e}"))
                })?;
                format!("{json}\n")
            }
        };
        terminal::print(&text)
    }
}
