//! One request as it arrived.

use std::sync::Arc;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Number of the request, from 1.
    pub number: u64,
    /// Number of the connection, from 1.
    pub connection: u64,
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Header names in lower case with their values. The value of `authorization` is empty.
    pub headers: Arc<[(String, String)]>,
    /// Whether the request has a key.
    pub key: Key,
    /// The prompts to score; empty on other routes.
    pub prompts: Arc<[Arc<str>]>,
    /// Number of earlier requests for the first prompt.
    pub repeats: u64,
}

/// The key of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// No key.
    Absent,
    /// The server's key, or any key if the server requires none.
    Right,
    /// Another key.
    Wrong,
}

impl Asked {
    /// Whether it asks for scores.
    pub fn scores(&self) -> bool {
        !self.prompts.is_empty()
    }

    /// The value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Identifies the prompts, or the request itself where it has none.
    pub(crate) fn text(&self) -> String {
        if self.prompts.is_empty() {
            return format!("{} {} {}", self.method, self.path, self.number);
        }
        self.prompts.join("\0")
    }
}
