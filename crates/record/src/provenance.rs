//! When and by which command something was written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When and by which command a file was written. No secrets. It differs each time, so that
/// comparisons of files leave it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// When the command started, in UTC, such as `2026-03-01T12:00:00Z`.
    pub date: String,
    /// Version of the program.
    pub version: String,
    /// The command line, quoted for a shell, with `***` in place of secrets; missing where a program
    /// used the library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}
