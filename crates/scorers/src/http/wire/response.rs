//! Assembles a response piece by piece, its body chunked, compressed or neither.

use std::io::Read;

use super::head::{Framing, Head, KeptHeaders, read};
use super::{MAX_BODY, MAX_HEAD, WireError};

/// Shorter heads are parsed whenever bytes arrive, to reject other protocols at once.
const SHORT_HEAD: usize = 1024;
/// The longest line before a chunk: its size and extensions.
const MAX_LINE: usize = 4096;

/// A complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Response {
    pub(in crate::http) status: u16,
    pub(in crate::http) headers: KeptHeaders,
    pub(in crate::http) body: Vec<u8>,
    /// Whether the connection is reusable.
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

/// Assembles one response. Append arriving bytes to [`Self::buffer`], then call
/// [`Self::advance`].
#[derive(Debug, Default)]
pub(in crate::http) struct ResponseReader {
    buffer: Vec<u8>,
    /// Set once the head is complete; from then on the buffer holds only body.
    head: Option<Head>,
    chunks: Chunks,
    /// Bytes of interim responses (100 to 199) before this one.
    interim: usize,
    has_begun: bool,
    /// Bytes of the head that have been searched for the end of a line.
    seen: usize,
    /// The answer to `CONNECT`: after a success the tunnel begins, without a body.
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

    /// The buffer for arriving bytes, with spare room.
    pub(in crate::http) fn buffer(&mut self) -> &mut Vec<u8> {
        if self.buffer.capacity() - self.buffer.len() < 2048 {
            self.buffer.reserve(8192);
        }
        &mut self.buffer
    }

    /// Whether any byte of the response has arrived.
    pub(in crate::http) fn has_begun(&self) -> bool {
        self.has_begun || !self.buffer.is_empty()
    }

    /// Parses the bytes that have arrived.
    pub(in crate::http) fn advance(&mut self) -> Result<Progress, WireError> {
        self.has_begun |= !self.buffer.is_empty();
        while self.head.is_none() {
            // A long head that arrives byte by byte is parsed once per line, not per byte.
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
                self.chunks.decode(&mut self.buffer)?;
                self.chunks.is_done()
            }
            Framing::ToTheEnd if self.buffer.len() > MAX_BODY => {
                return Err(WireError::BodyTooLarge);
            }
            Framing::ToTheEnd => false,
        };
        Ok(if done { Progress::Done } else { Progress::More })
    }

    /// Fails unless the response is complete when the connection ends here.
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

    /// The response, once [`Self::advance`] or [`Self::end`] reported it complete.
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
                // The status suffices.
                Err(_) if !(200..300).contains(&head.status) => Vec::new(),
                unpacked => unpacked?,
            };
        }
        Ok(Response {
            status: head.status,
            headers: head.headers,
            body,
            // Surplus bytes would be taken for the next answer.
            keep_alive: head.keep_alive && !left_over,
        })
    }

    /// An incomplete response with an error status: the status counts even if its message is cut
    /// off.
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
            headers: head.headers,
            body,
            keep_alive: false,
        })
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

/// Decodes chunks as they arrive.
#[derive(Debug, Default)]
struct Chunks {
    state: State,
    /// Bytes of trailers so far, bounded like the head.
    trailers: usize,
    body: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    Data(usize),
    AfterData,
    Trailers,
    Done,
}

impl Chunks {
    fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Decodes and removes as much of `input` as possible.
    fn decode(&mut self, input: &mut Vec<u8>) -> Result<(), WireError> {
        let mut at = 0;
        while let Some(used) = self.step(&input[at..])? {
            at += used;
        }
        input.drain(..at);
        Ok(())
    }

    /// Decodes one piece and returns its length; `None` if more bytes are needed, or none.
    fn step(&mut self, input: &[u8]) -> Result<Option<usize>, WireError> {
        match self.state {
            State::Size => {
                let Some(line) = line(input)? else {
                    return Ok(None);
                };
                let size = size(line)?;
                if self.body.len().saturating_add(size) > MAX_BODY {
                    return Err(WireError::BodyTooLarge);
                }
                self.state = if size == 0 {
                    State::Trailers
                } else {
                    State::Data(size)
                };
                Ok(Some(line.len() + 1))
            }
            State::Data(left) => {
                let used = left.min(input.len());
                self.body.extend_from_slice(&input[..used]);
                self.state = if used == left {
                    State::AfterData
                } else {
                    State::Data(left - used)
                };
                Ok((used > 0).then_some(used))
            }
            State::AfterData => match input {
                [b'\r', b'\n', ..] => {
                    self.state = State::Size;
                    Ok(Some(2))
                }
                [] | [b'\r'] => Ok(None),
                _ => Err(WireError::Chunks("a chunk is longer than its size")),
            },
            State::Trailers => {
                let Some(line) = line(input)? else {
                    return Ok(None);
                };
                let used = line.len() + 1;
                self.trailers += used;
                if self.trailers > MAX_HEAD {
                    return Err(WireError::HeadTooLarge);
                }
                if line.trim_ascii().is_empty() {
                    self.state = State::Done;
                }
                Ok(Some(used))
            }
            State::Done => Ok(None),
        }
    }
}

/// The line at the start, without its line feed.
fn line(input: &[u8]) -> Result<Option<&[u8]>, WireError> {
    match input.iter().position(|&byte| byte == b'\n') {
        Some(end) if end <= MAX_LINE => Ok(Some(&input[..end])),
        None if input.len() <= MAX_LINE => Ok(None),
        _ => Err(WireError::Chunks("the line of a chunk's size is too long")),
    }
}

fn size(line: &[u8]) -> Result<usize, WireError> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
    let digits = digits.trim_ascii();
    // Sixteen digits exceed every limit.
    if digits.is_empty() || digits.len() > 16 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(WireError::Chunks("a size is not a number"));
    }
    let digits = std::str::from_utf8(digits).unwrap_or_default();
    Ok(usize::from_str_radix(digits, 16).unwrap_or(usize::MAX))
}

/// Decompresses a body. The result is bounded, since a small body may expand to gigabytes.
fn gunzip(body: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(body)
        .take(MAX_BODY as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(|error| WireError::Compression(error.to_string()))?;
    if plain.len() > MAX_BODY {
        return Err(WireError::BodyTooLarge);
    }
    Ok(plain)
}
