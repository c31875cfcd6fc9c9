//! A response, put together piece by piece.

use super::body::{Chunks, gunzip};
use super::head::{Framing, Head, Notes, read};
use super::{MAX_BODY, MAX_HEAD, WireError};

/// A head of this size is read as often as bytes arrive, to tell at once what is no response.
const SHORT_HEAD: usize = 1024;

/// A complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Response {
    pub(in crate::http) status: u16,
    pub(in crate::http) notes: Notes,
    pub(in crate::http) body: Vec<u8>,
    /// Whether the connection can take another request.
    pub(in crate::http) keep_alive: bool,
}

impl Response {
    pub(in crate::http) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Whether a response is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Progress {
    More,
    Done,
}

/// Puts one response together. Append what arrives to [`Self::buffer`], then call
/// [`Self::advance`].
#[derive(Debug, Default)]
pub(in crate::http) struct ResponseReader {
    buffer: Vec<u8>,
    /// Set once the head is complete; the buffer then holds body alone.
    head: Option<Head>,
    chunks: Chunks,
    /// Heads of interim responses (100 to 199) before this one, in bytes.
    interim: usize,
    anything: bool,
    /// How much of a head has been looked through for the end of a line.
    seen: usize,
    /// A connection to a proxy: a success has no body, the tunnel begins.
    tunnel: bool,
}

impl ResponseReader {
    /// For the answer to `CONNECT`.
    pub(in crate::http) fn tunnel() -> Self {
        Self {
            tunnel: true,
            ..Self::default()
        }
    }

    /// Where arriving bytes go, with room for some.
    pub(in crate::http) fn buffer(&mut self) -> &mut Vec<u8> {
        if self.buffer.capacity() - self.buffer.len() < 2048 {
            self.buffer.reserve(8192);
        }
        &mut self.buffer
    }

    /// Whether a single byte of the response has come.
    pub(in crate::http) fn has_begun(&self) -> bool {
        self.anything || !self.buffer.is_empty()
    }

    /// Looks at what has arrived.
    pub(in crate::http) fn advance(&mut self) -> Result<Progress, WireError> {
        self.anything |= !self.buffer.is_empty();
        while self.head.is_none() {
            // A long head that comes byte by byte is read once per line and not per byte.
            let fresh = self.buffer.get(self.seen..).unwrap_or_default();
            let may_be_whole = self.buffer.len() < SHORT_HEAD || fresh.contains(&b'\n');
            self.seen = self.buffer.len();
            if !may_be_whole && self.interim + self.buffer.len() <= MAX_HEAD {
                return Ok(Progress::More);
            }
            match read(&self.buffer)? {
                None if self.interim + self.buffer.len() > MAX_HEAD => {
                    return Err(WireError::HeadTooLarge);
                }
                None => return Ok(Progress::More),
                Some((_, length)) if self.interim + length > MAX_HEAD => {
                    return Err(WireError::HeadTooLarge);
                }
                Some((mut head, length)) => {
                    self.buffer.drain(..length);
                    self.seen = 0;
                    if matches!(head.status, 100..=199) {
                        self.interim += length;
                        continue;
                    }
                    if self.tunnel && matches!(head.status, 200..=299) {
                        head.framing = Framing::Length(0);
                    }
                    self.head = Some(head);
                }
            }
        }
        let Some(head) = &self.head else {
            return Ok(Progress::More);
        };
        let done = match head.framing {
            Framing::Length(length) if length > MAX_BODY => return Err(WireError::BodyTooLarge),
            Framing::Length(length) => self.buffer.len() >= length,
            Framing::Chunked => {
                self.chunks.take(&mut self.buffer)?;
                self.chunks.is_done()
            }
            Framing::ToTheEnd if self.buffer.len() > MAX_BODY => {
                return Err(WireError::BodyTooLarge);
            }
            Framing::ToTheEnd => false,
        };
        Ok(if done { Progress::Done } else { Progress::More })
    }

    /// Whether the response is complete if the connection ends here.
    pub(in crate::http) fn end(&self) -> Result<(), WireError> {
        let complete = match self.head.as_ref().map(|head| head.framing) {
            None => false,
            Some(Framing::Length(length)) => self.buffer.len() >= length,
            Some(Framing::Chunked) => self.chunks.is_done(),
            Some(Framing::ToTheEnd) => true,
        };
        if complete {
            Ok(())
        } else {
            Err(WireError::Cut)
        }
    }

    /// The response, once [`Self::advance`] or [`Self::end`] said that it is complete.
    pub(in crate::http) fn finish(mut self) -> Result<Response, WireError> {
        self.end()?;
        let Some(head) = self.head.take() else {
            return Err(WireError::Cut);
        };
        let (mut body, left_over) = match head.framing {
            Framing::Length(length) => {
                let left_over = self.buffer.len() > length;
                self.buffer.truncate(length);
                (self.buffer, left_over)
            }
            Framing::Chunked => (self.chunks.body, !self.buffer.is_empty()),
            Framing::ToTheEnd => (self.buffer, false),
        };
        if head.gzip && !body.is_empty() {
            body = match gunzip(&body) {
                // The status says enough.
                Err(_) if !(200..300).contains(&head.status) => Vec::new(),
                unpacked => unpacked?,
            };
        }
        Ok(Response {
            status: head.status,
            notes: head.notes,
            body,
            // Bytes after the answer belong to no request of ours.
            keep_alive: head.keep_alive && !left_over,
        })
    }

    /// What is known of a response that broke off or never ended, if its status already says
    /// that it is a failure: the status counts even where its explanation is cut off.
    pub(in crate::http) fn salvage(self) -> Option<Response> {
        let head = self
            .head
            .filter(|head| !(200..300).contains(&head.status))?;
        let mut body = match head.framing {
            Framing::Chunked => self.chunks.body,
            Framing::Length(_) | Framing::ToTheEnd => self.buffer,
        };
        if head.gzip {
            body.clear();
        }
        body.truncate(MAX_HEAD);
        Some(Response {
            status: head.status,
            notes: head.notes,
            body,
            keep_alive: false,
        })
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
