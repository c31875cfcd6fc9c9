//! HTTP/1.1 without a socket: bytes of a request out, a response put together from whatever
//! pieces arrive.
//!
//! The asynchronous and the blocking transport share all of it, so that both mean the same by a
//! response, by its limits and by every way in which it can be broken. Nothing here waits, and
//! no more memory is held than [`MAX_HEAD`] and [`MAX_BODY`] allow, whatever a server sends.

mod body;
mod head;
mod response;

pub(super) use head::Notes;
pub(super) use response::{Progress, Response, ResponseReader};

use crate::ScoreError;

/// The largest head of a response: status line and headers, those before it included.
const MAX_HEAD: usize = 64 * 1024;
/// The largest body that is read. An answer with 100 log-probabilities has about 10 kB.
pub(super) const MAX_BODY: usize = 16 * 1024 * 1024;

/// Why bytes are no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum WireError {
    #[error("what came is no HTTP/1.1 response: {0}")]
    NotHttp(String),
    #[error("the answer's headers are larger than {} KiB", MAX_HEAD >> 10)]
    HeadTooLarge,
    #[error("the answer is larger than {} MiB", MAX_BODY >> 20)]
    BodyTooLarge,
    #[error("the answer's chunks are broken: {0}")]
    Chunks(&'static str),
    #[error("the answer's compression is broken: {0}")]
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

/// A request's bytes, for one write.
pub(super) fn request(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len().to_string();
    let parts = [
        head.as_bytes(),
        b"content-length: ",
        length.as_bytes(),
        b"\r\n\r\n",
        body,
    ];
    parts.concat()
}
