//! `--output` of commands that print text or JSON.

use clap::ValueEnum;
use serde::Serialize;
use sureness_bench::Failure;

use super::terminal;

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Plain text
    Text,
    /// One JSON object
    Json,
}

impl OutputFormat {
    /// Prints a value, as text by means of `text`.
    pub(crate) fn print<T: Serialize>(
        self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let text = match self {
            Self::Text => text(value),
            Self::Json => {
                let json = serde_json::to_string_pretty(value)
                    .map_err(|e| Failure::new(format!("cannot encode the output as JSON: {e}")))?;
                format!("{json}\n")
            }
        };
        terminal::print(&text)
    }
}
