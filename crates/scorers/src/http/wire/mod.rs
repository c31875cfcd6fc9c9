//! HTTP/1.1 without a socket: assembles responses from the pieces that arrive.
//!
//! The asynchronous and the blocking client share it, so that both treat responses, limits and
//! violations alike. It never waits, and holds no more memory than [`MAX_HEAD`] and [`MAX_BODY`]
//! allow, whatever a server sends.

mod head;
mod response;

pub(super) use head::KeptHeaders;
pub(super) use response::{Progress, Response, ResponseReader};

use crate::ScoreError;

/// The largest head of a response: status line and headers, interim responses included.
const MAX_HEAD: usize = 64 * 1024;
/// The largest body that is read. An answer with 100 log-probabilities has about 10 kB.
pub(super) const MAX_BODY: usize = 16 * 1024 * 1024;

/// Why bytes are not a valid response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum WireError {
    #[error("not an HTTP/1.1 response: {0}")]
    NotHttp(String),
    #[error("the answer's headers are larger than {} KiB", MAX_HEAD >> 10)]
    HeadTooLarge,
    #[error("the answer is larger than {} MiB", MAX_BODY >> 20)]
    BodyTooLarge,
    #[error("the answer's chunked encoding is invalid: {0}")]
    Chunks(&'static str),
    #[error("the answer's compression is invalid: {0}")]
    Compression(String),
    #[error("the connection was closed before the answer was complete")]
    Cut,
}

impl From<WireError> for ScoreError {
    fn from(error: WireError) -> Self {
        let message = error.to_string();
        match error {
            WireError::Cut => Self::Unreachable {
                message,
                connected: true,
            },
            _ => Self::Malformed { message },
        }
    }
}
