//! One request as it arrived.

use std::sync::Arc;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Counts the server's requests, from 1.
    pub number: u64,
    /// Counts the server's connections, from 1.
    pub connection: u64,
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Header names in lower case with their values. The value of `authorization` is left out.
    pub headers: Arc<[(String, String)]>,
    /// Whether a key came.
    pub key: Key,
    /// The prompts to score; none on other routes.
    pub prompts: Arc<[Arc<str>]>,
    /// How often the first prompt was asked before.
    pub repeats: u64,
}

/// Whether a key came with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// None did.
    Absent,
    /// The one that the server wants; any, if it wants none.
    Right,
    /// Another one.
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

    /// What tells this request from others with other prompts.
    pub(crate) fn text(&self) -> String {
        if self.prompts.is_empty() {
            return format!("{} {} {}", self.method, self.path, self.number);
        }
        self.prompts.join("\0")
    }
}
